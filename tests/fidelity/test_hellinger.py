"""Hellinger fidelity: bounds that hold, and a value only when they are close."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qpm_lab.fidelity import hellinger_fidelity, outcome_fidelity
from qpm_lab.fidelity.hellinger import overlap
from qpm_lab.fidelity.histogram import compare

GHZ = {"0" * 10: 0.5, "1" * 10: 0.5}


def random_circuit(qubits: int, seed: int = 0) -> Any:
    values = np.random.default_rng(seed).exponential(size=2**qubits)
    return values / values.sum()


def misses(ideal: Any, noisy: Any, shots: int, repetitions: int, seed: int) -> int:
    """How many intervals of as many histograms leave the truth out."""
    draw = np.random.default_rng(seed)
    truth = float(np.sqrt(ideal * noisy).sum() ** 2)
    found = [hellinger_fidelity(draw.multinomial(shots, noisy), ideal) for _ in range(repetitions)]
    return sum(not (f.low or 0) - 1e-12 <= truth <= (f.high or 0) + 1e-12 for f in found)


@pytest.mark.parametrize("shots", [20, 300, 5_000, 200_000])
@pytest.mark.parametrize("tilt", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("strength", [0.0, 0.2, 1.0])
def test_the_interval_covers_whatever_the_noise(strength: float, tilt: float, shots: int) -> None:
    """White noise, a smooth distortion and both, few shots and many: at most one miss in ten."""
    ideal = random_circuit(6)
    noisy = ideal * (1 + tilt * np.cos(2.3 * np.arange(64)))
    noisy = (1 - strength) * noisy / noisy.sum() + strength / 64
    assert misses(ideal, noisy, shots, 100, 11) <= 10


def test_the_value_is_not_biased_where_the_plug_in_is() -> None:
    """Random circuit of 10 qubits, 1 % noise, 5,000 shots: the plug-in is five points low, the mean value is not."""
    ideal, draw = random_circuit(10), np.random.default_rng(4)
    noisy = 0.99 * ideal + 0.01 / 1024
    histograms = [draw.multinomial(5_000, noisy) for _ in range(30)]
    values = [hellinger_fidelity(counts, ideal).value for counts in histograms]
    plug_in = [np.sqrt(ideal * counts / 5_000).sum() ** 2 for counts in histograms]
    assert np.mean(plug_in) < 0.96
    assert np.mean([value for value in values if value is not None]) == pytest.approx(1, abs=0.005)


def test_sixteen_qubits_need_ten_thousand_shots_not_a_thousand() -> None:
    """At 1,000 shots there is an interval and no value; at 10,000 the interval is at most 0.09 wide on average."""
    ideal, draw = random_circuit(16), np.random.default_rng(8)
    noisy = 0.9 * ideal + 0.1 / 65536
    few = hellinger_fidelity(draw.multinomial(1_000, noisy), ideal)
    assert (few.value, few.low is None, few.high is None) == (None, False, False)
    assert few.shots_needed is not None
    assert 5_000 < few.shots_needed < 20_000
    assert f"{few.shots_needed:,} shots" in (few.reason or "")
    many = [hellinger_fidelity(draw.multinomial(10_000, noisy), ideal) for _ in range(20)]
    assert np.mean([(each.high or 0) - (each.low or 0) for each in many]) <= 0.09


def test_figures_worked_by_hand() -> None:
    """With two outcomes allowed and half of the shots on each, F is the share of shots on them."""
    found = hellinger_fidelity({"0" * 10: 4_500, "1" * 10: 4_500, "01" * 5: 1_000}, GHZ)
    assert found.value == pytest.approx(0.9, abs=1e-4)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.9 < found.high
    assert found.high - found.low < 0.02


def test_a_bad_machine_is_seen_beyond_fifty_qubits() -> None:
    """A hundred and twenty-seven qubits: the allowed outcomes were not seen once, or always."""
    ideal = {"0" * 127: 0.5, "1" * 127: 0.5}
    never = hellinger_fidelity({"01" * 63 + "0": 1_000}, ideal)
    always = hellinger_fidelity({"0" * 127: 500, "1" * 127: 500}, ideal)
    assert (never.high or 1) < 0.02
    assert (always.low or 0) > 0.98


def test_more_bits_than_a_float_has_exponents() -> None:
    """With 1,500 bits the uniform probability is 0 to a float, and the interval is still one."""
    found = hellinger_fidelity({"0" * 1500: 450, "1" * 1500: 450, "01" * 750: 100}, {"0" * 1500: 0.5, "1" * 1500: 0.5})
    assert found.value == pytest.approx(0.9, abs=0.01)


def test_what_a_simulator_leaves_of_a_zero_changes_nothing() -> None:
    """Probabilities of 10⁻¹⁷ are no outcomes."""
    clean = np.zeros(4096)
    clean[[0, -1]] = 0.5
    dusty = clean + 1e-17
    counts = np.zeros(4096, dtype=int)
    counts[[0, 7, 4095]] = 450, 60, 490
    assert hellinger_fidelity(counts, dusty).low == pytest.approx(hellinger_fidelity(counts, clean).low)


def test_equal_counts_give_equal_answers() -> None:
    """Nothing is drawn, not even for the corrected reference."""
    ideal = random_circuit(5)
    counts = np.random.default_rng(1).multinomial(3_000, ideal[::-1])
    first, again = hellinger_fidelity(counts, ideal), hellinger_fidelity(counts.copy(), ideal)
    assert "corrected" in first.method
    assert first == again


@given(st.integers(1, 5), st.integers(1, 20_000), st.floats(0.5, 0.999), st.integers(0, 2**32 - 1))
def test_the_names_of_outcomes_do_not_matter(bits: int, shots: int, level: float, seed: int) -> None:
    """Permuting outcomes changes nothing; the interval is ordered, within [0, 1], and holds its value."""
    draw = np.random.default_rng(seed)
    ideal, noisy = draw.dirichlet(np.full(2**bits, 0.3)), draw.dirichlet(np.full(2**bits, 0.3))
    counts, order = draw.multinomial(shots, noisy), draw.permutation(2**bits)
    found = hellinger_fidelity(counts, ideal, level)
    moved = hellinger_fidelity(counts[order], ideal[order], level)
    assert (moved.low, moved.high) == pytest.approx((found.low, found.high), abs=1e-9)
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.high <= 1
    assert found.value is None or found.low <= found.value <= found.high


def test_a_wider_level_is_a_wider_interval() -> None:
    """At 0.99 the interval holds the one at 0.9."""
    ideal = random_circuit(6)
    counts = np.random.default_rng(2).multinomial(2_000, 0.8 * ideal + 0.2 / 64)
    narrow, wide = hellinger_fidelity(counts, ideal, 0.9), hellinger_fidelity(counts, ideal, 0.99)
    assert (wide.low or 1) < (narrow.low or 0) < (narrow.high or 1) < (wide.high or 0)


@pytest.mark.parametrize("shots", [100, 3_000])
def test_white_noise_scores_as_a_normal_variable_does(shots: int) -> None:
    """Of 300 histograms of pure white noise few are three standard deviations off."""
    ideal, draw = random_circuit(7), np.random.default_rng(6)
    noisy = 0.7 * ideal + 0.3 / 128
    scores = [overlap(compare(draw.multinomial(shots, noisy), ideal), 0.95)[1] for _ in range(300)]
    assert sum(score > 3 for score in scores) <= 4
    assert sum(score > 1.645 for score in scores) <= 30


@pytest.mark.parametrize("strength", [0.0, 0.02, 0.4])
def test_ten_thousand_shots_of_sixteen_qubits_are_narrow_in_every_run(strength: float) -> None:
    """Not on average: of 100 histograms of white noise at most two are wider than 0.09, and the intervals cover."""
    ideal, draw = random_circuit(16, 3), np.random.default_rng(12)
    noisy = (1 - strength) * ideal + strength / 65536
    truth = float(np.sqrt(ideal * noisy).sum() ** 2)
    found = [hellinger_fidelity(draw.multinomial(10_000, noisy), ideal) for _ in range(100)]
    assert sum((each.high or 1) - (each.low or 0) > 0.09 for each in found) <= 2
    assert sum((each.low or 0) <= truth <= (each.high or 1) + 1e-12 for each in found) >= 97


def test_a_narrowed_interval_says_what_it_takes_for_granted() -> None:
    """Only where the histogram fits white noise and the interval would be wider; one that is narrow anyway does not."""
    ideal, draw = random_circuit(16, 3), np.random.default_rng(13)
    found = [hellinger_fidelity(draw.multinomial(10_000, ideal), ideal) for _ in range(40)]
    said = ["narrowed" in (each.assumption or "") for each in found]
    assert 0 < sum(said) < 40
    assert all((each.high or 1) - (each.low or 0) > 0.0799 for each, one in zip(found, said, strict=True) if one)


def test_errors_that_silence_outcomes_are_covered_where_they_can_be_seen() -> None:
    """A fifth of the outcomes never comes: with few shots the interval stays wide, with many it sees them."""
    ideal, draw = random_circuit(12, 5), np.random.default_rng(14)
    noisy = ideal * (draw.random(4096) > 0.2)
    for shots in (300, 1_000, 10_000):
        assert misses(ideal, noisy / noisy.sum(), shots, 60, 15) <= 4


def test_a_nearly_uniform_ideal_has_an_interval_and_no_value() -> None:
    """Any machine overlaps it: a value of 1 would praise every one of them."""
    ideal, counts = np.full(256, 1 / 256), np.full(256, 40)
    for found in (hellinger_fidelity(counts, ideal), outcome_fidelity(counts, ideal).hellinger):
        assert found is not None
        assert found.value is None
        assert found.low is not None
        assert found.high == pytest.approx(1)
        assert "uniform" in (found.reason or "")
        assert found.shots_needed is None
