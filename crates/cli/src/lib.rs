#![doc = include_str!("../README.md")]
#![expect(clippy::result_large_err, reason = "a failure is made once, and ends the program")]

pub mod act;
pub mod args;
pub mod commands;
pub mod deposit;
pub mod failure;
pub mod hashing;
pub mod help;
pub mod home;
pub mod keyfile;
pub mod local;
pub mod opening;
pub mod passphrase;
pub mod private_file;
pub mod remote;
pub mod report;
pub mod session;
pub mod text;

use std::{io::Write as _, process::ExitCode};

use clap::FromArgMatches as _;

use crate::{
    args::Arguments,
    failure::Exit,
    session::Session,
    text::{Lang, harmless},
};

/// Runs the program on the process's arguments.
pub fn main() -> ExitCode {
    let lang = Lang::of_arguments(std::env::args_os().skip(1)).unwrap_or_else(Lang::of_environment);
    let parsed = help::command(lang).try_get_matches().and_then(|found| Arguments::from_arg_matches(&found));
    let arguments = match parsed {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error, lang),
    };
    let session = Session::new(arguments.options);
    match commands::run(&session, &arguments.command) {
        Ok(Some(report)) => {
            let text =
                if session.options.json { pretty(&report.json) } else { harmless(&report.render(session.lang)).into() };
            print(&text);
            report.exit.into()
        }
        Ok(None) => Exit::Done.into(),
        Err(failure) => {
            // A program reads one document from the standard output, whatever happens.
            if session.options.json {
                print(&pretty(&failure.json()));
            } else {
                eprint!("{}", harmless(&failure.render(session.lang)));
            }
            failure.exit.into()
        }
    }
}

/// Prints to the standard output; a reader that has gone away (`| head`) is no error.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}

fn usage(error: &clap::Error, lang: Lang) -> ExitCode {
    use clap::error::ErrorKind as K;
    if matches!(error.kind(), K::DisplayHelp | K::DisplayVersion) {
        let _ = error.print();
        return Exit::Done.into();
    }
    let failure = help::usage(error);
    if std::env::args().any(|argument| argument == "--json") {
        print(&pretty(&failure.json()));
    } else if error.kind() == K::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
    } else {
        eprint!("{}", harmless(&failure.render(lang)));
    }
    Exit::Usage.into()
}
