//! stagegate: an embedded rules engine for promotion policies.
#![forbid(unsafe_code)]

mod decide;
pub mod diagnostic;
pub mod facts;
mod limits;
mod people;
mod plain;
mod policy;
mod program;
mod schedule;
#[cfg(feature = "schema")]
pub mod schema;
mod set;
#[doc(hidden)]
pub mod syntax;

pub use decide::*;
pub use facts::*;
pub use limits::Limits;

/// The version of the language that this crate reads.
pub const LANGUAGE: u32 = 1;

pub use policy::Policy;
pub use set::PolicySet;
