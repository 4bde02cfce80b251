"""The folded parts of the card: the circuit's facts and the whole record, for whoever wants to look."""

from __future__ import annotations

import json
from collections.abc import Mapping

from qpm_lab.display.figures import count, counted, plain, short_digest
from qpm_lab.display.markup import Html, code, el, join, name_of, verbatim
from qpm_lab.display.results import BLOCKS
from qpm_lab.display.wording import Document, part, parts

COUNTS = 64
"""Longest list of counts printed in the card's copy of the record."""
DRAWN = ("shown", "values", "outcomes")
"""Parts of a sweep that hold a figure for each of its points."""


def circuit_html(document: Document) -> Html | None:
    """Size, gates and full fingerprint of the (first) circuit."""
    circuit = part(document, "circuit")
    if not circuit:
        return None
    fingerprint = plain(circuit.get("fingerprint"))
    gates = ", ".join(f"{plain(gate)} × {count(many)}" for gate, many in part(circuit, "gates").items())
    rows = (
        ("Name", plain(circuit.get("name")) or "unnamed"),
        ("Qubits", count(circuit.get("qubits"))),
        ("Depth", count(circuit.get("depth"))),
        ("Two-qubit gates", count(circuit.get("two_qubit_gates"))),
        *executed(circuit),
        ("Gates", gates or "none"),
        ("Fingerprint", fingerprint or "none"),
    )
    summary = el("summary", "Circuit ", code(short_digest(fingerprint), fingerprint) if fingerprint else None)
    terms = (join(el("dt", term), el("dd", name_of(value))) for term, value in rows)
    return el("details", summary, el("dl", *terms, class_="num"))


def executed(circuit: Document) -> list[tuple[str, str]]:
    """What a price is worked out on; nothing for a record that has not counted it."""
    if circuit.get("measurements") is None:
        return []
    if circuit.get("countable") is False:
        return [("Executed", "not countable: it loops until a measurement ends it")]
    gates = [(1, circuit.get("one_qubit_gates")), *part(circuit, "wide_gates").items()]
    known = [f"{counted(many, 'gate')} on {counted(qubits, 'qubit')}" for qubits, many in gates if many]
    known.append(f"{count(circuit['measurements'])} measured or reset")
    return [("Executed at most", ", ".join(known))]


def record_html(document: Document) -> Html:
    """The record as indented JSON; long lists are named, not printed."""
    shown = _short(document)
    results = parts(document, "results")
    left = len(results) - BLOCKS
    more = [f"… {count(left)} more, in the data of this output"] if left > 0 else []
    shown["results"] = [*map(_short, results[:BLOCKS]), *more]
    text = json.dumps(shown, indent=1, ensure_ascii=False, default=plain)
    return el("details", el("summary", "Record"), el("pre", verbatim(text), tabindex="0"))


def _short(block: Document) -> dict[str, object]:
    counts, shortened = block.get("counts"), dict(block)
    if isinstance(counts, Mapping) and len(counts) > COUNTS:
        shortened["counts"] = f"{count(len(counts))} outcomes, in the data of this output"
    if isinstance(block.get("sweep"), Mapping):
        drawn = dict.fromkeys(DRAWN, "in the data of this output")
        shortened["sweep"] = {**part(block, "sweep"), **drawn}
    return shortened
