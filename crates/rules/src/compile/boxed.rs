//! Boxed expressions (DMN 1.5 §10.2.1) and decision tables to the compiled form.

use super::Compiler;
use crate::errors::Fault;
use crate::feel::{self, Scope};
use crate::ir::{Domain, Filter, For, Ir, Lambda, Quantified, Test};
use crate::model::xml::{RawExpr, RawKind, RawTable, RawVariable};
use crate::refusal::Reason;
use crate::table::{Aggregator, HitPolicy, Input, Output, Rule, Table};
use crate::types::Type;
use crate::value::{Function, Name, Value};
use std::sync::Arc;

/// Deepest nesting of boxed expressions.
const DEPTH_MAX: usize = 24;
/// Most rules of a table.
const RULES_MAX: usize = 20_000;

impl Compiler<'_> {
    /// Compiles a boxed expression and converts it to its declared type.
    pub(super) fn boxed(&mut self, scope: &mut Scope, file: usize, raw: &RawExpr) -> (Ir, Type) {
        if self.place.len() > DEPTH_MAX {
            self.refuse(Reason::TooLarge, "boxed expressions are nested too deeply");
            return (Ir::Fault(Fault::Syntax), Type::Any);
        }
        let declared = self.declared(file, &raw.type_ref);
        let (ir, ty) = self.boxed_kind(scope, file, &raw.kind);
        self.collect(scope);
        self.coerced(ir, ty, declared)
    }

    fn within(&mut self, scope: &mut Scope, file: usize, part: impl Into<String>, raw: Option<&RawExpr>) -> (Ir, Type) {
        self.place.push(part.into());
        let result = match raw {
            Some(raw) => self.boxed(scope, file, raw),
            None => {
                self.refuse(Reason::Expression(Fault::NoLogic), "an expression is missing");
                (Ir::Fault(Fault::NoLogic), Type::Any)
            }
        };
        self.place.pop();
        result
    }

    fn boxed_kind(&mut self, scope: &mut Scope, file: usize, kind: &RawKind) -> (Ir, Type) {
        match kind {
            RawKind::Literal(text) => self.literal(scope, text),
            RawKind::Table(table) => self.table(scope, file, table),
            RawKind::Context(entries) => self.context(scope, file, entries),
            RawKind::Invocation(callee, bindings) => self.invocation(scope, file, callee.as_deref(), bindings),
            RawKind::List(items) => {
                let (mut irs, mut ty) = (Vec::new(), None::<Type>);
                for (i, item) in items.iter().enumerate() {
                    let (ir, item_ty) = self.within(scope, file, format!("[{}]", i + 1), Some(item));
                    ty = Some(ty.map_or(item_ty.clone(), |ty| ty.join(item_ty)));
                    irs.push(ir);
                }
                (Ir::List(irs.into()), Type::list(ty.unwrap_or(Type::Any)))
            }
            RawKind::Relation(columns, rows) => self.relation(scope, file, columns, rows),
            RawKind::Function { external, parameters, body } => {
                let (lambda, ty) = self.function(scope, file, *external, parameters, body.as_deref());
                (Ir::Lambda(Arc::new(lambda)), ty)
            }
            RawKind::Conditional(parts) => {
                let part = |i: usize| parts.get(i).and_then(Option::as_ref);
                let (condition, _) = self.within(scope, file, "if", part(0));
                let (yes, yes_ty) = self.within(scope, file, "then", part(1));
                let (no, no_ty) = self.within(scope, file, "else", part(2));
                (Ir::If(Box::new([condition, yes, no])), yes_ty.join(no_ty))
            }
            RawKind::Filter(parts) => {
                let (list, ty) = self.within(scope, file, "in", parts.first().and_then(Option::as_ref));
                let mark = scope.mark();
                let item = scope.slot();
                scope.bind("item", item, ty.element());
                scope.item(item, ty.element());
                let (condition, _) = self.within(scope, file, "match", parts.get(1).and_then(Option::as_ref));
                scope.restore(&mark);
                (Ir::Filter(Box::new(Filter { list, item, condition })), Type::list(ty.element()))
            }
            RawKind::Iterator(word, name, parts) => self.iterator(scope, file, word, name, parts),
        }
    }

    fn literal(&mut self, scope: &mut Scope, text: &str) -> (Ir, Type) {
        if text.is_empty() {
            scope.note(Fault::NoLogic, "an empty expression");
            return (Ir::Fault(Fault::NoLogic), Type::Any);
        }
        match feel::expression(scope, text) {
            Ok(compiled) => compiled,
            Err(error) => {
                scope.note(Fault::Syntax, format!("{text}: at {}: {}", error.at, error.reason));
                (Ir::Fault(Fault::Syntax), Type::Any)
            }
        }
    }

    fn context(&mut self, scope: &mut Scope, file: usize, entries: &[(Option<RawVariable>, Option<RawExpr>)]) -> (Ir, Type) {
        let mark = scope.mark();
        let (mut members, mut types, mut result) = (Vec::new(), Vec::new(), None);
        for (variable, raw) in entries {
            let Some((name, type_ref)) = variable else {
                result = Some(self.within(scope, file, "result", raw.as_ref()));
                continue;
            };
            let (ir, ty) = self.within(scope, file, name.clone(), raw.as_ref());
            let declared = self.declared(file, type_ref);
            let (ir, ty) = self.coerced(ir, ty, declared);
            let slot = scope.variable(name, ty.clone());
            types.push((Name::from(&**name), ty));
            members.push((Name::from(&**name), ir, slot));
        }
        scope.restore(&mark);
        match result {
            Some((ir, ty)) => {
                let members: Box<[_]> = members.into_iter().map(|(_, ir, slot)| (ir, slot)).collect();
                (Ir::Block(members, Box::new(ir)), ty)
            }
            None => {
                self.note_doubled(types.iter().map(|(name, _)| &**name));
                (Ir::Context(members.into()), Type::Context(types.into()))
            }
        }
    }

    fn relation(&mut self, scope: &mut Scope, file: usize, columns: &[RawVariable], rows: &[Vec<RawExpr>]) -> (Ir, Type) {
        let types: Vec<(Name, Type)> =
            columns.iter().map(|(name, ty)| (Name::from(&**name), self.declared(file, ty))).collect();
        self.note_doubled(columns.iter().map(|(name, _)| &**name));
        let mut irs = Vec::new();
        for (r, row) in rows.iter().enumerate() {
            let mut members = Vec::new();
            for ((name, declared), cell) in types.iter().zip(row) {
                let (ir, ty) = self.within(scope, file, format!("row {}, {name}", r + 1), Some(cell));
                let (ir, _) = self.coerced(ir, ty, declared.clone());
                let mark = scope.mark();
                let slot = scope.slot();
                scope.restore(&mark);
                members.push((name.clone(), ir, slot));
            }
            irs.push(Ir::Context(members.into()));
        }
        (Ir::List(irs.into()), Type::list(Type::Context(types.into())))
    }

    pub(super) fn function(
        &mut self,
        scope: &mut Scope,
        file: usize,
        external: bool,
        parameters: &[RawVariable],
        body: Option<&RawExpr>,
    ) -> (Lambda, Type) {
        scope.enter();
        let mut typed = Vec::new();
        for (name, type_ref) in parameters {
            let ty = self.declared(file, type_ref);
            scope.variable(name, ty.clone());
            typed.push((Name::from(&**name), ty));
        }
        let (body, result) = if external {
            scope.note(Fault::NotDeterministic, "an external function");
            (Ir::Fault(Fault::NotDeterministic), Type::Any)
        } else {
            self.within(scope, file, "function", body)
        };
        self.collect(scope);
        let (frame, captures) = scope.leave();
        let types: Arc<[Type]> = typed.iter().map(|(_, ty)| ty.clone()).collect();
        let ty = Type::Function(types, Arc::new(result.clone()));
        (Lambda { parameters: typed.into(), captures, frame, result, body }, ty)
    }

    fn invocation(
        &mut self,
        scope: &mut Scope,
        file: usize,
        callee: Option<&RawExpr>,
        bindings: &[(String, Option<RawExpr>)],
    ) -> (Ir, Type) {
        let (callee, ty) = self.within(scope, file, "invocation", callee);
        let (mut names, mut arguments) = (Vec::new(), Vec::new());
        for (name, raw) in bindings {
            let (ir, _) = self.within(scope, file, name.clone(), raw.as_ref());
            names.push(Name::from(&**name));
            arguments.push(ir);
        }
        if let Ir::Const(Value::Function(function)) = &callee
            && let Function::Builtin(builtin) = **function
        {
            return match builtin.order(&names, arguments) {
                Some(arguments) => (Ir::Builtin(builtin, arguments.into()), builtin.result()),
                None => {
                    scope.note(Fault::Argument, builtin.name());
                    (Ir::Fault(Fault::Argument), Type::Any)
                }
            };
        }
        let result = match ty.base() {
            Type::Function(_, result) => (**result).clone(),
            _ => Type::Any,
        };
        (Ir::CallNamed(Box::new(callee), names.into_iter().zip(arguments).collect()), result)
    }

    fn iterator(&mut self, scope: &mut Scope, file: usize, word: &str, name: &str, parts: &[Option<RawExpr>]) -> (Ir, Type) {
        let (domain, ty) = self.within(scope, file, "in", parts.first().and_then(Option::as_ref));
        let mark = scope.mark();
        let slot = scope.variable(name, ty.element());
        let partial = (word == "for").then(|| scope.variable("partial", Type::list(Type::Any)));
        let (body, body_ty) = self.within(scope, file, word, parts.get(1).and_then(Option::as_ref));
        scope.restore(&mark);
        let domains = Box::new([(slot, Domain::Items(domain))]);
        if word == "for" {
            return (Ir::For(Box::new(For { domains, partial, result: body })), Type::list(body_ty));
        }
        (Ir::Quantified(Box::new(Quantified { every: word == "every", domains, condition: body })), Type::Boolean)
    }

    fn tests(&mut self, scope: &mut Scope, text: &str, slot: u16, ty: &Type) -> Box<[Test]> {
        let text = if text.is_empty() { "-" } else { text };
        match feel::unary_tests(scope, text, slot, ty) {
            Ok(tests) => {
                self.collect(scope);
                tests
            }
            Err(error) => {
                scope.note(Fault::Syntax, format!("{text}: at {}: {}", error.at, error.reason));
                self.collect(scope);
                Box::new([Test::Holds(Ir::Fault(Fault::Syntax))])
            }
        }
    }

    fn table(&mut self, scope: &mut Scope, file: usize, raw: &RawTable) -> (Ir, Type) {
        if raw.rules.len() > RULES_MAX {
            self.refuse(Reason::TooLarge, "more than 20,000 rules");
            return (Ir::Fault(Fault::NoLogic), Type::Any);
        }
        let mark = scope.mark();
        let element = Name::from(self.place.join(" / "));
        let mut inputs = Vec::new();
        for (text, type_ref, values, label) in &raw.inputs {
            self.place.push(label.clone());
            let (expression, found) = self.literal(scope, text);
            let declared = self.declared(file, type_ref);
            if found.disjoint(&declared) {
                self.refuse(Reason::Expression(Fault::TypeMismatch), format!("{found}, declared {declared}"));
            }
            // What is only known to be of the declared type when it is evaluated is seen to then.
            let unsure = matches!(found.base(), Type::Any) && !matches!(declared, Type::Any);
            let expression = if unsure { Ir::Coerce(Box::new(expression), declared.clone()) } else { expression };
            let ty = if matches!(declared, Type::Any) { found } else { declared };
            let slot = scope.slot();
            let allowed = values.as_ref().map(|text| self.tests(scope, text, slot, &ty));
            self.collect(scope);
            self.place.pop();
            inputs.push(Input { label: Name::from(&**label), expression, slot, ty, allowed });
        }
        let many = raw.outputs.len() > 1;
        self.note_doubled(raw.outputs.iter().map(|(name, ..)| name.as_deref().unwrap_or_default()));
        let mut outputs = Vec::new();
        for (name, type_ref, values, default) in &raw.outputs {
            self.place.push(name.clone().unwrap_or_else(|| "output".into()));
            let ty = self.declared(file, type_ref);
            let written = default.as_deref().map(Name::from);
            let default = default.as_ref().map(|text| self.literal(scope, text).0);
            let priority = values.as_ref().map(|text| self.listed(scope, text)).unwrap_or_else(|| listed_in(&ty));
            self.collect(scope);
            self.place.pop();
            outputs.push(Output { name: name.as_deref().filter(|_| many).map(Name::from), default, written, priority, ty });
        }
        let mut rules = Vec::new();
        let mut types: Vec<Option<Type>> = vec![None; outputs.len()];
        for (r, (id, ins, outs)) in raw.rules.iter().enumerate() {
            if (ins.len(), outs.len()) != (inputs.len(), outputs.len()) {
                self.refuse(Reason::Cells, format!("{}: {} + {}", r + 1, ins.len(), outs.len()));
            }
            let mut tests = Vec::new();
            for (input, text) in inputs.iter().zip(ins) {
                self.place.push(format!("rule {}, {}", r + 1, input.label));
                tests.push(self.tests(scope, text, input.slot, &input.ty));
                self.place.pop();
            }
            let mut cells = Vec::new();
            for (o, text) in outs.iter().enumerate().take(outputs.len()) {
                self.place.push(format!("rule {}, output {}", r + 1, o + 1));
                let (ir, ty) = self.literal(scope, text);
                self.collect(scope);
                if ty.disjoint(&outputs[o].ty) {
                    self.refuse(
                        Reason::Expression(Fault::TypeMismatch),
                        format!("{text}: {ty}, declared {}", outputs[o].ty),
                    );
                }
                self.place.pop();
                types[o] = Some(types[o].take().map_or(ty.clone(), |known| known.join(ty)));
                cells.push(ir);
            }
            let written = ins.iter().chain(outs).map(|text| Name::from(&**text)).collect();
            rules.push(Rule { id: Name::from(&**id), tests: tests.into(), outputs: cells.into(), written });
        }
        scope.restore(&mark);
        if !is_policy(&raw.policy, &raw.aggregation) {
            self.refuse(Reason::HitPolicy, format!("{} {}", raw.policy, raw.aggregation).trim());
        }
        let policy = policy(&raw.policy, &raw.aggregation);
        let ranked = matches!(policy, HitPolicy::Priority | HitPolicy::OutputOrder);
        if ranked && outputs.iter().any(|output| output.priority.is_empty()) {
            self.refuse(Reason::HitPolicy, raw.policy.clone());
        }
        let column = |o: usize| match (&outputs[o].ty, &types[o]) {
            (Type::Any, Some(found)) => found.clone(),
            (declared, _) => declared.clone(),
        };
        let row = match outputs.len() {
            0 => Type::Null,
            1 => column(0),
            n => Type::Context((0..n).map(|o| (outputs[o].name.clone().unwrap_or_default(), column(o))).collect()),
        };
        let ty = match policy {
            HitPolicy::RuleOrder | HitPolicy::OutputOrder | HitPolicy::Collect(None) => Type::list(row),
            HitPolicy::Collect(Some(Aggregator::Sum | Aggregator::Count)) => Type::Number,
            _ => row,
        };
        let table = Arc::new(Table {
            index: u16::try_from(self.tables.len()).unwrap_or(u16::MAX),
            element,
            id: Name::from(&*raw.id),
            policy,
            inputs: inputs.into(),
            outputs: outputs.into(),
            rules: rules.into(),
        });
        self.tables.push(table.clone());
        (Ir::Table(table), ty)
    }

    /// The constants of a list of output values.
    fn listed(&mut self, scope: &mut Scope, text: &str) -> Vec<Value> {
        match feel::expression(scope, &format!("[{text}]")) {
            Ok((Ir::List(items), _)) => items
                .iter()
                .filter_map(|ir| match ir {
                    Ir::Const(value) => Some(value.clone()),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// The allowed values of the output's type, in order.
fn listed_in(ty: &Type) -> Vec<Value> {
    let Type::Constrained(constrained) = ty else { return Vec::new() };
    let value = |test: &Test| match test {
        Test::Text(text) => Some(Value::String(text.clone())),
        Test::Number(_, n) => Some(Value::Number(*n)),
        Test::Member(Ir::Const(value)) => Some(value.clone()),
        _ => None,
    };
    constrained.tests.iter().filter_map(value).collect()
}

/// Whether the standard has this hit policy with this aggregation; what it has not is read as UNIQUE, or as a plain list.
fn is_policy(name: &str, aggregation: &str) -> bool {
    match name {
        "COLLECT" => matches!(aggregation, "" | "SUM" | "COUNT" | "MIN" | "MAX"),
        "UNIQUE" | "ANY" | "PRIORITY" | "FIRST" | "RULE ORDER" | "OUTPUT ORDER" => aggregation.is_empty(),
        _ => false,
    }
}

fn policy(name: &str, aggregation: &str) -> HitPolicy {
    match name {
        "ANY" => HitPolicy::Any,
        "PRIORITY" => HitPolicy::Priority,
        "FIRST" => HitPolicy::First,
        "RULE ORDER" => HitPolicy::RuleOrder,
        "OUTPUT ORDER" => HitPolicy::OutputOrder,
        "COLLECT" => HitPolicy::Collect(match aggregation {
            "SUM" => Some(Aggregator::Sum),
            "COUNT" => Some(Aggregator::Count),
            "MIN" => Some(Aggregator::Min),
            "MAX" => Some(Aggregator::Max),
            _ => None,
        }),
        _ => HitPolicy::Unique,
    }
}
