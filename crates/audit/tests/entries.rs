//! Entries as lines of JSON: what is written is read back, and a secret is not in it.
#![allow(clippy::unwrap_used, clippy::panic)]

use chrono::{DateTime, Utc};
use stagegate::{Build, Decided, Policy, Request, Value};
use stagegate_audit::{Dropped, Entry, Id, Record, Review, SecretKey};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

const POLICY: &str = r#"
policy keys
group testers = [amita]
fact deploy-key : string secret
fact coverage : number
stage Live {
  require key: deploy-key is set
  require covered: coverage >= 80
  approve qa: 1 of testers
}
"#;

fn record(key: &SecretKey) -> Record {
    let policy = Policy::parse("keys.gate", POLICY).unwrap();
    let request = Request::to("Live")
        .build(Build::new("7").author("mara"))
        .at(at("2026-03-04T18:00:00Z"))
        .fact("deploy-key", "hunter2")
        .fact("coverage", 81.5)
        .approved("amita", at("2026-03-04T17:00:00.000000001Z"));
    let decision = policy.decide(&request).unwrap();
    assert!(decision.verdict().is_allow());
    let decided = Decided::new(&policy, &request, &decision).asked_by("the deploy bot");
    Record::new(&decided, at("2026-03-04T18:00:01.5Z"), key)
}

#[test]
fn every_kind_is_read_back_as_it_was() {
    let id = Id::new();
    let entries = [
        Entry::Decision(Box::new(record(&SecretKey::from_bytes([7; 32])))),
        Entry::Review(Review { id, recorded: Utc::now(), of: id, by: "lee".into(), note: "seen \"it\"\n".into() }),
        Entry::Dropped(Dropped {
            id,
            recorded: Utc::now(),
            count: 3,
            since: at("2026-03-04T18:00:00Z"),
            until: at("2026-03-04T18:00:01Z"),
            why: "no space is left".into(),
        }),
    ];
    for entry in entries {
        let line = entry.to_json();
        assert!(!line.contains('\n'), "{line}");
        let read = Entry::from_json(&line).unwrap();
        assert_eq!(read, entry);
        assert_eq!(read.to_json(), line);
    }
}

#[test]
fn a_secret_is_kept_as_a_digest_under_a_key() {
    let (one, other) = (record(&SecretKey::from_bytes([7; 32])), record(&SecretKey::from_bytes([8; 32])));
    assert_eq!(one.withheld, ["deploy-key"]);
    assert!(!Entry::Decision(Box::new(one.clone())).to_json().contains("hunter2"));
    let digest = |record: &Record| match &record.request.facts["deploy-key"] {
        Value::Map(map) => map["withheld"].clone(),
        other => panic!("{other:?}"),
    };
    assert_ne!(digest(&one), digest(&other));
    assert_eq!(digest(&one), digest(&record(&SecretKey::from_bytes([7; 32]))));
    assert_eq!(one.request.facts["coverage"], Value::Number(81.5));
}

#[test]
fn ids_sort_by_time() {
    let ids: Vec<Id> = (0..1_000).map(|_| Id::new()).collect();
    assert!(ids.is_sorted());
    assert_eq!(ids[0].to_string().parse::<Id>().unwrap(), ids[0]);
    assert!("41".parse::<Id>().is_err());
}

#[test]
fn what_is_no_entry_is_refused() {
    for line in ["", "{}", "[]", r#"{"kind":"decision","v":1}"#, r#"{"kind":"verdict","v":1}"#] {
        assert!(Entry::from_json(line).is_err(), "{line}");
    }
    let newer =
        Entry::Decision(Box::new(record(&SecretKey::from_bytes([7; 32])))).to_json().replacen("\"v\":1", "\"v\":2", 1);
    assert!(Entry::from_json(&newer).unwrap_err().to_string().contains("its version is 2"));
}
