//! Item definitions to types, across imports.

use super::Compiler;
use crate::errors::Fault;
use crate::feel::{self, Scope, TypeNames};
use crate::model::xml::RawItem;
use crate::refusal::Reason;
use crate::types::{Constrained, Type};
use crate::value::Name;
use std::sync::Arc;

/// Deepest chain of item definitions.
const DEPTH_MAX: u32 = 24;
/// Most item definitions that are followed, each as often as it is named: definitions of definitions grow like entities.
const FOLLOWED_MAX: usize = 50_000;

pub(super) const BUILTINS: [&str; 16] = [
    "Any",
    "Null",
    "number",
    "string",
    "boolean",
    "date",
    "time",
    "date and time",
    "dateTime",
    "days and time duration",
    "dayTimeDuration",
    "years and months duration",
    "yearMonthDuration",
    "list",
    "context",
    "function",
];

impl Compiler<'_> {
    /// Types of every file. `None`, with a refusal, where they need each other in a circle.
    pub(super) fn compile_types(&mut self) -> Option<()> {
        for file in 0..self.files.len() {
            let mut names = TypeNames::default();
            for name in BUILTINS {
                names.insert(name, Type::builtin(name)?);
            }
            for item in &self.files[file].items {
                self.place = vec![item.name.clone()];
                let ty = self.item(file, item, 0)?;
                names.insert(&item.name, ty);
            }
            let imports: Vec<(String, usize)> = self.files[file]
                .imports
                .iter()
                .filter_map(|(alias, namespace)| Some((alias.clone(), self.file_of(namespace)?)))
                .collect();
            for (alias, other) in imports {
                for item in &self.files[other].items {
                    self.place = vec![item.name.clone()];
                    let ty = self.item(other, item, 0)?;
                    let seen = if alias.is_empty() { item.name.clone() } else { format!("{alias}.{}", item.name) };
                    names.insert(&seen, ty);
                }
            }
            self.types.push(Arc::new(names));
        }
        self.place.clear();
        Some(())
    }

    fn item(&mut self, file: usize, item: &RawItem, depth: u32) -> Option<Type> {
        if depth > DEPTH_MAX {
            self.refuse(Reason::Cycle, "item definitions need each other");
            return None;
        }
        self.items += 1;
        if self.items > FOLLOWED_MAX {
            self.refuse(Reason::TooLarge, "item definitions of item definitions");
            return None;
        }
        let mut ty = if let Some((parameters, result)) = &item.function {
            let mut types = Vec::new();
            for parameter in parameters {
                types.push(self.reference(file, parameter, depth)?);
            }
            Type::Function(types.into(), Arc::new(self.reference(file, result, depth)?))
        } else if item.components.is_empty() {
            self.reference(file, &item.type_ref, depth)?
        } else {
            let mut members = Vec::new();
            for component in &item.components {
                members.push((Name::from(&*component.name), self.item(file, component, depth + 1)?));
            }
            Type::Context(members.into())
        };
        if let Some(text) = &item.allowed {
            ty = self.constrained(ty, text);
        }
        if item.collection {
            ty = Type::list(ty);
        }
        if let Some(text) = &item.constraint {
            ty = self.constrained(ty, text);
        }
        Some(ty)
    }

    fn constrained(&mut self, base: Type, text: &str) -> Type {
        let mut scope = Scope::new(Arc::default(), self.looks.clone());
        let slot = scope.slot();
        // Allowed values of a collection are tested on its items.
        match feel::unary_tests(&mut scope, text, slot, &base) {
            Ok(tests) => {
                self.collect(&mut scope);
                Type::Constrained(Arc::new(Constrained { base, tests, frame: scope.frame() }))
            }
            Err(error) => {
                self.refuse(Reason::Expression(Fault::Syntax), format!("{text}: {}", error.reason));
                base
            }
        }
    }

    fn reference(&mut self, file: usize, name: &Option<String>, depth: u32) -> Option<Type> {
        let Some(name) = name else { return Some(Type::Any) };
        if let Some(ty) = Type::builtin(name) {
            return Some(ty);
        }
        let files = self.files;
        if let Some(item) = files[file].items.iter().find(|item| item.name == *name) {
            return self.item(file, item, depth + 1);
        }
        for (alias, namespace) in &files[file].imports {
            let Some(rest) = name
                .strip_prefix(&**alias)
                .and_then(|rest| rest.strip_prefix('.').or(Some(rest).filter(|_| alias.is_empty())))
            else {
                continue;
            };
            if let Some(other) = self.file_of(namespace)
                && let Some(item) = files[other].items.iter().find(|item| item.name == rest)
            {
                return self.item(other, item, depth + 1);
            }
        }
        self.refuse(Reason::MissingElement, format!("type {name}"));
        Some(Type::Any)
    }

    /// The declared type of an element; Any where none is.
    pub(super) fn declared(&mut self, file: usize, name: &Option<String>) -> Type {
        let Some(name) = name else { return Type::Any };
        if let Some(ty) = Type::builtin(name).or_else(|| self.types[file].get(name)) {
            return ty;
        }
        self.refuse(Reason::MissingElement, format!("type {name}"));
        Type::Any
    }
}
