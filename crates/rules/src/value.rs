//! FEEL values. Shared, immutable, and of bounded depth, so that comparing or dropping one cannot exhaust the stack.

use crate::builtins::Builtin;
use crate::errors::Halt;
use crate::gas::{Gas, SIZE_MAX, VALUE_DEPTH_MAX};
use crate::ir::Lambda;
use crate::number::Decimal;
use crate::temporal::{Date, DateTime, DaysDuration, MonthsDuration, Time};
use std::cmp::Ordering;
use std::fmt::Write;
use std::sync::{Arc, OnceLock};

/// The name of a variable, a member or a parameter.
pub type Name = Arc<str>;

/// A FEEL value.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// No value.
    #[default]
    Null,
    /// True or false.
    Boolean(bool),
    /// A decimal number.
    Number(Decimal),
    /// A text, counted in Unicode scalars.
    String(Arc<str>),
    /// A calendar day.
    Date(Date),
    /// A time of day.
    Time(Time),
    /// A day with a time.
    DateTime(DateTime),
    /// Days, hours, minutes, seconds.
    Days(DaysDuration),
    /// Years and months.
    Months(MonthsDuration),
    /// A list.
    List(Arc<List>),
    /// A context: named members in the order they were written.
    Context(Arc<Context>),
    /// A range.
    Range(Arc<Range>),
    /// A function.
    Function(Arc<Function>),
}

/// The items of a list.
#[derive(Debug)]
pub struct List {
    items: Vec<Value>,
    depth: u16,
}

/// The members of a context.
#[derive(Debug)]
pub struct Context {
    entries: Vec<(Name, Value)>,
    depth: u16,
    /// The places of the members in the order of their names, made when one of many is asked for: a lookup has a fixed price.
    by_name: OnceLock<Box<[u32]>>,
}

/// Contexts of up to so many members are searched from the beginning.
const SEARCHED_MAX: usize = 16;

/// A range; an absent end is unbounded.
#[derive(Debug)]
pub struct Range {
    /// The lower end.
    pub start: Option<Value>,
    /// The upper end.
    pub end: Option<Value>,
    /// Whether the lower end belongs to the range.
    pub start_included: bool,
    /// Whether the upper end belongs to the range.
    pub end_included: bool,
    depth: u16,
}

impl Range {
    /// A range between ends. One of constants is no deeper than a constant; an open one may hold anything.
    ///
    /// # Errors
    /// Too deep.
    pub fn new(start: Option<Value>, end: Option<Value>, start_included: bool, end_included: bool) -> Result<Self, Halt> {
        let compound =
            |end: &Value| matches!(end, Value::List(_) | Value::Context(_) | Value::Range(_) | Value::Function(_));
        let ends = || [&start, &end].into_iter().flatten();
        let depth = if ends().any(compound) { deeper(ends())? } else { 0 };
        Ok(Self { start, end, start_included, end_included, depth })
    }
}

/// Something that can be called.
#[derive(Debug)]
pub enum Function {
    /// A function of the language.
    Builtin(Builtin),
    /// A business knowledge model, by its index in the model.
    Knowledge(u16),
    /// A decision service, by its index in the model.
    Service(u16),
    /// A function written in FEEL with the variables it uses.
    Closure(Closure),
}

/// A function with its captured variables.
#[derive(Debug)]
pub struct Closure {
    /// The code.
    pub code: Arc<Lambda>,
    /// The captured variables.
    pub captured: Vec<Value>,
    depth: u16,
}

impl Value {
    fn depth(&self) -> u16 {
        match self {
            Self::List(list) => list.depth,
            Self::Context(context) => context.depth,
            Self::Range(range) => range.depth,
            Self::Function(function) => match &**function {
                Function::Closure(closure) => closure.depth,
                _ => 0,
            },
            _ => 0,
        }
    }

    /// A list of the items.
    pub fn list(items: Vec<Self>) -> Result<Self, Halt> {
        let depth = deeper(items.iter())?;
        if items.len() > SIZE_MAX {
            return Err(Halt::TooLarge);
        }
        Ok(Self::List(Arc::new(List { items, depth })))
    }

    /// A context of the members; names are distinct.
    pub fn context(entries: Vec<(Name, Self)>) -> Result<Self, Halt> {
        let depth = deeper(entries.iter().map(|(_, value)| value))?;
        if entries.len() > SIZE_MAX {
            return Err(Halt::TooLarge);
        }
        Ok(Self::Context(Arc::new(Context { entries, depth, by_name: OnceLock::new() })))
    }

    /// A function that captured variables.
    pub fn closure(code: Arc<Lambda>, captured: Vec<Self>) -> Result<Self, Halt> {
        let depth = deeper(captured.iter())?;
        Ok(Self::Function(Arc::new(Function::Closure(Closure { code, captured, depth }))))
    }

    /// A text.
    pub fn text(text: &str) -> Self {
        Self::String(Arc::from(text))
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether it is null, or has a part that is. Parts may be shared, so that this is paid for.
    ///
    /// # Errors
    /// Out of gas.
    pub fn has_null(&self, gas: &mut Gas) -> Result<bool, Halt> {
        gas.charge(1)?;
        let parts: Vec<&Self> = match self {
            Self::Null => return Ok(true),
            Self::List(list) => list.items().iter().collect(),
            Self::Context(context) => context.entries().iter().map(|(_, part)| part).collect(),
            _ => return Ok(false),
        };
        for part in parts {
            if part.has_null(gas)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The number, if it is one.
    pub fn as_number(&self) -> Option<Decimal> {
        match self {
            Self::Number(n) => Some(*n),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list; any other value but null is a list of itself.
    pub fn as_items(&self) -> &[Self] {
        match self {
            Self::List(list) => &list.items,
            Self::Null => &[],
            other => std::slice::from_ref(other),
        }
    }

    /// The member of a context.
    pub fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Context(context) => context.get(name),
            _ => None,
        }
    }

    /// The value as FEEL writes it, members in their order.
    ///
    /// # Errors
    /// Out of gas, or longer than a text may be.
    pub fn to_feel(&self, gas: &mut Gas) -> Result<String, Halt> {
        let mut out = String::new();
        write_text(self, true, false, &mut out, gas)?;
        Ok(out)
    }

    /// The one text of equal values: members sorted by name and quoted. For receipts and hashes.
    ///
    /// # Errors
    /// Out of gas, or longer than a text may be.
    pub fn to_canonical(&self, gas: &mut Gas) -> Result<String, Halt> {
        let mut out = String::new();
        write_text(self, true, true, &mut out, gas)?;
        Ok(out)
    }

    /// The FEEL name of the value's kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "boolean",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::Date(_) => "date",
            Self::Time(_) => "time",
            Self::DateTime(_) => "date and time",
            Self::Days(_) => "days and time duration",
            Self::Months(_) => "years and months duration",
            Self::List(_) => "list",
            Self::Context(_) => "context",
            Self::Range(_) => "range",
            Self::Function(_) => "function",
        }
    }
}

/// The depth of a value that holds these.
fn deeper<'a>(values: impl Iterator<Item = &'a Value>) -> Result<u16, Halt> {
    let depth = values.map(Value::depth).max().unwrap_or(0) + 1;
    if depth > VALUE_DEPTH_MAX { Err(Halt::TooDeep) } else { Ok(depth) }
}

impl List {
    /// The items.
    pub fn items(&self) -> &[Value] {
        &self.items
    }
}

impl Context {
    /// The members in the order they were written.
    pub fn entries(&self) -> &[(Name, Value)] {
        &self.entries
    }

    /// The member of that name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        if self.entries.len() <= SEARCHED_MAX {
            return self.entries.iter().find(|(key, _)| &**key == name).map(|(_, value)| value);
        }
        let by_name = self.by_name.get_or_init(|| {
            let mut places: Vec<u32> = (0..self.entries.len() as u32).collect();
            places.sort_by(|a, b| self.entries[*a as usize].0.cmp(&self.entries[*b as usize].0));
            places.into()
        });
        let at = by_name.partition_point(|place| *self.entries[*place as usize].0 < *name);
        let (key, value) = &self.entries[*by_name.get(at)? as usize];
        (&**key == name).then_some(value)
    }
}

/// Equality of FEEL (DMN 1.5 table 44): `None`, which FEEL calls null, between values of different kinds.
pub fn equal(a: &Value, b: &Value, gas: &mut Gas) -> Result<Option<bool>, Halt> {
    gas.charge(1)?;
    Ok(Some(match (a, b) {
        (Value::Null, Value::Null) => true,
        (Value::Null, _) | (_, Value::Null) => false,
        (Value::Boolean(a), Value::Boolean(b)) => a == b,
        (Value::Number(a), Value::Number(b)) => a == b,
        (Value::String(a), Value::String(b)) => {
            gas.charge_items(a.len() / 8)?;
            a == b
        }
        (Value::Date(a), Value::Date(b)) => a == b,
        // Fractions of a second do not take part in equality (DMN 1.5 §10.3.2.3.4: a time is hour, minute, second).
        (Value::Time(a), Value::Time(b)) => same_second(a.minus(b)),
        (Value::DateTime(a), Value::DateTime(b)) => same_second(a.minus(b)),
        (Value::Days(a), Value::Days(b)) => a == b,
        (Value::Months(a), Value::Months(b)) => a == b,
        (Value::List(a), Value::List(b)) => {
            if a.items.len() != b.items.len() {
                return Ok(Some(false));
            }
            for (x, y) in a.items.iter().zip(&b.items) {
                if equal(x, y, gas)? != Some(true) {
                    return Ok(Some(false));
                }
            }
            true
        }
        (Value::Context(a), Value::Context(b)) => {
            if a.entries.len() != b.entries.len() {
                return Ok(Some(false));
            }
            for (name, x) in &a.entries {
                gas.charge_items(b.entries.len() / 8)?;
                let Some(y) = b.get(name) else { return Ok(Some(false)) };
                if equal(x, y, gas)? != Some(true) {
                    return Ok(Some(false));
                }
            }
            true
        }
        (Value::Range(a), Value::Range(b)) => {
            a.start_included == b.start_included
                && a.end_included == b.end_included
                && equal_ends(&a.start, &b.start, gas)?
                && equal_ends(&a.end, &b.end, gas)?
        }
        _ => return Ok(None),
    }))
}

fn same_second(gap: Option<DaysDuration>) -> bool {
    gap.is_some_and(|gap| gap.nanos().unsigned_abs() < 1_000_000_000)
}

fn equal_ends(a: &Option<Value>, b: &Option<Value>, gas: &mut Gas) -> Result<bool, Halt> {
    match (a, b) {
        (None, None) => Ok(true),
        (Some(a), Some(b)) => Ok(equal(a, b, gas)? == Some(true)),
        _ => Ok(false),
    }
}

/// Order of two values of the same ordered kind; `None` otherwise.
#[inline]
pub fn compare(a: &Value, b: &Value, gas: &mut Gas) -> Result<Option<Ordering>, Halt> {
    Ok(match (a, b) {
        (Value::Number(a), Value::Number(b)) => Some(a.cmp(b)),
        (Value::String(a), Value::String(b)) => {
            // UTF-8 bytes order as Unicode scalars do.
            gas.charge_items(a.len().min(b.len()) / 8)?;
            Some(a.cmp(b))
        }
        (Value::Date(a), Value::Date(b)) => Some(a.cmp(b)),
        (Value::Time(a), Value::Time(b)) => a.compare(b),
        (Value::DateTime(a), Value::DateTime(b)) => a.compare(b),
        (Value::Days(a), Value::Days(b)) => Some(a.cmp(b)),
        (Value::Months(a), Value::Months(b)) => Some(a.cmp(b)),
        _ => None,
    })
}

/// Writes a value as FEEL writes it; metered, because shared parts may be written many times.
pub fn write_text(value: &Value, quoted: bool, sorted: bool, out: &mut String, gas: &mut Gas) -> Result<(), Halt> {
    gas.charge(1)?;
    let before = out.len();
    match value {
        Value::Null => out.push_str("null"),
        Value::Boolean(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Number(n) => write!(out, "{n}").unwrap_or(()),
        Value::String(text) if quoted => quote(text, out),
        Value::String(text) => out.push_str(text),
        Value::Date(v) if !quoted => write!(out, "{v}").unwrap_or(()),
        Value::Time(v) if !quoted => write!(out, "{v}").unwrap_or(()),
        Value::DateTime(v) if !quoted => write!(out, "{v}").unwrap_or(()),
        Value::Days(v) if !quoted => write!(out, "{v}").unwrap_or(()),
        Value::Months(v) if !quoted => write!(out, "{v}").unwrap_or(()),
        Value::Date(v) => write!(out, "@\"{v}\"").unwrap_or(()),
        Value::Time(v) => write!(out, "@\"{v}\"").unwrap_or(()),
        Value::DateTime(v) => write!(out, "@\"{v}\"").unwrap_or(()),
        Value::Days(v) => write!(out, "@\"{v}\"").unwrap_or(()),
        Value::Months(v) => write!(out, "@\"{v}\"").unwrap_or(()),
        Value::List(list) => {
            out.push('[');
            for (i, item) in list.items.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                write_text(item, true, sorted, out, gas)?;
            }
            out.push(']');
        }
        Value::Context(context) => {
            let mut order: Vec<&(Name, Value)> = context.entries.iter().collect();
            if sorted {
                order.sort_by(|a, b| a.0.cmp(&b.0));
            }
            out.push('{');
            for (i, (name, item)) in order.into_iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                if name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == ' ') && !name.is_empty() && !sorted {
                    out.push_str(name);
                } else {
                    quote(name, out);
                }
                out.push_str(": ");
                write_text(item, true, sorted, out, gas)?;
            }
            out.push('}');
        }
        Value::Range(range) => {
            out.push(if range.start_included { '[' } else { '(' });
            if let Some(start) = &range.start {
                write_text(start, true, sorted, out, gas)?;
            }
            out.push_str("..");
            if let Some(end) = &range.end {
                write_text(end, true, sorted, out, gas)?;
            }
            out.push(if range.end_included { ']' } else { ')' });
        }
        Value::Function(_) => out.push_str("function"),
    }
    if out.len() > SIZE_MAX {
        return Err(Halt::TooLarge);
    }
    gas.charge_items((out.len() - before) / 8)
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
    out.push('"');
}
