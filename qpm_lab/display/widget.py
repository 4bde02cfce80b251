"""`%qform`: a job by mouse; the record of a job is still its card."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import ipywidgets as widgets

from qpm_lab.circuits.names import circuit_names
from qpm_lab.display.card import reasons_html
from qpm_lab.display.fields import MoreOptions, field, text, with_button
from qpm_lab.display.listings import quote_line
from qpm_lab.display.markup import Html, el, join, style
from qpm_lab.errors import DeniedError, QpmError

NOTHING = "(no circuit yet: define one in a cell, then press Refresh)"
GONE = "A form; run the cell again to use it."
"""What a saved notebook says in its place once the kernel is gone."""


class FormLab(Protocol):
    """What the form asks of a lab; `qpm_lab.Lab` has it."""

    def backend_ids(self) -> list[str]: ...
    def quote(self, circuit: Any, **options: Any) -> Any: ...
    def explain(self, circuit: Any, **options: Any) -> Any: ...
    @property
    def submit(self) -> Callable[..., Any]: ...


class JobForm:
    """Circuit, backend, shots, experiment and more, with quote and decision following each change.

    Args:
        lab: Where to quote, explain and submit.
        namespace: The user's variables; circuits among them are offered by name.

    `widget` is what to display. Nothing a lab raises leaves the form: it is shown in it.
    """

    def __init__(self, lab: FormLab, namespace: Mapping[str, Any]) -> None:
        self._lab = lab
        self._namespace = namespace
        self.circuit = field(widgets.Dropdown, "Circuit", "A circuit among your variables")
        self.refresh = widgets.Button(description="Refresh", tooltip="Look for circuits again")
        self.backend = field(widgets.Dropdown, "Backend", "Where to run")
        # Not an integer field: that would run 1 shot for '1e6' or '1.5' instead of refusing.
        self.shots = field(widgets.FloatText, "Shots", "Shots of each circuit", value=1024, step=1)
        hint = "optional: a series this job belongs to"
        self.experiment = text("Experiment", "The named series this job belongs to", hint)
        self.more = MoreOptions()
        self.verdict = widgets.HTML()
        self.errors = widgets.HTML()
        self.submit = widgets.Button(description="Submit", tooltip="Run the job", button_style="primary", disabled=True)
        self.output = widgets.Output()
        self.widget = self._laid_out()
        self._fill()
        self._connect()
        self._look()

    def _laid_out(self) -> Any:
        looks = widgets.HTML(str(style("form.css")), layout=widgets.Layout(display="none"))
        circuit = with_button(self.circuit, self.refresh)
        fields = [circuit, self.backend, self.shots, self.experiment, self.more.widget]
        box = widgets.VBox([looks, *fields, self.verdict, self.errors, self.submit, self.output])
        box.add_class("qpm-form")
        live = box._repr_mimebundle_
        box._repr_mimebundle_ = lambda **keywords: _with_words(live(**keywords))
        return box

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
        names, chosen = sorted(circuit_names(dict(self._namespace))), self.circuit.value
        self.circuit.options = [(name, name) for name in names] or [(NOTHING, "")]
        self.circuit.value = chosen if chosen in names else self.circuit.options[0][1]

    def _connect(self) -> None:
        for control in (self.circuit, self.backend, self.shots, self.experiment, *self.more.fields):
            control.observe(self._look, names="value")
        self.refresh.on_click(self._refreshed)
        self.submit.on_click(self._submitted)

    def _refreshed(self, _: object = None) -> None:
        self._find_circuits()
        self._look()

    def _options(self) -> dict[str, Any]:
        shots = self.shots.value
        return {
            "backend": self.backend.value,
            "shots": int(shots) if shots.is_integer() else shots,
            "experiment": self.experiment.value.strip() or None,
            **self.more.given(),
        }

    def _look(self, _: object = None) -> None:
        """Quotes and decides for what is in the fields now."""
        self.submit.disabled = True
        self.verdict.value = self.errors.value = ""
        circuit = self._namespace.get(self.circuit.value or "")
        if circuit is None or not self.backend.value:
            return
        with self._shown_errors():
            options = self._options()
            quote = self._lab.quote(circuit, **options)
            decision = self._lab.explain(circuit, **options)
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


def _with_words(bundle: Mapping[str, Any]) -> dict[str, Any]:
    """The bundle of the live form, with words for viewers that have no kernel to draw it."""
    return {**bundle, "text/plain": GONE, "text/html": str(el("p", GONE))}


def _verdict(quote: Mapping[str, Any], decision: Mapping[str, Any]) -> str:
    words = {"allow": "It would be allowed.", "deny": "It would be denied."}
    word = words.get(str(decision.get("effect")), "It would need approval.")
    reasons = reasons_html(decision) if decision.get("reasons") else None
    return _framed(el("p", quote_line({"quote": quote})), el("p", el("b", word)), reasons)


def _framed(*children: Html | None) -> str:
    return str(el("div", style("table.css"), join(*children), class_="qpm-table", role="status"))
