//! Small models for tests.

use zhulian_rules::{Halt, Model, Name, Outcome, Profile, Reason, Refusal, Value};

pub const GAS: u64 = 1_000_000;

pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A model around elements.
pub fn definitions(inner: &str) -> String {
    format!(
        r#"<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="d" name="test" namespace="urn:test">{inner}</definitions>"#
    )
}

/// A model with one decision, `Answer`, that is an expression.
pub fn expression(text: &str) -> String {
    definitions(&format!(
        r#"<decision id="a" name="Answer"><variable name="Answer"/><literalExpression><text>{}</text></literalExpression></decision>"#,
        escape(text)
    ))
}

/// A model with an input `x` of a type and a table of `condition => output` rules.
pub fn table(ty: &str, policy: &str, default: &str, rules: &[(&str, &str)]) -> String {
    let rules: String = rules
        .iter()
        .enumerate()
        .map(|(i, (cell, output))| {
            format!(
                r#"<rule id="r{}"><inputEntry><text>{}</text></inputEntry><outputEntry><text>{}</text></outputEntry></rule>"#,
                i + 1,
                escape(cell),
                escape(output)
            )
        })
        .collect();
    let default = if default.is_empty() {
        String::new()
    } else {
        format!("<defaultOutputEntry><text>{}</text></defaultOutputEntry>", escape(default))
    };
    definitions(&format!(
        r##"<inputData id="x" name="x"><variable name="x" typeRef="{ty}"/></inputData>
        <decision id="a" name="Answer"><variable name="Answer"/>
        <informationRequirement><requiredInput href="#x"/></informationRequirement>
        <decisionTable id="t" hitPolicy="{policy}"><input label="x"><inputExpression typeRef="{ty}"><text>x</text></inputExpression></input>
        <output>{default}</output>{rules}</decisionTable></decision>"##
    ))
}

pub fn decide(source: &str, facts: &[(Name, Value)], gas: u64) -> Result<Outcome, Halt> {
    Model::compile(&[source], Profile::Standard).expect("compiles").decide("Answer", facts, gas)
}

/// The value of an expression as FEEL writes it.
pub fn feel(text: &str) -> String {
    match decide(&expression(text), &[], GAS) {
        Ok(outcome) => outcome.value.to_feel(&mut zhulian_rules::gas::Gas::new(GAS)).unwrap_or_else(|h| h.to_string()),
        Err(halt) => halt.to_string(),
    }
}

/// What the strict profile refuses.
pub fn refusals(source: &str) -> Vec<Refusal> {
    Model::compile(&[source], Profile::Strict).err().unwrap_or_default()
}

pub fn reasons(source: &str) -> Vec<Reason> {
    refusals(source).into_iter().map(|refusal| refusal.reason).collect()
}
