"""Tests of the keys: no test reaches the keyring of whoever runs it."""
