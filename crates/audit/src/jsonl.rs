//! Decisions as lines of JSON in a file, for whatever ships logs.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use stagegate::{Decided, DecisionSink, SinkError};

use crate::sink::entry;
use crate::{Entry, LogError, SecretKey};

/// When the lines of a [`JsonLines`] are on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fsync {
    /// Before [`DecisionSink::record`] returns: a power cut takes away no decision that was given.
    #[default]
    EachRecord,
    /// When the system writes them, on Linux within half a minute or so: a crash of the process takes nothing away, **a
    /// crash of the machine or a power cut the lines of that time.**
    Never,
}

/// A sink that appends each decision as one line of JSON to a file: the line that [`Log`](crate::Log) stores and exports.
///
/// It is a stream to be shipped and not a log to be asked: there is no tree over it, the texts of policies are not in it, and
/// nothing keeps a line from being changed. Several processes may append to one file (on a local file system). When the
/// file was moved away, as log rotation does, a new one is begun. What a crash left of a half-written line stands on a line
/// of its own, which is not JSON.
pub struct JsonLines {
    path: PathBuf,
    fsync: Fsync,
    key: Option<SecretKey>,
    open: Mutex<Open>,
}

struct Open {
    file: File,
    /// The last line was not written whole.
    torn: bool,
}

impl std::fmt::Debug for JsonLines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JsonLines").field("path", &self.path).field("fsync", &self.fsync).finish_non_exhaustive()
    }
}

impl JsonLines {
    /// Appends to the file, and makes it if there is none. Without a key, a request with secret facts is not recorded.
    ///
    /// # Errors
    /// When the file cannot be opened or made.
    pub fn open(path: impl AsRef<Path>, fsync: Fsync, key: Option<SecretKey>) -> Result<JsonLines, LogError> {
        let path = path.as_ref();
        let open = Open::new(path).map_err(|error| LogError::io(path, error))?;
        Ok(JsonLines { path: path.to_path_buf(), fsync, key, open: Mutex::new(open) })
    }

    /// Appends entries, each a line, all with one write.
    ///
    /// # Errors
    /// When they cannot be written; a part of them may be in the file then.
    pub fn append(&self, entries: &[Entry]) -> Result<(), LogError> {
        let mut lines = String::new();
        for entry in entries {
            lines.push_str(&entry.to_json());
            lines.push('\n');
        }
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.write(&self.path, lines, self.fsync).map_err(|error| LogError::io(&self.path, error))
    }
}

impl Open {
    fn new(path: &Path) -> std::io::Result<Open> {
        let file = OpenOptions::new().append(true).read(true).create(true).open(path)?;
        // The name of a file that was just made has to be durable too.
        #[cfg(unix)]
        if file.metadata()?.len() == 0
            && let Some(folder) = path.parent()
        {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            File::open(folder)?.sync_all()?;
        }
        let torn = Open::is_torn(&file)?;
        Ok(Open { file, torn })
    }

    /// The file ends within a line.
    fn is_torn(mut file: &File) -> std::io::Result<bool> {
        use std::io::{Read, Seek, SeekFrom};
        if file.metadata()?.len() == 0 {
            return Ok(false);
        }
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        Ok(last != *b"\n")
    }

    fn write(&mut self, path: &Path, mut lines: String, fsync: Fsync) -> std::io::Result<()> {
        if self.moved(path)? {
            *self = Open::new(path)?;
        }
        if self.torn {
            lines.insert(0, '\n');
        }
        self.torn = true;
        self.file.write_all(lines.as_bytes())?;
        self.torn = false;
        match fsync {
            Fsync::EachRecord => self.file.sync_data(),
            Fsync::Never => Ok(()),
        }
    }

    /// The path names another file now, or none.
    #[cfg(unix)]
    fn moved(&self, path: &Path) -> std::io::Result<bool> {
        use std::os::unix::fs::MetadataExt;
        let ours = self.file.metadata()?;
        match std::fs::metadata(path) {
            Ok(now) => Ok((now.dev(), now.ino()) != (ours.dev(), ours.ino())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// An open file cannot be moved away.
    #[cfg(not(unix))]
    fn moved(&self, _: &Path) -> std::io::Result<bool> {
        Ok(false)
    }
}

impl DecisionSink for JsonLines {
    fn record(&self, decided: &Decided<'_>) -> Result<(), SinkError> {
        self.record_all(std::slice::from_ref(decided))
    }

    fn record_all(&self, decided: &[Decided<'_>]) -> Result<(), SinkError> {
        let entries = decided.iter().map(|one| entry(one, self.key.as_ref()));
        let entries = entries.collect::<Result<Vec<_>, _>>().map_err(SinkError::from_error)?;
        self.append(&entries).map_err(SinkError::from_error)
    }
}
