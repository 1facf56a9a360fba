//! A log as Parquet files, for DuckDB, Spark, DataFusion and their like: tables of decisions, rules, approvals, overrides,
//! reviews and of what was dropped, a file for each month, sorted by time. `docs/audit.md` describes the columns.
//!
//! The files are for asking; what they leave out (details in words, histories, fractions of a microsecond) is in the log
//! and in its JSON Lines.

mod columns;
mod facts;
mod tables;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike, Utc};
use rayon::prelude::*;
use serde::Serialize;
use stagegate::Policy;

use crate::replay::{Lines, Options, in_pieces, when};
use crate::{Entry, LogError};
use columns::{Column, Table};
use facts::FactColumns;
use tables::{Kind, Rows};

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Written {
    /// Rows, by table.
    pub rows: BTreeMap<&'static str, u64>,
    /// Files.
    pub files: u64,
    /// Bytes, by table.
    pub bytes: BTreeMap<&'static str, u64>,
}

/// The version of the tables: another when a column goes or means something else.
const FORMAT: u32 = 1;

/// Lines that lie in memory as records at a time.
const CHUNK: usize = 4_096;

/// Writes a log as Parquet files below a folder that is not there yet, or is empty. `policies` are those of the log: the
/// facts that they declare become columns. `origin` goes into the metadata of each file.
///
/// What fails leaves nothing under that name. As long as it is not whole, it lies in a folder beside it whose name ends in
/// `.partial`.
///
/// # Errors
/// When the log cannot be read or is damaged, or the files cannot be written.
pub fn to_parquet(
    lines: &(impl Lines + ?Sized),
    policies: &[Policy],
    origin: &str,
    folder: &Path,
    options: &Options,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Written, LogError> {
    let partial = beside(folder);
    let free = match std::fs::read_dir(folder) {
        Ok(mut inside) => inside.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) => return Err(LogError::io(folder, error)),
    };
    if !free {
        return Err(LogError::Invalid(format!("{}: it is not empty", folder.display())));
    }
    std::fs::create_dir_all(folder.parent().unwrap_or(Path::new(""))).map_err(|error| LogError::io(folder, error))?;
    std::fs::create_dir(&partial).map_err(|error| LogError::io(&partial, error))?;
    let written = below(lines, policies, origin, &partial, options, progress).and_then(|written| {
        if folder.exists() {
            std::fs::remove_dir(folder).map_err(|error| LogError::io(folder, error))?;
        }
        std::fs::rename(&partial, folder).map_err(|error| LogError::io(folder, error))?;
        Ok(written)
    });
    written.inspect_err(|_| {
        // It was made above, and there is nothing in it but what was written since.
        let _ = std::fs::remove_dir_all(&partial);
    })
}

/// Writes the files below a folder that is there and empty.
fn below(
    lines: &(impl Lines + ?Sized),
    policies: &[Policy],
    origin: &str,
    folder: &Path,
    options: &Options,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Written, LogError> {
    let months = months(lines, options)?;
    let count: u64 = months.values().map(|month| month.len() as u64).sum();
    let facts = FactColumns::new(policies);
    let metadata = [("log", origin.to_string()), ("facts", facts.described()), ("format", FORMAT.to_string())];
    let metadata = metadata.map(|(key, value)| (format!("stagegate.{key}"), value));
    let mut written = Written::default();
    let mut done = 0;
    for ((year, month), mut entries) in months {
        entries.sort_unstable();
        let mut files = Files { folder, year, month, facts: &facts, metadata: &metadata, open: BTreeMap::new() };
        for chunk in entries.chunks(CHUNK) {
            for (seq, entry) in read(lines, chunk)? {
                files.put(seq, &entry)?;
            }
            done += chunk.len() as u64;
            progress(done, count);
        }
        files.finish(&mut written)?;
    }
    Ok(written)
}

/// `DIR.partial`
fn beside(folder: &Path) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_os_string();
    name.push(".partial");
    folder.with_file_name(name)
}

type Months = BTreeMap<(i32, u32), Vec<(DateTime<Utc>, u64)>>;

/// Which entries belong to which month: decisions by the instant decided for, the others by when they were recorded.
fn months(lines: &(impl Lines + ?Sized), options: &Options) -> Result<Months, LogError> {
    let mut months = Months::new();
    let each = |partial: &mut Vec<(DateTime<Utc>, u64)>, seq, line: &str| {
        if let Some(at) = when(seq, line, options)? {
            partial.push((at, seq));
        }
        Ok(())
    };
    in_pieces(lines, options, &mut |_, _| {}, each, |partial| {
        for (at, seq) in partial {
            months.entry((at.year(), at.month())).or_default().push((at, seq));
        }
    })?;
    Ok(months)
}

/// The entries of a chunk, in its order.
fn read(lines: &(impl Lines + ?Sized), chunk: &[(DateTime<Utc>, u64)]) -> Result<Vec<(u64, Entry)>, LogError> {
    let parts: Vec<Result<Vec<(u64, Entry)>, LogError>> = chunk
        .par_chunks(256)
        .map(|part| {
            let mut entries = Vec::with_capacity(part.len());
            // Entries that follow one another in the log are read in one go.
            for run in part.chunk_by(|(_, one), (_, next)| one.checked_add(1) == Some(*next)) {
                let Some((_, first)) = run.first() else { continue };
                let range = *first..first.saturating_add(run.len() as u64);
                lines.read(range, &mut |seq, line| {
                    let entry = Entry::from_json(line);
                    entries.push((seq, entry.map_err(|error| LogError::Damaged { seq, why: error.to_string() })?));
                    Ok(())
                })?;
            }
            Ok(entries)
        })
        .collect();
    let mut entries = Vec::with_capacity(chunk.len());
    for part in parts {
        entries.extend(part?);
    }
    Ok(entries)
}

/// The files of one month; each is made when its first row comes.
struct Files<'a> {
    folder: &'a Path,
    year: i32,
    month: u32,
    facts: &'a FactColumns,
    metadata: &'a [(String, String)],
    open: BTreeMap<Kind, (PathBuf, Table)>,
}

impl Files<'_> {
    fn put(&mut self, seq: u64, entry: &Entry) -> Result<(), LogError> {
        match entry {
            Entry::Decision(record) => {
                let facts = self.facts;
                self.row(Kind::Decisions, |columns| tables::decision(columns, seq, record, facts))?;
                self.rows(Kind::Rules, tables::rules(seq, record))?;
                self.rows(Kind::Approvals, tables::approvals(seq, record))?;
                self.rows(Kind::Overrides, tables::overrides(seq, record))
            }
            Entry::Review(review) => self.row(Kind::Reviews, |columns| tables::review(columns, seq, review)),
            Entry::Dropped(dropped) => self.row(Kind::Dropped, |columns| tables::dropped(columns, seq, dropped)),
        }
    }

    fn rows(&mut self, kind: Kind, rows: Rows<'_>) -> Result<(), LogError> {
        rows.into_iter().try_for_each(|row| self.row(kind, row))
    }

    fn row(&mut self, kind: Kind, fill: impl Fn(&mut [Column])) -> Result<(), LogError> {
        if !self.open.contains_key(&kind) {
            let Files { folder, year, month, .. } = self;
            let folder = folder.join(kind.name()).join(format!("year={year:04}")).join(format!("month={month:02}"));
            std::fs::create_dir_all(&folder).map_err(|error| LogError::io(&folder, error))?;
            let path = folder.join(format!("{}.parquet", kind.name()));
            let table = Table::create(&path, kind.name(), kind.columns(self.facts), self.metadata)?;
            self.open.insert(kind, (path, table));
        }
        let Some((_, table)) = self.open.get_mut(&kind) else { return Ok(()) };
        fill(&mut table.columns);
        table.end_row()
    }

    fn finish(self, written: &mut Written) -> Result<(), LogError> {
        for (kind, (path, table)) in self.open {
            *written.rows.entry(kind.name()).or_default() += table.written;
            table.finish()?;
            let size = std::fs::metadata(&path).map_err(|error| LogError::io(&path, error))?.len();
            *written.bytes.entry(kind.name()).or_default() += size;
            written.files += 1;
        }
        Ok(())
    }
}
