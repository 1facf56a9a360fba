//! The decision log in one SQLite file.

pub(crate) mod body;
pub(crate) mod file;
pub(crate) mod nodes;
pub(crate) mod open;
mod queue;
mod read;
pub(crate) mod rows;
mod writer;

use std::collections::HashSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use rayon::prelude::*;
use stagegate::Policy;

use crate::{Entry, Head, LogError, SecretKey};
use body::{Bodies, Packing};
use file::{New, Reader};
use queue::{Behind, Queue};
pub use read::Stored;
pub(crate) use writer::Given;
pub use writer::PolicyText;
use writer::{Prepared, TRAINED_OF, Writer};

/// What [`DecisionSink::record`](stagegate::DecisionSink::record) promises when it returns, and what a crash can take away.
///
/// [`Log::append`] and [`Log::append_all`] are durable when they return, in each mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The record is durable: no verdict leaves before it is. A crash of the process, of the machine or of its power
    /// takes away no decision that was given; at most there are records of decisions that were never given, because
    /// the crash came in between. (This supposes a disk that has written what it says it has.)
    #[default]
    Strict,
    /// The record waits in memory and is written with others, by default within 100 ms; whoever calls waits only while
    /// 1,000 are behind ([`Options::batch`]). **A crash of the process or of the machine, and a power cut, take away
    /// the records of the last 100 ms, 1,000 at most: verdicts that were given and of which the log knows nothing.**
    /// [`Log::flush`] returns when all are durable. If a batch cannot be written (the disk is full), recording fails from
    /// then on, and with it each verdict, until the batch is written: it is kept and tried again.
    Batched,
    /// Whoever calls never waits for the log, and no verdict is held back because of it. **A crash takes away what
    /// [`Mode::Batched`] loses. Besides, records are dropped while 1,000 are behind, and when they cannot be written; how
    /// many, from when to when, and why is recorded as an entry of its own as soon as anything can be written again.** If
    /// that is never again while the handle is open, nothing tells of them.
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
    after: Option<Head>,
    behind: Behind,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            create: false,
            mode: Mode::Strict,
            secret_key: None,
            busy: Duration::from_secs(10),
            origin: None,
            after: None,
            behind: Behind { records: 1_000, delay: Duration::from_millis(100) },
        }
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

    /// How far [`Mode::Batched`] and [`Mode::BestEffort`] may be behind: in records, at least one, and in time. The thread
    /// that writes sleeps no longer than `delay`; what the disk takes comes on top.
    pub fn batch(mut self, records: usize, delay: Duration) -> Options {
        self.behind = Behind { records: records.max(1), delay };
        self
    }

    /// What a new log's checkpoints call it, in place of `stagegate-log/` and a UUID. It is of no account for a log that exists.
    pub fn origin(mut self, origin: impl Into<String>) -> Options {
        self.origin = Some(origin.into());
        self
    }

    /// The log that a new one goes on from, as it stood when it was closed.
    pub(crate) fn after(mut self, head: Head) -> Options {
        self.after = Some(head);
        self
    }

    /// What a new log is to call itself.
    pub(crate) fn new_origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }
}

/// A decision log. Threads share one handle: what they append meanwhile becomes durable with one sync. Processes, each with
/// its own handle, may append at once. When a handle is dropped, what it has accepted is written first.
///
/// A process that has a log open must not open its file by itself, not even to copy it: when that is closed, POSIX takes away
/// the locks that SQLite has on it in the whole process.
pub struct Log {
    path: PathBuf,
    options: Options,
    /// It is closed before the writer, so that the writer is the last to close and leaves no file beside the log.
    reader: Mutex<Reader>,
    /// `None`: opened to be read.
    queue: Option<Queue>,
    bodies: Bodies,
    common: Arc<Common>,
}

/// As many entries are prepared at once while those before them are written.
const CHUNK: usize = 500;

/// What the threads that append and the one that writes have in common.
#[derive(Default)]
struct Common {
    /// How lines are packed that are to be appended.
    packing: RwLock<Arc<Packing>>,
    /// Digests of policies whose texts are surely in the file.
    kept: RwLock<HashSet<String>>,
}

impl Common {
    fn packing(&self) -> Arc<Packing> {
        Arc::clone(&self.packing.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn pack_with(&self, packing: Packing) {
        *self.packing.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(packing);
    }

    /// The texts of those policies that may not be in the file.
    fn to_keep(&self, policies: &[&Policy]) -> Vec<PolicyText> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let unknown = policies.iter().filter(|policy| !kept.contains(policy.digest()));
        unknown.map(|policy| PolicyText::from(*policy)).collect()
    }

    /// They are in the file.
    fn kept(&self, policies: &[PolicyText]) {
        if !policies.is_empty() {
            let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
            kept.extend(policies.iter().map(|policy| policy.digest.clone()));
        }
    }
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
        let new = New { origin: options.origin.as_deref(), after: options.after.as_ref() };
        let (writer, identity) = file::open(path, options.busy, options.create.then_some(new))?;
        let common = Arc::default();
        let writer = Writer::new(path, writer, identity, Arc::clone(&common))?;
        let reader = Mutex::new(Reader::open(path, options.busy, true)?);
        let queue = Some(Queue::start(path, writer, options.mode, options.behind)?);
        let (path, options, bodies) = (path.to_path_buf(), options.clone(), Bodies::default());
        Ok(Log { path, options, reader, queue, bodies, common })
    }

    /// Opens a log to read it; nothing on disk changes, and no file appears beside it. (One exception: if a process that
    /// appended was killed, its `-wal` file is still there, and SQLite makes a `-shm` file to read it.)
    ///
    /// On a medium or in a folder that may not be written, a log can be read too, unless there is a `-wal` file beside it:
    /// copy both to where you may write then.
    ///
    /// # Errors
    /// When there is none, when it is something else, or newer.
    pub fn read(path: impl AsRef<Path>) -> Result<Log, LogError> {
        let path = path.as_ref();
        let options = Options::default();
        let reader = Mutex::new(Reader::open(path, options.busy, false)?);
        let (path, bodies, common) = (path.to_path_buf(), Bodies::default(), Arc::default());
        Ok(Log { path, options, reader, queue: None, bodies, common })
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
        let queue = self.queue()?;
        let policies = policy.as_slice();
        queue.append(vec![self.prepare(&entry)?], self.common.to_keep(policies))
    }

    /// Appends all of them in one transaction, or none; they are durable when this returns. The seqs that they have.
    ///
    /// # Errors
    /// As [`Log::append`].
    pub fn append_all(&self, entries: &[Entry], policies: &[&Policy]) -> Result<Range<u64>, LogError> {
        let queue = self.queue()?;
        let first = usize::try_from(TRAINED_OF).ok().and_then(|many| entries.get(..many));
        self.train(queue, first, Entry::to_json)?;
        let to_keep = self.common.to_keep(policies);
        let chunks = entries.chunks(CHUNK).map(|chunk| self.prepare_all(chunk));
        let first = match entries.len() {
            0..=CHUNK => queue.append(self.prepare_all(entries)?, to_keep)?,
            many => queue.append_chunks(many, chunks, to_keep)?,
        };
        Ok(first..first + entries.len() as u64)
    }

    /// Appends lines as they are, and keeps texts of policies that may not be in the log; all of it in one transaction, or
    /// nothing. It is durable when this returns.
    pub(crate) fn append_given(&self, given: Vec<Given>, policies: Vec<PolicyText>) -> Result<(), LogError> {
        let queue = self.queue()?;
        let first = usize::try_from(TRAINED_OF).ok().and_then(|many| given.get(..many));
        self.train(queue, first, |given| given.line.clone())?;
        let many = given.len();
        let mut given = given.into_iter();
        let chunks = std::iter::from_fn(|| {
            let chunk: Vec<Given> = given.by_ref().take(CHUNK).collect();
            (!chunk.is_empty()).then(|| {
                let packing = self.common.packing();
                chunk.into_par_iter().map(|given| Prepared::given(given, &packing)).collect()
            })
        });
        queue.append_chunks(many, chunks, policies).map(drop)
    }

    /// As many records as a dictionary is trained of need not be in the log before it is.
    fn train<T: Sync>(
        &self,
        queue: &Queue,
        first: Option<&[T]>,
        line: impl Fn(&T) -> String + Sync + Send,
    ) -> Result<(), LogError> {
        let Some(first) = first else { return Ok(()) };
        if self.common.packing().dictionary().is_some() {
            return Ok(());
        }
        let lines: Vec<String> = first.par_iter().map(line).collect();
        match body::train(&lines) {
            Ok(dictionary) => queue.pack_with(dictionary),
            // They are packed without.
            Err(_) => Ok(()),
        }
    }

    /// Keeps the texts of policies, for decisions that will be appended: an import has no more than texts.
    ///
    /// # Errors
    /// When they cannot be kept.
    pub fn keep_policies(&self, policies: &[PolicyText]) -> Result<(), LogError> {
        self.queue()?.append(Vec::new(), policies.to_vec()).map(drop)
    }

    /// Returns when everything that was recorded through this handle is durable.
    ///
    /// # Errors
    /// When it cannot be written; and when something that was recorded before could not.
    pub fn flush(&self) -> Result<(), LogError> {
        self.queue()?.flush()
    }

    /// Appends as the mode says.
    pub(crate) fn record_entries(&self, entries: &[Entry], policies: &[&Policy]) -> Result<(), LogError> {
        let queue = self.queue()?;
        let entries = self.prepare_all(entries)?;
        let to_keep = self.common.to_keep(policies);
        match self.options.mode {
            Mode::Strict => queue.append(entries, to_keep).map(drop),
            Mode::Batched => queue.soon(entries, to_keep),
            Mode::BestEffort => {
                queue.try_soon(entries, to_keep);
                Ok(())
            }
        }
    }

    fn queue(&self) -> Result<&Queue, LogError> {
        self.queue.as_ref().ok_or_else(|| {
            let why = "it was opened to be read".to_string();
            LogError::ReadOnly { path: self.path.clone(), why }
        })
    }

    fn prepare(&self, entry: &Entry) -> Result<Prepared, LogError> {
        Prepared::new(entry, &self.common.packing())
    }

    fn prepare_all(&self, entries: &[Entry]) -> Result<Vec<Prepared>, LogError> {
        let packing = self.common.packing();
        match entries {
            [one] => Ok(vec![Prepared::new(one, &packing)?]),
            many => many.par_iter().map(|entry| Prepared::new(entry, &packing)).collect(),
        }
    }
}
