"""Every promise about a fidelity, measured: `make statistics` prints each figure beside its threshold."""
