//! What the API shows, as JSON. Types of the wire only: domain types are never serialised themselves.

mod chain;
mod errors;
mod evidence;
mod list;
mod node;
mod organisation;
mod transaction;

pub use chain::{BlockDetail, BlockList, BlockRow, BlockTransaction, CertificateView, HeaderView, SignatureView, StateView};
pub use errors::{ErrorCatalogue, ErrorView};
pub use evidence::{
    Answer, CheckAnswer, CheckRequest, CommitmentView, DetailsView, EntriesAnswer, EvidenceHistory, EvidenceList,
    EvidenceView, FileView, FreezeView, GenerationView, HistoryItem, PartyView, WithdrawalView,
};
pub use node::{
    Health, IdentityValidator, NetworkIdentity, NetworkView, ParameterView, PeerView, PendingValidators, Phase, PowerHeld,
    PowerView, StatusView, ValidatorView, Validators,
};
pub use organisation::{
    BallotView, KeyView, MemberView, MotionList, MotionView, OrganisationList, OrganisationRow, OrganisationView,
};
pub use transaction::{
    EventView, RefusalView, Submitted, TransactionList, TransactionRow, TransactionState, TransactionView,
};
