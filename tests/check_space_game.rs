//! The one-page policy, from its text to its decisions.

use chrono::{DateTime, Utc};
use stagegate::{Build, Policy, Request, Verdict};

fn policy() -> Policy {
    match Policy::from_file("policies/space-game.gate") {
        Ok(policy) => policy,
        Err(error) => panic!("{error}"),
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[test]
fn it_compiles_without_a_word() {
    let policy = policy();
    assert_eq!(policy.warnings(), []);
    assert_eq!(policy.name(), "space-game");
    assert_eq!(policy.zone(), chrono_tz::Tz::America__Los_Angeles);
    assert_eq!(policy.stages().collect::<Vec<_>>(), ["Dev", "Test", "Staging"]);
    assert!(policy.digest().starts_with("sha256:") && policy.digest().len() == 71);
}

fn dev(branch: &str, unit: &str) -> Request {
    Request::to("Dev")
        .build(Build::new("1").branch(branch).author("mara"))
        .at(at("2026-03-03T17:00:00Z"))
        .push(branch)
        .fact("checks", [("unit", unit)])
}

#[test]
fn dev_takes_release_branches_that_pass_their_unit_tests() {
    let policy = policy();
    for (branch, unit, verdict) in [
        ("release", "passed", Verdict::Allow),
        ("release/2026/3", "passed", Verdict::Allow),
        ("main", "passed", Verdict::Deny),
        ("release", "failed", Verdict::Deny),
        ("release", "pending", Verdict::Hold),
    ] {
        let decision = policy.decide(&dev(branch, unit)).unwrap();
        assert_eq!(decision.verdict(), verdict, "{branch} {unit}: {decision}");
    }
}
