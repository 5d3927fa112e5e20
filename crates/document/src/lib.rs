#![doc = include_str!("../README.md")]

mod certificate;
mod error;
mod facts;
mod flow;
mod fonts;
mod pdf;
mod text;
mod time;

pub use certificate::render;
pub use error::DocumentError;
pub use facts::{BatchEntry, Bilingual, CertificateFacts, Party};
pub use fonts::{FONT_VARIABLE, Fonts};
