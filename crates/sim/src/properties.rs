//! What must hold at the end of every scenario. What must hold all the time is asserted where it happens.

use std::time::Duration;

use commonware_runtime::{Clock as _, deterministic::Context};
use zhulian_engine::verify_state_proof;
use zhulian_primitives::{Network, Validator};

use crate::{
    machine::{COUNT, replay},
    outside::Memory,
    run::keys,
    world::{CHAIN, World, public, secrets},
};

/// The simulated network's identity.
pub fn identity(secrets: &[[u8; 32]]) -> Network {
    let validator = |secret: &[u8; 32]| Validator {
        name: "simulated".into(),
        organisation: "simulated".into(),
        public_key: public(secret),
    };
    Network { name: "simulation".into(), chain: CHAIN, epoch: 0, validators: secrets.iter().map(validator).collect() }
}

/// Checks every honest node.
///
/// # Panics
/// When a property is broken.
pub async fn check(context: &Context, world: &World, memory: &Memory) {
    let network = identity(&secrets());
    let blocks = memory.lock().blocks.clone();
    let heights: Vec<u64> = blocks.keys().copied().collect();
    assert!(heights.iter().copied().eq(1..=heights.len() as u64), "ONE CHAIN: heights are left out: {heights:?}");
    for pair in heights.windows(2) {
        let (parent, child) = (&blocks[&pair[0]].header, &blocks[&pair[1]].header);
        assert_eq!(child.parent, parent.digest(), "ONE CHAIN: block {} does not follow its parent", child.height);
        assert!(child.time > parent.time, "ONE CHAIN: time goes back at {}", child.height);
    }

    for (index, handle) in world.honest() {
        for (height, block) in &blocks {
            match handle.block(*height).await {
                Ok(own) => assert_eq!(own.header, block.header, "NOTHING IS LOST: node {index} has another block {height}"),
                Err(error) => panic!("NOTHING IS LOST: node {index} at {height}: {error}"),
            }
            let finality = handle
                .certificate_for(*height)
                .await
                .unwrap_or_else(|error| panic!("CERTIFICATES: node {index} at {height}: {error}"));
            finality
                .certificate
                .verify(&network)
                .unwrap_or_else(|error| panic!("CERTIFICATES: node {index} at {height}: {error}"));
        }

        for key in keys().chain([COUNT]) {
            let proved = handle.prove(key).await.unwrap_or_else(|error| panic!("STATE: node {index}: {error}"));
            let until = proved.header.height;
            // The chain goes on meanwhile, and its observers a little behind it.
            while memory.lock().blocks.keys().next_back().is_none_or(|height| *height < until) {
                context.sleep(Duration::from_millis(10)).await;
            }
            let state = {
                let record = memory.lock();
                replay(record.blocks.range(..=until).map(|(_, block)| &block.transactions[..]))
            };
            assert!(proved.value.as_ref() == state.get(&key), "STATE: node {index} at {until} is not the sum of its blocks");
            let valid = verify_state_proof(&proved.header.state_root, &key, proved.value.as_deref(), &proved.proof);
            assert!(valid, "STATE: node {index} gives a proof that is none");
        }

        let status = handle.status().await.unwrap_or_else(|error| panic!("STATUS: node {index}: {error}"));
        assert!(status.damage.is_empty(), "node {index} found its store damaged: {:?}", status.damage);
        for accused in status.misbehaviour.keys() {
            let accused = secrets().iter().position(|secret| public(secret) == *accused);
            assert!(
                accused.is_some_and(|accused| world.may_be_accused(accused)),
                "HONEST NODES ARE NOT ACCUSED: node {accused:?} was, by {index}"
            );
        }
    }
}
