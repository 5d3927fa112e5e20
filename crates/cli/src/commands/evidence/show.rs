//! `zhulian evidence show|history|list|receipt`: what the ledger says of deposits.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use zhulian_api::{Query, view::EvidenceView};
use zhulian_primitives::{EvidenceId, EvidenceRef, Network};

use crate::{
    deposit::useless,
    failure::{Exit, Failure, Result},
    private_file,
    remote::{Remote, beijing},
    report::Report,
    session::Session,
    text,
    text::{Text, bytes, grouped, quoted, several},
};

/// A deposit.
#[derive(Args, Debug)]
pub struct Number {
    /// The evidence number (存证编号)
    pub id: String,
}

/// Options of `evidence list`.
#[derive(Args, Debug)]
pub struct List {
    /// Only of this organisation, by its unified social credit code (只列出该机构的存证，填统一社会信用代码)
    #[arg(long, value_name = "USCC")]
    pub organisation: Option<String>,
    /// How many, 1 to 200 (条数，1 至 200)
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub limit: u32,
    /// Continue after an earlier list (接着上一页继续)
    #[arg(long)]
    pub cursor: Option<String>,
}

/// Options of `evidence receipt`.
#[derive(Args, Debug)]
pub struct Receipt {
    /// The evidence number (存证编号)
    pub id: String,
    /// Where to write it; default NUMBER.zlr (输出文件；默认为 编号.zlr)
    #[arg(long, short, value_name = "FILE.zlr")]
    pub output: Option<PathBuf>,
}

/// A status of the ledger in both languages.
pub fn status(status: &str) -> Text {
    match status {
        "active" | "in_use" => text!("有效", "in use"),
        "frozen" => text!("已被法院冻结", "frozen by a court"),
        "withdrawn" => text!("已停止使用（记录永久保留）", "withdrawn from use (the record stays)"),
        other => other.into(),
    }
}

/// Shows a deposit.
///
/// # Errors
/// When there is none of this number, or the gateway cannot be asked.
pub fn show(session: &Session, args: &Number) -> Result<Report> {
    let remote = Remote::new(session)?;
    let evidence = remote.call(remote.client.evidence(&number(&args.id)?))?;
    let (id, name) = (&evidence.id, &evidence.organisation_name);
    let when = zhulian_verify::format_time(evidence.time_ms);
    let sentence = text!(
        "存证 {id}：由“{name}”于 {when}（北京时间）存证。",
        "Evidence {id} was deposited by “{name}” at {when} (UTC+8)."
    );
    let report = facts(Report::new(sentence, serde_json::to_value(&evidence).unwrap_or_default()), &evidence);
    // A number may end with a check character that a shell would take for itself.
    let id = quoted(id);
    Ok(report.next(text!(
        "下载回执：zhulian evidence receipt {id}；历史：zhulian evidence history {id}",
        "Its receipt: `zhulian evidence receipt {id}`; its history: `zhulian evidence history {id}`"
    )))
}

/// Adds the facts of a deposit to a report.
pub fn facts(mut report: Report, evidence: &EvidenceView) -> Report {
    let (name, uscc) = (&evidence.organisation_name, &evidence.organisation);
    report = report
        .fact(Text::fixed("存证编号", "number"), evidence.id.as_str())
        .fact(Text::fixed("存证时间", "deposited"), beijing(evidence.time_ms))
        .fact(Text::fixed("存证单位", "depositor"), text!("{name}（{uscc}）", "{name} ({uscc})"))
        .fact(Text::fixed("状态", "status"), status(&evidence.status));
    if let Some(first) = &evidence.first_deposit {
        report = report.fact(
            Text::fixed("首次存证", "first deposit"),
            text!("同一文件此前已有存证：{first}", "the same file was deposited earlier: {first}"),
        );
    }
    if let Some(file) = &evidence.file {
        let (size, exact) = (bytes(file.size), grouped(file.size));
        report = report.fact(Text::fixed("文件大小", "size"), text!("{size}（{exact} 字节）", "{size} ({exact} bytes)"));
    }
    if let Some(count) = evidence.batch_count {
        let entries = several(count as usize, "entry");
        let count = grouped(count);
        report = match evidence.entry {
            Some(entry) => {
                let entry = grouped(entry + 1);
                report.fact(Text::fixed("批次", "batch"), text!("第 {entry} 条，共 {count} 条", "entry {entry} of {count}"))
            }
            None => report.fact(Text::fixed("批次", "batch"), text!("共 {count} 条", "{entries}")),
        };
    }
    report = told(report, evidence);
    if let Some(file) = &evidence.file {
        report = report
            .detail(Text::fixed("SHA-256", "SHA-256"), file.sha256.to_string())
            .detail(Text::fixed("SM3", "SM3"), file.sm3.to_string());
    }
    if let Some(root) = evidence.batch_root {
        report = report.detail(Text::fixed("批次根", "batch root"), root.to_string());
    }
    report
        .detail(Text::fixed("区块高度", "height"), grouped(evidence.height))
        .detail(Text::fixed("交易编号", "transaction"), evidence.transaction.to_string())
}

/// What the depositor told.
fn told(mut report: Report, evidence: &EvidenceView) -> Report {
    let details = &evidence.details;
    if let Some(custodian) = &evidence.custodian {
        let (name, code) = (&custodian.name, &custodian.uscc);
        report = report.fact(Text::fixed("保管单位", "custodian"), text!("{name}（{code}）", "{name} ({code})"));
    }
    report = report
        .fact(Text::fixed("来源类型", "source"), source_type(&details.source_type))
        .fact(Text::fixed("法律依据", "legal basis"), details.legal_basis.as_str());
    if let Some(hint) = &details.case_hint {
        report = report.fact(Text::fixed("案件线索", "case"), hint.as_str());
    }
    if !details.prior_evidence.is_empty() {
        report = report.fact(Text::fixed("前序存证", "prior evidence"), details.prior_evidence.join("\n"));
    }
    if let Some(until) = details.retention_until_ms {
        report = report.fact(Text::fixed("保存至", "kept until"), beijing(until));
    }
    if !details.notes.is_empty() {
        let codes = details.notes.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
        report = report.fact(Text::fixed("备注代码", "notes"), codes);
    }
    for freeze in &evidence.freezes {
        let (court, case) = (&freeze.court.name, &freeze.case);
        report = report.fact(Text::fixed("冻结", "freeze"), text!("{court},{case}", "{court}, {case}"));
    }
    if let Some(generation) = &details.generation {
        report = report.detail(Text::fixed("生成过程说明 SHA-256", "document of facts"), generation.facts.to_string());
        for it in &generation.commitments {
            let field = &it.field;
            report = report.detail(text!("承诺（{field}）", "commitment ({field})"), it.commitment.to_string());
        }
    }
    if let Some(root) = details.process_log_root {
        report = report.detail(Text::fixed("过程日志根", "root of the log"), root.to_string());
    }
    if let Some(token) = details.timestamp_token {
        report = report.detail(Text::fixed("时间戳文件 SHA-256", "time-stamp token"), token.to_string());
    }
    if let Some(commitment) = details.name_commitment {
        report = report.detail(Text::fixed("文件名承诺", "commitment to the name"), commitment.to_string());
    }
    report
}

/// Where evidence comes from, in both languages.
pub fn source_type(name: &str) -> Text {
    match name {
        "web" => Text::fixed("网页", "web page"),
        "screen" => Text::fixed("录屏", "recording of a screen"),
        "file" => Text::fixed("电子文件", "file"),
        "api" => Text::fixed("系统接口", "interface of a system"),
        "sensor" => Text::fixed("传感器", "sensor"),
        "contract" => Text::fixed("合同", "contract"),
        "payment" => Text::fixed("支付", "payment"),
        _ => Text::fixed("其他", "other"),
    }
}

/// An evidence number as people type it. What cannot be one is told here, with the slip named, before anyone is asked.
///
/// # Errors
/// When it is none.
pub fn number(typed: &str) -> Result<String> {
    use zhulian_primitives::EvidenceIdError as E;
    typed.trim().parse::<EvidenceRef>().map(|number| number.to_string()).map_err(|error| {
        Failure::new(Exit::Usage, "evidence.number", text!("“{typed}”不是存证编号", "“{typed}” is no evidence number"))
            .why(match error {
                E::Shape => Text::fixed(
                    "存证编号为 ZL 加 27 个字符；批量存证的条目另加连字符和序号",
                    "a number is ZL and 27 characters; an entry of a batch adds a hyphen and its index",
                ),
                E::Character => Text::fixed("含有存证编号中不会出现的字符", "it has a character that does not occur in one"),
                E::Check => Text::fixed(
                    "最后一位校验字符不符，可能有一位输错",
                    "its last character, which checks the others, does not fit: look for a typing error",
                ),
            })
            .next(Text::fixed("请对照回执或证书重新输入", "compare it with the receipt or the certificate"))
    })
}

/// Shows what happened to a deposit.
///
/// # Errors
/// When there is none of this number, or the gateway cannot be asked.
pub fn history(session: &Session, args: &Number) -> Result<Report> {
    let remote = Remote::new(session)?;
    let history = remote.call(remote.client.evidence_history(&number(&args.id)?))?;
    let (id, count) = (&history.id, history.items.len());
    let head = vec![
        Text::fixed("时间（北京时间）", "time (UTC+8)"),
        Text::fixed("事项", "what"),
        Text::fixed("单位", "organisation"),
        Text::fixed("交易编号", "transaction"),
    ];
    let mut names = std::collections::BTreeMap::new();
    for item in &history.items {
        // A name says more than a code; without it the code has to do.
        let name = |code: &str| remote.call(remote.client.organisation(code)).map_or_else(|_| code.into(), |it| it.name);
        names.entry(&item.organisation).or_insert_with_key(|code| name(code));
    }
    let rows = history.items.iter().map(|item| {
        vec![
            zhulian_verify::format_time(item.time_ms).into(),
            event(&item.event.module, &item.event.name),
            names[&item.organisation].as_str().into(),
            item.transaction.to_string().into(),
        ]
    });
    let rows = rows.collect();
    Ok(Report::new(
        match count {
            1 => text!("存证 {id} 只有存证一条记录。", "Nothing has happened to evidence {id} since it was deposited."),
            _ => text!(
                "存证 {id} 共有 {count} 条记录，按时间先后。",
                "{count} things happened to evidence {id}, oldest first."
            ),
        },
        serde_json::to_value(&history).unwrap_or_default(),
    )
    .table(head, rows))
}

fn event(module: &str, name: &str) -> Text {
    match (module, name) {
        ("evidence", "deposited") => text!("存证", "deposited"),
        ("evidence", "batch_deposited") => text!("批量存证", "deposited in a batch"),
        ("evidence", "custody_recorded") | ("evidence", "custody_changed") => text!("保管变更", "custody recorded"),
        ("evidence", "frozen") => text!("法院冻结", "frozen by a court"),
        ("evidence", "unfrozen") => text!("解除冻结", "freeze lifted"),
        ("evidence", "withdrawn") => text!("停止使用", "withdrawn from use"),
        ("evidence", "priority_conflict") => text!("在先存证提示", "earlier deposit of the same file"),
        _ => format!("{module}.{name}").into(),
    }
}

/// Lists deposits.
///
/// # Errors
/// When the gateway cannot be asked.
pub fn list(session: &Session, args: &List) -> Result<Report> {
    let remote = Remote::new(session)?;
    let query = Query::new()
        .with("organisation", args.organisation.as_ref())
        .with("limit", Some(args.limit))
        .with("cursor", args.cursor.as_ref());
    let list = remote.call(remote.client.evidence_list(query))?;
    let count = list.items.len();
    let (head, rows) = number_row(&list.items);
    let told = if count == 1 { "The latest deposit".into() } else { format!("The latest {count} deposits") };
    let report = Report::new(text!("最近的 {count} 项存证：", "{told}:"), json!({ "items": list.items, "next": list.next }))
        .table(head, rows);
    Ok(match list.next {
        Some(next) => report.next(text!("更多：加上 --cursor {next}", "For more, add --cursor {next}")),
        None => report,
    })
}

/// Deposits as a table.
pub fn number_row(items: &[EvidenceView]) -> (Vec<Text>, Vec<Vec<Text>>) {
    let head = vec![
        Text::fixed("存证编号", "number"),
        Text::fixed("存证时间（北京时间）", "deposited (UTC+8)"),
        Text::fixed("存证单位", "depositor"),
        Text::fixed("状态", "status"),
        Text::fixed("内容", "content"),
    ];
    let rows = items.iter().map(|item| {
        let content = match (&item.file, item.batch_count) {
            (Some(file), _) => bytes(file.size).into(),
            (None, Some(count)) => {
                let count = grouped(count);
                text!("批量 {count} 条", "batch of {count}")
            }
            (None, None) => "-".into(),
        };
        vec![
            item.id.as_str().into(),
            zhulian_verify::format_time(item.time_ms).into(),
            item.organisation_name.as_str().into(),
            status(&item.status),
            content,
        ]
    });
    let rows = rows.collect();
    (head, rows)
}

/// Saves a receipt.
///
/// # Errors
/// When there is none, or the file exists.
pub fn receipt(session: &Session, args: &Receipt) -> Result<Report> {
    let remote = Remote::new(session)?;
    let id = number(&args.id)?;
    let bytes = remote.call(remote.client.evidence_receipt(&id))?;
    let path = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{id}.zlr")));
    let shown = path.display().to_string();
    private_file::must_be_new(&path)?;
    // Without a trusted identity there is nothing to verify it by; whoever gets the file verifies it then.
    let verified = match session.home()?.network() {
        Ok(network) => proves(&network, &bytes, &id).map(|()| true)?,
        Err(failure) if failure.code == "network.not_pinned" => false,
        Err(failure) => return Err(failure),
    };
    private_file::write_public(&path, &bytes)?;
    let quoted = quoted(&shown);
    let report = Report::new(
        match verified {
            true => text!("存证 {id} 的回执已核验并保存。", "The receipt of {id} is verified and saved."),
            false => text!(
                "存证 {id} 的回执已保存，但未核验：本机没有可信的网络身份文件。",
                "The receipt of {id} is saved, but not verified: there is no trusted network identity here."
            ),
        },
        json!({ "id": id, "file": shown, "bytes": bytes.len(), "verified": verified }),
    );
    Ok(report.fact(Text::fixed("文件", "file"), shown.as_str()).next(text!(
        "离线核验：zhulian verify 文件 --receipt {quoted}",
        "To verify offline: `zhulian verify FILE --receipt {quoted}`"
    )))
}

/// Whether a receipt from a gateway is good, and of this number.
fn proves(network: &Network, bytes: &[u8], id: &str) -> Result<()> {
    let facts = zhulian_verify::verify_receipt(network, bytes).map_err(|refusal| useless(Text::from(&refusal)))?;
    let entry = facts.entry.as_ref().and_then(|(index, _)| u32::try_from(*index).ok());
    match (EvidenceRef { id: EvidenceId::of(&facts.transaction), entry }).to_string() == id {
        true => Ok(()),
        false => Err(useless(text!("它是另一个存证的回执", "it is the receipt of other evidence"))),
    }
}
