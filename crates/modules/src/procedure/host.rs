//! What a case's procedure asks of its surroundings: other procedures, decisions by rule packs, working days.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use zhulian_crypto::{Digest, sha256};
use zhulian_execution::{Context, Halt};
use zhulian_primitives::Timestamp;
use zhulian_procedure::{Fault, Host, Instance, Process, instance::Decided as Answer};
use zhulian_rules::{Name, Undecided, Value, gas::Gas};

use super::{CASES_MENDED, clock::Days, errors::Error, rules::Settings, types::CaseId};
use crate::{
    identity::Me,
    rulepack::{self, DECISION_GAS, Decided, Fact, Hit, Keeps, Pack, PackId},
};

/// Gas of one step of a case.
pub const STEP_GAS: u64 = 1_000_000;
/// Most packs that one case's procedures may call.
const PACKS_MAX: usize = 16;

/// The key of a procedure: pack, version and process.
fn key(pack: &PackId, version: u32, process: &str) -> String {
    format!("{pack}@{version}/{process}")
}

fn parse_key(key: &str) -> Option<(PackId, u32, &str)> {
    let (pack, rest) = key.split_once('@')?;
    let (version, process) = rest.split_once('/')?;
    Some((PackId::parse(pack).ok()?, version.parse().ok()?, process))
}

/// A decision that was taken in a step, to be put on record.
struct Taken {
    pack: PackId,
    version: u32,
    digest: Digest,
    decision: String,
    facts: Vec<Fact>,
    outcome: String,
    gas: u64,
    hits: Vec<Hit>,
}

/// A procedure that a case runs or may call.
struct Known {
    process: Arc<Process>,
    settings: Arc<Settings>,
}

/// The surroundings of one case.
pub(super) struct CaseHost {
    /// The pack and version by which the case runs.
    pub(super) pack: Arc<Pack>,
    /// What its procedure says beyond BPMN.
    pub(super) settings: Arc<Settings>,
    /// Since when the case's clock stands still, if it does.
    pub(super) paused: Option<Timestamp>,
    /// Whether the rules of protocol 3 are in force.
    pub(super) mended: bool,
    /// Procedures by key.
    known: BTreeMap<String, Known>,
    /// Version and pack by which calls and decisions go now.
    now: BTreeMap<String, (u32, Arc<Pack>)>,
    calendar: Option<Arc<Pack>>,
    time: Timestamp,
    taken: RefCell<Vec<Taken>>,
    /// Why working days could not be counted, when they could not.
    uncounted: Cell<Option<Error>>,
}

impl CaseHost {
    /// Loads what the procedures of a case may ask for.
    pub(super) fn load(
        ctx: &mut Context<'_>,
        pack: &PackId,
        version: u32,
        process: &str,
        instance: Option<&Instance>,
    ) -> Result<Self, Halt> {
        let own = rulepack::load(ctx, pack, version)?;
        let settings = own.settings().get(process).ok_or(Error::ProcedureNotFound)?.clone();
        let mut host = Self {
            pack: own.clone(),
            settings,
            paused: None,
            mended: ctx.protocol() >= CASES_MENDED,
            known: BTreeMap::new(),
            now: BTreeMap::new(),
            calendar: None,
            time: ctx.block_time(),
            taken: RefCell::default(),
            uncounted: Cell::new(None),
        };
        host.take(pack, version, &own);
        // P7: what a case keeps is its procedure; a pack may say that its decisions are always the latest.
        let decides = match own.manifest.keeps {
            Keeps::Opened => (version, own.clone()),
            Keeps::Latest => {
                let latest = rulepack::in_force(ctx, pack, ctx.block_time())?.unwrap_or(version);
                (latest, rulepack::load(ctx, pack, latest)?)
            }
        };
        host.now.insert(pack.to_string(), decides);
        for known in instance.map(Instance::procedures).unwrap_or_default() {
            if let Some((of, version, _)) = parse_key(known)
                && !host.known.contains_key(known)
            {
                let loaded = rulepack::load(ctx, &of, version)?;
                host.take(&of, version, &loaded);
            }
        }
        host.called(ctx)?;
        host.calendar = match &host.settings.calendar {
            // Days off are facts of a year and no rules that a case keeps: a later version may know of more years.
            None if own.calendar().is_some() => {
                let latest = rulepack::in_force(ctx, pack, ctx.block_time())?.unwrap_or(version);
                Some(rulepack::load(ctx, pack, latest)?).filter(|latest| latest.calendar().is_some()).or(Some(own))
            }
            None => None,
            Some(id) => match rulepack::in_force(ctx, id, ctx.block_time()) {
                Ok(Some(version)) => Some(rulepack::load(ctx, id, version)?),
                Ok(None) | Err(Halt::Refused(_)) => None,
                Err(Halt::Missing) => return Err(Halt::Missing),
            },
        };
        Ok(host)
    }

    fn take(&mut self, id: &PackId, version: u32, pack: &Pack) {
        for (name, process) in pack.procedures() {
            let Some(settings) = pack.settings().get(name) else { continue };
            let known = Known { process: process.clone(), settings: settings.clone() };
            self.known.insert(key(id, version, name), known);
        }
    }

    /// Loads the packs that the procedures call, in the versions in force. What is not in force, or beyond the most packs, is left out:
    /// the fault is that of the call which is reached, and no other step of the case is held up.
    fn called(&mut self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let mut absent = BTreeSet::new();
        loop {
            let mut names = self.known.values().flat_map(|known| &known.settings.calls);
            let next = names.find(|name| !self.now.contains_key(*name) && !absent.contains(*name)).cloned();
            let Some(next) = next else { return Ok(()) };
            if self.now.len() + absent.len() >= PACKS_MAX {
                return if self.mended { Ok(()) } else { Err(Error::TooLarge.into()) };
            }
            let version = match in_force(ctx, &next) {
                Err(Halt::Refused(_)) if self.mended => {
                    absent.insert(next);
                    continue;
                }
                other => other?,
            };
            let id = PackId::parse(&next).map_err(|_| Error::ProcedureNotFound)?;
            let pack = rulepack::load(ctx, &id, version)?;
            self.take(&id, version, &pack);
            self.now.insert(next, (version, pack));
        }
    }

    /// The process of a key.
    pub(super) fn of(&self, key: &str) -> Option<&Arc<Process>> {
        self.known.get(key).map(|known| &known.process)
    }

    /// What the procedure of a key says beyond BPMN.
    pub(super) fn settings_of(&self, key: &str) -> Option<&Settings> {
        self.known.get(key).map(|known| &*known.settings)
    }

    /// Whether any procedure here may make calls of other modules.
    pub(super) fn has_rights(&self) -> bool {
        self.known.values().any(|known| !known.settings.rights.is_empty())
    }

    /// Why a step is not taken: where days could not be counted, the calendar says it.
    pub(super) fn refusal(&self, fault: Fault) -> Error {
        match (fault, self.uncounted.get()) {
            (Fault::Timer, Some(why)) => why,
            (fault, _) => fault.into(),
        }
    }

    /// Whether a procedure of the case, or its pack's list, asks for a material.
    pub(super) fn asks_for(&self, material: &str) -> bool {
        let drawn = self.known.values().any(|known| known.process.materials().any(|(name, _)| name == material));
        drawn || self.pack.documents().iter().any(|document| document.code == material)
    }

    /// The working days in force.
    pub(super) fn days(&self) -> Days<'_> {
        Days { calendar: self.calendar.as_ref().and_then(|pack| pack.calendar()), now: self.time }
    }

    /// Puts the decisions of the last step on record (B2).
    pub(super) fn record_decisions(&self, ctx: &mut Context<'_>, me: &Me, case: CaseId) {
        if self.taken.borrow().is_empty() {
            return;
        }
        let subject = sha256(case.to_string().as_bytes());
        for taken in self.taken.take() {
            ctx.emit(&Decided {
                pack: taken.pack,
                version: taken.version,
                digest: taken.digest,
                decision: taken.decision,
                facts: taken.facts,
                outcome: taken.outcome,
                gas: taken.gas,
                hits: taken.hits,
                organisation: me.organisation,
                member: me.member.clone(),
                in_force: Some(taken.version),
                subject: Some(subject),
            });
        }
    }
}

/// The version of a called pack that is in force.
fn in_force(ctx: &mut Context<'_>, pack: &str) -> Result<u32, Halt> {
    let id = PackId::parse(pack).map_err(|_| Error::ProcedureNotFound)?;
    Ok(rulepack::in_force(ctx, &id, ctx.block_time())?.ok_or(Error::ProcedureNotFound)?)
}

impl Host for CaseHost {
    fn mended(&self) -> bool {
        self.mended
    }

    fn current(&self, procedure: &str) -> Option<(String, Arc<Process>)> {
        let (name, process) = procedure.split_once('/')?;
        let id = PackId::parse(name).ok()?;
        // The case's own pack stays at the case's version.
        let version = if id == self.pack.manifest.pack { self.pack.manifest.version } else { self.now.get(name)?.0 };
        let key = key(&id, version, process);
        let found = self.of(&key)?.clone();
        Some((key, found))
    }

    fn process(&self, key: &str) -> Option<Arc<Process>> {
        self.of(key).cloned()
    }

    fn decide(&self, decision: &str, facts: &[(Name, Value)], gas: &mut Gas) -> Result<Answer, Fault> {
        let (name, decision) = decision.split_once('/').ok_or(Fault::NoDecision)?;
        let (version, pack) = self.now.get(name).ok_or(Fault::NoDecision)?;
        // P6: exactly the facts that are needed; what the pack fixes is the pack's.
        let needed: Vec<(Name, Value)> = pack
            .model()
            .required(decision)
            .filter(|(needed, _)| !pack.fixes(needed))
            .filter_map(|(needed, _)| facts.iter().find(|(name, _)| &**name == needed).cloned())
            .collect();
        // Paid before it is begun.
        gas.charge(DECISION_GAS)?;
        let outcome = pack.decide(decision, &needed).map_err(|undecided| match undecided {
            Undecided::Halted(halt) => Fault::from(halt),
            _ => Fault::NoDecision,
        })?;
        let mut canonical = Gas::new(DECISION_GAS);
        let mut record = Vec::new();
        for (name, value) in &needed {
            record.push(Fact { name: name.to_string(), value: value.to_canonical(&mut canonical)?, commitment: None });
        }
        record.sort_by(|a, b| a.name.cmp(&b.name));
        let hits: Vec<Hit> = outcome.hits.iter().map(|hit| Hit { table: hit.table, rule: hit.rule }).collect();
        self.taken.borrow_mut().push(Taken {
            pack: pack.manifest.pack.clone(),
            version: *version,
            digest: pack.digest,
            decision: decision.to_owned(),
            facts: record,
            outcome: outcome.value.to_canonical(&mut canonical)?,
            gas: outcome.gas,
            hits: hits.clone(),
        });
        let hits = hits.iter().map(|hit| format!("{}.{}", hit.table, hit.rule)).collect();
        Ok(Answer { value: outcome.value, version: format!("{name}@{version}"), hits })
    }

    fn working_days_after(&self, from: i64, days: u32) -> Option<(i64, u32)> {
        let end = self.days().after(Timestamp::try_from(from).ok()?, days);
        let end = end.map_err(|why| self.uncounted.set(Some(why))).ok()?;
        Some((i64::try_from(end.due).ok()?, end.left))
    }

    fn working_days_between(&self, from: i64, to: i64) -> Option<u32> {
        let days = self.days().between(Timestamp::try_from(from).ok()?, Timestamp::try_from(to).ok()?);
        days.map_err(|why| self.uncounted.set(Some(why))).ok()
    }

    fn paused_since(&self) -> Option<i64> {
        self.paused.and_then(|since| i64::try_from(since).ok())
    }
}
