//! What names mean at a place: variables in slots, members of filtered items, inputs, decisions, functions.

use super::lexer::name_key;
use crate::builtins::Builtin;
use crate::errors::Fault;
use crate::ir::Ir;
use crate::types::Type;
use crate::value::{Function, Name, Value};
use std::{
    cell::Cell,
    rc::Rc,
    sync::{Arc, OnceLock},
};

/// How many names may still be looked at while a model is compiled. Every name of every expression is compared with all that are
/// visible, and compiling costs no gas.
#[derive(Clone)]
pub(crate) struct Looks(Rc<Cell<u64>>);

impl Default for Looks {
    fn default() -> Self {
        Self(Rc::new(Cell::new(20_000_000)))
    }
}

impl Looks {
    /// Takes so many; `false` when there are not so many left.
    fn take(&self, count: usize) -> bool {
        let left = self.0.get().checked_sub(count as u64);
        self.0.set(left.unwrap_or_default());
        left.is_some()
    }

    /// Whether they were not enough.
    pub fn used_up(&self) -> bool {
        self.0.get() == 0
    }
}

type Key = Vec<Box<str>>;

/// The functions of the language by the parts of their names.
fn builtins() -> &'static [(Key, Builtin)] {
    static KEYS: OnceLock<Vec<(Key, Builtin)>> = OnceLock::new();
    KEYS.get_or_init(|| Builtin::all().map(|f| (name_key(f.name()), f)).collect())
}

/// Something noticed while compiling, with the text it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diagnostic {
    pub fault: Fault,
    pub detail: String,
}

enum Kind {
    /// A variable.
    Slot,
    /// The item of a filter, whose members are visible by name.
    Item(Vec<(Key, Name, Type)>),
}

struct Binding {
    key: Key,
    slot: u16,
    kind: Kind,
    ty: Type,
}

/// The variables of one function.
#[derive(Default)]
struct Level {
    bindings: Vec<Binding>,
    next: u16,
    most: u16,
    captures: Vec<Ir>,
}

/// A name of the model: an input, a decision, a function.
struct Global {
    key: Key,
    name: Name,
    ir: Ir,
    ty: Type,
}

/// Types by name.
#[derive(Default)]
pub(crate) struct TypeNames {
    names: Vec<(Key, Type)>,
}

impl TypeNames {
    pub fn insert(&mut self, name: &str, ty: Type) {
        self.names.push((name_key(name), ty));
    }

    pub fn get(&self, name: &str) -> Option<Type> {
        let key = name_key(name);
        self.names.iter().find(|(k, _)| *k == key).map(|(_, ty)| ty.clone())
    }

    /// The longest type name that begins with these parts.
    pub fn longest(&self, parts: &dyn Fn(usize) -> Option<String>) -> Option<(usize, Type)> {
        let fits = |key: &Key| key.iter().enumerate().all(|(i, part)| parts(i).as_deref() == Some(part));
        let found = self.names.iter().filter(|(key, _)| !key.is_empty() && fits(key)).max_by_key(|(key, _)| key.len());
        found.map(|(key, ty)| (key.len(), ty.clone()))
    }
}

/// The names visible where an expression stands.
pub(crate) struct Scope {
    levels: Vec<Level>,
    globals: Vec<Global>,
    looks: Looks,
    pub types: Arc<TypeNames>,
    pub diagnostics: Vec<Diagnostic>,
}

/// A place in the scope to return to.
pub(crate) struct Mark {
    level: usize,
    bindings: usize,
    next: u16,
}

impl Scope {
    pub fn new(types: Arc<TypeNames>, looks: Looks) -> Self {
        Self { levels: vec![Level::default()], globals: Vec::new(), looks, types, diagnostics: Vec::new() }
    }

    pub fn global(&mut self, name: &str, ir: Ir, ty: Type) {
        self.globals.push(Global { key: name_key(name), name: Name::from(name), ir, ty: ty.bounded() });
    }

    pub fn note(&mut self, fault: Fault, detail: impl Into<String>) {
        if self.diagnostics.len() < 100 {
            self.diagnostics.push(Diagnostic { fault, detail: detail.into() });
        }
    }

    fn top(&mut self) -> &mut Level {
        if self.levels.is_empty() {
            self.levels.push(Level::default());
        }
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    pub fn mark(&mut self) -> Mark {
        let level = self.levels.len();
        let top = self.top();
        Mark { level, bindings: top.bindings.len(), next: top.next }
    }

    pub fn restore(&mut self, mark: &Mark) {
        self.levels.truncate(mark.level);
        let top = self.top();
        top.bindings.truncate(mark.bindings);
        top.next = mark.next;
    }

    /// A slot without a name.
    pub fn slot(&mut self) -> u16 {
        let top = self.top();
        let slot = top.next;
        top.next = top.next.saturating_add(1);
        top.most = top.most.max(top.next);
        slot
    }

    /// Names a slot.
    pub fn bind(&mut self, name: &str, slot: u16, ty: Type) {
        let key = name_key(name);
        self.top().bindings.push(Binding { key, slot, kind: Kind::Slot, ty: ty.bounded() });
    }

    /// A variable in a new slot.
    pub fn variable(&mut self, name: &str, ty: Type) -> u16 {
        let slot = self.slot();
        self.bind(name, slot, ty);
        slot
    }

    /// Makes the members of the value in the slot visible.
    pub fn item(&mut self, slot: u16, ty: Type) {
        let ty = ty.bounded();
        let members = match ty.base() {
            Type::Context(members) => members.iter().map(|(n, t)| (name_key(n), n.clone(), t.clone())).collect(),
            _ => Vec::new(),
        };
        self.top().bindings.push(Binding { key: Vec::new(), slot, kind: Kind::Item(members), ty });
    }

    /// Begins a function.
    pub fn enter(&mut self) {
        self.levels.push(Level::default());
    }

    /// Ends a function: slots of its frame and what it captured.
    pub fn leave(&mut self) -> (u16, Box<[Ir]>) {
        let level = self.levels.pop().unwrap_or_default();
        (level.most, level.captures.into())
    }

    /// Slots of the outermost frame.
    pub fn frame(&self) -> u16 {
        self.levels.first().map_or(0, |level| level.most)
    }

    /// Carries something of level `from` into the current function.
    fn carry(&mut self, ir: Ir, from: usize) -> Ir {
        let mut ir = ir;
        for level in self.levels.iter_mut().skip(from + 1) {
            let same = |a: &Ir| match (a, &ir) {
                (Ir::Local(a), Ir::Local(b)) | (Ir::Captured(a), Ir::Captured(b)) | (Ir::Global(a), Ir::Global(b)) => a == b,
                _ => false,
            };
            let index = level.captures.iter().position(same).unwrap_or_else(|| {
                level.captures.push(ir.clone());
                level.captures.len() - 1
            });
            ir = Ir::Captured(index as u16);
        }
        ir
    }

    /// The meaning of the longest name that begins with these parts, and how many parts it has.
    pub fn resolve(&mut self, part: &dyn Fn(usize) -> Option<String>) -> Option<(usize, Ir, Type)> {
        if self.looks.used_up() {
            return None;
        }
        let first = part(0)?;
        let members = |binding: &Binding| if let Kind::Item(members) = &binding.kind { members.len() } else { 1 };
        let visible: usize = self.levels.iter().flat_map(|level| &level.bindings).map(members).sum();
        if !self.looks.take(1 + visible + self.globals.len()) {
            return None;
        }
        let fits = |key: &Key| {
            let begins = key.first().is_some_and(|p| **p == *first);
            begins && key.iter().enumerate().skip(1).all(|(i, p)| part(i).as_deref() == Some(p))
        };
        // (length, level, binding, member)
        let mut best: Option<(usize, usize, usize, Option<usize>)> = None;
        let longer = |best: &Option<(usize, usize, usize, Option<usize>)>, n: usize| best.as_ref().is_none_or(|b| n > b.0);
        for (l, level) in self.levels.iter().enumerate().rev() {
            for (b, binding) in level.bindings.iter().enumerate().rev() {
                match &binding.kind {
                    Kind::Slot if fits(&binding.key) && longer(&best, binding.key.len()) => {
                        best = Some((binding.key.len(), l, b, None));
                    }
                    Kind::Slot => {}
                    Kind::Item(members) => {
                        for (m, (key, _, _)) in members.iter().enumerate() {
                            if fits(key) && longer(&best, key.len()) {
                                best = Some((key.len(), l, b, Some(m)));
                            }
                        }
                    }
                }
            }
        }
        let global = self.globals.iter().enumerate().filter(|(_, g)| fits(&g.key)).max_by_key(|(_, g)| g.key.len());
        if let Some((i, found)) = global
            && longer(&best, found.key.len())
        {
            let (length, name, ir, ty) = (found.key.len(), found.name.clone(), self.globals[i].ir.clone(), found.ty.clone());
            let ir = if matches!(ir, Ir::Global(_)) { self.carry(ir, 0) } else { ir };
            return Some((length, self.through_items(ir, &name, 0, 0), ty));
        }
        if let Some((length, l, b, member)) = best {
            let binding = &self.levels[l].bindings[b];
            let slot = Ir::Local(binding.slot);
            let (name, ty, member) = match (&binding.kind, member) {
                (Kind::Item(members), Some(m)) => {
                    let (_, name, ty) = &members[m];
                    (name.clone(), ty.clone(), Some(name.clone()))
                }
                _ => (Name::from(binding.key.join(" ")), binding.ty.clone(), None),
            };
            let ir = self.carry(slot, l);
            let ir = match member {
                Some(name) => Ir::Member(Box::new(ir), name),
                None => ir,
            };
            return Some((length, self.through_items(ir, &name, l, b + 1), ty));
        }
        let (key, builtin) = builtins().iter().filter(|(key, _)| fits(key)).max_by_key(|(key, _)| key.len())?;
        let builtin = *builtin;
        let function = Value::Function(Arc::new(Function::Builtin(builtin)));
        let ty = Type::Function(Arc::from([]), Arc::new(Type::Any));
        let ir = self.through_items(Ir::Const(function), &Name::from(builtin.name()), 0, 0);
        Some((key.len(), ir, ty))
    }

    /// A name that is only known when the items of the enclosing filters are.
    pub fn unknown(&mut self, name: &str) -> Ir {
        if self.looks.used_up() {
            return Ir::Fault(Fault::UnknownName);
        }
        let ir = self.through_items(Ir::Fault(Fault::UnknownName), &Name::from(name), 0, 0);
        if matches!(ir, Ir::Fault(_)) {
            self.note(Fault::UnknownName, name);
        }
        ir
    }

    /// Filters over items of unknown type may have a member of this name, which comes first.
    fn through_items(&mut self, ir: Ir, name: &Name, level: usize, binding: usize) -> Ir {
        let mut items = Vec::new();
        for (l, scope) in self.levels.iter().enumerate().skip(level) {
            let from = if l == level { binding } else { 0 };
            for found in scope.bindings.iter().skip(from) {
                if matches!(found.kind, Kind::Item(_)) && matches!(found.ty.base(), Type::Any | Type::Null) {
                    items.push((l, found.slot));
                }
            }
        }
        let mut ir = ir;
        for (l, slot) in items {
            let item = self.carry(Ir::Local(slot), l);
            ir = Ir::ItemMember(Box::new(item), name.clone(), Box::new(ir));
        }
        ir
    }
}
