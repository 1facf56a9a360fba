//! Is the log what was recorded? Everything in the file is worked out again from the lines and compared: what each record
//! says of itself, the tree over all of them, the tables that queries read, the texts of the policies, the tables' own
//! definitions, and the bytes that no table shows.
//!
//! What nobody can see from the log alone: whether its owner has written all of it anew, and whether its end was cut off
//! with everything that belongs to it. That is what checkpoints are for that somebody else keeps.

mod pages;
mod tables;
mod wal;

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::mpsc::sync_channel;

use rayon::prelude::*;
use rusqlite::{Connection, OptionalExtension};

use crate::log::body::{self, Bodies};
use crate::log::file::{self, Reader};
use crate::log::nodes::{self, Growing, Hash};
use crate::log::rows;
use crate::{Entry, FileHash, Id, Log, LogError, PolicyText};
use tables::{Names, SIDE, Sums, Tables};

/// How a log stood once, as a checkpoint tells: its size, and the root of the tree over its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// What the log calls itself in checkpoints.
    pub origin: String,
    /// How many records it had.
    pub size: u64,
    /// The root of the tree.
    pub root: [u8; 32],
    /// The hash of the whole file, if it was taken.
    pub file: Option<FileHash>,
}

/// Something that is not as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[non_exhaustive]
pub struct Fault {
    /// The record, counted from 0; `None` for what belongs to none.
    pub seq: Option<u64>,
    /// The record's id, if there is one to be read.
    pub id: Option<String>,
    /// What is wrong.
    pub what: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.seq, &self.id) {
            (Some(seq), Some(id)) => write!(f, "record {seq} ({id}): {}", self.what),
            (Some(seq), None) => write!(f, "record {seq}: {}", self.what),
            _ => f.write_str(&self.what),
        }
    }
}

/// What [`verify`] found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Verification {
    /// The log as it stands: what a checkpoint of it says.
    pub head: Head,
    /// How many of the records are decisions.
    pub decisions: u64,
    /// How many are reviews.
    pub reviews: u64,
    /// How many tell of dropped decisions.
    pub dropped: u64,
    /// How many texts of policies are kept.
    pub policies: u64,
    /// What is wrong: first what belongs to records, in their order. At most [`MOST`].
    pub faults: Vec<Fault>,
    /// How many more there are.
    pub more: u64,
    /// What a person should know, though nothing is wrong with it.
    pub remarks: Vec<String>,
}

impl Verification {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }
}

/// As many faults are told; the others are counted.
pub const MOST: usize = 100;

/// Rows that are read at once, and checked on all cores.
const CHUNK: usize = 2_048;

/// Compares everything in a log with what follows from its lines, and with how it stood at `heads`. `progress` is told how
/// many records are done, of how many.
///
/// A process may verify a log that it has open to append, and others may append meanwhile: what is compared is one moment.
///
/// # Errors
/// When there is no such log, or it cannot be read at all. What can be read and is wrong is in the [`Verification`].
pub fn verify(
    path: impl AsRef<Path>,
    heads: &[Head],
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Verification, LogError> {
    let path = path.as_ref();
    let log = Log::read(path)?;
    match once(path, &log, heads, progress, Log::connect) {
        // Somebody appends meanwhile: then it is read as a log that others append to.
        Err(LogError::Changed(_)) => once(path, &log, heads, progress, Log::connect_along),
        found => found,
    }
}

/// How it is connected to.
type Connect = fn(&Log) -> Result<Reader, LogError>;

fn once(
    path: &Path,
    log: &Log,
    heads: &[Head],
    progress: &(dyn Fn(u64, u64) + Sync),
    connect: Connect,
) -> Result<Verification, LogError> {
    let connection = connect(log)?;
    // One moment of the log, however long this takes and whoever appends meanwhile.
    let failed = |error| file::sqlite(path, error);
    connection.execute_batch("BEGIN").map_err(failed)?;
    let mut found = Found::default();
    // SQLite looks at the whole file on one core meanwhile. It need not be the same moment: the file is in order or not.
    let (whole, file) = std::thread::scope(|scope| {
        let file = scope.spawn(|| look_at_file(path, log, connect));
        let whole = found.whole(path, log, &connection, heads, progress);
        (whole.map_err(failed), file.join())
    });
    let file = file.unwrap_or_else(|_| Err(LogError::Invalid("looking at it came to no end".into())));
    match file {
        Ok((faults, remarks)) => {
            found.remarks.splice(..0, remarks);
            let faults = faults.into_iter().map(|what| Fault { seq: None, id: None, what });
            found.faults.splice(..0, faults);
        }
        Err(error) => found.unread(error)?,
    }
    whole.or_else(|error| found.unread(error))?;
    connection.still()?;
    Ok(found.finish(log.origin().unwrap_or_default()))
}

/// What is wrong, and what a person should know.
type Looked = (Vec<String>, Vec<String>);

/// The bytes of the file, and SQLite's own look at its structure.
fn look_at_file(path: &Path, log: &Log, connect: Connect) -> Result<Looked, LogError> {
    let failed = |error| file::sqlite(path, error);
    let connection = connect(log)?;
    connection.execute_batch("BEGIN").map_err(failed)?;
    let (said, roots, cookie) = structure(&connection).map_err(failed)?;
    let said = said.iter().filter(|what| *what != "ok");
    let mut faults: Vec<String> = said.map(|what| format!("SQLite finds the file damaged: {}", what.trim())).collect();
    let mut remarks = Vec::new();
    let unread = |error: std::io::Error| format!("the bytes of the file cannot be read: {error}");
    match wal::check(path) {
        Ok(wal::Wal::None) => match pages::check(path, &roots, cookie) {
            Ok(wrong) => faults.extend(wrong),
            Err(error) => faults.push(unread(error)),
        },
        Ok(wal::Wal::Whole) => remarks
            .push("the log is open, or was not closed: what lies between its records was not looked at".to_string()),
        Ok(wal::Wal::Torn) => remarks.push(
            "the last transaction beside the log (-wal) is not whole: a crash cut it off before it was recorded, or \
             somebody changed it; only a checkpoint tells which"
                .to_string(),
        ),
        Ok(wal::Wal::Damaged) => faults.push(
            "the newest records, which are still in the file beside the log (-wal), are damaged and cannot be read"
                .to_string(),
        ),
        Err(error) => faults.push(unread(error)),
    }
    connection.still()?;
    Ok((faults, remarks))
}

/// What SQLite says of the file, the first pages of its trees, and the count of changes to tables that it should have.
fn structure(connection: &Connection) -> rusqlite::Result<(Vec<String>, Vec<u32>, u32)> {
    let mut check = connection.prepare("PRAGMA integrity_check(20)")?;
    let said = check.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut roots = vec![1];
    let mut trees = connection.prepare("SELECT rootpage FROM sqlite_schema WHERE rootpage > 0")?;
    roots.extend(trees.query_map([], |row| row.get::<_, u32>(0))?.collect::<rusqlite::Result<Vec<_>>>()?);
    Ok((said, roots, expected_schema()?.1))
}

/// What has been found so far.
#[derive(Default)]
struct Found {
    kinds: [u64; 3],
    policies: u64,
    faults: Vec<Fault>,
    more: u64,
    remarks: Vec<String>,
    root: Hash,
    size: u64,
}

/// A row of `entry`.
struct Row {
    seq: i64,
    id: Vec<u8>,
    kind: i64,
    recorded: i64,
    leaf: Vec<u8>,
    dictionary: Option<i64>,
    body: Vec<u8>,
    sum: i64,
}

/// What one row turned out to be.
struct Checked {
    seq: u64,
    id: Id,
    leaf: Hash,
    kind: i64,
    faults: Vec<String>,
}

impl Found {
    /// What SQLite cannot read is not what was recorded, unless it only could not be read just now.
    fn unread(&mut self, error: LogError) -> Result<(), LogError> {
        if matches!(error, LogError::Busy(_) | LogError::Changed(_)) {
            return Err(error);
        }
        self.fault(None, None, format!("the file is damaged: {error}"));
        Ok(())
    }

    fn fault(&mut self, seq: Option<u64>, id: Option<String>, what: String) {
        if self.faults.len() < MOST * 10 {
            self.faults.push(Fault { seq, id, what });
        } else {
            self.more += 1;
        }
    }

    fn finish(mut self, origin: String) -> Verification {
        // What belongs to a record comes first: the first bad one is what somebody asks for.
        self.faults.sort_by_key(|fault| (fault.seq.is_none(), fault.seq));
        self.more += self.faults.len().saturating_sub(MOST) as u64;
        self.faults.truncate(MOST);
        let [decisions, reviews, dropped] = self.kinds;
        Verification {
            head: Head { origin, size: self.size, root: self.root, file: None },
            decisions,
            reviews,
            dropped,
            policies: self.policies,
            faults: self.faults,
            more: self.more,
            remarks: self.remarks,
        }
    }

    fn whole(
        &mut self,
        path: &Path,
        log: &Log,
        connection: &Connection,
        heads: &[Head],
        progress: &(dyn Fn(u64, u64) + Sync),
    ) -> rusqlite::Result<()> {
        self.schema(connection)?;
        self.meta(connection)?;
        let bodies = Bodies::default();
        let dictionaries = self.dictionaries(connection)?;
        self.policies(connection, &bodies)?;
        let next: i64 = connection.query_row("SELECT coalesce(max(seq) + 1, 0) FROM entry", [], |row| row.get(0))?;
        let size = u64::try_from(next).unwrap_or_default();
        let names = Names::read(connection)?;
        let tables = names.stored(connection, size)?;
        for (table, seq) in &tables.strays {
            let seq = u64::try_from(*seq).ok();
            self.fault(seq, None, format!("the table {table} speaks of it, and there is no such record"));
        }
        for (text, id) in names.words() {
            if !tables.words.contains(&id) {
                self.fault(None, None, format!("the name {text:?} is of no record"));
            }
        }
        let check = Check { bodies: &bodies, dictionaries: &dictionaries, names: &names, tables: &tables };
        self.entries(log, connection, &check, heads, size, progress)?;
        self.file_hashes(path, heads);
        Ok(())
    }

    /// The file is, byte for byte, what it was when a checkpoint of as many records took its hash.
    fn file_hashes(&mut self, path: &Path, heads: &[Head]) {
        let mut now = None;
        for (size, then) in heads.iter().filter_map(|head| Some((head.size, head.file?))) {
            if size > self.size {
                continue;
            }
            if size < self.size {
                self.remarks.push(format!(
                    "the log has grown since the checkpoint of {size} records: the hash of the file that it holds tells nothing any more"
                ));
                continue;
            }
            let now = match now.map_or_else(|| FileHash::of(path), Ok) {
                Ok(found) => *now.insert(found),
                Err(error) => return self.fault(None, None, format!("the bytes of the file cannot be read: {error}")),
            };
            if now == then {
                self.remarks.push(format!("each byte of the file is what it was at the checkpoint of {size} records"));
                continue;
            }
            let bytes = match now.bytes == then.bytes {
                true => format!("among its {} bytes, at least one is another", now.bytes),
                false => format!("it had {} bytes, and has {}", then.bytes, now.bytes),
            };
            let what = format!(
                "the file is not what it was at the checkpoint of {size} records, though as many are in it: {bytes}"
            );
            self.fault(None, None, what);
        }
    }

    /// Tables, indexes and triggers are those that a log has.
    fn schema(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let (found, expected) = (definitions(connection)?, &expected_schema()?.0);
        for missing in expected.difference(&found) {
            self.fault(None, None, format!("the {} {} is missing, or was changed", missing.0, missing.1));
        }
        for strange in found.difference(expected) {
            self.fault(None, None, format!("the {} {} is not one of a log, or was changed", strange.0, strange.1));
        }
        Ok(())
    }

    /// What the log says of itself.
    fn meta(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut rows = connection.prepare("SELECT key, value FROM meta WHERE key <> 'sum' ORDER BY key")?;
        let pairs: Vec<(String, String)> =
            rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
        let sum: Option<String> =
            connection.query_row("SELECT value FROM meta WHERE key = 'sum'", [], |row| row.get(0)).optional()?;
        if sum != Some(file::meta_sum(&pairs)) {
            self.fault(None, None, "what the log says of itself (origin, creation) was changed".to_string());
        }
        if let Err(why) = crate::chain::predecessor(&pairs) {
            self.fault(None, None, why);
        }
        Ok(())
    }

    fn dictionaries(&mut self, connection: &Connection) -> rusqlite::Result<HashMap<i64, Vec<u8>>> {
        let mut rows = connection.prepare("SELECT id, bytes, sum FROM dictionary ORDER BY id")?;
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let mut known = HashMap::new();
        for row in rows {
            let (id, bytes, sum): (i64, Vec<u8>, i64) = row?;
            if body::sum(&[&bytes]) != sum {
                self.fault(None, None, format!("the dictionary {id}, with which records are packed, was changed"));
            }
            known.insert(id, bytes);
        }
        Ok(known)
    }

    /// Each text has its digest, and what stands beside it follows from it.
    fn policies(&mut self, connection: &Connection, bodies: &Bodies) -> rusqlite::Result<()> {
        let mut rows =
            connection.prepare("SELECT digest, name, language, zone, sources, sum FROM policy ORDER BY id")?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            self.policies += 1;
            let (digest, name, language): (String, String, u32) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let (zone, sources, sum): (String, Vec<u8>, i64) = (row.get(3)?, row.get(4)?, row.get(5)?);
            let mut wrong = |what: String| self.fault(None, None, format!("the policy {digest}: {what}"));
            if body::sum(&[&sources]) != sum {
                wrong("its text was changed".into());
                continue;
            }
            let text = bodies.line(&sources, None, |_| Err(rusqlite::Error::QueryReturnedNoRows));
            let text: Result<Vec<(String, String)>, String> =
                text.and_then(|text| serde_json::from_slice(&text).map_err(|error| error.to_string()));
            let text = match text {
                Ok(text) => text,
                Err(error) => {
                    wrong(format!("its text cannot be read: {error}"));
                    continue;
                }
            };
            let text = PolicyText::new(&name, language, &zone, text);
            if text.digest != digest {
                wrong(format!("its text is that of {}", text.digest));
                continue;
            }
            match text.compile() {
                // An older version of the language is no fault: the policy was recorded then.
                Ok(policy)
                    if (policy.name(), policy.zone().name()) != (name.as_str(), zone.as_str())
                        || !(1..=stagegate::LANGUAGE).contains(&language) =>
                {
                    wrong("its name, its zone or its version of the language was changed".into());
                }
                Ok(_) => {}
                Err(why) => self.remarks.push(format!(
                    "the policy {digest} ({name}): {why}; its decisions cannot be made again with stagegate {}",
                    stagegate::VERSION
                )),
            }
        }
        Ok(())
    }

    /// Each record, and the tree over them.
    fn entries(
        &mut self,
        log: &Log,
        connection: &Connection,
        check: &Check<'_>,
        heads: &[Head],
        size: u64,
        progress: &(dyn Fn(u64, u64) + Sync),
    ) -> rusqlite::Result<()> {
        let mut growing = Growing::default();
        let mut nodes: HashMap<(u32, u64), Hash> = HashMap::new();
        // Sizes at which somebody knows the root.
        let mut roots: HashMap<u64, Hash> = heads.iter().map(|head| (head.size, growing.root())).collect();
        let mut gap = false;
        std::thread::scope(|scope| {
            let (send, receive) = sync_channel::<Vec<Checked>>(2);
            let checking = move || -> rusqlite::Result<()> {
                let send = send;
                let sql = "SELECT seq, id, kind, recorded, leaf, dictionary, body, sum FROM entry ORDER BY seq";
                let mut rows = connection.prepare(sql)?;
                let mut rows = rows.query_map([], |row| {
                    Ok(Row {
                        seq: row.get(0)?,
                        id: row.get(1)?,
                        kind: row.get(2)?,
                        recorded: row.get(3)?,
                        leaf: row.get(4)?,
                        dictionary: row.get(5)?,
                        body: row.get(6)?,
                        sum: row.get(7)?,
                    })
                })?;
                loop {
                    let chunk: Vec<Row> = rows.by_ref().take(CHUNK).collect::<rusqlite::Result<_>>()?;
                    if chunk.is_empty() {
                        return Ok(());
                    }
                    let find = |id: &Id| reviewed(log, id);
                    let checked = chunk.into_par_iter().map(|row| check.row(row, &find)).collect();
                    if send.send(checked).is_err() {
                        return Ok(());
                    }
                }
            };
            // The connection stays in this thread; the tree grows in another.
            let tree = scope.spawn(|| {
                let mut faults = Vec::new();
                let mut kinds = [0; 3];
                for checked in receive {
                    for row in checked {
                        let next = growing.size();
                        if row.seq != next && !gap {
                            gap = true;
                            let what = match row.seq.checked_sub(next) {
                                Some(1) => "it is missing".to_string(),
                                Some(missing) => format!("it and {} after it are missing", missing - 1),
                                None => "it is there twice, or its number is not one".to_string(),
                            };
                            faults.push((next, None, what));
                        }
                        let id = row.id.to_string();
                        faults.extend(row.faults.into_iter().map(|what| (row.seq, Some(id.clone()), what)));
                        if let Some(kind) = usize::try_from(row.kind).ok().and_then(|kind| kinds.get_mut(kind)) {
                            *kind += 1;
                        }
                        let keep = |level, idx, hash: &Hash| -> Result<(), std::convert::Infallible> {
                            nodes.insert((level, idx), *hash);
                            Ok(())
                        };
                        let Ok(()) = growing.push(row.leaf, keep);
                        if let Some(root) = roots.get_mut(&growing.size()) {
                            *root = growing.root();
                        }
                    }
                    progress(growing.size().min(size), size);
                }
                (faults, kinds)
            });
            // With it ends what sends, and so the other thread.
            let read = checking();
            let (faults, kinds) = tree.join().unwrap_or_default();
            for (seq, id, what) in faults {
                self.fault(Some(seq), id, what);
            }
            self.kinds = kinds;
            read
        })?;
        (self.size, self.root) = (growing.size(), growing.root());
        // Where a record is not what it was, the hashes over it cannot be right.
        if !gap && self.faults.iter().all(|fault| fault.seq.is_none()) {
            self.tree(connection, nodes)?;
        }
        let origin: String =
            connection.query_row("SELECT value FROM meta WHERE key = 'origin'", [], |row| row.get(0))?;
        self.heads(heads, &roots, &origin);
        Ok(())
    }

    /// The hashes that are kept are those of the tree.
    fn tree(&mut self, connection: &Connection, mut nodes: HashMap<(u32, u64), Hash>) -> rusqlite::Result<()> {
        let mut rows = connection.prepare("SELECT level, idx, hash FROM tree ORDER BY level, idx")?;
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        for row in rows {
            let (level, idx, hash): (u32, i64, Vec<u8>) = row?;
            let idx = u64::try_from(idx).unwrap_or(u64::MAX);
            if nodes.remove(&(level, idx)).is_none_or(|expected| expected.as_slice() != hash) {
                let first = idx.checked_shl(level);
                self.fault(
                    first,
                    None,
                    format!("the hash that is kept of the {} records from it on is wrong", 1u64 << level.min(63)),
                );
            }
        }
        for (level, idx) in nodes.into_keys() {
            let first = idx.checked_shl(level);
            self.fault(first, None, format!("the hash of the {} records from it on is missing", 1u64 << level.min(63)));
        }
        Ok(())
    }

    /// The log is what it was when the checkpoints were made, and more.
    fn heads(&mut self, heads: &[Head], roots: &HashMap<u64, Hash>, origin: &str) {
        let mut heads: Vec<&Head> = heads.iter().collect();
        heads.sort_by_key(|head| head.size);
        let mut good = 0;
        for head in heads {
            if head.origin != origin {
                let what = format!("the checkpoint is one of {}, and this is {origin}", head.origin);
                self.fault(None, None, what);
            } else if head.size > self.size {
                let what = format!(
                    "it is missing: the checkpoint speaks of {} records, and there are {}; the end was cut off",
                    head.size, self.size
                );
                self.fault(Some(self.size), None, what);
            } else if roots.get(&head.size) != Some(&head.root) {
                let what = format!(
                    "of the records {good} to {}, at least one is not what it was when the checkpoint of {} records was made",
                    head.size.saturating_sub(1),
                    head.size
                );
                self.fault(Some(good), None, what);
            } else {
                good = head.size;
            }
        }
    }
}

/// The decision with that id: its number.
fn reviewed(log: &Log, id: &Id) -> Option<i64> {
    let sql = "SELECT seq FROM entry WHERE id = ?1 AND kind = 0";
    let find = |log: &Connection| log.query_row(sql, [id.as_bytes()], |row| row.get(0)).optional();
    log.with_connection(find).ok().flatten()
}

/// How a log's tables are defined, and SQLite's count of changes to definitions after that.
fn expected_schema() -> rusqlite::Result<&'static (BTreeSet<Definition>, u32)> {
    static EXPECTED: OnceLock<(BTreeSet<Definition>, u32)> = OnceLock::new();
    if let Some(expected) = EXPECTED.get() {
        return Ok(expected);
    }
    let log = Connection::open_in_memory()?;
    file::tables(&log)?;
    let cookie = log.pragma_query_value(None, "schema_version", |row| row.get(0))?;
    let definitions = definitions(&log)?;
    Ok(EXPECTED.get_or_init(|| (definitions, cookie)))
}

type Definition = (String, String, String, Option<String>);

fn definitions(connection: &Connection) -> rusqlite::Result<BTreeSet<Definition>> {
    let mut rows = connection.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema")?;
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    rows.collect()
}

/// What a row is compared with.
struct Check<'a> {
    bodies: &'a Bodies,
    dictionaries: &'a HashMap<i64, Vec<u8>>,
    names: &'a Names,
    tables: &'a Tables,
}

impl Check<'_> {
    fn row(&self, row: Row, find: &dyn Fn(&Id) -> Option<i64>) -> Checked {
        let seq = u64::try_from(row.seq).unwrap_or(u64::MAX);
        let mut faults = Vec::new();
        let id = match <[u8; 16]>::try_from(row.id.as_slice()) {
            Ok(id) => Id::from_bytes(id),
            Err(_) => {
                faults.push("its id is not one".to_string());
                Id::from_bytes([0; 16])
            }
        };
        let parts = (row.seq, row.kind, row.recorded, row.dictionary);
        if body::row_sum(parts, &row.id, &row.leaf, &row.body) != row.sum {
            faults.push("it was changed, or stood elsewhere (its sum is wrong)".to_string());
        }
        let look_up = |id| self.dictionaries.get(&id).cloned().ok_or(rusqlite::Error::QueryReturnedNoRows);
        let line = self.bodies.line(&row.body, row.dictionary, look_up);
        let mut leaf = <Hash>::try_from(row.leaf.as_slice()).unwrap_or_default();
        match line {
            Err(error) => faults.push(error),
            Ok(line) => {
                let hash = nodes::leaf_hash(&line);
                if hash != leaf {
                    faults.push("it was changed (it has not the hash that is kept of it)".to_string());
                }
                leaf = hash;
                faults.extend(self.line(&line, seq, id, row.kind, row.recorded, find).err());
            }
        }
        Checked { seq, id, leaf, kind: row.kind, faults }
    }

    /// What stands beside the line follows from it.
    fn line(
        &self,
        line: &[u8],
        seq: u64,
        id: Id,
        kind: i64,
        recorded: i64,
        find: &dyn Fn(&Id) -> Option<i64>,
    ) -> Result<(), String> {
        let text = std::str::from_utf8(line).map_err(|_| "its line is not UTF-8".to_string())?;
        let entry = Entry::from_json(text).map_err(|error| error.to_string())?;
        let rows = rows::rows(&entry).map_err(|error| error.to_string())?;
        if entry.id() != id || rows.kind != kind || rows.recorded != recorded {
            return Err("its id, its kind or its time of recording is not what its line says".to_string());
        }
        let of = match &rows.review {
            None => None,
            Some(review) => match find(&review.of) {
                Some(of) if u64::try_from(of).is_ok_and(|of| of < seq) => Some(of),
                _ => return Err(format!("it is a review of {}, and no decision before it is that", review.of)),
            },
        };
        let expected = self.names.expected(&rows, of)?;
        let index = usize::try_from(seq).unwrap_or(usize::MAX);
        let stored: Sums = self.tables.sums.get(index).copied().unwrap_or_default();
        for (table, (expected, stored)) in SIDE.iter().zip(expected.iter().zip(stored)) {
            if *expected != stored {
                return Err(format!("the table {table} does not say of it what its line says"));
            }
        }
        Ok(())
    }
}
