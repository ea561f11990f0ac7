"""Memory that host and card both use: what NumPy writes at Array.host the card sees, and the other way round."""

import numpy as np
import pytest

import qiao


def test_the_card_and_numpy_write_in_turn(device, program):
    array = device.shared(1000, "int32")
    array.host[:] = np.arange(1000)
    for _ in range(3):
        program.add_to[1000](array, 5)
        device.synchronize()
        array.host[::7] += 1
    expected = np.arange(1000) + 15
    expected[::7] += 3
    np.testing.assert_array_equal(array.host, expected)
    np.testing.assert_array_equal(array.numpy(), expected)


def test_a_point_brings_the_results(device, program):
    array = device.shared((4, 5), "int32")
    array.host[:] = 1
    point = program.add_to[20](array, 1)
    point.wait()
    assert (array.host == 2).all()


def test_what_is_moved_is_told(device, program):
    array = device.shared(100_000, "int32")
    emulated = device.properties["emulated_shared"]
    array.host[:] = 0
    program.add_to[100_000](array, 1).wait()
    first = array.traffic
    assert (first["tracking"] != "none") == emulated
    assert first["to_device_bytes"] == first["to_host_bytes"] == (400_000 if emulated else 0)
    array.host[0] = 7
    program.add_to[100_000](array, 1).wait()
    assert array.host[0] == 8 and array.host[1] == 2
    if first["tracking"] in ("scan", "compare"):
        assert array.traffic["to_device_bytes"] - first["to_device_bytes"] <= 4096
    assert array.traffic["conflict_bytes"] == 0


def test_it_is_moved_ahead_of_its_use(device, program):
    array = device.shared(50_000, "int32")
    emulated = device.properties["emulated_shared"]
    array.host[:] = 3
    array.prefetch()
    point = program.add_to[50_000](array, 4)
    array.prefetch("host").wait()
    point.wait()
    assert (array.host == 7).all()
    assert array.traffic["prefetched_to_host_bytes"] == (200_000 if emulated else 0)
    assert device.traffic["to_host_bytes"] >= array.traffic["to_host_bytes"]
    with pytest.raises(ValueError, match="'card'"):
        array.prefetch("card")
    with pytest.raises(ValueError, match="contiguous"):
        array[::2].prefetch()


def test_advice(device, program):
    array, out = device.shared(1000, "int32"), device.shared(1000, "int32")
    array.host[:] = 1
    for advice in ("preferred_device", "preferred_host", "no_preference", "not_read_mostly", "read_mostly"):
        array.advise(advice)
    with pytest.raises(ValueError, match="'often'"):
        array.advise("often")
    program.add_to[1000](array, 1).wait()
    assert array.traffic["to_host_bytes"] == 0
    assert out.traffic["eviction_count"] == 0


def test_results_are_fetched_where_that_was_asked_for(device, program):
    array = device.shared(10_000, "int32", fetch="explicit")
    array.host[:] = 3
    program.add_to[10_000](array, 4).wait()
    part = array[100:200]
    part.fetch()
    assert (part.host == 7).all()
    array.fetch()
    assert (array.host == 7).all()
    device.shared(0, "int32").fetch()


def test_what_is_wrong_is_said(device):
    with pytest.raises(ValueError, match="fetch is 'never'"):
        device.shared(4, fetch="never")
    array = device.shared((4, 4))
    with pytest.raises(ValueError, match="contiguous"):
        array[:, 1].fetch()
    array.release()
    with pytest.raises(qiao.Error, match="released"):
        array.fetch()
    with pytest.raises(qiao.Error, match="released"):
        array.traffic
