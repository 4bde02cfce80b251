"""Code written for Qiskit, governed: a `BackendV2` and the V2 primitives over a Lab.

Imported late, by `Lab.backend`, `Lab.sampler` and `Lab.estimator`: it loads qiskit.
"""

from qpm_lab.interop.qiskit.backend import LabBackend
from qpm_lab.interop.qiskit.estimator import LabEstimator
from qpm_lab.interop.qiskit.job import LabJob
from qpm_lab.interop.qiskit.primitive_job import LabPrimitiveJob
from qpm_lab.interop.qiskit.sampler import LabSampler

__all__ = ["LabBackend", "LabEstimator", "LabJob", "LabPrimitiveJob", "LabSampler"]
