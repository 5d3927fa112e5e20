//! A gateway on a loopback port over a node in memory, for tools that test APIs. Prints its address, then serves until its input ends.

#[path = "../tests/it/city.rs"]
#[allow(dead_code)]
mod city;
#[path = "../tests/it/memory.rs"]
#[allow(dead_code)]
mod memory;
#[path = "../tests/it/permit.rs"]
#[allow(dead_code)]
mod permit;
#[path = "../tests/it/world.rs"]
#[allow(dead_code)]
mod world;

use std::{io::Read as _, time::Duration};

use zhulian_api::Wait;

#[tokio::main]
async fn main() {
    let world = world::World::start().await;
    // Something to find: deposits, a batch with its entries, and a refusal.
    let entries: Vec<Vec<u8>> =
        (0..10u8).map(|n| zhulian_verify::Entry { file: city::file(&[n]), name_commitment: None }.encode()).collect();
    let items = [
        world.deposit(b"a contract"),
        world.deposit(b"a photograph"),
        world.deposit_batch(&entries),
        world.by_stranger(b"x"),
    ];
    let wait = Wait::Finalised(Duration::from_secs(10));
    world.client.submit(&items, wait).await.expect("a gateway of our own");
    let batch = zhulian_primitives::EvidenceId::of(&zhulian_primitives::TransactionId(world::id_of(&items[2]).0));
    world.client.upload_entries(&batch.to_string(), entries.concat().into()).await.expect("its own entries");
    // A rule pack that is in force, with a case, and a draft.
    permit::draft(&world, 1).await;
    permit::enact(&world, 0, 1).await;
    permit::open(&world, 3).await;
    permit::draft(&world, 2).await;
    println!("{}", world.base);
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()))
        .await
        .expect("reading does not panic")
        .ok();
}
