//! Many requests at once: another reader of the same program, which goes through columns instead of requests.
//!
//! Facts lie in columns, truth values in two bitmaps (yes, no; unknown is neither), approvals in bits and lists. A test
//! runs down its column, sixty-four requests a word, and gates are operations on words. What has no column (texts that
//! are searched, conditions that read the clock, windows and freezes, triggers) is asked when a request is added, and so
//! is a whole request that is out of the ordinary.

mod columns;

use chrono::{DateTime, Utc};

use crate::decide::Verdict;
use crate::facts::{Request, RequestError};
use crate::policy::Policy;
use columns::{Columns, Scratch};

/// Many requests for one stage of a policy, laid out for one question: what are the verdicts?
///
/// ```
/// use stagegate::{Build, Policy, Request, Verdict};
/// # let now = "2026-03-04T10:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap();
/// let policy = Policy::parse("p.gate", "fact coverage : number stage Dev { require covered: coverage >= 80 }")?;
/// let mut batch = policy.batch("Dev")?;
/// for coverage in [91, 79] {
///     batch.push(&Request::to("Dev").build(Build::new("7")).at(now).fact("coverage", coverage))?;
/// }
/// assert_eq!(batch.verdicts(), [Verdict::Allow, Verdict::Deny]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Batch {
    policy: Policy,
    stage: u32,
    columns: Columns,
}

impl Policy {
    /// An empty batch for a stage.
    ///
    /// # Errors
    /// When the policy has no such stage.
    pub fn batch(&self, stage: &str) -> Result<Batch, RequestError> {
        let Some(id) = self.inner.plan.stage(stage) else {
            let stages: Vec<&str> = self.stages().collect();
            return Err(RequestError::unknown_stage(stage, &stages));
        };
        Ok(Batch { policy: self.clone(), stage: id.0, columns: Columns::new(&self.inner, id.0 as usize) })
    }
}

impl Batch {
    /// How many requests there are.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a request.
    ///
    /// # Errors
    /// As [`Policy::decide`]; also when it asks for another stage. Nothing is added then.
    pub fn push(&mut self, request: &Request) -> Result<(), RequestError> {
        self.add(request, None)
    }

    /// Adds a request as it would be at another instant.
    ///
    /// # Errors
    /// As [`Batch::push`].
    pub fn push_at(&mut self, request: &Request, now: DateTime<Utc>) -> Result<(), RequestError> {
        self.add(request, Some(now))
    }

    fn add(&mut self, request: &Request, now: Option<DateTime<Utc>>) -> Result<(), RequestError> {
        let prepared = match now {
            Some(now) => self.policy.prepare(&request.clone().at(now))?,
            None => self.policy.prepare(request)?,
        };
        if prepared.given().stage != self.stage {
            return Err(RequestError::unknown_stage(&request.stage, &[self.name()]));
        }
        self.columns.push(&self.policy.inner, prepared.given(), || prepared.verdict());
        Ok(())
    }

    fn name(&self) -> &str {
        self.policy.inner.program.stages.get(self.stage as usize).map_or("", |stage| stage.name.as_str())
    }

    /// The verdicts, in the order in which the requests were added.
    pub fn verdicts(&self) -> Vec<Verdict> {
        let mut verdicts = vec![Verdict::Hold; self.len()];
        self.verdicts_into(&mut verdicts);
        verdicts
    }

    /// The same, into a slice that is there already; what it is too short for is left out.
    pub fn verdicts_into(&self, out: &mut [Verdict]) {
        let mut scratch = Scratch::default();
        for (block, out) in out.chunks_mut(64).enumerate().take(self.len().div_ceil(64)) {
            self.columns.block(&self.policy.inner, block, &mut scratch, out);
        }
    }

    /// The verdicts, worked out on all cores.
    #[cfg(feature = "rayon")]
    pub fn verdicts_on_all_cores(&self) -> Vec<Verdict> {
        use rayon::prelude::*;
        /// Blocks that one task takes.
        const TASK: usize = 64;
        let mut verdicts = vec![Verdict::Hold; self.len()];
        verdicts.par_chunks_mut(64 * TASK).enumerate().for_each(|(task, out)| {
            let mut scratch = Scratch::default();
            for (block, out) in out.chunks_mut(64).enumerate() {
                self.columns.block(&self.policy.inner, task * TASK + block, &mut scratch, out);
            }
        });
        verdicts
    }

    /// How many of the requests are allowed, held and denied.
    pub fn tally(&self) -> Tally {
        let mut scratch = Scratch::default();
        let mut tally = Tally::default();
        for block in 0..self.len().div_ceil(64) {
            let (allow, deny) = self.columns.words(&self.policy.inner, block, &mut scratch);
            let rows = (self.len() - block * 64).min(64) as u64;
            let (allowed, denied) = (u64::from(allow.count_ones()), u64::from(deny.count_ones()));
            tally.allow += allowed;
            tally.deny += denied;
            tally.hold += rows - allowed - denied;
        }
        tally
    }
}

/// How often each verdict was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Allowed.
    pub allow: u64,
    /// On hold.
    pub hold: u64,
    /// Denied.
    pub deny: u64,
}
