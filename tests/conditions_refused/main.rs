//! Conditions that are refused: the number, the place, the words, the help. Each has an accepted twin in
//! `conditions_truth.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod names;
#[path = "../said/mod.rs"]
mod said;
mod types;

use said::said;

const FACTS: &str = "\
fact flag : bool
fact coverage : number
fact title : string
fact started : time
fact took : duration
fact release : version
fact owner : user
fact lint : status
fact risk : { low, medium, high }
fact size : { small, large }
fact tags : set of string
fact scores : set of number
fact checks : map of status
group ops = [tim, andy]
define covered = coverage >= 80
";

/// What is said of `require r: CONDITION`, with columns from the condition's first letter and no line.
#[track_caller]
fn says(condition: &str, expected: &[&str]) {
    let told = said(&format!("policy p\n{FACTS}\nstage Dev {{ require r:\n{condition}\n}}"));
    let line = FACTS.lines().count() + 4;
    let told: Vec<String> = told
        .iter()
        .map(|told| told.replace(&format!("{line}:"), ""))
        // Lints of what this one condition does not use.
        .filter(|told| !told.starts_with("W0105") && !told.starts_with("W0106") && !told.starts_with("W0107"))
        .collect();
    assert!(told == expected, "of\n{condition}\nit says\n  {}\nnot\n  {}\n", told.join("\n  "), expected.join("\n  "));
}
