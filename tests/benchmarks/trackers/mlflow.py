"""A stand-in for MLflow's fluent calls: it keeps nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager


def set_tracking_uri(uri: str) -> None:
    assert uri.startswith("sqlite:///")


def create_experiment(name: str, artifact_location: str) -> str:
    assert artifact_location.startswith("file:///")
    return name


def set_experiment(*, experiment_id: str) -> None:
    assert experiment_id


@contextmanager
def start_run() -> Iterator[None]:
    yield


def log_params(params: Mapping[str, object]) -> None:
    assert params


def log_metrics(metrics: Mapping[str, float]) -> None:
    assert all(0 <= value <= 1 for value in metrics.values())


def log_dict(dictionary: Mapping[str, int], artifact_file: str) -> None:
    assert sum(dictionary.values())
    assert artifact_file.endswith(".json")
