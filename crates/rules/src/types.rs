//! FEEL types (DMN 1.5 §10.3.2.9), as far as item definitions, `instance of` and the checks at deployment need them.

use crate::ir::Test;
use crate::value::Name;
use std::fmt;
use std::sync::Arc;

/// Largest type that is followed through a name, in parts and in levels.
const PARTS_MAX: u32 = 1_000;
const LEVELS_MAX: u32 = 24;

/// A FEEL type.
#[derive(Clone, Debug)]
pub enum Type {
    /// Anything, or not known.
    Any,
    /// Only null.
    Null,
    /// A decimal number.
    Number,
    /// A text.
    String,
    /// True or false.
    Boolean,
    /// A calendar day.
    Date,
    /// A time of day.
    Time,
    /// A day with a time.
    DateTime,
    /// Days, hours, minutes, seconds.
    DaysDuration,
    /// Years and months.
    MonthsDuration,
    /// A list of one type.
    List(Arc<Type>),
    /// A range of one type.
    Range(Arc<Type>),
    /// A context with at least these members.
    Context(Arc<[(Name, Type)]>),
    /// A function.
    Function(Arc<[Type]>, Arc<Type>),
    /// An item definition with allowed values.
    Constrained(Arc<Constrained>),
}

/// A type whose values pass one of some unary tests.
#[derive(Debug)]
pub struct Constrained {
    /// The type without the tests.
    pub base: Type,
    /// Allowed values: one of these tests must be true.
    pub tests: Box<[Test]>,
    /// Slots the tests need; slot 0 is the value.
    pub frame: u16,
}

impl Type {
    /// The built-in type of that name.
    pub fn builtin(name: &str) -> Option<Self> {
        Some(match name {
            "Any" | "any" => Self::Any,
            "Null" | "null" => Self::Null,
            "number" => Self::Number,
            "string" => Self::String,
            "boolean" => Self::Boolean,
            "date" => Self::Date,
            "time" => Self::Time,
            "date and time" | "dateTime" => Self::DateTime,
            "days and time duration" | "dayTimeDuration" => Self::DaysDuration,
            "years and months duration" | "yearMonthDuration" => Self::MonthsDuration,
            "list" => Self::list(Self::Any),
            "context" => Self::Context(Arc::from([])),
            "function" => Self::Function(Arc::from([]), Arc::new(Self::Any)),
            _ => return None,
        })
    }

    /// The type of lists of this type.
    pub fn list(of: Self) -> Self {
        Self::List(Arc::new(of))
    }

    /// The type without allowed values.
    pub fn base(&self) -> &Self {
        match self {
            Self::Constrained(constrained) => constrained.base.base(),
            other => other,
        }
    }

    /// The type of the items when lists are iterated; the type itself for single values.
    pub fn element(&self) -> Self {
        match self.base() {
            Self::List(item) | Self::Range(item) => (**item).clone(),
            other => other.clone(),
        }
    }

    /// Whether it is certain that no value but null is of both types.
    pub fn disjoint(&self, other: &Self) -> bool {
        match (self.base(), other.base()) {
            (Self::Any | Self::Null, _) | (_, Self::Any | Self::Null) => false,
            (Self::List(a), Self::List(b)) | (Self::Range(a), Self::Range(b)) => a.disjoint(b),
            // A singleton list and its item convert into each other.
            (Self::List(a), b) | (b, Self::List(a)) => a.disjoint(b),
            (Self::Date, Self::DateTime) | (Self::DateTime, Self::Date) => false,
            (a, b) => std::mem::discriminant(a) != std::mem::discriminant(b),
        }
    }

    /// The common type of two branches.
    pub fn join(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::Null, _) => other,
            (_, Self::Null) => self,
            _ if self.same(&other) => self,
            _ => Self::Any,
        }
    }

    /// The type, or Any where it is larger than anybody declares. Types are compared as trees, and a chain of names, each
    /// twice the one before, would be a tree that no machine can walk.
    pub(crate) fn bounded(self) -> Self {
        if self.fits(LEVELS_MAX, &mut PARTS_MAX.clone()) { self } else { Self::Any }
    }

    fn fits(&self, levels: u32, parts: &mut u32) -> bool {
        let (Some(levels), Some(left)) = (levels.checked_sub(1), parts.checked_sub(1)) else { return false };
        *parts = left;
        match self {
            Self::List(item) | Self::Range(item) => item.fits(levels, parts),
            Self::Context(members) => members.iter().all(|(_, member)| member.fits(levels, parts)),
            Self::Function(parameters, result) => parameters.iter().chain([&**result]).all(|part| part.fits(levels, parts)),
            Self::Constrained(constrained) => constrained.base.fits(levels, parts),
            _ => true,
        }
    }

    /// Whether both are the same type, structurally.
    pub fn same(&self, other: &Self) -> bool {
        match (self.base(), other.base()) {
            (Self::List(a), Self::List(b)) | (Self::Range(a), Self::Range(b)) => Arc::ptr_eq(a, b) || a.same(b),
            (Self::Context(a), Self::Context(b)) => {
                let equal = |(x, y): (&(Name, Self), &(Name, Self))| x.0 == y.0 && x.1.same(&y.1);
                Arc::ptr_eq(a, b) || a.len() == b.len() && a.iter().zip(b.iter()).all(equal)
            }
            (Self::Function(a, x), Self::Function(b, y)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(x, y)| x.same(y)) && x.same(y)
            }
            (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.base() {
            Self::Any => "Any",
            Self::Null => "null",
            Self::Number => "number",
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Time => "time",
            Self::DateTime => "date and time",
            Self::DaysDuration => "days and time duration",
            Self::MonthsDuration => "years and months duration",
            Self::Context(_) => "context",
            Self::Function(..) => "function",
            Self::List(item) => return write!(f, "list<{item}>"),
            Self::Range(item) => return write!(f, "range<{item}>"),
            Self::Constrained(_) => "Any",
        };
        f.write_str(name)
    }
}
