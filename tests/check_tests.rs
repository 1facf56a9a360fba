//! Tests and scenarios of a policy are checked when it is compiled: what is refused, with its place, words and help.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod said;
use said::said;

const POLICY: &str = "policy p
fact coverage : number
fact note : optional string
fact took : duration
fact seen : time
fact release : version
fact flag : bool
fact owner : user
fact risk : { low, medium, high }
fact checks : map of status
fact tags : set of string
group ops = [tim, andy]
group staff from directory
stage Dev { trigger push require covered: coverage >= 80 }
stage Test after Dev { override fast: 1 of ops may skip after }
scenario morning { at 2026-03-04 10:00 build { id: \"1\" } }
";

/// What is said of a test with these steps, beside `at` and `expect`; or of a text that begins with `test` or `scenario`.
/// Columns from the first letter, and no line.
#[track_caller]
fn says(steps: &str, expected: &[&str]) {
    let lines = POLICY.lines().count();
    let (text, line) = match steps.starts_with("test ") || steps.starts_with("scenario ") {
        true => (format!("{POLICY}{steps}"), lines + 1),
        false => (format!("{POLICY}test \"t\" {{ at 2026-03-04 10:00 expect Dev allow\n{steps}\n}}"), lines + 2),
    };
    let lines = |told: &String| told.replace(&format!(" {line}:"), " ");
    let lints = ["W0105", "W0106", "W0110"];
    let told: Vec<String> =
        said(&text).iter().filter(|told| !lints.iter().any(|l| told.starts_with(l))).map(lines).collect();
    assert!(told == expected, "of\n{steps}\nit says\n  {}\nnot\n  {}\n", told.join("\n  "), expected.join("\n  "));
}

#[test]
fn a_test_says_when_it_is_and_expects_something() {
    says("test \"a\" { at 2026-03-04 10:00 expect Dev allow }", &[]);
    says(
        "test \"a\" { expect Dev allow }",
        &[
            "E0607 6 this test does not say when it is | no `at`, here or in a scenario that it takes in | help: add a line such as `at 2026-03-04 10:00`",
        ],
    );
    says("test \"a\" { given morning expect Dev allow }", &[]);
    says(
        "test \"a\" { at 2026-03-04 10:00 push }",
        &["E0607 6 this test expects nothing | it cannot fail | help: add a line such as `expect Staging allow`"],
    );
    says(
        "test \"a\" { push }",
        &["E0607 6 this test expects nothing | it cannot fail | help: add a line such as `expect Staging allow`"],
    );
    says(
        "test \"a\" { given mourning expect Dev allow }",
        &["E0207 18 there is no scenario `mourning` | not declared | help: did you mean `morning`?"],
    );
    says(
        "scenario x { push } test \"a\" { given x expect Dev allow }",
        &[
            "E0607 26 this test does not say when it is | no `at`, here or in a scenario that it takes in | help: add a line such as `at 2026-03-04 10:00`",
        ],
    );
    says("scenario x { given morning } test \"a\" { given x expect Dev allow }", &[]);
    says(
        "test \"a\" { given morning expect Dev allow } test \"a\" { given morning expect Dev hold }",
        &[
            "E0208 50 two tests have the name `a` | named again | 6 named first | help: a report knows tests by their names: rename one of them",
        ],
    );
    says(
        "scenario x { given y } scenario y { given x } test \"a\" { given x expect Dev allow }",
        &[
            "E0209 10 these scenarios use one another in a circle: x → y → x | begins here | 33 and goes on here | help: take one of the uses out",
        ],
    );
    says(
        "scenario x { given x }",
        &["E0209 10 the scenario `x` uses itself | begins here | help: take one of the uses out"],
    );
    says(
        "test \"a\" { at 2026-03-04 10:00 given morning, morning expect Dev allow }",
        &[
            "E0109 47 the scenario `morning` is given twice | given again | 38 given first | help: remove one of them, or write another test",
        ],
    );
}

#[test]
fn names_that_are_not_there() {
    says(
        "succeeded Dev at 2026-03-03 09:00, Tset at 2026-03-03 10:00",
        &["E0203 36 there is no stage `Tset` | not described anywhere | help: did you mean `Test`?"],
    );
    says(
        "approved by tim at 2026-03-03 09:00 for Tset",
        &["E0203 41 there is no stage `Tset` | not described anywhere | help: did you mean `Test`?"],
    );
    says("approved by tim at 2026-03-03 09:00 for Test build \"1\"", &[]);
    says(
        "approved by ops at 2026-03-03 09:00",
        &[
            "E0301 13 `ops` is a group, not a person | a group of people | help: name the people; for a person of that name write `\"ops\"`",
        ],
    );
    says("rejected by \"ops\", stranger at 2026-03-03 09:00", &[]);
    says("override fast by tim at 2026-03-03 09:00 because \"x\"", &[]);
    says(
        "override fasst by tim at 2026-03-03 09:00",
        &["E0204 10 there is no override `fasst` | no stage has such an override | help: did you mean `fast`?"],
    );
    says(
        "override covered by tim at 2026-03-03 09:00",
        &[
            "E0204 10 `covered` is a rule, not an override | no stage has such an override | help: the overrides are `fast`",
        ],
    );
    says("fact covrage = 91", &["E0201 6 there is no fact `covrage` | not declared | help: did you mean `coverage`?"]);
    says(
        "fact now = 91",
        &[
            "E0201 6 there is no fact `now` | not declared | help: `now` is not declared by the policy; a test gives it by a line of its own",
        ],
    );
    says("group staff = [zoe]", &[]);
    says(
        "group ops = [zoe]",
        &[
            "E0109 7 the policy lists the members of `ops` itself | only a directory's members are given by a test | 12:7 listed here | help: remove this line",
        ],
    );
    says("group stuff = [zoe]", &["E0202 7 there is no group `stuff` | not declared | help: did you mean `staff`?"]);
    says(
        "completion of Dve",
        &["E0203 15 there is no stage `Dve` | not described anywhere | help: did you mean `Dev`?"],
    );
    says("completion of Dev", &[]);
    says("action rollback", &[]);
    says("action rolback", &["E0206 8 `rolback` is not an action | no such word | help: did you mean `rollback`?"]);
    says("requester tim", &[]);
    says(
        "requester ops",
        &[
            "E0301 11 `ops` is a group, not a person | a group of people | help: name the people; for a person of that name write `\"ops\"`",
        ],
    );
    says(
        "manual by staff",
        &[
            "E0301 11 `staff` is a group, not a person | a group of people | help: name the people; for a person of that name write `\"staff\"`",
        ],
    );
    says("manual by tim", &[]);
}

#[test]
fn what_is_expected() {
    says("expect Dev deny because covered", &[]);
    says(
        "expect Dev deny because coverd",
        &["E0204 25 Dev has no rule `coverd` | no such rule | help: did you mean `covered`?"],
    );
    says("expect Dev deny because covered, push", &[]);
    says(
        "expect Dev deny because covered, covered",
        &[
            "E0109 34 the rule `covered` is given twice | given again | 25 given first | help: remove one of them, or write another test",
        ],
    );
    says("expect Dev hold until 2026-03-05 10:00", &[]);
    says(
        "expect Test allow because fast",
        &["E0204 27 `fast` is an override of Test, not a rule | no such rule | help: its rules are `after`"],
    );
    says(
        "expect Tset allow",
        &["E0203 8 there is no stage `Tset` | not described anywhere | help: did you mean `Test`?"],
    );
    says("expect Dev rule covered is met", &[]);
    says(
        "expect Dev rule covered is mett",
        &["E0206 28 `mett` is not the status of a rule | no such word | help: did you mean `met`?"],
    );
    says("expect Dev rule covered is not-applicable", &[]);
    says(
        "expect Dev rule zzz is met",
        &["E0204 17 Dev has no rule `zzz` | no such rule | help: its rules are `covered` and `push`"],
    );
    says("expect Dev fires at 2026-03-05 10:00", &[]);
    says(
        "expect Dev opens at 2201-03-05 10:00",
        &[
            "E0307 21 this lies outside the years 1970 to 2200 | help: the engine reckons with instants of the years 1970 to 2200 (UTC)",
        ],
    );
    says(
        "expect Test rule soak is met",
        &["E0204 18 Test has no rule `soak` | no such rule | help: its rules are `after`"],
    );
    says("expect Test rule after is met", &[]);
}

#[test]
fn values_of_facts() {
    says("fact coverage = 91", &[]);
    says(
        "fact coverage = \"91\"",
        &[
            "E0301 17 `coverage` is a number, and `\"91\"` is a string | a string | 6 a number | help: write `91` without quotes",
        ],
    );
    says(
        "fact coverage = high",
        &[
            "E0301 17 `coverage` is a number, and `high` is a bare word | a bare word | 6 a number | help: a number is written as in `80` or `79.5`",
        ],
    );
    says(
        "fact coverage = none",
        &[
            "E0301 17 `coverage` is not optional | cannot be `none` | 2:6 declared here | help: for a fact that was not supplied leave the line out; to allow `none` declare it `optional`",
        ],
    );
    says("fact note = none", &[]);
    says("fact note = \"x\"", &[]);
    says(
        "fact note = x",
        &[
            "E0301 13 `note` is a string, and `x` is a bare word | a bare word | 6 a string | help: write it in quotes: `\"x\"`",
        ],
    );
    says(
        "fact took = 5",
        &[
            "E0301 13 `took` is a duration, and `5` is a number | a number | 6 a duration | help: a duration has its unit beside it: `5s`, `5m`, `5h` or `5d`",
        ],
    );
    says("fact took = 5m", &[]);
    says("fact seen = 2026-03-04 10:00", &[]);
    says(
        "fact seen = \"yesterday\"",
        &[
            "E0301 13 `seen` is a time, and `\"yesterday\"` is a string | a string | 6 a time | help: a time is written as in `2026-03-04` or `2026-03-04 10:00`",
        ],
    );
    says("fact release = \"1.2.3\"", &[]);
    says(
        "fact release = \"next\"",
        &[
            "E0305 16 `next` is no version | unexpected character 'n' while parsing major version number | 6 a version | help: versions are semantic: three numbers as in `\"2026.3.1\"`, perhaps `-rc.1` after them",
        ],
    );
    says("fact flag = true", &[]);
    says(
        "fact flag = yes",
        &[
            "E0301 13 `flag` is a bool, and `yes` is a bare word | a bare word | 6 a bool | help: a bool is `true` or `false`",
        ],
    );
    says("fact owner = zoe", &[]);
    says(
        "fact owner = 3",
        &["E0301 14 `owner` is a user, and `3` is a number | a number | 6 a user | help: write it in quotes: `\"3\"`"],
    );
    says("fact risk = high", &[]);
    says(
        "fact risk = hihg",
        &[
            "E0206 13 `hihg` is not a value of `risk` | no such value | 6 one of { low, medium, high } | help: did you mean `high`?",
        ],
    );
    says(
        "fact risk = \"high\"",
        &[
            "E0305 13 `high` is written in quotes | a string | 6 one of { low, medium, high } | help: write `high` without quotes",
        ],
    );
    says("fact checks = { unit: passed, \"ci/build\": failed }", &[]);
    says(
        "fact checks = { unit: green }",
        &[
            "E0206 23 `green` is not a value of `unit` | no such value | 17 a status | help: a success is written `passed`",
        ],
    );
    says(
        "fact checks = { unit: passed, unit: failed }",
        &[
            "E0109 31 the key `unit` is given twice | given again | 17 given first | help: remove one of them, or write another test",
        ],
    );
    says(
        "fact checks = [passed]",
        &[
            "E0301 15 `checks` is a map of statuses, and this is a list | a list | 6 a map of statuses | help: a map is written as in `{ unit: passed, \"ci/build\": failed }`",
        ],
    );
    says(
        "fact checks = passed",
        &[
            "E0301 15 `checks` is a map of statuses, and this is one value | one value | 6 a map of statuses | help: a map is written as in `{ unit: passed, \"ci/build\": failed }`",
        ],
    );
    says("fact tags = [\"a\", \"b\"]", &[]);
    says(
        "fact tags = [\"a\", b]",
        &[
            "E0301 19 an element of `tags` is a string, and `b` is a bare word | a bare word | 6 a string | help: write it in quotes: `\"b\"`",
        ],
    );
    says(
        "fact tags = \"a\"",
        &[
            "E0301 13 `tags` is a set of strings, and this is one value | one value | 6 a set of strings | help: a set is written as in `[a, b]`",
        ],
    );
    says(
        "fact coverage = [1]",
        &["E0301 17 `coverage` is a number, and this is a list | a list | 6 a number | help: give one value"],
    );
    says(
        "fact coverage = { a: 1 }",
        &["E0301 17 `coverage` is a number, and this is a map | a map | 6 a number | help: give one value"],
    );
}

#[test]
fn fields_of_builds() {
    says(
        "build { id: \"1\", version: \"r12\", branch: \"main\", author: mara, contributors: [mara, \"x y\"], labels: [\"hotfix\"], created: 2026-03-01 10:00 }",
        &[],
    );
    says(
        "build { id: 1 }",
        &["E0301 13 `id` is a string, and `1` is a number | a number | 9 a string | help: write it in quotes: `\"1\"`"],
    );
    says(
        "build { brunch: \"main\" }",
        &["E0201 9 `build` has no `brunch` | no such field | help: did you mean `branch`?"],
    );
    says(
        "build { id: \"1\", id: \"2\" }",
        &[
            "E0109 18 the field `id` is given twice | given again | 9 given first | help: remove one of them, or write another test",
        ],
    );
    says(
        "build { labels: [hotfix] }",
        &[
            "E0301 18 an element of `labels` is a string, and `hotfix` is a bare word | a bare word | 9 a string | help: write it in quotes: `\"hotfix\"`",
        ],
    );
    says(
        "build { labels: \"hotfix\" }",
        &[
            "E0301 17 `labels` is a set of strings, and this is one value | one value | 9 a set of strings | help: a set is written as in `[a, b]`",
        ],
    );
    says(
        "build { created: \"today\" }",
        &[
            "E0301 18 `created` is a time, and `\"today\"` is a string | a string | 9 a time | help: a time is written as in `2026-03-04` or `2026-03-04 10:00`",
        ],
    );
    says("current { id: \"0\", at: 2026-03-01 10:00, deploying: none }", &[]);
    says("current none", &[]);
    says(
        "current { branch: \"main\" }",
        &[
            "E0201 11 `current` has no `branch` | no such field | help: there are `id`, `digest`, `version`, `created`, `at` and `deploying`",
        ],
    );
}

#[test]
fn said_twice() {
    says(
        "at 2026-03-04 11:00",
        &[
            "E0109 1 `at` is given twice | given again | 17:12 given first | help: remove one of them, or write another test",
        ],
    );
    says(
        "push manual by tim",
        &[
            "E0109 6 what set it off is given twice | given again | 1 given first | help: remove one of them, or write another test",
        ],
    );
    says("push", &[]);
    says(
        "build { id: \"1\" } build { id: \"2\" }",
        &[
            "E0109 19 `build` is given twice | given again | 1 given first | help: remove one of them, or write another test",
        ],
    );
    says(
        "fact coverage = 1 fact coverage = 2",
        &[
            "E0109 24 the fact `coverage` is given twice | given again | 6 given first | help: remove one of them, or write another test",
        ],
    );
    says(
        "requester tim requester andy",
        &[
            "E0109 15 `requester` is given twice | given again | 1 given first | help: remove one of them, or write another test",
        ],
    );
    says(
        "action promote action rollback",
        &[
            "E0109 16 `action` is given twice | given again | 1 given first | help: remove one of them, or write another test",
        ],
    );
    says(
        "current none current none",
        &[
            "E0109 14 `current` is given twice | given again | 1 given first | help: remove one of them, or write another test",
        ],
    );
    says(
        "group staff = [a] group staff = [b]",
        &[
            "E0109 25 the group `staff` is given twice | given again | 7 given first | help: remove one of them, or write another test",
        ],
    );
}

#[test]
fn times_in_tests() {
    says(
        "succeeded Dev at 1969-01-01 10:00",
        &[
            "E0307 18 this lies outside the years 1970 to 2200 | help: the engine reckons with instants of the years 1970 to 2200 (UTC)",
        ],
    );
    says(
        "succeeded Dev at 2026-03-08 02:30 America/Los_Angeles",
        &[
            "E0105 18 this local time does not exist in America/Los_Angeles | the clock skips it | help: the clock goes forward there, to 2026-03-08 03:00; write a time outside of the gap, or one with an offset such as `Z`",
        ],
    );
    says(
        "schedule at 2026-03-04 10:00 \"Mars\"",
        &[
            "E0402 30 there is no time zone `Mars` | not in the IANA database | help: write it as in \"Europe/Berlin\" or \"UTC\"",
        ],
    );
    says("schedule at 2026-03-04 10:00", &[]);
    says("schedule", &[]);
}
