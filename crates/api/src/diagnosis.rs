//! What keeps a network from going on, or soon may: found from a node's status, told in both languages with a remedy.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::view::{PeerView, Phase, StatusView};

/// A clock further off than this delays blocks.
const SKEW_MS: u64 = 1_000;
/// Blocks that a running validator may be behind.
const BEHIND: u64 = 50;
/// Part of the mempool, in hundredths, above which clients are soon refused.
const FULL: u64 = 90;

/// Days before a key is due, from which on it is a finding; the status tells it earlier.
const KEY_DAYS: i64 = 30;
/// Days until the disk is full, below which it is said.
const DISK_DAYS: u64 = 45;
/// Free bytes below which it is said, whatever the growth.
const DISK_FREE: u64 = 2 << 30;

/// How the names of damaged uploads begin in a node's damage: they are not fetched from others, as everything else is.
pub const DAMAGED_ENTRIES: &str = "batch entries";

/// A sentence of a node, which tells it in English.
#[derive(Clone, Copy, Debug)]
pub struct Said {
    /// As the node says it.
    pub en: &'static str,
    /// In Chinese.
    pub zh: &'static str,
}

/// What a node says in `stall` while its engine does not tell how it is.
pub const ENGINE_SILENT: Said = Said {
    en: "this node's engine does not answer, and what it said last is shown; see the log and the machine's load",
    zh: "本节点的引擎没有应答，所示为其最后一次报告的状态；请查看日志与机器负载",
};
/// What it says when its engine has ended.
pub const ENGINE_STOPPED: Said =
    Said { en: "this node's engine has stopped; its log says why", zh: "本节点的引擎已停止，原因见其日志" };

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The network finalises nothing, or this node does not follow what it finalises, until it is remedied.
    Blocking,
    /// The network goes on, with less in reserve.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it is, for programs.
    pub code: String,
    /// What it is, in Chinese.
    pub zh: String,
    /// What it is, in English.
    pub en: String,
    /// What to do, in Chinese.
    pub remedy_zh: String,
    /// What to do, in English.
    pub remedy_en: String,
}

impl Finding {
    /// Whether it is about the node that tells it, which then knows nothing of whether the others go on.
    pub fn is_of_this_node(&self) -> bool {
        self.code.starts_with("node.") || self.code.starts_with("protocol.")
    }
}

/// What a node finds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Diagnosis {
    /// Whether nothing blocks: false while the network finalises nothing, and also while only this node starts, fetches the ledger or
    /// cannot go on, whatever the others do.
    pub moving: bool,
    /// What is wrong, the worst first; empty when nothing is.
    pub findings: Vec<Finding>,
}

/// Finds what is wrong with a network whose node says this, when `quorum` of its validators must vote.
pub fn diagnose(status: &StatusView, quorum: usize) -> Diagnosis {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis() as u64);
    diagnose_at(status, quorum, now)
}

fn diagnose_at(status: &StatusView, quorum: usize, now_ms: u64) -> Diagnosis {
    let mut findings = Vec::new();
    let mut add = |severity, code: &str, zh: String, en: String, remedy_zh: &str, remedy_en: &str| {
        let (remedy_zh, remedy_en) = (remedy_zh.into(), remedy_en.into());
        findings.push(Finding { severity, code: code.into(), zh, en, remedy_zh, remedy_en });
    };
    let stalled = status.stall.is_some();
    // A node that starts has not asked anybody, and one whose engine is silent knows only how the others were.
    let peers: &[PeerView] = if status.phase == Phase::Starting { &[] } else { &status.peers };
    let absent: Vec<&PeerView> = peers.iter().filter(|peer| !peer.connected).collect();
    let up = peers.len() - absent.len() + usize::from(status.public_key.is_some());
    let all = peers.len() + usize::from(status.public_key.is_some());
    let (absent_zh, absent_en) = (
        names(&absent, now_ms, "、", ("（", "）"), ("自 ", " 起"), "启动以来从未联系上"),
        names(&absent, now_ms, ", ", (" (", ")"), ("since ", ""), "never since the start"),
    );
    // Who was not heard yet may be heard in a moment.
    let listened = !peers.is_empty() && (!status.settling || stalled);
    let blocked = status.protocol.is_blocked();

    match status.phase {
        Phase::Starting if let Some(stall) = status.stall.as_deref().filter(|_| !blocked) => {
            let known = [ENGINE_SILENT, ENGINE_STOPPED].into_iter().find(|said| said.en == stall);
            add(
                Severity::Blocking,
                "node.engine_silent",
                known
                    .map_or("本节点的引擎没有应答或已停止，所示为其最后一次报告的状态", |said| {
                        said.zh
                    })
                    .into(),
                stall.into(),
                "请查看本节点的日志、磁盘与机器负载；若持续数分钟，请重启本节点；已确认的数据不受影响",
                "look at this node's log, its disk and the machine's load; if it lasts for minutes, restart the node; nothing final is lost",
            );
        }
        Phase::Starting => add(
            Severity::Blocking,
            "node.starting",
            "本节点正在启动".into(),
            "this node is starting".into(),
            "请稍候；若持续数分钟，请查看日志",
            "wait; if it lasts for minutes, look at the log",
        ),
        Phase::Syncing => add(
            Severity::Blocking,
            "node.syncing",
            "本节点正在从其他节点获取账本".into(),
            "this node is fetching the ledger from the others".into(),
            "请稍候；其他节点不受影响",
            "wait; the other nodes are not affected",
        ),
        Phase::Running => {}
    }
    if let Some((en, zh)) = status.protocol.unknown() {
        let (severity, code, remedy_zh, remedy_en) = match blocked {
            true => (
                Severity::Blocking,
                "protocol.unknown",
                "请安装新版程序并重启本节点；将从当前高度继续，数据不受影响",
                "install a newer binary and start the node again; it goes on from here, and nothing is lost",
            ),
            false => (
                Severity::Warning,
                "protocol.unknown_soon",
                "请在此高度之前安装新版程序；新版程序仍可执行现行协议，可随时更换",
                "install a newer binary before then; it executes the present protocol, too, so any moment will do",
            ),
        };
        add(severity, code, zh, en, remedy_zh, remedy_en);
    }
    if listened && up < quorum && absent.len() == peers.len() {
        add(
            Severity::Blocking,
            "node.hears_nobody",
            format!("本节点联系不上任何其他验证节点，可能是本节点自身断网，也可能是它们全部停机：{absent_zh}"),
            format!("this node hears no other validator: it is cut off itself, or all are down: {absent_en}"),
            "请先检查本节点自身的网络、防火墙与端口；若均正常，请联系其他节点的运维人员；恢复后将自动继续，已确认的数据不受影响",
            "check this node's own network, firewall and ports first, then ask the operators of the others; it goes on by itself then, and nothing final is lost",
        );
    } else if listened && up < quorum {
        let are = if up == 1 { "is" } else { "are" };
        add(
            Severity::Blocking,
            "network.no_quorum",
            format!("{all} 个验证节点中须有 {quorum} 个在线，现仅 {up} 个；无法联系：{absent_zh}"),
            format!("{quorum} of {all} validators must be up and {up} {are}; unreachable: {absent_en}"),
            "请启动上述节点，或检查其网络与端口；恢复后将自动继续，已确认的数据不受影响",
            "start these nodes, or check their network and ports; it goes on by itself then, and nothing final is lost",
        );
    } else if listened && !absent.is_empty() {
        let (reserve_zh, reserve_en) = match up - quorum {
            0 => ("，但再失去一个即停滞".into(), ", but with one more lost it stands still".into()),
            1 => (String::new(), String::new()),
            more => (format!("，还可再失去 {} 个", more), format!(", and {more} more may be lost")),
        };
        add(
            Severity::Warning,
            "network.validator_unreachable",
            format!("无法联系：{absent_zh}；其余 {up} 个足以继续出块{reserve_zh}"),
            format!("unreachable: {absent_en}; the other {up} are enough to go on{reserve_en}"),
            "请尽快恢复上述节点；在此之前不要变更验证节点",
            "bring these nodes back soon, and change no validators until then",
        );
    }
    let heights = peers.iter().filter(|peer| peer.connected && peer.height_known).map(|peer| peer.height);
    let ahead = heights.max().unwrap_or(0);
    if stalled && ahead > status.height + BEHIND && status.phase == Phase::Running && !blocked {
        add(
            Severity::Blocking,
            "node.left_behind",
            format!("本节点停在高度 {}，其他节点已到 {ahead}", status.height),
            format!("this node stands at height {}, and others are at {ahead}", status.height),
            "若其他节点已将其间的区块移入归档，则不再逐块提供：请清空本节点的数据目录，在 node.json 中设 \"state_sync\": \"required\" 后启动；否则请查看日志",
            "if the others have moved the blocks between to their archives they hand them out no more: empty this node's data directory, set \"state_sync\": \"required\" in node.json and start it; else look at the log",
        );
    } else if stalled && up >= quorum && status.phase == Phase::Running && !blocked {
        let leader = status.leader.as_deref().unwrap_or("?");
        add(
            Severity::Blocking,
            "network.no_progress",
            format!("验证节点足够（{up} 个），但长时间没有新区块；当前视图 {} 由“{leader}”主持", status.view),
            format!("{up} validators are up, but there has been no block for long; view {} is led by {leader}", status.view),
            "请在各节点运行 zhulian doctor，检查磁盘、时钟与日志",
            "run zhulian doctor on every node: disk, clock, log",
        );
    }
    let own_skew = own_clock_skew(peers);
    if let Some(skew) = own_skew {
        let ((zh, en), skew) = (side(skew), skew.unsigned_abs());
        add(
            Severity::Warning,
            "clock.own",
            format!("本节点的时钟比多数验证节点{zh}约 {skew} 毫秒，会拖慢本节点出块"),
            format!("this node's clock is about {skew} ms {en} those of most validators, which delays its blocks"),
            "请在本机同步时钟（NTP，如 chrony）",
            "synchronise this machine's clock (NTP, such as chrony)",
        );
    }
    for peer in peers.iter().filter(|peer| peer.connected) {
        if own_skew.is_none() && peer.clock_skew_ms.unsigned_abs() >= SKEW_MS {
            let ((zh, en), skew) = (side(peer.clock_skew_ms), peer.clock_skew_ms.unsigned_abs());
            add(
                Severity::Warning,
                "clock.skew",
                format!("“{}”的时钟比本节点{zh} {skew} 毫秒，会拖慢出块", peer.name),
                format!("the clock of {} is {skew} ms {en} this node's, which delays blocks", peer.name),
                "请在两端同步时钟（NTP）",
                "synchronise the clocks of both (NTP)",
            );
        }
        if peer.height_known && peer.height + BEHIND < status.height {
            let behind = status.height - peer.height;
            add(
                Severity::Warning,
                "validator.behind",
                format!("“{}”落后 {behind} 个区块", peer.name),
                format!("{} is {behind} blocks behind", peer.name),
                "若差距持续扩大，请检查该节点的磁盘与处理器",
                "if it grows, check that node's disk and processor",
            );
        }
    }
    let (entries, records): (Vec<String>, Vec<String>) =
        status.damage.iter().cloned().partition(|it| it.starts_with(DAMAGED_ENTRIES));
    if !entries.is_empty() {
        let places = entries.join(", ");
        add(
            Severity::Warning,
            "entries.damaged",
            format!("本节点所存的批量存证条目已损坏，不再提供：{places}"),
            format!("uploaded entries of batches were damaged at this node and are dropped: {places}"),
            "请检查磁盘；存证单位再次执行批量存证命令即可重新上传（不会重复存证）",
            "check the disk; when the depositor runs the batch deposit again, they are uploaded again, and nothing is deposited twice",
        );
    }
    if !records.is_empty() {
        let (count, places) = (records.len(), records.join(", "));
        add(
            Severity::Warning,
            "storage.damaged",
            format!("本节点有 {count} 条存储记录损坏，已停止提供：{places}"),
            format!(
                "{count} stored record{} of this node {} damaged and not served: {places}",
                if count == 1 { "" } else { "s" },
                if count == 1 { "is" } else { "are" }
            ),
            "请检查磁盘；清空本节点数据目录后重启，将从其他节点重新同步",
            "check the disk; wipe this node's data directory and start it, and it fetches everything from the others; if the log says that a file of the archive is damaged, put that file back from a copy and start the node again",
        );
    }
    if let Some(problem) = status.archive.as_ref().and_then(|archive| archive.problem.as_ref()) {
        add(
            Severity::Warning,
            "archive.failing",
            format!("本节点无法归档旧区块：{problem}"),
            format!("this node cannot archive old blocks: {problem}"),
            "请检查 node.json 所指归档目录是否挂载、可写、未满；在此之前旧区块留在节点内，不会丢失",
            "check that the archive's directory in node.json is mounted, writable and not full; until then old blocks stay in the node, and none is lost",
        );
    }
    if let Some(disk) = &status.disk {
        let free = disk.free_bytes >> 20;
        let (remedy_zh, remedy_en) = (
            "请扩容或清理磁盘；磁盘写满时节点会停止，数据不会丢失",
            "enlarge the disk or make room on it; a node whose disk is full stops, and loses nothing",
        );
        if let Some(days) = disk.full_in_days.filter(|days| *days < DISK_DAYS) {
            let (zh, en) = match days {
                0 => ("一天之内".into(), "within a day".into()),
                _ => (format!(" {days} 天后"), format!("in {}", days_en(days))),
            };
            add(
                Severity::Warning,
                "disk.full_soon",
                format!("按目前的增长，本节点的磁盘将在{zh}写满（剩余 {free} MiB）"),
                format!("at the present growth this node's disk is full {en} ({free} MiB are free)"),
                remedy_zh,
                remedy_en,
            );
        } else if disk.free_bytes < DISK_FREE {
            add(
                Severity::Warning,
                "disk.low",
                format!("本节点的磁盘仅剩 {free} MiB"),
                format!("only {free} MiB are free on this node's disk"),
                remedy_zh,
                remedy_en,
            );
        }
    }
    let urgent = status.keys_due.iter().filter(|key| key.days_left <= KEY_DAYS).count();
    if let Some(first) = status.keys_due.first().filter(|_| urgent > 0) {
        let member = &first.member;
        let (left_zh, left_en) = match first.days_left {
            days @ ..0 => {
                let late = days.unsigned_abs();
                (format!("已逾期 {late} 天"), format!("overdue by {}", days_en(late)))
            }
            0 => ("今天到期".into(), "due today".into()),
            days => (format!("剩余 {days} 天"), format!("{} left", days_en(days.unsigned_abs()))),
        };
        let (which_zh, which_en) = match urgent {
            1 => ("即", "key of this organisation is due within"),
            _ => ("最急的是", "keys of this organisation are due within"),
        };
        let first_en = if urgent == 1 { "that" } else { "first that" };
        add(
            Severity::Warning,
            "keys.due",
            format!("本机构有 {urgent} 把密钥应在 {KEY_DAYS} 天内更换，{which_zh}成员 {member} 的（{left_zh}）"),
            format!("{urgent} {which_en} {KEY_DAYS} days, {first_en} of {member} ({left_en})"),
            "请持有人执行 zhulian key rotate",
            "let the holders run zhulian key rotate",
        );
    }
    if status.mempool_bytes_max > 0 && status.mempool_bytes * 100 >= status.mempool_bytes_max * FULL {
        add(
            Severity::Warning,
            "mempool.nearly_full",
            format!("等待入块的交易已占内存池 {FULL}% 以上"),
            format!("transactions that wait fill more than {FULL} % of the mempool"),
            "客户端请稍后重试；若持续，请查看是哪个机构在大量提交",
            "clients should try again later; if it lasts, see which organisation submits so much",
        );
    }
    if status.indexed_height + BEHIND < status.height {
        let behind = status.height - status.indexed_height;
        add(
            Severity::Warning,
            "index.behind",
            format!("查询索引落后 {behind} 个区块，列表暂不完整"),
            format!("the query index is {behind} blocks behind, so lists are not complete yet"),
            "请稍候；若不减少，请检查磁盘空间",
            "wait; if it does not shrink, check the disk's free space",
        );
    }
    findings.sort_by_key(|finding| finding.severity);
    Diagnosis { moving: findings.iter().all(|finding| finding.severity != Severity::Blocking), findings }
}

/// How far this node's own clock is off in milliseconds (ahead is positive), when it is that one: most of the peers heard, two at
/// least, are off by much and to the same side.
fn own_clock_skew(peers: &[PeerView]) -> Option<i64> {
    let heard: Vec<i64> = peers.iter().filter(|peer| peer.connected).map(|peer| peer.clock_skew_ms).collect();
    let side = |sign: i64| {
        let mut off: Vec<i64> = heard.iter().copied().filter(|skew| skew.saturating_mul(sign) >= SKEW_MS as i64).collect();
        off.sort_unstable();
        (off.len() >= 2 && off.len() * 2 > heard.len()).then(|| -off[off.len() / 2])
    };
    side(1).or_else(|| side(-1))
}

/// How a clock that is off by so much stands to another, in Chinese and English.
fn side(skew_ms: i64) -> (&'static str, &'static str) {
    if skew_ms < 0 { ("慢", "behind") } else { ("快", "ahead of") }
}

/// A number of days in English.
fn days_en(days: u64) -> String {
    format!("{days} day{}", if days == 1 { "" } else { "s" })
}

/// The peers with the time since when they are unreachable.
fn names(
    peers: &[&PeerView],
    now_ms: u64,
    between: &str,
    (open, close): (&str, &str),
    (since, after): (&str, &str),
    never: &str,
) -> String {
    let one = |peer: &&PeerView| match peer.last_seen_ms {
        Some(ms) => format!("{}{open}{since}{}{after}{close}", peer.name, clock(ms, now_ms)),
        None => format!("{}{open}{never}{close}", peer.name),
    };
    peers.iter().map(one).collect::<Vec<_>>().join(between)
}

/// A time in Beijing: `HH:MM:SS` of the day that it is there, else with the date before, `2026-01-31 HH:MM:SS`.
fn clock(ms: u64, now_ms: u64) -> String {
    let local = |ms: u64| ms / 1_000 + 8 * 3_600;
    let (days, seconds) = (local(ms) / 86_400, local(ms) % 86_400);
    let time = format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if days == local(now_ms) / 86_400 {
        return time;
    }
    // Days to a civil date, by years that begin on 1 March (so that the leap day is a year's last).
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {time}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Hex32;

    /// A minute after the peers were heard, 2026-01-01 08:05:00 in Beijing.
    const NOW: u64 = 1_767_225_900_000;

    fn diagnose(status: &StatusView, quorum: usize) -> Diagnosis {
        diagnose_at(status, quorum, NOW)
    }

    fn peer(name: &str, connected: bool) -> PeerView {
        PeerView {
            name: name.into(),
            public_key: Hex32([1; 32]),
            connected,
            height: 100,
            height_known: true,
            last_seen_ms: Some(1_767_225_840_000),
            clock_skew_ms: 3,
        }
    }

    fn healthy() -> StatusView {
        StatusView {
            version: "0".into(),
            phase: Phase::Running,
            chain: Hex32([0; 32]),
            public_key: Some(Hex32([9; 32])),
            height: 100,
            time_ms: Some(1),
            block: None,
            indexed_height: 100,
            epoch: 0,
            view: 7,
            leader: Some("A".into()),
            peers: vec![peer("A", true), peer("B", true), peer("C", true)],
            settling: false,
            mempool_transactions: 0,
            mempool_bytes: 0,
            mempool_bytes_max: 1_000,
            transactions: 0,
            evidence: 0,
            damage: Vec::new(),
            disk: None,
            archive: None,
            keys_due: Vec::new(),
            protocol: crate::view::ProtocolView { in_force: 1, known: 1, next: None },
            calendars: Vec::new(),
            stall: None,
        }
    }

    fn codes(status: &StatusView) -> Vec<String> {
        diagnose(status, 3).findings.into_iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn nothing_is_wrong_with_a_healthy_network() {
        assert_eq!(diagnose(&healthy(), 3), Diagnosis { moving: true, findings: Vec::new() });
    }

    #[test]
    fn who_is_missing_is_named_with_the_time_since() {
        let mut status = healthy();
        status.peers[0].connected = false;
        let one = diagnose(&status, 3);
        assert!(one.moving && one.findings[0].code == "network.validator_unreachable");
        assert!(one.findings[0].en.ends_with("the other 3 are enough to go on, but with one more lost it stands still"));
        // One of five, where four are needed, is as little; of seven, where five are, one more may be lost.
        assert!(diagnose(&status, 2).findings[0].en.ends_with("the other 3 are enough to go on"));
        status.peers[2].connected = false;
        status.stall = Some("no block".into());
        let two = diagnose(&status, 3);
        assert!(!two.moving && two.findings.len() == 1);
        assert_eq!(
            two.findings[0].en,
            "3 of 4 validators must be up and 2 are; unreachable: A (since 08:04:00), C (since 08:04:00)"
        );
        assert!(two.findings[0].zh.contains("A（自 08:04:00 起）、C"));
    }

    #[test]
    fn a_time_of_another_day_has_its_date() {
        assert_eq!(clock(NOW - 60_000, NOW), "08:04:00");
        // Days begin in Beijing.
        let midnight = NOW - NOW % 1_000 - 8 * 3_600_000 - 300_000;
        assert_eq!(clock(midnight, NOW), "00:00:00");
        assert_eq!(clock(midnight - 1_000, NOW), "2025-12-31 23:59:59");
        assert_eq!(clock(1_709_168_462_000, NOW), "2024-02-29 09:01:02");
        assert_eq!(clock(NOW + 86_400_000, NOW), "2026-01-02 08:05:00");
        let mut status = healthy();
        (status.peers[0].connected, status.peers[0].last_seen_ms) = (false, Some(NOW - 3 * 86_400_000));
        let found = diagnose(&status, 3).findings;
        assert!(found[0].en.contains("A (since 2025-12-29 08:05:00)"), "{}", found[0].en);
        assert!(found[0].zh.contains("A（自 2025-12-29 08:05:00 起）"), "{}", found[0].zh);
    }

    #[test]
    fn a_node_that_starts_or_has_just_started_calls_nobody_away() {
        let mut status = healthy();
        (status.phase, status.peers, status.settling) = (Phase::Starting, Vec::new(), true);
        assert_eq!(codes(&status), ["node.starting"]);
        status.public_key = None;
        assert_eq!(codes(&status), ["node.starting"]);
        // It runs, and nobody was heard yet.
        let unheard = |name| PeerView { last_seen_ms: None, height: 0, height_known: false, ..peer(name, false) };
        (status.phase, status.peers) = (Phase::Running, vec![unheard("A"), unheard("B"), unheard("C")]);
        assert!(diagnose(&status, 3).moving && codes(&status).is_empty());
        status.peers[0] = peer("A", true);
        assert!(codes(&status).is_empty());
        // After some seconds it counts, and at once where no block comes for long.
        status.settling = false;
        assert_eq!(codes(&status), ["network.no_quorum"]);
        assert!(diagnose(&status, 3).findings[0].en.starts_with("3 of 3 validators must be up and 1 is;"));
        (status.settling, status.stall) = (true, Some("no block".into()));
        assert_eq!(codes(&status), ["network.no_quorum"]);
    }

    #[test]
    fn a_node_that_hears_nobody_asks_itself_first() {
        let mut status = healthy();
        status.peers.iter_mut().for_each(|peer| peer.connected = false);
        let found = diagnose(&status, 3);
        assert!(!found.moving && found.findings.len() == 1 && found.findings[0].code == "node.hears_nobody");
        let it = &found.findings[0];
        assert_eq!(
            it.en,
            "this node hears no other validator: it is cut off itself, or all are down: A (since 08:04:00), B (since 08:04:00), \
             C (since 08:04:00)"
        );
        assert!(it.remedy_en.starts_with("check this node's own network"), "{}", it.remedy_en);
        assert!(it.zh.contains("自身断网") && it.remedy_zh.starts_with("请先检查本节点自身的网络"), "{}", it.zh);
    }

    #[test]
    fn a_silent_engine_is_not_called_a_start() {
        let mut status = healthy();
        // What it said last: all peers are away, and one is far behind.
        status.peers.iter_mut().for_each(|peer| (peer.connected, peer.height) = (false, 1));
        (status.phase, status.settling) = (Phase::Starting, true);
        for said in [ENGINE_SILENT, ENGINE_STOPPED] {
            status.stall = Some(said.en.into());
            let found = diagnose(&status, 3);
            assert!(!found.moving && found.findings.len() == 1, "{:?}", found.findings);
            let it = &found.findings[0];
            assert_eq!((it.code.as_str(), it.en.as_str(), it.zh.as_str()), ("node.engine_silent", said.en, said.zh));
        }
        status.stall = Some("something that a newer node says".into());
        assert_eq!(diagnose(&status, 3).findings[0].en, "something that a newer node says");
    }

    #[test]
    fn a_height_that_is_not_known_is_not_behind() {
        let mut status = healthy();
        status.peers[1].height = 10;
        assert_eq!(codes(&status), ["validator.behind"]);
        (status.peers[1].height, status.peers[1].height_known) = (0, false);
        assert!(codes(&status).is_empty());
        // An older node says nothing of it, and gave a height always.
        let mut older = serde_json::to_value(&status.peers[1]).unwrap();
        older.as_object_mut().unwrap().remove("height_known");
        assert!(serde_json::from_value::<PeerView>(older).unwrap().height_known);
    }

    #[test]
    fn a_node_that_others_have_left_behind_says_so() {
        let mut status = healthy();
        status.stall = Some("no block".into());
        status.peers[1].height = status.height + BEHIND;
        assert_eq!(codes(&status), ["network.no_progress"]);
        status.peers[1].height += 1;
        assert_eq!(codes(&status), ["node.left_behind"]);
    }

    #[test]
    fn a_clock_that_most_others_contradict_is_ones_own() {
        let mut status = healthy();
        (status.peers[0].clock_skew_ms, status.peers[1].clock_skew_ms) = (-4_000, -4_200);
        let found = diagnose(&status, 3).findings;
        assert_eq!(found.len(), 1);
        assert!(found[0].code == "clock.own" && found[0].en.contains("about 4000 ms ahead of those"), "{}", found[0].en);
        assert!(found[0].zh.contains("比多数验证节点快约 4000 毫秒"), "{}", found[0].zh);
        // Two that are off to different sides are off themselves, and so is one of two.
        status.peers[1].clock_skew_ms = 4_200;
        let found = diagnose(&status, 3).findings;
        assert_eq!([&found[0].code, &found[1].code], ["clock.skew", "clock.skew"]);
        assert!(found[0].en.starts_with("the clock of A is 4000 ms behind this node's"), "{}", found[0].en);
        assert!(found[1].en.starts_with("the clock of B is 4200 ms ahead of this node's"), "{}", found[1].en);
        assert!(found[0].zh.contains("慢 4000 毫秒") && found[1].zh.contains("快 4200 毫秒"));
        status.peers[1].clock_skew_ms = 3;
        assert_eq!(codes(&status), ["clock.skew"]);
        status.peers[1].connected = false;
        assert!(!codes(&status).contains(&"clock.own".into()));
    }

    #[test]
    fn keys_that_are_due_are_said() {
        let mut status = healthy();
        let due =
            |member: &str, days_left| crate::view::KeyDueView { public_key: "00".into(), member: member.into(), days_left };
        status.keys_due = vec![due("clerk-1", 60)];
        assert!(codes(&status).is_empty());
        status.keys_due = vec![due("clerk-2", -3), due("clerk-3", 30), due("clerk-1", 60)];
        let found = diagnose(&status, 3).findings;
        assert!(found[0].code == "keys.due" && found[0].en.starts_with("2 keys"), "{}", found[0].en);
        assert!(found[0].en.ends_with(", first that of clerk-2 (overdue by 3 days)"), "{}", found[0].en);
        for (days, en, zh) in [
            (-1, "(overdue by 1 day)", "（已逾期 1 天）"),
            (0, "(due today)", "（今天到期）"),
            (1, "(1 day left)", "（剩余 1 天）"),
        ] {
            status.keys_due = vec![due("clerk-2", days)];
            let found = diagnose(&status, 3).findings;
            assert_eq!(found[0].en, format!("1 key of this organisation is due within 30 days, that of clerk-2 {en}"));
            assert!(found[0].zh.contains(&format!("即成员 clerk-2 的{zh}")), "{}", found[0].zh);
        }
    }

    #[test]
    fn a_protocol_that_is_not_known_is_said_early_and_blocks_when_it_begins() {
        let mut status = healthy();
        let upgrade = |protocol| Some(crate::view::UpgradeView { protocol, height: 12_000 });
        (status.protocol.known, status.protocol.next) = (2, upgrade(2));
        assert!(codes(&status).is_empty());
        status.protocol.known = 1;
        let soon = diagnose(&status, 3);
        assert!(soon.moving);
        assert_eq!(soon.findings[0].code, "protocol.unknown_soon");
        assert_eq!(soon.findings[0].en, "this binary executes protocols 1 to 1; height 12000 begins protocol 2");
        assert_eq!(soon.findings[0].zh, "本程序可执行协议 1 至 1，高度 12000 起须执行协议 2");
        status.protocol = crate::view::ProtocolView { in_force: 2, known: 1, next: None };
        status.stall = Some("no block".into());
        let now = diagnose(&status, 3);
        assert!(!now.moving);
        // It is said once, and not also that nobody knows why there is no progress.
        assert_eq!(codes(&status), ["protocol.unknown"]);
        assert!(now.findings[0].remedy_en.starts_with("install a newer binary"), "{}", now.findings[0].remedy_en);
    }

    #[test]
    fn a_disk_that_fills_is_said_in_time() {
        let mut status = healthy();
        let disk = |free_bytes, full_in_days| Some(crate::view::DiskView { used_bytes: 1 << 30, free_bytes, full_in_days });
        for (free, days, codes_wanted) in [
            (100 << 30, None, &[][..]),
            (100 << 30, Some(400), &[]),
            (100 << 30, Some(41), &["disk.full_soon"]),
            (1 << 30, Some(400), &["disk.low"]),
            (1 << 30, None, &["disk.low"]),
        ] {
            status.disk = disk(free, days);
            assert_eq!(codes(&status), codes_wanted, "{free} bytes, {days:?} days");
        }
        status.disk = disk(100 << 30, Some(41));
        let found = diagnose(&status, 3);
        assert!(found.moving && found.findings[0].en.contains("full in 41 days"), "{}", found.findings[0].en);
        status.disk = disk(100 << 30, Some(1));
        assert!(diagnose(&status, 3).findings[0].en.contains("full in 1 day ("));
        status.disk = disk(100 << 30, Some(0));
        assert!(diagnose(&status, 3).findings[0].en.contains("full within a day ("));
    }

    #[test]
    fn damaged_entries_of_batches_have_a_remedy_of_their_own() {
        let mut status = healthy();
        status.damage = vec![format!("{DAMAGED_ENTRIES} of ZL1")];
        assert_eq!(codes(&status), ["entries.damaged"]);
        status.damage.push("block 7".into());
        let found = diagnose(&status, 3).findings;
        assert!(
            found[1].code == "storage.damaged" && found[1].en.starts_with("1 stored record of this node is damaged"),
            "{}",
            found[1].en
        );
    }

    #[test]
    fn every_fault_has_its_finding_and_the_worst_comes_first() {
        let mut status = healthy();
        status.damage = vec!["block 7".into()];
        status.peers[1].clock_skew_ms = -2_500;
        status.peers[2].height = 10;
        status.mempool_bytes = 950;
        status.indexed_height = 20;
        status.stall = Some("no block".into());
        let found = [
            "network.no_progress",
            "clock.skew",
            "validator.behind",
            "storage.damaged",
            "mempool.nearly_full",
            "index.behind",
        ];
        assert_eq!(codes(&status), found);
        status.phase = Phase::Syncing;
        assert_eq!(codes(&status)[0], "node.syncing");
    }
}
