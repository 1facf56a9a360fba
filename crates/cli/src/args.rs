//! What the command line takes. Completions and the man page come from here too.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

/// May this build enter the next stage? Checks promotion policies, decides by them, and says when what happens.
#[derive(Debug, Parser)]
#[command(name = "stagegate", version, max_term_width = 100, after_help = EXAMPLES)]
#[command(after_long_help = MORE)]
pub struct Args {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  stagegate check policies
  stagegate decide --policy web.gate --request request.json
  stagegate next --cron '0 3 * * 1-5' --zone Europe/Berlin
  stagegate describe web.gate";

const MORE: &str = "\
Examples:
  stagegate check policies
  stagegate decide --policy web.gate --request request.json
  stagegate next --cron '0 3 * * 1-5' --zone Europe/Berlin
  stagegate describe web.gate

Exit codes:
  decide  0 allow, 1 deny, 3 hold, 2 error
  check   0 no errors, 1 errors, 2 a file cannot be read, wrong usage
  fmt     0 done (with --check: nothing to do), 1 would change, 2 error
  others  0 done, 2 error

With --format json, standard output holds exactly one JSON value. An error is
  {\"error\": {\"kind\": …, \"message\": …, \"help\": […], \"diagnostics\": […], \"problems\": […]}}
where kind is one of usage, policy, request, cron, zone, time, stage, file, log, query; diagnostics
are those of a policy, a cron expression, a zone or a query, and problems those of a request.";

/// Options of every command.
#[derive(Clone, Debug, ClapArgs)]
pub struct Global {
    /// Text for people, or one JSON value for tools
    #[arg(long, global = true, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    #[arg(help_heading = "Options of every command")]
    pub format: Format,
    /// Colours; auto means on a terminal, and not when NO_COLOR is set
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    #[arg(help_heading = "Options of every command")]
    pub color: Colour,
    /// Say less: no warnings, notes, summaries or progress; decide prints the verdict alone
    #[arg(short, long, global = true, help_heading = "Options of every command")]
    pub quiet: bool,
    /// Folder that includes never leave [default: the folder of the policy, or the folder given to check]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Options of every command")]
    pub root: Option<PathBuf>,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    #[value(alias = "table")]
    Text,
    Json,
    /// The Test Anything Protocol (`test` alone)
    Tap,
    /// Comma-separated values (`audit query` and `audit sql`)
    Csv,
    /// One JSON object a line (`audit query` and `audit sql`)
    Jsonl,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    Auto,
    Always,
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    Check(Check),
    Decide(Decide),
    Next(Next),
    Timeline(Timeline),
    Describe(Describe),
    Fmt(Fmt),
    Test(Test),
    Mutate(Mutate),
    Cases(Cases),
    Audit(crate::audit::Audit),
    Replay(crate::replay::Replay),
    Completions(Completions),
    Man(Man),
    Schema(Schema),
}

/// Compile policies and print everything that is wrong with them
///
/// Files that other policies include, and files of tests, are checked too. Exits with 0 when there is no error
/// (warnings do not count), 1 when there is, 2 when a file cannot be read.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  stagegate check web.gate\n  stagegate check policies --format json\n
JSON: an array of {code, severity, message, file, line, column, labels, help}.")]
pub struct Check {
    /// Policies; of a folder, the .gate files below it; - reads standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// May this build enter the stage? One decision, with every reason
///
/// Exits with 0 for allow, 1 for deny, 3 for hold, 2 for an error. A request without `now` is decided for the present
/// moment.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  stagegate decide --policy web.gate --request request.json
  make-request | stagegate decide --policy web.gate --request - --format json
  stagegate decide --policy web.gate --request request.json --at '2026-03-06 18:00'
  stagegate decide --policy web.gate --request request.json --log decisions.log --asked-by deploy-bot")]
pub struct Decide {
    /// The policy; - reads it from standard input
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,
    /// The request in JSON; - reads it from standard input
    #[arg(long, value_name = "FILE|-")]
    pub request: PathBuf,
    /// Decide for this time, whatever the request says: RFC 3339, a local time in the policy's zone, or `now`
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub at: Option<String>,
    /// Record the decision in this log before it is printed; the log is made if there is none. What cannot be recorded is
    /// not decided: the exit code is 2
    #[arg(long, value_name = "LOG")]
    pub log: Option<PathBuf>,
    /// Who asks, as the log is to say it
    #[arg(long, value_name = "WHO", requires = "log")]
    pub asked_by: Option<String>,
    /// The key for digests of secret facts, which the log keeps in place of their values [default: LOG.secret-key, made
    /// when the first secret is recorded]
    #[arg(long, value_name = "FILE", requires = "log")]
    pub secret_key: Option<PathBuf>,
}

/// Coming firings of schedules, and edges of windows and freezes
///
/// Those of a policy, or the firings of one cron expression. Times are RFC 3339, a local time such as
/// '2026-03-04 10:00' or a day, in the zone given or the policy's, or `now`.
#[derive(Debug, ClapArgs)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["policy", "cron"]))]
#[command(after_help = "Examples:\n  stagegate next --policy web.gate --stage Test
  stagegate next --cron '*/15 9-17 * * 1-5' --zone Europe/Berlin --count 3
  stagegate next --cron '0 3 * * *' --after 2026-03-08 --format json\n
JSON: of a cron expression an array of RFC 3339 instants with the zone's offset; of a policy an
array of {at, stage, rule, what}, where what is fires, opens, closes, freezes or thaws.")]
pub struct Next {
    /// The policy
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Only this stage of it
    #[arg(long, value_name = "STAGE", conflicts_with = "cron")]
    pub stage: Option<String>,
    /// A cron expression: minute, hour, day of month, month, day of week
    #[arg(long, value_name = "EXPR", allow_hyphen_values = true)]
    pub cron: Option<String>,
    /// The time zone of the expression [default: UTC]
    #[arg(long, value_name = "TZ", conflicts_with = "policy")]
    pub zone: Option<String>,
    /// Look after this time (not at it) [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub after: Option<String>,
    /// How many to print, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub count: u16,
}

/// When the verdict changes, if nothing but time does
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  stagegate timeline --policy web.gate --request request.json
  stagegate timeline --policy web.gate --request request.json --from 2026-12-20 --to 2027-01-03\n
JSON: {policy, stage, build, zone, from, to, complete, stretches: [{from, to, verdict, blocking}]}.")]
pub struct Timeline {
    /// The policy; - reads it from standard input
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,
    /// The request in JSON; - reads it from standard input
    #[arg(long, value_name = "FILE|-")]
    pub request: PathBuf,
    /// From this time on [default: the request's now, else the present]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub from: Option<String>,
    /// Until this time, at most ten years later [default: seven days later]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub to: Option<String>,
}

/// The policy in plain words, with its pipeline as a diagram
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  stagegate describe web.gate
  stagegate describe web.gate --diagram mermaid\n  stagegate describe web.gate --format json")]
pub struct Describe {
    /// The policy; - reads it from standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Print the diagram of the pipeline alone
    #[arg(long, value_enum, value_name = "KIND")]
    pub diagram: Option<Diagram>,
    /// Tell the firings that come after this time [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub after: Option<String>,
}

/// Kinds of diagrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Diagram {
    /// For a terminal
    Text,
    /// For Markdown pages and wikis that draw Mermaid
    Mermaid,
}

/// Lay policies out in the one canonical way; comments are kept
///
/// A file with syntax errors is left as it is; the others are done. Exits with 0, with 1 if --check finds a file that
/// would change, with 2 if a file cannot be laid out.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  stagegate fmt policies\n  stagegate fmt --check policies
  stagegate fmt - < web.gate\n
JSON: an array of {file, status, text, diff, error}, where status is unchanged, changed,
would-change or error; text is given for - alone.")]
pub struct Fmt {
    /// Policies; of a folder, the .gate files below it; - reads standard input and writes standard output
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Change nothing, but show what would change
    #[arg(long)]
    pub check: bool,
}

/// Run the tests of policies
///
/// Those in a policy, in files of tests beside it (`x_test.gate`, or `test for "x.gate"` at the top), and cases in JSON
/// (`x_test.json`, `x_test.jsonl`). Exits with 0 when all passed, 1 when one failed, there was none, or too little is
/// covered, 2 when something could not run.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  stagegate test policies\n  stagegate test policies --report junit=results.xml
  stagegate test web.gate --filter weekend\n  stagegate test web.gate --coverage --report html=coverage.html --threshold 90\n
JSON: {passed, failed, could_not_run, not_run, seconds, results, problems, coverage}.")]
pub struct Test {
    /// Policies and files of tests; of a folder, those below it
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Only tests whose name or file contains this
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// Stop at the first test that does not pass
    #[arg(long)]
    pub fail_fast: bool,
    /// Print the names of the tests and run none
    #[arg(long)]
    pub list: bool,
    /// Print the tests that pass, too
    #[arg(long)]
    pub verbose: bool,
    /// That there is no test is no failure
    #[arg(long)]
    pub allow_empty: bool,
    /// Threads [default: one for each core]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub jobs: usize,
    /// Write a report: junit, tap or json of the results, html or lcov of what they cover; may be given several times.
    /// Of several policies, each has an html page of its own, with the policy's name before the ending
    #[arg(long, value_name = "KIND=FILE", value_parser = report)]
    pub report: Vec<Report>,
    /// Say what the tests never exercise
    #[arg(long)]
    pub coverage: bool,
    /// Percent of each policy that its tests must exercise
    #[arg(long, value_name = "N", value_parser = percent)]
    pub threshold: Option<f64>,
}

/// What a report is of, and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub kind: ReportKind,
    pub file: PathBuf,
}

/// Kinds of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportKind {
    Junit,
    Tap,
    Json,
    Html,
    Lcov,
}

fn report(text: &str) -> Result<Report, String> {
    let (kind, file) = text.split_once('=').ok_or("write KIND=FILE, such as junit=results.xml")?;
    let kind = match kind {
        "junit" => ReportKind::Junit,
        "tap" => ReportKind::Tap,
        "json" => ReportKind::Json,
        "html" => ReportKind::Html,
        "lcov" => ReportKind::Lcov,
        other => return Err(format!("there is no report {other}: there are junit, tap, json, html and lcov")),
    };
    if file.is_empty() {
        return Err("the name of the file is missing".into());
    }
    Ok(Report { kind, file: file.into() })
}

fn percent(text: &str) -> Result<f64, String> {
    let number: f64 = text.trim_end_matches('%').trim().parse().map_err(|_| "a number from 0 to 100")?;
    if (0.0..=100.0).contains(&number) { Ok(number) } else { Err("a number from 0 to 100".into()) }
}

/// Break policies on purpose, and see whether their tests notice
///
/// Makes small wrong versions of a policy (a threshold off by one, a rule taken out, a window an hour longer) and runs
/// the tests on each. A version that no test notices is shown as a difference, with a test that would have noticed,
/// ready to be kept. Exits with 0 when every one was noticed, 1 when one was not, 2 when something could not run.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  stagegate mutate web.gate\n  stagegate mutate policies --threshold 90 --format json\n
JSON: an array of {policy, mutants: [{what, at, diff, fate, test}]}; fate is killed, survived or equivalent."
)]
pub struct Mutate {
    /// Policies; of a folder, those below it
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Threads [default: one for each core]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub jobs: usize,
    /// Percent of the wrong versions that the tests must notice
    #[arg(long, value_name = "N", default_value = "100", value_parser = percent)]
    pub threshold: f64,
    /// Requests to try for each version that was not noticed, in search of one that tells it from the policy
    #[arg(long, value_name = "N", default_value_t = 4_000)]
    pub search: usize,
    /// Print nothing but the tests that would have noticed
    #[arg(long)]
    pub tests: bool,
}

/// Boundary cases of a stage, as tests to read and keep
///
/// From the policy alone: requests one step on either side of each threshold, window edge, soak, expiry and quorum, and
/// of the days when clocks change, each with the decision the engine gives. Whether that is what the policy should say
/// is for a person to judge.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:\n  stagegate cases web.gate Staging > web-staging_test.gate\n
JSON: {stage, usual, decision, cases: [{name, rule, request, decision, test}]}.")]
pub struct Cases {
    /// The policy
    #[arg(value_name = "POLICY")]
    pub policy: PathBuf,
    /// The stage
    #[arg(value_name = "STAGE")]
    pub stage: String,
    /// Only cases near an edge of this rule
    #[arg(long, value_name = "RULE")]
    pub rule: Option<String>,
}

/// Print a script that completes this command line in a shell
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  stagegate completions bash > /etc/bash_completion.d/stagegate
  stagegate completions zsh > ~/.zfunc/_stagegate\n  stagegate completions fish > ~/.config/fish/completions/stagegate.fish")]
pub struct Completions {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

/// Print the man page
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:\n  stagegate man | man -l -")]
pub struct Man {}

/// Print the JSON Schema of a request or a decision
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:\n  stagegate schema request > request.schema.json")]
pub struct Schema {
    /// Of which
    #[arg(value_enum, value_name = "WHICH")]
    pub which: Which,
}

/// Of what there are schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// What decide reads
    Request,
    /// What decide prints with --format json
    Decision,
}
