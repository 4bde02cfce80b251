"""One step of a job at a vendor, and what follows from it; called by the poller."""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import TYPE_CHECKING

from qpm_lab.errors import CancelledError, LedgerError, QpmError, SettingsError
from qpm_lab.providers.interface import RunResult
from qpm_lab.runner.attempt import LiveJob, conclude, judged, unexpected
from qpm_lab.runner.delivery import Delivery
from qpm_lab.runner.ending import ended_without_result
from qpm_lab.runner.further import Where, attempted
from qpm_lab.runner.trouble import LostError, ParkedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from qpm_lab.runner.runner import Runner

LEDGER_PAUSE_SECONDS = 5.0
SETTINGS_PAUSE_SECONDS = 5.0
KEPT = "Its result is kept by the vendor: qpm jobs resume reads it again."
log = logging.getLogger("qpm_lab")


def advance(live: LiveJob, runner: Runner) -> float | None:
    """Does what is next for a job at a vendor; never raises.

    Returns:
        Seconds until it is to be asked after again; None when this process has nothing more to do with it.
    """
    try:
        with runner.site.in_force():
            return _advanced(live, runner)
    except Exception:
        # Not even that it is parked could be recorded: it stays open, and is found again by `recover`.
        log.exception("job %s: it is let go", live.job_id)
        live.lost = True
        runner.let_go(live)
        return None


def _advanced(live: LiveJob, runner: Runner) -> float | None:
    delivery = live.delivery
    assert delivery is not None
    try:
        seconds = delivery.step(runner)
        if seconds is not None:
            return seconds
        found = _result(live, runner, delivery)
        if not callable(found):
            _goes_on(live, runner, found)
            return None
        outcome = found
    except LostError as error:
        live.lost = True
        log.info("job %s: %s", live.job_id, error.message)
        runner.let_go(live)
        return None
    except ParkedError as error:
        _park(live, runner, error)
        return None
    except LedgerError as error:
        log.warning("job %s: the ledger did not answer: %s", live.job_id, error)
        return LEDGER_PAUSE_SECONDS
    except SettingsError as error:
        log.warning("job %s: it waits, for the settings cannot be read: %s", live.job_id, error)
        return SETTINGS_PAUSE_SECONDS
    except CancelledError as error:
        outcome = partial(ended_without_result, live, runner, "job.cancelled", error)
    except QpmError as error:
        again = attempted(live, runner, error)
        if again is not None:
            _goes_on(live, runner, again)
            return None
        outcome = partial(ended_without_result, live, runner, "job.failed", error)
    except Exception as error:
        log.exception("job %s failed inside qpm_lab", live.job_id)
        _park(live, runner, ParkedError(unexpected(error).message, KEPT))
        return None
    conclude(live, runner, outcome)
    runner.let_go(live)
    return None


def _goes_on(live: LiveJob, runner: Runner, where: Where) -> None:
    """A further attempt has begun: at a vendor it is followed already."""
    if where == "here":
        runner.drive_here(live)


def _result(live: LiveJob, runner: Runner, delivery: Delivery) -> Callable[[], None] | Where:
    """The result, unmasked and judged; one that cannot be used is not lost: the vendor has it."""
    answers, shipment = delivery.answers, delivery.shipment
    try:
        own, live.gathered = shipment.own(shipment.unmasked(answers))
        live.read = shipment.read
        result = RunResult(
            own,
            run_seconds=sum(each.run_seconds for each in answers),
            queue_seconds=max(each.queue_seconds for each in answers),
            details={**answers[0].details, "vendor_ids": delivery.vendor_ids},
        )
        live.stages_ms["vendor"] = (time.monotonic() - live.created) * 1e3
        return judged(live, runner, result)
    except (CancelledError, LedgerError):
        raise
    except QpmError as error:
        raise ParkedError(error.message, KEPT) from error


def _park(live: LiveJob, runner: Runner, error: QpmError) -> None:
    live.error = error
    live.lost = True  # what becomes of it from now on is in the ledger, whoever takes it up again
    if runner.ledger.park(live.job_id, live.epoch, {"error": error.to_dict(), "attempt": live.attempt}) is not None:
        runner.boundary("after-park")
    runner.let_go(live)
