//! Recursive descent over the tokens, straight to the compiled form.
//!
//! Bounds: nesting below [`NESTING_MAX`], compiled depth below [`IR_DEPTH_MAX`], and a number of steps in proportion
//! to the text, because ambiguous brackets are read twice.

use super::lexer::{Kind, LexError, Token, tokens, unquote};
use super::names::is_keyword;
use super::scope::Scope;
use super::typing;
use crate::builtins::Builtin;
use crate::errors::Fault;
use crate::ir::{Arithmetic, Comparison, Domain, Filter, For, Ir, Lambda, Quantified, RangeIr, Test};
use crate::number::Decimal;
use crate::temporal::{Date, DateTime, DaysDuration, MonthsDuration, Time};
use crate::types::Type;
use crate::value::{Function, Name, Value};
use std::sync::Arc;

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
    fn leaf(ir: Ir, ty: Type) -> Self {
        Self { ir, ty, depth: 1 }
    }

    fn constant(value: Value, ty: Type) -> Self {
        Self::leaf(Ir::Const(value), ty)
    }
}

pub(super) struct Parser<'s, 't> {
    scope: &'s mut Scope,
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

    fn token_at(&self, ahead: usize) -> Token {
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
    pub(super) fn part(&self, i: usize) -> Option<String> {
        let token = self.token_at(i);
        (self.pos + i < self.tokens.len() && token.kind != Kind::Text && token.kind != Kind::End)
            .then(|| self.source[token.start..token.end].to_owned())
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
    fn node(&self, ir: Ir, ty: Type, below: u16) -> Parsed<Node> {
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
    fn binary(&mut self, min: u8) -> Parsed<Node> {
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
    fn logic(&mut self, first: Node, op: &str) -> Parsed<Node> {
        let (mut terms, mut below) = (vec![first.ir], first.depth);
        while self.eat(op) {
            let term = self.binary(level(op) + 1)?;
            below = below.max(term.depth);
            terms.push(term.ir);
        }
        let terms = terms.into();
        self.node(if op == "and" { Ir::And(terms) } else { Ir::Or(terms) }, Type::Boolean, below)
    }

    fn comparison(&mut self, op: Comparison, left: Node, right: Node) -> Parsed<Node> {
        let null = matches!(left.ty, Type::Null) || matches!(right.ty, Type::Null);
        if !null && left.ty.disjoint(&right.ty) {
            self.scope.note(Fault::OperandKind, format!("{} compared with {}", left.ty, right.ty));
        }
        let below = left.depth.max(right.depth);
        self.node(Ir::Compare(op, Box::new([left.ir, right.ir])), Type::Boolean, below)
    }

    fn arithmetic(&mut self, left: Node, op: &str, tighter: u8) -> Parsed<Node> {
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

    fn unary(&mut self) -> Parsed<Node> {
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

    /// A primary with its paths, filters, calls and type tests.
    fn postfix(&mut self, filters: bool) -> Parsed<Node> {
        let mut node = self.primary()?;
        loop {
            if self.kind() == Kind::Text {
                return Ok(node);
            }
            node = match self.text() {
                "." => {
                    self.next();
                    self.path(node)?
                }
                "[" if filters => self.filter(node)?,
                "(" => self.call(node)?,
                "instance" if self.text_at(1) == "of" => {
                    self.skip(2);
                    let ty = self.type_name()?;
                    let below = node.depth;
                    self.node(Ir::InstanceOf(Box::new(node.ir), ty), Type::Boolean, below)?
                }
                _ => return Ok(node),
            };
        }
    }

    fn path(&mut self, of: Node) -> Parsed<Node> {
        let name = self.member_name(&of.ty)?;
        let ty = match typing::member(&of.ty, &name) {
            Some(ty) => ty,
            None => {
                self.scope.note(Fault::UnknownName, format!("{} has no member {name}", of.ty));
                Type::Any
            }
        };
        let below = of.depth;
        self.node(Ir::Member(Box::new(of.ir), name), ty, below)
    }

    /// The longest member of the type, or a free name.
    fn member_name(&mut self, ty: &Type) -> Parsed<Name> {
        if let Type::Context(members) = ty.element().base() {
            let fits = |name: &str| {
                let key = super::name_key(name);
                let all = !key.is_empty() && key.iter().enumerate().all(|(i, p)| self.part(i).as_deref() == Some(p));
                all.then_some(key.len())
            };
            let found = members.iter().filter_map(|(name, _)| Some((fits(name)?, name.clone()))).max_by_key(|(n, _)| *n);
            if let Some((length, name)) = found {
                self.skip(length);
                return Ok(name);
            }
        }
        Ok(Name::from(self.free_name()?))
    }

    fn filter(&mut self, list: Node) -> Parsed<Node> {
        self.expect("[")?;
        let mark = self.scope.mark();
        let element = list.ty.element();
        let item = self.scope.slot();
        self.scope.bind("item", item, element.clone());
        self.scope.item(item, element.clone());
        let condition = self.expression()?;
        self.expect("]")?;
        self.scope.restore(&mark);
        let ty = match condition.ty.base() {
            Type::Number => element,
            Type::Boolean => Type::list(element),
            _ => Type::Any,
        };
        let below = list.depth.max(condition.depth);
        self.node(Ir::Filter(Box::new(Filter { list: list.ir, item, condition: condition.ir })), ty, below)
    }

    // ---- Calls ----

    fn call(&mut self, callee: Node) -> Parsed<Node> {
        self.expect("(")?;
        let (mut names, mut arguments, mut types, mut below) = (Vec::new(), Vec::new(), Vec::new(), callee.depth);
        while !self.eat(")") {
            if let Ok(name) = self.attempt(Self::parameter_name) {
                names.push(name);
            }
            let argument = self.expression()?;
            below = below.max(argument.depth);
            arguments.push(argument.ir);
            types.push(argument.ty);
            if !self.eat(",") && !self.sees(")") {
                return self.fail(")");
            }
        }
        if !names.is_empty() && names.len() != arguments.len() {
            return self.fail("either all arguments are named or none");
        }
        if let Ir::Const(Value::Function(function)) = &callee.ir
            && let Function::Builtin(builtin) = **function
        {
            return self.builtin(builtin, names, arguments, types, below);
        }
        let result = match callee.ty.base() {
            Type::Function(_, result) => (**result).clone(),
            Type::Any => Type::Any,
            _ => {
                self.scope.note(Fault::NotAFunction, format!("{} is not a function", callee.ty));
                Type::Any
            }
        };
        if let Type::Function(parameters, _) = callee.ty.base()
            && !parameters.is_empty()
            && names.is_empty()
        {
            let wrong = parameters.len() != types.len() || parameters.iter().zip(&types).any(|(p, t)| p.disjoint(t));
            if wrong {
                self.scope.note(Fault::Argument, "the arguments do not fit the parameters");
            }
        }
        let ir = if names.is_empty() {
            Ir::Call(Box::new(callee.ir), arguments.into())
        } else {
            Ir::CallNamed(Box::new(callee.ir), names.into_iter().zip(arguments).collect())
        };
        self.node(ir, result, below)
    }

    /// `name:` before an argument.
    fn parameter_name(&mut self) -> Parsed<Name> {
        let name = self.free_name()?;
        self.expect(":")?;
        Ok(Name::from(name))
    }

    fn builtin(
        &mut self,
        builtin: Builtin,
        names: Vec<Name>,
        arguments: Vec<Ir>,
        types: Vec<Type>,
        below: u16,
    ) -> Parsed<Node> {
        if matches!(builtin, Builtin::Now | Builtin::Today | Builtin::RandomNumber) {
            self.scope.note(Fault::NotDeterministic, format!("{}()", builtin.name()));
            return Ok(Node::leaf(Ir::Fault(Fault::NotDeterministic), builtin.result()));
        }
        // `key` is one key, `keys` is a path of them.
        let path_as_key = builtin == Builtin::ContextPut
            && names.iter().zip(&types).any(|(name, ty)| &**name == "key" && matches!(ty.base(), Type::List(_)));
        let arguments = if path_as_key {
            None
        } else if names.is_empty() {
            builtin.accepts(arguments.len()).then_some(arguments)
        } else {
            builtin.order(&names, arguments)
        };
        let Some(arguments) = arguments else {
            self.scope.note(Fault::Argument, builtin.name());
            return Ok(Node::leaf(Ir::Fault(Fault::Argument), builtin.result()));
        };
        let ty = if names.is_empty() { typing::builtin(builtin, &types) } else { builtin.result() };
        // A zone that is not allowed, or text that cannot be read, is already known here.
        if let (Builtin::Date | Builtin::Time | Builtin::DateAndTime | Builtin::Duration, [Ir::Const(Value::String(text))]) =
            (builtin, &arguments[..])
        {
            let readable = match builtin {
                Builtin::Date => DateTime::parse(text).is_some(),
                Builtin::Time => Time::parse(text).is_some() || DateTime::parse(text).is_some(),
                Builtin::DateAndTime => DateTime::parse(text).is_some(),
                _ => DaysDuration::parse(text).is_some() || MonthsDuration::parse(text).is_some(),
            };
            if !readable {
                let fault = if text.contains('@') { Fault::NamedZone } else { Fault::Unreadable };
                self.scope.note(fault, text.to_string());
            }
        }
        self.node(Ir::Builtin(builtin, arguments.into()), ty, below)
    }

    // ---- Primaries ----

    fn primary(&mut self) -> Parsed<Node> {
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

    fn word(&mut self) -> Parsed<Node> {
        let found = self.scope.resolve(&|i| part_of(self.source, &self.tokens, self.pos + i));
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

    fn symbol(&mut self) -> Parsed<Node> {
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
    fn temporal(&mut self, text: &str) -> Node {
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

    /// `(a)`, `(a..b)`, `(< a)`, `[a, b]`, `[a..b)`, `]a..b[`
    fn bracket(&mut self) -> Parsed<Node> {
        self.enter()?;
        let node = self.bracket_inner();
        self.exit();
        node
    }

    fn bracket_inner(&mut self) -> Parsed<Node> {
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

    fn list(&mut self, first: Node) -> Parsed<Node> {
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
    fn half_range(&mut self) -> Parsed<Node> {
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
        let range = RangeIr {
            start_included: included && start.is_some(),
            end_included: included && end.is_some(),
            start,
            end,
        };
        self.node(Ir::Range(Box::new(range)), ty, below)
    }

    /// The rest of a range after `..`. In `[1..10[` the last bracket closes; in `[1..list[2]]` it filters.
    fn range(&mut self, open: &str, start: Node) -> Parsed<Node> {
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
        let range = RangeIr {
            start: Some(start.ir),
            end: Some(end.ir),
            start_included: open == "[",
            end_included: close == "]",
        };
        self.node(Ir::Range(Box::new(range)), ty, below)
    }

    fn endpoint(&mut self, filters: bool) -> Parsed<Node> {
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

    fn context(&mut self) -> Parsed<Node> {
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

    // ---- Special forms ----

    fn conditional(&mut self) -> Parsed<Node> {
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
    fn domains(&mut self, until: &'static str) -> Parsed<(Vec<(u16, Domain)>, u16)> {
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

    fn iteration(&mut self) -> Parsed<Node> {
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

    fn quantified(&mut self) -> Parsed<Node> {
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

    fn function(&mut self) -> Parsed<Node> {
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
    fn in_tests(&mut self, value: Node) -> Parsed<Node> {
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

    fn tests_in_parentheses(&mut self) -> Parsed<Vec<(Test, u16)>> {
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
    fn one_test(&mut self, min: u8) -> Parsed<(Test, u16)> {
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

    pub(super) fn sum(&mut self) -> Parsed<Node> {
        self.binary(4)
    }
}

/// The text of a token that may be part of a name.
fn part_of(source: &str, tokens: &[Token], index: usize) -> Option<String> {
    let token = tokens.get(index).filter(|t| t.kind != Kind::Text && t.kind != Kind::End)?;
    Some(source[token.start..token.end].to_owned())
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

/// Whether the slot is read. A cheap over-approximation through the debug text would be slow: walk the nodes.
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
