"""One vendor job of a job: what is sent, under which id the vendor has it, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from qpm_lab.providers.vendor import Answer, Parcel


@dataclass(slots=True)
class Part:
    """One parcel on its way."""

    parcel: Parcel
    vendor_id: str | None = None
    taken_as: str | None = None
    """The vendor's id for it, as long as the ledger does not have it."""
    doubtful: bool = False
    """Nobody can tell whether the vendor took it."""
    missing_since: float | None = None
    """When it was first not found; monotonic, so that a changed clock changes nothing."""
    unasked_since: float | None = None
    """When the vendor first refused to be asked for it; monotonic."""
    also: tuple[str, ...] = ()
    """Further ids under its token: the vendor has it more than once, and is still to be asked to stop these."""
    asked_to_stop: bool = False
    """The vendor has taken the wish to stop it."""
    answer: Answer | None = None
    ended: Literal["failed", "cancelled", "unclear"] | None = None
    """How it ended without an answer; `unclear` when nobody can read how."""

    @property
    def goes_on(self) -> bool:
        """True when the vendor has it, and it is not known to have ended."""
        return self.vendor_id is not None and self.answer is None and self.ended is None

    @property
    def shots(self) -> int:
        """Of all its circuits together."""
        return self.parcel.shots * len(self.parcel.circuits)
