//! stagegate: an embedded rules engine for promotion policies.
#![forbid(unsafe_code)]

mod decide;
pub mod diagnostic;
pub mod facts;
mod limits;
mod plain;
mod program;
mod schedule;
#[cfg(feature = "schema")]
pub mod schema;
#[doc(hidden)]
pub mod syntax;

pub use decide::*;
pub use facts::*;
pub use limits::Limits;

/// A compiled policy.
#[derive(Clone, Debug)]
pub struct Policy;
