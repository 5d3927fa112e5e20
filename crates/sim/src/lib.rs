#![doc = include_str!("../README.md")]

pub mod machine;
mod outside;
mod properties;
pub mod run;
pub mod scenario;
mod world;
