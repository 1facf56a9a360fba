//! The hashes of RFC 6962 that the log keeps, so that appending and proving need few of them.

use rusqlite::{Connection, OptionalExtension};
use sha2::{Digest, Sha256};

/// A hash of the tree.
pub(crate) type Hash = [u8; 32];

/// Levels between those that `tree` holds: subtrees of 16, 256, 4096, … leaves.
pub(crate) const STEP: u32 = 4;

/// Of the bytes of a line.
pub(crate) fn leaf_hash(line: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(line).finalize().into()
}

/// Of two subtrees.
pub(crate) fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The hash of the complete subtree of `2^level` leaves that begins at leaf `idx * 2^level`: what the log holds of it, put
/// together. `None` when a part of it is not in the log.
pub(crate) fn subtree(log: &Connection, level: u32, idx: u64) -> rusqlite::Result<Option<Hash>> {
    if level.is_multiple_of(STEP) {
        let sql = match level {
            0 => "SELECT leaf FROM entry WHERE seq = ?2 AND ?1 = 0",
            _ => "SELECT hash FROM tree WHERE level = ?1 AND idx = ?2",
        };
        let Ok(idx) = i64::try_from(idx) else { return Ok(None) };
        return log.prepare_cached(sql)?.query_row((level, idx), |row| row.get(0)).optional();
    }
    // At most three levels deep: the next one down to a multiple of four is kept.
    let (Some(below), Some(first)) = (level.checked_sub(1), idx.checked_mul(2)) else { return Ok(None) };
    let Some(left) = subtree(log, below, first)? else { return Ok(None) };
    let Some(right) = subtree(log, below, first + 1)? else { return Ok(None) };
    Ok(Some(node_hash(&left, &right)))
}

/// The complete subtrees that a tree of `size` leaves consists of, the largest first: level and index.
pub(crate) fn peaks(size: u64) -> impl Iterator<Item = (u32, u64)> {
    (0..u64::BITS).rev().filter(move |level| size >> level & 1 == 1).map(move |level| (level, (size >> level) - 1))
}

/// The root of a tree that consists of these subtrees, the largest first.
pub(crate) fn root(peaks: &[Hash]) -> Hash {
    let mut peaks = peaks.iter().rev();
    match peaks.next() {
        None => Sha256::digest([]).into(),
        Some(last) => peaks.fold(*last, |right, left| node_hash(left, &right)),
    }
}

/// The subtrees of a growing log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Growing {
    size: u64,
    peaks: Vec<(u32, Hash)>,
}

impl Growing {
    /// As the log stands. `None` when a hash is missing that has to be there.
    pub fn read(log: &Connection, size: u64) -> rusqlite::Result<Option<Growing>> {
        let mut growing = Growing { size, peaks: Vec::new() };
        for (level, idx) in peaks(size) {
            match subtree(log, level, idx)? {
                Some(hash) => growing.peaks.push((level, hash)),
                None => return Ok(None),
            }
        }
        Ok(Some(growing))
    }

    /// How many leaves there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        let peaks: Vec<Hash> = self.peaks.iter().map(|(_, hash)| *hash).collect();
        root(&peaks)
    }

    /// One leaf more. What is to be kept in `tree` is given to `keep`: level, index and hash.
    pub fn push<E>(&mut self, leaf: Hash, mut keep: impl FnMut(u32, u64, &Hash) -> Result<(), E>) -> Result<(), E> {
        let (mut level, mut hash) = (0, leaf);
        self.size += 1;
        while let Some((_, left)) = self.peaks.pop_if(|peak| peak.0 == level) {
            hash = node_hash(&left, &hash);
            level += 1;
            if level.is_multiple_of(STEP) {
                keep(level, (self.size >> level) - 1, &hash)?;
            }
        }
        self.peaks.push((level, hash));
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The root as RFC 6962 defines it.
    fn defined(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => *leaf,
            many => {
                let (left, right) = many.split_at(many.len().next_power_of_two() / 2);
                node_hash(&defined(left), &defined(right))
            }
        }
    }

    /// Grown leaf by leaf, and taken up again at each size from what is kept, the tree is the one of the RFC.
    #[test]
    fn it_grows_to_the_tree_of_the_rfc() {
        let log = Connection::open_in_memory().unwrap();
        log.execute_batch(
            "CREATE TABLE entry (seq INTEGER PRIMARY KEY, leaf BLOB); CREATE TABLE tree (level, idx, hash)",
        )
        .unwrap();
        let mut leaves: Vec<Hash> = Vec::new();
        let mut growing = Growing::default();
        for size in 0..700_u64 {
            let again = Growing::read(&log, size).unwrap().unwrap();
            assert_eq!(again.peaks, growing.peaks);
            let hashes: Vec<Hash> = growing.peaks.iter().map(|peak| peak.1).collect();
            assert_eq!(root(&hashes), defined(&leaves), "{size}");
            let leaf = leaf_hash(&size.to_le_bytes());
            leaves.push(leaf);
            log.execute("INSERT INTO entry VALUES (?1, ?2)", (size as i64, leaf)).unwrap();
            let keep = |level: u32, idx: u64, hash: &Hash| {
                log.execute("INSERT INTO tree VALUES (?1, ?2, ?3)", (level, idx as i64, hash)).map(drop)
            };
            growing.push(leaf, keep).unwrap();
        }
        let kept: i64 = log.query_row("SELECT count(*) FROM tree", [], |row| row.get(0)).unwrap();
        assert_eq!(kept, 700 / 16 + 700 / 256);
        assert!(Growing::read(&log, 701).unwrap().is_none());
    }
}
