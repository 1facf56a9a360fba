//! A log in memory, for one candidate policy after another.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use rayon::prelude::*;
use stagegate::{Policy, Verdict};

use super::compare::{Asked, Comparing, Partial, told};
use super::line::{Recorded, Rules};
use super::{Comparison, Lines, Options, in_pieces, threads};
use crate::{Id, LogError};

/// The decisions of a log in memory, read once to be decided again by one policy after another: what somebody wants who
/// edits a policy, and what a tool does that shows at each change what it would do.
///
/// Kept are the bytes of each request, from which verdicts are worked out without building it, and of each decision what
/// [`compare`](super::compare) tells of it: about as many bytes as the requests have, plus 48 a record.
#[derive(Debug)]
pub struct Loaded {
    pieces: Vec<Piece>,
    options: Options,
}

/// Some of the records.
#[derive(Debug, Default)]
struct Piece {
    /// All requests, one after the other.
    requests: String,
    records: Vec<Kept>,
    /// Each name of a stage, and each way in which rules stood, once.
    stages: Vec<String>,
    rules: Vec<Rules>,
    known: HashMap<Rules, u32>,
    /// By place in `records`; most have none.
    withheld: BTreeMap<usize, Vec<String>>,
    first: Option<DateTime<Utc>>,
    last: Option<DateTime<Utc>>,
}

#[derive(Debug)]
struct Kept {
    id: Id,
    seq: u64,
    /// Where its request ends in `requests`.
    end: usize,
    stage: u32,
    rules: u32,
    verdict: Verdict,
}

impl Loaded {
    /// Reads the decisions that the options want. `progress` is told how many lines of how many have been read.
    ///
    /// # Errors
    /// When the log cannot be read or is damaged.
    pub fn read(
        lines: &(impl Lines + ?Sized),
        options: &Options,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Loaded, LogError> {
        let mut pieces = Vec::new();
        let each = |piece: &mut Piece, seq, line: &str| piece.line(seq, line, options);
        in_pieces(lines, options, progress, each, |mut piece: Piece| {
            piece.known = HashMap::new();
            piece.requests.shrink_to_fit();
            piece.records.shrink_to_fit();
            pieces.push(piece);
        })?;
        Ok(Loaded { pieces, options: options.clone() })
    }

    /// How many decisions there are.
    pub fn len(&self) -> usize {
        self.pieces.iter().map(|piece| piece.records.len()).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What [`compare`](super::compare) finds for these decisions, with the threads and the secrets that the options had.
    ///
    /// # Errors
    /// When a record is damaged.
    pub fn compare(&self, policy: &Policy) -> Result<Comparison, LogError> {
        let comparing = Comparing::new(policy, &self.options);
        let pool = threads(&self.options)?;
        let compared: Vec<Result<Partial, LogError>> =
            pool.install(|| self.pieces.par_iter().map(|piece| piece.compare(&comparing)).collect());
        let mut all = Partial::default();
        for partial in compared {
            all.gather(partial?);
        }
        Ok(told(all, policy))
    }
}

impl Piece {
    fn line(&mut self, seq: u64, line: &str, options: &Options) -> Result<(), LogError> {
        let Some(recorded) = Recorded::read(seq, line)?.filter(|recorded| options.wanted(recorded)) else {
            return Ok(());
        };
        let rules = recorded.rules()?;
        let Recorded { id, verdict, request, stage, at, withheld, .. } = recorded;
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
        if !withheld.is_empty() {
            self.withheld.insert(self.records.len(), withheld);
        }
        self.requests.push_str(request);
        let stage = self.stages.iter().position(|known| *known == stage).unwrap_or_else(|| {
            self.stages.push(stage.into_owned());
            self.stages.len() - 1
        }) as u32;
        let rules = self.known.get(&rules).copied().unwrap_or_else(|| {
            let place = self.rules.len() as u32;
            self.rules.push(rules.clone());
            self.known.insert(rules, place);
            place
        });
        self.records.push(Kept { id, seq, end: self.requests.len(), stage, rules, verdict });
        Ok(())
    }

    fn compare(&self, comparing: &Comparing<'_>) -> Result<Partial, LogError> {
        let mut partial = Partial::default();
        if let (Some(first), Some(last)) = (self.first, self.last) {
            partial.seen(first, last, self.records.len() as u64);
        }
        let mut start = 0;
        for (place, kept) in self.records.iter().enumerate() {
            let Kept { id, seq, end, stage, rules, verdict } = *kept;
            let asked = Asked {
                seq,
                id,
                verdict,
                stage: self.stages.get(stage as usize).map_or("", String::as_str),
                withheld: self.withheld.get(&place).map_or(&[], Vec::as_slice),
                request: self.requests.get(start..end).unwrap_or_default(),
            };
            start = end;
            let lost = || LogError::Damaged { seq, why: "how its rules stood is lost".into() };
            comparing
                .one(&mut partial, &asked, || self.rules.get(rules as usize).map(Cow::Borrowed).ok_or_else(lost))?;
        }
        Ok(partial)
    }
}
