"""The Merkle code against the public Certificate Transparency vectors (RFC 6962 reference tests)."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qpm_lab.ledger.merkle import Tree, inclusion_path, leaf_hash, node_hash, root_of_path

LEAVES = [
    bytes.fromhex(text)
    for text in ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", bytes(range(96, 112)).hex()]
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
PATHS = [
    (0, 1, []),
    (0, 8, [A, B, C]),
    (5, 8, [D, E, ROOTS[4]]),
    (2, 3, [ROOTS[2]]),
    (1, 5, [ROOTS[1], B, D]),
]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_the_published_ones(size: int) -> None:
    """Every tree of zero to eight leaves has the published root."""
    tree = Tree()
    for leaf in LEAVES[:size]:
        tree.add(leaf)
    assert tree.root().hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size", "path"), PATHS)
def test_inclusion_paths_are_the_published_ones(index: int, size: int, path: list[str]) -> None:
    """The published paths come out, and lead to the published roots."""
    assert [node.hex() for node in inclusion_path(LEAVES, index, size)] == path
    nodes = [bytes.fromhex(node) for node in path]
    root = root_of_path(LEAVES[index], index, size, nodes)
    assert root is not None
    assert root.hex() == ROOTS[size]


def recursive_root(leaves: list[bytes]) -> bytes:
    """MTH as RFC 6962 section 2.1 defines it, slowly."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(recursive_root(leaves[:split]), recursive_root(leaves[split:]))


@given(st.integers(1, 70), st.data())
def test_streaming_agrees_with_the_definition(size: int, data: st.DataObject) -> None:
    """For any size and leaf, root and path agree with the recursive definition, and a wrong leaf fails."""
    leaves = [bytes([number]) for number in range(size)]
    index = data.draw(st.integers(0, size - 1))
    tree = Tree()
    for leaf in leaves:
        tree.add(leaf)
    path = inclusion_path(iter(leaves), index, size)
    assert tree.root() == recursive_root(leaves)
    assert root_of_path(leaves[index], index, size, path) == tree.root()
    assert root_of_path(b"other", index, size, path) != tree.root()


def test_a_path_of_the_wrong_length_leads_nowhere() -> None:
    """Surplus or missing hashes, and leaves outside the tree, prove nothing."""
    path = inclusion_path(LEAVES, 1, 5)
    assert root_of_path(LEAVES[1], 1, 5, path[:-1]) is None
    assert root_of_path(LEAVES[1], 1, 5, [*path, path[0]]) is None
    assert root_of_path(LEAVES[1], 5, 5, path) is None
    assert root_of_path(LEAVES[1], -1, 5, path) is None
