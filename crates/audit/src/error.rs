//! What can go wrong with a log.

use std::path::{Path, PathBuf};

/// Why a log cannot be opened, read or written. None of these leaves a record half written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// There is no such file, and it was not to be made.
    #[error("{}: there is no such log", .0.display())]
    NotFound(PathBuf),
    /// The file is something else.
    #[error("{}: it is not a decision log: {why}", .path.display())]
    NotALog {
        /// The file.
        path: PathBuf,
        /// What gave it away.
        why: String,
    },
    /// The log was written by a newer version.
    #[error("{}: its format is {found}; this version reads up to {known}, use a newer stagegate", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format known here.
        known: u32,
    },
    /// The log, its folder, or the disk may not be written.
    #[error("{}: it cannot be written: {why}", .path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// No space is left on the disk; nothing of what was being appended is in the log.
    #[error("{}: no space is left to append to it; what is in it is not touched", .0.display())]
    Full(PathBuf),
    /// Others kept the log busy for too long.
    #[error("{}: another process kept it locked for too long; try again", .0.display())]
    Busy(PathBuf),
    /// The SQLite that is linked can damage logs.
    #[error("the SQLite that is linked is {found}; versions before 3.51.3 can damage a log that two processes use")]
    OldSqlite {
        /// Its version.
        found: String,
    },
    /// What is stored is not what was recorded.
    #[error("record {seq}: {why}; `stagegate audit verify` tells more")]
    Damaged {
        /// Its place in the log, from 0.
        seq: u64,
        /// What is wrong.
        why: String,
    },
    /// The file is damaged in a way that SQLite sees.
    #[error("{}: it is damaged: {why}; `stagegate audit verify` tells more", .path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        why: String,
    },
    /// Another process began to append while it was being read.
    #[error("{}: another process began to append to it while it was being read; read it again", .0.display())]
    Changed(PathBuf),
    /// It has to be closed first.
    #[error("{}: it is open to append, by this process or another; close it first", .0.display())]
    InUse(PathBuf),
    /// There is no such record.
    #[error("there is no record {0} in the log")]
    NoRecord(String),
    /// What was given is not of the right form.
    #[error("{0}")]
    Invalid(String),
    /// A signature or a proof could be read, and does not hold.
    #[error("{0}")]
    NotProven(String),
    /// Anything else that SQLite says.
    #[error("{}: {source}", .path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What it says.
        source: rusqlite::Error,
    },
    /// Input or output failed.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

impl LogError {
    /// Input or output at a file.
    pub fn io(path: &Path, source: std::io::Error) -> LogError {
        let words = match source.kind() {
            std::io::ErrorKind::NotFound if source.raw_os_error().is_some() => "there is no such file",
            std::io::ErrorKind::PermissionDenied if source.raw_os_error().is_some() => "permission denied",
            std::io::ErrorKind::StorageFull => return LogError::Full(path.to_path_buf()),
            _ => return LogError::Io { path: path.to_path_buf(), source },
        };
        LogError::Io { path: path.to_path_buf(), source: std::io::Error::new(source.kind(), words) }
    }

    /// The same error once more, for the next of those whom it concerns.
    pub(crate) fn again(&self) -> LogError {
        match self {
            LogError::NotProven(why) => LogError::NotProven(why.clone()),
            LogError::NotFound(path) => LogError::NotFound(path.clone()),
            LogError::NotALog { path, why } => LogError::NotALog { path: path.clone(), why: why.clone() },
            LogError::Newer { path, found, known } => {
                LogError::Newer { path: path.clone(), found: *found, known: *known }
            }
            LogError::ReadOnly { path, why } => LogError::ReadOnly { path: path.clone(), why: why.clone() },
            LogError::Full(path) => LogError::Full(path.clone()),
            LogError::Busy(path) => LogError::Busy(path.clone()),
            LogError::OldSqlite { found } => LogError::OldSqlite { found: found.clone() },
            LogError::Damaged { seq, why } => LogError::Damaged { seq: *seq, why: why.clone() },
            LogError::Corrupt { path, why } => LogError::Corrupt { path: path.clone(), why: why.clone() },
            LogError::Changed(path) => LogError::Changed(path.clone()),
            LogError::InUse(path) => LogError::InUse(path.clone()),
            LogError::NoRecord(id) => LogError::NoRecord(id.clone()),
            LogError::Invalid(why) => LogError::Invalid(why.clone()),
            LogError::Sqlite { path, source: rusqlite::Error::SqliteFailure(error, why) } => {
                let source = rusqlite::Error::SqliteFailure(*error, why.clone());
                LogError::Sqlite { path: path.clone(), source }
            }
            LogError::Sqlite { path, source } => {
                LogError::Io { path: path.clone(), source: std::io::Error::other(source.to_string()) }
            }
            LogError::Io { path, source } => {
                let source = std::io::Error::new(source.kind(), source.to_string());
                LogError::Io { path: path.clone(), source }
            }
        }
    }
}
