//! A log is closed at the end of its year, and the next one says which it goes on from.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::{entry, made, place, policy};
use stagegate_audit::{Entry, Head, Id, Log, LogError, Options, Review, rotate, verify, verify_predecessor};

const QUIET: &(dyn Fn(u64, u64) + Sync) = &|_, _| {};

fn fill(path: &Path, from: u64, to: u64) {
    let (log, policy) = (made(path), policy());
    for n in from..to {
        log.append(entry(&policy, n), Some(&policy)).unwrap();
    }
}

fn head(path: &Path) -> Head {
    let found = verify(path, &[], QUIET).unwrap();
    assert!(found.is_sound(), "{:?}", found.faults);
    found.head
}

fn names(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn years_follow_one_another() {
    let (folder, path) = place();
    let (first, second) = (folder.path().join("2026.log"), folder.path().join("2027.log"));
    fill(&path, 0, 40);
    let before = head(&path);
    assert_eq!(Log::read(&path).unwrap().predecessor().unwrap(), None);
    let rotated = rotate(&path, &first, QUIET).unwrap();
    assert_eq!((&rotated.closed, rotated.unreviewed), (&before, 0));
    assert_eq!(names(folder.path()), ["2026.log", "decisions.log"]);
    // The old one is what it was, and may not be written.
    assert_eq!(head(&first), before);
    assert!(std::fs::metadata(&first).unwrap().permissions().readonly());
    // The new one is empty, names the old one, and is appended to; the policy is kept anew.
    let new = Log::read(&path).unwrap();
    assert_eq!((new.len().unwrap(), new.predecessor().unwrap()), (0, Some(before.clone())));
    assert_eq!(new.origin().unwrap(), rotated.origin);
    assert!(new.policies().unwrap().is_empty());
    fill(&path, 40, 50);
    assert_eq!(head(&path).size, 10);
    assert_eq!(Log::read(&path).unwrap().policies().unwrap(), Log::read(&first).unwrap().policies().unwrap());
    assert_eq!(verify_predecessor(&path, &first, QUIET).unwrap(), []);

    let last = rotate(&path, &second, QUIET).unwrap();
    assert_eq!(Log::read(&path).unwrap().predecessor().unwrap(), Some(last.closed));
    assert_eq!(verify_predecessor(&path, &second, QUIET).unwrap(), []);
    assert_eq!(verify_predecessor(&second, &first, QUIET).unwrap(), []);
    let other = verify_predecessor(&path, &first, QUIET).unwrap();
    assert!(other[0].what.starts_with("the checkpoint is one of"), "{other:?}");
    let none = verify_predecessor(&first, &second, QUIET).unwrap();
    assert!(none[0].what.contains("does not go on from another log"), "{none:?}");
}

#[test]
fn a_predecessor_that_is_not_what_it_was_is_told() {
    let (folder, path) = place();
    let archive = folder.path().join("old.log");
    fill(&path, 0, 3);
    rotate(&path, &archive, QUIET).unwrap();
    // By force, one record more.
    let mut permissions = std::fs::metadata(&archive).unwrap().permissions();
    #[allow(clippy::permissions_set_readonly_false)]
    permissions.set_readonly(false);
    std::fs::set_permissions(&archive, permissions).unwrap();
    fill(&archive, 3, 4);
    let more = verify_predecessor(&path, &archive, QUIET).unwrap();
    assert!(more[0].what.contains("it has 4 records, and had 3 when it was closed"), "{more:?}");
    // Another log under its name.
    std::fs::remove_file(&archive).unwrap();
    fill(&archive, 0, 3);
    assert!(!verify_predecessor(&path, &archive, QUIET).unwrap().is_empty());
}

/// Whoever rewrites what the new log says of the old one, with the sum over it, changes its name in checkpoints too.
#[test]
fn what_a_log_says_of_the_one_before_it_is_in_its_name() {
    let (folder, path) = place();
    fill(&path, 0, 2);
    rotate(&path, &folder.path().join("old.log"), QUIET).unwrap();
    let log = Log::read(&path).unwrap();
    let (origin, created) = (log.origin().unwrap(), log.created().unwrap());
    let before = log.predecessor().unwrap().unwrap();
    drop(log);
    let root: String = before.root.iter().map(|byte| format!("{byte:02x}")).collect();
    let created = created.to_rfc3339_opts(chrono::SecondsFormat::Nanos, true);
    let text = format!(
        "created={created}\nformat=1\norigin={origin}\npredecessor.origin={}\npredecessor.root={root}\npredecessor.size=1\n",
        before.origin
    );
    let sum: String = hmac_sha256::Hash::hash(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let file = rusqlite::Connection::open(&path).unwrap();
    file.execute_batch(&format!(
        "DROP TRIGGER no_update_meta; UPDATE meta SET value = '1' WHERE key = 'predecessor.size';
         UPDATE meta SET value = '{sum}' WHERE key = 'sum';"
    ))
    .unwrap();
    drop(file);
    let faults = verify(&path, &[], QUIET).unwrap().faults;
    let told: Vec<&str> = faults.iter().map(|fault| fault.what.as_str()).collect();
    assert!(told.contains(&"the log before it is not the one that its name speaks of"), "{told:?}");
    assert!(!told.iter().any(|what| what.contains("origin, creation")), "{told:?}");
    assert!(Log::read(&path).unwrap().predecessor().is_err());
}

#[test]
fn whoever_has_it_open_keeps_it_from_being_rotated() {
    let (folder, path) = place();
    let archive = folder.path().join("old.log");
    fill(&path, 0, 2);
    let open = Log::open(&path, &Options::new()).unwrap();
    assert!(matches!(rotate(&path, &archive, QUIET), Err(LogError::Busy(_))));
    assert!(!archive.exists());
    // Nothing has come of it: the log goes on.
    let policy = policy();
    open.append(entry(&policy, 2), None).unwrap();
    drop(open);
    assert_eq!(names(folder.path()), ["decisions.log"]);
    // A reader is no obstacle, and is not handed over to another log.
    let reader = Log::read(&path).unwrap();
    assert_eq!(reader.len().unwrap(), 3);
    rotate(&path, &archive, QUIET).unwrap();
    fill(&path, 3, 4);
    assert!(reader.len().unwrap_err().to_string().contains("moved, replaced or removed"));
}

#[test]
fn it_is_rotated_whole_or_not_at_all() {
    let (folder, path) = place();
    let archive = folder.path().join("old.log");
    fill(&path, 0, 3);
    // Names that are taken.
    std::fs::write(&archive, "here").unwrap();
    assert!(rotate(&path, &archive, QUIET).unwrap_err().to_string().contains("there is such a file already"));
    std::fs::remove_file(&archive).unwrap();
    assert!(rotate(&path, &folder.path().join("none/old.log"), QUIET).is_err());
    assert!(matches!(rotate(&folder.path().join("none.log"), &archive, QUIET), Err(LogError::NotFound(_))));
    assert_eq!(names(folder.path()), ["decisions.log"]);
    assert_eq!(head(&path).size, 3);
    // The end came when it had been taken out of its write-ahead log: that is no fault.
    let file = rusqlite::Connection::open(&path).unwrap();
    file.pragma_update(None, "journal_mode", "DELETE").unwrap();
    drop(file);
    assert_eq!(head(&path).size, 3);
    // The end came after it got its second name: it is not appended to, and rotating again goes on.
    std::fs::hard_link(&path, &archive).unwrap();
    assert!(Log::open(&path, &Options::new()).is_err());
    rotate(&path, &archive, QUIET).unwrap();
    assert_eq!((head(&archive).size, head(&path).size), (3, 0));
    assert_eq!(names(folder.path()), ["decisions.log", "old.log"]);
}

#[test]
fn a_log_that_was_changed_is_not_rotated() {
    let (folder, path) = place();
    fill(&path, 0, 3);
    let file = rusqlite::Connection::open(&path).unwrap();
    file.execute_batch("DROP TRIGGER no_update_decision; UPDATE decision SET verdict = 0").unwrap();
    drop(file);
    let error = rotate(&path, &folder.path().join("old.log"), QUIET).unwrap_err();
    assert!(matches!(&error, LogError::NotProven(why) if why.contains("is not rotated: record 0")), "{error}");
    assert_eq!(names(folder.path()), ["decisions.log"]);
}

#[test]
fn a_review_is_recorded_in_the_log_of_its_decision() {
    let (folder, path) = place();
    fill(&path, 0, 1);
    let of = Log::read(&path).unwrap().entry(0).unwrap().unwrap().id;
    rotate(&path, &folder.path().join("old.log"), QUIET).unwrap();
    let review =
        Review { id: Id::new(), recorded: chrono::Utc::now(), of, by: "lee".into(), note: "seen too late".into() };
    assert!(matches!(made(&path).append(Entry::Review(review), None), Err(LogError::NoRecord(_))));
}

/// What a process left that was killed while it turned the write-ahead log on: SQLite does not need it, and removes it not.
#[test]
fn a_journal_that_nobody_needs_is_not_in_the_way() {
    let (folder, path) = place();
    fill(&path, 0, 2);
    std::fs::write(folder.path().join("decisions.log-journal"), [0; 512]).unwrap();
    fill(&path, 2, 3);
    assert_eq!((head(&path).size, names(folder.path())), (3, vec!["decisions.log".to_string()]));
}
