//! `stagegate audit sql`

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args as ClapArgs;
use stagegate_audit::query::SqlValue;
use stagegate_audit::{Log, LogError};

use super::rows::{Cell, Rows};
use crate::failure::{Failure, Kind};
use crate::output::Output;

/// Ask a log in SQL, over documented views; it can only read
///
/// The views: v_decision, v_rule, v_approval, v_override and v_review. Anything but one SELECT is refused.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  stagegate audit sql decisions.log 'SELECT stage, verdict, count(*) FROM v_decision GROUP BY 1, 2'
  stagegate audit sql decisions.log \"SELECT at, build FROM v_decision JOIN v_rule USING (seq)
    WHERE rule = 'soak' AND status = 'overridden'\" --format csv\n
JSON: an array of objects, one a row; bytes are hexadecimal.")]
pub struct Sql {
    /// The log
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// One SELECT
    #[arg(value_name = "SQL")]
    sql: String,
    /// Print at most so many rows
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Give up after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
}

pub fn run(args: &Sql, output: &Output) -> Result<u8, Failure> {
    let log = Log::read(&args.log).map_err(|error| Failure::log(&error))?;
    let rows = std::cell::OnceCell::new();
    let mut kept: Option<Rows<'_>> = None;
    let mut failed = None;
    let limit = args.limit.unwrap_or(u64::MAX);
    let asked = log.sql(
        &args.sql,
        Duration::from_secs(args.timeout),
        |columns| {
            let _ = rows.set(columns.iter().map(|name| (*name).to_string()).collect::<Vec<_>>());
        },
        |row| {
            let columns = rows.get().cloned().unwrap_or_default();
            let rows = kept.get_or_insert_with(|| Rows::new(output, columns));
            if rows.count() >= limit {
                return ControlFlow::Break(());
            }
            match rows.push(row.into_iter().map(cell).collect()) {
                Ok(()) => ControlFlow::Continue(()),
                Err(failure) => {
                    failed = Some(failure);
                    ControlFlow::Break(())
                }
            }
        },
    );
    asked.map_err(|error| match &error {
        LogError::Invalid(message) => Failure::new(Kind::Query, message.clone()),
        other => Failure::log(other),
    })?;
    if let Some(failure) = failed {
        return Err(failure);
    }
    let rows = kept.unwrap_or_else(|| Rows::new(output, rows.get().cloned().unwrap_or_default()));
    rows.finish()?;
    Ok(0)
}

fn cell(value: SqlValue) -> Cell {
    match value {
        SqlValue::Integer(number) => Cell::Whole(number),
        SqlValue::Real(number) => Cell::Real(number),
        SqlValue::Text(text) => Cell::Text(text),
        SqlValue::Blob(bytes) => Cell::Text(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
        _ => Cell::Nothing,
    }
}
