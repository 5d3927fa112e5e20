//! What must hold at the end of every scenario. What must hold all the time is noted where it happens.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use zhulian_engine::verify_state_proof;
use zhulian_ledger::{Key, Value};
use zhulian_node::{
    index::{Filter, genesis_keys, rows},
    mempool::Standing,
};
use zhulian_primitives::{Block, Height, Network};
use zhulian_verify::Verifier;

use crate::{node::Live, record::Memory, world::World};

/// State keys of which each node proves the value, evenly over all keys.
const PROVED: usize = 6;

/// Checks every honest node.
pub async fn check(world: &World, memory: &Memory) {
    if let Err(broken) = all(world, memory).await {
        memory.lock().fail(broken);
    }
}

async fn all(world: &World, memory: &Memory) -> Result<(), String> {
    let blocks = memory.lock().blocks.clone();
    chain(&blocks)?;
    let mut sum = Sum { height: 0, state: world.city.genesis.state() };
    sum.reach(world, memory, blocks.keys().next_back().copied().unwrap_or(0)).await?;
    receipts(world, memory)?;
    for index in world.honest() {
        let live = world.live(index).ok_or_else(|| format!("node {index} does not answer"))?;
        nothing_lost(world, live, &blocks, index).await?;
        state(world, live, memory, &mut sum, index).await?;
        indexed(world, live, &blocks, index)?;
        ended(live, memory, index)?;
        let status = live.handle.status().await.map_err(|error| format!("STATUS: node {index}: {error}"))?;
        if !status.damage.is_empty() {
            return Err(format!("node {index} found its store damaged: {:?}", status.damage));
        }
        let accused = status.misbehaviour.keys().map(|key| world.index_of(key));
        changed(world, memory, index, &status.sets)?;
        if let Some(accused) = accused.flatten().find(|accused| !world.may_be_accused(*accused)) {
            return Err(format!("HONEST NODES ARE NOT ACCUSED: node {accused} was, by {index}"));
        }
    }
    Ok(())
}

/// The validators are those that were voted for.
fn changed(world: &World, memory: &Memory, index: usize, sets: &[Network]) -> Result<(), String> {
    let expected = match memory.lock().change.is_over() {
        true => world.after_changes(),
        false => world.city.genesis.network().validators.iter().map(|it| it.public_key).collect(),
    };
    let now: Option<Vec<[u8; 32]>> = sets.last().map(|set| set.validators.iter().map(|it| it.public_key).collect());
    match now == Some(expected) {
        true => Ok(()),
        false => Err(format!("VALIDATORS CHANGE: node {index} knows others than those voted for: {sets:?}")),
    }
}

/// One unbroken chain from the first block.
fn chain(blocks: &BTreeMap<Height, Arc<Block>>) -> Result<(), String> {
    let mut parent: Option<&Arc<Block>> = None;
    for ((height, block), expected) in blocks.iter().zip(1..) {
        if *height != expected {
            return Err(format!("ONE CHAIN: no block {expected}"));
        }
        if let Some(parent) = parent {
            if block.header.parent != parent.header.digest() {
                return Err(format!("ONE CHAIN: block {height} does not follow its parent"));
            }
            if block.header.time <= parent.header.time {
                return Err(format!("ONE CHAIN: time goes back at {height}"));
            }
        }
        parent = Some(block);
    }
    Ok(())
}

type State = BTreeMap<Key, Value>;

/// Executes blocks on a state, apart from all nodes.
fn execute<'a>(state: &mut State, blocks: impl IntoIterator<Item = &'a Arc<Block>>) -> Result<(), String> {
    let executor = zhulian_modules::executor();
    for block in blocks {
        let header = &block.header;
        let outcome = executor.execute(&header.into(), &block.transactions, |key| state.get(key).cloned());
        let outcome = outcome.map_err(|unknown| format!("EXECUTION: block {} follows {unknown:?}", header.height))?;
        if outcome.receipts != block.receipts {
            return Err(format!("EXECUTION: the receipts of block {} are not what executing it again gives", header.height));
        }
        for (key, value) in outcome.writes {
            match value {
                Some(value) => state.insert(key, value),
                None => state.remove(&key),
            };
        }
    }
    Ok(())
}

/// What clients were given proves what it said, to somebody who trusts the network's identity only.
fn receipts(world: &World, memory: &Memory) -> Result<(), String> {
    let record = memory.lock();
    let network = world.city.genesis.network();
    let mut verifier = Verifier::new(&network);
    for (id, file) in &record.receipts {
        let verified = verifier.verify(file).map_err(|error| format!("RECEIPTS VERIFY: that of {id}: {error:?}"))?;
        let place = record.places.get(id).ok_or_else(|| format!("RECEIPTS VERIFY: {id} is in no block"))?;
        let block = &record.blocks[&place.height];
        let agrees = (verified.transaction, verified.height, verified.index, verified.block, &verified.refusal)
            == (*id, place.height, place.index as u64, block.header.digest(), &place.refusal);
        if !agrees {
            return Err(format!("RECEIPTS VERIFY: that of {id} says something else than the chain"));
        }
    }
    Ok(())
}

/// Every block that was reported is here, with a certificate that verifies.
async fn nothing_lost(
    world: &World,
    live: &Live,
    blocks: &BTreeMap<Height, Arc<Block>>,
    index: usize,
) -> Result<(), String> {
    let network = world.city.genesis.network();
    for (height, block) in blocks {
        let own = live.handle.block(*height).await;
        let own = own.map_err(|error| format!("NOTHING IS LOST: node {index} at {height}: {error}"))?;
        if *own != **block {
            return Err(format!("NOTHING IS LOST: node {index} has another block {height}"));
        }
        // Each certificate is verified at one of the nodes.
        if *height as usize % 4 == index {
            let finality = live.handle.certificate_for(*height).await;
            let finality = finality.map_err(|error| format!("CERTIFICATES: node {index} at {height}: {error}"))?;
            let mut network = network.clone();
            for handover in &finality.handovers {
                let after = handover.follow(&network);
                network = after.map_err(|error| format!("HANDOVERS: node {index} at {height}: {error}"))?;
            }
            let certificate = finality.certificate.verify(&network);
            certificate.map_err(|error| format!("CERTIFICATES: node {index} at {height}: {error}"))?;
        }
    }
    Ok(())
}

/// The state is the sum of the blocks, and is proved.
async fn state(world: &World, live: &Live, memory: &Memory, sum: &mut Sum, index: usize) -> Result<(), String> {
    let failed = |error| format!("STATE: node {index}: {error}");
    let keys: Vec<Key> = sum.state.keys().copied().collect();
    // The chain goes on meanwhile; what a node says of an earlier height is asked for again.
    let values = loop {
        let (header, values) = live.handle.get(keys.clone()).await.map_err(failed)?;
        if sum.reach(world, memory, header.height).await? {
            break values;
        }
    };
    if keys.iter().zip(values).any(|(key, value)| value.as_ref() != sum.state.get(key)) {
        return Err(format!("STATE: node {index} at {} is not the sum of its blocks", sum.height));
    }
    let every = (keys.len() / PROVED).max(1);
    for key in keys.iter().step_by(every).copied().chain([[9; 32]]) {
        let proved = loop {
            let proved = live.handle.prove(key).await.map_err(failed)?;
            if sum.reach(world, memory, proved.header.height).await? {
                break proved;
            }
        };
        if !verify_state_proof(&proved.header.state_root, &key, proved.value.as_deref(), &proved.proof) {
            return Err(format!("STATE: node {index} gives a proof that is none"));
        }
        if proved.value.as_ref() != sum.state.get(&key) {
            return Err(format!("STATE: node {index} proves another value than the blocks give"));
        }
    }
    Ok(())
}

/// The state that the blocks lead to, at a height that grows.
struct Sum {
    height: Height,
    state: State,
}

impl Sum {
    /// Catches up with the chain, which goes on while it is checked; false when it is already past this height.
    async fn reach(&mut self, world: &World, memory: &Memory, height: Height) -> Result<bool, String> {
        if height < self.height {
            world.sleep(50).await;
            return Ok(false);
        }
        while memory.lock().tip() < height {
            world.sleep(10).await;
        }
        let blocks: Vec<Arc<Block>> = memory
            .lock()
            .blocks
            .range(self.height..=height)
            .skip_while(|(at, _)| **at == self.height)
            .map(|(_, it)| it.clone())
            .collect();
        execute(&mut self.state, &blocks)?;
        self.height = height;
        Ok(true)
    }
}

/// The index holds what the blocks say, each block once.
fn indexed(world: &World, live: &Live, blocks: &BTreeMap<Height, Arc<Block>>, index: usize) -> Result<(), String> {
    let mut holders: HashMap<_, _> = genesis_keys(&world.city.genesis.events()).into_iter().collect();
    let mut expected = Vec::new();
    for block in blocks.values() {
        let rows = rows(block, &mut holders);
        expected.extend((0..).zip(rows.transactions).map(|(at, row)| (rows.height, at, rows.time, row)));
    }
    expected.reverse();
    let failed = |error| format!("INDEX: node {index}: {error}");
    let last = blocks.keys().next_back().copied().unwrap_or(0);
    let mut found = live.queries.transactions(&Filter::default(), expected.len() + 1_000).map_err(failed)?;
    // The chain goes on while it is checked.
    found.retain(|found| found.place.height() <= last);
    let same = found.len() == expected.len()
        && found.iter().zip(&expected).all(|(found, (height, at, time, row))| {
            (found.place.height(), found.place.index(), found.time) == (*height, *at, *time)
                && (found.id, &found.module, &found.call) == (row.id, &row.module, &row.call)
                && (&found.organisation, &found.refusal, found.deposit) == (&row.organisation, &row.refusal, row.deposit)
        });
    if !same {
        return Err(format!(
            "INDEX: that of node {index} has {} rows and is not what the blocks say ({})",
            found.len(),
            expected.len()
        ));
    }
    Ok(())
}

/// No node holds anything for open that has ended.
fn ended(live: &Live, memory: &Memory, index: usize) -> Result<(), String> {
    let record = memory.lock();
    let pool = live.mempool.lock();
    for id in record.places.keys().chain(&record.expired) {
        if pool.standing(id) == Standing::Pending {
            return Err(format!("WHAT IS TAKEN ENDS: node {index} still holds {id}, which has ended"));
        }
    }
    Ok(())
}
