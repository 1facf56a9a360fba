//! What is wrong with a question, and where.

use stagegate::diagnostic::{ALL_CODES, Code, Diagnostic, Sources, render};

/// A question that cannot be asked: everything that is wrong with it, each with its place.
#[derive(Clone, Debug)]
pub struct QueryError {
    diagnostics: Vec<Diagnostic>,
    sources: Sources,
}

impl QueryError {
    pub(crate) fn new(diagnostics: Vec<Diagnostic>, sources: Sources) -> QueryError {
        QueryError { diagnostics, sources }
    }

    /// What is wrong, in the order of the text; never empty.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// The text that the places are in.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }
}

impl std::fmt::Display for QueryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown: Vec<String> = self.diagnostics.iter().map(|told| render(told, &self.sources, false)).collect();
        f.write_str(shown.join("\n\n").trim_end())
    }
}

impl std::error::Error for QueryError {}

/// The number of a diagnostic: those of the policy language.
pub(super) fn code(number: &str) -> Code {
    // The tests ask for every number that is used here.
    const FIRST: Code = ALL_CODES[0].code;
    ALL_CODES.iter().find(|info| info.code.as_str() == number).map_or(FIRST, |info| info.code)
}
