//! What a receipt proves, for people: everything that a certificate says, and nothing that would need a network.

use zhulian_modules::{
    evidence::{BatchDeposited, Deposited, Details, PriorityConflict},
    identity::Uscc,
};
use zhulian_primitives::{EvidenceId, Network, Timestamp, codec};
use zhulian_verify::{CHUNK_BYTES, Deposit, Verified};

use crate::{
    commands::evidence::source_type,
    deposit::number_of,
    opening::{NAME, details_of},
    remote::beijing,
    report::Report,
    text,
    text::{Text, bytes, grouped, several},
};

/// What the events of a deposit tell.
struct Event {
    organisation: Uscc,
    member: String,
    custodian: Option<Uscc>,
}

fn event(facts: &Verified) -> Option<Event> {
    facts.events.iter().find_map(|event| match (event.module.as_str(), event.name.as_str()) {
        ("evidence", "deposited") => codec::from_bytes::<Deposited>(&event.data.0).ok().map(|it| Event {
            organisation: it.organisation,
            member: it.member.to_string(),
            custodian: it.custodian,
        }),
        ("evidence", "batch_deposited") => codec::from_bytes::<BatchDeposited>(&event.data.0).ok().map(|it| Event {
            organisation: it.organisation,
            member: it.member.to_string(),
            custodian: it.custodian,
        }),
        _ => None,
    })
}

fn conflict(facts: &Verified) -> Option<(EvidenceId, Uscc, Timestamp)> {
    let found = facts.events.iter().find(|event| event.module == "evidence" && event.name == "priority_conflict")?;
    codec::from_bytes::<PriorityConflict>(&found.data.0).ok().map(|it| (it.first, it.organisation, it.time))
}

/// An organisation by the name that the network identity gives it, else by its code alone.
fn organisation(network: &Network, code: &Uscc) -> Text {
    let code = code.to_string();
    match network.validators.iter().find(|validator| validator.organisation == code) {
        Some(validator) => {
            let name = &validator.name;
            text!("{name}（{code}）", "{name} ({code})")
        }
        None => code.into(),
    }
}

/// A size as people say it, and to the byte.
pub fn size(size: u64) -> Text {
    let (said, exact) = (bytes(size), grouped(size));
    text!("{said}（{exact} 字节）", "{said} ({exact} bytes)")
}

/// The label of a field to which a deposit commits.
pub fn field(name: &str) -> Text {
    match name {
        NAME => Text::fixed("存证时文件名", "name at deposit"),
        "device" => Text::fixed("设备", "device"),
        "system" => Text::fixed("操作系统", "system"),
        "cleanliness" => Text::fixed("清洁性检查", "cleanliness"),
        "address" => Text::fixed("网络地址", "network address"),
        "dns" => Text::fixed("域名解析", "name service"),
        "url" => Text::fixed("访问网址", "address opened"),
        "tls_chain" => Text::fixed("服务器证书", "server's certificates"),
        "operator" => Text::fixed("操作人", "operator"),
        "place" => Text::fixed("地点", "place"),
        other => other.into(),
    }
}

/// Adds what a receipt proves.
pub fn facts(mut report: Report, network: &Network, facts: &Verified) -> Report {
    if facts.deposit.is_some() {
        report = report
            .fact(Text::fixed("存证编号", "number"), number_of(facts))
            .fact(Text::fixed("存证时间", "deposited"), beijing(facts.time));
    }
    if let Some(event) = event(facts) {
        let own = Text::fixed("存证单位自行保管（人民法院在线诉讼规则第十七条）", "the depositor itself holds the original");
        report = report
            .fact(Text::fixed("存证单位", "depositor"), organisation(network, &event.organisation))
            .fact(Text::fixed("经办", "deposited by"), event.member)
            .fact(Text::fixed("原件保管", "custodian"), event.custodian.map_or(own, |code| organisation(network, &code)));
    }
    if let Some((first, code, time)) = conflict(facts) {
        let (who, at) = (organisation(network, &code), beijing(time));
        let (zh, en, at_zh, at_en) = (&who.zh, &who.en, &at.zh, &at.en);
        report = report.fact(
            Text::fixed("在先存证", "earlier deposit"),
            text!("{zh}已于 {at_zh} 首次存证，编号 {first}", "{en} deposited the same first, at {at_en}, as {first}"),
        );
    }
    if let Some(file) = facts.file() {
        report = report.fact(Text::fixed("文件大小", "size"), size(file.size));
    }
    if let Some(Deposit::Batch { count, .. }) = facts.deposit {
        let entries = several(count as usize, "entry");
        let count = grouped(count);
        report = match &facts.entry {
            Some((index, _)) => {
                let entry = grouped(index + 1);
                report.fact(Text::fixed("批次", "batch"), text!("第 {entry} 条，共 {count} 条", "entry {entry} of {count}"))
            }
            None => report.fact(Text::fixed("批次", "batch"), text!("共 {count} 条", "{entries}")),
        };
    }
    if let Some(details) = details_of(facts) {
        report = told(report, &details);
    }
    let (signed, all) = (facts.signers.len(), facts.validators);
    let (zh, en) = (facts.signers.join("、"), facts.signers.join(", "));
    report = report.fact(Text::fixed("见证", "witnesses"), text!("{signed}/{all}：{zh}", "{signed} of {all}: {en}"));
    technical(report, facts)
}

fn told(mut report: Report, details: &Details) -> Report {
    report = report
        .fact(Text::fixed("来源类型", "source"), source_type(details.source_type.name()))
        .fact(Text::fixed("法律依据", "legal basis"), details.legal_basis.as_str());
    if let Some(hint) = &details.case_hint {
        report = report.fact(Text::fixed("案件线索", "case"), hint.as_str());
    }
    if !details.prior_evidence.is_empty() {
        let numbers = details.prior_evidence.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        report = report.fact(Text::fixed("前序存证", "prior evidence"), numbers);
    }
    if let Some(until) = details.retention_until {
        report = report.fact(Text::fixed("保存至", "kept until"), beijing(until));
    }
    if !details.notes.is_empty() {
        let codes = details.notes.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
        report = report.fact(Text::fixed("备注代码", "notes"), codes);
    }
    if let Some(generation) = &details.generation {
        report = report.detail(Text::fixed("生成过程说明 SHA-256", "document of facts"), hex::encode(generation.facts));
        for it in &generation.commitments {
            let label = field(it.field.name());
            let (zh, en) = (label.zh, label.en);
            report = report.detail(text!("{zh}（承诺）", "{en} (commitment)"), hex::encode(it.commitment));
        }
    }
    if let Some(root) = details.process_log_root {
        report = report.detail(Text::fixed("过程日志根", "root of the log"), hex::encode(root));
    }
    if let Some(token) = details.timestamp_token {
        report = report.detail(Text::fixed("时间戳文件 SHA-256", "time-stamp token"), hex::encode(token));
    }
    report
}

fn technical(mut report: Report, facts: &Verified) -> Report {
    if let Some(file) = facts.file() {
        let chunks = grouped(file.size.div_ceil(CHUNK_BYTES as u64));
        report = report
            .detail(Text::fixed("SHA-256", "SHA-256"), hex::encode(file.sha256))
            .detail(Text::fixed("SM3", "SM3"), hex::encode(file.sm3))
            .detail(Text::fixed("分块根", "root over chunks"), {
                let root = hex::encode(file.chunks_root);
                text!("{root}（1 MiB 分块，共 {chunks} 块）", "{root} ({chunks} of 1 MiB)")
            });
    }
    if let Some(Deposit::Batch { root, .. }) = &facts.deposit {
        report = report.detail(Text::fixed("批次根", "batch root"), hex::encode(root));
    }
    let (index, count) = (grouped(facts.index + 1), grouped(facts.transaction_count));
    let (algorithm, key) = (facts.signer.algorithm().name(), facts.signer.to_string());
    report
        .detail(Text::fixed("网络", "network"), facts.network.as_str())
        .detail(Text::fixed("链标识", "chain"), hex::encode(facts.chain))
        .detail(Text::fixed("区块高度", "height"), grouped(facts.height))
        .detail(Text::fixed("区块", "block"), hex::encode(facts.block))
        .detail(Text::fixed("出块者", "proposer"), facts.proposer.as_str())
        .detail(Text::fixed("终局证书高度", "certified height"), grouped(facts.certified_height))
        .detail(Text::fixed("交易编号", "transaction"), facts.transaction.to_string())
        .detail(Text::fixed("区块内位置", "place in block"), text!("第 {index} 笔，共 {count} 笔", "{index} of {count}"))
        .detail(Text::fixed("签名密钥", "signed with"), format!("{algorithm} {key}"))
}
