"""Histograms as they come in, piece after piece, in any order."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby

from qpm_lab.counts import CountsTable
from qpm_lab.providers.interface import Progress, ProgressCallback, Task
from qpm_lab.providers.pieces import Piece

Counts = Sequence[Mapping[str, int]]


class Gathering:
    """What is there of a task's result; safe to use from several threads.

    Args:
        task: The task, whose sweeps give a `CountsTable`.
        pieces: All its pieces, in the order of their histograms.
        report: Called with the progress whenever there is some.
    """

    def __init__(self, task: Task, pieces: Sequence[Piece], report: ProgressCallback = lambda _: None) -> None:
        self.task = task
        self.pieces = pieces
        self.cpu_seconds = 0.0
        self.peak_memory_bytes = 0
        self._report = report
        self._message = "starting"
        self._parts: dict[int, Counts] = {}
        self._lock = threading.Lock()
        self._begun = 0
        """Pieces from the first on that are there without a gap."""
        self._done = 0
        self._kept: tuple[int, Counts] = (0, ())
        self._total = self._size(pieces) if len(pieces) > 1 or task.bindings else 0

    @property
    def is_complete(self) -> bool:
        return self._begun == len(self.pieces)

    def begin(self) -> None:
        """Says that a piece is being computed."""
        if self._message != "simulating":
            self.say("simulating")

    def say(self, message: str) -> None:
        """Changes the message that goes with the progress."""
        self._message = message
        self._report(self.progress())

    def used(self, cpu_seconds: float, peak_memory_bytes: int) -> None:
        """Adds what was taken of a processor, and the memory of one of the processes that computed."""
        with self._lock:
            self.cpu_seconds += cpu_seconds
            self.peak_memory_bytes = max(self.peak_memory_bytes, peak_memory_bytes)

    def put(self, number: int, counts: Counts) -> None:
        """Takes the histograms of one piece; the same piece again changes nothing."""
        part = CountsTable.of(counts) if self.task.bindings and not isinstance(counts, CountsTable) else counts
        with self._lock:
            if number in self._parts:
                return
            self._parts[number] = part
            self._done += self._size([self.pieces[number]])
            while self._begun in self._parts:
                self._begun += 1
        self._report(self.progress())

    def progress(self) -> Progress:
        """Points of a sweep, shots of any other task; total 0 when it is a single piece, which tells nothing."""
        unit = "points" if self.task.bindings else "shots"
        if not self._total:
            return Progress(0, 0, unit, self._message)
        return Progress(self._done, self._total, unit, self._message)

    def finished(self) -> Counts:
        """The histograms that are complete, from the first on."""
        with self._lock:
            known, before = self._kept
            # A piece that adds shots to the execution before it leaves that one incomplete.
            end = self._begun
            while 0 < end < len(self.pieces) and self.pieces[end].first == self.pieces[end - 1].first:
                end -= 1
            if end > known:
                self._kept = (end, self._joined(before, range(known, end)))
            return self._kept[1]

    def _size(self, pieces: Sequence[Piece]) -> int:
        """In the unit of progress. Of an execution cut by shots the last piece counts as its point."""
        if not self.task.bindings:
            return sum(each.executions * each.shots for each in pieces)
        return sum(each.executions for each in pieces if each.completes)

    def _joined(self, before: Counts, numbers: range) -> Counts:
        parts = [before] if len(before) else []
        for _, same in groupby(numbers, key=lambda n: self.pieces[n].first):
            together = [self._parts[n] for n in same]
            parts.append(together[0] if len(together) == 1 else [_sum(together)])
        for n in numbers:
            self._parts[n] = ()
        if self.task.bindings:
            return CountsTable.join([p if isinstance(p, CountsTable) else CountsTable.of(p) for p in parts])
        return tuple([counts for part in parts for counts in part])


def _sum(parts: Sequence[Counts]) -> Mapping[str, int]:
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part[0])
    return dict(total)
