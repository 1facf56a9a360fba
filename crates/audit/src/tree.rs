//! The Merkle tree of RFC 6962 over the lines of a log, with SHA-256: roots, proofs that a record is in the log, proofs that
//! a log only grew, and checking both without the log.

use crate::log::nodes::{self, Hash};
use crate::{Checkpoint, Log, LogError};

/// The hash of a record's line as a leaf of the tree.
pub fn leaf_hash(line: &[u8]) -> [u8; 32] {
    nodes::leaf_hash(line)
}

/// Whether the hashes prove that the leaf is the one at the index, counted from 0, of the tree of that size and root.
pub fn includes(leaf: &[u8; 32], index: u64, size: u64, proof: &[[u8; 32]], root: &[u8; 32]) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = nodes::node_hash(sibling, &hash);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            hash = nodes::node_hash(&hash, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && hash == *root
}

/// Whether the hashes prove that the tree of the second size and root begins with all leaves of the first.
pub fn extends(old: (u64, &[u8; 32]), new: (u64, &[u8; 32]), proof: &[[u8; 32]]) -> bool {
    let ((old, old_root), (new, new_root)) = (old, new);
    if old > new {
        return false;
    }
    if old == new {
        return proof.is_empty() && old_root == new_root && (old > 0 || *old_root == nodes::root(&[]));
    }
    if old == 0 {
        // Whatever a log is, it began empty.
        return proof.is_empty() && *old_root == nodes::root(&[]);
    }
    let (mut at, mut last) = (old - 1, new - 1);
    while at & 1 == 1 {
        (at, last) = (at >> 1, last >> 1);
    }
    // An old tree that is one whole subtree of the new one is not in the proof: its root is known.
    let (first, rest) = match (old.is_power_of_two(), proof.split_first()) {
        (true, _) => (old_root, proof),
        (false, Some((first, rest))) => (first, rest),
        (false, None) => return false,
    };
    let (mut small, mut large) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            small = nodes::node_hash(sibling, &small);
            large = nodes::node_hash(sibling, &large);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            large = nodes::node_hash(&large, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && small == *old_root && large == *new_root
}

/// Gives the hash of the complete subtree at a level and index.
type Node<'a, E> = &'a mut dyn FnMut(u32, u64) -> Result<Hash, E>;

/// The root over the leaves of a range whose start is a multiple of a power of two that is no less than its length.
fn range<E>(node: Node<'_, E>, start: u64, end: u64) -> Result<Hash, E> {
    let peaks = nodes::peaks(end - start).map(|(level, idx)| node(level, (start >> level) + idx));
    Ok(nodes::root(&peaks.collect::<Result<Vec<_>, E>>()?))
}

/// Where the RFC splits that many leaves, two at least: the largest power of two below.
fn split(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}

fn inclusion<E>(node: Node<'_, E>, index: u64, size: u64) -> Result<Vec<Hash>, E> {
    let (mut start, mut end, mut proof) = (0, size, Vec::new());
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            proof.push(range(node, middle, end)?);
            end = middle;
        } else {
            proof.push(range(node, start, middle)?);
            start = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

fn consistency<E>(node: Node<'_, E>, old: u64, new: u64) -> Result<Vec<Hash>, E> {
    let (mut start, mut end, mut proof) = (0, new, Vec::new());
    if old == 0 {
        return Ok(proof);
    }
    while old != end {
        let middle = start + split(end - start);
        if old <= middle {
            proof.push(range(node, middle, end)?);
            end = middle;
        } else {
            proof.push(range(node, start, middle)?);
            start = middle;
        }
    }
    if start > 0 {
        proof.push(range(node, start, end)?);
    }
    proof.reverse();
    Ok(proof)
}

impl Log {
    /// The root of the tree over the first `size` records, from the hashes that the log keeps. It reads a few rows, however
    /// long the log; that these hashes are those of the records is what `audit verify` checks.
    ///
    /// # Errors
    /// When the log has fewer records, or cannot be read.
    pub fn root(&self, size: u64) -> Result<[u8; 32], LogError> {
        self.holds(size)?;
        range(&mut |level, idx| self.node(level, idx), 0, size)
    }

    /// A checkpoint of its first `size` records, or of all. It is not signed: see [`Checkpoint::signed`].
    ///
    /// # Errors
    /// As [`Log::root`].
    pub fn checkpoint(&self, size: Option<u64>) -> Result<Checkpoint, LogError> {
        let size = size.map_or_else(|| self.len(), Ok)?;
        Checkpoint::new(self.origin()?, size, self.root(size)?)
    }

    /// The hashes that prove that the record at `seq` is in the tree of the first `size` records.
    ///
    /// # Errors
    /// When the log has fewer records, the record is not among them, or the log cannot be read.
    pub fn prove_inclusion(&self, seq: u64, size: u64) -> Result<Vec<[u8; 32]>, LogError> {
        self.holds(size)?;
        if seq >= size {
            let why = format!("record {seq}, counted from 0, is not among the first {size}: it was recorded later");
            return Err(LogError::Invalid(why));
        }
        inclusion(&mut |level, idx| self.node(level, idx), seq, size)
    }

    /// The hashes that prove that the tree of the first `new` records begins with that of the first `old`.
    ///
    /// # Errors
    /// When `old` is more than `new`, or the log has fewer records, or cannot be read.
    pub fn prove_consistency(&self, old: u64, new: u64) -> Result<Vec<[u8; 32]>, LogError> {
        self.holds(new)?;
        if old > new {
            return Err(LogError::Invalid(format!("a log of {new} records does not come after one of {old}")));
        }
        consistency(&mut |level, idx| self.node(level, idx), old, new)
    }

    fn holds(&self, size: u64) -> Result<(), LogError> {
        let len = self.len()?;
        if size > len {
            return Err(LogError::NotProven(format!("the log has {len} records, and not {size}")));
        }
        Ok(())
    }

    fn node(&self, level: u32, idx: u64) -> Result<Hash, LogError> {
        let hash = self.reading(|log| nodes::subtree(log, level, idx))?;
        hash.ok_or_else(|| LogError::Damaged {
            seq: idx.checked_shl(level).unwrap_or(u64::MAX),
            why: "a hash of the tree over it is missing".into(),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// The leaves, and the roots of their first 0, 1, … 8, that Certificate Transparency publishes.
    const LEAVES: [&str; 8] =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    const ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    fn hash(hex: &str) -> Hash {
        bytes(hex).try_into().unwrap()
    }

    fn node(level: u32, idx: u64) -> Result<Hash, Infallible> {
        Ok(match level.checked_sub(1) {
            None => leaf_hash(&bytes(LEAVES[idx as usize])),
            Some(below) => nodes::node_hash(&node(below, 2 * idx)?, &node(below, 2 * idx + 1)?),
        })
    }

    #[test]
    fn the_published_roots() {
        for (size, root) in ROOTS.iter().enumerate() {
            assert_eq!(range(&mut node, 0, size as u64).unwrap(), hash(root), "{size}");
        }
    }

    #[test]
    fn the_published_inclusion_proofs() {
        let published: [(u64, u64, &[&str]); 4] = [
            (0, 1, &[]),
            (
                0,
                8,
                &[
                    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
                ],
            ),
            (
                5,
                8,
                &[
                    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                ],
            ),
            (2, 3, &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
        ];
        for (index, size, proof) in published {
            let proof: Vec<Hash> = proof.iter().map(|hex| hash(hex)).collect();
            assert_eq!(inclusion(&mut node, index, size).unwrap(), proof, "{index} of {size}");
            assert!(includes(&node(0, index).unwrap(), index, size, &proof, &hash(ROOTS[size as usize])));
        }
    }

    #[test]
    fn the_published_consistency_proofs() {
        let published: [(u64, u64, &[&str]); 4] = [
            (1, 1, &[]),
            (
                1,
                8,
                &[
                    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
                ],
            ),
            (
                6,
                8,
                &[
                    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                ],
            ),
            (
                2,
                5,
                &[
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                ],
            ),
        ];
        for (old, new, proof) in published {
            let proof: Vec<Hash> = proof.iter().map(|hex| hash(hex)).collect();
            assert_eq!(consistency(&mut node, old, new).unwrap(), proof, "{old} to {new}");
            let (a, b) = (hash(ROOTS[old as usize]), hash(ROOTS[new as usize]));
            assert!(extends((old, &a), (new, &b), &proof));
        }
    }

    /// At sizes where a number could overflow.
    #[test]
    fn the_largest_sizes_are_checked_without_a_panic() {
        let zero = [0; 32];
        for size in [u64::MAX, u64::MAX - 1, 1 << 63, (1 << 63) + 1] {
            assert!(!includes(&zero, size - 1, size, &[zero; 64], &zero));
            assert!(!includes(&zero, size, size, &[zero; 64], &zero));
            for old in [0, 1, 1 << 62, size - 1, size, u64::MAX] {
                assert!(!extends((old, &zero), (size, &[1; 32]), &[zero; 65]));
            }
        }
    }
}
