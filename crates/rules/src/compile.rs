//! From the tree of a DMN file to a compiled model: imports, types, order of decisions, expressions.

mod boxed;
mod items;

use crate::analysis;
use crate::errors::Fault;
use crate::feel::{self, Global, Looks, Scope, TypeNames};
use crate::ir::{Ir, Lambda};
use crate::model::xml::{RawElement, RawKind, RawModel, RawService, read};
use crate::model::{Decision, Model, Profile, Service, Variable};
use crate::refusal::{Reason, Refusal};
use crate::table::Table;
use crate::types::Type;
use crate::value::{Function, Name, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

/// Most files of one model, and most elements of one kind.
const FILES_MAX: usize = 32;
const ELEMENTS_MAX: usize = 5_000;
/// Most decision tables, also those inside of other expressions.
const TABLES_MAX: usize = 5_000;

/// What a reference points to: the index among the elements of all files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Input(usize),
    Decision(usize),
    Knowledge(usize),
    Service(usize),
}

/// An element with its file.
struct Placed<'a, T> {
    file: usize,
    raw: &'a T,
}

pub(crate) struct Compiler<'a> {
    files: &'a [RawModel],
    types: Vec<Arc<TypeNames>>,
    inputs: Vec<Placed<'a, RawElement>>,
    decisions: Vec<Placed<'a, RawElement>>,
    knowledge: Vec<Placed<'a, RawElement>>,
    services: Vec<Placed<'a, RawService>>,
    ids: BTreeMap<(usize, &'a str), Target>,
    input_types: Vec<Type>,
    decision_types: Vec<Option<Type>>,
    knowledge_types: Vec<Type>,
    service_types: Vec<Type>,
    tables: Vec<Arc<Table>>,
    refusals: Vec<Refusal>,
    /// Members of one name.
    doubled: Vec<Refusal>,
    /// The element being compiled, as a path of names.
    place: Vec<String>,
    /// What every element needs, in the order of [`Compiler::targets`].
    needs: Vec<Vec<Target>>,
    /// Item definitions that were followed.
    items: usize,
    looks: Looks,
}

/// Compiles files; the first is the model.
pub(crate) fn model(sources: &[&str], profile: Profile) -> Result<Model, Vec<Refusal>> {
    let whole = |reason, detail: &str| vec![Refusal { element: "definitions".into(), reason, detail: detail.into() }];
    if sources.is_empty() || sources.len() > FILES_MAX {
        return Err(whole(Reason::TooLarge, "1 to 32 files are expected"));
    }
    let files: Vec<RawModel> = sources.iter().map(|source| read(source)).collect::<Result<_, _>>().map_err(|r| vec![r])?;
    let mut compiler = Compiler::new(&files)?;
    let model = compiler.compile()?;
    let (mut refusals, doubled) = (compiler.refusals, compiler.doubled);
    if profile == Profile::Strict {
        analysis::check(&model, &mut refusals);
        if !refusals.is_empty() {
            return Err(refusals);
        }
    }
    Ok(Model { warnings: refusals, doubled, ..model })
}

/// Named variables, read once for many expressions.
pub struct Variables {
    inputs: Vec<Variable>,
    globals: Arc<Vec<Global>>,
}

/// The types of the language by name.
fn builtin_types() -> Arc<TypeNames> {
    static TYPES: OnceLock<Arc<TypeNames>> = OnceLock::new();
    let read = || {
        let mut types = TypeNames::default();
        for name in items::BUILTINS {
            types.insert(name, Type::builtin(name).unwrap_or(Type::Any));
        }
        Arc::new(types)
    };
    TYPES.get_or_init(read).clone()
}

fn refuse(reason: Reason, detail: String) -> Refusal {
    Refusal { element: "expression".into(), reason, detail }
}

impl Variables {
    /// Reads the names.
    ///
    /// # Errors
    /// When they are too many.
    pub fn new(variables: &[(&str, Type)]) -> Result<Self, Vec<Refusal>> {
        if variables.len() > ELEMENTS_MAX {
            return Err(vec![refuse(Reason::TooLarge, "more than 5,000 variables".into())]);
        }
        let mut scope = Scope::new(builtin_types(), Looks::default());
        let mut inputs = Vec::with_capacity(variables.len());
        for (i, (name, ty)) in variables.iter().enumerate() {
            scope.global(name, Ir::Global(i as u16), ty.clone());
            inputs.push(Variable { name: Name::from(*name), ty: ty.clone(), global: i as u16 });
        }
        Ok(Self { inputs, globals: scope.globals() })
    }

    /// Whether an expression over them compiles.
    ///
    /// # Errors
    /// What is refused, with everything that is noticed under the strict profile.
    pub fn check(&self, text: &str, profile: Profile) -> Result<(), Vec<Refusal>> {
        self.compile(text, profile).map(drop)
    }

    /// An expression with its type and the scope it was read in, and what was noticed.
    fn compile(&self, text: &str, profile: Profile) -> Result<(Ir, Type, Scope, Vec<Refusal>), Vec<Refusal>> {
        let mut scope = Scope::with_globals(builtin_types(), Looks::default(), self.globals.clone());
        let (body, ty) = feel::expression(&mut scope, text).map_err(|error| {
            vec![refuse(Reason::Expression(Fault::Syntax), format!("{text}: at {}: {}", error.at, error.reason))]
        })?;
        let notes = std::mem::take(&mut scope.diagnostics);
        let warnings: Vec<Refusal> =
            notes.into_iter().map(|note| refuse(Reason::Expression(note.fault), note.detail)).collect();
        if profile == Profile::Strict && !warnings.is_empty() {
            return Err(warnings);
        }
        Ok((body, ty, scope, warnings))
    }
}

/// Compiles one expression over named variables, as a model of one decision.
pub(crate) fn expression(text: &str, variables: &[(&str, Type)], profile: Profile) -> Result<Model, Vec<Refusal>> {
    let variables = Variables::new(variables)?;
    let (body, ty, scope, warnings) = variables.compile(text, profile)?;
    let count = variables.inputs.len() as u16;
    let mut model = Model { inputs: variables.inputs, warnings, ..Model::default() };
    model.decisions.push(Decision {
        name: Name::from("expression"),
        id: Name::from("expression"),
        ty,
        global: count,
        body,
        frame: scope.frame(),
        plan: Box::new([0]),
        requires: (0..count).collect(),
        written: Some(Name::from(text)),
    });
    Ok(model)
}

impl<'a> Compiler<'a> {
    fn new(files: &'a [RawModel]) -> Result<Self, Vec<Refusal>> {
        let mut compiler = Self {
            files,
            types: Vec::new(),
            inputs: Vec::new(),
            decisions: Vec::new(),
            knowledge: Vec::new(),
            services: Vec::new(),
            ids: BTreeMap::new(),
            input_types: Vec::new(),
            decision_types: Vec::new(),
            knowledge_types: Vec::new(),
            service_types: Vec::new(),
            tables: Vec::new(),
            refusals: Vec::new(),
            doubled: Vec::new(),
            place: Vec::new(),
            needs: Vec::new(),
            items: 0,
            looks: Looks::default(),
        };
        for (file, raw) in files.iter().enumerate() {
            for element in &raw.inputs {
                compiler.ids.insert((file, &element.id), Target::Input(compiler.inputs.len()));
                compiler.inputs.push(Placed { file, raw: element });
            }
            for element in &raw.decisions {
                compiler.ids.insert((file, &element.id), Target::Decision(compiler.decisions.len()));
                compiler.decisions.push(Placed { file, raw: element });
            }
            for element in &raw.knowledge {
                compiler.ids.insert((file, &element.id), Target::Knowledge(compiler.knowledge.len()));
                compiler.knowledge.push(Placed { file, raw: element });
            }
            for service in &raw.services {
                compiler.ids.insert((file, &service.id), Target::Service(compiler.services.len()));
                compiler.services.push(Placed { file, raw: service });
            }
        }
        let most = compiler.inputs.len().max(compiler.decisions.len()).max(compiler.knowledge.len());
        if most.max(compiler.services.len()) > ELEMENTS_MAX {
            compiler.refuse(Reason::TooLarge, "more than 5,000 elements of a kind");
            return Err(compiler.refusals);
        }
        compiler.refuse_duplicates();
        compiler.needs = compiler.targets().into_iter().map(|target| compiler.references(target)).collect();
        Ok(compiler)
    }

    /// A reference or a fact must mean one element: no two of one file have the same identifier, nor two inputs or
    /// decisions the same name.
    fn refuse_duplicates(&mut self) {
        let values = self.inputs.iter().chain(&self.decisions);
        let functions = self.knowledge.iter().map(|it| (it.file, &it.raw.id, &it.raw.name));
        let functions = functions.chain(self.services.iter().map(|it| (it.file, &it.raw.id, &it.raw.name)));
        let values: Vec<_> = values.map(|it| (it.file, &it.raw.id, &it.raw.name)).collect();
        let (mut ids, mut doubled) = (BTreeSet::new(), Vec::new());
        for group in [values, functions.collect()] {
            let mut names = BTreeSet::new();
            for (file, id, name) in group {
                if !names.insert((file, name)) || !ids.insert((file, id)) {
                    doubled.push((name.clone(), id.clone()));
                }
            }
        }
        for (name, id) in doubled {
            self.place = vec![name];
            self.refuse(Reason::Duplicate, id);
        }
        self.place.clear();
    }

    pub(super) fn refuse(&mut self, reason: Reason, detail: impl Into<String>) {
        let element = if self.place.is_empty() { "definitions".into() } else { self.place.join(" / ") };
        if self.refusals.len() < 1_000 {
            self.refusals.push(Refusal { element, reason, detail: detail.into() });
        }
    }

    /// Notes the members of a context that have the name of an earlier one.
    pub(super) fn note_doubled<'n>(&mut self, names: impl Iterator<Item = &'n str>) {
        let mut seen = BTreeSet::new();
        let element = self.place.join(" / ");
        for name in names {
            if !seen.insert(name) && self.doubled.len() < 1_000 {
                self.doubled.push(Refusal { element: element.clone(), reason: Reason::Duplicate, detail: name.into() });
            }
        }
    }

    /// Takes over what the parser noticed.
    pub(super) fn collect(&mut self, scope: &mut Scope) {
        for note in std::mem::take(&mut scope.diagnostics) {
            self.refuse(Reason::Expression(note.fault), note.detail);
        }
    }

    fn file_of(&self, namespace: &str) -> Option<usize> {
        self.files.iter().position(|file| file.namespace == namespace)
    }

    /// What `#id` or `namespace#id` points to.
    fn target(&self, file: usize, href: &str) -> Option<Target> {
        let (namespace, id) = href.split_once('#')?;
        let file = if namespace.is_empty() { file } else { self.file_of(namespace)? };
        self.ids.get(&(file, id)).copied()
    }

    /// The name of an element as another file sees it: with the alias of the import.
    fn name_seen(&self, from: usize, file: usize, name: &str) -> String {
        if from == file {
            return name.to_owned();
        }
        let namespace = &self.files[file].namespace;
        match self.files[from].imports.iter().find(|(_, ns)| ns == namespace) {
            Some((alias, _)) if !alias.is_empty() => format!("{alias}.{name}"),
            _ => name.to_owned(),
        }
    }

    fn global_of(&self, target: Target) -> Option<u16> {
        match target {
            Target::Input(i) => u16::try_from(i).ok(),
            Target::Decision(i) => u16::try_from(self.inputs.len() + i).ok(),
            _ => None,
        }
    }

    fn compile(&mut self) -> Result<Model, Vec<Refusal>> {
        let fatal = |compiler: &mut Self| std::mem::take(&mut compiler.refusals);
        if self.compile_types().is_none() {
            return Err(fatal(self));
        }
        self.input_types = (0..self.inputs.len())
            .map(|i| {
                let (file, raw) = (self.inputs[i].file, self.inputs[i].raw);
                self.place = vec![raw.name.clone()];
                let ty = self.declared(file, &raw.type_ref);
                if matches!(ty.base(), Type::Any) {
                    self.refuse(Reason::Untyped, raw.id.clone());
                }
                ty
            })
            .collect();
        self.decision_types = vec![None; self.decisions.len()];
        self.knowledge_types = vec![Type::Any; self.knowledge.len()];
        self.service_types = vec![Type::Any; self.services.len()];
        let Some(order) = self.order() else { return Err(fatal(self)) };

        let mut model = Model { name: Name::from(&*self.files[0].name), ..Model::default() };
        let mut knowledge: Vec<Option<(Name, Arc<Lambda>)>> = self.knowledge.iter().map(|_| None).collect();
        let mut decisions: Vec<Option<(Ir, u16)>> = self.decisions.iter().map(|_| None).collect();
        for target in order {
            match target {
                Target::Knowledge(i) => knowledge[i] = Some(self.knowledge_model(i)),
                Target::Decision(i) => decisions[i] = Some(self.decision(i)),
                Target::Service(i) => self.service_types[i] = self.service_type(i),
                Target::Input(_) => {}
            }
        }
        for (i, input) in self.inputs.iter().enumerate() {
            let name = Name::from(self.name_seen(0, input.file, &input.raw.name));
            model.inputs.push(Variable { name, ty: self.input_types[i].clone(), global: i as u16 });
        }
        for (i, compiled) in decisions.into_iter().enumerate() {
            let placed = &self.decisions[i];
            let plan = self.plan(&[i], &[]);
            let (body, frame) = compiled.unwrap_or((Ir::Fault(Fault::NoLogic), 0));
            model.decisions.push(Decision {
                name: Name::from(self.name_seen(0, placed.file, &placed.raw.name)),
                id: Name::from(&*placed.raw.id),
                ty: self.decision_types[i].clone().unwrap_or(Type::Any),
                global: (self.inputs.len() + i) as u16,
                body,
                frame,
                written: match placed.raw.logic.as_ref().map(|logic| &logic.kind) {
                    Some(RawKind::Literal(text)) => Some(Name::from(&**text)),
                    _ => None,
                },
                requires: self.required(&plan),
                plan,
            });
        }
        model.knowledge = knowledge.into_iter().flatten().collect();
        for i in 0..self.services.len() {
            let service = self.service(i);
            model.services.push(service);
        }
        model.tables = std::mem::take(&mut self.tables);
        self.place.clear();
        if self.looks.used_up() {
            self.refuse(Reason::TooLarge, "too many names in too many expressions");
            return Err(fatal(self));
        }
        if model.tables.len() > TABLES_MAX {
            self.refuse(Reason::TooLarge, "more than 5,000 tables");
            return Err(fatal(self));
        }
        if model.globals() > usize::from(u16::MAX) {
            self.refuse(Reason::TooLarge, "too many elements");
            return Err(fatal(self));
        }
        Ok(model)
    }

    /// The elements that need others.
    fn targets(&self) -> Vec<Target> {
        let mut targets: Vec<Target> = (0..self.knowledge.len()).map(Target::Knowledge).collect();
        targets.extend((0..self.decisions.len()).map(Target::Decision));
        targets.extend((0..self.services.len()).map(Target::Service));
        targets
    }

    /// The order of compilation: what is needed first. `None`, with a refusal, for circles of decisions.
    fn order(&mut self) -> Option<Vec<Target>> {
        let roots = self.targets();
        let (mut order, mut state) = (Vec::new(), BTreeMap::<Target, bool>::new());
        for root in roots {
            // Depth first without recursion: a target is opened, then closed after what it needs.
            let mut stack = vec![(root, false)];
            while let Some((target, close)) = stack.pop() {
                if close {
                    state.insert(target, true);
                    order.push(target);
                    continue;
                }
                match state.get(&target) {
                    Some(true) => continue,
                    Some(false) => {
                        // Knowledge models may call each other: gas and depth bound that. Decisions may not.
                        if matches!(target, Target::Decision(_)) {
                            self.place = vec![self.name_of(target)];
                            self.refuse(Reason::Cycle, "information requirements");
                            return None;
                        }
                        continue;
                    }
                    None => {}
                }
                state.insert(target, false);
                stack.push((target, true));
                for &next in self.needs(target) {
                    if !matches!(next, Target::Input(_)) && state.get(&next) != Some(&true) {
                        let circle = state.get(&next) == Some(&false);
                        if !circle || matches!((target, next), (Target::Decision(_), Target::Decision(_))) {
                            stack.push((next, false));
                        }
                    }
                }
            }
        }
        Some(order)
    }

    fn name_of(&self, target: Target) -> String {
        match target {
            Target::Input(i) => self.inputs[i].raw.name.clone(),
            Target::Decision(i) => self.decisions[i].raw.name.clone(),
            Target::Knowledge(i) => self.knowledge[i].raw.name.clone(),
            Target::Service(i) => self.services[i].raw.name.clone(),
        }
    }

    fn needs(&self, target: Target) -> &[Target] {
        let (knowledge, decisions) = (self.knowledge.len(), self.decisions.len());
        let at = match target {
            Target::Input(_) => return &[],
            Target::Knowledge(i) => i,
            Target::Decision(i) => knowledge + i,
            Target::Service(i) => knowledge + decisions + i,
        };
        self.needs.get(at).map_or(&[], Vec::as_slice)
    }

    /// Follows the references of an element.
    fn references(&self, target: Target) -> Vec<Target> {
        let (file, references): (usize, Vec<&String>) = match target {
            Target::Input(_) => return Vec::new(),
            Target::Decision(i) => {
                let placed = &self.decisions[i];
                (placed.file, placed.raw.information.iter().chain(&placed.raw.knowledge).collect())
            }
            Target::Knowledge(i) => (self.knowledge[i].file, self.knowledge[i].raw.knowledge.iter().collect()),
            Target::Service(i) => {
                let placed = &self.services[i];
                (placed.file, placed.raw.outputs.iter().chain(&placed.raw.input_decisions).collect())
            }
        };
        references.into_iter().filter_map(|href| self.target(file, href)).collect()
    }

    /// Decisions to decide for these, in order, without those that are given.
    fn plan(&self, wanted: &[usize], given: &[usize]) -> Box<[u16]> {
        let (mut plan, mut seen) = (Vec::new(), vec![false; self.decisions.len()]);
        given.iter().for_each(|&i| seen[i] = true);
        for &root in wanted {
            let mut stack = vec![(root, false)];
            while let Some((i, close)) = stack.pop() {
                if close {
                    plan.push(i as u16);
                    continue;
                }
                if std::mem::replace(&mut seen[i], true) {
                    continue;
                }
                stack.push((i, true));
                for next in self.needs(Target::Decision(i)) {
                    if let Target::Decision(next) = next {
                        stack.push((*next, false));
                    }
                }
            }
        }
        plan.into()
    }

    /// The inputs that the decisions of a plan need, in their order.
    fn required(&self, plan: &[u16]) -> Box<[u16]> {
        let needs = plan.iter().flat_map(|&i| self.needs(Target::Decision(usize::from(i))));
        let inputs: BTreeSet<u16> = needs
            .filter_map(|target| match target {
                Target::Input(i) => u16::try_from(*i).ok(),
                _ => None,
            })
            .collect();
        inputs.into_iter().collect()
    }

    /// The names an element sees: what it requires.
    fn scope_of(&mut self, file: usize, raw: &RawElement) -> Scope {
        let mut scope = Scope::new(self.types[file].clone(), self.looks.clone());
        for href in raw.information.iter().chain(&raw.knowledge) {
            let Some(target) = self.target(file, href) else {
                self.refuse(Reason::MissingElement, href.clone());
                continue;
            };
            let (home, ir, ty) = match target {
                Target::Input(i) => (self.inputs[i].file, None, self.input_types[i].clone()),
                Target::Decision(i) => (self.decisions[i].file, None, self.decision_types[i].clone().unwrap_or(Type::Any)),
                Target::Knowledge(i) => {
                    (self.knowledge[i].file, Some(Function::Knowledge(i as u16)), self.knowledge_types[i].clone())
                }
                Target::Service(i) => {
                    (self.services[i].file, Some(Function::Service(i as u16)), self.service_types[i].clone())
                }
            };
            let name = self.name_seen(file, home, &self.name_of(target));
            let ir = match (ir, self.global_of(target)) {
                (Some(function), _) => Ir::Const(Value::Function(Arc::new(function))),
                (None, Some(global)) => Ir::Global(global),
                (None, None) => Ir::Fault(Fault::UnknownName),
            };
            scope.global(&name, ir, ty);
        }
        scope
    }

    fn decision(&mut self, i: usize) -> (Ir, u16) {
        let (file, raw) = (self.decisions[i].file, self.decisions[i].raw);
        self.place = vec![raw.name.clone()];
        let declared = self.declared(file, &raw.type_ref);
        let mut scope = self.scope_of(file, raw);
        let (ir, ty) = match &raw.logic {
            Some(logic) => self.boxed(&mut scope, file, logic),
            None => {
                self.refuse(Reason::Expression(Fault::NoLogic), raw.name.clone());
                (Ir::Fault(Fault::NoLogic), Type::Any)
            }
        };
        self.collect(&mut scope);
        let (ir, ty) = self.coerced(ir, ty, declared);
        self.decision_types[i] = Some(ty);
        (ir, scope.frame())
    }

    /// Converts to the declared type, where one is declared.
    pub(super) fn coerced(&mut self, ir: Ir, ty: Type, declared: Type) -> (Ir, Type) {
        if matches!(declared, Type::Any) {
            return (ir, ty);
        }
        if ty.disjoint(&declared) {
            self.refuse(Reason::Expression(Fault::TypeMismatch), format!("{ty}, declared {declared}"));
        }
        (Ir::Coerce(Box::new(ir), declared.clone()), declared)
    }

    fn knowledge_model(&mut self, i: usize) -> (Name, Arc<Lambda>) {
        let (file, raw) = (self.knowledge[i].file, self.knowledge[i].raw);
        self.place = vec![raw.name.clone()];
        let mut scope = self.scope_of(file, raw);
        let logic = raw.logic.as_ref().map(|logic| &logic.kind);
        let lambda = match logic {
            Some(RawKind::Function { external, parameters, body }) => {
                let (lambda, _) = self.function(&mut scope, file, *external, parameters, body.as_deref());
                lambda
            }
            _ => {
                self.refuse(Reason::Expression(Fault::NoLogic), raw.name.clone());
                let body = Ir::Fault(Fault::NoLogic);
                Lambda { parameters: [].into(), captures: [].into(), frame: 0, result: Type::Any, body }
            }
        };
        self.collect(&mut scope);
        let declared = self.declared(file, &raw.type_ref);
        let lambda = if matches!(declared.base(), Type::Any | Type::Function(..)) {
            lambda
        } else {
            let (body, result) = self.coerced(lambda.body, lambda.result, declared);
            Lambda { body, result, ..lambda }
        };
        let parameters: Arc<[Type]> = lambda.parameters.iter().map(|p| p.1.clone()).collect();
        self.knowledge_types[i] = Type::Function(parameters, Arc::new(lambda.result.clone()));
        (Name::from(self.name_seen(0, file, &raw.name)), Arc::new(lambda))
    }

    /// Parameters of a service: input data first, then input decisions.
    fn parameters(&mut self, i: usize) -> Vec<Variable> {
        let (file, raw) = (self.services[i].file, self.services[i].raw);
        let mut out = Vec::new();
        for href in raw.inputs.iter().chain(&raw.input_decisions) {
            let target = self.target(file, href);
            let (Some(target), Some(global)) = (target, target.and_then(|t| self.global_of(t))) else {
                self.refuse(Reason::MissingElement, href.clone());
                continue;
            };
            let ty = match target {
                Target::Input(i) => self.input_types[i].clone(),
                Target::Decision(i) => self.decision_types[i].clone().unwrap_or(Type::Any),
                _ => Type::Any,
            };
            out.push(Variable { name: Name::from(self.name_of(target)), ty, global });
        }
        out
    }

    fn outputs(&self, i: usize) -> Vec<usize> {
        let (file, raw) = (self.services[i].file, self.services[i].raw);
        let decision = |href: &String| match self.target(file, href) {
            Some(Target::Decision(i)) => Some(i),
            _ => None,
        };
        raw.outputs.iter().filter_map(decision).collect()
    }

    fn service_result(&mut self, i: usize) -> Type {
        let (file, raw) = (self.services[i].file, self.services[i].raw);
        match self.declared(file, &raw.type_ref) {
            Type::Function(_, result) => (*result).clone(),
            declared => declared,
        }
    }

    fn service_type(&mut self, i: usize) -> Type {
        self.place = vec![self.services[i].raw.name.clone()];
        let parameters: Arc<[Type]> = self.parameters(i).into_iter().map(|p| p.ty).collect();
        let result = match (self.service_result(i), &self.outputs(i)[..]) {
            (Type::Any, [only]) => self.decision_types[*only].clone().unwrap_or(Type::Any),
            (declared, _) => declared,
        };
        Type::Function(parameters, Arc::new(result))
    }

    fn service(&mut self, i: usize) -> Service {
        let (file, raw) = (self.services[i].file, self.services[i].raw);
        self.place = vec![raw.name.clone()];
        let outputs = self.outputs(i);
        if outputs.is_empty() {
            self.refuse(Reason::MissingElement, "output decision");
        }
        let given: Vec<usize> = raw
            .input_decisions
            .iter()
            .filter_map(|href| match self.target(file, href) {
                Some(Target::Decision(i)) => Some(i),
                _ => None,
            })
            .collect();
        Service {
            name: Name::from(self.name_seen(0, file, &raw.name)),
            parameters: self.parameters(i),
            outputs: outputs
                .iter()
                .map(|&i| (Name::from(&*self.decisions[i].raw.name), (self.inputs.len() + i) as u16))
                .collect(),
            plan: self.plan(&outputs, &given),
            ty: self.service_result(i),
        }
    }
}
