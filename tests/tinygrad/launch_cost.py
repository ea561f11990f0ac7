#!/usr/bin/env python3
"""What a launch costs its caller in tinygrad, on a device of Qiao's and on tinygrad's own OpenCL device: DEVICE... [--rounds N].

A kernel of three buffers, four work-items: tinygrad's program called, and below it Qiao's launch alone; a TinyJit of 20 kernels. The
minimum and the median of the rounds, of 300 launches (10 steps) each.
"""

import argparse
import statistics
import time

from tinygrad import Device, Tensor, TinyJit, dtypes
from tinygrad.device import Buffer, TinyELF

import qiao.tinygrad

SOURCE = """kernel void add(global float *a, global const float *b, global const float *c) {
    a[get_global_id(0)] = b[get_global_id(0)] + c[get_global_id(0)];
}"""
SIGNATURE = tuple((name, slot, dtypes.float, (4,)) for slot, name in enumerate("abc"))


def measure(what, device, function, rounds, count):
    times = []
    for _ in range(rounds):
        device.synchronize()
        begin = time.perf_counter()
        for _ in range(count):
            function()
        times.append((time.perf_counter() - begin) / count * 1e6)
    print(f"{device.device:8} {what:24} min {min(times):8.2f} us, median {statistics.median(times):8.2f} us")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("devices", nargs="+", help="tinygrad's names: QIAO, QIAO:1, CL")
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    for name in options.devices:
        device = Device[name]
        program = device.runtime(TinyELF(SOURCE.encode(), "add", device.renderer.target, SIGNATURE))
        buffers = [Buffer(device.device, 4, dtypes.float).allocate()._buf for _ in range(3)]
        measure("program", device, lambda: program(*buffers, global_size=(4, 1, 1), local_size=(1, 1, 1)), options.rounds, 300)
        if isinstance(device, qiao.tinygrad.QiaoDevice):
            kernel, arrays = device.card.compile(SOURCE).add[4, 1], [device.card.empty(4) for _ in range(3)]
            measure("Qiao's launch alone", device, lambda: kernel(*arrays), options.rounds, 300)
            device.card.synchronize()

        @TinyJit
        def step(x):
            for _ in range(20):
                x = (x * 1.5 + 0.5).contiguous()
            return x.realize()

        x = Tensor([1.0] * 4, device=device.device).realize()
        for _ in range(3):
            step(x)
        measure("TinyJit of 20 kernels", device, lambda: step(x), options.rounds, 10)


if __name__ == "__main__":
    main()
