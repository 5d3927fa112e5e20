#![doc = include_str!("../README.md")]

pub mod check;
pub mod expression;
pub mod instance;
pub mod model;
mod parse;
pub mod refusal;
pub mod replay;
pub mod simulate;
mod step;
mod time;
pub mod value;
pub mod xes;

pub use check::check;
pub use expression::{Expression, Language};
pub use instance::{Fault, Host, Instance, Report, Status, Work};
pub use model::{Definitions, Process};
pub use refusal::{Reason, Refusal};
pub use value::{Variables, Wire};
