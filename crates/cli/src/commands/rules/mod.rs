//! `zhulian rules`: decisions in DMN, checked, tested, explained and timed offline; packs published and voted in; decisions made
//! again from their receipts.

pub(crate) mod act;
mod bench;
mod calendar;
mod check;
mod compare;
mod explain;
pub(crate) mod facts;
mod fetch;
pub(crate) mod rerun;
pub(crate) mod source;
mod test;

use clap::Subcommand;

use crate::{failure::Result, report::Report, session::Session};

/// Check, test and explain decisions, and decide again from receipts (规则：检查、测试、说明与复算)
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Say whether a DMN file or a pack would be accepted, else each fault with its remedy (检查规则能否被接受，逐项指出问题与改法)
    Check(source::Source),
    /// Run a table of cases, in the XML of the DMN TCK or in JSON (运行测试用例表)
    Test(test::Test),
    /// Decide, and explain which rule matched, on which facts, and what would have to change (作出决定并说明理由)
    Explain(explain::Explain),
    /// Time a decision, gas included (测量决策用时)
    Bench(bench::Bench),
    /// Decide again, offline, what a receipt says was decided, and explain it (凭回执离线复算并说明)
    Rerun(rerun::Rerun),
    /// Replay a log of decisions against an old and a new version, and report what would change (用历史决定比对新旧版本)
    Compare(compare::Compare),
    /// Write the next version of a calendar of working days, from the notice of the year's days off (依放假安排通知生成下一年度工作日历的新版本)
    Calendar(calendar::Calendar),
    /// List the rule packs of the ledger (列出账本上的规则包)
    List,
    /// Show a pack with its versions, drafts and votes (查看规则包的版本、草案与表决)
    Show(fetch::Show),
    /// Get the files of a version or draft, verified against its digest (取得规则包某一版本的文件并核对摘要)
    Fetch(fetch::Fetch),
    /// Put a pack on the ledger and move to enact it; signed by a representative (发布规则包并提出生效动议)
    Publish(act::Publish),
    /// Move to annul a version before it takes effect (提议撤销尚未生效的版本)
    ProposeAnnul(act::Annul),
    /// Decide by the version of a pack that is in force; signed by an officer (依规则决定)
    Decide(act::Decide),
}

/// Runs the command.
///
/// # Errors
/// When it does not succeed.
pub fn run(session: &Session, command: &Command) -> Result<Report> {
    match command {
        Command::Check(args) => check::run(args),
        Command::Test(args) => test::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Rerun(args) => rerun::run(session, args),
        Command::Compare(args) => compare::run(args),
        Command::Calendar(args) => calendar::run(args),
        Command::List => fetch::list(session),
        Command::Show(args) => fetch::show(session, args),
        Command::Fetch(args) => fetch::fetch(session, args),
        Command::Publish(args) => act::publish(session, args),
        Command::ProposeAnnul(args) => act::annul(session, args),
        Command::Decide(args) => act::decide(session, args),
    }
}
