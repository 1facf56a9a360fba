//! Formatting is settled after one run, changes no tree and loses no comment.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stagegate::Limits;
use stagegate::diagnostic::Sources;
use stagegate::syntax::tree::File;

fn tree(text: &str) -> File {
    let mut sources = Sources::default();
    let id = sources.add("fuzz.gate", text);
    let parsed = stagegate::syntax::parse(&sources, id, &Limits::default());
    assert!(parsed.diagnostics.is_empty(), "formatted text does not parse:\n{text}");
    parsed.file
}

/// The tree without its places.
fn shape(file: &File) -> String {
    let text = format!("{:?}", file.items);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find("Span { source: SourceId(") {
        out.push_str(&rest[..at]);
        rest = rest[at..].find(" }").map_or("", |end| &rest[at + end + 2..]);
    }
    out + rest
}

fn comments(file: &File) -> Vec<&str> {
    let mut comments: Vec<&str> = file.comments.iter().map(|comment| comment.text.as_str()).collect();
    comments.sort_unstable();
    comments
}

fuzz_target!(|text: &str| {
    let limits = Limits::default();
    let Ok(once) = stagegate::format("fuzz.gate", text, &limits) else { return };
    let (before, after) = (tree(text), tree(&once));
    assert_eq!(shape(&before), shape(&after), "another tree, of\n{once}");
    assert_eq!(comments(&before), comments(&after), "other comments, of\n{once}");
    let twice = stagegate::format("fuzz.gate", &once, &limits).expect("formatted text formats");
    assert_eq!(once, twice);
});
