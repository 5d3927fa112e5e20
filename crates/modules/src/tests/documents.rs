//! The committed catalogues are what the code says.

use std::{collections::BTreeSet, path::Path};

use zhulian_execution::{RefusalEntry, TRANSACTION_REFUSALS};
use zhulian_primitives::Code;

use crate::{MODULES, catalogue, refusal_text};

/// Compares a committed text with what the code prints, or rewrites it when `UPDATE_DOCS` is set.
pub(super) fn compare(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, text).expect("the document is written");
        return;
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    let differs = committed.lines().zip(text.lines()).position(|(a, b)| a != b);
    assert!(
        committed == text,
        "{path} is not what the code prints (first other line: {differs:?}); run `make docs` and read the difference"
    );
}

#[test]
fn the_committed_catalogues_are_what_the_code_prints() {
    for (path, text) in catalogue::documents() {
        compare(path, &text);
    }
}

fn refusals() -> impl Iterator<Item = (&'static str, &'static [RefusalEntry])> {
    let modules = MODULES.iter().map(|module| (module.name, module.refusals));
    modules.chain([("transaction", TRANSACTION_REFUSALS)])
}

#[test]
fn every_refusal_has_a_number_a_slug_and_four_texts_of_its_own() {
    for (module, entries) in refusals() {
        let numbers: BTreeSet<u16> = entries.iter().map(|entry| entry.number).collect();
        let slugs: BTreeSet<String> = entries.iter().map(|entry| entry.slug(module)).collect();
        assert_eq!((numbers.len(), slugs.len()), (entries.len(), entries.len()), "{module}");
        for entry in entries {
            let chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
            assert!(!chinese(entry.en) && !chinese(entry.remedy_en), "{}", entry.slug(module));
            assert!(chinese(entry.zh) && chinese(entry.remedy_zh), "{}", entry.slug(module));
            let text = refusal_text(&Code { module: module.into(), number: entry.number }).expect("a text");
            assert_eq!(text.slug, entry.slug(module));
        }
    }
    assert!(refusal_text(&Code { module: "evidence".into(), number: 999 }).is_none());
    assert!(refusal_text(&Code { module: "weather".into(), number: 1 }).is_none());
}

#[test]
fn modules_calls_and_events_have_names_of_their_own() {
    let names = |items: Vec<&str>| items.iter().collect::<BTreeSet<_>>().len() == items.len();
    assert!(names(MODULES.iter().map(|module| module.name).collect()));
    for module in MODULES {
        assert!(names(module.calls.iter().map(|call| call.name).collect()));
        assert!(names(module.events.iter().map(|event| event.name).collect()));
        assert!(module.state.iter().all(|entry| entry.map.starts_with(&format!("{}/", module.name))));
    }
}
