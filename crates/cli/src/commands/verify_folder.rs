//! `zhulian verify FOLDER`: every file of a folder against its receipt.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde_json::{Value, json};
use walkdir::WalkDir;
use zhulian_primitives::Network;
use zhulian_verify::{Answer, FileHasher, Verifier, check_record};

use super::verify::{RECEIPT_ENDING, beside, read_receipt, sentence};
use crate::{
    deposit::place,
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

/// Checks all files of a folder, and sees that no file is gone of which there is a receipt.
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
    let check = |verifier: &mut Verifier<'_>, file: &hashing::Found| {
        let found = one(verifier, &file.path, &beside(&receipts.join(&file.relative)));
        bar.inc(file.size);
        (file.path.display().to_string(), found)
    };
    let mut results: Vec<(String, Found)> = files.par_iter().map_init(|| Verifier::new(network), check).collect();
    bar.finish_and_clear();
    // A deposit of the folder did not follow its links either.
    let (links, skipped): (Vec<_>, Vec<_>) = skipped.into_iter().partition(|it| it.code == "link");
    results.extend(skipped.into_iter().map(|it| (it.path.display().to_string(), Found::Unread(it.why))));
    Ok(report(&results, &gone(folder, receipts), links.len()))
}

/// Files of which there is a receipt, and which are not there. The receipt of a batch as a whole has its entries beside it.
fn gone(folder: &Path, receipts: &Path) -> Vec<String> {
    let is_there = |file: &Path| folder.join(file).symlink_metadata().is_ok();
    let file_of = |receipt: &Path| -> Option<PathBuf> {
        let relative = receipt.strip_prefix(receipts).ok()?;
        if relative.extension()? != RECEIPT_ENDING || receipt.with_extension("entries").exists() {
            return None;
        }
        let file = relative.with_extension("");
        let numbered = file.extension().is_some_and(|it| it.to_str().is_some_and(|it| it.parse::<u32>().is_ok()));
        let there = is_there(&file) || numbered && is_there(&file.with_extension(""));
        (!there).then_some(file)
    };
    let entries = WalkDir::new(receipts).sort_by_file_name().into_iter().filter_map(|entry| entry.ok());
    let files = entries.filter(|entry| entry.file_type().is_file()).filter_map(|entry| file_of(entry.path()));
    files.map(|file| folder.join(file).display().to_string()).collect()
}

/// A file that was changed and deposited anew has several receipts; the one that is of it as it is now counts.
fn one(verifier: &mut Verifier<'_>, file: &Path, receipt: &Path) -> Found {
    let mut first = None;
    for receipt in place::kept(receipt) {
        match by(verifier, file, &receipt) {
            Found::Verified => return Found::Verified,
            found => first = first.or(Some(found)),
        }
    }
    first.unwrap_or(Found::WithoutReceipt)
}

fn by(verifier: &mut Verifier<'_>, file: &Path, receipt: &Path) -> Found {
    let bytes = match read_receipt(receipt) {
        Ok(bytes) => bytes,
        Err(failure) => return Found::NoProof(failure.why.unwrap_or(failure.what)),
    };
    let opened = match hashing::open(file) {
        Ok(opened) => opened,
        Err(skipped) => return Found::Unread(skipped.why),
    };
    let facts = match verifier.verify(&bytes) {
        Ok(facts) => facts,
        Err(refusal) => {
            return Found::NoProof(Text::from(&refusal));
        }
    };
    let hashed = match FileHasher::read(opened) {
        Ok(hashed) => hashed,
        Err(error) => return Found::Unread(crate::failure::io_reason(&error)),
    };
    match check_record(facts, &hashed) {
        Answer::Verified(_) => Found::Verified,
        answer @ Answer::NotDeposited(_) => Found::NotDeposited(sentence(&answer)),
        answer @ Answer::Mismatch(..) => Found::Mismatch(sentence(&answer)),
    }
}

fn report(results: &[(String, Found)], gone: &[String], links: usize) -> Report {
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
    } else if !without.is_empty() || !unread.is_empty() || !gone.is_empty() {
        Exit::Partial
    } else {
        Exit::Done
    };
    let (all, good) = (grouped((results.len() + gone.len()) as u64), grouped(verified as u64));
    let lead = if verified == results.len() && gone.is_empty() {
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
            "gone": gone,
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
    report = more(report, without.len());
    for file in gone.iter().take(NAMED_MAX) {
        report =
            report.fact(Text::fixed("文件缺失", "gone"), text!("{file}（有回执，无文件）", "{file} (it has a receipt)"));
    }
    let report = more(report, gone.len());
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
