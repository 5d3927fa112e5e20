//! Malformed, oversized, replayed, expired, forged and out-of-order input: each with its status, code and exact reason. After all of
//! it the gateway answers the next good request.

use std::time::Duration;

use reqwest::Method;
use zhulian_api::{Problem, Wait, view::TransactionState};
use zhulian_primitives::EvidenceId;

use crate::{city, world::World};

const SOON: Wait = Wait::Finalised(Duration::from_secs(10));
const JSON: &str = "application/json";
const COSE: &str = "application/cose";
const SEQUENCE: &str = "application/cbor-seq";

/// A request that is refused as a whole.
struct Case {
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    status: u16,
    code: &'static str,
    /// Part of the reason.
    detail: &'static str,
}

fn get(path: &str, status: u16, code: &'static str, detail: &'static str) -> Case {
    Case { method: Method::GET, path: path.into(), headers: Vec::new(), body: Vec::new(), status, code, detail }
}

fn post(path: &str, media: &str, body: impl Into<Vec<u8>>, status: u16, code: &'static str, detail: &'static str) -> Case {
    let headers = vec![("content-type", media.to_owned())];
    Case { method: Method::POST, path: path.into(), headers, body: body.into(), status, code, detail }
}

fn with(mut case: Case, name: &'static str, value: &str) -> Case {
    case.headers.push((name, value.into()));
    case
}

/// Something that must never come back in an answer.
const SECRET: &str = "zhangsan110101199003074178";

fn cases(world: &World, batch: &str) -> Vec<Case> {
    let hex = "ab".repeat(32);
    let typo = {
        let good = EvidenceId([5; 16]).to_string();
        let last = if good.ends_with('0') { '1' } else { '0' };
        format!("{}{last}", &good[..good.len() - 1])
    };
    let good = world.deposit(b"never submitted");
    vec![
        get("/v1/nothing", 404, "request.no_such_path", "nothing at this address"),
        get("/v1/transactions/xyz", 400, "request.malformed_path", "id: expected 64 hexadecimal digits, found 3 characters"),
        get(
            &format!("/v1/transactions/{}", hex.to_uppercase()),
            400,
            "request.malformed_path",
            "id: a character other than 0-9 and a-f",
        ),
        get(
            &format!("/v1/transactions/{hex}?wait=forever"),
            400,
            "request.malformed_query",
            "wait: expected finalised or none",
        ),
        get(
            &format!("/v1/transactions/{hex}?timeout_ms=60001"),
            400,
            "request.malformed_query",
            "timeout_ms: expected a whole number from 0 to 60000",
        ),
        get(
            &format!("/v1/transactions/{hex}?timeout_ms=-1"),
            400,
            "request.malformed_query",
            "timeout_ms: expected a whole number",
        ),
        get(&format!("/v1/transactions/{hex}?wait=none&wait=none"), 400, "request.malformed_query", "wait: given twice"),
        get(
            &format!("/v1/transactions/{hex}?{SECRET}=1"),
            400,
            "request.malformed_query",
            "unknown parameter; this address takes wait, timeout_ms",
        ),
        get(&format!("/v1/transactions/{hex}/receipt"), 404, "query.transaction_not_found", "no finalised transaction"),
        get(&format!("/v1/transactions/{hex}/cose-receipt"), 404, "query.transaction_not_found", "no finalised transaction"),
        with(
            get(
                &format!("/v1/transactions/{hex}/receipt"),
                406,
                "request.not_acceptable",
                "available as application/cbor or application/json",
            ),
            "accept",
            "text/html",
        ),
        with(
            get(&format!("/v1/transactions/{hex}/receipt"), 406, "request.not_acceptable", "available as"),
            "accept",
            "application/json;q=0",
        ),
        get("/v1/transactions?limit=0", 400, "request.malformed_query", "limit: expected a whole number from 1 to 200"),
        get("/v1/transactions?limit=201", 400, "request.malformed_query", "limit: expected"),
        get("/v1/transactions?limit=05", 400, "request.malformed_query", "limit: expected"),
        get("/v1/transactions?limit=99999999999999999999999", 400, "request.malformed_query", "limit: expected"),
        get("/v1/transactions?cursor=abc", 400, "request.malformed_cursor", "cursor: not of the form"),
        get(
            &format!("/v1/transactions?cursor=e{}", "0".repeat(40)),
            400,
            "request.malformed_cursor",
            "cursor: not of the form",
        ),
        get(
            &format!("/v1/transactions?cursor=tf{}", "0".repeat(39)),
            400,
            "request.malformed_cursor",
            "cursor: not of the form",
        ),
        get("/v1/transactions?cursor=t%E4%B8%AD%E4%B8%AD", 400, "request.malformed_cursor", "cursor: not of the form"),
        get(
            "/v1/transactions?organisation=123",
            400,
            "request.malformed_query",
            "organisation: expected a unified social credit code",
        ),
        get("/v1/transactions?module=Evidence", 400, "request.malformed_query", "module: expected a module name"),
        get("/v1/transactions?from=yesterday", 400, "request.malformed_query", "from: expected a whole number"),
        get("/v1/blocks?cursor=t00", 400, "request.malformed_cursor", "cursor: not of the form"),
        get("/v1/blocks/-1", 400, "request.malformed_path", "height: expected a whole number"),
        get("/v1/blocks/18446744073709551615", 400, "request.malformed_path", "height: expected a whole number"),
        get("/v1/blocks/999999", 404, "query.block_not_found", "no finalised block"),
        get("/v1/state/00", 400, "request.malformed_path", "key: expected 64 hexadecimal digits"),
        get("/v1/evidence/ZL123", 400, "request.malformed_path", "id: an evidence number is ZL and 27 characters"),
        get(&format!("/v1/evidence/{typo}"), 404, "query.evidence_not_found", "check character"),
        get(&format!("/v1/evidence/{}", EvidenceId([5; 16])), 404, "query.evidence_not_found", "no deposited evidence"),
        get("/v1/evidence/%FF%FE", 400, "request.malformed_path", "not valid UTF-8"),
        get(
            &format!("/v1/evidence?sha256={}", &hex[1..]),
            400,
            "request.malformed_query",
            "sha256: expected 64 hexadecimal digits, found 63",
        ),
        with(
            get("/v1/events", 400, "request.malformed_query", "Last-Event-ID: expected height:index"),
            "last-event-id",
            "12",
        ),
        with(
            get("/v1/events", 400, "request.malformed_query", "Last-Event-ID: expected height:index"),
            "last-event-id",
            "1:-1",
        ),
        with(get("/v1/events", 404, "query.block_not_found", "far ahead of this network"), "last-event-id", "5000:0"),
        get("/v1/events?types=Block", 400, "request.malformed_query", "types: expected"),
        with(
            get("/v1/events", 406, "request.not_acceptable", "available as text/event-stream"),
            "accept",
            "application/json",
        ),
        post(
            "/v1/transactions",
            "text/plain",
            good.clone(),
            415,
            "request.unsupported_media_type",
            "application/cose or application/cbor-seq",
        ),
        post("/v1/transactions", JSON, "{}", 415, "request.unsupported_media_type", "the body must be of type"),
        post("/v1/transactions", COSE, "", 400, "request.empty_body", "empty"),
        post("/v1/transactions", SEQUENCE, vec![0x01; 1_001], 422, "request.too_many_transactions", "more than 1000 items"),
        post("/v1/transactions", SEQUENCE, vec![0; (8 << 20) + 1], 413, "request.body_too_large", "at most 8388608 bytes"),
        post("/v1/transactions?wait=1", COSE, good.clone(), 400, "request.malformed_query", "wait: expected"),
        with(post("/v1/transactions", COSE, good, 406, "request.not_acceptable", "application/json"), "accept", "image/png"),
        post("/v1/evidence/check", COSE, "{}", 415, "request.unsupported_media_type", "application/json"),
        post("/v1/evidence/check", JSON, "", 400, "request.empty_body", "empty"),
        post("/v1/evidence/check", JSON, format!("{{{SECRET}"), 400, "request.malformed_body", "not JSON: line 1, column 2"),
        post("/v1/evidence/check", JSON, "[]", 422, "request.unacceptable_body", "expected a JSON object"),
        post("/v1/evidence/check", JSON, "{}", 422, "request.unacceptable_body", "sha256: missing"),
        post(
            "/v1/evidence/check",
            JSON,
            format!(r#"{{"sha256":"{SECRET}"}}"#),
            422,
            "request.unacceptable_body",
            "sha256: expected 64 hexadecimal digits",
        ),
        post("/v1/evidence/check", JSON, r#"{"sha256":5}"#, 422, "request.unacceptable_body", "sha256: expected a string"),
        post(
            "/v1/evidence/check",
            JSON,
            format!(r#"{{"sha256":"{hex}","size":-1}}"#),
            422,
            "request.unacceptable_body",
            "size: expected a whole number",
        ),
        post(
            "/v1/evidence/check",
            JSON,
            format!(r#"{{"sha256":"{hex}","{SECRET}":1}}"#),
            422,
            "request.unacceptable_body",
            "unknown member; known are",
        ),
        post(
            "/v1/evidence/check",
            JSON,
            format!(r#"{{"sha256":"{hex}","sha256":"{hex}"}}"#),
            422,
            "request.unacceptable_body",
            "a member is given twice",
        ),
        post(
            "/v1/evidence/check",
            JSON,
            format!(r#"{{"sha256":"{hex}","id":"ZL"}}"#),
            422,
            "request.unacceptable_body",
            "id: an evidence number",
        ),
        post("/v1/evidence/check", JSON, vec![b'['; 20_000], 413, "request.body_too_large", "at most 16384 bytes"),
        post("/v1/evidence/check", JSON, vec![b'['; 16_000], 400, "request.malformed_body", "not JSON"),
        post("/v1/evidence/check", JSON, vec![0xff, 0xfe], 400, "request.malformed_body", "not JSON"),
        post(
            &format!("/v1/evidence/batches/{batch}/entries"),
            JSON,
            "x",
            415,
            "request.unsupported_media_type",
            "application/cbor-seq",
        ),
        post(&format!("/v1/evidence/batches/{batch}/entries"), SEQUENCE, "", 400, "request.empty_body", "empty"),
        post(
            &format!("/v1/evidence/batches/{batch}/entries"),
            SEQUENCE,
            vec![0xff],
            422,
            "batch.entry_malformed",
            "entry 0: not",
        ),
        post(&format!("/v1/evidence/batches/{batch}-1/entries"), SEQUENCE, vec![1], 409, "batch.not_a_batch", "not a batch"),
        post(
            &format!("/v1/evidence/batches/{}/entries", EvidenceId([5; 16])),
            SEQUENCE,
            vec![1],
            404,
            "query.evidence_not_found",
            "no deposited",
        ),
    ]
}

#[tokio::test]
async fn bad_requests_are_refused_with_code_and_reason_and_nothing_is_repeated() {
    let world = World::start().await;
    let entries = vec![zhulian_verify::Entry { file: city::file(b"1"), name_commitment: None }.encode()];
    let batch = world.deposit_batch(&entries);
    let id = crate::world::id_of(&batch);
    assert_eq!(world.client.submit(&[batch], SOON).await.unwrap()[0].state, TransactionState::Finalised);
    let batch = EvidenceId::of(&zhulian_primitives::TransactionId(id.0)).to_string();

    let cases = cases(&world, &batch);
    assert!(cases.len() >= 40, "{}", cases.len());
    for case in cases {
        let mut request = world.http.request(case.method.clone(), format!("{}{}", world.base, case.path)).body(case.body);
        for (name, value) in &case.headers {
            request = request.header(*name, value);
        }
        let about = format!("{} {} {:?}", case.method, case.path, case.headers);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{about}");
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        assert!(!text.contains(SECRET), "{about}: the answer repeats what was sent: {text}");
        let problem: Problem = serde_json::from_str(&text).unwrap();
        assert_eq!((status, problem.code.as_str()), (case.status, case.code), "{about}: {text}");
        assert_eq!(problem.status, status, "{about}");
        assert!(problem.detail.contains(case.detail), "{about}: {}", problem.detail);
        assert!(!problem.zh.is_empty() && !problem.remedy_zh.is_empty() && !problem.remedy_en.is_empty(), "{about}");
    }
    assert_eq!(world.client.submit(&[world.deposit(b"good")], SOON).await.unwrap()[0].state, TransactionState::Finalised);
}

#[tokio::test]
async fn bad_transactions_are_refused_one_by_one_with_their_codes() {
    let world = World::start().await;
    world.client.submit(&[world.deposit(b"a first block")], SOON).await.unwrap();
    let good = world.deposit(b"good");
    let clerk = city::clerk();
    let (args, until) = (city::deposit(b"x"), world.memory.height() + 100);
    let call = |chain, module, call, valid_until| {
        let call = zhulian_primitives::Call { chain, module, call, args: &args, nonce: [9; 16], valid_until };
        zhulian_primitives::sign(&call, &clerk)
    };
    let chain = world.network.chain;
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let twice = call(chain, "evidence", "deposit", until);
    assert_eq!(world.client.submit(&[&twice], SOON).await.unwrap()[0].state, TransactionState::Finalised);
    let last = good.len() - 1;
    let cases: Vec<(Vec<u8>, TransactionState, &str)> = vec![
        (vec![0x00], TransactionState::Refused, "transaction.malformed"),
        (b"\x83\x01\x02\x03".to_vec(), TransactionState::Refused, "transaction.malformed"),
        (flipped(last), TransactionState::Refused, "transaction.bad_signature"),
        ([&good[..], &[0]].concat(), TransactionState::Refused, "transaction.not_deterministic"),
        (good[..last].to_vec(), TransactionState::Refused, "transaction.malformed"),
        (flipped(0), TransactionState::Refused, "transaction.malformed"),
        (call([8; 32], "evidence", "deposit", until), TransactionState::Refused, "transaction.wrong_chain"),
        (call(chain, "evidence", "deposit", 0), TransactionState::Expired, "transaction.expired"),
        (call(chain, "evidence", "deposit", until + 10_000), TransactionState::Refused, "transaction.valid_too_long"),
        (call(chain, "magic", "deposit", until), TransactionState::Refused, "transaction.unknown_module"),
        (call(chain, "evidence", "vanish", until), TransactionState::Refused, "transaction.unknown_call"),
        (
            world.sign(&clerk, "evidence", "deposit", &[0xa0], until),
            TransactionState::Refused,
            "transaction.malformed_arguments",
        ),
        (call(chain, "evidence", "deposit", until + 1), TransactionState::Refused, "transaction.replayed"),
        (world.by_stranger(b"x"), TransactionState::Refused, "transaction.unknown_key"),
        (vec![0x5a, 0x00, 0x02, 0x00, 0x00], TransactionState::Refused, "transaction.malformed"),
        (
            [&[0x5a, 0x00, 0x01, 0x40, 0x00][..], &vec![7; 0x14000]].concat(),
            TransactionState::Refused,
            "transaction.too_large",
        ),
    ];
    for (bytes, state, code) in cases {
        let answer = world.client.submit(&[&bytes], SOON).await.unwrap().remove(0);
        assert_eq!((answer.state, answer.refusal.as_ref().map(|refusal| refusal.code.as_str())), (state, Some(code)));
    }
    assert_eq!(world.client.submit(&[good], SOON).await.unwrap()[0].state, TransactionState::Finalised);
}

#[tokio::test]
async fn a_sequence_that_breaks_off_keeps_what_came_before() {
    let world = World::start().await;
    let (first, second) = (world.deposit(b"1"), world.deposit(b"2"));
    let body = [&first[..], &second[..], &world.deposit(b"3")[..50]].concat();
    let answers = world.client.submit_sequence(body.into(), SOON).await.unwrap();
    let states: Vec<_> = answers.iter().map(|answer| answer.state).collect();
    assert_eq!(states, [TransactionState::Finalised, TransactionState::Finalised, TransactionState::Refused]);
}

#[tokio::test]
async fn random_bytes_never_break_a_connection() {
    let world = World::start().await;
    let mut seed = 1u64;
    for round in 0..200 {
        let body: Vec<u8> = (0..round % 97 + 1)
            .map(|_| {
                seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (seed >> 56) as u8
            })
            .collect();
        let answers = world.client.submit_sequence(body.into(), Wait::No).await.unwrap();
        assert!(answers.iter().all(|answer| answer.state == TransactionState::Refused));
    }
    world.client.live().await.unwrap();
}
