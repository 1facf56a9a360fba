//! Test blocks become cases: for each stage that a test asks about one request, and what is expected of the decision.
//!
//! A case holds nothing of the compiled policy, so that one case can be put to many policies: that is what mutation does.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, TimeZone, Utc};

use crate::decide::{Status, Verdict};
use crate::diagnostic::{Place, Sources, Span};
use crate::facts::{
    Action, Approval, Current, Deploying, Invocation, Request, Run, RunStatus, TriggerFact, Value, Word as Said,
};
use crate::schedule::{self, Edge, Zone};
use crate::syntax::tree::{
    ApprovalWord, At, Date, DateTime as Written, Expected, ExpectedVerdict, Field, File, Item, Literal, Outcome,
    Scenario, Step, Test, Value as TreeValue, ValueKind, Word, ZoneSpec,
};

/// Scenarios that take one another in, at most so deep.
const MAX_GIVEN: usize = 64;

/// One test: a body with one of its rows, or a case of a JSON file.
#[derive(Clone, Debug)]
pub struct Case {
    pub(crate) name: String,
    pub(crate) place: Place,
    /// What is asked; or, in words, why nothing can be.
    pub(crate) asks: Result<Vec<Ask>, String>,
}

impl Case {
    /// Its name; that of a row is `test name / row name`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is written.
    pub fn place(&self) -> &Place {
        &self.place
    }
}

/// One request, and what is expected of it.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub request: Request,
    pub expects: Vec<Expect>,
}

/// One `expect`.
#[derive(Clone, Debug)]
pub(crate) struct Expect {
    pub place: Place,
    /// As written, on one line.
    pub text: String,
    pub what: What,
}

/// What is expected.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    Verdict {
        verdict: Verdict,
        because: Vec<String>,
        until: Option<DateTime<Utc>>,
    },
    Rule {
        rule: String,
        status: Status,
    },
    /// The `nth` firing of the stage, from 0, counted from the test's instant.
    Fires {
        nth: usize,
        first: DateTime<Utc>,
        at: DateTime<Utc>,
    },
    Opens(DateTime<Utc>),
    /// Parts of a decision in JSON.
    Json(serde_json::Value),
}

/// The cases of the test blocks of one file. `others` are the files whose scenarios may be taken in as well; `zone` is
/// for a file that names none.
pub(crate) fn cases(file: &File, others: &[File], sources: &Sources, zone: Zone) -> Vec<Case> {
    let mut scenarios: BTreeMap<&str, (&Scenario, Zone)> = BTreeMap::new();
    for of in others.iter().chain([file]) {
        let zone = file_zone(of, zone);
        for item in &of.items {
            if let Item::Scenario(scenario) = &item.value {
                scenarios.insert(&scenario.name.value, (scenario, zone));
            }
        }
    }
    let reader = Reader { scenarios, sources, zone: file_zone(file, zone) };
    let tests = file.items.iter().filter_map(|item| match &item.value {
        Item::Test(test) => Some(test),
        _ => None,
    });
    tests.flat_map(|test| reader.test(test)).collect()
}

/// The zone in which the local times of a file are read.
pub(crate) fn file_zone(file: &File, default: Zone) -> Zone {
    let named = file.items.iter().find_map(|item| match &item.value {
        Item::Timezone(name) => Zone::parse(&name.value),
        _ => None,
    });
    named.unwrap_or(default)
}

struct Reader<'a> {
    scenarios: BTreeMap<&'a str, (&'a Scenario, Zone)>,
    sources: &'a Sources,
    zone: Zone,
}

/// Steps of a scenario are read in the zone of the file that it stands in.
type ZonedStep<'a> = (&'a At<Step>, Zone);

impl<'a> Reader<'a> {
    fn test(&self, test: &'a Test) -> Vec<Case> {
        let name = test.name.value.clone();
        if test.rows.is_empty() {
            return vec![self.case(name, test.name.span, &[&test.steps])];
        }
        let row = |row: &'a crate::syntax::tree::Row| {
            self.case(format!("{name} / {}", row.name.value), row.name.span, &[&test.steps, &row.steps])
        };
        test.rows.iter().map(row).collect()
    }

    fn case(&self, name: String, span: Span, parts: &[&'a [At<Step>]]) -> Case {
        let asks = self.asks(parts);
        Case { name, place: self.sources.place(span), asks }
    }

    fn asks(&self, parts: &[&'a [At<Step>]]) -> Result<Vec<Ask>, String> {
        let mut steps: Vec<ZonedStep<'a>> = Vec::new();
        for part in parts {
            self.flatten(part, &mut steps)?;
        }
        let mut request = Request::to("");
        for (step, zone) in &steps {
            self.step(&mut request, step, *zone)?;
        }
        let Some(now) = request.now else {
            return Err("a test says when it is: it needs `at`, such as `at 2026-03-04 10:00`".into());
        };
        let mut asks: Vec<Ask> = Vec::new();
        for (step, zone) in &steps {
            let Step::Expect(expect) = &step.value else { continue };
            let stage = expect.stage.value.as_str();
            let found = asks.iter().position(|ask| ask.request.stage == stage);
            let index = found.unwrap_or_else(|| {
                asks.push(Ask {
                    request: Request { stage: stage.to_string(), ..request.clone() },
                    expects: Vec::new(),
                });
                asks.len() - 1
            });
            let Some(ask) = asks.get_mut(index) else { continue };
            let before: Vec<DateTime<Utc>> = ask.expects.iter().filter_map(|e| fires_at(&e.what)).collect();
            let what = self.expected(&expect.what, *zone, now, &before)?;
            ask.expects.push(Expect { place: self.sources.place(step.span), text: self.text(step.span), what });
        }
        if asks.is_empty() {
            return Err("a test expects something: it needs `expect`, such as `expect Staging allow`".into());
        }
        Ok(asks)
    }

    fn text(&self, span: Span) -> String {
        self.sources.text(span).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The steps with those of the scenarios in place of `given`; depth first, with a stack of its own.
    fn flatten(&self, steps: &'a [At<Step>], out: &mut Vec<ZonedStep<'a>>) -> Result<(), String> {
        type Open<'a> = (std::vec::IntoIter<&'a At<Step>>, Zone, &'a str);
        let mut stack: Vec<Open<'a>> = vec![(givens_first(steps), self.zone, "")];
        // Scenarios that are to be taken in, last first.
        let mut waiting: Vec<Vec<&'a Word>> = vec![Vec::new()];
        while let (Some((steps, zone, _)), Some(names)) = (stack.last_mut(), waiting.last_mut()) {
            if let Some(name) = names.pop() {
                let Some((scenario, zone)) = self.scenarios.get(name.value.as_str()) else {
                    return Err(format!("there is no scenario `{}`", name.value));
                };
                let own = scenario.name.value.as_str();
                if stack.len() > MAX_GIVEN || stack.iter().any(|(_, _, open)| *open == own) {
                    return Err(format!("scenario `{own}` takes itself in"));
                }
                stack.push((givens_first(&scenario.steps), *zone, own));
                waiting.push(Vec::new());
                continue;
            }
            match steps.next() {
                Some(At { value: Step::Given(given), .. }) => names.extend(given.iter().rev()),
                Some(step) => out.push((step, *zone)),
                None => {
                    stack.pop();
                    waiting.pop();
                }
            }
        }
        Ok(())
    }

    fn step(&self, request: &mut Request, step: &At<Step>, zone: Zone) -> Result<(), String> {
        let at = |written: &At<Written>| instant(written, zone).map_err(|why| self.here(written.span, &why));
        match &step.value {
            Step::Given(_) | Step::Expect(_) => {}
            Step::Now(written) => request.now = Some(at(written)?),
            Step::Build(fields) => {
                for field in fields {
                    self.build_field(request, field, zone)?;
                }
            }
            Step::Current(None) => {
                request.current = Current::Nothing;
                request.deploying = Deploying::Nothing;
            }
            Step::Current(Some(fields)) => {
                for field in fields {
                    self.current_field(request, field, zone)?;
                }
            }
            Step::Runs(outcome, runs) => {
                let status = match outcome.value {
                    Outcome::Succeeded | Outcome::Completed => RunStatus::Succeeded,
                    Outcome::Failed => RunStatus::Failed,
                    Outcome::Skipped => RunStatus::Skipped,
                    Outcome::Cancelled => RunStatus::Cancelled,
                    Outcome::Pending => RunStatus::Pending,
                };
                for (stage, written) in runs {
                    request.history.push(Run::new(stage.value.as_str(), status, at(written)?));
                }
            }
            Step::Words { word, by, at: written, stage, build } => {
                let said = match word.value {
                    ApprovalWord::Approve => Said::Approve,
                    ApprovalWord::Reject => Said::Reject,
                    ApprovalWord::Withdraw => Said::Withdraw,
                };
                let when = at(written)?;
                for person in by {
                    let mut approval = Approval::new(person.value.as_str(), said, when);
                    approval.stage = stage.as_ref().map(|s| s.value.clone());
                    approval.build = build.as_ref().map(|b| b.value.clone());
                    request.approvals.push(approval);
                }
            }
            Step::Override { name, by, at: written, reason } => {
                let when = at(written)?;
                for person in by {
                    let mut invocation = Invocation::new(name.value.as_str(), person.value.as_str(), when);
                    invocation.reason = reason.as_ref().map(|r| r.value.clone());
                    request.overrides.push(invocation);
                }
            }
            Step::Fact(name, written) => {
                let value = self.value(written, zone)?;
                request.facts.insert(name.value.clone(), value);
            }
            Step::Group(name, people) => {
                request.groups.insert(name.value.clone(), people.iter().map(|p| p.value.clone()).collect());
            }
            Step::Push(to) => request.trigger = Some(TriggerFact::Push { branch: text(to) }),
            Step::PullRequest(to) => request.trigger = Some(TriggerFact::PullRequest { branch: text(to) }),
            Step::Manual(by) => request.trigger = Some(TriggerFact::Manual { by: text(by) }),
            Step::Completion(of) => request.trigger = Some(TriggerFact::Completion { of: text(of) }),
            Step::Event(name) => request.trigger = Some(TriggerFact::Event { name: Some(name.value.clone()) }),
            Step::Schedule(written) => {
                let at = written.as_ref().map(at).transpose()?;
                request.trigger = Some(TriggerFact::Schedule { at });
            }
            Step::Action(name) => {
                request.action = Some(match name.value.as_str() {
                    "promote" => Action::Promote,
                    "redeploy" => Action::Redeploy,
                    "rollback" => Action::Rollback,
                    other => return Err(self.here(name.span, &format!("there is no action `{other}`"))),
                });
            }
            Step::Requester(person) => request.requester = Some(person.value.clone()),
        }
        Ok(())
    }

    fn build_field(&self, request: &mut Request, field: &Field, zone: Zone) -> Result<(), String> {
        let build = &mut request.build;
        match field.name.value.as_str() {
            "id" => build.id = self.word(field)?.unwrap_or_default(),
            "digest" => build.digest = self.word(field)?,
            "version" => build.version = self.word(field)?,
            "branch" => build.branch = self.word(field)?,
            "commit" => build.commit = self.word(field)?,
            "author" => build.author = self.word(field)?,
            "contributors" => build.contributors = self.words(field)?,
            "labels" => build.labels = self.words(field)?,
            "created" => build.created = self.time(field, zone)?,
            other => return Err(self.here(field.name.span, &format!("a build has no `{other}`"))),
        }
        Ok(())
    }

    fn current_field(&self, request: &mut Request, field: &Field, zone: Zone) -> Result<(), String> {
        if field.name.value == "deploying" {
            request.deploying = self.word(field)?.map_or(Deploying::Nothing, Deploying::Build);
            return Ok(());
        }
        if !matches!(request.current, Current::Build(_)) {
            request.current = Current::Build(Box::default());
        }
        let Current::Build(occupant) = &mut request.current else { return Ok(()) };
        match field.name.value.as_str() {
            "id" => occupant.id = self.word(field)?,
            "digest" => occupant.digest = self.word(field)?,
            "version" => occupant.version = self.word(field)?,
            "created" => occupant.created = self.time(field, zone)?,
            "at" => occupant.at = self.time(field, zone)?,
            other => return Err(self.here(field.name.span, &format!("what a stage runs has no `{other}`"))),
        }
        Ok(())
    }

    /// Text; `none` is nothing.
    fn word(&self, field: &Field) -> Result<Option<String>, String> {
        match &field.value.kind {
            ValueKind::Name(name) if name == "none" => Ok(None),
            ValueKind::Name(name) => Ok(Some(name.clone())),
            ValueKind::Literal(Literal::String(text)) => Ok(Some(text.clone())),
            _ => Err(self.here(field.value.span, &format!("`{}` is a text here", field.name.value))),
        }
    }

    fn words(&self, field: &Field) -> Result<Option<Vec<String>>, String> {
        let refuse = || self.here(field.value.span, &format!("`{}` is a list of texts here", field.name.value));
        let items = match &field.value.kind {
            ValueKind::Name(name) if name == "none" => return Ok(None),
            ValueKind::List(items) => items,
            _ => return Err(refuse()),
        };
        let words = items.iter().map(|item| match &item.kind {
            ValueKind::Name(name) => Ok(name.clone()),
            ValueKind::Literal(Literal::String(text)) => Ok(text.clone()),
            _ => Err(refuse()),
        });
        words.collect::<Result<_, _>>().map(Some)
    }

    fn time(&self, field: &Field, zone: Zone) -> Result<Option<DateTime<Utc>>, String> {
        let here = |why: String| self.here(field.value.span, &why);
        match &field.value.kind {
            ValueKind::Name(name) if name == "none" => Ok(None),
            ValueKind::Literal(Literal::DateTime(written)) => {
                instant(&At::new(written.clone(), field.value.span), zone).map(Some).map_err(here)
            }
            ValueKind::Literal(Literal::Date(date)) => day(*date, zone).map(Some).map_err(here),
            _ => Err(here(format!("`{}` is a time here, such as `2026-03-04 10:00`", field.name.value))),
        }
    }

    /// The grammar nests values three deep at most.
    fn value(&self, value: &TreeValue, zone: Zone) -> Result<Value, String> {
        Ok(match &value.kind {
            ValueKind::Name(name) if name == "none" => Value::Null,
            ValueKind::Name(name) => Value::String(name.clone()),
            ValueKind::Literal(literal) => match literal {
                Literal::Bool(value) => Value::Bool(*value),
                Literal::Number { value, .. } => Value::Number(*value),
                Literal::String(text) => Value::String(text.clone()),
                Literal::Duration(duration) => Value::String(duration.text.clone()),
                Literal::Date(date) => Value::Time(day(*date, zone).map_err(|why| self.here(value.span, &why))?),
                Literal::DateTime(written) => {
                    let written = At::new(written.clone(), value.span);
                    Value::Time(instant(&written, zone).map_err(|why| self.here(value.span, &why))?)
                }
            },
            ValueKind::List(items) => {
                Value::List(items.iter().map(|item| self.value(item, zone)).collect::<Result<_, _>>()?)
            }
            ValueKind::Map(fields) => {
                let pairs = fields.iter().map(|f| Ok((f.name.value.clone(), self.value(&f.value, zone)?)));
                Value::Map(pairs.collect::<Result<_, String>>()?)
            }
        })
    }

    fn expected(
        &self,
        expected: &Expected,
        zone: Zone,
        now: DateTime<Utc>,
        before: &[DateTime<Utc>],
    ) -> Result<What, String> {
        let at = |written: &At<Written>| instant(written, zone).map_err(|why| self.here(written.span, &why));
        Ok(match expected {
            Expected::Verdict { verdict, because, until } => What::Verdict {
                verdict: match verdict.value {
                    ExpectedVerdict::Allow => Verdict::Allow,
                    ExpectedVerdict::Hold => Verdict::Hold,
                    ExpectedVerdict::Deny => Verdict::Deny,
                },
                because: because.iter().map(|rule| rule.value.clone()).collect(),
                until: until.as_ref().map(at).transpose()?,
            },
            Expected::Rule { rule, status } => {
                let found = Status::ALL.into_iter().find(|s| s.as_str() == status.value);
                let status = found.ok_or_else(|| {
                    let all: Vec<&str> = Status::ALL.iter().map(|s| s.as_str()).collect();
                    let why = format!("a rule is never `{}`: it is one of {}", status.value, all.join(", "));
                    self.here(status.span, &why)
                })?;
                What::Rule { rule: rule.value.clone(), status }
            }
            Expected::FiresAt(written) => {
                let at = at(written)?;
                let first = before.first().copied().unwrap_or(at);
                // A firing at the very instant of the test counts when it is the first that is named.
                let first = if first == now { now - TimeDelta::seconds(1) } else { now };
                What::Fires { nth: before.len(), first, at }
            }
            Expected::OpensAt(written) => What::Opens(at(written)?),
        })
    }

    fn here(&self, span: Span, why: &str) -> String {
        format!("{}: {why}", self.sources.place(span))
    }
}

/// The steps, what is taken in before the rest: what a block says itself always has the last word.
fn givens_first(steps: &[At<Step>]) -> std::vec::IntoIter<&At<Step>> {
    let (given, own): (Vec<_>, Vec<_>) = steps.iter().partition(|step| matches!(step.value, Step::Given(_)));
    given.into_iter().chain(own).collect::<Vec<_>>().into_iter()
}

fn fires_at(what: &What) -> Option<DateTime<Utc>> {
    match what {
        What::Fires { at, .. } => Some(*at),
        _ => None,
    }
}

fn text(word: &Option<Word>) -> Option<String> {
    word.as_ref().map(|w| w.value.clone())
}

/// The instant of a date-time of a test. One that the clock skips is refused: a test means what it says.
pub(crate) fn instant(written: &At<Written>, zone: Zone) -> Result<DateTime<Utc>, String> {
    let date = naive(written.date)?;
    let seconds = i64::from(written.second);
    let midnight = date.and_time(chrono::NaiveTime::MIN);
    let zone = match written.zone.as_ref().map(|z| &z.value) {
        None => zone,
        Some(ZoneSpec::Offset(offset)) => {
            let at = midnight.and_utc().timestamp() + seconds - i64::from(*offset);
            return DateTime::from_timestamp(at, 0).ok_or_else(|| "this instant is out of range".to_string());
        }
        Some(ZoneSpec::Named(name)) => Zone::parse(name).ok_or_else(|| format!("there is no time zone `{name}`"))?,
    };
    let local = midnight + TimeDelta::seconds(seconds);
    let found = zone.tz().from_local_datetime(&local).earliest();
    found.map(|at| at.to_utc()).ok_or_else(|| format!("the clocks of {} skip this time", zone.tz().name()))
}

/// The instant at which a day begins.
fn day(date: Date, zone: Zone) -> Result<DateTime<Utc>, String> {
    let at = schedule::local(zone, naive(date)?, 0, Edge::Start);
    DateTime::from_timestamp(at, 0).ok_or_else(|| "this day is out of range".to_string())
}

fn naive(date: Date) -> Result<NaiveDate, String> {
    NaiveDate::from_ymd_opt(date.year, date.month, date.day).ok_or_else(|| "there is no such day".to_string())
}
