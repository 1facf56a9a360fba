//! Rows as a table, as JSON, as CSV and as JSON Lines.

use std::io::IsTerminal;

use serde_json::{Map, Number, Value};

use crate::args::Format;
use crate::failure::Failure;
use crate::output::{Output, Paint, plain};

/// What stands in one place of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Nothing,
    Whole(i64),
    Real(f64),
    Text(String),
    /// Names, in JSON an array.
    List(Vec<String>),
}

impl Cell {
    pub fn of(text: Option<&str>) -> Cell {
        text.map_or(Cell::Nothing, |text| Cell::Text(text.to_string()))
    }

    /// For people, harmless.
    fn person(&self) -> String {
        match self {
            Cell::Nothing => "-".into(),
            Cell::List(items) if items.is_empty() => "-".into(),
            Cell::List(items) => plain(&items.join(", ")),
            other => plain(&other.tool()),
        }
    }

    /// As it is, in text.
    fn tool(&self) -> String {
        match self {
            Cell::Nothing => String::new(),
            Cell::Whole(number) => number.to_string(),
            Cell::Real(number) => number.to_string(),
            Cell::Text(text) => text.clone(),
            Cell::List(items) => items.join("; "),
        }
    }

    fn json(&self) -> Value {
        match self {
            Cell::Nothing => Value::Null,
            Cell::Whole(number) => Value::from(*number),
            Cell::Real(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
            Cell::Text(text) => Value::from(text.as_str()),
            Cell::List(items) => Value::from(items.as_slice()),
        }
    }

    /// For a spreadsheet: quoted where it has to be. What a spreadsheet would run as a formula is kept from it by `'`.
    fn csv(&self) -> String {
        let text = self.tool();
        let is_text = matches!(self, Cell::Text(_) | Cell::List(_));
        let text = match is_text && text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
            true => format!("'{text}"),
            false => text,
        };
        match text.contains(['"', ',', '\n', '\r', '\'', ';']) || text.trim() != text {
            true => format!("\"{}\"", text.replace('"', "\"\"")),
            false => text,
        }
    }

    fn is_number(&self) -> bool {
        matches!(self, Cell::Whole(_) | Cell::Real(_))
    }
}

/// Rows on their way out. CSV and JSON Lines are written as they come.
#[derive(Debug)]
pub struct Rows<'o> {
    output: &'o Output,
    columns: Vec<String>,
    kept: Vec<Vec<Cell>>,
    buffer: String,
    begun: bool,
    count: u64,
}

/// What is written at once.
const BUFFER: usize = 64 << 10;

impl<'o> Rows<'o> {
    /// Columns of the same name are told apart.
    pub fn new(output: &'o Output, columns: impl IntoIterator<Item = impl Into<String>>) -> Rows<'o> {
        let mut named: Vec<String> = Vec::new();
        for column in columns {
            let name: String = column.into();
            let mut unique = name.clone();
            let mut again = 2;
            while named.contains(&unique) {
                unique = format!("{name}_{again}");
                again += 1;
            }
            named.push(unique);
        }
        Rows { output, columns: named, kept: Vec::new(), buffer: String::new(), begun: false, count: 0 }
    }

    /// How many there have been.
    pub fn count(&self) -> u64 {
        self.count
    }

    pub fn push(&mut self, row: Vec<Cell>) -> Result<(), Failure> {
        self.count += 1;
        match self.output.format {
            Format::Csv => {
                self.heading();
                let cells: Vec<String> = row.iter().map(Cell::csv).collect();
                self.buffer.push_str(&cells.join(","));
                self.buffer.push_str("\r\n");
            }
            Format::Jsonl => {
                let value = self.object(&row);
                self.buffer.push_str(&value.to_string());
                self.buffer.push('\n');
            }
            _ => self.kept.push(row),
        }
        if self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    fn heading(&mut self) {
        if !std::mem::replace(&mut self.begun, true) {
            let names: Vec<String> = self.columns.iter().map(|name| Cell::Text(name.clone()).csv()).collect();
            self.buffer.push_str(&names.join(","));
            self.buffer.push_str("\r\n");
        }
    }

    fn object(&self, row: &[Cell]) -> Value {
        let pairs = self.columns.iter().zip(row).map(|(name, cell)| (name.clone(), cell.json()));
        Value::Object(pairs.collect::<Map<_, _>>())
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let text = std::mem::take(&mut self.buffer);
        if std::io::stdout().is_terminal() {
            let lines = text.split('\n').map(|line| plain(line.trim_end_matches('\r')));
            return self.output.raw(&lines.collect::<Vec<_>>().join("\n"));
        }
        self.output.raw(&text)
    }

    /// Prints what is left.
    pub fn finish(mut self) -> Result<u64, Failure> {
        match self.output.format {
            Format::Csv => {
                self.heading();
                self.flush()?;
            }
            Format::Jsonl => self.flush()?,
            Format::Json => {
                let objects: Vec<Value> = self.kept.iter().map(|row| self.object(row)).collect();
                self.output.json(&objects)?;
            }
            _ => self.output.text(&self.table())?,
        }
        Ok(self.count)
    }

    fn table(&self) -> String {
        if self.kept.is_empty() {
            return String::new();
        }
        let rows: Vec<Vec<String>> = self.kept.iter().map(|row| row.iter().map(Cell::person).collect()).collect();
        let width = |at: usize| {
            let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count());
            cells.chain(self.columns.get(at).map(|name| plain(name).chars().count())).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let right = |at: usize| {
            let mut cells =
                self.kept.iter().filter_map(|row| row.get(at)).filter(|cell| **cell != Cell::Nothing).peekable();
            cells.peek().is_some() && cells.all(Cell::is_number)
        };
        let rights: Vec<bool> = (0..self.columns.len()).map(right).collect();
        let line = |cells: &[String]| {
            let mut text = String::new();
            for ((cell, width), right) in cells.iter().zip(&widths).zip(&rights) {
                let pad = " ".repeat(width.saturating_sub(cell.chars().count()));
                text.push_str(&if *right { format!("{pad}{cell}  ") } else { format!("{cell}{pad}  ") });
            }
            text.trim_end().to_string() + "\n"
        };
        let names: Vec<String> = self.columns.iter().map(|name| plain(name)).collect();
        let mut out = Paint::Bold.on(line(&names).trim_end(), self.output.colour) + "\n";
        for row in &rows {
            out.push_str(&line(row));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_is_quoted_and_runs_no_formula() {
        for (text, csv) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            (" blank", "\" blank\""),
            ("=cmd()", "\"'=cmd()\""),
            ("@sum", "\"'@sum\""),
            ("-1", "\"'-1\""),
            ("", ""),
        ] {
            assert_eq!(Cell::Text(text.into()).csv(), csv);
        }
        assert_eq!(Cell::Whole(-1).csv(), "-1");
        assert_eq!(Cell::List(vec!["qa".into(), "office".into()]).csv(), "\"qa; office\"");
    }
}
