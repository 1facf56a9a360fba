//! The policies that the repository shows, as its README runs them.

use std::path::{Path, PathBuf};

use crate::common::Folder;

fn policies() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies")
}

#[test]
fn they_have_no_error_and_are_laid_out() {
    let policies = policies();
    let policies = policies.to_str().unwrap();
    let folder = Folder::new();
    let ran = folder.run(&["check", policies]).code(0);
    assert!(ran.stdout.starts_with("0 errors, 0 warnings in "), "{}", ran.stdout);
    assert_eq!(folder.run(&["fmt", "--check", policies]).code(0).stdout, "");
}

#[test]
fn their_requests_are_answered_with_the_exit_code_that_their_names_promise() {
    let folder = Folder::new();
    let mut asked = 0;
    for entry in std::fs::read_dir(policies().join("requests")).unwrap() {
        let request = entry.unwrap().path();
        let name = request.file_stem().unwrap().to_str().unwrap();
        let Some((policy, code)) = [("-allow", 0), ("-deny", 1), ("-hold", 3)]
            .iter()
            .find_map(|(ending, code)| Some((name.strip_suffix(ending)?, *code)))
        else {
            continue;
        };
        let policy = policies().join(format!("{policy}.gate"));
        let (policy, request) = (policy.to_str().unwrap(), request.to_str().unwrap());
        folder.run(&["decide", "--policy", policy, "--request", request]).code(code);
        folder.run(&["timeline", "--policy", policy, "--request", request]).code(0);
        folder.run(&["describe", policy]).code(0);
        asked += 1;
    }
    assert!(asked >= 10, "{asked}");
}
