//! The file of a log: made, opened, looked at before anything in it is believed.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[cfg(unix)]
use std::os::unix::fs::MetadataExt;

use rusqlite::config::DbConfig;
use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::open::Connected;
use crate::{Head, LogError, chain};

/// `application_id` of a log: `SGLG`.
pub(crate) const APPLICATION: i32 = i32::from_be_bytes(*b"SGLG");

/// The newest format that is known here: `user_version`.
pub(crate) const FORMAT: u32 = 1;

/// SQLite before this can damage a log that two connections write.
const OLDEST_SQLITE: i32 = 3_051_003;

const SCHEMA: &str = include_str!("schema.sql");

/// The tables of a log.
pub(crate) const TABLES: [&str; 11] =
    ["meta", "word", "policy", "dictionary", "entry", "tree", "decision", "rule", "person", "override", "review"];

/// What SQLite says, as what it means for a log.
pub(crate) fn sqlite(path: &Path, source: rusqlite::Error) -> LogError {
    let file = || path.to_path_buf();
    let read_only = |why: &str| LogError::ReadOnly { path: path.to_path_buf(), why: why.into() };
    // The file of shared memory beside the log cannot grow: SQLite does not call that a full disk.
    if source.sqlite_error().is_some_and(|error| error.extended_code == SQLITE_IOERR_SHMSIZE) {
        return LogError::Full(file());
    }
    match source.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => LogError::Full(file()),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => LogError::Busy(file()),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => read_only("the file or its folder is read-only"),
        Some(ErrorCode::CannotOpen) => {
            read_only("SQLite keeps files beside it (-wal, -shm), and its folder may not be written")
        }
        Some(ErrorCode::NotADatabase) => LogError::NotALog { path: file(), why: NOT_SQLITE.into() },
        Some(ErrorCode::DatabaseCorrupt) => LogError::Corrupt { path: file(), why: source.to_string() },
        _ => LogError::Sqlite { path: file(), source },
    }
}

const EMPTY: &str = "it is empty";
const NOT_SQLITE: &str = "it does not begin as a SQLite database does";

/// Which file a path names: as long as it is the same, what is appended is where others look for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Identity(u64, u64);

impl Identity {
    pub fn of(path: &Path) -> Result<Identity, LogError> {
        Identity::at(path).map_err(|error| LogError::io(path, error))
    }

    pub fn at(path: &Path) -> std::io::Result<Identity> {
        std::fs::metadata(path).map(|metadata| Identity::of_metadata(&metadata))
    }

    #[cfg(unix)]
    pub fn of_metadata(metadata: &std::fs::Metadata) -> Identity {
        Identity(metadata.dev(), metadata.ino())
    }

    /// Where a file cannot be moved away while it is open.
    #[cfg(not(unix))]
    pub fn of_metadata(_: &std::fs::Metadata) -> Identity {
        Identity(0, 0)
    }

    /// The path still names that file.
    pub fn same(self, path: &Path) -> Result<(), LogError> {
        match Identity::of(path) {
            Ok(now) if now == self => Ok(()),
            _ => Err(moved(path)),
        }
    }
}

fn moved(path: &Path) -> LogError {
    let why = "it was moved, replaced or removed while it was open; open it again";
    LogError::io(path, std::io::Error::other(why))
}

/// The SQLite that is linked will do.
fn right_sqlite() -> Result<(), LogError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(LogError::OldSqlite { found: rusqlite::version().to_string() });
    }
    Ok(())
}

/// What is at the path, before SQLite sees it. `false`: nothing, or an empty file.
///
/// The file is not opened: closing it would take away the locks that SQLite has on it in this process, and then another
/// process that ends would remove the write-ahead log under it.
fn look(path: &Path) -> Result<bool, LogError> {
    let not_a_log = |why: &str| LogError::NotALog { path: path.to_path_buf(), why: why.into() };
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(LogError::io(path, error)),
        Ok(metadata) if metadata.is_dir() => Err(not_a_log("it is a folder")),
        Ok(metadata) if !metadata.is_file() => Err(not_a_log("it is not a regular file")),
        Ok(metadata) => Ok(metadata.len() > 0),
    }
}

/// It says that it is a log, of a format known here.
fn is_log(path: &Path, log: &Connection) -> Result<(), LogError> {
    let failed = |error| sqlite(path, error);
    let application: i32 = log.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(failed)?;
    if application != APPLICATION {
        let why = "it is a SQLite database of something else".to_string();
        return Err(LogError::NotALog { path: path.to_path_buf(), why });
    }
    let found: i32 = log.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
    match u32::try_from(found) {
        Ok(FORMAT) => Ok(()),
        Ok(found) if found > FORMAT => Err(LogError::Newer { path: path.to_path_buf(), found, known: FORMAT }),
        _ => Err(LogError::NotALog { path: path.to_path_buf(), why: format!("its format is {found}") }),
    }
}

/// What a log that is made says of itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct New<'a> {
    /// What its checkpoints call it.
    pub origin: Option<&'a str>,
    /// The log that it goes on from.
    pub after: Option<&'a Head>,
}

/// Opens a log to append to it, and makes it if that is wanted.
pub(super) fn open(path: &Path, busy: Duration, new: Option<New<'_>>) -> Result<(Connected, Identity), LogError> {
    right_sqlite()?;
    let failed = |error| sqlite(path, error);
    let there = look(path)?;
    let before = if there { Some(Identity::of(path)?) } else { None };
    if !there && new.is_none() {
        return Err(match path.exists() {
            false => LogError::NotFound(path.to_path_buf()),
            true => LogError::NotALog { path: path.to_path_buf(), why: EMPTY.into() },
        });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let flags = if there { flags } else { flags | OpenFlags::SQLITE_OPEN_CREATE };
    let log = Connection::open_with_flags(path, flags).map_err(|error| cannot_open(path, error))?;
    let mut log = Connected::live(path, log)?;
    log.busy_timeout(busy).map_err(failed)?;
    log.set_prepared_statement_cache_capacity(64);
    if log.is_readonly("main").map_err(failed)? {
        return Err(LogError::ReadOnly { path: path.to_path_buf(), why: "the file may not be written".into() });
    }
    one_name(path)?;
    // A process that was killed while it made the log leaves a part of it, which SQLite has just taken back.
    let pages: i64 = log.pragma_query_value(None, "page_count", |row| row.get(0)).map_err(failed)?;
    match (pages, new) {
        (0, Some(new)) => make(path, &mut log, new)?,
        (0, None) => return Err(LogError::NotALog { path: path.to_path_buf(), why: EMPTY.into() }),
        _ => {}
    }
    is_log(path, &log)?;
    // While it was waited for the log may have been rotated: its write-ahead log would be taken for that of the new one.
    if let Some(before) = before {
        before.same(path)?;
    }
    careful(&log).map_err(failed)?;
    let mode: String = log.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).map_err(failed)?;
    log.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    log.pragma_update(None, "secure_delete", "ON").map_err(failed)?;
    // 16 MiB of pages, and a write-ahead log that shrinks after a large transaction.
    log.pragma_update(None, "cache_size", -16_384).map_err(failed)?;
    log.pragma_update(None, "journal_size_limit", 64 << 20).map_err(failed)?;
    let synchronous: i64 = log.pragma_query_value(None, "synchronous", |row| row.get(0)).map_err(failed)?;
    if mode != "wal" || synchronous != 2 {
        let why =
            format!("SQLite keeps it as {mode} with synchronous={synchronous}, which does not make a record durable");
        return Err(LogError::ReadOnly { path: path.to_path_buf(), why });
    }
    // What a process left that was killed while it turned the write-ahead log on. SQLite has looked at it and made of it what
    // was to be made; as long as this connection is open nobody needs one, and readers would take the log for half made.
    let real = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    match std::fs::remove_file(beside(&real, "-journal")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(LogError::io(path, error)),
        _ => {}
    }
    let identity = before.map_or_else(|| Identity::of(path), Ok)?;
    Ok((log, identity))
}

/// SQLite keeps its write-ahead log beside the name by which it was opened: by two names, two processes would not see
/// each other.
fn one_name(path: &Path) -> Result<(), LogError> {
    #[cfg(unix)]
    if std::fs::metadata(path).map_err(|error| LogError::io(path, error))?.nlink() > 1 {
        let why = "the file has another name (a hard link), by which others could write it unseen";
        return Err(LogError::ReadOnly { path: path.to_path_buf(), why: why.into() });
    }
    Ok(())
}

/// A connection that reads.
pub(crate) struct Reader {
    path: PathBuf,
    /// The file itself, if the path is a link to it: SQLite's files are beside that.
    real: PathBuf,
    identity: Identity,
    busy: Duration,
    log: Connected,
    /// It takes for granted that nobody writes: how the file was when it was opened.
    still: Option<Still>,
}

/// What changes when a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Still(u64, Option<std::time::SystemTime>);

impl Still {
    fn of(path: &Path) -> Result<Still, LogError> {
        let metadata = std::fs::metadata(path).map_err(|error| LogError::io(path, error))?;
        Ok(Still(metadata.len(), metadata.modified().ok()))
    }
}

impl Reader {
    /// Opens a log to read it. Nothing on disk changes. `live`: this process has it open to append.
    pub fn open(path: &Path, busy: Duration, live: bool) -> Result<Reader, LogError> {
        let there = look(path)?;
        let identity = if there { Identity::of(path)? } else { Identity(0, 0) };
        let real = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let is_beside = |ending: &str| beside(&real, ending).exists();
        // There is one only while a log is made.
        if there && is_beside("-journal") {
            let why = "it is only half made; it is made anew when it is next opened to append, with leave to make it";
            return Err(LogError::NotALog { path: path.to_path_buf(), why: why.into() });
        }
        let still = if live || !there || is_beside(WAL) { None } else { Some(Still::of(path)?) };
        let log = read(path, busy, there, still.is_some())?;
        if still.is_some() && is_beside(WAL) {
            // Another process has begun to append in this very moment.
            return Reader::open(path, busy, false);
        }
        Ok(Reader { path: path.into(), real, identity, busy, still, log })
    }

    /// The connection, as long as what it takes for granted holds.
    pub fn connection(&mut self) -> Result<&Connection, LogError> {
        if self.still.is_some() && !self.is_valid()? {
            let again = Reader::open(&self.path, self.busy, false)?;
            if again.identity != self.identity {
                // What was read before was of another log.
                return Err(moved(&self.path));
            }
            *self = again;
        }
        Ok(&self.log)
    }

    /// What was read since it was opened is what is in the log.
    ///
    /// # Errors
    /// [`LogError::Changed`] when another process has begun to append meanwhile.
    pub fn still(&self) -> Result<(), LogError> {
        if self.is_valid()? { Ok(()) } else { Err(LogError::Changed(self.path.clone())) }
    }

    /// It was opened while nobody had the log open to append, and nobody has since.
    pub fn is_alone(&self) -> Result<bool, LogError> {
        Ok(self.still.is_some() && self.is_valid()?)
    }

    /// What was read since then is what is in the log.
    pub fn is_valid(&self) -> Result<bool, LogError> {
        match self.still {
            None => Ok(true),
            Some(still) => Ok(!beside(&self.real, WAL).exists() && Still::of(&self.path)? == still),
        }
    }
}

/// Takes over into the file what a killed process has left beside it.
///
/// # Errors
/// When another process has the log open, or it cannot be written.
pub(crate) fn take_over(path: &Path, busy: Duration) -> Result<(), LogError> {
    if !look(path)? {
        return Ok(());
    }
    let real = path.canonicalize().map_err(|error| LogError::io(path, error))?;
    if !beside(&real, WAL).exists() {
        return Ok(());
    }
    let (log, _) = open(path, busy, None)?;
    let taken = log.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
    let others = taken.map_err(|error| sqlite(path, error))?;
    // The last to close takes the file away.
    drop(log);
    if others || beside(&real, WAL).exists() { Err(LogError::InUse(path.into())) } else { Ok(()) }
}

impl Deref for Reader {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.log
    }
}

/// The write-ahead log. If there is one, somebody has the log open to append, or was killed.
const WAL: &str = "-wal";

fn read(path: &Path, busy: Duration, there: bool, still: bool) -> Result<Connected, LogError> {
    right_sqlite()?;
    if !there {
        return Err(match path.exists() {
            false => LogError::NotFound(path.to_path_buf()),
            true => LogError::NotALog { path: path.to_path_buf(), why: EMPTY.into() },
        });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let log = match still {
        false => Connection::open_with_flags(path, flags),
        // Nobody has it open: no lock is needed, and no file beside it.
        true => Connection::open_with_flags(immutable(path), flags | OpenFlags::SQLITE_OPEN_URI),
    };
    let log = log.map_err(|error| cannot_open(path, error))?;
    let log = if still { Connected::still(log) } else { Connected::live(path, log)? };
    let prepared = log.busy_timeout(busy).and_then(|()| careful(&log));
    prepared.map_err(|error| sqlite(path, error))?;
    log.set_prepared_statement_cache_capacity(64);
    is_log(path, &log).map_err(|error| match error {
        LogError::ReadOnly { path, .. } => {
            let why = "there is a -wal file beside it, which is read by writing a -shm file; copy both to a folder that may be written";
            LogError::ReadOnly { path, why: why.into() }
        }
        other => other,
    })?;
    Ok(log)
}

/// A file may not make SQLite do what we did not ask for.
fn careful(log: &Connection) -> rusqlite::Result<()> {
    log.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    log.pragma_update(None, "trusted_schema", "OFF")?;
    log.pragma_update(None, "cell_size_check", "ON")
}

/// The path with something after its name: the file that SQLite keeps beside it.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(ending);
    name.into()
}

/// As a URI that says that nobody changes the file.
fn immutable(path: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => uri.push(char::from(*byte)),
            other => uri.push_str(&format!("%{other:02x}")),
        }
    }
    uri + "?immutable=1"
}

fn cannot_open(path: &Path, error: rusqlite::Error) -> LogError {
    if error.sqlite_error_code() != Some(ErrorCode::CannotOpen) {
        return sqlite(path, error);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        let why = std::io::Error::new(std::io::ErrorKind::NotFound, "its folder does not exist");
        return LogError::io(path, why);
    }
    LogError::ReadOnly { path: path.to_path_buf(), why: "neither it nor its folder may be written".into() }
}

/// `sum` in `meta`: SHA-256 over the other pairs, sorted by key, each as `key=value` and a newline.
pub(crate) fn meta_sum(pairs: &[(String, String)]) -> String {
    let text: String = pairs.iter().map(|(key, value)| format!("{key}={value}\n")).collect();
    crate::hex(&hmac_sha256::Hash::hash(text.as_bytes()))
}

/// Makes the tables, and the triggers that refuse to change or remove anything.
pub(crate) fn tables(log: &Connection) -> rusqlite::Result<()> {
    log.execute_batch(SCHEMA)?;
    for table in TABLES {
        for (what, word) in [("UPDATE", "changed"), ("DELETE", "removed")] {
            let lower = what.to_lowercase();
            log.execute_batch(&format!(
                "CREATE TRIGGER no_{lower}_{table} BEFORE {what} ON {table} BEGIN \
                 SELECT raise(ABORT, 'what is in a decision log is not {word}'); END"
            ))?;
        }
    }
    Ok(())
}

/// Makes an empty log in one transaction, before there is a write-ahead log: a file that has a table has all of them.
fn make(path: &Path, log: &mut Connection, new: New<'_>) -> Result<(), LogError> {
    let failed = |error| sqlite(path, error);
    log.pragma_update(None, "synchronous", "EXTRA").map_err(failed)?;
    log.pragma_update(None, "secure_delete", "ON").map_err(failed)?;
    let making = log.transaction_with_behavior(TransactionBehavior::Exclusive).map_err(failed)?;
    // Another process may have made it meanwhile.
    let there: i64 = making.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    if there == 0 {
        tables(&making).map_err(failed)?;
        let own = format!("stagegate-log/{}", crate::Id::new());
        let origin = new.origin.unwrap_or(&own);
        let origin = new.after.map_or_else(|| Ok(origin.to_string()), |head| chain::origin(origin, head))?;
        // A log whose checkpoints nobody could read is not made.
        crate::Checkpoint::new(origin.as_str(), 0, [0; 32])?;
        let created = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Nanos, true);
        let meta = [("created", created), ("format", FORMAT.to_string()), ("origin", origin)];
        let mut meta: Vec<(String, String)> = meta.map(|(key, value)| (key.to_string(), value)).into();
        meta.extend(new.after.map(chain::meta).into_iter().flatten());
        meta.push(("sum".to_string(), meta_sum(&meta)));
        for (key, value) in meta {
            making.execute("INSERT INTO meta VALUES (?1, ?2)", (key, value)).map_err(failed)?;
        }
        making.pragma_update(None, "application_id", APPLICATION).map_err(failed)?;
        making.pragma_update(None, "user_version", FORMAT).map_err(failed)?;
    }
    making.commit().map_err(failed)?;
    // The name of the new file has to be durable too.
    sync_folder(path)
}

/// The name of a file is durable, and so is that another one is gone.
pub(crate) fn sync_folder(path: &Path) -> Result<(), LogError> {
    #[cfg(unix)]
    {
        let real = path.canonicalize().map_err(|error| LogError::io(path, error))?;
        if let Some(folder) = real.parent() {
            std::fs::File::open(folder)
                .and_then(|folder| folder.sync_all())
                .map_err(|error| LogError::io(folder, error))?;
        }
    }
    Ok(())
}
