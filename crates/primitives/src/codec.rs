//! The one encoding: deterministic CBOR, strict on the way in.

use std::{cell::Cell, convert::Infallible};

use minicbor::{Decode, Decoder, Encode, Encoder, data::Type, decode, encode, encode::Write};

/// Why bytes are not the deterministic encoding of what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// Not CBOR, or not of the expected shape; the text says where.
    #[error("malformed: {0}")]
    Malformed(String),
    /// CBOR of the right shape, but not in its only form (RFC 8949 §4.2.1), or followed by more bytes.
    #[error("not the deterministic encoding (unknown or doubled key, longer form, wrong order, or trailing bytes)")]
    NotDeterministic,
}

/// A buffer larger than this is not kept for the next value.
const SCRATCH_MAX: usize = 64 << 10;

thread_local! {
    /// Where values are encoded before their length is known.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The bytes of `value`.
pub fn to_bytes<T: Encode<()>>(value: &T) -> Vec<u8> {
    // An encoding that encodes a part of itself in this way finds another buffer here.
    let mut scratch = SCRATCH.take();
    scratch.clear();
    minicbor::encode(value, &mut scratch).expect("encoding into memory cannot fail");
    let bytes = scratch.as_slice().to_vec();
    if scratch.capacity() <= SCRATCH_MAX {
        SCRATCH.set(scratch);
    }
    bytes
}

/// How many bytes `value` takes.
pub fn encoded_len<T: Encode<()>>(value: &T) -> usize {
    struct Count(usize);
    impl Write for Count {
        type Error = Infallible;

        fn write_all(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
            self.0 += bytes.len();
            Ok(())
        }
    }
    let mut count = Count(0);
    minicbor::encode(value, &mut count).expect("counting cannot fail");
    count.0
}

/// Whether what `encode` writes is exactly `bytes`. Nothing is stored on the way.
pub fn is_encoding(
    bytes: &[u8],
    encode: impl FnOnce(&mut Encoder<Expected<'_>>) -> Result<(), encode::Error<Deviation>>,
) -> bool {
    let mut encoder = Encoder::new(Expected(bytes));
    encode(&mut encoder).is_ok() && encoder.writer().0.is_empty()
}

/// What is still to be written.
pub struct Expected<'a>(&'a [u8]);

/// Something else was written than expected.
#[derive(Debug)]
pub struct Deviation;

impl Write for Expected<'_> {
    type Error = Deviation;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Deviation> {
        // Most of what is written is the head of an item: a byte, too little to call a comparison of memory for.
        self.0 = match (bytes, self.0) {
            ([byte], [first, rest @ ..]) if byte == first => rest,
            ([_], _) => return Err(Deviation),
            _ => self.0.strip_prefix(bytes).ok_or(Deviation)?,
        };
        Ok(())
    }
}

/// Decodes `bytes` and accepts them only if they are exactly the encoding of the result.
pub fn from_bytes<'b, T: Decode<'b, ()> + Encode<()>>(bytes: &'b [u8]) -> Result<T, CodecError> {
    let value: T = minicbor::decode(bytes).map_err(|error| CodecError::Malformed(error.to_string()))?;
    // Comparing with the encoding of the result is the whole strictness: whatever a lenient decoder passed over differs.
    match is_encoding(bytes, |e| e.encode(&value).map(|_| ())) {
        true => Ok(value),
        false => Err(CodecError::NotDeterministic),
    }
}

pub use crate::item::{DEPTH_MAX, item};

/// One deterministic CBOR item kept as its bytes, for a field that another layer decodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw(pub Vec<u8>);

impl<C> Encode<C> for Raw {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.writer_mut().write_all(&self.0).map_err(encode::Error::write)
    }
}

impl<'b, C> Decode<'b, C> for Raw {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        Ok(Self(item(d)?.to_vec()))
    }
}

/// Takes a definite array header of exactly `len` items.
pub fn array(d: &mut Decoder<'_>, len: u64, what: &'static str) -> Result<(), decode::Error> {
    if d.array()? == Some(len) { Ok(()) } else { Err(decode::Error::message(what)) }
}

/// Takes a byte string of exactly `N` bytes.
pub fn fixed<const N: usize>(d: &mut Decoder<'_>) -> Result<[u8; N], decode::Error> {
    d.bytes()?.try_into().map_err(|_| decode::Error::message("byte string of the wrong length"))
}

/// Whether the next item is `null`; takes it if so.
pub fn take_null(d: &mut Decoder<'_>) -> Result<bool, decode::Error> {
    if d.datatype()? == Type::Null {
        d.null()?;
        return Ok(true);
    }
    Ok(false)
}
