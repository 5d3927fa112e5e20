//! Merkle trees of RFC 9162 §2.1: leaf `SHA-256(0x00 ‖ entry)`, node `SHA-256(0x01 ‖ left ‖ right)`, the empty tree `SHA-256("")`.

use zhulian_crypto::{Digest, sha256, sha256_parts};

/// Hash of a leaf.
pub fn leaf(entry: &[u8]) -> Digest {
    sha256_parts(&[&[0], entry])
}

fn node(left: &Digest, right: &Digest) -> Digest {
    sha256_parts(&[&[1], left, right])
}

/// Root of the tree over `entries`.
pub fn root<T: AsRef<[u8]>>(entries: &[T]) -> Digest {
    root_of_leaves(entries.iter().map(|entry| leaf(entry.as_ref())).collect())
}

/// Root of the tree whose leaf hashes are given.
pub fn root_of_leaves(mut level: Vec<Digest>) -> Digest {
    if level.is_empty() {
        return sha256(b"");
    }
    // A lone last node rises unchanged; that yields the same tree as the standard's split at a power of two.
    while level.len() > 1 {
        level = next(&level);
    }
    level[0]
}

fn next(level: &[Digest]) -> Vec<Digest> {
    level.chunks(2).map(|pair| if let [left, right] = pair { node(left, right) } else { pair[0] }).collect()
}

/// The audit path of leaf `index`, from the leaf's sibling upwards (RFC 9162 §2.1.3.1).
///
/// # Panics
/// When `index` is not in the tree.
pub fn path(leaves: &[Digest], index: usize) -> Vec<Digest> {
    Tree::new(leaves.to_vec()).path(index)
}

/// A whole tree kept in memory, for taking many paths.
pub struct Tree {
    levels: Vec<Vec<Digest>>,
}

impl Tree {
    /// Builds the tree over leaf hashes.
    pub fn new(leaves: Vec<Digest>) -> Self {
        let mut levels = vec![leaves];
        while levels[levels.len() - 1].len() > 1 {
            levels.push(next(&levels[levels.len() - 1]));
        }
        Self { levels }
    }

    /// Its root.
    pub fn root(&self) -> Digest {
        self.levels[self.levels.len() - 1].first().copied().unwrap_or_else(|| sha256(b""))
    }

    /// The audit path of leaf `index`.
    ///
    /// # Panics
    /// When `index` is not in the tree.
    pub fn path(&self, mut index: usize) -> Vec<Digest> {
        assert!(index < self.levels[0].len(), "leaf {index} of {}", self.levels[0].len());
        let mut path = Vec::new();
        for level in &self.levels[..self.levels.len() - 1] {
            if let Some(sibling) = level.get(index ^ 1) {
                path.push(*sibling);
            }
            index >>= 1;
        }
        path
    }
}

/// The root that a leaf at `index` of a tree of `size` leaves and its audit path lead to; `None` when the path has the wrong
/// length or the index is not in the tree (RFC 9162 §2.1.3.2).
pub fn root_from_path(leaf: Digest, index: u64, size: u64, path: &[Digest]) -> Option<Digest> {
    if index >= size {
        return None;
    }
    let (mut first, mut last) = (index, size - 1);
    let mut hash = leaf;
    for sibling in path {
        if last == 0 {
            return None;
        }
        if first & 1 == 1 || first == last {
            hash = node(sibling, &hash);
            while first & 1 == 0 && first != 0 {
                first >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, sibling);
        }
        first >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}
