//! What the tests of the syntax share.
#![allow(dead_code)]

use stagegate::Limits;
use stagegate::diagnostic::{Diagnostic, Severity, Sources, render};
use stagegate::syntax::{self, Parsed, tree::File};

pub fn read(text: &str) -> (Parsed, Sources) {
    let mut sources = Sources::default();
    let id = sources.add("p.gate", text);
    (syntax::parse(&sources, id, &Limits::default()), sources)
}

/// The tree of a text that must be well written.
pub fn tree(text: &str) -> File {
    let (parsed, sources) = read(text);
    assert!(parsed.diagnostics.is_empty(), "{}\n--- in\n{text}", rendered(&parsed.diagnostics, &sources));
    parsed.file
}

pub fn rendered(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    diagnostics.iter().map(|d| render(d, sources, false) + "\n").collect::<Vec<_>>().join("\n")
}

pub fn errors(text: &str) -> Vec<Diagnostic> {
    let (parsed, _) = read(text);
    parsed.diagnostics.into_iter().filter(|d| d.severity == Severity::Error).collect()
}

/// The tree without its places: two files with equal shapes say the same.
pub fn shape(file: &File) -> String {
    let span = regex::Regex::new(r"Span \{ source: SourceId\(\d+\), start: \d+, end: \d+ \}").unwrap();
    span.replace_all(&format!("{:?}", file.items), "_").into_owned()
}

/// The comments of a file, in order.
pub fn comments(file: &File) -> Vec<&str> {
    file.comments.iter().map(|comment| comment.text.as_str()).collect()
}

/// Formats a text and holds the formatter to its promises: the same tree, the same comments, nothing left to do.
pub fn format(text: &str) -> String {
    let before = tree(text);
    let once = stagegate::format("p.gate", text, &Limits::default()).unwrap();
    let after = tree(&once);
    assert_eq!(shape(&before), shape(&after), "another tree:\n{text}\n--- became\n{once}");
    let sorted = |file: &File| {
        let mut comments: Vec<String> = comments(file).into_iter().map(str::to_string).collect();
        comments.sort();
        comments
    };
    assert_eq!(sorted(&before), sorted(&after), "comments were lost:\n{text}\n--- became\n{once}");
    let twice = stagegate::format("p.gate", &once, &Limits::default()).unwrap();
    assert_eq!(once, twice, "not settled after one run, of\n{text}");
    once
}
