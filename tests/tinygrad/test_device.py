"""The device QIAO of tinygrad: what tinygrad's own tests do not ask, or not of devices they do not know."""

import numpy as np
import pytest
from tinygrad import Device, Tensor, TinyJit, dtypes
from tinygrad.device import Buffer, CompileError, Compiled, ProfileDeviceEvent, TinyELF
from tinygrad.helpers import Context, ProfileRangeEvent, Target

import qiao
import qiao.tinygrad
from qiao.tinygrad.device import QiaoProgram, QiaoRenderer


def name_of(card):
    """What tinygrad calls it."""
    return Device.canonicalize(f"QIAO:{[each.id for each in qiao.devices()].index(card.id)}")


@pytest.fixture
def device(card):
    return Device[name_of(card)]


def test_devices_have_qiaos_order(device, card):
    assert device.card is card
    assert device.count() == len(qiao.devices())


def test_every_dtype_the_device_has(device):
    plain = [dtype for dtype in dtypes.all if dtype in device.renderer.supported_dtypes() and not dtypes.is_float(dtype)]
    assert {dtypes.bool, dtypes.int8, dtypes.uint16, dtypes.int64, dtypes.uint64} <= set(plain)
    for dtype in plain:
        found = Tensor([0, 1, 1], dtype=dtype, device=device.device) + Tensor([1, 0, 1], dtype=dtype, device=device.device)
        assert found.tolist() == ([True, True, True] if dtype == dtypes.bool else [1, 1, 2]), dtype
    for dtype, feature in ((dtypes.float32, None), (dtypes.bfloat16, None), (dtypes.float16, "fp16"), (dtypes.float64, "fp64")):
        has = feature is None or feature in device.card.features
        assert (dtype in device.renderer.supported_dtypes()) == has
        if has:
            found = Tensor([0.5, -2.0], dtype=dtype, device=device.device) * Tensor([3.0, 0.25], dtype=dtype, device=device.device)
            assert found.tolist() == [1.5, -0.5], dtype


def test_views_are_at_any_byte(device):
    whole = Buffer(device.device, 10, dtypes.uint8, initial_value=bytes(range(10)))
    assert whole.view(2, dtypes.uint16, 3).ensure_allocated().as_memoryview().cast("H").tolist() == [3 | 4 << 8, 5 | 6 << 8]
    numbers = Tensor(list(range(100)), device=device.device).realize()
    part = numbers[37:41].realize()
    assert part.uop.buffer.base is numbers.uop.buffer.base, "a view, not a copy"
    assert (part + 1).tolist() == [38, 39, 40, 41]


def test_host_memory_may_change_after_realize(device):
    for count in (16, 1 << 20):  # copied aside, and waited for
        source = np.arange(count, dtype=np.int32)
        tensor = Tensor(source, device=device.device).realize()
        source[:] = -1
        assert tensor[-3:].tolist() == [count - 3, count - 2, count - 1]


def test_transfers_keep_their_order(device):
    here, there = device.device, name_of(qiao.open("mock:1"))
    x = Tensor.zeros(1 << 16, device=here).contiguous().realize()
    for _ in range(5):
        x = (x + 1).contiguous().to(there).contiguous().realize()
        x = (x * 2).contiguous().to(here).contiguous().realize()
    assert x[:2].tolist() == [62, 62] and x[-1].item() == 62


def test_jit(device):
    @TinyJit
    def step(x):
        return (x * 2 + 1).realize()

    for value in range(5):
        assert step(Tensor([value, value], device=device.device).realize()).tolist() == [2 * value + 1] * 2


def program_of(device, source, name, signature):
    return QiaoProgram(device, TinyELF(source.encode(), name, device.renderer.target, signature))


FILL = "kernel void fill(global int *out, const int value) { out[get_global_id(0)] = value; }"
FILL_SIGNATURE = (("out", 0, dtypes.int, (8,)), ("value", 1, dtypes.int, ()))


def test_a_program_by_hand(device):
    fill = program_of(device, FILL, "fill", FILL_SIGNATURE)
    out = Buffer(device.device, 8, dtypes.int).allocate()
    seconds = fill(out._buf, global_size=(4, 1, 1), local_size=(2, 1, 1), vals=(7,), wait=True)
    assert 0 <= seconds < 10
    assert out.as_memoryview().cast("i").tolist() == [7] * 8
    assert fill(out._buf, global_size=(8, 1, 1), vals=(9,)) is None
    assert out.as_memoryview().cast("i").tolist() == [9] * 8


def test_what_does_not_compile_is_tinygrads_error(device):
    with pytest.raises(CompileError, match="undeclared"):
        program_of(device, "kernel void fill(global int *out) { out[0] = missing; }", "fill", FILL_SIGNATURE[:1])


def test_a_group_that_does_not_fit_is_refused_and_leaves_the_device_usable(device):
    fill = program_of(device, FILL, "fill", FILL_SIGNATURE)
    out = Buffer(device.device, 8, dtypes.int).allocate()
    with pytest.raises(qiao.Error):
        fill(out._buf, global_size=(8 / 3, 1, 1), local_size=(3, 1, 1), vals=(7,), wait=True)
    assert (Tensor([1, 2], device=device.device) + 1).tolist() == [2, 3]


def test_profile_has_kernels_and_copies_on_the_hosts_clock(device):
    import time

    first = (Tensor([1.0, 2.0], device=device.device).realize() + 1).realize()
    device.synchronize()
    Compiled.profile_events.clear()
    begin = time.perf_counter_ns() / 1000
    with Context(PROFILE=1):
        (first + 41.5).tolist()
        device._at_profile_finalize()
    end = time.perf_counter_ns() / 1000
    assert [event.device for event in Compiled.profile_events if isinstance(event, ProfileDeviceEvent)] == [device.device]
    spans = [event for event in Compiled.profile_events if isinstance(event, ProfileRangeEvent)]
    assert [span.name for span in spans][-1] == "copy out" and len(spans) >= 2
    slack = 1e5 if device.card.slots["device_clock"] == "native" else 1e18
    assert all(begin - slack <= span.st <= span.en <= end + slack for span in spans)
    assert any(span.profile_key for span in spans)
    Compiled.profile_events.clear()


def test_limits_reach_the_renderer_by_its_target_alone(device):
    renderer = QiaoRenderer(Target("QIAO", arch=device.arch))
    properties = device.card.properties
    assert renderer.shared_max == properties["local_memory_bytes"]
    assert max(renderer.local_max) <= properties["max_group_size"]
    assert renderer.supported_dtypes() == device.renderer.supported_dtypes()


def test_dev_selects(python):
    show = "import qiao.tinygrad, tinygrad; print(*(card.id for card in tinygrad.Device['QIAO'].cards), tinygrad.Device.DEFAULT)"
    assert python("-c", show, DEV="mock+QIAO").split() == ["mock:0", "mock:1", "mock:2", "QIAO"]
    assert python("-c", show, DEV="mock:1+QIAO").split() == ["mock:1", "QIAO"]
    assert python("-c", show, DEV="QIAO", QIAO_VISIBLE_DEVICES="mock:2").split() == ["mock:2", "QIAO"]
    assert "there is no QIAO: DEV=nobody+QIAO selects []" in python("-c", show, DEV="nobody+QIAO", status=1)


def test_a_failed_queue_is_replaced(python):
    program = """
import qiao, qiao.tinygrad
from tinygrad import Tensor
failed = 0
for i in range(4):
    try:
        assert (Tensor([i, i]).realize() + 1).tolist() == [i + 1] * 2
    except qiao.Error:
        failed += 1
print(failed)
"""
    assert python("-c", program, DEV="mock+QIAO", QIAO_MOCK_FAULTS="queue_launch:2=error:-10") == "1\n"


def test_kernels_are_compiled_in_processes_of_their_own_too(python):
    program = """
import qiao.tinygrad
from tinygrad import Tensor
from tinygrad.engine import worker
row, table = Tensor([1, 2, 3]).realize(), Tensor([[1, 2], [3, 4]]).realize()
twice, sums = row * 2, table.sum(axis=0)
Tensor.realize(twice, sums)
print(twice.tolist(), sums.tolist(), worker.worker_pool is not None)
"""
    assert python("-c", program, DEV="mock+QIAO", PARALLEL="2") == "[2, 4, 6] [4, 6] True\n"


def test_scripts_that_know_nothing_of_qiao(python, tmp_path):
    (tmp_path / "helper.py").write_text("factor = 3\n")
    (tmp_path / "script.py").write_text("import sys, helper\nfrom tinygrad import Tensor, Device\n"
                                        "print(sys.argv[1:], (Tensor([1, 2]) * helper.factor).tolist(), Device.DEFAULT)\n")
    said = python("-m", "qiao.tinygrad", "--timeline", tmp_path / "run.json", "--timeline", tmp_path / "run.svg",
                  tmp_path / "script.py", "--steps", "5", DEV="mock+QIAO")
    assert said == "['--steps', '5'] [3, 6] QIAO\n"
    assert {"copy in", "copy out"} < {event.name for event in __import__("qiao.plot").plot.load_timeline(tmp_path / "run.json")}
    assert "<svg" in (tmp_path / "run.svg").read_text()
    assert "usage" in python("-m", "qiao.tinygrad", "-m", "qiao.plot", "--help", DEV="mock+QIAO")


def test_other_versions_are_refused(python):
    program = "import importlib.metadata as m; m.version = lambda name: '0.13.0'; import qiao.tinygrad"
    assert "0.13.0 is installed" in python("-c", program, status=1)
