"""Arrays: what they hold, how they are sliced, and what is refused."""

import gc

import numpy as np
import pytest

import qiao

DTYPES = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16", "float32", "float64", "complex64", "bool"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_values_come_back_as_they_went(device, dtype):
    values = np.arange(24).reshape(2, 3, 4).astype(dtype)
    array = device.array(values)
    assert (array.shape, array.dtype, array.nbytes, array.ndim, len(array)) == (values.shape, values.dtype, values.nbytes, 3, 2)
    assert array.strides == values.strides
    np.testing.assert_array_equal(array.numpy(), values)
    np.testing.assert_array_equal(np.asarray(array), values)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", [0, 1, 100])
def test_full_and_fill(device, dtype, value):
    expected = np.full((3, 5), value).astype(dtype)
    np.testing.assert_array_equal(device.full((3, 5), value, dtype).numpy(), expected)
    array = device.zeros((3, 5), dtype)
    assert not array.numpy().any()
    array.fill(value)
    np.testing.assert_array_equal(array.numpy(), expected)


@pytest.mark.parametrize("values", [[1, 2, 3], (1.5, 2.5), 7, [[True, False]], range(5), np.float32(3)])
def test_array_takes_what_numpy_takes(device, values):
    expected = np.asarray(values)
    array = device.array(values)
    assert array.dtype == expected.dtype
    np.testing.assert_array_equal(array.numpy(), expected)
    np.testing.assert_array_equal(device.array(values, dtype="float32").numpy(), expected.astype("float32"))


@pytest.mark.parametrize("index", [
    np.s_[3], np.s_[-1], np.s_[2:7], np.s_[::2], np.s_[::-1], np.s_[7:2:-2], np.s_[:, 1], np.s_[1, 2], np.s_[1, 2, 3], np.s_[..., 0],
    np.s_[None, 1:3], np.s_[:, :, 1:3], np.s_[5:5], np.s_[2:4, ..., ::3], np.s_[np.int64(2)], np.s_[()],
])
def test_slices_are_views_at_the_exact_byte(device, index):
    values = np.arange(8 * 4 * 5, dtype=np.int16).reshape(8, 4, 5)
    array = device.array(values)
    expected, view = values[index], array[index]
    assert (view.shape, view.strides) == (expected.shape, np.asarray(values[index]).strides if expected.ndim else ())
    if expected.size:
        offset = np.asarray(values[index if isinstance(index, tuple) else (index,)][...]).__array_interface__["data"][0] if expected.ndim else None
        if offset is not None:
            assert view.address - array.address == offset - values.__array_interface__["data"][0]
    assert view.contiguous == (expected.size == 0 or np.asarray(expected).flags.c_contiguous)
    np.testing.assert_array_equal(view.numpy(), expected)


@pytest.mark.parametrize("index", [np.s_[2:7], np.s_[::2], np.s_[::-1], np.s_[:, 1], np.s_[1, 2, 3], np.s_[...], np.s_[..., 1:4:2]])
def test_assignment_writes_only_the_view(device, index):
    values = np.arange(8 * 4 * 5, dtype=np.int32).reshape(8, 4, 5)
    array = device.array(values)
    new = -np.arange(values[index].size, dtype=np.int32).reshape(values[index].shape)
    array[index] = new
    values[index] = new
    np.testing.assert_array_equal(array.numpy(), values)
    array[index] = 7
    values[index] = 7
    np.testing.assert_array_equal(array.numpy(), values)


def test_reshape_view_and_transpose(device):
    values = np.arange(24, dtype=np.uint32)
    array = device.array(values)
    np.testing.assert_array_equal(array.reshape(4, 6).numpy(), values.reshape(4, 6))
    np.testing.assert_array_equal(array.reshape((2, -1)).numpy(), values.reshape(2, -1))
    np.testing.assert_array_equal(array.view("uint8").numpy(), values.view("uint8"))
    np.testing.assert_array_equal(array.reshape(4, 6).T.numpy(), values.reshape(4, 6).T)
    with pytest.raises(ValueError, match="contiguous"):
        array[::2].reshape(3, 4)


def test_copies_of_elements_at_strides(device):
    values = np.arange(6 * 7 * 8, dtype=np.uint32).reshape(6, 7, 8)
    array, other = device.array(values), device.array(np.zeros((4, 5, 3, 6), np.uint32))
    back = np.zeros((4, 5, 3), np.uint32)
    queue = qiao.Queue(device)
    point = queue.copy(array[1:5, 2:7, 3:6], back)
    point.wait()
    np.testing.assert_array_equal(back, values[1:5, 2:7, 3:6])
    report = queue.copy_report(point)
    assert (report["total_bytes"], report["done_bytes"], report["status"]) == (240, 240, None)
    assert report["path"] in ("direct", "mapped", "host")
    queue.copy(values[1:5, 2:7, 3:6], other[:, :, :, 2]).wait()  # four dimensions of bytes: several boxes
    np.testing.assert_array_equal(other.numpy()[:, :, :, 2], values[1:5, 2:7, 3:6])
    assert not other.numpy()[:, :, :, 1].any()
    queue.copy(array[::2, :, 0].T, array[1::2, :, 1].T).wait()
    np.testing.assert_array_equal(array.numpy()[1::2, :, 1], values[::2, :, 0])
    for source in (array[1:5, 2:7, 3:6], values[1:5, 2:7, 3:6]):
        with pytest.raises(ValueError, match="shapes"):
            queue.copy(source, np.zeros((5, 4, 3), np.uint32))
    with pytest.raises(ValueError, match="negative stride"):
        queue.copy(values[::-1, 0, 0], np.zeros(6, np.uint32))
    with pytest.raises(qiao.NotFoundError):
        queue.copy_report(queue.fill(array, 1))


def test_an_array_without_elements_is_one(device):
    array = device.empty((0, 3), "int32")
    assert array.numpy().shape == (0, 3)
    assert array.nbytes == 0
    array[...] = np.empty((0, 3), "int32")
    array.fill(1)


@pytest.mark.parametrize("shape, error", [(-1, ValueError), ((2, -3), ValueError), ("ab", TypeError), (1.5, TypeError), ((1, 2.5), TypeError),
                                          ((2**40, 2**40), ValueError), ((0, 2**40, 2**40), ValueError), ((2**61,), ValueError)])
def test_shapes_that_are_none(device, shape, error):
    with pytest.raises(error):
        device.empty(shape)


@pytest.mark.parametrize("positional, named, text", [
    ((), {}, "needs a shape"), ((3, "int32", "device"), {}, "3 arguments were given"), ((3,), {"shape": 3}, "'shape' twice"),
    ((3, "int32"), {"dtype": "int32"}, "'dtype' twice"), ((3,), {"colour": 1}, "no argument 'colour'"), ((3,), {"kind": 1}, "a str, not int")])
def test_calls_that_are_none(device, positional, named, text):
    with pytest.raises(TypeError, match=text):
        device.empty(*positional, **named)


def test_a_device_that_is_none():
    with pytest.raises(TypeError, match="qiao.devices"):
        qiao.Device.empty(qiao.Device.__new__(qiao.Device), 3)
    with pytest.raises(TypeError):
        qiao.Device.empty(object(), 3)


def test_arguments_by_name_and_by_every_kind_of_dtype(device):
    class Custom:
        dtype = np.dtype("int16")

    for dtype in ("float32", np.float32, np.dtype("float32"), "f4", np.dtype("<f4")):
        for _ in range(2):  # the second time it is known
            array = device.empty(dtype=dtype, shape=[2, np.int64(3)], kind="device")
            assert (array.dtype, array.shape) == (np.dtype("float32"), (2, 3))
    assert device.empty(3, int).dtype == np.dtype(int)
    custom = Custom()
    assert device.empty(3, custom).dtype == np.dtype("int16")
    custom.dtype = np.dtype("int64")
    assert device.empty(3, custom).dtype == np.dtype("int64")
    assert device.empty(()).shape == ()


@pytest.mark.parametrize("dimensions", [4, 5, 9, 32])
def test_many_dimensions(device, dimensions):
    shape = (3, 2, 2, 2, *[1] * (dimensions - 4))
    values = np.arange(24, dtype="int32").reshape(shape)
    array = device.array(values)
    assert (array.ndim, array.shape, array.strides) == (dimensions, values.shape, values.strides)
    view = array[1:].read_only().T
    np.testing.assert_array_equal(view.numpy(), values[1:].T)
    np.testing.assert_array_equal(array[::2].numpy(), values[::2])


@pytest.mark.parametrize("dtype", [object, "O", "V0", "no such dtype"])
def test_dtypes_that_no_device_has(device, dtype):
    with pytest.raises(TypeError):
        device.empty(3, dtype)


def test_more_than_there_is(device):
    with pytest.raises((qiao.OutOfRangeError, qiao.OutOfMemoryError)) as raised:
        device.empty(2**50, "uint8")
    assert str(2**50) in str(raised.value)


@pytest.mark.parametrize("index, error", [([1, 2], TypeError), (np.array([True] * 8), TypeError), ("x", TypeError), (True, TypeError),
                                          (8, IndexError), (np.s_[0, 0, 0, 0], IndexError)])
def test_indices_that_are_none(device, index, error):
    with pytest.raises(error):
        device.zeros((8, 4, 5))[index]


def test_values_that_do_not_fit(device):
    array = device.zeros((2, 3), "int32")
    with pytest.raises(ValueError, match=r"\(4,\).*\(2, 3\)"):
        array[...] = np.arange(4)
    with pytest.raises(TypeError, match="float64"):
        array[...] = np.array([[0.5] * 3] * 2)
    with pytest.raises(OverflowError):
        array[...] = 2**40
    assert not array.numpy().any()


def test_read_only_views_are_not_written(device):
    array = device.zeros(4).read_only()
    with pytest.raises(ValueError, match="read-only"):
        array[...] = 1
    with pytest.raises(ValueError, match="read-only"):
        array.fill(1)
    with pytest.raises(ValueError, match="read-only"):
        device.queue.copy(np.ones(4, "f4"), array)
    assert not array[1:].writable


def test_a_released_array_says_so(device):
    with device.zeros(16) as array:
        view = array[4:]
    for use in (array.numpy, view.numpy, lambda: view.set(1), lambda: device.queue.copy(view, np.empty(12, "f4"))):
        with pytest.raises(qiao.InvalidHandleError, match="released"):
            use()
    assert "released" in repr(view)
    array.release()


def test_memory_comes_back(device):
    gc.collect()
    before = device.memory[0]
    arrays = [device.empty(1 << 20, "uint8") for _ in range(8)]
    views = [array[100:] for array in arrays]
    del arrays
    device.synchronize()
    during = device.memory[0]
    del views
    gc.collect()
    device.synchronize()
    assert device.memory[0] == before
    assert during <= before


def test_host_memory_where_there_is_some():
    device = qiao.open("mock:2")
    array = device.shared(8, "int32")
    array.host[...] = np.arange(8)
    np.testing.assert_array_equal(array.numpy(), np.arange(8))
    view = array[2:6:2].host
    np.testing.assert_array_equal(view, [2, 4])
    del array
    gc.collect()
    view[0] = 9
    assert view[0] == 9


def test_host_memory_where_there_is_none():
    device = qiao.open("mock:0")
    with pytest.raises(qiao.UnsupportedError, match="no pointer"):
        device.zeros(3).host
    with pytest.raises(ValueError, match="no memory of kind"):
        device.empty(3, kind="magnetic")


def test_copies_between_devices(device, other, numbers):
    source, target = device.array(numbers), other.zeros(numbers.shape)
    point = device.queue.copy(source[:100], target[200:300])
    point.wait()
    expected = np.zeros_like(numbers)
    expected[200:300] = numbers[:100]
    np.testing.assert_array_equal(target.numpy(), expected)


@pytest.mark.parametrize("source, target, error", [
    (np.zeros(4, "f4"), np.zeros(5, "f4"), ValueError), (np.zeros((4, 4), "f4").T[1:], np.zeros(12, "f4"), ValueError),
    (b"1234", b"1234", TypeError), ([1, 2], np.zeros(2), TypeError)])
def test_copies_that_are_none(device, source, target, error):
    with pytest.raises(error):
        device.queue.copy(source, target)
