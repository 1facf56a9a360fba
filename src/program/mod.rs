//! The flat program that a policy compiles to: *tests* on slots, and *gates* over earlier entries.
//!
//! Every reader (the fast verdict, the explained decision, the timeline) reads this one list, from the front to the
//! back. Nothing in it nests, so no reader recurses. An entry refers only to entries before it.

mod matcher;

use std::sync::{Arc, OnceLock};

pub use self::matcher::Matcher;
pub(crate) use crate::decide::Kind;
use crate::diagnostic::{SourceId, Sources, Span};
use crate::schedule::{Cron, TimeSet, Zone};

/// A compiled policy. Immutable; everything a decision needs but the request.
#[derive(Debug)]
pub(crate) struct Program {
    /// Name of the policy.
    pub name: String,
    /// `sha256:…` over the sources, once it has been asked for.
    pub digest: OnceLock<String>,
    /// How authors write the slots, by [`SlotId`], once that has been asked for.
    pub slot_names: OnceLock<Vec<String>>,
    /// The source that holds tests of the policy, and is no part of it.
    pub tests: Option<SourceId>,
    /// The root file's zone (for printing, and for local date-times).
    pub zone: Zone,
    /// Where it came from.
    pub sources: Sources,
    /// The facts that it declares, sorted by name.
    pub facts: Vec<FactDecl>,
    /// What its tests read; [`SlotId`] is an index.
    pub slots: Vec<Slot>,
    /// The names of people it lists; [`PersonId`] is an index.
    pub people: Vec<String>,
    /// Its groups; [`GroupId`] is an index.
    pub groups: Vec<Group>,
    /// Its stages, in the order of their first mention in the merged files; [`StageId`] is an index.
    pub stages: Vec<Stage>,
    /// The bound on searches in time, from [`crate::Limits`].
    pub search_steps: u64,
}

impl Program {
    /// The digest of the policy's sources; tests of it are not a part of it. Worked out when it is first asked for.
    pub fn digest(&self) -> &str {
        self.digest.get_or_init(|| {
            let of_policy =
                self.sources.iter().enumerate().filter(|(index, _)| self.tests != Some(SourceId(*index as u32)));
            crate::Policy::digest_of(of_policy.map(|(_, source)| (source.name.as_str(), source.text.as_str())))
        })
    }
}

/// Index into [`Program::slots`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SlotId(pub u32);
/// Index into [`Program::people`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PersonId(pub u32);
/// Index into [`Program::groups`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct GroupId(pub u32);
/// Index into [`Program::stages`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StageId(pub u32);
/// Index into [`Stage::ops`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct OpId(pub u32);
/// Index into [`Stage::rules`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RuleId(pub u32);

/// A fact that the policy declares.
#[derive(Clone, Debug)]
pub(crate) struct FactDecl {
    pub name: String,
    pub ty: Type,
    /// Whether the request may give `null` for it.
    pub optional: bool,
    /// Whether its value is never printed.
    pub secret: bool,
}

/// A type, as checked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Type {
    Bool,
    Number,
    String,
    Time,
    Duration,
    Version,
    User,
    /// `status`, `trigger`, `action` and the enumerations that authors write.
    Enum(Arc<EnumType>),
    Set(Box<Type>),
    Map(Box<Type>),
}

/// An enumeration. Values are known by their index.
#[derive(Debug, PartialEq)]
pub(crate) struct EnumType {
    /// `status`, `trigger` or `action`; `None` for one that an author wrote.
    pub builtin: Option<&'static str>,
    pub values: Vec<String>,
}

/// Values of `status`, in this order: [`Constant::Enum`] holds the index.
pub(crate) const STATUS: [&str; 5] = ["passed", "failed", "pending", "skipped", "cancelled"];
/// The index of `pending` in [`STATUS`].
pub(crate) const PENDING: u16 = 2;
/// Values of `trigger`.
pub(crate) const TRIGGER: [&str; 6] = ["push", "pull-request", "schedule", "manual", "completion", "event"];
/// Values of `action`.
pub(crate) const ACTION: [&str; 3] = ["promote", "redeploy", "rollback"];

/// Where the value of a slot comes from. Each source has one slot in a program.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Slot {
    /// A declared fact: index into [`Program::facts`].
    Fact(u32),
    /// The value under a key of a declared map.
    FactKey(u32, String),
    /// What every request carries.
    Builtin(Builtin),
}

/// The facts that always exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Builtin {
    BuildId,
    BuildDigest,
    BuildVersion,
    BuildBranch,
    BuildCommit,
    BuildAuthor,
    BuildContributors,
    BuildLabels,
    BuildCreated,
    BuildAge,
    Trigger,
    Action,
    Requester,
    Now,
    CurrentId,
    CurrentVersion,
    CurrentCreated,
    CurrentDigest,
    CurrentAt,
    CurrentAge,
    /// `S.status`
    StageStatus(StageId),
    /// `S.at`
    StageAt(StageId),
    /// `S.age`
    StageAge(StageId),
}

/// A constant of the policy.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Constant {
    Bool(bool),
    Number(f64),
    /// Strings and users.
    String(Arc<str>),
    /// Nanoseconds since the epoch.
    Time(i64),
    /// Nanoseconds.
    Duration(i64),
    Version(Arc<semver::Version>),
    /// Index into the values of its type.
    Enum(u16),
}

/// A right side.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Right {
    Constant(Constant),
    Slot(SlotId),
}

/// One entry of the flat program.
#[derive(Debug)]
pub(crate) enum Op {
    /// `true` or `false` as written.
    Constant(bool),
    /// One fact against something.
    Test(Test),
    /// All of `args[from..to]` (indices into [`Stage::args`]).
    And(u32, u32),
    /// Any of `args[from..to]`.
    Or(u32, u32),
    Not(OpId),
}

/// A test: one slot, one question.
#[derive(Debug)]
pub(crate) struct Test {
    pub left: SlotId,
    pub check: Check,
    /// Where it is written: explanations quote it.
    pub span: Span,
}

/// A question about a value. Types have been checked: both sides fit.
#[derive(Debug)]
pub(crate) enum Check {
    Compare(Comparison, Right),
    /// `in [a, b]`
    InList(Vec<Right>),
    /// `in S` where `S` is a fact that is a set
    InSet(SlotId),
    /// `in G` where `G` is a group
    InGroup(GroupId),
    /// `contains x`: an element of a set, a part of a string
    Contains(Right),
    StartsWith(Right),
    EndsWith(Right),
    /// `matches`: a glob or a regex, anchored at both ends
    Matches(Matcher),
    IsSet,
    IsMissing,
    /// A bool fact on its own
    IsTrue,
    /// `not in`
    Not(Box<Check>),
    /// `every C check`: not true of an empty collection, but unknown
    Every(Box<Check>),
    /// `any C check`; `no C check` is a [`Op::Not`] of it
    Any(Box<Check>),
}

impl Check {
    /// The slots that it reads on its right side.
    pub fn right_slots(&self) -> Vec<SlotId> {
        let of = |right: &Right| match right {
            Right::Slot(id) => Some(*id),
            Right::Constant(_) => None,
        };
        match self {
            Check::Compare(_, right) | Check::Contains(right) | Check::StartsWith(right) | Check::EndsWith(right) => {
                of(right).into_iter().collect()
            }
            Check::InList(items) => items.iter().filter_map(of).collect(),
            Check::InSet(id) => vec![*id],
            Check::Every(check) | Check::Any(check) | Check::Not(check) => check.right_slots(),
            Check::InGroup(_) | Check::Matches(_) | Check::IsSet | Check::IsMissing | Check::IsTrue => Vec::new(),
        }
    }
}

pub(crate) use crate::syntax::tree::{Comparison, Count, Including};

/// A stage with everything that a decision about it needs.
#[derive(Debug)]
pub(crate) struct Stage {
    pub name: String,
    /// The flat program.
    pub ops: Vec<Op>,
    /// Arguments of the gates.
    pub args: Vec<OpId>,
    /// Its rules, in the order of a decision.
    pub rules: Vec<Rule>,
    /// Its overrides, in the order of the policy.
    pub overrides: Vec<Override>,
    /// The slots that its entries read, ascending.
    pub slots: Vec<SlotId>,
    /// Where it is named first.
    pub span: Span,
}

/// A rule of a stage.
#[derive(Debug)]
pub(crate) struct Rule {
    pub name: String,
    pub kind: Kind,
    pub body: Body,
    /// The condition under which it applies: `when` and not `unless`, in one entry.
    pub guard: Option<OpId>,
    pub because: Option<String>,
    /// Triggers and windows of one file (its block for the stage and its `stage *`) are alternatives: they share a number.
    pub alternatives: Option<u32>,
    /// Where it is written.
    pub span: Span,
    /// The file that it stands in.
    pub file: SourceId,
}

/// What a rule demands.
#[derive(Debug)]
pub(crate) enum Body {
    /// All of these.
    After(Vec<After>),
    /// All of these: `(which of the clauses of the stage's After rule, nanoseconds)`.
    Soak(Vec<Soak>),
    Require(OpId),
    Forbid(OpId),
    Advise(OpId),
    Window(TimeSet),
    Freeze(TimeSet),
    Approve(Approve),
    Trigger(Trigger),
    Exclusive,
    ForwardOnly,
    DistinctApprovers,
}

/// One `after` clause.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct After {
    /// `any of`
    pub any: bool,
    pub stages: Vec<AfterStage>,
    pub span: Span,
}

/// A stage and the outcomes of its newest run that will do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AfterStage {
    pub stage: StageId,
    pub outcomes: Outcomes,
}

/// A set of outcomes of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcomes {
    pub succeeded: bool,
    pub failed: bool,
    pub skipped: bool,
    pub cancelled: bool,
}

/// `after … for D`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Soak {
    /// The clause it belongs to.
    pub after: After,
    /// Nanoseconds.
    pub length: i64,
}

/// COUNT of PEOPLE, less those who are barred.
#[derive(Clone, Debug)]
pub(crate) struct Quorum {
    pub count: Count,
    /// People listed by name or by a static group, in the order written, each once.
    pub people: Vec<PersonId>,
    /// Groups whose members come from the request, each once.
    pub directories: Vec<GroupId>,
    /// Who is let in that is barred by default.
    pub including: Option<Including>,
    pub except: Except,
}

/// Who does not count.
#[derive(Clone, Debug, Default)]
pub(crate) struct Except {
    pub requester: bool,
    pub people: Vec<PersonId>,
    pub directories: Vec<GroupId>,
    /// Rules of kind approve of the same stage.
    pub approvers_of: Vec<RuleId>,
}

/// `approve N: …`
#[derive(Clone, Debug)]
pub(crate) struct Approve {
    pub quorum: Quorum,
    pub since: Option<StageId>,
    /// Nanoseconds.
    pub valid: Option<i64>,
}

/// `override N: …`
#[derive(Debug)]
pub(crate) struct Override {
    pub name: String,
    /// `except.approvers_of` refers to rules of the stage.
    pub quorum: Quorum,
    /// The rules that it may skip, ascending; never a sealed one, never `after` unless it was named.
    pub skips: Vec<RuleId>,
    /// Nanoseconds.
    pub valid: Option<i64>,
    pub reason_required: bool,
    pub guard: Option<OpId>,
    pub because: Option<String>,
    pub span: Span,
}

/// A group of people.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub name: String,
    /// `None`: the members come from the request.
    pub members: Option<Vec<PersonId>>,
}

/// A trigger.
#[derive(Debug)]
pub(crate) enum Trigger {
    Push {
        to: Option<Branches>,
    },
    PullRequest {
        to: Option<Branches>,
    },
    /// `by`: `None` means anyone.
    Manual {
        by: Option<ManualBy>,
    },
    Completion {
        of: Option<StageId>,
    },
    Event {
        name: String,
    },
    Schedule(ScheduleTrigger),
}

/// Names of branches.
#[derive(Debug)]
pub(crate) struct Branches {
    /// As written.
    pub glob: String,
    pub matcher: Matcher,
}

/// Who may promote by hand.
#[derive(Clone, Debug)]
pub(crate) struct ManualBy {
    pub people: Vec<PersonId>,
    pub directories: Vec<GroupId>,
}

/// `schedule "cron" in "zone" within D if changed`
#[derive(Clone, Debug)]
pub(crate) struct ScheduleTrigger {
    /// As written.
    pub expr: String,
    pub cron: Cron,
    pub zone: Zone,
    /// The instants at which a firing is not longer ago than `within` (default one hour): each lasts so long from its
    /// firing on.
    pub met: TimeSet,
    pub if_changed: bool,
}
