"""How many shots a fidelity needs to be as exact as asked, and what they would cost on which backends."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from qpm_lab import circuits, fidelity, pricing, providers
from qpm_lab.circuits import Prepared
from qpm_lab.errors import CapacityError, InputError, QpmError
from qpm_lab.experiment import BackendInfo
from qpm_lab.providers.interface import Task
from qpm_lab.runner.extras import extras
from qpm_lab.runner.naming import own_name
from qpm_lab.runner.order import Order, checked
from qpm_lab.runner.plan import Plan, find_backend

if TYPE_CHECKING:
    from qpm_lab.fidelity import ShotPlan
    from qpm_lab.runner.runner import Runner

NOTHING_TO_PLAN = "ideal simulator: no fidelity to plan, sampling noise only"
OPTIONS = ("experiment", "project", "cost_center", "classification", "max_cost", "fidelity", "twirl")


@dataclass(frozen=True, slots=True)
class Precision:
    """How exact the fidelity has to be."""

    half_width: float
    """Half the width of its interval."""
    level: float = 0.95


def shot_plan(
    runner: Runner, order: Order, wanted: Precision, backends: str | Sequence[str] | None = None, prefix: str = "%%qjob"
) -> dict[str, Any]:
    """A document with a row for each backend: shots, price, verdict of the rules, and what to write.

    Args:
        runner: Quotes and judges; nothing is recorded or held.
        order: The circuit and the options of the job; its shots count where other circuits measure the fidelity.
        wanted: How exact it has to be.
        backends: An id or several; all that can run or be quoted when None.
        prefix: What stands before the options in the command of a row.

    Raises:
        InputError: the circuit, an option or a backend cannot be used.
    """
    prepared = circuits.prepare(order.source, parameters=order.parameters, args=order.args)
    if any(each.bindings for each in prepared):
        raise InputError("The fidelity of a sweep is not planned.", "Give one circuit with all values in place.")
    if checked(order).fidelity == "none":
        raise InputError("--fidelity none leaves nothing to plan.", "Leave it out.")
    if order.fidelity is None and runner.envelope is not None:
        # Within a session a job measures no fidelity unless it says so.
        order = replace(order, fidelity="auto")
    plain = replace(order, source=list(prepared), parameters=None, args=())
    inquiry = _Inquiry(runner, plain, prepared, wanted, f"{prefix}{_values(order)}")
    infos = _named(backends) if backends else _all()
    # What has nothing to plan comes last.
    rows = sorted((inquiry.row(info) for info in dict.fromkeys(infos)), key=lambda row: row["measured"] == "none")
    return {
        "half_width": wanted.half_width,
        "level": wanted.level,
        "circuit": prepared[0].facts.to_dict(),
        "circuits": len(prepared),
        "name": order.name or own_name(prepared[0].facts.name) or "circuit",
        "reason": inquiry.refusal,
        "rows": rows,
    }


def _named(backends: str | Sequence[str]) -> list[BackendInfo]:
    if not isinstance(backends, Sequence):
        raise InputError("backends must be a list of ids.", 'Write backends=["aer/noisy"].')
    return [find_backend(name) for name in ([backends] if isinstance(backends, str) else backends)]


def _all() -> list[BackendInfo]:
    return [*providers.all_backends(), *pricing.catalogue_backends()]


class _Inquiry:
    """One question put to several backends."""

    def __init__(
        self, runner: Runner, order: Order, prepared: Sequence[Prepared], wanted: Precision, prefix: str
    ) -> None:
        self._runner = runner
        self._order = order
        self._prepared = prepared
        self._wanted = wanted
        self._prefix = prefix
        _require_precision(wanted)
        self._by_others = order.fidelity in ("mirror", "proxy")
        ideals = [] if self._by_others else [runner.ideals.of(p.circuit, p.facts.fingerprint) for p in prepared]
        self._ideals = [ideal.probabilities for ideal in ideals]
        self._by_others = self._by_others or any(ideal is None for ideal in self._ideals)
        self._worst = None if self._by_others else self._needed(None)
        self.refusal = self._worst.reason if self._worst and self._worst.shots is None else None

    def row(self, info: BackendInfo) -> dict[str, Any]:
        """What one backend has to say."""
        row = {**_blank(info), "command": None}
        if not info.noisy:
            return row | {"measured": "none", "reason": NOTHING_TO_PLAN}
        try:
            self._require_width(info)
            return row | (self._with_others(info) if self._by_others else self._with_histogram(info))
        except QpmError as error:
            return row | {"measured": "none", "reason": f"{error.message} {error.hint}".strip()}

    def _require_width(self, info: BackendInfo) -> None:
        """That the circuits have no more qubits than the backend.

        Raises:
            CapacityError: one has.
        """
        widest = max(each.facts.qubits for each in self._prepared)
        if widest > info.qubits:
            raise CapacityError(f"The circuit has {widest:,} qubits; {info.id} takes {info.qubits:,}.")

    def _with_histogram(self, info: BackendInfo) -> dict[str, Any]:
        worst = self._worst
        assert worst is not None
        if worst.shots is None:
            return {"measured": "histogram", "reason": worst.reason, "reachable": False}
        predicted = self._predicted(info)
        likely = None if predicted is None else self._needed(predicted).shots_expected
        known = {"measured": "histogram", "shots_expected": likely, "predicted_fidelity": predicted}
        known |= {"reachable": True, "half_width_expected": self._wanted.half_width}
        return known | self._judged(info, worst.shots)

    def _with_others(self, info: BackendInfo) -> dict[str, Any]:
        """The fidelity is measured by further circuits, whose number is fixed: the job's own shots do not matter."""
        found = self._judged(info, self._order.shots)
        further = found["companions"]
        if further is None:
            nothing = {"measured": "none", "shots": None, "total_shots": None, "quote": None, "command": None}
            return found | nothing | {"reason": found["reason"] or self._nothing_measures()}
        found |= {"measured": further["method"], **self._how_exact(further)}
        # Shots and a command would promise what the further circuits cannot keep.
        return found if found["reachable"] else found | {"shots": None, "total_shots": None, "command": None}

    def _nothing_measures(self) -> str:
        if len(self._prepared) == 1:
            return "Nothing measures the fidelity of this circuit here."
        return "Further circuits measure one circuit of a job only: plan each by itself."

    def _how_exact(self, further: dict[str, Any]) -> dict[str, Any]:
        """Whether the further circuits, of a fixed number, meet the half-width on any machine, and in words."""
        number, each, wanted = further["circuits"], further["shots"], self._wanted.half_width
        if further["method"] == "mirror" or each > 1:
            reason = (
                f"± {wanted:g} cannot be promised here: {number:,} further circuits of {each:,} shots measure it; how "
                "exact they are depends on the machine, and more shots of the job itself change nothing."
            )
            return {"reachable": False, "half_width_expected": None, "reason": reason}
        worst = _proxies_at_worst(number, self._wanted.level)
        if worst <= wanted:
            reason = f"{number:,} further circuits of 1 shot measure it to ± {worst:g} or better, which is enough."
        else:
            reason = (
                f"± {wanted:g} is not reachable here: further circuits give ± {worst:g} in the worst case, and this "
                f"version runs no more. Plan for --half-width {worst:g}."
            )
        return {"reachable": worst <= wanted, "half_width_expected": worst, "reason": reason}

    def _judged(self, info: BackendInfo, shots: int) -> dict[str, Any]:
        plan, decision = self._runner.explain(replace(self._order, backend=info.id, shots=shots))
        if info.state == "ready" and decision.effect == "allow":
            _require_able(plan)
        further = plan.request.companions
        told = further and {"method": further.method, "circuits": further.circuits, "shots": further.shots}
        return {
            "shots": shots,
            "total_shots": plan.request.total_shots,
            "companions": told,
            "quote": plan.quote.to_dict(),
            "decision": decision.to_dict(),
            "reason": plan.no_fidelity,
            "command": f"{self._prefix} --backend {info.id} --shots {shots}{_written(self._order)}",
        }

    def _needed(self, predicted: float | None) -> ShotPlan:
        """For the most demanding of the circuits."""
        plans = [
            fidelity.plan_shots(
                ideal,
                self._wanted.half_width,
                self._wanted.level,
                fidelity=predicted,
                bits=providers.measured_bits(each.circuit),
            )
            for ideal, each in zip(self._ideals, self._prepared, strict=True)
            if ideal is not None
        ]
        return max(plans, key=lambda plan: float("inf") if plan.shots is None else plan.shots)

    def _predicted(self, info: BackendInfo) -> float | None:
        """The expected success probability of the least reliable circuit; None where nobody knows the errors."""
        if info.state != "ready":
            return None
        target = providers.target(info.id)
        found = [
            fidelity.expected_success_probability(providers.routed(info.id, each.circuit), target).value
            for each in self._prepared
        ]
        known = [value for value in found if value is not None]
        return min(known) if len(known) == len(found) else None


def _require_precision(wanted: Precision) -> None:
    """That it can be planned for, by whatever it is measured.

    Raises:
        InputError: half-width or level is out of range.
    """
    try:
        fidelity.plan_shots(None, wanted.half_width, wanted.level, method="proxy")
    except InputError as error:
        error.hint = error.hint or "Use 0.02."
        raise
    except OverflowError:
        raise InputError(f"The confidence level {wanted.level!r} is too near to 1.", "Use 0.95.") from None


def _require_able(plan: Plan) -> None:
    """That the backend would take the job, as it is asked at submission.

    Raises:
        ProviderError: it is too large for it.
        CircuitError: an instruction or a twirl cannot be had there.
    """
    task = Task(
        backend=plan.request.backend,
        circuits=tuple(each.circuit for each in plan.prepared),
        shots=plan.request.shots,
        seed=plan.drawn_seed,
        forms=tuple(each.form for each in plan.prepared),
    )
    further = extras(plan, task)
    for each in [task] if further is None else further.samples():
        providers.provider_of(task.backend.id).check(each)


def _proxies_at_worst(number: int, level: float) -> float:
    """Half the interval's width of `number` Clifford proxies of one shot, at fidelity 0, where it is widest.

    h = z/√N (Flammia and Liu, arXiv:1104.4695), rounded up to two digits so that it can be asked for.
    """
    from scipy.special import ndtri

    exact = min(1.0, float(ndtri((1 + level) / 2)) / math.sqrt(number))
    unit: float = 10.0 ** (math.floor(math.log10(exact)) - 1)
    return min(1.0, float(f"{math.ceil(exact / unit) * unit:.2g}"))


def _blank(info: BackendInfo) -> dict[str, Any]:
    keys = "measured reachable half_width_expected shots shots_expected predicted_fidelity companions total_shots"
    keys += " quote decision reason"
    note = None if info.state == "ready" else info.note or None
    return {"backend": info.id, "state": info.state, "note": note, **dict.fromkeys(keys.split())}


def _values(order: Order) -> str:
    """The circuit's arguments and fixed values, as they are typed."""
    pairs = [("parameter", f"{getattr(key, 'name', key)}={value}") for key, value in (order.parameters or {}).items()]
    if order.args:
        pairs.append(("args", ", ".join(map(repr, order.args))))
    return as_typed(pairs)


def _written(order: Order) -> str:
    """The options of the job that were given, as they are typed."""
    conditions = [order.validate] if isinstance(order.validate, str) else order.validate
    pairs = [*((name, getattr(order, name)) for name in OPTIONS), *(("validate", each) for each in conditions if each)]
    return as_typed(pairs)


def as_typed(pairs: Iterable[tuple[str, Any]]) -> str:
    """Options as they stand in a command, each after a space; those without a value are left out."""
    given = ((name.replace("_", "-"), shlex.quote(str(value))) for name, value in pairs if value is not None)
    return "".join(f" --{name} {value}" for name, value in given)
