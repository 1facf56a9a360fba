//! A file a behaviour: `tests/policies/<area>/<case>.gate`, with the answers expected of it as text beside it.
//!
//! `<case>.gate` is compiled. If it has requests, `<case>.<name>.json`, each is decided and the decision, as a person reads
//! it, must be `<case>.<name>.txt`. If it has none, what the compiler says must be `<case>.txt`. Files below a folder named
//! `included` are only there to be included.
//!
//! `STAGEGATE_BLESS=1 cargo test --test cases` rewrites the answers; read the difference before you commit it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};

use stagegate::diagnostic::render;
use stagegate::{Policy, Request};

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && path.file_name().is_some_and(|name| name != "included") {
            files_below(&path, found);
        } else if path.is_file() {
            found.push(path);
        }
    }
}

fn is(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|e| e == ending)
}

/// What the compiler says of a file, and the policy if it compiles.
fn compile(gate: &Path) -> (String, Option<Policy>) {
    match Policy::from_file(gate) {
        Ok(policy) if policy.warnings().is_empty() => ("compiles\n".into(), Some(policy)),
        Ok(policy) => {
            let told: Vec<String> = policy.warnings().iter().map(|d| render(d, policy.sources(), false)).collect();
            (format!("{}\n\ncompiles\n", told.join("\n\n")), Some(policy))
        }
        Err(error) => (format!("{error}\n"), None),
    }
}

fn decide(policy: &Policy, request: &Path) -> String {
    let bytes = std::fs::read(request).unwrap();
    match Request::from_json(&bytes).and_then(|request| policy.decide(&request)) {
        Ok(decision) => {
            let again = policy.verdict(&Request::from_json(&bytes).unwrap()).unwrap();
            assert_eq!(again, decision.verdict(), "{}: the fast verdict differs", request.display());
            format!("{decision}\n")
        }
        Err(error) => format!("the request is refused: {error}\n"),
    }
}

#[test]
fn every_case_is_answered_as_it_is_written_beside_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/policies");
    let bless = std::env::var_os("STAGEGATE_BLESS").is_some();
    let mut files = Vec::new();
    files_below(&root, &mut files);
    let mut answers: Vec<(PathBuf, String)> = Vec::new();
    for gate in files.iter().filter(|f| is(f, "gate")) {
        let (said, policy) = compile(gate);
        let stem = format!("{}.", gate.with_extension("").display());
        let requests: Vec<&PathBuf> =
            files.iter().filter(|f| is(f, "json") && f.display().to_string().starts_with(&stem)).collect();
        match (policy, requests.is_empty()) {
            (Some(policy), false) => {
                answers.extend(requests.iter().map(|r| (r.with_extension("txt"), decide(&policy, r))))
            }
            (None, false) => panic!("{} has requests but does not compile:\n{said}", gate.display()),
            (_, true) => answers.push((gate.with_extension("txt"), said)),
        }
    }
    assert!(answers.len() >= 40, "only {} cases were found", answers.len());

    let mut wrong = Vec::new();
    for (path, answer) in &answers {
        let name = path.strip_prefix(&root).unwrap().display();
        let expected = std::fs::read_to_string(path).unwrap_or_default();
        if expected == *answer {
            continue;
        }
        if bless {
            std::fs::write(path, answer).unwrap();
        } else {
            wrong.push(format!("==== {name}\n-- expected\n{expected}-- got\n{answer}"));
        }
    }
    // An answer without a question is a case that is no longer run.
    for text in files.iter().filter(|f| is(f, "txt") && !answers.iter().any(|(path, _)| path == *f)) {
        wrong.push(format!("==== {} belongs to no case", text.display()));
    }
    assert!(wrong.is_empty(), "{} of {} answers differ\n{}", wrong.len(), answers.len(), wrong.join("\n"));
}
