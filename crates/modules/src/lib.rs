#![doc = include_str!("../README.md")]

pub mod governance;
pub mod identity;
mod privacy;
mod source;
mod text;

pub use source::{Source, query};
