//! What a depositor tells about files: options, or a JSON file, and their encoding.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use clap::Args;
use indicatif::ProgressBar;
use serde::Deserialize;
use zhulian_modules::{
    evidence::{CaseHint, Details as Encoded, FieldCommitment, Generation, GenerationField, LegalBasis, SourceType},
    identity::Uscc,
};
use zhulian_primitives::{EvidenceId, codec};
use zhulian_verify::FileRecord;

use crate::{
    failure::{Exit, Failure, Result},
    hashing,
    opening::Secret,
    text,
    text::Text,
};

/// The legal basis when none is named: a party deposits what it may later show to a court.
pub const LEGAL_BASIS_DEFAULT: &str = "《人民法院在线诉讼规则》第十六条";

/// What to tell about the files. It is public for ever: nothing personal goes in.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// JSON file with any of these facts, and with `generation` (docs/cli.md) (存证说明文件，JSON 格式，可含以下各项及生成过程)
    #[arg(long = "details", value_name = "FILE.json")]
    pub file: Option<PathBuf>,
    /// web, screen, file, api, sensor, contract, payment or other; default file (来源类型：web 网页、screen 录屏、file 文件、api 接口、sensor 传感器、contract 合同、payment 支付、other 其他；默认 file)
    #[arg(long, value_name = "TYPE")]
    pub source_type: Option<String>,
    /// Why the deposit is lawful (法律依据)
    #[arg(long, value_name = "TEXT")]
    pub legal_basis: Option<String>,
    /// Who holds the originals, by its unified social credit code, if it is not the depositor (保管单位的统一社会信用代码，若不是存证单位自己)
    #[arg(long, value_name = "USCC")]
    pub custodian: Option<String>,
    /// The case it may serve; no personal data (案件线索，不得含个人信息)
    #[arg(long, value_name = "TEXT")]
    pub case: Option<String>,
    /// Evidence numbers that came before; may be given several times (前序存证编号，可重复)
    #[arg(long, value_name = "NUMBER")]
    pub prior: Vec<String>,
    /// Document of the facts of how it was made; its SHA-256 goes on the ledger (生成过程说明文件，其 SHA-256 上链)
    #[arg(long, value_name = "FILE")]
    pub facts: Option<PathBuf>,
    /// Log of the process that made it; the root over its 1 MiB chunks goes on the ledger (生成过程日志，其分块根上链)
    #[arg(long, value_name = "FILE")]
    pub process_log: Option<PathBuf>,
    /// RFC 3161 time-stamp token; its SHA-256 goes on the ledger (RFC 3161 时间戳文件，其 SHA-256 上链)
    #[arg(long, value_name = "FILE.tsr")]
    pub timestamp_token: Option<PathBuf>,
    /// Code in your own published list of notes; may be given several times (本单位公开备注表中的代码，可重复)
    #[arg(long, value_name = "CODE")]
    pub note: Vec<u16>,
    /// Until when it is to be kept, such as 2036-12-31 (保存期限，例如 2036-12-31)
    #[arg(long, value_name = "DATE")]
    pub keep_until: Option<String>,
}

/// The file's shape.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Shape {
    source_type: Option<String>,
    legal_basis: Option<String>,
    custodian: Option<String>,
    case_hint: Option<String>,
    prior_evidence: Vec<String>,
    retention_until_ms: Option<u64>,
    generation: Option<GenerationShape>,
    process_log: Option<PathBuf>,
    timestamp_token: Option<PathBuf>,
    notes: Vec<u16>,
}

/// How the evidence was made. The document of all facts goes in by its digest, the single ones as salted commitments.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GenerationShape {
    facts: PathBuf,
    #[serde(default)]
    commit: BTreeMap<String, String>,
}

impl Details {
    /// Whether anything is told.
    pub fn is_told(&self) -> bool {
        *self != Self::default()
    }

    /// The CBOR of the details.
    ///
    /// # Errors
    /// When something is not of the published form.
    pub fn encode(&self, secret: &Secret) -> Result<Vec<u8>> {
        let shape = match &self.file {
            None => Shape::default(),
            Some(path) => {
                let text = crate::failure::read_text(path)?;
                serde_json::from_str(&text).map_err(|error| unfit(&path.display().to_string(), &error.to_string()))?
            }
        };
        let source = self.source_type.as_ref().or(shape.source_type.as_ref());
        let source = source.map_or(Ok(SourceType::File), |name| {
            let names = || SourceType::ALL.iter().map(|it| it.name()).collect::<Vec<_>>().join(", ");
            SourceType::parse(name).ok_or_else(|| unfit("source_type", &format!("{name:?} is none of {}", names())))
        })?;
        let basis = self.legal_basis.as_ref().or(shape.legal_basis.as_ref());
        let basis = basis.map_or(LEGAL_BASIS_DEFAULT, String::as_str);
        let basis = LegalBasis::parse(basis).map_err(|_| {
            unfit("legal_basis", "1 to 200 bytes of visible characters, and no citizen, phone or card number")
        })?;
        let mut details = Encoded::new(source, basis);
        if let Some(code) = self.custodian.as_ref().or(shape.custodian.as_ref()) {
            let code = Uscc::parse(code).map_err(|_| unfit("custodian", "not a unified social credit code"))?;
            details.custodian = Some(code);
        }
        if let Some(case) = self.case.as_ref().or(shape.case_hint.as_ref()) {
            let case = CaseHint::parse(case)
                .map_err(|_| unfit("case", "1 to 64 bytes of visible characters, and no citizen, phone or card number"))?;
            details.case_hint = Some(case);
        }
        let prior = self.prior.iter().chain(&shape.prior_evidence);
        let mut prior = prior
            .map(|number| number.parse::<EvidenceId>().map_err(|error| unfit("prior", &format!("{number}: {error}"))))
            .collect::<Result<Vec<_>>>()?;
        prior.sort();
        prior.dedup();
        details.prior_evidence = prior;
        let keep = self
            .keep_until
            .as_deref()
            .map(|date| end_of_day(date).ok_or_else(|| unfit("keep_until", "not a date such as 2036-12-31")));
        details.retention_until = keep.transpose()?.or(shape.retention_until_ms);
        if let Some(log) = self.process_log.as_ref().or(shape.process_log.as_ref()) {
            details.process_log_root = Some(record(log)?.chunks_root);
        }
        if let Some(token) = self.timestamp_token.as_ref().or(shape.timestamp_token.as_ref()) {
            details.timestamp_token = Some(record(token)?.sha256);
        }
        details.notes = self.note.iter().chain(&shape.notes).copied().collect::<BTreeSet<_>>().into_iter().collect();
        details.generation = self.generation(shape.generation, secret)?;
        details
            .check()
            .map_err(|_| unfit("details", "at most 16 numbers of prior evidence, 16 notes and 16 committed facts"))?;
        Ok(codec::to_bytes(&details))
    }

    fn generation(&self, shape: Option<GenerationShape>, secret: &Secret) -> Result<Option<Generation>> {
        let Some(document) = self.facts.as_ref().or(shape.as_ref().map(|shape| &shape.facts)) else { return Ok(None) };
        let facts = record(document)?.sha256;
        let single = shape.map(|shape| shape.commit).unwrap_or_default();
        let commit = |(name, text): (String, String)| {
            let known = || GenerationField::ALL.iter().map(|it| it.name()).collect::<Vec<_>>().join(", ");
            let field = GenerationField::parse(&name)
                .ok_or_else(|| unfit("generation", &format!("{name:?} is none of {}", known())))?;
            Ok(FieldCommitment { field, commitment: secret.commit(&name, &facts, &text) })
        };
        let mut commitments = single.into_iter().map(commit).collect::<Result<Vec<_>>>()?;
        commitments.sort_by_key(|it| it.field);
        Ok(Some(Generation { facts, commitments }))
    }
}

fn record(path: &Path) -> Result<FileRecord> {
    let hashed = hashing::hash(path, &ProgressBar::hidden());
    hashed.map(|hashed| hashed.record).map_err(|skipped| {
        let shown = path.display();
        Failure::new(Exit::Failed, "file", text!("无法读取文件 {shown}", "the file {shown} cannot be read")).why(skipped.why)
    })
}

/// The last millisecond of a day in China (UTC+8).
pub(crate) fn end_of_day(date: &str) -> Option<u64> {
    let mut parts = date.splitn(3, '-').map(str::parse::<u64>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = [31, 28 + u64::from(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let index = usize::try_from(month.checked_sub(1)?).ok()?;
    if !(1970..=9999).contains(&year) || day == 0 || day > *length.get(index)? {
        return None;
    }
    let before = |year: u64| year * 365 + year / 4 - year / 100 + year / 400;
    let days = before(year - 1) - before(1969) + length[..index].iter().sum::<u64>() + day;
    Some((days * 24 - 8) * 3_600_000 - 1)
}

fn unfit(field: &str, why: &str) -> Failure {
    Failure::new(
        Exit::Usage,
        "deposit.details",
        text!("存证说明中的 {field} 不符合要求", "{field} in what is told about the files is not valid"),
    )
    .why(why.to_string())
    .next(Text::fixed(
        "改正后重试；说明将永久公开，请勿写入个人信息",
        "correct it and try again; it is public for ever, so put nothing personal in",
    ))
}
