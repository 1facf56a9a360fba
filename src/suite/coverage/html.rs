//! Coverage as one page of HTML: the policy as it is written, with what was never exercised.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Coverage, Point, PointKind};
use crate::diagnostic::{Source, SourceId};

const STYLE: &str = "\
:root{color-scheme:light dark;--bad:#b3261e;--badbg:#fde7e5;--good:#1b6e3c;--dim:#667;--line:#8883}\
@media(prefers-color-scheme:dark){:root{--bad:#ff9b93;--badbg:#5a1d1988;--good:#7fd6a0;--dim:#99a}}\
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:76rem;padding:0 1rem}\
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}\
table{border-collapse:collapse}td,th{padding:.15rem .9rem .15rem 0;text-align:left;vertical-align:top}\
.n{text-align:right;font-variant-numeric:tabular-nums}.bad{color:var(--bad)}.good{color:var(--good)}.dim{color:var(--dim)}\
pre{font:13px/1.55 ui-monospace,monospace;overflow-x:auto;border:1px solid var(--line);border-radius:6px;padding:.6rem 0}\
.l{display:flex;min-width:max-content}.l>i{font-style:normal;color:var(--dim);width:3.5rem;text-align:right;padding-right:1rem;flex:none;user-select:none}\
.l.miss{background:var(--badbg)}.l.hit>i{color:var(--good)}.l>b{font-weight:normal;color:var(--bad);padding-left:2rem;font-family:system-ui,sans-serif}\
mark{background:none;color:inherit;text-decoration:underline wavy var(--bad);text-decoration-thickness:1px}";

pub(super) fn page(coverage: &Coverage) -> String {
    let (hit, all) = coverage.counts();
    let title = format!("Coverage of {}", escape(&coverage.policy));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head>\n<body><h1>{title}</h1>\n\
         <p>{:.1} % of {all} points were exercised by a test; {} were not.</p>\n<table>\n",
        coverage.percent(),
        all - hit
    );
    for kind in [PointKind::Status, PointKind::Test, PointKind::Override, PointKind::Edge] {
        let of_kind = || coverage.points.iter().filter(move |p| p.kind == kind);
        let (hit, all) = (of_kind().filter(|p| p.hits > 0).count(), of_kind().count());
        if all > 0 {
            let class = if hit == all { "good" } else { "bad" };
            let _ = writeln!(out, "<tr><td>{}</td><td class=\"n {class}\">{hit} of {all}</td></tr>", kind.plural());
        }
    }
    out.push_str("</table>\n");
    let stages = stages(coverage);
    let _ = write!(out, "<h2>Rules</h2>\n<table><tr><th>stage</th><th>rule</th><th>reached</th><th>never</th></tr>\n");
    for ((stage, rule), (reached, never)) in stages {
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td>{}</td><td class=\"good\">{}</td><td class=\"bad\">{}</td></tr>",
            escape(stage),
            escape(rule),
            escape(&reached.join(", ")),
            escape(&never.join(", "))
        );
    }
    out.push_str("</table>\n");
    for (index, source) in coverage.source.sources().iter().enumerate() {
        file(coverage, source, SourceId(index as u32), &mut out);
    }
    out.push_str("</body></html>\n");
    out
}

type Outcomes<'a> = (Vec<&'a str>, Vec<&'a str>);

fn stages(coverage: &Coverage) -> Vec<((&str, &str), Outcomes<'_>)> {
    let mut out: Vec<((&str, &str), Outcomes<'_>)> = Vec::new();
    for point in &coverage.points {
        let Some(stage) = &point.stage else { continue };
        let key = (stage.as_str(), point.subject.as_str());
        if out.last().is_none_or(|(last, _)| *last != key) {
            out.push((key, Default::default()));
        }
        if let Some((_, (reached, never))) = out.last_mut() {
            let list = if point.hits > 0 { reached } else { never };
            list.push(&point.outcome);
        }
    }
    out
}

fn file(coverage: &Coverage, source: &Source, id: SourceId, out: &mut String) {
    let points: Vec<&Point> = coverage.points.iter().filter(|p| p.span.source == id).collect();
    let mut by_line: BTreeMap<u32, Vec<&Point>> = BTreeMap::new();
    for point in &points {
        by_line.entry(point.at.line).or_default().push(point);
    }
    let _ = write!(out, "<h2>{}</h2>\n<pre>", escape(&source.name));
    let mut start = 0;
    for (index, line) in source.text.split('\n').enumerate() {
        let on_line = by_line.get(&(index as u32 + 1)).map(Vec::as_slice).unwrap_or_default();
        let missed: Vec<&&Point> = on_line.iter().filter(|p| p.hits == 0).collect();
        let class = match (on_line.is_empty(), missed.is_empty()) {
            (true, _) => "l",
            (false, true) => "l hit",
            (false, false) => "l miss",
        };
        let _ = write!(out, "<div class=\"{class}\"><i>{}</i><span>", index + 1);
        marked(line, start, &missed, out);
        out.push_str("</span>");
        if !missed.is_empty() {
            let _ = write!(out, "<b>{}</b>", escape(&never(&missed)));
        }
        out.push_str("</div>");
        start += line.len() + 1;
    }
    out.push_str("</pre>\n");
}

/// The line, with the tests that missed an outcome marked.
fn marked(line: &str, start: usize, missed: &[&&Point], out: &mut String) {
    let mut spans: Vec<(usize, usize)> = missed
        .iter()
        .filter(|p| p.kind == PointKind::Test)
        .map(|p| ((p.span.start as usize).saturating_sub(start), (p.span.end as usize).saturating_sub(start)))
        .collect();
    spans.sort_unstable();
    spans.dedup();
    let mut done = 0;
    for (from, to) in spans {
        let to = to.min(line.len());
        if from < done || from >= to {
            continue;
        }
        let (Some(before), Some(inside)) = (line.get(done..from), line.get(from..to)) else { continue };
        let _ = write!(out, "{}<mark>{}</mark>", escape(before), escape(inside));
        done = to;
    }
    out.push_str(&escape(line.get(done..).unwrap_or_default()));
}

/// `never: Test unmet, waiting; coverage >= 80 unknown`
fn never(missed: &[&&Point]) -> String {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for point in missed {
        let of = match (&point.stage, point.kind) {
            (Some(stage), PointKind::Edge) => format!("{stage}: asked"),
            (Some(stage), _) => format!("{stage}:"),
            (None, _) => point.subject.clone(),
        };
        match groups.last_mut() {
            Some((last, outcomes)) if *last == of => outcomes.push(&point.outcome),
            _ => groups.push((of, vec![&point.outcome])),
        }
    }
    let groups: Vec<String> =
        groups.into_iter().map(|(of, outcomes)| format!("{of} {}", outcomes.join(", "))).collect();
    format!("never {}", groups.join("; "))
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}
