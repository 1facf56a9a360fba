//! Conditions, times and people of a policy in words.

use std::collections::{BTreeMap, BTreeSet};

use stagegate::syntax::tree::{
    After, AfterStage, Approve, Comparison, Cond, CondKind, Count, Date, DateTime, Except, File, Including, Item,
    Literal, Operand, Outcome, Override, Path, People, Quantifier, Quorum, Tail, TimeOfDay, Times, TimesItem,
    TimesKind, Trigger, Type, Weekday, Word, ZoneSpec,
};

use super::cron;
use crate::output::plain;

/// A group of at most so many members is told with their names.
const MAX_MEMBERS: usize = 6;

/// What names stand for, which decides how they are told.
#[derive(Debug, Default)]
pub struct Words<'a> {
    definitions: BTreeSet<&'a str>,
    /// Facts that are times.
    times: BTreeSet<&'a str>,
    /// The members; `None` when they come from a directory.
    groups: BTreeMap<&'a str, Option<Vec<&'a str>>>,
}

/// `a, b and c`
pub fn list(words: impl IntoIterator<Item = String>, last: &str) -> String {
    let words: Vec<String> = words.into_iter().collect();
    match words.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((end, rest)) => format!("{} {last} {end}", rest.join(", ")),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", plain(text))
}

impl<'a> Words<'a> {
    pub fn new(files: &'a [File]) -> Words<'a> {
        let mut words = Words::default();
        for item in files.iter().flat_map(|file| &file.items) {
            match &item.value {
                Item::Define(define) => {
                    words.definitions.insert(&define.name.value);
                }
                Item::Fact(fact) if fact.ty.value == Type::Time => {
                    words.times.insert(&fact.name.value);
                }
                Item::Group(group) => {
                    let members = group.members.as_ref().map(|m| m.iter().map(|w| w.value.as_str()).collect());
                    words.groups.insert(&group.name.value, members);
                }
                _ => {}
            }
        }
        words
    }

    // ------------------------------------------------------------ conditions

    /// The parser bounds the depth of conditions, and so of this.
    pub fn cond(&self, cond: &Cond) -> String {
        match &cond.kind {
            CondKind::And(parts) => parts.iter().map(|c| self.part(c)).collect::<Vec<_>>().join(" and "),
            CondKind::Or(parts) => parts.iter().map(|c| self.part(c)).collect::<Vec<_>>().join(" or "),
            CondKind::Not(inner) => format!("not {}", self.part(inner)),
            CondKind::Test(left, tail) => format!("{} {}", self.operand(left), self.tail(tail, self.is_time(left))),
            CondKind::Each(quantifier, over, tail) => {
                let over = self.operand(over);
                let of = match quantifier {
                    Quantifier::Every => "every one of",
                    Quantifier::Any => "at least one of",
                    Quantifier::No => "none of",
                };
                format!("{of} {over} {}", self.tail(tail, false))
            }
            CondKind::Bare(Operand::Path(path)) => match path.parts.as_slice() {
                [one] if self.definitions.contains(one.word.value.as_str()) => one.word.value.clone(),
                _ => format!("{} is true", self.path(path)),
            },
            CondKind::Bare(Operand::Literal(literal)) => match &literal.value {
                Literal::Bool(true) => "always".to_string(),
                Literal::Bool(false) => "never".to_string(),
                other => self.literal(other),
            },
            CondKind::Bare(operand) => self.operand(operand),
        }
    }

    fn part(&self, cond: &Cond) -> String {
        match &cond.kind {
            CondKind::And(_) | CondKind::Or(_) => format!("({})", self.cond(cond)),
            CondKind::Test(..) | CondKind::Each(..) | CondKind::Bare(_) | CondKind::Not(_) => self.cond(cond),
        }
    }

    /// Times are before and after, not less and more.
    fn is_time(&self, operand: &Operand) -> bool {
        match operand {
            Operand::Literal(literal) => matches!(literal.value, Literal::Date(_) | Literal::DateTime(_)),
            Operand::Path(path) => match path.parts.as_slice() {
                [one] => one.word.value == "now" || self.times.contains(one.word.value.as_str()),
                [.., last] => !last.quoted && matches!(last.word.value.as_str(), "at" | "created"),
                [] => false,
            },
            Operand::List(_) => false,
        }
    }

    fn tail(&self, tail: &Tail, time: bool) -> String {
        match tail {
            Tail::Compare(comparison, right) => {
                let number = matches!(right, Operand::Literal(l) if matches!(l.value, Literal::Number { .. }));
                let time = !number && (time || self.is_time(right));
                let right = self.operand(right);
                match comparison.value {
                    Comparison::Lt if time => format!("is before {right}"),
                    Comparison::Le if time => format!("is not after {right}"),
                    Comparison::Gt if time => format!("is after {right}"),
                    Comparison::Ge if time => format!("is not before {right}"),
                    Comparison::Eq => format!("is {right}"),
                    Comparison::Ne => format!("is not {right}"),
                    Comparison::Lt => format!("is less than {right}"),
                    Comparison::Le => format!("is at most {right}"),
                    Comparison::Gt => format!("is more than {right}"),
                    Comparison::Ge => format!("is at least {right}"),
                }
            }
            Tail::In { negated, of: Operand::List(items) } => {
                let one = if *negated { "is none of" } else { "is one of" };
                format!("{one} {}", list(items.iter().map(|i| self.operand(i)), "or"))
            }
            Tail::In { negated, of } => {
                format!("{} {}", if *negated { "is not in" } else { "is in" }, self.operand(of))
            }
            Tail::Contains(right) => format!("contains {}", self.operand(right)),
            Tail::StartsWith(right) => format!("begins with {}", self.operand(right)),
            Tail::EndsWith(right) => format!("ends with {}", self.operand(right)),
            Tail::Glob(glob) => format!("is like {}", quoted(glob)),
            Tail::Regex(regex) => format!("matches /{}/", plain(regex)),
            Tail::IsSet => "is known".to_string(),
            Tail::IsMissing => "is missing".to_string(),
        }
    }

    fn operand(&self, operand: &Operand) -> String {
        match operand {
            Operand::Path(path) => self.path(path),
            Operand::Literal(literal) => self.literal(&literal.value),
            // A list holds no list.
            Operand::List(items) => list(items.iter().map(|i| self.operand(i)), "or"),
        }
    }

    fn path(&self, path: &Path) -> String {
        let parts = path.parts.iter().map(|p| if p.quoted { quoted(&p.word) } else { p.word.value.clone() });
        parts.collect::<Vec<_>>().join(".")
    }

    fn literal(&self, literal: &Literal) -> String {
        match literal {
            Literal::Bool(value) => value.to_string(),
            Literal::Number { text, .. } => text.clone(),
            Literal::String(text) => quoted(text),
            Literal::Duration(duration) => duration.text.clone(),
            Literal::Date(date) => self::date(*date),
            Literal::DateTime(at) => date_time(at),
        }
    }

    // ------------------------------------------------------------ people

    pub fn quorum(&self, quorum: &Quorum) -> String {
        let people = self.people(&quorum.people, true);
        match quorum.count.value {
            Count::Number(n) => format!("{n} of {people}"),
            Count::All => format!("all of {people}"),
        }
    }

    pub fn people(&self, people: &[People], members: bool) -> String {
        let told = people.iter().map(|term| match term {
            People::Group(name) => self.group(name, members),
            People::List(names) => list(names.iter().map(|n| plain(n)), "or"),
        });
        list(told, "or")
    }

    fn group(&self, name: &Word, members: bool) -> String {
        match self.groups.get(name.value.as_str()) {
            Some(Some(people)) if members && people.len() <= MAX_MEMBERS => {
                format!("{} ({})", name.value, people.iter().map(|p| plain(p)).collect::<Vec<_>>().join(", "))
            }
            Some(Some(people)) if members => format!("{} ({} people)", name.value, people.len()),
            Some(None) if members => format!("{} (from the directory)", name.value),
            _ => name.value.clone(),
        }
    }

    fn except(&self, terms: &[Except]) -> Option<String> {
        let told = terms.iter().map(|term| match term {
            Except::Requester(_) => "whoever asks".to_string(),
            Except::ApproversOf(rule) => format!("those who count for {}", rule.value),
            Except::Name(name) => name.value.clone(),
            Except::People(names) => list(names.iter().map(|n| plain(n)), "and"),
        });
        (!terms.is_empty()).then(|| format!("but not {}", list(told, "nor")))
    }

    /// The author is told only where the rule lets them in: else it goes without saying, once for all rules.
    fn including(including: Including) -> String {
        match including {
            Including::Author => "the author may be one of them".to_string(),
            Including::Contributors => "the author and contributors may be among them".to_string(),
        }
    }

    pub fn approve(&self, approve: &Approve) -> String {
        let mut told = vec![self.quorum(&approve.quorum)];
        told.extend(self.except(&approve.except));
        told.extend(approve.including.as_ref().map(|i| Self::including(i.value)));
        told.extend(approve.since.as_ref().map(|stage| format!("given after the build succeeded in {}", stage.value)));
        told.extend(approve.valid.as_ref().map(|valid| format!("not older than {}", valid.text)));
        told.join(", ")
    }

    pub fn override_rule(&self, rule: &Override) -> String {
        let mut who = vec![self.quorum(&rule.quorum)];
        who.extend(self.except(&rule.except));
        who.extend(rule.including.as_ref().map(|i| Self::including(i.value)));
        let rules = list(rule.rules.iter().map(|r| r.value.clone()), "and");
        let may = if rule.all_but { format!("everything but {rules}") } else { rules };
        let mut told = format!("{} may skip {may}", who.join(", "));
        if let Some(valid) = &rule.valid {
            told.push_str(&format!(", for {}", valid.text));
        }
        if rule.reason_required {
            told.push_str("; a reason is required");
        }
        told
    }

    // ------------------------------------------------------------ triggers

    pub fn trigger(&self, trigger: &Trigger) -> String {
        let to = |to: &Option<Word>| to.as_ref().map(|glob| format!(" to {}", quoted(glob))).unwrap_or_default();
        match trigger {
            Trigger::Push { to: glob } => format!("a push{}", to(glob)),
            Trigger::PullRequest { to: glob } => format!("a pull request{}", to(glob)),
            Trigger::Manual { by } if by.is_empty() => "a person".to_string(),
            Trigger::Manual { by } => format!("a person: {}", self.people(by, true)),
            Trigger::Completion { of: Some(stage) } => format!("the end of {}", stage.value),
            Trigger::Completion { of: None } => "the end of another stage".to_string(),
            Trigger::Event { name } => format!("the event {}", quoted(name)),
            Trigger::Schedule { cron: expression, zone, within, if_changed } => {
                let mut told = format!("the clock, {}", schedule(expression));
                if let Some(zone) = zone {
                    told.push_str(&format!(", {} time", plain(zone)));
                }
                if *if_changed {
                    told.push_str(", if the stage does not run this build yet");
                }
                if let Some(within) = within {
                    told.push_str(&format!(", at most {} late", within.text));
                }
                told
            }
        }
    }

    // ------------------------------------------------------------ times

    pub fn times(&self, times: &Times) -> String {
        // A zone covers its item and those before it, back to the previous item that has one.
        let mut zone = None;
        let mut zones: Vec<Option<&str>> = Vec::new();
        for item in times.except.iter().rev().chain(times.include.iter().rev()) {
            zone = item.zone.as_ref().map(|z| z.value.as_str()).or(zone);
            zones.push(zone);
        }
        zones.reverse();
        let shared =
            zones.first().copied().flatten().filter(|_| zones.windows(2).all(|pair| pair.first() == pair.last()));
        let mut zones = zones.into_iter();
        let mut all = |items: &[TimesItem]| -> Vec<String> {
            let told = items.iter().zip(zones.by_ref()).map(|(item, zone)| match zone {
                Some(zone) if shared.is_none() => format!("{} ({} time)", self.times_item(item), plain(zone)),
                _ => self.times_item(item),
            });
            told.collect()
        };
        let mut told = list(all(&times.include), "and");
        if !times.except.is_empty() {
            told.push_str(&format!(", but not {}", list(all(&times.except), "nor")));
        }
        match shared {
            Some(zone) if times.include.len() + times.except.len() > 1 => {
                format!("{told}; all in {} time", plain(zone))
            }
            Some(zone) => format!("{told} ({} time)", plain(zone)),
            None => told,
        }
    }

    fn times_item(&self, item: &TimesItem) -> String {
        let until = |start: TimeOfDay, end: TimeOfDay| {
            let next = if end.0 <= start.0 { " the next day" } else { "" };
            format!("{} to {}{next}", clock(start), clock(end))
        };
        match &item.kind {
            TimesKind::Weekly { days: (first, last), start, end } if first.value == last.value => {
                format!("every {} {}", weekday(first.value), until(start.value, end.value))
            }
            TimesKind::Weekly { days: (first, last), start, end } => {
                let (first, last) = (weekday(first.value), weekday(last.value));
                format!("{first} to {last} {}", until(start.value, end.value))
            }
            TimesKind::Daily { start, end } => format!("every day {}", until(start.value, end.value)),
            TimesKind::WeekSpan { start, end } => {
                let edge = |(day, at): &(stagegate::syntax::tree::At<Weekday>, _)| {
                    let at: &stagegate::syntax::tree::At<TimeOfDay> = at;
                    format!("{} {}", weekday(day.value), clock(at.value))
                };
                format!("every week from {} to {}", edge(start), edge(end))
            }
            TimesKind::Dates { first, last: None } => date(first.value),
            TimesKind::Dates { first, last: Some(last) } => {
                format!("{} to {} (whole days)", date(first.value), date(last.value))
            }
            TimesKind::Span { start, end } => format!("{} to {}", date_time(start), date_time(end)),
            TimesKind::Yearly { first, last: None } => format!("every year on {}", month_day(first.value)),
            TimesKind::Yearly { first, last: Some(last) } => {
                format!("every year from {} to {} (whole days)", month_day(first.value), month_day(last.value))
            }
            TimesKind::Cron { expr, length } => format!("for {} {}", length.text, schedule(expr)),
            TimesKind::Calendar(name) => format!("the calendar {}", name.value),
        }
    }
}

/// `every day at 03:00 (cron 0 3 * * *)`
pub fn schedule(expression: &str) -> String {
    match cron::words(expression) {
        Some(words) => format!("{words} (cron {})", plain(expression)),
        None => format!("cron {}", plain(expression)),
    }
}

pub fn after(after: &After) -> String {
    let stages: Vec<String> = after.stages.iter().map(after_stage).collect();
    match (after.any, stages.len()) {
        (true, 2..) => format!("any one of: {}", list(stages, "or")),
        _ => list(stages, "and"),
    }
}

fn after_stage(after: &AfterStage) -> String {
    let ends: Vec<String> = match after.outcomes.as_slice() {
        [] => vec!["has succeeded".to_string()],
        outcomes => outcomes
            .iter()
            .map(|o| {
                format!(
                    "has {}",
                    outcome(o.value).replace("skipped", "been skipped").replace("cancelled", "been cancelled")
                )
            })
            .collect(),
    };
    format!("{} {}", after.stage.value, list(ends, "or").replace("has completed", "has ended, however it ended"))
}

pub fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded => "succeeded",
        Outcome::Failed => "failed",
        Outcome::Skipped => "skipped",
        Outcome::Cancelled => "cancelled",
        Outcome::Pending => "pending",
        Outcome::Completed => "completed",
    }
}

pub fn type_words(ty: &Type) -> String {
    match ty {
        Type::Bool => "yes or no".to_string(),
        Type::Number => "a number".to_string(),
        Type::String => "a text".to_string(),
        Type::Time => "a time".to_string(),
        Type::Duration => "a length of time".to_string(),
        Type::Version => "a version".to_string(),
        Type::User => "a person".to_string(),
        Type::Status => "a status".to_string(),
        Type::Enum(values) => format!("one of {}", list(values.iter().map(|v| v.value.clone()), "or")),
        // Collections hold no collections, or at most a bounded number: the parser sees to that.
        Type::Set(of) => format!("a set, each {}", type_words(&of.value)),
        Type::Map(of) => format!("by name, each {}", type_words(&of.value)),
    }
}

fn weekday(day: Weekday) -> &'static str {
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
        .get(usize::from(day.0))
        .copied()
        .unwrap_or("?")
}

fn clock(time: TimeOfDay) -> String {
    format!("{:02}:{:02}", time.0 / 60, time.0 % 60)
}

fn date(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)
}

fn date_time(at: &DateTime) -> String {
    let (hour, minute, second) = (at.second / 3_600, at.second / 60 % 60, at.second % 60);
    let seconds = if second == 0 { String::new() } else { format!(":{second:02}") };
    let zone = match at.zone.as_ref().map(|z| &z.value) {
        None => String::new(),
        Some(ZoneSpec::Offset(0)) => " UTC".to_string(),
        Some(ZoneSpec::Offset(east)) => {
            let sign = if *east < 0 { '-' } else { '+' };
            let east = east.unsigned_abs();
            format!(" {sign}{:02}:{:02}", east / 3_600, east / 60 % 60)
        }
        Some(ZoneSpec::Named(name)) => format!(" {}", plain(name)),
    };
    format!("{} {hour:02}:{minute:02}{seconds}{zone}", date(at.date))
}

fn month_day((month, day): (u32, u32)) -> String {
    let month = (month as usize).checked_sub(1).and_then(|m| super::cron::MONTHS.get(m)).copied().unwrap_or("?");
    format!("{day} {month}")
}
