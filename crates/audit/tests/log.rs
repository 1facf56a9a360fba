//! A log is made, appended to, read back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chrono::Utc;
use stagegate::{Build, Compiler, Decided, DecisionSink, MemoryLoader, Policy, Request};
use stagegate_audit::{Dropped, Entry, Id, Log, LogError, Options, Review};

mod common;
use common::{entry, made, place, policy, request};

#[test]
fn what_is_appended_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("decisions.db");
    let policy = policy();
    let log = Log::open(&path, &Options::new().create(true)).unwrap();
    assert!(log.is_empty().unwrap());
    let entries: Vec<Entry> = (0..1_203).map(|n| entry(&policy, n)).collect();
    assert_eq!(log.append(entries[0].clone(), Some(&policy)).unwrap(), 0);
    assert_eq!(log.append(entries[1].clone(), None).unwrap(), 1);
    assert_eq!(log.append_all(&entries[2..], &[]).unwrap(), 2..1_203);
    let review = Entry::Review(Review {
        id: Id::new(),
        recorded: Utc::now(),
        of: entries[1].id(),
        by: "lee".into(),
        note: "seen".into(),
    });
    assert_eq!(log.append(review.clone(), None).unwrap(), 1_203);
    let dropped = Entry::Dropped(Dropped {
        id: Id::new(),
        recorded: Utc::now(),
        count: 2,
        since: Utc::now(),
        until: Utc::now(),
        why: "no space".into(),
    });
    assert_eq!(log.append(dropped.clone(), None).unwrap(), 1_204);
    drop(log);

    let log = Log::read(&path).unwrap();
    assert_eq!(log.len().unwrap(), 1_205);
    let all = entries.iter().chain([&review, &dropped]);
    for (seq, (stored, entry)) in log.entries(0..u64::MAX).map(Result::unwrap).zip(all).enumerate() {
        assert_eq!(stored.seq, seq as u64);
        assert_eq!(stored.json, entry.to_json());
        assert_eq!(stored.entry().unwrap().to_json(), stored.json);
    }
    assert_eq!(log.entries(0..u64::MAX).count(), 1_205);
    assert_eq!(
        log.entries(1_000..1_010).map(|stored| stored.unwrap().seq).collect::<Vec<_>>(),
        Vec::from_iter(1_000..1_010)
    );
    assert_eq!(log.leaves(3..5).map(Result::unwrap).collect::<Vec<_>>().len(), 2);
    assert_eq!(log.find(entries[7].id()).unwrap().unwrap().seq, 7);
    assert_eq!(log.find(Id::new()).unwrap(), None);
    assert_eq!(log.entry(1_205).unwrap(), None);
    let again = log.policy(policy.digest()).unwrap().unwrap();
    assert_eq!(again.digest(), policy.digest());
    assert_eq!(log.policies().unwrap(), [policy.digest()]);
    assert!(log.origin().unwrap().starts_with("stagegate-log/"));
    assert!(matches!(log.append(dropped, None), Err(LogError::ReadOnly { .. })));
    drop(log);
    let left: Vec<_> = folder.path().read_dir().unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left, ["decisions.db"], "reading leaves nothing beside it");
}

#[test]
fn an_engine_records_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let policy = policy();
    let log = Log::open(&path, &Options::new().create(true)).unwrap();
    let decision = policy.decide_recorded(&request(1), &log).unwrap();
    let (one, two) = (request(2), request(3));
    let decisions = [policy.decide(&one).unwrap(), policy.decide(&two).unwrap()];
    log.record_all(&[Decided::new(&policy, &one, &decisions[0]), Decided::new(&policy, &two, &decisions[1])]).unwrap();
    let Entry::Decision(record) = log.entry(0).unwrap().unwrap().entry().unwrap() else { panic!() };
    assert_eq!(record.decision.to_json(), decision.to_json());
    assert_eq!(log.len().unwrap(), 3);
}

#[test]
fn what_cannot_be_appended_leaves_the_log_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let policy = policy();
    let log = Log::open(&path, &Options::new().create(true)).unwrap();
    let first = entry(&policy, 1);
    assert!(log.append(first.clone(), None).unwrap_err().to_string().contains("was not given"));
    // The second is there twice: neither it nor the first of them is appended, nor the policy kept.
    let twice = entry(&policy, 2);
    assert!(log.append_all(&[first.clone(), twice.clone(), twice], &[&policy]).is_err());
    assert!(log.is_empty().unwrap());
    assert!(log.policies().unwrap().is_empty());
    // Nor when there are so many that the first are written before the last is looked at.
    let mut many: Vec<Entry> = (0..1_700).map(|n| entry(&policy, n)).collect();
    many.push(many[3].clone());
    assert!(log.append_all(&many, &[&policy]).unwrap_err().to_string().contains("already"));
    many.pop();
    let Entry::Decision(last) = &mut many[1_600] else { panic!() };
    last.recorded = "5000-01-01T00:00:00Z".parse().unwrap();
    assert!(log.append_all(&many, &[&policy]).unwrap_err().to_string().contains("too far from 1970"));
    assert!(log.is_empty().unwrap());
    assert!(log.policies().unwrap().is_empty());
    let review = Review { id: Id::new(), recorded: Utc::now(), of: Id::new(), by: "lee".into(), note: String::new() };
    assert!(matches!(log.append(Entry::Review(review), None), Err(LogError::NoRecord(_))));
    assert_eq!(log.append(first, Some(&policy)).unwrap(), 0);
    assert_eq!(log.entries(0..9).count(), 1);
}

/// Whatever its sources were called, a policy is compiled again from what is kept.
#[test]
fn a_policy_is_compiled_again() {
    let (_folder, path) = place();
    let log = made(&path);
    let files = MemoryLoader::new()
        .with("teams/web.gate", "policy web include \"../base.gate\" stage Dev { trigger push }")
        .with("base.gate", "stage * { require id: build.id is set }");
    let policies = [
        Compiler::new().loader(&files).compile("teams/web.gate").unwrap(),
        Policy::parse("/dev/fd/63", "stage Dev { trigger push }").unwrap(),
        Policy::parse("-", "stage Dev { trigger push }").unwrap(),
    ];
    for policy in &policies {
        let request = Request::to("Dev").build(Build::new("7")).push("main").at(common::at("2026-03-04T18:00:00Z"));
        let decision = policy.decide_recorded(&request, &log).unwrap();
        let again = log.policy(policy.digest()).unwrap().unwrap();
        assert_eq!(again.decide(&request).unwrap(), decision);
        assert_eq!(log.policy_sources(policy.digest()).unwrap().unwrap().len(), policy.sources().iter().count());
    }
    assert_eq!(log.policies().unwrap(), policies.each_ref().map(|policy| policy.digest()));
    assert!(log.policy("sha256:00").unwrap().is_none());
}
