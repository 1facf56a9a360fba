//! Names, patterns and instants that do not stand for anything, and what is no condition.

use super::says;

#[test]
fn a_name_that_is_not_declared() {
    says(
        "cheks.unit == passed",
        &["E0201 1 there is no fact, definition or stage `cheks` | not declared | help: did you mean `checks.unit`?"],
    );
    says(
        "covrage >= 80",
        &["E0201 1 there is no fact or definition `covrage` | not declared | help: did you mean `coverage`?"],
    );
    says(
        "zzz == 1",
        &[
            "E0201 1 there is no fact or definition `zzz` | not declared | help: declare it: `fact zzz : …`, or `define zzz = …`",
        ],
    );
    says(
        "branch == \"main\"",
        &["E0201 1 there is no fact or definition `branch` | not declared | help: did you mean `build.branch`?"],
    );
    says(
        "build.brunch == \"main\"",
        &["E0201 7 `build` has no `brunch` | no such fact | help: did you mean `build.branch`?"],
    );
    says(
        "build.foo == 1",
        &[
            "E0201 7 `build` has no `foo` | no such fact | help: there are `build.id`, `build.digest`, `build.version`, `build.branch`, `build.commit`, `build.author`, `build.contributors`, `build.labels`, `build.created` and `build.age`",
        ],
    );
    says(
        "build == 1",
        &[
            "E0201 1 `build` alone is not a fact | which part of it? | help: there are `build.id`, `build.digest`, `build.version`, `build.branch`, `build.commit`, `build.author`, `build.contributors`, `build.labels`, `build.created` and `build.age`",
        ],
    );
    says(
        "current == \"x\"",
        &[
            "E0201 1 `current` alone is not a fact | which part of it? | help: there are `current.id`, `current.version`, `current.created`, `current.digest`, `current.at` and `current.age`",
        ],
    );
    says(
        "current.age.x > 1h",
        &[
            "E0201 13 `current.age` has no parts | nothing is below it | help: only maps have values below them, one level deep; a key with dots goes in quotes: `checks.\"a.b\"`",
        ],
    );
    says(
        "build.branch.name == \"x\"",
        &[
            "E0201 14 `build.branch` has no parts | nothing is below it | help: only maps have values below them, one level deep; a key with dots goes in quotes: `checks.\"a.b\"`",
        ],
    );
    says(
        "coverage.x == 1",
        &[
            "E0201 10 `coverage` has no parts | nothing is below it | help: only maps have values below them, one level deep; a key with dots goes in quotes: `checks.\"a.b\"`",
        ],
    );
    says(
        "checks.unit.x == passed",
        &[
            "E0201 13 `checks.unit` has no parts | nothing is below it | help: only maps have values below them, one level deep; a key with dots goes in quotes: `checks.\"a.b\"`",
        ],
    );
    says("Dev.stat == passed", &["E0201 5 `Dev` has no `stat` | no such fact | help: did you mean `Dev.status`?"]);
    says(
        "Dev.foo == 1",
        &["E0201 5 `Dev` has no `foo` | no such fact | help: there are `Dev.status`, `Dev.at` and `Dev.age`"],
    );
    says(
        "Dev.status.x == passed",
        &[
            "E0201 12 `Dev.status` has no parts | nothing is below it | help: only maps have values below them, one level deep; a key with dots goes in quotes: `checks.\"a.b\"`",
        ],
    );
    says(
        "now.x == 1",
        &[
            "E0201 5 `now` has no parts | nothing is below it | help: only maps have values below them, one level deep; a key with dots goes in quotes: `checks.\"a.b\"`",
        ],
    );
    says(
        "ops.x == 1",
        &[
            "E0201 5 `ops` has no parts | nothing is below it | help: only maps have values below them, one level deep; a key with dots goes in quotes: `checks.\"a.b\"`",
        ],
    );
    says(
        "covered.x == 1",
        &[
            "E0201 9 `covered` has no parts | nothing is below it | help: only maps have values below them, one level deep; a key with dots goes in quotes: `checks.\"a.b\"`",
        ],
    );
    says(
        "title == branch",
        &[
            "E0201 10 there is no fact or definition `branch` | not declared | help: did you mean `build.branch`? Or write a text in quotes: `\"branch\"`",
        ],
    );
    says(
        "title == foo",
        &["E0201 10 there is no fact or definition `foo` | not declared | help: write a text in quotes: `\"foo\"`"],
    );
    says(
        "requester == author",
        &[
            "E0201 14 there is no fact `author` | not declared | help: did you mean `build.author`? For a person of that name write `\"author\"`",
        ],
    );
    says(
        "requester != author",
        &[
            "E0201 14 there is no fact `author` | not declared | help: did you mean `build.author`? For a person of that name write `\"author\"`",
        ],
    );
    says("requester in opz", &["E0202 14 there is no group or fact `opz` | not declared | help: did you mean `ops`?"]);
    says(
        "requester in zzz",
        &["E0202 14 there is no group or fact `zzz` | not declared | help: for one value write `in [zzz]`, or `==`"],
    );
    says(
        "owner in [author]",
        &[
            "E0201 11 there is no fact `author` | not declared | help: did you mean `build.author`? For a person of that name write `\"author\"`",
        ],
    );
    says(
        "requestr in ops",
        &[
            "E0201 1 there is no fact or definition `requestr` | not declared | help: did you mean `requester`? Or name the fact that is asked about: `requester in ops`",
        ],
    );
    says(
        "lint == pased",
        &["E0206 9 `pased` is not a value of `lint` | no such value | 1 a status | help: did you mean `passed`?"],
    );
    says(
        "lint == succeeded",
        &[
            "E0206 9 `succeeded` is not a value of `lint` | no such value | 1 a status | help: a success is written `passed`",
        ],
    );
    says(
        "lint == running",
        &["E0206 9 `running` is not a value of `lint` | no such value | 1 a status | help: did you mean `pending`?"],
    );
    says(
        "lint == covrage",
        &[
            "E0206 9 `covrage` is not a value of `lint` | no such value | 1 a status | help: its values are `passed`, `failed`, `pending`, `skipped` and `cancelled`",
        ],
    );
    says(
        "risk == hihg",
        &[
            "E0206 9 `hihg` is not a value of `risk` | no such value | 1 one of { low, medium, high } | help: did you mean `high`?",
        ],
    );
    says(
        "risk == zzz",
        &[
            "E0206 9 `zzz` is not a value of `risk` | no such value | 1 one of { low, medium, high } | help: its values are `low`, `medium` and `high`",
        ],
    );
    says(
        "risk in [low, hihg, zzz]",
        &[
            "E0206 15 `hihg` is not a value of `risk` | no such value | 1 one of { low, medium, high } | help: did you mean `high`?",
            "E0206 21 `zzz` is not a value of `risk` | no such value | 1 one of { low, medium, high } | help: its values are `low`, `medium` and `high`",
        ],
    );
    says(
        "trigger == pushed",
        &[
            "E0206 12 `pushed` is not a value of `trigger` | no such value | 1 a kind of trigger | help: did you mean `push`?",
        ],
    );
    says(
        "action == deploy",
        &[
            "E0206 11 `deploy` is not a value of `action` | no such value | 1 an action | help: did you mean `redeploy`?",
        ],
    );
    says(
        "pased == lint",
        &["E0206 1 `pased` is not a value of `lint` | no such value | 10 a status | help: did you mean `passed`?"],
    );
    says(
        "passed == failed",
        &[
            "E0201 1 there is no fact or definition `passed` | not declared | help: declare it: `fact passed : …`, or `define passed = …`",
        ],
    );
    says(
        "flag == foo",
        &[
            "E0201 9 there is no fact or definition `foo` | not declared | help: declare it: `fact foo : …`, or `define foo = …`",
        ],
    );
    says(
        "coverage == foo",
        &[
            "E0201 13 there is no fact or definition `foo` | not declared | help: declare it: `fact foo : …`, or `define foo = …`",
        ],
    );
    says(
        "every cheks == passed",
        &["E0201 7 there is no fact or definition `cheks` | not declared | help: did you mean `checks`?"],
    );
    says(
        "every zzz == passed",
        &[
            "E0201 7 there is no fact or definition `zzz` | not declared | help: declare it: `fact zzz : …`, or `define zzz = …`",
        ],
    );
    says("coverd", &["E0201 1 there is no fact or definition `coverd` | not declared | help: did you mean `covered`?"]);
    says("not fleg", &["E0201 5 there is no fact or definition `fleg` | not declared | help: did you mean `flag`?"]);
    says(
        "zzz",
        &[
            "E0201 1 there is no fact or definition `zzz` | not declared | help: declare it: `fact zzz : …`, or `define zzz = …`",
        ],
    );
}

#[test]
fn what_is_no_condition() {
    says("coverage", &["E0303 1 `coverage` is a number, not a condition | help: test it: `coverage >= 80`"]);
    says("title", &["E0303 1 `title` is a string, not a condition | help: test it: `title == \"…\"`"]);
    says("lint", &["E0303 1 `lint` is a status, not a condition | help: test it: `lint == passed`"]);
    says("risk", &["E0303 1 `risk` is one of { low, medium, high }, not a condition | help: test it: `risk == low`"]);
    says(
        "tags",
        &["E0303 1 `tags` is a set of strings, not a condition | help: test it: `tags contains …`, or `any tags …`"],
    );
    says(
        "checks",
        &[
            "E0303 1 `checks` is a map of statuses, not a condition | help: test it: `every checks …`, or `checks.key …`",
        ],
    );
    says("started", &["E0303 1 `started` is a time, not a condition | help: test it: `started < now`"]);
    says("took", &["E0303 1 `took` is a duration, not a condition | help: test it: `took > 2h`"]);
    says("release", &["E0303 1 `release` is a version, not a condition | help: test it: `release == \"…\"`"]);
    says("owner", &["E0303 1 `owner` is a user, not a condition | help: test it: `owner == \"…\"`"]);
    says("80", &["E0303 1 `80` is a number, not a condition | help: a condition is a test such as `coverage >= 80`"]);
    says(
        "\"a\"",
        &["E0303 1 `\"a\"` is a string, not a condition | help: a condition is a test such as `coverage >= 80`"],
    );
    says(
        "[flag]",
        &[
            "E0303 1 a list is not a condition | help: a condition is a test such as `build.branch in [\"main\", \"release\"]`",
        ],
    );
    says("ops", &["E0303 1 `ops` is a group, not a condition | help: ask who is in it: `requester in ops`"]);
    says("Dev", &["E0303 1 `Dev` is a stage, not a condition | help: ask how it went there: `Dev.status == passed`"]);
    says(
        "passed",
        &[
            "E0201 1 there is no fact or definition `passed` | not declared | help: declare it: `fact passed : …`, or `define passed = …`",
        ],
    );
    says(
        "every flag == true",
        &[
            "E0304 7 `flag` is a bool, not a set or a map | `every` goes over the elements of a set or of a map | help: leave `every` out, or name a set or a map",
        ],
    );
    says(
        "every coverage > 1",
        &[
            "E0304 7 `coverage` is a number, not a set or a map | `every` goes over the elements of a set or of a map | help: leave `every` out, or name a set or a map",
        ],
    );
    says(
        "any [1] == 1",
        &[
            "E0304 5 `[1]` is a list, not a set or a map | `any` goes over the elements of a set or of a map | help: leave `any` out, or name a set or a map",
        ],
    );
    says(
        "every ops == tim",
        &[
            "E0304 7 `ops` is a group, not a set or a map | `every` goes over the elements of a set or of a map | help: leave `every` out, or name a set or a map",
        ],
    );
    says(
        "no covered == true",
        &[
            "E0304 4 `covered` is a definition, not a set or a map | `no` goes over the elements of a set or of a map | help: leave `no` out, or name a set or a map",
        ],
    );
    says(
        "every Dev == passed",
        &[
            "E0304 7 `Dev` is a stage, not a set or a map | `every` goes over the elements of a set or of a map | help: leave `every` out, or name a set or a map",
        ],
    );
    says(
        "any \"a\" == \"b\"",
        &[
            "E0304 5 `\"a\"` is a string, not a set or a map | `any` goes over the elements of a set or of a map | help: leave `any` out, or name a set or a map",
        ],
    );
    says(
        "1 == 1",
        &[
            "E0306 1 this test reads no fact | always the same, whatever is asked | help: name a fact on one side, or write `true` or `false`",
        ],
    );
    says(
        "\"a\" in [\"a\"]",
        &[
            "E0306 1 this test reads no fact | always the same, whatever is asked | help: name a fact on one side, or write `true` or `false`",
        ],
    );
    says(
        "true == true",
        &[
            "E0306 1 this test reads no fact | always the same, whatever is asked | help: name a fact on one side, or write `true` or `false`",
        ],
    );
    says(
        "1 in [1, 2]",
        &[
            "E0306 1 this test reads no fact | always the same, whatever is asked | help: name a fact on one side, or write `true` or `false`",
        ],
    );
    says(
        "tim in ops",
        &[
            "E0201 1 there is no fact or definition `tim` | not declared | help: name the fact that is asked about: `requester in ops`",
        ],
    );
    says(
        "\"tim\" in ops",
        &[
            "E0306 1 this test reads no fact | always the same, whatever is asked | help: name a fact on one side, or write `true` or `false`",
        ],
    );
    says(
        "1 is set",
        &[
            "E0306 1 this test reads no fact | always the same, whatever is asked | help: name a fact on one side, or write `true` or `false`",
        ],
    );
    says(
        "\"a\" matches \"a\"",
        &[
            "E0306 1 this test reads no fact | always the same, whatever is asked | help: name a fact on one side, or write `true` or `false`",
        ],
    );
    says(
        "covered is set",
        &[
            "E0301 1 `covered` is a definition, not a value | help: it is a condition itself: write `covered` or `not covered`",
        ],
    );
    says("ops is set", &["E0301 1 `ops` is a group, not a value | help: ask who is in it: `requester in ops`"]);
    says(
        "Dev is set",
        &["E0301 1 `Dev` is a stage, not a value | help: its facts are `Dev.status`, `Dev.at` and `Dev.age`"],
    );
    says(
        "zzz is set",
        &[
            "E0201 1 there is no fact or definition `zzz` | not declared | help: declare it: `fact zzz : …`, or `define zzz = …`",
        ],
    );
}

#[test]
fn globs_and_regexes() {
    says(
        "title matches \"a{b\"",
        &[
            "E0108 17 `{` is not closed in this glob | help: alternatives are `{a,b}`; for the sign itself write `\\\\{`",
        ],
    );
    says(
        "title matches \"a}\"",
        &[
            "E0108 17 `}` closes nothing in this glob | help: alternatives are `{a,b}`; for the sign itself write `\\\\}`",
        ],
    );
    says(
        "title matches \"x[a\"",
        &["E0108 17 `[` is not closed in this glob | help: a class is `[a-z]`; for the sign itself write `\\\\[`"],
    );
    says("title matches \"[z-a]\"", &["E0108 17 this range of a glob runs backwards | help: write `a-z`"]);
    says(
        "title matches \"[]\"",
        &["E0108 16 this class of a glob is empty | help: list the characters it matches: `[a-z]`, `[!0-9]`"],
    );
    says(
        "title matches \"a]\"",
        &["E0108 17 `]` closes nothing in this glob | help: a class is `[a-z]`; for the sign itself write `\\\\]`"],
    );
    says(
        "title matches \"a\\\\\"",
        &[
            "E0108 15 this glob ends in a backslash that escapes nothing | help: in a string a backslash itself is `\\\\`, and `\\\\*` is a star that means itself",
        ],
    );
    says(
        "title matches \"[/]\"",
        &[
            "E0108 16 this class of a glob can never match | help: a class matches one character other than `/`; write `/` itself outside of it",
        ],
    );
    says(
        "title matches /(a/",
        &[
            "E0108 15 this is no regular expression: unclosed group | help: the syntax is that of the Rust crate `regex`; there are no look-arounds and no back-references",
        ],
    );
    says(
        "title matches /a)|(?:b/",
        &[
            "E0108 15 this is no regular expression: unopened group | help: the syntax is that of the Rust crate `regex`; there are no look-arounds and no back-references",
        ],
    );
    says(
        "title matches /(?=a)/",
        &[
            "E0108 15 this is no regular expression: look-around, including look-ahead and look-behind, is not supported | help: the syntax is that of the Rust crate `regex`; there are no look-arounds and no back-references",
        ],
    );
    says(
        "title matches /\\w{999}/",
        &[
            "E0714 15 this pattern is too large when compiled | help: the limit is 1048576 bytes; make its repetitions smaller, or `[0-9]` of `\\d` and `[a-z]` of `\\w`",
        ],
    );
    says(
        "any tags matches \"a{\"",
        &[
            "E0108 20 `{` is not closed in this glob | help: alternatives are `{a,b}`; for the sign itself write `\\\\{`",
        ],
    );
    says(
        "title matches /(?x)a#/",
        &[
            "E0108 15 this pattern cannot be matched against a whole text | help: leave the flag `x` and its comments out",
        ],
    );
}

#[test]
fn what_is_surely_not_meant() {
    says("now is set", &["W0113 1 `now` is never missing: this is always true | help: leave the test out"]);
    says("action is missing", &["W0113 1 `action` is never missing: this is never true | help: leave the test out"]);
    says("build.id is set", &["W0113 1 `build.id` is never missing: this is always true | help: leave the test out"]);
    says("title in []", &["W0113 10 nothing is in an empty list | help: list what it may be, or remove the test"]);
    says("title in [\"a\", \"b\", \"a\"]", &["W0112 21 `\"a\"` is listed twice | help: remove one of them"]);
    says("coverage in [1, 1.0]", &["W0112 17 `1.0` is listed twice | help: remove one of them"]);
}

#[test]
fn instants_out_of_range_or_skipped() {
    says(
        "started > 1969-12-31",
        &[
            "E0307 11 this lies outside the years 1970 to 2200 | help: the engine reckons with instants of the years 1970 to 2200 (UTC)",
        ],
    );
    says(
        "started > 2201-01-01",
        &[
            "E0307 11 this lies outside the years 1970 to 2200 | help: the engine reckons with instants of the years 1970 to 2200 (UTC)",
        ],
    );
    says(
        "started > 1970-01-01 00:00 +01:00",
        &[
            "E0307 11 this lies outside the years 1970 to 2200 | help: the engine reckons with instants of the years 1970 to 2200 (UTC)",
        ],
    );
    says("started > 2201-01-01 00:30 +01:00", &[]);
    says(
        "started > 2026-03-08 02:30 America/Los_Angeles",
        &[
            "E0105 11 this local time does not exist in America/Los_Angeles | the clock skips it | help: the clock goes forward there, to 2026-03-08 03:00; write a time outside of the gap, or one with an offset such as `Z`",
        ],
    );
    says("started > 2026-11-01 01:30 America/Los_Angeles", &[]);
    says(
        "started > 2026-03-08 10:00 America/Los_Angles",
        &[
            "E0402 28 there is no time zone `America/Los_Angles` | not in the IANA database | help: did you mean `America/Los_Angeles`?",
        ],
    );
    says(
        "started in [2026-03-08 02:30 \"America/Los_Angeles\"]",
        &[
            "E0105 13 this local time does not exist in America/Los_Angeles | the clock skips it | help: the clock goes forward there, to 2026-03-08 03:00; write a time outside of the gap, or one with an offset such as `Z`",
        ],
    );
}
