//! Commands that sign: publishing a pack, moving to annul a version, deciding.

use clap::Args;
use serde_json::json;
use zhulian_modules::{
    governance::{Action, OpenMotion},
    rulepack::{Decide as DecideCall, Draft, Fact, Pack, PackId, StagePart, parts_of},
};
use zhulian_rules::Value;

use super::{
    facts::{Facts, canonical},
    source::{Read, Source, not_accepted},
};
use crate::{
    act::{Acted, act},
    failure::{Exit, Failure, Result},
    report::Report,
    session::Session,
    text,
    text::Text,
};

const MODULE: &str = "rulepack";

/// Options of `rules publish`.
#[derive(Args, Debug)]
pub struct Publish {
    /// The pack (pack.json)
    #[command(flatten)]
    pub source: Source,
    /// Only put it on the ledger, without a motion (只提交草案，不提动议)
    #[arg(long)]
    pub draft_only: bool,
}

/// Options of `rules propose-annul`.
#[derive(Args, Debug)]
pub struct Annul {
    /// The pack (规则包)
    #[arg(value_parser = pack_id)]
    pub pack: PackId,
    /// The version (版本)
    #[arg(value_name = "VERSION")]
    pub number: u32,
}

/// Options of `rules decide`.
#[derive(Args, Debug)]
pub struct Decide {
    /// The pack (规则包)
    #[arg(value_parser = pack_id)]
    pub pack: PackId,
    /// The decision (决策)
    pub decision: String,
    /// The version that the case keeps; default the one in force (本案适用的版本；默认现行版本)
    #[arg(long = "by-version", value_name = "VERSION")]
    pub number: Option<u32>,
    /// A fact, as FEEL: Age=12, Kind="Orphan", Born=@"2014-02-01" (一项事实，值用 FEEL 书写)
    #[arg(long, value_name = "NAME=VALUE")]
    pub fact: Vec<String>,
}

/// Reads the id of a pack.
pub(super) fn pack_id(text: &str) -> std::result::Result<PackId, String> {
    PackId::parse(text).map_err(|_| {
        "2 to 32 characters of a-z, 0-9 and -, a letter first (2 至 32 个字符：小写字母、数字和 -，以字母开头)".into()
    })
}

/// Accepts what is on the ledger already: publishing may be run again after an interruption.
fn unless_there(done: Result<Acted>, code: &str) -> Result<()> {
    match done {
        Err(failure) if failure.code != code => Err(failure),
        _ => Ok(()),
    }
}

/// Puts a pack on the ledger and moves to enact it.
///
/// # Errors
/// When it would not be accepted, or a step is refused.
pub fn publish(session: &Session, args: &Publish) -> Result<Report> {
    let Read { manifest, files, is_pack } = args.source.read()?;
    if !is_pack {
        return Err(Failure::new(
            Exit::Usage,
            "pack",
            text!("发布需要规则包说明（pack.json）", "publishing wants a pack (pack.json)"),
        )
        .next(Text::fixed("可参照 scenarios/packs", "compare scenarios/packs")));
    }
    // What the ledger would refuse is told here, with every fault and its remedy.
    let pack = Pack::compile(manifest.clone(), &files).map_err(|error| not_accepted(&args.source.file, &error))?;
    for part in files.iter().flat_map(|file| parts_of(file)) {
        unless_there(act(session, MODULE, &StagePart { bytes: part.to_vec() }), "rulepack.part_exists")?;
    }
    unless_there(act(session, MODULE, &Draft { manifest: manifest.clone() }), "rulepack.draft_exists")?;
    let (id, version, digest) = (&manifest.pack, manifest.version, hex::encode(pack.digest));
    if args.draft_only {
        let sentence = text!("{id} 第 {version} 版草案已提交。", "Version {version} of {id} is drafted.");
        return Ok(Report::new(sentence, json!({ "pack": id.to_string(), "version": version, "manifest": digest }))
            .detail(Text::fixed("清单摘要", "manifest"), digest));
    }
    let done = act(session, "governance", &OpenMotion { action: Action::EnactRules(pack.digest) })?;
    let number = motion_number(&done);
    let mut report = done
        .report(text!(
            "{id} 第 {version} 版草案已提交，动议 {number} 等待各机构投票。",
            "Version {version} of {id} is drafted; the organisations may vote on motion {number}."
        ))
        .detail(Text::fixed("清单摘要", "manifest"), digest.clone())
        .next(text!("投票：zhulian org vote {number} yes", "To vote: zhulian org vote {number} yes"));
    report.json["manifest"] = json!(digest);
    report.json["motion"] = json!(number);
    Ok(report)
}

fn motion_number(done: &Acted) -> String {
    let opened = done.view.events.iter().flatten().find(|event| event.name == "motion_opened");
    let number = opened.and_then(|event| event.data.get("number").or_else(|| event.data.get("0")).cloned());
    number.map_or_else(|| "?".into(), |number| number.to_string())
}

/// Moves to annul a version.
///
/// # Errors
/// When it is refused.
pub fn annul(session: &Session, args: &Annul) -> Result<Report> {
    let (pack, version) = (&args.pack, args.number);
    let done = act(session, "governance", &OpenMotion { action: Action::AnnulRules(pack.clone(), version) })?;
    let number = motion_number(&done);
    Ok(done
        .report(text!(
            "撤销 {pack} 第 {version} 版的动议 {number} 已提出。",
            "Motion {number} to annul version {version} of {pack} is open."
        ))
        .next(text!("投票：zhulian org vote {number} yes", "To vote: zhulian org vote {number} yes")))
}

/// Decides on the ledger.
///
/// # Errors
/// When it is refused.
pub fn decide(session: &Session, args: &Decide) -> Result<Report> {
    let mut facts = Vec::new();
    for (name, value) in typed(&args.fact)? {
        facts.push(Fact { name: name.to_string(), value: canonical(&value), commitment: None });
    }
    facts.sort_by(|a, b| a.name.cmp(&b.name));
    let call =
        DecideCall { pack: args.pack.clone(), version: args.number, decision: args.decision.clone(), facts, subject: None };
    let done = act(session, MODULE, &call)?;
    let decided = done.view.events.iter().flatten().find(|event| event.name == "decided");
    let field = |name: &str| {
        decided.and_then(|event| event.data.get(name)).map(|it| it.as_str().map_or(it.to_string(), str::to_owned))
    };
    let (outcome, version) = (field("outcome").unwrap_or_default(), field("version").unwrap_or_default());
    let (decision, pack) = (&args.decision, &args.pack);
    Ok(done
        .report(text!(
            "依 {pack} 第 {version} 版，“{decision}”的结果：{outcome}",
            "By version {version} of {pack}, {decision} gives: {outcome}"
        ))
        .next(Text::fixed(
            "zhulian tx receipt 取得回执后，任何人可用 zhulian rules rerun 离线复算。",
            "With the receipt (zhulian tx receipt), anyone can decide it again offline: zhulian rules rerun.",
        )))
}

fn typed(facts: &[String]) -> Result<Vec<(zhulian_rules::Name, Value)>> {
    Facts { facts: None, fact: facts.to_vec() }.of_words()
}
