//! Appending: what one transaction does.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use foldhash::HashMap;
use rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use stagegate::{Compiler, Limits, MemoryLoader, Policy};

use super::Common;
use super::body::{self, Bodies, Packing};
use super::file::{Identity, sqlite};
use super::nodes::{Growing, Hash, leaf_hash};
use super::open::Connected;
use super::queue::Job;
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
        let digest = Policy::digest_of(sources.iter().map(|(name, text)| (name.as_str(), text.as_str())));
        PolicyText { digest, name: name.into(), language, zone: zone.into(), sources }
    }

    /// The policy, compiled again, under no limits of size: it was compiled once.
    ///
    /// # Errors
    /// Why this version does not compile it, or that it is not the text of its digest.
    pub(crate) fn compile(&self) -> Result<Policy, String> {
        let (root, first) = self.sources.first().ok_or("it has no text")?;
        let files =
            self.sources.iter().fold(MemoryLoader::new(), |files, (name, text)| files.with(name, text.as_str()));
        // It was compiled once: whatever limits it was under, it may be compiled again.
        let (source_bytes, request_bytes, request_entries) = (usize::MAX, usize::MAX, usize::MAX);
        let limits = Limits { source_bytes, request_bytes, request_entries, ..Limits::default() };
        let policy = Compiler::new().limits(limits).loader(&files).compile_text(root, first);
        let policy = policy.map_err(|error| format!("it does not compile any more: {error}"))?;
        match policy.digest() == self.digest {
            true => Ok(policy),
            false => Err(format!("it compiles to another, {}", policy.digest())),
        }
    }
}

impl From<&Policy> for PolicyText {
    fn from(policy: &Policy) -> PolicyText {
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
    pub dictionary: Option<i64>,
    pub body: Vec<u8>,
    pub rows: Rows,
}

/// A line that is to be recorded as it is, and what follows from it.
pub(crate) struct Given {
    pub id: Id,
    pub line: String,
    rows: Rows,
}

impl Given {
    /// `line` is what the entry was read from: these bytes are hashed and kept, not those that this version would write.
    pub fn new(entry: &Entry, line: String) -> Result<Given, LogError> {
        if line.len() > body::LONGEST {
            let limit = body::LONGEST >> 20;
            return Err(LogError::Invalid(format!("an entry of more than {limit} MiB is not recorded")));
        }
        Ok(Given { id: entry.id(), line, rows: rows(entry)? })
    }
}

impl Prepared {
    pub fn new(entry: &Entry, packing: &Packing) -> Result<Prepared, LogError> {
        Prepared::given(Given::new(entry, entry.to_json())?, packing)
    }

    pub fn given(given: Given, packing: &Packing) -> Result<Prepared, LogError> {
        let Given { id, line, rows } = given;
        let body = packing
            .pack(line.as_bytes())
            .map_err(|error| LogError::Invalid(format!("the entry cannot be compressed: {error}")))?;
        Ok(Prepared { id, leaf: leaf_hash(line.as_bytes()), dictionary: packing.dictionary(), body, rows })
    }
}

/// The connection that appends, and what it knows of the log.
pub(super) struct Writer {
    path: PathBuf,
    identity: Identity,
    log: Connected,
    /// What is surely in the file.
    known: Known,
    common: Arc<Common>,
    /// There is a dictionary, or there will be none.
    trained: bool,
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

/// As many entries has a log before its dictionary is trained, of as many of the first.
pub(super) const TRAINED_OF: u64 = 1_000;

impl Writer {
    pub fn new(path: &Path, log: Connected, identity: Identity, common: Arc<Common>) -> Result<Writer, LogError> {
        let mut writer = Writer { path: path.into(), identity, log, known: Known::default(), common, trained: false };
        let adopted = writer.adopt();
        writer.trained = adopted.map_err(|error| sqlite(path, error))?;
        Ok(writer)
    }

    /// Appends all jobs in one transaction, durable on return; the seq of the first entry of each. A job that cannot be
    /// appended is left out, without harm to the others; an error is one of all of them.
    pub fn append(&mut self, jobs: &[Job], dropped: Option<&Prepared>) -> Result<Vec<Result<u64, LogError>>, LogError> {
        let mut known = std::mem::take(&mut self.known);
        let begun = self.log.transaction_with_behavior(TransactionBehavior::Immediate);
        let writing = begun.map_err(|error| sqlite(&self.path, error))?;
        // Asked while nobody else can write: whoever puts the file elsewhere does so while nobody can.
        self.identity.same(&self.path)?;
        // On an error the transaction is rolled back, and with it goes all that was known: none of it is believed again.
        known.begin(&writing, &self.path)?;
        let dictionary = jobs.iter().find_map(|job| job.dictionary.as_ref());
        if let Some(dictionary) = dictionary {
            first_dictionary(&writing, dictionary).map_err(|error| sqlite(&self.path, error))?;
        }
        let mut results = Vec::with_capacity(jobs.len());
        for job in jobs {
            results.push(known.job(&writing, &self.path, job)?);
        }
        if let Some(dropped) = dropped {
            known.entry(&writing, &self.path, dropped)??;
        }
        writing.commit().map_err(|error| sqlite(&self.path, error))?;
        if known.words.len() > WORDS {
            known.words.clear();
        }
        self.known = known;
        for (job, _) in jobs.iter().zip(&results).filter(|(_, result)| result.is_ok()) {
            self.common.kept(&job.policies);
        }
        if dictionary.is_some() {
            self.trained = self.adopt().map_err(|error| sqlite(&self.path, error))?;
        }
        Ok(results)
    }

    /// Packs with the log's dictionary, if it has one.
    fn adopt(&mut self) -> rusqlite::Result<bool> {
        let sql = "SELECT id, bytes FROM dictionary ORDER BY id DESC LIMIT 1";
        let found = self.log.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let Some((id, bytes)) = found else { return Ok(false) };
        self.common.pack_with(Packing::with(id, bytes));
        Ok(true)
    }

    /// Trains the log's dictionary of its first entries, once there are enough. Entries before it are packed without.
    pub fn train(&mut self) -> Result<(), LogError> {
        if self.trained || self.known.growing.size() < TRAINED_OF {
            return Ok(());
        }
        // Whatever comes of it, it is not tried again by this handle.
        self.trained = true;
        if self.adopt().map_err(|error| sqlite(&self.path, error))? {
            return Ok(());
        }
        let failed = |error| sqlite(&self.path, error);
        let mut lines = Vec::new();
        {
            let sql = "SELECT body FROM entry WHERE dictionary IS NULL ORDER BY seq LIMIT ?1";
            let mut first = self.log.prepare(sql).map_err(failed)?;
            let mut rows = first.query([TRAINED_OF as i64]).map_err(failed)?;
            let bodies = Bodies::default();
            while let Some(row) = rows.next().map_err(failed)? {
                let body: Vec<u8> = row.get(0).map_err(failed)?;
                let none = |_| Err(rusqlite::Error::QueryReturnedNoRows);
                let line = bodies.line(&body, None, none).map_err(LogError::Invalid)?;
                lines.push(line);
            }
        }
        let dictionary = body::train(&lines).map_err(|error| LogError::io(&self.path, error))?;
        let begun = self.log.transaction_with_behavior(TransactionBehavior::Immediate);
        let writing = begun.map_err(failed)?;
        first_dictionary(&writing, &dictionary).map_err(failed)?;
        writing.commit().map_err(failed)?;
        self.adopt().map(drop).map_err(|error| sqlite(&self.path, error))
    }
}

/// Gives the log a dictionary, unless another process was quicker.
fn first_dictionary(log: &Connection, dictionary: &[u8]) -> rusqlite::Result<()> {
    let sql = "INSERT INTO dictionary (bytes, sum) SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM dictionary)";
    log.execute(sql, (dictionary, body::sum(&[dictionary]))).map(drop)
}

impl Known {
    /// Reads what it needs at the beginning of a transaction.
    fn begin(&mut self, log: &Connection, path: &Path) -> Result<(), LogError> {
        let failed = |error| sqlite(path, error);
        let next: i64 = log
            .prepare_cached("SELECT coalesce(max(seq) + 1, 0) FROM entry")
            .and_then(|mut next| next.query_row([], |row| row.get(0)))
            .map_err(failed)?;
        let next = u64::try_from(next).unwrap_or_default();
        if self.growing.size() != next {
            let missing = || LogError::Damaged { seq: next, why: "hashes of what is before it are missing".into() };
            self.growing = Growing::read(log, next).map_err(failed)?.ok_or_else(missing)?;
        }
        Ok(())
    }

    /// Appends what a job has, all of it or nothing. The outer error is one of the whole transaction.
    fn job(&mut self, log: &Connection, path: &Path, job: &Job) -> Result<Result<u64, LogError>, LogError> {
        let failed = |error| sqlite(path, error);
        let first = self.growing.size();
        // One entry is refused before anything of it is written.
        let many = job.len() > 1;
        if many {
            log.prepare_cached("SAVEPOINT job").and_then(|mut begin| begin.execute([])).map_err(failed)?;
        }
        for policy in &job.policies {
            self.policy(log, path, policy)?;
        }
        let mut result = self.entries(log, path, &job.entries)?;
        if let Some(coming) = &job.coming {
            for chunk in &coming.chunks {
                match chunk {
                    Ok(entries) if result.is_ok() => result = self.entries(log, path, &entries)?,
                    Err(error) if result.is_ok() => result = Err(error),
                    // It is over; whoever prepares is heard out.
                    _ => {}
                }
            }
            if result.is_ok() && self.growing.size() - first != job.len() as u64 {
                result = Err(LogError::Invalid("what was to be appended did not come whole".into()));
            }
        }
        if many {
            if result.is_err() {
                log.execute_batch("ROLLBACK TO job").map_err(failed)?;
                *self = Known::default();
                self.begin(log, path)?;
            }
            log.prepare_cached("RELEASE job").and_then(|mut end| end.execute([])).map_err(failed)?;
        }
        Ok(result.map(|()| first))
    }

    /// Appends entries until one is refused.
    fn entries(
        &mut self,
        log: &Connection,
        path: &Path,
        entries: &[Prepared],
    ) -> Result<Result<(), LogError>, LogError> {
        for entry in entries {
            if let Err(error) = self.entry(log, path, entry)? {
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }

    fn policy(&mut self, log: &Connection, path: &Path, policy: &PolicyText) -> Result<(), LogError> {
        let failed = |error| sqlite(path, error);
        if self.policy_id(log, &policy.digest).map_err(failed)?.is_some() {
            return Ok(());
        }
        let sources = serde_json::to_vec(&policy.sources).unwrap_or_default();
        let sources = zstd::bulk::compress(&sources, 19).map_err(|error| LogError::io(path, error))?;
        let sql = "INSERT INTO policy (digest, name, language, zone, sources, sum) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let sum = body::sum(&[&sources]);
        log.execute(sql, (&policy.digest, &policy.name, policy.language, &policy.zone, sources, sum))
            .map_err(failed)?;
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

    /// Appends one entry, or refuses it and has written nothing of it. The outer error is one of the whole transaction.
    fn entry(&mut self, log: &Connection, path: &Path, entry: &Prepared) -> Result<Result<(), LogError>, LogError> {
        let failed = |error| sqlite(path, error);
        let Ok(seq) = i64::try_from(self.growing.size()) else {
            return Ok(Err(LogError::Invalid("the log holds as many records as can be counted".into())));
        };
        let policy = match &entry.rows.decision {
            None => None,
            Some(decision) => match self.policy_id(log, &decision.policy).map_err(failed)? {
                Some(id) => Some(id),
                None => {
                    let digest = &decision.policy;
                    let why = format!("the text of the policy {digest} is not in the log, and was not given");
                    return Ok(Err(LogError::Invalid(why)));
                }
            },
        };
        let of = match &entry.rows.review {
            None => None,
            Some(review) => {
                let mut find =
                    log.prepare_cached("SELECT seq FROM entry WHERE id = ?1 AND kind = 0").map_err(failed)?;
                match find.query_row([review.of.as_bytes()], |row| row.get(0)).optional().map_err(failed)? {
                    Some(of) => Some(of),
                    None => return Ok(Err(LogError::NoRecord(review.of.to_string()))),
                }
            }
        };
        match self.insert(log, seq, entry, policy, of) {
            Ok(()) => Ok(Ok(())),
            Err(error) if error.sqlite_error().is_some_and(|error| error.extended_code == SQLITE_CONSTRAINT_UNIQUE) => {
                Ok(Err(LogError::Invalid(format!("the log has a record {} already", entry.id))))
            }
            Err(error) => Err(sqlite(path, error)),
        }
    }

    /// The row of `entry` goes first: it alone can be refused, for its id.
    fn insert(
        &mut self,
        log: &Connection,
        seq: i64,
        entry: &Prepared,
        policy: Option<i64>,
        of: Option<i64>,
    ) -> rusqlite::Result<()> {
        let rows = &entry.rows;
        let numbers = (seq, rows.kind, rows.recorded, entry.dictionary);
        let sum = body::row_sum(numbers, entry.id.as_bytes(), &entry.leaf, &entry.body);
        let sql = "INSERT INTO entry VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        log.prepare_cached(sql)?.execute((
            seq,
            entry.id.as_bytes(),
            rows.kind,
            rows.recorded,
            entry.leaf,
            entry.dictionary,
            &entry.body,
            sum,
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
        let mut insert = log.prepare_cached("INSERT INTO rule VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        for row in &rows.rules {
            let rule = self.word(log, &row.rule)?;
            insert.execute((rule, row.status, seq, row.place, row.kind, row.blocking))?;
        }
        let mut insert = log.prepare_cached("INSERT INTO person VALUES (?1, ?2, ?3, ?4)")?;
        for row in &rows.people {
            let person = self.word(log, &row.person)?;
            let rule = self.maybe(log, row.rule.as_ref())?.unwrap_or(0);
            insert.execute((person, row.role, seq, rule))?;
        }
        for (row, place) in rows.overrides.iter().zip(0_i64..) {
            let name = self.word(log, &row.name)?;
            let sql = "INSERT INTO override VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            log.prepare_cached(sql)?.execute((seq, place, name, row.in_force, &row.skipped, &row.invoked))?;
        }
        if let (Some(review), Some(of)) = (&rows.review, of) {
            let by = self.word(log, &review.by)?;
            log.prepare_cached("INSERT INTO review VALUES (?1, ?2, ?3, ?4)")?.execute((seq, of, by, &review.note))?;
        }
        Ok(())
    }
}
