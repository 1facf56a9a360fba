//! Questions to a log: the conditions of the policy language over the fields of a record.
//!
//! A question is read ([`Query::parse`]) into tests that are checked against the fields there are. The log answers what it
//! can from its columns and side tables, in SQL with every value bound as a parameter, and looks into the records for the
//! rest. [`Query::matches`] is the meaning of a question; the answer by SQL is the same.
//!
//! ```
//! use stagegate::schedule::Zone;
//! use stagegate_audit::query::Query;
//!
//! let query = Query::parse("stage == Staging and approved by amita and at in 2026-03-01 .. 2026-03-31", Zone::UTC)?;
//! let wrong = Query::parse("verdict == alow", Zone::UTC).unwrap_err();
//! assert!(wrong.to_string().contains("did you mean `allow`?"));
//! # Ok::<(), stagegate_audit::query::QueryError>(())
//! ```

mod by;
mod check;
mod error;
mod fields;
mod free;
mod matches;
mod parse;
mod run;
mod sql;

use chrono::{DateTime, Utc};
use stagegate::Limits;
use stagegate::diagnostic::Sources;
use stagegate::schedule::Zone;

use crate::Record;
use check::{Check, Test};
use fields::{Field, Known, Row};
use parse::Tree;

pub use by::{By, Group};
pub use error::QueryError;
pub(crate) use fields::{nanos, requester};
pub use free::SqlValue;
pub use run::{Found, Order};

/// The longest question, in bytes.
pub(crate) const MAX_BYTES: usize = 64 << 10;

/// The bounds on a question. Patterns are bounded one by one, and there cannot be many in the text that there may be.
pub(crate) fn limits() -> Limits {
    Limits { source_bytes: MAX_BYTES, tokens: 10_000, regex_bytes: 1 << 18, ..Limits::default() }
}

/// A question to a log.
#[derive(Clone, Debug)]
pub struct Query {
    /// Nothing is asked where all the lists are empty.
    tree: Tree<Test>,
}

impl Query {
    /// The question that every decision answers.
    pub fn all() -> Query {
        Query { tree: Tree::And(Vec::new()) }
    }

    /// Reads a question; an empty text is [`Query::all`]. Days and local times are those of the zone.
    ///
    /// # Errors
    /// Everything that is wrong with it, with its places.
    pub fn parse(text: &str, zone: Zone) -> Result<Query, QueryError> {
        let mut sources = Sources::default();
        let id = sources.add("query", text);
        if text.trim().is_empty() {
            return Ok(Query::all());
        }
        let tree = parse::parse(text, id).and_then(|tree| check::check(tree, text, zone, &limits()));
        match tree {
            Ok(tree) => Ok(Query { tree }),
            Err(wrong) => Err(QueryError::new(wrong, sources)),
        }
    }

    /// The same of decisions that were made for this instant or later.
    #[must_use]
    pub fn since(self, at: DateTime<Utc>) -> Query {
        self.and(Check::Within(nanos(at), i64::MAX))
    }

    /// The same of decisions that were made for an earlier instant.
    #[must_use]
    pub fn until(self, at: DateTime<Utc>) -> Query {
        self.and(Check::Within(i64::MIN, nanos(at)))
    }

    fn and(self, check: Check) -> Query {
        let bound = Tree::Leaf(Test::Field(Field::Known(Known::At), check));
        let mut items = match self.tree {
            Tree::And(items) => items,
            other => vec![other],
        };
        items.push(bound);
        Query { tree: Tree::And(items) }
    }

    /// Whether a record is what is asked for, where these people have reviewed it. Unknown is no yes.
    pub fn matches(&self, record: &Record, reviewers: &[String]) -> bool {
        matches::matches(&self.tree, Row { record, reviewers }) == Some(true)
    }
}

/// The names of the fields, as one would write them; facts come besides.
pub fn fields() -> impl Iterator<Item = &'static str> {
    let doubled = ["policy.name", "build.id", "build.author"];
    fields::FIELDS.iter().map(|(name, ..)| *name).filter(move |name| !doubled.contains(name))
}
