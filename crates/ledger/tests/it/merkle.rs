use proptest::prelude::*;
use zhulian_crypto::Digest;
use zhulian_ledger::merkle::{Tree, leaf, root, root_from_path};

/// RFC 9162 §2.1.1, word for word: split at the largest power of two smaller than the count.
fn by_definition(entries: &[Vec<u8>]) -> Digest {
    match entries.len() {
        0 => zhulian_crypto::sha256(b""),
        1 => leaf(&entries[0]),
        count => {
            let split = count.next_power_of_two() / 2;
            let (left, right) = (by_definition(&entries[..split]), by_definition(&entries[split..]));
            zhulian_crypto::sha256_parts(&[&[1], &left, &right])
        }
    }
}

fn entries(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|n| n.to_be_bytes().to_vec()).collect()
}

#[test]
fn the_root_is_the_standards() {
    for count in 0..130 {
        assert_eq!(root(&entries(count)), by_definition(&entries(count)), "{count} leaves");
    }
}

#[test]
fn every_leaf_has_a_path_and_no_other_leaf_fits_it() {
    for count in 1..40usize {
        let entries = entries(count);
        let tree = Tree::new(entries.iter().map(|e| leaf(e)).collect());
        for (index, entry) in entries.iter().enumerate() {
            let path = tree.path(index);
            let at = |i: u64, n: u64, p: &[Digest]| root_from_path(leaf(entry), i, n, p);
            assert_eq!(at(index as u64, count as u64, &path), Some(tree.root()));
            for other in (0..count as u64 + 1).filter(|other| *other != index as u64) {
                assert_ne!(at(other, count as u64, &path), Some(tree.root()), "{index} as {other} of {count}");
            }
            assert_ne!(at(index as u64, count as u64, &[path.clone(), vec![[0; 32]]].concat()), Some(tree.root()));
            if !path.is_empty() {
                assert_ne!(at(index as u64, count as u64, &path[1..]), Some(tree.root()));
            }
        }
    }
}

proptest! {
    #[test]
    fn a_changed_path_leads_elsewhere(count in 2usize..300, pick in any::<prop::sample::Index>(), bit in 0usize..256) {
        let entries = entries(count);
        let tree = Tree::new(entries.iter().map(|e| leaf(e)).collect());
        let index = pick.index(count);
        let mut path = tree.path(index);
        let step = bit % path.len();
        path[step][bit / 8] ^= 1 << (bit % 8);
        prop_assert_ne!(root_from_path(leaf(&entries[index]), index as u64, count as u64, &path), Some(tree.root()));
    }
}
