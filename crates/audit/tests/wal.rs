//! What a killed process leaves beside a log, with a byte of it changed: nothing else is read than what was recorded, and
//! what is missing is told.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use chrono::{TimeDelta, Utc};
use rusqlite::Connection;
use stagegate::{Build, Decided, Policy, Request};
use stagegate_audit::{Entry, Head, Log, Options, Record, SecretKey, Verification, verify};

mod common;
use common::{at, made};

fn entry(policy: &Policy, n: i64) -> Entry {
    let now = at("2026-03-04T18:00:00Z") + TimeDelta::minutes(n);
    let request = Request::to("Dev").build(Build::new(n.to_string()).branch("main")).at(now);
    let decision = policy.decide(&request).unwrap();
    let decided = Decided::new(policy, &request, &decision);
    Entry::Decision(Box::new(Record::new(&decided, Utc::now(), &SecretKey::from_bytes([7; 32]))))
}

/// A log of a record, and beside it four transactions of one record each; and how it was before and after the last three.
fn left(folder: &Path) -> (PathBuf, [Head; 4]) {
    let policy = Policy::parse("p.gate", "stage Dev { require branch: build.branch == \"main\" }").unwrap();
    let path = folder.join("decisions.log");
    made(&path).append(entry(&policy, 0), Some(&policy)).unwrap();
    // On small pages, so that there are fewer bytes.
    let small = Connection::open(&path).unwrap();
    let cookie: i64 = small.pragma_query_value(None, "schema_version", |row| row.get(0)).unwrap();
    small
        .execute_batch(&format!(
            "PRAGMA journal_mode = DELETE; PRAGMA page_size = 512; VACUUM; PRAGMA journal_mode = WAL;
             PRAGMA writable_schema = ON; PRAGMA schema_version = {cookie}"
        ))
        .unwrap();
    drop(small);
    let log = Log::open(&path, &Options::new()).unwrap();
    log.append(entry(&policy, 1), None).unwrap();
    let heads = [1, 2, 3, 4].map(|n| {
        if n > 1 {
            log.append(entry(&policy, n), None).unwrap();
        }
        let point = log.checkpoint(None).unwrap();
        assert_eq!(point.size, n as u64 + 1);
        point.head().unwrap()
    });
    // As it is at the moment of a kill. This process may not open the file, so another copies it.
    let copy = folder.join("left.log");
    for ending in ["", "-wal"] {
        let (from, to) = (format!("{}{ending}", path.display()), format!("{}{ending}", copy.display()));
        assert!(std::process::Command::new("cp").args([from, to]).status().unwrap().success());
    }
    (copy, heads)
}

fn look(path: &Path, heads: &[Head]) -> Verification {
    verify(path, heads, &|_, _| {}).unwrap()
}

#[test]
fn each_byte_of_what_a_killed_process_left() {
    let folder = tempfile::tempdir().unwrap();
    let (path, heads) = left(folder.path());
    let [first, .., last] = &heads;
    let before = look(&path, std::slice::from_ref(last));
    assert!(before.is_sound() && before.head.size == 5, "{before:?}");
    assert!(before.remarks[0].starts_with("the log is open, or was not closed"), "{before:?}");
    // What was recorded, at each size.
    let log = Log::read(&path).unwrap();
    let roots: Vec<[u8; 32]> = (0..=5).map(|size| log.root(size).unwrap()).collect();
    drop(log);
    let wal = path.with_extension("log-wal");
    let (file, sound) = (std::fs::read(&path).unwrap(), std::fs::read(&wal).unwrap());
    let (mut faults, mut remarks) = (0, 0);
    for at in 0..sound.len() {
        let mut changed = sound.clone();
        changed[at] ^= 1 << (at * 5 % 8);
        std::fs::write(&wal, &changed).unwrap();
        // Whoever has kept a checkpoint is told that records are missing.
        let found = look(&path, std::slice::from_ref(last));
        let missing = found.faults.iter().find(|fault| fault.what.starts_with("it is missing: the checkpoint speaks"));
        let missing = missing.unwrap_or_else(|| panic!("byte {at}: {found:?}"));
        assert_eq!(missing.seq, Some(found.head.size));
        // Whoever has none is told of it as a fault, unless it is in the last transaction: a crash can cut that off.
        let others = found.faults.len() > 1;
        assert!(others || found.remarks[0].contains("is not whole"), "byte {at}: {found:?}");
        assert!(others || found.head.size == 4, "byte {at}: {found:?}");
        if others {
            faults += 1
        } else {
            remarks += 1
        };
        // And nobody reads anything that was not recorded.
        assert_eq!(found.head.root, roots[found.head.size as usize], "byte {at}");
        if at % 64 == 0 {
            let found = look(&path, std::slice::from_ref(first));
            assert_eq!(found.is_sound(), !others && found.head.size >= 2, "byte {at}: {found:?}");
        }
    }
    println!("of {} bytes, {faults} are told as a fault without a checkpoint, {remarks} as a remark", sound.len());
    assert!(faults > 2 * remarks, "{faults} {remarks}");
    // Looking has changed nothing.
    std::fs::write(&wal, &sound).unwrap();
    assert_eq!((std::fs::read(&path).unwrap(), look(&path, &heads)), (file, look(&path, &heads)));
    // All of it taken away.
    std::fs::remove_file(&wal).unwrap();
    assert_eq!(look(&path, &heads).faults.len(), 4);
}

/// What stood in the file before it was begun anew is no fault; nor is a transaction that was not finished.
#[test]
fn what_a_crash_can_leave_is_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    let (path, [.., before, last]) = left(folder.path());
    let wal = path.with_extension("log-wal");
    let sound = std::fs::read(&wal).unwrap();
    let frame = 24 + 512;
    // The last frames once more, as if of an older time: both numbers of the time are others.
    let mut older = sound.clone();
    let mut old = sound[sound.len() - 3 * frame..].to_vec();
    old.chunks_mut(frame).for_each(|frame| frame[8..16].iter_mut().for_each(|byte| *byte ^= 0x5a));
    older.extend(old);
    std::fs::write(&wal, older).unwrap();
    let found = look(&path, std::slice::from_ref(&last));
    assert!(found.is_sound() && found.remarks.len() == 1, "{found:?}");
    // The end is missing, within a frame or between two: the last record was not acknowledged.
    for cut in [1, 300, frame, frame + 1, 2 * frame] {
        std::fs::write(&wal, &sound[..sound.len() - cut]).unwrap();
        let found = look(&path, std::slice::from_ref(&before));
        assert!(found.is_sound() && found.head.size == 4, "{cut}: {found:?}");
        assert!(!look(&path, std::slice::from_ref(&last)).is_sound());
    }
}
