//! `zhulian case`: cases (办件) of procedures: opened, looked up, worked on.

mod act;
mod show;

use clap::{Args, Subcommand};
use zhulian_modules::procedure::CaseId;

use crate::{failure::Result, report::Report, session::Session};

/// Open cases of procedures, look them up and work on them (办件)
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Open a case of a procedure in force; signed by an officer (立案)
    Open(act::Open),
    /// List cases, the latest first (列出办件)
    List(show::List),
    /// Show a case with its tasks, clock and materials (查看办件)
    Show(Case),
    /// All that happened to a case (办件经过)
    History(Case),
    /// List the tasks that wait for an organisation (列出待办任务)
    Tasks(show::Tasks),
    /// Take a task of one's organisation on (认领任务)
    Claim(Task),
    /// Complete a task with its results, or with an error that the procedure catches (完成任务)
    Complete(act::Complete),
    /// Give a claimed task back (退回任务)
    Return(Task),
    /// Hand a task over to another organisation (转办任务)
    Transfer(act::Transfer),
    /// Deliver a message that the case waits for, such as a payment (递送消息)
    Send(act::Send),
    /// Submit a material by its digest or commitment (提交材料)
    Submit(act::Submit),
    /// Stop the clock for a reason that the procedure lists (暂停计时)
    Pause(act::Pause),
    /// Let the clock run again (恢复计时)
    Resume(Case),
    /// Fire the timers and alerts that are due (触发到期的定时和预警)
    Tick(Case),
    /// Propose, against the procedure, to count a task as done; another member must confirm (提议人工完成任务，须另一人复核)
    ProposeComplete(act::ProposeComplete),
    /// Propose, against the procedure, to close the case (提议人工办结)
    ProposeClose(act::ProposeClose),
    /// Propose, against the procedure, to make its periods longer (提议延长期限)
    ProposeExtend(act::ProposeExtend),
    /// Propose, against the procedure, to give a task to another organisation (提议改派任务)
    ProposeReassign(act::ProposeReassign),
    /// Confirm or reject what was proposed; signed by another member (复核人工干预)
    Confirm(act::Confirm),
    /// Put the applicant's rating of a closed case on record (登记好差评)
    Rate(act::Rate),
}

/// A case.
#[derive(Args, Debug)]
pub struct Case {
    /// The case number, such as BJ20260105-000042 (办件编号，例如 BJ20260105-000042)
    #[arg(value_parser = case_id)]
    pub case: CaseId,
}

/// A task of a case.
#[derive(Args, Debug)]
pub struct Task {
    /// The case number, such as BJ20260105-000042 (办件编号，例如 BJ20260105-000042)
    #[arg(value_parser = case_id)]
    pub case: CaseId,
    /// The number of the task in the case, from `case show` (任务序号，见 case show)
    pub task: u32,
}

fn case_id(text: &str) -> std::result::Result<CaseId, String> {
    CaseId::parse(text.trim()).map_err(|_| "a case number is like BJ20260105-000042 (办件编号形如 BJ20260105-000042)".into())
}

/// Runs the command.
///
/// # Errors
/// When it does not succeed.
pub fn run(session: &Session, command: &Command) -> Result<Report> {
    match command {
        Command::Open(args) => act::open(session, args),
        Command::List(args) => show::list(session, args),
        Command::Show(args) => show::show(session, args.case),
        Command::History(args) => show::history(session, args.case),
        Command::Tasks(args) => show::tasks(session, args),
        Command::Claim(args) => act::claim(session, args),
        Command::Complete(args) => act::complete(session, args),
        Command::Return(args) => act::return_task(session, args),
        Command::Transfer(args) => act::transfer(session, args),
        Command::Send(args) => act::send(session, args),
        Command::Submit(args) => act::submit(session, args),
        Command::Pause(args) => act::pause(session, args),
        Command::Resume(args) => act::resume(session, args.case),
        Command::Tick(args) => act::tick(session, args.case),
        Command::ProposeComplete(args) => act::propose_complete(session, args),
        Command::ProposeClose(args) => act::propose_close(session, args),
        Command::ProposeExtend(args) => act::propose_extend(session, args),
        Command::ProposeReassign(args) => act::propose_reassign(session, args),
        Command::Confirm(args) => act::confirm(session, args),
        Command::Rate(args) => act::rate(session, args),
    }
}
