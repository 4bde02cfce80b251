"""The further circuits of a job whose exact distribution cannot be computed: which, how many, at what price.

Method: mirror circuits (Proctor et al., arXiv:2204.07568) or Clifford proxies (direct fidelity estimation, Flammia and
Liu, arXiv:1104.4695); docs/fidelity.md says what each measures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from qpm_lab import circuits, pricing, providers
from qpm_lab.errors import CircuitError, InputError, ProviderError
from qpm_lab.experiment import CircuitFacts, Companions, Quote, Request

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

MIRRORS = (90, 100)
"""Circuits, over three families, and shots of each."""
PROXIES = ((2000, 1), (100, 20))
"""Circuits and shots of each: exact by one shot per circuit, or few enough where a vendor charges per circuit."""
METHODS = ("mirror", "proxy")
LEAVE_OUT = "Leave out --fidelity, or write --fidelity none."
SAMPLING_ONLY = "ideal simulator, sampling noise only"
CLIFFORD = "nothing beyond independent shots: it is a Clifford circuit, which is measured itself, with random inputs"
PROXY = "the same circuit with random Clifford gates for its single-qubit gates errs as the circuit itself does"
COHERENT = f"{PROXY}; coherent errors, which nothing here twirls, can make it read too high"
MIRROR = "an error of the randomised inverse is stochastic and independent of those of the circuit"
GENERATOR = 1
"""Version of how companions follow from circuit, number and seed."""


Price = Callable[[Request], Quote]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What makes the companions of one circuit, and makes them again."""

    method: Literal["mirror", "proxy"]
    number: int
    shots: int
    """Of each."""
    seed: int
    assumption: str
    chosen_by: Literal["auto", "user"]
    routed: QuantumCircuit
    """The circuit as the backend executes it."""

    def facts(self, fingerprint: str) -> Companions:
        """What rules and prices see of them."""
        return Companions(self.method, self.number, self.shots, _largest(self.routed, self.method, fingerprint))

    @property
    def note(self) -> str:
        """What the card says when they were not asked for by name."""
        what = "Clifford proxies" if self.method == "proxy" else "mirror circuits"
        chosen = "chosen by --fidelity auto; --fidelity none leaves them out"
        by = f" ({chosen})" if self.chosen_by == "auto" else ""
        shots = "1 shot" if self.shots == 1 else f"{self.shots:,} shots"
        return f"{self.number:,} further circuits, {what}, of {shots} each measure the fidelity{by}."

    def told(self) -> dict[str, Any]:
        """What the ledger keeps, beside the routed circuit."""
        return {
            "method": self.method,
            "circuits": self.number,
            "shots": self.shots,
            "seed": self.seed,
            "generator": GENERATOR,
            "chosen_by": self.chosen_by,
            "assumption": self.assumption,
        }

    @classmethod
    def read(cls, told: Mapping[str, Any], routed: QuantumCircuit) -> Recipe | None:
        """The inverse of `told`; None for companions that follow from it in another way than today's do."""
        if told["generator"] != GENERATOR:
            return None
        names = ("method", "shots", "seed", "assumption", "chosen_by")
        return cls(number=told["circuits"], routed=routed, **{name: told[name] for name in names})


def wanted(
    method: str,
    twirl: str | None,
    prepared: tuple[circuits.Prepared, ...],
    request: Request,
    seed: int,
    price: Price = pricing.quote,
) -> Recipe | str | None:
    """The companions of a job, or a sentence why `auto` takes none, or None when none are needed.

    Args:
        method: `auto`, `mirror`, `proxy` or `none`.
        twirl: How the job's own circuits are twirled.
        prepared: Its circuits.
        request: The request without companions.
        seed: From which theirs follows.
        price: Quotes a request.

    Raises:
        InputError: they were asked for by name and cannot be had.
    """
    asked = method in METHODS
    if not request.backend.noisy:
        # The same cell runs on a simulator first; what would be measured there is 1 by construction.
        return SAMPLING_ONLY if asked else None
    single = len(prepared) == 1 and prepared[0].bindings is None
    if asked and not single:
        raise InputError("Further circuits measure the fidelity of one circuit at a time.", LEAVE_OUT)
    if not asked and (method == "none" or not single or providers.why_no_ideal(prepared[0].circuit) is None):
        return None
    try:
        return _recipe(method, twirl in ("gates", "all"), prepared[0].circuit, request, seed, price)
    except CircuitError as error:
        if asked:
            raise InputError(error.message, LEAVE_OUT) from error
        return f"{error.message} Neither an exact distribution nor further circuits can be had of it."


def cheapest(recipe: Recipe, request: Request, price: Price = pricing.quote) -> Recipe:
    """The layout of the same method that costs least on this backend; the first where they cost the same."""
    if recipe.method != "proxy":
        return recipe
    layouts = [replace(recipe, number=number, shots=shots) for number, shots in PROXIES]
    fingerprint = request.circuits[0].fingerprint

    def cost(layout: Recipe) -> float:
        high = price(replace(request, companions=layout.facts(fingerprint))).high
        return float("inf") if high is None else high

    return min(layouts, key=cost)


def _recipe(method: str, twirled: bool, circuit: QuantumCircuit, request: Request, seed: int, price: Price) -> Recipe:
    routed = _routed(circuit, request)
    clifford = circuits.is_clifford(routed)
    chosen_by: Literal["auto", "user"] = "user" if method in METHODS else "auto"
    if method == "proxy" or (chosen_by == "auto" and (clifford or twirled)):
        assumption = CLIFFORD if clifford else PROXY if twirled else COHERENT
        number, shots = PROXIES[0]
        return cheapest(Recipe("proxy", number, shots, seed, assumption, chosen_by, routed), request, price)
    number, shots = MIRRORS
    return Recipe("mirror", number, shots, seed, MIRROR, chosen_by, routed)


def _routed(circuit: QuantumCircuit, request: Request) -> QuantumCircuit:
    """As the backend executes it. Where nobody can tell yet it is quoted all the same, by the circuit as written."""
    if request.backend.state != "ready":
        return circuit
    try:
        return providers.routed(request.backend.id, circuit)
    except ProviderError:
        if request.backend.local:
            raise
        return circuit  # the vendor cannot be asked: the submission will say so


def _largest(routed: QuantumCircuit, method: str, fingerprint: str) -> CircuitFacts:
    """No companion has more: a mirror circuit is the circuit and its inverse, and a single-qubit gate, written `u`,
    stands at most before each end of a two-qubit gate and twice at the beginning and end of each qubit.
    """
    times = 2 if method == "mirror" else 1
    wide: dict[str, int] = {}
    for each in routed.data:
        if len(each.qubits) > 1 and each.name != "barrier":
            wide[each.name] = wide.get(each.name, 0) + times
    run = circuits.executed(routed)
    qubits = len({bit for each in routed.data if each.name != "barrier" for bit in each.qubits})
    layers = times * routed.depth(lambda each: len(each.qubits) > 1 and each.name != "barrier")
    return CircuitFacts(
        fingerprint=fingerprint,
        qubits=qubits,
        clbits=qubits,
        depth=2 * layers + 5,
        gates={**wide, "u": 2 * sum(wide.values()) + 4 * qubits},
        two_qubit_gates=sum(wide.values()),
        name=method,
        one_qubit_gates=2 * times * run.wide.total() + times * run.one_qubit + 4 * qubits,
        measurements=qubits + times * run.measurements,
        wide_gates={width: times * count for width, count in run.wide.items()},
        countable=run.countable,
    )
