//! The decision log of stagegate.
#![forbid(unsafe_code)]

mod error;
mod jsonl;
mod log;
mod record;
mod secret;
mod sink;

pub use error::LogError;
pub use jsonl::{Fsync, JsonLines};
pub use log::{Log, Mode, Options, PolicyText, Stored};
pub use record::{Dropped, ENTRY_VERSION, Entry, Id, Record, Review};
pub use secret::SecretKey;
