"""The broker: which backend a route gives, what it says of the others, and when a vendor is left alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qpm_lab import Lab, QuotaError, doubles
from qpm_lab.doubles import RunningDouble
from qpm_lab.errors import CapacityError, InputError, ProviderError
from qpm_lab.runner.breaker import OUTAGES, Breakers
from tests.runner.routed import IDEAL, ION, NOISY, bundle, lab_with, nothing_held
from tests.runner.victims import ghz

KEYS = {"backend", "rank", "why", "barred", "price", "decision", "available", "queue", "queue_seconds"}


@pytest.fixture(scope="module")
def double() -> Iterator[RunningDouble]:
    with doubles.started("ionq") as running:
        yield running


@pytest.fixture
def open_lab(home: Path, tmp_path: Path, double: RunningDouble, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    double.reset()
    made: list[Lab] = []

    def make(*routes: Any, **options: Any) -> Lab:
        folder = bundle(tmp_path / "routes", *routes, **options)
        monkeypatch.setenv("QPM_POLICIES", str(folder))
        made.append(lab_with(home, double, folder, monkeypatch))
        return made[-1]

    yield make
    for lab in made:
        lab.close()


def run(lab: Lab, backend: str) -> Any:
    job = lab.submit(ghz(), backend=backend, shots=50)
    job.result(30)
    return job.record()


def test_auto_is_the_route_of_that_name_else_the_first(open_lab: Any) -> None:
    """A bundle may say what auto means; any other route is named."""
    first, second = {"id": "first", "backends": [IDEAL]}, {"id": "second", "backends": [NOISY]}
    assert run(open_lab(first, second), "auto")["backend"] == IDEAL
    assert run(open_lab(first, second | {"id": "auto"}), "auto")["backend"] == NOISY
    assert run(open_lab(first, second), "route:second")["route"]["name"] == "second"


@pytest.mark.parametrize(
    ("routes", "backend", "hint"),
    [
        ([], "auto", "routes.yaml"),
        ([{"id": "one", "backends": [IDEAL]}], "route:two", "route:one"),
        ([{"id": "one", "backends": [IDEAL]}], "route:", "route:one"),
    ],
)
def test_a_route_that_is_not_there_says_what_to_write(open_lab: Any, routes: Any, backend: str, hint: str) -> None:
    """Nothing is recorded for it."""
    lab = open_lab(*routes)
    before = lab.head()
    with pytest.raises(InputError) as error:
        lab.submit(ghz(), backend=backend, shots=50)
    assert hint in error.value.hint
    assert lab.head() == before


def test_a_backend_without_key_is_passed_by_and_is_no_fallback(open_lab: Any) -> None:
    """What was never ready has not failed."""
    lab = open_lab({"id": "auto", "backends": ["quantinuum/H2-1", NOISY]})
    record = run(lab, "auto")
    assert (record["backend"], record["usage"]["fallback"]) == (NOISY, False)
    left_out = record["route"]["ranked"][1]
    assert left_out["rank"] is None
    assert left_out["why"].startswith("It is not ready")


def test_when_none_can_run_it_every_reason_is_told(open_lab: Any) -> None:
    """Nothing is reserved, and the error names each backend."""
    lab = open_lab({"id": "auto", "backends": ["quantinuum/H2-1", "ibm/ibm_torino"]})
    with pytest.raises(ProviderError, match=r"quantinuum/H2-1: .* ibm/ibm_torino: "):
        lab.submit(ghz(), backend="auto", shots=50)
    assert nothing_held(lab)


def test_a_job_too_large_for_the_first_goes_to_the_next(open_lab: Any) -> None:
    """A noisy simulator holds fewer qubits than an ideal one."""
    from qiskit import QuantumCircuit

    wide = QuantumCircuit(24)
    wide.h(0)
    wide.measure_all()
    lab = open_lab({"id": "auto", "backends": [NOISY, IDEAL]})
    document = lab.explain_route(wide, shots=10)
    assert document["chosen"] == IDEAL
    assert "qubits" in document["rows"][1]["why"]


def test_explaining_shows_every_backend_and_leaves_no_trace(open_lab: Any, double: RunningDouble) -> None:
    """Prices, verdicts, waits and predictions of all; nothing is recorded, held or sent."""
    lab = open_lab({"id": "auto", "backends": [ION, "quantinuum/H2-1", NOISY], "by": "cost"})
    before = lab.head()
    document = lab.explain_route(ghz(), shots=50)
    rows = {row["backend"]: row for row in document["rows"]}
    assert (document["chosen"], document["rows"][0]["backend"]) == (ION, ION)
    assert all(row.keys() >= KEYS for row in document["rows"])
    assert float(rows[ION]["price"]["high"]) > 0
    assert rows[ION]["available"] is True
    assert 0 < rows[ION]["expected_fidelity"] < 1
    assert 0 < rows[NOISY]["expected_fidelity"] < 1
    assert rows["quantinuum/H2-1"]["rank"] is None
    assert json.loads(json.dumps(document)) == document
    assert lab.head() == before
    assert double.submissions() == []


def test_a_quote_and_a_dry_run_take_the_same_backend(open_lab: Any) -> None:
    """What is explained is what would happen."""
    lab = open_lab({"id": "auto", "backends": ["quantinuum/H2-1", NOISY]})
    document = lab.dry_run(ghz(), backend="auto", shots=50)
    assert (document["backend"], document["route"]["chosen"]) == (NOISY, NOISY)
    assert document["decision"]["effect"] == "allow"
    assert lab.quote(ghz(), backend="auto", shots=50).high == 0


def test_only_a_route_can_be_explained_as_one(open_lab: Any) -> None:
    """A named backend is explained by itself."""
    with pytest.raises(InputError, match="not a route"):
        open_lab({"id": "auto", "backends": [NOISY]}).explain_route(ghz(), backend=NOISY)


def test_a_vendor_that_is_down_is_asked_once_for_its_availability(open_lab: Any, double: RunningDouble) -> None:
    """By availability one that does not answer is not available, and taking the other is a fallback."""
    lab = open_lab({"id": "auto", "backends": [ION, NOISY], "by": "availability"})
    double.faults(outage=1.0)
    record = run(lab, "auto")
    assert (record["backend"], record["usage"]["fallback"]) == (NOISY, True)
    assert "503" in record["route"]["ranked"][1]["why"]


def test_a_route_in_a_session_draws_from_it(open_lab: Any) -> None:
    """A loop over auto is one envelope."""
    lab = open_lab({"id": "auto", "backends": [NOISY]})
    with lab.session(max_jobs=2):
        run(lab, "auto")
        run(lab, "auto")
        with pytest.raises(QuotaError):
            lab.submit(ghz(), backend="auto", shots=50)
    assert nothing_held(lab)


@pytest.mark.parametrize(
    ("error", "opens"),
    [
        (ProviderError("down", retryable=True), True),
        (ProviderError("lost", uncertain=True), True),
        (ProviderError("a bad circuit"), False),
        (CapacityError("too large"), False),
    ],
)
def test_a_breaker_opens_after_outages_and_not_after_refusals(error: ProviderError, opens: bool) -> None:
    """What the caller sees is the vendor's error each time, until it is open."""
    breakers = Breakers()
    for _ in range(OUTAGES):
        with pytest.raises(ProviderError) as seen:
            breakers.send(ION, lambda: failing(error))
        assert seen.value is error
    assert (breakers.seconds_left(ION) > 0) == opens
    assert breakers.seconds_left(NOISY) == 0


def test_outages_count_only_in_a_row() -> None:
    """A submission that was taken begins the count anew; a question that was answered does not."""
    breakers, down = Breakers(), ProviderError("down", retryable=True)
    for act in (breakers.send, breakers.send):
        with pytest.raises(ProviderError):
            act(ION, lambda: failing(down))
    assert breakers.send(ION, lambda: "taken") == "taken"
    for _ in range(2):
        with pytest.raises(ProviderError):
            breakers.send(ION, lambda: failing(down))
        breakers.ask(ION, lambda: "well")
    assert breakers.seconds_left(ION) == 0
    with pytest.raises(ProviderError):
        breakers.ask(ION, lambda: failing(down))
    assert breakers.seconds_left(ION) > 0


def test_a_breaker_is_half_open_after_its_pause() -> None:
    """One call decides: an outage opens it again, a success closes it."""
    breakers, down = Breakers(outages=1, pause_seconds=0.0), ProviderError("down", retryable=True)
    for _ in range(2):
        with pytest.raises(ProviderError, match="down"):
            breakers.send(ION, lambda: failing(down))
    assert breakers.send(ION, lambda: "taken") == "taken"


def test_an_open_breaker_keeps_a_backend_out_of_routes_and_refuses_named_jobs(
    open_lab: Any, double: RunningDouble
) -> None:
    """The route says why; a job that names the backend ends before anything is reserved or asked."""
    lab = open_lab({"id": "auto", "backends": [ION, NOISY]})
    for _ in range(OUTAGES):
        with pytest.raises(ProviderError):
            lab.runner.breakers.send(ION, lambda: failing(ProviderError("down", retryable=True)))
    record = run(lab, "auto")
    assert (record["backend"], record["usage"]["fallback"]) == (NOISY, True)
    assert "in a row" in record["route"]["fallback"]["because"]
    before = lab.head()
    with pytest.raises(ProviderError, match="in a row") as refused:
        lab.submit(ghz(), backend=ION, shots=50)
    assert refused.value.retryable
    assert lab.head() == before
    assert double.submissions() == []


def test_the_command_line_explains_a_route(open_lab: Any, tmp_path: Path, capsys: Any) -> None:
    """The same document as JSON and as a table; 5 when no backend would take the job."""
    from qpm_lab.cli import main

    open_lab({"id": "mine", "backends": ["quantinuum/H2-1", NOISY]}, {"id": "none", "backends": ["quantinuum/H2-1"]})
    file = tmp_path / "bell.qasm"
    file.write_text('OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; h q[0]; cx q[0],q[1]; measure q -> c;')
    assert main(["explain", str(file), "--route", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["route"], document["chosen"]) == ("mine", NOISY)
    assert main(["explain", str(file), "--route"]) == 0
    assert "Route mine" in capsys.readouterr().out
    assert main(["explain", str(file), "--route", "--backend", "route:none"]) == 5


def failing(error: Exception) -> Any:
    raise error
