//! The canonical layout of a policy's text.

use crate::Limits;
use crate::diagnostic::{Severity, Sources};
use crate::policy::CompileError;
use crate::syntax;

/// The text of a policy file in its one canonical layout, with all of its comments. Line ends are `\n`; formatting the
/// result again changes nothing. Names and types are not looked at: a file that is well written but wrong still formats.
///
/// `name` is the file's name as diagnostics show it.
///
/// ```
/// use stagegate::{Limits, format};
/// let text = format("p.gate", "stage Dev{require ok:( build.branch==\"main\" )}", &Limits::default())?;
/// assert_eq!(text, "stage Dev {\n  require ok: build.branch == \"main\"\n}\n");
/// # Ok::<(), stagegate::CompileError>(())
/// ```
///
/// # Errors
/// With every syntax error of the text.
pub fn format(name: &str, text: &str, limits: &Limits) -> Result<String, CompileError> {
    let mut sources = Sources::default();
    let id = sources.add(name, text);
    let parsed = syntax::parse(&sources, id, limits);
    if parsed.diagnostics.iter().any(|d| d.severity == Severity::Error) {
        return Err(CompileError::new(parsed.diagnostics, sources));
    }
    Ok(syntax::print(&parsed.file, text))
}
