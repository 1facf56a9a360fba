//! stagegate: an embedded rules engine for promotion policies.
#![forbid(unsafe_code)]

mod check;
mod decide;
pub mod diagnostic;
pub mod facts;
mod limits;
mod loader;
mod people;
mod plain;
mod policy;
mod program;
pub mod schedule;
#[cfg(feature = "schema")]
pub mod schema;
mod set;
#[doc(hidden)]
pub mod syntax;

pub use decide::*;
pub use facts::*;
pub use limits::Limits;
pub use loader::{FileLoader, LoadError, Loader, MemoryLoader};

/// The version of the language that this crate reads.
pub const LANGUAGE: u32 = 1;

pub use policy::{CompileError, Compiler, FileKind, Policy, Report};
pub use set::PolicySet;
