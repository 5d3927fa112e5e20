//! `zhulian verify FOLDER`: every file of a folder against its receipt.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use serde_json::{Value, json};
use walkdir::WalkDir;
use zhulian_primitives::Network;
use zhulian_verify::{Answer, FileHasher, Verifier, check_record};

use super::verify::{RECEIPT_ENDING, beside, own_secret, read_receipt, sentence, unclear};
use crate::{
    deposit::place::{self, Whose},
    failure::{Exit, Failure, Result},
    hashing,
    opening::Secret,
    report::Report,
    session::Session,
    text,
    text::{Text, grouped, several},
};

/// Files that are named one by one at most; of more the JSON document tells.
const NAMED_MAX: usize = 20;

/// What became of one file.
enum Found {
    Verified,
    /// The receipt is good, and no deposit of a file.
    NotDeposited(Text),
    Mismatch(Text),
    /// It is what this receipt is of, which may be the receipt of another file.
    Unclear {
        receipt: PathBuf,
        rival: PathBuf,
    },
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
    let secret = own_secret(session);
    let check = |verifier: &mut Verifier<'_>, file: &hashing::Found| {
        let found = one(verifier, secret.as_ref(), &file.path, &beside(&receipts.join(&file.relative)));
        bar.inc(file.size);
        (file.path.display().to_string(), found)
    };
    let mut results: Vec<(String, Found)> = files.par_iter().map_init(|| Verifier::new(network), check).collect();
    bar.finish_and_clear();
    // A deposit of the folder did not follow its links either.
    let (links, skipped): (Vec<_>, Vec<_>) = skipped.into_iter().partition(|it| it.code == "link");
    results.extend(skipped.into_iter().map(|it| (it.path.display().to_string(), Found::Unread(it.why))));
    let missing = Missing::find(network, folder, receipts, secret.as_ref());
    Ok(report(&results, missing, links.len()))
}

/// Files of which there is a receipt, and which are not there.
#[derive(Default)]
struct Missing {
    gone: BTreeSet<PathBuf>,
    /// By receipt, the file that may be gone, and the one that is there and may have the receipt instead.
    unclear: BTreeMap<PathBuf, (PathBuf, PathBuf)>,
}

impl Missing {
    /// The receipt of a batch as a whole has its entries beside it, and is of no file.
    fn find(network: &Network, folder: &Path, receipts: &Path, secret: Option<&Secret>) -> Self {
        let (mut missing, mut runs) = (Self::default(), BTreeMap::new());
        let mut verifier = Verifier::new(network);
        let entries = WalkDir::new(receipts).sort_by_file_name().into_iter().filter_map(|entry| entry.ok());
        for entry in entries.filter(|entry| entry.file_type().is_file()) {
            let receipt = entry.path();
            let Ok(relative) = receipt.strip_prefix(receipts) else { continue };
            let is_receipt = |path: &Path| path.extension().is_some_and(|it| it == RECEIPT_ENDING);
            if !is_receipt(relative) || receipt.with_extension("entries").exists() {
                continue;
            }
            let mut file = folder.join(relative.with_extension(""));
            if is_there(&file) {
                continue;
            }
            if is_receipt(&file)
                && let Some((of, _)) = place::without_number(&file.with_extension(""))
            {
                // Of a later deposit, as the name says.
                file = of;
            } else if let Some((other, number)) = place::without_number(&file) {
                let first = beside(&receipts.join(other.strip_prefix(folder).unwrap_or(&other)));
                if number <= *runs.entry(first).or_insert_with_key(|first| place::run(first)) {
                    let bytes = read_receipt(receipt).ok();
                    let facts = bytes.and_then(|bytes| verifier.verify(&bytes).ok());
                    match place::whose(secret, facts.as_ref(), &other, &file) {
                        Whose::Its => file = other,
                        Whose::Rivals => {}
                        Whose::Unclear => {
                            missing.unclear.insert(receipt.to_path_buf(), (file, other));
                            continue;
                        }
                    }
                }
            }
            if !is_there(&file) {
                missing.gone.insert(file);
            }
        }
        missing
    }
}

/// A link or a directory in its place is not the file.
fn is_there(file: &Path) -> bool {
    file.symlink_metadata().is_ok_and(|it| it.is_file())
}

/// A file that was changed and deposited anew has several receipts; the one that is of it as it is now counts.
fn one(verifier: &mut Verifier<'_>, secret: Option<&Secret>, file: &Path, receipt: &Path) -> Found {
    let (mut first, mut unclear) = (None, None);
    for place::Kept { path, rival } in place::kept(receipt) {
        let rival = rival.map(|name| file.with_file_name(name));
        // Without a secret nothing could make it this file's.
        if secret.is_none() && rival.as_ref().is_some_and(|rival| is_there(rival)) {
            continue;
        }
        let found = match by(verifier, file, &path) {
            Ok(answer) => answer,
            Err(found) => {
                first = first.or(Some(found));
                continue;
            }
        };
        match &found {
            Answer::Verified(_) => {
                let whose = |rival: &PathBuf| place::whose(secret, Some(found.facts()), file, rival);
                match rival.as_ref().map_or(Whose::Its, whose) {
                    Whose::Its => return Found::Verified,
                    Whose::Rivals => {}
                    Whose::Unclear => unclear = unclear.or(rival.map(|rival| Found::Unclear { receipt: path, rival })),
                }
            }
            Answer::NotDeposited(_) => first = first.or_else(|| Some(Found::NotDeposited(sentence(&found)))),
            Answer::Mismatch(..) => first = first.or_else(|| Some(Found::Mismatch(sentence(&found)))),
        }
    }
    unclear.or(first).unwrap_or(Found::WithoutReceipt)
}

fn by(verifier: &mut Verifier<'_>, file: &Path, receipt: &Path) -> std::result::Result<Answer, Found> {
    let bytes = match read_receipt(receipt) {
        Ok(bytes) => bytes,
        Err(failure) => return Err(Found::NoProof(failure.why.unwrap_or(failure.what))),
    };
    let opened = match hashing::open(file) {
        Ok(opened) => opened,
        Err(skipped) => return Err(Found::Unread(skipped.why)),
    };
    let facts = match verifier.verify(&bytes) {
        Ok(facts) => facts,
        Err(refusal) => return Err(Found::NoProof(Text::from(&refusal))),
    };
    let hashed = match FileHasher::read(opened) {
        Ok(hashed) => hashed,
        Err(error) => return Err(Found::Unread(crate::failure::io_reason(&error))),
    };
    Ok(check_record(facts, &hashed))
}

fn report(results: &[(String, Found)], mut missing: Missing, links: usize) -> Report {
    let mut unclear_files = Vec::new();
    for (file, found) in results {
        if let Found::Unclear { receipt, rival } = found {
            // Said once of a receipt.
            missing.unclear.remove(receipt);
            unclear_files.push((file.clone(), unclear(Path::new(file), receipt, rival)));
        }
    }
    let perhaps_gone = !missing.unclear.is_empty();
    for (receipt, (rival, file)) in &missing.unclear {
        unclear_files.push((rival.display().to_string(), unclear(file, receipt, rival)));
    }
    let whose: Vec<(&String, &Text)> = unclear_files.iter().map(|(file, why)| (file, why)).collect();
    let gone: Vec<String> = missing.gone.iter().map(|file| file.display().to_string()).collect();
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
    } else if !without.is_empty() || !unread.is_empty() || !gone.is_empty() || !whose.is_empty() {
        Exit::Partial
    } else {
        Exit::Done
    };
    let (all, good) = (grouped((results.len() + gone.len()) as u64), grouped(verified as u64));
    let (files, of_receipts) = (several(results.len() + gone.len(), "file"), several(whose.len(), "receipt"));
    let are = if results.len() + gone.len() == 1 { "is" } else { "are" };
    let lead = if verified == results.len() && gone.is_empty() && perhaps_gone {
        let unclear = grouped(whose.len() as u64);
        text!(
            "现有的 {all} 个文件核验通过；另有 {unclear} 份回执无法判定属于哪个文件，可能有文件缺失。",
            "The {all} files that are there are verified; of {of_receipts} it cannot be told whose they are, so files may be gone."
        )
    } else if verified == 1 && results.len() == 1 && gone.is_empty() {
        text!("1 个文件核验通过。", "The file is verified.")
    } else if verified == results.len() && gone.is_empty() {
        text!("全部 {all} 个文件核验通过。", "All {all} files are verified.")
    } else {
        text!("{all} 个文件中 {good} 个核验通过。", "{good} of {files} {are} verified.")
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
            "unclear": list(&whose),
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
        (Text::fixed("归属不明", "unclear"), &whose),
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
    report = more(report, gone.len());
    if !whose.is_empty() {
        report = report.next(text!(
            "若回执确属仍在的文件，请将“文件.数字.{RECEIPT_ENDING}”改名为“文件.数字.{RECEIPT_ENDING}.{RECEIPT_ENDING}”后重新核验",
            "If a receipt FILE.N.{RECEIPT_ENDING} is of a later deposit of the file FILE, rename it to FILE.N.{RECEIPT_ENDING}.{RECEIPT_ENDING} and verify again"
        ));
    }
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
