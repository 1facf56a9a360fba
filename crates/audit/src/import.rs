//! Lines of an export become a log again, with the same leaves.

use std::collections::{HashMap, HashSet};
use std::io::BufRead;
use std::path::Path;

use serde::Serialize;

use crate::lines::{Line, LineReader};
use crate::log::file::beside;
use crate::{Entry, Id, Log, LogError, Options};

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

/// Appends all the lines to a log, or none of them. If there is no log it is made: beside its place, and it is put there
/// when it is whole. To a log that exists everything is appended in one transaction, and lies in memory until then.
///
/// # Errors
/// When a line is damaged, too long, not written as a log writes it, or has the id of an entry that is in the log and says
/// something else; when a decision's policy is neither in the log nor before it in the lines; when the log cannot be
/// written. What is wrong with a line is told with its number. Nothing is appended then.
pub fn import<R: BufRead>(
    path: &Path,
    lines: LineReader<R>,
    progress: &mut dyn FnMut(u64),
) -> Result<Imported, LogError> {
    let exists = match std::fs::symlink_metadata(path) {
        Ok(_) => true,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => return Err(LogError::io(path, error)),
    };
    if exists {
        return into(&Log::open(path, &Options::new())?, lines, usize::MAX, progress);
    }
    let partial = beside(path, ".partial");
    if std::fs::symlink_metadata(&partial).is_ok() {
        return Err(LogError::Invalid(format!("{}: there is such a file already", partial.display())));
    }
    let made = Log::open(&partial, &Options::new().create(true)).and_then(|log| into(&log, lines, BATCH, progress));
    // The log is closed: what is left beside it is gone.
    match made {
        Ok(imported) => {
            std::fs::rename(&partial, path).map_err(|error| LogError::io(path, error))?;
            Ok(imported)
        }
        Err(error) => {
            let _ = std::fs::remove_file(&partial);
            Err(error)
        }
    }
}

fn into<R: BufRead>(
    log: &Log,
    mut lines: LineReader<R>,
    batch: usize,
    progress: &mut dyn FnMut(u64),
) -> Result<Imported, LogError> {
    let mut imported = Imported::default();
    let mut known: HashSet<String> = log.policies()?.into_iter().collect();
    let mut policies = Vec::new();
    let mut waiting: Vec<Entry> = Vec::new();
    // Where each of those that wait is.
    let mut ids: HashMap<Id, usize> = HashMap::new();
    while let Some(line) = lines.next() {
        progress(lines.number());
        let (entry, json) = match line? {
            Line::Policy(policy) => {
                imported.policies += 1;
                if known.insert(policy.digest.clone()) {
                    policies.push(policy.text());
                }
                continue;
            }
            Line::Entry { entry, json } => (*entry, json),
        };
        if entry.to_json() != json {
            return Err(lines.wrong("it is not written as a log writes it, and would have another hash"));
        }
        if let Entry::Decision(record) = &entry {
            let digest = &record.policy().digest;
            if !known.contains(digest) {
                return Err(lines.wrong(format!("its policy {digest} is neither in the log nor in a line before it")));
            }
        }
        let id = entry.id();
        let before = match ids.get(&id).and_then(|place| waiting.get(*place)) {
            Some(before) => Some(before.to_json()),
            None => log.find(id)?.map(|stored| stored.json),
        };
        match before {
            Some(before) if before == json => imported.skipped += 1,
            Some(_) => return Err(lines.wrong(format!("there is an entry {id} already, and it says something else"))),
            None => {
                imported.entries += 1;
                ids.insert(id, waiting.len());
                waiting.push(entry);
            }
        }
        if waiting.len() >= batch {
            append(log, &mut policies, &mut waiting)?;
            ids.clear();
        }
    }
    append(log, &mut policies, &mut waiting)?;
    Ok(imported)
}

fn append(log: &Log, policies: &mut Vec<crate::PolicyText>, waiting: &mut Vec<Entry>) -> Result<(), LogError> {
    if !policies.is_empty() {
        log.keep_policies(policies)?;
        policies.clear();
    }
    if !waiting.is_empty() {
        log.append_all(waiting, &[])?;
        waiting.clear();
    }
    Ok(())
}
