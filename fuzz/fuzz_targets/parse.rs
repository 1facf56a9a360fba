//! Reading a policy never panics, and every diagnostic can be shown.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stagegate::Limits;
use stagegate::diagnostic::{Sources, render};

fuzz_target!(|text: &str| {
    let mut sources = Sources::default();
    let id = sources.add("fuzz.gate", text);
    let parsed = stagegate::syntax::parse(&sources, id, &Limits::default());
    for diagnostic in &parsed.diagnostics {
        let span = diagnostic.span();
        assert!(span.start <= span.end && span.end as usize <= text.len());
        assert!(text.is_char_boundary(span.start as usize) && text.is_char_boundary(span.end as usize));
        assert!(!render(diagnostic, &sources, false).is_empty());
    }
});
