"""Fields that nobody has read about, in the answers of vendors whose own clients pass over them without a word."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qpm_lab.errors import ProviderError
from qpm_lab.providers.answers import Known, nothing_else
from qpm_lab.providers.remote import RemoteProvider
from tests.providers.vendors.conftest import Rig, crossed, rigged

SURPRISES = {
    "azure": {
        "standing": ("surprise", "quantumComputingData.surprise"),
        "answer": ("surprise", "costEstimate.surprise", "costEstimate.events.surprise"),
        "availability": ("surprise", "value.surprise", "value.targets.surprise"),
    },
    "ibm": {
        "standing": ("surprise", "state.surprise", "program.surprise"),
        "answer": (
            "surprise",
            "state.surprise",
            "usage.surprise",
            "timestamps.surprise",
            "data.surprise",
            "data.results.surprise",
            "data.results.c.surprise",
        ),
        "availability": ("surprise",),
        "find": ("surprise",),
    },
    "quantinuum": {
        "standing": (
            "surprise",
            "data.surprise",
            "data.attributes.surprise",
            "data.attributes.status.surprise",
            "data.attributes.definition.surprise",
            "data.attributes.definition.items.surprise",
            "data.attributes.definition.items.status.surprise",
            "data.relationships.surprise",
        ),
        "answer": ("surprise", "data.attributes.surprise"),
        "find": ("surprise",),
    },
}
"""Vendor → call → where a new field may turn up in what is read for it."""
FREE = {
    "azure": ("inputParams.surprise",),
    "ibm": ("metadata.surprise", "data.metadata.surprise", "passthrough_data.surprise"),
    "quantinuum": (
        "data.attributes.properties.surprise",
        "data.attributes.definition.backend_config.surprise",
        "included.surprise",
        "included.attributes.surprise",
    ),
}
"""Places whose content is open, or a user's own and sent back."""
NAMES = st.sampled_from(["a", "b"])


@pytest.fixture(scope="module", params=sorted(SURPRISES))
def vendor_rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """Of each of these vendors in turn."""
    yield from rigged(request.param)


def calls(provider: RemoteProvider, rig: Rig) -> dict[str, Callable[[], Any]]:
    """What is asked of a job that has ended."""
    parcel = rig.parcel(crossed())
    vendor_id = rig.done(parcel)
    return {
        "standing": lambda: provider.standing(rig.backend, vendor_id),
        "answer": lambda: provider.answer(parcel, vendor_id),
        "availability": lambda: provider.availability(rig.backend),
        "find": lambda: provider.find(rig.backend, parcel.token),
    }


def test_an_unknown_field_is_named_wherever_it_matters(rig: Rig) -> None:
    """With its path, as deep as what is read; without it, the same answer is read."""
    asked = calls(rig.provider, rig)
    for name, places in SURPRISES[rig.name].items():
        for place in places:
            rig.double.faults(extra_field=place)
            with pytest.raises(ProviderError, match=f"has the unknown field '{place}'") as caught:
                asked[name]()
            assert (caught.value.retryable, caught.value.uncertain) == (False, False)
            assert "Update qpm_lab" in caught.value.hint
        rig.double.faults(extra_field="")
        asked[name]()


def test_what_waits_is_searched_too(rig: Rig) -> None:
    """A job in the queue: what IBM says of its place there stands in another answer."""
    rig.double.faults(stuck=True)
    vendor_id = rig.provider.send(rig.parcel(crossed()))
    rig.double.faults(extra_field="surprise", only="/metrics" if rig.name == "ibm" else "")
    with pytest.raises(ProviderError, match="'surprise'"):
        rig.provider.standing(rig.backend, vendor_id)


def test_open_content_is_not_searched(rig: Rig) -> None:
    """What is a user's own, and what may hold anything, is nobody's schema."""
    asked = calls(rig.provider, rig)
    for place in FREE[rig.name]:
        rig.double.faults(extra_field=place)
        assert asked["standing"]().state == "done"
        assert [dict(each) for each in asked["answer"]().counts] == [{"00101": 200}]


def test_a_site_may_allow_unknown_fields(rig: Rig) -> None:
    """All is read as before; what is needed is still needed."""
    allowed = {**rig.access.options, "unknown_fields": "allow"}
    with rig.reached(options=allowed) as provider:
        asked = calls(provider, rig)
        for name, places in SURPRISES[rig.name].items():
            rig.double.faults(extra_field=places[-1])
            asked[name]()
        rig.double.faults(extra_field="surprise", schema_change="status")
        with pytest.raises(ProviderError, match="status"):
            asked["standing"]()


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({"a": 1, "z": 1}, "'z'"),
        ({"a": {"free": 1}, "b": {"c": 1, "z": 1}}, "'b.z'"),
        ({"b": [{"c": 1}, {"c": 1, "z": 1}]}, "'b.z'"),
        ({"b": [[{"d": {"e": 1, "z": 1}}]]}, "'b.d.z'"),
        ([{"a": 1}, {"z": 1}], "'z'"),
    ],
)
def test_a_field_is_named_as_deep_as_fields_are_known(document: Any, named: str) -> None:
    """In every item of a list, with the names on the way to it."""
    known: Known = {"a": None, "b": {"c": None, "d": {"e": None}}}
    with pytest.raises(ProviderError, match=rf"answer to GET /jobs has the unknown field {named}\."):
        nothing_else(document, known, vendor="Vendor", what="GET /jobs")


@given(st.recursive(st.none() | st.booleans() | st.text(), lambda each: st.lists(each) | st.dictionaries(NAMES, each)))
def test_what_is_known_and_what_is_no_object_passes(document: Any) -> None:
    """Of whatever form: what is wrong with it is said by those who need it."""
    known: Known = {"a": None, "b": None}
    for _ in range(5):
        known = {"a": known, "b": known}
    nothing_else(document, known, vendor="Vendor", what="GET /jobs")
