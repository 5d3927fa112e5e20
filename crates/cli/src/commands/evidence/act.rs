//! `zhulian evidence custody|freeze|unfreeze|withdraw`: what happens to a deposit after it is made.

use std::path::PathBuf;

use clap::Args;
use indicatif::ProgressBar;
use zhulian_modules::{
    evidence::{
        CaseNumber, CustodyKind, Freeze as FreezeCall, RecordCustody, Subject, Unfreeze, Withdraw as WithdrawCall,
        WithdrawReason,
    },
    identity::Uscc,
};

use crate::{
    act::act,
    commands::member::uscc,
    failure::{Exit, Failure, Result},
    hashing,
    remote::Remote,
    report::Report,
    session::Session,
    text,
    text::Text,
};

const MODULE: &str = "evidence";

/// Options of `evidence custody`.
#[derive(Args, Debug)]
pub struct Custody {
    /// The evidence number (存证编号)
    pub id: String,
    /// collected, sealed, opened, transferred, received, inspected or returned (collected 收集、sealed 封存、opened 启封、transferred 移交、received 接收、inspected 查验、returned 归还)
    #[arg(value_parser = custody_kind)]
    pub kind: CustodyKind,
    /// The log or protocol of what was done; only its SHA-256 goes on the ledger (过程记录文件，仅其 SHA-256 上链)
    #[arg(long, value_name = "FILE")]
    pub log: PathBuf,
    /// For a transfer: to whom, by its unified social credit code (移交时：接收单位的统一社会信用代码)
    #[arg(long, value_name = "USCC", value_parser = uscc)]
    pub to: Option<Uscc>,
}

/// Options of `evidence freeze` and `evidence unfreeze`.
#[derive(Args, Debug)]
pub struct Freeze {
    /// The evidence number (存证编号)
    pub id: String,
    /// The case number (案号)
    #[arg(long, value_name = "NUMBER", value_parser = case_number)]
    pub case: CaseNumber,
}

/// Options of `evidence withdraw`.
#[derive(Args, Debug)]
pub struct Withdraw {
    /// The evidence number (存证编号)
    pub id: String,
    /// mistake, superseded, consent_withdrawn, retention_over or other (mistake 误存、superseded 被替代、consent_withdrawn 撤回同意、retention_over 保存期满、other 其他)
    #[arg(long, value_parser = withdraw_reason)]
    pub reason: WithdrawReason,
}

fn custody_kind(text: &str) -> std::result::Result<CustodyKind, String> {
    let names = || CustodyKind::ALL.iter().map(|it| it.name()).collect::<Vec<_>>().join(", ");
    CustodyKind::parse(text).ok_or_else(|| format!("one of {} (可用的值：{})", names(), names()))
}

fn withdraw_reason(text: &str) -> std::result::Result<WithdrawReason, String> {
    let names = || WithdrawReason::ALL.iter().map(|it| it.name()).collect::<Vec<_>>().join(", ");
    WithdrawReason::parse(text).ok_or_else(|| format!("one of {} (可用的值：{})", names(), names()))
}

fn case_number(text: &str) -> std::result::Result<CaseNumber, String> {
    CaseNumber::parse(text).map_err(|_| {
        "1 to 64 bytes of visible characters without a personal number (1 至 64 字节的可见字符，不含个人号码)".into()
    })
}

/// What a number is of, as the ledger addresses it.
fn subject(session: &Session, id: &str) -> Result<Subject> {
    let remote = Remote::new(session)?;
    let it = remote.call(remote.client.evidence(&super::show::number(id)?))?;
    match (it.entry, it.batch_root, &it.file) {
        (Some(entry), Some(root), _) => Ok(Subject::Entry(root.0, it.sequence, entry as u32)),
        (None, Some(root), _) => Ok(Subject::Batch(root.0, it.sequence)),
        (_, None, Some(file)) => Ok(Subject::File(file.sha256.0, it.sequence)),
        (_, None, None) => Err(Failure::new(
            Exit::Network,
            "network.form",
            text!("网关对 {id} 的应答不完整", "the gateway's answer about {id} is not complete"),
        )),
    }
}

/// Records what was done with the original.
///
/// # Errors
/// When it does not succeed.
pub fn custody(session: &Session, args: &Custody) -> Result<Report> {
    let log = hashing::hash(&args.log, &ProgressBar::hidden()).map_err(|skipped| {
        let shown = args.log.display();
        Failure::new(Exit::Failed, "file.unreadable", text!("无法读取 {shown}", "{shown} cannot be read")).why(skipped.why)
    })?;
    let call = RecordCustody { subject: subject(session, &args.id)?, kind: args.kind, log: log.record.sha256, to: args.to };
    let done = act(session, MODULE, &call)?;
    let (id, kind) = (&args.id, args.kind.name());
    Ok(done
        .report(text!("已为存证 {id} 登记保管事项：{kind}。", "The custody of {id} is recorded: {kind}."))
        .detail(Text::fixed("记录文件 SHA-256", "SHA-256 of the log"), hex::encode(log.record.sha256)))
}

/// Freezes, or lifts a freeze.
///
/// # Errors
/// When it does not succeed.
pub fn freeze(session: &Session, args: &Freeze, on: bool) -> Result<Report> {
    let (id, subject, case) = (&args.id, subject(session, &args.id)?, args.case.clone());
    let done = match on {
        true => act(session, MODULE, &FreezeCall { subject, case })?,
        false => act(session, MODULE, &Unfreeze { subject, case })?,
    };
    let case = args.case.as_str();
    Ok(done.report(match on {
        true => text!("存证 {id} 已因案件 {case} 冻结。", "Evidence {id} is frozen for the case {case}."),
        false => text!("存证 {id} 在案件 {case} 中的冻结已解除。", "The freeze of {id} for the case {case} is lifted."),
    }))
}

/// Takes a deposit from use.
///
/// # Errors
/// When it does not succeed.
pub fn withdraw(session: &Session, args: &Withdraw) -> Result<Report> {
    let call = WithdrawCall { subject: subject(session, &args.id)?, reason: args.reason };
    let done = act(session, MODULE, &call)?;
    let id = &args.id;
    Ok(done.report(text!(
        "存证 {id} 已停止使用；记录永久保留，回执仍可核验。",
        "Evidence {id} is withdrawn from use; its record stays for ever, and its receipt still verifies."
    )))
}
