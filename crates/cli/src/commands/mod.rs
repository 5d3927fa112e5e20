//! One file per command.

pub mod archive;
pub mod audit;
pub mod backup;
pub mod case;
pub mod certificate;
pub mod completions;
pub mod doctor;
pub mod evidence;
pub mod key;
mod key_rotate;
pub mod member;
pub mod network;
pub mod node;
pub mod org;
pub mod procedure;
pub mod protocol;
mod proven;
mod replay;
pub mod rules;
pub mod status;
pub mod tx;
pub mod up;
pub mod validator;
pub mod verify;
mod verify_folder;
pub mod why_stalled;

use crate::{args::Command, failure::Result, report::Report, session::Session};

/// Runs a command. `None` when it has printed all there is to say.
///
/// # Errors
/// When it does not succeed.
pub fn run(session: &Session, command: &Command) -> Result<Option<Report>> {
    match command {
        Command::Up(args) => up::run(session, args).map(|()| None),
        Command::Network(command) => network::run(session, command),
        Command::Node(command) => node::run(session, command).map(|()| None),
        Command::Org(command) => org::run(session, command).map(Some),
        Command::Validator(command) => validator::run(session, command).map(Some),
        Command::Protocol(command) => protocol::run(session, command).map(Some),
        Command::Rules(command) => rules::run(session, command).map(Some),
        Command::Case(command) => case::run(session, command).map(Some),
        Command::Procedure(command) => procedure::run(session, command).map(Some),
        Command::Member(command) => member::run(session, command).map(Some),
        Command::Verify(args) => verify::run(session, args).map(Some),
        Command::Evidence(command) => evidence::run(session, command).map(Some),
        Command::Key(command) => key::run(session, command).map(Some),
        Command::Tx(command) => tx::run(session, command).map(Some),
        Command::Status => status::run(session).map(Some),
        Command::WhyStalled => why_stalled::run(session).map(Some),
        Command::Doctor(args) => doctor::run(session, args).map(Some),
        Command::Archive(command) => archive::run(session, command).map(Some),
        Command::Audit(args) => audit::run(session, args).map(Some),
        Command::Backup(args) => backup::backup(args).map(Some),
        Command::Restore(args) => backup::restore(session, args).map(Some),
        Command::Certificate(args) => certificate::run(session, args).map(Some),
        Command::Completions(args) => completions::run(session, args),
    }
}
