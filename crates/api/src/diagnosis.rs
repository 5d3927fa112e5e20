//! What keeps a network from going on, or soon may: found from a node's status, told in both languages with a remedy.

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

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing is finalised until it is remedied.
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

/// What a node finds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Diagnosis {
    /// Whether blocks are finalised.
    pub moving: bool,
    /// What is wrong, the worst first; empty when nothing is.
    pub findings: Vec<Finding>,
}

/// Finds what is wrong with a network whose node says this, when `quorum` of its validators must vote.
pub fn diagnose(status: &StatusView, quorum: usize) -> Diagnosis {
    let mut findings = Vec::new();
    let mut add = |severity, code: &str, zh: String, en: String, remedy_zh: &str, remedy_en: &str| {
        let (remedy_zh, remedy_en) = (remedy_zh.into(), remedy_en.into());
        findings.push(Finding { severity, code: code.into(), zh, en, remedy_zh, remedy_en });
    };
    let stalled = status.stall.is_some();
    let absent: Vec<&PeerView> = status.peers.iter().filter(|peer| !peer.connected).collect();
    let up = status.peers.len() - absent.len() + usize::from(status.public_key.is_some());
    let all = status.peers.len() + usize::from(status.public_key.is_some());
    let (absent_zh, absent_en) = (
        names(&absent, "、", ("（", "）"), ("自 ", " 起"), "启动以来从未联系上"),
        names(&absent, ", ", (" (", ")"), ("since ", ""), "never since the start"),
    );

    match status.phase {
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
    let blocked = status.protocol.is_blocked();
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
    if up < quorum {
        add(
            Severity::Blocking,
            "network.no_quorum",
            format!("{all} 个验证节点中须有 {quorum} 个在线，现仅 {up} 个；无法联系：{absent_zh}"),
            format!("{quorum} of {all} validators must be up and {up} are; unreachable: {absent_en}"),
            "请启动上述节点，或检查其网络与端口；恢复后将自动继续，已确认的数据不受影响",
            "start these nodes, or check their network and ports; it goes on by itself then, and nothing final is lost",
        );
    } else if !absent.is_empty() {
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
    let ahead = status.peers.iter().filter(|peer| peer.connected).map(|peer| peer.height).max().unwrap_or(0);
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
    let own_skew = own_clock_skew(&status.peers);
    if let Some(skew) = own_skew {
        add(
            Severity::Warning,
            "clock.own",
            format!("本节点的时钟与多数验证节点相差约 {skew} 毫秒，会拖慢本节点出块"),
            format!("this node's clock is about {skew} ms off those of most validators, which delays its blocks"),
            "请在本机同步时钟（NTP，如 chrony）",
            "synchronise this machine's clock (NTP, such as chrony)",
        );
    }
    for peer in status.peers.iter().filter(|peer| peer.connected) {
        if own_skew.is_none() && peer.clock_skew_ms.unsigned_abs() >= SKEW_MS {
            add(
                Severity::Warning,
                "clock.skew",
                format!("“{}”的时钟与本节点相差 {} 毫秒，会拖慢出块", peer.name, peer.clock_skew_ms),
                format!("the clock of {} is {} ms off this node's, which delays blocks", peer.name, peer.clock_skew_ms),
                "请在两端同步时钟（NTP）",
                "synchronise the clocks of both (NTP)",
            );
        }
        if peer.height + BEHIND < status.height {
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
            add(
                Severity::Warning,
                "disk.full_soon",
                format!("按目前的增长，本节点的磁盘将在 {days} 天后写满（剩余 {free} MiB）"),
                format!("at the present growth this node's disk is full in {days} days ({free} MiB are free)"),
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
        let (member, days) = (&first.member, first.days_left);
        add(
            Severity::Warning,
            "keys.due",
            format!("本机构有 {urgent} 把密钥应在 {KEY_DAYS} 天内更换，最急的是成员 {member} 的（剩余 {days} 天）"),
            format!(
                "{urgent} keys of this organisation are due within {KEY_DAYS} days, first that of {member} ({days} days left)"
            ),
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

/// The peers with the time since when they are unreachable.
fn names(
    peers: &[&PeerView],
    between: &str,
    (open, close): (&str, &str),
    (since, after): (&str, &str),
    never: &str,
) -> String {
    let one = |peer: &&PeerView| match peer.last_seen_ms {
        Some(ms) => format!("{}{open}{since}{}{after}{close}", peer.name, clock(ms)),
        None => format!("{}{open}{never}{close}", peer.name),
    };
    peers.iter().map(one).collect::<Vec<_>>().join(between)
}

/// The time of day in Beijing, `HH:MM:SS`.
fn clock(ms: u64) -> String {
    let seconds = (ms / 1_000 + 8 * 3_600) % 86_400;
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Hex32;

    fn peer(name: &str, connected: bool) -> PeerView {
        PeerView {
            name: name.into(),
            public_key: Hex32([1; 32]),
            connected,
            height: 100,
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
        assert!(found[0].code == "clock.own" && found[0].en.contains("about 4000 ms"), "{}", found[0].en);
        // Two that are off to different sides are off themselves, and so is one of two.
        status.peers[1].clock_skew_ms = 4_200;
        assert_eq!(codes(&status), ["clock.skew", "clock.skew"]);
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
        assert!(found[0].en.contains("clerk-2 (-3 days left)"), "{}", found[0].en);
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
