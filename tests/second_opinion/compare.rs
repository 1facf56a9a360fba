//! Both opinions side by side.

use std::collections::BTreeSet;
use std::fmt::{Debug, Write as _};

use chrono::{DateTime, Utc};
use stagegate::facts::{Approval, Invocation, Request, Word};
use stagegate::syntax::tree::{Count, RuleKind};
use stagegate::{Compiler, Decision, MemoryLoader, Policy, Status as Said, Step, Verdict};

use crate::answer::{Answer, Found, Future, HORIZON, Status};
use crate::ask::{Ask, asked, nanos};
use crate::generate::Case;
use crate::model::{self, Body, Model};
use crate::rules::State;
use crate::zones::{DAY, Instant};

/// What came of a case.
pub enum Outcome {
    /// The policy does not compile, for a reason that the generator cannot well avoid.
    Refused,
    Same,
    Different(String),
}

/// How far timelines are compared.
const TIMELINE: Instant = 3 * DAY;

pub fn chrono(t: Instant) -> DateTime<Utc> {
    DateTime::from_timestamp_nanos(t as i64)
}

pub fn compile(case: &Case) -> Result<Policy, stagegate::CompileError> {
    let loader = case.texts.iter().fold(MemoryLoader::new(), |loader, (name, text)| loader.with(name, text.as_str()));
    Compiler::new().loader(&loader).compile("p.gate")
}

pub fn show(case: &Case) -> String {
    let mut text = String::new();
    for (name, source) in &case.texts {
        let _ = writeln!(text, "---- {name}\n{source}");
    }
    let json: serde_json::Value = serde_json::from_str(&case.request.to_json()).unwrap();
    let _ = writeln!(text, "---- request\n{json:#}");
    text
}

pub fn compare(case: &Case) -> Outcome {
    let policy = match compile(case) {
        Ok(policy) => policy,
        // Counts that cannot be reached; times on a day that a zone left out.
        Err(error) if error.errors().all(|d| ["E0501", "E0403"].contains(&d.code.as_str())) => return Outcome::Refused,
        Err(error) => return Outcome::Different(error.to_string()),
    };
    let decision = match policy.decide(&case.request) {
        Ok(decision) => decision,
        Err(error) => return Outcome::Different(error.to_string()),
    };
    let trees = model::Policy::new(&case.texts);
    let model = trees.model();
    let future = Future::new(Ask::new(&model, &case.request));
    let mut sides =
        Sides { policy: &policy, decision: &decision, future: &future, model: &model, notes: String::new() };
    sides.rules();
    sides.verdict();
    sides.overrides();
    sides.instants();
    sides.timeline();
    sides.firings();
    if sides.notes.is_empty() {
        sides.unblock();
    }
    if sides.notes.is_empty() { Outcome::Same } else { Outcome::Different(sides.notes) }
}

struct Sides<'a> {
    policy: &'a Policy,
    decision: &'a Decision,
    future: &'a Future<'a>,
    model: &'a Model<'a>,
    notes: String,
}

impl Sides<'_> {
    fn same<T: PartialEq + Debug>(&mut self, what: &str, engine: T, second: T) {
        if engine != second {
            let _ = writeln!(self.notes, "{what}: the engine says {engine:?}, the second opinion {second:?}");
        }
    }

    fn request(&self) -> &Request {
        self.future.ask.request
    }

    fn name(&self, rule: usize) -> String {
        self.future.ask.stage.rules[rule].name.clone()
    }

    fn rules(&mut self) {
        let future = self.future;
        let engine: Vec<&str> = self.decision.rules().iter().map(|rule| rule.rule.as_str()).collect();
        let second: Vec<&str> = future.ask.stage.rules.iter().map(|rule| rule.name.as_str()).collect();
        if engine != second {
            return self.same("rules", engine, second);
        }
        let moment = future.moment(future.now);
        for (index, report) in self.decision.rules().iter().enumerate() {
            let status = future.status(index, future.now);
            let what = format!("{} ({:?})", report.rule, report.detail);
            let until = report.until.map(nanos);
            let alike = match status {
                Status::Met => report.status == Said::Met,
                Status::NotApplicable => report.status == Said::NotApplicable,
                Status::Overridden => report.status == Said::Overridden,
                Status::Unmet => report.status == Said::Unmet,
                Status::Rejected => report.status == Said::Unmet && !report.rejected_by.is_empty(),
                Status::Unknown => report.status == Said::Unknown,
                Status::Awaiting => report.status == Said::Awaiting,
                Status::Waiting(t) => report.status == Said::Waiting && until == Some(t),
                Status::WaitingOrUnmet => match until {
                    None => report.status == Said::Unmet,
                    Some(t) => {
                        let free = |t: Instant| !future.moment(t).states[index].blocks();
                        t > future.now + HORIZON && free(t) && !free(t - 1)
                    }
                },
            };
            let either = moment.bound.contains(&index) && may_be_short(report.status);
            if !alike && !either {
                let status_text = match status {
                    Status::Waiting(t) => format!("waiting until {}", chrono(t)),
                    other => format!("{other:?}"),
                };
                let _ = writeln!(
                    self.notes,
                    "{what}: the engine says {:?} {:?}, the second opinion {status_text}",
                    report.status, report.until
                );
            }
            let Body::Rule(RuleKind::Approve(approve)) = future.ask.stage.rules[index].body else { continue };
            // Of what is not known only that is certain.
            if matches!(moment.states[index], State::NotApplicable | State::Unknown) {
                continue;
            }
            let counted: BTreeSet<&str> = report.counted.iter().flatten().map(String::as_str).collect();
            if !moment.bound.contains(&index) {
                self.same(&format!("counted for {what}"), counted, moment.counted[&index].clone());
                if status == Status::Awaiting
                    && let Some(needed) = future.ask.needed(&asked(approve), future.now)
                {
                    let missing = needed - moment.counted[&index].len();
                    self.same(&format!("missing for {what}"), report.missing, Some(missing as u32));
                }
            } else if let Some(person) = counted.iter().find(|p| !future.ask.may_count(approve, p, future.now)) {
                let _ = writeln!(self.notes, "{what}: the engine counts {person}");
            }
            let rejecters: BTreeSet<&str> = future.ask.rejecters(approve, future.now).into_iter().collect();
            if status == Status::Rejected {
                self.same(
                    &format!("rejected {what}"),
                    report.rejected_by.iter().map(String::as_str).collect(),
                    rejecters,
                );
            }
        }
        // As many places are filled where nobody counts twice, whichever they are.
        let total = |rules: Vec<usize>| -> usize { rules.into_iter().map(|rule| moment.counted[&rule].len()).sum() };
        let engine: usize =
            moment.bound.iter().map(|rule| self.decision.rules()[*rule].counted.as_ref().map_or(0, Vec::len)).sum();
        self.same("places filled", engine, total(moment.bound.iter().copied().collect()));
    }

    fn verdict(&mut self) {
        let future = self.future;
        let answer = future.answer(future.now);
        let alike = match answer {
            Answer::Allow => self.decision.verdict() == Verdict::Allow,
            Answer::Hold => self.decision.verdict() == Verdict::Hold,
            Answer::Deny => self.decision.verdict() == Verdict::Deny,
            Answer::HoldOrDeny => self.decision.verdict() != Verdict::Allow,
        };
        if !alike {
            self.same("verdict", format!("{:?}", self.decision.verdict()), format!("{answer:?}"));
        }
        let blocking: Vec<String> = future.blocking(future.now).into_iter().map(|rule| self.name(rule)).collect();
        if future.moment(future.now).bound.is_empty() {
            self.same("blocking", self.decision.blocking().to_vec(), blocking);
        }
        let quick = self.policy.verdict(self.request()).unwrap();
        self.same("the quick verdict and the explained one", quick, self.decision.verdict());
    }

    fn overrides(&mut self) {
        let future = self.future;
        let mut engine: Vec<&str> =
            self.decision.overrides().iter().filter(|o| o.in_force).map(|o| o.name.as_str()).collect();
        let all = future.ask.stage.overrides.iter();
        let mut second: Vec<&str> = all.filter(|o| future.ask.in_force(o, future.now)).map(|o| o.name).collect();
        engine.sort_unstable();
        second.sort_unstable();
        self.same("overrides in force", engine, second);
    }

    fn instants(&mut self) {
        let (future, end) = (self.future, self.future.now + HORIZON);
        self.instant("allowed_at", self.decision.allowed_at(), future.allowed_at(), end);
        if let Some(changes) = future.valid_until() {
            self.instant("valid_until", self.decision.valid_until(), changes, end);
        }
    }

    fn instant(&mut self, what: &str, engine: Option<DateTime<Utc>>, second: Found, end: Instant) {
        // A search that gives up says so, and then only how long the answer stands at least.
        let cut_short = self.decision.warnings().iter().any(|warning| warning.contains("cut short"));
        // It does not when that is more than a quarter of a year.
        let far = |t: DateTime<Utc>| nanos(t) - self.future.now > 90 * 86_400 * 1_000_000_000;
        let cut_short = cut_short || what == "valid_until" && engine.is_some_and(far);
        match second {
            Found::At(t) if cut_short => {
                if engine.is_some_and(|engine| nanos(engine) > t || nanos(engine) <= self.future.now) {
                    self.same(what, engine, Some(chrono(t)));
                }
            }
            Found::Never if cut_short && what == "valid_until" => {}
            Found::At(t) => self.same(what, engine, Some(chrono(t))),
            Found::Never => self.same(what, engine, None),
            Found::Later => {
                if let Some(t) = engine.filter(|t| nanos(*t) <= end && !cut_short) {
                    let _ = writeln!(
                        self.notes,
                        "{what}: the engine says {t}, the second opinion: not before {}",
                        chrono(end)
                    );
                }
            }
        }
    }

    fn timeline(&mut self) {
        let future = self.future;
        let to = future.now + TIMELINE;
        let timeline = self.policy.timeline(self.request(), chrono(future.now), chrono(to)).unwrap();
        let engine: Vec<(Instant, Verdict)> = timeline.stretches.iter().map(|s| (nanos(s.from), s.verdict)).collect();
        let ends = timeline.stretches.iter().map(|s| nanos(s.to));
        let starts = engine.iter().skip(1).map(|(t, _)| *t);
        let end = if timeline.complete {
            vec![to]
        } else {
            timeline.stretches.last().map(|s| nanos(s.to)).into_iter().collect()
        };
        if !ends.eq(starts.chain(end)) {
            let _ = writeln!(self.notes, "timeline: the stretches do not touch: {:?}", timeline.stretches);
        }
        // The engine begins a stretch when other rules stand in the way, too.
        let mut merged: Vec<(Instant, Verdict)> = Vec::new();
        for (t, verdict) in engine {
            if merged.last().is_none_or(|last| last.1 != verdict) {
                merged.push((t, verdict));
            }
        }
        // The search may be cut short.
        let to = if timeline.complete { to } else { timeline.stretches.last().map_or(future.now, |s| nanos(s.to)) };
        let second = if to > future.now { future.timeline(to) } else { Vec::new() };
        if second.iter().any(|(_, answer)| *answer == Answer::HoldOrDeny) {
            return;
        }
        let second: Vec<(Instant, Verdict)> = second
            .into_iter()
            .map(|(t, answer)| {
                let verdict = match answer {
                    Answer::Allow => Verdict::Allow,
                    Answer::Deny => Verdict::Deny,
                    _ => Verdict::Hold,
                };
                (t, verdict)
            })
            .collect();
        let words = |line: &[(Instant, Verdict)]| -> Vec<String> {
            line.iter().map(|(t, verdict)| format!("{} {}", chrono(*t), verdict.as_str())).collect()
        };
        self.same("timeline", words(&merged), words(&second));
    }

    fn firings(&mut self) {
        let future = self.future;
        let (after, until) = (future.now, future.now + HORIZON);
        let due = self.policy.due(future.ask.stage.name, chrono(after), chrono(until)).unwrap();
        let engine: BTreeSet<(String, Instant)> = due.map(|firing| (firing.trigger, nanos(firing.at))).collect();
        let mut second = BTreeSet::new();
        for (index, firings) in future.ask.firings.iter().enumerate() {
            let all = firings.iter().flat_map(|firings| firings.between(after, until));
            second.extend(all.map(|t| (self.name(index), t)));
        }
        self.same("firings", engine, second);
    }

    // ------------------------------------------------------------ what would unblock

    /// Whether the steps lead to allow, with people chosen by `pick`. `None` when they name facts.
    fn leads_to_allow(&self, steps: &[Step], mut pick: usize) -> Option<bool> {
        let mut request = self.request().clone();
        let mut t = self.future.now;
        for step in steps {
            match step {
                Step::Wait { wait_until } => t = nanos(*wait_until),
                Step::Fact { .. } => return None,
                _ => {}
            }
        }
        request.now = Some(chrono(t));
        for step in steps {
            match step {
                Step::Approve { count, from, .. } => {
                    for person in choose(from, *count as usize, &mut pick) {
                        // Of two words at one instant the less willing one would stand.
                        request.approvals.retain(|a| a.by != person || nanos(a.at) != t);
                        request.approvals.push(Approval::new(person, Word::Approve, chrono(t)));
                    }
                }
                Step::Override { name, count, from } => {
                    for person in choose(from, *count as usize, &mut pick) {
                        let invocation = Invocation::new(name, person, chrono(t)).reason("INC-9");
                        request.overrides.push(invocation);
                    }
                }
                _ => {}
            }
        }
        Some(self.allows(&request, t))
    }

    fn allows(&self, request: &Request, t: Instant) -> bool {
        let ask = Ask::new(self.model, request);
        let moment = ask.moment(t);
        (0..ask.stage.rules.len()).all(|rule| self.future.advice(rule) || !moment.states[rule].blocks())
    }

    fn unblock(&mut self) {
        let future = self.future;
        let sets = self.decision.unblock();
        if self.decision.verdict() == Verdict::Allow {
            return self.same("unblock of what is allowed", sets.len(), 0);
        }
        let free = future.moment(future.now).bound.is_empty();
        for set in sets {
            let picks = set.iter().map(|step| match step {
                Step::Approve { count, from, .. } | Step::Override { count, from, .. } => {
                    ways(from.len(), *count as usize)
                }
                _ => 1,
            });
            let picks: usize = picks.product::<usize>().min(60);
            let found: Vec<bool> = (0..picks).filter_map(|pick| self.leads_to_allow(set, pick)).collect();
            let well = found.is_empty() || if free { found.iter().all(|x| *x) } else { found.contains(&true) };
            if !well {
                let _ = writeln!(self.notes, "unblock: {set:?} does not unblock");
            }
            // Nothing in it is needless.
            if set.len() > 1 {
                for left_out in 0..set.len() {
                    let mut fewer = set.clone();
                    fewer.remove(left_out);
                    if (0..60).all(|pick| self.leads_to_allow(&fewer, pick) == Some(true)) {
                        let _ = writeln!(self.notes, "unblock: of {set:?}, {:?} is not needed", set[left_out]);
                    }
                }
            }
        }
        if let Found::At(t) = future.allowed_at()
            && !sets.contains(&vec![Step::Wait { wait_until: chrono(t) }])
        {
            let _ = writeln!(self.notes, "unblock: waiting until {} is not among {sets:?}", chrono(t));
        }
        // An approval for one rule can take its giver out of `all of` another: that is not foreseen.
        let chained = future.ask.stage.rules.iter().any(|rule| match rule.body {
            Body::Rule(RuleKind::Approve(approve)) => {
                asked(approve).count() == Count::All && asked(approve).not_of().next().is_some()
            }
            _ => false,
        });
        if chained {
            return;
        }
        // What one or two people could do by approving is told.
        let everybody: Vec<&str> = future.ask.everybody().into_iter().collect();
        let mut few: Vec<Vec<&str>> = everybody.iter().map(|person| vec![*person]).collect();
        for (index, a) in everybody.iter().enumerate() {
            few.extend(everybody[index + 1..].iter().map(|b| vec![*a, *b]));
        }
        let words = future.ask.last_words(future.now);
        let reject = |person: &str| words.get(person).is_some_and(|(word, _)| *word == Word::Reject);
        let enough = few.into_iter().find(|people| {
            let mut request = self.request().clone();
            for person in people {
                request.approvals.retain(|a| a.by != *person || nanos(a.at) != future.now);
                request.approvals.push(Approval::new(*person, Word::Approve, chrono(future.now)));
            }
            !people.iter().any(|person| reject(person)) && self.allows(&request, future.now)
        });
        let told = sets.iter().any(|set| set.iter().all(|step| matches!(step, Step::Approve { .. })));
        if let Some(people) = enough
            && !told
        {
            let _ = writeln!(self.notes, "unblock: approvals of {people:?} would, and {sets:?} does not say so");
        }
    }
}

/// Of two rules that compete for people either may be the one that is short.
fn may_be_short(said: Said) -> bool {
    matches!(said, Said::Met | Said::Awaiting | Said::Overridden | Said::Unknown)
}

fn ways(n: usize, k: usize) -> usize {
    (0..k).fold(1, |ways, i| ways * n.saturating_sub(i) / (i + 1)).max(1)
}

/// One of the ways to choose so many: the digits of `pick` say which, a digit for each choice.
fn choose<'f>(from: &'f [String], count: usize, pick: &mut usize) -> Vec<&'f str> {
    let n = from.len();
    let subsets: Vec<u32> = (0..1_u32 << n.min(12)).filter(|set| set.count_ones() as usize == count).collect();
    let ways = subsets.len().max(1);
    let digit = *pick % ways;
    *pick /= ways;
    let Some(set) = subsets.get(digit) else { return from.iter().map(String::as_str).collect() };
    from.iter().enumerate().filter(|(index, _)| set >> index & 1 == 1).map(|(_, person)| person.as_str()).collect()
}
