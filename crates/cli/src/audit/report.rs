//! `stagegate audit report`

use std::path::PathBuf;

use clap::Args as ClapArgs;
use stagegate_audit::{Log, ReportOptions};

use super::query::Range;
use crate::failure::{Failure, Kind, count};
use crate::output::{Output, plain};

/// A page of pictures: promotions, what kept builds out, lead times, overrides and who has reviewed them
///
/// One self-contained file, without scripts, to be read in a browser or on paper. The lead time is from a build's first
/// allow into one stage to its first allow into another.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  stagegate audit report decisions.log --html report.html
  stagegate audit report decisions.log --html q1.html --since 2026-01-01 --until 2026-03-31 --zone Europe/Berlin\n
JSON: {html, decisions, overrides, not_reviewed}.")]
pub struct Report {
    /// The log
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// Where to write the page; - writes it to standard output
    #[arg(long, value_name = "FILE")]
    html: PathBuf,
    #[command(flatten)]
    range: Range,
    /// The stage that lead times begin in
    #[arg(long, value_name = "STAGE", default_value = "Dev")]
    from: String,
    /// The stage that lead times end in
    #[arg(long, value_name = "STAGE", default_value = "Staging")]
    to: String,
}

pub fn run(args: &Report, output: &Output) -> Result<u8, Failure> {
    let to_stdout = args.html.as_os_str() == "-";
    if to_stdout && output.is_json() {
        return Err(Failure::new(Kind::Usage, "--html - prints the page itself, which is no JSON"));
    }
    let zone = args.range.zone()?;
    let (since, until) = args.range.ends(zone)?;
    let failed = |error: stagegate_audit::LogError| Failure::log(&error);
    let log = Log::read(&args.log).map_err(failed)?;
    let options = ReportOptions::new().since(since).until(until).zone(zone).lead(&args.from, &args.to);
    let report = log.report(&options).map_err(failed)?;
    let page = report.html();
    if to_stdout {
        output.raw(&page)?;
        return Ok(0);
    }
    std::fs::write(&args.html, page).map_err(|error| {
        Failure::new(Kind::File, format!("{}: it cannot be written: {error}", plain(&args.html.display().to_string())))
    })?;
    let (overrides, open) = report.overridden();
    if output.is_json() {
        output.json(&serde_json::json!({
            "html": args.html.display().to_string(),
            "decisions": report.decisions(),
            "overrides": overrides,
            "not_reviewed": open,
        }))?;
    } else {
        let decisions = count(usize::try_from(report.decisions()).unwrap_or(usize::MAX), "decision");
        output.note(&format!("{decisions}, {} ({open} not reviewed)\n", count(overrides, "override")));
    }
    Ok(0)
}
