//! Proofs of what the state holds and of what it does not hold.

use commonware_runtime::{Runner as _, deterministic};
use zhulian_engine::verify_state_proof;

use crate::{
    toy::{GENESIS, key, put},
    world::{GOOD, World},
};

#[test]
fn proofs_show_presence_and_absence_and_nothing_else() {
    deterministic::Runner::seeded(1).start(|context| async move {
        let world = World::running(&context, 1, GOOD).await;
        let handle = world.nodes[&0].handle.clone();
        for n in 0..300 {
            world.submit(&put(key(n), &vec![n as u8; (n * 13 % 700) as usize]));
        }
        world.submit(&put(key(300), b"soon gone"));
        world.drained().await;
        world.submit(&put(key(300), b"delete"));
        world.drained().await;

        for (n, held) in [(0, true), (1, true), (255, true), (300, false), (301, false), (302, false)] {
            let proved = handle.prove(key(n)).await.unwrap();
            assert_eq!(proved.value.is_some(), held, "key {n}");
            let root = proved.header.state_root;
            let value = proved.value.as_deref();
            assert!(verify_state_proof(&root, &key(n), value, &proved.proof));

            assert!(!verify_state_proof(&root, &key(n + 1_000), value, &proved.proof) || !held);
            assert!(!verify_state_proof(&root, &key(2), value, &proved.proof), "key 2 holds something else");
            assert!(!verify_state_proof(&[0; 32], &key(n), value, &proved.proof));
            assert!(!verify_state_proof(&root, &key(n), Some(b"another"), &proved.proof));
            assert!(!held || !verify_state_proof(&root, &key(n), None, &proved.proof));
            for at in 0..proved.proof.len() {
                let mut other = proved.proof.clone();
                other[at] ^= 1;
                assert!(
                    !verify_state_proof(&root, &key(n), value, &other),
                    "byte {at} of the proof for key {n} does not matter"
                );
                assert!(!verify_state_proof(&root, &key(n), value, &proved.proof[..at]));
            }
            let longer = [&proved.proof[..], &[0]].concat();
            assert!(!verify_state_proof(&root, &key(n), value, &longer));
        }
        let proved = handle.prove(GENESIS.0).await.unwrap();
        assert_eq!(proved.value.as_deref(), Some(GENESIS.1));
        assert!(handle.tip().unwrap().header.height >= proved.header.height);
    });
}
