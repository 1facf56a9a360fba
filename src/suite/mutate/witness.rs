//! A request that tells a wrong version from the policy, written as a test.

use crate::decide::{Decision, Status};
use crate::facts::Request;
use crate::policy::Policy;
use crate::suite::block;
use crate::suite::vary::{self, variations};

/// So many requests of the tests are departed from.
const MAX_SEEDS: usize = 24;
/// So many more requests are tried when one was found, for one that tells by its verdict.
const ENOUGH: usize = 4_000;

/// A test that passes for the policy and fails for the wrong version; `None` if none was found among so many requests.
pub(super) fn find(
    policy: &Policy,
    wrong: &Policy,
    changed: &[String],
    tests: &[Request],
    budget: usize,
) -> Option<String> {
    let mut seeds: Vec<Request> = changed.iter().filter_map(|stage| vary::let_in(policy, stage)).collect();
    seeds.extend(tests.iter().take(MAX_SEEDS).cloned());
    let mut finder = Finder { policy, wrong, budget, best: None };
    finder.search(&seeds);
    finder.best.map(|(_, test)| test)
}

struct Finder<'a> {
    policy: &'a Policy,
    wrong: &'a Policy,
    /// Requests that may still be tried.
    budget: usize,
    /// How far from ideal, and the test.
    best: Option<(u8, String)>,
}

impl Finder<'_> {
    fn around(&self, request: &Request) -> Vec<(String, Request)> {
        let mut all = variations(self.policy, request);
        all.extend(variations(self.wrong, request));
        all.into_iter().map(|v| (v.what.trim_end_matches(", nothing else later").to_string(), v.request)).collect()
    }

    /// The requests themselves, then those that differ from one of them in one thing, then in two.
    fn search(&mut self, seeds: &[Request]) -> Option<()> {
        for seed in seeds {
            self.look("a request that tells", seed)?;
        }
        for seed in seeds {
            for (what, request) in self.around(seed) {
                self.look(&what, &request)?;
            }
        }
        if self.best.is_some() {
            return None;
        }
        for seed in seeds {
            for (what, first) in self.around(seed) {
                for (other, second) in self.around(&first) {
                    self.look(&format!("{what}, {other}"), &second)?;
                    if self.best.is_some() {
                        // A plainer one may follow, but not for the whole of the search.
                        self.budget = self.budget.min(ENOUGH);
                    }
                }
            }
        }
        None
    }

    /// Looks at one request; `None` when it is time to stop, because nothing better can be found or enough was tried.
    fn look(&mut self, what: &str, request: &Request) -> Option<()> {
        self.budget = self.budget.checked_sub(1)?;
        let (Ok(right), Ok(wrong)) = (self.policy.decide(request), self.wrong.decide(request)) else { return Some(()) };
        let Some((rank, expects)) = telling(&right, &wrong, self.policy) else { return Some(()) };
        if self.best.as_ref().is_some_and(|(best, _)| *best <= rank) {
            return Some(());
        }
        let name = format!("{}: {what}", request.stage);
        if let Some(test) = block::test(&name, request, &expects, self.policy) {
            self.best = Some((rank, test));
        }
        (rank > 0).then_some(())
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
