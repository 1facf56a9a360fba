//! From trees to a program: names, types, the stage graph, lints. Or all that is wrong.

mod conditions;
mod names;
mod order;
mod patterns;
mod people;
mod tests;
mod times;
mod triggers;
mod types;

use crate::Limits;
use crate::diagnostic::{Diagnostic, Sources};
use crate::loader::Loader;
use crate::policy::CompileError;
use crate::program::Program;
use crate::syntax::tree::File;

/// The files of a policy: the root first, then what it includes, each once, and what is wrong so far.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub sources: Sources,
    /// In the order of `sources`.
    pub files: Vec<File>,
    /// Syntax errors, includes that cannot be read.
    pub diagnostics: Vec<Diagnostic>,
}

/// A policy that is well.
#[derive(Debug)]
pub(crate) struct Checked {
    pub program: Program,
    pub warnings: Vec<Diagnostic>,
    /// The trees, in the order of the program's sources.
    pub files: Vec<File>,
}

/// Loads a source and what it includes.
pub(crate) fn load(_name: &str, _loader: &dyn Loader, _limits: &Limits) -> Loaded {
    Loaded { sources: Sources::default(), files: Vec::new(), diagnostics: Vec::new() }
}

/// The same for a text at hand; only what it includes comes from the loader.
pub(crate) fn load_text(_name: &str, _text: &str, _loader: &dyn Loader, _limits: &Limits) -> Loaded {
    Loaded { sources: Sources::default(), files: Vec::new(), diagnostics: Vec::new() }
}

/// Checks the files of a policy and compiles them.
pub(crate) fn check(loaded: Loaded, _limits: &Limits) -> Result<Checked, CompileError> {
    Err(CompileError::new(loaded.diagnostics, loaded.sources))
}
