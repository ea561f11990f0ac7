"""Host memory used where it lies, and memory and timelines of other processes."""

import gc
import mmap
import os
import socket
import subprocess
import sys

import numpy as np
import pytest

import qiao

PEER = """
import socket, sys
import numpy as np
import qiao

connection = socket.socket(fileno=int(sys.argv[1]))
device = qiao.open(sys.argv[2])
with qiao.Handle.receive(connection) as handle:
    array = device.import_memory(handle, 1000, "int32")
with qiao.Handle.receive(connection) as handle:
    turns = qiao.import_timeline(handle)
if sys.argv[3] == "die":
    import os
    turns.signal(1)
    os._exit(0)
turns.at(1).wait(timeout=60)
assert np.array_equal(array.numpy(), np.arange(1000))
device.queue.fill(array, 7)
device.queue.signal(turns.at(2))
turns.at(3).wait(timeout=60)
"""


def pages(count=4096, dtype=np.int32):
    return np.frombuffer(mmap.mmap(-1, count * np.dtype(dtype).itemsize), dtype=dtype)


@pytest.fixture
def pair():
    mine, other = socket.socketpair()
    with mine, other:
        yield mine, other


def start_peer(other, device, what):
    return subprocess.Popen([sys.executable, "-B", "-c", PEER, str(other.fileno()), device.id, what], pass_fds=[other.fileno()])


def share(device, connection):
    array = device.shareable(1000, "int32")
    turns = qiao.timeline(shareable=True)
    for each in (array, turns):
        with each.export() as handle:
            handle.send(connection)
    return array, turns


def test_host_memory_is_used_where_it_lies(device, program):
    values = pages()
    values[:] = np.arange(4096)
    array = device.import_host(values)
    assert array.dtype == values.dtype and array.shape == values.shape
    assert array.host.ctypes.data == values.ctypes.data
    program.add_to[4096](array, 5).wait()
    assert np.array_equal(values, np.arange(4096) + 5)
    values[:] = 3
    program.add_to[100](array[50:], 1).wait()
    assert values[49] == 3 and values[50] == 4 and values[149] == 4 and values[150] == 3


def test_host_memory_lives_as_long_as_the_device_has_it(device, program):
    array = device.import_host(pages(1 << 18))
    gc.collect()
    for _ in range(20):
        program.add_to[1 << 18](array, 1)
    view = array[:4]
    del array
    assert np.array_equal(view.numpy(), [20] * 4)
    view.release()
    values = pages()
    with device.import_host(values), pytest.raises(qiao.OutOfRangeError, match="overlap"):
        device.import_host(values)
    device.import_host(values).release()


def test_what_cannot_be_used_where_it_lies_is_refused(device):
    values = pages()
    with pytest.raises(ValueError, match="read-only"):
        device.import_host(b"0" * 4096)
    with pytest.raises(TypeError, match="bytes-like"):
        device.import_host([1, 2, 3])
    with pytest.raises(ValueError, match="strides"):
        device.import_host(values.reshape(64, 64).T)
    with pytest.raises(ValueError, match="without elements"):
        device.import_host(values[:0])
    with pytest.raises(qiao.InvalidArgumentError, match="not aligned"):
        device.import_host(values[1:])
    with pytest.raises(qiao.InvalidArgumentError, match="QIAO_MEMORY_SHAREABLE"):
        device.zeros(4).export()
    with pytest.raises(qiao.InvalidArgumentError, match="pool"):
        device.pool().zeros(4).export()
    with pytest.raises(qiao.InvalidArgumentError, match="qiao_timeline_create_shareable"):
        qiao.timeline().export()
    with pytest.raises(qiao.UnsupportedError):
        device.shareable(4, kind="shared")


def test_devices_of_a_process_have_the_same_bytes(device, other, program):
    array = device.shareable((4, 5), "int32")
    assert not array.host.any()
    with array.export() as handle:
        assert len(handle.data) == 128
        with pytest.raises(ValueError, match="does not fit"):
            other.import_memory(handle, 5000, "int32")
        there = other.import_memory(handle, (4, 5), "int32")
        with pytest.raises(qiao.InvalidArgumentError, match="of memory"):
            qiao.import_timeline(handle)
    assert handle.fileno() == -1
    assert there.host.ctypes.data == array.host.ctypes.data
    program.add_to[20](array, 9).wait()
    assert (there.numpy() == 9).all()
    array.release()
    assert (there.host == 9).all()


def test_two_processes(device, pair):
    mine, other = pair
    with start_peer(other, device, "work") as peer:
        array, turns = share(device, mine)
        array.set(np.arange(1000, dtype=np.int32))
        turns.signal(1)
        turns.at(2).wait(timeout=60)
        assert (array.host == 7).all()
        turns.signal(3)
        assert peer.wait(timeout=60) == 0


def test_a_process_that_dies_ends_the_wait(device, pair):
    mine, other = pair
    with start_peer(other, device, "die"):
        array, turns = share(device, mine)
        turns.at(1).wait(timeout=60)
        with pytest.raises(qiao.CancelledError, match="ended without releasing it"):
            turns.at(2).wait(timeout=60)
    array.fill(1).wait()
    assert (array.host == 1).all()


def test_handles_that_are_damaged(device, pair):
    mine, other = pair
    with device.shareable(1000, "int32").export() as handle:
        wrong = qiao.Handle(b"\0" * 128, os.dup(handle.fileno()))
        with wrong, pytest.raises(qiao.InvalidArgumentError, match="no handle"):
            device.import_memory(wrong, 4)
        short = qiao.Handle(handle.data[:100], os.dup(handle.fileno()))
        with short, pytest.raises(ValueError, match="100 bytes"):
            device.import_memory(short, 4)
        closed = qiao.Handle(handle.data, -1)
        with pytest.raises(qiao.InvalidArgumentError, match="not open"):
            device.import_memory(closed, 4)
        mine.sendall(handle.data)
        with pytest.raises(ValueError, match="0 descriptors"):
            qiao.Handle.receive(other)
        mine.sendall(handle.data[:10])
        mine.close()
        with pytest.raises(EOFError, match="10 of 128"):
            qiao.Handle.receive(other)
