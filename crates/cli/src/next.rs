//! `stagegate next`

use chrono::Utc;
use serde::Serialize;
use stagegate::diagnostic::did_you_mean;
use stagegate::schedule::{Cron, Zone};
use stagegate::{Coming, Event};

use crate::args::{Global, Next};
use crate::failure::{Failure, Kind};
use crate::output::{Output, Paint, plain};
use crate::{files, when};

pub fn run(args: &Next, global: &Global, output: &Output) -> Result<u8, Failure> {
    match (&args.cron, &args.policy) {
        (Some(cron), _) => cron_firings(cron, args, output)?,
        (None, Some(policy)) => policy_events(policy, args, global, output)?,
        (None, None) => return Err(Failure::new(Kind::Usage, "either --policy or --cron is needed")),
    }
    Ok(0)
}

fn cron_firings(expression: &str, args: &Next, output: &Output) -> Result<(), Failure> {
    let cron = Cron::parse(expression).map_err(|error| {
        Failure::pointed(Kind::Cron, "E0401", ("--cron", expression), error.range)
            .says(error.message, Some(error.help).filter(|help| !help.is_empty()))
    })?;
    let zone = zone(args.zone.as_deref())?;
    let after = match &args.after {
        Some(after) => when::parse("--after", after, zone)?,
        None => when::now(),
    };
    let firings: Vec<_> =
        cron.after(zone, after).take(usize::from(args.count)).map(|t| t.with_timezone(&Utc)).collect();
    if output.is_json() {
        return output.json(&firings.iter().map(|at| when::rfc3339(*at, zone)).collect::<Vec<_>>());
    }
    if cron.restricts_both_days() {
        let warning = Paint::Yellow.on("warning", output.error_colour);
        output.note(&format!("{warning}: both day fields are restricted: a day that fits either one fires\n"));
    }
    let mut text: String = firings.iter().map(|at| when::person(*at, zone) + "\n").collect();
    if cron.never_fires() {
        text.push_str("never\n");
    } else if firings.is_empty() {
        text.push_str("never again until the end of the year 2200\n");
    }
    output.text(&text)
}

fn zone(name: Option<&str>) -> Result<Zone, Failure> {
    let Some(name) = name else { return Ok(Zone::UTC) };
    Zone::parse(name).ok_or_else(|| {
        let same = Zone::names().find(|zone| zone.eq_ignore_ascii_case(name));
        let city = || {
            let asked = name.replace(' ', "_");
            Zone::names().find(|zone| zone.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(&asked)))
        };
        let help = match same.or_else(city) {
            Some(zone) => format!("did you mean `{zone}`?"),
            None => did_you_mean(name, Zone::names())
                .unwrap_or_else(|| "zones have names such as `Europe/Berlin` and `UTC`".to_string()),
        };
        Failure::pointed(Kind::Zone, "E0402", ("--zone", name), 0..name.len())
            .says(format!("there is no time zone `{}`", plain(name)), Some(help))
    })
}

/// An event as tools read it.
#[derive(Serialize)]
struct EventJson<'a> {
    at: String,
    stage: &'a str,
    rule: &'a str,
    what: Event,
}

fn policy_events(path: &std::path::Path, args: &Next, global: &Global, output: &Output) -> Result<(), Failure> {
    let policy = files::policy(path, global)?;
    let zone = when::zone(&policy);
    let after = match &args.after {
        Some(after) => when::parse("--after", after, zone)?,
        None => when::now(),
    };
    let coming = policy.coming(args.stage.as_deref(), after).map_err(|error| match error.problems() {
        [problem] => {
            let failure = Failure::new(Kind::Stage, format!("--stage: {}", problem.message));
            match &problem.help {
                Some(help) => failure.help(help),
                None => failure,
            }
        }
        _ => Failure::request("--stage", &error),
    })?;
    let events: Vec<Coming> = coming.take(usize::from(args.count)).collect();
    if output.is_json() {
        let json: Vec<EventJson<'_>> = events
            .iter()
            .map(|Coming { at, stage, rule, what }| EventJson {
                at: when::rfc3339(*at, zone),
                stage,
                rule,
                what: *what,
            })
            .collect();
        return output.json(&json);
    }
    if events.is_empty() {
        return output.text("never: there is no schedule, window or freeze to come\n");
    }
    let wide = |text: fn(&Coming) -> &str| events.iter().map(|e| text(e).chars().count()).max().unwrap_or(0);
    let (stages, rules) = (wide(|e| &e.stage), wide(|e| &e.rule));
    let mut text = String::new();
    for event in &events {
        let Coming { at, stage, rule, what } = event;
        let paint = match what {
            Event::Fires => Paint::Cyan,
            Event::Opens | Event::Thaws => Paint::Green,
            Event::Closes | Event::Freezes => Paint::Yellow,
        };
        let what = paint.on(what.as_str(), output.colour);
        text.push_str(&format!("{}  {stage:stages$}  {rule:rules$}  {what}\n", when::person(*at, zone)));
    }
    output.text(&text)
}
