//! What a decision costs in each engine, side by side.
//!
//! The machine may be busy, so what is measured is the time that the thread had a core, and the engines take turns: in
//! each round every engine answers all requests, once or more, in a new order, and its time is divided by stagegate's
//! time of the same round. Shown is the median of these ratios, and between which values the middle half of them lies.

use cpu_time::ThreadTime;
use stagegate_peers::requests::{Case, requests};
use stagegate_peers::suite::{Ready, WAYS, Way, disagreements, engines};
use std::time::Duration;

/// The least that a turn takes, so that the clock's own cost does not show.
const TURN: Duration = Duration::from_millis(4);

fn main() {
    let rounds = std::env::args().nth(1).map_or(60, |text| text.parse().expect("the number of rounds"));
    let cases = requests();
    let mut engines = engines(&cases);
    let found = disagreements(&cases, &mut engines);
    assert!(found.is_empty(), "{} differences, such as\n{}", found.len(), found[0]);
    let allowed = engines[0].pass(Way::Prepared);
    println!(
        "{} requests, {allowed} allowed; every engine gives the same answer to each, in all three ways.",
        cases.len()
    );
    let mean = |length: fn(&Case) -> usize| cases.iter().map(length).sum::<usize>() / cases.len();
    let texts: [fn(&Case) -> usize; 3] = [|case| case.request.len(), |case| case.bare.len(), |case| case.plain.len()];
    let [ours, bare, plain] = texts.map(mean);
    println!("The mean text has {ours} bytes, {bare} of which stagegate asks for, and {plain} in plain values.");
    println!("{rounds} rounds; load before: {}\n", load());

    let measured = WAYS.map(|way| measure(&mut engines, way, rounds, cases.len()));

    for (way, times) in WAYS.iter().zip(&measured) {
        println!("{}: the time of stagegate = 1", way.title());
        println!("\n| engine | ratio (middle half) | ns a decision, median (least) |");
        println!("| --- | ---: | ---: |");
        for (engine, times_of) in engines.iter().zip(times).filter(|(engine, _)| engine.has(*way)) {
            let mut ratios: Vec<f64> = times_of.iter().zip(&times[0]).map(|(time, ours)| time / ours).collect();
            let mut times_of = times_of.clone();
            ratios.sort_by(f64::total_cmp);
            times_of.sort_by(f64::total_cmp);
            println!(
                "| {} | {} ({} to {}) | {} ({}) |",
                engine.name(),
                short(at(&ratios, 0.5)),
                short(at(&ratios, 0.25)),
                short(at(&ratios, 0.75)),
                short(at(&times_of, 0.5)),
                short(times_of[0]),
            );
        }
        println!();
    }
    println!("load after: {}", load());
}

/// The nanoseconds a decision of each engine in each round.
fn measure(engines: &mut [Box<dyn Ready>], way: Way, rounds: usize, requests: usize) -> Vec<Vec<f64>> {
    // How many passes make a turn; this warms up too.
    let passes: Vec<u32> = (engines.iter_mut())
        .map(|engine| {
            if !engine.has(way) {
                return 0;
            }
            engine.pass(way);
            let start = ThreadTime::now();
            engine.pass(way);
            (TURN.as_nanos() / start.elapsed().as_nanos().max(1)) as u32 + 1
        })
        .collect();
    let mut times = vec![Vec::with_capacity(rounds); engines.len()];
    let count = engines.len();
    for round in 0..rounds {
        // Another one first each time, and every other time backwards: nobody always follows the same neighbour.
        for turn in 0..count {
            let turn = if round % 2 == 0 { turn } else { count - 1 - turn };
            let index = (turn + round / 2) % count;
            if passes[index] == 0 {
                continue;
            }
            let start = ThreadTime::now();
            for _ in 0..passes[index] {
                std::hint::black_box(engines[index].pass(way));
            }
            let asked = f64::from(passes[index]) * requests as f64;
            times[index].push(start.elapsed().as_nanos() as f64 / asked);
        }
    }
    times
}

fn at(sorted: &[f64], part: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * part).round() as usize]
}

fn short(number: f64) -> String {
    match number {
        n if n < 0.1 => format!("{n:.3}"),
        n if n < 10.0 => format!("{n:.2}"),
        n if n < 100.0 => format!("{n:.1}"),
        n => format!("{n:.0}"),
    }
}

fn load() -> String {
    std::fs::read_to_string("/proc/loadavg").map_or("unknown".into(), |text| text.trim_end().to_string())
}
