//! What came of a run, for people and for tools.

use std::fmt::Write;

use super::run::{CaseResult, Failure, Outcome, Report};
use crate::decide::Style;
use crate::plain::escape;

/// What came of a run, for a terminal; with colours if `style` says so. What passed is only counted, unless `all`.
pub fn text(report: &Report, style: &Style, all: bool) -> String {
    let paint = |code: &str, text: &str| match style.colour {
        true => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        false => text.to_string(),
    };
    let mut out = String::new();
    for result in &report.results {
        let name = escape(&result.test);
        match &result.outcome {
            Outcome::Passed if all => {
                let _ = writeln!(out, "{} {name}", paint("32", "ok    "));
            }
            Outcome::Passed => {}
            Outcome::CouldNotRun { why } => {
                let _ = writeln!(out, "{} {name}\n  {}", paint("1;35", "error "), result.at);
                indent(why, 4, &mut out);
                out.push('\n');
            }
            Outcome::Failed { failures } => {
                let _ = writeln!(out, "{} {name}", paint("1;31", "failed"));
                for failure in failures {
                    fail(failure, style, &paint, &mut out);
                }
            }
        }
    }
    let (passed, failed, broken) = report.counts();
    let mut parts = vec![format!("{passed} passed")];
    if failed > 0 {
        parts.push(paint("1;31", &format!("{failed} failed")));
    }
    if broken > 0 {
        parts.push(paint("1;35", &format!("{broken} could not run")));
    }
    if report.not_run > 0 {
        parts.push(format!("{} not run", report.not_run));
    }
    let _ = writeln!(out, "{} ({:.2} s)", parts.join(", "), report.seconds);
    out
}

fn fail(failure: &Failure, style: &Style, paint: &dyn Fn(&str, &str) -> String, out: &mut String) {
    let _ = writeln!(out, "  {}: {}", failure.at, escape(&failure.expect));
    let _ = writeln!(out, "    {} {}", paint("32", "expected"), escape(&failure.expected));
    let _ = writeln!(out, "    {} {}", paint("31", "got     "), escape(&failure.got));
    for line in &failure.difference {
        let _ = writeln!(out, "    - {}", escape(line));
    }
    if let Some(decision) = &failure.decision {
        out.push('\n');
        indent(decision.render(style).trim_end(), 6, out);
    }
    out.push('\n');
}

fn indent(text: &str, by: usize, out: &mut String) {
    for line in text.lines() {
        let _ = match line.is_empty() {
            true => writeln!(out),
            false => writeln!(out, "{:by$}{line}", ""),
        };
    }
}

/// What was wrong with one case, in plain text; empty if it passed.
pub(crate) fn wrong(result: &CaseResult) -> String {
    match &result.outcome {
        Outcome::Passed => String::new(),
        Outcome::CouldNotRun { why } => why.clone(),
        Outcome::Failed { failures } => {
            let mut out = String::new();
            for failure in failures {
                fail(failure, &Style::default(), &|_, text| text.to_string(), &mut out);
            }
            out.trim_end().to_string()
        }
    }
}

impl CaseResult {
    /// What was wrong, in plain text of several lines; empty if the case passed.
    pub fn wrong(&self) -> String {
        wrong(self)
    }
}

/// The Test Anything Protocol, version 13.
pub fn tap(report: &Report) -> String {
    let mut out = format!("TAP version 13\n1..{}\n", report.results.len());
    for (index, result) in report.results.iter().enumerate() {
        let ok = if result.outcome == Outcome::Passed { "ok" } else { "not ok" };
        // `#` begins a directive.
        let name = escape(&result.test).replace('#', "\\#");
        let _ = writeln!(out, "{ok} {} - {name}", index + 1);
        let wrong = wrong(result);
        if !wrong.is_empty() {
            out.push_str("  ---\n");
            let _ = writeln!(out, "  at: '{}'", result.at.to_string().replace('\'', "''"));
            out.push_str("  message: |\n");
            indent(&wrong, 4, &mut out);
            out.push_str("  ...\n");
        }
    }
    out
}

/// A JUnit report, as CI servers read it: one suite for each policy.
pub fn junit(report: &Report) -> String {
    let (_, failed, broken) = report.counts();
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"stagegate\" tests=\"{}\" failures=\"{failed}\" \
         errors=\"{broken}\" time=\"{:.6}\">\n",
        report.results.len(),
        report.seconds
    );
    let mut from = 0;
    while let Some(first) = report.results.get(from) {
        let rest = report.results.get(from..).unwrap_or_default();
        let suite: Vec<&CaseResult> = rest.iter().take_while(|r| r.policy == first.policy).collect();
        from += suite.len();
        let count = |wanted: fn(&Outcome) -> bool| suite.iter().filter(|r| wanted(&r.outcome)).count();
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{:.6}\">",
            xml(&first.policy),
            suite.len(),
            count(|o| matches!(o, Outcome::Failed { .. })),
            count(|o| matches!(o, Outcome::CouldNotRun { .. })),
            suite.iter().map(|r| r.seconds).sum::<f64>()
        );
        for result in suite {
            junit_case(result, &mut out);
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn junit_case(result: &CaseResult, out: &mut String) {
    let _ = write!(
        out,
        "    <testcase name=\"{}\" classname=\"{}\" file=\"{}\" line=\"{}\" time=\"{:.6}\"",
        xml(&result.test),
        xml(&result.policy),
        xml(&result.at.file),
        result.at.line,
        result.seconds
    );
    let (element, message) = match &result.outcome {
        Outcome::Passed => return out.push_str("/>\n"),
        Outcome::CouldNotRun { why } => ("error", why.lines().next().unwrap_or_default().to_string()),
        Outcome::Failed { failures } => {
            let all: Vec<&str> = failures.iter().flat_map(|f| f.difference.iter().map(String::as_str)).collect();
            ("failure", all.join("; "))
        }
    };
    let _ = writeln!(
        out,
        ">\n      <{element} message=\"{}\">{}</{element}>\n    </testcase>",
        xml(&message),
        xml(&wrong(result))
    );
}

/// Text of an element or an attribute. XML has no way to write most control characters, so they become `?`.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('?'),
            c => out.push(c),
        }
    }
    out
}
