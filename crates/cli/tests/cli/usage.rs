//! Wrong usage, help, the version.

use crate::common::Folder;

#[test]
fn wrong_usage_is_2_and_one_json_value() {
    let folder = Folder::ship();
    for args in [
        &[][..],
        &["decied"],
        &["decide"],
        &["decide", "--policy", "ship.gate"],
        &["check", "--nope", "x.gate"],
        &["describe"],
        &["schema", "everything"],
    ] {
        let (code, json) = folder.json(args);
        assert_eq!((code, &json["error"]["kind"]), (2, &"usage".into()), "{args:?}");
        let message = json["error"]["message"].as_str().unwrap();
        assert!(!message.is_empty() && !message.starts_with("error"), "{message}");
        let ran = folder.run(args).code(2);
        assert!(ran.stdout.is_empty() && ran.stderr.contains("--help"), "{args:?}: {ran:?}");
    }
    let ran = folder.run(&["--format=json", "decied"]).code(2);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(json["error"]["help"][0].as_str().unwrap().contains("decide"), "{json}");
    folder.run(&["check", "ship.gate", "--format", "yaml"]).code(2);
}

#[test]
fn help_has_examples() {
    let folder = Folder::new();
    folder.run(&["-h"]).code(0).golden("help.txt");
    for command in ["check", "decide", "next", "timeline", "describe", "fmt", "completions", "man", "schema"] {
        let ran = folder.run(&[command, "-h"]).code(0);
        assert!(ran.stdout.contains("Example"), "{command}");
        assert!(ran.stdout.lines().all(|line| line.chars().count() <= 100), "{command}: {}", ran.stdout);
    }
    let ran = folder.run(&["--help"]).code(0);
    assert!(ran.stdout.contains("Exit codes:"));
    let (code, json) = folder.json(&["--help"]);
    assert!(code == 0 && json["help"].as_str().unwrap().contains("Usage"));
}

#[test]
fn the_version() {
    assert_eq!(
        Folder::new().run(&["--version"]).code(0).stdout,
        concat!("stagegate ", env!("CARGO_PKG_VERSION"), "\n")
    );
    assert_eq!(Folder::new().json(&["--version"]).1["version"], env!("CARGO_PKG_VERSION"));
}
