//! The Space Game policy as a function, written by hand for it and for nothing else.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Offset, TimeZone, Timelike};

use super::mixed::Promotion;

/// A request as the function wants it: everything looked up, times in the zone of the policy.
#[derive(Clone, Debug)]
pub struct ByHand {
    stage: Stage,
    trigger: Trigger,
    now: i64,
    /// Minutes since Monday 00:00 in Los Angeles.
    minute_of_week: u32,
    branch: String,
    hotfix: bool,
    unit: Option<bool>,
    /// All checks that have reported passed, and there is one.
    green: bool,
    coverage: f64,
    changed: bool,
    dev: Option<Run>,
    test: Option<Run>,
    author: Person,
    /// Each person's last approval.
    approvals: Vec<(Person, i64)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    Dev,
    Test,
    Staging,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Trigger {
    Push,
    Manual(Person),
    Schedule,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Person {
    Amita,
    Tim,
    Andy,
    Mara,
    Lee,
    Other,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    succeeded: bool,
    at: i64,
}

fn person(name: &str) -> Person {
    match name {
        "amita" => Person::Amita,
        "tim" => Person::Tim,
        "andy" => Person::Andy,
        "mara" => Person::Mara,
        "lee@tailspin.example" => Person::Lee,
        _ => Person::Other,
    }
}

fn is_ops(person: Person) -> bool {
    matches!(person, Person::Tim | Person::Andy | Person::Mara | Person::Lee)
}

const LOS_ANGELES: chrono_tz::Tz = chrono_tz::America::Los_Angeles;

/// From a struct that a tool would have read with serde.
pub fn from_request(request: &Read<'_>) -> Option<ByHand> {
    let now = request.now.timestamp();
    let offset = LOS_ANGELES.offset_from_utc_datetime(&request.now.naive_utc()).fix();
    let local = request.now.with_timezone(&offset);
    let run = |stage: &str| {
        let runs = request.history.iter().filter(|r| r.stage == stage && r.at <= request.now);
        runs.max_by_key(|r| r.at).map(|r| Run { succeeded: r.status == "succeeded", at: r.at.timestamp() })
    };
    let mut approvals: Vec<(Person, i64)> = Vec::new();
    for approval in request.approvals.iter().filter(|a| a.at <= request.now && a.decision == "approve") {
        let (by, at) = (person(approval.by), approval.at.timestamp());
        match approvals.iter_mut().find(|(p, _)| *p == by && by != Person::Other) {
            Some(known) => known.1 = known.1.max(at),
            None => approvals.push((by, at)),
        }
    }
    let checks = &request.facts.checks;
    Some(ByHand {
        stage: match request.stage {
            "Dev" => Stage::Dev,
            "Test" => Stage::Test,
            "Staging" => Stage::Staging,
            _ => return None,
        },
        trigger: match request.trigger.kind {
            "push" => Trigger::Push,
            "schedule" => Trigger::Schedule,
            _ => Trigger::Manual(person(request.trigger.by.unwrap_or_default())),
        },
        now,
        minute_of_week: local.weekday().num_days_from_monday() * 1_440 + local.hour() * 60 + local.minute(),
        branch: request.build.branch.to_string(),
        hotfix: request.build.labels.contains(&"hotfix"),
        unit: checks.get("unit").map(|status| *status == "passed"),
        green: !checks.is_empty() && checks.values().all(|status| *status == "passed"),
        coverage: request.facts.coverage,
        changed: request.current.id != request.build.id,
        dev: run("Dev"),
        test: run("Test"),
        author: person(request.build.author),
        approvals,
    })
}

/// May it enter?
pub fn allows(r: &ByHand) -> bool {
    match r.stage {
        Stage::Dev => {
            r.trigger == Trigger::Push
                && (r.branch == "release" || r.branch.starts_with("release/"))
                && r.unit == Some(true)
        }
        Stage::Test => {
            let triggered = match r.trigger {
                Trigger::Push => false,
                Trigger::Manual(by) => is_ops(by),
                Trigger::Schedule => (180..240).contains(&(r.minute_of_week % 1_440)) && r.changed,
            };
            triggered && r.dev.is_some_and(|run| run.succeeded) && r.green && (r.coverage >= 80.0 || r.hotfix)
        }
        Stage::Staging => {
            let Some(test) = r.test.filter(|run| run.succeeded) else { return false };
            let weekend = r.minute_of_week >= 4 * 1_440 + 18 * 60 || r.minute_of_week < 6 * 60;
            if !matches!(r.trigger, Trigger::Manual(_)) || r.now < test.at + 7_200 || weekend {
                return false;
            }
            let (mut qa, mut ops) = (0, 0);
            for (by, at) in &r.approvals {
                if *by != r.author || *by == Person::Other {
                    qa += u32::from(*by == Person::Amita && *at > test.at);
                    ops += u32::from(is_ops(*by) && r.now < *at + 86_400);
                }
            }
            qa >= 1 && ops >= 2
        }
    }
}

/// The request in JSON as serde reads it into structs that borrow.
#[derive(Debug, serde::Deserialize)]
pub struct Read<'a> {
    pub stage: &'a str,
    pub now: DateTime<chrono::Utc>,
    #[serde(borrow)]
    pub trigger: ReadTrigger<'a>,
    pub build: ReadBuild<'a>,
    pub current: ReadCurrent<'a>,
    pub history: Vec<ReadRun<'a>>,
    pub approvals: Vec<ReadApproval<'a>>,
    pub facts: ReadFacts<'a>,
}

#[derive(Debug, serde::Deserialize)]
pub struct ReadTrigger<'a> {
    pub kind: &'a str,
    pub by: Option<&'a str>,
}

#[derive(Debug, serde::Deserialize)]
pub struct ReadBuild<'a> {
    pub id: &'a str,
    pub branch: &'a str,
    pub author: &'a str,
    #[serde(borrow)]
    pub labels: Vec<&'a str>,
}

#[derive(Debug, serde::Deserialize)]
pub struct ReadCurrent<'a> {
    pub id: &'a str,
}

#[derive(Debug, serde::Deserialize)]
pub struct ReadRun<'a> {
    pub stage: &'a str,
    pub status: &'a str,
    pub at: DateTime<chrono::Utc>,
}

#[derive(Debug, serde::Deserialize)]
pub struct ReadApproval<'a> {
    pub by: &'a str,
    pub decision: &'a str,
    pub at: DateTime<chrono::Utc>,
}

#[derive(Debug, serde::Deserialize)]
pub struct ReadFacts<'a> {
    pub coverage: f64,
    #[serde(borrow)]
    pub checks: BTreeMap<&'a str, &'a str>,
}

/// The whole way by hand.
#[allow(dead_code)]
pub fn from_json(json: &[u8]) -> Option<bool> {
    let read: Read<'_> = serde_json::from_slice(json).ok()?;
    Some(allows(&from_request(&read)?))
}

/// The whole way by hand for one promotion.
#[allow(dead_code)]
pub fn of(promotion: &Promotion) -> ByHand {
    let json = promotion.json();
    from_request(&serde_json::from_str(&json).unwrap()).unwrap()
}
