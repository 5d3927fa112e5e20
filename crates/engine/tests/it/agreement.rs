//! Validators agree, on good and bad networks.

use commonware_runtime::{Runner as _, deterministic};

use crate::{
    toy::{GENESIS, key, put},
    world::{GOOD, World, network},
};

#[test]
fn four_nodes_agree_and_serve_what_they_agreed_on() {
    deterministic::Runner::seeded(1).start(|context| async move {
        let world = World::running(&context, 4, GOOD).await;
        for n in 0..50 {
            world.submit(&put(key(n), format!("value {n}").as_bytes()));
        }
        world.drained().await;
        let height = world.nodes[&0].handle.tip().unwrap().header.height;
        world.reach(height).await;
        world.agree();

        let network = network(&world.secrets);
        network.check().unwrap();
        for running in world.nodes.values() {
            let (_, values) = running.handle.get(vec![key(3), key(99), GENESIS.0]).await.unwrap();
            assert_eq!(values, [Some(b"value 3".to_vec()), None, Some(GENESIS.1.to_vec())]);
            for at in 1..=height {
                let finality = running.handle.certificate_for(at).await.unwrap();
                assert_eq!(finality.headers[0].height, at);
                assert_eq!(finality.headers.last().unwrap().digest(), finality.certificate.block);
                finality.certificate.verify(&network).unwrap();
            }
        }
    });
}
