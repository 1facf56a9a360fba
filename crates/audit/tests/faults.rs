//! What is not a log, is not to be written, has no space left, or changes under the hands of whoever has it open.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::Command;

use stagegate::DecisionSink;
use stagegate_audit::{Log, LogError, Options, SecretKey};

mod common;
use common::{builds, entry, made, place, policy};

/// A log with so many decisions, closed.
fn filled(path: &Path, many: u64) {
    let (log, policy) = (made(path), policy());
    log.append_all(&(0..many).map(|n| entry(&policy, n)).collect::<Vec<_>>(), &[&policy]).unwrap();
}

/// Neither opens; what both say.
fn refused(path: &Path) -> String {
    let said = Log::open(path, &Options::new()).unwrap_err().to_string();
    assert_eq!(Log::read(path).unwrap_err().to_string(), said);
    assert!(said.starts_with(&path.display().to_string()), "{said}");
    said
}

#[test]
fn what_is_no_log_is_told_as_that() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    assert!(refused(&path("none")).ends_with("there is no such log"));
    assert!(!path("none").exists());
    assert!(refused(folder.path()).ends_with("it is not a decision log: it is a folder"));
    std::fs::write(path("text"), "May this build enter the next stage? It may.").unwrap();
    assert!(refused(&path("text")).ends_with("it does not begin as a SQLite database does"));
    std::fs::write(path("short"), "SQLite").unwrap();
    refused(&path("short"));
    std::fs::write(path("empty"), "").unwrap();
    assert!(refused(&path("empty")).ends_with("it is empty"));
    rusqlite::Connection::open(path("other")).unwrap().execute_batch("CREATE TABLE build (id TEXT)").unwrap();
    assert!(refused(&path("other")).ends_with("it is a SQLite database of something else"));
    for name in ["text", "short", "other"] {
        // Nor is it made into one.
        let before = std::fs::read(path(name)).unwrap();
        assert!(matches!(Log::open(path(name), &Options::new().create(true)), Err(LogError::NotALog { .. })));
        assert_eq!(std::fs::read(path(name)).unwrap(), before);
    }
    let error = Log::open(path("missing/log"), &Options::new().create(true)).unwrap_err();
    assert!(error.to_string().ends_with("its folder does not exist"), "{error}");
    // An empty file becomes one when that is wanted: it is what a crash while making one can leave.
    filled(&path("empty"), 3);
    assert_eq!(builds(&Log::read(path("empty")).unwrap()).len(), 3);
}

#[test]
fn a_newer_log_is_left_alone() {
    let (_folder, path) = place();
    filled(&path, 3);
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 2).unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(refused(&path).ends_with("its format is 2; this version reads up to 1, use a newer stagegate"));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

/// Cut off anywhere, it is refused, or what is read of it ends in an error, or nothing was missing: never a shorter log.
#[test]
fn a_log_that_is_cut_off_is_not_read_as_a_shorter_one() {
    let (_folder, path) = place();
    filled(&path, 100);
    let whole = std::fs::read(&path).unwrap();
    let cut = path.with_extension("cut");
    let mut refused = 0;
    for length in (1..whole.len()).step_by(1_021) {
        std::fs::write(&cut, &whole[..length]).unwrap();
        let read = Log::read(&cut).and_then(|log| log.entries(0..u64::MAX).collect::<Result<Vec<_>, _>>());
        match read {
            Ok(entries) => assert_eq!(entries.len(), 100, "cut off at {length}"),
            Err(error) => {
                refused += 1;
                assert!(!error.to_string().is_empty());
            }
        }
    }
    assert!(refused > 10);
}

/// Makes a file or a folder one that cannot be written, until it is dropped.
struct Frozen(PathBuf, &'static str, &'static str);

impl Frozen {
    /// `None` when this machine has no way to do that.
    fn new(path: &Path) -> Option<Frozen> {
        let run = |command: &str, arg: &str| {
            Command::new(command).arg(arg).arg(path).output().is_ok_and(|output| output.status.success())
        };
        // The superuser may write what nobody may; an immutable file not even he.
        let ways = [("chattr", "+i", "-i"), ("chmod", "a-w", "u+w")];
        for (command, freeze, thaw) in ways {
            if run(command, freeze) {
                let probe = if path.is_dir() { path.join("probe") } else { path.to_path_buf() };
                let frozen = Frozen(path.to_path_buf(), command, thaw);
                if std::fs::OpenOptions::new().append(true).create(path.is_dir()).open(probe).is_err() {
                    println!("{}: {command} {freeze}", path.display());
                    return Some(frozen);
                }
            }
        }
        println!("{}: neither chattr +i nor chmod keeps this user from writing it", path.display());
        None
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        Command::new(self.1).arg(self.2).arg(&self.0).status().unwrap();
    }
}

#[test]
fn a_read_only_log_is_read_and_not_written() {
    let (folder, path) = place();
    filled(&path, 3);
    for frozen in [path.as_path(), folder.path()] {
        let Some(_frozen) = Frozen::new(frozen) else { continue };
        let error = Log::open(&path, &Options::new().create(true)).unwrap_err();
        assert!(matches!(error, LogError::ReadOnly { .. }), "{error}");
        println!("{error}");
        let log = Log::read(&path).unwrap();
        assert_eq!(builds(&log).len(), 3);
        assert!(matches!(log.append(entry(&policy(), 3), None), Err(LogError::ReadOnly { .. })));
        assert!(log.flush().is_err());
    }
    filled(&path, 3);
    assert_eq!(builds(&Log::read(&path).unwrap()).len(), 6);
}

/// A copy of a log that is in use, as a killed process leaves it: the `-wal` file holds what the file does not.
fn as_if_killed(path: &Path, to: &Path) {
    for ending in ["", "-wal"] {
        let name = |path: &Path| PathBuf::from(format!("{}{ending}", path.display()));
        std::fs::copy(name(path), name(to)).unwrap();
    }
}

#[test]
fn what_a_killed_process_leaves_is_read() {
    let (folder, path) = place();
    let (log, policy) = (made(&path), policy());
    log.append_all(&(0..5).map(|n| entry(&policy, n)).collect::<Vec<_>>(), &[&policy]).unwrap();
    let copy = folder.path().join("copy");
    as_if_killed(&path, &copy);
    assert_eq!(builds(&Log::read(&copy).unwrap()).len(), 5);
    let next = Log::open(&copy, &Options::new()).unwrap();
    next.append(entry(&policy, 5), None).unwrap();
    assert_eq!(builds(&next).len(), 6);
    drop(next);
    assert!(!folder.path().join("copy-wal").exists());

    // In a folder that may not be written the -wal file cannot be read; half of the log is not passed off as the whole.
    let archive = folder.path().join("archive");
    std::fs::create_dir(&archive).unwrap();
    as_if_killed(&path, &archive.join("copy"));
    if let Some(_frozen) = Frozen::new(&archive) {
        let error = Log::read(archive.join("copy")).unwrap_err().to_string();
        assert!(error.contains("copy both to a folder that may be written"), "{error}");
    }
}

#[test]
fn a_log_may_be_named_by_a_link_and_not_by_two_names() {
    let (folder, path) = place();
    filled(&path, 2);
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let (by_name, by_link, policy) = (made(&path), made(&link), policy());
    let reader = Log::read(&link).unwrap();
    by_link.append(entry(&policy, 2), None).unwrap();
    by_name.append(entry(&policy, 3), None).unwrap();
    for log in [&by_name, &by_link, &reader] {
        assert_eq!(builds(log).len(), 4);
    }
    drop((by_name, by_link, reader));
    std::fs::hard_link(&path, folder.path().join("other")).unwrap();
    let error = Log::open(&path, &Options::new()).unwrap_err().to_string();
    assert!(error.contains("another name (a hard link)"), "{error}");
}

/// What is appended to a file that nobody finds any more would be lost.
#[test]
fn a_log_that_is_moved_away_takes_nothing_more() {
    let (folder, path) = place();
    let (log, policy) = (made(&path), policy());
    log.append(entry(&policy, 0), Some(&policy)).unwrap();
    let moved = folder.path().join("moved");
    std::fs::rename(&path, &moved).unwrap();
    let error = log.append(entry(&policy, 1), None).unwrap_err().to_string();
    assert!(error.contains("it was moved, replaced or removed while it was open"), "{error}");
    filled(&path, 1);
    assert!(log.append(entry(&policy, 1), None).is_err());
}

#[test]
fn a_reader_sees_what_others_append() {
    let (folder, path) = place();
    filled(&path, 3);
    let reader = Log::read(&path).unwrap();
    let mut begun = reader.entries(0..u64::MAX);
    assert_eq!(begun.next().unwrap().unwrap().seq, 0);
    let (log, policy) = (made(&path), policy());
    log.append_all(&(3..2_000).map(|n| entry(&policy, n)).collect::<Vec<_>>(), &[]).unwrap();
    assert_eq!(builds(&reader).len(), 2_000);
    drop(log);
    assert_eq!(reader.len().unwrap(), 2_000);
    drop(begun);
    drop(reader);
    assert_eq!(builds(&Log::read(&path).unwrap()).len(), 2_000);
    drop(folder);
}

#[test]
fn what_is_in_a_log_is_neither_changed_nor_removed() {
    let (_folder, path) = place();
    filled(&path, 20);
    let sqlite = rusqlite::Connection::open(&path).unwrap();
    let mut tables = sqlite.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
    let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(tables.len(), 11);
    for table in tables {
        let rows: i64 = sqlite.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        if rows == 0 {
            continue;
        }
        let column: String =
            sqlite.query_row("SELECT name FROM pragma_table_info(?1)", [&table], |row| row.get(0)).unwrap();
        for sql in [format!("DELETE FROM {table}"), format!("UPDATE {table} SET {column} = {column}")] {
            let error = sqlite.execute_batch(&sql).unwrap_err().to_string();
            assert!(error.contains("what is in a decision log is not"), "{sql}: {error}");
        }
    }
}

/// A small file system in memory, for as long as this is there.
struct Small(tempfile::TempDir);

impl Small {
    /// `None` when this user may not mount one.
    fn new(bytes: u32) -> Option<Small> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"]).arg(folder.path());
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        if !mounted {
            println!("not run: this user may not mount a small file system");
        }
        mounted.then_some(Small(folder))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        Command::new("umount").arg(self.0.path()).status().unwrap();
    }
}

#[test]
fn a_full_disk_takes_nothing_and_loses_nothing() {
    let Some(small) = Small::new(2 << 20) else { return };
    let path = small.0.path().join("log");
    let ballast = small.0.path().join("ballast");
    std::fs::write(&ballast, vec![1; 300 << 10]).unwrap();
    let (log, policy) = (made(&path), policy());
    let mut acknowledged = Vec::new();
    let error = loop {
        let next = entry(&policy, acknowledged.len() as u64);
        match log.append(next.clone(), Some(&policy)) {
            Ok(seq) => assert_eq!(seq, acknowledged.len() as u64),
            Err(error) => break error,
        }
        acknowledged.push(next.id());
        assert!(acknowledged.len() < 100_000);
    };
    assert!(matches!(error, LogError::Full(_)), "{error}");
    println!("{} records, then: {error}", acknowledged.len());
    // The verdict of an engine is held back too.
    let request = common::request(1);
    let not_recorded = policy.decide_recorded(&request, &log as &dyn DecisionSink).unwrap_err().to_string();
    assert!(not_recorded.contains("no space is left"), "{not_recorded}");
    let ids = |log: &Log| log.entries(0..u64::MAX).map(|stored| stored.unwrap().id).collect::<Vec<_>>();
    assert_eq!(ids(&log), acknowledged);
    // On a disk so full that not even the files beside a log can be made, no log is made.
    let rest = small.0.path().join("rest");
    let mut filling = std::fs::File::create(&rest).unwrap();
    while std::io::Write::write_all(&mut filling, &[1; 4_096]).is_ok() {}
    let error = Log::open(small.0.path().join("new"), &Options::new().create(true)).unwrap_err();
    assert!(matches!(error, LogError::Full(_)), "{error}");
    // With space again, the same handle goes on.
    std::fs::remove_file(&ballast).unwrap();
    acknowledged.push(entry(&policy, 0).id());
    let next = entry(&policy, 7);
    *acknowledged.last_mut().unwrap() = next.id();
    log.append(next, None).unwrap();
    drop(log);
    let log = Log::open(&path, &Options::new()).unwrap();
    assert_eq!(ids(&log), acknowledged);
    builds(&log);
}

#[test]
fn the_key_for_secrets_is_made_once() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log.secret-key");
    assert!(SecretKey::read(&file).unwrap_err().to_string().starts_with(&file.display().to_string()));
    let value = stagegate::Value::from("hunter2");
    let digests: Vec<String> = std::thread::scope(|scope| {
        let make = || SecretKey::read_or_make(&file).unwrap().digest("token", &value);
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(digests.iter().all(|digest| *digest == digests[0]));
    assert_eq!(SecretKey::read(&file).unwrap().digest("token", &value), digests[0]);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    for wrong in ["", "hunter2", &"g".repeat(64), &"0".repeat(63)] {
        std::fs::write(&file, wrong).unwrap();
        assert!(SecretKey::read_or_make(&file).unwrap_err().to_string().contains("64 hexadecimal digits"));
    }
}
