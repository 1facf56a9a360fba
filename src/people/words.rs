//! What people said last by one instant.

use std::borrow::Cow;

use crate::decide::truth::NEVER;
use crate::facts::slots::Said;
use crate::program::Quorum;

/// The last word of each person by an instant, and what they say later.
#[derive(Clone, Debug, Default)]
pub(crate) struct LastWords {
    /// Ascending by person.
    pub words: Vec<Said>,
    /// Ascending by person, then by time.
    pub later: Vec<Said>,
}

/// Words of so many times as many people as PEOPLE has are not looked through one by one.
pub(crate) const MANY: usize = 4;

impl LastWords {
    /// By `t`, of what is sorted by person, then time.
    pub fn new(said: &[Said], t: i64) -> LastWords {
        let mut last = LastWords { words: Vec::with_capacity(said.len()), later: Vec::new() };
        for of_one in said.chunk_by(|a, b| a.person == b.person) {
            let (past, later) = of_one.split_at(of_one.partition_point(|s| s.at <= t));
            last.words.extend(past.last());
            last.later.extend_from_slice(later);
        }
        last
    }

    /// The instant of the next word of anyone.
    pub fn next(&self) -> i64 {
        self.later.iter().map(|said| said.at).min().unwrap_or(NEVER)
    }

    /// The words of all who may be among the people of a quorum, ascending by person; there may be others among them.
    pub fn of(&self, quorum: &Quorum) -> Cow<'_, [Said]> {
        if !quorum.directories.is_empty() || self.words.len() / MANY <= quorum.people.len() {
            return Cow::Borrowed(&self.words);
        }
        let word = |person: u32| {
            let at = self.words.binary_search_by_key(&person, |said| said.person).ok()?;
            self.words.get(at).copied()
        };
        let mut words: Vec<Said> = quorum.people.iter().filter_map(|person| word(person.0)).collect();
        words.sort_unstable_by_key(|said| said.person);
        Cow::Owned(words)
    }
}
