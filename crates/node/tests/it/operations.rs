//! What operators see of running nodes: metrics, the alerts and the dashboard made of them, and the log.

use std::{
    collections::BTreeSet,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use tracing_subscriber::fmt::MakeWriter;
use zhulian_execution::Call as _;
use zhulian_gateway::{Backend as _, Phase, TransactionState};
use zhulian_modules::evidence::Deposit;
use zhulian_node::Node;
use zhulian_primitives::{Call, sign};

use crate::{
    city::{City, officer},
    toy::id,
};

const LONG: Duration = Duration::from_secs(60);

/// Four nodes, and the gateway of the first.
struct Running {
    city: City,
    nodes: Vec<Node>,
    gateway: SocketAddr,
    _stopper: zhulian_gateway::Stopper,
}

impl Running {
    async fn start() -> Self {
        let city = City::new();
        let nodes: Vec<Node> = (0..4).map(|n| city.start(n, n == 0)).collect();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gateway = listener.local_addr().unwrap();
        let (stopper, stopping) = zhulian_gateway::shutdown();
        tokio::spawn(zhulian_gateway::serve(listener, nodes[0].backend(), zhulian_gateway::Config::default(), stopping));
        let backend = nodes[0].backend();
        let ready = async {
            while backend.status().phase != Phase::Running
                || backend.status().height.is_none()
                || backend.status().disk.is_none()
                || backend.status().peers.iter().any(|peer| !peer.connected)
            {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(LONG, ready).await.expect("the city runs in time");
        Self { city, nodes, gateway, _stopper: stopper }
    }

    async fn deposit(&self, n: u64) {
        let backend = self.nodes[0].backend();
        let bytes = self.city.deposit(0, n, 500);
        let state = async {
            backend.submit(vec![Bytes::from(bytes.clone())]).await.unwrap();
            backend.wait(id(&bytes), LONG).await.unwrap()
        };
        assert!(matches!(state.await, TransactionState::Finalised(_)));
    }

    /// The answer to a request, head and body.
    async fn ask(&self, request: String) -> String {
        let gateway = self.gateway;
        let asked = move || {
            let mut stream = TcpStream::connect(gateway).unwrap();
            stream.set_read_timeout(Some(LONG)).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            String::from_utf8_lossy(&answer).into_owned()
        };
        tokio::task::spawn_blocking(asked).await.unwrap()
    }

    async fn get(&self, path: &str) -> String {
        self.ask(format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).await
    }

    fn stop(self) {
        for node in self.nodes {
            node.stop().unwrap();
        }
    }
}

fn deploy(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(path)
}

/// Runs promtool, which must be content; false, with a loud word, where it is not installed.
fn promtool(arguments: &[&str], directory: &Path, input: &str) -> bool {
    let mut command = Command::new("promtool");
    command.args(arguments).current_dir(directory).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        eprintln!("SKIPPED: promtool is not installed, so {arguments:?} is NOT tested; scripts/setup.sh installs it");
        return false;
    };
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let _ = writer.join();
    let said = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned();
    assert!(output.status.success(), "promtool {arguments:?}: {said}");
    if arguments == ["check", "metrics"] {
        assert!(said.is_empty(), "{said}");
    }
    true
}

/// Names of our own metrics in a text.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("zhulian_")).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_of_a_running_node_please_the_linter_and_alerts_and_dashboard_name_no_others() {
    let running = Running::start().await;
    running.deposit(1).await;
    running.get("/v1/blocks").await;
    let answer = running.get("/metrics").await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    // The body may come in chunks, whose sizes stand on lines of their own.
    let hex = |line: &str| !line.is_empty() && line.len() < 8 && line.bytes().all(|b| b.is_ascii_hexdigit());
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let text: String = body
        .lines()
        .filter(|line| !(chunked && hex(line)))
        .filter(|line| !line.is_empty())
        .map(|line| format!("{line}\n"))
        .collect();
    promtool(&["check", "metrics"], Path::new("."), &text);
    for line in [
        "zhulian_running 1",
        "zhulian_stalled 0",
        "zhulian_validators 4",
        "zhulian_quorum 3",
        "zhulian_peer_connected{validator=\"税务局\"} 1",
        "zhulian_damaged_records 0",
    ] {
        assert!(text.lines().any(|it| it == line), "no line {line:?} in\n{text}");
    }
    let mut there = names(&text);
    // Said only when there is a forecast, which a young node has not, and when a protocol was voted (`protocol.rs`).
    there.extend(["zhulian_disk_full_in_seconds".into(), "zhulian_protocol_next".into()]);
    for file in ["prometheus/zhulian.rules.yml", "prometheus/zhulian.rules.test.yml", "grafana/zhulian.json"] {
        let named = names(&std::fs::read_to_string(deploy(file)).unwrap());
        assert!(named.len() > 10, "{file} names metrics");
        let unknown: Vec<_> = named.difference(&there).collect();
        assert!(unknown.is_empty(), "{file} names metrics that no node has: {unknown:?}");
    }
    running.stop();
}

#[test]
fn alerts_come_when_they_should_and_the_dashboard_can_be_read() {
    let directory = deploy("prometheus");
    promtool(&["check", "rules", "zhulian.rules.yml"], &directory, "");
    promtool(&["check", "config", "prometheus.yml"], &directory, "");
    promtool(&["test", "rules", "zhulian.rules.test.yml"], &directory, "");
    // Every alert has a test in which it is expected to come, and one in which it is not.
    let rules = std::fs::read_to_string(directory.join("zhulian.rules.yml")).unwrap();
    let tests = std::fs::read_to_string(directory.join("zhulian.rules.test.yml")).unwrap();
    for alert in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        let named = |line: &&str| line.split(|c: char| !c.is_alphanumeric()).any(|word| word == alert);
        let all: Vec<&str> = tests.lines().filter(named).collect();
        assert!(all.iter().any(|line| line.trim().starts_with("- {eval_time")), "{alert} is never expected to be silent");
        assert!(all.iter().any(|line| line.trim().starts_with("alertname:")), "{alert} is never expected to come");
    }
    let dashboard = std::fs::read(deploy("grafana/zhulian.json")).unwrap();
    let dashboard: serde_json::Value = serde_json::from_slice(&dashboard).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len());
    assert!(panels.iter().all(|panel| panel["targets"].as_array().is_some_and(|targets| !targets.is_empty())));
}

/// Everything that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_structured_and_holds_nothing_personal_whatever_comes_in() {
    let log = Log::default();
    // Every word of ours, and what operators get from the libraries by default.
    let filter = "info,commonware=warn,zhulian_node=trace,zhulian_gateway=trace,zhulian_engine=trace,zhulian_modules=trace,\
                  zhulian_execution=trace";
    let subscriber = tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(log.clone());
    subscriber.try_init().expect("no other log in this process");
    let running = Running::start().await;
    running.deposit(1).await;

    // A name, an identity card, a phone and an address, wherever a careless client may put them.
    let personal = ["张三丰", "110101199003078515", "13812345678", "幸福路42号"];
    let all = personal.concat();
    let backend = running.nodes[0].backend();
    let call = |args: &[u8], module: &str, call: &str| {
        let chain = running.city.genesis.chain_id();
        sign(&Call { chain, module, call, args, nonce: [9; 16], valid_until: 500 }, &officer(0))
    };
    let rubbish = [
        all.clone().into_bytes(),
        call(all.as_bytes(), "evidence", Deposit::NAME),
        call(b"\xa0", &all, "deposit"),
        call(b"\xa0", "evidence", &all),
    ];
    for bytes in rubbish {
        let _ = backend.submit(vec![Bytes::from(bytes)]).await;
    }
    let encoded: String = all.bytes().map(|b| format!("%{b:02X}")).collect();
    for request in [
        format!("GET /v1/evidence?q={encoded} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
        format!("GET /v1/organisations/{encoded} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
        format!("GET /{encoded} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
        format!("GET /v1/status HTTP/1.1\r\nHost: a\r\nX-User: {encoded}\r\nConnection: close\r\n\r\n"),
        format!(
            "POST /v1/transactions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: \
             close\r\n\r\n{all}",
            all.len()
        ),
    ] {
        running.ask(request).await;
    }
    running.deposit(2).await;
    running.stop();

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.lines().count() > 4, "nothing is logged: {log}");
    let encoded = encoded.to_lowercase();
    for line in log.lines() {
        let parsed: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(parsed["timestamp"].is_string() && parsed["level"].is_string() && parsed["target"].is_string(), "{line}");
        let lower = line.to_lowercase();
        let leaked = personal.iter().find(|secret| lower.contains(**secret));
        assert!(leaked.is_none() && !lower.contains(&encoded[..36]), "personal data in the log: {line}");
    }
}
