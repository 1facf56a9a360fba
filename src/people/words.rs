//! What people said last by one instant.

use std::borrow::Cow;

use crate::decide::truth::NEVER;
use crate::facts::slots::Said;
use crate::program::Quorum;

/// The last word of each person by an instant, and what they say later.
#[derive(Clone, Debug)]
pub(crate) struct LastWords {
    /// Ascending by person.
    pub words: Vec<Said>,
    /// Ascending by person, then by time.
    pub later: Vec<Said>,
    /// The instant of the next word of anyone.
    pub next: i64,
}

/// Words of so many times as many people as PEOPLE has are not looked through one by one.
const MANY: usize = 4;

/// The words of the people of a quorum, in the order of PEOPLE, where looking these up is quicker than looking through all
/// words, which are ascending by person. `None`: look through them.
pub(crate) fn words_of(words: &[Said], quorum: &Quorum) -> Option<impl Iterator<Item = Said>> {
    let quicker = quorum.directories.is_empty() && words.len() / MANY > quorum.people.len();
    let word = |person: u32| {
        let at = words.binary_search_by_key(&person, |said| said.person).ok()?;
        words.get(at).copied()
    };
    quicker.then(|| quorum.people.iter().filter_map(move |person| word(person.0)))
}

impl Default for LastWords {
    /// Nobody says anything.
    fn default() -> LastWords {
        LastWords { words: Vec::new(), later: Vec::new(), next: NEVER }
    }
}

impl LastWords {
    /// By `t`, of what is sorted by person, then time.
    pub fn new(said: &[Said], t: i64) -> LastWords {
        let mut last = LastWords { words: Vec::with_capacity(said.len()), ..LastWords::default() };
        for of_one in said.chunk_by(|a, b| a.person == b.person) {
            let (past, later) = of_one.split_at(of_one.partition_point(|s| s.at <= t));
            last.words.extend(past.last());
            last.later.extend_from_slice(later);
            last.next = later.first().map_or(last.next, |said| last.next.min(said.at));
        }
        last
    }

    /// The words of all who may be among the people of a quorum, ascending by person; there may be others among them.
    pub fn of(&self, quorum: &Quorum) -> Cow<'_, [Said]> {
        let Some(words) = words_of(&self.words, quorum) else { return Cow::Borrowed(&self.words) };
        let mut words: Vec<Said> = words.collect();
        words.sort_unstable_by_key(|said| said.person);
        Cow::Owned(words)
    }
}
