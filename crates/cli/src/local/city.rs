//! The demonstration city of `zhulian up`: its files in the home, and what is deposited in it at first.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use zhulian_crypto::SigningKey;
use zhulian_modules::governance::Genesis;
use zhulian_node::Config;

use super::{Layout, NodeFiles, Plan, layout::random_passphrase, node_config, read_config, write_node_key};
use crate::{
    failure::{AtPath as _, Exit, Failure, Result, read_text},
    home::{Home, KEY_ENDING, Settings, key_failure, read_key},
    private_file, text,
    text::Text,
};

const FORMAT: &str = "zhulian-local/1";
/// The key that signs when none is named.
pub const DEMO_KEY: &str = "data.officer";
const PASSPHRASE_FILE: &str = "demo-passphrase";

/// What `local.json` says of a network that `zhulian up` founded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    format: String,
    port_base: u16,
    /// Public keys of the validators, in the order of the nodes.
    validators: Vec<String>,
    seeded: bool,
}

/// A network of this machine.
pub struct City {
    home: Home,
    state: State,
    /// Whether it was founded just now.
    pub founded: bool,
}

impl City {
    /// The city in a home: the one that is there, or a new one.
    ///
    /// # Errors
    /// When the home belongs to another network, or files cannot be written.
    pub fn open(home: Home, port_base: Option<u16>, fresh: bool) -> Result<Self> {
        let path = home.dir.join("local.json");
        if fresh && path.exists() {
            remove(&home)?;
        }
        let mut city = if path.exists() {
            let text = std::fs::read_to_string(&path).at(&path)?;
            let state: State = serde_json::from_str(&text).map_err(|error| damaged(&path, &error.to_string()))?;
            if state.format != FORMAT {
                return Err(damaged(&path, "format"));
            }
            Self { home, state, founded: false }
        } else {
            Self::found(home, port_base.unwrap_or(crate::home::PORT_BASE_DEFAULT))?
        };
        if let Some(base) = port_base.filter(|base| *base != city.state.port_base) {
            city.state.port_base = base;
            city.save()?;
        }
        // On every start, so that other ports need no thought; of a configuration that is there, nothing else is changed.
        city.write_configs()?;
        city.write_settings()?;
        Ok(city)
    }

    fn found(home: Home, port_base: u16) -> Result<Self> {
        if is_half_founded(&home) {
            remove(&home)?;
        }
        if home.network_path().exists() {
            let shown = home.dir.display();
            return Err(Failure::new(
                Exit::Usage,
                "up.other_network",
                text!("{shown} 已用于另一个网络，不会改动", "{shown} is used for another network and is left alone"),
            )
            .why(Text::fixed(
                "其中的 network.json 不是由 zhulian up 写入的",
                "its network.json was not written by `zhulian up`",
            ))
            .next(Text::fixed(
                "为演示网络另选目录：zhulian up --dir ./city",
                "choose a directory for the local network: `zhulian up --dir ./city`",
            )));
        }
        private_file::create_dir(&home.dir)?;
        let layout = Layout::found(Plan::demo(), crate::commands::network::now_ms())?;
        let passphrase = random_passphrase();
        private_file::replace(&home.dir.join(PASSPHRASE_FILE), passphrase.as_bytes())?;
        layout.write_members(&home.keys_dir(), None, &passphrase)?;
        let mut validators = Vec::new();
        for (index, key) in layout.secrets.validators.iter().enumerate() {
            let files = node_files(&home, index);
            private_file::create_dir(&files.dir)?;
            write_node_key(&files.key, key)?;
            validators.push(key.public_key().to_string());
        }
        layout.write_public(&home.dir)?;
        let state = State { format: FORMAT.into(), port_base, validators, seeded: false };
        let city = Self { home, state, founded: true };
        // Last, so that a city that was founded by half is not taken for a whole one.
        city.save()?;
        Ok(city)
    }

    fn save(&self) -> Result<()> {
        let text = serde_json::to_string_pretty(&self.state).unwrap_or_default() + "\n";
        private_file::write_public(&self.home.dir.join("local.json"), text.as_bytes())
    }

    fn write_configs(&self) -> Result<()> {
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let peers: BTreeMap<String, String> = (0..self.nodes())
            .map(|index| (self.state.validators[index].clone(), local(self.peer_port(index)).to_string()))
            .collect();
        for index in 0..self.nodes() {
            let path = self.files(index).config;
            let (listen, gateway) = (local(self.peer_port(index)), local(self.gateway_port(index)));
            let config = match path.exists() {
                false => node_config(listen, gateway, None, peers.clone(), Path::new("../../genesis.cbor")),
                true => {
                    let old = read_own_config(&path)?;
                    let mut config = old.clone();
                    config.listen = listen;
                    config.peers.extend(peers.clone());
                    config.gateway.get_or_insert_default().listen = gateway;
                    if config == old {
                        continue;
                    }
                    config
                }
            };
            private_file::write_public(&path, config.print().as_bytes())?;
        }
        Ok(())
    }

    /// Points the settings at this city, but leaves a key of the user's own choice alone.
    fn write_settings(&self) -> Result<()> {
        let mut settings = self.home.settings()?;
        settings.url = Some(self.url(0));
        if settings.key.is_none() {
            settings = Settings { key: Some(DEMO_KEY.into()), passphrase_file: Some(PASSPHRASE_FILE.into()), ..settings };
        }
        self.home.save_settings(&settings)
    }

    /// The home.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// How many nodes it has.
    pub fn nodes(&self) -> usize {
        self.state.validators.len()
    }

    /// The files of a node.
    pub fn files(&self, index: usize) -> NodeFiles {
        node_files(&self.home, index)
    }

    /// First of its ports.
    pub fn port_base(&self) -> u16 {
        self.state.port_base
    }

    fn gateway_port(&self, index: usize) -> u16 {
        self.state.port_base.saturating_add(index as u16)
    }

    fn peer_port(&self, index: usize) -> u16 {
        self.state.port_base.saturating_add((self.nodes() + index) as u16)
    }

    /// Address of a node's gateway.
    pub fn url(&self, index: usize) -> String {
        format!("http://127.0.0.1:{}", self.gateway_port(index))
    }

    /// Name of the organisation that runs a node.
    ///
    /// # Errors
    /// When the identity cannot be read.
    pub fn name(&self, index: usize) -> Result<String> {
        let network = self.home.network()?;
        let mine = |it: &&zhulian_primitives::Validator| hex::encode(it.public_key) == self.state.validators[index];
        Ok(network.validators.iter().find(mine).map(|it| it.name.clone()).unwrap_or_default())
    }

    /// Whether the first documents are deposited.
    pub fn is_seeded(&self) -> bool {
        self.state.seeded
    }

    /// Notes that they are.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub fn set_seeded(&mut self) -> Result<()> {
        self.state.seeded = true;
        self.save()
    }

    /// A key of a demonstration member.
    ///
    /// # Errors
    /// When it is gone or damaged.
    pub fn member_key(&self, name: &str) -> Result<SigningKey> {
        let path = self.home.key_path(name)?;
        let passphrase = self.home.dir.join(PASSPHRASE_FILE);
        private_file::check_mode(&passphrase)?;
        let passphrase = zeroize::Zeroizing::new(std::fs::read_to_string(&passphrase).at(&passphrase)?);
        read_key(&path)?.open(passphrase.trim()).map_err(|error| key_failure(&path, error))
    }
}

/// A node's configuration as its operator wrote it, with the paths as they are in the file.
fn read_own_config(path: &Path) -> Result<Config> {
    let failure = |failure: Failure| {
        failure.next(Text::fixed(
            "改正该文件后重试；或移走它，zhulian up 会重新写出",
            "correct the file and try again, or move it away: `zhulian up` writes a new one",
        ))
    };
    // All that the node itself would refuse is refused here, where somebody reads it.
    read_config(path).map_err(failure)?;
    serde_json::from_str(&read_text(path)?).map_err(|error| damaged(path, &error.to_string()))
}

fn node_files(home: &Home, index: usize) -> NodeFiles {
    NodeFiles::of(home.dir.join("nodes").join((index + 1).to_string()))
}

/// Whether `zhulian up` was killed while it founded the city that is here: the identity is that of the genesis document beside it, and
/// no node ever ran.
fn is_half_founded(home: &Home) -> bool {
    let document = std::fs::read(home.dir.join("genesis.cbor")).ok();
    let founded = document.and_then(|bytes| Genesis::decode(&bytes).ok()).map(|genesis| genesis.network());
    let is_its_own = founded.is_some_and(|founded| home.network().is_ok_and(|network| network == founded));
    let plan = Plan::demo();
    let nodes = plan.organisations.iter().filter(|it| it.validator).count();
    let ran = (0..nodes).any(|index| node_files(home, index).dir.join("data").exists());
    is_its_own && !ran && home.dir.join(PASSPHRASE_FILE).exists() && !home.dir.join("local.json").exists()
}

/// Removes what an earlier `zhulian up` wrote, and nothing else: keys of the user's own and receipts stay.
fn remove(home: &Home) -> Result<()> {
    for dir in [home.dir.join("nodes"), home.dir.join("demo")] {
        if dir.exists() {
            std::fs::remove_dir_all(&dir).at(&dir)?;
        }
    }
    for organisation in Plan::demo().organisations {
        for member in organisation.members {
            let path = home.keys_dir().join(format!("{}.{}.{KEY_ENDING}", organisation.handle, member.member));
            if path.exists() {
                std::fs::remove_file(&path).at(&path)?;
            }
        }
    }
    for file in ["network.json", "genesis.cbor", PASSPHRASE_FILE, "local.json"] {
        let path = home.dir.join(file);
        if path.exists() {
            std::fs::remove_file(&path).at(&path)?;
        }
    }
    Ok(())
}

fn damaged(path: &Path, why: &str) -> Failure {
    let shown = path.display();
    Failure::new(Exit::Failed, "up.state", text!("{shown} 无法理解", "{shown} cannot be understood"))
        .why(why.to_string())
        .next(Text::fixed(
            "若不再需要旧数据，用 zhulian up --fresh 重新开始",
            "if the old data is not needed, start anew with `zhulian up --fresh`",
        ))
}

/// The documents that the city deposits at first: the key that signs, the file's name, its text.
pub const DOCUMENTS: [(&str, &str, &str); 5] = [
    (
        "registry.officer",
        "不动产登记证明-示例.txt",
        "明珠市不动产登记中心\n不动产登记证明（示例）\n证明权利或事项：预告登记\n本文件为演示数据，不涉及任何真实权利人。\n",
    ),
    (
        "fund.officer",
        "住房公积金缴存证明-示例.txt",
        "明珠市住房公积金管理中心\n单位缴存证明（示例）\n缴存状态：正常\n本文件为演示数据。\n",
    ),
    (
        "bank.officer",
        "电子保函-示例.txt",
        "明珠银行股份有限公司\n投标保函（示例）\n保函金额：人民币壹拾万元整\n本文件为演示数据。\n",
    ),
    (
        "court.officer",
        "电子送达回证-示例.txt",
        "明珠市互联网法院\n电子送达回证（示例）\n送达文书：应诉通知书\n本文件为演示数据。\n",
    ),
    (
        "data.officer",
        "政务数据目录-示例.csv",
        "目录编号,名称,提供单位,共享方式\n001,企业登记信息,明珠市市场监督管理局,有条件共享\n002,不动产登记信息,明珠市不动产登记中心,有条件共享\n",
    ),
];

/// Writes the documents below the home, once.
///
/// # Errors
/// When they cannot be written.
pub fn write_documents(home: &Home) -> Result<Vec<(&'static str, PathBuf)>> {
    let dir = home.dir.join("demo");
    std::fs::create_dir_all(&dir).at(&dir)?;
    let write = |(key, name, content): (&'static str, &str, &str)| {
        let path = dir.join(name);
        if !path.exists() {
            std::fs::write(&path, content).at(&path)?;
        }
        Ok((key, path))
    };
    DOCUMENTS.into_iter().map(write).collect()
}
