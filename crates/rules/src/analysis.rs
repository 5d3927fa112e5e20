//! Checks of whole tables for deployment: facts no rule covers, rules that match together, rules never reached.
//!
//! Each column is cut at the constants its cells name, into points and the open intervals between them. A cell is then
//! a set of these pieces, and a table a set of boxes. Cells that are not constant are opaque: they cover nothing for
//! certain, and they overlap nothing for certain.

use crate::errors::Fault;
use crate::evaluate::Evaluator;
use crate::gas::Gas;
use crate::ir::{Comparison, Ir, Test};
use crate::model::Model;
use crate::refusal::{Reason, Refusal};
use crate::table::{Aggregator, HitPolicy, Input, Table};
use crate::types::Type;
use crate::value::{Range, Value, compare};
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// Steps of the search for gaps before it gives up.
const STEPS_MAX: usize = 200_000;
/// Largest product of rules and constants of a column that is still examined.
const WORK_MAX: usize = 500_000;
/// Gas for one constant cell.
const CELL_GAS: u64 = 10_000;
/// Work for all tables of a model: comparisons of pieces, and steps of searches for gaps.
const MODEL_WORK_MAX: usize = 20_000_000;
/// Work that the former does not count, for all tables of a model: comparisons of tests with pieces, and of pieces with rules. What any
/// office writes is below a hundredth of it.
const PIECES_WORK_MAX: usize = 100_000_000;
/// Gas for all decisions of a model that depend on no fact.
const CONSTANTS_GAS: u64 = 1_000_000;
/// Gaps and overlaps told of one table.
const TOLD_MAX: usize = 5;

type Pieces = BTreeSet<usize>;

/// A column cut into pieces: piece `2i + 1` is point `i`, piece `2i` the open interval before it.
struct Column {
    /// In their order, each once.
    points: Vec<Value>,
    /// The pieces that inputs can be in.
    universe: Pieces,
    /// For each rule the pieces that match; `None` where it cannot be told.
    cells: Vec<Option<Pieces>>,
}

/// Refuses tables with gaps or forbidden overlaps, and results that may be null or are not of their declared type.
pub(crate) fn check(model: &Model, refusals: &mut Vec<Refusal>) {
    let (mut work, mut gas, sound) = (MODEL_WORK_MAX, CONSTANTS_GAS, refusals.is_empty());
    let mut pieces_work = PIECES_WORK_MAX;
    for (index, decision) in model.decisions.iter().enumerate() {
        let mut tell = |reason, detail: &str| {
            refusals.push(Refusal { element: decision.name.to_string(), reason, detail: detail.to_owned() });
        };
        let written = decision.written.as_deref();
        if may_be_null(&decision.body) {
            tell(Reason::SilentNull, written.unwrap_or("null"));
        } else if sound
            && decision.requires.is_empty()
            && let Ok(outcome) = model.decide_in_order(index, &[], gas)
        {
            // What depends on no fact fails always, or never.
            gas -= outcome.gas;
            match outcome.faults.first() {
                Some(fault) => tell(Reason::Expression(*fault), written.unwrap_or_default()),
                None if outcome.value.has_null(&mut Gas::new(CELL_GAS)) == Ok(true) => {
                    tell(Reason::SilentNull, written.unwrap_or("null"))
                }
                None => {}
            }
        }
    }
    for table in &model.tables {
        results(model, table, refusals);
        let columns: Vec<Column> =
            (0..table.inputs.len()).map(|c| column(model, table, c, &mut work, &mut pieces_work)).collect();
        let mut tell = |reason, detail: String| {
            refusals.push(Refusal { element: format!("{} ({})", table.element, table.id), reason, detail });
        };
        overlaps(table, &columns, &mut work, &mut tell);
        // A list may be empty and a count may be 0, but the sum, least or greatest of nothing is null.
        let list = matches!(
            table.policy,
            HitPolicy::RuleOrder | HitPolicy::OutputOrder | HitPolicy::Collect(None | Some(Aggregator::Count))
        );
        // A default for some columns only would leave the others null.
        if !list && table.outputs.iter().any(|output| output.default.is_none()) {
            gaps(table, &columns, &mut work, &mut pieces_work, &mut tell);
        }
    }
}

/// Whether an expression says null where it decides: as a whole, in a branch, or in a part of the result.
fn may_be_null(ir: &Ir) -> bool {
    match ir {
        Ir::Const(Value::Null) => true,
        Ir::Coerce(inner, _) | Ir::Block(_, inner) => may_be_null(inner),
        Ir::If(abc) => may_be_null(&abc[1]) || may_be_null(&abc[2]),
        Ir::List(items) => items.iter().any(may_be_null),
        Ir::Context(entries) => entries.iter().any(|(_, entry, _)| may_be_null(entry)),
        _ => false,
    }
}

/// Refuses constant results that are null, not of the column's type, or not among the values it lists.
fn results(model: &Model, table: &Table, refusals: &mut Vec<Refusal>) {
    let defaults = std::iter::once((0, table.outputs.iter().map(|output| output.default.as_ref()).collect::<Vec<_>>()));
    let rows = table.rules.iter().enumerate().map(|(r, rule)| (r + 1, rule.outputs.iter().map(Some).collect()));
    for (row, cells) in defaults.chain(rows) {
        for (o, (output, cell)) in table.outputs.iter().zip(cells).enumerate() {
            let Some(cell) = cell else { continue };
            let place = if row == 0 { "default".to_owned() } else { format!("rule {row}") };
            let mut tell = |reason, detail: String| {
                let element = format!("{} / {place}, output {}", table.element, o + 1);
                refusals.push(Refusal { element, reason, detail });
            };
            if may_be_null(cell) {
                tell(Reason::SilentNull, "null".into());
                continue;
            }
            let Some(value) = constant(model, cell) else { continue };
            let mut ev = Evaluator::new(model, Gas::new(CELL_GAS));
            let text = value.to_feel(&mut Gas::new(CELL_GAS)).unwrap_or_default();
            let fits = ev.coerce(value.clone(), &output.ty).is_ok() && ev.faults.is_empty();
            let same =
                |listed: &Value| crate::value::equal(listed, &value, &mut Gas::new(CELL_GAS)).ok().flatten() == Some(true);
            if !fits || !(output.priority.is_empty() || output.priority.iter().any(same)) {
                tell(Reason::Expression(Fault::TypeMismatch), text);
            }
        }
    }
}

/// The value of a cell that depends on nothing.
fn constant(model: &Model, ir: &Ir) -> Option<Value> {
    match ir {
        Ir::Const(value) => Some(value.clone()),
        Ir::Builtin(_, arguments) if arguments.iter().all(|a| matches!(a, Ir::Const(_))) => evaluate(model, ir),
        Ir::Negate(inner) if matches!(**inner, Ir::Const(_)) => evaluate(model, ir),
        Ir::Range(range) => {
            for end in [&range.start, &range.end].into_iter().flatten() {
                constant(model, end)?;
            }
            evaluate(model, ir)
        }
        Ir::List(items) => {
            for item in items {
                constant(model, item)?;
            }
            evaluate(model, ir)
        }
        _ => None,
    }
}

fn evaluate(model: &Model, ir: &Ir) -> Option<Value> {
    Evaluator::new(model, Gas::new(CELL_GAS)).in_frame(ir, 0).ok()
}

/// The constants a test names; `None` when it is not constant.
fn points_of(model: &Model, test: &Test, out: &mut Vec<Value>) -> Option<()> {
    fn add(value: Value, out: &mut Vec<Value>) -> Option<()> {
        match value {
            Value::Range(range) => out.extend([range.start.clone(), range.end.clone()].into_iter().flatten()),
            Value::List(list) => {
                for item in list.items() {
                    add(item.clone(), out)?;
                }
            }
            Value::Null => {}
            Value::Context(_) | Value::Function(_) => return None,
            point => out.push(point),
        }
        Some(())
    }
    match test {
        Test::Any => {}
        Test::Number(_, n) => out.push(Value::Number(*n)),
        Test::Interval { low, high, .. } => out.extend([Value::Number(*low), Value::Number(*high)]),
        Test::Text(text) => out.push(Value::String(text.clone())),
        Test::Compare(_, ir) | Test::Member(ir) => add(constant(model, ir)?, out)?,
        Test::Holds(_) => return None,
        Test::Not(tests) => {
            for test in tests {
                points_of(model, test, out)?;
            }
        }
    }
    Some(())
}

fn column(model: &Model, table: &Table, index: usize, work: &mut usize, pieces_work: &mut usize) -> Column {
    let input = &table.inputs[index];
    let opaque_type = matches!(input.ty.base(), Type::List(_) | Type::Context(_));
    let tests = |rule: &crate::table::Rule| rule.tests.get(index).cloned().unwrap_or_default();
    let mut points = Vec::new();
    let mut constant_rules = Vec::new();
    for rule in &table.rules {
        let mut own = Vec::new();
        let known = tests(rule).iter().all(|test| points_of(model, test, &mut own).is_some());
        let only_any = matches!(&tests(rule)[..], [Test::Any]);
        constant_rules.push(known && (!opaque_type || only_any));
        if known {
            points.extend(own);
        }
    }
    let allowed = allowed(input);
    for test in allowed.unwrap_or_default() {
        points_of(model, test, &mut points);
    }
    if matches!(input.ty.base(), Type::Boolean) || points.iter().any(|p| matches!(p, Value::Boolean(_))) {
        points.extend([Value::Boolean(false), Value::Boolean(true)]);
    }
    let mut ordered = sort(&mut points);
    if !ordered {
        points.clear();
    }
    let cost = points.len().saturating_mul(table.rules.len());
    // A test for one value is one piece; any other is compared with all of them.
    let wide: usize = table.rules.iter().map(|rule| tests(rule).iter().map(width).sum::<usize>()).sum();
    let wide = wide.saturating_add(allowed.unwrap_or_default().iter().map(width).sum());
    let wide_cost = points.len().saturating_mul(2 * wide);
    if cost > WORK_MAX || cost > *work || wide_cost > *pieces_work {
        ordered = false;
        points.clear();
    } else {
        *work -= cost;
        *pieces_work -= wide_cost;
    }
    let count = 2 * points.len() + 1;
    let all: Pieces = (0..count).filter(|&piece| exists(&points, piece)).collect();
    let mut column = Column { points, universe: all.clone(), cells: Vec::new() };
    if let Some(tests) = allowed {
        let mut universe = Pieces::new();
        for test in tests {
            match column.pieces(model, test, &all) {
                Some(pieces) => universe.extend(pieces),
                None => universe.clone_from(&all),
            }
        }
        column.universe = universe;
    }
    let universe = column.universe.clone();
    column.cells = table
        .rules
        .iter()
        .zip(constant_rules)
        .map(|(rule, known)| {
            if matches!(&tests(rule)[..], [Test::Any]) {
                return Some(universe.clone());
            }
            if !known || !ordered {
                return None;
            }
            let mut cell = Pieces::new();
            for test in tests(rule).iter() {
                cell.extend(column.pieces(model, test, &universe)?);
            }
            Some(cell)
        })
        .collect();
    column
}

/// How many times a test is compared with every piece of its column.
fn width(test: &Test) -> usize {
    match test {
        Test::Any | Test::Text(_) | Test::Number(Comparison::Equal, _) => 0,
        Test::Number(..) | Test::Interval { .. } | Test::Compare(..) | Test::Holds(_) => 1,
        Test::Member(ir) => match ir {
            Ir::Const(_) | Ir::Builtin(..) | Ir::Negate(_) => 0,
            Ir::List(items) => items.len(),
            _ => 1,
        },
        Test::Not(tests) => tests.iter().map(|test| 1 + width(test)).sum(),
    }
}

fn allowed(input: &Input) -> Option<&[Test]> {
    match (&input.allowed, &input.ty) {
        (Some(tests), _) => Some(tests),
        (None, Type::Constrained(constrained)) => Some(&constrained.tests),
        _ => None,
    }
}

/// The order of two points, which costs nobody anything.
fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Boolean(a), Value::Boolean(b)) => Some(a.cmp(b)),
        _ => compare(a, b, &mut Gas::new(u64::MAX)).ok().flatten(),
    }
}

/// Sorts and removes duplicates; `false` when the points are of different kinds.
fn sort(points: &mut Vec<Value>) -> bool {
    if let Some(first) = points.first().cloned()
        && !points.iter().all(|p| order(&first, p).is_some())
    {
        return false;
    }
    points.sort_by(|a, b| order(a, b).unwrap_or(Ordering::Equal));
    points.dedup_by(|a, b| order(a, b) == Some(Ordering::Equal));
    true
}

/// Whether a piece holds any value: nothing lies between true and false, nor between a day and the next.
fn exists(points: &[Value], piece: usize) -> bool {
    if piece % 2 == 1 {
        return true;
    }
    match (piece.checked_sub(2).and_then(|p| points.get(p / 2)), points.get(piece / 2)) {
        (Some(Value::Boolean(_)), _) | (_, Some(Value::Boolean(_))) => false,
        (Some(Value::Date(a)), Some(Value::Date(b))) => a.days() + 1 < b.days(),
        _ => true,
    }
}

impl Column {
    fn index(&self, point: &Value) -> Option<usize> {
        let found = self.points.binary_search_by(|p| order(p, point).unwrap_or(Ordering::Less)).ok();
        found.filter(|&at| order(&self.points[at], point) == Some(Ordering::Equal))
    }

    fn compared(&self, op: Comparison, point: &Value, universe: &Pieces) -> Option<Pieces> {
        let at = 2 * self.index(point)? + 1;
        if op == Comparison::Equal {
            return Some(universe.get(&at).copied().into_iter().collect());
        }
        Some(universe.iter().copied().filter(|piece| crate::evaluate::holds(op, piece.cmp(&at))).collect())
    }

    fn within(&self, range: &Range, universe: &Pieces) -> Option<Pieces> {
        let mut out = universe.clone();
        if let Some(start) = &range.start {
            let op = if range.start_included { Comparison::GreaterOrEqual } else { Comparison::Greater };
            out = self.compared(op, start, &out)?;
        }
        if let Some(end) = &range.end {
            let op = if range.end_included { Comparison::LessOrEqual } else { Comparison::Less };
            out = self.compared(op, end, &out)?;
        }
        Some(out)
    }

    fn of_value(&self, value: &Value, universe: &Pieces) -> Option<Pieces> {
        match value {
            Value::Null => Some(Pieces::new()),
            Value::Range(range) => self.within(range, universe),
            Value::List(list) => {
                let mut out = Pieces::new();
                for item in list.items() {
                    out.extend(self.of_value(item, universe)?);
                }
                Some(out)
            }
            point => self.compared(Comparison::Equal, point, universe),
        }
    }

    /// The pieces a test is true for.
    fn pieces(&self, model: &Model, test: &Test, universe: &Pieces) -> Option<Pieces> {
        match test {
            Test::Any => Some(universe.clone()),
            Test::Number(op, n) => self.compared(*op, &Value::Number(*n), universe),
            Test::Text(text) => self.compared(Comparison::Equal, &Value::String(text.clone()), universe),
            Test::Interval { low, high, low_included, high_included } => {
                let (low, high) = (Value::Number(*low), Value::Number(*high));
                let range = Range::new(Some(low), Some(high), *low_included, *high_included).ok()?;
                self.within(&range, universe)
            }
            Test::Compare(op, ir) => match constant(model, ir)? {
                Value::Null => None,
                point => self.compared(*op, &point, universe),
            },
            Test::Member(ir) => self.of_value(&constant(model, ir)?, universe),
            Test::Holds(_) => None,
            Test::Not(tests) => {
                let mut out = universe.clone();
                for test in tests {
                    let inner = self.pieces(model, test, universe)?;
                    out.retain(|piece| !inner.contains(piece));
                }
                Some(out)
            }
        }
    }

    /// A piece in words.
    fn words(&self, label: &str, piece: usize) -> String {
        let text = |i: usize| self.points.get(i).and_then(|p| p.to_feel(&mut Gas::new(CELL_GAS)).ok()).unwrap_or_default();
        let i = piece / 2;
        if piece % 2 == 1 {
            return format!("{label} = {}", text(i));
        }
        if matches!(self.points.first(), Some(Value::String(_))) {
            return format!("{label} = other text");
        }
        match (i.checked_sub(1), i < self.points.len()) {
            (None, false) => format!("{label} = any"),
            (None, true) => format!("{label} < {}", text(i)),
            (Some(before), false) => format!("{label} > {}", text(before)),
            (Some(before), true) => format!("{label} in ({}..{})", text(before), text(i)),
        }
    }
}

fn overlaps(table: &Table, columns: &[Column], work: &mut usize, tell: &mut dyn FnMut(Reason, String)) {
    if !matches!(table.policy, HitPolicy::Unique | HitPolicy::Any | HitPolicy::First) {
        return;
    }
    let mut told = 0;
    let count = table.rules.len();
    for later in 0..count {
        for earlier in 0..later {
            if told >= TOLD_MAX {
                return;
            }
            let cells =
                || columns.iter().map(|column| (column, column.cells[earlier].as_ref(), column.cells[later].as_ref()));
            let cost: usize = cells().map(|(_, a, b)| 1 + a.map_or(0, Pieces::len).min(b.map_or(0, Pieces::len))).sum();
            let Some(left) = work.checked_sub(cost) else {
                return tell(Reason::UnprovenOverlap, "the tables are too intricate".into());
            };
            *work = left;
            let apart = cells().any(|(_, a, b)| matches!((a, b), (Some(a), Some(b)) if a.is_disjoint(b)));
            if apart {
                continue;
            }
            if cells().any(|(_, a, b)| a.is_none() || b.is_none()) {
                let single = match table.policy {
                    HitPolicy::Unique => true,
                    HitPolicy::Any => !agree(table, earlier, later),
                    _ => false,
                };
                if single {
                    tell(Reason::UnprovenOverlap, format!("{} + {}", earlier + 1, later + 1));
                    told += 1;
                }
                continue;
            }
            let common: Option<Vec<String>> = cells()
                .zip(&table.inputs)
                .map(|((column, a, b), input)| {
                    let piece = a?.intersection(b?).next()?;
                    Some(column.words(&input.label, *piece))
                })
                .collect();
            let Some(common) = common else { continue };
            let hidden = cells().all(|(_, a, b)| matches!((a, b), (Some(a), Some(b)) if b.is_subset(a)));
            let pair = format!("{} + {}: {}", earlier + 1, later + 1, common.join(", "));
            match table.policy {
                HitPolicy::Unique => tell(Reason::Overlap, pair),
                HitPolicy::Any if !agree(table, earlier, later) => tell(Reason::Overlap, pair),
                HitPolicy::First if hidden => tell(Reason::Unreachable, format!("{} < {}", earlier + 1, later + 1)),
                _ => continue,
            }
            told += 1;
        }
    }
}

/// Whether the outputs are surely the same: equal constants, or written alike.
fn agree(table: &Table, a: usize, b: usize) -> bool {
    let inputs = table.inputs.len();
    let (a, b) = (&table.rules[a], &table.rules[b]);
    let same = |o: usize| match (a.outputs.get(o), b.outputs.get(o)) {
        (Some(Ir::Const(x)), Some(Ir::Const(y))) => {
            crate::value::equal(x, y, &mut Gas::new(CELL_GAS)).ok().flatten() == Some(true)
        }
        _ => a.written.get(inputs + o) == b.written.get(inputs + o),
    };
    (0..table.outputs.len()).all(same)
}

/// Looks for facts that no rule covers, column by column, remembering sets of rules already seen.
fn gaps(table: &Table, columns: &[Column], work: &mut usize, pieces_work: &mut usize, tell: &mut dyn FnMut(Reason, String)) {
    let certain: Vec<usize> =
        (0..table.rules.len()).filter(|&r| columns.iter().all(|column| column.cells[r].is_some())).collect();
    let opaque = certain.len() < table.rules.len();
    let mut seen: BTreeSet<(usize, Vec<usize>)> = BTreeSet::new();
    // Column, rules still possible, pieces chosen so far.
    let mut stack = vec![(0usize, certain, Vec::<usize>::new())];
    let (mut steps, mut found) = (0usize, Vec::new());
    while let Some((index, rules, path)) = stack.pop() {
        steps += 1 + rules.len();
        *work = work.saturating_sub(1 + rules.len());
        if steps > STEPS_MAX || *work == 0 {
            return tell(Reason::Unproven, "the table is too intricate".into());
        }
        if rules.is_empty() {
            found.push(path);
            if found.len() >= TOLD_MAX {
                break;
            }
            continue;
        }
        let Some(column) = columns.get(index) else { continue };
        for &piece in column.universe.iter().rev() {
            let Some(enough) = pieces_work.checked_sub(rules.len()) else {
                return tell(Reason::Unproven, "the tables are too intricate".into());
            };
            *pieces_work = enough;
            let left: Vec<usize> = rules
                .iter()
                .copied()
                .filter(|&rule| column.cells[rule].as_ref().is_some_and(|cell| cell.contains(&piece)))
                .collect();
            steps += 1;
            if left.is_empty() || seen.insert((index + 1, left.clone())) {
                let mut path = path.clone();
                path.push(piece);
                stack.push((index + 1, left, path));
            }
        }
    }
    if found.is_empty() {
        return;
    }
    if opaque {
        return tell(Reason::Unproven, "some cells are not constant".into());
    }
    // Pieces between texts read alike and are told once.
    let words = |path: &Vec<usize>| {
        let words = path.iter().enumerate().map(|(c, &piece)| columns[c].words(&table.inputs[c].label, piece));
        words.collect::<Vec<String>>().join(", ")
    };
    let told: BTreeSet<String> = found.iter().map(words).collect();
    for gap in told {
        tell(Reason::Gap, gap);
    }
}
