#![cfg(feature = "bench")]

use stagegate_peers::requests::requests;
use stagegate_peers::suite::{Way, disagreements, engines};

#[test]
fn every_engine_gives_the_same_answer_to_every_request() {
    let cases = requests();
    let found = disagreements(&cases, &mut engines(&cases));
    assert!(found.is_empty(), "{} differences, such as\n{}", found.len(), found[0]);
}

#[test]
fn about_half_of_the_requests_are_allowed_and_each_stage_has_both_answers() {
    let cases = requests();
    let answers = engines(&cases)[0].answers(Way::Prepared);
    assert_eq!(answers.len(), 1000);
    let allowed = answers.iter().filter(|answer| **answer).count();
    assert!((450..=550).contains(&allowed), "{allowed} of 1,000 are allowed");
    for stage in ["Dev", "Test", "Staging"] {
        let of_stage = format!("\"stage\":\"{stage}\"");
        let of_stage = cases.iter().zip(&answers).filter(|(case, _)| case.plain.contains(&of_stage));
        let (yes, no): (Vec<_>, Vec<_>) = of_stage.partition(|(_, answer)| **answer);
        assert!(yes.len() > 50 && no.len() > 50, "{stage}: {} allowed, {} not", yes.len(), no.len());
    }
}

/// The generator knows by itself what it has spoiled: the engines do not merely agree with one another.
#[test]
fn a_request_is_allowed_exactly_when_nothing_was_spoiled() {
    let cases = requests();
    let answers = engines(&cases)[0].answers(Way::Prepared);
    for (case, answer) in cases.iter().zip(answers) {
        assert_eq!(answer, !case.spoiled, "{}", case.request);
    }
}
