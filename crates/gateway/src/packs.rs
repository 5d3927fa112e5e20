//! Rule packs as the API shows them: versions and manifests from the state, drafts and motions found by the index.

use std::collections::BTreeSet;

use zhulian_api::{ErrorCode, Hex32, view};
use zhulian_crypto::Digest;
use zhulian_execution::Event as _;
use zhulian_ledger::{Key, Value};
use zhulian_modules::{
    governance,
    rulepack::{self, Decided, Manifest, Pack, PackId, VersionView},
};
use zhulian_primitives::{Header, Timestamp};

use crate::{Failure, HistoryRow, Shared, routes::organisations::motion, state};

/// Drafts shown of one pack at most.
const DRAFTS_MAX: usize = 20;

/// A pack in the list.
pub fn row(source: &dyn Fn(&Key) -> Option<Value>, pack: &PackId, now: Timestamp) -> Option<view::PackRow> {
    let latest = rulepack::versions(&source, pack).into_iter().next()?;
    let in_force = rulepack::version_in_force(&source, pack, now).map(|view| view.number);
    let manifest = rulepack::manifest(&source, &latest.version.digest)?;
    Some(view::PackRow {
        pack: pack.to_string(),
        title: manifest.zh,
        title_en: manifest.en,
        statute: manifest.statute,
        in_force,
        latest: latest.number,
    })
}

/// A pack with its versions, drafts and votes.
pub async fn view(gateway: &Shared, pack: &PackId) -> Result<view::PackView, Failure> {
    let drafts = gateway.backend.drafts(pack.to_string(), DRAFTS_MAX).await?;
    let (_, versions) = state::query(&*gateway.backend, |source, _| rulepack::versions(&source, pack)).await?;
    if drafts.is_empty() && versions.is_empty() {
        return Err(ErrorCode::PackNotFound.into());
    }
    let enacted: BTreeSet<Digest> = versions.iter().map(|view| view.version.digest).collect();
    let manifests = enacted.iter().chain(&drafts).copied().collect();
    let motions = gateway.backend.pack_motions(pack.to_string(), manifests).await?;
    let (header, (versions, drafts, found)) = state::query(&*gateway.backend, |source, header| {
        let drafts = drafts.iter().filter(|digest| !enacted.contains(*digest));
        let drafts: Vec<(Digest, Option<Manifest>)> =
            drafts.map(|digest| (*digest, rulepack::manifest(&source, digest))).collect();
        let found = motions.iter().map(|it| governance::motion(&source, it.motion, header.height)).collect::<Vec<_>>();
        (rulepack::versions(&source, pack), drafts, found)
    })
    .await?;
    let of = |wanted: &dyn Fn(&crate::PackMotion) -> bool| {
        let found = motions.iter().zip(&found).filter(|(it, _)| wanted(it));
        found.filter_map(|(_, found)| found.clone().map(motion)).collect::<Vec<_>>()
    };
    let in_force = versions.iter().find(|it| it.version.annulled.is_none() && it.version.from <= header.time);
    let in_force = in_force.filter(|it| it.version.covers(header.time)).map(|it| it.number);
    let version = |VersionView { number, version }: &VersionView| view::VersionView {
        version: *number,
        manifest: version.digest.into(),
        status: match version.annulled {
            Some(_) => "annulled",
            None if in_force == Some(*number) => "in_force",
            None if version.from > header.time => "upcoming",
            None => "past",
        }
        .into(),
        from_ms: version.from,
        to_ms: version.to,
        notice_ms: version.notice_ms,
        keeps: version.keeps.name().into(),
        enacted_ms: version.enacted,
        enacted_height: version.height,
        annulled_height: version.annulled,
        motions: of(&|it| it.manifest == Some(version.digest) || it.annuls == Some(*number)),
    };
    let draft = |(digest, manifest): &(Digest, Option<Manifest>)| {
        let version = manifest.as_ref()?.version;
        Some(view::DraftView { version, manifest: (*digest).into(), motions: of(&|it| it.manifest == Some(*digest)) })
    };
    Ok(view::PackView {
        pack: pack.to_string(),
        versions: versions.iter().map(version).collect(),
        drafts: drafts.iter().filter_map(draft).collect(),
        height: header.height,
    })
}

/// A manifest with its files' bytes.
async fn read(gateway: &Shared, digest: &Digest) -> Result<(Header, Manifest, Vec<Vec<u8>>), Failure> {
    let (header, found) = state::query(&*gateway.backend, |source, _| {
        let manifest = rulepack::manifest(&source, digest)?;
        let files: Vec<_> = manifest.items.iter().map(|item| rulepack::file(&source, item)).collect();
        Some((manifest, files.into_iter().collect::<Option<Vec<_>>>()))
    })
    .await?;
    let (manifest, files) = found.ok_or_else(|| Failure::from(ErrorCode::ManifestNotFound))?;
    let files = files.ok_or_else(|| {
        tracing::error!(manifest = Hex32(*digest).to_string(), "P1: a manifest whose files the state lacks");
        Failure::from(ErrorCode::Internal)
    })?;
    Ok((header, manifest, files))
}

/// A file of a manifest.
pub async fn file(gateway: &Shared, digest: &Digest, sha256: &Digest) -> Result<(String, Vec<u8>), Failure> {
    let (_, manifest, files) = read(gateway, digest).await?;
    let found = manifest.items.iter().zip(files).find(|(item, _)| item.sha256 == *sha256);
    found.map(|(item, bytes)| (item.name.clone(), bytes)).ok_or_else(|| ErrorCode::FileNotFound.into())
}

/// What a version or draft is.
pub async fn manifest(gateway: &Shared, digest: &Digest) -> Result<view::ManifestView, Failure> {
    let (header, manifest, files) = read(gateway, digest).await?;
    let (_, pack) = state::query(&*gateway.backend, |source, _| rulepack::pack(&source, digest)).await?;
    let pack = pack.ok_or_else(|| {
        tracing::error!(manifest = Hex32(*digest).to_string(), "P2: a draft that does not compile");
        Failure::from(ErrorCode::Internal)
    })?;
    let files = manifest.items.iter().zip(&files).map(|(item, bytes)| view::PackFileView {
        kind: item.kind.name().into(),
        name: item.name.clone(),
        sha256: item.sha256.into(),
        size: bytes.len() as u64,
    });
    Ok(view::ManifestView {
        manifest: (*digest).into(),
        pack: manifest.pack.to_string(),
        version: manifest.version,
        title: manifest.zh.clone(),
        title_en: manifest.en.clone(),
        statute: manifest.statute.clone(),
        from_ms: manifest.from,
        to_ms: manifest.to,
        notice_ms: manifest.notice_ms,
        keeps: manifest.keeps.name().into(),
        files: files.collect(),
        decisions: decisions(&pack),
        rates: pack.rate_texts().into_iter().map(|(name, value)| view::RateView { name, value }).collect(),
        documents: pack
            .documents()
            .iter()
            .map(|document| view::DocumentView {
                code: document.code.clone(),
                source: document.source.clone(),
                name: document.zh.clone(),
                name_en: document.en.clone(),
            })
            .collect(),
        procedures: pack
            .procedures()
            .values()
            .map(|process| {
                let materials: BTreeSet<&str> = process.materials().map(|(name, _)| name).collect();
                let input = |(name, kind): (&str, &str)| view::InputView { name: name.to_owned(), kind: kind.to_owned() };
                view::ProcedureView {
                    process: process.id.clone(),
                    name: process.name.clone(),
                    variables: process.variables().map(input).collect(),
                    materials: materials.into_iter().map(ToOwned::to_owned).collect(),
                }
            })
            .collect(),
        height: header.height,
    })
}

fn decisions(pack: &Pack) -> Vec<view::DecisionView> {
    let model = pack.model();
    let needs = |decision: &str| {
        let inputs = model.required(decision).filter(|(name, _)| !pack.fixes(name));
        inputs.map(|(name, kind)| view::InputView { name: name.to_owned(), kind: kind.to_string() }).collect()
    };
    model.decisions().map(|(name, _)| view::DecisionView { decision: name.to_owned(), needs: needs(name) }).collect()
}

/// A decision that was made.
pub fn decision(row: &HistoryRow) -> Option<view::DecisionRow> {
    let decided = Decided::of(&row.event)?;
    Some(view::DecisionRow {
        transaction: row.transaction.into(),
        height: row.position.height,
        index: row.position.index,
        time_ms: row.time,
        version: decided.version,
        decision: decided.decision,
        facts: decided
            .facts
            .into_iter()
            .map(|fact| view::FactView { name: fact.name, value: fact.value, commitment: fact.commitment.map(Into::into) })
            .collect(),
        outcome: decided.outcome,
        gas: decided.gas,
        hits: decided.hits.iter().map(|hit| view::HitView { table: hit.table, rule: hit.rule }).collect(),
        organisation: decided.organisation.to_string(),
        member: decided.member.to_string(),
        in_force: decided.in_force,
        subject: decided.subject.map(Into::into),
    })
}
