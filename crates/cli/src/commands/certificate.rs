//! `zhulian certificate`: the evidence certificate as PDF.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::{failure::Result, private_file, remote::Remote, report::Report, session::Session, text, text::Text};

/// Options of `certificate`.
#[derive(Args, Debug)]
pub struct Certificate {
    /// The evidence number (存证编号)
    pub id: String,
    /// Where to write it; default NUMBER.pdf (输出文件；默认为 编号.pdf)
    #[arg(long, short, value_name = "FILE.pdf")]
    pub output: Option<PathBuf>,
}

/// Fetches the certificate and writes it.
///
/// # Errors
/// When the gateway does not give it, or it cannot be written.
pub fn run(session: &Session, args: &Certificate) -> Result<Report> {
    let remote = Remote::new(session)?;
    let id = crate::commands::evidence::number(&args.id)?;
    let pdf = remote.call(remote.client.certificate(&id))?;
    let path = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{id}.pdf")));
    let shown = path.display().to_string();
    private_file::must_be_new(&path)?;
    private_file::write_public(&path, &pdf)?;
    Ok(Report::new(
        text!("存证 {id} 的证书已保存。", "The certificate of {id} is saved."),
        json!({ "id": id, "file": shown, "bytes": pdf.len() }),
    )
    .fact(Text::fixed("文件", "file"), shown)
    .next(Text::fixed(
        "证书供阅读；可独立核验的证明是回执文件（.zlr）。",
        "The certificate is for reading; what anyone can verify independently is the receipt file (.zlr).",
    )))
}
