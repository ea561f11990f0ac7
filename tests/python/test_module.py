"""The module as a whole: devices, errors, lifetimes, fork, leaks."""

import gc
import os
import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import qiao


def run(code, *, status=0, **environment):
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], env=os.environ | environment, text=True, capture_output=True, timeout=110)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def test_devices_and_properties(device):
    assert device.id in [each.id for each in qiao.devices()]
    properties = device.properties
    assert properties["id"] == device.id
    assert properties["name"] == device.name and device.name in repr(device)
    assert properties["max_group_size"] >= 1
    assert set(device.slots.values()) <= {"native", "emulated", "absent"}
    assert device.slots["kernel_launch"] == "native"
    kinds = device.memory_kinds
    assert {"device", "shared"} <= set(kinds)
    assert all(1 <= kind["level"] <= 4 and kind["level_name"] for kind in kinds.values())
    assert (kinds["shared"]["provenance"] == "emulated") == properties["emulated_shared"]
    assert device.state == ("ok", "")
    free, total = device.memory
    assert 0 < free <= total


def test_the_ledger_tells_of_every_plugin():
    ledger = {candidate.plugin: candidate for candidate in qiao.ledger()}
    assert ledger["mock"].state == "usable" and ledger["mock"].device_count == 3


def test_unknown_devices_are_named_with_the_known_ones():
    with pytest.raises(qiao.NotFoundError, match="mock:0"):
        qiao.open("no such device")
    assert isinstance(qiao.open("mock"), qiao.Device)


def test_instances_of_ones_own():
    instance = qiao.Instance(visible_devices="mock:1")
    assert [device.id for device in instance.devices] == ["mock:1"]
    device = instance.open("mock:1")
    del instance
    gc.collect()
    assert device.zeros(3).numpy().tolist() == [0, 0, 0]
    assert device is not qiao.open("mock:1")


@pytest.mark.parametrize("name", ["Device", "Queue", "Point", "Timeline", "Array", "Kernel", "Program", "Launch", "LocalMemory", "Instance"])
def test_every_class_has_a_doc(name):
    assert getattr(qiao, name).__doc__


def test_every_name_is_there():
    for name in qiao.__all__:
        assert getattr(qiao, name) is not None


@pytest.mark.parametrize("kind, parent", [("OutOfMemoryError", MemoryError), ("NotFoundError", LookupError), ("InvalidArgumentError", ValueError),
                                          ("TimeoutError", TimeoutError), ("DeviceLostError", qiao.Error), ("CompileError", qiao.Error)])
def test_errors_form_a_tree(kind, parent):
    assert issubclass(getattr(qiao, kind), qiao.Error) and issubclass(getattr(qiao, kind), parent)


def test_errors_keep_their_record():
    with pytest.raises(qiao.NotFoundError) as raised:
        qiao.open("nothing")
    error = raised.value
    assert error.status == -6 and "nothing" in error.message and error.remedy and error.remedy in str(error)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.status) == (type(error), str(error), error.status)


def test_a_reset_device_raises_until_things_are_made_anew():
    run("""
        import qiao, numpy as np
        device = qiao.open("mock:0")
        if device.slots["device_reset"] == "absent": raise SystemExit
        program = device.compile("kernel void k(global int *x) { x[0] = 1; }")
        array = device.zeros(4, "int32")
        array.numpy()
        device.reset()
        for use in (array.numpy, lambda: program.k[1](array)):
            try: use()
            except qiao.DeviceLostError as error: assert "reset" in str(error), error
            else: raise AssertionError("no error")
        assert device.properties["generation"] == 1
        old, array = array, device.zeros(4, "int32")
        again = device.compile("kernel void k(global int *x) { x[0] = 1; }")
        for use in (old.numpy, lambda: again.k[1](old), lambda: old.fill(1), lambda: device.queue.copy(old, array)):
            try: use()
            except qiao.DeviceLostError as error: assert "reset" in str(error), error
            else: raise AssertionError("no error, though its address may be that of the new one")
        again.k[1](array)
        assert array.numpy()[0] == 1
    """)


def test_a_forked_child_is_told():
    run("""
        import os, qiao
        device = qiao.open("mock:0")
        array = device.zeros(4)
        array.numpy()
        child = os.fork()
        if child == 0:
            try: array.numpy()
            except qiao.ForkedError: os._exit(0)
            except BaseException as error: print(repr(error), flush=True)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert not array.numpy().any()
    """)


@pytest.mark.parametrize("order", ["device", "program", "array", "queue", "point", "bound"])
def test_objects_may_go_in_any_order(device, program, order):
    held = {"device": qiao.open(device.id), "array": device.zeros(64, "int32")}
    held["program"] = device.compile("kernel void add(global int *x, int n) { x[get_global_id(0)] += n; }")
    held["queue"] = device.create_queue()
    device.synchronize()
    held["bound"] = held["program"].add[64]
    held["point"] = held["bound"](held["array"], 1, queue=held["queue"])
    del held[order]
    gc.collect()
    if "point" in held:
        held["point"].wait(30)
    while held:
        held.popitem()
        gc.collect()
    device.synchronize()


def test_the_interpreter_may_end_with_everything_in_use(device):
    run(f"""
        import qiao, numpy as np
        device = qiao.open("{device.id}")
        program = device.compile("kernel void add(global int *x, int n) {{ x[get_global_id(0)] += n; }}")
        array, queue = device.zeros(1 << 16, "int32"), device.create_queue()
        for i in range(100): point = program.add[1 << 16](array, i, queue=queue)
        queue.copy(np.zeros(1 << 16, "int32"), array)
        queue.call(lambda status: None)
    """)


def test_launches_do_not_leak(device, program):
    values = device.zeros(4, "int32")
    add = program.add_to[4]

    def pages_after_launches():
        for _ in range(10):  # however busy the machine is, no more are in flight than these
            for _ in range(1000):
                add(values, 1)
            device.synchronize()
        gc.collect()
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1])

    first = pages_after_launches()  # with as much memory as so many launches in flight need
    last = [pages_after_launches() for _ in range(3)][-1]
    assert last - first < 1024  # 4 MiB for 30,000: an object each would be more


def test_the_module_prints_the_devices():
    done = subprocess.run([sys.executable, "-m", "qiao"], text=True, capture_output=True, timeout=60, check=True)
    assert "mock:0" in done.stdout and qiao.__version__ in done.stdout


def test_without_devices_the_ledger_is_still_there():
    out = run("import qiao; print(qiao.devices(), len(qiao.ledger()) > 0)", QIAO_VISIBLE_DEVICES="none:*")
    assert out.strip() == "[] True"


def test_the_example_of_the_module_runs():
    import doctest

    np.set_printoptions()
    assert doctest.testmod(qiao).failed == 0
