//! The decision log in one SQLite file.

pub(crate) mod body;
pub(crate) mod file;
pub(crate) mod nodes;
mod read;
pub(crate) mod rows;
mod writer;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rayon::prelude::*;
use rusqlite::Connection;
use stagegate::Policy;

use crate::{Entry, LogError, SecretKey};
use body::Bodies;
pub use read::Stored;
pub use writer::PolicyText;
use writer::{Prepared, Writer};

/// What appending promises when it returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The record is durable: no verdict leaves before it is.
    #[default]
    Strict,
    /// The record will be durable soon.
    Batched,
    /// The record may be dropped, and that is recorded.
    BestEffort,
}

/// How a log is opened.
#[derive(Clone, Debug)]
#[must_use]
pub struct Options {
    create: bool,
    mode: Mode,
    secret_key: Option<SecretKey>,
    busy: Duration,
    origin: Option<String>,
}

impl Default for Options {
    fn default() -> Options {
        Options { create: false, mode: Mode::Strict, secret_key: None, busy: Duration::from_secs(10), origin: None }
    }
}

impl Options {
    /// A log that exists, `strict`, without a key for secrets; others may keep it locked for ten seconds.
    pub fn new() -> Options {
        Options::default()
    }

    /// Make the log if there is none.
    pub fn create(mut self, create: bool) -> Options {
        self.create = create;
        self
    }

    /// What [`DecisionSink::record`](stagegate::DecisionSink::record) promises when it returns.
    pub fn mode(mut self, mode: Mode) -> Options {
        self.mode = mode;
        self
    }

    /// The key under which the values of secret facts are digested. Without one, a request that has any is not recorded.
    pub fn secret_key(mut self, key: SecretKey) -> Options {
        self.secret_key = Some(key);
        self
    }

    /// How long to wait for other processes that keep the log locked.
    pub fn busy_timeout(mut self, timeout: Duration) -> Options {
        self.busy = timeout;
        self
    }

    /// What a new log's checkpoints call it, in place of `stagegate-log/` and a UUID. It is of no account for a log that exists.
    pub fn origin(mut self, origin: impl Into<String>) -> Options {
        self.origin = Some(origin.into());
        self
    }
}

/// A decision log. Threads share one handle (or each has its own); processes may append at once.
pub struct Log {
    path: PathBuf,
    options: Options,
    /// It is closed before the writer, so that the writer is the last to close and leaves no file beside the log.
    reader: Mutex<Connection>,
    /// `None`: opened to be read.
    writer: Option<Mutex<Writer>>,
    bodies: Bodies,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Log {
    /// Opens a log to append to it.
    ///
    /// # Errors
    /// When there is none and [`Options::create`] was not said; when it is something else, or newer; when it may not be
    /// written.
    pub fn open(path: impl AsRef<Path>, options: &Options) -> Result<Log, LogError> {
        let path = path.as_ref();
        let writer = file::open(path, options.create, options.busy, options.origin.as_deref())?;
        let reader = file::read(path, options.busy, true)?;
        Ok(Log {
            path: path.to_path_buf(),
            options: options.clone(),
            writer: Some(Mutex::new(Writer::new(path, writer))),
            reader: Mutex::new(reader),
            bodies: Bodies::default(),
        })
    }

    /// Opens a log to read it; nothing on disk changes.
    ///
    /// # Errors
    /// When there is none, when it is something else, or newer.
    pub fn read(path: impl AsRef<Path>) -> Result<Log, LogError> {
        let path = path.as_ref();
        let options = Options::default();
        let reader = file::read(path, options.busy, false)?;
        Ok(Log {
            path: path.to_path_buf(),
            options,
            writer: None,
            reader: Mutex::new(reader),
            bodies: Bodies::default(),
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The key for secrets that it was opened with.
    pub fn secret_key(&self) -> Option<&SecretKey> {
        self.options.secret_key.as_ref()
    }

    /// Appends an entry; it is durable when this returns. The seq that it has.
    ///
    /// The policy of a decision is kept once a digest: it has to be given the first time, and may be given each time.
    ///
    /// # Errors
    /// When it cannot be recorded; the log is then as before. When it is a decision and the text of its policy is neither
    /// in the log nor given; a review of a decision that is not in the log; an id that is in the log already.
    pub fn append(&self, entry: Entry, policy: Option<&Policy>) -> Result<u64, LogError> {
        let policies: Vec<PolicyText> = policy.map(PolicyText::from).into_iter().collect();
        self.write(&[Prepared::new(&entry)?], &policies)
    }

    /// Appends all of them in one transaction, or none; they are durable when this returns. The seqs that they have.
    ///
    /// # Errors
    /// As [`Log::append`].
    pub fn append_all(&self, entries: &[Entry], policies: &[&Policy]) -> Result<Range<u64>, LogError> {
        let entries = entries.par_iter().map(Prepared::new).collect::<Result<Vec<_>, _>>()?;
        let policies: Vec<PolicyText> = policies.iter().map(|policy| PolicyText::from(*policy)).collect();
        let first = self.write(&entries, &policies)?;
        Ok(first..first + entries.len() as u64)
    }

    /// Keeps the texts of policies, for decisions that will be appended: an import has no more than texts.
    ///
    /// # Errors
    /// When they cannot be kept.
    pub fn keep_policies(&self, policies: &[PolicyText]) -> Result<(), LogError> {
        self.write(&[], policies).map(drop)
    }

    fn write(&self, entries: &[Prepared], policies: &[PolicyText]) -> Result<u64, LogError> {
        let Some(writer) = &self.writer else {
            let why = "it was opened to be read".to_string();
            return Err(LogError::ReadOnly { path: self.path.clone(), why });
        };
        writer.lock().unwrap_or_else(PoisonError::into_inner).append(entries, policies)
    }
}
