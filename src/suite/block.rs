//! Requests written as test blocks, as a person would write them.

use std::fmt::Write;

use chrono::{DateTime, LocalResult, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

use super::run::reasons;
use crate::decide::{Decision, Status, Verdict};
use crate::facts::{
    Action, Build, Current, Deploying, Invocation, Occupant, Request, RunStatus, TriggerFact, Value, Word,
};
use crate::policy::Policy;
use crate::program::{Program, Type};

/// A request as the steps of a test, one a line, indented by two; `None` when the language has no words for a part of it.
pub(crate) fn steps(request: &Request, policy: &Policy) -> Option<String> {
    let mut page = Page { program: &policy.inner.program, zone: policy.zone(), out: String::new() };
    page.request(request)?;
    Some(page.out)
}

/// A request and the decision on it as a whole test block.
pub(crate) fn test(name: &str, request: &Request, expects: &[String], policy: &Policy) -> Option<String> {
    let mut out = format!("test {} {{\n{}", quoted(name), steps(request, policy)?);
    for expect in expects {
        let _ = writeln!(out, "  {expect}");
    }
    out.push_str("}\n");
    Some(out)
}

/// `expect Staging hold because qa until 2026-03-04 10:00`: everything that an `expect` can say of a verdict.
pub(crate) fn expect_verdict(decision: &Decision, zone: Tz) -> String {
    let mut out = format!("expect {} {}", decision.stage(), decision.verdict());
    let reasons = reasons(decision);
    if decision.verdict() != Verdict::Allow && !reasons.is_empty() {
        let _ = write!(out, " because {}", reasons.join(", "));
    }
    if let Some(until) = decision.valid_until() {
        let _ = write!(out, " until {}", local_time(until, zone));
    }
    out
}

/// `expect Staging rule qa is awaiting`
pub(crate) fn expect_rule(stage: &str, rule: &str, status: Status) -> String {
    format!("expect {stage} rule {rule} is {status}")
}

/// `expect Staging opens at 2026-03-04 10:00`
pub(crate) fn expect_opens(stage: &str, at: DateTime<Utc>, zone: Tz) -> String {
    format!("expect {stage} opens at {}", local_time(at, zone))
}

/// An instant as the language writes it: local where that is clear, else with its offset.
pub(crate) fn local_time(at: DateTime<Utc>, zone: Tz) -> String {
    let local = at.with_timezone(&zone);
    let seconds = local.second() != 0;
    let format = if seconds { "%Y-%m-%d %H:%M:%S" } else { "%Y-%m-%d %H:%M" };
    match zone.from_local_datetime(&local.naive_local()) {
        LocalResult::Single(_) => local.format(format).to_string(),
        _ => {
            let offset = if seconds { "%Y-%m-%d %H:%M:%S%:z" } else { "%Y-%m-%d %H:%M%:z" };
            local.format(offset).to_string()
        }
    }
}

/// A text as a string literal.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Whether a text can stand as a bare name.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// A person or a key: a bare name where that will do.
fn name(text: &str) -> String {
    if is_name(text) { text.to_string() } else { quoted(text) }
}

/// A text as a value: a bare name, unless it would be read as something else.
fn word(text: &str) -> String {
    let taken = ["none", "true", "false"];
    if is_name(text) && !taken.contains(&text) { text.to_string() } else { quoted(text) }
}

fn names<'a>(people: impl IntoIterator<Item = &'a String>) -> String {
    people.into_iter().map(|p| name(p)).collect::<Vec<_>>().join(", ")
}

struct Page<'a> {
    program: &'a Program,
    zone: Tz,
    out: String,
}

impl Page<'_> {
    fn line(&mut self, text: &str) {
        let _ = writeln!(self.out, "  {text}");
    }

    fn time(&self, at: DateTime<Utc>) -> Option<String> {
        (at.nanosecond() == 0).then(|| local_time(at, self.zone))
    }

    fn request(&mut self, request: &Request) -> Option<()> {
        let now = self.time(request.now?)?;
        self.line(&format!("at {now}"));
        self.build(&request.build, true)?;
        self.current(request)?;
        self.rest(request)
    }

    /// Everything after `at`, `build` and `current`.
    fn rest(&mut self, request: &Request) -> Option<()> {
        self.history(request)?;
        self.approvals(request)?;
        for (group, members) in &request.groups {
            self.line(&format!("group {} = [{}]", group, names(members)));
        }
        for (fact, value) in &request.facts {
            let ty = self.program.facts.iter().find(|f| f.name == *fact).map(|f| &f.ty);
            let value = self.value(value, ty)?;
            self.line(&format!("fact {fact} = {value}"));
        }
        let mut rest = request.overrides.as_slice();
        while let Some(first) = rest.first() {
            if first.stage.is_some() || first.build.is_some() || first.digest.is_some() {
                return None;
            }
            // Those who invoke the same for the same reason share a line.
            let same = |other: &&Invocation| **other == Invocation { by: other.by.clone(), ..first.clone() };
            let count = rest.iter().take_while(same).count();
            let (those, others) = rest.split_at_checked(count)?;
            rest = others;
            let at = self.time(first.at)?;
            let because = first.reason.as_ref().map_or(String::new(), |r| format!(" because {}", quoted(r)));
            let by = names(those.iter().map(|invoked| &invoked.by));
            self.line(&format!("override {} by {by} at {at}{because}", first.name));
        }
        if let Some(action) = request.action {
            let action = match action {
                Action::Promote => "promote",
                Action::Redeploy => "redeploy",
                Action::Rollback => "rollback",
            };
            self.line(&format!("action {action}"));
        }
        if let Some(requester) = &request.requester {
            self.line(&format!("requester {}", name(requester)));
        }
        if let Some(trigger) = &request.trigger {
            let line = self.trigger(trigger)?;
            self.line(&line);
        }
        Some(())
    }

    fn build(&mut self, build: &Build, with_id: bool) -> Option<()> {
        let mut fields: Vec<String> = with_id.then(|| format!("id: {}", quoted(&build.id))).into_iter().collect();
        let texts = [
            ("digest", &build.digest),
            ("version", &build.version),
            ("branch", &build.branch),
            ("commit", &build.commit),
        ];
        fields.extend(texts.into_iter().filter_map(|(key, text)| Some(format!("{key}: {}", quoted(text.as_ref()?)))));
        if let Some(author) = &build.author {
            fields.push(format!("author: {}", word(author)));
        }
        for (key, list) in [("contributors", &build.contributors), ("labels", &build.labels)] {
            if let Some(list) = list {
                let items: Vec<String> =
                    list.iter().map(|item| if key == "labels" { quoted(item) } else { word(item) }).collect();
                fields.push(format!("{key}: [{}]", items.join(", ")));
            }
        }
        if let Some(created) = build.created {
            fields.push(format!("created: {}", self.time(created)?));
        }
        self.fields("build", &fields);
        Some(())
    }

    fn fields(&mut self, what: &str, fields: &[String]) {
        let line = format!("{what} {{ {} }}", fields.join(", "));
        if line.len() <= 98 {
            return self.line(&line);
        }
        self.line(&format!("{what} {{"));
        for field in fields {
            self.line(&format!("  {field},"));
        }
        self.line("}");
    }

    fn current(&mut self, request: &Request) -> Option<()> {
        let mut fields = match &request.current {
            Current::Unknown => Vec::new(),
            Current::Nothing => {
                self.line("current none");
                match &request.deploying {
                    Deploying::Nothing => return Some(()),
                    // `current none` also says that nothing is being deployed.
                    _ => return None,
                }
            }
            Current::Build(occupant) => self.occupant(occupant)?,
        };
        match &request.deploying {
            Deploying::Unknown => {}
            Deploying::Nothing => fields.push("deploying: none".into()),
            Deploying::Build(id) => fields.push(format!("deploying: {}", quoted(id))),
        }
        if !fields.is_empty() {
            self.fields("current", &fields);
        }
        Some(())
    }

    fn occupant(&self, occupant: &Occupant) -> Option<Vec<String>> {
        let mut fields = Vec::new();
        for (key, text) in [("id", &occupant.id), ("digest", &occupant.digest), ("version", &occupant.version)] {
            fields.extend(text.as_ref().map(|text| format!("{key}: {}", quoted(text))));
        }
        for (key, at) in [("created", occupant.created), ("at", occupant.at)] {
            if let Some(at) = at {
                fields.push(format!("{key}: {}", self.time(at)?));
            }
        }
        Some(fields)
    }

    fn history(&mut self, request: &Request) -> Option<()> {
        for run in &request.history {
            if run.digest.is_some() || run.build.is_some() {
                return None;
            }
            let status = match run.status {
                RunStatus::Succeeded => "succeeded",
                RunStatus::Failed => "failed",
                RunStatus::Skipped => "skipped",
                RunStatus::Cancelled => "cancelled",
                RunStatus::Pending => "pending",
            };
            let at = self.time(run.at)?;
            self.line(&format!("{status} {} at {at}", run.stage));
        }
        Some(())
    }

    /// Those who said the same about the same at one time share a line.
    fn approvals(&mut self, request: &Request) -> Option<()> {
        let mut index = 0;
        while let Some(first) = request.approvals.get(index) {
            let rest = request.approvals.get(index..).unwrap_or_default();
            let same = rest.iter().take_while(|other| {
                (other.decision, other.at, &other.stage, &other.build)
                    == (first.decision, first.at, &first.stage, &first.build)
            });
            let same: Vec<_> = same.collect();
            index += same.len();
            if same.iter().any(|other| other.digest.is_some()) {
                return None;
            }
            let said = match first.decision {
                Word::Approve => "approved",
                Word::Reject => "rejected",
                Word::Withdraw => "withdrawn",
            };
            let stage = first.stage.as_ref().map_or(String::new(), |stage| format!(" for {stage}"));
            let build = first.build.as_ref().map_or(String::new(), |build| format!(" build {}", quoted(build)));
            let (by, at) = (names(same.iter().map(|other| &other.by)), self.time(first.at)?);
            self.line(&format!("{said} by {by} at {at}{stage}{build}"));
        }
        Some(())
    }

    fn trigger(&self, trigger: &TriggerFact) -> Option<String> {
        Some(match trigger {
            TriggerFact::Push { branch: None } => "push".into(),
            TriggerFact::Push { branch: Some(branch) } => format!("push to {}", quoted(branch)),
            TriggerFact::PullRequest { branch: None } => "pull-request".into(),
            TriggerFact::PullRequest { branch: Some(branch) } => format!("pull-request to {}", quoted(branch)),
            TriggerFact::Manual { by: None } => "manual".into(),
            TriggerFact::Manual { by: Some(by) } => format!("manual by {}", name(by)),
            TriggerFact::Completion { of: None } => "completion".into(),
            TriggerFact::Completion { of: Some(of) } => format!("completion of {of}"),
            TriggerFact::Event { name: None } => return None,
            TriggerFact::Event { name: Some(event) } => format!("event {}", quoted(event)),
            TriggerFact::Schedule { at: None } => "schedule".into(),
            TriggerFact::Schedule { at: Some(at) } => format!("schedule at {}", self.time(*at)?),
        })
    }

    /// Facts nest eight deep at most.
    fn value(&self, value: &Value, ty: Option<&Type>) -> Option<String> {
        let of = match ty {
            Some(Type::Set(of) | Type::Map(of)) => Some(&**of),
            _ => None,
        };
        Some(match value {
            Value::Null => "none".into(),
            Value::Bool(value) => value.to_string(),
            Value::Number(value) => value.to_string(),
            Value::String(text) => match ty {
                Some(Type::Time) => self.time(crate::facts::time::parse(text).ok()?)?,
                Some(Type::Duration) => text.clone(),
                Some(Type::String | Type::Version) => quoted(text),
                Some(_) | None => word(text),
            },
            Value::Time(at) => self.time(*at)?,
            Value::List(items) => {
                let items: Option<Vec<String>> = items.iter().map(|item| self.value(item, of)).collect();
                format!("[{}]", items?.join(", "))
            }
            Value::Map(entries) if entries.is_empty() => "{}".into(),
            Value::Map(entries) => {
                let entries: Option<Vec<String>> =
                    entries.iter().map(|(key, v)| Some(format!("{}: {}", name(key), self.value(v, of)?))).collect();
                format!("{{ {} }}", entries?.join(", "))
            }
        })
    }
}

/// The steps that make one request of another, when adding to it will do: for a test that takes the other in with
/// `given`.
pub(crate) fn added(base: &Request, request: &Request, policy: &Policy) -> Option<String> {
    let mut page = Page { program: &policy.inner.program, zone: policy.zone(), out: String::new() };
    if request.now != base.now {
        let now = page.time(request.now?)?;
        page.line(&format!("at {now}"));
    }
    let mut only = Request { now: request.now, ..Request::to("") };
    page.added_build(base, request)?;
    match (request.current == base.current, request.deploying == base.deploying) {
        (true, true) => {}
        // Fields of what the stage runs are taken over from what was said before.
        _ if matches!(base.current, Current::Build(_)) && request.current != base.current => return None,
        (_, same) => {
            only.current = request.current.clone();
            only.deploying = if same { Deploying::Unknown } else { request.deploying.clone() };
            let lost = matches!((&base.current, &request.current), (Current::Nothing, Current::Unknown));
            if lost || (request.deploying == Deploying::Unknown && !same) || page.current(&only).is_none() {
                return None;
            }
        }
    }
    only.history = request.history.strip_prefix(base.history.as_slice())?.to_vec();
    only.approvals = request.approvals.strip_prefix(base.approvals.as_slice())?.to_vec();
    only.overrides = request.overrides.strip_prefix(base.overrides.as_slice())?.to_vec();
    if base.groups.keys().any(|group| !request.groups.contains_key(group))
        || base.facts.keys().any(|fact| !request.facts.contains_key(fact))
    {
        return None;
    }
    let other = |(key, members): &(&String, &Vec<String>)| base.groups.get(*key) != Some(*members);
    only.groups = request.groups.iter().filter(other).map(|(k, v)| (k.clone(), v.clone())).collect();
    let other = |(key, value): &(&String, &Value)| base.facts.get(*key) != Some(*value);
    only.facts = request.facts.iter().filter(other).map(|(k, v)| (k.clone(), v.clone())).collect();
    if request.action != base.action {
        only.action = Some(request.action?);
    }
    if request.requester != base.requester {
        only.requester = Some(request.requester.clone()?);
    }
    if request.trigger != base.trigger {
        only.trigger = Some(request.trigger.clone()?);
    }
    page.rest(&only)?;
    Some(page.out)
}

impl Page<'_> {
    fn added_build(&mut self, base: &Request, request: &Request) -> Option<()> {
        let (old, new) = (&base.build, &request.build);
        if old == new {
            return Some(());
        }
        let mut only = Build::new(new.id.as_str());
        fn changed<T: Clone + PartialEq>(old: &Option<T>, new: &Option<T>) -> Option<Option<T>> {
            match (old, new) {
                (old, new) if old == new => Some(None),
                (_, Some(new)) => Some(Some(new.clone())),
                (_, None) => None,
            }
        }
        only.digest = changed(&old.digest, &new.digest)?;
        only.version = changed(&old.version, &new.version)?;
        only.branch = changed(&old.branch, &new.branch)?;
        only.commit = changed(&old.commit, &new.commit)?;
        only.author = changed(&old.author, &new.author)?;
        only.contributors = changed(&old.contributors, &new.contributors)?;
        only.labels = changed(&old.labels, &new.labels)?;
        only.created = changed(&old.created, &new.created)?;
        self.build(&only, old.id != new.id)
    }
}
