//! One binary for all tests of the program.

mod arguments;
mod hashing;
mod keyfile;
mod output;
mod rules;
mod supervisor;
mod support;
mod verify;
