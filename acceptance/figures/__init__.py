"""The figures and tables of docs/fidelity.md: `python -m acceptance.figures` writes them anew."""
