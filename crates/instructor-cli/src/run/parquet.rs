//! Rows in Parquet. It can't be added to line by line: what comes in is read row by row, and what goes out is made of the
//! lines of JSON, which stay what says what is done.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::record::reader::RowIter;
use parquet::schema::types::Type;
use serde_json::Value;

use super::source::unread;
use crate::failure::Failure;

/// So many rows are held while a file is written.
const GROUP: usize = 8192;

fn opened(path: &Path) -> io::Result<SerializedFileReader<File>> {
    SerializedFileReader::new(File::open(path)?).map_err(io::Error::other)
}

/// The rows of a file.
pub(crate) struct Table {
    rows: RowIter<'static>,
    /// The row that it is at, as JSON.
    pub(crate) line: String,
}

impl Table {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { rows: RowIter::from_file_into(Box::new(opened(path)?)), line: String::new() })
    }

    pub(crate) fn advance(&mut self) -> io::Result<bool> {
        let Some(row) = self.rows.next() else { return Ok(false) };
        self.line = row.map_err(io::Error::other)?.to_json_value().to_string();
        Ok(true)
    }
}

/// How many rows a file has.
pub(crate) fn count(path: &Path) -> Result<u64, Failure> {
    let reader = opened(path).map_err(|e| unread(path, &e))?;
    Ok(u64::try_from(reader.metadata().file_metadata().num_rows()).unwrap_or_default())
}

/// What a column of the output holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Integer,
    Number,
    Boolean,
    /// Text as it is.
    Text,
    /// Anything else, as text of JSON.
    Json,
}

#[derive(Debug)]
struct Column {
    name: String,
    /// Where it is in a line.
    pointer: String,
    kind: Kind,
}

/// The columns of a schema's values, or one for all of them.
fn columns(schema: &Value, keyed: bool, with_usage: bool) -> Vec<Column> {
    let column = |name: &str, pointer: String, kind| Column { name: String::from(name), pointer, kind };
    let mut columns = vec![column("row", String::from("/row"), Kind::Integer)];
    if keyed {
        columns.push(column("key", String::from("/key"), Kind::Json));
    }
    match schema.get("properties").and_then(Value::as_object) {
        Some(properties) => columns.extend(properties.iter().map(|(name, schema)| {
            let pointer = format!("/value/{}", name.replace('~', "~0").replace('/', "~1"));
            column(name, pointer, kind(schema))
        })),
        None => columns.push(column("value", String::from("/value"), kind(schema))),
    }
    if with_usage {
        for (name, pointer, kind) in [
            ("usage_input", "/usage/input", Kind::Integer),
            ("usage_output", "/usage/output", Kind::Integer),
            ("attempts", "/usage/attempts", Kind::Integer),
            ("usd", "/usd", Kind::Number),
        ] {
            columns.push(column(name, String::from(pointer), kind));
        }
    }
    columns
}

fn kind(schema: &Value) -> Kind {
    let named = match schema.get("type") {
        Some(Value::String(name)) => Some(name.as_str()),
        // One type or null.
        Some(Value::Array(names)) => {
            match &names.iter().filter_map(Value::as_str).filter(|n| *n != "null").collect::<Vec<_>>()[..] {
                [name] => Some(*name),
                _ => None,
            }
        }
        _ => None,
    };
    match named {
        Some("integer") => Kind::Integer,
        Some("number") => Kind::Number,
        Some("boolean") => Kind::Boolean,
        Some("string") => Kind::Text,
        _ => Kind::Json,
    }
}

/// Makes the file of all lines, in place of the one before, whole or not at all.
pub(crate) fn write(lines: &Path, output: &Path, schema: &Value, keyed: bool, with_usage: bool) -> Result<(), Failure> {
    let columns = columns(schema, keyed, with_usage);
    let new = output.with_extension("parquet.new");
    let written = written(lines, &new, &columns).and_then(|()| Ok(fs::rename(&new, output)?));
    written.map_err(|error| Failure::unexpected(format!("{} can't be written: {error}", output.display())))
}

fn written(lines: &Path, output: &Path, columns: &[Column]) -> Result<(), ParquetError> {
    let fields = columns.iter().map(|column| field(column).map(Arc::new)).collect::<Result<_, _>>()?;
    let schema = Arc::new(Type::group_type_builder("rows").with_fields(fields).build()?);
    let properties = Arc::new(WriterProperties::builder().set_compression(Compression::SNAPPY).build());
    let mut writer = SerializedFileWriter::new(File::create(output)?, schema, properties)?;
    let mut source = BufReader::new(File::open(lines)?).lines();
    loop {
        let mut rows = Vec::with_capacity(GROUP);
        for line in source.by_ref().take(GROUP) {
            rows.push(serde_json::from_str(&line?).map_err(|error| ParquetError::External(Box::new(error)))?);
        }
        if rows.is_empty() {
            break;
        }
        let mut group = writer.next_row_group()?;
        for column in columns {
            written_column(&mut group, column, &rows)?;
        }
        group.close()?;
    }
    writer.close()?;
    Ok(())
}

fn field(column: &Column) -> Result<Type, ParquetError> {
    let (physical, logical) = match column.kind {
        Kind::Integer => (Physical::INT64, None),
        Kind::Number => (Physical::DOUBLE, None),
        Kind::Boolean => (Physical::BOOLEAN, None),
        Kind::Text | Kind::Json => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
    };
    Type::primitive_type_builder(&column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_converted_type(if logical.is_some() { ConvertedType::UTF8 } else { ConvertedType::NONE })
        .with_logical_type(logical)
        .build()
}

fn written_column(
    group: &mut SerializedRowGroupWriter<'_, File>,
    column: &Column,
    rows: &[Value],
) -> Result<(), ParquetError> {
    let cells = || rows.iter().map(|row| row.pointer(&column.pointer).filter(|value| !value.is_null()));
    let Some(mut writer) = group.next_column()? else { return Ok(()) };
    // A value that does not fit its column can't be: it was checked against the schema. It would be null.
    match writer.untyped() {
        ColumnWriter::Int64ColumnWriter(typed) => {
            let values = cells().map(|cell| cell.and_then(Value::as_i64));
            let (values, there) = split(values);
            typed.write_batch(&values, Some(&there), None)?;
        }
        ColumnWriter::DoubleColumnWriter(typed) => {
            let (values, there) = split(cells().map(|cell| cell.and_then(Value::as_f64)));
            typed.write_batch(&values, Some(&there), None)?;
        }
        ColumnWriter::BoolColumnWriter(typed) => {
            let (values, there) = split(cells().map(|cell| cell.and_then(Value::as_bool)));
            typed.write_batch(&values, Some(&there), None)?;
        }
        ColumnWriter::ByteArrayColumnWriter(typed) => {
            let text = |cell: &Value| match cell {
                Value::String(text) => ByteArray::from(text.as_str()),
                cell => ByteArray::from(cell.to_string().as_str()),
            };
            let (values, there) = split(cells().map(|cell| cell.map(text)));
            typed.write_batch(&values, Some(&there), None)?;
        }
        _ => {}
    }
    writer.close()
}

/// The values that are there, and for each row whether there is one.
fn split<T>(values: impl Iterator<Item = Option<T>>) -> (Vec<T>, Vec<i16>) {
    let (mut there, mut marks) = (Vec::new(), Vec::new());
    for value in values {
        marks.push(i16::from(value.is_some()));
        there.extend(value);
    }
    (there, marks)
}
