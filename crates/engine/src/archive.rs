//! Where finalised blocks and certificates are kept for good.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use commonware_consensus::{
    marshal::store::{Blocks, Certificates},
    simplex::{scheme::ed25519::Scheme, types::Finalization as SimplexFinalization},
    types::Height,
};
use commonware_cryptography::sha256::Digest;
use commonware_runtime::{Handle, buffer::paged::CacheRef};
use commonware_storage::{
    Context,
    archive::{self, Identifier, immutable},
};
use commonware_utils::{NZU64, NZUsize};
use zhulian_primitives::VALIDATORS_MAX;

use crate::{Limits, block::Sealed, certificate::Finalization, chain::Chain};

/// Heights whose stored block or certificate could not be read.
#[derive(Clone, Default)]
pub(crate) struct Damage(Arc<Mutex<BTreeSet<String>>>);

impl Damage {
    fn note(&self, place: String, error: &archive::Error) {
        tracing::error!(%place, %error, "stored data is corrupt and will not be served");
        self.0.lock().expect("never panics while held").insert(place);
    }

    /// Whether something at this place was found damaged.
    pub fn contains(&self, place: &str) -> bool {
        self.0.lock().expect("never panics while held").contains(place)
    }

    /// All damaged places.
    pub fn places(&self) -> Vec<String> {
        self.0.lock().expect("never panics while held").iter().cloned().collect()
    }
}

/// How a place is named.
pub(crate) fn place(what: &str, height: u64) -> String {
    format!("{what} {height}")
}

/// An archive that treats what it cannot read as absent and remembers it, so that an old damaged record neither takes the node
/// down nor reaches anybody. A block that is still to be executed is needed, and its loss stops the node.
pub(crate) struct Guarded<A> {
    inner: A,
    guard: Guard,
}

#[derive(Clone)]
struct Guard {
    what: &'static str,
    damage: Damage,
    chain: Arc<Chain>,
}

impl Guard {
    fn check<T>(
        &self,
        id: &Identifier<'_, Digest>,
        read: Result<Option<T>, archive::Error>,
    ) -> Result<Option<T>, archive::Error> {
        let error = match read {
            Ok(read) => return Ok(read),
            Err(error) => error,
        };
        let name = match id {
            Identifier::Index(height) => height.to_string(),
            Identifier::Key(digest) => digest.to_string(),
        };
        self.damage.note(format!("{} {name}", self.what), &error);
        match id {
            Identifier::Index(height) if self.chain.height().is_some_and(|tip| *height > tip) => {
                panic!(
                    "block {height} is corrupt before it was executed ({error}); restore or wipe this node's directory to sync again"
                )
            }
            _ => Ok(None),
        }
    }
}

fn copy<'a>(id: &Identifier<'a, Digest>) -> Identifier<'a, Digest> {
    match id {
        Identifier::Index(height) => Identifier::Index(*height),
        Identifier::Key(digest) => Identifier::Key(digest),
    }
}

/// Configuration of an archive.
pub(crate) fn config<C>(prefix: &str, name: &str, page_cache: CacheRef, codec_config: C) -> immutable::Config<C> {
    let partition = |part: &str| format!("{prefix}-{name}-{part}");
    immutable::Config {
        metadata_partition: partition("metadata"),
        freezer_table_partition: partition("table"),
        freezer_table_initial_size: 1 << 14,
        freezer_table_resize_frequency: 4,
        freezer_table_resize_chunk_size: 1 << 10,
        freezer_key_partition: partition("key"),
        freezer_key_page_cache: page_cache,
        freezer_value_partition: partition("value"),
        freezer_value_target_size: 256 << 20,
        freezer_value_compression: None,
        ordinal_partition: partition("ordinal"),
        items_per_section: NZU64!(1 << 16),
        freezer_key_write_buffer: NZUsize!(64 << 10),
        freezer_value_write_buffer: NZUsize!(1 << 20),
        ordinal_write_buffer: NZUsize!(64 << 10),
        replay_buffer: NZUsize!(1 << 20),
        codec_config,
    }
}

pub(crate) type BlockArchive<E> = Guarded<immutable::Archive<E, Digest, Arc<Sealed>>>;
pub(crate) type CertificateArchive<E> = Guarded<immutable::Archive<E, Digest, Finalization>>;

/// Opens both archives.
#[allow(clippy::too_many_arguments)]
pub(crate) async fn open<E: Context>(
    context: &E,
    prefix: &str,
    page_cache: &CacheRef,
    limits: Limits,
    damage: &Damage,
    chain: &Arc<Chain>,
) -> Result<(CertificateArchive<E>, BlockArchive<E>), archive::Error> {
    let certificates = immutable::Archive::init(
        context.child("certificates").with_attribute("archive", prefix),
        config(prefix, "certificates", page_cache.clone(), VALIDATORS_MAX),
    )
    .await?;
    let blocks = immutable::Archive::init(
        context.child("blocks").with_attribute("archive", prefix),
        config(prefix, "blocks", page_cache.clone(), limits),
    )
    .await?;
    let guard = |what| Guard { what, damage: damage.clone(), chain: chain.clone() };
    Ok((Guarded { inner: certificates, guard: guard("certificate") }, Guarded { inner: blocks, guard: guard("block") }))
}

impl<E: Context> Certificates for CertificateArchive<E> {
    type BlockDigest = Digest;
    type Commitment = Digest;
    type Scheme = Scheme;
    type Error = archive::Error;

    async fn put(self, height: Height, digest: Digest, finalization: &Finalization) -> Result<Self, Self::Error> {
        let Self { inner, guard } = self;
        Ok(Self { inner: Certificates::put(inner, height, digest, finalization).await?, guard })
    }

    async fn sync(self) -> Result<Self, Self::Error> {
        let Self { inner, guard } = self;
        Ok(Self { inner: Certificates::sync(inner).await?, guard })
    }

    async fn start_sync(self) -> Result<(Self, Handle<()>), Self::Error> {
        let Self { inner, guard } = self;
        let (inner, handle) = Certificates::start_sync(inner).await?;
        Ok((Self { inner, guard }, handle))
    }

    async fn get(&self, id: Identifier<'_, Digest>) -> Result<Option<SimplexFinalization<Scheme, Digest>>, Self::Error> {
        let read = Certificates::get(&self.inner, copy(&id)).await;
        self.guard.check(&id, read)
    }

    async fn has(&self, height: Height) -> Result<bool, Self::Error> {
        Certificates::has(&self.inner, height).await
    }

    async fn prune(self, min: Height) -> Result<Self, Self::Error> {
        let Self { inner, guard } = self;
        Ok(Self { inner: Certificates::prune(inner, min).await?, guard })
    }

    fn last_index(&self) -> Option<Height> {
        Certificates::last_index(&self.inner)
    }

    fn ranges_from(&self, from: Height) -> impl Iterator<Item = (Height, Height)> {
        Certificates::ranges_from(&self.inner, from)
    }
}

impl<E: Context> Blocks for BlockArchive<E> {
    type Block = Arc<Sealed>;
    type Error = archive::Error;

    async fn put(self, digest: Digest, block: &Arc<Sealed>) -> Result<Self, Self::Error> {
        let Self { inner, guard } = self;
        Ok(Self { inner: Blocks::put(inner, digest, block).await?, guard })
    }

    async fn sync(self) -> Result<Self, Self::Error> {
        #[cfg(feature = "seeded-bugs")]
        if crate::seeded::has(crate::seeded::Bug::UnsyncedArchive) {
            return Ok(self);
        }
        let Self { inner, guard } = self;
        Ok(Self { inner: Blocks::sync(inner).await?, guard })
    }

    async fn start_sync(self) -> Result<(Self, Handle<()>), Self::Error> {
        #[cfg(feature = "seeded-bugs")]
        if crate::seeded::has(crate::seeded::Bug::UnsyncedArchive) {
            return Ok((self, Handle::ready(Ok(()))));
        }
        let Self { inner, guard } = self;
        let (inner, handle) = Blocks::start_sync(inner).await?;
        Ok((Self { inner, guard }, handle))
    }

    async fn get(&self, id: Identifier<'_, Digest>) -> Result<Option<Arc<Sealed>>, Self::Error> {
        let read = Blocks::get(&self.inner, copy(&id)).await;
        self.guard.check(&id, read)
    }

    async fn prune(self, min: Height) -> Result<Self, Self::Error> {
        let Self { inner, guard } = self;
        Ok(Self { inner: Blocks::prune(inner, min).await?, guard })
    }

    fn missing_items(&self, start: Height, max: usize) -> Vec<Height> {
        Blocks::missing_items(&self.inner, start, max)
    }

    fn next_gap(&self, value: Height) -> (Option<Height>, Option<Height>) {
        Blocks::next_gap(&self.inner, value)
    }

    fn last_index(&self) -> Option<Height> {
        Blocks::last_index(&self.inner)
    }
}
