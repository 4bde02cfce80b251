"""What the history of a canary says, as documents: the state of a series, and its part of a job's record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from qpm_lab import fidelity
from qpm_lab.errors import InputError, LedgerError
from qpm_lab.experiment import CircuitFacts
from qpm_lab.ledger import Entry, Ledger

BASELINE = 5
"""Canaries that say what is normal, before any of them can raise an alarm."""
LEVEL = 0.95
MOST = 100_000
"""Canaries of one baseline that are replayed."""
SHOWN = 200
"""The latest canaries that a document lists."""
MOST_ARL = 10**9
CHECKED, ALARM = "canary.checked", "drift.alarm"
ESTIMAND = "probability of an outcome that the circuit favours on a perfect machine"


_NOTHING: dict[str, Any] = {"alarm": False, "evidence": None, "threshold": None}
_NO_FLOOR: dict[str, Any] = {"floor": None, "alarmed_at": None}


@dataclass(frozen=True, slots=True)
class Series:
    """Canaries that can be compared with each other."""

    backend: str
    facts: CircuitFacts
    shots: int
    baseline: int = 1
    """Which baseline it is: raised each time somebody begins a new one."""

    @property
    def name(self) -> str:
        """How the ledger calls it."""
        return f"{self.backend} {self.facts.fingerprint[7:23]} {self.shots} #{self.baseline}"

    def next(self) -> Series:
        """The same with a new baseline."""
        return replace(self, baseline=self.baseline + 1)


@dataclass(frozen=True, slots=True)
class Watch:
    """How closely a series is watched."""

    tolerance: float = 0.01
    """How far below the baseline's share of successes is still fine."""
    arl: int = 1000
    """At most one false alarm in so many canaries, on average."""

    def __post_init__(self) -> None:
        number = isinstance(self.tolerance, int | float) and not isinstance(self.tolerance, bool)
        if not number or not 0 < self.tolerance < 1:
            raise InputError(f"The tolerance is a share between 0 and 1, not {self.tolerance!r}.", "Use 0.01.")
        if not isinstance(self.arl, int) or isinstance(self.arl, bool) or not 2 <= self.arl <= MOST_ARL:
            raise InputError(f"arl is a number of canaries from 2 to {MOST_ARL:,}, not {self.arl!r}.", "Use 1000.")


def state(ledger: Ledger, series: Series, watch: Watch) -> dict[str, Any]:
    """The document of a series with its latest canaries; see `replayed`."""
    return shown(replayed(ledger, series, watch))


def shown(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with no more of its history than fits a page."""
    history = document["history"]
    return {**document, "history": history[-SHOWN:], "left_out": max(0, len(history) - SHOWN)}


def replayed(ledger: Ledger, series: Series, watch: Watch) -> dict[str, Any]:
    """The document of a series: every canary with its verdict, replayed from the history.

    Args:
        ledger: Where the history is.
        series: Which one.
        watch: How closely it is watched; another one gives another verdict on the same history.
    """
    rows = ledger.canaries(series.name, MOST)
    found = _replay([(row["canary_successes"], row["shots"]) for row in rows], watch)
    history = [_point(row, verdict) for row, verdict in zip(rows, found.verdicts, strict=True)]
    document = {
        "series": series.name,
        "backend": series.backend,
        "circuit": series.facts.to_dict(),
        "shots": series.shots,
        "estimand": ESTIMAND,
        "level": LEVEL,
        "tolerance": watch.tolerance,
        "arl": watch.arl,
        "needed": BASELINE,
        "baseline_number": series.baseline,
        "canaries": len(history),
        "baseline": _baseline(rows) if len(rows) >= BASELINE else None,
        **found.now,
        "history": history,
        "left_out": 0,
        "warning": None,
        "job_id": None,
    }
    promise = "" if found.trouble else _promise(document)
    return document | {"text": found.trouble or _text(document), "promise": promise}


def judged(document: Mapping[str, Any], job_id: str) -> dict[str, Any]:
    """What the ledger notes of one canary; `raised` when it is the one that raised the alarm.

    Args:
        document: As `replayed` gives it.
        job_id: Of the canary.

    Raises:
        LedgerError: the history does not have it.
    """
    place = next((n for n, row in enumerate(document["history"]) if row["job_id"] == job_id), None)
    if place is None:
        raise LedgerError(f"The successes of job {job_id} were not recorded.", "See %qcanary --history.")
    own, before = document["history"][place], document["history"][place - 1] if place else {}
    return {
        **{name: document[name] for name in ("series", "floor", "tolerance", "arl", "text")},
        **{name: own[name] for name in ("successes", "shots", "alarm", "evidence", "threshold")},
        "canaries": place + 1,
        "raised": own["alarm"] and not before.get("alarm", False),
    }


def unrecorded_alarm(ledger: Ledger, document: Mapping[str, Any]) -> str | None:
    """The canary that raised an alarm of which the ledger does not know yet; None when there is none.

    The process that ran that canary may have died before it could note the alarm, or may have seen none: an earlier
    canary came back later, or it was watched less closely. Each tolerance and arl has an alarm of its own.

    Args:
        ledger: What is known.
        document: As `replayed` gives it.
    """
    if not document["alarm"]:
        return None
    raised, jobs = document["alarmed_at"] - 1, [row["job_id"] for row in document["history"]]
    # A canary that came back later may have moved the alarm, though not far.
    nearest = sorted(range(BASELINE, len(jobs)), key=lambda place: abs(place - raised))
    if any(_is_alarm(entry, document) for place in nearest for entry in ledger.entries(jobs[place])):
        return None
    job_id: str = jobs[raised]
    return job_id


def _is_alarm(entry: Entry, document: Mapping[str, Any]) -> bool:
    watched = all(entry.payload.get(name) == document[name] for name in ("series", "tolerance", "arl"))
    return entry.event == ALARM and watched


def same_simulation(ledger: Ledger, series: Series, seed: int | None) -> str | None:
    """The canary of a series that is the simulation with this seed; None when there is none."""
    if seed is None:
        return None
    rows = ledger.canaries(series.name, MOST)
    return next((row["job_id"] for row in rows if ledger.entries(row["job_id"])[0].payload.get("seed") == seed), None)


def block(asked: Mapping[str, Any], entries: Sequence[Entry], successes: int | None) -> dict[str, Any] | None:
    """The block `canary` of docs/record.md; None for a job that is none.

    Args:
        asked: The payload of its submission.
        entries: All its entries.
        successes: As the ledger keeps them; None when it has none.
    """
    told = asked.get("canary")
    if not told:
        return None
    checked = next((e.payload for e in reversed(entries) if e.event in (CHECKED, ALARM)), {})
    shots = asked["request"]["shots"]
    low, high = (None, None) if successes is None else fidelity.clopper_pearson(successes, shots, 1 - LEVEL)
    return {
        "series": told["series"],
        "successes": successes,
        "shots": shots,
        "rate": None if successes is None else {"low": low, "high": high},
        **{name: checked.get(name) for name in ("alarm", "evidence", "threshold", "canaries", "text")},
    }


@dataclass(frozen=True, slots=True)
class _Replayed:
    """What a detector says of a history."""

    verdicts: list[dict[str, Any]]
    """One for each canary."""
    now: Mapping[str, Any]
    trouble: str = ""
    """Why this baseline cannot be watched."""


def _replay(outcomes: Sequence[tuple[int, int]], watch: Watch) -> _Replayed:
    """Those of the baseline raise no alarm; the others are shown to a detector in order."""
    first = [{"watched": False, **_NOTHING}] * min(BASELINE, len(outcomes))
    if len(outcomes) < BASELINE:
        return _Replayed(first, _NOTHING | _NO_FLOOR)
    try:
        detector = fidelity.DriftDetector(outcomes[:BASELINE], watch.tolerance, watch.arl)
    except InputError as error:
        unwatched = first + [{"watched": None, **_NOTHING}] * (len(outcomes) - BASELINE)
        return _Replayed(unwatched, _NOTHING | _NO_FLOOR, f"{error.message} Drift is not watched.")
    states = [detector.update(*each) for each in outcomes[BASELINE:]] or [detector.state()]
    verdicts = [{"watched": True, **_verdict(each)} for each in states[: len(outcomes) - BASELINE]]
    return _Replayed(first + verdicts, _verdict(states[-1]) | _places(states[-1]))


def _places(found: fidelity.DriftState) -> dict[str, Any]:
    raised = None if found.alarmed_at is None else BASELINE + found.alarmed_at
    return {"floor": found.floor, "alarmed_at": raised}


def _verdict(found: fidelity.DriftState) -> dict[str, Any]:
    return {"alarm": found.alarm, "evidence": found.evidence, "threshold": found.threshold}


def _point(row: Mapping[str, Any], verdict: Mapping[str, Any]) -> dict[str, Any]:
    successes, shots = row["canary_successes"], row["shots"]
    low, high = fidelity.clopper_pearson(successes, shots, 1 - LEVEL)
    facts = {"job_id": row["job_id"], "at": row["created_at"], "successes": successes, "shots": shots}
    return {**facts, "rate": successes / shots, "low": low, "high": high, **verdict}


def _baseline(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What was normal: all successes of the first canaries together."""
    first = rows[:BASELINE]
    successes, shots = sum(row["canary_successes"] for row in first), sum(row["shots"] for row in first)
    low, high = fidelity.clopper_pearson(successes, shots, 1 - LEVEL)
    return {"canaries": BASELINE, "rate": successes / shots, "low": low, "high": high}


def _text(document: Mapping[str, Any]) -> str:
    """The state in a sentence."""
    canaries, left = document["canaries"], BASELINE - document["canaries"]
    if not canaries:
        return f"No canary yet. The first {BASELINE} are the baseline."
    if left > 0:
        return f"{canaries} of {BASELINE} canaries of the baseline are there; drift is watched after {left} more."
    if document["alarm"]:
        return (
            f"Drift: canary {document['alarmed_at']:,} ({document['alarmed_at'] - BASELINE:,} after the baseline) "
            f"raised the alarm; there is evidence that the share of successes is below {document['floor']:.4g}. "
            "The alarm stands until a new baseline is begun."
        )
    if canaries == BASELINE:
        return "The baseline is complete; drift is watched from the next canary on."
    return f"No sign of drift in {canaries:,} canaries, {BASELINE} of which are the baseline."


def _promise(document: Mapping[str, Any]) -> str:
    """The false-alarm rate, with the condition under which it holds."""
    floor, arl = document["floor"], document["arl"]
    start = "Once the baseline is there: on average" if floor is None else "On average"
    place = "" if floor is None else f", {floor:.4g}"
    return (
        f"{start} at most one false alarm in {arl:,} canaries while the success rate stays above the floor{place} "
        f"(floor = lower 95 % bound of the baseline − tolerance {document['tolerance']:g}; the bound is one-sided)."
    )
