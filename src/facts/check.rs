//! What must hold of every request, however it was made.

use chrono::{DateTime, Utc};

use super::error::{ProblemKind, RequestError, RequestProblem};
use super::path::Path;
use super::request::{Build, Current, Deploying, Request, TriggerFact, Value};
use super::time;
use crate::Limits;

/// So many problems are enough for one reading.
pub(crate) const MAX_PROBLEMS: usize = 32;

impl Request {
    /// What [`Request::from_json_with`] ensures of a request that it returns, for one that was built in Rust: no empty
    /// stage, id, digest or person; instants in the years 1970 to 2200; finite numbers; no more than the limits allow.
    pub fn check(&self, limits: &Limits) -> Result<(), RequestError> {
        let mut checker = Checker { limits, entries: 0, problems: Vec::new() };
        checker.request(self);
        RequestError::from_problems(checker.problems).map_or(Ok(()), Err)
    }
}

struct Checker<'l> {
    limits: &'l Limits,
    entries: usize,
    problems: Vec<RequestProblem>,
}

impl Checker<'_> {
    fn note(&mut self, problem: RequestProblem) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }

    fn request(&mut self, request: &Request) {
        let root = Path::Root;
        self.name(root.field("stage"), &request.stage);
        self.time(root.field("now"), request.now);
        self.trigger(root.field("trigger"), request.trigger.as_ref());
        self.maybe_name(root.field("requester"), request.requester.as_ref());
        self.build(root.field("build"), &request.build);
        let current = root.field("current");
        if let Current::Build(occupant) = &request.current {
            self.maybe_name(current.field("id"), occupant.id.as_ref());
            self.maybe_name(current.field("digest"), occupant.digest.as_ref());
            self.time(current.field("created"), occupant.created);
            self.time(current.field("at"), occupant.at);
        }
        if let Deploying::Build(id) = &request.deploying {
            self.name(current.field("deploying"), id);
        }
        self.history(root.field("history"), request);
        self.approvals(root.field("approvals"), request);
        self.overrides(root.field("overrides"), request);
        let groups = root.field("groups");
        for (name, members) in &request.groups {
            self.count(1);
            self.people(groups.field(name), members);
        }
        let facts = root.field("facts");
        for (name, value) in &request.facts {
            self.count(1);
            self.value(facts.field(name), value, 0);
        }
        if self.entries > self.limits.request_entries {
            self.note(too_many(self.limits));
        }
    }

    fn trigger(&mut self, path: Path<'_>, trigger: Option<&TriggerFact>) {
        match trigger {
            Some(TriggerFact::Manual { by }) => self.maybe_name(path.field("by"), by.as_ref()),
            Some(TriggerFact::Completion { of }) => self.maybe_name(path.field("of"), of.as_ref()),
            Some(TriggerFact::Event { name }) => self.maybe_name(path.field("name"), name.as_ref()),
            Some(TriggerFact::Schedule { at }) => self.time(path.field("at"), *at),
            Some(TriggerFact::Push { .. } | TriggerFact::PullRequest { .. }) | None => {}
        }
    }

    fn build(&mut self, path: Path<'_>, build: &Build) {
        self.name(path.field("id"), &build.id);
        self.maybe_name(path.field("digest"), build.digest.as_ref());
        self.maybe_name(path.field("author"), build.author.as_ref());
        self.people(path.field("contributors"), build.contributors.as_deref().unwrap_or_default());
        self.count(build.labels.as_ref().map_or(0, Vec::len));
        self.time(path.field("created"), build.created);
    }

    fn history(&mut self, path: Path<'_>, request: &Request) {
        self.count(request.history.len());
        for (index, run) in request.history.iter().enumerate() {
            let path = path.index(index);
            self.name(path.field("stage"), &run.stage);
            self.time(path.field("at"), Some(run.at));
            self.maybe_name(path.field("digest"), run.digest.as_ref());
            self.maybe_name(path.field("build"), run.build.as_ref());
        }
    }

    fn approvals(&mut self, path: Path<'_>, request: &Request) {
        self.count(request.approvals.len());
        for (index, approval) in request.approvals.iter().enumerate() {
            let path = path.index(index);
            self.name(path.field("by"), &approval.by);
            self.time(path.field("at"), Some(approval.at));
            self.scope(path, [&approval.stage, &approval.build, &approval.digest]);
        }
    }

    fn overrides(&mut self, path: Path<'_>, request: &Request) {
        self.count(request.overrides.len());
        for (index, invocation) in request.overrides.iter().enumerate() {
            let path = path.index(index);
            self.name(path.field("name"), &invocation.name);
            self.name(path.field("by"), &invocation.by);
            self.time(path.field("at"), Some(invocation.at));
            self.scope(path, [&invocation.stage, &invocation.build, &invocation.digest]);
        }
    }

    fn scope(&mut self, path: Path<'_>, [stage, build, digest]: [&Option<String>; 3]) {
        self.maybe_name(path.field("stage"), stage.as_ref());
        self.maybe_name(path.field("build"), build.as_ref());
        self.maybe_name(path.field("digest"), digest.as_ref());
    }

    fn people(&mut self, path: Path<'_>, people: &[String]) {
        self.count(people.len());
        for (index, person) in people.iter().enumerate() {
            self.name(path.index(index), person);
        }
    }

    fn value(&mut self, path: Path<'_>, value: &Value, depth: usize) {
        if matches!(value, Value::List(_) | Value::Map(_)) && depth >= self.limits.request_depth {
            return self.note(too_deep(path, self.limits));
        }
        match value {
            Value::Null | Value::Bool(_) | Value::String(_) => {}
            Value::Number(number) if number.is_finite() => {}
            Value::Number(number) => {
                let got = number.to_string();
                self.note(RequestProblem::expected(ProblemKind::OutOfRange, path.to_string(), "a finite number", got));
            }
            Value::Time(at) => self.time(path, Some(*at)),
            Value::List(values) => {
                self.count(values.len());
                for (index, value) in values.iter().enumerate() {
                    self.value(path.index(index), value, depth + 1);
                }
            }
            Value::Map(values) => {
                self.count(values.len());
                for (key, value) in values {
                    self.value(path.field(key), value, depth + 1);
                }
            }
        }
    }

    fn count(&mut self, entries: usize) {
        self.entries = self.entries.saturating_add(entries);
    }

    fn name(&mut self, path: Path<'_>, name: &str) {
        if name.is_empty() {
            self.note(RequestProblem::new(ProblemKind::Empty, path.to_string(), "is empty"));
        }
    }

    fn maybe_name(&mut self, path: Path<'_>, name: Option<&String>) {
        if name.is_some_and(String::is_empty) {
            let problem = RequestProblem::new(ProblemKind::Empty, path.to_string(), "is empty");
            self.note(problem.help("leave it out when it is not known"));
        }
    }

    fn time(&mut self, path: Path<'_>, at: Option<DateTime<Utc>>) {
        if let Some(at) = at.filter(|at| !time::in_range(*at)) {
            self.note(time::out_of_range(path.to_string(), &time::text(at)));
        }
    }
}

/// A request with more entries than the limits allow.
pub(crate) fn too_many(limits: &Limits) -> RequestProblem {
    let message =
        format!("more than {} entries of history, approvals, overrides, groups and facts", limits.request_entries);
    RequestProblem::new(ProblemKind::Limit, "", message)
}

/// A fact whose lists and maps are nested deeper than the limits allow.
pub(crate) fn too_deep(path: Path<'_>, limits: &Limits) -> RequestProblem {
    let message = format!("lists and maps are nested deeper than {}", limits.request_depth);
    RequestProblem::new(ProblemKind::Limit, path.to_string(), message)
}
