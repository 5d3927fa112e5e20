//! `zhulian status`: how the network and the node are.

use zhulian_api::{
    diagnosis::diagnose,
    view::{CONNECTED_SECONDS, Phase},
};

use crate::{
    failure::{Exit, Result},
    remote::{Remote, beijing},
    report::Report,
    session::Session,
    text,
    text::{Text, bytes, grouped, several},
};

/// Asks the gateway.
///
/// # Errors
/// When it cannot be asked.
pub fn run(session: &Session) -> Result<Report> {
    let remote = Remote::asking(session)?;
    let status = remote.call(remote.client.status())?;
    let network = remote.call(remote.client.network())?;
    let name = &network.identity.name;
    let height = grouped(status.height);
    let connected = status.peers.iter().filter(|peer| peer.connected).count();
    // Those of the epoch; the identity has those of genesis.
    let up = connected + usize::from(status.public_key.is_some());
    let all = status.peers.len() + usize::from(status.public_key.is_some());
    let validators = remote.call(remote.client.validators())?;
    let quorum = zhulian_primitives::quorum(all);
    let sentence = match (&status.stall, status.phase) {
        (Some(stall), _) => {
            let found = diagnose(&status, quorum).findings.into_iter().next();
            let (zh, en) = found.map_or_else(|| (stall.clone(), stall.clone()), |finding| (finding.zh, finding.en));
            text!("网络“{name}”停滞：{zh}", "The network “{name}” is stalled: {en}")
        }
        (None, Phase::Running) if up < quorum => text!(
            "网络“{name}”的验证节点不足：最近 {CONNECTED_SECONDS} 秒内仅联系上 {up}/{all} 个，须有 {quorum} 个投票；已确认到高度 {height}。",
            "The network “{name}” lacks validators: {up} of {all} were heard within the last {CONNECTED_SECONDS} s, and {quorum} must vote; \
             finalised to height {height}."
        ),
        (None, Phase::Running) => text!(
            "网络“{name}”运行正常：最近 {CONNECTED_SECONDS} 秒内联系上 {up}/{all} 个验证节点，已确认到高度 {height}。",
            "The network “{name}” is running: {up} of {all} validators were heard within the last {CONNECTED_SECONDS} s, finalised to \
             height {height}."
        ),
        (None, Phase::Syncing) => text!(
            "节点正在从其他节点同步“{name}”的账本。",
            "The node is fetching the ledger of “{name}” from the other nodes."
        ),
        (None, Phase::Starting) => text!("节点正在启动。", "The node is starting."),
    };
    let mut json = serde_json::to_value(&status).unwrap_or_default();
    json["validators"] = serde_json::to_value(&validators).unwrap_or_default();
    json["network"] = serde_json::to_value(&network).unwrap_or_default();
    let mut report = Report::new(sentence, json)
        .exit(if status.stall.is_some() { Exit::Network } else { Exit::Done })
        .fact(Text::fixed("网关", "gateway"), remote.client.base())
        .fact(Text::fixed("存证", "evidence"), grouped(status.evidence))
        .fact(Text::fixed("交易", "transactions"), grouped(status.transactions));
    if status.phase == Phase::Running && up == quorum {
        let none = Text::fixed(
            "无：再有任何一个验证节点停止，网络即停滞",
            "none: one more validator that stops, and the network stands still",
        );
        report = report.fact(Text::fixed("冗余", "reserve"), none);
    }
    report = report.fact(Text::fixed("权力集中度", "concentration"), super::validator::power(&validators.power));
    report = report.fact(Text::fixed("协议", "protocol"), super::protocol::line(&status.protocol, status.height));
    if let Some(time) = status.time_ms {
        report = report.fact(Text::fixed("最新区块时间", "latest block"), beijing(time));
    }
    let (waiting, size) = (grouped(status.mempool_transactions), bytes(status.mempool_bytes));
    let transactions = several(status.mempool_transactions as usize, "transaction");
    report = report.fact(Text::fixed("等待入块", "waiting"), text!("{waiting} 笔，{size}", "{transactions}, {size}"));
    for due in &status.keys_due {
        let (member, days) = (&due.member, due.days_left);
        let told = match days {
            0.. => text!("成员 {member} 的密钥应在 {days} 天内更换", "the key of {member} is due in {days} days"),
            _ => {
                let late = -days;
                text!("成员 {member} 的密钥已逾期 {late} 天未更换", "the key of {member} is overdue by {late} days")
            }
        };
        report = report.fact(Text::fixed("密钥更换", "keys"), told);
    }
    for it in status.calendars.iter().filter(|it| it.is_due()) {
        let (pack, last) = (&it.pack, &it.last_day);
        let told = text!(
            "规则包 {pack} 到 {last} 为止；请用 zhulian rules calendar 准备下一年度",
            "{pack} ends with {last}: prepare the next year with zhulian rules calendar"
        );
        report = report.fact(Text::fixed("工作日历", "calendar"), told);
    }
    if let Some(disk) = &status.disk {
        let (used, free) = (bytes(disk.used_bytes), bytes(disk.free_bytes));
        let told = match disk.full_in_days {
            Some(days) => {
                text!("已用 {used}，剩余 {free}，约 {days} 天后写满", "{used} used, {free} free, full in {days} days")
            }
            None => text!("已用 {used}，剩余 {free}", "{used} used, {free} free"),
        };
        report = report.fact(Text::fixed("磁盘", "disk"), told);
    }
    if let Some(archive) = &status.archive {
        let height = grouped(archive.archived_height);
        let told = match &archive.problem {
            None => text!("已归档到高度 {height}", "up to height {height}"),
            Some(problem) => {
                text!("已归档到高度 {height}，现无法继续：{problem}", "up to height {height}, no further: {problem}")
            }
        };
        report = report.fact(Text::fixed("归档", "archive"), told);
    }
    for damage in &status.damage {
        report = report.fact(Text::fixed("数据损坏", "damage"), damage.as_str());
    }
    let rows = status.peers.iter().map(|peer| {
        vec![
            peer.name.as_str().into(),
            if peer.connected { text!("在线", "up") } else { text!("离线", "down") },
            grouped(peer.height).into(),
            format!("{} ms", peer.clock_skew_ms).into(),
        ]
    });
    let head = vec![
        Text::fixed("其他验证节点", "other validators"),
        Text::fixed("状态", "state"),
        Text::fixed("高度", "height"),
        Text::fixed("时钟偏差", "clock skew"),
    ];
    let rows = rows.collect();
    let view = status.view;
    if status.stall.is_some() {
        report =
            report.next(Text::fixed("原因与处理办法：zhulian why-stalled", "Reasons and remedies: zhulian why-stalled"));
    }
    Ok(report
        .table(head, rows)
        .detail(Text::fixed("链标识", "chain"), status.chain.to_string())
        .detail(Text::fixed("版本", "version"), status.version.as_str())
        .detail(Text::fixed("视图", "view"), view.to_string())
        .detail(Text::fixed("本节点公钥", "this node"), status.public_key.map_or("-".into(), |key| key.to_string())))
}
