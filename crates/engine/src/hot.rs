//! A node's own store of finalised blocks or certificates, by height and digest.
//!
//! Without a retention it is one store for good, whose restart and memory do not depend on how much it holds, but from which nothing can be
//! taken away. From the first start with a retention on, what is new goes to a second store of sections that can be dropped; the first goes as a
//! whole, once all of it may.

use std::num::NonZeroU64;

use commonware_codec::CodecShared;
use commonware_cryptography::sha256::Digest;
use commonware_runtime::{Error as StorageError, Handle, buffer::paged::CacheRef};
use commonware_storage::{
    Context,
    archive::{Archive as _, Error, Identifier, immutable, prunable},
    translator::EightCap,
};
use commonware_utils::{NZU64, NZUsize};

/// The files of the first store.
const PARTS: [&str; 5] = ["metadata", "table", "key", "value", "ordinal"];

type First<E, V> = immutable::Archive<E, Digest, V>;
type Rest<E, V> = prunable::Archive<EightCap, E, Digest, V>;

/// How a store is made.
#[derive(Clone)]
pub(crate) struct Config<C> {
    /// What the names of its files begin with.
    pub name: String,
    pub page_cache: CacheRef,
    pub codec: C,
    /// Heights in a section of the second store.
    pub section: NonZeroU64,
}

fn first_config<C: Clone>(config: &Config<C>) -> immutable::Config<C> {
    let partition = |part: &str| format!("{}-{part}", config.name);
    immutable::Config {
        metadata_partition: partition(PARTS[0]),
        freezer_table_partition: partition(PARTS[1]),
        freezer_table_initial_size: 1 << 14,
        freezer_table_resize_frequency: 4,
        freezer_table_resize_chunk_size: 1 << 10,
        freezer_key_partition: partition(PARTS[2]),
        freezer_key_page_cache: config.page_cache.clone(),
        freezer_value_partition: partition(PARTS[3]),
        freezer_value_target_size: 256 << 20,
        freezer_value_compression: None,
        ordinal_partition: partition(PARTS[4]),
        items_per_section: NZU64!(1 << 16),
        freezer_key_write_buffer: NZUsize!(64 << 10),
        freezer_value_write_buffer: NZUsize!(1 << 20),
        ordinal_write_buffer: NZUsize!(64 << 10),
        replay_buffer: NZUsize!(1 << 20),
        codec_config: config.codec.clone(),
    }
}

fn rest_config<C: Clone>(config: &Config<C>) -> prunable::Config<EightCap, C> {
    let partition = |part: &str| format!("{}-recent-{part}", config.name);
    prunable::Config {
        translator: EightCap,
        metadata_partition: partition("metadata"),
        key_partition: partition("key"),
        key_page_cache: config.page_cache.clone(),
        value_partition: partition("value"),
        compression: None,
        codec_config: config.codec.clone(),
        items_per_section: config.section,
        key_write_buffer: NZUsize!(64 << 10),
        value_write_buffer: NZUsize!(1 << 20),
        replay_buffer: NZUsize!(1 << 20),
    }
}

/// The store.
pub(crate) struct Hot<E: Context, V: CodecShared> {
    context: E,
    name: String,
    /// All heights below `begin`.
    first: Option<First<E, V>>,
    /// All from there on.
    rest: Option<Rest<E, V>>,
    begin: u64,
    /// Whether the first has writes that are not flushed. It is only asked beside the second, for a gap from before.
    is_gap_open: bool,
}

impl<E: Context, V: CodecShared> Hot<E, V> {
    /// Opens a store for good.
    pub async fn whole(context: E, config: &Config<V::Cfg>) -> Result<Self, Error>
    where
        V::Cfg: Clone,
    {
        let first = immutable::Archive::init(context.child("whole"), first_config(config)).await?;
        Ok(Self { context, name: config.name.clone(), first: Some(first), rest: None, begin: u64::MAX, is_gap_open: false })
    }

    /// Where the second store has to begin: behind what the first has, or at once when that is nothing but genesis, which is made anew.
    pub async fn begin(context: E, config: &Config<V::Cfg>) -> Result<u64, Error>
    where
        V::Cfg: Clone,
    {
        match context.scan(&format!("{}-{}", config.name, PARTS[0])).await {
            Ok(_) => {
                let last = Self::whole(context, config).await?.last_index().unwrap_or(0);
                Ok(if last == 0 { 0 } else { last + 1 })
            }
            Err(StorageError::PartitionMissing(_)) => Ok(0),
            Err(error) => Err(commonware_storage::journal::Error::Runtime(error).into()),
        }
    }

    /// Opens a store that holds heights below `begin` until the `floor` is there, and later ones as long as they are not pruned.
    pub async fn open(context: E, config: &Config<V::Cfg>, begin: u64, floor: u64) -> Result<Self, Error>
    where
        V::Cfg: Clone,
    {
        if begin == u64::MAX {
            return Self::whole(context, config).await;
        }
        let rest = Some(prunable::Archive::init(context.child("recent"), rest_config(config)).await?);
        let mut store = Self { context, name: config.name.clone(), first: None, rest, begin, is_gap_open: false };
        if floor >= begin {
            store.remove_first().await?;
        } else {
            let first = immutable::Archive::init(store.context.child("whole"), first_config(config)).await?;
            store.first = Some(first);
        }
        Ok(store)
    }

    async fn remove_first(&mut self) -> Result<(), Error> {
        self.first = None;
        for part in PARTS {
            match self.context.remove(&format!("{}-{part}", self.name), None).await {
                Ok(()) | Err(StorageError::PartitionMissing(_)) => {}
                Err(error) => return Err(commonware_storage::journal::Error::Runtime(error).into()),
            }
        }
        Ok(())
    }

    pub async fn put(mut self, height: u64, digest: Digest, value: &V) -> Result<Self, Error> {
        if height < self.begin {
            if let Some(first) = self.first.take() {
                self.first = Some(first.put(height, digest, value).await?);
                self.is_gap_open = true;
            }
        } else if let Some(rest) = self.rest.take() {
            self.rest = Some(rest.put(height, digest, value).await?);
        }
        Ok(self)
    }

    pub async fn sync(mut self) -> Result<Self, Error> {
        self = self.sync_first().await?;
        if let Some(rest) = self.rest.take() {
            self.rest = Some(rest.sync().await?);
        }
        Ok(self)
    }

    async fn sync_first(mut self) -> Result<Self, Error> {
        if (self.rest.is_none() || self.is_gap_open)
            && let Some(first) = self.first.take()
        {
            self.first = Some(first.sync().await?);
            self.is_gap_open = false;
        }
        Ok(self)
    }

    pub async fn start_sync(mut self) -> Result<(Self, Handle<()>), Error> {
        let Some(rest) = self.rest.take() else {
            let Some(first) = self.first.take() else { return Ok((self, Handle::ready(Ok(())))) };
            let (first, handle) = first.start_sync().await?;
            self.first = Some(first);
            return Ok((self, handle));
        };
        self = self.sync_first().await?;
        let (rest, handle) = rest.start_sync().await?;
        self.rest = Some(rest);
        Ok((self, handle))
    }

    pub async fn get(&self, id: Identifier<'_, Digest>) -> Result<Option<V>, Error> {
        let (first, rest) = match id {
            Identifier::Index(height) if height < self.begin => (true, false),
            Identifier::Index(_) => (false, true),
            Identifier::Key(_) => (true, true),
        };
        if rest && let Some(store) = &self.rest {
            let found = store.get(copy(&id)).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        match &self.first {
            Some(store) if first => store.get(id).await,
            _ => Ok(None),
        }
    }

    pub async fn has(&self, height: u64) -> Result<bool, Error> {
        let id = Identifier::Index(height);
        match (&self.first, &self.rest) {
            (Some(first), _) if height < self.begin => first.has(id).await,
            (_, Some(rest)) if height >= self.begin => rest.has(id).await,
            _ => Ok(false),
        }
    }

    /// Drops what is below `min`, as far as whole sections are.
    pub async fn prune(mut self, min: u64) -> Result<Self, Error> {
        let Some(rest) = self.rest.take() else { return Ok(self) };
        self.rest = Some(rest.prune(min).await?);
        if min >= self.begin && self.first.is_some() {
            self.remove_first().await?;
        }
        Ok(self)
    }

    pub fn last_index(&self) -> Option<u64> {
        let rest = self.rest.as_ref().and_then(|rest| rest.last_index());
        rest.or_else(|| self.first.as_ref().and_then(|first| first.last_index()))
    }

    /// Runs of heights that overlap or follow `from`, inclusive; where the two stores meet one may follow at once on another.
    pub fn ranges_from(&self, from: u64) -> impl Iterator<Item = (u64, u64)> {
        let first = self.first.iter().flat_map(move |first| first.ranges_from(from));
        first.chain(self.rest.iter().flat_map(move |rest| rest.ranges_from(from)))
    }

    /// The end of the run with `height`, and the beginning of the next run.
    pub fn next_gap(&self, height: u64) -> (Option<u64>, Option<u64>) {
        let mut within: Option<u64> = None;
        for (begin, end) in self.ranges_from(height) {
            if begin > within.map_or(height, |within| within + 1) {
                return (within, Some(begin));
            }
            within = Some(end);
        }
        (within, None)
    }

    /// Up to `max` heights from `start` on that are missing between those that are there.
    pub fn missing_items(&self, start: u64, max: usize) -> Vec<u64> {
        let mut missing = Vec::new();
        let mut expected = start;
        for (begin, end) in self.ranges_from(start) {
            missing.extend((expected..begin).take(max - missing.len()));
            if missing.len() == max {
                break;
            }
            expected = expected.max(end + 1);
        }
        missing
    }
}

/// The library's identifiers cannot be cloned.
pub(crate) fn copy<'a>(id: &Identifier<'a, Digest>) -> Identifier<'a, Digest> {
    match id {
        Identifier::Index(height) => Identifier::Index(*height),
        Identifier::Key(digest) => Identifier::Key(digest),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use commonware_runtime::{Runner as _, Supervisor as _, deterministic};
    use commonware_utils::NZU16;

    use super::*;

    fn config() -> Config<()> {
        let page_cache = CacheRef::new(NZU16!(1_024), NZUsize!(16));
        Config { name: "blocks".into(), page_cache, codec: (), section: NZU64!(4) }
    }

    fn digest(height: u64) -> Digest {
        Digest(zhulian_crypto::sha256(&height.to_be_bytes()))
    }

    /// What a plain set says of a gap.
    fn gap(set: &BTreeSet<u64>, height: u64) -> (Option<u64>, Option<u64>) {
        let end = set.contains(&height).then(|| (height..).find(|at| !set.contains(&(at + 1))).unwrap());
        (end, set.range(end.map_or(height, |end| end + 1)..).next().copied())
    }

    async fn agrees(store: &Hot<deterministic::Context, u64>, set: &BTreeSet<u64>) {
        assert_eq!(store.last_index(), set.last().copied());
        let missing: Vec<u64> = (1..set.last().copied().unwrap_or(1)).filter(|at| !set.contains(at)).collect();
        for height in 0..40 {
            assert_eq!(store.next_gap(height), gap(set, height), "at {height} of {set:?}");
            assert_eq!(store.has(height).await.unwrap(), set.contains(&height));
            let value = set.contains(&height).then_some(height * 7);
            assert_eq!(store.get(Identifier::Index(height)).await.unwrap(), value);
            assert_eq!(store.get(Identifier::Key(&digest(height))).await.unwrap(), value);
            let from: Vec<u64> = missing.iter().copied().filter(|at| *at >= height.max(1)).take(3).collect();
            assert_eq!(store.missing_items(height.max(1), 3), from, "from {height} of {set:?}");
        }
    }

    #[test]
    fn two_stores_are_as_one_and_the_first_goes_when_all_of_it_may() {
        deterministic::Runner::default().start(|context| async move {
            let config = config();
            let mut set = BTreeSet::new();
            let mut store = Hot::whole(context.child("a"), &config).await.unwrap();
            for height in [1, 2, 3, 4, 5, 7, 8, 9, 10] {
                store = store.put(height, digest(height), &(height * 7)).await.unwrap();
                set.insert(height);
            }
            agrees(&store, &set).await;
            drop(store.sync().await.unwrap());

            let begin = Hot::<_, u64>::begin(context.child("b"), &config).await.unwrap();
            assert_eq!(begin, 11);
            let mut store = Hot::open(context.child("c"), &config, begin, 1).await.unwrap();
            for height in [6, 11, 12, 13, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25] {
                store = store.put(height, digest(height), &(height * 7)).await.unwrap();
                set.insert(height);
                agrees(&store, &set).await;
            }
            let (store, synced) = store.start_sync().await.unwrap();
            synced.await.unwrap();
            // A part of the first may go, but it goes as a whole.
            let store = store.prune(9).await.unwrap();
            agrees(&store, &set).await;
            let store = store.prune(18).await.unwrap();
            set = set.split_off(&16);
            agrees(&store, &set).await;
            drop(store.sync().await.unwrap());
            let store = Hot::open(context.child("d"), &config, begin, 18).await.unwrap();
            agrees(&store, &set).await;
        });
    }
}
