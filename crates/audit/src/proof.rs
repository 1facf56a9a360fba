//! Proofs as files, each with all that it takes to check it but the keys: that a record is in a log (`c2sp.org/tlog-proof`),
//! and that a log only grew.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::{Checkpoint, Id, Log, LogError, VerifierKey, tree};

/// The first line of an inclusion proof.
const INCLUSION: &str = "c2sp.org/tlog-proof@v1\n";

/// What a consistency proof calls itself.
const CONSISTENCY: &str = "stagegate.consistency-proof/1";

/// Why a checkpoint is believed.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Trust<'a> {
    /// One of these keys has signed it.
    Keys(&'a [VerifierKey]),
    /// It is this one, which was kept.
    Kept(&'a Checkpoint),
}

impl Trust<'_> {
    fn checkpoint(self, text: &str) -> Result<Checkpoint, LogError> {
        match self {
            Trust::Keys(keys) => Checkpoint::verified(text, keys),
            Trust::Kept(kept) => {
                let found = Checkpoint::parse_unsigned(text)?;
                if (&found.origin, found.size, found.root) != (&kept.origin, kept.size, kept.root) {
                    return Err(LogError::NotProven("it is a proof for another checkpoint than the one kept".into()));
                }
                Ok(found)
            }
        }
    }
}

/// That a line is a record of a log: the line, where it is, and the hashes from it to the root that the checkpoint holds. Its
/// text is the format `c2sp.org/tlog-proof@v1`, with the line as extra data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InclusionProof {
    /// The record, byte for byte.
    pub line: String,
    /// Its place in the log, from 0.
    pub index: u64,
    /// From the leaf to the root.
    pub hashes: Vec<[u8; 32]>,
    /// The checkpoint with its signatures.
    pub checkpoint: String,
}

impl InclusionProof {
    /// Reads one. Nothing is checked by that.
    ///
    /// # Errors
    /// When it is not one, or has no record with it.
    pub fn parse(text: &str) -> Result<InclusionProof, LogError> {
        let wrong = |why: &str| LogError::Invalid(format!("it is not an inclusion proof: {why}"));
        let rest = text.strip_prefix(INCLUSION).ok_or_else(|| wrong("its first line is not c2sp.org/tlog-proof@v1"))?;
        let (head, checkpoint) = rest.split_once("\n\n").ok_or_else(|| wrong("there is no checkpoint in it"))?;
        let mut lines = head.split('\n');
        let line = lines.next().and_then(|line| line.strip_prefix("extra "));
        let line = line.ok_or_else(|| wrong("its second line is not `extra` and the record in base64"))?;
        let line = STANDARD.decode(line).ok().and_then(|line| String::from_utf8(line).ok());
        let line = line.ok_or_else(|| wrong("the record in it is no text in base64"))?;
        let digits = lines.next().and_then(|line| line.strip_prefix("index "));
        let index = digits.and_then(|digits| digits.parse::<u64>().ok());
        let index = index.filter(|index| digits == Some(index.to_string().as_str()));
        let index = index.ok_or_else(|| wrong("its third line is not `index` and a number"))?;
        let hashes = lines.map(hash).collect::<Option<Vec<_>>>();
        let hashes = hashes.ok_or_else(|| wrong("a line of it is not a hash in base64"))?;
        Checkpoint::parse_unsigned(checkpoint)?;
        Ok(InclusionProof { line, index, hashes, checkpoint: checkpoint.to_string() })
    }

    /// The checkpoint by which the record is in the log.
    ///
    /// # Errors
    /// [`LogError::NotProven`] when the checkpoint is not to be believed, or the record is not what it stands for.
    pub fn verify(&self, trust: Trust<'_>) -> Result<Checkpoint, LogError> {
        let checkpoint = trust.checkpoint(&self.checkpoint)?;
        let leaf = tree::leaf_hash(self.line.as_bytes());
        if !tree::includes(&leaf, self.index, checkpoint.size, &self.hashes, &checkpoint.root) {
            let why = "the hashes do not lead from the record to the root of the checkpoint";
            return Err(LogError::NotProven(why.into()));
        }
        Ok(checkpoint)
    }
}

impl fmt::Display for InclusionProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{INCLUSION}extra {}\nindex {}\n", STANDARD.encode(&self.line), self.index)?;
        self.hashes.iter().try_for_each(|hash| writeln!(f, "{}", STANDARD.encode(hash)))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

/// That a log at the second checkpoint begins with all that it was at the first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConsistencyProof {
    /// The earlier checkpoint with its signatures.
    pub from: String,
    /// The later checkpoint with its signatures.
    pub to: String,
    /// As RFC 6962 orders them.
    pub hashes: Vec<[u8; 32]>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConsistencyJson {
    format: String,
    from: String,
    to: String,
    hashes: Vec<String>,
}

impl ConsistencyProof {
    /// Reads one. Nothing is checked by that.
    ///
    /// # Errors
    /// When it is not one.
    pub fn parse(text: &str) -> Result<ConsistencyProof, LogError> {
        let wrong = |why: &dyn fmt::Display| LogError::Invalid(format!("it is not a consistency proof: {why}"));
        let json: ConsistencyJson = serde_json::from_str(text).map_err(|error| wrong(&error))?;
        if json.format != CONSISTENCY {
            return Err(wrong(&format!("its format is not {CONSISTENCY}")));
        }
        let hashes = json.hashes.iter().map(|text| hash(text)).collect::<Option<Vec<_>>>();
        let hashes = hashes.ok_or_else(|| wrong(&"one of its hashes is not 32 bytes in base64"))?;
        for checkpoint in [&json.from, &json.to] {
            Checkpoint::parse_unsigned(checkpoint)?;
        }
        Ok(ConsistencyProof { from: json.from, to: json.to, hashes })
    }

    /// The two checkpoints between which the log only grew.
    ///
    /// With keys, both have to be signed. With a checkpoint that was kept, the earlier has to be that one, and nothing is
    /// known of the later but that it continues it.
    ///
    /// # Errors
    /// [`LogError::NotProven`] when a checkpoint is not to be believed, or the later does not continue the earlier.
    pub fn verify(&self, trust: Trust<'_>) -> Result<(Checkpoint, Checkpoint), LogError> {
        let from = trust.checkpoint(&self.from)?;
        let to = match trust {
            Trust::Keys(_) => trust.checkpoint(&self.to)?,
            Trust::Kept(_) => Checkpoint::parse_unsigned(&self.to)?,
        };
        if from.origin != to.origin {
            return Err(LogError::NotProven("the checkpoints are of different logs".into()));
        }
        if !tree::extends((from.size, &from.root), (to.size, &to.root), &self.hashes) {
            let why = "the later checkpoint does not continue the earlier: the log was rewritten between them";
            return Err(LogError::NotProven(why.into()));
        }
        Ok((from, to))
    }
}

/// JSON, with a line end.
impl fmt::Display for ConsistencyProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hashes = self.hashes.iter().map(|hash| STANDARD.encode(hash)).collect();
        let json = ConsistencyJson { format: CONSISTENCY.into(), from: self.from.clone(), to: self.to.clone(), hashes };
        writeln!(f, "{}", serde_json::to_string_pretty(&json).map_err(|_| fmt::Error)?)
    }
}

fn hash(base64: &str) -> Option<[u8; 32]> {
    STANDARD.decode(base64).ok()?.try_into().ok()
}

impl Log {
    /// That the record with that id is in the log, for a checkpoint of it, signed or not; its signatures are not checked here.
    ///
    /// # Errors
    /// When there is no such record, or it came after the checkpoint; [`LogError::NotProven`] when the log is not the one
    /// of the checkpoint.
    pub fn prove(&self, id: Id, checkpoint: &str) -> Result<InclusionProof, LogError> {
        let stored = self.find(id)?.ok_or_else(|| LogError::NoRecord(id.to_string()))?;
        let at = self.own(checkpoint)?;
        let hashes = self.prove_inclusion(stored.seq, at.size)?;
        let (line, checkpoint) = (stored.json, checkpoint.to_string());
        let proof = InclusionProof { line, index: stored.seq, hashes, checkpoint };
        // A proof that does not hold would only be found out by whoever it is sent to.
        proof.verify(Trust::Kept(&at)).map_err(|_| LogError::Damaged {
            seq: stored.seq,
            why: "the log as it is now does not prove it, against this checkpoint".into(),
        })?;
        Ok(proof)
    }

    /// That the log only grew between two checkpoints of it, signed or not; their signatures are not checked here.
    ///
    /// # Errors
    /// [`LogError::NotProven`] when the log is not the one of both.
    pub fn prove_growth(&self, from: &str, to: &str) -> Result<ConsistencyProof, LogError> {
        let (old, new) = (self.own(from)?, self.own(to)?);
        let hashes = self.prove_consistency(old.size, new.size)?;
        let proof = ConsistencyProof { from: from.to_string(), to: to.to_string(), hashes };
        proof.verify(Trust::Kept(&old))?;
        Ok(proof)
    }

    /// That a checkpoint of it, which is to be signed, continues an earlier one. A log signs no two that do not fit.
    ///
    /// # Errors
    /// [`LogError::NotProven`] when it does not.
    pub fn continues(&self, earlier: &Checkpoint, later: &Checkpoint) -> Result<(), LogError> {
        self.prove_growth(&earlier.to_string(), &later.to_string()).map(drop)
    }

    /// A checkpoint of this log, as it is now.
    fn own(&self, checkpoint: &str) -> Result<Checkpoint, LogError> {
        let checkpoint = Checkpoint::parse_unsigned(checkpoint)?;
        let origin = self.origin()?;
        if checkpoint.origin != origin {
            let why = format!("the checkpoint is of the log {}, and this one is {origin}", checkpoint.origin);
            return Err(LogError::NotProven(why));
        }
        if self.root(checkpoint.size)? != checkpoint.root {
            let size = checkpoint.size;
            let why = format!("the first {size} records of the log are not what they were at the checkpoint");
            return Err(LogError::NotProven(why));
        }
        Ok(checkpoint)
    }
}
