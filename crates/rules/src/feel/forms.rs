//! Special forms: conditions, iterations, quantifiers, functions, and the tests after `in`.

use super::lexer::Kind;
use super::parser::{Node, Parsed, Parser, comparison};
use crate::errors::Fault;
use crate::ir::{Domain, For, Ir, Lambda, Quantified, Test};
use crate::types::Type;
use std::sync::Arc;

impl Parser<'_, '_> {
    pub(super) fn conditional(&mut self) -> Parsed<Node> {
        self.expect("if")?;
        let condition = self.expression()?;
        self.expect("then")?;
        let yes = self.expression()?;
        self.expect("else")?;
        let no = self.expression()?;
        if condition.ty.disjoint(&Type::Boolean) {
            self.scope.note(Fault::Condition, format!("the condition is a {}", condition.ty));
        }
        let below = condition.depth.max(yes.depth).max(no.depth);
        self.node(Ir::If(Box::new([condition.ir, yes.ir, no.ir])), yes.ty.join(no.ty), below)
    }

    /// `a in x, b in y` up to a word.
    pub(super) fn domains(&mut self, until: &'static str) -> Parsed<(Vec<(u16, Domain)>, u16)> {
        let (mut domains, mut below) = (Vec::new(), 0);
        loop {
            let name = self.new_name(&["in"])?;
            self.expect("in")?;
            let first = self.expression()?;
            below = below.max(first.depth);
            let (domain, ty) = if self.eat("..") {
                let last = self.expression()?;
                below = below.max(last.depth);
                (Domain::Between(first.ir, last.ir), first.ty)
            } else {
                (Domain::Items(first.ir), first.ty.element())
            };
            domains.push((self.scope.variable(&name, ty), domain));
            if !self.eat(",") {
                self.expect(until)?;
                return Ok((domains, below));
            }
        }
    }

    pub(super) fn iteration(&mut self) -> Parsed<Node> {
        self.expect("for")?;
        let mark = self.scope.mark();
        let (domains, below) = self.domains("return")?;
        let partial = self.scope.variable("partial", Type::list(Type::Any));
        let result = self.expression()?;
        self.scope.restore(&mark);
        let below = below.max(result.depth);
        let partial = mentions(&result.ir, partial).then_some(partial);
        let iteration = For { domains: domains.into(), partial, result: result.ir };
        self.node(Ir::For(Box::new(iteration)), Type::list(result.ty), below)
    }

    pub(super) fn quantified(&mut self) -> Parsed<Node> {
        let every = self.text() == "every";
        self.next();
        let mark = self.scope.mark();
        let (domains, below) = self.domains("satisfies")?;
        let condition = self.expression()?;
        self.scope.restore(&mark);
        let below = below.max(condition.depth);
        let quantified = Quantified { every, domains: domains.into(), condition: condition.ir };
        self.node(Ir::Quantified(Box::new(quantified)), Type::Boolean, below)
    }

    pub(super) fn function(&mut self) -> Parsed<Node> {
        self.expect("function")?;
        self.expect("(")?;
        let mark = self.scope.mark();
        self.scope.enter();
        let mut parameters = Vec::new();
        while !self.eat(")") {
            let name = self.new_name(&[":", ",", ")"])?;
            let ty = if self.eat(":") { self.type_name()? } else { Type::Any };
            self.scope.variable(&name, ty.clone());
            parameters.push((name, ty));
            if !self.eat(",") && !self.sees(")") {
                return self.fail(")");
            }
        }
        let external = self.eat("external");
        let outer_input = self.input.take();
        let body = self.expression();
        self.input = outer_input;
        let body = body?;
        let (frame, captures) = self.scope.leave();
        self.scope.restore(&mark);
        if external {
            self.scope.note(Fault::NotDeterministic, "an external function");
            return Ok(Node::leaf(Ir::Fault(Fault::NotDeterministic), Type::Any));
        }
        let types: Arc<[Type]> = parameters.iter().map(|(_, ty)| ty.clone()).collect();
        let ty = Type::Function(types, Arc::new(body.ty.clone()));
        let lambda = Lambda { parameters: parameters.into(), captures, frame, result: body.ty, body: body.ir };
        self.node(Ir::Lambda(Arc::new(lambda)), ty, body.depth)
    }

    /// The tests after `in`.
    pub(super) fn in_tests(&mut self, value: Node) -> Parsed<Node> {
        let tests = if self.sees("(") {
            match self.attempt(Self::tests_in_parentheses) {
                Ok(tests) => tests,
                Err(_) => vec![self.one_test(4)?],
            }
        } else {
            vec![self.one_test(4)?]
        };
        let below = tests.iter().map(|(_, depth)| *depth).max().unwrap_or(0).max(value.depth);
        let tests: Box<[Test]> = tests.into_iter().map(|(test, _)| test).collect();
        let slot = self.scope.slot();
        self.node(Ir::In(Box::new(value.ir), slot, tests), Type::Boolean, below)
    }

    pub(super) fn tests_in_parentheses(&mut self) -> Parsed<Vec<(Test, u16)>> {
        self.expect("(")?;
        let mut tests = Vec::new();
        loop {
            tests.push(self.one_test(1)?);
            if !self.eat(",") {
                self.expect(")")?;
                return Ok(tests);
            }
        }
    }

    /// `< a`, or a value, list or range to be in.
    pub(super) fn one_test(&mut self, min: u8) -> Parsed<(Test, u16)> {
        self.enter()?;
        let operator = matches!(self.text(), "<" | "<=" | ">" | ">=" | "=" | "!=") && self.kind() == Kind::Symbol;
        let result = if operator {
            let op = comparison(self.text());
            self.next();
            self.binary(4).map(|node| (Test::Compare(op, node.ir), node.depth))
        } else {
            self.binary(min).map(|node| (Test::Member(node.ir), node.depth))
        };
        self.exit();
        result
    }
}

/// Whether the slot is read, so that `partial` is only kept where it is wanted.
fn mentions(ir: &Ir, slot: u16) -> bool {
    let all = |list: &[Ir]| list.iter().any(|ir| mentions(ir, slot));
    let tests = |tests: &[Test]| tests.iter().any(|test| test_mentions(test, slot));
    let domains = |domains: &[(u16, Domain)]| {
        domains.iter().any(|(_, domain)| match domain {
            Domain::Items(a) => mentions(a, slot),
            Domain::Between(a, b) => mentions(a, slot) || mentions(b, slot),
        })
    };
    match ir {
        Ir::Local(s) => *s == slot,
        Ir::Const(_) | Ir::Captured(_) | Ir::Global(_) | Ir::Fault(_) | Ir::Table(_) => false,
        Ir::Member(a, _) | Ir::Negate(a) | Ir::InstanceOf(a, _) | Ir::Coerce(a, _) => mentions(a, slot),
        Ir::ItemMember(a, _, b) => mentions(a, slot) || mentions(b, slot),
        Ir::Arithmetic(_, ab) | Ir::Compare(_, ab) => all(&ab[..]),
        Ir::Between(abc) | Ir::If(abc) => all(&abc[..]),
        Ir::And(list) | Ir::Or(list) | Ir::List(list) | Ir::Builtin(_, list) => all(list),
        Ir::In(a, _, list) => mentions(a, slot) || tests(list),
        Ir::For(f) => domains(&f.domains) || mentions(&f.result, slot),
        Ir::Quantified(q) => domains(&q.domains) || mentions(&q.condition, slot),
        Ir::Filter(f) => mentions(&f.list, slot) || mentions(&f.condition, slot),
        Ir::Context(entries) => entries.iter().any(|(_, ir, _)| mentions(ir, slot)),
        Ir::Block(entries, result) => entries.iter().any(|(ir, _)| mentions(ir, slot)) || mentions(result, slot),
        Ir::Range(r) => [&r.start, &r.end].into_iter().flatten().any(|ir| mentions(ir, slot)),
        Ir::Call(a, list) => mentions(a, slot) || all(list),
        Ir::CallNamed(a, list) => mentions(a, slot) || list.iter().any(|(_, ir)| mentions(ir, slot)),
        Ir::Lambda(lambda) => all(&lambda.captures),
    }
}

fn test_mentions(test: &Test, slot: u16) -> bool {
    match test {
        Test::Compare(_, ir) | Test::Holds(ir) | Test::Member(ir) => mentions(ir, slot),
        Test::Not(tests) => tests.iter().any(|test| test_mentions(test, slot)),
        _ => false,
    }
}
