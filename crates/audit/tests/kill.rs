//! Processes that append are killed at random instants: nothing that was acknowledged is lost, the log opens, and what is in
//! it is whole. `STAGEGATE_KILLS=1000 cargo test -p stagegate-audit --test kill` kills as often as issue and docs say.
//!
//! It has a main of its own: started with `append LOG NAME ROUNDS` it is one of the processes that append.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use stagegate_audit::{Entry, Id, Log, LogError, Options, verify};

mod common;
use common::{builds, entry, policy};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let [_, append, log, name, rounds] = args.as_slice()
        && append == "append"
    {
        return appending(Path::new(log), name.parse().unwrap(), rounds.parse().unwrap());
    }
    together();
    looked_at();
    in_use();
    let kills = std::env::var("STAGEGATE_KILLS").map_or(50, |kills| kills.parse().unwrap());
    kill(kills);
}

/// Appends with three threads, one of them in batches of five, and says what is acknowledged: a line of ids.
fn appending(path: &Path, name: u64, rounds: u64) {
    let log = loop {
        match Log::open(path, &Options::new().create(true)) {
            Ok(log) => break log,
            Err(LogError::Busy(_)) => {}
            Err(error) => panic!("{error}"),
        }
    };
    let policy = policy();
    // A process makes a few hundred entries at most before it is killed: they are made from a few templates.
    let acknowledge = |entries: &[Entry]| {
        let ids: Vec<String> = entries.iter().map(|entry| entry.id().to_string()).collect();
        std::io::stdout().lock().write_all((ids.join(" ") + "\n").as_bytes()).unwrap();
    };
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let (log, policy, acknowledge) = (&log, &policy, &acknowledge);
            scope.spawn(move || {
                for n in 0..rounds {
                    let at = name * 100_000 + thread * 10_000 + n * 5;
                    if thread == 0 {
                        let entries: Vec<Entry> = (at..at + 5).map(|n| entry(policy, n)).collect();
                        log.append_all(&entries, &[policy]).unwrap();
                        acknowledge(&entries);
                    } else {
                        let one = entry(policy, at);
                        log.append(one.clone(), Some(policy)).unwrap();
                        acknowledge(&[one]);
                    }
                }
            });
        }
    });
}

/// Processes that nobody kills: each record of each of them is in the log, once.
fn together() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("decisions.log");
    let children: Vec<Child> = (0..4).map(|name| start(&path, name, 25)).collect();
    let mut told = BTreeSet::new();
    for child in children {
        let out = child.wait_with_output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        told.extend(String::from_utf8(out.stdout).unwrap().split_whitespace().map(|id| id.parse::<Id>().unwrap()));
    }
    assert_eq!(told.len(), 4 * 25 * 7);
    check(&path, &mut told);
    assert_eq!(Log::read(&path).unwrap().len().unwrap(), told.len() as u64);
    println!("4 processes with 3 threads each: {} records, each once", told.len());
}

/// That a process also reads the log, or looks at what it is, does not cost it the locks that it has: then another process that
/// ends would take the write-ahead log away, and what is appended after that would be lost.
fn looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("decisions.log");
    drop(Log::open(&path, &Options::new().create(true)).unwrap());
    let early = Log::read(&path).unwrap();
    let log = Log::open(&path, &Options::new()).unwrap();
    let policy = policy();
    let mut told = BTreeSet::new();
    // Nothing is beside the file yet: its bytes are looked at, and it is closed again.
    let mut open = Vec::new();
    for _ in 0..10 {
        let found = verify(&path, &[], &|_, _| {}).unwrap();
        assert!(found.is_sound() && found.remarks.is_empty(), "{found:?}");
        #[cfg(target_os = "linux")]
        {
            assert!(is_locked(&path), "verify has taken away the lock");
            let all = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
            let of = all.filter(|fd| std::fs::read_link(fd.path()).is_ok_and(|to| to == path.canonicalize().unwrap()));
            open.push(of.count());
        }
    }
    // Some cannot be closed yet, but they do not become more.
    assert!(open.iter().all(|many| many <= &open[1]), "{open:?}");
    drop(early);
    #[cfg(target_os = "linux")]
    assert!(is_locked(&path), "a reader that was there before has taken away the lock");
    assert!(matches!(Log::checkpoint_of_file(&path, Duration::ZERO), Err(LogError::InUse(_))));
    for name in 0..3 {
        let next = entry(&policy, 99_000 + name);
        log.append(next.clone(), Some(&policy)).unwrap();
        told.insert(next.id());
        drop(Log::read(&path).unwrap());
        assert!(verify(&path, &[], &|_, _| {}).unwrap().is_sound());
        #[cfg(target_os = "linux")]
        assert!(is_locked(&path), "the lock that says that the log is in use is lost");
        let out = start(&path, name, 1).wait_with_output().unwrap();
        told.extend(String::from_utf8(out.stdout).unwrap().split_whitespace().map(|id| id.parse::<Id>().unwrap()));
    }
    let next = entry(&policy, 99_100);
    log.append(next.clone(), Some(&policy)).unwrap();
    told.insert(next.id());
    drop(log);
    assert_eq!(told.len(), 3 * (1 + 7) + 1);
    check(&path, &mut told);
}

/// The hash of the file is taken when nobody has it open, and then of all that was acknowledged.
fn in_use() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("decisions.log");
    let mut child = start(&path, 1, u64::MAX);
    while !Log::read(&path).is_ok_and(|log| log.len().is_ok_and(|len| len > 5)) {
        std::thread::sleep(Duration::from_millis(5));
    }
    for _ in 0..5 {
        let taken = Log::checkpoint_of_file(&path, Duration::from_millis(200));
        assert!(matches!(taken, Err(LogError::InUse(_) | LogError::Busy(_))), "{taken:?}");
        // While others append, what is looked at is one moment.
        let found = verify(&path, &[], &|_, _| {}).unwrap();
        assert_eq!(found.faults, [], "{:?}", found.remarks);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let head = Log::checkpoint_of_file(&path, Duration::ZERO).unwrap().head().unwrap();
    assert_eq!(head.file.unwrap().bytes, std::fs::metadata(&path).unwrap().len());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let found = verify(&path, std::slice::from_ref(&head), &|_, _| {}).unwrap();
    assert!(found.is_sound() && found.remarks[0].starts_with("each byte of the file"), "{found:?}");
    Log::open(&path, &Options::new()).unwrap().append(entry(&policy(), 99_999), Some(&policy())).unwrap();
    let found = verify(&path, &[head], &|_, _| {}).unwrap();
    assert!(found.is_sound() && found.remarks[0].starts_with("the log has grown"), "{found:?}");
}

/// This process holds the lock that SQLite has on a database that is open.
#[cfg(target_os = "linux")]
fn is_locked(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (process, file) = (std::process::id().to_string(), std::fs::metadata(path).unwrap().ino());
    let locks = std::fs::read_to_string("/proc/locks").unwrap();
    locks.lines().any(|lock| {
        let fields: Vec<&str> = lock.split_whitespace().collect();
        fields.contains(&process.as_str()) && fields.iter().any(|field| field.ends_with(&format!(":{file}")))
    })
}

fn start(log: &Path, name: u64, rounds: u64) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap());
    let numbers = [name.to_string(), rounds.to_string()];
    child.arg("append").arg(log).args(numbers).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn kill(kills: u64) {
    let mut seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    println!("seed {seed}");
    let mut random = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let (mut killed, mut acknowledged, mut unacknowledged) = (0, 0, 0);
    let begun = Instant::now();
    while killed < kills {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("decisions.log");
        let mut told: BTreeSet<Id> = BTreeSet::new();
        for round in 0..10 {
            // Two processes at once now and then; the first rounds of a log fall into its making.
            let many = 1 + u64::from(random(3) == 0);
            let mut children: Vec<Child> = (0..many).map(|n| start(&path, killed * 2 + n, u64::MAX)).collect();
            std::thread::sleep(Duration::from_micros(random(if round == 0 { 20_000 } else { 80_000 })));
            for child in &mut children {
                std::thread::sleep(Duration::from_micros(random(3_000)));
                child.kill().unwrap();
                killed += 1;
            }
            for mut child in children {
                let status = child.wait().unwrap();
                let (mut out, mut complaint) = (String::new(), String::new());
                child.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
                assert_eq!(status.code(), None, "it ended by itself: {complaint}");
                child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
                // A line is one write to a pipe, so it is whole.
                told.extend(out.split_whitespace().map(|id| id.parse::<Id>().unwrap()));
            }
            check(&path, &mut told);
            if killed >= kills {
                break;
            }
        }
        acknowledged += told.len();
        unacknowledged += Log::read(&path).map_or(0, |log| log.len().unwrap() as usize - told.len());
    }
    let took = begun.elapsed().as_secs_f64();
    println!(
        "{killed} killed in {took:.1} s: {acknowledged} records acknowledged, none lost; {unacknowledged} were in a log and not acknowledged"
    );
    assert!(acknowledged > kills as usize, "they were killed too early to tell anything");
}

/// What was told is in the log, which is whole, and can be appended to.
fn check(path: &Path, told: &mut BTreeSet<Id>) {
    // First as a reader, which changes nothing, then as the next process that appends.
    for append in [false, true] {
        let opened = if append { Log::open(path, &Options::new()) } else { Log::read(path) };
        let log = match opened {
            Ok(log) => log,
            // Killed before the log was made: then nothing was acknowledged.
            Err(LogError::NotFound(_) | LogError::NotALog { .. }) if told.is_empty() => return,
            Err(error) => panic!("{error}"),
        };
        let ids: BTreeSet<Id> = log.entries(0..u64::MAX).map(|stored| stored.unwrap().id).collect();
        let lost: Vec<&Id> = told.difference(&ids).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        // A batch of five is there or not.
        let mut batches: BTreeMap<u64, u64> = BTreeMap::new();
        for build in builds(&log) {
            let n: u64 = build.rsplit('.').next().unwrap().parse().unwrap();
            if n % 100_000 < 10_000 {
                *batches.entry(n / 5).or_default() += 1;
            }
        }
        assert!(batches.values().all(|many| *many == 5), "{batches:?}");
        let sqlite = rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let whole: String = sqlite.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(whole, "ok");
        let beside = "SELECT (SELECT count(*) FROM decision) = (SELECT count(*) FROM entry)
            AND (SELECT count(*) FROM tree WHERE level = 4) = (SELECT count(*) FROM entry) / 16";
        assert!(sqlite.query_row(beside, [], |row| row.get::<_, bool>(0)).unwrap());
    }
    let policy = policy();
    let next = entry(&policy, 99_999);
    Log::open(path, &Options::new()).unwrap().append(next.clone(), Some(&policy)).unwrap();
    told.insert(next.id());
}
