//! Where the sources of a policy come from: files, memory, or what an embedder supplies.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// Where the sources of a policy come from.
///
/// Names are as an author writes them after `include`: parts with `/` between them, relative to the folder of the file
/// that includes. The compiler makes one name of the two (`teams/web.gate` that includes `../base.gate` asks for
/// `base.gate`) and never asks for one that leaves the root: such an include is an error before a loader sees it.
pub trait Loader: fmt::Debug {
    /// The bytes of a source; at most `limit` of them, and one more when there are more.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    fn load(&self, name: &str, limit: usize) -> Result<Vec<u8>, LoadError>;
}

/// Why a source could not be loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// There is no such source.
    #[error("there is no such file")]
    NotFound,
    /// It lies outside the root, by a link.
    #[error("it lies outside the root")]
    Outside,
    /// It is a folder.
    #[error("it is a folder")]
    Directory,
    /// Anything else, in words.
    #[error("{0}")]
    Other(String),
}

/// Files below a root folder. It never leaves the root, not even by a symbolic link.
#[derive(Clone, Debug)]
pub struct FileLoader {
    root: PathBuf,
}

impl FileLoader {
    /// Files below that folder.
    pub fn new(root: impl Into<PathBuf>) -> FileLoader {
        FileLoader { root: root.into() }
    }

    /// The files beside a file, and that file's own name.
    pub(crate) fn beside(path: &Path) -> (FileLoader, String) {
        let root = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        // `..` and `.` have no file name; as a root they are read as the folders they are.
        let name = path.file_name().map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy());
        (FileLoader::new(root), name.into_owned())
    }
}

impl Loader for FileLoader {
    fn load(&self, name: &str, limit: usize) -> Result<Vec<u8>, LoadError> {
        use std::io::Read;
        let failed = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => LoadError::NotFound,
            std::io::ErrorKind::IsADirectory => LoadError::Directory,
            std::io::ErrorKind::PermissionDenied => LoadError::Other("permission denied".to_string()),
            _ => LoadError::Other(error.to_string()),
        };
        let root = self.root.canonicalize().map_err(failed)?;
        let path = root.join(name).canonicalize().map_err(failed)?;
        if !path.starts_with(&root) {
            return Err(LoadError::Outside);
        }
        // Asked before it is opened: to open a pipe is to wait for who writes to it.
        let kind = std::fs::metadata(&path).map_err(failed)?;
        if kind.is_dir() {
            return Err(LoadError::Directory);
        }
        if !kind.is_file() {
            return Err(LoadError::Other("it is a pipe or a device".to_string()));
        }
        let file = std::fs::File::open(&path).map_err(failed)?;
        let mut bytes = Vec::new();
        file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
        Ok(bytes)
    }
}

/// Sources in memory, by name.
#[derive(Clone, Debug, Default)]
pub struct MemoryLoader {
    files: BTreeMap<String, Vec<u8>>,
}

impl MemoryLoader {
    /// No sources.
    pub fn new() -> MemoryLoader {
        MemoryLoader::default()
    }

    /// One more source.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, text: impl Into<Vec<u8>>) -> MemoryLoader {
        self.files.insert(name.into(), text.into());
        self
    }
}

impl Loader for MemoryLoader {
    fn load(&self, name: &str, limit: usize) -> Result<Vec<u8>, LoadError> {
        let bytes = self.files.get(name).ok_or(LoadError::NotFound)?;
        Ok(bytes.get(..=limit).unwrap_or(bytes).to_vec())
    }
}
