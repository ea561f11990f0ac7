"""Kernels: every kind of argument, shapes, and messages that name the argument."""

import numpy as np
import pytest

import qiao


def test_a_kernel_computes(device, program, numbers):
    x, y = device.array(numbers), device.empty(numbers.shape)
    program.scale[numbers.size](x, y, 3)
    np.testing.assert_array_equal(y.numpy(), 3 * numbers)


def test_arguments_by_name(device, program, numbers):
    x, y = device.array(numbers), device.empty(numbers.shape)
    program.scale[numbers.size](x, factor=0.5, y=y)
    np.testing.assert_array_equal(y.numpy(), 0.5 * numbers)


def test_the_explicit_form(device, program, numbers):
    x, y = device.array(numbers), device.empty(numbers.shape)
    with device.create_queue() as queue:
        program.scale.launch(x, y, 2.0, grid=numbers.size, group=64, queue=queue).wait()
    np.testing.assert_array_equal(y.numpy(), 2 * numbers)


def test_no_queue_is_the_device_s_own(device, program):
    values = device.zeros(4, "int32")
    program.add_to.launch(values, 1, grid=4, queue=None)
    program.add_to[4](values, 1, queue=None)
    np.testing.assert_array_equal(values.numpy(queue=None), [2] * 4)
    values.fill(7, queue=None).wait()
    values.set([1] * 4, queue=None)
    for launch in (lambda: program.add_to.launch(values, 1, grid=4, queue=1), lambda: program.add_to[4](values, 1, queue="q")):
        with pytest.raises(TypeError, match="'queue' is a qiao.Queue"):
            launch()


def test_a_bound_kernel_is_used_again(device, program):
    values = device.zeros(100, "int32")
    add = program.add_to[100]
    for amount in range(50):
        add(values, amount)
    assert set(values.numpy()) == {sum(range(50))}


def test_views_give_their_own_address(device, program):
    values = device.zeros(100, "int32")
    program.add_to[7](values[33:40], 5)
    expected = np.zeros(100, "int32")
    expected[33:40] = 5
    np.testing.assert_array_equal(values.numpy(), expected)


@pytest.mark.parametrize("grid, group", [((5,), None), ((4, 3), None), ((4, 3, 2), None), ((4, 6), (2, 3)), ([8, 2], 4)])
def test_grids_of_every_dimension(device, program, grid, group):
    out = device.zeros(tuple(reversed(grid)), "uint32")
    program.grid[tuple(grid), group](out)
    z, y, x = np.indices((1,) * (3 - len(grid)) + tuple(reversed(grid)))
    np.testing.assert_array_equal(out.numpy().ravel(), (x + 100 * y + 10000 * z).ravel())


def test_local_memory(device, program):
    values = np.arange(64, dtype="int32")
    sums = device.zeros(4, "int32")
    program.group_sum[64, 16](device.array(values), sums, qiao.local(16, "int32"))
    np.testing.assert_array_equal(sums.numpy(), values.reshape(4, 16).sum(axis=1))


def test_values_of_every_type(device, program):
    out = device.zeros(13, "float64")
    record = np.array((3, 0.5), dtype=[("x", "i4"), ("y", "f4")])
    program.values[1](out, -128, 255, -32768, 65535, -2**31, 2**32 - 1, -2**53, 2**53, 0.5, 1e300, (1, 2, 3, 4), np.array([1, 2, 3], "f4"), record)
    np.testing.assert_array_equal(out.numpy(), [-128, 255, -32768, 65535, -2**31, 2**32 - 1, -2**53, 2**53, 0.5, 1e300, 4321, 321, 3.5])


@pytest.mark.parametrize("scalar", [2, 2.0, True, np.float32(2), np.int8(2), np.array(2.0)])
def test_numbers_of_any_class(device, program, scalar):
    x, y = device.full(4, 1.0, "float32"), device.zeros(4)
    program.scale[4](x, y, scalar)
    np.testing.assert_array_equal(y.numpy(), [float(scalar)] * 4)


@pytest.mark.parametrize("index, value", [(1, 128), (1, -129), (2, -1), (2, 256), (3, 2**15), (4, -1), (5, 2**31), (6, 2**32), (7, 2**63), (8, -1), (8, 2**64)])
def test_integers_that_do_not_fit_are_refused(device, program, index, value):
    arguments = [device.zeros(13, "float64"), 0, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, (0,) * 4, (0,) * 3, bytes(8)]
    arguments[index] = value
    name = program["values"].parameters[index].name
    with pytest.raises(ValueError, match=f"'{name}'.*{value}"):
        program["values"][1](*arguments)


def test_what_a_kernel_is(program, device):
    scale = program.scale
    assert scale.name == "scale"
    assert [(p.name, p.kind, p.offset, p.size) for p in scale.parameters] == [("x", "address", 0, 8), ("y", "address", 8, 8), ("factor", "value", 16, 4)]
    assert scale.parameters[0].access == "r"
    assert program.kernels == ["scale", "add_to", "grid", "group_sum", "values", "nothing"]
    assert "scale(" in repr(scale) and device.id in repr(scale)
    assert scale.max_group_size >= 1
    assert scale.required_group is None
    assert {"scale", "nothing"} <= set(dir(program))
    assert not hasattr(program, "no_such_kernel")


CASES = {
    "too many": (lambda d, p: p.scale[4](d.zeros(4), d.zeros(4), 1, 2), TypeError, "takes 3 arguments, 4 were given"),
    "too few": (lambda d, p: p.scale[4](d.zeros(4), d.zeros(4)), TypeError, "'factor'.*is missing"),
    "twice": (lambda d, p: p.scale[4](d.zeros(4), d.zeros(4), 1.0, x=d.zeros(4)), TypeError, "'x'.*twice"),
    "unknown": (lambda d, p: p.scale[4](d.zeros(4), d.zeros(4), 1.0, z=1), TypeError, "no argument 'z'"),
    "dtype": (lambda d, p: p.scale[4](d.zeros(4, "int32"), d.zeros(4), 1.0), TypeError, "'x'.*float32.*int32"),
    "width": (lambda d, p: p.scale[4](d.zeros(4), d.zeros(4, "float64"), 1.0), TypeError, "'y'.*float32.*float64"),
    "sign": (lambda d, p: p.add_to[4](d.zeros(4, "uint32"), 1), TypeError, "'values'.*int32.*uint32"),
    "strides": (lambda d, p: p.scale[4](d.zeros(8)[::2], d.zeros(4), 1.0), ValueError, "'x'.*not contiguous"),
    "read-only": (lambda d, p: p.scale[4](d.zeros(4), d.zeros(4).read_only(), 1.0), ValueError, "'y'.*read-only"),
    "host memory": (lambda d, p: p.scale[4](np.zeros(4, "f4"), d.zeros(4), 1.0), TypeError, "'x'.*host memory.*device.array"),
    "a list": (lambda d, p: p.scale[4]([1, 2], d.zeros(4), 1.0), TypeError, "'x'.*'list'"),
    "a number for an array": (lambda d, p: p.scale[4](1, d.zeros(4), 1.0), TypeError, "'x'.*'int'"),
    "text for a number": (lambda d, p: p.scale[4](d.zeros(4), d.zeros(4), "1"), TypeError, "'factor'.*'str'"),
    "a float for an integer": (lambda d, p: p.add_to[4](d.zeros(4, "int32"), 1.5), TypeError, "'amount'.*integer"),
    "an array for a number": (lambda d, p: p.add_to[4](d.zeros(4, "int32"), d.zeros(1)), TypeError, "'amount'"),
    "a number for local memory": (lambda d, p: p.group_sum[4](d.zeros(4, "int32"), d.zeros(1, "int32"), 16), TypeError, "'scratch'.*qiao.local"),
    "lanes": (lambda d, p: p["values"][1](d.zeros(13, "float64"), *[0] * 8, 0.0, 0.0, (1, 2), (0,) * 3, bytes(8)), ValueError, "'k'.*4 numbers, 2"),
    "bytes of a struct": (lambda d, p: p["values"][1](d.zeros(13, "float64"), *[0] * 8, 0.0, 0.0, (0,) * 4, (0,) * 3, bytes(7)), ValueError, "'m'.*8 bytes, 7"),
    "no grid": (lambda d, p: p.nothing[()], TypeError, "kernel.grid"),
    "four dimensions": (lambda d, p: p.nothing[(1, 2, 3, 4), None], ValueError, "1 to 3 dimensions, not 4"),
    "grid of floats": (lambda d, p: p.nothing[(1.5, 2), None], TypeError, "float"),
    "more group than grid": (lambda d, p: p.nothing[4, (2, 2)], ValueError, "tuple"),
    "group that does not divide": (lambda d, p: p.nothing[10, 3](), qiao.InvalidArgumentError, "does not divide"),
    "grid of zero": (lambda d, p: p.nothing[0](), qiao.OutOfRangeError, "0"),
    "no such kernel": (lambda d, p: p["no_such"], qiao.NotFoundError, "scale, add_to"),
    "no such attribute": (lambda d, p: p.no_such, AttributeError, "no_such"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_named_and_nothing_runs(device, program, case):
    call, error, text = CASES[case]
    with pytest.raises(error, match=text):
        call(device, program)
    device.synchronize()


def test_arrays_of_another_device(device, program, other):
    with pytest.raises(ValueError, match=f"'x'.*{other.id}.*{device.id}"):
        program.scale[4](other.zeros(4), device.zeros(4), 1.0)
    with pytest.raises(ValueError, match=f"{other.id}.*{device.id}"):
        program.nothing.launch(grid=4, queue=other.queue)


def test_released_arrays(device, program):
    gone = device.zeros(4)
    gone.release()
    with pytest.raises(qiao.InvalidHandleError, match="'x'.*released"):
        program.scale[4](gone, device.zeros(4), 1.0)


def test_source_with_errors_has_log_and_line(device):
    with pytest.raises(qiao.CompileError) as raised:
        device.compile("kernel void ok(void) {}\nkernel void bad(global int *x) { x[0] = nowhere; }", name="bad.cl")
    assert raised.value.line == 2
    assert "nowhere" in raised.value.log
    assert "bad.cl" in str(raised.value)


def test_options_reach_the_compiler(device):
    program = device.compile("kernel void k(global int *x) { x[0] = N; }", options="-DN=42")
    out = device.zeros(1, "int32")
    program.k[1](out)
    assert out.numpy()[0] == 42


def test_a_package_runs(device, tmp_path, package_file):
    package = qiao.Package.load(package_file)
    program = package.on(device)
    values = device.zeros(8, "int32")
    program.add_to[8](values, 3)
    assert set(values.numpy()) == {3}
    assert device.load(package.data[:]).kernels == program.kernels
    taken = [variant for variant in package.explain(device) if variant.verdict == "taken"]
    assert [variant.format for variant in taken] == [program.format]
    assert all(variant.reason for variant in package.explain(device) if variant.verdict == "refused")
    assert program.format in program.selection


@pytest.mark.parametrize("data", [b"", b"nonsense", b"\x89QPK\r\n\x1a\x00" + bytes(100)])
def test_damaged_packages(device, data):
    with pytest.raises(qiao.Error):
        device.load(data)
    with pytest.raises(TypeError, match="package"):
        device.load(42)
