//! `zhulian tx`: transactions by their id, and sending signed ones.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use zhulian_api::{Hex32, Wait, view, view::TransactionState};

use crate::{
    failure::{Exit, Result, read_small},
    remote::{Remote, beijing, step},
    report::Report,
    session::Session,
    text,
    text::{Text, grouped},
};

/// Look up, wait for and send transactions (交易)
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Where a transaction stands (查询)
    Show(Id),
    /// Wait until a transaction is final (等待终局)
    Wait(Id),
    /// Send signed transactions, COSE_Sign1 bytes, and wait (提交)
    Send(Send),
    /// Save the receipt of a transaction (下载回执)
    Receipt(Receipt),
}

/// A transaction.
#[derive(Args, Debug)]
pub struct Id {
    /// The transaction id, 64 hexadecimal digits (交易编号，64 位十六进制)
    #[arg(value_parser = id)]
    pub id: Hex32,
}

/// Options of `tx send`.
#[derive(Args, Debug)]
pub struct Send {
    /// Files, each with one transaction's bytes (文件，每个含一笔交易的字节)
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
}

/// Options of `tx receipt`.
#[derive(Args, Debug)]
pub struct Receipt {
    /// The transaction id, 64 hexadecimal digits (交易编号，64 位十六进制)
    #[arg(value_parser = id)]
    pub id: Hex32,
    /// Where to write it; default ID.zlr (输出文件；默认为 交易编号.zlr)
    #[arg(long, short, value_name = "FILE.zlr")]
    pub output: Option<PathBuf>,
    /// The RFC 9942 COSE Receipt instead (改为 RFC 9942 COSE 回执)
    #[arg(long)]
    pub cose: bool,
}

fn id(text: &str) -> std::result::Result<Hex32, String> {
    text.trim()
        .to_ascii_lowercase()
        .parse()
        .map_err(|error: zhulian_api::HexError| format!("{error} (应为 64 位十六进制数字)"))
}

/// Runs the command.
///
/// # Errors
/// When it does not succeed.
pub fn run(session: &Session, command: &Command) -> Result<Report> {
    let remote = Remote::new(session)?;
    match command {
        Command::Show(args) => Ok(show(&remote.call(remote.client.transaction(args.id, Wait::No))?)),
        Command::Wait(args) => Ok(show(&wait(&remote, args.id, session)?)),
        Command::Send(args) => send(&remote, args, session),
        Command::Receipt(args) => receipt(&remote, args),
    }
}

/// Waits in steps, so that a gateway's own limit on waiting does not end ours.
fn wait(remote: &Remote, id: Hex32, session: &Session) -> Result<view::TransactionView> {
    let end = std::time::Instant::now() + session.timeout();
    loop {
        let left = end.saturating_duration_since(std::time::Instant::now());
        let client = remote.client.clone().with_patience(left);
        let view = remote.call(client.transaction(id, Wait::Finalised(step(left))))?;
        if view.state.is_terminal() || left.is_zero() {
            return Ok(view);
        }
        if view.state == TransactionState::Unknown {
            std::thread::sleep(std::time::Duration::from_millis(500).min(left));
        }
    }
}

/// The state of a transaction, for people.
pub fn show(view: &view::TransactionView) -> Report {
    let id = view.id.map(|id| id.to_string()).unwrap_or_default();
    let (exit, sentence) = match view.state {
        TransactionState::Finalised => {
            (Exit::Done, text!("交易已写入账本并最终确认。", "The transaction is executed and final."))
        }
        TransactionState::Refused => {
            let refusal = view.refusal.as_ref();
            let (zh, en) = refusal.map_or(("", ""), |refusal| (&refusal.zh, &refusal.en));
            (Exit::Refused, text!("交易被拒绝：{zh}。", "The transaction was refused: {en}."))
        }
        TransactionState::Pending => {
            (Exit::Network, text!("交易已受理，正等待入块。", "The transaction is accepted and waits for a block."))
        }
        TransactionState::Expired => {
            (Exit::Refused, text!("交易已过有效期，未写入账本。", "The transaction expired before it was in a block."))
        }
        TransactionState::Busy => {
            (Exit::Network, text!("节点繁忙，未受理；可稍后重发。", "The node is busy and did not take it; send it again."))
        }
        TransactionState::Unknown => {
            (Exit::Failed, text!("此节点没有这笔交易。", "This node has never heard of the transaction."))
        }
    };
    let mut report = Report::new(sentence, serde_json::to_value(view).unwrap_or_default()).exit(exit);
    if let Some(time) = view.time_ms {
        report = report.fact(Text::fixed("时间", "time"), beijing(time));
    }
    if let Some(height) = view.height {
        report = report.fact(Text::fixed("区块高度", "height"), grouped(height));
    }
    for event in view.events.iter().flatten() {
        report = report.fact(Text::fixed("事件", "event"), told(event));
    }
    if let Some(refusal) = &view.refusal {
        report = report.detail(Text::fixed("拒绝代码", "code"), refusal.code.as_str());
    }
    report.detail(Text::fixed("交易编号", "transaction"), id)
}

/// An event on lines of its own: its name, then each of its members.
fn told(event: &view::EventView) -> String {
    let mut lines = vec![format!("{}.{}", event.module, event.name)];
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match &event.data {
        Value::Null => {}
        Value::Object(members) => lines.extend(members.iter().map(|(name, value)| format!("{name}: {}", word(value)))),
        other => lines.push(word(other)),
    }
    lines.join("\n")
}

fn send(remote: &Remote, args: &Send, session: &Session) -> Result<Report> {
    let read = |path: &PathBuf| read_small(path);
    let transactions = args.files.iter().map(read).collect::<Result<Vec<_>>>()?;
    let sent = remote.call(remote.client.submit(&transactions, Wait::Finalised(step(session.timeout()))))?;
    let mut views = Vec::with_capacity(sent.len());
    for view in sent {
        views.push(match (view.state, view.id) {
            (TransactionState::Pending, Some(id)) => wait(remote, id, session)?,
            _ => view,
        });
    }
    if let [view] = &views[..] {
        return Ok(show(view));
    }
    let (all, done) = (views.len(), views.iter().filter(|view| view.state == TransactionState::Finalised).count());
    let exit = if done == all { Exit::Done } else { Exit::Partial };
    let rows = args.files.iter().zip(&views).map(|(file, view)| {
        let report = show(view);
        vec![file.display().to_string().into(), report.sentence, view.id.map(|id| id.to_string()).unwrap_or_default().into()]
    });
    let head = vec![Text::fixed("文件", "file"), Text::fixed("结果", "outcome"), Text::fixed("交易编号", "transaction")];
    Ok(Report::new(
        text!("提交 {all} 笔交易，{done} 笔已确认。", "{done} of {all} transactions are final."),
        json!({ "transactions": views }),
    )
    .table(head, rows.collect())
    .exit(exit))
}

fn receipt(remote: &Remote, args: &Receipt) -> Result<Report> {
    let id = args.id;
    let (bytes, ending) = match args.cose {
        true => (remote.call(remote.client.cose_receipt(id))?, "cose"),
        false => (remote.call(remote.client.receipt(id))?, "zlr"),
    };
    let path = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{id}.{ending}")));
    crate::private_file::must_be_new(&path)?;
    crate::private_file::write_public(&path, &bytes)?;
    let shown = path.display().to_string();
    Ok(Report::new(
        text!("交易的回执已保存。", "The receipt of the transaction is saved."),
        json!({ "transaction": id.to_string(), "file": shown, "bytes": bytes.len() }),
    )
    .fact(Text::fixed("文件", "file"), shown)
    .detail(Text::fixed("交易编号", "transaction"), id.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_without_their_braces() {
        let data = json!({"id": "ZL1", "count": 3, "by": ["a", "b"]});
        let event = view::EventView { module: "evidence".into(), name: "deposited".into(), data };
        assert_eq!(told(&event), "evidence.deposited\nby: [\"a\",\"b\"]\ncount: 3\nid: ZL1");
        let silent = view::EventView { module: "m".into(), name: "done".into(), data: Value::Null };
        assert_eq!(told(&silent), "m.done");
    }
}
