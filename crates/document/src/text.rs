//! Characters to measured glyphs, and lines that fit a width. Lengths are points unless a name says `em`.

use std::{collections::BTreeSet, ops::Range};

use skrifa::{
    FontRef, MetadataProvider,
    charmap::Charmap,
    instance::{LocationRef, Size},
    metrics::GlyphMetrics,
};
use unicode_width::UnicodeWidthChar;

use crate::{
    DocumentError,
    fonts::{Face, Fonts},
};

/// Red, green and blue, 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

/// Which face of [`Fonts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    Regular,
    Bold,
    Mono,
}

/// How a text looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Style {
    pub weight: Weight,
    pub size: f32,
    /// Distance from one baseline to the next, as a multiple of `size`.
    pub leading_em: f32,
    /// Extra space after each character.
    pub tracking_em: f32,
    pub colour: Colour,
}

impl Style {
    /// Height of one line.
    pub fn line_height(&self) -> f32 {
        self.size * self.leading_em
    }

    /// From the top of a line to its baseline: Chinese glyphs sit with their middle 0.38 em above the baseline.
    pub fn baseline(&self) -> f32 {
        self.line_height() / 2.0 + self.size * 0.38
    }
}

/// A character's glyph within its line.
#[derive(Clone, Debug)]
pub struct Glyph {
    pub id: u32,
    pub advance_em: f32,
    /// Where the character stands in the line's text.
    pub range: Range<usize>,
}

/// One line, ready to draw.
#[derive(Clone, Debug)]
pub struct Line {
    pub text: String,
    pub glyphs: Vec<Glyph>,
    pub width: f32,
}

/// Breaks texts into lines, and remembers which characters the fonts lack.
pub struct Typesetter<'a> {
    regular: Measure<'a>,
    bold: Measure<'a>,
    mono: Measure<'a>,
    missing: BTreeSet<char>,
}

struct Measure<'a> {
    charmap: Charmap<'a>,
    metrics: GlyphMetrics<'a>,
    units_per_em: f32,
}

/// Shown for a character that the font lacks: the geta mark of Chinese and Japanese printers, or what comes nearest.
const SUBSTITUTES: [char; 3] = ['〓', '□', '?'];

impl<'a> Measure<'a> {
    fn new(face: &'a Face) -> Result<Self, DocumentError> {
        let font = FontRef::from_index(&face.data, face.index).map_err(|error| DocumentError::Pdf(error.to_string()))?;
        Ok(Self {
            charmap: font.charmap(),
            metrics: font.glyph_metrics(Size::unscaled(), LocationRef::default()),
            units_per_em: face.font.units_per_em(),
        })
    }

    /// Glyph id and advance of a character. Glyph 0 is `.notdef`, which PDF/A forbids, so it counts as absent.
    fn glyph(&self, c: char) -> Option<(u32, f32)> {
        let id = self.charmap.map(c).filter(|id| id.to_u32() != 0)?;
        Some((id.to_u32(), self.metrics.advance_width(id)? / self.units_per_em))
    }
}

impl<'a> Typesetter<'a> {
    pub fn new(fonts: &'a Fonts) -> Result<Self, DocumentError> {
        Ok(Self {
            regular: Measure::new(&fonts.regular)?,
            bold: Measure::new(&fonts.bold)?,
            mono: Measure::new(&fonts.mono)?,
            missing: BTreeSet::new(),
        })
    }

    /// The characters met so far that were shown as a substitute.
    pub fn missing(&self) -> &BTreeSet<char> {
        &self.missing
    }

    /// The lines of `text`, none wider than `width` unless a single character is.
    pub fn lines(&mut self, text: &str, style: &Style, width: f32) -> Vec<Line> {
        let set = self.set(text, style);
        break_lines(&set, width / style.size).into_iter().map(|range| line(&set[range], style)).collect()
    }

    /// `text` on one line: set smaller, down to six tenths, to fit `width`; then cut short with an ellipsis.
    pub fn fitted(&mut self, text: &str, style: &Style, width: f32) -> (Line, Style) {
        let mut set = self.set(text, style);
        let natural = line(&set, style);
        if natural.width <= width {
            return (natural, *style);
        }
        let style = Style { size: style.size * (width / natural.width).max(0.6), ..*style };
        let ellipsis = self.set("…", &style);
        let room = width / style.size - ellipsis.iter().map(|s| s.advance_em).sum::<f32>();
        let (mut used, mut kept) = (0.0, 0);
        if line(&set, &style).width > width + 0.01 {
            while kept < set.len() && used + set[kept].advance_em <= room {
                used += set[kept].advance_em;
                kept += 1;
            }
            set.truncate(kept);
            set.extend(ellipsis);
        }
        (line(&set, &style), style)
    }

    /// Each character with its glyph. White space and control characters become single spaces; what would be
    /// invisible, or turn the reading direction, becomes a visible substitute, so that nothing hides in a name.
    fn set(&mut self, text: &str, style: &Style) -> Vec<Sort> {
        let face = match style.weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
            Weight::Mono => &self.mono,
        };
        let substitute = SUBSTITUTES.iter().find_map(|c| Some((*c, face.glyph(*c)?)));
        let mut sorts: Vec<Sort> = Vec::with_capacity(text.len());
        for c in text.chars() {
            let c = if c.is_whitespace() || c.is_control() { ' ' } else { c };
            if c == ' ' && sorts.last().is_none_or(|last| last.c == ' ') {
                continue;
            }
            let (shown, (id, advance)) = match face.glyph(c).filter(|_| !invisible(c)) {
                Some(glyph) => (c, glyph),
                None => {
                    self.missing.insert(c);
                    let Some((mark, glyph)) = substitute else { continue };
                    (if invisible(c) { mark } else { c }, glyph)
                }
            };
            // Two marks in a row share the blank halves that face each other.
            if let Some(last) = sorts.last_mut()
                && CLOSING.contains(last.c)
                && last.advance_em >= 1.0
                && (CLOSING.contains(shown) || OPENING.contains(shown))
            {
                last.advance_em -= 0.5;
            }
            sorts.push(Sort { c: shown, id, advance_em: advance + style.tracking_em });
        }
        if sorts.last().is_some_and(|last| last.c == ' ') {
            sorts.pop();
        }
        sorts
    }
}

/// One character set in a face.
struct Sort {
    c: char,
    id: u32,
    advance_em: f32,
}

fn line(sorts: &[Sort], style: &Style) -> Line {
    let mut text = String::new();
    let mut glyphs = Vec::with_capacity(sorts.len());
    let mut width_em = -style.tracking_em;
    for sort in sorts {
        let start = text.len();
        text.push(sort.c);
        glyphs.push(Glyph { id: sort.id, advance_em: sort.advance_em, range: start..text.len() });
        width_em += sort.advance_em;
    }
    Line { text, glyphs, width: width_em.max(0.0) * style.size }
}

/// Greedy: each line takes as much as fits and ends at its last allowed break, or anywhere if it has none.
fn break_lines(sorts: &[Sort], width_em: f32) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let (mut start, mut last_break, mut used) = (0, 0, 0.0);
    let mut at = 0;
    while at < sorts.len() {
        if at > start && may_break(sorts[at - 1].c, sorts[at].c) {
            last_break = at;
        }
        // A space may hang over the edge; it is cut off below.
        if at > start && sorts[at].c != ' ' && used + sorts[at].advance_em > width_em {
            let end = if last_break > start { last_break } else { at };
            lines.push(trimmed(sorts, start..end));
            (start, last_break, used, at) = (end, end, 0.0, end);
            continue;
        }
        used += sorts[at].advance_em;
        at += 1;
    }
    if start < sorts.len() {
        lines.push(trimmed(sorts, start..sorts.len()));
    }
    lines
}

fn trimmed(sorts: &[Sort], range: Range<usize>) -> Range<usize> {
    let trailing = sorts[range.clone()].iter().rev().take_while(|s| s.c == ' ').count();
    range.start..range.end - trailing
}

/// Full-width marks whose right half is blank.
const CLOSING: &str = "，。、；：）〕］｝】》〉」』”’";
/// Full-width marks whose left half is blank.
const OPENING: &str = "（〔［｛【《〈「『“‘";

/// Whether a line may end between two characters: after spaces and the joints of long words, and on either side of a
/// Chinese character, but closing marks never begin a line and opening marks never end one.
fn may_break(before: char, after: char) -> bool {
    const NOT_FIRST: &str = "．？！·…—～％‰℃々,.;:?!)]}%";
    const NOT_LAST: &str = "￥＃([{$#";
    const JOINTS: &str = "/_?&=@";
    if after == ' ' || CLOSING.contains(after) || NOT_FIRST.contains(after) {
        return false;
    }
    if OPENING.contains(before) || NOT_LAST.contains(before) {
        return false;
    }
    // A hyphen joins words, but holds numbers such as 2026-11-22 together.
    let joint = JOINTS.contains(before) || before == '-' && after.is_alphabetic();
    before == ' ' || wide(before) || wide(after) || joint
}

fn wide(c: char) -> bool {
    c.width() == Some(2)
}

/// Characters that leave no mark of their own: joiners, direction marks and overrides, variation selectors, tags.
fn invisible(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sets each Latin character half an em wide and each Chinese one a full em, as a monospaced font would.
    fn wrap(text: &str, width_em: f32) -> Vec<String> {
        let sorts: Vec<Sort> =
            text.chars().map(|c| Sort { c, id: 1, advance_em: if wide(c) { 1.0 } else { 0.5 } }).collect();
        break_lines(&sorts, width_em).into_iter().map(|range| sorts[range].iter().map(|s| s.c).collect()).collect()
    }

    #[test]
    fn latin_breaks_at_spaces_and_joints() {
        assert_eq!(wrap("one two three", 4.0), ["one two", "three"]);
        assert_eq!(wrap("well-known", 3.0), ["well-", "known"]);
        assert_eq!(wrap("a    b", 2.0), ["a", "b"]);
    }

    #[test]
    fn chinese_breaks_anywhere_but_not_before_closing_or_after_opening_marks() {
        assert_eq!(wrap("电子证据存证证书", 3.0), ["电子证", "据存证", "证书"]);
        assert_eq!(wrap("兹证明，某某", 3.0), ["兹证", "明，某", "某"]);
        assert_eq!(wrap("见文件《合同》", 4.0), ["见文件", "《合同》"]);
    }

    #[test]
    fn a_word_without_any_break_is_cut_where_the_line_ends() {
        assert_eq!(wrap("abcdefghij", 2.0), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("，，，，", 2.0), ["，，", "，，"]);
        assert_eq!(wrap("宽", 0.1), ["宽"]);
        assert!(wrap("", 3.0).is_empty());
    }

    #[test]
    fn no_character_is_lost_and_no_line_is_too_wide() {
        let text = "某市知识产权局 (IP Office) deposited《关于2026年的通知》https://chain.example.gov.cn/v/1?a=b，完。";
        for tenths in 12..300 {
            let width = tenths as f32 / 10.0;
            let lines = wrap(text, width);
            let solid = |s: &str| s.replace(' ', "");
            assert_eq!(solid(&lines.concat()), solid(text), "width {width}");
            for line in lines {
                let used: f32 = line.chars().map(|c| if wide(c) { 1.0 } else { 0.5 }).sum();
                assert!(used <= width + 1e-3, "{line:?} is {used} em wide, not {width}");
            }
        }
    }
}
