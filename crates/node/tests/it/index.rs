//! The index is a function of the blocks, and finds what is asked for.

use std::sync::Arc;

use tempfile::{TempDir, tempdir};
use zhulian_crypto::{Algorithm, SigningKey, sha256};
use zhulian_execution::Role;
use zhulian_ledger::merkle;
use zhulian_modules::{
    governance::{Action, MotionOpened},
    identity::MemberId,
    procedure::{
        CaseClosed, CaseId, CaseOpened, ClockResumed, ClockSettled, Duty, Line, Outcome, Progressed, Step, TaskTransferred,
        Waiting,
    },
    rulepack::{Decided, Drafted, PackId},
};
use zhulian_node::index::{
    BlockRows, CaseFilter, CaseState, Database, DepositRow, Entries, Filter, IndexError, Place, Queries, Store, TaskFilter,
    TransactionRow, genesis_keys, rows,
};
use zhulian_primitives::{Block, Call, Code, Header, Receipt, TransactionId, sign};
use zhulian_verify::{Entry, FileRecord};

use crate::{
    city::{City, code},
    postgres::Server,
};

const CHAIN: [u8; 32] = [7; 32];

fn id(n: u64) -> TransactionId {
    TransactionId(sha256(&n.to_be_bytes()))
}

/// Blocks 1 to `count`, one a second, each with three deposits of two organisations, and some with other calls and refusals.
fn blocks(count: u64) -> Vec<BlockRows> {
    let row = |n: u64, organisation: &str| TransactionRow {
        id: id(n),
        module: "evidence".into(),
        call: "deposit".into(),
        organisation: Some(organisation.into()),
        refusal: None,
        deposit: Some(DepositRow { digest: sha256(&(n % 50).to_be_bytes()), sequence: (n / 50) as u32, batch: false }),
        depositor: None,
    };
    (1..=count)
        .map(|height| {
            let n = height * 10;
            let mut rows = BlockRows { height, time: 1_000_000 + height * 1_000, evidence: 3, ..BlockRows::default() };
            rows.transactions = vec![row(n, "A"), row(n + 1, "A"), row(n + 2, "B")];
            if height % 4 == 0 {
                rows.transactions.push(TransactionRow {
                    module: "identity".into(),
                    call: "add_member".into(),
                    deposit: None,
                    ..row(n + 3, "B")
                });
                let refusal = Some(Code { module: "evidence".into(), number: 9 });
                rows.transactions.push(TransactionRow { refusal, deposit: None, organisation: None, ..row(n + 4, "") });
                // A step of a case that an officer of B took deposited in the name of C.
                let (module, call) = ("procedure".into(), "complete".into());
                rows.transactions.push(TransactionRow { module, call, depositor: Some("C".into()), ..row(n + 5, "B") });
                rows.history.push((0, 0, id(10).0[..16].try_into().unwrap()));
            }
            rows
        })
        .collect()
}

fn dump(database: &Database) -> Vec<String> {
    Queries::open(database).dump().unwrap()
}

/// Databases to test with: files, and schemas of a server if one can be had.
struct Databases {
    directory: TempDir,
    server: Option<Server>,
}

impl Databases {
    fn new() -> Self {
        Self { directory: tempdir().unwrap(), server: Server::start() }
    }

    fn each(&self, name: &str) -> Vec<Database> {
        let file = Database::from(&self.directory.path().join(name));
        [Some(file), self.server.as_ref().map(|server| server.database(name))].into_iter().flatten().collect()
    }
}

#[test]
fn an_index_is_the_same_however_its_blocks_came_and_wherever_it_is() {
    let databases = Databases::new();
    let blocks = blocks(60);
    let mut dumps = Vec::new();
    for (whole, pieces) in databases.each("whole").iter().zip(databases.each("pieces")) {
        let mut store = Store::open(whole, &CHAIN).unwrap();
        store.write(&blocks).unwrap();
        assert_eq!(store.height(), 60);
        assert_eq!(store.totals(), (60 * 3 + 15 * 3, 180));

        // In pieces, with repetitions and a restart between any two.
        for (n, block) in blocks.iter().enumerate() {
            let mut store = Store::open(&pieces, &CHAIN).unwrap();
            store.write(&blocks[n.saturating_sub(3)..n]).unwrap();
            store.write(std::slice::from_ref(block)).unwrap();
        }
        assert_eq!(dump(whole), dump(&pieces));

        // Deleted and built again.
        Store::remove(&pieces).unwrap();
        let mut store = Store::open(&pieces, &CHAIN).unwrap();
        assert_eq!(store.height(), 0);
        store.write(&blocks).unwrap();
        assert_eq!(dump(whole), dump(&pieces));
        dumps.push(dump(whole));
    }
    assert!(dumps[0].len() > 1_000, "{}", dumps[0].len());
    assert!(dumps.iter().all(|dump| *dump == dumps[0]), "the databases differ");
}

#[test]
fn a_gap_is_refused_and_leaves_nothing_behind() {
    let databases = Databases::new();
    for database in databases.each("gap") {
        let blocks = blocks(10);
        let mut store = Store::open(&database, &CHAIN).unwrap();
        store.write(&blocks[..3]).unwrap();
        let before = dump(&database);
        assert!(store.write(&[blocks[3].clone(), blocks[6].clone()]).is_err());
        assert_eq!(store.height(), 3);
        assert_eq!(dump(&database), before);
        store.write(&blocks[3..]).unwrap();
        assert_eq!(store.height(), 10);
    }
}

#[test]
fn another_networks_index_is_built_anew_and_a_broken_one_too() {
    let directory = tempdir().unwrap();
    Store::open(directory.path(), &CHAIN).unwrap().write(&blocks(5)).unwrap();
    assert_eq!(Store::open(directory.path(), &[8; 32]).unwrap().height(), 0);
    std::fs::write(directory.path().join("index.sqlite"), b"this is no database at all, but long enough to look").unwrap();
    let mut store = Store::open(directory.path(), &CHAIN).unwrap();
    assert_eq!(store.height(), 0);
    store.write(&blocks(5)).unwrap();
}

#[test]
fn an_index_that_cannot_be_had_at_the_moment_is_not_deleted() {
    let directory = tempdir().unwrap();
    Store::open(directory.path(), &CHAIN).unwrap().write(&blocks(5)).unwrap();
    let in_the_way = directory.path().join("index.sqlite-wal");
    std::fs::create_dir(&in_the_way).unwrap();
    assert!(Store::open(directory.path(), &CHAIN).is_err());
    std::fs::remove_dir(&in_the_way).unwrap();
    assert_eq!(Store::open(directory.path(), &CHAIN).unwrap().height(), 5);
    // One of another format is built anew, whatever its tables are like.
    let sql = rusqlite::Connection::open(directory.path().join("index.sqlite")).unwrap();
    sql.execute_batch("update meta set value = 0 where name = 'format'; drop table by_call; create table by_call (a text)")
        .unwrap();
    drop(sql);
    assert_eq!(Store::open(directory.path(), &CHAIN).unwrap().height(), 0);
}

/// As after a power cut while it was made.
#[test]
fn an_index_that_was_made_by_half_is_made_anew() {
    let directory = tempdir().unwrap();
    Store::open(directory.path(), &CHAIN).unwrap();
    let sql = rusqlite::Connection::open(directory.path().join("index.sqlite")).unwrap();
    sql.execute_batch("delete from meta where name in ('format', 'network'); drop table by_call").unwrap();
    drop(sql);
    let mut store = Store::open(directory.path(), &CHAIN).unwrap();
    store.write(&blocks(5)).unwrap();
    assert_eq!(store.height(), 5);
}

#[test]
fn who_reads_an_index_that_was_replaced_reads_the_new_one() {
    let directory = tempdir().unwrap();
    Store::open(directory.path(), &CHAIN).unwrap().write(&blocks(5)).unwrap();
    let queries = Queries::open(directory.path());
    assert_eq!((queries.find(&id(50).0).unwrap().is_some(), queries.find(&id(100).0).unwrap()), (true, None));
    Store::remove(directory.path()).unwrap();
    Store::open(directory.path(), &CHAIN).unwrap().write(&blocks(10)).unwrap();
    assert!(queries.find(&id(100).0).unwrap().is_some());
}

/// A block may hold any text as the name of a call, and PostgreSQL takes no NUL.
#[test]
fn names_with_nul_stop_no_index() {
    let databases = Databases::new();
    let mut all = blocks(3);
    let named = |n: usize, module: &str| {
        let (module, call) = (module.into(), "b\0c".into());
        let refusal = Some(Code { module: "\0".into(), number: 3 });
        TransactionRow { id: id(900 + n as u64), module, call, refusal, deposit: None, ..all[0].transactions[0].clone() }
    };
    let added = [named(0, "a\0"), named(1, "a\u{fffd}"), named(2, "a\0")];
    all[1].transactions.extend(added);
    let mut dumps = Vec::new();
    for database in databases.each("nul") {
        let mut store = Store::open(&database, &CHAIN).unwrap();
        store.write(&all[..2]).unwrap();
        store.write(&all[2..]).unwrap();
        let queries = Queries::open(&database);
        let of =
            |module: &str| queries.transactions(&Filter { module: Some(module.into()), ..Filter::default() }, 10).unwrap();
        let found = of("a\0");
        assert_eq!(found.iter().map(|row| row.place.index()).collect::<Vec<_>>(), [5, 4, 3]);
        assert!(found.iter().all(|row| (row.module.as_str(), row.call.as_str()) == ("a\u{fffd}", "b\u{fffd}c")));
        assert_eq!(found[0].refusal, Some(Code { module: "\u{fffd}".into(), number: 3 }));
        let organisation = Some("\0".into());
        assert!(queries.transactions(&Filter { organisation, ..Filter::default() }, 10).unwrap().is_empty());
        dumps.push(dump(&database));
    }
    assert!(dumps.iter().all(|dump| *dump == dumps[0]), "the databases differ");
}

#[test]
fn the_newest_of_a_modules_calls_are_listed_in_their_order() {
    let databases = Databases::new();
    // A call each second, third or fourth block, and one that was made once only, long ago.
    let mut all = blocks(60);
    for rows in &mut all {
        for (at, name) in [(2, "rare"), (3, "often"), (4, "seldom")] {
            if rows.height % at == 0 && (at != 2 || rows.height == 2) {
                let (module, call) = ("registry".into(), name.into());
                let deposit = rows.transactions[0].deposit.filter(|_| rows.height > 40);
                let id = id(rows.height * 1_000 + at);
                rows.transactions.push(TransactionRow { id, module, call, deposit, ..rows.transactions[0].clone() });
            }
        }
    }
    let places = |wanted: &dyn Fn(&TransactionRow) -> bool| -> Vec<Place> {
        let of = |rows: &BlockRows| -> Vec<Place> {
            let numbered = (0..).zip(&rows.transactions).filter(|(_, row)| row.module == "registry" && wanted(row));
            numbered.map(|(index, _)| Place::new(rows.height, index)).collect()
        };
        let mut places: Vec<Place> = all.iter().flat_map(of).collect();
        places.reverse();
        places
    };
    let (every, deposits) = (places(&|_| true), places(&|row| row.deposit.is_some()));
    assert_eq!(every.len(), 1 + 20 + 15);
    for database in databases.each("calls") {
        Store::open(&database, &CHAIN).unwrap().write(&all).unwrap();
        let queries = Queries::open(&database);
        let list = |filter: Filter, limit| -> Vec<Place> {
            queries.transactions(&filter, limit).unwrap().into_iter().map(|row| row.place).collect()
        };
        let registry = || Filter { module: Some("registry".into()), ..Filter::default() };
        for limit in [1_usize, 2, 7, 35, 36, 100] {
            assert_eq!(list(registry(), limit), every[..limit.min(36)]);
            let before = Some(every[4]);
            assert_eq!(list(Filter { before, ..registry() }, limit), every[5..every.len().min(5 + limit)]);
            assert_eq!(list(Filter { deposits: true, ..registry() }, limit), deposits[..limit.min(deposits.len())]);
        }
    }
}

#[test]
fn many_are_looked_for_about_their_heights() {
    let databases = Databases::new();
    for database in databases.each("between") {
        Store::open(&database, &CHAIN).unwrap().write(&blocks(60)).unwrap();
        let queries = Queries::open(&database);
        let asked = [(id(201), 0, 40), (id(9_999), 0, 40), (id(500), 50, 50), (id(10), 1, u64::MAX >> 24)];
        assert_eq!(queries.find_between(&asked).unwrap(), [id(201), id(500), id(10)]);
        assert!(queries.find_between(&[]).unwrap().is_empty());
    }
}

#[test]
fn a_schema_has_one_writer_and_what_is_not_ours_in_a_server_stays_as_it_is() {
    let Some(server) = Server::start() else { return };
    let database = server.database("zl");
    let mut store = Store::open(&database, &CHAIN).unwrap();
    store.write(&blocks(5)).unwrap();
    assert!(matches!(Store::open(&database, &CHAIN), Err(IndexError::Taken(_))));
    // Another schema is another index.
    assert_eq!(Store::open(server.database("zl2"), &CHAIN).unwrap().height(), 0);
    drop(store);
    assert_eq!(Store::open(&database, &CHAIN).unwrap().height(), 5);
    assert!(matches!(Store::open(&database, &[8; 32]), Err(IndexError::Foreign(_))));
    server.psql(
        "create schema theirs; create table theirs.transactions (a text); insert into theirs.transactions values ('x')",
    );
    assert!(matches!(Store::open(server.database("theirs"), &CHAIN), Err(IndexError::Foreign(_))));
    assert_eq!(server.psql("select a from theirs.transactions").trim(), "x");
    // An index of another format is built anew; other tables beside it stay.
    server.psql("update zl.meta set value = 0 where name = 'format'; create table zl.views (a int)");
    assert_eq!(Store::open(&database, &CHAIN).unwrap().height(), 0);
    server.psql("select * from zl.views");

    let directory = tempdir().unwrap();
    let file = directory.path().join("password");
    std::fs::write(&file, "correct horse\n").unwrap();
    let over_tcp = Database::Postgres(server.with_password("zl3", &file));
    Store::open(&over_tcp, &CHAIN).unwrap().write(&blocks(5)).unwrap();
    std::fs::write(&file, "battery staple\n").unwrap();
    let refused = Store::open(&over_tcp, &CHAIN).err().unwrap().to_string();
    assert!(refused.contains("password") && !refused.contains("staple"), "{refused}");
}

#[test]
fn settings_that_would_leak_or_collide_are_refused() {
    let settings = |connect: &str, schema: &str| zhulian_node::index::PostgresSettings {
        connect: connect.into(),
        password_file: None,
        schema: schema.into(),
        unencrypted: false,
    };
    settings("host=/var/run/postgresql user=zhulian", "zhulian").check().unwrap();
    settings("host=127.0.0.1,::1 user=zhulian", "zhulian").check().unwrap();
    for (connect, schema, why) in [
        ("host=10.0.0.7 user=zhulian", "zhulian", "encrypted"),
        ("host=db.example.cn user=zhulian", "zhulian", "encrypted"),
        ("host=/var/run/postgresql,db.example.cn user=zhulian", "zhulian", "encrypted"),
        ("host=localhost hostaddr=10.0.0.7 user=zhulian", "zhulian", "encrypted"),
        ("host=localhost user=zhulian password=secret", "zhulian", "password_file"),
        ("user=zhulian", "zhulian", "no host"),
        ("host=localhost", "public", "schema"),
        ("host=localhost", "a; drop schema b", "schema"),
        ("host=localhost", "", "schema"),
    ] {
        let said = settings(connect, schema).check().unwrap_err();
        assert!(said.contains(why) && !said.contains("secret"), "{connect}: {said}");
    }
}

#[test]
fn after_a_crash_of_the_server_the_index_goes_on_where_the_server_is() {
    let Some(mut server) = Server::start() else { return };
    let city = City::new();
    let keys = genesis_keys(&city.genesis.events());
    let database = server.database("zl");
    let queries = Queries::open(&database);
    let all = blocks(60);
    let mut store = Store::open(&database, &CHAIN).unwrap();
    store.genesis(&keys).unwrap();
    store.write(&all[..20]).unwrap();
    assert!(queries.find(&id(100).0).unwrap().is_some());

    server.down("QUIT");
    assert!(store.write(&all[20..30]).is_err());
    assert!(store.write(&all[20..30]).is_err(), "there is no server");
    assert!(queries.find(&id(100).0).is_err());
    server.up();
    // What was written in the last moments may be lost: the store says where it is, and goes on from there.
    assert!(store.reopen().unwrap());
    let height = store.height();
    assert!(height <= 20, "{height}");
    store.write(&all[height as usize..30]).unwrap();
    assert!(queries.find(&id(100).0).unwrap().is_some());

    // All of it lost, as when the server is put back to an old backup: from the beginning, keys of genesis included.
    server.psql("drop schema zl cascade");
    assert!(store.write(&all[30..31]).is_err());
    assert!(store.reopen().unwrap());
    assert_eq!((store.height(), store.holders().unwrap().len()), (0, keys.len()));
    store.write(&all).unwrap();
    let directory = tempdir().unwrap();
    let mut file = Store::open(directory.path(), &CHAIN).unwrap();
    file.genesis(&keys).unwrap();
    file.write(&all).unwrap();
    assert_eq!(dump(&database), dump(&directory.path().into()));
}

#[test]
fn what_is_asked_for_is_found() {
    let databases = Databases::new();
    for database in databases.each("found") {
        Store::open(&database, &CHAIN).unwrap().write(&blocks(60)).unwrap();
        found_in(&Queries::open(&database));
    }
}

fn found_in(queries: &Queries) {
    let found = queries.find(&id(201).0).unwrap().unwrap();
    assert_eq!((found.place, found.id, found.time), (Place::new(20, 1), id(201), 1_020_000));
    assert_eq!(
        (found.organisation.as_deref(), found.module.as_str(), found.call.as_str()),
        (Some("A"), "evidence", "deposit")
    );
    assert_eq!(queries.find(&id(201).0[..16]).unwrap().unwrap(), found);
    assert_eq!(queries.find(&id(9_999).0).unwrap(), None);

    let list = |filter: Filter, limit| -> Vec<Place> {
        queries.transactions(&filter, limit).unwrap().into_iter().map(|row| row.place).collect()
    };
    let newest = list(Filter::default(), 3);
    assert_eq!(newest, [Place::new(60, 5), Place::new(60, 4), Place::new(60, 3)]);
    let next = list(Filter { before: newest.last().copied(), ..Filter::default() }, 2);
    assert_eq!(next, [Place::new(60, 2), Place::new(60, 1)]);
    let b = Filter { organisation: Some("B".into()), ..Filter::default() };
    assert_eq!(list(b.clone(), 100).len(), 90);
    assert_eq!(list(Filter { module: Some("identity".into()), ..b.clone() }, 100).len(), 15);
    assert_eq!(list(Filter { deposits: true, ..b.clone() }, 100).len(), 75);
    // What a case deposited is its depositor's, not that of whoever took the step.
    let deposited = |filter: &Filter, limit| -> Vec<Place> {
        queries.deposited(filter, limit).unwrap().into_iter().map(|row| row.place).collect()
    };
    assert_eq!(deposited(&b, 100).len(), 60);
    let c = Filter { organisation: Some("C".into()), ..Filter::default() };
    assert_eq!(deposited(&c, 2), [Place::new(60, 5), Place::new(56, 5)]);
    assert_eq!(deposited(&Filter { before: Some(Place::new(56, 5)), ..c.clone() }, 100).len(), 13);
    assert_eq!(deposited(&Filter::default(), 1_000).len(), 195);
    let by_case = queries.find(&id(605).0).unwrap().unwrap();
    assert_eq!((by_case.organisation.as_deref(), by_case.depositor.as_deref()), (Some("B"), Some("C")));
    assert_eq!(list(Filter { module: Some("evidence".into()), ..Filter::default() }, 1_000).len(), 195);
    assert_eq!(list(Filter { module: Some("evidence".into()), deposits: true, ..Filter::default() }, 1_000).len(), 180);
    assert_eq!(list(Filter { module: Some("identity".into()), ..Filter::default() }, 1_000).len(), 15);
    assert!(list(c, 10).is_empty());
    assert!(list(Filter { module: Some("ident".into()), ..Filter::default() }, 10).is_empty());
    // From the block at second 10 up to, not with, the one at second 12.
    let times = Filter { from: Some(1_009_001), to: Some(1_012_000), ..Filter::default() };
    assert_eq!(list(times, 100), [(11, 2), (11, 1), (11, 0), (10, 2), (10, 1), (10, 0)].map(|(h, i)| Place::new(h, i)));

    let same: Vec<_> = queries.deposits(&sha256(&10u64.to_be_bytes())).unwrap().into_iter().map(|row| row.place).collect();
    assert_eq!(same.len(), 12, "{same:?}");
    assert!(same.is_sorted());
    let refused = queries.find(&id(84).0).unwrap().unwrap();
    assert_eq!(refused.place, Place::new(8, 4));
    assert_eq!(refused.refusal, Some(Code { module: "evidence".into(), number: 9 }));
    assert_eq!(queries.history(&id(10).0[..16].try_into().unwrap()).unwrap().len(), 15);
}

#[test]
fn entries_of_a_batch_come_back_with_their_paths() {
    let directory = tempdir().unwrap();
    let entries = Arc::new(Entries::open(directory.path()).unwrap());
    for count in [1usize, 2, 1_023, 1_024, 1_025, 2_500, 3_072] {
        let batch = id(count as u64);
        let all: Vec<Vec<u8>> = (0..count)
            .map(|n| {
                let sha256 = sha256(&[count, n].map(usize::to_be_bytes).concat());
                let file = FileRecord { sha256, sm3: [1; 32], size: n as u64, chunks_root: [2; 32] };
                Entry { file, name_commitment: None }.encode()
            })
            .collect();
        entries.put(&batch, &all).unwrap();
        entries.put(&batch, &all).unwrap();
        let root = merkle::root(&all);
        for n in [0, count / 3, count / 2, count - 1] {
            let entry = entries.get(&batch, n as u64).unwrap().unwrap();
            assert_eq!(entry.bytes, all[n]);
            let leaf = merkle::leaf(&entry.bytes);
            assert_eq!(merkle::root_from_path(leaf, n as u64, count as u64, &entry.path), Some(root), "{n} of {count}");
            let sha256 = Entry::decode(&all[n]).unwrap().file.sha256;
            assert_eq!(entries.find(&sha256).unwrap().found, [(batch, n as u64)]);
        }
        assert_eq!(entries.get(&batch, count as u64).unwrap(), None);
        assert_eq!(entries.examine(&batch).unwrap(), Some(root));
    }
    assert_eq!(entries.get(&id(77_777), 0).unwrap(), None);
}

fn event(event: &impl zhulian_execution::Event) -> zhulian_primitives::Event {
    event.record()
}

/// Blocks of one transaction each, with these events.
fn block(height: u64, events: Vec<zhulian_primitives::Event>) -> Block {
    let call =
        Call { chain: CHAIN, module: "procedure", call: "open", args: &[0xa0], nonce: [height as u8; 16], valid_until: 900 };
    let transaction = sign(&call, &SigningKey::from_secret(Algorithm::EdDsa, &[3; 32]).unwrap());
    let receipt = Receipt { transaction: TransactionId(sha256(&transaction)), refusal: None, events }.encode();
    let header = Header {
        version: 1,
        chain: CHAIN,
        height,
        time: 1_000_000 + height * 1_000,
        epoch: 0,
        view: height,
        parent_view: 0,
        parent: [0; 32],
        proposer: [0; 32],
        transaction_count: 1,
        validators: [0; 32],
        transactions_root: [0; 32],
        receipts_root: [0; 32],
        state_root: [0; 32],
        sync_root: [0; 32],
        sync_start: 0,
        sync_end: 0,
    };
    Block { header, transactions: vec![transaction], receipts: vec![receipt] }
}

#[test]
fn cases_and_packs_are_found_by_what_their_events_say() {
    let (first, second) = (CaseId::parse("BJ20260105-000001").unwrap(), CaseId::parse("BJ20260105-000002").unwrap());
    assert_eq!(CaseId::of_ordinal(first.ordinal()), Some(first));
    let (desk, other) = (code(0), code(1));
    let member = MemberId::parse("officer").unwrap();
    let pack = PackId::parse("permit").unwrap();
    let opened = |case, organisation, limit_due| {
        let process = "permit".to_owned();
        let (pack, member) = (pack.clone(), member.clone());
        event(&CaseOpened {
            case,
            pack,
            version: 1,
            process,
            organisation,
            member,
            applicant: [1; 32],
            promised_due: 5,
            limit_due,
            supervisor: Some(code(2)),
            open: false,
        })
    };
    let decided = |subject| {
        event(&Decided {
            pack: pack.clone(),
            version: 1,
            digest: [8; 32],
            decision: "Fee".into(),
            facts: Vec::new(),
            outcome: "1".into(),
            gas: 1,
            hits: Vec::new(),
            organisation: desk,
            member: member.clone(),
            in_force: Some(1),
            subject,
        })
    };
    let progressed = |case| {
        event(&Progressed {
            case,
            organisation: desk,
            member: member.clone(),
            lines: Vec::new(),
            sent: Vec::new(),
            waiting: Vec::new(),
        })
    };
    let drafted = Drafted { pack: pack.clone(), version: 1, digest: [8; 32], organisation: desk, member: member.clone() };
    let motion =
        |motion, action| event(&MotionOpened { motion, organisation: desk, member: member.clone(), action, closes: 9 });
    let resumed = ClockResumed {
        case: first,
        organisation: desk,
        member: member.clone(),
        promised_due: 0,
        limit_due: 70,
        open: false,
    };
    let subject = Some(sha256(first.to_string().as_bytes()));
    let blocks = [
        block(1, vec![event(&drafted)]),
        block(2, vec![motion(0, Action::EnactRules([8; 32]))]),
        block(3, vec![opened(first, desk, 50), progressed(first)]),
        block(4, vec![opened(second, other, 0), decided(None)]),
        block(5, vec![decided(subject), progressed(first)]),
        block(6, vec![event(&resumed)]),
        block(7, vec![event(&CaseClosed { case: second, outcome: Outcome::Granted, late: false, overrides: 0 })]),
        block(8, vec![motion(1, Action::AnnulRules(pack.clone(), 2))]),
    ];
    let mut holders = Default::default();
    let rows: Vec<BlockRows> = blocks.iter().map(|block| rows(block, &mut holders)).collect();
    let databases = Databases::new();
    let (mut dumps, again) = (Vec::new(), databases.each("again"));
    for (number, database) in databases.each("whole").iter().enumerate() {
        Store::open(database, &CHAIN).unwrap().write(&rows).unwrap();
        cases_in(&Queries::open(database), first, second, other);
        // Written again block by block, it is the same; begun later, it leaves out what it does not know.
        for row in &rows {
            Store::open(&again[number], &CHAIN).unwrap().write(std::slice::from_ref(row)).unwrap();
        }
        assert_eq!(dump(database), dump(&again[number]));
        let later = databases.each("later").remove(number);
        Store::open(&later, &CHAIN).unwrap().write(&rows[3..]).unwrap();
        assert_eq!(Queries::open(&later).cases(&CaseFilter::default(), 10).unwrap(), [second.ordinal()]);
        dumps.push(dump(database));
    }
    assert!(dumps.iter().all(|dump| *dump == dumps[0]), "the databases differ");
}

fn cases_in(queries: &Queries, first: CaseId, second: CaseId, other: zhulian_modules::identity::Uscc) {
    let cases = |filter: CaseFilter| queries.cases(&filter, 10).unwrap();
    let [a, b] = [first, second].map(CaseId::ordinal);
    assert_eq!(cases(CaseFilter::default()), [b, a]);
    assert_eq!(queries.cases(&CaseFilter { before: Some(b), ..CaseFilter::default() }, 10).unwrap(), [a]);
    assert_eq!(cases(CaseFilter { organisation: Some(other.to_string()), ..CaseFilter::default() }), [b]);
    assert_eq!(cases(CaseFilter { procedure: Some("permit/permit".into()), ..CaseFilter::default() }), [b, a]);
    assert!(cases(CaseFilter { pack: Some("permit/permit".into()), ..CaseFilter::default() }).is_empty());
    assert_eq!(cases(CaseFilter { state: Some(CaseState::Open), ..CaseFilter::default() }), [a]);
    assert_eq!(cases(CaseFilter { state: Some(CaseState::Closed), ..CaseFilter::default() }), [b]);
    assert!(cases(CaseFilter { state: Some(CaseState::Ended(Outcome::Refused)), ..CaseFilter::default() }).is_empty());
    // The clock stood still: the first case is due later than it was; the second has only a promise.
    assert_eq!(cases(CaseFilter { due_before: Some(60), ..CaseFilter::default() }), [b]);
    assert_eq!(cases(CaseFilter { due_before: Some(71), ..CaseFilter::default() }), [b, a]);

    let places = |hits: Vec<zhulian_node::index::HistoryHit>| -> Vec<(u64, u32)> {
        hits.iter().map(|hit| (hit.found.place.height(), hit.event)).collect()
    };
    // The decision of a step belongs to the case.
    let history = places(queries.case_history(a, None, 10).unwrap());
    assert_eq!(history, [(3, 0), (3, 1), (5, 0), (5, 1), (6, 0)]);
    assert_eq!(places(queries.case_history(a, Some((Place::new(3, 0), 0)), 2).unwrap()), [(3, 1), (5, 0)]);
    assert_eq!(places(queries.decisions(("permit", None, None), None, 10).unwrap()), [(5, 0), (4, 1)]);
    let before = Some((Place::new(5, 0), 0));
    assert_eq!(places(queries.decisions(("permit", Some(1), Some("Fee")), before, 10).unwrap()), [(4, 1)]);
    assert!(queries.decisions(("permit", Some(2), None), None, 10).unwrap().is_empty());
    assert_eq!(queries.drafts("permit", 10).unwrap(), [[8; 32]]);
    let motions = queries.pack_motions("permit", &[[8; 32]], 10).unwrap();
    assert_eq!(motions.iter().map(|it| (it.motion, it.annuls)).collect::<Vec<_>>(), [(0, None), (1, Some(2))]);
}

#[test]
fn tasks_are_found_by_their_duties_while_they_wait() {
    let numbers = [1, 2, 3].map(|n| CaseId::parse(&format!("BJ20260105-00000{n}")).unwrap());
    let [first, second, third] = numbers;
    let (desk, other, head) = (code(0), code(1), code(2));
    let member = MemberId::parse("officer").unwrap();
    let opened = |case, pack: &str, limit_due| {
        event(&CaseOpened {
            case,
            pack: PackId::parse(pack).unwrap(),
            version: 1,
            process: "p".into(),
            organisation: desk,
            member: member.clone(),
            applicant: [1; 32],
            promised_due: 0,
            limit_due,
            supervisor: Some(head),
            open: false,
        })
    };
    let duty = |organisation, role| Duty { organisation, role };
    // What ends, and what comes.
    let moved = |case, over: &[u32], waiting: &[(u32, &[Duty])]| {
        let line = |number: &u32| Line { what: Step::Completed, element: "t".into(), number: *number };
        let waiting = waiting.iter().map(|(task, duties)| Waiting { task: *task, duties: duties.to_vec() }).collect();
        let lines = over.iter().map(line).collect();
        event(&Progressed { case, organisation: desk, member: member.clone(), lines, sent: Vec::new(), waiting })
    };
    let transferred = TaskTransferred { case: second, task: 2, organisation: desk, member: member.clone(), to: other };
    let settled = ClockSettled { case: first, promised_due: 0, limit_due: 900, open: false };
    let [officer, judge] = [Role::Officer, Role::Judge];
    let blocks = [
        block(1, vec![opened(first, "permit", 100), moved(first, &[], &[(2, &[duty(desk, officer), duty(other, judge)])])]),
        block(2, vec![opened(second, "permit", 100), moved(second, &[], &[(2, &[duty(desk, officer)])])]),
        block(3, vec![opened(third, "loan", 0), moved(third, &[], &[(2, &[duty(desk, officer)]), (3, &[])])]),
        block(4, vec![event(&transferred)]),
        // It comes and goes within what is written at once.
        block(5, vec![moved(first, &[], &[(3, &[duty(other, officer)])])]),
        block(6, vec![moved(first, &[3], &[]), event(&settled)]),
        block(7, vec![moved(third, &[2], &[(4, &[duty(desk, officer)])])]),
        block(8, vec![event(&CaseClosed { case: third, outcome: Outcome::Done, late: false, overrides: 0 })]),
    ];
    let mut holders = Default::default();
    let rows: Vec<BlockRows> = blocks.iter().map(|block| rows(block, &mut holders)).collect();
    let databases = Databases::new();
    let again = databases.each("again");
    for (number, database) in databases.each("whole").iter().enumerate() {
        let queries = Queries::open(database);
        let cases = |organisation: zhulian_modules::identity::Uscc, change: &dyn Fn(&mut TaskFilter)| {
            let mut filter = TaskFilter { organisation: organisation.to_string(), ..TaskFilter::default() };
            change(&mut filter);
            queries.cases_with_tasks(&filter, 10).unwrap()
        };
        let [a, b, c] = numbers.map(CaseId::ordinal);
        let mut store = Store::open(database, &CHAIN).unwrap();
        store.write(&rows[..3]).unwrap();
        assert_eq!(cases(desk, &|_| ()), [c, b, a]);
        assert_eq!(cases(desk, &|it| it.before = Some(c)), [b, a]);
        assert_eq!(cases(desk, &|it| it.pack = Some("loan".into())), [c]);
        assert_eq!(cases(other, &|_| ()), [a]);
        assert!(cases(other, &|it| it.role = Some(officer)).is_empty());
        // What is late its supervisor may take over, as an officer and in no other role.
        assert!(cases(head, &|it| it.now = 99).is_empty());
        assert_eq!(cases(head, &|it| it.now = 100), [b, a]);
        assert!(cases(head, &|it| (it.now, it.role) = (100, Some(judge))).is_empty());
        store.write(&rows[3..]).unwrap();
        assert_eq!(cases(desk, &|_| ()), [a]);
        assert_eq!(cases(other, &|_| ()), [b, a]);
        assert_eq!(cases(other, &|it| it.role = Some(judge)), [a]);
        assert_eq!(cases(head, &|it| it.now = 100), [b]);
        // Block by block it is the same; begun later, it holds what it knows the case of.
        for row in &rows {
            Store::open(&again[number], &CHAIN).unwrap().write(std::slice::from_ref(row)).unwrap();
        }
        assert_eq!(dump(database), dump(&again[number]));
        let later = databases.each("later").remove(number);
        Store::open(&later, &CHAIN).unwrap().write(&rows[1..]).unwrap();
        let filter = TaskFilter { organisation: other.to_string(), ..TaskFilter::default() };
        assert_eq!(Queries::open(&later).cases_with_tasks(&filter, 10).unwrap(), [b]);
    }
}
