"""Invoices against jobs: what was billed and recorded alike, what differs, what is missing, what nobody ordered."""

from qpm_lab.reconcile.formats import FORMATS
from qpm_lab.reconcile.matching import reconcile
from qpm_lab.reconcile.report import Item, Report

__all__ = ["FORMATS", "Item", "Report", "reconcile"]
