//! Segments are what they say, and nothing else passes for one.

use std::{fs, path::Path, sync::Arc};

use zhulian_crypto::{Algorithm, PublicKey, SigningKey};
use zhulian_primitives::{Block, Certificate, Handover, Header, Network, PROTOCOL_FIRST, Validator, quorum};

use super::{Directory, Found, Segment, Span, check, segment::Writer};
use crate::block::root;

struct Chain {
    keys: Vec<SigningKey>,
    network: Network,
    /// Written into the segments.
    handovers: Vec<Handover>,
    blocks: Vec<(Arc<Block>, Option<Certificate>)>,
}

impl Chain {
    /// Blocks from 1 on, every third without a certificate of its own.
    fn new(count: u64) -> Self {
        let mut chain = Self::by(1..=4);
        let network = chain.network.clone();
        chain.grow(count, &network);
        chain
    }

    /// No blocks yet, by validators with keys of these numbers.
    fn by(numbers: std::ops::RangeInclusive<u8>) -> Self {
        let mut keys: Vec<SigningKey> =
            numbers.map(|n| SigningKey::from_secret(Algorithm::EdDsa, &[n; 32]).unwrap()).collect();
        let raw = |key: &SigningKey| match key.public_key() {
            PublicKey::EdDsa(bytes) => bytes,
            PublicKey::Es256(_) => unreachable!(),
        };
        keys.sort_by_key(raw);
        let validators: Vec<Validator> =
            keys.iter().map(|key| Validator { name: "局".into(), organisation: "x".into(), public_key: raw(key) }).collect();
        let network = Network { name: "t".into(), chain: [9; 32], epoch: 0, validators };
        Self { keys, network, handovers: Vec::new(), blocks: Vec::new() }
    }

    /// Adds blocks up to a height, of which the last states who decides the next.
    fn grow(&mut self, to: u64, next: &Network) {
        for height in self.blocks.len() as u64 + 1..=to {
            let transactions: Vec<Vec<u8>> = (0..height % 4).map(|n| vec![height as u8; 40 + n as usize]).collect();
            let receipts: Vec<Vec<u8>> = transactions.iter().map(|it| it[..20].to_vec()).collect();
            let decide = if height == to { next } else { &self.network };
            let header = Header {
                version: PROTOCOL_FIRST,
                chain: [9; 32],
                height,
                time: height,
                epoch: self.network.epoch,
                view: height,
                parent_view: height - 1,
                parent: self.blocks.last().map_or([5; 32], |(block, _)| block.header.digest()),
                proposer: self.network.validators[0].public_key,
                transaction_count: transactions.len() as u64,
                validators: decide.validators_digest(),
                transactions_root: root(&transactions),
                receipts_root: root(&receipts),
                state_root: [1; 32],
                sync_root: [2; 32],
                sync_start: 0,
                sync_end: height,
            };
            let certificate = (height % 3 != 0).then(|| self.certificate(&header));
            self.blocks.push((Arc::new(Block { header, transactions, receipts }), certificate));
        }
    }

    fn certificate(&self, header: &Header) -> Certificate {
        let mut certificate = Certificate {
            epoch: header.epoch,
            view: header.view,
            parent_view: header.parent_view,
            block: header.digest(),
            signatures: Vec::new(),
        };
        let message = certificate.message(&self.network.chain);
        for index in 0..quorum(4) {
            certificate.signatures.push((index as u32, self.keys[index].sign(&message)));
        }
        certificate
    }

    fn write(&self, directory: &Path, span: Span) {
        let blocks = &self.blocks[span.first as usize - 1..span.last as usize];
        let mut writer = Writer::new(Vec::new(), &blocks[0].0.header).unwrap();
        for (block, certificate) in blocks {
            writer.push(block, certificate.as_ref()).unwrap();
        }
        assert!(writer.may_end());
        fs::write(directory.join(span.file_name()), writer.finish(self.handovers.clone()).unwrap()).unwrap();
    }
}

fn faults(directory: &Path, network: &Network) -> Vec<String> {
    let mut faults = Vec::new();
    check(&mut Directory::open(directory).unwrap(), network, |_, checked| {
        faults.extend(checked.err().map(|fault| fault.to_string()));
    });
    faults
}

const SPANS: [Span; 3] = [Span { first: 1, last: 10 }, Span { first: 11, last: 20 }, Span { first: 21, last: 40 }];

fn archive() -> (Chain, tempfile::TempDir) {
    let (chain, place) = (Chain::new(40), tempfile::tempdir().unwrap());
    SPANS.iter().for_each(|span| chain.write(place.path(), *span));
    fs::write(place.path().join("notes.txt"), "not of it").unwrap();
    (chain, place)
}

#[test]
fn blocks_and_transactions_are_found_as_they_were() {
    let (chain, place) = archive();
    let mut directory = Directory::open(place.path()).unwrap();
    assert_eq!(directory.spans(), SPANS);
    assert_eq!(faults(place.path(), &chain.network), Vec::<String>::new());
    for (block, certificate) in &chain.blocks {
        let record = directory.record(block.header.height).unwrap().unwrap();
        assert_eq!((&record.block, &record.certificate), (block, certificate));
        for (index, transaction) in (0..).zip(&block.transactions) {
            let id = zhulian_crypto::sha256(transaction);
            assert_eq!(directory.find(&id[..16]).unwrap(), Some(Found { height: block.header.height, index }));
        }
    }
    assert!(directory.record(0).unwrap().is_none() && directory.record(41).unwrap().is_none());
    assert_eq!(directory.find(&[3; 32]).unwrap(), None);
}

#[test]
fn a_gap_another_network_and_forged_signatures_are_found() {
    let (chain, place) = archive();
    fs::remove_file(place.path().join(SPANS[1].file_name())).unwrap();
    assert_eq!(faults(place.path(), &chain.network), ["block 21: the segment before ends with block 10"]);
    // Without the newest one the rest is whole; that it is the newest, nobody can tell.
    fs::remove_file(place.path().join(SPANS[2].file_name())).unwrap();
    assert!(faults(place.path(), &chain.network).is_empty());

    let other = Network { chain: [8; 32], ..chain.network.clone() };
    assert_eq!(faults(place.path(), &other), ["block 1: of another network"]);
    let mut strangers = chain.network.clone();
    strangers.validators.rotate_left(1);
    assert!(faults(place.path(), &strangers)[0].contains("signature"));

    // Blocks that were made to fit, and have no certificate that finalises them.
    let mut forged = Chain::new(40);
    let (block, certificate) = &mut forged.blocks[9];
    let mut changed = Block::clone(block);
    changed.header.state_root = [7; 32];
    *block = Arc::new(changed);
    assert!(certificate.is_some());
    forged.write(place.path(), SPANS[0]);
    assert_eq!(faults(place.path(), &chain.network), ["damaged: a certificate is not that of its block"]);
}

#[test]
fn validators_that_handed_over_decide_nothing_more() {
    let old = Chain::by(1..=4).network;
    // The first ten blocks end an epoch and hand over; then both sets go on, and either handover is there or not.
    let faults_of = |new_go_on: bool, told: bool, spans: &[Span]| {
        let (mut chain, next, place) = (Chain::by(1..=4), Chain::by(5..=8), tempfile::tempdir().unwrap());
        chain.grow(10, &next.network);
        let written = spans.iter().filter(|span| span.last <= 10);
        written.for_each(|span| chain.write(place.path(), *span));
        let (block, certificate) = chain.blocks[9].clone();
        if told {
            chain.handovers.push(Handover::new(&block.header, &certificate.unwrap(), &next.network.validators));
        }
        if new_go_on {
            (chain.keys, chain.network) = (next.keys, next.network);
        }
        chain.network.epoch = 1;
        let network = chain.network.clone();
        chain.grow(20, &network);
        let written = spans.iter().filter(|span| span.last > 10);
        written.for_each(|span| chain.write(place.path(), *span));
        faults(place.path(), &old)
    };
    // The handover falls between two segments, or within one.
    for spans in [&SPANS[..2], &[Span { first: 1, last: 20 }]] {
        assert_eq!(faults_of(true, true, spans), Vec::<String>::new());
        assert!(faults_of(false, true, spans)[0].contains("signature"));
        for new_go_on in [true, false] {
            let found = faults_of(new_go_on, false, spans);
            assert_eq!(found, ["block 11: the block before it states other validators, and no handover leads to them"]);
        }
    }
}

#[test]
fn a_segment_that_does_not_end_with_a_certificate_proves_nothing() {
    let (mut chain, place) = (Chain::new(10), tempfile::tempdir().unwrap());
    chain.write(place.path(), SPANS[0]);
    chain.blocks[9].1 = None;
    let mut writer = Writer::new(Vec::new(), &chain.blocks[0].0.header).unwrap();
    for (block, certificate) in &chain.blocks {
        writer.push(block, certificate.as_ref()).unwrap();
    }
    assert!(!writer.may_end());
    fs::write(place.path().join(SPANS[0].file_name()), writer.finish(Vec::new()).unwrap()).unwrap();
    let faults = faults(place.path(), &chain.network);
    assert_eq!(faults, ["block 10: the segment does not end with a certified block"]);
}

#[test]
fn no_byte_can_be_changed_or_cut_off_unseen() {
    let (chain, place) = archive();
    let path = place.path().join(SPANS[0].file_name());
    let whole = fs::read(&path).unwrap();
    let refused = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let opened = Segment::open(&path);
        // Nor is anything else served in the place of what was written.
        if let Ok(mut segment) = Segment::open(&path) {
            for (block, certificate) in &chain.blocks[..10] {
                let Ok(record) = segment.record(block.header.height) else { break };
                assert_eq!(record.map(|it| (it.block, it.certificate)), Some((block.clone(), certificate.clone())));
            }
        }
        opened.and_then(|mut segment| segment.check(&chain.network)).is_err()
    };
    assert!(!refused(&whole));
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(refused(&changed), "byte {at} of {}", whole.len());
    }
    for len in (0..whole.len()).step_by(7) {
        assert!(refused(&whole[..len]), "cut to {len}");
    }
    assert!(refused(&[&whole[..], b"x"].concat()));
}
