//! Finding suites on disk.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{Suite, tested_by};
use crate::Limits;
use crate::diagnostic::Sources;
use crate::loader::FileLoader;
use crate::policy::Compiler;
use crate::syntax;
use crate::syntax::tree::{File, Item};

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// A suite for each policy, in the order of their files.
    pub suites: Vec<Suite>,
    /// What could not be read or compiled.
    pub problems: Vec<Problem>,
}

/// A file that could not be read or compiled.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// What is wrong, in words; of a policy, its diagnostics in the manner of rustc.
    pub message: String,
}

/// Folders in folders, at most so deep.
const MAX_DEPTH: usize = 64;

/// Finds the tests under some paths.
///
/// A folder stands for all policies and files of tests below it. A policy stands for the tests in it, and for the files
/// of tests beside it that are for it. A file of tests stands for itself. What a policy includes is looked for below
/// `root`; without one, below the folder that was named, or that the named file is in.
pub fn discover(paths: &[PathBuf], root: Option<&Path>, limits: &Limits) -> Found {
    let mut finding = Finding { limits, found: Found::default(), policies: BTreeMap::new() };
    for path in paths {
        finding.path(path, root);
    }
    finding.finish()
}

/// What is known of one policy.
#[derive(Debug, Default)]
struct Known {
    root: PathBuf,
    /// Whether the tests in its own file are wanted.
    own: bool,
    /// Files of tests for it.
    tests: BTreeSet<PathBuf>,
}

/// What a file is.
enum Role {
    Policy,
    /// Something to be included: no stage of its own, and no test.
    Library,
    /// A file of tests, for that policy.
    Tests(PathBuf),
    /// Tests of nobody knows what.
    Stray,
}

struct Finding<'a> {
    limits: &'a Limits,
    found: Found,
    /// By path, lexically normalised.
    policies: BTreeMap<PathBuf, Known>,
}

impl Finding<'_> {
    fn problem(&mut self, file: &Path, message: impl Into<String>) {
        self.found.problems.push(Problem { file: shown(file), message: message.into() });
    }

    fn path(&mut self, path: &Path, root: Option<&Path>) {
        if path.is_dir() {
            let root = root.unwrap_or(path);
            for file in self.walk(path) {
                self.file(&file, root, false);
            }
            return;
        }
        let folder = folder(path);
        self.file(path, root.unwrap_or(&folder), true);
    }

    /// The files of tests and of policies below a folder, in the order of their names. Links to folders are not followed.
    fn walk(&mut self, folder: &Path) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut stack = vec![(folder.to_path_buf(), 0)];
        while let Some((folder, depth)) = stack.pop() {
            let entries = match std::fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) => {
                    self.problem(&folder, error.to_string());
                    continue;
                }
            };
            for entry in entries.flatten() {
                let hidden = entry.file_name().to_string_lossy().starts_with('.');
                let path = entry.path();
                match entry.file_type() {
                    Ok(ty) if ty.is_dir() && !hidden && depth < MAX_DEPTH => stack.push((path, depth + 1)),
                    Ok(ty) if !ty.is_dir() && !hidden && (is_gate(&path) || is_json_tests(&path)) => files.push(path),
                    _ => {}
                }
            }
        }
        files.sort();
        files
    }

    /// One file; `named` when it was named itself, so that its neighbours count.
    fn file(&mut self, path: &Path, root: &Path, named: bool) {
        match self.role(path, named) {
            Err(message) => self.problem(path, message),
            Ok(Role::Library) if named => {
                self.problem(path, "it has no stage and no test: it can only be included");
            }
            Ok(Role::Library) => {}
            Ok(Role::Stray) => self.problem(
                path,
                "its tests are for no policy: begin it with `test for \"x.gate\"`, or name it `x_test.gate` beside `x.gate`",
            ),
            Ok(Role::Tests(policy)) => {
                self.known(&policy, root).tests.insert(path.to_path_buf());
            }
            Ok(Role::Policy) => {
                self.known(path, root).own = true;
                if named {
                    self.neighbours(path, root);
                }
            }
        }
    }

    fn known(&mut self, policy: &Path, root: &Path) -> &mut Known {
        let known = self.policies.entry(normal(policy)).or_default();
        if known.root.as_os_str().is_empty() {
            known.root = root.to_path_buf();
        }
        known
    }

    /// The files of tests beside a policy that are for it.
    fn neighbours(&mut self, policy: &Path, root: &Path) {
        let Ok(entries) = std::fs::read_dir(folder(policy)) else { return };
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        files.sort();
        for file in files.iter().filter(|file| is_gate(file) || is_json_tests(file)) {
            // Joined to the folder as it was named, so that both are written alike.
            let Some(name) = file.file_name() else { continue };
            let file = policy.with_file_name(name);
            if let Ok(Role::Tests(of)) = self.role(&file, false)
                && normal(&of) == normal(policy)
            {
                self.known(policy, root).tests.insert(file);
            }
        }
    }

    fn role(&self, path: &Path, named: bool) -> Result<Role, String> {
        if is_json(path) {
            let bytes = read(path)?;
            let policy = super::json::policy_of(&bytes);
            return match (policy, beside(path)) {
                (Some(policy), _) => Ok(Role::Tests(path.with_file_name(policy))),
                (None, Some(policy)) => Ok(Role::Tests(policy)),
                (None, None) if named => {
                    Err("it names no policy: give it a field `policy`, or name it `x_test.json` beside `x.gate`".into())
                }
                (None, None) => Ok(Role::Stray),
            };
        }
        let text = String::from_utf8(read(path)?).map_err(|_| "it is not UTF-8".to_string())?;
        let mut sources = Sources::default();
        let id = sources.add(shown(path), text);
        let file = syntax::parse(&sources, id, self.limits).file;
        if let Some(policy) = tested_by(&file) {
            return Ok(Role::Tests(path.with_file_name("").join(policy)));
        }
        let has = |wanted: fn(&Item) -> bool| file.items.iter().any(|item| wanted(&item.value));
        if has(|item| matches!(item, Item::Stage(stage) if stage.name.is_some()) || matches!(item, Item::Policy(_))) {
            return Ok(Role::Policy);
        }
        let tests = has(|item| matches!(item, Item::Test(_)));
        match beside(path) {
            Some(policy) if tests && only_tests(&file) => Ok(Role::Tests(policy)),
            _ if tests => Ok(Role::Stray),
            _ if file.items.is_empty() && named => Ok(Role::Policy),
            _ => Ok(Role::Library),
        }
    }

    fn finish(mut self) -> Found {
        for (path, known) in std::mem::take(&mut self.policies) {
            match self.suite(&path, &known) {
                Ok(suite) => self.found.suites.push(suite),
                Err(message) => self.problem(&path, message),
            }
        }
        self.found
    }

    fn suite(&mut self, path: &Path, known: &Known) -> Result<Suite, String> {
        let root = normal(&known.root);
        // A policy above the root, which a file of tests names, has a root of its own.
        let (root, name) = match path.strip_prefix(&root) {
            Ok(name) => (root, name.to_path_buf()),
            Err(_) => (folder(path), path.file_name().map(PathBuf::from).unwrap_or_default()),
        };
        let root = if root.as_os_str().is_empty() { PathBuf::from(".") } else { root };
        let loader = FileLoader::new(root);
        let name = name.to_string_lossy().replace('\\', "/");
        let compiler = Compiler::new().limits(self.limits.clone()).loader(&loader);
        let policy = compiler.compile(&name).map_err(|error| error.to_string())?;
        let mut suite = if known.own { Suite::of(&policy) } else { Suite::without_tests(&policy) };
        suite = suite.shown_as(shown(path));
        for tests in &known.tests {
            let file = shown(tests);
            let added = read(tests).and_then(|bytes| {
                let suite = suite.clone();
                if is_json(tests) {
                    return suite.with_json(&file, &bytes).map_err(|error| error.to_string());
                }
                let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_string())?;
                suite.with_tests(&file, &text).map_err(|error| error.to_string())
            });
            match added {
                Ok(with) => suite = with,
                Err(message) => self.problem(tests, message),
            }
        }
        Ok(suite)
    }
}

/// Whether a file holds nothing but what a file of tests may hold.
fn only_tests(file: &File) -> bool {
    file.items.iter().all(|item| super::may_stand_in_tests(&item.value))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_string(),
        _ => error.to_string(),
    })
}

fn is_gate(path: &Path) -> bool {
    path.extension().is_some_and(|ext| ext == "gate")
}

fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|ext| ext == "json" || ext == "jsonl")
}

fn is_json_tests(path: &Path) -> bool {
    is_json(path) && path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("_test"))
}

/// `x.gate` for `x_test.gate` and `x_test.json`.
fn beside(path: &Path) -> Option<PathBuf> {
    let stem = path.file_stem()?.to_string_lossy().into_owned();
    Some(path.with_file_name(format!("{}.gate", stem.strip_suffix("_test")?)))
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// Without `.` and `x/..`.
fn normal(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}
