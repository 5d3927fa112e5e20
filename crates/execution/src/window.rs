//! The replay window: which nonces the last [`VALIDITY_BLOCKS_MAX`] blocks used.
//!
//! In the state it is one entry a block (the ids used) and a digest over them all; so it is authenticated, synced and rebuilt like any
//! state, at one write a block instead of one a transaction. In memory the entries are kept as sets, found by that digest, which names
//! the window's whole content: a fork, a restart or a state sync can never meet a wrong set.

use std::collections::{HashMap, HashSet};

use minicbor::{Decode, Encode};
use zhulian_crypto::{Digest, DigestState, PublicKey, sha256_parts};
use zhulian_ledger::{Key, Loaded, Map};
use zhulian_primitives::{Height, Nonce, VALIDITY_BLOCKS_MAX, codec};

/// What makes a use of a nonce by a key unique: the first 16 bytes of SHA-256 over both.
pub(crate) type UseId = [u8; 16];

/// A set of them.
pub(crate) type UseIds = HashSet<UseId, DigestState>;

pub(crate) fn use_id(signer: &PublicKey, nonce: &Nonce) -> UseId {
    let digest = sha256_parts(&[signer.as_bytes(), nonce]);
    std::array::from_fn(|i| digest[i])
}

/// `transaction/tip`: names the content of the window; written by every block that used a nonce.
pub(crate) const TIP: Map<(), Tip> = Map::new("transaction/tip");
/// `transaction/window/{height mod 1024}`: the nonces used at a height; written by every block that used one.
pub(crate) const WINDOW: Map<u64, Slot> = Map::new("transaction/window");

/// Value of [`TIP`].
#[derive(Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Tip(#[cbor(n(0), with = "minicbor::bytes")] pub(crate) Digest);

/// Value of [`WINDOW`].
#[derive(Encode, Decode)]
pub(crate) struct Slot {
    #[n(0)]
    pub(crate) height: Height,
    /// Use ids, 16 bytes each.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub(crate) ids: Vec<u8>,
}

/// The name of the window that follows `tip` by a block at `height` with these uses.
pub(crate) fn next_tip(tip: Tip, height: Height, ids: &[u8]) -> Tip {
    Tip(sha256_parts(&[&tip.0, &height.to_be_bytes(), ids]))
}

/// State keys of the whole window, for rebuilding it.
pub(crate) fn slot_keys() -> impl Iterator<Item = Key> {
    (0..VALIDITY_BLOCKS_MAX).map(|slot| WINDOW.key(&slot))
}

/// A block that is not yet folded into the base.
struct Recent {
    tip: Tip,
    parent: Tip,
    height: Height,
    ids: UseIds,
}

/// Windows in memory: a base some blocks back, and the few blocks, perhaps forked, on top of it.
#[derive(Default)]
pub(crate) struct Windows {
    base: HashMap<UseId, Height, DigestState>,
    base_tip: Option<Tip>,
    /// Up to where the base forgot what has left the window.
    swept: Height,
    recent: Vec<Recent>,
}

/// Blocks kept apart from the base. Deeper forks than this do not occur with finality; if one did, the window is rebuilt.
const RECENT_MAX: usize = 8;

/// Blocks between two sweeps of the base. What lies in between is not seen any more, as its height tells.
const SWEEP_BLOCKS: u64 = 64;

impl Windows {
    /// The blocks from `tip` down to the base, newest first; `None` if this window is not in memory.
    fn lineage(&self, tip: Tip) -> Option<Vec<&Recent>> {
        let mut lineage = Vec::new();
        let mut at = tip;
        while Some(at) != self.base_tip {
            let recent = self.recent.iter().find(|recent| recent.tip == at)?;
            lineage.push(recent);
            at = recent.parent;
        }
        Some(lineage)
    }

    /// Whether the window named `tip` is in memory.
    pub(crate) fn knows(&self, tip: Tip) -> bool {
        self.lineage(tip).is_some()
    }

    /// Which of `ids` the window named `tip` has seen, as of a block at `height`.
    pub(crate) fn seen(&self, tip: Tip, height: Height, ids: &[UseId]) -> Vec<bool> {
        let lineage = self.lineage(tip).expect("asked only for a known window");
        let live = |at: &Height| at + VALIDITY_BLOCKS_MAX >= height;
        // Age counts for recent blocks, too: empty blocks are not among them, so that they may lie far back.
        let recent: Vec<&UseIds> = lineage.iter().filter(|r| live(&r.height)).map(|r| &r.ids).collect();
        ids.iter().map(|id| self.base.get(id).is_some_and(live) || recent.iter().any(|ids| ids.contains(id))).collect()
    }

    /// Replaces everything by the window in `loaded`, which holds all slots.
    pub(crate) fn rebuild(&mut self, tip: Tip, loaded: &Loaded) {
        *self = Self { base_tip: Some(tip), ..Self::default() };
        let slots = slot_keys().filter_map(|key| loaded.get(&key).cloned().flatten());
        let mut blocks: Vec<(Height, Vec<UseId>)> = slots
            .map(|value| {
                let slot: Slot = codec::from_bytes(&value).expect("a window slot decodes");
                let ids = slot.ids.chunks_exact(16).map(|id| std::array::from_fn(|i| id[i])).collect();
                (slot.height, ids)
            })
            .collect();
        blocks.sort_unstable();
        for (height, ids) in blocks {
            self.fold(height, ids.into_iter());
        }
    }

    /// Adds the window after a block; the same block may be added again.
    pub(crate) fn add(&mut self, parent: Tip, tip: Tip, height: Height, ids: UseIds) {
        if self.knows(tip) {
            return;
        }
        self.recent.push(Recent { tip, parent, height, ids });
        while let Some(oldest) = self.lineage(tip).filter(|l| l.len() > RECENT_MAX).and_then(|l| l.last().map(|r| r.tip)) {
            let index = self.recent.iter().position(|recent| recent.tip == oldest).expect("it is in the lineage");
            let folded = self.recent.swap_remove(index);
            self.base_tip = Some(folded.tip);
            self.fold(folded.height, folded.ids.into_iter());
            self.drop_orphans();
        }
    }

    fn fold(&mut self, height: Height, ids: impl Iterator<Item = UseId>) {
        self.base.extend(ids.map(|id| (id, height)));
        if height >= self.swept + SWEEP_BLOCKS {
            self.swept = height;
            self.base.retain(|_, at| *at + VALIDITY_BLOCKS_MAX >= height);
        }
    }

    /// Drops blocks on forks that left the chain below the base.
    fn drop_orphans(&mut self) {
        loop {
            let tips: Vec<Tip> = self.recent.iter().map(|recent| recent.tip).chain(self.base_tip).collect();
            let before = self.recent.len();
            self.recent.retain(|recent| tips.contains(&recent.parent));
            if self.recent.len() == before {
                return;
            }
        }
    }
}
