"""The benchmark runs; what it measures is left to `make bench`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
TRACKERS = Path(__file__).parent / "trackers"
HERE = ("sweep", "wide_circuit", "vqe", "sweep_memory", "governed_job")


def run(*arguments: str, **environment: str) -> str:
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, check=True, stdout=subprocess.PIPE, text=True, timeout=240
    )
    return done.stdout


def test_every_comparison_here_runs_and_ends_on_the_page(tmp_path: Path) -> None:
    """A quick run measures every comparison of this environment and writes the page with its picture."""
    page = tmp_path / "performance.md"
    printed = run("benchmarks", "--quick", "--only", *HERE, "--output", str(page))
    text = page.read_text(encoding="utf-8")
    for name in HERE:
        assert f"`benchmarks/{name}.py`" in text
    rows = [line for line in text.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == 4 + 2 + 7 + 2 + 2
    assert f"{len(rows)} comparisons" in printed
    assert page.with_suffix(".svg").read_text(encoding="utf-8").count("\u2265 10\u00d7") == 4


def test_the_trackers_are_compared_job_by_job() -> None:
    """With stand-ins for devqubit and MLflow the comparison of trackers runs to its findings."""
    from benchmarks.tracked_jobs import AGAINST

    document = json.loads(run("benchmarks.tracked_jobs", "--quick", "--json", PYTHONPATH=str(TRACKERS)))
    assert [finding["against"] for finding in document["findings"]] == list(AGAINST.values())


@pytest.mark.parametrize("every", [False, True])
def test_contenders_of_the_sweep_do_the_same_work(every: bool) -> None:
    """Governed, sampler and loop read as many points and shots."""
    from benchmarks import sweep
    from benchmarks.comparison import fresh_lab

    circuit, values = sweep.sweep(4, every)
    with fresh_lab() as lab:
        contenders = sweep.contenders(lab, circuit, values)
        assert {work() for work in contenders.values()} == {4 * sweep.SHOTS}


def test_energies_of_the_vqe_agree() -> None:
    """At one place every way to write the step gives the exact energy of H2 within its noise."""
    from qiskit.quantum_info import Statevector

    from benchmarks import vqe
    from benchmarks.circuits import angles, ansatz
    from benchmarks.comparison import fresh_lab
    from benchmarks.energies import BASES, HAMILTONIAN, energy

    place = angles(ansatz(4, 2).num_parameters)
    exact = Statevector(ansatz(4, 2).assign_parameters(place)).expectation_value(HAMILTONIAN).real
    with fresh_lab() as lab:
        ways = {**vqe.circuits(lab, BASES, energy), **vqe.estimators(lab), **vqe.devices(lab)}
        found = {name: way(place) for name, way in ways.items()}
    # One shot of the energy spreads by less than the sum of the coefficients, 1.9 Ha; 1,024 of them by 0.06 Ha.
    assert found == pytest.approx(dict.fromkeys(found, exact), abs=5 * 0.06)
    assert np.linalg.eigvalsh(HAMILTONIAN.to_matrix())[0] == pytest.approx(-1.13728, abs=1e-4)
