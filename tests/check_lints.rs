//! What compiles but is surely not meant.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod said;
use said::{files_say, said_of, says};

#[test]
fn what_nothing_uses() {
    says(
        "policy p\nfact f : bool\ngroup g = [tim]\ndefine d = build.branch == \"a\"\ncalendar c = daily 09:00..17:00\nstage A { trigger push }",
        &[
            "W0106 2:6 no rule uses the fact `f` | declared, but not used | help: use it in a rule, or take it out",
            "W0105 3:7 no rule uses the group `g` | declared, but not used | help: use it in a rule, or take it out",
            "W0107 4:8 no rule uses the definition `d` | declared, but not used | help: use it in a rule, or take it out",
            "W0108 5:10 no rule uses the calendar `c` | declared, but not used | help: use it in a rule, or take it out",
        ],
    );
    says(
        "policy p\nfact f : bool\ngroup g = [tim]\ngroup h = [tim]\ngroup i = [tim]\ndefine d = e and build.author in g\ndefine e = f\ncalendar b = daily 09:00..10:00\ncalendar c = b\nstage A {\n require r: d\n freeze z: c\n trigger manual by i\n approve q: 1 of [andy] except h\n}",
        &[],
    );
    // A test of the policy is no use.
    says(
        "policy p\nfact f : bool\nstage A { trigger push }\ntest \"t\" { at 2026-03-04 10:00 build { id: \"1\" } fact f = true push expect A allow }",
        &["W0106 2:6 no rule uses the fact `f` | declared, but not used | help: use it in a rule, or take it out"],
    );
    // A file to be included may hold more than one policy needs.
    files_say(
        &[
            ("p.gate", "policy p include \"b.gate\" stage A { trigger push }"),
            ("b.gate", "fact f : bool group g = [tim]"),
        ],
        &[],
    );
}

#[test]
fn what_is_wrong_is_not_called_unused_too() {
    let said = said_of(&[("p.gate", "policy p fact coverage : number stage A { require r: coverge > 80 }")]);
    assert!(said.len() == 1 && said[0].starts_with("E0201"), "{said:?}");
}

#[test]
fn a_stage_that_lets_everybody_in() {
    let open = "W0110 1:16 stage `A` lets every build in | it has no rule that could block | help: give it a rule, or `after` another stage";
    says("policy p stage A {}", &[open]);
    says("policy p stage A { advise a: build.branch == \"a\" }", &[open]);
    says("policy p stage A { trigger push } stage B after A {}", &[]);
    says("policy p stage A { exclusive }", &[]);
    says("policy p stage * { exclusive } stage A {}", &[]);
}

#[test]
fn a_rule_that_is_the_same_for_every_request() {
    says(
        "policy p\nstage A { require r: true }",
        &["W0113 2:11 `r` is always met | whatever the request says | help: write a condition that reads a fact"],
    );
    says(
        "policy p\nstage A { trigger push }\nstage B after A { forbid r: not false }\nstage C after any of B, A { trigger push }\nstage D after C, B { trigger push }",
        &[
            "W0104 3:7 no build can reach stage `B` | this stage is closed for good | 3:19 can never be met | help: change what closes it, or take the stage out",
            "W0113 3:19 `r` can never be met | whatever the request says | help: write a condition that reads a fact",
            "W0104 5:7 no build can reach stage `D` | this stage is closed for good | 5:9 no build can reach `B` | help: change what closes it, or take the stage out",
        ],
    );
    says(
        "policy p\ngroup g = [tim, andy]\nstage A { require r: false override o: 1 of g may skip r }",
        &["W0113 3:11 `r` can never be met | whatever the request says | help: write a condition that reads a fact"],
    );
    says(
        "policy p\nstage A { require r: false when build.branch == \"a\" }",
        &["W0113 2:11 `r` can never be met | whatever the request says | help: write a condition that reads a fact"],
    );
}

#[test]
fn a_window_in_which_there_is_always_a_freeze() {
    says(
        "policy p\nstage A {\n window w: mon..fri 09:00..17:00\n freeze f: mon..fri 08:00..18:00\n}",
        &[
            "W0103 3:2 whenever window `w` is open, there is a freeze | never of any use | 4:2 a freeze beats a window | help: give the window other times, or the freeze an `except`",
        ],
    );
    says("policy p\nstage A {\n window w: mon..fri 09:00..17:00\n freeze f: mon..fri 08:00..16:00\n}", &[]);
    says(
        "policy p\nstage A {\n window w: mon..fri 09:00..17:00\n freeze f: mon..fri 08:00..18:00 when build.branch == \"a\"\n}",
        &[],
    );
}

#[test]
fn a_stage_that_no_time_opens() {
    says(
        "policy p\nstage A {\n trigger never: schedule \"0 0 31 2 *\"\n}\nstage B after A { trigger push }",
        &[
            "W0104 2:7 no build can reach stage `A` | this stage is closed for good | 3:2 never comes | help: change what closes it, or take the stage out",
            "W0102 3:26 this schedule never comes: no such day exists | help: look at the day of the month and the month together",
            "W0104 5:7 no build can reach stage `B` | this stage is closed for good | 5:9 no build can reach `A` | help: change what closes it, or take the stage out",
        ],
    );
    says(
        "policy p\nstage A {\n trigger never: schedule \"0 0 31 2 *\"\n trigger manual\n}",
        &[
            "W0102 3:26 this schedule never comes: no such day exists | help: look at the day of the month and the month together",
        ],
    );
    says(
        "policy p\nstage A {\n window w: mon 09:00..17:00 except mon 08:00..18:00\n}",
        &[
            "W0104 2:7 no build can reach stage `A` | this stage is closed for good | 3:2 never comes | help: change what closes it, or take the stage out",
            "W0102 3:12 these times never come | help: what stands after `except` takes all of it away",
        ],
    );
}
