"""The ledger's Ed25519 key and signed notes in the C2SP `signed-note` and `tlog-checkpoint` formats.

https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qpm_lab.errors import IntegrityError, LedgerError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY_FILE = "signing-key.pem"
_MAX_NOTE = 4096
_NOTE = re.compile(
    r"(?P<text>(?P<origin>[^\s+]+)\n(?P<size>0|[1-9]\d{0,17})\n(?P<root>[A-Za-z0-9+/]{43}=)\n)"
    r"\n— (?P<name>[^\s+]+) (?P<signature>[A-Za-z0-9+/]+=*)\n"
)


@dataclass(frozen=True, slots=True)
class Note:
    """A checkpoint as read, its signature not yet verified."""

    text: str
    """What is signed: origin, size and root, a line each."""
    origin: str
    size: int
    root: bytes
    name: str
    signature: bytes
    """Four bytes of key hash, then the Ed25519 signature."""


def make_key(home: Path) -> bool:
    """Makes the signing key on first use; True when it was made now. The caller holds the home's lock."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    path, fresh = home / KEY_FILE, home / f"{secrets.token_hex(8)}.pem.new"
    if path.exists():
        return False
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
    return True


def load_key(home: Path) -> Ed25519PrivateKey:
    """Reads the signing key.

    Raises:
        LedgerError: it is missing or not an Ed25519 key.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key((home / KEY_FILE).read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("not an Ed25519 key")
    except (OSError, ValueError, TypeError) as error:
        raise LedgerError(
            f"The signing key {home / KEY_FILE} cannot be read.",
            "Restore it from a backup, or move it away: a new one is made and recorded at the next start.",
            cause=error,
        ) from error
    return key


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The raw 32 bytes of the public half."""
    return key.public_key().public_bytes_raw()


def encode_key(public: bytes) -> str:
    return base64.b64encode(public).decode()


def decode_key(public: bytes | str) -> bytes:
    """Reads a public key: raw 32 bytes, PEM, or the base64 text that entries carry.

    Raises:
        LedgerError: it is none of these.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    data = public.encode() if isinstance(public, str) else public
    if len(data) == 32:
        return data
    try:
        if data.startswith(b"-----BEGIN"):
            key = load_pem_public_key(data)
            return key.public_bytes_raw() if isinstance(key, Ed25519PublicKey) else _no_key()
        raw = base64.b64decode(data.strip(), validate=True)
    except (ValueError, binascii.Error):
        return _no_key()
    return raw if len(raw) == 32 else _no_key()


def _no_key() -> bytes:
    raise LedgerError("The public key cannot be read.", "Give an Ed25519 key: 32 raw bytes, base64 of them, or PEM.")


def _key_hash(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]


def sign(origin: str, size: int, root: bytes, key: Ed25519PrivateKey) -> str:
    """A signed checkpoint over a tree of `size` leaves."""
    text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
    signature = _key_hash(origin, public_bytes(key)) + key.sign(text.encode())
    return f"{text}\n— {origin} {base64.b64encode(signature).decode()}\n"


def read_note(note: str) -> Note:
    """Takes a checkpoint apart.

    Raises:
        IntegrityError: it is no checkpoint.
    """
    match = _NOTE.fullmatch(note) if len(note) <= _MAX_NOTE else None
    if match is None:
        raise IntegrityError(
            "This is not a checkpoint of a ledger.",
            "Pass the file that `qpm ledger checkpoint --out` wrote, unchanged.",
        )
    try:
        root = base64.b64decode(match["root"], validate=True)
        signature = base64.b64decode(match["signature"], validate=True)
    except binascii.Error as error:
        raise IntegrityError("The checkpoint is damaged: its base64 does not decode.") from error
    return Note(match["text"], match["origin"], int(match["size"]), root, match["name"], signature)


def is_checkpoint(text: str) -> bool:
    """True for a text that has the form of a checkpoint, whatever it says."""
    return len(text) <= _MAX_NOTE and _NOTE.fullmatch(text) is not None


def signed_by(note: Note, public: bytes) -> bool:
    """True when the note carries this key's valid signature."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if note.signature[:4] != _key_hash(note.name, public):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(note.signature[4:], note.text.encode())
    except InvalidSignature:
        return False
    return True
