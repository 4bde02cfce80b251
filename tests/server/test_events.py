"""The push channel: pages hear of every change without asking again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from qpm_lab.server import watch
from tests.server.fake_lab import FakeLab, browser_login

Connect = Callable[..., Any]
EVENTS = ("qpm-lab", "api", "events")


async def heard(page: Any) -> dict[str, Any]:
    """The next message; a page that hears nothing fails instead of hanging."""
    message: dict[str, Any] = json.loads(await asyncio.wait_for(page.read_message(), timeout=30))
    return message


async def test_a_page_hears_which_jobs_changed(jp_ws_fetch: Connect, lab: FakeLab) -> None:
    """After `ready`, an entry by any process arrives with its number and its job."""
    page = await jp_ws_fetch(*EVENTS)
    assert await heard(page) == {"type": "ready", "entry": 0}
    lab.change("J3")
    assert await heard(page) == {"type": "changed", "entry": 1, "jobs": ["J3"], "more": False}
    page.close()


async def test_a_burst_of_entries_is_few_messages_and_loses_none(jp_ws_fetch: Connect, lab: FakeLab) -> None:
    """Two hundred entries in a row are told in a handful of messages that name every job."""
    page = await jp_ws_fetch(*EVENTS)
    await heard(page)
    for number in range(200):
        lab.change(f"J{number % 7}")
    named: set[str] = set()
    messages, entry = 0, 0
    while entry < 200:
        message = await heard(page)
        named.update(message["jobs"])
        messages, entry = messages + 1, message["entry"]
    assert named == {f"J{number}" for number in range(7)}
    assert messages <= 20
    page.close()


async def test_a_change_without_a_file_notification_is_still_seen(jp_ws_fetch: Connect, lab: FakeLab) -> None:
    """Network file systems and PostgreSQL notify nobody: the head is read now and then as well."""
    page = await jp_ws_fetch(*EVENTS)
    await heard(page)
    lab.entries.append("J1")
    assert (await heard(page))["jobs"] == ["J1"]
    page.close()


async def test_without_watches_the_head_is_polled(
    jp_ws_fetch: Connect, lab: FakeLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user who has run out of file watches still sees changes."""

    def no_watch(*_: Any, **__: Any) -> Any:
        raise OSError("OS file watch limit reached")

    monkeypatch.setattr("qpm_lab.server.watch.watchfiles.watch", no_watch)
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.05)
    page = await jp_ws_fetch(*EVENTS)
    await heard(page)
    lab.change("J2")
    assert (await heard(page))["jobs"] == ["J2"]
    page.close()


async def test_while_a_page_listens_jobs_of_dead_kernels_are_closed(
    jp_ws_fetch: Connect, lab: FakeLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has to start a kernel for a killed kernel's job to stop being shown as running."""
    monkeypatch.setattr(watch, "RECOVER_SECONDS", 0.0)
    page = await jp_ws_fetch(*EVENTS)
    await heard(page)
    for _ in range(2):
        lab.change("J1")
        await heard(page)
    assert lab.recoveries >= 1
    page.close()


async def test_a_second_page_is_greeted_at_once(jp_ws_fetch: Connect, lab: FakeLab) -> None:
    """Every page may rely on a first `ready`, also when the watch already runs."""
    first, second = await jp_ws_fetch(*EVENTS), await jp_ws_fetch(*EVENTS)
    assert (await heard(first))["type"] == "ready"
    assert (await heard(second))["type"] == "ready"
    lab.change("J1")
    assert (await heard(first))["jobs"] == (await heard(second))["jobs"] == ["J1"]
    first.close()
    second.close()


async def test_an_unreadable_ledger_is_told_and_recovers(
    jp_ws_fetch: Connect, lab: FakeLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page gets message and hint, and `ready` as soon as the ledger can be read again."""
    monkeypatch.setattr(watch, "RETRY_SECONDS", 0.05)
    lab.broken = True
    page = await jp_ws_fetch(*EVENTS)
    assert await heard(page) == {
        "type": "error",
        "message": "The ledger cannot be opened.",
        "hint": "Look at its permissions.",
    }
    lab.broken = False
    message = await heard(page)
    while message["type"] == "error":
        message = await heard(page)
    assert message == {"type": "ready", "entry": 0}
    page.close()


async def test_without_a_login_nobody_listens(jp_ws_fetch: Connect, lab: FakeLab) -> None:
    """The channel asks for the same login as the rest of the server."""
    with pytest.raises(HTTPClientError) as caught:
        await jp_ws_fetch(*EVENTS, headers={"Authorization": ""})
    assert caught.value.code == 403
    assert not lab.threads


async def test_the_users_own_page_listens_with_its_cookie(
    jp_fetch: Connect, jp_ws_fetch: Connect, lab: FakeLab
) -> None:
    """The browser's login is enough: no token has to be in the page's script."""
    page = await jp_ws_fetch(*EVENTS, headers=await browser_login(jp_fetch))
    assert (await heard(page))["type"] == "ready"
    page.close()


async def test_another_site_cannot_listen(jp_fetch: Connect, jp_ws_fetch: Connect) -> None:
    """A page of another origin is turned away even though the browser sends the user's cookie."""
    headers = {**await browser_login(jp_fetch), "Origin": "https://elsewhere.example"}
    with pytest.raises(HTTPClientError) as caught:
        await jp_ws_fetch(*EVENTS, headers=headers)
    assert caught.value.code == 403


def test_a_message_names_a_bounded_number_of_jobs() -> None:
    """A bulk change says that there are more instead of growing without end."""
    message = watch.changed(9, [f"J{n}" for n in range(1000)])
    assert (len(message["jobs"]), message["more"]) == (watch.MAX_IDS, True)
