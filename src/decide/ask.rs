//! The questions that a policy answers.

use chrono::{DateTime, Utc};

use super::decision::{Decision, Stretch, Verdict};
use super::prepared::Prepared;
use super::search::{Found, Search};
use super::snapshot::{Case, SECOND};
use super::verdict::given::Given;
use super::verdict::{self, Reader, filling};
use crate::facts::prepare::{drafted, instant, nanos, prepare};
use crate::facts::quick;
use crate::facts::slots::Slots;
use crate::facts::{Request, RequestError};
use crate::policy::Policy;
use crate::program::{Body, Rule, Stage, Trigger};
use crate::schedule::NextEdge;

pub(super) fn in_range(what: &str, time: DateTime<Utc>) -> Result<(), RequestError> {
    match crate::facts::time::in_range(time) {
        true => Ok(()),
        false => Err(RequestError::out_of_range(what, time.to_rfc3339())),
    }
}

/// The verdict over a stretch of time, with nothing else changing.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Timeline {
    /// The stage asked for.
    pub stage: String,
    /// The id of the build.
    pub build: String,
    /// Stretches of one verdict each, in order of time; they touch, and together cover the time asked for.
    pub stretches: Vec<Stretch>,
    /// Whether the whole time asked for was searched; if not, the last stretch ends where the search was cut short.
    pub complete: bool,
}

/// A firing of a schedule of a stage.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Firing {
    /// When.
    pub at: DateTime<Utc>,
    /// The stage.
    pub stage: String,
    /// The name of the trigger.
    pub trigger: String,
}

/// What comes next in a stage, by the clock alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Coming {
    /// When.
    pub at: DateTime<Utc>,
    /// The stage.
    pub stage: String,
    /// The rule: a trigger, a window or a freeze.
    pub rule: String,
    /// What happens.
    pub what: Event,
}

/// What the clock does to a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// A schedule fires.
    Fires,
    /// A window opens.
    Opens,
    /// A window closes.
    Closes,
    /// A freeze begins.
    Freezes,
    /// A freeze ends.
    Thaws,
}

impl Event {
    /// `fires`, `opens`, `closes`, `freezes` or `thaws`.
    pub fn as_str(self) -> &'static str {
        match self {
            Event::Fires => "fires",
            Event::Opens => "opens",
            Event::Closes => "closes",
            Event::Freezes => "freezes",
            Event::Thaws => "thaws",
        }
    }
}

impl Policy {
    /// The verdict without a search, if there is one.
    #[inline]
    pub(crate) fn read(&self, given: &Given) -> Option<Verdict> {
        Reader::new(&self.inner, given)?.verdict()
    }

    pub(super) fn case<'a>(&'a self, slots: &'a Slots) -> Option<Case<'a>> {
        let inner = &*self.inner;
        let index = slots.stage.0 as usize;
        Some(Case {
            program: &inner.program,
            stage: inner.program.stages.get(index)?,
            plan: inner.plan.by_stage.get(index)?,
            slots,
            assume: Default::default(),
        })
    }

    /// May the build enter the stage? With every reason, what would change it, and how long the answer stands.
    ///
    /// # Errors
    /// When the request names a stage that the policy does not have, has no `now`, gives a fact of another type than
    /// the policy declares, or breaks what [`Request::check`] demands. All that is wrong is told at once.
    pub fn decide(&self, request: &Request) -> Result<Decision, RequestError> {
        self.prepare(request)?.decide()
    }

    /// The verdict alone.
    ///
    /// # Errors
    /// As [`Policy::decide`].
    pub fn verdict(&self, request: &Request) -> Result<Verdict, RequestError> {
        Ok(self.prepare(request)?.verdict())
    }

    /// The verdict on a request in JSON. An ordinary request goes straight from its bytes to the slots that the policy
    /// reads; nothing is built in between, and nothing allocated. What is out of the ordinary (overrides, texts with
    /// escapes, long lists), or wrong, goes by way of [`Request::from_json_with`] under the policy's own limits.
    ///
    /// ```
    /// # use stagegate::{Policy, Verdict};
    /// let policy = Policy::parse("p.gate", "fact coverage : number stage Dev { require covered: coverage >= 80 }")?;
    /// let json = br#"{ "stage": "Dev", "now": "2026-03-04T18:00:00Z", "build": { "id": "7" }, "facts": { "coverage": 91 } }"#;
    /// assert_eq!(policy.verdict_json(json)?, Verdict::Allow);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Request::from_json_with`] and [`Policy::decide`].
    pub fn verdict_json(&self, json: &[u8]) -> Result<Verdict, RequestError> {
        let fill = |filling: &mut filling::Filling<'_>| verdict::json::read(filling, json);
        match filling::filled(&self.inner, &[], fill, |given| self.read(given)) {
            Some(verdict) => Ok(verdict),
            None => self.verdict(&Request::from_json_with(json, &self.inner.limits)?),
        }
    }

    /// The decision on a request in JSON, as JSON, and its verdict: what [`Decision::to_json`] writes, without a decision
    /// in between.
    ///
    /// ```
    /// # use stagegate::{Decision, Policy, Verdict};
    /// let policy = Policy::parse("p.gate", "fact coverage : number stage Dev { require covered: coverage >= 80 }")?;
    /// let json = br#"{ "stage": "Dev", "now": "2026-03-04T18:00:00Z", "build": { "id": "7" }, "facts": { "coverage": 42 } }"#;
    /// let (verdict, decision) = policy.decide_json(json)?;
    /// assert_eq!(verdict, Verdict::Deny);
    /// assert!(decision.starts_with(r#"{"verdict":"deny","policy":"#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Request::from_json_with`] under the policy's own limits, and [`Policy::decide`].
    pub fn decide_json(&self, json: &[u8]) -> Result<(Verdict, String), RequestError> {
        let inner = &*self.inner;
        let slots = match quick::read(json, &inner.limits, Some(&inner.program)) {
            Ok(draft) => drafted(&inner.program, &inner.plan, draft)?,
            Err(_) => {
                let request = Request::from_json_with(json, &inner.limits)?;
                prepare(&inner.program, &inner.plan, &request, &inner.limits)?
            }
        };
        let case = self.case(&slots).ok_or_else(|| RequestError::missing("stage"))?;
        let telling = super::explain::decide(case);
        Ok((telling.verdict, telling.json()))
    }

    /// Reads a request once for a caller that asks many times.
    ///
    /// # Errors
    /// As [`Policy::decide`].
    pub fn prepare(&self, request: &Request) -> Result<Prepared, RequestError> {
        let inner = &*self.inner;
        let slots = prepare(&inner.program, &inner.plan, request, &inner.limits)?;
        Ok(Prepared::new(self.clone(), slots))
    }

    /// The verdict from `from` (inclusive) to `to` (exclusive), if nothing but time changes. The request's own `now` is
    /// not asked for.
    ///
    /// # Errors
    /// As [`Policy::decide`]; also when `to` is not later than `from`, or one of them lies outside 1970 to 2200.
    pub fn timeline(
        &self,
        request: &Request,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Timeline, RequestError> {
        in_range("from", from)?;
        if to <= from || nanos(to) == i64::MAX {
            return Err(RequestError::out_of_range("to", to.to_rfc3339()));
        }
        let inner = &*self.inner;
        let slots = prepare(&inner.program, &inner.plan, &request.clone().at(from), &inner.limits)?;
        let mut timeline = Timeline {
            stage: request.stage.clone(),
            build: request.build.id.clone(),
            stretches: Vec::new(),
            complete: true,
        };
        let Some(case) = self.case(&slots) else { return Ok(timeline) };
        let end = nanos(to);
        let mut here = nanos(from);
        while here < end {
            let mut search = Search::far(case);
            let snapshot = search.at(here);
            let verdict = search.verdict(&snapshot);
            let blocking =
                search.blocking(&snapshot).into_iter().filter_map(|rule| case.name(rule)).map(String::from).collect();
            let next = match search.changes_at(&snapshot) {
                Found::At(next) => next.min(end),
                Found::Never => end,
                Found::NotBefore(next) => {
                    timeline.complete = next >= end;
                    next.min(end)
                }
            };
            if next > here {
                timeline.stretches.push(Stretch { from: instant(here), to: instant(next), verdict, blocking });
            }
            if !timeline.complete {
                break;
            }
            here = next;
        }
        Ok(timeline)
    }

    fn stage(&self, name: &str) -> Result<&Stage, RequestError> {
        let program = &self.inner.program;
        program.stages.iter().find(|s| s.name == name).ok_or_else(|| {
            let stages: Vec<&str> = program.stages.iter().map(|s| s.name.as_str()).collect();
            RequestError::unknown_stage(name, &stages)
        })
    }

    /// The firings of the schedules of a stage in `(after, until]`, in order of time. The embedding tool asks this when
    /// its timer wakes it, with the instant up to which it has asked before, and makes one request with the trigger
    /// `schedule` for each. The list is made as it is read, so it costs nothing to stop early.
    ///
    /// # Errors
    /// When the policy has no such stage, or an instant lies outside 1970 to 2200.
    pub fn due(
        &self,
        stage: &str,
        after: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<impl Iterator<Item = Firing> + use<>, RequestError> {
        in_range("after", after)?;
        in_range("until", until)?;
        Ok(self.firings(stage, after)?.take_while(move |firing| firing.at <= until))
    }

    /// The first firing of a schedule of a stage after an instant; `None` if there is none until the end of 2200.
    ///
    /// # Errors
    /// As [`Policy::due`].
    pub fn next_firing(&self, stage: &str, after: DateTime<Utc>) -> Result<Option<Firing>, RequestError> {
        in_range("after", after)?;
        let stage = self.stage(stage)?;
        let fires = |rule: &Rule| match &rule.body {
            Body::Trigger(Trigger::Schedule(schedule)) => schedule.cron.next_after(schedule.zone, after.timestamp()),
            _ => None,
        };
        // Of several at one instant the first in the policy, as in `due`.
        let firings = stage.rules.iter().filter_map(|rule| Some((fires(rule)?, rule)));
        Ok(firings.min_by_key(|(at, _)| *at).and_then(|(at, rule)| {
            let at = DateTime::from_timestamp(at, 0)?;
            Some(Firing { at, stage: stage.name.clone(), trigger: rule.name.clone() })
        }))
    }

    fn firings(&self, stage: &str, after: DateTime<Utc>) -> Result<impl Iterator<Item = Firing> + use<>, RequestError> {
        let coming = self.coming_to(self.stage(stage)?, after, |rule| matches!(rule.body, Body::Trigger(_)));
        Ok(coming.map(|c| Firing { at: c.at, stage: c.stage, trigger: c.rule }))
    }

    /// What the clock does to a stage (or to all of them) after an instant, in order of time: schedules that fire,
    /// windows that open and close, freezes that begin and end. Guards are not looked at.
    ///
    /// # Errors
    /// When the policy has no such stage, or the instant lies outside 1970 to 2200.
    pub fn coming(
        &self,
        stage: Option<&str>,
        after: DateTime<Utc>,
    ) -> Result<impl Iterator<Item = Coming> + use<>, RequestError> {
        in_range("after", after)?;
        let stages = match stage {
            Some(name) => vec![self.stage(name)?],
            None => self.inner.program.stages.iter().collect(),
        };
        Ok(Merged::new(stages.into_iter().map(|stage| self.coming_to(stage, after, |_| true)).collect()))
    }

    fn coming_to(&self, stage: &Stage, after: DateTime<Utc>, wanted: impl Fn(&Rule) -> bool) -> Merged<Clock> {
        let after = after.timestamp();
        let clocks = stage.rules.iter().enumerate().filter(|(_, rule)| wanted(rule)).map(|(index, _)| Clock {
            policy: self.clone(),
            stage: self.inner.program.stages.iter().position(|s| std::ptr::eq(s, stage)).unwrap_or(usize::MAX),
            rule: index,
            after,
        });
        Merged::new(clocks.collect())
    }
}

/// What the clock does to one rule.
struct Clock {
    policy: Policy,
    stage: usize,
    rule: usize,
    /// Seconds since the epoch.
    after: i64,
}

impl Iterator for Clock {
    type Item = Coming;

    fn next(&mut self) -> Option<Coming> {
        let inner = &*self.policy.inner;
        let stage = inner.program.stages.get(self.stage)?;
        let rule = stage.rules.get(self.rule)?;
        let (set, on, off) = match &rule.body {
            Body::Window(set) => (set, Event::Opens, Event::Closes),
            Body::Freeze(set) => (set, Event::Freezes, Event::Thaws),
            Body::Trigger(Trigger::Schedule(schedule)) => {
                let at = schedule.cron.next_after(schedule.zone, self.after)?;
                self.after = at;
                return Some(coming(stage, rule, at, Event::Fires));
            }
            _ => return None,
        };
        let mut fuel = inner.program.search_steps;
        match set.next_edge(self.after, &mut fuel) {
            NextEdge::At(at) => {
                self.after = at;
                Some(coming(stage, rule, at, if set.contains(at) { on } else { off }))
            }
            NextEdge::Never | NextEdge::SearchedTo(_) => None,
        }
    }
}

fn coming(stage: &Stage, rule: &Rule, at: i64, what: Event) -> Coming {
    Coming { at: instant(at.saturating_mul(SECOND)), stage: stage.name.clone(), rule: rule.name.clone(), what }
}

/// Several lists in order of time made one.
struct Merged<I: Iterator> {
    lists: Vec<std::iter::Peekable<I>>,
}

impl<I: Iterator<Item = Coming>> Merged<I> {
    fn new(lists: Vec<I>) -> Merged<I> {
        Merged { lists: lists.into_iter().map(Iterator::peekable).collect() }
    }
}

impl<I: Iterator<Item = Coming>> Iterator for Merged<I> {
    type Item = Coming;

    fn next(&mut self) -> Option<Coming> {
        let mut first: Option<(usize, DateTime<Utc>)> = None;
        for (index, list) in self.lists.iter_mut().enumerate() {
            if let Some(coming) = list.peek()
                && first.is_none_or(|(_, at)| coming.at < at)
            {
                first = Some((index, coming.at));
            }
        }
        self.lists.get_mut(first?.0)?.next()
    }
}
