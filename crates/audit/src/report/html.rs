//! The report as one page: no script, nothing from elsewhere, and whatever a stranger wrote is text.

use std::fmt::Write;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::svg::{Column, bar, columns};
use super::{Override, Report, Step};

const STYLE: &str = include_str!("style.css");

/// More stages are told in numbers, not drawn.
const MOST_STAGES: usize = 12;
/// More rules are not told.
const MOST_REASONS: usize = 20;
/// More overrides are not listed; the log is there to be asked.
const MOST_OVERRIDES: usize = 200;

/// Text of a stranger as text of a page: nothing in it is markup, moves a cursor or turns the order of reading.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}' => {
                out.extend(c.escape_default());
            }
            c if c.is_control() => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out
}

/// `1,234,567`
fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn plural(count: u64, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{} {word}s", number(count)) }
}

/// `2d 3h`: the two largest units.
fn length(time: TimeDelta) -> String {
    let seconds = time.num_seconds().max(0);
    let units = [(seconds / 86_400, "d"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let first = units.iter().position(|(n, _)| *n > 0).unwrap_or(3);
    let words = units.iter().skip(first).take(2).enumerate().filter(|(i, (n, _))| *i == 0 || *n > 0);
    words.map(|(_, (n, unit))| format!("{n}{unit}")).collect::<Vec<_>>().join(" ")
}

/// Lead times up to so many seconds, in words; the last has no bound.
const BUCKETS: [(i64, &str); 9] = [
    (3_600, "≤1h"),
    (4 * 3_600, "4h"),
    (12 * 3_600, "12h"),
    (24 * 3_600, "1d"),
    (2 * 86_400, "2d"),
    (4 * 86_400, "4d"),
    (7 * 86_400, "1w"),
    (14 * 86_400, "2w"),
    (i64::MAX, ">2w"),
];

impl Report {
    /// The page.
    pub fn html(&self) -> String {
        let mut out = String::with_capacity(64 << 10);
        let stretch = self.stretch();
        let title = stretch.as_ref().map_or("Promotions".to_string(), |stretch| format!("Promotions: {stretch}"));
        let said = stretch.as_ref().map_or(String::new(), |stretch| format!("{stretch}."));
        let _ = write!(
            out,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n",
            escape(&title)
        );
        let _ = write!(
            out,
            "<h1>Promotions</h1>\n<p class=\"note\">{} Log <code>{}</code>; times are {}.</p>\n",
            escape(&said),
            escape(&self.origin),
            escape(self.options.zone.tz().name())
        );
        if self.decisions() == 0 {
            let when = if stretch.is_some() { " for this time" } else { "" };
            let _ = writeln!(out, "<p>No decision was recorded{when}.</p>");
        } else {
            self.tiles(&mut out);
            self.promoted(&mut out);
            self.held(&mut out);
            self.lead(&mut out);
            self.overridden_by(&mut out);
        }
        let _ = write!(
            out,
            "<footer>Made by stagegate {} from the decision log.</footer>\n</main>\n</body>\n</html>\n",
            escape(stagegate::VERSION)
        );
        out
    }

    /// `2026-01-01 to 2026-03-31`: from the first decision to the last, or what was asked for, if there is none.
    fn stretch(&self) -> Option<String> {
        let since = self.options.since;
        // It is the end, which is not in it.
        let until = self.options.until.and_then(|until| until.checked_sub_signed(TimeDelta::nanoseconds(1)));
        let (first, last) = match self.span {
            Some((first, last)) => (self.day(first), self.day(last)),
            None => match (since.map(|at| self.day(at)), until.map(|at| self.day(at))) {
                (None, None) => return None,
                (Some(since), None) => return Some(format!("Since {since}")),
                (None, Some(until)) => return Some(format!("Until {until}")),
                (Some(since), Some(until)) => (since, until),
            },
        };
        Some(if first == last { first.to_string() } else { format!("{first} to {last}") })
    }

    fn time(&self, at: DateTime<Utc>) -> String {
        self.options.zone.at(at).format("%Y-%m-%d %H:%M").to_string()
    }

    fn tiles(&self, out: &mut String) {
        let [allow, hold, deny] = self.verdicts;
        let promotions: u64 = self.promotions.iter().flat_map(|(_, counts)| counts).sum();
        let (overrides, open) = self.overridden();
        let mut tile = |class: &str, value: String, says: &str| {
            let _ = writeln!(out, "<div class=\"tile{class}\"><b>{value}</b><span>{says}</span></div>");
        };
        tile(" first", number(self.decisions()), "decisions");
        tile("", number(promotions), "promotions");
        tile("", number(allow), "allow");
        tile("", number(hold), "hold");
        tile("", number(deny), "deny");
        let median = self.percentile(50).map_or("–".into(), length);
        tile("", median, "median lead time");
        tile("", number(overrides as u64), "decisions with an override");
        tile(if open > 0 { " open" } else { "" }, number(open as u64), "of these not reviewed");
        let start = out.find("<div class=\"tile first\">").unwrap_or(out.len());
        out.insert_str(start, "<div class=\"tiles\">\n");
        out.push_str("</div>\n");
    }

    fn label(&self, day: NaiveDate) -> String {
        // The year where it helps.
        let many_years = self.steps.first().zip(self.steps.last()).is_some_and(|(a, b)| (*b - *a).num_days() > 400);
        match (self.step, many_years) {
            (Step::Week, false) => day.format("%b %-d").to_string(),
            (Step::Week, true) => day.format("%b %-d, %y").to_string(),
            (Step::Month, _) => day.format("%b %Y").to_string(),
        }
    }

    fn title(&self, day: NaiveDate) -> String {
        match self.step {
            Step::Week => format!("Week of {day}"),
            Step::Month => day.format("%B %Y").to_string(),
        }
    }

    fn promoted(&self, out: &mut String) {
        let word = self.step.word();
        let _ = write!(
            out,
            "<h2>Promotions a stage and {word}</h2>\n<p class=\"note\">A build counts once a stage, in the {word} of its \
             first allow there. Redeploys and rollbacks do not count.</p>\n"
        );
        for (stage, counts) in self.promotions.iter().take(MOST_STAGES) {
            let total: u64 = counts.iter().sum();
            let columns: Vec<Column> =
                self.steps.iter().zip(counts).map(|(day, count)| self.column(*day, &[("allow", *count)])).collect();
            let says = format!("{} into {stage}, a column a {word}", plural(total, "promotion"));
            let _ = write!(
                out,
                "<figure>\n<h3><bdi>{}</bdi><span>{}</span></h3>\n{}</figure>\n",
                escape(stage),
                plural(total, "promotion"),
                super::svg::columns(&says, &columns, 56, false)
            );
        }
        if self.promotions.len() > MOST_STAGES {
            let more = self.promotions.len() - MOST_STAGES;
            let _ = writeln!(
                out,
                "<p class=\"note\">{} more with fewer promotions are in the table.</p>",
                plural(more as u64, "stage")
            );
        }
        if self.promotions.is_empty() {
            out.push_str("<p>Nothing was promoted.</p>\n");
            return;
        }
        let heads: Vec<&str> = self.promotions.iter().map(|(stage, _)| stage.as_str()).collect();
        let _ = write!(
            out,
            "<details><summary>The numbers</summary><div class=\"wide\"><table><thead><tr><th>{}</th>",
            self.step.word()
        );
        for head in &heads {
            let _ = write!(out, "<th class=\"number\"><bdi>{}</bdi></th>", escape(head));
        }
        out.push_str("</tr></thead><tbody>\n");
        for (at, day) in self.steps.iter().enumerate() {
            let _ = write!(out, "<tr><td class=\"time\">{day}</td>");
            for (_, counts) in &self.promotions {
                let _ = write!(out, "<td class=\"number\">{}</td>", counts.get(at).copied().unwrap_or(0));
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody></table></div></details>\n");
    }

    fn column(&self, day: NaiveDate, parts: &[(&'static str, u64)]) -> Column {
        let total: u64 = parts.iter().map(|(_, count)| count).sum();
        Column {
            title: format!("{}: {}", self.title(day), number(total)),
            label: self.label(day),
            parts: parts.to_vec(),
        }
    }

    fn held(&self, out: &mut String) {
        out.push_str("<h2>What kept builds out</h2>\n");
        if self.reasons.is_empty() {
            out.push_str("<p>Nothing: every decision was an allow.</p>\n");
            return;
        }
        out.push_str(
            "<p class=\"note\">Decisions that a rule stood in the way of. A decision counts for each of its rules; a build \
             that asks again counts again.</p>\n<ul class=\"key\"><li><i class=\"hold\"></i>hold</li><li><i class=\"deny\"></i>deny</li></ul>\n",
        );
        let most = self.reasons.iter().map(|reason| reason.held + reason.denied).max().unwrap_or(1);
        for reason in self.reasons.iter().take(MOST_REASONS) {
            let words: Vec<String> = [(reason.held, "held"), (reason.denied, "denied")]
                .into_iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, word)| format!("{} {word}", number(count)))
                .collect();
            let words = words.join(", ");
            let says = format!("{} in {}: {words}", reason.rule, reason.stage);
            let _ = writeln!(
                out,
                "<div class=\"reason\"><p><bdi>{} in {}</bdi><span>{words}</span></p>{}</div>",
                escape(&reason.rule),
                escape(&reason.stage),
                bar(&says, &[("hold", reason.held), ("deny", reason.denied)], most)
            );
        }
        if self.reasons.len() > MOST_REASONS {
            let more = plural((self.reasons.len() - MOST_REASONS) as u64, "rule");
            let _ = writeln!(out, "<p class=\"note\">And {more} that did so less often.</p>");
        }
    }

    fn lead(&self, out: &mut String) {
        let (from, to) = (escape(&self.options.from), escape(&self.options.to));
        let _ = write!(
            out,
            "<h2>Lead time from <bdi>{from}</bdi> to <bdi>{to}</bdi></h2>\n<p class=\"note\">From a build's first allow into \
             {from} to its first allow into {to}, for builds that were first allowed into {to} in this time.</p>\n"
        );
        let (Some(median), Some(ninety)) = (self.percentile(50), self.percentile(90)) else {
            let _ = writeln!(out, "<p>No build has an allow into both.</p>");
            return;
        };
        let _ = writeln!(
            out,
            "<div class=\"tiles three\"><div class=\"tile\"><b>{}</b><span>median</span></div><div class=\"tile\"><b>{}</b><span>90th \
             percentile</span></div><div class=\"tile\"><b>{}</b><span>builds</span></div></div>",
            length(median),
            length(ninety),
            number(self.leads.len() as u64)
        );
        let mut lower = i64::MIN;
        let mut before = "0";
        let mut drawn = Vec::new();
        for (upper, label) in BUCKETS {
            let count = self.leads.iter().filter(|seconds| **seconds > lower && **seconds <= upper).count() as u64;
            let title = match label {
                "≤1h" => format!("up to 1h: {}", number(count)),
                ">2w" => format!("more than 2w: {}", number(count)),
                label => format!("{before} to {label}: {}", number(count)),
            };
            drawn.push(Column { title, label: label.into(), parts: vec![("blue", count)] });
            lower = upper;
            before = if label == "≤1h" { "1h" } else { label };
        }
        let says = format!("Lead times: median {}, 90th percentile {}", length(median), length(ninety));
        let _ = write!(
            out,
            "<figure>\n{}<figcaption>Builds by their lead time: up to each of these, and more than the one before.</figcaption></figure>\n",
            columns(&says, &drawn, 90, true)
        );
    }

    fn overridden_by(&self, out: &mut String) {
        out.push_str("<h2>Overrides</h2>\n");
        if self.overrides.is_empty() {
            out.push_str("<p>No override was in force.</p>\n");
            return;
        }
        let mut counts = vec![(0, 0); self.steps.len()];
        for one in &self.overrides {
            if let Some(place) = self.step_of(one.at).and_then(|step| counts.get_mut(step)) {
                if one.reviews.is_empty() { place.1 += 1 } else { place.0 += 1 }
            }
        }
        let drawn: Vec<Column> = self
            .steps
            .iter()
            .zip(&counts)
            .map(|(day, (reviewed, open))| self.column(*day, &[("blue", *reviewed), ("deny", *open)]))
            .collect();
        let (all, open) = self.overridden();
        let says = format!("{all} decisions with an override, {open} of them not reviewed");
        let _ = write!(
            out,
            "<p class=\"note\">Decisions in which an override was in force. Whoever looks at one says so with <code>stagegate \
             audit review</code>.</p>\n<ul class=\"key\"><li><i class=\"blue\"></i>reviewed</li><li><i class=\"deny\"></i>not \
             reviewed</li></ul>\n<figure>\n{}</figure>\n",
            columns(&says, &drawn, 56, false)
        );
        out.push_str(
            "<table class=\"cards\"><thead><tr><th>When</th><th>Build</th><th>Override</th><th>Who and why</th><th>Reviewed</th></tr></thead><tbody>\n",
        );
        // Those that somebody has still to look at come first.
        let (open, seen): (Vec<&Override>, Vec<&Override>) =
            self.overrides.iter().partition(|one| one.reviews.is_empty());
        for one in open.into_iter().chain(seen).take(MOST_OVERRIDES) {
            self.one_override(out, one);
        }
        out.push_str("</tbody></table>\n");
        if self.overrides.len() > MOST_OVERRIDES {
            let more = number((self.overrides.len() - MOST_OVERRIDES) as u64);
            let _ = writeln!(
                out,
                "<p class=\"note\">And {more} more: <code>stagegate audit query LOG &#39;overridden by any&#39;</code></p>"
            );
        }
    }

    fn one_override(&self, out: &mut String, one: &Override) {
        let who: Vec<String> = one
            .invoked
            .iter()
            .map(|invoked| {
                let reason = invoked
                    .reason
                    .as_deref()
                    .map_or("no reason given".to_string(), |reason| format!("“{}”", escape(reason)));
                format!("<bdi>{}</bdi><small><bdi>{reason}</bdi></small>", escape(&invoked.by))
            })
            .collect();
        let skipped = match one.skipped.is_empty() {
            true => "skipped nothing that stood in the way".to_string(),
            false => format!("skipped {}", escape(&one.skipped.join(", "))),
        };
        let reviewed = match one.reviews.is_empty() {
            true => "<strong class=\"open\">not yet</strong>".to_string(),
            false => {
                let each = one
                    .reviews
                    .iter()
                    .map(|(by, note)| format!("<bdi>{}</bdi><small><bdi>{}</bdi></small>", escape(by), escape(note)));
                each.collect()
            }
        };
        let id = one.id.to_string();
        let _ = writeln!(
            out,
            "<tr><td class=\"time\">{}<small><code>{id}</code></small></td><td><bdi>{}</bdi><small>into <bdi>{}</bdi>: {}</small></td>\
             <td><bdi>{}</bdi><small>{skipped}</small></td><td>{}</td><td>{reviewed}</td></tr>",
            self.time(one.at),
            escape(&one.build),
            escape(&one.stage),
            one.verdict,
            escape(&one.name),
            who.concat()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_lengths_are_written_for_people() {
        assert_eq!((number(7), number(1_234), number(1_234_567)), ("7".into(), "1,234".into(), "1,234,567".into()));
        assert_eq!((plural(1, "rule"), plural(0, "rule")), ("1 rule".into(), "0 rules".into()));
        assert_eq!(length(TimeDelta::seconds(2 * 86_400 + 3 * 3_600 + 9)), "2d 3h");
        assert_eq!(length(TimeDelta::zero()), "0s");
    }

    #[test]
    fn what_strangers_wrote_is_text() {
        assert_eq!(escape("<b a='\"'>&\u{202e}\u{1b}"), "&lt;b a=&#39;&quot;&#39;&gt;&amp;\\u{202e}\\u{1b}");
    }
}
