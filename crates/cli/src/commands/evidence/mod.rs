//! `zhulian evidence`: deposit, check and look up evidence.

mod act;
mod check;
mod deposit;
pub(crate) mod details;
mod open;
mod show;

pub use deposit::hashing_bar;
pub use details::{Details, LEGAL_BASIS_DEFAULT};
pub use show::{number, source_type};

use clap::Subcommand;

use crate::{failure::Result, report::Report, session::Session};

/// Deposit, check and look up evidence (存证)
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Deposit files and folders, and keep a receipt of each (存证)
    Deposit(deposit::Deposit),
    /// Ask the network whether a file is deposited; one of three answers (联网核验)
    Check(check::Check),
    /// Show a deposit by its number (查看存证)
    Show(show::Number),
    /// All that happened to a deposit (存证历史)
    History(show::Number),
    /// List deposits, newest first (列出存证)
    List(show::List),
    /// Save the receipt of a deposit (下载回执)
    Receipt(show::Receipt),
    /// Disclose a name or fact that a deposit commits to, for one reader (公开承诺：向他人证明存证时的文件名等)
    Open(open::Open),
    /// Record what was done with the original (登记保管)
    Custody(act::Custody),
    /// Freeze a deposit by order of a court; signed by a judge (法院冻结)
    Freeze(act::Freeze),
    /// Lift a court's freeze; signed by a judge (解除冻结)
    Unfreeze(act::Freeze),
    /// Withdraw a deposit from use; it is never erased (停止使用)
    Withdraw(act::Withdraw),
}

/// Runs the command.
///
/// # Errors
/// When it does not succeed.
pub fn run(session: &Session, command: &Command) -> Result<Report> {
    match command {
        Command::Deposit(args) => deposit::run(session, args),
        Command::Check(args) => check::run(session, args),
        Command::Show(args) => show::show(session, args),
        Command::History(args) => show::history(session, args),
        Command::List(args) => show::list(session, args),
        Command::Receipt(args) => show::receipt(session, args),
        Command::Open(args) => open::run(session, args),
        Command::Custody(args) => act::custody(session, args),
        Command::Freeze(args) => act::freeze(session, args, true),
        Command::Unfreeze(args) => act::freeze(session, args, false),
        Command::Withdraw(args) => act::withdraw(session, args),
    }
}
