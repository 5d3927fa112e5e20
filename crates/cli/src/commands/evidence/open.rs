//! `zhulian evidence open`: the disclosure of a name or fact that a deposit commits to.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use zhulian_verify::verify_receipt;

use crate::{
    commands::verify::{beside, no_proof, read_receipt},
    failure::{Exit, Failure, Result},
    opening::{self, NAME, Secret, committed},
    private_file,
    report::Report,
    session::Session,
    text,
    text::{Text, quoted},
};

/// Options of `evidence open`.
#[derive(Args, Debug)]
pub struct Open {
    /// The file whose deposit it is (已存证的文件)
    pub file: PathBuf,
    /// Its receipt; default FILE.zlr (回执，默认为 文件.zlr)
    #[arg(long, short, value_name = "FILE.zlr")]
    pub receipt: Option<PathBuf>,
    /// name, or a fact of how it was made: device, system, cleanliness, address, dns, url, tls_chain, operator, place (公开哪一项：name 文件名，或生成过程的 device、operator 等；默认 name)
    #[arg(long, default_value = NAME, hide_default_value = true)]
    pub field: String,
    /// The text that was committed to; needed for a fact, and for a name if the file was renamed since (当时承诺的文字；文件改名后或公开生成过程时需要)
    #[arg(long)]
    pub text: Option<String>,
    /// Where to write it; default FILE.opening.json (输出文件，默认为 文件.opening.json)
    #[arg(long, short, value_name = "FILE.json")]
    pub output: Option<PathBuf>,
}

/// Writes the opening, if there is a commitment and this user made it.
///
/// # Errors
/// When there is none, or it does not open.
pub fn run(session: &Session, args: &Open) -> Result<Report> {
    let home = session.home()?;
    let receipt = args.receipt.clone().unwrap_or_else(|| beside(&args.file));
    let facts = verify_receipt(&home.network()?, &read_receipt(&receipt)?).map_err(|refusal| {
        let why = Text::from(&refusal);
        no_proof(&receipt, why, refusal.code())
    })?;
    let field = args.field.as_str();
    if committed(&facts, field).is_none() {
        return Err(Failure::new(
            Exit::Usage,
            "commitment.none",
            text!("该存证没有对“{field}”作出承诺", "the deposit commits to no “{field}”"),
        ));
    }
    let candidates = match &args.text {
        Some(text) => vec![text.clone()],
        None if field == NAME => opening::names(&args.file),
        None => Vec::new(),
    };
    let secret = Secret::find(&home)?;
    let Some(opened) = secret.and_then(|secret| opening::open(&secret, &facts, field, &candidates)) else {
        return Err(Failure::new(
            Exit::Key,
            "commitment.closed",
            Text::fixed("无法公开该承诺", "the commitment does not open"),
        )
        .why(Text::fixed(
            "它是在别的用户目录中作出的，或当时的文字与此不同",
            "it was made with another home, or its text was another",
        ))
        .next(Text::fixed(
            "在存证时所用的用户目录（--home）中执行，并用 --text 给出当时的文字",
            "run it with the home (--home) that made the deposit, and give the text of that time with --text",
        )));
    };
    let path = args.output.clone().unwrap_or_else(|| {
        let mut name = args.file.file_name().unwrap_or_default().to_os_string();
        name.push(".opening.json");
        args.file.with_file_name(name)
    });
    let value = serde_json::to_value(&opened).unwrap_or_default();
    private_file::replace(&path, format!("{value:#}\n").as_bytes())?;
    let (shown, said) = (path.display().to_string(), &opened.text);
    let [file, receipt, quoted] = [&args.file, &receipt, &path].map(|path| quoted(&path.to_string_lossy()));
    Ok(Report::new(
        text!("该存证承诺的文字是“{said}”。", "The deposit commits to “{said}”."),
        json!({ "opening": value, "file": shown }),
    )
    .fact(Text::fixed("公开文件", "opening"), shown.as_str())
    .next(text!(
        "只交给需要知道的人。对方核验：zhulian verify {file} --receipt {receipt} --opening {quoted}",
        "Give it only to whom it concerns, who verifies: zhulian verify {file} --receipt {receipt} --opening {quoted}"
    )))
}
