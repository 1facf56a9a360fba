//! What is counted by callgrind: `benches/count` runs this under valgrind, once without work and once with it.
//!
//! `instructions TASK TIMES` does one task so many times over the mixed requests. `grow-stages-100` compiles 100 stages,
//! `asked-stages-100` asks for the verdict on one of these, and `told-stages-100` for the decision with its reasons.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::hint::black_box;

use stagegate::{Policy, Prepared, Request};

#[path = "common/bank.rs"]
mod bank;
#[path = "common/by_hand.rs"]
mod by_hand;
#[path = "common/chance.rs"]
mod chance;
#[path = "common/generated.rs"]
mod generated;
#[path = "common/growing.rs"]
mod growing;
#[path = "common/mixed.rs"]
mod mixed;

#[cfg(feature = "derive")]
#[path = "common/own_struct.rs"]
mod own_struct;

const REQUESTS: usize = 200;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let (Some(task), Some(times)) = (arguments.next(), arguments.next().and_then(|n| n.parse::<usize>().ok())) else {
        println!("see benches/count");
        return;
    };
    if let [what @ ("grow" | "asked" | "told"), word, size] = task.split('-').collect::<Vec<_>>()[..] {
        let growing = growing::ALL.iter().find(|growing| growing.word == word).unwrap();
        let (text, request) = (growing.make)(size.parse().unwrap());
        // Tables of zones are worked out when they are first asked for.
        let small = growing::compile(&(growing.make)(1).0);
        if what == "grow" {
            return repeat(times, || growing::compile(&text).stages().count());
        }
        black_box(small.decide(&(growing.make)(1).1).unwrap().to_json());
        let prepared = growing::compile(&text).prepare(&request).unwrap();
        return repeat(times, || match what {
            "asked" => black_box(&prepared).verdict() as usize,
            _ => black_box(&prepared).decide().unwrap().rules().len(),
        });
    }
    let file = |file: &str| Policy::from_file(format!("{}/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    if let Some(policy) = task.strip_prefix("compile-") {
        let generated = generated::policy(50, 20);
        let compile = || match policy {
            "generated" => Policy::parse("p.gate", &generated).unwrap(),
            policy => file(&format!("policies/{policy}.gate")),
        };
        // Tables of zones are worked out when they are first asked for.
        black_box(compile());
        return repeat(times, || compile().stages().count());
    }
    let (policy, jsons) = match task.rsplit_once('-') {
        Some((_, "bank")) => (file("policies/bank.gate"), bank::requests(7, REQUESTS)),
        Some((_, "generated")) => {
            let mut chance = chance::Chance::new(7);
            let policy = Policy::parse("generated.gate", generated::policy(50, 20)).unwrap();
            (policy, (0..REQUESTS).map(|_| generated::request(&mut chance, 50)).collect::<Vec<_>>())
        }
        _ => {
            let jsons = mixed::promotions(7, REQUESTS).iter().map(mixed::Promotion::json).collect();
            (file("policies/space-game.gate"), jsons)
        }
    };
    let requests: Vec<Request> = jsons.iter().map(|json| Request::from_json(json.as_bytes()).unwrap()).collect();
    let prepared: Vec<Prepared> = requests.iter().map(|r| policy.prepare(r).unwrap()).collect();
    let hands: Vec<by_hand::ByHand> = mixed::promotions(7, REQUESTS).iter().map(by_hand::of).collect();
    // Tables of zones are worked out when they are first asked for.
    black_box(prepared.iter().map(|p| p.verdict() as usize).sum::<usize>());
    // So is what every decision about a stage says.
    black_box(prepared.iter().map(|p| p.decide().unwrap().to_json().len()).sum::<usize>());
    match task.trim_end_matches("-generated").trim_end_matches("-bank") {
        "verdict" => repeat(times, || prepared.iter().filter(|p| black_box(p).verdict().is_allow()).count()),
        "decision" => {
            repeat(times, || prepared.iter().filter(|p| black_box(p.decide().unwrap()).verdict().is_allow()).count())
        }
        "prepare" => repeat(times, || requests.iter().filter(|r| policy.verdict(r).unwrap().is_allow()).count()),
        "json" => {
            let allowed = |json: &String| policy.verdict_json(json.as_bytes()).unwrap().is_allow();
            repeat(times, || jsons.iter().filter(|json| allowed(json)).count())
        }
        "json-json" => {
            repeat(times, || jsons.iter().map(|json| policy.decide_json(json.as_bytes()).unwrap().1.len()).sum())
        }
        "json-read" => {
            let read = |json: &String| Request::from_json(json.as_bytes()).unwrap().history.len();
            repeat(times, || jsons.iter().map(read).sum())
        }
        "to-json" => repeat(times, || prepared.iter().map(|p| p.decide().unwrap().to_json().len()).sum()),
        "batch" => {
            let mut batch = policy.batch("Staging").unwrap();
            let rows = requests.iter().filter(|r| r.stage == "Staging").cycle();
            rows.take(REQUESTS).for_each(|request| batch.push(request).unwrap());
            let mut out = batch.verdicts();
            repeat(times, || {
                batch.verdicts_into(black_box(&mut out));
                out.len()
            })
        }
        #[cfg(feature = "derive")]
        "struct" => {
            let changes = policy.bind::<own_struct::Change>().unwrap();
            let values: Vec<_> = mixed::promotions(7, REQUESTS).iter().map(own_struct::Change::of).collect();
            repeat(times, || values.iter().filter(|v| changes.verdict(v).unwrap().is_allow()).count())
        }
        "explained" => repeat(times, || prepared.iter().map(|p| black_box(p.decide().unwrap()).rules().len()).sum()),
        "hand" => repeat(times, || hands.iter().filter(|p| by_hand::allows(black_box(p))).count()),
        "hand-json" => {
            repeat(times, || jsons.iter().filter(|json| by_hand::from_json(json.as_bytes()) == Some(true)).count())
        }
        "hand-read" => repeat(times, || {
            jsons
                .iter()
                .map(|json| black_box(serde_json::from_str::<by_hand::Read<'_>>(json).unwrap()).history.len())
                .sum()
        }),
        other => panic!("no task {other}"),
    }
}

/// Does it so many times; only what happens in here is counted.
#[inline(never)]
fn repeat(times: usize, mut run: impl FnMut() -> usize) {
    let total: usize = (0..times).map(|_| run()).sum();
    black_box(total);
}
