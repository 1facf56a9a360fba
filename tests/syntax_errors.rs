//! One file a mistake: `tests/syntax/errors/CASE.gate` with the diagnostics it gives in `CASE.txt` beside it, and a
//! healthy twin, `CASE.ok.gate`, that differs in the mistake alone. `STAGEGATE_BLESS=1 cargo test` writes the texts anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod syntax;

use std::fs;
use std::path::Path;

use stagegate::Limits;
use stagegate::diagnostic::Sources;

fn diagnostics(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let mut sources = Sources::default();
    let id = sources.add(path.file_name().unwrap().to_str().unwrap(), text);
    let parsed = stagegate::syntax::parse(&sources, id, &Limits::default());
    syntax::rendered(&parsed.diagnostics, &sources)
}

#[test]
fn every_mistake_is_told_as_its_file_says_and_its_twin_is_well() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/syntax/errors");
    let update = std::env::var_os("STAGEGATE_BLESS").is_some();
    let mut paths: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.to_str().is_some_and(|p| p.ends_with(".gate") && !p.ends_with(".ok.gate")));
    paths.sort();
    assert!(paths.len() > 40, "the cases are gone");
    let mut wrong = Vec::new();
    for path in paths {
        let told = diagnostics(&path);
        let expected = path.with_extension("txt");
        if told.is_empty() {
            wrong.push(format!("{} has nothing wrong with it", path.display()));
        }
        if update {
            fs::write(&expected, &told).unwrap();
        }
        let text = fs::read_to_string(&expected).unwrap_or_default();
        if text != told {
            wrong.push(format!("{}\n--- expected\n{text}\n--- told\n{told}", path.display()));
        }
        let twin = path.with_extension("ok.gate");
        let healthy = if twin.exists() { diagnostics(&twin) } else { "there is no healthy twin".into() };
        if !healthy.is_empty() {
            wrong.push(format!("{}: {healthy}", twin.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
