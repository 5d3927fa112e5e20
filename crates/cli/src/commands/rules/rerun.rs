//! `zhulian rules rerun`: what a receipt says was decided, decided again offline from the pack's files.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use zhulian_execution::Event as _;
use zhulian_modules::rulepack::{Decided, Pack};
use zhulian_primitives::{Event, Receipt};
use zhulian_rules::{Name, Value};
use zhulian_verify::ReceiptFile;

use super::{
    explain::{explained, report},
    facts::canonical,
    source::Source,
};
use crate::{
    commands::verify::read_receipt,
    failure::{Exit, Failure, Result},
    home::read_network,
    report::Report,
    session::Session,
    text,
    text::Text,
};

/// Options of `rules rerun`.
#[derive(Args, Debug)]
pub struct Rerun {
    /// The receipt of the transaction that decided, from `zhulian tx receipt` (作出决定的交易回执)
    pub receipt: PathBuf,
    /// The pack that decided: its pack.json, with its files beside it (作出决定的规则包)
    #[arg(long, value_name = "pack.json")]
    pub pack: PathBuf,
    /// The network identity to trust; default the one pinned in the home (可信网络身份文件)
    #[arg(long, value_name = "network.json")]
    pub network: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// When the receipt proves nothing or is of no decision, the pack is another one, or the outcome is not the same.
pub fn run(session: &Session, args: &Rerun) -> Result<Report> {
    let bytes = read_receipt(&args.receipt).map_err(|failure| {
        failure.next(Text::fixed(
            "回执由 zhulian tx receipt 交易编号 取得",
            "a receipt is fetched with: zhulian tx receipt TRANSACTION",
        ))
    })?;
    let network = match &args.network {
        Some(path) => Some(read_network(path)?),
        None => session.home().and_then(|home| home.network()).ok(),
    };
    let (events, proven) = match &network {
        Some(network) => {
            let facts = zhulian_verify::verify_receipt(network, &bytes).map_err(|refusal| no_proof(args, refusal))?;
            (facts.events, Some((facts.network, facts.height, facts.time)))
        }
        None => (unproven_events(&bytes).map_err(|refusal| no_proof(args, refusal))?, None),
    };
    let decided: Vec<Decided> = events.iter().filter_map(Decided::of).collect();
    let Some(first) = decided.first() else {
        let shown = args.receipt.display();
        return Err(Failure::new(
            Exit::NoProof,
            "rules.no_decision",
            text!("回执 {shown} 中没有依规则作出的决定", "the receipt {shown} is of no decision by rules"),
        ));
    };
    let pack = Source { file: args.pack.clone(), import: Vec::new() }.compile()?;
    let again = decide_again(&pack, first, args)?;
    for other in &decided[1..] {
        decide_again(&pack, other, args)?;
    }
    let count = decided.len();
    let mut out = again;
    let (zh, en) = (out.sentence.zh.into_owned(), out.sentence.en.into_owned());
    out.sentence = text!(
        "复算一致：{count} 项决定的结果、计算量与命中规则逐字节相同。\n{zh}",
        "Decided again, {count} in all: outcome, gas and rules are the same to the byte.\n{en}"
    );
    out = match proven {
        Some((name, height, time)) => out
            .fact(Text::fixed("网络", "network"), name)
            .fact(Text::fixed("决定时间", "decided"), crate::remote::beijing(time))
            .detail(Text::fixed("区块高度", "height"), crate::text::grouped(height)),
        None => out.next(Text::fixed(
            "未核验回执本身：没有可信的网络身份文件。用 --network 指定后，回执也一并核验。",
            "The receipt itself is not verified: there is no trusted network identity. Name one with --network to verify it, too.",
        )),
    };
    out.json["receipt_verified"] = json!(network.is_some());
    out.json["decisions"] = json!(count);
    Ok(out)
}

/// Decides one again; anything that is not the same is a failure.
fn decide_again(pack: &Pack, made: &Decided, args: &Rerun) -> Result<Report> {
    if pack.digest != made.digest {
        let (shown, found, wanted) = (args.pack.display(), hex::encode(pack.digest), hex::encode(made.digest));
        let (id, version) = (&made.pack, made.version);
        return Err(Failure::new(
            Exit::NoProof,
            "rules.other_pack",
            text!("{shown} 不是作出该决定的规则包", "{shown} is not the pack that decided"),
        )
        .why(text!("清单摘要应为 {wanted}，实为 {found}", "its manifest is {found}, and {wanted} decided"))
        .next(text!("请取得 {id} 第 {version} 版的原文件", "get the very files of version {version} of {id}")));
    }
    let facts: Option<Vec<(Name, Value)>> =
        made.facts.iter().map(|fact| Some((Name::from(&*fact.name), Value::from_canonical(&fact.value)?))).collect();
    let facts = facts.ok_or_else(|| differs(made, "a fact is not in canonical form"))?;
    let (outcome, why) = explained(pack, &made.decision, &facts)?;
    if canonical(&outcome.value) != made.outcome {
        return Err(differs(made, &format!("{} / {}", canonical(&outcome.value), made.outcome)));
    }
    let rules = outcome.hits.iter().map(|hit| (hit.table, hit.rule));
    if outcome.gas != made.gas || !rules.eq(made.hits.iter().map(|hit| (hit.table, hit.rule))) {
        return Err(differs(made, &format!("gas {} / {}", outcome.gas, made.gas)));
    }
    let mut out = report(pack, &made.decision, &facts, &outcome, &why);
    let (organisation, member) = (&made.organisation, &made.member);
    out = out.fact(Text::fixed("经办", "asked by"), format!("{organisation} {member}"));
    out.json["identical"] = json!(true);
    out.json["pack"] = json!(made.pack.to_string());
    out.json["version"] = json!(made.version);
    Ok(out)
}

fn differs(made: &Decided, why: &str) -> Failure {
    let decision = &made.decision;
    Failure::new(
        Exit::Mismatch,
        "rules.differs",
        text!("“{decision}”复算结果不一致", "{decision}, decided again, comes out otherwise"),
    )
    .why(why.to_owned())
    .next(Text::fixed("请向网络运营方报告", "report this to whoever runs the network"))
}

/// What a receipt says, proven or not.
pub(crate) fn unproven_events(bytes: &[u8]) -> std::result::Result<Vec<Event>, zhulian_verify::Refusal> {
    let file = ReceiptFile::decode(bytes)?;
    let receipt = Receipt::decode(&file.receipt).map_err(|_| zhulian_verify::Refusal::OutcomeMalformed)?;
    Ok(receipt.events)
}

fn no_proof(args: &Rerun, refusal: zhulian_verify::Refusal) -> Failure {
    let shown = args.receipt.display();
    Failure::new(Exit::NoProof, refusal.code(), text!("回执 {shown} 不能作为证明", "the receipt {shown} proves nothing"))
        .why(Text::from(&refusal))
}
