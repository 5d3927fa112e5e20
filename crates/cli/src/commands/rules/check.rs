//! `zhulian rules check`: whether rules would be accepted at deployment.

use serde_json::json;
use zhulian_modules::rulepack::Pack;

use super::source::{Read, Source, refused};
use crate::{failure::Result, report::Report, text, text::Text};

/// Runs the command.
///
/// # Errors
/// When the files cannot be read.
pub fn run(args: &Source) -> Result<Report> {
    let Read { manifest, files, is_pack } = args.read()?;
    let compiled = Pack::compile(manifest, &files).and_then(|pack| pack.keepable().map(|()| pack));
    let pack = match compiled {
        Ok(pack) => pack,
        Err(error) => return Ok(refused(&args.file, &error)),
    };
    let (model, shown) = (pack.model(), args.file.display());
    let rules: usize = model.tables().iter().map(|table| table.rules.len()).sum();
    let tables = model.tables().len();
    let decisions: Vec<_> = model
        .decisions()
        .map(|(name, ty)| {
            let needs: Vec<_> = model.required(name).map(|(name, _)| name).filter(|name| !pack.fixes(name)).collect();
            json!({ "decision": name, "type": ty.to_string(), "needs": needs })
        })
        .collect();
    let inputs = model.inputs().map(|(name, ty)| json!({ "input": name, "type": ty.to_string() }));
    let mut json = json!({
        "accepted": true,
        "model": model.name(),
        "decisions": decisions,
        "inputs": inputs.collect::<Vec<_>>(),
        "tables": tables,
        "rules": rules,
    });
    let names = |names: Vec<String>| Text::from(names.join("\n"));
    let mut report = Report::new(text!("{shown} 会被接受。", "{shown} would be accepted."), json!(null))
        .fact(Text::fixed("决策", "decisions"), names(model.decisions().map(|(name, ty)| format!("{name}: {ty}")).collect()))
        .fact(Text::fixed("输入", "inputs"), names(model.inputs().map(|(name, ty)| format!("{name}: {ty}")).collect()))
        .fact(Text::fixed("决策表与规则", "tables and rules"), format!("{tables}, {rules}"));
    if let Some(calendar) = pack.calendar() {
        let (first, last) = calendar.bounds();
        json["calendar"] = json!({ "first": first.to_string(), "last": last.to_string() });
        report = report.fact(Text::fixed("工作日历", "calendar"), text!("{first} 至 {last}", "{first} to {last}"));
    }
    if !pack.rates().is_empty() {
        let rates = pack.rates().iter().map(|(name, value)| format!("{name} = {}", super::facts::canonical(value)));
        report = report.fact(Text::fixed("费率与标准", "rates"), names(rates.collect()));
        json["rates"] = pack.rates().iter().map(|(name, _)| name.to_string()).collect();
    }
    if !pack.documents().is_empty() {
        let list = |name: fn(&zhulian_modules::rulepack::Document) -> &str| {
            pack.documents().iter().map(|it| format!("{} ({})", name(it), it.source)).collect::<Vec<_>>().join("\n")
        };
        report = report
            .fact(Text::fixed("材料", "documents"), Text { zh: list(|it| &it.zh).into(), en: list(|it| &it.en).into() });
        json["documents"] = pack.documents().iter().map(|it| it.code.as_str()).collect();
    }
    if is_pack {
        json["manifest"] = json!(hex::encode(pack.digest));
        report = report.detail(Text::fixed("清单摘要", "manifest"), hex::encode(pack.digest));
    }
    report.json = json;
    Ok(report)
}
