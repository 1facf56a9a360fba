//! The smallest sets of steps of which any one would turn the verdict into allow.
//!
//! Each choice of overrides that could be invoked leaves some rules in the way; each of those is mended in one way
//! (approvals, facts, waiting), or not at all; only where an approval is asked for and a fact is missing, either may do.
//! So the sets are few, and those that hold another one are dropped.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::explain::Explaining;
use super::search::{Found, Search};
use super::snapshot::{Assumed, Case, MAX_ASSUMED, Raw, Snapshot, approve_of};
use super::telling::{Way, once};
use crate::facts::slots::Person;
use crate::people::Asked;
use crate::program::{Approve, Count};

/// So many sets are told.
const MAX_SETS: usize = 16;

/// The sets of steps, the smallest first.
pub(crate) fn unblock<'a>(search: &mut Search<'a>, snapshot: &Snapshot, allowed_at: Found) -> Vec<Vec<Way<'a>>> {
    let usable = usable(search, snapshot);
    let mut sets: Vec<Vec<Way<'a>>> = Vec::new();
    // Time alone may bring what people could do sooner: approvals that lie in the future, a guard that ends.
    if let Found::At(t) = allowed_at {
        sets.push(vec![Way::Wait(t)]);
    }
    for choice in choices(usable.len()) {
        let chosen: Vec<&Usable<'a>> = choice.iter().filter_map(|i| usable.get(*i)).collect();
        let (found, differs) = steps(search, snapshot, &chosen, Mend::People);
        sets.extend(found);
        if differs {
            sets.extend(steps(search, snapshot, &chosen, Mend::Facts).0);
            sets.extend(steps(search, snapshot, &chosen, Mend::Time).0);
        }
    }
    sets.sort_by_key(Vec::len);
    let mut smallest: Vec<Vec<Way<'a>>> = Vec::new();
    let shared = snapshot.assigned.is_none();
    for steps in sets {
        let own: BTreeSet<&Way<'a>> = if steps.len() > MAX_COMPARED { steps.iter().collect() } else { BTreeSet::new() };
        let brings = |step: &Way<'a>| match steps.len() {
            few if few <= MAX_COMPARED => steps.iter().any(|by| step == by || shared && brought(search, step, by)),
            _ => own.contains(step),
        };
        if !smallest.iter().any(|known| known.iter().all(brings)) {
            smallest.push(steps);
        }
    }
    smallest.truncate(MAX_SETS);
    smallest
}

/// An override that is not in force but could be.
struct Usable<'a> {
    index: usize,
    step: Way<'a>,
}

fn usable<'a>(search: &Search<'a>, snapshot: &Snapshot) -> Vec<Usable<'a>> {
    let case = search.case;
    let mut usable = Vec::new();
    for (index, rule) in case.stage.overrides.iter().enumerate() {
        let helps = rule
            .skips
            .iter()
            .any(|id| snapshot.rules.get(id.0 as usize).is_some_and(|s| s.raw.blocks() && s.raw != Raw::Rejected));
        if let Some(step) = invoke(case, snapshot, index)
            && helps
            && usable.len() < MAX_ASSUMED
        {
            usable.push(Usable { index, step });
        }
    }
    usable
}

/// The step that puts an override in force at the instant of a snapshot; `None` if it is, or cannot be put.
fn invoke<'a>(case: Case<'a>, snapshot: &Snapshot, index: usize) -> Option<Way<'a>> {
    let rule = case.stage.overrides.get(index)?;
    let (state, sets) = (snapshot.overrides.get(index)?, case.plan.override_quorums.get(index)?);
    if state.invoked || !state.guard || !state.counted.unsure.is_empty() {
        return None;
    }
    let asked = Asked { slots: case.slots, quorum: &rule.quorum, sets };
    let taken = |person: u32| {
        rule.quorum.except.approvers_of.iter().any(|other| {
            let counted = snapshot.counted.get(other.0 as usize).and_then(Option::as_ref);
            counted.is_some_and(|c| c.valid.binary_search(&person).is_ok())
        })
    };
    let from: Vec<u32> = (asked.everyone().into_iter())
        .filter(|p| asked.bar(*p).is_none() && !taken(*p) && state.counted.valid.binary_search(p).is_err())
        .collect();
    let needed = match rule.quorum.count {
        Count::Number(n) => n.max(1) as usize,
        Count::All => from.len() + state.counted.valid.len(),
    };
    let missing = needed.saturating_sub(state.counted.valid.len());
    let from = (missing > 0 && missing <= from.len()).then_some(from)?;
    Some(Way::Override { name: &rule.name, count: missing as u32, from })
}

/// All choices among `n` things, the smaller ones first.
fn choices(n: usize) -> Vec<Vec<usize>> {
    let mut choices: Vec<Vec<usize>> =
        (0u32..1 << n).map(|bits| (0..n).filter(|i| bits & (1 << i) != 0).collect()).collect();
    choices.sort_by_key(Vec::len);
    choices
}

/// How to mend what is not known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mend {
    /// An approval whose rule may not apply, or whose people are not all known, by more approvals; the rest by facts.
    People,
    Facts,
    /// Another alternative comes by itself.
    Time,
}

/// The steps that mend what a choice of overrides leaves in the way; `None` when something cannot be mended. With whether
/// another way to mend may make a difference.
fn steps<'a>(
    search: &mut Search<'a>,
    snapshot: &Snapshot,
    chosen: &[&Usable<'a>],
    mend: Mend,
) -> (Option<Vec<Way<'a>>>, bool) {
    let mut differs = false;
    if chosen.is_empty() {
        let found = supposed_steps(search, snapshot.t, chosen, mend, &mut differs);
        return (found, differs);
    }
    // As if they had been invoked.
    let mut assume = Assumed::default();
    for (place, usable) in assume.iter_mut().zip(chosen) {
        *place = u32::try_from(usable.index).ok();
    }
    let mut supposed = search.suppose(assume);
    let found = supposed_steps(&mut supposed, snapshot.t, chosen, mend, &mut differs);
    let (fuel, cut_short) = (supposed.fuel, supposed.cut_short);
    search.fuel = fuel;
    search.cut_short |= cut_short;
    (found, differs)
}

fn supposed_steps<'a>(
    search: &mut Search<'a>,
    now: i64,
    chosen: &[&Usable<'a>],
    mend: Mend,
    differs: &mut bool,
) -> Option<Vec<Way<'a>>> {
    let case = search.case;
    let snapshot = search.at(now);
    // What waits decides when; what people and callers can mend is mended by then.
    let people_or_facts = |raw: Raw| raw == Raw::Short || raw == Raw::Unknown && mend != Mend::Time;
    let rules = snapshot.rules.iter().enumerate();
    let ignored: Vec<usize> = rules.filter(|(_, s)| people_or_facts(s.raw)).map(|(rule, _)| rule).collect();
    let waits = search.blocking(&snapshot).into_iter().any(|rule| ignored.binary_search(&rule).is_err());
    let (then, wait) = if waits {
        let Found::At(t) = search.clear_at(now, &ignored) else { return None };
        (search.at(t), Some(t))
    } else {
        (snapshot, None)
    };
    let then = &*then;
    let mut steps: Vec<Way<'a>> = Vec::new();
    let mut approvals: Vec<Approvals> = Vec::new();
    let mut unknown: Vec<usize> = Vec::new();
    let explaining = Explaining::new(case, then, &[]);
    let mut facts: Vec<Cow<'a, str>> = Vec::new();
    for rule in search.blocking(then) {
        match then.rules.get(rule)?.raw {
            Raw::Short => approvals.push(missing(&explaining, rule)?),
            Raw::Unknown if mend != Mend::Time => unknown.push(rule),
            _ => return None,
        }
    }
    *differs = !unknown.is_empty();
    for rule in unknown {
        // Whom the others bring may do here too.
        let asked = if people_would_do(then, rule) { missing(&explaining, rule) } else { None };
        if asked
            .as_ref()
            .is_some_and(|one| then.assigned.is_none() && implied(search, one, approvals.iter().take(MAX_COMPARED)))
        {
            continue;
        }
        if mend == Mend::People
            && let Some(asked) = asked
        {
            approvals.push(asked);
            continue;
        }
        facts.extend(explaining.unknown_facts(rule));
    }
    match then.assigned {
        None => drop_implied(search, &mut approvals),
        Some(_) if !explaining.could_be_shared_out(&approvals.iter().map(|a| a.rule).collect::<Vec<_>>()) => {
            return None;
        }
        Some(_) => {}
    }
    let lost = lost(&explaining, &approvals)?;
    approvals.extend(lost);
    approvals.sort_by_key(|one| one.rule);
    for Approvals { rule, count, from } in approvals {
        steps.push(Way::Approve { rule, count, from });
    }
    steps.extend(once(facts.into_iter()).into_iter().map(Way::Fact));
    steps.extend(wait.map(Way::Wait));
    for usable in chosen {
        match wait {
            // By then what was invoked may have expired, or been joined by more.
            Some(_) if then.overrides.get(usable.index).is_some_and(|state| state.invoked) => {}
            Some(_) => steps.push(invoke(case, then, usable.index)?),
            None => steps.push(usable.step.clone()),
        }
    }
    (!steps.is_empty()).then_some(steps)
}

/// Approvals that a rule misses.
struct Approvals {
    rule: usize,
    count: u32,
    from: Vec<Person>,
}

fn missing(explaining: &Explaining<'_, '_>, rule: usize) -> Option<Approvals> {
    let (count, mut from) = explaining.lacking(rule)?;
    let others: Vec<Person> = from.iter().copied().filter(|person| !explaining.counts_instead(rule, *person)).collect();
    if others.len() >= count as usize {
        from = others;
    }
    (count > 0 && count as usize <= from.len()).then_some(Approvals { rule, count, from })
}

/// What rules that are met miss once approvals have taken people from them, as the approvers of other rules; `None` where
/// nobody else is left.
fn lost(explaining: &Explaining<'_, '_>, approvals: &[Approvals]) -> Option<Vec<Approvals>> {
    let Explaining { case: Case { stage, plan, .. }, snapshot, .. } = explaining;
    let mut lost = Vec::new();
    for rule in plan.chained.iter().map(|id| id.0 as usize) {
        let met = snapshot.rules.get(rule).is_some_and(|s| s.raw == Raw::Met);
        let counted = snapshot.counted.get(rule).and_then(Option::as_ref).filter(|_| met);
        let (Some(counted), Some(approve)) = (counted, stage.rules.get(rule).and_then(approve_of)) else { continue };
        let bars = |one: &&Approvals| approve.quorum.except.approvers_of.iter().any(|id| id.0 as usize == one.rule);
        let taken = |one: &Approvals| {
            let others = one.from.iter().filter(|person| counted.valid.binary_search(person).is_err()).count();
            (one.count as usize).saturating_sub(others)
        };
        let taken = approvals.iter().filter(bars).map(taken).max().unwrap_or(0);
        let misses = counted.needed?.saturating_sub(counted.valid.len().saturating_sub(taken));
        if misses > 0 {
            let mut from = explaining.could_still(rule);
            from.retain(|person| !approvals.iter().filter(bars).any(|one| one.from.contains(person)));
            if from.len() < misses {
                return None;
            }
            lost.push(Approvals { rule, count: misses as u32, from });
        }
    }
    Some(lost)
}

/// Whether enough approvals would meet a rule that is unknown.
fn people_would_do(snapshot: &Snapshot, rule: usize) -> bool {
    let counted = snapshot.counted.get(rule).and_then(Option::as_ref);
    counted.is_some_and(|c| c.rejected.is_empty() && (c.unsure.is_empty() || c.at_least) && c.needed.is_some())
}

/// So many rules that miss approvals, or steps of a set, are compared with one another at most.
const MAX_COMPARED: usize = 32;

/// One approval counts for every rule that its giver may approve: whether others bring what a rule misses, whoever of
/// their people gives them.
fn implied<'s>(search: &Search<'_>, one: &Approvals, others: impl Iterator<Item = &'s Approvals> + Clone) -> bool {
    implied_by_one(search, one, others.clone()) || implied_by_all(search, one, others)
}

fn implied_by_one<'s>(search: &Search<'_>, one: &Approvals, mut others: impl Iterator<Item = &'s Approvals>) -> bool {
    others.any(|by| outnumbers(search, one.rule, (one.count, &one.from), (by.count, &by.from)))
}

fn implied_by_all<'s>(search: &Search<'_>, one: &Approvals, others: impl Iterator<Item = &'s Approvals>) -> bool {
    // Of some rules all are asked who are left.
    let sure = others.filter(|by| by.count as usize == by.from.len()).flat_map(|by| by.from.iter().copied());
    let mut sure: Vec<Person> = sure.collect();
    sure.sort_unstable();
    sure.dedup();
    outnumbers(search, one.rule, (one.count, &one.from), (sure.len() as u32, &sure))
}

/// The same of steps.
fn brought(search: &Search<'_>, step: &Way<'_>, by: &Way<'_>) -> bool {
    match (step, by) {
        (Way::Approve { rule, count, from }, Way::Approve { count: more, from: of, .. }) => {
            outnumbers(search, *rule, (*count, from), (*more, of))
        }
        _ => false,
    }
}

/// Whether so many of those people are surely enough for what a rule misses.
fn outnumbers(search: &Search<'_>, rule: usize, misses: (u32, &[Person]), by: (u32, &[Person])) -> bool {
    let approve = search.case.stage.rules.get(rule).and_then(approve_of);
    // What another rule counts is not asked for in `all of` this one: how many that are is not certain.
    let chained = |approve: &Approve| !approve.quorum.except.approvers_of.is_empty();
    if approve.is_none_or(|approve| chained(approve) && approve.quorum.count == Count::All) {
        return false;
    }
    let elsewhere = absent(by.1, misses.1);
    (by.0 as usize).saturating_sub(elsewhere) >= misses.0 as usize
}

/// How many of some people are not among others.
fn absent(people: &[Person], others: &[Person]) -> usize {
    /// Up to here it is quicker to look through them.
    const FEW: usize = 16;
    if others.len() <= FEW {
        return people.iter().filter(|person| !others.contains(person)).count();
    }
    let mut others = others.to_vec();
    others.sort_unstable();
    people.iter().filter(|person| others.binary_search(person).is_err()).count()
}

/// Drops what the others bring anyhow; of two that bring each other the later one.
fn drop_implied(search: &Search<'_>, approvals: &mut Vec<Approvals>) {
    if approvals.len() > MAX_COMPARED {
        return;
    }
    for together in [false, true] {
        for index in (0..approvals.len()).rev() {
            let Some(one) = approvals.get(index) else { continue };
            let others = approvals.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, by)| by);
            let brought =
                if together { implied_by_all(search, one, others) } else { implied_by_one(search, one, others) };
            if brought {
                approvals.remove(index);
            }
        }
    }
}
