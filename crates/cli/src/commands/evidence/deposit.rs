//! `zhulian evidence deposit`: files and folders onto the ledger, a receipt of each into the depositor's hands.

use std::path::PathBuf;

use clap::Args;
use futures::StreamExt as _;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use rayon::prelude::*;
use serde_json::{Value, json};
use zhulian_modules::evidence::BATCH_ENTRIES_MAX;

use super::details::Details;
use crate::{
    deposit::{Bars, BatchDone, Depositor, Done, Job, Place, Totals},
    failure::{Exit, Failure, Result},
    hashing::{self, Found, Skipped},
    opening::Secret,
    private_file,
    remote::{Remote, beijing},
    report::Report,
    session::Session,
    text,
    text::{Text, bytes, grouped, quoted, several},
};

/// Options of `evidence deposit`.
#[derive(Args, Debug)]
pub struct Deposit {
    /// Files and folders; folders are walked, receipts (.zlr) in them passed over (文件和目录；目录会逐层读取，其中的回执 .zlr 跳过)
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// One transaction for all files; each still gets a receipt of its own (批量存证)
    #[arg(long)]
    pub batch: bool,
    /// Where receipts go; default FILE.zlr beside a file, FOLDER.receipts for a folder (回执目录)
    #[arg(long, value_name = "DIR")]
    pub receipts: Option<PathBuf>,
    /// Save the certificate of each deposit as PDF, too (同时出具证书)
    #[arg(long)]
    pub certificate: bool,
    /// Do not look for earlier deposits and receipts; needed after a withdrawal (不查找此前的存证和回执；停止使用后重新存证时需要)
    #[arg(long)]
    pub again: bool,
    /// Do not commit to the files' names; otherwise a receipt can prove a name later, which stays secret until then (不对文件名作承诺；作了承诺，日后可用回执证明文件名，在此之前文件名保密)
    #[arg(long)]
    pub no_name: bool,
    /// What to tell about the files.
    #[command(flatten)]
    pub details: Details,
}

/// Rows of a table; more than these are a file's business, not a screen's.
const ROWS_MAX: usize = 20;

/// A bar for bytes that are hashed.
pub fn hashing_bar(session: &Session, total: u64) -> ProgressBar {
    if !session.shows_progress() {
        return ProgressBar::hidden();
    }
    let label = Text::fixed("计算摘要", "hashing   ");
    let bar = ProgressBar::new(total);
    let template = format!("{} {{bar:30}} {{bytes}}/{{total_bytes}} {{bytes_per_sec}}", label.get(session.lang));
    bar.set_style(ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

fn bars(session: &Session, found: &[Found]) -> Bars {
    if !session.shows_progress() {
        return Bars::hidden();
    }
    let all = MultiProgress::new();
    let hashing = all.add(hashing_bar(session, found.iter().map(|file| file.size).sum()));
    let label = Text::fixed("存证    ", "depositing");
    let depositing = all.add(ProgressBar::new(found.len() as u64));
    let template = format!("{} {{bar:30}} {{pos}}/{{len}} {{per_sec}} {{eta}}", label.get(session.lang));
    depositing.set_style(ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    Bars { hashing, depositing }
}

/// Runs the command.
///
/// # Errors
/// When nothing could be deposited at all.
pub fn run(session: &Session, args: &Deposit) -> Result<Report> {
    let network = session.home()?.network()?;
    let home = session.home()?;
    let secret = Secret::of(&home)?;
    let details = args.details.encode(&secret)?;
    let (found, skipped) = hashing::find(&args.paths);
    if found.is_empty() {
        return Err(nothing(&skipped));
    }
    let remote = Remote::new(session)?;
    let status = remote.running(&network)?;
    let (_, key) = session.signing_key()?;
    let mut depositor = Depositor::new(remote.client.clone(), network, key, details, status.height);
    depositor.timeout = session.timeout();
    depositor.again = args.again;
    depositor.names = (!args.no_name).then_some(secret);

    let count = found.len();
    if args.batch && count as u64 > BATCH_ENTRIES_MAX {
        let (given, most) = (grouped(count as u64), grouped(BATCH_ENTRIES_MAX));
        return Err(Failure::new(
            Exit::Usage,
            "deposit.batch_too_large",
            text!(
                "一个批次最多 {most} 个文件，现有 {given} 个",
                "a batch holds {most} files at most, and these are {given}"
            ),
        )
        .next(Text::fixed("请分几个目录、分批存证", "deposit them in several batches, folder by folder")));
    }
    let bars = bars(session, &found);
    let place = Place { dir: args.receipts.clone(), several: args.paths.len() > 1 };
    let (mut totals, batch) = if args.batch {
        let (jobs, mut unread) = hash_all(found, &place, &bars);
        if jobs.is_empty() {
            unread.extend(skipped);
            return Err(nothing(&unread));
        }
        let dir = place.of_batch(&jobs[0].file);
        let mut batch = remote.run(depositor.batch(jobs, &dir, &bars))?;
        let mut totals = std::mem::take(&mut batch.totals);
        totals.skipped = unread;
        (totals, Some(batch))
    } else {
        (remote.run(depositor.singly(hash_ahead(found, place, &bars), &bars)), None)
    };
    totals.skipped.extend(skipped);
    bars.hashing.finish_and_clear();
    bars.depositing.finish_and_clear();
    if totals.done.is_empty() {
        // Nothing was deposited: an error with its reason says more than a report of nothing.
        if let Some(stopped) = totals.stopped {
            return Err(stopped.next(Text::fixed(
                "网络恢复后再次执行同一命令，已完成的不会重复",
                "when the network is back, run the same command again; what is done is not done twice",
            )));
        }
        if let ([(_, failure)], []) = (&totals.failed[..], &totals.skipped[..]) {
            return Err(failure.clone());
        }
    }
    let certificates = if args.certificate { certificates(&remote, &totals) } else { Vec::new() };
    let mut report = report(&totals, batch.as_ref(), count, &certificates, session.options.json);
    if args.details.is_told() && totals.done.iter().any(|done| done.already) {
        report.next.insert(
            0,
            Text::fixed(
                "此前已存证的文件以首次存证为准，本次所附的存证说明未被记录。",
                "For files deposited before, the first deposit stands: what you told about them this time was not recorded.",
            ),
        );
    }
    Ok(report)
}

fn nothing(skipped: &[Skipped]) -> Failure {
    let failure =
        Failure::new(Exit::Failed, "deposit.nothing", Text::fixed("没有可以存证的文件", "there is no file to deposit"));
    let names = |get: fn(&Text) -> &str| {
        skipped.iter().map(|it| format!("{}: {}", it.path.display(), get(&it.why))).collect::<Vec<_>>().join("; ")
    };
    match skipped {
        [] => failure.why(Text::fixed("所给目录中没有文件", "the folders that were named hold no files")),
        _ => failure.why(Text { zh: names(|text| &text.zh).into(), en: names(|text| &text.en).into() }),
    }
}

/// Hashes on all processors, a bounded number of files ahead of the deposits.
fn hash_ahead(
    found: Vec<Found>,
    place: Place,
    bars: &Bars,
) -> impl futures::Stream<Item = std::result::Result<Job, Skipped>> + use<> {
    let (send, receive) = tokio::sync::mpsc::channel(512);
    let bar = bars.hashing.clone();
    std::thread::spawn(move || {
        for part in found.chunks(256) {
            let jobs: Vec<_> = part.par_iter().map(|file| job(file.clone(), &place, &bar)).collect();
            for job in jobs {
                // Nobody receives any more: the deposits have stopped.
                if send.blocking_send(job).is_err() {
                    return;
                }
            }
        }
    });
    futures::stream::unfold(receive, |mut receive| async move { Some((receive.recv().await?, receive)) }).boxed()
}

fn hash_all(found: Vec<Found>, place: &Place, bars: &Bars) -> (Vec<Job>, Vec<Skipped>) {
    let jobs: Vec<_> = found.into_par_iter().map(|file| job(file, place, &bars.hashing)).collect();
    let (mut good, mut bad) = (Vec::with_capacity(jobs.len()), Vec::new());
    for job in jobs {
        match job {
            Ok(job) => good.push(job),
            Err(skipped) => bad.push(skipped),
        }
    }
    (good, bad)
}

fn job(file: Found, place: &Place, bar: &ProgressBar) -> std::result::Result<Job, Skipped> {
    let hashed = hashing::hash(&file.path, bar)?;
    Ok(Job { receipt: place.of(&file), file, hashed })
}

/// A certificate beside each receipt; what cannot be had is reported, and is no reason to call the deposit failed.
fn certificates(remote: &Remote, totals: &Totals) -> Vec<(PathBuf, Result<PathBuf>)> {
    let one = |done: &Done| {
        let path = done.receipt.with_extension("pdf");
        let pdf = remote.call(remote.client.certificate(&done.number));
        let saved = pdf.and_then(|pdf| private_file::write_public(&path, &pdf).map(|()| path));
        (done.file.path.clone(), saved)
    };
    totals.done.iter().map(one).collect()
}

fn report(
    totals: &Totals,
    batch: Option<&BatchDone>,
    found: usize,
    certificates: &[(PathBuf, Result<PathBuf>)],
    as_json: bool,
) -> Report {
    let fresh = totals.done.iter().filter(|done| !done.already).count();
    let already = totals.done.len() - fresh;
    let (failed, skipped) = (totals.failed.len(), totals.skipped.len());
    let unsent = batch.is_some_and(|batch| batch.uploaded.is_err());
    let lost = certificates.iter().filter(|(_, saved)| saved.is_err()).count() + usize::from(unsent);
    let (f, a) = (grouped(fresh as u64), grouped(already as u64));
    let (files, are) = (several(fresh, "file"), if fresh == 1 { "is" } else { "are" });
    let (deposits, was) =
        (if fresh == 1 { "its deposit is" } else { "their deposits are" }, if already == 1 { "was" } else { "were" });
    let mut sentence = match (fresh, already) {
        (0, 0) => text!("没有文件存证成功。", "No file was deposited."),
        (1, 0) => text!("存证成功，已获最终确认。", "The file is deposited, and the deposit is final."),
        (_, 0) => text!("{f} 个文件存证成功，均已获最终确认。", "{f} files are deposited, and their deposits are final."),
        (0, 1) => text!("该文件此前已存证，回执齐备。", "The file was deposited before; its receipt is here."),
        (0, _) => {
            text!("{a} 个文件此前均已存证，回执齐备。", "All {a} files were deposited before; their receipts are here.")
        }
        _ => text!(
            "{f} 个文件存证成功，均已获最终确认；另有 {a} 个此前已存证。",
            "{files} {are} deposited, and {deposits} final; {a} more {was} deposited before."
        ),
    };
    let mut add = |more: Text| {
        sentence =
            Text { zh: format!("{}{}", sentence.zh, more.zh).into(), en: format!("{} {}", sentence.en, more.en).into() };
    };
    if failed > 0 {
        add(text!("{failed} 个文件未能存证。", "{failed} could not be deposited."));
    }
    match skipped {
        0 => {}
        1 => add(text!("1 个文件被跳过。", "1 was skipped.")),
        _ => add(text!("{skipped} 个文件被跳过。", "{skipped} were skipped.")),
    }
    let open = found.saturating_sub(totals.done.len() + failed + totals.skipped.len());
    if totals.stopped.is_some() {
        let left = several(open, "file");
        add(text!("中途停止，尚有约 {open} 个文件未处理。", "It stopped on the way, with about {left} to go."));
    }
    let mut report = Report::new(sentence, if as_json { json(totals, batch, certificates) } else { Value::Null })
        .exit(exit(totals, lost));
    report = match (&totals.done[..], batch) {
        ([done], None) => one(report, done),
        (done, None) => many(report, done),
        (done, Some(batch)) => many(batched(report, batch), done),
    };
    for (path, failure) in totals.failed.iter().take(ROWS_MAX) {
        report = report.fact(Text::fixed("未能存证", "not deposited"), named(path, failure));
    }
    for it in totals.skipped.iter().take(ROWS_MAX) {
        let (path, zh, en) = (one_line(&it.path), &it.why.zh, &it.why.en);
        report = report.fact(Text::fixed("已跳过", "skipped"), text!("{path}：{zh}", "{path}: {en}"));
    }
    let untold = failed.saturating_sub(ROWS_MAX) + skipped.saturating_sub(ROWS_MAX);
    if untold > 0 {
        report = report.fact(
            Text::fixed("其余", "and more"),
            text!("另有 {untold} 个；全部清单请加 --json", "{untold} more; for all of them add --json"),
        );
    }
    for (path, saved) in certificates {
        if let Err(failure) = saved {
            report = report.fact(Text::fixed("证书未出具", "no certificate"), named(path, failure));
        }
    }
    if let Some(stopped) = &totals.stopped {
        report = report.next(stopped.what.clone()).next(text!(
            "继续：再次执行同一命令，已完成的不会重复。",
            "To go on, run the same command again; what is done is not done twice."
        ));
    } else if let Some(done) = totals.done.first() {
        let (file, receipt) = (quoted(&done.file.path.to_string_lossy()), quoted(&done.receipt.to_string_lossy()));
        report = report.next(text!(
            "请妥善保存回执。离线核验：zhulian verify {file} --receipt {receipt}",
            "Keep the receipt. To verify offline: zhulian verify {file} --receipt {receipt}"
        ));
    }
    report
}

/// A path whose name cannot forge a line.
fn one_line(path: &std::path::Path) -> String {
    path.display().to_string().replace('\n', "\\n")
}

fn exit(totals: &Totals, certificates_lost: usize) -> Exit {
    match (&totals.stopped, &totals.failed[..]) {
        (Some(stopped), _) => stopped.exit,
        (None, [(_, failure)]) if totals.done.is_empty() && totals.skipped.is_empty() => failure.exit,
        (None, []) if totals.skipped.is_empty() && certificates_lost == 0 => Exit::Done,
        _ => Exit::Partial,
    }
}

fn named(path: &std::path::Path, failure: &Failure) -> Text {
    let path = one_line(path);
    let whole = |what: &str, why: Option<&str>| match why {
        Some(why) => format!("{path}: {what}; {why}"),
        None => format!("{path}: {what}"),
    };
    Text {
        zh: whole(&failure.what.zh, failure.why.as_ref().map(|why| &*why.zh)).into(),
        en: whole(&failure.what.en, failure.why.as_ref().map(|why| &*why.en)).into(),
    }
}

fn one(report: Report, done: &Done) -> Report {
    let facts = &done.facts;
    let (signed, all) = (facts.signers.len(), facts.validators);
    let (zh, en) = (facts.signers.join("、"), facts.signers.join(", "));
    let report = report
        .fact(Text::fixed("文件", "file"), done.file.path.display().to_string())
        .fact(Text::fixed("存证编号", "number"), done.number.as_str())
        .fact(Text::fixed("存证时间", "deposited"), beijing(facts.time))
        .fact(Text::fixed("见证", "witnesses"), text!("{signed}/{all}：{zh}", "{signed} of {all}: {en}"))
        .fact(Text::fixed("回执", "receipt"), done.receipt.display().to_string());
    report
        .fact(Text::fixed("文件大小", "size"), bytes(done.record.size))
        .detail(Text::fixed("SHA-256", "SHA-256"), hex::encode(done.record.sha256))
        .detail(Text::fixed("SM3", "SM3"), hex::encode(done.record.sm3))
        .detail(Text::fixed("区块高度", "height"), grouped(facts.height))
        .detail(Text::fixed("交易编号", "transaction"), facts.transaction.to_string())
}

fn many(report: Report, done: &[Done]) -> Report {
    let head = vec![
        Text::fixed("文件", "file"),
        Text::fixed("存证编号", "number"),
        Text::fixed("存证时间（北京时间）", "deposited (UTC+8)"),
        Text::fixed("结果", "outcome"),
    ];
    let row = |done: &Done| {
        vec![
            done.file.relative.display().to_string().into(),
            done.number.as_str().into(),
            zhulian_verify::format_time(done.facts.time).into(),
            if done.already { text!("此前已存证", "deposited before") } else { text!("已存证", "deposited") },
        ]
    };
    let report = report.table(head, done.iter().take(ROWS_MAX).map(row).collect());
    match done.len().saturating_sub(ROWS_MAX) {
        0 => report,
        more => {
            let more = grouped(more as u64);
            report.next(text!("……另有 {more} 个；全部清单请加 --json", "… and {more} more; for all of them add --json"))
        }
    }
}

fn batched(report: Report, batch: &BatchDone) -> Report {
    let facts = &batch.facts;
    let report = report
        .fact(Text::fixed("批次编号", "batch number"), batch.number.as_str())
        .fact(Text::fixed("存证时间", "deposited"), beijing(facts.time))
        .fact(Text::fixed("批次回执", "batch receipt"), batch.receipt.display().to_string())
        .fact(Text::fixed("条目清单", "manifest"), batch.manifest.display().to_string())
        .detail(Text::fixed("批次根", "batch root"), hex::encode(batch.root))
        .detail(Text::fixed("区块高度", "height"), grouped(facts.height))
        .detail(Text::fixed("交易编号", "transaction"), facts.transaction.to_string());
    match &batch.uploaded {
        Ok(()) => report,
        Err(failure) => {
            let (zh, en) = (&failure.what.zh, &failure.what.en);
            report.fact(
                Text::fixed("清单上传", "upload"),
                text!(
                    "网关未收下条目清单（{zh}）；存证和回执不受影响，但网上暂查不到单个条目。再次执行同一命令即可补传。",
                    "the gateway did not take the manifest ({en}); deposit and receipts stand, but single entries cannot be \
                     looked up yet. Run the same command again to upload it."
                ),
            )
        }
    }
}

fn json(totals: &Totals, batch: Option<&BatchDone>, certificates: &[(PathBuf, Result<PathBuf>)]) -> Value {
    let done = |done: &Done| {
        json!({
            "file": done.file.path.display().to_string(),
            "number": done.number,
            "already": done.already,
            "receipt": done.receipt.display().to_string(),
            "time": done.facts.time,
            "height": done.facts.height,
            "transaction": done.facts.transaction.to_string(),
            "record": hashing::record_json(&done.record),
        })
    };
    let failed = |(path, failure): &(PathBuf, Failure)| {
        let mut value = failure.json();
        value["file"] = path.display().to_string().into();
        value
    };
    let certificate = |(path, saved): &(PathBuf, Result<PathBuf>)| match saved {
        Ok(pdf) => json!({ "file": path.display().to_string(), "certificate": pdf.display().to_string() }),
        Err(failure) => failed(&(path.clone(), failure.clone())),
    };
    json!({
        "deposited": totals.done.iter().map(done).collect::<Vec<_>>(),
        "failed": totals.failed.iter().map(failed).collect::<Vec<_>>(),
        "skipped": totals.skipped.iter().map(Skipped::json).collect::<Vec<_>>(),
        "stopped": totals.stopped.as_ref().map(Failure::json),
        "certificates": certificates.iter().map(certificate).collect::<Vec<_>>(),
        "batch": batch.map(|batch| json!({
            "number": batch.number,
            "root": hex::encode(batch.root),
            "receipt": batch.receipt.display().to_string(),
            "manifest": batch.manifest.display().to_string(),
            "uploaded": batch.uploaded.is_ok(),
            "transaction": batch.facts.transaction.to_string(),
            "height": batch.facts.height,
            "time": batch.facts.time,
        })),
    })
}
