//! `zhulian doctor`: what keeps this machine from working well, each with its remedy.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command as Process,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::Args;
use serde_json::json;
use zhulian_api::ClientError;

use crate::{
    failure::{Exit, Result},
    private_file,
    remote::{Remote, explain},
    report::Report,
    session::Session,
    text,
    text::{Text, bytes, several},
};

/// Options of `doctor`.
#[derive(Args, Debug)]
pub struct Doctor {
    /// First of the ports that `zhulian up` would use (zhulian up 将使用的第一个端口)
    #[arg(long, default_value_t = crate::home::PORT_BASE_DEFAULT)]
    pub port_base: u16,
}

/// How an examination ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    Warning,
    Bad,
}

/// One examination.
struct Finding {
    code: &'static str,
    what: Text,
    verdict: Verdict,
    found: Text,
    remedy: Option<Text>,
}

/// Disk that a network on this machine should have.
const DISK_WARN: u64 = 2 << 30;
const DISK_BAD: u64 = 256 << 20;
const OPEN_FILES_MIN: u64 = 4096;
/// Clocks further apart make a validator's blocks wait.
const SKEW_WARN_MS: i64 = 500;
const SKEW_BAD_MS: i64 = 5_000;

/// Examines the machine, and the network if one answers.
///
/// # Errors
/// When there is no home directory.
pub fn run(session: &Session, args: &Doctor) -> Result<Report> {
    let home = session.home()?;
    let mut findings = vec![disk(&home.dir), open_files(), file_modes(&home.dir), fonts(), identity(&home)];
    findings.extend(network(session, &home, args)?);
    let bad = findings.iter().filter(|finding| finding.verdict == Verdict::Bad).count();
    let warnings = findings.iter().filter(|finding| finding.verdict == Verdict::Warning).count();
    let (problems, things) = (several(bad, "problem"), several(warnings, "thing"));
    let sentence = match (bad, warnings) {
        (0, 0) => text!("一切正常。", "Everything is in order."),
        (0, 1) => text!("可以工作，有 1 处需要留意。", "It works; one thing deserves attention."),
        (0, _) => text!("可以工作，有 {warnings} 处需要留意。", "It works; {things} deserve attention."),
        (_, 0) => text!("发现 {bad} 个问题。", "{problems} found."),
        _ => text!("发现 {bad} 个问题，{warnings} 处需要留意。", "{problems} found, and {things} that may need attention."),
    };
    let items: Vec<_> = findings
        .iter()
        .map(|finding| {
            json!({
                "check": finding.code,
                "verdict": match finding.verdict { Verdict::Good => "good", Verdict::Warning => "warning", Verdict::Bad => "bad" },
                "found": { "zh": finding.found.zh, "en": finding.found.en },
                "remedy": finding.remedy.as_ref().map(|text| json!({ "zh": text.zh, "en": text.en })),
            })
        })
        .collect();
    let mut report = Report::new(sentence, json!({ "problems": bad, "warnings": warnings, "checks": items }))
        .exit(if bad > 0 { Exit::Failed } else { Exit::Done });
    for Finding { what, verdict, found, remedy, .. } in findings {
        let mark = match verdict {
            Verdict::Good => text!("正常", "good"),
            Verdict::Warning => text!("留意", "attention"),
            Verdict::Bad => text!("问题", "problem"),
        };
        let remedy = remedy.unwrap_or_else(|| "".into());
        let (lead_zh, lead_en) = if remedy.zh.is_empty() { ("", "") } else { ("\n处理：", "\nremedy: ") };
        let value = Text {
            zh: format!("{}：{}{lead_zh}{}", mark.zh, found.zh, remedy.zh).into(),
            en: format!("{}: {}{lead_en}{}", mark.en, found.en, remedy.en).into(),
        };
        report = report.fact(what, value);
    }
    Ok(report.detail(Text::fixed("本程序版本", "this program"), env!("CARGO_PKG_VERSION")))
}

fn disk(dir: &Path) -> Finding {
    // The nearest directory that exists; the home may be yet to be made.
    let dir = dir.ancestors().find(|dir| dir.is_dir()).unwrap_or(Path::new("."));
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    let out = Process::new("df").arg("-Pk").arg(dir).env("LC_ALL", "C").output();
    let free = out.ok().and_then(|out| {
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        text.lines().nth(1)?.split_whitespace().nth(3)?.parse::<u64>().ok()
    });
    let what = Text::fixed("磁盘空间", "disk space");
    let Some(free) = free.map(|kib| kib * 1024) else {
        let found = text!("无法得知剩余空间", "the free space cannot be told");
        return Finding { code: "disk", what, verdict: Verdict::Warning, found, remedy: None };
    };
    let (left, shown) = (bytes(free), dir.display());
    let verdict = match free {
        0..DISK_BAD => Verdict::Bad,
        DISK_BAD..DISK_WARN => Verdict::Warning,
        _ => Verdict::Good,
    };
    let remedy = (verdict != Verdict::Good)
        .then(|| text!("请腾出空间，或用 --home 换一个目录", "make room, or choose another directory with --home"));
    Finding { code: "disk", what, verdict, found: text!("{shown} 剩余 {left}", "{left} free at {shown}"), remedy }
}

fn open_files() -> Finding {
    let what = Text::fixed("可打开文件数", "open files");
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let soft = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .and_then(|line| line.split_whitespace().nth(3))
        .map(|word| word.parse::<u64>().unwrap_or(u64::MAX));
    match soft {
        None => Finding {
            code: "open_files",
            what,
            verdict: Verdict::Warning,
            found: text!("无法得知上限", "the limit cannot be told"),
            remedy: None,
        },
        Some(limit) if limit < OPEN_FILES_MIN => Finding {
            code: "open_files",
            what,
            verdict: Verdict::Warning,
            found: text!("上限为 {limit}，少于 {OPEN_FILES_MIN}", "the limit is {limit}, less than {OPEN_FILES_MIN}"),
            remedy: Some(text!("启动前执行 ulimit -n {OPEN_FILES_MIN}", "run `ulimit -n {OPEN_FILES_MIN}` before starting")),
        },
        Some(limit) => Finding {
            code: "open_files",
            what,
            verdict: Verdict::Good,
            found: text!("上限为 {limit}", "the limit is {limit}"),
            remedy: None,
        },
    }
}

fn file_modes(dir: &Path) -> Finding {
    let what = Text::fixed("私密文件权限", "private files");
    let mut open: Vec<PathBuf> = Vec::new();
    for path in private_files(dir) {
        if path.exists() && private_file::check_mode(&path).is_err() {
            open.push(path);
        }
    }
    if open.is_empty() {
        let found = text!("仅所有者可读", "readable by their owner only");
        return Finding { code: "file_modes", what, verdict: Verdict::Good, found, remedy: None };
    }
    let names = open.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" ");
    Finding {
        code: "file_modes",
        what,
        verdict: Verdict::Bad,
        found: text!("其他用户也能访问：{names}", "others can reach: {names}"),
        remedy: Some(text!("执行 chmod 600 {names}", "run: chmod 600 {names}")),
    }
}

fn private_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = vec![dir.join("settings.json"), dir.join("demo-passphrase")];
    let nodes = std::fs::read_dir(dir.join("nodes")).into_iter().flatten().flatten().map(|entry| entry.path());
    for folder in nodes.chain([dir.join("keys"), dir.to_path_buf()]) {
        files.push(folder.join("passphrase"));
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        files.extend(entries.filter(|path| path.extension().is_some_and(|ending| ending == crate::home::KEY_ENDING)));
    }
    files
}

fn fonts() -> Finding {
    let what = Text::fixed("证书字体", "font of certificates");
    match zhulian_document::Fonts::find() {
        Ok(_) => Finding {
            code: "fonts",
            what,
            verdict: Verdict::Good,
            found: text!("已找到中文字体", "a Chinese font is found"),
            remedy: None,
        },
        Err(error) => Finding {
            code: "fonts",
            what,
            verdict: Verdict::Warning,
            found: text!(
                "没有可用的中文字体，无法出具 PDF 证书（{error}）",
                "no usable Chinese font, so no PDF certificates: {error}"
            ),
            remedy: Some(text!(
                "安装 fonts-noto-cjk（Debian：apt install fonts-noto-cjk），或用 ZHULIAN_FONT 指定字体文件",
                "install fonts-noto-cjk (Debian: apt install fonts-noto-cjk), or name a font file in ZHULIAN_FONT"
            )),
        },
    }
}

fn identity(home: &crate::home::Home) -> Finding {
    let what = Text::fixed("网络身份", "network identity");
    match home.network() {
        Ok(network) => {
            let (name, count) = (&network.name, network.validators.len());
            Finding {
                code: "identity",
                what,
                verdict: Verdict::Good,
                found: text!("信任“{name}”，{count} 个验证节点", "“{name}” is trusted, {count} validators"),
                remedy: None,
            }
        }
        Err(failure) => Finding {
            code: "identity",
            what,
            verdict: if failure.exit == Exit::NoProof { Verdict::Bad } else { Verdict::Warning },
            found: failure.what,
            remedy: failure.next,
        },
    }
}

fn network(session: &Session, home: &crate::home::Home, args: &Doctor) -> Result<Vec<Finding>> {
    let remote = Remote::asking(session)?;
    let url = remote.client.base().to_string();
    let what = Text::fixed("网关", "gateway");
    let status = match remote.run(remote.client.status()) {
        Ok(status) => status,
        Err(error) => {
            let refused = matches!(error, ClientError::Transport(_));
            let failure = explain(&error, &remote.client);
            let found = match failure.why {
                Some(why) => Text {
                    zh: format!("{}：{}", failure.what.zh, why.zh).into(),
                    en: format!("{}: {}", failure.what.en, why.en).into(),
                },
                None => failure.what,
            };
            let verdict = if refused { Verdict::Warning } else { Verdict::Bad };
            let gateway = Finding { code: "gateway", what, verdict, found, remedy: failure.next };
            // Whoever takes connections there holds a port rightly, and so does a network of this home.
            let free = refused && !super::up::is_up(&home.dir);
            return Ok(std::iter::once(gateway).chain(free.then(|| ports(args.port_base))).collect());
        }
    };
    let (version, mine) = (&status.version, env!("CARGO_PKG_VERSION"));
    let mut findings = vec![if version == mine {
        let found = text!("{url} 应答正常，版本 {version}", "{url} answers, version {version}");
        Finding { code: "gateway", what, verdict: Verdict::Good, found, remedy: None }
    } else {
        Finding {
            code: "gateway",
            what,
            verdict: Verdict::Warning,
            found: text!("{url} 版本为 {version}，本程序为 {mine}", "{url} has version {version}, this program {mine}"),
            remedy: Some(text!("请使用同一版本", "use the same version")),
        }
    }];
    findings.push(clock(&status));
    findings.extend(status.disk.as_ref().map(node_disk));
    findings.extend(status.keys_due.first().map(|first| keys_due(first, status.keys_due.len())));
    findings.extend(protocol(&status.protocol));
    findings.extend(status.calendars.iter().filter(|it| it.is_due()).map(calendar));
    if let Some(stall) = &status.stall {
        findings.push(Finding {
            code: "stall",
            what: Text::fixed("出块", "progress"),
            verdict: Verdict::Bad,
            found: text!("网络停滞：{stall}", "the network is stalled: {stall}"),
            remedy: Some(text!("联系所述验证节点的运维人员", "call the operators of the validators named")),
        });
    }
    for damage in &status.damage {
        findings.push(Finding {
            code: "damage",
            what: Text::fixed("数据完整性", "stored data"),
            verdict: Verdict::Bad,
            found: text!("数据损坏：{damage}", "damaged: {damage}"),
            remedy: Some(text!(
                "停止该节点，清空其数据目录后重启，它会从其他节点同步",
                "stop the node, empty its data directory and start it again; it fetches the state from the others"
            )),
        });
    }
    Ok(findings)
}

fn protocol(protocol: &zhulian_api::view::ProtocolView) -> Option<Finding> {
    let (en, zh) = protocol.unknown()?;
    Some(Finding {
        code: "protocol",
        what: Text::fixed("协议", "protocol"),
        verdict: if protocol.is_blocked() { Verdict::Bad } else { Verdict::Warning },
        found: Text { zh: zh.into(), en: en.into() },
        remedy: Some(text!("请为节点安装新版程序", "install a newer binary on the node")),
    })
}

fn node_disk(disk: &zhulian_api::view::DiskView) -> Finding {
    let (used, free) = (bytes(disk.used_bytes), bytes(disk.free_bytes));
    let (verdict, found) = match disk.full_in_days {
        Some(days) => (
            match days {
                0..7 => Verdict::Bad,
                7..45 => Verdict::Warning,
                _ => Verdict::Good,
            },
            text!(
                "节点已用 {used}，剩余 {free}，约 {days} 天后写满",
                "the node uses {used}, {free} are free, full in {days} days"
            ),
        ),
        None if disk.free_bytes < DISK_WARN => {
            (Verdict::Warning, text!("节点已用 {used}，仅剩 {free}", "the node uses {used}, only {free} are free"))
        }
        None => (Verdict::Good, text!("节点已用 {used}，剩余 {free}", "the node uses {used}, {free} are free")),
    };
    let remedy =
        (verdict != Verdict::Good).then(|| text!("请为节点扩容或清理磁盘", "enlarge the node's disk or make room on it"));
    Finding { code: "node_disk", what: Text::fixed("节点磁盘", "the node's disk"), verdict, found, remedy }
}

fn keys_due(first: &zhulian_api::view::KeyDueView, count: usize) -> Finding {
    let (member, days) = (&first.member, first.days_left);
    let (keys, are) = (several(count, "key"), if count == 1 { "is" } else { "are" });
    Finding {
        code: "keys_due",
        what: Text::fixed("密钥更换", "replacement of keys"),
        verdict: if days < 7 { Verdict::Bad } else { Verdict::Warning },
        found: text!(
            "{count} 把密钥临近更换期限，最急的是成员 {member} 的（剩余 {days} 天）",
            "{keys} {are} due soon, first that of {member} ({days} days left)"
        ),
        remedy: Some(text!("请持有人执行 zhulian key rotate", "let the holders run zhulian key rotate")),
    }
}

fn calendar(it: &zhulian_api::view::CalendarDueView) -> Finding {
    let (pack, last, days) = (&it.pack, &it.last_day, it.days_left);
    Finding {
        code: "calendar",
        what: Text::fixed("工作日历", "calendar of working days"),
        verdict: if days < 0 { Verdict::Bad } else { Verdict::Warning },
        found: text!("规则包 {pack} 的工作日历到 {last} 为止", "the calendar of the pack {pack} ends with {last}"),
        remedy: Some(text!(
            "请将下一年度放假安排表决生效：先用 zhulian rules calendar 生成新版本",
            "vote in the next year's days off; zhulian rules calendar writes the new version"
        )),
    }
}

fn clock(status: &zhulian_api::view::StatusView) -> Finding {
    let what = Text::fixed("时钟", "clock");
    // A peer's clock against the node's; and ours against the latest block, which is some seconds old at most on a running network.
    let peers = status.peers.iter().filter(|peer| peer.connected).map(|peer| peer.clock_skew_ms);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis() as i64);
    let ahead = status.time_ms.map_or(0, |time| (time as i64 - now).max(0));
    let worst = peers.chain([ahead]).max_by_key(|skew| skew.abs()).unwrap_or(0);
    let verdict = match worst.abs() {
        0..SKEW_WARN_MS => Verdict::Good,
        SKEW_WARN_MS..SKEW_BAD_MS => Verdict::Warning,
        _ => Verdict::Bad,
    };
    let remedy = (verdict != Verdict::Good).then(|| {
        text!("在偏差大的机器上启用 NTP 授时（如 chrony）", "turn on time synchronisation, such as chrony, where it is off")
    });
    Finding { code: "clock", what, verdict, found: text!("最大偏差 {worst} 毫秒", "largest skew {worst} ms"), remedy }
}

fn ports(base: u16) -> Finding {
    let what = Text::fixed("端口", "ports");
    let taken = crate::home::ports(base).into_iter().filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_err());
    let taken: Vec<_> = taken.map(|port| port.to_string()).collect();
    if taken.is_empty() {
        let found = text!("从 {base} 起的端口空闲", "the ports from {base} on are free");
        return Finding { code: "ports", what, verdict: Verdict::Good, found, remedy: None };
    }
    let taken = taken.join(", ");
    Finding {
        code: "ports",
        what,
        verdict: Verdict::Warning,
        found: text!("端口已被占用：{taken}", "ports taken: {taken}"),
        remedy: Some(text!(
            "停止占用端口的程序，或用 zhulian up --port-base 换一组端口",
            "stop the program that uses them, or choose others with `zhulian up --port-base`"
        )),
    }
}
