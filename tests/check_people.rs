//! Approvals and overrides: counts that cannot be reached, who is left out, what may be skipped.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod said;
use said::{files_say, says};

fn with(rules: &str) -> String {
    format!(
        "policy p\ngroup qa = [amita, noor]\ngroup ops = [tim, andy, mara]\ngroup dir from directory\nstage Dev {{\n{rules}\n}}\nstage Test after Dev {{\n approve u1: 1 of qa or ops or dir\n}}\n"
    )
}

#[test]
fn a_count_that_can_never_be_reached() {
    says(
        &with("approve a: 3 of qa"),
        &[
            "E0501 6:17 3 are asked for, but only 2 can ever count | 2 people listed | 6:12 asked for here | 2:7 `qa` is listed here | help: list more people, or ask for fewer",
        ],
    );
    says(&with("approve a: 2 of qa"), &[]);
    says(
        &with("approve a: 3 of qa or [amita]"),
        &[
            "E0501 6:17 3 are asked for, but only 2 can ever count | 2 people listed | 6:12 asked for here | 2:7 `qa` is listed here | help: list more people, or ask for fewer",
        ],
    );
    says(&with("approve a: 3 of qa or [amita, lee]"), &[]);
    says(
        &with("approve a: 2 of qa except noor"),
        &[
            "E0501 6:17 2 are asked for, but only 1 can ever count | 2 people listed, 1 left out by `except` | 6:12 asked for here | 2:7 `qa` is listed here | help: list more people, or ask for fewer",
        ],
    );
    says(&with("approve a: 1 of qa except noor"), &[]);
    says(
        &with("approve a: 1 of qa except qa"),
        &[
            "E0501 6:17 1 is asked for, but nobody is left to count | 2 people listed, 2 left out by `except` | 6:12 asked for here | 2:7 `qa` is listed here | help: list more people, or ask for fewer",
        ],
    );
    says(
        &with("approve a: all of qa except qa"),
        &[
            "E0501 6:19 nobody is left who could count here | 2 people listed, 2 left out by `except` | 6:12 asked for here | 2:7 `qa` is listed here | help: list more people, or ask for fewer",
        ],
    );
    says(&with("approve a: all of qa"), &[]);
    says(&with("approve a: 9 of qa or dir"), &[]);
    says(&with("approve a: 1 of qa except dir"), &[]);
    says(
        &with("approve a: 2 of [tim, tim]"),
        &[
            "E0501 6:17 2 are asked for, but only 1 can ever count | 1 person listed | 6:12 asked for here | help: list more people, or ask for fewer",
            "W0112 6:23 `tim` is listed twice | help: remove one of them",
        ],
    );
    says(
        &with("approve a: 0 of qa"),
        &["E0502 6:12 a count of zero asks nobody | at least 1 | help: take the rule out if nobody needs to agree"],
    );
    says(
        &with("approve a: 1 of []"),
        &["E0501 6:17 nobody is listed here | empty | help: list the people: `[amita, tim]`"],
    );
    says(
        "policy p group g = [] stage A { approve a: 1 of g trigger manual by g }",
        &[
            "E0501 1:49 nobody is in group `g` | used here | 1:16 and empty | help: list its people, or take them from the request: `group … from directory`",
            "E0501 1:69 nobody is in group `g` | used here | 1:16 and empty | help: list its people, or take them from the request: `group … from directory`",
        ],
    );
    says("policy p group g = [tim] stage A { approve a: 1 of g trigger manual by g }", &[]);
    says(
        &with("require r: build.branch == \"a\"\noverride o: 4 of ops may skip r"),
        &[
            "E0501 7:18 4 are asked for, but only 3 can ever count | 3 people listed | 7:13 asked for here | 3:7 `ops` is listed here | help: list more people, or ask for fewer",
        ],
    );
    says(&with("require r: build.branch == \"a\"\noverride o: 3 of ops may skip r"), &[]);
}

#[test]
fn a_stage_for_every_stage_says_it_once() {
    says(
        "policy p group qa = [amita]\nstage * {\n approve a: 2 of qa\n}\nstage A { trigger push }\nstage B { trigger push }",
        &[
            "E0501 3:18 2 are asked for, but only 1 can ever count | 1 person listed | 3:13 asked for here | 1:16 `qa` is listed here | help: list more people, or ask for fewer",
        ],
    );
}

#[test]
fn distinct_approvers_must_be_enough_for_all_rules_together() {
    says(
        &with("approve a: 1 of [tim]\napprove b: 1 of [tim]\ndistinct approvers"),
        &[
            "E0501 8:1 `a` and `b` of stage `Dev` can never have approvers of their own | too few people for all of them | 6:1 `a` | 7:1 `b` | help: list more people, or ask for fewer",
        ],
    );
    says(&with("approve a: 1 of [tim]\napprove b: 1 of [tim]"), &[]);
    says(&with("approve a: 1 of [tim]\napprove b: 1 of [tim, andy]\ndistinct approvers"), &[]);
    says(
        &with("approve a: 2 of ops\napprove b: 2 of ops\napprove c: 2 of qa\ndistinct approvers"),
        &[
            "E0501 9:1 `a` and `b` of stage `Dev` can never have approvers of their own | too few people for all of them | 6:1 `a` | 7:1 `b` | help: list more people, or ask for fewer",
        ],
    );
    says(&with("approve a: 1 of [tim]\napprove b: 1 of [tim] when build.branch == \"a\"\ndistinct approvers"), &[]);
    says(&with("approve a: 1 of [tim]\napprove b: 1 of [tim]\ndistinct approvers when build.branch == \"a\""), &[]);
    says(&with("approve a: 1 of [tim]\napprove b: 1 of [tim] or dir\ndistinct approvers"), &[]);
    says(&with("approve a: all of ops\napprove b: 1 of ops\ndistinct approvers"), &[]);
}

#[test]
fn approvers_of_another_rule() {
    says(&with("approve a: 1 of qa\napprove b: 1 of qa or ops except approvers of a"), &[]);
    says(
        &with("approve a: 1 of qa\napprove b: 1 of qa except approvers of aa"),
        &["E0204 7:40 stage `Dev` has no rule `aa` | not in this stage | help: did you mean `a`?"],
    );
    says(
        &with("approve a: 1 of qa except approvers of a"),
        &[
            "E0504 6:40 `a` leaves out its own approvers | the rule itself | help: nobody counts twice for one rule anyway; name another `approve` rule",
        ],
    );
    says(
        &with("approve a: 1 of qa except approvers of u1"),
        &[
            "E0204 6:40 stage `Dev` has no rule `u1` | not in this stage | help: name an `approve` rule of the same stage",
        ],
    );
    says(
        &with("require r: build.branch == \"a\"\napprove a: 1 of qa except approvers of r"),
        &[
            "E0504 7:40 `r` is no approval | only an `approve` rule has approvers | 6:1 it is this rule | help: name an `approve` rule of the same stage",
        ],
    );
    says(
        &with(
            "approve a: 1 of qa except approvers of b\napprove b: 1 of qa except approvers of c\napprove c: 1 of qa except approvers of a",
        ),
        &[
            "E0504 8:40 `a`, `b` and `c` leave out one another's approvers | and so the circle closes | 6:1 `a` is in the circle | 7:1 `b` is in the circle | 8:1 `c` is in the circle | help: say it on one side only, or write `distinct approvers` in the stage",
        ],
    );
    says(
        &with(
            "require r: build.branch == \"a\"\napprove a: 1 of qa except approvers of o\noverride o: 1 of ops may skip r",
        ),
        &[
            "E0504 7:40 `o` is no approval | an override has no approvers | help: name an `approve` rule of the same stage",
        ],
    );
    says(
        &with(
            "require r: build.branch == \"a\"\napprove a: 1 of qa\noverride o: 1 of ops except approvers of a, requester may skip r",
        ),
        &[],
    );
    files_say(
        &[
            ("p.gate", "policy p include \"b.gate\" group qa = [a, b] stage A { approve mine: 1 of qa }"),
            ("b.gate", "group bb = [a, b] stage A { approve base: 1 of bb except approvers of mine }"),
        ],
        &[
            "E0504 b.gate:1:71 `mine` is a rule of a file that this one does not include | not known in this file | p.gate:1:55 it stands here | help: include the file that has the rule, or move one of them",
        ],
    );
    files_say(
        &[
            (
                "p.gate",
                "policy p include \"b.gate\" group qa = [a, b, c] stage A { approve mine: 1 of qa except approvers of base }",
            ),
            ("b.gate", "group bb = [a, b] stage A { approve base: 1 of bb }"),
        ],
        &[],
    );
}

#[test]
fn whoever_approves_is_an_approver_of_the_rule_that_is_left_out() {
    let help = "help: write `distinct approvers` in the stage: it asks for different people for each rule";
    says(
        &with("approve first: 1 of ops\napprove second: 1 of ops except approvers of first"),
        &[&format!(
            "E0501 7:17 nobody can ever count: whoever approves here is an approver of `first` | can never be met | 6:1 `first` counts everyone of its people who approves | {help}"
        )],
    );
    says(
        &with("approve second: 3 of ops or qa except approvers of first, tim\napprove first: 1 of [mara, amita, zoe]"),
        &[&format!(
            "E0501 6:17 only 2 can ever count: whoever else approves here is an approver of `first` | can never be met | 7:1 `first` counts everyone of its people who approves | {help}"
        )],
    );
    says(
        &with(
            "approve one: 1 of [tim, mara]\napprove two: 1 of [andy]\napprove rest: all of ops except approvers of one, approvers of two",
        ),
        &[&format!(
            "E0501 8:15 nobody can ever count: whoever approves here is an approver of `one` and `two` | can never be met | 6:1 `one` counts everyone of its people who approves | 7:1 `two` counts everyone of its people who approves | {help}"
        )],
    );
    // Only where it is certain: else somebody may count for the second who does not count for the first.
    let rules = |first: &str, second: &str| with(&format!("approve first: {first}\napprove second: {second}"));
    let second = "1 of ops except approvers of first";
    for first in [
        "1 of ops valid 24h",
        "1 of ops except requester",
        "1 of ops except dir",
        "1 of ops except tim",
        "1 of [tim, mara]",
        "1 of ops when action == rollback",
        "1 of ops unless action == rollback",
    ] {
        says(&rules(first, second), &[]);
    }
    says(&rules("1 of ops", "1 of ops or dir except approvers of first"), &[]);
    says(&rules("1 of ops", "1 of ops including author except approvers of first"), &[]);
    says(&rules("1 of ops including author", "1 of ops including contributors except approvers of first"), &[]);
    assert_eq!(said::said(&rules("1 of ops including contributors", second)).len(), 1);
    // In a directory are people whom nobody knows yet.
    assert_eq!(said::said(&rules("1 of ops or dir", second)), [""; 0]);
    // Who approved before Dev succeeded counts for the second alone.
    let since = "policy p group ops = [tim, andy] stage Dev { trigger push } stage Test after Dev {
        approve first: 1 of ops since Dev approve second: 1 of ops except approvers of first }";
    says(since, &[]);
}

#[test]
fn someone_is_left_out_who_could_not_count() {
    says(
        &with("approve a: 1 of ops except oops"),
        &[
            "W0114 6:28 `oops` could not have counted anyway | neither a group, nor among the people listed | help: did you mean `ops`?",
        ],
    );
    says(&with("approve a: 1 of ops except tim, requester"), &[]);
    says(&with("approve a: 1 of dir except lee"), &[]);
    says(
        &with("approve a: 1 of dir except opss"),
        &[
            "W0114 6:28 `opss` is taken for a person: there is no such group | neither a group, nor among the people listed | help: did you mean `ops`?",
        ],
    );
    says(
        &with("approve a: 1 of ops except \"lee@x.example\""),
        &[
            "W0114 6:28 `lee@x.example` could not have counted anyway | neither a group, nor among the people listed | help: take it out, or correct the name",
        ],
    );
    says(
        "policy p group g = [tim, tim] stage A { approve a: 1 of g }",
        &["W0112 1:26 `tim` is listed twice | help: remove one of them"],
    );
}

#[test]
fn an_override_skips_what_it_may() {
    let rules =
        "require r: build.branch == \"a\"\nsealed require s: build.branch == \"a\"\nadvise n: build.branch == \"b\"\n";
    let with = |text: &str| with(&format!("{rules}{text}"));
    says(&with("override o: 1 of ops may skip r"), &[]);
    says(
        &with("override o: 1 of ops may skip rr"),
        &["E0204 9:31 stage `Dev` has no rule `rr` | there is no such rule | help: did you mean `r`?"],
    );
    says(
        &with("override o: 1 of ops may skip s"),
        &[
            "E0503 9:31 `s` is sealed: no override skips it | cannot be skipped | 7:1 sealed here | help: take it out of this list",
        ],
    );
    says(
        &with("override o: 1 of ops may skip n"),
        &[
            "E0505 9:31 `n` is an `advise`: it never blocks | there is nothing to skip | 8:1 this rule | help: take it out of this list",
        ],
    );
    says(
        &with("override o: 1 of ops may skip o"),
        &["E0505 9:31 `o` is an override itself | cannot be skipped | help: name the rules that it may skip"],
    );
    says(
        &with("override o: 1 of ops may skip soak"),
        &[
            "E0204 9:31 stage `Dev` has no rule `soak` | there is no such rule | help: the stage has no `for …` in its header",
        ],
    );
    says(
        &with("override o: 1 of ops may skip after, r"),
        &["E0204 9:31 stage `Dev` has no rule `after` | there is no such rule | help: the stage has no `after`"],
    );
    says(
        &with("override o: 1 of ops may skip r, r"),
        &["W0112 9:34 `r` is listed twice | listed again | help: remove one of them"],
    );
    says(
        &with("override o: 1 of ops may skip all but r"),
        &[
            "W0109 9:1 override `o` skips nothing | no rule is left that it could skip | help: a sealed rule, an `advise`, and an `after` that is not named cannot be skipped",
        ],
    );
    says(&with("override o: 1 of ops may skip all but s"), &[]);
    says(
        &with("override o: 1 of ops may skip all but x"),
        &["E0204 9:39 stage `Dev` has no rule `x` | there is no such rule"],
    );
}

#[test]
fn an_override_for_every_stage_skips_where_there_is_something() {
    says(
        "policy p group g = [tim, andy]\nstage * {\n override o: 1 of g may skip a, b\n}\nstage A { require a: build.branch == \"a\" }\nstage B { require b: build.branch == \"a\" }\nstage C { trigger push }",
        &[],
    );
    says(
        "policy p group g = [tim, andy]\nstage * {\n override o: 1 of g may skip a, c\n}\nstage A { require a: build.branch == \"a\" }\nstage B { trigger push }",
        &["E0204 3:33 no stage has a rule `c` | there is no such rule"],
    );
}

#[test]
fn an_override_skips_rules_that_its_file_knows() {
    let base = "group b = [x, y] stage A { require base: build.branch == \"a\" override o: 1 of b may skip mine }";
    files_say(
        &[("p.gate", "policy p include \"b.gate\" stage A { require mine: build.branch == \"a\" }"), ("b.gate", base)],
        &[
            "E0505 b.gate:1:90 `mine` is a rule of a file that this one does not include | cannot be skipped from here | p.gate:1:37 it stands here | help: an override skips rules of its own file and of those that it includes: move the override",
        ],
    );
    let base = "group b = [x, y] stage A { require base: build.branch == \"a\" override o: 1 of b may skip base }";
    files_say(
        &[
            (
                "p.gate",
                "policy p include \"b.gate\" stage A { require mine: build.branch == \"a\" override mine-too: 1 of b may skip base, mine }",
            ),
            ("b.gate", base),
        ],
        &[],
    );
    let base = "group b = [x, y] stage A { sealed require base: build.branch == \"a\" }";
    files_say(
        &[
            ("p.gate", "policy p include \"b.gate\" stage A { trigger push override o: 1 of b may skip base }"),
            ("b.gate", base),
        ],
        &[
            "E0503 1:78 `base` is sealed: no override skips it | cannot be skipped | b.gate:1:28 sealed here | help: take it out of this list",
        ],
    );
}
