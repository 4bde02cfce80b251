"""What a job costs before it runs: dated prices as data (catalogue.yaml) and one formula per kind."""

from __future__ import annotations

from qpm_lab.pricing.quoting import catalogue_backends, quote

__all__ = ["catalogue_backends", "quote"]
