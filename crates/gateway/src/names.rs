//! Names for the fields of events, taken from the modules' own catalogue, so that JSON says `"organisation"` where the ledger has a 3.
//!
//! An event's CDDL reads `{ 0: evidence_id, ? 1: uint }   ; id, entry`: keys with types, then a name for each. A module's CDDL has its
//! enumerations as `name = &(first: 0, second: 1)`. What does not read so is shown as it is.

use std::{collections::BTreeMap, sync::LazyLock};

use serde_json::{Map, Value};
use zhulian_modules::MODULES;
use zhulian_primitives::EvidenceId;

/// A field of an event.
struct Field {
    name: String,
    kind: &'static str,
}

/// Fields of one event by their key on the ledger.
type Fields = BTreeMap<&'static str, Field>;

static EVENTS: LazyLock<BTreeMap<(&'static str, &'static str), Fields>> = LazyLock::new(|| {
    let events = MODULES.iter().flat_map(|module| module.events.iter().map(move |event| (module.name, event)));
    events.filter_map(|(module, event)| Some(((module, event.name), fields(event.cddl)?))).collect()
});

/// Names of the values of enumerations, by type and number.
static VALUES: LazyLock<BTreeMap<(&'static str, u64), &'static str>> = LazyLock::new(|| {
    let rules = MODULES.iter().flat_map(|module| module.cddl.lines()).filter_map(|line| line.split_once(" = &("));
    let values = rules.filter_map(|(kind, rest)| Some((kind, rest.split_once(')')?.0))).flat_map(|(kind, values)| {
        values.split(", ").filter_map(move |value| {
            let (name, number) = value.split_once(": ")?;
            Some(((kind, number.parse().ok()?), name))
        })
    });
    values.collect()
});

fn fields(cddl: &'static str) -> Option<Fields> {
    let (shape, names) = cddl.split_once(';')?;
    let shape = shape.trim().strip_prefix('{')?.strip_suffix('}')?;
    let keys: Vec<(&str, &str)> =
        shape.split(',').map(|field| field.trim().trim_start_matches("? ").split_once(": ")).collect::<Option<_>>()?;
    let names: Vec<String> = names.split(',').map(slug).collect();
    let named = keys.len() == names.len();
    named.then(|| keys.into_iter().zip(names).map(|((key, kind), name)| (key, Field { name, kind })).collect())
}

/// A name as a member of JSON: `the first one's id` becomes `the_first_ones_id`.
fn slug(name: &str) -> String {
    let name = name.trim().chars().filter(|c| c.is_ascii_alphanumeric() || *c == ' ' || *c == '_');
    name.map(|c| if c == ' ' { '_' } else { c }).collect()
}

/// Names the fields of an event's data.
pub fn name(module: &str, event: &str, data: Value) -> Value {
    let (Some(fields), Value::Object(members)) = (EVENTS.get(&(module, event)), &data) else { return data };
    let named = members.iter().map(|(key, value)| match fields.get(key.as_str()) {
        Some(field) => (field.name.clone(), shown(field.kind, value)),
        None => (key.clone(), value.clone()),
    });
    Value::Object(named.collect::<Map<_, _>>())
}

fn shown(kind: &'static str, value: &Value) -> Value {
    match value {
        Value::String(digits) if kind == "evidence_id" => {
            let bytes = digits.parse::<zhulian_api::HexBytes>().ok().and_then(|bytes| bytes.0.try_into().ok());
            bytes.map_or_else(|| value.clone(), |bytes| EvidenceId(bytes).to_string().into())
        }
        Value::Number(number) => {
            let name = number.as_u64().and_then(|number| VALUES.get(&(kind, number)));
            name.map_or_else(|| value.clone(), |name| (*name).into())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_of_every_module_has_its_fields_named() {
        for module in MODULES {
            for event in module.events {
                assert!(EVENTS.contains_key(&(module.name, event.name)), "{}.{}: {}", module.name, event.name, event.cddl);
            }
        }
    }

    #[test]
    fn numbers_and_enumerations_become_words() {
        let data = serde_json::json!({ "0": "05".repeat(16), "3": "x", "5": 5, "9": 1 });
        let named = name("evidence", "deposited", data);
        let expected =
            serde_json::json!({ "id": EvidenceId([5; 16]).to_string(), "organisation": "x", "source": "contract", "9": 1 });
        assert_eq!(named, expected);
    }
}
