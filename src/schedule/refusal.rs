//! What an author is told about a cron expression that is refused: what is wrong, and the spelling without doubt.

use super::cron::{CronError, FIELDS, Field, MONTHS, Refusal, WEEKDAYS, Word};

const MACROS: [&str; 5] = ["@hourly", "@daily", "@weekly", "@monthly", "@yearly"];

/// Text of the author between backquotes, on one line and not endless.
pub(super) fn quote(text: &str) -> String {
    let mut shown: String = text.chars().take(40).flat_map(char::escape_debug).collect();
    if text.chars().nth(40).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// An expression that has not five fields.
pub(super) fn count(text: &str, words: &[Word<'_>]) -> CronError {
    let whole = match (words.first(), words.last()) {
        (Some((first, _)), Some((last, _))) => first.start..last.end,
        _ => 0..text.len(),
    };
    let five = "write minute, hour, day of the month, month and day of the week, as in `0 3 * * 1-5`";
    if words.len() < 5 {
        let message = match words.len() {
            0 => "a cron expression has five fields, but this one is empty".to_owned(),
            1 => "a cron expression has five fields, but this one has only one".to_owned(),
            n => format!("a cron expression has five fields, but this one has only {n}"),
        };
        return CronError { range: whole, message, help: five.to_owned() };
    }
    // Blanks in a list or in a range make it two fields.
    if let Some((range, word)) =
        words.iter().find(|(_, word)| word.starts_with([',', '-', '/']) || word.ends_with([',', '-', '/']))
    {
        return CronError {
            range: range.clone(),
            message: format!("{} is not a whole field", quote(word)),
            help: "write lists and ranges without blanks, as in `1,2` and `1-5`".to_owned(),
        };
    }
    let fields = |from: usize| {
        let five: Vec<&str> = words.iter().skip(from).take(5).map(|(_, word)| *word).collect();
        quote(&five.join(" "))
    };
    let is_year = |word: &str| word.len() >= 4 && word.as_bytes().iter().take(4).all(u8::is_ascii_digit);
    let at = |n: usize| words.get(n).map_or(whole.clone(), |(range, _)| range.clone());
    match words.len() {
        6 if words.last().is_some_and(|(_, word)| is_year(word)) => CronError {
            range: at(5),
            message: "there is no field for years".to_owned(),
            help: format!("write the five fields {}", fields(0)),
        },
        6 => CronError {
            range: at(0),
            message: "a cron expression has five fields, but this one has 6: there is no field for seconds".to_owned(),
            help: format!("write the five fields {}, from the minute on", fields(1)),
        },
        7 => CronError {
            range: at(0),
            message: "a cron expression has five fields, but this one has 7: there are none for seconds and for years"
                .to_owned(),
            help: format!("write the five fields {}, from the minute to the day of the week", fields(1)),
        },
        n => CronError {
            range: at(5).start..whole.end,
            message: format!("a cron expression has five fields, but this one has {n}"),
            help: five.to_owned(),
        },
    }
}

/// A word that begins with `@` and is none of the five.
pub(super) fn unknown_macro(word: &str) -> Refusal {
    let message = format!("{} is not a schedule", quote(word));
    let lower = word.to_ascii_lowercase();
    let meant = MACROS.iter().find(|name| **name == lower);
    let help = match (meant, lower.as_str()) {
        (Some(name), _) => format!("write `{name}`"),
        (_, "@midnight") => "write `@daily`".to_owned(),
        (_, "@annually") => "write `@yearly`".to_owned(),
        (_, "@reboot") => "a policy knows no reboot; an `event` trigger may be what you want".to_owned(),
        (_, "@every" | "@minutely" | "@every_minute") => {
            "write it in five fields: `*/15 * * * *` is every 15 minutes".to_owned()
        }
        (_, "@weekdays") => "write `0 0 * * 1-5`".to_owned(),
        _ => format!("write one of `{}`, or five fields", MACROS.join("`, `")),
    };
    (message, help)
}

/// Signs that only other tools know.
pub(super) fn foreign(text: &str, field: &Field) -> Option<Refusal> {
    let upper = text.to_ascii_uppercase();
    let named = |item: &str| field.names.iter().any(|name| item.eq_ignore_ascii_case(name));
    // `W` in `wed` and `L` in `jul` are no such signs.
    let has = |sign: char| {
        upper.split([',', '-', '/', '#']).any(|item| item.contains(sign) && !named(item) && is_coded(item))
    };
    if text.contains('?') {
        return Some((
            format!("`?` is no {}", field.name),
            "write `*`; a day field that is exactly `*` restricts nothing".to_owned(),
        ));
    }
    if text.contains('#') {
        return Some((
            "there is no `#` for the nth weekday of a month".to_owned(),
            "write the days of the month, as in `8-14`, or the weekday alone; both together fire on days that fit either"
                .to_owned(),
        ));
    }
    if has('L') {
        return Some((
            "there is no `L` for the last day".to_owned(),
            "write the days as numbers: `28-31` with the months, or `1` for the day after the last".to_owned(),
        ));
    }
    if has('W') {
        return Some((
            "there is no `W` for the nearest working day".to_owned(),
            "write the days of the month as numbers, or `1-5` as day of the week".to_owned(),
        ));
    }
    if upper == "H" || upper.starts_with("H/") || upper.starts_with("H(") {
        return Some((
            "there is no `H` for a time that the tool picks".to_owned(),
            format!("write a number from {} to {}", field.min, field.limit),
        ));
    }
    None
}

/// Whether an upper-case item is made of digits and `L`, `W`, `C` only, as Quartz writes them.
fn is_coded(item: &str) -> bool {
    item.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'L' | b'W'))
}

/// A list with nothing between its commas.
pub(super) fn empty_item(text: &str) -> Refusal {
    let kept: Vec<&str> = text.split(',').filter(|item| !item.is_empty()).collect();
    let help =
        if kept.is_empty() { "write `*` for all".to_owned() } else { format!("write {}", quote(&kept.join(","))) };
    (format!("an item of the list {} is empty", quote(text)), help)
}

/// A `-` that is in no place for one.
pub(super) fn bad_range(item: &str, field: &Field) -> Refusal {
    let message = if item.starts_with('-') && !item.get(1..).unwrap_or_default().contains('-') {
        format!("{} begins with a sign or lacks its beginning", quote(item))
    } else {
        format!("{} is not a range", quote(item))
    };
    (message, format!("write a range as `{}-{}`", field.min, field.max))
}

/// A range that runs backwards. Some tools refuse it, some run over the end of the field, some swap it.
pub(super) fn reversed(
    item: &str,
    (from, first): (u32, &str),
    (to, last): (u32, &str),
    step: Option<u32>,
    field: &Field,
) -> Refusal {
    let week = field.limit > field.max;
    let message = format!("the range {} runs backwards", quote(item));
    if let Some(step) = step {
        let (size, step) = (field.max - field.min + 1, usize::try_from(step).unwrap_or(1).max(1));
        let values: Vec<String> = (from..=to.saturating_add(size))
            .step_by(step)
            .map(|n| (field.min + (n - field.min) % size).to_string())
            .collect();
        return (message, format!("write the values: `{}`", values.join(",")));
    }
    if week && to == 0 {
        let sunday = if first.bytes().all(|byte| byte.is_ascii_digit()) { "7" } else { "sun" };
        return (message, format!("write `{first}-{sunday}`"));
    }
    if week && from == 7 {
        return (message, format!("write `0-{last}`"));
    }
    let named = !first.bytes().all(|byte| byte.is_ascii_digit());
    let end = |n: u32| match field.names.get(usize::try_from(n - field.min).unwrap_or(usize::MAX)) {
        Some(name) if named => (*name).to_owned(),
        _ => n.to_string(),
    };
    let part = |a: String, b: &str| if a.eq_ignore_ascii_case(b) { a } else { format!("{a}-{b}") };
    let upper = part(first.to_owned(), &end(field.max));
    (message, format!("write the two parts: `{upper},{}`", part(end(field.min), last)))
}

/// Something that is neither a number nor a name of the field.
pub(super) fn value(text: &str, item: &str, field: &Field) -> Refusal {
    let message = format!("{} is no {}", quote(if text.is_empty() { item } else { text }), field.name);
    let lower = text.to_ascii_lowercase();
    let full = |names: &[&'static str], longest: &[&str]| {
        names
            .iter()
            .zip(longest)
            .find(|(name, long)| lower.len() > 3 && lower.starts_with(**name) && long.starts_with(&lower))
            .map(|(name, _)| *name)
    };
    let month = full(&MONTHS, &FULL_MONTHS);
    let weekday = full(&WEEKDAYS, &FULL_WEEKDAYS);
    let known = |names: &[&str]| names.contains(&lower.as_str());
    let numbers = format!("write a number from {} to {}", field.min, field.limit);
    let help = match (field.names.first(), month, weekday) {
        (Some(&"jan"), Some(name), _) | (Some(&"sun"), _, Some(name)) => format!("write `{name}`"),
        (Some(&"sun"), ..) if known(&MONTHS) => format!("{} is a month: write it in the fourth field", quote(text)),
        (Some(&"jan"), ..) if known(&WEEKDAYS) => {
            format!("{} is a day of the week: write it in the fifth field", quote(text))
        }
        (Some(_), ..) => format!("{numbers} or one of `{}`", field.names.join("`, `")),
        (None, ..) if text.contains('*') => format!("write `*` alone or with a step, as in `*/2`; or {numbers}"),
        (None, ..) => match FIELDS.iter().position(|other| known(other.names)) {
            Some(place) => {
                format!("{numbers}; names stand in the {} field only", if place == 3 { "fourth" } else { "fifth" })
            }
            None => numbers,
        },
    };
    (message, help)
}

const FULL_MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const FULL_WEEKDAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
