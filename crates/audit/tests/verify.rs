//! What was done to a log is found: with the tools of whoever has the file, and byte by byte.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::Connection;
use stagegate::{Build, Decided, Policy, Request};
use stagegate_audit::{Entry, Head, Id, Log, LogError, Options, Record, Review, SecretKey, Verification, verify};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn entry(policy: &Policy, n: usize) -> Entry {
    let now = at("2026-03-04T18:00:00Z") + chrono::Duration::minutes(n as i64);
    let request = Request::to("Staging")
        .build(Build::new(format!("2026.3.{n}")).branch("release").author("mara"))
        .at(now)
        .manual("tim")
        .succeeded("Test", at("2026-03-04T11:00:00Z"))
        .approved("amita", at("2026-03-04T17:30:00Z"))
        .fact("checks", [("unit", "passed"), ("lint", "passed")]);
    let decision = policy.decide(&request).unwrap();
    let decided = Decided::new(policy, &request, &decision).asked_by("a test");
    Entry::Decision(Box::new(Record::new(&decided, Utc::now(), &SecretKey::from_bytes([7; 32]))))
}

/// A closed log of so many decisions and a review.
fn log(folder: &Path, decisions: usize) -> PathBuf {
    let path = folder.join("decisions.db");
    let policy = Policy::from_file("../../policies/space-game.gate").unwrap();
    let log = Log::open(&path, &Options::new().create(true)).unwrap();
    let entries: Vec<Entry> = (0..decisions).map(|n| entry(&policy, n)).collect();
    log.append_all(&entries, &[&policy]).unwrap();
    let of = entries[1].id();
    let review = Review { id: Id::new(), recorded: Utc::now(), of, by: "lee".into(), note: "seen".into() };
    log.append(Entry::Review(review), None).unwrap();
    drop(log);
    assert!(!folder.join("decisions.db-wal").exists());
    path
}

fn look(path: &Path, heads: &[Head]) -> Verification {
    verify(path, heads, &|_, _| {}).unwrap()
}

/// As somebody would who has the file, and takes the triggers away for as long as it takes.
fn tamper(path: &Path, sql: &str) {
    let log = Connection::open(path).unwrap();
    let mut triggers =
        log.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY rowid").unwrap();
    let triggers: Vec<(String, String)> =
        triggers.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    assert_eq!(triggers.len(), 22);
    let cookie: i64 = log.pragma_query_value(None, "schema_version", |row| row.get(0)).unwrap();
    for (name, _) in &triggers {
        log.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
    }
    log.execute_batch(sql).unwrap();
    for (_, sql) in &triggers {
        log.execute_batch(sql).unwrap();
    }
    log.pragma_update(None, "schema_version", cookie).unwrap();
}

/// What is found first after something was done to a log of forty decisions.
fn found(sql: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = log(folder.path(), 40);
    tamper(&path, sql);
    let found = look(&path, &[]);
    assert!(!found.is_sound(), "{sql}");
    found.faults[0].to_string()
}

#[test]
fn a_log_that_nobody_touched_is_sound() {
    let folder = tempfile::tempdir().unwrap();
    let path = log(folder.path(), 40);
    let before = std::fs::read(&path).unwrap();
    let first = look(&path, &[]);
    assert_eq!(first.faults, []);
    assert_eq!((first.head.size, first.decisions, first.reviews, first.dropped, first.policies), (41, 40, 1, 0, 1));
    assert_eq!(first.remarks, Vec::<String>::new());
    // Looking changes nothing, and leaves nothing behind.
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);

    // It grows, and is still what it was.
    let policy = Policy::from_file("../../policies/space-game.gate").unwrap();
    let open = Log::open(&path, &Options::new()).unwrap();
    open.append_all(&(0..300).map(|n| entry(&policy, n)).collect::<Vec<_>>(), &[]).unwrap();
    let while_open = look(&path, std::slice::from_ref(&first.head));
    assert_eq!(while_open.faults, []);
    drop(open);
    let second = look(&path, &[first.head.clone(), while_open.head.clone()]);
    assert_eq!(second.faults, []);
    assert_eq!(second.head.size, 341);
}

/// A copy has its records, and each byte means the same.
#[test]
fn a_copy_that_others_made_is_sound() {
    let folder = tempfile::tempdir().unwrap();
    let path = log(folder.path(), 40);
    let copy = folder.path().join("copy.db");
    Log::read(&path).unwrap().backup(&copy).unwrap();
    let found = look(&copy, &[look(&path, &[]).head]);
    assert_eq!((found.faults, found.remarks), (vec![], vec![]));
}

#[test]
fn bytes_behind_the_end_are_told_as_that() {
    use std::io::Write;
    let folder = tempfile::tempdir().unwrap();
    let path = log(folder.path(), 3);
    let pages = std::fs::metadata(&path).unwrap().len() / 4096;
    let append = |bytes: &[u8]| {
        std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(bytes).unwrap();
        look(&path, &[]).faults.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let found = append(&[1; 7]);
    assert_eq!(found, [format!("the file does not end with a page: 7 bytes stand after its {pages} pages")]);
    let found = append(&[1; 4096 - 7]);
    assert_eq!(found, [format!("the header speaks of {pages} pages, and the file has {}", pages + 1)]);
}

#[test]
fn an_empty_log_is_sound() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("decisions.db");
    drop(Log::open(&path, &Options::new().create(true)).unwrap());
    let found = look(&path, &[]);
    assert_eq!(found.faults, []);
    // RFC 6962: the root of nothing is the hash of nothing.
    assert_eq!(found.head.root[..4], [0xe3, 0xb0, 0xc4, 0x42]);
}

#[test]
fn what_is_changed_is_found_and_named() {
    let first = found("UPDATE entry SET body = (SELECT body FROM entry WHERE seq = 8) WHERE seq = 7");
    assert!(first.starts_with("record 7 (") && first.contains("it was changed"), "{first}");
    let first = found("UPDATE decision SET verdict = 0 WHERE seq = 9");
    assert!(first.starts_with("record 9 (") && first.contains("the table decision"), "{first}");
    let first = found("UPDATE rule SET status = 0, blocking = 0 WHERE seq = 10");
    assert!(first.starts_with("record 10 (") && first.contains("the table rule"), "{first}");
    let first = found("DELETE FROM person WHERE seq = 11");
    assert!(first.starts_with("record 11 (") && first.contains("the table person"), "{first}");
    let first = found("UPDATE entry SET recorded = recorded + 1 WHERE seq = 3");
    assert!(first.starts_with("record 3 ("), "{first}");
    let first = found("UPDATE review SET note = 'fine'");
    assert!(first.starts_with("record 40 (") && first.contains("the table review"), "{first}");
    let first = found("UPDATE review SET \"of\" = 2");
    assert!(first.starts_with("record 40 ("), "{first}");
    let first = found("UPDATE word SET text = 'andy' WHERE text = 'amita'");
    assert!(first.starts_with("record 0 (") && first.contains("\"amita\""), "{first}");
    let first = found("INSERT INTO override SELECT 5, 0, id, 1, '[]', '[]' FROM word WHERE text = 'qa'");
    assert!(first.starts_with("record 5 (") && first.contains("the table override"), "{first}");
}

#[test]
fn what_is_removed_inserted_or_moved_is_found_and_named() {
    let first = found("DELETE FROM entry WHERE seq = 12; DELETE FROM decision WHERE seq = 12");
    assert!(first.starts_with("record 12: ") && first.contains("it is missing"), "{first}");
    let first = found("DELETE FROM entry WHERE seq BETWEEN 12 AND 14");
    assert!(first.contains("it and 2 after it are missing"), "{first}");
    // Two that change places, with all that belongs to them.
    let first = found(
        "UPDATE entry SET seq = 1000 WHERE seq = 20; UPDATE entry SET seq = 20 WHERE seq = 21;
         UPDATE entry SET seq = 21 WHERE seq = 1000;
         UPDATE decision SET seq = 1000 WHERE seq = 20; UPDATE decision SET seq = 20 WHERE seq = 21;
         UPDATE decision SET seq = 21 WHERE seq = 1000;",
    );
    assert!(first.starts_with("record 20 (") && first.contains("stood elsewhere"), "{first}");
    let copy = "SELECT 41, randomblob(16), kind, recorded, leaf, dictionary, body, sum FROM entry WHERE seq = 4";
    let first = found(&format!("INSERT INTO entry {copy}"));
    assert!(first.starts_with("record 41 ("), "{first}");
    let first = found(
        "INSERT INTO decision SELECT 77, at, policy, stage, build, verdict, action, \"trigger\", requester, author, branch, version, digest, asked_by FROM decision WHERE seq = 1",
    );
    assert!(first.starts_with("record 77: ") && first.contains("no such record"), "{first}");
    let first = found("UPDATE tree SET hash = randomblob(32) WHERE level = 4 AND idx = 1");
    assert!(first.starts_with("record 16: ") && first.contains("16 records"), "{first}");
    let first = found("DELETE FROM tree");
    assert!(first.contains("is missing"), "{first}");
}

#[test]
fn what_belongs_to_no_record_is_found_too() {
    for (sql, what) in [
        ("UPDATE policy SET sources = zeroblob(10)", "its text was changed"),
        ("UPDATE policy SET name = 'other'", "its name, its zone"),
        ("UPDATE policy SET digest = 'sha256:00'", "its text is that of"),
        ("UPDATE meta SET value = 'me' WHERE key = 'origin'", "what the log says of itself"),
        ("INSERT INTO meta VALUES ('more', 'more')", "what the log says of itself"),
        ("INSERT INTO word (text) VALUES ('nobody')", "the name \"nobody\" is of no record"),
        ("CREATE TABLE more (a)", "the table more is not one of a log"),
        ("DROP INDEX decision_at", "the index decision_at is missing"),
        ("CREATE TRIGGER t AFTER INSERT ON entry BEGIN SELECT 1; END", "the trigger t is not one of a log"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = log(folder.path(), 3);
        tamper(&path, sql);
        let faults: Vec<String> = look(&path, &[]).faults.iter().map(ToString::to_string).collect();
        assert!(faults.iter().any(|fault| fault.contains(what)), "{sql}: {faults:?}");
    }
    // A trigger less.
    let folder = tempfile::tempdir().unwrap();
    let path = log(folder.path(), 3);
    Connection::open(&path).unwrap().execute_batch("DROP TRIGGER no_delete_entry").unwrap();
    assert!(look(&path, &[]).faults.iter().any(|fault| fault.what.contains("no_delete_entry is missing")));
    // Rebuilt.
    let folder = tempfile::tempdir().unwrap();
    let path = log(folder.path(), 3);
    Connection::open(&path).unwrap().execute_batch("VACUUM").unwrap();
    assert!(look(&path, &[]).faults.iter().any(|fault| fault.what.contains("not to be vacuumed")));
}

/// Whoever has the file and writes all of it anew is found out by what somebody else has kept.
#[test]
fn a_log_that_was_written_anew_is_not_the_one_of_the_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let path = log(folder.path(), 40);
    let head = look(&path, &[]).head;
    let (early, copy) = (folder.path().join("early.db"), folder.path().join("copy.db"));
    let lines: Vec<Entry> =
        Log::read(&path).unwrap().entries(0..100).map(|stored| stored.unwrap().entry().unwrap()).collect();
    let again = |path: &Path, lines: &[Entry]| {
        let policy = Policy::from_file("../../policies/space-game.gate").unwrap();
        let log = Log::open(path, &Options::new().create(true).origin(head.origin.clone())).unwrap();
        log.append_all(lines, &[&policy]).unwrap();
        drop(log);
        look(path, &[])
    };
    // The end cut off, with all that belongs to it.
    assert!(again(&early, &lines[..30]).is_sound());
    let cut = look(&early, std::slice::from_ref(&head));
    assert_eq!(cut.faults[0].seq, Some(30));
    assert!(cut.faults[0].what.contains("the end was cut off"), "{cut:?}");
    // One left out, and everything else in order.
    let without: Vec<Entry> =
        lines.iter().enumerate().filter(|(n, _)| *n != 20).map(|(_, line)| line.clone()).collect();
    let forged = again(&copy, &without);
    assert!(forged.is_sound());
    let parts = [look(&early, &[]).head, Head { size: 40, ..head.clone() }];
    let found = look(&copy, &parts);
    assert!(found.faults[0].what.contains("of the records 0 to 29"), "{found:?}");
    // The same lines make the same tree, whatever file they are in.
    let same = folder.path().join("same.db");
    assert!(again(&same, &lines).is_sound());
    assert!(look(&same, &[head.clone(), parts[0].clone()]).is_sound());
    // A checkpoint of another log.
    let other = look(&path, &[Head { origin: "another".into(), ..head }]);
    assert!(other.faults[0].what.contains("the checkpoint is one of another"));
}

/// Everything that any reader of the file is told.
fn everything(path: &Path) -> Result<Vec<String>, LogError> {
    let log = Log::read(path)?;
    let mut told = vec![log.origin()?, log.created()?.to_string()];
    for digest in log.policies()? {
        told.push(format!("{:?}", log.policy_text(&digest)?));
    }
    for stored in log.entries(0..u64::MAX) {
        told.push(format!("{:?}", stored?));
    }
    let raw = Connection::open_with_flags(
        format!("file:{}?immutable=1", path.display()),
        rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_URI,
    )
    .unwrap();
    let mut tables = raw.prepare("SELECT name, sql FROM sqlite_schema ORDER BY rowid").unwrap();
    let names: Vec<(String, Option<String>)> =
        tables.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    for (name, sql) in names {
        told.push(format!("{name} {sql:?}"));
        if !sql.is_some_and(|sql| sql.starts_with("CREATE TABLE")) {
            continue;
        }
        let mut rows = raw.prepare(&format!("SELECT * FROM {name}")).unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().map_err(|source| LogError::Sqlite { path: path.into(), source })? {
            let values: Vec<String> = (0..columns).map(|n| format!("{:?}", row.get_ref(n).unwrap())).collect();
            told.push(values.join("|"));
        }
    }
    Ok(told)
}

/// With a checkpoint that has the file's hash, each is found; without, those that mean anything.
///
/// `STAGEGATE_FLIPS=8` flips each bit of each byte; otherwise one bit of each byte.
#[test]
fn a_flipped_byte_is_found_wherever_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = log(folder.path(), 3);
    // On small pages, so that there are fewer bytes that mean nothing.
    let small = Connection::open(&path).unwrap();
    let cookie: i64 = small.pragma_query_value(None, "schema_version", |row| row.get(0)).unwrap();
    small
        .execute_batch(&format!(
            "PRAGMA secure_delete = ON; PRAGMA journal_mode = DELETE; PRAGMA page_size = 512; VACUUM;
             PRAGMA journal_mode = WAL; PRAGMA writable_schema = ON; PRAGMA schema_version = {cookie}"
        ))
        .unwrap();
    drop(small);
    assert_eq!(look(&path, &[]).faults, []);
    let head = Log::checkpoint_of_file(&path, Duration::ZERO).unwrap().head().unwrap();
    let sound = std::fs::read(&path).unwrap();
    let told = everything(&path).unwrap();
    let bits: usize = std::env::var("STAGEGATE_FLIPS").map_or(1, |bits| bits.parse().unwrap());
    let next = std::sync::atomic::AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let missed: Vec<(usize, u8)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|thread| {
                let (next, sound, told, head, folder) = (&next, &sound, &told, [head.clone()], folder.path());
                scope.spawn(move || {
                    let path = folder.join(format!("flipped-{thread}.db"));
                    std::fs::write(&path, sound).unwrap();
                    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
                    let mut missed = Vec::new();
                    loop {
                        let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        let Some(byte) = sound.get(at) else { return missed };
                        for bit in 0..bits {
                            // Another bit at each place.
                            let flipped = byte ^ (1 << ((at * 5 + bit) % 8));
                            write_at(&file, at, flipped);
                            let found = verify(&path, &head, &|_, _| {});
                            assert!(!found.as_ref().is_ok_and(Verification::is_sound), "byte {at} as {flipped}");
                            // What it would have found without the hash of the file.
                            let found = found.map_or(true, |found| {
                                found.faults.iter().any(|fault| !fault.what.starts_with("the file is not what it was"))
                            });
                            if !found {
                                // It may mean nothing at all; then nobody is told anything else.
                                assert_eq!(&everything(&path).unwrap(), told, "byte {at}: {byte} became {flipped}");
                                missed.push((at, flipped));
                            }
                        }
                        write_at(&file, at, *byte);
                        if at % 64 < 2 {
                            assert_eq!(look(&path, &head).faults, [], "after byte {at}");
                        }
                    }
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    // What is not found without a hash of the file changes nothing that anybody is told. It is the version of SQLite that wrote the file last, and
    // what SQLite left between the cells of an index or of the definitions; a table that grows at its end has zeros there.
    println!(
        "of {} bytes {} mean nothing, and their flips are not found without the hash of the file",
        sound.len(),
        missed.len() / bits
    );
    let pages = Connection::open(&path).unwrap();
    let mut grows = pages
        .prepare("SELECT pageno FROM dbstat WHERE name <> 'sqlite_schema' AND pagetype = 'leaf' ORDER BY pageno")
        .unwrap();
    let grows: Vec<i64> = grows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let grows = |at: usize| grows.contains(&(at as i64 / 512 + 1)) && sound[at / 512 * 512] == 13;
    for (at, flipped) in &missed {
        // Of the count of changes to the tables, it could become the 1 of a copy.
        assert!(
            (97..100).contains(at) || (*at, *flipped) == (43, 1) || !grows(*at),
            "byte {at} as {flipped} is not found"
        );
    }
    assert!(missed.len() < sound.len() * bits * 2 / 5, "{} of {} bytes", missed.len(), sound.len());
}

fn write_at(mut file: &std::fs::File, at: usize, byte: u8) {
    use std::io::{Seek, SeekFrom, Write};
    file.seek(SeekFrom::Start(at as u64)).unwrap();
    file.write_all(&[byte]).unwrap();
}
