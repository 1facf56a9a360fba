//! Deciding a log again, part by part: reading it, deciding what is loaded, all of `replay --policy`, all of `replay --self`.
//!
//! The log is made by `cargo run --release -p stagegate-audit --example fill -- LOG 1000000` and named in `STAGEGATE_LOG`;
//! without it a small one is made here, which shows that everything runs and no more. `STAGEGATE_RECORDS` has fewer of its
//! records decided again. One thread works, and what is told is time on the processor.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "../tests/fixture/mod.rs"]
mod fixture;
#[path = "common/processor.rs"]
mod processor;

use std::hint::black_box;
use std::ops::Range;
use std::path::PathBuf;

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use stagegate::Policy;
use stagegate_audit::replay::{Lines, Loaded, Options, again, compare};
use stagegate_audit::{Log, LogError};

use processor::Processor;

/// The first records of a log.
struct First<'a>(&'a Log, u64);

impl Lines for First<'_> {
    fn count(&self) -> Result<u64, LogError> {
        Ok(self.0.len()?.min(self.1))
    }

    fn read(&self, range: Range<u64>, each: &mut dyn FnMut(u64, &str) -> Result<(), LogError>) -> Result<(), LogError> {
        self.0.read(range, each)
    }
}

fn replay(c: &mut Criterion<Processor>) {
    let named = std::env::var_os("STAGEGATE_LOG").map(PathBuf::from);
    let small = named.is_none().then(|| fixture::log(2_000));
    let path = match (&small, named) {
        (_, Some(named)) => named,
        (Some((folder, _)), None) => folder.path().join("decisions.db"),
        (None, None) => unreachable!(),
    };
    let log = Log::read(&path).unwrap();
    let records = std::env::var("STAGEGATE_RECORDS").map_or(u64::MAX, |records| records.parse().unwrap());
    let lines = First(&log, records);
    let records = lines.count().unwrap();
    let options = Options::new().jobs(1);

    // The policy of the records, and one that gives some of them another verdict.
    let digest = log.policies().unwrap()[0].clone();
    let (name, text) = log.policy_sources(&digest).unwrap().unwrap().remove(0);
    let same = Policy::parse(&name, &text).unwrap();
    let other = Policy::parse(&name, text.replace("coverage >= 80", "coverage >= 90")).unwrap();
    assert_ne!(same.digest(), other.digest());

    let mut group = c.benchmark_group("replay");
    group.sample_size(10).sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(records));
    let id = |what: &str| BenchmarkId::new(what, records);
    group.bench_function(id("read and unpack"), |b| {
        b.iter(|| {
            let mut bytes = 0;
            lines.read(0..records, &mut |_, line| {
                bytes += line.len();
                Ok(())
            })?;
            Ok::<_, LogError>(black_box(bytes))
        });
    });
    group.bench_function(id("load"), |b| {
        b.iter(|| black_box(Loaded::read(&lines, &options, &mut |_, _| {}).unwrap().len()));
    });
    let loaded = Loaded::read(&lines, &options, &mut |_, _| {}).unwrap();
    for (what, policy) in [("same policy", &same), ("other policy", &other)] {
        let found = loaded.compare(policy).unwrap();
        assert_eq!(found, compare(&lines, policy, &options, &mut |_, _| {}).unwrap());
        println!("{what}: {} of {} have another verdict", found.changed, found.records);
        group.bench_function(id(&format!("loaded, {what}")), |b| {
            b.iter(|| black_box(loaded.compare(policy).unwrap().changed));
        });
    }
    drop(loaded);
    group.bench_function(id("compare, other policy"), |b| {
        b.iter(|| black_box(compare(&lines, &other, &options, &mut |_, _| {}).unwrap().changed));
    });
    let kept = |digest: &str| log.kept(digest);
    let found = again(&lines, &kept, &options, &mut |_, _| {}).unwrap();
    println!("self: {} of {} the same, {} withheld", found.same, found.records, found.withheld.len());
    group.bench_function(id("self"), |b| {
        b.iter(|| black_box(again(&lines, &kept, &options, &mut |_, _| {}).unwrap().same));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(Processor(processor::process));
    targets = replay
}
criterion_main!(benches);
