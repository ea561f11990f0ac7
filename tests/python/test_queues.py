"""Queues, timelines, waits: also interrupted, awaited and from several threads."""

import asyncio
import gc
import os
import signal
import threading
import time

import numpy as np
import pytest

import qiao


def test_points_are_reached_in_order(device, program):
    values = device.zeros(16, "int32")
    points = [program.add_to[16](values, 1) for _ in range(10)]
    points[-1].wait()
    assert all(point.reached for point in points)
    assert [point.value for point in points] == sorted(point.value for point in points)
    assert device.queue.timeline.value >= points[-1].value


def test_queues_wait_for_timelines(device, program):
    gate = qiao.timeline()
    values = device.zeros(4, "int32")
    device.synchronize()
    with device.create_queue() as queue:
        queue.after(gate.at(1))
        point = program.add_to[4](values, 1, queue=queue)
        assert not point.reached
        with pytest.raises(qiao.TimeoutError):
            point.wait(0.01)
        gate.signal(1)
        point.wait(30)
        queue.signal(gate.at(5))
        gate.at(5).wait(30)
    assert gate.value == 5
    with pytest.raises(qiao.OutOfRangeError):
        gate.signal(5)


def test_a_wait_ends_in_time(device):
    never = qiao.timeline().at(1)
    begin = time.monotonic()
    with pytest.raises(qiao.TimeoutError, match="0.05"):
        never.wait(0.05)
    assert time.monotonic() - begin < 10
    with pytest.raises(TimeoutError):
        never.wait(0)
    with pytest.raises(ValueError, match="not a number"):
        never.wait(float("nan"))


def test_ctrl_c_ends_a_wait_and_the_device_goes_on(device, program):
    gate = qiao.timeline()
    queue = device.create_queue()
    queue.after(gate.at(1))
    point = program.nothing[1](queue=queue)
    timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        point.wait()
    timer.join()
    gate.signal(1)
    point.wait(30)
    assert point.reached


def test_await(device, program):
    async def run():
        gate = qiao.timeline()
        values = device.zeros(4, "int32")
        queue = device.create_queue()
        queue.after(gate.at(1))
        point = program.add_to[4](values, 2, queue=queue)
        asyncio.get_running_loop().call_later(0.02, gate.signal, 1)
        await asyncio.wait_for(point, 30)
        await point
        return values.numpy()

    np.testing.assert_array_equal(asyncio.run(run()), [2] * 4)


def test_an_await_that_is_cancelled_leaves_nothing_behind():
    gc.collect()
    descriptors = len(os.listdir("/proc/self/fd"))
    threads = len(os.listdir("/proc/self/task"))

    async def run():
        for _ in range(20):
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(qiao.timeline().at(1), 0.01)

    asyncio.run(run())
    gc.collect()
    # Drivers, and threads of earlier tests, end some of theirs meanwhile.
    assert len(os.listdir("/proc/self/fd")) <= descriptors
    assert len(os.listdir("/proc/self/task")) <= threads


def test_functions_are_called_in_order(device, program):
    values = device.zeros(4, "int32")
    seen = []
    with device.create_queue() as queue:
        program.add_to[4](values, 1, queue=queue)
        queue.call(lambda status: seen.append((status, threading.get_ident())))
        point = queue.call(lambda status: seen.append("second"))
        point.wait(30)
    assert seen[0][0] == 0 and seen[1] == "second"
    assert seen[0][1] != threading.get_ident()


def test_what_a_called_function_raises_is_reported(device, monkeypatch):
    reported = []
    monkeypatch.setattr("sys.unraisablehook", reported.append)

    def fail(status):
        raise RuntimeError("on purpose")

    device.queue.call(fail).wait(30)
    assert isinstance(reported[0].exc_value, RuntimeError)
    device.synchronize()


def test_timestamps(device, program):
    queue = device.create_queue(profiling=True)
    point = program.nothing[64](queue=queue)
    point.wait()
    start, end = queue.timestamps(point)
    assert 0 < start <= end
    device_now, host_now = device.clock
    assert end <= device_now
    assert host_now > 0


def test_host_memory_of_a_copy_in_flight_is_kept(device):
    gate = qiao.timeline()
    queue = device.create_queue()
    array = device.zeros(1024, "int32")
    device.synchronize()
    queue.after(gate.at(1))
    source = np.arange(1024, dtype="int32")
    point = queue.copy(source, array)
    buffer = bytearray(16)
    queue.copy(array[:4], buffer)
    with pytest.raises(BufferError):
        buffer.extend(b"x" * 100000)
    del source
    gc.collect()
    gate.signal(1)
    point.wait(30)
    np.testing.assert_array_equal(array.numpy(), np.arange(1024))
    queue.synchronize()
    assert bytes(buffer) == np.arange(4, dtype="int32").tobytes()


def test_many_threads(device, program):
    failures = []

    def work(seed):
        try:
            values = device.full(256, seed, "int32")
            queue = device.create_queue()
            device.queue.synchronize()
            for _ in range(50):
                point = program.add_to[256](values, 1, queue=queue)
            point.wait(60)
            if set(values.numpy()) != {seed + 50}:
                failures.append(seed)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_a_released_queue_says_so(device, program):
    queue = device.create_queue()
    queue.release()
    queue.release()
    with pytest.raises(qiao.InvalidHandleError, match="released"):
        program.nothing[1](queue=queue)
    with pytest.raises(qiao.InvalidHandleError, match="released"):
        queue.synchronize()


def test_the_default_queue_is_one(device):
    assert qiao.open(device.id) is device
    assert device.queue is device.queue
    assert device.queue.device is device


def test_what_kernels_print_goes_to_stdout(device, capfd):
    talk = device.compile('kernel void talk(int n) { printf("item %d of %d\\n", (int)get_global_id(0), n); }').talk
    talk[3](3).wait()
    assert sorted(capfd.readouterr().out.splitlines()) == ["item 0 of 3", "item 1 of 3", "item 2 of 3"]
