//! Reading a log.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::PoisonError;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row};
use stagegate::Policy;

use super::file::{self, Reader};
use super::nodes::Hash;
use super::{Log, PolicyText};
use crate::{Entry, Id, LogError};

/// An entry as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored {
    /// Its place in the log, from 0: the index of its leaf.
    pub seq: u64,
    /// Its name.
    pub id: Id,
    /// Its line, byte for byte.
    pub json: String,
    /// The hash of its leaf, as stored.
    pub leaf: [u8; 32],
}

impl Stored {
    /// The entry that the line says.
    ///
    /// # Errors
    /// When the line is not one that this version reads.
    pub fn entry(&self) -> Result<Entry, LogError> {
        Entry::from_json(&self.json).map_err(|error| LogError::Damaged { seq: self.seq, why: error.to_string() })
    }
}

/// A row of `entry`, before its body is unpacked.
struct Packed {
    seq: i64,
    id: [u8; 16],
    leaf: Hash,
    dictionary: Option<i64>,
    body: Vec<u8>,
}

const COLUMNS: &str = "SELECT seq, id, leaf, dictionary, body FROM entry";

impl Packed {
    fn of(row: &Row<'_>) -> rusqlite::Result<Packed> {
        Ok(Packed { seq: row.get(0)?, id: row.get(1)?, leaf: row.get(2)?, dictionary: row.get(3)?, body: row.get(4)? })
    }
}

/// Rows that are read at once.
const PAGE: i64 = 500;

impl Log {
    /// Does something with the connection that reads. What SQLite refuses is told with the log's path.
    pub(crate) fn with_connection<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, LogError> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let result = read(reader.connection()?);
        if !reader.is_valid()? {
            return Err(LogError::Changed(self.path.clone()));
        }
        result.map_err(|error| file::sqlite(&self.path, error))
    }

    /// The same for what may be done again, if another process begins to append meanwhile.
    pub(crate) fn reading<T>(&self, mut read: impl FnMut(&Connection) -> rusqlite::Result<T>) -> Result<T, LogError> {
        match self.with_connection(&mut read) {
            // From now on it is read as a log that others append to.
            Err(LogError::Changed(_)) => self.with_connection(read),
            result => result,
        }
    }

    /// One more connection that reads, for whoever wants to keep one open, or one a thread. Of a log that was opened to be
    /// read, what is read while another process begins to append may be wrong: [`Reader::still`] tells afterwards.
    pub(crate) fn connect(&self) -> Result<Reader, LogError> {
        Reader::open(&self.path, self.options.busy, self.queue.is_some())
    }

    /// The same, along with others who append now and then: it has locks, and for that files beside the log.
    pub(crate) fn connect_along(&self) -> Result<Reader, LogError> {
        Reader::open(&self.path, self.options.busy, true)
    }

    /// How many entries there are.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn len(&self) -> Result<u64, LogError> {
        let next: i64 = self.reading(|log| {
            log.prepare_cached("SELECT coalesce(max(seq) + 1, 0) FROM entry")?.query_row([], |row| row.get(0))
        })?;
        Ok(u64::try_from(next).unwrap_or_default())
    }

    /// Whether there is none.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn is_empty(&self) -> Result<bool, LogError> {
        self.len().map(|len| len == 0)
    }

    /// The entry with that seq.
    ///
    /// # Errors
    /// When the log cannot be read, or the entry is damaged.
    pub fn entry(&self, seq: u64) -> Result<Option<Stored>, LogError> {
        self.one(&format!("{COLUMNS} WHERE seq = ?1"), i64::try_from(seq).unwrap_or(-1))
    }

    /// The entry with that id.
    ///
    /// # Errors
    /// As [`Log::entry`].
    pub fn find(&self, id: Id) -> Result<Option<Stored>, LogError> {
        self.one(&format!("{COLUMNS} WHERE id = ?1"), id.as_bytes())
    }

    fn one(&self, sql: &str, key: impl rusqlite::ToSql) -> Result<Option<Stored>, LogError> {
        let packed = self
            .reading(|log| log.prepare_cached(sql)?.query_row([&key], Packed::of).optional())
            .map_err(|error| self.unreadable(0, error))?;
        packed.map(|packed| self.unpack(packed)).transpose()
    }

    /// Those entries, in order; as many as there are. Of a log of any size, a few hundred are in memory at once.
    pub fn entries(&self, range: Range<u64>) -> impl Iterator<Item = Result<Stored, LogError>> {
        let sql = format!("{COLUMNS} WHERE seq >= ?1 AND seq < ?2 ORDER BY seq LIMIT ?3");
        let packed = self.paged(range, sql, |row| Packed::of(row).map(|packed| (packed.seq, packed)));
        packed.map(|packed| packed.and_then(|packed| self.unpack(packed)))
    }

    /// The hashes of the leaves of those entries as they are stored, in order.
    pub fn leaves(&self, range: Range<u64>) -> impl Iterator<Item = Result<[u8; 32], LogError>> {
        let sql = "SELECT seq, leaf FROM entry WHERE seq >= ?1 AND seq < ?2 ORDER BY seq LIMIT ?3".to_string();
        self.paged(range, sql, |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// Rows with their seq, a page at a time.
    fn paged<T>(
        &self,
        range: Range<u64>,
        sql: String,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<(i64, T)>,
    ) -> impl Iterator<Item = Result<T, LogError>> {
        let bound = |seq: u64| i64::try_from(seq).unwrap_or(i64::MAX);
        let (mut next, end) = (bound(range.start), bound(range.end));
        let mut page: VecDeque<T> = VecDeque::new();
        let mut done = false;
        std::iter::from_fn(move || {
            if page.is_empty() && !done {
                let rows = self.reading(|log| {
                    let mut page = log.prepare_cached(&sql)?;
                    page.query_map((next, end, PAGE), |row| read(row))?.collect::<rusqlite::Result<Vec<_>>>()
                });
                match rows {
                    Err(error) => {
                        done = true;
                        return Some(Err(self.unreadable(next, error)));
                    }
                    Ok(rows) => {
                        done = (rows.len() as i64) < PAGE;
                        next = rows.last().map_or(next, |last| last.0.saturating_add(1));
                        page.extend(rows.into_iter().map(|row| row.1));
                    }
                }
            }
            page.pop_front().map(Ok)
        })
    }

    /// A column of a type that it cannot have, or a page that is no page: the record is not what was recorded.
    fn unreadable(&self, seq: i64, error: LogError) -> LogError {
        match error {
            LogError::Sqlite { source, .. } if damaged(&source) => {
                LogError::Damaged { seq: u64::try_from(seq).unwrap_or_default(), why: source.to_string() }
            }
            other => other,
        }
    }

    fn unpack(&self, packed: Packed) -> Result<Stored, LogError> {
        let seq = u64::try_from(packed.seq).unwrap_or_default();
        let damaged = |why: String| LogError::Damaged { seq, why };
        let line = self.bodies.line(&packed.body, packed.dictionary, |id| self.dictionary(id)).map_err(damaged)?;
        let json = String::from_utf8(line).map_err(|_| damaged("its line is not UTF-8".into()))?;
        Ok(Stored { seq, id: Id::from_bytes(packed.id), json, leaf: packed.leaf })
    }

    fn dictionary(&self, id: i64) -> rusqlite::Result<Vec<u8>> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        // What is wrong with the log itself is told by what is read next.
        let log = reader.connection().map_err(|_| rusqlite::Error::QueryReturnedNoRows)?;
        log.query_row("SELECT bytes FROM dictionary WHERE id = ?1", [id], |row| row.get(0))
    }

    /// Names and texts of the policy with that digest, the root first.
    ///
    /// # Errors
    /// When the log cannot be read, or they are damaged.
    pub fn policy_sources(&self, digest: &str) -> Result<Option<Vec<(String, String)>>, LogError> {
        Ok(self.policy_text(digest)?.map(|policy| policy.sources))
    }

    /// The policy with that digest as it is kept.
    ///
    /// # Errors
    /// As [`Log::policy_sources`].
    pub fn policy_text(&self, digest: &str) -> Result<Option<PolicyText>, LogError> {
        let sql = "SELECT name, language, zone, sources FROM policy WHERE digest = ?1";
        let row = self.reading(|log| {
            let of = |row: &Row<'_>| -> rusqlite::Result<(String, u32, String, Vec<u8>)> {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            };
            log.prepare_cached(sql)?.query_row([digest], of).optional()
        })?;
        let Some((name, language, zone, sources)) = row else { return Ok(None) };
        let damaged = |why: String| LogError::Invalid(format!("the text of the policy {digest} is damaged: {why}"));
        let no_dictionary = |_| Err(rusqlite::Error::QueryReturnedNoRows);
        let sources = self.bodies.line(&sources, None, no_dictionary).map_err(damaged)?;
        let sources: Vec<(String, String)> =
            serde_json::from_slice(&sources).map_err(|error| damaged(error.to_string()))?;
        let text = PolicyText::new(&name, language, &zone, sources);
        if text.digest != digest {
            return Err(damaged(format!("its digest is {}", text.digest)));
        }
        Ok(Some(text))
    }

    /// The policy with that digest, compiled from the text that is kept.
    ///
    /// # Errors
    /// When the log cannot be read, the text is damaged, or this version does not compile it.
    pub fn policy(&self, digest: &str) -> Result<Option<Policy>, LogError> {
        let Some(text) = self.policy_text(digest)? else { return Ok(None) };
        let policy = text.compile();
        policy.map(Some).map_err(|why| LogError::Invalid(format!("the policy {digest} of the log: {why}")))
    }

    /// The digests of the policies that are kept, in the order of their first use.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn policies(&self) -> Result<Vec<String>, LogError> {
        self.reading(|log| {
            log.prepare_cached("SELECT digest FROM policy ORDER BY id")?.query_map([], |row| row.get(0))?.collect()
        })
    }

    /// What its checkpoints call it.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn origin(&self) -> Result<String, LogError> {
        self.reading(|log| log.query_row("SELECT value FROM meta WHERE key = 'origin'", [], |row| row.get(0)))
    }

    /// The log that this one goes on from, as it stood when it was closed; `None` for the first.
    ///
    /// # Errors
    /// When the log cannot be read, or what it says of it is damaged.
    pub fn predecessor(&self) -> Result<Option<crate::Head>, LogError> {
        let pairs: Vec<(String, String)> = self.reading(|log| {
            let mut meta = log.prepare_cached("SELECT key, value FROM meta ORDER BY key")?;
            meta.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })?;
        crate::chain::predecessor(&pairs).map_err(LogError::Invalid)
    }

    /// When it was made.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn created(&self) -> Result<DateTime<Utc>, LogError> {
        let created: String =
            self.reading(|log| log.query_row("SELECT value FROM meta WHERE key = 'created'", [], |row| row.get(0)))?;
        created.parse().map_err(|_| LogError::Invalid(format!("the log says that it was made at `{created}`")))
    }
}

fn damaged(error: &rusqlite::Error) -> bool {
    let corrupt = error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseCorrupt);
    corrupt || matches!(error, rusqlite::Error::FromSqlConversionFailure(..) | rusqlite::Error::InvalidColumnType(..))
}
