//! Where rules come from: a DMN file with those it imports, or a pack described in JSON with its files beside it.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;
use serde_json::json;
use zhulian_modules::rulepack::{Item, ItemKind, Keeps, Manifest, Pack, PackError, PackId};
use zhulian_rules::temporal::DateTime;

use crate::{
    failure::{AtPath as _, Exit, Failure, Result},
    report::{Report, Table},
    text,
    text::Text,
};

/// Largest file of rules.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// Rules.
#[derive(Args, Debug)]
pub struct Source {
    /// A DMN file, or a pack: pack.json (DMN 文件，或规则包 pack.json)
    pub file: PathBuf,
    /// DMN files that it imports (被导入的 DMN 文件)
    #[arg(long, value_name = "FILE.dmn")]
    pub import: Vec<PathBuf>,
}

/// A pack as people write it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PackFile {
    pack: String,
    version: u32,
    title: Title,
    statute: String,
    effective_from: String,
    effective_to: Option<String>,
    notice_days: u32,
    #[serde(default = "opened")]
    keeps: String,
    files: Vec<FileOf>,
}

fn opened() -> String {
    "opened".into()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Title {
    zh: String,
    en: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileOf {
    kind: String,
    file: PathBuf,
}

/// Rules that were read: the manifest with its files' bytes.
pub struct Read {
    /// What they are.
    pub manifest: Manifest,
    /// The files.
    pub files: Vec<Vec<u8>>,
    /// Whether they are a pack, and not a lone DMN file.
    pub is_pack: bool,
}

/// Reads a file, bounded.
///
/// # Errors
/// When it cannot be read, or is too large.
pub fn read_file(path: &Path) -> Result<Vec<u8>> {
    if std::fs::metadata(path).at(path)?.len() > FILE_BYTES_MAX {
        let shown = path.display();
        return Err(Failure::new(
            Exit::Failed,
            "file.too_large",
            text!("{shown} 超过 4 MiB", "{shown} is larger than 4 MiB"),
        ));
    }
    std::fs::read(path).at(path)
}

/// Reads a file as text.
///
/// # Errors
/// When it cannot be read, or is no text.
pub fn read_text(path: &Path) -> Result<String> {
    String::from_utf8(read_file(path)?).map_err(|_| {
        let shown = path.display();
        Failure::new(Exit::Failed, "file.not_text", text!("{shown} 不是 UTF-8 文本", "{shown} is not text in UTF-8"))
    })
}

impl Source {
    /// Reads the files.
    ///
    /// # Errors
    /// When one cannot be read, or the pack's description is out of form.
    pub fn read(&self) -> Result<Read> {
        let is_pack = self.file.extension().is_some_and(|ending| ending == "json");
        if is_pack { read_pack(&self.file) } else { self.read_models() }
    }

    /// Reads and compiles.
    ///
    /// # Errors
    /// When the rules would not be accepted.
    pub fn compile(&self) -> Result<Pack> {
        let Read { manifest, files, .. } = self.read()?;
        Pack::compile(manifest, &files).map_err(|error| not_accepted(&self.file, &error))
    }

    fn read_models(&self) -> Result<Read> {
        let (mut items, mut files) = (Vec::new(), Vec::new());
        for path in std::iter::once(&self.file).chain(&self.import) {
            let bytes = read_file(path)?;
            items.push(Item::of(ItemKind::Decisions, &name_of(path), &bytes));
            files.push(bytes);
        }
        let pack = PackId::parse("unpublished").expect("a pack id");
        let (zh, en, statute) = (name_of(&self.file), name_of(&self.file), "-".to_owned());
        let keeps = Keeps::Opened;
        let manifest = Manifest { pack, version: 1, zh, en, statute, from: 0, to: None, notice_ms: 0, keeps, items };
        Ok(Read { manifest, files, is_pack: false })
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn read_pack(path: &Path) -> Result<Read> {
    let shown = path.display();
    let wrong = |why: String| {
        Failure::new(Exit::Usage, "pack", text!("{shown} 不是规则包说明", "{shown} does not describe a pack"))
            .why(why)
            .next(Text::fixed("可参照 scenarios/packs 中的 pack.json", "compare it with a pack.json in scenarios/packs"))
    };
    let file: PackFile = serde_json::from_str(&read_text(path)?).map_err(|error| wrong(error.to_string()))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let (mut items, mut files) = (Vec::new(), Vec::new());
    for part in &file.files {
        let kind = ItemKind::parse(&part.kind);
        let kind = kind.ok_or_else(|| wrong(format!("{}: decisions, calendar, rates, documents, procedure", part.kind)))?;
        let bytes = read_file(&folder.join(&part.file))?;
        items.push(Item::of(kind, &name_of(&part.file), &bytes));
        files.push(bytes);
    }
    let time = |text: &str| milliseconds(text).ok_or_else(|| wrong(format!("{text}: 2026-01-01T00:00:00+08:00")));
    let refuse = |error: zhulian_modules::rulepack::Error| wrong(format!("{error:?}"));
    let manifest = Manifest {
        pack: PackId::parse(&file.pack).map_err(refuse)?,
        version: file.version,
        zh: file.title.zh,
        en: file.title.en,
        statute: file.statute,
        from: time(&file.effective_from)?,
        to: file.effective_to.as_deref().map(time).transpose()?,
        notice_ms: u64::from(file.notice_days) * 86_400_000,
        keeps: Keeps::parse(&file.keeps).ok_or_else(|| wrong(format!("{}: opened, latest", file.keeps)))?,
        items,
    };
    manifest.check().map_err(refuse)?;
    Ok(Read { manifest, files, is_pack: true })
}

/// Ms since 1970 of a time with an offset.
fn milliseconds(text: &str) -> Option<u64> {
    let (time, epoch) = (DateTime::parse(text)?, DateTime::parse("1970-01-01T00:00:00Z")?);
    u64::try_from(time.minus(&epoch)?.nanos() / 1_000_000).ok()
}

/// The failure of rules that would not be accepted, in one sentence; `rules check` has the whole table.
pub fn not_accepted(path: &Path, error: &PackError) -> Failure {
    let shown = path.display();
    let why = match error {
        PackError::Decisions(refusals) => Text {
            zh: refusals.iter().map(|refusal| refusal.zh()).collect::<Vec<_>>().join("\n      ").into(),
            en: refusals.iter().map(|refusal| refusal.en()).collect::<Vec<_>>().join("\n       ").into(),
        },
        other => other.to_string().into(),
    };
    Failure::new(
        Exit::Failed,
        "rules.not_accepted",
        text!("{shown} 中的规则不会被接受", "the rules in {shown} would not be accepted"),
    )
    .why(why)
}

/// The report of rules that would not be accepted: every fault with its remedy.
pub fn refused(path: &Path, error: &PackError) -> Report {
    let shown = path.display();
    let PackError::Decisions(refusals) = error else {
        let json = json!({ "accepted": false, "refusals": [{ "element": "", "detail": error.to_string() }] });
        let sentence = text!("{shown} 不会被接受：{error}", "{shown} would not be accepted: {error}");
        return Report::new(sentence, json).exit(Exit::Failed);
    };
    let count = refusals.len();
    let all: Vec<_> = refusals
        .iter()
        .map(|refusal| {
            let ((zh, remedy_zh), (en, remedy_en)) = (refusal.texts_zh(), refusal.texts_en());
            json!({
                "element": refusal.element,
                "detail": refusal.detail,
                "what": { "zh": zh, "en": en },
                "remedy": { "zh": remedy_zh, "en": remedy_en },
            })
        })
        .collect();
    let rows = refusals.iter().map(|refusal| {
        let ((zh, remedy_zh), (en, remedy_en)) = (refusal.texts_zh(), refusal.texts_en());
        let what =
            Text { zh: format!("{zh}（{}）", refusal.detail).into(), en: format!("{en} ({})", refusal.detail).into() };
        vec![refusal.element.as_str().into(), what, Text::fixed(remedy_zh, remedy_en)]
    });
    let mut report = Report::new(
        text!("{shown} 不会被接受：{count} 处问题。", "{shown} would not be accepted; faults: {count}."),
        json!({ "accepted": false, "refusals": all }),
    )
    .exit(Exit::Failed);
    if path.extension().is_some_and(|kind| kind == "bpmn") {
        report = report
            .next(text!("流程用 zhulian procedure check {shown} 检查", "for a procedure: zhulian procedure check {shown}"));
    }
    report.table = Some(Table {
        head: vec![Text::fixed("元素", "element"), Text::fixed("问题", "fault"), Text::fixed("改法", "remedy")],
        rows: rows.collect(),
    });
    report
}
