//! What a decision says. The JSON of these types is fixed: tools rely on it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, OnceLock};

use super::telling::Telling;
use crate::diagnostic::Place;
use crate::facts::slots::Slots;
use crate::facts::time;
use crate::policy::Policy;
use crate::schedule::Zone;

/// May the build enter the stage?
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every rule is met, not applicable or overridden.
    Allow,
    /// Not now: something is missing, awaited or unknown, and nothing forbids it.
    Hold,
    /// A rule is unmet.
    Deny,
}

impl Verdict {
    /// `allow`, `hold` or `deny`.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Allow => "allow",
            Verdict::Hold => "hold",
            Verdict::Deny => "deny",
        }
    }

    /// Whether it is [`Verdict::Allow`].
    pub fn is_allow(self) -> bool {
        self == Verdict::Allow
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// How one rule stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Satisfied.
    Met,
    /// Violated, and time alone does not change that.
    Unmet,
    /// False now, true later with nothing else changing.
    Waiting,
    /// Approvals are missing.
    Awaiting,
    /// A fact it reads was not supplied.
    Unknown,
    /// Its guard is false.
    NotApplicable,
    /// Skipped by an override that was invoked.
    Overridden,
}

impl Status {
    /// All of them.
    pub const ALL: [Status; 7] = [
        Status::Met,
        Status::Unmet,
        Status::Waiting,
        Status::Awaiting,
        Status::Unknown,
        Status::NotApplicable,
        Status::Overridden,
    ];

    /// As in JSON: `met`, `not-applicable`, ...
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Met => "met",
            Status::Unmet => "unmet",
            Status::Waiting => "waiting",
            Status::Awaiting => "awaiting",
            Status::Unknown => "unknown",
            Status::NotApplicable => "not-applicable",
            Status::Overridden => "overridden",
        }
    }

    /// Whether a rule that stands so keeps the build out.
    pub fn blocks(self) -> bool {
        !matches!(self, Status::Met | Status::NotApplicable | Status::Overridden)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What kind of rule it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// `stage X after ...`
    After,
    /// `stage X after ... for D`
    Soak,
    /// `require`
    Require,
    /// `forbid`
    Forbid,
    /// `advise`: reported, never blocks
    Advise,
    /// `window`
    Window,
    /// `freeze`
    Freeze,
    /// `approve`
    Approve,
    /// `trigger`
    Trigger,
    /// `exclusive`
    Exclusive,
    /// `forward only`
    ForwardOnly,
    /// `distinct approvers`
    DistinctApprovers,
}

impl Kind {
    /// As in JSON: `forward-only`, ...
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::After => "after",
            Kind::Soak => "soak",
            Kind::Require => "require",
            Kind::Forbid => "forbid",
            Kind::Advise => "advise",
            Kind::Window => "window",
            Kind::Freeze => "freeze",
            Kind::Approve => "approve",
            Kind::Trigger => "trigger",
            Kind::Exclusive => "exclusive",
            Kind::ForwardOnly => "forward-only",
            Kind::DistinctApprovers => "distinct-approvers",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// The answer to a request, with every reason. [`Display`](std::fmt::Display) prints what a person wants to read in
/// ten seconds: the verdict, what stands in the way, then the rest.
///
/// The reasons are worked out when they are first asked for; they are those of the instant and of the facts that were
/// decided on, whenever that is.
#[derive(Clone)]
pub struct Decision {
    verdict: Verdict,
    /// What was decided on; `None` for a decision that was read from JSON.
    asked: Option<(Policy, Arc<Slots>)>,
    told: OnceLock<Box<Told>>,
    /// The zone that times are to be printed in, if not the policy's.
    zone: Option<Zone>,
}

/// The answer to a request, with every reason. [`Display`](std::fmt::Display) prints what a person wants to read in
/// ten seconds: the verdict, what stands in the way, then the rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Decision"))]
pub(crate) struct Told {
    pub(crate) verdict: Verdict,
    /// The policy that decided.
    pub(crate) policy: PolicyRef,
    pub(crate) stage: String,
    /// The build's id.
    pub(crate) build: String,
    /// The instant it was decided for.
    #[serde(serialize_with = "time::serialize")]
    pub(crate) at: DateTime<Utc>,
    pub(crate) rules: Vec<RuleReport>,
    /// Names of the rules that stand in the way, in the order of the policy.
    pub(crate) blocking: Vec<String>,
    pub(crate) needs: Needs,
    /// The smallest sets of steps of which any one would turn the verdict into allow; empty when it is allow, and when
    /// nothing that can be foreseen would.
    pub(crate) unblock: Vec<Vec<Step>>,
    /// The first instant at which the verdict is allow if time alone passes; null if never.
    #[serde(serialize_with = "time::serialize_maybe")]
    pub(crate) allowed_at: Option<DateTime<Utc>>,
    /// The first later instant at which time alone changes the verdict; null if none. Ask again by then.
    #[serde(serialize_with = "time::serialize_maybe")]
    pub(crate) valid_until: Option<DateTime<Utc>>,
    /// Overrides that were invoked and count.
    pub(crate) overrides: Vec<OverrideReport>,
    /// What a person should know, though it changes nothing.
    pub(crate) warnings: Vec<String>,
    /// Facts of the request that the policy does not declare.
    pub(crate) ignored_facts: Vec<String>,
    /// The zone that times are printed in: the policy's.
    #[serde(skip)]
    pub(crate) zone: Zone,
}

/// Which policy decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PolicyRef {
    /// Its name.
    pub name: String,
    /// SHA-256 over its sources, `sha256:…`.
    pub digest: String,
    /// Version of the language, 1.
    pub language: u32,
}

/// How one rule stands, with the values it saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RuleReport {
    /// Its name.
    pub rule: String,
    /// Its kind.
    pub kind: Kind,
    /// How it stands.
    pub status: Status,
    /// The author's `because`.
    pub because: Option<String>,
    /// What was seen, in words.
    pub detail: String,
    /// `waiting`: until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(serialize_with = "time::serialize_maybe")]
    pub until: Option<DateTime<Utc>>,
    /// `unknown`: the facts that were not supplied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<String>,
    /// `approve`: how many approvals are missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<u32>,
    /// `approve`: who could still give them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Vec<String>>,
    /// `approve`: whose approvals count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Vec<String>>,
    /// `approve`: approvals that do not count, with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_counted: Vec<NotCounted>,
    /// `approve`: who rejected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejected_by: Vec<String>,
    /// `overridden`: by which override.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overridden_by: Option<String>,
    /// Where it stands in the policy.
    pub at: Place,
}

/// An approval that does not count, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NotCounted {
    /// Who gave it.
    pub by: String,
    /// Why it does not count, as a sentence that begins with the name: `is the author and does not count`.
    pub reason: String,
}

/// Everything that is missing, over all the rules that block.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Needs {
    /// Facts that were not supplied.
    pub facts: Vec<String>,
    /// Approvals that are missing.
    pub approvals: Vec<ApprovalNeed>,
}

/// Approvals that one rule misses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ApprovalNeed {
    /// The rule.
    pub rule: String,
    /// How many.
    pub count: u32,
    /// Of whom.
    pub from: Vec<String>,
}

/// A step that someone can take, or wait for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Step {
    /// `count` more people of `from` approve for the rule.
    Approve {
        /// The rule.
        approve: String,
        /// How many.
        count: u32,
        /// Of whom.
        from: Vec<String>,
    },
    /// Supply a fact, with a value that satisfies the rules that read it.
    Fact {
        /// Its name.
        fact: String,
    },
    /// Wait until an instant.
    Wait {
        /// The instant.
        #[serde(serialize_with = "time::serialize")]
        wait_until: DateTime<Utc>,
    },
    /// `count` more people of `from` invoke the override.
    Override {
        /// The override.
        #[serde(rename = "override")]
        name: String,
        /// How many.
        count: u32,
        /// Of whom.
        from: Vec<String>,
    },
}

/// An override that was invoked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OverrideReport {
    /// Its name.
    #[serde(rename = "override")]
    pub name: String,
    /// The policy's `because`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// Whether enough people invoked it.
    pub in_force: bool,
    /// Who invoked it, when and why.
    pub by: Vec<InvokedBy>,
    /// The rules that it skipped: those that would have stood in the way.
    pub skipped: Vec<String>,
    /// Invocations that do not count, with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_counted: Vec<NotCounted>,
    /// Until when it is in force, if that ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(serialize_with = "time::serialize_maybe")]
    pub until: Option<DateTime<Utc>>,
    /// Where it stands in the policy.
    pub at: Place,
}

/// Who invoked an override.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InvokedBy {
    /// The person.
    pub by: String,
    /// When.
    #[serde(serialize_with = "time::serialize")]
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: Option<String>,
}

/// A stretch of a [`Timeline`](crate::Timeline), half open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Stretch {
    /// From.
    #[serde(serialize_with = "time::serialize")]
    pub from: DateTime<Utc>,
    /// To (exclusive).
    #[serde(serialize_with = "time::serialize")]
    pub to: DateTime<Utc>,
    /// The verdict throughout.
    pub verdict: Verdict,
    /// The rules that stand in the way throughout.
    pub blocking: Vec<String>,
}

impl Decision {
    /// Decided already; the reasons are told when they are asked for.
    pub(super) fn new(verdict: Verdict, policy: Policy, slots: Arc<Slots>) -> Decision {
        Decision { verdict, asked: Some((policy, slots)), told: OnceLock::new(), zone: None }
    }

    /// What there is to tell, told anew; `None` if the decision was read from JSON.
    pub(super) fn telling(&self) -> Option<Telling<'_>> {
        let (policy, slots) = self.asked.as_ref()?;
        let telling = super::explain::decide(policy.case(slots)?);
        debug_assert_eq!(telling.verdict, self.verdict);
        Some(telling)
    }

    /// Everything there is to tell.
    pub(crate) fn told(&self) -> &Told {
        self.told.get_or_init(|| {
            let told = self.telling().map(|telling| telling.told());
            // A decision is made of a case or of what was told, so there always is something; nothing allows nothing.
            let mut told = told.unwrap_or_else(Told::nothing);
            told.zone = self.zone.unwrap_or(told.zone);
            Box::new(told)
        })
    }

    /// The zone to print in.
    pub(super) fn set_zone(&mut self, zone: Zone) {
        self.zone = Some(zone);
        if let Some(told) = self.told.get_mut() {
            told.zone = zone;
        }
    }

    /// May the build enter?
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }
    /// The policy that decided.
    pub fn policy(&self) -> &PolicyRef {
        &self.told().policy
    }
    /// The stage asked for.
    pub fn stage(&self) -> &str {
        &self.told().stage
    }
    /// The id of the build.
    pub fn build(&self) -> &str {
        &self.told().build
    }
    /// The instant it was decided for.
    pub fn at(&self) -> DateTime<Utc> {
        self.told().at
    }
    /// Every rule of the stage, in the order of the policy.
    pub fn rules(&self) -> &[RuleReport] {
        &self.told().rules
    }
    /// The rule with that name.
    pub fn rule(&self, name: &str) -> Option<&RuleReport> {
        self.told().rules.iter().find(|r| r.rule == name)
    }
    /// Names of the rules that stand in the way, in the order of the policy.
    pub fn blocking(&self) -> &[String] {
        &self.told().blocking
    }
    /// Everything that is missing.
    pub fn needs(&self) -> &Needs {
        &self.told().needs
    }
    /// The smallest sets of steps of which any one would turn the verdict into allow.
    pub fn unblock(&self) -> &[Vec<Step>] {
        &self.told().unblock
    }
    /// The first instant at which the verdict is allow if time alone passes; `None` if never.
    pub fn allowed_at(&self) -> Option<DateTime<Utc>> {
        self.told().allowed_at
    }
    /// The first later instant at which time alone changes the verdict; `None` if none.
    pub fn valid_until(&self) -> Option<DateTime<Utc>> {
        self.told().valid_until
    }
    /// Overrides that were invoked.
    pub fn overrides(&self) -> &[OverrideReport] {
        &self.told().overrides
    }
    /// What a person should know, though it changes nothing.
    pub fn warnings(&self) -> &[String] {
        &self.told().warnings
    }
    /// Facts of the request that the policy does not declare.
    pub fn ignored_facts(&self) -> &[String] {
        &self.told().ignored_facts
    }
}

impl Told {
    fn nothing() -> Told {
        Told {
            verdict: Verdict::Deny,
            policy: PolicyRef { name: String::new(), digest: String::new(), language: crate::LANGUAGE },
            stage: String::new(),
            build: String::new(),
            at: DateTime::UNIX_EPOCH,
            rules: Vec::new(),
            blocking: Vec::new(),
            needs: Needs::default(),
            unblock: Vec::new(),
            allowed_at: None,
            valid_until: None,
            overrides: Vec::new(),
            warnings: Vec::new(),
            ignored_facts: Vec::new(),
            zone: Zone::default(),
        }
    }
}

impl std::fmt::Debug for Decision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Decision").field(self.told()).finish()
    }
}

impl PartialEq for Decision {
    fn eq(&self, other: &Decision) -> bool {
        self.told() == other.told()
    }
}

impl Serialize for Decision {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.told().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Decision {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Decision, D::Error> {
        let told = Told::deserialize(deserializer)?;
        Ok(Decision { verdict: told.verdict, asked: None, told: OnceLock::from(Box::new(told)), zone: None })
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Decision {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Told::schema_name()
    }
    fn schema_id() -> std::borrow::Cow<'static, str> {
        Told::schema_id()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Told::json_schema(generator)
    }
}
