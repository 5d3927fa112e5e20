//! Where finalised blocks and certificates are kept: for good, or until they are in the cold archive.

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
    archive::{self, Identifier},
};
use zhulian_primitives::VALIDATORS_MAX;

use crate::{
    Limits, Storage,
    block::Sealed,
    certificate::Finalization,
    chain::Chain,
    cold::retention::{self, Retention},
    hot::{self, Hot, copy},
};

/// Heights whose stored block or certificate could not be read.
#[derive(Clone, Default)]
pub(crate) struct Damage(Arc<Mutex<BTreeSet<String>>>);

impl Damage {
    /// Notes that something at a place cannot be read, and why.
    pub fn note(&self, place: String, error: &dyn std::error::Error) {
        tracing::error!(%place, error = %error, "stored data is corrupt and will not be served");
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
    retention: Retention,
}

impl Guard {
    /// Whoever wants to prune, only what is in the cold archive goes.
    fn allowed(&self, min: Height) -> u64 {
        min.get().min(self.retention.floor())
    }

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

pub(crate) type BlockArchive<E> = Guarded<Hot<E, Arc<Sealed>>>;
pub(crate) type CertificateArchive<E> = Guarded<Hot<E, Finalization>>;

/// What both archives of a node need.
pub(crate) struct Opening<'a> {
    pub page_cache: &'a CacheRef,
    pub storage: Storage,
    pub limits: Limits,
}

impl Opening<'_> {
    /// How an archive is made.
    pub fn config<C>(&self, prefix: &str, name: &str, codec: C) -> hot::Config<C> {
        hot::Config {
            name: format!("{prefix}-{name}"),
            page_cache: self.page_cache.clone(),
            codec,
            section: self.storage.section_blocks,
        }
    }
}

/// Opens the archives of certificates and blocks; `number` is the prefix's in the [retention's store](retention::Store).
pub(crate) async fn open<E: Context>(
    context: &E,
    prefix: &str,
    number: u64,
    opening: &Opening<'_>,
    retained: &mut retention::Store<E>,
    damage: &Damage,
    chain: &Arc<Chain>,
) -> Result<(CertificateArchive<E>, BlockArchive<E>), archive::Error> {
    let child = |label| context.child(label).with_attribute("archive", prefix);
    let blocks = opening.config(prefix, "blocks", opening.limits);
    let certificates = opening.config(prefix, "certificates", VALIDATORS_MAX);
    let begin = match retained.begin(number) {
        Some(begin) => begin,
        // On the first start with a retention, what is there stays as it is.
        None => {
            let mut begin = Hot::<_, Arc<Sealed>>::begin(child("blocks"), &blocks).await?;
            begin = begin.max(Hot::<_, Finalization>::begin(child("certificates"), &certificates).await?);
            retained.set_begin(number, begin).await;
            begin
        }
    };
    let retention = retained.retention();
    let floor = retention.floor();
    let blocks = Hot::open(child("blocks"), &blocks, begin, floor).await?;
    let certificates = Hot::open(child("certificates"), &certificates, begin, floor).await?;
    let guard = |what| Guard { what, damage: damage.clone(), chain: chain.clone(), retention: retention.clone() };
    Ok((Guarded { inner: certificates, guard: guard("certificate") }, Guarded { inner: blocks, guard: guard("block") }))
}

impl<E: Context> Certificates for CertificateArchive<E> {
    type BlockDigest = Digest;
    type Commitment = Digest;
    type Scheme = Scheme;
    type Error = archive::Error;

    async fn put(self, height: Height, digest: Digest, finalization: &Finalization) -> Result<Self, Self::Error> {
        let Self { inner, guard } = self;
        Ok(Self { inner: inner.put(height.get(), digest, finalization).await?, guard })
    }

    async fn sync(self) -> Result<Self, Self::Error> {
        let Self { inner, guard } = self;
        Ok(Self { inner: inner.sync().await?, guard })
    }

    async fn start_sync(self) -> Result<(Self, Handle<()>), Self::Error> {
        let Self { inner, guard } = self;
        let (inner, handle) = inner.start_sync().await?;
        Ok((Self { inner, guard }, handle))
    }

    async fn get(&self, id: Identifier<'_, Digest>) -> Result<Option<SimplexFinalization<Scheme, Digest>>, Self::Error> {
        let read = self.inner.get(copy(&id)).await;
        self.guard.check(&id, read)
    }

    async fn has(&self, height: Height) -> Result<bool, Self::Error> {
        self.inner.has(height.get()).await
    }

    async fn prune(self, min: Height) -> Result<Self, Self::Error> {
        let Self { inner, guard } = self;
        let min = guard.allowed(min);
        Ok(Self { inner: inner.prune(min).await?, guard })
    }

    fn last_index(&self) -> Option<Height> {
        self.inner.last_index().map(Height::new)
    }

    fn ranges_from(&self, from: Height) -> impl Iterator<Item = (Height, Height)> {
        self.inner.ranges_from(from.get()).map(|(begin, end)| (Height::new(begin), Height::new(end)))
    }
}

impl<E: Context> Blocks for BlockArchive<E> {
    type Block = Arc<Sealed>;
    type Error = archive::Error;

    async fn put(self, digest: Digest, block: &Arc<Sealed>) -> Result<Self, Self::Error> {
        let Self { inner, guard } = self;
        Ok(Self { inner: inner.put(block.header().height, digest, block).await?, guard })
    }

    async fn sync(self) -> Result<Self, Self::Error> {
        #[cfg(feature = "seeded-bugs")]
        if crate::seeded::has(crate::seeded::Bug::UnsyncedArchive) {
            return Ok(self);
        }
        let Self { inner, guard } = self;
        Ok(Self { inner: inner.sync().await?, guard })
    }

    async fn start_sync(self) -> Result<(Self, Handle<()>), Self::Error> {
        #[cfg(feature = "seeded-bugs")]
        if crate::seeded::has(crate::seeded::Bug::UnsyncedArchive) {
            return Ok((self, Handle::ready(Ok(()))));
        }
        let Self { inner, guard } = self;
        let (inner, handle) = inner.start_sync().await?;
        Ok((Self { inner, guard }, handle))
    }

    async fn get(&self, id: Identifier<'_, Digest>) -> Result<Option<Arc<Sealed>>, Self::Error> {
        let read = self.inner.get(copy(&id)).await;
        self.guard.check(&id, read)
    }

    async fn prune(self, min: Height) -> Result<Self, Self::Error> {
        let Self { inner, guard } = self;
        let min = guard.allowed(min);
        Ok(Self { inner: inner.prune(min).await?, guard })
    }

    fn missing_items(&self, start: Height, max: usize) -> Vec<Height> {
        self.inner.missing_items(start.get(), max).into_iter().map(Height::new).collect()
    }

    fn next_gap(&self, value: Height) -> (Option<Height>, Option<Height>) {
        let (end, next) = self.inner.next_gap(value.get());
        (end.map(Height::new), next.map(Height::new))
    }

    fn last_index(&self) -> Option<Height> {
        self.inner.last_index().map(Height::new)
    }
}
