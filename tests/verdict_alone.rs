//! The verdict alone is the verdict of the explained decision, on every policy of this repository and on requests made by
//! chance from the words of the policy.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::path::{Path, PathBuf};

use chrono::{DateTime, Duration, Utc};
use stagegate::{
    Action, Approval, Build, Decision, Invocation, Occupant, Policy, Request, Run, RunStatus, TriggerFact, Value,
    Verdict, Word,
};

#[path = "../benches/common/chance.rs"]
mod chance;
#[path = "../benches/common/mixed.rs"]
mod mixed;
use chance::Chance;

/// What a policy talks about.
struct Vocabulary {
    stages: Vec<String>,
    /// Names and texts that stand in it, and some that do not.
    words: Vec<String>,
    /// Name and type as written.
    facts: Vec<(String, String)>,
    groups: Vec<String>,
    overrides: Vec<String>,
}

impl Vocabulary {
    fn of(policy: &Policy) -> Vocabulary {
        let mut v = Vocabulary {
            stages: policy.stages().map(String::from).collect(),
            words: ["nobody", "main", "1.2.3"].map(String::from).to_vec(),
            facts: Vec::new(),
            groups: Vec::new(),
            overrides: Vec::new(),
        };
        for source in policy.sources().iter() {
            let text: String = source.text.lines().map(|l| l.split('#').next().unwrap().to_string() + "\n").collect();
            v.words.extend(text.split('"').skip(1).step_by(2).map(|s| s.replace("**", "x").replace('*', "y")));
            for line in text.lines() {
                let mut parts = line.split_whitespace();
                match (parts.next(), parts.next()) {
                    (Some("fact"), Some(name)) if !line.contains('=') => {
                        let ty = line.split_once(':').map_or("", |(_, ty)| ty.trim());
                        v.facts.push((name.trim_end_matches(':').to_string(), ty.to_string()));
                    }
                    (Some("group"), Some(name)) => {
                        v.groups.push(name.to_string());
                        let names = line.split(|c: char| "[],=".contains(c)).skip(1).map(str::trim);
                        v.words.extend(names.filter(|n| !n.is_empty() && !n.contains('"')).map(String::from));
                    }
                    (Some("override"), Some(name)) => v.overrides.push(name.trim_end_matches(':').to_string()),
                    _ => {}
                }
            }
        }
        v
    }
}

fn time(chance: &mut Chance, now: DateTime<Utc>, future: bool) -> DateTime<Utc> {
    let back = match chance.below(3) {
        0 => Duration::seconds(chance.below(7_300) as i64),
        1 => Duration::hours(chance.below(80) as i64),
        _ => Duration::hours(2),
    };
    if future && chance.percent(15) { now + back } else { now - back }
}

fn value(chance: &mut Chance, ty: &str, words: &[String], now: DateTime<Utc>) -> Value {
    let ty = ty.replace("secret", "").replace("optional", "");
    let ty = ty.trim();
    if let Some(of) = ty.strip_prefix("set of ") {
        return Value::List((0..chance.below(4)).map(|_| value(chance, of, words, now)).collect());
    }
    if let Some(of) = ty.strip_prefix("map of ") {
        let keys = ["unit", "lint", "e2e", "ci/build", "build", "security"];
        return Value::Map(
            (0..chance.below(5)).map(|_| (chance.one_of(&keys).to_string(), value(chance, of, words, now))).collect(),
        );
    }
    match ty {
        "bool" => Value::Bool(chance.percent(60)),
        "number" => Value::Number(*chance.one_of(&[0.0, 1.0, 5.0, 50.0, 79.5, 80.0, 91.0, 100.0])),
        "time" => Value::Time(time(chance, now, true)),
        "duration" => Value::from(*chance.one_of(&["5m", "1h", "1h30m", "2d", "30d"])),
        "version" => Value::from(*chance.one_of(&["1.2.3", "2.0.0-rc.1", "0.9.0", "2026.3.1"])),
        "status" => Value::from(*chance.one_of(&["passed", "passed", "passed", "failed", "pending", "skipped"])),
        ty if ty.starts_with('{') => {
            let values: Vec<&str> = ty.trim_matches(['{', '}', ' ']).split(',').map(str::trim).collect();
            Value::from(*chance.one_of(&values))
        }
        _ => Value::from(chance.one_of(words)),
    }
}

fn request(chance: &mut Chance, v: &Vocabulary) -> Request {
    let now = DateTime::from_timestamp(1_772_438_400 + chance.below(200 * 86_400) as i64, 0).unwrap();
    let word = |chance: &mut Chance| chance.one_of(&v.words).clone();
    let mut build = Build::new("7");
    if chance.percent(85) {
        build = build.branch(if chance.percent(60) {
            chance.one_of(&["main", "release", "release/1"]).to_string()
        } else {
            word(chance)
        });
    }
    if chance.percent(90) {
        build = build.author(word(chance));
    }
    if chance.percent(30) {
        build = build.contributors((0..chance.below(3)).map(|_| chance.one_of(&v.words).clone()).collect::<Vec<_>>());
    }
    if chance.percent(60) {
        build = build.labels((0..chance.below(3)).map(|_| chance.one_of(&v.words).clone()).collect::<Vec<_>>());
    }
    if chance.percent(60) {
        build = build.created(time(chance, now, true));
    }
    if chance.percent(60) {
        build = build.version(*chance.one_of(&["1.2.3", "1.3.0", "2.0.0-rc.1"]));
    }
    if chance.percent(30) {
        build = build.digest(*chance.one_of(&["sha256:a", "sha256:b"]));
    }
    let stage = chance.one_of(&v.stages).clone();
    let mut request = Request::to(&stage).build(build).at(now);
    for stage in &v.stages {
        for _ in 0..if chance.percent(75) { 1 + chance.below(2) } else { 0 } {
            let status = *chance.one_of(&[
                RunStatus::Succeeded,
                RunStatus::Succeeded,
                RunStatus::Succeeded,
                RunStatus::Failed,
                RunStatus::Skipped,
                RunStatus::Pending,
            ]);
            request = request.run(Run::new(stage.as_str(), status, time(chance, now, true)));
        }
    }
    for _ in 0..chance.below(8) {
        let said =
            *chance.one_of(&[Word::Approve, Word::Approve, Word::Approve, Word::Approve, Word::Withdraw, Word::Reject]);
        if said != Word::Reject || chance.percent(30) {
            request = request.approval(Approval::new(word(chance), said, time(chance, now, true)));
        }
    }
    request = match chance.below(9) {
        0 => request,
        1 => request.push(word(chance)),
        2 => request.pull_request(word(chance)),
        3 => request.scheduled(),
        4 => request.completion_of(chance.one_of(&v.stages).as_str()),
        5 => request.event(word(chance)),
        6 => request.trigger(TriggerFact::Manual { by: None }),
        _ => request.manual(word(chance)),
    };
    if chance.percent(20) {
        request = request.requester(word(chance));
    }
    if chance.percent(20) {
        request = request.action(*chance.one_of(&[Action::Redeploy, Action::Rollback, Action::Promote]));
    }
    request = match chance.below(4) {
        0 => request,
        1 => request.current_nothing(),
        _ => {
            let mut occupant = Occupant::new(if chance.percent(30) { "7" } else { "6" });
            if chance.percent(70) {
                occupant = occupant.created(time(chance, now, true)).at(time(chance, now, true));
            }
            request.current(occupant)
        }
    };
    request = match chance.below(3) {
        0 => request,
        1 => request.deploying_nothing(),
        _ => request.deploying(*chance.one_of(&["7", "8"])),
    };
    for (name, ty) in &v.facts {
        if chance.percent(85) {
            request = request.fact(name.as_str(), value(chance, ty, &v.words, now));
        }
    }
    for group in &v.groups {
        if chance.percent(70) {
            request = request.group(
                group.as_str(),
                (0..chance.below(5)).map(|_| chance.one_of(&v.words).clone()).collect::<Vec<_>>(),
            );
        }
    }
    for name in &v.overrides {
        if chance.percent(12) {
            request = request.invocation(Invocation::new(name.as_str(), word(chance), time(chance, now, true)));
        }
    }
    request
}

/// The verdict that is told with the reasons.
fn explained(decision: &Decision) -> Verdict {
    let told = serde_json::to_value(decision).unwrap();
    serde_json::from_value(told["verdict"].clone()).unwrap()
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files_below(&path, found);
        } else if path.extension().is_some_and(|e| e == "gate") {
            found.push(path);
        }
    }
}

#[test]
fn it_is_the_verdict_of_the_explained_decision() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    files_below(&root.join("policies"), &mut files);
    files_below(&root.join("tests/policies"), &mut files);
    let mut chance = Chance::new(42);
    let (mut asked, mut policies, mut seen) = (0, 0, [0; 3]);
    for file in &files {
        let Ok(policy) = Policy::from_file(file) else { continue };
        if policy.stages().next().is_none() {
            continue;
        }
        policies += 1;
        let vocabulary = Vocabulary::of(&policy);
        for _ in 0..80 {
            let request = request(&mut chance, &vocabulary);
            let Ok(mut prepared) = policy.prepare(&request) else { continue };
            asked += 1;
            let decision = prepared.decide().unwrap();
            // What the reasons add up to, not what the decision was made with.
            let explained = explained(&decision);
            seen[explained as usize] += 1;
            let said =
                |what: &str| format!("{what} of {} differs on {}\n{decision}", file.display(), request.to_json());
            assert_eq!(prepared.verdict(), explained, "{}", said("the verdict"));
            assert_eq!(decision.verdict(), explained);
            let json = request.to_json();
            assert_eq!(
                policy.verdict_json(json.as_bytes()),
                Ok(decision.verdict()),
                "{}",
                said("the verdict from JSON")
            );
            // And the same again, moved on in time.
            let later = request.now.unwrap() + Duration::hours(1 + chance.below(60) as i64);
            prepared.set_now(later).unwrap();
            let again = policy.prepare(&request.clone().at(later)).unwrap();
            assert_eq!(prepared.verdict(), again.verdict(), "{}", said("the verdict an hour or more later"));
            assert_eq!(prepared.verdict(), self::explained(&again.decide().unwrap()), "{}", said("the later verdict"));
        }
    }
    assert!(policies > 15 && asked > 1_000, "{asked} requests of {policies} policies");
    assert!(seen.iter().all(|n| *n > asked / 50), "allow, hold, deny: {seen:?}");
}

#[test]
fn one_approval_more_and_another_fact_are_as_if_they_had_been_there_from_the_start() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let policy = Policy::from_file(root.join("policies/space-game.gate")).unwrap();
    let vocabulary = Vocabulary::of(&policy);
    let mut chance = Chance::new(43);
    let mut moved = 0;
    for promotion in mixed::promotions(9, 300) {
        let request = Request::from_json(promotion.json().as_bytes()).unwrap();
        let mut prepared = policy.prepare(&request).unwrap();
        let before = prepared.verdict();
        let approval = Approval::new(
            chance.one_of(&vocabulary.words).as_str(),
            *chance.one_of(&[Word::Approve, Word::Reject]),
            time(&mut chance, request.now.unwrap(), true),
        );
        let coverage = *chance.one_of(&[70.0, 80.0, 95.0]);
        let checks = value(&mut chance, "map of status", &[], request.now.unwrap());
        prepared.approval(&approval).unwrap();
        prepared.set_fact("coverage", coverage).unwrap();
        prepared.set_fact("checks", checks.clone()).unwrap();
        prepared.set_fact("undeclared", 1).unwrap();
        let whole = request.approval(approval).fact("coverage", coverage).fact("checks", checks);
        let fresh = policy.prepare(&whole).unwrap();
        assert_eq!(prepared.verdict(), fresh.verdict(), "{}", whole.to_json());
        assert_eq!(prepared.decide().unwrap().rules(), fresh.decide().unwrap().rules(), "{}", whole.to_json());
        moved += usize::from(fresh.verdict() != before);
    }
    assert!(moved > 50, "{moved}");
    let mut prepared = policy.prepare(&Request::to("Dev").build(Build::new("1")).at(Utc::now())).unwrap();
    assert!(prepared.set_fact("coverage", "high").is_err());
    assert!(prepared.approval(&Approval::new("", Word::Approve, Utc::now())).is_err());
    assert!(matches!(prepared.verdict(), Verdict::Allow | Verdict::Hold | Verdict::Deny));
}

#[test]
fn a_fact_given_twice_in_json_is_refused_however_many_there_are() {
    let facts: String = (0..300).map(|i| format!("fact f{i} : number ")).collect();
    let policy = Policy::parse("p.gate", facts + "stage Dev { require a: f299 >= 1 }").unwrap();
    let json = |last: &str| {
        let facts: Vec<String> = (0..300).map(|i| format!("\"f{i}\": 1")).collect();
        let facts = facts.join(", ");
        format!(
            r#"{{ "stage": "Dev", "now": "2026-03-04T18:00:00Z", "build": {{ "id": "7" }}, "facts": {{ {facts}{last} }} }}"#
        )
    };
    assert_eq!(policy.verdict_json(json("").as_bytes()), Ok(Verdict::Allow));
    for twice in [r#", "f0": 1"#, r#", "f200": 1"#, r#", "f299": 0"#] {
        let error = policy.verdict_json(json(twice).as_bytes()).unwrap_err();
        assert!(error.to_string().contains("given twice"), "{error}");
    }
}
