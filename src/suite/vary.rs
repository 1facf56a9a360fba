//! Requests near the edges of a policy: one change of a request for each side of each edge that a rule of its stage has.
//!
//! Three readers: the boundary cases, the search for a request that tells a mutant from the policy, and the search for a
//! request that a stage lets in.

mod facts;
mod people;
mod times;
pub(crate) use facts::duration;
pub(crate) use times::edges;

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};

use crate::decide::snapshot::{Case, Fuel, Raw, Snapshot};
use crate::decide::truth::Truth;
use crate::facts::{Build, Occupant, Request, Run, RunStatus, Value};
use crate::policy::Policy;
use crate::program::{Body, Kind, Op, OpId, Program, Stage};

/// A request that differs from another in one thing.
#[derive(Clone, Debug)]
pub(crate) struct Variation {
    /// What it is about, such as `coverage`, and what was done, such as `80`: for the name of a test.
    pub what: String,
    /// Rules of the stage that it is near an edge of; empty when that is not known.
    pub rule: Option<String>,
    pub request: Request,
}

/// Collects variations of one request.
struct Varying<'a> {
    policy: &'a Policy,
    program: &'a Program,
    stage: &'a Stage,
    base: &'a Request,
    now: DateTime<Utc>,
    out: Vec<Variation>,
    /// The rule that is being looked at.
    rule: Option<String>,
}

impl Varying<'_> {
    fn push(&mut self, what: impl Into<String>, request: Request) {
        if request != *self.base {
            self.out.push(Variation { what: what.into(), rule: self.rule.clone(), request });
        }
    }

    fn with(&mut self, what: impl Into<String>, change: impl FnOnce(&mut Request)) {
        let mut request = self.base.clone();
        change(&mut request);
        self.push(what, request);
    }
}

/// Every change of one thing that brings a request near an edge of its stage.
pub(crate) fn variations(policy: &Policy, base: &Request) -> Vec<Variation> {
    let program = &policy.inner.program;
    let (Some(stage), Some(now)) = (program.stages.iter().find(|s| s.name == base.stage), base.now) else {
        return Vec::new();
    };
    let mut varying = Varying { policy, program, stage, base, now, out: Vec::new(), rule: None };
    varying.conditions();
    varying.rules();
    varying.overrides();
    varying.times();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    varying.out.retain(|v| seen.insert(v.request.to_json()));
    varying.out
}

impl Varying<'_> {
    /// Everything but conditions, overrides and times.
    fn rules(&mut self) {
        let stage = self.stage;
        let mut about_current = false;
        for rule in &stage.rules {
            self.rule = Some(rule.name.clone());
            match &rule.body {
                Body::Approve(approve) => self.approvals(approve),
                Body::Trigger(trigger) => {
                    self.triggers(trigger);
                    about_current |= matches!(trigger, crate::program::Trigger::Schedule(s) if s.if_changed);
                }
                Body::After(clauses) => {
                    for branch in clauses.iter().flat_map(|clause| &clause.stages) {
                        self.runs(branch.stage);
                    }
                }
                Body::Soak(clauses) => {
                    for clause in clauses {
                        for branch in &clause.after.stages {
                            self.soaks(branch.stage, clause.length);
                        }
                    }
                }
                Body::Exclusive | Body::ForwardOnly => about_current = true,
                _ => {}
            }
        }
        self.rule = None;
        if about_current {
            self.current();
        }
    }

    fn stage_name(&self, id: crate::program::StageId) -> String {
        self.program.stages.get(id.0 as usize).map_or(String::new(), |s| s.name.clone())
    }

    /// The build's newest run in a stage, as it might have ended.
    fn runs(&mut self, stage: crate::program::StageId) {
        let stage = self.stage_name(stage);
        let at = newest(self.base, &stage).map_or(self.now - TimeDelta::days(1), |run| run.at);
        self.with(format!("{stage} has not run"), |r| r.history.retain(|run| run.stage != stage));
        for (status, words) in [
            (RunStatus::Succeeded, "succeeded"),
            (RunStatus::Failed, "failed"),
            (RunStatus::Skipped, "was skipped"),
            (RunStatus::Cancelled, "was cancelled"),
            (RunStatus::Pending, "is running"),
        ] {
            self.with(format!("{stage} {words}"), |r| {
                r.history.retain(|run| run.stage != stage);
                r.history.push(Run::new(stage.as_str(), status, at));
            });
        }
    }

    fn soaks(&mut self, stage: crate::program::StageId, length: i64) {
        let stage = self.stage_name(stage);
        let length = TimeDelta::nanoseconds(length);
        let status = newest(self.base, &stage).map_or(RunStatus::Succeeded, |run| run.status);
        for (ago, words) in [
            (length, "has just soaked long enough"),
            (length - TimeDelta::seconds(1), "has soaked a second too short"),
            (length + TimeDelta::days(1), "has soaked a day longer than needed"),
            (length - TimeDelta::minutes(30), "has soaked half an hour too short"),
            (length + TimeDelta::minutes(30), "has soaked half an hour longer than needed"),
        ] {
            if ago < TimeDelta::zero() {
                continue;
            }
            let at = self.now - ago;
            self.with(format!("{stage} {words}"), |r| {
                r.history.retain(|run| run.stage != stage);
                r.history.push(Run::new(stage.as_str(), status, at));
            });
        }
    }

    /// What the stage runs now.
    fn current(&mut self) {
        let own = self.base.build.clone();
        let created = own.created.unwrap_or(self.now - TimeDelta::days(3));
        let at = self.now - TimeDelta::days(10);
        self.with("the stage is empty", |r| *r = std::mem::replace(r, Request::to("")).current_nothing());
        self.with("what the stage runs is not known", |r| r.current = crate::facts::Current::Unknown);
        let mut same = Occupant { id: Some(own.id.clone()), digest: own.digest.clone(), ..Occupant::default() };
        (same.version, same.created, same.at) = (own.version.clone(), Some(created), Some(at));
        self.with("the stage runs this build", |r| r.current = crate::facts::Current::Build(Box::new(same.clone())));
        for (id, days, version, words) in
            [("an-older-build", -5, "0.0.1", "an older build"), ("a-newer-build", 1, "99999.0.0", "a newer build")]
        {
            let other = Occupant {
                id: Some(id.into()),
                digest: own.digest.as_ref().map(|_| format!("sha256:{id}")),
                version: own.version.as_ref().map(|_| version.into()),
                created: Some(created + TimeDelta::days(days)),
                at: Some(at),
            };
            self.with(format!("the stage runs {words}"), |r| r.current = crate::facts::Current::Build(Box::new(other)));
        }
        self.with("nothing is being deployed", |r| r.deploying = crate::facts::Deploying::Nothing);
        self.with("another build is being deployed", |r| {
            r.deploying = crate::facts::Deploying::Build("another-build".into());
        });
        self.with("whether something is being deployed is not known", |r| {
            r.deploying = crate::facts::Deploying::Unknown;
        });
    }
}

/// The newest run of the request's own build in a stage.
fn newest<'a>(request: &'a Request, stage: &str) -> Option<&'a Run> {
    request.history.iter().filter(|run| run.stage == stage && run.build.is_none()).max_by_key(|run| run.at)
}

// ---------------------------------------------------------------- a request that is let in

/// A request to enter a stage that says something about everything, and may or may not be let in.
fn skeleton(policy: &Policy, stage: &str) -> Request {
    let program = &policy.inner.program;
    // A Wednesday at noon, which no change of clocks is near.
    let now =
        policy.zone().with_ymd_and_hms(2026, 3, 4, 12, 0, 0).earliest().map_or(DateTime::UNIX_EPOCH, |t| t.to_utc());
    let mut build = Build::new("1.4.0").branch("main").version("1.4.0").commit("5f2c91e").author("the-author");
    build = build.contributors(["the-author"]).labels([""; 0]).created(now - TimeDelta::days(30));
    let mut request = Request::to(stage).build(build).at(now).current_nothing().deploying_nothing();
    for (index, of) in program.stages.iter().enumerate() {
        if of.name != stage {
            let at = now - TimeDelta::days(20) + TimeDelta::hours(index as i64);
            request = request.succeeded(of.name.as_str(), at);
        }
    }
    for group in program.groups.iter().filter(|group| group.members.is_none()) {
        let members: Vec<String> = (1..=9).map(|n| format!("{}-{n}", group.name)).collect();
        request = request.group(group.name.as_str(), members);
    }
    for fact in &program.facts {
        if let Some(value) = facts::plain_value(&fact.ty, now) {
            request.facts.insert(fact.name.clone(), value);
        }
    }
    request
}

/// So many changes lead from the skeleton to a request that is let in, at most.
const MAX_CLIMB: usize = 60;

/// A request that a stage lets in, or the nearest to one that was found: each step is the change that leaves the least
/// in the way.
pub(crate) fn let_in(policy: &Policy, stage: &str) -> Option<Request> {
    let mut here = skeleton(policy, stage);
    let mut cost = cost(policy, &here)?;
    for _ in 0..MAX_CLIMB {
        if cost == 0 {
            break;
        }
        let mut best: Option<(u64, Request)> = None;
        for variation in variations(policy, &here) {
            let Some(cost) = self::cost(policy, &variation.request) else { continue };
            if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                best = Some((cost, variation.request));
            }
        }
        match best {
            Some((less, request)) if less < cost => (cost, here) = (less, request),
            _ => break,
        }
    }
    Some(tidy(policy, here))
}

/// Takes out what the verdict does not hang on, so that a person has less to read.
fn tidy(policy: &Policy, request: Request) -> Request {
    let Some(cost) = cost(policy, &request) else { return request };
    let mut here = request;
    let mut attempt = |change: &dyn Fn(&mut Request)| {
        let mut other = here.clone();
        change(&mut other);
        let same = policy
            .decide(&here)
            .ok()
            .zip(policy.decide(&other).ok())
            .is_some_and(|(a, b)| a.rules().iter().map(|r| r.status).eq(b.rules().iter().map(|r| r.status)));
        if same && self::cost(policy, &other) == Some(cost) {
            here = other;
        }
    };
    attempt(&|r| r.current = crate::facts::Current::Unknown);
    attempt(&|r| r.deploying = crate::facts::Deploying::Unknown);
    attempt(&|r| r.build.labels = None);
    attempt(&|r| r.build.commit = None);
    attempt(&|r| r.build.version = None);
    attempt(&|r| r.build.contributors = None);
    attempt(&|r| r.build.created = None);
    attempt(&|r| r.build.branch = None);
    attempt(&|r| r.build.author = None);
    for stage in policy.stages() {
        attempt(&|r| r.history.retain(|run| run.stage != stage));
    }
    for group in &policy.inner.program.groups {
        attempt(&|r| {
            r.groups.remove(&group.name);
        });
    }
    for fact in &policy.inner.program.facts {
        attempt(&|r| {
            r.facts.remove(&fact.name);
        });
    }
    here
}

/// How much stands in the way: 0 when the request is let in.
fn cost(policy: &Policy, request: &Request) -> Option<u64> {
    let prepared = policy.prepare(request).ok()?;
    let case = prepared.case()?;
    let mut fuel = Fuel::new(case.program.search_steps);
    let snapshot = case.at(case.slots.now, &mut fuel);
    let distances = distances(&case, &snapshot);
    let mut cost = 0;
    for (index, (rule, standing)) in case.stage.rules.iter().zip(&snapshot.rules).enumerate() {
        if rule.kind == Kind::Advise || !standing.raw.blocks() {
            continue;
        }
        let distance = |op: &OpId, wanted: bool| {
            let (to_true, to_false) = distances.get(op.0 as usize).copied().unwrap_or((1, 1));
            if wanted { to_true } else { to_false }
        };
        cost += 10
            + match &rule.body {
                Body::Require(op) => distance(op, true),
                Body::Forbid(op) => distance(op, false),
                Body::Approve(_) if standing.raw == Raw::Rejected => 50,
                Body::Approve(_) => {
                    let counted = snapshot.counted.get(index).and_then(Option::as_ref);
                    let short = counted.map_or(5, |c| c.needed.unwrap_or(9).saturating_sub(c.valid.len()));
                    short as u64 + counted.map_or(0, |c| c.unsure.len() as u64)
                }
                _ => 0,
            };
    }
    Some(cost)
}

/// How many tests are to change until an entry is true, and until it is false.
fn distances(case: &Case<'_>, snapshot: &Snapshot) -> Vec<(u64, u64)> {
    let mut out: Vec<(u64, u64)> = Vec::with_capacity(case.stage.ops.len());
    for (op, timed) in case.stage.ops.iter().zip(&snapshot.ops) {
        let get = |id: &OpId| out.get(id.0 as usize).copied().unwrap_or((1, 1));
        let args = |from: &u32, to: &u32| case.stage.args.get(*from as usize..*to as usize).unwrap_or_default().iter();
        const FAR: u64 = 1_000;
        out.push(match op {
            Op::Constant(true) => (0, FAR),
            Op::Constant(false) => (FAR, 0),
            Op::Test(_) => (u64::from(timed.truth != Truth::True), u64::from(timed.truth != Truth::False)),
            Op::Not(arg) => {
                let (to_true, to_false) = get(arg);
                (to_false, to_true)
            }
            Op::And(from, to) => {
                (args(from, to).map(|id| get(id).0).sum(), args(from, to).map(|id| get(id).1).min().unwrap_or(FAR))
            }
            Op::Or(from, to) => {
                (args(from, to).map(|id| get(id).0).min().unwrap_or(FAR), args(from, to).map(|id| get(id).1).sum())
            }
        });
    }
    out
}

/// Moves a request in time, with everything that has a time.
pub(crate) fn shifted(request: &Request, by: TimeDelta) -> Request {
    let mut request = request.clone();
    let moved = |at: DateTime<Utc>| at + by;
    request.now = request.now.map(moved);
    request.build.created = request.build.created.map(moved);
    if let crate::facts::Current::Build(occupant) = &mut request.current {
        occupant.created = occupant.created.map(moved);
        occupant.at = occupant.at.map(moved);
    }
    request.history.iter_mut().for_each(|run| run.at = moved(run.at));
    request.approvals.iter_mut().for_each(|approval| approval.at = moved(approval.at));
    request.overrides.iter_mut().for_each(|invoked| invoked.at = moved(invoked.at));
    for value in request.facts.values_mut() {
        if let Value::Time(at) = value {
            *at = moved(*at);
        }
    }
    request
}

/// Texts that may fit a glob or a regex, made from how it is written. Not all of them do.
pub(crate) fn samples(pattern: &str) -> Vec<String> {
    let mut out = Vec::new();
    for wild in ["x", "1", "a1", "feature"] {
        let mut text = String::new();
        let mut chars = pattern.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '*' => {
                    while chars.next_if_eq(&'*').is_some() {}
                    text.push_str(wild);
                }
                '?' => text.push('x'),
                // The first of a class or of alternatives.
                '[' => {
                    let class: String = chars.by_ref().take_while(|c| *c != ']').collect();
                    text.extend(class.trim_start_matches(['!', '^']).chars().next());
                    repeat(&mut text, &mut chars);
                }
                '{' | '(' => {
                    let close = if c == '{' { '}' } else { ')' };
                    let inside: String = chars.by_ref().take_while(|c| *c != close).collect();
                    let first = inside.trim_start_matches("?:");
                    text.push_str(first.split([',', '|']).next().unwrap_or_default());
                    repeat(&mut text, &mut chars);
                }
                '\\' => {
                    match chars.next() {
                        Some('d') => text.push('1'),
                        Some('w') => text.push('a'),
                        Some(c) => text.push(c),
                        None => {}
                    }
                    repeat(&mut text, &mut chars);
                }
                '.' if wild != "feature" => text.push('.'),
                '.' => {
                    text.push('x');
                    repeat(&mut text, &mut chars);
                }
                '+' | '^' | '$' => {}
                c => text.push(c),
            }
        }
        if !out.contains(&text) {
            out.push(text);
        }
    }
    out
}

/// `{3}`, `{2,4}`, `+` and `?` after a class: the last character so often.
fn repeat(text: &mut String, chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match chars.peek() {
        Some('{') => {
            let count: String = chars.by_ref().skip(1).take_while(|c| *c != '}').collect();
            let count: usize = count.split(',').next().and_then(|n| n.parse().ok()).unwrap_or(1);
            if let Some(last) = text.chars().next_back() {
                text.extend(std::iter::repeat_n(last, count.clamp(1, 64) - 1));
            }
        }
        Some('+' | '?') => {
            chars.next();
        }
        _ => {}
    }
}
