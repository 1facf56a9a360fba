//! What tests of the log share.
#![allow(dead_code, clippy::unwrap_used)]

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use stagegate::{Build, Decided, Policy, Request};
use stagegate_audit::{Entry, Log, Options, Record, SecretKey};

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The Space Game policy.
pub fn policy() -> Policy {
    Policy::parse("space-game.gate", include_str!("../../../../policies/space-game.gate")).unwrap()
}

/// A request for Staging, of build `2026.3.n`.
pub fn request(n: u64) -> Request {
    let now = at("2026-03-04T18:00:00Z") + chrono::Duration::seconds(n as i64);
    Request::to("Staging")
        .build(Build::new(format!("2026.3.{n}")).branch("release").author("mara"))
        .at(now)
        .manual("tim")
        .succeeded("Dev", at("2026-03-03T17:00:00Z"))
        .succeeded("Test", at("2026-03-04T11:00:00Z"))
        .approved("amita", at("2026-03-04T17:30:00Z"))
        .approved("tim", at("2026-03-04T17:30:00Z"))
        .fact("coverage", 91)
        .fact("checks", [("unit", "passed"), ("lint", "passed")])
}

/// The decision on it, as an entry.
pub fn entry(policy: &Policy, n: u64) -> Entry {
    let request = request(n);
    let decision = policy.decide(&request).unwrap();
    let decided = Decided::new(policy, &request, &decision).asked_by("a test");
    Entry::Decision(Box::new(Record::new(&decided, Utc::now(), &SecretKey::from_bytes([7; 32]))))
}

/// A folder, and the path of a log in it.
pub fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("decisions.log");
    (folder, path)
}

/// A new log.
pub fn made(path: &std::path::Path) -> Log {
    Log::open(path, &Options::new().create(true)).unwrap()
}

/// Every line is read, its hash is that of its leaf, and seqs are without a gap; the ids of builds of the decisions.
pub fn builds(log: &Log) -> Vec<String> {
    use sha2::Digest;
    let mut builds = Vec::new();
    for (seq, stored) in log.entries(0..u64::MAX).enumerate() {
        let stored = stored.unwrap();
        assert_eq!(stored.seq, seq as u64);
        let leaf: [u8; 32] = sha2::Sha256::new().chain_update([0]).chain_update(&stored.json).finalize().into();
        assert_eq!(leaf, stored.leaf);
        if let Entry::Decision(record) = stored.entry().unwrap() {
            builds.push(record.decision.build().to_string());
        }
    }
    assert_eq!(log.len().unwrap(), log.entries(0..u64::MAX).count() as u64);
    builds
}
