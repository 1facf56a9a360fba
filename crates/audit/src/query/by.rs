//! What decisions are counted by.

use chrono::{DateTime, Datelike, Utc};
use stagegate::Value;
use stagegate::diagnostic::{Diagnostic, Sources};
use stagegate::schedule::Zone;

use super::error::{QueryError, code};
use super::fields::{Field, Known, Row, Val};
use super::{check, limits, parse};

/// Something that decisions are counted by: a field, a fact, or the day, week or month of the instant decided for.
///
/// A decision counts once for each element of a set, such as `approvers`; one of an empty set counts for "none".
#[derive(Clone, Debug, PartialEq)]
pub struct By(pub(super) ByKind);

#[derive(Clone, Debug, PartialEq)]
pub(super) enum ByKind {
    Unit(Unit, Zone),
    Field(Field),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Day,
    Week,
    Month,
}

/// How many decisions have the same values in what they were counted by.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Group {
    /// The values, in the order asked for; `None` where there is none.
    pub keys: Vec<Option<String>>,
    /// How many decisions.
    pub count: u64,
}

impl By {
    /// Reads `day`, `week`, `month` (of the zone), or the name of a field.
    ///
    /// # Errors
    /// When there is no such field.
    pub fn parse(text: &str, zone: Zone) -> Result<By, QueryError> {
        let unit = match text {
            "day" => Some(Unit::Day),
            "week" => Some(Unit::Week),
            "month" => Some(Unit::Month),
            _ => None,
        };
        if let Some(unit) = unit {
            return Ok(By(ByKind::Unit(unit, zone)));
        }
        let mut sources = Sources::default();
        let id = sources.add("--by", text);
        let field = parse::path(text, id).and_then(|path| {
            let field = check::field(&path, text, &limits())?;
            if field == Field::Known(Known::At) {
                let told = Diagnostic::new(code("E0302"), path.span, "hardly two decisions are of the same instant");
                return Err(vec![told.help("write `day`, `week` or `month`")]);
            }
            Ok(field)
        });
        match field {
            Ok(field) => Ok(By(ByKind::Field(field))),
            Err(wrong) => Err(QueryError::new(wrong, sources)),
        }
    }

    /// Its name, for a heading.
    pub fn name(&self) -> String {
        match &self.0 {
            ByKind::Unit(Unit::Day, _) => "day".into(),
            ByKind::Unit(Unit::Week, _) => "week".into(),
            ByKind::Unit(Unit::Month, _) => "month".into(),
            ByKind::Field(field) => field.name(),
        }
    }

    /// Whether it is a stretch of time.
    pub(super) fn is_time(&self) -> bool {
        matches!(self.0, ByKind::Unit(..))
    }

    /// The values that a record counts for; at least one.
    pub(super) fn keys(&self, row: Row<'_>) -> Vec<Option<String>> {
        match &self.0 {
            ByKind::Unit(unit, zone) => vec![Some(unit.of(*zone, row.record.decision.at()))],
            // As it is written, which the value may not be.
            ByKind::Field(Field::Known(Known::BuildVersion)) => vec![row.record.request.build.version.clone()],
            ByKind::Field(field) => match row.value(field) {
                Val::Set(items) => none_or(items.into_iter().map(|item| Some(item.to_string())).collect()),
                Val::Fact(Value::List(items)) => {
                    let mut keys: Vec<Option<String>> = items.iter().map(plain_value).collect();
                    keys.sort();
                    keys.dedup();
                    none_or(keys)
                }
                other => vec![shown(&other)],
            },
        }
    }
}

fn none_or(keys: Vec<Option<String>>) -> Vec<Option<String>> {
    if keys.is_empty() { vec![None] } else { keys }
}

/// A value as a key.
pub(super) fn shown(value: &Val<'_>) -> Option<String> {
    match value {
        Val::Missing => None,
        Val::Withheld => Some("(withheld)".into()),
        Val::Bool(value) => Some(value.to_string()),
        Val::Number(number) => Some(number.to_string()),
        Val::Text(text) | Val::Word(text) => Some((*text).to_string()),
        Val::Own(text) => Some(text.clone()),
        Val::Time(at) => Some(rfc3339(*at)),
        Val::Duration(length) => Some(format!("{}s", length / 1_000_000_000)),
        Val::Version(version) => Some(version.to_string()),
        Val::Set(items) => Some(items.join(", ")),
        Val::Fact(value) => plain_value(value),
    }
}

fn plain_value(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        Value::Time(at) => Some(at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)),
        Value::List(_) | Value::Map(_) => serde_json::to_string(value).ok(),
    }
}

fn rfc3339(nanos: i64) -> String {
    DateTime::from_timestamp_nanos(nanos).to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

impl Unit {
    /// `2026-03-04`, `2026-W10` (ISO 8601: weeks begin on Monday), `2026-03`.
    pub fn of(self, zone: Zone, at: DateTime<Utc>) -> String {
        let local = zone.at(at);
        match self {
            Unit::Day => local.format("%Y-%m-%d").to_string(),
            Unit::Week => {
                let week = local.iso_week();
                format!("{:04}-W{:02}", week.year(), week.week())
            }
            Unit::Month => local.format("%Y-%m").to_string(),
        }
    }
}

/// Seconds in which no day of the zone begins but at their start: offsets are whole quarters of an hour, but that of
/// Monrovia until 1972, which is of half minutes, and that of Kiritimati until 1979, which is of 20 minutes.
pub(super) fn grain(zone: Zone) -> i64 {
    match zone.tz().name() {
        "UTC" => 86_400,
        "Africa/Monrovia" | "Liberia" => 30,
        "Pacific/Kiritimati" => 300,
        _ => 900,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Offset;

    /// Every change of the clock of every zone keeps to the grain.
    #[test]
    fn days_begin_where_the_grain_does() {
        for name in Zone::names() {
            let Some(zone) = Zone::parse(name) else { continue };
            let grain = grain(zone);
            // Every ten days from 1970 to 2100: rules of daylight saving last for weeks.
            for day in (0..47_500).step_by(10) {
                let at = DateTime::from_timestamp(day * 86_400, 0).unwrap_or_default();
                let offset = i64::from(zone.at(at).offset().fix().local_minus_utc());
                assert_eq!(offset % grain, 0, "{name} {at}");
            }
        }
    }
}
