//! `zhulian audit`: a stopped node's record, executed again from the first block.

use std::{
    path::{Path, PathBuf},
    process::Command as Process,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use zhulian_modules::governance::Genesis;
use zhulian_node::audit::{Counts, Fault, Findings, Injection, Subject, audit, copy_record, inject};
use zhulian_primitives::Network;

use crate::{
    commands::evidence::details::end_of_day,
    failure::{AtPath as _, Exit, Failure, Result, read_small},
    home::read_network,
    local::read_config,
    remote::beijing,
    report::Report,
    session::Session,
    text,
    text::{Text, grouped, several},
};

/// Options of `audit`.
#[derive(Args, Debug)]
pub struct Audit {
    /// A stopped node's directory: the one with node.json, or its data directory (已停止的节点的目录：含 node.json 的目录或其数据目录)
    pub directory: PathBuf,
    /// The genesis document; default the one that node.json names (创世文件；默认使用 node.json 所指的)
    #[arg(long, value_name = "genesis.cbor")]
    pub genesis: Option<PathBuf>,
    /// The network identity to trust; default the one pinned in the home (可信的网络身份文件；默认使用用户目录中已信任的)
    #[arg(long, value_name = "network.json")]
    pub network: Option<PathBuf>,
    /// The node's archive of old blocks; default the one that node.json names (节点的旧区块归档目录；默认使用 node.json 所指的)
    #[arg(long, value_name = "DIR")]
    pub archive: Option<PathBuf>,
    /// Count the blocks from this day on (UTC+8), or from this time in milliseconds since 1970 (从该日零时（北京时间）起统计；也可为 1970 年以来的毫秒数)
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day_begins)]
    pub from: Option<u64>,
    /// Count the blocks up to the end of this day (UTC+8), or before this time in milliseconds since 1970 (统计到该日结束（北京时间）为止；也可为 1970 年以来的毫秒数)
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day_ends)]
    pub to: Option<u64>,
    /// Directory for the working copy, as large as the record (工作副本所在目录，需与存档同样大的空间)
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
    /// Falsify copies so many times, and report what the audit says of each (对副本做这么多次篡改，并报告审计是否发现)
    #[arg(long, value_name = "N")]
    pub inject: Option<u64>,
    /// Seed of the falsifications (篡改所用的随机种子)
    #[arg(long, value_name = "S", default_value_t = 1, requires = "inject")]
    pub seed: u64,
    /// The directory is a copy that may be written to (该目录是可写的副本)
    #[arg(long, hide = true)]
    pub is_copy: bool,
}

const DAY_MS: u64 = 86_400_000;

/// The first millisecond after a day, or a time as it is.
fn day_ends(text: &str) -> Result<u64, String> {
    let moment = text.parse().ok().or_else(|| Some(end_of_day(text)? + 1));
    moment.ok_or_else(|| "write YYYY-MM-DD or milliseconds (请写作 YYYY-MM-DD 或毫秒数)".into())
}

/// The first millisecond of a day, or a time as it is.
fn day_begins(text: &str) -> Result<u64, String> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { day_ends(text) } else { day_ends(text).map(|end| end - DAY_MS) }
}

/// Faults and falsifications that the text names one by one at most; of more the JSON document tells.
const NAMED_MAX: usize = 20;
/// Characters of what is expected and found in the text.
const SHOWN_MAX: usize = 160;

/// Audits, or rehearses audits.
///
/// # Errors
/// When the node runs, its directory cannot be read, or there is nothing to trust.
pub fn run(session: &Session, args: &Audit) -> Result<Report> {
    let (data, genesis_path, archive) = find(args)?;
    let genesis = Genesis::decode(&read_small(&genesis_path)?).map_err(|error| {
        let shown = genesis_path.display();
        let what = text!("创世文件 {shown} 无效", "the genesis document {shown} is not valid");
        Failure::new(Exit::Failed, "audit.genesis", what).why(crate::failure::library_reason(&error.to_string()))
    })?;
    let network = match &args.network {
        Some(path) => read_network(path)?,
        None => session.home()?.network()?,
    };
    let subject = Subject { genesis: &genesis, network: &network, archive: archive.as_deref(), range: (args.from, args.to) };
    if args.is_copy {
        return Ok(report(&network, &audit(&data, subject, |_, _| {})));
    }
    if zhulian_node::audit::is_running(&data) {
        let what = Text::fixed("节点正在运行，无法审计", "the node is running, so it cannot be audited");
        return Err(
            Failure::new(Exit::Failed, "audit.running", what).next(Text::fixed("先停止该节点", "stop the node first"))
        );
    }
    if !data.join("chain").is_dir() {
        let shown = data.display();
        let what = text!("{shown} 中还没有账本，无可审计", "there is no ledger in {shown} yet, so nothing to audit");
        return Err(Failure::new(Exit::Usage, "audit.no_ledger", what)
            .why(Text::fixed("该节点从未启动过，例如刚刚恢复", "the node was never started, as after a restore"))
            .next(Text::fixed(
                "先启动节点，待其从其他节点取得账本后停止，再审计；旧账本在备份中，可对备份目录执行 zhulian audit",
                "start the node, let it fetch the ledger from the others, stop it, and audit it then; the former ledger is in the backup: \
                 run `zhulian audit` on that",
            )));
    }
    let scratch = Scratch::new(args.scratch.as_deref())?;
    let copy = scratch.0.join("record");
    copy_record(&data, &copy).at(&data)?;
    match args.inject {
        Some(count) => rehearse(session, args, subject, &genesis_path, (&scratch.0, count)),
        None => {
            let bar = bar(session, 0);
            let found = audit(&copy, subject, |height, last| {
                bar.set_length(last);
                bar.set_position(height);
            });
            bar.finish_and_clear();
            Ok(report(&network, &found))
        }
    }
}

/// The data directory, the genesis document, and the archive of old blocks if there is one.
fn find(args: &Audit) -> Result<(PathBuf, PathBuf, Option<PathBuf>)> {
    let named = args.directory.join("node.json");
    if named.exists() {
        let config = read_config(&named)?;
        let archive = args.archive.clone().or(config.archive.map(|archive| archive.directory));
        return Ok((config.directory, args.genesis.clone().unwrap_or(config.genesis), archive));
    }
    let shown = args.directory.display();
    if !args.directory.join("chain").is_dir() {
        let what = text!("{shown} 不是节点的目录", "{shown} is no node's directory");
        return Err(Failure::new(Exit::Usage, "audit.directory", what).next(Text::fixed(
            "请指定含 node.json 的目录或其数据目录；zhulian up 的各节点在其目录下的 nodes/1 至 nodes/4",
            "name the directory with node.json, or its data directory; those of `zhulian up` are nodes/1 to nodes/4 in its directory",
        )));
    }
    match &args.genesis {
        Some(genesis) => Ok((args.directory.clone(), genesis.clone(), args.archive.clone())),
        None => {
            Err(Failure::new(Exit::Usage, "audit.genesis", Text::fixed("需要创世文件", "the genesis document is needed"))
                .next(Text::fixed("用 --genesis 指定", "name it with --genesis")))
        }
    }
}

/// A directory that goes with the audit.
struct Scratch(PathBuf);

impl Scratch {
    fn new(below: Option<&Path>) -> Result<Self> {
        let name = format!("zhulian-audit-{}", std::process::id());
        let path = below.map_or_else(std::env::temp_dir, Path::to_path_buf).join(name);
        crate::private_file::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left over is in a directory for such things.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn bar(session: &Session, length: u64) -> ProgressBar {
    if !session.shows_progress() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len}  {eta}").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style)
}

fn report(network: &Network, found: &Findings) -> Report {
    let faults = found.faults.count;
    let (blocks, shown) = (grouped(found.chain.blocks), grouped(faults));
    let (of_blocks, of_faults) = (several(found.chain.blocks as usize, "block"), several(faults as usize, "fault"));
    let sentence = match faults {
        0 => text!(
            "记录完整：{blocks} 个区块全部重新执行，结果一致。",
            "The record is whole: {of_blocks}, all executed again with the same outcome."
        ),
        _ => text!("记录有 {shown} 处不符。", "The record has {of_faults}."),
    };
    let mut json = serde_json::to_value(found).unwrap_or_default();
    json["whole"] = json!(faults == 0);
    let mut report = Report::new(sentence, json)
        .exit(if faults == 0 { Exit::Done } else { Exit::NoProof })
        .fact(Text::fixed("网络", "network"), network.name.as_str())
        .fact(Text::fixed("全部", "all"), counts(&found.chain))
        .fact(Text::fixed("时间范围", "range of time"), counts(&found.range))
        .fact(Text::fixed("重新执行", "executed again"), grouped(found.executed))
        .fact(Text::fixed("证书", "certificates"), grouped(found.certificates));
    for (label, part) in [
        (Text::fixed("状态条目", "entries of the state"), found.state),
        (Text::fixed("索引行", "rows of the index"), found.index),
    ] {
        let value = match part {
            Some((count, height)) => {
                let (count, height) = (grouped(count), grouped(height));
                text!("{count}，高度 {height}", "{count}, at height {height}")
            }
            None => Text::fixed("无", "none"),
        };
        report = report.fact(label, value);
    }
    if found.index_lacks > 0 {
        let lacks = grouped(found.index_lacks);
        let value = text!(
            "不含末尾 {lacks} 个区块，节点运行后补入",
            "without the last {lacks} blocks, which the node takes in once it runs"
        );
        report = report.fact(Text::fixed("索引", "index"), value);
    }
    for (label, mark) in [
        (Text::fixed("范围首块", "first block of the range"), &found.range.first),
        (Text::fixed("范围末块", "last block of the range"), &found.range.last),
        (Text::fixed("链末块", "last block of the chain"), &found.chain.last),
    ] {
        if let Some(mark) = mark {
            let (height, time, digest) = (grouped(mark.height), beijing(mark.time), hex::encode(mark.digest));
            let Text { zh, en } = time;
            report = report.detail(label, text!("{height}，{zh}\n{digest}", "{height}, {en}\n{digest}"));
        }
    }
    for fault in found.faults.kept.iter().take(NAMED_MAX) {
        report = report.fact(Text::fixed("不符", "fault"), told(fault));
    }
    match (faults as usize).saturating_sub(NAMED_MAX) {
        0 => report,
        left => {
            report.fact(Text::fixed("其余", "and more"), text!("另有 {left} 处；加 --json 查看", "{left} more; add --json"))
        }
    }
}

fn counts(counts: &Counts) -> Text {
    let Counts { blocks, transactions, deposits, pieces, .. } = counts;
    let en = |count: &u64, one| several(*count as usize, one);
    let (en_blocks, en_transactions) = (en(blocks, "block"), en(transactions, "transaction"));
    let (en_deposits, en_pieces) = (en(deposits, "deposit"), en(pieces, "piece"));
    let (blocks, transactions) = (grouped(*blocks), grouped(*transactions));
    let (deposits, pieces) = (grouped(*deposits), grouped(*pieces));
    text!(
        "{blocks} 个区块，{transactions} 笔交易，{deposits} 笔存证（{pieces} 件）",
        "{en_blocks}, {en_transactions}, {en_deposits} of {en_pieces}"
    )
}

fn told(fault: &Fault) -> Text {
    let short = |text: &str| match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    };
    let (expected, found) = (short(&fault.expected), short(&fault.found));
    let (zh, en) = (fault.what.zh(), fault.what.en());
    match fault.height {
        Some(height) => text!(
            "高度 {height}，{zh}：应为 {expected}，实为 {found}",
            "height {height}, {en}: expected {expected}, found {found}"
        ),
        None => text!("{zh}：应为 {expected}，实为 {found}", "{en}: expected {expected}, found {found}"),
    }
}

/// Audits falsified copies, each in a process of its own: a store's library may end the process at a damage it cannot bear.
fn rehearse(
    session: &Session,
    args: &Audit,
    subject: Subject<'_>,
    genesis: &Path,
    (scratch, count): (&Path, u64),
) -> Result<Report> {
    let failed = |error: String| {
        Failure::new(Exit::Failed, "audit.inject", Text::fixed("无法进行篡改演练", "the rehearsal cannot be made"))
            .why(crate::failure::library_reason(&error))
    };
    let program = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
    let identity = scratch.join("network.json");
    std::fs::write(&identity, zhulian_verify::print_network(subject.network)).at(&identity)?;
    let stopped = AtomicU64::new(0);
    let examine = |copy: &Path| -> Result<Findings, String> {
        let out = Process::new(&program)
            .args(["--json", "audit", "--is-copy", "--genesis"])
            .arg(genesis)
            .arg("--network")
            .arg(&identity)
            .args(subject.archive.iter().flat_map(|archive| [Path::new("--archive"), *archive]))
            .arg(copy)
            .output()
            .map_err(|error| error.to_string())?;
        serde_json::from_slice(&out.stdout).map_err(|_| {
            stopped.fetch_add(1, Relaxed);
            let said = String::from_utf8_lossy(&out.stderr).trim().to_string();
            format!("{}: {}", out.status, said.lines().next().unwrap_or_default())
        })
    };
    let bar = bar(session, count);
    let mut all = Vec::new();
    inject(&scratch.join("record"), scratch, subject, (count, args.seed), examine, |injection| {
        bar.inc(1);
        all.push(injection.clone());
    })
    .map_err(failed)?;
    bar.finish_and_clear();
    Ok(rehearsed(&all, stopped.into_inner()))
}

fn rehearsed(all: &[Injection], stopped: u64) -> Report {
    let found = all.iter().filter(|it| it.is_found()).count();
    let idle = all.iter().filter(|it| it.without_effect).count();
    let missed = all.len() - found - idle;
    let count = all.len();
    let sentence = match missed {
        0 => text!(
            "{count} 次篡改，发现 {found} 次；{idle} 次落在无人读取的字节上，全部记录未变。",
            "{count} falsifications: {found} found; {idle} fell on bytes that nobody reads, every record as before."
        ),
        _ => text!("{count} 次篡改中有 {missed} 次未被发现。", "{missed} of {count} falsifications were not found."),
    };
    let rows: Vec<Value> = all.iter().map(row).collect();
    let mut table = Vec::new();
    for kind in zhulian_node::audit::Kind::ALL {
        let of: Vec<_> = all.iter().filter(|it| it.kind == kind).collect();
        let Some(example) = of.first() else { continue };
        let (_, zh, en) = kind.texts();
        let first = of.iter().find(|it| it.is_found()).unwrap_or(example);
        let number = |count: usize| Text::from(count.to_string());
        table.push(vec![
            text!("{zh}", "{en}"),
            number(of.len()),
            number(of.iter().filter(|it| it.is_found()).count()),
            number(of.iter().filter(|it| it.without_effect).count()),
            first.place.as_str().into(),
            said(first),
        ]);
    }
    let head = vec![
        Text::fixed("篡改", "falsification"),
        Text::fixed("次数", "times"),
        Text::fixed("发现", "found"),
        Text::fixed("无影响", "no effect"),
        Text::fixed("例", "example"),
        Text::fixed("审计所报", "what the audit said"),
    ];
    let json = json!({ "falsifications": count, "found": found, "without_effect": idle, "missed": missed, "stopped": stopped, "all": rows });
    let mut report =
        Report::new(sentence, json).exit(if missed == 0 { Exit::Done } else { Exit::NoProof }).table(head, table);
    for it in all.iter().filter(|it| !it.is_found() && !it.without_effect).take(NAMED_MAX) {
        let (_, zh, en) = it.kind.texts();
        let place = &it.place;
        report = report.fact(Text::fixed("未发现", "not found"), text!("{zh}：{place}", "{en}: {place}"));
    }
    report
}

fn said(it: &Injection) -> Text {
    match &it.findings {
        Err(_) => Text::fixed("审计程序中止", "the audit stopped"),
        Ok(findings) => match findings.faults.kept.first() {
            Some(fault) => {
                let (zh, en) = (fault.what.zh(), fault.what.en());
                match fault.height {
                    Some(height) => text!("高度 {height}：{zh}", "height {height}: {en}"),
                    None => text!("{zh}", "{en}"),
                }
            }
            None => Text::fixed("无", "nothing"),
        },
    }
}

fn row(it: &Injection) -> Value {
    let (faults, first) = match &it.findings {
        Ok(found) => (json!(found.faults.count), json!(found.faults.kept.first())),
        Err(error) => (Value::Null, json!(error)),
    };
    json!({
        "kind": it.kind.texts().0,
        "place": it.place,
        "found": it.is_found(),
        "without_effect": it.without_effect,
        "faults": faults,
        "first": first,
    })
}
