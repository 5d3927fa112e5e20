//! The node's parts, and four nodes together.

mod audit;
mod city;
mod index;
mod intake;
mod machine;
mod mempool;
mod network;
mod speed;
mod toy;
mod validators;
