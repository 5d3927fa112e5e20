//! What names mean at a place: variables in slots, members of filtered items, inputs, decisions, functions.

use super::lexer::name_key;
use crate::builtins::Builtin;
use crate::errors::Fault;
use crate::ir::Ir;
use crate::types::Type;
use crate::value::{Function, Name, Value};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    sync::{Arc, OnceLock},
};

/// How many names may still be looked at while a model is compiled. Every name of every expression is compared with all that are
/// visible, and compiling costs no gas.
#[derive(Clone)]
pub(crate) struct Looks(Rc<Cell<u64>>, Rc<RefCell<Members>>);

/// Members of context types by their names, for types that were asked before; by the place of the members, which are kept with them.
type Members = BTreeMap<usize, (Arc<[(Name, Type)]>, Rc<Names<usize>>)>;
/// Types whose members are kept by name.
const MEMBERS_MAX: usize = 1_000;

impl Default for Looks {
    fn default() -> Self {
        Self(Rc::new(Cell::new(20_000_000)), Rc::default())
    }
}

/// Names by their parts, so that the longest that fits is found without trying each.
pub(crate) struct Names<T> {
    value: Option<T>,
    next: BTreeMap<Box<str>, Names<T>>,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self { value: None, next: BTreeMap::new() }
    }
}

impl<T> Names<T> {
    /// Adds a name, in the place of an earlier one of the same parts.
    fn insert(&mut self, key: Key, value: T) {
        let mut at = self;
        for part in key {
            at = at.next.entry(part).or_default();
        }
        at.value = Some(value);
    }

    fn get(&self, key: &Key) -> Option<&T> {
        let mut at = self;
        for part in key {
            at = at.next.get(part)?;
        }
        at.value.as_ref()
    }

    /// The longest name that begins with these parts, and how many it has.
    pub fn longest<'p>(&self, part: &dyn Fn(usize) -> Option<&'p str>) -> Option<(usize, &T)> {
        let (mut at, mut count, mut found) = (self, 0, None);
        while let Some(next) = part(count).and_then(|part| at.next.get(part)) {
            (at, count) = (next, count + 1);
            found = at.value.as_ref().map(|value| (count, value)).or(found);
        }
        found
    }
}

impl Looks {
    /// Takes so many; `false` when there are not so many left.
    fn take(&self, count: usize) -> bool {
        let left = self.0.get().checked_sub(count as u64);
        self.0.set(left.unwrap_or_default());
        left.is_some()
    }

    /// The places of members by name.
    fn members(&self, members: &Arc<[(Name, Type)]>) -> Rc<Names<usize>> {
        let mut known = self.1.borrow_mut();
        let place = members.as_ptr().addr();
        if let Some((same, names)) = known.get(&place)
            && Arc::ptr_eq(same, members)
        {
            return names.clone();
        }
        let mut names = Names::default();
        for (at, (name, _)) in members.iter().enumerate() {
            names.insert(name_key(name), at);
        }
        let names = Rc::new(names);
        if known.len() >= MEMBERS_MAX {
            known.clear();
        }
        known.insert(place, (members.clone(), names.clone()));
        names
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
#[derive(Clone)]
pub(crate) struct Global {
    key: Key,
    name: Name,
    ir: Ir,
    ty: Type,
}

/// Types by name.
#[derive(Default)]
pub(crate) struct TypeNames {
    names: Names<Type>,
    /// The first of each name.
    first: Names<Type>,
}

impl TypeNames {
    pub fn insert(&mut self, name: &str, ty: Type) {
        let key = name_key(name);
        if self.first.get(&key).is_none() {
            self.first.insert(key.clone(), ty.clone());
        }
        self.names.insert(key, ty);
    }

    pub fn get(&self, name: &str) -> Option<Type> {
        self.first.get(&name_key(name)).cloned()
    }

    /// The longest type name that begins with these parts.
    pub fn longest<'p>(&self, parts: &dyn Fn(usize) -> Option<&'p str>) -> Option<(usize, Type)> {
        self.names.longest(parts).map(|(length, ty)| (length, ty.clone()))
    }
}

/// The names visible where an expression stands.
pub(crate) struct Scope {
    levels: Vec<Level>,
    globals: Arc<Vec<Global>>,
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
        Self { levels: vec![Level::default()], globals: Arc::default(), looks, types, diagnostics: Vec::new() }
    }

    /// A scope with the names of another one.
    pub fn with_globals(types: Arc<TypeNames>, looks: Looks, globals: Arc<Vec<Global>>) -> Self {
        Self { globals, ..Self::new(types, looks) }
    }

    /// The names of the model.
    pub fn globals(&self) -> Arc<Vec<Global>> {
        self.globals.clone()
    }

    pub fn global(&mut self, name: &str, ir: Ir, ty: Type) {
        Arc::make_mut(&mut self.globals).push(Global { key: name_key(name), name: Name::from(name), ir, ty: ty.bounded() });
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
    pub fn resolve<'p>(&mut self, part: &dyn Fn(usize) -> Option<&'p str>) -> Option<(usize, Ir, Type)> {
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
            begins && key.iter().enumerate().skip(1).all(|(i, p)| part(i) == Some(p))
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

    /// The longest member that begins with these parts.
    pub fn member<'p>(
        &self,
        members: &Arc<[(Name, Type)]>,
        part: &dyn Fn(usize) -> Option<&'p str>,
    ) -> Option<(usize, Name)> {
        let (length, at) = self.looks.members(members).longest(part).map(|(length, at)| (length, *at))?;
        Some((length, members.get(at)?.0.clone()))
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
