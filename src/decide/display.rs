//! A decision as text: what a person wants to read in ten seconds.
//!
//! First the verdict, then what stands in the way and what would change it, then everything else. Whatever a stranger
//! wrote is escaped, so that a comment can neither move the cursor nor forge a line.

use std::fmt;

use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};

use super::decision::{Decision, InvokedBy, Kind, NotCounted, OverrideReport, RuleReport, Status, Step, Told, Verdict};
use super::words::why_not;
use crate::plain::escape;

/// How a decision is rendered as text.
///
/// ```
/// use stagegate::Style;
/// let style = Style { colour: true, ..Style::default() };
/// assert_eq!(style.width, 100);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether to colour with ANSI escape codes. Default no.
    pub colour: bool,
    /// Characters after which a line is broken at a blank; 0 for never. Default 100.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Self {
        Style { colour: false, width: 100 }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(&Style::default()).trim_end())
    }
}

impl Decision {
    /// The decision as text of several lines, each with its line end; [`Display`](fmt::Display) is this with the default
    /// style. Times are in the policy's zone with their offset.
    pub fn render(&self, style: &Style) -> String {
        let mut page = Page { decision: self.told(), style, out: String::new() };
        page.verdict();
        page.in_the_way();
        page.ways_out();
        page.times();
        page.overrides();
        page.other_rules();
        page.remarks();
        page.out
    }

    /// The same decision, with its times printed in another zone. A decision that was read from JSON has none, and
    /// prints them in UTC.
    #[must_use]
    pub fn print_in(mut self, zone: crate::schedule::Zone) -> Decision {
        self.set_zone(zone);
        self
    }

    /// The decision as JSON on one line: what serde makes of it, several times as fast.
    pub fn to_json(&self) -> String {
        match self.telling() {
            Some(telling) => telling.json(),
            // Text, numbers and lists of them: writing these to a string cannot fail.
            None => serde_json::to_string(self).unwrap_or_default(),
        }
    }

    /// The decision as JSON on many lines.
    pub fn to_json_pretty(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

/// SGR codes of ANSI terminals.
#[derive(Clone, Copy)]
enum Paint {
    Bold,
    Dim,
    Green,
    Yellow,
    Red,
}

impl Paint {
    fn code(self) -> &'static str {
        match self {
            Paint::Bold => "1",
            Paint::Dim => "2",
            Paint::Green => "1;32",
            Paint::Yellow => "1;33",
            Paint::Red => "1;31",
        }
    }

    fn of(report: &RuleReport) -> Paint {
        match report.status {
            Status::Unmet if report.kind == Kind::Advise => Paint::Yellow,
            Status::Met => Paint::Green,
            Status::Unmet => Paint::Red,
            Status::Waiting | Status::Awaiting | Status::Unknown | Status::Overridden => Paint::Yellow,
            Status::NotApplicable => Paint::Dim,
        }
    }
}

/// So many names are told before "and 12 more".
const MAX_NAMES: usize = 6;
/// So many ways to unblock are told.
const MAX_WAYS: usize = 5;

struct Page<'a> {
    decision: &'a Told,
    style: &'a Style,
    out: String,
}

impl Page<'_> {
    fn verdict(&mut self) {
        let decision = self.decision;
        let (paint, words) = match decision.verdict {
            Verdict::Allow => (Paint::Green, "may enter"),
            Verdict::Hold => (Paint::Yellow, "may not yet enter"),
            Verdict::Deny => (Paint::Red, "may not enter"),
        };
        let (verdict, stage) = (decision.verdict.as_str().to_uppercase(), escape(&decision.stage));
        let line = format!(
            "{}: build {} {words} {}, at {} ({})",
            self.paint(paint, &verdict),
            self.paint(Paint::Bold, &escape(&decision.build)),
            self.paint(Paint::Bold, &stage),
            self.time(decision.at),
            decision.zone.tz().name()
        );
        self.push(&line);
    }

    /// Every rule that blocks: what forbids before what only delays, else in the order of the policy.
    fn in_the_way(&mut self) {
        let decision = self.decision;
        let blocking = |report: &&RuleReport| decision.blocking.contains(&report.rule) && report.status.blocks();
        let (forbid, delay): (Vec<_>, Vec<_>) =
            decision.rules.iter().filter(blocking).partition(|report| report.status == Status::Unmet);
        if forbid.is_empty() && delay.is_empty() {
            return;
        }
        self.heading("In the way");
        for report in forbid.into_iter().chain(delay) {
            self.blocker(report);
        }
    }

    fn blocker(&mut self, report: &RuleReport) {
        let status = self.paint(Paint::of(report), report.status.as_str());
        let name = self.paint(Paint::Bold, &escape(&report.rule));
        let kind = kind_after(report);
        self.item(2, &format!("{name}{kind} is {status}: {}", escape(&report.detail)));
        if let Some(because) = &report.because {
            self.item(4, &format!("because {}", escape(because)));
        }
        if !report.rejected_by.is_empty() {
            let names = names(&report.rejected_by, "and");
            self.item(4, &format!("rejected by {names}; only they can take it back"));
        } else if let (Some(missing @ 1..), Some(from)) = (report.missing, &report.from) {
            // While a group is not known, nobody can say that nobody is left.
            let unknown = report.facts.iter().any(|fact| fact.starts_with("group "));
            if !unknown {
                self.item(4, &format!("missing: {}", of_whom(missing, from)));
            } else if from.is_empty() {
                self.item(4, &format!("missing: {missing} more"));
            } else {
                self.item(4, &format!("missing: {missing} more, such as {}", names(from, "or")));
            }
        }
        if !report.facts.is_empty() {
            self.item(4, &format!("not known: {}", names(&report.facts, "and")));
        }
        if let Some(until) = report.until {
            self.item(4, &format!("until {}", self.when(until)));
        }
        self.not_counted(&report.not_counted, &report.detail);
    }

    /// Why what someone said does not count, unless that has been told. A reason goes on where the name ends.
    fn not_counted(&mut self, not_counted: &[NotCounted], told: &str) {
        why_not(not_counted.iter().map(|one| (one.by.as_str(), one.reason.as_str())), |line| {
            if !told.contains(line) {
                self.item(4, &escape(line));
            }
        });
    }

    fn ways_out(&mut self) {
        let decision = self.decision;
        let ways: Vec<&Vec<Step>> = decision.unblock.iter().filter(|steps| !steps.is_empty()).collect();
        if ways.is_empty() {
            return;
        }
        self.heading("To unblock");
        for (index, steps) in ways.iter().take(MAX_WAYS).enumerate() {
            let words: Vec<String> = steps.iter().map(|step| self.step(step)).collect();
            let or = if index == 0 { "" } else { "or: " };
            self.item(2, &format!("{or}{}", words.join("; and ")));
        }
        if ways.len() > MAX_WAYS {
            self.item(2, &format!("or one of {} more ways", ways.len() - MAX_WAYS));
        }
    }

    fn step(&self, step: &Step) -> String {
        match step {
            Step::Approve { approve, count, from } => {
                let (who, one) = (of_whom(*count, from), *count == 1);
                format!("{who} {} ({})", if one { "approves" } else { "approve" }, escape(approve))
            }
            Step::Fact { fact } => format!("supply {}", escape(fact)),
            Step::Wait { wait_until } => format!("wait until {}", self.when(*wait_until)),
            Step::Override { name, count, from } => {
                let (who, one) = (of_whom(*count, from), *count == 1);
                format!("{who} {} override {}", if one { "invokes" } else { "invoke" }, escape(name))
            }
        }
    }

    fn times(&mut self) {
        let decision = self.decision;
        let allowed = decision.allowed_at.filter(|_| !decision.verdict.is_allow());
        if allowed.is_none() && decision.valid_until.is_none() {
            return;
        }
        self.out.push('\n');
        if let Some(at) = allowed {
            let line = format!("Allowed at {} if nothing else changes.", self.when(at));
            self.push(&line);
        }
        // When the answer ends because the gate opens, that was just said.
        if let Some(until) = decision.valid_until.filter(|until| allowed != Some(*until)) {
            let line = format!("This answer stands until {}.", self.when(until));
            self.push(&line);
        }
    }

    fn overrides(&mut self) {
        let decision = self.decision;
        if decision.overrides.is_empty() {
            return;
        }
        self.heading("Overrides");
        for report in &decision.overrides {
            self.one_override(report);
        }
    }

    fn one_override(&mut self, report: &OverrideReport) {
        let name = self.paint(Paint::Bold, &escape(&report.name));
        let line = match (report.in_force, report.until) {
            (false, _) => format!("{name} was invoked and is not in force"),
            (true, until) => {
                let skipped = match report.skipped.as_slice() {
                    [] => "skips nothing that stands in the way".to_string(),
                    rules => format!("skips {}", names(rules, "and")),
                };
                let until = until.map(|until| format!(", until {}", self.when(until))).unwrap_or_default();
                format!("{name} {} and {skipped}{until}", self.paint(Paint::Yellow, "is in force"))
            }
        };
        self.item(2, &line);
        if let Some(because) = &report.because {
            self.item(4, &format!("because {}", escape(because)));
        }
        for InvokedBy { by, at, reason } in &report.by {
            let reason = match reason {
                Some(reason) => format!(": {}", escape(reason)),
                None => ", no reason given".to_string(),
            };
            self.item(4, &format!("by {} at {}{reason}", escape(by), self.time(*at)));
        }
        self.not_counted(&report.not_counted, "");
    }

    /// The rules that do not block, in a table.
    fn other_rules(&mut self) {
        let decision = self.decision;
        let others: Vec<&RuleReport> = decision
            .rules
            .iter()
            .filter(|report| !(decision.blocking.contains(&report.rule) && report.status.blocks()))
            .collect();
        if others.is_empty() {
            return;
        }
        self.heading(if others.len() == decision.rules.len() { "Rules" } else { "Other rules" });
        let status_width = others.iter().map(|r| mark(r).chars().count()).max().unwrap_or(0);
        let name_width = others.iter().map(|r| escape(&r.rule).chars().count()).max().unwrap_or(0).min(24);
        for report in others {
            let status = self.paint(Paint::of(report), &format!("{:status_width$}", mark(report)));
            let line = format!("{status}  {:name_width$}  {}", escape(&report.rule), escape(&report.detail));
            self.item_hanging(2, status_width + name_width + 6, line.trim_end());
            if let (Kind::Advise, true, Some(because)) = (report.kind, report.status.blocks(), &report.because) {
                self.item(status_width + name_width + 6, &format!("because {}", escape(because)));
            }
        }
    }

    fn remarks(&mut self) {
        let decision = self.decision;
        if !decision.warnings.is_empty() {
            self.heading("Warnings");
            for warning in &decision.warnings {
                self.item(2, &escape(warning));
            }
        }
        if !decision.ignored_facts.is_empty() {
            self.out.push('\n');
            let line = format!("Ignored facts: {}", names(&decision.ignored_facts, "and"));
            self.push(&line);
        }
    }

    // ------------------------------------------------------------ times

    /// An instant and how far off it is: `Wed 2026-03-04 13:20 -08:00 (in 3h 20m)`.
    fn when(&self, at: DateTime<Utc>) -> String {
        format!("{} ({})", self.time(at), relative(at.signed_duration_since(self.decision.at)))
    }

    /// `Wed 2026-03-04 13:20 -08:00`; seconds only where there are some.
    fn time(&self, at: DateTime<Utc>) -> String {
        // A decision read from JSON can hold any instant, and chrono panics on a local time off its calendar.
        if !(0..=9999).contains(&at.year()) {
            return at.to_rfc3339();
        }
        let local = self.decision.zone.at(at);
        let clock = match (local.second(), local.nanosecond()) {
            (0, 0) => "%H:%M",
            (_, 0) => "%H:%M:%S",
            _ => "%H:%M:%S%.f",
        };
        local.format(&format!("%a %Y-%m-%d {clock} %:z")).to_string()
    }

    // ------------------------------------------------------------ lines

    fn paint(&self, paint: Paint, text: &str) -> String {
        if self.style.colour { format!("\x1b[{}m{text}\x1b[0m", paint.code()) } else { text.to_string() }
    }

    fn heading(&mut self, text: &str) {
        self.out.push('\n');
        let line = self.paint(Paint::Bold, text);
        self.push(&line);
    }

    fn push(&mut self, line: &str) {
        self.item(0, line);
    }

    /// A line, and what does not fit on it further in.
    fn item(&mut self, indent: usize, line: &str) {
        self.item_hanging(indent, indent + 2, line);
    }

    fn item_hanging(&mut self, indent: usize, hanging: usize, line: &str) {
        let width = match self.style.width {
            0 => usize::MAX,
            // Narrower than this nothing can be read.
            width => width.max(hanging + 20),
        };
        self.out.extend(std::iter::repeat_n(' ', indent));
        let mut column = indent;
        let mut blanks = 0;
        for word in line.split(' ') {
            let length = visible(word);
            if column > hanging.max(indent) && column.saturating_add(blanks).saturating_add(length) > width {
                self.out.push('\n');
                self.out.extend(std::iter::repeat_n(' ', hanging));
                column = hanging;
                blanks = 0;
            }
            self.out.extend(std::iter::repeat_n(' ', blanks));
            self.out.push_str(word);
            column += blanks + length;
            blanks = 1;
        }
        self.out.push('\n');
    }
}

/// Characters that take a place on the screen: all but our own colour codes (others are escaped before).
fn visible(word: &str) -> usize {
    let mut count = 0;
    let mut in_code = false;
    for c in word.chars() {
        match c {
            '\x1b' => in_code = true,
            'm' if in_code => in_code = false,
            _ if in_code => {}
            _ => count += 1,
        }
    }
    count
}

/// How a rule stands, as the table of the other rules says it.
fn mark(report: &RuleReport) -> String {
    match (report.kind, report.status) {
        (Kind::Advise, status) if status.blocks() => format!("advice {status}"),
        (_, Status::Overridden) => match &report.overridden_by {
            Some(name) => format!("overridden by {}", escape(name)),
            None => "overridden".to_string(),
        },
        (_, status) => status.to_string(),
    }
}

/// The kind of a rule, unless its name says it.
fn kind_after(report: &RuleReport) -> String {
    let kind = report.kind.as_str();
    if report.rule.starts_with(kind) { String::new() } else { format!(" ({kind})") }
}

/// `tim and andy`, when all of them are needed; `tim or andy` when it takes one; else `2 of tim, andy or lee`.
fn of_whom(count: u32, from: &[String]) -> String {
    match (count as usize, from.len()) {
        (count, 0) => format!("{count} more, and nobody is left who could"),
        (count, people) if count == people => names(from, "and"),
        (count, people) if count > people => format!("{count} more, and only {} could", names(from, "and")),
        (1, _) => names(from, "or"),
        (count, _) => format!("{count} of {}", names(from, "or")),
    }
}

/// `a, b and c`; of many the first few, then `and 12 more`.
fn names(names: &[String], word: &str) -> String {
    let shown: Vec<_> = names.iter().take(MAX_NAMES).map(|name| escape(name)).collect();
    let more = names.len().saturating_sub(shown.len());
    match (shown.split_last(), more) {
        (None, _) => "nobody".to_string(),
        (Some(_), 1..) => format!("{} {word} {more} more", shown.join(", ")),
        (Some((last, [])), 0) => last.to_string(),
        (Some((last, rest)), 0) => format!("{} {word} {last}", rest.join(", ")),
    }
}

/// `in 3h 20m`, `2d ago`: the two largest units.
fn relative(distance: TimeDelta) -> String {
    let seconds = distance.num_seconds();
    let total = seconds.unsigned_abs();
    let units = [(total / 86_400, "d"), (total / 3_600 % 24, "h"), (total / 60 % 60, "m"), (total % 60, "s")];
    let first = units.iter().position(|(count, _)| *count > 0);
    let words: Vec<String> = match first {
        None => return "now".to_string(),
        Some(first) => {
            { units.iter().skip(first).take(2).filter(|(count, _)| *count > 0).map(|(n, unit)| format!("{n}{unit}")) }
                .collect()
        }
    };
    let words = words.join(" ");
    if seconds < 0 { format!("{words} ago") } else { format!("in {words}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_told_in_two_units() {
        for (seconds, words) in [
            (0, "now"),
            (45, "in 45s"),
            (12_000, "in 3h 20m"),
            (12_001, "in 3h 20m"),
            (3_600, "in 1h"),
            (187_200, "in 2d 4h"),
            (172_860, "in 2d"),
            (-90, "1m 30s ago"),
        ] {
            assert_eq!(relative(TimeDelta::seconds(seconds)), words);
        }
    }

    #[test]
    fn people_are_told_as_in_a_sentence() {
        let people: Vec<String> = ["tim", "andy", "lee"].map(String::from).into();
        assert_eq!(of_whom(3, &people), "tim, andy and lee");
        assert_eq!(of_whom(2, &people), "2 of tim, andy or lee");
        assert_eq!(of_whom(1, &people), "tim, andy or lee");
        assert_eq!(of_whom(1, &[]), "1 more, and nobody is left who could");
        let many: Vec<String> = (0..20).map(|i| format!("p{i}")).collect();
        assert_eq!(of_whom(2, &many), "2 of p0, p1, p2, p3, p4, p5 or 14 more");
    }
}
