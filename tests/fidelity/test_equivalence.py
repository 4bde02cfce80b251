"""Equivalence of runs: said only when shown, denied only when shown, and advice in between."""

from __future__ import annotations

import json
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_lab.errors import InputError
from qpm_lab.fidelity import equivalence
from qpm_lab.fidelity.shares import apart, margin

GHZ = np.array([0.5, *[0.0] * 30, 0.5])
BITS = 5


def draw(seed: int, shots: int, *distributions: np.ndarray) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.multinomial(shots, p) for p in distributions]


def moved(p: np.ndarray, distance: float) -> np.ndarray:
    q = p.copy()
    q[p.argmax()] -= distance
    q[p.argmin()] += distance
    return q


def as_keys(counts: np.ndarray) -> dict[str, int]:
    bits = len(counts).bit_length() - 1
    return {format(place, f"0{bits}b"): int(count) for place, count in enumerate(counts) if count}


def test_runs_of_one_distribution_are_equivalent() -> None:
    """Three GHZ runs of 4,000 shots are called equivalent, with every bound below delta."""
    found = equivalence(draw(1, 4000, GHZ, GHZ, GHZ))
    assert found.verdict == "equivalent"
    assert found.reason is None
    assert [(pair.first, pair.second) for pair in found.pairs] == [(0, 1), (0, 2), (1, 2)]
    assert all(pair.upper < found.delta for pair in found.pairs)


def test_runs_that_differ_are_different() -> None:
    """Runs that lie 0.3 apart are called different, and the lower bound is above delta and below the truth."""
    found = equivalence(draw(2, 4000, GHZ, moved(GHZ, 0.3)))
    assert found.verdict == "different"
    assert 0.1 < found.low < 0.3 < found.high
    assert found.pairs[0].p_value < 1e-6
    assert found.shots_needed is None
    assert "more than 0.1" in (found.reason or "")


def test_one_different_run_among_many_is_found() -> None:
    """With ten runs, nine the same, the reason names the tenth."""
    found = equivalence([*draw(3, 4000, *[GHZ] * 9), *draw(4, 4000, moved(GHZ, 0.3))])
    assert found.verdict == "different"
    assert "10" in (found.reason or "")


def test_too_few_shots_are_inconclusive_with_the_shots_that_would_do() -> None:
    """The shots asked for follow (√(S/π) + 2.2)²/δ², and with them the runs are equivalent."""
    found = equivalence(draw(5, 100, GHZ, GHZ))
    assert found.verdict == "inconclusive"
    assert found.shots_needed == pytest.approx((math.sqrt(2 / math.pi) + 2.2) ** 2 / 0.01, rel=0.02)
    assert f"{found.shots_needed:,} shots" in (found.reason or "")
    assert equivalence(draw(6, found.shots_needed or 0, GHZ, GHZ)).verdict == "equivalent"


def test_identical_short_runs_are_not_taken_for_equal() -> None:
    """Twenty shots on one outcome show nothing, although their plug-in standard error is zero."""
    found = equivalence([{"00": 20}, {"00": 20}])
    assert (found.verdict, found.value) == ("inconclusive", 0.0)
    assert (found.shots_needed or 0) > 20


def test_runs_about_delta_apart_are_not_promised_an_answer() -> None:
    """When the distance is delta itself, no number of shots is named."""
    found = equivalence(draw(7, 40_000, GHZ, moved(GHZ, 0.1)))
    assert found.verdict == "inconclusive"
    assert found.shots_needed is None


def test_a_large_support_errs_towards_inconclusive() -> None:
    """Sparse samples of one random circuit are neither equivalent nor different, and ask for very many shots."""
    p = np.random.default_rng(8).exponential(size=2**14)
    found = equivalence(draw(9, 1000, p / p.sum(), p / p.sum()))
    assert found.verdict == "inconclusive"
    assert (found.shots_needed or 0) > 50_000


def test_an_ideal_turns_a_large_support_into_a_test_of_the_heavy_fidelity() -> None:
    """With an ideal given and too few shots for total variation the distance is that of F_H, and is named so."""
    p = np.random.default_rng(10).exponential(size=2**14)
    p /= p.sum()
    found = equivalence(draw(11, 20_000, p, p), ideal=p)
    assert found.verdict == "equivalent"
    assert "F_H" in found.estimand
    assert "total variation" not in found.estimand
    faded = 0.5 * p + 0.5 / len(p)
    assert equivalence(draw(12, 20_000, p, faded), ideal=p).verdict == "different"


def test_an_ideal_of_small_support_leaves_the_total_variation() -> None:
    """GHZ with enough shots is compared by total variation although an ideal is given."""
    assert "total variation" in equivalence(draw(13, 4000, GHZ, GHZ), ideal=GHZ).estimand


def test_beyond_25_bits_expectations_are_compared() -> None:
    """At 127 qubits equal runs pass, and a correlation of two qubits alone makes them different."""
    rng = np.random.default_rng(14)

    def histogram(paired: bool) -> dict[str, int]:
        bits = rng.integers(0, 2, (9000, 127))
        if paired:
            bits[:, 3] = bits[:, 90]
        text = (bits + ord("0")).astype(np.uint8).tobytes().decode()
        return Counter(text[start : start + 127] for start in range(0, len(text), 127))

    same = equivalence([histogram(False), histogram(False)])
    assert same.verdict == "equivalent"
    assert "⟨Z_i Z_j⟩" in same.estimand
    apart_by_one = equivalence([histogram(False), histogram(True)])
    assert apart_by_one.verdict == "different"
    assert apart_by_one.value == pytest.approx(1, abs=0.05)


def test_expectations_are_those_of_the_definition() -> None:
    """The largest difference of ⟨Z_i⟩ and ⟨Z_i Z_j⟩ agrees with a sum over all outcomes by hand."""
    first, second = draw(15, 3000, np.full(16, 1 / 16), np.linspace(1, 16, 16) / 136)
    signs = 1 - 2 * ((np.arange(16)[:, None] >> np.arange(4)) & 1)
    terms = [signs[:, i] for i in range(4)]
    terms += [signs[:, i] * signs[:, j] for i in range(4) for j in range(i)]
    largest = max(abs(int(term @ first) - int(term @ second)) / 3000 for term in terms)
    found = equivalence([first, second], method="correlations")
    assert found.value == pytest.approx(largest)


def test_keys_and_arrays_mean_the_same() -> None:
    """A dictionary with spaces and the array of the same counts give the same answer, to the last digit."""
    first, second = draw(16, 2000, GHZ, moved(GHZ, 0.05))
    spaced = {f"{key[:2]} {key[2:]}": count for key, count in as_keys(second).items()}
    for method in ("tvd", "correlations"):
        by_array = equivalence([first, second], method=method)
        assert by_array == equivalence([as_keys(first), spaced], method=method)


def test_the_same_histograms_give_the_same_answer() -> None:
    """What is drawn at random inside is drawn the same way each time."""
    runs = draw(17, 500, GHZ, moved(GHZ, 0.2), GHZ)
    assert equivalence(runs) == equivalence(runs)


def test_many_outcomes_of_many_runs_are_compared() -> None:
    """Ten histograms over 65,536 outcomes are compared in all 45 pairs."""
    p = np.random.default_rng(18).exponential(size=2**16)
    found = equivalence(draw(19, 100_000, *[p / p.sum()] * 10))
    assert len(found.pairs) == 45
    assert found.verdict == "inconclusive"


def test_all_of_it_goes_into_json() -> None:
    """The dictionary holds JSON values only, every field among them."""
    found = equivalence(draw(20, 500, GHZ, GHZ)).to_dict()
    assert json.loads(json.dumps(found)) == found
    pinned = {"value", "low", "high", "level", "estimand", "method", "shots", "reason"}
    assert pinned | {"verdict", "delta", "alpha", "shots_needed", "pairs"} <= set(found)


@pytest.mark.parametrize(
    ("histograms", "options"),
    [
        ([], {}),
        ([{"0": 5}], {}),
        ({"0": 5, "1": 5}, {}),
        (None, {}),
        ([{"0": 5}, {"00": 5}], {}),
        ([{"0": 5}, {"0": -1, "1": 3}], {}),
        ([{"0": 5}, {}], {}),
        ([{"0": 5}, {"0": 2.5}], {}),
        ([{"0": 5}, {"x": 5}], {}),
        ([{"0": 5}, [1, 2, 3]], {}),
        ([{"0": 5}, {"1": 0}], {}),
        ([{"0": 5}, {"0": 5}], {"delta": 0}),
        ([{"0": 5}, {"0": 5}], {"delta": 1}),
        ([{"0": 5}, {"0": 5}], {"delta": math.nan}),
        ([{"0": 5}, {"0": 5}], {"delta": "0.1"}),
        ([{"0": 5}, {"0": 5}], {"alpha": 0}),
        ([{"0": 5}, {"0": 5}], {"alpha": 1}),
        ([{"0": 5}, {"0": 5}], {"method": "chi2"}),
        ([{"0": 5}, {"0": 5}], {"method": "heavy"}),
        ([{"0": 5}, {"0": 5}], {"method": "heavy", "ideal": [0.5, 0.5]}),
        ([{"0": 5}, {"0": 5}], {"ideal": [0.5, 0.4]}),
        ([{"0": 5}, {"0": 5}], {"ideal": [0.25] * 4}),
        ([{"0" * 80: 5}, {"0" * 80: 5}], {"method": "tvd"}),
    ],
)
def test_what_cannot_be_compared_is_an_input_error(histograms: object, options: dict[str, object]) -> None:
    """Bad histograms and options each get an error with a message, never a verdict."""
    with pytest.raises(InputError, match=r"\w"):
        equivalence(histograms, **options)


@settings(max_examples=60)
@given(
    st.integers(0, 10**6),
    st.lists(st.integers(1, 3000), min_size=2, max_size=4),
    st.integers(1, 5),
    st.floats(0.01, 0.9),
)
def test_every_answer_is_coherent(seed: int, shots: list[int], bits: int, delta: float) -> None:
    """Bounds enclose the distance, the verdict follows from them, and only 'inconclusive' asks for more."""
    rng = np.random.default_rng(seed)
    runs = [rng.multinomial(number, rng.dirichlet(np.ones(2**bits))) for number in shots]
    found = equivalence(runs, delta)
    assert all(0 <= pair.lower <= pair.distance <= pair.upper <= 1 for pair in found.pairs)
    assert found.low <= found.value <= found.high
    assert (found.verdict == "equivalent") == (found.high < delta)
    if found.verdict == "different":
        assert found.low > delta
    if found.shots_needed is not None:
        assert found.verdict == "inconclusive"
        assert found.shots_needed > found.shots


@settings(max_examples=40)
@given(st.integers(5, 400), st.integers(5, 400), st.floats(0.01, 0.9), st.sampled_from([0.1, 0.05, 0.01]))
def test_the_margin_keeps_its_level_for_every_pair_of_shares(
    first: int, second: int, delta: float, alpha: float
) -> None:
    """Computed exactly, shares delta apart are called closer with probability at most alpha, wherever they lie."""
    from scipy.stats import binom

    seen = np.arange(second + 1)
    most = np.ceil((delta - margin(first, second, alpha) + seen / second) * first - 1e-9) - 1
    for share in np.linspace(delta, 1, 9):
        level = (binom.pmf(seen, second, share - delta) * binom.cdf(most, first, share)).sum()
        assert level <= alpha


def test_the_normal_tail_continues_the_exact_one() -> None:
    """Where the sum over the hypergeometric distribution ends, the normal tail agrees with it."""
    _, exact = apart((25_300, 50_000), (24_900, 50_000), 0.05, 1)
    _, normal = apart((25_300, 50_000), (24_900, 50_001), 0.05, 1)
    assert normal == pytest.approx(exact, rel=0.01)


def test_few_shots_on_few_outcomes_are_inconclusive_and_never_equivalent() -> None:
    """F_H cannot stand in for the outcomes themselves where these are few: runs without a common outcome differ."""
    ideal = {"000": 0.5, "111": 0.5}
    apart = equivalence([{"000": 500}, {"111": 500}], 0.1, 0.05, ideal=ideal)
    assert apart.verdict == "different"
    near = equivalence([{"000": 250, "111": 250}, {"000": 350, "111": 150}], 0.1, 0.05, ideal=ideal)
    assert near.verdict != "equivalent"
    few = equivalence([{"000": 50, "111": 50}] * 2, 0.1, 0.05, ideal=ideal)
    assert (few.verdict, few.shots_needed is not None) == ("inconclusive", True)


def test_runs_that_differ_within_the_heavy_set_are_different_also_by_auto() -> None:
    """On a large support F_H is compared, and is overruled where total variation shows a difference."""
    ideal = {format(x, "010b"): 1 / 128 for x in range(128)}
    first = {format(x, "010b"): 40 for x in range(64)}
    second = {format(x, "010b"): 40 for x in range(64, 128)}
    assert equivalence([first, first], 0.1, ideal=ideal).estimand != equivalence([first, first], 0.1).estimand
    assert equivalence([first, second], 0.1, ideal=ideal).verdict == "different"
