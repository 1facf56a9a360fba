//! Every command in the README and in `docs/` is run, and its output is the one that is shown.
//!
//! A `sh` block of one command that is followed by a `text output` block (or `json output`) prints exactly that. A
//! comment `# exits N` behind a command gives its exit code; otherwise it is 0.
//!
//! `STAGEGATE_BLESS=1 cargo test -p stagegate-cli --test docs` rewrites the outputs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The arguments of a command line; these documents need no quotes but `"`.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.extend(Some(std::mem::take(&mut word)).filter(|w| !w.is_empty())),
            c => word.push(c),
        }
    }
    words.extend(Some(word).filter(|w| !w.is_empty()));
    words
}

/// Runs a line of a document; `None` when it is no command of the binary.
fn run(line: &str, place: &str) -> Option<Output> {
    let (command, comment) = line.split_once('#').unwrap_or((line, ""));
    let words = words(command.trim());
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let arguments = match words.as_slice() {
        ["cargo", "run", "--", arguments @ ..] | ["stagegate", arguments @ ..] => arguments,
        ["cargo", "run", "--example", name, ..] => {
            assert!(root().join("examples").join(name).with_extension("rs").exists(), "{place}: no example {name}");
            return None;
        }
        ["cargo", "test", ..] => return None,
        _ => panic!("{place}: `{line}` is not understood"),
    };
    let output = Command::new(env!("CARGO_BIN_EXE_stagegate"))
        .args(arguments)
        .current_dir(root())
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let exits =
        comment.split_once("exits ").map_or(0, |(_, n)| n.split([':', ' ', ',']).next().unwrap().parse().unwrap());
    let shown = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(exits), "{place}: {line}\n{shown}");
    Some(output)
}

/// Runs a page; gives it back with the outputs that the commands have now.
fn page(path: &Path, ran: &mut usize) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let mut out = String::new();
    let mut last: Option<String> = None;
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let place = format!("{}:{}", path.display(), number + 1);
        out.push_str(line);
        out.push('\n');
        let Some(fence) = line.strip_prefix("```") else { continue };
        let is_output = fence.ends_with(" output");
        if is_output {
            out.push_str(last.take().unwrap_or_else(|| panic!("{place}: no command before this output")).trim_end());
            out.push('\n');
        }
        for (_, line) in lines.by_ref() {
            let end = line == "```";
            if end || !is_output {
                out.push_str(line);
                out.push('\n');
            }
            if end {
                break;
            }
            if fence == "sh"
                && let Some(output) = run(line, &place)
            {
                *ran += 1;
                last = Some(String::from_utf8(output.stdout).unwrap());
            }
        }
    }
    out
}

#[test]
fn every_command_in_the_documentation_does_what_is_shown() {
    let mut pages = vec![root().join("README.md")];
    let docs = std::fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    pages.extend(docs.filter(|path| path.extension().is_some_and(|e| e == "md")));
    let mut ran = 0;
    for path in pages {
        let kept = std::fs::read_to_string(&path).unwrap();
        let now = page(&path, &mut ran);
        if std::env::var_os("STAGEGATE_BLESS").is_some() {
            std::fs::write(&path, &now).unwrap();
        } else {
            assert_eq!(now, kept, "{} (STAGEGATE_BLESS=1 rewrites it)", path.display());
        }
    }
    assert!(ran > 0);
}

/// The first command of the README is the main job.
#[test]
fn the_readme_begins_with_the_main_job() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let (_, rest) = text.split_once("```sh\n").unwrap();
    assert!(rest.starts_with("cargo run -- decide --policy policies/space-game.gate --request "), "{rest}");
    assert!(rest.contains("operations (approve) is awaiting: 1 of 2: tim approved"), "{rest}");
}

#[test]
fn every_dependency_is_explained() {
    let design = std::fs::read_to_string(root().join("DESIGN.md")).unwrap();
    let rows: Vec<&str> = design.lines().filter(|line| line.starts_with("| `")).collect();
    let mut count = 0;
    for manifest in ["Cargo.toml", "crates/cli/Cargo.toml", "fuzz/Cargo.toml"] {
        let text = std::fs::read_to_string(root().join(manifest)).unwrap();
        let mut inside = false;
        for line in text.lines() {
            if line.starts_with('[') {
                inside = line.ends_with("dependencies]");
            } else if let (true, Some((name, _))) = (inside, line.split_once(" = ")) {
                let told = name.starts_with("stagegate") || rows.iter().any(|row| row.contains(&format!("`{name}`")));
                assert!(told, "{manifest}: DESIGN.md does not say what `{name}` is for");
                count += 1;
            }
        }
    }
    assert!(count > 25, "{count}");
    // And nothing is explained that is not there.
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap()
        + &std::fs::read_to_string(root().join("fuzz/Cargo.lock")).unwrap();
    for row in rows {
        let names = row.split('|').nth(1).unwrap();
        for name in names.split('`').skip(1).step_by(2).filter(|name| *name != "schema" && !name.contains('/')) {
            assert!(lock.contains(&format!("name = \"{name}\"\n")), "DESIGN.md explains `{name}`");
        }
    }
}
