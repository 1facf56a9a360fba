//! The request: what a caller knows about a build that wants to enter a stage.

use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// May this build enter that stage? With everything the caller knows.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[non_exhaustive]
pub struct Request {
    /// The stage asked for.
    pub stage: String,
    /// The instant to decide for. Required by [`Policy::decide`](crate::Policy::decide): the engine reads no clock.
    pub now: Option<DateTime<Utc>>,
    /// What set the promotion off; `None` when not known.
    pub trigger: Option<TriggerFact>,
    /// What is to be done; `None` means promote.
    pub action: Option<Action>,
    /// Who asks; `None` when not known (then the person of a manual trigger).
    pub requester: Option<String>,
    /// The build.
    pub build: Build,
    /// What the stage runs now; in JSON, `null` for nothing.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Current>"))]
    pub current: Current,
    /// What is being deployed to the stage at this moment. In JSON, `null` for nothing; it may stand in `current` instead.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub deploying: Deploying,
    /// Runs of this build in the stages of the pipeline, in any order.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<Run>>"))]
    pub history: Vec<Run>,
    /// What approvers have said, in any order.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<Approval>>"))]
    pub approvals: Vec<Approval>,
    /// Overrides that people invoked.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<Invocation>>"))]
    pub overrides: Vec<Invocation>,
    /// Members of the groups that come from a directory.
    #[cfg_attr(feature = "schema", schemars(with = "Option<BTreeMap<String, Vec<String>>>"))]
    pub groups: BTreeMap<String, Vec<String>>,
    /// The facts that the policy declares.
    #[cfg_attr(feature = "schema", schemars(with = "Option<BTreeMap<String, Value>>"))]
    pub facts: BTreeMap<String, Value>,
}

/// What the stage runs now.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Current {
    /// The caller does not say.
    #[default]
    Unknown,
    /// The stage is empty.
    Nothing,
    /// This build.
    Build(Box<Occupant>),
}

/// What is being deployed to the stage at this moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Deploying {
    /// The caller does not say.
    #[default]
    Unknown,
    /// Nothing.
    Nothing,
    /// The build with this id.
    Build(String),
}

/// The build that occupies a stage. What is `None` is not known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Occupant {
    /// Its id.
    pub id: Option<String>,
    /// Its digest.
    pub digest: Option<String>,
    /// Its version (semantic versioning).
    pub version: Option<String>,
    /// When it was built.
    pub created: Option<DateTime<Utc>>,
    /// Since when it occupies the stage.
    pub at: Option<DateTime<Utc>>,
}

/// The build that wants to enter. What is `None` is not known.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct Build {
    /// Its id: the same build has the same id in every stage.
    pub id: String,
    /// The digest of its artifact, such as `sha256:…`.
    pub digest: Option<String>,
    /// Its version (semantic versioning).
    pub version: Option<String>,
    /// The branch it was built from.
    pub branch: Option<String>,
    /// The commit it was built from.
    pub commit: Option<String>,
    /// Who wrote the change.
    pub author: Option<String>,
    /// Everyone who contributed to the change.
    pub contributors: Option<Vec<String>>,
    /// Labels of the change.
    pub labels: Option<Vec<String>>,
    /// When it was built.
    pub created: Option<DateTime<Utc>>,
}

/// What set the promotion off.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)
)]
pub enum TriggerFact {
    /// A push, to a branch if that is known (else the build's).
    Push {
        /// The branch.
        branch: Option<String>,
    },
    /// A pull request, to a branch if that is known.
    PullRequest {
        /// The branch it is to be merged into.
        branch: Option<String>,
    },
    /// A person.
    Manual {
        /// Who.
        by: Option<String>,
    },
    /// Another stage ended.
    Completion {
        /// Which.
        of: Option<String>,
    },
    /// An event of another system.
    Event {
        /// Its name.
        name: Option<String>,
    },
    /// A firing of the schedule.
    Schedule {
        /// The firing's instant, if the caller knows it.
        at: Option<DateTime<Utc>>,
    },
}

/// What is to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// A build enters the stage for the first time.
    #[default]
    Promote,
    /// The build that the stage runs is deployed again.
    Redeploy,
    /// The stage goes back to an earlier build.
    Rollback,
}

/// One run of a build in a stage.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct Run {
    /// The stage.
    pub stage: String,
    /// How it ended, or `pending`.
    pub status: RunStatus,
    /// When it ended (of a pending one: when it began).
    pub at: DateTime<Utc>,
    /// The digest of what was deployed, if it is known.
    pub digest: Option<String>,
    /// The build, if it is not the request's own.
    pub build: Option<String>,
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::also_passed))]
#[serde(rename_all = "kebab-case")]
pub enum RunStatus {
    /// It ended well. Also read from `passed`.
    #[serde(alias = "passed")]
    Succeeded,
    /// It ended badly.
    Failed,
    /// It was skipped.
    Skipped,
    /// It was stopped.
    Cancelled,
    /// It has not ended.
    Pending,
}

/// What an approver said.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct Approval {
    /// Who.
    pub by: String,
    /// What.
    pub decision: Word,
    /// When.
    pub at: DateTime<Utc>,
    /// For which stage; `None` means the request's.
    pub stage: Option<String>,
    /// For which build; `None` means the request's.
    pub build: Option<String>,
    /// For which digest, if it is known.
    pub digest: Option<String>,
    /// What else they said.
    pub comment: Option<String>,
}

/// An approver's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// Yes.
    Approve,
    /// Takes back what was said before.
    Withdraw,
    /// No.
    Reject,
}

/// A person invokes an override.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct Invocation {
    /// Which override.
    pub name: String,
    /// Who.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: Option<String>,
    /// For which stage; `None` means the request's.
    pub stage: Option<String>,
    /// For which build; `None` means the request's.
    pub build: Option<String>,
    /// For which digest, if it is known.
    pub digest: Option<String>,
}

/// The value of a fact.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(untagged))]
pub enum Value {
    /// Known to be absent (`null`): only facts that are `optional` may be.
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A finite number.
    Number(f64),
    /// Text: also versions, users, statuses, values of enumerations; times and durations as text.
    String(String),
    /// An instant.
    #[cfg_attr(feature = "schema", schemars(skip))]
    Time(DateTime<Utc>),
    /// A list: the elements of a set.
    List(Vec<Value>),
    /// A map.
    Map(BTreeMap<String, Value>),
}
