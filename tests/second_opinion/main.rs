//! A plain second opinion: an interpreter written straight from the language page, over the tree, slow and obvious. It
//! shares no evaluator code with the engine. Random policies and requests go through both; any difference is a bug in
//! one of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answer;
mod ask;
mod compare;
mod conditions;
mod from_the_page;
mod generate;
mod model;
mod rules;
mod times;
mod truth;
mod zones;

use std::collections::BTreeMap;

use compare::Outcome;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// `PROPTEST_CASES` asks for more.
const CASES: u32 = 150;

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        max_shrink_iters: 600,
        cases: if std::env::var_os("PROPTEST_CASES").is_some() { ProptestConfig::default().cases } else { CASES },
        ..ProptestConfig::default()
    })]

    #[test]
    fn both_opinions_agree(tapes in generate::tapes()) {
        let case = generate::case(&tapes);
        match compare::compare(&case) {
            Outcome::Same => {}
            Outcome::Refused => return Err(TestCaseError::reject("the policy does not compile")),
            Outcome::Different(how) => {
                return Err(TestCaseError::fail(format!("they differ\n{}\n{how}", compare::show(&case))));
            }
        }
    }
}

/// The comparison is worth something only where everything happens.
#[test]
fn every_status_and_verdict_is_common_among_the_cases() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut decided = 0;
    for _ in 0..400 {
        let tapes = generate::tapes().new_tree(&mut runner).unwrap().current();
        let case = generate::case(&tapes);
        let Ok(policy) = compare::compile(&case) else { continue };
        let decision = policy.decide(&case.request).unwrap();
        decided += 1;
        let mut words: Vec<&str> = decision.rules().iter().map(|rule| rule.status.as_str()).collect();
        words.push(decision.verdict().as_str());
        words.extend(decision.overrides().iter().filter(|o| o.in_force).map(|_| "in force"));
        words.extend(decision.rules().iter().filter(|rule| !rule.rejected_by.is_empty()).map(|_| "rejected"));
        words.sort_unstable();
        words.dedup();
        for word in words {
            *seen.entry(word).or_default() += 1;
        }
    }
    assert!(decided >= 370, "{decided} of 400 policies compile");
    for (word, least) in [
        ("allow", 70),
        ("hold", 80),
        ("deny", 80),
        ("met", 100),
        ("unmet", 80),
        ("waiting", 20),
        ("awaiting", 40),
        ("unknown", 60),
        ("not-applicable", 20),
        ("overridden", 2),
        ("in force", 3),
        ("rejected", 5),
    ] {
        let found = seen.get(word).copied().unwrap_or(0);
        assert!(found >= least, "{word}: {found} of {decided}, and at least {least} are wanted: {seen:?}");
    }
}
