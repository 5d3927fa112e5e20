//! `zhulian verify FOLDER`: every file of a folder against its receipt.

use std::path::Path;

use rayon::prelude::*;
use serde_json::{Value, json};
use zhulian_primitives::Network;
use zhulian_verify::{Answer, CheckError};

use super::verify::{beside, read_receipt, sentence};
use crate::{
    failure::{Exit, Failure, Result},
    hashing,
    report::Report,
    session::Session,
    text,
    text::{Text, grouped},
};

/// Files that are named one by one at most; of more the JSON document tells.
const NAMED_MAX: usize = 20;

/// What became of one file.
enum Found {
    Verified,
    /// The receipt is good, and no deposit of a file.
    NotDeposited(Text),
    Mismatch(Text),
    WithoutReceipt,
    NoProof(Text),
    Unread(Text),
}

/// Checks all files of a folder; receipts that have no file are no matter of this command.
///
/// # Errors
/// When there is no folder of receipts, or no file.
pub fn run(session: &Session, network: &Network, folder: &Path, receipts: &Path) -> Result<Report> {
    if !receipts.is_dir() {
        let shown = receipts.display();
        return Err(Failure::new(
            Exit::Usage,
            "receipt.not_found",
            text!("没有回执目录 {shown}", "there is no folder of receipts {shown}"),
        )
        .next(Text::fixed("用 --receipt 指定回执目录", "name it with --receipt")));
    }
    let (files, skipped) = hashing::find(&[folder.to_path_buf()]);
    let bar = crate::commands::evidence::hashing_bar(session, files.iter().map(|file| file.size).sum());
    let check = |file: &hashing::Found| {
        let found = one(network, &file.path, &beside(&receipts.join(&file.relative)));
        bar.inc(file.size);
        (file.path.display().to_string(), found)
    };
    let mut results: Vec<(String, Found)> = files.par_iter().map(check).collect();
    bar.finish_and_clear();
    // A deposit of the folder did not follow its links either.
    let (links, skipped): (Vec<_>, Vec<_>) = skipped.into_iter().partition(|it| it.code == "link");
    results.extend(skipped.into_iter().map(|it| (it.path.display().to_string(), Found::Unread(it.why))));
    Ok(report(&results, links.len()))
}

fn one(network: &Network, file: &Path, receipt: &Path) -> Found {
    if !receipt.exists() {
        return Found::WithoutReceipt;
    }
    let bytes = match read_receipt(receipt) {
        Ok(bytes) => bytes,
        Err(failure) => return Found::NoProof(failure.why.unwrap_or(failure.what)),
    };
    let opened = match hashing::open(file) {
        Ok(opened) => opened,
        Err(skipped) => return Found::Unread(skipped.why),
    };
    match zhulian_verify::check_file(network, &bytes, opened) {
        Ok(Answer::Verified(_)) => Found::Verified,
        Ok(answer @ Answer::NotDeposited(_)) => Found::NotDeposited(sentence(&answer)),
        Ok(answer @ Answer::Mismatch(..)) => Found::Mismatch(sentence(&answer)),
        Err(CheckError::Refused(refusal)) => Found::NoProof(Text {
            zh: refusal.text(zhulian_verify::Language::Zh).into(),
            en: refusal.text(zhulian_verify::Language::En).into(),
        }),
        Err(CheckError::Read(error)) => Found::Unread(crate::failure::io_reason(&error)),
    }
}

fn report(results: &[(String, Found)], links: usize) -> Report {
    let pick = |wanted: fn(&Found) -> Option<&Text>| -> Vec<(&String, &Text)> {
        results.iter().filter_map(|(file, found)| Some((file, wanted(found)?))).collect()
    };
    let mismatch = pick(|found| if let Found::Mismatch(why) = found { Some(why) } else { None });
    let no_proof = pick(|found| if let Found::NoProof(why) = found { Some(why) } else { None });
    let undeposited = pick(|found| if let Found::NotDeposited(why) = found { Some(why) } else { None });
    let unread = pick(|found| if let Found::Unread(why) = found { Some(why) } else { None });
    let without: Vec<&String> =
        results.iter().filter(|(_, found)| matches!(found, Found::WithoutReceipt)).map(|(file, _)| file).collect();
    let verified = results.iter().filter(|(_, found)| matches!(found, Found::Verified)).count();

    // The worst that was found is what a script must not overlook.
    let exit = if !no_proof.is_empty() {
        Exit::NoProof
    } else if !mismatch.is_empty() {
        Exit::Mismatch
    } else if !undeposited.is_empty() {
        Exit::NotDeposited
    } else if !without.is_empty() || !unread.is_empty() {
        Exit::Partial
    } else {
        Exit::Done
    };
    let (all, good) = (grouped(results.len() as u64), grouped(verified as u64));
    let lead = if verified == results.len() {
        text!("全部 {all} 个文件核验通过。", "All {all} files are verified.")
    } else {
        text!("{all} 个文件中 {good} 个核验通过。", "{good} of {all} files are verified.")
    };
    let list = |items: &[(&String, &Text)]| -> Value {
        items.iter().map(|(file, why)| json!({ "file": file, "zh": why.zh, "en": why.en })).collect()
    };
    let mut report = Report::new(
        lead,
        json!({
            "files": results.len(),
            "verified": verified,
            "mismatch": list(&mismatch),
            "not_deposited": list(&undeposited),
            "no_proof": list(&no_proof),
            "unread": list(&unread),
            "without_receipt": without,
            "links": links,
        }),
    )
    .exit(exit);
    for (label, items) in [
        (Text::fixed("不一致", "does not match"), &mismatch),
        (Text::fixed("回执无效", "proves nothing"), &no_proof),
        (Text::fixed("尚未存证", "not deposited"), &undeposited),
        (Text::fixed("未核验", "not checked"), &unread),
    ] {
        for (file, why) in items.iter().take(NAMED_MAX) {
            let (zh, en) = (&why.zh, &why.en);
            report = report.fact(label.clone(), text!("{file}：{zh}", "{file}: {en}"));
        }
        report = more(report, items.len());
    }
    for file in without.iter().take(NAMED_MAX) {
        report = report.fact(Text::fixed("没有回执", "no receipt"), file.as_str());
    }
    let report = more(report, without.len());
    match links {
        0 => report,
        _ => report.fact(Text::fixed("符号链接", "links"), text!("{links} 个，未跟随", "{links}, not followed")),
    }
}

fn more(report: Report, count: usize) -> Report {
    match count.saturating_sub(NAMED_MAX) {
        0 => report,
        left => {
            let left = grouped(left as u64);
            report.fact(
                Text::fixed("其余", "and more"),
                text!("另有 {left} 个；全部清单请加 --json", "{left} more; for all of them add --json"),
            )
        }
    }
}
