//! A deterministic chain in miniature: four validators, three blocks in a row and one alone, and receipts of every kind.

use minicbor::Encoder;
use zhulian_crypto::{Algorithm, Digest, PublicKey, Signature, SigningKey, sha256};
use zhulian_ledger::merkle::{Tree, leaf, root};
use zhulian_primitives::{
    Block, Call, Certificate, Code, Event, Handover, Header, Network, Raw, Receipt, TransactionId, Validator, sign,
};
use zhulian_verify::{BatchEntry, Entry, FileHasher, HashedFile, ReceiptFile};

pub const TIME: u64 = 1_795_334_400_000;

pub struct World {
    pub network: Network,
    /// Keys of the validators, in the order of the network.
    pub keys: Vec<SigningKey>,
    /// Heights 77, 78 and 79; the transactions are in the first.
    pub blocks: Vec<Block>,
    /// Height 80, with one transaction.
    pub lone: Block,
    pub entries: Vec<Vec<u8>>,
}

pub fn secret(label: &str) -> [u8; 32] {
    sha256(label.as_bytes())
}

pub fn ed25519(label: &str) -> SigningKey {
    SigningKey::from_secret(Algorithm::EdDsa, &secret(label)).expect("every seed is a key")
}

pub fn p256() -> SigningKey {
    SigningKey::from_secret(Algorithm::Es256, &secret("zhulian vectors: es256 member")).expect("a scalar in range")
}

/// Bytes by a formula that any language has: `(31·i) ⊕ (i >> 8) ⊕ (i >> 16) ⊕ size`, modulo 256.
pub fn generated(size: usize) -> Vec<u8> {
    (0..size).map(|i| ((i * 31) ^ (i >> 8) ^ (i >> 16) ^ size) as u8).collect()
}

pub fn hashed(bytes: &[u8]) -> HashedFile {
    FileHasher::read(bytes).expect("memory reads")
}

pub const SMALL: &[u8] = b"Judgment (2026) No. 1422\n";
pub const LARGE_SIZE: usize = 2_621_440 + 5;

/// `{0: file, 1: {}}`; the file record is encoded as an entry without name.
pub fn deposit_args(file: &[u8]) -> Vec<u8> {
    let record = Entry { file: hashed(file).record, name_commitment: None }.encode();
    [&[0xa2, 0x00], &record[..], &[0x01, 0xa0]].concat()
}

pub fn batch_args(root: &Digest, count: u64) -> Vec<u8> {
    let mut out = Vec::new();
    Encoder::new(&mut out).map(3).unwrap().u8(0).unwrap().bytes(root).unwrap().u8(1).unwrap().u64(count).unwrap();
    out.extend([0x02, 0xa0]);
    out
}

pub fn batch_entries() -> Vec<Vec<u8>> {
    let entry = |n: usize| {
        let name_commitment = n.is_multiple_of(2).then(|| sha256(&[n as u8]));
        Entry { file: hashed(&generated(n * 100)).record, name_commitment }.encode()
    };
    (0..7).map(entry).collect()
}

pub fn call<'a>(network: &Network, module: &'a str, name: &'a str, args: &'a [u8], nonce: u8) -> Call<'a> {
    Call { chain: network.chain, module, call: name, args, nonce: [nonce; 16], valid_until: 1000 }
}

/// ECDSA draws a random number; so the signature of the vectors was made once and is kept.
pub const ES256_SIGNATURE: &str = include_str!("es256_signature.hex");

pub fn with_signature(mut transaction: Vec<u8>, signature: &Signature) -> Vec<u8> {
    let at = transaction.len() - signature.len();
    transaction[at..].copy_from_slice(signature);
    transaction
}

pub fn done(transaction: &[u8], name: &str) -> Vec<u8> {
    let mut data = Vec::new();
    Encoder::new(&mut data).map(2).unwrap().u8(0).unwrap().bytes(&sha256(name.as_bytes())).unwrap();
    data.extend([0x01, 0x19, 0x03, 0xe8]);
    let event = Event { module: "evidence".into(), name: name.into(), data: Raw(data) };
    Receipt { transaction: TransactionId(sha256(transaction)), refusal: None, events: vec![event] }.encode()
}

pub fn refused(transaction: &[u8], module: &str, number: u16) -> Vec<u8> {
    let refusal = Some(Code { module: module.into(), number });
    Receipt { transaction: TransactionId(sha256(transaction)), refusal, events: vec![] }.encode()
}

/// A transaction under a key of small order, whose one signature is valid for every message by ZIP-215, and by no other rule.
pub fn small_order(network: &Network) -> Vec<u8> {
    let args = deposit_args(b"zip215");
    let template = sign(&call(network, "evidence", "deposit", &args, 9), &ed25519("template"));
    let template_key = ed25519("template").public_key();
    // The point of order one, y = 1, as key; as R the same point in its non-canonical encoding y = p + 1; s = 0.
    let mut key = [0u8; 32];
    key[0] = 1;
    let mut signature = [0u8; 64];
    signature[..32].fill(0xff);
    signature[0] = 0xee;
    signature[31] = 0x7f;
    let at = template.windows(32).position(|w| w == template_key.as_bytes()).expect("the key id");
    let mut bytes = with_signature(template, &signature);
    bytes[at..at + 32].copy_from_slice(&key);
    bytes
}

/// The same ES256 signature with `n − s` for `s`, which is as valid.
pub fn other_s(signature: &Signature) -> Signature {
    const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let order = hex::decode(ORDER).unwrap();
    let mut out = *signature;
    let mut borrow = 0i16;
    for i in (0..32).rev() {
        let difference = i16::from(order[i]) - i16::from(signature[32 + i]) - borrow;
        borrow = i16::from(difference < 0);
        out[32 + i] = difference.rem_euclid(256) as u8;
    }
    out
}

impl World {
    pub fn new() -> Self {
        let names = [
            ("市中级人民法院 Intermediate Court", "11330100MB0F00112A"),
            ("市公证处 Notary Office", "12330100MB0F002231"),
            ("市数据局 Data Bureau", "11330100MB0F00334X"),
            ("市商业银行 City Bank", "91330100MA0F00445D"),
        ];
        let mut validators: Vec<_> = names
            .iter()
            .enumerate()
            .map(|(n, names)| (ed25519(&format!("zhulian vectors: validator {n}")), names))
            .collect();
        validators.sort_by_key(|(key, _)| key.public_key());
        let network = Network {
            name: "示范市 Demo City".into(),
            epoch: 0,
            chain: sha256(b"zhulian vectors: genesis"),
            validators: validators
                .iter()
                .map(|(key, (name, organisation))| Validator {
                    name: (*name).into(),
                    organisation: (*organisation).into(),
                    public_key: raw(&key.public_key()),
                })
                .collect(),
        };
        network.check().expect("sorted");
        let keys = validators.into_iter().map(|(key, _)| key).collect();
        let mut world = Self { network, keys, blocks: vec![], lone: empty(), entries: batch_entries() };
        world.blocks = world.chain();
        let args = [0xa1, 0x00, 0x82, 0x20, 0x63, 0xe7, 0x8f, 0xa0]; // {0: [-1, "珠"]}
        let lone = world.sign("identity", "register", &args, 8);
        let outcome = Receipt { transaction: TransactionId(sha256(&lone)), refusal: None, events: vec![] }.encode();
        world.lone = world.block(80, 2, vec![lone], vec![outcome], sha256(b"a parent"));
        world
    }

    pub fn sign(&self, module: &str, name: &str, args: &[u8], nonce: u8) -> Vec<u8> {
        sign(&call(&self.network, module, name, args, nonce), &ed25519("zhulian vectors: member"))
    }

    fn chain(&self) -> Vec<Block> {
        let es256 = sign(&call(&self.network, "evidence", "deposit", &deposit_args(b""), 2), &p256());
        let kept: Signature = hex::decode(ES256_SIGNATURE.trim()).unwrap().try_into().expect("64 bytes");
        let batch = batch_args(&root(&self.entries), self.entries.len() as u64);
        let transactions = vec![
            self.sign("evidence", "deposit", &deposit_args(SMALL), 1),
            with_signature(es256.clone(), &kept),
            self.sign("evidence", "deposit", &deposit_args(b"refused"), 3),
            self.sign("evidence", "deposit_batch", &batch, 4),
            self.sign("evidence", "deposit", &deposit_args(&generated(LARGE_SIZE)), 5),
            small_order(&self.network),
            with_signature(es256, &other_s(&kept)),
        ];
        let receipts = transactions
            .iter()
            .enumerate()
            .map(|(n, transaction)| match n {
                2 => refused(transaction, "evidence", 4),
                3 => done(transaction, "batch_deposited"),
                _ => done(transaction, "deposited"),
            })
            .collect();
        let first = self.block(77, 0, transactions, receipts, sha256(b"a parent"));
        let second = self.block(78, 1, vec![], vec![], first.header.digest());
        let third = self.block(79, 3, vec![], vec![], second.header.digest());
        vec![first, second, third]
    }

    /// A block whose view is five above its height.
    pub fn block(
        &self,
        height: u64,
        proposer: usize,
        transactions: Vec<Vec<u8>>,
        receipts: Vec<Vec<u8>>,
        parent: Digest,
    ) -> Block {
        let header = Header {
            version: 1,
            chain: self.network.chain,
            height,
            time: TIME + height * 100,
            epoch: 0,
            view: height + 5,
            parent_view: height + 4,
            parent,
            proposer: self.network.validators[proposer].public_key,
            transaction_count: transactions.len() as u64,
            validators: self.network.validators_digest(),
            transactions_root: root(&transactions),
            receipts_root: root(&receipts),
            state_root: sha256(b"state"),
            sync_root: sha256(b"operations"),
            sync_start: 3,
            sync_end: 70_000,
        };
        Block { header, transactions, receipts }
    }

    /// A certificate for `header` by the validators of `signers`.
    pub fn certify(&self, header: &Header, signers: &[u32]) -> Certificate {
        certify(header, (header.view, header.parent_view), &self.keys, signers)
    }

    /// The sets that follow one another, each with its keys: that of genesis; a fifth validator more; the court with another key.
    pub fn sets(&self) -> Vec<(Network, Vec<SigningKey>)> {
        let key = |name: &str| ed25519(&format!("zhulian vectors: {name}"));
        let mut all: Vec<(Validator, SigningKey)> =
            (0..4).map(|n| (self.network.validators[n].clone(), twin(&self.keys[n]))).collect();
        let mut sets = vec![(self.network.clone(), self.keys.iter().map(twin).collect())];
        let mut next = |all: &mut Vec<(Validator, SigningKey)>, epoch| {
            all.sort_by_key(|(validator, _)| validator.public_key);
            let (validators, keys) = all.iter().map(|(validator, key)| (validator.clone(), twin(key))).unzip();
            sets.push((Network { epoch, validators, ..self.network.clone() }, keys));
        };
        let fifth = key("fifth validator");
        let validator = Validator {
            name: "市税务局 Tax Bureau".into(),
            organisation: "11330100MB0F00556B".into(),
            public_key: raw(&fifth.public_key()),
        };
        all.push((validator, fifth));
        next(&mut all, 1);
        let court = all.iter_mut().find(|(validator, _)| validator.name.contains("Court")).expect("the court");
        court.1 = key("new key of the court");
        court.0.public_key = raw(&court.1.public_key());
        next(&mut all, 3);
        sets
    }

    /// The header of the last block of the epoch before a set's.
    pub fn last_of(&self, epoch: u64, next: &Network) -> Header {
        let height = (epoch + 1) * 100 - 1;
        let Block { header, .. } = self.block(height, 0, vec![], vec![], sha256(b"a parent"));
        Header { epoch, view: 120, parent_view: 119, validators: next.validators_digest(), ..header }
    }

    /// How the sets handed over: at the end of epoch 0, by a block that was proposed again before it was final, and of epoch 2.
    pub fn handovers(&self) -> Vec<Handover> {
        let sets = self.sets();
        let handover = |n: usize, epoch, round| {
            let header = self.last_of(epoch, &sets[n + 1].0);
            let certificate = certify(&header, round, &sets[n].1, &[0, 1, 2, 3]);
            Handover::new(&header, &certificate, &sets[n + 1].0.validators)
        };
        vec![handover(0, 0, (123, 121)), handover(1, 2, (120, 119))]
    }

    /// A receipt of epoch 3, decided by the third set.
    pub fn handed_over(&self) -> ReceiptFile {
        let (network, keys) = self.sets().pop().expect("three sets");
        let transaction = self.sign("evidence", "deposit", &deposit_args(SMALL), 9);
        let outcome = done(&transaction, "deposited");
        let mut block = self.block(305, 0, vec![transaction], vec![outcome], sha256(b"a parent"));
        block.header = Header {
            epoch: 3,
            view: 6,
            parent_view: 5,
            proposer: network.validators[4].public_key,
            validators: network.validators_digest(),
            ..block.header
        };
        let certificate = certify(&block.header, (6, 5), &keys, &[0, 1, 2, 3]);
        ReceiptFile::assemble(&block, 0, &[], &certificate, &self.handovers()).expect("in the block")
    }

    /// The receipt of transaction `index` of the first block, certified there.
    pub fn receipt(&self, index: usize, signers: &[u32]) -> ReceiptFile {
        let block = &self.blocks[0];
        ReceiptFile::assemble(block, index, &[], &self.certify(&block.header, signers), &[]).expect("in the block")
    }

    /// The receipt of the large file, certified two blocks later.
    pub fn later(&self) -> ReceiptFile {
        let headers: Vec<_> = self.blocks.iter().map(|block| block.header.clone()).collect();
        let certificate = self.certify(&headers[2], &[0, 1, 2]);
        ReceiptFile::assemble(&self.blocks[0], 4, &headers[1..], &certificate, &[]).expect("in the block")
    }

    pub fn batch_entry(&self, index: usize) -> BatchEntry {
        let tree = Tree::new(self.entries.iter().map(|entry| leaf(entry)).collect());
        BatchEntry { bytes: self.entries[index].clone(), index: index as u64, path: tree.path(index) }
    }

    /// Valid receipts by name.
    pub fn receipts(&self) -> Vec<(&'static str, ReceiptFile)> {
        let large = hashed(&generated(LARGE_SIZE));
        let mut chunked = self.receipt(4, &[0, 2, 3]);
        chunked.chunks = Some(large.chunks);
        let mut entry = self.receipt(3, &[0, 1, 2, 3]);
        entry.entry = Some(self.batch_entry(6));
        let mut first_entry = self.receipt(3, &[1, 2, 3]);
        first_entry.entry = Some(self.batch_entry(0));
        let lone_certificate = self.certify(&self.lone.header, &[1, 2, 3]);
        let lone = ReceiptFile::assemble(&self.lone, 0, &[], &lone_certificate, &[]).expect("in the block");
        let of_protocol = |version| {
            let mut block = self.blocks[0].clone();
            block.header.version = version;
            let certificate = self.certify(&block.header, &[0, 1, 2]);
            ReceiptFile::assemble(&block, 0, &[], &certificate, &[]).expect("in the block")
        };
        vec![
            ("eddsa", self.receipt(0, &[0, 1, 2])),
            ("es256", self.receipt(1, &[0, 1, 3])),
            ("refused", self.receipt(2, &[1, 2, 3])),
            ("batch", self.receipt(3, &[0, 1, 2, 3])),
            ("batch_entry", entry),
            ("batch_entry_of_empty_file", first_entry),
            ("chunked", chunked),
            ("several_headers", self.later()),
            ("zip215", self.receipt(5, &[0, 1, 2])),
            ("es256_other_s", self.receipt(6, &[0, 1, 2])),
            ("handed_over", self.handed_over()),
            ("protocol_2", of_protocol(2)),
            ("protocol_3", of_protocol(3)),
            ("other_call", lone),
        ]
    }
}

fn twin(key: &SigningKey) -> SigningKey {
    SigningKey::from_secret(Algorithm::EdDsa, &key.secret()).expect("a key's own secret")
}

/// A certificate for `header` in the round of this view and parent's view, by the holders of these keys.
pub fn certify(header: &Header, (view, parent_view): (u64, u64), keys: &[SigningKey], signers: &[u32]) -> Certificate {
    let mut certificate = Certificate { epoch: header.epoch, view, parent_view, block: header.digest(), signatures: vec![] };
    let message = certificate.message(&header.chain);
    certificate.signatures = signers.iter().map(|i| (*i, keys[*i as usize].sign(&message))).collect();
    certificate
}

fn empty() -> Block {
    let none = [0; 32];
    let header = Header {
        version: 0,
        chain: none,
        height: 0,
        time: 0,
        epoch: 0,
        view: 0,
        parent_view: 0,
        parent: none,
        proposer: none,
        transaction_count: 0,
        validators: none,
        transactions_root: none,
        receipts_root: none,
        state_root: none,
        sync_root: none,
        sync_start: 0,
        sync_end: 0,
    };
    Block { header, transactions: vec![], receipts: vec![] }
}

pub fn raw(key: &PublicKey) -> [u8; 32] {
    key.as_bytes().try_into().expect("an Ed25519 key")
}
