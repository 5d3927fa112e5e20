//! Brackets: lists, ranges, contexts, parentheses.

use super::lexer::{Kind, unquote};
use super::parser::{Node, Parsed, Parser};
use crate::errors::Fault;
use crate::ir::{Ir, RangeIr};
use crate::types::Type;
use crate::value::Name;
use std::sync::Arc;

impl Parser<'_, '_> {
    /// `(a)`, `(a..b)`, `(< a)`, `[a, b]`, `[a..b)`, `]a..b[`
    pub(super) fn bracket(&mut self) -> Parsed<Node> {
        self.enter()?;
        let node = self.bracket_inner();
        self.exit();
        node
    }

    pub(super) fn bracket_inner(&mut self) -> Parsed<Node> {
        let open = self.text();
        self.next();
        if open == "(" && matches!(self.text(), "<" | "<=" | ">" | ">=" | "=") && self.kind() == Kind::Symbol {
            return self.half_range();
        }
        if open == "[" && self.eat("]") {
            return self.node(Ir::List(Box::new([])), Type::list(Type::Any), 0);
        }
        let first = self.expression()?;
        if self.eat("..") {
            return self.range(open, first);
        }
        match open {
            "(" => {
                self.expect(")")?;
                Ok(first)
            }
            "[" => self.list(first),
            _ => self.fail(".."),
        }
    }

    pub(super) fn list(&mut self, first: Node) -> Parsed<Node> {
        let (mut items, mut ty, mut below) = (vec![first.ir], first.ty, first.depth);
        while !self.eat("]") {
            self.expect(",")?;
            let item = self.expression()?;
            below = below.max(item.depth);
            ty = ty.join(item.ty);
            items.push(item.ir);
        }
        self.node(Ir::List(items.into()), Type::list(ty), below)
    }

    /// `(< 10)`, `(=10)`
    pub(super) fn half_range(&mut self) -> Parsed<Node> {
        let op = self.text();
        self.next();
        let end = self.endpoint(true)?;
        self.expect(")")?;
        let (below, ty) = (end.depth, Type::Range(Arc::new(end.ty)));
        let included = matches!(op, "<=" | ">=" | "=");
        let copy = (op == "=").then(|| end.ir.clone());
        let (start, end) = match op {
            "<" | "<=" => (None, Some(end.ir)),
            ">" | ">=" => (Some(end.ir), None),
            _ => (copy, Some(end.ir)),
        };
        let range =
            RangeIr { start_included: included && start.is_some(), end_included: included && end.is_some(), start, end };
        self.node(Ir::Range(Box::new(range)), ty, below)
    }

    /// The rest of a range after `..`. In `[1..10[` the last bracket closes; in `[1..list[2]]` it filters.
    pub(super) fn range(&mut self, open: &str, start: Node) -> Parsed<Node> {
        let closed = |p: &mut Self, filters: bool| {
            let end = p.endpoint(filters)?;
            let close = p.text();
            if p.kind() != Kind::Symbol || !matches!(close, "]" | ")" | "[") {
                return p.fail("]");
            }
            p.next();
            Ok((end, close))
        };
        let (end, close) = match self.attempt(|p| closed(p, true)) {
            Ok(found) => found,
            Err(_) => closed(self, false)?,
        };
        let below = start.depth.max(end.depth);
        if start.ty.disjoint(&end.ty) {
            self.scope.note(Fault::OperandKind, format!("a range from {} to {}", start.ty, end.ty));
        }
        let ty = Type::Range(Arc::new(start.ty.join(end.ty)));
        let range =
            RangeIr { start: Some(start.ir), end: Some(end.ir), start_included: open == "[", end_included: close == "]" };
        self.node(Ir::Range(Box::new(range)), ty, below)
    }

    pub(super) fn endpoint(&mut self, filters: bool) -> Parsed<Node> {
        if filters {
            self.enter()?;
            let node = self.binary(4);
            self.exit();
            return node;
        }
        let negative = self.eat("-");
        let node = self.postfix(false)?;
        if !negative {
            return Ok(node);
        }
        let (ty, below) = (node.ty.clone(), node.depth);
        self.node(Ir::Negate(Box::new(node.ir)), ty, below)
    }

    pub(super) fn context(&mut self) -> Parsed<Node> {
        self.enter()?;
        self.expect("{")?;
        let mark = self.scope.mark();
        let (mut entries, mut members, mut below) = (Vec::new(), Vec::<(Name, Type)>::new(), 0);
        let mut twice = false;
        while !self.eat("}") {
            let name = if self.kind() == Kind::Text {
                let Some(name) = unquote(self.text()) else { return self.fail("a text has a bad escape") };
                self.next();
                Name::from(name)
            } else {
                self.new_name(&[":", ",", "}"])?
            };
            self.expect(":")?;
            let value = self.expression()?;
            below = below.max(value.depth);
            twice |= members.iter().any(|(n, _)| *n == name);
            let slot = self.scope.variable(&name, value.ty.clone());
            members.push((name.clone(), value.ty));
            entries.push((name, value.ir, slot));
            if !self.eat(",") && !self.sees("}") {
                return self.fail("}");
            }
        }
        self.scope.restore(&mark);
        self.exit();
        if twice {
            self.scope.note(Fault::Syntax, "a context names a member twice");
            return Ok(Node::leaf(Ir::Fault(Fault::Syntax), Type::Any));
        }
        self.node(Ir::Context(entries.into()), Type::Context(members.into()), below)
    }
}
