//! `test`, `mutate` and `cases`, as a person runs them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::PathBuf;
use std::process::{Command, Output};

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const POLICY: &str = "policy p\nfact n : number\nstage A { require big: n >= 3 }\n";
const TEST: &str = "test \"met\" {\n  at 2026-03-04 10:00\n  build { id: \"1\" }\n  fact n = 9\n  expect A allow\n}\n";

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Folder {
        let folder = std::env::temp_dir().join(format!("stagegate-suite-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for (file, text) in files {
            std::fs::write(folder.join(file), text).unwrap();
        }
        Folder(folder)
    }

    fn run(&self, line: &str) -> (Option<i32>, String, String) {
        let output: Output = Command::new(env!("CARGO_BIN_EXE_stagegate"))
            .args(line.split_whitespace())
            .current_dir(&self.0)
            .env("NO_COLOR", "1")
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    }
}

#[test]
fn exit_codes_tell_passed_from_failed_from_broken_from_nothing() {
    let folder = Folder::new("exit", &[("p.gate", POLICY), ("p_test.gate", TEST)]);
    let (code, out, _) = folder.run("test .");
    assert_eq!(code, Some(0), "{out}");
    assert!(out.starts_with("1 passed"), "{out}");
    assert_eq!(folder.run("test p.gate").0, Some(0));
    assert_eq!(folder.run("test p_test.gate").0, Some(0));
    let (code, _, told) = folder.run("test . --filter slip");
    assert!(code == Some(1) && told.contains("no test has `slip`"), "{told}");
    assert_eq!(folder.run("test . --filter slip --allow-empty").0, Some(0));
    let (code, out, _) = folder.run("test . --list");
    assert_eq!((code, out.as_str()), (Some(0), "p.gate: met\n"));
    let (code, _, told) = folder.run("test nowhere.gate");
    assert!(code == Some(2) && told.contains("there is no such file"), "{told}");
    std::fs::write(
        folder.0.join("q_test.gate"),
        TEST.replace("allow", "deny").replace("test", "test for \"p.gate\" test"),
    )
    .unwrap();
    let (code, out, _) = folder.run("test .");
    assert!(code == Some(1) && out.contains("the verdict is allow, not deny"), "{out}");
    std::fs::write(folder.0.join("bad.gate"), "stage A { require x: nothing == 1 }").unwrap();
    let (code, _, told) = folder.run("test .");
    assert!(code == Some(2) && told.contains("E0201"), "{told}");
}

#[test]
fn reports_and_thresholds() {
    let folder = Folder::new("report", &[("p.gate", POLICY), ("p_test.gate", TEST)]);
    let reports =
        "--report junit=r.xml --report html=c.html --report lcov=c.lcov --report tap=r.tap --report json=r.json";
    let (code, _, told) = folder.run(&format!("test . {reports} --threshold 99"));
    assert!(code == Some(1) && told.contains("is covered, less than 99 %"), "{told}");
    let read = |file: &str| std::fs::read_to_string(folder.0.join(file)).unwrap();
    assert!(read("r.xml").contains("<testcase name=\"met\" classname=\"p.gate\""));
    assert!(read("c.html").contains("never A: unmet, unknown"), "{}", read("c.html"));
    assert!(read("c.lcov").contains("SF:p.gate\n"));
    assert!(read("r.tap").contains("ok 1 - met"));
    let json: serde_json::Value = serde_json::from_str(&read("r.json")).unwrap();
    assert_eq!((&json["passed"], &json["results"][0]["outcome"]), (&1.into(), &"passed".into()));
    assert_eq!(folder.run("test . --threshold 10").0, Some(0));
    assert_eq!(folder.run("test . --format tap").1.lines().next(), Some("TAP version 13"));
    assert_eq!(folder.run("check . --format tap").0, Some(2));
    assert_eq!(folder.run("test . --report picture=x").0, Some(2));
}

#[test]
fn survivors_come_with_tests_that_kill_them() {
    let folder = Folder::new("mutate", &[("p.gate", POLICY), ("p_test.gate", TEST)]);
    let (code, out, _) = folder.run("mutate .");
    assert!(code == Some(1) && out.contains("this test would have noticed:"), "{out}");
    let (_, tests, _) = folder.run("mutate . --tests");
    std::fs::write(folder.0.join("more_test.gate"), format!("test for \"p.gate\"\n{tests}")).unwrap();
    let (code, out, _) = folder.run("mutate .");
    assert!(code == Some(0) && out.contains("(100.0 %)"), "{out}");
    let (code, json, _) = folder.run("mutate . --format json");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &json[0]["mutants"][0]["fate"]), (Some(0), &"killed".into()));
}

#[test]
fn boundary_cases_can_be_kept_as_they_are_printed() {
    let folder = Folder::new("cases", &[("p.gate", POLICY)]);
    let (code, out, _) = folder.run("cases p.gate A");
    assert!(code == Some(0) && out.contains("fact n = 2\n  expect A deny because big"), "{out}");
    std::fs::write(folder.0.join("p_test.gate"), &out).unwrap();
    assert_eq!(folder.run("test .").0, Some(0));
    assert_eq!(folder.run("cases p.gate Nowhere").0, Some(2));
}

/// The policies of the repository, which their suites cover whole.
fn repository(line: &str) -> (Option<i32>, String) {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let mut command = Command::new(env!("CARGO_BIN_EXE_stagegate"));
    let output = command.args(line.split_whitespace()).current_dir(root).env("NO_COLOR", "1").output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

#[test]
fn the_suites_of_the_policies_pass_and_leave_nothing_out() {
    let (code, out) = repository("test policies --coverage --threshold 100");
    assert_eq!(code, Some(0), "{out}");
    assert_eq!(out.matches(": 100.0 % covered").count(), 6, "{out}");
    assert!(!out.contains("never exercised"), "{out}");
}

#[test]
fn no_wrong_version_of_the_space_game_goes_unnoticed() {
    let (code, out) = repository("mutate policies/space-game.gate --format json");
    assert_eq!(code, Some(0), "{out}");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let fates: Vec<&str> = json[0]["mutants"].as_array().unwrap().iter().map(|m| m["fate"].as_str().unwrap()).collect();
    let counted = fates.iter().filter(|fate| **fate != "equivalent").count();
    let noticed = fates.iter().filter(|fate| **fate == "killed").count();
    assert!(counted >= 50, "{counted}");
    assert_eq!(noticed, counted, "{out}");
}

#[test]
fn times_that_come_to_the_same_do_not_count() {
    let policy = "policy p\nstage A { window w: daily 20:00..06:00, sat..sun 01:00..24:00 }\n";
    let test =
        "test \"edges\" {\n  build { id: \"1\" }\n  row \"at eight\" { at 2026-03-04 20:00  expect A allow }\n}\n";
    let folder = Folder::new("same", &[("p.gate", policy), ("p_test.gate", test)]);
    let (_, json, _) = folder.run("mutate . --format json");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let fate = |what: &str| {
        let mutants = json[0]["mutants"].as_array().unwrap();
        mutants.iter().find(|m| m["what"] == what).unwrap_or_else(|| panic!("{json}"))["fate"].clone()
    };
    // Saturday from midnight on belongs to the night of Friday anyway; Saturday at six does not.
    assert_eq!(fate("`01:00` became `00:00`"), "equivalent");
    assert_eq!(fate("`01:00` became `02:00`"), "equivalent");
    assert_eq!(fate("`20:00` became `21:00`"), "killed");
    assert_eq!(fate("`06:00` became `07:00`"), "survived");
}
