"""Circuits on their way to IonQ and its histograms on their way back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import CircuitError, ProviderError
from qpm_lab.providers.answers import whole_counts, words
from qpm_lab.providers.vendor import Parcel

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

_WHAT = "GET /jobs/ID/results/probabilities"
_LEFT_OUT = frozenset({"barrier", "delay", "id", "measure"})


@dataclass(frozen=True, slots=True)
class Sent:
    """One circuit as IonQ gets it."""

    circuit: QuantumCircuit
    """On the qubits it uses, numbered from 0, measured at its end."""
    measured: Mapping[int, int]
    """Classical bit → the qubit it is read from."""
    clbits: int

    @property
    def one_qubit_gates(self) -> int:
        return sum(len(each.qubits) == 1 for each in self.circuit.data if each.name not in _LEFT_OUT)

    @property
    def two_qubit_gates(self) -> int:
        return sum(len(each.qubits) > 1 for each in self.circuit.data if each.name not in _LEFT_OUT)


def flat(circuit: QuantumCircuit, number: int) -> Sent:
    """A circuit without what IonQ's gate list cannot express or does not need.

    Args:
        circuit: In IonQ's gates.
        number: Its place in the job, which becomes its name.

    Raises:
        CircuitError: A qubit is used after it was measured.
    """
    from qiskit import QuantumCircuit as Circuit

    useful = [each for each in circuit.data if each.name not in ("barrier", "delay", "id")]
    used = {bit for each in useful for bit in each.qubits}
    kept = [bit for bit in circuit.qubits if bit in used] or circuit.qubits[:1]
    place = {bit: index for index, bit in enumerate(kept)}
    plain = Circuit(len(kept), circuit.num_clbits, name=str(number))
    measured: dict[int, int] = {}
    for each in useful:
        qubits = [place[bit] for bit in each.qubits]
        if each.name == "measure":
            measured[circuit.find_bit(each.clbits[0]).index] = qubits[0]
            plain.measure(qubits[0], circuit.find_bit(each.clbits[0]).index)
        elif each.name == "reset" or set(qubits) & set(measured.values()):
            raise CircuitError(
                "IonQ measures at the end only; this circuit goes on after a measurement.", "Use aer/simulator."
            )
        else:
            plain.append(each.operation, qubits)
    return Sent(plain, measured, circuit.num_clbits)


def payload(parcel: Parcel, sent: list[Sent], debiasing: bool) -> dict[str, Any]:
    """The body of a submission: by IonQ's own translation, without what it says of this machine and its user."""
    from qiskit_ionq.constants import ErrorMitigation
    from qiskit_ionq.helpers import qiskit_to_ionq

    # Stands for IonQ's backend object, which asks the network for its number of qubits whenever it is made.
    options = SimpleNamespace(noise_model="ideal", sampler_seed=parcel.seed % 2**31, get=lambda name: None)
    backend = SimpleNamespace(name=parcel.backend, gateset=lambda: "qis", options=options)
    wanted = ErrorMitigation.DEBIASING if debiasing else ErrorMitigation.NO_DEBIASING
    arguments = {"shots": parcel.shots, "name": parcel.token}
    if parcel.backend != "simulator":
        arguments["error_mitigation"] = wanted
    circuits = [each.circuit for each in sent]
    body: dict[str, Any] = json.loads(
        qiskit_to_ionq(circuits if len(circuits) > 1 else circuits[0], backend, arguments)
    )
    del body["metadata"]
    return body


def counts(shares: Any, sent: Sent, parcel: Parcel) -> dict[str, int]:
    """A histogram over the classical bits, bit 0 rightmost, of IonQ's probabilities over the qubits.

    Raises:
        ProviderError: It is no such histogram.
    """
    if not isinstance(shares, Mapping) or not shares:
        raise ProviderError(f"IonQ's answer to {_WHAT} has no histogram.", "Report it.", uncertain=True)
    found: dict[str, float] = {}
    for key, share in shares.items():
        bits = _bits(_outcome(key, sent.circuit.num_qubits), sent)
        found[bits] = found.get(bits, 0) + _share(key, share)
    if parcel.backend != "simulator":
        return whole_counts(found, parcel.shots, vendor="IonQ", what=_WHAT)
    # The ideal simulator answers with exact probabilities: shots are drawn of them here.
    whole_counts(found, parcel.shots, vendor="IonQ", what=_WHAT)
    return _drawn(found, parcel)


def _outcome(key: str, qubits: int) -> int:
    if str(key).isascii() and str(key).isdigit() and len(str(key)) < 40 and int(key) < 2**qubits:
        return int(key)
    raise ProviderError(
        f"IonQ's answer to {_WHAT} has the unknown field {words(key)!r}: no outcome of {qubits} qubits.",
        "The vendor's API has changed. Update qpm_lab, or report it; nothing is guessed.",
        uncertain=True,
    )


def _share(key: str, share: Any) -> float:
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1 + 1e-9:
        raise ProviderError(
            f"IonQ's answer to {_WHAT} gives {words(key)!r} the probability {words(share)}.", "Report it."
        )
    return float(share)


def _bits(outcome: int, sent: Sent) -> str:
    read = [outcome >> sent.measured[bit] & 1 if bit in sent.measured else 0 for bit in range(sent.clbits)]
    return "".join(str(bit) for bit in reversed(read))


def _drawn(shares: Mapping[str, float], parcel: Parcel) -> dict[str, int]:
    import numpy as np

    keys = sorted(shares)
    weights = np.array([shares[key] for key in keys])
    drawn = np.random.default_rng(parcel.seed).multinomial(parcel.shots, weights / weights.sum())
    return {key: int(count) for key, count in zip(keys, drawn, strict=True) if count}


def seconds_between(start: Any, end: Any) -> float:
    """Between two times as IonQ writes them; 0 when it does not say one."""
    try:
        return max(0.0, (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())
    except (TypeError, ValueError):
        return 0.0
