//! An embedder's own struct as a request (feature `derive`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(feature = "derive")]

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use stagegate::{Facts, Policy, ProblemKind, Request, RunStatus, Verdict};

#[path = "../benches/common/chance.rs"]
mod chance;
#[path = "../benches/common/mixed.rs"]
mod mixed;
#[path = "../benches/common/own_struct.rs"]
mod own_struct;
use own_struct::Change;

fn space_game() -> Policy {
    Policy::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/policies/space-game.gate")).unwrap()
}

fn now() -> DateTime<Utc> {
    "2026-03-04T18:00:00Z".parse().unwrap()
}

#[test]
fn it_decides_as_the_request_does() {
    let policy = space_game();
    let changes = policy.bind::<Change>().unwrap();
    let mut allowed = 0;
    for promotion in mixed::promotions(11, 500) {
        let change = Change::of(&promotion);
        let request = Request::from_json(promotion.json().as_bytes()).unwrap();
        let verdict = changes.verdict(&change).unwrap();
        assert_eq!(verdict, policy.verdict(&request).unwrap(), "{}", promotion.json());
        assert_eq!(policy.verdict(&changes.request(&change)).unwrap(), verdict);
        assert_eq!(changes.decide(&change).unwrap().rules(), policy.decide(&request).unwrap().rules());
        allowed += usize::from(verdict.is_allow());
    }
    assert!(allowed > 150, "{allowed}");
}

#[test]
fn nothing_is_allocated_for_it() {
    let policy = space_game();
    let changes = policy.bind::<Change>().unwrap();
    let values: Vec<Change> = mixed::promotions(11, 500).iter().map(Change::of).collect();
    let all = || values.iter().filter(|change| changes.verdict(change).unwrap().is_allow()).count();
    let before = all();
    let count = allocation_counter::measure(|| assert_eq!(all(), before)).count_total;
    assert_eq!(count, 0);
}

#[test]
fn what_does_not_fit_the_policy_is_told_at_once() {
    #[derive(Facts)]
    struct Wrong<'a> {
        #[facts("build.id")]
        id: &'a str,
        now: DateTime<Utc>,
        coverage: &'a str,
        cheks: HashMap<String, RunStatus>,
        #[facts("build.labels")]
        labels: bool,
    }
    let policy = space_game();
    let error = policy.bind_to::<Wrong<'_>>("Dev").unwrap_err();
    let told: Vec<(&str, ProblemKind)> = error.problems().iter().map(|p| (p.path.as_str(), p.kind)).collect();
    assert_eq!(
        told,
        [
            ("coverage", ProblemKind::FactType),
            ("cheks", ProblemKind::UnknownField),
            ("build.labels", ProblemKind::FactType)
        ]
    );
    assert!(error.to_string().contains("checks"), "{error}");
    assert!(policy.bind_to::<Wrong<'_>>("Nowhere").unwrap_err().to_string().contains("Nowhere"));

    #[derive(Facts)]
    struct Less {
        coverage: f64,
    }
    let error = policy.bind::<Less>().unwrap_err();
    assert_eq!(error.problems().iter().map(|p| p.path.as_str()).collect::<Vec<_>>(), ["build.id", "now"]);
}

#[test]
fn what_is_not_there_was_not_supplied_and_what_is_wrong_is_an_error() {
    #[derive(Facts)]
    struct Build {
        #[facts("build.id")]
        id: String,
        now: DateTime<Utc>,
        coverage: Option<f64>,
        risk: Option<&'static str>,
    }
    let text = "fact coverage : number fact risk : { low, high } stage Dev { require a: coverage >= 80 forbid b: risk == high }";
    let policy = Policy::parse("p.gate", text).unwrap();
    let builds = policy.bind_to::<Build>("Dev").unwrap();
    let build = |coverage, risk| Build { id: "7".into(), now: now(), coverage, risk };
    assert_eq!(builds.verdict(&build(Some(91.0), Some("low"))), Ok(Verdict::Allow));
    assert_eq!(builds.verdict(&build(Some(91.0), None)), Ok(Verdict::Hold));
    assert_eq!(builds.verdict(&build(Some(79.0), None)), Ok(Verdict::Deny));
    assert_eq!(builds.verdict(&build(Some(91.0), Some("high"))), Ok(Verdict::Deny));
    assert!(builds.verdict(&build(Some(91.0), Some("medium"))).is_err());
    assert!(builds.verdict(&build(Some(f64::NAN), Some("low"))).is_err());
    assert!(builds.verdict(&Build { id: String::new(), ..build(Some(91.0), Some("low")) }).is_err());
}
