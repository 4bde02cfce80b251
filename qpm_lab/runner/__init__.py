"""The use case: request → quote → authorise → reserve → run → settle → record.

`plan.py` builds and judges a request, `runner.py` submits it, `attempt.py` drives it to its outcome,
`recovery.py` closes what a dead process left open, `record.py` tells what happened. This package is
alone in writing the ledger.
"""
