//! A schedule `if changed`, and what the stage runs is not known: no firing will do, and nobody walks through all of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chrono::{DateTime, Utc};
use stagegate::{Build, Decision, Policy, Request, Status, Verdict};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn asked() -> Request {
    let build = Build::new("7").author("mara");
    Request::to("Test").build(build).at(at("2026-03-04T18:00:00Z")).scheduled()
}

fn decide(rules: &str, request: &Request) -> Decision {
    let policy = format!("policy p group ops = [tim, andy] stage Test {{ {rules} trigger manual by ops }}");
    let policy = Policy::parse("p.gate", policy).unwrap_or_else(|error| panic!("{error}"));
    let decision = policy.decide(request).unwrap();
    assert_eq!(policy.verdict(request).unwrap(), decision.verdict());
    decision
}

const NIGHTLY: &str = r#"trigger nightly: schedule "0 3 * * *" if changed"#;

#[test]
fn what_no_firing_mends_is_unmet_and_the_search_is_not_cut_short() {
    let decision = decide(NIGHTLY, &asked());
    assert_eq!((decision.verdict(), decision.allowed_at()), (Verdict::Deny, None));
    assert_eq!(decision.rule("nightly").unwrap().status, Status::Unmet);
    assert_eq!(decision.rule("manual").unwrap().status, Status::Unmet);
    // When it fires, it is not known any more.
    assert_eq!(decision.valid_until(), Some(at("2026-03-05T03:00:00Z")));
    assert!(decision.warnings().is_empty(), "{:?}", decision.warnings());
    let firing = decide(NIGHTLY, &asked().at(at("2026-03-05T03:00:00Z")));
    assert_eq!((firing.verdict(), firing.allowed_at()), (Verdict::Hold, None));
    assert!(firing.warnings().is_empty(), "{:?}", firing.warnings());
}

#[test]
fn a_firing_that_will_do_is_waited_for() {
    let decision = decide(NIGHTLY, &asked().current_nothing());
    assert_eq!((decision.verdict(), decision.allowed_at()), (Verdict::Hold, Some(at("2026-03-05T03:00:00Z"))));
    let other = format!("{NIGHTLY} trigger weekly: schedule \"0 5 * * sun\"");
    assert_eq!(decide(&other, &asked()).allowed_at(), Some(at("2026-03-08T05:00:00Z")));
}

#[test]
fn an_override_that_will_skip_it_is_waited_for() {
    // Somebody invokes an override tomorrow.
    let skipped = format!("{NIGHTLY} override now: 1 of ops may skip nightly, manual");
    let request = asked().override_invoked("now", "tim", at("2026-03-05T00:00:00Z"), "");
    let decision = decide(&skipped, &request);
    assert_eq!((decision.verdict(), decision.allowed_at()), (Verdict::Hold, Some(at("2026-03-05T00:00:00Z"))));
}
