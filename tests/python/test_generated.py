"""Kernels made from expressions: against NumPy, for sizes that no group divides, for every dtype, and what is refused."""

import sys

import numpy as np
import pytest

import qiao

SIZES = [0, 1, 2, 97, 255, 256, 257, 2048, 2049, 65537, 1_000_003]
LARGE = 2**24 + 43
NUMBERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]

# Kernels take seconds to compile for some devices: tests share these.
AXPY = qiao.Elementwise("T a, T x, T y -> T", "a * x + y")
SUM = qiao.Reduction("T x -> T", "a + b", 0)
RUNNING = qiao.Scan("T x -> T", "a + b", 0)
BEFORE = qiao.Scan("T x -> T", "a + b", 0, exclusive=True)


def whole(size, dtype, limit=50):
    """Numbers whose sums and products every type computes exactly (integers wrap), the same at each call."""
    low = -limit if np.dtype(dtype).kind in "if" else 0
    return np.random.default_rng(size + 1).integers(low, limit, size).astype(dtype)


# Elementwise

@pytest.mark.parametrize("size", SIZES)
def test_each_element_of_any_size(device, size):
    x, y = whole(size, "int32"), whole(size, "int32")[::-1].copy()
    result = AXPY(3, device.array(x), device.array(y))
    assert result.dtype == x.dtype
    np.testing.assert_array_equal(result.numpy(), 3 * x + y)


def test_each_element_of_any_dtype(device):
    names = [f"{dtype[0]}{index}" for index, dtype in enumerate(NUMBERS)]
    inputs = ", ".join(f"{dtype} {name}" for dtype, name in zip(NUMBERS, names))
    outputs = ", ".join(f"{dtype} {name}r" for dtype, name in zip(NUMBERS, names))
    values = [whole(1000, dtype, 10) for dtype in NUMBERS]
    results = qiao.Elementwise(f"{inputs} -> {outputs}", " ".join(f"{name}r = {name} * {name} + {name};" for name in names))(*map(device.array, values))
    for value, result in zip(values, results):
        assert result.dtype == value.dtype
        np.testing.assert_array_equal(result.numpy(), value * value + value)


def test_what_a_device_has_not_is_refused(device, monkeypatch):
    twice = qiao.Elementwise("T x -> T", "2 * x")
    if "fp16" not in device.features:
        with pytest.raises(qiao.UnsupportedError, match="float16.*fp16"):
            twice(device.zeros(3, "float16"))
    monkeypatch.setitem(sys.modules["qiao._generate"]._FEATURES, "float32", "no such feature")
    with pytest.raises(qiao.UnsupportedError, match=f"{device.id}.*float32.*no such feature"):
        twice(device.zeros(3))


def test_several_results_of_mixed_types(device):
    x, y, z = whole(500, "int16"), whole(500, "float32")[::-1].copy(), whole(500, "float32") > 0
    low, high, is_less, place = qiao.Elementwise(
        "int16 x, F y, bool z, uint8 shift -> F low, F high, bool is_less, int64 place",
        "low = smaller(x, y); high = fmax(x, y); is_less = (x < y && z) * 256; place = i * 100 + n + shift;",
        preamble="#define smaller(a, b) fmin((float)a, (float)b)")(device.array(x), device.array(y), device.array(z), 7)
    np.testing.assert_array_equal(low.numpy(), np.minimum(x, y))
    np.testing.assert_array_equal(high.numpy(), np.maximum(x, y))
    np.testing.assert_array_equal(is_less.numpy(), (x < y) & z)
    np.testing.assert_array_equal(place.numpy(), np.arange(500) * 100 + 507)
    assert is_less.dtype == bool


def test_results_go_where_they_are_wanted(device):
    x = whole(1001, "int32").reshape(7, 11, 13)
    array, other = device.array(x), device.empty((7, 11, 13), "int32")
    assert AXPY(1, array, array, out=array) is array
    np.testing.assert_array_equal(array.numpy(), 2 * x)
    assert AXPY(1, array, array, out=(other,)) is other
    np.testing.assert_array_equal(other.numpy(), 4 * x)
    with device.create_queue() as queue:
        result = AXPY(1, other, other, queue=queue)
        np.testing.assert_array_equal(result.numpy(queue=queue), 8 * x)


def test_more_elements_than_groups_count(device):
    x = (np.arange(LARGE) % 1009).astype("int32")
    array = device.array(x)
    assert (AXPY(3, array, array).numpy() == 4 * x).all()
    assert SUM(array).numpy() == x.sum(dtype="int32")
    assert (RUNNING(array).numpy() == np.cumsum(x, dtype="int32")).all()


# Reduction

@pytest.mark.parametrize("size", SIZES)
def test_sums_of_any_size(device, size):
    x = whole(size, "int32")
    result = SUM(device.array(x))
    assert result.shape == ()
    assert result.numpy() == x.sum()


@pytest.mark.parametrize("dtype", ["int64", "float32", "float64"])
def test_sums_of_any_dtype(device, dtype):
    x = whole(5003, dtype)
    assert SUM(device.array(x)).numpy() == x.sum()


@pytest.mark.parametrize("dtype, expression, identity, expected", [
    ("int32", "max(a, b)", -2**31, np.max), ("float32", "fmin(a, b)", float("inf"), np.min), ("uint64", "min(a, b)", 2**64 - 1, np.min)])
def test_extremes(device, dtype, expression, identity, expected):
    x = whole(5003, dtype)
    smallest = qiao.Reduction("T x -> T", expression, identity)
    assert smallest(device.array(x)).numpy() == expected(x)
    assert smallest(device.empty(0, dtype)).numpy() == np.dtype(dtype).type(identity), "of nothing it is the identity"


def test_what_is_combined_may_be_computed(device):
    x, y = whole(3001, "float32", 10), whole(3001, "float32", 10)[::-1].copy()
    dot = qiao.Reduction("T x, T y, T scale -> float64", "a + b", 0, map="scale * x * y + i - n")
    assert dot(device.array(x), device.array(y), 2).numpy() == 2 * (x * y).sum() - sum(range(1, 3002))


def test_a_result_may_have_its_place(device):
    results = device.zeros(3, "int32")
    for index in range(3):
        SUM(device.full(1000, index, "int32"), out=results[index])
    np.testing.assert_array_equal(results.numpy(), [0, 1000, 2000])


NUMBERS_AND_IDENTITIES = [(-2**63, "int64"), (2**63 - 1, "int64"), (-128, "int8"), (2**64 - 1, "uint64"), (2**32 - 1, "uint32"), (-1, "int32"), (0.1, "float32"),
                          (-0.1, "float64"), (float("inf"), "float32"), (-float("inf"), "float64"), (1e300, "float64"), (3e38, "float32"),
                          (float("nan"), "float32"), ("-INFINITY", "float32"), (True, "bool"), (np.int16(-5), "int16"), (1e-45, "float32")]


def test_identities_are_exact(device):
    """Each number as the text that a kernel gets."""
    from qiao._generate import literal

    outputs = ", ".join(f"{dtype} r{index}" for index, (_, dtype) in enumerate(NUMBERS_AND_IDENTITIES))
    text = " ".join(f"r{index} = {literal(value, np.dtype(dtype))};" for index, (value, dtype) in enumerate(NUMBERS_AND_IDENTITIES))
    results = qiao.Elementwise(f"bool x -> {outputs}", text)(device.zeros(1, "bool"))
    for (value, dtype), result in zip(NUMBERS_AND_IDENTITIES, results):
        np.testing.assert_array_equal(result.numpy(), [np.dtype(dtype).type(float(value) if isinstance(value, str) else value)])


# Scan

@pytest.mark.parametrize("size", SIZES)
def test_scans_of_any_size(device, size):
    x = whole(size, "int32")
    expected = np.cumsum(x, dtype="int32")
    np.testing.assert_array_equal(RUNNING(device.array(x)).numpy(), expected)
    np.testing.assert_array_equal(BEFORE(device.array(x)).numpy(), expected - x)


@pytest.mark.parametrize("dtype", ["int64", "float32", "float64"])
def test_scans_of_any_dtype(device, dtype):
    x = whole(3001, dtype, 3)
    np.testing.assert_array_equal(RUNNING(device.array(x)).numpy(), np.cumsum(x, dtype=dtype))


def test_a_scan_keeps_the_order(device):
    # Each element shows the last one before it that is not 0: associative, and the order matters. In place, of what is computed.
    x = np.where(np.random.default_rng(3).integers(0, 50, 40_009) == 0, np.arange(40_009), 0).astype("int32")[:40_008].reshape(-1, 3)
    positions = np.maximum.accumulate(np.where(x.ravel() != 0, np.arange(x.size), 0))
    array = device.array(-x)
    assert qiao.Scan("int32 x, int32 sign -> int32", "b != 0 ? b : a", 0, map="sign * x")(array, -1, out=array) is array
    np.testing.assert_array_equal(array.numpy(), x.ravel()[positions].reshape(x.shape))


# What is refused

@pytest.mark.parametrize("signature, text", [
    ("T x", "no arrow"), ("-> T", "an input and an output"), ("T x ->", "an input and an output"), ("T -> T", "not a type and a name"),
    ("T x y -> T", "not a type and a name"), ("float x -> T", "'float'.*float32"), ("T x, T x -> T", "'x' twice"), ("T i -> T", "'i'.*taken"),
    ("T x_ -> T", "'x_'.*taken"), ("T 1x -> T", "'1x'"), ("T x -> T, T", "several outputs"), ("T x -> T x", "'x' twice"), ("T x,, T y -> T", "''")])
def test_signatures_that_are_none(signature, text):
    with pytest.raises(ValueError, match=text):
        qiao.Elementwise(signature, "x")


@pytest.mark.parametrize("kind", [qiao.Reduction, qiao.Scan])
def test_signatures_that_do_not_combine(kind):
    with pytest.raises(ValueError, match="map="):
        kind("T x, T y -> T", "a + b", 0)
    with pytest.raises(ValueError, match="without a name"):
        kind("T x -> T y", "a + b", 0)


CALLS = {
    "too few": (lambda d: (d.zeros(3),), TypeError, "takes 2 arguments, 1"),
    "numbers only": (lambda d: (1, 2), TypeError, "numbers only"),
    "host memory": (lambda d: (d.zeros(3), np.zeros(3, "f4")), TypeError, "'y'.*device.array"),
    "text": (lambda d: (d.zeros(3), "1"), TypeError, "'y'.*'str'"),
    "another dtype": (lambda d: (d.zeros(3), d.zeros(3, "int32")), TypeError, "'y'.*float32.*int32"),
    "no number": (lambda d: (d.zeros(3, "complex64"), 1), TypeError, "'x'.*complex64"),
    "the other byte order": (lambda d: (d.zeros(3, ">f4"), 1), TypeError, "'x'.*>f4"),
    "another shape": (lambda d: (d.zeros(3), d.zeros((3, 1))), ValueError, r"'y'.*\(3, 1\).*\(3,\)"),
    "strides": (lambda d: (d.zeros(6)[::2], d.zeros(3)), ValueError, "'x'.*not contiguous"),
    "another device": (lambda d: (d.zeros(3), qiao.open("mock:1").zeros(3)), ValueError, "'y'.*mock:1"),
    "released": (lambda d: (released(d), d.zeros(3)), qiao.InvalidHandleError, "released"),
}


def released(device):
    array = device.zeros(3)
    array.release()
    return array


@pytest.mark.parametrize("case", CALLS)
@pytest.mark.parametrize("kind", ["elementwise", "reduction", "scan"])
def test_arguments_that_do_not_fit(device, case, kind):
    make, error, text = CALLS[case]
    helper = {"elementwise": qiao.Elementwise("T x, T y -> T", "x + y"), "reduction": qiao.Reduction("T x, T y -> T", "a + b", 0, map="x + y"),
              "scan": qiao.Scan("T x, T y -> T", "a + b", 0, map="x + y")}[kind]
    with pytest.raises(error, match=text):
        helper(*make(device))
    device.synchronize()


@pytest.mark.parametrize("make", [lambda d: d.zeros(4), lambda d: d.zeros(3, "int32"), lambda d: d.zeros(3).read_only(), lambda d: d.zeros(6)[::2],
                                  lambda d: np.zeros(3, "f4"), lambda d: qiao.open("mock:1").zeros(3)])
def test_places_for_results_that_do_not_fit(device, make):
    with pytest.raises((TypeError, ValueError), match="'out'"):
        qiao.Elementwise("T x -> T", "x")(device.zeros(3), out=make(device))


def test_a_variable_that_no_array_gives(device):
    with pytest.raises(TypeError, match="'U'"):
        qiao.Elementwise("T x, U y -> U", "x + y")(device.zeros(3), 1)


@pytest.mark.parametrize("identity, error", [(0.5, ValueError), (2**31, ValueError), (None, TypeError), ([0], TypeError)])
def test_identities_that_are_none(device, identity, error):
    with pytest.raises(error):
        qiao.Reduction("int32 x -> int32", "a + b", identity)(device.zeros(3, "int32"))


def test_expressions_with_errors_are_shown(device):
    wrong = qiao.Elementwise("T x -> T", "x +\n nowhere")
    for _ in range(2):
        with pytest.raises(qiao.CompileError) as raised:
            wrong(device.zeros(3))
        assert "'x +\\n nowhere'" in str(raised.value) and "nowhere" in raised.value.log
        assert raised.value.line == 2
    with pytest.raises(qiao.CompileError, match=r"combine: 'a \+ c'"):
        qiao.Reduction("T x -> T", "a + c", 0)(device.zeros(3))
    with pytest.raises(qiao.CompileError, match=r"map: 'y'"):
        qiao.Scan("T x -> T", "a + b", 0, map="y")(device.zeros(3))


def test_a_reset_makes_kernels_anew():
    device = qiao.Instance(visible_devices="mock:1").open()
    for _ in range(2):
        x = device.full(3, 1, "int32")
        np.testing.assert_array_equal(AXPY(1, x, x).numpy(), [2] * 3)
        device.reset()
    with pytest.raises(qiao.DeviceLostError):
        AXPY(1, x, x)


def test_helpers_say_what_they_are():
    assert repr(qiao.Elementwise("T x -> T", "2 * x")) == "<qiao.Elementwise 'T x -> T' '2 * x'>"
    assert "exclusive" in repr(qiao.Scan("T x -> T", "a + b", 0, exclusive=True))


@pytest.mark.parametrize("module", ["elementwise", "reduction", "scan"])
def test_the_examples_run(module):
    import doctest
    import importlib

    assert doctest.testmod(importlib.import_module(f"qiao.{module}")).failed == 0
