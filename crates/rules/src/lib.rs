#![doc = include_str!("../README.md")]

mod analysis;
pub mod builtins;
pub mod calendar;
pub mod cases;
mod compile;
pub mod errors;
mod evaluate;
pub mod explain;
mod feel;
pub mod gas;
pub mod ir;
pub mod literal;
pub mod model;
pub mod number;
pub mod refusal;
pub mod table;
pub mod temporal;
pub mod types;
pub mod value;
pub mod xml;

pub use compile::Variables;
pub use errors::{Fault, Halt};
pub use evaluate::Hit;
pub use model::{Model, Outcome, Profile, Session, Undecided};
pub use number::Decimal;
pub use refusal::{Reason, Refusal};
pub use value::{Name, Value};
