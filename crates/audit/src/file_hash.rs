//! The hash of a log's whole file, as a line that a checkpoint may have after its root. The root stands for the records; the
//! hash also for the bytes that SQLite leaves between them and that mean nothing, as long as nothing is appended.

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::log::file;
use crate::log::open::{Raw, is_live};
use crate::{Checkpoint, Head, Log, LogError};

/// What the line begins with.
const WORD: &str = "stagegate-file";

/// What the file of a log was, byte for byte, with nothing of it in a `-wal` file beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileHash {
    /// How many bytes it had.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: [u8; 32],
}

/// The line of a checkpoint: `stagegate-file sha256:…`, as `sha256sum` prints it, and the number of bytes.
impl fmt::Display for FileHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{WORD} sha256:{} {}", crate::hex(&self.sha256), self.bytes)
    }
}

impl FileHash {
    /// Of the file as it is, whoever has it open.
    pub(crate) fn of(path: &Path) -> std::io::Result<FileHash> {
        let mut file = Raw::open(path)?;
        let (mut sum, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 20]);
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                return Ok(FileHash { bytes, sha256: sum.finalize().into() });
            }
            sum.update(buffer.get(..read).unwrap_or_default());
            bytes += read as u64;
        }
    }

    fn parse(line: &str) -> Option<FileHash> {
        let (digits, bytes) = line.strip_prefix(WORD)?.strip_prefix(" sha256:")?.split_once(' ')?;
        let mut sha256 = [0; 32];
        for (at, byte) in sha256.iter_mut().enumerate() {
            *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        let found = FileHash { bytes: bytes.parse().ok()?, sha256 };
        // Written otherwise, it is not one of ours.
        (found.to_string() == line).then_some(found)
    }
}

impl Checkpoint {
    /// The hash of the whole file, if the checkpoint has it.
    ///
    /// # Errors
    /// When a line begins as one and is none, or there are two.
    pub fn file_hash(&self) -> Result<Option<FileHash>, LogError> {
        let is_one = |line: &&String| line.split(' ').next() == Some(WORD);
        let mut lines = self.extensions.iter().filter(is_one);
        let wrong = |why: &str| LogError::Invalid(format!("the line {WORD} of the checkpoint {why}"));
        let found = lines.next().map(|line| FileHash::parse(line).ok_or_else(|| wrong("holds no hash of a file")));
        match lines.next() {
            Some(_) => Err(wrong("is there twice")),
            None => found.transpose(),
        }
    }

    /// What [`verify`](crate::verify) compares a log with.
    ///
    /// # Errors
    /// As [`Checkpoint::file_hash`].
    pub fn head(&self) -> Result<Head, LogError> {
        Ok(Head { origin: self.origin.clone(), size: self.size, root: self.root, file: self.file_hash()? })
    }
}

impl Log {
    /// A checkpoint of all records of a log that nobody has open to append, with the hash of its whole file. What a killed
    /// process has left in a `-wal` file is taken over into the file first.
    ///
    /// It is not signed: see [`Checkpoint::signed`].
    ///
    /// # Errors
    /// [`LogError::InUse`] when this process or another has it open to append; [`LogError::Changed`] when another process
    /// begins to; when it cannot be read, or there is a `-wal` file and it cannot be written.
    pub fn checkpoint_of_file(path: impl AsRef<Path>, busy: Duration) -> Result<Checkpoint, LogError> {
        let path = path.as_ref();
        if path.exists() && is_live(path)? {
            return Err(LogError::InUse(path.into()));
        }
        file::take_over(path, busy)?;
        let log = Log::read(path)?;
        let reader = log.connect()?;
        let mut point = log.checkpoint(None)?;
        let hash = FileHash::of(path).map_err(|error| LogError::io(path, error))?;
        // The time of a file tells no two moments apart that are very near.
        let again = Log::read(path)?.checkpoint(None)?;
        if !reader.is_alone()? || again != point {
            return Err(LogError::Changed(path.into()));
        }
        point.extensions.push(hash.to_string());
        Ok(point)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_or_none() {
        let hash = FileHash { bytes: 4096, sha256: [0xab; 32] };
        let line = hash.to_string();
        let mut point = Checkpoint::new("log", 7, [0; 32]).unwrap();
        assert_eq!(point.file_hash().unwrap(), None);
        point.extensions = vec!["stagegate-files".into(), "other".into(), line.clone()];
        assert_eq!(point.file_hash().unwrap(), Some(hash));
        assert_eq!(Checkpoint::parse_unsigned(&point.to_string()).unwrap(), point);
        for wrong in [
            line.replace("ab", "AB"),
            line.replace("ab", "+1"),
            line.replacen("ab", "é", 1),
            line.replace("sha256", "sha512"),
            line.replace(" 4096", " 04096"),
            line.replace(" 4096", ""),
            format!("{line} "),
            WORD.into(),
        ] {
            point.extensions = vec![wrong.clone()];
            assert!(point.file_hash().is_err(), "{wrong}");
        }
        point.extensions = vec![line.clone(), line];
        assert!(point.head().is_err());
    }
}
