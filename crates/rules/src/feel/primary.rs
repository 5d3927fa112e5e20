//! Values that stand alone: literals, names, and where brackets and special forms begin.

use super::lexer::{Kind, unquote};
use super::names::is_keyword;
use super::parser::{Node, Parsed, Parser};
use crate::errors::Fault;
use crate::ir::Ir;
use crate::number::Decimal;
use crate::temporal::{Date, DateTime, DaysDuration, MonthsDuration, Time};
use crate::types::Type;
use crate::value::Value;

impl Parser<'_, '_> {
    pub(super) fn primary(&mut self) -> Parsed<Node> {
        let token = self.token();
        let text = self.text();
        match token.kind {
            Kind::Number => {
                self.next();
                match text.parse::<Decimal>() {
                    Ok(n) => Ok(Node::constant(Value::Number(n), Type::Number)),
                    Err(_) => self.fail("a number is too large"),
                }
            }
            Kind::Text => {
                self.next();
                match unquote(text) {
                    Some(text) => Ok(Node::constant(Value::text(&text), Type::String)),
                    None => self.fail("a text has a bad escape"),
                }
            }
            Kind::Ident => self.word(),
            Kind::Symbol => self.symbol(),
            Kind::End => self.fail("the expression ends too early"),
        }
    }

    pub(super) fn word(&mut self) -> Parsed<Node> {
        let found = self.resolve();
        if let Some((length, ir, ty)) = found
            && (length > 1 || !is_keyword(self.text()))
        {
            self.skip(length);
            return Ok(Node::leaf(ir, ty));
        }
        match self.text() {
            "true" | "false" => {
                let value = self.text() == "true";
                self.next();
                Ok(Node::constant(Value::Boolean(value), Type::Boolean))
            }
            "null" => {
                self.next();
                Ok(Node::constant(Value::Null, Type::Null))
            }
            "if" | "for" | "some" | "every" | "function" => {
                self.enter()?;
                let node = match self.text() {
                    "if" => self.conditional(),
                    "for" => self.iteration(),
                    "function" => self.function(),
                    _ => self.quantified(),
                };
                self.exit();
                node
            }
            word if is_keyword(word) => self.fail("a value is expected"),
            _ => {
                let name = self.free_name()?;
                let ir = self.scope.unknown(&name);
                Ok(Node::leaf(ir, Type::Any))
            }
        }
    }

    pub(super) fn symbol(&mut self) -> Parsed<Node> {
        match self.text() {
            "?" => {
                let Some((slot, ty)) = self.input.clone() else { return self.fail("`?` has no meaning here") };
                self.next();
                self.input_used = true;
                Ok(Node::leaf(Ir::Local(slot), ty))
            }
            "@" => {
                self.next();
                if self.kind() != Kind::Text {
                    return self.fail("a text is expected after @");
                }
                let text = unquote(self.text()).unwrap_or_default();
                self.next();
                Ok(self.temporal(&text))
            }
            "{" => self.context(),
            "(" | "[" | "]" => self.bracket(),
            _ => self.fail("a value is expected"),
        }
    }

    /// `@"..."`
    pub(super) fn temporal(&mut self, text: &str) -> Node {
        if let Some(date) = Date::parse(text) {
            return Node::constant(Value::Date(date), Type::Date);
        }
        if let Some(v) = DateTime::parse(text) {
            return Node::constant(Value::DateTime(v), Type::DateTime);
        }
        if let Some(v) = Time::parse(text) {
            return Node::constant(Value::Time(v), Type::Time);
        }
        if let Some(v) = DaysDuration::parse(text) {
            return Node::constant(Value::Days(v), Type::DaysDuration);
        }
        if let Some(v) = MonthsDuration::parse(text) {
            return Node::constant(Value::Months(v), Type::MonthsDuration);
        }
        let fault = if text.contains('@') { Fault::NamedZone } else { Fault::Unreadable };
        self.scope.note(fault, text);
        Node::leaf(Ir::Fault(fault), Type::Any)
    }
}
