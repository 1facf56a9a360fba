//! Cron expressions: what is accepted and means what, what is refused and how.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chrono::{DateTime, Datelike, Timelike, Utc};
use proptest::prelude::*;
use stagegate::schedule::{Cron, Zone};

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn firings(expr: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let cron = Cron::parse(expr).unwrap_or_else(|e| panic!("{expr}: {e}"));
    cron.after(Zone::parse(zone).unwrap(), utc(after)).take(count).map(|at| at.to_rfc3339()).collect()
}

/// Two spellings of one schedule.
#[test]
fn spellings() {
    for (one, other) in [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("  @daily\t", "0 0 * * *"),
        ("0 3 * * 1-5", "0 3 * * mon-fri"),
        ("0 3 * * 1-5", "\t0 \t 3  *\t*  MON-Fri  "),
        ("0 0 * * 0", "0 0 * * 7"),
        ("0 0 * * sun", "0 0 * * 7"),
        ("0 0 * * 5-7", "0 0 * * fri-sun"),
        ("0 0 * * 5-7", "0 0 * * FRI-SUN"),
        ("0 0 * * 0,5,6", "0 0 * * 5-7"),
        ("0 0 * * 0-2", "0 0 * * sun-tue"),
        ("0 0 * * 5-sun", "0 0 * * 5-7"),
        ("0 0 * * fri-7", "0 0 * * 5-7"),
        ("0 0 * * sun-sun", "0 0 * * 0"),
        ("0 0 * * 7-7", "0 0 * * 0"),
        ("0 0 * * 0-7", "0 0 * * 0-6"),
        ("0 0 * * fri-sun/2", "0 0 * * 5,0"),
        ("0 0 * * 1-7/2", "0 0 * * 0,1,3,5"),
        ("0 0 * * */3", "0 0 * * 0,3,6"),
        ("0 0 1 jan *", "0 0 1 1 *"),
        ("0 0 1 JAN,Jul,oCt *", "0 0 1 1,7,10 *"),
        ("0 0 1 mar-may *", "0 0 1 3-5 *"),
        ("0 0 1 */5 *", "0 0 1 1,6,11 *"),
        ("0 0 */10 * *", "0 0 1,11,21,31 * *"),
        ("10-20/5 0 * * *", "10,15,20 0 * * *"),
        ("10-20/30 0 * * *", "10 0 * * *"),
        ("05 03 01 01 *", "5 3 1 1 *"),
        ("5-5 0 * * *", "5 0 * * *"),
        ("30,10,20,10 0 * * *", "10,20,30 0 * * *"),
        ("0-10,5-20 0 * * *", "0-20 0 * * *"),
        ("0 1-3,5-9/2,23 * * *", "0 1,2,3,5,7,9,23 * * *"),
    ] {
        let (a, b) = (Cron::parse(one), Cron::parse(other));
        assert_eq!(a, b, "{one} and {other}");
        assert!(a.is_ok(), "{one}");
    }
}

#[test]
fn accepted() {
    for expr in [
        "* * * * *",
        "*/1 * * * *",
        "*/15 * * * *",
        "*/59 * * * *",
        "*/60 * * * *",
        "0 */24 * * *",
        "0 0 */31 * *",
        "0 0 1 */12 *",
        "0 0 * * */7",
        "0-59 0-23 1-31 1-12 0-7",
        "59 23 31 12 7",
        "0 0 31 2 *",
        "0 0 30 2 *",
        "0 0 29 2 *",
        "0 0 29 2 1",
        "*/20,5 * * * *",
        "1,2,3 4,5 6,7 8,9 1,2",
        "0 0 1 jan-dec/3 mon-fri/2",
    ] {
        assert!(Cron::parse(expr).is_ok(), "{expr}");
    }
}

/// `expression`: the field that is wrong (from 1; 0 is the whole), and what the help must say.
const REFUSED: &[(&str, usize, &str)] = &[
    // N/s
    ("5/15 * * * *", 1, "`5-59/15`"),
    ("0/5 * * * *", 1, "`0-59/5`"),
    ("0 0/2 * * *", 2, "`0-23/2`"),
    ("0 0 1/2 * *", 3, "`1-31/2`"),
    ("0 0 1 1/3 *", 4, "`1-12/3`"),
    ("0 0 1 jan/3 *", 4, "`jan-dec/3`"),
    ("0 0 * * 1/2", 5, "`1-6/2`"),
    ("0 0 * * mon/2", 5, "`mon-sat/2`"),
    ("1,5/15 * * * *", 1, "`5-59/15`"),
    // reversed ranges
    ("50-10 * * * *", 1, "`50-59,0-10`"),
    ("59-0 * * * *", 1, "`59,0`"),
    ("0 22-6 * * *", 2, "`22-23,0-6`"),
    ("0 23-22 * * *", 2, "`23,0-22`"),
    ("0 0 31-1 * *", 3, "`31,1`"),
    ("0 0 25-5 * *", 3, "`25-31,1-5`"),
    ("0 0 1 11-2 *", 4, "`11-12,1-2`"),
    ("0 0 1 nov-feb *", 4, "`nov-dec,jan-feb`"),
    ("0 0 * * 5-1", 5, "`5-6,0-1`"),
    ("0 0 * * fri-mon", 5, "`fri-sat,sun-mon`"),
    ("0 0 * * FRI-MON", 5, "`FRI-sat,sun-MON`"),
    ("0 0 * * sat-tue", 5, "`sat,sun-tue`"),
    ("0 0 * * 6-0", 5, "`6-7`"),
    ("0 0 * * 5-0", 5, "`5-7`"),
    ("0 0 * * fri-0", 5, "`fri-sun`"),
    ("0 0 * * 7-2", 5, "`0-2`"),
    ("0 22-4/2 * * *", 2, "`22,0,2,4`"),
    ("0 0 1 11-2/3 *", 4, "`11,2`"),
    ("1,50-10 * * * *", 1, "`50-59,0-10`"),
    // steps
    ("*/0 * * * *", 1, "1 to 60"),
    ("0 */0 * * *", 2, "1 to 24"),
    ("0 0 */0 * *", 3, "1 to 31"),
    ("0 0 1 */0 *", 4, "1 to 12"),
    ("0 0 * * */0", 5, "1 to 7"),
    ("1-5/0 * * * *", 1, "1 to 60"),
    ("*/00 * * * *", 1, "1 to 60"),
    ("*/61 * * * *", 1, "1 to 60"),
    ("*/90 * * * *", 1, "1 to 60"),
    ("*/100 * * * *", 1, "1 to 60"),
    ("*/120 * * * *", 1, "1 to 60"),
    ("0 */25 * * *", 2, "1 to 24"),
    ("0 */36 * * *", 2, "1 to 24"),
    ("0 */48 * * *", 2, "1 to 24"),
    ("0 0 */32 * *", 3, "1 to 31"),
    ("0 0 */45 * *", 3, "1 to 31"),
    ("0 0 1 */13 *", 4, "1 to 12"),
    ("0 0 1 */24 *", 4, "1 to 12"),
    ("0 0 * * */8", 5, "1 to 7"),
    ("0 0 * * */14", 5, "1 to 7"),
    ("10-20/61 * * * *", 1, "1 to 60"),
    ("0 1-5/25 * * *", 2, "1 to 24"),
    ("0 0 * * 1-5/8", 5, "1 to 7"),
    ("*/99999999999999999999 * * * *", 1, "1 to 60"),
    ("*/ * * * *", 1, "`*/2`"),
    ("1-5/ * * * *", 1, "`1-5/2`"),
    ("*/-5 * * * *", 1, "1 to 60"),
    ("*/+5 * * * *", 1, "1 to 60"),
    ("*/1.5 * * * *", 1, "1 to 60"),
    ("*/5/2 * * * *", 1, "1 to 60"),
    ("1-30/5/2 * * * *", 1, "1 to 60"),
    ("*/* * * * *", 1, "1 to 60"),
    ("*/x * * * *", 1, "1 to 60"),
    ("*/1-5 * * * *", 1, "1 to 60"),
    ("0 0 1 */feb *", 4, "1 to 12"),
    ("0 0 * * */mon", 5, "1 to 7"),
    ("*/5m * * * *", 1, "1 to 60"),
    ("*//5 * * * *", 1, "1 to 60"),
    ("/5 * * * *", 1, "0 to 59"),
    ("/ * * * *", 1, "1 to 60"),
    // ?
    ("? * * * *", 1, "`*`"),
    ("0 ? * * *", 2, "`*`"),
    ("0 0 ? * *", 3, "`*`"),
    ("0 0 ? * mon", 3, "`*`"),
    ("0 0 1 ? *", 4, "`*`"),
    ("0 0 1 * ?", 5, "`*`"),
    ("0 0 ?/2 * *", 3, "`*`"),
    ("0 0 1,? * *", 3, "`*`"),
    // L, W, #
    ("0 0 L * *", 3, "28-31"),
    ("0 0 l * *", 3, "28-31"),
    ("0 0 L-3 * *", 3, "28-31"),
    ("0 0 LW * *", 3, "28-31"),
    ("0 0 1,L * *", 3, "28-31"),
    ("0 0 * * L", 5, "28-31"),
    ("0 0 * * 5L", 5, "28-31"),
    ("0 0 * * 7L", 5, "28-31"),
    ("0 0 * * friL", 5, "0 to 7"),
    ("0 0 W * *", 3, "`1-5`"),
    ("0 0 15W * *", 3, "`1-5`"),
    ("0 0 15w * *", 3, "`1-5`"),
    ("0 0 1W,15 * *", 3, "`1-5`"),
    ("0 0 * * 5W", 5, "`1-5`"),
    ("0 0 * * 5#2", 5, "`8-14`"),
    ("0 0 * * fri#2", 5, "`8-14`"),
    ("0 0 * * 1#1,3#2", 5, "`8-14`"),
    ("0 0 * * #", 5, "`8-14`"),
    ("0 0 C * *", 3, "1 to 31"),
    ("0 0 5C * *", 3, "1 to 31"),
    ("H * * * *", 1, "0 to 59"),
    ("H/15 * * * *", 1, "0 to 59"),
    ("H(0-29) * * * *", 1, "0 to 59"),
    ("R * * * *", 1, "0 to 59"),
    ("0~30 * * * *", 1, "0 to 59"),
    ("~ * * * *", 1, "0 to 59"),
    ("!5 * * * *", 1, "0 to 59"),
    ("% * * * *", 1, "0 to 59"),
    // seconds, years, too many, too few
    ("0 0 3 * * 1-5", 1, "`0 3 * * 1-5`"),
    ("*/10 * * * * *", 1, "`* * * * *`"),
    ("0 0 12 * * ?", 1, "`0 12 * * ?`"),
    ("0 3 * * 1 2026", 6, "`0 3 * * 1`"),
    ("0 3 * * 1 2026-2030", 6, "`0 3 * * 1`"),
    ("0 3 * * 1 2026/2", 6, "`0 3 * * 1`"),
    ("0 0 3 * * 1 2026", 1, "`0 3 * * 1`"),
    ("* * * * * * *", 1, "`* * * * *`"),
    ("0 1, 2 * * *", 2, "without blanks"),
    ("0 1 ,2 * * *", 3, "without blanks"),
    ("0 1 - 2 * * *", 3, "without blanks"),
    ("0 0 * * 1 - 5", 6, "without blanks"),
    ("", 0, "`0 3 * * 1-5`"),
    ("   \t ", 0, "`0 3 * * 1-5`"),
    ("*", 0, "`0 3 * * 1-5`"),
    ("0 3", 0, "`0 3 * * 1-5`"),
    ("0 3 *", 0, "`0 3 * * 1-5`"),
    ("0 3 * *", 0, "`0 3 * * 1-5`"),
    ("  0 3 * *  ", 0, "`0 3 * * 1-5`"),
    ("03***", 0, "`0 3 * * 1-5`"),
    ("every day", 0, "`0 3 * * 1-5`"),
    // lists
    (", * * * *", 1, "`*`"),
    (",, * * * *", 1, "`*`"),
    (",1 * * * *", 1, "`1`"),
    ("1, * * * *", 1, "`1`"),
    ("1,,2 * * * *", 1, "`1,2`"),
    ("1,2, * * * *", 1, "`1,2`"),
    ("0 ,5 * * *", 2, "`5`"),
    ("0 5, * * *", 2, "`5`"),
    ("0 0 1,,15 * *", 3, "`1,15`"),
    ("0 0 1 1,,2 *", 4, "`1,2`"),
    ("0 0 * * mon,,fri", 5, "`mon,fri`"),
    ("0 0 * * mon,", 5, "`mon`"),
    ("*,5 * * * *", 1, "`*`"),
    ("5,* * * * *", 1, "`*`"),
    ("0 0 *,1 * *", 3, "`*`"),
    ("0 0 1 * *,1", 5, "`*`"),
    ("*,* * * * *", 1, "`*`"),
    ("1;2 * * * *", 1, "0 to 59"),
    ("1|2 * * * *", 1, "0 to 59"),
    // ranges
    ("-5 * * * *", 1, "`0-59`"),
    ("5- * * * *", 1, "`0-59`"),
    ("- * * * *", 1, "`0-59`"),
    ("-- * * * *", 1, "`0-59`"),
    ("1--5 * * * *", 1, "`0-59`"),
    ("1-2-3 * * * *", 1, "`0-59`"),
    ("-1-5 * * * *", 1, "`0-59`"),
    ("*-5 * * * *", 1, "`*/2`"),
    ("5-* * * * *", 1, "`*/2`"),
    ("*-* * * * *", 1, "`*/2`"),
    ("1..5 * * * *", 1, "0 to 59"),
    ("1-60 * * * *", 1, "0 to 59"),
    ("0 0-24 * * *", 2, "0 to 23"),
    ("0 0 0-5 * *", 3, "1 to 31"),
    ("0 0 1-32 * *", 3, "1 to 31"),
    ("0 0 1 0-3 *", 4, "1 to 12"),
    ("0 0 1 1-13 *", 4, "1 to 12"),
    ("0 0 * * 1-8", 5, "0 to 7"),
    ("0 0 * * mon-", 5, "`0-6`"),
    ("0 0 * * -fri", 5, "`0-6`"),
    ("0 0 1 jan-mon *", 4, "fifth field"),
    ("0 0 * * mon-jan", 5, "fourth field"),
    // numbers
    ("60 * * * *", 1, "0 to 59"),
    ("99 * * * *", 1, "0 to 59"),
    ("0 24 * * *", 2, "0 to 23"),
    ("0 0 0 * *", 3, "1 to 31"),
    ("0 0 32 * *", 3, "1 to 31"),
    ("0 0 1 0 *", 4, "1 to 12"),
    ("0 0 1 13 *", 4, "1 to 12"),
    ("0 0 * * 8", 5, "0 to 7"),
    ("0 0 * * 9", 5, "0 to 7"),
    ("4294967296 * * * *", 1, "0 to 59"),
    ("18446744073709551616 * * * *", 1, "0 to 59"),
    ("99999999999999999999999999 * * * *", 1, "0 to 59"),
    ("0 0 * * 4294967297", 5, "0 to 7"),
    ("1,60 * * * *", 1, "0 to 59"),
    ("+5 * * * *", 1, "0 to 59"),
    ("0 +5 * * *", 2, "0 to 23"),
    ("1.5 * * * *", 1, "0 to 59"),
    ("1e1 * * * *", 1, "0 to 59"),
    ("0x10 * * * *", 1, "0 to 59"),
    ("5m * * * *", 1, "0 to 59"),
    ("1_0 * * * *", 1, "0 to 59"),
    ("٥ * * * *", 1, "0 to 59"),
    ("５ * * * *", 1, "0 to 59"),
    ("0 ² * * *", 2, "0 to 23"),
    ("½ * * * *", 1, "0 to 59"),
    ("＊ * * * *", 1, "0 to 59"),
    ("1–5 * * * *", 1, "0 to 59"),
    // stars
    ("** * * * *", 1, "`*`"),
    ("*5 * * * *", 1, "`*`"),
    ("5* * * * *", 1, "`*`"),
    ("*** * * * *", 1, "`*`"),
    ("0 0 ** * *", 3, "`*`"),
    ("**/5 * * * *", 1, "`*`"),
    ("(*) * * * *", 1, "`*`"),
    ("\"* * * * *", 1, "`*`"),
    // names
    ("mon * * * *", 1, "fifth field"),
    ("jan * * * *", 1, "fourth field"),
    ("0 mon * * *", 2, "fifth field"),
    ("0 0 mon * *", 3, "fifth field"),
    ("0 0 jan * *", 3, "fourth field"),
    ("0 0 1 mon *", 4, "fifth field"),
    ("0 0 * * jan", 5, "fourth field"),
    ("0 0 * * monday", 5, "`mon`"),
    ("0 0 * * Monday", 5, "`mon`"),
    ("0 0 * * tues", 5, "`tue`"),
    ("0 0 * * thurs", 5, "`thu`"),
    ("0 0 * * sunday", 5, "`sun`"),
    ("0 0 * * mon-friday", 5, "`fri`"),
    ("0 0 * * mo", 5, "`mon`"),
    ("0 0 * * m", 5, "`mon`"),
    ("0 0 * * mondays", 5, "`mon`"),
    ("0 0 * * Mo-Fr", 5, "`mon`"),
    ("0 0 1 january *", 4, "`jan`"),
    ("0 0 1 sept *", 4, "`sep`"),
    ("0 0 1 June *", 4, "`jun`"),
    ("0 0 1 ja *", 4, "`jan`"),
    ("0 0 1 foo *", 4, "`jan`"),
    ("0 0 * * foo", 5, "`sun`"),
    ("0 0 * * mon1", 5, "`sun`"),
    ("0 0 * * mon,foo", 5, "`sun`"),
    ("0 0 * * weekday", 5, "`sun`"),
    ("0 noon * * *", 2, "0 to 23"),
    ("a b c d e", 1, "0 to 59"),
    ("0 0 * * ſun", 5, "`sun`"),
    // other separators
    ("0 3 * * 1\n", 5, "0 to 7"),
    ("\n0 3 * * 1", 1, "0 to 59"),
    ("0 3\n* * * 1", 2, "0 to 23"),
    ("0 3 * * 1\r", 5, "0 to 7"),
    ("0 3 * * 1\0", 5, "0 to 7"),
    ("0\u{a0}3 * * * 1", 1, "0 to 59"),
    ("0 3 * * 1\u{feff}", 5, "0 to 7"),
    // words
    ("@midnight", 1, "`@daily`"),
    ("@annually", 1, "`@yearly`"),
    ("@reboot", 1, "`event`"),
    ("@every 1h", 1, "five fields"),
    ("@Daily", 1, "`@daily`"),
    ("@HOURLY", 1, "`@hourly`"),
    ("@minutely", 1, "five fields"),
    ("@weekdays", 1, "`0 0 * * 1-5`"),
    ("@", 1, "`@daily`"),
    ("@fortnightly", 1, "`@daily`"),
    ("@dayly", 1, "`@daily`"),
    ("@daily @hourly", 2, "alone"),
    ("@daily 5", 2, "alone"),
    ("@ daily", 1, "`@daily`"),
    ("0 0 @daily * *", 3, "1 to 31"),
    ("daily", 0, "`0 3 * * 1-5`"),
    ("TZ=UTC 0 0 * * *", 1, "`0 0 * * *`"),
    ("CRON_TZ=UTC 0 0 * * *", 1, "`0 0 * * *`"),
    ("0 0 * * * root", 1, "five fields"),
    // several wrong: the first one is told
    ("60 24 0 13 8", 1, "0 to 59"),
    ("0 24 0 13 8", 2, "0 to 23"),
    ("0 0 0 13 8", 3, "1 to 31"),
    ("0 0 1 13 8", 4, "1 to 12"),
];

#[test]
fn refused_at_the_field_with_the_unambiguous_spelling() {
    assert!(REFUSED.len() > 200);
    for &(expr, field, help) in REFUSED {
        let Err(error) = Cron::parse(expr) else { panic!("{expr:?} is accepted") };
        let words: Vec<&str> = expr.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        let expected = match field.checked_sub(1) {
            Some(index) => {
                let start = words[index].as_ptr() as usize - expr.as_ptr() as usize;
                start..start + words[index].len()
            }
            None if words.is_empty() => 0..expr.len(),
            None => expr.find(words[0]).unwrap()..expr.trim_end_matches([' ', '\t']).len(),
        };
        assert_eq!(error.range, expected, "{expr:?}: {error}");
        assert!(error.help.contains(help), "{expr:?}: {}", error.help);
        assert!(!error.message.is_empty() && !error.message.starts_with(char::is_uppercase), "{expr:?}: {error}");
        assert!(!error.message.contains('\n') && error.message.len() < 300 && error.help.len() < 300, "{expr:?}");
    }
}

/// What a help proposes between backquotes in place of a refused field is accepted there.
#[test]
fn what_is_proposed_is_accepted() {
    for (expr, proposal) in [
        ("5/15 * * * *", "5-59/15 * * * *"),
        ("0 0 * * mon/2", "0 0 * * mon-sat/2"),
        ("0 22-6 * * *", "0 22-23,0-6 * * *"),
        ("0 0 * * FRI-MON", "0 0 * * FRI-sat,sun-MON"),
        ("0 0 * * fri-0", "0 0 * * fri-sun"),
        ("0 22-4/2 * * *", "0 22,0,2,4 * * *"),
    ] {
        let error = Cron::parse(expr).unwrap_err();
        let field = &proposal[error.range.start..proposal.len() - (expr.len() - error.range.end)];
        assert!(error.help.contains(&format!("`{field}`")), "{expr}: {}", error.help);
        assert!(Cron::parse(proposal).is_ok(), "{proposal}");
    }
}

#[test]
fn never_and_both_days() {
    for (expr, never, both) in [
        ("0 0 31 2 *", true, false),
        ("0 0 30 2 *", true, false),
        ("0 0 30,31 feb *", true, false),
        ("0 0 31 4,6,9,11,2 *", true, false),
        ("0 0 31 2-3 *", false, false),
        ("0 0 29 2 *", false, false),
        ("0 0 31 2 1", false, true),
        ("0 0 31 2 0-7", false, true),
        ("0 0 1-31 * 1", false, true),
        ("0 0 */2 * 1", false, true),
        ("0 0 1 * */2", false, true),
        ("0 0 */1 * */1", false, true),
        ("0 0 * * 1", false, false),
        ("0 0 1 * *", false, false),
        ("@weekly", false, false),
    ] {
        let cron = Cron::parse(expr).unwrap();
        assert_eq!((cron.never_fires(), cron.restricts_both_days()), (never, both), "{expr}");
        assert_eq!(cron.after(Zone::UTC, utc("1970-01-01T00:00:00Z")).next().is_none(), never, "{expr}");
    }
}

#[test]
fn a_day_that_fits_either_field_fires() {
    // 2026-01-01 is a Thursday.
    assert_eq!(
        firings("0 0 13 * fri", "UTC", "2026-01-01T00:00:00Z", 4),
        [
            "2026-01-02T00:00:00+00:00",
            "2026-01-09T00:00:00+00:00",
            "2026-01-13T00:00:00+00:00",
            "2026-01-16T00:00:00+00:00"
        ]
    );
    // `*/2` is not exactly `*`.
    assert_eq!(
        firings("0 0 */2 * sun", "UTC", "2026-01-01T00:00:00Z", 3),
        ["2026-01-03T00:00:00+00:00", "2026-01-04T00:00:00+00:00", "2026-01-05T00:00:00+00:00"]
    );
    // The month restricts both.
    assert_eq!(
        firings("0 0 29 2 1", "UTC", "2023-02-20T00:00:00Z", 3),
        ["2023-02-27T00:00:00+00:00", "2024-02-05T00:00:00+00:00", "2024-02-12T00:00:00+00:00"]
    );
    assert_eq!(firings("0 3 * * 1-5", "UTC", "2026-03-06T03:00:00Z", 1), ["2026-03-09T03:00:00+00:00"]);
}

#[test]
fn strictly_after_and_never_outside_1970_to_2200() {
    assert_eq!(firings("0 0 * * *", "UTC", "2026-01-01T00:00:00Z", 1), ["2026-01-02T00:00:00+00:00"]);
    assert_eq!(firings("0 0 * * *", "UTC", "2025-12-31T23:59:59.999Z", 1), ["2026-01-01T00:00:00+00:00"]);
    assert_eq!(firings("0 0 * * *", "UTC", "2026-01-01T00:00:00.001Z", 1), ["2026-01-02T00:00:00+00:00"]);
    assert_eq!(firings("0 0 * * *", "UTC", "1900-01-01T00:00:00Z", 1), ["1970-01-01T00:00:00+00:00"]);
    assert_eq!(firings("0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", 1), ["2104-02-29T00:00:00+00:00"]);
    assert_eq!(firings("* * * * *", "UTC", "2200-12-31T23:58:00Z", 9), ["2200-12-31T23:59:00+00:00"]);
    assert_eq!(firings("* * * * *", "America/New_York", "2200-12-31T23:58:30Z", 9), ["2200-12-31T18:59:00-05:00"]);
    assert_eq!(firings("0 0 1 1 *", "Pacific/Auckland", "2199-12-31T23:59:59Z", 9), ["2201-01-01T00:00:00+13:00"]);
    for after in ["2200-12-31T23:59:00Z", "2201-01-01T00:00:00Z", "9999-01-01T00:00:00Z"] {
        assert!(firings("* * * * *", "UTC", after, 1).is_empty(), "{after}");
    }
    let cron = Cron::parse("* * * * *").unwrap();
    assert_eq!(
        cron.after(Zone::UTC, DateTime::<Utc>::MIN_UTC).next(),
        Some(DateTime::UNIX_EPOCH.with_timezone(&Zone::UTC.tz()))
    );
    assert_eq!(cron.after(Zone::UTC, DateTime::<Utc>::MAX_UTC).next(), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// In UTC, with one day field at most, the `cron` crate means the same.
    #[test]
    fn agrees_with_the_cron_crate(
        minute in "(\\*|\\*/([1-9]|[1-4][0-9])|[1-5]?[0-9](,[1-5]?[0-9]){0,3}|[0-9]-[1-5][0-9](/[1-9])?)",
        hour in "(\\*|\\*/([1-9]|1[0-9])|(1?[0-9]|2[0-3])(,1?[0-9]){0,3}|[0-9]-1[0-9](/[1-9])?)",
        day in "(\\*|\\*/[1-9]|([1-9]|[12][0-9]|30|31)(,[1-9]){0,2}|[1-9]-2[0-9](/[1-9])?)",
        month in "(\\*|\\*/[1-9]|([1-9]|1[0-2])(,[1-9]){0,2}|[1-6]-[7-9](/[1-9])?|jan|feb|sep)",
        weekday in "(mon|tue|wed|thu|fri|sat|sun)(,(mon|thu|sun)){0,2}|mon-fri|tue-sat",
        by_weekday: bool,
        start in 0i64..4_000_000_000,
    ) {
        let (day, weekday) = if by_weekday { ("*".to_owned(), weekday) } else { (day, "*".to_owned()) };
        let ours = Cron::parse(&format!("{minute} {hour} {day} {month} {weekday}")).unwrap();
        let theirs: cron::Schedule = format!("0 {minute} {hour} {day} {month} {weekday}").parse().unwrap();
        let after: DateTime<Utc> = DateTime::from_timestamp(start, 0).unwrap();
        // The crate knows the years up to 2100.
        let in_range = |at: &DateTime<Utc>| at.year() < 2100;
        let a: Vec<_> = ours.after(Zone::UTC, after).map(|at| at.to_utc()).take_while(in_range).take(30).collect();
        let b: Vec<_> = theirs.after(&after).take_while(in_range).take(30).collect();
        prop_assert_eq!(a, b);
    }

    /// Any text at all is answered, and an error lies in the text.
    #[test]
    fn nothing_panics(text in "([0-9*,/?LW#@ a-z-]|\\PC|\\s){0,30}") {
        if let Err(error) = Cron::parse(&text) {
            prop_assert!(text.get(error.range.clone()).is_some(), "{:?} of {:?}", error.range, text);
            prop_assert!(!error.help.is_empty());
        }
    }

    /// Rare days, against a walk over the calendar.
    #[test]
    fn rare_days_come_when_they_come(
        day in prop::collection::btree_set(1u32..=31, 1..3),
        month in prop::collection::btree_set(1u32..=12, 1..3),
        weekday in prop::option::of(prop::collection::btree_set(0u32..=6, 1..3)),
        start in 0i64..7_200_000_000,
    ) {
        let list = |set: &std::collections::BTreeSet<u32>| set.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let expr = format!("30 4 {} {} {}", list(&day), list(&month), weekday.as_ref().map_or("*".to_owned(), list));
        let after = DateTime::from_timestamp(start, 0).unwrap();
        let mut expected = Vec::new();
        let mut at = after.date_naive().and_hms_opt(4, 30, 0).unwrap().and_utc();
        while expected.len() < 3 && at.year() <= 2200 {
            let date = day.contains(&at.day());
            let week = weekday.as_ref().map(|set| set.contains(&at.weekday().num_days_from_sunday()));
            if at > after && month.contains(&at.month()) && (date || week == Some(true)) {
                expected.push(at);
            }
            at += chrono::Duration::days(1);
        }
        let found: Vec<_> = Cron::parse(&expr).unwrap().after(Zone::UTC, after).map(|at| at.to_utc()).take(3).collect();
        prop_assert_eq!(found, expected, "{}", expr);
    }
}

#[test]
fn firings_are_whole_minutes_of_local_time() {
    // Liberia's clock was 44 minutes and 30 seconds behind until 1972-01-07.
    let first = firings("0 12 * * *", "Africa/Monrovia", "1972-01-05T00:00:00Z", 4);
    assert_eq!(first[..2], ["1972-01-05T12:00:00-00:45", "1972-01-06T12:00:00-00:45"].map(str::to_owned));
    let cron = Cron::parse("0 12 * * *").unwrap();
    let at = cron.after(Zone::parse("Africa/Monrovia").unwrap(), utc("1972-01-05T00:00:00Z")).next().unwrap();
    assert_eq!((at.to_utc().minute(), at.to_utc().second()), (44, 30));
}
