"""What a result is asked to meet: `fidelity>=0.9` as it is written, read and checked before anything runs."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, cast

from qpm_lab import providers
from qpm_lab.circuits import Prepared
from qpm_lab.errors import InputError
from qpm_lab.experiment import BackendInfo

Measure = Literal["fidelity", "hellinger", "p"]
Operator = Literal[">=", ">", "<=", "<"]
OPERATORS = (">=", ">", "<=", "<")
MOST_CONDITIONS = 16
MOST_TEXT = 2000
MEASURES = "fidelity, hellinger and p(BITS), the probability of one outcome"
EXAMPLE = "Write for example fidelity>=0.9 or p(00)>=0.45."
_FORM = re.compile(
    r"(?P<measure>[a-z_]+)\s*(?:\((?P<bits>[^()]*)\))?\s*(?P<op>[<>=!]+)\s*(?P<number>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))"
    r"\s*(?P<percent>%?)",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that a result has to meet.

    >>> conditions(["Fidelity ≥ 90%"])[0].text, conditions("p(0 1) < .5")[0].text
    ('fidelity>=0.9', 'p(01)<0.5')
    """

    measure: Measure
    bits: str
    """The outcome of `p(BITS)` in Qiskit's order, without spaces; empty for the others."""
    operator: Operator
    threshold: float

    @property
    def text(self) -> str:
        """The one spelling, as it is recorded."""
        measure = f"p({self.bits})" if self.measure == "p" else self.measure
        return f"{measure}{self.operator}{Decimal(repr(self.threshold)).normalize():f}"

    @property
    def bounds_below(self) -> bool:
        """True when the value has to be large, so that the lower end of its interval decides."""
        return self.operator in (">=", ">")

    def met_by(self, low: float, high: float) -> bool:
        """Whether every value of an interval meets it, which is so when the end nearer to the threshold does."""
        if self.bounds_below:
            return low > self.threshold or (self.operator == ">=" and low == self.threshold)
        return high < self.threshold or (self.operator == "<=" and high == self.threshold)


def conditions(texts: str | Sequence[str]) -> tuple[Condition, ...]:
    """Reads conditions, each `MEASURE OP NUMBER`, the same one once.

    MEASURE is `fidelity`, `hellinger` or `p(BITS)`; OP is >=, >, <= or <; NUMBER is 0.9, .9 or 90%.

    Raises:
        InputError: one of them cannot be read, or no result could ever meet it.
    """
    listed = [texts] if isinstance(texts, str) else texts
    if not isinstance(listed, (list, tuple)) or not all(isinstance(text, str) for text in listed):
        raise InputError("Conditions are given as text.", EXAMPLE)
    if len(listed) > MOST_CONDITIONS:
        raise InputError(f"A job takes at most {MOST_CONDITIONS} conditions, not {len(listed):,}.", "Leave some out.")
    return tuple(dict.fromkeys(_read(text) for text in listed))


def planned(
    texts: str | Sequence[str], backend: BackendInfo, prepared: Sequence[Prepared], fidelity: str | None
) -> tuple[Condition, ...]:
    """The conditions of a job, once it is clear that its result can be held against them.

    Args:
        texts: As `conditions` takes them.
        backend: Where it runs.
        prepared: What it runs.
        fidelity: How its fidelity is to be measured; None means `auto`.

    Raises:
        InputError: one of them cannot be read, or not be judged on this job.
    """
    if not texts:
        return ()
    read = conditions(texts)
    for condition in read:
        if condition.measure == "p":
            _require_width(condition, prepared)
        else:
            _require_fidelity(condition, backend, prepared, fidelity)
    return read


def asks_fidelity(read: Sequence[Condition]) -> bool:
    """True when a fidelity has to be measured to judge them."""
    return any(condition.measure != "p" for condition in read)


def require_measurable(read: Sequence[Condition], prepared: Sequence[Prepared], companions: object) -> None:
    """Refuses a condition on a fidelity that nothing will measure, before anything is spent on it.

    Args:
        read: The conditions.
        prepared: What is run.
        companions: What measures it; or a sentence why nothing does; or None when the counts are compared with the
            exact distribution.

    Raises:
        InputError: with the reason why it cannot be measured.
    """
    if not asks_fidelity(read):
        return
    measured_apart = companions is not None and not isinstance(companions, str)
    if measured_apart and not any(each.measure == "hellinger" for each in read):
        return
    why = companions if isinstance(companions, str) else None
    for each in prepared:
        if reason := why or providers.why_no_ideal(each.circuit):
            alone = " Run it by itself: further circuits then measure it." if len(prepared) > 1 else ""
            raise InputError(f"The fidelity that a condition asks for cannot be measured. {reason}{alone}", EXAMPLE)


def _read(text: str) -> Condition:
    if len(text) > MOST_TEXT:
        raise InputError(f"A condition has at most {MOST_TEXT:,} characters, not {len(text):,}.", EXAMPLE)
    found = _FORM.fullmatch(text.strip().replace("≥", ">=").replace("≤", "<="))
    if found is None:
        raise InputError(f"The condition {text[:80]!r} cannot be read.", EXAMPLE)
    measure, bits = _measure(found["measure"].lower(), found["bits"])
    if found["op"] not in OPERATORS:
        raise InputError(
            f"The condition {text[:80]!r} compares with {found['op']!r}.",
            f"Use one of {', '.join(OPERATORS)}: a measured value has an interval and never equals a number.",
        )
    operator = cast("Operator", found["op"])
    threshold = _threshold(text[:80], found["number"], bool(found["percent"]))
    if (threshold, operator) in ((1.0, ">"), (0.0, "<")):
        raise InputError(f"No result can meet {text[:80]!r}.", "A threshold lies between 0 and 1.")
    return Condition(measure, bits, operator, threshold)


def _measure(name: str, bits: str | None) -> tuple[Measure, str]:
    if name not in ("fidelity", "hellinger", "p"):
        near = difflib.get_close_matches(name, ["fidelity", "hellinger"], n=1)
        meant = f"Did you mean {near[0]}? " if near else ""
        raise InputError(f"There is no measure {name[:40]!r}.", f"{meant}There are {MEASURES}.")
    if name == "p":
        outcome = re.sub(r"[\s_]", "", bits or "")
        if not outcome or outcome.strip("01"):
            raise InputError(f"p({(bits or '')[:40]}) names no outcome.", "Write its bits, for example p(010)>=0.45.")
        return "p", outcome
    if bits is not None:
        raise InputError(f"{name} takes no outcome.", f"Write {name}>=0.9, or p(BITS) for the probability of one.")
    return cast("Measure", name), ""


def _threshold(text: str, written: str, percent: bool) -> float:
    number = float(Decimal(written) / 100 if percent else Decimal(written))
    if 0 <= number <= 1:
        return number + 0.0  # -0 is 0
    meant = f"Did you mean {Decimal(written).normalize() / 100:f}? " if 2 < number <= 100 else ""
    raise InputError(
        f"The threshold of {text!r} is not between 0 and 1.", f"{meant}Fidelities and probabilities are at most 1."
    )


def _require_width(condition: Condition, prepared: Sequence[Prepared]) -> None:
    for each in prepared:
        width = each.circuit.num_clbits
        if width != len(condition.bits):
            raise InputError(
                f"{condition.text!r} names {len(condition.bits)} bits; the circuit has {width} classical bits.",
                "Give all bits of an outcome in Qiskit's order: bit 0 is the rightmost.",
            )


def _require_fidelity(
    condition: Condition, backend: BackendInfo, prepared: Sequence[Prepared], fidelity: str | None
) -> None:
    instead = f"Set a condition on outcomes instead, for example p({'0' * prepared[0].circuit.num_clbits})>=0.4"
    if not backend.noisy:
        raise InputError(
            f"{condition.text!r} cannot be judged on {backend.id}: of an ideal simulator no fidelity is claimed.",
            f"{instead}, or take a noisy backend such as aer/noisy.",
        )
    if any(each.bindings for each in prepared):
        raise InputError(
            f"{condition.text!r} cannot be judged on a sweep: its points carry no fidelity.",
            f"Run a point by itself. {instead}, which every point then has to meet.",
        )
    if fidelity == "none":
        raise InputError(
            f"{condition.text!r} needs the fidelity that fidelity='none' leaves out.", f"Leave that out. {instead}."
        )
    if condition.measure == "hellinger" and fidelity in ("mirror", "proxy"):
        raise InputError(
            f"{condition.text!r} needs the exact distribution, which {fidelity} circuits do without.",
            "Leave out the choice of fidelity, or set a condition on fidelity.",
        )
