//! The growing edge of an RFC 6962 Merkle tree: enough to add leaves and to know the root, whatever the size.
//!
//! `naze verify` computes the same roots from all leaves with an independent library.

use sha2::{Digest as _, Sha256};

/// A SHA-256 hash.
pub(super) type Hash = [u8; 32];

/// The roots of the perfect subtrees that make up a tree of `size` leaves, largest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Frontier {
    size: u64,
    roots: Vec<Hash>,
}

impl Frontier {
    /// How many leaves have been added.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf holding `data`.
    pub(super) fn push(&mut self, data: &[u8]) {
        let mut root: Hash = Sha256::new().chain_update([0]).chain_update(data).finalize().into();
        for _ in 0..self.size.trailing_ones() {
            let left = self.roots.pop().expect("a tree has a root for every set bit of its size");
            root = node(&left, &root);
        }
        self.roots.push(root);
        self.size += 1;
    }

    /// The root of the whole tree; the hash of nothing when it is empty.
    pub(super) fn root(&self) -> Hash {
        let mut roots = self.roots.iter().rev();
        match roots.next() {
            Some(last) => roots.fold(*last, |right, left| node(left, &right)),
            None => Sha256::digest([]).into(),
        }
    }

    /// Size and roots as bytes, to be kept beside the leaves.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.size.to_be_bytes().to_vec();
        bytes.extend(self.roots.iter().flatten());
        bytes
    }

    /// What [`Self::to_bytes`] wrote, or `None` if it is damaged.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (size, roots) = bytes.split_first_chunk::<8>()?;
        let size = u64::from_be_bytes(*size);
        let (roots, rest) = roots.as_chunks::<32>();
        (rest.is_empty() && roots.len() == size.count_ones() as usize).then(|| Self { size, roots: roots.to_vec() })
    }
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}
