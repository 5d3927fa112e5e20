//! `zhulian up`: a whole network on this machine, four real processes with a gateway each, and a demonstration city.

use std::{
    fs::{File, TryLockError},
    net::TcpListener,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::RecvTimeoutError,
    },
    time::{Duration, Instant},
};

use clap::Args;
use futures::stream;
use indicatif::ProgressBar;
use serde_json::json;

use crate::{
    deposit::{Bars, Depositor, Job, Place, default_details},
    failure::{AtPath as _, Exit, Failure, Result},
    hashing,
    home::{Home, ports},
    local::{Child, City, Event, Supervisor, disk_full, is_full, last_words, write_documents},
    remote::Remote,
    report::Report,
    session::Session,
    text,
    text::{Lang, Text},
};

/// Options of `up`.
#[derive(Args, Debug)]
pub struct Up {
    /// Where the network keeps everything; default the home (网络数据目录；默认为用户目录)
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Forget the network that is there and found a new one (丢弃已有网络，重新创建)
    #[arg(long)]
    pub fresh: bool,
    /// First of eight ports on 127.0.0.1: four gateways, then four validators; default 8640, or those of the last time (127.0.0.1 上八个端口的第一个：先四个网关，后四个验证节点；默认 8640 或上次所用)
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1024..=65_527))]
    pub port_base: Option<u16>,
    /// Deposit no demonstration documents (不存证演示文件)
    #[arg(long)]
    pub no_demo: bool,
}

/// How long the nodes may take to be ready.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// How long the last nodes are waited for when there are enough without them.
const LAST_WITHIN: Duration = Duration::from_secs(20);
/// How long nodes of a former run are waited for: longer than they are given to stop.
const FORMER_WITHIN: Duration = Duration::from_secs(30);
/// A node that dies so often before it was ready will not get ready.
const DEATHS_MAX: usize = 3;

/// Runs the network until Ctrl-C.
///
/// # Errors
/// When it cannot be founded or does not start.
pub fn run(session: &Session, args: &Up) -> Result<()> {
    let home = match &args.dir {
        Some(dir) => Home { dir: dir.clone() },
        None => session.home()?,
    };
    crate::private_file::create_dir(&home.dir)?;
    let _lock = lock(&home.dir)?;
    let say = Say { lang: session.lang, quiet: session.options.json };
    say.line(&Text::fixed("正在准备网络……", "Preparing the network …"));
    await_former(&home.dir, &say)?;
    let mut city = City::open(home, args.port_base, args.fresh)?;
    free_ports(city.port_base())?;
    if city.founded {
        let name = city.home().network()?.name;
        say.line(&text!("已创建网络“{name}”：创世文件、密钥与节点配置。", "Founded “{name}”: genesis, keys, nodes."));
    }

    let stopping = Arc::new(AtomicBool::new(false));
    watch_signals(&stopping)?;
    let names = (0..city.nodes()).map(|index| city.name(index)).collect::<Result<Vec<_>>>()?;
    let supervisor = Supervisor::start(children(&city, session.lang)?);
    let mut pids = vec![0; city.nodes()];
    let Some(good) = ready(&city, &supervisor, &mut pids, &say, &stopping)? else {
        supervisor.stop();
        return Ok(());
    };
    // The one that is talked to is one that answers.
    let first = good.iter().position(|good| *good).unwrap_or_default();
    if !city.is_seeded() && !args.no_demo {
        say.line(&Text::fixed("正在存入演示文件……", "Depositing the demonstration documents …"));
        seed(&city, first)?;
        city.set_seeded()?;
    }
    let screen = screen(&city, session, first)?;
    if session.options.json {
        let gateways: Vec<_> = (0..city.nodes()).map(|index| city.url(index)).collect();
        let network = city.home().network()?;
        crate::print(&crate::pretty(&json!({
            "ready": true,
            "url": city.url(first),
            "gateways": gateways,
            "home": city.home().dir.display().to_string(),
            "network": network.name,
            "chain": hex::encode(network.chain),
            "pids": pids,
            "nodes_ready": good,
        })));
    } else {
        crate::print(&format!("\n{}\n", screen.render(session.lang)));
    }
    tend(&city, &supervisor, &names, &mut pids, &say, &stopping);
    say.line(&Text::fixed("正在停止各节点……", "Stopping the nodes …"));
    supervisor.stop();
    say.line(&Text::fixed(
        "已停止。再次执行 zhulian up 将从此处继续。",
        "Stopped. Run `zhulian up` again to go on from here.",
    ));
    Ok(())
}

struct Say {
    lang: Lang,
    quiet: bool,
}

impl Say {
    fn line(&self, text: &Text) {
        if !self.quiet {
            crate::print(&format!("{}\n", text.get(self.lang)));
        }
    }
}

/// One `up` for one directory.
fn lock(dir: &Path) -> Result<File> {
    let path = dir.join("up.lock");
    let file = File::options().create(true).write(true).truncate(false).open(&path).at(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(_) => {
            let shown = dir.display();
            Err(Failure::new(
                Exit::Usage,
                "up.running",
                text!("{shown} 中的网络已在运行", "the network in {shown} is running already"),
            )
            .next(Text::fixed(
                "在运行它的终端按 Ctrl-C 停止；或用 --dir 与 --port-base 另起一个",
                "stop it with Ctrl-C where it runs, or start another with --dir and --port-base",
            )))
        }
    }
}

/// Waits for nodes of a former `up` of this directory: when that was killed they end by themselves, which takes some seconds.
fn await_former(dir: &Path, say: &Say) -> Result<()> {
    let mut left = still_running(dir);
    if left.is_empty() {
        return Ok(());
    }
    say.line(&Text::fixed(
        "上次运行的节点尚未全部结束，正在等待……",
        "Nodes of the former run have not ended yet; waiting for them …",
    ));
    let end = Instant::now() + FORMER_WITHIN;
    while Instant::now() < end {
        std::thread::sleep(Duration::from_millis(200));
        left = still_running(dir);
        if left.is_empty() {
            return Ok(());
        }
    }
    let shown = dir.display();
    let known = left.iter().map(|node| node.pid.map(|pid| pid.to_string())).collect::<Option<Vec<_>>>();
    let failure = Failure::new(
        Exit::Failed,
        "up.former",
        text!("{shown} 中上次运行的节点仍未结束", "nodes of a former run of {shown} have not ended"),
    )
    .why(Text::fixed(
        "启动它们的 zhulian up 已不在；也可能是用 zhulian node run 单独启动的",
        "the `zhulian up` that started them is gone, or they were started with `zhulian node run`",
    ));
    Err(match known {
        Some(pids) => {
            let pids = pids.join(" ");
            failure.next(text!(
                "结束它们后重试：kill {pids}（无效时用 kill -9）",
                "end them and try again: kill {pids} (kill -9 if that does not help)"
            ))
        }
        None => {
            let names = left.iter().map(|node| node.dir.display().to_string()).collect::<Vec<_>>().join(" ");
            failure.next(text!(
                "结束使用这些目录的节点后重试：{names}",
                "end the nodes that use these directories and try again: {names}"
            ))
        }
    })
}

/// A node that runs though nobody here has started it.
struct Former {
    dir: PathBuf,
    /// Its process, if that is still the one that was noted.
    pid: Option<u32>,
}

fn still_running(dir: &Path) -> Vec<Former> {
    let nodes = std::fs::read_dir(dir.join("nodes")).into_iter().flatten().flatten().map(|entry| entry.path());
    let former = |node: PathBuf| {
        let pid = std::fs::read_to_string(node.join("pid")).ok().and_then(|text| text.trim().parse().ok());
        let pid = pid.filter(|pid| runs_node(*pid, &node));
        (pid.is_some() || zhulian_node::audit::is_running(&node.join("data"))).then_some(Former { dir: node, pid })
    };
    let mut found: Vec<Former> = nodes.filter_map(former).collect();
    found.sort_by(|a, b| a.dir.cmp(&b.dir));
    found
}

/// Whether the process is the node of this directory; its number may be another's by now.
fn runs_node(pid: u32, node: &Path) -> bool {
    let config = node.join("node.json");
    let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    arguments.split(|byte| *byte == 0).any(|argument| argument == config.as_os_str().as_encoded_bytes())
}

/// Whether `zhulian up` runs for this directory.
pub fn is_up(dir: &Path) -> bool {
    let lock = File::open(dir.join("up.lock"));
    lock.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

fn free_ports(base: u16) -> Result<()> {
    let taken = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_err();
    let taken: Vec<_> = ports(base).into_iter().filter(taken).map(|port| port.to_string()).collect();
    if taken.is_empty() {
        return Ok(());
    }
    let (taken, other) = (taken.join(", "), base.saturating_add(100).clamp(1024, 65_000));
    Err(Failure::new(Exit::Usage, "up.ports", text!("端口已被占用：{taken}", "these ports are taken: {taken}"))
        .why(Text::fixed("另一个程序正在监听", "another program listens on them"))
        .next(text!(
            "停止该程序，或换一组端口：zhulian up --port-base {other}",
            "stop it, or use others: `zhulian up --port-base {other}`"
        )))
}

fn watch_signals(stopping: &Arc<AtomicBool>) -> Result<()> {
    let stopping = stopping.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        Failure::new(Exit::Failed, "up.signals", Text::fixed("无法监听停止信号", "signals cannot be watched"))
            .why(crate::failure::library_reason(&error.to_string()))
    })?;
    std::thread::spawn(move || {
        runtime.block_on(super::node::signalled());
        stopping.store(true, Ordering::SeqCst);
    });
    Ok(())
}

fn children(city: &City, lang: Lang) -> Result<Vec<Child>> {
    let program = std::env::current_exe().at(Path::new("zhulian"))?;
    let lang = if lang == Lang::Zh { "zh" } else { "en" };
    let child = |index: usize| {
        let files = city.files(index);
        let config = files.config.display().to_string();
        Ok(Child {
            name: city.name(index)?,
            program: program.clone(),
            arguments: ["--lang", lang, "node", "run", "--stop-with-input", "--config", &config].map(String::from).into(),
            log: files.dir.join("log.txt"),
        })
    };
    (0..city.nodes()).map(child).collect()
}

fn note_pid(city: &City, index: usize, pid: u32) {
    // For people and scripts; nothing here depends on it.
    let _ = std::fs::write(city.files(index).dir.join("pid"), format!("{pid}\n"));
}

/// Waits until every node is ready, or enough are and the others do not get so. Says which are; `None` when it was asked to stop.
fn ready(
    city: &City,
    supervisor: &Supervisor,
    pids: &mut [u32],
    say: &Say,
    stopping: &AtomicBool,
) -> Result<Option<Vec<bool>>> {
    let all = city.nodes();
    let remotes = (0..all).map(|index| Remote::at(&city.url(index))).collect::<Result<Vec<_>>>()?;
    let (mut good, mut deaths) = (vec![false; all], vec![0; all]);
    let end = Instant::now() + READY_WITHIN;
    let mut enough_since = None;
    loop {
        if stopping.load(Ordering::SeqCst) {
            return Ok(None);
        }
        while let Ok(event) = supervisor.events.try_recv() {
            match event {
                Event::Started(index, pid) => {
                    pids[index] = pid;
                    note_pid(city, index, pid);
                }
                Event::Died(index, ..) | Event::Failed(index, ..) => {
                    deaths[index] += 1;
                    good[index] = false;
                }
            }
        }
        for (index, remote) in remotes.iter().enumerate() {
            if !good[index] && remote.run(remote.client.ready()).is_ok_and(|health| health.ok) {
                good[index] = true;
                let (count, name) = (good.iter().filter(|good| **good).count(), city.name(index)?);
                say.line(&text!("  节点就绪 {count}/{all}：{name}", "  {count} of {all} nodes ready: {name}"));
            }
        }
        let hopeless = |index: &usize| !good[*index] && deaths[*index] >= DEATHS_MAX;
        match readiness(&good, &deaths) {
            Readiness::All => return Ok(Some(good)),
            Readiness::Never => return Err(not_ready(city, (0..all).find(hopeless).unwrap_or_default(), say.lang)),
            Readiness::Enough(others_may_come) => {
                let since = *enough_since.get_or_insert_with(Instant::now);
                if !others_may_come || since.elapsed() > LAST_WITHIN {
                    for index in (0..all).filter(|index| !good[*index]) {
                        say.line(&without(city, index, say.lang)?);
                    }
                    return Ok(Some(good));
                }
            }
            Readiness::NotYet => enough_since = None,
        }
        if let (true, Some(index)) = (Instant::now() > end, good.iter().position(|good| !good)) {
            return Err(not_ready(city, index, say.lang));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// How far the nodes are.
#[derive(Debug, PartialEq, Eq)]
enum Readiness {
    All,
    /// Enough to go on; and whether the others may still come.
    Enough(bool),
    NotYet,
    /// Too many died too often.
    Never,
}

fn readiness(good: &[bool], deaths: &[usize]) -> Readiness {
    let quorum = zhulian_primitives::quorum(good.len());
    let ready = good.iter().filter(|good| **good).count();
    let may_come = good.iter().zip(deaths).filter(|(good, deaths)| !**good && **deaths < DEATHS_MAX).count();
    match ready {
        _ if ready == good.len() => Readiness::All,
        _ if ready >= quorum => Readiness::Enough(may_come > 0),
        _ if ready + may_come < quorum => Readiness::Never,
        _ => Readiness::NotYet,
    }
}

/// What became of a node that the network goes on without.
fn without(city: &City, index: usize, lang: Lang) -> Result<Text> {
    let (number, name, files) = (index + 1, city.name(index)?, city.files(index));
    let log = files.dir.join("log.txt");
    let shown = log.display();
    Ok(match last_words(&log, lang) {
        Some(words) => text!(
            "节点 {number}（{name}）未能就绪：{words}。其余节点足以继续工作。",
            "Node {number} ({name}) does not get ready: {words}. The others are enough to go on."
        ),
        None => text!(
            "节点 {number}（{name}）尚未就绪，其余节点足以继续工作；详见 {shown}。",
            "Node {number} ({name}) is not ready yet, and the others are enough to go on; see {shown}."
        ),
    })
}

fn not_ready(city: &City, index: usize, lang: Lang) -> Failure {
    if is_full(&city.files(index).dir) {
        return disk_full();
    }
    let log = city.files(index).dir.join("log.txt");
    let text = std::fs::read(&log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let line = || text.lines().rfind(|line| !line.trim().is_empty()).map(str::to_owned);
    let why = last_words(&log, lang).or_else(line).unwrap_or_else(|| "-".into());
    let (number, shown) = (index + 1, log.display());
    Failure::new(Exit::Failed, "up.not_ready", text!("节点 {number} 未能就绪", "node {number} does not get ready"))
        .why(why)
        .next(text!("查看 {shown}；zhulian doctor 可协助查找原因", "see {shown}; `zhulian doctor` helps to find the cause"))
}

/// Deposits the demonstration documents, each by an officer of its organisation.
fn seed(city: &City, first: usize) -> Result<()> {
    let remote = Remote::at(&city.url(first))?;
    let network = city.home().network()?;
    for (key, path) in write_documents(city.home())? {
        let status = remote.expect(&network)?;
        let (found, _) = hashing::find(std::slice::from_ref(&path));
        let depositor =
            Depositor::new(remote.client.clone(), network.clone(), city.member_key(key)?, default_details(), status.height);
        let jobs = found.into_iter().filter_map(|file| {
            let hashed = hashing::hash(&file.path, &ProgressBar::hidden()).ok()?;
            Some(Ok(Job { receipt: Place::default().of(&file), file, hashed }))
        });
        let totals = remote.run(depositor.singly(stream::iter(jobs.collect::<Vec<_>>()), &Bars::hidden()));
        if let Some(failure) = totals.stopped.or_else(|| totals.failed.into_iter().next().map(|(_, failure)| failure)) {
            return Err(failure);
        }
    }
    Ok(())
}

fn screen(city: &City, session: &Session, first: usize) -> Result<Report> {
    let home = city.home();
    let network = home.network()?;
    let (name, count) = (&network.name, city.nodes());
    let (url, dir) = (city.url(first), home.dir.display().to_string());
    // Whoever would find this home anyway need not be told of it.
    let found = Home::find(None).is_ok_and(|other| other.dir.canonicalize().ok() == home.dir.canonicalize().ok());
    let full = home.dir.canonicalize().unwrap_or_else(|_| home.dir.clone());
    let option = if found { String::new() } else { format!(" --home {}", full.display()) };
    let key = home.settings()?.key.unwrap_or_default();
    let _ = session;
    Ok(Report::new(text!("网络“{name}”已在本机运行。", "The network “{name}” runs on this machine."), json!({}))
        .fact(Text::fixed("网页", "web page"), format!("{url}/"))
        .fact(
            Text::fixed("网络", "network"),
            text!("{count} 个验证节点，各为一个独立进程", "{count} validators, each a process of its own"),
        )
        .fact(Text::fixed("目录", "directory"), dir)
        .fact(Text::fixed("签名密钥", "signing key"), text!("{key}（演示）", "{key} (demonstration)"))
        .fact(Text::fixed("演示文件", "documents"), home.dir.join("demo").display().to_string())
        .next(Text::fixed("首次存证（另开一个终端）：", "Your first deposit (in another terminal):"))
        .next(text!("  zhulian{option} evidence deposit 文件", "  zhulian{option} evidence deposit FILE"))
        .next(text!("  zhulian{option} verify 文件 --receipt 文件.zlr", "  zhulian{option} verify FILE --receipt FILE.zlr"))
        .next("")
        .next(Text::fixed(
            "按 Ctrl-C 停止；再次执行 zhulian up 将从此处继续。",
            "Ctrl-C stops it; `zhulian up` goes on from there.",
        )))
}

/// Tells what happens to the nodes until it is asked to stop.
fn tend(city: &City, supervisor: &Supervisor, names: &[String], pids: &mut [u32], say: &Say, stopping: &AtomicBool) {
    let mut down = vec![false; names.len()];
    while !stopping.load(Ordering::SeqCst) {
        match supervisor.events.recv_timeout(Duration::from_millis(200)) {
            Ok(Event::Started(index, pid)) => {
                pids[index] = pid;
                note_pid(city, index, pid);
                if std::mem::take(&mut down[index]) {
                    let (number, name) = (index + 1, &names[index]);
                    say.line(&text!(
                        "节点 {number}（{name}）已重新启动，正在追赶。",
                        "Node {number} ({name}) is started again and catches up."
                    ));
                }
            }
            Ok(Event::Died(index, status, pause)) => {
                down[index] = true;
                let how = how(city, index, &status.to_string(), say.lang);
                say.line(&died(index, &names[index], &how, pause, &down));
            }
            Ok(Event::Failed(index, why, pause)) => {
                down[index] = true;
                say.line(&died(index, &names[index], &why, pause, &down));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// How a node ended, in its own words if it had any.
fn how(city: &City, index: usize, status: &str, lang: Lang) -> String {
    let dir = city.files(index).dir;
    if is_full(&dir) {
        let Failure { what, next, .. } = disk_full();
        let next = next.unwrap_or_else(|| "".into());
        return format!("{}: {}", what.get(lang), next.get(lang));
    }
    // A node that was killed had no time for words, and those in its log are of another time.
    match status.contains("signal") {
        true => status.to_owned(),
        false => last_words(&dir.join("log.txt"), lang).unwrap_or_else(|| status.to_owned()),
    }
}

fn died(index: usize, name: &str, how: &str, pause: Duration, down: &[bool]) -> Text {
    let (number, seconds) = (index + 1, pause.as_secs_f32());
    let left = down.iter().filter(|down| !**down).count();
    let enough = left >= zhulian_primitives::quorum(down.len());
    let (zh, en) = match enough {
        true => ("其余节点继续工作，网络不受影响", "the others go on, and so does the network"),
        false => {
            ("在线节点不足法定人数，网络暂停，恢复后继续", "too few are left, so the network pauses until they are back")
        }
    };
    text!(
        "节点 {number}（{name}）意外退出（{how}），{seconds} 秒后重启；{zh}。",
        "Node {number} ({name}) ended unexpectedly ({how}) and is started again in {seconds} s; {en}."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_damaged_node_does_not_keep_the_others_from_going_on() {
        let three = [true, true, false, true];
        assert_eq!(readiness(&three, &[0, 0, 0, 0]), Readiness::Enough(true));
        assert_eq!(readiness(&three, &[0, 0, DEATHS_MAX, 0]), Readiness::Enough(false));
        assert_eq!(readiness(&[true; 4], &[0, 0, 1, 0]), Readiness::All);
        let two = [true, false, false, true];
        assert_eq!(readiness(&two, &[0, DEATHS_MAX, 0, 0]), Readiness::NotYet);
        assert_eq!(readiness(&two, &[0, DEATHS_MAX, DEATHS_MAX, 0]), Readiness::Never);
    }
}
