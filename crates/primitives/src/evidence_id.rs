//! The number of a deposit, as it is printed on a certificate and typed from it.

use std::{fmt, str::FromStr};

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode, encode::Write};

use crate::{TransactionId, codec};

/// Crockford's base 32, then the five symbols that only a check character takes.
const ALPHABET: &[u8; 37] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U";
const PREFIX: &str = "ZL";
/// Base-32 characters of 128 bits; the first holds three of them.
const BODY_LEN: usize = 26;

/// 存证编号: the first 16 bytes of the id of the transaction that deposited.
///
/// Printed as `ZL`, 26 characters of Crockford's base 32 (big-endian), and a check character: the number modulo 37.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EvidenceId(pub [u8; 16]);

/// Why a text is no evidence number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceIdError {
    /// Not `ZL` and 27 characters, nor 32 hexadecimal digits.
    #[error("an evidence number is ZL and 27 characters, or 32 hexadecimal digits")]
    Shape,
    /// A character that is not in the alphabet, or a number beyond 128 bits.
    #[error("the evidence number has a character that does not occur in one")]
    Character,
    /// The check character does not fit: a typing error.
    #[error("the evidence number's check character does not fit; look for a typing error")]
    Check,
}

impl EvidenceId {
    /// The number of what this transaction deposited.
    pub fn of(transaction: &TransactionId) -> Self {
        Self(std::array::from_fn(|i| transaction.0[i]))
    }
}

impl<C> Encode<C> for EvidenceId {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for EvidenceId {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        codec::fixed(d).map(Self)
    }
}

impl fmt::Display for EvidenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = u128::from_be_bytes(self.0);
        f.write_str(PREFIX)?;
        for place in (0..BODY_LEN).rev() {
            let digit = (number >> (5 * place)) & 31;
            write!(f, "{}", ALPHABET[digit as usize] as char)?;
        }
        write!(f, "{}", ALPHABET[(number % 37) as usize] as char)
    }
}

impl fmt::Debug for EvidenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The value of a typed character: case does not matter, and letters that look like a digit are that digit.
fn value(character: char) -> Option<u128> {
    let character = match character.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    ALPHABET.iter().position(|symbol| char::from(*symbol) == character).map(|value| value as u128)
}

impl FromStr for EvidenceId {
    type Err = EvidenceIdError;

    fn from_str(text: &str) -> Result<Self, EvidenceIdError> {
        let text: String = text.trim().chars().filter(|c| *c != '-').collect();
        if let Some(body) =
            text.get(..PREFIX.len()).filter(|head| head.eq_ignore_ascii_case(PREFIX)).map(|head| &text[head.len()..])
        {
            return parse_body(body);
        }
        if text.len() != 32 {
            return Err(EvidenceIdError::Shape);
        }
        let bytes = hex::decode(&text).map_err(|_| EvidenceIdError::Character)?;
        Ok(Self(bytes.try_into().map_err(|_| EvidenceIdError::Shape)?))
    }
}

fn parse_body(body: &str) -> Result<EvidenceId, EvidenceIdError> {
    if body.chars().count() != BODY_LEN + 1 {
        return Err(EvidenceIdError::Shape);
    }
    let values = body.chars().map(value).collect::<Option<Vec<u128>>>().ok_or(EvidenceIdError::Character)?;
    let (digits, check) = (&values[..BODY_LEN], values[BODY_LEN]);
    if digits.iter().any(|digit| *digit > 31) || digits[0] > 7 {
        return Err(EvidenceIdError::Character);
    }
    let number = digits.iter().fold(0u128, |number, digit| (number << 5) | digit);
    if number % 37 == check { Ok(EvidenceId(number.to_be_bytes())) } else { Err(EvidenceIdError::Check) }
}

/// A deposit or one entry of a batch deposit: `<number>` or `<number>-<n>`, entries counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EvidenceRef {
    /// The deposit.
    pub id: EvidenceId,
    /// The entry of a batch.
    pub entry: Option<u32>,
}

impl fmt::Display for EvidenceRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.entry {
            None => write!(f, "{}", self.id),
            Some(entry) => write!(f, "{}-{entry}", self.id),
        }
    }
}

impl FromStr for EvidenceRef {
    type Err = EvidenceIdError;

    fn from_str(text: &str) -> Result<Self, EvidenceIdError> {
        // Dashes may also stand inside the number; so the whole is tried first, then the part before the last dash.
        let whole = text.parse::<EvidenceId>();
        let Some((head, tail)) = text.trim().rsplit_once('-') else { return Ok(Self { id: whole?, entry: None }) };
        if let Ok(id) = whole {
            return Ok(Self { id, entry: None });
        }
        let id = head.parse()?;
        let plain = !tail.is_empty() && tail.bytes().all(|b| b.is_ascii_digit()) && (tail == "0" || !tail.starts_with('0'));
        let entry = plain.then(|| tail.parse().ok()).flatten().ok_or(EvidenceIdError::Shape)?;
        Ok(Self { id, entry: Some(entry) })
    }
}
