//! The validators change: a fifth one is voted in, and then one of the first four out.

use zhulian_primitives::TransactionId;

use crate::{
    city::NEWCOMER,
    clients::Clients,
    record::{Memory, Record},
    scenario::Scenario,
    world::World,
};

/// Representatives that have had no answer for so long ask another node, in milliseconds.
const ASK_AGAIN: u64 = 2_000;

/// How far it has come. It outlives power cuts.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Motions that were carried.
    carried: u32,
    step: Step,
    /// When somebody last asked.
    asked: u64,
}

#[derive(Clone, Debug, Default)]
enum Step {
    /// Nothing is on its way.
    #[default]
    Idle,
    /// The motion is on its way.
    Moved(TransactionId),
    /// The ballots are.
    Voted(Vec<TransactionId>),
    /// The change waits for the end of this epoch.
    Decided(u64),
}

impl Change {
    /// Whether the newcomer runs.
    pub fn has_newcomer(&self) -> bool {
        self.carried > 0
    }

    /// Whether both changes are in force.
    pub fn is_over(&self) -> bool {
        self.carried == 2 && matches!(self.step, Step::Idle)
    }
}

/// Epoch of the last block.
fn epoch(record: &Record) -> u64 {
    record.blocks.values().next_back().map_or(0, |block| block.header.epoch)
}

/// Does what is to be done next.
pub async fn go_on(world: &mut World, clients: &mut Clients, scenario: &Scenario, memory: &Memory) {
    if scenario.change.is_none_or(|at| memory.lock().now < at) || memory.lock().change.is_over() {
        return;
    }
    let Change { carried, step, asked } = memory.lock().change.clone();
    let next = match &step {
        Step::Idle => {
            let action = if carried == 0 { world.city.addition() } else { world.city.removal(scenario.faulty) };
            let opener = (scenario.faulty + 1) % NEWCOMER;
            clients
                .represent(world, opener, |city, nonce, until| city.motion(opener, &action, nonce, until))
                .map(Step::Moved)
        }
        Step::Moved(motion) if has_ended(memory, &[*motion]) => {
            let refusal = memory.lock().places[motion].refusal.clone();
            if let Some(refusal) = refusal {
                return memory.lock().fail(format_args!("VALIDATORS CHANGE: the motion was refused: {refusal:?}"));
            }
            let vote = |department| {
                clients.represent(world, department, |city, nonce, until| city.ballot(department, carried, nonce, until))
            };
            (0..world.city.departments()).map(vote).collect::<Option<Vec<_>>>().map(Step::Voted)
        }
        Step::Voted(ballots) if has_ended(memory, ballots) => {
            let epoch = epoch(&memory.lock());
            memory.lock().fault("validators_changed", format_args!("motion {carried} is decided in epoch {epoch}"));
            Some(Step::Decided(epoch))
        }
        Step::Decided(before) if epoch(&memory.lock()) > *before => Some(Step::Idle),
        Step::Moved(_) | Step::Voted(_) | Step::Decided(_) => None,
    };
    let Some(next) = next else {
        let waiting: &[TransactionId] = match &step {
            Step::Moved(motion) => std::slice::from_ref(motion),
            Step::Voted(ballots) => ballots,
            Step::Idle | Step::Decided(_) => &[],
        };
        let now = memory.lock().now;
        if now >= asked + ASK_AGAIN {
            memory.lock().change.asked = now;
            waiting.iter().for_each(|id| clients.again(world, *id));
        }
        return;
    };
    let decided = matches!(next, Step::Decided(_));
    {
        let mut record = memory.lock();
        let asked = record.now;
        record.change = Change { carried: carried + u32::from(decided), step: next, asked };
    }
    // As soon as the vote is over, the others let the newcomer in.
    if decided && carried == 0 {
        world.start(NEWCOMER).await;
    }
}

fn has_ended(memory: &Memory, ids: &[TransactionId]) -> bool {
    let record = memory.lock();
    ids.iter().all(|id| record.places.contains_key(id))
}
