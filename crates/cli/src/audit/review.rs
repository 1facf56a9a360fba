//! `stagegate audit review`

use std::path::PathBuf;

use chrono::Utc;
use clap::Args as ClapArgs;
use stagegate_audit::{Entry, Id, Log, Options, Review as Reviewed};

use super::show::find;
use crate::failure::{Failure, Kind};
use crate::output::{Output, plain};

/// Record that somebody has looked at a decision, most often at its override
///
/// What is still open: stagegate audit query LOG 'overridden by any and not reviewed'
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:
  stagegate audit review decisions.log 0198c0de --by lee --note 'the outage of March 6; ticket 4711'\n
JSON: {id, of, by, note}, where id is that of the review.")]
pub struct Review {
    /// The log
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// The id of a decision, or its beginning
    #[arg(value_name = "ID")]
    id: String,
    /// Who has looked
    #[arg(long, value_name = "WHO")]
    by: String,
    /// What they have to say
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    note: String,
}

pub fn run(args: &Review, output: &Output) -> Result<u8, Failure> {
    let (by, note) = (args.by.trim(), args.note.trim());
    for (option, text) in [("--by", by), ("--note", note)] {
        if text.is_empty() {
            return Err(Failure::new(
                Kind::Usage,
                format!("{option} is empty: a review says who looked, and what they saw"),
            ));
        }
    }
    let failed = |error: stagegate_audit::LogError| Failure::log(&error);
    let log = Log::open(&args.log, &Options::new()).map_err(failed)?;
    let stored = find(&log, &args.id)?;
    let Entry::Decision(record) = stored.entry().map_err(failed)? else {
        return Err(Failure::new(Kind::Log, format!("{} is no decision; only decisions are reviewed", stored.id)));
    };
    let (id, of) = (Id::new(), record.id);
    let review = Reviewed { id, recorded: Utc::now(), of, by: by.to_string(), note: note.to_string() };
    log.append(Entry::Review(review), None).map_err(failed)?;
    if output.is_json() {
        let shown = serde_json::json!({ "id": id.to_string(), "of": of.to_string(), "by": by, "note": note });
        output.json(&shown)?;
    } else if !output.quiet {
        let decision = &record.decision;
        let of = format!("{} of {} into {}", decision.verdict(), plain(decision.build()), plain(decision.stage()));
        output.text(&format!("{} has reviewed the {of}; the review is {id}\n", plain(by)))?;
    }
    Ok(0)
}
