//! A policy by chance: 1,000 rules in 50 stages, and requests for it.

use std::fmt::Write;

use super::chance::Chance;

/// The text of a policy of so many stages with so many rules each.
pub fn policy(stages: usize, rules: usize) -> String {
    let mut chance = Chance::new(50);
    let mut text = String::from("policy generated\ntimezone \"Europe/Berlin\"\n");
    for fact in 0..40 {
        let ty = ["number", "string", "bool", "status"][fact % 4];
        writeln!(text, "fact f{fact} : {ty}").unwrap();
    }
    writeln!(text, "fact checks : map of status").unwrap();
    for group in 0..10 {
        let people: Vec<String> = (0..20).map(|p| format!("p{}", group * 15 + p)).collect();
        writeln!(text, "group g{group} = [{}]", people.join(", ")).unwrap();
    }
    for stage in 0..stages {
        match stage {
            0 => writeln!(text, "stage S0 {{").unwrap(),
            _ => writeln!(text, "stage S{stage} after S{} for 1h {{", stage - 1).unwrap(),
        }
        // `after` and `soak` are two of them.
        for rule in 0..rules.saturating_sub(if stage == 0 { 0 } else { 2 }) {
            let fact = chance.below(40);
            let number = chance.below(40);
            let group = chance.below(10);
            match (rule % 10, fact % 4) {
                (0, _) => writeln!(text, "  approve r{rule}: 1 of g{group} valid 48h"),
                (1, _) => writeln!(text, "  freeze r{rule}: sat 0{}:00 .. sun 12:00", chance.below(9)),
                (2, _) => writeln!(text, "  require r{rule}: every checks == passed"),
                (3, _) => writeln!(text, "  require r{rule}: build.branch == \"main\" or \"hotfix\" in build.labels"),
                (_, 0) => writeln!(text, "  require r{rule}: f{fact} >= {number}"),
                (_, 1) => writeln!(text, "  require r{rule}: f{fact} != \"bad{number}\" when build.branch != \"x\""),
                (_, 2) => writeln!(text, "  require r{rule}: f{fact}"),
                (_, _) => writeln!(text, "  forbid r{rule}: f{fact} == failed"),
            }
            .unwrap();
        }
        text.push_str("}\n");
    }
    text
}

/// A request for it in JSON; about half of them are allowed.
pub fn request(chance: &mut Chance, stages: usize) -> String {
    let stage = chance.below(stages as u64);
    // A Wednesday.
    let now = 1_772_612_400 + chance.below(28_800) as i64;
    let time = |at: i64| chrono::DateTime::from_timestamp(at, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    // A stage reads some of the facts: with three spoiled about half of the requests are allowed.
    let bad: Vec<u64> = (0..3).map(|_| chance.below(40)).collect();
    let mut facts = serde_json::Map::new();
    for fact in 0..40 {
        let is_bad = bad.contains(&fact);
        let value: serde_json::Value = match fact % 4 {
            0 if is_bad => 0.into(),
            0 => 50.into(),
            1 if is_bad => serde_json::Value::Null,
            1 => "good".into(),
            2 => (!is_bad).into(),
            _ if is_bad => "failed".into(),
            _ => "passed".into(),
        };
        if !value.is_null() {
            facts.insert(format!("f{fact}"), value);
        }
    }
    facts.insert("checks".into(), serde_json::json!({ "unit": "passed", "lint": "passed" }));
    let approvals: Vec<_> = (0..10)
        .map(
            |g| serde_json::json!({ "by": format!("p{}", g * 15 + 3), "decision": "approve", "at": time(now - 3_600) }),
        )
        .collect();
    let before = stage
        .checked_sub(1)
        .map(|s| serde_json::json!({ "stage": format!("S{s}"), "status": "succeeded", "at": time(now - 9_000) }));
    serde_json::json!({
        "stage": format!("S{stage}"),
        "now": time(now),
        "trigger": { "kind": "push" },
        "build": { "id": "7", "branch": "main", "author": "nobody", "labels": [] },
        "history": before.into_iter().collect::<Vec<_>>(),
        "approvals": approvals,
        "facts": facts,
    })
    .to_string()
}
