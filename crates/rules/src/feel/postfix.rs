//! What follows a value: paths, filters, calls, type tests.

use super::lexer::Kind;
use super::parser::{Node, Parsed, Parser};
use super::typing;
use crate::builtins::Builtin;
use crate::errors::Fault;
use crate::ir::{Filter, Ir};
use crate::temporal::{DateTime, DaysDuration, MonthsDuration, Time};
use crate::types::Type;
use crate::value::{Function, Name, Value};

impl Parser<'_, '_> {
    /// A primary with its paths, filters, calls and type tests.
    pub(super) fn postfix(&mut self, filters: bool) -> Parsed<Node> {
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

    pub(super) fn path(&mut self, of: Node) -> Parsed<Node> {
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
    pub(super) fn member_name(&mut self, ty: &Type) -> Parsed<Name> {
        let element = ty.element();
        if let Type::Context(members) = element.base()
            && let Some((length, name)) = self.scope.member(members, &|i| self.part(i))
        {
            self.skip(length);
            return Ok(name);
        }
        Ok(Name::from(self.free_name()?))
    }

    pub(super) fn filter(&mut self, list: Node) -> Parsed<Node> {
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

    pub(super) fn call(&mut self, callee: Node) -> Parsed<Node> {
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
    pub(super) fn parameter_name(&mut self) -> Parsed<Name> {
        let name = self.free_name()?;
        self.expect(":")?;
        Ok(Name::from(name))
    }

    pub(super) fn builtin(
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
}
