//! An embedder's own struct as a request (feature `derive`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(feature = "derive")]

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Duration, Utc};
use stagegate::{Approval, Facts, Policy, ProblemKind, Request, Run, RunStatus, TriggerFact, Verdict, Word};

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

/// In no good order: what is read needs the stage, and what people said needs the instant.
#[derive(Debug, Facts)]
struct Odd {
    approvals: Vec<Approval>,
    history: Vec<Run>,
    coverage: f64,
    risk: &'static str,
    ticket: Option<&'static str>,
    weights: BTreeMap<&'static str, f64>,
    ready: Option<bool>,
    requester: Option<&'static str>,
    trigger: Option<TriggerFact>,
    #[facts("current.id")]
    current: Option<&'static str>,
    #[facts("build.version")]
    version: Option<&'static str>,
    #[facts("build.author")]
    author: Option<&'static str>,
    #[facts("build.contributors")]
    contributors: Vec<&'static str>,
    #[facts("build.labels")]
    labels: Vec<&'static str>,
    #[facts("build.commit")]
    commit: &'static str,
    #[facts("build.branch")]
    branch: Option<&'static str>,
    #[facts("build.id")]
    id: &'static str,
    now: DateTime<Utc>,
    stage: &'static str,
}

const ODD: &str = r#"
fact coverage : number
fact risk : { low, high }
fact ticket : string
fact weights : map of number
fact ready : bool
group qa = [amita, tim, "kai"]
stage Facts { require a: coverage >= 80 require b: risk == low require c: ticket == "T-1" require d: ready }
stage Dev { trigger push require light: weights.a < 5 forbid held: "hold" in build.labels }
stage Test after Dev for 1h {
  trigger manual by qa
  approve one: 1 of qa except requester since Dev
  approve fresh: 1 of qa valid 2h
}
stage Prod after Test {
  trigger nightly: schedule "0 3 * * *" if changed
  trigger go: push to "release/**"
  approve all: all of qa
  require asked: requester == "tim" or build.commit starts with "c" or build.author == "tim"
}
stage Free { require new: not (current.id == build.id) require old: Dev.status == passed }
"#;

#[test]
fn what_a_stage_does_not_read_is_passed_over_and_still_has_to_be_in_order() {
    let policy = Policy::parse("odd.gate", ODD).unwrap();
    let odd = policy.bind::<Odd>().unwrap();
    let mut chance = chance::Chance::new(41);
    let (mut seen, mut wrong) = ([0; 3], 0);
    for _ in 0..20_000 {
        let odd_value = odd_one(&mut chance);
        let request = odd.request(&odd_value);
        let expected = policy.decide(&request).map(|decision| decision.verdict());
        assert_eq!(odd.verdict(&odd_value), expected, "{odd_value:?}");
        match expected {
            Ok(verdict) => seen[verdict as usize] += 1,
            Err(_) => wrong += 1,
        }
    }
    assert!(seen.iter().all(|n| *n > 300) && wrong > 1_000, "{seen:?}, {wrong} wrong");
}

fn pick(chance: &mut chance::Chance, texts: &[&'static str]) -> &'static str {
    texts[chance.below(texts.len() as u64) as usize]
}

fn odd_one(chance: &mut chance::Chance) -> Odd {
    let people = ["amita", "tim", "kai", "rosa", "amita", "tim", ""];
    // Seldom the empty one.
    fn person(chance: &mut chance::Chance, people: &[&'static str]) -> &'static str {
        let known = if chance.percent(1) { people.len() } else { people.len() - 1 };
        people[chance.below(known as u64) as usize]
    }
    let now: DateTime<Utc> = "2026-03-04T03:30:00Z".parse().unwrap();
    let at = |chance: &mut chance::Chance| match chance.below(200) {
        0 => "1969-12-31T23:59:59Z".parse().unwrap(),
        1..6 => now + Duration::minutes(5),
        _ => now - Duration::minutes(chance.below(200) as i64),
    };
    let maybe = |chance: &mut chance::Chance, text: &'static str| chance.percent(80).then_some(text);
    let number = |chance: &mut chance::Chance| match chance.below(150) {
        0 => f64::NAN,
        1 => f64::INFINITY,
        n if n < 20 => 7.0,
        _ => 91.0,
    };
    let mut approvals = Vec::new();
    for _ in 0..chance.below(6) {
        let word =
            *chance.one_of(&[Word::Approve, Word::Approve, Word::Approve, Word::Approve, Word::Reject, Word::Withdraw]);
        let mut approval = Approval::new(person(chance, &people), word, at(chance));
        if chance.percent(10) {
            approval.stage = Some((*chance.one_of(&["Test", "Prod", "Nowhere", ""])).into());
        }
        if chance.percent(10) {
            approval.build = Some((*chance.one_of(&["7", "8"])).into());
        }
        approvals.push(approval);
    }
    let mut history = Vec::new();
    for _ in 0..chance.below(4) {
        let status = if chance.percent(85) { RunStatus::Succeeded } else { RunStatus::Failed };
        let mut run = Run::new(*chance.one_of(&["Dev", "Test", "Dev", "Test", "Prod", "Nowhere"]), status, at(chance));
        if chance.percent(10) {
            run.build = Some((*chance.one_of(&["7", "8"])).into());
        }
        history.push(run);
    }
    let rare = if chance.below(50) == 0 { "Nowhere" } else { "Dev" };
    let weights = ["a", "b", "c"].into_iter().filter(|_| chance.percent(70)).collect::<Vec<_>>();
    Odd {
        approvals,
        history,
        coverage: number(chance),
        risk: pick(chance, &["low", "low", "low", "low", "low", "low", "low", "low", "high", "medium"]),
        ticket: maybe(chance, "T-1"),
        weights: weights.into_iter().map(|key| (key, (number(chance) - 90.0) * 3.0)).collect(),
        ready: chance.percent(90).then_some(true),
        requester: if chance.percent(50) { Some(person(chance, &people)) } else { None },
        trigger: match chance.below(8) {
            0 => None,
            1 | 2 => Some(TriggerFact::Push { branch: None }),
            3 => Some(TriggerFact::Schedule { at: None }),
            4 => Some(TriggerFact::Manual { by: None }),
            _ => Some(TriggerFact::Manual { by: Some(person(chance, &people).into()) }),
        },
        current: *chance.one_of(&[None, Some("7"), Some("6"), Some("6"), Some("6"), Some("6")]),
        version: *chance.one_of(&[None, Some("1.2.3"), Some("no version")]),
        author: if chance.percent(90) { Some(person(chance, &people)) } else { None },
        contributors: (0..chance.below(3)).map(|_| person(chance, &people)).collect(),
        labels: (0..chance.below(3)).map(|_| *chance.one_of(&["ui", "", "api", "ui", "hold"])).collect(),
        commit: pick(chance, &["", "c0ffee", "badcafe"]),
        branch: *chance.one_of(&[None, Some("main"), Some("release/1"), Some("release/1")]),
        id: if chance.below(200) == 0 { "" } else { "7" },
        now,
        stage: pick(chance, &["Facts", "Dev", "Test", "Test", "Prod", "Free", "Free", rare]),
    }
}
