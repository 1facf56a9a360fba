//! The canonical layout.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod syntax;

use stagegate::{Limits, format as door};
use syntax::{format, tree};

/// The text is laid out as it should be already.
fn settled(text: &str) {
    assert_eq!(format(text), text);
}

#[test]
fn the_page_of_the_language_is_laid_out_as_it_should_be() {
    settled(include_str!("../policies/space-game.gate"));
}

#[test]
fn the_policies_of_the_repository_are_laid_out_as_they_should_be() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "gate") {
            let text = std::fs::read_to_string(&path).unwrap();
            assert_eq!(format(&text), text, "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 0);
}

#[test]
fn a_policy_on_one_line_becomes_readable() {
    let text = "policy p timezone \"UTC\" fact a:bool fact long-name:set of string optional secret group g=[a,\"b c\"] \
                group h from directory define d=a and not(a or a)calendar c=daily 9:00..17:00,mon 08:00..9:00 except \
                2026-12-24..2027-01-02 in \"Europe/Berlin\" stage A{trigger push to\"release/*\"require r:a when a unless \
                a because\"x\"sealed freeze f:c exclusive forward only distinct approvers}stage*{}test\"t\"{at \
                2026-03-04T10:00:00Z expect A allow}scenario s{push manual by a}";
    let expected = r#"policy p
timezone "UTC"
fact a         : bool
fact long-name : set of string optional secret
group g = [a, "b c"]
group h from directory
define d = a and not (a or a)
calendar c = daily 09:00..17:00, mon 08:00..09:00 except 2026-12-24 .. 2027-01-02 in "Europe/Berlin"

stage A {
  trigger push to "release/*"
  require r: a when a unless a   because "x"
  sealed freeze f: c
  exclusive
  forward only
  distinct approvers
}

stage * {}

test "t" {
  at 2026-03-04 10:00Z
  expect A allow
}

scenario s {
  push
  manual by a
}
"#;
    assert_eq!(format(text), expected);
}

#[test]
fn clauses_come_in_the_order_of_the_page_whatever_order_they_were_written_in() {
    assert_eq!(
        format(
            "stage A { approve q: all of [a] or g valid 1d since B except requester, approvers of r, [a] including author }"
        ),
        "stage A {\n  approve q: all of [a] or g including author except requester, approvers of r, [a] since B valid 1d\n}\n"
    );
    assert_eq!(
        format("stage A { override o: 2 of g reason required valid 2h may skip all but a, b because \"x\" when c }"),
        "stage A {\n  override o: 2 of g may skip all but a, b valid 2h reason required when c   because \"x\"\n}\n"
    );
    assert_eq!(
        format("stage A { trigger t: schedule \"0 3 * * *\" if changed within 2h in \"UTC\" }"),
        "stage A {\n  trigger t: schedule \"0 3 * * *\" in \"UTC\" within 2h if changed\n}\n"
    );
    assert_eq!(format("fact a : optional number"), "fact a : number optional\n");
}

#[test]
fn brackets_that_change_nothing_go_and_the_others_stay() {
    let cond = |text: &str| {
        let out = format(&format!("define d = {text}"));
        out.strip_prefix("define d = ").unwrap().trim_end().to_string()
    };
    assert_eq!(cond("((a))"), "a");
    assert_eq!(cond("(a and b) or (c and d)"), "a and b or c and d");
    assert_eq!(cond("(a or b) and (c or d)"), "(a or b) and (c or d)");
    assert_eq!(cond("(a and b) and c"), "a and b and c");
    assert_eq!(cond("a or (b or c)"), "a or b or c");
    assert_eq!(cond("not (a)"), "not a");
    assert_eq!(cond("not (not (a and b))"), "not not (a and b)");
    assert_eq!(cond("not (x in [a, b])"), "not x in [a, b]");
    assert_eq!(
        cond("(every checks == passed) and no c contains \"x\""),
        "every checks == passed and no c contains \"x\""
    );
}

#[test]
fn literals_keep_their_meaning() {
    settled(
        r##"define d = a == 1e3 and b == -0.50 and c matches /a\/b["#{]\\/ and d matches "x/*" and e == "\"\\\n\t\u{1b}é🚀"
define e = checks."ci/build" == passed and f == 1h30m and t > 2026-03-04 10:00:30 America/New_York
define f = t < 2026-03-04 10:00-08:00 and t < 2026-03-04 10:00 "Japan" and t > 2026-03-04 and t != 2026-03-04 10:00Z
"##,
    );
    assert_eq!(format("define d = a == \"\\u{41}\\u{202e}\""), "define d = a == \"A\\u{202e}\"\n");
    assert_eq!(format("group g = [\"tim\", \"a b\"]"), "group g = [tim, \"a b\"]\n");
}

/// `tests/syntax/fmt/CASE.gate` and, beside it, `CASE.out`: the same in the canonical layout.
#[test]
fn what_is_long_is_broken_and_every_comment_keeps_its_place() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/syntax/fmt");
    let update = std::env::var_os("STAGEGATE_BLESS").is_some();
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "gate") {
            continue;
        }
        let formatted = format(&std::fs::read_to_string(&path).unwrap());
        let expected = path.with_extension("out");
        if update {
            std::fs::write(&expected, &formatted).unwrap();
        }
        assert_eq!(formatted, std::fs::read_to_string(&expected).unwrap(), "{}", path.display());
        seen += 1;
    }
    assert!(seen > 2, "the cases are gone");
}

#[test]
fn no_line_is_longer_than_it_must_be() {
    for width in [60, 90, 110, 118, 119, 120, 121, 122, 125, 140] {
        let name = "n".repeat(width.min(100));
        let text = format!(
            "group {name} = [{}] stage A {{ require {name}: a in [b, c] and d == 1 or e.f.g contains \"h\" {} {} }}",
            "somebody, ".repeat(width / 3),
            "and x < 3 ".repeat(width % 7),
            "when y and not z ".repeat(width % 3),
        );
        for line in format(&text).lines() {
            assert!(line.chars().count() <= 120, "{line}");
        }
    }
}

#[test]
fn line_ends_and_byte_order_marks_are_made_plain() {
    let text = "\u{feff}# one\r\npolicy p\r\n\r\n\r\n\r\nstage A {\r\n\r\n  trigger push # two\r\n\r\n}\r\n\r\n";
    assert_eq!(format(text), "# one\npolicy p\n\nstage A {\n  trigger push  # two\n}\n");
}

#[test]
fn a_file_with_syntax_errors_is_not_formatted_and_all_of_them_are_told() {
    let error = door("p.gate", "policy p stage A { require x: a = 1\nrequire y b\n}", &Limits::default()).unwrap_err();
    assert_eq!(error.diagnostics().len(), 2, "{error}");
    assert!(error.to_string().contains("p.gate:1:33"), "{error}");
}

#[test]
fn a_file_that_is_well_written_but_wrong_is_formatted() {
    settled("stage A {\n  require x: nobody-declared-this == 3\n}\n");
}

#[test]
fn a_moved_comment_is_still_there() {
    // Wherever a comment may stand, it is kept, and the result is settled.
    let words = include_str!("syntax/fmt/everything.gate");
    let tree = tree(words);
    assert!(tree.items.len() > 10);
    for item in &tree.items {
        let item = &words[item.span.start as usize..item.span.end as usize];
        for (index, (at, _)) in item.match_indices([' ', '\n']).enumerate() {
            let comments = [" # here\n", "\n# here\n", "\n\n# here\n\n"];
            // All three at every place would take long.
            let comment = comments[index % 3];
            let text = format!("fact x : bool\n{}{comment}{}\nfact y : bool\n", &item[..at], &item[at..]);
            // None can stand inside a string or a date-time.
            let (parsed, _) = syntax::read(&text);
            if parsed.diagnostics.is_empty() && parsed.file.comments.iter().any(|c| c.text == "# here") {
                format(&text);
            }
        }
    }
}

#[test]
fn a_schedule_and_the_time_of_a_row_stay_two_steps() {
    let text = "test \"t\" {\n  row \"r\" {\n    schedule\n    at 2026-03-04 03:10\n  }\n}\n";
    assert_eq!(stagegate::format("p.gate", text, &stagegate::Limits::default()).unwrap(), text);
}
