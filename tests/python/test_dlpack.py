"""DLPack: memory shared with NumPy where both reach it, copied where not, and capsules that nobody takes."""

import gc

import ml_dtypes
import numpy as np
import pytest

import qiao

DTYPES = ["int8", "uint16", "int32", "uint64", "float16", "float32", "float64", "complex64", "bool"]


@pytest.fixture
def unified():
    return qiao.open("mock:2")


@pytest.mark.parametrize("dtype", DTYPES)
def test_numpy_sees_shared_memory_itself(unified, dtype):
    array = unified.shared((3, 4), dtype)
    array[...] = np.ones((3, 4), dtype)
    view = np.from_dlpack(array)
    assert (view.dtype, view.shape, view.flags.writeable) == (np.dtype(dtype), (3, 4), True)
    view[1, 2] = 0
    assert array.numpy()[1, 2] == 0
    assert array.__dlpack_device__() == (1, 0)


@pytest.mark.parametrize("index", [np.s_[1], np.s_[:, 1], np.s_[::2, 1:3], np.s_[2:3], np.s_[1, 2]])
def test_views_keep_their_offset_and_strides(unified, index):
    values = np.arange(12, dtype="int32").reshape(3, 4)
    array = unified.shared((3, 4), "int32")
    array[...] = values
    np.testing.assert_array_equal(np.from_dlpack(array[index]), values[index])


def test_what_is_read_only_stays_so(unified):
    array = unified.shared(4).read_only()
    assert not np.from_dlpack(array).flags.writeable
    with pytest.raises(BufferError, match="read-only"):
        array.__dlpack__()


def test_a_consumer_waits_for_the_queue(unified):
    program = unified.compile("kernel void fill(global int *x) { x[get_global_id(0)] = 7; }")
    array = unified.shared(1 << 16, "int32")
    program.fill[1 << 16](array)
    assert (np.from_dlpack(array) == 7).all()


def test_memory_outlives_its_array(unified):
    array = unified.shared(8, "int32")
    array[...] = np.arange(8)
    view = np.from_dlpack(array)
    del array
    gc.collect()
    np.testing.assert_array_equal(view, np.arange(8))


def test_other_memory_is_copied_to_the_host(device):
    values = np.arange(6, dtype="float32").reshape(2, 3)
    array = device.array(values)
    np.testing.assert_array_equal(np.from_dlpack(array, device="cpu", copy=True), values)
    np.testing.assert_array_equal(np.from_dlpack(array[:, ::2], device="cpu", copy=True), values[:, ::2])


def test_memory_that_the_host_does_not_reach_has_a_device_of_its_own():
    array = qiao.open("mock:1").zeros(3)
    assert array.__dlpack_device__() == (12, 1)
    with pytest.raises((BufferError, RuntimeError)):
        np.from_dlpack(array)
    with pytest.raises(BufferError, match="copy only"):
        array.__dlpack__(dl_device=(1, 0), copy=False)
    with pytest.raises(BufferError, match="on device"):
        array.__dlpack__(dl_device=(2, 0))


@pytest.mark.parametrize("version, name", [(None, "dltensor"), ((0, 8), "dltensor"), ((1, 0), "dltensor_versioned"), ((9, 9), "dltensor_versioned")])
def test_capsules_are_of_the_version_that_was_asked_for(device, version, name):
    assert f'"{name}"' in repr(device.zeros(3).__dlpack__(max_version=version))


def test_capsules_that_nobody_takes_give_their_memory_back(device):
    device.synchronize()
    gc.collect()
    before = device.memory[0]
    for version in (None, (1, 0)):
        capsule = device.empty(1 << 20, "uint8").__dlpack__(max_version=version)
        gc.collect()
        device.synchronize()
        del capsule
    gc.collect()
    device.synchronize()
    assert device.memory[0] == before


def test_arrays_of_others_come_in(device):
    values = np.arange(5, dtype="int16")
    array = device.from_dlpack(values)
    values[:] = 0
    np.testing.assert_array_equal(array.numpy(), np.arange(5))
    assert device.from_dlpack(array) is array
    assert device.from_dlpack(array, copy=True).address != array.address
    np.testing.assert_array_equal(qiao.open("mock:1").from_dlpack(array).numpy(), np.arange(5))


@pytest.mark.parametrize("source, error", [(42, TypeError), (object(), TypeError), ([1, 2], TypeError)])
def test_what_is_no_array(device, source, error):
    with pytest.raises(error):
        device.from_dlpack(source)


def test_garbage_capsules(device):
    class Liar:
        def __dlpack__(self, **words):
            return "no capsule"

        def __dlpack_device__(self):
            return (1, 0)

    with pytest.raises((TypeError, ValueError, RuntimeError)):
        device.from_dlpack(Liar())


def test_what_others_cannot_share(device):
    with pytest.raises(BufferError, match="copy only"):
        device.from_dlpack(np.zeros(3), copy=False)
    with pytest.raises(BufferError, match="no type"):
        device.zeros(3, "V8").__dlpack__()


def test_small_floats(device):
    values = np.arange(4).astype(ml_dtypes.bfloat16)
    array = device.array(values)
    assert array.dtype == values.dtype
    np.testing.assert_array_equal(array.numpy().astype("f4"), values.astype("f4"))
    assert "dltensor" in repr(array.__dlpack__(max_version=(1, 0)))
    assert "dltensor" in repr(device.zeros(2, ml_dtypes.float8_e5m2).__dlpack__(max_version=(1, 1)))
