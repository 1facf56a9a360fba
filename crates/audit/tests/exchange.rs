//! Out of a log and into one: nothing is lost, nothing is taken in halves.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use stagegate::{Build, Decided, Policy, Request};
use stagegate_audit::replay::{self, again};
use stagegate_audit::{
    Entry, Id, Imported, LineReader, Log, LogError, Options, PolicyLine, PolicyText, Record, Review, SecretKey, import,
    verify,
};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn policy(threshold: u8) -> Policy {
    let text = format!("policy web fact coverage : number stage Test {{ require covered: coverage >= {threshold} }}");
    Policy::parse("web.gate", text).unwrap()
}

fn decision(policy: &Policy, minutes: i64, coverage: f64) -> Entry {
    let now = at("2026-03-31T23:00:00Z") + TimeDelta::minutes(minutes);
    let request = Request::to("Test").build(Build::new(format!("b\n{minutes}"))).at(now).fact("coverage", coverage);
    let decision = policy.decide(&request).unwrap();
    let key = SecretKey::from_bytes([7; 32]);
    Entry::Decision(Box::new(Record::new(&Decided::new(policy, &request, &decision), Utc::now(), &key)))
}

fn filled(path: &Path, wanted: &[(u8, u8, bool)]) -> Log {
    let log = Log::open(path, &Options::new().create(true)).unwrap();
    for (minutes, (threshold, coverage, reviewed)) in (0..).zip(wanted) {
        let policy = policy(*threshold);
        let entry = decision(&policy, minutes, f64::from(*coverage));
        let of = entry.id();
        log.append(entry, Some(&policy)).unwrap();
        if *reviewed {
            let review =
                Review { id: Id::new(), recorded: Utc::now(), of, by: "lee".into(), note: "\"seen\"\n".into() };
            log.append(Entry::Review(review), None).unwrap();
        }
    }
    log
}

fn exported(log: &Log, options: &replay::Options) -> String {
    let mut out = Vec::new();
    log.export(&mut out, options, &mut |_, _| {}).unwrap();
    String::from_utf8(out).unwrap()
}

fn imported(path: &Path, text: &str) -> Result<Imported, LogError> {
    import(path, [LineReader::new(text.as_bytes(), "log.jsonl")], &Options::new(), &mut |_| {})
}

fn policy_line(policy: &Policy) -> String {
    let sources = policy.sources().iter().map(|source| (source.name.clone(), source.text.clone())).collect();
    PolicyLine::new(PolicyText::new(policy.name(), stagegate::LANGUAGE, policy.zone().name(), sources)).to_json()
}

fn leaves(log: &Log) -> Vec<[u8; 32]> {
    log.leaves(0..u64::MAX).map(Result::unwrap).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn export_of_import_of_export_is_the_identity(wanted in prop::collection::vec((0..4u8, 0..9u8, any::<bool>()), 0..30)) {
        let folder = tempfile::tempdir().unwrap();
        let one = filled(&folder.path().join("one.log"), &wanted);
        let text = exported(&one, &replay::Options::new());
        let path = folder.path().join("two.log");
        let done = imported(&path, &text).unwrap();
        prop_assert_eq!(done.entries, one.len().unwrap());
        let two = Log::read(&path).unwrap();
        prop_assert_eq!(exported(&two, &replay::Options::new()), text.clone());
        // The same leaves, so the same root of the tree.
        prop_assert_eq!(leaves(&two), leaves(&one));
        prop_assert_eq!(two.policies().unwrap(), one.policies().unwrap());
        let same = again(&two, &|digest| two.kept(digest), &replay::Options::new(), &mut |_, _| {}).unwrap();
        prop_assert_eq!(same.same as usize, wanted.len());
        // Once more changes nothing.
        drop(two);
        let done = imported(&path, &text).unwrap();
        prop_assert_eq!((done.entries, done.skipped), (0, one.len().unwrap()));
        prop_assert_eq!(leaves(&Log::read(&path).unwrap()), leaves(&one));
    }
}

#[test]
fn what_is_wrong_with_a_line_is_told_with_its_number_and_nothing_is_taken_in() {
    let folder = tempfile::tempdir().unwrap();
    let log = filled(&folder.path().join("one.log"), &[(1, 2, true), (1, 3, false)]);
    let text = exported(&log, &replay::Options::new());
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4);
    let with = |wrong: &str| format!("{}\n{}\n{}\n{wrong}\n", lines[0], lines[1], lines[2]);
    let other = lines[1].replace("\"engine\":\"", "\"engine\":\"9");
    let strange = lines[3].replacen("\"request\":{", "\"request\":{\"hurry\":true,", 1);
    let id: serde_json::Value = serde_json::from_str(lines[1]).unwrap();
    let lost = "0199b4e2-55d0-7c4e-8f0a-2b6f2f0d4c11";
    let of_nothing = lines[2].replacen("\"id\":\"0", "\"id\":\"1", 1).replace(id["id"].as_str().unwrap(), lost);
    let renamed = policy_line(&policy(7)).replace("\"name\":\"web\"", "\"name\":\"other\"");
    for (wrong, why) in [
        (&lines[3][..200], "it is no entry of a decision log"),
        (other.as_str(), "already, and it says something else"),
        (strange.as_str(), "hurry"),
        (of_nothing.as_str(), "it is a review of 0199b4e2-55d0-7c4e-8f0a-2b6f2f0d4c11, a decision neither"),
        (renamed.as_str(), "is not what its text says"),
        ("{\"kind\":\"decision\",\"v\":2}", "its version is 2, and 1 is what is read here"),
        ("", "it is empty"),
    ] {
        for path in [folder.path().join("new.log"), folder.path().join("there.log")] {
            let there = path.ends_with("there.log");
            if there && !path.exists() {
                drop(filled(&path, &[(3, 3, false)]));
            }
            let error = imported(&path, &with(wrong)).unwrap_err().to_string();
            assert!(error.starts_with("log.jsonl, line 4: ") && error.contains(why), "{error}");
            assert_eq!(path.exists(), there);
            if there {
                assert_eq!(Log::read(&path).unwrap().len().unwrap(), 1);
            }
        }
    }
    let without_policy = lines[1..].join("\n");
    let error = imported(&folder.path().join("new.log"), &without_policy).unwrap_err().to_string();
    assert!(error.contains("line 1: its policy sha256:"), "{error}");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("partial")), "{left:?}");
}

/// Another version of the engine may write the same entry in another way; what it wrote was hashed.
#[test]
fn a_line_goes_in_and_comes_out_as_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let log = filled(&folder.path().join("one.log"), &[(1, 2, true), (1, 3, false), (1, 4, false)]);
    let text = exported(&log, &replay::Options::new());
    let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
    // Other white space, another order of keys, a key that is not known here; in the decision too.
    lines[1] = format!("  {}  ", lines[1].replacen("\"request\":", "\"request\" :\t", 1));
    lines[2] = lines[2].replacen("{\"kind\":\"review\",", "{\"mood\":[\"good\",{}],\"kind\":\"review\",", 1);
    let (head, decision) = lines[3].split_once(",\"decision\":").unwrap();
    let decision = decision.strip_suffix('}').unwrap();
    lines[3] = format!("{{\"decision\":{decision},\"later\":null,{}}}", &head[1..]);
    lines[4] = lines[4].replacen("\"verdict\":\"allow\"", "\"verdict\": \"allow\",\"score\":1.50", 1);
    let strange = lines.join("\n") + "\n";
    assert!(strange != text && strange.contains("score"));

    let path = folder.path().join("two.log");
    assert_eq!(imported(&path, &strange.replace('\n', "\r\n")).unwrap().entries, 4);
    let two = Log::read(&path).unwrap();
    assert_eq!(exported(&two, &replay::Options::new()), strange);
    assert_ne!(leaves(&two), leaves(&log));
    let found = verify(&path, &[], &|_, _| {}).unwrap();
    assert!(found.is_sound(), "{:?}", found.faults);
    assert_eq!((found.decisions, found.reviews), (3, 1));
    // What the decisions say is decided again; where a decision is written otherwise, that is told.
    let same = again(&two, &|digest| two.kept(digest), &replay::Options::new(), &mut |_, _| {}).unwrap();
    assert_eq!((same.records, same.same, same.differ.len()), (3, 2, 1));
    let differences = &same.differ[0].differences;
    assert_eq!((differences.len(), differences[0].path.as_str()), (1, "score"));
    // Taken in a second time it is the same; the other spelling of one of its entries is not.
    assert_eq!(imported(&path, &strange).unwrap(), Imported { entries: 0, skipped: 4, policies: 1 });
    let error = imported(&path, &text).unwrap_err().to_string();
    assert!(error.starts_with("log.jsonl, line 2: there is an entry"), "{error}");
}

#[test]
fn checkpoints_hold_for_a_log_that_was_made_of_its_lines() {
    let folder = tempfile::tempdir().unwrap();
    let log = filled(&folder.path().join("one.log"), &[(1, 2, true), (1, 3, false)]);
    let head = verify(log.path(), &[], &|_, _| {}).unwrap().head;
    let text = exported(&log, &replay::Options::new());
    let path = folder.path().join("two.log");
    let lines = || [LineReader::new(text.as_bytes(), "log.jsonl")];
    let named = Options::new().origin(head.origin.as_str());
    import(&path, lines(), &named, &mut |_| {}).unwrap();
    let found = verify(&path, std::slice::from_ref(&head), &|_, _| {}).unwrap();
    assert!(found.is_sound() && found.head == head, "{:?}", found.faults);
    import(&path, lines(), &named, &mut |_| {}).unwrap();
    let error = import(&path, lines(), &Options::new().origin("other"), &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("the log is called stagegate-log/"), "{error}");
    let two_lines = Options::new().origin("a\nb");
    assert!(import(&folder.path().join("three.log"), lines(), &two_lines, &mut |_| {}).is_err());
    assert!(!folder.path().join("three.log").exists());
}

#[test]
fn a_stretch_of_time_is_exported_with_the_policies_that_it_needs() {
    let folder = tempfile::tempdir().unwrap();
    let log = filled(&folder.path().join("one.log"), &[(1, 2, false), (2, 2, false), (2, 3, false)]);
    let since = replay::Options::new().since(Some(at("2026-03-31T23:01:00Z")));
    let text = exported(&log, &since);
    assert_eq!(text.lines().count(), 3);
    let path = folder.path().join("two.log");
    assert_eq!(imported(&path, &text).unwrap(), Imported { entries: 2, skipped: 0, policies: 1 });
    // A review is recorded now; it goes with its decision.
    let log = filled(&folder.path().join("three.log"), &[(1, 2, true), (2, 2, true)]);
    let text = exported(&log, &since);
    assert_eq!(text.lines().count(), 3);
    let path = folder.path().join("four.log");
    assert_eq!(imported(&path, &text).unwrap(), Imported { entries: 2, skipped: 0, policies: 1 });
}

#[test]
fn a_backup_is_the_log_while_others_append() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.log");
    let log = filled(&path, &[(1, 2, true), (2, 2, false)]);
    let reader = Log::open(&path, &Options::new()).unwrap();
    std::thread::scope(|threads| {
        let writing = threads.spawn(|| {
            for minutes in 10..60 {
                log.append(decision(&policy(1), minutes, 5.0), Some(&policy(1))).unwrap();
            }
        });
        for number in 0..5 {
            let copy = folder.path().join(format!("copy-{number}.log"));
            let entries = reader.backup(&copy).unwrap();
            let found = verify(&copy, &[], &|_, _| {}).unwrap();
            assert!(found.is_sound() && found.remarks.is_empty(), "{found:?}");
            let copy = Log::read(&copy).unwrap();
            assert_eq!(copy.len().unwrap(), entries);
            assert_eq!(leaves(&copy), leaves(&log)[..entries as usize]);
        }
        writing.join().unwrap();
    });
    let error = reader.backup(&folder.path().join("copy-0.log")).unwrap_err().to_string();
    assert!(error.contains("there is such a file already"), "{error}");
    // A copy can be appended to: it is a log.
    let copy = Log::open(folder.path().join("copy-0.log"), &Options::new()).unwrap();
    copy.append(decision(&policy(1), 99, 5.0), Some(&policy(1))).unwrap();
}

#[cfg(feature = "parquet")]
mod parquet {
    use super::*;
    use ::parquet::file::reader::{FileReader, SerializedFileReader};
    use ::parquet::record::Field;
    use stagegate_audit::columnar::to_parquet;

    fn rows(path: &Path) -> Vec<Vec<(String, Field)>> {
        let reader = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
        let rows = reader.get_row_iter(None).unwrap();
        rows.map(|row| row.unwrap().into_columns()).collect()
    }

    fn get<'r>(row: &'r [(String, Field)], name: &str) -> &'r Field {
        &row.iter().find(|(column, _)| column == name).unwrap_or_else(|| panic!("{name}: {row:?}")).1
    }

    #[test]
    fn every_decision_is_in_the_file_of_its_month_sorted_by_time() {
        let folder = tempfile::tempdir().unwrap();
        // Not in the order of time; the last is of April.
        let log = Log::open(folder.path().join("one.log"), &Options::new().create(true)).unwrap();
        let numbers = policy(3);
        let texts = Policy::parse(
            "web.gate",
            "policy web fact coverage : string fact since : time fact took : duration fact checks : map of status \
             fact tags : set of string fact pin : string secret stage Test { require id: coverage == \"high\" }",
        )
        .unwrap();
        for minutes in [5, 1, 61] {
            log.append(decision(&numbers, minutes, 4.5), Some(&numbers)).unwrap();
        }
        let request = Request::to("Test")
            .build(Build::new("b"))
            .at(at("2026-03-31T23:02:00.5Z"))
            .fact("coverage", "high")
            .fact("since", "2026-03-01T00:00:00Z")
            .fact("took", "1h30m")
            .fact("checks", [("unit", "passed"), ("lint", "failed")])
            .fact("tags", ["a", "b"])
            .fact("pin", "hunter2")
            .fact("more", 1)
            .approved("amita", at("2026-03-31T22:00:00Z"));
        let decided = texts.decide(&request).unwrap();
        let record =
            Record::new(&Decided::new(&texts, &request, &decided), Utc::now(), &SecretKey::from_bytes([7; 32]));
        log.append(Entry::Decision(Box::new(record)), Some(&texts)).unwrap();

        let to = folder.path().join("out");
        let policies: Vec<Policy> = log.policies().unwrap().iter().map(|digest| log.kept(digest).unwrap()).collect();
        let written = to_parquet(&log, &policies, "origin", &to, &replay::Options::new(), &mut |_, _| {}).unwrap();
        assert_eq!((written.rows["decisions"], written.rows["rules"], written.rows["approvals"]), (4, 4, 1));

        let march = rows(&to.join("decisions/year=2026/month=03/decisions.parquet"));
        assert_eq!(march.len(), 3);
        let seqs: Vec<_> = march.iter().map(|row| get(row, "seq").clone()).collect();
        assert_eq!(seqs, [Field::Long(1), Field::Long(3), Field::Long(0)]);
        assert_eq!(get(&march[0], "fact_coverage_number"), &Field::Double(4.5));
        assert_eq!(get(&march[0], "fact_coverage_text"), &Field::Null);
        assert_eq!(get(&march[0], "verdict"), &Field::Str("allow".into()));
        let text = &march[1];
        assert_eq!(get(text, "fact_coverage_text"), &Field::Str("high".into()));
        assert_eq!(get(text, "at"), &Field::TimestampMicros(at("2026-03-31T23:02:00.5Z").timestamp_micros()));
        assert_eq!(get(text, "fact_since"), &Field::TimestampMicros(at("2026-03-01T00:00:00Z").timestamp_micros()));
        assert_eq!(get(text, "fact_took"), &Field::Long(5_400));
        assert_eq!(get(text, "fact_checks").to_string(), "{\"lint\" -> \"failed\", \"unit\" -> \"passed\"}");
        assert_eq!(get(text, "fact_tags").to_string(), "[\"a\", \"b\"]");
        assert!(get(text, "withheld").to_string().contains("hmac-sha256:"));
        assert_eq!(get(text, "other_facts"), &Field::Str("{\"more\":1}".into()));
        assert!(!format!("{march:?}").contains("hunter2"));
        assert_eq!(rows(&to.join("decisions/year=2026/month=04/decisions.parquet")).len(), 1);
        let file = std::fs::File::open(to.join("rules/year=2026/month=03/rules.parquet")).unwrap();
        let file = SerializedFileReader::new(file).unwrap();
        let metadata = file.metadata().file_metadata().key_value_metadata().unwrap();
        let value = |key: &str| metadata.iter().find(|pair| pair.key == key).and_then(|pair| pair.value.as_deref());
        assert_eq!((value("stagegate.format"), value("stagegate.log")), (Some("1"), Some("origin")));
        let rules = rows(&to.join("rules/year=2026/month=03/rules.parquet"));
        assert_eq!(get(&rules[0], "status"), &Field::Str("met".into()));
        assert_eq!(get(&rules[0], "blocking"), &Field::Bool(false));

        let error = to_parquet(&log, &policies, "origin", &to, &replay::Options::new(), &mut |_, _| {}).unwrap_err();
        assert!(error.to_string().contains("it is not empty"), "{error}");
    }
}
