//! The tree of a log against another implementation of RFC 6962, and proofs that somebody has changed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::LazyLock;

use chrono::Utc;
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proptest::prelude::*;
use sha2::Sha256;
use stagegate_audit::tree::{extends, includes, leaf_hash};
use stagegate_audit::{
    Checkpoint, ConsistencyProof, Dropped, Entry, Id, InclusionProof, Log, LogError, Options, SignerKey, Trust,
};

const SIZE: u64 = 600;

type Other = MemoryBackedTree<Sha256, Vec<u8>>;

/// A log, its lines, and the other tree at each of its sizes.
struct Both {
    _folder: tempfile::TempDir,
    log: Log,
    lines: Vec<(Id, String)>,
    roots: Vec<[u8; 32]>,
}

static BOTH: LazyLock<Both> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let entry = |count| {
        let now = Utc::now();
        Entry::Dropped(Dropped { id: Id::new(), recorded: now, count, since: now, until: now, why: "no space".into() })
    };
    let entries: Vec<Entry> = (0..SIZE).map(entry).collect();
    Log::open(&path, &Options::new().create(true)).unwrap().append_all(&entries, &[]).unwrap();
    let lines: Vec<(Id, String)> = entries.iter().map(|entry| (entry.id(), entry.to_json())).collect();
    let mut other = Other::new();
    let mut roots = vec![other.root().as_bytes().as_slice().try_into().unwrap()];
    for line in &lines {
        other.push(line.1.clone().into_bytes());
        roots.push(other.root().as_bytes().as_slice().try_into().unwrap());
    }
    Both { log: Log::read(&path).unwrap(), _folder: folder, lines, roots }
});

/// The other tree of the first lines.
fn other(size: u64) -> Other {
    let mut tree = Other::new();
    BOTH.lines.iter().take(size as usize).for_each(|line| tree.push(line.1.clone().into_bytes()));
    tree
}

#[test]
fn every_root_is_the_same() {
    for (size, root) in BOTH.roots.iter().enumerate() {
        assert_eq!(BOTH.log.root(size as u64).unwrap(), *root, "{size}");
    }
    assert!(matches!(BOTH.log.root(SIZE + 1), Err(LogError::NotProven(_))));
    assert!(BOTH.log.prove_inclusion(7, 7).is_err());
    assert!(BOTH.log.prove_consistency(8, 7).is_err());
}

#[test]
fn proof_files_are_read_back_and_prove() {
    let key = SignerKey::generate("example.com/log").unwrap();
    let keys = [key.verifier()];
    let signed = |size| BOTH.log.checkpoint(Some(size)).unwrap().signed(&key).unwrap().to_string();
    let proof = BOTH.log.prove(BOTH.lines[77].0, &signed(100)).unwrap();
    let read = InclusionProof::parse(&proof.to_string()).unwrap();
    assert_eq!((&read, &read.line, read.index), (&proof, &BOTH.lines[77].1, 77));
    assert_eq!(read.verify(Trust::Keys(&keys)).unwrap().size, 100);
    assert_eq!(BOTH.log.prove(Id::new(), &signed(100)).unwrap_err().to_string().split(' ').next(), Some("there"));
    assert!(matches!(BOTH.log.prove(BOTH.lines[100].0, &signed(100)), Err(LogError::Invalid(_))));
    let growth = BOTH.log.prove_growth(&signed(100), &signed(600)).unwrap();
    let read = ConsistencyProof::parse(&growth.to_string()).unwrap();
    assert_eq!(read, growth);
    let (from, to) = read.verify(Trust::Keys(&keys)).unwrap();
    assert_eq!((from.size, to.size), (100, 600));
    read.verify(Trust::Kept(&from)).unwrap();
    assert!(matches!(read.verify(Trust::Kept(&to)), Err(LogError::NotProven(_))));
    // A checkpoint of a log that was rewritten, and of another log.
    let rewritten = Checkpoint::new(from.origin.clone(), 100, [7; 32]).unwrap().to_string();
    assert!(matches!(BOTH.log.prove_growth(&rewritten, &signed(600)), Err(LogError::NotProven(_))));
    let another = Checkpoint::new("another", 100, from.root).unwrap().to_string();
    assert!(matches!(BOTH.log.prove(BOTH.lines[7].0, &another), Err(LogError::NotProven(_))));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Each proof is byte for byte that of the other implementation; with a bit changed, a hash lost or more, or for another
    /// place or size, it proves nothing.
    #[test]
    fn inclusion(size in 1..=SIZE, index: prop::sample::Index, at: prop::sample::Index, bit in 0..8_u32) {
        let index = index.index(size as usize) as u64;
        let proof = BOTH.log.prove_inclusion(index, size).unwrap();
        let theirs = other(size).prove_inclusion(index as usize);
        prop_assert_eq!(proof.concat(), theirs.as_bytes());
        prop_assert!(proof.len() <= 10);
        let root = BOTH.roots[size as usize];
        let leaf = leaf_hash(BOTH.lines[index as usize].1.as_bytes());
        prop_assert!(includes(&leaf, index, size, &proof, &root));
        if !proof.is_empty() {
            let mut changed = proof.clone();
            changed[at.index(proof.len())][at.index(32)] ^= 1 << bit;
            prop_assert!(!includes(&leaf, index, size, &changed, &root));
            prop_assert!(!includes(&leaf, index, size, &proof[1..], &root));
            prop_assert!(!includes(&leaf, index ^ 1, size, &proof, &root));
        }
        prop_assert!(!includes(&leaf, index, size, &[&proof[..], &[root]].concat(), &root));
        let mut changed = leaf;
        changed[at.index(32)] ^= 1 << bit;
        prop_assert!(!includes(&changed, index, size, &proof, &root));
    }

    #[test]
    fn consistency(sizes in (1..=SIZE, 1..=SIZE), at: prop::sample::Index, bit in 0..8_u32) {
        let (old, new) = (sizes.0.min(sizes.1), sizes.0.max(sizes.1));
        let proof = BOTH.log.prove_consistency(old, new).unwrap();
        let (a, b) = (BOTH.roots[old as usize], BOTH.roots[new as usize]);
        prop_assert!(extends((old, &a), (new, &b), &proof));
        prop_assert!(old < new || proof.is_empty());
        if old < new {
            let theirs = other(new).prove_consistency((new - old) as usize);
            prop_assert_eq!(proof.concat(), theirs.as_bytes());
            let mut changed = proof.clone();
            changed[at.index(proof.len())][at.index(32)] ^= 1 << bit;
            prop_assert!(!extends((old, &a), (new, &b), &changed));
            prop_assert!(!extends((old, &a), (new, &b), &proof[1..]));
            prop_assert!(!extends((old, &b), (new, &a), &proof));
            prop_assert!(!extends((new, &b), (old, &a), &proof));
        }
        prop_assert!(!extends((old, &a), (new, &b), &[&proof[..], &[a]].concat()));
        let mut changed = a;
        changed[at.index(32)] ^= 1 << bit;
        prop_assert!(!extends((old, &changed), (new, &b), &proof));
    }
}
