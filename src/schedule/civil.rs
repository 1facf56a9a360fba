//! Days of the calendar as numbers: 0 is 1970-01-01. After Howard Hinnant's `days_from_civil` and `civil_from_days`.

/// Seconds of a day.
pub(crate) const DAY: i64 = 86_400;

/// The number of a day; `day` may lie outside its month.
pub(crate) fn days(year: i64, month: u32, day: i64) -> i64 {
    let month = i64::from(month);
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of the number of a day.
pub(crate) fn date(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + i64::from(month <= 2);
    (year, u32::try_from(month).unwrap_or(1), u32::try_from(day).unwrap_or(1))
}

/// The weekday of the number of a day: 0 is Monday.
pub(crate) fn weekday(days: i64) -> i64 {
    (days + 3).rem_euclid(7)
}

/// How many days a month has.
pub(crate) fn month_length(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use chrono::{Datelike, NaiveDate};

    #[test]
    fn days_and_dates_agree_with_chrono_from_1969_to_2202() {
        let mut day = NaiveDate::from_ymd_opt(1969, 1, 1).unwrap();
        while day.year() < 2203 {
            let number = i64::from(day.num_days_from_ce()) - 719_163;
            let (year, month, of_month) = (i64::from(day.year()), day.month(), day.day());
            assert_eq!(days(year, month, i64::from(of_month)), number);
            assert_eq!(date(number), (year, month, of_month));
            assert_eq!(weekday(number), i64::from(day.weekday().num_days_from_monday()));
            let next = day.succ_opt().unwrap();
            assert_eq!(next.day() == 1, month_length(year, month) == of_month, "{day}");
            day = next;
        }
    }
}
