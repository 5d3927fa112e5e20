//! State keys of the evidence module. No other file spells them.

use zhulian_crypto::Digest;
use zhulian_execution::StateEntry;
use zhulian_ledger::Map;

use super::types::{Record, Standing};
use crate::identity::Uscc;

/// `evidence/file/{sha256}/{n}`: the n-th deposit of a file; never deleted (E1, E2). No other key is written by the first one.
pub(super) const FILE: Map<(Digest, u32), Record> = Map::new("evidence/file");
/// `evidence/batch/{root}/{n}`: the n-th deposit of a batch; never deleted (E1, E2).
pub(super) const BATCH: Map<(Digest, u32), Record> = Map::new("evidence/batch");
/// `evidence/entry/{root}/{n}/{entry}`: how an entry of a batch stands, once something happened to it (E2, E6).
pub(super) const ENTRY: Map<(Digest, u32, u32), Standing> = Map::new("evidence/entry");
/// `evidence/file_latest/{sha256}/{uscc}`: which deposit of the file is this organisation's latest, unless it is the first (E4).
pub(super) const FILE_LATEST: Map<(Digest, Uscc), u32> = Map::new("evidence/file_latest");
/// `evidence/batch_latest/{root}/{uscc}`: the same of batches (E4).
pub(super) const BATCH_LATEST: Map<(Digest, Uscc), u32> = Map::new("evidence/batch_latest");

const RECORD: &str = "{0: evidence id, 1: organisation, 2: height, 3: time, 4: standing, 5: deposits of the same content so far (in n = 0, else 0), ?6: entries of a batch, ?7: entries that are frozen}";
const STANDING: &str = "{?0: custodian, ?1: [height, reason] of the withdrawal, ?2: [[court, case, height]…] freezes in force, ?3: custody events, ?4: digest over them, ?5: sealed}";

/// For `docs/state.md`.
pub(super) const CATALOGUE: &[StateEntry] = &[
    StateEntry {
        map: FILE.name,
        key: "SHA-256 of the file: 32 bytes; n: 4 bytes big-endian",
        value: RECORD,
        writers: "evidence.deposit, record_custody, freeze, unfreeze, withdraw",
    },
    StateEntry {
        map: BATCH.name,
        key: "root over the entries: 32 bytes; n: 4 bytes big-endian",
        value: RECORD,
        writers: "evidence.deposit_batch, record_custody, freeze, unfreeze, withdraw",
    },
    StateEntry {
        map: ENTRY.name,
        key: "root: 32 bytes; n: 4 bytes big-endian; entry: 4 bytes big-endian",
        value: STANDING,
        writers: "evidence.record_custody, freeze, unfreeze, withdraw",
    },
    StateEntry {
        map: FILE_LATEST.name,
        key: "SHA-256 of the file: 32 bytes; code: 18 bytes",
        value: "n of the organisation's latest deposit, if it is not 0",
        writers: "evidence.deposit",
    },
    StateEntry {
        map: BATCH_LATEST.name,
        key: "root: 32 bytes; code: 18 bytes",
        value: "n of the organisation's latest deposit, if it is not 0",
        writers: "evidence.deposit_batch",
    },
];
