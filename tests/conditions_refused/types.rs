//! Tests between things of types that do not fit.

use super::says;

#[test]
fn a_side_of_another_type() {
    says(
        "coverage >= \"80\"",
        &[
            "E0301 13 `coverage` is a number, and `\"80\"` is a string | a string | 1 a number | help: write `80` without quotes",
        ],
    );
    says(
        "coverage == title",
        &[
            "E0301 13 `coverage` is a number, and `title` is a string | a string | 1 a number | help: both sides of a test must be of one type",
        ],
    );
    says(
        "title == 80",
        &[
            "E0301 10 `title` is a string, and `80` is a number | a number | 1 a string | help: write it in quotes: `\"80\"`",
        ],
    );
    says(
        "title == coverage",
        &[
            "E0301 10 `title` is a string, and `coverage` is a number | a number | 1 a string | help: both sides of a test must be of one type",
        ],
    );
    says(
        "flag == \"true\"",
        &[
            "E0301 9 `flag` is a bool, and `\"true\"` is a string | a string | 1 a bool | help: write `true` without quotes",
        ],
    );
    says(
        "flag == 1",
        &["E0301 9 `flag` is a bool, and `1` is a number | a number | 1 a bool | help: a bool is `true` or `false`"],
    );
    says(
        "took > 80",
        &[
            "E0301 8 `took` is a duration, and `80` is a number | a number | 1 a duration | help: a duration has its unit beside it: `80s`, `80m`, `80h` or `80d`",
        ],
    );
    says(
        "took > \"2h\"",
        &[
            "E0301 8 `took` is a duration, and `\"2h\"` is a string | a string | 1 a duration | help: write `2h` without quotes",
        ],
    );
    says(
        "started > \"2026-03-04\"",
        &[
            "E0301 11 `started` is a time, and `\"2026-03-04\"` is a string | a string | 1 a time | help: a time is written as in `2026-03-04` or `2026-03-04 10:00`",
        ],
    );
    says(
        "started == 1h",
        &[
            "E0301 12 `started` is a time, and `1h` is a duration | a duration | 1 a time | help: a time is written as in `2026-03-04` or `2026-03-04 10:00`",
        ],
    );
    says(
        "release > 2",
        &[
            "E0301 11 `release` is a version, and `2` is a number | a number | 1 a version | help: a version is written as in `\"2026.3.1\"`",
        ],
    );
    says(
        "release > \"2.x\"",
        &[
            "E0305 11 `2.x` is no version | unexpected character 'x' while parsing minor version number | 1 a version | help: versions are semantic: three numbers as in `\"2026.3.1\"`, perhaps `-rc.1` after them",
        ],
    );
    says(
        "release in [\"1.0.0\", \"next\"]",
        &[
            "E0305 22 `next` is no version | unexpected character 'n' while parsing major version number | 1 a version | help: versions are semantic: three numbers as in `\"2026.3.1\"`, perhaps `-rc.1` after them",
        ],
    );
    says(
        "lint == \"passed\"",
        &["E0305 9 `passed` is written in quotes | a string | 1 a status | help: write `passed` without quotes"],
    );
    says(
        "risk == \"high\"",
        &[
            "E0305 9 `high` is written in quotes | a string | 1 one of { low, medium, high } | help: write `high` without quotes",
        ],
    );
    says(
        "risk == \"huge\"",
        &[
            "E0206 9 `huge` is not a value of `risk` | no such value | 1 one of { low, medium, high } | help: did you mean `high`?",
        ],
    );
    says(
        "risk == size",
        &[
            "E0301 9 `risk` is one of { low, medium, high }, and `size` is one of { small, large } | one of { small, large } | 1 one of { low, medium, high } | help: both sides of a test must be of one type",
        ],
    );
    says(
        "lint == risk",
        &[
            "E0301 9 `lint` is a status, and `risk` is one of { low, medium, high } | one of { low, medium, high } | 1 a status | help: both sides of a test must be of one type",
        ],
    );
    says(
        "risk == 3",
        &[
            "E0301 9 `risk` is one of { low, medium, high }, and `3` is a number | a number | 1 one of { low, medium, high } | help: its values are `low`, `medium` and `high`",
        ],
    );
    says(
        "owner == 3",
        &["E0301 10 `owner` is a user, and `3` is a number | a number | 1 a user | help: write it in quotes: `\"3\"`"],
    );
    says(
        "owner == flag",
        &[
            "E0301 10 `owner` is a user, and `flag` is a bool | a bool | 1 a user | help: both sides of a test must be of one type",
        ],
    );
    says(
        "title in [1]",
        &[
            "E0301 11 `title` is a string, and `1` is a number | a number | 1 a string | help: write it in quotes: `\"1\"`",
        ],
    );
    says(
        "coverage in [\"80\", 81]",
        &[
            "E0301 14 `coverage` is a number, and `\"80\"` is a string | a string | 1 a number | help: write `80` without quotes",
        ],
    );
    says(
        "tags contains 3",
        &[
            "E0301 15 an element of `tags` is a string, and `3` is a number | a number | 1 a string | help: write it in quotes: `\"3\"`",
        ],
    );
    says(
        "scores contains \"3\"",
        &[
            "E0301 17 an element of `scores` is a number, and `\"3\"` is a string | a string | 1 a number | help: write `3` without quotes",
        ],
    );
    says(
        "\"3\" in scores",
        &[
            "E0301 1 an element of `scores` is a number, and `\"3\"` is a string | a string | 8 a number | help: write `3` without quotes",
        ],
    );
    says(
        "coverage in tags",
        &[
            "E0301 13 `coverage` is a number, and `tags` is a set of strings | a set of strings | 1 a number | help: the elements of the set must be of the type of the left side",
        ],
    );
    says(
        "lint in checks",
        &["E0302 9 `checks` is a map, and `in` asks lists, sets and groups | help: ask for a value: `any checks == …`"],
    );
    says(
        "covered == true",
        &[
            "E0301 1 `covered` is a definition, not a value | help: it is a condition itself: write `covered` or `not covered`",
        ],
    );
    says(
        "flag == covered",
        &[
            "E0301 9 `covered` is a definition, which is a condition and not a value | 1 a bool | help: a definition stands alone or after `and`, `or`, `not`",
        ],
    );
    says(
        "title == [ \"a\" ]",
        &[
            "E0301 10 a list is no value to compare with | a list | 1 a string | help: to ask for one of several values write `in [a, b]`",
        ],
    );
    says(
        "title == ops",
        &[
            "E0301 10 `ops` is a group, not a value | a group of people | 1 a string | help: ask for its members: `title in ops`",
        ],
    );
    says(
        "owner == ops",
        &[
            "E0301 10 `ops` is a group, not a value | a group of people | 1 a user | help: ask for its members: `owner in ops`",
        ],
    );
    says(
        "coverage == Dev",
        &[
            "E0301 13 `Dev` is a stage, not a value | 1 a number | help: its facts are `Dev.status`, `Dev.at` and `Dev.age`",
        ],
    );
    says(
        "80 <= title",
        &[
            "E0302 7 `title` is a string, which has no `<=` | a string | help: a text has no order; for a fact that has one declare it `number` or `version`",
        ],
    );
    says(
        "title starts with 3",
        &[
            "E0301 19 `title` is a string, and `3` is a number | a number | 1 a string | help: write it in quotes: `\"3\"`",
        ],
    );
    says(
        "title contains coverage",
        &[
            "E0301 16 `title` is a string, and `coverage` is a number | a number | 1 a string | help: both sides of a test must be of one type",
        ],
    );
    says(
        "every checks == \"passed\"",
        &["E0305 17 `passed` is written in quotes | a string | 7 a status | help: write `passed` without quotes"],
    );
    says(
        "any tags == 3",
        &[
            "E0301 13 an element of `tags` is a string, and `3` is a number | a number | 5 a string | help: write it in quotes: `\"3\"`",
        ],
    );
    says(
        "checks.unit == coverage",
        &[
            "E0301 16 `checks.unit` is a status, and `coverage` is a number | a number | 1 a status | help: both sides of a test must be of one type",
        ],
    );
    says(
        "coverage in ops",
        &[
            "E0301 13 `coverage` is a number, and `ops` is a group of people | a group of people | 1 a number | help: only users and strings can be in a group",
        ],
    );
    says(
        "build.version > 1.2",
        &[
            "E0301 17 `build.version` is a version, and `1.2` is a number | a number | 1 a version | help: a version is written as in `\"2026.3.1\"`",
        ],
    );
    says(
        "build.created < 2h",
        &[
            "E0301 17 `build.created` is a time, and `2h` is a duration | a duration | 1 a time | help: a time is written as in `2026-03-04` or `2026-03-04 10:00`",
        ],
    );
    says(
        "build.age > 2026-03-04",
        &[
            "E0301 13 `build.age` is a duration, and `2026-03-04` is a date | a date | 1 a duration | help: a duration is written as in `30m`, `1h30m`, `2d`",
        ],
    );
    says(
        "now > 3",
        &[
            "E0301 7 `now` is a time, and `3` is a number | a number | 1 a time | help: a time is written as in `2026-03-04` or `2026-03-04 10:00`",
        ],
    );
}

#[test]
fn an_operator_that_the_type_does_not_have() {
    says(
        "title < \"b\"",
        &[
            "E0302 1 `title` is a string, which has no `<` | a string | help: a text has no order; for a fact that has one declare it `number` or `version`",
        ],
    );
    says(
        "flag < true",
        &[
            "E0302 1 `flag` is a bool, which has no `<` | a bool | help: a bool has no order: compare with `==`, `!=` or `in [a, b]`",
        ],
    );
    says(
        "lint > failed",
        &[
            "E0302 1 `lint` is a status, which has no `>` | a status | help: a status has no order: compare with `==`, `!=` or `in [a, b]`",
        ],
    );
    says(
        "trigger >= push",
        &[
            "E0302 1 `trigger` is a kind of trigger, which has no `>=` | a kind of trigger | help: a kind of trigger has no order: compare with `==`, `!=` or `in [a, b]`",
        ],
    );
    says(
        "action < rollback",
        &[
            "E0302 1 `action` is an action, which has no `<` | an action | help: an action has no order: compare with `==`, `!=` or `in [a, b]`",
        ],
    );
    says(
        "owner <= \"a\"",
        &[
            "E0302 1 `owner` is a user, which has no `<=` | a user | help: a user has no order: compare with `==`, `!=` or `in [a, b]`",
        ],
    );
    says(
        "tags == \"x\"",
        &[
            "E0302 1 `tags` is a set of strings, which has no `==` | a set of strings | help: ask with `tags contains …`, or with `any tags == …`",
        ],
    );
    says(
        "tags == tags",
        &[
            "E0302 1 `tags` is a set of strings, which has no `==` | a set of strings | help: ask with `tags contains …`, or with `any tags == …`",
        ],
    );
    says(
        "checks == passed",
        &[
            "E0302 1 `checks` is a map of statuses, which has no `==` | a map of statuses | help: ask with `every checks == …`, or for one value: `checks.key == …`",
        ],
    );
    says(
        "checks contains passed",
        &[
            "E0302 1 `checks` is a map of statuses, which has no `contains` | a map of statuses | help: ask for a key: `checks.key is set`, or for a value: `any checks == …`",
        ],
    );
    says(
        "coverage contains 8",
        &[
            "E0302 1 `coverage` is a number, which has no `contains` | a number | help: only sets and strings contain something",
        ],
    );
    says(
        "coverage starts with \"8\"",
        &[
            "E0302 1 `coverage` is a number, which has no `starts with` | a number | help: `starts with` is for strings and users",
        ],
    );
    says(
        "coverage matches \"8*\"",
        &[
            "E0302 1 `coverage` is a number, which has no `matches` | a number | help: `matches` is for strings and users",
        ],
    );
    says(
        "tags matches \"a*\"",
        &[
            "E0302 1 `tags` is a set of strings, which has no `matches` | a set of strings | help: ask its elements: `any tags matches …`, or `every tags matches …`",
        ],
    );
    says(
        "checks ends with \"x\"",
        &[
            "E0302 1 `checks` is a map of statuses, which has no `ends with` | a map of statuses | help: `ends with` is for strings and users",
        ],
    );
    says(
        "lint matches /p.*/",
        &["E0302 1 `lint` is a status, which has no `matches` | a status | help: `matches` is for strings and users"],
    );
    says(
        "every checks < failed",
        &[
            "E0302 7 an element of `checks` is a status, which has no `<` | a status | help: a status has no order: compare with `==`, `!=` or `in [a, b]`",
        ],
    );
    says(
        "any tags < \"a\"",
        &[
            "E0302 5 an element of `tags` is a string, which has no `<` | a string | help: a text has no order; for a fact that has one declare it `number` or `version`",
        ],
    );
    says(
        "every tags is set",
        &[
            "E0302 7 an element of `tags` is a string, which has no `is set` | a string | help: an element is never missing; ask for the whole: `tags is set`",
        ],
    );
    says(
        "no checks is missing",
        &[
            "E0302 4 an element of `checks` is a status, which has no `is missing` | a status | help: an element is never missing; ask for the whole: `checks is missing`",
        ],
    );
    says(
        "tags in [\"a\"]",
        &[
            "E0302 1 `tags` is a set of strings, which has no `in` | a set of strings | help: ask its elements: `any tags in …`, or `every tags in …`",
        ],
    );
    says(
        "checks in [passed]",
        &[
            "E0302 1 `checks` is a map of statuses, which has no `in` | a map of statuses | help: ask its elements: `any checks in …`, or `every checks in …`",
        ],
    );
    says(
        "title in title",
        &[
            "E0302 10 `title` is a string, and `in` asks lists, sets and groups | help: for a part of a text write `title contains title`; to compare them write `==`",
        ],
    );
    says(
        "coverage in 80",
        &[
            "E0302 13 `80` is a number, and `in` asks lists, sets and groups | help: write `in [80]`, or compare with `==`",
        ],
    );
    says(
        "coverage in coverage",
        &[
            "E0302 13 `coverage` is a number, and `in` asks lists, sets and groups | help: compare single values with `==`",
        ],
    );
    says(
        "title in \"a\"",
        &[
            "E0302 10 `\"a\"` is a string, and `in` asks lists, sets and groups | help: write `in [\"a\"]`, or compare with `==`",
        ],
    );
    says(
        "title in covered",
        &[
            "E0302 10 `covered` is a definition, and `in` asks lists, sets and groups | help: a definition is a condition itself",
        ],
    );
    says(
        "title in Dev",
        &["E0302 10 `Dev` is a stage, and `in` asks lists, sets and groups | help: name a list, a set or a group"],
    );
    says(
        "title in checks",
        &[
            "E0302 10 `checks` is a map, and `in` asks lists, sets and groups | help: ask for a value: `any checks == …`",
        ],
    );
    says(
        "\"a\" starts with title",
        &[
            "E0302 1 this side of the test has to be a fact | 17 a fact | help: write the fact first, and then what it is tested for",
        ],
    );
    says(
        "\"a\" contains title",
        &[
            "E0302 1 this side of the test has to be a fact | 14 a fact | help: write the fact first, and then what it is tested for",
        ],
    );
    says(
        "\"a\" is set",
        &[
            "E0306 1 this test reads no fact | always the same, whatever is asked | help: name a fact on one side, or write `true` or `false`",
        ],
    );
}
