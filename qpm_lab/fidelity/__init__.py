"""How far to trust a histogram: pure statistics on counts and probabilities."""

from __future__ import annotations

from qpm_lab.fidelity.alternatives import (
    heavy_output_probability,
    linear_xeb,
    mid_p,
    normalised_fidelity,
    tvd_lower_bound,
)
from qpm_lab.fidelity.dispersion import Dispersion, dispersion
from qpm_lab.fidelity.drift import DriftDetector, DriftState
from qpm_lab.fidelity.equivalence import Equivalence, Pair, equivalence
from qpm_lab.fidelity.heavy import heavy_fidelity
from qpm_lab.fidelity.hellinger import hellinger_fidelity
from qpm_lab.fidelity.intervals import OutcomeIntervals, clopper_pearson, outcome_intervals, simultaneous
from qpm_lab.fidelity.mirror import mirror_fidelity
from qpm_lab.fidelity.outcome import FLAG_WORDS, OutcomeFidelity, estimate_from_dict, outcome_fidelity
from qpm_lab.fidelity.planning import ShotPlan, plan_shots
from qpm_lab.fidelity.prediction import expected_success_probability
from qpm_lab.fidelity.proxy import clifford_proxy_fidelity

__all__ = [
    "FLAG_WORDS",
    "Dispersion",
    "DriftDetector",
    "DriftState",
    "Equivalence",
    "OutcomeFidelity",
    "OutcomeIntervals",
    "Pair",
    "ShotPlan",
    "clifford_proxy_fidelity",
    "clopper_pearson",
    "dispersion",
    "equivalence",
    "estimate_from_dict",
    "expected_success_probability",
    "heavy_fidelity",
    "heavy_output_probability",
    "hellinger_fidelity",
    "linear_xeb",
    "mid_p",
    "mirror_fidelity",
    "normalised_fidelity",
    "outcome_fidelity",
    "outcome_intervals",
    "plan_shots",
    "simultaneous",
    "tvd_lower_bound",
]
