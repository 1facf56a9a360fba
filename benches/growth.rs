//! How the time grows: `cargo bench --bench growth` prints a table for each thing that can grow; `-- stages people` only those.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::hint::black_box;
use std::time::{Duration, Instant};

#[path = "common/growing.rs"]
mod growing;

use growing::Growing;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if words.iter().any(|word| word == "--test") {
        return;
    }
    println!("ns: prepared verdict, JSON to verdict, decision with its reasons; µs: compile\n");
    growing::ALL.iter().filter(|g| words.is_empty() || words.iter().any(|word| word == g.word)).for_each(table);
}

fn table(Growing { what, sizes, make, allowed, .. }: &Growing) {
    println!("| {what} | verdict | JSON to verdict | decision | compile |\n| ---: | ---: | ---: | ---: | ---: |");
    for size in *sizes {
        let (text, request) = make(*size);
        let policy = growing::compile(&text);
        let prepared = policy.prepare(&request).unwrap();
        let json = request.to_json();
        assert_eq!(prepared.verdict().is_allow(), *allowed, "{what}: {size}");
        println!(
            "| {size} | {:.0} | {:.0} | {:.0} | {:.0} |",
            time(|| _ = black_box(prepared.verdict())),
            time(|| _ = black_box(policy.verdict_json(json.as_bytes()).unwrap())),
            time(|| _ = black_box(prepared.decide().unwrap().rules().len())),
            time(|| drop(black_box(growing::compile(&text)))) / 1_000.0,
        );
    }
    println!();
}

/// Nanoseconds: the best of several rounds.
fn time<T>(mut run: impl FnMut() -> T) -> f64 {
    let start = Instant::now();
    drop(run());
    let once = start.elapsed().max(Duration::from_nanos(20));
    let times = (5_000_000 / once.as_nanos()).clamp(1, 100_000) as u32;
    let mut best = Duration::MAX;
    for _ in 0..12 {
        let start = Instant::now();
        (0..times).for_each(|_| drop(run()));
        best = best.min(start.elapsed());
    }
    best.as_nanos() as f64 / f64::from(times)
}
