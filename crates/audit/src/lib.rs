//! The decision log of stagegate: every decision with what it was made of, in one SQLite file.
//!
//! ```
//! use stagegate::{Build, Policy, Request};
//! use stagegate_audit::{Entry, Log, Options};
//! # use chrono::{TimeZone, Utc};
//! # let now = Utc.with_ymd_and_hms(2026, 3, 4, 18, 0, 0).unwrap();
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("decisions.log");
//!
//! let policy = Policy::parse("p.gate", "stage Dev { require branch: build.branch == \"main\" }")?;
//! let request = Request::to("Dev").build(Build::new("7").branch("main")).at(now);
//!
//! // There is a decision only if there is a record of it.
//! let log = Log::open(&path, &Options::new().create(true))?;
//! let decision = policy.decide_recorded(&request, &log)?;
//! assert!(decision.verdict().is_allow());
//!
//! // Years later: what was asked, what was answered, and the policy that did.
//! let log = Log::read(&path)?;
//! for stored in log.entries(0..log.len()?) {
//!     if let Entry::Decision(record) = stored?.entry()? {
//!         let policy = log.policy(&record.policy().digest)?.ok_or("every policy is kept")?;
//!         assert_eq!(policy.decide(&record.request)?.verdict(), record.decision.verdict());
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Log`] is the store, and a [`DecisionSink`](stagegate::DecisionSink) for the engine; its [`Mode`] says what is promised
//! when a decision is given. [`JsonLines`] is a sink for whatever ships logs.
#![forbid(unsafe_code)]

mod attest;
mod chain;
mod checkpoint;
#[cfg(feature = "parquet")]
pub mod columnar;
mod error;
mod export;
mod file_hash;
mod import;
mod jsonl;
mod lines;
mod log;
mod note;
mod proof;
pub mod query;
mod record;
pub mod replay;
pub mod report;
mod rotate;
mod secret;
mod sink;
pub mod tree;
mod verify;

pub use attest::{Attested, Envelope};
pub use chain::verify_predecessor;
pub use checkpoint::Checkpoint;
pub use error::LogError;
pub use export::Exported;
pub use file_hash::FileHash;
pub use import::{Imported, import};
pub use jsonl::{Fsync, JsonLines};
pub use lines::{Line, LineReader, MAX_LINE, PolicyLine};
pub use log::{Log, Mode, Options, PolicyText, Stored};
pub use note::{Note, NoteSignature, SignerKey, VerifierKey};
pub use proof::{ConsistencyProof, InclusionProof, Trust};
pub use record::{Dropped, ENTRY_VERSION, Entry, Id, Record, Review};
pub use report::{Report, ReportOptions};
pub use rotate::{Rotated, rotate};
pub use secret::SecretKey;
pub use verify::{Fault, Head, MOST, Verification, verify};

/// Bytes in hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
