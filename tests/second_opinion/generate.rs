//! Random policies and requests. Each part is written from a short tape of bytes of its own: a byte of 0 makes the
//! plainest choice, a tape that is gone leaves the part out, so what proptest shrinks stays readable.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::collection::vec;
use proptest::prelude::*;
use stagegate::facts::{
    Action, Approval, Build, Current, Deploying, Invocation, Occupant, Request, Run, RunStatus, TriggerFact, Value,
    Word,
};

use crate::model::Texts;

#[derive(Clone, Debug)]
pub struct Tapes {
    policy: Vec<u8>,
    rules: Vec<Vec<u8>>,
    request: Vec<u8>,
    facts: Vec<u8>,
    runs: Vec<Vec<u8>>,
    approvals: Vec<Vec<u8>>,
    overrides: Vec<Vec<u8>>,
}

pub fn tapes() -> impl Strategy<Value = Tapes> {
    let byte = any::<u8>;
    let tape = move |n: usize| vec(byte(), n);
    (tape(40), vec(tape(40), 1..8), tape(60), tape(60), vec(tape(10), 0..7), vec(tape(10), 0..7), vec(tape(10), 0..6))
        .prop_map(|(policy, rules, request, facts, runs, approvals, overrides)| Tapes {
            policy,
            rules,
            request,
            facts,
            runs,
            approvals,
            overrides,
        })
}

struct Tape<'a> {
    bytes: &'a [u8],
}

impl Tape<'_> {
    fn up_to(&mut self, n: usize) -> usize {
        match self.bytes.split_first() {
            Some((first, rest)) => {
                self.bytes = rest;
                *first as usize % n
            }
            None => 0,
        }
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.up_to(of.len())].clone()
    }

    /// True once in so many times, and never at the end of the tape.
    fn rarely(&mut self, n: usize) -> bool {
        self.up_to(n) == n - 1
    }
}

const STAGES: [&str; 4] = ["Dev", "Test", "Prod", "Last"];
const ZONES: [&str; 7] = [
    "UTC",
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Antarctica/Troll",
    "Asia/Kathmandu",
];
const PEOPLE: [&str; 6] = ["amita", "tim", "andy", "mara", "bea", "lee@x.example"];

/// Instants near which clocks are changed somewhere, and an ordinary one.
const NEAR: [&str; 10] = [
    "2026-03-04T18:00:00Z",
    "2026-03-08T07:00:00Z",
    "2026-11-01T06:00:00Z",
    "2026-03-29T01:00:00Z",
    "2026-10-25T01:00:00Z",
    "2026-04-04T15:00:00Z",
    "2026-10-03T15:30:00Z",
    "2011-12-30T10:00:00Z",
    "2024-02-29T12:00:00Z",
    "2026-12-31T23:00:00Z",
];

const DECLARATIONS: [(&str, &str); 21] = [
    ("coverage", "fact coverage : number"),
    ("ready", "fact ready : bool"),
    ("risk", "fact risk : { low, medium, high }"),
    ("checks", "fact checks : map of status"),
    ("health", "fact health : status"),
    ("owner", "fact owner : user"),
    ("reviewers", "fact reviewers : set of user"),
    ("tags", "fact tags : set of string"),
    ("due", "fact due : time optional"),
    ("budget", "fact budget : duration"),
    ("minimum", "fact minimum : version"),
    ("scores", "fact scores : map of number"),
    ("secret-key", "fact secret-key : string secret"),
    ("qa", "group qa = [amita, bea]"),
    ("ops", "group ops = [tim, andy, mara]"),
    ("wide", "group wide = [amita, bea, tim, andy, mara, \"lee@x.example\"]"),
    ("leads", "group leads from directory"),
    ("night", "group night from directory"),
    ("first-def", ""),
    ("second-def", ""),
    ("cal", ""),
];

// ---------------------------------------------------------------- conditions

struct Names<'a> {
    /// Stages that may be named.
    stages: &'a [&'a str],
    /// Definitions that may be named.
    defines: &'a [&'a str],
    near: DateTime<Utc>,
}

fn condition(tape: &mut Tape<'_>, names: &Names<'_>, depth: u32) -> String {
    if depth > 0 {
        match tape.up_to(8) {
            5 => return format!("{} and {}", condition(tape, names, 0), condition(tape, names, depth - 1)),
            6 => return format!("({} or {})", condition(tape, names, depth - 1), condition(tape, names, 0)),
            7 => return format!("not ({})", condition(tape, names, depth - 1)),
            _ => {}
        }
    }
    let order = [">=", "<", ">", "<=", "==", "!="];
    let equal = ["==", "!="];
    let stage = tape.one(names.stages);
    let status = ["passed", "failed", "pending", "skipped"];
    match tape.up_to(30) {
        0 => "ready".to_string(),
        1 => format!("coverage {} {}", tape.one(&order), tape.one(&["80", "79.5", "50"])),
        2 => format!("risk {} {}", tape.one(&["<=", "==", ">", "!="]), tape.one(&["medium", "low", "high"])),
        3 => "risk in [low, medium]".to_string(),
        4 => format!("checks.unit {} {}", tape.one(&equal), tape.one(&status)),
        5 => format!("checks.\"ci/build\" {} [passed, skipped]", tape.one(&["in", "not in"])),
        6 | 7 => format!(
            "{} checks {} {}",
            tape.one(&["every", "any", "no"]),
            tape.one(&["==", "!="]),
            tape.one(&["passed", "failed", "pending"])
        ),
        8 => format!("health {} {}", tape.one(&equal), tape.one(&["passed", "pending", "checks.unit"])),
        9 => format!(
            "{} {} {}",
            tape.one(&["build.author", "owner", "requester"]),
            tape.one(&["!=", "=="]),
            tape.one(&["requester", "tim", "\"lee@x.example\"", "owner", "mara"])
        ),
        10 => format!(
            "{} {} {}",
            tape.one(&["requester", "owner", "build.author"]),
            tape.one(&["in", "not in"]),
            tape.one(&["ops", "leads", "[tim, mara]", "reviewers", "build.contributors", "night"])
        ),
        11 => format!("reviewers contains {}", tape.one(&["tim", "build.author", "requester"])),
        12 => format!(
            "{} reviewers {}",
            tape.one(&["any", "every", "no"]),
            tape.one(&["in ops", "== mara", "!= build.author", "in leads", "not in [amita, tim]"])
        ),
        13 => format!(
            "{} {} {}",
            tape.one(&["any", "no", "every"]),
            tape.one(&["build.labels", "tags"]),
            tape.one(&["== \"hot\"", "matches \"h*\"", "starts with \"re\"", "matches /(hot|red)(er)?/", "!= \"hot\""])
        ),
        14 => format!("{} contains {}", tape.one(&["build.labels", "tags"]), tape.one(&["\"hot\"", "\"red\""])),
        15 => "build.branch in tags".to_string(),
        16 => format!(
            "build.branch {}",
            tape.one(&[
                "== \"main\"",
                "matches \"release/*\"",
                "matches \"{main,release/**}\"",
                "matches /release.[0-9]+/",
                "starts with \"re\"",
                "ends with \"/1\"",
                "contains \"a\"",
                "!= build.commit",
                "matches \"m?i[a-z]\"",
            ])
        ),
        17 => format!("due {}", tape.one(&["> build.created", "is missing", "is set", "<= now", "!= now"])),
        18 => {
            let at = names.near + TimeDelta::hours(tape.one(&[0, 5, -30, 50, 24]));
            let text = match tape.up_to(3) {
                0 => at.format("%Y-%m-%d").to_string(),
                1 => at.format("%Y-%m-%d %H:%M Z").to_string(),
                _ => at.format("%Y-%m-%d %H:%M:%S +05:45").to_string(),
            };
            format!("now {} {text}", tape.one(&[">=", "<", ">", "<="]))
        }
        19 => format!(
            "{} {} {}",
            tape.one(&["build.age", "current.age"]),
            tape.one(&order[..4]),
            tape.one(&["2h", "1d", "budget", "1h30m"])
        ),
        20 | 21 => format!("{stage}.age {} {}", tape.one(&order[..4]), tape.one(&["2h", "1d", "budget", "build.age"])),
        22 => format!("{stage}.status {} {}", tape.one(&equal), tape.one(&["passed", "failed", "pending", "health"])),
        23 => format!("{stage}.{} is {}", tape.one(&["status", "at", "age"]), tape.one(&["set", "missing"])),
        24 => {
            format!("{stage}.at {} {}", tape.one(&[">", "<=", "=="]), tape.one(&["build.created", "current.at", "now"]))
        }
        25 => format!("build.version {} {}", tape.one(&order), tape.one(&["\"1.2.0\"", "current.version", "minimum"])),
        26 => format!("trigger {} {}", tape.one(&equal), tape.one(&["manual", "schedule", "push"])),
        27 => format!("action {}", tape.one(&["!= rollback", "== promote", "in [redeploy, rollback]"])),
        28 => match tape.up_to(4) {
            0 => format!("current.id {} build.id", tape.one(&["!=", "=="])),
            1 => format!("current.{} is {}", tape.one(&["id", "at", "digest"]), tape.one(&["missing", "set"])),
            2 => "secret-key == \"hush\"".to_string(),
            _ => format!("{} scores {} 50", tape.one(&["every", "any", "no"]), tape.one(&[">=", "<"])),
        },
        _ => match names.defines {
            [] => "scores.a > scores.b".to_string(),
            some => tape.one(some).to_string(),
        },
    }
}

// ---------------------------------------------------------------- times

fn times(tape: &mut Tape<'_>, near: DateTime<Utc>, calendar: bool) -> String {
    let mut text = item(tape, near, calendar);
    if tape.rarely(3) {
        text = format!("{text}, {}", item(tape, near, calendar));
    }
    if tape.rarely(4) {
        text = format!("{text} except {}", item(tape, near, calendar));
    }
    if tape.rarely(4) {
        text = format!("{text} in \"{}\"", tape.one(&ZONES));
    }
    text
}

const CLOCKS: [&str; 12] =
    ["09:00", "17:00", "00:00", "02:00", "02:30", "03:00", "01:30", "22:00", "01:00", "18:00", "01:45", "12:15"];
const DAYS: [&str; 7] = ["mon", "fri", "sun", "sat", "tue", "thu", "wed"];

fn hours(tape: &mut Tape<'_>) -> String {
    let start = tape.up_to(CLOCKS.len());
    let end = (start + 1 + tape.up_to(CLOCKS.len() - 1)) % CLOCKS.len();
    let end = if tape.rarely(6) { "24:00" } else { CLOCKS[end] };
    let start = if end == "24:00" && CLOCKS[start] == "00:00" { "06:00" } else { CLOCKS[start] };
    format!("{start}..{end}")
}

fn cron(tape: &mut Tape<'_>) -> &'static str {
    tape.one(&[
        "0 3 * * *",
        "30 2 * * *",
        "0 * * * *",
        "30 1 * * *",
        "*/30 * * * *",
        "15 2 * * sun",
        "0 9 * * 1-5",
        "0 0 1,15 * mon",
        "0 12 29-31 * *",
        "45 1-3 * * *",
        "@daily",
        "@weekly",
        "0 0 */2 * 3",
        "30 */6 * * FRI-sun",
        "10-50/20 2 * mar,oct,DEC *",
        "0 1,2 * * *",
    ])
}

fn item(tape: &mut Tape<'_>, near: DateTime<Utc>, calendar: bool) -> String {
    let day = |days: i64| near + TimeDelta::days(days);
    match tape.up_to(if calendar { 9 } else { 8 }) {
        0 => format!("daily {}", hours(tape)),
        1 => {
            let days = match tape.up_to(3) {
                0 => "mon..fri".to_string(),
                1 => tape.one(&DAYS).to_string(),
                _ => format!("{}..{}", tape.one(&DAYS), tape.one(&DAYS)),
            };
            format!("{days} {}", hours(tape))
        }
        2 => {
            let from = tape.one(&DAYS);
            let (start, end) = (tape.one(&CLOCKS), tape.one(&CLOCKS));
            let to = tape.one(&DAYS);
            let to = if start == end && from == to {
                DAYS[(DAYS.iter().position(|d| *d == to).unwrap() + 1) % 7]
            } else {
                to
            };
            format!("{from} {start} .. {to} {end}")
        }
        3 => {
            let first = day(tape.one(&[0, -1, 1, 3, -4]));
            let first = first.format("%Y-%m-%d");
            match tape.up_to(3) {
                0 => first.to_string(),
                more => {
                    let last = day(3 + more as i64);
                    format!("{first} .. {}", last.format("%Y-%m-%d"))
                }
            }
        }
        4 => {
            let start = near + TimeDelta::minutes(tape.one(&[0, -60, 30, 1440, -2000]));
            let end = start + TimeDelta::hours(tape.one(&[5, 30, 72]));
            let zone = tape.one(&["", " Z", " Europe/Berlin"]);
            format!("{}{zone} .. {}{zone}", start.format("%Y-%m-%d %H:%M"), end.format("%Y-%m-%d %H:%M"))
        }
        5 => {
            let first = day(tape.one(&[0, -1, 2])).format("%b %-d").to_string().to_lowercase();
            let last = day(tape.one(&[2, 5, 200])).format("%b %-d").to_string().to_lowercase();
            if tape.rarely(3) { format!("yearly {first}") } else { format!("yearly {first} .. {last}") }
        }
        6 | 7 => format!("cron \"{}\" for {}", cron(tape), tape.one(&["30m", "1h", "8h", "1d2h", "3d"])),
        _ => "cal".to_string(),
    }
}

// ---------------------------------------------------------------- rules

#[derive(Clone)]
struct Written {
    /// `None` is every stage.
    stage: Option<usize>,
    included: bool,
    name: String,
    approves: bool,
    skippable: bool,
}

fn people(tape: &mut Tape<'_>) -> String {
    tape.one(&[
        "wide",
        "ops",
        "qa",
        "leads",
        "ops or qa",
        "[tim, mara, \"lee@x.example\"]",
        "qa or [tim]",
        "leads or ops",
        "night or leads",
        "[amita, andy, bea]",
    ])
    .to_string()
}

fn except(tape: &mut Tape<'_>, approves: &[String]) -> String {
    match tape.up_to(if approves.is_empty() { 4 } else { 7 }) {
        0 => "requester".into(),
        1 => tape.one(&["ops", "qa", "night"]).into(),
        2 => tape.one(&["tim", "\"lee@x.example\"", "[bea, andy]"]).into(),
        3 => "requester, mara".into(),
        _ => format!("approvers of {}", tape.one(approves)),
    }
}

const VALID: [&str; 4] = ["24h", "2h", "30m", "3d"];

struct Writer {
    stages: usize,
    /// Texts of the blocks: the file that is included and the root; each stage, then `stage *`.
    blocks: [Vec<String>; 2],
    written: Vec<Written>,
    headers: [Vec<String>; 2],
    include: bool,
}

impl Writer {
    fn rule(&mut self, number: usize, tape: &mut Tape<'_>, near: DateTime<Utc>, defines: &[&str]) {
        let stage = match tape.up_to(8) {
            7 => None,
            n => Some(n % self.stages),
        };
        let included = self.include && tape.rarely(3);
        let names = Names { stages: &STAGES[..self.stages], defines, near };
        let name = format!("r{number}");
        let sees = |w: &&Written| (w.stage.is_none() || w.stage == stage) && (w.included || !included);
        let approves: Vec<String> =
            self.written.iter().filter(sees).filter(|w| w.approves).map(|w| w.name.clone()).collect();
        let skippable: Vec<String> =
            self.written.iter().filter(sees).filter(|w| w.skippable).map(|w| w.name.clone()).collect();
        let mut sealed = tape.rarely(8);
        let mut written = Written { stage, included, name: name.clone(), approves: false, skippable: true };
        let mut guarded = true;
        let mut text = match tape.up_to(23) {
            0 | 1 => format!("require {name}: {}", condition(tape, &names, 2)),
            2 => format!("forbid {name}: {}", condition(tape, &names, 1)),
            3 => {
                written.skippable = false;
                format!("advise {name}: {}", condition(tape, &names, 1))
            }
            4..=6 => format!("window {name}: {}", times(tape, near, true)),
            7 | 8 => format!("freeze {name}: {}", times(tape, near, true)),
            9..=12 => {
                written.approves = true;
                let mut text =
                    format!("approve {name}: {} of {}", tape.one(&["1", "2", "1", "1", "all"]), people(tape));
                if tape.rarely(5) {
                    text += tape.one(&[" including author", " including contributors"]);
                }
                if tape.rarely(3) {
                    let _ = write!(text, " except {}", except(tape, &approves));
                }
                if tape.rarely(5) {
                    let _ = write!(text, " since {}", tape.one(names.stages));
                }
                if tape.rarely(3) {
                    let _ = write!(text, " valid {}", tape.one(&VALID));
                }
                text
            }
            13..=15 => {
                guarded = false;
                let trigger = match tape.up_to(10) {
                    0 => "manual".to_string(),
                    1 => format!("manual by {}", people(tape)),
                    2 => "push".to_string(),
                    3 => format!("push to \"{}\"", tape.one(&["main", "release/*"])),
                    4 => format!("pull-request to \"{}\"", tape.one(&["main", "{main,dev}"])),
                    5 => format!("completion of {}", tape.one(names.stages)),
                    6 => format!("event \"{}\"", tape.one(&["go", "stop"])),
                    _ => {
                        let mut text = format!("schedule \"{}\"", cron(tape));
                        if tape.rarely(3) {
                            let _ = write!(text, " in \"{}\"", tape.one(&ZONES));
                        }
                        if tape.rarely(2) {
                            let _ = write!(text, " within {}", tape.one(&["10m", "6h", "1d"]));
                        }
                        if tape.rarely(3) {
                            text += " if changed";
                        }
                        text
                    }
                };
                if tape.rarely(2) {
                    written.skippable = false;
                    sealed = false;
                    format!("trigger {trigger}")
                } else {
                    format!("trigger {name}: {trigger}")
                }
            }
            16 => {
                let text = tape.one(&["exclusive", "forward only"]);
                written.name = text.replace(' ', "-");
                text.to_string()
            }
            17 => {
                written.name = "distinct-approvers".into();
                "distinct approvers".into()
            }
            _ => {
                written.skippable = false;
                sealed = false;
                if skippable.is_empty() {
                    format!("require {name}: {}", condition(tape, &names, 1))
                } else {
                    let mut text = format!("override {name}: {} of {}", tape.one(&["1", "1", "2"]), people(tape));
                    if tape.rarely(4) {
                        let _ = write!(text, " except {}", except(tape, &[]));
                    }
                    text += " may skip ";
                    if tape.rarely(4) {
                        text += "all but ";
                    }
                    let (a, b) = (tape.one(&skippable), tape.one(&skippable));
                    text += &a;
                    if b != a {
                        let _ = write!(text, ", {b}");
                    }
                    if tape.rarely(3) {
                        let _ = write!(text, " valid {}", tape.one(&VALID));
                    }
                    if tape.rarely(3) {
                        text += " reason required";
                    }
                    text
                }
            }
        };
        // These are said once in a stage.
        if written.name != name && self.written.iter().any(|other| other.name == written.name) {
            text = format!("require {name}: {}", condition(tape, &names, 1));
            written.name.clone_from(&name);
        }
        if sealed {
            text = format!("sealed {text}");
            written.skippable = false;
        }
        if guarded && tape.rarely(4) {
            let _ = write!(text, " {} {}", tape.one(&["when", "unless"]), condition(tape, &names, 1));
        }
        let block = stage.unwrap_or(self.stages);
        let _ = writeln!(self.blocks[usize::from(!included)][block], "  {text}");
        self.written.push(written);
    }
}

fn header(tape: &mut Tape<'_>, stage: usize) -> String {
    let mut text = format!("stage {}", STAGES[stage]);
    if stage > 0 && tape.rarely(2) {
        let outcome = |tape: &mut Tape<'_>| tape.one(&["", "", "", " completed", " succeeded or skipped", " failed"]);
        let first = STAGES[tape.up_to(stage)];
        let _ = write!(text, " after {}{first}{}", if tape.rarely(3) { "any of " } else { "" }, outcome(tape));
        let second = STAGES[tape.up_to(stage)];
        if second != first {
            let _ = write!(text, ", {second}{}", outcome(tape));
        }
        if tape.rarely(2) {
            let _ = write!(text, " for {}", tape.one(&["2h", "30m", "1d"]));
        }
    }
    text
}

pub struct Case {
    pub texts: Texts,
    pub request: Request,
}

pub fn case(tapes: &Tapes) -> Case {
    let mut tape = Tape { bytes: &tapes.policy };
    let near: DateTime<Utc> = tape.one(&NEAR).parse().unwrap();
    let stages = 1 + tape.up_to(4);
    let include = tape.rarely(4);
    let mut writer = Writer {
        stages,
        blocks: [vec![String::new(); stages + 1], vec![String::new(); stages + 1]],
        written: Vec::new(),
        headers: [Vec::new(), Vec::new()],
        include,
    };
    let zones = [tape.one(&ZONES), tape.one(&ZONES)];
    for (stage, name) in STAGES.iter().enumerate().take(stages) {
        let text = header(&mut tape, stage);
        writer.headers[1].push(text);
        let text = if include && tape.rarely(3) { header(&mut tape, stage) } else { format!("stage {name}") };
        writer.headers[0].push(text);
    }
    let names = Names { stages: &STAGES[..stages], defines: &[], near };
    let first = condition(&mut tape, &names, 1);
    let second = condition(&mut tape, &Names { defines: &["first-def"], ..names }, 2);
    let calendar = times(&mut tape, near, false);
    for (number, bytes) in tapes.rules.iter().enumerate() {
        writer.rule(number, &mut Tape { bytes }, near, &["first-def", "second-def"]);
    }
    let texts = print(&writer, zones, [&first, &second, &calendar]);
    let request = request(tapes, &writer, near);
    Case { texts, request }
}

fn print(writer: &Writer, zones: [&str; 2], [first, second, calendar]: [&String; 3]) -> Texts {
    let mut bodies = [String::new(), String::new()];
    for (file, body) in bodies.iter_mut().enumerate() {
        for stage in 0..writer.stages {
            let (head, rules) = (&writer.headers[file][stage], &writer.blocks[file][stage]);
            if file == 1 || !rules.is_empty() || head.contains("after") {
                let _ = writeln!(body, "{head} {{\n{rules}}}");
            }
        }
        let all = &writer.blocks[file][writer.stages];
        if !all.is_empty() {
            let _ = writeln!(body, "stage * {{\n{all}}}");
        }
    }
    // Only what is used is declared; what a definition uses comes before it.
    let mut used = format!("{}{}", bodies[0], bodies[1]);
    let mut declared = String::new();
    for (name, text) in DECLARATIONS.iter().rev() {
        let text = match *name {
            "first-def" => format!("define first-def = {first}"),
            "second-def" => format!("define second-def = {second}"),
            "cal" => format!("calendar cal = {calendar}"),
            _ => (*text).to_string(),
        };
        if names(&used, name) {
            used += &text;
            used.push('\n');
            let _ = writeln!(declared, "{text}");
        }
    }
    let zone = |zone: &str| if zone == "UTC" { String::new() } else { format!("timezone \"{zone}\"\n") };
    if writer.include {
        let root = format!("policy p\n{}include \"base.gate\"\n{}", zone(zones[0]), bodies[1]);
        let base = format!("{}{declared}{}", zone(zones[1]), bodies[0]);
        let base = if base.is_empty() { "fact ready : bool\n".to_string() } else { base };
        vec![("p.gate".into(), root), ("base.gate".into(), base)]
    } else {
        vec![("p.gate".into(), format!("policy p\n{}{declared}{}", zone(zones[0]), bodies[1]))]
    }
}

/// Whether a text holds a word.
fn names(text: &str, word: &str) -> bool {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).any(|part| part == word)
}

// ---------------------------------------------------------------- requests

fn around(tape: &mut Tape<'_>, from: DateTime<Utc>) -> DateTime<Utc> {
    let minutes = tape.one(&[-60, -30, -120, -1440, -600, -2880, -90, 0, 30, 120, -4000, 1440]);
    let nanos = tape.one(&[0, 0, 0, 0, 0, 1, -1, 1_000_000_000]);
    from + TimeDelta::minutes(minutes) + TimeDelta::nanoseconds(nanos)
}

fn known<T>(tape: &mut Tape<'_>, value: T) -> Option<T> {
    if tape.rarely(7) { None } else { Some(value) }
}

fn request(tapes: &Tapes, writer: &Writer, near: DateTime<Utc>) -> Request {
    let mut tape = Tape { bytes: &tapes.request };
    let now = near + TimeDelta::minutes(tape.one(&[0, 0, -30, 30, -1440, 60, -4320, 600, 90, -60, 3000]));
    let now = now + TimeDelta::nanoseconds(tape.one(&[0, 0, 0, 0, 1, -1]));
    // Mostly the stage that was written last: it may be overridden most.
    let last = writer.written.iter().rev().find_map(|written| written.stage).unwrap_or(0);
    let stage = STAGES[if tape.rarely(3) { tape.up_to(writer.stages) } else { last }];
    let mut request = Request::to(stage).at(now);
    let mut build = Build::new("7");
    let version = |tape: &mut Tape<'_>| tape.one(&["1.2.0", "1.2.0-rc.1", "1.10.0", "1.2.0+b1"]).to_string();
    let one = |tape: &mut Tape<'_>| tape.one(&PEOPLE).to_string();
    build.author = known(&mut tape, "mara".to_string()).map(|name| if tape.rarely(3) { one(&mut tape) } else { name });
    build.contributors = if tape.rarely(3) { Some(vec![one(&mut tape), one(&mut tape)]) } else { None };
    build.branch = {
        let branch = tape.one(&["main", "release/1", "dev", "release/1/2"]).to_string();
        known(&mut tape, branch)
    };
    build.digest = if tape.rarely(2) { Some("sha256:a".into()) } else { None };
    build.commit = if tape.rarely(3) { Some("main".into()) } else { None };
    let (v, created) = (version(&mut tape), around(&mut tape, now));
    build.version = known(&mut tape, v);
    build.created = known(&mut tape, created);
    let labels: Vec<String> = (0..tape.up_to(3)).map(|_| tape.one(&["hot", "red", "heater"]).to_string()).collect();
    build.labels = known(&mut tape, labels);
    request.build = build;
    request.requester = if tape.rarely(4) { Some(one(&mut tape)) } else { None };
    request.action = tape.one(&[None, None, Some(Action::Promote), Some(Action::Redeploy), Some(Action::Rollback)]);
    let branch = tape.one(&[None, Some("main".to_string()), Some("release/1".to_string())]);
    request.trigger = match tape.up_to(14) {
        0..=2 | 10.. => Some(TriggerFact::Manual { by: Some(tape.one(&["tim", "amita", "mara"]).into()) }),
        3 => Some(TriggerFact::Push { branch }),
        4 => Some(TriggerFact::PullRequest { branch }),
        5 => Some(TriggerFact::Completion { of: tape.one(&[Some("Dev"), Some("Test"), None]).map(String::from) }),
        6 => Some(TriggerFact::Event { name: tape.one(&[Some("go"), Some("stop"), None]).map(String::from) }),
        7 => Some(TriggerFact::Schedule { at: None }),
        8 => Some(TriggerFact::Manual { by: None }),
        _ => None,
    };
    request.current = match tape.up_to(4) {
        0 => Current::Nothing,
        1 => Current::Unknown,
        _ => {
            let (v, a, b) = (version(&mut tape), around(&mut tape, now), around(&mut tape, now));
            let id = tape.one(&["6", "7"]).to_string();
            Current::Build(Box::new(Occupant {
                id: known(&mut tape, id),
                digest: tape.one(&[None, Some("sha256:a"), Some("sha256:b")]).map(String::from),
                version: known(&mut tape, v),
                created: known(&mut tape, a),
                at: known(&mut tape, b),
            }))
        }
    };
    request.deploying = tape.one(&[
        Deploying::Nothing,
        Deploying::Nothing,
        Deploying::Unknown,
        Deploying::Build("7".into()),
        Deploying::Build("6".into()),
    ]);
    if !tape.rarely(3) {
        let members = tape.one(&[vec!["tim", "bea"], vec!["amita", "lee@x.example"], vec![], vec!["zoe", "mara"]]);
        request.groups.insert("leads".into(), members.into_iter().map(String::from).collect());
    }
    if !tape.rarely(3) {
        let members = tape.one(&[vec!["andy"], vec![], vec!["tim", "mara"]]);
        request.groups.insert("night".into(), members.into_iter().map(String::from).collect());
    }
    facts(&mut Tape { bytes: &tapes.facts }, now, &mut request);
    let digest =
        |tape: &mut Tape<'_>| tape.one(&[None, None, None, Some("sha256:a"), Some("sha256:b")]).map(String::from);
    let other = |tape: &mut Tape<'_>| tape.one(&[None, None, None, Some("7"), Some("6")]).map(String::from);
    for bytes in &tapes.runs {
        let tape = &mut Tape { bytes };
        let status = tape.one(&[
            RunStatus::Succeeded,
            RunStatus::Succeeded,
            RunStatus::Succeeded,
            RunStatus::Failed,
            RunStatus::Pending,
            RunStatus::Skipped,
            RunStatus::Cancelled,
        ]);
        let stage = tape.up_to(writer.stages);
        let mut run = Run::new(STAGES[stage], status, around(tape, now));
        run.digest = digest(tape);
        run.build = other(tape);
        request.history.push(run);
    }
    for bytes in &tapes.approvals {
        let tape = &mut Tape { bytes };
        let word = tape.one(&[
            Word::Approve,
            Word::Approve,
            Word::Approve,
            Word::Approve,
            Word::Approve,
            Word::Reject,
            Word::Withdraw,
        ]);
        let mut approval = Approval::new(tape.one(&PEOPLE), word, around(tape, now));
        approval.digest = digest(tape);
        approval.build = other(tape);
        approval.stage = tape.one(&[None, None, None, Some(stage), Some("Dev")]).map(String::from);
        request.approvals.push(approval);
    }
    let overrides: Vec<&str> = writer.written.iter().filter(|w| !w.approves).map(|w| w.name.as_str()).collect();
    for bytes in &tapes.overrides {
        let tape = &mut Tape { bytes };
        let real: Vec<&str> = overrides.iter().copied().filter(|name| writer.is_override(name)).collect();
        if real.is_empty() {
            continue;
        }
        let mut invocation = Invocation::new(tape.one(&real), tape.one(&PEOPLE), around(tape, now));
        invocation.reason = tape.one(&[Some("INC-1"), None, Some(" ")]).map(String::from);
        invocation.build = other(tape);
        invocation.digest = digest(tape);
        invocation.stage = tape.one(&[None, None, None, Some(stage), Some("Dev")]).map(String::from);
        request.overrides.push(invocation);
    }
    request
}

impl Writer {
    fn is_override(&self, name: &str) -> bool {
        self.blocks.iter().flatten().any(|text| text.contains(&format!("override {name}:")))
    }
}

fn facts(tape: &mut Tape<'_>, now: DateTime<Utc>, request: &mut Request) {
    let mut give = |tape: &mut Tape<'_>, name: &str, value: Value| {
        if let Some(value) = known(tape, value) {
            request.facts.insert(name.to_string(), value);
        }
    };
    let value = Value::from(tape.one(&[true, true, true, false]));
    give(tape, "ready", value);
    let value = Value::from(tape.one(&[80.0, 91.0, 79.5, 50.0]));
    give(tape, "coverage", value);
    let value = Value::from(tape.one(&["low", "medium", "high"]));
    give(tape, "risk", value);
    let statuses = ["passed", "passed", "passed", "pending", "failed", "skipped"];
    let value = match tape.up_to(5) {
        0 | 1 => Value::from([("unit", tape.one(&statuses)), ("ci/build", tape.one(&statuses))]),
        2 => Value::from([("unit", tape.one(&statuses))]),
        3 => Value::from([("lint", tape.one(&statuses))]),
        _ => Value::empty_map(),
    };
    give(tape, "checks", value);
    let value = Value::from(tape.one(&statuses));
    give(tape, "health", value);
    let value = Value::from(tape.one(&["tim", "mara", "lee@x.example"]));
    give(tape, "owner", value);
    let value = Value::List((0..tape.up_to(3)).map(|_| Value::from(tape.one(&PEOPLE))).collect());
    give(tape, "reviewers", value);
    let value = Value::List((0..tape.up_to(3)).map(|_| Value::from(tape.one(&["hot", "red", "main"]))).collect());
    give(tape, "tags", value);
    let value = if tape.rarely(4) { Value::Null } else { Value::from(around(tape, now)) };
    give(tape, "due", value);
    let value = Value::from(tape.one(&["1h", "2h", "1d", "30m"]));
    give(tape, "budget", value);
    let value = Value::from(tape.one(&["1.2.0", "1.1.0", "1.2.0-rc.1"]));
    give(tape, "minimum", value);
    let value = match tape.up_to(3) {
        0 => Value::from([("a", tape.one(&[80, 50, 20])), ("b", tape.one(&[50, 20]))]),
        1 => Value::from([("a", 50)]),
        _ => Value::empty_map(),
    };
    give(tape, "scores", value);
    let value = Value::from(tape.one(&["hush", "loud"]));
    give(tape, "secret-key", value);
}
