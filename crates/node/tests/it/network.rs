//! Four whole nodes on loopback: a deposit's way from its bytes to a receipt that verifies, over restarts.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use zhulian_crypto::{Algorithm, SigningKey};
use zhulian_gateway::{
    self as gateway, Backend as _, BackendError, EvidenceFilter, EvidencePlace, Page, Phase, Submission, TransactionFilter,
    TransactionState,
};
use zhulian_node::{Node, NodeBackend, config, index::Queries, remove_index};
use zhulian_primitives::{EvidenceId, TransactionId};
use zhulian_verify::{ReceiptFile, verify_receipt};

use crate::{
    city::{City, code, officer},
    postgres::Server,
    toy::id,
};

pub const LONG: Duration = Duration::from_secs(60);

pub async fn running(node: &Node) -> Arc<NodeBackend> {
    let backend = node.backend();
    let ready = async {
        while backend.status().phase != Phase::Running || backend.status().height.is_none() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(LONG, ready).await.expect("the node runs in time");
    backend
}

pub async fn submit(backend: &NodeBackend, transactions: &[Vec<u8>]) -> Vec<TransactionId> {
    let bytes = transactions.iter().cloned().map(Bytes::from).collect();
    let taken = |submission| match submission {
        Submission::Taken(id) => id,
        other => panic!("{other:?}"),
    };
    backend.submit(bytes).await.unwrap().into_iter().map(taken).collect()
}

/// Waits for a transaction's end, which must be an execution without refusal, and verifies its receipt as a stranger would.
pub async fn proven(city: &City, backend: &NodeBackend, id: TransactionId) -> ReceiptFile {
    // One that was submitted elsewhere is unknown here until it arrives.
    let ended = async {
        loop {
            match backend.wait(id, LONG).await.unwrap() {
                TransactionState::Unknown => {}
                state => return state,
            }
        }
    };
    let state = tokio::time::timeout(LONG, ended).await.expect("an end in time");
    let TransactionState::Finalised(outcome) = state else { panic!("not finalised: {state:?}") };
    assert_eq!(outcome.receipt.refusal, None);
    let position = outcome.position;
    let block = backend.block(position.height).await.unwrap().unwrap();
    let finality = backend.finality(position.height).await.unwrap().unwrap();
    let gateway::Finality { headers, certificate, handovers } = &finality;
    let file = ReceiptFile::assemble(&block, position.index as usize, &headers[1..], certificate, handovers).unwrap();
    let verified = verify_receipt(&city.genesis.network(), &file.encode()).unwrap();
    assert_eq!((verified.transaction, verified.height), (id, position.height));
    file
}

async fn indexed(backend: &NodeBackend, transactions: u64) {
    let caught_up = async {
        while backend.status().transactions < transactions {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LONG, caught_up).await.expect("the index catches up");
}

/// The answer once the index has all that is final, which a busy machine may keep waiting.
async fn ready<T>(ask: impl AsyncFn() -> Result<T, BackendError>) -> T {
    let answered = async {
        loop {
            match ask().await {
                Err(BackendError::NotReady) => tokio::time::sleep(Duration::from_millis(20)).await,
                answer => return answer.unwrap(),
            }
        }
    };
    tokio::time::timeout(LONG, answered).await.expect("the index catches up")
}

#[tokio::test(flavor = "multi_thread")]
async fn deposits_are_final_proven_and_still_there_after_restarts() {
    let city = City::new();
    let mut nodes: Vec<Option<Node>> = (0..4).map(|n| Some(city.start(n, n == 0))).collect();
    let first = running(nodes[0].as_ref().unwrap()).await;
    let second = running(nodes[1].as_ref().unwrap()).await;

    // Deposits of three organisations through two nodes.
    let early: Vec<_> = (0..30).map(|n| city.deposit(n as usize % 3, n, 500)).collect();
    submit(&first, &early[..20]).await;
    submit(&second, &early[20..]).await;
    for bytes in &early {
        proven(&city, &first, id(bytes)).await;
    }
    // Facts are read before it is known who signed: none is evaluated, however deep or dear, and each node goes on.
    let facts = [
        [format!("{}1{}", "[".repeat(250), "..1]".repeat(250))].to_vec(),
        [format!("{}1{}", "(>".repeat(340), ")".repeat(340))].to_vec(),
        vec!["count(for i in 1..1000, j in 1..1000 return i*j)".into(); 64],
    ];
    let stranger = SigningKey::from_secret(Algorithm::EdDsa, &zhulian_crypto::sha256(b"nobody")).unwrap();
    let asked = std::time::Instant::now();
    for (n, values) in (0..).zip(&facts) {
        for key in [&stranger, &officer(0)] {
            let answers = first.submit(vec![Bytes::from(city.decision(key, n, values))]).await.unwrap();
            let [Submission::Refused(_, code)] = &answers[..] else { panic!("{answers:?}") };
            assert_eq!((&*code.module, code.number), ("rulepack", 22), "malformed_fact");
        }
    }
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    // Submitted again, it is the same one, with the same outcome.
    let again = submit(&first, &early[..1]).await;
    assert!(matches!(first.transaction(again[0]).await.unwrap(), TransactionState::Finalised(_)));

    indexed(&first, 30).await;
    let page = Page { before: None, limit: 200 };
    let organisation = Some(code(1).to_string());
    let filter = TransactionFilter { organisation: organisation.clone(), ..TransactionFilter::default() };
    assert_eq!(first.transactions(filter, page).await.unwrap().len(), 10);
    let deposits = first.evidence(EvidenceFilter { organisation, ..EvidenceFilter::default() }, page).await.unwrap();
    assert_eq!(deposits.len(), 10);
    let sha256 = zhulian_crypto::sha256(b"file 7");
    let of_file = EvidenceFilter { sha256: Some(sha256), ..EvidenceFilter::default() };
    let found = first.evidence(of_file, page).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].transaction, id(&early[7]));
    assert_eq!(found[0].place, EvidencePlace::File { sha256, sequence: 0 });
    let evidence = EvidenceId(id(&early[7]).0[..16].try_into().unwrap());
    assert_eq!(first.find_evidence(evidence).await.unwrap().as_ref(), found.first());
    let history = first.evidence_history(evidence).await.unwrap();
    assert_eq!(history.iter().map(|row| row.event.name.as_str()).collect::<Vec<_>>(), ["deposited"]);
    assert!(first.cose_receipt(id(&early[7])).await.unwrap().is_some());
    assert_eq!(first.status().evidence, 30);

    // A node without an index knows what was finalised not long ago, and says that it has no lists.
    assert!(matches!(second.transaction(id(&early[3])).await.unwrap(), TransactionState::Finalised(_)));
    let none = second.transactions(TransactionFilter::default(), page).await;
    assert!(matches!(none, Err(BackendError::Internal(_))));
    assert_eq!(ready(async || first.transaction(TransactionId([0; 32])).await).await, TransactionState::Unknown);

    // Three nodes go on without the fourth, which catches up.
    nodes[3].take().unwrap().stop().unwrap();
    let middle: Vec<_> = (100..120).map(|n| city.deposit(3, n, 900)).collect();
    for id in submit(&first, &middle).await {
        proven(&city, &first, id).await;
    }
    nodes[3] = Some(city.start(3, false));
    let fourth = running(nodes[3].as_ref().unwrap()).await;
    let tip = first.status().height.unwrap();
    let caught_up = async {
        while fourth.status().height < Some(tip) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(LONG, caught_up).await.expect("the fourth node catches up");

    // All stop, and start again; the index once from its file, once from nothing.
    let receipts: Vec<_> = {
        let mut receipts = Vec::new();
        for bytes in early.iter().chain(&middle) {
            receipts.push(proven(&city, &first, id(bytes)).await);
        }
        receipts
    };
    indexed(&first, 50).await;
    drop((first, second, fourth));
    for node in &mut nodes {
        node.take().unwrap().stop().unwrap();
    }
    let before = Queries::open(&city.path(0).join("index")).dump().unwrap();
    for rebuild in [false, true] {
        if rebuild {
            remove_index(&city.path(0)).unwrap();
        }
        let nodes: Vec<Node> = (0..4).map(|n| city.start(n, n == 0)).collect();
        let first = running(&nodes[0]).await;
        indexed(&first, 50).await;
        for (bytes, receipt) in early.iter().chain(&middle).zip(&receipts) {
            let again = proven(&city, &first, id(bytes)).await;
            assert_eq!((&again.transaction, &again.receipt), (&receipt.transaction, &receipt.receipt));
        }
        // And life goes on.
        let late = city.deposit(0, 1_000 + u64::from(rebuild), 1_000);
        submit(&first, std::slice::from_ref(&late)).await;
        proven(&city, &first, id(&late)).await;
        drop(first);
        for node in nodes {
            node.stop().unwrap();
        }
        let after = Queries::open(&city.path(0).join("index")).dump().unwrap();
        let kept = before.iter().filter(|line| line.starts_with("Found")).all(|line| after.contains(line));
        assert!(kept, "a rebuilt index tells another history");
    }
}

/// What an index that lacks blocks does not find is not said to be nowhere.
#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_is_behind_is_not_taken_for_the_whole_ledger() {
    let city = City::new();
    let nodes: Vec<Node> = (0..4).map(|n| city.start(n, n == 0)).collect();
    let first = running(&nodes[0]).await;
    let (early, late) = (city.deposit(0, 1, 500), city.deposit(1, 2, 500));
    submit(&first, std::slice::from_ref(&early)).await;
    proven(&city, &first, id(&early)).await;
    indexed(&first, 1).await;
    // For now nobody else can write it.
    let sql = rusqlite::Connection::open(city.path(0).join("index/index.sqlite")).unwrap();
    sql.execute_batch("begin immediate").unwrap();
    submit(&first, std::slice::from_ref(&late)).await;
    proven(&city, &first, id(&late)).await;

    let evidence = |bytes: &[u8]| EvidenceId(id(bytes).0[..16].try_into().unwrap());
    let file = |n: u64| {
        let sha256 = Some(zhulian_crypto::sha256(format!("file {n}").as_bytes()));
        EvidenceFilter { sha256, certain: true, ..EvidenceFilter::default() }
    };
    let (page, never) = (Page { before: None, limit: 200 }, TransactionId([0; 32]));
    let (by_number, history, by_digest, lacking, unknown) = tokio::join!(
        first.find_evidence(evidence(&late)),
        first.evidence_history(evidence(&late)),
        first.evidence(file(2), page),
        first.batches_lacking(),
        first.transaction(never),
    );
    assert_eq!(by_number, Err(BackendError::NotReady));
    assert_eq!(history, Err(BackendError::NotReady));
    assert_eq!(by_digest, Err(BackendError::NotReady));
    assert_eq!(lacking, Err(BackendError::NotReady));
    assert_eq!(unknown, Err(BackendError::NotReady));
    // A list is of what there is. What the index has it tells, and so does the mempool.
    assert_eq!(first.evidence(EvidenceFilter { certain: false, ..file(2) }, page).await, Ok(Vec::new()));
    assert!(first.find_evidence(evidence(&early)).await.unwrap().is_some());
    assert!(matches!(first.transaction(id(&late)).await.unwrap(), TransactionState::Finalised(_)));

    sql.execute_batch("rollback").unwrap();
    indexed(&first, 2).await;
    assert!(first.find_evidence(evidence(&late)).await.unwrap().is_some());
    assert_eq!(first.evidence(file(2), page).await.unwrap().len(), 1);
    assert_eq!(ready(async || first.evidence(file(3), page).await).await, []);
    assert_eq!(ready(async || first.batches_lacking().await).await, 0);
    assert_eq!(ready(async || first.transaction(never).await).await, TransactionState::Unknown);
    drop((first, sql));
    for node in nodes {
        node.stop().unwrap();
    }
}

/// PostgreSQL is there for lists only: while it is away, the validator votes, proposes and proves as ever, and says what fails.
#[tokio::test(flavor = "multi_thread")]
async fn a_validator_does_without_its_postgres_and_catches_up_with_it() {
    let Some(mut server) = Server::start() else { return };
    server.down("INT");
    let city = City::new();
    let mut config = city.config(0, true);
    config.gateway.as_mut().unwrap().index = config::Index::Postgres(server.settings("zl"));
    let mut nodes = vec![Node::start(&config, &city.genesis, &city.validators[0]).unwrap()];
    nodes.extend((1..4).map(|n| city.start(n, n == 1)));
    let first = running(&nodes[0]).await;
    let second = running(&nodes[1]).await;
    let page = Page { before: None, limit: 200 };

    for (round, signal) in ["QUIT", "INT", ""].into_iter().enumerate() {
        // Without a server.
        let some: Vec<_> = (0..12).map(|n| city.deposit(n as usize % 3, 100 * round as u64 + n, 900)).collect();
        for id in submit(&first, &some).await {
            proven(&city, &first, id).await;
        }
        assert!(first.transactions(TransactionFilter::default(), page).await.is_err());
        let failing = async {
            while !first.metrics().await.unwrap().contains("\nzhulian_index_failing 1\n") {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(LONG, failing).await.expect("it is said that the index fails");
        // With one.
        server = tokio::task::spawn_blocking(move || {
            server.up();
            server
        })
        .await
        .unwrap();
        let all = 12 * (round as u64 + 1);
        indexed(&first, all).await;
        indexed(&second, all).await;
        assert_eq!(first.transactions(TransactionFilter::default(), page).await.unwrap().len(), all as usize);
        assert!(first.metrics().await.unwrap().contains("\nzhulian_index_failing 0\n"));
        if !signal.is_empty() {
            server.down(signal);
        }
    }
    let filters = |n: usize| TransactionFilter { organisation: Some(code(n).to_string()), ..TransactionFilter::default() };
    for n in 0..3 {
        assert_eq!(
            first.transactions(filters(n), page).await.unwrap(),
            second.transactions(filters(n), page).await.unwrap()
        );
    }
    let sha256 = Some(zhulian_crypto::sha256(b"file 107"));
    let filter = || EvidenceFilter { sha256, ..EvidenceFilter::default() };
    assert_eq!(first.evidence(filter(), page).await.unwrap(), second.evidence(filter(), page).await.unwrap());
    assert_eq!(first.evidence(filter(), page).await.unwrap().len(), 1);
    drop((first, second));
    for node in nodes {
        node.stop().unwrap();
    }
    // Row by row the same as in a file, but for empty blocks at the end.
    let rows = |lines: Vec<String>| -> Vec<String> {
        lines.into_iter().filter(|line| !line.starts_with("meta") && !line.starts_with("blocks")).collect()
    };
    let database = server.database("zl");
    let own = tokio::task::spawn_blocking(move || Queries::open(database).dump().unwrap()).await.unwrap();
    let own = rows(own);
    let file = rows(Queries::open(&city.path(1).join("index")).dump().unwrap());
    assert!(own.len() > 36 * 4);
    assert_eq!(own, file);
}
