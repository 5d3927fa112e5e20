//! What the API shows, as JSON. Types of the wire only: domain types are never serialised themselves.

mod case;
mod chain;
mod errors;
mod evidence;
mod list;
mod node;
mod organisation;
mod pack;
mod transaction;

pub use case::{
    CaseHistory, CaseList, CaseRow, CaseView, ClaimView, ClockView, DutyView, MaterialView, PauseView, PendingView,
    TaskItem, TaskList, TaskView,
};
pub use chain::{BlockDetail, BlockList, BlockRow, BlockTransaction, CertificateView, HeaderView, SignatureView, StateView};
pub use errors::{ErrorCatalogue, ErrorView};
pub use evidence::{
    Answer, CheckAnswer, CheckRequest, CommitmentView, DetailsView, EntriesAnswer, EvidenceHistory, EvidenceList,
    EvidenceView, FileView, FreezeView, GenerationView, HistoryItem, PartyView, WithdrawalView,
};
pub use node::{
    ArchiveView, CONNECTED_SECONDS, CalendarDueView, DiskView, Health, IdentityValidator, KeyDueView, NetworkIdentity,
    NetworkView, ParameterView, PeerView, PendingValidators, Phase, PowerHeld, PowerView, ProtocolView, StatusView,
    UpgradeView, ValidatorView, Validators,
};
pub use organisation::{
    BallotView, KeyView, MemberView, MotionList, MotionView, OrganisationList, OrganisationRow, OrganisationView,
};
pub use pack::{
    DecisionList, DecisionRow, DecisionView, DocumentView, DraftView, FactView, HitView, InputView, ManifestView,
    PackFileView, PackList, PackRow, PackView, ProcedureView, RateView, VersionView,
};
pub use transaction::{
    EventView, RefusalView, Submitted, TransactionList, TransactionRow, TransactionState, TransactionView,
};
