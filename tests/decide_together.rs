//! Decisions in which several rules have a part: alternatives, overrides of what people may do, searches ahead. Each
//! was found by the second opinion.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chrono::{DateTime, Utc};
use stagegate::{
    Build, Compiler, Decision, MemoryLoader, Policy, Request, Run, RunStatus, Status, Step, TriggerFact, Verdict,
};

fn t(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Wednesday evening.
const NOW: &str = "2026-03-04T18:00:00Z";

fn to(stage: &str) -> Request {
    Request::to(stage).build(Build::new("1").author("mara")).at(t(NOW))
}

fn decide(text: &str, request: &Request) -> Decision {
    let policy = Policy::parse("p.gate", text).unwrap_or_else(|error| panic!("{error}"));
    let decision = policy.decide(request).unwrap();
    assert_eq!(policy.verdict(request).unwrap(), decision.verdict());
    decision
}

fn statuses(decision: &Decision) -> Vec<(&str, Status)> {
    decision.rules().iter().map(|rule| (rule.rule.as_str(), rule.status)).collect()
}

#[test]
fn a_manual_trigger_is_the_persons_who_set_it_off() {
    let text = "policy p group ops = [tim] stage A { trigger manual by ops }";
    let by = |by: Option<&str>| to("A").trigger(TriggerFact::Manual { by: by.map(String::from) });
    assert_eq!(decide(text, &by(Some("tim")).requester("mara")).verdict(), Verdict::Allow);
    assert_eq!(decide(text, &by(Some("mara")).requester("tim")).verdict(), Verdict::Deny);
    assert_eq!(decide(text, &by(None).requester("tim")).verdict(), Verdict::Allow);
    assert_eq!(decide(text, &by(None)).verdict(), Verdict::Hold);
}

#[test]
fn whether_a_window_applies_decides_over_the_others() {
    let text = "policy p fact urgent : bool
        stage A { window office: daily 09:00..17:00 window night: daily 17:00..23:00 when urgent }";
    let decision = decide(text, &to("A"));
    assert_eq!(statuses(&decision), [("office", Status::Unknown), ("night", Status::Unknown)]);
    assert_eq!(decision.verdict(), Verdict::Hold);
    assert_eq!(decision.needs().facts, ["urgent"]);
    let urgent = decide(text, &to("A").fact("urgent", true));
    assert_eq!(statuses(&urgent), [("office", Status::NotApplicable), ("night", Status::Met)]);
    let not_urgent = decide(text, &to("A").fact("urgent", false));
    assert_eq!(statuses(&not_urgent), [("office", Status::Waiting), ("night", Status::NotApplicable)]);
}

#[test]
fn triggers_that_do_not_hold_wait_together() {
    let text = "policy p stage A { trigger nightly: schedule \"0 3 * * *\" trigger manual }";
    let decision = decide(text, &to("A").scheduled());
    assert_eq!(statuses(&decision), [("nightly", Status::Waiting), ("manual", Status::Waiting)]);
    assert_eq!(decision.blocking(), ["nightly", "manual"]);
    assert_eq!(decision.rules()[1].until, Some(t("2026-03-05T03:00:00Z")));
    assert_eq!(
        statuses(&decide(text, &to("A").manual("tim"))),
        [("nightly", Status::NotApplicable), ("manual", Status::Met)]
    );
    assert_eq!(decide(text, &to("A").push("main")).verdict(), Verdict::Deny);
}

#[test]
fn skipping_one_of_two_windows_leaves_the_other() {
    let text = "policy p group ops = [tim] stage A {
        window early: daily 01:00..02:00 window late: daily 02:00..03:00
        override one: 1 of ops may skip early override both: 1 of ops may skip early, late }";
    let invoked = |name: &str| to("A").override_invoked(name, "tim", t(NOW), "INC-1");
    let decision = decide(text, &invoked("one"));
    assert_eq!(statuses(&decision), [("early", Status::Overridden), ("late", Status::Waiting)]);
    assert_eq!(decide(text, &invoked("both")).verdict(), Verdict::Allow);
}

#[test]
fn distinct_approvers_can_be_overridden() {
    let text = "policy p group a = [ana] group ops = [tim] stage A {
        approve one: 1 of a approve two: 1 of a or ops distinct approvers
        override both-hats: 1 of ops may skip distinct-approvers }";
    let request = to("A").approved("ana", t(NOW));
    let decision = decide(text, &request);
    assert_eq!(decision.verdict(), Verdict::Hold);
    assert_eq!(decision.blocking(), ["two"]);
    let decision = decide(text, &request.clone().override_invoked("both-hats", "tim", t(NOW), "INC-1"));
    assert_eq!(decision.verdict(), Verdict::Allow);
    assert_eq!(decision.rule("distinct-approvers").unwrap().status, Status::Overridden);
    // Where it stands in nobody's way nothing is skipped.
    let both = request.approved("tim", t(NOW)).override_invoked("both-hats", "tim", t(NOW), "INC-1");
    assert_eq!(decide(text, &both).rule("distinct-approvers").unwrap().status, Status::Met);
}

#[test]
fn any_file_may_ask_for_distinct_approvers() {
    let files =
        MemoryLoader::new().with("p.gate", "policy p include \"base.gate\" stage A { distinct approvers }").with(
            "base.gate",
            "fact strict : bool group a = [ana, ben]
             stage A { approve one: 1 of a approve two: 1 of a distinct approvers when strict }",
        );
    let policy = Compiler::new().loader(&files).compile("p.gate").unwrap();
    let request = to("A").approved("ana", t(NOW)).fact("strict", false);
    assert_eq!(policy.decide(&request).unwrap().verdict(), Verdict::Hold);
    assert_eq!(policy.decide(&request.approved("ben", t(NOW))).unwrap().verdict(), Verdict::Allow);
}

#[test]
fn who_is_needed_elsewhere_is_not_spent_on_a_rule_that_is_skipped() {
    let text = "policy p group a = [ana, ben] group ops = [tim] stage A {
        approve one: 1 of a approve two: 1 of a distinct approvers override glass: 1 of ops may skip one }";
    let request = to("A").approved("ana", t(NOW)).override_invoked("glass", "tim", t(NOW), "INC-1");
    let decision = decide(text, &request);
    assert_eq!(decision.verdict(), Verdict::Allow);
    assert_eq!(decision.rule("one").unwrap().status, Status::Overridden);
    assert_eq!(decision.rule("two").unwrap().status, Status::Met);
}

#[test]
fn a_stage_last_ended_whatever_runs_now() {
    let text = "policy p stage A { require ok: build.id is set } stage B { require settled: A.age >= 2h }";
    let request = to("B").succeeded("A", t("2026-03-04T15:00:00Z"));
    assert_eq!(decide(text, &request).verdict(), Verdict::Allow);
    let again = request.run(Run::new("A", RunStatus::Pending, t("2026-03-04T17:30:00Z")));
    assert_eq!(decide(text, &again).verdict(), Verdict::Allow);
    let only_pending = to("B").run(Run::new("A", RunStatus::Pending, t("2026-03-04T15:00:00Z")));
    assert_eq!(decide(text, &only_pending).verdict(), Verdict::Hold);
}

#[test]
fn advice_waits_like_any_rule() {
    let text = "policy p stage A { require ok: build.id is set advise old: build.age >= 2h }";
    let mut request = to("A");
    request.build.created = Some(t("2026-03-04T17:00:00Z"));
    let decision = decide(text, &request);
    assert_eq!(decision.rule("old").unwrap().status, Status::Waiting);
    assert_eq!(decision.rule("old").unwrap().until, Some(t("2026-03-04T19:00:00Z")));
    assert_eq!(decision.verdict(), Verdict::Allow);
}

// ---------------------------------------------------------------- what would unblock

#[test]
fn waiting_is_told_beside_what_people_could_do() {
    let text = "policy p group a = [ana, ben] stage A { approve one: 1 of a }";
    let tomorrow = t("2026-03-05T18:00:00Z");
    let decision = decide(text, &to("A").approved("ana", tomorrow));
    assert_eq!(decision.allowed_at(), Some(tomorrow));
    assert_eq!(
        decision.unblock(),
        [
            vec![Step::Wait { wait_until: tomorrow }],
            vec![Step::Approve { approve: "one".into(), count: 1, from: vec!["ana".into(), "ben".into()] }]
        ]
    );
    assert!(decide(text, &to("A")).unblock().iter().flatten().all(|step| matches!(step, Step::Approve { .. })));
}

#[test]
fn an_approval_mends_a_rule_that_may_not_even_apply() {
    let text = "policy p fact big : bool group a = [ana] stage A { approve one: 1 of a when big }";
    let decision = decide(text, &to("A"));
    assert_eq!(decision.rule("one").unwrap().status, Status::Unknown);
    assert_eq!(
        decision.unblock(),
        [
            vec![Step::Approve { approve: "one".into(), count: 1, from: vec!["ana".into()] }],
            vec![Step::Fact { fact: "big".into() }]
        ]
    );
    // Whether ana wrote it is not known: her approval would not do.
    let mut request = to("A").fact("big", true);
    request.build.author = None;
    assert_eq!(decide(text, &request).unblock(), [vec![Step::Fact { fact: "build.author".into() }]]);
}

#[test]
fn an_approval_that_another_brings_anyhow_is_not_asked_for() {
    let text = "policy p group a = [ana, ben] stage A { approve few: 2 of a approve any: 1 of a or [cy] }";
    assert_eq!(
        decide(text, &to("A")).unblock(),
        [vec![Step::Approve { approve: "few".into(), count: 2, from: vec!["ana".into(), "ben".into()] }]]
    );
    // Nor is a fact that only a rule reads which the same approval meets.
    let perhaps =
        "policy p fact big : bool group a = [ana, ben] stage A { approve one: 1 of a when big approve two: 1 of a }";
    assert_eq!(
        decide(perhaps, &to("A")).unblock(),
        [vec![Step::Approve { approve: "two".into(), count: 1, from: vec!["ana".into(), "ben".into()] }]]
    );
    // Whoever is asked for by a rule that leaves out the approvers of another cannot count there.
    let chain = "policy p group a = [ana, ben] stage A { approve any: 1 of [ana] approve other: 1 of [ben] except approvers of any
        approve few: 2 of a }";
    assert_eq!(
        decide(chain, &to("A")).unblock(),
        [vec![Step::Approve { approve: "few".into(), count: 2, from: vec!["ana".into(), "ben".into()] }]]
    );
    // Nobody counts twice: each is asked for.
    let distinct = text.replace("approve any", "distinct approvers approve any");
    assert_eq!(decide(&distinct, &to("A")).unblock()[0].len(), 2);
}

#[test]
fn approvals_that_would_not_count_are_not_proposed() {
    // Before Test has succeeded none counts.
    let since = "policy p group a = [ana] stage Test { require ok: build.id is set }
        stage A { approve one: 1 of a since Test }";
    assert_eq!(decide(since, &to("A")).unblock(), [[]; 0]);
    assert_eq!(decide(since, &to("A").succeeded("Test", t("2026-03-04T17:00:00Z"))).unblock().len(), 1);
    // Whoever approves counts for the first rule, and so not for the second.
    let chain = "policy p group a = [ana, ben] stage A { approve one: 1 of a valid 1d approve two: 1 of a except approvers of one }";
    assert_eq!(decide(chain, &to("A")).unblock(), [[]; 0]);
    let wider = chain.replace("two: 1 of a", "two: 1 of a or [cy]");
    assert_eq!(decide(&wider, &to("A")).unblock().len(), 1);
    // And nobody counts twice of too few.
    let few = "policy p group a from directory stage A { approve one: 1 of a approve two: 1 of a distinct approvers }";
    assert_eq!(decide(few, &to("A").group("a", ["ana"])).unblock(), [[]; 0]);
    assert_eq!(decide(few, &to("A").group("a", ["ana", "ben"])).unblock().len(), 1);
}

#[test]
fn an_override_that_will_have_expired_is_invoked_anew() {
    let text = "policy p group ops = [tim, ann] stage A { window late: daily 20:00..21:00
        require ok: build.commit is set override glass: 2 of ops may skip ok valid 30m }";
    let decision = decide(text, &to("A").override_invoked("glass", "tim", t(NOW), "INC-1"));
    let count = |set: &Vec<Step>| {
        set.iter().find_map(|step| match step {
            Step::Override { count, .. } => Some(*count),
            _ => None,
        })
    };
    assert_eq!(decision.unblock().iter().filter_map(count).collect::<Vec<_>>(), [2]);
}

#[test]
fn what_an_override_makes_needless_is_not_asked_for() {
    // Without the first window the second is enough, whether it applies or not.
    let text = "policy p fact late : bool group ops = [tim] stage A {
        window early: daily 01:00..02:00 window evening: daily 17:00..19:00 when late
        override glass: 1 of ops may skip early }";
    let glass = Step::Override { name: "glass".into(), count: 1, from: vec!["tim".into()] };
    let decision = decide(text, &to("A"));
    assert!(decision.unblock().contains(&vec![glass]), "{:?}", decision.unblock());
    assert!(decision.unblock().contains(&vec![Step::Fact { fact: "late".into() }]));
    assert_eq!(decide(text, &to("A").override_invoked("glass", "tim", t(NOW), "INC-1")).verdict(), Verdict::Allow);
}

// ---------------------------------------------------------------- searches

#[test]
fn a_search_that_never_ends_costs_the_others_nothing() {
    // The freeze is never open; whether the soak ends must be found all the same.
    let text = "policy p stage A { require ok: build.id is set } stage B after A for 2h {
        freeze never: cron \"30 2 * * *\" for 8h except daily 01:00..12:00 }";
    let decision = decide(text, &to("B").succeeded("A", t("2026-03-04T17:00:00Z")));
    assert_eq!(decision.rule("soak").unwrap().until, Some(t("2026-03-04T19:00:00Z")));
    assert_eq!(decision.verdict(), Verdict::Hold);
    // Nor do the years that such times were searched hide what is near.
    let text = "policy p stage A { window never: cron \"0 9 * * 1-5\" for 30m except daily 09:00..17:00
        freeze closed: yearly mar 4 .. mar 9 when now <= 2026-03-05 18:00 Z }";
    let until = decide(text, &to("A")).rule("closed").unwrap().until;
    assert_eq!(until, Some(t("2026-03-05T18:00:00.000000001Z")));
    // A window that is always open.
    let always = "policy p stage A { window w: cron \"*/30 * * * *\" for 1d }";
    let decision = decide(always, &to("A"));
    assert_eq!(decision.verdict(), Verdict::Allow);
    assert!(decision.valid_until().is_none_or(|until| until > t("2100-01-01T00:00:00Z")));
}

#[test]
fn stretches_of_a_timeline_are_never_empty() {
    let text = "policy p group a = [ana] stage A {
        freeze f: mon..fri 02:00..02:30 approve one: 1 of a
        trigger push to \"main\" trigger nightly: schedule \"30 2 * * *\" if changed }";
    let policy = Policy::parse("p.gate", text).unwrap();
    let to_end = t("2026-03-07T18:00:00Z");
    let timeline = policy.timeline(&to("A").scheduled(), t(NOW), to_end).unwrap();
    assert!(timeline.complete);
    assert!(timeline.stretches.iter().all(|stretch| stretch.from < stretch.to));
    assert_eq!(timeline.stretches.last().unwrap().to, to_end);
}
