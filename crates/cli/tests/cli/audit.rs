//! A log is asked: query, show, sql, review, report.

use serde_json::json;

use crate::common::{Folder, REQUEST, Value};

/// A folder with `log.db`, a week of one build and its neighbours.
pub fn week() -> Folder {
    let mut folder = Folder::ship();
    let weekend = |by: &str| json!({ "name": "break-glass", "by": by, "at": "2026-03-07T17:59:00Z", "reason": "<the> shop is \"down\"" });
    let steps: [(&str, Value); 5] = [
        (
            "dev",
            json!({ "stage": "Dev", "now": "2026-03-03T16:00:00Z", "trigger": { "kind": "push" }, "approvals": [], "history": [] }),
        ),
        ("allow", json!({})),
        (
            "hold",
            json!({ "now": "2026-03-05T18:00:00Z", "build": { "id": "2026.3.2", "branch": "=cmd()|' /C calc'!A0", "author": "mara" }, "approvals": [] }),
        ),
        (
            "deny",
            json!({ "now": "2026-03-05T19:00:00Z", "requester": "\u{1b}[2Jeve",
            "approvals": [{ "by": "andy", "decision": "reject", "at": "2026-03-05T18:30:00Z" }] }),
        ),
        (
            "weekend",
            json!({ "now": "2026-03-07T18:00:00Z", "build": { "id": "2026.3.3", "author": "mara" },
            "approvals": [{ "by": "amita", "decision": "approve", "at": "2026-03-07T17:30:00Z" },
                          { "by": "tim", "decision": "approve", "at": "2026-03-07T17:30:00Z" },
                          { "by": "andy", "decision": "approve", "at": "2026-03-07T17:30:00Z" }],
            "overrides": [weekend("tim"), weekend("andy")] }),
        ),
    ];
    for (name, changes) in steps {
        let mut request: Value = serde_json::from_str(REQUEST).unwrap();
        for (key, value) in changes.as_object().unwrap() {
            request[key] = value.clone();
        }
        folder = folder.with(&format!("{name}.json"), request.to_string());
        let file = format!("{name}.json");
        let ran = folder.run(&[
            "decide",
            "-q",
            "--policy",
            "ship.gate",
            "--request",
            &file,
            "--log",
            "log.db",
            "--asked-by",
            "bot",
        ]);
        assert_ne!(ran.code, 2, "{}", ran.stderr);
    }
    folder
}

fn ids(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect()
}

#[test]
fn the_questions_of_an_auditor() {
    let folder = week();
    let found = |query: &str| -> Vec<String> {
        let (code, rows) = folder.json(&["audit", "query", "log.db", query]);
        assert_eq!(code, 0, "{query}: {rows}");
        rows.as_array()
            .unwrap()
            .iter()
            .map(|row| format!("{} {}", row["build"].as_str().unwrap(), row["verdict"].as_str().unwrap()))
            .collect()
    };
    assert_eq!(found("").len(), 5);
    assert_eq!(
        found("stage == Staging and verdict == allow and approved by \"amita\" and at in 2026-03-01 .. 2026-03-04"),
        ["2026.3.1 allow"]
    );
    assert_eq!(found("rule weekend is overridden"), ["2026.3.3 allow"]);
    assert_eq!(found("overridden by break-glass and not reviewed"), ["2026.3.3 allow"]);
    assert_eq!(found("blocked by [qa, operations] and verdict == hold"), ["2026.3.2 hold"]);
    assert_eq!(found("rejected by andy"), ["2026.3.1 deny"]);
    assert_eq!(found("coverage > 90 and stage == Dev"), ["2026.3.1 allow"]);
    // The days of the zone: the evening of the 6th in California is the 7th in UTC.
    let until = |zone: &str| {
        folder.json(&[
            "audit",
            "query",
            "log.db",
            "",
            "--since",
            "2026-03-05 20:00",
            "--until",
            "2026-03-08",
            "--zone",
            zone,
            "--count",
        ])
    };
    assert_eq!(until("UTC").1, json!({ "count": 1 }));
    assert_eq!(until("America/Los_Angeles").1, json!({ "count": 1 }));
}

#[test]
fn rows_come_as_a_table_json_csv_and_lines() {
    let folder = week();
    let table = folder
        .run(&["audit", "query", "log.db", "stage == Staging", "--zone", "America/Los_Angeles", "--limit", "3"])
        .code(0);
    let lines: Vec<&str> = table.stdout.lines().collect();
    assert!(
        lines[0].starts_with("at ") && lines[0].contains(" verdict ") && lines[0].ends_with(" why"),
        "{}",
        table.stdout
    );
    assert!(lines[1].starts_with("Wed 2026-03-04 10:00 -08:00  allow "), "{}", table.stdout);
    assert!(lines[2].ends_with(" qa, operations"), "{}", table.stdout);
    // A name that would clear the screen.
    assert!(!table.stdout.contains('\u{1b}') && table.stdout.contains("\\u{1b}[2Jeve"), "{}", table.stdout);
    assert_eq!(table.stderr, "the first 3 decisions; there are more\n");
    let same = folder.run(&[
        "audit",
        "query",
        "log.db",
        "stage == Staging",
        "--zone",
        "America/Los_Angeles",
        "--limit",
        "3",
        "--format",
        "table",
    ]);
    assert_eq!(same.stdout, table.stdout);

    let (_, json) = folder.json(&["audit", "query", "log.db", "stage == Staging"]);
    let lines = folder.run(&["audit", "query", "log.db", "stage == Staging", "--format", "jsonl"]).code(0);
    let lines: Vec<Value> = lines.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(json, Value::from(lines));
    assert_eq!(json[0]["approved_by"], json!(["amita", "tim", "andy"]));
    assert_eq!(json[0]["asked_by"], "bot");
    assert_eq!(json[3]["overrides"], json!(["break-glass"]));
    let (_, newest) = folder.json(&["audit", "query", "log.db", "stage == Staging", "--newest", "--limit", "1"]);
    assert_eq!(ids(&newest), ids(&json)[3..]);

    let csv = folder.run(&["audit", "query", "log.db", "--by", "build.branch", "--format", "csv"]).code(0);
    assert_eq!(csv.stdout, "build.branch,count\r\nrelease,3\r\n,1\r\n\"'=cmd()|' /C calc'!A0\",1\r\n");
    let csv = folder.run(&["audit", "query", "log.db", "blocked by any", "--format", "csv"]).code(0);
    assert!(csv.stdout.lines().nth(1).unwrap().contains(",\"qa; operations\","), "{}", csv.stdout);
    assert!(
        folder
            .run(&["audit", "query", "log.db", "verdict == deny and verdict == allow", "--format", "csv"])
            .stdout
            .starts_with("id,seq,at,")
    );
}

#[test]
fn decisions_are_counted_by_what_they_share() {
    let folder = week();
    let (_, rows) = folder.json(&["audit", "query", "log.db", "--by", "stage", "verdict"]);
    assert_eq!(
        rows,
        json!([
            { "stage": "Dev", "verdict": "allow", "count": 1 }, { "stage": "Staging", "verdict": "allow", "count": 2 },
            { "stage": "Staging", "verdict": "deny", "count": 1 }, { "stage": "Staging", "verdict": "hold", "count": 1 }
        ])
    );
    let (_, rows) = folder.json(&["audit", "query", "log.db", "approved by any", "--by", "approvers,week"]);
    assert_eq!(rows[0], json!({ "approvers": "amita", "week": "2026-W10", "count": 2 }));
    let (_, rows) = folder.json(&["audit", "query", "log.db", "--by", "checks.unit"]);
    assert_eq!(rows, json!([{ "fact.checks.unit": "passed", "count": 5 }]));
    let ran = folder.run(&["audit", "query", "log.db", "--by", "day"]).code(0);
    assert!(ran.stdout.starts_with("day         count\n2026-03-03      1\n"), "{}", ran.stdout);
    assert_eq!(folder.run(&["audit", "query", "log.db", "stage == Staging", "--count"]).stdout, "4\n");
    assert_eq!(folder.run(&["audit", "query", "log.db", "--count", "--format", "csv"]).stdout, "count\r\n5\r\n");
}

#[test]
fn a_question_that_is_wrong_is_shown_with_its_place() {
    let folder = week();
    for (query, says) in [
        ("verdct == allow", "did you mean `verdict`? a fact of that name is `fact.verdct`"),
        ("verdict == alow", "did you mean `allow`?"),
        ("branch == main", "did you mean `build.branch`?"),
        ("build.brunch == main", "did you mean `build.branch`?"),
        ("verdict = allow", "write `==` to compare"),
        ("verdict == allow && reviewed", "write `and`"),
        ("verdict == allow and", "expected a test, such as `stage == Staging`, but it ends here"),
        ("stage == 3", "`stage` is a text, and `3` is not"),
        ("stage < Staging", "which has no order"),
        ("risk < high", "the log does not know the order"),
        ("at in 2026-03-05 .. 2026-03-01", "this range ends before it begins"),
        ("at in 2026-02-30", "there is no such day"),
        ("at > 2026-03-01 10:00 Mars/Base", "there is no time zone"),
        ("rule soak is wating", "did you mean `waiting`?"),
        ("approved", "write `approved by any`"),
        ("requester in ops", "groups of a policy are not in the log"),
        ("build.branch matches \"{\"", "is not closed"),
        ("build.branch matches /(/", "no regular expression"),
        ("Test.status == passed", "runs of stages"),
        ("now > 2026-03-01", "write `at`"),
        ("\"x\" == \"y\"", "reads nothing of the record"),
        ("build.version > \"new\"", "is no version"),
        ("(stage == Dev", "is never closed"),
        ("any stage == Dev", "neither a set nor a map"),
        ("build.labels == hotfix", "sets are not compared"),
        ("policy.zone == x", "there is no field `policy.zone`"),
        ("stage.name == x", "`stage` has no parts"),
        ("a == 1 == 2", "comparisons cannot be chained"),
    ] {
        let ran = folder.run(&["audit", "query", "log.db", query]).code(2);
        assert!(ran.stderr.contains(says), "{query}\n{}", ran.stderr);
        assert!(ran.stderr.starts_with("error[E") && ran.stderr.contains("--> query:1:"), "{query}\n{}", ran.stderr);
        assert_eq!(ran.stdout, "");
        let (code, json) = folder.json(&["audit", "query", "log.db", query]);
        assert_eq!((code, json["error"]["kind"].as_str()), (2, Some("query")), "{query}");
        assert!(json["error"]["diagnostics"][0]["column"].as_u64().unwrap() > 0);
    }
    let deep = "not (".repeat(40) + "reviewed" + &")".repeat(40);
    assert!(folder.run(&["audit", "query", "log.db", &deep]).code(2).stderr.contains("64"));
    for (args, says) in [
        (&["--by", "verdct"][..], "did you mean `verdict`?"),
        (&["--by", "at"], "write `day`, `week` or `month`"),
        (&["--by", "a b"], "not the name of a field"),
        (&["--zone", "Europe/Berlim"], "did you mean `Europe/Berlin`?"),
        (&["--since", "2026-03-05", "--until", "2026-03-04"], "--until is not later than --since"),
        (&["--since", "yesterday"], "is no time"),
        (&["--format", "tap"], "only `test` prints"),
    ] {
        let ran = folder.run(&[&["audit", "query", "log.db", ""], args].concat()).code(2);
        assert!(ran.stderr.contains(says), "{args:?}\n{}", ran.stderr);
    }
    let ran = folder.run(&["decide", "--format", "csv", "--policy", "ship.gate", "--request", "request.json"]).code(2);
    assert!(ran.stderr.contains("only `audit query` and `audit sql` print csv"), "{}", ran.stderr);
    assert!(folder.run(&["audit", "query", "nowhere.db"]).code(2).stderr.contains("there is no such log"));
}

#[test]
fn a_decision_is_shown_as_it_was_printed_that_day() {
    let folder = week();
    let (_, rows) = folder.json(&["audit", "query", "log.db"]);
    let id = ids(&rows)[1];
    let shown = folder.run(&["audit", "show", "log.db", id]).code(0);
    let printed = folder.run(&["decide", "--policy", "ship.gate", "--request", "allow.json"]).code(0);
    assert!(shown.stdout.ends_with(&printed.stdout), "{}\n{}", shown.stdout, printed.stdout);
    assert!(shown.stdout.starts_with(&format!("Record {id}, number 1\n")), "{}", shown.stdout);
    assert!(shown.stdout.contains("asked by  bot"), "{}", shown.stdout);
    // The request can be decided again.
    let request = folder.run(&["audit", "show", "log.db", id, "--request"]).code(0);
    let again = folder.run_with(&["decide", "--policy", "ship.gate", "--request", "-"], &request.stdout).code(0);
    assert_eq!(again.stdout, printed.stdout);

    let (code, json) = folder.json(&["audit", "show", "log.db", &id[..35]]);
    assert_eq!((code, json["entry"]["id"].as_str(), json["reviews"].clone()), (0, Some(id), json!([])));
    // Ids of one millisecond and more begin alike.
    let (code, several) = folder.json(&["audit", "show", "log.db", &id[..2]]);
    assert_eq!((code, several["error"]["kind"].as_str()), (2, Some("log")), "{several}");
    assert!(several["error"]["help"][0].as_str().unwrap().contains(id), "{several}");
    for (id, says) in [("ffff", "there is no record ffff"), ("x", "an id has 32 digits"), ("", "an id has 32 digits")] {
        assert!(folder.run(&["audit", "show", "log.db", id]).code(2).stderr.contains(says), "{id}");
    }
}

#[test]
fn overrides_are_open_until_somebody_has_looked() {
    let folder = week();
    let open = || folder.json(&["audit", "query", "log.db", "overridden by any and not reviewed"]).1;
    let id = ids(&open())[0].to_string();
    let review =
        |id: &str, by: &str, note: &str| folder.run(&["audit", "review", "log.db", id, "--by", by, "--note", note]);
    assert!(review(&id, " ", "x").code(2).stderr.contains("--by is empty"));
    assert!(review(&id, "lee", "").code(2).stderr.contains("--note is empty"));
    assert!(review("ffff", "lee", "x").code(2).stderr.contains("there is no record"));
    let ran = review(&id.to_uppercase(), "lee", "seen; <ticket> 4711").code(0);
    assert!(
        ran.stdout.starts_with("lee has reviewed the allow of 2026.3.3 into Staging; the review is "),
        "{}",
        ran.stdout
    );
    assert_eq!(open(), json!([]));
    let (_, rows) = folder.json(&["audit", "query", "log.db", "reviewed by lee"]);
    assert_eq!((ids(&rows), &rows[0]["reviewed_by"]), (vec![id.as_str()], &json!(["lee"])));
    let shown = folder.run(&["audit", "show", "log.db", &id]).code(0);
    assert!(
        shown.stdout.contains("Reviewed by lee on ") && shown.stdout.ends_with("  seen; <ticket> 4711\n"),
        "{}",
        shown.stdout
    );
    let (_, json) = folder.json(&["audit", "review", "log.db", &id, "--by", "jo", "--note", "me too"]);
    assert_eq!((json["of"].as_str(), json["by"].as_str()), (Some(id.as_str()), Some("jo")));
    let of_review = json["id"].as_str().unwrap();
    assert!(review(of_review, "jo", "x").code(2).stderr.contains("only decisions are reviewed"));
    assert!(folder.run(&["audit", "show", "log.db", of_review]).code(0).stdout.contains("me too"));
    assert!(!folder.path("nowhere.db").exists());
    assert!(
        folder
            .run(&["audit", "review", "nowhere.db", &id, "--by", "a", "--note", "b"])
            .code(2)
            .stderr
            .contains("no such log")
    );
    assert!(!folder.path("nowhere.db").exists());
}

#[test]
fn sql_reads_the_views_and_does_nothing_else() {
    let folder = week();
    let sql = |sql: &str| folder.json(&["audit", "sql", "log.db", sql]);
    assert_eq!(
        sql("SELECT stage, verdict, count(*) AS n FROM v_decision GROUP BY 1, 2 ORDER BY 1, 2").1,
        json!([
            { "stage": "Dev", "verdict": "allow", "n": 1 }, { "stage": "Staging", "verdict": "allow", "n": 2 },
            { "stage": "Staging", "verdict": "deny", "n": 1 }, { "stage": "Staging", "verdict": "hold", "n": 1 }
        ])
    );
    assert_eq!(sql("SELECT d.build, r.status FROM v_decision d JOIN v_rule r USING (seq) WHERE r.rule = 'weekend' AND r.status = 'overridden'").1, json!([{ "build": "2026.3.3", "status": "overridden" }]));
    assert_eq!(
        sql("SELECT DISTINCT person FROM v_approval WHERE says = 'counted' ORDER BY 1").1,
        json!([{ "person": "amita" }, { "person": "andy" }, { "person": "tim" }])
    );
    assert_eq!(
        sql("SELECT override, \"by\", reason, skipped FROM v_override ORDER BY \"by\"").1[0],
        json!({ "override": "break-glass", "by": "andy", "reason": "<the> shop is \"down\"", "skipped": "[\"weekend\"]" })
    );
    assert_eq!(sql("SELECT * FROM v_review").1, json!([]));
    // The columns of a view are those that the questions have.
    let (_, rows) = folder.json(&["audit", "query", "log.db"]);
    let (_, views) = sql(
        "SELECT id, seq, at, policy, policy_digest, stage, build, verdict, action, \"trigger\", requester, asked_by FROM v_decision ORDER BY seq",
    );
    for (row, view) in rows.as_array().unwrap().iter().zip(views.as_array().unwrap()) {
        for (column, value) in view.as_object().unwrap() {
            assert_eq!(&row[column], value, "{column}");
        }
    }
    assert_eq!(
        sql("SELECT 1 AS a, 2 AS a, x'00ff' AS b, NULL AS c, 1.5 AS d").1,
        json!([{ "a": 1, "a_2": 2, "b": "00ff", "c": null, "d": 1.5 }])
    );
    let csv = folder
        .run(&["audit", "sql", "log.db", "SELECT build FROM v_decision", "--limit", "2", "--format", "csv"])
        .code(0);
    assert_eq!(csv.stdout, "build\r\n2026.3.1\r\n2026.3.1\r\n");

    let before = std::fs::read(folder.path("log.db")).unwrap();
    for bad in [
        "DELETE FROM entry",
        "UPDATE decision SET verdict = 0",
        "INSERT INTO word VALUES (99, 'x')",
        "DROP TABLE review",
        "CREATE TABLE x (y)",
        "CREATE TEMP TABLE x (y)",
        "ATTACH 'other.db' AS other",
        "VACUUM INTO 'copy.db'",
        "PRAGMA query_only = OFF",
        "PRAGMA user_version = 7",
        "SELECT * FROM pragma_table_info('entry')",
        "SELECT load_extension('x')",
        "SELECT writefile('x', 'y')",
        "BEGIN IMMEDIATE",
        "REINDEX",
        "ANALYZE",
        "SELECT 1; DELETE FROM entry",
        "EXPLAIN DELETE FROM entry",
        "SELECT zeroblob(900000000)",
        "SELEC 1",
        "",
        "/* nothing */",
    ] {
        let (code, json) = sql(bad);
        assert_eq!((code, json["error"]["kind"].as_str()), (2, Some("query")), "{bad}: {json}");
    }
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let ran = folder.run(&["audit", "sql", "log.db", endless, "--timeout", "1"]).code(2);
    assert!(ran.stderr.contains("took longer than 1 second"), "{}", ran.stderr);
    assert_eq!(std::fs::read(folder.path("log.db")).unwrap(), before);
    assert!(!folder.path("other.db").exists() && !folder.path("copy.db").exists());
}

#[test]
fn the_report_is_one_page_that_needs_nothing() {
    let folder = week();
    let ran =
        folder.run(&["audit", "report", "log.db", "--html", "report.html", "--zone", "America/Los_Angeles"]).code(0);
    assert_eq!(ran.stderr, "5 decisions, 1 override (1 not reviewed)\n");
    let page = folder.read("report.html");
    for nothing in ["<script", "http:", "https:", "src=", "<link", "url(", "@import"] {
        assert!(!page.contains(nothing), "{nothing}");
    }
    // Dev on Tuesday morning, Staging on Wednesday morning.
    assert!(
        page.contains("<b>1d 2h</b><span>median</span>") && page.contains("<b>1d 2h</b><span>90th percentile</span>"),
        "{page}"
    );
    assert!(page.contains("“&lt;the&gt; shop is &quot;down&quot;”") && !page.contains("<the>"), "{page}");
    assert!(
        page.contains(">not yet<") && page.contains("skipped weekend") && page.contains("2026-03-07 10:00"),
        "{page}"
    );
    assert!(page.contains("<bdi>operations in Staging</bdi><span>1 held, 1 denied</span>"), "{page}");
    assert!(page.contains("<title>Week of 2026-03-02: 2</title>"), "{page}");
    assert!(!page.contains('\u{1b}'));
    balanced(&page);

    let (code, json) = folder.json(&["audit", "report", "log.db", "--html", "r.html", "--since", "2027-01-01"]);
    assert_eq!((code, json), (0, json!({ "html": "r.html", "decisions": 0, "overrides": 0, "not_reviewed": 0 })));
    assert!(folder.read("r.html").contains("No decision was recorded for this time."));
    balanced(&folder.read("r.html"));
    let out = folder.run(&["audit", "report", "log.db", "--html", "-", "--zone", "America/Los_Angeles"]).code(0);
    assert_eq!(out.stdout, page);
    assert_eq!(folder.json(&["audit", "report", "log.db", "--html", "-"]).0, 2);
    assert!(
        folder
            .run(&["audit", "report", "log.db", "--html", "no/such/folder.html"])
            .code(2)
            .stderr
            .contains("cannot be written")
    );
}

/// Every element of the page is closed, in its order.
#[track_caller]
fn balanced(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    let body = page.split_once("</style>").unwrap().1;
    for tag in body.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap();
        if let Some(closed) = tag.strip_prefix('/') {
            if !["head", "html"].contains(&closed) {
                assert_eq!(open.pop(), Some(closed));
            }
        } else if !tag.ends_with('/') {
            open.push(tag.split(' ').next().unwrap());
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}

/// The commands of docs/audit.md that ask a log, on the log of these tests.
#[test]
fn the_questions_in_the_documentation_are_asked() {
    let folder = week();
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/audit.md")).unwrap();
    // Those of the pages after that, on logs that are made there, are run in `exchange`.
    let (page, _) = page.split_once("\n## Taking the log elsewhere\n").unwrap();
    let mut asked = 0;
    for line in page.lines() {
        let Some(command) = line.strip_prefix("stagegate audit ") else { continue };
        if !["query ", "sql ", "report "].iter().any(|word| command.starts_with(word)) {
            continue;
        }
        let words = shell(command);
        let words: Vec<&str> = words
            .iter()
            .map(|word| if ["decisions.log", "all.log"].contains(&word.as_str()) { "log.db" } else { word })
            .collect();
        folder.run(&[&["audit"], words.as_slice()].concat()).code(0);
        asked += 1;
    }
    assert!(asked >= 10, "{asked}");
}

/// Words as a shell takes them, with quotes of both kinds.
pub fn shell(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (' ', None) => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}
