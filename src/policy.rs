//! A compiled policy, and how to come by one.

use std::path::Path;
use std::sync::Arc;

use crate::Limits;
pub use crate::check::FileKind;
use crate::check::{self, Checked};
use crate::decide::plan::Plan;
use crate::decide::verdict::compact::Compact;
use crate::diagnostic::{Diagnostic, Severity, Sources, render};
use crate::loader::{FileLoader, Loader, MemoryLoader};
use crate::program::Program;
use crate::syntax::tree::File;

/// A compiled policy. Compiled once, asked as often as you like: a clone is the copy of a pointer, and it may be shared
/// between threads. Deciding takes `&self`, does no input or output, reads no clock, and gives the same decision for
/// the same request for ever.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub program: Program,
    pub plan: Plan,
    pub compact: Compact,
    pub limits: Limits,
    pub warnings: Vec<Diagnostic>,
    /// The trees of its files, in the order of [`Program::sources`].
    pub files: Vec<File>,
}

impl Policy {
    /// Compiles one source. It cannot `include` another: for that there are [`Policy::from_file`] and [`Compiler`].
    ///
    /// ```
    /// use stagegate::Policy;
    /// let error = Policy::parse("p.gate", "policy p stage Dev { require green: cheks.unit == passed }").unwrap_err();
    /// assert_eq!(error.diagnostics()[0].code.as_str(), "E0201");
    /// ```
    ///
    /// # Errors
    /// With everything that is wrong in the source.
    pub fn parse(name: impl AsRef<str>, text: impl AsRef<str>) -> Result<Policy, CompileError> {
        Compiler::new().compile_text(name.as_ref(), text.as_ref())
    }

    /// Compiles a file. What it includes is looked for beside it, and never outside its folder.
    ///
    /// # Errors
    /// When the file, or one that it includes, cannot be read, is not UTF-8, is too large; and with everything that is
    /// wrong in them.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Policy, CompileError> {
        Compiler::new().compile_file(path)
    }

    /// The name after `policy`, or the file's name without its ending.
    pub fn name(&self) -> &str {
        &self.inner.program.name
    }

    /// SHA-256 over the sources, as `sha256:…`: two policies with one digest decide alike.
    pub fn digest(&self) -> &str {
        self.inner.program.digest()
    }

    /// The digest that a policy of these sources has: pairs of name and text, the root first, then what it includes in
    /// the order of [`Policy::sources`]. SHA-256 over names and texts, each with its length in bytes before it (eight
    /// bytes, the lowest first), so that nothing can be moved from one to another.
    pub fn digest_of<'a>(sources: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
        let mut hash = hmac_sha256::Hash::new();
        for (name, text) in sources {
            for part in [name, text] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part.as_bytes());
            }
        }
        let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{hex}")
    }

    /// The names of the facts that it declares `secret`: their values are in no decision, and a log keeps none in clear.
    pub fn secret_facts(&self) -> impl Iterator<Item = &str> {
        self.inner.program.facts.iter().filter(|fact| fact.secret).map(|fact| fact.name.as_str())
    }

    /// The policy's `timezone`, in which its local times are read and times are printed; UTC if it names none.
    pub fn zone(&self) -> chrono_tz::Tz {
        self.inner.program.zone.tz()
    }

    /// The names of its stages, in the order of the policy.
    pub fn stages(&self) -> impl Iterator<Item = &str> {
        self.inner.program.stages.iter().map(|stage| stage.name.as_str())
    }

    /// What compiles but is surely not meant.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.inner.warnings
    }

    /// Its sources: the root first, then what it includes. Warnings point into them.
    pub fn sources(&self) -> &Sources {
        &self.inner.program.sources
    }

    /// The trees of its files, in the order of its sources.
    #[doc(hidden)]
    pub fn files(&self) -> &[File] {
        &self.inner.files
    }
}

/// Compiles policies under given [`Limits`] and with a given [`Loader`] for what they include.
///
/// ```
/// use stagegate::{Compiler, MemoryLoader};
/// let files = MemoryLoader::new()
///     .with("web.gate", "policy web include \"base.gate\" stage Dev { trigger push }")
///     .with("base.gate", "stage * { require id: build.id is set }");
/// let policy = Compiler::new().loader(&files).compile("web.gate")?;
/// assert_eq!(policy.sources().iter().count(), 2);
/// # Ok::<(), stagegate::CompileError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Compiler<'a> {
    limits: Limits,
    loader: Option<&'a dyn Loader>,
}

impl<'a> Compiler<'a> {
    /// A compiler with the default limits, and no way to include a file.
    pub fn new() -> Compiler<'a> {
        Compiler::default()
    }

    /// Other limits; those on requests hold for the compiled policy too.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Compiler<'a> {
        self.limits = limits;
        self
    }

    /// Where sources come from.
    #[must_use]
    pub fn loader(mut self, loader: &'a dyn Loader) -> Compiler<'a> {
        self.loader = Some(loader);
        self
    }

    /// Compiles the source that the loader has under that name, with what it includes.
    ///
    /// # Errors
    /// As [`Policy::from_file`].
    pub fn compile(&self, name: &str) -> Result<Policy, CompileError> {
        let nothing = MemoryLoader::new();
        self.finish(check::load(name, self.loader.unwrap_or(&nothing), &self.limits))
    }

    /// Compiles a text; what it includes comes from the loader.
    ///
    /// # Errors
    /// As [`Policy::from_file`].
    pub fn compile_text(&self, name: &str, text: &str) -> Result<Policy, CompileError> {
        let nothing = MemoryLoader::new();
        self.finish(check::load_text(name, text, self.loader.unwrap_or(&nothing), &self.limits))
    }

    /// Compiles a file. Unless there is a loader, what it includes is looked for in the file's own folder.
    ///
    /// # Errors
    /// As [`Policy::from_file`].
    pub fn compile_file(&self, path: impl AsRef<Path>) -> Result<Policy, CompileError> {
        let (files, name) = FileLoader::beside(path.as_ref());
        self.finish(check::load(&name, self.loader.unwrap_or(&files), &self.limits))
    }

    /// Says all there is to say of the source that the loader has under that name, be it a policy, a file to be
    /// included (it has neither a `policy` header nor a stage with a name), or tests of another policy
    /// (`test for "FILE"`), which the same loader has.
    ///
    /// ```
    /// use stagegate::{Compiler, FileKind, MemoryLoader};
    /// let files = MemoryLoader::new().with("base.gate", "stage * { require id: build.branch == \"main\" }");
    /// let report = Compiler::new().loader(&files).check("base.gate");
    /// assert_eq!(report.kind(), FileKind::Library);
    /// assert!(report.is_ok() && report.diagnostics().is_empty());
    /// ```
    pub fn check(&self, name: &str) -> Report {
        let nothing = MemoryLoader::new();
        self.report(name, self.loader.unwrap_or(&nothing))
    }

    /// The same for a file. Unless there is a loader, other files are looked for in the file's own folder.
    pub fn check_file(&self, path: impl AsRef<Path>) -> Report {
        let (files, name) = FileLoader::beside(path.as_ref());
        self.report(&name, self.loader.unwrap_or(&files))
    }

    fn report(&self, name: &str, loader: &dyn Loader) -> Report {
        let (loaded, kind) = check::load_any(name, loader, &self.limits);
        match self.finish(loaded) {
            Ok(policy) => Report {
                kind,
                diagnostics: policy.warnings().to_vec(),
                sources: policy.sources().clone(),
                policy: (kind != FileKind::Library).then_some(policy),
            },
            Err(CompileError { diagnostics, sources }) => Report { kind, diagnostics, sources, policy: None },
        }
    }

    fn finish(&self, loaded: check::Loaded) -> Result<Policy, CompileError> {
        let Checked { program, warnings, files } = check::check(loaded, &self.limits)?;
        let mut plan = Plan::new(&program);
        let compact = Compact::new(&program, &mut plan);
        Ok(Policy { inner: Arc::new(Inner { program, plan, compact, limits: self.limits.clone(), warnings, files }) })
    }
}

/// What [`Compiler::check`] has to say of a source.
#[derive(Clone, Debug)]
pub struct Report {
    kind: FileKind,
    diagnostics: Vec<Diagnostic>,
    sources: Sources,
    policy: Option<Policy>,
}

impl Report {
    /// What the source is.
    pub fn kind(&self) -> FileKind {
        self.kind
    }

    /// Whether there is no error; there may be warnings.
    pub fn is_ok(&self) -> bool {
        self.diagnostics.iter().all(|d| d.severity != Severity::Error)
    }

    /// Errors and warnings, in the order of the sources.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// What the diagnostics point into. For tests of a policy: the policy's sources, then the tests.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The compiled policy, if there is no error: for tests the one that they are for, and [`Policy::files`] has the
    /// tests last. `None` for a file to be included.
    pub fn policy(&self) -> Option<&Policy> {
        self.policy.as_ref()
    }

    /// All diagnostics with their places in the source; with terminal colours if `colour`.
    pub fn render(&self, colour: bool) -> String {
        let rendered: Vec<String> = self.diagnostics.iter().map(|d| render(d, &self.sources, colour)).collect();
        rendered.join("\n\n")
    }
}

/// A policy that does not compile: everything that is wrong with it. Printed in the manner of rustc.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", self.render(false))]
#[non_exhaustive]
pub struct CompileError {
    diagnostics: Vec<Diagnostic>,
    sources: Sources,
}

impl CompileError {
    /// At least one error must be among the diagnostics.
    pub(crate) fn new(diagnostics: Vec<Diagnostic>, sources: Sources) -> CompileError {
        CompileError { diagnostics, sources }
    }

    /// Everything that is wrong, errors and warnings, in the order of the sources. At least one is an error.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// The errors among the diagnostics.
    pub fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().filter(|d| d.severity == Severity::Error)
    }

    /// What the diagnostics point into.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// All diagnostics with their places in the source; with terminal colours if `colour`.
    pub fn render(&self, colour: bool) -> String {
        let rendered: Vec<String> = self.diagnostics.iter().map(|d| render(d, &self.sources, colour)).collect();
        rendered.join("\n\n")
    }
}
