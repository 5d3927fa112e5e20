//! `zhulian backup` and `zhulian restore`: a stopped node's record and secrets kept aside, and a lost validator put back so that it
//! never votes twice.
//!
//! A backup never holds the vote journal, and a restored validator never begins with old state: it asks the others where the chain is,
//! and votes only after the last block that they have finalised. What it voted for before is then decided.

use std::{
    collections::BTreeMap,
    fs,
    io::Read as _,
    path::{Component, Path, PathBuf},
    time::{Duration, Instant},
};

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;
use walkdir::WalkDir;
use zeroize::Zeroizing;
use zhulian_api::view;
use zhulian_crypto::Sha256;
use zhulian_modules::governance::Genesis;
use zhulian_node::{
    Config,
    archive::Directory,
    audit::{copy_record, is_running},
    config::StateSync,
};

use super::network::now_ms;
use crate::{
    failure::{AtPath as _, Exit, Failure, Result, read_small, read_text},
    home::public_key,
    local::{PASSPHRASE_FILE, read_config},
    private_file,
    remote::{Remote, beijing},
    report::Report,
    session::Session,
    text,
    text::{Text, bytes, grouped},
};

/// Options of `backup`.
#[derive(Args, Debug)]
pub struct Backup {
    /// A stopped node's directory, with node.json (已停止的节点的目录，内含 node.json)
    pub directory: PathBuf,
    /// Directory to write to; it must not exist or be empty (输出目录，必须不存在或为空)
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    /// Leave out the secret keys, which are then to be kept elsewhere (不备份私钥，须另行保管)
    #[arg(long)]
    pub without_keys: bool,
    /// Copy the files of the node's archive, too; else they stay only where they are (一并备份旧区块归档文件；否则仍只在原处)
    #[arg(long)]
    pub with_archive: bool,
}

/// Options of `restore`.
#[derive(Args, Debug)]
pub struct Restore {
    /// A directory that `zhulian backup` wrote (由 zhulian backup 写出的目录)
    pub backup: PathBuf,
    /// Directory for the node; it must not exist or be empty (节点目录，必须不存在或为空)
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    /// Do not ask another node whether the network has gone on since (不向其他节点确认网络已继续出块)
    #[arg(long)]
    pub unasked: bool,
}

/// What a backup says of itself.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format: String,
    /// Name of the network, and SHA-256 of its genesis document.
    network: String,
    chain: String,
    /// Public key of the validator, so that a backup without keys tells, too, who must not be up elsewhere. Older ones do not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    validator: Option<String>,
    taken_ms: u64,
    files: BTreeMap<String, Entry>,
}

/// A file of a backup.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    bytes: u64,
    sha256: String,
}

const FORMAT: &str = "zhulian-backup/1";
const MANIFEST: &str = "backup.json";
/// Where a backup keeps the record.
const DATA: &str = "data";
const GENESIS: &str = "genesis.cbor";
const NETWORK: &str = "network.json";
const KEYS: &str = "keys";
const ARCHIVE: &str = "archive";
/// Blocks that the network must finalise while it is watched: whatever the lost validator voted for is decided then.
const BLOCKS: u64 = 8;
/// How long it is watched at least: a node that has only just started takes some seconds to hear all others, and blocks may come quickly.
const WATCH_MIN: Duration = Duration::from_secs(10);
const WATCH: Duration = Duration::from_secs(90);

/// Writes a backup.
///
/// # Errors
/// When the node runs, or something cannot be read or written.
pub fn backup(args: &Backup) -> Result<Report> {
    let from = &args.directory;
    let mut config = read_config(&from.join("node.json"))?;
    if is_running(&config.directory) {
        let what = Text::fixed("节点正在运行，无法备份", "the node is running, so it cannot be backed up");
        return Err(Failure::new(Exit::Failed, "backup.running", what)
            .next(Text::fixed("先停止该节点；其余节点会继续出块", "stop the node first; the others go on meanwhile")));
    }
    let genesis = genesis(&config.genesis)?;
    let to = &args.to;
    empty(to)?;
    private_file::create_dir(to)?;
    copy_record(&config.directory, &to.join(DATA)).at(&config.directory)?;
    fs::copy(&config.genesis, to.join(GENESIS)).at(&config.genesis)?;
    for (name, secret) in [(NETWORK, false), (PASSPHRASE_FILE, true), (KEYS, true)] {
        let path = config.key.with_file_name(name);
        if path.exists() && !(secret && args.without_keys) {
            copy(&path, &to.join(name))?;
        }
    }
    // So that the backup can be examined with nothing else at hand; a node of `zhulian up` has none beside its key.
    if !to.join(NETWORK).exists() {
        let identity = zhulian_verify::print_network(&genesis.network());
        private_file::write_public(&to.join(NETWORK), identity.as_bytes())?;
    }
    // It may be kept elsewhere already; then the backup cannot name it, and a restore will say so.
    let validator = public_key(&config.key).ok().map(|key| key.to_string());
    let key = config.key.file_name().map(PathBuf::from).unwrap_or_default();
    if !args.without_keys {
        copy(&config.key, &to.join(&key))?;
    }
    (config.directory, config.genesis, config.key) = (DATA.into(), GENESIS.into(), key);
    let mut left_out = None;
    if let Some(archive) = &mut config.archive {
        let from = std::path::absolute(&archive.directory).at(&archive.directory)?;
        if args.with_archive {
            copy_archive(&from, &to.join(ARCHIVE))?;
            archive.directory = ARCHIVE.into();
        } else {
            left_out = Some(from.display().to_string());
            archive.directory = from;
        }
    }
    private_file::write_public(&to.join("node.json"), config.print().as_bytes())?;

    let mut files = BTreeMap::new();
    for path in files_below(to)? {
        files.insert(name(to, &path)?, entry(&path)?);
    }
    let network = genesis.network();
    let manifest = Manifest {
        format: FORMAT.into(),
        network: network.name.clone(),
        chain: hex::encode(network.chain),
        validator,
        taken_ms: now_ms(),
        files,
    };
    let text = serde_json::to_string_pretty(&manifest).unwrap_or_default() + "\n";
    private_file::replace(&to.join(MANIFEST), text.as_bytes())?;
    let (count, size) = (manifest.files.len(), manifest.files.values().map(|it| it.bytes).sum::<u64>());
    let (shown, told) = (to.display().to_string(), bytes(size));
    let report = Report::new(
        text!("节点已备份到 {shown}。", "The node is backed up in {shown}."),
        json!({ "directory": shown, "files": count, "bytes": size, "chain": manifest.chain, "keys": !args.without_keys }),
    )
    .fact(Text::fixed("文件", "files"), text!("{count} 个，{told}", "{count}, {told}"));
    let report = match left_out {
        None => report,
        Some(archive) => report.next(text!(
            "已归档的旧区块不在备份中；请另行保管归档目录 {archive}（其文件写成后不再改变），或使用 --with-archive。",
            "Archived blocks are not in the backup: keep the archive {archive}, whose files never change once written, or use --with-archive."
        )),
    };
    Ok(report
        .detail(Text::fixed("链标识", "chain"), manifest.chain)
        .next(text!(
            "可立即重启节点。用 zhulian audit {shown} 可离线核查此备份。",
            "The node may be started again. `zhulian audit {shown}` examines the backup, offline."
        ))
        .next(Text::fixed(
            "备份中不含投票记录；请勿直接复制运行目录作为备份。",
            "It holds no vote journal; never use a plain copy of a node's directory instead.",
        )))
}

/// Copies an archive's segments and nothing else.
fn copy_archive(from: &Path, to: &Path) -> Result<()> {
    let directory = Directory::open(from).at(from)?;
    private_file::create_dir(to)?;
    for span in directory.spans() {
        copy(&from.join(span.file_name()), &to.join(span.file_name()))?;
    }
    Ok(())
}

/// Puts a lost validator back.
///
/// # Errors
/// When the backup is not whole, the network stands still, or the validator is up elsewhere.
pub fn restore(session: &Session, args: &Restore) -> Result<Report> {
    let (from, to) = (&args.backup, &args.to);
    let manifest = read_manifest(from)?;
    check(from, &manifest)?;
    empty(to)?;
    let genesis = genesis(&from.join(GENESIS))?;
    if hex::encode(genesis.chain_id()) != manifest.chain {
        return Err(damaged(text!("创世文件属于另一网络", "the genesis document is another network's")));
    }
    let mut config: Config = serde_json::from_str(&read_text(&from.join("node.json"))?)
        .map_err(|error| damaged(text!("node.json:{error}", "node.json: {error}")))?;
    let watched = if args.unasked { None } else { Some(watch(session, &manifest, &config, from)?) };

    private_file::create_dir(to)?;
    // The chain and the index come from the others; uploaded entries of batches are nowhere else.
    let old = |name: &str| name.starts_with("data/chain/") || name.starts_with("data/index/") || name == "node.json";
    for name in manifest.files.keys().filter(|name| !old(name)) {
        let secret = name == PASSPHRASE_FILE || Path::new(name).starts_with(KEYS) || Path::new(name) == config.key;
        match secret {
            // Whatever became of its mode on the way: a node takes no key that others can read.
            true => copy_secret(&from.join(name), &to.join(name))?,
            false => copy(&from.join(name), &to.join(name))?,
        }
    }
    config.state_sync = StateSync::Required;
    private_file::write_public(&to.join("node.json"), config.print().as_bytes())?;
    let (shown, kept, taken) = (to.display().to_string(), from.display(), beijing(manifest.taken_ms));
    let has_key = to.join(&config.key).exists();
    let mut report = Report::new(
        text!("节点已恢复到 {shown}，账本将从其他节点获取。", "The node is restored in {shown}; its ledger comes from the others."),
        json!({ "directory": shown, "chain": manifest.chain, "taken_ms": manifest.taken_ms, "key": has_key, "height": watched }),
    )
    .fact(Text::fixed("备份时间", "backup of"), taken)
    .next(text!("启动节点：zhulian node run --config {shown}/node.json", "Start it: zhulian node run --config {shown}/node.json"))
    .next(text!(
        "备份 {kept} 中的旧账本仍可离线核查：zhulian audit {kept}",
        "The record in {kept} still proves what it holds: zhulian audit {kept}"
    ));
    if let Some(height) = watched {
        report = report.fact(Text::fixed("网络高度", "network's height"), grouped(height));
    }
    if !has_key {
        let key = to.join(&config.key).display().to_string();
        report = report.next(text!(
            "备份不含私钥：请将验证节点密钥放到 {key}",
            "The backup has no keys: put the validator's key to {key}"
        ));
    }
    Ok(report)
}

/// Watches another node until the network has gone on for some blocks, and gives the height.
fn watch(session: &Session, manifest: &Manifest, config: &Config, from: &Path) -> Result<u64> {
    let own = own_keys(manifest, config, from)?;
    let remote = Remote::new(session)?;
    let url = remote.client.base().to_string();
    let status = remote.call(remote.client.status())?;
    if status.chain.to_string() != manifest.chain {
        let name = &manifest.network;
        let what = text!("{url} 不属于网络“{name}”", "{url} is no node of “{name}”");
        return Err(Failure::new(Exit::Usage, "restore.other_network", what));
    }
    let begun = Instant::now();
    let mut first = None;
    loop {
        // Each time: the validator may come back meanwhile, and a node that has only just started hears nobody yet.
        refuse_if_up(&remote, &own)?;
        let status = remote.call(remote.client.status())?;
        let runs = status.phase == view::Phase::Running;
        let (from, since) = *first.get_or_insert_with(|| (status.height, Instant::now()));
        // What a node that starts says of the height is no beginning.
        if !runs {
            first = None;
        }
        if runs && status.height >= from + BLOCKS && since.elapsed() >= WATCH_MIN {
            refuse_if_up(&remote, &own)?;
            return Ok(status.height);
        }
        if begun.elapsed() > WATCH {
            let (seconds, new) = (WATCH.as_secs(), status.height.saturating_sub(from));
            return Err(Failure::new(
                Exit::Network,
                "restore.network_stands",
                text!(
                    "网络在 {seconds} 秒内只出了 {new} 个区块，暂不能恢复验证节点",
                    "the network made only {new} blocks in {seconds} s, so a validator cannot be put back yet"
                ),
            )
            .why(Text::fixed(
                "该验证节点在丢失前可能已为尚未确认的区块投票；若现在恢复，它可能对同一轮次投出不同的票",
                "before it was lost it may have voted for a block that is not decided yet; put back now, it might vote otherwise in \
                 the same view",
            ))
            .next(Text::fixed("先让其余验证节点恢复出块：zhulian why-stalled", "let the others go on first: zhulian why-stalled")));
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Public keys of the validator, by the manifest and by the key file; whoever of them is up must not come back beside itself.
fn own_keys(manifest: &Manifest, config: &Config, from: &Path) -> Result<Vec<String>> {
    let stored = public_key(&from.join(&config.key)).ok().map(|key| key.to_string());
    let own: Vec<String> = manifest.validator.clone().into_iter().chain(stored).collect();
    if own.is_empty() {
        let what = Text::fixed("备份未指明验证节点的公钥", "the backup does not tell the validator's public key");
        return Err(Failure::new(Exit::Failed, "restore.unknown_validator", what)
            .why(Text::fixed(
                "因此无法确认该验证节点没有在别处运行；同一密钥在两处使用即为作恶",
                "so nobody can be asked whether it is up elsewhere, and a key that is used in two places is misbehaviour",
            ))
            .next(Text::fixed(
                "先确认原节点已停止、网络仍在出块（zhulian status），再加上 --unasked",
                "make sure that the old node is stopped and that the network goes on (zhulian status), then add --unasked",
            )));
    }
    Ok(own)
}

/// Refuses when the network hears the validator: its key would be in two places.
fn refuse_if_up(remote: &Remote, own: &[String]) -> Result<()> {
    let validators = remote.call(remote.client.validators())?;
    match validators.items.into_iter().find(|it| it.connected && own.contains(&it.public_key.to_string())) {
        None => Ok(()),
        Some(validator) => {
            let name = validator.name;
            let what = text!("验证节点“{name}”正在别处运行", "the validator {name} is up elsewhere");
            Err(Failure::new(Exit::Failed, "restore.up", what)
                .why(Text::fixed("同一密钥在两处使用即为作恶", "a key that is used in two places is misbehaviour"))
                .next(Text::fixed("先停止另一处的节点", "stop that one first")))
        }
    }
}

fn genesis(path: &Path) -> Result<Genesis> {
    Genesis::decode(&read_small(path)?).map_err(|error| {
        let shown = path.display();
        let what = text!("创世文件 {shown} 无效", "the genesis document {shown} is not valid");
        Failure::new(Exit::Failed, "node.genesis", what).why(crate::failure::library_reason(&error.to_string()))
    })
}

fn read_manifest(from: &Path) -> Result<Manifest> {
    let text = read_text(&from.join(MANIFEST))?;
    let manifest: Manifest =
        serde_json::from_str(&text).map_err(|error| damaged(text!("{MANIFEST}:{error}", "{MANIFEST}: {error}")))?;
    if manifest.format != FORMAT {
        let format = &manifest.format;
        return Err(damaged(text!("未知格式 {format}", "its format is {format}")));
    }
    Ok(manifest)
}

/// Holds a backup against its manifest: every file, and no other.
fn check(from: &Path, manifest: &Manifest) -> Result<()> {
    for path in files_below(from)? {
        let name = name(from, &path)?;
        if name.contains("-votes-") || name.contains("/zhulian-log") {
            let what = text!("备份中含有投票记录 {name}", "there is a vote journal in the backup: {name}");
            return Err(Failure::new(Exit::Failed, "restore.votes", what)
                .why(Text::fixed(
                    "使用旧的投票记录，验证节点可能重复投票，被视为作恶",
                    "with an old one the validator could vote twice, which counts as misbehaviour",
                ))
                .next(Text::fixed("只使用 zhulian backup 写出的备份", "use only what `zhulian backup` wrote")));
        }
        if name != MANIFEST && !manifest.files.contains_key(&name) {
            return Err(damaged(text!("多出文件 {name}", "the file {name} is not of it")));
        }
    }
    for (name, stated) in &manifest.files {
        let plain = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        if !plain {
            return Err(damaged(text!("不允许的文件名 {name}", "a file must not be called {name}")));
        }
        if entry(&from.join(name))? != *stated {
            return Err(damaged(text!("文件 {name} 已改变", "the file {name} has changed")));
        }
    }
    Ok(())
}

fn damaged(why: Text) -> Failure {
    Failure::new(Exit::Failed, "restore.damaged", Text::fixed("备份不完整或已损坏", "the backup is not whole"))
        .why(why)
        .next(Text::fixed("请使用另一份备份", "use another backup"))
}

/// Refuses a directory in which there is something.
fn empty(path: &Path) -> Result<()> {
    if fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()) {
        let shown = path.display();
        let what =
            text!("目录 {shown} 不是空的，不会覆盖", "the directory {shown} is not empty, and nothing in it is overwritten");
        return Err(
            Failure::new(Exit::Usage, "backup.exists", what).next(Text::fixed("请换一个目录", "choose another directory"))
        );
    }
    Ok(())
}

fn files_below(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for found in WalkDir::new(directory).sort_by_file_name() {
        let found = found.map_err(std::io::Error::from).at(directory)?;
        if found.file_type().is_symlink() {
            let shown = found.path().display();
            return Err(damaged(text!("{shown} 是符号链接", "{shown} is a symbolic link")));
        }
        if found.file_type().is_file() {
            files.push(found.into_path());
        }
    }
    Ok(files)
}

/// A file's name below a directory, with `/` between the parts.
fn name(directory: &Path, path: &Path) -> Result<String> {
    let below = path.strip_prefix(directory).unwrap_or(path);
    let parts: Option<Vec<&str>> = below.components().map(|part| part.as_os_str().to_str()).collect();
    parts.map(|parts| parts.join("/")).ok_or_else(|| {
        let shown = path.display();
        damaged(text!("文件名不是 UTF-8：{shown}", "a file's name is no UTF-8: {shown}"))
    })
}

fn entry(path: &Path) -> Result<Entry> {
    let mut file = fs::File::open(path).at(path)?;
    let (mut hash, mut size, mut buffer) = (Sha256::default(), 0, vec![0; 1 << 20]);
    loop {
        let count = file.read(&mut buffer).at(path)?;
        if count == 0 {
            return Ok(Entry { bytes: size, sha256: hex::encode(hash.finish()) });
        }
        hash.update(&buffer[..count]);
        size += count as u64;
    }
}

/// Copies a file that only its owner may read.
fn copy_secret(from: &Path, to: &Path) -> Result<()> {
    if let Some(parent) = to.parent() {
        private_file::create_dir(parent)?;
    }
    private_file::create(to, &Zeroizing::new(fs::read(from).at(from)?))
}

/// Copies a file or what is below a directory, with its mode; directories are made for their owner only.
fn copy(from: &Path, to: &Path) -> Result<()> {
    if from.is_dir() {
        for entry in fs::read_dir(from).at(from)? {
            let entry = entry.at(from)?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        private_file::create_dir(parent)?;
    }
    fs::copy(from, to).at(from).map(|_| ())
}
