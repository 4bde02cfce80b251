"""The form follows each change, refuses what would be refused, and never raises into the kernel."""

from __future__ import annotations

from typing import Any

import pytest
from IPython.core.formatters import DisplayFormatter
from qiskit import QuantumCircuit

from qpm_lab.display import JobForm, mimebundle
from qpm_lab.errors import CircuitError, DeniedError, ProviderError
from qpm_lab.experiment import Decision, Quote, Reason

from . import documents

VERSION = "sha256:9c41"
TOO_MANY = Reason("limit.shots", "rule", "You asked for <b>too</b> many shots.", "Ask for at most 5,000.", "lab")


class FakeJob:
    """A job that is running until its result is asked for."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.document = documents.running()

    def _repr_mimebundle_(self) -> dict[str, Any]:
        return mimebundle(self.document)

    def result(self) -> None:
        if self.failure:
            self.document = documents.gallery()["failed"]
            raise self.failure
        self.document = documents.completed()


class FakeLab:
    """Allows up to 5,000 shots and remembers what it was asked."""

    def __init__(self) -> None:
        self.submitted: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.failure: Exception | None = None
        self.trouble: Exception | None = None

    def backend_ids(self) -> list[str]:
        return ["aer/simulator", "aer/noisy"]

    def quote(self, circuit: Any, **options: Any) -> Quote:
        self.asked.append(options)
        if self.trouble:
            raise self.trouble
        price = int(options["shots"]) * 10**6 if options["backend"] == "aer/noisy" else 0
        return Quote("USD", price, price, price, "local simulation is free", "2026-07-23")

    def explain(self, circuit: Any, **options: Any) -> Decision:
        reasons = (TOO_MANY,) if options["shots"] > 5000 else ()
        return Decision("deny" if reasons else "allow", reasons, "personal", VERSION)

    def submit(self, circuit: Any, **options: Any) -> FakeJob:
        self.submitted.append({"circuit": circuit, **options})
        decision = self.explain(circuit, **options)
        if decision.effect != "allow":
            raise DeniedError(decision)
        return FakeJob(self.failure)


def space() -> dict[str, Any]:
    return {"bell": QuantumCircuit(2), "x": 3, "_9": QuantumCircuit(1), "q": "OPENQASM 3; qubit a;", "s": "hello"}


@pytest.fixture
def lab() -> FakeLab:
    return FakeLab()


@pytest.fixture
def form(lab: FakeLab) -> JobForm:
    return JobForm(lab, space())


def test_circuits_are_offered_by_name_and_nothing_else_is(form: JobForm) -> None:
    """Qiskit circuits and OpenQASM text; not numbers, not IPython's own history."""
    assert [name for name, _ in form.circuit.options] == ["bell", "q"]


def test_pennylane_and_lists_are_circuits_too(lab: FakeLab) -> None:
    """Told by their type, so that no SDK has to be imported for it."""
    node = type("QNode", (), {"__module__": "pennylane.workflow.qnode"})()
    stranger = type("QNode", (), {"__module__": "somewhere"})()
    names = {"node": node, "pair": [QuantumCircuit(1), QuantumCircuit(1)], "other": stranger, "empty": []}
    assert [name for name, _ in JobForm(lab, names).circuit.options] == ["node", "pair"]


def test_quote_and_decision_follow_each_change(form: JobForm) -> None:
    """A new backend changes the price, more shots the verdict."""
    assert "$0.00" in form.verdict.value
    assert "It would be allowed." in form.verdict.value
    form.backend.value = "aer/noisy"
    assert "$1.024" in form.verdict.value
    form.shots.value = 5001
    assert "It would be denied." in form.verdict.value


def test_submit_is_only_possible_when_it_would_be_allowed(form: JobForm) -> None:
    """The reasons stand beside the disabled button, escaped."""
    assert not form.submit.disabled
    form.shots.value = 6000
    assert form.submit.disabled
    assert "&lt;b&gt;too&lt;/b&gt; many shots" in form.verdict.value
    assert "Ask for at most 5,000." in form.verdict.value
    form.shots.value = 5000
    assert not form.submit.disabled


def test_submit_ends_in_the_same_card_as_a_cell(form: JobForm, lab: FakeLab) -> None:
    """What is in the fields is what is submitted; the output holds the job's own bundle."""
    form.choose("q")
    form.shots.value = 2000
    form.experiment.value = " bell-family "
    form.submit.click()
    sent = {"circuit": "OPENQASM 3; qubit a;", "backend": "aer/simulator", "shots": 2000}
    assert lab.submitted == [{**sent, "experiment": "bell-family"}]
    assert form.output.outputs[0]["data"] == mimebundle(documents.completed())
    assert form.submit.description == "Submit"
    assert not form.submit.disabled


def test_a_failed_job_leaves_its_card_and_its_hint(form: JobForm, lab: FakeLab) -> None:
    """The card says what failed, the form what to do."""
    lab.failure = ProviderError("The worker died.", "Use fewer qubits.")
    form.submit.click()
    assert "Failed" in form.output.outputs[0]["data"]["text/plain"]
    assert "The worker died." in form.errors.value
    assert "Use fewer qubits." in form.errors.value


def test_a_refusal_at_the_last_moment_shows_every_reason(form: JobForm, lab: FakeLab) -> None:
    """Somebody else may have used the quota up between the look and the click."""
    lab.explain = lambda *a, **o: Decision("deny", (TOO_MANY,), "personal", VERSION)
    form.submit.click()
    assert "Denied." in form.errors.value
    assert "limit.shots" in form.errors.value
    assert form.output.outputs == ()


@pytest.mark.parametrize("trouble", [CircuitError("Gate <u> is unknown.", "Decompose it."), RuntimeError("boom")])
def test_no_error_leaves_the_form(form: JobForm, lab: FakeLab, trouble: Exception) -> None:
    """It is shown, submitting is off, and the next change may put it right."""
    lab.trouble = trouble
    form.shots.value = 7
    assert form.submit.disabled
    assert ("Gate &lt;u&gt; is unknown." in form.errors.value) or ("boom" in form.errors.value)
    lab.trouble = None
    form.shots.value = 8
    assert form.errors.value == ""
    assert not form.submit.disabled


def test_without_a_circuit_the_form_says_how_to_begin(lab: FakeLab) -> None:
    """A circuit defined later is found by Refresh."""
    names: dict[str, Any] = {}
    form = JobForm(lab, names)
    assert "define one in a cell" in form.circuit.options[0][0]
    assert form.submit.disabled
    names["bell"] = QuantumCircuit(2)
    form.refresh.click()
    assert form.circuit.value == "bell"
    assert not form.submit.disabled


def test_a_variable_that_vanished_cannot_be_submitted(lab: FakeLab) -> None:
    """Deleting it does not break the form."""
    names = space()
    form = JobForm(lab, names)
    del names["bell"]
    form.shots.value = 9
    assert form.submit.disabled
    form.refresh.click()
    assert form.circuit.value == "q"


def test_every_field_has_a_name_for_screen_readers(form: JobForm) -> None:
    """Description and tooltip on each control."""
    fields = (form.circuit, form.backend, form.shots, form.experiment, *form.more.fields)
    for control in (*fields, form.refresh, form.submit):
        assert control.description
        assert control.tooltip


@pytest.mark.parametrize("typed", [0, -3, 99999999999, 1.5])
def test_shots_reach_the_lab_as_they_were_typed(form: JobForm, lab: FakeLab, typed: float) -> None:
    """The lab says what is wrong with them; the form never runs another number instead."""
    form.shots.value = typed
    assert lab.asked[-1]["shots"] == typed
    assert isinstance(lab.asked[-1]["shots"], type(typed))
    assert form.shots.value == typed


def test_what_is_left_empty_is_not_passed_on(form: JobForm, lab: FakeLab) -> None:
    """The lab's own defaults stay in force."""
    form.submit.click()
    assert set(lab.submitted[0]) == {"circuit", "backend", "shots", "experiment"}
    assert form.more.widget.selected_index is None
    assert form.more.classification.label == "as the policy says"


def test_labels_seed_and_arguments_can_be_given(form: JobForm, lab: FakeLab) -> None:
    """Everything a policy may require is in the form, and quote, decision and job get the same."""
    form.more.cost_center.value = " chem "
    form.more.project.value = "ghz"
    form.more.classification.value = "internal"
    form.more.seed.value = "7"
    form.more.arguments.value = "0.1, [2, 3]"
    more = {"cost_center": "chem", "project": "ghz", "classification": "internal", "seed": 7, "args": (0.1, [2, 3])}
    form.submit.click()
    for asked in (lab.asked[-1], lab.submitted[0]):
        assert {name: asked[name] for name in more} == more


@pytest.mark.parametrize("typed", ["0.1, x", "__import__('os')", "0.1][0", "((", "[" * 9_000, "1," * 9_000])
def test_arguments_that_are_no_literals_are_refused_in_the_form(form: JobForm, typed: str) -> None:
    """Nothing typed there is run; the form says what to write."""
    form.more.arguments.value = typed
    assert form.submit.disabled
    assert "Write Python literals" in form.errors.value
    form.more.arguments.value = "0.1,"
    assert form.errors.value == ""
    assert not form.submit.disabled


def test_a_seed_that_is_no_number_is_refused_in_the_form(form: JobForm) -> None:
    """It is not silently left out."""
    form.more.seed.value = "seven"
    assert form.submit.disabled
    assert "is not a whole number" in form.errors.value


def test_a_saved_form_says_how_to_use_it_again(form: JobForm) -> None:
    """Viewers without the kernel get words instead of the names of Python classes."""
    with_kernel = "application/vnd.jupyter.widget-view+json"
    formatted, _ = DisplayFormatter().format(form.widget)
    assert formatted["text/plain"] == "A form; run the cell again to use it."
    assert "<p>A form; run the cell again to use it.</p>" in formatted["text/html"]
    assert formatted[with_kernel]["model_id"] == form.widget.model_id


def test_no_field_is_wider_than_its_page(form: JobForm) -> None:
    """Fields share one greatest width and shrink below it."""
    for control in (form.circuit, form.backend, form.shots, form.experiment, *form.more.fields):
        assert (control.layout.width, control.layout.min_width, control.layout.max_width) == ("auto", "0", "420px")
