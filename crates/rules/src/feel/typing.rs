//! What is known about types before anything runs. Never guesses: what is not certain is `Any`.

use crate::builtins::Builtin;
use crate::ir::Arithmetic;
use crate::types::Type;

/// The type of `a op b`; `None` when it is certain that no values of these types have a result.
pub(super) fn arithmetic(op: Arithmetic, a: &Type, b: &Type) -> Option<Type> {
    use Arithmetic::{Add, Divide, Multiply, Power, Subtract};
    use Type::{Any, Date, DateTime, DaysDuration, MonthsDuration, Null, Number, String, Time};
    Some(match (op, a.base(), b.base()) {
        (_, Number, Number) => Number,
        (_, Any | Null | Type::List(_), _) | (_, _, Any | Null | Type::List(_)) => Any,
        (Add, String, String) => String,
        (Add, DaysDuration, Date) | (Add | Subtract, Date, DaysDuration | MonthsDuration) | (Add, MonthsDuration, Date) => {
            Date
        }
        (Add, DaysDuration | MonthsDuration, DateTime) | (Add | Subtract, DateTime, DaysDuration | MonthsDuration) => {
            DateTime
        }
        (Add, DaysDuration, Time) | (Add | Subtract, Time, DaysDuration) => Time,
        (Subtract, Date | DateTime, Date | DateTime) | (Subtract, Time, Time) => DaysDuration,
        (Add | Subtract, DaysDuration, DaysDuration) => DaysDuration,
        (Add | Subtract, MonthsDuration, MonthsDuration) => MonthsDuration,
        (Multiply | Divide, DaysDuration, Number) | (Multiply, Number, DaysDuration) => DaysDuration,
        (Multiply | Divide, MonthsDuration, Number) | (Multiply, Number, MonthsDuration) => MonthsDuration,
        (Divide, DaysDuration, DaysDuration) | (Divide, MonthsDuration, MonthsDuration) => Number,
        (Power | Multiply | Divide | Add | Subtract, _, _) => return None,
    })
}

/// The type of the member of a value; `None` when it certainly has none.
pub(super) fn member(of: &Type, name: &str) -> Option<Type> {
    use Type::{DaysDuration, Number};
    Some(match (of.base(), name) {
        (Type::Context(members), _) if !members.is_empty() => {
            return members.iter().find(|(n, _)| &**n == name).map(|(_, ty)| ty.clone());
        }
        (Type::Any | Type::Null | Type::Context(_), _) => Type::Any,
        (Type::List(item), _) => Type::list(member(item, name)?),
        (Type::Date | Type::DateTime, "year" | "month" | "day" | "weekday") => Number,
        (Type::Time | Type::DateTime, "hour" | "minute" | "second") => Number,
        (Type::Time | Type::DateTime | Type::Date, "time offset") => DaysDuration,
        (Type::Time | Type::DateTime | Type::Date, "timezone") => Type::String,
        (Type::Date, "hour" | "minute" | "second") => Number,
        (Type::DaysDuration, "days" | "hours" | "minutes" | "seconds") => Number,
        (Type::MonthsDuration, "years" | "months") => Number,
        (Type::Range(_), "start included" | "end included") => Type::Boolean,
        (Type::Range(item), "start" | "end") => (**item).clone(),
        _ => return None,
    })
}

/// The result of a function of the language for arguments of these types.
pub(super) fn builtin(function: Builtin, arguments: &[Type]) -> Type {
    let list = |i: usize| match arguments.get(i).map(Type::base) {
        Some(Type::List(item)) => Type::List(item.clone()),
        Some(Type::Any) | None => Type::list(Type::Any),
        Some(other) => Type::list(other.clone()),
    };
    use Builtin as B;
    match function {
        B::Sublist | B::Reverse | B::DistinctValues | B::DuplicateValues | B::Sort | B::Remove => list(0),
        B::Append | B::InsertBefore | B::ListReplace => {
            let last = arguments.last().cloned().unwrap_or(Type::Any);
            let first = list(0).element();
            Type::list(if first.same(&last) { first } else { Type::Any })
        }
        B::Concatenate | B::Union => {
            let first = list(0).element();
            let same = arguments.iter().all(|t| t.element().same(&first));
            Type::list(if same { first } else { Type::Any })
        }
        B::Min | B::Max => {
            let first = arguments.first().map_or(Type::Any, Type::element);
            if arguments.iter().all(|t| t.element().same(&first)) { first } else { Type::Any }
        }
        other => other.result(),
    }
}
