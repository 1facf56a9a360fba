//! Appending: what one transaction does.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::body;
use super::file::sqlite;
use super::nodes::{Growing, Hash, leaf_hash};
use super::rows::{Rows, rows};
use crate::{Entry, Id, LogError};

/// A policy as it is kept: what it takes to compile it again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyText {
    /// Its digest, `sha256:…`.
    pub digest: String,
    /// Its name.
    pub name: String,
    /// The version of the language.
    pub language: u32,
    /// Its time zone.
    pub zone: String,
    /// Names and texts, the root first.
    pub sources: Vec<(String, String)>,
}

impl PolicyText {
    /// From its parts; the digest is worked out.
    pub fn new(name: &str, language: u32, zone: &str, sources: Vec<(String, String)>) -> PolicyText {
        let digest = stagegate::Policy::digest_of(sources.iter().map(|(name, text)| (name.as_str(), text.as_str())));
        PolicyText { digest, name: name.into(), language, zone: zone.into(), sources }
    }
}

impl From<&stagegate::Policy> for PolicyText {
    fn from(policy: &stagegate::Policy) -> PolicyText {
        PolicyText {
            digest: policy.digest().to_string(),
            name: policy.name().to_string(),
            language: stagegate::LANGUAGE,
            zone: policy.zone().name().to_string(),
            sources: policy.sources().iter().map(|source| (source.name.clone(), source.text.clone())).collect(),
        }
    }
}

/// An entry, ready to be written.
pub(super) struct Prepared {
    pub id: Id,
    pub leaf: Hash,
    pub body: Vec<u8>,
    pub sum: i64,
    pub rows: Rows,
}

impl Prepared {
    pub fn new(entry: &Entry) -> Result<Prepared, LogError> {
        let line = entry.to_json();
        if line.len() > body::LONGEST {
            let limit = body::LONGEST >> 20;
            return Err(LogError::Invalid(format!("an entry of more than {limit} MiB is not recorded")));
        }
        let body = zstd::bulk::compress(line.as_bytes(), body::LEVEL)
            .map_err(|error| LogError::Invalid(format!("the entry cannot be compressed: {error}")))?;
        let sum = body::sum(&body);
        Ok(Prepared { id: entry.id(), leaf: leaf_hash(line.as_bytes()), body, sum, rows: rows(entry)? })
    }
}

/// The connection that appends, and what it knows of the log.
pub(super) struct Writer {
    path: PathBuf,
    log: Connection,
    /// What is surely in the file.
    known: Known,
}

/// What need not be looked up. It is true of the file, or of the transaction that is being made.
#[derive(Default)]
struct Known {
    words: HashMap<String, i64>,
    policies: HashMap<String, i64>,
    growing: Growing,
}

/// Known words are forgotten beyond this many: builds of years have many authors and branches.
const WORDS: usize = 100_000;

impl Writer {
    pub fn new(path: &Path, log: Connection) -> Writer {
        Writer { path: path.to_path_buf(), log, known: Known::default() }
    }

    /// Appends all of them in one transaction, durable on return; the seq of the first.
    pub fn append(&mut self, entries: &[Prepared], policies: &[PolicyText]) -> Result<u64, LogError> {
        let mut known = std::mem::take(&mut self.known);
        let begun = self.log.transaction_with_behavior(TransactionBehavior::Immediate);
        let writing = begun.map_err(|error| sqlite(&self.path, error))?;
        // On an error the transaction is rolled back, and with it goes all that was known: none of it is believed again.
        let first = known.write(&writing, &self.path, entries, policies)?;
        writing.commit().map_err(|error| sqlite(&self.path, error))?;
        if known.words.len() > WORDS {
            known.words.clear();
        }
        self.known = known;
        Ok(first)
    }
}

impl Known {
    fn write(
        &mut self,
        log: &Connection,
        path: &Path,
        entries: &[Prepared],
        policies: &[PolicyText],
    ) -> Result<u64, LogError> {
        let failed = |error| sqlite(path, error);
        let next: i64 = log
            .prepare_cached("SELECT coalesce(max(seq) + 1, 0) FROM entry")
            .and_then(|mut next| next.query_row([], |row| row.get(0)))
            .map_err(failed)?;
        let first = u64::try_from(next).unwrap_or_default();
        if self.growing.size() != first {
            let missing = || LogError::Damaged { seq: first, why: "hashes of what is before it are missing".into() };
            self.growing = Growing::read(log, first).map_err(failed)?.ok_or_else(missing)?;
        }
        for policy in policies {
            self.policy(log, path, policy)?;
        }
        for entry in entries {
            self.entry(log, path, entry)?;
        }
        Ok(first)
    }

    fn policy(&mut self, log: &Connection, path: &Path, policy: &PolicyText) -> Result<(), LogError> {
        let failed = |error| sqlite(path, error);
        if self.policy_id(log, &policy.digest).map_err(failed)?.is_some() {
            return Ok(());
        }
        let sources = serde_json::to_vec(&policy.sources).unwrap_or_default();
        let sources = zstd::bulk::compress(&sources, 19).map_err(|error| LogError::io(path, error))?;
        let sql = "INSERT INTO policy (digest, name, language, zone, sources) VALUES (?1, ?2, ?3, ?4, ?5)";
        log.execute(sql, (&policy.digest, &policy.name, policy.language, &policy.zone, sources)).map_err(failed)?;
        self.policies.insert(policy.digest.clone(), log.last_insert_rowid());
        Ok(())
    }

    fn policy_id(&mut self, log: &Connection, digest: &str) -> rusqlite::Result<Option<i64>> {
        if let Some(id) = self.policies.get(digest) {
            return Ok(Some(*id));
        }
        let mut find = log.prepare_cached("SELECT id FROM policy WHERE digest = ?1")?;
        let id = find.query_row([digest], |row| row.get(0)).optional()?;
        if let Some(id) = id {
            self.policies.insert(digest.to_string(), id);
        }
        Ok(id)
    }

    fn word(&mut self, log: &Connection, text: &str) -> rusqlite::Result<i64> {
        if let Some(id) = self.words.get(text) {
            return Ok(*id);
        }
        let mut find = log.prepare_cached("SELECT id FROM word WHERE text = ?1")?;
        let id = match find.query_row([text], |row| row.get(0)).optional()? {
            Some(id) => id,
            None => {
                log.prepare_cached("INSERT INTO word (text) VALUES (?1)")?.execute([text])?;
                log.last_insert_rowid()
            }
        };
        self.words.insert(text.to_string(), id);
        Ok(id)
    }

    fn maybe(&mut self, log: &Connection, text: Option<&String>) -> rusqlite::Result<Option<i64>> {
        text.map(|text| self.word(log, text)).transpose()
    }

    fn entry(&mut self, log: &Connection, path: &Path, entry: &Prepared) -> Result<(), LogError> {
        let failed = |error| sqlite(path, error);
        let seq = i64::try_from(self.growing.size())
            .map_err(|_| LogError::Invalid("the log holds as many records as can be counted".into()))?;
        let policy = match &entry.rows.decision {
            None => None,
            Some(decision) => Some(self.policy_id(log, &decision.policy).map_err(failed)?.ok_or_else(|| {
                let digest = &decision.policy;
                LogError::Invalid(format!("the text of the policy {digest} is not in the log, and was not given"))
            })?),
        };
        let of = match &entry.rows.review {
            None => None,
            Some(review) => {
                let mut find =
                    log.prepare_cached("SELECT seq FROM entry WHERE id = ?1 AND kind = 0").map_err(failed)?;
                let of: Option<i64> =
                    find.query_row([review.of.as_bytes()], |row| row.get(0)).optional().map_err(failed)?;
                Some(of.ok_or_else(|| LogError::NoRecord(review.of.to_string()))?)
            }
        };
        self.insert(log, seq, entry, policy, of).map_err(|error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::ConstraintViolation) => {
                LogError::Invalid(format!("the log has a record {} already", entry.id))
            }
            _ => sqlite(path, error),
        })
    }

    fn insert(
        &mut self,
        log: &Connection,
        seq: i64,
        entry: &Prepared,
        policy: Option<i64>,
        of: Option<i64>,
    ) -> rusqlite::Result<()> {
        let rows = &entry.rows;
        let no_dictionary: Option<i64> = None;
        let sql = "INSERT INTO entry VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        log.prepare_cached(sql)?.execute((
            seq,
            entry.id.as_bytes(),
            rows.kind,
            rows.recorded,
            entry.leaf,
            no_dictionary,
            &entry.body,
            entry.sum,
        ))?;
        self.growing.push(entry.leaf, |level, idx, hash| {
            let idx = i64::try_from(idx).unwrap_or(i64::MAX);
            log.prepare_cached("INSERT INTO tree VALUES (?1, ?2, ?3)")?.execute((level, idx, hash)).map(drop)
        })?;
        if let Some(decision) = &rows.decision {
            let stage = self.word(log, &decision.stage)?;
            let requester = self.maybe(log, decision.requester.as_ref())?;
            let author = self.maybe(log, decision.author.as_ref())?;
            let branch = self.maybe(log, decision.branch.as_ref())?;
            let asked_by = self.maybe(log, decision.asked_by.as_ref())?;
            let sql = "INSERT INTO decision VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
            log.prepare_cached(sql)?.execute((
                seq,
                decision.at,
                policy,
                stage,
                &decision.build,
                decision.verdict,
                decision.action,
                decision.trigger,
                requester,
                author,
                branch,
                &decision.version,
                &decision.digest,
                asked_by,
            ))?;
        }
        for row in &rows.rules {
            let rule = self.word(log, &row.rule)?;
            let sql = "INSERT INTO rule VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            log.prepare_cached(sql)?.execute((rule, row.status, seq, row.place, row.kind, row.blocking))?;
        }
        for row in &rows.people {
            let person = self.word(log, &row.person)?;
            let rule = self.maybe(log, row.rule.as_ref())?.unwrap_or(0);
            log.prepare_cached("INSERT INTO person VALUES (?1, ?2, ?3, ?4)")?.execute((person, row.role, seq, rule))?;
        }
        for row in &rows.overrides {
            let name = self.word(log, &row.name)?;
            let sql = "INSERT INTO override VALUES (?1, ?2, ?3, ?4, ?5)";
            log.prepare_cached(sql)?.execute((seq, name, row.in_force, &row.skipped, &row.invoked))?;
        }
        if let (Some(review), Some(of)) = (&rows.review, of) {
            let by = self.word(log, &review.by)?;
            log.prepare_cached("INSERT INTO review VALUES (?1, ?2, ?3, ?4)")?.execute((seq, of, by, &review.note))?;
        }
        Ok(())
    }
}
