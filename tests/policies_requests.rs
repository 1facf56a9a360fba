//! The policies in `policies/` compile without a word, and answer the requests beside them as their teams would expect:
//! `policies/requests/<policy>-<case>.json`, with the answers in `tests/policies_requests.txt`.
//!
//! `STAGEGATE_BLESS=1 cargo test --test policies_requests` rewrites the answers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use stagegate::diagnostic::Sources;
use stagegate::{Compiler, Decision, FileKind, Limits, Policy, Request, Status, Verdict, syntax};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("policies")
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == extension));
    paths.sort();
    paths
}

fn stem(path: &Path) -> &str {
    path.file_stem().unwrap().to_str().unwrap()
}

/// The policies that can be asked: neither the baseline, which has no stage, nor tests in files of their own.
fn policies() -> BTreeMap<String, Policy> {
    let reports = files(&root(), "gate").into_iter().map(|path| (Compiler::new().check_file(&path).kind(), path));
    let paths = reports.filter(|(kind, _)| *kind == FileKind::Policy).map(|(_, path)| path);
    let compile = |path: PathBuf| match Policy::from_file(&path) {
        Ok(policy) => (stem(&path).to_string(), policy),
        Err(error) => panic!("{}:\n{error}", path.display()),
    };
    paths.map(compile).collect()
}

/// Every request with the answer to it, by the name of its file.
fn decisions() -> BTreeMap<String, (String, Decision)> {
    let policies = policies();
    let decide = |path: PathBuf| {
        let case = stem(&path).to_string();
        let (name, policy) = policies.iter().find(|(name, _)| case.starts_with(&format!("{name}-"))).unwrap();
        let request = Request::from_json(&std::fs::read(&path).unwrap()).unwrap_or_else(|e| panic!("{case}: {e}"));
        let decision = policy.decide(&request).unwrap_or_else(|e| panic!("{case}: {e}"));
        (case, (name.clone(), decision))
    };
    files(&root().join("requests"), "json").into_iter().map(decide).collect()
}

/// Also the baseline and the tests in a file of their own.
#[test]
fn every_file_is_checked_without_a_word() {
    let paths = files(&root(), "gate");
    assert!(paths.len() >= 8, "{paths:?}");
    for path in paths {
        let report = Compiler::new().check_file(&path);
        let said = report.diagnostics().iter().map(|d| stagegate::diagnostic::render(d, report.sources(), false));
        let said: Vec<String> = said.collect();
        assert!(report.is_ok() && said.is_empty(), "{}:\n{}", path.display(), said.join("\n"));
    }
    let kind = |name: &str| Compiler::new().check_file(root().join(name)).kind();
    assert_eq!(kind("baseline.gate"), FileKind::Library);
    assert_eq!(kind("bank-tests.gate"), FileKind::Tests);
}

/// In the one canonical layout, as `fmt` prints it.
#[test]
fn every_file_is_formatted() {
    for path in files(&root(), "gate") {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut sources = Sources::default();
        let id = sources.add("policy.gate", text.as_str());
        let parsed = syntax::parse(&sources, id, &Limits::default());
        assert_eq!(syntax::print(&parsed.file, &text), text, "{}", path.display());
    }
}

#[test]
fn every_request_is_answered_as_before() {
    let mut text = String::new();
    for (case, (_, decision)) in decisions() {
        write!(text, "{case}: {} at {}", decision.verdict(), decision.stage()).unwrap();
        for name in decision.blocking() {
            let rule = decision.rule(name).unwrap();
            write!(text, "\n  {} ({}) {}: {}", rule.rule, rule.kind, rule.status, rule.detail).unwrap();
        }
        for rule in decision.rules().iter().filter(|rule| rule.status == Status::Overridden) {
            write!(text, "\n  {} ({}) overridden", rule.rule, rule.kind).unwrap();
        }
        let at = |t: Option<chrono::DateTime<chrono::Utc>>| t.map_or("never".into(), |t| t.to_rfc3339());
        writeln!(text, "\n  allowed {}; changes {}\n", at(decision.allowed_at()), at(decision.valid_until())).unwrap();
        assert!(decision.ignored_facts().is_empty(), "{case}: {:?}", decision.ignored_facts());
        assert!(decision.warnings().is_empty(), "{case}: {:?}", decision.warnings());
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/policies_requests.txt");
    if std::env::var_os("STAGEGATE_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, kept, "{} (STAGEGATE_BLESS=1 rewrites it)", path.display());
}

#[test]
fn every_policy_has_a_request_for_each_verdict() {
    let mut seen: BTreeMap<String, Vec<Verdict>> = policies().into_keys().map(|name| (name, Vec::new())).collect();
    for (case, (name, decision)) in decisions() {
        // A case that is named for its verdict has that verdict.
        for verdict in [Verdict::Allow, Verdict::Hold, Verdict::Deny] {
            if case.ends_with(&format!("-{verdict}")) {
                assert_eq!(decision.verdict(), verdict, "{case}\n{decision}");
            }
        }
        seen.get_mut(&name).unwrap().push(decision.verdict());
    }
    for (name, verdicts) in seen {
        for verdict in [Verdict::Allow, Verdict::Hold, Verdict::Deny] {
            assert!(verdicts.contains(&verdict), "{name} has no request that ends in {verdict}");
        }
    }
}

/// The first thing a reader of the README sees.
#[test]
fn the_build_that_waits_for_one_more_person_says_who_and_why() {
    let (_, decision) = decisions().remove("space-game-staging").unwrap();
    assert_eq!(decision.verdict(), Verdict::Hold);
    assert_eq!(decision.blocking(), ["operations"]);
    let operations = decision.rule("operations").unwrap();
    assert_eq!(operations.status, Status::Awaiting);
    assert!(operations.detail.starts_with("1 of 2: tim approved; mara is the author and does not count"));
    assert_eq!(operations.from.as_deref().unwrap(), ["andy", "lee@tailspin.example"]);
    assert_eq!(operations.missing, Some(1));
}

#[test]
fn a_secret_is_in_no_answer() {
    for (case, (_, decision)) in decisions().into_iter().filter(|(_, (name, _))| name == "bank") {
        let json = serde_json::to_string(&decision).unwrap();
        assert!(!json.contains("7Q-1193") && !decision.to_string().contains("7Q-1193"), "{case}");
    }
}
