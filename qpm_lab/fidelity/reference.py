"""What a histogram is measured against: white noise of the best strength, or that model corrected by the data.

Both are distributions m that are positive wherever the ideal p is. The closer m is to the machine's own
distribution, the narrower the interval of `qpm_lab.fidelity.hellinger`; it is right for every m.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from qpm_lab.fidelity.histogram import Comparison

CHUNK = 1 << 18
"""Outcomes looked at together: what a processor's cache holds, however many there are."""
STEPS = 44
"""Halvings that find the strength of the noise, to 10⁻¹³."""


@dataclass(frozen=True, slots=True)
class WhiteNoise:
    """m = λp + (1 − λ)u, with the sums over all allowed outcomes that statistics need."""

    weight: float
    """λ, above 0 and below 1."""
    uniform: float
    """u, the probability of an outcome under pure noise."""
    overlap: float
    """Σ √(p m)."""
    spread: float
    """Σ p / m; the number of allowed outcomes, roughly."""
    skew: float
    """Σ (p / m)^(3/2)."""
    rarity: float
    """Σ (p / m)^(3/2) / m."""
    largest: float
    """The largest p / m."""

    def of(self, ideal: NDArray[np.float64]) -> NDArray[np.float64]:
        """m where the ideal probabilities are these."""
        return self.weight * ideal + (1 - self.weight) * self.uniform


def white_noise(data: Comparison) -> WhiteNoise:
    """The white-noise model of greatest likelihood, λ between 1/(N + 2) and 1 − 1/(N + 2).

    The ends keep m positive, and comparable with p, where nothing was seen: N shots do not show less.
    """
    import numpy as np

    uniform, ideal = data.uniform, data.ideal
    edge = 1 / (data.shots + 2)
    weight = min(max(_most_likely(data), edge), 1 - edge)
    sums = np.zeros(4)
    largest = 0.0
    for start in range(0, len(ideal), CHUNK):
        p = ideal[start : start + CHUNK]
        m = weight * p + (1 - weight) * uniform
        ratio = p / m
        root = np.sqrt(ratio)
        cubed = ratio * root
        sums += (float((root * m).sum()), float(ratio.sum()), float(cubed.sum()), float((cubed / m).sum()))
        largest = max(largest, float(ratio.max()))
    overlap, spread, skew, rarity = (float(each) for each in sums)
    return WhiteNoise(weight, uniform, overlap, spread, skew, rarity, largest)


def white_overlap(data: Comparison, weight: float) -> float:
    """Σ √(p m) for white noise with this λ: the square root of the Hellinger fidelity it predicts."""
    import numpy as np

    total = 0.0
    for start in range(0, len(data.ideal), CHUNK):
        p = data.ideal[start : start + CHUNK]
        total += float(np.sqrt(p * (weight * p + (1 - weight) * data.uniform)).sum())
    return total


def _most_likely(data: Comparison) -> float:
    """The λ at which Σ n log m is greatest; the derivative falls, so it is halved for."""
    p, n, u, outside = data.seen_ideal, data.seen, data.uniform, data.outside

    def slope(weight: float) -> float:
        inside = float((n * ((p - u) / (weight * p + (1 - weight) * u))).sum()) if len(n) else 0.0
        return inside - outside / (1 - weight)

    low, high = 0.0, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    return (low + high) / 2


def concentration(data: Comparison, base: WhiteNoise) -> float:
    """How much the white-noise model is worth, in shots: κ of the Dirichlet prior of greatest likelihood around it.

    The marginal likelihood is Dirichlet-multinomial; all outcomes that the ideal does not allow are one.
    """
    import numpy as np
    from scipy.optimize import minimize_scalar
    from scipy.special import gammaln

    prior = base.of(data.seen_ideal)
    counts = data.seen
    if data.outside:
        rest = max((1 - base.weight) * (1 - len(data.ideal) * data.uniform), 1e-300)
        prior, counts = np.append(prior, rest), np.append(counts, data.outside)
    # Γ(1 + a)/Γ(a) is a itself, and in a large histogram most counts are 1.
    several, shots = counts > 1, data.shots
    singles = len(counts) - int(several.sum())
    prior, counts = prior[several], counts[several]

    def loss(log_kappa: float) -> float:
        kappa = math.exp(log_kappa)
        inside = gammaln(counts + kappa * prior) - gammaln(kappa * prior)
        return -float(inside.sum() + singles * log_kappa + gammaln(kappa) - gammaln(shots + kappa))

    found = minimize_scalar(loss, bounds=(math.log(0.1), math.log(100 * shots)), options={"xatol": 0.02})
    return math.exp(float(found.x))
