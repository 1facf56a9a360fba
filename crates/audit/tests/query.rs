//! Questions to a log: what they mean, and that SQL and the plain filter answer alike.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixture;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::OnceLock;

use proptest::prelude::*;
use stagegate::schedule::Zone;
use stagegate_audit::query::{By, Order, Query};
use stagegate_audit::{Entry, Id, Log, Record};
use tempfile::TempDir;

fn log() -> &'static Log {
    static LOG: OnceLock<(TempDir, Log)> = OnceLock::new();
    &LOG.get_or_init(|| fixture::log(250)).1
}

/// Its place, the record, and who has reviewed it.
type Kept = (u64, Box<Record>, Vec<String>);

/// The decisions of the log with who has reviewed them, read entry by entry.
fn everything() -> &'static [Kept] {
    static ALL: OnceLock<Vec<Kept>> = OnceLock::new();
    ALL.get_or_init(|| {
        let (mut all, mut places): (Vec<_>, HashMap<Id, usize>) = (Vec::new(), HashMap::new());
        for stored in log().entries(0..u64::MAX) {
            let stored = stored.unwrap();
            match stored.entry().unwrap() {
                Entry::Decision(record) => {
                    places.insert(record.id, all.len());
                    all.push((stored.seq, record, Vec::new()));
                }
                Entry::Review(review) => all[places[&review.of]].2.push(review.by),
                _ => {}
            }
        }
        all
    })
}

fn query(text: &str) -> Query {
    Query::parse(text, Zone::UTC).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn by_sql(query: &Query) -> Vec<u64> {
    let mut seqs = Vec::new();
    log()
        .select(query, Order::Oldest, |found| {
            seqs.push(found.seq);
            ControlFlow::Continue(())
        })
        .unwrap();
    seqs
}

fn plainly(query: &Query) -> Vec<u64> {
    let all = everything().iter();
    all.filter(|(_, record, reviewers)| query.matches(record, reviewers)).map(|(seq, ..)| *seq).collect()
}

/// Tests, of which the random questions are made. Each finds something and not everything in the log, or nothing is known
/// of some records.
const TESTS: &[&str] = &[
    "verdict == allow",
    "verdict != deny",
    "verdict in [hold, deny]",
    "stage == Staging",
    "stage != \"Staging\"",
    "stage in [Test, Nowhere]",
    "stage not in [Dev]",
    "stage in []",
    "requester in []",
    "stage starts with \"St\"",
    "policy == shop",
    "policy in [clinic, bakery]",
    "policy.digest starts with \"sha256:\"",
    "policy.language == 1",
    "build == \"26.7\"",
    "build.id in [\"26.1\", \"26.2\", \"26.3\"]",
    "build.branch == main",
    "build.branch matches \"release/*\"",
    "build.branch is missing",
    "build.branch != main",
    "build.version >= \"1.2.0\"",
    "build.version == \"1.0.0\"",
    "build.version is set",
    "build.digest is set",
    "author == mara",
    "author in approvers",
    "author == requester",
    "requester == build.author",
    "build.labels contains hotfix",
    "\"hotfix\" in build.labels",
    "any build.labels matches \"do-*\"",
    "every build.labels == routine",
    "no build.labels == hotfix",
    "build.age > 24h",
    "build.created in 2026-02-01 .. 2026-02-28",
    "requester == \"o'hara\"",
    "requester is missing",
    "asked-by == deploy-bot",
    "asked-by is set",
    "trigger == manual",
    "trigger in [push, schedule]",
    "trigger is missing",
    "trigger != manual",
    "action == rollback",
    "at in 2026-02-01 .. 2026-02-28",
    "at in 2026-03-01 09:00 .. 2026-03-20 17:30",
    "at not in 2026-01-01 .. 2026-02-15",
    "at >= 2026-03-01",
    "at < 2026-02-01 12:00 Europe/Berlin",
    "at == 2026-02-01",
    "recorded in 2026-06-01",
    "recorded > 2026-06-01 00:05 Z",
    "at < recorded",
    "signed-at < at",
    "id starts with \"0\"",
    "id == nonsense",
    "id != nonsense",
    "engine >= \"0.1.0\"",
    "rule soak is waiting",
    "rule soak is not waiting",
    "rule soak is missing",
    "rule soak is set",
    "rule [soak, office] is overridden",
    "rule any is awaiting",
    "rule any is not unknown",
    "rule nowhere is met",
    "blocked by qa",
    "blocked by [operations, office]",
    "blocked by any",
    "blocking contains qa",
    "any blocking == after",
    "overridden by break-glass",
    "overridden by any",
    "overrides contains drill",
    "approved by amita",
    "approved by [jo, tim, \"o'hara\"]",
    "approved by any",
    "approvers contains jo",
    "rejected by any",
    "rejected by tim",
    "reviewed",
    "reviewed == false",
    "reviewed by lee",
    "reviewers contains jo",
    "coverage >= 80",
    "coverage < 80",
    "80 <= coverage",
    "fact.coverage in [50, 79.5]",
    "risk == high",
    "risk in [medium, high]",
    "unit == passed",
    "unit != passed",
    "checks.\"ci/build\" == pending",
    "every checks == passed",
    "any checks == pending",
    "regions contains eu",
    "regions is set",
    "any regions starts with \"e\"",
    "signed-at in 2026-02-01 .. 2026-03-31",
    "downtime <= 2h",
    "minimum < \"1.10.0\"",
    "minimum <= build.version",
    "ready",
    "ready == false",
    "deploy-key is set",
    "deploy-key == hunter2",
    "withheld contains deploy-key",
    "ignored-facts contains surplus",
    "allowed-at is set",
    "valid-until is missing",
];

fn questions() -> impl Strategy<Value = String> {
    let test = proptest::sample::select(TESTS).prop_map(str::to_string);
    test.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" and "))),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" or "))),
            inner.clone().prop_map(|part| format!("not ({part})")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("not {a} or {b}")),
        ]
    })
}

#[test]
fn each_test_alone_and_turned_round_is_answered_alike() {
    let mut told = HashMap::new();
    for test in TESTS {
        for text in [(*test).to_string(), format!("not ({test})")] {
            let query = query(&text);
            let found = plainly(&query);
            assert_eq!(by_sql(&query), found, "{text}");
            assert_eq!(log().count(&query).unwrap(), found.len() as u64, "{text}");
            told.insert(text, found.len());
        }
        let (yes, no) = (told[*test], told[&format!("not ({test})")]);
        assert!(yes + no <= everything().len(), "{test}");
        // A rule that no record has, and a secret.
        let unknown = ["rule nowhere is met", "deploy-key == hunter2"].contains(test);
        assert_eq!(yes + no == 0, unknown, "{test}: {yes} {no}");
    }
    // The log is one that tells tests apart.
    let split = TESTS.iter().filter(|test| told[**test] > 0 && told[&format!("not ({test})")] > 0).count();
    assert!(split * 4 > TESTS.len() * 3, "{split} of {}", TESTS.len());
}

const BY: &[&str] = &[
    "verdict",
    "stage",
    "policy",
    "policy.digest",
    "build",
    "build.version",
    "build.branch",
    "author",
    "requester",
    "asked-by",
    "trigger",
    "action",
    "approvers",
    "blocking",
    "overrides",
    "reviewers",
    "reviewed",
    "build.labels",
    "coverage",
    "regions",
    "deploy-key",
    "day",
    "week",
    "month",
    "engine",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn sql_and_the_plain_filter_answer_alike(text in questions()) {
        let query = query(&text);
        let found = plainly(&query);
        prop_assert_eq!(by_sql(&query), found.clone());
        prop_assert_eq!(log().count(&query).unwrap(), found.len() as u64);
    }

    #[test]
    fn counts_by_sql_are_those_of_the_records(
        text in questions(),
        by in proptest::collection::vec(proptest::sample::select(BY), 0..3),
        zone in proptest::sample::select(&["UTC", "Europe/Berlin", "Asia/Kathmandu"][..]),
    ) {
        let zone = Zone::parse(zone).unwrap();
        let by: Vec<By> = by.into_iter().map(|by| By::parse(by, zone).unwrap()).collect();
        // A test that no column knows, and that is true of every record.
        let plain = query(&format!("({text}) and fact.there-is-no-such-fact is missing"));
        prop_assert_eq!(log().groups(&query(&text), &by).unwrap(), log().groups(&plain, &by).unwrap());
    }

    /// Nothing that is typed makes the reader of questions panic, and what it takes, the log answers.
    #[test]
    fn anything_is_read_or_refused(text in "[a-z\"/\\[\\]().=<>!&| 0-9:-]{0,60}") {
        if let Ok(query) = Query::parse(&text, Zone::UTC) {
            prop_assert_eq!(by_sql(&query), plainly(&query));
        }
    }

    #[test]
    fn words_in_any_order_are_read_or_refused(words in proptest::collection::vec(proptest::sample::select(&[
        "stage", "verdict", "==", "!=", "in", "not", "and", "or", "(", ")", "[", "]", ",", "allow", "rule", "is",
        "approved", "by", "any", "every", "no", "\"x\"", "2026-03-01", "..", "at", "contains", "matches", "/a/", "set",
        "missing", "3", "2h", "build.labels", "fact.x", "reviewed", "starts", "with", "waiting",
    ][..]), 0..12)) {
        let text = words.join(" ");
        if let Ok(query) = Query::parse(&text, Zone::UTC) {
            prop_assert_eq!(by_sql(&query), plainly(&query));
        }
    }
}

/// Names of rules are unique in a decision of the engine; what was made otherwise is not recorded.
#[test]
fn a_decision_with_two_rules_of_one_name_is_not_recorded() {
    let (_, record, _) = &everything()[0];
    let line = Entry::Decision(record.clone()).to_json();
    let rule = serde_json::from_str::<serde_json::Value>(&line).unwrap()["decision"]["rules"][0].to_string();
    let doubled = line.replacen("\"rules\":[", &format!("\"rules\":[{rule},"), 1);
    let fresh = Id::new().to_string();
    let doubled = Entry::from_json(&doubled.replacen(&record.id.to_string(), &fresh, 1)).unwrap();
    let (_folder, log) = fixture::log(40);
    let error = log.append(doubled, None).unwrap_err().to_string();
    assert!(error.contains("two rules called"), "{error}");
}
