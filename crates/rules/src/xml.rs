//! XML within bounds. What would cost a reader more than the length of the file is refused before the file is parsed: nesting,
//! because the code that reads the tree recurses; attributes of one element and prefixes of namespaces, because the parser
//! compares each with each; document types, because entities grow. A file is as dangerous as it can be made: this guards nodes
//! against a draft that would stop them all.

use roxmltree::{Document, ParsingOptions};
use std::collections::BTreeSet;

/// Deepest nesting of elements.
const DEPTH_MAX: usize = 64;
/// Most attributes of one element. Editors write fewer than twenty.
const ATTRIBUTES_MAX: usize = 128;
/// Most prefixes of namespaces in a file. Editors write fewer than twenty.
const PREFIXES_MAX: usize = 64;

/// Why a file is not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// It is larger than that many bytes.
    #[error("the file is larger than {} KiB", .0 / 1024)]
    TooLarge(usize),
    /// It is not XML, or XML that nobody draws.
    #[error("{0}")]
    Unacceptable(String),
}

/// Parses a file of at most so many bytes and nodes.
///
/// # Errors
/// Too large, too deep, with a document type, or not XML.
pub fn document(source: &str, bytes_max: usize, nodes_max: u32) -> Result<Document<'_>, XmlError> {
    if source.len() > bytes_max {
        return Err(XmlError::TooLarge(bytes_max));
    }
    outline(source).map_err(|why| XmlError::Unacceptable(why.into()))?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: nodes_max, ..ParsingOptions::default() };
    Document::parse_with_options(source, options).map_err(|error| XmlError::Unacceptable(error.to_string()))
}

/// Looks at every tag once, as the parser will: where they differ, the parser has found the file malformed before.
fn outline(source: &str) -> Result<(), &'static str> {
    let (mut rest, mut depth, mut prefixes) = (source, 0usize, BTreeSet::new());
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        // What ends a comment, a CDATA section or an instruction may only come after its beginning.
        let beyond = |start: &str, end: &str| {
            let inner = rest.strip_prefix(start)?;
            Some(inner.find(end).map_or("", |at| &inner[at + end.len()..]))
        };
        let passed = beyond("!--", "-->").or_else(|| beyond("![CDATA[", "]]>")).or_else(|| beyond("?", "?>"));
        if let Some(after) = passed {
            rest = after;
        } else if rest.starts_with('/') {
            depth = depth.saturating_sub(1);
        } else if start_tag(&mut rest, &mut prefixes)? {
            depth += 1;
            if depth > DEPTH_MAX {
                return Err("elements are nested too deeply");
            }
        }
    }
    Ok(())
}

/// Goes beyond a start tag; whether the element stays open.
fn start_tag<'s>(rest: &mut &'s str, prefixes: &mut BTreeSet<&'s str>) -> Result<bool, &'static str> {
    let tag = *rest;
    let (mut quote, mut attributes, mut from) = (None, 0usize, 0usize);
    for (at, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (None, b'"' | b'\'') => {
                attributes += 1;
                let name = tag[from..at].trim_end().trim_end_matches('=').split_whitespace().next_back().unwrap_or_default();
                if name.starts_with("xmlns") {
                    prefixes.insert(name);
                }
                if attributes > ATTRIBUTES_MAX || prefixes.len() > PREFIXES_MAX {
                    return Err("too many attributes of an element, or prefixes of namespaces");
                }
                quote = Some(byte);
            }
            (Some(open), _) if open == byte => (quote, from) = (None, at + 1),
            (None, b'>') => {
                *rest = &tag[at + 1..];
                return Ok(!tag[..at].ends_with('/'));
            }
            _ => {}
        }
    }
    *rest = "";
    Ok(true)
}
