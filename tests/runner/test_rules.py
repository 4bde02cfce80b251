"""The rules in force are those on disk now."""

from __future__ import annotations

from typing import Any

import pytest

from qpm_lab import Lab, QuotaError
from tests.runner.victims import ghz


def test_an_edited_bundle_is_in_force_for_the_next_job(home: Any, bundle_with: Any) -> None:
    """No restart is needed after a limit was changed, and each decision names the version it used."""
    quota = {"id": "few", "measure": "shots", "scope": "user", "window": "day", "limit": 10}
    folder = bundle_with([quota])
    lab = Lab(policies=folder)
    with pytest.raises(QuotaError):
        lab.submit(ghz(), shots=20)
    before = lab.explain(ghz(), shots=5).policy_version
    bundle_with([{**quota, "limit": 1000}])
    job = lab.submit(ghz(), shots=20)
    assert job.decision.policy_version != before
    lab.close()


def test_a_vanished_bundle_does_not_open_the_gate(home: Any, bundle_with: Any) -> None:
    """When the folder is gone the last rules stay in force."""
    import shutil

    folder = bundle_with([{"id": "few", "measure": "shots", "scope": "user", "window": "day", "limit": 10}])
    lab = Lab(policies=folder)
    shutil.rmtree(folder)
    with pytest.raises(QuotaError):
        lab.submit(ghz(), shots=20)
    lab.close()
