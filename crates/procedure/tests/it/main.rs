//! Tests of procedures: what is read, how tokens move, what is refused, and that equal runs are equal bytes.

mod bounds;
mod checking;
mod encoding;
mod events;
mod miwg;
mod parsing;
mod replay;
mod scenarios;
mod scopes;
mod support;
mod tokens;
mod xes;
