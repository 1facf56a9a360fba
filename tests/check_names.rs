//! Names of facts, definitions, groups, calendars, stages and rules: unknown, twice, reserved.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod said;
use said::{files_say, says};

/// A stage that makes a policy whole, and uses what it is given.
fn with(declarations: &str, rules: &str) -> String {
    format!("policy p\n{declarations}\nstage Dev {{\n{rules}\n}}\n")
}

#[test]
fn one_name_stands_for_one_thing() {
    says(
        &with("fact a : bool\ngroup a = [tim]", "require r: a"),
        &[
            "E0208 3:7 `a` is the name of a fact already | declared again, as a group | 2:6 declared first, as a fact | help: rename one of them",
        ],
    );
    says(
        &with("fact a : bool\nfact a : number", "require r: a"),
        &[
            "E0208 3:6 the fact `a` is declared twice | declared again, as a fact | 2:6 declared first, as a fact | help: rename one of them",
        ],
    );
    says(&with("fact a : bool\ngroup b = [tim]", "require r: a and requester in b"), &[]);
    says(
        &with("fact Dev : bool", "require r: Dev"),
        &[
            "E0208 3:7 `Dev` is the name of a fact already | declared again, as a stage | 2:6 declared first, as a fact | help: rename one of them",
        ],
    );
    says(&with("group Dev = [tim]", "trigger manual by Dev"), &[]);
    says(
        &with("calendar c = daily 09:00..17:00\ncalendar c = daily 09:00..17:00", "window w: c"),
        &[
            "E0208 3:10 the calendar `c` is declared twice | declared again, as a calendar | 2:10 declared first, as a calendar | help: rename one of them",
        ],
    );
    says(&with("calendar c = daily 09:00..17:00\nfact c : bool", "window w: c require r: c"), &[]);
    says(
        &with("scenario s { push }\nscenario s { push }", "trigger push"),
        &[
            "E0208 3:10 the scenario `s` is declared twice | declared again, as a scenario | 2:10 declared first, as a scenario | help: rename one of them",
        ],
    );
    files_say(
        &[
            ("p.gate", "policy p include \"b.gate\" fact f : bool stage Dev { require r: f }"),
            ("b.gate", "fact f : bool"),
        ],
        &[
            "E0208 1:32 the fact `f` is declared twice | declared again, as a fact | b.gate:1:6 declared first, as a fact | help: rename one of them",
        ],
    );
}

#[test]
fn some_names_belong_to_the_language() {
    says(
        &with("fact now : time", "trigger push"),
        &["E0210 2:6 `now` is a word of the language | a fact cannot have this name | help: choose another name"],
    );
    says(&with("fact nowadays : bool", "require r: nowadays"), &[]);
    says(
        "policy p stage build { trigger push }",
        &["E0210 1:16 `build` is a word of the language | a stage cannot have this name | help: choose another name"],
    );
    says(
        &with("", "require after: build.id is set"),
        &[
            "E0210 4:9 a rule cannot be called `after` | this is the name of a rule that the stage's header makes | help: choose another name",
        ],
    );
    says(
        &with("", "require soak: build.branch == \"a\" require window: build.branch == \"a\""),
        &[
            "E0210 4:9 a rule cannot be called `soak` | this is the name of a rule that the stage's header makes | help: choose another name",
        ],
    );
}

#[test]
fn a_stage_that_does_not_exist() {
    says(
        "policy p stage Dev { trigger push } stage Test after Dve { trigger push }",
        &["E0203 1:54 there is no stage `Dve` | not described anywhere | help: did you mean `Dev`?"],
    );
    says("policy p stage Dev { trigger push } stage Test after Dev { trigger push }", &[]);
    says(
        "policy p group g = [a] stage Dev { approve q: 1 of g since Dve }",
        &["E0203 1:60 there is no stage `Dve` | not described anywhere | help: did you mean `Dev`?"],
    );
    says(
        "policy p stage Dev { trigger completion of Dve }",
        &["E0203 1:44 there is no stage `Dve` | not described anywhere | help: did you mean `Dev`?"],
    );
}

#[test]
fn a_group_that_does_not_exist() {
    says(
        "policy p group testers = [a] stage Dev { approve q: 1 of tester approve r: 1 of testers }",
        &["E0202 1:58 there is no group `tester` | not declared | help: did you mean `testers`?"],
    );
    says(
        "policy p stage Dev { approve q: 1 of tim }",
        &["E0202 1:38 there is no group `tim` | not declared | help: for a person, write `[tim]`"],
    );
    says(
        "policy p stage Dev { trigger manual by tim }",
        &["E0202 1:40 there is no group `tim` | not declared | help: for a person, write `[tim]`"],
    );
    says("policy p stage Dev { trigger manual by [tim] }", &[]);
}

#[test]
fn rules_of_a_stage_have_names_of_their_own() {
    says(
        "policy p\nstage Dev {\n require a: build.branch == \"a\"\n forbid a: build.branch == \"b\"\n}",
        &[
            "E0603 4:9 `a` is used twice in stage `Dev` | used again | 3:10 used first | help: rename one of them: a stage and its `stage *` rules, over all files, share their names",
        ],
    );
    says(
        "policy p\nstage * {\n require a: build.branch == \"a\"\n}\nstage Dev {\n forbid a: build.branch == \"b\"\n}\nstage Test { trigger push }",
        &[
            "E0603 6:9 `a` is used twice in stage `Dev` | used again | 3:10 used first | help: rename one of them: a stage and its `stage *` rules, over all files, share their names",
        ],
    );
    says(
        "policy p\nstage Dev {\n require a: build.branch == \"a\"\n}\nstage Test {\n forbid a: build.branch == \"b\"\n}",
        &[],
    );
    says("policy p\nstage Dev { trigger push trigger push require push: build.branch == \"a\" }", &[]);
    says(
        "policy p group g = [a,b]\nstage Dev {\n require a: build.branch == \"a\"\n override a: 1 of g may skip a\n}",
        &[
            "E0603 4:11 `a` is used twice in stage `Dev` | used again | 3:10 used first | help: rename one of them: a stage and its `stage *` rules, over all files, share their names",
        ],
    );
}

#[test]
fn stages_come_after_one_another_without_a_circle() {
    says(
        "policy p stage A after A { trigger push }",
        &[
            "E0601 1:24 stage `A` comes after itself | no build can ever be the first | help: remove one of these: the first stage has no `after`",
        ],
    );
    says(
        "policy p\nstage A after C { trigger push }\nstage B after A { trigger push }\nstage C after B { trigger push }",
        &[
            "E0601 2:15 stages `A`, `C` and `B` come after one another | no build can ever be the first | 4:15 `C` comes after `B` | 3:15 `B` comes after `A` | help: remove one of these: the first stage has no `after`",
        ],
    );
    says(
        "policy p\nstage A after any of B, C { trigger push }\nstage B after A { trigger push }\nstage C { trigger push }",
        &[
            "E0601 2:22 stages `A` and `B` come after one another | no build can ever be the first | 3:15 `B` comes after `A` | help: remove one of these: the first stage has no `after`",
        ],
    );
    says(
        "policy p\nstage A after B, C { trigger push }\nstage B after C { trigger push }\nstage C { trigger push }",
        &[],
    );
    says(
        "policy p\nstage C { trigger push }\nstage A after C, C { trigger push }",
        &["W0112 3:18 `C` is listed twice | listed again | 3:15 listed first | help: remove one of them"],
    );
}

#[test]
fn headers_of_stages() {
    says(
        "policy p stage A { trigger push } stage A { trigger manual }",
        &[
            "E0602 1:41 stage `A` is described twice | described again | 1:16 described first | help: put all of its rules into one block",
        ],
    );
    says(
        "policy p stage A for 2h { trigger push }",
        &[
            "E0604 1:22 stage `A` soaks, but comes after nothing | since when? | help: name the stage before it: `stage A after … for 2h`",
        ],
    );
    says(
        "policy p stage * after A { trigger push } stage A { trigger push }",
        &["E0109 1:18 `stage *` comes after nothing | not here | help: write it at the stages themselves"],
    );
    says(
        "policy p stage * for 1h { trigger push } stage A { trigger push }",
        &["E0109 1:22 `stage *` comes after nothing | not here | help: write it at the stages themselves"],
    );
    says(
        "policy p",
        &[
            "E0605 1:8 the policy has no stage | nothing can be decided by it | help: add one: `stage Dev { trigger push }`",
        ],
    );
    says(
        "# nothing but a calendar\ncalendar c = daily 09:00..17:00",
        &[
            "E0605 1:1 the policy has no stage | nothing can be decided by it | help: add one: `stage Dev { trigger push }`",
        ],
    );
    says(
        "policy p policy q timezone \"UTC\" timezone \"UTC\" stage A { trigger push }",
        &[
            "E0606 1:17 `policy` is given twice in this file | given again | 1:8 given first | help: remove one of them",
            "E0606 1:43 `timezone` is given twice in this file | given again | 1:28 given first | help: remove one of them",
        ],
    );
    says(
        "policy p timezone \"Europe/Berln\" stage A { trigger push }",
        &[
            "E0402 1:19 there is no time zone `Europe/Berln` | not in the IANA database | help: did you mean `Europe/Berlin`?",
        ],
    );
    says(
        "policy p timezone \"los angeles\" stage A { trigger push }",
        &[
            "E0402 1:19 there is no time zone `los angeles` | not in the IANA database | help: did you mean `America/Los_Angeles`?",
        ],
    );
    says(
        "policy p timezone \"Mars/Olympus\" stage A { trigger push }",
        &[
            r#"E0402 1:19 there is no time zone `Mars/Olympus` | not in the IANA database | help: write it as in "Europe/Berlin" or "UTC""#,
        ],
    );
    says(
        "policy p stage A { exclusive forward only exclusive }",
        &[
            "E0109 1:43 `exclusive` is given twice in this block | given again | 1:20 given first | help: remove one of them",
        ],
    );
    says(
        "test for \"q.gate\" stage A { trigger push }",
        &[
            "E0606 1:10 this file holds tests: it is no policy, nor can it be included | `test for` says so | help: compile the policy that it names; tests of its own a policy holds without `test for`",
        ],
    );
}

#[test]
fn of_tests_taken_for_a_policy_nothing_else_is_told() {
    says(
        "test for \"q.gate\"\ntest \"t\" { build { id: \"1\" } fact coverage = 91 expect Live allow }",
        &[
            "E0606 1:10 this file holds tests: it is no policy, nor can it be included | `test for` says so | help: compile the policy that it names; tests of its own a policy holds without `test for`",
        ],
    );
}

#[test]
fn an_override_of_everything_is_told_how_to_say_it() {
    says(
        &with("group g = [tim]", "require r: build.branch == \"a\"\noverride o: 1 of g may skip all"),
        &[
            "E0204 5:29 stage `Dev` has no rule `all` | there is no such rule | help: write `may skip all but RULE`, or name the rules",
        ],
    );
}

#[test]
fn what_cannot_be_read_is_not_blamed_on_what_can() {
    says(
        "policy p\nfact f bool\nstage A { require r: f }",
        &["E0101 2:7 a colon is missing after `f` | help: write `fact f : bool`"],
    );
    says(
        "policy p\nfact f bool\nstage A { require r: g and f }\nstage B after C { trigger push }",
        &[
            "E0101 2:7 a colon is missing after `f` | help: write `fact f : bool`",
            "E0201 3:22 there is no fact or definition `g` | not declared | help: declare it: `fact g : …`, or `define g = …`",
            "E0203 4:15 there is no stage `C` | not described anywhere | help: the stages are `A` and `B`",
        ],
    );
}
