//! Tests of policies: run them, see what they do not exercise, break the policy on purpose.
//!
//! A [`Suite`] is a policy with its tests: the `test` blocks in its own file, those in files of their own
//! (`test for "x.gate"`, or `x_test.gate` beside `x.gate`), and cases in JSON (`x_test.json`, `x_test.jsonl`).
//!
//! ```
//! use stagegate::Policy;
//! use stagegate::suite::{self, Options, Suite};
//! let policy = Policy::parse("p.gate", r#"
//!     policy p
//!     fact coverage : number
//!     stage Dev { require covered: coverage >= 80 }
//!     test "80 is enough" {
//!       at 2026-03-04 10:00
//!       build { id: "1" }
//!       fact coverage = 80
//!       expect Dev allow
//!     }
//! "#)?;
//! let report = suite::run(&[Suite::of(&policy)], &Options::default());
//! assert!(report.passed());
//! # Ok::<(), stagegate::CompileError>(())
//! ```

mod block;
mod boundaries;
mod case;
mod coverage;
mod find;
mod json;
mod mutate;
mod report;
mod run;
mod vary;

pub use boundaries::{Boundaries, BoundaryCase, boundaries};
pub use case::Case;
pub use coverage::{Coverage, Point, PointKind};
pub use find::{Found, Problem, discover};
pub use mutate::{Fate, Mutant, MutateOptions, Mutation, mutate};
pub use report::{junit, tap, text};
pub use run::{CaseResult, Failure, Options, Outcome, Report, run};

use crate::check::{self, Checked};
use crate::loader::MemoryLoader;
use crate::policy::Policy;
use crate::syntax::tree::{File, Item};

/// A policy with its tests.
#[derive(Clone, Debug)]
pub struct Suite {
    pub(crate) policy: Policy,
    /// The file of the policy, as it is to be shown.
    pub(crate) file: String,
    pub(crate) cases: Vec<Case>,
}

/// Why tests could not be read, in words; of a file in the language, its diagnostics in the manner of rustc.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SuiteError(String);

impl Suite {
    /// The tests in the policy's own file. Those of a file that it includes belong to that file.
    pub fn of(policy: &Policy) -> Suite {
        let mut suite = Suite::without_tests(policy);
        let program = &policy.inner.program;
        if let Some((root, included)) = policy.inner.files.split_first() {
            suite.cases = case::cases(root, included, &program.sources, program.zone);
        }
        suite
    }

    /// The policy, and no test yet.
    pub fn without_tests(policy: &Policy) -> Suite {
        let file = policy.sources().iter().next().map_or(String::new(), |source| source.name.clone());
        Suite { policy: policy.clone(), file, cases: Vec::new() }
    }

    /// The name under which the policy's file is shown.
    #[must_use]
    pub fn shown_as(mut self, file: impl Into<String>) -> Suite {
        self.file = file.into();
        self
    }

    /// Adds the tests of a file of tests; `test for` at its top may be left out. They may take in the scenarios of the
    /// policy, and their local times are in the policy's zone.
    ///
    /// # Errors
    /// With all that is wrong in the file.
    pub fn with_tests(mut self, name: &str, text: &str) -> Result<Suite, SuiteError> {
        let mut files = MemoryLoader::new();
        for source in self.policy.sources().iter() {
            files = files.with(source.name.as_str(), source.text.as_str());
        }
        let root = self.policy.sources().iter().next().map_or("", |source| source.name.as_str());
        let limits = &self.policy.inner.limits;
        let loaded = check::load_tests(root, &files, name, text, limits);
        let Checked { program, files, .. } =
            check::check(loaded, limits).map_err(|error| SuiteError(error.to_string()))?;
        if let Some((tests, others)) = files.split_last() {
            self.cases.extend(case::cases(tests, others, &program.sources, program.zone));
        }
        Ok(self)
    }

    /// Adds cases in JSON: a list of `{"name", "request", "expect"}`, an object with such a list as `cases`, or, when the
    /// name ends in `.jsonl`, one case a line. `expect` holds parts of the decision.
    ///
    /// # Errors
    /// When it is not such a file. A case whose request is wrong is reported when it is run.
    pub fn with_json(mut self, name: &str, bytes: &[u8]) -> Result<Suite, SuiteError> {
        self.cases.extend(json::read(name, bytes, &self.policy.inner.limits).map_err(SuiteError)?);
        Ok(self)
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The file of the policy, as it is shown.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Its cases, in the order of its files.
    pub fn cases(&self) -> &[Case] {
        &self.cases
    }

    /// Runs one of its cases, by its place among them.
    pub fn run_one(&self, index: usize) -> Option<CaseResult> {
        self.cases.get(index).map(|case| run::result(self, case, None))
    }

    /// What its cases ask: one request for each stage of each case that can be run.
    pub fn requests(&self) -> Vec<crate::facts::Request> {
        self.cases.iter().flat_map(|case| case.asks.iter().flatten()).map(|ask| ask.request.clone()).collect()
    }

    /// Keeps the cases that are wanted.
    pub fn retain(&mut self, wanted: impl FnMut(&Case) -> bool) {
        self.cases.retain(wanted);
    }
}

fn may_stand_in_tests(item: &Item) -> bool {
    matches!(item, Item::TestFor(_) | Item::Test(_) | Item::Scenario(_))
}

/// The policy that a file of tests is for, as it names it.
fn tested_by(file: &File) -> Option<&str> {
    file.items.iter().find_map(|item| match &item.value {
        Item::TestFor(name) => Some(name.value.as_str()),
        _ => None,
    })
}
