//! Deciding again: recorded requests under another policy, or under the very policy that decided them.
//!
//! Lines are read and decided in pieces, by as many threads as are wanted; a piece at a time for each thread is all that
//! lies in memory, and of a record that comes out as before nothing is kept.

mod again;
mod compare;
mod line;
mod loaded;
mod secrets;

use std::ops::Range;

use chrono::{DateTime, Utc};
use rayon::prelude::*;
use serde::Serialize;
use stagegate::Policy;

use crate::{Id, Log, LogError};

pub use again::{Again, Deviation, Difference, again};
pub use compare::{Change, Comparison, RuleChange, RuleTally, StageTally, compare};
pub use loaded::Loaded;
pub use secrets::Secrets;

/// Entries of a log as lines, for several threads at once.
pub trait Lines: Sync {
    /// How many there are. Those that are appended later are not read.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn count(&self) -> Result<u64, LogError>;

    /// Gives each line of a range, with its place, in order.
    ///
    /// # Errors
    /// When the log cannot be read, is damaged, or when `each` fails.
    fn read(&self, range: Range<u64>, each: &mut dyn FnMut(u64, &str) -> Result<(), LogError>) -> Result<(), LogError>;
}

impl Lines for [String] {
    fn count(&self) -> Result<u64, LogError> {
        Ok(self.len() as u64)
    }

    fn read(&self, range: Range<u64>, each: &mut dyn FnMut(u64, &str) -> Result<(), LogError>) -> Result<(), LogError> {
        let (from, to) = (range.start as usize, (range.end as usize).min(self.len()));
        let lines = self.get(from..to).unwrap_or_default();
        (range.start..).zip(lines).try_for_each(|(seq, line)| each(seq, line))
    }
}

impl Lines for Log {
    fn count(&self) -> Result<u64, LogError> {
        self.len()
    }

    fn read(&self, range: Range<u64>, each: &mut dyn FnMut(u64, &str) -> Result<(), LogError>) -> Result<(), LogError> {
        self.entries(range).try_for_each(|stored| {
            let stored = stored?;
            each(stored.seq, &stored.json)
        })
    }
}

impl Log {
    /// The policy of that digest, compiled from what the log has kept of it; for [`again`]. Else why there is none.
    ///
    /// # Errors
    /// When the log has not kept it, or it does not compile any more.
    pub fn kept(&self, digest: &str) -> Result<Policy, String> {
        let policy = self.policy(digest).map_err(|error| error.to_string())?;
        policy.ok_or_else(|| format!("the log has not kept the policy {digest}"))
    }
}

/// Which records are decided again, and how.
#[derive(Clone, Debug, Default)]
pub struct Options {
    since: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
    of: Option<String>,
    jobs: usize,
    secrets: Option<Secrets>,
}

impl Options {
    /// All records, on all cores, without the values of secrets.
    pub fn new() -> Options {
        Options::default()
    }

    /// Only what was decided for this instant or a later one.
    #[must_use]
    pub fn since(mut self, since: Option<DateTime<Utc>>) -> Options {
        self.since = since;
        self
    }

    /// Only what was decided for an instant before this one.
    #[must_use]
    pub fn until(mut self, until: Option<DateTime<Utc>>) -> Options {
        self.until = until;
        self
    }

    /// Only what a policy of this name decided.
    #[must_use]
    pub fn of(mut self, policy: Option<String>) -> Options {
        self.of = policy;
        self
    }

    /// Threads; 0 for one a core.
    #[must_use]
    pub fn jobs(mut self, jobs: usize) -> Options {
        self.jobs = jobs;
        self
    }

    /// Values to try for secrets that were withheld.
    #[must_use]
    pub fn secrets(mut self, secrets: Option<Secrets>) -> Options {
        self.secrets = secrets;
        self
    }

    /// Whether they leave nothing out.
    pub(crate) fn is_everything(&self) -> bool {
        self.since.is_none() && self.until.is_none() && self.of.is_none()
    }

    fn in_time(&self, at: DateTime<Utc>) -> bool {
        self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at < until)
    }

    fn wanted(&self, line: &line::Recorded<'_>) -> bool {
        self.in_time(line.at) && self.of.as_ref().is_none_or(|of| *of == line.policy)
    }
}

/// Records that were not decided again for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotDecided {
    /// Why not.
    pub reason: String,
    /// Which.
    pub ids: Vec<Id>,
}

/// Lines of one piece of work.
const PIECE: u64 = 1024;
/// Pieces that each thread takes before results are gathered and progress is told.
const ROUND: u64 = 8;

/// The threads that are wanted.
fn threads(options: &Options) -> Result<rayon::ThreadPool, LogError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.jobs).build();
    pool.map_err(|error| LogError::Invalid(format!("no threads can be started: {error}")))
}

/// Reads all lines in pieces and gathers what becomes of them.
pub(crate) fn in_pieces<P: Default + Send>(
    lines: &(impl Lines + ?Sized),
    options: &Options,
    progress: &mut dyn FnMut(u64, u64),
    each: impl Fn(&mut P, u64, &str) -> Result<(), LogError> + Sync,
    mut gather: impl FnMut(P),
) -> Result<(), LogError> {
    let pool = threads(options)?;
    let count = lines.count()?;
    let round = PIECE * ROUND * pool.current_num_threads().max(1) as u64;
    let mut from = 0;
    while from < count {
        let to = from.saturating_add(round).min(count);
        let pieces: Vec<Range<u64>> =
            (from..to).step_by(PIECE as usize).map(|start| start..start.saturating_add(PIECE).min(to)).collect();
        let one = |piece: Range<u64>| {
            let mut partial = P::default();
            let done = lines.read(piece, &mut |seq, line| each(&mut partial, seq, line));
            done.map(|()| partial)
        };
        let done: Vec<Result<P, LogError>> = pool.install(|| pieces.into_par_iter().map(one).collect());
        for partial in done {
            gather(partial?);
        }
        progress(to, count);
        from = to;
    }
    Ok(())
}

/// Where in time an entry belongs: a decision to the instant decided for, another to when it was recorded. `None` when it
/// is not wanted.
pub(crate) fn when(seq: u64, line: &str, options: &Options) -> Result<Option<DateTime<Utc>>, LogError> {
    if let Some(recorded) = line::Recorded::read(seq, line)? {
        return Ok(options.wanted(&recorded).then_some(recorded.at));
    }
    let entry = crate::Entry::from_json(line).map_err(|error| LogError::Damaged { seq, why: error.to_string() })?;
    Ok(options.in_time(entry.recorded()).then(|| entry.recorded()))
}

/// The digest of the policy of a decision.
pub(crate) fn digest_of(seq: u64, line: &str) -> Result<Option<String>, LogError> {
    Ok(line::Recorded::read(seq, line)?.map(|recorded| recorded.digest.into_owned()))
}
