//! Which logs this process has open, and their bytes beside SQLite.
//!
//! When a process closes any descriptor of a file, POSIX takes away all locks that it has on that file; another process
//! that ends would then take the write-ahead log away under a handle that appends. SQLite knows that and closes its own
//! descriptors late. Ours are closed late here: when SQLite has none of the file any more.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::file::Identity;
use crate::LogError;

/// What is open of one file.
#[derive(Default)]
struct Open {
    /// Connections of SQLite that may have locks.
    live: usize,
    /// How many read its bytes.
    raw: usize,
    /// Descriptors of ours.
    files: Vec<Arc<File>>,
}

static OPEN: Mutex<BTreeMap<Identity, Open>> = Mutex::new(BTreeMap::new());

fn all() -> MutexGuard<'static, BTreeMap<Identity, Open>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether this process has the log open with SQLite, to append or to read along with who appends.
pub(crate) fn is_live(path: &Path) -> Result<bool, LogError> {
    let identity = Identity::of(path)?;
    Ok(all().get(&identity).is_some_and(|open| open.live > 0))
}

/// As long as it lives, no descriptor of the file is closed here.
struct Live(Identity);

impl Live {
    fn new(path: &Path) -> Result<Live, LogError> {
        let identity = Identity::of(path)?;
        all().entry(identity).or_default().live += 1;
        Ok(Live(identity))
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        done(self.0, |open| open.live = open.live.saturating_sub(1));
    }
}

/// One less; the last closes what was kept open.
fn done(identity: Identity, less: impl FnOnce(&mut Open)) {
    let mut all = all();
    if let Some(open) = all.get_mut(&identity) {
        less(open);
        if open.live == 0 && open.raw == 0 {
            all.remove(&identity);
        }
    }
}

/// A connection to a log.
pub(crate) struct Connected {
    log: Connection,
    /// It goes after the connection. `None`: one without locks.
    _live: Option<Live>,
}

impl Connected {
    /// A connection just opened that will have locks: SQLite takes the first when it first reads.
    pub fn live(path: &Path, log: Connection) -> Result<Connected, LogError> {
        Ok(Connected { log, _live: Some(Live::new(path)?) })
    }

    /// A connection that takes for granted that nobody writes.
    pub fn still(log: Connection) -> Connected {
        Connected { log, _live: None }
    }
}

impl Deref for Connected {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.log
    }
}

impl DerefMut for Connected {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.log
    }
}

/// The bytes of a file that SQLite may have open.
pub(crate) struct Raw {
    identity: Identity,
    file: Option<Arc<File>>,
    at: u64,
}

impl Raw {
    pub fn open(path: &Path) -> std::io::Result<Raw> {
        let mut all = all();
        let identity = Identity::at(path)?;
        // One descriptor is enough, however often it is read while it cannot be closed. (Elsewhere all may be closed.)
        let known = all.get(&identity).and_then(|open| open.files.first()).filter(|_| cfg!(unix)).map(Arc::clone);
        let (identity, file) = match known {
            Some(file) => (identity, file),
            None => {
                let file = Arc::new(File::open(path)?);
                let identity = Identity::of_metadata(&file.metadata()?);
                all.entry(identity).or_default().files.push(Arc::clone(&file));
                (identity, file)
            }
        };
        all.entry(identity).or_default().raw += 1;
        Ok(Raw { identity, file: Some(file), at: 0 })
    }

    fn file(&self) -> std::io::Result<&File> {
        self.file.as_deref().ok_or_else(|| ErrorKind::NotFound.into())
    }

    pub fn len(&self) -> std::io::Result<u64> {
        Ok(self.file()?.metadata()?.len())
    }

    /// Where reading goes on.
    pub fn seek(&mut self, at: u64) {
        self.at = at;
    }
}

impl Read for Raw {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let file = self.file()?;
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_at(file, buffer, self.at)?;
        #[cfg(windows)]
        let read = std::os::windows::fs::FileExt::seek_read(file, buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // What is in the table has to be the last.
        self.file = None;
        done(self.identity, |open| open.raw = open.raw.saturating_sub(1));
    }
}
