//! One binary for all tests of the program.

mod archive;
mod arguments;
mod backup;
mod hashing;
mod keyfile;
mod opening;
mod operator;
mod output;
mod punctuation;
mod rules;
mod supervisor;
mod support;
mod up;
mod verify;
