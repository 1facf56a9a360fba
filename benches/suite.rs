//! 10,000 tests of the bank's policy in one process, against as many bare decisions with explanation: the tests should take
//! no more than twice as long, and the reading of their file. `cargo bench --bench suite`
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::hint::black_box;
use std::time::Instant;

use stagegate::Policy;
use stagegate::suite::{self, Options, Suite};

const TESTS: usize = 10_000;

fn main() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/policies");
    let policy = Policy::from_file(format!("{root}/bank.gate")).expect("the policy compiles");
    let written = std::fs::read_to_string(format!("{root}/bank-tests.gate")).expect("its tests are there");
    // The tests of the bank, again and again under other names.
    let (head, tests) = written.split_at(written.find("\ntest \"").expect("there are tests"));
    let each = tests.matches("\ntest \"").count();
    let copies = (0..TESTS.div_ceil(each)).map(|n| tests.replace("\ntest \"", &format!("\ntest \"{n} ")));
    let text = head.to_string() + &copies.collect::<String>();
    let limits = stagegate::Limits { source_bytes: 1 << 30, tokens: 1 << 30, ..stagegate::Limits::default() };
    let files = stagegate::FileLoader::new(root);
    let policy = stagegate::Compiler::new().limits(limits).loader(&files).compile("bank.gate").unwrap_or(policy);

    let began = Instant::now();
    let mut suite =
        Suite::without_tests(&policy).with_tests("many_test.gate", &text).expect("the tests are well written");
    let parsing = began.elapsed();
    let mut kept = 0;
    suite.retain(|_| {
        kept += 1;
        kept <= TESTS
    });
    let requests = suite.requests();

    let mut best = (f64::MAX, f64::MAX);
    for _ in 0..5 {
        let began = Instant::now();
        for request in &requests {
            black_box(policy.decide(request).expect("it can be decided"));
        }
        best.0 = best.0.min(began.elapsed().as_secs_f64());
        let began = Instant::now();
        let report = suite::run(std::slice::from_ref(&suite), &Options { jobs: 1, ..Options::default() });
        best.1 = best.1.min(began.elapsed().as_secs_f64());
        assert!(report.passed(), "{}", suite::text(&report, &stagegate::Style::default(), false));
    }
    println!(
        "{} tests: {:.3} s; {} bare decisions: {:.3} s; ratio {:.2} (at most 2); reading the tests: {:.3} s",
        suite.cases().len(),
        best.1,
        requests.len(),
        best.0,
        best.1 / best.0,
        parsing.as_secs_f64()
    );
}
