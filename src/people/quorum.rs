//! Quorums: whose word counts for a rule at one instant, and until when.

use super::LastWords;
use crate::decide::truth::NEVER;
use crate::facts::slots::{Person, Slots};
use crate::facts::{RunStatus, Word};
use crate::program::{Approve, Count, Except, GroupId, Including, Quorum, RuleId};

/// A set of people of the policy, as bits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members {
    bits: Vec<u64>,
}

impl Members {
    pub fn new(people: &[crate::program::PersonId]) -> Members {
        let mut members = Members::default();
        members.add(people);
        members
    }

    pub fn add(&mut self, people: &[crate::program::PersonId]) {
        for person in people {
            let word = person.0 as usize / 64;
            if self.bits.len() <= word {
                self.bits.resize(word + 1, 0);
            }
            if let Some(slot) = self.bits.get_mut(word) {
                *slot |= 1u64 << (person.0 % 64);
            }
        }
    }

    pub fn contains(&self, person: Person) -> bool {
        self.bits.get(person as usize / 64).is_some_and(|word| word & (1 << (person % 64)) != 0)
    }
}

/// The sets of people of one quorum, worked out when the policy is compiled.
#[derive(Clone, Debug, Default)]
pub(crate) struct Quorums {
    pub listed: Members,
    pub excepted: Members,
}

impl Quorums {
    pub fn new(quorum: &Quorum) -> Quorums {
        Quorums { listed: Members::new(&quorum.people), excepted: Members::new(&quorum.except.people) }
    }
}

/// Why a person does not count, whatever they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bar {
    NotListed,
    Author,
    Contributor,
    Requester,
    Excepted,
}

/// What has to be known before a quorum can be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsure {
    Author,
    Requester,
    Directory(GroupId),
    /// The people of another rule are not known.
    Rule(RuleId),
}

/// How a quorum stands at one instant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counted {
    /// Whose approval is valid; ascending.
    pub valid: Vec<Person>,
    /// Who could count and rejects; ascending.
    pub rejected: Vec<Person>,
    /// How many it takes; `None` when that is not known.
    pub needed: Option<usize>,
    /// What is not known. Empty: the rest is certain.
    pub unsure: Vec<Unsure>,
    /// At most missing directories of people make it unsure, and no reject of a person who may be in one stands:
    /// whoever is counted counts surely.
    pub at_least: bool,
    /// The next instant at which any of this may be another.
    pub until: i64,
}

impl Counted {
    /// Whether enough people approve, surely.
    pub fn reached(&self) -> bool {
        (self.unsure.is_empty() || self.at_least) && self.needed.is_some_and(|needed| self.valid.len() >= needed)
    }
}

/// Everything that a quorum is asked against.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub slots: &'a Slots,
    pub quorum: &'a Quorum,
    pub sets: &'a Quorums,
}

impl<'a> Asked<'a> {
    /// Whether a person is in PEOPLE, as far as is known.
    pub fn listed(&self, person: Person) -> bool {
        self.sets.listed.contains(person) || self.in_any(&self.quorum.directories, person)
    }

    fn in_any(&self, groups: &[GroupId], person: Person) -> bool {
        groups.iter().any(|g| self.slots.directory(*g).is_some_and(|members| members.binary_search(&person).is_ok()))
    }

    /// Why a person cannot count, leaving aside `approvers of`.
    pub fn bar(&self, person: Person) -> Option<Bar> {
        if !self.listed(person) {
            return Some(Bar::NotListed);
        }
        let is_author = self.slots.author == Some(person);
        match self.quorum.including {
            Some(Including::Contributors) => {}
            Some(Including::Author) if is_author => {}
            including => {
                if is_author && including.is_none() {
                    return Some(Bar::Author);
                }
                if self.slots.contributors.binary_search(&person).is_ok() {
                    return Some(Bar::Contributor);
                }
            }
        }
        let except = &self.quorum.except;
        if except.requester && self.slots.requester == Some(person) {
            return Some(Bar::Requester);
        }
        if self.sets.excepted.contains(person) || self.in_any(&except.directories, person) {
            return Some(Bar::Excepted);
        }
        None
    }

    /// What is not known but has to be. Missing directories of PEOPLE are not among these.
    pub fn unsure(&self) -> Vec<Unsure> {
        let Except { requester, directories, .. } = &self.quorum.except;
        let mut unsure = Vec::new();
        let author_matters = match self.quorum.including {
            None => true,
            Some(Including::Author) => !self.slots.contributors.is_empty(),
            Some(Including::Contributors) => false,
        };
        if author_matters && self.slots.author.is_none() {
            unsure.push(Unsure::Author);
        }
        if *requester && self.slots.requester.is_none() {
            unsure.push(Unsure::Requester);
        }
        unsure.extend(self.missing(directories));
        unsure
    }

    /// The groups whose members were not supplied.
    pub fn missing(&self, groups: &'a [GroupId]) -> impl Iterator<Item = Unsure> + 'a {
        let slots = self.slots;
        groups.iter().filter(|g| slots.directory(**g).is_none()).map(|g| Unsure::Directory(*g))
    }

    /// Everyone in PEOPLE in the order of the policy, then the members of directories, each once.
    pub fn everyone(&self) -> Vec<Person> {
        let mut people: Vec<Person> = self.quorum.people.iter().map(|p| p.0).collect();
        let mut more: Vec<Person> = (self.quorum.directories.iter())
            .filter_map(|g| self.slots.directory(*g))
            .flatten()
            .copied()
            .filter(|p| !self.sets.listed.contains(*p))
            .collect();
        more.sort_unstable();
        more.dedup();
        people.append(&mut more);
        people
    }
}

/// The instant after which an approval must have been given, if the rule says `since`; `Err` when that stage has not
/// succeeded. With the next instant at which that may be another.
pub(crate) fn since(approve: &Approve, slots: &Slots, t: i64) -> (Result<Option<i64>, ()>, i64) {
    let Some(stage) = approve.since else { return (Ok(None), NEVER) };
    let (run, next) = slots.newest(stage, t);
    match run {
        Some(run) if run.status == RunStatus::Succeeded => (Ok(Some(run.at)), next),
        _ => (Err(()), next),
    }
}

/// How an `approve` rule stands at `t`, by the last words until then. `others` answers for the rules that `approvers of` names.
pub(crate) fn count<'c>(
    asked: Asked<'_>,
    approve: &Approve,
    t: i64,
    last: &LastWords,
    others: impl Fn(RuleId) -> Option<&'c Counted>,
) -> Counted {
    let mut counted = Counted { unsure: asked.unsure(), ..Counted::default() };
    let (since, next_run) = since(approve, asked.slots, t);
    let mut until = last.next.min(next_run);

    let mut taken: Vec<Person> = Vec::new();
    for rule in &asked.quorum.except.approvers_of {
        match others(*rule) {
            Some(other) => {
                until = until.min(other.until);
                taken.extend(&other.valid);
                if !other.unsure.is_empty() {
                    counted.unsure.push(Unsure::Rule(*rule));
                }
            }
            None => counted.unsure.push(Unsure::Rule(*rule)),
        }
    }
    taken.sort_unstable();
    let is_taken = |person: Person| taken.binary_search(&person).is_ok();
    let missing: Vec<Unsure> = asked.missing(&asked.quorum.directories).collect();

    let mut stranger_rejects = false;
    for said in last.of(asked.quorum).iter() {
        match asked.bar(said.person) {
            Some(Bar::NotListed) => {
                stranger_rejects |= said.word == Word::Reject;
                continue;
            }
            Some(_) => continue,
            None => {}
        }
        match said.word {
            Word::Reject => counted.rejected.push(said.person),
            Word::Withdraw => {}
            Word::Approve => {
                let after = match since {
                    Ok(after) => after.is_none_or(|after| said.at > after),
                    Err(()) => false,
                };
                let expires = approve.valid.map_or(NEVER, |valid| said.at.saturating_add(valid));
                if after && t < expires && !is_taken(said.person) {
                    until = until.min(expires);
                    counted.valid.push(said.person);
                }
            }
        }
    }
    counted.at_least = counted.unsure.is_empty() && !stranger_rejects;
    counted.needed = match asked.quorum.count {
        Count::Number(n) => Some(n.max(1) as usize),
        Count::All if missing.is_empty() => {
            let eligible = asked.everyone().into_iter().filter(|p| asked.bar(*p).is_none() && !is_taken(*p)).count();
            Some(eligible.max(1))
        }
        Count::All => None,
    };
    counted.unsure.extend(missing);
    counted.until = until;
    counted
}
