//! A log as lines of JSON, and a copy of a log while others append to it.

use std::collections::HashSet;
use std::io::Write;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use serde::Serialize;

use crate::log::file::Reader;
use crate::replay::{Options, digest_of, when};
use crate::{Entry, Log, LogError, PolicyLine, Stored};

/// What was exported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Entries.
    pub entries: u64,
    /// Policies.
    pub policies: u64,
}

impl Log {
    /// Writes the stored lines as they are, those that [`Options`] wants, and before the first decision of each policy a
    /// line with the policy's text. A review goes with its decision; what was dropped has the time at which that was
    /// recorded. Without bounds everything that the log holds is written.
    ///
    /// # Errors
    /// When the log cannot be read or is damaged, or the lines cannot be written.
    pub fn export(
        &self,
        to: &mut dyn Write,
        options: &Options,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Exported, LogError> {
        let wrong = |source| LogError::Io { path: "the export".into(), source };
        let mut line = |line: &str| to.write_all(line.as_bytes()).and_then(|()| to.write_all(b"\n")).map_err(wrong);
        let mut told = HashSet::new();
        let mut exported = Exported::default();
        let count = self.len()?;
        for stored in self.entries(0..count) {
            let stored = stored?;
            progress(stored.seq + 1, count);
            let digest = digest_of(stored.seq, &stored.json)?;
            if !options.is_everything() && !self.is_wanted(&stored, digest.is_some(), options)? {
                continue;
            }
            if let Some(digest) = digest
                && !told.contains(&digest)
            {
                let missing = || LogError::Invalid(format!("the log has not kept the policy {digest}"));
                line(&PolicyLine::new(self.policy_text(&digest)?.ok_or_else(missing)?).to_json())?;
                exported.policies += 1;
                told.insert(digest);
            }
            line(&stored.json)?;
            exported.entries += 1;
        }
        // Policies that were kept and have decided nothing.
        if options.is_everything() {
            for digest in self.policies()?.into_iter().filter(|digest| !told.contains(digest)) {
                if let Some(text) = self.policy_text(&digest)? {
                    line(&PolicyLine::new(text).to_json())?;
                    exported.policies += 1;
                }
            }
        }
        to.flush().map_err(wrong)?;
        Ok(exported)
    }

    fn is_wanted(&self, stored: &Stored, decision: bool, options: &Options) -> Result<bool, LogError> {
        let wanted = |stored: &Stored| Ok(when(stored.seq, &stored.json, options)?.is_some());
        if !decision && let Entry::Review(review) = stored.entry()? {
            return self.find(review.of)?.map_or(Ok(false), |of| wanted(&of));
        }
        wanted(stored)
    }

    /// Copies the log to a file that is not there yet, as it is at one instant; others may append meanwhile, and wait for
    /// nothing. What fails leaves no file of that name. The number of entries in the copy.
    ///
    /// # Errors
    /// When there is such a file, the log cannot be read, or the copy cannot be written or is not what the log is.
    pub fn backup(&self, file: &Path) -> Result<u64, LogError> {
        if std::fs::symlink_metadata(file).is_ok() {
            return Err(LogError::Invalid(format!("{}: there is such a file already", file.display())));
        }
        let partial = crate::log::file::beside(file, ".partial");
        if std::fs::symlink_metadata(&partial).is_ok() {
            return Err(LogError::Invalid(format!("{}: there is such a file already", partial.display())));
        }
        let copied = match self.copy(&partial, Log::connect) {
            Err(LogError::Changed(_)) => self.copy(&partial, Log::connect_along),
            copied => copied,
        };
        let done = copied.and_then(|()| {
            let (copy, least) = (Log::read(&partial)?, self.len()?);
            let entries = copy.len()?;
            let last = entries.checked_sub(1);
            let same = match last {
                Some(last) => copy.entry(last)? == self.entry(last)?,
                None => true,
            };
            if !same || entries > least || copy.origin()? != self.origin()? {
                return Err(LogError::Invalid(format!("{}: the copy is not what the log is", file.display())));
            }
            Ok(entries)
        });
        match done {
            Ok(entries) => {
                std::fs::rename(&partial, file).map_err(|error| LogError::io(file, error))?;
                crate::log::file::sync_folder(file)?;
                Ok(entries)
            }
            Err(error) => {
                let _ = std::fs::remove_file(&partial);
                Err(error)
            }
        }
    }

    fn copy(&self, to: &Path, connect: fn(&Log) -> Result<Reader, LogError>) -> Result<(), LogError> {
        let failed = |error| crate::log::file::sqlite(to, error);
        let mut copy = Connection::open(to).map_err(failed)?;
        let from = connect(self)?;
        let step = Backup::new(&from, &mut copy).and_then(|backup| backup.step(-1)).map_err(failed)?;
        from.still()?;
        if step != StepResult::Done {
            return Err(LogError::Busy(self.path().to_path_buf()));
        }
        // SQLite counts the copy as a change to the definitions of tables; nothing of them was changed.
        let schema: i64 = from.pragma_query_value(None, "schema_version", |row| row.get(0)).map_err(failed)?;
        copy.pragma_update(None, "schema_version", schema).map_err(failed)?;
        copy.close().map_err(|(_, error)| failed(error))?;
        let file = std::fs::File::open(to).and_then(|file| file.sync_all());
        file.map_err(|error| LogError::io(to, error))
    }
}
