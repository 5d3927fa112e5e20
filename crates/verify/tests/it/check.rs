use std::io::{self, Read};

use zhulian_verify::{Answer, CheckError, Field, FileHasher, check_file};

use crate::world::{LARGE_SIZE, SMALL, World, generated, hashed};

fn check(world: &World, receipt: &str, file: &[u8]) -> Answer {
    let (_, receipt) = world.receipts().into_iter().find(|(name, _)| *name == receipt).expect("a receipt of this name");
    check_file(&world.network, &receipt.encode(), file).expect("an answer")
}

/// Cases for both verifiers: receipt, file as (size, changes, cut or grown to), answer, fields, chunks.
pub struct Case {
    pub receipt: &'static str,
    /// Size of the generated file, or the small file when `None`.
    pub size: Option<usize>,
    /// Bytes changed: place and xor.
    pub flips: Vec<(usize, u8)>,
}

impl Case {
    pub fn file(&self) -> Vec<u8> {
        let mut bytes = self.size.map_or_else(|| SMALL.to_vec(), generated);
        for (at, xor) in &self.flips {
            bytes[*at] ^= xor;
        }
        bytes
    }
}

pub fn cases() -> Vec<Case> {
    let case = |receipt, size, flips: &[(usize, u8)]| Case { receipt, size, flips: flips.to_vec() };
    vec![
        case("eddsa", None, &[]),
        case("eddsa", None, &[(3, 1)]),
        case("eddsa", Some(0), &[]),
        case("es256", Some(0), &[]),
        case("es256", None, &[]),
        case("refused", None, &[]),
        case("batch", None, &[]),
        case("other_call", None, &[]),
        case("batch_entry", Some(600), &[]),
        case("batch_entry", Some(500), &[]),
        case("batch_entry_of_empty_file", Some(0), &[]),
        case("several_headers", Some(LARGE_SIZE), &[]),
        case("several_headers", Some(LARGE_SIZE), &[(0, 0x80)]),
        case("chunked", Some(LARGE_SIZE), &[]),
        case("chunked", Some(LARGE_SIZE), &[((1 << 20) - 1, 0x40)]),
        case("chunked", Some(LARGE_SIZE), &[(1 << 20, 0x40)]),
        case("chunked", Some(LARGE_SIZE), &[(5, 1), (LARGE_SIZE - 1, 1)]),
        case("chunked", Some(10), &[]),
    ]
}

#[test]
fn the_deposited_file_is_verified() {
    let world = World::new();
    assert!(matches!(check(&world, "eddsa", SMALL), Answer::Verified(_)));
    assert!(matches!(check(&world, "chunked", &generated(LARGE_SIZE)), Answer::Verified(_)));
    assert!(matches!(check(&world, "batch_entry", &generated(600)), Answer::Verified(_)));
}

#[test]
fn what_deposits_no_file_says_so() {
    let world = World::new();
    for receipt in ["refused", "batch", "other_call"] {
        assert!(matches!(check(&world, receipt, SMALL), Answer::NotDeposited(_)), "{receipt}");
    }
}

#[test]
fn a_changed_byte_is_found_and_its_chunk_named() {
    let world = World::new();
    let mut file = generated(LARGE_SIZE);
    file[1 << 20] ^= 1;
    let Answer::Mismatch(_, mismatch) = check(&world, "chunked", &file) else { panic!("accepted") };
    assert_eq!(mismatch.fields, [Field::Sha256, Field::Sm3, Field::ChunksRoot]);
    assert_eq!(mismatch.chunks, Some(vec![1]));
    let Answer::Mismatch(_, mismatch) = check(&world, "several_headers", &file) else { panic!("accepted") };
    assert_eq!(mismatch.chunks, None, "the receipt carries no chunks");
}

#[test]
fn a_shorter_or_longer_file_names_the_chunks_that_one_lacks() {
    let world = World::new();
    let file = generated(LARGE_SIZE);
    let Answer::Mismatch(_, mismatch) = check(&world, "chunked", &file[..1 << 20]) else { panic!("accepted") };
    assert_eq!((mismatch.fields[0], mismatch.chunks), (Field::Size, Some(vec![1, 2])));
    let longer = [&file[..], &vec![0; 2 << 20]].concat();
    let Answer::Mismatch(_, mismatch) = check(&world, "chunked", &longer) else { panic!("accepted") };
    assert_eq!(mismatch.chunks, Some(vec![2, 3, 4]));
}

#[test]
fn every_small_change_of_a_small_file_is_a_mismatch() {
    let world = World::new();
    for at in 0..SMALL.len() {
        let mut file = SMALL.to_vec();
        file[at] ^= 1;
        assert_eq!(check(&world, "eddsa", &file).code(), "mismatch");
    }
}

#[test]
fn a_refused_receipt_gives_no_answer_and_reads_no_file() {
    struct Untouched;
    impl Read for Untouched {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            panic!("the file was read")
        }
    }
    let world = World::new();
    let mut receipt = world.receipt(0, &[0, 1, 2]).encode();
    receipt[100] ^= 1;
    assert!(matches!(check_file(&world.network, &receipt, Untouched), Err(CheckError::Refused(_))));
}

#[test]
fn a_file_that_cannot_be_read_is_an_error() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("disk"))
        }
    }
    let world = World::new();
    let receipt = world.receipt(0, &[0, 1, 2]).encode();
    assert!(matches!(check_file(&world.network, &receipt, Broken), Err(CheckError::Read(_))));
}

#[test]
fn hashing_does_not_depend_on_the_pieces() {
    let file = generated(LARGE_SIZE);
    let whole = hashed(&file);
    assert_eq!(whole.chunks.len(), 3);
    assert_eq!(whole.record.sha256, zhulian_crypto::sha256(&file));
    assert_eq!(whole.record.sm3, zhulian_crypto::sm3(&file));
    for size in [1_000_003, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20] {
        let mut hasher = FileHasher::default();
        file.chunks(size).for_each(|piece| hasher.update(piece));
        assert_eq!(hasher.finish(), whole, "pieces of {size}");
    }
    assert_eq!(hashed(b"").record.chunks_root, zhulian_crypto::sha256(b""));
    assert_eq!(hashed(&vec![7; 1 << 20]).chunks.len(), 1, "a full last chunk is not followed by an empty one");
}
