//! `zhulian protocol`: by which rules blocks are executed, and the motions by which that changes.

use clap::{Args, Subcommand};
use zhulian_api::view::{ProtocolView, UpgradeView};
use zhulian_modules::governance::{Action, Upgrade};
use zhulian_primitives::{PROTOCOL_FIRST, PROTOCOL_NEWEST, Protocol};

use super::org;
use crate::{
    failure::{Exit, Failure, Result},
    remote::Remote,
    report::Report,
    session::Session,
    text,
    text::{Text, grouped},
};

/// Protocols: by which rules blocks are executed, and motions that change it (协议版本及其升级)
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Show the protocol in force, the one to come, and what the node and this program know (查看现行与待生效协议)
    Show,
    /// Move to begin the next protocol at a height; signed by a representative (提议升级)
    Propose(Propose),
    /// Move to annul a protocol that has not begun (提议撤销尚未生效的升级)
    ProposeAnnul(ProposeAnnul),
    /// Vote on a motion; signed by a representative (投票)
    Vote(org::Vote),
}

/// Options of `protocol propose`.
#[derive(Args, Debug)]
pub struct Propose {
    /// The protocol: the one after that in force (协议版本，须为现行版本的下一版)
    pub protocol: Protocol,
    /// The first height that follows it; leave time for the vote, an epoch, and every operator (生效高度)
    #[arg(long)]
    pub height: u64,
}

/// Options of `protocol propose-annul`.
#[derive(Args, Debug)]
pub struct ProposeAnnul {
    /// The protocol that is to come (待生效的协议版本)
    pub protocol: Protocol,
}

/// Runs the command.
///
/// # Errors
/// When it does not succeed.
pub fn run(session: &Session, command: &Command) -> Result<Report> {
    match command {
        Command::Show => show(session),
        Command::Propose(args) => propose(session, args),
        Command::ProposeAnnul(args) => org::propose(session, Action::AnnulProtocol(args.protocol)),
        Command::Vote(args) => org::vote(session, args),
    }
}

fn propose(session: &Session, args: &Propose) -> Result<Report> {
    let protocol = args.protocol;
    // A network that begins what nobody's program executes stands still.
    if protocol > PROTOCOL_NEWEST {
        return Err(Failure::new(
            Exit::Usage,
            "protocol.unknown",
            text!(
                "本程序可执行协议 {PROTOCOL_FIRST} 至 {PROTOCOL_NEWEST}，不认识协议 {protocol}",
                "this program executes protocols {PROTOCOL_FIRST} to {PROTOCOL_NEWEST} and does not know protocol {protocol}"
            ),
        )
        .next(Text::fixed("请先安装支持该协议的程序，再行提议", "install the program that knows it first, then move it")));
    }
    org::propose(session, Action::ScheduleProtocol(Upgrade { protocol, height: args.height }))
}

fn show(session: &Session) -> Result<Report> {
    let remote = Remote::new(session)?;
    let status = remote.call(remote.client.status())?;
    let (protocol, height) = (status.protocol, grouped(status.height));
    let in_force = protocol.in_force;
    let mut report = Report::new(
        text!(
            "高度 {height} 之后的区块按协议 {in_force} 执行。",
            "Blocks after height {height} follow protocol {in_force}."
        ),
        serde_json::to_value(protocol).unwrap_or_default(),
    )
    .fact(Text::fixed("待生效", "to come"), coming(&protocol, status.height))
    .fact(Text::fixed("节点可执行", "the node executes"), range(protocol.known))
    .fact(Text::fixed("本程序可执行", "this program executes"), range(PROTOCOL_NEWEST));
    if let Some((en, zh)) = protocol.unknown() {
        report = report
            .fact(Text::fixed("警告", "warning"), Text { zh: zh.into(), en: en.into() })
            .next(Text::fixed("请在节点上安装新版程序", "Install a newer binary on the node"));
    }
    Ok(report)
}

/// What is to come, in a line.
fn coming(protocol: &ProtocolView, height: u64) -> Text {
    let Some(UpgradeView { protocol, height: at }) = protocol.next else { return Text::fixed("无", "nothing") };
    let (left, at) = (grouped(at - height), grouped(at));
    text!(
        "自高度 {at} 起为协议 {protocol}（还有 {left} 个区块）",
        "protocol {protocol} from height {at} on ({left} blocks from now)"
    )
}

fn range(newest: Protocol) -> Text {
    text!("协议 {PROTOCOL_FIRST} 至 {newest}", "protocols {PROTOCOL_FIRST} to {newest}")
}

/// The protocols of a node, in a line of its status.
pub fn line(protocol: &ProtocolView, height: u64) -> Text {
    let in_force = protocol.in_force;
    if let Some((en, zh)) = protocol.unknown() {
        return text!("警告：{zh}，请安装新版程序", "warning: {en}; install a newer binary");
    }
    match protocol.next {
        Some(_) => {
            let Text { zh, en } = coming(protocol, height);
            text!("{in_force}；{zh}", "{in_force}; {en}")
        }
        None => in_force.to_string().into(),
    }
}
