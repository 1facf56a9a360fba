//! The end of a log's year: it is closed and put elsewhere, and a new one begins under its name.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use crate::log::body::Bodies;
use crate::log::file::{beside, sqlite, sync_folder};
use crate::log::nodes::{Growing, leaf_hash};
use crate::log::open::Connected;
use crate::query::Query;
use crate::{Head, Log, LogError, Options, verify};

/// What became of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rotated {
    /// The log that was closed, as it stands.
    pub closed: Head,
    /// What the new one's checkpoints call it.
    pub origin: String,
    /// Decisions of the closed log in which an override was in force, and which nobody has reviewed: reviews are recorded
    /// in the log of the decision, and this one takes none any more.
    pub unreviewed: u64,
}

/// How long to wait for others to close the log.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(5);

/// Closes a log and begins a new one in its place, which says which log it goes on from. The closed one gets the name
/// `archive`, on the same file system, and may not be written any more. There is a log under the old name at each instant.
///
/// Nobody may have the log open to append meanwhile; who opens it next appends to the new one.
///
/// # Errors
/// When the log is not what was recorded ([`LogError::NotProven`]); when others have it open for longer than ten seconds
/// ([`LogError::Busy`]), there is a file called `archive`, or the files cannot be moved or made. The log is then as before.
pub fn rotate(path: &Path, archive: &Path, progress: &(dyn Fn(u64, u64) + Sync)) -> Result<Rotated, LogError> {
    let resumed = same(path, archive);
    if !resumed && std::fs::symlink_metadata(archive).is_ok() {
        return Err(LogError::Invalid(format!("{}: there is such a file already", archive.display())));
    }
    if std::fs::symlink_metadata(path).is_ok_and(|file| file.is_symlink()) {
        let why = "it is a link to the log; rotate the log itself, which others may open by another name";
        return Err(LogError::Invalid(format!("{}: {why}", path.display())));
    }
    // A name that no other has: what a rotation left that was killed is not in the way of the next.
    let partial = beside(path, &format!(".{}.partial", crate::Id::new()));
    let found = verify(path, &[], progress)?;
    if let Some(first) = found.faults.first() {
        let why = format!("{}: it is not what was recorded, and is not rotated: {first}", path.display());
        return Err(LogError::NotProven(why));
    }
    let unreviewed = Query::parse("overridden by any and not reviewed", stagegate::schedule::Zone::UTC)
        .map_err(|error| LogError::Invalid(error.to_string()))
        .and_then(|open| Log::read(path)?.count(&open))?;
    let moved = alone(path).and_then(|log| {
        let closed = closed(path, &log, &found.head)?;
        let new = Log::open(&partial, &Options::new().create(true).after(closed.clone()))?;
        let origin = new.origin()?;
        drop(new);
        // Two names first: a log that has two is not appended to, and if the end comes now, rotating again goes on here.
        if !resumed {
            std::fs::hard_link(path, archive).map_err(|error| match error.kind() {
                std::io::ErrorKind::CrossesDevices => {
                    let why = "it is on another file system: name a file on that of the log, and move it there later";
                    LogError::Invalid(format!("{}: {why}", archive.display()))
                }
                _ => LogError::io(archive, error),
            })?;
        }
        sync_folder(archive)?;
        if let Err(error) = std::fs::rename(&partial, path) {
            let _ = std::fs::remove_file(archive);
            return Err(LogError::io(path, error));
        }
        sync_folder(path)?;
        Ok((closed, origin))
    });
    let moved = moved.inspect_err(|_| {
        // Of a name that was free before.
        let _ = std::fs::remove_file(&partial);
    });
    // Its journal is again what it is in a log; if the old one stayed, too.
    let restored = as_a_log(if moved.is_ok() { archive } else { path });
    let (closed, origin) = moved?;
    restored?;
    read_only(archive)?;
    Ok(Rotated { closed, origin, unreviewed })
}

/// The log as it stands now that nobody can append. It was verified up to `before`; of what has come since, every line has
/// to have its hash in the tree.
fn closed(path: &Path, log: &Connection, before: &Head) -> Result<Head, LogError> {
    let failed = |error| sqlite(path, error);
    let changed = || {
        let why = "it is not what it was a moment ago, when it was verified, and is not rotated";
        LogError::NotProven(format!("{}: {why}", path.display()))
    };
    let next = "SELECT coalesce(max(seq) + 1, 0) FROM entry";
    let next: i64 = log.query_row(next, [], |row| row.get(0)).map_err(failed)?;
    let size = u64::try_from(next).unwrap_or_default();
    let mut growing = Growing::read(log, before.size).map_err(failed)?.ok_or_else(changed)?;
    if growing.root() != before.root {
        return Err(changed());
    }
    let bodies = Bodies::default();
    let mut rows = log.prepare("SELECT body, dictionary FROM entry WHERE seq >= ?1 ORDER BY seq").map_err(failed)?;
    let mut rows = rows.query([i64::try_from(before.size).unwrap_or(i64::MAX)]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let body: Vec<u8> = row.get(0).map_err(failed)?;
        let dictionary = |id: i64| log.query_row("SELECT bytes FROM dictionary WHERE id = ?1", [id], |row| row.get(0));
        let line = bodies.line(&body, row.get(1).map_err(failed)?, dictionary).map_err(|_| changed())?;
        let Ok(()) = growing.push(leaf_hash(&line), |_, _, _| Ok::<(), std::convert::Infallible>(()));
    }
    let stored = Growing::read(log, size).map_err(failed)?.ok_or_else(changed)?;
    if (growing.size(), growing.root()) != (stored.size(), stored.root()) {
        return Err(changed());
    }
    Ok(Head { origin: before.origin.clone(), size, root: growing.root(), file: None })
}

/// Both names are of one file.
fn same(one: &Path, other: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let of = |path: &Path| std::fs::symlink_metadata(path).map(|file| (file.dev(), file.ino())).ok();
        let names = std::fs::metadata(one).map_or(0, |file| file.nlink());
        names == 2 && of(one).is_some() && of(one) == of(other)
    }
    #[cfg(not(unix))]
    {
        let _ = (one, other);
        false
    }
}

/// A connection beside which there is no other, and which lets nobody in as long as it is there. What stood beside the
/// file, in its write-ahead log, is in the file.
fn alone(path: &Path) -> Result<Connected, LogError> {
    let failed = |error| sqlite(path, error);
    let log = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX);
    let log = Connected::live(path, log.map_err(failed)?)?;
    if log.is_readonly("main").map_err(failed)? {
        return Err(LogError::ReadOnly { path: path.to_path_buf(), why: "the file may not be written".into() });
    }
    log.busy_timeout(Duration::ZERO).map_err(failed)?;
    log.pragma_update(None, "synchronous", "EXTRA").map_err(failed)?;
    let begun = Instant::now();
    loop {
        match lock(&log) {
            Ok(true) if !beside(path, "-wal").exists() => return Ok(log),
            Err(error) => match failed(error) {
                LogError::Busy(_) if begun.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
                other => return Err(other),
            },
            Ok(_) if begun.elapsed() >= PATIENCE => return Err(LogError::Busy(path.to_path_buf())),
            // Some come and go: for a moment nobody may have it open.
            Ok(_) => std::thread::sleep(PAUSE),
        }
    }
}

/// Whether nobody else has it open, and nobody can open it from now on.
fn lock(log: &Connection) -> rusqlite::Result<bool> {
    if !log.is_autocommit() {
        log.execute_batch("ROLLBACK")?;
    }
    // This takes a lock for which no other connection leaves room. All that is written are a few bytes in the first sector of
    // the file: no journal is needed for it, and none is left beside the log if the end comes now.
    let mode: String = log.pragma_update_and_check(None, "journal_mode", "MEMORY", |row| row.get(0))?;
    if mode != "memory" {
        return Ok(false);
    }
    log.execute_batch("BEGIN EXCLUSIVE")?;
    // Nobody was quicker and has turned it back.
    log.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0)).map(|mode| mode == "memory")
}

/// With a write-ahead log, as it is opened to append; `verify` looks.
fn as_a_log(path: &Path) -> Result<(), LogError> {
    let failed = |error| sqlite(path, error);
    let log = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX);
    let log = log.map_err(failed)?;
    log.busy_timeout(Duration::from_secs(10)).map_err(failed)?;
    log.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    for mode in ["MEMORY", "WAL"] {
        log.pragma_update(None, "journal_mode", mode).map_err(failed)?;
    }
    log.close().map_err(|(_, error)| failed(error))
}

fn read_only(path: &Path) -> Result<(), LogError> {
    let set = std::fs::metadata(path).and_then(|file| {
        let mut permissions = file.permissions();
        permissions.set_readonly(true);
        std::fs::set_permissions(path, permissions)
    });
    set.map_err(|error| LogError::io(path, error))
}
