//! The functions of the language (DMN 1.5 §10.3.4), by name, parameters and result.

mod context;
mod conversion;
mod list;
mod numeric;
mod pattern;
mod range;
mod string;
mod temporal;

use crate::errors::{Fault, Halt};
use crate::evaluate::Evaluator;
use crate::ir::Ir;
use crate::number::Decimal;
use crate::types::Type;
use crate::value::{Name, Value};

/// One way to call a function: parameter names, and how many of them are required.
type Signature = (&'static [&'static str], usize);

struct Spec {
    name: &'static str,
    signatures: &'static [Signature],
    /// Also callable with any number of items instead of one list.
    variadic: bool,
    result: fn() -> Type,
}

macro_rules! builtins {
    ($($variant:ident $name:literal $variadic:literal $result:expr, $($signature:expr),* ;)*) => {
        /// A function of the language.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        #[allow(missing_docs)]
        pub enum Builtin { $($variant),* }

        const ALL: &[Builtin] = &[$(Builtin::$variant),*];
        const SPECS: &[Spec] = &[$(Spec {
            name: $name,
            signatures: &[$($signature),*],
            variadic: $variadic,
            result: || $result,
        }),*];
    };
}

fn texts() -> Type {
    Type::list(Type::String)
}

fn numbers() -> Type {
    Type::list(Type::Number)
}

builtins! {
    Date "date" false Type::Date, (&["from"], 1), (&["year", "month", "day"], 3);
    DateAndTime "date and time" false Type::DateTime, (&["from"], 1), (&["date", "time"], 2);
    Time "time" false Type::Time, (&["from"], 1), (&["hour", "minute", "second", "offset"], 3);
    Number "number" false Type::Number, (&["from", "grouping separator", "decimal separator"], 1);
    String "string" false Type::String, (&["from"], 1);
    Duration "duration" false Type::Any, (&["from"], 1);
    YearsAndMonthsDuration "years and months duration" false Type::MonthsDuration, (&["from", "to"], 2);
    Not "not" false Type::Boolean, (&["negand"], 1);
    Substring "substring" false Type::String, (&["string", "start position", "length"], 2);
    StringLength "string length" false Type::Number, (&["string"], 1);
    UpperCase "upper case" false Type::String, (&["string"], 1);
    LowerCase "lower case" false Type::String, (&["string"], 1);
    SubstringBefore "substring before" false Type::String, (&["string", "match"], 2);
    SubstringAfter "substring after" false Type::String, (&["string", "match"], 2);
    Replace "replace" false Type::String, (&["input", "pattern", "replacement", "flags"], 3);
    Contains "contains" false Type::Boolean, (&["string", "match"], 2);
    StartsWith "starts with" false Type::Boolean, (&["string", "match"], 2);
    EndsWith "ends with" false Type::Boolean, (&["string", "match"], 2);
    Matches "matches" false Type::Boolean, (&["input", "pattern", "flags"], 2);
    Split "split" false texts(), (&["string", "delimiter"], 2);
    StringJoin "string join" false Type::String, (&["list", "delimiter"], 1);
    ListContains "list contains" false Type::Boolean, (&["list", "element"], 2);
    Count "count" true Type::Number, (&["list"], 1);
    Min "min" true Type::Any, (&["list"], 1);
    Max "max" true Type::Any, (&["list"], 1);
    Sum "sum" true Type::Number, (&["list"], 1);
    Mean "mean" true Type::Number, (&["list"], 1);
    All "all" true Type::Boolean, (&["list"], 1);
    And "and" true Type::Boolean, (&["list"], 1);
    Any "any" true Type::Boolean, (&["list"], 1);
    Or "or" true Type::Boolean, (&["list"], 1);
    Sublist "sublist" false Type::list(Type::Any), (&["list", "start position", "length"], 2);
    Append "append" false Type::list(Type::Any), (&["list", "item"], 2);
    Concatenate "concatenate" true Type::list(Type::Any), (&["list"], 1);
    InsertBefore "insert before" false Type::list(Type::Any), (&["list", "position", "newItem"], 3);
    Remove "remove" false Type::list(Type::Any), (&["list", "position"], 2);
    Reverse "reverse" false Type::list(Type::Any), (&["list"], 1);
    IndexOf "index of" false numbers(), (&["list", "match"], 2);
    Union "union" true Type::list(Type::Any), (&["list"], 1);
    DistinctValues "distinct values" false Type::list(Type::Any), (&["list"], 1);
    DuplicateValues "duplicate values" false Type::list(Type::Any), (&["list"], 1);
    Flatten "flatten" false Type::list(Type::Any), (&["list"], 1);
    Product "product" true Type::Number, (&["list"], 1);
    Median "median" true Type::Number, (&["list"], 1);
    Stddev "stddev" true Type::Number, (&["list"], 1);
    Mode "mode" true numbers(), (&["list"], 1);
    Sort "sort" false Type::list(Type::Any), (&["list", "precedes"], 1);
    ListReplace "list replace" false Type::list(Type::Any),
        (&["list", "position", "newItem"], 3), (&["list", "match", "newItem"], 3);
    Decimal "decimal" false Type::Number, (&["n", "scale"], 2);
    Floor "floor" false Type::Number, (&["n", "scale"], 1);
    Ceiling "ceiling" false Type::Number, (&["n", "scale"], 1);
    RoundUp "round up" false Type::Number, (&["n", "scale"], 2);
    RoundDown "round down" false Type::Number, (&["n", "scale"], 2);
    RoundHalfUp "round half up" false Type::Number, (&["n", "scale"], 2);
    RoundHalfDown "round half down" false Type::Number, (&["n", "scale"], 2);
    Abs "abs" false Type::Any, (&["n"], 1);
    Modulo "modulo" false Type::Number, (&["dividend", "divisor"], 2);
    Sqrt "sqrt" false Type::Number, (&["number"], 1);
    Log "log" false Type::Number, (&["number"], 1);
    Exp "exp" false Type::Number, (&["number"], 1);
    Odd "odd" false Type::Boolean, (&["number"], 1);
    Even "even" false Type::Boolean, (&["number"], 1);
    RandomNumber "random number" false Type::Number, (&[], 0);
    DayOfYear "day of year" false Type::Number, (&["date"], 1);
    DayOfWeek "day of week" false Type::String, (&["date"], 1);
    MonthOfYear "month of year" false Type::String, (&["date"], 1);
    WeekOfYear "week of year" false Type::Number, (&["date"], 1);
    Now "now" false Type::DateTime, (&[], 0);
    Today "today" false Type::Date, (&[], 0);
    Is "is" false Type::Boolean, (&["value1", "value2"], 0);
    Before "before" false Type::Boolean, (&["point1", "point2"], 2), (&["point", "range"], 2), (&["range", "point"], 2), (&["range1", "range2"], 2);
    After "after" false Type::Boolean, (&["point1", "point2"], 2), (&["point", "range"], 2), (&["range", "point"], 2), (&["range1", "range2"], 2);
    Meets "meets" false Type::Boolean, (&["range1", "range2"], 2);
    MetBy "met by" false Type::Boolean, (&["range1", "range2"], 2);
    Overlaps "overlaps" false Type::Boolean, (&["range1", "range2"], 2);
    OverlapsBefore "overlaps before" false Type::Boolean, (&["range1", "range2"], 2);
    OverlapsAfter "overlaps after" false Type::Boolean, (&["range1", "range2"], 2);
    Finishes "finishes" false Type::Boolean, (&["point", "range"], 2), (&["range1", "range2"], 2);
    FinishedBy "finished by" false Type::Boolean, (&["range", "point"], 2), (&["range1", "range2"], 2);
    Includes "includes" false Type::Boolean, (&["range", "point"], 2), (&["range1", "range2"], 2);
    During "during" false Type::Boolean, (&["point", "range"], 2), (&["range1", "range2"], 2);
    Starts "starts" false Type::Boolean, (&["point", "range"], 2), (&["range1", "range2"], 2);
    StartedBy "started by" false Type::Boolean, (&["range", "point"], 2), (&["range1", "range2"], 2);
    Coincides "coincides" false Type::Boolean, (&["point1", "point2"], 2), (&["range1", "range2"], 2);
    Range "range" false Type::Range(std::sync::Arc::new(Type::Any)), (&["from"], 1);
    GetValue "get value" false Type::Any, (&["m", "key"], 2), (&["context", "key"], 2);
    GetEntries "get entries" false Type::list(Type::Any), (&["m"], 1), (&["context"], 1);
    Context "context" false Type::Any, (&["entries"], 1);
    ContextPut "context put" false Type::Any, (&["context", "key", "value"], 3), (&["context", "keys", "value"], 3);
    ContextMerge "context merge" false Type::Any, (&["contexts"], 1);
}

impl Builtin {
    fn spec(self) -> &'static Spec {
        &SPECS[self as usize]
    }

    /// Every function.
    pub fn all() -> impl Iterator<Item = Self> {
        // `and` and `or` as functions exist only under their newer names `all` and `any`.
        ALL.iter().copied().filter(|f| !matches!(f, Self::And | Self::Or))
    }

    /// The name by which it is called.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// The type of the result, as far as the name tells.
    pub fn result(self) -> Type {
        (self.spec().result)()
    }

    /// Whether it can be called with so many arguments.
    pub fn accepts(self, count: usize) -> bool {
        let spec = self.spec();
        if spec.variadic {
            return count >= spec.signatures.iter().map(|s| s.1).min().unwrap_or(1);
        }
        match self {
            // date and time(year, month, day, hour, minute, second, offset)
            Self::DateAndTime if (6..=7).contains(&count) => true,
            // append(list, item, item ...)
            Self::Append => count >= 2,
            _ => spec.signatures.iter().any(|(names, required)| (*required..=names.len()).contains(&count)),
        }
    }

    /// Puts named arguments in order; absent optional ones are null. `None` when the names fit no signature.
    pub fn order<T: From<Value>>(self, names: &[Name], arguments: Vec<T>) -> Option<Vec<T>> {
        let fits = |(parameters, required): &&Signature| {
            names.iter().all(|name| parameters.contains(&&**name))
                && parameters[..*required].iter().all(|p| names.iter().any(|name| &**name == *p))
        };
        let signature = self.spec().signatures.iter().find(fits)?;
        let mut slots: Vec<Option<T>> = signature.0.iter().map(|_| None).collect();
        for (name, argument) in names.iter().zip(arguments) {
            let slot = slots.get_mut(signature.0.iter().position(|p| *p == &**name)?)?;
            if slot.replace(argument).is_some() {
                return None;
            }
        }
        while slots.last().is_some_and(Option::is_none) {
            slots.pop();
        }
        Some(slots.into_iter().map(|slot| slot.unwrap_or_else(|| T::from(Value::Null))).collect())
    }

    /// Calls the function; arguments it cannot take are a fault and give null.
    pub(crate) fn call(self, ev: &mut Evaluator, arguments: &[Value]) -> Result<Value, Halt> {
        if self.accepts(arguments.len()) { self.apply(ev, arguments) } else { Ok(ev.fault(Fault::Argument)) }
    }

    /// Calls the function with a number of arguments that was checked when the call was compiled.
    pub(crate) fn apply(self, ev: &mut Evaluator, arguments: &[Value]) -> Result<Value, Halt> {
        let result = match self as u8 {
            n if n <= Self::YearsAndMonthsDuration as u8 => conversion::call(self, ev, arguments),
            n if n <= Self::StringJoin as u8 => string::call(self, ev, arguments),
            n if n <= Self::ListReplace as u8 => list::call(self, ev, arguments),
            n if n <= Self::RandomNumber as u8 => numeric::call(self, ev, arguments),
            n if n <= Self::Is as u8 => temporal::call(self, ev, arguments),
            n if n <= Self::Range as u8 => range::call(self, ev, arguments),
            _ => context::call(self, ev, arguments),
        };
        match result {
            Ok(value) => Ok(value),
            Err(Failure::Halt(halt)) => Err(halt),
            Err(Failure::Fault(fault)) => Ok(ev.fault(fault)),
        }
    }
}

impl From<Value> for Ir {
    fn from(value: Value) -> Self {
        Self::Const(value)
    }
}

/// Why a function has no result: a fault becomes null, a halt ends the evaluation.
pub(crate) enum Failure {
    Halt(Halt),
    Fault(Fault),
}

impl From<Halt> for Failure {
    fn from(halt: Halt) -> Self {
        Self::Halt(halt)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

type Answer = Result<Value, Failure>;

/// The argument at `i`, or null; a list of one stands for its item.
fn single(arguments: &[Value], i: usize) -> &Value {
    match arguments.get(i) {
        Some(Value::List(list)) if list.items().len() == 1 => &list.items()[0],
        Some(value) => value,
        None => &Value::Null,
    }
}

fn text(arguments: &[Value], i: usize) -> Result<&str, Failure> {
    single(arguments, i).as_text().ok_or(Failure::Fault(Fault::Argument))
}

fn number(arguments: &[Value], i: usize) -> Result<Decimal, Failure> {
    single(arguments, i).as_number().ok_or(Failure::Fault(Fault::Argument))
}

/// The number at `i` without its fraction, as a machine integer.
fn integer(arguments: &[Value], i: usize) -> Result<i64, Failure> {
    number(arguments, i)?.truncate_to_i64().ok_or(Failure::Fault(Fault::OutOfRange))
}

/// The argument at `i` as a list; a single value is a list of itself, null is not a list.
fn items(arguments: &[Value], i: usize) -> Result<&[Value], Failure> {
    match arguments.get(i) {
        None | Some(Value::Null) => Err(Failure::Fault(Fault::Argument)),
        Some(value) => Ok(value.as_items()),
    }
}

fn in_range<T>(value: Option<T>) -> Result<T, Failure> {
    value.ok_or(Failure::Fault(Fault::OutOfRange))
}
