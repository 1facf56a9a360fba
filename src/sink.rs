//! Where decisions are recorded. The engine knows this door and no store behind it.

use std::error::Error;

use crate::decide::Decision;
use crate::facts::{Request, RequestError};
use crate::policy::Policy;

/// A decision on its way to be recorded, with all that it was made of.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Decided<'a> {
    /// The policy that decided.
    pub policy: &'a Policy,
    /// What it was asked.
    pub request: &'a Request,
    /// What it answered.
    pub decision: &'a Decision,
    /// Who asked: the tool or the person that put the question, which need not be the request's `requester`.
    pub asked_by: Option<&'a str>,
}

impl<'a> Decided<'a> {
    /// What was decided; nobody is said to have asked.
    pub fn new(policy: &'a Policy, request: &'a Request, decision: &'a Decision) -> Decided<'a> {
        Decided { policy, request, decision, asked_by: None }
    }

    /// Who asked.
    #[must_use]
    pub fn asked_by(mut self, who: &'a str) -> Decided<'a> {
        self.asked_by = Some(who);
        self
    }
}

/// Where decisions are recorded: the store of `stagegate-audit`, a stream of JSON Lines, or what an embedder brings.
///
/// ```
/// use stagegate::{Build, Decided, DecisionSink, DecideError, Policy, Request, SinkError};
/// use chrono::{TimeZone, Utc};
///
/// struct Full;
/// impl DecisionSink for Full {
///     fn record(&self, _: &Decided<'_>) -> Result<(), SinkError> {
///         Err(SinkError::new("no space is left"))
///     }
/// }
///
/// let policy = Policy::parse("p.gate", "stage Dev { require id: build.id is set }")?;
/// let now = Utc.with_ymd_and_hms(2026, 3, 4, 18, 0, 0).unwrap();
/// let request = Request::to("Dev").build(Build::new("7")).at(now);
///
/// // It would be an allow; but what cannot be recorded is not decided.
/// assert!(matches!(policy.decide_recorded(&request, &Full), Err(DecideError::NotRecorded(_))));
///
/// // Whoever wants it otherwise says so.
/// let (decision, not_recorded) = policy.decide_even_unrecorded(&request, &Full)?;
/// assert!(decision.verdict().is_allow() && not_recorded.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait DecisionSink: Send + Sync {
    /// Records one decision. When it returns, what the sink promises of a record holds.
    ///
    /// # Errors
    /// When it cannot be recorded. [`Policy::decide_recorded`] then gives no verdict.
    fn record(&self, decided: &Decided<'_>) -> Result<(), SinkError>;

    /// Records many, in their order; all of them or, if the sink can, none.
    ///
    /// # Errors
    /// When one cannot be recorded.
    fn record_all(&self, decided: &[Decided<'_>]) -> Result<(), SinkError> {
        decided.iter().try_for_each(|one| self.record(one))
    }
}

/// Why a decision could not be recorded.
#[derive(Debug, thiserror::Error)]
#[error("the decision could not be recorded: {message}")]
pub struct SinkError {
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl SinkError {
    /// With what went wrong, in words.
    pub fn new(message: impl Into<String>) -> SinkError {
        SinkError { message: message.into(), source: None }
    }

    /// With the error that is the reason.
    pub fn from_error(error: impl Error + Send + Sync + 'static) -> SinkError {
        SinkError { message: error.to_string(), source: Some(Box::new(error)) }
    }

    /// What went wrong, in words.
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// Why there is no decision.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecideError {
    /// The request cannot be decided.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// It was decided, and could not be recorded.
    #[error(transparent)]
    NotRecorded(#[from] SinkError),
}

impl Policy {
    /// Decides, and records the decision: no verdict leaves before the sink has what it promises to have.
    ///
    /// # Errors
    /// As [`Policy::decide`], and when the decision cannot be recorded.
    pub fn decide_recorded(&self, request: &Request, sink: &dyn DecisionSink) -> Result<Decision, DecideError> {
        let decision = self.decide(request)?;
        sink.record(&Decided::new(self, request, &decision))?;
        Ok(decision)
    }

    /// Decides, and gives the decision even if it could not be recorded, with the reason why it was not: there may be an
    /// allow that no auditor ever sees.
    ///
    /// # Errors
    /// As [`Policy::decide`].
    pub fn decide_even_unrecorded(
        &self,
        request: &Request,
        sink: &dyn DecisionSink,
    ) -> Result<(Decision, Option<SinkError>), RequestError> {
        let decision = self.decide(request)?;
        let not_recorded = sink.record(&Decided::new(self, request, &decision)).err();
        Ok((decision, not_recorded))
    }
}
