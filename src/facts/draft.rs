//! A request whose texts are those of another one, or of the JSON that it stands in: nothing of it is copied until it is
//! known what of it is asked for. Everything in it has been checked.

use std::collections::BTreeMap;

use super::prepare::{instant, nanos};
use super::request::{self, Action, Request, RunStatus, TriggerFact, Value, Word};
use super::slots::SlotValue;

/// See [`Request`].
pub(crate) struct Draft<'a> {
    pub stage: &'a str,
    /// Here and elsewhere in nanoseconds since the epoch.
    pub now: Option<i64>,
    pub trigger: Option<Trigger<'a>>,
    pub action: Option<Action>,
    pub requester: Option<&'a str>,
    pub build: Build<'a>,
    pub current: Current<'a>,
    pub deploying: Deploying<'a>,
    pub history: Vec<Run<'a>>,
    pub approvals: Vec<Approval<'a>>,
    pub overrides: Vec<Invocation<'a>>,
    /// Each once, in the order of their names.
    pub groups: Vec<(&'a str, Vec<&'a str>)>,
    pub facts: Facts<'a>,
}

/// The facts of a request.
pub(crate) enum Facts<'a> {
    /// As they are given.
    Given(&'a BTreeMap<String, Value>),
    Made(BTreeMap<String, Value>),
    /// As a policy declares them, by their numbers in it, and the names of those that it does not declare, in order.
    Declared(Vec<SlotValue>, Vec<&'a str>),
}

#[derive(Clone, Copy)]
pub(crate) enum Trigger<'a> {
    Push(Option<&'a str>),
    PullRequest(Option<&'a str>),
    Manual(Option<&'a str>),
    Completion(Option<&'a str>),
    Event(Option<&'a str>),
    Schedule(Option<i64>),
}

#[derive(Default)]
pub(crate) struct Build<'a> {
    pub id: &'a str,
    pub digest: Option<&'a str>,
    pub version: Option<&'a str>,
    pub branch: Option<&'a str>,
    pub commit: Option<&'a str>,
    pub author: Option<&'a str>,
    pub contributors: Option<Vec<&'a str>>,
    pub labels: Option<Vec<&'a str>>,
    pub created: Option<i64>,
}

#[derive(Clone, Copy)]
pub(crate) enum Current<'a> {
    Unknown,
    Nothing,
    Build(Occupant<'a>),
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Occupant<'a> {
    pub id: Option<&'a str>,
    pub digest: Option<&'a str>,
    pub version: Option<&'a str>,
    pub created: Option<i64>,
    pub at: Option<i64>,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Deploying<'a> {
    Unknown,
    Nothing,
    Build(&'a str),
}

#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    pub stage: &'a str,
    pub status: RunStatus,
    pub at: i64,
    pub digest: Option<&'a str>,
    pub build: Option<&'a str>,
}

#[derive(Clone, Copy)]
pub(crate) struct Approval<'a> {
    pub by: &'a str,
    pub decision: Word,
    pub at: i64,
    pub about: About<'a>,
    pub comment: Option<&'a str>,
}

#[derive(Clone, Copy)]
pub(crate) struct Invocation<'a> {
    pub name: &'a str,
    pub by: &'a str,
    pub at: i64,
    pub reason: Option<&'a str>,
    pub about: About<'a>,
}

/// What something was said about; what is not given is the request's own.
#[derive(Clone, Copy, Default)]
pub(crate) struct About<'a> {
    pub stage: Option<&'a str>,
    pub build: Option<&'a str>,
    pub digest: Option<&'a str>,
}

impl<'a> Draft<'a> {
    /// One that gives nothing but facts.
    pub fn blank(facts: Facts<'a>) -> Draft<'a> {
        Draft {
            stage: "",
            now: None,
            trigger: None,
            action: None,
            requester: None,
            build: Build::default(),
            current: Current::Unknown,
            deploying: Deploying::Unknown,
            history: Vec::new(),
            approvals: Vec::new(),
            overrides: Vec::new(),
            groups: Vec::new(),
            facts,
        }
    }

    /// Of a request that has been checked.
    pub fn of(request: &'a Request) -> Draft<'a> {
        let groups = request.groups.iter();
        Draft {
            stage: &request.stage,
            now: request.now.map(nanos),
            trigger: request.trigger.as_ref().map(Trigger::of),
            action: request.action,
            requester: request.requester.as_deref(),
            build: Build::of(&request.build),
            current: match &request.current {
                request::Current::Unknown => Current::Unknown,
                request::Current::Nothing => Current::Nothing,
                request::Current::Build(occupant) => Current::Build(Occupant::of(occupant)),
            },
            deploying: match &request.deploying {
                request::Deploying::Unknown => Deploying::Unknown,
                request::Deploying::Nothing => Deploying::Nothing,
                request::Deploying::Build(id) => Deploying::Build(id),
            },
            history: request.history.iter().map(Run::of).collect(),
            approvals: request.approvals.iter().map(Approval::of).collect(),
            overrides: request.overrides.iter().map(Invocation::of).collect(),
            groups: groups.map(|(name, members)| (name.as_str(), texts(members))).collect(),
            facts: Facts::Given(&request.facts),
        }
    }

    /// The same with texts of its own.
    pub fn request(self) -> Request {
        let mut request = Request::to(self.stage);
        request.now = self.now.map(instant);
        request.trigger = self.trigger.map(Trigger::owned);
        request.action = self.action;
        request.requester = owned(self.requester);
        request.build = self.build.owned();
        request.current = match self.current {
            Current::Unknown => request::Current::Unknown,
            Current::Nothing => request::Current::Nothing,
            Current::Build(occupant) => request::Current::Build(Box::new(occupant.owned())),
        };
        request.deploying = match self.deploying {
            Deploying::Unknown => request::Deploying::Unknown,
            Deploying::Nothing => request::Deploying::Nothing,
            Deploying::Build(id) => request::Deploying::Build(id.to_owned()),
        };
        request.history = self.history.into_iter().map(Run::owned).collect();
        request.approvals = self.approvals.into_iter().map(Approval::owned).collect();
        request.overrides = self.overrides.into_iter().map(Invocation::owned).collect();
        request.groups = self.groups.into_iter().map(|(name, members)| (name.to_owned(), all_owned(members))).collect();
        request.facts = match self.facts {
            Facts::Given(facts) => facts.clone(),
            Facts::Made(facts) => facts,
            // Slots are no values: whoever reads for a policy asks for slots.
            Facts::Declared(..) => BTreeMap::new(),
        };
        request
    }
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

fn texts(list: &[String]) -> Vec<&str> {
    list.iter().map(String::as_str).collect()
}

fn all_owned(list: Vec<&str>) -> Vec<String> {
    list.into_iter().map(str::to_owned).collect()
}

impl<'a> Trigger<'a> {
    fn of(fact: &'a TriggerFact) -> Trigger<'a> {
        match fact {
            TriggerFact::Push { branch } => Trigger::Push(branch.as_deref()),
            TriggerFact::PullRequest { branch } => Trigger::PullRequest(branch.as_deref()),
            TriggerFact::Manual { by } => Trigger::Manual(by.as_deref()),
            TriggerFact::Completion { of } => Trigger::Completion(of.as_deref()),
            TriggerFact::Event { name } => Trigger::Event(name.as_deref()),
            TriggerFact::Schedule { at } => Trigger::Schedule(at.map(nanos)),
        }
    }

    fn owned(self) -> TriggerFact {
        match self {
            Trigger::Push(branch) => TriggerFact::Push { branch: owned(branch) },
            Trigger::PullRequest(branch) => TriggerFact::PullRequest { branch: owned(branch) },
            Trigger::Manual(by) => TriggerFact::Manual { by: owned(by) },
            Trigger::Completion(of) => TriggerFact::Completion { of: owned(of) },
            Trigger::Event(name) => TriggerFact::Event { name: owned(name) },
            Trigger::Schedule(at) => TriggerFact::Schedule { at: at.map(instant) },
        }
    }
}

impl<'a> Build<'a> {
    fn of(build: &'a request::Build) -> Build<'a> {
        Build {
            id: &build.id,
            digest: build.digest.as_deref(),
            version: build.version.as_deref(),
            branch: build.branch.as_deref(),
            commit: build.commit.as_deref(),
            author: build.author.as_deref(),
            contributors: build.contributors.as_deref().map(texts),
            labels: build.labels.as_deref().map(texts),
            created: build.created.map(nanos),
        }
    }

    fn owned(self) -> request::Build {
        request::Build {
            id: self.id.to_owned(),
            digest: owned(self.digest),
            version: owned(self.version),
            branch: owned(self.branch),
            commit: owned(self.commit),
            author: owned(self.author),
            contributors: self.contributors.map(all_owned),
            labels: self.labels.map(all_owned),
            created: self.created.map(instant),
        }
    }
}

impl<'a> Occupant<'a> {
    fn of(occupant: &'a request::Occupant) -> Occupant<'a> {
        Occupant {
            id: occupant.id.as_deref(),
            digest: occupant.digest.as_deref(),
            version: occupant.version.as_deref(),
            created: occupant.created.map(nanos),
            at: occupant.at.map(nanos),
        }
    }

    fn owned(self) -> request::Occupant {
        request::Occupant {
            id: owned(self.id),
            digest: owned(self.digest),
            version: owned(self.version),
            created: self.created.map(instant),
            at: self.at.map(instant),
        }
    }
}

impl<'a> Run<'a> {
    fn of(run: &'a request::Run) -> Run<'a> {
        Run {
            stage: &run.stage,
            status: run.status,
            at: nanos(run.at),
            digest: run.digest.as_deref(),
            build: run.build.as_deref(),
        }
    }

    fn owned(self) -> request::Run {
        let run = request::Run::new(self.stage, self.status, instant(self.at));
        request::Run { digest: owned(self.digest), build: owned(self.build), ..run }
    }
}

impl<'a> Approval<'a> {
    fn of(approval: &'a request::Approval) -> Approval<'a> {
        Approval {
            by: &approval.by,
            decision: approval.decision,
            at: nanos(approval.at),
            about: About::of_approval(approval),
            comment: approval.comment.as_deref(),
        }
    }

    fn owned(self) -> request::Approval {
        request::Approval {
            by: self.by.to_owned(),
            decision: self.decision,
            at: instant(self.at),
            stage: owned(self.about.stage),
            build: owned(self.about.build),
            digest: owned(self.about.digest),
            comment: owned(self.comment),
        }
    }
}

impl<'a> Invocation<'a> {
    fn of(invocation: &'a request::Invocation) -> Invocation<'a> {
        let request::Invocation { stage, build, digest, .. } = invocation;
        Invocation {
            name: &invocation.name,
            by: &invocation.by,
            at: nanos(invocation.at),
            reason: invocation.reason.as_deref(),
            about: About { stage: stage.as_deref(), build: build.as_deref(), digest: digest.as_deref() },
        }
    }

    fn owned(self) -> request::Invocation {
        request::Invocation {
            name: self.name.to_owned(),
            by: self.by.to_owned(),
            at: instant(self.at),
            reason: owned(self.reason),
            stage: owned(self.about.stage),
            build: owned(self.about.build),
            digest: owned(self.about.digest),
        }
    }
}

impl<'a> About<'a> {
    pub fn of_approval(approval: &'a request::Approval) -> About<'a> {
        let request::Approval { stage, build, digest, .. } = approval;
        About { stage: stage.as_deref(), build: build.as_deref(), digest: digest.as_deref() }
    }
}
