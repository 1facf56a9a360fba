//! What the harness shows, asked of it as `cargo test` and nextest do.
#![allow(clippy::unwrap_used, missing_docs)]

use stagegate::suite::discover;
use stagegate_testing::trials;

#[test]
fn each_row_is_a_test_of_its_own() {
    let found = discover(&["tests/policies".into()], None, &stagegate::Limits::default());
    let trials = trials(found);
    let names: Vec<&str> = trials.iter().map(|trial| trial.name()).collect();
    assert_eq!(
        names,
        [
            "tests/policies/web.gate::what is covered enters Dev / just enough",
            "tests/policies/web.gate::what is covered enters Dev / too little"
        ]
    );
}

#[test]
fn a_policy_that_does_not_compile_is_a_test_that_fails() {
    let folder = std::env::temp_dir().join(format!("stagegate-harness-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("bad.gate"), "stage Dev { require x: no-such-fact == 1 }").unwrap();
    let trials = trials(discover(std::slice::from_ref(&folder), None, &stagegate::Limits::default()));
    assert_eq!(trials.len(), 1);
    assert!(trials[0].name().ends_with("bad.gate::can be read"), "{}", trials[0].name());
    let arguments = libtest_mimic::Arguments { quiet: true, ..Default::default() };
    assert!(libtest_mimic::run(&arguments, trials).has_failed());
    std::fs::remove_dir_all(folder).unwrap();
}
