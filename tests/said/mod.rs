//! What the compiler says of a policy, as lines of text: number, line and column, message, then what it says at the
//! places, then help.
#![allow(dead_code, unreachable_pub)]

use stagegate::diagnostic::{Diagnostic, Sources};
use stagegate::{CompileError, Compiler, MemoryLoader, Policy};

/// Of one text.
pub fn said(text: &str) -> Vec<String> {
    of(Policy::parse("p.gate", text))
}

/// Of a policy in several files, the first of which is the root.
pub fn said_of(files: &[(&str, &str)]) -> Vec<String> {
    of(compile(files))
}

/// A policy in several files, the first of which is the root.
pub fn compile(files: &[(&str, &str)]) -> Result<Policy, CompileError> {
    let loader = files.iter().fold(MemoryLoader::new(), |loader, (name, text)| loader.with(*name, *text));
    Compiler::new().loader(&loader).compile(files[0].0)
}

/// Of a policy or of the error.
pub fn of(result: Result<Policy, CompileError>) -> Vec<String> {
    match result {
        Ok(policy) => lines(policy.warnings(), policy.sources()),
        Err(error) => lines(error.diagnostics(), error.sources()),
    }
}

/// One line a diagnostic.
pub fn lines(diagnostics: &[Diagnostic], sources: &Sources) -> Vec<String> {
    diagnostics.iter().map(|diagnostic| line(diagnostic, sources)).collect()
}

fn line(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let first = sources.place(diagnostic.span());
    let file = if first.file == "p.gate" { String::new() } else { format!("{}:", first.file) };
    let mut line = format!("{} {file}{}:{} {}", diagnostic.code, first.line, first.column, diagnostic.message);
    for (index, label) in diagnostic.labels.iter().enumerate() {
        let place = sources.place(label.span);
        let file = if place.file == first.file { String::new() } else { format!("{}:", place.file) };
        match (index, label.text.as_str()) {
            (0, "") => {}
            (0, text) => line += &format!(" | {text}"),
            (_, text) => line += &format!(" | {file}{}:{} {text}", place.line, place.column),
        }
    }
    for help in &diagnostic.help {
        line += &format!(" | help: {help}");
    }
    line
}

/// Compares, and shows both in full.
#[track_caller]
pub fn says(text: &str, expected: &[&str]) {
    assert_same(said(text), expected, text);
}

/// The same for several files.
#[track_caller]
pub fn files_say(files: &[(&str, &str)], expected: &[&str]) {
    assert_same(said_of(files), expected, &format!("{files:#?}"));
}

#[track_caller]
fn assert_same(said: Vec<String>, expected: &[&str], of: &str) {
    assert!(said == expected, "of\n{of}\nit says\n  {}\nnot\n  {}\n", said.join("\n  "), expected.join("\n  "));
}
