//! How the time grows: `cargo bench --bench growth` prints a table for each thing that can grow.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::fmt::Write;
use std::hint::black_box;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use stagegate::{Approval, Build, Compiler, Limits, MemoryLoader, Policy, Request, Word};

fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    println!("ns: prepared verdict, JSON to verdict, decision with its reasons; µs: compile\n");
    table("rules of the stage asked", &[10, 100, 1_000, 5_000], |n| {
        let mut text = String::from("fact f : number\nstage S {\n");
        (0..n).for_each(|i| writeln!(text, "  require r{i}: f >= {}", i % 50).unwrap());
        (text + "}\n", request("S").fact("f", 60))
    });
    table("stages, of which one is asked", &[1, 10, 100, 1_000], |n| {
        let mut text = String::from("fact f : number\n");
        (0..n).for_each(|i| writeln!(text, "stage S{i} {{ require a: f >= 1 require b: f < 90 }}").unwrap());
        (text, request("S0").fact("f", 60))
    });
    table("approvals", &[1, 10, 100, 1_000, 10_000], |n| {
        let text = "group g = [a, b, c]\nstage S { approve two: 2 of g valid 24h }\n".to_string();
        let approve = |r: Request, who: String| r.approval(Approval::new(who, Word::Approve, now()));
        let request = (0..n).fold(request("S"), |r, i| approve(r, format!("p{i}")));
        (text, approve(approve(request, "a".into()), "b".into()))
    });
    table("people in the group", &[1, 10, 1_000, 100_000], |n| {
        let people: Vec<String> = (0..n).map(|i| format!("p{i}")).collect();
        let text = format!("group g = [{}]\nstage S {{ approve one: 1 of g }}\n", people.join(", "));
        (text, request("S").approved("p0", now()))
    });
    table("facts supplied, of which the stage reads one", &[1, 10, 100, 1_000], |n| {
        let mut text = String::new();
        (0..n).for_each(|i| writeln!(text, "fact f{i} : number").unwrap());
        text.push_str("stage S { require a: f0 >= 1 }\nstage T { ");
        (0..n).for_each(|i| write!(text, "require r{i}: f{i} >= 1 ").unwrap());
        (text + "}\n", (0..n).fold(request("S"), |r, i| r.fact(format!("f{i}"), 5)))
    });
    table("freezes", &[1, 10, 100, 1_000], |n| {
        let mut text = String::from("timezone \"Europe/Berlin\"\nstage S {\n");
        (0..n).for_each(|i| writeln!(text, "  freeze f{i}: sun {:02}:{:02} .. sun 23:59", i % 20, i % 60).unwrap());
        (text + "}\n", request("S"))
    });
    table("windows, the last of which is open", &[1, 10, 100, 1_000], |n| {
        let mut text = String::from("timezone \"Europe/Berlin\"\nstage S {\n");
        (1..n).for_each(|i| writeln!(text, "  window w{i}: sun {:02}:{:02} .. sun 23:59", i % 20, i % 60).unwrap());
        (text + "  window open: daily 00:00..24:00\n}\n", request("S"))
    });
    table("included files, each in the one before", &[1, 4, 16, 63], |n| {
        let mut text = String::new();
        for i in 0..n {
            let next = if i + 1 < n { format!("include \"f{}.gate\"", i + 1) } else { String::new() };
            writeln!(text, "--- f{i}.gate\n{next}\nfact f{i} : number\nstage S {{ require r{i}: f{i} >= 1 }}").unwrap();
        }
        (text, (0..n).fold(request("S"), |r, i| r.fact(format!("f{i}"), 5)))
    });
}

fn now() -> DateTime<Utc> {
    // A Wednesday.
    "2026-03-04T10:00:00Z".parse().unwrap()
}

fn request(stage: &str) -> Request {
    Request::to(stage).build(Build::new("7").author("nobody")).at(now()).manual("tim")
}

/// One file, or several, each after a line `--- name`.
fn compile(text: &str) -> Policy {
    let limits = Limits { source_bytes: 64 << 20, tokens: 10_000_000, ..Limits::default() };
    let mut files = MemoryLoader::new();
    if !text.starts_with("--- ") {
        return Compiler::new().limits(limits).compile_text("f.gate", text).unwrap();
    }
    for file in text.split("--- ").skip(1) {
        let (name, text) = file.split_once('\n').unwrap();
        files = files.with(name, text);
    }
    Compiler::new().limits(limits).loader(&files).compile("f0.gate").unwrap()
}

fn table(what: &str, sizes: &[usize], make: impl Fn(usize) -> (String, Request)) {
    println!("| {what} | verdict | JSON to verdict | decision | compile |\n| ---: | ---: | ---: | ---: | ---: |");
    for size in sizes {
        let (text, request) = make(*size);
        let policy = compile(&text);
        let prepared = policy.prepare(&request).unwrap();
        let json = request.to_json();
        assert!(prepared.verdict().is_allow(), "{what}: {size}");
        println!(
            "| {size} | {:.0} | {:.0} | {:.0} | {:.0} |",
            time(|| _ = black_box(prepared.verdict())),
            time(|| _ = black_box(policy.verdict_json(json.as_bytes()).unwrap())),
            time(|| _ = black_box(prepared.decide().unwrap().rules().len())),
            time(|| drop(black_box(compile(&text)))) / 1_000.0,
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
