//! One file with a run of finalised blocks.
//!
//! ```text
//! "ZLSEG01\n"
//! frames        each a zstd frame with its checksum; within, records: header, body, certificate, each with its u32 length before it
//! transactions  16 bytes each, sorted: first 8 bytes of the id ‖ u32 height - first ‖ u32 index
//! index         CBOR: [chain, first, last, parent, handovers, [[first, offset, length, plain length, digest of its last block] …]]
//! trailer       u64 offset of the transactions ‖ u64 offset of the index ‖ SHA-256 of all before the index ‖ SHA-256 of the index ‖ "ZLSEGEND"
//! ```
//!
//! Numbers outside CBOR are big endian. A body is `u32 count ‖ count × (u32 length ‖ transaction ‖ u32 length ‖ receipt)`. A certificate of
//! length 0 means that the block is final through a later one; the last block has one of its own.
//!
//! Whatever is read is first held against the index, whose checksum fixes the digest of each frame's last block: the links fix those before, and
//! a header its body.

use std::{
    fs::File,
    io::{self, Write},
    os::unix::fs::FileExt as _,
    path::Path,
    sync::Arc,
};

use minicbor::{Decode, Encode};
use zhulian_crypto::{Sha256, sha256};
use zhulian_primitives::{Block, Certificate, ChainId, Handover, Header, Height, Network, codec};

use crate::{
    Limits,
    block::{body, joined},
};

const MAGIC: [u8; 8] = *b"ZLSEG01\n";
const END: [u8; 8] = *b"ZLSEGEND";
const TRAILER: usize = 8 + 8 + 32 + 32 + 8;
/// A frame is closed after so many plain bytes: little to unpack for one block, enough to compress well.
const FRAME_BYTES: usize = 256 << 10;
/// Plain bytes of a frame that are unpacked at most; a block is far smaller.
const FRAME_BYTES_MAX: u64 = 64 << 20;
/// Bytes of an index that are read at most.
const INDEX_BYTES_MAX: u64 = 64 << 20;
const COMPRESSION: i32 = 3;
/// Bytes of a transaction's entry.
const ENTRY: usize = 16;

/// Bounds of a block that is read; those of a network were checked when it was finalised.
const ANY: Limits = Limits {
    transactions_bytes_max: FRAME_BYTES_MAX as usize,
    transactions_max: 1 << 20,
    receipts_bytes_max: FRAME_BYTES_MAX as usize,
    value_bytes_max: 0,
};

/// Why a segment cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Its bytes are not what was written.
    #[error("damaged: {0}")]
    Damaged(&'static str),
    /// Whole, but no proof of what it claims; height and reason.
    #[error("block {0}: {1}")]
    Unproven(Height, String),
}

/// A block of an archive.
#[derive(Clone, Debug)]
pub struct Record {
    /// The block; its roots are those of its body.
    pub block: Arc<Block>,
    /// Its certificate, if it has one of its own.
    pub certificate: Option<Certificate>,
}

/// Where a frame is, and the height of its first block.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
struct Frame {
    #[n(0)]
    first: Height,
    #[n(1)]
    offset: u64,
    #[n(2)]
    length: u64,
    #[n(3)]
    plain: u64,
    /// Digest of its last block.
    #[cbor(n(4), with = "minicbor::bytes")]
    digest: [u8; 32],
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
struct Index {
    #[cbor(n(0), with = "minicbor::bytes")]
    chain: ChainId,
    #[n(1)]
    first: Height,
    #[n(2)]
    last: Height,
    /// Digest of the block before the first.
    #[cbor(n(3), with = "minicbor::bytes")]
    parent: [u8; 32],
    #[n(4)]
    handovers: Vec<Handover>,
    #[n(5)]
    frames: Vec<Frame>,
}

/// Writes a segment, block by block.
pub(crate) struct Writer<W> {
    to: W,
    hash: Sha256,
    offset: u64,
    index: Index,
    plain: Vec<u8>,
    plain_first: Height,
    /// Digest of the last block added.
    digest: [u8; 32],
    bytes: u64,
    transactions: Vec<[u8; ENTRY]>,
    certified: bool,
}

impl<W: Write> Writer<W> {
    /// Begins a segment whose first block has this header.
    pub fn new(to: W, first: &Header) -> io::Result<Self> {
        let index = Index {
            chain: first.chain,
            first: first.height,
            last: first.height,
            parent: first.parent,
            handovers: Vec::new(),
            frames: Vec::new(),
        };
        let mut writer = Self {
            to,
            hash: Sha256::default(),
            offset: 0,
            index,
            plain: Vec::new(),
            plain_first: first.height,
            digest: first.parent,
            bytes: 0,
            transactions: Vec::new(),
            certified: false,
        };
        writer.put(&MAGIC)?;
        Ok(writer)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.offset += bytes.len() as u64;
        self.to.write_all(bytes)
    }

    /// Adds the next block.
    pub fn push(&mut self, block: &Arc<Block>, certificate: Option<&Certificate>) -> io::Result<()> {
        for part in [block.header.encode(), body(block), certificate.map(Certificate::encode).unwrap_or_default()] {
            self.plain.extend_from_slice(&(part.len() as u32).to_be_bytes());
            self.plain.extend_from_slice(&part);
            self.bytes += part.len() as u64;
        }
        for (at, transaction) in (0..).zip(&block.transactions) {
            self.transactions.push(entry(&sha256(transaction), block.header.height - self.index.first, at));
        }
        (self.index.last, self.digest) = (block.header.height, block.header.digest());
        self.certified = certificate.is_some();
        if self.plain.len() >= FRAME_BYTES { self.close_frame() } else { Ok(()) }
    }

    fn close_frame(&mut self) -> io::Result<()> {
        if self.plain.is_empty() {
            return Ok(());
        }
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), COMPRESSION)?;
        encoder.include_checksum(true)?;
        encoder.write_all(&self.plain)?;
        let packed = encoder.finish()?;
        self.index.frames.push(Frame {
            first: self.plain_first,
            offset: self.offset,
            length: packed.len() as u64,
            plain: self.plain.len() as u64,
            digest: self.digest,
        });
        self.put(&packed)?;
        self.plain.clear();
        self.plain_first = self.index.last + 1;
        Ok(())
    }

    /// The last height added.
    pub fn last(&self) -> Height {
        self.index.last
    }

    /// Blocks so far.
    pub fn blocks(&self) -> u64 {
        self.index.last - self.index.first + 1
    }

    /// Their bytes, not compressed.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether the segment may end here: its last block has a certificate of its own.
    pub fn may_end(&self) -> bool {
        self.certified
    }

    /// Ends the segment, with the handovers that lead from genesis to the validators of its last block.
    pub fn finish(mut self, handovers: Vec<Handover>) -> io::Result<W> {
        self.close_frame()?;
        let transactions = self.offset;
        self.transactions.sort_unstable();
        for entry in std::mem::take(&mut self.transactions) {
            self.put(&entry)?;
        }
        let offset = self.offset;
        self.index.handovers = handovers;
        let index = codec::to_bytes(&self.index);
        self.to.write_all(&index)?;
        self.to.write_all(&transactions.to_be_bytes())?;
        self.to.write_all(&offset.to_be_bytes())?;
        self.to.write_all(&self.hash.finish())?;
        self.to.write_all(&sha256(&index))?;
        self.to.write_all(&END)?;
        Ok(self.to)
    }
}

fn entry(id: &[u8; 32], height: u64, index: u32) -> [u8; ENTRY] {
    let mut entry = [0; ENTRY];
    entry[..8].copy_from_slice(&id[..8]);
    entry[8..12].copy_from_slice(&(height as u32).to_be_bytes());
    entry[12..].copy_from_slice(&index.to_be_bytes());
    entry
}

/// What a checked segment holds and joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Height of its first block.
    pub first: Height,
    /// Height of its last one.
    pub last: Height,
    /// Digest of the block before the first.
    pub parent: [u8; 32],
    /// Digest of the last block.
    pub digest: [u8; 32],
    /// Digest of the validators that decide the block after it, as the last one states it.
    pub validators: [u8; 32],
    /// Transactions in it.
    pub transactions: u64,
    /// Certificates that verify.
    pub certificates: u64,
}

/// A segment that is open for reading.
pub struct Segment {
    file: File,
    index: Index,
    transactions: u64,
    index_at: u64,
    body: [u8; 32],
    /// The last frame that was unpacked.
    unpacked: Option<(usize, Vec<Record>)>,
}

impl Segment {
    /// Opens a file whose index is whole; the rest is checked when it is read.
    ///
    /// # Errors
    /// When it cannot be read or is no segment.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        let mut magic = [0; 8];
        if len < (MAGIC.len() + TRAILER) as u64 {
            return Err(Fault::Damaged("too short"));
        }
        file.read_exact_at(&mut magic, 0)?;
        let mut trailer = [0; TRAILER];
        file.read_exact_at(&mut trailer, len - TRAILER as u64)?;
        if magic != MAGIC || trailer[80..] != END {
            return Err(Fault::Damaged("not a segment, or its end is missing"));
        }
        let long = |at: usize| u64::from_be_bytes(trailer[at..at + 8].try_into().expect("8 bytes"));
        let (transactions, index_at) = (long(0), long(8));
        let index_len = (len - TRAILER as u64).checked_sub(index_at).filter(|len| *len <= INDEX_BYTES_MAX);
        let index_len = index_len.filter(|_| MAGIC.len() as u64 <= transactions && transactions <= index_at);
        let index_len = index_len.ok_or(Fault::Damaged("its parts do not fit"))?;
        let mut bytes = vec![0; index_len as usize];
        file.read_exact_at(&mut bytes, index_at)?;
        if sha256(&bytes) != trailer[48..80] {
            return Err(Fault::Damaged("its index fails its checksum"));
        }
        let index: Index = codec::from_bytes(&bytes).map_err(|_| Fault::Damaged("its index is malformed"))?;
        let within = |frame: &Frame| {
            frame.plain <= FRAME_BYTES_MAX
                && frame.length <= FRAME_BYTES_MAX
                && frame.offset.checked_add(frame.length).is_some_and(|end| end <= transactions)
        };
        let begins = index.frames.first().is_some_and(|frame| frame.first == index.first);
        let ordered = index.frames.windows(2).all(|pair| pair[0].first < pair[1].first);
        if !begins || !ordered || index.last < index.first || index.last == Height::MAX || !index.frames.iter().all(within) {
            return Err(Fault::Damaged("its index contradicts itself"));
        }
        let mut body = [0; 32];
        body.copy_from_slice(&trailer[16..48]);
        Ok(Self { file, index, transactions, index_at, body, unpacked: None })
    }

    /// The network whose blocks it holds.
    pub fn chain(&self) -> ChainId {
        self.index.chain
    }

    /// Height of its first block.
    pub fn first(&self) -> Height {
        self.index.first
    }

    /// Height of its last block.
    pub fn last(&self) -> Height {
        self.index.last
    }

    /// How the validators of genesis handed over to those of the last block.
    pub fn handovers(&self) -> &[Handover] {
        &self.index.handovers
    }

    fn unpack(&mut self, at: usize) -> Result<&[Record], Fault> {
        if self.unpacked.as_ref().is_none_or(|(frame, _)| *frame != at) {
            let frame = &self.index.frames[at];
            let mut parent = at.checked_sub(1).map_or(self.index.parent, |before| self.index.frames[before].digest);
            let end = self.index.frames.get(at + 1).map_or(self.index.last + 1, |next| next.first);
            let mut packed = vec![0; frame.length as usize];
            self.file.read_exact_at(&mut packed, frame.offset)?;
            let plain = zstd::bulk::decompress(&packed, frame.plain as usize);
            let plain = plain.map_err(|_| Fault::Damaged("a frame fails its checksum"))?;
            let mut rest = &plain[..];
            let mut records = Vec::new();
            for height in frame.first..end {
                let mut part = || part(&mut rest).ok_or(Fault::Damaged("a frame ends within a block"));
                let (header, body, certificate) = (part()?, part()?, part()?);
                let header = Header::decode(header).map_err(|_| Fault::Damaged("a header is malformed"))?;
                if (header.height, header.parent) != (height, parent) {
                    return Err(Fault::Damaged("a block does not follow the one before"));
                }
                parent = header.digest();
                let block = joined(header, body, &ANY).map_err(|_| Fault::Damaged("a body is not that of its header"))?;
                let certificate = match certificate {
                    [] => None,
                    bytes => {
                        let certificate = Certificate::decode(bytes).ok().filter(|it| it.finalises(&block.header));
                        Some(certificate.ok_or(Fault::Damaged("a certificate is not that of its block"))?)
                    }
                };
                records.push(Record { block: Arc::new(block), certificate });
            }
            if !rest.is_empty() || parent != frame.digest {
                return Err(Fault::Damaged("a frame has other blocks than the index names"));
            }
            self.unpacked = Some((at, records));
        }
        Ok(self.unpacked.as_ref().map_or(&[][..], |(_, records)| &records[..]))
    }

    /// The block at a height; `None` outside of the segment.
    ///
    /// # Errors
    /// When its part of the file is damaged.
    pub fn record(&mut self, height: Height) -> Result<Option<Record>, Fault> {
        if height < self.index.first || height > self.index.last {
            return Ok(None);
        }
        let at = self.index.frames.partition_point(|frame| frame.first <= height) - 1;
        let first = self.index.frames[at].first;
        Ok(self.unpack(at)?.get((height - first) as usize).cloned())
    }

    fn table(&self) -> io::Result<Vec<u8>> {
        let mut table = vec![0; (self.index_at - self.transactions) as usize];
        self.file.read_exact_at(&mut table, self.transactions)?;
        Ok(table)
    }

    /// Height and index of the transaction whose id begins so, with at least 8 bytes; of several, the first.
    ///
    /// # Errors
    /// When a part of the file is damaged.
    pub fn find(&mut self, id: &[u8]) -> Result<Option<(Height, u32)>, Fault> {
        let table = self.table()?;
        let entries: Vec<&[u8]> = table.chunks_exact(ENTRY).collect();
        let from = entries.partition_point(|entry| entry[..8] < id[..8]);
        for entry in entries[from..].iter().take_while(|entry| entry[..8] == id[..8]) {
            let short = |at: usize| u32::from_be_bytes(entry[at..at + 4].try_into().expect("4 bytes"));
            let (height, index) = (self.index.first.saturating_add(short(8).into()), short(12));
            let record = self.record(height)?.ok_or(Fault::Damaged("its list of transactions names no block"))?;
            if record.block.transactions.get(index as usize).is_some_and(|bytes| sha256(bytes).starts_with(id)) {
                return Ok(Some((height, index)));
            }
        }
        Ok(None)
    }

    /// Reads all of it and proves it: checksums, links, roots, and every certificate by the validators to whom those of `network` handed
    /// over. Each block states who decides the next one, so that no handover can be left out to have removed validators go on.
    ///
    /// # Errors
    /// The first thing that is not as it must be.
    pub fn check(&mut self, network: &Network) -> Result<Checked, Fault> {
        self.check_after(None, network)
    }

    /// As [`Self::check`]; with what the last block of the segment before states of the validators that decide the first one here.
    pub(super) fn check_after(&mut self, mut stated: Option<[u8; 32]>, network: &Network) -> Result<Checked, Fault> {
        let unproven = |height, why: &str| Err(Fault::Unproven(height, why.into()));
        if self.index.chain != network.chain {
            return unproven(self.index.first, "of another network");
        }
        self.check_body()?;
        let mut sets = vec![network.clone()];
        for handover in &self.index.handovers {
            let last = sets.last().expect("never empty");
            if handover.ends().is_some_and(|ends| ends < network.epoch) {
                continue;
            }
            let next = handover.follow(last);
            sets.push(next.map_err(|error| Fault::Unproven(self.index.first, format!("a handover: {error}")))?);
        }
        let sets: Vec<_> = sets.into_iter().map(|set| (set.validators_digest(), set)).collect();
        let digest = self.index.frames.last().map_or(self.index.parent, |frame| frame.digest);
        let mut checked = Checked {
            first: self.index.first,
            last: self.index.last,
            parent: self.index.parent,
            digest,
            validators: [0; 32],
            transactions: 0,
            certificates: 0,
        };
        let mut table = Vec::new();
        let mut is_certified = false;
        for at in 0..self.index.frames.len() {
            let first = self.index.first;
            for Record { block, certificate } in self.unpack(at)? {
                let header = &block.header;
                if header.chain != network.chain {
                    return unproven(header.height, "of another network");
                }
                for (index, transaction) in (0..).zip(&block.transactions) {
                    table.push(entry(&sha256(transaction), header.height - first, index));
                }
                checked.transactions += block.transactions.len() as u64;
                let set = sets.iter().rev().find(|(_, set)| set.epoch <= header.epoch);
                if let (Some((decide, _)), Some(stated)) = (set, stated)
                    && *decide != stated
                {
                    return unproven(
                        header.height,
                        "the block before it states other validators, and no handover leads to them",
                    );
                }
                stated = Some(header.validators);
                checked.validators = header.validators;
                is_certified = certificate.is_some();
                let Some(certificate) = certificate else { continue };
                let Some((_, set)) = set else {
                    return unproven(header.height, "from before the network identity that is trusted");
                };
                certificate.verify(set).map_err(|error| Fault::Unproven(header.height, error.to_string()))?;
                checked.certificates += 1;
            }
        }
        if !is_certified {
            return unproven(self.index.last, "the segment does not end with a certified block");
        }
        table.sort_unstable();
        if table.concat() != self.table()? {
            return Err(Fault::Damaged("its list of transactions is not that of its blocks"));
        }
        Ok(checked)
    }

    fn check_body(&self) -> Result<(), Fault> {
        let (mut hash, mut at, mut buffer) = (Sha256::default(), 0, vec![0; 1 << 20]);
        while at < self.index_at {
            let part = (self.index_at - at).min(buffer.len() as u64) as usize;
            self.file.read_exact_at(&mut buffer[..part], at)?;
            hash.update(&buffer[..part]);
            at += part as u64;
        }
        if hash.finish() == self.body { Ok(()) } else { Err(Fault::Damaged("its content fails its checksum")) }
    }
}

/// Takes a part with its length off the front.
fn part<'a>(from: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (len, rest) = from.split_first_chunk::<4>()?;
    let (part, rest) = rest.split_at_checked(u32::from_be_bytes(*len) as usize)?;
    *from = rest;
    Some(part)
}
