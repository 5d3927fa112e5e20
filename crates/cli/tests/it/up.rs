//! `zhulian up` that was killed while it founded its city, and with a node whose store is damaged.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

use zhulian_cli::{home::Home, local::City};

/// The network, and what it prints line by line.
struct Up {
    process: Child,
    lines: Receiver<String>,
}

impl Up {
    fn start(dir: &Path, port: u16) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_zhulian"))
            .args(["--lang", "en", "up", "--no-demo", "--port-base", &port.to_string()])
            .env("ZHULIAN_HOME", dir.join("home"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let (send, lines) = channel();
        let (out, mut err) = (process.stdout.take().expect("piped"), process.stderr.take().expect("piped"));
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
            let mut last = String::new();
            let _ = err.read_to_string(&mut last);
            let _ = send.send(last);
        });
        Self { process, lines }
    }

    /// The lines up to the one with these words.
    fn until(&self, words: &str) -> Vec<String> {
        let end = Instant::now() + Duration::from_secs(150);
        let mut seen = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            let found = line.contains(words);
            seen.push(line);
            if found {
                return seen;
            }
        }
        panic!("never says {words:?}: {seen:#?}");
    }

    fn stop(mut self) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill runs").success());
        self.until("Stopped.");
        self.process.wait().expect("it ends");
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Eight ports that nobody has at this moment.
fn ports() -> u16 {
    let free = |base: &u16| (*base..*base + 8).all(|port| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok());
    let begin = 20_000 + (std::process::id() % 1_000) as u16 * 10;
    (begin..begin + 1_000).step_by(8).find(free).expect("free ports")
}

#[test]
fn a_city_that_was_founded_by_half_is_founded_anew_and_nothing_else_is_removed() {
    let dir = tempfile::tempdir().expect("a directory");
    let open = || City::open(Home { dir: dir.path().into() }, Some(20_000), false).map_err(|failure| failure.code);
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).expect("a file");
    assert!(open().expect("a city").founded);
    assert!(!open().expect("the same").founded);
    // Killed just before the end: all but the last file is there.
    let identity = read("network.json");
    std::fs::remove_file(dir.path().join("local.json")).expect("removed");
    assert!(open().expect("another city").founded);
    assert_ne!(identity, read("network.json"));

    // What a node has written is nobody's to remove, and neither is another network's identity.
    std::fs::remove_file(dir.path().join("local.json")).expect("removed");
    let data = dir.path().join("nodes/3/data");
    std::fs::create_dir(&data).expect("a directory");
    assert_eq!(open().err().expect("a refusal"), "up.other_network");
    std::fs::remove_dir(&data).expect("removed");
    std::fs::write(dir.path().join("network.json"), &identity).expect("a file");
    assert_eq!(open().err().expect("a refusal"), "up.other_network");
    assert_eq!(identity, read("network.json"));
}

#[test]
fn a_network_goes_on_without_the_node_whose_store_is_damaged_and_says_why() {
    let dir = tempfile::tempdir().expect("a directory");
    let port = ports();
    let up = Up::start(dir.path(), port);
    up.until("Ctrl-C stops it");
    std::thread::sleep(Duration::from_secs(3));
    up.stop();

    let data = dir.path().join("home/nodes/3/data");
    let store: Vec<PathBuf> = files(&data).into_iter().filter(|path| path.to_string_lossy().contains("zhulian-")).collect();
    assert!(store.len() > 3, "{store:?}");
    for path in store {
        let mut bytes = std::fs::read(&path).expect("a file");
        let length = bytes.len();
        for at in (0..length).step_by(97) {
            bytes[at] ^= 0x55;
        }
        std::fs::write(&path, bytes).expect("a file");
    }
    let up = Up::start(dir.path(), port);
    let said = up.until("runs on this machine");
    let line =
        said.iter().find(|line| line.starts_with("Node 3 (")).unwrap_or_else(|| panic!("nothing of node 3: {said:#?}"));
    assert!(
        line.contains("damaged") && line.contains(&format!("remove {}", data.canonicalize().expect("there").display())),
        "{line}"
    );
    let log = std::fs::read_to_string(dir.path().join("home/nodes/3/log.txt")).expect("a log");
    assert!(!log.contains("RUST_BACKTRACE") && !log.contains("panicked at"), "{log}");
    up.stop();
}
