//! Completions, the man page, schemas.

use crate::common::Folder;

#[test]
fn completions_for_each_shell_know_the_commands() {
    let folder = Folder::new();
    for (shell, word) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef stagegate"),
        ("fish", "complete -c stagegate"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let ran = folder.run(&["completions", shell]).code(0);
        for word in [word, "timeline", "--request"] {
            assert!(ran.stdout.contains(word) || shell == "fish" && word == "--request", "{shell}: {word}");
        }
        let (code, json) = folder.json(&["completions", shell]);
        assert_eq!((code, json["script"].as_str()), (0, Some(ran.stdout.as_str())));
    }
    folder.run(&["completions", "tcsh"]).code(2);
}

#[test]
fn the_man_page_has_every_command() {
    let ran = Folder::new().run(&["man"]).code(0);
    assert!(ran.stdout.contains(".TH stagegate 1"));
    for command in ["check", "decide", "next", "timeline", "describe", "fmt", "completions", "man", "schema"] {
        assert!(ran.stdout.contains(&format!(".SS \"{command}\"")), "{command}");
    }
    assert!(ran.stdout.contains("Exit codes"));
    let (_, json) = Folder::new().json(&["man"]);
    assert_eq!(json["man"], ran.stdout);
}

#[test]
fn schemas_are_json_in_either_format() {
    for which in ["request", "decision"] {
        let (code, json) = Folder::new().json(&["schema", which]);
        assert_eq!((code, json["title"].as_str()), (0, Some(format!("A stagegate {which}").as_str())));
        assert!(Folder::new().run(&["schema", which]).code(0).stdout.starts_with('{'));
    }
}
