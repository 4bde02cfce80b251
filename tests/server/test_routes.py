"""What the panels may rely on: the REST routes, through a real Jupyter server."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from tests.server.fake_lab import FakeLab, browser_login

Fetch = Callable[..., Any]


async def get(jp_fetch: Fetch, *path: str, headers: Any = None, **params: str) -> Any:
    return json.loads((await jp_fetch("qpm-lab", "api", *path, headers=headers or {}, params=params)).body)


async def refused(jp_fetch: Fetch, *path: str, **options: Any) -> tuple[int, dict[str, str]]:
    with pytest.raises(HTTPClientError) as caught:
        await jp_fetch("qpm-lab", "api", *path, **options)
    assert caught.value.response is not None
    return caught.value.code, json.loads(caught.value.response.body)


async def test_jobs_are_paged_by_the_last_row_shown(jp_fetch: Fetch) -> None:
    """A page says whether there is more, and the next one starts after the row named."""
    first = await get(jp_fetch, "jobs", limit="2")
    second = await get(jp_fetch, "jobs", limit="2", before=first["jobs"][-1]["job_id"])
    assert [job["job_id"] for job in first["jobs"] + second["jobs"]] == ["J3", "J2", "J1"]
    assert (first["more"], second["more"]) == (True, False)


async def test_filters_reach_the_lab_and_empty_ones_do_not(jp_fetch: Fetch, lab: FakeLab) -> None:
    """State, experiment and text are passed on; an empty field of the form means no filter."""
    await get(jp_fetch, "jobs", state="running", experiment="bell", text="")
    assert lab.asked == [{"status": "running", "experiment": "bell", "text": None, "before": None, "limit": 50}]


async def test_a_page_counts_the_open_jobs_whatever_its_filter(jp_fetch: Fetch, lab: FakeLab) -> None:
    """The panel's head says how many jobs run, and how many wait for a person, also while it shows only others."""
    for status, expected in (("running", (1, 0)), ("parked", (1, 1)), ("completed", (0, 0))):
        lab.rows[0]["status"] = status
        page = await get(jp_fetch, "jobs", state="denied")
        assert (page["open"], page["parked"]) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("state", "asleep"),
        ("limit", "0"),
        ("limit", "201"),
        ("limit", "-1"),
        ("limit", "٣"),
        ("limit", "1e9"),
        ("text", "x" * 201),
        ("before", "x" * 129),
    ],
)
async def test_a_query_out_of_bounds_is_refused_before_the_lab_sees_it(
    jp_fetch: Fetch, lab: FakeLab, name: str, value: str
) -> None:
    """Bad input gets a 400 with a message and a hint."""
    code, body = await refused(jp_fetch, "jobs", params={name: value})
    assert code == 400
    assert body["message"]
    assert body["hint"]
    assert lab.asked == []


async def test_a_job_is_its_record(jp_fetch: Fetch) -> None:
    """One job's route answers with the document of docs/record.md."""
    assert (await get(jp_fetch, "jobs", "J2"))["schema"] == 1


async def test_an_unknown_job_is_404_with_a_hint(jp_fetch: Fetch) -> None:
    """A card of another home learns that this ledger does not have its job."""
    code, body = await refused(jp_fetch, "jobs", "NONE")
    assert (code, body["hint"]) == (404, "See `qpm jobs`.")


async def test_cancelling_an_open_job_is_accepted(jp_fetch: Fetch) -> None:
    """202: the wish is recorded, the owner of the job does the stopping."""
    reply = await jp_fetch("qpm-lab", "api", "jobs", "J3", "cancel", method="POST", body="")
    assert reply.code == 202
    assert json.loads(reply.body)["cancel_requested"] is True


@pytest.mark.parametrize(("job_id", "expected"), [("J1", 409), ("NONE", 404)])
async def test_cancelling_what_is_not_open_says_why(jp_fetch: Fetch, job_id: str, expected: int) -> None:
    """An ended job is a conflict, an unknown one is not found."""
    code, body = await refused(jp_fetch, "jobs", job_id, "cancel", method="POST", body="")
    assert code == expected
    assert body["message"]


async def test_budgets_are_the_quota_lines(jp_fetch: Fetch) -> None:
    """The Budgets panel gets the same lines as a record."""
    assert (await get(jp_fetch, "budgets"))["quota"][0]["left"] == "90"


async def test_health_names_the_home_and_the_newest_entry(jp_fetch: Fetch, lab: FakeLab) -> None:
    """One look says which ledger is read and how far it has come."""
    lab.change("J1")
    assert await get(jp_fetch, "health") == {"status": "ok", "home": str(lab.home), "entry": 1}


async def test_an_unreadable_ledger_is_a_message_not_a_blank_page(jp_fetch: Fetch, lab: FakeLab) -> None:
    """The panel shows message and hint of the lab's own error."""
    lab.broken = True
    assert await refused(jp_fetch, "jobs") == (
        503,
        {"message": "The ledger cannot be opened.", "hint": "Look at its permissions."},
    )


async def test_a_broken_bundle_is_said_instead_of_no_quotas(jp_fetch: Fetch, lab: FakeLab) -> None:
    """Budgets answer with the bundle's fault and its hint, while the jobs can still be read."""
    lab.bundle_broken = True
    code, body = await refused(jp_fetch, "budgets")
    assert code == 500
    assert body == {"message": "The policy bundle cannot be used.", "hint": "Run `qpm policy check`."}
    assert (await get(jp_fetch, "jobs"))["jobs"]


async def test_the_lab_is_never_asked_on_the_event_loop(jp_fetch: Fetch, lab: FakeLab) -> None:
    """A slow ledger must not stop the user's other Jupyter requests."""
    await get(jp_fetch, "jobs")
    await get(jp_fetch, "budgets")
    assert lab.threads
    assert threading.get_ident() not in lab.threads


@pytest.mark.parametrize("path", [("jobs",), ("jobs", "J1"), ("budgets",), ("health",)])
async def test_without_a_login_nothing_is_read(jp_fetch: Fetch, lab: FakeLab, path: tuple[str, ...]) -> None:
    """No token, no answer, and the lab is not even asked."""
    code, body = await refused(jp_fetch, *path, headers={"Authorization": ""})
    assert code == 403
    assert set(body) == {"message", "hint"}
    assert not lab.threads


async def test_a_job_id_cannot_leave_its_place_in_the_path(jp_fetch: Fetch, lab: FakeLab) -> None:
    """Only letters, digits, dash and underscore reach the lab as an id."""
    with pytest.raises(HTTPClientError) as caught:
        await jp_fetch("qpm-lab", "api", "jobs", "..%2Fsecret")
    assert caught.value.code == 404
    assert not lab.threads


async def test_a_cancel_from_another_page_needs_the_xsrf_token(jp_fetch: Fetch, lab: FakeLab) -> None:
    """A cookie alone, which any page can make the browser send, cancels nothing."""
    headers = await browser_login(jp_fetch)
    assert await get(jp_fetch, "health", headers=headers)
    lab.threads.clear()
    code, body = await refused(jp_fetch, "jobs", "J3", "cancel", method="POST", body="", headers=headers)
    assert code == 403
    assert "_xsrf" in body["message"]
    assert not lab.threads
