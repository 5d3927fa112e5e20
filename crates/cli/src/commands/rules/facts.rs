//! Facts as people give them: in JSON, or one by one as FEEL; and values as JSON.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value as Json, json};
use zhulian_modules::rulepack::Pack;
use zhulian_rules::{
    Decimal, Name, Undecided, Value,
    gas::Gas,
    temporal::{Date, DateTime, DaysDuration, MonthsDuration, Time},
    types::Type,
};

use super::source::read_text;
use crate::{
    failure::{Exit, Failure, Result},
    text,
    text::Text,
};

/// Deepest JSON that is read as a value.
const DEPTH_MAX: usize = 16;

/// Facts.
#[derive(Args, Debug, Default)]
pub struct Facts {
    /// A JSON file with the facts: {"name": value} (事实的 JSON 文件)
    #[arg(long, value_name = "FILE.json")]
    pub facts: Option<PathBuf>,
    /// A fact, as FEEL: Age=12, Kind="Orphan", Born=@"2014-02-01" (一项事实，值用 FEEL 书写)
    #[arg(long, value_name = "NAME=VALUE")]
    pub fact: Vec<String>,
}

/// The canonical text of a value.
pub fn canonical(value: &Value) -> String {
    value.to_canonical(&mut Gas::new(10_000_000)).unwrap_or_else(|halt| halt.to_string())
}

impl Facts {
    /// The facts for a decision, each read as the type of its input.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn read(&self, pack: &Pack) -> Result<Vec<(Name, Value)>> {
        let mut out = Vec::new();
        if let Some(path) = &self.facts {
            let json: Json = serde_json::from_str(&read_text(path)?).map_err(|error| {
                unreadable(&path.display().to_string()).why(crate::failure::library_reason(&error.to_string()))
            })?;
            let Json::Object(members) = json else { return Err(unreadable(&path.display().to_string())) };
            for (name, json) in &members {
                out.push(named(pack, name, json)?);
            }
        }
        out.extend(self.of_words()?);
        Ok(out)
    }

    /// The facts that are written as FEEL.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn of_words(&self) -> Result<Vec<(Name, Value)>> {
        let mut out = Vec::new();
        for fact in &self.fact {
            let (name, value) = fact
                .split_once('=')
                .ok_or_else(|| unreadable(fact).next(Text::fixed("写作 名称=值", "write it as NAME=VALUE")))?;
            let value = Value::from_feel(value.trim()).ok_or_else(|| {
                unreadable(fact).next(Text::fixed(
                    "数字写作 12.5，文字写作 \"文字\"，日期写作 @\"2026-01-31\"（在命令行中整体加单引号）",
                    "write numbers as 12.5, texts as \"text\", dates as @\"2026-01-31\" (in a shell, in single quotes)",
                ))
            })?;
            out.push((Name::from(name.trim()), value));
        }
        Ok(out)
    }
}

/// A fact of JSON, read as the type of its input.
///
/// # Errors
/// When it cannot be.
pub fn named(pack: &Pack, name: &str, json: &Json) -> Result<(Name, Value)> {
    let ty = pack.model().inputs().find(|(input, _)| *input == name).map(|(_, ty)| ty.clone());
    let value =
        from_json(json, ty.as_ref().unwrap_or(&Type::Any), 0).ok_or_else(|| unreadable(&format!("{name} = {json}")))?;
    Ok((Name::from(name), value))
}

fn unreadable(what: &str) -> Failure {
    Failure::new(Exit::Usage, "fact.unreadable", text!("无法读取事实 {what}", "the fact {what} cannot be read"))
}

/// A value of JSON as a type wants it: a text is a date where a date is wanted.
pub fn from_json(json: &Json, ty: &Type, depth: usize) -> Option<Value> {
    if depth > DEPTH_MAX {
        return None;
    }
    Some(match (json, ty.base()) {
        (Json::Null, _) => Value::Null,
        (Json::Bool(b), _) => Value::Boolean(*b),
        (Json::Number(number), _) => Value::Number(number.to_string().parse::<Decimal>().ok()?),
        (Json::String(text), Type::Number) => Value::Number(text.parse::<Decimal>().ok()?),
        (Json::String(text), Type::Date) => Value::Date(Date::parse(text)?),
        (Json::String(text), Type::Time) => Value::Time(Time::parse(text)?),
        (Json::String(text), Type::DateTime) => Value::DateTime(DateTime::parse(text)?),
        (Json::String(text), Type::DaysDuration) => Value::Days(DaysDuration::parse(text)?),
        (Json::String(text), Type::MonthsDuration) => Value::Months(MonthsDuration::parse(text)?),
        (Json::String(text), _) => Value::text(text),
        (Json::Array(items), ty) => {
            let item = match ty {
                Type::List(item) => (**item).clone(),
                _ => Type::Any,
            };
            let items = items.iter().map(|json| from_json(json, &item, depth + 1));
            Value::list(items.collect::<Option<_>>()?).ok()?
        }
        (Json::Object(members), ty) => {
            let of = |name: &str| match ty {
                Type::Context(types) => types.iter().find(|(n, _)| &**n == name).map(|(_, ty)| ty.clone()),
                _ => None,
            };
            let members = members.iter().map(|(name, json)| {
                Some((Name::from(&**name), from_json(json, &of(name).unwrap_or(Type::Any), depth + 1)?))
            });
            Value::context(members.collect::<Option<_>>()?).ok()?
        }
    })
}

/// A value for programs: JSON where JSON has the same, else the text as FEEL writes it.
pub fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(b) => json!(b),
        // Only whole numbers that every reader takes exactly; others as text.
        Value::Number(n) => match n.to_string().parse::<i64>() {
            Ok(whole) if whole.unsigned_abs() < 1 << 53 => json!(whole),
            _ => json!(n.to_string()),
        },
        Value::String(text) => json!(&**text),
        Value::List(list) => list.items().iter().map(to_json).collect(),
        Value::Context(context) => {
            Json::Object(context.entries().iter().map(|(name, value)| (name.to_string(), to_json(value))).collect())
        }
        other => json!(canonical(other).trim_start_matches("@\"").trim_end_matches('"')),
    }
}

/// The decision that is meant: the one that is named, or the only one no other needs.
///
/// # Errors
/// When there is none, or the choice is not clear.
pub fn decision(pack: &Pack, named: Option<&str>) -> Result<String> {
    let all: Vec<&str> = pack.model().decisions().map(|(name, _)| name).collect();
    match (named, &all[..]) {
        (Some(name), all) if all.contains(&name) => Ok(name.to_owned()),
        (None, [only]) => Ok((*only).to_owned()),
        _ => {
            let list = all.join(", ");
            let what = match named {
                Some(name) => text!("没有决策 {name}；有：{list}", "there is no decision {name}, but: {list}"),
                None => text!("请指明决策：{list}", "name the decision, one of: {list}"),
            };
            Err(Failure::new(Exit::Usage, "decision", what).next(Text::fixed("--decision 名称", "--decision NAME")))
        }
    }
}

/// What is wrong with the facts, in words.
pub fn undecided(pack: &Pack, decision: &str, why: &Undecided) -> Failure {
    let needed: Vec<String> = pack
        .model()
        .required(decision)
        .filter(|(name, _)| !pack.fixes(name))
        .map(|(name, ty)| format!("{name}: {ty}"))
        .collect();
    let needed = needed.join(", ");
    let text = match why {
        Undecided::NoSuchDecision => Text::fixed("没有此决策", "there is no such decision"),
        Undecided::MissingFact(name) => text!("缺少事实“{name}”", "the fact {name} is missing"),
        Undecided::UnneededFact(name) => {
            text!("事实“{name}”并不需要，或重复", "the fact {name} is not needed, or given twice")
        }
        Undecided::Halted(halt) => halt.to_string().into(),
        Undecided::Faulty(faults) => Text {
            zh: faults.iter().map(|fault| fault.zh()).collect::<Vec<_>>().join(";").into(),
            en: faults.iter().map(|fault| fault.en()).collect::<Vec<_>>().join("; ").into(),
        },
        Undecided::NoAnswer => Text::fixed("规则没有给出结论", "the rules give no answer"),
    };
    Failure::new(Exit::Failed, "rules.undecided", text!("“{decision}”未能作出决定", "{decision} is not decided"))
        .why(text)
        .next(text!("所需事实：{needed}", "facts that it needs: {needed}"))
}
