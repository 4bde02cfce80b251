"""Finding providers and backends."""

from __future__ import annotations

import subprocess
import sys

import pytest

from qpm_lab import providers
from qpm_lab.errors import InputError


def test_every_backend_is_found_under_its_own_provider() -> None:
    """Ids are unique and lead to the provider that lists them."""
    ids = [info.id for info in providers.all_backends()]
    assert len(set(ids)) == len(ids)
    assert {"aer/simulator", "aer/noisy", "pennylane/default.qubit", "pennylane/lightning.qubit"} <= set(ids)
    for name in ids:
        assert providers.backend(name).id == name
        assert providers.provider_of(name).name == name.partition("/")[0]


@pytest.mark.parametrize(("wrong", "right"), [("aer/simulater", "aer/simulator"), ("noisy", "aer/noisy")])
def test_a_misspelt_backend_is_answered_with_the_nearest(wrong: str, right: str) -> None:
    """The hint has the id that was probably meant."""
    with pytest.raises(InputError) as refused:
        providers.backend(wrong)
    assert right in refused.value.hint


@pytest.mark.parametrize("wrong", ["", "x" * 10_000, "☃"])
def test_nonsense_gets_a_list_of_what_there_is(wrong: str) -> None:
    """A hopeless id is answered, shortened, with all ids."""
    with pytest.raises(InputError) as refused:
        providers.backend(wrong)
    assert "pennylane/lightning.qubit" in refused.value.hint
    assert len(refused.value.message) < 200


def test_listing_and_pricing_load_no_heavy_library() -> None:
    """Backends are listed and jobs priced before any SDK is imported."""
    script = (
        "import sys; from qpm_lab import fidelity, pricing, providers; providers.all_backends();"
        "pricing.catalogue_backends();"
        "heavy = {'qiskit', 'qiskit_aer', 'pennylane', 'scipy', 'numpy'} & set(sys.modules);"
        "sys.exit(' '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
