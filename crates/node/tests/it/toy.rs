//! A network with one module whose one call does nothing, or writes or tells so many bytes, and keys that need no registration.

use std::sync::Arc;

use minicbor::{Decode, Encode};
use zhulian_crypto::{Algorithm, PublicKey, SigningKey, other_s, sha256};
use zhulian_execution::{
    Actor, Allowed, Call as _, CallEntry, Class, Context, Directory, Executor, Halt, Module, Protocols, Roles, Text,
};
use zhulian_primitives::{Call, ChainId, Event, Raw, TransactionId, codec, sign};

pub const CHAIN: ChainId = [7; 32];
const TEXT: Text = Text { en: "a toy", zh: "玩具" };

#[derive(Clone, Debug, Encode, Decode)]
#[cbor(map)]
pub struct Note {
    #[n(0)]
    pub text: String,
}

impl zhulian_execution::Call for Note {
    const NAME: &'static str = "note";
    const ALLOWED: Allowed = Allowed::Member;
    const ABOUT: Text = TEXT;
    const CDDL: &'static str = "{ 0: tstr }";

    fn check(&self) -> Result<(), Halt> {
        if self.text.is_empty() {
            return Err(zhulian_primitives::TransactionError::MalformedArguments.into());
        }
        Ok(())
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let number = |verb: &str| self.text.strip_prefix(verb).and_then(|number| number.parse().ok());
        if let Some(bytes) = number("write ") {
            ctx.set(([1; 32], vec![0; bytes]));
        }
        if let Some(bytes) = number("tell ") {
            let data = Raw([&[0x5a][..], &(bytes as u32).to_be_bytes(), &vec![0; bytes]].concat());
            ctx.record(Event { module: "toy".into(), name: "told".into(), data });
        }
        Ok(())
    }
}

static MODULE: Module =
    Module { name: "toy", about: TEXT, cddl: "", calls: &[CallEntry::of::<Note>()], refusals: &[], events: &[], state: &[] };

fn actor(_: &mut Context<'_>, key: &PublicKey) -> Result<Actor, Halt> {
    Ok(Actor { key: *key, member: "m".into(), organisation: "o".into(), class: Class::Government, roles: Roles::default() })
}

pub fn executor() -> Arc<Executor> {
    let protocols = Protocols { key: || [0; 32], at: |_, _| 1, newest: 3 };
    Arc::new(Executor::new(&[&MODULE], Directory { reads: |_| Vec::new(), actor }, protocols))
}

pub fn key(n: u8) -> SigningKey {
    SigningKey::from_secret(Algorithm::EdDsa, &[n; 32]).unwrap()
}

/// A key that signs by ES256.
pub fn es256(n: u8) -> SigningKey {
    SigningKey::from_secret(Algorithm::Es256, &[n; 32]).unwrap()
}

/// A transaction by ES256 as whoever sees it can make it.
pub fn mirrored(transaction: &[u8]) -> Vec<u8> {
    let (rest, signature) = transaction.split_last_chunk::<64>().unwrap();
    [rest, &other_s(signature)].concat()
}

/// A good transaction, one of its own for each number.
pub fn note(key: &SigningKey, n: u64, valid_until: u64) -> Vec<u8> {
    call(key, CHAIN, &Note { text: format!("note {n}") }, n, valid_until)
}

pub fn call(key: &SigningKey, chain: ChainId, args: &Note, n: u64, valid_until: u64) -> Vec<u8> {
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&n.to_be_bytes());
    let args = codec::to_bytes(args);
    sign(&Call { chain, module: "toy", call: Note::NAME, args: &args, nonce, valid_until }, key)
}

pub fn id(bytes: &[u8]) -> TransactionId {
    TransactionId(sha256(bytes))
}
