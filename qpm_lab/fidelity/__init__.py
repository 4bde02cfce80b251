"""How far to trust a histogram: pure statistics on counts and probabilities."""

from __future__ import annotations

from qpm_lab.fidelity.heavy import heavy_fidelity
from qpm_lab.fidelity.intervals import OutcomeIntervals, clopper_pearson, outcome_intervals, simultaneous

__all__ = ["OutcomeIntervals", "clopper_pearson", "heavy_fidelity", "outcome_intervals", "simultaneous"]
