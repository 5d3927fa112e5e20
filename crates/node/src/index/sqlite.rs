//! The index in a file of SQLite.

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags, ToSql, params_from_iter, types};

use super::{
    IndexError,
    sql::{Cell, Row, Sql},
};

/// Rows written by one statement.
const ROWS: usize = 32;

/// A connection to the file.
pub(super) struct Sqlite {
    connection: Connection,
    /// Where the file of a reader lay, and which one it was.
    read: Option<(PathBuf, FileId)>,
}

/// Device and number of a file.
type FileId = (u64, u64);

fn file_id(path: &Path) -> Option<FileId> {
    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

impl Sqlite {
    pub fn writer(directory: &Path) -> Result<Self, IndexError> {
        std::fs::create_dir_all(directory)?;
        let connection = Connection::open(path(directory))?;
        // Losing the last moments in a power cut is harmless, they come again from the ledger; half a write would not be, and
        // cannot happen in this mode.
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.pragma_update(None, "wal_autocheckpoint", 4_096)?;
        connection.pragma_update(None, "cache_size", -16_384)?;
        // What a statement would take back if it failed goes to a file otherwise, page by page.
        connection.pragma_update(None, "temp_store", "memory")?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(Self { connection, read: None })
    }

    pub fn reader(directory: &Path) -> Result<Self, IndexError> {
        let path = path(directory);
        // Before it is opened: if it is replaced in between, the connection is taken for stale, which does no harm.
        let read = file_id(&path).map(|id| (path.clone(), id));
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(std::time::Duration::from_secs(2))?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(Self { connection, read })
    }
}

/// The file of the index.
pub(super) fn path(directory: &Path) -> PathBuf {
    directory.join("index.sqlite")
}

pub(super) fn remove(directory: &Path) -> Result<(), IndexError> {
    let path = path(directory);
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.clone().into_os_string();
        name.push(suffix);
        match std::fs::remove_file(PathBuf::from(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

impl Sql for Sqlite {
    fn rows(&mut self, statement: &str, parameters: &[Cell]) -> Result<Vec<Row>, IndexError> {
        let mut statement = self.connection.prepare_cached(statement)?;
        let columns = statement.column_count();
        let rows = statement.query_map(params_from_iter(parameters), |row| {
            (0..columns).map(|at| cell(row.get_ref(at)?)).collect::<Result<_, _>>().map(Row)
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn execute(&mut self, statement: &str, parameters: &[Cell]) -> Result<(), IndexError> {
        self.connection.prepare_cached(statement)?.execute(params_from_iter(parameters))?;
        Ok(())
    }

    fn batch(&mut self, statements: &str) -> Result<(), IndexError> {
        Ok(self.connection.execute_batch(statements)?)
    }

    fn is_stale(&self) -> bool {
        // A file that was deleted stays readable to whoever has it open.
        self.read.as_ref().is_some_and(|(path, id)| file_id(path) != Some(*id))
    }

    fn append(&mut self, table: &'static str, columns: usize, cells: &[Cell]) -> Result<(), IndexError> {
        let many = columns * ROWS;
        let whole = cells.len() / many * many;
        for (cells, rows) in [(&cells[..whole], ROWS), (&cells[whole..], 1)] {
            if cells.is_empty() {
                continue;
            }
            let mut statement = self.connection.prepare_cached(&insert(table, columns, rows))?;
            for row in cells.chunks_exact(columns * rows) {
                statement.execute(params_from_iter(row))?;
            }
        }
        Ok(())
    }
}

fn insert(table: &str, columns: usize, rows: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(","));
    // Whoever appends takes the whole transaction back when it fails, so SQLite need not note how to take this statement back.
    format!("insert or fail into {table} values {}", vec![row; rows].join(","))
}

fn cell(value: types::ValueRef<'_>) -> Result<Cell, rusqlite::Error> {
    Ok(match value {
        types::ValueRef::Null => Cell::Null,
        types::ValueRef::Integer(value) => Cell::Integer(value),
        types::ValueRef::Text(value) => Cell::Text(String::from_utf8_lossy(value).into_owned()),
        types::ValueRef::Blob(value) => Cell::Bytes(value.into()),
        types::ValueRef::Real(_) => return Err(types::FromSqlError::InvalidType.into()),
    })
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<types::ToSqlOutput<'_>> {
        Ok(types::ToSqlOutput::Borrowed(match self {
            Self::Null => types::ValueRef::Null,
            Self::Integer(value) => types::ValueRef::Integer(*value),
            Self::Text(value) => types::ValueRef::Text(value.as_bytes()),
            Self::Bytes(value) => types::ValueRef::Blob(value),
        }))
    }
}
