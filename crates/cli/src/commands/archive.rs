//! `zhulian archive`: a node's archive of old blocks, read without the node.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;
use zhulian_node::archive::{Checked, Directory, Fault, check, receipt};
use zhulian_primitives::{EvidenceId, Network};
use zhulian_verify::verify_receipt;

use crate::{
    failure::{AtPath as _, Exit, Failure, Result},
    home::read_network,
    private_file,
    report::Report,
    session::Session,
    text,
    text::{Text, bytes, grouped, several},
};

/// A node's archive of old blocks, read without the node (归档：不依赖节点读取已归档的旧区块)
#[derive(Subcommand, Debug)]
pub enum Command {
    /// List the files of an archive with their blocks (列出归档文件及其区块)
    List(Place),
    /// Prove an archive against the network's identity: no gap, every block linked, every signature (核查归档：无缺口、逐块相连、逐个签名)
    Check(Check),
    /// Make a transaction's receipt from the archive's files alone (仅凭归档文件制作交易回执)
    Receipt(Receipt),
}

/// Options of `archive list`.
#[derive(Args, Debug)]
pub struct Place {
    /// The archive's directory (归档目录)
    pub directory: PathBuf,
}

/// Options of `archive check`.
#[derive(Args, Debug)]
pub struct Check {
    /// The archive's directory (归档目录)
    pub directory: PathBuf,
    /// The network identity to trust; default the one pinned in the home (可信的网络身份文件；默认使用用户目录中已信任的)
    #[arg(long, value_name = "network.json")]
    pub network: Option<PathBuf>,
}

/// Options of `archive receipt`.
#[derive(Args, Debug)]
pub struct Receipt {
    /// The archive's directory (归档目录)
    pub directory: PathBuf,
    /// The evidence number, or the transaction id, 64 hexadecimal digits (存证编号，或 64 位十六进制交易编号)
    #[arg(value_parser = number)]
    pub id: Number,
    /// The network identity to trust; default the one pinned in the home (可信的网络身份文件；默认使用用户目录中已信任的)
    #[arg(long, value_name = "network.json")]
    pub network: Option<PathBuf>,
    /// Where to write it; default ID.zlr (输出文件；默认为 编号.zlr)
    #[arg(long, short, value_name = "FILE.zlr")]
    pub output: Option<PathBuf>,
}

/// The first bytes of a transaction's id, as they were written.
#[derive(Clone, Debug)]
pub struct Number {
    text: String,
    bytes: Vec<u8>,
}

fn number(text: &str) -> std::result::Result<Number, String> {
    let text = text.trim();
    let bytes = match hex::decode(text).ok().filter(|bytes| bytes.len() == 32) {
        Some(bytes) => bytes,
        None => text.parse::<EvidenceId>().map_err(|error| error.to_string())?.0.to_vec(),
    };
    Ok(Number { text: text.into(), bytes })
}

/// Files with faults that the text names at most; `--json` has all.
const NAMED_MAX: usize = 20;

/// Runs the command.
///
/// # Errors
/// When the archive cannot be read, or proves nothing.
pub fn run(session: &Session, command: &Command) -> Result<Report> {
    match command {
        Command::List(args) => list(args),
        Command::Check(args) => prove(session, args),
        Command::Receipt(args) => make_receipt(session, args),
    }
}

fn open(path: &Path) -> Result<Directory> {
    let directory = Directory::open(path).at(path)?;
    if directory.spans().is_empty() {
        let shown = path.display();
        let what = text!("目录 {shown} 中没有归档文件", "there is no archive in {shown}");
        return Err(Failure::new(Exit::Usage, "archive.empty", what).next(Text::fixed(
            "目录由 node.json 的 archive.directory 指定",
            "node.json names the directory in archive.directory",
        )));
    }
    Ok(directory)
}

fn trusted(session: &Session, network: Option<&Path>) -> Result<Network> {
    network.map_or_else(|| session.home()?.network(), read_network)
}

fn list(args: &Place) -> Result<Report> {
    let directory = open(&args.directory)?;
    let (mut rows, mut files, mut total, mut gaps) = (Vec::new(), Vec::new(), 0, 0);
    let mut next = directory.spans().first().map_or(1, |span| span.first);
    for span in directory.spans() {
        let path = args.directory.join(span.file_name());
        let size = path.metadata().at(&path)?.len();
        gaps += u64::from(span.first != next);
        next = span.last + 1;
        total += size;
        rows.push(vec![grouped(span.first).into(), grouped(span.last).into(), bytes(size).into(), span.file_name().into()]);
        files.push(json!({ "first": span.first, "last": span.last, "bytes": size, "file": span.file_name() }));
    }
    let (count, last, size) = (files.len(), grouped(next - 1), bytes(total));
    let shown = several(count, "file");
    let head = vec![
        Text::fixed("首块", "first"),
        Text::fixed("末块", "last"),
        Text::fixed("大小", "size"),
        Text::fixed("文件", "file"),
    ];
    let report = Report::new(
        text!("{count} 个归档文件，到高度 {last}，共 {size}。", "{shown}, up to height {last}, {size} in all."),
        json!({ "files": files, "bytes": total, "gaps": gaps }),
    );
    let report = report.table(head, rows);
    Ok(match gaps {
        0 => {
            report.next(Text::fixed("用 zhulian archive check 核查内容。", "`zhulian archive check` proves what they hold."))
        }
        _ => report
            .fact(Text::fixed("缺口", "gaps"), grouped(gaps))
            .next(Text::fixed("请放回缺少的文件。", "Put the missing files back."))
            .exit(Exit::NoProof),
    })
}

fn prove(session: &Session, args: &Check) -> Result<Report> {
    let network = trusted(session, args.network.as_deref())?;
    let mut directory = open(&args.directory)?;
    let (mut faults, mut first, mut last) = (Vec::new(), None, None);
    let [mut files, mut blocks, mut transactions, mut certificates] = [0; 4];
    check(&mut directory, &network, |span, checked| match checked {
        Ok(Checked { transactions: of, certificates: signed, digest, .. }) => {
            first.get_or_insert(span.first);
            last = Some((span.last, hex::encode(digest)));
            files += 1;
            blocks += span.last - span.first + 1;
            transactions += of;
            certificates += signed;
        }
        Err(fault) => faults.push((span.file_name(), fault)),
    });
    if let Some(begin) = first.filter(|first| *first != 1) {
        let fault = Fault::Unproven(begin, "the archive does not begin with block 1".into());
        faults.push((directory.spans()[0].file_name(), fault));
    }
    let (shown, count) = (grouped(blocks), faults.len());
    let (told, proven) = (several(count, "fault"), several(blocks as usize, "block"));
    let sentence = match count {
        0 => text!("归档完整：{shown} 个区块，全部得到证明。", "The archive is whole: {proven}, all proven."),
        _ => text!("归档有 {count} 处问题。", "The archive has {told}."),
    };
    let named: Vec<_> = faults.iter().map(|(file, fault)| json!({ "file": file, "fault": fault.to_string() })).collect();
    let json = json!({
        "whole": count == 0, "files": files, "blocks": blocks, "transactions": transactions, "certificates": certificates,
        "last": last.as_ref().map(|(height, digest)| json!({ "height": height, "digest": digest })), "faults": named,
    });
    let mut report = Report::new(sentence, json)
        .exit(if count == 0 { Exit::Done } else { Exit::NoProof })
        .fact(Text::fixed("网络", "network"), network.name.as_str())
        .fact(Text::fixed("文件", "files"), grouped(files))
        .fact(Text::fixed("交易", "transactions"), grouped(transactions))
        .fact(Text::fixed("证书", "certificates"), grouped(certificates));
    if let Some((height, digest)) = last {
        let height = grouped(height);
        report = report.detail(Text::fixed("末块", "last block"), text!("{height}\n{digest}", "{height}\n{digest}"));
    }
    for (file, fault) in faults.iter().take(NAMED_MAX) {
        report = report.fact(Text::fixed("问题", "fault"), text!("{file}：{fault}", "{file}: {fault}"));
    }
    Ok(report.next(Text::fixed(
        "归档是否缺少最新的文件，须与节点或其他归档的末块比对。",
        "Whether its newest files are missing, only the last block of a node or another archive tells.",
    )))
}

fn make_receipt(session: &Session, args: &Receipt) -> Result<Report> {
    let network = trusted(session, args.network.as_deref())?;
    let mut directory = open(&args.directory)?;
    let made = receipt(&mut directory, &args.id.bytes).map_err(|fault| {
        let what = Text::fixed("归档文件已损坏，无法制作回执", "the archive is damaged, so no receipt can be made");
        Failure::new(Exit::NoProof, "archive.damaged", what).why(fault.to_string())
    })?;
    let number = &args.id.text;
    let Some(made) = made else {
        let what = text!("归档中没有 {number}", "the archive does not have {number}");
        return Err(Failure::new(Exit::NotDeposited, "archive.not_found", what).next(Text::fixed(
            "较新的交易还在节点中：zhulian tx receipt",
            "a newer transaction is still with the node: zhulian tx receipt",
        )));
    };
    let file = made.encode();
    let verified = verify_receipt(&network, &file).map_err(|refusal| {
        let what = Text::fixed("由归档制作的回执未通过核验", "the receipt that the archive gives does not verify");
        Failure::new(Exit::NoProof, "archive.unproven", what).why(refusal.to_string())
    })?;
    let path = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{number}.zlr")));
    if path.exists() {
        let shown = path.display();
        let what = text!("文件 {shown} 已存在，不会覆盖", "the file {shown} exists and is not overwritten");
        return Err(Failure::new(Exit::Usage, "file.exists", what)
            .next(Text::fixed("用 -o 指定其他文件名", "name another file with -o")));
    }
    private_file::write_public(&path, &file)?;
    let (shown, id, height) = (path.display().to_string(), verified.transaction.to_string(), verified.height);
    Ok(Report::new(
        text!("回执已由归档文件制作，并通过核验。", "The receipt is made from the archive's files, and verifies."),
        json!({ "transaction": id, "height": height, "file": shown, "bytes": file.len() }),
    )
    .fact(Text::fixed("文件", "file"), shown)
    .fact(Text::fixed("高度", "height"), grouped(height))
    .detail(Text::fixed("交易编号", "transaction"), id))
}
