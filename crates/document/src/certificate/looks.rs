//! Colours and styles. One scale shrinks the body; header and foot keep their size.

use crate::text::{Colour, Style, Weight};

pub const INK: Colour = Colour(28, 32, 38);
pub const GREY: Colour = Colour(102, 110, 122);
pub const HAIRLINE: Colour = Colour(217, 221, 227);
pub const NAVY: Colour = Colour(20, 48, 92);
pub const GOLD: Colour = Colour(184, 146, 62);
pub const SEAL: Colour = Colour(178, 42, 34);
pub const WARM: Colour = Colour(253, 246, 236);
pub const WHITE: Colour = Colour(255, 255, 255);

/// How a value of the table looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What most readers look for.
    Plain,
    /// The one line of a row that counts most.
    Strong,
    /// A digest.
    Digest,
}

/// The kind of a plain value.
pub const VALUE: Kind = Kind::Plain;

/// The styles at one scale.
#[derive(Clone, Copy, Debug)]
pub struct Looks {
    pub scale: f32,
}

impl Looks {
    fn style(&self, weight: Weight, size: f32, leading_em: f32, colour: Colour) -> Style {
        Style { weight, size: size * self.scale, leading_em, tracking_em: 0.0, colour }
    }

    pub fn title(&self) -> Style {
        Style { tracking_em: 0.12, ..self.style(Weight::Bold, 25.0, 1.25, NAVY) }
    }

    pub fn subtitle(&self) -> Style {
        Style { tracking_em: 0.16, ..self.style(Weight::Regular, 9.0, 1.4, GREY) }
    }

    pub fn statement(&self, colour: Colour) -> Style {
        self.style(Weight::Regular, 10.5, 1.62, colour)
    }

    pub fn statement_en(&self, colour: Colour) -> Style {
        self.style(Weight::Regular, 8.2, 1.45, colour)
    }

    pub fn label(&self) -> Style {
        self.style(Weight::Bold, 9.0, 1.4, NAVY)
    }

    pub fn label_en(&self) -> Style {
        self.style(Weight::Regular, 7.0, 1.4, GREY)
    }

    pub fn value(&self, kind: Kind) -> Style {
        match kind {
            Kind::Plain => self.style(Weight::Regular, 9.2, 1.4, INK),
            Kind::Strong => self.style(Weight::Bold, 9.6, 1.35, INK),
            Kind::Digest => self.style(Weight::Mono, 8.6, 1.45, INK),
        }
    }

    /// A translation or a code beside a value.
    pub fn aside(&self) -> Style {
        self.style(Weight::Regular, 7.4, 1.4, GREY)
    }

    pub fn heading(&self) -> Style {
        self.style(Weight::Bold, 10.8, 1.5, NAVY)
    }

    pub fn heading_en(&self) -> Style {
        self.style(Weight::Regular, 7.8, 1.4, GREY)
    }

    pub fn step(&self, colour: Colour) -> Style {
        self.style(Weight::Regular, 8.6, 1.45, colour)
    }

    pub fn literal(&self) -> Style {
        self.style(Weight::Mono, 7.8, 1.5, NAVY)
    }

    pub fn fine(&self, colour: Colour) -> Style {
        self.style(Weight::Regular, 7.2, 1.42, colour)
    }

    pub fn fine_mono(&self) -> Style {
        self.style(Weight::Mono, 7.0, 1.46, INK)
    }

    pub fn caption(&self) -> Style {
        self.style(Weight::Regular, 7.0, 1.4, GREY)
    }
}

pub fn band() -> Style {
    Style { weight: Weight::Bold, size: 14.0, leading_em: 1.4, tracking_em: 0.06, colour: WHITE }
}

pub fn band_following() -> Style {
    Style { size: 9.0, ..band() }
}

pub fn band_number() -> Style {
    Style { weight: Weight::Regular, size: 8.5, leading_em: 1.4, tracking_em: 0.0, colour: WHITE }
}

pub fn foot() -> Style {
    Style { weight: Weight::Regular, size: 6.8, leading_em: 1.4, tracking_em: 0.0, colour: GREY }
}
