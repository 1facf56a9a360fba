//! Cron expressions: reading the five fields.

use std::ops::Range;

use super::civil;
use super::refusal;

/// A cron expression of five fields, or one of `@hourly @daily @weekly @monthly @yearly`.
///
/// The fields are minute, hour, day of month, month and day of week. When both day fields are restricted, a day that
/// fits either one fires. Local times are read as cron(8) does: a schedule whose minute or hour field begins with `*`
/// follows the clock on the wall; any other one fires once, also when a change of the clock skips or repeats its time.
///
/// ```
/// use stagegate::schedule::{Cron, Zone};
///
/// let nightly = Cron::parse("30 2 * * *")?;
/// let berlin = Zone::parse("Europe/Berlin").unwrap();
/// let fires: Vec<String> = nightly
///     .after(berlin, "2026-03-28T00:00:00Z".parse().unwrap())
///     .take(2)
///     .map(|at| at.to_rfc3339())
///     .collect();
/// // On the 29th there is no 02:30.
/// assert_eq!(fires, ["2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00"]);
///
/// let error = Cron::parse("0 22-6 * * *").unwrap_err();
/// assert_eq!(error.range, 2..6);
/// assert_eq!(error.help, "write the two parts: `22-23,0-6`");
/// # Ok::<(), stagegate::schedule::CronError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    /// Bit *n*: minute *n*.
    pub(super) minutes: u64,
    /// Bit *n*: hour *n*.
    pub(super) hours: u64,
    /// Bit *n*: day *n*, from 1.
    pub(super) days: u64,
    /// Bit *n*: month *n*, from 1.
    pub(super) months: u64,
    /// Bit *n*: weekday *n*, 0 is Monday.
    pub(super) weekdays: u64,
    /// The field for the day of the month is not exactly `*`.
    pub(super) days_restricted: bool,
    /// The field for the day of the week is not exactly `*`.
    pub(super) weekdays_restricted: bool,
    /// The field for the minute or that for the hour begins with `*`.
    pub(super) wall: bool,
    /// No date ever fits.
    never: bool,
}

/// Why a cron expression is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct CronError {
    /// Bytes of the expression that are wrong: those of the first field that is.
    pub range: Range<usize>,
    /// What is wrong, lower case.
    pub message: String,
    /// How to write what may have been meant.
    pub help: String,
}

/// A field: what it is called, what it may hold.
pub(super) struct Field {
    pub name: &'static str,
    pub min: u32,
    pub max: u32,
    /// What numbers may be given; Sunday may be 7.
    pub limit: u32,
    /// Three-letter names, the first one for `min`.
    pub names: &'static [&'static str],
}

pub(super) const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
pub(super) const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

pub(super) const FIELDS: [Field; 5] = [
    Field { name: "minute", min: 0, max: 59, limit: 59, names: &[] },
    Field { name: "hour", min: 0, max: 23, limit: 23, names: &[] },
    Field { name: "day of the month", min: 1, max: 31, limit: 31, names: &[] },
    Field { name: "month", min: 1, max: 12, limit: 12, names: &MONTHS },
    Field { name: "day of the week", min: 0, max: 6, limit: 7, names: &WEEKDAYS },
];

/// What is wrong with a field, and how to write it.
pub(super) type Refusal = (String, String);

/// A number, and whether a name was written for it.
#[derive(Clone, Copy, PartialEq)]
struct Value {
    number: u32,
    named: bool,
}

impl Cron {
    /// Reads an expression. Fields are separated by blanks or tabs.
    ///
    /// # Errors
    /// With the first field that is wrong.
    pub fn parse(text: &str) -> Result<Cron, CronError> {
        let words = words(text);
        let fields = match words.as_slice() {
            [first, rest @ ..] if first.1.starts_with('@') => macro_fields(first, rest)?,
            [_, _, _, _, _] => words.clone(),
            _ => return Err(refusal::count(text, &words)),
        };
        let mut masks = [0u64; 5];
        for ((mask, (range, word)), field) in masks.iter_mut().zip(&fields).zip(&FIELDS) {
            *mask =
                read_field(word, field).map_err(|(message, help)| CronError { range: range.clone(), message, help })?;
        }
        let [minutes, hours, days, months, sunday_first] = masks;
        let exactly_star = |n: usize| fields.get(n).is_some_and(|(_, word)| *word == "*");
        let begins_with_star = |n: usize| fields.get(n).is_some_and(|(_, word)| word.starts_with('*'));
        let weekdays_restricted = !exactly_star(4);
        // In a leap year every date that ever comes does come.
        let comes = |month: u32| (1..=civil::month_length(2000, month)).any(|day| days >> day & 1 == 1);
        let never = !weekdays_restricted && !(1..=12).any(|month| months >> month & 1 == 1 && comes(month));
        Ok(Cron {
            minutes,
            hours,
            days,
            months,
            weekdays: sunday_first >> 1 | (sunday_first & 1) << 6,
            days_restricted: !exactly_star(2),
            weekdays_restricted,
            wall: begins_with_star(0) || begins_with_star(1),
            never,
        })
    }

    /// Whether both day fields are restricted: then a day that fits either one fires.
    pub fn restricts_both_days(&self) -> bool {
        self.days_restricted && self.weekdays_restricted
    }

    /// Whether no date ever fits, as for `0 0 31 2 *`.
    pub fn never_fires(&self) -> bool {
        self.never
    }
}

/// A word of the expression and its bytes.
pub(super) type Word<'a> = (Range<usize>, &'a str);

fn words(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, byte) in text.bytes().enumerate().chain([(text.len(), b' ')]) {
        let blank = byte == b' ' || byte == b'\t';
        match start {
            None if !blank => start = Some(at),
            Some(from) if blank => {
                words.push((from..at, text.get(from..at).unwrap_or_default()));
                start = None;
            }
            _ => {}
        }
    }
    words
}

fn macro_fields<'a>(first: &Word<'a>, rest: &[Word<'a>]) -> Result<Vec<Word<'a>>, CronError> {
    let (range, word) = first;
    let fields = match *word {
        "@hourly" => ["0", "*", "*", "*", "*"],
        "@daily" => ["0", "0", "*", "*", "*"],
        "@weekly" => ["0", "0", "*", "*", "0"],
        "@monthly" => ["0", "0", "1", "*", "*"],
        "@yearly" => ["0", "0", "1", "1", "*"],
        _ => {
            let (message, help) = refusal::unknown_macro(word);
            return Err(CronError { range: range.clone(), message, help });
        }
    };
    if let Some((extra, _)) = rest.first() {
        return Err(CronError {
            range: extra.start..rest.last().map_or(extra.end, |(last, _)| last.end),
            message: format!("nothing may follow `{word}`"),
            help: format!("write `{word}` alone, or all five fields: `{}`", fields.join(" ")),
        });
    }
    Ok(fields.into_iter().map(|field| (range.clone(), field)).collect())
}

/// The values of a field as bits; for the day of the week 0 is Sunday.
fn read_field(text: &str, field: &Field) -> Result<u64, Refusal> {
    if let Some(refused) = refusal::foreign(text, field) {
        return Err(refused);
    }
    let mut bits = 0u64;
    let several = text.contains(',');
    for item in text.split(',') {
        if item.is_empty() {
            return Err(refusal::empty_item(text));
        }
        if several && item == "*" {
            return Err((
                format!("a list for the {} that holds `*` is every {0}", field.name),
                "write `*` alone, or the other parts of the list alone".to_owned(),
            ));
        }
        bits |= read_item(item, field)?;
    }
    // Sunday as 7.
    Ok(if field.limit > field.max { bits & 0x7f | bits >> 7 } else { bits })
}

fn read_item(item: &str, field: &Field) -> Result<u64, Refusal> {
    let (range, step) = match item.split_once('/') {
        Some((range, step)) => (range, Some(read_step(item, step, field)?)),
        None => (item, None),
    };
    if range == "*" {
        return Ok(span(field.min, field.max, step.unwrap_or(1)));
    }
    let Some((first, last)) = range.split_once('-') else {
        let value = read_value(range, item, field)?;
        return match step {
            None => Ok(1 << value.number),
            Some(step) => Err((
                format!("`{item}` is read in more than one way"),
                format!(
                    "write `{range}-{}/{step}` for every {step} from {range} on, or `{range}` for {range} alone",
                    if field.names.is_empty() || !value.named { field.max.to_string() } else { last_name(field) }
                ),
            )),
        };
    };
    if first.is_empty() || last.is_empty() || last.contains('-') {
        return Err(refusal::bad_range(item, field));
    }
    let (from, mut to) = (read_value(first, item, field)?, read_value(last, item, field)?);
    // A range may end in Sunday by name; one that begins in it as well is Sunday alone.
    if field.limit > field.max && to.named && to.number == 0 && from.number != 0 {
        to.number = 7;
    }
    if from.number > to.number {
        return Err(refusal::reversed(item, (from.number, first), (to.number, last), step, field));
    }
    Ok(span(from.number, to.number, step.unwrap_or(1)))
}

fn last_name(field: &Field) -> String {
    field.names.last().map_or_else(|| field.max.to_string(), |name| (*name).to_owned())
}

/// The bits from one number to another.
pub(super) fn span(from: u32, to: u32, step: u32) -> u64 {
    let step = usize::try_from(step).unwrap_or(usize::MAX).max(1);
    (from..=to).step_by(step).fold(0, |bits, n| bits | 1 << n)
}

fn read_step(item: &str, step: &str, field: &Field) -> Result<u32, Refusal> {
    let size = field.max - field.min + 1;
    let range = item.split('/').next().unwrap_or("*");
    let help =
        || format!("a step is a number from 1 to {size}, as in `{}/2`", if range.is_empty() { "*" } else { range });
    if step.is_empty() || !step.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err((format!("the step of {} is not a whole number", refusal::quote(item)), help()));
    }
    match number(step) {
        Some(0) => Err((format!("the step of {} is 0", refusal::quote(item)), help())),
        Some(step) if step <= size => Ok(step),
        _ => Err((format!("the step of {} is larger than the field of {size} values", refusal::quote(item)), help())),
    }
}

fn read_value(text: &str, item: &str, field: &Field) -> Result<Value, Refusal> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
        return match number(text) {
            Some(number) if (field.min..=field.limit).contains(&number) => Ok(Value { number, named: false }),
            _ => Err((
                format!("{} is no {}", refusal::quote(text), field.name),
                format!("write a number from {} to {}", field.min, field.limit),
            )),
        };
    }
    let named = (field.min..).zip(field.names).find(|(_, name)| name.eq_ignore_ascii_case(text));
    match named {
        Some((number, _)) => Ok(Value { number, named: true }),
        None => Err(refusal::value(text, item, field)),
    }
}

/// A number of digits alone; `None` if it is huge.
fn number(digits: &str) -> Option<u32> {
    digits.parse().ok()
}
