//! A transaction's outcome: the leaf of a block's receipts tree.

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode, encode::Write};

use crate::{CodecError, Raw, TransactionId, codec};

/// A stable refusal code: the module that refused and its number there. Numbers are forever, texts are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// Module name, or `transaction` for refusals of the envelope.
    pub module: String,
    /// Number within the module, from 1.
    pub number: u16,
}

/// Something that happened, as public history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Module that says so.
    pub module: String,
    /// Past-tense name, for example `deposited`.
    pub name: String,
    /// The event's fields: one CBOR item whose shape the module defines.
    pub data: Raw,
}

/// The outcome of one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The transaction.
    pub transaction: TransactionId,
    /// `None` when it was executed, else why it was refused. A refused transaction changed nothing.
    pub refusal: Option<Code>,
    /// Events in the order they were emitted; empty when refused.
    pub events: Vec<Event>,
}

impl Receipt {
    /// The receipt's bytes: `[transaction, null / [module, number], [[module, name, data]…]]`.
    pub fn encode(&self) -> Vec<u8> {
        codec::to_bytes(self)
    }

    /// Parses the bytes of a receipt.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        codec::from_bytes(bytes)
    }
}

impl<C> Encode<C> for Receipt {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, ctx: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.array(3)?.bytes(&self.transaction.0)?;
        match &self.refusal {
            None => e.null()?,
            Some(code) => e.array(2)?.str(&code.module)?.u16(code.number)?,
        };
        e.array(self.events.len() as u64)?;
        for event in &self.events {
            e.array(3)?.str(&event.module)?.str(&event.name)?.encode_with(&event.data, ctx)?;
        }
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Receipt {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        codec::array(d, 3, "a receipt has 3 fields")?;
        let transaction = TransactionId(codec::fixed(d)?);
        let refusal = if codec::take_null(d)? {
            None
        } else {
            codec::array(d, 2, "a code has 2 fields")?;
            Some(Code { module: d.str()?.into(), number: d.u16()? })
        };
        let count = d.array()?.ok_or_else(|| decode::Error::message("events of indefinite length"))?;
        let mut events = Vec::new();
        for _ in 0..count {
            codec::array(d, 3, "an event has 3 fields")?;
            events.push(Event { module: d.str()?.into(), name: d.str()?.into(), data: d.decode_with(ctx)? });
        }
        Ok(Self { transaction, refusal, events })
    }
}
