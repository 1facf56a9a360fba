//! Requests in Rust: say what is known, leave out what is not.

use chrono::{DateTime, TimeZone, Utc};
use std::collections::BTreeMap;

use super::request::{
    Action, Approval, Build, Current, Deploying, Invocation, Occupant, Request, Run, RunStatus, TriggerFact, Value,
    Word,
};
use super::time::utc;

impl Request {
    /// A request to enter `stage`. Give it a [`build`](Request::build) and the instant to decide for
    /// ([`at`](Request::at)); whatever else is left out is not known, and nothing is allowed by what is not known.
    ///
    /// ```
    /// use chrono::{TimeZone, Utc};
    /// use stagegate::{Build, Request};
    /// let now = Utc.with_ymd_and_hms(2026, 3, 4, 18, 0, 0).unwrap();
    /// let request = Request::to("Staging")
    ///     .build(Build::new("2026.3.1").branch("release").author("mara"))
    ///     .at(now)
    ///     .manual("tim")
    ///     .succeeded("Dev", now - chrono::TimeDelta::hours(25))
    ///     .approved("amita", now - chrono::TimeDelta::hours(1))
    ///     .fact("coverage", 91)
    ///     .fact("checks", [("unit", "passed"), ("lint", "passed")]);
    /// assert_eq!(Request::from_json(request.to_json().as_bytes()), Ok(request));
    /// ```
    pub fn to(stage: impl Into<String>) -> Request {
        Request {
            stage: stage.into(),
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
            groups: BTreeMap::new(),
            facts: BTreeMap::new(),
        }
    }

    /// The build that wants to enter.
    #[must_use]
    pub fn build(mut self, build: Build) -> Request {
        self.build = build;
        self
    }

    /// The instant to decide for.
    #[must_use]
    pub fn at<Z: TimeZone>(mut self, now: DateTime<Z>) -> Request {
        self.now = Some(utc(now));
        self
    }

    /// What set the promotion off; the shorter ways to say it follow.
    #[must_use]
    pub fn trigger(mut self, trigger: TriggerFact) -> Request {
        self.trigger = Some(trigger);
        self
    }

    /// A push to a branch set it off.
    #[must_use]
    pub fn push(self, branch: impl Into<String>) -> Request {
        self.trigger(TriggerFact::Push { branch: Some(branch.into()) })
    }

    /// A pull request to a branch set it off.
    #[must_use]
    pub fn pull_request(self, branch: impl Into<String>) -> Request {
        self.trigger(TriggerFact::PullRequest { branch: Some(branch.into()) })
    }

    /// A person set it off.
    #[must_use]
    pub fn manual(self, by: impl Into<String>) -> Request {
        self.trigger(TriggerFact::Manual { by: Some(by.into()) })
    }

    /// The schedule set it off; at which firing is not said.
    #[must_use]
    pub fn scheduled(self) -> Request {
        self.trigger(TriggerFact::Schedule { at: None })
    }

    /// This firing of the schedule set it off.
    #[must_use]
    pub fn scheduled_at<Z: TimeZone>(self, at: DateTime<Z>) -> Request {
        self.trigger(TriggerFact::Schedule { at: Some(utc(at)) })
    }

    /// The end of another stage set it off.
    #[must_use]
    pub fn completion_of(self, stage: impl Into<String>) -> Request {
        self.trigger(TriggerFact::Completion { of: Some(stage.into()) })
    }

    /// An event of another system set it off.
    #[must_use]
    pub fn event(self, name: impl Into<String>) -> Request {
        self.trigger(TriggerFact::Event { name: Some(name.into()) })
    }

    /// What is to be done; left out, it is to promote.
    #[must_use]
    pub fn action(mut self, action: Action) -> Request {
        self.action = Some(action);
        self
    }

    /// Who asks; left out, it is the person of a manual trigger.
    #[must_use]
    pub fn requester(mut self, person: impl Into<String>) -> Request {
        self.requester = Some(person.into());
        self
    }

    /// A run in a stage.
    #[must_use]
    pub fn run(mut self, run: Run) -> Request {
        self.history.push(run);
        self
    }

    /// This build succeeded in a stage.
    #[must_use]
    pub fn succeeded<Z: TimeZone>(self, stage: impl Into<String>, at: DateTime<Z>) -> Request {
        self.run(Run::new(stage, RunStatus::Succeeded, at))
    }

    /// This build failed in a stage.
    #[must_use]
    pub fn failed<Z: TimeZone>(self, stage: impl Into<String>, at: DateTime<Z>) -> Request {
        self.run(Run::new(stage, RunStatus::Failed, at))
    }

    /// A stage was skipped for this build.
    #[must_use]
    pub fn skipped<Z: TimeZone>(self, stage: impl Into<String>, at: DateTime<Z>) -> Request {
        self.run(Run::new(stage, RunStatus::Skipped, at))
    }

    /// This build was stopped in a stage.
    #[must_use]
    pub fn cancelled<Z: TimeZone>(self, stage: impl Into<String>, at: DateTime<Z>) -> Request {
        self.run(Run::new(stage, RunStatus::Cancelled, at))
    }

    /// This build has been running in a stage since `at`.
    #[must_use]
    pub fn pending<Z: TimeZone>(self, stage: impl Into<String>, at: DateTime<Z>) -> Request {
        self.run(Run::new(stage, RunStatus::Pending, at))
    }

    /// What an approver said.
    #[must_use]
    pub fn approval(mut self, approval: Approval) -> Request {
        self.approvals.push(approval);
        self
    }

    /// Someone approved this build for this stage.
    #[must_use]
    pub fn approved<Z: TimeZone>(self, by: impl Into<String>, at: DateTime<Z>) -> Request {
        self.approval(Approval::new(by, Word::Approve, at))
    }

    /// Someone rejected this build for this stage.
    #[must_use]
    pub fn rejected<Z: TimeZone>(self, by: impl Into<String>, at: DateTime<Z>) -> Request {
        self.approval(Approval::new(by, Word::Reject, at))
    }

    /// Someone took back what they said before.
    #[must_use]
    pub fn withdrew<Z: TimeZone>(self, by: impl Into<String>, at: DateTime<Z>) -> Request {
        self.approval(Approval::new(by, Word::Withdraw, at))
    }

    /// Someone invokes an override.
    #[must_use]
    pub fn invocation(mut self, invocation: Invocation) -> Request {
        self.overrides.push(invocation);
        self
    }

    /// Someone invokes an override for this build and stage, and says why.
    #[must_use]
    pub fn override_invoked<Z: TimeZone>(
        self,
        name: impl Into<String>,
        by: impl Into<String>,
        at: DateTime<Z>,
        reason: impl Into<String>,
    ) -> Request {
        self.invocation(Invocation::new(name, by, at).reason(reason))
    }

    /// The members that a group `from directory` has now.
    #[must_use]
    pub fn group<P: Into<String>>(mut self, name: impl Into<String>, members: impl IntoIterator<Item = P>) -> Request {
        self.groups.insert(name.into(), members.into_iter().map(Into::into).collect());
        self
    }

    /// A fact that the policy declares. A second value for the same fact replaces the first.
    ///
    /// Takes bools, numbers, text, chrono's times, lists, maps (lists of pairs are maps), and options (`None` is
    /// `null`). Durations are text as in the policy, `"1h30m"`. A number that is not finite makes the request
    /// undecidable.
    ///
    /// ```
    /// use stagegate::{Request, Value};
    /// let request = Request::to("Staging").fact("labels", ["a", "b"]).fact("checks", [("a", "b")]);
    /// assert!(matches!(request.facts["labels"], Value::List(_)));
    /// assert!(matches!(request.facts["checks"], Value::Map(_)));
    /// ```
    #[must_use]
    pub fn fact(mut self, name: impl Into<String>, value: impl Into<Value>) -> Request {
        self.facts.insert(name.into(), value.into());
        self
    }

    /// The build that the stage runs now.
    #[must_use]
    pub fn current(mut self, occupant: Occupant) -> Request {
        self.current = Current::Build(Box::new(occupant));
        self
    }

    /// The stage runs nothing now.
    #[must_use]
    pub fn current_nothing(mut self) -> Request {
        self.current = Current::Nothing;
        self
    }

    /// The build with this id is being deployed to the stage at this moment.
    #[must_use]
    pub fn deploying(mut self, id: impl Into<String>) -> Request {
        self.deploying = Deploying::Build(id.into());
        self
    }

    /// Nothing is being deployed to the stage at this moment.
    #[must_use]
    pub fn deploying_nothing(mut self) -> Request {
        self.deploying = Deploying::Nothing;
        self
    }
}

/// Setters of optional texts.
macro_rules! texts {
    ($ty:ty: $($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name(mut self, $name: impl Into<String>) -> $ty {
            self.$name = Some($name.into());
            self
        }
    )*};
}

impl Build {
    /// A build of which nothing but the id is known.
    pub fn new(id: impl Into<String>) -> Build {
        Build { id: id.into(), ..Build::default() }
    }

    texts! { Build:
        /// The digest of its artifact, such as `sha256:…`.
        digest,
        /// Its version (semantic versioning).
        version,
        /// The branch it was built from.
        branch,
        /// The commit it was built from.
        commit,
        /// Who wrote the change.
        author,
    }

    /// Everyone who contributed to the change.
    #[must_use]
    pub fn contributors<P: Into<String>>(mut self, people: impl IntoIterator<Item = P>) -> Build {
        self.contributors = Some(people.into_iter().map(Into::into).collect());
        self
    }

    /// Labels of the change. A change that is known to have none has `.labels([""; 0])`.
    #[must_use]
    pub fn labels<L: Into<String>>(mut self, labels: impl IntoIterator<Item = L>) -> Build {
        self.labels = Some(labels.into_iter().map(Into::into).collect());
        self
    }

    /// When it was built.
    #[must_use]
    pub fn created<Z: TimeZone>(mut self, created: DateTime<Z>) -> Build {
        self.created = Some(utc(created));
        self
    }
}

impl Occupant {
    /// A build of which nothing but the id is known.
    pub fn new(id: impl Into<String>) -> Occupant {
        Occupant { id: Some(id.into()), ..Occupant::default() }
    }

    texts! { Occupant:
        /// Its digest.
        digest,
        /// Its version (semantic versioning).
        version,
    }

    /// When it was built.
    #[must_use]
    pub fn created<Z: TimeZone>(mut self, created: DateTime<Z>) -> Occupant {
        self.created = Some(utc(created));
        self
    }

    /// Since when it occupies the stage.
    #[must_use]
    pub fn at<Z: TimeZone>(mut self, at: DateTime<Z>) -> Occupant {
        self.at = Some(utc(at));
        self
    }
}

impl Run {
    /// A run of the request's own build.
    pub fn new<Z: TimeZone>(stage: impl Into<String>, status: RunStatus, at: DateTime<Z>) -> Run {
        Run { stage: stage.into(), status, at: utc(at), digest: None, build: None }
    }

    texts! { Run:
        /// The digest of what was deployed.
        digest,
        /// The build, when it is not the request's own.
        build,
    }
}

impl Approval {
    /// A word about the request's own build and stage.
    pub fn new<Z: TimeZone>(by: impl Into<String>, decision: Word, at: DateTime<Z>) -> Approval {
        Approval { by: by.into(), decision, at: utc(at), stage: None, build: None, digest: None, comment: None }
    }

    texts! { Approval:
        /// For which stage, when it is not the request's.
        stage,
        /// For which build, when it is not the request's.
        build,
        /// For which digest.
        digest,
        /// What else they said.
        comment,
    }
}

impl Invocation {
    /// An invocation for the request's own build and stage.
    pub fn new<Z: TimeZone>(name: impl Into<String>, by: impl Into<String>, at: DateTime<Z>) -> Invocation {
        let at: DateTime<Utc> = utc(at);
        Invocation { name: name.into(), by: by.into(), at, reason: None, stage: None, build: None, digest: None }
    }

    texts! { Invocation:
        /// Why.
        reason,
        /// For which stage, when it is not the request's.
        stage,
        /// For which build, when it is not the request's.
        build,
        /// For which digest.
        digest,
    }
}
