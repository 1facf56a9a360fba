//! The decision log of stagegate.
#![forbid(unsafe_code)]

mod error;
mod record;
mod secret;

pub use error::LogError;
pub use record::{Dropped, ENTRY_VERSION, Entry, Id, Record, Review};
pub use secret::SecretKey;
