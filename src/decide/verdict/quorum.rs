//! Quorums: as [`count`](crate::people::count), for the answer alone.

use super::ask::Reading;
use super::compact::{NONE, SeatMask, bit};
use super::given::Seat;
use super::{Outcome, Reader};
use crate::decide::truth::Truth;
use crate::facts::slots::Said;
use crate::facts::{RunStatus, Word};
use crate::people::{Quorums, words_of};
use crate::program::{Approve, Body, Count, Including, Quorum};

/// So many quorums that hang on one another are counted here.
const TOGETHER: usize = 16;

/// How a quorum stands.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    /// Whose approval is valid, by their place among the speakers.
    valid: u64,
    count: u32,
    needed: Option<u32>,
    rejected: bool,
    /// Something has to be known that is not.
    unsure: bool,
    /// Whoever is counted counts surely.
    at_least: bool,
}

impl Counted {
    fn reached(&self) -> bool {
        (!self.unsure || self.at_least) && self.needed.is_some_and(|needed| self.count >= needed)
    }
}

impl Reader<'_> {
    /// Works out who may count for the rules of the stage, which does not depend on the instant.
    pub fn seats(&self, out: &mut Vec<Seat>) {
        out.clear();
        if self.given.places != 0 {
            out.extend(self.flat.masks_of_seats.iter().map(|mask| self.seat_of(mask)));
            return;
        }
        for rule in &self.flat.seats {
            let index = *rule as usize;
            let seat = match self.rules().get(index).map(|rule| &rule.body) {
                Some(Body::Approve(approve)) => self.seat(index, approve),
                _ => None,
            };
            out.push(seat.unwrap_or(Seat { search: true, ..Seat::default() }));
        }
    }

    fn seat(&self, index: usize, approve: &Approve) -> Option<Seat> {
        let quorum = &approve.quorum;
        let sets = self.plan()?.quorums.get(index)?;
        let mut seat = Seat {
            unsure: self.unsure(quorum),
            missing: quorum.directories.iter().any(|g| self.given.directory(*g).is_none()),
            ..Seat::default()
        };
        for (place, person) in self.given.speakers.iter().enumerate() {
            let bit = bit(place)?;
            if !self.listed(quorum, sets, *person) {
                seat.strangers |= bit;
            } else if !self.barred(quorum, sets, *person) {
                seat.eligible |= bit;
            }
        }
        seat.needed = self.needed(index, quorum, sets, seat.missing)?;
        Some(seat)
    }

    /// Who may count for an `approve` rule, by its place among those of the stage.
    #[inline]
    pub fn seat_at(&self, seat: usize) -> Option<Seat> {
        match self.given.seats.get(seat) {
            Some(known) => Some(*known),
            None if self.given.places == 0 => None,
            None => self.flat.masks_of_seats.get(seat).map(|mask| self.seat_of(mask)),
        }
    }

    /// The same where each person of the policy is a bit, and there are no directories.
    #[inline]
    fn seat_of(&self, mask: &SeatMask) -> Seat {
        let given = self.given;
        let bit = |person: u32| bit(person as usize).unwrap_or(0);
        let author = given.author.map_or(0, bit);
        let contributors = given.contributors.iter().fold(0, |all, person| all | bit(*person));
        let (mut barred, mut unsure) = match mask.including {
            None => (author | contributors, given.author.is_none()),
            Some(Including::Author) => {
                (contributors & !author, given.author.is_none() && !given.contributors.is_empty())
            }
            Some(Including::Contributors) => (0, false),
        };
        if mask.not_requester {
            barred |= given.requester.map_or(0, bit);
            unsure |= given.requester.is_none();
        }
        let eligible = mask.people & !barred;
        let needed = mask.count.unwrap_or(eligible.count_ones().max(1));
        Seat { eligible, strangers: 0, unsure, missing: false, needed, search: false }
    }

    /// An `approve` rule that does not hang on another one. It is called, lest all that it reads be fetched before it is
    /// known whether there is such a rule.
    #[inline(never)]
    pub(super) fn seated(&self, rule: u32, seat: u32, guard: Truth, since: u32, valid: i64) -> Outcome {
        let given = self.given;
        let Some(seat) = self.seat_at(seat as usize) else { return Outcome::Search };
        if seat.search {
            return self.counted(rule, guard);
        }
        if given.rejects & seat.eligible != 0 {
            return if guard == Truth::True { Outcome::Denies } else { Outcome::Holds };
        }
        let unsure = seat.unsure || (seat.missing && given.rejects & seat.strangers != 0);
        let yes = self.in_time(given.approves & seat.eligible, since, valid);
        // Counting bits is dear where the processor is not known to count them.
        let enough = match seat.needed {
            1 => yes != 0,
            2 => yes & yes.wrapping_sub(1) != 0,
            needed => yes.count_ones() >= needed,
        };
        if !unsure && enough { Outcome::Passes } else { Outcome::Holds }
    }

    /// Those of some who have said yes late enough.
    #[inline]
    fn in_time(&self, yes: u64, since: u32, valid: i64) -> u64 {
        let given = self.given;
        let mut after = if valid == i64::MAX { i64::MIN } else { given.now.saturating_sub(valid) };
        if since != NONE {
            match given.newest.get(since as usize).copied().flatten() {
                Some(run) if run.status == RunStatus::Succeeded => after = after.max(run.at),
                _ => return 0,
            }
        }
        if given.first_yes > after {
            return yes;
        }
        let (mut left, mut late) = (yes, 0);
        while left != 0 {
            let place = left.trailing_zeros();
            left &= left - 1;
            late |= u64::from(given.spoke.get(place as usize).is_some_and(|at| *at > after)) << place;
        }
        late
    }

    /// The same for a request in which so many people speak that they have no bits.
    fn counted(&self, rule: u32, guard: Truth) -> Outcome {
        let Some(Body::Approve(approve)) = self.rules().get(rule as usize).map(|rule| &rule.body) else {
            return Outcome::Search;
        };
        let Some(counted) = self.count(rule as usize, approve) else { return Outcome::Search };
        outcome(&counted, guard, counted.reached())
    }

    /// All quorums of a stage together.
    pub(super) fn entangled(&self, reading: &mut Reading<'_>) -> Outcome {
        // Their people are bits among those who have spoken.
        let Some(plan) = self.plan() else { return Outcome::Search };
        if self.given.speakers.len() > 64 || plan.approve_order.len() > TOGETHER {
            return Outcome::Search;
        }
        let rules = self.rules();
        let mut guards = [Truth::False; TOGETHER];
        let mut all = [Counted::default(); TOGETHER];
        let place = |rule: u32| plan.approve_order.iter().position(|id| id.0 == rule);
        for (at, id) in plan.approve_order.iter().enumerate() {
            let index = id.0 as usize;
            let Some(Body::Approve(approve)) = rules.get(index).map(|rule| &rule.body) else { continue };
            let guard = match rules.get(index).and_then(|rule| rule.guard) {
                None => Truth::True,
                Some(id) => reading.op(id.0),
            };
            let (mut taken, mut unsure) = (0, false);
            for other in &approve.quorum.except.approvers_of {
                match place(other.0).filter(|other| *other < at) {
                    Some(other) if guards.get(other) == Some(&Truth::False) => {}
                    Some(other) => {
                        let other = all.get(other).copied().unwrap_or_default();
                        taken |= other.valid;
                        unsure |= other.unsure;
                    }
                    None => unsure = true,
                }
            }
            let seat = self.flat.seats.iter().position(|rule| *rule == id.0).and_then(|at| self.seat_at(at));
            let Some(counted) = seat.and_then(|seat| self.together(&seat, approve, taken, unsure)) else {
                return Outcome::Search;
            };
            if let (Some(g), Some(c)) = (guards.get_mut(at), all.get_mut(at)) {
                (*g, *c) = (guard, counted);
            }
        }
        let mut distinct = false;
        for rule in plan.distinct.iter().filter_map(|id| rules.get(id.0 as usize)) {
            distinct |= rule.guard.is_none_or(|id| reading.op(id.0) != Truth::False);
        }
        let mut worst = Outcome::Passes;
        let (mut everyone, mut twice) = (0u64, false);
        for (guard, counted) in guards.iter().zip(&all).take(plan.approve_order.len()) {
            if *guard == Truth::False {
                continue;
            }
            match outcome(counted, *guard, counted.reached()) {
                Outcome::Denies => return Outcome::Denies,
                Outcome::Passes => {}
                _ => worst = Outcome::Holds,
            }
            twice |= everyone & counted.valid != 0;
            everyone |= counted.valid;
        }
        // Enough for each on its own: is there someone for every place?
        if worst == Outcome::Passes && distinct && twice {
            let demands = guards.iter().zip(&all).filter(|(guard, _)| **guard != Truth::False);
            if !staffed(demands.map(|(_, c)| (c.valid, c.needed.unwrap_or(u32::MAX)))) {
                return Outcome::Holds;
            }
        }
        worst
    }

    fn listed(&self, quorum: &Quorum, sets: &Quorums, person: u32) -> bool {
        sets.listed.contains(person) || (!quorum.directories.is_empty() && self.in_any(&quorum.directories, person))
    }

    fn in_any(&self, groups: &[crate::program::GroupId], person: u32) -> bool {
        groups.iter().any(|g| self.given.directory(*g).is_some_and(|members| members.binary_search(&person).is_ok()))
    }

    /// Whether a person of PEOPLE cannot count, leaving aside `approvers of`.
    fn barred(&self, quorum: &Quorum, sets: &Quorums, person: u32) -> bool {
        let given = self.given;
        let is_author = given.author == Some(person);
        let contributor = || !given.contributors.is_empty() && given.contributors.binary_search(&person).is_ok();
        match quorum.including {
            Some(Including::Contributors) => {}
            Some(Including::Author) if is_author => {}
            None if is_author => return true,
            _ => {
                if contributor() {
                    return true;
                }
            }
        }
        let except = &quorum.except;
        (except.requester && given.requester == Some(person))
            || sets.excepted.contains(person)
            || (!except.directories.is_empty() && self.in_any(&except.directories, person))
    }

    /// A quorum of which some people are taken.
    fn together(&self, seat: &Seat, approve: &Approve, taken: u64, unsure: bool) -> Option<Counted> {
        if seat.search {
            return None;
        }
        let given = self.given;
        let since = approve.since.map_or(NONE, |stage| stage.0);
        let valid = self.in_time(given.approves & seat.eligible, since, approve.valid.unwrap_or(i64::MAX)) & !taken;
        let unsure = unsure || seat.unsure;
        let needed = match approve.quorum.count {
            Count::Number(_) => Some(seat.needed),
            Count::All if seat.needed == NONE => None,
            // Those who are taken cannot be asked for.
            Count::All => Some(seat.needed.saturating_sub((taken & seat.eligible).count_ones()).max(1)),
        };
        Some(Counted {
            valid,
            count: valid.count_ones(),
            needed,
            rejected: given.rejects & seat.eligible != 0,
            at_least: !unsure && given.rejects & seat.strangers == 0,
            unsure: unsure || seat.missing,
        })
    }

    /// Whether something that bars people is not known.
    fn unsure(&self, quorum: &Quorum) -> bool {
        let given = self.given;
        let author_matters = match quorum.including {
            None => true,
            Some(Including::Author) => !given.contributors.is_empty(),
            Some(Including::Contributors) => false,
        };
        (author_matters && given.author.is_none())
            || (quorum.except.requester && given.requester.is_none())
            || quorum.except.directories.iter().any(|g| given.directory(*g).is_none())
    }

    /// How many it takes; `None` when that takes more than this reader works out.
    fn needed(&self, index: usize, quorum: &Quorum, sets: &Quorums, missing: bool) -> Option<u32> {
        match quorum.count {
            Count::Number(n) => Some(n.max(1)),
            Count::All if missing => Some(NONE),
            // Who comes from a directory has to be told from who is listed.
            Count::All if !quorum.directories.is_empty() || !quorum.except.directories.is_empty() => None,
            Count::All => Some(self.eligible(index, quorum, sets).max(1)),
        }
    }

    fn count(&self, index: usize, approve: &Approve) -> Option<Counted> {
        let given = self.given;
        let quorum = &approve.quorum;
        let sets = self.plan()?.quorums.get(index)?;
        let mut counted = Counted { unsure: self.unsure(quorum), ..Counted::default() };
        let missing = quorum.directories.iter().any(|g| given.directory(*g).is_none());
        let since = match approve.since {
            None => Some(i64::MIN),
            Some(stage) => match given.newest.get(stage.0 as usize).copied().flatten() {
                Some(run) if run.status == RunStatus::Succeeded => Some(run.at),
                _ => None,
            },
        };
        let oldest = approve.valid.map_or(i64::MIN, |valid| given.now.saturating_sub(valid));
        let mut stranger_rejects = false;
        let mut hear = |Said { person, at, word }: Said| {
            if !self.listed(quorum, sets, person) {
                stranger_rejects |= word == Word::Reject;
            } else if !self.barred(quorum, sets, person) {
                counted.rejected |= word == Word::Reject;
                // It runs out at `at + valid`, and must have been given after the stage's success.
                let valid = word == Word::Approve && since.is_some_and(|since| at > since) && at > oldest;
                counted.count += u32::from(valid);
            }
        };
        match words_of(&given.words, quorum) {
            // Who rejects without being listed matters only where it is not known who is.
            Some(words) => words.for_each(&mut hear),
            None => given.words.iter().copied().for_each(&mut hear),
        }
        counted.at_least = !counted.unsure && !stranger_rejects;
        counted.needed = Some(self.needed(index, quorum, sets, missing)?).filter(|needed| *needed != NONE);
        counted.unsure |= missing;
        Some(counted)
    }

    /// Of how many people `all` consists: those listed and not excepted, less those whom this request bars.
    fn eligible(&self, index: usize, quorum: &Quorum, sets: &Quorums) -> u32 {
        let given = self.given;
        let mut left = self.flat.eligible.get(index).copied().unwrap_or(0);
        let counts = |person: u32| sets.listed.contains(person) && !sets.excepted.contains(person);
        let mut less = |person: u32| {
            if counts(person) && self.barred(quorum, sets, person) {
                left = left.saturating_sub(1);
            }
        };
        given.contributors.iter().for_each(|person| less(*person));
        let author = given.author.filter(|p| given.contributors.binary_search(p).is_err());
        if let Some(author) = author {
            less(author);
        }
        if let Some(requester) =
            given.requester.filter(|p| author != Some(*p) && given.contributors.binary_search(p).is_err())
        {
            less(requester);
        }
        left
    }
}

fn outcome(counted: &Counted, guard: Truth, enough: bool) -> Outcome {
    match (counted.rejected, enough) {
        (true, _) if guard == Truth::True => Outcome::Denies,
        (false, true) => Outcome::Passes,
        _ => Outcome::Holds,
    }
}

/// Whether nobody has to serve twice: a matching of people (bits) to places, by augmenting paths.
fn staffed(demands: impl Iterator<Item = (u64, u32)>) -> bool {
    let mut people = [0u64; TOGETHER];
    let mut serves = [0u64; TOGETHER];
    for (rule, (valid, needed)) in demands.enumerate() {
        if let Some(of) = people.get_mut(rule) {
            *of = valid;
        }
        for _ in 0..needed {
            if !augment(rule, &people, &mut serves) {
                return false;
            }
        }
    }
    true
}

/// Finds one more person for a rule, moving others if need be; breadth first over rules.
fn augment(rule: usize, people: &[u64; TOGETHER], serves: &mut [u64; TOGETHER]) -> bool {
    // The rule through which each was reached, and the person who would go over to it.
    let mut from = [(usize::MAX, 0u64); TOGETHER];
    let mut queue = [0usize; TOGETHER];
    let mut reached = 1u32 << rule;
    let (mut next, mut end) = (0, 1);
    if let Some(first) = queue.first_mut() {
        *first = rule;
    }
    let busy = serves.iter().fold(0, |all, of| all | of);
    while next < end {
        let here = queue.get(next).copied().unwrap_or(rule);
        next += 1;
        let mine = people.get(here).copied().unwrap_or(0);
        let idle = mine & !busy;
        if idle != 0 {
            // Hand people on, from the one who was idle back to the rule that asked.
            let mut person = idle & idle.wrapping_neg();
            let mut at = here;
            loop {
                if let Some(of) = serves.get_mut(at) {
                    *of |= person;
                }
                let (before, moved) = from.get(at).copied().unwrap_or((usize::MAX, 0));
                if before == usize::MAX {
                    return true;
                }
                if let Some(of) = serves.get_mut(at) {
                    *of &= !moved;
                }
                (at, person) = (before, moved);
            }
        }
        for other in 0..TOGETHER {
            let shared = mine & serves.get(other).copied().unwrap_or(0);
            if shared != 0 && reached & (1 << other) == 0 && end < TOGETHER {
                reached |= 1 << other;
                if let (Some(place), Some(slot)) = (from.get_mut(other), queue.get_mut(end)) {
                    *place = (here, shared & shared.wrapping_neg());
                    *slot = other;
                }
                end += 1;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::staffed;
    use crate::people::matching::{Demand, assign};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_staffed_exactly_when_the_matching_says_so(
            demands in prop::collection::vec((0u32..3, 0u64..128), 0..6)
        ) {
            let of = |bits: u64| (0..7).filter(|i| bits >> i & 1 == 1).collect::<Vec<u32>>();
            let slow: Vec<Demand> =
                demands.iter().map(|(n, p)| Demand { count: *n as usize, people: of(*p) }).collect();
            let full = assign(&slow).iter().zip(&slow).all(|(a, d)| a.len() >= d.count);
            prop_assert_eq!(staffed(demands.into_iter().map(|(n, p)| (p, n))), full);
        }
    }
}
