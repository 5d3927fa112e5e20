//! The command line.

use clap::{Parser, Subcommand};

use crate::{commands as c, session::Options};

/// Zhulian 珠联, a city's governance main chain: deposit digests of documents on a ledger that no single office controls, and prove later, offline, what existed, when, and who vouched for it. (珠联，城市治理主链：把文件的摘要存到任何一个部门都无法单独控制的账本上，日后离线证明何时存在何物、由谁见证。)
#[derive(Parser, Debug)]
#[command(name = "zhulian", version, arg_required_else_help = true, max_term_width = 110)]
#[command(
    after_help = "Exit codes: 0 done or verified, 1 other error, 2 wrong usage, 3 not deposited, 4 mismatch, 5 proves nothing, \
6 refused, 7 network, 8 some files skipped, 9 key unusable (退出码：0 完成或核验通过，1 其他错误，2 用法错误，3 尚未存证，4 不一致，5 不能作为证明，6 被拒绝，7 网络问题，8 部分文件被跳过，9 密钥无法使用)"
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
    /// Validators: who decides blocks, and motions that change it (验证节点及其变更)
    #[command(subcommand)]
    Validator(c::validator::Command),
    /// Protocols: by which rules blocks are executed, and motions that change it (协议版本及其升级)
    #[command(subcommand)]
    Protocol(c::protocol::Command),
    /// Check, test and explain decisions, and decide again from receipts (规则：检查、测试、说明与复算)
    #[command(subcommand)]
    Rules(c::rules::Command),
    /// Check procedures drawn in BPMN, play and deploy them (流程)
    #[command(subcommand)]
    Procedure(c::procedure::Command),
    /// Open cases of procedures, look them up and work on them (办件)
    #[command(subcommand)]
    Case(c::case::Command),
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
    /// Why no block comes, or what soon may stop the network, with remedies (停滞诊断)
    WhyStalled,
    /// Look for what keeps this machine from working well, with remedies (自检)
    Doctor(c::doctor::Doctor),
    /// Examine a stopped node's whole record: execute every block again and compare (审计：重新执行全部区块并逐项比对)
    Audit(c::audit::Audit),
    /// A node's archive of old blocks, read without the node (归档：不依赖节点读取已归档的旧区块)
    #[command(subcommand)]
    Archive(c::archive::Command),
    /// Keep a stopped node's record and secrets aside, without its vote journal (备份)
    Backup(c::backup::Backup),
    /// Put a lost validator back from a backup, so that it never votes twice (恢复)
    Restore(c::backup::Restore),
    /// Get the certificate of a deposit as PDF (存证证书)
    Certificate(c::certificate::Certificate),
    /// Print shell completions (命令补全)
    Completions(c::completions::Completions),
}
