//! Columns in memory, and a file of them: rows are gathered until a group is full, and then written column by column.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::{ColumnPath, TypePtr};

use crate::LogError;

/// What one value of a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scalar {
    Bool,
    Number,
    Whole,
    /// Microseconds since 1970.
    Time,
    Text,
    /// Text that is JSON.
    Json,
}

/// What a column holds in one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shape {
    /// A value in every row.
    Always(Scalar),
    /// A value, or none.
    One(Scalar),
    List(Scalar),
    Map(Scalar),
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Bool(bool),
    Number(f64),
    Whole(i64),
    Text(String),
}

#[derive(Clone, Debug)]
enum Values {
    Bool(Vec<bool>),
    Number(Vec<f64>),
    Whole(Vec<i64>),
    Text(Vec<ByteArray>),
}

impl Values {
    fn new(scalar: Scalar) -> Values {
        match scalar {
            Scalar::Bool => Values::Bool(Vec::new()),
            Scalar::Number => Values::Number(Vec::new()),
            Scalar::Whole | Scalar::Time => Values::Whole(Vec::new()),
            Scalar::Text | Scalar::Json => Values::Text(Vec::new()),
        }
    }

    /// Whether it was of the right kind.
    fn push(&mut self, cell: Cell) -> bool {
        match (self, cell) {
            (Values::Bool(values), Cell::Bool(value)) => values.push(value),
            (Values::Number(values), Cell::Number(value)) => values.push(value),
            (Values::Whole(values), Cell::Whole(value)) => values.push(value),
            (Values::Text(values), Cell::Text(value)) => values.push(value.into_bytes().into()),
            _ => return false,
        }
        true
    }

    fn clear(&mut self) {
        match self {
            Values::Bool(values) => values.clear(),
            Values::Number(values) => values.clear(),
            Values::Whole(values) => values.clear(),
            Values::Text(values) => values.clear(),
        }
    }
}

/// A column, or of a map the column of its keys and that of its values.
#[derive(Clone, Debug)]
pub(super) struct Column {
    name: String,
    shape: Shape,
    /// The keys of a map.
    keys: Vec<ByteArray>,
    values: Values,
    /// How much of the way to a value is there, and where a row begins: Parquet's definition and repetition levels.
    levels: Vec<i16>,
    begins: Vec<i16>,
}

impl Column {
    pub fn new(name: impl Into<String>, shape: Shape) -> Column {
        let (Shape::Always(scalar) | Shape::One(scalar) | Shape::List(scalar) | Shape::Map(scalar)) = shape;
        let values = Values::new(scalar);
        Column { name: name.into(), shape, keys: Vec::new(), values, levels: Vec::new(), begins: Vec::new() }
    }

    /// As the schema declares it.
    fn declared(&self) -> String {
        let (Shape::Always(scalar) | Shape::One(scalar) | Shape::List(scalar) | Shape::Map(scalar)) = self.shape;
        let (ty, note) = match scalar {
            Scalar::Bool => ("boolean", ""),
            Scalar::Number => ("double", ""),
            Scalar::Whole => ("int64", ""),
            Scalar::Time => ("int64", " (TIMESTAMP(MICROS,true))"),
            Scalar::Text => ("binary", " (STRING)"),
            Scalar::Json => ("binary", " (JSON)"),
        };
        let name = &self.name;
        match self.shape {
            Shape::Always(_) => format!("required {ty} {name}{note};"),
            Shape::One(_) => format!("optional {ty} {name}{note};"),
            Shape::List(_) => {
                format!("optional group {name} (LIST) {{ repeated group list {{ optional {ty} element{note}; }} }}")
            }
            Shape::Map(_) => format!(
                "optional group {name} (MAP) {{ repeated group key_value {{ \
                 required binary key (STRING); optional {ty} value{note}; }} }}"
            ),
        }
    }

    /// The value of this row; whether the column takes it.
    pub fn one(&mut self, cell: Option<Cell>) -> bool {
        match (self.shape, cell) {
            (Shape::Always(_), Some(cell)) => self.values.push(cell),
            (Shape::One(_), Some(cell)) => {
                let taken = self.values.push(cell);
                if taken {
                    self.levels.push(1);
                }
                taken
            }
            (Shape::One(_), None) => {
                self.levels.push(0);
                true
            }
            (Shape::List(_) | Shape::Map(_), None) => {
                self.level(0, 0);
                true
            }
            _ => false,
        }
    }

    pub fn text(&mut self, text: Option<&str>) -> bool {
        self.one(text.map(|text| Cell::Text(text.to_string())))
    }

    fn level(&mut self, level: i16, begins: i16) {
        self.levels.push(level);
        self.begins.push(begins);
    }

    /// The list of this row; a cell that is no value of the column's kind stands as null.
    pub fn list(&mut self, cells: impl IntoIterator<Item = Option<Cell>>) {
        let mut begins = 0;
        for cell in cells {
            let there = cell.is_some_and(|cell| self.values.push(cell));
            self.level(if there { 3 } else { 2 }, begins);
            begins = 1;
        }
        if begins == 0 {
            self.level(1, 0);
        }
    }

    pub fn texts<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) {
        self.list(texts.into_iter().map(|text| Some(Cell::Text(text.to_string()))));
    }

    /// The map of this row.
    pub fn map(&mut self, cells: impl IntoIterator<Item = (String, Option<Cell>)>) {
        let mut begins = 0;
        for (key, cell) in cells {
            self.keys.push(key.into_bytes().into());
            let there = cell.is_some_and(|cell| self.values.push(cell));
            self.level(if there { 3 } else { 2 }, begins);
            begins = 1;
        }
        if begins == 0 {
            self.level(1, 0);
        }
    }

    fn clear(&mut self) {
        self.keys.clear();
        self.values.clear();
        self.levels.clear();
        self.begins.clear();
    }

    fn write(&self, group: &mut SerializedRowGroupWriter<'_, BufWriter<File>>) -> Result<(), ParquetError> {
        let (levels, begins) = match self.shape {
            Shape::Always(_) => (None, None),
            Shape::One(_) => (Some(self.levels.as_slice()), None),
            Shape::List(_) | Shape::Map(_) => (Some(self.levels.as_slice()), Some(self.begins.as_slice())),
        };
        if let Shape::Map(_) = self.shape {
            // A key is there whenever its entry is.
            let keys: Vec<i16> = self.levels.iter().map(|level| (*level).min(2)).collect();
            let mut column = next(group)?;
            if let ColumnWriter::ByteArrayColumnWriter(writer) = column.untyped() {
                writer.write_batch(&self.keys, Some(&keys), begins)?;
            }
            column.close()?;
        }
        let mut column = next(group)?;
        match (column.untyped(), &self.values) {
            (ColumnWriter::BoolColumnWriter(writer), Values::Bool(values)) => {
                writer.write_batch(values, levels, begins)
            }
            (ColumnWriter::DoubleColumnWriter(writer), Values::Number(values)) => {
                writer.write_batch(values, levels, begins)
            }
            (ColumnWriter::Int64ColumnWriter(writer), Values::Whole(values)) => {
                writer.write_batch(values, levels, begins)
            }
            (ColumnWriter::ByteArrayColumnWriter(writer), Values::Text(values)) => {
                writer.write_batch(values, levels, begins)
            }
            _ => Err(ParquetError::General(format!("the column {} is of another kind", self.name))),
        }?;
        column.close()
    }
}

fn next<'a>(
    group: &'a mut SerializedRowGroupWriter<'_, BufWriter<File>>,
) -> Result<parquet::file::writer::SerializedColumnWriter<'a>, ParquetError> {
    group.next_column()?.ok_or_else(|| ParquetError::General("there are fewer columns than expected".into()))
}

/// A file of columns being written.
pub(super) struct Table {
    path: PathBuf,
    writer: SerializedFileWriter<BufWriter<File>>,
    pub columns: Vec<Column>,
    rows: usize,
    /// Rows written so far.
    pub written: u64,
}

/// Rows of a group: what lies in memory at a time.
const GROUP: usize = 131_072;

/// Texts of which there are nearly as many as rows; those of neighbours begin alike.
const ONCE: [&str; 3] = ["id", "build", "version"];

/// How the columns of a table are written.
fn properties(columns: &[Column], metadata: &[(String, String)]) -> Result<WriterPropertiesPtr, ParquetError> {
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(9)?))
        .set_created_by(format!("stagegate {}", stagegate::VERSION))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_key_value_metadata(Some(
            metadata.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone())).collect(),
        ));
    let mut leaf = 0;
    for column in columns {
        let path = ColumnPath::from(column.name.as_str());
        match column.shape {
            // What rises from row to row, or nearly: differences are small where values are not.
            Shape::Always(Scalar::Whole | Scalar::Time) | Shape::One(Scalar::Time) => {
                builder = builder
                    .set_column_dictionary_enabled(path.clone(), false)
                    .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
            }
            // What occurs once, or a few times near to one another: a dictionary of all of them would be in vain.
            Shape::Always(Scalar::Text) | Shape::One(Scalar::Text) if ONCE.contains(&column.name.as_str()) => {
                builder = builder
                    .set_column_dictionary_enabled(path.clone(), false)
                    .set_column_encoding(path, Encoding::DELTA_BYTE_ARRAY);
            }
            _ => {}
        }
        if column.name == "at" {
            builder = builder.set_sorting_columns(Some(vec![SortingColumn {
                column_idx: leaf,
                descending: false,
                nulls_first: false,
            }]));
        }
        leaf += if matches!(column.shape, Shape::Map(_)) { 2 } else { 1 };
    }
    Ok(Arc::new(builder.build()))
}

impl Table {
    /// Makes the file.
    pub fn create(
        path: &Path,
        name: &str,
        columns: Vec<Column>,
        metadata: &[(String, String)],
    ) -> Result<Table, LogError> {
        let declared: String = columns.iter().map(Column::declared).collect();
        let wrong = |error: ParquetError| failed(path, &error);
        let schema: TypePtr = Arc::new(parse_message_type(&format!("message {name} {{ {declared} }}")).map_err(wrong)?);
        let properties = properties(&columns, metadata).map_err(wrong)?;
        let file =
            File::options().write(true).create_new(true).open(path).map_err(|error| LogError::io(path, error))?;
        let writer = SerializedFileWriter::new(BufWriter::new(file), schema, properties).map_err(wrong)?;
        Ok(Table { path: path.to_path_buf(), writer, columns, rows: 0, written: 0 })
    }

    /// Ends a row, of which every column has been given its part.
    pub fn end_row(&mut self) -> Result<(), LogError> {
        self.rows += 1;
        self.written += 1;
        if self.rows >= GROUP { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), LogError> {
        if self.rows == 0 {
            return Ok(());
        }
        let done = (|| {
            let mut group = self.writer.next_row_group()?;
            self.columns.iter().try_for_each(|column| column.write(&mut group))?;
            group.close().map(drop)
        })();
        done.map_err(|error: ParquetError| failed(&self.path, &error))?;
        self.columns.iter_mut().for_each(Column::clear);
        self.rows = 0;
        Ok(())
    }

    /// Writes what is left, and sees that it is on the disk.
    pub fn finish(mut self) -> Result<(), LogError> {
        self.flush()?;
        let path = self.path;
        // This writes the footer too.
        let file = self.writer.into_inner().map_err(|error| failed(&path, &error))?;
        let file = file.into_inner().map_err(|error| LogError::io(&path, error.into_error()))?;
        file.sync_all().map_err(|error| LogError::io(&path, error))
    }
}

fn failed(path: &Path, error: &ParquetError) -> LogError {
    LogError::io(path, std::io::Error::other(error.to_string()))
}
