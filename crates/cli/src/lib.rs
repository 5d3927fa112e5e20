#![doc = include_str!("../README.md")]

pub mod act;
pub mod args;
pub mod commands;
pub mod deposit;
pub mod failure;
pub mod hashing;
pub mod home;
pub mod keyfile;
pub mod local;
pub mod passphrase;
pub mod private_file;
pub mod remote;
pub mod report;
pub mod session;
pub mod text;

use std::{io::Write as _, process::ExitCode};

use clap::Parser as _;

use crate::{args::Arguments, failure::Exit, session::Session, text::Lang};

/// Runs the program on the process's arguments.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    let session = Session::new(arguments.options);
    match commands::run(&session, &arguments.command) {
        Ok(Some(report)) => {
            let text = if session.options.json { pretty(&report.json) } else { report.render(session.lang) };
            print(&text);
            report.exit.into()
        }
        Ok(None) => Exit::Done.into(),
        Err(failure) => {
            // A program reads one document from the standard output, whatever happens.
            if session.options.json {
                print(&pretty(&failure.json()));
            } else {
                eprint!("{}", failure.render(session.lang));
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

fn usage(error: &clap::Error) -> ExitCode {
    use clap::error::ErrorKind as K;
    let asked = matches!(error.kind(), K::DisplayHelp | K::DisplayVersion);
    if asked || !std::env::args().any(|argument| argument == "--json") {
        let _ = error.print();
    } else {
        let failure = failure::Failure::new(
            Exit::Usage,
            "usage",
            text::Text { zh: "命令行用法错误".into(), en: "the command line makes no sense".into() },
        )
        .why(error.render().to_string());
        print(&pretty(&failure.json()));
    }
    if !asked && Lang::of_environment() == Lang::Zh && !std::env::args().any(|argument| argument == "--json") {
        eprintln!("用法有误;加 --help 查看说明。");
    }
    if asked { Exit::Done.into() } else { Exit::Usage.into() }
}
