"""The Merkle tree of RFC 6962 section 2.1 (RFC 9162 section 2.1), computed as leaves stream by.

Memory grows with the logarithm of the tree. Hashes are 32 raw bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """The root over all leaves added so far.

    >>> tree = Tree()
    >>> tree.add(b"")
    >>> tree.root().hex()[:8]
    '6e340b9c'
    """

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []
        """Roots of the perfect subtrees of which the tree consists, largest first."""

    def add(self, data: bytes) -> None:
        node, size = leaf_hash(data), self.size
        while size & 1:
            node, size = node_hash(self._peaks.pop(), node), size >> 1
        self._peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        if not self._peaks:
            return hashlib.sha256(b"").digest()
        *rest, node = self._peaks
        for peak in reversed(rest):
            node = node_hash(peak, node)
        return node


def _siblings(index: int, low: int, high: int) -> list[tuple[int, int]]:
    """Leaf ranges whose roots form the inclusion path of a leaf, from the leaf upwards."""
    ranges = []
    while high - low > 1:
        split = low + (1 << (high - low - 1).bit_length() - 1)
        if index < split:
            ranges.append((split, high))
            high = split
        else:
            ranges.append((low, split))
            low = split
    return ranges[::-1]


def inclusion_path(leaves: Iterable[bytes], index: int, size: int) -> tuple[bytes, ...]:
    """PATH(index, D[size]) of RFC 6962 section 2.1.1, in one pass over the leaves.

    Args:
        leaves: The leaves' data, at least `size` of them.
        index: Which leaf, from 0.
        size: How many leaves the tree has.
    """
    ranges = _siblings(index, 0, size)
    subtrees = {low: Tree() for low, _ in ranges}
    ends = dict(ranges)
    current, end = None, -1
    for position, data in enumerate(leaves):
        if position in subtrees:
            current, end = subtrees[position], ends[position]
        if current is not None and position < end:
            current.add(data)
    return tuple(subtrees[low].root() for low, _ in ranges)


def root_of_path(data: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that an inclusion path leads to, or None when its length does not fit (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return None
    ranges = _siblings(index, 0, size)
    if len(ranges) != len(path):
        return None
    node = leaf_hash(data)
    for (low, _), sibling in zip(ranges, path, strict=True):
        node = node_hash(sibling, node) if low < index else node_hash(node, sibling)
    return node
