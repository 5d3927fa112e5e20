//! The authenticated state: qmdb `current`, ordered, with values of variable size.

use std::collections::BTreeMap;

use bytes::Bytes;
use commonware_codec::{Copying, Decode as _, Encode as _, RangeCfg};
use commonware_cryptography::{Sha256, sha256::Digest};
use commonware_glue::stateful::db::{DatabaseSet, Shared, Unmerkleized as _};
use commonware_parallel::Strategy;
use commonware_runtime::{Spawner, buffer::paged::CacheRef};
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
            ordered::{
                proof::constant::{ExclusionProof, KeyValueProof},
                variable::Db,
            },
        },
        sync::Target,
    },
    translator::EightCap,
};
use commonware_utils::{NZU64, NZUsize, non_empty_range};
use zhulian_ledger::{Key, Value, Writes};
use zhulian_primitives::Header;

use crate::Storage;

/// Bytes of a chunk of the activity bitmap.
const CHUNK: usize = 32;

pub(crate) type Family = mmr::Family;
pub(crate) type State<E, S> = Db<Family, E, Digest, Bytes, Sha256, EightCap, CHUNK, S>;
pub(crate) type Operation = AnyOperation<Family, Digest, Bytes>;
pub(crate) type OperationConfig = ((), RangeCfg<usize>);
pub(crate) type StateConfig<S> = VariableConfig<EightCap, OperationConfig, S>;
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

pub(crate) fn config<S: Strategy>(
    prefix: &str,
    value_bytes_max: usize,
    storage: &Storage,
    page_cache: CacheRef,
    strategy: S,
) -> StateConfig<S> {
    // Operations in a file of the log, and nodes in a file of its tree.
    let items = NZU64!(storage.state_file_operations.max(1));
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
        translator: EightCap,
        init_cache: Some(NZUsize!(1 << 16)),
        init_buffer: NZUsize!(1 << 21),
        init_concurrency: (),
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
