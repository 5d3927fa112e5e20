//! What the index keeps of cases and rule packs: where each case stands as far as its events say, the events of each case, drafts
//! with the motions about them, and decisions.

use zhulian_crypto::{Digest, sha256};
use zhulian_execution::{Event as _, Role};
use zhulian_modules::{
    governance::{Action, MotionOpened},
    procedure::{
        CaseClosed, CaseId, CaseOpened, ClockResumed, ClockSettled, Outcome, Progressed, Step, TaskTransferred, Waiting,
        case_of,
    },
    rulepack::{Decided, Drafted},
};
use zhulian_primitives::{Event, Timestamp};

use super::{
    HistoryHit, IndexError, Place, Queries,
    query::{COLUMN_NEXT, COLUMNS, JOINS, found, name_id},
    sql::{Cell, Row, Sql, cells},
    store::Names,
    tasks::Tasks,
};

pub(super) const TABLES: &str = "
create table if not exists cases (
    id integer primary key, seq integer not null, organisation integer not null, pack integer not null,
    procedure integer not null, due integer not null, outcome integer, supervisor integer);
create index if not exists cases_of_organisation on cases (organisation, id);
create index if not exists cases_of_pack on cases (pack, id);
create index if not exists cases_open on cases (id) where outcome is null;
create index if not exists cases_supervised on cases (supervisor, id) where outcome is null and supervisor is not null;
create table if not exists tasks (organisation integer, id integer, task integer, role integer,
    primary key (organisation, id, task, role)) without rowid;
create index if not exists tasks_of_case on tasks (id, task);
create table if not exists case_events (id integer, seq integer, event integer, primary key (id, seq, event)) without rowid;
create table if not exists drafts (pack integer, seq integer, digest blob not null, primary key (pack, seq)) without rowid;
create table if not exists pack_motions (motion integer primary key, digest blob, pack integer, version integer);
create index if not exists pack_motions_of_digest on pack_motions (digest, motion);
create index if not exists pack_motions_of_pack on pack_motions (pack, motion);
create table if not exists decisions (pack integer, seq integer, event integer, version integer not null, decision integer not null,
    primary key (pack, seq, event)) without rowid;
";

/// The tables, for comparing two indexes.
pub(super) const NAMES: [&str; 6] = ["cases", "case_events", "drafts", "pack_motions", "decisions", "tasks"];

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
        /// Unified social credit code of the organisation that may take its tasks over once it is late.
        supervisor: Option<String>,
    },
    /// A task of a case waits, and is the duty of these organisations and roles, whoever's it was before.
    Waits(u64, u32, Vec<(String, Role)>),
    /// A task of a case waits no more.
    Over(u64, u32),
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
                let supervisor = it.supervisor.map(|code| code.to_string());
                add(What::Opened { case, organisation, pack, process: it.process, due, supervisor });
            } else if let Some(it) = ClockResumed::of(record) {
                add(What::Due(case, if it.limit_due > 0 { it.limit_due } else { it.promised_due }));
            } else if let Some(it) = ClockSettled::of(record) {
                add(What::Due(case, if it.limit_due > 0 { it.limit_due } else { it.promised_due }));
            } else if let Some(it) = Progressed::of(record) {
                // What only came and went in the step never waited.
                let ended = it.lines.iter().filter(|line| line.number > 0 && line.what != Step::Entered);
                ended.for_each(|line| add(What::Over(case, line.number)));
                for Waiting { task, duties } in it.waiting {
                    let duties = duties.into_iter().map(|duty| (duty.organisation.to_string(), duty.role)).collect();
                    add(What::Waits(case, task, duties));
                }
            } else if let Some(it) = TaskTransferred::of(record) {
                add(What::Waits(case, it.task, vec![(it.to.to_string(), Role::Officer)]));
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
pub(super) fn write(
    sql: &mut dyn Sql,
    names: &mut Names,
    tasks: &mut Tasks,
    seq: i64,
    it: &Happening,
) -> Result<(), IndexError> {
    let event = i64::from(it.event);
    match &it.what {
        What::Opened { case, organisation, pack, process, due, supervisor } => {
            let procedure = names.id(sql, &format!("{pack}/{process}"))?;
            let (organisation, pack) = (names.id(sql, organisation)?, names.id(sql, pack)?);
            let supervisor = supervisor.as_ref().map(|code| names.id(sql, code)).transpose()?;
            let values = cells![*case as i64, seq, organisation, pack, procedure, *due as i64, supervisor];
            sql.execute("insert into cases values (?1, ?2, ?3, ?4, ?5, ?6, null, ?7)", values)
        }
        What::Waits(case, task, duties) => {
            let mut of = Vec::with_capacity(duties.len());
            for (organisation, role) in duties {
                of.push((names.id(sql, organisation)?, *role as i64));
            }
            tasks.waits(*case, *task, of);
            Ok(())
        }
        What::Over(case, task) => {
            tasks.over(*case, *task);
            Ok(())
        }
        // An index that begins later knows nothing of a case that was opened before.
        What::Due(case, due) => sql.execute("update cases set due = ?2 where id = ?1", cells![*case as i64, *due as i64]),
        What::Closed(case, outcome) => {
            tasks.closed(*case);
            sql.execute("update cases set outcome = ?2 where id = ?1", cells![*case as i64, *outcome as i64])
        }
        What::Case(case) => sql.execute("insert into case_events values (?1, ?2, ?3)", cells![*case as i64, seq, event]),
        What::Drafted(pack, digest) => {
            let pack = names.id(sql, pack)?;
            sql.execute("insert into drafts values (?1, ?2, ?3)", cells![pack, seq, *digest])
        }
        What::Enacting(motion, digest) => {
            sql.execute("insert into pack_motions values (?1, ?2, null, null)", cells![i64::from(*motion), *digest])
        }
        What::Annulling(motion, pack, version) => {
            let pack = names.id(sql, pack)?;
            let values = cells![i64::from(*motion), pack, i64::from(*version)];
            sql.execute("insert into pack_motions values (?1, null, ?2, ?3)", values)
        }
        What::Decided { pack, version, decision } => {
            let (pack, decision) = (names.id(sql, pack)?, names.id(sql, decision)?);
            let values = cells![pack, seq, event, i64::from(*version), decision];
            sql.execute("insert into decisions values (?1, ?2, ?3, ?4, ?5)", values)
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
            let (mut wanted, mut values) = (vec!["id < ?1".to_owned()], vec![Cell::from(before)]);
            let names = [("organisation", &filter.organisation), ("pack", &filter.pack), ("procedure", &filter.procedure)];
            for (column, name) in names {
                let Some(name) = name else { continue };
                let Some(id) = name_id(sql, name)? else { return Ok(Vec::new()) };
                values.push(id.into());
                wanted.push(format!("{column} = ?{}", values.len()));
            }
            match filter.state {
                None => {}
                Some(CaseState::Open) => wanted.push("outcome is null".into()),
                Some(CaseState::Closed) => wanted.push("outcome is not null".into()),
                Some(CaseState::Ended(outcome)) => wanted.push(format!("outcome = {}", outcome as i64)),
            }
            if let Some(due) = filter.due_before {
                values.push(i64::try_from(due).unwrap_or(i64::MAX).into());
                wanted.push(format!("due > 0 and due < ?{}", values.len()));
            }
            let statement = format!("select id from cases where {} order by id desc limit {limit}", wanted.join(" and "));
            let rows = sql.rows(&statement, &values)?;
            rows.iter().map(|row| Ok(row.integer(0)? as u64)).collect()
        })
    }

    /// What happened to a case, oldest first, after a place and the number of an event there.
    pub fn case_history(&self, case: u64, after: Option<(Place, i64)>, limit: usize) -> Result<Vec<HistoryHit>, IndexError> {
        self.with(|sql| {
            let statement = format!(
                "select {COLUMNS}, h.event from case_events h cross join transactions t on t.seq = h.seq {JOINS}
                 where h.id = ?1 and (h.seq, h.event) > (?2, ?3) order by h.seq, h.event limit {limit}"
            );
            let (place, event) = after.map_or((Place(-1), 0), |after| after);
            let rows = sql.rows(&statement, cells![case as i64, place.0, event])?;
            rows.iter().map(|row| hit(sql, row)).collect()
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
            let mut values: Vec<Cell> = vec![pack.into(), place.0.into(), event.into()];
            let mut wanted = String::new();
            if let Some(version) = version {
                values.push(i64::from(version).into());
                wanted.push_str(&format!(" and h.version = ?{}", values.len()));
            }
            if let Some(decision) = decision {
                let Some(decision) = name_id(sql, decision)? else { return Ok(Vec::new()) };
                values.push(decision.into());
                wanted.push_str(&format!(" and h.decision = ?{}", values.len()));
            }
            let statement = format!(
                "select {COLUMNS}, h.event from decisions h cross join transactions t on t.seq = h.seq {JOINS}
                 where h.pack = ?1 and (h.seq, h.event) < (?2, ?3){wanted} order by h.seq desc, h.event desc limit {limit}"
            );
            let rows = sql.rows(&statement, &values)?;
            rows.iter().map(|row| hit(sql, row)).collect()
        })
    }

    /// Digests of the manifests that were drafted of a pack, newest first.
    pub fn drafts(&self, pack: &str, limit: usize) -> Result<Vec<Digest>, IndexError> {
        self.with(|sql| {
            let Some(pack) = name_id(sql, pack)? else { return Ok(Vec::new()) };
            let statement = "select digest from drafts where pack = ?1 order by seq desc limit ?2";
            let rows = sql.rows(statement, cells![pack, limit as i64])?;
            rows.iter().map(|row| row.bytes(0)).collect()
        })
    }

    /// Motions to enact one of these manifests of a pack, or to annul one of its versions; oldest first.
    pub fn pack_motions(&self, pack: &str, manifests: &[Digest], limit: usize) -> Result<Vec<PackMotion>, IndexError> {
        self.with(|sql| {
            let motion = |row: &Row| {
                Ok::<_, IndexError>(PackMotion {
                    motion: row.integer(0)? as u32,
                    manifest: row.bytes_or_null(1)?,
                    annuls: row.integer_or_null(2)?.map(|version| version as u32),
                })
            };
            let select = "select motion, digest, version from pack_motions where";
            let mut all: Vec<PackMotion> = Vec::new();
            let enacting = format!("{select} digest = ?1 order by motion limit ?2");
            for manifest in manifests {
                for row in sql.rows(&enacting, cells![*manifest, limit as i64])? {
                    all.push(motion(&row)?);
                }
            }
            if let Some(pack) = name_id(sql, pack)? {
                let annulling = format!("{select} pack = ?1 order by motion limit ?2");
                for row in sql.rows(&annulling, cells![pack, limit as i64])? {
                    all.push(motion(&row)?);
                }
            }
            all.sort_by_key(|found| found.motion);
            Ok(all)
        })
    }
}

fn hit(sql: &mut dyn Sql, row: &Row) -> Result<HistoryHit, IndexError> {
    Ok(HistoryHit { found: found(sql, row)?, event: row.integer(COLUMN_NEXT)? as u32 })
}
