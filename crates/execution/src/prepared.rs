//! A transaction made ready for execution, once in the life of a node, however often it is proposed.

use zhulian_crypto::PublicKey;
use zhulian_ledger::Key;
use zhulian_primitives::{Code, Height, Protocol, Transaction, TransactionId};

use crate::{
    Call, CallEntry, Context, Halt,
    window::{self, UseId},
};

/// Since this protocol a signature has one form. By ES256 there are two that are valid, and whoever saw a transaction could put it into a block
/// under another id.
const LOW_S: Protocol = 3;

/// A transaction with its call decoded and checked as far as that needs no state.
pub struct Prepared {
    pub(crate) id: TransactionId,
    pub(crate) signer: PublicKey,
    pub(crate) use_id: UseId,
    pub(crate) valid_until: Height,
    one_form: bool,
    pub(crate) entry: Result<&'static CallEntry, Code>,
    pub(crate) call: Result<Box<dyn CheckedCall>, Code>,
}

impl Prepared {
    pub(crate) fn new(transaction: &Transaction<'_>, entry: Result<&'static CallEntry, Code>) -> Self {
        let call = match &entry {
            Ok(entry) => (entry.prepare)(transaction.call.args),
            Err(code) => Err(code.clone()),
        };
        Self {
            id: transaction.id,
            signer: transaction.signer,
            use_id: window::use_id(&transaction.signer, &transaction.call.nonce),
            valid_until: transaction.call.valid_until,
            one_form: transaction.has_one_form(),
            entry,
            call,
        }
    }

    /// The transaction's id.
    pub fn id(&self) -> TransactionId {
        self.id
    }

    /// Whether its signature has the form that a protocol wants. If not, it is refused and uses up no nonce, as what says the same in that form
    /// may still come.
    pub fn is_well_signed(&self, protocol: Protocol) -> bool {
        self.one_form || protocol < LOW_S
    }

    /// Why no state could ever make it succeed; `None` if one could.
    pub fn refusal(&self) -> Option<&Code> {
        self.call.as_ref().err()
    }
}

/// A call whose arguments passed [`Call::check`].
pub(crate) trait CheckedCall: Send + Sync {
    fn reads(&self) -> Vec<Key>;
    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt>;
}

impl<C: Call> CheckedCall for C {
    fn reads(&self) -> Vec<Key> {
        Call::reads(self)
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        Call::execute(self, ctx)
    }
}
