//! What holds for a few rules, people and times holds for many, where the engine takes other ways.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::fmt::Write;

use chrono::{DateTime, Duration, Utc};
use stagegate::{Approval, Build, Decision, Policy, Request, Status, Step, Verdict, Word};

#[path = "../benches/common/chance.rs"]
#[allow(dead_code)]
mod chance;
use chance::Chance;

fn now() -> DateTime<Utc> {
    // A Wednesday.
    "2026-03-04T10:00:00Z".parse().unwrap()
}

fn request() -> Request {
    Request::to("S").build(Build::new("7").author("nobody")).at(now()).manual("tim")
}

/// Every decision is compared with the verdict alone, from the request, from JSON, and prepared.
fn decide(policy: &Policy, request: &Request) -> Decision {
    let decision = policy.decide(request).unwrap();
    let json = request.to_json();
    let verdicts = [
        policy.verdict(request).unwrap(),
        policy.verdict_json(json.as_bytes()).unwrap(),
        policy.prepare(request).unwrap().verdict(),
    ];
    assert_eq!(verdicts, [decision.verdict(); 3], "{json}\n{decision}");
    decision
}

#[test]
fn people_whom_no_rule_lists_change_nothing_however_many_speak() {
    let policy = Policy::parse(
        "crowd.gate",
        r#"
        group ops = [amita, tim, zoe]
        stage P { advise any: build.author is set }
        stage S {
          approve one: 1 of ops
          approve two: 2 of [tim, zoe] valid 24h
          approve all: all of [amita, tim]
          approve late: 1 of [zoe] since P
          approve rest: 1 of ops except approvers of late, requester
        }
        "#,
    )
    .unwrap();
    let mut chance = Chance::new(11);
    let mut seen = [0; 3];
    for round in 0..300 {
        let say = |chance: &mut Chance, request: Request, who: String, yes: u64| {
            let word =
                if chance.percent(yes) { Word::Approve } else { *chance.one_of(&[Word::Reject, Word::Withdraw]) };
            let at = now() - Duration::minutes(chance.below(2_000) as i64 - 60);
            request.approval(Approval::new(who, word, at))
        };
        let mut few = request().succeeded("P", now() - Duration::hours(5));
        for who in ["amita", "tim", "zoe", "zoe"] {
            if chance.percent(85) {
                few = say(&mut chance, few, who.to_string(), 90);
            }
        }
        let outsiders = 8 + chance.below(120) as usize;
        let many = (0..outsiders).fold(few.clone(), |request, i| say(&mut chance, request, format!("c{i:03}"), 60));
        let (few, many) = (decide(&policy, &few), decide(&policy, &many));
        seen[few.verdict() as usize] += 1;
        assert_eq!(few.verdict(), many.verdict(), "round {round}: {few}\n{many}");
        assert_eq!(few.unblock(), many.unblock());
        assert_eq!((few.allowed_at(), few.needs()), (many.allowed_at(), many.needs()));
        for (few, many) in few.rules().iter().zip(many.rules()) {
            assert_eq!((few.status, few.missing, &few.from), (many.status, many.missing, &many.from));
            assert_eq!((&few.counted, &few.rejected_by), (&many.counted, &many.rejected_by));
            // Who is listed stands first, as before; each outsider who did not withdraw is told after them.
            let (listed, others): (Vec<_>, Vec<_>) =
                many.not_counted.iter().partition(|n| !n.reason.contains("not among the people of this rule"));
            assert_eq!(listed, few.not_counted.iter().collect::<Vec<_>>(), "round {round}, {}", few.rule);
            assert!(others.len() <= outsiders && others.len() > outsiders / 4 && others.is_sorted_by_key(|n| &n.by));
        }
    }
    assert!(seen.iter().all(|n| *n > 10), "{seen:?}");
}

#[test]
fn a_freeze_is_a_freeze_however_many_there_are() {
    let mut text = String::from("timezone \"Europe/Berlin\"\nstage S {\n");
    for i in 0..150 {
        // From 10:00 on, one a minute in turn.
        writeln!(
            text,
            "  freeze f{i}: wed {:02}:{:02} .. wed {:02}:{:02}",
            10 + i / 60,
            i % 60,
            10 + (i + 1) / 60,
            (i + 1) % 60
        )
        .unwrap();
    }
    let policy = Policy::parse("f.gate", text + "}\n").unwrap();
    let mut prepared = policy.prepare(&request()).unwrap();
    let start: DateTime<Utc> = "2026-03-04T09:00:00Z".parse().unwrap();
    for minute in -5..=155 {
        let at = start + Duration::minutes(minute);
        let frozen = (0..150).contains(&minute);
        prepared.set_now(at).unwrap();
        let expected = if frozen { Verdict::Hold } else { Verdict::Allow };
        assert_eq!(prepared.verdict(), expected, "{at}");
        if minute % 20 == 0 {
            let decision = decide(&policy, &request().at(at));
            assert_eq!(decision.verdict(), expected);
            let waits = decision.rules().iter().filter(|rule| rule.status == Status::Waiting);
            let waits: Vec<_> = waits.map(|rule| (rule.rule.clone(), rule.until)).collect();
            let until = at + Duration::minutes(1);
            assert_eq!(waits, if frozen { vec![(format!("f{minute}"), Some(until))] } else { vec![] });
            assert_eq!(decision.allowed_at(), Some(if frozen { start + Duration::minutes(150) } else { at }));
        }
    }
}

#[test]
fn many_freezes_that_end_one_after_the_other_are_followed_to_the_last() {
    let mut text = String::from("timezone \"Europe/Berlin\"\nstage S {\n");
    (0..700).for_each(|i| writeln!(text, "  freeze f{i}: wed 01:00 .. wed {:02}:{:02}", 12 + i / 60, i % 60).unwrap());
    let policy = Policy::parse("f.gate", text + "}\n").unwrap();
    let decision = decide(&policy, &request());
    let last: DateTime<Utc> = "2026-03-04T22:39:00Z".parse().unwrap();
    assert_eq!((decision.verdict(), decision.allowed_at()), (Verdict::Hold, Some(last)));
    assert!(decision.warnings().is_empty(), "{:?}", decision.warnings());
    assert_eq!(decision.unblock(), [vec![Step::Wait { wait_until: last }]]);
    let first = now() + Duration::hours(1);
    assert_eq!(decision.rules()[0].until, Some(first));
    assert_eq!(decision.valid_until(), Some(last));
}

#[test]
fn windows_that_are_shut_open_at_the_first_of_them_and_a_dated_one_that_is_past_denies() {
    let mut text = String::from("timezone \"Europe/Berlin\"\nstage S {\n");
    (0..300).for_each(|i| writeln!(text, "  window w{i}: sun {:02}:{:02} .. sun 23:59", 5 + i / 60, i % 60).unwrap());
    let policy = Policy::parse("w.gate", text + "}\n").unwrap();
    let decision = decide(&policy, &request());
    let opens: DateTime<Utc> = "2026-03-08T04:00:00Z".parse().unwrap();
    assert_eq!((decision.verdict(), decision.allowed_at()), (Verdict::Hold, Some(opens)));
    assert!(decision.rules().iter().all(|rule| rule.status == Status::Waiting && rule.until == Some(opens)));

    let open = decide(&policy, &request().at(opens + Duration::minutes(90)));
    assert_eq!(open.verdict(), Verdict::Allow);
    assert_eq!(open.rule("w0").unwrap().status, Status::Met);
    let excused = open.rule("w299").unwrap();
    assert_eq!((excused.status, excused.detail.as_str()), (Status::NotApplicable, "w0 is met"));

    let mut text = String::from("timezone \"Europe/Berlin\"\nstage S {\n");
    (0..100)
        .for_each(|i| writeln!(text, "  window w{i}: 2026-01-{:02} .. 2026-02-{:02}", 1 + i % 28, 1 + i % 20).unwrap());
    let past = Policy::parse("w.gate", text + "}\n").unwrap();
    let decision = decide(&past, &request());
    assert_eq!((decision.verdict(), decision.allowed_at()), (Verdict::Deny, None));
}

#[test]
fn each_fact_that_many_rules_miss_is_told_once_in_their_order() {
    let mut text = String::new();
    (0..60).for_each(|i| writeln!(text, "fact f{i} : number").unwrap());
    text.push_str("stage S {\n");
    (0..180).for_each(|i| writeln!(text, "  require r{i}: f{} >= 1", i % 60).unwrap());
    let policy = Policy::parse("m.gate", text + "}\n").unwrap();
    let decision = decide(&policy, &request());
    let facts: Vec<String> = (0..60).map(|i| format!("f{i}")).collect();
    assert_eq!(decision.needs().facts, facts);
    let steps: Vec<Step> = facts.into_iter().map(|fact| Step::Fact { fact }).collect();
    assert_eq!(decision.unblock(), [steps]);
}

#[test]
fn many_stages_before_that_stand_alike_are_each_told_once() {
    let names: Vec<String> = (0..40).map(|i| format!("P{i}")).collect();
    let mut text: String = names.iter().map(|p| format!("stage {p} {{ advise any: build.id is set }}\n")).collect();
    writeln!(text, "stage S after {} for 1h {{}}", names.join(", ")).unwrap();
    let policy = Policy::parse("a.gate", text).unwrap();
    let request = names.iter().fold(request(), |r, p| r.succeeded(p, now() - Duration::minutes(30)));
    let decision = decide(&policy, &request);
    assert_eq!(decision.allowed_at(), Some(now() + Duration::minutes(30)));
    for rule in decision.rules().iter().filter(|rule| rule.detail.contains("P0 succeeded")) {
        for p in &names {
            assert_eq!(rule.detail.matches(&format!("{p} succeeded")).count(), 1, "{}", rule.detail);
        }
    }
}
