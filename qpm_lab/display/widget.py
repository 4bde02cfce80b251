"""`%qform`: a job by mouse. The only file that uses ipywidgets; the record of a job is still its card."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import ipywidgets as widgets

from qpm_lab.display.card import reasons_html
from qpm_lab.display.listings import quote_line
from qpm_lab.display.markup import Html, el, join, style
from qpm_lab.errors import DeniedError, QpmError

MAX_SHOTS = 10**9
MAX_CIRCUITS = 1000
"""Longest list of circuits that is looked through for the menu."""
CIRCUIT_TYPES = frozenset({"QuantumCircuit", "QNode", "QuantumScript", "QuantumTape"})
SDKS = ("qiskit", "pennylane")
NOTHING = "(no circuit yet: define one in a cell, then press Refresh)"
WIDE = {"description_width": "90px"}


class FormLab(Protocol):
    """What the form asks of a lab; `qpm_lab.Lab` has it."""

    def backend_ids(self) -> list[str]: ...
    def quote(self, circuit: Any, **options: Any) -> Any: ...
    def explain(self, circuit: Any, **options: Any) -> Any: ...
    @property
    def submit(self) -> Callable[..., Any]: ...


class JobForm:
    """Circuit, backend, shots and experiment, with quote and decision following each change.

    Args:
        lab: Where to quote, explain and submit.
        namespace: The user's variables; circuits among them are offered by name.

    `widget` is what to display. Nothing a lab raises leaves the form: it is shown in it.
    """

    def __init__(self, lab: FormLab, namespace: Mapping[str, Any]) -> None:
        self._lab = lab
        self._namespace = namespace
        self.circuit = widgets.Dropdown(description="Circuit", tooltip="A circuit among your variables", style=WIDE)
        self.refresh = widgets.Button(description="Refresh", tooltip="Look for circuits again")
        self.backend = widgets.Dropdown(description="Backend", tooltip="Where to run", style=WIDE)
        self.shots = widgets.BoundedIntText(
            1024, min=1, max=MAX_SHOTS, description="Shots", tooltip="Shots of each circuit", style=WIDE
        )
        self.experiment = widgets.Text(
            description="Experiment",
            placeholder="optional: a series this job belongs to",
            tooltip="The named series this job belongs to",
            continuous_update=False,
            style=WIDE,
        )
        self.verdict = widgets.HTML()
        self.errors = widgets.HTML()
        self.submit = widgets.Button(description="Submit", tooltip="Run the job", button_style="primary", disabled=True)
        self.output = widgets.Output()
        rows = [widgets.HBox([self.circuit, self.refresh]), self.backend, self.shots, self.experiment]
        self.widget = widgets.VBox([*rows, self.verdict, self.errors, self.submit, self.output])
        self._fill()
        self._connect()
        self._look()

    def choose(self, name: str) -> None:
        """Selects the circuit of that name; an unknown name changes nothing."""
        self._find_circuits()
        if name in dict(self.circuit.options):
            self.circuit.value = name

    def _repr_mimebundle_(self, **keywords: Any) -> Any:
        return self.widget._repr_mimebundle_(**keywords)

    def _fill(self) -> None:
        self._find_circuits()
        with self._shown_errors():
            self.backend.options = tuple(self._lab.backend_ids())
            self.backend.value = next(iter(self.backend.options), None)

    def _find_circuits(self) -> None:
        names, chosen = circuit_names(self._namespace), self.circuit.value
        self.circuit.options = [(name, name) for name in names] or [(NOTHING, "")]
        self.circuit.value = chosen if chosen in names else self.circuit.options[0][1]

    def _connect(self) -> None:
        for field in (self.circuit, self.backend, self.shots, self.experiment):
            field.observe(self._look, names="value")
        self.refresh.on_click(self._refreshed)
        self.submit.on_click(self._submitted)

    def _refreshed(self, _: object = None) -> None:
        self._find_circuits()
        self._look()

    def _options(self) -> dict[str, Any]:
        return {
            "backend": self.backend.value,
            "shots": self.shots.value,
            "experiment": self.experiment.value.strip() or None,
        }

    def _look(self, _: object = None) -> None:
        """Quotes and decides for what is in the fields now."""
        self.submit.disabled = True
        self.verdict.value = self.errors.value = ""
        circuit = self._namespace.get(self.circuit.value or "")
        if circuit is None or not self.backend.value:
            return
        with self._shown_errors():
            quote = self._lab.quote(circuit, **self._options())
            decision = self._lab.explain(circuit, **self._options())
            self.verdict.value = _verdict(quote.to_dict(), decision.to_dict())
            self.submit.disabled = decision.effect != "allow"

    def _submitted(self, _: object = None) -> None:
        """Runs the job and leaves its card below the form."""
        self.submit.disabled, self.submit.description = True, "Running …"
        with self._shown_errors():
            job = self._lab.submit(self._namespace[self.circuit.value], **self._options())
            self._show(job)
            try:
                job.result()
            finally:
                self._show(job)
        said = self.errors.value
        self.submit.description = "Submit"
        self._look()
        self.errors.value = said or self.errors.value

    def _show(self, job: Any) -> None:
        bundle = job._repr_mimebundle_()
        self.output.outputs = ({"output_type": "display_data", "data": bundle, "metadata": {}},)

    @contextmanager
    def _shown_errors(self) -> Iterator[None]:
        """Shows what goes wrong inside the form; a callback that raises would be lost in a log."""
        try:
            yield
        except DeniedError as error:
            self.errors.value = _framed(el("b", "Denied."), reasons_html(error.decision.to_dict()))
        except QpmError as error:
            self.errors.value = _framed(el("b", error.message), el("p", error.hint))
        except Exception as error:
            self.errors.value = _framed(el("b", f"{type(error).__name__}: {error}"), el("p", "Nothing was run."))


def _verdict(quote: Mapping[str, Any], decision: Mapping[str, Any]) -> str:
    words = {"allow": "It would be allowed.", "deny": "It would be denied."}
    word = words.get(str(decision.get("effect")), "It would need approval.")
    reasons = reasons_html(decision) if decision.get("reasons") else None
    return _framed(el("p", quote_line({"quote": quote})), el("p", el("b", word)), reasons)


def _framed(*children: Html | None) -> str:
    return str(el("div", style("table.css"), join(*children), class_="qpm-table", role="status"))


def circuit_names(namespace: Mapping[str, Any]) -> Sequence[str]:
    """Names of the variables that can be submitted, told by type name so that no SDK is imported."""
    return sorted(n for n, v in list(namespace.items()) if not n.startswith("_") and _is_circuit(v))


def _is_circuit(value: Any) -> bool:
    if isinstance(value, str):
        return value.lstrip()[:8].upper() == "OPENQASM"
    if isinstance(value, list | tuple):
        return 0 < len(value) <= MAX_CIRCUITS and all(map(_is_one_circuit, value))
    return _is_one_circuit(value)


def _is_one_circuit(value: object) -> bool:
    kinds = type(value).__mro__
    return any(k.__name__ in CIRCUIT_TYPES and k.__module__.partition(".")[0] in SDKS for k in kinds)
