//! 1,000 mixed requests, the same in every run: each as stagegate reads it, and in plain values.

use chrono::{DateTime, Datelike, TimeDelta, TimeZone, Timelike, Utc};
use serde_json::json;
use stagegate::{Build, Request, Run, RunStatus};

/// One request in its forms.
pub struct Case {
    pub plain: String,
    pub request: String,
    /// The same without what only engines without instants ask for.
    pub bare: String,
    /// What the generator meant to happen: it spoiled something, or nothing. (What it spoiled may not matter.)
    pub spoiled: bool,
}

/// SplitMix64: the same numbers everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    fn between(&mut self, first: i64, last: i64) -> i64 {
        first + self.below((last - first + 1) as u64) as i64
    }

    fn pick<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u64) as usize].clone()
    }

    /// True in `n` of 100.
    fn percent(&mut self, n: u64) -> bool {
        self.below(100) < n
    }
}

const WEEKEND: std::ops::Range<i64> = 4 * 1440 + 18 * 60..7 * 1440 + 6 * 60;
const OPS: [&str; 4] = ["tim", "andy", "mara", "lee@tailspin.example"];
const STATUSES: [&str; 4] = ["failed", "pending", "skipped", "cancelled"];

/// The plain values that a request is made of.
struct Draft {
    stage: &'static str,
    trigger: &'static str,
    by: &'static str,
    branch: String,
    author: &'static str,
    labels: Vec<&'static str>,
    coverage: i64,
    checks: Vec<(&'static str, &'static str)>,
    dev: &'static str,
    test: &'static str,
    test_age: i64,
    now: DateTime<Utc>,
    minute: i64,
    approvals: Vec<(&'static str, i64)>,
}

fn in_the_freeze(minute: i64) -> bool {
    WEEKEND.contains(&minute) || WEEKEND.contains(&(minute + 7 * 1440))
}

/// An instant of 2026, a whole minute, inside the freeze or outside; with its minute of the local week.
fn instant(dice: &mut Dice, frozen: bool) -> (DateTime<Utc>, i64) {
    let start = Utc.with_ymd_and_hms(2026, 1, 5, 0, 0, 0).unwrap();
    loop {
        let now = start + TimeDelta::minutes(dice.between(0, 350 * 1440));
        let local = now.with_timezone(&chrono_tz::America::Los_Angeles);
        let day = i64::from(local.weekday().num_days_from_monday());
        let minute = day * 1440 + i64::from(local.hour() * 60 + local.minute());
        if in_the_freeze(minute) == frozen {
            return (now, minute);
        }
    }
}

/// A request that is allowed.
fn fine(dice: &mut Dice, stage: &'static str) -> Draft {
    let branch = match dice.below(3) {
        0 => "release".to_string(),
        1 => format!("release/2026.{}", dice.between(1, 12)),
        _ => format!("release/2026.{}/fix-{}", dice.between(1, 12), dice.between(1, 99)),
    };
    let mut checks = vec![("unit", "passed")];
    for name in ["lint", "integration", "security-scan", "licences"] {
        if dice.percent(60) {
            checks.push((name, "passed"));
        }
    }
    let hotfix = dice.percent(20);
    let mut labels = vec![];
    for label in ["ui", "network", "level-7"] {
        if dice.percent(25) {
            labels.push(label);
        }
    }
    if hotfix {
        labels.push("hotfix");
    }
    let author = dice.pick(&["mara", "zoe", "sam", "tim"]);
    let frozen = stage != "Staging" && dice.percent(30);
    let (now, minute) = instant(dice, frozen);
    // The soak is 120 minutes; exactly that is enough.
    let test_age = if dice.percent(10) { 120 } else { dice.between(121, 3 * 1440) };
    let mut approvals = vec![("amita", dice.between(0, test_age - 1))];
    let mut ops: Vec<&str> = OPS.into_iter().filter(|person| *person != author).collect();
    while ops.len() > 2 && dice.percent(50) {
        ops.remove(dice.below(ops.len() as u64) as usize);
    }
    approvals.extend(ops.into_iter().map(|person| (person, dice.between(0, 1439))));
    // What is said by those who do not count.
    for person in ["zoe", "sam", author] {
        if dice.percent(15) && approvals.iter().all(|(by, _)| *by != person) {
            approvals.push((person, dice.between(0, 2000)));
        }
    }
    for i in (1..approvals.len()).rev() {
        approvals.swap(i, dice.below(i as u64 + 1) as usize);
    }
    Draft {
        stage,
        trigger: if stage == "Dev" { "push" } else { "manual" },
        by: dice.pick(&OPS),
        branch,
        author,
        labels,
        coverage: if hotfix { dice.between(0, 100) } else { dice.between(80, 100) },
        checks,
        dev: if stage == "Dev" { "none" } else { "passed" },
        test: if stage == "Staging" { "passed" } else { "none" },
        test_age,
        now,
        minute,
        approvals,
    }
}

/// Spoils one thing that the stage asks for.
fn spoil(dice: &mut Dice, draft: &mut Draft) {
    match (draft.stage, dice.below(6)) {
        ("Dev", 0 | 1) => draft.trigger = "manual",
        ("Dev", 2 | 3) => draft.branch = dice.pick(&["main", "releases", "feature/release", "hotfix/1"]).into(),
        ("Dev", 4) => {
            let status = dice.pick(&STATUSES);
            draft.checks.iter_mut().filter(|(name, _)| *name == "unit").for_each(|check| check.1 = status);
        }
        ("Dev", _) => draft.checks.retain(|(name, _)| *name != "unit"),
        ("Test", 0) => draft.dev = dice.pick(&["none", "failed", "cancelled", "pending"]),
        ("Test", 1) => draft.by = dice.pick(&["zoe", "sam", "amita"]),
        ("Test", 2) => draft.checks.clear(),
        ("Test", 3) => {
            let index = dice.below(5) as usize;
            let status = dice.pick(&STATUSES);
            let count = draft.checks.len();
            draft.checks.iter_mut().skip(index % count.max(1)).take(1).for_each(|check| check.1 = status);
        }
        ("Test", 4) => draft.trigger = "push",
        ("Test", _) => {
            draft.labels.retain(|label| *label != "hotfix");
            draft.coverage = dice.between(0, 79);
        }
        (_, 0) => draft.test = dice.pick(&["none", "failed", "pending"]),
        (_, 1) => {
            let shorter = dice.between(1, 119);
            draft.test_age = if dice.percent(20) { 119 } else { shorter };
        }
        (_, 2) => (draft.now, draft.minute) = instant(dice, true),
        (_, 3) => {
            let early = dice.percent(50);
            let age = draft.test_age + dice.between(0, 60);
            draft.approvals.retain(|(by, _)| early || *by != "amita");
            draft.approvals.iter_mut().filter(|(by, _)| *by == "amita").for_each(|said| said.1 = age);
        }
        (_, 4) => {
            // One of operations alone, or of two one too long ago.
            let age = 1440 + dice.between(0, 600);
            let mut counting = draft.approvals.iter().filter(|(by, _)| OPS.contains(by) && *by != draft.author);
            let kept = counting.next().map(|(by, _)| *by);
            let author = draft.author;
            draft.approvals.iter_mut().for_each(|(by, said)| {
                if OPS.contains(by) && *by != author && Some(*by) != kept {
                    *said = age;
                }
            });
        }
        (_, _) => draft.trigger = "push",
    }
}

fn plain(draft: &Draft) -> String {
    json!({
        "stage": draft.stage,
        "trigger": draft.trigger,
        "by": draft.by,
        "branch": draft.branch,
        "author": draft.author,
        "labels": draft.labels,
        "coverage": draft.coverage,
        "checks": draft.checks.iter().map(|(name, status)| (name.to_string(), json!(status))).collect::<serde_json::Map<_, _>>(),
        "dev": draft.dev,
        "test": draft.test,
        "test_age": draft.test_age,
        "minute": draft.minute,
        "approvals": draft.approvals.iter().map(|(by, age)| json!({"by": by, "age": age})).collect::<Vec<_>>(),
    })
    .to_string()
}

fn request(draft: &Draft, id: usize) -> (String, String) {
    let ago = |minutes: i64| draft.now - TimeDelta::minutes(minutes);
    let build = Build::new(format!("2026.3.{id}"))
        .branch(draft.branch.clone())
        .author(draft.author)
        .labels(draft.labels.iter().copied());
    let mut request = Request::to(draft.stage).build(build).at(draft.now);
    request = match draft.trigger {
        "push" => request.push(draft.branch.clone()),
        _ => request.manual(draft.by),
    };
    let status = |name: &str| match name {
        "passed" => Some(RunStatus::Succeeded),
        "failed" => Some(RunStatus::Failed),
        "cancelled" => Some(RunStatus::Cancelled),
        "pending" => Some(RunStatus::Pending),
        _ => None,
    };
    if let Some(status) = status(draft.dev) {
        request = request.run(Run::new("Dev", status, ago(draft.test_age + 600)));
    }
    if let Some(status) = status(draft.test) {
        request = request.run(Run::new("Test", status, ago(draft.test_age)));
    }
    for (by, age) in &draft.approvals {
        request = request.approved(*by, ago(*age));
    }
    request = request.fact("coverage", draft.coverage).fact("checks", draft.checks.clone());
    let bare = request.to_json();
    // What an engine without instants asks for; stagegate's policy does not declare it.
    let request = request
        .fact("minute", draft.minute)
        .fact("tested", ago(draft.test_age))
        .fact("two-hours-ago", ago(120))
        .fact("day-ago", ago(1440));
    (request.to_json(), bare)
}

/// The requests: a fifth for Dev, three tenths for Test, half for Staging; about half of them are allowed.
pub fn requests() -> Vec<Case> {
    let mut dice = Dice(2026);
    let case = |id: usize| {
        let stage = match dice.below(10) {
            0 | 1 => "Dev",
            2..=4 => "Test",
            _ => "Staging",
        };
        let mut draft = fine(&mut dice, stage);
        let spoiled = dice.percent(50);
        if spoiled {
            spoil(&mut dice, &mut draft);
            if dice.percent(25) {
                spoil(&mut dice, &mut draft);
            }
        }
        {
            let (request, bare) = request(&draft, id);
            Case { plain: plain(&draft), request, bare, spoiled }
        }
    };
    (0..1000).map(case).collect()
}
