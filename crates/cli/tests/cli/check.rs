//! `stagegate check`

use crate::common::Folder;

const WRONG: &str =
    "policy wrong\n\nfact checks : map of status\n\nstage Dev {\n  require unit: cheks.unit == passed\n}\n";
const WARNED: &str = "policy warned\n\ngroup nobody-asks = [tim]\n\nstage Dev {\n  trigger push\n}\n";

#[test]
fn a_good_policy_is_0() {
    let ran = Folder::ship().run(&["check", "ship.gate"]).code(0);
    assert!(ran.stdout.ends_with(" in 1 file\n") && ran.stdout.contains("0 errors"), "{}", ran.stdout);
}

#[test]
fn errors_are_1_and_warnings_are_0() {
    let folder = Folder::new().with("wrong.gate", WRONG).with("warned.gate", WARNED);
    folder.run(&["check", "."]).code(1).golden("check-folder.txt");
    folder.run(&["check", "warned.gate"]).code(0).golden("check-warning.txt");
}

#[test]
fn quiet_leaves_warnings_and_the_summary_out() {
    let folder = Folder::new().with("wrong.gate", WRONG).with("warned.gate", WARNED);
    assert_eq!(folder.run(&["check", "warned.gate", "-q"]).code(0).stdout, "");
    let ran = folder.run(&["check", ".", "-q"]).code(1);
    assert!(ran.stdout.contains("error[E0201]") && !ran.stdout.contains("in 2 files"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("W0105"), "{}", ran.stdout);
}

#[test]
fn json_is_an_array_of_diagnostics_with_their_places() {
    let (code, json) = Folder::new().with("a/wrong.gate", WRONG).json(&["check", "a"]);
    assert_eq!(code, 1);
    let first = &json[0];
    assert_eq!(first["code"], "E0201");
    assert_eq!(first["severity"], "error");
    assert_eq!(first["file"], "a/wrong.gate");
    assert_eq!((first["line"].as_u64(), first["column"].as_u64()), (Some(6), Some(17)));
    assert_eq!(first["labels"][0]["primary"], true);
    assert_eq!(first["labels"][0]["end_line"], 6);
    assert!(first["help"][0].as_str().unwrap().contains("checks"));
    let (code, json) =
        Folder::new().with("fine.gate", "policy p stage Dev { trigger push }").json(&["check", "fine.gate"]);
    assert_eq!((code, json), (0, serde_json::json!([])));
}

#[test]
fn a_folder_means_the_gate_files_below_it_in_order() {
    let folder = Folder::new()
        .with("p/b.gate", WRONG)
        .with("p/a/z.gate", WRONG)
        .with("p/.hidden/x.gate", WRONG)
        .with("p/notes.txt", "no policy");
    let (_, json) = folder.json(&["check", "p", "p/b.gate"]);
    let mut files: Vec<&str> = json.as_array().unwrap().iter().map(|d| d["file"].as_str().unwrap()).collect();
    files.dedup();
    assert_eq!(files, ["p/a/z.gate", "p/b.gate"]);
}

#[test]
fn a_folder_is_the_root_of_the_policies_below_it_and_what_they_share_is_told_once() {
    let folder = Folder::new()
        .with("p/base.gate", "stage * { require id: buid.id is set }")
        .with("p/teams/web.gate", "policy web\ninclude \"../base.gate\"\nstage Dev { trigger push }")
        .with("p/teams/api.gate", "policy api\ninclude \"../base.gate\"\nstage Dev { trigger push }");
    let (code, json) = folder.json(&["check", "p"]);
    assert_eq!(code, 1);
    assert_eq!(json.as_array().unwrap().len(), 1, "{json:#}");
    assert_eq!(json[0]["file"], "p/base.gate");
}

#[test]
fn a_file_to_be_included_is_no_policy_without_stages() {
    let folder = Folder::new().with("base.gate", "group unused = [tim]\nstage * { require id: build.id is set }");
    folder.run(&["check", "base.gate"]).code(0);
}

#[test]
fn tests_of_a_policy_are_checked_against_it() {
    let folder = Folder::ship().with(
        "ship-tests.gate",
        "test for \"ship.gate\"\ntest \"a\" { at 2026-03-04 10:00 build { id: \"1\" } expect Stagin hold }",
    );
    let (code, json) = folder.json(&["check", "ship-tests.gate"]);
    assert_eq!(code, 1);
    let error = json.as_array().unwrap().iter().find(|d| d["severity"] == "error").unwrap();
    assert_eq!((&error["code"], &error["file"]), (&"E0203".into(), &"ship-tests.gate".into()));
}

#[test]
fn what_cannot_be_read_is_2_and_the_others_are_still_checked() {
    let folder = Folder::new().with("wrong.gate", WRONG);
    let ran = folder.run(&["check", "missing.gate", "wrong.gate"]).code(2);
    assert!(ran.stdout.contains("E0716") && ran.stdout.contains("E0201"), "{}", ran.stdout);
    folder.run(&["check"]).code(2);
}
