//! Cron expressions in words. The expression has been read by the engine before, so nothing is judged here; what has
//! no short way to say it is said field by field.

use super::words::list;

const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// `0 3 * * 1-5` → "Monday to Friday at 03:00"; `None` if it is no expression of five fields.
pub fn words(expression: &str) -> Option<String> {
    let text = match expression.trim().to_ascii_lowercase().as_str() {
        "@hourly" => "0 * * * *".to_string(),
        "@daily" => "0 0 * * *".to_string(),
        "@weekly" => "0 0 * * 0".to_string(),
        "@monthly" => "0 0 1 * *".to_string(),
        "@yearly" => "0 0 1 1 *".to_string(),
        other => other.to_string(),
    };
    let fields: Vec<&str> = text.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields.as_slice() else { return None };
    let minute = Field::read(minute, 0, 59, |_| None)?;
    let hour = Field::read(hour, 0, 23, |_| None)?;
    let day = Field::read(day, 1, 31, |_| None)?;
    let month = Field::read(month, 1, 12, |word| name(&MONTHS, word).map(|at| at + 1))?;
    let weekday = Field::read(weekday, 0, 7, |word| name(&DAYS, word))?;
    let time = time(&minute, &hour);
    let days = days(&day, &month, &weekday);
    Some(match days {
        None if time.starts_with("every") => time,
        None => format!("every day {time}"),
        Some(days) if time.starts_with("every") => format!("{time}, {days}"),
        Some(days) => format!("{days} {time}"),
    })
}

fn name(names: &[&str], word: &str) -> Option<u32> {
    let at = names.iter().position(|n| n.get(..3).is_some_and(|n| n.eq_ignore_ascii_case(word)))?;
    u32::try_from(at).ok()
}

/// One field: the values it names, in order.
struct Field {
    /// Exactly `*`.
    star: bool,
    /// `*/n`
    step: Option<u32>,
    values: Vec<u32>,
}

impl Field {
    fn read(text: &str, first: u32, last: u32, name: impl Fn(&str) -> Option<u32>) -> Option<Field> {
        let number = |word: &str| word.parse().ok().or_else(|| name(word)).filter(|n| (first..=last).contains(n));
        let mut field = Field { star: text == "*", step: None, values: Vec::new() };
        for part in text.split(',') {
            let (range, step) = match part.split_once('/') {
                Some((range, step)) => (range, step.parse::<u32>().ok().filter(|s| *s > 0)?),
                None => (part, 1),
            };
            let (from, to) = match range.split_once('-') {
                _ if range == "*" => (first, last),
                Some((from, to)) => {
                    let (from, to) = (number(from)?, number(to)?);
                    // `fri-sun` ends in the Sunday that is written 7.
                    (from, if to < from && to == 0 { 7 } else { to })
                }
                None => (number(range)?, number(range)?),
            };
            if range == "*" && text == part && step > 1 {
                field.step = Some(step);
            }
            field.values.extend((from..=to).step_by(usize::try_from(step).ok()?));
        }
        field.values.sort_unstable();
        field.values.dedup();
        Some(field)
    }

    /// `9-17`: its first and last value, if none is left out between them.
    fn range(&self) -> Option<(u32, u32)> {
        let (first, last) = (*self.values.first()?, *self.values.last()?);
        (usize::try_from(last - first).ok()? + 1 == self.values.len()).then_some((first, last))
    }
}

fn time(minute: &Field, hour: &Field) -> String {
    let numbers = |field: &Field| list(field.values.iter().map(ToString::to_string), "and");
    let minutes = match (minute.star, minute.step) {
        (true, _) => Some("every minute".to_string()),
        (false, Some(step)) if 60 % step == 0 => Some(format!("every {step} minutes")),
        _ => None,
    };
    if let Some(minutes) = minutes {
        return match (hour.star, hour.range()) {
            (true, _) => minutes,
            (false, Some((first, last))) => format!("{minutes} from {first:02}:00 to {last:02}:59"),
            (false, None) => format!("{minutes} in the hours {}", numbers(hour)),
        };
    }
    let at = match minute.values.as_slice() {
        [0] => "on the hour".to_string(),
        [_] => format!("at minute {}", numbers(minute)),
        _ => format!("at minutes {}", numbers(minute)),
    };
    match hour.step {
        _ if hour.star => format!("every hour {at}"),
        Some(step) if 24 % step == 0 => match minute.values.as_slice() {
            [0] => format!("every {step} hours"),
            _ => format!("every {step} hours {at}"),
        },
        _ if minute.values.len() * hour.values.len() <= 6 => {
            let times = hour.values.iter().flat_map(|h| minute.values.iter().map(move |m| format!("{h:02}:{m:02}")));
            format!("at {}", list(times, "and"))
        }
        _ => match (minute.values.as_slice(), hour.range()) {
            ([_], Some((first, last))) => format!("every hour {at}, in the hours {first} to {last}"),
            _ => format!("every time {at} in the hours {}", numbers(hour)),
        },
    }
}

/// `None` for every day.
fn days(day: &Field, month: &Field, weekday: &Field) -> Option<String> {
    let weekdays = (!weekday.star).then(|| {
        let mut values: Vec<u32> = weekday.values.iter().map(|day| day % 7).collect();
        // The week begins on Monday here.
        values.sort_by_key(|day| (day + 6) % 7);
        values.dedup();
        let name = |day: &u32| DAYS.get(*day as usize).copied().unwrap_or("?").to_string();
        match (weekday.range(), values.len()) {
            (_, 7) => "every day of the week".to_string(),
            (Some((first, last)), 3..) => format!("{} to {}", name(&(first % 7)), name(&(last % 7))),
            _ => format!("every {}", list(values.iter().map(name), "and")),
        }
    });
    let days = (!day.star).then(|| match (day.range(), day.values.len()) {
        (Some((first, last)), 3..) => format!("on the {} to the {} of the month", nth(first), nth(last)),
        _ => format!("on the {} of the month", list(day.values.iter().map(|d| nth(*d)), "and")),
    });
    let months = (!month.star).then(|| {
        let name = |month: u32| MONTHS.get(month as usize - 1).copied().unwrap_or("?").to_string();
        match (month.range(), month.values.len()) {
            (Some((first, last)), 3..) => format!("from {} to {}", name(first), name(last)),
            _ => format!("in {}", list(month.values.iter().map(|m| name(*m)), "and")),
        }
    });
    let days = match (days, weekdays) {
        (Some(days), Some(weekdays)) => Some(format!("{days} and also {weekdays}")),
        (days, weekdays) => days.or(weekdays),
    };
    match (days, months) {
        (Some(days), Some(months)) => Some(format!("{days} {months}")),
        (None, Some(months)) => Some(format!("every day {months}")),
        (days, None) => days,
    }
}

fn nth(n: u32) -> String {
    let ending = match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{n}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_told_as_one_would_say_them() {
        for (expression, told) in [
            ("0 3 * * *", "every day at 03:00"),
            ("0 3 * * 1-5", "Monday to Friday at 03:00"),
            ("30 9,17 * * MON,thu", "every Monday and Thursday at 09:30 and 17:30"),
            ("* * * * *", "every minute"),
            ("*/15 * * * *", "every 15 minutes"),
            ("*/15 9-17 * * 1-5", "every 15 minutes from 09:00 to 17:59, Monday to Friday"),
            ("0 * * * *", "every hour on the hour"),
            ("5 * * * *", "every hour at minute 5"),
            ("0 */6 * * *", "every 6 hours"),
            ("0 0 1 * *", "on the 1st of the month at 00:00"),
            ("0 0 1,15 * mon", "on the 1st and 15th of the month and also every Monday at 00:00"),
            ("0 0 31 2 *", "on the 31st of the month in February at 00:00"),
            ("0 0 * jun-aug *", "every day from June to August at 00:00"),
            ("0 8 * * fri-sun", "Friday to Sunday at 08:00"),
            ("0 8 * * 0,7", "every Sunday at 08:00"),
            ("0 0-11 * * *", "every hour on the hour, in the hours 0 to 11"),
            ("0,7 1,3,5,9 * * *", "every time at minutes 0 and 7 in the hours 1, 3, 5 and 9"),
            ("@weekly", "every Sunday at 00:00"),
        ] {
            assert_eq!(words(expression).as_deref(), Some(told), "{expression}");
        }
        assert_eq!(words("0 3 * *"), None);
        assert_eq!(words("0 3 * * nope"), None);
    }
}
