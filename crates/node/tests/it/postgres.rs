//! A PostgreSQL server of the test's own, from Debian's package: in a temporary directory, gone with the test.

use std::{
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use zhulian_node::index::{Database, PostgresSettings};

/// A server.
pub struct Server {
    directory: TempDir,
    binaries: PathBuf,
    port: u16,
    child: Option<Child>,
}

/// The newest installed server's programs.
fn binaries() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let found = versions.map(|entry| entry.path().join("bin")).filter(|bin| bin.join("initdb").exists());
    found.max_by_key(|bin| bin.parent().and_then(|it| it.file_name()?.to_str()?.parse::<u32>().ok()))
}

/// A user that may run a server: this one, or, since root may not, the package's own.
fn user() -> Option<(u32, u32)> {
    let own = std::fs::metadata("/proc/self").ok()?;
    use std::os::unix::fs::MetadataExt as _;
    if own.uid() != 0 {
        return Some((own.uid(), own.gid()));
    }
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    let line = passwd.lines().find(|line| line.starts_with("postgres:"))?;
    let mut numbers = line.split(':').skip(2).take(2).map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

impl Server {
    /// Makes and starts a server; `None`, with a loud word, where the package is not installed.
    pub fn start() -> Option<Self> {
        let (Some(binaries), Some(_)) = (binaries(), user()) else {
            eprintln!(
                "SKIPPED: PostgreSQL is not installed, so the index in it is NOT tested; scripts/setup.sh installs it"
            );
            return None;
        };
        let directory = tempfile::Builder::new().prefix("zl-pg").tempdir_in("/tmp").unwrap();
        let (uid, gid) = user().unwrap();
        std::os::unix::fs::chown(directory.path(), Some(uid), Some(gid)).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self { directory, binaries, port, child: None };
        let made = server
            .command("initdb")
            .args(["--auth-local=trust", "--auth-host=scram-sha-256", "--username=zhulian", "--encoding=UTF8"])
            // A locale that orders text otherwise than by bytes, if there is one: the index must not care.
            .args(["--locale=C.UTF-8", "--no-sync", "--pgdata"])
            .arg(server.data())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        server.up();
        server.psql("create database city; alter role zhulian password 'correct horse'");
        Some(server)
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn command(&self, program: &str) -> Command {
        let (uid, gid) = user().unwrap();
        let mut command = Command::new(self.binaries.join(program));
        command.uid(uid).gid(gid).current_dir("/").stdin(Stdio::null());
        command
    }

    /// Starts the server, which is down.
    pub fn up(&mut self) {
        let child = self
            .command("postgres")
            .arg("-D")
            .arg(self.data())
            .arg("-k")
            .arg(self.directory.path())
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-c", "fsync=off", "-c", "log_min_messages=fatal"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
        let begun = Instant::now();
        while !self.command("pg_isready").args(self.at()).stdout(Stdio::null()).status().unwrap().success() {
            assert!(begun.elapsed() < Duration::from_secs(30), "the server does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends the server, at once and without a word to its clients: as a crash does with SIGQUIT, in order with SIGINT.
    pub fn down(&mut self, signal: &str) {
        let Some(mut child) = self.child.take() else { return };
        Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
        child.wait().unwrap();
    }

    fn at(&self) -> [String; 4] {
        ["-h".into(), self.directory.path().display().to_string(), "-p".into(), self.port.to_string()]
    }

    /// Runs SQL and gives what it prints.
    pub fn psql(&self, sql: &str) -> String {
        let database = if sql.starts_with("create database") { "postgres" } else { "city" };
        let mut command = self.command("psql");
        command.args(self.at()).args(["-U", "zhulian", "-d", database, "-qAtX", "-v", "ON_ERROR_STOP=1"]);
        for statement in sql.split(';') {
            command.args(["-c", statement]);
        }
        let out = command.output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    }

    /// Settings for a schema, over the local socket.
    pub fn settings(&self, schema: &str) -> PostgresSettings {
        PostgresSettings {
            connect: format!("host={} port={} user=zhulian dbname=city", self.directory.path().display(), self.port),
            password_file: None,
            schema: schema.into(),
            unencrypted: false,
        }
    }

    /// Settings over TCP, with the password that a file holds.
    pub fn with_password(&self, schema: &str, file: &Path) -> PostgresSettings {
        PostgresSettings {
            connect: format!("host=127.0.0.1 port={} user=zhulian dbname=city", self.port),
            password_file: Some(file.into()),
            ..self.settings(schema)
        }
    }

    /// An index in a schema.
    pub fn database(&self, schema: &str) -> Database {
        Database::Postgres(self.settings(schema))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.down("INT");
    }
}
