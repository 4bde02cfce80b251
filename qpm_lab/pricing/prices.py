"""The prices in force: the shipped catalogue, a site's own settings over it, and what vendors say themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qpm_lab.experiment import BackendInfo, Quote, Request
from qpm_lab.pricing.live import LiveRates
from qpm_lab.pricing.usage import Settlement, Usage

if TYPE_CHECKING:
    from qpm_lab.pricing.catalogue import Catalogue
    from qpm_lab.pricing.parts import VendorJob
    from qpm_lab.pricing.rows import Row
    from qpm_lab.pricing.site import Site

ON_THIS_MACHINE = "aer/simulator"
NO_ADAPTER = "The adapter for this vendor is not part of this version; it can be quoted but not run."


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices by backend. A value: whoever asks a vendor makes a new one with `with_live`."""

    shipped: Catalogue
    site: Site | None = None
    live: Mapping[str, LiveRates] = field(default_factory=dict)

    def quote(self, request: Request, today: date | None = None) -> Quote:
        """What a request would cost.

        Args:
            request: The job; its backend id selects the price.
            today: The day by which prices are stale; the current UTC day by default.

        Returns:
            The quote. Its amounts are None when the price is unknown, and `stale` is set when it was read too long
            ago; either way `known` is False, policy denies, and `reason` says how to supply the price.
        """
        from qpm_lab.pricing.quoting import live_quote, row_quote

        day, backend_id = today or _today(), request.backend.ruled_as
        live = self.live.get(backend_id)
        if live is not None and live.amounts is not None:
            return live_quote(live, live.amounts)
        return row_quote(self._row_of(request.backend), request, day, self.site.stale_after_days if self.site else None)

    def row(self, backend_id: str) -> Row | None:
        """The row a backend is quoted by: the vendor's own rates, else the site's, else the shipped one."""
        from qpm_lab.pricing.catalogue import Catalogue
        from qpm_lab.pricing.quoting import live_row

        plans = self.site.plans if self.site else {}
        own = Catalogue(self.site.prices).row(backend_id, plans) if self.site else None
        listed = own or self.shipped.row(backend_id, plans)
        live = self.live.get(backend_id)
        return listed if live is None or live.formula is None else live_row(backend_id, live, listed)

    def _row_of(self, backend: BackendInfo) -> Row | None:
        """As `row`; whatever runs on this machine costs what all that does: a site's rows are of its vendors."""
        if not backend.local:
            return self.row(backend.ruled_as)
        return self.shipped.row(backend.ruled_as, {}) or self.shipped.row(ON_THIS_MACHINE, {})

    def with_live(self, backend_id: str, rates: LiveRates) -> Prices:
        """The same prices with what the vendor says of one backend; amounts hold for the job they were asked for.

        Raises:
            ValueError: there is no such formula, or the rates do not fit it.
        """
        made = replace(self, live={**self.live, backend_id: rates})
        made.row(backend_id)
        return made

    def convert(self, quote: Quote, to_currency: str, today: date | None = None) -> Quote:
        """The quote in another currency, by a dated rate of the site's settings; `listed` keeps the list price.

        Without a rate, or with one that is stale, the amounts are None and `reason` says what to supply.
        """
        from qpm_lab.pricing.exchange import converted

        return converted(quote, to_currency, self.site, today or _today())

    def settle(self, request: Request, quote: Quote, usage: Usage, today: date | None = None) -> Settlement:
        """What a job that has ended costs, and how that is known.

        Args:
            request: The job.
            quote: What it was quoted at, in the currency it is booked in.
            usage: What the vendor said.
            today: The day by which exchange rates are stale; the current UTC day by default.

        Raises:
            InputError: nobody can say: the job has no price, and the vendor named no amount.
        """
        from qpm_lab.pricing.settling import settled

        return settled(self.row(request.backend.ruled_as), quote, usage, self.site, today or _today())

    def settle_parts(self, request: Request, quote: Quote, parts: Sequence[VendorJob]) -> Settlement:
        """The same for a job of several vendor jobs, of which some may never have been sent; see `settled_parts`."""
        from qpm_lab.pricing.parts import settled_parts

        return settled_parts(self, request, quote, parts)

    def backends(self) -> tuple[BackendInfo, ...]:
        """Machines that can be quoted and decided on, but not run by this version."""
        return tuple(
            BackendInfo(
                id=machine.id,
                description=machine.description,
                qubits=machine.qubits,
                kind="qpu",
                local=False,
                noisy=True,
                state="not-installed",
                note=NO_ADAPTER,
            )
            for machine in self.shipped.machines
        )


def load_prices(path: Path | None = None) -> Prices:
    """The shipped prices, with a site's settings over them.

    Args:
        path: Its `prices.yaml`; None, or a path where there is no file, for the shipped prices alone.

    Raises:
        InputError: the settings cannot be used; the message has the path and every fault.
    """
    from qpm_lab.pricing.catalogue import shipped_catalogue
    from qpm_lab.pricing.site import read_site

    shipped = shipped_catalogue()
    return Prices(shipped) if path is None or not path.exists() else Prices(shipped, read_site(path, shipped))


def prices_of(settings: Mapping[str, Any]) -> Prices:
    """The same from a mapping with the keys of `prices.yaml`.

    Raises:
        InputError: the settings cannot be used.
    """
    from qpm_lab.pricing.catalogue import shipped_catalogue
    from qpm_lab.pricing.site import site_of

    return Prices(shipped_catalogue(), site_of(settings, shipped_catalogue()))


def compare(requests: Sequence[Request], prices: Prices, today: date | None = None) -> list[Quote]:
    """A quote for each request: the same job on several backends."""
    return [prices.quote(request, today) for request in requests]


def _today() -> date:
    return datetime.now(UTC).date()
