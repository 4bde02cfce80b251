"""What the static card and the terminal say of a job at a vendor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qiskit.circuit.library import CZGate
from qiskit.transpiler import InstructionProperties, Target

from qpm_lab.display import to_html, to_text, vendor
from qpm_lab.display.spending import BASES
from qpm_lab.providers.calibrations import of_target

from .documents import completed, unfinished

FRONT = Path(__file__).resolve().parents[2] / "labextension" / "src"
PLACE = {"vendor": "IonQ", "region": "United States", "legal_seat": "US"}
QUOTE = {
    "currency": "USD", "low": "0.4", "high": "1.4", "source": "our contract", "as_of": "2026-11-01", "formula": "…",
    "channel": "IonQ direct", "confidence": "A", "native": {"unit": "HQC", "low": "5", "high": "7"},
    "listed": {"currency": "EUR", "low": "0.37", "high": "1.28"},
}  # fmt: skip
STANDING = {"state": "queued", "message": "queued at IonQ, 3 before it", "as_of": "2026-11-22T12:00:03Z"}


def at_vendor(status: str, **changes: Any) -> dict[str, Any]:
    told = {"place": PLACE, "quote": QUOTE, "vendor_ids": ["v-1"], **changes}
    return completed(**told) if status == "completed" else unfinished(status, **told)


def both(document: dict[str, Any]) -> list[str]:
    return [to_html(document), to_text(document, width=300, encoding="utf-8")]


def test_a_queued_job_says_where_it_is_and_when_that_was_asked() -> None:
    """The vendor's words and their time, and who gets the circuit."""
    now = {"done": 0, "total": 0, "unit": "", "message": STANDING["message"]}
    for form in both(at_vendor("queued", standing=STANDING, progress=now)):
        assert "queued at IonQ, 3 before it · asked at 2026-11-22 12:00:03 UTC" in form
        assert "IonQ · machine in United States · company in US" in form
        assert "v-1" in form


@pytest.mark.parametrize("status", ["dry_run", "denied", "awaiting_approval"])
def test_it_says_where_a_job_would_go_before_it_is_sent(status: str) -> None:
    """In the card of an explanation and of a refusal."""
    for form in both(at_vendor(status)):
        assert "It would go to" in form


def test_a_local_job_says_nothing_of_vendors() -> None:
    """Nothing leaves this machine."""
    for form in both(completed()):
        assert "vendor" not in form
        assert "go to" not in form


@pytest.mark.parametrize(("basis", "words"), BASES.items())
def test_a_cost_says_what_it_rests_on(basis: str, words: str) -> None:
    """Billed, metered or refunded, whether there is a result or not."""
    cost = {"currency": "USD", "amount": "1", "basis": basis}
    for form in [*both(at_vendor("completed", cost=cost)), *both(at_vendor("failed", cost=cost))]:
        assert words in form


def test_a_parked_job_has_a_sign_beside_its_colour_and_word() -> None:
    """Also in a terminal that has only ASCII."""
    document = at_vendor("parked")
    assert vendor.PARKED_SIGN in to_html(document)
    assert to_text(document, encoding="utf-8").startswith("‖ Parked")
    assert to_text(document, encoding="ascii").startswith("!! Parked")


def test_a_price_says_its_source_confidence_channel_and_units() -> None:
    """Whatever the quote tells, under one fold."""
    rows = dict(vendor.price_rows(at_vendor("completed")))
    assert rows["Confidence"] == "A: the vendor’s own text"
    assert rows["In its own unit"] == "5 – 7 HQC"
    assert rows["As listed"] == "€0.37 – €1.28"
    assert rows["Cost is"].startswith("quoted: the vendor named neither")


def test_an_unknown_price_says_why() -> None:
    """Never 0, and never only that it is unknown."""
    unknown = {"currency": "USD", "low": None, "high": None, "reason": "No price is listed for it."}
    for form in both(at_vendor("dry_run", quote=unknown)):
        assert "unknown" in form
        assert "No price is listed for it." in form


@pytest.mark.parametrize("directions", [((0, 1), (1, 2)), ((0, 1), (1, 0), (1, 2), (2, 1)), ((0, 1), (1, 2), (2, 1))])
def test_couplings_are_counted_as_pairs(directions: tuple[tuple[int, int], ...]) -> None:
    """Whether a vendor names one direction of a two-qubit gate, or both."""
    target = Target(num_qubits=3)
    target.add_instruction(CZGate(), {each: InstructionProperties(error=0.01) for each in directions})
    assert of_target(target).description.startswith("3 qubits, 2 couplings, median two-qubit error 0.01")


@pytest.mark.parametrize("words", [*BASES.values(), *vendor.BASES.values(), *vendor.CONFIDENCE.values()])
def test_the_front_end_has_the_same_words(words: str) -> None:
    """Cards in JupyterLab and elsewhere explain costs alike."""
    assert words in (FRONT / "quote.ts").read_text() + (FRONT / "vendor.ts").read_text()
