//! Three questions to a log of a million records, each against the SQL that one would write by hand for it.
//!
//! The log is made by `cargo run --release -p stagegate-audit --example fill -- LOG 1000000` and named in `STAGEGATE_LOG`;
//! without it a small one is made here, which shows that everything runs and no more.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "../tests/fixture/mod.rs"]
mod fixture;
#[path = "common/processor.rs"]
mod processor;

use std::hint::black_box;
use std::path::PathBuf;

use criterion::{Criterion, criterion_group, criterion_main};
use rusqlite::{Connection, OpenFlags};
use stagegate::schedule::Zone;
use stagegate_audit::Log;
use stagegate_audit::query::{By, Query};

use processor::Processor;

fn questions(c: &mut Criterion<Processor>) {
    let small = std::env::var_os("STAGEGATE_LOG").is_none().then(|| fixture::log(2_000));
    let path = match &small {
        Some((folder, _)) => folder.path().join("decisions.db"),
        None => PathBuf::from(std::env::var_os("STAGEGATE_LOG").unwrap()),
    };
    let log = Log::read(&path).unwrap();
    let hand = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut group = c.benchmark_group(format!("{} records", log.len().unwrap()));
    group.sample_size(10);

    group.bench_function("count by stage and verdict", |b| {
        b.iter(|| {
            let by = ["stage", "verdict"].map(|field| By::parse(field, Zone::UTC).unwrap());
            black_box(log.groups(&Query::all(), &by).unwrap())
        });
    });
    group.bench_function("count by stage and verdict, by hand", |b| {
        b.iter(|| {
            let sql = "SELECT w.text, c.verdict, c.number FROM (SELECT stage, verdict, count(*) AS number \
                       FROM decision GROUP BY stage, verdict) c JOIN word w ON w.id = c.stage";
            let mut found = hand.prepare_cached(sql).unwrap();
            let rows = found.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
            black_box(rows.collect::<rusqlite::Result<Vec<(String, i64, i64)>>>().unwrap())
        });
    });

    let (from, to) = (fixture::at("2026-03-01T00:00:00Z"), fixture::at("2026-04-01T00:00:00Z"));
    group.bench_function("who approved in March", |b| {
        b.iter(|| {
            let query = Query::parse("approved by any and at in 2026-03-01 .. 2026-03-31", Zone::UTC).unwrap();
            black_box(log.groups(&query, &[By::parse("approvers", Zone::UTC).unwrap()]).unwrap())
        });
    });
    group.bench_function("who approved in March, by hand", |b| {
        b.iter(|| {
            let sql = "SELECT w.text, c.number FROM (SELECT p.person, count(DISTINCT p.seq) AS number FROM person p \
                       JOIN decision d ON d.seq = p.seq WHERE p.role = 0 AND d.at >= ?1 AND d.at < ?2 GROUP BY p.person) c \
                       JOIN word w ON w.id = c.person";
            let mut found = hand.prepare_cached(sql).unwrap();
            let ends = (from.timestamp_nanos_opt(), to.timestamp_nanos_opt());
            let rows = found.query_map(ends, |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            black_box(rows.collect::<rusqlite::Result<Vec<(String, i64)>>>().unwrap())
        });
    });

    group.bench_function("denied by operations", |b| {
        b.iter(|| {
            let query = Query::parse("verdict == deny and blocked by operations", Zone::UTC).unwrap();
            black_box(log.count(&query).unwrap())
        });
    });
    group.bench_function("denied by operations, by hand", |b| {
        b.iter(|| {
            let sql = "SELECT count(*) FROM rule r JOIN decision d ON d.seq = r.seq \
                       WHERE r.rule = (SELECT id FROM word WHERE text = 'operations') AND r.blocking = 1 \
                       AND r.status IN (1, 2, 3, 4) AND d.verdict = 2";
            let mut found = hand.prepare_cached(sql).unwrap();
            black_box(found.query_row([], |row| row.get::<_, i64>(0)).unwrap())
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(Processor(processor::thread));
    targets = questions
}
criterion_main!(benches);
