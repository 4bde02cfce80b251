"""The route by which a job's backend was chosen: what its intent records, and what rules its further attempts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

AUTO, PREFIX = "auto", "route:"


@dataclass(frozen=True, slots=True)
class Taken:
    """A choice that was made, with what the route says of failures."""

    name: str
    by: str
    policy_version: str
    chosen: str
    """The backend that was chosen."""
    ranked: tuple[Mapping[str, Any], ...]
    """Each backend as `route_record.row` tells it, in order of rank, those left out last."""
    passed_over: tuple[Mapping[str, str], ...] = ()
    """`backend` and `why` of those ranked higher that turned out not to be reachable, before anything was sent."""
    max_attempts: int = 1
    fallback: bool = True
    rerun_on_failed_validation: bool = False
    asked: str = ""
    """`auto` or `route:NAME`, as it was written; empty in ledgers that do not have it."""

    @property
    def again(self) -> str:
        """What to write to be sent by the same route once more."""
        return self.asked or (AUTO if self.name == AUTO else PREFIX + self.name)

    @property
    def order(self) -> list[str]:
        """All its backends but those that the route itself bars, the best first."""
        return [row["backend"] for row in self.ranked if not row["barred"]]

    @property
    def fell_back(self) -> bool:
        """True when a better one was tried in vain."""
        return bool(self.passed_over)

    def told(self) -> dict[str, Any]:
        """As the ledger keeps it."""
        names = ("name", "by", "policy_version", "chosen", "max_attempts", "fallback", "rerun_on_failed_validation")
        return {
            **{name: getattr(self, name) for name in (*names, "asked")},
            "ranked": [dict(row) for row in self.ranked],
            "passed_over": [dict(each) for each in self.passed_over],
        }

    @classmethod
    def read(cls, told: Mapping[str, Any] | None) -> Taken | None:
        """The inverse of `told`."""
        if told is None:
            return None
        return cls(**{**told, "ranked": tuple(told["ranked"]), "passed_over": tuple(told["passed_over"])})


def is_route(backend: object) -> bool:
    """True for what names a route instead of a backend."""
    return isinstance(backend, str) and (backend == AUTO or backend.startswith(PREFIX))
