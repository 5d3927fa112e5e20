//! `zhulian verify`: a file against its receipt, with no node and no network.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::Args;
use indicatif::ProgressBar;
use serde_json::json;
use zhulian_primitives::Network;
use zhulian_verify::{Answer, CheckError, RECEIPT_BYTES_MAX, Refusal};

use super::proven;
use crate::{
    deposit::{
        number_of,
        place::{self, Whose},
        receipts_of,
    },
    failure::{AtPath as _, Exit, Failure, Result},
    hashing,
    home::read_network,
    opening::{self, Opening, Secret},
    report::Report,
    session::Session,
    text,
    text::{Text, quoted},
};

/// Ending of receipt files.
pub const RECEIPT_ENDING: &str = "zlr";

/// Options of `verify`.
#[derive(Args, Debug)]
pub struct Verify {
    /// The file to check, or a folder with its folder of receipts (待核验的文件；也可以是目录，逐一核验其中的文件)
    pub file: PathBuf,
    /// Its receipt; default FILE.zlr, for a folder FOLDER.receipts (回执；默认为 文件.zlr，目录则为 目录.receipts)
    #[arg(long, short, value_name = "FILE.zlr")]
    pub receipt: Option<PathBuf>,
    /// The network identity to trust, from a source of your own choosing, never one that came with the receipt; default the one pinned in the home (可信的网络身份文件，须自行从可信渠道取得，不可与回执同来；默认使用用户目录中已信任的)
    #[arg(long, value_name = "network.json")]
    pub network: Option<PathBuf>,
    /// An opening that the depositor gave out: it proves the name or a fact that the deposit commits to (存证单位给出的承诺公开文件，用于证明存证时的文件名等)
    #[arg(long, value_name = "FILE.json")]
    pub opening: Vec<PathBuf>,
}

/// Runs the command: one of exactly three answers, or a failure when there can be none.
///
/// # Errors
/// When the receipt or the identity proves nothing, or a file cannot be read.
pub fn run(session: &Session, args: &Verify) -> Result<Report> {
    let receipt_path = match (&args.receipt, args.file.is_dir()) {
        (Some(path), _) => path.clone(),
        (None, true) => receipts_of(&args.file),
        (None, false) => beside(&args.file),
    };
    let network = match &args.network {
        Some(path) => read_network(path)?,
        None => pinned(session, &receipt_path)?,
    };
    if args.file.is_dir() {
        return super::verify_folder::run(session, &network, &args.file, &receipt_path);
    }
    let by = |receipt: &Path| by(session, &network, &args.file, receipt);
    let mut answer = by(&receipt_path);
    let mut later = None;
    if args.receipt.is_none() && !matches!(answer, Ok(Answer::Verified(_))) {
        // A file that was changed and deposited anew has several receipts; the one that is of it as it is now counts.
        let secret = own_secret(session);
        let mut unclear = None;
        for place::Kept { path, rival } in place::kept(&receipt_path).into_iter().filter(|it| it.path != receipt_path) {
            let Ok(verified @ Answer::Verified(_)) = by(&path) else { continue };
            let rival = rival.map(|name| args.file.with_file_name(name));
            let whose = |rival: &PathBuf| place::whose(secret.as_ref(), Some(verified.facts()), &args.file, rival);
            match rival.as_ref().map_or(Whose::Its, whose) {
                Whose::Its => {
                    (later, answer) = (Some(path), Ok(verified));
                    break;
                }
                Whose::Rivals => {}
                Whose::Unclear => unclear = unclear.or(rival.map(|rival| (path, rival))),
            }
        }
        if let (None, Some((path, rival))) = (&later, unclear) {
            return Err(whose_is_it(&args.file, &path, &rival));
        }
    }
    let answer = answer?;
    let mut report = report(&network, &answer, &args.file);
    if let Some(path) = later {
        report = report.fact(Text::fixed("回执", "receipt"), path.display().to_string());
    }
    for path in &args.opening {
        report = opened(report, &answer, path)?;
    }
    if args.opening.is_empty() && args.network.is_none() {
        report = own_name(session, report, &answer, &args.file);
    }
    Ok(report)
}

/// The content was deposited, but perhaps as another file.
fn whose_is_it(file: &Path, receipt: &Path, rival: &Path) -> Failure {
    let why = unclear(file, receipt, rival);
    let (file, receipt) = (file.display(), receipt.display());
    Failure::new(
        Exit::Partial,
        "receipt.unclear",
        text!(
            "{file} 与回执 {receipt} 一致，但无法判定该回执属于哪个文件",
            "{file} is what the receipt {receipt} is of, but it cannot be told whether that is the receipt of this file"
        ),
    )
    .why(why)
    .next(text!(
        "若确属该文件，请用 --receipt 指定，或将其改名为 {receipt}.{RECEIPT_ENDING}",
        "if it is, name it with --receipt, or rename it to {receipt}.{RECEIPT_ENDING}"
    ))
}

/// Why a receipt's name does not tell whose it is.
pub fn unclear(file: &Path, receipt: &Path, rival: &Path) -> Text {
    let (file, receipt, rival) = (name_of(file), name_of(receipt), name_of(rival));
    text!(
        "{receipt} 可能是 {file} 再次存证的回执（旧版本如此命名），也可能是另一文件 {rival} 的回执",
        "{receipt} may be of a later deposit of {file}, as earlier versions called it, or the receipt of another file {rival}"
    )
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The secret of the user's own commitments, if there is one that can be used.
pub fn own_secret(session: &Session) -> Option<Secret> {
    session.home().ok().and_then(|home| Secret::find(&home).ok().flatten())
}

/// What one receipt says of a file.
fn by(session: &Session, network: &Network, path: &Path, receipt: &Path) -> Result<Answer> {
    let file = document(path)?;
    let bytes = read_receipt(receipt)?;
    let bar = progress(session, &file);
    let answer = zhulian_verify::check_file(network, &bytes, bar.wrap_read(file)).map_err(|error| match error {
        CheckError::Refused(refusal) => refused(receipt, network, refusal),
        CheckError::Read(error) => std::io::Result::<()>::Err(error).at(path).unwrap_err(),
    });
    bar.finish_and_clear();
    answer
}

fn progress(session: &Session, file: &File) -> ProgressBar {
    crate::commands::evidence::hashing_bar(session, file.metadata().map(|data| data.len()).unwrap_or(0))
}

/// The file, opened. Only a regular one has a content that can be compared.
fn document(path: &Path) -> Result<File> {
    if path.is_dir() {
        return Err(not_a_file(path));
    }
    hashing::open(path).map_err(|skipped| {
        let shown = path.display();
        Failure::new(
            Exit::Failed,
            format!("file.{}", skipped.code),
            text!("文件 {shown} 无法读取", "the file {shown} cannot be read"),
        )
        .why(skipped.why)
    })
}

/// The report of an answer.
pub fn report(network: &Network, answer: &Answer, file: &Path) -> Report {
    let exit = match answer {
        Answer::Verified(_) => Exit::Done,
        Answer::NotDeposited(_) => Exit::NotDeposited,
        Answer::Mismatch(..) => Exit::Mismatch,
    };
    let text = sentence(answer);
    let number = number_of(answer.facts());
    let mut json = json!({
        "answer": answer.code(),
        "file": file.display().to_string(),
        "number": (!matches!(answer, Answer::NotDeposited(_))).then_some(&number),
        "facts": zhulian_verify::verified_json(answer.facts()),
    });
    let mut report = Report::new(text, serde_json::Value::Null).exit(exit);
    report = proven::facts(report.fact(Text::fixed("文件", "file"), file.display().to_string()), network, answer.facts());
    if let Answer::Mismatch(_, mismatch) = answer {
        json["differs"] = mismatch.fields.iter().map(|field| field_name(*field)).collect();
        json["chunks"] = mismatch.chunks.clone().into();
        json["found"] = hashing::record_json(&mismatch.found);
        let given = |label: &str| Text {
            zh: format!("所给文件 {label}").into(),
            en: format!("{label} of the file given").into(),
        };
        report = report
            .detail(Text::fixed("所给文件大小", "size of the file given"), proven::size(mismatch.found.size))
            .detail(given("SHA-256"), hex::encode(mismatch.found.sha256))
            .detail(given("SM3"), hex::encode(mismatch.found.sm3));
    }
    report.json = json;
    match answer {
        Answer::NotDeposited(_) => report,
        _ => {
            let number = quoted(&number);
            report.next(text!(
                "以上均由回执证明，无需联网。此后是否被冻结或停止使用，须联网查询：zhulian evidence show {number}",
                "All this the receipt proves by itself, offline. Whether the deposit was frozen or withdrawn since, only the \
                 network knows: zhulian evidence show {number}"
            ))
        }
    }
}

/// The answer in a sentence or two.
pub fn sentence(answer: &Answer) -> Text {
    let said = |language| zhulian_verify::answer_sentence(answer, language);
    Text { zh: said(zhulian_verify::Language::Zh).into(), en: said(zhulian_verify::Language::En).into() }
}

/// Adds what an opening discloses, if the deposit commits to it.
fn opened(mut report: Report, answer: &Answer, path: &Path) -> Result<Report> {
    let opening = Opening::read(path)?;
    if !opening.fits(answer.facts()) {
        let shown = path.display();
        return Err(Failure::new(
            Exit::NoProof,
            "opening.unfit",
            text!(
                "{shown} 与存证时的承诺不符，不能证明任何内容",
                "{shown} does not fit what the deposit commits to, and proves nothing"
            ),
        )
        .next(Text::fixed("请向存证单位重新索取", "ask the depositor for it again")));
    }
    report.json["openings"][&opening.field] = opening.text.clone().into();
    Ok(report.fact(proven::field(&opening.field), opening.text))
}

/// The depositor's own home knows what the file was called.
fn own_name(session: &Session, mut report: Report, answer: &Answer, file: &Path) -> Report {
    let secret = own_secret(session);
    let candidates = opening::names(file);
    let found = secret.and_then(|secret| opening::open(&secret, answer.facts(), opening::NAME, &candidates));
    match found {
        Some(opening) => {
            report.json["openings"][opening::NAME] = opening.text.clone().into();
            report.fact(proven::field(opening::NAME), opening.text)
        }
        None => report,
    }
}

fn field_name(field: zhulian_verify::Field) -> &'static str {
    use zhulian_verify::Field as F;
    match field {
        F::Size => "size",
        F::Sha256 => "sha256",
        F::Sm3 => "sm3",
        F::ChunksRoot => "chunks_root",
    }
}

/// `report.pdf` → `report.pdf.zlr`.
pub fn beside(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_os_string();
    name.push(".");
    name.push(RECEIPT_ENDING);
    file.with_file_name(name)
}

/// The pinned identity. One that lies beside the receipt is never taken silently, but is pointed out.
fn pinned(session: &Session, receipt: &Path) -> Result<Network> {
    session.home()?.network().map_err(|failure| {
        let lying = receipt.with_file_name("network.json");
        if failure.code != "network.not_pinned" || !lying.exists() {
            return failure;
        }
        let shown = lying.display();
        failure.next(text!(
            "回执旁边有 {shown}，但与回执同来的身份文件不能自证。请先从可信渠道核对其内容，确认后用 --network {shown} 指定",
            "there is {shown} beside the receipt, but an identity that came with a receipt proves nothing by itself. \
             Compare it with a source you trust, then name it with --network {shown}"
        ))
    })
}

/// Reads a receipt's bytes, bounded.
///
/// # Errors
/// When the file cannot be read, or is too large to be a receipt.
pub fn read_receipt(path: &Path) -> Result<Vec<u8>> {
    let shown = path.display();
    if !path.exists() {
        return Err(Failure::new(
            Exit::Usage,
            "receipt.not_found",
            text!("没有回执文件 {shown}", "there is no receipt {shown}"),
        )
        .next(Text::fixed(
            "用 --receipt 指定回执；若只想查询网络，可用 zhulian evidence check 文件",
            "name it with --receipt; to ask the network instead, run `zhulian evidence check FILE`",
        )));
    }
    let mut bytes = Vec::new();
    document(path)?.take(RECEIPT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).at(path)?;
    if bytes.len() > RECEIPT_BYTES_MAX {
        return Err(no_proof(path, Text::fixed("文件超过 1 MiB", "the receipt is larger than 1 MiB"), "receipt.too_large"));
    }
    Ok(bytes)
}

fn refused(path: &Path, network: &Network, refusal: Refusal) -> Failure {
    let why = Text::from(&refusal);
    let failure = no_proof(path, why, refusal.code());
    let (name, chain) = (&network.name, hex::encode(network.chain));
    match refusal {
        Refusal::OtherNetwork | Refusal::Transaction(zhulian_primitives::TransactionError::WrongChain) => {
            failure.next(text!(
                "该回执不属于链标识为 {chain} 的“{name}”；请用 --network 指定其所属网络的身份文件，不指定则用已信任的（zhulian network show）",
                "the receipt is not of “{name}” with the chain {chain}; name the identity of its own network with --network, or leave \
                 that out for the one that is trusted here (zhulian network show)"
            ))
        }
        _ => failure.next(Text::fixed(
            "请向存证单位或任一验证节点重新索取回执",
            "ask the depositor or any validator for the receipt again",
        )),
    }
}

/// A receipt that proves nothing.
pub fn no_proof(path: &Path, why: Text, code: &str) -> Failure {
    let shown = path.display();
    Failure::new(Exit::NoProof, code, text!("回执 {shown} 不能作为证明", "the receipt {shown} proves nothing")).why(why)
}

/// A directory where a file is wanted.
pub fn not_a_file(path: &Path) -> Failure {
    let shown = path.display();
    Failure::new(Exit::Usage, "file.is_directory", text!("{shown} 是目录，不是文件", "{shown} is a directory, not a file"))
        .next(Text::fixed("请指定单个文件", "name a single file"))
}
