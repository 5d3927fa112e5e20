//! `zhulian rules explain`: a decision with its reasons, for a clerk to read and to hand out.

use clap::Args;
use serde_json::{Value as Json, json};
use zhulian_modules::rulepack::Pack;
use zhulian_rules::{Name, Outcome, Undecided, Value, explain::Explanation};

use super::{
    facts::{Facts, canonical, decision, to_json, undecided},
    source::Source,
};
use crate::{failure::Result, report::Report, text, text::Text};

/// Options of `rules explain`.
#[derive(Args, Debug)]
pub struct Explain {
    /// The rules
    #[command(flatten)]
    pub source: Source,
    /// The decision; may be left out where there is only one (决策；只有一个时可省略)
    #[arg(long, short)]
    pub decision: Option<String>,
    /// The facts
    #[command(flatten)]
    pub facts: Facts,
}

/// Runs the command.
///
/// # Errors
/// When nothing is decided on these facts.
pub fn run(args: &Explain) -> Result<Report> {
    let pack = args.source.compile()?;
    let decision = decision(&pack, args.decision.as_deref())?;
    let facts = args.facts.read(&pack)?;
    let (outcome, why) = explained(&pack, &decision, &facts)?;
    Ok(report(&pack, &decision, &facts, &outcome, &why))
}

/// Decides and explains.
///
/// # Errors
/// When nothing is decided on these facts.
pub fn explained(pack: &Pack, decision: &str, facts: &[(Name, Value)]) -> Result<(Outcome, Explanation)> {
    let outcome = pack.decide(decision, facts).map_err(|why| undecided(pack, decision, &why))?;
    let (_, why) = pack.explain(decision, facts).map_err(|halt| undecided(pack, decision, &Undecided::Halted(halt)))?;
    Ok((outcome, why))
}

/// The certificate of what was seen: rules, facts, reasons, result.
pub fn report(pack: &Pack, decision: &str, facts: &[(Name, Value)], outcome: &Outcome, why: &Explanation) -> Report {
    let manifest = &pack.manifest;
    let result = canonical(&outcome.value);
    let given: Vec<String> = facts.iter().map(|(name, value)| format!("{name} = {}", canonical(value))).collect();
    let mut report = Report::new(
        text!("“{decision}”的结果：{result}", "{decision} gives: {result}"),
        json!({
            "decision": decision,
            "result": to_json(&outcome.value),
            "canonical": result,
            "gas": outcome.gas,
            "manifest": hex::encode(pack.digest),
            "facts": facts.iter().map(|(name, value)| (name.to_string(), to_json(value))).collect::<serde_json::Map<_, _>>(),
            "hits": hits(pack, outcome),
            "explanation": { "zh": why.zh(), "en": why.en() },
        }),
    )
    .fact(
        Text::fixed("规则", "rules"),
        Text {
            zh: format!("{} ({} v{})", manifest.zh, manifest.pack, manifest.version).into(),
            en: format!("{} ({} v{})", manifest.en, manifest.pack, manifest.version).into(),
        },
    );
    if manifest.statute != "-" {
        report = report.fact(Text::fixed("依据", "statute"), manifest.statute.as_str());
    }
    report
        .fact(Text::fixed("事实", "facts"), given.join("\n"))
        .fact(Text::fixed("理由", "reasons"), Text { zh: why.zh().into(), en: why.en().into() })
        .detail(Text::fixed("清单摘要", "manifest"), hex::encode(pack.digest))
        .detail(Text::fixed("计算量", "gas"), outcome.gas.to_string())
}

fn hits(pack: &Pack, outcome: &Outcome) -> Vec<Json> {
    let tables = pack.model().tables();
    let hit = |hit: &zhulian_rules::Hit| {
        let table = tables.get(usize::from(hit.table))?;
        let rule = table.rules.get(usize::from(hit.rule))?;
        Some(json!({ "table": &*table.element, "rule": hit.rule + 1, "id": &*rule.id }))
    };
    outcome.hits.iter().filter_map(hit).collect()
}
