//! A compiled model: what can be asked of it, and how.

pub(crate) mod xml;

use crate::compile;
use crate::errors::{Fault, Halt};
use crate::evaluate::{Evaluator, Hit};
use crate::gas::Gas;
use crate::ir::{Ir, Lambda};
use crate::refusal::Refusal;
use crate::table::Table;
use crate::types::Type;
use crate::value::{Name, Value};
use std::sync::Arc;

/// Gas for seeing whether a value is of a type.
const FIT_GAS: u64 = 100_000;

/// How strictly a model is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// As the DMN standard has it: what is wrong becomes null when it is evaluated.
    Standard,
    /// For deployment: what is wrong, incomplete or not the same on every node is refused.
    Strict,
}

/// A decision, an input or a parameter: a named value of the model.
#[derive(Debug)]
pub(crate) struct Variable {
    pub name: Name,
    pub ty: Type,
    pub global: u16,
}

#[derive(Debug)]
pub(crate) struct Decision {
    pub name: Name,
    /// The identifier in the file, by which business-rule tasks call it.
    pub id: Name,
    pub ty: Type,
    pub global: u16,
    pub body: Ir,
    pub frame: u16,
    /// Decisions to decide, in order, the decision itself last.
    pub plan: Box<[u16]>,
    /// The inputs it needs, itself or through other decisions.
    pub requires: Box<[u16]>,
    /// The expression as it was written, where the logic is one.
    pub written: Option<Name>,
}

#[derive(Debug)]
pub(crate) struct Service {
    pub name: Name,
    pub parameters: Vec<Variable>,
    pub outputs: Vec<(Name, u16)>,
    pub plan: Box<[u16]>,
    pub ty: Type,
}

/// A compiled model. Cheap to share; evaluating does not change it.
#[derive(Debug, Default)]
pub struct Model {
    pub(crate) name: Name,
    pub(crate) inputs: Vec<Variable>,
    pub(crate) decisions: Vec<Decision>,
    pub(crate) knowledge: Vec<(Name, Arc<Lambda>)>,
    pub(crate) services: Vec<Service>,
    pub(crate) tables: Vec<Arc<Table>>,
    pub(crate) warnings: Vec<Refusal>,
    pub(crate) doubled: Vec<Refusal>,
}

/// What an evaluation gave.
#[derive(Debug)]
pub struct Outcome {
    /// The value; null may be an answer or the mark of a fault.
    pub value: Value,
    /// Gas spent.
    pub gas: u64,
    /// Why parts became null. Empty means that no null was silent.
    pub faults: Vec<Fault>,
    /// The rules that matched, in the order they did.
    pub hits: Vec<Hit>,
}

/// Why an entitlement is not decided. A person has to look at it; nothing is assumed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undecided {
    /// The model has no decision of this name.
    #[error("there is no such decision")]
    NoSuchDecision,
    /// A fact the decision needs is not given.
    #[error("the fact {0} is missing")]
    MissingFact(Name),
    /// A fact the decision does not need, or one that is given twice: nothing is disclosed without need.
    #[error("the fact {0} is not needed, or given twice")]
    UnneededFact(Name),
    /// The evaluation ended early.
    #[error("{0}")]
    Halted(#[from] Halt),
    /// Something became null on the way.
    #[error("no clear answer: {}", .0.iter().map(|fault| fault.en()).collect::<Vec<_>>().join("; "))]
    Faulty(Vec<Fault>),
    /// The answer is null, or has a part that is.
    #[error("the rules give no answer, or one with a part missing")]
    NoAnswer,
}

impl Model {
    /// Compiles DMN files; the first is the model, the others are those it imports.
    ///
    /// # Errors
    /// What is refused, by element and with a remedy.
    pub fn compile(sources: &[&str], profile: Profile) -> Result<Self, Vec<Refusal>> {
        compile::model(sources, profile)
    }

    /// Compiles one FEEL expression over variables, for example the condition of a gateway, as a model whose only
    /// decision is called `expression`. The `=` some editors write before an expression is not part of it.
    ///
    /// # Errors
    /// What is refused; under [`Profile::Strict`] also unknown names and type errors.
    pub fn expression(text: &str, variables: &[(&str, Type)], profile: Profile) -> Result<Self, Vec<Refusal>> {
        compile::expression(text, variables, profile)
    }

    /// The name of the model.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Names and types of the inputs.
    pub fn inputs(&self) -> impl Iterator<Item = (&str, &Type)> {
        self.inputs.iter().map(|input| (&*input.name, &input.ty))
    }

    /// Names and types of the decisions.
    pub fn decisions(&self) -> impl Iterator<Item = (&str, &Type)> {
        self.decisions.iter().map(|decision| (&*decision.name, &decision.ty))
    }

    /// Names of the decision services.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.services.iter().map(|service| &*service.name)
    }

    /// Outputs, entries and columns that have the name of another one beside them, or no name as another one: the context that they
    /// make has a member twice, which no store takes. Whoever keeps results refuses these models; no profile does, so that what was
    /// accepted before this was looked for goes on compiling.
    pub fn doubled(&self) -> &[Refusal] {
        &self.doubled
    }

    /// The decision tables, in the order [`Hit::table`] counts them.
    pub fn tables(&self) -> &[Arc<Table>] {
        &self.tables
    }

    /// What the strict profile would refuse.
    pub fn warnings(&self) -> &[Refusal] {
        &self.warnings
    }

    pub(crate) fn globals(&self) -> usize {
        self.inputs.len() + self.decisions.len()
    }

    pub(crate) fn decision(&self, index: u16) -> Option<&Decision> {
        self.decisions.get(usize::from(index))
    }

    pub(crate) fn knowledge(&self, index: u16) -> Option<&Arc<Lambda>> {
        self.knowledge.get(usize::from(index)).map(|(_, code)| code)
    }

    pub(crate) fn service(&self, index: u16) -> Option<&Service> {
        self.services.get(usize::from(index))
    }

    /// The place of an input among [`Model::inputs`], for [`Model::decide_in_order`].
    pub fn input_index(&self, name: &str) -> Option<usize> {
        self.inputs.iter().position(|input| &*input.name == name)
    }

    /// The place of a decision among [`Model::decisions`], for [`Model::decide_in_order`]; by its name, or else by its
    /// identifier in the file.
    pub fn decision_index(&self, name: &str) -> Option<usize> {
        let by_name = self.decisions.iter().position(|decision| &*decision.name == name);
        by_name.or_else(|| self.decisions.iter().position(|decision| &*decision.id == name))
    }

    /// Decides a decision from named facts. Facts the model does not know are ignored; missing ones are null.
    ///
    /// # Errors
    /// Out of gas, too deep, too large, or no such decision.
    pub fn decide(&self, decision: &str, facts: &[(Name, Value)], gas: u64) -> Result<Outcome, Halt> {
        let index = self.decision_index(decision).ok_or(Halt::NoSuchElement)?;
        self.decide_in_order(index, &self.in_order(facts), gas)
    }

    /// Whether a value is of an input's type, allowed values included; `None` if there is no such input.
    pub fn accepts(&self, input: &str, value: &Value) -> Option<bool> {
        let input = &self.inputs[self.input_index(input)?];
        let mut ev = Evaluator::new(self, Gas::new(FIT_GAS));
        Some(ev.coerce(value.clone(), &input.ty).is_ok() && ev.faults.is_empty())
    }

    /// Names and types of the inputs that a decision needs, itself or through other decisions; empty if there is no such one.
    pub fn required(&self, decision: &str) -> impl Iterator<Item = (&str, &Type)> {
        let requires = self.decision_index(decision).map(|index| &self.decisions[index].requires[..]).unwrap_or_default();
        requires.iter().filter_map(|&i| self.inputs.get(usize::from(i))).map(|input| (&*input.name, &input.ty))
    }

    /// Decides where something depends on the answer: exactly the facts that are needed must be given, nothing on the way may
    /// become null for want of a rule or a type, no condition was neither true nor false, and no part of the answer is null. A fact
    /// may be null only by saying so.
    ///
    /// # Errors
    /// Why nothing is decided.
    pub fn decide_surely(&self, decision: &str, facts: &[(Name, Value)], gas: u64) -> Result<Outcome, Undecided> {
        let index = self.decision_index(decision).ok_or(Undecided::NoSuchDecision)?;
        self.check_facts(decision, facts)?;
        let outcome = self.decide_in_order(index, &self.in_order(facts), gas)?;
        if !outcome.faults.is_empty() {
            return Err(Undecided::Faulty(outcome.faults));
        }
        if outcome.value.has_null(&mut Gas::new(gas))? {
            return Err(Undecided::NoAnswer);
        }
        Ok(outcome)
    }

    /// Whether exactly the facts that a decision needs are given.
    ///
    /// # Errors
    /// The first fact that is missing, not needed, or given twice.
    pub fn check_facts(&self, decision: &str, facts: &[(Name, Value)]) -> Result<(), Undecided> {
        for (i, (name, _)) in facts.iter().enumerate() {
            let needed = self.required(decision).any(|(needed, _)| needed == &**name);
            if !needed || facts[..i].iter().any(|(earlier, _)| earlier == name) {
                return Err(Undecided::UnneededFact(name.clone()));
            }
        }
        let missing = self.required(decision).find(|(needed, _)| !facts.iter().any(|(name, _)| &**name == *needed));
        missing.map_or(Ok(()), |(name, _)| Err(Undecided::MissingFact(Name::from(name))))
    }

    /// Facts by name in the order of the inputs.
    pub(crate) fn in_order(&self, facts: &[(Name, Value)]) -> Vec<Value> {
        let mut values = vec![Value::Null; self.inputs.len()];
        for (name, value) in facts {
            if let Some(at) = self.input_index(name) {
                values[at] = value.clone();
            }
        }
        values
    }

    /// Decides a decision, by its place, from facts in the order of [`Model::inputs`].
    ///
    /// # Errors
    /// Out of gas, too deep, too large, or no such decision.
    pub fn decide_in_order(&self, decision: usize, facts: &[Value], gas: u64) -> Result<Outcome, Halt> {
        self.session().decide(decision, facts, gas)
    }

    /// A session, for many decisions in a row without asking for memory each time.
    pub fn session(&self) -> Session<'_> {
        Session { ev: Evaluator::new(self, Gas::new(0)) }
    }

    /// Runs a prepared evaluator.
    pub(crate) fn run_with(&self, ev: &mut Evaluator, decision: usize, facts: &[Value]) -> Result<Outcome, Halt> {
        let decision = self.decisions.get(decision).ok_or(Halt::NoSuchElement)?;
        for (input, value) in self.inputs.iter().zip(facts) {
            let value = ev.coerce(value.clone(), &input.ty)?;
            ev.memo[usize::from(input.global)] = Some(value);
        }
        ev.run(&decision.plan)?;
        let before = decision.plan.iter().filter_map(|i| self.decision(*i)).filter(|other| other.global != decision.global);
        if before.into_iter().any(|other| matches!(ev.memo[usize::from(other.global)], Some(Value::Null))) {
            ev.fault(Fault::NoResult);
        }
        let value = ev.memo[usize::from(decision.global)].take().unwrap_or_default();
        Ok(Self::outcome(ev, value))
    }

    /// Decides a decision service or calls a knowledge model with named arguments; absent ones are null.
    ///
    /// # Errors
    /// Out of gas, too deep, too large, or no such element.
    pub fn invoke(&self, name: &str, arguments: &[(Name, Value)], gas: u64) -> Result<Outcome, Halt> {
        let mut ev = Evaluator::new(self, Gas::new(gas));
        let argument = |wanted: &Name| {
            arguments.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let value = if let Some(i) = self.services.iter().position(|service| &*service.name == name) {
            let values: Vec<Value> = self.services[i].parameters.iter().map(|p| argument(&p.name)).collect();
            ev.service(i as u16, &values)?
        } else {
            let i = self.knowledge.iter().position(|(n, _)| &**n == name).ok_or(Halt::NoSuchElement)?;
            let values: Vec<Value> = self.knowledge[i].1.parameters.iter().map(|p| argument(&p.0)).collect();
            let function = Value::Function(Arc::new(crate::value::Function::Knowledge(i as u16)));
            ev.call_value(&function, &values)?
        };
        Ok(Self::outcome(&mut ev, value))
    }

    fn outcome(ev: &mut Evaluator, value: Value) -> Outcome {
        Outcome { value, gas: ev.gas().used(), faults: std::mem::take(&mut ev.faults), hits: std::mem::take(&mut ev.hits) }
    }
}

/// Decides again and again with the same memory. Results do not depend on what was decided before.
pub struct Session<'m> {
    ev: Evaluator<'m>,
}

impl Session<'_> {
    /// As [`Model::decide_in_order`].
    ///
    /// # Errors
    /// Out of gas, too deep, too large, or no such decision.
    pub fn decide(&mut self, decision: usize, facts: &[Value], gas: u64) -> Result<Outcome, Halt> {
        self.ev.reset(Gas::new(gas));
        self.ev.model.run_with(&mut self.ev, decision, facts)
    }
}
