//! Event logs as XES (IEEE 1849-2016), for process-mining tools.

use crate::instance::What;
use crate::time::local;
use std::{collections::BTreeMap, fmt::Write};
use zhulian_rules::temporal::Zone;

/// One thing that happened to an activity of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The case.
    pub case: String,
    /// The activity.
    pub activity: String,
    /// Which time of the activity in the case: the number of the task.
    pub number: u32,
    /// What happened.
    pub what: What,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// The organisation that caused it.
    pub organisation: String,
    /// The member that caused it.
    pub member: String,
}

const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849.2016" xes.features="" xmlns="http://www.xes-standard.org/">
  <extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
  <extension name="Lifecycle" prefix="lifecycle" uri="http://www.xes-standard.org/lifecycle.xesext"/>
  <extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
  <extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
  <global scope="trace">
    <string key="concept:name" value="-"/>
  </global>
  <global scope="event">
    <string key="concept:name" value="-"/>
    <string key="lifecycle:transition" value="complete"/>
    <date key="time:timestamp" value="1970-01-01T08:00:00+08:00"/>
  </global>
  <classifier name="Activity" keys="concept:name"/>
  <classifier name="ActivityAndTransition" keys="concept:name lifecycle:transition"/>
"#;

/// The log of these entries: a trace for each case in the order in which cases first occur, events in their order.
pub fn log(entries: &[Entry]) -> String {
    let (mut places, mut cases) = (BTreeMap::new(), Vec::<(&str, Vec<&Entry>)>::new());
    for entry in entries {
        let place = *places.entry(entry.case.as_str()).or_insert(cases.len());
        if place == cases.len() {
            cases.push((&entry.case, Vec::new()));
        }
        cases[place].1.push(entry);
    }
    let mut out = HEAD.to_owned();
    for (case, entries) in cases {
        out.push_str("  <trace>\n");
        attribute(&mut out, 4, "string", "concept:name", case);
        for entry in entries {
            event(&mut out, entry);
        }
        out.push_str("  </trace>\n");
    }
    out.push_str("</log>\n");
    out
}

fn event(out: &mut String, entry: &Entry) {
    let transition = match entry.what {
        What::Entered => "start",
        What::Completed => "complete",
        What::Cancelled | What::Failed => "ate_abort",
    };
    out.push_str("    <event>\n");
    attribute(out, 6, "string", "concept:name", &entry.activity);
    attribute(out, 6, "string", "concept:instance", &entry.number.to_string());
    attribute(out, 6, "string", "lifecycle:transition", transition);
    attribute(out, 6, "string", "org:group", &entry.organisation);
    attribute(out, 6, "string", "org:resource", &entry.member);
    if let Some(at) = local(entry.at).and_then(|at| at.in_zone(Zone::Offset(8 * 3600))) {
        attribute(out, 6, "date", "time:timestamp", &at.to_string());
    }
    out.push_str("    </event>\n");
}

fn attribute(out: &mut String, indent: usize, kind: &str, key: &str, value: &str) {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML has no other control characters.
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    let _ = writeln!(out, "{:indent$}<{kind} key=\"{key}\" value=\"{escaped}\"/>", "");
}
