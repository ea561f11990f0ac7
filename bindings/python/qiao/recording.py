"""What ran when: operations of profiling queues, of any devices, on one clock."""

from __future__ import annotations

import contextlib
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from .errors import NotFoundError, UnsupportedError

if TYPE_CHECKING:
    from ._native import Device, Point, Queue

__all__ = ["Event", "Recording"]

# A queue keeps the times of its last 256 operations, so they are fetched before that.
_PENDING = 128


class Event(NamedTuple):
    """An operation that has ended: what, on which device, and from when to when in nanoseconds of the host's CLOCK_MONOTONIC
    (``time.monotonic_ns``). ``lane`` tells queues of one device apart, ``note`` is the caller's."""

    name: str
    device: str
    lane: str
    start_ns: int
    end_ns: int
    note: object = None


class Recording:
    """Collects operations of profiling queues.

    >>> import qiao
    >>> device = qiao.open("mock")
    >>> queue, run = device.create_queue(profiling=True), Recording()
    >>> run.add("clear", queue, queue.fill(device.empty(16), 0))
    >>> [event.name for event in run.events()]
    ['clear']
    """

    def __init__(self) -> None:
        self._pending: deque[tuple[str, Queue, Point, str, object]] = deque()
        self._ended: list[Event] = []
        self._to_host_clock: dict[str, int] = {}  # by device, asked once, so that one queue's times keep their order

    def add(self, name: str, queue: Queue, point: Point, *, lane: str = "queue", note: object = None) -> None:
        """Remembers the operation of ``queue`` that ends with ``point``. Waits for nothing but the oldest of many."""
        self._pending.append((name, queue, point, lane, note))
        if len(self._pending) > _PENDING:
            self._fetch(_PENDING // 2)

    def events(self) -> list[Event]:
        """All operations so far, waited for; sorted by their start."""
        self._fetch(len(self._pending))
        self._ended.sort(key=lambda event: event.start_ns)
        return list(self._ended)

    def clear(self) -> None:
        """Forgets all."""
        self._pending.clear()
        self._ended.clear()

    def _fetch(self, count: int) -> None:
        for _ in range(count):
            name, queue, point, lane, note = self._pending.popleft()
            point.wait()
            device = queue.device
            if device.id not in self._to_host_clock:
                self._to_host_clock[device.id] = _to_host_clock(device)
            with contextlib.suppress(NotFoundError):  # other operations of the queue have pushed the times out
                times = queue.timestamps(point)
                assert times is not None, "the point was waited for"
                start, end = (time + self._to_host_clock[device.id] for time in times)
                self._ended.append(Event(name, device.id, lane, start, end, note))


def _to_host_clock(device: Device) -> int:
    """What to add to the device's times; 0 where the device cannot say."""
    try:
        device_ns, host_ns = device.clock
    except UnsupportedError:
        return 0
    return host_ns - device_ns
