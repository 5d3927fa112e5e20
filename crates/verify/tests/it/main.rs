//! Tests of the verifier over a small chain made from fixed seeds.
mod check;
mod document;
mod forged;
mod mutations;
mod network;
mod scitt;
mod texts;
mod valid;
mod vectors;
mod world;
