//! Marks to PDF/A-2b.

use krilla::{
    Document, SerializeSettings,
    action::{Action, LinkAction},
    annotation::{Annotation, LinkAnnotation, Target},
    color::rgb,
    configure::{Archival, ConfigurationBuilder},
    error::KrillaError,
    geom::{Path, PathBuilder, Point, Rect},
    metadata::{DateTime, Metadata},
    page::PageSettings,
    paint::{Fill, LineCap, LineJoin, Stroke},
    surface::Surface,
    text::{GlyphId, KrillaGlyph},
};
use qrcode::{Color, QrCode};

use crate::{
    DocumentError, Fonts,
    flow::{Mark, Shape},
    text::{Colour, Line, Style, Weight},
    time::BeijingTime,
};

/// A4 portrait, in points.
pub const PAGE_WIDTH: f32 = 595.28;
/// A4 portrait, in points.
pub const PAGE_HEIGHT: f32 = 841.89;

/// What a PDF viewer shows as the document's properties.
pub struct Properties {
    pub title: String,
    pub subject: String,
    /// Creation and modification date; part of the bytes, so never the clock.
    pub date: BeijingTime,
}

/// Writes the pages. Equal marks, properties and fonts give equal bytes.
pub fn write(pages: Vec<Vec<Mark>>, properties: Properties, fonts: &Fonts) -> Result<Vec<u8>, DocumentError> {
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A2_B)
        .finish()
        .map_err(|error| DocumentError::Pdf(format!("{error:?}")))?;
    let mut document =
        Document::new_with(SerializeSettings { configuration, enable_tagging: false, ..SerializeSettings::default() });
    document.set_metadata(metadata(properties));
    let size = PageSettings::from_wh(PAGE_WIDTH, PAGE_HEIGHT).expect("A4 is a size");
    for marks in pages {
        let mut page = document.start_page_with(size.clone());
        let mut links = Vec::new();
        let mut surface = page.surface();
        for Mark { x, y, shape } in marks {
            match shape {
                Shape::Text(line, style) => text(&mut surface, fonts, x, y, &line, &style),
                Shape::Fill { width, height, colour } => {
                    fill(&mut surface, colour, |path| push_rect(path, x, y, width, height));
                }
                Shape::Tick { side, colour } => tick(&mut surface, x, y, side, colour),
                Shape::Code { side, code } => fill(&mut surface, Colour(0, 0, 0), |path| modules(path, x, y, side, &code)),
                Shape::Link { width, height, url } => links.push((Rect::from_xywh(x, y, width, height), url)),
            }
        }
        surface.finish();
        for (rect, url) in links {
            let Some(rect) = rect else { continue };
            let target = Target::Action(Action::Link(LinkAction::new(url.clone())));
            page.add_annotation(Annotation::new_link(LinkAnnotation::new(rect, target), Some(url)));
        }
        page.finish();
    }
    document.finish().map_err(|error| DocumentError::Pdf(explain(&error)))
}

fn metadata(Properties { title, subject, date }: Properties) -> Metadata {
    let date = DateTime::new(date.year)
        .month(date.month)
        .day(date.day)
        .hour(date.hour)
        .minute(date.minute)
        .second(date.second)
        .utc_offset_hour(8)
        .utc_offset_minute(0);
    Metadata::new().title(title).description(subject).creator("zhulian".into()).language("zh-CN".into()).creation_date(date)
}

/// krilla counts validation errors in its text; a reader needs to know which.
fn explain(error: &KrillaError) -> String {
    match error {
        KrillaError::Validation(errors) => {
            let kinds: Vec<String> = errors.iter().map(|(kind, _)| format!("{kind:?}")).collect();
            format!("not PDF/A-2b: {}", kinds.join(", "))
        }
        other => other.to_string(),
    }
}

fn rgb(Colour(red, green, blue): Colour) -> rgb::Color {
    rgb::Color::new(red, green, blue)
}

fn text(surface: &mut Surface<'_>, fonts: &Fonts, x: f32, y: f32, line: &Line, style: &Style) {
    // The writer expects at least one glyph.
    if line.glyphs.is_empty() {
        return;
    }
    let face = match style.weight {
        Weight::Regular => &fonts.regular,
        Weight::Bold => &fonts.bold,
        Weight::Mono => &fonts.mono,
    };
    let glyphs: Vec<KrillaGlyph> = line
        .glyphs
        .iter()
        .map(|glyph| KrillaGlyph {
            glyph_id: GlyphId::new(glyph.id),
            text_range: glyph.range.clone(),
            x_advance: glyph.advance_em,
            x_offset: 0.0,
            y_offset: 0.0,
            y_advance: 0.0,
            location: None,
        })
        .collect();
    surface.set_stroke(None);
    surface.set_fill(Some(Fill { paint: rgb(style.colour).into(), ..Fill::default() }));
    surface.draw_glyphs(Point::from_xy(x, y), &glyphs, face.font.clone(), &line.text, style.size, false);
}

fn fill(surface: &mut Surface<'_>, colour: Colour, draw: impl FnOnce(&mut PathBuilder)) {
    if let Some(path) = path(draw) {
        surface.set_stroke(None);
        surface.set_fill(Some(Fill { paint: rgb(colour).into(), ..Fill::default() }));
        surface.draw_path(&path);
    }
}

fn path(draw: impl FnOnce(&mut PathBuilder)) -> Option<Path> {
    let mut builder = PathBuilder::new();
    draw(&mut builder);
    builder.finish()
}

fn push_rect(path: &mut PathBuilder, x: f32, y: f32, width: f32, height: f32) {
    if let Some(rect) = Rect::from_xywh(x, y, width, height) {
        path.push_rect(rect);
    }
}

/// Dark modules, each run of a row as one rectangle, in one path, so that no seams show between them.
fn modules(path: &mut PathBuilder, x: f32, y: f32, side: f32, code: &QrCode) {
    let count = code.width();
    let module = side / count as f32;
    for row in 0..count {
        let dark = |column: usize| column < count && code[(column, row)] == Color::Dark;
        let mut column = 0;
        while column < count {
            let length = (column..count).take_while(|c| dark(*c)).count();
            if length > 0 {
                let (left, top) = (x + column as f32 * module, y + row as f32 * module);
                push_rect(path, left, top, length as f32 * module, module);
            }
            column += length.max(1);
        }
    }
}

fn tick(surface: &mut Surface<'_>, x: f32, y: f32, side: f32, colour: Colour) {
    // A cubic Bézier curve comes closest to a quarter circle with its handles at this part of the radius.
    const HANDLE: f32 = 0.552_285;
    let radius = side / 2.0;
    let (cx, cy, h) = (x + radius, y + radius, radius * HANDLE);
    let sign = path(|path| {
        path.move_to(cx + radius, cy);
        path.cubic_to(cx + radius, cy + h, cx + h, cy + radius, cx, cy + radius);
        path.cubic_to(cx - h, cy + radius, cx - radius, cy + h, cx - radius, cy);
        path.cubic_to(cx - radius, cy - h, cx - h, cy - radius, cx, cy - radius);
        path.cubic_to(cx + h, cy - radius, cx + radius, cy - h, cx + radius, cy);
        path.close();
        path.move_to(cx - radius * 0.45, cy + radius * 0.02);
        path.line_to(cx - radius * 0.1, cy + radius * 0.38);
        path.line_to(cx + radius * 0.48, cy - radius * 0.34);
    });
    if let Some(sign) = sign {
        surface.set_fill(None);
        surface.set_stroke(Some(Stroke {
            paint: rgb(colour).into(),
            width: side * 0.085,
            line_cap: LineCap::Round,
            line_join: LineJoin::Round,
            ..Stroke::default()
        }));
        surface.draw_path(&sign);
    }
}
