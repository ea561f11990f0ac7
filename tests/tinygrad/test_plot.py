"""Recordings and pictures."""

import json
import time

import pytest

import qiao
from qiao import plot


@pytest.fixture
def queue(card):
    with card.create_queue(profiling=True) as queue:
        yield queue


def run_of(card, queue, count):
    """A recording of so many fills, and a copy at the end."""
    run, array, target = plot.Recording(), card.empty(4096, "uint8"), bytearray(4096)
    for i in range(count):
        run.add(f"fill {i % 3}", queue, queue.fill(array, i % 256))
    run.add("copy", queue, queue.copy(array, target))
    return run


def test_more_operations_than_a_queue_keeps_times_of(card, queue):
    events = run_of(card, queue, 600).events()
    assert len(events) == 601 and events[-1].name == "copy"
    assert {event.device for event in events} == {card.id}
    assert all(event.start_ns <= event.end_ns for event in events)
    assert [event.start_ns for event in events] == sorted(event.start_ns for event in events)


def test_times_are_those_of_the_hosts_clock(card, queue):
    if card.slots["device_clock"] == "absent":
        pytest.fail("each of these devices has a clock")
    queue.fill(card.empty(16), 0).wait()
    begin = time.monotonic_ns()
    events = run_of(card, queue, 3).events()
    end = time.monotonic_ns()
    slack = 50_000_000  # how well the two clocks are brought together, on a busy machine
    assert all(begin - slack <= event.start_ns and event.end_ns <= end + slack for event in events)


def test_recordings_forget(card, queue):
    run = run_of(card, queue, 2)
    run.clear()
    assert run.events() == []


def test_traces_come_back(card, queue, tmp_path):
    events = run_of(card, queue, 5).events()
    plot.save_timeline(events, tmp_path / "run.json")
    entries = json.loads((tmp_path / "run.json").read_text())["traceEvents"]
    assert {entry["ph"] for entry in entries} == {"M", "X"}
    assert [entry["args"]["name"] for entry in entries if entry["name"] == "process_name"] == [card.id]
    assert all(entry["dur"] >= 0 and {"pid", "tid", "ts"} <= entry.keys() for entry in entries if entry["ph"] == "X")
    again = plot.load_timeline(tmp_path / "run.json")
    assert [event.name for event in again] == [event.name for event in events]
    assert all(abs(a.start_ns - b.start_ns) <= 1 and abs(a.end_ns - b.end_ns) <= 2 for a, b in zip(again, events))


def test_pictures_of_timelines(card, queue, tmp_path):
    plot.save_timeline(run_of(card, queue, 5).events(), tmp_path / "run.json")
    assert plot.main(["timeline", str(tmp_path / "run.json"), "-o", str(tmp_path / "run.svg"), "-o", str(tmp_path / "run.png")]) == 0
    svg = (tmp_path / "run.svg").read_text()
    assert svg.count("<path") > 6
    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")
    figure = plot.draw_timeline(plot.load_timeline(tmp_path / "run.json"))
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [card.id]
    assert sum(len(bars.get_paths()) for bars in figure.axes[0].collections) == 6


def test_a_timeline_of_nothing_says_why():
    with pytest.raises(ValueError, match="profiling=True"):
        plot.draw_timeline([])


def test_curves(card, tmp_path):
    sizes = (1024, 65536)
    samples = plot.measure(card, sizes, seconds=0.01)
    assert {(sample.operation, sample.size_bytes) for sample in samples} == {("launch", 0)} | {
        (operation, size) for operation in ("host to device", "device to host", "device to device") for size in sizes}
    assert all(0 < sample.low <= sample.seconds <= sample.high and sample.repetitions >= 5 for sample in samples)
    plot.save_curves(samples, tmp_path / "curves.json")
    assert [entry["seconds"] for entry in json.loads((tmp_path / "curves.json").read_text())] == [sample.seconds for sample in samples]
    plot.save_curves(samples, tmp_path / "curves.svg")
    assert "<svg" in (tmp_path / "curves.svg").read_text()
    latency, bandwidth = plot.draw_curves(samples).axes
    assert len(bandwidth.lines) == 3 and len(latency.lines) == 4


def test_the_command_measures_the_devices_named(card, tmp_path, capsys):
    assert plot.main(["curves", "--device", card.id, "--seconds", "0.001", "--max-size", "4096", "-o", str(tmp_path / "curves.png")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 7 and all(line.startswith(card.id) for line in lines)
    with pytest.raises(SystemExit):
        plot.main(["curves", "--device", "nobody:*", "-o", "x.png"])
    assert "no device matches" in capsys.readouterr().err


def test_the_largest_size_is_64_mib():
    assert (plot.SIZES[0], plot.SIZES[-1]) == (1024, 64 << 20)
