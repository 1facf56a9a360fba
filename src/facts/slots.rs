//! A request turned into slots: what the flat program reads. Names have become numbers, times nanoseconds.

use crate::facts::{RunStatus, Word};
use crate::program::{GroupId, StageId};

/// A person: a [`PersonId`](crate::program::PersonId) of the policy, or a number past those for one whom only the
/// request names.
pub(crate) type Person = u32;

/// The value of a slot.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SlotValue {
    /// Not supplied.
    Missing,
    /// Supplied as absent.
    Null,
    Bool(bool),
    Number(f64),
    /// Strings and users.
    String(Box<str>),
    /// Nanoseconds since the epoch.
    Time(i64),
    /// Nanoseconds.
    Duration(i64),
    Version(Box<semver::Version>),
    /// Index into the values of its type.
    Enum(u16),
    /// Like `Enum`, but `pending` has its own ways.
    Status(u16),
    Set(Vec<SlotValue>),
    /// Sorted by key.
    Map(Vec<(Box<str>, SlotValue)>),
    /// The instant that is decided for.
    Now,
    /// The time since an instant.
    Age(i64),
    /// Of the newest run in a stage.
    RunStatus(StageId),
    RunAt(StageId),
    RunAge(StageId),
}

/// One run of the build in a stage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RunAt {
    pub at: i64,
    pub status: RunStatus,
}

/// What one person said about this build for this stage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Said {
    pub person: Person,
    pub at: i64,
    pub word: Word,
}

/// What someone said, but not about this.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Other {
    pub said: Said,
    pub why: OtherWhy,
}

/// What it was said about.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OtherWhy {
    Build(String),
    Stage(String),
    Digest(String),
}

/// An invocation of an override of the stage, for this build.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Invoked {
    pub person: Person,
    pub at: i64,
    pub reason: Option<String>,
}

/// What set the promotion off, as far as the program asks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TriggerSlot {
    Unknown,
    Push { branch: Option<String> },
    PullRequest { branch: Option<String> },
    Manual { by: Option<Person> },
    Completion { of: Option<Result<StageId, String>> },
    Event { name: Option<String> },
    Schedule,
}

/// Whether the stage runs this build, and how the one it runs compares with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Occupied {
    #[default]
    Unknown,
    Nothing,
    /// This very build.
    Same,
    Other,
}

/// A request in slots, for one policy and one stage.
#[derive(Clone)]
pub(crate) struct Slots {
    pub stage: StageId,
    /// Nanoseconds since the epoch.
    pub now: i64,
    /// By `SlotId`; what the asked stage does not read stays `Missing`.
    pub values: Vec<SlotValue>,
    /// Names of the people whom only the request names.
    pub strangers: Vec<String>,
    pub author: Option<Person>,
    /// Sorted.
    pub contributors: Vec<Person>,
    pub requester: Option<Person>,
    /// Sorted by person, then time, then word.
    pub said: Vec<Said>,
    /// What was said about other builds, stages and artifacts; it never counts, but is told.
    pub others: Vec<Other>,
    /// By override of the stage; sorted by time.
    pub invoked: Vec<Vec<Invoked>>,
    /// By `GroupId`; `None` for a directory group that was not supplied, and for groups that are listed.
    pub directories: Vec<Option<Vec<Person>>>,
    /// By `StageId`; ascending by time, at one instant the worst last.
    pub runs: Vec<Vec<RunAt>>,
    pub trigger: TriggerSlot,
    pub occupied: Occupied,
    /// `forward only`: whether the build is older than what the stage runs; `None` when not known.
    pub older: Option<bool>,
    /// Whether another build is being deployed to the stage: its id.
    pub deploying: Option<Option<String>>,
    /// The build's id.
    pub build: String,
    /// The build's digest.
    pub digest: Option<String>,
    pub warnings: Vec<String>,
    pub ignored_facts: Vec<String>,
}

impl std::fmt::Debug for Slots {
    /// Without the values: some may be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Slots");
        shown.field("stage", &self.stage).field("now", &self.now).field("build", &self.build).finish_non_exhaustive()
    }
}

impl Slots {
    /// Of a request that gives nothing.
    pub fn nothing() -> Slots {
        Slots {
            stage: StageId(0),
            now: 0,
            values: Vec::new(),
            strangers: Vec::new(),
            author: None,
            contributors: Vec::new(),
            requester: None,
            said: Vec::new(),
            others: Vec::new(),
            invoked: Vec::new(),
            directories: Vec::new(),
            runs: Vec::new(),
            trigger: TriggerSlot::Unknown,
            occupied: Occupied::Unknown,
            older: None,
            deploying: None,
            build: String::new(),
            digest: None,
            warnings: Vec::new(),
            ignored_facts: Vec::new(),
        }
    }

    /// The newest run in a stage that began or ended by `t`, and when the next one comes.
    pub fn newest(&self, stage: StageId, t: i64) -> (Option<RunAt>, i64) {
        let runs = self.runs.get(stage.0 as usize).map(Vec::as_slice).unwrap_or_default();
        let past = runs.partition_point(|run| run.at <= t);
        let next = runs.get(past).map_or(i64::MAX, |run| run.at);
        (past.checked_sub(1).and_then(|i| runs.get(i)).copied(), next)
    }

    /// When the stage last ended by `t`, whatever began since, and when its next run comes.
    pub fn last_end(&self, stage: StageId, t: i64) -> (Option<i64>, i64) {
        let runs = self.runs.get(stage.0 as usize).map(Vec::as_slice).unwrap_or_default();
        let (past, later) = runs.split_at(runs.partition_point(|run| run.at <= t));
        let ended = past.iter().rev().find(|run| run.status != RunStatus::Pending);
        (ended.map(|run| run.at), later.first().map_or(i64::MAX, |run| run.at))
    }

    /// The members of a directory group, if they were supplied; sorted.
    pub fn directory(&self, group: GroupId) -> Option<&[Person]> {
        self.directories.get(group.0 as usize)?.as_deref()
    }
}
