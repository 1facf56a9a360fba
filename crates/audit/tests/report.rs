//! The numbers of the report are those that the records say.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixture;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use stagegate::schedule::Zone;
use stagegate::{Action, Build, Decided, Policy, Request, Verdict};
use stagegate_audit::{Entry, Log, Options, Record, ReportOptions, SecretKey};

use fixture::at;

fn records(log: &Log) -> Vec<Record> {
    let entries = log.entries(0..u64::MAX).map(|stored| stored.unwrap().entry().unwrap());
    entries.filter_map(|entry| if let Entry::Decision(record) = entry { Some(*record) } else { None }).collect()
}

fn number(count: u64) -> String {
    count.to_string()
}

#[test]
fn numbers_are_those_of_the_records() {
    let (_folder, log) = fixture::log(700);
    let records = records(&log);
    for (since, until) in [(None, None), (Some(at("2026-02-01T00:00:00Z")), Some(at("2026-03-15T12:00:00Z")))] {
        let options = ReportOptions::new().since(since).until(until);
        let page = log.report(&options).unwrap().html();
        let inside = |at: DateTime<Utc>| since.is_none_or(|since| at >= since) && until.is_none_or(|until| at < until);
        let has = |text: &str| assert!(page.contains(text), "{text}\n{page}");

        let now: Vec<&Record> = records.iter().filter(|record| inside(record.decision.at())).collect();
        let verdict = |verdict| now.iter().filter(|record| record.decision.verdict() == verdict).count() as u64;
        has(&format!("<b>{}</b><span>decisions</span>", now.len()));
        has(&format!("<b>{}</b><span>allow</span>", verdict(Verdict::Allow)));
        has(&format!("<b>{}</b><span>hold</span>", verdict(Verdict::Hold)));
        has(&format!("<b>{}</b><span>deny</span>", verdict(Verdict::Deny)));

        // The first allow of each build into each stage, of the whole log.
        let mut first: BTreeMap<(&str, &str), DateTime<Utc>> = BTreeMap::new();
        for record in &records {
            let promote = record.request.action.unwrap_or_default() == Action::Promote;
            if record.decision.verdict() == Verdict::Allow && promote {
                let when = record.decision.at();
                let key = (record.decision.stage(), record.decision.build());
                first.entry(key).and_modify(|first| *first = when.min(*first)).or_insert(when);
            }
        }
        let promotions = first.values().filter(|when| inside(**when)).count();
        has(&format!("<b>{promotions}</b><span>promotions</span>"));
        let mut leads: Vec<i64> = first
            .iter()
            .filter(|((stage, _), when)| *stage == "Staging" && inside(**when))
            .filter_map(|((_, build), to)| first.get(&("Dev", build)).map(|from| (*to - *from).num_seconds()))
            .filter(|seconds| *seconds >= 0)
            .collect();
        leads.sort_unstable();
        has(&format!("<b>{}</b><span>builds</span>", leads.len()));
        // Nearest rank: half of them, rounded up, did not take longer.
        let median = leads[leads.len().div_ceil(2) - 1];
        let words = format!("<b>{}d {}h</b><span>median</span>", median / 86_400, median / 3_600 % 24);
        has(&words.replace(" 0h<", "<"));

        let mut reasons: BTreeMap<(String, String), [u64; 2]> = BTreeMap::new();
        for record in &now {
            for rule in record.decision.blocking() {
                let counts = reasons.entry((rule.clone(), record.decision.stage().to_string())).or_default();
                counts[usize::from(record.decision.verdict() == Verdict::Deny)] += 1;
            }
        }
        assert!(reasons.len() > 5);
        for ((rule, stage), [held, denied]) in reasons {
            let words: Vec<String> = [(held, "held"), (denied, "denied")]
                .into_iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, word)| format!("{} {word}", number(count)))
                .collect();
            has(&format!("<bdi>{rule} in {stage}</bdi><span>{}</span>", words.join(", ")));
        }
        let overridden = now.iter().flat_map(|record| record.decision.overrides()).filter(|one| one.in_force).count();
        has(&format!("<b>{overridden}</b><span>decisions with an override</span>"));
        assert!(overridden > 3);
    }
}

/// A log of decisions at those times, all allowed.
fn at_times(times: &[&str]) -> (tempfile::TempDir, Log) {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::open(folder.path().join("decisions.db"), &Options::new().create(true)).unwrap();
    let policy =
        Policy::parse("p.gate", "policy <p>\nstage Dev { require id: build.id is set }".replace("<p>", "p")).unwrap();
    for (n, time) in times.iter().enumerate() {
        let request = Request::to("Dev").build(Build::new(format!("<i>{n}</i>"))).at(at(time));
        let decision = policy.decide(&request).unwrap();
        let record =
            Record::new(&Decided::new(&policy, &request, &decision), at(time), &SecretKey::from_bytes([7; 32]));
        log.append(Entry::Decision(Box::new(record)), Some(&policy)).unwrap();
    }
    (folder, log)
}

#[test]
fn a_log_of_nothing_of_one_record_and_of_many_years() {
    let page = |times: &[&str]| at_times(times).1.report(&ReportOptions::new()).unwrap().html();
    assert!(page(&[]).contains("<p>No decision was recorded.</p>"));
    let one = page(&["2026-03-04T18:00:00Z"]);
    for text in [
        "<b>1</b><span>promotions</span>",
        "2026-03-04. Log",
        "Nothing: every decision was an allow.",
        "No build has an allow into both.",
        "No override was in force.",
    ] {
        assert!(one.contains(text), "{text}\n{one}");
    }
    let years = page(&["2019-06-01T00:00:00Z", "2026-03-04T18:00:00Z"]);
    assert!(years.contains("Promotions a stage and month") && years.contains("<title>June 2019: 1</title>"), "{years}");
    // From the first instants that there are to the last.
    let all = page(&["1970-01-01T00:00:00Z", "2200-12-31T23:59:59Z"]);
    assert!(all.contains("<title>December 2200: 1</title>") && all.len() < 2_000_000, "{}", all.len());
}

#[test]
fn weeks_are_those_of_the_zone() {
    let (_folder, log) = at_times(&["2026-03-01T23:30:00Z"]);
    let title = |zone: &str| {
        let zone = Zone::parse(zone).unwrap();
        let page = log.report(&ReportOptions::new().zone(zone)).unwrap().html();
        page.split("<title>Week of ").nth(1).unwrap()[..10].to_string()
    };
    assert_eq!(title("UTC"), "2026-02-23");
    assert_eq!(title("Europe/Berlin"), "2026-03-02");
}
