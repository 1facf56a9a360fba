//! Recorded requests decided again: under another policy, and under the one that decided them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixture;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use stagegate::{Build, Decided, Policy, Request, Status, Value, Verdict};
use stagegate_audit::replay::{Again, Change, Comparison, Loaded, Options, RuleChange, Secrets, again, compare};
use stagegate_audit::{Entry, Id, LogError, Record, Review, SecretKey};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn key() -> SecretKey {
    SecretKey::from_bytes([7; 32])
}

const OLD: &str = r#"
policy web
fact coverage : number
group qa = [amita, lee]
stage Test { require covered: coverage >= 80 }
stage Live { require covered: coverage >= 80  approve tested: 1 of qa }
"#;

fn policy(text: &str) -> Policy {
    Policy::parse("web.gate", text).unwrap_or_else(|error| panic!("{error}"))
}

/// Each request decided by the policy, as the log has it.
fn recorded(policy: &Policy, requests: &[Request]) -> Vec<String> {
    let line = |request: &Request| {
        let decision = policy.decide(request).unwrap();
        let record = Record::new(&Decided::new(policy, request, &decision), at("2026-04-01T00:00:00Z"), &key());
        Entry::Decision(Box::new(record)).to_json()
    };
    requests.iter().map(line).collect()
}

fn asking(stage: &str, coverage: f64, minutes: i64) -> Request {
    let now = at("2026-03-04T18:00:00Z") + TimeDelta::minutes(minutes);
    Request::to(stage).build(Build::new(format!("b{minutes}")).author("mara")).at(now).fact("coverage", coverage)
}

/// Line by line and out of memory: the answer is the same.
fn compared(lines: &[String], policy: &Policy, options: &Options) -> Comparison {
    let comparison = compare(lines, policy, options, &mut |_, _| {}).unwrap();
    let loaded = Loaded::read(lines, options, &mut |_, _| {}).unwrap();
    assert_eq!(loaded.len() as u64, comparison.records);
    assert_eq!(loaded.compare(policy).unwrap(), comparison);
    comparison
}

fn decided_again(lines: &[String], policies: &[&Policy], options: &Options) -> Again {
    let find = |digest: &str| {
        let found = policies.iter().find(|policy| policy.digest() == digest).map(|policy| (*policy).clone());
        found.ok_or_else(|| format!("the log has not kept the policy {digest}"))
    };
    again(lines, &find, options, &mut |_, _| {}).unwrap()
}

fn ids(lines: &[String]) -> Vec<Id> {
    lines.iter().map(|line| Entry::from_json(line).unwrap().id()).collect()
}

#[test]
fn what_another_policy_would_have_let_through_held_or_refused_is_told_by_stage_and_rule() {
    let old = policy(OLD);
    let lines = recorded(
        &old,
        &[
            asking("Test", 85.0, 0),                                               // allow, then deny
            asking("Test", 95.0, 1),                                               // allow, allow
            asking("Live", 95.0, 2),                                               // hold (nobody tested), then allow
            asking("Live", 95.0, 3).approved("amita", at("2026-03-04T17:00:00Z")), // allow, allow
            asking("Live", 70.0, 4).approved("amita", at("2026-03-04T17:00:00Z")), // deny, deny
            asking("Test", 70.0, 5),                                               // deny, deny
        ],
    );
    let new = policy(&OLD.replace(">= 80", ">= 90").replace("approve tested: 1 of qa", ""));
    let comparison = compared(&lines, &new, &Options::new());
    assert_eq!((comparison.records, comparison.same, comparison.changed), (6, 4, 2));
    assert_eq!((comparison.newly_allowed, comparison.newly_held, comparison.newly_denied), (1, 0, 1));
    assert_eq!(comparison.first, Some(at("2026-03-04T18:00:00Z")));
    assert_eq!(comparison.last, Some(at("2026-03-04T18:05:00Z")));
    let ids = ids(&lines);
    let [live, test] = comparison.changes.as_slice() else { panic!("{comparison:?}") };
    assert_eq!(
        (live.stage.as_str(), live.was, live.is, &live.ids),
        ("Live", Verdict::Hold, Verdict::Allow, &vec![ids[2]])
    );
    let tested = RuleChange { rule: "tested".into(), was: Some(Status::Awaiting), is: None };
    assert_eq!(live.rules, [tested]);
    assert_eq!(
        (test.stage.as_str(), test.was, test.is, &test.ids),
        ("Test", Verdict::Allow, Verdict::Deny, &vec![ids[0]])
    );
    let covered = RuleChange { rule: "covered".into(), was: Some(Status::Met), is: Some(Status::Unmet) };
    assert_eq!(test.rules, std::slice::from_ref(&covered));
    let stages: Vec<_> = comparison.stages.iter().map(|s| (s.stage.as_str(), s.decided, s.same)).collect();
    assert_eq!(stages, [("Live", 3, 2), ("Test", 3, 2)]);
    assert!(
        comparison.rules.iter().any(|rule| rule.change == covered && rule.count == 1 && rule.newly == Verdict::Deny)
    );
    assert!(comparison.undecided.is_empty() && comparison.withheld.is_empty());
}

#[test]
fn a_request_that_the_policy_cannot_decide_is_an_error_and_never_an_allow() {
    let lines = recorded(&policy(OLD), &[asking("Test", 95.0, 0), asking("Live", 95.0, 1)]);
    let other = policy("policy web fact coverage : bool stage Test { advise x: coverage }");
    let comparison = compared(&lines, &other, &Options::new());
    assert_eq!((comparison.records, comparison.same, comparison.changed, comparison.not_decided()), (2, 0, 0, 2));
    let reasons: Vec<&str> = comparison.undecided.iter().map(|one| one.reason.as_str()).collect();
    assert!(reasons.iter().any(|reason| reason.contains("`true` or `false`")), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.contains("no stage `Live`")), "{reasons:?}");
}

#[test]
fn only_a_stretch_of_time_or_one_policy() {
    let mut lines =
        recorded(&policy(OLD), &[asking("Test", 95.0, 0), asking("Test", 95.0, 1), asking("Test", 95.0, 2)]);
    lines.extend(recorded(&policy(&OLD.replace("policy web", "policy app")), &[asking("Test", 95.0, 1)]));
    let count = |options: &Options| compared(&lines, &policy(OLD), options).records;
    assert_eq!(count(&Options::new()), 4);
    assert_eq!(count(&Options::new().since(Some(at("2026-03-04T18:01:00Z")))), 3);
    assert_eq!(count(&Options::new().until(Some(at("2026-03-04T18:01:00Z")))), 1);
    assert_eq!(count(&Options::new().of(Some("app".into()))), 1);
}

#[test]
fn reviews_are_passed_over_and_damage_is_an_error() {
    let mut lines = recorded(&policy(OLD), &[asking("Test", 95.0, 0)]);
    let of = ids(&lines)[0];
    let review = Review { id: Id::new(), recorded: Utc::now(), of, by: "lee".into(), note: "seen".into() };
    lines.push(Entry::Review(review).to_json());
    assert_eq!(compared(&lines, &policy(OLD), &Options::new()).records, 1);
    let cut = lines[0][..100].to_string();
    lines.push(cut);
    let error = compare(&lines[..], &policy(OLD), &Options::new(), &mut |_, _| {}).unwrap_err();
    assert!(matches!(error, LogError::Damaged { seq: 2, .. }), "{error}");
}

#[test]
fn the_recorded_policy_decides_the_same_again_to_the_last_byte() {
    let old = policy(OLD);
    let lines = recorded(&old, &[asking("Test", 85.0, 0), asking("Live", 0.1 + 0.2, 1)]);
    let same = decided_again(&lines, &[&old], &Options::new());
    assert_eq!((same.records, same.same, same.differ.len()), (2, 2, 0));

    // Somebody has made the record friendlier.
    let forged = vec![lines[0].replace("coverage is 85", "coverage is 95"), lines[1].clone()];
    assert_ne!(forged[0], lines[0]);
    let differs = decided_again(&forged, &[&old], &Options::new());
    assert_eq!((differs.same, differs.differ.len()), (1, 1));
    let one = &differs.differ[0];
    assert_eq!((one.id, one.seq, one.engine.as_str()), (ids(&lines)[0], 0, stagegate::VERSION));
    assert_eq!(one.differences[0].path, "rules[0].detail");

    // Only written in another way.
    let spaced = vec![lines[0].replace("\"decision\":{\"verdict\"", "\"decision\":{ \"verdict\"")];
    assert_ne!(spaced[0], lines[0]);
    assert_eq!(decided_again(&spaced, &[&old], &Options::new()).differ[0].differences[0].path, "the bytes alone");

    // The policy is gone: nothing passes silently.
    let gone = decided_again(&lines, &[], &Options::new());
    assert_eq!((gone.same, gone.differ.len()), (0, 2));
    assert!(gone.differ[0].error.as_ref().unwrap().contains("has not kept the policy sha256:"));
}

const WITH_SECRET: &str = r#"
policy keys
fact deploy-key : string secret
fact coverage : number
stage Live { require key: deploy-key == "hunter2"  require covered: coverage >= 80 }
"#;

#[test]
fn a_withheld_secret_is_decided_again_only_by_those_who_know_it() {
    let old = policy(WITH_SECRET);
    let request = asking("Live", 95.0, 0).fact("deploy-key", "hunter2");
    let lines = recorded(&old, &[request]);
    assert!(!lines[0].contains("hunter2"));

    let blind = decided_again(&lines, &[&old], &Options::new());
    assert_eq!((blind.same, blind.differ.len()), (0, 0));
    assert_eq!(blind.withheld[0].reason, "deploy-key is withheld");
    assert_eq!(blind.withheld[0].ids, ids(&lines));

    let secrets =
        |key: SecretKey, json: &str| Options::new().secrets(Some(Secrets::from_json(key, json.as_bytes()).unwrap()));
    let known = secrets(key(), r#"{"deploy-key": ["swordfish", "hunter2"]}"#);
    assert_eq!(decided_again(&lines, &[&old], &known).same, 1);
    // Not the value, not the key.
    let wrong = [
        secrets(key(), r#"{"deploy-key": ["swordfish"]}"#),
        secrets(SecretKey::from_bytes([8; 32]), r#"{"deploy-key": ["hunter2"]}"#),
    ];
    for options in wrong {
        assert_eq!(decided_again(&lines, &[&old], &options).withheld.len(), 1);
        assert_eq!(compared(&lines, &old, &options).withheld[0].ids, ids(&lines));
    }
    assert_eq!(compared(&lines, &old, &known).same, 1);
    let none = compared(&lines, &old, &Options::new());
    assert_eq!((none.same, none.changed, none.not_decided()), (0, 0, 1));

    // A policy that does not read it can decide; one that takes a map for it must not be given the digest's.
    let without = policy("policy keys fact coverage : number stage Live { require covered: coverage >= 80 }");
    assert_eq!(compared(&lines, &without, &Options::new()).same, 1);
    let map =
        policy("policy keys fact deploy-key : map of string stage Live { require there: deploy-key.withheld is set }");
    assert_eq!(compared(&lines, &map, &Options::new()).withheld.len(), 1);

    let error = Secrets::from_json(key(), br#"{"deploy-key": "hunter2"}"#).unwrap_err().to_string();
    assert!(!error.contains("hunter2"), "{error}");
}

/// What [`compare`] finds, the slow way: each record is read whole, and its request decided with all reasons.
#[derive(Debug, PartialEq, Default)]
struct Slow {
    records: u64,
    same: u64,
    changes: Vec<Change>,
    undecided: Vec<Id>,
    withheld: Vec<Id>,
}

fn slowly(lines: &[String], policy: &Policy, known: &BTreeMap<&str, &str>) -> Slow {
    let mut slow = Slow::default();
    let mut changes: BTreeMap<(String, Verdict, Verdict, Vec<RuleChange>), Vec<Id>> = BTreeMap::new();
    let declares = |name: &str| policy.sources().iter().any(|source| source.text.contains(&format!("fact {name} :")));
    for line in lines {
        let Entry::Decision(record) = Entry::from_json(line).unwrap() else { continue };
        slow.records += 1;
        let mut request = record.request.clone();
        let mut missing = false;
        for name in record.withheld.iter().filter(|name| declares(name)) {
            match known.get(name.as_str()) {
                Some(value) => _ = request.facts.insert(name.clone(), Value::from(*value)),
                None => missing = true,
            }
        }
        if missing {
            slow.withheld.push(record.id);
            continue;
        }
        let Ok(decision) = policy.decide(&request) else {
            slow.undecided.push(record.id);
            continue;
        };
        let (was, is) = (record.decision.verdict(), decision.verdict());
        if was == is {
            slow.same += 1;
            continue;
        }
        let mut names: Vec<&String> = decision.blocking().iter().collect();
        names.extend(record.decision.blocking().iter().filter(|name| !decision.blocking().contains(name)));
        let stands = |decision: &stagegate::Decision, name: &str| decision.rule(name).map(|rule| rule.status);
        let rules = names.into_iter().map(|name| RuleChange {
            rule: name.clone(),
            was: stands(&record.decision, name),
            is: stands(&decision, name),
        });
        let rules: Vec<RuleChange> = rules.filter(|rule| rule.was != rule.is).collect();
        changes.entry((decision.stage().to_string(), was, is, rules)).or_default().push(record.id);
    }
    slow.changes = changes
        .into_iter()
        .map(|((stage, was, is, rules), mut ids)| {
            ids.sort();
            Change { stage, was, is, rules, ids }
        })
        .collect();
    slow.undecided.sort();
    slow.withheld.sort();
    slow
}

fn of(comparison: &Comparison) -> Slow {
    let all = |list: &[stagegate_audit::replay::NotDecided]| {
        let mut ids: Vec<Id> = list.iter().flat_map(|one| one.ids.clone()).collect();
        ids.sort();
        ids
    };
    Slow {
        records: comparison.records,
        same: comparison.same,
        changes: comparison.changes.clone(),
        undecided: all(&comparison.undecided),
        withheld: all(&comparison.withheld),
    }
}

/// Overrides, schedules, secrets, gaps, reviews in between: whatever the other policy is, the fast ways find what the slow
/// one finds.
#[test]
fn verdict_first_finds_what_deciding_everything_finds() {
    let (_folder, log) = fixture::log(800);
    let lines: Vec<String> = log.entries(0..log.len().unwrap()).map(|stored| stored.unwrap().json).collect();
    let shop = fixture::SHOP;
    let scheduled = r#"stage Test after Dev { trigger night: schedule "0 3 * * *" if changed  trigger manual by ops "#;
    let others = [
        ("the same", shop.to_string()),
        ("stricter", shop.replace(">= 80", ">= 85").replace("1 of testers", "2 of testers")),
        ("laxer", shop.replace("approve operations", "advise not-any-more: coverage is set approve operations")),
        ("without rules", shop.replace("  freeze weekend: fri 18:00 .. mon 06:00\n", "").replace(", weekend", "")),
        ("other triggers", shop.replace("stage Test after Dev { ", scheduled)),
        (
            "reads the secret",
            shop.replace("  require covered", "  require keyed: deploy-key == \"hunter2\"\n  require covered"),
        ),
        (
            "another type",
            shop.replace("fact coverage : number", "fact coverage : string")
                .replace("coverage >= 80", "coverage is set"),
        ),
        (
            "takes the secret for a map",
            shop.replace("fact deploy-key : string secret", "fact deploy-key : map of string"),
        ),
        ("does not know the secret", shop.replace("fact deploy-key : string secret\n", "")),
        ("another stage", shop.replace("stage Staging", "stage Live")),
        ("clinic", fixture::CLINIC.to_string()),
    ];
    let known = BTreeMap::from([("deploy-key", "hunter2")]);
    let secrets = Secrets::from_json(key(), br#"{"deploy-key": ["hunter1", "hunter2"]}"#).unwrap();
    let mut seen = [0_usize; 4];
    for (what, text) in others {
        let policy = Policy::parse("shop.gate", &text).unwrap_or_else(|error| panic!("{what}: {error}"));
        let blind = slowly(&lines, &policy, &BTreeMap::new());
        assert_eq!(of(&compared(&lines, &policy, &Options::new())), blind, "{what}");
        let all = slowly(&lines, &policy, &known);
        let options = Options::new().secrets(Some(secrets.clone()));
        assert_eq!(of(&compared(&lines, &policy, &options)), all, "{what}");
        // From the file, too.
        assert_eq!(of(&compare(&log, &policy, &options, &mut |_, _| {}).unwrap()), all, "{what}");
        for (seen, now) in
            seen.iter_mut().zip([all.changes.len(), all.undecided.len(), blind.withheld.len(), all.same as usize])
        {
            *seen += now;
        }
    }
    assert!(seen.iter().all(|seen| *seen > 100), "{seen:?}");
    let again =
        again(&log, &|digest| log.kept(digest), &Options::new().secrets(Some(secrets)), &mut |_, _| {}).unwrap();
    assert_eq!((again.records, again.same, again.differ.len()), (800, 800, 0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever was asked, the threads and the pieces change nothing, and each count is that of a plain loop.
    #[test]
    fn it_agrees_with_deciding_one_after_the_other(
        requests in prop::collection::vec((0..3u8, 0..100u8, any::<bool>()), 1..2_500),
        jobs in 1..4usize,
    ) {
        let (old, new) = (policy(OLD), policy(&OLD.replace(">= 80", ">= 50").replace("stage Test {", "stage Test { approve tested: 1 of qa ")));
        let requests: Vec<Request> = requests.iter().enumerate().map(|(minutes, (stage, coverage, approved))| {
            let request = asking(if *stage == 0 { "Test" } else { "Live" }, f64::from(*coverage), minutes as i64);
            if *approved { request.approved("lee", at("2026-03-04T17:00:00Z")) } else { request }
        }).collect();
        let lines = recorded(&old, &requests);
        let mut last = 0;
        let comparison = compare(&lines[..], &new, &Options::new().jobs(jobs), &mut |done, of| {
            assert!(done > last && of == lines.len() as u64);
            last = done;
        }).unwrap();
        prop_assert_eq!(last, lines.len() as u64);
        let mut counts: BTreeMap<(bool, Verdict), u64> = BTreeMap::new();
        for request in &requests {
            let (was, is) = (old.verdict(request).unwrap(), new.verdict(request).unwrap());
            *counts.entry((was != is, is)).or_default() += 1;
        }
        let count = |verdict| counts.get(&(true, verdict)).copied().unwrap_or(0);
        prop_assert_eq!(comparison.newly_allowed, count(Verdict::Allow));
        prop_assert_eq!(comparison.newly_held, count(Verdict::Hold));
        prop_assert_eq!(comparison.newly_denied, count(Verdict::Deny));
        prop_assert_eq!(comparison.same + comparison.changed, requests.len() as u64);
        for change in &comparison.changes {
            prop_assert!(!change.rules.is_empty());
            prop_assert!(change.ids.is_sorted());
        }
        let again = decided_again(&lines, &[&old], &Options::new().jobs(jobs));
        prop_assert_eq!(again.same, requests.len() as u64);
    }
}

/// A value that is no text in the request's JSON is digested as what it was.
#[test]
fn secrets_of_every_type_are_found() {
    let old = policy("policy keys fact pin : number secret stage Live { require right: pin == 4.5 }");
    let lines = recorded(&old, &[asking("Live", 95.0, 0).fact("pin", Value::Number(4.5))]);
    let secrets = Secrets::from_json(key(), br#"{"pin": [4, 4.5]}"#).unwrap();
    assert_eq!(decided_again(&lines, &[&old], &Options::new().secrets(Some(secrets))).same, 1);
}
