//! The language page, sentence by sentence: what it allows is read, and read as what it says.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod syntax;

use stagegate::syntax::tree::*;
use syntax::{errors, shape, tree};

fn reads(text: &str) {
    tree(text);
}

fn rule(text: &str) -> Rule {
    let mut file = tree(&format!("stage A {{ {text} }}"));
    match file.items.remove(0).value {
        Item::Stage(mut stage) => stage.rules.remove(0),
        other => panic!("{other:?}"),
    }
}

fn cond(text: &str) -> Cond {
    let mut file = tree(&format!("define d = {text}"));
    match file.items.remove(0).value {
        Item::Define(define) => define.cond,
        other => panic!("{other:?}"),
    }
}

fn step(text: &str) -> Step {
    let mut file = tree(&format!("test \"t\" {{ {text} }}"));
    match file.items.remove(0).value {
        Item::Test(mut test) => test.steps.remove(0).value,
        other => panic!("{other:?}"),
    }
}

/// Two texts that say the same.
fn same(one: &str, other: &str) {
    assert_eq!(shape(&tree(one)), shape(&tree(other)), "{one}\n{other}");
}

fn code(text: &str) -> &'static str {
    let errors = errors(text);
    assert_eq!(errors.len(), 1, "{text}: {errors:?}");
    errors[0].code.as_str()
}

#[test]
fn newlines_are_white_space_and_comments_run_to_the_end_of_the_line() {
    same("stage A { require r: a == 1 and b }", "stage\nA\n{\nrequire\nr\n:\na\n==\n1\nand\nb\n}");
    same("stage A { trigger push }", "# c\nstage A { # stage {\n trigger # \"\n push # }\n}");
    same("stage A { trigger push trigger manual }", "stage A { trigger push\ntrigger manual }");
    same("define d = a == \"# no comment\"", "define d = a == \"# no comment\" # a comment");
    same("policy p", "\u{feff}policy p\r\n");
}

#[test]
fn a_name_is_a_letter_and_then_letters_digits_underscores_and_dashes() {
    reads("fact a1_b-c : bool fact A : bool");
    assert_eq!(code("fact 1a : bool"), "E0101");
    assert_eq!(code("fact _a : bool"), "E0101");
    assert_eq!(code("fact -a : bool"), "E0101");
    // There is no subtraction: this is one name.
    assert!(matches!(cond("a-b").kind, CondKind::Bare(Operand::Path(path)) if path.parts[0].word.value == "a-b"));
}

#[test]
fn keywords_may_name_rules_where_no_doubt_arises() {
    for word in ["require", "when", "after", "for", "freeze", "stage", "sealed", "because", "of", "all", "manual"] {
        assert_eq!(rule(&format!("require {word}: a")).name.unwrap().value, word);
        assert_eq!(rule(&format!("sealed approve {word}: 1 of g")).name.unwrap().value, word);
        assert_eq!(rule(&format!("trigger {word}: push")).name.unwrap().value, word);
        reads(&format!("stage A {{ override o: 1 of g may skip {word}, {word} valid 1h }}"));
    }
    assert!(rule("trigger push").name.is_none());
    for kind in ["exclusive", "forward only", "distinct approvers"] {
        assert!(rule(kind).name.is_none());
        assert_eq!(rule(&format!("{kind} mine:")).name.unwrap().value, "mine");
    }
    for text in ["require a", "forbid a", "advise a", "window mon 09:00..10:00", "freeze c", "approve 1 of g"] {
        assert_eq!(code(&format!("stage A {{ {text} }}")), "E0111");
    }
}

#[test]
fn strings_have_their_escapes_and_hold_any_letter() {
    let text = |text: &str| match cond(&format!("a == {text}")).kind {
        CondKind::Test(_, Tail::Compare(_, Operand::Literal(literal))) => match literal.value {
            Literal::String(text) => text,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    assert_eq!(text(r#""\"\\\n\t\u{1F600}é🚀""#), "\"\\\n\t😀é🚀");
    assert_eq!(text(r#""{[(# // not a comment""#), "{[(# // not a comment");
    assert_eq!(code(r#"define d = a == "\x""#), "E0102");
    assert_eq!(code("define d = a == \"\nand b"), "E0102");
}

#[test]
fn numbers_durations_and_times_are_read_as_written() {
    let number = |text: &str| match cond(&format!("a == {text}")).kind {
        CondKind::Test(_, Tail::Compare(_, Operand::Literal(literal))) => literal.value,
        other => panic!("{other:?}"),
    };
    assert_eq!(number("79.5"), Literal::Number { value: 79.5, text: "79.5".into() });
    assert_eq!(number("-3"), Literal::Number { value: -3.0, text: "-3".into() });
    for (text, seconds) in [("30s", 30), ("15m", 900), ("2h", 7200), ("1d", 86_400), ("1w", 604_800), ("1h30m", 5400)] {
        assert_eq!(number(text), Literal::Duration(Duration { seconds, text: text.into() }));
    }
    assert_eq!(number("2026-03-04"), Literal::Date(Date { year: 2026, month: 3, day: 4 }));
    let time = |text: &str| match number(text) {
        Literal::DateTime(time) => (time.second, time.zone.map(|zone| zone.value)),
        other => panic!("{other:?}"),
    };
    let named = |zone: &str| Some(ZoneSpec::Named(zone.into()));
    assert_eq!(time("2026-03-04 10:00"), (36_000, None));
    assert_eq!(time("2026-03-04 10:00:00"), (36_000, None));
    assert_eq!(time("2026-03-04T10:00:30Z"), (36_030, Some(ZoneSpec::Offset(0))));
    assert_eq!(time("2026-03-04 10:00 Z"), (36_000, Some(ZoneSpec::Offset(0))));
    assert_eq!(time("2026-03-04 10:00+01:00"), (36_000, Some(ZoneSpec::Offset(3600))));
    assert_eq!(time("2026-03-04 10:00 -08:30"), (36_000, Some(ZoneSpec::Offset(-30_600))));
    assert_eq!(time("2026-03-04 10:00 America/Los_Angeles"), (36_000, named("America/Los_Angeles")));
    assert_eq!(time("2026-03-04 10:00 UTC"), (36_000, named("UTC")));
    assert_eq!(time("2026-03-04 10:00 \"Europe/Berlin\""), (36_000, named("Europe/Berlin")));
    for text in ["2026-02-29", "2026-13-01", "2026-03-04 24:00", "2026-03-04 10:60", "2026-03-04 10:00+19:00"] {
        assert_eq!(code(&format!("define d = a == {text}")), "E0105", "{text}");
    }
}

#[test]
fn a_slash_is_a_regex_only_where_one_can_stand() {
    let regex = |text: &str| match cond(&format!("a matches {text}")).kind {
        CondKind::Test(_, Tail::Regex(regex)) => regex.value,
        other => panic!("{other:?}"),
    };
    assert_eq!(regex(r#"/a\/b["(#{]+\\/"#), r#"a/b["(#{]+\\"#);
    assert_eq!(regex("# the pattern {\n /x/"), "x");
    same("define d = a matches/x{2}/", "define d = a matches /x{2}/");
    // Zones have slashes, and comments after them may hold anything.
    reads("test \"t\" { at 2026-03-04 10:00 Europe/Berlin # see a/b {\n expect A allow # \"\n }");
    reads("calendar c = 2026-03-04 10:00 Europe/Berlin .. 2026-03-05 10:00 Europe/Paris # {[( \"");
    reads("define d = a matches \"release/**\" and b matches \"{a,b}/[a-z]?\"");
}

#[test]
fn facts_have_types_and_may_be_optional_and_secret() {
    for ty in ["bool", "number", "string", "time", "duration", "version", "user", "status", "{ low, high }"] {
        reads(&format!("fact f : {ty} fact g:set of {ty} fact h : map of {ty} fact i : map of set of {ty} optional"));
    }
    same("fact f : optional number", "fact f : number optional");
    same("fact f : string secret optional", "fact f : optional string secret");
    same("fact f : { low, medium, high, }", "fact f : {low,medium,high}");
    assert_eq!(code("fact f : number number"), "E0101");
    assert_eq!(code("fact f : string secret secret"), "E0109");
    assert_eq!(code("fact f : set string"), "E0101");
}

#[test]
fn and_binds_tighter_than_or_and_not_tightest() {
    same("define d = a or b and c", "define d = a or (b and c)");
    same("define d = not a and b", "define d = (not a) and b");
    same("define d = not a == 1", "define d = not (a == 1)");
    assert!(matches!(cond("a and (b or c) and d").kind, CondKind::And(items) if items.len() == 3));
    assert!(matches!(cond("a or (b or c)").kind, CondKind::Or(items) if items.len() == 3));
    assert!(matches!(cond("not not a").kind, CondKind::Not(_)));
}

#[test]
fn every_operator_of_the_page_is_read() {
    for sign in ["==", "!=", "<", "<=", ">", ">=", "in", "not in", "contains", "starts with", "ends with"] {
        reads(&format!("define d = a.b.\"c d\" {sign} e.f and \"x\" {sign} [1, \"y\", z,] or every c {sign} 3"));
    }
    assert!(matches!(cond("a not in g").kind, CondKind::Test(_, Tail::In { negated: true, .. })));
    assert!(matches!(cond("not a in g").kind, CondKind::Not(_)));
    assert!(matches!(cond("a is set").kind, CondKind::Test(_, Tail::IsSet)));
    assert!(matches!(cond("a is missing").kind, CondKind::Test(_, Tail::IsMissing)));
    assert!(matches!(cond("every c == passed").kind, CondKind::Each(Quantifier::Every, ..)));
    assert!(matches!(cond("any build.labels matches \"hotfix*\"").kind, CondKind::Each(Quantifier::Any, ..)));
    assert!(matches!(cond("no c matches /x/").kind, CondKind::Each(Quantifier::No, ..)));
    assert!(matches!(cond("true").kind, CondKind::Bare(Operand::Literal(_))));
}

#[test]
fn stages_come_after_stages_and_soak() {
    for head in [
        "A",
        "*",
        "A after B",
        "A after B, C",
        "A after any of B, C",
        "A for 2h",
        "A after B for 2h",
        "A after B completed",
        "A after B failed, C succeeded or skipped for 1d",
        "A after any",
        "A after for for 2h",
    ] {
        reads(&format!("stage {head} {{}}"));
    }
    same("stage A after B passed {}", "stage A after B succeeded {}");
}

#[test]
fn rules_end_in_guards_and_a_reason_in_any_order() {
    same(
        "stage A { require r: a when b unless c because \"x\" }",
        "stage A { require r: a when b because \"x\" unless c }",
    );
    assert_eq!(rule("require r: a when b when c unless d").guards.len(), 3);
    assert_eq!(code("stage A { require r: a because \"x\" because \"y\" }"), "E0109");
    assert_eq!(code("stage A { trigger push unless a }"), "E0109");
    assert_eq!(code("stage A { trigger push because \"a\" }"), "E0109");
    assert_eq!(code("stage A { sealed override o: 1 of g may skip a }"), "E0109");
}

#[test]
fn all_triggers_of_the_page_are_read() {
    for trigger in [
        "push",
        "push to \"release/*\"",
        "pull-request",
        "pull-request to \"main\"",
        "manual",
        "manual by ops",
        "manual by ops or [tim, \"a b\"]",
        "completion",
        "completion of Dev",
        "event \"done\"",
        "schedule \"0 3 * * *\"",
        "schedule \"@daily\" in \"UTC\" within 2h if changed",
        "schedule \"0 3 * * *\" if changed in \"UTC\"",
    ] {
        reads(&format!("stage A {{ trigger {trigger} trigger named: {trigger} }}"));
    }
    assert_eq!(code("stage A { trigger schedule \"0 3 * * *\" if changed if changed }"), "E0109");
    assert_eq!(code("stage A { trigger schedule \"0 3 * * *\" within 1h within 1h }"), "E0109");
}

#[test]
fn all_times_of_the_page_are_read() {
    for times in [
        "mon..fri 09:00..17:00",
        "daily 22:00..04:00",
        "fri 18:00 .. mon 06:00",
        "2026-12-20 .. 2027-01-02",
        "2026-12-20",
        "2026-12-24 12:00 .. 2026-12-27 08:00",
        "yearly dec 20 .. jan 2",
        "yearly feb 29",
        "cron \"0 9 * * 1-5\" for 8h",
        "holidays",
        "holidays, daily 00:00..24:00 except 2026-12-20, maintenance",
        "sat 10:00..12:00 in \"UTC\", holidays",
        "fri 18:00..mon 24:00",
        "sat..sun 0:00..24:00 except holidays in \"Europe/Berlin\"",
    ] {
        reads(&format!("calendar c = {times} stage A {{ window w: {times} when a freeze f: {times} because \"x\" }}"));
    }
    assert_eq!(code("calendar c = daily 24:00..04:00"), "E0105");
    assert_eq!(code("calendar c = mon"), "E0404");
    assert_eq!(code("calendar c = yearly feb 30"), "E0105");
}

#[test]
fn approvals_and_overrides_take_their_clauses_in_any_order() {
    let clauses =
        ["including author", "except requester, ops, [tim], \"a b\", approvers of qa", "since Test", "valid 24h"];
    for turn in 0..clauses.len() {
        let mut turned = clauses;
        turned.rotate_left(turn);
        same(
            &format!("stage A {{ approve q: 2 of ops or [mara] {} when a }}", clauses.join(" ")),
            &format!("stage A {{ approve q: 2 of ops or [mara] {} when a }}", turned.join(" ")),
        );
        let clause = turned[0];
        assert_eq!(code(&format!("stage A {{ approve q: 2 of ops {clause} {clause} }}")), "E0109");
    }
    same(
        "stage A { override o: all of ops except requester may skip all but a, b valid 1h reason required }",
        "stage A { override o: all of ops reason required valid 1h may skip all but a, b except requester }",
    );
    for clause in ["may skip a", "reason required", "valid 1h", "except requester", "including author"] {
        let text = format!("stage A {{ override o: 1 of g may skip b {clause} {clause} }}");
        assert!(errors(&text).iter().all(|d| d.code.as_str() == "E0109") && !errors(&text).is_empty(), "{text}");
    }
    assert!(matches!(&rule("override o: 1 of g may skip all, but").kind, RuleKind::Override(o) if !o.all_but));
}

#[test]
fn steps_of_tests_are_told_apart_without_line_ends() {
    assert!(matches!(step("schedule at 2026-03-04 10:00"), Step::Schedule(Some(_))));
    // On a line of its own `at` is the time of the test.
    let file = tree("test \"t\" {\n  schedule\n  at 2026-03-04 10:00\n}");
    assert!(matches!(&file.items[0].value, Item::Test(test) if test.steps.len() == 2), "{file:?}");
    assert!(matches!(
        step("approved by \"a b\", tim at 2026-03-04 10:00 for B build \"1\" build {}"),
        Step::Words { .. }
    ));
    assert!(matches!(step("current none build {}"), Step::Current(None)));
    assert!(matches!(step("build { id: \"1\", labels: [\"a\"], \"x y\": { z: [1, b] }, }"), Step::Build(_)));
    for line in [
        "given a, b",
        "at 2026-03-04 10:00Z",
        "current {}",
        "passed A at 2026-03-04 10:00, B at 2026-03-04 11:00",
        "pending A at 2026-03-04 10:00",
        "rejected by a at 2026-03-04 10:00",
        "withdrawn by a at 2026-03-04 10:00",
        "override o by tim, lee at 2026-03-04 10:00 because \"x\"",
        "fact f = { a: passed, \"b/c\": 1h }",
        "fact f = [1, x]",
        "group g = [a, \"b c\"]",
        "push to \"main\"",
        "pull-request",
        "manual by \"a b\"",
        "completion of A",
        "event \"x\"",
        "action rollback",
        "requester tim",
        "expect A allow",
        "expect A hold because a, b until 2026-03-04 10:00",
        "expect A deny because a",
        "expect A rule r is not-applicable",
        "expect A fires at 2026-03-04 10:00",
        "expect A opens at 2026-03-04 10:00 UTC",
    ] {
        step(line);
        reads(&format!("scenario s {{ {} }}", if line.starts_with("expect") { "" } else { line }));
    }
    assert_eq!(code("scenario s { expect A allow }"), "E0109");
}

#[test]
fn invariants_are_refused_by_name() {
    assert_eq!(code("invariant i: A allowed implies b"), "E0110");
}

#[test]
fn places_are_those_of_the_words_alone() {
    let text =
        "stage A { require r: a   # why\n  approve q: 2 of ops # who\n valid 1h # long\n }\n# end\nfact f : bool # x";
    let (parsed, sources) = syntax::read(text);
    let Item::Stage(stage) = &parsed.file.items[0].value else { panic!() };
    let spans = [parsed.file.items[0].span, stage.rules[0].span, stage.rules[1].span, parsed.file.items[1].span];
    let texts: Vec<&str> = spans.iter().map(|span| sources.text(*span)).collect();
    assert!(texts[0].starts_with("stage") && texts[0].ends_with('}'));
    assert_eq!(texts[1..], ["require r: a", "approve q: 2 of ops # who\n valid 1h", "fact f : bool"]);
}
