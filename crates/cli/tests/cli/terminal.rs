//! Colours and pipes.

use std::io::Read;
use std::process::Stdio;

use crate::common::{Folder, run};

const COMMANDS: [&[&str]; 5] = [
    &["decide", "--policy", "ship.gate", "--request", "request.json"],
    &["timeline", "--policy", "ship.gate", "--request", "request.json"],
    &["describe", "ship.gate"],
    &["next", "--policy", "ship.gate"],
    &["check", "wrong.gate"],
];

fn folder() -> Folder {
    Folder::ship().with("wrong.gate", "policy p stage Dev { require x: nope }")
}

#[test]
fn there_are_no_colours_in_pipes_unless_they_are_asked_for() {
    let folder = folder();
    for args in COMMANDS {
        let ran = folder.run(args);
        assert!(!ran.stdout.contains('\x1b') && !ran.stderr.contains('\x1b'), "{args:?}");
        let coloured = folder.run(&[args, &["--color", "always"]].concat());
        assert!(coloured.stdout.contains('\x1b'), "{args:?}");
        assert_eq!(coloured.code, ran.code);
        let never = folder.run(&[args, &["--color=never"]].concat());
        assert_eq!(never.stdout, ran.stdout);
        let mut command = folder.command(args);
        command.env("NO_COLOR", "1").env("CLICOLOR_FORCE", "0");
        assert_eq!(run(command, "").stdout, ran.stdout);
    }
    let (_, json) = folder.json(&["next", "--cron", "* * * * *", "--zone", "x", "--color", "always"]);
    assert!(!json.to_string().contains("\\u001b"));
    let ran = folder.run(&["nope", "--color", "always"]);
    assert!(ran.stderr.contains('\x1b'));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = folder();
    let long: &[&[&str]] = &[
        &["next", "--cron", "* * * * *", "--count", "1000"],
        &["completions", "zsh"],
        &["man"],
        &["schema", "request"],
    ];
    for args in COMMANDS.iter().chain(long) {
        let mut child =
            folder.command(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!(stderr, "", "{args:?}");
        let code = child.wait().unwrap().code();
        assert_eq!(code, Some(i32::from(args[0] == "check")), "{args:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let folder = folder();
    let mut command = folder.command(&["describe", "ship.gate"]);
    command.stdout(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let out = command.stderr(Stdio::piped()).output().unwrap();
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("standard output cannot be written"));
}

#[cfg(unix)]
#[test]
fn names_of_files_cannot_move_the_cursor() {
    let name = "p/\u{1b}[2J.gate";
    let folder = Folder::new().with(name, "policy p stage Dev { require x: nope }");
    for args in [
        &["check", "p"][..],
        &["describe", name],
        &["fmt", "p", "--check"],
        &["decide", "--policy", "x", "--request", name],
    ] {
        let ran = folder.run(&[args, &["--color", "always"]].concat());
        assert!(!ran.stdout.contains("\u{1b}[2J") && !ran.stderr.contains("\u{1b}[2J"), "{ran:?}");
    }
    let (_, json) = folder.json(&["check", "p"]);
    assert_eq!(json[0]["file"], name);
}
