//! Event logs are XML of the standard's shape.

use zhulian_procedure::instance::What;
use zhulian_procedure::xes::{Entry, log};

#[test]
fn a_log_has_a_trace_for_each_case() {
    let entry = |case: &str, activity: &str, what| Entry {
        case: case.into(),
        activity: activity.into(),
        number: 2,
        what,
        at: 1_767_225_600_000,
        organisation: "11330100MB0000002".into(),
        member: "off".into(),
    };
    let text = log(&[
        entry("BJ1", "受理 & \"审查\"", What::Entered),
        entry("BJ2", "b", What::Cancelled),
        entry("BJ1", "a", What::Completed),
    ]);
    let document = roxmltree::Document::parse(&text).expect("it is XML");
    let root = document.root_element();
    assert_eq!(root.tag_name().namespace(), Some("http://www.xes-standard.org/"));
    // The schema of the standard has a decimal number here, and names without spaces.
    assert_eq!(root.attribute("xes.version"), Some("1849.2016"));
    let names = root.children().filter(|node| matches!(node.tag_name().name(), "classifier" | "extension"));
    assert!(names.filter_map(|node| node.attribute("name")).all(|name| name.chars().all(char::is_alphanumeric)));
    let traces: Vec<_> =
        root.children().filter(|node| node.has_tag_name(("http://www.xes-standard.org/", "trace"))).collect();
    let read = |trace: &roxmltree::Node<'_, '_>, key: &str| -> Vec<String> {
        let found = trace.descendants().filter(|node| node.attribute("key") == Some(key));
        found.filter_map(|node| node.attribute("value")).map(str::to_owned).collect()
    };
    assert_eq!(traces.len(), 2);
    assert_eq!(read(&traces[0], "concept:name"), ["BJ1", "受理 & \"审查\"", "a"]);
    assert_eq!(read(&traces[0], "lifecycle:transition"), ["start", "complete"]);
    assert_eq!(read(&traces[1], "lifecycle:transition"), ["ate_abort"]);
    assert_eq!(read(&traces[1], "time:timestamp"), ["2026-01-01T08:00:00+08:00"]);
}
