//! What an embedder leans on: everything may be shared between threads, policies are replaced while others decide,
//! requests survive JSON, and a loop over due firings loses none when clocks change.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use stagegate::{
    Build, CompileError, Decision, LoadError, Policy, PolicySet, Prepared, Report, Request, RequestError, Timeline,
    Verdict,
};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The files below a folder whose names end so.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(!found.is_empty());
    found
}

#[test]
fn everything_may_be_sent_and_shared() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Policy>();
    shared::<PolicySet>();
    shared::<Prepared>();
    shared::<Request>();
    shared::<Decision>();
    shared::<Timeline>();
    shared::<Report>();
    // As `Box<dyn Error + Send + Sync>` and as `anyhow` ask for it.
    fn error<E: std::error::Error + Send + Sync + 'static>() {}
    error::<CompileError>();
    error::<RequestError>();
    error::<LoadError>();
}

/// Two versions of two policies. Each pair belongs together: what `first` allows `second` allows.
fn pair(open: bool) -> [(&'static str, Policy); 2] {
    let label = if open { "open" } else { "shut" };
    let text = |name: &str| format!("policy {name}\nstage Live {{ require {label}: build.branch == \"{label}\" }}");
    ["first", "second"].map(|name| (name, Policy::parse(name, text(name)).unwrap()))
}

#[test]
fn policies_are_replaced_while_eight_threads_decide() {
    let policies = PolicySet::new();
    policies.replace_all(pair(true));
    let (done, answers) = (AtomicBool::new(false), [AtomicUsize::new(0), AtomicUsize::new(0)]);
    let request = Request::to("Live").build(Build::new("1").branch("open")).at(at("2026-03-04T10:00:00Z"));

    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    // One moment: both are of the same version, and go on with it.
                    let moment = policies.snapshot();
                    let first = moment["first"].decide(&request).unwrap();
                    std::thread::yield_now();
                    let second = moment["second"].decide(&request).unwrap();
                    assert_eq!(first.verdict(), second.verdict());
                    assert_eq!(first.rules()[0].rule, second.rules()[0].rule);
                    let allowed = first.verdict() == Verdict::Allow;
                    answers[usize::from(allowed)].fetch_add(1, Ordering::Relaxed);
                    // The fast verdict of whatever stands now is one of the two, and never an error.
                    let now = policies.get("second").unwrap().verdict(&request).unwrap();
                    assert!(matches!(now, Verdict::Allow | Verdict::Deny));
                }
            });
        }
        // Until both versions have been seen at work many times, however the threads are scheduled.
        let mut round = 0;
        while answers.iter().any(|seen| seen.load(Ordering::Relaxed) < 200) {
            round += 1;
            policies.replace_all(pair(round % 2 == 0));
            std::thread::yield_now();
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(policies.names(), ["first", "second"]);
}

#[test]
fn a_policy_that_does_not_compile_leaves_the_old_one_in_place() {
    let policies = PolicySet::new();
    policies.replace_all(pair(true));
    let replace = |text: &str| -> Result<(), CompileError> {
        policies.insert("first", Policy::parse("first", text)?);
        Ok(())
    };
    assert!(replace("policy first\nstage Live { require x: coverage >= 80 }").is_err());
    let request = Request::to("Live").build(Build::new("1").branch("open")).at(at("2026-03-04T10:00:00Z"));
    assert_eq!(policies.get("first").unwrap().verdict(&request).unwrap(), Verdict::Allow);
    assert!(replace("policy first\nstage Live { require x: \"ready\" in build.labels }").is_ok());
    assert_ne!(policies.get("first").unwrap().verdict(&request).unwrap(), Verdict::Allow);
}

#[test]
fn requests_survive_serde() {
    let mut count = 0;
    for path in files("policies/requests", ".json").into_iter().chain(files("tests/policies", ".json")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let request: Request = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(request, Request::from_json(text.as_bytes()).unwrap(), "{}", path.display());
        let written = serde_json::to_string(&request).unwrap();
        let again: Request = serde_json::from_str(&written).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(again, request, "{}\n{written}", path.display());
        // As a part of a larger document, and by way of a tree of values.
        let inside: (u8, Request) = serde_json::from_str(&format!("[7, {written}]")).unwrap();
        assert_eq!(inside.1, request);
        let tree: serde_json::Value = serde_json::to_value(&request).unwrap();
        assert_eq!(serde_json::from_value::<Request>(tree).unwrap(), request, "{}", path.display());
        count += 1;
    }
    assert!(count > 100, "{count}");
    for (wrong, says) in [
        (r#"{ "build": { "id": "1" } }"#, "`stage`"),
        (r#"{ "stage": "S", "build": { "id": "1" }, "now": "2026-03-04T10:00:00" }"#, "`now`"),
        (r#"{ "stage": "S", "build": { "id": "1", "id": "2" } }"#, "`build.id`"),
    ] {
        let error = serde_json::from_str::<Request>(wrong).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn a_loop_over_due_firings_loses_none_when_clocks_change() {
    // A night with a change, in zones that do it in their own ways.
    let nights = [
        ("Europe/Berlin", "2026-03-28T12:00:00Z"),
        ("Europe/Berlin", "2026-10-24T12:00:00Z"),
        ("America/New_York", "2026-03-07T12:00:00Z"),
        ("America/New_York", "2026-10-31T12:00:00Z"),
        ("Australia/Lord_Howe", "2026-04-04T02:00:00Z"),
        ("Australia/Lord_Howe", "2026-10-03T02:00:00Z"),
        ("Antarctica/Troll", "2026-03-28T12:00:00Z"),
        ("America/Sao_Paulo", "2018-11-03T12:00:00Z"),
        ("Pacific/Apia", "2011-12-29T12:00:00Z"),
    ];
    for (zone, start) in nights {
        let policy = format!(
            "policy p\ntimezone \"{zone}\"\nstage Live {{\n  trigger half: schedule \"30 2 * * *\"\n  trigger one: \
             schedule \"30 1 * * *\"\n  trigger midnight: schedule \"0 0 * * *\"\n  trigger often: schedule \"*/20 * * * \
             *\"\n  trigger hours: schedule \"15 */2 * * *\"\n}}"
        );
        let policy = Policy::parse("p.gate", policy).unwrap();
        let (start, end) = (at(start), at(start) + TimeDelta::hours(48));
        let key = |firing: stagegate::Firing| (firing.at, firing.trigger);
        let whole: Vec<_> = policy.due("Live", start, end).unwrap().map(key).collect();
        assert!(whole.len() > 150 && whole.is_sorted_by_key(|(at, _)| *at), "{zone}: {}", whole.len());
        assert_eq!(whole.iter().collect::<BTreeSet<_>>().len(), whole.len(), "{zone}");

        // However often the timer wakes, and though it oversleeps now and then.
        for step in [1_i64, 7, 20, 60, 61, 1440] {
            let (mut asked_until, mut begun) = (start, Vec::new());
            let mut waking = 0;
            while asked_until < end {
                waking += 1;
                let slept = if waking % 5 == 0 { step * 3 } else { step };
                let now = (asked_until + TimeDelta::minutes(slept)).min(end);
                begun.extend(policy.due("Live", asked_until, now).unwrap().map(key));
                asked_until = now;
            }
            assert_eq!(begun, whole, "{zone}, woken every {step} minutes");
        }

        // One that sleeps until the next firing misses none either.
        let (mut now, mut begun) = (start, BTreeSet::new());
        while let Some(next) = policy.next_firing("Live", now).unwrap().filter(|next| next.at <= end) {
            begun.extend(policy.due("Live", now, next.at).unwrap().map(key));
            now = next.at;
        }
        assert_eq!(begun, whole.into_iter().collect(), "{zone}");
    }
}
