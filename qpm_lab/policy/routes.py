"""Which backend of a route is taken first, and why each other one is not: pure, on facts that somebody else gathers.

Machines are ranked by what the route names. Simulators come after all machines, in the order in which they are listed:
they are free, at hand and often without errors, so by any of those measures no machine would ever be taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from qpm_lab.experiment import BackendInfo, Decision, Quote, from_nano

By = Literal["listed", "cost", "availability", "fidelity"]
MOST_ATTEMPTS = 4
"""Of one job, over all backends."""
EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
"""Its members, whose codes a route may also name one by one."""
_NAMED = {"united states": "US", "united kingdom": "GB", "austria": "AT", "finland": "FI", "germany": "DE"}
"""Countries as vendors write them."""
_AREAS = {"eu": "EU", "us": "US", "ca": "CA"}
"""What the names of data centres begin with: `eu-north-1`, `us-east`."""


@dataclass(frozen=True, slots=True)
class Route:
    """Backends among which one is chosen for a job, as `routes.yaml` says."""

    id: str
    backends: tuple[str, ...]
    by: By = "listed"
    owner: str = ""
    jurisdictions: tuple[str, ...] | None = None
    """Where a machine may stand; None for anywhere."""
    legal_seats: tuple[str, ...] | None = None
    """Where the company that gets the circuit may have its seat; None for anywhere."""
    tiers: tuple[str, ...] | None = None
    max_attempts: int = MOST_ATTEMPTS
    fallback: bool = True
    """Whether the next backend is taken when one fails."""
    rerun_on_failed_validation: bool = False
    """Whether a result that does not meet its conditions is followed by a run on the next backend."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a route may ask of a backend's whereabouts; empty where nobody says."""

    local: bool = False
    """Nothing leaves this machine."""
    jurisdiction: str = ""
    legal_seat: str = ""
    tier: str = ""

    @classmethod
    def of(cls, info: BackendInfo, listed: Mapping[str, Any]) -> Place:
        """What a bundle lists of a backend, else what its provider says."""
        stands = listed.get("jurisdiction") or _country(info.region)
        seat = listed.get("legal_seat") or info.legal_seat
        return cls(bool(listed.get("local", info.local)), str(stands), str(seat), str(listed.get("tier", "")))


@dataclass(frozen=True, slots=True)
class Candidate:
    """One backend of a route with all that is known of it now."""

    id: str
    kind: Literal["simulator", "qpu"] = "qpu"
    place: Place = Place()
    trouble: str = ""
    """Why it cannot run a job at all, as a sentence: no key, not installed, not reachable, too small."""
    unreachable: bool = False
    """Its trouble is that its vendor does not answer: it is not chosen for that alone."""
    quote: Quote | None = None
    decision: Decision | None = None
    """What rules and quotas say of this job there."""
    available: bool | None = None
    """By its vendor; None when it was not asked or does not say."""
    queue: int | None = None
    """Jobs that wait."""
    queue_seconds: float | None = None
    fidelity: float | None = None
    """Predicted from reported errors; None where nobody can tell."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate's place; `rank` is None for one that is not taken."""

    rank: int | None
    candidate: Candidate
    why: str
    """Why it stands there, or why it is left out."""
    barred: bool = False
    """True when the route itself leaves it out, whatever else changes."""
    missed: bool = False
    """True when it would have been taken, had its vendor answered."""


def ranked(route: Route, candidates: Sequence[Candidate]) -> tuple[Ranked, ...]:
    """Every candidate: first those that can be taken, the best first, then those that cannot, with the reason.

    Args:
        route: What is asked for.
        candidates: In the order of the route.
    """
    places = {each.id: n for n, each in enumerate(candidates)}
    out = {each.id: found for each in candidates if (found := _why_not(route, each)) is not None}
    able = [each for each in candidates if each.id not in out]
    able.sort(key=lambda each: _key(route.by, places[each.id], each))
    first = _key(route.by, places[able[0].id], able[0]) if able else None

    def missed(each: Candidate) -> bool:
        return each.unreachable and (first is None or _key(route.by, places[each.id], each) < first)

    taken = [Ranked(n, each, _why(route.by, each, places[each.id])) for n, each in enumerate(able, 1)]
    left_out = [(each, *out[each.id]) for each in candidates if each.id in out]
    return (*taken, *(Ranked(None, each, why, bar, not bar and missed(each)) for each, why, bar in left_out))


def is_place(text: str) -> bool:
    """True for a country by its two letters, or EU."""
    return len(text) == 2 and text.isascii() and text.isalpha() and text.isupper()


def _why_not(route: Route, each: Candidate) -> tuple[str, bool] | None:
    """Why it is left out, and whether the route itself says so; None when it can be taken."""
    decision = each.decision
    if why := _misplaced(route, each.place):
        return why, True
    if each.trouble:
        return each.trouble, False
    if each.available is False:
        return "Its vendor says that it is not available now.", False
    return None if decision and decision.effect == "allow" else (_refusal(decision), False)


def _misplaced(route: Route, place: Place) -> str:
    if route.tiers is not None and place.tier not in route.tiers:
        return f"Its tier is {place.tier or 'not stated'}; the route takes {_either(route.tiers)}."
    if place.local:
        return ""
    if route.jurisdictions is not None and not _within(place.jurisdiction, route.jurisdictions):
        stands = place.jurisdiction or "a place not stated"
        return f"It stands in {stands}; the route takes {_either(route.jurisdictions)}."
    if route.legal_seats is not None and not _within(place.legal_seat, route.legal_seats):
        seat = place.legal_seat or "a place not stated"
        return f"Who gets the circuit has its seat in {seat}; the route takes {_either(route.legal_seats)}."
    return ""


def _refusal(decision: Decision | None) -> str:
    if decision is None or not decision.reasons:
        return "The rules say nothing of it."
    more = len(decision.reasons) - 1
    first = "It needs approval: " if decision.effect == "needs-approval" else "It is refused: "
    return f"{first}{decision.reasons[0].message}{f' And {more} more.' if more else ''}"


def _key(by: By, place: int, each: Candidate) -> tuple[Any, ...]:
    if by == "listed":
        return (place,)
    if each.kind == "simulator":
        return (1, place)
    return (0, *_MEASURES[by](each), place)


def _cost(each: Candidate) -> tuple[Any, ...]:
    high = each.quote.high if each.quote else None
    return (high is None, high or 0)


def _wait(each: Candidate) -> tuple[Any, ...]:
    """No queue first; then by seconds, where the vendor states those; then by jobs; then those who say nothing."""
    if each.queue == 0 or each.queue_seconds == 0:
        return (0, 0.0)
    if each.queue_seconds is not None:
        return (1, each.queue_seconds)
    return (3, 0.0) if each.queue is None else (2, float(each.queue))


def _fidelity(each: Candidate) -> tuple[Any, ...]:
    return (each.fidelity is None, -(each.fidelity or 0.0))


_MEASURES = {"cost": _cost, "availability": _wait, "fidelity": _fidelity}
assert {"listed", *_MEASURES} == set(get_args(By))


def _why(by: By, each: Candidate, place: int) -> str:
    if by == "listed":
        return f"Listed as number {place + 1}."
    if each.kind == "simulator":
        return "A simulator: after all machines."
    return {"cost": _told_cost, "availability": _told_wait, "fidelity": _told_fidelity}[by](each)


def _told_cost(each: Candidate) -> str:
    quote = each.quote
    if quote is None or quote.high is None:
        return "Nobody knows its price."
    return f"Costs at most {from_nano(quote.high)} {quote.currency}."


def _told_wait(each: Candidate) -> str:
    if each.queue == 0 or each.queue_seconds == 0:
        return "Nothing waits there."
    if each.queue_seconds is not None:
        return f"A wait of about {each.queue_seconds:,.0f} s."
    return "Its vendor does not say how long a job waits." if each.queue is None else f"{each.queue:,} jobs wait there."


def _told_fidelity(each: Candidate) -> str:
    if each.fidelity is None:
        return "Nobody can tell its errors beforehand."
    return f"Its reported errors predict a fidelity of {each.fidelity:.3f}."


def _within(place: str, allowed: Sequence[str]) -> bool:
    return bool(place) and (place in allowed or ("EU" in allowed and place in EU.split()))


def _either(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _country(region: str) -> str:
    """The country or EU of a region in a vendor's words; the words themselves where they name none that we know."""
    words = region.strip().lower()
    area = words.replace("(", " ").replace("-", " ").split()[:1]
    return _NAMED.get(words) or (_AREAS.get(area[0], region) if area else "")
