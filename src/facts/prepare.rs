//! From a request to slots, for one policy.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use semver::Version;

use super::draft::{About, Current, Deploying, Draft, Facts, Occupant, Trigger};
use super::error::{ProblemKind, RequestError, RequestProblem};
use super::request::{Action, Request, RunStatus, Value};
use super::slots::{Invoked, Occupied, Other, OtherWhy, Person, RunAt, Said, SlotValue, Slots, TriggerSlot};
use crate::Limits;
use crate::decide::plan::Plan;
use crate::diagnostic::{did_you_mean, list_words};
use crate::plain::quote;
use crate::program::{Builtin, FactDecl, Program, Slot, SlotId, Stage, StageId, Type};

/// Nanoseconds since the epoch; the request's check has seen to the range.
pub(crate) fn nanos(time: DateTime<Utc>) -> i64 {
    time.timestamp_nanos_opt().unwrap_or(i64::MAX)
}

/// The instant of so many nanoseconds since the epoch.
pub(crate) fn instant(nanos: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_nanos(nanos)
}

/// Reads a duration as the language writes it: `1h30m`. In nanoseconds.
pub(crate) fn duration(text: &str) -> Option<i64> {
    let mut total: i64 = 0;
    let mut rest = text;
    let mut last = i64::MAX;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at_checked(digits)?;
        let number: i64 = number.parse().ok()?;
        let unit = match tail.chars().next()? {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        if unit >= last {
            return None;
        }
        last = unit;
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = tail.get(1..)?;
    }
    (last != i64::MAX).then_some(())?;
    total.checked_mul(1_000_000_000)
}

/// Turns a request into slots. Everything that is wrong with it is told at once.
pub(crate) fn prepare(
    program: &Program,
    plan: &Plan,
    request: &Request,
    limits: &Limits,
) -> Result<Slots, RequestError> {
    request.check(limits)?;
    drafted(program, plan, Draft::of(request))
}

/// The same of a draft.
pub(crate) fn drafted(program: &Program, plan: &Plan, mut request: Draft<'_>) -> Result<Slots, RequestError> {
    let Some(stage) = plan.stage(request.stage) else {
        let stages: Vec<&str> = program.stages.iter().map(|s| s.name.as_str()).collect();
        return Err(RequestError::unknown_stage(request.stage, &stages));
    };
    let Some(now) = request.now else { return Err(RequestError::missing_now()) };
    let facts = std::mem::replace(&mut request.facts, Facts::Made(Default::default()));
    let request = &request;
    let mut preparing = Preparing { program, plan, request, strangers: HashMap::default(), problems: Vec::new() };
    let slots = preparing.slots(stage, now, facts);
    RequestError::from_problems(preparing.problems).map_or(Ok(slots), Err)
}

/// So many warnings are told of one request.
const MAX_WARNINGS: usize = 50;

/// What is odd about a request: each once, and not more than a person would read.
#[derive(Default)]
struct Warnings<'a> {
    told: Vec<String>,
    seen: HashSet<(&'a str, &'a str)>,
    more: usize,
}

impl<'a> Warnings<'a> {
    /// Whether this is to be told: it was not told before, and there is room.
    fn is_new(&mut self, what: &'a str, of: &'a str) -> bool {
        let new = self.seen.insert((what, of));
        let room = self.told.len() < MAX_WARNINGS;
        self.more += usize::from(new && !room);
        new && room
    }

    fn push(&mut self, warning: String) {
        match self.told.len() < MAX_WARNINGS {
            true => self.told.push(warning),
            false => self.more += 1,
        }
    }

    fn told(mut self) -> Vec<String> {
        if self.more > 0 {
            self.told.push(format!("{} more warnings like these are not shown", self.more));
        }
        self.told
    }
}

struct Preparing<'a> {
    program: &'a Program,
    plan: &'a Plan,
    request: &'a Draft<'a>,
    strangers: HashMap<&'a str, Person, foldhash::fast::RandomState>,
    problems: Vec<RequestProblem>,
}

impl<'a> Preparing<'a> {
    fn person(&mut self, name: &'a str) -> Person {
        if let Some(known) = self.plan.person(name) {
            return known;
        }
        let next = (self.program.people.len() + self.strangers.len()) as Person;
        *self.strangers.entry(name).or_insert(next)
    }

    fn people(&mut self, names: &[&'a str]) -> Vec<Person> {
        let mut people: Vec<Person> = names.iter().map(|name| self.person(name)).collect();
        people.sort_unstable();
        people.dedup();
        people
    }

    fn slots(&mut self, id: StageId, now: i64, facts: Facts<'a>) -> Slots {
        let request = self.request;
        let build = &request.build;
        let mut warnings = Warnings::default();
        let author = build.author.map(|name| self.person(name));
        let contributors = build.contributors.as_deref().map(|names| self.people(names)).unwrap_or_default();
        let requester = self.requester().map(|name| self.person(name));
        let (said, others) = self.said(&mut warnings);
        let invoked = self.invoked(id, &mut warnings);
        let directories = self.directories(&mut warnings);
        let runs = self.runs(&mut warnings);
        let trigger = self.trigger();
        let (versions, current_version) = self.versions();
        let (facts, ignored_facts) = self.facts(facts);
        let values = self.values(id, facts, versions.as_ref(), current_version.as_ref());
        let (occupied, older) = self.occupied(versions.as_ref(), current_version.as_ref());
        let mut strangers: Vec<(&str, Person)> = self.strangers.drain().collect();
        strangers.sort_by_key(|(_, person)| *person);
        Slots {
            stage: id,
            now,
            values,
            strangers: strangers.into_iter().map(|(name, _)| name.to_string()).collect(),
            author,
            contributors,
            requester,
            said,
            others,
            invoked,
            directories,
            runs,
            trigger,
            occupied,
            older,
            deploying: match request.deploying {
                Deploying::Unknown => None,
                Deploying::Nothing => Some(None),
                Deploying::Build(id) => Some(Some(id.to_string())),
            },
            build: build.id.to_string(),
            digest: build.digest.map(String::from),
            ignored_facts,
            warnings: warnings.told(),
        }
    }

    fn requester(&self) -> Option<&'a str> {
        let request = self.request;
        request.requester.or(match request.trigger {
            Some(Trigger::Manual(by)) => by,
            _ => None,
        })
    }

    /// Whether two digests, as far as they are given, are of one artifact.
    fn same_digest(&self, digest: Option<&str>) -> bool {
        match (digest, self.request.build.digest) {
            (Some(a), Some(b)) => a == b,
            _ => true,
        }
    }

    fn said(&mut self, warnings: &mut Warnings<'a>) -> (Vec<Said>, Vec<Other>) {
        let request = self.request;
        let (mut said, mut others) = (Vec::with_capacity(request.approvals.len()), Vec::new());
        for approval in &request.approvals {
            let person = self.person(approval.by);
            let word = Said { person, at: approval.at, word: approval.decision };
            let why = said_about(approval.about, request.stage, request.build.id, request.build.digest);
            if let (Some(OtherWhy::Stage(_)), Some(stage)) = (&why, approval.about.stage) {
                self.known_stage("an approval", stage, warnings);
            }
            match why {
                Some(why) => others.push(Other { said: word, why }),
                None => said.push(word),
            }
        }
        said.sort_unstable_by_key(|s| (s.person, s.at, s.word));
        (said, others)
    }

    fn known_stage(&self, what: &'static str, stage: &'a str, warnings: &mut Warnings<'a>) {
        if self.plan.stage(stage).is_none() && warnings.is_new(what, stage) {
            let guess = did_you_mean(stage, self.program.stages.iter().map(|s| s.name.as_str()));
            let guess = guess.map(|g| format!("; {g}")).unwrap_or_default();
            warnings.push(format!("{what} names the stage {}, which the policy does not have{guess}", quote(stage)));
        }
    }

    fn invoked(&mut self, id: StageId, warnings: &mut Warnings<'a>) -> Vec<Vec<Invoked>> {
        let request = self.request;
        let overrides = self.program.stages.get(id.0 as usize).map(|s| s.overrides.as_slice()).unwrap_or_default();
        let mut invoked: Vec<Vec<Invoked>> = vec![Vec::new(); overrides.len()];
        if request.overrides.is_empty() {
            return invoked;
        }
        let by_name: HashMap<&str, usize> = overrides.iter().enumerate().map(|(i, o)| (o.name.as_str(), i)).collect();
        for entry in &request.overrides {
            let person = self.person(entry.by);
            let own = entry.about.stage.is_none_or(|s| s == request.stage)
                && entry.about.build.is_none_or(|b| b == request.build.id)
                && self.same_digest(entry.about.digest);
            if !own && !warnings.is_new(entry.by, entry.name) {
                continue;
            }
            if !own {
                warnings.push(format!(
                    "{} invoked the override {} for another stage, build or digest: it does not count here",
                    quote(entry.by),
                    quote(entry.name)
                ));
                continue;
            }
            match by_name.get(entry.name).and_then(|i| invoked.get_mut(*i)) {
                Some(of) => of.push(Invoked { person, at: entry.at, reason: entry.reason.map(String::from) }),
                None if !warnings.is_new("", entry.name) => {}
                None => {
                    let guess = did_you_mean(entry.name, overrides.iter().map(|o| o.name.as_str()));
                    let guess = guess.map(|g| format!("; {g}")).unwrap_or_default();
                    warnings.push(format!(
                        "the stage has no override {}, which {} invoked{guess}",
                        quote(entry.name),
                        quote(entry.by)
                    ));
                }
            }
        }
        for of in &mut invoked {
            of.sort_by_key(|i| i.at);
        }
        invoked
    }

    fn directories(&mut self, warnings: &mut Warnings<'a>) -> Vec<Option<Vec<Person>>> {
        let request = self.request;
        let mut directories = Vec::with_capacity(self.program.groups.len());
        for group in &self.program.groups {
            let given = request.groups.binary_search_by(|(name, _)| (*name).cmp(&group.name));
            let given = given.ok().and_then(|index| request.groups.get(index)).map(|(_, members)| members);
            directories.push(match (&group.members, given) {
                (None, given) => given.map(|names| self.people(names)),
                (Some(_), None) => None,
                (Some(_), Some(_)) => {
                    let name = quote(&group.name);
                    warnings.push(format!(
                        "the policy lists the members of the group {name}: those of the request are ignored"
                    ));
                    None
                }
            });
        }
        directories
    }

    fn runs(&self, warnings: &mut Warnings<'a>) -> Vec<Vec<RunAt>> {
        let request = self.request;
        let mut runs: Vec<Vec<RunAt>> = vec![Vec::new(); self.program.stages.len()];
        for run in &request.history {
            let own = run.build.is_none_or(|b| b == request.build.id);
            if !own || !self.same_digest(run.digest) {
                continue;
            }
            match self.plan.stage(run.stage).and_then(|id| runs.get_mut(id.0 as usize)) {
                Some(of) => of.push(RunAt { at: run.at, status: run.status }),
                None => self.known_stage("the history", run.stage, warnings),
            }
        }
        for of in &mut runs {
            of.sort_by_key(|run| (run.at, badness(run.status)));
        }
        runs
    }

    fn trigger(&mut self) -> TriggerSlot {
        let request = self.request;
        match request.trigger {
            None => TriggerSlot::Unknown,
            Some(Trigger::Push(branch)) => {
                TriggerSlot::Push { branch: branch.or(request.build.branch).map(String::from) }
            }
            // A pull request goes to another branch than the build's own.
            Some(Trigger::PullRequest(branch)) => TriggerSlot::PullRequest { branch: branch.map(String::from) },
            // Who set it off, not for whom; the one who asks stands in when that is not said.
            Some(Trigger::Manual(by)) => {
                let by = by.or_else(|| self.requester());
                TriggerSlot::Manual { by: by.map(|name| self.person(name)) }
            }
            Some(Trigger::Completion(of)) => {
                TriggerSlot::Completion { of: of.map(|s| self.plan.stage(s).ok_or_else(|| s.to_string())) }
            }
            Some(Trigger::Event(name)) => TriggerSlot::Event { name: name.map(String::from) },
            Some(Trigger::Schedule(_)) => TriggerSlot::Schedule,
        }
    }

    fn versions(&mut self) -> (Option<Version>, Option<Version>) {
        let current = match self.request.current {
            Current::Build(occupant) => occupant.version,
            _ => None,
        };
        let build = self.request.build.version.and_then(|v| self.version("build.version", v, Builtin::BuildVersion));
        (build, current.and_then(|v| self.version("current.version", v, Builtin::CurrentVersion)))
    }

    fn asked(&self) -> Option<&'a Stage> {
        let id = self.plan.stage(self.request.stage)?;
        self.program.stages.get(id.0 as usize)
    }

    fn reads(&self, builtin: Builtin) -> bool {
        let slots = self.asked().map(|s| s.slots.as_slice()).unwrap_or_default();
        slots.iter().any(|id| self.program.slots.get(id.0 as usize) == Some(&Slot::Builtin(builtin)))
    }

    fn forward_only(&self) -> bool {
        let rules = self.asked().map(|s| s.rules.as_slice()).unwrap_or_default();
        rules.iter().any(|rule| matches!(rule.body, crate::program::Body::ForwardOnly))
    }

    /// A version that nothing asks for may be written as its owner likes.
    fn version(&mut self, path: &str, text: &str, slot: Builtin) -> Option<Version> {
        match Version::parse(text) {
            Ok(version) => Some(version),
            Err(_) if !self.reads(slot) && !self.forward_only() => None,
            Err(_) => {
                let expected = "a version such as `2026.3.1` (semantic versioning)";
                let problem = RequestProblem::expected(ProblemKind::Type, path, expected, quote(text));
                self.problems.push(problem);
                None
            }
        }
    }

    fn occupied(&self, version: Option<&Version>, current: Option<&Version>) -> (Occupied, Option<bool>) {
        let build = &self.request.build;
        let occupant = match &self.request.current {
            Current::Unknown => return (Occupied::Unknown, None),
            Current::Nothing => return (Occupied::Nothing, None),
            Current::Build(occupant) => occupant,
        };
        let occupied = match occupant.id {
            None => Occupied::Unknown,
            Some(id) if id == build.id && self.same_digest(occupant.digest) => Occupied::Same,
            Some(_) => Occupied::Other,
        };
        let older = match (build.created, occupant.created, version, current) {
            (Some(a), Some(b), _, _) => Some(a < b),
            (_, _, Some(a), Some(b)) => Some(a.cmp_precedence(b).is_lt()),
            _ => None,
        };
        (occupied, older)
    }

    /// The facts by their numbers in the policy, and the names of those that it does not declare.
    fn facts(&mut self, facts: Facts<'a>) -> (Vec<SlotValue>, Vec<String>) {
        match facts {
            Facts::Given(given) => self.given(given),
            Facts::Made(given) => self.given(&given),
            Facts::Declared(facts, ignored) => (facts, ignored.into_iter().map(String::from).collect()),
        }
    }

    fn given(&mut self, given: &BTreeMap<String, Value>) -> (Vec<SlotValue>, Vec<String>) {
        // Every fact is checked, whether this stage reads it or not: a wrong one is a wrong request.
        let facts = self.program.facts.iter();
        let slots = facts.map(|decl| fact(decl, given.get(&decl.name), &mut self.problems)).collect();
        // They are sorted by name.
        let declared = |name: &str| self.program.facts.binary_search_by(|f| f.name.as_str().cmp(name)).is_ok();
        (slots, given.keys().filter(|name| !declared(name)).cloned().collect())
    }

    fn values(
        &self,
        id: StageId,
        mut facts: Vec<SlotValue>,
        version: Option<&Version>,
        current: Option<&Version>,
    ) -> Vec<SlotValue> {
        let mut values = vec![SlotValue::Missing; self.program.slots.len()];
        let used = self.program.stages.get(id.0 as usize).map(|s| s.slots.as_slice()).unwrap_or_default();
        let used = || used.iter().filter_map(|id| Some((id, self.program.slots.get(id.0 as usize)?)));
        let mut put = |id: &SlotId, value: SlotValue| {
            if let Some(place) = values.get_mut(id.0 as usize) {
                *place = value;
            }
        };
        for (id, slot) in used() {
            match slot {
                Slot::FactKey(fact, key) => {
                    if let Some(map) = facts.get(*fact as usize) {
                        put(id, under_key(map, key));
                    }
                }
                Slot::Builtin(builtin) => put(id, self.builtin(*builtin, version, current)),
                Slot::Fact(_) => {}
            }
        }
        // Each fact as a whole has one slot.
        for (id, slot) in used() {
            if let Slot::Fact(fact) = slot
                && let Some(value) = facts.get_mut(*fact as usize)
            {
                put(id, std::mem::replace(value, SlotValue::Missing));
            }
        }
        values
    }

    fn builtin(&self, builtin: Builtin, version: Option<&Version>, current: Option<&Version>) -> SlotValue {
        let build = &self.request.build;
        let nothing = Occupant::default();
        let occupant = match &self.request.current {
            Current::Build(occupant) => occupant,
            _ => &nothing,
        };
        let text = |s: Option<&str>| s.map_or(SlotValue::Missing, |s| SlotValue::String(s.into()));
        let texts = |s: Option<&Vec<&str>>| match s {
            Some(items) => SlotValue::Set(items.iter().map(|s| SlotValue::String((*s).into())).collect()),
            None => SlotValue::Missing,
        };
        let time = |t: Option<i64>| t.map_or(SlotValue::Missing, SlotValue::Time);
        let age = |t: Option<i64>| t.map_or(SlotValue::Missing, SlotValue::Age);
        let version_of =
            |v: Option<&Version>| v.map_or(SlotValue::Missing, |v| SlotValue::Version(Box::new(v.clone())));
        match builtin {
            Builtin::BuildId => text(Some(build.id)),
            Builtin::BuildDigest => text(build.digest),
            Builtin::BuildVersion => version_of(version),
            Builtin::BuildBranch => text(build.branch),
            Builtin::BuildCommit => text(build.commit),
            Builtin::BuildAuthor => text(build.author),
            Builtin::BuildContributors => texts(build.contributors.as_ref()),
            Builtin::BuildLabels => texts(build.labels.as_ref()),
            Builtin::BuildCreated => time(build.created),
            Builtin::BuildAge => age(build.created),
            Builtin::Trigger => match self.request.trigger {
                None => SlotValue::Missing,
                Some(Trigger::Push(_)) => SlotValue::Enum(0),
                Some(Trigger::PullRequest(_)) => SlotValue::Enum(1),
                Some(Trigger::Schedule(_)) => SlotValue::Enum(2),
                Some(Trigger::Manual(_)) => SlotValue::Enum(3),
                Some(Trigger::Completion(_)) => SlotValue::Enum(4),
                Some(Trigger::Event(_)) => SlotValue::Enum(5),
            },
            Builtin::Action => SlotValue::Enum(match self.request.action.unwrap_or_default() {
                Action::Promote => 0,
                Action::Redeploy => 1,
                Action::Rollback => 2,
            }),
            Builtin::Requester => text(self.requester()),
            Builtin::Now => SlotValue::Now,
            Builtin::CurrentId => text(occupant.id),
            Builtin::CurrentVersion => version_of(current),
            Builtin::CurrentCreated => time(occupant.created),
            Builtin::CurrentDigest => text(occupant.digest),
            Builtin::CurrentAt => time(occupant.at),
            Builtin::CurrentAge => age(occupant.at),
            Builtin::StageStatus(stage) => SlotValue::RunStatus(stage),
            Builtin::StageAt(stage) => SlotValue::RunAt(stage),
            Builtin::StageAge(stage) => SlotValue::RunAge(stage),
        }
    }
}

/// What an approval was said about, if not about this stage, build and digest.
pub(crate) fn said_about(about: About<'_>, stage: &str, build: &str, digest: Option<&str>) -> Option<OtherWhy> {
    match (about.build, about.stage, about.digest, digest) {
        (Some(other), ..) if other != build => Some(OtherWhy::Build(other.to_string())),
        (_, Some(other), ..) if other != stage => Some(OtherWhy::Stage(other.to_string())),
        (.., Some(other), Some(own)) if other != own => Some(OtherWhy::Digest(other.to_string())),
        _ => None,
    }
}

/// One fact as its declaration wants it.
pub(crate) fn one_fact(decl: &FactDecl, value: &Value) -> Result<SlotValue, RequestError> {
    let mut wrong = Vec::new();
    let slot = fact(decl, Some(value), &mut wrong);
    RequestError::from_problems(wrong).map_or(Ok(slot), Err)
}

fn fact(decl: &FactDecl, value: Option<&Value>, wrong: &mut Vec<RequestProblem>) -> SlotValue {
    match value {
        None => SlotValue::Missing,
        Some(Value::Null) if decl.optional => SlotValue::Null,
        Some(value) => convert(&decl.ty, value, &|| format!("facts.{}", decl.name), decl.secret, wrong),
    }
}

/// The value under a key of a map.
pub(crate) fn under_key(map: &SlotValue, key: &str) -> SlotValue {
    match map {
        SlotValue::Map(items) => match items.binary_search_by(|(k, _)| (**k).cmp(key)) {
            Ok(found) => items.get(found).map(|(_, v)| v.clone()).unwrap_or(SlotValue::Missing),
            Err(_) => SlotValue::Missing,
        },
        other => other.clone(),
    }
}

/// At one instant the worst word stands: only a success that nothing contradicts is one.
pub(crate) fn badness(status: RunStatus) -> u8 {
    match status {
        RunStatus::Succeeded => 0,
        RunStatus::Pending => 1,
        RunStatus::Skipped => 2,
        RunStatus::Cancelled => 3,
        RunStatus::Failed => 4,
    }
}

/// A value as its type wants it; what does not fit is noted.
fn convert(
    ty: &Type,
    value: &Value,
    path: &dyn Fn() -> String,
    secret: bool,
    wrong: &mut Vec<RequestProblem>,
) -> SlotValue {
    let mut refuse = |help: Option<String>| {
        let got = if secret { format!("{} (secret)", value.kind()) } else { value.describe() };
        let mut problem = RequestProblem::fact_type(&path(), expected(ty), got);
        problem.help = help;
        wrong.push(problem);
        SlotValue::Missing
    };
    match (ty, value) {
        (Type::Bool, Value::Bool(b)) => SlotValue::Bool(*b),
        (Type::Number, Value::Number(n)) if n.is_finite() => SlotValue::Number(*n),
        (Type::String | Type::User, Value::String(s)) => SlotValue::String(s.as_str().into()),
        (Type::Time, Value::Time(t)) if super::time::in_range(*t) => SlotValue::Time(nanos(*t)),
        (Type::Time, Value::String(s)) => match super::time::parse(s) {
            Ok(t) => SlotValue::Time(nanos(t)),
            Err(bad) => {
                let shown = if secret { "(secret)" } else { s.as_str() };
                wrong.push(super::time::problem(path(), shown, bad));
                SlotValue::Missing
            }
        },
        (Type::Duration, Value::String(s)) => match duration(s) {
            Some(d) => SlotValue::Duration(d),
            None => refuse(None),
        },
        (Type::Version, Value::String(s)) => match Version::parse(s) {
            Ok(v) => SlotValue::Version(Box::new(v)),
            Err(_) => refuse(None),
        },
        (Type::Enum(values), Value::String(s)) => {
            let status = values.builtin == Some("status");
            let name = if status && s == "succeeded" { "passed" } else { s.as_str() };
            match values.values.iter().position(|v| v == name) {
                Some(index) if status => SlotValue::Status(index as u16),
                Some(index) => SlotValue::Enum(index as u16),
                // What is near to a secret tells it.
                None if secret => refuse(None),
                None => refuse(did_you_mean(s, values.values.iter().map(String::as_str))),
            }
        }
        (Type::Set(of), Value::List(items)) => {
            let items = items.iter().enumerate();
            SlotValue::Set(items.map(|(i, v)| convert(of, v, &|| format!("{}[{i}]", path()), secret, wrong)).collect())
        }
        (Type::Map(of), Value::Map(items)) => {
            let one = |(key, value): (&String, &Value), wrong: &mut Vec<RequestProblem>| {
                let plain = || key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
                let path = || match path() {
                    // The keys of a secret are a part of it.
                    path if secret => path,
                    path if plain() => format!("{path}.{key}"),
                    path => format!("{path}[\"{}\"]", crate::plain::escape(key)),
                };
                (key.as_str().into(), convert(of, value, &path, secret, wrong))
            };
            SlotValue::Map(items.iter().map(|item| one(item, wrong)).collect())
        }
        _ => refuse(None),
    }
}

/// What a type takes, in words.
pub(crate) fn expected(ty: &Type) -> String {
    match ty {
        Type::Bool => "`true` or `false`".into(),
        Type::Number => "a finite number".into(),
        Type::String => "a text".into(),
        Type::User => "the name of a user".into(),
        Type::Time => "a time such as `2026-03-04T18:00:00Z`".into(),
        Type::Duration => "a duration such as `1h30m`".into(),
        Type::Version => "a version such as `2026.3.1` (semantic versioning)".into(),
        Type::Enum(values) => {
            let words = list_words(&values.values, 12);
            match words.rsplit_once(" and ") {
                Some((rest, last)) => format!("one of {rest} or {last}"),
                None => words,
            }
        }
        Type::Set(_) => "a list".into(),
        Type::Map(_) => "an object".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_are_read_as_the_language_writes_them() {
        assert_eq!(duration("1h30m"), Some(5_400_000_000_000));
        assert_eq!(duration("1w2d3h4m5s"), Some((604_800 + 2 * 86_400 + 3 * 3_600 + 4 * 60 + 5) * 1_000_000_000));
        assert_eq!(duration("0s"), Some(0));
        for bad in ["", "5", "h", "30m1h", "1h1h", "-1h", "1 h", "1.5h", "99999999999w"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }
}
