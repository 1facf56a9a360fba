//! Policies of any size, each with a request for it: first those that are allowed, then those that are not.

use std::fmt::Write;

use chrono::{DateTime, Utc};
use stagegate::{Approval, Build, Compiler, Limits, MemoryLoader, Policy, Request, Word};

/// Something that can grow.
#[allow(dead_code)]
pub struct Growing {
    pub what: &'static str,
    /// The same in one word.
    pub word: &'static str,
    pub sizes: &'static [usize],
    /// Whether the request is allowed.
    pub allowed: bool,
    /// The source, and a request.
    pub make: fn(usize) -> (String, Request),
}

pub const ALL: [Growing; 13] = [
    Growing {
        what: "rules of the stage asked",
        word: "rules",
        sizes: &[10, 100, 1_000, 5_000],
        allowed: true,
        make: rules,
    },
    Growing {
        what: "stages, of which one is asked",
        word: "stages",
        sizes: &[1, 10, 100, 1_000],
        allowed: true,
        make: stages,
    },
    Growing {
        what: "approvals",
        word: "approvals",
        sizes: &[1, 10, 100, 1_000, 10_000],
        allowed: true,
        make: approvals,
    },
    Growing {
        what: "people in the group",
        word: "people",
        sizes: &[1, 10, 1_000, 100_000],
        allowed: true,
        make: people,
    },
    Growing {
        what: "facts supplied, of which the stage reads one",
        word: "facts",
        sizes: &[1, 10, 100, 1_000],
        allowed: true,
        make: facts,
    },
    Growing { what: "freezes", word: "freezes", sizes: &[1, 10, 100, 1_000], allowed: true, make: freezes },
    Growing {
        what: "windows, the last of which is open",
        word: "windows",
        sizes: &[1, 10, 100, 1_000],
        allowed: true,
        make: windows,
    },
    Growing {
        what: "included files, each in the one before",
        word: "includes",
        sizes: &[1, 4, 16, 63],
        allowed: true,
        make: includes,
    },
    Growing {
        what: "facts that are missing, a rule for each",
        word: "missing",
        sizes: &[1, 10, 100, 1_000],
        allowed: false,
        make: missing,
    },
    Growing {
        what: "freezes in force, ending one by one",
        word: "frozen",
        sizes: &[1, 10, 100, 700],
        allowed: false,
        make: frozen,
    },
    Growing {
        what: "windows, all of them shut",
        word: "shut",
        sizes: &[1, 10, 100, 1_000],
        allowed: false,
        make: shut,
    },
    Growing {
        what: "approve rules, half approved, each of people of its own",
        word: "quorums",
        sizes: &[1, 10, 100, 1_000],
        allowed: false,
        make: quorums,
    },
    Growing {
        what: "stages that soak, all at once",
        word: "soaks",
        sizes: &[1, 10, 100, 1_000],
        allowed: false,
        make: soaks,
    },
];

fn rules(n: usize) -> (String, Request) {
    let mut text = String::from("fact f : number\nstage S {\n");
    (0..n).for_each(|i| writeln!(text, "  require r{i}: f >= {}", i % 50).unwrap());
    (text + "}\n", request("S").fact("f", 60))
}

fn stages(n: usize) -> (String, Request) {
    let mut text = String::from("fact f : number\n");
    (0..n).for_each(|i| writeln!(text, "stage S{i} {{ require a: f >= 1 require b: f < 90 }}").unwrap());
    (text, request("S0").fact("f", 60))
}

fn approvals(n: usize) -> (String, Request) {
    let text = "group g = [a, b, c]\nstage S { approve two: 2 of g valid 24h }\n".to_string();
    let approve = |r: Request, who: String| r.approval(Approval::new(who, Word::Approve, now()));
    let request = (0..n).fold(request("S"), |r, i| approve(r, format!("p{i}")));
    (text, approve(approve(request, "a".into()), "b".into()))
}

fn people(n: usize) -> (String, Request) {
    let people: Vec<String> = (0..n).map(|i| format!("p{i}")).collect();
    let text = format!("group g = [{}]\nstage S {{ approve one: 1 of g }}\n", people.join(", "));
    (text, request("S").approved("p0", now()))
}

fn facts(n: usize) -> (String, Request) {
    let mut text = String::new();
    (0..n).for_each(|i| writeln!(text, "fact f{i} : number").unwrap());
    text.push_str("stage S { require a: f0 >= 1 }\nstage T { ");
    (0..n).for_each(|i| write!(text, "require r{i}: f{i} >= 1 ").unwrap());
    (text + "}\n", (0..n).fold(request("S"), |r, i| r.fact(format!("f{i}"), 5)))
}

fn freezes(n: usize) -> (String, Request) {
    let mut text = String::from("timezone \"Europe/Berlin\"\nstage S {\n");
    (0..n).for_each(|i| writeln!(text, "  freeze f{i}: sun {:02}:{:02} .. sun 23:59", i % 20, i % 60).unwrap());
    (text + "}\n", request("S"))
}

fn windows(n: usize) -> (String, Request) {
    let mut text = String::from("timezone \"Europe/Berlin\"\nstage S {\n");
    (1..n).for_each(|i| writeln!(text, "  window w{i}: sun {:02}:{:02} .. sun 23:59", i % 20, i % 60).unwrap());
    (text + "  window open: daily 00:00..24:00\n}\n", request("S"))
}

fn includes(n: usize) -> (String, Request) {
    let mut text = String::new();
    for i in 0..n {
        let next = if i + 1 < n { format!("include \"f{}.gate\"", i + 1) } else { String::new() };
        writeln!(text, "--- f{i}.gate\n{next}\nfact f{i} : number\nstage S {{ require r{i}: f{i} >= 1 }}").unwrap();
    }
    (text, (0..n).fold(request("S"), |r, i| r.fact(format!("f{i}"), 5)))
}

fn missing(n: usize) -> (String, Request) {
    let mut text = String::new();
    (0..n).for_each(|i| writeln!(text, "fact f{i} : number").unwrap());
    text.push_str("stage S {\n");
    (0..n).for_each(|i| writeln!(text, "  require r{i}: f{i} >= 1").unwrap());
    (text + "}\n", request("S"))
}

fn frozen(n: usize) -> (String, Request) {
    let mut text = String::from("timezone \"Europe/Berlin\"\nstage S {\n");
    (0..n).for_each(|i| writeln!(text, "  freeze f{i}: wed 01:00 .. wed {:02}:{:02}", 12 + i / 60, i % 60).unwrap());
    (text + "}\n", request("S"))
}

fn shut(n: usize) -> (String, Request) {
    let mut text = String::from("timezone \"Europe/Berlin\"\nstage S {\n");
    (0..n).for_each(|i| writeln!(text, "  window w{i}: sun {:02}:{:02} .. sun 23:59", i / 60, i % 60).unwrap());
    (text + "}\n", request("S"))
}

fn quorums(n: usize) -> (String, Request) {
    let mut text = String::new();
    (0..n).for_each(|i| writeln!(text, "group g{i} = [a{i}, b{i}]").unwrap());
    text.push_str("stage S {\n");
    (0..n).for_each(|i| writeln!(text, "  approve q{i}: 2 of g{i}").unwrap());
    (text + "}\n", (0..n).fold(request("S"), |r, i| r.approved(format!("a{i}"), now())))
}

fn soaks(n: usize) -> (String, Request) {
    let names: Vec<String> = (0..n).map(|i| format!("P{i}")).collect();
    let mut text: String = names.iter().map(|p| format!("stage {p} {{ advise any: build.author is set }}\n")).collect();
    writeln!(text, "stage S after {} for 5d {{}}", names.join(", ")).unwrap();
    (text, names.iter().fold(request("S"), |r, p| r.succeeded(p, now())))
}

fn now() -> DateTime<Utc> {
    // A Wednesday.
    "2026-03-04T10:00:00Z".parse().unwrap()
}

fn request(stage: &str) -> Request {
    Request::to(stage).build(Build::new("7").author("nobody")).at(now()).manual("tim")
}

/// One file, or several, each after a line `--- name`.
pub fn compile(text: &str) -> Policy {
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
