//! A request that tells a wrong version from the policy, written as a test.

use crate::decide::snapshot::{Fuel, Raw};
use crate::decide::{Decision, Status};
use crate::facts::Request;
use crate::policy::Policy;
use crate::suite::block;
use crate::suite::vary::{self, variations};

/// So many requests of the tests about one stage are departed from.
const MAX_SEEDS: usize = 8;
/// So many of them when two things are changed at once.
const MAX_PAIR_SEEDS: usize = 3;
/// So many more requests are tried when one was found, for one that tells by its verdict.
const ENOUGH: usize = 1_000;

/// A request to depart from, with those that differ from it in one thing.
#[derive(Debug)]
pub(super) struct Seed {
    request: Request,
    around: Vec<(String, Request)>,
}

/// What the search for requests about one stage departs from: a request that the stage lets in, then those of the tests.
pub(super) fn seeds(policy: &Policy, stage: &str, tests: &[Request]) -> Vec<Seed> {
    let usual = vary::let_in(policy, stage);
    let all = usual.iter().chain(tests.iter().take(MAX_SEEDS));
    all.map(|request| Seed { request: request.clone(), around: around(policy, request) }).collect()
}

fn around(policy: &Policy, request: &Request) -> Vec<(String, Request)> {
    let all = variations(policy, request).into_iter();
    all.map(|v| (v.what.trim_end_matches(", nothing else later").to_string(), v.request)).collect()
}

/// A test that passes for the policy and fails for the wrong version; `None` if none was found among so many requests.
pub(super) fn find(policy: &Policy, wrong: &Policy, seeds: &[&Seed], budget: usize) -> Option<String> {
    let mut finder = Finder { policy, wrong, budget, best: None };
    finder.search(seeds);
    finder.best.map(|(_, test)| test)
}

struct Finder<'a> {
    policy: &'a Policy,
    wrong: &'a Policy,
    /// Requests that may still be tried.
    budget: usize,
    /// How subtle the difference is, and the test.
    best: Option<(u8, String)>,
}

impl Finder<'_> {
    /// The requests themselves, those that differ from one of them in one thing, then in two; those near the edges of the
    /// wrong version, too.
    fn search(&mut self, seeds: &[&Seed]) -> Option<()> {
        for seed in seeds {
            self.look("a request that tells", &seed.request, false)?;
        }
        for seed in seeds {
            for (what, request) in &seed.around {
                self.look(what, request, false)?;
            }
        }
        for seed in seeds.iter().take(2) {
            for (what, request) in around(self.wrong, &seed.request) {
                self.look(&what, &request, false)?;
            }
        }
        if self.best.is_some() {
            return None;
        }
        let half = self.budget / 2;
        'pairs: for seed in seeds.iter().take(MAX_PAIR_SEEDS) {
            for (what, first) in &seed.around {
                for (other, second) in around(self.policy, first) {
                    self.look(&format!("{what}, {other}"), &second, false)?;
                    if self.best.is_some() {
                        // A plainer one may follow, but not for the whole of the search.
                        self.budget = self.budget.min(ENOUGH);
                    } else if self.budget < half {
                        break 'pairs;
                    }
                }
            }
        }
        if self.best.is_some() {
            return None;
        }
        // Last, what only shows in how long a verdict stands.
        for seed in seeds {
            self.look("a request that tells", &seed.request, true)?;
            for (what, request) in &seed.around {
                self.look(what, request, true)?;
            }
        }
        None
    }

    /// Looks at one request; `None` when it is time to stop, because nothing better can be found or enough was tried.
    fn look(&mut self, what: &str, request: &Request, subtle: bool) -> Option<()> {
        self.budget = self.budget.checked_sub(1)?;
        if !subtle && self.stand_alike(request) {
            return Some(());
        }
        let (Ok(right), Ok(wrong)) = (self.policy.decide(request), self.wrong.decide(request)) else { return Some(()) };
        let Some((rank, expects)) = telling(&right, &wrong, self.policy) else { return Some(()) };
        if self.best.as_ref().is_some_and(|(best, _)| *best <= rank) {
            return Some(());
        }
        let name = format!("{}: {what}", request.stage);
        if let Some(test) = block::test(&name, request, &expects, self.policy) {
            self.best = Some((rank, test));
        }
        (rank > 0 && !(subtle && self.best.is_some())).then_some(())
    }

    /// Whether every rule stands alike in both at the request's instant, which is soon seen.
    fn stand_alike(&self, request: &Request) -> bool {
        let standings = |policy: &Policy| -> Option<Vec<(String, Raw)>> {
            let prepared = policy.prepare(request).ok()?;
            let case = prepared.case()?;
            let snapshot = case.at(case.slots.now, &mut Fuel::new(case.program.search_steps));
            let rules = case.stage.rules.iter().zip(&snapshot.rules);
            Some(rules.map(|(rule, standing)| (rule.name.clone(), standing.raw)).collect())
        };
        match (standings(self.policy), standings(self.wrong)) {
            (Some(right), Some(wrong)) => right == wrong,
            _ => true,
        }
    }
}

/// What an `expect` can say of the right decision that does not hold of the wrong one; the less subtle, the lower.
fn telling(right: &Decision, wrong: &Decision, policy: &Policy) -> Option<(u8, Vec<String>)> {
    let zone = policy.zone();
    let verdict = || block::expect_verdict(right, zone);
    let short = || {
        let whole = verdict();
        whole.split(" until ").next().unwrap_or_default().to_string()
    };
    if right.verdict() != wrong.verdict() {
        return Some((0, vec![short()]));
    }
    let blocks = |decision: &Decision| -> Vec<String> {
        super::super::run::reasons(decision).into_iter().map(str::to_string).collect()
    };
    let (mine, theirs) = (blocks(right), blocks(wrong));
    let told =
        theirs.iter().any(|rule| !mine.contains(rule)) || mine.iter().any(|rule| !wrong.blocking().contains(rule));
    if told {
        return Some((1, vec![short()]));
    }
    let differs = right.rules().iter().find(|rule| match wrong.rule(&rule.rule) {
        Some(other) => other.status != rule.status,
        None => !matches!(rule.status, Status::Met | Status::NotApplicable),
    });
    if let Some(rule) = differs {
        return Some((2, vec![short(), block::expect_rule(right.stage(), &rule.rule, rule.status)]));
    }
    if right.valid_until() != wrong.valid_until() && right.valid_until().is_some() {
        return Some((3, vec![verdict()]));
    }
    if let (Some(opens), true) = (right.allowed_at(), right.allowed_at() != wrong.allowed_at()) {
        return Some((4, vec![short(), block::expect_opens(right.stage(), opens, zone)]));
    }
    None
}
