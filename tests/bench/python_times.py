"""What the Python package costs over the C calls that it makes, and pyopencl beside it where it is installed. Prints a table; judges
nothing. In each round every operation is timed once, so that all see the same machine.

Usage: python_times.py --costs=LIBRARY [--rounds=N] [--device=mock:0]    with the package in PYTHONPATH
"""

import argparse
import ctypes
import gc
import statistics
import subprocess
import sys
import time

import numpy as np

import qiao

SOURCE = "kernel void three(global const float *x, global float *y, float a) { if (a < 0) y[0] = x[0]; }"
CALLS = 200  # of one round
IMPORT = "import time, numpy; begin = time.perf_counter(); import qiao; print(time.perf_counter() - begin)"


def timed(function, *arguments):
    """Nanoseconds of one call, of CALLS; the garbage collector does not come in between."""
    begin = time.perf_counter_ns()
    for _ in range(CALLS):
        function(*arguments)
    return (time.perf_counter_ns() - begin) / CALLS


def import_seconds():
    return float(subprocess.run([sys.executable, "-c", IMPORT], check=True, capture_output=True, text=True).stdout)


class OpenCL:
    """The same launch by pyopencl, on the first device of the first platform."""

    def __init__(self, cl):
        context = cl.Context([cl.get_platforms()[0].get_devices()[0]])
        self.queue = cl.CommandQueue(context)
        self.kernel = cl.Kernel(cl.Program(context, SOURCE).build(), "three")
        self.x, self.y = (cl.Buffer(context, cl.mem_flags.READ_WRITE, 4096) for _ in range(2))
        self.a = np.float32(2)

    def launch(self):
        self.kernel(self.queue, (64,), (64,), self.x, self.y, self.a)


def opencl_by_hand():
    try:
        import pyopencl
    except ImportError:
        return None
    return OpenCL(pyopencl)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--costs", required=True, help="the library of python_costs.c")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--device", default="mock:0")
    options = parser.parse_args()

    costs = ctypes.CDLL(options.costs)
    for function in (costs.allocate_and_release, costs.launch):
        function.restype = ctypes.c_double
    selector, source = options.device.encode(), SOURCE.encode()

    device = qiao.open(options.device)
    kernel = device.compile(SOURCE).three
    x, y = device.zeros(1024), device.zeros(1024)
    bound = kernel[64, 64]
    raw = opencl_by_hand() if options.device.startswith("opencl") else None

    def launched(function):
        result = timed(function)
        device.synchronize()
        return result

    operations = {
        "numpy.empty(1024)": lambda: timed(np.empty, 1024),
        "device.empty(1024)": lambda: timed(device.empty, 1024),
        "the C calls of it": lambda: costs.allocate_and_release(selector, ctypes.c_uint64(4096), CALLS),
        "bound(x, y, 2.0)": lambda: launched(lambda: bound(x, y, 2.0)),
        "kernel[64, 64](x, y, 2.0)": lambda: launched(lambda: kernel[64, 64](x, y, 2.0)),
        "the C call of it": lambda: costs.launch(selector, source, b"three", CALLS),
    }
    if raw is not None:
        def by_hand():
            result = timed(raw.launch)
            raw.queue.finish()
            return result

        operations["the same by pyopencl"] = by_hand
    measured = {name: [] for name in operations}
    gc.disable()
    for _ in range(options.rounds):
        for name, operation in operations.items():
            measured[name].append(operation())
    print(f"{device.id}, {options.rounds} rounds of {CALLS} calls")
    for name, times in measured.items():
        print(f"{name:28} p10 {sorted(times)[len(times) // 10]:8.0f} ns   median {statistics.median(times):8.0f} ns")
    imports = sorted(import_seconds() for _ in range(min(options.rounds, 20)))
    print(f"import qiao after numpy      best {1e3 * imports[0]:7.1f} ms   median {1e3 * statistics.median(imports):7.1f} ms")


if __name__ == "__main__":
    main()
