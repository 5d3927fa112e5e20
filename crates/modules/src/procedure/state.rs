//! State keys of the procedure module. No other file spells them.

use zhulian_execution::StateEntry;
use zhulian_ledger::Map;
use zhulian_procedure::Instance;

use super::types::{Case, CaseId, Totals};

/// `procedure/case/{case}`: a case; never deleted (B7).
pub(super) const CASE: Map<CaseId, Case> = Map::new("procedure/case");
/// `procedure/instance/{case}`: where a case stands in its procedure.
pub(super) const INSTANCE: Map<CaseId, Instance> = Map::new("procedure/instance");
/// `procedure/day/{yyyymmdd}`: how many cases were opened on a day.
pub(super) const DAY: Map<u32, u32> = Map::new("procedure/day");
/// `procedure/case_at/{n}`: the n-th case.
pub(super) const CASE_AT: Map<u64, CaseId> = Map::new("procedure/case_at");
/// `procedure/totals`: counts over all cases (B3).
pub(super) const TOTALS: Map<(), Totals> = Map::new("procedure/totals");

/// For `docs/state.md`.
pub(super) const CATALOGUE: &[StateEntry] = &[
    StateEntry {
        map: CASE.name,
        key: "case: day of opening and number of that day, 4 bytes big-endian each",
        value: "{0: pack, 1: version, 2: process, 3: organisation, 4: member, 5: commitment to the applicant, 6: channel, 7: height, 8: clock, 9: materials, 10: {task number: task}, 11: overrides, ?12: pending override, ?13: [outcome, time], ?14: rating, 15: [organisation…], ?16: whether it was closed late}",
        writers: "every call of procedure",
    },
    StateEntry {
        map: INSTANCE.name,
        key: "case: as above",
        value: "{0: [procedure key…], 1: next number, 2: {number: what is active}, 3: status, 4: result}",
        writers: "procedure.open, complete, message, resume, tick, confirm_override, and every call that fires what is due",
    },
    StateEntry {
        map: DAY.name,
        key: "yyyymmdd: 4 bytes big-endian",
        value: "number of cases opened",
        writers: "procedure.open",
    },
    StateEntry {
        map: CASE_AT.name,
        key: "n: 8 bytes big-endian",
        value: "the n-th case, from 0",
        writers: "procedure.open",
    },
    StateEntry {
        map: TOTALS.name,
        key: "",
        value: "{0: opened, 1: closed, 2: closed late, 3: overrides}",
        writers: "procedure.open, confirm_override, and the call that closes a case",
    },
];
