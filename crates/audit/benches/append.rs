//! What recording costs: `cargo bench -p stagegate-audit --bench append [PART…] [FOLDER]`, and
//! `cargo bench -p stagegate-audit --bench append -- bytes LOG` for the bytes of a log, such as the example `fill` makes. The
//! figures in docs/audit.md are from here.
//!
//! Syncs are counted by `strace`, which this program starts itself under; the disk is that of FOLDER (or of the folder for
//! temporary files). Each figure is the best of three runs, each with a new log.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use stagegate::{Decided, DecisionSink, Policy};
use stagegate_audit::{Entry, Log, Mode, Options};

#[path = "../tests/common/mod.rs"]
mod common;
use common::{entry, policy, request};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if let [syncs, log, threads, each] = args.as_slice()
        && syncs == "syncs"
    {
        return append(&options(Path::new(log)), threads.parse().unwrap(), each.parse().unwrap());
    }
    if let [bytes_of, log] = args.as_slice()
        && bytes_of == "bytes"
    {
        return bytes(Path::new(log));
    }
    let parts = [
        ("syncs", syncs as fn(&Path)),
        ("threads", threads),
        ("single", single),
        ("batched", batched),
        ("sinks", sinks),
    ];
    let (only, folder): (Vec<&String>, Vec<&String>) =
        args.iter().partition(|arg| parts.iter().any(|part| part.0 == *arg));
    let folder = folder.first().map_or_else(std::env::temp_dir, PathBuf::from);
    for (name, run) in parts {
        if only.is_empty() || only.iter().any(|only| *only == name) {
            run(&folder);
        }
    }
}

fn new(folder: &Path) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir_in(folder).unwrap();
    let path = folder.path().join("log");
    (folder, path)
}

fn options(path: &Path) -> Log {
    Log::open(path, &Options::new().create(true)).unwrap()
}

/// The time that passed, and the time that this process had a processor (in steps of 10 ms): on a machine that others use
/// too, the second is the one to compare.
#[derive(Clone, Copy)]
struct Took {
    passed: Duration,
    computed: Duration,
}

fn computed() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // User and system time are the 14th and 15th field; the second is a name that ends in `)`.
    let fields = stat.rsplit(')').next().unwrap().split_whitespace().skip(11).take(2);
    Duration::from_millis(10 * fields.map(|ticks| ticks.parse::<u64>().unwrap()).sum::<u64>())
}

fn timed(run: impl FnOnce()) -> Took {
    let (begun, before) = (Instant::now(), computed());
    run();
    Took { passed: begun.elapsed(), computed: computed() - before }
}

/// The best of three, of each time.
fn best(mut run: impl FnMut() -> Took) -> Took {
    let runs = [run(), run(), run()];
    let passed = runs.iter().map(|run| run.passed).min().unwrap();
    Took { passed, computed: runs.iter().map(|run| run.computed).min().unwrap() }
}

fn rate(what: &str, records: usize, took: Took) {
    let a_second = records as f64 / took.passed.as_secs_f64();
    let each = took.computed.as_secs_f64() * 1e6 / records as f64;
    println!(
        "{what:<64} {a_second:>8.0} records a second, {:>7.1} us each, {each:>6.1} of them computing",
        1e6 / a_second
    );
}

/// So many threads append so many each, one at a time.
fn append(log: &Log, threads: u64, each: u64) {
    let policy = policy();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let policy = &policy;
            scope.spawn(move || {
                for n in 0..each {
                    log.append(entry(policy, thread * each + n), Some(policy)).unwrap();
                }
            });
        }
    });
}

/// `fsync` and `fdatasync` from the opening of a new log to its closing, a record.
fn syncs(folder: &Path) {
    for (threads, each) in [(1, 1_000), (4, 500), (16, 250), (64, 100)] {
        let (place, path) = new(folder);
        let counts = place.path().join("strace");
        let mut strace = Command::new("strace");
        strace.args(["-f", "-c", "-e", "trace=fsync,fdatasync", "-o"]).arg(&counts);
        strace.arg(std::env::current_exe().unwrap()).arg("syncs").arg(&path);
        let ran = strace.arg(threads.to_string()).arg(each.to_string()).output();
        if !ran.is_ok_and(|ran| ran.status.success()) {
            return println!("there is no strace that could count syncs here");
        }
        let counts = std::fs::read_to_string(counts).unwrap();
        let calls = counts.lines().filter(|line| line.ends_with("fsync") || line.ends_with("fdatasync"));
        let calls: u64 = calls.map(|line| line.split_whitespace().nth(3).unwrap().parse::<u64>().unwrap()).sum();
        let records = threads * each;
        println!(
            "{threads:>2} threads, {records} records: {calls} syncs, {:.3} a record",
            calls as f64 / records as f64
        );
    }
}

fn threads(folder: &Path) {
    for (threads, each) in [(1, 500), (4, 250), (16, 100), (64, 50)] {
        let took = best(|| {
            let (_place, path) = new(folder);
            let log = options(&path);
            log.append(entry(&policy(), 1_000_000), Some(&policy())).unwrap();
            timed(|| append(&log, threads, each))
        });
        rate(&format!("strict, {threads} threads, deciding too"), (threads * each) as usize, took);
    }
}

/// A database that is as durable as the log.
fn bare(path: &Path, schema: &str) -> Connection {
    let bare = Connection::open(path).unwrap();
    bare.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).unwrap();
    bare.pragma_update(None, "synchronous", "FULL").unwrap();
    bare.execute_batch(schema).unwrap();
    bare
}

const LINES: &str = "CREATE TABLE line (seq INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT";

fn single(folder: &Path) {
    const RECORDS: usize = 500;
    let policy = policy();
    let entries: Vec<Entry> = (0..RECORDS as u64).map(|n| entry(&policy, n)).collect();
    let took = best(|| {
        let (_place, path) = new(folder);
        let log = options(&path);
        log.append(entry(&policy, 1_000_000), Some(&policy)).unwrap();
        timed(|| {
            for entry in &entries {
                log.append(entry.clone(), Some(&policy)).unwrap();
            }
        })
    });
    rate("single: the log", RECORDS, took);
    let lines: Vec<String> = entries.iter().map(Entry::to_json).collect();
    let took = best(|| {
        let (_place, path) = new(folder);
        let bare = bare(&path, LINES);
        timed(|| {
            for line in &lines {
                bare.prepare_cached("INSERT INTO line (text) VALUES (?1)").unwrap().execute([line]).unwrap();
            }
        })
    });
    rate("single: a bare insert of the same line", RECORDS, took);
}

/// The tables of a log and all that is in them, row by row.
struct Copy {
    schema: String,
    tables: Vec<(String, Vec<Vec<rusqlite::types::Value>>)>,
}

impl Copy {
    fn of(path: &Path) -> Copy {
        let log = Connection::open(path).unwrap();
        let mut schema =
            log.prepare("SELECT sql FROM sqlite_schema WHERE type IN ('table', 'index') AND sql IS NOT NULL").unwrap();
        let schema: Vec<String> = schema.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let mut names = log.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
        let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let tables = names.into_iter().map(|name| {
            // In the order of the log, as they are written.
            let by = if ["rule", "person", "override"].contains(&name.as_str()) { "ORDER BY seq" } else { "" };
            let mut rows = log.prepare(&format!("SELECT * FROM {name} {by}")).unwrap();
            let columns = rows.column_count();
            let rows = rows.query_map([], |row| (0..columns).map(|column| row.get(column)).collect()).unwrap();
            (name, rows.map(Result::unwrap).collect())
        });
        Copy { schema: schema.join(";\n"), tables: tables.collect() }
    }

    fn write(&self, bare: &mut Connection) {
        let writing = bare.transaction().unwrap();
        for (name, rows) in &self.tables {
            let Some(columns) = rows.first().map(Vec::len) else { continue };
            let marks = vec!["?"; columns].join(", ");
            let mut insert = writing.prepare(&format!("INSERT INTO {name} VALUES ({marks})")).unwrap();
            for row in rows {
                insert.execute(rusqlite::params_from_iter(row)).unwrap();
            }
        }
        writing.commit().unwrap();
    }
}

fn batched(folder: &Path) {
    const RECORDS: usize = 20_000;
    let policy = policy();
    let entries: Vec<Entry> = (0..RECORDS as u64).map(|n| entry(&policy, n)).collect();
    let first: Vec<Entry> = (0..1_000).map(|n| entry(&policy, n)).collect();
    let mut copy = None;
    let mut took = Vec::new();
    for parallel in [true, false] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(if parallel { 0 } else { 1 }).build().unwrap();
        took.push(best(|| {
            let (_place, path) = new(folder);
            let log = options(&path);
            log.append_all(&first, &[&policy]).unwrap();
            log.flush().unwrap();
            let took = timed(|| {
                pool.install(|| log.append_all(&entries, &[&policy])).unwrap();
            });
            drop(log);
            copy = Some(Copy::of(&path));
            took
        }));
    }
    rate("batched: the log, all in one transaction", RECORDS, took[0]);
    rate("batched: the log, preparing on one core", RECORDS, took[1]);
    let lines: Vec<String> = entries.iter().map(Entry::to_json).collect();
    let took = best(|| {
        let (_place, path) = new(folder);
        let mut bare = bare(&path, LINES);
        timed(|| {
            let writing = bare.transaction().unwrap();
            for line in &lines {
                writing.prepare_cached("INSERT INTO line (text) VALUES (?1)").unwrap().execute([line]).unwrap();
            }
            writing.commit().unwrap();
        })
    });
    rate("batched: a bare insert of the same lines, which are at hand", RECORDS, took);
    let took = best(|| {
        let (_place, path) = new(folder);
        let mut bare = bare(&path, LINES);
        timed(|| {
            let writing = bare.transaction().unwrap();
            for entry in &entries {
                let line = entry.to_json();
                writing.prepare_cached("INSERT INTO line (text) VALUES (?1)").unwrap().execute([line]).unwrap();
            }
            writing.commit().unwrap();
        })
    });
    rate("batched: a bare insert of the same lines, made of the decisions", RECORDS, took);
    let copy = copy.unwrap();
    let took = best(|| {
        let (_place, path) = new(folder);
        let mut bare = bare(&path, &copy.schema);
        timed(|| copy.write(&mut bare))
    });
    rate("batched: a bare insert of the same rows into the same tables", RECORDS + 1_000, took);
}

/// What an engine waits for, with each mode: the decision is made before.
fn sinks(folder: &Path) {
    const RECORDS: u64 = 5_000;
    let policy: Policy = policy();
    let decided: Vec<_> = (0..RECORDS).map(|n| (request(n), policy.decide(&request(n)).unwrap())).collect();
    for (what, mode, records) in
        [("strict", Mode::Strict, 300), ("batched", Mode::Batched, RECORDS), ("best-effort", Mode::BestEffort, RECORDS)]
    {
        let took = best(|| {
            let (_place, path) = new(folder);
            let options = Options::new().create(true).mode(mode).batch(10_000, Duration::from_millis(100));
            let log = Log::open(&path, &options).unwrap();
            timed(|| {
                for (request, decision) in decided.iter().take(records as usize) {
                    log.record(&Decided::new(&policy, request, decision)).unwrap();
                }
            })
        });
        rate(&format!("record, {what}, one thread"), records as usize, took);
    }
}

/// Of a log that `bytes LOG` names, such as one of the example `fill`.
fn bytes(path: &Path) {
    let log = Log::read(path).unwrap();
    let (mut records, mut line, mut packed) = (0_u64, 0_u64, 0_u64);
    for stored in log.entries(0..u64::MAX) {
        let stored = stored.unwrap();
        records += 1;
        line += stored.json.len() as u64;
        packed += zstd::bulk::compress(stored.json.as_bytes(), 3).unwrap().len() as u64;
    }
    let sqlite = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let sql = "SELECT sum(length(body)) FROM entry";
    let body: i64 = sqlite.query_row(sql, [], |row| row.get(0)).unwrap();
    let file = std::fs::metadata(path).unwrap().len();
    let body = body.unsigned_abs();
    for (what, bytes) in [
        ("the line", line),
        ("packed with zstd", packed),
        ("packed with the log's dictionary", body),
        ("all of the file, with what is searched by and the tree", file),
    ] {
        println!("{what:<56} {:>6.0} bytes a record", bytes as f64 / records as f64);
    }
}
