//! The rehearsal: copies are falsified in every way that is known here, one at a time, and the audit must report each.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use rusqlite::{params_from_iter, types::Value as Sql};
use zhulian_engine::audit::{ForgedCertificate as Signed, falsify_archive, falsify_state, open};
use zhulian_ledger::{Key, Value, Writes, merkle};
use zhulian_primitives::{Block, Height};

use super::{
    Findings, Subject, copy,
    copy::{Parts, database},
    setup,
};

/// A way to falsify a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// One bit of a file.
    Bit,
    /// The end of a file is cut off.
    Cut,
    /// A file is gone.
    FileGone,
    /// A block is left out.
    BlockGone,
    /// Two receipts of a block change places, and nothing else.
    ReceiptsSwapped,
    /// A receipt is changed, and the header's root with it.
    ReceiptForged,
    /// A transaction is changed, and the header's root with it.
    TransactionForged,
    /// A transaction is left out with its receipt, and the header's roots are made to fit.
    TransactionGone,
    /// A field of a header is changed.
    HeaderForged,
    /// As a forged receipt, and every later block is linked anew.
    HistoryRewritten,
    /// One bit of a certificate's signature.
    CertificateBit,
    /// A certificate is replaced by another block's.
    CertificateSwapped,
    /// The last certificate is gone.
    CertificateGone,
    /// A value of the state is changed, in a state built anew with right checksums.
    StateValue,
    /// An entry of the state is left out, likewise.
    StateEntryGone,
    /// An entry of the state is added, likewise.
    StateEntryAdded,
    /// A value in a row of the index.
    IndexValue,
    /// A row of the index is gone.
    IndexRowGone,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::Bit,
        Self::Cut,
        Self::FileGone,
        Self::BlockGone,
        Self::ReceiptsSwapped,
        Self::ReceiptForged,
        Self::TransactionForged,
        Self::TransactionGone,
        Self::HeaderForged,
        Self::HistoryRewritten,
        Self::CertificateBit,
        Self::CertificateSwapped,
        Self::CertificateGone,
        Self::StateValue,
        Self::StateEntryGone,
        Self::StateEntryAdded,
        Self::IndexValue,
        Self::IndexRowGone,
    ];

    /// The stable name, and what is done, in Chinese and English.
    pub fn texts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Bit => ("bit", "翻转文件中的一位", "one bit of a file"),
            Self::Cut => ("cut", "截去文件末尾", "the end of a file cut off"),
            Self::FileGone => ("file_gone", "删除文件", "a file deleted"),
            Self::BlockGone => ("block_gone", "删去一个区块", "a block left out"),
            Self::ReceiptsSwapped => ("receipts_swapped", "对调两张回执", "two receipts swapped"),
            Self::ReceiptForged => ("receipt_forged", "篡改回执并改回执根", "a receipt forged, its root too"),
            Self::TransactionForged => ("transaction_forged", "篡改交易并改交易根", "a transaction forged, its root too"),
            Self::TransactionGone => ("transaction_gone", "删去一笔交易并改根", "a transaction left out, the roots too"),
            Self::HeaderForged => ("header_forged", "篡改区块头字段", "a field of a header forged"),
            Self::HistoryRewritten => ("history_rewritten", "篡改后重新链接全部后续区块", "all later blocks linked anew"),
            Self::CertificateBit => ("certificate_bit", "翻转证书签名的一位", "one bit of a signature"),
            Self::CertificateSwapped => ("certificate_swapped", "换用其他区块的证书", "another block's certificate"),
            Self::CertificateGone => ("certificate_gone", "删去最后的证书", "the last certificate left out"),
            Self::StateValue => ("state_value", "篡改状态值", "a value of the state"),
            Self::StateEntryGone => ("state_entry_gone", "删去状态条目", "an entry of the state left out"),
            Self::StateEntryAdded => ("state_entry_added", "添加状态条目", "an entry of the state added"),
            Self::IndexValue => ("index_value", "篡改索引中的值", "a value in the index"),
            Self::IndexRowGone => ("index_row_gone", "删去索引行", "a row of the index deleted"),
        }
    }
}

/// One falsification and what the audit said.
#[derive(Clone, Debug)]
pub struct Injection {
    /// What was done.
    pub kind: Kind,
    /// Where exactly.
    pub place: String,
    /// What was found; `Err` when the audit stopped, which is not taken for whole.
    pub findings: Result<Findings, String>,
    /// Nothing was found, and every record that was read is what it was: the changed bytes are read by nobody.
    pub without_effect: bool,
}

impl Injection {
    /// Whether the falsification was reported.
    pub fn is_found(&self) -> bool {
        self.findings.as_ref().map_or(true, |findings| findings.faults.count > 0)
    }
}

/// Draws numbers; the same seed gives the same ones (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len() as u64) as usize)
    }
}

/// What a chain offers to falsifiers.
struct Material {
    last: Height,
    certified: Height,
    /// Heights of blocks with transactions, and with two different ones at least.
    filled: Vec<Height>,
    pairs: Vec<Height>,
    writes: Vec<Writes>,
    genesis: BTreeMap<Key, Value>,
}

/// Falsifies copies of `record`, a copy itself and found whole, `count` times below `scratch`, and has each audited. `each` is told one
/// after the other.
///
/// # Errors
/// When the record cannot be read, or a copy not be made.
pub fn inject(
    record: &Path,
    scratch: &Path,
    subject: Subject<'_>,
    (count, seed): (u64, u64),
    audit: impl Fn(&Path) -> Result<Findings, String>,
    mut each: impl FnMut(&Injection),
) -> Result<(), String> {
    let told = |error: io::Error| error.to_string();
    let copy_of = scratch.join("falsified");
    let renew = || {
        if copy_of.exists() {
            fs::remove_dir_all(&copy_of)?;
        }
        copy::copy_record(record, &copy_of)
    };
    for file in [Parts::of(record).index.join("index.sqlite"), Parts::of(record).entries] {
        // What stands in the journal beside a database goes into it, else a bit of the journal would fall on nothing.
        if file.exists() {
            let merged = database(&file).and_then(|sql| sql.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(())));
            merged.map_err(|error| error.to_string())?;
        }
    }
    renew().map_err(told)?;
    let material = material(&copy_of, subject)?;
    renew().map_err(told)?;
    let whole = audit(&copy_of)?;
    if let Some(fault) = whole.faults.kept.first() {
        return Err(format!("the record is not whole to begin with: {}: {}", fault.what.en(), fault.found));
    }
    let mut dice = Dice(seed);
    for number in 0..count {
        let kind = Kind::ALL[(number % Kind::ALL.len() as u64) as usize];
        renew().map_err(told)?;
        // A kind for which the record has nothing to falsify gives its turn to a bit.
        let (kind, place) = match falsify(kind, &copy_of, subject, &material, &mut dice)? {
            Some(place) => (kind, place),
            None => match falsify(Kind::Bit, &copy_of, subject, &material, &mut dice)? {
                Some(place) => (Kind::Bit, place),
                None => return Err("the record has no files".into()),
            },
        };
        let findings = audit(&copy_of);
        let without_effect = findings.as_ref().is_ok_and(|findings| *findings == whole);
        each(&Injection { kind, place, findings, without_effect });
    }
    fs::remove_dir_all(&copy_of).map_err(told)
}

fn material(copy: &Path, subject: Subject<'_>) -> Result<Material, String> {
    let genesis = subject.genesis.state();
    open(setup(copy, subject), |stores| {
        let executor = zhulian_modules::executor();
        let mut state = genesis.clone();
        let mut all = Material {
            last: stores.last(),
            certified: stores.last_certified(),
            filled: Vec::new(),
            pairs: Vec::new(),
            writes: Vec::new(),
            genesis: genesis.clone(),
        };
        for height in 1..=all.last {
            let block = stores.block(height)?.ok_or("a block is missing")?;
            if !block.transactions.is_empty() {
                all.filled.push(height);
            }
            if block.receipts.len() > 1 {
                all.pairs.push(height);
            }
            let header = &block.header;
            let outcome = executor.execute(&header.into(), &block.transactions, |key| state.get(key).cloned());
            let outcome = outcome.map_err(|unknown| format!("block {height} follows protocol {}", unknown.0))?;
            for (key, value) in &outcome.writes {
                match value {
                    Some(value) => state.insert(*key, value.clone()),
                    None => state.remove(key),
                };
            }
            all.writes.push(outcome.writes);
        }
        Ok(all)
    })?
}

/// Falsifies a copy; tells where, or `None` when it has nothing of the kind.
fn falsify(kind: Kind, copy: &Path, subject: Subject<'_>, of: &Material, dice: &mut Dice) -> Result<Option<String>, String> {
    match kind {
        Kind::Bit | Kind::Cut | Kind::FileGone => file(kind, copy, dice).map_err(|error| error.to_string()),
        Kind::StateValue | Kind::StateEntryGone | Kind::StateEntryAdded => state(kind, copy, subject, of, dice).map(Some),
        Kind::IndexValue | Kind::IndexRowGone => index(kind, copy, dice).map_err(|error| error.to_string()),
        _ => archive(kind, copy, subject, of, dice),
    }
}

/// Files that hold something, by their store, so that every store has the same share whatever its number of files.
fn files(copy: &Path) -> io::Result<Vec<Vec<PathBuf>>> {
    let parts = Parts::of(copy);
    let mut stores = Vec::new();
    let mut directories = vec![parts.index];
    for entry in fs::read_dir(&parts.chain)? {
        directories.push(entry?.path());
    }
    directories.sort();
    for directory in directories.into_iter().filter(|path| path.is_dir()) {
        let mut files = Vec::new();
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            // SQLite makes its shared memory anew.
            let derived = entry.path().extension().is_some_and(|ending| ending == "sqlite-shm");
            if entry.metadata()?.len() > 0 && !derived {
                files.push(entry.path());
            }
        }
        files.sort();
        if !files.is_empty() {
            stores.push(files);
        }
    }
    if parts.entries.exists() {
        stores.push(vec![parts.entries]);
    }
    Ok(stores)
}

fn file(kind: Kind, copy: &Path, dice: &mut Dice) -> io::Result<Option<String>> {
    let stores = files(copy)?;
    let Some(path) = dice.pick(&stores).and_then(|files| dice.pick(files)) else { return Ok(None) };
    let mut bytes = fs::read(path)?;
    let shown = path.strip_prefix(copy).unwrap_or(path).display().to_string();
    let place = match kind {
        Kind::FileGone => {
            fs::remove_file(path)?;
            return Ok(Some(shown));
        }
        Kind::Cut => {
            let cut = 1 + dice.below(bytes.len().min(4_096) as u64) as usize;
            bytes.truncate(bytes.len() - cut);
            format!("{shown}, {cut} bytes")
        }
        _ => {
            // Files are made longer than they are filled; a bit of the filling would fall on nothing.
            let used: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
            let Some(at) = dice.pick(&used) else { return Ok(None) };
            let bit = dice.below(8);
            bytes[*at] ^= 1 << bit;
            format!("{shown}, byte {at}, bit {bit}")
        }
    };
    fs::write(path, bytes)?;
    Ok(Some(place))
}

fn archive(kind: Kind, copy: &Path, subject: Subject<'_>, of: &Material, dice: &mut Dice) -> Result<Option<String>, String> {
    let among = match kind {
        Kind::ReceiptsSwapped => &of.pairs[..],
        Kind::ReceiptForged | Kind::TransactionForged | Kind::TransactionGone | Kind::HistoryRewritten => &of.filled,
        _ => &[],
    };
    let target = match kind {
        Kind::CertificateGone => of.certified,
        // The end of a chain may be cut off unseen, together with all that tells of it; not so a block within.
        Kind::BlockGone => 1 + dice.below(of.last - 1),
        Kind::HeaderForged | Kind::CertificateBit | Kind::CertificateSwapped => 1 + dice.below(of.last),
        _ => match dice.pick(among) {
            Some(height) => *height,
            None => return Ok(None),
        },
    };
    let other = if target == of.certified { target.saturating_sub(1).max(1) } else { of.certified };
    let (draw, field) = (dice.next(), dice.below(8));
    let mut parent = None;
    falsify_archive(&setup(copy, subject), move |mut block| {
        let height = block.header.height;
        if kind == Kind::HistoryRewritten
            && let Some(parent) = parent
        {
            block.header.parent = parent;
        }
        let mut signed = Signed::Keep;
        if height == target {
            signed = forge(kind, &mut block, (draw, field, other))?;
        }
        if height >= target {
            parent = Some(block.header.digest());
        }
        Some((block, signed))
    })?;
    let place = match kind {
        Kind::HeaderForged => format!("block {target}, {}", FIELDS[field as usize]),
        _ => format!("block {target}"),
    };
    Ok(Some(place))
}

const FIELDS: [&str; 8] =
    ["time", "view", "parent's view", "parent", "proposer", "state root", "sync root", "end of the log"];

/// Falsifies a block; `None` leaves it out.
fn forge(kind: Kind, block: &mut Block, (draw, field, other): (u64, u64, Height)) -> Option<Signed> {
    let count = block.transactions.len().max(1);
    let at = draw as usize % count;
    match kind {
        Kind::BlockGone => return None,
        Kind::ReceiptsSwapped => block.receipts.swap(at, (at + 1) % count),
        Kind::ReceiptForged | Kind::HistoryRewritten => {
            let receipt = &mut block.receipts[at];
            let byte = (draw >> 32) as usize % receipt.len();
            receipt[byte] ^= 1;
            block.header.receipts_root = merkle::root(&block.receipts);
        }
        Kind::TransactionForged => {
            let transaction = &mut block.transactions[at];
            let byte = (draw >> 32) as usize % transaction.len();
            transaction[byte] ^= 1;
            block.header.transactions_root = merkle::root(&block.transactions);
        }
        Kind::TransactionGone => {
            block.transactions.remove(at);
            block.receipts.remove(at);
            block.header.transaction_count -= 1;
            block.header.transactions_root = merkle::root(&block.transactions);
            block.header.receipts_root = merkle::root(&block.receipts);
        }
        Kind::HeaderForged => {
            let header = &mut block.header;
            match field {
                0 => header.time += 1,
                1 => header.view += 1,
                2 => header.parent_view += 1,
                3 => header.parent[0] ^= 1,
                // The base point of the curve, which is nobody's key.
                4 => header.proposer = std::array::from_fn(|at| if at == 0 { 0x58 } else { 0x66 }),
                5 => header.state_root[31] ^= 1,
                6 => header.sync_root[31] ^= 1,
                _ => header.sync_end += 1,
            }
        }
        Kind::CertificateBit => return Some(Signed::Flip),
        Kind::CertificateSwapped => return Some(Signed::Of(other)),
        Kind::CertificateGone => return Some(Signed::Drop),
        _ => {}
    }
    Some(Signed::Keep)
}

/// A state built anew, with the same number of operations as far as that can be.
fn state(kind: Kind, copy: &Path, subject: Subject<'_>, of: &Material, dice: &mut Dice) -> Result<String, String> {
    let mut setup = setup(copy, subject);
    let keys: Vec<Key> = of.genesis.keys().copied().collect();
    let key = *dice.pick(&keys).ok_or("the genesis state is empty")?;
    let place = hex::encode(key);
    match kind {
        Kind::StateValue => {
            if let Some(byte) = setup.genesis_state.get_mut(&key).and_then(|value| value.last_mut()) {
                *byte ^= 1;
            }
        }
        Kind::StateEntryGone => {
            setup.genesis_state.remove(&key);
        }
        _ => {
            let mut added = key;
            added[31] ^= 1;
            setup.genesis_state.insert(added, vec![1]);
        }
    }
    falsify_state(&setup, &of.writes)?;
    Ok(place)
}

fn index(kind: Kind, copy: &Path, dice: &mut Dice) -> Result<Option<String>, rusqlite::Error> {
    let file = Parts::of(copy).index.join("index.sqlite");
    if !file.exists() {
        return Ok(None);
    }
    let sql = database(&file)?;
    let tables: Vec<String> = sql
        .prepare("select name from sqlite_master where type = 'table' order by name")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for _ in 0..64 {
        let Some(table) = dice.pick(&tables) else { return Ok(None) };
        let count: i64 = sql.query_row(&format!("select count(*) from {table}"), [], |row| row.get(0))?;
        if count == 0 {
            continue;
        }
        let offset = dice.below(count as u64);
        let mut select = sql.prepare(&format!("select * from {table} limit 1 offset {offset}"))?;
        let names: Vec<String> = select.column_names().map(String::from).collect();
        let row: Vec<Sql> = select.query_row([], |row| (0..names.len()).map(|at| row.get(at)).collect())?;
        let same = names.iter().map(|name| format!("{name} is ?")).collect::<Vec<_>>().join(" and ");
        if kind == Kind::IndexRowGone {
            sql.execute(&format!("delete from {table} where {same}"), params_from_iter(row))?;
            return Ok(Some(format!("{table}, row {offset}")));
        }
        let column = dice.below(names.len() as u64) as usize;
        let changed = match row[column].clone() {
            Sql::Integer(number) => Sql::Integer(number ^ 1),
            Sql::Text(text) => Sql::Text(text + "x"),
            Sql::Blob(mut bytes) if !bytes.is_empty() => {
                bytes[0] ^= 1;
                Sql::Blob(bytes)
            }
            _ => continue,
        };
        let values = std::iter::once(changed).chain(row);
        let update = format!("update {table} set {} = ? where {same}", names[column]);
        // A change that would double a key is tried elsewhere.
        if sql.execute(&update, params_from_iter(values)).is_ok_and(|changed| changed == 1) {
            return Ok(Some(format!("{table}, row {offset}, {}", names[column])));
        }
    }
    Ok(None)
}
