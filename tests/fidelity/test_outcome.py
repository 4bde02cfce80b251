"""The headline, its companion and the flag."""

from __future__ import annotations

import json

import numpy as np
import pytest

from acceptance.cases import readout, trotter
from qpm_lab.errors import InputError
from qpm_lab.experiment import Estimate
from qpm_lab.fidelity import (
    FLAG_WORDS,
    OutcomeFidelity,
    estimate_from_dict,
    heavy_fidelity,
    hellinger_fidelity,
    outcome_fidelity,
)

BELL = {"00": 0.5, "11": 0.5}
COUNTS = {"00": 480, "11": 500, "01": 20}


def test_the_headline_and_the_companion_are_what_they_are_alone() -> None:
    """Nothing is changed by showing them together."""
    found, alone = outcome_fidelity(COUNTS, BELL), heavy_fidelity(COUNTS, BELL)
    assert Estimate.to_dict(found) == alone.to_dict()
    assert found.hellinger == hellinger_fidelity(COUNTS, BELL)
    assert (found.flag, found.dispersion) == ("none", None)
    assert found.misfit_z is not None


@pytest.mark.parametrize("setting", [(5, 12, 0.4, 0.8, 0.4), (8, 12, 0.4, 0.5, 0.4), (10, 12, 0.4, 0.5, 0.3)])
def test_a_coherent_error_is_red_though_the_headline_is_good(setting: tuple[int, int, float, float, float]) -> None:
    """A trotterised chain whose ZZ angles are too large: F_H near 1, the state nearly lost, every histogram red."""
    right, wrong = trotter(*setting[:-1], 0.0), trotter(*setting)
    ideal, noisy = abs(right) ** 2, abs(wrong) ** 2
    draw = np.random.default_rng(5)
    found = [outcome_fidelity(draw.multinomial(1_000, noisy / noisy.sum()), ideal) for _ in range(50)]
    assert abs(np.vdot(right, wrong)) ** 2 < 0.25
    assert np.mean([((each.low or 0) + (each.high or 0)) / 2 for each in found]) > 0.95
    assert {each.flag for each in found} == {"red"}


@pytest.mark.parametrize("shots", [30, 100, 1_000, 1_000_000])
@pytest.mark.parametrize("strength", [0.0, 0.1, 0.6, 1.0])
def test_white_noise_is_not_red(strength: float, shots: int) -> None:
    """Of 60 histograms at most one, at any strength and number of shots."""
    draw = np.random.default_rng(3)
    ideal = draw.dirichlet(np.full(64, 0.5))
    noisy = (1 - strength) * ideal + strength / 64
    flags = [outcome_fidelity(draw.multinomial(shots, noisy), ideal).flag for _ in range(60)]
    assert flags.count("red") <= 1


def test_small_deviations_are_amber() -> None:
    """Bit flips of 2 % and many shots: not white noise, but F_H does not mislead."""
    draw = np.random.default_rng(9)
    ideal = draw.dirichlet(np.full(64, 0.5))
    noisy = readout(0.02, 0.02)(ideal)
    found = outcome_fidelity(draw.multinomial(200_000, noisy), ideal)
    assert found.flag == "amber"
    assert found.misfit_z is not None
    assert found.misfit_z > 3


def test_every_flag_has_words() -> None:
    """The sentence of the red flag is the one people are promised."""
    assert set(FLAG_WORDS) == {"none", "amber", "red"}
    assert FLAG_WORDS["red"] == "the errors are not white noise: this fidelity may flatter the circuit"


def test_a_uniform_ideal_keeps_its_companion() -> None:
    """Without contrast there is no headline; the overlap with the uniform distribution is still bounded."""
    found = outcome_fidelity({"0": 5_050, "1": 4_950}, [0.5, 0.5])
    assert (found.value, found.low, found.high, found.flag) == (None, None, None, "none")
    assert found.hellinger is not None
    assert (found.hellinger.low or 0) > 0.99
    stuck = outcome_fidelity({"0": 10_000}, [0.5, 0.5])
    assert stuck.flag == "amber"
    assert stuck.hellinger is not None
    assert (stuck.hellinger.high or 1) < 0.99


def test_it_survives_json() -> None:
    """What is recorded comes back equal, with its nested values."""
    blocks = [{"00": 50, "11": 48, "01": 2}] * 10
    found = outcome_fidelity({"00": 500, "11": 480, "01": 20}, BELL, blocks=blocks)
    assert found.dispersion is not None
    document = json.loads(json.dumps(found.to_dict()))
    assert estimate_from_dict(document) == found
    assert isinstance(estimate_from_dict(document), OutcomeFidelity)
    plain = heavy_fidelity(COUNTS, BELL)
    assert estimate_from_dict(json.loads(json.dumps(plain.to_dict()))) == plain


def test_a_document_without_its_keys_is_refused() -> None:
    """Half an estimate is none."""
    with pytest.raises(InputError):
        estimate_from_dict({"value": 0.5})


def test_drifting_blocks_are_warned_of() -> None:
    """A machine that is good in the first half and bad in the second."""
    good, bad = {"00": 50, "11": 50}, {"00": 30, "11": 30, "01": 40}
    found = outcome_fidelity({"00": 800, "11": 800, "01": 400}, BELL, blocks=[good] * 10 + [bad] * 10)
    assert found.dispersion is not None
    assert "shots not independent" in (found.dispersion.warning or "")


def test_blocks_that_are_not_the_counts_are_refused() -> None:
    """Every shot belongs to one block."""
    with pytest.raises(InputError, match="do not sum"):
        outcome_fidelity(COUNTS, BELL, blocks=[COUNTS, COUNTS])
