//! The texts of a policy by number, and their numbers by text: what a request says is looked up here.

/// Numbers texts in the order in which they come.
#[derive(Debug)]
pub(crate) struct Names {
    texts: Vec<Box<str>>,
    /// Open addressing, at most half full; a power of two.
    table: Vec<Entry>,
    /// Another one as soon as texts crowd, so that nobody can prepare texts that all fall on one place; and the same
    /// one for the same texts, so that asking for them costs the same in each run.
    seed: u64,
    /// How many seeds before it were given up.
    seeds: u32,
}

/// A place of the table: how the text begins, so that most comparisons need not look at it.
#[derive(Clone, Copy, Debug)]
struct Entry {
    head: u64,
    len: u32,
    /// [`FREE`]: there is none.
    id: u32,
}

/// What seeds are made from.
const FIRST_SEED: u64 = 0x9e37_79b9_7f4a_7c15;
/// Of places taken one after the other, those that texts by chance do not fill.
const CROWD: usize = 64;
/// So often another seed is tried.
const SEEDS: u32 = 8;

const FREE: u32 = u32::MAX;
const EMPTY: Entry = Entry { head: 0, len: 0, id: FREE };

impl Default for Names {
    fn default() -> Names {
        Names::with_capacity(0)
    }
}

impl Names {
    pub fn with_capacity(capacity: usize) -> Names {
        let places = (capacity.saturating_mul(2) + 1).next_power_of_two().max(16);
        Names { texts: Vec::with_capacity(capacity), table: vec![EMPTY; places], seed: FIRST_SEED, seeds: 0 }
    }

    /// The number of a text, which is given one if it has none. [`u32::MAX`] once there are too many.
    pub fn add(&mut self, text: &str) -> u32 {
        if let Some(known) = self.get(text) {
            return known;
        }
        let (Ok(id), Ok(len)) = (u32::try_from(self.texts.len()), u32::try_from(text.len())) else { return FREE };
        if self.texts.len() * 2 >= self.table.len() {
            self.lay_out(self.table.len() * 2);
        }
        let head = head(text.as_bytes());
        let hash = self.hash(text, head);
        let mut crowded = self.place(Entry { head, len, id }, hash);
        self.texts.push(text.into());
        while crowded && self.seeds < SEEDS {
            self.seeds += 1;
            self.seed = fold(self.seed, FIRST_SEED) | 1;
            crowded = self.lay_out(self.table.len());
        }
        id
    }

    /// Puts all texts into a table of so many places; whether they crowd.
    fn lay_out(&mut self, places: usize) -> bool {
        let entries = std::mem::replace(&mut self.table, vec![EMPTY; places]);
        let mut crowded = false;
        for entry in entries.into_iter().filter(|entry| entry.id != FREE) {
            let hash = self.hash(self.text(entry.id).unwrap_or_default(), entry.head);
            crowded |= self.place(entry, hash);
        }
        crowded
    }

    /// The number of a text.
    #[inline]
    pub fn get(&self, text: &str) -> Option<u32> {
        if text.len() > 8 {
            return self.get_long(text);
        }
        // Beginning and length are the whole.
        let head = head(text.as_bytes());
        let mask = self.table.len().wrapping_sub(1);
        let mut at = fold(head ^ text.len() as u64, self.seed) as usize;
        loop {
            let entry = self.table.get(at & mask)?;
            if entry.head == head && entry.len as usize == text.len() && entry.id != FREE {
                return Some(entry.id);
            }
            if entry.id == FREE {
                return None;
            }
            at = at.wrapping_add(1);
        }
    }

    /// The same for a text of more than eight bytes.
    #[inline(never)]
    fn get_long(&self, text: &str) -> Option<u32> {
        let head = head(text.as_bytes());
        let mask = self.table.len().wrapping_sub(1);
        let mut at = self.hash(text, head);
        loop {
            let entry = self.table.get(at & mask)?;
            if entry.id == FREE {
                return None;
            }
            if entry.head == head && entry.len as usize == text.len() && self.text(entry.id) == Some(text) {
                return Some(entry.id);
            }
            at = at.wrapping_add(1);
        }
    }

    /// The text of a number.
    pub fn text(&self, id: u32) -> Option<&str> {
        self.texts.get(id as usize).map(|text| &**text)
    }

    /// A hash of any text.
    pub fn hash_of(&self, text: &str) -> u32 {
        self.hash(text, head(text.as_bytes())) as u32
    }

    /// Whether it found its place only after many others.
    fn place(&mut self, entry: Entry, hash: usize) -> bool {
        let mask = self.table.len().wrapping_sub(1);
        let mut at = hash;
        // At least half of the places are free.
        while self.table.get(at & mask).is_some_and(|taken| taken.id != FREE) {
            at = at.wrapping_add(1);
        }
        if let Some(place) = self.table.get_mut(at & mask) {
            *place = entry;
        }
        at.wrapping_sub(hash) > CROWD
    }

    #[inline]
    fn hash(&self, text: &str, head: u64) -> usize {
        let mut hash = fold(head ^ text.len() as u64, self.seed);
        if text.len() > 8 {
            let (chunks, rest) = text.as_bytes().as_chunks::<8>();
            for chunk in chunks.iter().skip(1) {
                hash = fold(hash ^ u64::from_le_bytes(*chunk), self.seed);
            }
            hash = fold(hash ^ self::head(rest), self.seed);
        }
        hash as usize
    }
}

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ 0x2545_f491_4f6c_dd1d) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// The first eight bytes; of less, all of them in a form that tells texts of one length apart.
#[inline]
fn head(text: &[u8]) -> u64 {
    if let Some(eight) = text.first_chunk::<8>() {
        u64::from_le_bytes(*eight)
    } else if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32
    } else if let ([first, ..], [.., last]) = (text, text) {
        let middle = text.get(text.len() / 2).copied().unwrap_or_default();
        u64::from(*first) | u64::from(middle) << 8 | u64::from(*last) << 16
    } else {
        0
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::Names;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn what_was_added_is_found_and_nothing_else(
            texts in prop::collection::vec("[ab]{0,20}|[a-d]{1,3}", 0..200),
            others in prop::collection::vec("[ab]{0,20}|[a-d]{1,3}", 0..50),
        ) {
            let (mut names, mut known) = (Names::default(), HashMap::new());
            for text in &texts {
                let next = known.len() as u32;
                prop_assert_eq!(names.add(text), *known.entry(text.as_str()).or_insert(next));
            }
            for text in texts.iter().chain(&others) {
                prop_assert_eq!(names.get(text), known.get(text.as_str()).copied());
            }
            for (text, id) in known {
                prop_assert_eq!(names.text(id), Some(text));
            }
        }
    }

    #[test]
    fn texts_that_were_made_to_crowd_are_given_another_seed() {
        let first = Names::default();
        let texts: Vec<String> = (0..2_000_000)
            .map(|number| format!("text-{number}"))
            .filter(|text| first.hash_of(text) & 0xfff == 0)
            .take(super::CROWD * 4)
            .collect();
        assert_eq!(texts.len(), super::CROWD * 4);
        let add_all = || {
            let mut names = Names::default();
            for text in &texts {
                names.add(text);
            }
            names
        };
        let (names, again) = (add_all(), add_all());
        assert!(names.seeds > 0 && names.seeds < super::SEEDS, "{}", names.seeds);
        assert_eq!((names.seed, names.seeds), (again.seed, again.seeds));
        for (id, text) in texts.iter().enumerate() {
            assert_eq!(names.get(text), Some(id as u32));
            assert_eq!(names.get(&format!("{text}-")), None);
        }
    }
}
