//! `zhulian procedure`: procedures drawn in BPMN, checked and played offline, and deployed with the pack they belong to.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use serde_json::json;
use zhulian_api::Query;
use zhulian_execution::Event as _;
use zhulian_modules::{
    procedure::Progressed,
    rulepack::{Item, ItemKind},
};
use zhulian_procedure::{
    Definitions, Refusal, check,
    instance::What,
    simulate::{Play, play},
    xes::{Entry, log},
};

use super::rules::{
    act::{Publish, publish},
    source::{Source, read_file, read_text},
};
use crate::{
    failure::{AtPath as _, Exit, Failure, Result},
    remote::Remote,
    report::Report,
    session::Session,
    text,
    text::{Text, several},
};

/// Most things done from outside in one play.
const STEPS_MAX: usize = 10_000;

/// Check procedures drawn in BPMN, play and deploy them (流程：检查、模拟与部署)
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Say whether a BPMN file would be accepted, else each fault with its remedy (检查流程能否被接受，逐项指出问题与改法)
    Check(Check),
    /// Check a BPMN file, put its pack on the ledger and move to enact it; signed by a representative (检查流程，发布其规则包并提出生效动议)
    Deploy(Deploy),
    /// Write what happened to every case as an event log, XES (IEEE 1849), for process-mining tools (导出办件事件日志)
    Log(Log),
    /// Replay an event log on a BPMN file: what fits, what would have been refused, what was late or handed over (在流程上重放事件日志：符合度、会被拒绝的步骤、超期与交接)
    Replay(super::replay::Replay),
    /// Play a BPMN file with ways chosen by a seed, and tell where it went (随机模拟流程运行)
    Simulate(Simulate),
}

/// Options of `procedure check`.
#[derive(Args, Debug)]
pub struct Check {
    /// A BPMN 2.0 file (BPMN 2.0 文件)
    pub file: PathBuf,
}

/// Options of `procedure simulate`.
#[derive(Args, Debug)]
pub struct Simulate {
    /// A BPMN 2.0 file (BPMN 2.0 文件)
    pub file: PathBuf,
    /// How often each process is played (每个流程模拟次数)
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub plays: u64,
    /// The first seed; equal seeds choose equal ways (起始种子，相同种子路径相同)
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Options of `procedure deploy`.
#[derive(Args, Debug)]
pub struct Deploy {
    /// A BPMN 2.0 file of a pack (规则包中的 BPMN 2.0 文件)
    pub file: PathBuf,
    /// The pack's description; default the pack.json beside the file (规则包说明；默认为同一目录下的 pack.json)
    #[arg(long, value_name = "pack.json")]
    pub pack: Option<PathBuf>,
    /// Only put it on the ledger, without a motion (只提交草案，不提动议)
    #[arg(long)]
    pub draft_only: bool,
}

/// Options of `procedure log`.
#[derive(Args, Debug)]
pub struct Log {
    /// The file to write (输出文件)
    pub file: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// When a file cannot be read or written, or the gateway cannot be asked.
pub fn run(session: &Session, command: &Command) -> Result<Report> {
    match command {
        Command::Log(args) => logged(session, args),
        Command::Deploy(args) => deployed(session, args),
        Command::Check(args) => checked(args),
        Command::Replay(args) => super::replay::run(args),
        Command::Simulate(args) => simulated(args),
    }
}

/// Publishes the pack that a procedure belongs to: a procedure is voted in with the decisions, periods and offices it uses.
fn deployed(session: &Session, args: &Deploy) -> Result<Report> {
    let report = checked(&Check { file: args.file.clone() })?;
    if report.exit != Exit::Done {
        return Ok(report);
    }
    let beside = args.file.parent().unwrap_or(Path::new(".")).join("pack.json");
    let source = Source { file: args.pack.clone().unwrap_or(beside), import: Vec::new() };
    let (shown, pack) = (args.file.display(), source.file.display());
    let digest = zhulian_crypto::sha256(&read_file(&args.file)?);
    let read = source.read()?;
    let is_it = |item: &Item| item.kind == ItemKind::Procedure && item.sha256 == digest;
    if !read.manifest.items.iter().any(is_it) {
        return Err(Failure::new(
            Exit::Usage,
            "pack",
            text!("规则包 {pack} 中没有流程 {shown}", "the pack {pack} does not hold the procedure {shown}"),
        )
        .next(Text::fixed(
            "在 pack.json 的 files 中加入 {\"kind\": \"procedure\", \"file\": 文件名}，或用 --pack 指定规则包",
            "add {\"kind\": \"procedure\", \"file\": NAME} to the files in pack.json, or name the pack with --pack",
        )));
    }
    publish(session, &Publish { source, draft_only: args.draft_only })
}

/// Reads every transaction of cases from the gateway, verifies its receipt where a network is trusted, and writes the log.
fn logged(session: &Session, args: &Log) -> Result<Report> {
    let remote = Remote::new(session)?;
    let network = session.home().and_then(|home| home.network()).ok();
    let (mut rows, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let query = Query::new().with("module", Some("procedure")).with("limit", Some(100)).with("cursor", cursor.take());
        let page = remote.call(remote.client.transactions(query))?;
        rows.extend(page.items.into_iter().filter(|row| row.refusal.is_none()));
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    rows.sort_by_key(|row| (row.height, row.index));
    let mut entries = Vec::new();
    for row in &rows {
        let bytes = remote.call(remote.client.receipt(row.id))?;
        let refused = |refusal: zhulian_verify::Refusal| {
            let id = row.id.to_string();
            Failure::new(
                Exit::NoProof,
                refusal.code(),
                text!("交易 {id} 的回执不能作为证明", "the receipt of {id} proves nothing"),
            )
        };
        let events = match &network {
            Some(network) => zhulian_verify::verify_receipt(network, &bytes).map_err(refused)?.events,
            None => super::rules::rerun::unproven_events(&bytes).map_err(refused)?,
        };
        for step in events.iter().filter_map(Progressed::of) {
            let at = i64::try_from(row.time_ms).unwrap_or(i64::MAX);
            entries.extend(step.lines.into_iter().filter(|line| line.number > 0).map(|line| Entry {
                case: step.case.to_string(),
                activity: line.element,
                number: line.number,
                what: line.what,
                at,
                organisation: step.organisation.to_string(),
                member: step.member.to_string(),
            }));
        }
    }
    std::fs::write(&args.file, log(&entries)).at(&args.file)?;
    let mut cases: Vec<&str> = entries.iter().map(|entry| entry.case.as_str()).collect();
    cases.sort_unstable();
    cases.dedup();
    let (shown, cases, events) = (args.file.display(), cases.len(), entries.len());
    let (of_cases, of_events) = (several(cases, "case"), several(events, "event"));
    let report = Report::new(
        text!("已写入 {shown}：{cases} 件办件，{events} 个事件。", "{shown} is written: {of_cases}, {of_events}."),
        json!({ "file": args.file.display().to_string(), "cases": cases, "events": events, "verified": network.is_some() }),
    );
    Ok(match network {
        Some(_) => report,
        None => report.next(Text::fixed(
            "未核验回执：没有可信的网络身份文件。",
            "The receipts are not verified: there is no trusted network identity.",
        )),
    })
}

fn checked(args: &Check) -> Result<Report> {
    let definitions = match Definitions::parse(&read_text(&args.file)?) {
        Ok(definitions) => definitions,
        Err(refusals) => return Ok(refused(&args.file, &refusals)),
    };
    let (mut refusals, mut rows, mut list) = (Vec::new(), Vec::new(), Vec::new());
    for process in &definitions.processes {
        match check(process) {
            Ok(explored) => {
                let (nodes, states) = (process.nodes.len(), explored.states);
                let materials: Vec<&str> = process.materials().map(|(name, _)| name).collect();
                rows.push(vec![
                    process.id.as_str().into(),
                    process.name.as_str().into(),
                    nodes.to_string().into(),
                    states.to_string().into(),
                ]);
                list.push(json!({
                    "process": process.id,
                    "name": process.name,
                    "elements": nodes,
                    "states": states,
                    "materials": materials,
                }));
            }
            Err(found) => refusals.extend(found),
        }
    }
    if !refusals.is_empty() {
        return Ok(refused(&args.file, &refusals));
    }
    let shown = args.file.display();
    let report = Report::new(
        text!(
            "{shown} 会被接受：没有永久等待，每个结束都可到达，每项任务都有责任主体。",
            "{shown} would be accepted: nothing waits for ever, every end can be reached, every task is somebody's duty."
        ),
        json!({ "accepted": true, "processes": list }),
    );
    let head = [("流程", "process"), ("名称", "name"), ("元素", "elements"), ("状态", "states")];
    Ok(report.table(head.map(|(zh, en)| Text::fixed(zh, en)).into(), rows))
}

/// The report of a file that would not be accepted: every fault with its remedy.
fn refused(path: &Path, refusals: &[Refusal]) -> Report {
    let (shown, count) = (path.display(), refusals.len());
    let rows = refusals.iter().map(|refusal| {
        let ((zh, remedy_zh), (en, remedy_en)) = (refusal.texts_zh(), refusal.texts_en());
        let what =
            Text { zh: format!("{zh}（{}）", refusal.detail).into(), en: format!("{en} ({})", refusal.detail).into() };
        vec![refusal.element.as_str().into(), refusal.name.as_str().into(), what, Text::fixed(remedy_zh, remedy_en)]
    });
    let list: Vec<_> = refusals
        .iter()
        .map(|refusal| {
            let ((zh, remedy_zh), (en, remedy_en)) = (refusal.texts_zh(), refusal.texts_en());
            json!({
                "element": refusal.element,
                "name": refusal.name,
                "detail": refusal.detail,
                "what": { "zh": zh, "en": en },
                "remedy": { "zh": remedy_zh, "en": remedy_en },
            })
        })
        .collect();
    let head = [("元素", "element"), ("名称", "name"), ("问题", "fault"), ("改法", "remedy")];
    let report = Report::new(
        text!("{shown} 不会被接受：{count} 处问题。", "{shown} would not be accepted; faults: {count}."),
        json!({ "accepted": false, "refusals": list }),
    )
    .exit(Exit::Failed)
    .table(head.map(|(zh, en)| Text::fixed(zh, en)).into(), rows.collect());
    match path.extension().is_some_and(|kind| kind == "dmn") {
        true => report.next(text!("决策用 zhulian rules check {shown} 检查", "for decisions: zhulian rules check {shown}")),
        false => report,
    }
}

fn simulated(args: &Simulate) -> Result<Report> {
    let definitions = match Definitions::parse(&read_text(&args.file)?) {
        Ok(definitions) => definitions,
        Err(refusals) => return Ok(refused(&args.file, &refusals)),
    };
    let (mut rows, mut list, mut whole) = (Vec::new(), Vec::new(), true);
    for process in &definitions.processes {
        let (mut ended, mut longest, mut faults) = (0u64, 0, BTreeMap::<String, u64>::new());
        let mut reached: BTreeMap<String, u64> = process.nodes.iter().map(|node| (node.id.clone(), 0)).collect();
        let mut first: Option<Play> = None;
        for seed in 0..args.plays {
            match play(&definitions, &process.id, args.seed.wrapping_add(seed), STEPS_MAX) {
                Ok(played) => {
                    ended += u64::from(played.ended);
                    longest = longest.max(played.steps);
                    let entered =
                        played.trace.iter().filter(|trace| trace.what == What::Entered && trace.procedure == process.id);
                    let mut seen: Vec<&str> = entered.map(|trace| trace.element.as_str()).collect();
                    seen.sort_unstable();
                    seen.dedup();
                    seen.into_iter().for_each(|id| *reached.entry(id.to_owned()).or_default() += 1);
                    first.get_or_insert(played);
                }
                Err(fault) => *faults.entry(fault.to_string()).or_default() += 1,
            }
        }
        whole &= ended == args.plays;
        let never: Vec<&str> = reached.iter().filter(|(_, times)| **times == 0).map(|(id, _)| id.as_str()).collect();
        let way: Vec<String> = first
            .iter()
            .flat_map(|played| &played.trace)
            .map(|trace| {
                let mark = match trace.what {
                    What::Entered => "",
                    What::Completed => "-",
                    What::Cancelled => "x",
                    What::Failed => "!",
                };
                format!("{mark}{}", trace.element)
            })
            .collect();
        let shown = |texts: &[&str]| if texts.is_empty() { "-".to_owned() } else { texts.join(", ") };
        rows.push(vec![
            process.id.as_str().into(),
            format!("{ended}/{}", args.plays).into(),
            longest.to_string().into(),
            shown(&never).into(),
            shown(&faults.keys().map(String::as_str).collect::<Vec<_>>()).into(),
        ]);
        list.push(json!({
            "process": process.id,
            "plays": args.plays,
            "ended": ended,
            "longest": longest,
            "reached": reached,
            "faults": faults,
            "first": way,
        }));
    }
    let (shown, plays) = (args.file.display(), args.plays);
    let sentence = match whole {
        true => text!(
            "{shown}：每个流程模拟 {plays} 次，均到达结束。",
            "{shown}: each process was played {plays} times, and always came to an end."
        ),
        false => text!("{shown}：并非每次模拟都到达结束。", "{shown}: not every play came to an end."),
    };
    let head = [
        ("流程", "process"),
        ("到达结束", "ended"),
        ("最长步数", "longest"),
        ("从未到达", "never reached"),
        ("故障", "faults"),
    ];
    let report = Report::new(sentence, json!({ "ended": whole, "processes": list }));
    let report = if whole { report } else { report.exit(Exit::Failed) };
    Ok(report.table(head.map(|(zh, en)| Text::fixed(zh, en)).into(), rows))
}
