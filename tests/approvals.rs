//! The section Approvals of the language page, sentence by sentence: what counts, and its twin that does not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chrono::{DateTime, TimeDelta, Utc};
use stagegate::{Approval, Build, Decision, Policy, Request, RuleReport, Status, Verdict, Word};

/// Wednesday evening.
const NOW: &str = "2026-03-04T18:00:00Z";

fn t(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn ago(minutes: i64) -> DateTime<Utc> {
    t(NOW) - TimeDelta::minutes(minutes)
}

/// A policy of two stages, with these rules in the second.
fn policy(rules: &str) -> Policy {
    let text = format!(
        "policy p group ops = [tim, andy, mara] group qa = [amita, bea] group board from directory
         group night from directory stage Test {{ require ok: build.id is set }} stage A {{ {rules} }}"
    );
    Policy::parse("p.gate", &text).unwrap_or_else(|error| panic!("{error}"))
}

fn decide(rules: &str, request: &Request) -> Decision {
    policy(rules).decide(request).unwrap()
}

/// The only rule.
fn only(rules: &str, request: &Request) -> RuleReport {
    let decision = decide(rules, request);
    assert_eq!(decision.rules().len(), 1);
    decision.rules()[0].clone()
}

fn status(rules: &str, request: &Request) -> Status {
    only(rules, request).status
}

/// Build 42 by mara, asked about by nobody in particular.
fn ask() -> Request {
    Request::to("A").build(Build::new("42").author("mara").digest("sha256:a")).at(t(NOW))
}

/// Why one person's approval does not count.
fn why(report: &RuleReport, person: &str) -> String {
    let told: Vec<&str> =
        report.not_counted.iter().filter(|told| told.by == person).map(|told| told.reason.as_str()).collect();
    assert_eq!(told.len(), 1, "{:?}", report.not_counted);
    told[0].to_string()
}

// ---------------------------------------------------------------- COUNT of PEOPLE

#[test]
fn a_count_is_reached_by_so_many_people() {
    let two = "approve r: 2 of ops or qa";
    let one = only(two, &ask().approved("tim", ago(10)));
    assert_eq!((one.status, one.missing), (Status::Awaiting, Some(1)));
    assert_eq!(one.counted.unwrap(), ["tim"]);
    assert_eq!(one.from.unwrap(), ["andy", "amita", "bea"]);
    // Over `or` it is one crowd.
    assert_eq!(status(two, &ask().approved("tim", ago(10)).approved("bea", ago(5))), Status::Met);
    assert_eq!(status(two, &ask().approved("tim", ago(10)).approved("zoe", ago(5))), Status::Awaiting);
}

#[test]
fn a_person_counts_once_however_often_they_approve_and_in_however_many_groups() {
    let rules = "approve r: 2 of ops or [tim, zoe]";
    let tim = ask().approved("tim", ago(10)).approved("tim", ago(5)).approved("tim", ago(1));
    assert_eq!(status(rules, &tim), Status::Awaiting);
    assert_eq!(status(rules, &tim.approved("zoe", ago(1))), Status::Met);
}

#[test]
fn all_of_a_group_is_everyone_who_may_count() {
    let rules = "approve r: all of ops";
    // mara wrote it.
    let one = ask().approved("tim", ago(10));
    assert_eq!(only(rules, &one).missing, Some(1));
    assert_eq!(status(rules, &one.clone().approved("andy", ago(10))), Status::Met);
    // Somebody else wrote it: mara is one of all.
    let mut by_zoe = one.approved("andy", ago(10));
    by_zoe.build.author = Some("zoe".into());
    assert_eq!(status(rules, &by_zoe), Status::Awaiting);
    assert_eq!(status(rules, &by_zoe.approved("mara", ago(10))), Status::Met);
}

#[test]
fn all_of_nobody_is_never_reached() {
    let rules = "approve r: all of board";
    assert_eq!(status(rules, &ask().group("board", [""; 0])), Status::Awaiting);
    assert_eq!(status(rules, &ask().group("board", ["mara"]).approved("mara", ago(5))), Status::Awaiting);
    assert_eq!(status(rules, &ask().group("board", ["lee"]).approved("lee", ago(5))), Status::Met);
}

// ---------------------------------------------------------------- groups from a directory

#[test]
fn members_of_a_directory_come_from_the_request() {
    let rules = "approve r: 1 of board";
    let approved = ask().approved("lee", ago(5));
    assert_eq!(status(rules, &approved.clone().group("board", ["lee"])), Status::Met);
    assert_eq!(status(rules, &approved.clone().group("board", ["ann"])), Status::Awaiting);
    assert_eq!(status(rules, &approved.clone().group("board", [""; 0])), Status::Awaiting);
    let missing = only(rules, &approved);
    assert_eq!((missing.status, missing.facts), (Status::Unknown, vec!["group board".to_string()]));
}

#[test]
fn a_missing_directory_does_not_matter_when_the_listed_are_enough() {
    let rules = "approve r: 1 of ops or board";
    assert_eq!(status(rules, &ask().approved("tim", ago(5))), Status::Met);
    assert_eq!(status(rules, &ask()), Status::Unknown);
    // lee may be on the board: a standing reject must not be passed over.
    let doubtful = ask().approved("tim", ago(5)).rejected("lee", ago(5));
    assert_eq!(status(rules, &doubtful), Status::Unknown);
    assert_eq!(status(rules, &doubtful.clone().group("board", ["ann"])), Status::Met);
    assert_eq!(status(rules, &doubtful.group("board", ["lee"])), Status::Unmet);
    // How many all are is not known either.
    let all = ask().approved("tim", ago(5)).approved("andy", ago(5));
    assert_eq!(status("approve r: all of ops or board", &all), Status::Unknown);
}

#[test]
fn a_missing_directory_of_those_who_do_not_count_leaves_it_open_who_does() {
    let rules = "approve r: 1 of ops except night";
    let approved = ask().approved("tim", ago(5));
    assert_eq!(status(rules, &approved), Status::Unknown);
    assert_eq!(status(rules, &approved.clone().group("night", [""; 0])), Status::Met);
    assert_eq!(status(rules, &approved.group("night", ["tim"])), Status::Awaiting);
}

// ---------------------------------------------------------------- the author and the contributors

fn by(author: Option<&str>, contributors: Option<&[&str]>) -> Request {
    let mut request = ask().approved("andy", ago(5));
    request.build.author = author.map(String::from);
    request.build.contributors = contributors.map(|people| people.iter().map(|p| p.to_string()).collect());
    request
}

#[test]
fn who_wrote_it_does_not_count() {
    let rules = "approve r: 1 of ops";
    assert_eq!(status(rules, &by(Some("mara"), Some(&["mara"]))), Status::Met);
    let author = only(rules, &by(Some("andy"), None));
    assert_eq!((author.status, why(&author, "andy").as_str()), (Status::Awaiting, "is the author and does not count"));
    assert_eq!(author.from.unwrap(), ["tim", "mara"]);
    let contributor = only(rules, &by(Some("mara"), Some(&["andy"])));
    assert_eq!(contributor.status, Status::Awaiting);
    assert_eq!(why(&contributor, "andy"), "contributed to the build and does not count");
    // Missing contributors mean the author alone.
    assert_eq!(status(rules, &by(Some("mara"), None)), Status::Met);
    // An author who is not known may be anybody.
    let unknown = only(rules, &by(None, None));
    assert_eq!((unknown.status, unknown.facts), (Status::Unknown, vec!["build.author".to_string()]));
}

#[test]
fn a_rule_may_include_the_author() {
    let rules = "approve r: 1 of ops including author";
    assert_eq!(status(rules, &by(Some("andy"), None)), Status::Met);
    assert_eq!(status(rules, &by(Some("andy"), Some(&["andy", "tim"]))), Status::Met);
    assert_eq!(status(rules, &by(Some("mara"), Some(&["andy"]))), Status::Awaiting);
    assert_eq!(status(rules, &by(None, None)), Status::Met);
    // Whether andy is the author or another contributor is not known.
    assert_eq!(status(rules, &by(None, Some(&["andy"]))), Status::Unknown);
}

#[test]
fn a_rule_may_include_the_contributors_and_with_them_the_author() {
    let rules = "approve r: 1 of ops including contributors";
    assert_eq!(status(rules, &by(Some("andy"), None)), Status::Met);
    assert_eq!(status(rules, &by(Some("mara"), Some(&["andy"]))), Status::Met);
    assert_eq!(status(rules, &by(None, Some(&["andy"]))), Status::Met);
    assert_eq!(status(rules, &by(Some("mara"), None)), Status::Met);
}

// ---------------------------------------------------------------- except

#[test]
fn who_is_excepted_does_not_count() {
    let tim = || ask().approved("tim", ago(5));
    for (except, counts) in [
        ("tim", false),
        ("andy", true),
        ("\"tim\"", false),
        ("[tim, andy]", false),
        ("ops, amita", false),
        ("qa", true),
        ("amita, ops", false),
    ] {
        let rules = format!("approve r: 1 of ops or qa except {except}");
        let report = only(&rules, &tim());
        assert_eq!(report.status, if counts { Status::Met } else { Status::Awaiting }, "{except}");
        if !counts {
            assert_eq!(why(&report, "tim"), "is excepted by this rule", "{except}");
        }
    }
}

#[test]
fn the_requester_is_excepted_where_the_rule_says_so() {
    let rules = "approve r: 1 of ops except requester";
    let tim = || ask().approved("tim", ago(5));
    assert_eq!(status(rules, &tim().requester("andy")), Status::Met);
    let requester = only(rules, &tim().requester("tim"));
    assert_eq!(requester.status, Status::Awaiting);
    assert_eq!(why(&requester, "tim"), "asked for the promotion and does not count");
    // Who set it off by hand is who asks.
    assert_eq!(status(rules, &tim().manual("tim")), Status::Awaiting);
    assert_eq!(status(rules, &tim().manual("andy")), Status::Met);
    let unknown = only(rules, &tim());
    assert_eq!((unknown.status, unknown.facts), (Status::Unknown, vec!["requester".to_string()]));
    // Without the exception who asks may count.
    assert_eq!(status("approve r: 1 of ops", &tim().requester("tim")), Status::Met);
}

#[test]
fn who_counts_for_another_rule_does_not_count_where_its_approvers_are_excepted() {
    let rules = "approve second: 1 of ops or qa except approvers of first approve first: 1 of ops";
    let tim = ask().approved("tim", ago(5));
    let decision = decide(rules, &tim);
    assert_eq!(decision.rule("first").unwrap().status, Status::Met);
    let second = decision.rule("second").unwrap();
    assert_eq!((second.status, why(second, "tim").as_str()), (Status::Awaiting, "counts for first and not here"));
    assert_eq!(second.from.as_deref().unwrap(), ["amita", "bea"]);
    assert_eq!(decide(rules, &tim.clone().approved("amita", ago(1))).verdict(), Verdict::Allow);
    // A rule that does not apply counts nobody.
    let guarded = rules.replace("first: 1 of ops", "first: 1 of ops when action == rollback");
    assert_eq!(decide(&guarded, &tim).verdict(), Verdict::Allow);
}

#[test]
fn a_chain_of_three_needs_three_people() {
    let rules = "approve one: 1 of [ann] approve two: 1 of [ann, ben] except approvers of one
        approve three: 1 of [ann, ben, cy] except approvers of one, approvers of two";
    let two = ask().approved("ann", ago(5)).approved("ben", ago(5));
    let decision = decide(rules, &two);
    assert_eq!(decision.blocking(), ["three"]);
    assert_eq!(decision.rule("three").unwrap().from.as_deref().unwrap(), ["cy"]);
    assert_eq!(decide(rules, &two.approved("cy", ago(5))).verdict(), Verdict::Allow);
}

// ---------------------------------------------------------------- since and valid

#[test]
fn since_a_stage_means_after_this_build_succeeded_there() {
    let rules = "approve r: 1 of ops since Test";
    let tim = || ask().approved("tim", ago(60));
    assert_eq!(status(rules, &tim().succeeded("Test", ago(61))), Status::Met);
    let before = only(rules, &tim().succeeded("Test", ago(59)));
    assert_eq!(before.status, Status::Awaiting);
    assert!(why(&before, "tim").starts_with("approved before Test succeeded"), "{:?}", before.not_counted);
    // At the very instant is not after.
    assert_eq!(status(rules, &tim().succeeded("Test", ago(60))), Status::Awaiting);
    // The newest run counts.
    let again = tim().succeeded("Test", ago(90)).succeeded("Test", ago(30));
    assert_eq!(status(rules, &again), Status::Awaiting);
    assert_eq!(status(rules, &again.approved("tim", ago(20))), Status::Met);
    let failed = tim().succeeded("Test", ago(90)).failed("Test", ago(70));
    let failed = only(rules, &failed);
    assert_eq!(failed.status, Status::Awaiting);
    assert!(why(&failed, "tim").contains("Test has not succeeded"), "{:?}", failed.not_counted);
    assert_eq!(status(rules, &tim()), Status::Awaiting);
}

#[test]
fn an_approval_is_valid_up_to_the_instant_of_its_expiry() {
    let rules = "approve r: 1 of ops valid 24h";
    let given = ask().approved("tim", ago(24 * 60));
    let moment = |nanos: i64| given.clone().at(t(NOW) + TimeDelta::nanoseconds(nanos));
    let last = decide(rules, &moment(-1));
    assert_eq!((last.verdict(), last.valid_until()), (Verdict::Allow, Some(t(NOW))));
    let expired = only(rules, &moment(0));
    assert_eq!(expired.status, Status::Awaiting);
    assert_eq!(why(&expired, "tim"), "approved, but that expired at Wed 2026-03-04 18:00 +00:00");
    // Given anew it counts anew.
    assert_eq!(status(rules, &given.clone().approved("tim", ago(1))), Status::Met);
    // Without `valid` it never expires.
    assert_eq!(status("approve r: 1 of ops", &ask().approved("tim", ago(60 * 24 * 700))), Status::Met);
}

#[test]
fn an_approval_never_counts_before_it_is_given() {
    let rules = "approve r: 1 of ops";
    let later = t(NOW) + TimeDelta::nanoseconds(1);
    let future = decide(rules, &ask().approved("tim", later));
    assert_eq!(future.rules()[0].status, Status::Awaiting);
    assert!(why(&future.rules()[0], "tim").starts_with("approves in the future"));
    assert_eq!(future.allowed_at(), Some(later));
    assert_eq!(status(rules, &ask().approved("tim", t(NOW))), Status::Met);
    // Nor is a reject heard before it is spoken, though it will be.
    let reject = decide(rules, &ask().approved("tim", ago(5)).rejected("andy", later));
    assert_eq!((reject.verdict(), reject.valid_until()), (Verdict::Allow, Some(later)));
}

// ---------------------------------------------------------------- this build, digest and stage

#[test]
fn an_approval_counts_for_this_build_digest_and_stage_alone() {
    let rules = "approve r: 1 of ops";
    let given = |change: fn(Approval) -> Approval| {
        only(rules, &ask().approval(change(Approval::new("tim", Word::Approve, ago(5)))))
    };
    assert_eq!(given(|a| a).status, Status::Met);
    assert_eq!(given(|a| a.build("42").stage("A").digest("sha256:a")).status, Status::Met);
    let build = given(|a| a.build("41"));
    assert_eq!((build.status, build.missing), (Status::Awaiting, Some(1)));
    assert_eq!(why(&build, "tim"), "approved, but that was given for build 41");
    let stage = given(|a| a.stage("Test"));
    assert_eq!(stage.status, Status::Awaiting);
    assert_eq!(why(&stage, "tim"), "approved, but that was given for Test, not for this stage");
    let digest = given(|a| a.digest("sha256:b"));
    assert_eq!(digest.status, Status::Awaiting);
    assert_eq!(why(&digest, "tim"), "approved, but that was given for another artifact (sha256:b)");
    // A digest that only one side gives is no contradiction.
    let mut request = ask().approval(Approval::new("tim", Word::Approve, ago(5)).digest("sha256:b"));
    request.build.digest = None;
    assert_eq!(status(rules, &request), Status::Met);
    // Nor does a reject of another build deny this one.
    let other = ask().approved("tim", ago(5)).approval(Approval::new("andy", Word::Reject, ago(5)).build("41"));
    assert_eq!(status(rules, &other), Status::Met);
}

// ---------------------------------------------------------------- the last word

#[test]
fn the_last_word_of_a_person_stands() {
    use Word::{Approve, Reject, Withdraw};
    for (words, stands) in [
        (vec![Approve], Status::Met),
        (vec![Approve, Withdraw], Status::Awaiting),
        (vec![Withdraw, Approve], Status::Met),
        (vec![Approve, Reject], Status::Unmet),
        (vec![Reject, Withdraw], Status::Awaiting),
        (vec![Reject, Approve], Status::Met),
        (vec![Reject, Withdraw, Approve], Status::Met),
        (vec![Approve, Reject, Withdraw], Status::Awaiting),
    ] {
        let say = |request: Request, (index, word): (usize, &Word)| {
            request.approval(Approval::new("tim", *word, ago(60 - index as i64)))
        };
        let in_order = words.iter().enumerate().fold(ask(), say);
        assert_eq!(status("approve r: 1 of ops", &in_order), stands, "{words:?}");
        // The order of the list does not matter, the instants do.
        let mut reversed = in_order;
        reversed.approvals.reverse();
        assert_eq!(status("approve r: 1 of ops", &reversed), stands, "{words:?}");
    }
}

#[test]
fn of_words_at_one_instant_the_less_willing_stands() {
    let both =
        |a: Word, b: Word| ask().approval(Approval::new("tim", a, ago(5))).approval(Approval::new("tim", b, ago(5)));
    for (a, b, stands) in [
        (Word::Approve, Word::Withdraw, Status::Awaiting),
        (Word::Approve, Word::Reject, Status::Unmet),
        (Word::Withdraw, Word::Reject, Status::Unmet),
    ] {
        assert_eq!(status("approve r: 1 of ops", &both(a, b)), stands);
        assert_eq!(status("approve r: 1 of ops", &both(b, a)), stands);
    }
}

#[test]
fn a_reject_by_anyone_who_could_have_counted_denies() {
    let enough = || ask().approved("tim", ago(10));
    let rejected = only("approve r: 1 of ops", &enough().rejected("andy", ago(5)));
    assert_eq!((rejected.status, rejected.rejected_by), (Status::Unmet, vec!["andy".to_string()]));
    assert_eq!(decide("approve r: 1 of ops", &enough().rejected("andy", ago(5))).verdict(), Verdict::Deny);
    // One who could not have counted is heard by nobody: a stranger, the author, one who is excepted.
    assert_eq!(status("approve r: 1 of ops", &enough().rejected("bea", ago(5))), Status::Met);
    assert_eq!(status("approve r: 1 of ops", &enough().rejected("mara", ago(5))), Status::Met);
    assert_eq!(status("approve r: 1 of ops including author", &enough().rejected("mara", ago(5))), Status::Unmet);
    assert_eq!(status("approve r: 1 of ops except andy", &enough().rejected("andy", ago(5))), Status::Met);
    // A rule that does not apply denies nothing; one that may not apply is not known to.
    let guarded = "approve r: 1 of ops when build.branch == \"main\"";
    let mut request = enough().rejected("andy", ago(5));
    assert_eq!(status(guarded, &request), Status::Unknown);
    request.build.branch = Some("dev".into());
    assert_eq!(status(guarded, &request), Status::NotApplicable);
}

#[test]
fn a_reject_stands_until_that_person_takes_it_back() {
    let rules = "approve r: 1 of ops valid 2h since Test";
    // It neither expires nor has to come after anything.
    let rejected = ask().succeeded("Test", ago(60)).approved("tim", ago(10)).rejected("andy", ago(600));
    assert_eq!(status(rules, &rejected), Status::Unmet);
    // Nobody else can take it back.
    assert_eq!(status(rules, &rejected.clone().withdrew("tim", ago(5)).approved("tim", ago(4))), Status::Unmet);
    assert_eq!(status(rules, &rejected.clone().withdrew("andy", ago(5))), Status::Met);
    assert_eq!(status(rules, &rejected.approved("andy", ago(5))), Status::Met);
}

// ---------------------------------------------------------------- distinct approvers

#[test]
fn with_distinct_approvers_people_are_shared_out() {
    let rules = "distinct approvers approve one: 1 of [ann, ben] approve two: 1 of [ann]";
    let both = ask().approved("ann", ago(5)).approved("ben", ago(5));
    // Whoever came first would have taken ann.
    let decision = decide(rules, &both);
    assert_eq!(decision.verdict(), Verdict::Allow);
    assert_eq!(decision.rule("one").unwrap().counted.as_deref().unwrap(), ["ben"]);
    assert_eq!(decision.rule("two").unwrap().counted.as_deref().unwrap(), ["ann"]);
    let ann = decide(rules, &ask().approved("ann", ago(5)));
    assert_eq!(ann.verdict(), Verdict::Hold);
    assert_eq!(ann.rules().iter().filter(|rule| rule.status == Status::Awaiting).count(), 1);
    // Without it one person may count for both.
    let shared = rules.replace("distinct approvers ", "");
    assert_eq!(decide(&shared, &ask().approved("ann", ago(5))).verdict(), Verdict::Allow);
}

#[test]
fn distinct_approvers_and_a_chain_together() {
    let rules = "distinct approvers approve one: 2 of ops or qa approve two: 1 of qa
        approve three: 1 of [amita, zoe] except approvers of two";
    let three = ask().approved("tim", ago(5)).approved("andy", ago(5)).approved("bea", ago(5));
    assert_eq!(decide(rules, &three).blocking(), ["three"]);
    // amita counts for two, and so not for three.
    assert_eq!(decide(rules, &three.clone().approved("amita", ago(5))).blocking(), ["three"]);
    assert_eq!(decide(rules, &three.approved("zoe", ago(5))).verdict(), Verdict::Allow);
}

#[test]
fn distinct_approvers_under_a_guard() {
    let rules = "distinct approvers unless action == rollback approve one: 1 of ops approve two: 1 of ops";
    let tim = ask().approved("tim", ago(5));
    assert_eq!(decide(rules, &tim).verdict(), Verdict::Hold);
    assert_eq!(decide(rules, &tim.action(stagegate::Action::Rollback)).verdict(), Verdict::Allow);
    // While it is not known whether it applies, nobody counts twice.
    let unknown = "distinct approvers when build.branch == \"main\" approve one: 1 of ops approve two: 1 of ops";
    assert_eq!(decide(unknown, &ask().approved("tim", ago(5))).verdict(), Verdict::Hold);
}

#[test]
fn an_override_skips_distinct_approvers_only_where_somebody_counts_twice() {
    let rules = "approve few: 1 of ops or qa approve rest: all of ops or qa distinct approvers
                 override glass: 1 of board may skip few, distinct-approvers";
    let glass = |request: Request| {
        request.group("board", ["ada"]).invocation(stagegate::Invocation::new("glass", "ada", ago(5)))
    };
    let status = |request: &Request| decide(rules, request).rule("distinct-approvers").unwrap().status;
    // `rest` misses people, so that nobody who counts for `few` is needed there.
    let two = ask().approved("amita", ago(10)).approved("tim", ago(10));
    assert_eq!(status(&glass(two.clone())), Status::Met);
    let all = two.approved("bea", ago(10)).approved("andy", ago(10));
    assert_eq!(status(&glass(all.clone())), Status::Overridden);
    assert_eq!(status(&all), Status::Met);
    assert_eq!(decide(rules, &all).verdict(), Verdict::Hold);
    assert_eq!(decide(rules, &glass(all)).verdict(), Verdict::Allow);
}

#[test]
fn who_counts_where_approvers_are_barred_is_not_asked_to_approve_elsewhere() {
    let rules = "approve first: 1 of ops or [zoe] valid 24h approve second: 1 of ops or qa except approvers of first";
    // Tim's word is too old for the first, and the only one for the second: were he to approve again, it would lose him.
    let request = ask().approved("tim", ago(2_000));
    let decision = decide(rules, &request);
    let rule = |name: &str| decision.rule(name).unwrap().status;
    assert_eq!((rule("first"), rule("second")), (Status::Awaiting, Status::Met));
    let [steps] = decision.unblock() else { panic!("{decision}") };
    let [stagegate::Step::Approve { approve, from, .. }] = steps.as_slice() else { panic!("{decision}") };
    assert_eq!((approve.as_str(), from.as_slice()), ("first", ["andy".to_string(), "zoe".to_string()].as_slice()));
    for who in from {
        assert_eq!(decide(rules, &request.clone().approved(who, ago(0))).verdict(), Verdict::Allow, "{who}");
    }
    assert_eq!(decide(rules, &request.approved("tim", ago(0))).verdict(), Verdict::Hold);
    // Where nobody else is left, somebody takes his place.
    let only = "approve first: 1 of [tim] valid 24h approve second: 1 of [tim, bea] except approvers of first";
    let decision = decide(only, &ask().approved("tim", ago(2_000)));
    let told = serde_json::to_value(decision.unblock()).unwrap();
    let steps = serde_json::json!([[
        { "approve": "first", "count": 1, "from": ["tim"] },
        { "approve": "second", "count": 1, "from": ["bea"] },
    ]]);
    assert_eq!((decision.verdict(), told), (Verdict::Hold, steps));
    let nobody = "approve first: 1 of [tim] valid 24h approve second: 1 of [tim, mara] except approvers of first";
    let decision = decide(nobody, &ask().approved("tim", ago(2_000)));
    assert_eq!((decision.verdict(), decision.unblock()), (Verdict::Hold, [].as_slice()));
}
