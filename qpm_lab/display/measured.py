"""How a fidelity was measured, for whoever asks: method, assumption, further circuits, machine, canary."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from qpm_lab.display.figures import UNKNOWN, count, counted, interval, number, plain, real
from qpm_lab.display.trust import Caution, fidelity, ranged
from qpm_lab.display.wording import Document, part

Row = tuple[str, str]
SNAPSHOT, THEIRS = "Its snapshot", "Their digest"
"""Terms of digests, which a terminal leaves to the record."""
GRANTED = "They take for granted"
FURTHER = {"mirror": "mirror circuits", "proxy": "Clifford proxies"}
CHOSEN = {"auto": "chosen automatically", "user": "asked for"}
TWIRLS = {"readout": "readout", "gates": "gates", "all": "gates and readout"}
TWIRL = "an error symmetrisation: random gates that cancel, undone in the counts. It hides nothing from a vendor."


def measured(document: Document, block: Document) -> list[Row]:
    """Terms and their words, in the order of reading; empty when there is nothing to tell.

    Args:
        document: A job record.
        block: The circuit whose fidelity is told: the record itself or one of its `results`.
    """
    data = part(block, "fidelity")
    rows = [*_estimate(data), *_second(part(data, "hellinger")), *_checks(data)]
    return [(term, words) for term, words in rows if words] + setup(document, {plain(data.get("assumption"))})


def _estimate(data: Document) -> Iterator[Row]:
    yield "Estimand", plain(data.get("estimand"))
    yield "Method", plain(data.get("method"))
    yield "Takes for granted", plain(data.get("assumption"))
    shots = number(data.get("shots"))
    yield "From", counted(shots, "shot") if shots else ""
    found = fidelity({"fidelity": data})
    if found is not None and found.kind == "ideal" and found.level:
        yield "Sampling alone", f"would give {ranged(data)}, whatever the circuit does"


def _second(data: Document) -> Iterator[Row]:
    yield "Second estimand", plain(data.get("estimand"))
    yield "Its interval", ranged(data) if number(data.get("low")) is not None else ""
    yield "Its method", plain(data.get("method"))
    yield "Its assumption", plain(data.get("assumption"))
    yield "Its caveat", plain(data.get("reason"))


def _checks(data: Document) -> Iterator[Row]:
    misfit, spread = number(data.get("misfit_z")), part(data, "dispersion")
    if misfit is not None:
        yield "White noise", f"{misfit:.1f} standard deviations from the counts (3 is much)"
    if number(spread.get("ratio")) is not None:
        chance = f", p = {number(spread['p_value']):.2g}" if number(spread.get("p_value")) is not None else ""
        words = f"{real(spread['ratio'])} times the variance of independent shots{chance}"
        yield "Dispersion", f"{counted(spread.get('blocks'), 'block')}: {words}"


def setup(document: Document, told: Collection[str] = ()) -> list[Row]:
    """What was run beside the circuits, and on which machine: the part of `measured` that belongs to the whole job.

    Args:
        document: A job record.
        told: Assumptions that were said with a fidelity; they are not said again.
    """
    return [(term, words) for term, words in _setup(document) if words and not (term == GRANTED and words in told)]


def _setup(document: Document) -> Iterator[Row]:
    yield from _companions(part(document, "companions"))
    twirl, machine = part(document, "twirl"), part(document, "calibration")
    if twirl:
        kind = TWIRLS.get(plain(twirl.get("kind")), plain(twirl.get("kind")))
        yield "Twirl", f"{kind}, {counted(twirl.get('variants'), 'variant')}: {TWIRL}"
    yield "Machine as it was", plain(machine.get("description"))
    yield SNAPSHOT, plain(machine.get("digest"))
    yield "Canary", " ".join(filter(None, _canary(part(document, "canary"))))


def _companions(data: Document) -> Iterator[Row]:
    if not data:
        return
    kind = FURTHER.get(plain(data.get("method")), plain(data.get("method")))
    many = f"{count(data.get('circuits'))} {kind} × {counted(data.get('shots'), 'shot')}"
    yield "Further circuits", ", ".join(filter(None, (many, CHOSEN.get(plain(data.get("chosen_by")), ""))))
    yield GRANTED, plain(data.get("assumption"))
    yield THEIRS, plain(data.get("digest"))


def _canary(data: Document) -> Iterator[str]:
    """Alarm or none, the evidence for it, and how often it would be false."""
    if not data:
        return
    yield f"{plain(data.get('series'))}:"
    yield f"{count(data.get('successes'))} of {counted(data.get('shots'), 'shot')} succeeded."
    rate = part(data, "rate")
    if number(rate.get("low")) is not None:
        yield f"Rate {ranged(rate) if number(rate.get('level')) else interval(rate.get('low'), rate.get('high'))}."
    yield "Alarm." if data.get("alarm") is True else "No alarm."
    if number(data.get("evidence")) is not None:
        yield f"Evidence {real(data['evidence'])}, alarm at {count(data.get('threshold'))}."
    yield plain(data.get("text"))
    yield _promise(data)


def _promise(data: Document) -> str:
    """How often an alarm is false, unless the text says it."""
    often = count(data.get("threshold"))
    known = "false alarm" in plain(data.get("text")) or often == UNKNOWN
    return "" if known else f"On average at most one false alarm in {often} canaries while nothing drifts."


def alarm(document: Document) -> Caution | None:
    """That the machine has drifted, with how often such an alarm is false; None while it has not."""
    data = part(document, "canary")
    if data.get("alarm") is not True:
        return None
    said = plain(data.get("text")).removeprefix("Drift: ") or "The canary fails more often than it used to."
    return Caution("⚠", "Drift alarm", f"{said} {_promise(data)}".strip(" ."), "bad")
