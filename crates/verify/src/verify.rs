//! The verification itself, from the transaction up to the validators' signatures.

use zhulian_crypto::{Digest, PublicKey};
use zhulian_ledger::merkle::{leaf, root_from_path, root_of_leaves};
use zhulian_primitives::{
    Certificate, ChainId, Code, Event, Header, Height, Network, PROTOCOLS, Receipt, Timestamp, Transaction, TransactionId,
    Validator,
};

use crate::{BatchEntry, CHUNK_BYTES, Deposit, Entry, FileRecord, ReceiptFile, Refusal, deposit_by_case, deposit_of};

/// The facts a receipt proves, to whoever trusts the network identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The network's name.
    pub network: String,
    /// The network.
    pub chain: ChainId,
    /// The transaction; evidence of it is numbered by this id.
    pub transaction: TransactionId,
    /// Height of the block that holds it.
    pub height: Height,
    /// Time of that block, as its proposer stated and a quorum accepted.
    pub time: Timestamp,
    /// Digest of that block.
    pub block: Digest,
    /// The transaction's place in the block, from 0.
    pub index: u64,
    /// How many transactions the block holds.
    pub transaction_count: u64,
    /// The key that signed the transaction.
    pub signer: PublicKey,
    /// The module asked.
    pub module: String,
    /// The call asked for.
    pub call: String,
    /// The call's arguments: one CBOR item.
    pub args: Vec<u8>,
    /// `None` when the transaction was executed, else why it was refused.
    pub refusal: Option<Code>,
    /// What happened.
    pub events: Vec<Event>,
    /// Name of the validator that proposed the block.
    pub proposer: String,
    /// Names of the validators that signed the certificate.
    pub signers: Vec<String>,
    /// How many validators the network has.
    pub validators: usize,
    /// The validators that decided the block, in the order of the certificate's indices. Names may be the same; indices are not.
    pub council: Vec<Validator>,
    /// Which of them proposed the block.
    pub proposed_by: usize,
    /// Which of them signed the certificate.
    pub signed_by: Vec<usize>,
    /// Height of the block that the certificate names; the transaction's block or a descendant.
    pub certified_height: Height,
    /// What was deposited, if the transaction was executed and is a deposit.
    pub deposit: Option<Deposit>,
    /// The batch entry this receipt is for.
    pub entry: Option<(u64, Entry)>,
    /// Leaf hashes of the file's chunks, if the receipt carries them.
    pub chunks: Option<Vec<Digest>>,
}

impl Verified {
    /// The file that this receipt proves deposited, alone or as an entry of a batch.
    pub fn file(&self) -> Option<&FileRecord> {
        match (&self.deposit, &self.entry) {
            (Some(Deposit::File(file)), _) => Some(file),
            (_, Some((_, entry))) => Some(&entry.file),
            _ => None,
        }
    }
}

/// Checks a receipt file's bytes against the network identity, trusting nothing else.
///
/// # Errors
/// The first check that fails, in the order in which [`Refusal`] declares them.
pub fn verify_receipt(network: &Network, receipt: &[u8]) -> Result<Verified, Refusal> {
    Verifier::new(network).verify(receipt)
}

/// Checks many receipts. The receipts of one batch differ only in their entries, so what they share is checked once.
pub struct Verifier<'a> {
    network: &'a Network,
    /// The last receipt that passed, without entry and chunks, and what it proves.
    last: Option<(ReceiptFile, Verified)>,
}

impl<'a> Verifier<'a> {
    /// A verifier that trusts this identity.
    pub fn new(network: &'a Network) -> Self {
        Self { network, last: None }
    }

    /// See [`verify_receipt`].
    ///
    /// # Errors
    /// The same.
    pub fn verify(&mut self, receipt: &[u8]) -> Result<Verified, Refusal> {
        self.network.check().map_err(|_| Refusal::BadNetwork)?;
        let mut file = ReceiptFile::decode(receipt)?;
        let (entry, chunks) = (file.entry.take(), file.chunks.take());
        let mut verified = match &self.last {
            Some((last, verified)) if *last == file => verified.clone(),
            _ => {
                let verified = transaction(self.network, &file)?;
                self.last = Some((file, verified.clone()));
                verified
            }
        };
        verified.entry = in_batch(entry.as_ref(), verified.deposit.as_ref())?;
        verified.chunks = chunks;
        check_chunks(&verified)?;
        Ok(verified)
    }
}

/// Checks everything but the entry of a batch and the chunks.
fn transaction(network: &Network, file: &ReceiptFile) -> Result<Verified, Refusal> {
    let transaction = Transaction::decode(&file.transaction)
        .and_then(|transaction| transaction.verify(&network.chain).map(|()| transaction))
        .map_err(Refusal::Transaction)?;
    let outcome = outcome(file, transaction.id)?;
    let network = &deciding(network, file)?;
    let (header, last) = headers(network, &file.headers)?;
    in_block(file, &header)?;
    let certificate = certificate(network, &file.certificate, &last)?;

    let executed = outcome.refusal.is_none();
    let deposit = match executed {
        true => {
            let own = deposit_of(transaction.call.module, transaction.call.call, transaction.call.args)
                .map_err(|_| Refusal::DepositMalformed)?;
            match own {
                None => deposit_by_case(&outcome.events).map_err(|_| Refusal::DepositMalformed)?,
                own => own,
            }
        }
        false => None,
    };
    let name = |index: usize| network.validators[index].name.clone();
    let proposed_by = proposer(network, &header).ok_or(Refusal::UnknownProposer)?;
    let signed_by: Vec<usize> = certificate.signatures.iter().map(|(index, _)| *index as usize).collect();
    Ok(Verified {
        network: network.name.clone(),
        chain: network.chain,
        transaction: transaction.id,
        height: header.height,
        time: header.time,
        block: header.digest(),
        index: file.index,
        transaction_count: header.transaction_count,
        signer: transaction.signer,
        module: transaction.call.module.into(),
        call: transaction.call.call.into(),
        args: transaction.call.args.into(),
        refusal: outcome.refusal,
        events: outcome.events,
        proposer: name(proposed_by),
        signers: signed_by.iter().map(|index| name(*index)).collect(),
        validators: network.validators.len(),
        council: network.validators.clone(),
        proposed_by,
        signed_by,
        certified_height: last.height,
        deposit,
        entry: None,
        chunks: None,
    })
}

/// The network with the validators that decided the receipt's block: those of the identity, or those to which they handed over.
fn deciding(identity: &Network, file: &ReceiptFile) -> Result<Network, Refusal> {
    let mut network = identity.clone();
    for handover in &file.epochs {
        // A later identity stands in for what led to it.
        if handover.ends().is_some_and(|epoch| epoch < identity.epoch) {
            continue;
        }
        network = handover.follow(&network).map_err(Refusal::Handover)?;
    }
    Ok(network)
}

fn outcome(file: &ReceiptFile, id: TransactionId) -> Result<Receipt, Refusal> {
    let outcome = Receipt::decode(&file.receipt).map_err(|_| Refusal::OutcomeMalformed)?;
    if outcome.transaction != id {
        return Err(Refusal::OutcomeOfOther);
    }
    if outcome.refusal.is_some() && !outcome.events.is_empty() {
        return Err(Refusal::OutcomeContradicts);
    }
    Ok(outcome)
}

/// Checks every header and each link; gives the first and the last.
fn headers(network: &Network, all: &[Vec<u8>]) -> Result<(Header, Header), Refusal> {
    let mut ends: Option<(Header, Header)> = None;
    for bytes in all {
        let header = header(network, bytes)?;
        ends = Some(match ends {
            None => (header.clone(), header),
            Some((first, last)) => {
                if !follows(&last, &header) {
                    return Err(Refusal::BrokenChain);
                }
                (first, header)
            }
        });
    }
    ends.ok_or(Refusal::Malformed)
}

fn header(network: &Network, bytes: &[u8]) -> Result<Header, Refusal> {
    // The version comes first, so that a later form of header is named as such and not called damaged.
    let mut d = minicbor::Decoder::new(bytes);
    if let (Ok(Some(_)), Ok(version)) = (d.array(), d.u16())
        && !PROTOCOLS.contains(&version)
    {
        return Err(Refusal::UnknownVersion);
    }
    let header = Header::decode(bytes).map_err(|_| Refusal::HeaderMalformed)?;
    if header.chain != network.chain {
        return Err(Refusal::OtherNetwork);
    }
    // Of an earlier epoch than that of the validators who are known here.
    if header.epoch < network.epoch {
        return Err(Refusal::UnknownEpoch);
    }
    match proposer(network, &header) {
        Some(_) => Ok(header),
        None => Err(Refusal::UnknownProposer),
    }
}

fn proposer(network: &Network, header: &Header) -> Option<usize> {
    network.validators.iter().position(|validator| validator.public_key == header.proposer)
}

fn follows(parent: &Header, child: &Header) -> bool {
    child.parent == parent.digest()
        && parent.height.checked_add(1) == Some(child.height)
        && child.time > parent.time
        // An epoch's last block has a certificate of its own, so no proof goes beyond it.
        && child.epoch == parent.epoch
        && child.parent_view == parent.view
        && child.view > parent.view
}

fn in_block(file: &ReceiptFile, header: &Header) -> Result<(), Refusal> {
    let root = |bytes: &[u8], path: &[Digest]| root_from_path(leaf(bytes), file.index, header.transaction_count, path);
    if root(&file.transaction, &file.transactions_path) != Some(header.transactions_root) {
        return Err(Refusal::TransactionNotInBlock);
    }
    if root(&file.receipt, &file.receipts_path) != Some(header.receipts_root) {
        return Err(Refusal::OutcomeNotInBlock);
    }
    Ok(())
}

fn certificate(network: &Network, bytes: &[u8], last: &Header) -> Result<Certificate, Refusal> {
    let certificate = Certificate::decode(bytes).map_err(|_| Refusal::CertificateMalformed)?;
    if !certificate.finalises(last) {
        return Err(Refusal::CertificateOfOther);
    }
    certificate.verify(network).map_err(Refusal::Certificate)?;
    Ok(certificate)
}

fn in_batch(given: Option<&BatchEntry>, deposit: Option<&Deposit>) -> Result<Option<(u64, Entry)>, Refusal> {
    let Some(given) = given else { return Ok(None) };
    let Some(Deposit::Batch { root, count }) = deposit else { return Err(Refusal::EntryWithoutBatch) };
    let entry = Entry::decode(&given.bytes).map_err(|_| Refusal::EntryMalformed)?;
    if root_from_path(leaf(&given.bytes), given.index, *count, &given.path) != Some(*root) {
        return Err(Refusal::EntryNotInBatch);
    }
    Ok(Some((given.index, entry)))
}

fn check_chunks(verified: &Verified) -> Result<(), Refusal> {
    let Some(chunks) = &verified.chunks else { return Ok(()) };
    let Some(file) = verified.file() else { return Err(Refusal::ChunksWithoutFile) };
    if chunks.len() as u64 != file.size.div_ceil(CHUNK_BYTES as u64) || root_of_leaves(chunks.clone()) != file.chunks_root {
        return Err(Refusal::ChunksOfOther);
    }
    Ok(())
}
