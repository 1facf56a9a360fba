//! What other languages over the same words share with the policy language: the queries of the decision log read literals
//! and patterns as a policy does. No part of what embedders rely on.

use chrono::{DateTime, NaiveDate, Utc};

use crate::Limits;
use crate::check::instants;
use crate::check::names::Sink;
use crate::check::patterns::{self, Pattern};
use crate::diagnostic::{Diagnostic, SourceId, Span};
pub use crate::program::Matcher;
use crate::schedule::{Edge, Zone, local};
use crate::syntax::tree::{At, Literal, Word};

/// What is wrong with the brackets, strings and characters of a text, and with its size and depth.
pub fn scan(text: &str, id: SourceId, limits: &Limits) -> Vec<Diagnostic> {
    crate::syntax::scan_alone(text, id, limits)
}

/// The literal that stands at a place of a text.
///
/// # Errors
/// When it is none, or has no value: a day that does not exist, an escape that is not known.
pub fn literal(text: &str, span: Span, limits: &Limits) -> Result<At<Literal>, Vec<Diagnostic>> {
    crate::syntax::literal_alone(text, span, limits)
}

/// Compiles a glob, which then matches whole texts only.
///
/// # Errors
/// When it is none, or too large.
pub fn glob(word: &Word, limits: &Limits) -> Result<Matcher, Diagnostic> {
    patterns::compile_alone(Pattern::Glob, word, limits)
}

/// Compiles a regular expression, which then matches whole texts only.
///
/// # Errors
/// When it is none, or too large.
pub fn regex(word: &Word, limits: &Limits) -> Result<Matcher, Diagnostic> {
    patterns::compile_alone(Pattern::Regex, word, limits)
}

/// Where a date or a date-time stands in a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// An instant to compare with: a date is the beginning of its day, and a time that the clock skips is an error.
    Point,
    /// The beginning of a span; a time that comes twice is the first.
    Start,
    /// The end of a span (exclusive); of a date, its whole day is inside. A time that comes twice is the second.
    End,
}

/// The instant of a date or a date-time in seconds, read in the zone if it names none. Of other literals there is none.
///
/// # Errors
/// When it lies outside the years 1970 to 2200, or the clock skips it.
pub fn instant(literal: &At<Literal>, role: Role, zone: Zone) -> Result<i64, Vec<Diagnostic>> {
    let mut sink = Sink::default();
    let at = match &literal.value {
        Literal::Date(date) => {
            let day = instants::calendar_day(&mut sink, *date, literal.span);
            match role {
                Role::End => day.and_then(|day| day.succ_opt()).map(|next| local(zone, next, 0, Edge::End)),
                _ => day.map(|day| local(zone, day, 0, Edge::Start)),
            }
        }
        Literal::DateTime(written) => match role {
            Role::Point => instants::point(&mut sink, written, literal.span, zone),
            Role::Start => instants::edge(&mut sink, written, literal.span, zone, Edge::Start),
            Role::End => instants::edge(&mut sink, written, literal.span, zone, Edge::End),
        },
        _ => None,
    };
    at.ok_or(sink.diagnostics)
}

/// When a day begins and when it ends in a zone.
pub fn day(zone: Zone, day: NaiveDate) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let begins = local(zone, day, 0, Edge::Start);
    let ends = local(zone, day.succ_opt()?, 0, Edge::End);
    Some((DateTime::from_timestamp(begins, 0)?, DateTime::from_timestamp(ends, 0)?))
}
