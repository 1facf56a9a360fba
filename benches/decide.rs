//! What a decision costs: `cargo bench --bench decide`. See `docs/performance.md`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::hint::black_box;
use std::time::Duration;

use chrono::{DateTime, Utc};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use stagegate::{Policy, Prepared, Request};

#[path = "common/bank.rs"]
mod bank;
#[path = "common/by_hand.rs"]
mod by_hand;
#[path = "common/chance.rs"]
mod chance;
#[path = "common/generated.rs"]
mod generated;
#[path = "common/mixed.rs"]
mod mixed;
#[cfg(feature = "derive")]
#[path = "common/own_struct.rs"]
mod own_struct;

/// A policy with 1,000 requests for it.
struct Subject {
    name: &'static str,
    file: &'static str,
    text: String,
    requests: Vec<String>,
}

fn subjects() -> Vec<Subject> {
    let read = |file: &str| std::fs::read_to_string(format!("{}/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let mut chance = chance::Chance::new(7);
    vec![
        Subject {
            name: "space-game",
            file: "policies/space-game.gate",
            text: read("policies/space-game.gate"),
            requests: mixed::promotions(7, 1_000).iter().map(mixed::Promotion::json).collect(),
        },
        Subject { name: "bank", file: "policies/bank.gate", text: String::new(), requests: bank::requests(7, 1_000) },
        Subject {
            name: "generated",
            file: "generated.gate",
            text: generated::policy(50, 20),
            requests: (0..1_000).map(|_| generated::request(&mut chance, 50)).collect(),
        },
    ]
}

fn policy(subject: &Subject) -> Policy {
    compiled(subject.file, &subject.text)
}

/// From its text, or from the file when it includes others.
fn compiled(file: &str, text: &str) -> Policy {
    match text {
        "" => Policy::from_file(format!("{}/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap(),
        text => Policy::parse(file, text).unwrap(),
    }
}

fn decisions(c: &mut Criterion) {
    for subject in subjects() {
        let policy = policy(&subject);
        let requests: Vec<Request> =
            subject.requests.iter().map(|json| Request::from_json(json.as_bytes()).unwrap()).collect();
        let prepared: Vec<Prepared> = requests.iter().map(|r| policy.prepare(r).unwrap()).collect();
        let allowed = prepared.iter().filter(|p| p.verdict().is_allow()).count();
        assert!((350..650).contains(&allowed), "{}: {allowed} of 1,000 are allowed", subject.name);

        let mut group = c.benchmark_group(subject.name);
        group.throughput(Throughput::Elements(prepared.len() as u64));
        group.bench_function("prepared verdict", |b| {
            b.iter(|| prepared.iter().filter(|p| black_box(p.verdict()).is_allow()).count())
        });
        group.bench_function("prepared decision", |b| {
            b.iter(|| prepared.iter().filter(|p| black_box(p.decide().unwrap()).verdict().is_allow()).count())
        });
        group.bench_function("prepared decision with its reasons", |b| {
            b.iter(|| prepared.iter().map(|p| black_box(p.decide().unwrap()).rules().len()).sum::<usize>())
        });
        group.bench_function("json to verdict", |b| {
            let allowed = |json: &String| policy.verdict_json(json.as_bytes()).unwrap().is_allow();
            b.iter(|| subject.requests.iter().filter(|json| allowed(json)).count())
        });
        group.bench_function("request to verdict", |b| {
            b.iter(|| requests.iter().filter(|r| policy.verdict(r).unwrap().is_allow()).count())
        });
        group.bench_function("json to request to verdict", |b| {
            b.iter(|| {
                let verdict = |json: &String| policy.verdict(&Request::from_json(json.as_bytes()).unwrap()).unwrap();
                subject.requests.iter().filter(|json| verdict(json).is_allow()).count()
            })
        });
        group.bench_function("json to decision to json", |b| {
            let bytes = |json: &String| policy.decide_json(json.as_bytes()).unwrap().1.len();
            b.iter(|| subject.requests.iter().map(bytes).sum::<usize>())
        });
        group.finish();
    }
}

fn by_hand(c: &mut Criterion) {
    let promotions = mixed::promotions(7, 1_000);
    let jsons: Vec<String> = promotions.iter().map(mixed::Promotion::json).collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/space-game.gate");
    let policy = Policy::from_file(path).unwrap();
    for json in &jsons {
        let verdict = policy.verdict(&Request::from_json(json.as_bytes()).unwrap()).unwrap();
        assert_eq!(by_hand::from_json(json.as_bytes()), Some(verdict.is_allow()), "{json}");
    }
    let prepared: Vec<by_hand::ByHand> = promotions.iter().map(by_hand::of).collect();
    let mut group = c.benchmark_group("by-hand");
    group.throughput(Throughput::Elements(prepared.len() as u64));
    group.bench_function("prepared verdict", |b| {
        b.iter(|| prepared.iter().filter(|p| by_hand::allows(black_box(p))).count())
    });
    group.bench_function("json to verdict", |b| {
        b.iter(|| jsons.iter().filter(|json| by_hand::from_json(json.as_bytes()) == Some(true)).count())
    });
    #[cfg(feature = "derive")]
    {
        let changes = policy.bind::<own_struct::Change>().unwrap();
        let values: Vec<_> = promotions.iter().map(own_struct::Change::of).collect();
        group.bench_function("own struct to verdict (stagegate)", |b| {
            b.iter(|| values.iter().filter(|v| changes.verdict(v).unwrap().is_allow()).count())
        });
    }
    group.bench_function("json to struct", |b| {
        b.iter(|| {
            for json in &jsons {
                black_box(serde_json::from_str::<by_hand::Read<'_>>(json).unwrap());
            }
        })
    });
    group.finish();
}

/// A million requests for one stage, in columns.
fn batch(c: &mut Criterion) {
    const ROWS: usize = 1_000_000;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/space-game.gate");
    let policy = Policy::from_file(path).unwrap();
    let promotions = mixed::promotions(7, 6_000);
    let requests: Vec<Request> = (promotions.iter().filter(|p| p.stage == "Staging"))
        .map(|p| Request::from_json(p.json().as_bytes()).unwrap())
        .collect();
    let mut batch = policy.batch("Staging").unwrap();
    for row in 0..ROWS {
        batch.push(&requests[row % requests.len()]).unwrap();
    }
    let mut group = c.benchmark_group("batch of 1,000,000");
    group.throughput(Throughput::Elements(ROWS as u64));
    let mut out = batch.verdicts();
    group.bench_function("verdicts, one thread", |b| b.iter(|| batch.verdicts_into(black_box(&mut out))));
    group.bench_function("tally, one thread", |b| b.iter(|| black_box(&batch).tally()));
    #[cfg(feature = "rayon")]
    group.bench_function("verdicts, all cores", |b| b.iter(|| black_box(&batch).verdicts_on_all_cores()));
    group.finish();
}

fn compiling(c: &mut Criterion) {
    let mut group = c.benchmark_group("compile");
    for subject in subjects() {
        group.bench_function(subject.name, |b| {
            b.iter_batched(|| subject.text.clone(), |text| compiled(subject.file, &text), BatchSize::SmallInput)
        });
    }
    group.finish();
}

fn firings(c: &mut Criterion) {
    let text = "timezone \"America/Los_Angeles\" stage Test { trigger nightly: schedule \"30 2 * * 1-5\" }";
    let policy = Policy::parse("nightly.gate", text).unwrap();
    let mut chance = chance::Chance::new(3);
    let mut at = || DateTime::<Utc>::from_timestamp(1_767_225_600 + chance.below(4 * 365 * 86_400) as i64, 0).unwrap();
    let instants: Vec<DateTime<Utc>> = (0..1_000).map(|_| at()).collect();
    let mut group = c.benchmark_group("next firing");
    group.throughput(Throughput::Elements(instants.len() as u64));
    let cron = stagegate::schedule::Cron::parse("30 2 * * 1-5").unwrap();
    let zone = stagegate::schedule::Zone::parse("America/Los_Angeles").unwrap();
    group.bench_function("stagegate, an expression", |b| {
        b.iter(|| instants.iter().filter_map(|at| cron.after(zone, *at).next()).count())
    });
    group.bench_function("stagegate, a stage", |b| {
        b.iter(|| instants.iter().filter_map(|at| policy.next_firing("Test", *at).unwrap()).count())
    });
    // The `cron` crate numbers days from Sunday as 1, and wants seconds.
    let schedule: cron::Schedule = "0 30 2 * * 2-6".parse().unwrap();
    let local: Vec<_> = instants.iter().map(|at| at.with_timezone(&chrono_tz::America::Los_Angeles)).collect();
    group.bench_function("the cron crate", |b| {
        b.iter(|| local.iter().filter_map(|at| schedule.after(at).next()).count())
    });
    group.finish();
}

fn quick() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(20)
}

criterion_group! {
    name = benches;
    config = quick();
    targets = decisions, by_hand, batch, compiling, firings
}
criterion_main!(benches);
