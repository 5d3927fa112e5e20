#[test]
fn once() {
    let w = crate::world::World::new();
    let t = &w.blocks[0].transactions[1];
    println!("SIG {}", hex::encode(&t[t.len() - 64..]));
}
