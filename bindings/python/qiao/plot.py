"""Pictures: what ran when, and how fast devices copy.

``save_timeline`` writes a recording as a trace for Perfetto (.json) or as a picture; ``measure`` and ``save_curves`` do the same for
times of copies by size. ``python -m qiao.plot --help`` has both. Pictures (.svg, .png, .pdf) need matplotlib.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Union

import numpy

import qiao
from qiao.recording import Event, Recording

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Event", "Recording", "SIZES", "Sample", "draw_curves", "draw_timeline", "load_timeline", "measure", "save_curves",
           "save_timeline", "trace"]

_Path = Union[str, "os.PathLike[str]"]

# ---- what ran when


def trace(events: Iterable[Event]) -> dict[str, Any]:
    """The events in the trace event format, which Perfetto and chrome://tracing open: a device is a process, a lane a thread."""
    processes: dict[str, int] = {}
    threads: dict[tuple[str, str], int] = {}
    named: list[dict[str, Any]] = []
    spans: list[dict[str, Any]] = []
    for event in events:
        if event.device not in processes:
            processes[event.device] = len(processes) + 1
            named.append({"ph": "M", "name": "process_name", "pid": processes[event.device], "args": {"name": event.device}})
        process, lane = processes[event.device], (event.device, event.lane)
        if lane not in threads:
            threads[lane] = len(threads) + 1
            named.append({"ph": "M", "name": "thread_name", "pid": process, "tid": threads[lane], "args": {"name": event.lane}})
        spans.append({"ph": "X", "name": event.name, "pid": process, "tid": threads[lane],
                      "ts": event.start_ns / 1000, "dur": (event.end_ns - event.start_ns) / 1000})
    return {"displayTimeUnit": "ns", "traceEvents": named + spans}


def load_timeline(path: _Path) -> list[Event]:
    """The events of a file that ``save_timeline`` wrote."""
    with open(path, encoding="utf-8") as file:
        entries = json.load(file)["traceEvents"]
    processes = {entry["pid"]: entry["args"]["name"] for entry in entries if entry["name"] == "process_name"}
    threads = {entry["tid"]: entry["args"]["name"] for entry in entries if entry["name"] == "thread_name"}
    return [Event(entry["name"], processes[entry["pid"]], threads[entry["tid"]],
                  round(entry["ts"] * 1000), round((entry["ts"] + entry["dur"]) * 1000)) for entry in entries if entry["ph"] == "X"]


def draw_timeline(events: Sequence[Event]) -> Figure:
    """A row for each lane, a bar for each operation, at least a hair wide; the legend has the operations that took most of the time."""
    if not events:
        raise ValueError("there are no events to draw; was the queue made with profiling=True?")
    rows = sorted({(event.device, event.lane) for event in events})
    begin = min(event.start_ns for event in events)
    total: dict[str, int] = {}
    for event in events:
        total[event.name] = total.get(event.name, 0) + event.end_ns - event.start_ns
    names = sorted(total, key=lambda name: -total[name])

    figure = _figure(12, 1.8 + 0.5 * len(rows))
    axes = figure.add_subplot()
    for rank, name in enumerate(names):
        for row, lane in enumerate(rows):
            bars = [((event.start_ns - begin) / 1e6, (event.end_ns - event.start_ns) / 1e6)
                    for event in events if event.name == name and (event.device, event.lane) == lane]
            axes.broken_barh(bars, (row - 0.4, 0.8), facecolors=f"C{rank % 10}", edgecolors=f"C{rank % 10}", linewidth=0.5)
    for rank, name in enumerate(names[:10]):
        axes.plot([], [], color=f"C{rank}", linewidth=6, label=f"{name}: {total[name] / 1e6:.3f} ms")
    axes.set_yticks(range(len(rows)), [device if lane == "queue" else f"{device} {lane}" for device, lane in rows])
    axes.set_xlabel("ms")
    axes.legend(fontsize="x-small", loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def save_timeline(events: Sequence[Event], path: _Path) -> None:
    """Writes a trace for Perfetto (.json), or a picture by the name's ending."""
    if os.fspath(path).endswith(".json"):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(trace(events), file)
    else:
        draw_timeline(events).savefig(path)


# ---- how fast devices copy

SIZES = tuple(1 << exponent for exponent in range(10, 27, 2))  # 1 KiB to 64 MiB


class Sample(NamedTuple):
    """How long one operation took from its submission to the end of the wait for it: the median of ``repetitions``, and the range that
    has the middle 80 %. ``operation`` is "host to device", "device to host", "device to device", or "launch" (of an empty kernel,
    ``size_bytes`` 0)."""

    device: str
    operation: str
    size_bytes: int
    seconds: float
    low: float
    high: float
    repetitions: int

    @property
    def bandwidth(self) -> float:
        """In bytes per second."""
        return self.size_bytes / self.seconds


def measure(device: qiao.Device, sizes: Sequence[int] = SIZES, *, seconds: float = 0.1) -> list[Sample]:
    """Times copies of these sizes, and launches; each for about so many seconds, at least five times."""
    queue = device.create_queue()
    empty = device.compile("kernel void empty(void) {}").empty[1]
    samples = [_time(device, "launch", 0, lambda: empty(queue=queue), seconds)]
    for size in sizes:
        host = numpy.ones(size, numpy.uint8)
        with device.array(host) as near, device.empty(size, "uint8") as far:
            samples.append(_time(device, "host to device", size, lambda: queue.copy(host, near), seconds))
            samples.append(_time(device, "device to host", size, lambda: queue.copy(near, host), seconds))
            samples.append(_time(device, "device to device", size, lambda: queue.copy(near, far), seconds))
    return samples


def _time(device: qiao.Device, operation: str, size: int, submit: Callable[[], qiao.Point], seconds: float) -> Sample:
    submit().wait()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < end:
        begin = time.perf_counter()
        submit().wait()
        times.append(time.perf_counter() - begin)
    low, high = numpy.quantile(times, (0.1, 0.9))
    return Sample(device.id, operation, size, statistics.median(times), float(low), float(high), len(times))


def draw_curves(samples: Sequence[Sample]) -> Figure:
    """Latency and bandwidth over the size, a colour for each device, a line style for each operation."""
    figure = _figure(12, 5)
    latency, bandwidth = figure.subplots(1, 2)
    styles = {"host to device": "-", "device to host": "--", "device to device": ":"}
    for color, device in enumerate(dict.fromkeys(sample.device for sample in samples)):
        for operation, style in styles.items():
            curve = [sample for sample in samples if sample.device == device and sample.operation == operation]
            if not curve:
                continue
            sizes, label = [sample.size_bytes for sample in curve], f"{device}, {operation}"
            latency.plot(sizes, [sample.seconds * 1e6 for sample in curve], style, color=f"C{color}", label=label)
            low, high = ([getattr(sample, end) * 1e6 for sample in curve] for end in ("low", "high"))
            latency.fill_between(sizes, low, high, color=f"C{color}", alpha=0.15)
            bandwidth.plot(sizes, [sample.bandwidth / 1e9 for sample in curve], style, color=f"C{color}", label=label)
        for sample in samples:
            if sample.device == device and sample.operation == "launch":
                latency.axhline(sample.seconds * 1e6, color=f"C{color}", linewidth=0.7, label=f"{device}, launch")
    for axes, unit in ((latency, "µs"), (bandwidth, "GB/s")):
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xlabel("bytes")
        axes.set_ylabel(unit)
        axes.grid(alpha=0.3)
    latency.set_title("submitted and waited for (median; 10 % to 90 %)")
    bandwidth.set_title("bandwidth")
    latency.legend(fontsize="x-small")
    return figure


def save_curves(samples: Sequence[Sample], path: _Path) -> None:
    """Writes the samples (.json), or a picture by the name's ending."""
    if os.fspath(path).endswith(".json"):
        with open(path, "w", encoding="utf-8") as file:
            json.dump([sample._asdict() for sample in samples], file, indent=1)
    else:
        draw_curves(samples).savefig(path)


def _figure(width: float, height: float) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("pictures need matplotlib: pip install matplotlib") from error
    return Figure(figsize=(width, height), layout="constrained")


# ---- the command


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m qiao.plot",
                                     description="Pictures of runs and of devices: .svg, .png, .pdf; .json for the figures.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    timeline = verbs.add_parser("timeline", help="draws a trace that was recorded")
    timeline.add_argument("trace", help="a .json of save_timeline")
    timeline.add_argument("--begin", type=float, default=0, metavar="MS", help="leaves out what ended before; from the first operation on")
    timeline.add_argument("--end", type=float, default=float("inf"), metavar="MS", help="leaves out what began later")
    curves = verbs.add_parser("curves", help="measures copies and launches on devices, and draws latency and bandwidth")
    curves.add_argument("--device", action="append", metavar="GLOB", help="which devices, such as 'mock:0' (default: all)")
    curves.add_argument("--seconds", type=float, default=0.1, help="how long each point is measured (default: %(default)s)")
    curves.add_argument("--max-size", type=int, default=SIZES[-1], metavar="BYTES", help="the largest copy (default: %(default)s)")
    for verb in (timeline, curves):
        verb.add_argument("-o", "--output", action="append", required=True, metavar="FILE", help="what to write; may be repeated")
    options = parser.parse_args(words)

    if options.verb == "timeline":
        events = load_timeline(options.trace)
        first = min((event.start_ns for event in events), default=0)
        events = [event for event in events if event.end_ns - first >= options.begin * 1e6 and event.start_ns - first <= options.end * 1e6]
        for path in options.output:
            save_timeline(events, path)
        return 0
    devices = [device for device in qiao.devices() if any(fnmatch.fnmatchcase(device.id, glob) for glob in options.device or ["*"])]
    if not devices:
        parser.error(f"no device matches; there are {', '.join(device.id for device in qiao.devices())}")
    samples: list[Sample] = []
    for device in devices:
        samples += measure(device, [size for size in SIZES if size <= options.max_size], seconds=options.seconds)
    for sample in samples:
        rate = f"{sample.bandwidth / 1e9:10.3f} GB/s" if sample.size_bytes else ""
        print(f"{sample.device:12} {sample.operation:17} {sample.size_bytes:10} B {sample.seconds * 1e6:12.2f} us {rate}")
    for path in options.output:
        save_curves(samples, path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
