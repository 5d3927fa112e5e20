//! The database under the index: one dialect, two ends ([`Sqlite`] and [`Postgres`]).
//!
//! Every statement of the index is written once, in what both databases understand the same way: parameters are numbered (`?1`), types
//! are `integer` (64 bits), `blob` and `text` (compared by bytes), and a conflict is handled by `on conflict`. What PostgreSQL spells
//! otherwise, its end respells. So both give the same rows for the same blocks, and one suite tests both.

use std::path::{Path, PathBuf};

use super::{IndexError, postgres, postgres::Postgres, sqlite, sqlite::Sqlite};

/// What stands for NUL in a text: PostgreSQL takes none, and a block may hold one in the name of a call that nobody knows.
const NUL: &str = "\u{fffd}";

/// A value in a row, or a parameter of a statement. Texts come here through `From`, which respells them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl From<i64> for Cell {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Self {
        Self::Text(value.replace('\0', NUL))
    }
}

impl From<&String> for Cell {
    fn from(value: &String) -> Self {
        value.as_str().into()
    }
}

impl From<&[u8]> for Cell {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(value.into())
    }
}

impl<const N: usize> From<[u8; N]> for Cell {
    fn from(value: [u8; N]) -> Self {
        Self::Bytes(value.into())
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The parameters of a statement.
macro_rules! cells {
    ($($value:expr),* $(,)?) => { &[$($crate::index::sql::Cell::from($value)),*] };
}
pub(super) use cells;

/// A row that was read. A value of another type than asked for is an error: the database is not ours, or damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row(pub Vec<Cell>);

impl Row {
    fn cell(&self, at: usize) -> &Cell {
        self.0.get(at).unwrap_or(&Cell::Null)
    }

    pub fn integer(&self, at: usize) -> Result<i64, IndexError> {
        self.integer_or_null(at)?.ok_or(IndexError::Malformed(at))
    }

    pub fn integer_or_null(&self, at: usize) -> Result<Option<i64>, IndexError> {
        match self.cell(at) {
            Cell::Null => Ok(None),
            Cell::Integer(value) => Ok(Some(*value)),
            _ => Err(IndexError::Malformed(at)),
        }
    }

    pub fn text(&self, at: usize) -> Result<String, IndexError> {
        self.text_or_null(at)?.ok_or(IndexError::Malformed(at))
    }

    pub fn text_or_null(&self, at: usize) -> Result<Option<String>, IndexError> {
        match self.cell(at) {
            Cell::Null => Ok(None),
            Cell::Text(value) => Ok(Some(value.clone())),
            _ => Err(IndexError::Malformed(at)),
        }
    }

    pub fn bytes<const N: usize>(&self, at: usize) -> Result<[u8; N], IndexError> {
        self.bytes_or_null(at)?.ok_or(IndexError::Malformed(at))
    }

    pub fn bytes_or_null<const N: usize>(&self, at: usize) -> Result<Option<[u8; N]>, IndexError> {
        match self.cell(at) {
            Cell::Null => Ok(None),
            Cell::Bytes(value) => value.as_slice().try_into().map(Some).map_err(|_| IndexError::Malformed(at)),
            _ => Err(IndexError::Malformed(at)),
        }
    }
}

/// A connection to the database of an index.
pub(super) trait Sql: Send {
    /// The rows that a statement gives.
    fn rows(&mut self, statement: &str, parameters: &[Cell]) -> Result<Vec<Row>, IndexError>;

    /// Executes a statement that gives no rows.
    fn execute(&mut self, statement: &str, parameters: &[Cell]) -> Result<(), IndexError>;

    /// Executes statements without parameters, separated by semicolons.
    fn batch(&mut self, statements: &str) -> Result<(), IndexError>;

    /// Appends rows to a table, given one after the other, each with a value for each of its `columns`.
    fn append(&mut self, table: &'static str, columns: usize, cells: &[Cell]) -> Result<(), IndexError>;

    /// The first row that a statement gives.
    fn row(&mut self, statement: &str, parameters: &[Cell]) -> Result<Option<Row>, IndexError> {
        Ok(self.rows(statement, parameters)?.into_iter().next())
    }

    /// Whether the database that it reads is no longer the one in its place.
    fn is_stale(&self) -> bool {
        false
    }

    /// A number of the index about itself.
    fn meta(&mut self, name: &str) -> Result<Option<i64>, IndexError> {
        self.row("select value from meta where name = ?1", cells![name])?.map(|row| row.integer(0)).transpose()
    }
}

/// Where an index is kept.
#[derive(Clone, Debug)]
pub enum Database {
    /// In a file in this directory.
    Sqlite(PathBuf),
    /// In a schema of a PostgreSQL server.
    Postgres(postgres::Settings),
}

impl From<&Path> for Database {
    fn from(directory: &Path) -> Self {
        Self::Sqlite(directory.into())
    }
}

impl From<&PathBuf> for Database {
    fn from(directory: &PathBuf) -> Self {
        Self::Sqlite(directory.clone())
    }
}

impl From<&Database> for Database {
    fn from(database: &Database) -> Self {
        database.clone()
    }
}

impl Database {
    /// A connection that writes, alone: a second one is refused where that can be told.
    pub(super) fn writer(&self) -> Result<Box<dyn Sql>, IndexError> {
        Ok(match self {
            Self::Sqlite(directory) => Box::new(Sqlite::writer(directory)?),
            Self::Postgres(settings) => Box::new(Postgres::writer(settings)?),
        })
    }

    /// A connection that only reads.
    pub(super) fn reader(&self) -> Result<Box<dyn Sql>, IndexError> {
        Ok(match self {
            Self::Sqlite(directory) => Box::new(Sqlite::reader(directory)?),
            Self::Postgres(settings) => Box::new(Postgres::reader(settings)?),
        })
    }

    /// Deletes the index.
    pub(super) fn remove(&self) -> Result<(), IndexError> {
        match self {
            Self::Sqlite(directory) => sqlite::remove(directory),
            Self::Postgres(settings) => postgres::remove(settings),
        }
    }
}
