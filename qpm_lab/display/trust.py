"""How far to trust a result, read from a record: its fidelity as an interval, and what speaks against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from qpm_lab.display.figures import count, decimal, interval, level, number, plain
from qpm_lab.display.wording import Document, Tone, part

AXIS_STARTS = (0.999, 0.998, 0.995, 0.99, 0.98, 0.95, 0.9, 0.8, 0.5, 0.0)
NOT_COMPUTED = ("not asked for", "not computed")
"""How the reason of a fidelity begins that nobody wanted."""
FLAGS: dict[str, tuple[str, str, Tone]] = {"red": ("⚑", "Red flag", "bad"), "amber": ("⚐", "Amber flag", "warn")}
"""Symbol, word and tone: a colour alone says nothing."""

CIRCUITS = (
    ("mirror", "mirror circuits"),
    ("clifford prox", "Clifford proxies"),
    ("direct fidelity", "Clifford proxies"),
)
"""What tells in an estimand or a method which further circuits were run."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A piece of the number line that holds every interval. Fidelity is not clipped to 0…1."""

    start: float
    end: float

    def place(self, value: float) -> float:
        """Where on the axis a value lies, 0 at its start and 1 at its end."""
        return (value - self.start) / (self.end - self.start)


@dataclass(frozen=True, slots=True)
class Caution:
    """Something that speaks against a figure: a symbol and a word beside its tone."""

    symbol: str
    word: str
    text: str
    tone: Tone

    @property
    def sentence(self) -> str:
        return f"{self.word}: {self.text}."


@dataclass(frozen=True, slots=True)
class Companion:
    """A second fidelity of the same histogram, drawn thinner below the first."""

    low: float
    high: float
    words: str
    """'Hellinger: 0.921 – 0.958 (95 %)'."""
    assumption: str
    """What it takes for granted; empty when nothing."""


@dataclass(frozen=True, slots=True)
class Fidelity:
    """A fidelity in words: never a bare number."""

    kind: Literal["estimate", "ideal", "refused"]
    title: str
    headline: str
    """The interval, or why there is none in a few words."""
    level: str
    """Confidence of the interval; empty without one."""
    explanation: str
    method: str
    assumption: str
    """What it takes for granted beyond independent shots; empty when nothing."""
    low: float | None
    high: float | None
    value: float | None
    companion: Companion | None
    cautions: tuple[Caution, ...]

    @property
    def axis(self) -> Axis | None:
        """The axis to draw every interval on, also that of a value which is refused; None for an ideal simulator."""
        own = () if self.low is None or self.high is None else (self.low, self.high)
        ends = [*own, *((self.companion.low, self.companion.high) if self.companion else ())]
        return _axis(min(ends), max(ends)) if ends and self.kind != "ideal" else None


def _axis(low: float, high: float) -> Axis:
    start = next((s for s in AXIS_STARTS if low >= s + 0.2 * (1 - s)), None)
    if start is None:
        start = 0.0 if low >= 0 else float(low // 0.5) * 0.5
    if high <= 1:
        return Axis(start, 1.0)
    step = max(1 - start, 0.001)
    return Axis(start, 1.0 + step * -(-(high - 1) // step))


def fidelity(block: Document) -> Fidelity | None:
    """The fidelity of one block of the record; None when it has none to speak of."""
    data = part(block, "fidelity")
    if not data:
        return None
    value, low, high = (number(data.get(key)) for key in ("value", "low", "high"))
    sure = level(data.get("level")) if low is not None and high is not None else ""
    kind = _kind(data, bool(sure))
    return Fidelity(
        kind=kind,
        title=title(data),
        headline=interval(low, high) if kind == "estimate" else _instead(data, kind, bool(sure)),
        level=sure,
        explanation=_explanation(data, kind, bool(sure)),
        method=plain(data.get("method")),
        assumption=plain(data.get("assumption")),
        low=low,
        high=high,
        value=value,
        companion=_companion(data) if kind != "ideal" else None,
        cautions=_cautions(data) if kind != "ideal" else (),
    )


def _kind(data: Document, bounded: bool) -> Literal["estimate", "ideal", "refused"]:
    if plain(data.get("reason")).lower().startswith("ideal simulator"):
        return "ideal"
    return "estimate" if bounded and number(data.get("value")) is not None else "refused"


def _instead(data: Document, kind: str, bounded: bool) -> str:
    """What stands in the place of an interval that is not claimed."""
    if kind == "ideal":
        return "Ideal simulator, sampling noise only"
    if bounded:
        return "Not claimed"
    return "Not computed" if plain(data.get("reason")).lower().startswith(NOT_COMPUTED) else "Not measurable here"


def _explanation(data: Document, kind: str, bounded: bool) -> str:
    reason = plain(data.get("reason"))
    if kind != "refused":
        return "" if kind == "ideal" else reason
    somewhere = f"Somewhere in {ranged(data)}." if bounded else ""
    return " ".join(piece for piece in (reason, _enough(data, reason), somewhere) if piece)


def _enough(data: Document, reason: str) -> str:
    """How many shots would do, unless the reason has said it."""
    needed = decimal(data.get("shots_needed"))
    return "" if needed is None or count(needed) in reason else f"{count(needed)} shots would do."


def ranged(data: Document) -> str:
    """An interval with its level: '0.951 – 0.965 (95 %)'; a dash when it has none."""
    return f"{interval(data.get('low'), data.get('high'))} ({level(data.get('level'))})"


def title(data: Document) -> str:
    """The estimand's short name. A histogram bounds the fidelity of a state only from above, so that is never one."""
    estimand = plain(data.get("estimand"))
    said = f"{estimand} {plain(data.get('method'))}".lower()
    if estimand.lower().startswith("heavy-set"):
        return "Outcome fidelity (heavy set)"
    if "process" in said:
        kind = next((words for sign, words in CIRCUITS if sign in said), "")
        return f"Process fidelity ({kind})" if kind else "Process fidelity"
    return "Hellinger fidelity" if "hellinger" in said else "Outcome fidelity"


def _companion(data: Document) -> Companion | None:
    other = part(data, "hellinger")
    low, high = number(other.get("low")), number(other.get("high"))
    if low is None or high is None or number(data.get("low")) is None:
        return None  # beside an ideal that is nearly uniform it is close to 1 whatever the machine does
    return Companion(low, high, f"Hellinger: {ranged(other)}", plain(other.get("assumption")))


def _cautions(data: Document) -> tuple[Caution, ...]:
    return tuple(caution for caution in (_flag(data), _dispersion(data)) if caution is not None)


def _flag(data: Document) -> Caution | None:
    from qpm_lab.fidelity import FLAG_WORDS

    raised = (flag for flag in FLAG_WORDS if flag == data.get("flag") and flag in FLAGS)
    return next((Caution(*FLAGS[flag][:2], FLAG_WORDS[flag], FLAGS[flag][2]) for flag in raised), None)


def _dispersion(data: Document) -> Caution | None:
    said = plain(part(data, "dispersion").get("warning"))
    return Caution("⚠", "Dispersion", said.rstrip("."), "warn") if said else None
