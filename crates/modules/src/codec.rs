//! Encodings that fields name.

/// An optional digest: left out when there is none.
pub(crate) mod optional_digest {
    use minicbor::{Decoder, Encoder, decode::Error as DecodeError, encode::Error as EncodeError, encode::Write};
    use zhulian_crypto::Digest;
    use zhulian_primitives::codec;

    pub(crate) fn encode<C, W: Write>(
        digest: &Option<Digest>,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        match digest {
            Some(digest) => e.bytes(digest)?.ok(),
            None => e.null()?.ok(),
        }
    }

    pub(crate) fn decode<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<Option<Digest>, DecodeError> {
        codec::fixed(d).map(Some)
    }

    pub(crate) fn nil() -> Option<Option<Digest>> {
        Some(None)
    }

    pub(crate) fn is_nil(digest: &Option<Digest>) -> bool {
        digest.is_none()
    }
}
