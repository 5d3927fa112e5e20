//! What the index keeps of cases and rule packs: where each case stands as far as its events say, the events of each case, drafts
//! with the motions about them, and decisions.

use rusqlite::{Row, ToSql, Transaction, params, params_from_iter};
use zhulian_crypto::{Digest, sha256};
use zhulian_execution::Event as _;
use zhulian_modules::{
    governance::{Action, MotionOpened},
    procedure::{CaseClosed, CaseId, CaseOpened, ClockResumed, Outcome, case_of},
    rulepack::{Decided, Drafted},
};
use zhulian_primitives::{Event, Timestamp};

use super::{
    HistoryHit, IndexError, Place, Queries,
    query::{COLUMNS, JOINS, found, name_id},
    store::{Names, run},
};

pub(super) const TABLES: &str = "
create table if not exists cases (
    id integer primary key, seq integer not null, organisation integer not null, pack integer not null,
    procedure integer not null, due integer not null, outcome integer);
create index if not exists cases_of_organisation on cases (organisation, id);
create index if not exists cases_of_pack on cases (pack, id);
create index if not exists cases_open on cases (id) where outcome is null;
create table if not exists case_events (id integer, seq integer, event integer, primary key (id, seq, event)) without rowid;
create table if not exists drafts (pack integer, seq integer, digest blob not null, primary key (pack, seq)) without rowid;
create table if not exists pack_motions (motion integer primary key, digest blob, pack integer, version integer);
create index if not exists pack_motions_of_digest on pack_motions (digest, motion);
create index if not exists pack_motions_of_pack on pack_motions (pack, motion);
create table if not exists decisions (pack integer, seq integer, event integer, version integer not null, decision integer not null,
    primary key (pack, seq, event)) without rowid;
";

/// The tables, for comparing two indexes.
pub(super) const NAMES: [&str; 5] = ["cases", "case_events", "drafts", "pack_motions", "decisions"];

/// Something that happened to a case or a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// Which transaction of the block.
    pub transaction: u32,
    /// Which event of it.
    pub event: u32,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A case was opened.
    Opened {
        /// Its place among all cases.
        case: u64,
        /// Unified social credit code of the organisation that leads it.
        organisation: String,
        /// The pack.
        pack: String,
        /// The process in the pack.
        process: String,
        /// When its period is over: the statutory one, else the promised one; 0 for none.
        due: Timestamp,
    },
    /// The periods of a case end at another time.
    Due(u64, Timestamp),
    /// A case was closed with this outcome.
    Closed(u64, Outcome),
    /// Anything of a case.
    Case(u64),
    /// A version of a pack was drafted.
    Drafted(String, Digest),
    /// A motion to enact a manifest was opened.
    Enacting(u32, Digest),
    /// A motion to annul a version was opened.
    Annulling(u32, String, u32),
    /// A version of a pack decided.
    Decided {
        /// The pack.
        pack: String,
        /// The version.
        version: u32,
        /// The decision.
        decision: String,
    },
}

/// What the events of one transaction say of cases and packs.
pub(super) fn happenings(transaction: u32, events: &[Event], out: &mut Vec<Happening>) {
    let mut cases: Vec<CaseId> = events.iter().filter_map(case_of).collect();
    cases.dedup();
    for (event, record) in (0..).zip(events) {
        let mut add = |what| out.push(Happening { transaction, event, what });
        if let Some(case) = case_of(record) {
            let case = case.ordinal();
            if let Some(it) = CaseOpened::of(record) {
                let due = if it.limit_due > 0 { it.limit_due } else { it.promised_due };
                let (organisation, pack) = (it.organisation.to_string(), it.pack.to_string());
                add(What::Opened { case, organisation, pack, process: it.process, due });
            } else if let Some(it) = ClockResumed::of(record) {
                add(What::Due(case, if it.limit_due > 0 { it.limit_due } else { it.promised_due }));
            } else if let Some(it) = CaseClosed::of(record) {
                add(What::Closed(case, it.outcome));
            }
            add(What::Case(case));
        } else if let Some(it) = Drafted::of(record) {
            add(What::Drafted(it.pack.to_string(), it.digest));
        } else if let Some(it) = Decided::of(record) {
            // A decision within a step names the case by the digest of its number.
            let of = |case: &&CaseId| it.subject == Some(sha256(case.to_string().as_bytes()));
            if let Some(case) = cases.iter().find(of) {
                add(What::Case(case.ordinal()));
            }
            add(What::Decided { pack: it.pack.to_string(), version: it.version, decision: it.decision });
        } else if let Some(it) = MotionOpened::of(record) {
            match it.action {
                Action::EnactRules(digest) => add(What::Enacting(it.motion, digest)),
                Action::AnnulRules(pack, version) => add(What::Annulling(it.motion, pack.to_string(), version)),
                _ => {}
            }
        }
    }
}

/// Writes what happened in the transaction at a place.
pub(super) fn write(sql: &Transaction<'_>, names: &mut Names, seq: i64, it: &Happening) -> Result<(), IndexError> {
    let event = it.event;
    match &it.what {
        What::Opened { case, organisation, pack, process, due } => {
            let procedure = names.id(sql, &format!("{pack}/{process}"))?;
            let (organisation, pack) = (names.id(sql, organisation)?, names.id(sql, pack)?);
            let values = params![*case as i64, seq, organisation, pack, procedure, *due as i64];
            run(sql, "insert into cases values (?, ?, ?, ?, ?, ?, null)", values)
        }
        // An index that begins later knows nothing of a case that was opened before.
        What::Due(case, due) => run(sql, "update cases set due = ?2 where id = ?1", params![*case as i64, *due as i64]),
        What::Closed(case, outcome) => {
            run(sql, "update cases set outcome = ?2 where id = ?1", params![*case as i64, *outcome as i64])
        }
        What::Case(case) => run(sql, "insert into case_events values (?, ?, ?)", params![*case as i64, seq, event]),
        What::Drafted(pack, digest) => {
            let pack = names.id(sql, pack)?;
            run(sql, "insert into drafts values (?, ?, ?)", params![pack, seq, digest])
        }
        What::Enacting(motion, digest) => {
            run(sql, "insert into pack_motions values (?, ?, null, null)", params![motion, digest])
        }
        What::Annulling(motion, pack, version) => {
            let pack = names.id(sql, pack)?;
            run(sql, "insert into pack_motions values (?, null, ?, ?)", params![motion, pack, version])
        }
        What::Decided { pack, version, decision } => {
            let (pack, decision) = (names.id(sql, pack)?, names.id(sql, decision)?);
            run(sql, "insert into decisions values (?, ?, ?, ?, ?)", params![pack, seq, event, version, decision])
        }
    }
}

/// A motion about a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackMotion {
    /// Its number.
    pub motion: u32,
    /// The manifest that it enacts.
    pub manifest: Option<Digest>,
    /// The version that it annuls.
    pub annuls: Option<u32>,
}

/// How a case must stand to be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseState {
    /// It runs.
    Open,
    /// It has ended.
    Closed,
    /// It has ended so.
    Ended(Outcome),
}

/// Which cases are asked for; every given condition holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseFilter {
    /// Unified social credit code of the organisation that leads it.
    pub organisation: Option<String>,
    /// The pack.
    pub pack: Option<String>,
    /// The process, with its pack: `pack/process`.
    pub procedure: Option<String>,
    /// How it stands.
    pub state: Option<CaseState>,
    /// Its period ends before this. The index does not know of extensions, so a case whose period was extended is among them, too.
    pub due_before: Option<Timestamp>,
    /// Only what was opened before this case, by its place among all.
    pub before: Option<u64>,
}

impl Queries {
    /// Cases by their places among all, the latest first.
    pub fn cases(&self, filter: &CaseFilter, limit: usize) -> Result<Vec<u64>, IndexError> {
        self.with(|sql| {
            let before = filter.before.map_or(i64::MAX, |before| i64::try_from(before).unwrap_or(i64::MAX));
            let (mut wanted, mut values) = (vec!["id < ?".to_owned()], vec![Box::new(before) as Box<dyn ToSql>]);
            let names = [("organisation", &filter.organisation), ("pack", &filter.pack), ("procedure", &filter.procedure)];
            for (column, name) in names {
                let Some(name) = name else { continue };
                let Some(id) = name_id(sql, name)? else { return Ok(Vec::new()) };
                wanted.push(format!("{column} = ?"));
                values.push(Box::new(id));
            }
            match filter.state {
                None => {}
                Some(CaseState::Open) => wanted.push("outcome is null".into()),
                Some(CaseState::Closed) => wanted.push("outcome is not null".into()),
                Some(CaseState::Ended(outcome)) => wanted.push(format!("outcome = {}", outcome as i64)),
            }
            if let Some(due) = filter.due_before {
                wanted.push("due > 0 and due < ?".into());
                values.push(Box::new(i64::try_from(due).unwrap_or(i64::MAX)));
            }
            let statement = format!("select id from cases where {} order by id desc limit {limit}", wanted.join(" and "));
            let mut statement = sql.prepare_cached(&statement)?;
            let rows = statement.query_map(params_from_iter(values.iter()), |row| row.get::<_, i64>(0))?;
            Ok(rows.map(|id| id.map(|id| id as u64)).collect::<Result<_, _>>()?)
        })
    }

    /// What happened to a case, oldest first, after a place and the number of an event there.
    pub fn case_history(&self, case: u64, after: Option<(Place, i64)>, limit: usize) -> Result<Vec<HistoryHit>, IndexError> {
        self.with(|sql| {
            let statement = format!(
                "select {COLUMNS}, h.event from case_events h cross join transactions t on t.seq = h.seq {JOINS}
                 where h.id = ? and (h.seq, h.event) > (?, ?) order by h.seq, h.event limit {limit}"
            );
            let (place, event) = after.map_or((Place(-1), 0), |after| after);
            let mut statement = sql.prepare_cached(&statement)?;
            let rows = statement.query_map(params![case as i64, place.0, event], |row| hit(sql, row))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Decisions by a pack, newest first, before a place and the number of an event there.
    pub fn decisions(
        &self,
        (pack, version, decision): (&str, Option<u32>, Option<&str>),
        before: Option<(Place, i64)>,
        limit: usize,
    ) -> Result<Vec<HistoryHit>, IndexError> {
        self.with(|sql| {
            let Some(pack) = name_id(sql, pack)? else { return Ok(Vec::new()) };
            let (place, event) = before.map_or((Place(i64::MAX), 0), |before| before);
            let mut values: Vec<Box<dyn ToSql>> = vec![Box::new(pack), Box::new(place.0), Box::new(event)];
            let mut wanted = String::new();
            if let Some(version) = version {
                wanted.push_str(" and h.version = ?");
                values.push(Box::new(version));
            }
            if let Some(decision) = decision {
                let Some(decision) = name_id(sql, decision)? else { return Ok(Vec::new()) };
                wanted.push_str(" and h.decision = ?");
                values.push(Box::new(decision));
            }
            let statement = format!(
                "select {COLUMNS}, h.event from decisions h cross join transactions t on t.seq = h.seq {JOINS}
                 where h.pack = ? and (h.seq, h.event) < (?, ?){wanted} order by h.seq desc, h.event desc limit {limit}"
            );
            let mut statement = sql.prepare_cached(&statement)?;
            let rows = statement.query_map(params_from_iter(values.iter()), |row| hit(sql, row))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Digests of the manifests that were drafted of a pack, newest first.
    pub fn drafts(&self, pack: &str, limit: usize) -> Result<Vec<Digest>, IndexError> {
        self.with(|sql| {
            let Some(pack) = name_id(sql, pack)? else { return Ok(Vec::new()) };
            let mut statement = sql.prepare_cached("select digest from drafts where pack = ? order by seq desc limit ?")?;
            let rows = statement.query_map(params![pack, limit as i64], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Motions to enact one of these manifests of a pack, or to annul one of its versions; oldest first.
    pub fn pack_motions(&self, pack: &str, manifests: &[Digest], limit: usize) -> Result<Vec<PackMotion>, IndexError> {
        self.with(|sql| {
            let row = |row: &Row<'_>| Ok(PackMotion { motion: row.get(0)?, manifest: row.get(1)?, annuls: row.get(2)? });
            let select = "select motion, digest, version from pack_motions where";
            let mut all: Vec<PackMotion> = Vec::new();
            let mut enacting = sql.prepare_cached(&format!("{select} digest = ? order by motion limit ?"))?;
            for manifest in manifests {
                for found in enacting.query_map(params![manifest, limit as i64], row)? {
                    all.push(found?);
                }
            }
            if let Some(pack) = name_id(sql, pack)? {
                let mut annulling = sql.prepare_cached(&format!("{select} pack = ? order by motion limit ?"))?;
                for found in annulling.query_map(params![pack, limit as i64], row)? {
                    all.push(found?);
                }
            }
            all.sort_by_key(|found| found.motion);
            Ok(all)
        })
    }
}

fn hit(sql: &rusqlite::Connection, row: &Row<'_>) -> Result<HistoryHit, rusqlite::Error> {
    Ok(HistoryHit { found: found(sql, row)?, event: row.get(8)? })
}
