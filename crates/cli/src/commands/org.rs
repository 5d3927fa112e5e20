//! `zhulian org`: the organisations of the network, and motions about them.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use zhulian_api::{Query, view};
use zhulian_modules::{
    governance::{Action, CastBallot, OpenMotion, Parameter, WithdrawMotion},
    identity::Uscc,
};

use super::{member::uscc, validator::Change};
use crate::{
    act::act,
    failure::{Exit, Failure, Result},
    local::{OrganisationPlan, founding_of},
    remote::Remote,
    report::Report,
    session::Session,
    text,
    text::{Text, several},
};

const MODULE: &str = "governance";

/// Organisations and motions about them (机构与表决)
#[derive(Subcommand, Debug)]
pub enum Command {
    /// List the organisations (列出机构)
    List,
    /// Show an organisation with its members and keys (查看机构)
    Show(Code),
    /// Move to admit an organisation; signed by a representative (提议接纳)
    ProposeAdmit(ProposeAdmit),
    /// Move to suspend an organisation (提议停用)
    ProposeSuspend(Code),
    /// Move to reinstate an organisation (提议恢复)
    ProposeReinstate(Code),
    /// Move to change a parameter of the network (提议更改参数)
    ProposeParameter(ProposeParameter),
    /// List motions, newest first (列出动议)
    Motions,
    /// Vote on a motion; signed by a representative (投票)
    Vote(Vote),
    /// Take back a motion of one's own organisation (撤回动议)
    WithdrawMotion(Motion),
}

/// An organisation.
#[derive(Args, Debug)]
pub struct Code {
    /// Unified social credit code (统一社会信用代码)
    #[arg(value_parser = uscc)]
    pub uscc: Uscc,
}

/// Options of `org propose-admit`.
#[derive(Args, Debug)]
pub struct ProposeAdmit {
    /// JSON file that describes the organisation, as an entry of `zhulian network plan`; every member with its public key (描述该机构的 JSON 文件，格式同 zhulian network plan 的一项，每个成员须附公钥)
    pub file: PathBuf,
}

/// Options of `org propose-parameter`.
#[derive(Args, Debug)]
pub struct ProposeParameter {
    /// batch_entries_max, details_bytes_max or vote_blocks (batch_entries_max 批次条目上限、details_bytes_max 说明字节上限、vote_blocks 表决期区块数)
    #[arg(value_parser = parameter)]
    pub name: Parameter,
    /// Its new value (新值)
    pub value: u64,
}

/// A motion.
#[derive(Args, Debug)]
pub struct Motion {
    /// Number of the motion (动议编号)
    pub motion: u32,
}

/// Options of `org vote`.
#[derive(Args, Debug)]
pub struct Vote {
    /// Number of the motion (动议编号)
    pub motion: u32,
    /// yes or no (yes 赞成，no 反对)
    #[arg(value_parser = ["yes", "no"])]
    pub vote: String,
    /// Vote yes on another validator though validators are down or behind (即使有验证节点离线或落后，仍赞成增加或更换验证节点)
    #[arg(long)]
    pub anyway: bool,
}

fn parameter(text: &str) -> std::result::Result<Parameter, String> {
    Parameter::parse(text).ok_or_else(|| format!("the parameters are {}", Parameter::ALL.map(Parameter::name).join(", ")))
}

/// Runs the command.
///
/// # Errors
/// When it does not succeed.
pub fn run(session: &Session, command: &Command) -> Result<Report> {
    match command {
        Command::List => list(session),
        Command::Show(args) => show(session, &args.uscc),
        Command::ProposeAdmit(args) => propose(session, Action::Admit(founding_of(&read(&args.file)?)?)),
        Command::ProposeSuspend(args) => propose(session, Action::Suspend(args.uscc)),
        Command::ProposeReinstate(args) => propose(session, Action::Reinstate(args.uscc)),
        Command::ProposeParameter(args) => propose(session, Action::Set(args.name, args.value)),
        Command::Motions => motions(session),
        Command::Vote(args) => vote(session, args),
        Command::WithdrawMotion(args) => {
            let motion = args.motion;
            let done = act(session, MODULE, &WithdrawMotion { motion })?;
            Ok(done.report(text!("动议 {motion} 已撤回。", "Motion {motion} is withdrawn.")))
        }
    }
}

fn read(path: &std::path::Path) -> Result<OrganisationPlan> {
    let text = crate::failure::read_text(path)?;
    serde_json::from_str(&text).map_err(|error| {
        let shown = path.display();
        Failure::new(Exit::Usage, "plan", text!("{shown} 不是机构说明文件", "{shown} does not describe an organisation"))
            .why(crate::failure::library_reason(&error.to_string()))
            .next(Text::fixed(
                "可参照 zhulian network plan 输出中的一个机构",
                "compare it with an organisation in what `zhulian network plan` prints",
            ))
    })
}

/// Votes on a motion.
///
/// # Errors
/// When the vote is not taken.
pub fn vote(session: &Session, args: &Vote) -> Result<Report> {
    let (motion, approve) = (args.motion, args.vote == "yes");
    let change = if approve { change_by(session, motion)? } else { None };
    let reserve = change.map(|change| change.refuse_in_need(session, args.anyway)).transpose()?;
    let done = act(session, MODULE, &CastBallot { motion, approve })?;
    let closed = done.view.events.iter().flatten().any(|event| event.name == "motion_closed");
    let (zh, en) = if approve { ("赞成", "yes") } else { ("反对", "no") };
    let more = if closed {
        ("动议已有结果。", "The motion is decided.")
    } else {
        ("动议尚未有结果。", "The motion is still open.")
    };
    let (more_zh, more_en) = more;
    let report = done.report(text!("已就动议 {motion} 投{zh}票。{more_zh}", "Voted {en} on motion {motion}. {more_en}"));
    Ok(match reserve {
        Some(reserve) => report.fact(Text::fixed("冗余", "reserve"), reserve),
        None => report,
    })
}

/// How the validators change by a motion, if another comes by it. Of a motion that the gateway does not show, the network decides.
fn change_by(session: &Session, motion: u32) -> Result<Option<Change>> {
    let remote = Remote::new(session)?;
    let list = remote.call(remote.client.motions(Query::new().with("limit", Some(200))))?;
    Ok(list.items.iter().find(|it| it.motion == motion).and_then(Change::of))
}

/// Opens a motion.
///
/// # Errors
/// When it is not taken.
pub fn propose(session: &Session, action: Action) -> Result<Report> {
    let done = act(session, MODULE, &OpenMotion { action })?;
    let opened = done.view.events.iter().flatten().find(|event| event.name == "motion_opened");
    let number = opened.and_then(|event| event.data.get("number").or_else(|| event.data.get("0")).cloned());
    let number = number.map_or_else(|| "?".into(), |number| number.to_string());
    Ok(done
        .report(text!(
            "动议 {number} 已提出，等待各机构投票。",
            "Motion {number} is open; the organisations may vote on it."
        ))
        .next(text!("投票：zhulian org vote {number} yes", "To vote: zhulian org vote {number} yes")))
}

/// The class in both languages.
pub fn class(name: &str) -> Text {
    match name {
        "government" => text!("政府部门", "government"),
        "judicial" => text!("司法机关", "judicial"),
        "financial" => text!("金融机构", "financial"),
        "social" => text!("社会组织", "social"),
        "enterprise" => text!("企业", "enterprise"),
        other => other.into(),
    }
}

fn standing(status: &str) -> Text {
    match status {
        "active" => text!("正常", "active"),
        "suspended" => text!("已停用", "suspended"),
        other => other.into(),
    }
}

fn list(session: &Session) -> Result<Report> {
    let remote = Remote::new(session)?;
    let mut items: Vec<view::OrganisationRow> = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let query = Query::new().with("limit", Some(200)).with("cursor", cursor.as_ref());
        let part = remote.call(remote.client.organisations(query))?;
        items.extend(part.items);
        cursor = part.next;
        if cursor.is_none() {
            break;
        }
    }
    let count = items.len();
    let told = several(count, "organisation");
    let head = vec![
        Text::fixed("统一社会信用代码", "credit code"),
        Text::fixed("名称", "name"),
        Text::fixed("类别", "class"),
        Text::fixed("状态", "standing"),
    ];
    let row = |it: &view::OrganisationRow| {
        vec![it.uscc.as_str().into(), it.name.as_str().into(), class(&it.class), standing(&it.status)]
    };
    let rows = items.iter().map(row).collect();
    Ok(Report::new(text!("本网络共有 {count} 个机构。", "The network has {told}."), json!({ "organisations": items }))
        .table(head, rows))
}

fn show(session: &Session, code: &Uscc) -> Result<Report> {
    let remote = Remote::new(session)?;
    let it = remote.call(remote.client.organisation(code.as_str()))?;
    let (name, kind, state) = (&it.name, class(&it.class), standing(&it.status));
    let sentence = Text {
        zh: format!("“{name}”（{code}）：{}，{}。", kind.zh, state.zh).into(),
        en: format!("“{name}” ({code}): {}, {}.", kind.en, state.en).into(),
    };
    let head = vec![
        Text::fixed("成员", "member"),
        Text::fixed("状态", "standing"),
        Text::fixed("角色", "roles"),
        Text::fixed("有效密钥", "keys in force"),
    ];
    let row = |member: &view::MemberView| {
        let keys = member.keys.iter().filter(|key| key.active).map(|key| key.public_key.to_string());
        vec![
            member.member.as_str().into(),
            standing(&member.status),
            member.roles.join(", ").into(),
            keys.collect::<Vec<_>>().join(" ").into(),
        ]
    };
    let rows = it.members.iter().map(row).collect();
    Ok(Report::new(sentence, serde_json::to_value(&it).unwrap_or_default()).table(head, rows))
}

fn motions(session: &Session) -> Result<Report> {
    let remote = Remote::new(session)?;
    let list = remote.call(remote.client.motions(Query::new().with("limit", Some(50))))?;
    let count = list.items.len();
    let status = |name: &str| match name {
        "open" => text!("表决中", "open"),
        "executed" | "carried" => text!("已通过并执行", "executed"),
        "failed" => text!("已通过但无法执行", "carried but not possible"),
        "rejected" => text!("未通过", "rejected"),
        "withdrawn" => text!("已撤回", "withdrawn"),
        "expired" => text!("已过期", "expired"),
        other => other.into(),
    };
    let mut report = Report::new(
        match count {
            1 => text!("共 1 项动议。", "There is one motion."),
            _ => text!("共 {count} 项动议，最近的在前。", "There are {count} motions, newest first."),
        },
        json!({ "motions": list.items }),
    );
    for motion in &list.items {
        let yes = motion.ballots.iter().filter(|ballot| ballot.approve).count();
        let no = motion.ballots.len() - yes;
        let (state, (action_zh, action_en)) = (status(&motion.status), action(&motion.action));
        let (number, by, matter) = (motion.motion, &motion.organisation, matter(&motion.matter));
        let (opened, closes) = (motion.opened_height, motion.closes_height);
        let value = Text {
            zh: format!(
                "{}；{action_zh}；赞成 {yes}，反对 {no}；由 {by} 于高度 {opened} 提出，高度 {closes} 截止\n{matter}",
                state.zh
            )
            .into(),
            en: format!(
                "{}; {action_en}; {yes} for, {no} against; opened by {by} at height {opened}, closes at {closes}\n{matter}",
                state.en
            )
            .into(),
        };
        report = report.fact(text!("动议 {number}", "motion {number}"), value);
    }
    Ok(report)
}

/// What a motion asks for, in a line: the organisation it names, or its fields.
fn matter(matter: &serde_json::Value) -> String {
    let text = |name: &str| matter.get(name).and_then(|it| it.as_str());
    match (text("name"), text("organisation")) {
        (Some(name), Some(code)) => format!("{name} ({code})"),
        (None, Some(code)) => code.into(),
        _ => matter.to_string(),
    }
}

fn action(name: &str) -> (&str, &str) {
    match name {
        "admit" => ("接纳机构", "admit an organisation"),
        "suspend" => ("停用机构", "suspend an organisation"),
        "reinstate" => ("恢复机构", "reinstate an organisation"),
        "set_parameter" => ("更改参数", "change a parameter"),
        "recover" => ("恢复机构的管理员", "restore an organisation's administrators"),
        "add_validator" => ("增加验证节点", "add a validator"),
        "remove_validator" => ("移除验证节点", "remove a validator"),
        "rekey_validator" => ("更换验证节点密钥", "give a validator another key"),
        "schedule_protocol" => ("升级协议", "begin a protocol"),
        "annul_protocol" => ("撤销协议升级", "annul a protocol"),
        other => (other, other),
    }
}
