"""Heavy-set fidelity, Hellinger fidelity and a flag, shown as one: a number, and whether to believe it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from qpm_lab.errors import InputError
from qpm_lab.experiment import Estimate
from qpm_lab.fidelity.arguments import as_list
from qpm_lab.fidelity.dispersion import Dispersion, dispersion
from qpm_lab.fidelity.heavy import heavy_estimate, heavy_set
from qpm_lab.fidelity.hellinger import MISFIT, overlap
from qpm_lab.fidelity.histogram import compare
from qpm_lab.fidelity.intervals import require_level
from qpm_lab.fidelity.reference import white_overlap

if TYPE_CHECKING:
    from qpm_lab.fidelity.heavy import HeavySet
    from qpm_lab.fidelity.histogram import Comparison, Counts, Distribution

Flag = Literal["none", "amber", "red"]
FLAG_WORDS: Mapping[Flag, str] = {
    "none": "",
    "amber": "the errors are not quite white noise",
    "red": "the errors are not white noise: this fidelity may flatter the circuit",
}
"""What a flag says, for people; nothing when there is none."""
RED_MARGIN = 0.05
"""How far the Hellinger interval must be from what the heavy-set fidelity predicts."""


@dataclass(frozen=True, slots=True, repr=False)
class OutcomeFidelity(Estimate):
    """The heavy-set fidelity, which is the headline, and what speaks for and against it."""

    hellinger: Estimate | None = None
    """The Hellinger fidelity of the same histogram."""
    flag: Flag = "none"
    """`red`: the two contradict each other; `amber`: the histogram is not white noise; see `FLAG_WORDS`."""
    misfit_z: float | None = None
    """Standard deviations by which the histogram differs from white noise of any strength."""
    dispersion: Dispersion | None = None
    """Whether shots were independent, when their order is known."""

    def to_dict(self) -> dict[str, Any]:
        return {
            # Two-argument super has no class to find: slots make dataclass build the class a second time.
            **Estimate.to_dict(self),
            "hellinger": self.hellinger.to_dict() if self.hellinger else None,
            "flag": self.flag,
            "misfit_z": self.misfit_z,
            "dispersion": self.dispersion.to_dict() if self.dispersion else None,
        }


def outcome_fidelity(
    counts: Counts,
    ideal: Distribution,
    level: float = 0.95,
    *,
    bits: int | None = None,
    blocks: Sequence[Counts] | None = None,
) -> OutcomeFidelity:
    """The outcome fidelity of a histogram: heavy-set headline, Hellinger companion and misfit flag.

    value, low and high are those of `heavy_fidelity`, exact but blind to errors that move probability
    within the likely outcomes. `hellinger` looks at every outcome. The flag is red when its interval
    excludes, by more than 0.05, the Hellinger fidelity that white noise of strength 1 − F_H would have; amber
    when the histogram only differs from white noise of every strength by more than three standard deviations.
    Neither number is a state's fidelity: a histogram in one basis bounds that from above only.

    Args:
        counts: Bit string → count, spaces allowed, or an integer array of shape (2^n,).
        ideal: Bit string → probability, or an array of shape (2^n,); sums to 1.
        level: Confidence level of either interval, for itself.
        bits: Number of different qubits measured, when that is less than the length of the keys.
        blocks: Histograms in the order in which they were taken, which sum to `counts`: tells whether shots
            are independent, with at most 1 % false warnings.

    Returns:
        The estimate. When the ideal is nearly uniform it has no value and no interval, and no red flag; `hellinger`
        then has no value either, and keeps its interval.

    Raises:
        InputError: Counts or ideal cannot be used or do not belong together, or the blocks do not sum to counts.
    """
    level = require_level(level)
    data, found = compare(counts, ideal, bits), heavy_set(counts, ideal, bits)
    headline = heavy_estimate(found, level)
    companion, misfit = overlap(data, level)
    return OutcomeFidelity(
        **{each.name: getattr(headline, each.name) for each in fields(Estimate)},
        hellinger=companion,
        flag=_flag(data, found, headline, companion, misfit),
        misfit_z=misfit,
        dispersion=None if blocks is None else _dispersion(blocks, found, ideal, bits),
    )


def estimate_from_dict(document: Mapping[str, Any]) -> Estimate:
    """What `to_dict` wrote, an `OutcomeFidelity` when it has a flag and an `Estimate` otherwise.

    Raises:
        InputError: A key of an estimate is missing.
    """
    try:
        kind = OutcomeFidelity if "flag" in document else Estimate
        values = {each.name: document[each.name] for each in fields(kind) if each.name in document}
        if values.get("hellinger") is not None:
            values["hellinger"] = estimate_from_dict(values["hellinger"])
        if values.get("dispersion") is not None:
            values["dispersion"] = Dispersion(**values["dispersion"])
        return kind(**values)
    except TypeError as error:
        raise InputError("The document is not that of an estimate.", "A key is missing, or unknown.") from error


def _flag(data: Comparison, found: HeavySet, headline: Estimate, companion: Estimate, misfit: float) -> Flag:
    if headline.low is not None and companion.low is not None and companion.high is not None:
        weight = min(max(found.fidelity(found.heavy / found.shots), 0.0), 1.0)
        predicted = white_overlap(data, weight) ** 2
        if not companion.low - RED_MARGIN <= predicted <= companion.high + RED_MARGIN:
            return "red"
    return "amber" if misfit > MISFIT else "none"


def _dispersion(blocks: Sequence[Counts], found: HeavySet, ideal: Distribution, bits: int | None) -> Dispersion | None:
    """Of the heavy shots of each block; nothing can be said of fewer than two blocks."""
    several = as_list(blocks)
    if several is None:
        raise InputError("The blocks are no list of histograms.", "Give one for each part of the shots, in order.")
    sets = [heavy_set(block, ideal, bits) for block in several]
    if sum(each.shots for each in sets) != found.shots or sum(each.heavy for each in sets) != found.heavy:
        raise InputError("The blocks do not sum to the counts.", "Give every shot once, in the order it was taken.")
    return dispersion([each.heavy for each in sets], [each.shots for each in sets]) if len(sets) > 1 else None
