"""What `Lab` says and does about vendors: machines as they are now, quotes side by side, jobs nobody follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from qpm_lab import pricing, providers
from qpm_lab.errors import InputError, QpmError
from qpm_lab.experiment import BackendInfo, Decision
from qpm_lab.ledger import Ledger
from qpm_lab.providers.apart.environment import place
from qpm_lab.providers.interface import Provider
from qpm_lab.providers.remote import RemoteProvider
from qpm_lab.runner.lists import backend_row
from qpm_lab.runner.overruns import acknowledge
from qpm_lab.runner.plan import Plan
from qpm_lab.runner.recovery import at_vendor
from qpm_lab.runner.resuming import Said
from qpm_lab.runner.studies import order_from

if TYPE_CHECKING:
    from qpm_lab.runner.attempt import LiveJob
    from qpm_lab.runner.runner import Runner


class AtVendors:
    """The part of `Lab` that speaks of vendors."""

    runner: Runner
    ledger: Ledger

    def backend_rows(self, *, live: bool = False) -> list[dict[str, Any]]:
        """Every backend as a plain row; asks no vendor unless `live`.

        Args:
            live: Ask the vendors of those that are ready whether they run, how long the queue is and when they were
                calibrated; what a vendor does not say is None, and one that does not answer says why in `message`.
        """
        rows = [backend_row(info) for info in known_backends()]
        if live:
            for row in rows:
                row.update(_now(row))
        return rows

    def provider_rows(self) -> list[dict[str, Any]]:
        """Every provider with its state and what it lacks: simulators of this machine, then vendors."""
        return [_provider_row(name, each) for name, each in providers.providers().items()]

    def quotes(self, circuit: Any, backends: Sequence[str] | None = None, **options: Any) -> list[dict[str, Any]]:
        """The same job on several backends, one row each: `backend`, `shots`, the keys of a quote, and `effect`.

        Args:
            circuit: As for `submit`.
            backends: Ids; None means all that are not local.
            **options: As for `submit`.

        Raises:
            InputError: there is no such backend, or the job cannot be read.
        """
        wanted = [info.id for info in known_backends() if not info.local] if backends is None else list(backends)
        if not wanted:
            raise InputError("No backend is named.", "Name some, separated by commas, or write --backend all.")
        order = order_from(circuit, {**options, "backend": wanted[0]})
        found = [self.runner.explain(order_from(circuit, {**options, "backend": each})) for each in wanted]
        return [_quoted(plan, decision, order.shots) for plan, decision in found]

    def resume(self, job_id: str | None = None) -> list[str]:
        """Follows jobs at vendors that no process follows; returns the ids of all that are followed here.

        Args:
            job_id: Only this one, which may also be parked because its answer could not be read.

        Raises:
            InputError: there is no such job, or it is not at a vendor.
        """
        row = None if job_id is None else self.ledger.job(job_id)
        if row is not None and row.status == "parked":
            self.runner.resolve(row.job_id, "ask again")
            return [row.job_id]  # it may have ended before anybody could ask who follows it
        if row is not None and not (row.open and at_vendor(self.ledger, row)):
            raise InputError(f"Job {row.job_id} is not at a vendor; it is {row.status}.", "See `qpm show`.")
        self.runner.recover()
        return [each for each in self.runner.live if row is None or each == row.job_id]

    def resolve(self, job_id: str, vendor_id: str | None = None, *, give_up: bool = False) -> LiveJob | None:
        """Says what became of a parked job.

        Args:
            job_id: The job.
            vendor_id: The vendor has it, under this id; None when the vendor has no such job.
            give_up: The vendor has it and its answer cannot be used: it ends without a result.

        Raises:
            InputError: it is not parked, or that does not answer the question.
        """
        said: Said = "given up" if give_up else "vendor has it not" if vendor_id is None else "vendor has it"
        return self.runner.resolve(self.ledger.job(job_id).job_id, said, vendor_id)

    def acknowledge(self, job_id: str) -> None:
        """Says that you have looked at a job that cost more than was reserved: what it blocks is open again.

        Raises:
            InputError: there is no such job, or it has no overrun that waits for anybody.
        """
        acknowledge(self.ledger, job_id, self.runner.principal.user)


def _provider_row(name: str, provider: Provider) -> dict[str, Any]:
    # What a machine of theirs lacks is told first; their offline devices need no key.
    backends = sorted(provider.backends(), key=lambda info: (info.local, info.state != "ready"))
    row: dict[str, Any] = {
        "name": name,
        "title": name,
        "state": backends[0].state if backends else "needs-settings",
        "note": backends[0].note if backends else "Name its backends in settings.yaml; docs/vendors.md shows how.",
        "backends": [info.id for info in backends],
        **dict.fromkeys(("installed_in", "lookup", "how", "visibility_seconds")),
        "secrets": [],
    }
    if not isinstance(provider, RemoteProvider):
        return row
    vendor, durability = provider.vendor, provider.vendor.durability
    promised = {name: getattr(durability, name) for name in ("lookup", "how", "visibility_seconds")}
    return {**row, "title": vendor.title, "installed_in": place(vendor), "secrets": list(vendor.secrets), **promised}


def known_backends() -> list[BackendInfo]:
    """All that can run a job, and all that only have a price."""
    own = providers.all_backends()
    ids = {info.id for info in own}
    return [*own, *(info for info in pricing.catalogue_backends() if info.id not in ids)]


def _now(row: Mapping[str, Any]) -> dict[str, Any]:
    remote = providers.remote(row["id"]) if row["state"] == "ready" and not row["local"] else None
    if remote is None:
        return {}
    try:
        return asdict(remote.availability(row["id"]))
    except QpmError as error:
        return {"available": None, "message": error.message}


def _quoted(plan: Plan, decision: Decision, shots: int) -> dict[str, Any]:
    told = {"backend": plan.request.backend.id, "shots": shots, **plan.quote.to_dict()}
    return {**told, "state": plan.request.backend.state, "effect": decision.effect}
