//! `stagegate timeline`

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use stagegate::schedule::Zone;
use stagegate::{Policy, Request, Stretch, Verdict};

use crate::args::{Global, Timeline};
use crate::failure::{Failure, Kind};
use crate::output::{Output, Paint, plain};
use crate::progress::Progress;
use crate::{decide, files, when};

/// A timeline is at most so long.
const MAX_DAYS: i64 = 3_660;
/// And holds about so many stretches.
const MAX_STRETCHES: usize = 100_000;

#[derive(Serialize)]
struct Json<'a> {
    policy: &'a str,
    stage: &'a str,
    build: &'a str,
    zone: &'a str,
    from: String,
    to: String,
    complete: bool,
    stretches: Vec<StretchJson<'a>>,
}

#[derive(Serialize)]
struct StretchJson<'a> {
    from: String,
    to: String,
    verdict: Verdict,
    blocking: &'a [String],
}

pub fn run(args: &Timeline, global: &Global, output: &Output) -> Result<u8, Failure> {
    files::not_both_stdin(&args.policy, &args.request)?;
    let policy = files::policy(&args.policy, global)?;
    let named = files::request(&args.request)?;
    let zone = when::zone(&policy);
    let from = match &args.from {
        Some(from) => when::parse("--from", from, zone)?,
        None => named.request.now.unwrap_or_else(when::now),
    };
    let to = match &args.to {
        Some(to) => when::parse("--to", to, zone)?,
        None => from + TimeDelta::days(7),
    };
    if to <= from {
        let message = format!("--to: {} is not later than {}", when::person(to, zone), when::person(from, zone));
        return Err(Failure::new(Kind::Time, message));
    }
    if to - from > TimeDelta::days(MAX_DAYS) {
        return Err(Failure::new(Kind::Time, "--to: a timeline is at most ten years long"));
    }
    let (stretches, complete) = stretches(&policy, &named, from, to, output)?;
    let request = &named.request;
    if output.is_json() {
        output.json(&json(&policy, request, (from, to), &stretches, complete))?;
    } else {
        output.text(&text(request, zone, &stretches, output))?;
        if !complete {
            let warning = Paint::Yellow.on("warning", output.error_colour);
            output.note(&format!("{warning}: the search was cut short; ask for a shorter time\n"));
        }
    }
    Ok(0)
}

/// Asks piece by piece, so that progress can be told and the list stays bounded.
fn stretches(
    policy: &Policy,
    named: &files::NamedRequest,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    output: &Output,
) -> Result<(Vec<Stretch>, bool), Failure> {
    let piece = TimeDelta::days(7).max((to - from) / 100);
    let pieces = (to - from).num_seconds() / piece.num_seconds().max(1) + 1;
    let progress = Progress::new("looking ahead", usize::try_from(pieces).unwrap_or(0), output);
    let mut all: Vec<Stretch> = Vec::new();
    let mut here = from;
    while here < to {
        let end = to.min(here + piece);
        let part = policy.timeline(&named.request, here, end).map_err(|error| Failure::request(&named.name, &error))?;
        for stretch in part.stretches {
            match all.last_mut() {
                Some(last) if last.verdict == stretch.verdict && last.to == stretch.from => last.to = stretch.to,
                _ => all.push(stretch),
            }
        }
        if !part.complete || (all.len() > MAX_STRETCHES && end < to) {
            return Ok((all, false));
        }
        here = end;
        progress.step();
    }
    Ok((all, true))
}

fn json<'a>(
    policy: &'a Policy,
    request: &'a Request,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    stretches: &'a [Stretch],
    complete: bool,
) -> Json<'a> {
    let zone = when::zone(policy);
    let stretches = stretches.iter().map(|s| StretchJson {
        from: when::rfc3339(s.from, zone),
        to: when::rfc3339(s.to, zone),
        verdict: s.verdict,
        blocking: &s.blocking,
    });
    Json {
        policy: policy.name(),
        stage: &request.stage,
        build: &request.build.id,
        zone: zone.tz().name(),
        from: when::rfc3339(from, zone),
        to: when::rfc3339(to, zone),
        complete,
        stretches: stretches.collect(),
    }
}

fn text(request: &Request, zone: Zone, stretches: &[Stretch], output: &Output) -> String {
    let mut text = String::new();
    if !output.quiet {
        let title = format!("Build {} into {} ({})", plain(&request.build.id), plain(&request.stage), zone.tz().name());
        text.push_str(&format!("{}\n\n", Paint::Bold.on(&title, output.colour)));
    }
    for stretch in stretches {
        let verdict = decide::paint(stretch.verdict).on(&format!("{:5}", stretch.verdict), output.colour);
        let from = when::person(stretch.from, zone);
        let length = when::length((stretch.to - stretch.from).num_seconds());
        let blocking = match stretch.blocking.as_slice() {
            [] => String::new(),
            rules => format!("  {}", plain(&rules.join(", "))),
        };
        text.push_str(format!("{from}  {verdict}  {length:8}{blocking}").trim_end());
        text.push('\n');
    }
    if let Some(last) = stretches.last() {
        text.push_str(&format!("{}\n", when::person(last.to, zone)));
    }
    text
}
