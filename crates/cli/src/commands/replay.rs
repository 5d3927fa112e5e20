//! `zhulian procedure replay`: an event log replayed on a procedure, in words, in JSON, and as a picture of its variants.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use zhulian_procedure::{
    Definitions, Process,
    replay::{Conformance, HandOffs, Log, LogError, Variant, replay},
};

use super::rules::source::read_text;
use crate::{
    failure::{AtPath as _, Exit, Failure, Result},
    private_file,
    report::Report,
    text,
    text::{Text, grouped},
};

/// Largest log that is read, in bytes.
const LOG_BYTES_MAX: u64 = 256 << 20;
/// Variants in the table and in the picture.
const VARIANTS_SHOWN: usize = 20;
/// Pairs and places that are listed.
const LISTED: usize = 10;

/// Options of `procedure replay`.
#[derive(Args, Debug)]
pub struct Replay {
    /// A BPMN 2.0 file (BPMN 2.0 文件)
    pub file: PathBuf,
    /// The event log: XES, or CSV with the columns case:concept:name, concept:name and time:timestamp (事件日志：XES，或含 case:concept:name、concept:name、time:timestamp 列的 CSV)
    #[arg(long, value_name = "FILE")]
    pub log: PathBuf,
    /// The process in the file, when there are several (文件中的流程标识，多于一个时须指明)
    #[arg(long, value_name = "ID")]
    pub process: Option<String>,
    /// Write a picture of the most frequent variants, SVG (输出常见变体的图，SVG)
    #[arg(long, value_name = "FILE.svg")]
    pub picture: Option<PathBuf>,
}

/// Replays a log.
///
/// # Errors
/// When a file cannot be read or written, or the process has elements that logs are not replayed on.
pub fn run(args: &Replay) -> Result<Report> {
    let shown = args.file.display();
    let definitions = Definitions::parse(&read_text(&args.file)?).map_err(|refusals| {
        Failure::new(Exit::Failed, "procedure.refused", text!("{shown} 不会被接受", "{shown} would not be accepted"))
            .why(
                refusals
                    .first()
                    .map(|refusal| Text { zh: refusal.zh().into(), en: refusal.en().into() })
                    .unwrap_or(text!("", "")),
            )
            .next(text!("逐项查看：zhulian procedure check {shown}", "For all of it: zhulian procedure check {shown}"))
    })?;
    let process = chosen(&definitions, args.process.as_deref())?;
    let log = read_log(&args.log)?;
    let found = replay(process, &log).map_err(|error| {
        Failure::new(
            Exit::Failed,
            "procedure.not_replayed",
            text!("不能在 {shown} 上重放日志", "logs cannot be replayed on {shown}"),
        )
        .why(crate::failure::library_reason(&error.to_string()))
    })?;
    if let Some(path) = &args.picture {
        private_file::write_public(path, picture(&process.name, &found).as_bytes())?;
    }
    Ok(report(&found, args))
}

fn chosen<'d>(definitions: &'d Definitions, named: Option<&str>) -> Result<&'d Process> {
    let all = definitions.processes.iter().map(|process| process.id.as_str()).collect::<Vec<_>>().join(", ");
    match (named, &definitions.processes[..]) {
        (None, [only]) => Ok(only),
        (Some(id), _) if definitions.process(id).is_some() => {
            Ok(definitions.process(id).unwrap_or(&definitions.processes[0]))
        }
        _ => Err(Failure::new(
            Exit::Usage,
            "procedure.process",
            text!("请指明流程：{all}", "name the process, one of: {all}"),
        )
        .next(Text::fixed("--process 标识", "--process ID"))),
    }
}

fn read_log(path: &Path) -> Result<Log> {
    let shown = path.display();
    let unreadable = |why: Text| {
        Failure::new(
            Exit::Failed,
            "log.unreadable",
            text!("{shown} 不是可读的事件日志", "{shown} is no event log that can be read"),
        )
        .why(why)
        .next(Text::fixed("需要 XES，或带列名的 CSV", "it must be XES, or CSV with column names"))
    };
    if std::fs::metadata(path).at(path)?.len() > LOG_BYTES_MAX {
        return Err(unreadable(why(&LogError::TooLarge)));
    }
    let text = String::from_utf8(std::fs::read(path).at(path)?)
        .map_err(|_| unreadable(Text::fixed("不是 UTF-8 文本", "it is not UTF-8 text")))?;
    Log::parse(&text).map_err(|error| unreadable(why(&error)))
}

/// Why a log is not read.
fn why(error: &LogError) -> Text {
    let zh = match error {
        LogError::TooLarge => "文件超过 256 MiB 或事件过多".into(),
        LogError::Line(line) => format!("第 {line} 行的字段数与首行不符"),
        LogError::Column(column) => format!("缺少列 {column}"),
        LogError::Xes(detail) => format!("不是事件日志：{detail}"),
    };
    Text { zh: zh.into(), en: error.to_string().into() }
}

/// Millionths as `0.993`.
fn share(millionths: u32) -> String {
    format!("{}.{:03}", millionths / 1_000_000, millionths % 1_000_000 / 1_000)
}

/// A length of time in days, to a tenth.
fn days(ms: i64) -> Text {
    let tenths = ms / 8_640_000;
    let (whole, tenth) = (tenths / 10, tenths % 10);
    text!("{whole}.{tenth} 天", "{whole}.{tenth} days")
}

fn report(found: &Conformance, args: &Replay) -> Report {
    let (cases, fitting, all) = (grouped(found.cases), grouped(found.fitting), found.variants.len());
    let fitting_variants = found.variants.iter().filter(|variant| variant.fits).count();
    let mut report = Report::new(
        text!(
            "{cases} 件办件中 {fitting} 件符合流程（{all} 种变体中 {fitting_variants} 种）。",
            "{fitting} of {cases} cases fit the procedure ({fitting_variants} of {all} variants)."
        ),
        document(found),
    )
    .fact(Text::fixed("令牌重放拟合度", "token-replay fitness"), {
        let (whole, mean) = (share(found.fitness), share(found.mean_fitness));
        text!("{whole}（逐件平均 {mean}）", "{whole} (mean of the cases {mean})")
    })
    .fact(Text::fixed("人员交接", "hand-offs between people"), handed(&found.resources))
    .fact(Text::fixed("部门交接", "hand-offs between groups"), handed(&found.groups));
    let late = &found.deadlines;
    if late.with_deadline > 0 {
        let (ended, ended_late, open_late) = (late.ended, late.ended_late, late.open_late);
        let median = days(late.median_late_ms);
        let (zh, en) = (&median.zh, &median.en);
        report = report.fact(
            Text::fixed("超期", "late"),
            text!(
                "{ended} 件已结中 {ended_late} 件超期（中位数 {zh}）；另有 {open_late} 件未结且已过期限",
                "{ended_late} of {ended} that ended (median {en}); {open_late} more are open past their deadline"
            ),
        );
    }
    let saved = &found.saved;
    if saved.cases > 0 && saved.total_ms > 0 {
        let percent = 1_000 * i128::from(saved.saved_ms) / i128::from(saved.total_ms);
        let (whole, tenth, cases) = (percent / 10, percent % 10, grouped(saved.cases));
        let each = days(saved.saved_ms / i64::try_from(saved.cases).unwrap_or(i64::MAX));
        let (zh, en) = (&each.zh, &each.en);
        report = report.fact(
            Text::fixed("可省的等待", "waiting that could be saved"),
            text!(
                "符合流程的 {cases} 件中，可并行而未并行的等待占时长的 {whole}.{tenth}%(平均每件 {zh})",
                "in the {cases} cases that fit, {whole}.{tenth} % of their time was waiting for what could be done side by side ({en} a case)"
            ),
        );
    }
    for (activity, before, count) in found.refused.iter().take(LISTED) {
        report = report.fact(
            Text::fixed("流程会拒绝", "would be refused"),
            text!("“{activity}”（在“{before}”之后）：{count} 件", "{activity} (after {before}): {count} cases"),
        );
    }
    for (activity, count) in found.stopped.iter().take(LISTED) {
        report = report.fact(
            Text::fixed("未到结束即止", "stopped before the end"),
            text!("在“{activity}”之后：{count} 件", "after {activity}: {count} cases"),
        );
    }
    if found.ended_early > 0 {
        let (early, all) = (found.ended_early, found.stopped.iter().map(|(_, count)| count).sum::<u64>());
        report = report.fact(
            Text::fixed("未走完即办结", "ended early"),
            text!("上述 {all} 件中有 {early} 件已记为办结", "{early} of these {all} cases are recorded as ended"),
        );
    }
    for (activity, count) in found.unknown.iter().take(LISTED) {
        report = report.fact(
            Text::fixed("流程中没有的活动", "not in the procedure"),
            text!("“{activity}”：{count} 次", "{activity}: {count} times"),
        );
    }
    let head = [("件数", "cases"), ("符合", "fits"), ("拟合度", "fitness"), ("活动次序", "activities in order")];
    let rows = found.variants.iter().take(VARIANTS_SHOWN).map(|variant| {
        vec![
            grouped(variant.cases).into(),
            if variant.fits { text!("是", "yes") } else { text!("否", "no") },
            share(variant.fitness).into(),
            variant.activities.iter().map(|name| short(name)).collect::<Vec<_>>().join(" ").into(),
        ]
    });
    report = report.table(head.map(|(zh, en)| Text::fixed(zh, en)).into(), rows.collect());
    match &args.picture {
        Some(path) => report.next({
            let shown = path.display();
            text!("变体图已写入 {shown}。", "The picture of the variants is in {shown}.")
        }),
        None => report,
    }
}

fn handed(found: &HandOffs) -> Text {
    let (total, cases) = (grouped(found.total), grouped(found.cases));
    let most =
        found.pairs.first().map(|(from, to, count)| format!("{from} → {to} ({})", grouped(*count))).unwrap_or_default();
    text!("{cases} 件中共 {total} 次；最多：{most}", "{total} in {cases} cases; most often {most}")
}

/// The first word of an activity, which often is its code.
fn short(name: &str) -> String {
    name.split_whitespace().next().unwrap_or_default().chars().take(12).collect()
}

fn document(found: &Conformance) -> Value {
    let variant = |variant: &Variant| {
        json!({
            "activities": variant.activities,
            "cases": variant.cases,
            "fits": variant.fits,
            "refused_at": variant.refused_at,
            "fitness_millionths": variant.fitness,
        })
    };
    let hand_offs = |found: &HandOffs| {
        let pair = |(from, to, count): &(String, String, u64)| json!({ "from": from, "to": to, "count": count });
        json!({ "total": found.total, "cases": found.cases, "pairs": found.pairs.iter().map(pair).collect::<Vec<_>>() })
    };
    let [produced, consumed, missing, remaining] = found.tokens;
    json!({
        "cases": found.cases,
        "events": found.events,
        "fitting": found.fitting,
        "fitness_millionths": found.fitness,
        "mean_fitness_millionths": found.mean_fitness,
        "tokens": { "produced": produced, "consumed": consumed, "missing": missing, "remaining": remaining },
        "refused": found.refused.iter().map(|(activity, after, cases)| json!({ "activity": activity, "after": after, "cases": cases })).collect::<Vec<_>>(),
        "stopped": found.stopped.iter().map(|(after, cases)| json!({ "after": after, "cases": cases })).collect::<Vec<_>>(),
        "ended_early": found.ended_early,
        "unknown": found.unknown,
        "never": found.never,
        "hand_offs": { "resources": hand_offs(&found.resources), "groups": hand_offs(&found.groups) },
        "deadlines": {
            "with_deadline": found.deadlines.with_deadline,
            "ended": found.deadlines.ended,
            "ended_late": found.deadlines.ended_late,
            "last_event_late": found.deadlines.last_event_late,
            "open_late": found.deadlines.open_late,
            "median_late_ms": found.deadlines.median_late_ms,
        },
        "saved": {
            "cases": found.saved.cases,
            "shorter": found.saved.shorter,
            "total_ms": found.saved.total_ms,
            "saved_ms": found.saved.saved_ms,
        },
        "variants": found.variants.iter().map(variant).collect::<Vec<_>>(),
    })
}

/// A row for each of the most frequent variants: how many cases, and a box for each activity; the first that is refused has a thick edge.
fn picture(title: &str, found: &Conformance) -> String {
    use std::fmt::Write as _;
    const ROW: usize = 30;
    const BOX: usize = 74;
    const LEFT: usize = 150;
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let shown = &found.variants[..found.variants.len().min(VARIANTS_SHOWN)];
    let mut names: Vec<&str> = shown.iter().flat_map(|variant| &variant.activities).map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let longest = shown.iter().map(|variant| variant.activities.len()).max().unwrap_or(0);
    let (width, height) = (LEFT + longest * BOX + 20, 60 + shown.len() * ROW);
    let mut out = String::new();
    let _ = writeln!(
        out,
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/><text x="10" y="24" font-size="15">{} · {} / {} variants</text>"##,
        escape(title),
        shown.len(),
        found.variants.len()
    );
    for (row, variant) in shown.iter().enumerate() {
        let y = 44 + row * ROW;
        let mark = if variant.fits { "✓" } else { "✗" };
        let _ = writeln!(out, r#"<text x="10" y="{}">{mark} {} cases</text>"#, y + 16, grouped(variant.cases));
        for (at, name) in variant.activities.iter().enumerate() {
            let hue = 360 * names.binary_search(&name.as_str()).unwrap_or(0) / names.len().max(1);
            let edge = if variant.refused_at == Some(at) { r##" stroke="#c00" stroke-width="3""## } else { "" };
            let x = LEFT + at * BOX;
            let _ = writeln!(
                out,
                r#"<g><title>{}</title><rect x="{x}" y="{y}" width="{}" height="{}" rx="4" fill="hsl({hue} 60% 82%)"{edge}/><text x="{}" y="{}" text-anchor="middle">{}</text></g>"#,
                escape(name),
                BOX - 6,
                ROW - 6,
                x + BOX / 2 - 3,
                y + 16,
                escape(&short(name).chars().take(9).collect::<String>())
            );
        }
    }
    out.push_str("</svg>\n");
    out
}
