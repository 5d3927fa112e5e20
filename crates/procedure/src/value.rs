//! Variables and their one encoding.
//!
//! Numbers that are machine integers are CBOR integers, texts are texts, lists arrays, contexts maps with text keys. What CBOR
//! has no form for is a map of one number to a text: `{0: decimal}`, `{1: date}`, `{2: time}`, `{3: date and time}`,
//! `{4: days and time duration}`, `{5: years and months duration}`. No context has a number as key, so nothing is ambiguous.

use crate::instance::VARIABLES_MAX;
use minicbor::{Decode, Decoder, Encode, Encoder, data::Type, decode, encode, encode::Write};
use std::collections::BTreeMap;
use zhulian_rules::temporal::{Date, DateTime, DaysDuration, MonthsDuration, Time};
use zhulian_rules::{Decimal, Name, Value};

/// Deepest nesting of a stored value.
pub const DEPTH_MAX: usize = 16;
/// Longest name of a variable or member, in bytes.
pub const NAME_MAX: usize = 128;

/// A value in its stored form: no ranges or functions, members sorted, bounded depth.
#[derive(Clone, Debug)]
pub struct Wire(Value);

impl Wire {
    /// The stored form of a value; `None` for ranges, functions, what is nested too deeply, and what has more parts than any
    /// variable has bytes. What an expression makes may share its parts, and be a million times as large when they are told apart.
    pub fn of(value: &Value) -> Option<Self> {
        normal(value, DEPTH_MAX, &mut VARIABLES_MAX.clone()).map(Self)
    }

    /// Bytes of its encoding.
    pub fn size(&self) -> usize {
        bytes(self).len()
    }

    /// The value.
    pub fn value(&self) -> &Value {
        &self.0
    }
}

impl PartialEq for Wire {
    fn eq(&self, other: &Self) -> bool {
        bytes(self) == bytes(other)
    }
}

impl Eq for Wire {}

fn bytes(wire: &Wire) -> Vec<u8> {
    minicbor::to_vec(wire).unwrap_or_default()
}

/// The order of keys in deterministic CBOR: shorter ones first.
fn by_encoding(a: &str, b: &str) -> std::cmp::Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn normal(value: &Value, depth: usize, parts: &mut usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    *parts = parts.checked_sub(1)?;
    Some(match value {
        Value::List(list) => {
            let items: Option<Vec<Value>> = list.items().iter().map(|item| normal(item, depth, parts)).collect();
            Value::list(items?).ok()?
        }
        Value::Context(context) => {
            let mut entries = Vec::with_capacity(context.entries().len());
            for (name, item) in context.entries() {
                if name.len() > NAME_MAX {
                    return None;
                }
                entries.push((name.clone(), normal(item, depth, parts)?));
            }
            entries.sort_by(|a, b| by_encoding(&a.0, &b.0));
            Value::context(entries).ok()?
        }
        Value::Range(_) | Value::Function(_) => return None,
        other => other.clone(),
    })
}

impl<C> Encode<C> for Wire {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        write(&self.0, e)
    }
}

fn write<W: Write>(value: &Value, e: &mut Encoder<W>) -> Result<(), encode::Error<W::Error>> {
    let mut special = |kind: u8, text: String| e.map(1)?.u8(kind)?.str(&text)?.ok();
    match value {
        Value::Null => e.null()?.ok(),
        Value::Boolean(b) => e.bool(*b)?.ok(),
        Value::Number(n) => match n.to_i64() {
            Some(n) => e.i64(n)?.ok(),
            None => special(0, n.to_string()),
        },
        Value::String(text) => e.str(text)?.ok(),
        Value::Date(v) => special(1, v.to_string()),
        Value::Time(v) => special(2, v.to_string()),
        Value::DateTime(v) => special(3, v.to_string()),
        Value::Days(v) => special(4, v.to_string()),
        Value::Months(v) => special(5, v.to_string()),
        Value::List(list) => {
            e.array(list.items().len() as u64)?;
            list.items().iter().try_for_each(|item| write(item, e))
        }
        Value::Context(context) => {
            e.map(context.entries().len() as u64)?;
            context.entries().iter().try_for_each(|(name, item)| {
                e.str(name)?;
                write(item, e)
            })
        }
        Value::Range(_) | Value::Function(_) => Err(encode::Error::message("a range or function is not stored")),
    }
}

impl<'b, C> Decode<'b, C> for Wire {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        read(d, DEPTH_MAX).map(Self)
    }
}

fn bad(what: &'static str) -> decode::Error {
    decode::Error::message(what)
}

fn read(d: &mut Decoder<'_>, depth: usize) -> Result<Value, decode::Error> {
    let depth = depth.checked_sub(1).ok_or_else(|| bad("a value is nested too deeply"))?;
    Ok(match d.datatype()? {
        Type::Null => {
            d.null()?;
            Value::Null
        }
        Type::Bool => Value::Boolean(d.bool()?),
        Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::I8 | Type::I16 | Type::I32 | Type::I64 => {
            Value::Number(Decimal::from(d.i64()?))
        }
        Type::String => Value::text(d.str()?),
        Type::Array => {
            let count = d.array()?.ok_or_else(|| bad("a list of no length"))?;
            let items: Result<Vec<Value>, _> = (0..count).map(|_| read(d, depth)).collect();
            Value::list(items?).map_err(|_| bad("a list is too large"))?
        }
        Type::Map => {
            let count = d.map()?.ok_or_else(|| bad("a context of no length"))?;
            if count == 1 && d.datatype()? == Type::U8 {
                return special(d.u8()?, d.str()?);
            }
            let mut entries: Vec<(Name, Value)> = Vec::new();
            for _ in 0..count {
                let name = d.str()?;
                let after_last = entries.last().is_none_or(|(last, _)| by_encoding(last, name).is_lt());
                if name.len() > NAME_MAX || !after_last {
                    return Err(bad("members are out of order, doubled or too long"));
                }
                entries.push((Name::from(name), read(d, depth)?));
            }
            Value::context(entries).map_err(|_| bad("a context is too large"))?
        }
        _ => return Err(bad("not a value")),
    })
}

fn special(kind: u8, text: &str) -> Result<Value, decode::Error> {
    let value = match kind {
        0 => text.parse::<Decimal>().ok().map(Value::Number),
        1 => Date::parse(text).map(Value::Date),
        2 => Time::parse(text).map(Value::Time),
        3 => DateTime::parse(text).map(Value::DateTime),
        4 => DaysDuration::parse(text).map(Value::Days),
        5 => MonthsDuration::parse(text).map(Value::Months),
        _ => None,
    };
    value.ok_or_else(|| bad("a number, date or duration that cannot be read"))
}

/// Variables by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables(pub BTreeMap<String, Wire>);

impl Variables {
    /// The variables of these names and values.
    ///
    /// # Panics
    /// Never; values that are not stored are left out.
    pub fn of<const N: usize>(entries: [(&str, Value); N]) -> Self {
        Self(entries.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Wire::of(&value)?))).collect())
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).map(Wire::value)
    }

    /// Names and values in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, wire)| (name.as_str(), wire.value()))
    }

    /// Size of the encoding, in bytes.
    pub fn size(&self) -> usize {
        minicbor::to_vec(self).map_or(usize::MAX, |bytes| bytes.len())
    }
}

impl<C> Encode<C> for Variables {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, ctx: &mut C) -> Result<(), encode::Error<W::Error>> {
        let mut entries: Vec<(&String, &Wire)> = self.0.iter().collect();
        entries.sort_by(|a, b| by_encoding(a.0, b.0));
        e.map(entries.len() as u64)?;
        for (name, wire) in entries {
            e.str(name)?;
            wire.encode(e, ctx)?;
        }
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Variables {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        let count = d.map()?.ok_or_else(|| bad("variables of no length"))?;
        let mut variables = BTreeMap::new();
        for _ in 0..count {
            let name = d.str()?;
            if name.is_empty() || name.len() > NAME_MAX {
                return Err(bad("the name of a variable is empty or too long"));
            }
            if variables.insert(name.to_owned(), Wire::decode(d, ctx)?).is_some() {
                return Err(bad("a variable twice"));
            }
        }
        Ok(Self(variables))
    }

    fn nil() -> Option<Self> {
        None
    }
}
