//! `zhulian rules list|show|fetch`: the packs of the ledger, and their files brought here.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use zhulian_api::{Hex32, Query, view};
use zhulian_modules::rulepack::{Item, ItemKind, Keeps, Manifest, Pack, PackId};
use zhulian_rules::temporal::Date;

use super::act::pack_id;
use crate::{
    failure::{AtPath as _, Exit, Failure, Result},
    private_file,
    remote::{Remote, beijing},
    report::Report,
    session::Session,
    text,
    text::{Text, several},
};

const DAY_MS: u64 = 86_400_000;

/// A rule pack.
#[derive(Args, Debug)]
pub struct Show {
    /// The pack (规则包)
    #[arg(value_parser = pack_id)]
    pub pack: PackId,
}

/// Options of `rules fetch`.
#[derive(Args, Debug)]
pub struct Fetch {
    /// The pack (规则包)
    #[arg(value_parser = pack_id)]
    pub pack: PackId,
    /// The version, or the one that the latest draft would be (版本，或最近草案的版本)
    #[arg(value_name = "VERSION")]
    pub number: u32,
    /// Where to put its files; default PACK-VERSION (存放目录；默认为 规则包-版本)
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
}

/// Lists the packs.
///
/// # Errors
/// When the gateway cannot be asked.
pub fn list(session: &Session) -> Result<Report> {
    let remote = Remote::new(session)?;
    let (mut items, mut cursor) = (Vec::<view::PackRow>::new(), None::<String>);
    loop {
        let part = remote.call(remote.client.packs(Query::new().with("limit", Some(200)).with("cursor", cursor.take())))?;
        items.extend(part.items);
        cursor = part.next;
        if cursor.is_none() {
            break;
        }
    }
    let count = items.len();
    let head = [("规则包", "pack"), ("名称", "title"), ("现行版本", "in force"), ("最新版本", "latest")];
    let row = |row: &view::PackRow| {
        vec![
            row.pack.as_str().into(),
            Text { zh: row.title.clone().into(), en: row.title_en.clone().into() },
            row.in_force.map_or_else(|| "-".to_owned(), |version| version.to_string()).into(),
            row.latest.to_string().into(),
        ]
    };
    let rows = items.iter().map(row).collect();
    Ok(Report::new(text!("共 {count} 个规则包。", "There are {count} rule packs."), json!({ "items": items }))
        .table(head.map(|(zh, en)| Text::fixed(zh, en)).into(), rows))
}

fn status(name: &str) -> Text {
    match name {
        "in_force" => text!("现行有效", "in force"),
        "upcoming" => text!("尚未生效", "not yet in force"),
        "past" => text!("已失效", "no more in force"),
        "annulled" => text!("已撤销", "annulled"),
        "draft" => text!("草案", "draft"),
        other => other.into(),
    }
}

fn votes(motions: &[view::MotionView]) -> String {
    let of = |motion: &view::MotionView| {
        let yes = motion.ballots.iter().filter(|ballot| ballot.approve).count();
        format!("#{}: {yes}/{} {}", motion.motion, motion.ballots.len(), motion.status)
    };
    motions.iter().map(of).collect::<Vec<_>>().join("\n")
}

/// Shows a pack with its versions and votes.
///
/// # Errors
/// When there is none, or the gateway cannot be asked.
pub fn show(session: &Session, args: &Show) -> Result<Report> {
    let remote = Remote::new(session)?;
    let it = remote.call(remote.client.pack(args.pack.as_str()))?;
    let head = [
        ("版本", "version"),
        ("状态", "state"),
        ("生效", "from"),
        ("表决（赞成/票数）", "votes (for/cast)"),
        ("清单摘要", "manifest"),
    ];
    let drafts = it.drafts.iter().map(|draft| {
        vec![
            draft.version.to_string().into(),
            status("draft"),
            "-".into(),
            votes(&draft.motions).into(),
            draft.manifest.to_string().into(),
        ]
    });
    let versions = it.versions.iter().map(|version| {
        vec![
            version.version.to_string().into(),
            status(&version.status),
            beijing(version.from_ms),
            votes(&version.motions).into(),
            version.manifest.to_string().into(),
        ]
    });
    let rows = drafts.chain(versions).collect();
    let (pack, versions, drafts) = (&it.pack, it.versions.len(), it.drafts.len());
    let (en_versions, en_drafts) = (several(versions, "version"), several(drafts, "draft"));
    Ok(Report::new(
        text!("规则包 {pack}：{versions} 个版本，{drafts} 份草案。", "The pack {pack} has {en_versions} and {en_drafts}."),
        serde_json::to_value(&it).unwrap_or_default(),
    )
    .table(head.map(|(zh, en)| Text::fixed(zh, en)).into(), rows)
    .next(text!("取得文件：zhulian rules fetch {pack} 版本", "To get its files: zhulian rules fetch {pack} VERSION")))
}

/// Brings the files of a version or draft here, with the pack.json from which the same pack is read again.
///
/// # Errors
/// When there is none, the files are not what their digests say, or the directory is there already.
pub fn fetch(session: &Session, args: &Fetch) -> Result<Report> {
    let (pack, number) = (&args.pack, args.number);
    let remote = Remote::new(session)?;
    let found = remote.call(remote.client.pack(pack.as_str()))?;
    let enacted = found.versions.iter().find(|it| it.version == number).map(|it| it.manifest);
    let drafted = found.drafts.iter().find(|it| it.version == number).map(|it| it.manifest);
    let digest = enacted.or(drafted).ok_or_else(|| {
        Failure::new(
            Exit::Failed,
            "rules.version",
            text!("规则包 {pack} 没有第 {number} 版", "the pack {pack} has no version {number}"),
        )
        .next(text!("查看：zhulian rules show {pack}", "To see what there is: zhulian rules show {pack}"))
    })?;
    let described = remote.call(remote.client.manifest(digest))?;
    let mut files = Vec::new();
    for file in &described.files {
        files.push(remote.call(remote.client.pack_file(digest, file.sha256))?);
    }
    let manifest = manifest(&described, &files).filter(|manifest| manifest.digest() == digest.0);
    let manifest = manifest.ok_or_else(|| altered(pack, number))?;
    // Every byte is named by the manifest, whose digest the receipts of decisions name.
    let compiled = Pack::compile(manifest.clone(), &files)
        .map_err(|error| altered(pack, number).why(crate::failure::library_reason(&error.to_string())))?;
    let to = args.to.clone().unwrap_or_else(|| PathBuf::from(format!("{pack}-{number}")));
    if to.exists() {
        let shown = to.display();
        return Err(Failure::new(
            Exit::Usage,
            "file.exists",
            text!("{shown} 已存在，不会覆盖", "{shown} exists and is not overwritten"),
        )
        .next(Text::fixed("用 --to 指定其他目录", "name another directory with --to")));
    }
    let names = write(&to, &manifest, &files)?;
    let (shown, count) = (to.display().to_string(), names.len());
    let draft = enacted.is_none();
    let (of, are) = if count == 1 { ("The file", "is") } else { ("All files", "are") };
    let report = Report::new(
        text!(
            "{pack} 第 {number} 版的 {count} 个文件已存入 {shown}。",
            "{of} of version {number} of {pack} {are} in {shown}."
        ),
        json!({
            "pack": pack.to_string(),
            "version": number,
            "draft": draft,
            "manifest": digest.to_string(),
            "directory": shown,
            "files": names,
        }),
    )
    .fact(Text::fixed("名称", "title"), Text { zh: manifest.zh.into(), en: manifest.en.into() })
    .fact(Text::fixed("依据", "statute"), manifest.statute)
    .detail(Text::fixed("清单摘要", "manifest"), hex::encode(compiled.digest));
    Ok(if draft { report.fact(Text::fixed("状态", "state"), status("draft")) } else { report })
}

fn altered(pack: &PackId, number: u32) -> Failure {
    Failure::new(
        Exit::NoProof,
        "rules.altered",
        text!(
            "网关给出的 {pack} 第 {number} 版与其清单摘要不符",
            "what the gateway gave as version {number} of {pack} is not what its digest says"
        ),
    )
    .next(Text::fixed("请改向其他节点获取", "ask another node"))
}

fn manifest(of: &view::ManifestView, files: &[Vec<u8>]) -> Option<Manifest> {
    let item = |(file, bytes): (&view::PackFileView, &Vec<u8>)| {
        let item = Item::of(ItemKind::parse(&file.kind)?, &file.name, bytes);
        (Hex32(item.sha256) == file.sha256).then_some(item)
    };
    Some(Manifest {
        pack: PackId::parse(&of.pack).ok()?,
        version: of.version,
        zh: of.title.clone(),
        en: of.title_en.clone(),
        statute: of.statute.clone(),
        from: of.from_ms,
        to: of.to_ms,
        notice_ms: of.notice_ms,
        keeps: Keeps::parse(&of.keeps)?,
        items: of.files.iter().zip(files).map(item).collect::<Option<_>>()?,
    })
}

/// Writes the files and `pack.json`; gives the names of the files.
fn write(to: &Path, manifest: &Manifest, files: &[Vec<u8>]) -> Result<Vec<String>> {
    let out_of_form = |what: &str| {
        Failure::new(
            Exit::Failed,
            "pack",
            text!("{what} 不能写成规则包说明", "{what} cannot be written as the description of a pack"),
        )
    };
    let mut names: Vec<String> = Vec::new();
    for (place, item) in manifest.items.iter().enumerate() {
        // A name comes from the network: it must be one file's, here.
        let plain = Path::new(&item.name).components().count() == 1
            && Path::new(&item.name).file_name().is_some_and(|name| name == item.name.as_str())
            && !item.name.contains('\\')
            && !item.name.starts_with('.')
            && item.name != "pack.json";
        if !plain {
            return Err(out_of_form(&item.name));
        }
        let twice = names.contains(&item.name);
        names.push(if twice { format!("{place}/{}", item.name) } else { item.name.clone() });
    }
    if !manifest.notice_ms.is_multiple_of(DAY_MS) {
        return Err(out_of_form("notice"));
    }
    let time = |ms: u64| iso(ms).ok_or_else(|| out_of_form("time"));
    let listed: Vec<_> =
        manifest.items.iter().zip(&names).map(|(item, name)| json!({ "kind": item.kind.name(), "file": name })).collect();
    let description = json!({
        "pack": manifest.pack.to_string(),
        "version": manifest.version,
        "title": { "zh": manifest.zh, "en": manifest.en },
        "statute": manifest.statute,
        "effective_from": time(manifest.from)?,
        "effective_to": manifest.to.map(time).transpose()?,
        "notice_days": manifest.notice_ms / DAY_MS,
        "keeps": manifest.keeps.name(),
        "files": listed,
    });
    std::fs::create_dir_all(to).at(to)?;
    for (name, bytes) in names.iter().zip(files) {
        let path = to.join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).at(folder)?;
        }
        private_file::write_public(&path, bytes)?;
    }
    let text = serde_json::to_string_pretty(&description).unwrap_or_default() + "\n";
    private_file::write_public(&to.join("pack.json"), text.as_bytes())?;
    Ok(names)
}

/// A time in China, to the millisecond, as `pack.json` has it.
fn iso(ms: u64) -> Option<String> {
    let local = ms.checked_add(8 * 3_600_000)?;
    let (date, rest) = (Date::from_days(i64::try_from(local / DAY_MS).ok()?)?, local % DAY_MS);
    let (hours, minutes, seconds, millis) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60, rest % 1_000);
    let fraction = if millis == 0 { String::new() } else { format!(".{millis:03}") };
    Some(format!("{date}T{hours:02}:{minutes:02}:{seconds:02}{fraction}+08:00"))
}
