"""What may befall a job at a vendor besides its end: nobody can tell what became of it, or it is another process's."""

from __future__ import annotations

from qpm_lab.errors import ProviderError, QpmError, SettingsError


class ParkedError(ProviderError):
    """Only a person can say what became of the job."""


class LostError(ProviderError):
    """Another process has taken the job over, or it was closed; nothing of it is ours any more."""


def untold(title: str, job_id: str, token: str, why: str) -> ParkedError:
    """Nobody can tell whether a part was taken.

    Args:
        title: The vendor's.
        job_id: Ours.
        token: Of the part.
        why: What the vendor does or does not, after its name.
    """
    return ParkedError(
        f"Nobody can tell whether {title} took this job: {title} {why.rstrip('.')}. It keeps what it holds.",
        f"Look at {title} for {token}, then say: qpm jobs resolve {job_id} --vendor-id ID, or --not-submitted.",
    )


def unreadable(error: QpmError, job_id: str) -> ParkedError:
    """The vendor has the job, and what it says of it cannot be used."""
    first = f"{error.hint.rstrip('. ')}. " if error.hint.strip() else ""
    return ParkedError(f"{error.message} The job is kept.", f"{first}Then: qpm jobs resume {job_id}")


def may_pass(error: QpmError) -> bool:
    """True when the same question may be answered later."""
    passing = isinstance(error, ProviderError) and (error.retryable or error.uncertain)
    return passing or isinstance(error, SettingsError)
