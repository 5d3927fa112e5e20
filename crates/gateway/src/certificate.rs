//! The evidence certificate (存证证书): its facts are those of a receipt that this gateway has verified itself.

use zhulian_api::{ErrorCode, view};
use zhulian_document::{BatchEntry, Bilingual, CertificateFacts, DocumentError, Fonts, Party};
use zhulian_primitives::Network;
use zhulian_verify::{CHUNK_BYTES, Deposit, ReceiptFile, Verified, verify_receipt};

use crate::{Failure, Shared};

fn party(sets: &[Network], name: &str) -> Party {
    let validator = sets.iter().flat_map(|network| &network.validators).find(|validator| validator.name == name);
    Party { name: name.into(), uscc: validator.map(|validator| validator.organisation.clone()).unwrap_or_default() }
}

fn status(name: &str) -> Bilingual {
    match name {
        "in_use" => Bilingual::new("有效", "in use"),
        "frozen" => Bilingual::new("已由法院冻结", "frozen by a court"),
        "withdrawn" => Bilingual::new("已停止使用（记录保留）", "withdrawn from use (the record stays)"),
        other => Bilingual::new(other, other),
    }
}

fn source_type(name: &str) -> Bilingual {
    let zh = match name {
        "web" => "网页",
        "screen" => "录屏",
        "file" => "文件",
        "api" => "接口",
        "sensor" => "传感器",
        "contract" => "合同",
        "payment" => "支付",
        _ => "其他",
    };
    Bilingual::new(zh, name)
}

/// The certificate of the evidence in `view`, which `file` proves.
pub async fn make(gateway: &Shared, view: view::EvidenceView, file: &ReceiptFile) -> Result<Vec<u8>, Failure> {
    let network = gateway.backend.network().clone();
    let verified = verify_receipt(&network, &file.encode()).map_err(|refusal| {
        tracing::error!(%refusal, "a receipt of our own does not verify; no certificate is made of it");
        Failure::from(ErrorCode::Internal)
    })?;
    let facts = facts(&gateway.backend.status().sets, &gateway.config.public_url, &view, &verified)?;
    let gateway = gateway.clone();
    let rendered = tokio::task::spawn_blocking(move || {
        // Loading the fonts takes a while and 40 MB, so it waits for the first certificate.
        let fonts = gateway.fonts.get_or_init(|| Fonts::find().map_err(|error| error.to_string()));
        let fonts = fonts.as_ref().map_err(|error| {
            tracing::warn!(%error, "no fonts for certificates");
            Failure::from(ErrorCode::NoFonts)
        })?;
        zhulian_document::render(&facts, fonts).map_err(|error: DocumentError| {
            tracing::error!(%error, "a certificate cannot be made");
            Failure::from(ErrorCode::Internal)
        })
    });
    rendered.await.map_err(|_| Failure::from(ErrorCode::Internal))?
}

fn facts(sets: &[Network], url: &str, view: &view::EvidenceView, verified: &Verified) -> Result<CertificateFacts, Failure> {
    // A batch as a whole is certified by its root, which is what was deposited.
    let (sha256, batch) = match (&verified.deposit, verified.file()) {
        (Some(Deposit::Batch { count, .. }), Some(file)) => {
            (file.sha256, view.entry.map(|index| BatchEntry { index, size: *count }))
        }
        (Some(Deposit::Batch { root, .. }), None) => (*root, None),
        (_, Some(file)) => (file.sha256, None),
        _ => return Err(ErrorCode::EvidenceNotFound.into()),
    };
    let file = verified.file();
    let mut notes = Vec::new();
    if let (Some(Deposit::Batch { count, .. }), None) = (&verified.deposit, file) {
        notes.push(Bilingual::new(
            format!("本证书证明一个批次，共 {count} 项；上述摘要为全部条目的 Merkle 根（RFC 9162）。"),
            format!(
                "This certifies a batch of {count} entries; the digest above is the Merkle root over all of them (RFC 9162)."
            ),
        ));
    }
    if view.custodian.is_none() {
        notes.push(Bilingual::new(
            "原件由存证机构自行保管（中立性提示，人民法院在线诉讼规则第十七条）。",
            "The depositor itself holds the original (neutrality, Online Litigation Rules of the People's Courts, art. 17).",
        ));
    }
    for freeze in &view.freezes {
        notes.push(Bilingual::new(
            format!("已由{}在 {} 案中冻结。", freeze.court.name, freeze.case),
            format!("Frozen by {} in case {}.", freeze.court.name, freeze.case),
        ));
    }
    if let Some(first) = &view.first_deposit {
        notes.push(Bilingual::new(
            format!("同一文件此前已有存证，编号 {first}。"),
            format!("The same file was deposited before, under number {first}."),
        ));
    }
    Ok(CertificateFacts {
        number: view.id.clone(),
        title: None,
        status: status(&view.status),
        deposited_at_ms: verified.time,
        depositor: Party { name: view.organisation_name.clone(), uscc: view.organisation.clone() },
        custodian: view.custodian.as_ref().map(|party| Party { name: party.name.clone(), uscc: party.uscc.clone() }),
        source_type: Some(source_type(&view.details.source_type)),
        legal_basis: Some(view.details.legal_basis.clone()),
        sha256,
        sm3: file.map(|file| file.sm3),
        size: file.map(|file| file.size),
        chunks: file.map(|file| file.size.div_ceil(CHUNK_BYTES as u64)),
        batch,
        height: verified.height,
        block: verified.block,
        transaction: verified.transaction.0,
        network: verified.network.clone(),
        chain: verified.chain,
        signers: verified.signers.iter().map(|name| party(sets, name)).collect(),
        validators: verified.validators,
        proposer: party(sets, &verified.proposer),
        verify_url: format!(
            "{url}/?id={}",
            view.id.replace('*', "%2A").replace('$', "%24").replace('=', "%3D").replace('~', "%7E")
        ),
        notes,
    })
}
