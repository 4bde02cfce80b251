"""How a double misbehaves when it is told to; all at rest by default."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Faults:
    """Rates are probabilities from 0 to 1, drawn from `seed`; the same seed and requests give the same faults."""

    outage: float = 0.0
    """Of requests that get 503 and change nothing."""
    lost_answer: float = 0.0
    """Of requests that are carried out, their answer then never sent: the connection is closed (F1)."""
    rate_limit: float = 0.0
    """Of requests that get 429 and change nothing."""
    latency_seconds: float = 0.0
    """Before every answer."""
    visibility_seconds: float = 0.0
    """How long a new job is missing from lists, and its own address answers 404."""
    late_seconds: float = 0.0
    """How long the double takes to carry out a submission, even when whoever asked is gone."""
    queue_polls: int = 0
    """How often a job says that it is queued before it runs."""
    run_polls: int = 0
    """How often it then says that it is running."""
    stuck: bool = False
    """Jobs never leave the queue (F3)."""
    failing: float = 0.0
    """Of jobs that fail at the vendor, with its own message."""
    fidelity_loss: float = 0.0
    """Share of the shots that are replaced by uniformly random outcomes (F2)."""
    expired_token: bool = False
    """Every request gets 401."""
    schema_change: str = ""
    """Name of a field that is left out of all answers, wherever it stands (F5)."""
    extra_field: str = ""
    """Name of a field that is added to the outermost object of all answers; `status.cost.surprise` adds `surprise`
    to the `cost` of their `status`, where they have one."""
    malformed: bool = False
    """Answers are cut off in the middle of their JSON."""
    wrong_type: bool = False
    """Answers are HTML with status 200, as a captive portal sends them."""
    large_bytes: int = 0
    """Answers are padded to this size."""
    drip_seconds: float = 0.0
    """Answers come one byte at a time, with this pause."""
    only: str = ""
    """A part of the path; the faults hold only for requests whose method and path contain it: `POST /jobs`."""
    seed: int = 0
