"""Signed checkpoints over the whole ledger, and proofs that one entry is under such a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from qpm_lab.errors import InputError, IntegrityError, LedgerError
from qpm_lab.ledger import reading, signing
from qpm_lab.ledger.canonical import entry_digest, payload_text
from qpm_lab.ledger.chain import entry_of
from qpm_lab.ledger.merkle import Tree, inclusion_path, root_of_path
from qpm_lab.ledger.rows import Entry
from qpm_lab.ledger.schema import entries


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """That an entry is in the tree a checkpoint signs; checked by `verify_inclusion` without the ledger."""

    seq: int
    digest: str
    path: tuple[str, ...]
    """Sibling hashes from the leaf upwards, in hex; RFC 6962 section 2.1.1."""
    checkpoint: str

    def to_dict(self) -> dict[str, Any]:
        return {
            "seq": self.seq,
            "digest": self.digest,
            "path": list(self.path),
            "checkpoint": self.checkpoint,
        }


def key_recorded(connection: sa.Connection, home: Path) -> bool:
    """Whether an entry names the public half of this home's key; not so after the key file was replaced."""
    public = signing.encode_key(signing.public_bytes(signing.load_key(home)))
    query = sa.select(entries).where(entries.c.event.in_(["ledger.created", "ledger.key_added"]))
    rows = connection.execute(query).mappings()
    return any(entry_of(row).payload.get("public_key") == public for row in rows)


def checkpoint(connection: sa.Connection, home: Path) -> str:
    """Signs the tree over all entries.

    Raises:
        IntegrityError: entries are missing, or the first is not that of a ledger.
    """
    tree = Tree()
    for leaf in reading.digests(connection):
        tree.add(leaf)
    if tree.size != reading.end(connection)[0]:
        raise IntegrityError("The ledger has lost entries.", "Run `qpm ledger verify` to see which.")
    origin = reading.entry(connection, 1).payload.get("origin")
    if not isinstance(origin, str):
        raise IntegrityError("The first entry does not name the ledger.", "Run `qpm ledger verify`.")
    return signing.sign(origin, tree.size, tree.root(), signing.load_key(home))


def prove(connection: sa.Connection, home: Path, seq: int) -> InclusionProof:
    """Makes the proof for one entry, under a checkpoint of this moment."""
    entry = reading.entry(connection, seq)
    note = checkpoint(connection, home)
    size = signing.read_note(note).size
    path = inclusion_path(islice(reading.digests(connection), size), seq - 1, size)
    return InclusionProof(seq, entry.digest, tuple(node.hex() for node in path), note)


def verify_inclusion(entry: Entry, proof: InclusionProof, public_key: bytes) -> bool:
    """True when this very entry is in the tree that the proof's checkpoint signs.

    Needs neither the ledger nor its machine.

    Args:
        entry: The entry, from anywhere.
        proof: What `Ledger.prove` gave.
        public_key: The ledger's public key: 32 raw bytes, base64 of them, or PEM.
    """
    try:
        note = signing.read_note(proof.checkpoint)
        text = payload_text(entry.payload)
        path = [bytes.fromhex(node) for node in proof.path]
    except (InputError, LedgerError, ValueError):
        return False
    digest = entry_digest(
        seq=entry.seq,
        at=entry.at,
        event=entry.event,
        job_id=entry.job_id,
        attempt=entry.attempt,
        epoch=entry.epoch,
        payload=text,
        prev=entry.prev,
    )
    if not digest == entry.digest == proof.digest or entry.seq != proof.seq:
        return False
    root = root_of_path(bytes.fromhex(digest[7:]), entry.seq - 1, note.size, path)
    return root == note.root and signing.signed_by(note, signing.decode_key(public_key))
