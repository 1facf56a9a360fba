//! Files named on the command line: found, read, compiled.

use std::io::Read;
use std::path::{Component, Path, PathBuf};

use stagegate::{Compiler, FileLoader, Limits, LoadError, Loader, Policy, Request};

use crate::args::Global;
use crate::failure::{Failure, Kind, renamed};

/// A file to work on, and the folder that its includes may not leave.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    pub path: PathBuf,
    pub root: PathBuf,
}

/// The files that were named, and of the folders the `.gate` files below them, sorted; each once. Folders that begin
/// with a dot are passed over, and links to folders are not followed.
pub fn find(named: &[PathBuf], global: &Global) -> Result<Vec<Found>, Failure> {
    let mut found: Vec<Found> = Vec::new();
    for path in named {
        if !path.is_dir() {
            let root = global.root.clone().unwrap_or_else(|| folder(path));
            found.push(Found { path: path.clone(), root });
            continue;
        }
        let root = global.root.clone().unwrap_or_else(|| path.clone());
        let before = found.len();
        let hidden = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with('.');
        let walk = walkdir::WalkDir::new(path).sort_by_file_name().into_iter();
        for entry in walk.filter_entry(|e| e.depth() == 0 || !hidden(e.file_name())) {
            let entry = entry.map_err(|error| {
                let at = error.path().unwrap_or(path).display().to_string();
                let why = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                Failure::new(Kind::File, format!("{at}: {why}"))
            })?;
            // A link that leads nowhere is told as such; what is neither file nor link, as a pipe, is not waited for.
            let other = std::fs::metadata(entry.path()).is_ok_and(|at| !at.is_file());
            if entry.path().extension().is_some_and(|e| e == "gate") && !other {
                found.push(Found { path: entry.into_path(), root: root.clone() });
            }
        }
        if found.len() == before {
            return Err(Failure::new(Kind::File, format!("{}: there is no .gate file below it", path.display())));
        }
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|f| seen.insert(f.path.clone()));
    Ok(found)
}

/// The folder a file is in.
fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

impl Found {
    /// The file's name below its root, with `/` between the parts.
    pub fn name(&self) -> Result<String, Failure> {
        let outside = || {
            let message = format!("{} does not lie below the root {}", self.path.display(), self.root.display());
            Failure::new(Kind::Usage, message)
        };
        // A plain file beside its own root needs no look at the disk (it may not exist).
        let below = if folder(&self.path) == self.root {
            self.path.file_name().map(PathBuf::from)
        } else if let Ok(below) = self.path.strip_prefix(&self.root) {
            Some(below.to_path_buf())
        } else {
            let folder = folder(&self.path).canonicalize().ok();
            let root = self.root.canonicalize().ok();
            folder.zip(root).and_then(|(folder, root)| {
                let below = folder.strip_prefix(&root).ok()?;
                Some(below.join(self.path.file_name()?))
            })
        };
        let below = below.filter(|b| !b.as_os_str().is_empty()).ok_or_else(outside)?;
        let mut parts = Vec::new();
        for part in below.components() {
            match part {
                Component::Normal(part) => parts.push(part.to_str().ok_or_else(|| self.no_name())?.to_string()),
                Component::CurDir => {}
                _ => return Err(outside()),
            }
        }
        Ok(parts.join("/"))
    }

    /// Sources have names that can be written down: in an `include`, in a decision.
    fn no_name(&self) -> Failure {
        let message = format!("{}: the name of a policy's file must be UTF-8", self.path.display());
        Failure::new(Kind::File, message).help("rename it, or give it through a pipe: `- < FILE`")
    }

    /// What a person would call a source of that name.
    pub fn shown(&self, source: &str) -> String {
        if source == STDIN && is_stdin(&self.path) {
            return "standard input".to_string();
        }
        let root = self.root.to_string_lossy();
        match root.as_ref() {
            "." | "" => source.to_string(),
            root => format!("{}/{source}", root.trim_end_matches('/')),
        }
    }
}

/// What stands for standard input.
const STDIN: &str = "-";

/// Whether that is standard input.
pub fn is_stdin(path: &Path) -> bool {
    path == Path::new(STDIN)
}

/// Files below a root, and standard input as one of them.
#[derive(Debug)]
pub struct WithStdin {
    files: FileLoader,
    stdin: Vec<u8>,
}

impl WithStdin {
    /// Reads standard input.
    pub fn read(root: &Path) -> Result<WithStdin, Failure> {
        let stdin = read(Path::new(STDIN), Limits::default().source_bytes)
            .map_err(|error| Failure::new(Kind::Policy, format!("standard input: {}", why(&error))))?;
        Ok(WithStdin { files: FileLoader::new(root), stdin })
    }
}

impl Loader for WithStdin {
    fn load(&self, name: &str, limit: usize) -> Result<Vec<u8>, LoadError> {
        match name {
            STDIN => Ok(self.stdin.clone()),
            name => self.files.load(name, limit),
        }
    }
}

/// Standard input can be read once.
pub fn not_both_stdin(policy: &Path, request: &Path) -> Result<(), Failure> {
    if is_stdin(policy) && is_stdin(request) {
        let message = "the policy and the request cannot both come from standard input";
        return Err(Failure::new(Kind::Usage, message));
    }
    Ok(())
}

/// Compiles the policy in a file; `-` is standard input.
pub fn policy(path: &Path, global: &Global) -> Result<Policy, Failure> {
    let found = Found { path: path.to_path_buf(), root: global.root.clone().unwrap_or_else(|| folder(path)) };
    if path.is_dir() {
        let message = format!("{} is a folder; a policy is a file", path.display());
        return Err(Failure::new(Kind::Policy, message));
    }
    if is_stdin(path) {
        return compiled(&found, &WithStdin::read(&found.root)?);
    }
    // A pipe, as of `<(git show main:web.gate)`: it has no folder in which to look for others.
    if std::fs::metadata(path).is_ok_and(|file| !file.is_file()) {
        return piped(path);
    }
    compiled(&found, &FileLoader::new(&found.root))
}

fn compiled(found: &Found, loader: &dyn Loader) -> Result<Policy, Failure> {
    let name = found.name()?;
    Compiler::new()
        .loader(loader)
        .compile(&name)
        .map_err(|error| Failure::policy(&error, renamed(error.sources(), |name| found.shown(name))))
}

/// Compiles the policy that comes through a pipe; it can include nothing.
fn piped(path: &Path) -> Result<Policy, Failure> {
    let name = path.display().to_string();
    let failure = |why: String| Failure::new(Kind::Policy, format!("{name}: {why}"));
    let limit = Limits::default().source_bytes;
    let bytes = read(path, limit).map_err(|error| failure(why(&error)))?;
    if bytes.len() > limit {
        return Err(failure(format!("it is larger than {limit} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|_| failure("it is not UTF-8".to_string()))?;
    Policy::parse(&name, text).map_err(|error| Failure::policy(&error, error.sources().clone()))
}

/// Reads at most `limit` bytes and one more; `-` is standard input.
pub fn read(path: &Path, limit: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = (limit as u64).saturating_add(1);
    if is_stdin(path) {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes)?;
    } else {
        let file = std::fs::File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(std::io::Error::other("it is a folder"));
        }
        file.take(limit).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// A request and what to call it in messages.
#[derive(Debug)]
pub struct NamedRequest {
    pub request: Request,
    pub name: String,
}

/// Reads a request.
pub fn request(path: &Path) -> Result<NamedRequest, Failure> {
    let name = if is_stdin(path) { "standard input".to_string() } else { path.display().to_string() };
    let bytes = read(path, Limits::default().request_bytes)
        .map_err(|error| Failure::new(Kind::Request, format!("{name}: {}", why(&error))))?;
    match Request::from_json(&bytes) {
        Ok(request) => Ok(NamedRequest { request, name }),
        Err(error) => Err(Failure::request(&name, &error)),
    }
}

/// Why a file cannot be read, in words.
pub fn why(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_string(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_string(),
        _ => error.to_string(),
    }
}
