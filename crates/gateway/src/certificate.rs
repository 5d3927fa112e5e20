//! The evidence certificate (存证证书): its facts are those of a receipt that this gateway has verified itself.

use zhulian_api::{ErrorCode, view};
use zhulian_document::{BatchEntry, Bilingual, CertificateFacts, DocumentError, Fonts, Party};
use zhulian_primitives::{Header, Validator};
use zhulian_verify::{CHUNK_BYTES, Deposit, ReceiptFile, Verified, verify_receipt};

use crate::{Failure, Shared};

/// The organisation of a validator, by its place among those that decided the block: names may be the same.
fn party(verified: &Verified, index: usize) -> Party {
    let Validator { name, organisation, .. } = &verified.council[index];
    Party { name: name.clone(), uscc: organisation.clone() }
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

/// The certificate of the evidence in `view`, whose standing was read from `state`, and which `file` proves.
pub async fn make(
    gateway: &Shared,
    view: view::EvidenceView,
    state: &Header,
    file: &ReceiptFile,
) -> Result<Vec<u8>, Failure> {
    let network = gateway.backend.network().clone();
    let verified = verify_receipt(&network, &file.encode()).map_err(|refusal| {
        tracing::error!(%refusal, "a receipt of our own does not verify; no certificate is made of it");
        Failure::from(ErrorCode::Internal)
    })?;
    let facts = facts(&gateway.config.public_url, &view, state, &verified)?;
    let gateway = gateway.clone();
    let rendered = tokio::task::spawn_blocking(move || {
        // Loading the fonts takes a while and 40 MB, so it waits for the first certificate.
        // Fonts that are missing are looked for again: they may have been installed since.
        let fonts = match gateway.fonts.get() {
            Some(fonts) => fonts,
            None => {
                let found = Fonts::find().map_err(|error| {
                    tracing::warn!(%error, "no fonts for certificates");
                    Failure::from(ErrorCode::NoFonts)
                })?;
                gateway.fonts.get_or_init(|| found)
            }
        };
        zhulian_document::render(&facts, fonts).map_err(|error: DocumentError| {
            tracing::error!(%error, "a certificate cannot be made");
            Failure::from(ErrorCode::Internal)
        })
    });
    rendered.await.map_err(|_| Failure::from(ErrorCode::Internal))?
}

fn facts(url: &str, view: &view::EvidenceView, state: &Header, verified: &Verified) -> Result<CertificateFacts, Failure> {
    // A batch as a whole is certified by its root, which is what was deposited.
    let (sha256, batch, whole_batch) = match (&verified.deposit, verified.file()) {
        (Some(Deposit::Batch { count, .. }), Some(file)) => {
            (file.sha256, view.entry.map(|index| BatchEntry { index, size: *count }), None)
        }
        (Some(Deposit::Batch { root, count }), None) => (*root, None, Some(*count)),
        (_, Some(file)) => (file.sha256, None, None),
        _ => return Err(ErrorCode::EvidenceNotFound.into()),
    };
    let file = verified.file();
    let mut notes = Vec::new();
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
        let (zh, en) = if whole_batch.is_some() { ("批次", "batch") } else { ("文件", "file") };
        notes.push(Bilingual::new(
            format!("同一{zh}此前已有存证，编号 {first}。"),
            format!("The same {en} was deposited before, under number {first}."),
        ));
    }
    Ok(CertificateFacts {
        number: view.id.clone(),
        title: None,
        status: status(&view.status),
        status_height: state.height,
        status_at_ms: state.time,
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
        whole_batch,
        height: verified.height,
        block: verified.block,
        transaction: verified.transaction.0,
        network: verified.network.clone(),
        chain: verified.chain,
        signers: verified.signed_by.iter().map(|index| party(verified, *index)).collect(),
        validators: verified.validators,
        proposer: party(verified, verified.proposed_by),
        proposer_signed: verified.signed_by.iter().position(|index| *index == verified.proposed_by),
        verify_url: format!(
            "{url}/?id={}",
            view.id.replace('*', "%2A").replace('$', "%24").replace('=', "%3D").replace('~', "%7E")
        ),
        notes,
    })
}
