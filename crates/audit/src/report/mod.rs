//! The report: what a log says of a stretch of time, as one page for people.
//!
//! The numbers are gathered here; [`Report::html`] draws them. A **promotion** is the first allow of a build into a stage;
//! asking again later does not count again, nor do redeploys and rollbacks. The **lead time** of a build is from its first
//! allow into one stage to its first allow into another, at whatever time the former was; the median and the 90th
//! percentile are by nearest rank: the smallest lead time that at least half, or nine tenths, of the builds did not exceed.

mod html;
mod svg;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, TimeDelta, Utc};
use serde::Deserialize;
use stagegate::schedule::Zone;

use crate::{Id, Log, LogError};

/// What the report is about.
#[derive(Clone, Debug)]
#[must_use]
pub struct ReportOptions {
    since: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
    zone: Zone,
    from: String,
    to: String,
}

impl Default for ReportOptions {
    fn default() -> ReportOptions {
        ReportOptions { since: None, until: None, zone: Zone::UTC, from: "Dev".into(), to: "Staging".into() }
    }
}

impl ReportOptions {
    /// The whole log, in UTC, with the lead time from Dev to Staging.
    pub fn new() -> ReportOptions {
        ReportOptions::default()
    }

    /// Only what was decided for this instant or later.
    pub fn since(mut self, at: Option<DateTime<Utc>>) -> ReportOptions {
        self.since = at;
        self
    }

    /// Only what was decided for an earlier instant.
    pub fn until(mut self, at: Option<DateTime<Utc>>) -> ReportOptions {
        self.until = at;
        self
    }

    /// The zone of weeks and of the times that are printed.
    pub fn zone(mut self, zone: Zone) -> ReportOptions {
        self.zone = zone;
        self
    }

    /// The stages that lead times are measured between.
    pub fn lead(mut self, from: impl Into<String>, to: impl Into<String>) -> ReportOptions {
        self.from = from.into();
        self.to = to.into();
        self
    }
}

/// Weeks, or months where there would be too many weeks to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Week,
    Month,
}

/// So many weeks are drawn one by one.
const MOST_WEEKS: i64 = 106;

/// What a log says of a stretch of time.
#[derive(Clone, Debug)]
pub struct Report {
    origin: String,
    options: ReportOptions,
    /// Decisions: allow, hold, deny.
    verdicts: [u64; 3],
    /// The first and the last instant decided for.
    span: Option<(DateTime<Utc>, DateTime<Utc>)>,
    step: Step,
    /// The first day of each step from the first to the last.
    steps: Vec<NaiveDate>,
    /// Stages, those with the most promotions first, with how many in each step.
    promotions: Vec<(String, Vec<u64>)>,
    /// Rules that kept builds out, the most frequent first.
    reasons: Vec<Reason>,
    /// Lead times in seconds, the shortest first.
    leads: Vec<i64>,
    /// Overrides in force, the newest first.
    overrides: Vec<Override>,
}

/// A rule of a stage that kept builds out.
#[derive(Clone, Debug)]
struct Reason {
    rule: String,
    stage: String,
    held: u64,
    denied: u64,
}

/// An override that was in force in a decision.
#[derive(Clone, Debug)]
struct Override {
    id: Id,
    name: String,
    at: DateTime<Utc>,
    stage: String,
    build: String,
    verdict: &'static str,
    skipped: Vec<String>,
    invoked: Vec<Invoked>,
    reviews: Vec<(String, String)>,
}

#[derive(Clone, Debug, Deserialize)]
struct Invoked {
    by: String,
    reason: Option<String>,
}

impl Log {
    /// Gathers the report.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn report(&self, options: &ReportOptions) -> Result<Report, LogError> {
        let nanos = |at: Option<DateTime<Utc>>, end| at.map_or(end, crate::query::nanos);
        let (since, until) = (nanos(options.since, i64::MIN), nanos(options.until, i64::MAX));
        let origin = self.origin()?;
        self.with_connection(|log| {
            let mut report = Report {
                origin,
                options: options.clone(),
                verdicts: [0; 3],
                span: None,
                step: Step::Week,
                steps: Vec::new(),
                promotions: Vec::new(),
                reasons: Vec::new(),
                leads: Vec::new(),
                overrides: Vec::new(),
            };
            // Both in one look at the log, whatever is appended meanwhile.
            let log = log.unchecked_transaction()?;
            report.totals(&log, since, until)?;
            report.firsts(&log, since, until)?;
            report.reasons(&log, since, until)?;
            report.overrides(&log, since, until)?;
            Ok(report)
        })
    }
}

type Sqlite<T> = rusqlite::Result<T>;

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

impl Report {
    /// How many decisions it is about.
    pub fn decisions(&self) -> u64 {
        self.verdicts.iter().sum()
    }

    /// How many overrides were in force, and how many of these decisions nobody has reviewed.
    pub fn overridden(&self) -> (usize, usize) {
        (self.overrides.len(), self.overrides.iter().filter(|one| one.reviews.is_empty()).count())
    }

    fn totals(&mut self, log: &rusqlite::Connection, since: i64, until: i64) -> Sqlite<()> {
        let sql =
            "SELECT verdict, count(*), min(at), max(at) FROM decision WHERE at >= ?1 AND at < ?2 GROUP BY verdict";
        let mut found = log.prepare(sql)?;
        let mut rows = found.query([since, until])?;
        while let Some(row) = rows.next()? {
            let (verdict, number, first, last): (i64, i64, i64, i64) =
                (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            if let Some(place) = usize::try_from(verdict).ok().and_then(|verdict| self.verdicts.get_mut(verdict)) {
                *place = count(number);
            }
            let (first, last) = (DateTime::from_timestamp_nanos(first), DateTime::from_timestamp_nanos(last));
            self.span = Some(self.span.map_or((first, last), |(a, b)| (a.min(first), b.max(last))));
        }
        if let Some((first, last)) = self.span {
            let (first, last) = (self.day(first), self.day(last));
            if (last - first).num_weeks() > MOST_WEEKS {
                self.step = Step::Month;
            }
            let mut at = self.step.start(first);
            while at <= last {
                self.steps.push(at);
                match self.step.next(at) {
                    Some(next) => at = next,
                    None => break,
                }
            }
        }
        Ok(())
    }

    fn day(&self, at: DateTime<Utc>) -> NaiveDate {
        self.options.zone.at(at).date_naive()
    }

    /// Which step an instant lies in.
    fn step_of(&self, at: DateTime<Utc>) -> Option<usize> {
        self.steps.binary_search(&self.step.start(self.day(at))).ok()
    }

    /// Promotions and lead times.
    fn firsts(&mut self, log: &rusqlite::Connection, since: i64, until: i64) -> Sqlite<()> {
        let sql = "SELECT f.build, f.at, w.text FROM \
                   (SELECT stage, build, min(at) AS at FROM decision WHERE verdict = 0 AND action = 0 GROUP BY stage, build) f \
                   JOIN word w ON w.id = f.stage WHERE f.at < ?1";
        let mut stages: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        let mut lead: HashMap<String, (Option<i64>, Option<i64>)> = HashMap::new();
        let mut found = log.prepare(sql)?;
        let mut rows = found.query([until])?;
        while let Some(row) = rows.next()? {
            let (build, at, stage): (String, i64, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if at >= since
                && let Some(step) = self.step_of(DateTime::from_timestamp_nanos(at))
            {
                let counts = stages.entry(stage.clone()).or_insert_with(|| vec![0; self.steps.len()]);
                if let Some(count) = counts.get_mut(step) {
                    *count += 1;
                }
            }
            if stage == self.options.from {
                lead.entry(build).or_default().0 = Some(at);
            } else if stage == self.options.to && at >= since {
                lead.entry(build).or_default().1 = Some(at);
            }
        }
        self.promotions = stages.into_iter().collect();
        self.promotions.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.iter().sum::<u64>()));
        let both = lead.into_values().filter_map(|(from, to)| Some((from?, to?)));
        self.leads = both.filter(|(from, to)| from <= to).map(|(from, to)| (to - from) / 1_000_000_000).collect();
        self.leads.sort_unstable();
        Ok(())
    }

    fn reasons(&mut self, log: &rusqlite::Connection, since: i64, until: i64) -> Sqlite<()> {
        let sql = "SELECT r.text, s.text, c.held, c.denied FROM \
                   (SELECT r.rule, d.stage, sum(d.verdict = 1) AS held, sum(d.verdict = 2) AS denied \
                   FROM rule r JOIN decision d ON d.seq = r.seq \
                   WHERE r.blocking = 1 AND d.at >= ?1 AND d.at < ?2 GROUP BY r.rule, d.stage) c \
                   JOIN word r ON r.id = c.rule JOIN word s ON s.id = c.stage \
                   ORDER BY c.held + c.denied DESC, 1, 2";
        let mut found = log.prepare(sql)?;
        let rows = found.query_map([since, until], |row| {
            let (held, denied): (i64, i64) = (row.get(2)?, row.get(3)?);
            Ok(Reason { rule: row.get(0)?, stage: row.get(1)?, held: count(held), denied: count(denied) })
        })?;
        self.reasons = rows.collect::<Sqlite<_>>()?;
        Ok(())
    }

    fn overrides(&mut self, log: &rusqlite::Connection, since: i64, until: i64) -> Sqlite<()> {
        let mut reviews: HashMap<i64, Vec<(String, String)>> = HashMap::new();
        let mut found =
            log.prepare("SELECT v.\"of\", w.text, v.note FROM review v JOIN word w ON w.id = v.\"by\" ORDER BY v.seq")?;
        let mut rows = found.query([])?;
        while let Some(row) = rows.next()? {
            reviews.entry(row.get(0)?).or_default().push((row.get(1)?, row.get(2)?));
        }
        let sql = "SELECT o.seq, e.id, n.text, d.at, s.text, d.build, d.verdict, o.skipped, o.invoked FROM override o \
                   JOIN decision d ON d.seq = o.seq JOIN entry e ON e.seq = o.seq JOIN word n ON n.id = o.name \
                   JOIN word s ON s.id = d.stage \
                   WHERE o.in_force = 1 AND d.at >= ?1 AND d.at < ?2 ORDER BY d.at DESC, o.seq DESC, n.text";
        let mut found = log.prepare(sql)?;
        let mut rows = found.query([since, until])?;
        while let Some(row) = rows.next()? {
            let (seq, id, at, verdict): (i64, [u8; 16], i64, i64) =
                (row.get(0)?, row.get(1)?, row.get(3)?, row.get(6)?);
            let (skipped, invoked): (String, String) = (row.get(7)?, row.get(8)?);
            self.overrides.push(Override {
                id: Id::from_bytes(id),
                name: row.get(2)?,
                at: DateTime::from_timestamp_nanos(at),
                stage: row.get(4)?,
                build: row.get(5)?,
                verdict: ["allow", "hold", "deny"].get(usize::try_from(verdict).unwrap_or(9)).copied().unwrap_or("?"),
                skipped: serde_json::from_str(&skipped).unwrap_or_default(),
                invoked: serde_json::from_str(&invoked).unwrap_or_default(),
                reviews: reviews.get(&seq).cloned().unwrap_or_default(),
            });
        }
        Ok(())
    }

    /// The lead time that so many hundredths of the builds did not exceed, by nearest rank.
    fn percentile(&self, percent: usize) -> Option<TimeDelta> {
        let rank = (self.leads.len() * percent).div_ceil(100).max(1);
        self.leads.get(rank - 1).map(|seconds| TimeDelta::seconds(*seconds))
    }
}

impl Step {
    /// The Monday of the week, or the first of the month.
    fn start(self, day: NaiveDate) -> NaiveDate {
        match self {
            Step::Week => day.checked_sub_days(Days::new(u64::from(day.weekday().num_days_from_monday()))),
            Step::Month => day.with_day(1),
        }
        .unwrap_or(day)
    }

    fn next(self, day: NaiveDate) -> Option<NaiveDate> {
        match self {
            Step::Week => day.checked_add_days(Days::new(7)),
            Step::Month => day.checked_add_months(Months::new(1)),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Step::Week => "week",
            Step::Month => "month",
        }
    }
}
