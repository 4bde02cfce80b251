"""Signed checkpoints and inclusion proofs."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from qpm_lab.errors import IntegrityError, LedgerError
from qpm_lab.ledger import Ledger, signing, verify_inclusion


def public_key(ledger: Ledger) -> bytes:
    return base64.b64decode(ledger.entry(1).payload["public_key"])


def filled(ledger: Ledger, count: int = 5) -> Ledger:
    for number in range(count):
        ledger.note("some.event", {"number": number})
    return ledger


def test_a_checkpoint_is_a_signed_note_over_all_entries(both: Ledger) -> None:
    """Origin, size and root in three lines, then the signature of the ledger's own key."""
    text = filled(both).checkpoint()
    note = signing.read_note(text)
    assert text.split("\n")[:2] == [both.entry(1).payload["origin"], "6"]
    assert signing.signed_by(note, public_key(both))
    assert both.verify(text).ok
    assert both.verify(text, public_key(both)).ok


def test_an_older_checkpoint_still_verifies(both: Ledger) -> None:
    """Entries added later do not disturb a checkpoint."""
    note = filled(both).checkpoint()
    filled(both)
    assert both.verify(note).ok


@pytest.mark.parametrize("seq", range(1, 7))
def test_every_entry_has_a_proof_that_needs_no_ledger(ledger: Ledger, seq: int) -> None:
    """Entry, proof and public key are enough."""
    proof = filled(ledger).prove(seq)
    assert verify_inclusion(ledger.entry(seq), proof, public_key(ledger))


def test_a_proof_fits_its_entry_its_key_and_its_checkpoint_only(ledger: Ledger) -> None:
    """Another entry, a changed one, another key, a changed note or path: no proof."""
    proof, entry, key = filled(ledger).prove(3), ledger.entry(3), public_key(ledger)
    size_changed = proof.checkpoint.replace("\n6\n", "\n5\n")
    assert not verify_inclusion(ledger.entry(2), proof, key)
    assert not verify_inclusion(replace(entry, payload={"number": 99}), proof, key)
    assert not verify_inclusion(replace(entry, payload={"number": float("nan")}), proof, key)
    assert not verify_inclusion(entry, proof, bytes(32))
    assert not verify_inclusion(entry, replace(proof, checkpoint=size_changed), key)
    assert not verify_inclusion(entry, replace(proof, checkpoint="nonsense"), key)
    assert not verify_inclusion(entry, replace(proof, path=proof.path[:-1]), key)
    assert not verify_inclusion(entry, replace(proof, path=("zz", *proof.path[1:])), key)


def test_a_foreign_or_forged_checkpoint_is_a_problem(ledger: Ledger, tmp_path: object) -> None:
    """A note of another ledger, an unsigned one and a broken one never verify."""
    other = Ledger.open(ledger.home.parent / "other")
    foreign = filled(other).checkpoint()
    note = filled(ledger).checkpoint()
    other.close()
    forged = note.replace("\n6\n", "\n4\n")
    for bad in (foreign, forged, "", "x" * 10_000, note.replace("—", "-"), note + "more"):
        assert not ledger.verify(bad).ok
    assert not ledger.verify(note, bytes(32)).ok
    assert ledger.verify(note).ok


def test_a_replaced_key_is_recorded_before_it_signs(home: object, ledger: Ledger) -> None:
    """After the key file is lost, a new key signs, its public half is in the chain, and all verifies."""
    old = filled(ledger).checkpoint()
    (ledger.home / signing.KEY_FILE).unlink()
    ledger.close()
    again = Ledger.open(ledger.home)
    new = again.checkpoint()
    assert [e.event for e in again.tail(6)] == ["ledger.key_added"]
    assert again.verify(old).ok
    assert again.verify(new).ok
    again.close()


def test_a_swapped_key_file_is_recorded_by_the_first_checkpoint(ledger: Ledger) -> None:
    """A key that came with a restored backup is recorded when it is first used."""
    (ledger.home / signing.KEY_FILE).unlink()
    signing.make_key(ledger.home)
    note = ledger.checkpoint()
    assert ledger.entry(2).event == "ledger.key_added"
    assert ledger.verify(note).ok


def test_a_broken_key_file_is_a_ledger_error(ledger: Ledger) -> None:
    """The message names the file and the way out."""
    (ledger.home / signing.KEY_FILE).write_text("nonsense")
    with pytest.raises(LedgerError, match=signing.KEY_FILE):
        ledger.checkpoint()


@pytest.mark.parametrize("key", [b"", b"short", b"-----BEGIN nonsense", b"\xff" * 40])
def test_a_public_key_that_is_none_is_refused(ledger: Ledger, key: bytes) -> None:
    """Only raw, base64 and PEM forms of an Ed25519 key are read."""
    with pytest.raises(LedgerError):
        ledger.verify(ledger.checkpoint(), key)


def test_a_public_key_is_read_in_all_its_forms(ledger: Ledger) -> None:
    """Raw bytes, base64 and PEM name the same key."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    raw = public_key(ledger)
    key = signing.load_key(ledger.home).public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert signing.decode_key(pem) == signing.decode_key(base64.b64encode(raw)) == raw


def test_a_ledger_that_lost_entries_signs_nothing(ledger: Ledger) -> None:
    """A checkpoint over a cut chain would bless the cut."""
    filled(ledger)
    with ledger._database.write() as connection:
        connection.exec_driver_sql("DELETE FROM ledger_entries WHERE seq = 6")
    with pytest.raises(IntegrityError):
        ledger.checkpoint()
