//! The compiled form of expressions: names are slots, functions are resolved, constants are values.

use crate::builtins::Builtin;
use crate::errors::Fault;
use crate::number::Decimal;
use crate::table::Table;
use crate::types::Type;
use crate::value::{Name, Value};
use std::sync::Arc;

/// One node. Slots are relative to the frame of the function the node stands in.
#[derive(Debug, Clone)]
pub enum Ir {
    /// A constant.
    Const(Value),
    /// A variable of this function.
    Local(u16),
    /// A variable of an enclosing function.
    Captured(u16),
    /// An input or a decision of the model.
    Global(u16),
    /// Always null, for a reason known at compilation.
    Fault(Fault),
    /// `a.b`
    Member(Box<Ir>, Name),
    /// In a filter: the member of the item if it has one, otherwise something else.
    ItemMember(Box<Ir>, Name, Box<Ir>),
    /// Arithmetic.
    Arithmetic(Arithmetic, Box<[Ir; 2]>),
    /// `-a`
    Negate(Box<Ir>),
    /// `a = b`, `a < b` ...
    Compare(Comparison, Box<[Ir; 2]>),
    /// `a and b and c`
    And(Box<[Ir]>),
    /// `a or b or c`
    Or(Box<[Ir]>),
    /// `a between b and c`
    Between(Box<[Ir; 3]>),
    /// `a in (tests)`; the value is kept in the slot for tests that name it `?`.
    In(Box<Ir>, u16, Box<[Test]>),
    /// `if a then b else c`
    If(Box<[Ir; 3]>),
    /// `for`
    For(Box<For>),
    /// `some`, `every`
    Quantified(Box<Quantified>),
    /// `a[b]`
    Filter(Box<Filter>),
    /// `[a, b]`
    List(Box<[Ir]>),
    /// `{a: 1}`: each member also sits in a slot for the members after it.
    Context(Box<[(Name, Ir, u16)]>),
    /// A boxed context with a result: members only in slots.
    Block(Box<[(Ir, u16)]>, Box<Ir>),
    /// `[a..b)`
    Range(Box<RangeIr>),
    /// `a instance of T`
    InstanceOf(Box<Ir>, Type),
    /// Conversion to a declared type; null when it does not conform.
    Coerce(Box<Ir>, Type),
    /// A call of a value.
    Call(Box<Ir>, Box<[Ir]>),
    /// A call of a value with named parameters.
    CallNamed(Box<Ir>, Box<[(Name, Ir)]>),
    /// A call of a function of the language.
    Builtin(Builtin, Box<[Ir]>),
    /// A function definition.
    Lambda(Arc<Lambda>),
    /// A decision table.
    Table(Arc<Table>),
}

/// `+ - * / **`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `**`
    Power,
}

/// `= != < <= > >=`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// `for a in x, b in y return z`
#[derive(Debug, Clone)]
pub struct For {
    /// Slots and domains, the last turning fastest.
    pub domains: Box<[(u16, Domain)]>,
    /// The slot of `partial`, when the result uses it.
    pub partial: Option<u16>,
    /// The result.
    pub result: Ir,
}

/// What is iterated over.
#[derive(Debug, Clone)]
pub enum Domain {
    /// The items of a list, or of a range of numbers or dates.
    Items(Ir),
    /// `a..b`, upwards or downwards.
    Between(Ir, Ir),
}

/// `some a in x satisfies p`
#[derive(Debug, Clone)]
pub struct Quantified {
    /// `every` rather than `some`.
    pub every: bool,
    /// Slots and domains.
    pub domains: Box<[(u16, Domain)]>,
    /// The condition.
    pub condition: Ir,
}

/// `list[condition]`
#[derive(Debug, Clone)]
pub struct Filter {
    /// The list.
    pub list: Ir,
    /// The slot of `item`.
    pub item: u16,
    /// A condition, or a position.
    pub condition: Ir,
}

/// `[a..b)`
#[derive(Debug, Clone)]
pub struct RangeIr {
    /// Lower end.
    pub start: Option<Ir>,
    /// Upper end.
    pub end: Option<Ir>,
    /// Lower end belongs to it.
    pub start_included: bool,
    /// Upper end belongs to it.
    pub end_included: bool,
}

/// The code of a function.
#[derive(Debug)]
pub struct Lambda {
    /// Parameters; parameter `i` is in slot `i`.
    pub parameters: Box<[(Name, Type)]>,
    /// Where the captured variables come from, in the enclosing function.
    pub captures: Box<[Ir]>,
    /// Slots of the frame.
    pub frame: u16,
    /// The type of the result, as far as it is known.
    pub result: Type,
    /// The body.
    pub body: Ir,
}

/// A unary test of a table cell, of allowed values or of `in`.
#[derive(Debug, Clone)]
pub enum Test {
    /// `-`
    Any,
    /// `< 10`, `10`, `!= 10` with a constant number.
    Number(Comparison, Decimal),
    /// `[1..10)` with constant numbers.
    Interval {
        /// Lower end.
        low: Decimal,
        /// Upper end.
        high: Decimal,
        /// Lower end belongs to it.
        low_included: bool,
        /// Upper end belongs to it.
        high_included: bool,
    },
    /// A constant text.
    Text(Arc<str>),
    /// `< a`
    Compare(Comparison, Ir),
    /// An expression that names `?`, or anything that must be true.
    Holds(Ir),
    /// A value, a list or a range the input is in.
    Member(Ir),
    /// `not(...)`
    Not(Box<[Test]>),
}
