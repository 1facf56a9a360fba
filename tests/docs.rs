//! Every example of the documentation is true: `gate` blocks compile or say what they are said to say, `json` blocks are
//! read. `rust` blocks run as doc tests (`src/lib.rs` and `docs_rust` below), commands in `crates/cli/tests/docs.rs`.
//!
//! What stands behind `gate` says how a block is read:
//!
//! - nothing: a whole policy; all errors are failures
//! - `prelude`: the policy in which the fragments of this page stand, at the `…`
//! - `rules`: rules of a stage of that policy
//! - `file=NAME`: a file beside the policy that follows (in diagnostics.md: beside that of its section)
//! - `limit:NAME=N`, `latin1`, `missing`, `also=CODE`: see docs/diagnostics.md
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use stagegate::diagnostic::ALL_CODES;
use stagegate::{CompileError, Compiler, Decision, Limits, MemoryLoader, Policy, Request};

struct Block {
    place: String,
    heading: String,
    language: String,
    info: String,
    text: String,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> =
        ["README.md", "ARCHITECTURE.md", "DESIGN.md", "CHANGELOG.md"].map(|n| root().join(n)).into();
    let docs = std::fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    pages.extend(docs.filter(|path| path.extension().is_some_and(|e| e == "md")));
    pages.sort();
    pages
}

/// The fenced blocks of a page.
fn blocks(page: &Path) -> Vec<Block> {
    let text = std::fs::read_to_string(page).unwrap();
    let name = page.strip_prefix(root()).unwrap().display().to_string();
    let (mut found, mut heading, mut open) = (Vec::new(), String::new(), None::<Block>);
    for (number, line) in text.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(fence)) => {
                let (language, info) = fence.split_once(' ').unwrap_or((fence, ""));
                open = Some(Block {
                    place: format!("{name}:{}", number + 1),
                    heading: heading.clone(),
                    language: language.into(),
                    info: info.into(),
                    text: String::new(),
                });
            }
            (Some(_), Some("")) => found.extend(open.take()),
            (Some(block), _) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) if line.starts_with('#') => heading = line.trim_start_matches(['#', ' ']).to_string(),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{name}: a block is not closed");
    found
}

fn of_language(language: &str) -> Vec<Block> {
    pages().iter().flat_map(|page| blocks(page)).filter(|block| block.language == language).collect()
}

/// The codes that an outcome tells, each once.
fn codes(outcome: &Result<Policy, CompileError>) -> Vec<&'static str> {
    let diagnostics = match outcome {
        Ok(policy) => policy.warnings(),
        Err(error) => error.diagnostics(),
    };
    let mut codes: Vec<&str> = diagnostics.iter().map(|d| d.code.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

#[test]
fn every_policy_in_the_documentation_compiles() {
    let mut count = 0;
    for page in pages().iter().filter(|page| !page.ends_with("docs/diagnostics.md")) {
        let (mut prelude, mut files) = (None::<String>, MemoryLoader::new());
        for block in blocks(page).into_iter().filter(|block| block.language == "gate") {
            let text = match block.info.as_str() {
                "" => block.text,
                "prelude" => {
                    prelude = Some(block.text.clone());
                    block.text.replace('…', "")
                }
                "rules" => prelude.as_ref().expect("a prelude comes first").replace('…', &block.text),
                info => {
                    let name = info.strip_prefix("file=").unwrap_or_else(|| panic!("{}: {info}", block.place));
                    files = files.with(name, block.text);
                    continue;
                }
            };
            count += 1;
            let whole = block.info.is_empty();
            match Compiler::new().loader(&files).compile_text("example.gate", &text) {
                Ok(policy) if whole => assert_eq!(policy.warnings(), [], "{}", block.place),
                Ok(_) => {}
                Err(error) => panic!("{}:\n{error}", block.place),
            }
        }
    }
    assert!(count > 15, "{count}");
}

#[test]
fn every_diagnostic_is_documented_and_its_example_says_exactly_that() {
    let page = root().join("docs/diagnostics.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let headings: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let wanted: Vec<String> = ALL_CODES.iter().map(|info| format!("{}: {}", info.code, info.title)).collect();
    assert_eq!(headings, wanted);

    let blocks = blocks(&page);
    let mut wrong = String::new();
    for (info, heading) in ALL_CODES.iter().zip(&wanted) {
        let mut files = MemoryLoader::new();
        let mut limits = Limits::default();
        let (mut bytes, mut missing) = (None, false);
        let mut wanted = vec![info.code.as_str()];
        for block in blocks.iter().filter(|block| block.heading == *heading) {
            assert_eq!(block.language, "gate", "{}", block.place);
            if let Some(name) = block.info.strip_prefix("file=") {
                files = files.with(name, block.text.clone());
                continue;
            }
            bytes = Some(match block.info.as_str() {
                "latin1" => block.text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect(),
                _ => block.text.clone().into_bytes(),
            });
            missing = block.info == "missing";
            wanted.extend(block.info.strip_prefix("also="));
            if let Some((name, number)) = block.info.strip_prefix("limit:").and_then(|limit| limit.split_once('=')) {
                let number = number.parse().unwrap();
                match name {
                    "source_bytes" => limits.source_bytes = number,
                    "depth" => limits.depth = number,
                    "tokens" => limits.tokens = number,
                    _ => panic!("{}: {name}", block.place),
                }
            }
        }
        let bytes: Vec<u8> = bytes.unwrap_or_else(|| panic!("{heading} has no example"));
        if !missing {
            files = files.with("policy.gate", bytes);
        }
        let outcome = Compiler::new().loader(&files).limits(limits).compile("policy.gate");
        wanted.sort_unstable();
        if codes(&outcome) != wanted {
            wrong.push_str(&format!("{heading}: says {:?}\n", codes(&outcome)));
            match &outcome {
                Ok(policy) => policy.warnings().iter().for_each(|w| {
                    wrong.push_str(&stagegate::diagnostic::render(w, policy.sources(), false));
                }),
                Err(error) => wrong.push_str(&error.to_string()),
            }
            wrong.push_str("\n\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_json_block_is_read() {
    let mut count = 0;
    for block in of_language("json") {
        let place = &block.place;
        match block.info.as_str() {
            "request" => drop(Request::from_json(block.text.as_bytes()).unwrap_or_else(|e| panic!("{place}: {e}"))),
            "decision" => {
                drop(serde_json::from_str::<Decision>(&block.text).unwrap_or_else(|e| panic!("{place}: {e}")))
            }
            "" => {
                drop(serde_json::from_str::<serde_json::Value>(&block.text).unwrap_or_else(|e| panic!("{place}: {e}")))
            }
            info => panic!("{place}: {info}"),
        }
        count += 1;
    }
    assert!(count > 0);
}

/// A block in a language that no test reads would be a promise without a proof.
#[test]
fn every_block_is_of_a_kind_that_is_tested() {
    for page in pages() {
        for block in blocks(&page) {
            let known = ["gate", "json", "rust", "sh", "text", "toml"];
            assert!(known.contains(&block.language.as_str()), "{}: `{}`", block.place, block.language);
        }
    }
}

/// Links between the pages lead somewhere.
#[test]
fn links_to_files_of_this_repository_are_not_broken() {
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target) {
            let file = target.split('#').next().unwrap();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            assert!(page.parent().unwrap().join(file).exists(), "{}: {target}", page.display());
        }
    }
}
