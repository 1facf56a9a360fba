//! Lines of an export become a log again, with the same leaves.

use std::collections::{HashMap, HashSet};
use std::io::BufRead;
use std::path::Path;

use serde::Serialize;
use stagegate::{Compiler, Limits, MemoryLoader};

use crate::lines::{Line, LineReader};
use crate::log::Given;
use crate::log::file::{beside, sync_folder};
use crate::{Entry, Id, Log, LogError, Options, PolicyText};

/// What was imported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Entries that are in the log now and were not before.
    pub entries: u64,
    /// Entries that were there already, the same to the last byte.
    pub skipped: u64,
    /// Policies in the lines.
    pub policies: u64,
}

/// Entries that are appended at once to a log that is being made.
const BATCH: usize = 10_000;

/// Appends all the lines of all sources to a log, or none of them. Each line is kept as it stands, to the last byte, whatever
/// version wrote it. If there is no log it is made: beside its place, and it is put there when it is whole. To a log that
/// exists everything is appended in one transaction, and lies in memory until then.
///
/// [`Options::origin`] is what a new log is to call itself: with the name of the log that the lines are from, its checkpoints
/// hold for the new one too. A log that exists has to have that name. [`Options::create`] is of no account.
///
/// # Errors
/// When a line is damaged, too long, or has the id of an entry that is in the log and says something else; when a decision's
/// policy is neither in the log nor before it in the lines; when a review's decision is not; when the log cannot be written.
/// What is wrong with a line is told with its number. Nothing is appended then.
pub fn import<R: BufRead>(
    path: &Path,
    sources: impl IntoIterator<Item = LineReader<R>>,
    options: &Options,
    progress: &mut dyn FnMut(u64),
) -> Result<Imported, LogError> {
    let exists = match std::fs::symlink_metadata(path) {
        Ok(_) => true,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => return Err(LogError::io(path, error)),
    };
    if exists {
        let log = Log::open(path, &options.clone().create(false))?;
        let origin = log.origin()?;
        if let Some(wanted) = options.new_origin().filter(|wanted| *wanted != origin) {
            let why = format!("{}: the log is called {origin}, and not {wanted}", path.display());
            return Err(LogError::Invalid(why));
        }
        return into(&log, sources, usize::MAX, progress);
    }
    let partial = beside(path, ".partial");
    if std::fs::symlink_metadata(&partial).is_ok() {
        return Err(LogError::Invalid(format!("{}: there is such a file already", partial.display())));
    }
    let made = Log::open(&partial, &options.clone().create(true));
    // The log is closed then: what is left beside it is gone.
    let made = made.and_then(|log| into(&log, sources, BATCH, progress)).and_then(|imported| {
        // A log that has appeared meanwhile is not replaced.
        if std::fs::symlink_metadata(path).is_ok() {
            return Err(LogError::Invalid(format!("{}: there is such a file by now", path.display())));
        }
        std::fs::rename(&partial, path).map_err(|error| LogError::io(path, error))?;
        sync_folder(path)?;
        Ok(imported)
    });
    made.inspect_err(|_| {
        let _ = std::fs::remove_file(&partial);
    })
}

fn into<R: BufRead>(
    log: &Log,
    sources: impl IntoIterator<Item = LineReader<R>>,
    batch: usize,
    progress: &mut dyn FnMut(u64),
) -> Result<Imported, LogError> {
    let mut importing = Importing {
        log,
        imported: Imported::default(),
        known: log.policies()?.into_iter().collect(),
        policies: Vec::new(),
        waiting: Vec::new(),
        ids: HashMap::new(),
    };
    let mut done = 0;
    for mut lines in sources {
        while let Some(line) = lines.next() {
            done += 1;
            progress(done);
            importing.take(line?).map_err(|error| match error {
                // It is the line that is wrong, not the log.
                LogError::Invalid(why) => lines.wrong(why),
                other => other,
            })?;
            if importing.waiting.len() >= batch {
                importing.append()?;
            }
        }
    }
    importing.append()?;
    Ok(importing.imported)
}

struct Importing<'l> {
    log: &'l Log,
    imported: Imported,
    /// Digests of policies that are in the log, or will be with the next entries.
    known: HashSet<String>,
    policies: Vec<PolicyText>,
    waiting: Vec<Given>,
    /// Where each of those that wait is, and whether it is a decision.
    ids: HashMap<Id, (usize, bool)>,
}

impl Importing<'_> {
    fn take(&mut self, line: Line) -> Result<(), LogError> {
        let wrong = |why: String| Err(LogError::Invalid(why));
        let (entry, json) = match line {
            Line::Policy(policy) => {
                self.imported.policies += 1;
                let text = policy.text();
                consistent(&text)?;
                if self.known.insert(policy.digest) {
                    self.policies.push(text);
                }
                return Ok(());
            }
            Line::Entry { entry, json } => (*entry, json),
        };
        let id = entry.id();
        let before = match self.ids.get(&id).and_then(|(place, _)| self.waiting.get(*place)) {
            Some(before) => Some(before.line.clone()),
            None => self.log.find(id)?.map(|stored| stored.json),
        };
        match before {
            Some(before) if before == json => {
                self.imported.skipped += 1;
                return Ok(());
            }
            Some(_) => return wrong(format!("there is an entry {id} already, and it says something else")),
            None => {}
        }
        match &entry {
            Entry::Decision(record) => {
                let digest = &record.policy().digest;
                if !self.known.contains(digest) {
                    return wrong(format!("its policy {digest} is neither in the log nor in a line before it"));
                }
            }
            Entry::Review(review) => {
                let decision = match self.ids.get(&review.of) {
                    Some((_, decision)) => *decision,
                    None => match self.log.find(review.of)? {
                        Some(stored) => matches!(stored.entry()?, Entry::Decision(_)),
                        None => false,
                    },
                };
                if !decision {
                    let of = review.of;
                    return wrong(format!(
                        "it is a review of {of}, a decision neither in the log nor in a line before it"
                    ));
                }
            }
            Entry::Dropped(_) => {}
        }
        self.ids.insert(id, (self.waiting.len(), matches!(entry, Entry::Decision(_))));
        self.waiting.push(Given::new(&entry, json)?);
        self.imported.entries += 1;
        Ok(())
    }

    fn append(&mut self) -> Result<(), LogError> {
        self.ids.clear();
        let (waiting, policies) = (std::mem::take(&mut self.waiting), std::mem::take(&mut self.policies));
        if waiting.is_empty() && policies.is_empty() {
            return Ok(());
        }
        self.log.append_given(waiting, policies)
    }
}

/// What stands beside the sources follows from them. Sources that this version does not compile are taken as they are.
fn consistent(text: &PolicyText) -> Result<(), LogError> {
    let files = text.sources.iter().fold(MemoryLoader::new(), |files, (name, text)| files.with(name, text.as_str()));
    let limits = Limits { source_bytes: usize::MAX, ..Limits::default() };
    let root = text.sources.first().map(|(name, _)| name.as_str()).unwrap_or_default();
    let Ok(policy) = Compiler::new().limits(limits).loader(&files).compile(root) else { return Ok(()) };
    if (policy.name(), policy.zone().name()) == (text.name.as_str(), text.zone.as_str())
        && text.language == stagegate::LANGUAGE
    {
        return Ok(());
    }
    Err(LogError::Invalid(
        "the policy's name, its zone or its version of the language is not what its text says".into(),
    ))
}
