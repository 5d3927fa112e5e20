//! The command line.

use clap::{Parser, Subcommand};

use crate::{commands as c, session::Options};

/// Zhulian 珠联: a city's governance main chain in one program.
///
/// Deposit the digests of documents on a ledger that no single office controls, and prove later, offline, what existed, when, and
/// who vouched for it. (城市治理主链:存证、核验、多方共治)
#[derive(Parser, Debug)]
#[command(name = "zhulian", version, propagate_version = true, arg_required_else_help = true, max_term_width = 110)]
#[command(
    after_help = "Exit codes: 0 done/verified · 1 other error · 2 usage · 3 not deposited · 4 mismatch · 5 proves nothing · \
6 refused · 7 network · 8 some files skipped · 9 key unusable"
)]
pub struct Arguments {
    /// Options of every command.
    #[command(flatten)]
    pub options: Options,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Every command.
#[derive(Subcommand, Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one, for the life of the process")]
pub enum Command {
    /// Run a whole network on this machine, with a demonstration city (本机演示网络)
    Up(c::up::Up),
    /// Check a file against its receipt, offline (离线核验)
    Verify(c::verify::Verify),
    /// Deposit, check and look up evidence (存证)
    #[command(subcommand)]
    Evidence(c::evidence::Command),
    /// Make and keep signing keys (密钥)
    #[command(subcommand)]
    Key(c::key::Command),
    /// Organisations and motions about them (机构与表决)
    #[command(subcommand)]
    Org(c::org::Command),
    /// Check, test and explain decisions, and decide again from receipts (规则)
    #[command(subcommand)]
    Rules(c::rules::Command),
    /// Check procedures drawn in BPMN, and play them (流程)
    #[command(subcommand)]
    Procedure(c::procedure::Command),
    /// Manage the members of your organisation, their roles and keys (成员)
    #[command(subcommand)]
    Member(c::member::Command),
    /// Found networks and pin their identities (网络)
    #[command(subcommand)]
    Network(c::network::Command),
    /// Run a validator (节点)
    #[command(subcommand)]
    Node(c::node::Command),
    /// Look up, wait for and send transactions (交易)
    #[command(subcommand)]
    Tx(c::tx::Command),
    /// How the network and the node are (状态)
    Status,
    /// Look for what keeps this machine from working well, with remedies (自检)
    Doctor(c::doctor::Doctor),
    /// Get the certificate of a deposit as PDF (存证证书)
    Certificate(c::certificate::Certificate),
    /// Print shell completions (命令补全)
    Completions(c::completions::Completions),
}
