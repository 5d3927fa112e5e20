//! What a command prints: a sentence first, then the facts, technical details last; or one JSON document.

use std::borrow::Cow;

use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

use crate::{
    failure::Exit,
    text::{Lang, Text, harmless},
};

/// The outcome of a command.
#[derive(Clone, Debug)]
pub struct Report {
    /// Exit code.
    pub exit: Exit,
    /// What a reader must know, in a sentence or a few.
    pub sentence: Text,
    /// What most readers want to know, with labels.
    pub facts: Vec<(Text, Text)>,
    /// A list, if the command lists things.
    pub table: Option<Table>,
    /// Digests, keys, heights.
    pub details: Vec<(Text, Text)>,
    /// What the reader can do next.
    pub next: Vec<Text>,
    /// The same for programs.
    pub json: Value,
}

/// Rows under headings.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Headings.
    pub head: Vec<Text>,
    /// Rows, each as long as the head.
    pub rows: Vec<Vec<Text>>,
}

impl Report {
    /// A report of a sentence and the object for programs.
    pub fn new(sentence: impl Into<Text>, json: Value) -> Self {
        Self {
            exit: Exit::Done,
            sentence: sentence.into(),
            facts: Vec::new(),
            table: None,
            details: Vec::new(),
            next: Vec::new(),
            json,
        }
    }

    /// Sets the exit code.
    #[must_use]
    pub fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn fact(mut self, label: Text, value: impl Into<Text>) -> Self {
        self.facts.push((label, value.into()));
        self
    }

    /// Adds a technical detail.
    #[must_use]
    pub fn detail(mut self, label: Text, value: impl Into<Text>) -> Self {
        self.details.push((label, value.into()));
        self
    }

    /// Adds advice.
    #[must_use]
    pub fn next(mut self, next: impl Into<Text>) -> Self {
        self.next.push(next.into());
        self
    }

    /// Sets the table.
    #[must_use]
    pub fn table(mut self, head: Vec<Text>, rows: Vec<Vec<Text>>) -> Self {
        self.table = Some(Table { head, rows });
        self
    }

    /// The text for people.
    pub fn render(&self, lang: Lang) -> String {
        let mut out = format!("{}\n", self.sentence.get(lang));
        if !self.facts.is_empty() {
            out.push('\n');
            rows(&mut out, &self.facts, lang);
        }
        if let Some(table) = self.table.as_ref().filter(|table| !table.rows.is_empty()) {
            out.push('\n');
            table.render(&mut out, lang);
        }
        if !self.details.is_empty() {
            out += match lang {
                Lang::Zh => "\n技术细节\n",
                Lang::En => "\nTechnical details\n",
            };
            rows(&mut out, &self.details, lang);
        }
        if !self.next.is_empty() {
            out.push('\n');
            for next in &self.next {
                out += next.get(lang);
                out.push('\n');
            }
        }
        out
    }
}

fn rows(out: &mut String, rows: &[(Text, Text)], lang: Lang) {
    let width = rows.iter().map(|(label, _)| label.get(lang).width()).max().unwrap_or(0);
    for (label, value) in rows {
        out.push_str("  ");
        pad(out, label.get(lang), width);
        out.push_str("  ");
        // A value of several lines stays in its column.
        let indent = format!("\n{}", " ".repeat(width + 4));
        out.push_str(&value.get(lang).trim_end().replace('\n', &indent));
        out.push('\n');
    }
}

impl Table {
    fn render(&self, out: &mut String, lang: Lang) {
        let columns = self.head.len();
        let mut widths: Vec<usize> = self.head.iter().map(|cell| cell.get(lang).width()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(one_line(cell, lang).width());
            }
        }
        let rules: Vec<Text> = widths.iter().map(|width| "-".repeat(*width).into()).collect();
        for row in [&self.head, &rules].into_iter().chain(&self.rows) {
            let start = out.len();
            for (index, cell) in row.iter().take(columns).enumerate() {
                out.push_str("  ");
                pad(out, &one_line(cell, lang), widths[index]);
            }
            let end = out[start..].trim_end().len();
            out.truncate(start + end);
            out.push('\n');
        }
    }
}

/// A cell has one line, whatever is in it.
fn one_line(cell: &Text, lang: Lang) -> Cow<'_, str> {
    let text = harmless(cell.get(lang));
    if text.contains('\n') { text.replace('\n', "\\n").into() } else { text }
}

/// Appends `text` and spaces up to `width` columns; a Chinese character takes two.
fn pad(out: &mut String, text: &str, width: usize) {
    out.push_str(text);
    out.extend(std::iter::repeat_n(' ', width.saturating_sub(text.width())));
}
