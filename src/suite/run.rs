//! Running cases: in parallel, and with the same results in the same order every time.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::Suite;
use super::case::{Ask, Case, Expect, What};
use super::coverage::{Coverage, Seen};
use crate::decide::{Decision, Status, Verdict};
use crate::diagnostic::Place;
use crate::policy::Policy;

/// How a suite is run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Threads; 0 for as many as the machine has cores.
    pub jobs: usize,
    /// Whether to stop at the first case, in the order of the suites, that does not pass.
    pub fail_fast: bool,
    /// Only cases whose name, or whose file, contains this text.
    pub filter: Option<String>,
    /// Whether to note what the tests exercise.
    pub coverage: bool,
}

/// What came of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// One for each case that was run, in the order of the suites and of their files.
    pub results: Vec<CaseResult>,
    /// Cases that were left out because of [`Options::fail_fast`].
    pub not_run: usize,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// By suite, if it was asked for.
    #[serde(skip)]
    pub coverage: Vec<Coverage>,
}

impl Report {
    /// Cases that passed, failed and could not run.
    pub fn counts(&self) -> (usize, usize, usize) {
        let count = |wanted: fn(&Outcome) -> bool| self.results.iter().filter(|r| wanted(&r.outcome)).count();
        (
            count(|o| matches!(o, Outcome::Passed)),
            count(|o| matches!(o, Outcome::Failed { .. })),
            count(|o| matches!(o, Outcome::CouldNotRun { .. })),
        )
    }

    /// Whether every case passed.
    pub fn passed(&self) -> bool {
        self.results.iter().all(|r| matches!(r.outcome, Outcome::Passed)) && self.not_run == 0
    }
}

/// What came of one case.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CaseResult {
    /// The file of the policy.
    pub policy: String,
    /// The name of the test.
    pub test: String,
    /// Where the test is written.
    pub at: Place,
    /// How it went.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// How a case went.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// Everything was as expected.
    Passed,
    /// Something was not as expected.
    Failed {
        /// One for each `expect` that did not hold.
        failures: Vec<Failure>,
    },
    /// The case makes no sense, or the policy cannot be asked so.
    CouldNotRun {
        /// Why, in words.
        why: String,
    },
}

/// An `expect` that did not hold.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Failure {
    /// Where the `expect` is written.
    pub at: Place,
    /// The `expect` as written, on one line.
    pub expect: String,
    /// What was expected, in the words of the language.
    pub expected: String,
    /// What came, in the same words.
    pub got: String,
    /// What differs, one sentence each.
    pub difference: Vec<String>,
    /// The whole decision, if the `expect` was about one.
    pub decision: Option<Box<Decision>>,
}

/// Runs suites. The results come in the order of the suites whatever the number of threads.
pub fn run(suites: &[Suite], options: &Options) -> Report {
    let started = Instant::now();
    let wanted = |suite: &Suite, case: &Case| match &options.filter {
        None => true,
        Some(filter) => case.name.contains(filter) || case.place.file.contains(filter) || suite.file.contains(filter),
    };
    let mut work: Vec<(usize, &Case)> = Vec::new();
    for (index, suite) in suites.iter().enumerate() {
        work.extend(suite.cases.iter().filter(|case| wanted(suite, case)).map(|case| (index, case)));
    }
    let first_bad = AtomicUsize::new(usize::MAX);
    let run_one = |index: usize, seen: &mut Vec<Seen>| -> Option<CaseResult> {
        let (of, case) = *work.get(index)?;
        if options.fail_fast && index > first_bad.load(Ordering::Relaxed) {
            return None;
        }
        let suite = suites.get(of)?;
        let result = result(suite, case, seen.get_mut(of));
        if result.outcome != Outcome::Passed {
            first_bad.fetch_min(index, Ordering::Relaxed);
        }
        Some(result)
    };
    let blank = || match options.coverage {
        true => suites.iter().map(|suite| Seen::new(&suite.policy)).collect(),
        false => Vec::new(),
    };
    let (found, seen) = parallel(work.len(), options.jobs, blank, run_one);
    let mut results: Vec<CaseResult> = found.into_iter().map_while(|result| result).collect();
    if options.fail_fast {
        // What ran after the first that did not pass depends on the threads, so it is not told.
        results.truncate(first_bad.load(Ordering::Relaxed).saturating_add(1));
    }
    let coverage = match options.coverage {
        true => suites.iter().enumerate().map(|(index, suite)| coverage_of(suite, index, &seen)).collect(),
        false => Vec::new(),
    };
    let not_run = work.len().saturating_sub(results.len());
    Report { results, not_run, seconds: started.elapsed().as_secs_f64(), coverage }
}

/// Runs one case and tells how it went.
pub(crate) fn result(suite: &Suite, case: &Case, seen: Option<&mut Seen>) -> CaseResult {
    let began = Instant::now();
    let outcome = run_case(&suite.policy, case, seen);
    CaseResult {
        policy: suite.file.clone(),
        test: case.name.clone(),
        at: case.place.clone(),
        outcome,
        seconds: began.elapsed().as_secs_f64(),
    }
}

fn coverage_of(suite: &Suite, index: usize, seen: &[Vec<Seen>]) -> Coverage {
    let mut all = Seen::new(&suite.policy);
    for of_thread in seen {
        if let Some(seen) = of_thread.get(index) {
            all.add(seen);
        }
    }
    Coverage::new(&suite.policy, &suite.file, &all)
}

/// Does `count` things on `jobs` threads (0 for all cores); each thread has a state of its own. Results come in order.
pub(crate) fn parallel<T: Send, S: Send>(
    count: usize,
    jobs: usize,
    blank: impl Fn() -> S + Sync,
    one: impl Fn(usize, &mut S) -> T + Sync,
) -> (Vec<T>, Vec<S>) {
    /// So many at a time: a thread that takes one by one spends its time on taking.
    const CHUNK: usize = 16;
    let cores = || std::thread::available_parallelism().map_or(1, |n| n.get());
    let jobs = if jobs == 0 { cores() } else { jobs }.clamp(1, count.max(1));
    if jobs == 1 || count <= 1 {
        let mut state = blank();
        let results = (0..count).map(|index| one(index, &mut state)).collect();
        return (results, vec![state]);
    }
    let next = AtomicUsize::new(0);
    let chunk = if count < jobs * CHUNK { 1 } else { CHUNK };
    let results: Mutex<Vec<(usize, Vec<T>)>> = Mutex::new(Vec::new());
    let states: Mutex<Vec<S>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                let mut state = blank();
                let mut mine = Vec::new();
                loop {
                    let from = next.fetch_add(chunk, Ordering::Relaxed);
                    if from >= count {
                        break;
                    }
                    let to = from.saturating_add(chunk).min(count);
                    mine.push((from, (from..to).map(|index| one(index, &mut state)).collect()));
                }
                // A lock is poisoned only by a panic, and none of this panics.
                results.lock().unwrap_or_else(|e| e.into_inner()).append(&mut mine);
                states.lock().unwrap_or_else(|e| e.into_inner()).push(state);
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(|e| e.into_inner());
    results.sort_by_key(|(from, _)| *from);
    let states = states.into_inner().unwrap_or_else(|e| e.into_inner());
    (results.into_iter().flat_map(|(_, results)| results).collect(), states)
}

/// Runs one case.
pub(crate) fn run_case(policy: &Policy, case: &Case, mut seen: Option<&mut Seen>) -> Outcome {
    let asks = match &case.asks {
        Ok(asks) => asks,
        Err(why) => return Outcome::CouldNotRun { why: why.clone() },
    };
    let mut failures = Vec::new();
    for ask in asks {
        match run_ask(policy, ask, seen.as_deref_mut()) {
            Ok(found) => failures.extend(found),
            Err(why) => return Outcome::CouldNotRun { why },
        }
    }
    if failures.is_empty() { Outcome::Passed } else { Outcome::Failed { failures } }
}

/// Whether a case passes; what cannot be asked does not.
pub(crate) fn passes(policy: &Policy, case: &Case) -> bool {
    let Ok(asks) = &case.asks else { return false };
    asks.iter().all(|ask| run_ask(policy, ask, None).is_ok_and(|failures| failures.is_empty()))
}

fn run_ask(policy: &Policy, ask: &Ask, seen: Option<&mut Seen>) -> Result<Vec<Failure>, String> {
    let prepared = policy.prepare(&ask.request).map_err(|error| error.to_string())?;
    let decision = prepared.decide().map_err(|error| error.to_string())?;
    if let Some(seen) = seen {
        seen.note(&prepared, &decision);
    }
    let mut failures = Vec::new();
    for expect in &ask.expects {
        failures.extend(check(policy, ask, expect, &decision)?);
    }
    Ok(failures)
}

/// What is wrong, if something is.
fn check(policy: &Policy, ask: &Ask, expect: &Expect, decision: &Decision) -> Result<Option<Failure>, String> {
    let zone = policy.zone();
    let time = |at: DateTime<Utc>| super::block::local_time(at, zone);
    let some = |at: Option<DateTime<Utc>>| at.map_or("never".to_string(), time);
    let mut difference = Vec::new();
    let mut about_decision = true;
    let (expected, got) = match &expect.what {
        What::Verdict { verdict, because, until } => {
            if *verdict != decision.verdict() {
                difference.push(format!("the verdict is {}, not {verdict}", decision.verdict()));
            }
            if !because.is_empty() {
                difference.extend(because_differs(because, decision));
            }
            if let Some(until) = until
                && Some(*until) != decision.valid_until()
            {
                difference.push(match decision.valid_until() {
                    None => format!("the verdict stands for ever, not until {}", time(*until)),
                    Some(valid) => format!("the verdict stands until {}, not until {}", time(valid), time(*until)),
                });
            }
            let because = (!because.is_empty()).then(|| because.join(", "));
            let expected = verdict_words(*verdict, because, until.map(time));
            let reasons = reasons(decision);
            let reasons = (!reasons.is_empty()).then(|| reasons.join(", "));
            let got = verdict_words(decision.verdict(), reasons, until.and(Some(some(decision.valid_until()))));
            (expected, got)
        }
        What::Rule { rule, status } => {
            let report = decision.rule(rule);
            let Some(report) = report else {
                return Err(format!("{}: {} has no rule `{rule}`", expect.place, decision.stage()));
            };
            if report.status != *status {
                difference.push(format!("rule {rule} is {}, not {status}: {}", report.status, report.detail));
            }
            (format!("rule {rule} is {status}"), format!("rule {rule} is {}", report.status))
        }
        What::Fires { nth, first, at } => {
            about_decision = false;
            let firing = firing(policy, &ask.request.stage, *first, *nth)?;
            if firing != Some(*at) {
                let which = match nth {
                    0 => "the next firing".to_string(),
                    nth => format!("firing number {} from then on", nth + 1),
                };
                difference.push(match firing {
                    Some(firing) => format!("{which} is at {}, not at {}", time(firing), time(*at)),
                    None => format!("{which} never comes"),
                });
            }
            (
                format!("fires at {}", time(*at)),
                firing.map_or("never fires".into(), |at| format!("fires at {}", time(at))),
            )
        }
        What::Opens(at) => {
            let opens = decision.allowed_at();
            if opens != Some(*at) {
                difference.push(match opens {
                    Some(now) if now == decision.at() => "it is open already".to_string(),
                    Some(opens) => format!("it opens at {}, not at {}", time(opens), time(*at)),
                    None => "time alone never opens it".to_string(),
                });
            }
            let got = match opens {
                Some(now) if now == decision.at() => "open already".to_string(),
                Some(opens) => format!("opens at {}", time(opens)),
                None => "never opens".to_string(),
            };
            (format!("opens at {}", time(*at)), got)
        }
        What::Json(wanted) => {
            let whole = serde_json::to_value(decision).unwrap_or_default();
            super::json::differences(wanted, &whole, &mut difference);
            (wanted.to_string(), super::json::same_parts(wanted, &whole).to_string())
        }
    };
    if difference.is_empty() {
        return Ok(None);
    }
    Ok(Some(Failure {
        at: expect.place.clone(),
        expect: expect.text.clone(),
        expected,
        got,
        difference,
        decision: about_decision.then(|| Box::new(decision.clone())),
    }))
}

fn verdict_words(verdict: Verdict, because: Option<String>, until: Option<String>) -> String {
    let mut words = verdict.to_string();
    if let Some(because) = because {
        words.push_str(" because ");
        words.push_str(&because);
    }
    if let Some(until) = until {
        words.push_str(" until ");
        words.push_str(&until);
    }
    words
}

/// The rules that make the verdict what it is: of a denial those that are unmet, of a hold all that block.
pub(crate) fn reasons(decision: &Decision) -> Vec<&str> {
    let blocking = decision.blocking().iter().filter_map(|name| decision.rule(name));
    let denies = decision.verdict() == Verdict::Deny;
    blocking.filter(|rule| !denies || rule.status == Status::Unmet).map(|rule| rule.rule.as_str()).collect()
}

/// `because` names every rule that makes the verdict what it is, and none that does not block.
fn because_differs(because: &[String], decision: &Decision) -> Vec<String> {
    let mut difference = Vec::new();
    for name in because {
        match decision.rule(name) {
            None => difference.push(format!("{} has no rule {name}", decision.stage())),
            Some(rule) if !decision.blocking().contains(name) => {
                difference.push(format!("{name} does not block: it is {} ({})", rule.status, rule.detail));
            }
            Some(_) => {}
        }
    }
    for name in reasons(decision) {
        if !because.iter().any(|b| b == name) {
            let rule = decision.rule(name);
            let status = rule.map_or("?".to_string(), |r| r.status.to_string());
            let detail = rule.map_or("", |r| r.detail.as_str());
            difference.push(format!("{name} blocks too, and was not named: it is {status} ({detail})"));
        }
    }
    difference
}

/// The firing of a stage number `nth` after an instant.
fn firing(policy: &Policy, stage: &str, after: DateTime<Utc>, nth: usize) -> Result<Option<DateTime<Utc>>, String> {
    let end = DateTime::from_timestamp(7_289_654_399, 0).unwrap_or(after + TimeDelta::days(36_500));
    let mut firings =
        policy.due(stage, after, end).map_err(|error| error.to_string())?.map(|firing| firing.at).peekable();
    let mut found = None;
    for _ in 0..=nth {
        found = firings.next();
        // Two schedules that fire at one instant are one firing here.
        while found.is_some() && firings.peek().copied() == found {
            firings.next();
        }
    }
    Ok(found)
}
