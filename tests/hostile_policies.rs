//! What a stranger may put into a policy and a request, from the text to the printed decision: every nesting to its limit
//! and one beyond, on a stack of 256 KiB, and many of everything, in time that grows as the input does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::type_complexity)]

use std::time::{Duration, Instant};

use stagegate::{Compiler, Limits, MemoryLoader, Policy, Request};

const DEPTH: usize = 64;

fn small_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(256 * 1024).spawn(work).unwrap().join().expect("neither panic nor overflow")
}

/// Compiles, decides, prints and drops on a small stack. The decision, or the codes of what is wrong.
fn whole_way(files: Vec<(String, String)>, request: String) -> Result<String, Vec<&'static str>> {
    small_stack(move || {
        let loader = files.iter().fold(MemoryLoader::new(), |loader, (name, text)| loader.with(name, text.as_str()));
        let policy = match Compiler::new().loader(&loader).compile("p.gate") {
            Ok(policy) => policy,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                return Err(error.diagnostics().iter().map(|d| d.code.as_str()).collect());
            }
        };
        let request = Request::from_json(request.as_bytes()).unwrap();
        let decision = policy.decide(&request).unwrap();
        assert_eq!(policy.verdict(&request).unwrap(), decision.verdict());
        let json = serde_json::to_string(&decision).unwrap();
        assert!(json.contains("\"verdict\""));
        let from = request.now.unwrap();
        policy.timeline(&request, from, from + chrono::TimeDelta::days(1)).unwrap();
        Ok(decision.to_string())
    })
}

fn one(text: String) -> Result<String, Vec<&'static str>> {
    whole_way(vec![("p.gate".into(), text)], request("{}"))
}

fn request(facts: &str) -> String {
    format!(
        r#"{{ "stage": "S", "now": "2026-03-04T18:00:00Z", "build": {{ "id": "42", "author": "mara" }}, "facts": {facts} }}"#
    )
}

fn holds_to_the_limit(make: impl Fn(usize) -> String) {
    let told = one(make(DEPTH));
    assert!(told.is_ok(), "{told:?} of {}", make(DEPTH));
    for n in [DEPTH + 1, 3_000] {
        assert_eq!(one(make(n)).unwrap_err(), ["E0713"], "{n}");
    }
}

#[test]
fn conditions_nest_to_the_limit() {
    // The braces of the stage are one level.
    let stage = |cond: String| format!("fact a : bool stage S {{ require r: {cond} }}");
    holds_to_the_limit(|n| stage(format!("{}a{}", "(".repeat(n - 1), ")".repeat(n - 1))));
    holds_to_the_limit(|n| stage(format!("{}a", "not ".repeat(n - 1))));
    holds_to_the_limit(|n| stage(format!("{}a{}", "a or (a and ".repeat(n - 1), ")".repeat(n - 1))));
    holds_to_the_limit(|n| {
        format!("fact a : bool stage S {{ forbid r: a when {}a{} }}", "(".repeat(n - 1), ")".repeat(n - 1))
    });
}

#[test]
fn definitions_use_one_another_to_the_limit() {
    let chain = |n: usize| {
        let mut text = "fact a : bool define d1 = a\n".to_string();
        for i in 2..=n {
            text += &format!("define d{i} = not d{} or a\n", i - 1);
        }
        text + &format!("stage S {{ require r: d{n} }}")
    };
    holds_to_the_limit(chain);
}

#[test]
fn calendars_use_one_another_to_the_limit() {
    let chain = |n: usize| {
        let mut text = "calendar c1 = wed 00:00..24:00\n".to_string();
        for i in 2..=n {
            text += &format!("calendar c{i} = c{}, yearly dec {} except sun 00:00..12:00\n", i - 1, i % 28 + 1);
        }
        text + &format!("stage S {{ window r: c{n} freeze f: sat 00:00..24:00 except c{n} }}")
    };
    holds_to_the_limit(chain);
}

#[test]
fn includes_nest_as_far_as_they_may_be_many() {
    let files = |n: usize| {
        let mut files = vec![("p.gate".to_string(), "include \"1.gate\" stage S { trigger push }".to_string())];
        for i in 1..=n {
            let next = if i < n { format!("include \"{}.gate\"", i + 1) } else { String::new() };
            files.push((format!("{i}.gate"), format!("{next} stage * {{ require r{i}: build.branch is set }}")));
        }
        files
    };
    assert!(whole_way(files(64), request("{}")).unwrap().contains("r64"));
    assert_eq!(whole_way(files(65), request("{}")).unwrap_err(), ["E0714"]);
    // Those that are not there count too.
    let absent: String = (0..2_000).map(|i| format!("include \"no{i}.gate\"\n")).collect();
    let codes = one(absent + "stage S { trigger push }").unwrap_err();
    assert_eq!(codes.iter().filter(|code| **code == "E0714").count(), 1);
    assert!(codes.len() < 80, "{codes:?}");
}

#[test]
fn scenarios_taken_in_by_scenarios_do_not_recurse() {
    let chain = |n: usize| {
        let mut text = "fact a : bool scenario s0 { at 2026-03-04 10:00 build { id: \"1\" } }\n".to_string();
        for i in 1..=n {
            text += &format!("scenario s{i} {{ given s{} }}\n", i - 1);
        }
        text + &format!("stage S {{ require r: a }} test \"t\" {{ given s{n} expect S hold }}")
    };
    for n in [DEPTH, DEPTH + 1, 5_000] {
        let told = one(chain(n));
        assert!(told.is_ok() || told == Err(vec!["E0713"]), "{n}: {told:?}");
    }
}

#[test]
fn facts_nest_to_the_limit_and_are_dropped() {
    let nested = |n: usize| format!("{{ \"f\": {}1{} }}", "[".repeat(n), "]".repeat(n));
    let read = |text: String| small_stack(move || Request::from_json(request(&text).as_bytes()).map(drop));
    assert!(read(nested(8)).is_ok());
    for n in [9, 100, 127, 128, 200, 100_000] {
        let refused = read(nested(n)).unwrap_err();
        assert!(!refused.to_string().is_empty());
    }
    let maps = |n: usize| format!("{{ \"f\": {}1{} }}", "{\"a\":".repeat(n), "}".repeat(n));
    assert!(read(maps(8)).is_ok());
    assert!(read(maps(9)).is_err() && read(maps(100_000)).is_err());
}

// ---------------------------------------------------------------- growth

fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..3)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort();
    times[1]
}

/// Twice as much takes less than three times as long. Machines are shared: a slow answer is asked again.
fn grows_evenly(what: &str, n: usize, work: impl Fn(usize)) {
    let mut told = Vec::new();
    for _ in 0..4 {
        let (once, twice) = (median(|| work(n)), median(|| work(2 * n)));
        if twice < once * 3 || twice < Duration::from_millis(20) {
            return;
        }
        told.push((once, twice));
    }
    panic!("{what}: {told:?} for {n} and {}", 2 * n);
}

fn compile(text: &str) -> Result<Policy, usize> {
    Policy::parse("p.gate", text).map_err(|error| {
        let _ = error.to_string();
        error.diagnostics().len()
    })
}

fn asked(text: &str, json: &str) {
    let policy = Policy::parse("p.gate", text).unwrap();
    let request = Request::from_json(json.as_bytes()).unwrap();
    let decision = policy.decide(&request).unwrap();
    assert_eq!(policy.verdict(&request).unwrap(), decision.verdict());
    let _ = (decision.to_string(), serde_json::to_string(&decision).unwrap());
}

fn many(n: usize, of: impl Fn(usize) -> String) -> String {
    (0..n).map(of).collect()
}

fn list(n: usize, of: impl Fn(usize) -> String) -> String {
    (0..n).map(of).collect::<Vec<_>>().join(", ")
}

#[test]
fn rules_definitions_stages_and_times_cost_as_many_as_they_are() {
    let empty = request("{}");
    grows_evenly("rules", 500, |n| {
        let rules = many(n, |i| format!("require r{i}: a == {i} when a > {i}\n"));
        asked(&format!("fact a : number stage S {{ {rules} }}"), &request("{ \"a\": 7000 }"));
    });
    grows_evenly("definitions", 500, |n| {
        let defines = many(n, |i| format!("define d{i} = a > {i}\n"));
        let rules = many(n, |i| format!("require r{i}: d{i}\n"));
        asked(&format!("fact a : number {defines} stage S {{ {rules} }}"), &empty);
    });
    grows_evenly("stages", 500, |n| {
        let stages = many(n, |i| {
            format!("stage T{i} after {} {{ trigger push }}\n", if i == 0 { "S".into() } else { format!("T{}", i - 1) })
        });
        asked(&format!("stage S {{ trigger push }} {stages}"), &empty);
    });
    grows_evenly("windows", 50, |n| {
        let windows =
            many(n, |i| format!("window w{i}: daily {:02}:{:02}..{:02}:{:02}\n", i % 24, i % 60, (i + 1) % 24, i % 60));
        asked(&format!("stage S {{ {windows} }}"), &empty);
    });
    grows_evenly("freezes", 50, |n| {
        let freezes = many(n, |i| {
            format!("freeze w{i}: mon..fri {:02}:{:02}..{:02}:{:02}\n", i % 24, i % 60, (i + 1) % 24, i % 60)
        });
        asked(&format!("stage S {{ {freezes} window w: wed 00:00..24:00 }}"), &empty);
    });
    grows_evenly("dates of a calendar", 500, |n| {
        let dates = list(n, |i| format!("{}-{:02}-{:02}", 2000 + i / 336, i / 28 % 12 + 1, i % 28 + 1));
        asked(&format!("calendar c = {dates} stage S {{ freeze w: c window x: wed 00:00..24:00 except c }}"), &empty);
    });
    grows_evenly("triggers", 500, |n| {
        let triggers = many(n, |i| format!("trigger t{i}: push to \"b{i}/*\"\n"));
        asked(
            &format!("stage S {{ {triggers} }}"),
            &request("{}").replace("\"facts\"", "\"trigger\": { \"kind\": \"push\", \"branch\": \"x\" }, \"facts\""),
        );
    });
    grows_evenly("schedules", 30, |n| {
        let triggers = many(n, |i| format!("trigger t{i}: schedule \"{} {} 1 1 *\"\n", i % 60, i % 24));
        asked(
            &format!("stage S {{ {triggers} }}"),
            &request("{}").replace("\"facts\"", "\"trigger\": { \"kind\": \"schedule\" }, \"facts\""),
        );
    });
}

#[test]
fn overrides_cost_as_many_as_they_and_their_rules_are() {
    grows_evenly("overrides that name a rule each", 400, |n| {
        let rules = many(n, |i| format!("require r{i}: a\noverride o{i}: 1 of [tim] may skip r{i}\n"));
        asked(&format!("fact a : bool stage S {{ {rules} }}"), &request("{ \"a\": false }"));
    });
    grows_evenly("names of one override", 2_000, |n| {
        let rules = many(n, |i| format!("require r{i}: a\n"));
        let names = list(n, |i| format!("r{i}"));
        asked(&format!("fact a : bool stage S {{ {rules} override o: 1 of [tim] may skip {names} }}"), &request("{}"));
    });
    // Each skips all the others: that is counted, and too much.
    let start = Instant::now();
    let rules = many(3_000, |i| format!("require r{i}: a\noverride o{i}: 1 of [tim] may skip all but r{i}\n"));
    let error = Policy::parse("p.gate", format!("fact a : bool stage S {{ {rules} }}")).unwrap_err();
    assert_eq!(error.diagnostics()[0].code.as_str(), "E0714", "{error}");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn people_cost_as_many_as_they_are() {
    let people = |n: usize| list(n, |i| format!("p{i}"));
    let approvals = |n: usize, word: &str| {
        list(n, |i| format!("{{ \"by\": \"p{i}\", \"decision\": \"{word}\", \"at\": \"2026-03-04T10:00:00Z\" }}"))
    };
    let with = |entries: String| request("{}").replace("\"facts\"", &format!("\"approvals\": [{entries}], \"facts\""));
    grows_evenly("people of a group", 2_000, |n| {
        asked(
            &format!("group g = [{}] stage S {{ approve q: 2 of g approve r: {n} of g }}", people(n)),
            &with(String::new()),
        );
    });
    grows_evenly("people who approve", 1_000, |n| {
        asked(&format!("group g = [{}] stage S {{ approve q: all of g }}", people(n)), &with(approvals(n, "approve")));
    });
    grows_evenly("people who reject", 1_000, |n| {
        asked(&format!("group g = [{}] stage S {{ approve q: all of g }}", people(n)), &with(approvals(n, "reject")));
    });
    grows_evenly("strangers who approve", 1_000, |n| {
        asked("group g = [tim] stage S { approve q: 1 of g approve r: 1 of [ann] }", &with(approvals(n, "approve")));
    });
    grows_evenly("distinct approvers", 500, |n| {
        let text = format!(
            "group g = [{}] group h = [{}] stage S {{ approve q: {} of g approve r: {} of h distinct approvers }}",
            people(2 * n),
            people(n),
            n,
            n
        );
        asked(&text, &with(approvals(2 * n, "approve")));
    });
    grows_evenly("distinct approvers of whom there are too few", 500, |n| {
        let text = format!(
            "group g = [{}] stage S {{ approve q: {n} of g approve r: 1 of g or [x] approve s: 1 of g or [y] distinct approvers }}",
            people(n)
        );
        asked(&text, &with(approvals(n, "approve")));
    });
    grows_evenly("people of an override", 1_000, |n| {
        let invoked = list(n, |i| format!("{{ \"name\": \"o\", \"by\": \"p{i}\", \"at\": \"2026-03-04T10:00:00Z\" }}"));
        asked(
            &format!(
                "group g = [{}] stage S {{ require r: build.branch is set override o: {} of g may skip r }}",
                people(n),
                n
            ),
            &request("{}").replace("\"facts\"", &format!("\"overrides\": [{invoked}], \"facts\"")),
        );
    });
}

#[test]
fn what_is_still_to_come_costs_no_more_than_the_search_may() {
    // Each of these changes something at an instant of its own.
    let at = |i: usize| format!("2026-03-05T{:02}:{:02}:{:02}.{:03}Z", i / 3600 % 24, i / 60 % 60, i % 60, i / 86_400);
    let approvals = |n: usize| {
        list(n, |i| {
            format!(
                "{{ \"by\": \"p{}\", \"decision\": \"{}\", \"at\": \"{}\" }}",
                i % 7,
                ["approve", "withdraw"][i % 2],
                at(i)
            )
        })
    };
    let runs = |n: usize| {
        list(n, |i| {
            format!("{{ \"stage\": \"T\", \"status\": \"{}\", \"at\": \"{}\" }}", ["succeeded", "failed"][i % 2], at(i))
        })
    };
    let policy = "group g = [p0, p1, p2, p3, p4, p5, p6]
        stage T { trigger push }
        stage S after T { approve q: 3 of g require r: T.age > 2d advise a: T.status == passed approve z: 1 of [zoe] }";
    let start = Instant::now();
    asked(
        policy,
        &request("{}").replace(
            "\"facts\"",
            &format!("\"approvals\": [{}], \"history\": [{}], \"facts\"", approvals(20_000), runs(20_000)),
        ),
    );
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

#[test]
fn many_mistakes_are_answered_in_time_and_not_all_of_them_told() {
    let mistakes: [(&str, &dyn Fn(usize) -> String); 9] = [
        ("unknown facts", &|n| format!("stage S {{ {} }}", many(n, |i| format!("require r{i}: nofact{i} == 1\n")))),
        ("unknown groups", &|n| format!("stage S {{ {} }}", many(n, |i| format!("approve r{i}: 1 of nogroup{i}\n")))),
        ("unknown stages", &|n| many(n, |i| format!("stage S{i} after None{i} {{ trigger push }}\n"))),
        ("unknown rules", &|n| {
            let rules = many(n, |i| format!("require r{i}: a\n"));
            format!(
                "fact a : bool stage S {{ {rules} override o: 1 of [tim] may skip {} }}",
                list(n, |i| format!("no{i}"))
            )
        }),
        ("unknown zones", &|n| {
            format!("stage S {{ {} }}", many(n, |i| format!("window w{i}: wed 00:00..24:00 in \"No/Zone{i}\"\n")))
        }),
        ("unknown calendars", &|n| format!("stage S {{ {} }}", many(n, |i| format!("window w{i}: nocalendar{i}\n")))),
        ("wrong schedules", &|n| {
            format!("stage S {{ {} }}", many(n, |i| format!("trigger t{i}: schedule \"{i} 99 * * *\"\n")))
        }),
        ("clashes of types", &|n| {
            format!("fact a : number stage S {{ {} }}", many(n, |i| format!("require r{i}: a == \"{i}\"\n")))
        }),
        ("rules named twice", &|n| {
            format!("fact a : bool stage S {{ {} }}", many(n, |_| "require r: a\n".to_string()))
        }),
    ];
    for (what, make) in mistakes {
        grows_evenly(what, 700, |n| {
            let told = compile(&make(n)).unwrap_err();
            assert!((100..=200).contains(&told), "{what}: {told}");
        });
    }
    let error = Policy::parse("p.gate", mistakes[0].1(1_000)).unwrap_err();
    let last = error.diagnostics().last().unwrap();
    assert_eq!(last.help.last().unwrap(), "800 more like these are not shown");
}

#[test]
fn circles_of_many_stages_and_definitions_are_answered_in_time() {
    grows_evenly("a circle of definitions", 500, |n| {
        let chain = many(n, |i| format!("define d{i} = d{} or d{}\n", (i + 1) % n, i / 2));
        compile(&format!("{chain} stage S {{ require r: d0 }}")).unwrap_err();
    });
    grows_evenly("circles of stages", 300, |n| {
        let chain = many(n, |i| format!("stage T{i} after T{} {{ trigger push }}\n", i + 1));
        compile(&format!("{chain} stage T{n} after {} {{ trigger push }}", list(n, |i| format!("T{i}")))).unwrap_err();
    });
    grows_evenly("a chain of approvers", 100, |n| {
        let rules = many(n, |i| {
            format!(
                "approve r{i}: 1 of g{}\n",
                if i == 0 { " valid 1d".to_string() } else { format!(" except approvers of r{}", i - 1) }
            )
        });
        asked(&format!("group g = [a, b, c] stage S {{ {rules} }}"), &request("{}"));
    });
}

#[test]
fn one_rule_for_every_stage_is_counted_for_every_stage() {
    // 60,000 people in 50 stages would be three million entries.
    let start = Instant::now();
    let people = list(30_000, |i| format!("p{i}"));
    let stages = many(50, |i| format!("stage S{i} {{ trigger push }}\n"));
    let error =
        Policy::parse("p.gate", format!("group g = [{people}] {stages} stage * {{ approve q: 2 of g }}")).unwrap_err();
    assert_eq!(error.diagnostics()[0].code.as_str(), "E0714");
    let names = list(15_000, |i| format!("no{i}"));
    let unknown = format!("{stages} stage * {{ override o: 1 of [tim] may skip {names} }}");
    assert!(Policy::parse("p.gate", unknown).is_err());
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn large_requests_are_answered_in_time() {
    let with = |field: &str, entries: String| {
        request("{}").replace(
            "\"facts\"",
            &format!("{field}{entries}{}, \"facts\"", if field.ends_with('[') { "]" } else { "}" }),
        )
    };
    let policy = "fact a : optional number group d from directory stage T { trigger push }
        stage S { require r: a is missing approve q: 1 of d override o: 1 of d may skip q }";
    grows_evenly("runs in unknown stages", 2_000, |n| {
        asked(
            policy,
            &with(
                "\"history\": [",
                list(n, |i| {
                    format!("{{ \"stage\": \"X{i}\", \"status\": \"failed\", \"at\": \"2026-03-04T10:00:00Z\" }}")
                }),
            ),
        );
    });
    grows_evenly("overrides that do not exist", 2_000, |n| {
        asked(
            policy,
            &with(
                "\"overrides\": [",
                list(n, |i| format!("{{ \"name\": \"x{i}\", \"by\": \"tim\", \"at\": \"2026-03-04T10:00:00Z\" }}")),
            ),
        );
    });
    grows_evenly("facts that are not declared", 2_000, |n| {
        asked(policy, &request(&format!("{{ {} }}", list(n, |i| format!("\"f{i}\": {i}")))));
    });
    grows_evenly("members of a directory", 2_000, |n| {
        asked(
            policy,
            &with("\"groups\": { \"d\": [", list(n, |i| format!("\"p{i}\"")) + "]")
                .replace("]], \"facts\"", "]}, \"facts\""),
        );
    });
    // What is odd about it is told, each thing once, and no more than a person would read.
    let run =
        |stage: &str| format!("{{ \"stage\": \"{stage}\", \"status\": \"failed\", \"at\": \"2026-03-04T10:00:00Z\" }}");
    let odd = list(500, |i| run(&format!("X{}", i / 2)));
    let odd = Request::from_json(with("\"history\": [", odd).as_bytes()).unwrap();
    let decision = Policy::parse("p.gate", policy).unwrap().decide(&odd).unwrap();
    assert_eq!(decision.warnings().len(), 51);
    assert_eq!(decision.warnings()[50], "200 more warnings like these are not shown");
    // As many as there may be, and one more.
    let entries = |n: usize| request(&format!("{{ \"a\": null, \"l\": [{}] }}", list(n, |i| i.to_string())));
    let limit = Limits::default().request_entries;
    assert!(Request::from_json(entries(limit - 2).as_bytes()).is_ok());
    let refused = Request::from_json(entries(limit + 1).as_bytes()).unwrap_err();
    assert!(refused.to_string().contains("200000 entries"), "{refused}");
}
