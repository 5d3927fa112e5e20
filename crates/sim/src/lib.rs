#![doc = include_str!("../README.md")]

mod adversary;
mod change;
pub mod city;
mod clients;
mod disk;
mod life;
mod node;
mod properties;
pub mod random;
mod record;
pub mod run;
pub mod scenario;
mod wire;
mod world;
