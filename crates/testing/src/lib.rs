//! Policy tests as tests of a Rust package: `cargo test` and `cargo nextest run` show each `test` block, each row of one
//! and each JSON case as a test of its own, by the name `policy.gate::the test's name`, and filter them by it.
//!
//! In `Cargo.toml` of the package that embeds stagegate:
//!
//! ```toml
//! [dev-dependencies]
//! stagegate-testing = "0.1"
//!
//! [[test]]
//! name = "policies"
//! harness = false
//! ```
//!
//! and in `tests/policies.rs`:
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     stagegate_testing::run(["policies"])
//! }
//! ```
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use stagegate::Limits;
use stagegate::suite::{Found, Suite, discover};

/// Runs the tests below some files and folders, as the arguments of the process demand: the `main` of a test target with
/// `harness = false`. Paths are relative to the package, where `cargo test` runs its tests. That there are no tests is a
/// failure.
pub fn run(paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> ExitCode {
    let paths: Vec<PathBuf> = paths.into_iter().map(Into::into).collect();
    let found = discover(&paths, None, &Limits::default());
    let mut trials = trials(found);
    if trials.is_empty() {
        let places: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        let message = format!("there are no policy tests below {}", places.join(", "));
        trials.push(Trial::test("policy tests exist", move || Err(Failed::from(message))));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A trial for each case, and a failing one for each file that could not be read or compiled: for a `main` that has tests
/// of other kinds as well.
pub fn trials(found: Found) -> Vec<Trial> {
    let mut trials = Vec::new();
    for problem in found.problems {
        let name = format!("{}::can be read", line(&problem.file));
        trials.push(Trial::test(name, move || Err(Failed::from(problem.message))).with_kind("policy"));
    }
    for suite in found.suites {
        let suite = Arc::new(suite);
        for index in 0..suite.cases().len() {
            let Some(case) = suite.cases().get(index) else { continue };
            let name = format!("{}::{}", line(suite.file()), line(case.name()));
            let suite = Arc::clone(&suite);
            trials.push(Trial::test(name, move || check(&suite, index)).with_kind("policy"));
        }
    }
    trials
}

fn check(suite: &Suite, index: usize) -> Result<(), Failed> {
    let wrong = suite.run_one(index).map_or_else(|| "there is no such test".to_string(), |result| result.wrong());
    if wrong.is_empty() { Ok(()) } else { Err(Failed::from(wrong)) }
}

/// Runners read a list of names line by line.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
