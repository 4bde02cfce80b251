"""Whatever a record holds within its schema, all four forms can be made of it."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qpm_lab.display import mimebundle, to_html, to_png, to_text
from qpm_lab.experiment import Status

from .reading import Page

text = st.text(max_size=20)
share = st.floats(0, 1) | st.none()
amount = st.decimals(-1000, 10**12, places=9, allow_nan=False).map(str)
real = st.floats(-3, 3) | st.none()
seconds = st.floats(0, 1e9) | st.none()
whole = st.integers(0, 10**9)


def record(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(fields)


bar = record(key=st.text("01 ", max_size=130), count=whole, share=share, low=share, high=share)
outcomes = record(
    level=st.just(0.95),
    method=text,
    total=whole,
    shown=st.lists(bar, max_size=12),
    hidden=record(outcomes=whole, count=whole, share=share),
)
estimand = text | st.sampled_from(["heavy-set outcome fidelity", "process fidelity", "Hellinger outcome fidelity"])
estimated: dict[str, st.SearchStrategy[Any]] = {
    "value": real,
    "low": real,
    "high": real,
    "level": st.floats(0.5, 1),
    "estimand": estimand,
    "method": text,
    "shots": whole,
    "reason": text | st.none() | st.just("ideal simulator: only sampling noise"),
    "shots_needed": whole | st.none(),
    "assumption": text | st.none(),
}
dispersion = record(blocks=whole, ratio=real, p_value=share, warning=text | st.none())
fidelity = record(**estimated) | record(
    **estimated,
    flag=st.sampled_from(["none", "amber", "red"]) | text,
    hellinger=record(**estimated) | st.none(),
    misfit_z=real,
    dispersion=dispersion | st.none(),
)
condition = record(
    text=text, passed=st.booleans(), value=real, low=real, high=real, threshold=real, reason=text | st.none()
)
circuit = record(
    fingerprint=text,
    name=text,
    qubits=whole,
    clbits=whole,
    depth=whole,
    gates=st.dictionaries(text, whole, max_size=3),
    two_qubit_gates=whole,
)
counts = st.dictionaries(st.text("01", max_size=5), whole, max_size=70)
block = record(
    circuit=circuit | st.none(),
    counts=counts | st.none(),
    outcomes=outcomes | st.none(),
    fidelity=fidelity | st.none(),
)
reason = record(
    rule=text, kind=text, message=text, fix=text, owner=text, severity=text, details=st.dictionaries(text, text)
)
decision = record(
    effect=st.sampled_from(["allow", "deny", "needs-approval"]),
    reasons=st.lists(reason, max_size=3),
    policy=text,
    policy_version=text,
)
quote = record(
    currency=text,
    low=amount | st.none(),
    expected=amount | st.none(),
    high=amount | st.none(),
    source=text,
    as_of=text,
    stale=st.booleans(),
    formula=text,
    qpu_seconds=amount,
)
quota = record(
    quota=text,
    measure=text,
    scope=text,
    key=text,
    window=st.sampled_from(["hour", "day", "month", "life", "job"]),
    unit=st.sampled_from(["shots", "jobs", "s", "USD", "HQC"]),
    limit=amount,
    used=amount,
    reserved=amount,
    left=amount,
    renews_at=text | st.none(),
    owner=text,
)
times = record(
    submitted_at=st.datetimes().map(lambda t: t.isoformat() + "Z") | text | st.none(),
    started_at=text | st.none(),
    ended_at=text | st.none(),
    queue_seconds=seconds,
    run_seconds=seconds,
    total_seconds=seconds,
)
judged: dict[str, st.SearchStrategy[Any]] = {
    "rerun": record(shots=whole, command=text, quote=quote | st.none()),
    "validation": record(
        passed=st.booleans(),
        conditions=st.lists(condition, max_size=3),
        attempts=whole,
        earlier=record(passed=whole, failed=whole),
    ),
    "companions": record(
        method=st.sampled_from(["mirror", "proxy"]) | text,
        circuits=whole,
        shots=whole,
        chosen_by=st.sampled_from(["auto", "user"]),
        assumption=text,
        digest=text | st.none(),
    ),
    "twirl": record(kind=st.sampled_from(["readout", "gates", "all"]) | text, variants=whole, seed=whole),
    "calibration": record(digest=text, description=text),
    "canary": record(
        series=text,
        successes=whole | st.none(),
        shots=whole,
        alarm=st.booleans() | st.none(),
        evidence=real,
        threshold=whole | st.none(),
        rate=record(low=real, high=real) | st.none(),
        canaries=whole | st.none(),
        text=text | st.none(),
    ),
}
documents = record(
    **{key: block | st.none() for key, block in judged.items()},
    schema=st.just(1),
    job_id=text | st.none(),
    name=text | st.none(),
    status=st.sampled_from([*Status, "dry_run"]).map(str),
    backend=text | st.none(),
    shots=whole | st.none(),
    seed=whole | st.none(),
    circuit=circuit | st.none(),
    labels=record(experiment=text | st.none(), project=st.none()) | st.none(),
    principal=st.none(),
    times=times | st.none(),
    usage=st.none(),
    decision=decision | st.none(),
    quote=quote | st.none(),
    cost=record(currency=text, amount=amount, basis=st.sampled_from(["quoted", "billed"])) | st.none(),
    counts=counts | st.none(),
    outcomes=outcomes | st.none(),
    fidelity=fidelity | st.none(),
    results=st.lists(block, max_size=6),
    quota=st.lists(quota, max_size=4),
    ledger=record(entry=whole, digest=text) | st.none(),
    notes=st.lists(text, max_size=2),
    error=record(type=text, message=text, hint=text) | st.none(),
    progress=record(done=whole, total=whole, unit=text, message=text) | st.none(),
    next=record(text=text, command=text | st.none()) | st.none(),
)
LIMITED = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@LIMITED
@given(documents)
def test_html_of_any_record_is_well_formed(document: dict[str, Any]) -> None:
    """Every element is closed, whatever the texts are."""
    assert Page(to_html(document)).faults == []


@LIMITED
@given(documents, st.integers(1, 200), st.sampled_from(["utf-8", "ascii", "cp437", "latin-1"]))
def test_text_of_any_record_can_be_printed(document: dict[str, Any], width: int, encoding: str) -> None:
    """In any terminal, however narrow and poor in characters."""
    printed = to_text(document, width=width, encoding=encoding)
    printed.encode(encoding)
    assert "\x1b" not in printed


@settings(LIMITED, max_examples=15)
@given(documents)
def test_any_record_can_be_drawn_and_bundled(document: dict[str, Any]) -> None:
    """Pictures do not raise either."""
    assert to_png(document).startswith(b"\x89PNG")
    assert mimebundle(document)["text/plain"]


@LIMITED
@given(st.sampled_from([float("nan"), float("inf"), "NaN", "Infinity", "1e999999", None, [], "x", 10**400]))
def test_a_figure_that_is_none_is_never_printed_as_one(value: Any) -> None:
    """Not a number is a dash or 'unknown', in each place where a figure stands."""
    rows = [{"key": "0", "count": value, "share": value, "low": value, "high": value}]
    document = {
        "status": "completed",
        "shots": value,
        "outcomes": {"level": value, "shown": rows, "hidden": {"outcomes": value, "share": value}},
        "fidelity": {"value": value, "low": value, "high": value, "level": value, "reason": None},
        "cost": {"currency": "USD", "amount": value, "basis": "quoted"},
        "times": {"run_seconds": value},
        "quota": [{"limit": value, "used": value, "unit": "USD"}],
    }
    drawn = to_text(document, encoding="utf-8")
    shown = to_html(document).partition('<div class="folds"')[0].partition("</style>")[2]
    assert not re.search(r"\b(nan|inf|infinity|none)\b", drawn + Page(shown).text, re.IGNORECASE)
