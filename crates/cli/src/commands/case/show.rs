//! What the ledger says of cases and tasks.

use clap::Args;
use serde_json::json;
use zhulian_api::{Query, view};
use zhulian_modules::{identity::Uscc, procedure::CaseId};

use crate::{
    commands::member::uscc,
    failure::Result,
    remote::{Remote, beijing},
    report::Report,
    session::Session,
    text,
    text::{Text, grouped, several},
};

/// Options of `case list`.
#[derive(Args, Debug)]
pub struct List {
    /// Only led by this organisation, by its unified social credit code (只列出该机构牵头的办件，填统一社会信用代码)
    #[arg(long, value_name = "USCC", value_parser = uscc)]
    pub organisation: Option<Uscc>,
    /// Only of this procedure: PACK/PROCESS (只列出该流程的办件：规则包/流程标识)
    #[arg(long, value_name = "PACK/PROCESS")]
    pub procedure: Option<String>,
    /// Only so: open, closed, granted, refused, withdrawn, done or failed (状态：open 在办、closed 已办结、granted 准予、refused 不予、withdrawn 撤回、done 办结、failed 差错)
    #[arg(long)]
    pub state: Option<String>,
    /// Only those whose period ends within so many days, or is over (只列出若干天内到期或已超期的办件)
    #[arg(long, value_name = "DAYS")]
    pub due_within: Option<u16>,
    /// How many, 1 to 200 (条数，1 至 200)
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub limit: u32,
    /// Continue after an earlier list (接着上一页继续)
    #[arg(long)]
    pub cursor: Option<String>,
}

/// Options of `case tasks`.
#[derive(Args, Debug)]
pub struct Tasks {
    /// The organisation, by its unified social credit code (机构的统一社会信用代码)
    #[arg(value_parser = uscc)]
    pub organisation: Uscc,
    /// Only of this role, such as officer or judge (只列出该角色的任务，例如 officer 经办人、judge 法官)
    #[arg(long)]
    pub role: Option<String>,
    /// Only of cases of this rule pack (只列出该规则包的任务)
    #[arg(long)]
    pub pack: Option<String>,
    /// How many, 1 to 200 (条数，1 至 200)
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub limit: u32,
    /// Continue after an earlier list (接着上一页继续)
    #[arg(long)]
    pub cursor: Option<String>,
}

/// An outcome in both languages.
pub fn outcome(name: &str) -> Text {
    match name {
        "granted" => text!("准予", "granted"),
        "refused" => text!("不予", "refused"),
        "withdrawn" => text!("撤回", "withdrawn"),
        "done" => text!("办结", "done"),
        "failed" => text!("差错终止", "failed"),
        other => other.into(),
    }
}

fn standing(row: &view::CaseRow) -> Text {
    let state = match (row.state.as_str(), &row.outcome) {
        (_, Some(name)) => outcome(name),
        ("paused", _) => text!("暂停计时", "clock stands still"),
        _ => text!("在办", "open"),
    };
    match row.late {
        true => Text { zh: format!("{}，已超期", state.zh).into(), en: format!("{}, late", state.en).into() },
        false => state,
    }
}

fn due(row: &view::CaseRow) -> Text {
    let (due, left) = match row.limit_due_ms {
        Some(due) => (Some(due), row.limit_days_left),
        None => (row.promised_due_ms, row.promised_days_left),
    };
    match (due.map(zhulian_verify::format_time), left) {
        (None, _) => "-".into(),
        (Some(at), None) => at.into(),
        (Some(at), Some(days)) => text!("{at} 之后 {days} 个工作日", "{days} working days after {at}"),
    }
}

/// The end of a period of so many working days. One in a year without a calendar is not known yet.
fn end(at: u64, days: u16, left: Option<u32>) -> Text {
    let (at, days) = (beijing(at), grouped(days.into()));
    match left {
        None => Text {
            zh: format!("{}（{days} 个工作日）", at.zh).into(),
            en: format!("{} ({days} working days)", at.en).into(),
        },
        Some(left) => Text {
            zh: format!("待定：{} 之后还有 {left} 个工作日（共 {days} 个），该年度工作日历表决生效后确定", at.zh).into(),
            en: format!(
                "provisional: {left} of {days} working days come after {}, and are counted once that year's calendar is voted in",
                at.en
            )
            .into(),
        },
    }
}

fn more(report: Report, next: Option<String>) -> Report {
    match next {
        Some(next) => report.next(text!("更多：加上 --cursor {next}", "For more, add --cursor {next}")),
        None => report,
    }
}

/// Lists cases.
///
/// # Errors
/// When the gateway cannot be asked.
pub fn list(session: &Session, args: &List) -> Result<Report> {
    let remote = Remote::new(session)?;
    let due_before = match args.due_within {
        None => None,
        // By the ledger's time, not by this machine's.
        Some(days) => {
            let now = remote.call(remote.client.status())?.time_ms.unwrap_or_default();
            Some(now + u64::from(days) * 86_400_000)
        }
    };
    let state = args.state.clone().or_else(|| due_before.map(|_| "open".to_owned()));
    let query = Query::new()
        .with("organisation", args.organisation)
        .with("procedure", args.procedure.as_ref())
        .with("state", state)
        .with("due_before", due_before)
        .with("limit", Some(args.limit))
        .with("cursor", args.cursor.as_ref());
    let list = remote.call(remote.client.cases(query))?;
    let count = list.items.len();
    let head = [
        ("办件编号", "case"),
        ("事项", "procedure"),
        ("牵头机构", "led by"),
        ("状态", "state"),
        ("到期（北京时间）", "due (UTC+8)"),
    ];
    let row = |row: &view::CaseRow| {
        let name = if row.name.is_empty() { &row.process } else { &row.name };
        let procedure = format!("{name} ({}@{})", row.pack, row.version);
        vec![row.id.as_str().into(), procedure.into(), row.organisation.as_str().into(), standing(row), due(row)]
    };
    let rows = list.items.iter().map(row).collect();
    let told = several(count, "case");
    let report = Report::new(
        text!("共 {count} 件办件，最近立案的在前。", "{told}, the latest first."),
        json!({ "items": list.items, "next": list.next }),
    );
    Ok(more(report.table(head.map(|(zh, en)| Text::fixed(zh, en)).into(), rows), list.next))
}

/// Shows a case.
///
/// # Errors
/// When there is none of this number, or the gateway cannot be asked.
pub fn show(session: &Session, case: CaseId) -> Result<Report> {
    let remote = Remote::new(session)?;
    let it = remote.call(remote.client.case(&case.to_string()))?;
    let (row, state) = (&it.case, standing(&it.case));
    let name = if row.name.is_empty() { &row.process } else { &row.name };
    let sentence = Text {
        zh: format!("办件 {case}：“{name}”，{}。", state.zh).into(),
        en: format!("Case {case}: “{name}”, {}.", state.en).into(),
    };
    let mut report = Report::new(sentence, serde_json::to_value(&it).unwrap_or_default())
        .fact(Text::fixed("适用规则包", "rule pack"), format!("{} v{}", row.pack, row.version))
        .fact(Text::fixed("牵头机构", "led by"), row.organisation.as_str())
        .fact(Text::fixed("立案时间", "opened"), beijing(row.opened_ms));
    if let Some(at) = row.promised_due_ms {
        let text = end(at, it.clock.promised, row.promised_days_left);
        report = report.fact(Text::fixed("承诺期限至", "promised by"), text);
    }
    if let Some(at) = row.limit_due_ms {
        let text = end(at, it.clock.limit, row.limit_days_left);
        report = report.fact(Text::fixed("法定期限至", "due by law"), text);
    }
    if let Some(at) = row.closed_ms {
        report = report.fact(Text::fixed("办结时间", "closed"), beijing(at));
    }
    for pause in &it.clock.pauses {
        let (reason, from) = (&pause.reason, zhulian_verify::format_time(pause.from_ms));
        let to = pause.to_ms.map_or_else(|| "…".to_owned(), zhulian_verify::format_time);
        report = report.fact(Text::fixed("暂停计时", "clock stood still"), format!("{reason}: {from} – {to}"));
    }
    for material in &it.materials {
        report = report.fact(Text::fixed("已交材料", "material"), material.name.as_str());
    }
    for (name, value) in &it.variables {
        report = report.fact(text!("值 {name}", "value {name}"), value.as_str());
    }
    for message in &it.awaited {
        report = report.fact(Text::fixed("等待消息", "waits for message"), message.as_str());
    }
    if let Some(pending) = &it.pending {
        let text = format!("{} ({}), {} {}", pending.action, pending.reason, pending.organisation, pending.member);
        report = report.fact(Text::fixed("待复核的人工干预", "override to be confirmed"), text);
    }
    if row.overrides > 0 {
        report = report.fact(Text::fixed("人工干预次数", "overrides"), row.overrides.to_string());
    }
    if let Some(rating) = row.rating {
        report = report.fact(Text::fixed("好差评", "rating"), rating.to_string());
    }
    let rows = it.tasks.iter().map(task).collect();
    let head =
        [("任务", "task"), ("环节", "element"), ("名称", "name"), ("责任主体", "whose duty"), ("已认领", "claimed by")];
    Ok(report
        .table(head.map(|(zh, en)| Text::fixed(zh, en)).into(), rows)
        .detail(Text::fixed("申请人承诺", "commitment to the applicant"), it.applicant.to_string())
        .detail(Text::fixed("立案区块高度", "height of opening"), grouped(row.opened_height)))
}

fn task(task: &view::TaskView) -> Vec<Text> {
    let duties = task.duties.iter().map(|duty| format!("{}:{}", duty.organisation, duty.role));
    let claimed = task.claimed.as_ref().map(|claim| format!("{} {}", claim.organisation, claim.member));
    vec![
        task.task.to_string().into(),
        task.element.as_str().into(),
        task.name.as_str().into(),
        duties.collect::<Vec<_>>().join("\n").into(),
        claimed.unwrap_or_else(|| "-".into()).into(),
    ]
}

/// Shows what happened to a case.
///
/// # Errors
/// When there is none of this number, or the gateway cannot be asked.
pub fn history(session: &Session, case: CaseId) -> Result<Report> {
    let remote = Remote::new(session)?;
    let (mut items, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let query = Query::new().with("limit", Some(200)).with("cursor", cursor.take());
        let part = remote.call(remote.client.case_history(&case.to_string(), query))?;
        items.extend(part.items);
        match part.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    let count = items.len();
    let head = [("时间（北京时间）", "time (UTC+8)"), ("事项", "what"), ("内容", "content"), ("单位", "organisation")];
    let row = |item: &view::HistoryItem| {
        vec![
            zhulian_verify::format_time(item.time_ms).into(),
            event(&item.event.module, &item.event.name),
            content(&item.event.data).into(),
            item.organisation.as_str().into(),
        ]
    };
    let rows = items.iter().map(row).collect();
    let told = several(count, "thing");
    Ok(Report::new(
        text!("办件 {case} 共有 {count} 条记录，按时间先后。", "{told} happened to case {case}, oldest first."),
        json!({ "id": case.to_string(), "items": items }),
    )
    .table(head.map(|(zh, en)| Text::fixed(zh, en)).into(), rows))
}

/// What an event says in a few words: elements that were done or reached, a decision and its outcome, a name, a reason.
fn content(data: &serde_json::Value) -> String {
    if let Some(lines) = data["lines"].as_array() {
        let line = |line: &serde_json::Value| {
            let mark = match line[0].as_u64() {
                Some(0) => "+",
                Some(1) => "-",
                Some(2) => "x",
                _ => "!",
            };
            format!("{mark}{}", line[1].as_str().unwrap_or_default())
        };
        return lines.iter().map(line).collect::<Vec<_>>().join(" ");
    }
    let words = ["decision", "outcome", "name", "reason", "alert", "level", "to", "task"];
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let found = words.iter().filter_map(|word| data.get(*word).filter(|it| !it.is_null()).map(text));
    found.collect::<Vec<_>>().join(" ")
}

fn event(module: &str, name: &str) -> Text {
    match (module, name) {
        ("procedure", "case_opened") => text!("立案", "opened"),
        ("procedure", "progressed") => text!("推进", "moved on"),
        ("procedure", "task_claimed") => text!("认领任务", "task claimed"),
        ("procedure", "task_returned") => text!("退回任务", "task given back"),
        ("procedure", "task_transferred") => text!("转办任务", "task handed over"),
        ("procedure", "material_submitted") => text!("提交材料", "material submitted"),
        ("procedure", "clock_paused") => text!("暂停计时", "clock stopped"),
        ("procedure", "clock_resumed") => text!("恢复计时", "clock runs again"),
        ("procedure", "alerted") => text!("预警", "alert"),
        ("procedure", "override_proposed") => text!("提出人工干预", "override proposed"),
        ("procedure", "override_confirmed") => text!("复核人工干预", "override decided"),
        ("procedure", "case_closed") => text!("办结", "closed"),
        ("procedure", "case_rated") => text!("好差评", "rated"),
        ("rulepack", "decided") => text!("依规则决定", "decided by rules"),
        _ => format!("{module}.{name}").into(),
    }
}

/// Lists tasks that wait.
///
/// # Errors
/// When the gateway cannot be asked.
pub fn tasks(session: &Session, args: &Tasks) -> Result<Report> {
    let remote = Remote::new(session)?;
    let (mut items, mut cursor) = (Vec::new(), args.cursor.clone());
    // A part may be short, or empty, and still have a next one.
    while items.len() < args.limit as usize {
        let query = Query::new()
            .with("organisation", Some(args.organisation))
            .with("role", args.role.as_ref())
            .with("pack", args.pack.as_ref())
            .with("limit", Some(args.limit as usize - items.len()))
            .with("cursor", cursor.take());
        let part = remote.call(remote.client.tasks(query))?;
        items.extend(part.items);
        cursor = part.next;
        if cursor.is_none() {
            break;
        }
    }
    let count = items.len();
    let head = [
        ("办件编号", "case"),
        ("任务", "task"),
        ("环节", "element"),
        ("名称", "name"),
        ("已认领", "claimed by"),
        ("到期（北京时间）", "due (UTC+8)"),
    ];
    let row = |item: &view::TaskItem| {
        let claimed = item.task.claimed.as_ref().map_or("-", |claim| claim.member.as_str());
        vec![
            item.case.id.as_str().into(),
            item.task.task.to_string().into(),
            item.task.element.as_str().into(),
            item.task.name.as_str().into(),
            claimed.into(),
            due(&item.case),
        ]
    };
    let rows = items.iter().map(row).collect();
    let told = if count == 1 { "1 task waits".into() } else { several(count, "task") + " wait" };
    let report = Report::new(text!("共 {count} 项待办任务。", "{told}."), json!({ "items": items, "next": cursor }));
    Ok(more(report.table(head.map(|(zh, en)| Text::fixed(zh, en)).into(), rows), cursor))
}
