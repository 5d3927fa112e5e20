//! Receipts that are well formed and signed where a forger can sign, each wrong in one way.

use zhulian_crypto::sha256;
use zhulian_ledger::merkle::{Tree, leaf};
use zhulian_primitives::{
    Block, Call, Certificate, Code, Handover, Header, PROTOCOL_NEWEST, Receipt, TransactionId, Validator, codec, sign,
    validators_digest,
};
use zhulian_verify::{ReceiptFile, verify_receipt};

use crate::world::{SMALL, World, call, certify, deposit_args, done, ed25519, generated, hashed, raw, with_signature};

/// Name, bytes, and the code with which both verifiers must refuse.
pub fn forged(world: &World) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let mut all = Vec::new();
    let mut add = |name, receipt: ReceiptFile, code| all.push((name, receipt.encode(), code));
    certificates(world, &mut add);
    handovers(world, &mut add);
    headers(world, &mut add);
    proofs(world, &mut add);
    transactions(world, &mut add);
    deposits(world, &mut add);
    encodings(world, &mut |name, bytes, code| all.push((name, bytes, code)));
    all
}

type Add<'a> = &'a mut dyn FnMut(&'static str, ReceiptFile, &'static str);

fn certificates(world: &World, add: Add<'_>) {
    let base = world.receipt(0, &[0, 1, 2]);
    let header = &world.blocks[0].header;
    let good = world.certify(header, &[0, 1, 2]);
    let mut with = |name, certificate: Certificate, code| {
        add(name, ReceiptFile { certificate: certificate.encode(), ..base.clone() }, code)
    };
    let signed_by = |signers: &[u32]| world.certify(header, signers);
    with("too few validators signed", signed_by(&[0, 3]), "certificate.no_quorum");
    with("nobody signed", signed_by(&[]), "certificate.no_quorum");
    with("one validator counted twice", signed_by(&[0, 1, 1]), "certificate.signers");
    with("signers out of order", signed_by(&[1, 0, 2]), "certificate.signers");
    let mut stranger = good.clone();
    stranger.signatures[2].0 = 4;
    with("a signer beyond the validators", stranger, "certificate.signers");
    let mut swapped = good.clone();
    swapped.signatures[2].0 = 3;
    with("the signature of another validator", swapped, "certificate.bad_signature");
    let by_stranger = |message: &[u8]| ed25519("no validator").sign(message);
    let mut outsider = good.clone();
    outsider.signatures[1].1 = by_stranger(&good.message(&world.network.chain));
    with("a signature by no validator", outsider, "certificate.bad_signature");
    let resigned = |message: &dyn Fn(&Certificate) -> Vec<u8>| {
        let mut certificate = good.clone();
        for (index, signature) in &mut certificate.signatures {
            *signature = world.keys[*index as usize].sign(&message(&good));
        }
        certificate
    };
    with("signed for another network", resigned(&|c| c.message(&[7; 32])), "certificate.bad_signature");
    let notarised = |c: &Certificate| {
        let message = c.message(&world.network.chain);
        // The vote before finalisation: same bytes, other namespace.
        let at = message.windows(9).position(|w| w == b"_FINALIZE").unwrap();
        [&[message[0] + 1], &message[1..at], b"_NOTARIZE", &message[at + 9..]].concat()
    };
    with("votes to notarise, not to finalise", resigned(&notarised), "certificate.bad_signature");
    with("the block's digest signed alone", resigned(&|c| c.block.to_vec()), "certificate.bad_signature");
    let mut other_view = good.clone();
    other_view.view += 1;
    let message = other_view.message(&world.network.chain);
    other_view.signatures = (0..3).map(|i| (i, world.keys[i as usize].sign(&message))).collect();
    with("truly signed in a later view that does not build on the block", other_view, "certificate.of_other");
    with("for the block above", world.certify(&world.blocks[1].header, &[0, 1, 2]), "certificate.of_other");
}

/// The receipt of a later epoch with another handover in the place of the second.
fn handovers(world: &World, add: Add<'_>) {
    let base = world.handed_over();
    let sets = world.sets();
    let early = ReceiptFile { epochs: base.epochs.clone(), ..world.receipt(0, &[0, 1, 2]) };
    add("handovers later than the block", early, "header.unknown_epoch");
    let mut with = |name, epochs: Vec<Handover>, code| add(name, ReceiptFile { epochs, ..base.clone() }, code);
    let [first, second] = [0, 1].map(|n: usize| base.epochs[n].clone());
    with("no handovers at all", vec![], "certificate.bad_signature");
    with("the last handover left out", vec![first.clone()], "certificate.bad_signature");
    with("the first handover left out", vec![second.clone()], "handover.bad_signature");
    with("handovers out of order", vec![second.clone(), first.clone()], "handover.bad_signature");
    with("a handover twice", vec![first.clone(), first.clone(), second.clone()], "handover.order");
    let mut other = |name, handover: Handover, code| with(name, vec![first.clone(), handover], code);
    let header = world.last_of(2, &sets[2].0);
    let (keys, validators) = (&sets[1].1, &sets[2].0.validators);
    let signed = |header: &Header, signers: &[u32]| certify(header, (120, 119), keys, signers);
    let good = |header: &Header| Handover::new(header, &signed(header, &[0, 1, 2, 3]), validators);
    let changed = |change: &dyn Fn(&mut Header)| {
        let mut header = header.clone();
        change(&mut header);
        good(&header)
    };
    other("a handover of another network", changed(&|h| h.chain[0] ^= 1), "handover.other_network");
    other("a handover of the epoch before the last one's", changed(&|h| h.epoch = 0), "handover.order");
    other("a handover that ends no epoch", changed(&|h| h.epoch = u64::MAX), "handover.order");
    other("a handover to others than the block's", changed(&|h| h.validators[0] ^= 1), "handover.other_validators");
    other("too few handed over", Handover::new(&header, &signed(&header, &[0, 1, 2]), validators), "handover.no_quorum");
    other("one handed over twice", Handover::new(&header, &signed(&header, &[0, 1, 2, 2]), validators), "handover.signers");
    let by_next = certify(&header, (120, 119), &sets[2].1, &[0, 1, 2, 3]);
    other("handed over by those who come", Handover::new(&header, &by_next, validators), "handover.bad_signature");
    let earlier = certify(&header, (119, 118), keys, &[0, 1, 2, 3]);
    other("final before it was proposed", Handover::new(&header, &earlier, validators), "handover.certificate_of_other");
    let of_other = signed(&world.last_of(1, &sets[2].0), &[0, 1, 2, 3]);
    other(
        "the certificate of another block",
        Handover::new(&header, &of_other, validators),
        "handover.certificate_of_other",
    );
    let mut to = |name, validators: &[Validator], code| {
        let header = Header { validators: validators_digest(validators), ..header.clone() };
        other(name, Handover::new(&header, &signed(&header, &[0, 1, 2, 3]), validators), code);
    };
    to("handed over to the same", &sets[1].0.validators, "handover.validators");
    to("handed over to nobody", &[], "handover.validators");
    let mut unsorted = validators.clone();
    unsorted.swap(0, 1);
    to("handed over to validators out of order", &unsorted, "handover.validators");
    let mut no_key = validators.clone();
    no_key[0].public_key = [0; 32];
    no_key[0].public_key[0] = 2;
    to("handed over to a key that is none", &no_key, "handover.validators");
    let broken = |change: &dyn Fn(&mut Handover)| {
        let mut handover = second.clone();
        change(&mut handover);
        handover
    };
    other("a handover without a header", broken(&|h| h.header.clear()), "handover.malformed");
    other("a handover without a certificate", broken(&|h| h.certificate.clear()), "handover.malformed");
    other("a handover without validators", broken(&|h| h.validators.clear()), "handover.malformed");
    other("validators with a byte more", broken(&|h| h.validators.push(0)), "handover.malformed");
}

fn headers(world: &World, add: Add<'_>) {
    let block = &world.blocks[0];
    // The block with one field changed, and all validators in on it.
    let mut with = |name, change: &dyn Fn(&mut Header), code| {
        let mut block: Block = block.clone();
        change(&mut block.header);
        let certificate = world.certify(&block.header, &[0, 1, 2, 3]);
        add(name, ReceiptFile::assemble(&block, 0, &[], &certificate, &[]).unwrap(), code)
    };
    with("a later protocol version", &|h| h.version = PROTOCOL_NEWEST + 1, "header.unknown_version");
    with("protocol version zero", &|h| h.version = 0, "header.unknown_version");
    with("a header of another network", &|h| h.chain[0] ^= 1, "header.other_network");

    with("a proposer that is no validator", &|h| h.proposer = raw(&ed25519("x").public_key()), "header.unknown_proposer");
    with("fewer transactions than the index", &|h| h.transaction_count = 0, "proof.transaction");
    with("more transactions than the path fits", &|h| h.transaction_count = 9, "proof.transaction");
    with("another transactions root", &|h| h.transactions_root[31] ^= 1, "proof.transaction");
    with("another receipts root", &|h| h.receipts_root[31] ^= 1, "proof.outcome");

    // The second of three headers changed, those above relinked, the last certified.
    let mut linked = |name, change: &dyn Fn(&mut Header, &Header), code| {
        let [first, mut second, mut third] = [0, 1, 2].map(|i: usize| world.blocks[i].header.clone());
        change(&mut second, &first);
        third.parent = second.digest();
        let certificate = world.certify(&third, &[0, 1, 2]);
        add(name, ReceiptFile::assemble(block, 0, &[second, third], &certificate, &[]).unwrap(), code)
    };
    linked("another parent", &|h, _| h.parent[0] ^= 1, "header.broken_chain");
    linked("a height left out", &|h, _| h.height += 1, "header.broken_chain");
    linked("the same height again", &|h, _| h.height -= 1, "header.broken_chain");
    linked("a time that stands still", &|h, parent| h.time = parent.time, "header.broken_chain");
    linked("another view of the parent", &|h, _| h.parent_view -= 1, "header.broken_chain");
    linked("a view that does not rise", &|h, parent| h.view = parent.view, "header.broken_chain");
    linked("another epoch in between", &|h, _| h.epoch = 1, "header.broken_chain");

    let good = world.later();
    let mut swapped = good.clone();
    swapped.headers.swap(0, 1);
    add("headers out of order", swapped, "header.broken_chain");
    let mut gap = good.clone();
    gap.headers.remove(1);
    add("a header left out", gap, "header.broken_chain");
    let mut twice = good.clone();
    twice.headers.insert(0, good.headers[0].clone());
    add("a header twice", twice, "header.broken_chain");
    let mut short = good.clone();
    short.headers.pop();
    add("the certified header left out", short, "certificate.of_other");
    let mut nothing = good.clone();
    nothing.headers[1] = vec![];
    add("an empty header", nothing, "header.malformed");
    add("no header at all", ReceiptFile { headers: vec![], ..good }, "receipt.malformed");
}

fn proofs(world: &World, add: Add<'_>) {
    let [first, second] = [0, 1].map(|i| world.receipt(i, &[0, 1, 2]));
    add("the index of another leaf", ReceiptFile { index: 1, ..first.clone() }, "proof.transaction");
    add("an index beyond the tree", ReceiptFile { index: 7, ..first.clone() }, "proof.transaction");
    let longest = ReceiptFile { index: u64::MAX, ..first.clone() };
    add("the greatest index", longest, "proof.transaction");
    let other_path = ReceiptFile { transactions_path: second.transactions_path.clone(), ..first.clone() };
    add("the transactions path of another leaf", other_path, "proof.transaction");
    let other_path = ReceiptFile { receipts_path: second.receipts_path.clone(), ..first.clone() };
    add("the receipts path of another leaf", other_path, "proof.outcome");
    let exchanged = ReceiptFile {
        transactions_path: first.receipts_path.clone(),
        receipts_path: first.transactions_path.clone(),
        ..first.clone()
    };
    add("paths exchanged", exchanged, "proof.transaction");
    let mut short = first.clone();
    short.transactions_path.pop();
    add("a path cut short", short, "proof.transaction");
    let mut long = first.clone();
    long.receipts_path.push([0; 32]);
    add("a path with a step too many", long, "proof.outcome");
    let mut longer = first.clone();
    longer.receipts_path = vec![[0; 32]; 65];
    add("a path longer than any tree", longer, "receipt.malformed");

    add(
        "the outcome of another transaction",
        ReceiptFile { receipt: second.receipt.clone(), ..first.clone() },
        "outcome.of_other",
    );
    let id = TransactionId(sha256(&first.transaction));
    let refusal = Some(Code { module: "evidence".into(), number: 4 });
    let refused = Receipt { transaction: id, refusal: refusal.clone(), events: vec![] }.encode();
    add("a refusal in place of the outcome", ReceiptFile { receipt: refused, ..first.clone() }, "proof.outcome");
    let third = world.receipt(2, &[0, 1, 2]);
    let executed = done(&third.transaction, "deposited");
    add("an outcome in place of the refusal", ReceiptFile { receipt: executed, ..third.clone() }, "proof.outcome");
    let mut outcome = Receipt::decode(&first.receipt).unwrap();
    outcome.refusal = refusal;
    add("a refusal with events", ReceiptFile { receipt: outcome.encode(), ..first.clone() }, "outcome.contradicts");
    add("an empty outcome", ReceiptFile { receipt: vec![], ..first.clone() }, "outcome.malformed");
    let mut longer = first.receipt.clone();
    longer.push(0);
    add("an outcome with a byte more", ReceiptFile { receipt: longer, ..first }, "outcome.malformed");
}

fn transactions(world: &World, add: Add<'_>) {
    let base = world.receipt(0, &[0, 1, 2]);
    let member = ed25519("zhulian vectors: member");
    let mut with = |name, transaction: Vec<u8>, code| {
        let receipt = done(&transaction, "deposited");
        add(name, ReceiptFile { transaction, receipt, ..base.clone() }, code)
    };
    let args = deposit_args(b"another file");
    let good = call(&world.network, "evidence", "deposit", &args, 1);
    with("another transaction, truly signed", sign(&good, &member), "proof.transaction");
    with("for another network", sign(&Call { chain: [7; 32], ..good }, &member), "transaction.wrong_chain");
    with(
        "signed for another network",
        other_signature(&good, &Call { chain: [7; 32], ..good }),
        "transaction.bad_signature",
    );
    with(
        "signed by another key",
        with_signature(sign(&good, &member), &last64(&sign(&good, &ed25519("x")))),
        "transaction.bad_signature",
    );
    with("no signature", with_signature(sign(&good, &member), &[0; 64]), "transaction.bad_signature");
    let long_name = "a".repeat(33);
    with("a name of 33 bytes", sign(&Call { module: &long_name, ..good }, &member), "transaction.malformed");
    with("an empty name", sign(&Call { call: "", ..good }, &member), "transaction.malformed");
    let large = [&[0x59, 0xff, 0xff], &[0u8; 65_535][..]].concat();
    with("a transaction beyond 64 KiB", sign(&Call { args: &large, ..good }, &member), "transaction.too_large");
    with("an empty transaction", vec![], "transaction.malformed");

    let bytes = sign(&good, &member);
    let with_alg = |alg: u8| {
        let mut changed = bytes.clone();
        changed[6] = alg;
        changed
    };
    assert_eq!(bytes[6], 0x27, "alg stands in the seventh byte");
    with("ES256 with an Ed25519 key", with_alg(0x26), "transaction.unknown_algorithm");
    with("an algorithm of no such number", with_alg(0x20), "transaction.unknown_algorithm");
    let key_at = bytes.windows(32).position(|w| w == member.public_key().as_bytes()).unwrap();
    let mut no_point = bytes.clone();
    no_point[key_at..key_at + 32].fill(0);
    no_point[key_at] = 2;
    with("a key that is no point", no_point, "transaction.malformed_key");

    // valid_until in a longer form than needed, signed as it stands.
    let payload = good.encode();
    let longer = [&payload[..payload.len() - 3], &[0x1a, 0, 0, 0x03, 0xe8]].concat();
    with("a longer form of a number", resign(&bytes, &payload, &longer, &member, world), "transaction.not_deterministic");
    let unsorted = [&payload[..1], b"\x64call\x67deposit", &payload[1..]].concat();
    with("a field too many", resign(&bytes, &payload, &unsorted, &member, world), "transaction.malformed");
    let deep = [&[0x81; 32][..], &[0x00]].concat();
    let unfit: [(_, &[u8]); 10] = [
        ("arguments that are a bare break", &[0xff]),
        ("no arguments", &[]),
        ("arguments with keys out of order", &[0xa2, 0x01, 0x00, 0x00, 0x00]),
        ("arguments with a doubled key", &[0xa2, 0x01, 0x00, 0x01, 0x00]),
        ("arguments of indefinite length", &[0x9f, 0xff]),
        ("arguments with a longer form of a number", &[0x18, 0x17]),
        ("arguments with a float", &[0xf9, 0x3c, 0x00]),
        ("arguments with undefined", &[0xf7]),
        ("arguments with invalid UTF-8", &[0x61, 0xff]),
        ("arguments nested too deep", &deep),
    ];
    for (name, args) in unfit {
        with(name, sign(&call(&world.network, "evidence", "deposit", args, 1), &member), "transaction.malformed");
    }
    with("trailing bytes", [&bytes[..], &[0]].concat(), "transaction.not_deterministic");
    with("without its tag", bytes[1..].to_vec(), "transaction.malformed");
}

fn last64(bytes: &[u8]) -> [u8; 64] {
    bytes[bytes.len() - 64..].try_into().unwrap()
}

fn other_signature(call: &Call<'_>, other: &Call<'_>) -> Vec<u8> {
    let member = ed25519("zhulian vectors: member");
    with_signature(sign(call, &member), &last64(&sign(other, &member)))
}

/// The transaction with another payload, and a signature that is good for it.
fn resign(bytes: &[u8], payload: &[u8], other: &[u8], key: &zhulian_crypto::SigningKey, world: &World) -> Vec<u8> {
    let bstr = |bytes: &[u8]| minicbor::to_vec(minicbor::bytes::ByteVec::from(bytes.to_vec())).unwrap();
    let at = bytes.windows(payload.len()).position(|w| w == payload).unwrap();
    let head = bstr(payload).len() - payload.len();
    let out = [&bytes[..at - head], &bstr(other)[..], &bytes[at + payload.len()..]].concat();
    let protected = minicbor::Decoder::new(&bytes[2..]).bytes().unwrap();
    let signed = [&[0x84, 0x6a][..], b"Signature1", &bstr(protected), &bstr(&world.network.chain), &bstr(other)].concat();
    with_signature(out, &key.sign(&signed))
}

fn deposits(world: &World, add: Add<'_>) {
    let plain = world.receipt(0, &[0, 1, 2]);
    let batch = world.receipt(3, &[0, 1, 2]);
    let entry = world.batch_entry(3);
    add("an entry where no batch is", ReceiptFile { entry: Some(entry.clone()), ..plain.clone() }, "entry.without_batch");
    let of_refused = ReceiptFile { entry: Some(entry.clone()), ..world.receipt(2, &[0, 1, 2]) };
    add("an entry of a refused transaction", of_refused, "entry.without_batch");
    let mut with = |name, change: &dyn Fn(&mut zhulian_verify::BatchEntry), code| {
        let mut entry = entry.clone();
        change(&mut entry);
        add(name, ReceiptFile { entry: Some(entry), ..batch.clone() }, code)
    };
    with("the index of another entry", &|e| e.index = 2, "entry.not_in_batch");
    with("an index beyond the batch", &|e| e.index = 7, "entry.not_in_batch");
    with("another entry's path", &|e| e.path = world.batch_entry(5).path, "entry.not_in_batch");
    with("another entry's bytes", &|e| e.bytes = world.batch_entry(5).bytes, "entry.not_in_batch");
    with(
        "an inner node as entry",
        &|e| {
            e.path.remove(0);
        },
        "entry.not_in_batch",
    );
    with("an entry that is none", &|e| e.bytes = b"\x60".to_vec(), "entry.malformed");

    let chunks = Some(hashed(&generated(3_000_000)).chunks);
    add("chunks of another file", ReceiptFile { chunks: chunks.clone(), ..world.receipt(4, &[0, 1, 2]) }, "chunks.of_other");
    let mut swapped = hashed(&generated(crate::world::LARGE_SIZE)).chunks;
    swapped.swap(0, 1);
    add("chunks out of order", ReceiptFile { chunks: Some(swapped), ..world.receipt(4, &[0, 1, 2]) }, "chunks.of_other");
    add("chunks of a batch", ReceiptFile { chunks: chunks.clone(), ..batch.clone() }, "chunks.without_file");
    add("chunks of a refused deposit", ReceiptFile { chunks, ..world.receipt(2, &[0, 1, 2]) }, "chunks.without_file");
    // Two nodes of the chunk tree given as its leaves: the right root, and the wrong number of chunks.
    let all = hashed(&generated(crate::world::LARGE_SIZE)).chunks;
    let left = Tree::new(all[..2].to_vec()).root();
    add(
        "inner nodes as chunks",
        ReceiptFile { chunks: Some(vec![left, all[2]]), ..world.receipt(4, &[0, 1, 2]) },
        "chunks.of_other",
    );

    // Deposits of another shape, and an entry of none, in blocks that a quorum certified.
    let mut in_block = |name, args: &[u8], call: &str, entry: Option<&[u8]>, code| {
        let transaction = world.sign("evidence", call, args, 1);
        let receipts = vec![done(&transaction, "deposited")];
        let block = world.block(90, 0, vec![transaction], receipts, [0; 32]);
        let mut receipt = ReceiptFile::assemble(&block, 0, &[], &world.certify(&block.header, &[0, 1, 2]), &[]).unwrap();
        receipt.entry = entry.map(|bytes| zhulian_verify::BatchEntry { bytes: bytes.into(), index: 0, path: vec![] });
        add(name, receipt, code)
    };
    let good = deposit_args(SMALL);
    in_block(
        "a deposit without details",
        &[&[0xa1], &good[1..good.len() - 2]].concat(),
        "deposit",
        None,
        "deposit.malformed",
    );
    in_block(
        "a deposit with text for a digest",
        &[0xa2, 0x00, 0x61, 0x61, 0x01, 0xa0],
        "deposit",
        None,
        "deposit.malformed",
    );
    in_block("an empty deposit", &[0xa0], "deposit", None, "deposit.malformed");
    in_block("a batch without root", &[0xa2, 0x01, 0x01, 0x02, 0xa0], "deposit_batch", None, "deposit.malformed");
    let mut long_key = crate::world::batch_entries()[1].clone();
    long_key.splice(1..2, [0x18, 0x00]);
    let args = crate::world::batch_args(&leaf(&long_key), 1);
    in_block("an entry in a longer form", &args, "deposit_batch", Some(&long_key), "entry.malformed");
}

fn encodings(world: &World, add: &mut dyn FnMut(&'static str, Vec<u8>, &'static str)) {
    let good = world.receipt(0, &[0, 1, 2]).encode();
    let replaced = |from: &[u8], to: &[u8]| {
        let at = good.windows(from.len()).position(|w| w == from).expect("a place to change");
        [&good[..at], to, &good[at + from.len()..]].concat()
    };
    add("nothing", vec![], "receipt.malformed");
    add("not CBOR", vec![0xff; 40], "receipt.malformed");
    add("a later format", replaced(b"zhulian-receipt/1", b"zhulian-receipt/2"), "receipt.unknown_format");
    add("a longer form of the length", [&[0x98, 0x0b], &good[1..]].concat(), "receipt.malformed");
    add("a list of indefinite length", [&[0x9f], &good[1..], &[0xff]].concat(), "receipt.malformed");
    add("a field too many", [&[0x8c], &good[1..], &[0xf6]].concat(), "receipt.malformed");
    add("a field too few", [&[0x8a], &good[1..good.len() - 1]].concat(), "receipt.malformed");
    add("a trailing byte", [&good[..], &[0]].concat(), "receipt.malformed");
    let tail = good.len() - 3;
    assert_eq!(good[tail..], [0x80, 0xf6, 0xf6]);
    add("a change of validators", [&good[..tail], &[0x81, 0x40, 0xf6, 0xf6]].concat(), "receipt.malformed");
    add("an empty list of chunks", [&good[..tail + 2], &[0x80]].concat(), "receipt.malformed");
    add("undefined for null", [&good[..tail + 2], &[0xf7]].concat(), "receipt.malformed");
    add(
        "a count beyond the bytes",
        [&good[..tail + 2], &[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]].concat(),
        "receipt.malformed",
    );
    let many = codec::to_bytes(&vec![0u8; 1]);
    add("another CBOR item", many, "receipt.malformed");
}

#[test]
fn every_forgery_is_refused_for_its_reason() {
    let world = World::new();
    let forged = forged(&world);
    for (name, bytes, code) in &forged {
        match verify_receipt(&world.network, bytes) {
            Ok(_) => panic!("{name}: accepted"),
            Err(refusal) => assert_eq!(refusal.code(), *code, "{name}"),
        }
    }
    assert!(forged.len() > 80, "{}", forged.len());
}
