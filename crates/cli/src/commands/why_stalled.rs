//! `zhulian why-stalled`: what keeps the network from going on, or soon may.

use zhulian_api::diagnosis::{Finding, Severity};

use crate::{
    failure::{Exit, Result},
    remote::Remote,
    report::Report,
    session::Session,
    text,
    text::Text,
};

/// Asks the gateway what its node finds.
///
/// # Errors
/// When it cannot be asked.
pub fn run(session: &Session) -> Result<Report> {
    let remote = Remote::asking(session)?;
    let diagnosis = remote.call(remote.client.diagnosis())?;
    let count = diagnosis.findings.len();
    let sentence = match (diagnosis.moving, count) {
        (true, 0) => Text::fixed(
            "没有停滞：网络正常出块，未发现问题。",
            "It is not stalled: blocks are finalised, and nothing is wrong.",
        ),
        (true, _) => text!("没有停滞，但有 {count} 项需要注意。", "It is not stalled, but this needs attention: {count}."),
        // What stands in this node's own way says nothing of the network.
        (false, _) if diagnosis.findings.iter().all(is_own) => {
            text!(
                "本节点没有跟上网络，原因见下（共 {count} 项）。",
                "This node does not follow the network; findings: {count}."
            )
        }
        (false, _) => {
            text!("已停滞，原因见下（共 {count} 项）。", "It is stalled; findings: {count}.")
        }
    };
    let json = serde_json::to_value(&diagnosis).unwrap_or_default();
    let mut report = Report::new(sentence, json).exit(if diagnosis.moving { Exit::Done } else { Exit::Network });
    for finding in diagnosis.findings {
        let severity = match finding.severity {
            Severity::Blocking => Text::fixed("停滞", "stalls"),
            Severity::Warning => Text::fixed("注意", "warning"),
        };
        report = report
            .fact(severity, Text { zh: finding.zh.into(), en: finding.en.into() })
            .fact(Text::fixed("处理办法", "remedy"), Text { zh: finding.remedy_zh.into(), en: finding.remedy_en.into() });
    }
    Ok(report)
}

/// Whether a finding does not tell that the network stands still.
fn is_own(finding: &Finding) -> bool {
    finding.severity != Severity::Blocking || finding.is_of_this_node()
}
