//! Unary tests: the cells of decision tables and allowed values.

use super::lexer::Kind;
use super::parser::{Parsed, Parser, comparison};
use crate::errors::Fault;
use crate::ir::{Comparison, Ir, Test};
use crate::types::Type;
use crate::value::Value;

impl Parser<'_, '_> {
    pub(super) fn whole_unary_tests(mut self, input: u16, ty: &Type) -> Parsed<Box<[Test]>> {
        self.input = Some((input, ty.clone()));
        if self.sees("-") && self.text_at(1).is_empty() {
            return Ok(Box::new([Test::Any]));
        }
        if self.sees("not") && self.text_at(1) == "(" {
            let negated = self.attempt(|p| {
                p.skip(2);
                let tests = p.tests(ty)?;
                p.expect(")")?;
                if p.kind() == Kind::End { Ok(tests) } else { p.fail("the end is expected") }
            });
            if let Ok(tests) = negated {
                return Ok(Box::new([Test::Not(tests)]));
            }
        }
        let tests = self.tests(ty)?;
        if self.kind() != Kind::End {
            return self.fail("a comma or the end is expected");
        }
        Ok(tests)
    }

    fn tests(&mut self, ty: &Type) -> Parsed<Box<[Test]>> {
        let mut out = Vec::new();
        loop {
            out.push(self.test(ty)?);
            if !self.eat(",") {
                return Ok(out.into());
            }
        }
    }

    fn test(&mut self, ty: &Type) -> Parsed<Test> {
        let operator = matches!(self.text(), "<" | "<=" | ">" | ">=" | "=" | "!=") && self.kind() == Kind::Symbol;
        self.input_used = false;
        if operator {
            let op = comparison(self.text());
            self.next();
            let node = self.sum()?;
            self.check(ty, &node.ty);
            return Ok(match node.ir {
                Ir::Const(Value::Number(n)) => Test::Number(op, n),
                Ir::Const(Value::String(text)) if op == Comparison::Equal => Test::Text(text),
                other => Test::Compare(op, other),
            });
        }
        let node = self.expression()?;
        if self.input_used {
            if node.ty.disjoint(&Type::Boolean) {
                self.scope().note(Fault::Condition, format!("the test is a {}", node.ty));
            }
            return Ok(Test::Holds(node.ir));
        }
        self.check(ty, &node.ty.element());
        Ok(match node.ir {
            Ir::Const(Value::Number(n)) => Test::Number(Comparison::Equal, n),
            Ir::Const(Value::String(text)) => Test::Text(text),
            Ir::Range(range) => match (&range.start, &range.end) {
                (Some(Ir::Const(Value::Number(low))), Some(Ir::Const(Value::Number(high)))) => Test::Interval {
                    low: *low,
                    high: *high,
                    low_included: range.start_included,
                    high_included: range.end_included,
                },
                _ => Test::Member(Ir::Range(range)),
            },
            other => Test::Member(other),
        })
    }

    fn check(&mut self, input: &Type, tested: &Type) {
        if input.disjoint(tested) && !matches!(tested.base(), Type::Boolean) {
            self.scope().note(Fault::OperandKind, format!("a {input} is tested against {tested}"));
        }
    }
}
