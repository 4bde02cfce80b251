"""A job at its vendor, one step at a time: sent, looked up where nobody can tell, followed, answered.

The order of effects of each parcel; each step is a named boundary:

    [before-send] vendor [after-send] → one transaction → [after-accept] … → [before-answer] vendor [after-answer]

Nothing is sent twice. Where the answer to a submission was lost, the same token is sent again only to a vendor that
takes it as a key; else the parcel is looked for, and sent again only after two empty look-ups separated by at least the
time a request may take and the time a job may be missing from the vendor's list. Who cannot be asked, or states no such
time, leaves the job parked.
"""

from __future__ import annotations

import json
import logging
import random
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import CancelledError, LedgerError, ProviderError, QpmError, SettingsError
from qpm_lab.providers.interface import Progress
from qpm_lab.providers.remote import RemoteProvider
from qpm_lab.providers.vendor import Answer, Standing
from qpm_lab.runner import clock
from qpm_lab.runner.duplicates import EVENT, stop_duplicates
from qpm_lab.runner.earlier import ENDING, Earlier, ending
from qpm_lab.runner.parts import Part
from qpm_lab.runner.shipment import Shipment
from qpm_lab.runner.trouble import LostError, ParkedError, may_pass, unreadable, untold

if TYPE_CHECKING:
    from qpm_lab.runner.attempt import LiveJob
    from qpm_lab.runner.runner import Runner

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = {"queued": 60.0, "running": 15.0, "silent": 60.0}
GROWTH = 1.5
UNSTATED_SECONDS = 120.0
"""How long a parcel is looked for at a vendor that states no time, or refuses to be asked, before its job is parked."""
RENEW_SECONDS = 15.0
log = logging.getLogger("qpm_lab")


class Delivery:
    """One attempt of a job at its vendor; `step` is called by one thread at a time.

    Args:
        live: The job.
        shipment: What is sent.
        provider: Who takes it.
        earlier: What an earlier process knew of it, that may have sent the next part too.
    """

    def __init__(
        self,
        live: LiveJob,
        shipment: Shipment,
        provider: RemoteProvider,
        earlier: Earlier | None = None,
    ) -> None:
        known = earlier or Earlier({}, {})
        self.shipment = shipment
        self.parts = [
            Part(parcel, known.accepted.get(n), also=known.also.get(n, ())) for n, parcel in enumerate(shipment.parcels)
        ]
        self._live = live
        self._provider = provider
        self._standing: Standing | None = None
        self._pause = 0.0
        self._renewed = time.monotonic()
        self._cause = known.cause
        """Why it has no result any more, while parts of it still go on."""
        waiting = self._next_unsent
        if waiting is not None:
            # An attempt ends only when nothing of it is in doubt.
            waiting.doubtful = earlier is not None and known.cause is None

    @property
    def vendor_ids(self) -> list[str]:
        """Of the parts that were accepted, in order."""
        return [part.vendor_id for part in self.parts if part.vendor_id is not None]

    @property
    def is_sent(self) -> bool:
        """True when the vendor has all of it."""
        return self._next_unsent is None

    @property
    def answers(self) -> list[Answer]:
        """Those that are there, in order."""
        return [part.answer for part in self.parts if part.answer is not None]

    @property
    def _next_unsent(self) -> Part | None:
        return next((part for part in self.parts if part.vendor_id is None), None)

    @property
    def _going(self) -> list[Part]:
        return [part for part in self.parts if part.goes_on]

    def progress(self) -> Progress:
        """How far it is, in shots, with the vendor's own words where there are some."""
        done = sum(part.shots for part in self.parts if part.answer is not None)
        return Progress(done, sum(part.shots for part in self.parts), "shots", self._words())

    def _words(self) -> str:
        title = self._provider.vendor.title
        standing = self._standing
        if standing is None:
            return f"sending to {title}" if self._next_unsent else f"waiting for {title}"
        if standing.message:
            return standing.message
        if standing.state != "queued":
            return f"{standing.state} at {title}"
        before = standing.queue_position
        return f"queued at {title}" + (f", {before:,} before it" if before is not None else "")

    def step(self, runner: Runner) -> float | None:
        """Does what is next.

        Returns:
            Seconds until the next step; None when all answers are there.

        Raises:
            ParkedError: nobody but a person can tell what became of it.
            LostError: the job is another process's now.
            CancelledError: it was cancelled.
            ProviderError: it has ended at the vendor without a result, or was certainly not taken.
        """
        self._renew(runner)
        why = self._asked_to_stop(runner)
        part, ends = self._next_unsent, why or self._cause
        if part is not None and part.taken_as is not None:
            self.accept(part, part.taken_as, runner)
            return 0.0
        self._stop_duplicates(runner)
        if part is not None and (part.doubtful or not ends):
            return self._look_up(part, runner) if part.doubtful else self._send(part, runner)
        if why and not self.vendor_ids:
            raise CancelledError(f"The job was cancelled: {why}.", "Nothing was sent, and nothing was spent.")
        if ends:
            self.stop(runner)
        return self._follow(runner)

    def stop(self, runner: Runner) -> None:
        """Asks the vendor to stop every part that goes on; what it does not take is asked again at the next step."""
        for part in [each for each in self._going if not each.asked_to_stop]:
            self._renew(runner)
            try:
                self._provider.stop(self._live.task.backend.id, str(part.vendor_id))
                part.asked_to_stop = True
            except ProviderError as error:
                log.info("job %s: %s is not stopped: %s", self._live.job_id, part.vendor_id, error.message)
                if may_pass(error):
                    return  # silent: it would be asked for each part, for minutes

    def is_over(self) -> bool:
        """True when nothing of it goes on at the vendor, and it is known how all of it ended."""
        return not any(part.doubtful or part.goes_on or part.ended == "unclear" for part in self.parts)

    def look(self, runner: Runner) -> None:
        """How parts ended of which that is not known, as far as the vendor says now: their bill depends on it."""
        for part in self._going:
            try:
                self._look(part, runner)
            except QpmError as error:
                log.info("job %s: not known how %s ended: %s", self._live.job_id, part.vendor_id, error.message)
                if may_pass(error):
                    return

    def _look(self, part: Part, runner: Runner) -> Standing:
        backend_id, vendor_id = self._live.task.backend.id, str(part.vendor_id)
        standing = self._provider.standing(backend_id, vendor_id)
        if standing.state == "done":
            runner.boundary("before-answer")
            part.answer = self._provider.answer(part.parcel, vendor_id)
            runner.boundary("after-answer")
        elif standing.state in ("failed", "cancelled"):
            part.ended = standing.state
        return standing

    def _send(self, part: Part, runner: Runner) -> float:
        runner.boundary("before-send")
        self._renew(runner, now=True)
        try:
            vendor_id = runner.breakers.send(self._live.task.backend.id, partial(self._provider.send, part.parcel))
        except (LedgerError, SettingsError):
            raise
        except QpmError as error:
            if not (isinstance(error, ProviderError) and error.uncertain):
                return self._refused(error, runner)
            part.doubtful = True
            place = self.parts.index(part)
            told = {"part": place, "token": part.parcel.token, "error": error.to_dict()}
            runner.ledger.note("vendor.unclear", told, job_id=self._live.job_id)
            return self._wait("silent", error.message)
        runner.boundary("after-send")
        self.accept(part, vendor_id, runner)
        return 0.0

    def _refused(self, error: QpmError, runner: Runner) -> float:
        """A part that was certainly not taken. While the vendor has others of the job it is no attempt that has ended:
        to begin another would run and pay for those twice.
        """
        if may_pass(error) and self.vendor_ids:
            return self._wait("silent", error.message)
        return self._ends(error, runner)

    def _ends(self, cause: QpmError, runner: Runner) -> float:
        """It has no use for the rest any more, but that is followed to its end: its bill depends on how it ended, and
        only then may another attempt begin.
        """
        if self._cause is None and self._going:
            runner.ledger.note(ENDING, ending(cause), job_id=self._live.job_id)
        self._cause = self._cause or cause
        if not self._going:
            raise self._cause
        return 0.0

    def accept(self, part: Part, vendor_id: str, runner: Runner) -> None:
        """Records that the vendor took a part.

        Raises:
            LostError: the job is another process's now.
        """
        part.taken_as, part.doubtful, part.missing_since = vendor_id, False, None
        told = {"part": self.parts.index(part), "token": part.parcel.token, "vendor_id": vendor_id}
        live, first = self._live, [*self.vendor_ids, vendor_id][0]
        if runner.ledger.accepted(live.job_id, live.epoch, told, first) is None:
            raise LostError("The job is another process's now.")
        part.vendor_id, part.taken_as = vendor_id, None
        live.started = False
        self._pause = 0.0
        runner.boundary("after-accept")

    def _look_up(self, part: Part, runner: Runner) -> float:
        lookup = self._provider.vendor.durability.lookup
        if lookup == "none":
            raise self._parked(part, "cannot be asked for a job by its token")
        try:
            # A list that is read page by page may name a job twice.
            found = list(dict.fromkeys(self._provider.find(self._live.task.backend.id, part.parcel.token)))
        except QpmError as error:
            return self._unasked(part, error)
        part.unasked_since = None
        if found:
            part.also = tuple(found[1:])
            if part.also:
                told = {"part": self.parts.index(part), "vendor": self._provider.vendor.title, "vendor_ids": found}
                runner.ledger.note(EVENT, told, job_id=self._live.job_id)
            self.accept(part, found[0], runner)
            return 0.0
        # No vendor says for how long it knows a key, so the list comes first.
        return self._send_again(part, runner) if lookup == "idempotent" else self._not_found(part, runner)

    def _unasked(self, part: Part, error: QpmError) -> float:
        """Whoever mends a key or a setting soon needs to do no more; after that somebody has to say so."""
        now = time.monotonic()
        if may_pass(error):
            part.unasked_since = None
        elif part.unasked_since is None:
            part.unasked_since = now
        elif now - part.unasked_since >= UNSTATED_SECONDS:
            raise self._parked(part, f"cannot be asked: {error.message}") from error
        return self._wait("silent", error.message)

    def _stop_duplicates(self, runner: Runner) -> None:
        for n, part in enumerate(self.parts):
            if part.also:
                found = [str(part.vendor_id), *part.also]
                told = stop_duplicates(self._provider, self._live.task.backend.id, found, self.vendor_ids)
                runner.ledger.note(EVENT, {"part": n, **told}, job_id=self._live.job_id)
                part.also = ()

    def _send_again(self, part: Part, runner: Runner) -> float:
        """The same key cannot make a second job. A refusal now says nothing of what was sent before."""
        runner.boundary("before-send")
        self._renew(runner, now=True)
        try:
            vendor_id = self._provider.send(part.parcel)
        except QpmError as error:
            if may_pass(error):
                return self._wait("silent", error.message)
            raise self._parked(part, f"refuses to say: {error.message}") from error
        runner.boundary("after-send")
        self.accept(part, vendor_id, runner)
        return 0.0

    def _not_found(self, part: Part, runner: Runner) -> float:
        now, bound = time.monotonic(), self._provider.settled_seconds
        if part.missing_since is None:
            part.missing_since = now
        absent = now - part.missing_since
        if bound is None and absent >= UNSTATED_SECONDS:
            raise self._parked(part, "does not list it, and states no time after which it would")
        if bound is not None and absent >= bound:
            part.doubtful, part.missing_since = False, None
            if self._live.plan.route is not None:
                # It may go elsewhere; a job whose backend was named can only be sent again.
                title = self._provider.vendor.title
                told = f"{title} did not take the job: it was sent, and is not there."
                return self._ends(ProviderError(told, retryable=True), runner)
            return 0.0
        left = (UNSTATED_SECONDS if bound is None else bound) - absent
        return min(self._wait("silent", "looking for the job at the vendor"), max(left, 0.05))

    def _parked(self, part: Part, why: str) -> ParkedError:
        return untold(self._provider.vendor.title, self._live.job_id, part.parcel.token, why)

    def _follow(self, runner: Runner) -> float | None:
        part = next(iter(self._going), None)
        if part is None and self._cause is not None:
            raise self._cause
        if part is None and not self.is_sent:
            raise CancelledError("The job was cancelled before all of it was sent.")
        if part is None:
            return None
        try:
            standing = self._look(part, runner)
        except QpmError as error:
            return self._unanswered(part, error)
        return self._after(standing, runner)

    def _unanswered(self, part: Part, error: QpmError) -> float:
        """A vendor that does not answer has not lost the job; one whose answer cannot be read has it still."""
        if may_pass(error):
            return self._wait("silent", error.message)
        if self._cause is not None and part.asked_to_stop:
            part.ended = "unclear"
            return 0.0
        raise unreadable(error, self._live.job_id) from error

    def _after(self, standing: Standing, runner: Runner) -> float | None:
        title = self._provider.vendor.title
        if standing.state == "done":
            self._pause = 0.0
            return 0.0 if self._going or self._cause or not self.is_sent else None
        if standing.state == "failed":
            told = f"{title}: {standing.message or 'the job failed, without saying why'}"
            hint = "See the vendor's own page for this job, or run it elsewhere."
            return self._ends(ProviderError(told, hint), runner)
        if standing.state == "cancelled":
            return self._ends(CancelledError(f"The job was cancelled at {title}."), runner)
        if standing.state == "running":
            self._begun(runner)
        if self._standing != standing:
            self._pause, self._standing = 0.0, standing
            self._renew(runner, now=True)
        return self._wait(standing.state)

    def _begun(self, runner: Runner) -> None:
        live = self._live
        if not live.started:
            runner.ledger.start(live.job_id, live.epoch, {"attempt": live.attempt}, vendor_id=self.vendor_ids[0])
            live.started = True

    def _asked_to_stop(self, runner: Runner) -> str | None:
        live = self._live
        if live.cancel_reason is None:
            live.cancel_reason = runner.cancel_asked(live)
        return live.cancel_reason

    def _renew(self, runner: Runner, *, now: bool = False) -> None:
        """Always before anything is sent: this machine may have slept, and the job be another's by now."""
        if not now and time.monotonic() - self._renewed < RENEW_SECONDS:
            return
        self._renewed = time.monotonic()
        live, lease = self._live, runner.owner(clock.now()).lease_until
        if live.lost or not runner.ledger.renew(live.job_id, live.epoch, lease, json.dumps(self._told())):
            raise LostError("The job is another process's now.")

    def _told(self) -> dict[str, Any]:
        standing = self._standing or Standing("queued")
        return {
            "state": standing.state,
            "queue_position": standing.queue_position,
            "message": self._words()[:300],
            "as_of": clock.stamp(clock.now()),
        }

    def _tell(self, state: str, message: str) -> None:
        known = self._standing.state if self._standing else "queued"
        self._standing = Standing(known, message=message)
        log.info("job %s: %s: %s", self._live.job_id, state, message)

    def _wait(self, state: str, message: str = "") -> float:
        """Longer each time, with a little chance in it, so that many jobs do not ask together."""
        if message:
            self._tell(state, message)
        longest = min(LONGEST_PAUSE_SECONDS[state], self._provider.longest_pause_seconds)
        self._pause = min(longest, max(FIRST_PAUSE_SECONDS, self._pause * GROWTH))
        return min(longest, self._pause * random.uniform(0.8, 1.2))
