//! Breaking a policy on purpose: small wrong versions of it, each put to the tests. A version that no test notices shows
//! what is not tested, and comes with a test that would have noticed.

mod edits;
mod make;
mod same;
mod witness;

use std::sync::OnceLock;

use serde::Serialize;

use self::same::{Prints, changed, prints, written_otherwise};
use self::witness::Seed;

use super::case::Case;
use super::run::{self, parallel};
use super::{Options, Outcome, Suite};
use crate::diagnostic::{Place, SourceId, Sources};
use crate::facts::Request;
use crate::loader::MemoryLoader;
use crate::policy::{Compiler, Policy};
use crate::syntax::tree::{File, Item};

pub(crate) use make::Edits;

/// How a policy is broken.
#[derive(Clone, Debug)]
pub struct MutateOptions {
    /// Threads; 0 for as many as the machine has cores.
    pub jobs: usize,
    /// Requests that are tried, for each version that survives, to find one that tells it from the policy.
    pub search: usize,
}

impl Default for MutateOptions {
    fn default() -> MutateOptions {
        MutateOptions { jobs: 0, search: 4_000 }
    }
}

/// What came of breaking a policy.
#[derive(Clone, Debug, Serialize)]
pub struct Mutation {
    /// The file of the policy.
    pub policy: String,
    /// The wrong versions, in the order of the text. Those that do not compile are not among them.
    pub mutants: Vec<Mutant>,
}

/// A wrong version of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mutant {
    /// What was changed: `` `>=` became `>` ``.
    pub what: String,
    /// Where.
    pub at: Place,
    /// The lines that differ, those of the policy with `-`, those of the wrong version with `+`.
    pub diff: String,
    /// What became of it.
    #[serde(flatten)]
    pub fate: Fate,
}

/// What became of a wrong version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "fate", rename_all = "kebab-case")]
pub enum Fate {
    /// A test noticed.
    Killed,
    /// It cannot be told from the policy by any request, which can be shown; it does not count.
    Equivalent,
    /// No test noticed.
    Survived {
        /// A test that passes for the policy and fails for this version, ready to be kept; `None` if no request was found
        /// that tells them apart.
        test: Option<String>,
    },
}

impl Mutation {
    /// Versions that were noticed, and versions that count: all but the equivalent ones.
    pub fn counts(&self) -> (usize, usize) {
        let killed = self.mutants.iter().filter(|m| m.fate == Fate::Killed).count();
        (killed, self.mutants.iter().filter(|m| m.fate != Fate::Equivalent).count())
    }

    /// The noticed part of those that count, 0 to 100; 100 if none counts.
    pub fn percent(&self) -> f64 {
        super::coverage::percent(self.counts())
    }

    /// Versions that no test noticed.
    pub fn survivors(&self) -> impl Iterator<Item = &Mutant> {
        self.mutants.iter().filter(|m| matches!(m.fate, Fate::Survived { .. }))
    }

    /// What came of it, for a terminal: each survivor as a difference, with the test that would have noticed.
    pub fn text(&self) -> String {
        use std::fmt::Write;
        let mut out = String::new();
        for mutant in self.survivors() {
            let _ = writeln!(out, "survived {}: {}", mutant.at, mutant.what);
            for line in mutant.diff.lines() {
                let _ = writeln!(out, "    {line}");
            }
            match &mutant.fate {
                Fate::Survived { test: Some(test) } => {
                    out.push_str("  this test would have noticed:\n\n");
                    for line in test.lines() {
                        let _ = if line.is_empty() { writeln!(out) } else { writeln!(out, "    {line}") };
                    }
                    out.push('\n');
                }
                _ => out.push_str("  no request was found that tells it from the policy; it may come to the same\n\n"),
            }
        }
        let (killed, all) = self.counts();
        let equivalent = self.mutants.len() - all;
        let _ = write!(out, "{}: {killed} of {all} wrong versions were noticed ({:.1} %)", self.policy, self.percent());
        if equivalent > 0 {
            let _ = write!(out, "; {equivalent} more come to the same as the policy, and do not count");
        }
        out.push('\n');
        out
    }

    /// The tests that would have noticed the survivors, each once.
    pub fn tests(&self) -> String {
        let mut blocks: Vec<&str> = Vec::new();
        for mutant in self.survivors() {
            if let Fate::Survived { test: Some(test) } = &mutant.fate
                && !blocks.contains(&test.as_str())
            {
                blocks.push(test);
            }
        }
        blocks.join("\n")
    }
}

/// Makes small wrong versions of a policy and puts each to the tests of the suite. What is broken is the policy's own file
/// and those that it includes, unless they are policies themselves.
///
/// # Errors
/// In words, when there are no tests, or one of them does not pass to begin with.
pub fn mutate(suite: &Suite, options: &MutateOptions) -> Result<Mutation, String> {
    if suite.cases.is_empty() {
        return Err(format!("{} has no tests: there is nothing that could notice", suite.file));
    }
    let report = run::run(std::slice::from_ref(suite), &Options { jobs: options.jobs, ..Options::default() });
    if let Some(bad) = report.results.iter().find(|r| r.outcome != Outcome::Passed) {
        return Err(format!("{}: test `{}` does not pass to begin with", bad.at, bad.test));
    }
    let base = Base::new(suite);
    let edits = make::all(&suite.policy);
    let one =
        |index: usize, recent: &mut Vec<usize>| edits.get(index).and_then(|edits| base.mutant(edits, options, recent));
    let (found, _) = parallel(edits.len(), options.jobs, Vec::new, one);
    Ok(Mutation { policy: suite.file.clone(), mutants: found.into_iter().flatten().collect() })
}

/// What the wrong versions are compared with.
struct Base<'a> {
    suite: &'a Suite,
    prints: Prints,
    /// The texts of the sources, without tests.
    texts: Vec<String>,
    /// By stage.
    seeds: Vec<OnceLock<Vec<Seed>>>,
}

impl<'a> Base<'a> {
    fn new(suite: &'a Suite) -> Base<'a> {
        let program = &suite.policy.inner.program;
        let texts = suite.policy.files().iter().map(|file| without_tests(file, &program.sources)).collect();
        let seeds = program.stages.iter().map(|_| OnceLock::new()).collect();
        Base { suite, prints: prints(&suite.policy), texts, seeds }
    }

    /// One wrong version, and what becomes of it; `None` if it does not compile.
    fn mutant(&self, edits: &Edits, options: &MutateOptions, recent: &mut Vec<usize>) -> Option<Mutant> {
        let policy = &self.suite.policy;
        let old = self.texts.get(edits.source.0 as usize)?;
        let new = edits.apply(old)?;
        let wrong = compile(policy, edits.source, &new, &self.texts)?;
        let sources = policy.sources();
        let fate = |fate: Fate| {
            let at = sources.place(edits.span);
            Some(Mutant { what: edits.what.clone(), at, diff: edits::diff(old, &new), fate })
        };
        let other = prints(&wrong);
        if self.noticed(&wrong, &written_otherwise(policy, &self.prints, &other), recent) {
            return fate(Fate::Killed);
        }
        let changed = changed(policy, &self.prints, &wrong, &other);
        if changed.is_empty() {
            return fate(Fate::Equivalent);
        }
        let seeds: Vec<&Seed> = changed.iter().filter_map(|stage| self.seeds(stage)).flatten().collect();
        let test = witness::find(policy, &wrong, &seeds, options.search);
        fate(Fate::Survived { test })
    }

    /// Whether a test fails. Those that noticed something before are tried first.
    fn noticed(&self, wrong: &Policy, changed: &[String], recent: &mut Vec<usize>) -> bool {
        let asks_about = |case: &Case| {
            case.asks.as_ref().is_ok_and(|asks| asks.iter().any(|ask| changed.contains(&ask.request.stage)))
        };
        let fails = |index: usize| {
            let case = self.suite.cases.get(index);
            case.is_some_and(|case| asks_about(case) && !run::passes(wrong, case))
        };
        let found = recent.iter().copied().find(|index| fails(*index));
        let found =
            found.or_else(|| (0..self.suite.cases.len()).find(|index| !recent.contains(index) && fails(*index)));
        if let Some(index) = found {
            recent.retain(|other| *other != index);
            recent.insert(0, index);
            recent.truncate(8);
        }
        found.is_some()
    }

    /// What the search for requests about a stage departs from, made when it is first needed.
    fn seeds(&self, stage: &str) -> Option<&[Seed]> {
        let index = self.suite.policy.stages().position(|name| name == stage)?;
        let seeds = self.seeds.get(index)?.get_or_init(|| {
            let mut tests: Vec<Request> = Vec::new();
            for ask in self.suite.cases.iter().flat_map(|case| case.asks.iter().flatten()) {
                if ask.request.stage == stage && !tests.contains(&ask.request) {
                    tests.push(ask.request.clone());
                }
            }
            witness::seeds(&self.suite.policy, stage, &tests)
        });
        Some(seeds)
    }
}

/// The text of a file with blanks in place of its tests: they are no part of the policy, and may name what a wrong
/// version does not have.
fn without_tests(file: &File, sources: &Sources) -> String {
    let text = sources.get(file.source).map_or("", |source| source.text.as_str());
    let tests: Vec<(usize, usize)> = file
        .items
        .iter()
        .filter(|item| matches!(item.value, Item::Test(_) | Item::Scenario(_)))
        .map(|item| (item.span.start as usize, item.span.end as usize))
        .collect();
    let inside = |at: usize| tests.iter().any(|(from, to)| (*from..*to).contains(&at));
    // Byte for byte, so that places stay what they are.
    let blank = |(at, c): (usize, char)| match c {
        '\n' => "\n".to_string(),
        c if inside(at) => " ".repeat(c.len_utf8()),
        c => c.to_string(),
    };
    text.char_indices().map(blank).collect()
}

/// A policy with another text for one of its files, and no tests.
fn compile(policy: &Policy, source: SourceId, text: &str, texts: &[String]) -> Option<Policy> {
    let mut files = MemoryLoader::new();
    for (index, (of, old)) in policy.sources().iter().zip(texts).enumerate() {
        let text = if index == source.0 as usize { text } else { old.as_str() };
        files = files.with(of.name.as_str(), text);
    }
    let root = policy.sources().iter().next()?.name.as_str();
    Compiler::new().limits(policy.inner.limits.clone()).loader(&files).compile(root).ok()
}
