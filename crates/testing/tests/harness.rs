//! What the harness shows, asked of it as `cargo test` and nextest do: in a process of its own, whose words are read here
//! and not mixed into those of the tests.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::process::{Command, ExitCode, Output};

use libtest_mimic::{Arguments, Failed, Trial};

/// Where it is set, this process is the harness that is looked at, over that folder.
const FOLDER: &str = "STAGEGATE_HARNESS_FOLDER";

fn main() -> ExitCode {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return stagegate_testing::run([folder]);
    }
    let trials = vec![
        Trial::test("each_row_is_a_test_of_its_own", each_row_is_a_test_of_its_own),
        Trial::test("a_filter_chooses_among_them", a_filter_chooses_among_them),
        Trial::test(
            "a_policy_that_does_not_compile_is_a_test_that_fails",
            a_policy_that_does_not_compile_is_a_test_that_fails,
        ),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn harness(folder: &Path, arguments: &[&str]) -> (Output, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = command.env(FOLDER, folder).args(arguments).output().unwrap();
    let words = String::from_utf8(output.stdout.clone()).unwrap();
    (output, words)
}

fn each_row_is_a_test_of_its_own() -> Result<(), Failed> {
    let (output, words) = harness(Path::new("tests/policies"), &["--list"]);
    assert!(output.status.success());
    let names: Vec<&str> = words.lines().filter_map(|line| line.strip_suffix(": test")).collect();
    assert_eq!(
        names,
        [
            "[policy] tests/policies/web.gate::what is covered enters Dev / just enough",
            "[policy] tests/policies/web.gate::what is covered enters Dev / too little"
        ]
    );
    Ok(())
}

fn a_filter_chooses_among_them() -> Result<(), Failed> {
    let (output, words) = harness(Path::new("tests/policies"), &["too little"]);
    assert!(output.status.success());
    assert!(words.contains("1 passed; 0 failed; 0 ignored; 0 measured; 1 filtered out"), "{words}");
    Ok(())
}

fn a_policy_that_does_not_compile_is_a_test_that_fails() -> Result<(), Failed> {
    let folder = std::env::temp_dir().join(format!("stagegate-harness-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("bad.gate"), "stage Dev { require x: no-such-fact == 1 }").unwrap();
    let (output, words) = harness(&folder, &[]);
    std::fs::remove_dir_all(folder).unwrap();
    assert_eq!(output.status.code(), Some(101));
    assert!(words.contains("bad.gate::can be read"), "{words}");
    assert!(words.contains("no-such-fact"), "{words}");
    Ok(())
}
