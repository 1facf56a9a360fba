//! `stagegate test`

use std::path::{Path, PathBuf};

use serde::Serialize;
use stagegate::suite::{self, Coverage, Found, Options, Problem};
use stagegate::{Limits, Style};

use crate::args::{Format, Global, ReportKind, Test};
use crate::failure::{Failure, Kind};
use crate::output::{Output, Paint, plain};

/// The whole result, as tools read it.
#[derive(Serialize)]
struct Json<'a> {
    passed: usize,
    failed: usize,
    could_not_run: usize,
    not_run: usize,
    seconds: f64,
    results: &'a [suite::CaseResult],
    problems: &'a [Problem],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    coverage: Vec<CoverageJson<'a>>,
}

#[derive(Serialize)]
struct CoverageJson<'a> {
    percent: f64,
    hit: usize,
    all: usize,
    #[serde(flatten)]
    of: &'a Coverage,
}

#[derive(Serialize)]
struct Listed<'a> {
    policy: &'a str,
    test: &'a str,
    at: &'a stagegate::diagnostic::Place,
}

pub fn run(args: &Test, global: &Global, output: &Output) -> Result<u8, Failure> {
    let found = suite::discover(&args.paths, global.root.as_deref(), &Limits::default());
    if args.list {
        return list(args, &found, output);
    }
    let about_coverage = |kind: ReportKind| matches!(kind, ReportKind::Html | ReportKind::Lcov);
    let options = Options {
        jobs: args.jobs,
        fail_fast: args.fail_fast,
        filter: args.filter.clone(),
        coverage: args.coverage || args.threshold.is_some() || args.report.iter().any(|r| about_coverage(r.kind)),
    };
    let report = suite::run(&found.suites, &options);
    let json = || json(&report, &found.problems);
    for wanted in &args.report {
        let text = match wanted.kind {
            ReportKind::Junit => suite::junit(&report),
            ReportKind::Tap => suite::tap(&report),
            ReportKind::Json => serde_json::to_string_pretty(&json()).unwrap_or_default() + "\n",
            ReportKind::Lcov => report.coverage.iter().map(Coverage::lcov).collect(),
            ReportKind::Html => {
                for coverage in &report.coverage {
                    write(&page(&wanted.file, coverage, report.coverage.len()), &coverage.html())?;
                }
                continue;
            }
        };
        write(&wanted.file, &text)?;
    }
    let too_little: Vec<&Coverage> = (report.coverage.iter())
        .filter(|coverage| args.threshold.is_some_and(|threshold| coverage.percent() < threshold))
        .collect();
    match output.format {
        Format::Json => output.json(&json())?,
        Format::Tap => {
            output.raw(&suite::tap(&report))?;
            problems(&found, output);
        }
        _ => {
            let style = Style { colour: output.colour, width: output.width() };
            let mut text = suite::text(&report, &style, args.verbose);
            if args.coverage {
                for coverage in &report.coverage {
                    text.push('\n');
                    text.push_str(&coverage.text());
                }
            }
            if output.quiet && report.passed() {
                text.clear();
            }
            output.text(&text)?;
            problems(&found, output);
        }
    }
    if !output.is_json() {
        for coverage in &too_little {
            let (percent, threshold) = (coverage.percent(), args.threshold.unwrap_or_default());
            let error = Paint::Red.on("error", output.error_colour);
            let policy = plain(&coverage.policy);
            output.stderr(&format!("{error}: {policy}: {percent:.1} % is covered, less than {threshold} %\n"));
        }
    }
    let (_, failed, broken) = report.counts();
    if broken > 0 || !found.problems.is_empty() {
        return Ok(2);
    }
    if report.results.is_empty() && !args.allow_empty {
        nothing(args, output);
        return Ok(1);
    }
    Ok(u8::from(failed > 0 || !too_little.is_empty()))
}

fn json<'a>(report: &'a suite::Report, problems: &'a [Problem]) -> Json<'a> {
    let (passed, failed, could_not_run) = report.counts();
    let coverage = report.coverage.iter().map(|of| {
        let (hit, all) = of.counts();
        CoverageJson { percent: of.percent(), hit, all, of }
    });
    Json {
        passed,
        failed,
        could_not_run,
        not_run: report.not_run,
        seconds: report.seconds,
        results: &report.results,
        problems,
        coverage: coverage.collect(),
    }
}

/// That there is no test is no success: a filter with a slip of the hand would pass for ever.
fn nothing(args: &Test, output: &Output) {
    if output.is_json() {
        return;
    }
    let error = Paint::Red.on("error", output.error_colour);
    let why = match &args.filter {
        Some(filter) => format!("no test has `{}` in its name or file", plain(filter)),
        None => "there are no tests".to_string(),
    };
    output.stderr(&format!("{error}: {why}; with --allow-empty that is no failure\n"));
}

/// Says what could not be read or compiled.
pub fn problems(found: &Found, output: &Output) {
    for problem in &found.problems {
        let error = Paint::Red.on("error", output.error_colour);
        let message: Vec<String> = problem.message.trim_end().split('\n').map(plain).collect();
        output.stderr(&format!("{error}: {}: {}\n", plain(&problem.file), message.join("\n")));
    }
}

fn list(args: &Test, found: &Found, output: &Output) -> Result<u8, Failure> {
    let wanted = |suite: &suite::Suite, case: &suite::Case| {
        args.filter.as_ref().is_none_or(|filter| {
            case.name().contains(filter) || case.place().file.contains(filter) || suite.file().contains(filter)
        })
    };
    let mut listed = Vec::new();
    for suite in &found.suites {
        let cases = suite.cases().iter().filter(|case| wanted(suite, case));
        listed.extend(cases.map(|case| Listed { policy: suite.file(), test: case.name(), at: case.place() }));
    }
    match output.is_json() {
        true => output.json(&listed)?,
        false => {
            let lines = listed.iter().map(|l| format!("{}: {}\n", plain(l.policy), plain(l.test)));
            output.text(&lines.collect::<String>())?;
        }
    }
    problems(found, output);
    match (found.problems.is_empty(), listed.is_empty() && !args.allow_empty) {
        (false, _) => Ok(2),
        (true, true) => {
            nothing(args, output);
            Ok(1)
        }
        (true, false) => Ok(0),
    }
}

/// `coverage.html`, or of several policies `coverage-web.html`.
fn page(file: &Path, coverage: &Coverage, count: usize) -> PathBuf {
    if count == 1 {
        return file.to_path_buf();
    }
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let ending = file.extension().map_or(String::new(), |ending| format!(".{}", ending.to_string_lossy()));
    let policy = coverage.policy.trim_end_matches(".gate").trim_start_matches("./").replace(['/', '\\', ':'], "-");
    file.with_file_name(format!("{stem}-{policy}{ending}"))
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(file, text).map_err(|error| {
        let why = crate::files::why(&error);
        Failure::new(Kind::File, format!("{} cannot be written: {why}", file.display()))
    })
}
