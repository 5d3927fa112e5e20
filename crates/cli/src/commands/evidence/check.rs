//! `zhulian evidence check`: the public check, by asking the network.

use std::path::PathBuf;

use clap::Args;
use zhulian_api::{
    Hex32,
    view::{Answer, CheckAnswer, CheckRequest},
};

use super::show::{facts, number_row};
use crate::{
    failure::{Exit, Failure, Result},
    hashing,
    remote::Remote,
    report::Report,
    session::Session,
    text::Text,
};

/// Options of `evidence check`.
#[derive(Args, Debug)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["file", "sha256"])))]
pub struct Check {
    /// The file (文件)
    pub file: Option<PathBuf>,
    /// Or its SHA-256, 64 hexadecimal digits (或文件的 SHA-256,64 位十六进制)
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    pub sha256: Option<Hex32>,
    /// The evidence number that the file is said to have (文件据称的存证编号)
    #[arg(long, value_name = "NUMBER")]
    pub id: Option<String>,
}

fn digest(text: &str) -> std::result::Result<Hex32, String> {
    text.trim()
        .to_ascii_lowercase()
        .parse()
        .map_err(|error: zhulian_api::HexError| format!("{error} (应为 64 位十六进制数字)"))
}

/// Runs the command.
///
/// # Errors
/// When the file cannot be read or the gateway not be asked.
pub fn run(session: &Session, args: &Check) -> Result<Report> {
    let id = args.id.as_deref().map(super::show::number).transpose()?;
    let question = match (&args.file, args.sha256) {
        (Some(path), _) => {
            let bar = super::deposit::hashing_bar(session, std::fs::metadata(path).map(|data| data.len()).unwrap_or(0));
            let hashed = hashing::hash(path, &bar).map_err(|skipped| {
                let shown = path.display();
                Failure::new(
                    Exit::Failed,
                    format!("file.{}", skipped.code),
                    crate::text!("文件 {shown} 无法读取", "the file {shown} cannot be read"),
                )
                .why(skipped.why)
            })?;
            bar.finish_and_clear();
            let record = hashed.record;
            CheckRequest {
                sha256: Hex32(record.sha256),
                sm3: Some(Hex32(record.sm3)),
                size: Some(record.size),
                chunks_root: Some(Hex32(record.chunks_root)),
                id,
            }
        }
        (None, Some(sha256)) => CheckRequest { sha256, sm3: None, size: None, chunks_root: None, id },
        (None, None) => unreachable!("the command line demands one of the two"),
    };
    let remote = Remote::new(session)?;
    let answer = remote.call(remote.client.check(&question))?;
    Ok(report(&answer, &question))
}

fn report(answer: &CheckAnswer, question: &CheckRequest) -> Report {
    let exit = match answer.answer {
        Answer::Verified => Exit::Done,
        Answer::NotDeposited => Exit::NotDeposited,
        Answer::Mismatch => Exit::Mismatch,
    };
    let sentence = Text { zh: answer.zh.clone().into(), en: answer.en.clone().into() };
    let mut report = Report::new(sentence, serde_json::to_value(answer).unwrap_or_default()).exit(exit);
    if let Some(first) = answer.evidence.first() {
        report = facts(report, first);
    }
    if answer.evidence.len() > 1 {
        let (head, rows) = number_row(&answer.evidence);
        report = report.table(head, rows);
    }
    // Of a deposited file the facts say it already.
    if answer.evidence.first().and_then(|it| it.file.as_ref()).is_none_or(|file| file.sha256 != question.sha256) {
        report = report.detail(Text::fixed("所查文件 SHA-256", "SHA-256 asked for"), question.sha256.to_string());
    }
    if !answer.differing.is_empty() {
        report = report.detail(Text::fixed("不一致项", "differing"), answer.differing.join(", "));
    }
    report.next(Text::fixed(
        "以上为网关的应答。持有回执（.zlr）者可用 zhulian verify 离线独立核验。",
        "This is the gateway's word. Whoever holds the receipt (.zlr) can verify independently with `zhulian verify`.",
    ))
}
