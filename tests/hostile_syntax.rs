//! What a stranger may put into a policy: every nesting to its limit and one beyond, long chains, long lists, large
//! literals, many errors. All of it on a stack of 256 KiB, and in time that grows as the text does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::type_complexity)]

mod syntax;

use std::time::{Duration, Instant};

use stagegate::diagnostic::Sources;
use stagegate::syntax::{Parsed, parse};
use stagegate::{Limits, format};

const DEPTH: usize = 64;

fn small_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(256 * 1024).spawn(work).unwrap().join().expect("neither panic nor overflow")
}

/// Reads, prints, copies and drops on a small stack: the numbers of what is wrong.
fn codes(text: String) -> Vec<&'static str> {
    small_stack(move || {
        let (parsed, _) = syntax::read(&text);
        let codes: Vec<&'static str> = parsed.diagnostics.iter().map(|d| d.code.as_str()).collect();
        let copy = parsed.file.clone();
        assert_eq!(copy.items.len(), parsed.file.items.len());
        drop(copy);
        let printed = format("p.gate", &text, &Limits::default());
        assert_eq!(printed.is_ok(), codes.is_empty());
        if let Ok(printed) = printed {
            assert_eq!(format("p.gate", &printed, &Limits::default()).unwrap(), printed);
        }
        codes
    })
}

fn holds_to_the_limit(make: impl Fn(usize) -> String) {
    assert_eq!(codes(make(DEPTH)), Vec::<&str>::new(), "{}", make(DEPTH));
    assert_eq!(codes(make(DEPTH + 1)), ["E0713"], "{}", make(DEPTH + 1));
    assert_eq!(codes(make(5_000)), ["E0713"]);
}

#[test]
fn brackets_in_conditions_nest_to_the_limit() {
    holds_to_the_limit(|n| format!("define d = {}a{}", "(".repeat(n), ")".repeat(n)));
    holds_to_the_limit(|n| format!("stage S {{ require r: {}a{} }}", "(".repeat(n - 1), ")".repeat(n - 1)));
    holds_to_the_limit(|n| format!("stage S {{ require r: a when {}a{} }}", "(".repeat(n - 1), ")".repeat(n - 1)));
}

#[test]
fn the_deepest_trees_that_brackets_can_make_are_read_printed_and_dropped() {
    // Each bracket holds an `or` of an `and`, so the tree is twice as deep as the brackets.
    holds_to_the_limit(|n| format!("define d = {}z{}", "a or b and (".repeat(n), ")".repeat(n)));
    holds_to_the_limit(|n| format!("define d = {}z{}", "a and (b or ".repeat(n), ")".repeat(n)));
}

#[test]
fn not_counts_as_nesting() {
    holds_to_the_limit(|n| format!("define d = {}a", "not ".repeat(n)));
    // `not` and brackets add up: each level here is one of each.
    holds_to_the_limit(|n| {
        let odd = if n % 2 == 1 { "not " } else { "" };
        format!("define d = {odd}{}z{}", "not (a and ".repeat(n / 2), ")".repeat(n / 2))
    });
    // Those of neighbours do not.
    assert_eq!(codes(format!("define d = {}a", "not (not (a or b)) and ".repeat(500))), Vec::<&str>::new());
}

#[test]
fn types_nest_to_the_limit() {
    holds_to_the_limit(|n| format!("fact f : {}string", "set of ".repeat(n)));
    holds_to_the_limit(|n| format!("fact f : {}string", "map of ".repeat(n)));
}

#[test]
fn lists_and_values_nest_as_deep_as_the_grammar_writes_out() {
    assert_eq!(codes("test \"t\" { fact f = [[[1]]] }".into()), ["E0101"]);
    assert_eq!(codes("test \"t\" { fact f = [[1]] }".into()), Vec::<&str>::new());
    assert_eq!(codes("test \"t\" { fact f = { a: { b: 1 } } }".into()), Vec::<&str>::new());
    for n in [DEPTH, DEPTH + 1, 5_000] {
        for (open, close) in [("[", "]"), ("{a:", "}")] {
            let text = format!("test \"t\" {{ fact f = {}1{} }}", open.repeat(n), close.repeat(n));
            assert_eq!(codes(text).len(), 1);
        }
        assert_eq!(codes(format!("define d = a in {}b{}", "[".repeat(n), "]".repeat(n))).len(), 1);
        assert_eq!(codes(format!("group g = {}b{}", "[".repeat(n), "]".repeat(n))).len(), 1);
        assert_eq!(codes(format!("stage A {}", "{ ".repeat(n))).len(), if n > DEPTH { 1 } else { n });
    }
}

#[test]
fn brackets_without_partners_are_told_and_no_more() {
    for text in ["((((((((", "]]]]]]", "([)]([)]", "}{}{}{", "{{{{[[[[((((", "\"", "/", "not", "not (", "#"] {
        for before in ["", "define d = ", "stage A { require r: ", "test \"t\" { fact f = ", "group g = "] {
            assert!(!codes(format!("{before}{text}")).is_empty(), "{before}{text}");
        }
    }
}

#[test]
fn long_chains_and_lists_are_flat() {
    let n = 1_500;
    assert_eq!(codes(format!("define d = a{}", " and a".repeat(n))), Vec::<&str>::new());
    assert_eq!(codes(format!("define d = a{}", " or a and b".repeat(n / 2))), Vec::<&str>::new());
    assert_eq!(codes(format!("define d = a in [{}]", "\"x\", ".repeat(n))), Vec::<&str>::new());
    assert_eq!(codes(format!("group g = [{}]", "somebody, ".repeat(n))), Vec::<&str>::new());
    assert_eq!(codes(format!("fact f : {{ a{} }}", ", b".repeat(n))), Vec::<&str>::new());
    assert_eq!(codes(format!("calendar c = mon 09:00..10:00{}", ", 2026-03-04".repeat(n))), Vec::<&str>::new());
    assert_eq!(codes(format!("stage A after B{} {{}}", ", C".repeat(n))), Vec::<&str>::new());
    assert_eq!(codes(format!("stage A {{ approve q: 1 of g{} }}", " or h".repeat(n))), Vec::<&str>::new());
    assert_eq!(codes(format!("stage A {{ require r: a{} }}", " when b".repeat(n))), Vec::<&str>::new());
    assert_eq!(codes(format!("stage A {{ {} }}", "trigger push ".repeat(n))), Vec::<&str>::new());
    assert_eq!(codes(format!("define d = a{}", ".a".repeat(n))), Vec::<&str>::new());
    assert_eq!(codes(format!("test \"t\" {{ {} }}", "expect A allow ".repeat(n))), Vec::<&str>::new());
}

#[test]
fn literals_may_be_long_and_numbers_must_be_finite() {
    let n = 100_000;
    assert_eq!(codes(format!("define d = a == \"{}\"", "x".repeat(n))), Vec::<&str>::new());
    assert_eq!(codes(format!("define d = a == \"{}\"", "\\u{41}".repeat(n / 6))), Vec::<&str>::new());
    assert_eq!(codes(format!("define d = a matches /{}/", "x".repeat(n))), Vec::<&str>::new());
    assert_eq!(codes(format!("define {} = a", "x".repeat(n))), Vec::<&str>::new());
    assert_eq!(codes(format!("# {}\npolicy p", "x".repeat(n))), Vec::<&str>::new());
    assert_eq!(codes(format!("define d = a == 0.{}1", "0".repeat(n))), Vec::<&str>::new());
    assert_eq!(codes(format!("define d = a == 1{}", "0".repeat(n))), ["E0103"]);
    assert_eq!(codes("define d = a == 1e99999999999999999999".into()), ["E0103"]);
    assert_eq!(codes("define d = a == -1e99999999999999999999".into()), ["E0103"]);
    assert_eq!(codes("define d = a == 1e-99999999999999999999".into()), Vec::<&str>::new());
    assert_eq!(codes(format!("stage A after B for {}w {{}}", "9".repeat(n))), ["E0104"]);
    assert_eq!(codes(format!("stage A {{ approve q: {} of g }}", "9".repeat(n))), ["E0103"]);
    assert_eq!(codes("define d = a == \"\\u{110000}\\u{d800}\\u{}\\u{1234567}\\u{\\x\"".into()), ["E0102"; 6]);
}

#[test]
fn what_was_misspelt_is_shown_cut_and_harmless() {
    let n = 50_000;
    let texts = [
        "x".repeat(n),
        "é".repeat(n),
        format!("stage A {{ {} x: y }}", "require".repeat(n / 8)),
        format!("fact f : {}", "q".repeat(n)),
        format!("policy p {}", "\u{202e}\u{1b}[2J".repeat(20)),
    ];
    for text in texts {
        let told = small_stack(move || {
            let (parsed, _) = syntax::read(&text);
            parsed.diagnostics.into_iter().map(|d| d.message).collect::<Vec<_>>()
        });
        assert!(!told.is_empty());
        for message in told {
            assert!(message.len() < 300, "{} bytes of message", message.len());
            assert!(!message.contains(['\u{1b}', '\u{202e}']), "{message}");
        }
    }
}

#[test]
fn of_many_errors_the_first_hundred_are_told() {
    let told = codes("fact f : nothing\n".repeat(150));
    assert_eq!(told, ["E0206"; 100]);
    let told = codes("fact f = nothing\n".repeat(150));
    assert_eq!(told, ["E0101"; 100]);
    assert_eq!(codes("\"\n".repeat(150)), ["E0102"; 100]);
    assert_eq!(codes("} ".repeat(150)), ["E0106"; 100]);
    let told = codes(format!("stage A {{\n{}}}", "  require r: a = 3\n".repeat(150)));
    assert_eq!(told, ["E0101"; 100]);
}

#[test]
fn limits_are_counted() {
    let read = |text: &str, limits: &Limits| -> Parsed {
        let mut sources = Sources::default();
        let id = sources.add("p.gate", text);
        parse(&sources, id, limits)
    };
    let code = |text: &str, limits: &Limits| read(text, limits).diagnostics.first().map(|d| d.code.as_str());
    let small = Limits { source_bytes: 8, ..Limits::default() };
    assert_eq!(code("policy p", &small), None);
    assert_eq!(code("policy pp", &small), Some("E0711"));
    let few = Limits { tokens: 2, ..Limits::default() };
    assert_eq!(code("policy p # any comment", &few), None);
    assert_eq!(code("policy p policy p", &few), Some("E0714"));
    let flat = Limits { depth: 1, ..Limits::default() };
    assert_eq!(code("define d = (a)", &flat), None);
    assert_eq!(code("define d = ((a))", &flat), Some("E0713"));
    assert_eq!(code("define d = not (a)", &flat), Some("E0713"));
}

/// The least of a few runs: what the machine does besides cannot make it less.
fn time(text: &str) -> Duration {
    let run = || {
        let start = Instant::now();
        let (parsed, sources) = syntax::read(text);
        let _ = syntax::rendered(&parsed.diagnostics[..parsed.diagnostics.len().min(1)], &sources);
        if parsed.diagnostics.is_empty() {
            format("p.gate", text, &Limits::default()).unwrap();
        }
        start.elapsed()
    };
    (0..3).map(|_| run()).min().unwrap()
}

#[test]
fn eight_times_the_text_takes_about_eight_times_the_time() {
    let grows: [(&str, fn(usize) -> String); 14] = [
        ("and chain", |n| format!("define d = a{}", " and a".repeat(n))),
        ("chain with brackets", |n| format!("define d = a{}", " and (a or b)".repeat(n / 3))),
        ("list", |n| format!("group g = [{}]", "tim, ".repeat(n))),
        ("long line of rules", |n| format!("stage A {{ {} }}", "require r: a ".repeat(n / 2))),
        ("comments", |n| format!("stage A {{\n{}}}", "trigger push # why\n# more\n".repeat(n / 2))),
        ("comments in a list", |n| format!("group g = [\n{}]", "tim, # who\n".repeat(n / 2))),
        ("comments in a condition", |n| format!("define d = a{}", "\n# why\n or a".repeat(n / 2))),
        ("escapes", |n| format!("define d = a == \"{}\"", "\\n".repeat(n * 4))),
        ("broken rules", |n| format!("stage A {{\n{}}}", "require r: a = 1\n".repeat(n / 4))),
        ("broken stages", |n| "stage A {\nrequire r: a = 1\n}\n".repeat(n / 4)),
        ("broken on one line", |n| format!("stage A {{ {} }}", "require r: a = 1 ".repeat(n / 4))),
        ("open strings", |n| "\"\n".repeat(n)),
        ("open brackets", |n| "stage A {\nrequire r: (a\n}\n".repeat(n / 4)),
        ("facts in a run", |n| "fact a : bool\n".repeat(n / 3)),
    ];
    for (what, make) in grows {
        let n = 500;
        let (mut once, mut more, mut ratio) = (Duration::MAX, Duration::MAX, f64::MAX);
        // On a busy machine the least of several is what the work itself takes. Were it the square, it would be 64 times.
        for _ in 0..25 {
            once = once.min(time(&make(n)));
            more = more.min(time(&make(8 * n)));
            ratio = more.as_secs_f64() / once.as_secs_f64();
            if ratio < 20.0 {
                break;
            }
        }
        assert!(ratio < 20.0, "{what}: eight times the text takes {ratio} times the time");
    }
}

#[test]
fn what_looks_like_another_policy_than_it_is_is_refused() {
    let rule = |text: &str| format!("stage S {{\n  {text}\n}}\n");
    // A reviewer would see the second rule on a line of its own; it would be part of the comment.
    for end in ["\r", "\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\u{2029}"] {
        assert_eq!(codes(rule(&format!("require a: a # why{end}  require b: b"))), ["E0101"], "{end:?}");
        assert_eq!(codes(rule(&format!("require a: a because \"x{end}y\""))), ["E0101"], "{end:?}");
    }
    for turn in ["\u{202a}", "\u{202e}", "\u{2066}", "\u{2069}"] {
        assert_eq!(codes(rule(&format!("require a: a # {turn}why"))), ["E0101"], "{turn:?}");
        assert_eq!(codes(rule(&format!("require a: x == \"a{turn}b\""))), ["E0101"], "{turn:?}");
    }
    // What only ends lines, or is written as an escape, is fine.
    assert_eq!(codes(rule("require a: a # why\r\n  require b: b\r\n")), Vec::<&str>::new());
    assert_eq!(codes(rule("require a: x == \"a\\u{202e}b\" because \"👩\u{200d}💻 says so\"")), Vec::<&str>::new());
    assert_eq!(codes("stage S {\r  require a: a\r}\r".to_string()), Vec::<&str>::new());
}

#[test]
fn what_is_no_text_is_told_once() {
    let utf16: String = "policy p stage S { trigger push }".chars().flat_map(|c| ['\0', c]).collect();
    assert_eq!(codes(utf16), ["E0101"]);
    assert_eq!(codes("policy p\0 stage S { trigger push }".to_string()), ["E0101"]);
    assert_eq!(codes("stage S\u{c} { require a: a }".to_string()), ["E0101"]);
    assert_eq!(codes("stage S { require a: a\u{1b} }".to_string()), ["E0101"]);
}
