//! A stage over time: every instant at which anything can change is collected, and the stage is looked at in each.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use stagegate::facts::{Current, Value};
use stagegate::syntax::tree::{Cond, CondKind, Literal, Operand, RuleKind, Tail, Trigger, Type};

use crate::ask::{Ask, nanos};
use crate::conditions::seconds;
use crate::model::{Body, element};
use crate::rules::{Moment, State};
use crate::times::{instant, midnight};
use crate::zones::{DAY, Instant, SECOND};

/// How far ahead the answers are sure.
pub const HORIZON: Instant = 8 * DAY;
/// How far ahead is looked.
const AHEAD: Instant = 16 * DAY;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    At(Instant),
    Never,
    /// Not before the horizon; later, perhaps.
    Later,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Met,
    NotApplicable,
    Overridden,
    Unmet,
    Waiting(Instant),
    /// Not before the horizon; later, perhaps.
    WaitingOrUnmet,
    Unknown,
    Awaiting,
    Rejected,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Allow,
    Hold,
    Deny,
    /// Whether it is hold or deny lies beyond the horizon.
    HoldOrDeny,
}

pub struct Future<'a> {
    pub ask: Ask<'a>,
    pub now: Instant,
    /// From the instant asked about on, in order.
    instants: Vec<Instant>,
    moments: RefCell<BTreeMap<Instant, Rc<Moment<'a>>>>,
    /// For each rule: whether all its changes are among the instants, however late.
    sure: Vec<bool>,
}

impl<'a> Future<'a> {
    pub fn new(ask: Ask<'a>) -> Future<'a> {
        let now = nanos(ask.request.now.expect("an instant to decide for"));
        let mut edges = BTreeSet::new();
        let mut bases = BTreeSet::new();
        let mut sure = Vec::new();
        for index in 0..ask.stage.rules.len() {
            let mut finite = true;
            if let Some(set) = &ask.sets[index] {
                set.edges(now, now + AHEAD, &mut edges);
                finite = set.finite(&mut edges);
            }
            if let Some(firings) = &ask.firings[index] {
                firings.edges(now, now + AHEAD, &mut edges);
                finite = false;
            }
            sure.push(finite);
        }
        // A rule is as sure as its alternatives.
        let alike = |a: usize, b: usize| {
            let (a, b) = (&ask.stage.rules[a], &ask.stage.rules[b]);
            let same = matches!(
                (&a.body, &b.body),
                (Body::Rule(RuleKind::Window(_)), Body::Rule(RuleKind::Window(_)))
                    | (Body::Rule(RuleKind::Trigger(_)), Body::Rule(RuleKind::Trigger(_)))
            );
            same && a.file == b.file
        };
        let sure = (0..sure.len()).map(|i| sure[i] && (0..sure.len()).all(|j| !alike(i, j) || sure[j])).collect();
        let mut lengths = BTreeSet::from([0]);
        gather(&ask, &mut bases, &mut lengths);
        let mut instants = BTreeSet::from([now]);
        instants.extend(edges.into_iter().filter(|t| *t > now));
        for base in &bases {
            for length in &lengths {
                let t = base + length;
                instants.extend([t, t + 1].into_iter().filter(|t| *t > now));
            }
        }
        Future { ask, now, instants: instants.into_iter().collect(), moments: RefCell::default(), sure }
    }

    pub fn moment(&self, t: Instant) -> Rc<Moment<'a>> {
        if let Some(known) = self.moments.borrow().get(&t) {
            return Rc::clone(known);
        }
        let moment = Rc::new(self.ask.moment(t));
        self.moments.borrow_mut().insert(t, Rc::clone(&moment));
        moment
    }

    fn after(&self, t: Instant) -> impl Iterator<Item = Instant> {
        let from = self.instants.partition_point(|other| *other <= t);
        self.instants[from..].iter().copied()
    }

    /// How a rule stands, with a look ahead.
    pub fn status(&self, rule: usize, t: Instant) -> Status {
        match self.moment(t).states[rule] {
            State::Met => Status::Met,
            State::NotApplicable => Status::NotApplicable,
            State::Overridden => Status::Overridden,
            State::Unknown => Status::Unknown,
            State::Awaiting => Status::Awaiting,
            State::Rejected => Status::Rejected,
            State::False => {
                let sure = self.sure[rule];
                let mut later = self.after(t).take_while(|later| sure || *later <= self.now + AHEAD);
                match later.find(|later| !self.moment(*later).states[rule].blocks()) {
                    Some(until) => Status::Waiting(until),
                    None if sure => Status::Unmet,
                    None => Status::WaitingOrUnmet,
                }
            }
        }
    }

    pub fn advice(&self, rule: usize) -> bool {
        matches!(self.ask.stage.rules[rule].body, Body::Rule(RuleKind::Advise(_)))
    }

    fn demands(&self) -> impl Iterator<Item = usize> {
        (0..self.ask.stage.rules.len()).filter(|rule| !self.advice(*rule))
    }

    pub fn blocking(&self, t: Instant) -> Vec<usize> {
        let moment = self.moment(t);
        self.demands().filter(|rule| moment.states[*rule].blocks()).collect()
    }

    pub fn answer(&self, t: Instant) -> Answer {
        let blocking = self.blocking(t);
        if blocking.is_empty() {
            return Answer::Allow;
        }
        let statuses: Vec<Status> = blocking.into_iter().map(|rule| self.status(rule, t)).collect();
        if statuses.iter().any(|status| matches!(status, Status::Unmet | Status::Rejected)) {
            return Answer::Deny;
        }
        match statuses.contains(&Status::WaitingOrUnmet) {
            true => Answer::HoldOrDeny,
            false => Answer::Hold,
        }
    }

    /// The first instant from now on at which nothing blocks.
    pub fn allowed_at(&self) -> Found {
        let sure = self.demands().all(|rule| self.sure[rule]);
        let mut all = std::iter::once(self.now).chain(self.after(self.now));
        match all.find(|t| self.blocking(*t).is_empty()) {
            Some(t) if sure || t <= self.now + HORIZON => Found::At(t),
            None if sure => Found::Never,
            // Whatever the windows do, something else always stands in the way.
            _ if !std::iter::once(self.now).chain(self.after(self.now)).any(|t| self.clear_but_for_windows(t)) => {
                Found::Never
            }
            _ => Found::Later,
        }
    }

    fn clear_but_for_windows(&self, t: Instant) -> bool {
        self.blocking(t).iter().all(|rule| !self.sure[*rule])
    }

    /// The first later instant at which the verdict is another one; `None` when that cannot be told.
    pub fn valid_until(&self) -> Option<Found> {
        let first = self.answer(self.now);
        if first == Answer::HoldOrDeny {
            return None;
        }
        let sure = self.demands().all(|rule| self.sure[rule]);
        for t in self.after(self.now) {
            if !sure && t > self.now + HORIZON {
                return Some(Found::Later);
            }
            match self.answer(t) {
                same if same == first => {}
                Answer::HoldOrDeny => return None,
                _ => return Some(Found::At(t)),
            }
        }
        Some(if sure { Found::Never } else { Found::Later })
    }

    /// The verdict as stretches, from now to `to`.
    pub fn timeline(&self, to: Instant) -> Vec<(Instant, Answer)> {
        let mut stretches = vec![(self.now, self.answer(self.now))];
        for t in self.after(self.now).take_while(|t| *t < to) {
            let answer = self.answer(t);
            if stretches.last().unwrap().1 != answer {
                stretches.push((t, answer));
            }
        }
        stretches
    }
}

/// Instants that a policy or a request names, and lengths of time that may be added to them.
fn gather(ask: &Ask<'_>, bases: &mut BTreeSet<Instant>, lengths: &mut BTreeSet<Instant>) {
    let request = ask.request;
    bases.extend(request.history.iter().map(|run| nanos(run.at)));
    bases.extend(request.approvals.iter().map(|approval| nanos(approval.at)));
    bases.extend(request.overrides.iter().map(|invocation| nanos(invocation.at)));
    bases.extend(request.build.created.map(nanos));
    if let Current::Build(current) = &request.current {
        bases.extend(current.created.map(nanos));
        bases.extend(current.at.map(nanos));
    }
    for (name, value) in &request.facts {
        if let Some(fact) = ask.model.facts.get(name.as_str()) {
            of_fact(value, &fact.ty, bases, lengths);
        }
    }
    let mut of_length = |d: Option<u64>| lengths.extend(d.map(|d| Instant::from(d) * SECOND));
    let mut conds: Vec<&Cond> = ask.model.defines.values().copied().collect();
    for rule in &ask.stage.rules {
        conds.extend(rule.guards.iter().map(|guard| &guard.cond));
        match &rule.body {
            Body::Soak(soaks) => soaks.iter().for_each(|(_, length)| of_length(Some((length / SECOND) as u64))),
            Body::Rule(RuleKind::Require(cond) | RuleKind::Forbid(cond) | RuleKind::Advise(cond)) => conds.push(cond),
            Body::Rule(RuleKind::Approve(approve)) => of_length(approve.valid.as_ref().map(|d| d.seconds)),
            Body::Rule(RuleKind::Trigger(Trigger::Schedule { within, .. })) => {
                of_length(within.as_ref().map(|d| d.seconds));
            }
            _ => {}
        }
    }
    for over in &ask.stage.overrides {
        conds.extend(over.guards.iter().map(|guard| &guard.cond));
        of_length(over.what.valid.as_ref().map(|d| d.seconds));
    }
    for cond in conds {
        of_condition(ask, cond, bases, lengths);
    }
}

fn of_fact(value: &Value, ty: &Type, bases: &mut BTreeSet<Instant>, lengths: &mut BTreeSet<Instant>) {
    match (ty, value) {
        (Type::Time, Value::Time(t)) => drop(bases.insert(nanos(*t))),
        (Type::Time, Value::String(text)) => drop(bases.insert(nanos(text.parse().unwrap()))),
        (Type::Duration, Value::String(text)) => drop(lengths.insert(Instant::from(seconds(text)) * SECOND)),
        (_, Value::List(items)) => items.iter().for_each(|item| of_fact(item, element(ty), bases, lengths)),
        (_, Value::Map(items)) => items.values().for_each(|item| of_fact(item, element(ty), bases, lengths)),
        _ => {}
    }
}

fn of_condition(ask: &Ask<'_>, cond: &Cond, bases: &mut BTreeSet<Instant>, lengths: &mut BTreeSet<Instant>) {
    let (operand, tail) = match &cond.kind {
        CondKind::And(items) | CondKind::Or(items) => {
            return items.iter().for_each(|item| of_condition(ask, item, bases, lengths));
        }
        CondKind::Not(inner) => return of_condition(ask, inner, bases, lengths),
        CondKind::Test(operand, tail) | CondKind::Each(_, operand, tail) => (operand, Some(tail)),
        CondKind::Bare(operand) => (operand, None),
    };
    of_operand(ask, operand, bases, lengths);
    if let Some(Tail::Compare(_, right) | Tail::In { of: right, .. } | Tail::Contains(right)) = tail {
        of_operand(ask, right, bases, lengths);
    }
}

fn of_operand(ask: &Ask<'_>, operand: &Operand, bases: &mut BTreeSet<Instant>, lengths: &mut BTreeSet<Instant>) {
    match operand {
        Operand::Literal(literal) => match &literal.value {
            Literal::Duration(d) => drop(lengths.insert(Instant::from(d.seconds) * SECOND)),
            Literal::Date(date) => drop(bases.insert(midnight(*date, ask.home(literal.span.source)))),
            Literal::DateTime(at) => drop(bases.insert(instant(at, ask.home(literal.span.source), false))),
            _ => {}
        },
        Operand::List(list) => list.value.iter().for_each(|item| of_operand(ask, item, bases, lengths)),
        Operand::Path(_) => {}
    }
}
