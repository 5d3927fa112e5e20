//! The node's parts, and four nodes together.

mod archive;
mod audit;
mod city;
mod entries;
mod index;
mod intake;
mod machine;
mod mempool;
mod network;
mod operations;
mod postgres;
mod protocol;
mod speed;
mod toy;
mod validators;
