//! `zhulian verify`: a file against its receipt, with no node and no network.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::json;
use zhulian_primitives::Network;
use zhulian_verify::{Answer, CheckError, RECEIPT_BYTES_MAX, Refusal};

use crate::{
    failure::{AtPath as _, Exit, Failure, Result},
    home::read_network,
    report::Report,
    session::Session,
    text,
    text::Text,
};

/// Ending of receipt files.
pub const RECEIPT_ENDING: &str = "zlr";

/// Options of `verify`.
#[derive(Args, Debug)]
pub struct Verify {
    /// The file to check
    pub file: PathBuf,
    /// Its receipt; default FILE.zlr
    #[arg(long, short, value_name = "FILE.zlr")]
    pub receipt: Option<PathBuf>,
    /// The network identity to trust, from a source of your own choosing; default the one pinned in the home.
    ///
    /// An identity that came together with the receipt proves nothing: whoever forged the one forged the other.
    #[arg(long, value_name = "network.json")]
    pub network: Option<PathBuf>,
}

/// Runs the command: one of exactly three answers, or a failure when there can be none.
///
/// # Errors
/// When the receipt or the identity proves nothing, or a file cannot be read.
pub fn run(session: &Session, args: &Verify) -> Result<Report> {
    let receipt_path = args.receipt.clone().unwrap_or_else(|| beside(&args.file));
    let network = match &args.network {
        Some(path) => read_network(path)?,
        None => pinned(session, &receipt_path)?,
    };
    let receipt = read_receipt(&receipt_path)?;
    let file = File::open(&args.file).at(&args.file)?;
    if file.metadata().at(&args.file)?.is_dir() {
        return Err(not_a_file(&args.file));
    }
    let answer = zhulian_verify::check_file(&network, &receipt, file).map_err(|error| match error {
        CheckError::Refused(refusal) => refused(&receipt_path, &network, refusal),
        CheckError::Read(error) => std::io::Result::<()>::Err(error).at(&args.file).unwrap_err(),
    })?;
    Ok(report(&answer, &args.file))
}

/// The report of an answer.
pub fn report(answer: &Answer, file: &Path) -> Report {
    let exit = match answer {
        Answer::Verified(_) => Exit::Done,
        Answer::NotDeposited(_) => Exit::NotDeposited,
        Answer::Mismatch(..) => Exit::Mismatch,
    };
    let said = |language| zhulian_verify::answer_text(answer, language).trim_end().to_string();
    let text = Text { zh: said(zhulian_verify::Language::Zh).into(), en: said(zhulian_verify::Language::En).into() };
    let mut json = json!({
        "answer": answer.code(),
        "file": file.display().to_string(),
        "facts": zhulian_verify::verified_json(answer.facts()),
    });
    if let Answer::Mismatch(_, mismatch) = answer {
        json["differs"] = mismatch.fields.iter().map(|field| field_name(*field)).collect();
        json["chunks"] = mismatch.chunks.clone().into();
        json["found"] = crate::hashing::record_json(&mismatch.found);
    }
    Report::new(text, json).exit(exit)
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
            "回执旁边有 {shown},但与回执同来的身份文件不能自证。请先从可信渠道核对其内容,确认后用 --network {shown} 指定",
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
            "用 --receipt 指定回执;若只想查询网络,可用 zhulian evidence check 文件",
            "name it with --receipt; to ask the network instead, run `zhulian evidence check FILE`",
        )));
    }
    if std::fs::metadata(path).at(path)?.len() > RECEIPT_BYTES_MAX as u64 {
        return Err(no_proof(path, Text::fixed("文件超过 1 MiB", "the receipt is larger than 1 MiB"), "receipt.too_large"));
    }
    std::fs::read(path).at(path)
}

fn refused(path: &Path, network: &Network, refusal: Refusal) -> Failure {
    let why = Text {
        zh: refusal.text(zhulian_verify::Language::Zh).into(),
        en: refusal.text(zhulian_verify::Language::En).into(),
    };
    let failure = no_proof(path, why, refusal.code());
    let name = &network.name;
    match refusal {
        Refusal::OtherNetwork | Refusal::Transaction(zhulian_primitives::TransactionError::WrongChain) => {
            failure.next(text!(
                "该回执不属于“{name}”;请用其所属网络的身份文件核验",
                "the receipt is not of “{name}”; verify it with the identity of its own network"
            ))
        }
        _ => failure.next(Text::fixed(
            "请向存证单位或任一验证节点重新索取回执",
            "ask the depositor or any validator for the receipt again",
        )),
    }
}

fn no_proof(path: &Path, why: Text, code: &str) -> Failure {
    let shown = path.display();
    Failure::new(Exit::NoProof, code, text!("回执 {shown} 不能作为证明", "the receipt {shown} proves nothing")).why(why)
}

/// A directory where a file is wanted.
pub fn not_a_file(path: &Path) -> Failure {
    let shown = path.display();
    Failure::new(Exit::Usage, "file.is_directory", text!("{shown} 是目录,不是文件", "{shown} is a directory, not a file"))
        .next(Text::fixed("请指定单个文件", "name a single file"))
}
