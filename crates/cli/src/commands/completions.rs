//! `zhulian completions`: completions for the shell, on standard output.

use clap::Args;
use clap_complete::Shell;

use crate::{failure::Result, report::Report, session::Session};

/// Options of `completions`.
#[derive(Args, Debug)]
pub struct Completions {
    /// Which shell (哪种 shell)
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Prints the script, for example `zhulian completions bash > /etc/bash_completion.d/zhulian`.
///
/// # Errors
/// Never.
pub fn run(session: &Session, args: &Completions) -> Result<Option<Report>> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::help::command(session.lang), "zhulian", &mut script);
    crate::print(&String::from_utf8_lossy(&script));
    Ok(None)
}
