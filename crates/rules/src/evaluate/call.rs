//! Calls: functions of the language, functions written in FEEL, knowledge models, decision services.

use super::Evaluator;
use crate::builtins::Builtin;
use crate::errors::{Fault, Halt};
use crate::ir::{Ir, Lambda};
use crate::value::{Function, Name, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Evaluator<'_> {
    #[inline]
    pub(super) fn builtin(&mut self, function: Builtin, arguments: &[Ir]) -> Result<Value, Halt> {
        match arguments {
            [a] => {
                let values = [self.eval(a)?];
                function.apply(self, &values)
            }
            [a, b] => {
                let values = [self.eval(a)?, self.eval(b)?];
                function.apply(self, &values)
            }
            more => {
                let values = self.values(more)?;
                function.apply(self, &values)
            }
        }
    }

    fn values(&mut self, list: &[Ir]) -> Result<Vec<Value>, Halt> {
        list.iter().map(|ir| self.eval(ir)).collect()
    }

    pub(super) fn lambda(&mut self, lambda: &Arc<Lambda>) -> Result<Value, Halt> {
        let captured = self.values(&lambda.captures)?;
        Value::closure(lambda.clone(), captured)
    }

    pub(super) fn call(&mut self, callee: &Ir, arguments: &[Ir]) -> Result<Value, Halt> {
        let callee = self.eval(callee)?;
        let arguments = self.values(arguments)?;
        self.call_value(&callee, &arguments)
    }

    pub(super) fn call_named(&mut self, callee: &Ir, arguments: &[(Name, Ir)]) -> Result<Value, Halt> {
        let callee = self.eval(callee)?;
        let names: Vec<Name> = arguments.iter().map(|(name, _)| name.clone()).collect();
        let mut values = Vec::with_capacity(arguments.len());
        for (_, ir) in arguments {
            values.push(self.eval(ir)?);
        }
        let Value::Function(function) = &callee else { return Ok(self.fault(Fault::NotAFunction)) };
        let ordered = match &**function {
            Function::Builtin(builtin) => builtin.order(&names, values),
            Function::Closure(closure) => by_name(closure.code.parameters.iter().map(|p| &p.0), &names, values),
            Function::Knowledge(index) => match self.model.knowledge(*index) {
                Some(code) => by_name(code.parameters.iter().map(|p| &p.0), &names, values),
                None => None,
            },
            Function::Service(index) => match self.model.service(*index) {
                Some(service) => by_name(service.parameters.iter().map(|p| &p.name), &names, values),
                None => None,
            },
        };
        match ordered {
            Some(ordered) => self.call_value(&callee, &ordered),
            None => Ok(self.fault(Fault::Argument)),
        }
    }

    /// Calls a value with arguments in order.
    pub(crate) fn call_value(&mut self, callee: &Value, arguments: &[Value]) -> Result<Value, Halt> {
        self.gas().charge(2)?;
        let Value::Function(function) = callee else { return Ok(self.fault(Fault::NotAFunction)) };
        match &**function {
            Function::Builtin(builtin) => builtin.call(self, arguments),
            Function::Closure(closure) => {
                let code = closure.code.clone();
                self.enter(&code, Some(function.clone()), arguments)
            }
            Function::Knowledge(index) => {
                let model = self.model;
                match model.knowledge(*index) {
                    Some(code) => self.enter(code, None, arguments),
                    None => Ok(self.fault(Fault::NotAFunction)),
                }
            }
            Function::Service(index) => self.service(*index, arguments),
        }
    }

    /// Runs the body of a function in its own frame.
    fn enter(&mut self, code: &Lambda, closure: Option<Arc<Function>>, arguments: &[Value]) -> Result<Value, Halt> {
        if arguments.len() != code.parameters.len() {
            return Ok(self.fault(Fault::Argument));
        }
        self.nested(|ev| {
            let (old_base, start) = (ev.base, ev.stack.len());
            for (argument, (_, ty)) in arguments.iter().zip(&code.parameters) {
                let value = ev.coerce(argument.clone(), ty)?;
                if value.is_null() && !argument.is_null() {
                    ev.stack.truncate(start);
                    return Ok(Value::Null);
                }
                ev.stack.push(value);
            }
            ev.stack.resize(start + usize::from(code.frame).max(arguments.len()), Value::Null);
            ev.base = start;
            let old_closure = std::mem::replace(&mut ev.closure, closure);
            let value = ev.eval(&code.body)?;
            ev.stack.truncate(start);
            ev.base = old_base;
            ev.closure = old_closure;
            Ok(value)
        })
    }

    /// One more level of nesting around a step.
    pub(crate) fn nested<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T, Halt>) -> Result<T, Halt> {
        self.depth += 1;
        if self.depth > crate::gas::DEPTH_MAX {
            return Err(Halt::TooDeep);
        }
        let value = run(self)?;
        self.depth -= 1;
        Ok(value)
    }

    /// Decides a service with only its parameters known (DMN 1.5 §10.4).
    pub(crate) fn service(&mut self, index: u16, arguments: &[Value]) -> Result<Value, Halt> {
        let model = self.model;
        let Some(service) = model.service(index) else { return Ok(self.fault(Fault::NotAFunction)) };
        if arguments.len() != service.parameters.len() {
            return Ok(self.fault(Fault::Argument));
        }
        self.gas().charge_items(model.globals() / 8)?;
        let mut memo = vec![None; model.globals()];
        for (parameter, argument) in service.parameters.iter().zip(arguments) {
            let value = self.coerce(argument.clone(), &parameter.ty)?;
            if value.is_null() && !argument.is_null() {
                return Ok(Value::Null);
            }
            if let Some(cell) = memo.get_mut(usize::from(parameter.global)) {
                *cell = Some(value);
            }
        }
        let outer = std::mem::replace(&mut self.memo, memo);
        let closure = self.closure.take();
        let value = self.nested(|ev| {
            ev.run(&service.plan)?;
            let output = |ev: &Self, global: u16| ev.memo.get(usize::from(global)).cloned().flatten().unwrap_or_default();
            if let [(_, global)] = &service.outputs[..] {
                return Ok(output(ev, *global));
            }
            Value::context(service.outputs.iter().map(|(name, global)| (name.clone(), output(ev, *global))).collect())
        })?;
        self.memo = outer;
        self.closure = closure;
        self.coerce(value, &service.ty)
    }

    /// Decides the decisions of a plan that are not known yet.
    pub(crate) fn run(&mut self, plan: &[u16]) -> Result<(), Halt> {
        let model = self.model;
        for index in plan {
            let Some(decision) = model.decision(*index) else { continue };
            let global = usize::from(decision.global);
            if self.memo.get(global).is_some_and(Option::is_none) {
                let value = self.in_frame(&decision.body, decision.frame)?;
                self.memo[global] = Some(value);
            }
        }
        Ok(())
    }
}

/// Arguments in the order of the parameters.
fn by_name<'a>(parameters: impl Iterator<Item = &'a Name>, names: &[Name], mut values: Vec<Value>) -> Option<Vec<Value>> {
    let mut places = BTreeMap::new();
    for (at, name) in names.iter().enumerate() {
        places.entry(name).or_insert(at);
    }
    let mut ordered = Vec::with_capacity(values.len());
    for parameter in parameters {
        ordered.push(std::mem::take(&mut values[*places.get(parameter)?]));
    }
    (ordered.len() == names.len()).then_some(ordered)
}
