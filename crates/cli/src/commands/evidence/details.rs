//! What a depositor tells about files: options, or a JSON file, and their encoding.

use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;
use zhulian_modules::{
    evidence::{CaseHint, Details as Encoded, LegalBasis, SourceType},
    identity::Uscc,
};
use zhulian_primitives::{EvidenceId, codec};

use crate::{
    failure::{AtPath as _, Exit, Failure, Result},
    text,
    text::Text,
};

/// The legal basis when none is named: a party deposits what it may later show to a court.
pub const LEGAL_BASIS_DEFAULT: &str = "《人民法院在线诉讼规则》第十六条";

/// What to tell about the files. It is public for ever: nothing personal goes in.
#[derive(Args, Clone, Debug, Default)]
pub struct Details {
    /// JSON file with any of: source_type, legal_basis, custodian, case_hint, prior_evidence, retention_until_ms
    #[arg(long = "details", value_name = "FILE.json")]
    pub file: Option<PathBuf>,
    /// web, screen, file, api, sensor, contract, payment or other; default file (来源类型)
    #[arg(long, value_name = "TYPE")]
    pub source_type: Option<String>,
    /// Why the deposit is lawful (法律依据)
    #[arg(long, value_name = "TEXT")]
    pub legal_basis: Option<String>,
    /// Who holds the originals, by its unified social credit code, if it is not the depositor (保管单位)
    #[arg(long, value_name = "USCC")]
    pub custodian: Option<String>,
    /// The case it may serve; no personal data (案件线索)
    #[arg(long, value_name = "TEXT")]
    pub case: Option<String>,
    /// Evidence numbers that came before; may be given several times (前序存证)
    #[arg(long, value_name = "NUMBER")]
    pub prior: Vec<String>,
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
}

impl Details {
    /// The CBOR of the details.
    ///
    /// # Errors
    /// When something is not of the published form.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let shape = match &self.file {
            None => Shape::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path).at(path)?;
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
        details.retention_until = shape.retention_until_ms;
        details.check().map_err(|_| unfit("details", "at most 16 numbers of prior evidence"))?;
        Ok(codec::to_bytes(&details))
    }
}

fn unfit(field: &str, why: &str) -> Failure {
    Failure::new(
        Exit::Usage,
        "deposit.details",
        text!("存证说明中的 {field} 不符合要求", "{field} in what is told about the files is not valid"),
    )
    .why(why.to_string())
    .next(Text::fixed(
        "改正后重试;说明将永久公开,请勿写入个人信息",
        "correct it and try again; it is public for ever, so put nothing personal in",
    ))
}
