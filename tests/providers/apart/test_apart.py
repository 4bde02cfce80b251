"""The process in which a vendor's client runs: what it sees, what it may say, and how it ends."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

from qpm_lab.errors import ProviderError
from qpm_lab.providers.apart import environment as environments
from qpm_lab.providers.remote import RemoteProvider
from qpm_lab.providers.vendor import Access, Answer, Availability, Parcel
from tests.providers.apart.conftest import KEY, VENDOR

Make = Callable[..., RemoteProvider]


def told(provider: RemoteProvider, what: str, argument: str = "") -> Any:
    message = provider.standing(f"pretending/{what}", argument).message
    return message if what == "chat" else json.loads(message)


def refused(provider: RemoteProvider, what: str, argument: str = "") -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        provider.standing(f"pretending/{what}", argument)
    assert KEY not in str(caught.value)
    return caught.value


def parcel(shots: int = 5) -> Parcel:
    made = QuantumCircuit(QuantumRegister(3, "q"), ClassicalRegister(2, "c"))
    made.rx(0.25, 2)
    made.measure(2, 0)
    return Parcel("x", (made, made), shots, "f" * 32, 9, 1.5, 2.5)


def test_it_sees_nothing_of_the_user(provider: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable but a few, an empty home that is the working folder too: no key and no `.env` file is found."""
    monkeypatch.setenv("IONQ_API_KEY", "of-the-user")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-user")
    seen = told(provider(), "where")
    assert "of-the-user" not in seen["environment"].values()
    assert not any(name.startswith(("QPM", "AWS", "IONQ")) for name in seen["environment"])
    assert seen["files"] == []
    assert seen["home"] == seen["cwd"] != str(Path.home())


@pytest.mark.parametrize("module", ["wave", "qiskit.qpy"])
def test_what_calls_need_is_imported_before_the_first(provider: Make, module: str) -> None:
    """A vendor's library may take longer to import than a call may take, so that is no part of a call.

    Nor does it come before the client: some libraries read at their import what it sets.
    """
    assert told(provider(vendor=replace(VENDOR, module="wave")), "imported", module) == [False, True]
    assert told(provider(), "imported", "wave") == [False, False]


def test_its_home_is_gone_when_it_has_ended(provider: Make) -> None:
    """Nothing that a client writes there stays."""
    made = provider()
    home = Path(told(made, "where")["home"])
    assert home.is_dir()
    made.close()
    assert not home.exists()


def test_a_proxy_is_never_asked_for_a_double(provider: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loopback interface is added to what the site excepts."""
    monkeypatch.setenv("NO_PROXY", "example.org")
    seen = told(provider(), "where")["environment"]
    assert seen["NO_PROXY"] == "example.org,127.0.0.1,localhost"


@pytest.mark.parametrize("what", ["quote", "explain"])
def test_no_error_quotes_a_key(provider: Make, what: str) -> None:
    """Neither one that nobody has foreseen nor one in our own words."""
    error = refused(provider(), what)
    assert "[key]" in error.message
    assert "\n" not in error.message
    assert (error.retryable, error.uncertain) == (what == "explain", False)


def test_a_vendors_words_about_a_job_quote_no_key(provider: Make) -> None:
    """Not in an error, but in the answer itself."""
    assert told(provider(), "mention") == "failed with [key]"


def test_a_client_that_cannot_be_made_says_why(provider: Make) -> None:
    """In its own words, without the key; and again when it is asked again."""
    made = provider(refuse=True)
    for _ in range(2):
        assert refused(made, "process").message == "The key [key] is of no use."


@pytest.mark.parametrize("what", ["quote", "die", "hang"])
def test_a_submission_that_fails_unforeseen_is_in_doubt(provider: Make, what: str) -> None:
    """An unknown error, a process that died, one that did not answer: the vendor may have taken the job."""
    with pytest.raises(ProviderError) as caught:
        provider(timeout_seconds=1).send(replace(parcel(), backend=what))
    assert (caught.value.retryable, caught.value.uncertain) == (False, True)


def test_a_submission_by_a_client_that_was_never_made_took_nothing(provider: Make) -> None:
    """There is no doubt before anything was sent."""
    with pytest.raises(ProviderError) as caught:
        provider(refuse=True).send(parcel())
    assert not caught.value.uncertain


def test_a_process_that_ends_is_replaced(provider: Make) -> None:
    """Its last words are told without the key; a question may be asked again."""
    made = provider()
    first = told(made, "process")
    error = refused(made, "die")
    assert (error.retryable, error.uncertain) == (True, False)
    assert "last words: [key]" in error.hint
    assert told(made, "process") != first
    assert not psutil.pid_exists(first)


def test_a_killed_process_ends_its_call(provider: Make, tmp_path: Path) -> None:
    """In the middle of it, with an error and not with waiting."""
    made, mark = provider(), tmp_path / "under-way"
    victim = psutil.Process(told(made, "process"))
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(refused, made, "hang", str(mark))
        while not mark.exists():
            time.sleep(0.01)
        victim.kill()
        assert call.result(30).retryable


def test_a_call_without_an_end_is_ended(provider: Make) -> None:
    """After the site's time the process is killed; the next call is answered."""
    made = provider(timeout_seconds=1)
    first = told(made, "process")
    error = refused(made, "hang")
    assert "did not answer within 1 s" in error.message
    assert (error.retryable, error.uncertain) == (True, False)
    assert told(made, "process") != first


def test_what_a_library_prints_disturbs_nothing(provider: Make) -> None:
    """Neither from Python nor from below."""
    assert told(provider(), "chat") == "heard"


def test_it_ends_with_whoever_started_it(provider: Make) -> None:
    """At the end of its input, even in the middle of a call."""
    made = provider()
    process = psutil.Process(told(made, "process"))
    with made._pool.line() as line:
        assert line._process.stdin is not None
        line._process.stdin.close()
        process.wait(30)
    assert not process.is_running()


def test_it_ends_also_when_its_folder_is_gone_already(provider: Make) -> None:
    """A cleaner of temporary files may be quicker; a process that nobody ends would stay for ever."""
    made = provider()
    process, home = psutil.Process(told(made, "process")), Path(told(made, "where")["home"])
    home.rmdir()
    with made._pool.line() as line:
        assert line._process.stdin is not None
        line._process.stdin.close()
        process.wait(30)
    assert not process.is_running()


def test_two_calls_run_at_once_and_a_third_waits(provider: Make) -> None:
    """A slow call does not hold up the next, and many calls do not start many processes."""
    made = provider(slow=0.3)
    with ThreadPoolExecutor(6) as threads:
        used = list(threads.map(lambda _: told(made, "process"), range(6)))
    assert len(set(used)) == 2


def test_a_new_key_is_used_at_once(provider: Make) -> None:
    """A process that was given another key is not asked again."""
    made = provider()
    first = told(made, "process")
    made.access = lambda name: Access("", {"token": "another-key"})
    assert told(made, "process") != first
    assert not psutil.pid_exists(first)


def test_a_closed_provider_leaves_no_process(provider: Make) -> None:
    """Not even a zombie."""
    made = provider()
    pid = told(made, "process")
    made.close()
    assert not psutil.pid_exists(pid)


def test_what_is_said_arrives_as_it_was(provider: Make) -> None:
    """Parcels, answers, prices, bytes and nothing at all."""
    made, sent = provider(), parcel()
    head, circuits = json.loads(made.send(sent))
    assert head == ["x", 5, "f" * 32, 9, 1.5, 2.5]
    assert circuits == [[3, {"rx": 1, "measure": 1}, ["c"]]] * 2
    assert made.price(sent) == ("EUR", "1.50")
    assert made.price(replace(sent, shots=1)) is None
    assert made.find("pretending/x", "t") == ["t", "x"]
    assert made.availability("pretending/y") == Availability(True, 3, 1.5, "2026-01-01T00:00:00Z", "y")
    assert made._pool.call("calibration", {"backend": "known"}) == bytes(range(256))
    assert made._pool.call("calibration", {"backend": "other"}) is None
    answer = made.answer(sent, "id")
    assert answer == Answer([{"01": 3}], 1.0, 2.0, ("USD", "3.1"), 4.0, 5.0, {"client": "pretending"})
    made.stop("pretending/x", "id")


def test_a_broken_environment_says_how_to_make_it_anew(provider: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when its Python is gone, or was never there."""
    made = provider()
    monkeypatch.setattr("qpm_lab.providers.apart.pool.interpreter", lambda vendor: Path("/nowhere/python"))
    assert "qpm provider install pretending" in refused(made, "process").hint
    monkeypatch.setattr("qpm_lab.providers.apart.pool.interpreter", lambda vendor: None)
    assert "qpm provider install pretending" in refused(made, "process").hint


@contextmanager
def speaking(head: bytes, chunk: bytes, pause_seconds: float = 0.0) -> Iterator[str]:
    """A server that answers every connection with a head and then a chunk over and over; gives its address."""
    stopped = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)

    def serve() -> None:
        while not stopped.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection:
                connection.recv(65536)
                try:
                    connection.sendall(head)
                    while not stopped.is_set():
                        connection.sendall(chunk)
                        stopped.wait(pause_seconds)
                except OSError:
                    continue

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stopped.set()
        thread.join()
        listener.close()


def test_an_endless_answer_is_not_read_to_its_end(provider: Make) -> None:
    """A bound on bytes holds for whatever reads them; the next call has its own."""
    with speaking(b"HTTP/1.0 200 OK\r\n\r\n", b"0" * 65536) as url:
        made = provider(url)
        for _ in range(2):
            assert "larger than 32 MiB" in refused(made, "read").message


def test_a_dripping_answer_is_not_waited_for(provider: Make) -> None:
    """A bound on time holds although every byte comes in time."""
    with speaking(b"HTTP/1.0 200 OK\r\n\r\n", b"0", 0.05) as url:
        error = refused(provider(url, timeout_seconds=1), "read")
    assert "did not a" in error.message


def test_a_small_answer_that_unpacks_to_a_large_one_is_not_unpacked(provider: Make) -> None:
    """Some kilobytes may hold gigabytes; what fits comes out whole."""
    made = provider()
    assert told(made, "unpack", str(2**20)) == 2**20
    assert "unpacked answer is larger" in refused(made, "unpack", str(2**26)).message


def test_an_installation_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message ends with what the installer said."""
    monkeypatch.setenv("QPM_PROVIDERS", str(tmp_path))
    monkeypatch.setattr(environments, "_installer", lambda own: ["sh", "-c", "echo no such package >&2; exit 1"])
    monkeypatch.setattr(environments, "_maker", lambda: ["mkdir"])
    with pytest.raises(ProviderError, match="no such package"):
        environments.install(VENDOR)
    assert list(tmp_path.iterdir()) == []
    assert environments.interpreter(VENDOR) is None


def test_an_environment_is_used_only_once_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is half made is not; a removed one neither."""
    monkeypatch.setenv("QPM_PROVIDERS", str(tmp_path))
    monkeypatch.setattr(environments, "_installer", lambda own: ["true"])
    monkeypatch.setattr(environments, "_maker", lambda: ["mkdir"])
    lines: list[str] = []
    (tmp_path / VENDOR.name).mkdir()
    assert environments.interpreter(VENDOR) is None
    own = environments.install(VENDOR, lines.append)
    assert environments.interpreter(VENDOR) == own / "bin" / "python"
    assert "pretending==1" in lines[-1]
    assert environments.remove(VENDOR)
    assert not environments.remove(VENDOR)
    assert environments.interpreter(VENDOR) is None
