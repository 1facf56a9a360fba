//! A batch gives the verdicts of one request after the other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use stagegate::{Batch, Build, Invocation, Policy, Request, Run, RunStatus, Tally, Verdict};

#[path = "../benches/common/chance.rs"]
mod chance;
#[path = "../benches/common/generated.rs"]
mod generated;
#[path = "../benches/common/mixed.rs"]
mod mixed;
use chance::Chance;

fn space_game() -> Policy {
    Policy::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/policies/space-game.gate")).unwrap()
}

/// Adds each request to the batch of its stage, and compares.
fn compare(policy: &Policy, requests: &[Request]) -> [u64; 3] {
    let mut batches: BTreeMap<String, (Batch, Vec<Verdict>)> = BTreeMap::new();
    let mut seen = [0; 3];
    for request in requests {
        let verdict = policy.verdict(request).unwrap();
        seen[verdict as usize] += 1;
        let stage = request.stage.clone();
        let (batch, verdicts) =
            batches.entry(stage.clone()).or_insert_with(|| (policy.batch(&stage).unwrap(), Vec::new()));
        batch.push(request).unwrap();
        verdicts.push(verdict);
    }
    for (stage, (batch, expected)) in &batches {
        let verdicts = batch.verdicts();
        let differs = verdicts.iter().zip(expected).position(|(a, b)| a != b);
        assert_eq!((differs, verdicts.len()), (None, expected.len()), "{stage}");
        #[cfg(feature = "rayon")]
        assert_eq!(batch.verdicts_on_all_cores(), verdicts);
        let count = |wanted| expected.iter().filter(|verdict| **verdict == wanted).count() as u64;
        let tally = Tally { allow: count(Verdict::Allow), hold: count(Verdict::Hold), deny: count(Verdict::Deny) };
        assert_eq!(batch.tally(), tally);
        let mut few = [Verdict::Hold; 3];
        batch.verdicts_into(&mut few);
        assert!(few.iter().zip(expected).all(|(a, b)| a == b));
    }
    seen
}

#[test]
fn it_is_the_same_as_one_by_one() {
    let requests: Vec<Request> =
        mixed::promotions(5, 3_000).iter().map(|p| Request::from_json(p.json().as_bytes()).unwrap()).collect();
    let seen = compare(&space_game(), &requests);
    assert!(seen.iter().all(|n| *n > 100), "{seen:?}");
}

#[test]
fn it_is_the_same_for_rules_of_many_kinds_and_requests_with_gaps() {
    let policy = Policy::parse("generated.gate", generated::policy(6, 20)).unwrap();
    let mut chance = Chance::new(77);
    let mut requests = Vec::new();
    for _ in 0..800 {
        let mut request = Request::from_json(generated::request(&mut chance, 6).as_bytes()).unwrap();
        if chance.percent(30) {
            let name = chance.one_of(&request.facts.keys().cloned().collect::<Vec<_>>()).clone();
            request.facts.remove(&name);
        }
        if chance.percent(20) {
            request.history.clear();
        }
        if chance.percent(10) {
            request.approvals.pop();
        }
        requests.push(request);
    }
    let seen = compare(&policy, &requests);
    assert!(seen.iter().all(|n| *n > 20), "{seen:?}");
}

#[test]
fn what_is_out_of_the_ordinary_is_judged_too() {
    let policy = space_game();
    let now: DateTime<Utc> = "2026-03-06T20:00:00Z".parse().unwrap();
    let ended = now - Duration::hours(1);
    let staging = || Request::to("Staging").build(Build::new("7").author("kai")).at(now).manual("tim");
    let requests = [
        staging(),
        staging().succeeded("Test", ended),
        staging().succeeded("Test", ended).run(Run::new("Test", RunStatus::Failed, now + Duration::minutes(30))),
        staging()
            .succeeded("Test", ended)
            .approved("amita", now)
            .approved("tim", now)
            .approved("andy", now)
            .invocation(Invocation::new("break-glass", "mara", now).reason("INC-1"))
            .invocation(Invocation::new("break-glass", "andy", now).reason("INC-1")),
        staging().succeeded("Test", now - Duration::hours(3)).rejected("tim", now),
        staging().failed("Test", ended),
        staging().run(Run::new("Test", RunStatus::Pending, ended)),
    ];
    let crowd =
        (0..100).fold(staging().succeeded("Test", now - Duration::hours(3)), |r, n| r.approved(format!("p{n}"), now));
    let requests: Vec<Request> = requests.into_iter().chain([crowd]).collect();
    let seen = compare(&policy, &requests);
    assert!(seen.iter().all(|n| *n > 0), "{seen:?}");
}

#[test]
fn instants_are_compared_to_the_nanosecond_and_over_centuries() {
    let policy = Policy::parse(
        "soak.gate",
        "group qa = [amita, tim]
         stage Dev { advise any: build.id is set }
         stage Test after Dev for 30s {
           approve fresh: 1 of qa since Dev valid 1m
           approve ever: 2 of qa valid 5200w
           approve late: 1 of qa since Dev
         }
         stage Prod after Dev for 5200w { approve any: 1 of qa }",
    )
    .unwrap();
    let second = 1_000_000_000;
    let year = 365 * 86_400 * second;
    let ages = [
        0,
        1,
        second - 1,
        second,
        second + 1,
        30 * second - 1,
        30 * second,
        30 * second + 1,
        60 * second - 1,
        60 * second,
        60 * second + 1,
        68 * year,
        69 * year,
        100 * year + 30 * 86_400 * second,
        200 * year,
        -1,
    ];
    let mut chance = Chance::new(3);
    let now: DateTime<Utc> = "2190-03-06T20:00:00.5Z".parse().unwrap();
    let requests: Vec<Request> = (0..4_000)
        .map(|_| {
            let at = |chance: &mut Chance| now - Duration::nanoseconds(*chance.one_of(&ages));
            let stage = *chance.one_of(&["Test", "Test", "Test", "Prod"]);
            let mut request = Request::to(stage).build(Build::new("7").author("kai")).at(now);
            for _ in 0..1 + chance.below(2) {
                let status = if chance.percent(90) { RunStatus::Succeeded } else { RunStatus::Pending };
                request = request.run(Run::new("Dev", status, at(&mut chance)));
            }
            for who in ["amita", "tim"] {
                if chance.percent(90) {
                    request = request.approved(who, at(&mut chance));
                }
            }
            request
        })
        .collect();
    let seen = compare(&policy, &requests);
    assert!(seen[0] > 50 && seen[1] > 50, "{seen:?}");
}

#[test]
fn another_stage_and_a_wrong_request_are_refused() {
    let policy = space_game();
    assert!(policy.batch("Nowhere").is_err());
    let mut batch = policy.batch("Dev").unwrap();
    assert!(batch.is_empty());
    assert!(batch.push(&Request::to("Test").build(Build::new("7")).at(Utc::now())).is_err());
    assert!(batch.push(&Request::to("Dev").build(Build::new("7"))).is_err());
    assert_eq!((batch.len(), batch.verdicts()), (0, Vec::new()));
    batch.push_at(&Request::to("Dev").build(Build::new("7")), Utc::now()).unwrap();
    assert_eq!(batch.verdicts(), [Verdict::Hold]);
}
