//! Ordinary requests in JSON, read in half the time.
//!
//! What is out of the ordinary (texts with escapes), or wrong, is refused without a word; [`super::read`] then reads it
//! all the same, or tells what is wrong. What is read here needs no [`Request::check`] any more.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::request::{
    Action, Approval, Build, Current, Deploying, Invocation, Occupant, Request, Run, RunStatus, TriggerFact, Value,
    Word,
};
use crate::Limits;
use crate::decide::verdict::filling::{Filled, Refused, run_status};
use crate::decide::verdict::scan::Scan;

/// Reads a request that is within the limits.
pub(super) fn read(text: &str, limits: &Limits) -> Filled<Request> {
    let mut quick = Quick { scan: Scan::new(text), limits, entries: 0 };
    let request = quick.request()?;
    quick.scan.end()?;
    Ok(request)
}

/// Facts that are nested deeper take the long way, even where the limits allow more.
const DEPTH: usize = 16;

struct Quick<'j, 'l> {
    scan: Scan<'j>,
    limits: &'l Limits,
    /// Entries so far, as the limits count them.
    entries: usize,
}

/// The fields of an object that have been seen; each may be given once.
#[derive(Default)]
struct Seen(u32);

impl Seen {
    /// The number of a field among the names, which is refused if there is none, or if it was seen before.
    fn field(&mut self, names: &[&str], key: &str) -> Filled<usize> {
        let field = names.iter().position(|name| *name == key).ok_or(Refused)?;
        let bit = 1 << field;
        if self.0 & bit != 0 {
            return Err(Refused);
        }
        self.0 |= bit;
        Ok(field)
    }

    fn has(&self, field: usize) -> bool {
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
    fn object(&mut self, names: &[&str], mut field: impl FnMut(&mut Self, usize) -> Filled) -> Filled<Seen> {
        let mut seen = Seen::default();
        self.map(|quick, key| {
            let number = seen.field(names, key)?;
            field(quick, number)
        })?;
        Ok(seen)
    }

    fn map(&mut self, mut entry: impl FnMut(&mut Self, &'j str) -> Filled) -> Filled {
        let mut more = self.scan.opens(b'{', b'}')?;
        while more {
            let key = self.scan.key()?;
            entry(self, key)?;
            more = self.scan.more(b'}')?;
        }
        Ok(())
    }

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

    fn text(&mut self) -> Filled<String> {
        self.scan.text().map(str::to_owned)
    }

    fn name(&mut self) -> Filled<String> {
        match self.scan.text()? {
            "" => Err(Refused),
            name => Ok(name.to_owned()),
        }
    }

    fn instant(&mut self) -> Filled<DateTime<Utc>> {
        self.scan.instant().map(DateTime::from_timestamp_nanos)
    }

    fn request(&mut self) -> Filled<Request> {
        const FIELDS: [&str; 13] = [
            "stage",
            "build",
            "now",
            "trigger",
            "action",
            "requester",
            "current",
            "deploying",
            "history",
            "approvals",
            "overrides",
            "groups",
            "facts",
        ];
        let mut request = Request::to(String::new());
        let seen = self.object(&FIELDS, |quick, field| {
            match field {
                0 => request.stage = quick.name()?,
                1 => request.build = quick.build()?,
                2 => request.now = quick.maybe(Self::instant)?,
                3 => request.trigger = quick.maybe(Self::trigger)?,
                4 => request.action = quick.maybe(Self::action)?,
                5 => request.requester = quick.maybe(Self::name)?,
                6 => request.current = quick.current(&mut request.deploying)?,
                7 => quick.deploying(&mut request.deploying)?,
                8 => request.history = quick.maybe(|quick| quick.list(Self::run))?.unwrap_or_default(),
                9 => request.approvals = quick.maybe(|quick| quick.list(Self::approval))?.unwrap_or_default(),
                10 => request.overrides = quick.maybe(|quick| quick.list(Self::invocation))?.unwrap_or_default(),
                11 => request.groups = quick.maybe(Self::groups)?.unwrap_or_default(),
                _ => request.facts = quick.maybe(|quick| quick.entries(0))?.unwrap_or_default(),
            }
            Ok(())
        })?;
        seen.need(2)?;
        Ok(request)
    }

    fn action(&mut self) -> Filled<Action> {
        match self.scan.text()? {
            "promote" => Ok(Action::Promote),
            "redeploy" => Ok(Action::Redeploy),
            "rollback" => Ok(Action::Rollback),
            _ => Err(Refused),
        }
    }

    fn trigger(&mut self) -> Filled<TriggerFact> {
        let (mut kind, mut text, mut at) = ("", None, None);
        let seen = self.object(&["kind", "branch", "by", "of", "name", "at"], |quick, field| {
            match field {
                0 => kind = quick.scan.text()?,
                5 => at = quick.maybe(Self::instant)?,
                // Of these the kind takes one at most.
                _ => text = quick.maybe(Self::text)?,
            }
            Ok(())
        })?;
        seen.need(1)?;
        let is_name = text.as_deref() != Some("");
        let (own, fact) = match kind {
            "push" => (1, TriggerFact::Push { branch: text }),
            "pull-request" => (1, TriggerFact::PullRequest { branch: text }),
            "manual" if is_name => (2, TriggerFact::Manual { by: text }),
            "completion" if is_name => (3, TriggerFact::Completion { of: text }),
            "event" if is_name => (4, TriggerFact::Event { name: text }),
            "schedule" => (5, TriggerFact::Schedule { at }),
            _ => return Err(Refused),
        };
        if (1..=5).any(|field| field != own && seen.has(field)) { Err(Refused) } else { Ok(fact) }
    }

    fn build(&mut self) -> Filled<Build> {
        const FIELDS: [&str; 9] =
            ["id", "digest", "version", "branch", "commit", "author", "contributors", "labels", "created"];
        let mut build = Build::default();
        let seen = self.object(&FIELDS, |quick, field| {
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

    fn current(&mut self, deploying: &mut Deploying) -> Filled<Current> {
        if self.scan.null() {
            return Ok(Current::Nothing);
        }
        let mut occupant = Occupant::default();
        self.object(&["id", "digest", "version", "created", "at", "deploying"], |quick, field| {
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
        Ok(Current::Build(Box::new(occupant)))
    }

    /// It may be said in one place only.
    fn deploying(&mut self, deploying: &mut Deploying) -> Filled {
        if *deploying != Deploying::Unknown {
            return Err(Refused);
        }
        *deploying = self.maybe(Self::name)?.map_or(Deploying::Nothing, Deploying::Build);
        Ok(())
    }

    fn run(&mut self) -> Filled<Run> {
        let mut run = Run::new(String::new(), RunStatus::Pending, DateTime::UNIX_EPOCH);
        let seen = self.object(&["stage", "status", "at", "digest", "build"], |quick, field| {
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

    fn approval(&mut self) -> Filled<Approval> {
        const FIELDS: [&str; 7] = ["by", "decision", "at", "stage", "build", "digest", "comment"];
        let mut approval = Approval::new(String::new(), Word::Withdraw, DateTime::UNIX_EPOCH);
        let seen = self.object(&FIELDS, |quick, field| {
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
                3 => approval.stage = quick.maybe(Self::name)?,
                4 => approval.build = quick.maybe(Self::name)?,
                5 => approval.digest = quick.maybe(Self::name)?,
                _ => approval.comment = quick.maybe(Self::text)?,
            }
            Ok(())
        })?;
        seen.need(3)?;
        Ok(approval)
    }

    fn invocation(&mut self) -> Filled<Invocation> {
        const FIELDS: [&str; 7] = ["name", "by", "at", "reason", "stage", "build", "digest"];
        let mut invocation = Invocation::new(String::new(), String::new(), DateTime::UNIX_EPOCH);
        let seen = self.object(&FIELDS, |quick, field| {
            match field {
                0 => invocation.name = quick.name()?,
                1 => invocation.by = quick.name()?,
                2 => invocation.at = quick.instant()?,
                3 => invocation.reason = quick.maybe(Self::text)?,
                4 => invocation.stage = quick.maybe(Self::name)?,
                5 => invocation.build = quick.maybe(Self::name)?,
                _ => invocation.digest = quick.maybe(Self::name)?,
            }
            Ok(())
        })?;
        seen.need(3)?;
        Ok(invocation)
    }

    fn groups(&mut self) -> Filled<BTreeMap<String, Vec<String>>> {
        let mut groups = BTreeMap::new();
        self.map(|quick, key| {
            quick.count()?;
            let members = quick.list(Self::name)?;
            if groups.insert(key.to_owned(), members).is_none() { Ok(()) } else { Err(Refused) }
        })?;
        Ok(groups)
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

    /// A value within so many lists and maps.
    fn value(&mut self, depth: usize) -> Filled<Value> {
        let deeper = depth < self.limits.request_depth.min(DEPTH);
        match self.scan.token() {
            Some(b'"') => self.text().map(Value::String),
            Some(b'{') if deeper => self.entries(depth + 1).map(Value::Map),
            Some(b'[') if deeper => self.list(|quick| quick.value(depth + 1)).map(Value::List),
            Some(b'-' | b'0'..=b'9') => self.scan.number().map(Value::Number),
            Some(b't') if self.scan.word("true") => Ok(Value::Bool(true)),
            Some(b'f') if self.scan.word("false") => Ok(Value::Bool(false)),
            Some(b'n') if self.scan.word("null") => Ok(Value::Null),
            _ => Err(Refused),
        }
    }
}
