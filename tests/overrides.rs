//! The section Overrides of the language page, sentence by sentence: what is skipped, and its twin that is not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chrono::{DateTime, TimeDelta, Utc};
use stagegate::{Build, Compiler, Decision, Invocation, MemoryLoader, Policy, Request, Status, Verdict};

/// Wednesday evening.
const NOW: &str = "2026-03-04T18:00:00Z";

fn t(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn ago(minutes: i64) -> DateTime<Utc> {
    t(NOW) - TimeDelta::minutes(minutes)
}

/// Stage A after Test, frozen for ever, wanting an approval of qa; with these rules besides.
fn policy(rules: &str) -> Policy {
    let text = format!(
        "policy p group ops = [tim, andy, mara] group qa = [amita, bea] group board from directory
         stage Test {{ require ok: build.id is set }}
         stage A after Test for 1h {{ freeze closed: daily 00:00..24:00 approve seen: 1 of qa {rules} }}"
    );
    Policy::parse("p.gate", &text).unwrap_or_else(|error| panic!("{error}"))
}

fn decide(rules: &str, request: &Request) -> Decision {
    policy(rules).decide(request).unwrap()
}

/// Build 42 by mara, tested and seen: only the freeze stands in its way.
fn ask() -> Request {
    let build = Build::new("42").author("mara").digest("sha256:a");
    Request::to("A").build(build).at(t(NOW)).succeeded("Test", ago(120)).approved("amita", ago(30))
}

fn invoked(by: &str) -> Request {
    ask().invocation(Invocation::new("glass", by, ago(5)).reason("INC-1"))
}

fn closed(decision: &Decision) -> Status {
    decision.rule("closed").unwrap().status
}

const GLASS: &str = "override glass: 1 of ops may skip closed";

#[test]
fn a_rule_is_skipped_when_the_override_was_invoked() {
    assert_eq!(decide(GLASS, &ask()).verdict(), Verdict::Deny);
    let decision = decide(GLASS, &invoked("tim"));
    assert_eq!((decision.verdict(), closed(&decision)), (Verdict::Allow, Status::Overridden));
    assert_eq!(decision.rule("closed").unwrap().overridden_by.as_deref(), Some("glass"));
    // The decision carries it: by whom, when and why.
    let report = &decision.overrides()[0];
    assert!(report.in_force);
    assert_eq!((report.name.as_str(), report.skipped.as_slice()), ("glass", ["closed".to_string()].as_slice()));
    let by = &report.by[0];
    assert_eq!((by.by.as_str(), by.at, by.reason.as_deref()), ("tim", ago(5), Some("INC-1")));
}

#[test]
fn only_what_it_names_is_skipped() {
    let mut unseen = invoked("tim");
    unseen.approvals.clear();
    let decision = decide(GLASS, &unseen);
    assert_eq!(decision.blocking(), ["seen"]);
    assert_eq!(decide("override glass: 1 of ops may skip closed, seen", &unseen).verdict(), Verdict::Allow);
    // What stands in nobody's way is met, not skipped.
    let decision = decide("override glass: 1 of ops may skip closed, seen", &invoked("tim"));
    assert_eq!(decision.rule("seen").unwrap().status, Status::Met);
    assert_eq!(decision.overrides()[0].skipped, ["closed"]);
}

#[test]
fn its_people_and_no_others_invoke_it() {
    assert_eq!(decide(GLASS, &invoked("amita")).verdict(), Verdict::Deny);
    let stranger = decide(GLASS, &invoked("amita"));
    assert!(!stranger.overrides()[0].in_force);
    assert_eq!(stranger.overrides()[0].not_counted[0].by, "amita");
    // Who wrote the build does not count here either, unless it is said.
    assert_eq!(decide(GLASS, &invoked("mara")).verdict(), Verdict::Deny);
    let including = "override glass: 1 of ops including author may skip closed";
    assert_eq!(decide(including, &invoked("mara")).verdict(), Verdict::Allow);
    let except = "override glass: 1 of ops except tim may skip closed";
    assert_eq!(decide(except, &invoked("tim")).verdict(), Verdict::Deny);
    assert_eq!(decide(except, &invoked("andy")).verdict(), Verdict::Allow);
}

#[test]
fn it_takes_so_many_people() {
    let two = "override glass: 2 of ops may skip closed";
    let twice = invoked("tim").invocation(Invocation::new("glass", "tim", ago(1)));
    assert_eq!(decide(two, &twice).verdict(), Verdict::Deny);
    assert_eq!(decide(two, &twice.invocation(Invocation::new("glass", "andy", ago(1)))).verdict(), Verdict::Allow);
    let all = "override glass: all of board may skip closed";
    assert_eq!(decide(all, &invoked("lee")).verdict(), Verdict::Deny);
    assert_eq!(decide(all, &invoked("lee").group("board", ["lee"])).verdict(), Verdict::Allow);
    assert_eq!(decide(all, &invoked("lee").group("board", ["lee", "ann"])).verdict(), Verdict::Deny);
    assert_eq!(decide(all, &invoked("lee").group("board", [""; 0])).verdict(), Verdict::Deny);
}

#[test]
fn it_is_invoked_for_this_stage_build_and_digest() {
    let with = |change: fn(&mut Invocation)| {
        let mut invocation = Invocation::new("glass", "tim", ago(5));
        change(&mut invocation);
        decide(GLASS, &ask().invocation(invocation)).verdict()
    };
    assert_eq!(with(|_| {}), Verdict::Allow);
    assert_eq!(with(|i| i.build = Some("42".into())), Verdict::Allow);
    assert_eq!(with(|i| i.build = Some("41".into())), Verdict::Deny);
    assert_eq!(with(|i| i.stage = Some("A".into())), Verdict::Allow);
    assert_eq!(with(|i| i.stage = Some("Test".into())), Verdict::Deny);
    assert_eq!(with(|i| i.digest = Some("sha256:a".into())), Verdict::Allow);
    assert_eq!(with(|i| i.digest = Some("sha256:b".into())), Verdict::Deny);
    assert_eq!(with(|i| i.name = "glas".into()), Verdict::Deny);
}

#[test]
fn it_holds_from_its_instant_for_so_long() {
    let rules = "override glass: 1 of ops may skip closed valid 2h";
    let at = |at: DateTime<Utc>| decide(rules, &ask().invocation(Invocation::new("glass", "tim", at)));
    let last = at(ago(120) + TimeDelta::nanoseconds(1));
    assert_eq!(last.verdict(), Verdict::Allow);
    assert_eq!(last.valid_until(), Some(t(NOW) + TimeDelta::nanoseconds(1)));
    assert_eq!(at(ago(120)).verdict(), Verdict::Deny);
    assert_eq!(at(t(NOW)).verdict(), Verdict::Allow);
    let future = at(t(NOW) + TimeDelta::nanoseconds(1));
    // Time alone brings it: the freeze waits.
    assert_eq!((future.verdict(), closed(&future)), (Verdict::Hold, Status::Waiting));
    assert_eq!(future.allowed_at(), Some(t(NOW) + TimeDelta::nanoseconds(1)));
}

#[test]
fn a_reason_is_given_where_it_is_required() {
    let rules = "override glass: 1 of ops may skip closed reason required";
    let with = |reason: Option<&str>| {
        let mut invocation = Invocation::new("glass", "tim", ago(5));
        invocation.reason = reason.map(String::from);
        decide(rules, &ask().invocation(invocation)).verdict()
    };
    assert_eq!(with(Some("INC-1")), Verdict::Allow);
    assert_eq!(with(Some("")), Verdict::Deny);
    assert_eq!(with(Some(" \t")), Verdict::Deny);
    assert_eq!(with(None), Verdict::Deny);
    assert_eq!(decide(GLASS, &ask().invocation(Invocation::new("glass", "tim", ago(5)))).verdict(), Verdict::Allow);
}

#[test]
fn a_reject_cannot_be_skipped() {
    let rules = "override glass: 1 of ops may skip closed, seen";
    let rejected = invoked("tim").rejected("bea", ago(1));
    let decision = decide(rules, &rejected);
    assert_eq!((decision.verdict(), decision.blocking()), (Verdict::Deny, ["seen".to_string()].as_slice()));
    assert_eq!(decide(rules, &rejected.withdrew("bea", ago(0))).verdict(), Verdict::Allow);
}

#[test]
fn after_is_skipped_only_where_it_is_named() {
    let mut failed = invoked("tim").failed("Test", ago(60));
    let all_but = decide("override glass: 1 of ops may skip all but seen", &failed);
    assert_eq!(all_but.blocking(), ["after"]);
    assert_eq!(all_but.rule("soak").unwrap().status, Status::Overridden);
    let named = decide("override glass: 1 of ops may skip after, soak, closed", &failed);
    assert_eq!(named.verdict(), Verdict::Allow);
    assert_eq!(named.rule("after").unwrap().status, Status::Overridden);
    // The soak is a rule of its own.
    failed.history.clear();
    assert_eq!(decide("override glass: 1 of ops may skip after, closed", &failed).blocking(), ["soak"]);
}

#[test]
fn all_but_some_leaves_those() {
    let mut unseen = invoked("tim");
    unseen.approvals.clear();
    assert_eq!(decide("override glass: 1 of ops may skip all but seen", &unseen).blocking(), ["seen"]);
    assert_eq!(decide("override glass: 1 of ops may skip all but closed", &unseen).blocking(), ["closed"]);
}

#[test]
fn what_is_sealed_is_never_skipped() {
    let sealed = "sealed require signed: build.commit is set override glass: 1 of ops may skip all but seen";
    assert_eq!(decide(sealed, &invoked("tim")).blocking(), ["signed"]);
    assert_eq!(decide(&sealed.replace("sealed require", "require"), &invoked("tim")).verdict(), Verdict::Allow);
    let named = "policy p group ops = [tim] stage A { sealed require signed: build.commit is set
        override glass: 1 of ops may skip signed }";
    let error = Policy::parse("p.gate", named).unwrap_err();
    assert_eq!(error.diagnostics()[0].code.as_str(), "E0503");
}

#[test]
fn an_override_under_a_guard() {
    let rules = "override glass: 1 of ops may skip closed when \"hotfix\" in build.labels"
        .replace("\"hotfix\" in build.labels", "build.labels contains \"hotfix\"");
    let mut request = invoked("tim");
    // What is not known lets nobody through.
    assert_eq!(decide(&rules, &request).verdict(), Verdict::Deny);
    request.build.labels = Some(vec!["hotfix".into()]);
    assert_eq!(decide(&rules, &request).verdict(), Verdict::Allow);
    request.build.labels = Some(Vec::new());
    assert_eq!(decide(&rules, &request).verdict(), Verdict::Deny);
}

#[test]
fn what_is_unknown_or_awaited_can_be_skipped_too() {
    let rules = "require clean: build.commit is set and build.branch == \"main\"
        override glass: 1 of ops may skip closed, seen, clean";
    let mut request = invoked("tim");
    request.approvals.clear();
    request.build.commit = Some("c0ffee".into());
    let decision = decide(rules, &request);
    assert_eq!(decision.verdict(), Verdict::Allow);
    for rule in ["closed", "seen", "clean"] {
        assert_eq!(decision.rule(rule).unwrap().status, Status::Overridden, "{rule}");
    }
}

#[test]
fn a_file_overrides_its_own_rules_and_those_that_it_includes() {
    let files = |base: &str| {
        MemoryLoader::new()
            .with(
                "p.gate",
                "policy p include \"base.gate\" stage A { require mine: build.commit is set
                 override glass: 1 of ops may skip all but nothing-else require nothing-else: build.id is set }",
            )
            .with("base.gate", base)
    };
    let base = "group ops = [tim] stage A { require base: build.branch == \"main\" }";
    let policy = Compiler::new().loader(&files(base)).compile("p.gate").unwrap();
    let request = Request::to("A").build(Build::new("42").author("mara")).at(t(NOW));
    let invoked = request.clone().invocation(Invocation::new("glass", "tim", ago(5)));
    assert_eq!(policy.decide(&request).unwrap().blocking(), ["base", "mine"]);
    assert_eq!(policy.decide(&invoked).unwrap().verdict(), Verdict::Allow);
    // One of the included file does not reach the rules of the file that includes it.
    let base = "group ops = [tim] stage A { require base: build.branch == \"main\" require kept: build.id is set
        override low: 1 of ops may skip all but kept }";
    let policy = Compiler::new().loader(&files(base)).compile("p.gate").unwrap();
    let low = request.invocation(Invocation::new("low", "tim", ago(5)));
    assert_eq!(policy.decide(&low).unwrap().blocking(), ["mine"]);
}

#[test]
fn waiting_is_told_where_it_spares_an_override_that_a_fact_would_spare_too() {
    let policy = Policy::parse(
        "p.gate",
        "group qa = [amita, bea] fact checks : map of status
         stage A {
           approve seen: 1 of qa
           window early: mon 00:00..09:00
           window late: daily 20:00..21:00 unless checks.ci not in [passed, skipped]
           override glass: 1 of qa may skip late
         }",
    )
    .unwrap();
    let request = Request::to("A").build(Build::new("42").author("mara")).at(t(NOW));
    let decision = policy.decide(&request).unwrap();
    let told: Vec<String> = decision.unblock().iter().map(|steps| format!("{steps:?}")).collect();
    let monday = t("2026-03-09T00:00:00Z");
    let both = told.iter().find(|steps| steps.contains("Wait") && !steps.contains("Override"));
    assert!(both.is_some_and(|steps| steps.contains("2026-03-09T00:00:00Z")), "{told:#?}");
    assert!(!told.iter().any(|steps| steps.contains("Wait") && steps.contains("Override")), "{told:#?}");
    let then = request.at(monday).approved("amita", ago(0));
    assert_eq!(policy.decide(&then).unwrap().verdict(), Verdict::Allow);
}
