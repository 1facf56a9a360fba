//! The one-page policy, from its text to its decisions.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

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

fn test(by: &str) -> Request {
    Request::to("Test")
        .build(Build::new("1").branch("release").author("mara").labels(["blue"]))
        .at(at("2026-03-04T17:00:00Z"))
        .manual(by)
        .succeeded("Dev", at("2026-03-03T17:00:00Z"))
        .fact("coverage", 91)
        .fact("checks", [("unit", "passed"), ("lint", "passed")])
}

#[test]
fn test_takes_what_succeeded_in_dev_and_is_covered() {
    let policy = policy();
    let verdict = |request: Request| policy.decide(&request).unwrap().verdict();
    assert_eq!(verdict(test("tim")), Verdict::Allow);
    assert_eq!(verdict(test("amita")), Verdict::Deny);
    assert_eq!(verdict(test("tim").fact("coverage", 79.9)), Verdict::Deny);
    let hotfix = Build::new("1").branch("release").author("mara").labels(["hotfix"]);
    assert_eq!(verdict(test("tim").fact("coverage", 79.9).build(hotfix)), Verdict::Allow);
    assert_eq!(verdict(test("tim").fact("checks", [("unit", "passed"), ("lint", "failed")])), Verdict::Deny);
    assert_eq!(verdict(test("tim").failed("Dev", at("2026-03-03T18:00:00Z"))), Verdict::Deny);
}

fn staging() -> Request {
    Request::to("Staging")
        .build(Build::new("1").branch("release").author("mara"))
        .at(at("2026-03-04T18:00:00Z"))
        .manual("tim")
        .succeeded("Test", at("2026-03-04T11:00:00Z"))
        .approved("amita", at("2026-03-04T17:30:00Z"))
        .approved("tim", at("2026-03-04T17:30:00Z"))
}

#[test]
fn staging_waits_for_two_of_operations_and_for_the_soak() {
    let policy = policy();
    let decide = |request: Request| policy.decide(&request).unwrap();
    assert_eq!(decide(staging()).verdict(), Verdict::Hold);
    assert_eq!(decide(staging().approved("mara", at("2026-03-04T17:30:00Z"))).verdict(), Verdict::Hold);
    let whole = || staging().approved("andy", at("2026-03-04T17:30:00Z"));
    assert_eq!(decide(whole()).verdict(), Verdict::Allow);
    let soaking = decide(whole().at(at("2026-03-04T12:30:00Z")));
    assert_eq!(soaking.verdict(), Verdict::Hold);
    let rejected = decide(whole().rejected("amita", at("2026-03-04T17:40:00Z")));
    assert_eq!(rejected.verdict(), Verdict::Deny);
}

#[test]
fn two_of_operations_may_break_the_glass() {
    let policy = policy();
    let early = || staging().approved("andy", at("2026-03-04T17:30:00Z")).succeeded("Test", at("2026-03-04T17:00:00Z"));
    let after = |request: Request| request.approved("amita", at("2026-03-04T17:45:00Z"));
    assert_eq!(policy.decide(&after(early())).unwrap().verdict(), Verdict::Hold);
    let broken = after(early())
        .override_invoked("break-glass", "tim", at("2026-03-04T17:50:00Z"), "INC-1")
        .override_invoked("break-glass", "andy", at("2026-03-04T17:50:00Z"), "INC-1");
    let decision = policy.decide(&broken).unwrap();
    assert_eq!(decision.verdict(), Verdict::Allow, "{decision}");
}

#[test]
fn staging_is_frozen_over_the_weekend_in_los_angeles() {
    let policy = policy();
    let friday = |now: &str| {
        let said = at("2026-03-07T00:30:00Z");
        let request = staging().succeeded("Test", at("2026-03-06T12:00:00Z")).at(at(now));
        policy.decide(&request.approved("amita", said).approved("tim", said).approved("andy", said)).unwrap()
    };
    assert_eq!(friday("2026-03-07T01:59:59Z").verdict(), Verdict::Allow);
    let frozen = friday("2026-03-07T02:00:00Z");
    assert_eq!(frozen.verdict(), Verdict::Hold);
    // Monday 06:00, after the clocks went forward; the approvals of operations are over by then.
    assert_eq!(frozen.allowed_at(), None);
}

#[test]
fn test_runs_by_night_when_there_is_something_new() {
    let policy = policy();
    let nightly = |now: &str| test("tim").at(at(now)).scheduled().current_nothing();
    let verdict = |request: Request| policy.decide(&request).unwrap().verdict();
    assert_eq!(verdict(nightly("2026-03-04T11:00:00Z")), Verdict::Allow);
    assert_eq!(verdict(nightly("2026-03-04T11:59:59Z")), Verdict::Allow);
    assert_eq!(verdict(nightly("2026-03-04T12:00:00Z")), Verdict::Hold);
}
