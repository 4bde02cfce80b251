"""Tests of the ledger, on real SQLite files and a real PostgreSQL."""
