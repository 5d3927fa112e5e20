//! Recursive descent over the tokens, straight to the compiled form.
//!
//! Bounds: nesting below [`NESTING_MAX`], compiled depth below [`IR_DEPTH_MAX`], and a number of steps in proportion
//! to the text, because ambiguous brackets are read twice.

use super::lexer::{Kind, LexError, Token, tokens};
use super::scope::Scope;
use super::typing;
use crate::errors::Fault;
use crate::ir::{Arithmetic, Comparison, Ir};
use crate::types::Type;
use crate::value::Value;

/// Deepest nesting of brackets and special forms in a text.
const NESTING_MAX: u32 = 48;
/// Deepest compiled form.
pub(super) const IR_DEPTH_MAX: u16 = 120;

/// A text that is not FEEL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    /// Byte offset.
    pub at: usize,
    /// What was expected or refused.
    pub reason: &'static str,
}

pub(super) type Parsed<T> = Result<T, SyntaxError>;

/// A compiled part with its type and depth.
pub(super) struct Node {
    pub ir: Ir,
    pub ty: Type,
    pub depth: u16,
}

impl Node {
    pub(super) fn leaf(ir: Ir, ty: Type) -> Self {
        Self { ir, ty, depth: 1 }
    }

    pub(super) fn constant(value: Value, ty: Type) -> Self {
        Self::leaf(Ir::Const(value), ty)
    }
}

pub(super) struct Parser<'s, 't> {
    pub(super) scope: &'s mut Scope,
    source: &'t str,
    tokens: Vec<Token>,
    pos: usize,
    nesting: u32,
    steps: u64,
    /// The slot of `?`, and whether it was read.
    pub(super) input: Option<(u16, Type)>,
    pub(super) input_used: bool,
}

impl<'s, 't> Parser<'s, 't> {
    pub fn new(scope: &'s mut Scope, source: &'t str) -> Parsed<Self> {
        let tokens = tokens(source).map_err(|LexError(at, reason)| SyntaxError { at, reason })?;
        let steps = (2_000 + 200 * tokens.len() as u64).min(300_000);
        Ok(Self { scope, source, tokens, pos: 0, nesting: 0, steps, input: None, input_used: false })
    }

    pub fn whole_expression(mut self) -> Parsed<(Ir, Type)> {
        let node = self.expression()?;
        if self.kind() != Kind::End {
            return self.fail("an operator or the end is expected");
        }
        Ok((node.ir, node.ty))
    }

    // ---- Tokens ----

    pub(super) fn token(&self) -> Token {
        self.token_at(0)
    }

    pub(super) fn token_at(&self, ahead: usize) -> Token {
        let last = self.tokens.len() - 1;
        self.tokens[(self.pos + ahead).min(last)]
    }

    pub(super) fn kind(&self) -> Kind {
        self.token().kind
    }

    pub(super) fn text(&self) -> &'t str {
        self.text_at(0)
    }

    pub(super) fn text_at(&self, ahead: usize) -> &'t str {
        let token = self.token_at(ahead);
        &self.source[token.start..token.end]
    }

    pub(super) fn source(&self) -> &'t str {
        self.source
    }

    pub(super) fn scope(&mut self) -> &mut Scope {
        self.scope
    }

    pub(super) fn next(&mut self) {
        self.skip(1);
    }

    pub(super) fn skip(&mut self, count: usize) {
        self.pos = (self.pos + count).min(self.tokens.len() - 1);
    }

    /// The text of the part `i` tokens ahead, unless it is a text literal.
    pub(super) fn part(&self, i: usize) -> Option<&'t str> {
        part_of(self.source, &self.tokens, self.pos + i)
    }

    pub(super) fn eat(&mut self, text: &str) -> bool {
        let found = self.kind() != Kind::Text && self.kind() != Kind::End && self.text() == text;
        if found {
            self.next();
        }
        found
    }

    pub(super) fn sees(&self, text: &str) -> bool {
        self.kind() != Kind::Text && self.text() == text
    }

    pub(super) fn expect(&mut self, text: &'static str) -> Parsed<()> {
        if self.eat(text) { Ok(()) } else { self.fail(text) }
    }

    pub(super) fn fail<T>(&self, reason: &'static str) -> Parsed<T> {
        Err(SyntaxError { at: self.token().start, reason })
    }

    pub(super) fn enter(&mut self) -> Parsed<()> {
        self.nesting += 1;
        self.steps = self.steps.saturating_sub(1);
        if self.nesting > NESTING_MAX {
            // Nor is there another reading to be tried.
            self.steps = 0;
            return self.fail("the expression is nested too deeply");
        }
        if self.steps == 0 {
            return self.fail("the expression is too intricate");
        }
        Ok(())
    }

    pub(super) fn exit(&mut self) {
        self.nesting -= 1;
    }

    /// A node above others.
    pub(super) fn node(&self, ir: Ir, ty: Type, below: u16) -> Parsed<Node> {
        if below >= IR_DEPTH_MAX {
            return self.fail("the expression is nested too deeply");
        }
        Ok(Node { ir, ty, depth: below + 1 })
    }

    /// Tries a reading and returns to the place when it fails.
    pub(super) fn attempt<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let (pos, nesting, mark) = (self.pos, self.nesting, self.scope.mark());
        let notes = self.scope.diagnostics.len();
        let result = read(self);
        if result.is_err() {
            (self.pos, self.nesting) = (pos, nesting);
            self.scope.restore(&mark);
            self.scope.diagnostics.truncate(notes);
        }
        result
    }

    // ---- Expressions ----

    pub(super) fn expression(&mut self) -> Parsed<Node> {
        self.enter()?;
        let node = self.binary(1);
        self.exit();
        node
    }

    /// Operators that bind at least as tightly as `min`: 1 or, 2 and, 3 comparison, 4 sum, 5 product, 6 power.
    pub(super) fn binary(&mut self, min: u8) -> Parsed<Node> {
        let mut left = self.unary()?;
        loop {
            if self.kind() == Kind::Text {
                return Ok(left);
            }
            let op = self.text();
            left = match op {
                "or" | "and" if min <= level(op) => self.logic(left, op)?,
                "=" | "!=" | "<" | "<=" | ">" | ">=" if min <= 3 => {
                    let comparison = comparison(op);
                    self.next();
                    let right = self.binary(4)?;
                    self.comparison(comparison, left, right)?
                }
                "between" if min <= 3 => {
                    self.next();
                    let low = self.binary(4)?;
                    self.expect("and")?;
                    let high = self.binary(4)?;
                    let below = left.depth.max(low.depth).max(high.depth);
                    self.node(Ir::Between(Box::new([left.ir, low.ir, high.ir])), Type::Boolean, below)?
                }
                "in" if min <= 3 => {
                    self.next();
                    self.in_tests(left)?
                }
                "+" | "-" if min <= 4 => self.arithmetic(left, op, 5)?,
                "*" | "/" if min <= 5 => self.arithmetic(left, op, 6)?,
                "**" if min <= 6 => self.arithmetic(left, op, 7)?,
                _ => return Ok(left),
            };
        }
    }

    /// A chain of one of `and`, `or` becomes one node.
    pub(super) fn logic(&mut self, first: Node, op: &str) -> Parsed<Node> {
        let (mut terms, mut below) = (vec![first.ir], first.depth);
        while self.eat(op) {
            let term = self.binary(level(op) + 1)?;
            below = below.max(term.depth);
            terms.push(term.ir);
        }
        let terms = terms.into();
        self.node(if op == "and" { Ir::And(terms) } else { Ir::Or(terms) }, Type::Boolean, below)
    }

    pub(super) fn comparison(&mut self, op: Comparison, left: Node, right: Node) -> Parsed<Node> {
        let null = matches!(left.ty, Type::Null) || matches!(right.ty, Type::Null);
        if !null && left.ty.disjoint(&right.ty) {
            self.scope.note(Fault::OperandKind, format!("{} compared with {}", left.ty, right.ty));
        }
        let below = left.depth.max(right.depth);
        self.node(Ir::Compare(op, Box::new([left.ir, right.ir])), Type::Boolean, below)
    }

    pub(super) fn arithmetic(&mut self, left: Node, op: &str, tighter: u8) -> Parsed<Node> {
        let kind = match op {
            "+" => Arithmetic::Add,
            "-" => Arithmetic::Subtract,
            "*" => Arithmetic::Multiply,
            "/" => Arithmetic::Divide,
            _ => Arithmetic::Power,
        };
        self.next();
        let right = self.binary(tighter)?;
        let ty = typing::arithmetic(kind, &left.ty, &right.ty);
        if ty.is_none() {
            self.scope.note(Fault::OperandKind, format!("{} {op} {}", left.ty, right.ty));
        }
        let below = left.depth.max(right.depth);
        self.node(Ir::Arithmetic(kind, Box::new([left.ir, right.ir])), ty.unwrap_or(Type::Null), below)
    }

    pub(super) fn unary(&mut self) -> Parsed<Node> {
        if !self.eat("-") {
            return self.postfix(true);
        }
        self.enter()?;
        let inner = self.unary();
        self.exit();
        let inner = inner?;
        if let Ir::Const(Value::Number(n)) = inner.ir {
            return Ok(Node::constant(Value::Number(n.neg()), Type::Number));
        }
        self.node(Ir::Negate(Box::new(inner.ir)), inner.ty, inner.depth)
    }

    /// The meaning of the longest name that begins here.
    pub(super) fn resolve(&mut self) -> Option<(usize, Ir, Type)> {
        self.scope.resolve(&|i| part_of(self.source, &self.tokens, self.pos + i))
    }

    /// A sum, or anything that binds more tightly.
    pub(super) fn sum(&mut self) -> Parsed<Node> {
        self.binary(4)
    }
}

fn level(op: &str) -> u8 {
    if op == "or" { 1 } else { 2 }
}

pub(super) fn comparison(op: &str) -> Comparison {
    match op {
        "=" => Comparison::Equal,
        "!=" => Comparison::NotEqual,
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        ">" => Comparison::Greater,
        _ => Comparison::GreaterOrEqual,
    }
}

/// The text of a token that may be part of a name.
fn part_of<'t>(source: &'t str, tokens: &[Token], index: usize) -> Option<&'t str> {
    let token = tokens.get(index).filter(|t| t.kind != Kind::Text && t.kind != Kind::End)?;
    Some(&source[token.start..token.end])
}
