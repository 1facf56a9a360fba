//! Every operator over every type, from the text of a policy to the status of a rule: true, false, unknown.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use stagegate::{Policy, Request};

const FACTS: &str = "
fact flag : bool
fact other-flag : bool
fact coverage : number
fact floor : number
fact title : string
fact word : string
fact started : time
fact ended : time
fact took : duration
fact most : duration
fact release : version
fact least : version
fact owner : user
fact lint : status
fact unit : status
fact risk : { low, medium, high }
fact limit : { low, medium, high }
fact tags : set of string
fact scores : set of number
fact owners : set of user
fact levels : set of { low, medium, high }
fact checks : map of status
fact sizes : map of number
fact ready : map of bool
fact ticket : optional string
group ops = [tim, andy, \"lee@tailspin.example\"]
group directory from directory
define covered = coverage >= 80
define well = covered and flag
";

/// The status of `require r: CONDITION` for a request with these fields (JSON) beside `stage`, `now` and `build.id`.
#[track_caller]
fn status(condition: &str, fields: &str) -> String {
    let text = format!("policy p\n{FACTS}\nstage Prev {{ trigger push }}\nstage Dev {{ require r: {condition} }}");
    let policy = Policy::parse("p.gate", text).unwrap_or_else(|error| panic!("{error}"));
    let mut request = serde_json::json!({ "stage": "Dev", "now": "2026-03-04T18:00:00Z", "build": { "id": "b1" } });
    let fields: serde_json::Value = serde_json::from_str(&format!("{{{fields}}}")).unwrap();
    for (name, value) in fields.as_object().unwrap() {
        match (name.as_str(), value.as_object()) {
            ("build", Some(build)) => {
                for (name, value) in build {
                    request["build"][name] = value.clone();
                }
            }
            _ => request[name] = value.clone(),
        }
    }
    let request = Request::from_json(request.to_string().as_bytes()).unwrap();
    let decision = policy.decide(&request).unwrap();
    let rule = decision.rule("r").unwrap();
    let verdict = policy.verdict(&request).unwrap();
    assert_eq!(verdict, decision.verdict(), "{condition}");
    assert_eq!(verdict.is_allow(), rule.status.as_str() == "met", "{condition}");
    match rule.status.as_str() {
        // False now, and true later if time alone passes.
        "waiting" => "unmet".to_string(),
        status => status.to_string(),
    }
}

/// Given facts, conditions that are true, false and unknown with them.
#[track_caller]
fn truth(facts: &str, yes: &[&str], no: &[&str], unknown: &[&str]) {
    let fields = format!("\"facts\": {{{facts}}}");
    table(&fields, yes, no, unknown);
}

#[track_caller]
fn table(fields: &str, yes: &[&str], no: &[&str], unknown: &[&str]) {
    for (conditions, expected, negated) in
        [(yes, "met", "unmet"), (no, "unmet", "met"), (unknown, "unknown", "unknown")]
    {
        for condition in conditions {
            assert_eq!(status(condition, fields), expected, "{condition} with {fields}");
            // `not` turns each around, and leaves the unknown unknown.
            assert_eq!(status(&format!("not ({condition})"), fields), negated, "not ({condition}) with {fields}");
        }
    }
}

#[test]
fn bools() {
    truth(
        r#""flag": true, "other-flag": false"#,
        &[
            "flag",
            "flag == true",
            "flag != false",
            "true == flag",
            "flag != other-flag",
            "flag in [true]",
            "true",
            "flag is set",
        ],
        &["other-flag", "flag == false", "flag == other-flag", "flag in [false]", "false", "flag is missing"],
        &[],
    );
    truth(
        "",
        &["flag is missing", "true"],
        &["flag is set"],
        &["flag", "flag == true", "flag != true", "flag == other-flag"],
    );
}

#[test]
fn numbers() {
    truth(
        r#""coverage": 79.5, "floor": 80"#,
        &[
            "coverage < 80",
            "coverage <= 79.5",
            "coverage >= 79.5",
            "coverage > -3",
            "coverage == 79.5",
            "coverage != 80",
            "coverage == 79.50",
            "80 > coverage",
            "79.5 <= coverage",
            "coverage < floor",
            "floor > coverage",
            "coverage in [1, 79.5]",
            "coverage not in [1, 2]",
            "coverage in [floor, 79.5]",
            "floor in [coverage, floor]",
        ],
        &["coverage > 80", "coverage < 79.5", "80 <= coverage", "coverage == floor", "coverage in [1, floor]"],
        &["coverage in scores", "coverage not in scores"],
    );
    truth(
        r#""coverage": 0.1, "floor": 1e2"#,
        &["coverage == 0.1", "floor == 100", "floor == 1e2"],
        &["coverage == 0.2"],
        &[],
    );
    truth("", &[], &[], &["coverage < 1", "coverage in [1]", "coverage not in [1]", "1 > coverage"]);
    // Kleene: a list with an unknown in it still holds what it holds.
    truth(
        r#""coverage": 1"#,
        &["coverage in [1, floor]"],
        &[],
        &["coverage in [2, floor]", "coverage not in [2, floor]"],
    );
}

#[test]
fn strings() {
    truth(
        r#""title": "Release 1.2", "word": "1.2""#,
        &[
            r#"title == "Release 1.2""#,
            r#"title != "release 1.2""#,
            r#"title contains "ase""#,
            "title contains word",
            r#"title starts with "Rel""#,
            r#"title ends with "1.2""#,
            "title ends with word",
            r#"title in ["a", "Release 1.2"]"#,
            r#"title matches "Release *""#,
            r#"title matches /Release [0-9.]+/"#,
            r#"title not in ["a"]"#,
            r#"title starts with """#,
            "word in [word]",
        ],
        &[
            r#"title == "release 1.2""#,
            r#"title contains "rel""#,
            r#"title starts with "1.2""#,
            r#"title ends with "Rel""#,
            r#"title matches "Release""#,
            r#"title matches /Release/"#,
            r#"title matches "release *""#,
            "word contains title",
            "word starts with title",
            "title == word",
        ],
        &["title in tags"],
    );
    truth(
        r#""title": "x""#,
        &[],
        &[],
        &[
            "title == word",
            "title contains word",
            "title starts with word",
            r#"word contains "x""#,
            r#"word matches "*""#,
            r#"word starts with """#,
            r#"word matches /.*/"#,
        ],
    );
    truth(r#""title": "a\nb""#, &[r#"title matches "a*""#, r#"title == "a\nb""#], &[r#"title matches /a.b/"#], &[]);
    truth(
        r#""title": "a\n""#,
        &[],
        &[r#"title matches /a/"#, r#"title matches "a""#, r#"title matches /(?m)a$/"#],
        &[],
    );
}

#[test]
fn times_and_durations() {
    truth(
        r#""started": "2026-03-04T10:00:00Z", "ended": "2026-03-04T12:30:00+01:00", "took": "1h30m", "most": "2h""#,
        &[
            "started == 2026-03-04 10:00",
            "started == 2026-03-04 11:00 +01:00",
            "started == 2026-03-04 10:00:00 Z",
            "started > 2026-03-04",
            "started < ended",
            "ended >= 2026-03-04 11:30",
            "started < now",
            "started == 2026-03-04 02:00 America/Los_Angeles",
            "2026-03-04 < started",
            "started in [2026-03-04, 2026-03-04 10:00]",
            "took == 90m",
            "took < 2h",
            "took > 1h29m59s",
            "took <= most",
            "1h <= took",
            "took in [30m, 1h30m]",
            "took != most",
        ],
        &["started == 2026-03-04", "started > ended", "ended > now", "took > 2h", "took == most", "took < 90m"],
        &[],
    );
    truth("", &[], &[], &["started < now", "took > 2h", "started == ended", "ended != 2026-03-04"]);
}

#[test]
fn versions_have_the_precedence_of_semver() {
    truth(
        r#""release": "1.10.0-rc.1", "least": "1.9.0""#,
        &[
            r#"release > "1.9.9""#,
            r#"release < "1.10.0""#,
            r#"release == "1.10.0-rc.1+build.5""#,
            "release > least",
            r#"release != "1.10.0""#,
            r#"release in ["1.10.0-rc.1"]"#,
            r#""1.9.9" < release"#,
            r#"release < "1.10.0-rc.2""#,
        ],
        &[r#"release >= "1.10.0""#, "release <= least", r#"release < "1.10.0-beta""#],
        &[],
    );
    truth("", &[], &[], &[r#"release > "1.0.0""#, "release == least"]);
}

#[test]
fn users_and_groups() {
    table(
        r#""requester": "tim", "facts": { "owner": "zoe" }, "build": { "author": "tim", "branch": "tim" }, "groups": { "directory": ["zoe"] }"#,
        &[
            "requester == tim",
            r#"requester == "tim""#,
            "owner != requester",
            "build.author == requester",
            "requester in ops",
            "owner not in ops",
            "owner in directory",
            "requester not in directory",
            "requester in [tim, owner]",
            r#"owner in [mara, "zoe"]"#,
            "build.branch == requester",
            "build.branch in ops",
            r#"requester starts with "t""#,
            r#"requester matches "t?m""#,
            "tim == requester",
            r#"requester contains "im""#,
        ],
        &[
            "requester == andy",
            "owner in ops",
            "requester in directory",
            "owner == requester",
            "owner in [tim, andy]",
            "requester != tim",
        ],
        &["owner in owners"],
    );
    truth(
        r#""owner": "zoe""#,
        &[],
        &["owner in ops"],
        &["owner in directory", "owner not in directory", "requester in ops", "requester == owner"],
    );
}

#[test]
fn statuses_that_are_pending_are_known_to_be_pending_and_nothing_else() {
    truth(
        r#""lint": "passed", "unit": "pending""#,
        &[
            "lint == passed",
            "lint != failed",
            "lint in [passed, skipped]",
            "unit == pending",
            "lint != pending",
            "unit in [pending, failed]",
            "passed == lint",
            "unit is set",
        ],
        &["lint == failed", "lint == pending", "unit != pending", "lint in [failed, skipped]", "lint not in [passed]"],
        &[
            "unit == passed",
            "unit != passed",
            "unit == failed",
            "unit in [passed, skipped]",
            "unit not in [failed]",
            "unit == lint",
            "lint != unit",
        ],
    );
    truth("", &["lint is missing"], &[], &["lint == pending", "lint == passed", "lint != unit"]);
}

#[test]
fn enumerations_are_ordered_as_written() {
    truth(
        r#""risk": "medium", "limit": "high""#,
        &[
            "risk == medium",
            "risk >= low",
            "risk < high",
            "risk < limit",
            "low < risk",
            "risk in [low, medium]",
            "risk != limit",
            "high == limit",
        ],
        &["risk > medium", "risk == limit", "limit < medium", "risk not in [medium]"],
        &[],
    );
    truth("", &[], &[], &["risk == low", "risk < limit", "risk in [low, medium, high]"]);
}

#[test]
fn sets() {
    truth(
        r#""tags": ["hotfix", "a/b"], "scores": [1, 5], "owners": ["tim", "andy"], "levels": ["high"], "word": "hotfix", "owner": "tim""#,
        &[
            r#"tags contains "hotfix""#,
            r#""hotfix" in tags"#,
            r#""x" not in tags"#,
            "tags contains word",
            "word in tags",
            r#"any tags matches "hot*""#,
            r#"every tags != "x""#,
            r#"no tags == "x""#,
            "scores contains 5",
            "5 in scores",
            "every scores >= 1",
            "any scores > 4",
            "no scores > 5",
            "owners contains tim",
            "every owners in ops",
            "owners contains owner",
            "tim in owners",
            "any owners == owner",
            "levels contains high",
            "high in levels",
            "every levels == high",
            r#"every tags not in ["x", "y"]"#,
            r#"any tags not in ["hotfix"]"#,
            r#"no tags not in ["hotfix", "a/b"]"#,
            r#"any tags contains "/""#,
            r#"any tags starts with "a""#,
            "owner in owners",
        ],
        &[
            r#"tags contains "x""#,
            r#""x" in tags"#,
            r#""hotfix" not in tags"#,
            r#"every tags matches "hot*""#,
            r#"any tags matches "*ab""#,
            r#"no tags matches "hot*""#,
            "every scores > 1",
            "any scores > 5",
            "levels contains low",
            r#"every tags not in ["hotfix"]"#,
            r#"no tags not in ["hotfix"]"#,
        ],
        &["every owners in directory", "any owners in directory", "tags contains title"],
    );
    // Empty: nothing has been reported, so `every` does not know; there is none of anything.
    truth(
        r#""tags": []"#,
        &[r#"no tags == "x""#, r#"no tags not in ["x"]"#, "tags is set"],
        &[r#"any tags == "x""#, r#"tags contains "x""#, r#""x" in tags"#, r#"any tags not in ["x"]"#],
        &[r#"every tags == "x""#, r#"every tags != "x""#, r#"every tags not in ["x"]"#],
    );
    truth(
        "",
        &[],
        &[],
        &[
            r#"any tags == "x""#,
            r#"no tags == "x""#,
            r#"every tags == "x""#,
            r#"tags contains "x""#,
            r#""x" not in tags"#,
        ],
    );
}

#[test]
fn maps() {
    truth(
        r#""checks": { "unit": "passed", "lint": "failed", "ci/build": "skipped" }, "sizes": { "a": 3 }, "ready": { "x": true }"#,
        &[
            "checks.unit == passed",
            r#"checks."ci/build" == skipped"#,
            r#"checks."unit" == passed"#,
            "any checks == failed",
            "no checks == cancelled",
            "checks.perf is missing",
            "checks.unit is set",
            "every checks in [passed, failed, skipped]",
            "every sizes < 5",
            "sizes.a == 3",
            "ready.x",
            "every ready == true",
            "checks.unit != checks.lint",
            "every checks not in [cancelled]",
        ],
        &[
            "every checks == passed",
            "checks.lint == passed",
            "checks.unit is missing",
            "any sizes > 3",
            "no checks == failed",
        ],
        &["checks.perf == passed", "checks.perf != passed", "ready.y"],
    );
    // Kleene over the values: a failure decides, whatever is pending.
    truth(
        r#""checks": { "a": "pending", "b": "failed" }"#,
        &["any checks == failed"],
        &["every checks == passed"],
        &["any checks == passed", "no checks == passed"],
    );
    truth(
        r#""checks": { "a": "pending", "b": "passed" }"#,
        &["any checks == passed"],
        &["no checks == passed"],
        &["every checks == passed"],
    );
    truth(
        r#""checks": {}"#,
        &["no checks == failed"],
        &["any checks == failed"],
        &["every checks == passed", "checks.unit == passed"],
    );
}

#[test]
fn absence_is_seen_by_two_tests_only() {
    truth(
        r#""ticket": null"#,
        &["ticket is missing"],
        &["ticket is set"],
        &[r#"ticket == "a""#, r#"ticket != "a""#, r#"ticket matches "*""#],
    );
    truth(r#""ticket": """#, &["ticket is set", r#"ticket == """#], &["ticket is missing"], &[]);
    truth(
        "",
        &["ticket is missing", "checks is missing", "checks.unit is missing"],
        &["ticket is set"],
        &[r#"ticket == "a""#],
    );
}

#[test]
fn gates_follow_kleene() {
    truth(
        r#""flag": true, "other-flag": false, "coverage": 90"#,
        &[
            "flag or took > 1h",
            "flag and not other-flag",
            "covered",
            "well",
            "covered and well and covered",
            "other-flag and flag or flag",
        ],
        &[
            "other-flag and took > 1h",
            "not covered",
            "other-flag and (flag or flag)",
            "(other-flag or other-flag) and flag",
        ],
        &["flag and took > 1h", "other-flag or took > 1h", "not took > 1h"],
    );
    truth(r#""flag": true"#, &[], &[], &["covered", "well", "not well"]);
}

#[test]
fn the_facts_that_always_exist() {
    table(
        r#""action": "rollback", "trigger": { "kind": "manual", "by": "tim" },
           "build": { "branch": "main", "commit": "c0ffee", "digest": "sha256:ab", "version": "1.2.3", "author": "mara",
                      "contributors": ["mara", "andy"], "labels": ["hotfix"], "created": "2026-03-04T16:00:00Z" },
           "current": { "id": "b0", "version": "1.2.2", "created": "2026-03-01T00:00:00Z", "digest": "sha256:cd", "at": "2026-03-02T18:00:00Z" },
           "history": [ { "stage": "Prev", "status": "succeeded", "at": "2026-03-04T15:00:00Z" } ]"#,
        &[
            r#"build.id == "b1""#,
            r#"build.branch == "main""#,
            r#"build.commit starts with "c0""#,
            r#"build.digest == "sha256:ab""#,
            r#"build.version > "1.2.0""#,
            "build.version > current.version",
            "build.author == mara",
            "build.contributors contains andy",
            r#"build.labels contains "hotfix""#,
            "build.created < now",
            "build.age >= 2h",
            "action == rollback",
            "action != promote",
            "trigger == manual",
            "requester == tim",
            "now == 2026-03-04 18:00",
            r#"current.id == "b0""#,
            "current.age >= 48h",
            "current.at < build.created",
            r#"current.digest != build.digest"#,
            "current.created == 2026-03-01",
            "Prev.status == passed",
            "Prev.age >= 3h",
            "Prev.at == 2026-03-04 15:00",
            "build.author in build.contributors",
            "Prev.at < build.created",
            "trigger in [manual, push]",
        ],
        &[
            "build.age > 3h",
            "trigger == schedule",
            "Prev.status == failed",
            "current.age < 1h",
            "requester in build.contributors",
        ],
        &["Dev.status == passed", "Dev.age > 1h"],
    );
    table(
        "",
        &["action == promote", "Prev.status is missing", "build.branch is missing"],
        &[],
        &[
            "trigger == push",
            "requester == tim",
            "build.age > 1h",
            r#"current.id == "x""#,
            "Prev.status == passed",
            "Prev.age > 1h",
        ],
    );
    table(
        r#""history": [ { "stage": "Prev", "status": "pending", "at": "2026-03-04T15:00:00Z" } ]"#,
        &["Prev.status == pending", "Prev.at is missing"],
        &[],
        &["Prev.status == passed", "Prev.status != passed", "Prev.age > 1h"],
    );
}

#[test]
fn an_age_that_is_too_young_is_waited_for() {
    let policy = Policy::parse("p.gate", "policy p stage Dev { require ripe: 3h <= build.age }").unwrap();
    let json = r#"{ "stage": "Dev", "now": "2026-03-04T18:00:00Z", "build": { "id": "1", "created": "2026-03-04T16:00:00Z" } }"#;
    let decision = policy.decide(&Request::from_json(json.as_bytes()).unwrap()).unwrap();
    let rule = decision.rule("ripe").unwrap();
    assert_eq!(rule.status.as_str(), "waiting");
    assert_eq!(rule.until.unwrap().to_rfc3339(), "2026-03-04T19:00:00+00:00");
}

#[test]
fn a_word_for_a_value_means_the_value_whatever_else_has_its_name() {
    let text = "policy p fact passed : status fact unit : status stage Dev { require r: unit == passed }";
    let policy = Policy::parse("p.gate", text).unwrap();
    let request = |passed: &str, unit: &str| {
        let json = format!(
            r#"{{ "stage": "Dev", "now": "2026-03-04T18:00:00Z", "build": {{ "id": "1" }}, "facts": {{ "passed": "{passed}", "unit": "{unit}" }} }}"#
        );
        policy.decide(&Request::from_json(json.as_bytes()).unwrap()).unwrap().rule("r").unwrap().status.to_string()
    };
    assert_eq!(request("failed", "passed"), "met");
    assert_eq!(request("failed", "failed"), "unmet");
}

#[test]
fn a_definition_costs_nothing_the_second_time() {
    let rules: String = (0..1_000).map(|n| format!("require r{n}: good\n")).collect();
    let text = format!(
        "policy p fact coverage : number define good = coverage >= 80 and coverage < 101\nstage Dev {{ {rules} }}"
    );
    let limits = stagegate::Limits { program: 10, ..Default::default() };
    stagegate::Compiler::new().limits(limits.clone()).compile_text("p.gate", &text).unwrap();
    // Its twin writes the condition out, and is too much.
    let text = text.replace(": good", ": coverage >= 80 and coverage < 101");
    let error = stagegate::Compiler::new().limits(limits).compile_text("p.gate", &text).unwrap_err();
    let codes: Vec<&str> = error.errors().map(|d| d.code.as_str()).collect();
    assert_eq!(codes, ["E0714"]);
}

#[test]
fn chains_of_definitions_are_as_deep_as_the_limit_and_no_deeper() {
    let chain = |n: usize| {
        let defines: String = (1..n).map(|i| format!("define d{i} = not d{}\n", i - 1)).collect();
        format!("policy p fact flag : bool define d0 = flag\n{defines} stage Dev {{ require r: d{} }}", n - 1)
    };
    let compile = |n: usize| {
        let text = chain(n);
        // A thread with a small stack: nothing recurses along the chain.
        let thread = std::thread::Builder::new().stack_size(256 << 10);
        thread.spawn(move || Policy::parse("p.gate", text).map(|_| ())).unwrap().join().unwrap()
    };
    compile(64).unwrap();
    for n in [65, 5_000] {
        let error = compile(n).unwrap_err();
        let errors: Vec<String> = error.errors().map(|d| format!("{} {}", d.code, d.message)).collect();
        assert_eq!(errors, ["E0713 definitions use one another more than 64 deep here"]);
    }
}

#[test]
fn nested_conditions_in_nested_definitions_fit_a_small_stack() {
    let deep = |inner: &str| format!("{}{inner}{}", "not (".repeat(32), ")".repeat(32));
    let defines: String = (1..64).map(|i| format!("define d{i} = {}\n", deep(&format!("d{}", i - 1)))).collect();
    let text =
        format!("policy p fact flag : bool define d0 = {}\n{defines} stage Dev {{ require r: d63 }}", deep("flag"));
    let thread = std::thread::Builder::new().stack_size(256 << 10);
    let policy = thread.spawn(move || Policy::parse("p.gate", text).unwrap()).unwrap().join().unwrap();
    let request = stagegate::Request::to("Dev")
        .build(stagegate::Build::new("1"))
        .at("2026-03-04T18:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap())
        .fact("flag", true);
    assert!(policy.verdict(&request).unwrap().is_allow());
}

#[test]
fn a_secret_is_compared_and_never_shown() {
    let text = "policy p fact token : string secret fact keys : set of string secret
        stage Dev { require a: token == \"hunter2\" require b: token starts with \"sw\" require c: any keys == \"zzz\" require d: token in keys
        forbid e: every keys not in [\"swordfish\"] }";
    let policy = Policy::parse("p.gate", text).unwrap();
    let request = stagegate::Request::to("Dev")
        .build(stagegate::Build::new("1"))
        .at("2026-03-04T18:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap())
        .fact("token", "swordfish9")
        .fact("keys", ["trout17"]);
    let decision = policy.decide(&request).unwrap();
    let shown = format!("{decision} {}", serde_json::to_string(&decision).unwrap());
    assert!(!shown.contains("swordfish9") && !shown.contains("trout17"), "{shown}");
    assert_eq!(decision.rule("a").unwrap().status.as_str(), "unmet");
    assert_eq!(decision.rule("b").unwrap().status.as_str(), "met");
    let wrong = stagegate::Request::to("Dev")
        .build(stagegate::Build::new("1"))
        .at("2026-03-04T18:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap())
        .fact("token", 4711)
        .fact("keys", "trout17");
    let error = policy.decide(&wrong).unwrap_err().to_string();
    assert!(!error.contains("4711") && !error.contains("trout17"), "{error}");
}

#[test]
fn keys_and_near_misses_of_a_secret_are_not_shown_either() {
    let text = "policy p fact keys : map of bool secret fact level : { hunter, swordfish } secret
        stage Dev { require a: every keys == true require b: level == hunter }";
    let policy = Policy::parse("p.gate", text).unwrap();
    let request = |level: &str| {
        stagegate::Request::to("Dev")
            .build(stagegate::Build::new("1"))
            .at("2026-03-04T18:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap())
            .fact("keys", [("trout17", false)])
            .fact("level", level)
    };
    let shown = policy.decide(&request("swordfish")).unwrap().to_string();
    assert!(!shown.contains("trout17") && !shown.contains("swordfish"), "{shown}");
    let error = policy.decide(&request("swordfisch")).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("did you mean"), "{error:?}");
}

#[test]
fn what_is_told_of_a_test_says_what_it_found() {
    let text = r#"policy p fact tags : set of string
        stage Dev {
          require a: build.branch not in ["main"]
          require b: no tags == "bad"
          require c: every tags not in ["bad"]
          require d: every tags == "bad"
        }"#;
    let policy = Policy::parse("p.gate", text).unwrap();
    let decide = |branch: &str, tags: &[&str]| {
        let request = stagegate::Request::to("Dev")
            .build(stagegate::Build::new("1").branch(branch))
            .at("2026-03-04T18:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap())
            .fact("tags", tags.to_vec());
        let decision = policy.decide(&request).unwrap();
        decision
            .rules()
            .iter()
            .map(|rule| format!("{} {}: {}", rule.rule, rule.status, rule.detail))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        decide("main", &["bad", "good"]),
        [
            "a unmet: build.branch is main (`build.branch not in [\"main\"]` is false)",
            "b unmet: tags holds bad",
            "c unmet: tags holds bad",
            "d unmet: tags holds good",
        ]
    );
    assert_eq!(
        decide("dev", &["good"]),
        [
            "a met: build.branch is dev",
            "b met: `tags == \"bad\"` is true of none of the 1 of tags",
            "c met: `tags not in [\"bad\"]` is true of all 1 of tags",
            "d unmet: tags holds good",
        ]
    );
}
