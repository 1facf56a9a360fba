//! One thread a handle appends, and takes with one sync all that has come meanwhile.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use super::Mode;
use super::body::Packing;
use super::writer::{PolicyText, Prepared, Writer};
use crate::{Dropped, Entry, Id, LogError};

/// What is to be appended together, or not at all.
#[derive(Default)]
pub(super) struct Job {
    pub entries: Vec<Prepared>,
    /// Entries that are being prepared while the first of them are written.
    pub coming: Option<Coming>,
    pub policies: Vec<PolicyText>,
    /// To be the log's, if it has none yet.
    pub dictionary: Option<Vec<u8>>,
    /// Who waits until it is durable.
    answer: Option<SyncSender<Result<u64, LogError>>>,
}

/// Entries on their way.
pub(super) struct Coming {
    /// How many they will be.
    pub many: usize,
    pub chunks: Receiver<Result<Vec<Prepared>, LogError>>,
}

/// Chunks that may be prepared and not yet written.
const CHUNKS: usize = 4;

impl Job {
    /// How many entries.
    pub fn len(&self) -> usize {
        self.entries.len() + self.coming.as_ref().map_or(0, |coming| coming.many)
    }

    fn is_empty(&self) -> bool {
        self.len() == 0 && self.policies.is_empty() && self.dictionary.is_none()
    }
}

/// What one transaction takes at most, in entries; a job of more than that is one transaction all the same.
const GROUP: usize = 4_096;

/// How long a batch that could not be written rests before it is tried again, at least.
const REST: Duration = Duration::from_millis(100);

/// How far `batched` and `best-effort` may be behind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Behind {
    pub records: usize,
    pub delay: Duration,
}

/// The queue before the thread that appends.
pub(super) struct Queue {
    path: PathBuf,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    /// There is something to do for the thread.
    work: Condvar,
    /// There may be room for whoever waits for it.
    room: Condvar,
    mode: Mode,
    behind: Behind,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Job>,
    /// Entries in the queue and in the transaction that is being made.
    entries: usize,
    /// Jobs in the queue that somebody waits for.
    urgent: usize,
    /// When the oldest entry that nobody waits for came.
    since: Option<Instant>,
    /// The handle is gone: the thread finishes what is in the queue, and ends.
    closing: bool,
    /// The thread has ended.
    ended: bool,
    /// Why the last batch could not be written, until one can.
    failed: Option<LogError>,
    /// Why an entry that nobody waited for can never be written, until that has been told.
    lost: Option<LogError>,
    /// Not before this is a batch that could not be written tried again.
    rest: Option<Instant>,
    dropped: Drops,
}

/// What best effort has dropped and not yet recorded.
#[derive(Default)]
struct Drops {
    count: u64,
    times: Option<(DateTime<Utc>, DateTime<Utc>)>,
    why: String,
}

impl Drops {
    fn add(&mut self, count: usize, why: impl FnOnce() -> String) {
        let now = Utc::now();
        self.count += count as u64;
        self.times = Some((self.times.map_or(now, |times| times.0), now));
        self.why = why();
    }

    /// Together with those of before.
    fn and(&mut self, before: Drops) {
        self.count += before.count;
        self.times = match (before.times, self.times) {
            (Some(before), Some(times)) => Some((before.0, times.1)),
            (before, times) => times.or(before),
        };
        if self.why.is_empty() {
            self.why = before.why;
        }
    }

    fn entry(&self) -> Option<Entry> {
        let (since, until) = self.times?;
        let (count, why) = (self.count, self.why.clone());
        Some(Entry::Dropped(Dropped { id: Id::new(), recorded: Utc::now(), count, since, until, why }))
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    pub fn start(path: &Path, writer: Writer, mode: Mode, behind: Behind) -> Result<Queue, LogError> {
        let path = path.to_path_buf();
        let (state, work, room) = Default::default();
        let shared = Arc::new(Shared { state, work, room, mode, behind });
        let running = Running(Arc::clone(&shared));
        let thread = std::thread::Builder::new().name("stagegate-log".into());
        let thread = thread.spawn(move || running.run(writer)).map_err(|error| LogError::io(&path, error))?;
        Ok(Queue { path, shared, thread: Some(thread) })
    }

    /// Appends, and waits until it is durable.
    pub fn append(&self, entries: Vec<Prepared>, policies: Vec<PolicyText>) -> Result<u64, LogError> {
        self.wait_for(Job { entries, policies, ..Job::default() })
    }

    /// Gives the log a dictionary, unless it has one.
    pub fn pack_with(&self, dictionary: Vec<u8>) -> Result<(), LogError> {
        self.wait_for(Job { dictionary: Some(dictionary), ..Job::default() }).map(drop)
    }

    /// Appends all of the chunks together: the first are written while the next are prepared.
    pub fn append_chunks(
        &self,
        many: usize,
        chunks: impl Iterator<Item = Result<Vec<Prepared>, LogError>>,
        policies: Vec<PolicyText>,
    ) -> Result<u64, LogError> {
        let (prepared, coming) = sync_channel(CHUNKS);
        let coming = Some(Coming { many, chunks: coming });
        let durable = self.hand_in(Job { coming, policies, ..Job::default() })?;
        for chunk in chunks {
            let last = chunk.is_err();
            // If nobody takes it any more, the reason is in the answer.
            if prepared.send(chunk).is_err() || last {
                break;
            }
        }
        drop(prepared);
        durable.recv().unwrap_or_else(|_| Err(self.ended()))
    }

    fn wait_for(&self, job: Job) -> Result<u64, LogError> {
        self.hand_in(job)?.recv().unwrap_or_else(|_| Err(self.ended()))
    }

    /// What will be answered when it is durable.
    fn hand_in(&self, job: Job) -> Result<Receiver<Result<u64, LogError>>, LogError> {
        let (answer, durable) = sync_channel(1);
        {
            let mut state = self.shared.state();
            if state.ended {
                return Err(self.ended());
            }
            state.push(Job { answer: Some(answer), ..job });
        }
        self.shared.work.notify_one();
        Ok(durable)
    }

    /// Appends soon. Waits while too much is behind.
    ///
    /// # Errors
    /// When what came before could not be written.
    pub fn soon(&self, entries: Vec<Prepared>, policies: Vec<PolicyText>) -> Result<(), LogError> {
        let mut state = self.shared.state();
        loop {
            if let Some(error) = state.lost.take() {
                return Err(error);
            }
            if let Some(error) = &state.failed {
                return Err(error.again());
            }
            if state.ended {
                return Err(self.ended());
            }
            if state.entries == 0 || state.entries + entries.len() <= self.shared.behind.records {
                break;
            }
            state = self.shared.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.push(Job { entries, policies, ..Job::default() });
        drop(state);
        self.shared.work.notify_one();
        Ok(())
    }

    /// Appends if there is room for it, and counts it as dropped if not.
    pub fn try_soon(&self, entries: Vec<Prepared>, policies: Vec<PolicyText>) {
        let mut state = self.shared.state();
        let records = self.shared.behind.records;
        if state.ended {
            return;
        }
        if state.entries > 0 && state.entries + entries.len() > records {
            let why = format!("{records} records were waiting to be written already");
            state.dropped.add(entries.len(), || why);
            return;
        }
        state.push(Job { entries, policies, ..Job::default() });
        drop(state);
        self.shared.work.notify_one();
    }

    /// Waits until all that came before is durable.
    pub fn flush(&self) -> Result<(), LogError> {
        self.append(Vec::new(), Vec::new())?;
        self.shared.state().lost.take().map_or(Ok(()), Err)
    }

    fn ended(&self) -> LogError {
        LogError::Io { path: self.path.clone(), source: std::io::Error::other("the thread that appends has ended") }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.shared.state().closing = true;
        self.shared.work.notify_all();
        if let Some(thread) = self.thread.take() {
            // If it panicked, that has been told; there is nobody here who could do anything about it.
            let _ = thread.join();
        }
    }
}

impl State {
    fn push(&mut self, job: Job) {
        self.entries += job.len();
        match job.answer {
            Some(_) => self.urgent += 1,
            None => self.since = self.since.or_else(|| Some(Instant::now())),
        }
        self.queue.push_back(job);
    }
}

/// The thread's side. However it ends, nobody waits for it in vain.
struct Running(Arc<Shared>);

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.ended = true;
        state.queue.clear();
        drop(state);
        self.0.room.notify_all();
    }
}

impl Running {
    fn run(&self, mut writer: Writer) {
        while let Some((jobs, drops)) = self.next() {
            let result = self.write(&mut writer, &jobs, &drops);
            let written = result.is_ok();
            self.settle(jobs, drops, result);
            if written {
                // A log without a dictionary is as right as one with it.
                let _ = writer.train();
            }
        }
    }

    /// What is to be written next; `None` at the end.
    fn next(&self) -> Option<(Vec<Job>, Drops)> {
        let shared = &*self.0;
        let mut state = shared.state();
        loop {
            let now = Instant::now();
            // Until when there is nothing to do; `None` if there is something.
            let due = if state.urgent > 0 || state.closing {
                None
            } else if state.queue.is_empty() {
                match (state.dropped.count, state.rest) {
                    (0, _) => Some(None),
                    (_, rest) => rest.map(Some),
                }
            } else {
                let full = state.entries >= shared.behind.records;
                let due = state.since.filter(|_| !full).map(|since| since + shared.behind.delay);
                due.max(state.rest).map(Some)
            };
            match due {
                None => break,
                Some(None) => state = shared.work.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(Some(due)) if due <= now => break,
                Some(Some(due)) => {
                    let waited = shared.work.wait_timeout(state, due - now);
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
        if state.queue.is_empty() && (state.closing && state.dropped.count == 0) {
            return None;
        }
        let mut jobs = Vec::new();
        let mut entries = 0;
        while let Some(job) = state.queue.pop_front() {
            if entries > 0 && entries + job.len() > GROUP {
                state.queue.push_front(job);
                break;
            }
            entries += job.len();
            state.urgent -= usize::from(job.answer.is_some());
            jobs.push(job);
        }
        if state.queue.iter().all(|job| job.answer.is_some()) {
            state.since = None;
        }
        let drops = std::mem::take(&mut state.dropped);
        Some((jobs, drops))
    }

    fn write(&self, writer: &mut Writer, jobs: &[Job], drops: &Drops) -> Result<Vec<Result<u64, LogError>>, LogError> {
        let dropped = drops.entry().map(|entry| Prepared::new(&entry, &Packing::default())).transpose()?;
        if dropped.is_none() && jobs.iter().all(Job::is_empty) {
            return Ok(jobs.iter().map(|_| Ok(0)).collect());
        }
        writer.append(jobs, dropped.as_ref())
    }

    /// Tells whoever waits, and what is to become of what nobody waits for.
    fn settle(&self, jobs: Vec<Job>, drops: Drops, result: Result<Vec<Result<u64, LogError>>, LogError>) {
        let shared = &*self.0;
        let mut state = shared.state();
        match result {
            Ok(results) => {
                state.failed = None;
                state.rest = None;
                for (job, result) in jobs.into_iter().zip(results) {
                    let many = job.len();
                    state.entries -= many;
                    match (job.answer, result) {
                        (Some(answer), result) => {
                            // Whoever does not wait any more is not told.
                            let _ = answer.send(result);
                        }
                        (None, Ok(_)) => {}
                        (None, Err(error)) if shared.mode == Mode::BestEffort => {
                            state.dropped.add(many, || error.to_string());
                        }
                        (None, Err(error)) => state.lost = Some(error),
                    }
                }
            }
            Err(error) => {
                state.rest = Some(Instant::now() + shared.behind.delay.max(REST));
                state.dropped.and(drops);
                let mut again = Vec::new();
                for job in jobs {
                    match &job.answer {
                        Some(answer) => {
                            state.entries -= job.len();
                            let _ = answer.send(Err(error.again()));
                        }
                        None if shared.mode == Mode::BestEffort => {
                            state.entries -= job.len();
                            state.dropped.add(job.len(), || error.to_string());
                        }
                        None => again.push(job),
                    }
                }
                if state.closing {
                    // The last attempt was made: whoever wanted to know has called `flush`.
                    state.queue.clear();
                    state.dropped = Drops::default();
                    (state.urgent, state.entries) = (0, 0);
                } else {
                    if !again.is_empty() {
                        state.since = state.since.or_else(|| Some(Instant::now()));
                        state.failed = Some(error);
                    }
                    for job in again.into_iter().rev() {
                        state.queue.push_front(job);
                    }
                }
            }
        }
        drop(state);
        shared.room.notify_all();
    }
}
