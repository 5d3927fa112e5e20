//! The authenticated state: qmdb `current`, ordered, with values of variable size.

use std::{
    collections::BTreeMap,
    num::{NonZeroU64, NonZeroUsize},
};

use bytes::Bytes;
use commonware_codec::{Copying, Decode as _, Encode as _, RangeCfg};
use commonware_cryptography::{Sha256, sha256::Digest};
use commonware_glue::stateful::db::{DatabaseSet, Shared, Unmerkleized as _};
use commonware_parallel::Strategy;
use commonware_runtime::{Spawner, Storage, buffer::paged::CacheRef};
use commonware_storage::{
    Context,
    journal::contiguous::variable::Config as LogConfig,
    merkle::MAX_PROOF_DIGESTS_PER_ELEMENT,
    mmr::{self, full::Config as TreeConfig},
    qmdb::{
        Error as StateError,
        any::{ordered::variable::Operation as AnyOperation, value::VariableEncoding},
        current::{
            VariableConfig,
            ordered::proof::constant::{ExclusionProof, KeyValueProof},
        },
        sync::Target,
    },
    translator::FourCap,
};
use commonware_utils::{NZUsize, non_empty_range};
use zhulian_ledger::{Key, Value, Writes};
use zhulian_primitives::Header;

use crate::tree::Tree;

/// Bytes of a chunk of the activity bitmap.
pub(crate) const CHUNK: usize = 32;
/// The index of keys in memory has a sorted part for each value of so many first bytes of a key, and tells keys apart by four more.
pub(crate) const PARTITION_BYTES: usize = 2;
/// 690 MB, while a state of more than 15 million entries is opened.
const KEYS_HELD_MAX: NonZeroUsize = NZUsize!(1 << 24);

pub(crate) type Family = mmr::Family;
pub(crate) type State<E, S> = Tree<E, S>;
pub(crate) type Operation = AnyOperation<Family, Digest, Bytes>;
pub(crate) type OperationConfig = ((), RangeCfg<usize>);
pub(crate) type StateConfig<S> = VariableConfig<FourCap, OperationConfig, S, NonZeroUsize>;
pub(crate) type SyncTarget = Target<Family, Digest>;
pub(crate) type Databases<E, S> = Shared<State<E, S>>;
pub(crate) type Batch<E, S> = <Databases<E, S> as DatabaseSet<E>>::Unmerkleized;
pub(crate) type Merkleized<E, S> = <Databases<E, S> as DatabaseSet<E>>::Merkleized;
pub(crate) type ReadError = StateError<Family>;

type Membership = KeyValueProof<Family, Digest, Digest, CHUNK>;
type Exclusion = ExclusionProof<Family, Digest, VariableEncoding<Bytes>, Digest, CHUNK>;

const MEMBERSHIP: u8 = 0;
const EXCLUSION: u8 = 1;

/// How operations of at most these value sizes are decoded.
pub(crate) fn operation_config(value_bytes_max: usize) -> OperationConfig {
    ((), RangeCfg::new(..=value_bytes_max))
}

/// More bytes than any operation takes.
pub(crate) const fn operation_bytes_max(value_bytes_max: usize) -> usize {
    // A tag, a key, the next key, and the value with its length.
    1 + 32 + 32 + 10 + value_bytes_max
}

/// Where the nodes of the state's tree are, one in 512 of which is read when it is opened. The library's name for it; that it is right is tested.
pub(crate) fn tree_partition(prefix: &str) -> String {
    format!("{prefix}-state-nodes-blobs")
}

/// For how many operations the keys are held in memory while the state under `prefix` is opened, whose log has files of so many `items`.
///
/// An operation that replaces another asks for the key of that one, which may be anywhere in the log: a new entry replaces the one before it in
/// the order of keys. What is not held is read from the disk, page by page. A replaced operation is not held any longer, so there are as many as
/// the state has entries: at most half of all operations ever logged, where every new entry replaces one operation. They are held in sets of 16,
/// the oldest of a full one being dropped, so there is a third more room than that. Each takes 41 bytes until the state is open.
async fn keys_held<E: Storage>(context: &E, prefix: &str, items: NonZeroU64) -> NonZeroUsize {
    // The library's name for it, and for its files their number; that they are right is tested.
    let files = context.scan(&format!("{prefix}-state-log_data")).await.unwrap_or_default();
    let last = files.iter().filter_map(|name| name[..].try_into().ok().map(u64::from_be_bytes)).max();
    let there = files.len() as u64 * items.get();
    let ever = last.map_or(0, |last| last.saturating_add(1).saturating_mul(items.get()));
    // Where there is nothing yet, a state is about to be fetched.
    let held = there.min(ever / 3 * 2).max(items.get() / 2).max(1);
    NonZeroUsize::new(usize::try_from(held).unwrap_or(usize::MAX)).unwrap_or(NonZeroUsize::MIN).min(KEYS_HELD_MAX)
}

/// How the state under `prefix` is opened, by so many `threads`; `items` are the operations in a file of its log, and the nodes in a file of its
/// tree.
pub(crate) async fn config<E: Storage, S: Strategy>(
    context: &E,
    prefix: &str,
    value_bytes_max: usize,
    items: NonZeroU64,
    page_cache: CacheRef,
    threads: NonZeroUsize,
    strategy: S,
) -> StateConfig<S> {
    StateConfig {
        merkle_config: TreeConfig {
            journal_partition: format!("{prefix}-state-nodes"),
            metadata_partition: format!("{prefix}-state-pins"),
            items_per_blob: items,
            write_buffer: NZUsize!(1 << 20),
            replay_buffer: NZUsize!(1 << 20),
            strategy,
            page_cache: page_cache.clone(),
        },
        journal_config: LogConfig {
            partition: format!("{prefix}-state-log"),
            items_per_section: items,
            compression: None,
            codec_config: operation_config(value_bytes_max),
            page_cache,
            write_buffer: NZUsize!(1 << 20),
            replay_buffer: NZUsize!(1 << 20),
        },
        grafted_metadata_partition: format!("{prefix}-state-bitmap"),
        translator: FourCap,
        init_cache: Some(keys_held(context, prefix, items).await),
        init_buffer: NZUsize!(1 << 21),
        init_concurrency: threads,
    }
}

/// What a block writes, on its parent's state. The first block writes the `genesis` state too, where it does not write itself.
pub(crate) async fn write<E, S>(
    mut batch: Batch<E, S>,
    genesis: Option<&BTreeMap<Key, Value>>,
    writes: Writes,
) -> Result<Merkleized<E, S>, ReadError>
where
    E: Context + Spawner,
    S: Strategy,
{
    for (key, value) in genesis.into_iter().flatten() {
        if !writes.contains_key(key) {
            batch = batch.write(Digest(*key), Some(Bytes::from(value.clone())));
        }
    }
    for (key, value) in writes {
        batch = batch.write(Digest(key), value.map(Bytes::from));
    }
    batch.merkleize().await
}

/// What a header says its state can be synced to.
pub(crate) fn sync_target(header: &Header) -> SyncTarget {
    Target::new(Digest(header.sync_root), non_empty_range!(header.sync_start.into(), header.sync_end.into()))
}

/// The value of `key`, absent or present, with the proof that the state's current root commits to it.
pub(crate) async fn prove<E, S>(state: &State<E, S>, key: &Key) -> Result<(Option<Value>, Vec<u8>), ReadError>
where
    E: Context + Spawner,
    S: Strategy,
{
    let key = Digest(*key);
    match state.get(&key).await? {
        Some(value) => {
            let proof = state.key_value_proof(key).await?;
            Ok((Some(value.to_vec()), [&[MEMBERSHIP], &proof.encode()[..]].concat()))
        }
        None => {
            let proof = state.exclusion_proof(&key).await?;
            Ok((None, [&[EXCLUSION], &proof.encode()[..]].concat()))
        }
    }
}

/// Whether `proof` shows that the state with this root holds `value` under `key`, or with `None`, that it holds nothing there.
///
/// A proof of absence contains the neighbouring entry, key and value.
pub fn verify_state_proof(state_root: &[u8; 32], key: &Key, value: Option<&[u8]>, proof: &[u8]) -> bool {
    let (root, key) = (Digest(*state_root), Digest(*key));
    // A value cannot be longer than the proof's own bytes or what is claimed, so no further bound is needed.
    let digests_max = MAX_PROOF_DIGESTS_PER_ELEMENT;
    match (proof.split_first(), value) {
        (Some((&MEMBERSHIP, bytes)), Some(value)) => Membership::decode_cfg(Copying(bytes), &(digests_max, ()))
            .is_ok_and(|proof| proof.verify::<Sha256, VariableEncoding<Bytes>>(key, Bytes::copy_from_slice(value), &root)),
        (Some((&EXCLUSION, bytes)), None) => {
            let any = RangeCfg::new(..=bytes.len());
            Exclusion::decode_cfg(Copying(bytes), &(digests_max, ((), any), any))
                .is_ok_and(|proof| proof.verify::<Sha256>(&key, &root))
        }
        _ => false,
    }
}
