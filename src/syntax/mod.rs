//! Text to tree and back. The tree is the only one there is.

mod build;
mod conditions;
mod expected;
mod layout;
mod literals;
mod parse;
mod print;
mod print_rules;
mod rules;
mod scan;
mod steps;
pub mod tree;

use pest::Parser;

use crate::Limits;
use crate::diagnostic::codes::SYNTAX;
use crate::diagnostic::{Diagnostic, SourceId, Span};

pub use parse::{Parsed, parse};
pub use print::print;

/// What is wrong with the brackets, strings and characters of a text, and with its size and depth.
pub(crate) fn scan_alone(text: &str, id: SourceId, limits: &Limits) -> Vec<Diagnostic> {
    scan::scan(text, id, limits).diagnostics
}

/// The literal that stands at a place of a text.
pub(crate) fn literal_alone(
    text: &str,
    span: Span,
    limits: &Limits,
) -> Result<tree::At<tree::Literal>, Vec<Diagnostic>> {
    let alone = text.get(span.start as usize..span.end as usize).unwrap_or_default();
    let none = || vec![Diagnostic::new(SYNTAX, span, "this is no literal")];
    let pair = grammar::Gate::parse(grammar::Rule::literal, alone).ok().and_then(|mut pairs| pairs.next());
    let pair = pair.filter(|pair| pair.as_str().len() == alone.len()).ok_or_else(none)?;
    let (source, base) = (span.source, span.start as usize);
    let mut builder = build::Builder { source, base, text, comments: &[], limits, diagnostics: Vec::new() };
    let literal = builder.literal(pair);
    if builder.diagnostics.is_empty() { Ok(literal) } else { Err(builder.diagnostics) }
}

/// The grammar bound to pest.
mod grammar {
    #![allow(missing_docs)]

    /// Made by pest from `grammar/stagegate.pest`.
    #[derive(pest_derive::Parser)]
    #[grammar = "../grammar/stagegate.pest"]
    pub(super) struct Gate;
}
