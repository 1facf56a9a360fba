//! stagegate: an embedded rules engine for promotion policies.
//!
//! A small language says, for each stage of a release pipeline, under what conditions, on what schedule and with whose
//! approval a build may enter it. A policy is compiled once; then it answers: *may this build enter that stage?* — with
//! the reasons, who or what is missing, when it will be, and how long the answer stands.
//!
//! ```
//! use stagegate::{Build, Policy, Request, Verdict};
//! # use chrono::{DateTime, TimeZone, Utc};
//! # fn promote() {}
//! # fn retry_at(_: Option<DateTime<Utc>>) {}
//! # fn refuse(_: String) {}
//! # let now = Utc.with_ymd_and_hms(2026, 3, 4, 18, 0, 0).unwrap();
//! # let dev_at = Utc.with_ymd_and_hms(2026, 3, 3, 17, 0, 0).unwrap();
//! # let test_at = Utc.with_ymd_and_hms(2026, 3, 4, 11, 0, 0).unwrap();
//! # let approved_at = Utc.with_ymd_and_hms(2026, 3, 4, 17, 30, 0).unwrap();
//!
//! let policy = Policy::from_file("policies/space-game.gate")?; // or Policy::parse(name, text)
//! let request = Request::to("Staging")
//!     .build(Build::new("2026.3.1").branch("release").author("mara"))
//!     .at(now)
//!     .manual("tim")
//!     .succeeded("Dev", dev_at)
//!     .succeeded("Test", test_at)
//!     .approved("amita", approved_at)
//!     .approved("tim", approved_at)
//!     .fact("coverage", 91)
//!     .fact("checks", [("unit", "passed"), ("lint", "passed")]);
//! let decision = policy.decide(&request)?;
//! match decision.verdict() {
//!     Verdict::Allow => promote(),
//!     Verdict::Hold => retry_at(decision.allowed_at()), // every need: decision.needs()
//!     Verdict::Deny => refuse(decision.to_string()),    // a person can read it
//! }
//!
//! // Two of operations have to approve; tim has, and mara is the author.
//! assert_eq!(decision.verdict(), Verdict::Hold);
//! assert_eq!(decision.blocking(), ["operations"]);
//! assert_eq!(decision.needs().approvals[0].from, ["andy", "lee@tailspin.example"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Three answers
//!
//! [`Verdict::Allow`] is given only when every rule is met, does not apply, or is overridden. [`Verdict::Deny`] when a rule
//! is violated and time alone does not change that. Everything else is [`Verdict::Hold`]: an approval is awaited, a window
//! is still shut, a fact was not supplied. A fact that is missing never allows anything.
//!
//! # What is where
//!
//! * [`Policy`], [`Compiler`], [`CompileError`]: from text to a policy. [`Loader`]: where included files come from.
//! * [`Request`], [`Build`]: what a caller knows; built in Rust, or read from JSON with [`Request::from_json`].
//! * [`Policy::decide`] → [`Decision`]; [`Policy::verdict`] is the same without the reasons; [`Policy::prepare`] reads a
//!   request once for a caller that asks many times.
//! * [`Policy::due`], [`Policy::next_firing`], [`Policy::coming`], [`Policy::timeline`]: what the clock will do. The engine
//!   keeps no timer and reads no clock; the caller asks.
//! * [`DecisionSink`], [`Policy::decide_recorded`]: decisions that are recorded before they are given.
//! * [`PolicySet`]: many policies by name, replaced while others decide.
//! * [`Limits`]: what a policy or a request of a stranger may cost.
#![forbid(unsafe_code)]

mod batch;
mod check;
mod decide;
pub mod diagnostic;
pub mod facts;
mod format;
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
pub mod shared;
mod sink;
pub mod suite;
#[doc(hidden)]
pub mod syntax;

pub use batch::{Batch, Tally};
pub use decide::*;
pub use facts::*;
pub use format::format;
pub use limits::Limits;
pub use loader::{FileLoader, LoadError, Loader, MemoryLoader};
pub use policy::{CompileError, Compiler, FileKind, Policy, Report};
pub use set::PolicySet;
pub use sink::{DecideError, Decided, DecisionSink, SinkError};
#[cfg(feature = "derive")]
pub use stagegate_derive::Facts;

/// The version of the language that this crate reads.
pub const LANGUAGE: u32 = 1;

/// The version of this crate.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The Rust in the documentation compiles and runs.
#[cfg(doctest)]
mod documentation {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/embedding.md")]
    struct Embedding;
}
