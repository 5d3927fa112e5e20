//! The index in a schema of a PostgreSQL server (version 12 or newer).
//!
//! The server may be down, restarted or slow at any time: the node goes on without it, and the index catches up from the ledger.

use std::{collections::HashMap, io::Write as _, net::IpAddr, path::PathBuf, thread, time::Duration};

use postgres::{
    Client, Config, NoTls, Statement,
    config::Host,
    fallible_iterator::FallibleIterator as _,
    types::{self, IsNull, ToSql, Type},
};

use super::{
    IndexError, cases,
    schema::{META, NAMES},
    sql::{Cell, Row, Sql},
};

/// How the server is reached, and where in it the index is. Two nodes may share a server, but not a schema.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Connection as `libpq` writes it, without a password: `host=/var/run/postgresql user=zhulian dbname=zhulian`.
    pub connect: String,
    /// File with the password, readable by its owner only; none for the authentication of the operating system.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// The schema, which is made if there is none.
    #[serde(default = "schema")]
    pub schema: String,
    /// Connect to another machine without encryption of our own: only over a network that is itself encrypted.
    #[serde(default)]
    pub unencrypted: bool,
}

fn schema() -> String {
    "zhulian".into()
}

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// Statements kept prepared.
const STATEMENTS: usize = 64;
/// First half of the number by which writers exclude each other; the second is the schema's own.
const LOCK: i32 = 0x5a4c_4958;
/// How often, and how long, is waited for a writer that has just gone.
const LOCK_PAUSES: usize = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(100);

impl Settings {
    /// Checks what can be checked without a server; the text says what is wrong.
    ///
    /// # Errors
    /// When they cannot be used.
    pub fn check(&self) -> Result<(), String> {
        self.config(None).map(|_| ())
    }

    fn config(&self, password: Option<&str>) -> Result<Config, String> {
        let well_formed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let first = self.schema.bytes().next().unwrap_or(b'0');
        if self.schema.len() > 48 || first.is_ascii_digit() || !self.schema.bytes().all(well_formed) {
            return Err("schema must be 1 to 48 characters of a-z, 0-9 and _, no digit first".into());
        }
        if self.schema.starts_with("pg_") || self.schema == "public" {
            return Err("schema must be one of its own: neither public nor one of the server's (pg_…)".into());
        }
        let mut config: Config = self.connect.parse().map_err(|error| format!("connect: {error}"))?;
        if config.get_password().is_some() {
            return Err("connect must not hold a password; name a file in password_file".into());
        }
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err("connect names no host; a directory such as /var/run/postgresql stands for the local socket".into());
        }
        let local = |name: &str| name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        let near = |host: &Host| match host {
            Host::Tcp(name) => local(name),
            Host::Unix(_) => true,
        };
        let all_near = config.get_hosts().iter().all(near) && config.get_hostaddrs().iter().all(IpAddr::is_loopback);
        if !all_near && !self.unencrypted {
            return Err("the server is on another machine and this connection would not be encrypted: use a local one, or a tunnel, \
                        or say \"unencrypted\": true if the network between is encrypted"
                .into());
        }
        if let Some(password) = password {
            config.password(password);
        }
        config.connect_timeout(CONNECT).tcp_user_timeout(CONNECT * 2).keepalives_idle(CONNECT * 2);
        config.application_name("zhulian").notice_callback(|_| ());
        Ok(config)
    }

    fn connect(&self) -> Result<Client, IndexError> {
        let password = match &self.password_file {
            None => None,
            Some(path) => Some(std::fs::read_to_string(path)?),
        };
        let config = self.config(password.as_deref().map(str::trim_end));
        let config = config.map_err(|why| IndexError::Io(std::io::Error::other(why)))?;
        Ok(config.connect(NoTls)?)
    }
}

/// A connection to the server.
pub(super) struct Postgres {
    // Dropped by hand, see below.
    client: Option<Client>,
    prepared: HashMap<String, Statement>,
}

impl Postgres {
    pub fn writer(settings: &Settings) -> Result<Self, IndexError> {
        let mut this = Self::new(settings.connect()?);
        let schema = &settings.schema;
        // Held until the connection ends. An index with two writers would still be right (X1), but one of them would always fail.
        let lock = "select pg_try_advisory_lock(?1, hashtext(current_database() || '.' || ?2))::integer";
        // The server may need a moment to notice that a writer before this one is gone.
        for pause in (0..LOCK_PAUSES).rev() {
            let locked = this.row(lock, &[Cell::Integer(LOCK.into()), Cell::Text(schema.clone())])?;
            if locked.is_some_and(|row| matches!(row.integer(0), Ok(1))) {
                break;
            }
            if pause == 0 {
                return Err(IndexError::Taken(schema.clone()));
            }
            thread::sleep(LOCK_PAUSE);
        }
        // Losing the last moments in a power cut is harmless, they come again from the ledger, and no write waits for the disk.
        this.batch(&format!(
            "create schema if not exists {schema}; set search_path to {schema}; set synchronous_commit to off"
        ))?;
        let count = |row: Option<Row>| row.map_or(Ok(0), |row| row.integer(0));
        let tables = "select count(*) from pg_tables where schemaname = ?1";
        let all = count(this.row(tables, &[Cell::Text(schema.clone())])?)?;
        let own = count(this.row(&format!("{tables} and tablename = 'meta'"), &[Cell::Text(schema.clone())])?)?;
        if all > 0 && own == 0 {
            return Err(IndexError::Foreign(schema.clone()));
        }
        Ok(this)
    }

    pub fn reader(settings: &Settings) -> Result<Self, IndexError> {
        let mut this = Self::new(settings.connect()?);
        let schema = &settings.schema;
        // In a transaction, all statements see the same, as in SQLite.
        this.batch(&format!(
            "set search_path to {schema}; set default_transaction_read_only to on; set statement_timeout to '30s';
             set default_transaction_isolation to 'repeatable read'"
        ))?;
        Ok(this)
    }

    fn new(client: Client) -> Self {
        Self { client: Some(client), prepared: HashMap::new() }
    }

    fn client(&mut self) -> &mut Client {
        self.client.as_mut().expect("a client until the drop")
    }

    fn statement(&mut self, text: &str) -> Result<Statement, IndexError> {
        if let Some(statement) = self.prepared.get(text) {
            return Ok(statement.clone());
        }
        let statement = self.client().prepare(&respelt(text))?;
        if self.prepared.len() >= STATEMENTS {
            self.prepared.clear();
        }
        self.prepared.insert(text.into(), statement.clone());
        Ok(statement)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // The client has a small runtime of its own, which must not end on a thread of another one.
        let client = self.client.take();
        let ended = thread::Builder::new().name("index-close".into()).spawn(move || drop(client));
        if let Ok(thread) = ended {
            let _ = thread.join();
        }
    }
}

/// A statement of the index as PostgreSQL writes it.
fn respelt(statement: &str) -> String {
    // `cross join` tells SQLite in which order to read; this planner finds it by itself.
    statement.replace('?', "$").replace("cross join", "join")
}

/// Table definitions as PostgreSQL writes them.
fn respelt_types(statements: &str) -> String {
    let words = [("integer", "bigint"), ("blob", "bytea"), (" text", " text collate \"C\""), (" without rowid", "")];
    words.iter().fold(statements.into(), |text: String, (from, to)| text.replace(from, to))
}

/// Deletes the index's tables, and nothing else in the schema. The one that shows whose it is stays, empty.
pub(super) fn remove(settings: &Settings) -> Result<(), IndexError> {
    let settings = settings.clone();
    let work = move || {
        let mut writer = Postgres::writer(&settings)?;
        let tables = NAMES.into_iter().chain(cases::NAMES).filter(|name| *name != "meta");
        let drops = tables.map(|name| format!("drop table if exists {name};")).collect::<String>();
        writer.batch(&format!("create table if not exists {META}; begin; {drops} delete from meta; commit"))
    };
    // May be called from a thread of a runtime.
    thread::spawn(work).join().unwrap_or_else(|_| Err(IndexError::Io(std::io::Error::other("the removal panicked"))))
}

impl Sql for Postgres {
    fn rows(&mut self, statement: &str, parameters: &[Cell]) -> Result<Vec<Row>, IndexError> {
        let statement = self.statement(statement)?;
        let mut rows = self.client().query_raw(&statement, parameters)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(Row((0..row.len()).map(|at| row.try_get(at)).collect::<Result<_, _>>()?));
        }
        Ok(all)
    }

    fn execute(&mut self, statement: &str, parameters: &[Cell]) -> Result<(), IndexError> {
        let statement = self.statement(statement)?;
        // Read to the end: an error may come last.
        self.client().query_raw(&statement, parameters)?.for_each(|_| Ok(()))?;
        Ok(())
    }

    fn batch(&mut self, statements: &str) -> Result<(), IndexError> {
        Ok(self.client().batch_execute(&respelt_types(statements))?)
    }

    fn append(&mut self, table: &'static str, columns: usize, cells: &[Cell]) -> Result<(), IndexError> {
        if cells.is_empty() {
            return Ok(());
        }
        // PostgreSQL documentation, COPY, "Binary Format".
        let mut bytes = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
        for row in cells.chunks_exact(columns) {
            bytes.extend((columns as i16).to_be_bytes());
            for cell in row {
                let number;
                let value: &[u8] = match cell {
                    Cell::Null => {
                        bytes.extend((-1i32).to_be_bytes());
                        continue;
                    }
                    Cell::Integer(value) => {
                        number = value.to_be_bytes();
                        &number
                    }
                    Cell::Text(value) => value.as_bytes(),
                    Cell::Bytes(value) => value,
                };
                bytes.extend((value.len() as i32).to_be_bytes());
                bytes.extend(value);
            }
        }
        bytes.extend((-1i16).to_be_bytes());
        let mut copy = self.client().copy_in(&format!("copy {table} from stdin binary"))?;
        copy.write_all(&bytes)?;
        copy.finish()?;
        Ok(())
    }
}

impl ToSql for Cell {
    fn to_sql(&self, kind: &Type, out: &mut bytes::BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(value) if *kind == Type::INT4 => i32::try_from(*value)?.to_sql_checked(kind, out),
            Self::Integer(value) => value.to_sql_checked(kind, out),
            Self::Text(value) => value.to_sql_checked(kind, out),
            Self::Bytes(value) => value.to_sql_checked(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    types::to_sql_checked!();
}

impl<'a> types::FromSql<'a> for Cell {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(match *kind {
            Type::INT8 => Self::Integer(types::FromSql::from_sql(kind, raw)?),
            Type::INT4 => Self::Integer(i64::from(<i32 as types::FromSql>::from_sql(kind, raw)?)),
            Type::BYTEA => Self::Bytes(raw.into()),
            _ => Self::Text(types::FromSql::from_sql(kind, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(kind: &Type) -> bool {
        [Type::INT8, Type::INT4, Type::BYTEA].contains(kind) || <String as types::FromSql>::accepts(kind)
    }
}
