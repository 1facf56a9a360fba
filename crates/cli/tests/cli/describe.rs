//! `stagegate describe`

use crate::common::Folder;

#[test]
fn in_plain_words() {
    Folder::ship().run(&["describe", "ship.gate", "--after", "2026-03-04 10:00"]).code(0).golden("describe.txt");
}

#[test]
fn rules_of_every_stage_are_told_once_and_say_their_file() {
    let folder = Folder::new()
        .with("base.gate", "stage * { require id: build.id is set because \"we name things\" exclusive }")
        .with(
            "web.gate",
            "policy web include \"base.gate\" stage Dev { trigger push } stage Live after Dev { trigger manual }",
        );
    folder.run(&["describe", "web.gate"]).code(0).golden("describe-include.txt");
}

#[test]
fn json_has_the_same_as_data() {
    let (code, json) = Folder::ship().json(&["describe", "ship.gate", "--after", "2026-03-04 10:00"]);
    assert_eq!(code, 0);
    assert_eq!(json["zone"], "America/Los_Angeles");
    let stages: Vec<&str> = json["stages"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(stages, ["Dev", "Test", "Security", "Staging", "Live"]);
    let nightly = &json["stages"][1]["rules"][0];
    assert_eq!(nightly["name"], "nightly");
    assert_eq!(nightly["schedule"]["cron"], "0 3 * * 1-5");
    assert_eq!(nightly["schedule"]["next"], "2026-03-05T03:00:00-08:00");
    assert_eq!(json["stages"][3]["after"][0]["soak_seconds"], 7200);
    assert_eq!(json["groups"][2]["members"], serde_json::Value::Null);
}

#[test]
fn diagrams_alone() {
    let folder = Folder::ship();
    folder.run(&["describe", "ship.gate", "--diagram", "text"]).code(0).golden("diagram.txt");
    folder.run(&["describe", "ship.gate", "--diagram", "mermaid"]).code(0).golden("diagram.mmd");
    let (_, json) = folder.json(&["describe", "ship.gate", "--diagram", "mermaid"]);
    assert!(json["diagram"].as_str().unwrap().starts_with("flowchart LR\n"));
}

#[test]
fn what_an_author_writes_cannot_move_the_cursor() {
    let policy = "policy p stage Dev { require x: build.branch == \"\\u{1b}[2J\" because \"a\\nb\\u{202e}\" }";
    let ran = Folder::new().with("p.gate", policy).run(&["describe", "p.gate"]).code(0);
    assert!(!ran.stdout.contains('\x1b') && !ran.stdout.contains('\u{202e}'), "{}", ran.stdout);
    assert!(ran.stdout.contains("because a\\nb\\u{202e}"), "{}", ran.stdout);
}

#[test]
fn stages_are_told_along_the_pipeline() {
    // The baseline speaks of Live first, and so would the order of the rules.
    let folder = Folder::new().with("base.gate", "stage Live { approve board: 1 of [sunita] }").with(
        "team.gate",
        "policy team\ninclude \"base.gate\"\nstage Live after Test { trigger manual }\nstage Test { trigger push }",
    );
    let (_, json) = folder.json(&["describe", "team.gate"]);
    let names: Vec<_> = json["stages"].as_array().unwrap().iter().map(|stage| &stage["name"]).collect();
    assert_eq!(names, ["Test", "Live"]);
}
