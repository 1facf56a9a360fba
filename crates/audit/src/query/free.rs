//! SQL of one's own over the views of a log: it reads, and can do nothing else.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;

use crate::{Id, Log, LogError};

/// What stands in a row.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SqlValue {
    /// `NULL`
    Null,
    /// A whole number.
    Integer(i64),
    /// A number.
    Real(f64),
    /// A text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// The longest text or blob that SQL may make.
const LONGEST: i32 = 64 << 20;

/// Steps of SQLite's machine between two looks at the clock.
const STEPS: i32 = 10_000;

impl Log {
    /// Runs one `SELECT` over the views and tables of the log, on a connection of its own that reads. Anything that would
    /// write, attach another file or change a setting is refused, and so is what takes longer than `time`.
    ///
    /// `columns` hears the names first, then `row` each row until it says to stop.
    ///
    /// # Errors
    /// [`LogError::Invalid`] when the SQL is refused or wrong, or takes too long; else when the log cannot be read.
    pub fn sql(
        &self,
        sql: &str,
        time: Duration,
        columns: impl FnOnce(&[&str]),
        mut row: impl FnMut(Vec<SqlValue>) -> ControlFlow<()>,
    ) -> Result<(), LogError> {
        let failed = |error: rusqlite::Error| LogError::Invalid(said(&error, time));
        let log = self.connect()?;
        let began = Instant::now();
        log.pragma_update(None, "query_only", true)
            .and_then(|()| log.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST))
            .and_then(|_| log.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0))
            .and_then(|_| log.authorizer(Some(reads)))
            .and_then(|()| log.progress_handler(STEPS, Some(move || began.elapsed() > time)))
            .map_err(failed)?;
        let mut statement = log.prepare(sql).map_err(failed)?;
        if !statement.readonly() {
            return Err(LogError::Invalid("the SQL would write, and a log is only read".into()));
        }
        columns(&statement.column_names());
        let width = statement.column_count();
        if width == 0 {
            return Err(LogError::Invalid("the SQL asks for nothing; write a SELECT".into()));
        }
        let mut rows = statement.query([]).map_err(failed)?;
        while let Some(found) = rows.next().map_err(failed)? {
            let values: rusqlite::Result<Vec<SqlValue>> = (0..width)
                .map(|at| {
                    Ok(match found.get_ref(at)? {
                        ValueRef::Null => SqlValue::Null,
                        ValueRef::Integer(number) => SqlValue::Integer(number),
                        ValueRef::Real(number) => SqlValue::Real(number),
                        ValueRef::Text(text) => SqlValue::Text(String::from_utf8_lossy(text).into_owned()),
                        ValueRef::Blob(bytes) => SqlValue::Blob(bytes.to_vec()),
                    })
                })
                .collect();
            if row(values.map_err(failed)?).is_break() {
                break;
            }
        }
        log.still()
    }

    /// The entries whose ids begin so; at most `most` of them, in the order of their ids. Upper case and hyphens are of no
    /// account.
    ///
    /// # Errors
    /// When it is not the beginning of an id, or the log cannot be read.
    pub fn find_by_prefix(&self, prefix: &str, most: usize) -> Result<Vec<(u64, Id)>, LogError> {
        let digits: String = prefix.chars().filter(|c| *c != '-').collect::<String>().to_lowercase();
        if digits.is_empty() || digits.len() > 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let told = "an id has 32 digits and letters from a to f, such as 0198c0de-…; the first few are enough";
            return Err(LogError::Invalid(told.into()));
        }
        let bound = |filler: &str| u128::from_str_radix(&format!("{digits}{}", filler.repeat(32 - digits.len())), 16);
        let (Ok(low), Ok(high)) = (bound("0"), bound("f")) else { return Ok(Vec::new()) };
        self.with_connection(|log| {
            let sql = "SELECT seq, id FROM entry WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3";
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let mut found = log.prepare_cached(sql)?;
            let rows = found.query_map((low.to_be_bytes(), high.to_be_bytes(), most), |row| {
                let (seq, id): (i64, [u8; 16]) = (row.get(0)?, row.get(1)?);
                Ok((u64::try_from(seq).unwrap_or_default(), Id::from_bytes(id)))
            })?;
            rows.collect()
        })
    }
}

/// Reading is allowed, and nothing else.
fn reads(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => Authorization::Allow,
        AuthAction::Function { function_name } if !function_name.eq_ignore_ascii_case("load_extension") => {
            Authorization::Allow
        }
        _ => Authorization::Deny,
    }
}

/// What SQLite says, in words for who wrote the SQL.
fn said(error: &rusqlite::Error, time: Duration) -> String {
    use rusqlite::ErrorCode::{AuthorizationForStatementDenied, OperationInterrupted, TooBig};
    match error.sqlite_error_code() {
        Some(OperationInterrupted) => format!("the SQL took longer than {} seconds", time.as_secs()),
        Some(AuthorizationForStatementDenied) => {
            "the SQL would do more than read; a log can be asked with SELECT alone".into()
        }
        Some(TooBig) => "the SQL makes a text that is too long".into(),
        _ => match error {
            rusqlite::Error::SqlInputError { msg, .. } => format!("the SQL is wrong: {msg}"),
            rusqlite::Error::MultipleStatement => "there is more than one statement; write one".into(),
            other => format!("the SQL cannot be run: {other}"),
        },
    }
}
