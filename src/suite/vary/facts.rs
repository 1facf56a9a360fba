//! Facts near the edges of conditions.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::Varying;
use crate::decide::words::name_of;
use crate::facts::prepare::instant;
use crate::facts::{Action, Current, Occupant, Request, TriggerFact, Value};
use crate::program::{
    ACTION, Body, Builtin, Check, Constant, EnumType, Op, Program, Right, STATUS, Slot, SlotId, Stage, Test, Type,
};

/// A value of a type that says as little as can be; `None` when a fact of it is better left out.
pub(super) fn plain_value(ty: &Type, now: DateTime<Utc>) -> Option<Value> {
    Some(match ty {
        Type::Bool => Value::Bool(false),
        Type::Number => Value::Number(0.0),
        Type::String => Value::String("x".into()),
        Type::User => Value::String("somebody".into()),
        Type::Version => Value::String("1.0.0".into()),
        Type::Duration => Value::String("1h".into()),
        Type::Time => Value::Time(now - TimeDelta::hours(1)),
        Type::Enum(of) => Value::String(of.values.first()?.clone()),
        Type::Set(_) => Value::List(Vec::new()),
        Type::Map(_) => Value::Map(BTreeMap::new()),
    })
}

/// What a test asks of a value.
#[derive(Clone)]
enum Asked {
    Constant(Constant),
    /// A text that fits.
    Sample(String),
    /// A member of a group.
    Person(String),
    /// Another fact of the same type.
    Slot(SlotId),
}

/// So many values are tried for one fact.
const MAX_VALUES: usize = 24;
/// So many people.
const MAX_PEOPLE: usize = 4;

impl Varying<'_> {
    /// Each fact that a condition reads, on either side of each edge.
    pub(super) fn conditions(&mut self) {
        let stage = self.stage;
        let mut by_slot: BTreeMap<SlotId, (Vec<Asked>, Option<String>)> = BTreeMap::new();
        for (slot, asked, op) in asked_of(self.program, stage) {
            let entry = by_slot.entry(slot).or_insert_with(|| (Vec::new(), rule_of(stage, op)));
            entry.0.extend(asked);
        }
        for (slot, (asked, rule)) in by_slot {
            self.rule = rule;
            self.slot(slot, &asked);
        }
        self.rule = None;
    }

    fn slot(&mut self, id: SlotId, asked: &[Asked]) {
        let name = name_of(self.program, id);
        let Some(slot) = self.program.slots.get(id.0 as usize) else { return };
        match slot {
            Slot::Fact(index) => {
                let Some(fact) = self.program.facts.get(*index as usize) else { return };
                let old = self.base.facts.get(&fact.name).cloned();
                for value in self.values(&fact.ty, asked, old.as_ref()) {
                    self.with(format!("{name} is {}", shown(&value)), |r| {
                        r.facts.insert(fact.name.clone(), value);
                    });
                }
                self.with(format!("{name} is not known"), |r| {
                    r.facts.remove(&fact.name);
                });
                if fact.optional {
                    self.with(format!("{name} is none"), |r| {
                        r.facts.insert(fact.name.clone(), Value::Null);
                    });
                }
            }
            Slot::FactKey(index, key) => {
                let Some(fact) = self.program.facts.get(*index as usize) else { return };
                let Type::Map(of) = &fact.ty else { return };
                let map = match self.base.facts.get(&fact.name) {
                    Some(Value::Map(map)) => map.clone(),
                    _ => BTreeMap::new(),
                };
                for value in self.values(of, asked, map.get(key)) {
                    let mut map = map.clone();
                    map.insert(key.clone(), value.clone());
                    self.with(format!("{name} is {}", shown(&value)), |r| {
                        r.facts.insert(fact.name.clone(), Value::Map(map));
                    });
                }
                let mut without = map.clone();
                without.remove(key);
                self.with(format!("{name} is not known"), |r| {
                    r.facts.insert(fact.name.clone(), Value::Map(without));
                });
            }
            Slot::Builtin(builtin) => self.builtin(name, *builtin, asked),
        }
    }

    fn builtin(&mut self, name: &str, builtin: Builtin, asked: &[Asked]) {
        let ty = match builtin {
            Builtin::BuildVersion | Builtin::CurrentVersion => Type::Version,
            Builtin::BuildAuthor | Builtin::Requester => Type::User,
            Builtin::BuildContributors => Type::Set(Box::new(Type::User)),
            Builtin::BuildLabels => Type::Set(Box::new(Type::String)),
            Builtin::BuildCreated | Builtin::CurrentCreated | Builtin::CurrentAt => Type::Time,
            Builtin::StageStatus(stage) => return self.runs(stage),
            Builtin::StageAge(stage) | Builtin::StageAt(stage) => {
                for asked in asked {
                    match asked {
                        Asked::Constant(Constant::Duration(length)) => self.soaks(stage, *length),
                        _ => self.runs(stage),
                    }
                }
                return self.runs(stage);
            }
            Builtin::BuildAge | Builtin::CurrentAge => return self.age(name, builtin, asked),
            Builtin::Now => return self.clock(asked),
            Builtin::Trigger => return self.any_trigger(),
            Builtin::Action => return self.action(),
            Builtin::BuildId
            | Builtin::BuildDigest
            | Builtin::BuildBranch
            | Builtin::BuildCommit
            | Builtin::CurrentId
            | Builtin::CurrentDigest => Type::String,
        };
        for value in self.values(&ty, asked, None) {
            self.with(format!("{name} is {}", shown(&value)), |r| set(r, builtin, Some(value)));
        }
        if builtin != Builtin::BuildId {
            self.with(format!("{name} is not known"), |r| set(r, builtin, None));
        }
    }

    /// The age of a build, on either side of what it is compared with.
    fn age(&mut self, name: &str, builtin: Builtin, asked: &[Asked]) {
        let of = if builtin == Builtin::BuildAge { Builtin::BuildCreated } else { Builtin::CurrentAt };
        for asked in asked {
            let Asked::Constant(Constant::Duration(length)) = asked else { continue };
            for (by, words) in sides() {
                let at = self.now - TimeDelta::nanoseconds(*length) - by;
                self.with(format!("{name} is {words} the limit"), |r| set(r, of, Some(Value::Time(at))));
            }
        }
        self.with(format!("{name} is not known"), |r| set(r, of, None));
    }

    /// The instant itself, on either side of what it is compared with.
    fn clock(&mut self, asked: &[Asked]) {
        for asked in asked {
            let Asked::Constant(Constant::Time(limit)) = asked else { continue };
            for (by, words) in sides() {
                let at = instant(*limit) + by;
                self.with(format!("now is {words} the limit"), |r| r.now = Some(at));
            }
        }
    }

    fn action(&mut self) {
        for (action, name) in [Action::Promote, Action::Redeploy, Action::Rollback].into_iter().zip(ACTION) {
            self.with(format!("the action is {name}"), |r| r.action = Some(action));
        }
    }

    fn any_trigger(&mut self) {
        let triggers = [
            ("a push", TriggerFact::Push { branch: None }),
            ("a pull request", TriggerFact::PullRequest { branch: None }),
            ("a schedule", TriggerFact::Schedule { at: None }),
            ("a person", TriggerFact::Manual { by: Some("somebody".into()) }),
            ("a completion", TriggerFact::Completion { of: None }),
        ];
        for (words, trigger) in triggers {
            self.with(format!("{words} asks"), |r| r.trigger = Some(trigger));
        }
    }

    /// Values of a type on either side of everything that is asked of it.
    fn values(&self, ty: &Type, asked: &[Asked], old: Option<&Value>) -> Vec<Value> {
        let mut out: Vec<Value> = Vec::new();
        let constants = || asked.iter().filter_map(|a| if let Asked::Constant(c) = a { Some(c) } else { None });
        match ty {
            Type::Bool => out.extend([Value::Bool(true), Value::Bool(false)]),
            Type::Number => {
                for constant in constants() {
                    if let Constant::Number(c) = constant {
                        let step = step(*c);
                        out.extend([*c, tidy(c + step, step), tidy(c - step, step)].map(Value::Number));
                    }
                }
            }
            Type::Enum(of) => out.extend(enum_values(of)),
            Type::Time => {
                for constant in constants() {
                    match constant {
                        Constant::Time(c) => {
                            out.extend(sides().map(|(by, _)| Value::Time(instant(*c) + by)));
                        }
                        Constant::Duration(c) => {
                            let ago = self.now - TimeDelta::nanoseconds(*c);
                            out.extend(sides().map(|(by, _)| Value::Time(ago + by)));
                        }
                        _ => {}
                    }
                }
                if asked.iter().any(|a| matches!(a, Asked::Slot(_))) {
                    out.extend(sides().map(|(by, _)| Value::Time(self.now + by)));
                }
            }
            Type::Duration => {
                for constant in constants() {
                    if let Constant::Duration(c) = constant {
                        let seconds = c / 1_000_000_000;
                        let around = [seconds, seconds + 1, seconds - 1].into_iter().filter(|s| *s > 0);
                        out.extend(around.map(|s| Value::String(duration(s))));
                    }
                }
            }
            Type::Version => {
                for constant in constants() {
                    if let Constant::Version(c) = constant {
                        let mut up = (**c).clone();
                        up.patch = up.patch.saturating_add(1);
                        let mut down = semver::Version::new(c.major, c.minor, c.patch);
                        match (down.patch, down.minor, down.major) {
                            (1.., _, _) => down.patch -= 1,
                            (0, 1.., _) => (down.minor, down.patch) = (down.minor - 1, 9),
                            (0, 0, major) => (down.major, down.minor) = (major.saturating_sub(1), 9),
                        }
                        out.extend([(**c).clone(), up, down].map(|v| Value::String(v.to_string())));
                    }
                }
            }
            Type::String | Type::User => {
                out.extend(self.texts(ty, asked));
            }
            Type::Set(of) => {
                let items = self.values(of, asked, None);
                out.push(Value::List(Vec::new()));
                out.extend(items.iter().map(|item| Value::List(vec![item.clone()])));
                if let Some(Value::List(old)) = old {
                    let kept = |skip: usize| {
                        let items = old.iter().enumerate().filter(move |(i, _)| *i != skip);
                        Value::List(items.map(|(_, v)| v.clone()).collect())
                    };
                    out.extend((0..old.len().min(6)).map(kept));
                    for item in items.iter().filter(|item| !old.contains(item)).take(6) {
                        let mut more = old.clone();
                        more.push(item.clone());
                        out.push(Value::List(more));
                    }
                }
            }
            Type::Map(of) => {
                let items = self.values(of, asked, None);
                out.push(Value::Map(BTreeMap::new()));
                let old = match old {
                    Some(Value::Map(old)) => old.clone(),
                    _ => BTreeMap::new(),
                };
                for item in &items {
                    let mut all: BTreeMap<String, Value> = old.keys().map(|key| (key.clone(), item.clone())).collect();
                    if all.is_empty() {
                        all.insert("a".into(), item.clone());
                        all.insert("b".into(), item.clone());
                    }
                    out.push(Value::Map(all));
                    if let Some(last) = old.keys().next_back() {
                        let mut one = old.clone();
                        one.insert(last.clone(), item.clone());
                        out.push(Value::Map(one));
                    }
                }
            }
        }
        let mut unique: Vec<Value> = Vec::new();
        for value in out {
            if !unique.contains(&value) {
                unique.push(value);
            }
        }
        unique.truncate(MAX_VALUES);
        unique
    }

    fn texts(&self, ty: &Type, asked: &[Asked]) -> Vec<Value> {
        let mut out = Vec::new();
        for asked in asked {
            match asked {
                Asked::Constant(Constant::String(text)) => out.push(text.to_string()),
                Asked::Sample(text) | Asked::Person(text) => out.push(text.clone()),
                Asked::Slot(other) => out.extend(self.text_of(*other)),
                Asked::Constant(_) => {}
            }
        }
        out.push(if *ty == Type::User { "somebody-else".into() } else { "something-else".to_string() });
        out.into_iter().map(Value::String).collect()
    }

    /// The text that another fact has now.
    fn text_of(&self, slot: SlotId) -> Vec<String> {
        let base = self.base;
        let text = match self.program.slots.get(slot.0 as usize) {
            Some(Slot::Fact(index)) => {
                let fact = self.program.facts.get(*index as usize);
                match fact.and_then(|f| base.facts.get(&f.name)) {
                    Some(Value::String(text)) => Some(text.clone()),
                    Some(Value::List(items)) => {
                        let texts =
                            items.iter().filter_map(|v| if let Value::String(s) = v { Some(s.clone()) } else { None });
                        return texts.take(MAX_PEOPLE).collect();
                    }
                    _ => None,
                }
            }
            Some(Slot::Builtin(builtin)) => match builtin {
                Builtin::BuildId => Some(base.build.id.clone()),
                Builtin::BuildDigest => base.build.digest.clone(),
                Builtin::BuildBranch => base.build.branch.clone(),
                Builtin::BuildCommit => base.build.commit.clone(),
                Builtin::BuildAuthor => base.build.author.clone(),
                Builtin::Requester => base.requester.clone().or(match &base.trigger {
                    Some(TriggerFact::Manual { by }) => by.clone(),
                    _ => None,
                }),
                Builtin::BuildContributors => {
                    return base.build.contributors.clone().unwrap_or_default().into_iter().take(MAX_PEOPLE).collect();
                }
                _ => None,
            },
            _ => None,
        };
        text.into_iter().collect()
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::List(items) if items.is_empty() => "empty".into(),
        Value::Map(items) if items.is_empty() => "empty".into(),
        Value::List(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        Value::Map(items) => {
            let items: Vec<String> = items.iter().map(|(key, value)| format!("{key}: {}", shown(value))).collect();
            format!("{{{}}}", items.join(", "))
        }
        Value::Time(at) => at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        Value::Null => "none".into(),
    }
}

/// A second less, exactly, a second more.
fn sides() -> [(TimeDelta, &'static str); 3] {
    [
        (TimeDelta::seconds(-1), "a second under"),
        (TimeDelta::zero(), "exactly at"),
        (TimeDelta::seconds(1), "a second over"),
    ]
}

/// The unit in the last place of a number as it is written.
fn step(number: f64) -> f64 {
    let text = number.to_string();
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len().min(12));
    10f64.powi(-(decimals as i32))
}

/// Rounded to the step, so that 79.9 + 0.1 is 80.
fn tidy(number: f64, step: f64) -> f64 {
    let decimals = (-step.log10()).round().max(0.0) as usize;
    format!("{number:.decimals$}").parse().unwrap_or(number)
}

/// As the language writes it.
pub(crate) fn duration(mut seconds: i64) -> String {
    let mut out = String::new();
    for (unit, length) in [("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        if seconds >= length {
            out.push_str(&format!("{}{unit}", seconds / length));
            seconds %= length;
        }
    }
    out
}

fn enum_values(of: &EnumType) -> Vec<Value> {
    let values: Vec<&str> = match of.builtin {
        Some("status") => STATUS.to_vec(),
        _ => of.values.iter().map(String::as_str).collect(),
    };
    values.into_iter().take(12).map(|v| Value::String(v.to_string())).collect()
}

/// What the tests of a stage ask of each slot, with the entry that asks.
fn asked_of(program: &Program, stage: &Stage) -> Vec<(SlotId, Vec<Asked>, usize)> {
    let mut out = Vec::new();
    for (index, op) in stage.ops.iter().enumerate() {
        let Op::Test(test) = op else { continue };
        let mut check = &test.check;
        while let Check::Every(inner) | Check::Any(inner) | Check::Not(inner) = check {
            check = inner;
        }
        let mut mirrored = Vec::new();
        let mut right = |right: &Right| match right {
            Right::Constant(constant) => Asked::Constant(constant.clone()),
            Right::Slot(other) => {
                mirrored.push(*other);
                Asked::Slot(*other)
            }
        };
        let text = |right: &Right, make: &dyn Fn(&str) -> String| match right {
            Right::Constant(Constant::String(text)) => vec![Asked::Sample(make(text))],
            Right::Constant(constant) => vec![Asked::Constant(constant.clone())],
            Right::Slot(other) => vec![Asked::Slot(*other)],
        };
        let asked = match check {
            Check::Compare(_, side) => vec![right(side)],
            Check::InList(list) => list.iter().map(&mut right).collect(),
            Check::InSet(other) => {
                mirrored.push(*other);
                vec![Asked::Slot(*other)]
            }
            Check::InGroup(id) => members(program, *id).into_iter().map(Asked::Person).collect(),
            Check::Contains(side) => text(side, &|text| text.to_string()),
            Check::StartsWith(side) => text(side, &|text| format!("{text}x")),
            Check::EndsWith(side) => text(side, &|text| format!("x{text}")),
            Check::Matches(pattern) => sample(program, test, pattern).into_iter().map(Asked::Sample).collect(),
            Check::IsSet | Check::IsMissing | Check::IsTrue | Check::Every(_) | Check::Any(_) | Check::Not(_) => {
                Vec::new()
            }
        };
        out.push((test.left, asked, index));
        out.extend(mirrored.into_iter().map(|other| (other, vec![Asked::Slot(test.left)], index)));
    }
    out
}

fn members(program: &Program, id: crate::program::GroupId) -> Vec<String> {
    let group = program.groups.get(id.0 as usize);
    match group.and_then(|g| g.members.as_ref()) {
        Some(people) => {
            let names = people.iter().filter_map(|p| program.people.get(p.0 as usize).cloned());
            names.take(MAX_PEOPLE).collect()
        }
        None => group.map(|g| format!("{}-1", g.name)).into_iter().collect(),
    }
}

/// A rule whose condition or guard reads an entry.
fn rule_of(stage: &Stage, op: usize) -> Option<String> {
    let reads = |rule: &&crate::program::Rule| {
        let body = match rule.body {
            Body::Require(op) | Body::Forbid(op) | Body::Advise(op) => Some(op),
            _ => None,
        };
        let roots: Vec<_> = body.into_iter().chain(rule.guard).collect();
        crate::suite::coverage::reach::below(stage, &roots).iter().any(|id| id.0 as usize == op)
    };
    stage.rules.iter().find(reads).map(|rule| rule.name.clone())
}

/// A text that fits a pattern, made from the pattern as it is written; those that do not fit are left out.
fn sample(program: &Program, test: &Test, pattern: &crate::program::Matcher) -> Vec<String> {
    let source = program.sources.text(test.span);
    let mut out = Vec::new();
    if let Some((_, written)) = source.split_once("matches") {
        let written = written.trim();
        let inner = written.trim_matches(['"', '/']);
        out.extend(super::samples(inner));
    }
    out.retain(|text| pattern.is_match(text));
    out.truncate(2);
    out
}

/// Writes a built-in fact into a request; `None` takes it out.
fn set(request: &mut Request, builtin: Builtin, value: Option<Value>) {
    let text = match &value {
        Some(Value::String(text)) => Some(text.clone()),
        _ => None,
    };
    let texts = match &value {
        Some(Value::List(items)) => {
            let items = items.iter().filter_map(|v| if let Value::String(s) = v { Some(s.clone()) } else { None });
            Some(items.collect::<Vec<String>>())
        }
        _ => None,
    };
    let time = match &value {
        Some(Value::Time(at)) => Some(*at),
        _ => None,
    };
    let build = &mut request.build;
    match builtin {
        Builtin::BuildId => build.id = text.unwrap_or_default(),
        Builtin::BuildDigest => build.digest = text,
        Builtin::BuildVersion => build.version = text,
        Builtin::BuildBranch => build.branch = text,
        Builtin::BuildCommit => build.commit = text,
        Builtin::BuildAuthor => build.author = text,
        Builtin::BuildContributors => build.contributors = texts,
        Builtin::BuildLabels => build.labels = texts,
        Builtin::BuildCreated => build.created = time,
        Builtin::Requester => request.requester = text,
        Builtin::CurrentId
        | Builtin::CurrentVersion
        | Builtin::CurrentCreated
        | Builtin::CurrentDigest
        | Builtin::CurrentAt => {
            if !matches!(request.current, Current::Build(_)) {
                request.current = Current::Build(Box::new(Occupant::new("another-build")));
            }
            let Current::Build(occupant) = &mut request.current else { return };
            match builtin {
                Builtin::CurrentId => occupant.id = text,
                Builtin::CurrentVersion => occupant.version = text,
                Builtin::CurrentCreated => occupant.created = time,
                Builtin::CurrentDigest => occupant.digest = text,
                _ => occupant.at = time,
            }
        }
        _ => {}
    }
}
