//! Event logs as they come: XES (IEEE 1849), or CSV with the column names of process-mining tools.

use crate::time::instant;
use roxmltree::Node;
use std::collections::BTreeMap;
use zhulian_rules::{temporal::DateTime, xml};

/// Most events of a log.
const EVENTS_MAX: usize = 2_000_000;
/// Largest log, in bytes.
const BYTES_MAX: usize = 256 << 20;
const XML_NODES_MAX: u32 = 40_000_000;

/// A log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// Its cases, in the order in which they first occur.
    pub cases: Vec<LogCase>,
}

/// A case of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogCase {
    /// Its name.
    pub id: String,
    /// What the log says of the case as a whole, without the prefix `case:`.
    pub attributes: BTreeMap<String, String>,
    /// Its events in the order of the log; events of one time stay in that order.
    pub events: Vec<LogEvent>,
}

/// Something that was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogEvent {
    /// The activity.
    pub activity: String,
    /// When, in milliseconds since 1970.
    pub at: Option<i64>,
    /// Who did it.
    pub resource: String,
    /// Of which group or organisation.
    pub group: String,
}

/// Why a log is not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// More than 256 MiB, or more than two million events.
    #[error("the log is too large")]
    TooLarge,
    /// A line of the CSV has another number of fields than its head, or a quote that does not end.
    #[error("line {0} has not the fields that the first line names")]
    Line(usize),
    /// A column that must be there is not.
    #[error("the column {0} is missing")]
    Column(&'static str),
    /// Not XML, or no log in it.
    #[error("the file is no event log: {0}")]
    Xes(String),
}

impl Log {
    /// Reads a log: XES when it begins as XML does, CSV otherwise.
    ///
    /// # Errors
    /// See [`LogError`].
    pub fn parse(text: &str) -> Result<Self, LogError> {
        if text.len() > BYTES_MAX {
            return Err(LogError::TooLarge);
        }
        let text = text.trim_start_matches('\u{feff}');
        let mut log = if text.trim_start().starts_with('<') { xes(text)? } else { csv(text)? };
        for case in &mut log.cases {
            // The order of the log is kept where times are equal or missing.
            if case.events.iter().all(|event| event.at.is_some()) {
                case.events.sort_by_key(|event| event.at);
            }
        }
        Ok(log)
    }

    /// How many events there are.
    pub fn events(&self) -> usize {
        self.cases.iter().map(|case| case.events.len()).sum()
    }
}

/// A point in time as logs write it: ISO 8601, also with a blank for the `T`.
pub fn time(text: &str) -> Option<i64> {
    let text = text.trim();
    let joined = match text.split_once(' ') {
        Some((date, time)) => format!("{date}T{time}"),
        None => text.to_owned(),
    };
    DateTime::parse(&joined).and_then(|at| instant(&at))
}

/// Only what is done counts: an activity that is started, suspended or given up is no event of the model.
fn counts(transition: &str) -> bool {
    transition.is_empty() || transition.eq_ignore_ascii_case("complete")
}

/// Fields of a line of CSV (RFC 4180), with the place where the next line begins; `None` for a quote that does not end.
fn fields(text: &str) -> Option<(Vec<String>, usize)> {
    let (mut all, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match (c, quoted) {
            ('"', true) if chars.peek().is_some_and(|(_, next)| *next == '"') => {
                chars.next();
                field.push('"');
            }
            ('"', true) => quoted = false,
            ('"', false) if field.is_empty() => quoted = true,
            (',', false) => all.push(std::mem::take(&mut field)),
            ('\n', false) => {
                if field.ends_with('\r') {
                    field.pop();
                }
                all.push(field);
                return Some((all, at + 1));
            }
            (c, _) => field.push(c),
        }
    }
    all.push(field);
    (!quoted).then_some((all, text.len()))
}

fn csv(text: &str) -> Result<Log, LogError> {
    let (head, mut at) = fields(text).ok_or(LogError::Line(1))?;
    let column = |name: &'static str| head.iter().position(|field| field.trim() == name);
    let case = column("case:concept:name").ok_or(LogError::Column("case:concept:name"))?;
    let activity = column("concept:name").ok_or(LogError::Column("concept:name"))?;
    let when = column("time:timestamp").ok_or(LogError::Column("time:timestamp"))?;
    let (transition, resource, group) = (column("lifecycle:transition"), column("org:resource"), column("org:group"));
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let (mut log, mut events, mut line) = (Log::default(), 0, 1);
    while at < text.len() {
        line += 1;
        let (row, length) = fields(&text[at..]).ok_or(LogError::Line(line))?;
        at += length;
        if row.len() == 1 && row[0].is_empty() {
            continue;
        }
        if row.len() != head.len() {
            return Err(LogError::Line(line));
        }
        let of = |column: Option<usize>| column.map(|column| row[column].trim().to_owned()).unwrap_or_default();
        if !counts(&of(transition)) {
            continue;
        }
        events += 1;
        if events > EVENTS_MAX {
            return Err(LogError::TooLarge);
        }
        let id = of(Some(case));
        let place = *places.entry(id.clone()).or_insert_with(|| {
            let attributes = head.iter().zip(&row).filter_map(|(name, value)| {
                let name = name.trim().strip_prefix("case:")?;
                (!value.trim().is_empty()).then(|| (name.to_owned(), value.trim().to_owned()))
            });
            log.cases.push(LogCase { id, attributes: attributes.collect(), events: Vec::new() });
            log.cases.len() - 1
        });
        log.cases[place].events.push(LogEvent {
            activity: of(Some(activity)),
            at: time(&of(Some(when))),
            resource: of(resource),
            group: of(group),
        });
    }
    Ok(log)
}

fn xes(text: &str) -> Result<Log, LogError> {
    let document = xml::document(text, BYTES_MAX, XML_NODES_MAX).map_err(|error| LogError::Xes(error.to_string()))?;
    let root = document.root_element();
    if root.tag_name().name() != "log" {
        return Err(LogError::Xes(root.tag_name().name().to_owned()));
    }
    let children = |node: Node<'_, '_>, name: &'static str| {
        node.children().filter(move |child| child.tag_name().name() == name).map(|child| child.id()).collect::<Vec<_>>()
    };
    let attributes = |node: Node<'_, '_>| -> BTreeMap<String, String> {
        let pair = |child: Node<'_, '_>| Some((child.attribute("key")?.to_owned(), child.attribute("value")?.to_owned()));
        node.children().filter(Node::is_element).filter_map(pair).collect()
    };
    let (mut log, mut events) = (Log::default(), 0);
    for trace in children(root, "trace").into_iter().filter_map(|id| document.get_node(id)) {
        let mut case = LogCase { attributes: attributes(trace), ..LogCase::default() };
        case.id = case.attributes.get("concept:name").cloned().unwrap_or_default();
        for event in children(trace, "event").into_iter().filter_map(|id| document.get_node(id)) {
            let mut of = attributes(event);
            if !counts(of.get("lifecycle:transition").map_or("", String::as_str)) {
                continue;
            }
            events += 1;
            if events > EVENTS_MAX {
                return Err(LogError::TooLarge);
            }
            let mut take = |key: &str| of.remove(key).unwrap_or_default();
            let (activity, at) = (take("concept:name"), time(&take("time:timestamp")));
            case.events.push(LogEvent { activity, at, resource: take("org:resource"), group: take("org:group") });
        }
        log.cases.push(case);
    }
    Ok(log)
}
