use zhulian_verify::{Deposit, ReceiptFile, verify_receipt};

use crate::world::{SMALL, World, hashed};

#[test]
fn every_kind_of_receipt_verifies() {
    let world = World::new();
    for (name, receipt) in world.receipts() {
        let bytes = receipt.encode();
        assert_eq!(ReceiptFile::decode(&bytes).as_ref(), Ok(&receipt), "{name}");
        let facts = verify_receipt(&world.network, &bytes).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        assert_eq!(facts.refusal.is_some(), name == "refused");
    }
}

#[test]
fn the_facts_are_those_of_the_chain() {
    let world = World::new();
    let facts = verify_receipt(&world.network, &world.receipt(0, &[0, 1, 3]).encode()).unwrap();
    assert_eq!((facts.height, facts.index, facts.transaction_count), (77, 0, 7));
    assert_eq!(facts.block, world.blocks[0].header.digest());
    assert_eq!((facts.module.as_str(), facts.call.as_str()), ("evidence", "deposit"));
    assert_eq!(facts.deposit, Some(Deposit::File(hashed(SMALL).record)));
    assert_eq!(facts.proposer, world.network.validators[0].name);
    let names = [0, 1, 3].map(|i: usize| world.network.validators[i].name.clone());
    assert_eq!(facts.signers, names);
    assert_eq!(facts.events[0].name, "deposited");

    let later = verify_receipt(&world.network, &world.later().encode()).unwrap();
    assert_eq!((later.height, later.certified_height), (77, 79));
}

#[test]
fn an_identity_that_is_no_good_verifies_nothing() {
    let mut world = World::new();
    world.network.validators.reverse();
    let refusal = verify_receipt(&world.network, &world.receipt(0, &[0, 1, 2]).encode()).unwrap_err();
    assert_eq!(refusal.code(), "network.invalid");
}

#[test]
fn one_validators_network_needs_its_one_signature() {
    let mut world = World::new();
    world.network.validators.truncate(1);
    let block = world.block(5, 0, world.lone.transactions.clone(), world.lone.receipts.clone(), [0; 32]);
    let signed = world.certify(&block.header, &[0]);
    let receipt = ReceiptFile::assemble(&block, 0, &[], &signed, &[]).unwrap();
    assert!(verify_receipt(&world.network, &receipt.encode()).is_ok());
    let unsigned = world.certify(&block.header, &[]);
    let receipt = ReceiptFile::assemble(&block, 0, &[], &unsigned, &[]).unwrap();
    assert_eq!(verify_receipt(&world.network, &receipt.encode()).unwrap_err().code(), "certificate.no_quorum");
}
