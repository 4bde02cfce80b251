"""Routes: decision tables of the ranking, and what may stand in routes.yaml."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qpm_lab.experiment import BackendInfo, Decision, Quote, Reason
from qpm_lab.policy import Bundle
from qpm_lab.policy import test as rehearse
from qpm_lab.policy.routes import Candidate, Place, Route, ranked

ROOT = Path(__file__).resolve().parents[2]
ALLOWED = Decision("allow", (), "tests", "sha256:0")


def refused(effect: Any = "deny") -> Decision:
    return Decision(effect, (Reason("r", "rule", "Too dear.", ""),), "tests", "sha256:0")


def price(amount: int | None) -> Quote:
    return Quote("USD", amount, amount, amount, "a test", "2026-11-01")


def qpu(name: str, **facts: Any) -> Candidate:
    return Candidate(name, **{"decision": ALLOWED, "quote": price(5), **facts})


def simulator(name: str, **facts: Any) -> Candidate:
    return qpu(name, **{"kind": "simulator", "quote": price(0), "place": Place(local=True), **facts})


def order(route: Route, *candidates: Candidate) -> list[str]:
    return [each.candidate.id for each in ranked(route, candidates) if each.rank is not None]


def route(**choices: Any) -> Route:
    return Route("r", ("a", "b", "c"), **choices)


@pytest.mark.parametrize(
    ("by", "candidates", "expected"),
    [
        ("listed", [qpu("a", quote=price(9)), simulator("b"), qpu("c")], "abc"),
        ("cost", [qpu("a", quote=price(9)), qpu("b", quote=price(7)), qpu("c", quote=price(8))], "bca"),
        ("cost", [qpu("a"), qpu("b"), qpu("c")], "abc"),
        ("cost", [simulator("a"), qpu("b", quote=price(9)), qpu("c", quote=price(8))], "cba"),
        ("cost", [qpu("a", quote=price(None)), qpu("b", quote=price(99))], "ba"),
        ("availability", [qpu("a", queue=9), qpu("b", queue=2), qpu("c", queue=0)], "cba"),
        ("availability", [qpu("a"), qpu("b", queue=9), qpu("c", queue_seconds=900.0)], "cba"),
        ("availability", [simulator("a", queue=0), qpu("b", queue=500)], "ba"),
        ("availability", [qpu("a", available=False), qpu("b", available=True), qpu("c")], "bc"),
        ("fidelity", [qpu("a", fidelity=0.8), qpu("b", fidelity=0.9), qpu("c")], "bac"),
        ("fidelity", [simulator("a", fidelity=1.0), qpu("b", fidelity=0.1), qpu("c")], "bca"),
    ],
)
def test_what_is_taken_first(by: Any, candidates: list[Candidate], expected: str) -> None:
    """Machines by the measure, what nobody knows last; then simulators; ties as listed."""
    assert "".join(order(route(by=by), *candidates)) == expected


@pytest.mark.parametrize(
    ("candidate", "why"),
    [
        (qpu("a", trouble="It is not ready: no key."), "no key"),
        (qpu("a", decision=refused()), "It is refused: Too dear."),
        (qpu("a", decision=refused("needs-approval")), "It needs approval: Too dear."),
        (qpu("a", decision=None), "say nothing"),
        (qpu("a", available=False), "not available"),
    ],
)
def test_what_is_left_out_says_why(candidate: Candidate, why: str) -> None:
    """A backend that is not taken keeps its place in the table, with a reason."""
    (found,) = ranked(route(), [candidate])
    assert found.rank is None
    assert why in found.why
    assert not found.barred


@pytest.mark.parametrize(
    ("asked", "place", "taken"),
    [
        ({"jurisdictions": ("EU",)}, Place(jurisdiction="FI", legal_seat="US"), True),
        ({"jurisdictions": ("EU",)}, Place(jurisdiction="EU"), True),
        ({"jurisdictions": ("EU",)}, Place(jurisdiction="US"), False),
        ({"jurisdictions": ("EU",)}, Place(), False),
        ({"jurisdictions": ("FI",)}, Place(jurisdiction="EU"), False),
        ({"jurisdictions": ("EU",)}, Place(local=True), True),
        ({"legal_seats": ("EU", "GB")}, Place(legal_seat="GB"), True),
        ({"legal_seats": ("EU",)}, Place(jurisdiction="FI", legal_seat="US"), False),
        ({"tiers": ("premium",)}, Place(tier="premium"), True),
        ({"tiers": ("premium",)}, Place(tier="free", local=True), False),
        ({"tiers": ("premium",)}, Place(), False),
    ],
)
def test_what_a_route_bars(asked: Any, place: Place, taken: bool) -> None:
    """What nobody states is not within; what runs on this machine goes nowhere."""
    (found,) = ranked(route(**asked), [qpu("a", place=place)])
    assert (found.rank is not None) == taken
    assert found.barred == (not taken)


@pytest.mark.parametrize(
    ("region", "seat", "listed", "jurisdiction"),
    [
        ("United States", "US", {}, "US"),
        ("EU (IQM Resonance)", "FI", {}, "EU"),
        ("eu-north-1", "US", {}, "EU"),
        ("us-east", "US", {}, "US"),
        ("Austria", "AT", {}, "AT"),
        ("Atlantis", "AT", {}, "Atlantis"),
        ("eu-north-1", "US", {"jurisdiction": "FI"}, "FI"),
        ("", "", {}, ""),
    ],
)
def test_where_a_backend_stands(region: str, seat: str, listed: Any, jurisdiction: str) -> None:
    """The bundle's word counts before the vendor's; a place that we do not know is none that a route can name."""
    info = BackendInfo("v/m", "", 5, "qpu", False, True, region=region, legal_seat=seat)
    assert Place.of(info, listed).jurisdiction == jurisdiction


@pytest.mark.parametrize(
    ("by", "candidates", "missed"),
    [
        ("listed", [qpu("a", trouble="down", unreachable=True), simulator("b")], ["a"]),
        ("listed", [qpu("a"), qpu("b", trouble="down", unreachable=True)], []),
        ("listed", [qpu("a", trouble="no key"), simulator("b")], []),
        ("cost", [simulator("a"), qpu("b", trouble="down", unreachable=True)], ["b"]),
        ("cost", [qpu("a", quote=price(1)), qpu("b", quote=price(9), trouble="down", unreachable=True)], []),
    ],
)
def test_which_backends_are_missed(by: Any, candidates: list[Candidate], missed: list[str]) -> None:
    """One that would have been taken had its vendor answered: taking another is a fallback."""
    assert [each.candidate.id for each in ranked(route(by=by), candidates) if each.missed] == missed


@given(
    st.lists(
        st.builds(
            Candidate,
            id=st.uuids().map(str),
            kind=st.sampled_from(["qpu", "simulator"]),
            decision=st.sampled_from([None, ALLOWED, refused()]),
            quote=st.none() | st.integers(0, 9).map(price),
            available=st.sampled_from([None, True, False]),
            queue=st.none() | st.integers(0, 9),
            queue_seconds=st.none() | st.floats(0, 9),
            fidelity=st.none() | st.floats(0, 1),
        ),
        max_size=8,
    ),
    st.sampled_from(["listed", "cost", "availability", "fidelity"]),
)
def test_every_candidate_is_told_once_and_only_allowed_ones_are_taken(found: list[Candidate], by: Any) -> None:
    """Whatever the facts: nobody disappears, ranks are 1, 2, 3 and the rules are never overruled."""
    rows = ranked(route(by=by), found)
    assert sorted(row.candidate.id for row in rows) == sorted(each.id for each in found)
    taken = [row for row in rows if row.rank is not None]
    assert [row.rank for row in taken] == list(range(1, len(taken) + 1))
    assert all(row.candidate.decision == ALLOWED and row.why for row in taken)
    assert all(row.why for row in rows)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("by: whim", "routes.0.by"),
        ("jurisdictions: [Europe]", "'Europe' is not a place"),
        ("legal_seats: []", "routes.0.legal_seats"),
        ("tiers: premium", "routes.0.tiers"),
        ("max_attempts: 5", "routes.0.max_attempts"),
        ("max_attempts: true", "routes.0.max_attempts"),
        ("fallback: sometimes", "routes.0.fallback"),
        ("rerun_on_failed_validation: 1", "routes.0.rerun_on_failed_validation"),
        ("rerun: true", "routes.0.rerun"),
        ("backends: [aer/noisy, aer/noisy]", "listed twice"),
        ("backends: [aer/unheard-of]", "not listed in entities.json"),
    ],
)
def test_a_fault_in_a_route_is_told_with_its_line(tmp_path: Path, line: str, fault: str) -> None:
    """A slip of the pen makes the bundle refuse everything instead of meaning something else."""
    lines = ["routes:", "  - id: r", "    owner: me"]
    lines += [f"    {line}"] + ([] if line.startswith("backends") else ["    backends: [aer/noisy]"])
    problems = loaded(tmp_path, "\n".join(lines)).problems
    assert len(problems) == 1
    assert problems[0].startswith("routes.yaml:")
    assert fault in problems[0]


def test_a_route_id_given_twice_is_a_fault(tmp_path: Path) -> None:
    """The second one would never be reached."""
    one = "  - {id: r, owner: me, backends: [aer/noisy]}"
    (problem,) = loaded(tmp_path, f"routes:\n{one}\n{one}").problems
    assert "given twice" in problem


def test_a_route_means_what_it_says(tmp_path: Path) -> None:
    """All fields arrive; what is left out has the cautious value."""
    whole = "jurisdictions: [EU], legal_seats: [FI, AT], tiers: [premium], max_attempts: 2, fallback: false"
    first = f"{{id: r, owner: me, backends: [aer/noisy], by: cost, {whole}, rerun_on_failed_validation: true}}"
    second = "{id: s, owner: me, backends: [aer/simulator, aer/noisy]}"
    bundle = loaded(tmp_path, f"routes:\n  - {first}\n  - {second}")
    assert bundle.problems == ()
    one, other = bundle.routes
    assert one == Route("r", ("aer/noisy",), "cost", "me", ("EU",), ("FI", "AT"), ("premium",), 2, False, True)
    assert other == Route("s", ("aer/simulator", "aer/noisy"), "listed", "me")


@pytest.mark.parametrize(
    ("row", "got"),
    [
        ("{name: n, route: simulate, expect: [aer/simulator]}", "aer/simulator, pennylane/lightning.qubit"),
        ("{name: n, route: other, expect: []}", "there is no route 'other'"),
        ("{name: n, route: simulate, queues: {aer/noisy: 1}, expect: []}", "'aer/noisy' is not in the route"),
    ],
)
def test_a_wrong_row_of_a_bundle_fails(tmp_path: Path, row: str, got: str) -> None:
    """What a bundle promises of its routes is run like what it promises of its rules."""
    folder = tmp_path / "bundle"
    shutil.copytree(ROOT / "policies" / "personal", folder)
    text = (folder / "tests.yaml").read_text()
    (folder / "tests.yaml").write_text(text[: text.index("\nroutes:")] + f"\nroutes:\n  - {row}\n")
    (found,) = [each for each in rehearse(folder).rows if not each.ok]
    assert got in found.got


def loaded(tmp_path: Path, routes: str) -> Bundle:
    folder = tmp_path / "bundle"
    shutil.copytree(ROOT / "policies" / "personal", folder, dirs_exist_ok=True)
    (folder / "routes.yaml").write_text(routes + "\n")
    return Bundle.load(folder)
