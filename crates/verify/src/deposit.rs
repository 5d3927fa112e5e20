//! What an evidence deposit says of a file: the published CBOR shape of its arguments, and of a batch's entries.

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode, encode::Write};
use zhulian_crypto::Digest;
use zhulian_primitives::{CodecError, Event, Raw, codec};

/// The facts of a file that a deposit records: `{0: sha256, 1: sm3, 2: size, 3: chunks_root}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRecord {
    /// SHA-256 of the whole file.
    pub sha256: Digest,
    /// SM3 of the whole file.
    pub sm3: Digest,
    /// Bytes.
    pub size: u64,
    /// RFC 9162 root over the file's chunks of 1 MiB, the last one shorter; of an empty file SHA-256 of nothing.
    pub chunks_root: Digest,
}

/// An entry of a batch: a file, and perhaps a salted commitment to its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The file.
    pub file: FileRecord,
    /// SHA-256 over salt and name, which only the depositor can open.
    pub name_commitment: Option<Digest>,
}

/// What an executed transaction deposited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deposit {
    /// `evidence.deposit`: one file.
    File(FileRecord),
    /// `evidence.deposit_batch`: the root over the entries of a batch.
    Batch {
        /// RFC 9162 root over the entries' bytes.
        root: Digest,
        /// How many entries.
        count: u64,
    },
}

impl Entry {
    /// The entry's bytes, the leaf of the batch's tree.
    pub fn encode(&self) -> Vec<u8> {
        codec::to_bytes(self)
    }

    /// Parses the bytes of an entry.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        codec::from_bytes(bytes)
    }
}

/// What a call deposits: `None` when it is not a deposit, an error when its arguments are not of the published shape.
pub fn deposit_of(module: &str, call: &str, args: &[u8]) -> Result<Option<Deposit>, CodecError> {
    Ok(match (module, call) {
        ("evidence", "deposit") => Some(Deposit::File(codec::from_bytes::<DepositArgs>(args)?.file)),
        ("evidence", "deposit_batch") => {
            let args: BatchArgs = codec::from_bytes(args)?;
            Some(Deposit::Batch { root: args.root, count: args.count })
        }
        _ => None,
    })
}

/// What a case deposited within a transaction: the call that `procedure.call_made` shows in its receipt. There is one at most.
/// An error when the event or the call is not of the published shape.
pub fn deposit_by_case(events: &[Event]) -> Result<Option<Deposit>, decode::Error> {
    for event in events.iter().filter(|event| event.module == "procedure" && event.name == "call_made") {
        if let Some(deposit) = made(&event.data.0)? {
            return Ok(Some(deposit));
        }
    }
    Ok(None)
}

/// `{…, 4: module, 5: call, ? 6: arguments, ? 7: refusal}`.
fn made(data: &[u8]) -> Result<Option<Deposit>, decode::Error> {
    let mut d = Decoder::new(data);
    let (mut module, mut call, mut args, mut refused) = ("", "", &[][..], false);
    for _ in 0..map(&mut d)? {
        match d.u8()? {
            4 => module = d.str()?,
            5 => call = d.str()?,
            6 => args = codec::item(&mut d)?,
            field => {
                codec::item(&mut d)?;
                refused |= field == 7;
            }
        }
    }
    if refused {
        return Ok(None);
    }
    deposit_of(module, call, args).map_err(|_| decode::Error::message("the arguments of a deposit by a case"))
}

/// `{0: file, 1: details}`; the details are not the verifier's business.
struct DepositArgs {
    file: FileRecord,
    details: Raw,
}

/// `{0: root, 1: count, 2: details}`.
struct BatchArgs {
    root: Digest,
    count: u64,
    details: Raw,
}

impl<C> Encode<C> for FileRecord {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.map(4)?;
        self.fields(e)
    }
}

impl FileRecord {
    fn fields<W: Write>(&self, e: &mut Encoder<W>) -> Result<(), encode::Error<W::Error>> {
        e.u8(0)?.bytes(&self.sha256)?.u8(1)?.bytes(&self.sm3)?.u8(2)?.u64(self.size)?.u8(3)?.bytes(&self.chunks_root)?;
        Ok(())
    }

    fn take(d: &mut Decoder<'_>) -> Result<Self, decode::Error> {
        key(d, 0)?;
        let sha256 = codec::fixed(d)?;
        key(d, 1)?;
        let sm3 = codec::fixed(d)?;
        key(d, 2)?;
        let size = d.u64()?;
        key(d, 3)?;
        Ok(Self { sha256, sm3, size, chunks_root: codec::fixed(d)? })
    }
}

impl<'b, C> Decode<'b, C> for FileRecord {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        if map(d)? != 4 {
            return Err(decode::Error::message("a file record has 4 fields"));
        }
        Self::take(d)
    }
}

impl<C> Encode<C> for Entry {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.map(4 + u64::from(self.name_commitment.is_some()))?;
        self.file.fields(e)?;
        if let Some(commitment) = &self.name_commitment {
            e.u8(4)?.bytes(commitment)?;
        }
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Entry {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let fields = map(d)?;
        if !(4..=5).contains(&fields) {
            return Err(decode::Error::message("a batch entry has 4 or 5 fields"));
        }
        let file = FileRecord::take(d)?;
        let name_commitment = if fields == 5 {
            key(d, 4)?;
            Some(codec::fixed(d)?)
        } else {
            None
        };
        Ok(Self { file, name_commitment })
    }
}

impl<C> Encode<C> for DepositArgs {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, ctx: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.map(2)?.u8(0)?.encode_with(&self.file, ctx)?.u8(1)?.encode_with(&self.details, ctx)?;
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for DepositArgs {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        if map(d)? != 2 {
            return Err(decode::Error::message("a deposit has 2 arguments"));
        }
        key(d, 0)?;
        let file = d.decode_with(ctx)?;
        key(d, 1)?;
        Ok(Self { file, details: d.decode_with(ctx)? })
    }
}

impl<C> Encode<C> for BatchArgs {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, ctx: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.map(3)?.u8(0)?.bytes(&self.root)?.u8(1)?.u64(self.count)?.u8(2)?.encode_with(&self.details, ctx)?;
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for BatchArgs {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        if map(d)? != 3 {
            return Err(decode::Error::message("a batch deposit has 3 arguments"));
        }
        key(d, 0)?;
        let root = codec::fixed(d)?;
        key(d, 1)?;
        let count = d.u64()?;
        key(d, 2)?;
        Ok(Self { root, count, details: d.decode_with(ctx)? })
    }
}

fn map(d: &mut Decoder<'_>) -> Result<u64, decode::Error> {
    d.map()?.ok_or_else(|| decode::Error::message("a map of indefinite length"))
}

fn key(d: &mut Decoder<'_>, expected: u8) -> Result<(), decode::Error> {
    if d.u8()? == expected { Ok(()) } else { Err(decode::Error::message("another key than expected")) }
}
