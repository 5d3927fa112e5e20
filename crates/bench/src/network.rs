//! A network of four validator processes on loopback.

use std::{
    collections::BTreeMap,
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use zhulian_api::Client;
use zhulian_cli::local::{NodeFiles, write_private_key};
use zhulian_crypto::{Algorithm, SigningKey};
use zhulian_execution::{Class, Role, Roles};
use zhulian_modules::{
    governance::{Genesis, GenesisValidator, Parameters},
    identity::{FirstMember, Founding, Kind, MemberId, MemberKey, OrganisationName, Uscc},
};
use zhulian_node::config;
use zhulian_primitives::{Height, Network};

use crate::process;

/// Published codes of real organisations, checksums right, used as four founders.
pub const FOUNDERS: [(&str, &str); 4] = [
    ("11430000006122244L", "政务服务局"),
    ("11220000013544541J", "互联网法院"),
    ("91110000600037341L", "城市银行"),
    ("91440300708461136T", "公证服务公司"),
];
/// Officers of each founder, each with a key; a consortium has few keys.
const OFFICERS: usize = 12;
/// The keys live as long as the run, in its own directory.
const PASSPHRASE: &str = "bench";

/// Four running validators, the first with a gateway.
pub struct Validators {
    /// What receipts are verified against.
    pub network: Network,
    /// Keys that may deposit, those of one founder after the other.
    pub officers: Vec<SigningKey>,
    /// A key of each founder that may vote.
    pub representatives: Vec<SigningKey>,
    /// What the network began with.
    pub genesis: Genesis,
    /// The node with the gateway.
    pub client: Client,
    /// Public keys, in the order of the processes.
    keys: Vec<[u8; 32]>,
    directory: PathBuf,
    binary: PathBuf,
    children: Vec<Child>,
}

impl Validators {
    /// Writes genesis, keys and configurations under `directory` and starts the processes. With a `retention`, so many blocks stay in the nodes'
    /// own stores.
    pub async fn start(binary: &Path, directory: &Path, retention: Option<u64>) -> anyhow::Result<Self> {
        let validators: Vec<SigningKey> = (0..4).map(|_| SigningKey::generate(Algorithm::EdDsa)).collect();
        let officers: Vec<SigningKey> = (0..4 * OFFICERS).map(|_| SigningKey::generate(Algorithm::EdDsa)).collect();
        let representatives: Vec<SigningKey> = FOUNDERS.iter().map(|_| SigningKey::generate(Algorithm::EdDsa)).collect();
        let genesis = genesis(&validators, &officers, &representatives)?;
        let network = genesis.network();
        fs::write(directory.join("genesis.cbor"), genesis.encode())?;

        let ports = free_ports(5)?;
        let address = |n: usize| SocketAddr::from((Ipv4Addr::LOCALHOST, ports[n]));
        let peers: BTreeMap<String, String> =
            (0..4).map(|n| (validators[n].public_key().to_string(), address(n).to_string())).collect();
        for (n, key) in validators.iter().enumerate() {
            let home = directory.join(n.to_string());
            fs::create_dir_all(&home)?;
            let files = NodeFiles::of(home.clone());
            write_private_key(&files.key, "validator", key, PASSPHRASE).map_err(|failure| anyhow::anyhow!("{failure:?}"))?;
            let gateway = (n == 0).then(|| config::Gateway { listen: address(4), ..Default::default() });
            let config = config::Config {
                directory: home.join("data"),
                genesis: directory.join("genesis.cbor"),
                key: files.key,
                listen: address(n),
                peers: peers.clone(),
                gateway,
                any_source_address: false,
                threads: None,
                mempool: config::MempoolLimits::default(),
                pace: config::Pace::default(),
                state_sync: config::StateSync::Never,
                archive: retention.map(|retention_blocks| config::Archive {
                    directory: home.join("archive"),
                    retention_blocks,
                    segment_blocks: 4_096,
                }),
                page_cache_mib: 32,
                protocol_max: None,
                log: config::Log { json: false, filter: "warn".into() },
            };
            fs::write(home.join("node.json"), config.print())?;
        }
        let client = Client::new(&format!("http://{}", address(4)))?;
        let (directory, binary, children) = (directory.into(), binary.into(), Vec::new());
        let keys =
            validators.iter().map(|key| Ok(key.public_key().as_bytes().try_into()?)).collect::<anyhow::Result<_>>()?;
        let mut validators = Self { network, officers, representatives, genesis, client, keys, directory, binary, children };
        for n in 0..4 {
            validators.children.push(validators.spawn(n)?);
        }
        validators.wait_for(2, Duration::from_secs(60)).await?;
        Ok(validators)
    }

    fn spawn(&self, n: usize) -> anyhow::Result<Child> {
        let home = self.directory.join(n.to_string());
        let log = fs::OpenOptions::new().create(true).append(true).open(home.join("log"))?;
        Command::new(&self.binary)
            .args(["node", "run", "--config"])
            .arg(home.join("node.json"))
            .env("ZHULIAN_PASSPHRASE", PASSPHRASE)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("starting {}", self.binary.display()))
    }

    /// The finalised height, or an error while the gateway does not answer.
    pub async fn height(&self) -> anyhow::Result<Height> {
        Ok(self.client.status().await?.height)
    }

    /// Waits until a height is finalised.
    pub async fn wait_for(&self, height: Height, time: Duration) -> anyhow::Result<()> {
        let start = Instant::now();
        while self.height().await.unwrap_or(0) < height {
            anyhow::ensure!(
                start.elapsed() < time,
                "height {height} was not reached in {time:?}; logs in {}",
                self.directory.display()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Processor time of all four.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        self.children.iter().map(|child| process::cpu(child.id())).sum()
    }

    /// Resident memory of the largest, in MB.
    pub fn rss_mb(&self) -> anyhow::Result<f64> {
        let each: Vec<f64> = self.children.iter().map(|child| process::rss_mb(child.id())).collect::<anyhow::Result<_>>()?;
        Ok(each.into_iter().fold(0.0, f64::max))
    }

    /// Bytes on disk of parts of the first validator: what of its engine's stores begins so, or another directory of it.
    pub fn disk_of(&self, part: &str) -> anyhow::Result<u64> {
        let home = self.directory.join("0");
        let Some(store) = part.strip_prefix("data/chain/") else {
            return if home.join(part).exists() { process::disk(&home.join(part)) } else { Ok(0) };
        };
        let mut bytes = 0;
        for entry in fs::read_dir(home.join("data/chain"))? {
            let entry = entry?;
            if entry.file_type()?.is_dir() && entry.file_name().to_string_lossy().starts_with(store) {
                bytes += process::disk(&entry.path())?;
            }
        }
        Ok(bytes)
    }

    /// Bytes on disk of the largest validator without a gateway, whose index would be counted too.
    pub fn disk(&self) -> anyhow::Result<u64> {
        let each: Vec<u64> = (1..4)
            .map(|n| process::disk(&self.directory.join(n.to_string()).join("data")))
            .collect::<anyhow::Result<_>>()?;
        Ok(each.into_iter().max().unwrap_or(0))
    }

    /// Ends the whole network at once and starts it again; the time until a new block is final.
    pub async fn restart(&mut self) -> anyhow::Result<Duration> {
        let before = self.height().await?;
        self.kill();
        let start = Instant::now();
        self.children = (0..4).map(|n| self.spawn(n)).collect::<anyhow::Result<_>>()?;
        self.wait_for(before + 1, Duration::from_secs(600)).await?;
        Ok(start.elapsed())
    }

    /// Takes everything from the last validator and lets it fetch the others' state; the time until it has executed a block after those that
    /// there were at its start, and its resident memory then, in MB.
    pub async fn wipe(&mut self) -> anyhow::Result<(Duration, f64)> {
        let last = self.children.len() - 1;
        let home = self.directory.join(last.to_string());
        let path = home.join("node.json");
        self.kill_one(last);
        fs::remove_dir_all(home.join("data"))?;
        let mut config = config::Config::read(&path)?;
        config.state_sync = config::StateSync::Required;
        fs::write(&path, config.print())?;
        let (start, height) = (Instant::now(), self.height().await?);
        self.start_one(last)?;
        loop {
            let status = self.client.status().await?;
            if status.peers.iter().any(|peer| peer.public_key.0 == self.keys[last] && peer.connected && peer.height > height)
            {
                return Ok((start.elapsed(), process::rss_mb(self.children[last].id())?));
            }
            anyhow::ensure!(start.elapsed() < Duration::from_secs(1_800), "the wiped validator does not catch up");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Ends one validator at once.
    pub fn kill_one(&mut self, n: usize) {
        let _ = self.children[n].kill();
        let _ = self.children[n].wait();
    }

    /// Starts one that was ended.
    pub fn start_one(&mut self, n: usize) -> anyhow::Result<()> {
        self.children[n] = self.spawn(n)?;
        Ok(())
    }

    fn kill(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
        self.children.clear();
    }
}

impl Drop for Validators {
    fn drop(&mut self) {
        self.kill();
    }
}

fn genesis(validators: &[SigningKey], officers: &[SigningKey], representatives: &[SigningKey]) -> anyhow::Result<Genesis> {
    let time = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as u64;
    let mut founders = Vec::new();
    let mut nodes = Vec::new();
    for (n, (code, name)) in FOUNDERS.iter().enumerate() {
        let organisation = Uscc::parse(code).map_err(|error| anyhow::anyhow!("{code}: {error:?}"))?;
        let zh = OrganisationName::parse(name).map_err(|error| anyhow::anyhow!("{name}: {error:?}"))?;
        nodes.push(GenesisValidator {
            name: zh.clone(),
            organisation,
            public_key: validators[n].public_key().as_bytes().try_into()?,
        });
        let member = |id: &str, role: Role, keys: Vec<MemberKey>| -> anyhow::Result<FirstMember> {
            let member = MemberId::parse(id).map_err(|error| anyhow::anyhow!("{id}: {error:?}"))?;
            Ok(FirstMember { member, kind: Kind::Person, roles: Roles::of(&[role]), keys })
        };
        let fresh = || vec![MemberKey(SigningKey::generate(Algorithm::EdDsa).public_key())];
        let own: Vec<MemberKey> =
            officers[n * OFFICERS..(n + 1) * OFFICERS].iter().map(|key| MemberKey(key.public_key())).collect();
        let mut members = vec![
            member("system-admin", Role::SystemAdmin, fresh())?,
            member("security-admin", Role::SecurityAdmin, fresh())?,
            member("audit-admin", Role::AuditAdmin, fresh())?,
            member("representative", Role::Representative, vec![MemberKey(representatives[n].public_key())])?,
        ];
        for (index, key) in own.into_iter().enumerate() {
            members.push(member(&format!("officer-{index}"), Role::Officer, vec![key])?);
        }
        members.sort_by(|a, b| a.member.cmp(&b.member));
        founders.push(Founding { organisation, class: CLASSES[n], zh, en: None, votes: true, members });
    }
    Ok(Genesis::new("bench", time, nodes, founders, Parameters::default())?)
}

const CLASSES: [Class; 4] = [Class::Government, Class::Judicial, Class::Financial, Class::Enterprise];

fn free_ports(count: usize) -> anyhow::Result<Vec<u16>> {
    let listeners: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).collect::<Result<_, _>>()?;
    Ok(listeners.iter().map(|listener| listener.local_addr().map(|address| address.port())).collect::<Result<_, _>>()?)
}
