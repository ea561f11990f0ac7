"""Pools: arrays of memory that is used again, in the order of queues, whoever uses it."""

import gc
import threading

import numpy as np
import pytest

import qiao


@pytest.fixture
def pool(device):
    with device.pool() as pool:
        yield pool


def test_arrays_of_a_pool_are_arrays(pool, device):
    values = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    for array in (pool.array(values), pool.full((2, 3, 4), 7, "float32"), pool.zeros((2, 3, 4)), pool.empty((2, 3, 4))):
        assert (array.shape, array.dtype, array.device) == ((2, 3, 4), np.float32, device)
        assert array.address % 256 == 0
        array.set(values)
        np.testing.assert_array_equal(array[1, ::2].numpy(), values[1, ::2])
    assert not pool.zeros(100).numpy().any()
    assert (pool.full(100, 7).numpy() == 7).all()
    assert pool.array([1, 2, 3]).dtype == np.asarray([1, 2, 3]).dtype


def test_memory_goes_back_when_the_array_is_gone(pool):
    first = pool.empty(1000)
    address = first.address
    view = first[10:20]
    assert pool.statistics.allocations == 1
    del first
    gc.collect()
    assert pool.statistics.allocations == 1
    del view
    gc.collect()
    assert pool.statistics.allocations == 0
    again = pool.empty(1000)
    assert again.address == address
    again.release()
    with pytest.raises(qiao.InvalidHandleError):
        again.numpy()
    assert pool.statistics.allocations == 0


def test_a_loop_needs_one_segment(pool, program):
    total = np.zeros(500, dtype=np.float32)
    values = np.arange(500, dtype=np.float32)
    source = pool.array(values)
    for step in range(50):
        scaled = pool.empty(500)
        program.scale[500](source, scaled, float(step))
        total += scaled.numpy()
    np.testing.assert_allclose(total, values * sum(range(50)))
    statistics = pool.statistics
    assert (statistics.segments, statistics.allocated, statistics.reused) == (1, 51, 50)
    assert statistics.requested == 2 * 2000
    assert statistics.used == 2 * 2048
    assert statistics.reserved_peak == statistics.reserved


def test_an_array_follows_the_queues_that_use_it(pool, device, program):
    """Work of another queue is behind that of the array's own, and the memory behind both."""
    home, other = device.create_queue(), device.create_queue()
    start = qiao.timeline()
    source = pool.array(np.arange(256, dtype=np.float32), queue=home)
    target = pool.empty(256, queue=home)
    address = source.address
    other.after(start.at(1))
    program.scale[256](source, target, 2.0, queue=other)
    result = np.empty(256, np.float32)
    done = other.copy(target, result)
    del source
    taken = pool.empty(256, queue=home)  # maybe the same memory: then behind the other queue's work
    home.fill(taken, -1.0)
    start.signal(1)
    done.wait()
    np.testing.assert_array_equal(result, 2 * np.arange(256, dtype=np.float32))
    home.synchronize()
    assert (taken.numpy() == -1).all()
    assert taken.address % 256 == 0 and address % 256 == 0


def test_the_limit_is_an_error_that_says_so(device):
    pool = device.pool(reserve_limit=1 << 16)
    kept = pool.empty(60_000, "uint8")
    with pytest.raises(qiao.OutOfMemoryError, match="its limit is 65536"):
        pool.empty(10_000, "uint8")
    del kept
    gc.collect()
    pool.empty(10_000, "uint8")


def test_trim_and_peaks(device):
    pool = device.pool()
    pool.empty(5 << 20, "uint8").release()
    assert pool.statistics.reserved == 5 << 20
    pool.trim()
    assert pool.statistics.reserved == 0
    assert pool.statistics.used_peak == 5 << 20
    pool.reset_peaks()
    assert pool.statistics.used_peak == 0
    assert pool.statistics.fragmentation == 0


def test_each_kind_of_memory(device):
    for kind in ("device", "host", "shared"):
        try:
            pool = device.pool(kind=kind)
        except qiao.UnsupportedError:
            continue
        array = pool.array(np.arange(10, dtype=np.int32))
        second = pool.array(np.arange(10, dtype=np.int32) + 5)
        if kind != "device":
            np.testing.assert_array_equal(second[2:4].host, [7, 8])
            array.host[0] = 99
            assert array.numpy()[0] == 99


def test_the_host_waits_for_work_on_the_memory_before(device):
    try:
        pool = device.pool(kind="shared")
    except qiao.UnsupportedError:
        return  # the host has no pointer to such memory here
    queue, start = device.create_queue(), qiao.timeline()
    first = pool.empty(1000, "int32", queue=queue)
    queue.after(start.at(1))
    queue.fill(first, 5)
    del first
    second = pool.empty(1000, "int32", queue=queue)
    opener = threading.Timer(0.05, start.signal, [1])
    opener.start()
    second.host[:] = 1
    queue.synchronize()
    assert (second.host == 1).all()
    opener.join()


def test_a_released_pool_gives_nothing_and_keeps_what_it_gave(device):
    pool = device.pool()
    array = pool.full(100, 3, "int32")
    pool.release()
    pool.release()
    assert (array.numpy() == 3).all()
    with pytest.raises(qiao.InvalidHandleError, match="the pool was released"):
        pool.empty(1)
    assert "released" in repr(pool)
    del pool
    assert (array.numpy() == 3).all()


def test_arrays_of_several_threads(device):
    from concurrent.futures import ThreadPoolExecutor

    pool = device.pool()

    def work(seed):
        queue = device.create_queue()
        for step in range(30):
            array = pool.empty(100 + seed, "int32", queue=queue)
            queue.fill(array, seed * 1000 + step)
            if set(array.numpy(queue=queue)) != {seed * 1000 + step}:
                return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(work, range(8)))
    gc.collect()
    assert pool.statistics.allocations == 0


@pytest.mark.parametrize("wrong, words", [
    (lambda pool: pool.empty(), "needs a shape"),
    (lambda pool: pool.empty(1, "float32", None), "by position"),
    (lambda pool: pool.empty(1, kind="device"), "no argument 'kind'"),
    (lambda pool: pool.empty(1, queue=3), "'queue' is a qiao.Queue or None"),
    (lambda pool: pool.device.pool(kind=3), "the kind of memory is a str"),
])
def test_wrong_arguments(pool, wrong, words):
    with pytest.raises(TypeError, match=words):
        wrong(pool)


def test_a_queue_of_another_device_is_refused(pool, other):
    with pytest.raises(ValueError, match="the queue is of mock:1"):
        pool.empty(1, queue=other.create_queue())


def test_wrong_limits(device):
    with pytest.raises(qiao.InvalidArgumentError, match="alignment 3"):
        device.pool(alignment=3)
