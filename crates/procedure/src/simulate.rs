//! Plays a procedure with ways and order chosen by a seed. No expression decides then: the point is where tokens can go.

use crate::instance::{Decided, Fault, Host, Instance, Status, Trace};
use crate::model::{Definitions, Kind, Process, Trigger};
use crate::value::Variables;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;
use zhulian_rules::{Name, Value, gas::Gas};

/// Gas of one step of a simulation.
const GAS: u64 = 10_000_000;

/// How a simulation went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Play {
    /// Whether the procedure came to an end within the steps.
    pub ended: bool,
    /// How it stood.
    pub status: Status,
    /// How many things were done from outside.
    pub steps: usize,
    /// What happened, in order.
    pub trace: Vec<Trace>,
}

/// A small generator of numbers: the same for the same seed, everywhere.
struct Dice(Cell<u64>);

impl Dice {
    fn below(&self, bound: usize) -> usize {
        let mut x = self.0.get();
        // xorshift64*
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        self.0.set(x);
        (x.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound.max(1)
    }
}

struct World {
    processes: BTreeMap<String, Arc<Process>>,
    dice: Dice,
}

impl Host for World {
    fn current(&self, procedure: &str) -> Option<(String, Arc<Process>)> {
        self.processes.get_key_value(procedure).map(|(key, process)| (key.clone(), process.clone()))
    }

    fn process(&self, key: &str) -> Option<Arc<Process>> {
        self.processes.get(key).cloned()
    }

    fn decide(&self, _: &str, _: &[(Name, Value)], _: &mut Gas) -> Result<Decided, Fault> {
        Err(Fault::NoDecision)
    }

    fn choose(&self, _: &str, ways: usize) -> Option<usize> {
        Some(if ways < 2 { 0 } else { self.dice.below(ways) })
    }

    fn working_days_after(&self, from: i64, days: u32) -> Option<(i64, u32)> {
        Some((from.checked_add(i64::from(days) * 86_400_000)?, 0))
    }
}

/// Plays a process of a file until it ends or so many things were done from outside.
///
/// # Errors
/// A fault of the procedure, such as a join that waits for ever.
pub fn play(definitions: &Definitions, process: &str, seed: u64, steps_max: usize) -> Result<Play, Fault> {
    let processes = definitions.processes.iter().map(|process| (process.id.clone(), Arc::new(process.clone()))).collect();
    let mut world = World { processes, dice: Dice(Cell::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)) };
    // What the file calls and does not hold is passed over as work of somebody else.
    let known: Vec<String> = world.processes.keys().cloned().collect();
    for process in world.processes.values_mut() {
        for node in &mut Arc::make_mut(process).nodes {
            if let Kind::Call { procedure } = &mut node.kind
                && procedure.as_ref().is_some_and(|name| !known.contains(name))
            {
                *procedure = None;
            }
        }
    }
    let drawn = world.processes.get(process).cloned().ok_or(Fault::NoProcedure)?;
    let starts = drawn.starts(None);
    let messages: Vec<Option<String>> = starts
        .iter()
        .filter_map(|id| match drawn.node(*id).map(|node| &node.kind) {
            Some(Kind::Start(Trigger::Message(name))) => Some(Some(name.clone())),
            _ => None,
        })
        .collect();
    // With starts of both kinds, either is tried.
    let only_messages = messages.len() == starts.len() && !messages.is_empty();
    let message = match messages.len() {
        0 => None,
        n if only_messages || world.dice.below(2) == 0 => messages[world.dice.below(n)].clone(),
        _ => None,
    };
    let nothing = Variables::default();
    let mut now = 1_700_000_000_000;
    let (mut instance, report) = Instance::start(&world, process, message.as_deref(), &nothing, now, GAS)?;
    let (mut trace, mut steps) = (report.trace, 0);
    while *instance.status() == Status::Running && steps < steps_max {
        let (work, awaited) = (instance.work(&world), instance.awaited(&world));
        let timers = usize::from(instance.next_due().is_some());
        let ways = work.len() + awaited.len() + timers;
        if ways == 0 {
            return Err(Fault::Stuck);
        }
        let way = world.dice.below(ways);
        let (after, report) = if let Some(work) = work.get(way) {
            instance.complete(&world, work.number, &nothing, now, GAS)?
        } else if let Some(message) = awaited.get(way - work.len()) {
            instance.deliver(&world, message, &nothing, now, GAS)?
        } else {
            now = instance.next_due().unwrap_or(now).max(now);
            instance.tick(&world, now, GAS)?
        };
        instance = after;
        trace.extend(report.trace);
        steps += 1;
    }
    let status = instance.status().clone();
    Ok(Play { ended: status != Status::Running, status, steps, trace })
}
