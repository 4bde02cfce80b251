"""Tests of invoices against jobs, on real ledgers and written files."""
