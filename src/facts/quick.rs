//! Ordinary requests in JSON, read in half the time.
//!
//! What is out of the ordinary (texts with escapes), or wrong, is refused without a word; [`super::read`] then reads it
//! all the same, or tells what is wrong. What is read here needs no [`Request::check`](super::Request::check) any more.

use std::collections::BTreeMap;

use super::draft::{About, Approval, Build, Current, Deploying, Draft, Facts, Invocation, Occupant, Run, Trigger};
use super::prepare::duration;
use super::request::{Action, RunStatus, Value, Word};
use super::slots::SlotValue;
use super::time;
use crate::Limits;
use crate::decide::conditions::status_index;
use crate::decide::verdict::filling::{Filled, Refused};
use crate::decide::verdict::room::run_status;
use crate::decide::verdict::scan::Scan;
use crate::program::{Program, Type};

/// Reads a request that is within the limits; its facts as a policy declares them, if there is one.
pub(crate) fn read<'j>(json: &'j [u8], limits: &Limits, program: Option<&Program>) -> Filled<Draft<'j>> {
    if json.len() > limits.request_bytes {
        return Err(Refused);
    }
    let text = std::str::from_utf8(json).map_err(|_| Refused)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut quick = Quick { scan: Scan::new(text), limits, program, entries: 0 };
    let draft = quick.request()?;
    quick.scan.end()?;
    Ok(draft)
}

/// Facts that are nested deeper take the long way, even where the limits allow more.
const DEPTH: usize = 16;

struct Quick<'j, 'l> {
    scan: Scan<'j>,
    limits: &'l Limits,
    program: Option<&'l Program>,
    /// Entries so far, as the limits count them.
    entries: usize,
}

/// The fields of an object that have been seen.
#[derive(Default)]
struct Seen(u32);

impl Seen {
    /// Each field may be given once.
    fn once(&mut self, field: u32) -> Filled {
        let bit = 1 << field;
        if self.0 & bit != 0 {
            return Err(Refused);
        }
        self.0 |= bit;
        Ok(())
    }

    fn has(&self, field: u32) -> bool {
        self.0 & 1 << field != 0
    }

    /// The first fields are those that must be given.
    fn need(&self, fields: u32) -> Filled {
        let all = (1 << fields) - 1;
        if self.0 & all == all { Ok(()) } else { Err(Refused) }
    }
}

impl<'j> Quick<'j, '_> {
    /// Reads an object; `field` reads the value of the field with a number. Says which were given.
    #[inline]
    fn object(
        &mut self,
        number: impl Fn(&str) -> Option<u32>,
        mut field: impl FnMut(&mut Self, u32) -> Filled,
    ) -> Filled<Seen> {
        let mut seen = Seen::default();
        self.map(|quick, key| {
            let number = number(key).ok_or(Refused)?;
            seen.once(number)?;
            field(quick, number)
        })?;
        Ok(seen)
    }

    #[inline]
    fn map(&mut self, mut entry: impl FnMut(&mut Self, &'j str) -> Filled) -> Filled {
        let mut more = self.scan.opens(b'{', b'}')?;
        while more {
            let key = self.scan.key()?;
            entry(self, key)?;
            more = self.scan.more(b'}')?;
        }
        Ok(())
    }

    #[inline]
    fn list<T>(&mut self, mut element: impl FnMut(&mut Self) -> Filled<T>) -> Filled<Vec<T>> {
        let mut list = Vec::new();
        let mut more = self.scan.opens(b'[', b']')?;
        while more {
            self.count()?;
            list.push(element(self)?);
            more = self.scan.more(b']')?;
        }
        Ok(list)
    }

    /// Counts an entry of a list or a map.
    fn count(&mut self) -> Filled {
        self.entries += 1;
        if self.entries <= self.limits.request_entries { Ok(()) } else { Err(Refused) }
    }

    /// `null` stands for what is left out.
    fn maybe<T>(&mut self, read: impl FnOnce(&mut Self) -> Filled<T>) -> Filled<Option<T>> {
        if self.scan.null() { Ok(None) } else { read(self).map(Some) }
    }

    fn text(&mut self) -> Filled<&'j str> {
        self.scan.text()
    }

    fn name(&mut self) -> Filled<&'j str> {
        match self.scan.text()? {
            "" => Err(Refused),
            name => Ok(name),
        }
    }

    fn instant(&mut self) -> Filled<i64> {
        self.scan.instant()
    }

    fn request(&mut self) -> Filled<Draft<'j>> {
        let number = |key: &str| {
            Some(match key {
                "stage" => 0,
                "build" => 1,
                "now" => 2,
                "trigger" => 3,
                "action" => 4,
                "requester" => 5,
                "current" => 6,
                "deploying" => 7,
                "history" => 8,
                "approvals" => 9,
                "overrides" => 10,
                "groups" => 11,
                "facts" => 12,
                _ => return None,
            })
        };
        let mut draft = Draft::blank(self.no_facts());
        let seen = self.object(number, |quick, field| {
            match field {
                0 => draft.stage = quick.name()?,
                1 => draft.build = quick.build()?,
                2 => draft.now = quick.maybe(Self::instant)?,
                3 => draft.trigger = quick.maybe(Self::trigger)?,
                4 => draft.action = quick.maybe(Self::action)?,
                5 => draft.requester = quick.maybe(Self::name)?,
                6 => draft.current = quick.current(&mut draft.deploying)?,
                7 => quick.deploying(&mut draft.deploying)?,
                8 => draft.history = quick.maybe(|quick| quick.list(Self::run))?.unwrap_or_default(),
                9 => draft.approvals = quick.maybe(|quick| quick.list(Self::approval))?.unwrap_or_default(),
                10 => draft.overrides = quick.maybe(|quick| quick.list(Self::invocation))?.unwrap_or_default(),
                11 => draft.groups = quick.maybe(Self::groups)?.unwrap_or_default(),
                _ => {
                    if let Some(facts) = quick.maybe(Self::facts)? {
                        draft.facts = facts;
                    }
                }
            }
            Ok(())
        })?;
        seen.need(2)?;
        Ok(draft)
    }

    fn action(&mut self) -> Filled<Action> {
        match self.scan.text()? {
            "promote" => Ok(Action::Promote),
            "redeploy" => Ok(Action::Redeploy),
            "rollback" => Ok(Action::Rollback),
            _ => Err(Refused),
        }
    }

    fn trigger(&mut self) -> Filled<Trigger<'j>> {
        let number = |key: &str| {
            Some(match key {
                "kind" => 0,
                "branch" => 1,
                "by" => 2,
                "of" => 3,
                "name" => 4,
                "at" => 5,
                _ => return None,
            })
        };
        let (mut kind, mut text, mut at) = ("", None, None);
        let seen = self.object(number, |quick, field| {
            match field {
                0 => kind = quick.scan.text()?,
                5 => at = quick.maybe(Self::instant)?,
                // Of these the kind takes one at most.
                _ => text = quick.maybe(Self::text)?,
            }
            Ok(())
        })?;
        seen.need(1)?;
        let is_name = text != Some("");
        let (own, trigger) = match kind {
            "push" => (1, Trigger::Push(text)),
            "pull-request" => (1, Trigger::PullRequest(text)),
            "manual" if is_name => (2, Trigger::Manual(text)),
            "completion" if is_name => (3, Trigger::Completion(text)),
            "event" if is_name => (4, Trigger::Event(text)),
            "schedule" => (5, Trigger::Schedule(at)),
            _ => return Err(Refused),
        };
        if (1..=5).any(|field| field != own && seen.has(field)) { Err(Refused) } else { Ok(trigger) }
    }

    fn build(&mut self) -> Filled<Build<'j>> {
        let number = |key: &str| {
            Some(match key {
                "id" => 0,
                "digest" => 1,
                "version" => 2,
                "branch" => 3,
                "commit" => 4,
                "author" => 5,
                "contributors" => 6,
                "labels" => 7,
                "created" => 8,
                _ => return None,
            })
        };
        let mut build = Build::default();
        let seen = self.object(number, |quick, field| {
            match field {
                0 => build.id = quick.name()?,
                1 => build.digest = quick.maybe(Self::name)?,
                2 => build.version = quick.maybe(Self::text)?,
                3 => build.branch = quick.maybe(Self::text)?,
                4 => build.commit = quick.maybe(Self::text)?,
                5 => build.author = quick.maybe(Self::name)?,
                6 => build.contributors = quick.maybe(|quick| quick.list(Self::name))?,
                7 => build.labels = quick.maybe(|quick| quick.list(Self::text))?,
                _ => build.created = quick.maybe(Self::instant)?,
            }
            Ok(())
        })?;
        seen.need(1)?;
        Ok(build)
    }

    fn current(&mut self, deploying: &mut Deploying<'j>) -> Filled<Current<'j>> {
        if self.scan.null() {
            return Ok(Current::Nothing);
        }
        let number = |key: &str| {
            Some(match key {
                "id" => 0,
                "digest" => 1,
                "version" => 2,
                "created" => 3,
                "at" => 4,
                "deploying" => 5,
                _ => return None,
            })
        };
        let mut occupant = Occupant::default();
        self.object(number, |quick, field| {
            match field {
                0 => occupant.id = quick.maybe(Self::name)?,
                1 => occupant.digest = quick.maybe(Self::name)?,
                2 => occupant.version = quick.maybe(Self::text)?,
                3 => occupant.created = quick.maybe(Self::instant)?,
                4 => occupant.at = quick.maybe(Self::instant)?,
                _ => quick.deploying(deploying)?,
            }
            Ok(())
        })?;
        Ok(Current::Build(occupant))
    }

    /// It may be said in one place only.
    fn deploying(&mut self, deploying: &mut Deploying<'j>) -> Filled {
        if *deploying != Deploying::Unknown {
            return Err(Refused);
        }
        *deploying = self.maybe(Self::name)?.map_or(Deploying::Nothing, Deploying::Build);
        Ok(())
    }

    fn run(&mut self) -> Filled<Run<'j>> {
        let number = |key: &str| {
            Some(match key {
                "stage" => 0,
                "status" => 1,
                "at" => 2,
                "digest" => 3,
                "build" => 4,
                _ => return None,
            })
        };
        let mut run = Run { stage: "", status: RunStatus::Pending, at: 0, digest: None, build: None };
        let seen = self.object(number, |quick, field| {
            match field {
                0 => run.stage = quick.name()?,
                1 => run.status = run_status(quick.scan.text()?).ok_or(Refused)?,
                2 => run.at = quick.instant()?,
                3 => run.digest = quick.maybe(Self::name)?,
                _ => run.build = quick.maybe(Self::name)?,
            }
            Ok(())
        })?;
        seen.need(3)?;
        Ok(run)
    }

    fn approval(&mut self) -> Filled<Approval<'j>> {
        let number = |key: &str| {
            Some(match key {
                "by" => 0,
                "decision" => 1,
                "at" => 2,
                "stage" => 3,
                "build" => 4,
                "digest" => 5,
                "comment" => 6,
                _ => return None,
            })
        };
        let mut approval = Approval { by: "", decision: Word::Withdraw, at: 0, about: About::default(), comment: None };
        let seen = self.object(number, |quick, field| {
            match field {
                0 => approval.by = quick.name()?,
                1 => {
                    approval.decision = match quick.scan.text()? {
                        "approve" => Word::Approve,
                        "reject" => Word::Reject,
                        "withdraw" => Word::Withdraw,
                        _ => return Err(Refused),
                    }
                }
                2 => approval.at = quick.instant()?,
                3 => approval.about.stage = quick.maybe(Self::name)?,
                4 => approval.about.build = quick.maybe(Self::name)?,
                5 => approval.about.digest = quick.maybe(Self::name)?,
                _ => approval.comment = quick.maybe(Self::text)?,
            }
            Ok(())
        })?;
        seen.need(3)?;
        Ok(approval)
    }

    fn invocation(&mut self) -> Filled<Invocation<'j>> {
        let number = |key: &str| {
            Some(match key {
                "name" => 0,
                "by" => 1,
                "at" => 2,
                "reason" => 3,
                "stage" => 4,
                "build" => 5,
                "digest" => 6,
                _ => return None,
            })
        };
        let mut invocation = Invocation { name: "", by: "", at: 0, reason: None, about: About::default() };
        let seen = self.object(number, |quick, field| {
            match field {
                0 => invocation.name = quick.name()?,
                1 => invocation.by = quick.name()?,
                2 => invocation.at = quick.instant()?,
                3 => invocation.reason = quick.maybe(Self::text)?,
                4 => invocation.about.stage = quick.maybe(Self::name)?,
                5 => invocation.about.build = quick.maybe(Self::name)?,
                _ => invocation.about.digest = quick.maybe(Self::name)?,
            }
            Ok(())
        })?;
        seen.need(3)?;
        Ok(invocation)
    }

    fn groups(&mut self) -> Filled<Vec<(&'j str, Vec<&'j str>)>> {
        let mut groups = Vec::new();
        self.map(|quick, key| {
            quick.count()?;
            groups.push((key, quick.list(Self::name)?));
            Ok(())
        })?;
        each_once(&mut groups)?;
        Ok(groups)
    }

    /// Of a request that gives none.
    fn no_facts(&self) -> Facts<'j> {
        match self.program {
            None => Facts::Made(BTreeMap::new()),
            Some(_) => Facts::Declared(Vec::new(), Vec::new()),
        }
    }

    fn facts(&mut self) -> Filled<Facts<'j>> {
        let Some(program) = self.program else { return self.entries(0).map(Facts::Made) };
        let mut facts = vec![SlotValue::Missing; program.facts.len()];
        let mut ignored = Vec::new();
        self.map(|quick, key| {
            quick.count()?;
            // They are sorted by name.
            let Ok(index) = program.facts.binary_search_by(|decl| decl.name.as_str().cmp(key)) else {
                ignored.push((key, ()));
                return quick.value(0).map(|_| ());
            };
            let (Some(decl), Some(place)) = (program.facts.get(index), facts.get_mut(index)) else {
                return Err(Refused);
            };
            if !matches!(place, SlotValue::Missing) {
                return Err(Refused);
            }
            *place = match quick.scan.token() {
                Some(b'n') if decl.optional && quick.scan.null() => SlotValue::Null,
                _ => quick.declared(&decl.ty, 0)?,
            };
            Ok(())
        })?;
        each_once(&mut ignored)?;
        Ok(Facts::Declared(facts, ignored.into_iter().map(|(name, ())| name).collect()))
    }

    /// The entries of a map of values, or the facts.
    fn entries(&mut self, depth: usize) -> Filled<BTreeMap<String, Value>> {
        let mut entries = BTreeMap::new();
        self.map(|quick, key| {
            quick.count()?;
            let value = quick.value(depth)?;
            if entries.insert(key.to_owned(), value).is_none() { Ok(()) } else { Err(Refused) }
        })?;
        Ok(entries)
    }

    /// Whether there may be a list or a map within so many.
    fn deeper(&self, depth: usize) -> bool {
        depth < self.limits.request_depth.min(DEPTH)
    }

    /// A value within so many lists and maps.
    fn value(&mut self, depth: usize) -> Filled<Value> {
        match self.scan.token() {
            Some(b'"') => self.text().map(|text| Value::String(text.to_owned())),
            Some(b'{') if self.deeper(depth) => self.entries(depth + 1).map(Value::Map),
            Some(b'[') if self.deeper(depth) => self.list(|quick| quick.value(depth + 1)).map(Value::List),
            Some(b'-' | b'0'..=b'9') => self.scan.number().map(Value::Number),
            Some(b't') if self.scan.word("true") => Ok(Value::Bool(true)),
            Some(b'f') if self.scan.word("false") => Ok(Value::Bool(false)),
            Some(b'n') if self.scan.word("null") => Ok(Value::Null),
            _ => Err(Refused),
        }
    }

    /// A value of a type; what [`super::prepare`] makes of it.
    fn declared(&mut self, ty: &Type, depth: usize) -> Filled<SlotValue> {
        Ok(match ty {
            Type::Bool if self.scan.word("true") => SlotValue::Bool(true),
            Type::Bool if self.scan.word("false") => SlotValue::Bool(false),
            Type::Bool => return Err(Refused),
            Type::Number => SlotValue::Number(self.scan.number()?),
            Type::String | Type::User => SlotValue::String(self.text()?.into()),
            Type::Time => SlotValue::Time(time::quick(self.text()?).ok_or(Refused)?),
            Type::Duration => SlotValue::Duration(duration(self.text()?).ok_or(Refused)?),
            Type::Version => SlotValue::Version(Box::new(semver::Version::parse(self.text()?).map_err(|_| Refused)?)),
            Type::Enum(values) if values.builtin == Some("status") => {
                SlotValue::Status(status_index(run_status(self.text()?).ok_or(Refused)?))
            }
            Type::Enum(values) => {
                let text = self.text()?;
                SlotValue::Enum(values.values.iter().position(|value| value == text).ok_or(Refused)? as u16)
            }
            Type::Set(_) | Type::Map(_) if !self.deeper(depth) => return Err(Refused),
            Type::Set(of) => SlotValue::Set(self.list(|quick| quick.declared(of, depth + 1))?),
            Type::Map(of) => {
                let mut entries: Vec<(Box<str>, SlotValue)> = Vec::new();
                self.map(|quick, key| {
                    quick.count()?;
                    entries.push((key.into(), quick.declared(of, depth + 1)?));
                    Ok(())
                })?;
                each_once(&mut entries)?;
                SlotValue::Map(entries)
            }
        })
    }
}

/// Sorts the entries of a map; no key may be given twice.
fn each_once<K: Ord, V>(entries: &mut [(K, V)]) -> Filled {
    let ascending = |entries: &[(K, V)]| entries.is_sorted_by(|(a, _), (b, _)| a < b);
    if !ascending(entries) {
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        if !ascending(entries) {
            return Err(Refused);
        }
    }
    Ok(())
}
