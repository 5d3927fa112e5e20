//! What motions and other modules do with packs: enacting, annulling, finding the version in force, deciding.

use std::sync::Arc;

use zhulian_crypto::{Digest, sha256};
use zhulian_execution::{Context, Halt, Read};
use zhulian_ledger::Key as StateKey;
use zhulian_primitives::{Protocol, Timestamp};
use zhulian_rules::{Halt as RuleHalt, Name, Undecided, Value, gas::Gas};

use super::{
    cache,
    calls::Decide,
    errors::Error,
    events::{Annulled, Decided, Enacted},
    pack::{DECISION_GAS, Pack},
    rules, state,
    types::{Hit, Item, Manifest, PackId, Version},
};
use crate::{identity::Me, text};

/// Reads the files of a manifest from the state (P1).
fn files(ctx: &mut Context<'_>, items: &[Item]) -> Result<Vec<Vec<u8>>, Halt> {
    let keys: Vec<StateKey> = items.iter().flat_map(|item| &item.parts).map(|part| state::PART.key(part)).collect();
    ctx.want(&keys)?;
    let mut files = Vec::new();
    for item in items {
        let mut file = Vec::new();
        for part in &item.parts {
            file.extend(state::PART.get(ctx, part)?.ok_or(Error::PartMissing)?.0);
        }
        if sha256(&file) != item.sha256 {
            return Err(Error::FileMismatch.into());
        }
        files.push(file);
    }
    Ok(files)
}

/// From this protocol on a draft's files are looked into as they are, and not only their parts, which may cut a number in two (P8).
const FILES_LOOKED_INTO: Protocol = 3;

/// Accepts a draft whose files are in the state (P1, P2, P8).
pub(super) fn draft(ctx: &mut Context<'_>, manifest: &Manifest) -> Result<Arc<Pack>, Halt> {
    let files = files(ctx, &manifest.items)?;
    if ctx.protocol() >= FILES_LOOKED_INTO && files.iter().any(|file| text::is_personal(&String::from_utf8_lossy(file))) {
        return Err(Error::PersonalData.into());
    }
    Ok(cache::draft(manifest, &files).ok_or(Error::NotAccepted)?)
}

/// The record of a version: its term, and which version a case keeps (P7).
///
/// # Errors
/// [`Halt::Missing`] when state is not loaded, or there is no such version.
pub fn record(ctx: &mut Context<'_>, pack: &PackId, number: u32) -> Result<Version, Halt> {
    Ok(state::VERSION.get(ctx, &(pack.clone(), number))?.ok_or(Error::VersionNotFound)?)
}

/// The drafted version of this digest, if it could be enacted now.
pub(crate) fn may_enact(ctx: &mut Context<'_>, digest: &Digest) -> Result<Manifest, Halt> {
    let manifest = state::MANIFEST.get(ctx, digest)?.ok_or(Error::DraftNotFound)?;
    let latest = state::LATEST.get(ctx, &manifest.pack)?.unwrap_or(0);
    let mut standing = None;
    for number in (1..=latest).rev() {
        let found = record(ctx, &manifest.pack, number)?;
        if found.annulled.is_none() {
            standing = Some(found);
            break;
        }
    }
    rules::may_enact(&manifest, latest, standing.as_ref(), ctx.block_time())?;
    Ok(manifest)
}

/// Enacts a drafted version; only a carried motion does (P3).
pub(crate) fn enact(ctx: &mut Context<'_>, digest: &Digest) -> Result<(), Halt> {
    let manifest = may_enact(ctx, digest)?;
    let packs = state::PACKS.get(ctx, &())?.unwrap_or(0);
    if manifest.version == 1 {
        state::PACK.put(ctx, &packs, &manifest.pack);
        state::PACKS.put(ctx, &(), &(packs + 1));
    }
    let (pack, number) = (manifest.pack.clone(), manifest.version);
    let version = Version {
        digest: *digest,
        from: manifest.from,
        to: manifest.to,
        notice_ms: manifest.notice_ms,
        keeps: manifest.keeps,
        enacted: ctx.block_time(),
        height: ctx.height(),
        annulled: None,
    };
    state::VERSION.put(ctx, &(pack.clone(), number), &version);
    state::LATEST.put(ctx, &pack, &number);
    ctx.emit(&Enacted { pack, version: number, digest: *digest, from: manifest.from, to: manifest.to });
    Ok(())
}

/// Whether a version could be annulled now.
pub(crate) fn may_annul(ctx: &mut Context<'_>, pack: &PackId, number: u32) -> Result<Version, Halt> {
    let found = record(ctx, pack, number)?;
    rules::may_annul(&found, ctx.block_time())?;
    Ok(found)
}

/// Annuls a version before it takes effect; only a carried motion does (P3, P5).
pub(crate) fn annul(ctx: &mut Context<'_>, pack: &PackId, number: u32) -> Result<(), Halt> {
    let found = may_annul(ctx, pack, number)?;
    let annulled = Version { annulled: Some(ctx.height()), ..found };
    state::VERSION.put(ctx, &(pack.clone(), number), &annulled);
    ctx.emit(&Annulled { pack: pack.clone(), version: number });
    Ok(())
}

/// The number of the version in force at a time: the last one that has taken effect, unless its own term is over (P3).
///
/// # Errors
/// [`Halt::Missing`] when state is not loaded, or the pack is not known.
pub fn in_force(ctx: &mut Context<'_>, pack: &PackId, at: Timestamp) -> Result<Option<u32>, Halt> {
    let latest = state::LATEST.get(ctx, pack)?.ok_or(Error::PackNotFound)?;
    for number in (1..=latest).rev() {
        let found = record(ctx, pack, number)?;
        if found.annulled.is_none() && found.from <= at {
            return Ok(found.covers(at).then_some(number));
        }
    }
    Ok(None)
}

/// A version, compiled: its decisions, rates, calendar and documents.
///
/// # Errors
/// [`Halt::Missing`] when state is not loaded, or there is no such version.
pub fn load(ctx: &mut Context<'_>, pack: &PackId, number: u32) -> Result<Arc<Pack>, Halt> {
    let found = record(ctx, pack, number)?;
    if let Some(pack) = cache::in_use(&found.digest) {
        return Ok(pack);
    }
    // P1, P2: what is enacted was drafted, so the state has its files and they compile.
    let manifest = state::MANIFEST.get(ctx, &found.digest)?.expect("P2: what is enacted was drafted");
    let files = files(ctx, &manifest.items)?;
    Ok(cache::used(&manifest, &files).ok_or(Error::NotAccepted)?)
}

/// Decides by a version, on behalf of the actor, and emits [`Decided`]. Other modules' steps are decided by this, too.
///
/// # Errors
/// Why nothing is decided.
///
/// # Panics
/// When the outcome of a decision cannot be written, which its gas and depth exclude.
pub fn decide(ctx: &mut Context<'_>, call: &Decide) -> Result<Decided, Halt> {
    let me = Me::of(ctx);
    let now = ctx.block_time();
    let in_force = in_force(ctx, &call.pack, now)?;
    let number = match call.version {
        None => in_force.ok_or(Error::NotInForce)?,
        Some(number) => {
            let found = record(ctx, &call.pack, number)?;
            rules::may_use(number, &found, in_force, now)?;
            number
        }
    };
    let pack = load(ctx, &call.pack, number)?;
    if pack.model().decision_index(&call.decision).is_none() {
        return Err(Error::DecisionNotFound.into());
    }
    if call.facts.iter().any(|fact| pack.fixes(&fact.name)) {
        return Err(Error::FactIsRate.into());
    }
    let outcome = pack.decide(&call.decision, &values(call)?).map_err(refusal)?;
    let text = outcome.value.to_canonical(&mut Gas::new(DECISION_GAS)).map_err(|_| Error::TooCostly)?;
    let decided = Decided {
        pack: call.pack.clone(),
        version: number,
        digest: pack.digest,
        decision: call.decision.clone(),
        facts: call.facts.clone(),
        outcome: text,
        gas: outcome.gas,
        hits: outcome.hits.iter().map(|hit| Hit { table: hit.table, rule: hit.rule }).collect(),
        organisation: me.organisation,
        member: me.member,
        in_force,
        subject: call.subject,
    };
    ctx.emit(&decided);
    Ok(decided)
}

/// The facts as values.
pub(super) fn values(call: &Decide) -> Result<Vec<(Name, Value)>, Error> {
    let value = |text: &str| Value::from_canonical(text).ok_or(Error::MalformedFact);
    call.facts.iter().map(|fact| Ok((Name::from(&*fact.name), value(&fact.value)?))).collect()
}

fn refusal(undecided: Undecided) -> Error {
    match undecided {
        Undecided::NoSuchDecision => Error::DecisionNotFound,
        Undecided::MissingFact(_) => Error::FactMissing,
        Undecided::UnneededFact(_) => Error::FactUnneeded,
        Undecided::Halted(RuleHalt::OutOfGas | RuleHalt::TooDeep | RuleHalt::TooLarge) => Error::TooCostly,
        Undecided::Halted(RuleHalt::NoSuchElement) => Error::DecisionNotFound,
        Undecided::Faulty(_) | Undecided::NoAnswer => Error::NoAnswer,
    }
}
