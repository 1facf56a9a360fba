//! `stagegate fmt`

use crate::common::Folder;

const UGLY: &str = "policy p # mine\nstage Dev{trigger push\n\n\nrequire x:build.id is set}\n";

#[test]
fn files_are_rewritten_in_place_and_then_stay() {
    let folder = Folder::new().with("a.gate", UGLY).with("deep/b.gate", UGLY).with("notes.txt", UGLY);
    let ran = folder.run(&["fmt", "."]).code(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", "2 files changed\n"));
    let laid_out = folder.read("a.gate");
    assert_eq!(laid_out, folder.read("deep/b.gate"));
    assert!(laid_out.contains("  require x: build.id is set\n") && laid_out.contains("# mine"), "{laid_out}");
    assert_eq!(folder.read("notes.txt"), UGLY);
    assert_eq!(folder.run(&["fmt", "."]).code(0).stderr, "");
    assert_eq!(folder.run(&["fmt", ".", "--check"]).code(0).stdout, "");
    let left: Vec<_> = std::fs::read_dir(folder.dir.path()).unwrap().collect();
    assert_eq!(left.len(), 3, "no temporary file is left");
}

#[test]
fn check_shows_what_would_change_and_changes_nothing() {
    let folder = Folder::new().with("a.gate", UGLY);
    folder.run(&["fmt", "--check", "a.gate"]).code(1).golden("fmt-check.txt");
    assert_eq!(folder.read("a.gate"), UGLY);
    let (code, json) = folder.json(&["fmt", "--check", "a.gate"]);
    assert_eq!((code, &json[0]["status"]), (1, &"would-change".into()));
    assert!(json[0]["diff"].as_str().unwrap().starts_with("--- a.gate\n"));
}

#[test]
fn a_file_with_syntax_errors_is_left_and_the_others_are_done() {
    let folder = Folder::new().with("a.gate", "policy p stage {").with("b.gate", UGLY);
    let ran = folder.run(&["fmt", "."]).code(2);
    assert!(ran.stderr.contains("error[E0") && ran.stderr.contains("a.gate:1:"), "{}", ran.stderr);
    assert_eq!(folder.read("a.gate"), "policy p stage {");
    assert_ne!(folder.read("b.gate"), UGLY);
    let (code, json) = folder.json(&["fmt", "."]);
    assert_eq!(code, 2);
    assert_eq!((&json[0]["status"], &json[1]["status"]), (&"error".into(), &"unchanged".into()));
    assert_eq!(json[0]["error"]["kind"], "policy");
    let (code, json) = folder.json(&["fmt", "missing.gate", "b.gate"]);
    assert_eq!((code, &json[0]["error"]["kind"]), (2, &"file".into()));
}

#[test]
fn standard_input_goes_to_standard_output() {
    let folder = Folder::new().with("a.gate", UGLY);
    let ran = folder.run_with(&["fmt", "-"], UGLY).code(0);
    folder.run(&["fmt", "a.gate"]).code(0);
    assert_eq!(ran.stdout, folder.read("a.gate"));
    assert_eq!(ran.stderr, "");
    let ran = folder.run_with(&["fmt", "-", "--check"], UGLY).code(1);
    assert!(ran.stdout.contains("+stage Dev {"), "{}", ran.stdout);
    assert_eq!(folder.run_with(&["fmt", "-"], "policy p stage {").code(2).stdout, "");
    folder.run_with(&["fmt", "-", "a.gate"], UGLY).code(2);
}

#[cfg(unix)]
#[test]
fn permissions_and_links_are_kept() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new().with("real.gate", UGLY);
    std::fs::set_permissions(folder.path("real.gate"), std::fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("real.gate", folder.path("link.gate")).unwrap();
    folder.run(&["fmt", "link.gate"]).code(0);
    assert!(std::fs::symlink_metadata(folder.path("link.gate")).unwrap().is_symlink());
    assert_ne!(folder.read("real.gate"), UGLY);
    let mode = std::fs::metadata(folder.path("real.gate")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    std::fs::write(folder.path("real.gate"), UGLY).unwrap();
    std::fs::set_permissions(folder.path("real.gate"), std::fs::Permissions::from_mode(0o440)).unwrap();
    let ran = folder.run(&["fmt", "real.gate"]).code(2);
    assert!(ran.stderr.contains("permission denied"), "{}", ran.stderr);
    assert_eq!(folder.read("real.gate"), UGLY);
}
