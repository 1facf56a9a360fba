//! Many threads, the three modes, the stream of lines.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use stagegate::{Compiler, Decided, DecisionSink, Request};
use stagegate_audit::{Entry, Fsync, JsonLines, Log, LogError, Mode, Options, SecretKey};

mod common;
use common::{at, builds, entry, made, place, policy, request};

/// Appends that wait for each other would take as many syncs as there are; and nothing of them is lost or there twice.
#[test]
fn threads_append_to_one_handle() {
    let (_folder, path) = place();
    let (log, policy) = (made(&path), policy());
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let (log, policy) = (&log, &policy);
            scope.spawn(move || {
                for n in 0..50 {
                    let entry = entry(policy, thread * 1_000 + n);
                    let seq = log.append(entry.clone(), Some(policy)).unwrap();
                    assert_eq!(log.entry(seq).unwrap().unwrap().json, entry.to_json());
                }
            });
        }
    });
    let all: BTreeSet<String> = builds(&log).into_iter().collect();
    assert_eq!(all.len(), 800);
}

/// What one appends in vain harms nobody who appends at the same time.
#[test]
fn an_append_in_vain_harms_no_other() {
    let (_folder, path) = place();
    let (log, policy) = (made(&path), policy());
    let twice = entry(&policy, 0);
    log.append(twice.clone(), Some(&policy)).unwrap();
    std::thread::scope(|scope| {
        for thread in 1..9 {
            let (log, policy, twice) = (&log, &policy, &twice);
            scope.spawn(move || {
                for n in 0..30 {
                    if thread % 2 == 0 {
                        let entries = [entry(policy, thread * 1_000 + n), entry(policy, 100_000), twice.clone()];
                        assert!(log.append_all(&entries, &[policy]).is_err());
                        assert!(log.append(twice.clone(), None).unwrap_err().to_string().contains("already"));
                    } else {
                        log.append_all(&[entry(policy, thread * 1_000 + n), entry(policy, thread * 1_000 + n)], &[])
                            .unwrap();
                    }
                }
            });
        }
    });
    assert_eq!(builds(&log).len(), 1 + 4 * 30 * 2);
}

/// A log gets its dictionary after a thousand records, and all of them are read: by this handle, by others, by new ones.
#[test]
fn a_dictionary_is_trained_of_the_first_records() {
    let (_folder, path) = place();
    let (log, other, policy) = (made(&path), made(&path), policy());
    let size = |range: std::ops::Range<u64>, many: i64| {
        let sqlite = rusqlite::Connection::open(&path).unwrap();
        let sql = "SELECT count(dictionary), sum(length(body)) FROM entry WHERE seq >= ?1 AND seq < ?2";
        let (with, bytes): (i64, i64) = sqlite
            .query_row(sql, (range.start as i64, range.end as i64), |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        assert_eq!(with, many);
        bytes
    };
    let entries: Vec<Entry> = (0..1_000).map(|n| entry(&policy, n)).collect();
    log.append_all(&entries[..500], &[&policy]).unwrap();
    log.append_all(&entries[500..], &[&policy]).unwrap();
    // It is trained after the answer is given.
    log.flush().unwrap();
    log.append_all(&(1_000..1_100).map(|n| entry(&policy, n)).collect::<Vec<_>>(), &[]).unwrap();
    assert!(size(1_000..1_100, 100) * 2 < size(0..100, 0));
    other.append(entry(&policy, 1_100), None).unwrap();
    other.flush().unwrap();
    other.append(entry(&policy, 1_101), None).unwrap();
    made(&path).append(entry(&policy, 1_102), None).unwrap();
    size(1_101..1_103, 2);
    // Of a thousand at once it is trained before they are packed.
    let (_folder, at_once) = place();
    made(&at_once).append_all(&entries, &[&policy]).unwrap();
    let sql = "SELECT count(dictionary) FROM entry";
    let packed: i64 = rusqlite::Connection::open(&at_once).unwrap().query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!((packed, builds(&Log::read(&at_once).unwrap()).len()), (1_000, 1_000));
    for log in [&log, &other, &Log::read(&path).unwrap()] {
        assert_eq!(builds(log), (0..1_103).map(|n| format!("2026.3.{n}")).collect::<Vec<_>>());
    }
}

#[test]
fn batched_is_behind_and_catches_up() {
    let (_folder, path) = place();
    let policy = policy();
    let options = Options::new().create(true).mode(Mode::Batched).batch(10, Duration::from_secs(3_600));
    let log = Log::open(&path, &options).unwrap();
    for n in 0..9 {
        policy.decide_recorded(&request(n), &log).unwrap();
    }
    assert_eq!(log.len().unwrap(), 0, "an hour is not over, and ten are not behind");
    log.flush().unwrap();
    assert_eq!(builds(&log).len(), 9);
    // The tenth is not waited for: the thread writes them soon.
    for n in 9..40 {
        policy.decide_recorded(&request(n), &log).unwrap();
    }
    let begun = Instant::now();
    while log.len().unwrap() < 30 {
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
    // An append is durable when it returns, and what came before it too.
    log.append(entry(&policy, 40), None).unwrap();
    assert_eq!(builds(&log).len(), 41);
    policy.decide_recorded(&request(41), &log).unwrap();
    drop(log);
    assert_eq!(builds(&Log::read(&path).unwrap()).len(), 42, "what was accepted is written when the handle is dropped");

    let soon = Log::open(&path, &options.batch(1_000, Duration::from_millis(20))).unwrap();
    policy.decide_recorded(&request(42), &soon).unwrap();
    let begun = Instant::now();
    while soon.len().unwrap() < 43 {
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
}

/// Keeps others from writing until it is dropped.
fn locked(path: &std::path::Path) -> rusqlite::Connection {
    let lock = rusqlite::Connection::open(path).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    lock
}

#[test]
fn batched_refuses_verdicts_while_it_cannot_write() {
    let (_folder, path) = place();
    let policy = policy();
    drop(made(&path));
    let lock = locked(&path);
    let options = Options::new().mode(Mode::Batched).batch(4, Duration::from_millis(1));
    let log = Log::open(&path, &options.busy_timeout(Duration::from_millis(1))).unwrap();
    let mut given = 0;
    let begun = Instant::now();
    let error = loop {
        match policy.decide_recorded(&request(given), &log) {
            Ok(_) => given += 1,
            Err(error) => break error,
        }
        assert!(begun.elapsed() < Duration::from_secs(20));
    };
    assert!(error.to_string().contains("kept it locked for too long"), "{error}");
    assert!(given <= 4 + 1, "{given} were given");
    assert!(matches!(log.flush(), Err(LogError::Busy(_))));
    drop(lock);
    // It is tried again without being asked to, and verdicts are given again.
    let begun = Instant::now();
    while policy.decide_recorded(&request(given), &log).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(5));
    }
    // An append that fails while nothing is behind concerns nobody else.
    let lock = {
        log.flush().unwrap();
        locked(&path)
    };
    assert!(log.append(entry(&policy, 1_000), None).is_err());
    given += 1;
    policy.decide_recorded(&request(given), &log).unwrap();
    drop(lock);
    given += 1;
    // Nothing that was accepted is lost.
    log.flush().unwrap();
    policy.decide_recorded(&request(given), &log).unwrap();
    log.flush().unwrap();
    assert_eq!(builds(&log), (0..=given).map(|n| format!("2026.3.{n}")).collect::<Vec<_>>());
}

#[test]
fn best_effort_never_waits_and_tells_what_it_dropped() {
    let (_folder, path) = place();
    let policy = policy();
    drop(made(&path));
    let lock = locked(&path);
    let options = Options::new().mode(Mode::BestEffort).batch(5, Duration::from_millis(1));
    let log = Log::open(&path, &options.busy_timeout(Duration::from_millis(1))).unwrap();
    let begun = Instant::now();
    for n in 0..100 {
        assert!(policy.decide_recorded(&request(n), &log).is_ok());
    }
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert!(log.flush().is_err());
    drop(lock);
    log.flush().unwrap();
    let begun = Instant::now();
    let (mut written, mut dropped) = (0, 0);
    while written + dropped < 100 {
        assert!(begun.elapsed() < Duration::from_secs(20), "{written} written, {dropped} dropped");
        (written, dropped) = (0, 0);
        for stored in log.entries(0..u64::MAX) {
            match stored.unwrap().entry().unwrap() {
                Entry::Decision(_) => written += 1,
                Entry::Dropped(drops) => {
                    assert!(drops.since <= drops.until && drops.until <= drops.recorded);
                    assert!(
                        drops.why.contains("waiting to be written") || drops.why.contains("locked"),
                        "{}",
                        drops.why
                    );
                    dropped += drops.count;
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(written + dropped, 100);
    assert!(dropped >= 90, "{dropped}");
}

const SECRET: &str = "policy keys\nfact token : string secret\nstage Live { require key: token is set }";

#[test]
fn a_secret_without_a_key_is_not_recorded() {
    let (folder, path) = place();
    let policy = Compiler::new().compile_text("keys.gate", SECRET).unwrap();
    let request =
        Request::to("Live").build(stagegate::Build::new("7")).at(at("2026-03-04T18:00:00Z")).fact("token", "hunter2");
    let lines = folder.path().join("decisions.jsonl");
    for mode in [Mode::Strict, Mode::Batched, Mode::BestEffort] {
        let log = Log::open(&path, &Options::new().create(true).mode(mode)).unwrap();
        let error = policy.decide_recorded(&request, &log).unwrap_err().to_string();
        assert!(error.contains("token is secret"), "{error}");
        assert!(log.is_empty().unwrap());
    }
    assert!(policy.decide_recorded(&request, &JsonLines::open(&lines, Fsync::Never, None).unwrap()).is_err());
    let key = SecretKey::from_bytes([7; 32]);
    let log = Log::open(&path, &Options::new().secret_key(key.clone())).unwrap();
    policy.decide_recorded(&request, &log).unwrap();
    policy.decide_recorded(&request, &JsonLines::open(&lines, Fsync::Never, Some(key)).unwrap()).unwrap();
    drop(log);
    for file in folder.path().read_dir().unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(7).any(|window| window == b"hunter2"));
    }
}

#[test]
fn lines_are_appended_and_survive_rotation() {
    let (folder, _) = place();
    let path = folder.path().join("decisions.jsonl");
    let policy = policy();
    let read = |path| {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines()
            .map(|line| Entry::from_json(line).map(|entry| entry.to_json() == line).unwrap_or(false))
            .collect::<Vec<_>>()
    };
    for fsync in [Fsync::EachRecord, Fsync::Never] {
        let lines = JsonLines::open(&path, fsync, None).unwrap();
        policy.decide_recorded(&request(1), &lines).unwrap();
        let (one, two) = (request(2), request(3));
        let decisions = [policy.decide(&one).unwrap(), policy.decide(&two).unwrap()];
        let all = [Decided::new(&policy, &one, &decisions[0]), Decided::new(&policy, &two, &decisions[1])];
        lines.record_all(&all).unwrap();
    }
    assert_eq!(read(&path), [true; 6]);
    // A crash in the middle of a line.
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &text[..text.len() - 100]).unwrap();
    let lines = JsonLines::open(&path, Fsync::Never, None).unwrap();
    policy.decide_recorded(&request(1), &lines).unwrap();
    assert_eq!(read(&path), [true, true, true, true, true, false, true]);
    let rotated = folder.path().join("decisions.jsonl.1");
    std::fs::rename(&path, &rotated).unwrap();
    policy.decide_recorded(&request(2), &lines).unwrap();
    assert_eq!((read(&rotated).len(), read(&path)), (7, vec![true]));
}
