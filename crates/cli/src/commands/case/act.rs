//! Commands that sign a call of a case.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap::Args;
use indicatif::ProgressBar;
use minicbor::Encode;
use zhulian_api::Hex32;
use zhulian_crypto::Digest;
use zhulian_execution::Call;
use zhulian_modules::{
    evidence::commitment,
    identity::Uscc,
    procedure::{
        CaseId, Channel, Claim, Complete as CompleteCall, ConfirmOverride, Enclosed, Message, Open as OpenCall, Outcome,
        Override, OverrideReason, Pause as PauseCall, PauseReason, ProposeOverride, Rate as RateCall, Resume, ReturnTask,
        SubmitMaterial, Tick, Transfer as TransferCall,
    },
    rulepack::PackId,
};
use zhulian_procedure::{Variables, Wire};

use super::{Task, case_id};
use crate::{
    act::{Acted, act},
    commands::{member::uscc, rules::facts::Facts},
    failure::{Exit, Failure, Result},
    hashing,
    opening::{OPENING_FORMAT, Opening},
    private_file,
    report::Report,
    session::Session,
    text,
    text::Text,
};

const MODULE: &str = "procedure";

/// Options of `case open`.
#[derive(Args, Debug)]
pub struct Open {
    /// The procedure: PACK/PROCESS (流程：规则包/流程标识)
    #[arg(value_parser = procedure)]
    pub procedure: (PackId, String),
    /// The applicant's identity; only a salted commitment goes on the ledger, and the opening is saved beside (申请人身份；账本上仅有加盐承诺，公开文件另存本地)
    #[arg(long, value_name = "TEXT", conflicts_with = "commitment", required_unless_present = "commitment")]
    pub applicant: Option<String>,
    /// A salted commitment to the applicant that was made elsewhere, 64 hexadecimal digits (已有的申请人承诺，64 位十六进制)
    #[arg(long, value_name = "HEX")]
    pub commitment: Option<Hex32>,
    /// Where to save the opening; default CASE.opening.json (承诺公开文件；默认为 办件编号.opening.json)
    #[arg(long, value_name = "FILE")]
    pub opening: Option<PathBuf>,
    /// How the application came in: window, online, terminal or agent (受理渠道：window 窗口、online 网上、terminal 自助终端、agent 代办)
    #[arg(long, default_value = "window", value_parser = channel)]
    pub channel: Channel,
    /// A value that the procedure needs, as FEEL: x=12, Kind="Orphan"; private ones as commitments (流程所需的值，用 FEEL 书写；私密者以承诺表示)
    #[arg(long, value_name = "NAME=VALUE")]
    pub value: Vec<String>,
    /// The message by which the procedure starts, when it does not start by itself (触发流程的消息)
    #[arg(long, value_name = "NAME")]
    pub message: Option<String>,
    /// A material that comes with the application; only the file's SHA-256 goes on the ledger (随申请提交的材料，仅其 SHA-256 上链)
    #[arg(long, value_name = "NAME=FILE")]
    pub material: Vec<String>,
}

/// Options of `case complete`.
#[derive(Args, Debug)]
pub struct Complete {
    /// The task
    #[command(flatten)]
    pub task: Task,
    /// A result, as FEEL: x=12, outcome="granted"; private ones as commitments (一项结果，用 FEEL 书写；私密者以承诺表示)
    #[arg(long, value_name = "NAME=VALUE")]
    pub value: Vec<String>,
    /// The error code, when it ends in an error that the procedure catches (以流程所列差错结束时的差错代码)
    #[arg(long, value_name = "CODE")]
    pub error: Option<String>,
}

/// Options of `case transfer`.
#[derive(Args, Debug)]
pub struct Transfer {
    /// The task
    #[command(flatten)]
    pub task: Task,
    /// To whom, by its unified social credit code (接收机构的统一社会信用代码)
    #[arg(value_parser = uscc)]
    pub to: Uscc,
}

/// Options of `case send`.
#[derive(Args, Debug)]
pub struct Send {
    /// The case number (办件编号)
    #[arg(value_parser = case_id)]
    pub case: CaseId,
    /// The name of the message (消息名称)
    pub name: String,
    /// What it says, as FEEL (消息内容，用 FEEL 书写)
    #[arg(long, value_name = "NAME=VALUE")]
    pub value: Vec<String>,
}

/// Options of `case submit`.
#[derive(Args, Debug)]
pub struct Submit {
    /// The case number (办件编号)
    #[arg(value_parser = case_id)]
    pub case: CaseId,
    /// The material's name in the procedure or the pack's list (材料名称)
    pub name: String,
    /// The file; only its SHA-256 goes on the ledger (材料文件，仅其 SHA-256 上链)
    #[arg(long, value_name = "FILE", conflicts_with = "commitment", required_unless_present = "commitment")]
    pub file: Option<PathBuf>,
    /// A salted commitment to it, 64 hexadecimal digits (材料的加盐承诺，64 位十六进制)
    #[arg(long, value_name = "HEX")]
    pub commitment: Option<Hex32>,
}

/// Options of `case pause`.
#[derive(Args, Debug)]
pub struct Pause {
    /// The case number (办件编号)
    #[arg(value_parser = case_id)]
    pub case: CaseId,
    /// correction, announcement, appraisal, hearing, inspection, expert_review or tender (correction 补正、announcement 公告、appraisal 鉴定、hearing 听证、inspection 检验检测检疫、expert_review 专家评审、tender 招标拍卖)
    #[arg(value_parser = pause_reason)]
    pub reason: PauseReason,
}

/// Why something is proposed against the procedure.
#[derive(Args, Debug)]
pub struct Grounds {
    /// system_fault, disaster, court_order, rule_gap, data_error or applicant_need (system_fault 系统故障、disaster 不可抗力、court_order 法院裁判、rule_gap 规则未覆盖、data_error 数据差错、applicant_need 申请人特殊需要)
    #[arg(long, value_parser = override_reason)]
    pub reason: OverrideReason,
    /// The written grounds; only their SHA-256 goes on the ledger (书面理由文件，仅其 SHA-256 上链)
    #[arg(long, value_name = "FILE")]
    pub grounds: PathBuf,
}

/// Options of `case propose-complete`.
#[derive(Args, Debug)]
pub struct ProposeComplete {
    /// The task
    #[command(flatten)]
    pub task: Task,
    /// A result, as FEEL (一项结果，用 FEEL 书写)
    #[arg(long, value_name = "NAME=VALUE")]
    pub value: Vec<String>,
    /// Why
    #[command(flatten)]
    pub grounds: Grounds,
}

/// Options of `case propose-close`.
#[derive(Args, Debug)]
pub struct ProposeClose {
    /// The case number (办件编号)
    #[arg(value_parser = case_id)]
    pub case: CaseId,
    /// granted, refused, withdrawn, done or failed (granted 准予、refused 不予、withdrawn 撤回、done 办结、failed 差错)
    #[arg(value_parser = outcome)]
    pub outcome: Outcome,
    /// Why
    #[command(flatten)]
    pub grounds: Grounds,
}

/// Options of `case propose-extend`.
#[derive(Args, Debug)]
pub struct ProposeExtend {
    /// The case number (办件编号)
    #[arg(value_parser = case_id)]
    pub case: CaseId,
    /// By how many working days, 1 to 60 (延长的工作日数，1 至 60)
    #[arg(value_parser = clap::value_parser!(u16).range(1..=60))]
    pub days: u16,
    /// Why
    #[command(flatten)]
    pub grounds: Grounds,
}

/// Options of `case propose-reassign`.
#[derive(Args, Debug)]
pub struct ProposeReassign {
    /// The task
    #[command(flatten)]
    pub task: Task,
    /// To whom, by its unified social credit code (接收机构的统一社会信用代码)
    #[arg(value_parser = uscc)]
    pub to: Uscc,
    /// Why
    #[command(flatten)]
    pub grounds: Grounds,
}

/// Options of `case confirm`.
#[derive(Args, Debug)]
pub struct Confirm {
    /// The case number (办件编号)
    #[arg(value_parser = case_id)]
    pub case: CaseId,
    /// yes or no (yes 同意，no 驳回)
    #[arg(value_parser = ["yes", "no"])]
    pub vote: String,
}

/// Options of `case rate`.
#[derive(Args, Debug)]
pub struct Rate {
    /// The case number (办件编号)
    #[arg(value_parser = case_id)]
    pub case: CaseId,
    /// 5 very satisfied, 4 satisfied, 3 fair, 2 dissatisfied, 1 very dissatisfied (5 非常满意、4 满意、3 基本满意、2 不满意、1 非常不满意)
    #[arg(value_parser = clap::value_parser!(u8).range(1..=5))]
    pub level: u8,
}

fn procedure(text: &str) -> std::result::Result<(PackId, String), String> {
    let parts = text.split_once('/').and_then(|(pack, process)| Some((PackId::parse(pack).ok()?, process.to_owned())));
    parts.ok_or_else(|| "PACK/PROCESS, such as medical-assistance/assistance (规则包/流程标识)".into())
}

/// The parser of one of a few words.
macro_rules! word {
    ($name:ident, $of:ty) => {
        fn $name(text: &str) -> std::result::Result<$of, String> {
            <$of>::parse(text).ok_or_else(|| <$of>::ALL.iter().map(|it| it.name()).collect::<Vec<_>>().join(", "))
        }
    };
}
word!(channel, Channel);
word!(pause_reason, PauseReason);
word!(override_reason, OverrideReason);
word!(outcome, Outcome);

/// The values that are written as FEEL.
fn values(written: &[String]) -> Result<Variables> {
    let facts = Facts { facts: None, fact: written.to_vec() }.of_words()?;
    let mut out = BTreeMap::new();
    for (name, value) in facts {
        let wire = Wire::of(&value).ok_or_else(|| {
            Failure::new(Exit::Usage, "case.value", text!("值“{name}”无法保存", "the value {name} cannot be stored"))
        })?;
        out.insert(name.to_string(), wire);
    }
    Ok(Variables(out))
}

/// The SHA-256 of a file.
fn digest(path: &Path) -> Result<Digest> {
    let hashed = hashing::hash(path, &ProgressBar::hidden()).map_err(|skipped| {
        let shown = path.display();
        Failure::new(Exit::Failed, "file.unreadable", text!("无法读取 {shown}", "{shown} cannot be read")).why(skipped.why)
    })?;
    Ok(hashed.record.sha256)
}

fn sign<C: Call + Encode<()>>(session: &Session, call: &C) -> Result<Acted> {
    act(session, MODULE, call)
}

/// A report with the case, and what follows.
fn report(done: &Acted, case: CaseId, sentence: Text) -> Report {
    let closed = done.view.events.iter().flatten().find(|event| event.name == "case_closed");
    let mut report = done.report(sentence);
    if let Some(outcome) = closed.and_then(|event| event.data["outcome"].as_str()) {
        report = report.fact(Text::fixed("办理结果", "outcome"), super::show::outcome(outcome));
    }
    report.json["case"] = case.to_string().into();
    report.next(text!("查看：zhulian case show {case}", "To see it: zhulian case show {case}"))
}

/// Opens a case.
///
/// # Errors
/// When it is refused, or the opening cannot be saved.
pub fn open(session: &Session, args: &Open) -> Result<Report> {
    let (pack, process) = args.procedure.clone();
    let mut salt = [0; 32];
    getrandom::fill(&mut salt).map_err(|error| {
        Failure::new(Exit::Failed, "random", text!("系统未能提供随机数", "the system gives no random numbers"))
            .why(crate::failure::library_reason(&error.to_string()))
    })?;
    let applicant = match (&args.applicant, args.commitment) {
        (_, Some(commitment)) => commitment.0,
        (applicant, None) => commitment(&salt, applicant.as_deref().unwrap_or_default()),
    };
    let variables = values(&args.value)?;
    let (channel, message) = (args.channel, args.message.clone());
    let materials = args.material.iter().map(|text| enclosed(text)).collect::<Result<_>>()?;
    let done = sign(session, &OpenCall { pack, process, applicant, channel, variables, message, materials })?;
    let opened = done.view.events.iter().flatten().find(|event| event.name == "case_opened");
    let number = opened.and_then(|event| event.data["case"].as_str()).and_then(|text| CaseId::parse(text).ok());
    let case = number.ok_or_else(|| {
        Failure::new(Exit::Failed, "case.number", text!("回执中没有办件编号", "the outcome names no case"))
            .next(Text::fixed("用 zhulian case list 查找", "look it up with zhulian case list"))
    })?;
    let mut report = report(&done, case, text!("办件 {case} 已立案。", "The case {case} is open."));
    if let Some(text) = &args.applicant {
        let path = args.opening.clone().unwrap_or_else(|| PathBuf::from(format!("{case}.opening.json")));
        let opening = Opening {
            format: OPENING_FORMAT.into(),
            evidence: case.to_string(),
            field: "applicant".into(),
            text: text.clone(),
            salt: hex::encode(salt),
        };
        let json = serde_json::to_string_pretty(&opening).unwrap_or_default() + "\n";
        private_file::replace(&path, json.as_bytes())?;
        let shown = path.display().to_string();
        report.json["opening"] = shown.as_str().into();
        report = report.fact(Text::fixed("申请人承诺公开文件", "opening of the applicant"), shown);
    }
    Ok(report)
}

/// A material `NAME=FILE` that comes with an application.
fn enclosed(text: &str) -> Result<Enclosed> {
    let (name, path) =
        text.split_once('=').filter(|(name, path)| !name.is_empty() && !path.is_empty()).ok_or_else(|| {
            Failure::new(Exit::Usage, "usage", text!("材料写作 名称=文件：{text}", "a material is NAME=FILE: {text}"))
        })?;
    Ok(Enclosed { name: name.into(), commitment: digest(std::path::Path::new(path))? })
}

/// Takes a task on.
///
/// # Errors
/// When it is refused.
pub fn claim(session: &Session, &Task { case, task }: &Task) -> Result<Report> {
    let done = sign(session, &Claim { case, task })?;
    Ok(report(&done, case, text!("已认领办件 {case} 的任务 {task}。", "Task {task} of {case} is yours.")))
}

/// Completes a task.
///
/// # Errors
/// When it is refused.
pub fn complete(session: &Session, args: &Complete) -> Result<Report> {
    let Task { case, task } = args.task;
    let done = sign(session, &CompleteCall { case, task, results: values(&args.value)?, error: args.error.clone() })?;
    Ok(report(&done, case, text!("办件 {case} 的任务 {task} 已完成。", "Task {task} of {case} is done.")))
}

/// Gives a task back.
///
/// # Errors
/// When it is refused.
pub fn return_task(session: &Session, &Task { case, task }: &Task) -> Result<Report> {
    let done = sign(session, &ReturnTask { case, task })?;
    Ok(report(&done, case, text!("已退回办件 {case} 的任务 {task}。", "Task {task} of {case} is given back.")))
}

/// Hands a task over.
///
/// # Errors
/// When it is refused.
pub fn transfer(session: &Session, args: &Transfer) -> Result<Report> {
    let (Task { case, task }, to) = (&args.task, args.to);
    let done = sign(session, &TransferCall { case: *case, task: *task, to })?;
    Ok(report(
        &done,
        *case,
        text!("办件 {case} 的任务 {task} 已转办至 {to}。", "Task {task} of {case} is handed over to {to}."),
    ))
}

/// Delivers a message.
///
/// # Errors
/// When it is refused.
pub fn send(session: &Session, args: &Send) -> Result<Report> {
    let (case, name) = (args.case, args.name.clone());
    let done = sign(session, &Message { case, name: name.clone(), content: values(&args.value)? })?;
    Ok(report(&done, case, text!("消息“{name}”已送达办件 {case}。", "The message {name} is delivered to {case}.")))
}

/// Submits a material.
///
/// # Errors
/// When it is refused, or the file cannot be read.
pub fn submit(session: &Session, args: &Submit) -> Result<Report> {
    let commitment = match (&args.commitment, &args.file) {
        (Some(commitment), _) => commitment.0,
        (None, Some(path)) => digest(path)?,
        (None, None) => return Err(Failure::new(Exit::Usage, "usage", text!("缺少材料文件", "the material is missing"))),
    };
    let (case, name) = (args.case, args.name.clone());
    let done = sign(session, &SubmitMaterial { case, name: name.clone(), commitment })?;
    Ok(report(&done, case, text!("材料“{name}”已提交至办件 {case}。", "The material {name} is submitted to {case}.")))
}

/// Stops the clock.
///
/// # Errors
/// When it is refused.
pub fn pause(session: &Session, args: &Pause) -> Result<Report> {
    let case = args.case;
    let done = sign(session, &PauseCall { case, reason: args.reason })?;
    Ok(report(&done, case, text!("办件 {case} 已暂停计时。", "The clock of {case} stands still.")))
}

/// Lets the clock run again.
///
/// # Errors
/// When it is refused.
pub fn resume(session: &Session, case: CaseId) -> Result<Report> {
    let done = sign(session, &Resume { case })?;
    Ok(report(&done, case, text!("办件 {case} 已恢复计时。", "The clock of {case} runs again.")))
}

/// Fires what is due.
///
/// # Errors
/// When nothing is, or it is refused.
pub fn tick(session: &Session, case: CaseId) -> Result<Report> {
    let done = sign(session, &Tick { case })?;
    Ok(report(&done, case, text!("办件 {case} 的到期事项已触发。", "What was due in {case} has happened.")))
}

fn propose(session: &Session, case: CaseId, action: Override, why: &Grounds) -> Result<Report> {
    let grounds = digest(&why.grounds)?;
    let done = sign(session, &ProposeOverride { case, action, reason: why.reason, grounds })?;
    let sentence =
        text!("已提出对办件 {case} 的人工干预，等待另一人复核。", "The override of {case} waits for its second signer.");
    Ok(report(&done, case, sentence)
        .next(text!("复核：zhulian case confirm {case} yes", "To confirm: zhulian case confirm {case} yes")))
}

/// Proposes to count a task as done.
///
/// # Errors
/// When it is refused.
pub fn propose_complete(session: &Session, args: &ProposeComplete) -> Result<Report> {
    let Task { case, task } = args.task;
    propose(session, case, Override::CompleteTask(task, values(&args.value)?), &args.grounds)
}

/// Proposes to close a case.
///
/// # Errors
/// When it is refused.
pub fn propose_close(session: &Session, args: &ProposeClose) -> Result<Report> {
    propose(session, args.case, Override::Close(args.outcome), &args.grounds)
}

/// Proposes longer periods.
///
/// # Errors
/// When it is refused.
pub fn propose_extend(session: &Session, args: &ProposeExtend) -> Result<Report> {
    propose(session, args.case, Override::Extend(args.days), &args.grounds)
}

/// Proposes to give a task to another organisation.
///
/// # Errors
/// When it is refused.
pub fn propose_reassign(session: &Session, args: &ProposeReassign) -> Result<Report> {
    let Task { case, task } = args.task;
    propose(session, case, Override::Reassign(task, args.to), &args.grounds)
}

/// Confirms or rejects an override.
///
/// # Errors
/// When it is refused.
pub fn confirm(session: &Session, args: &Confirm) -> Result<Report> {
    let (case, approve) = (args.case, args.vote == "yes");
    let done = sign(session, &ConfirmOverride { case, approve })?;
    let sentence = match approve {
        true => text!("对办件 {case} 的人工干预已复核同意并执行。", "The override of {case} is confirmed and carried out."),
        false => text!("对办件 {case} 的人工干预已驳回。", "The override of {case} is rejected."),
    };
    Ok(report(&done, case, sentence))
}

/// Rates a closed case.
///
/// # Errors
/// When it is refused.
pub fn rate(session: &Session, args: &Rate) -> Result<Report> {
    let (case, level) = (args.case, args.level);
    let done = sign(session, &RateCall { case, level })?;
    Ok(report(&done, case, text!("办件 {case} 的评价已登记：{level} 级。", "The rating of {case} is on record: {level}.")))
}
