"""Every error a user can meet, in one tree; each says what happened and what to do next.

QpmError                      message, hint, cause                            exit 2
├── InputError                a file, option or value cannot be used          exit 2
│   ├── CircuitError          a circuit cannot be read or translated          exit 2
│   └── SettingsError         settings or keys cannot be read                 exit 2
│       └── UnreadableKeyError  a key is there and cannot be read             exit 2
├── PolicyError               the policy layer said no
│   ├── BundleError           a policy bundle is broken; lists every problem  exit 2
│   ├── DeniedError           a rule refused; carries the decision            exit 3
│   ├── QuotaError            only quotas refused; carries the decision       exit 4
│   └── ApprovalNeededError   a named role has to agree first                 exit 7
├── ProviderError             the provider failed                             exit 5
│   ├── CapacityError         this machine or backend cannot hold the job     exit 5
│   └── CancelledError        the job was cancelled before it had a result    exit 5
├── ValidationError           a result did not meet the conditions set for it exit 6
├── PromotionError            conditions for a spec or promotion not met      exit 6
└── LedgerError               the ledger cannot be used                       exit 5
    └── IntegrityError        the ledger was changed or is damaged            exit 8
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from qpm_lab.experiment import Decision


class QpmError(Exception):
    """An error meant for a person: what happened, and what would help.

    Args:
        message: What happened, in one sentence.
        hint: What to do about it; may be empty when nothing can be done.
        cause: The underlying exception, kept for the log.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, hint: str = "", *, cause: BaseException | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if cause is not None:
            self.__cause__ = cause

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def to_dict(self) -> dict[str, Any]:
        """The `error` object of every `--json` document."""
        return {"type": type(self).__name__, "message": self.message, "hint": self.hint}

    def _render_traceback_(self) -> list[str]:
        """What IPython prints instead of a traceback: message and hint, nothing else."""
        return [f"{type(self).__name__}: {self.message}", *([self.hint] if self.hint else [])]


class InputError(QpmError):
    """A file, option or value that cannot be used."""


class SettingsError(InputError):
    """The settings or keys cannot be read: whatever is at a vendor waits until they can."""


class UnreadableKeyError(SettingsError):
    """A key is there and cannot be read: its keyring is locked, or others may read its file."""


class CircuitError(InputError):
    """A circuit that cannot be read, translated or measured."""


class PolicyError(QpmError):
    """The policy layer said no."""

    exit_code = 3


class BundleError(PolicyError):
    """A policy bundle that cannot be used; `problems` names file, place and fault of each."""

    exit_code = 2

    def __init__(self, message: str, hint: str = "", *, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint)
        self.problems = problems

    def to_dict(self) -> dict[str, Any]:
        return {**super().to_dict(), "problems": list(self.problems)}


class DeniedError(PolicyError):
    """A rule refused the job; `decision` holds all reasons, `job_id` the recorded refusal."""

    exit_code = 3

    def __init__(self, decision: Decision, job_id: str | None = None) -> None:
        first = decision.reasons[0]
        more = len(decision.reasons) - 1
        super().__init__(first.message + (f" (and {more} more)" if more else ""), first.fix)
        self.decision = decision
        self.job_id = job_id

    def to_dict(self) -> dict[str, Any]:
        return {**super().to_dict(), "job_id": self.job_id, "decision": self.decision.to_dict()}


class QuotaError(DeniedError):
    """Only quotas refused the job."""

    exit_code = 4


class ApprovalNeededError(DeniedError):
    """A named role has to agree before the job may run."""

    exit_code = 7


class ProviderError(QpmError):
    """The provider could not run the job.

    Args:
        message: What happened, in one sentence.
        hint: What to do about it.
        retryable: A further attempt may succeed.
        uncertain: Nobody can tell whether the vendor took the job: its answer was lost or cannot be read. Such a job
            is looked up, never simply sent again.
        cause: The underlying exception, kept for the log.
    """

    exit_code = 5

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        retryable: bool = False,
        uncertain: bool = False,
        cause: BaseException | None = None,
    ) -> None:
        super().__init__(message, hint, cause=cause)
        self.retryable = retryable
        self.uncertain = uncertain


class CapacityError(ProviderError):
    """The machine or backend cannot hold the job; says the size it would need."""


class CancelledError(ProviderError):
    """The job was cancelled before it had a result."""


class ValidationError(QpmError):
    """A job completed, and its result did not meet the conditions set for it: it has not succeeded."""

    exit_code = 6


class PromotionError(QpmError):
    """A spec or promotion did not meet its conditions."""

    exit_code = 6


class LedgerError(QpmError):
    """The ledger cannot be opened or written."""

    exit_code = 5


class IntegrityError(LedgerError):
    """The ledger does not verify: it was changed outside qpm_lab, cut off, or is damaged."""

    exit_code = 8
