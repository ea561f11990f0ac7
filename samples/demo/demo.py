#!/usr/bin/env python3
"""The same kernels on every device found, on real data, results compared.

Each source is compiled once, to one kernel package for every card. Each workload is a call of `qiao run`, shown as it could be
typed: every device takes its variant of the same package, runs it, is timed, and what it wrote is compared with the first
device's and, where there is one, with the host's result. Fails if results differ by more than the bound that rounding allows,
or if an expected kind of device is missing.
"""

import argparse
import json
import pathlib
import shlex
import struct
import subprocess
import sys
import zlib

SAMPLES = pathlib.Path(__file__).resolve().parents[1]
COUNT = 16 * 1024 * 1024
GROUPS, ITEMS = 256, 256  # of the first pass of a sum
# The most roundings between one summand and the sum: serial additions of an item, then the trees of both passes.
SUM_DEPTH = COUNT // (GROUPS * ITEMS) + 8 + GROUPS // ITEMS + 8

WIDTH, HEIGHT, CHANNELS, RADIUS = 1024, 768, 3, 12
SOURCES = ["gaussian", "matrix_multiply", "reduce"]
GRID = f"--grid {WIDTH},{HEIGHT},{CHANNELS}"


def sum_pass(kernel, source, count, groups, target, result):
    """Arguments of one pass of a sum."""
    return (f"reduce.qpk {kernel} -a values=@{source}.npy -a sums=zeros:{target}[{groups}] -a count={count} "
            f"-a scratch=local:{target}[{ITEMS}] --grid {groups * ITEMS} --group {ITEMS} --out sums={result}.npy")


# Title, what the numbers mean, and the calls. Files of one device have {device} in their names.
WORKLOADS = [
    ("picture", f"Gaussian filter, {WIDTH} x {HEIGHT} RGB, two passes of {2 * RADIUS + 1} taps; bytes may round differently by 1", [
        ("rows", f"gaussian.qpk gaussian_rows -a input=@picture.png -a output=zeros:f32[{HEIGHT}x{WIDTH}x{CHANNELS}] "
                 f"-a weights=@weights.npy -a radius={RADIUS} -a width={WIDTH} -a channels={CHANNELS} {GRID} "
                 f"--out output=rows-{{device}}.npy --tolerance-ulp {2 * RADIUS + 2}"),
        ("columns", f"gaussian.qpk gaussian_columns -a input=@rows-{{device}}.npy -a output=zeros:u8[{HEIGHT}x{WIDTH}x{CHANNELS}] "
                    f"-a weights=@weights.npy -a radius={RADIUS} -a height={HEIGHT} -a channels={CHANNELS} {GRID} "
                    f"--out output=filtered-{{device}}.png --tolerance-abs 1"),
    ]),
    ("matrix product", "512 x 512 fp32, tiles of 16 x 16 in local memory; a sum of 512 products may be off by 512 ULP", [
        ("product", "matrix_multiply.qpk -a a=@a.npy -a b=@b.npy -a c=zeros:f32[512x512] -a n=512 --grid 512,512 --group 16,16 "
                    "--reference c=@product.npy --tolerance-ulp 512"),
    ]),
    ("sum of integers", "16,777,216 numbers, a tree in local memory; exact", [
        ("groups", sum_pass("sum_int", "integers", COUNT, GROUPS, "u32", "integers-{device}")),
        ("total", sum_pass("sum_int", "integers-{device}", GROUPS, 1, "u32", "integers-total-{device}")
         + " --reference sums=@integers_sum.npy"),
    ]),
    ("sum of fp32", f"16,777,216 numbers; {SUM_DEPTH} roundings on the longest way, so as many ULP", [
        ("groups", sum_pass("sum_float", "floats", COUNT, GROUPS, "f32", "floats-{device}") + f" --tolerance-ulp {SUM_DEPTH}"),
        ("total", sum_pass("sum_float", "floats-{device}", GROUPS, 1, "f32", "floats-total-{device}")
         + f" --reference sums=@floats_sum.npy --tolerance-ulp {SUM_DEPTH}"),
    ]),
]


def write_png(path, npy):
    """The picture of demo_data as a PNG."""
    rows = npy.read_bytes()[128:]
    stride = WIDTH * CHANNELS
    filtered = b"".join(b"\0" + rows[i:i + stride] for i in range(0, len(rows), stride))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0))
                     + chunk(b"IDAT", zlib.compress(filtered, 1)) + chunk(b"IEND", b""))


def time_text(nanoseconds):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.2f} {unit}"
    return f"{nanoseconds:.0f} ns"


def result_text(comparisons):
    """What the comparisons of one device say; the first device has none with another."""
    texts = []
    for comparison in comparisons:
        against = "host" if comparison["against"].startswith("@") else comparison["against"]
        if comparison["differing"] == 0:
            texts.append(f"= {against}")
            continue
        unit = f"{comparison['max_ulp']} ULP" if comparison["dtype"].startswith("f") else f"{comparison['max_abs']:g}"
        verdict = "~" if comparison["within_tolerance"] else "DIFFERS from"
        texts.append(f"{verdict} {against} (at most {unit}, {comparison['differing']} of {comparison['elements']})")
    return ", ".join(texts) or "first"


def rows_of(report, name):
    """The table's rows of one call."""
    for device in report["devices"]:
        if device["error"]:
            yield [name, device["id"], "", "", "", "", "FAILED: " + device["error"]["message"]]
            continue
        times = device["device_ns"] or device["wall_ns"]
        variant = f"{device['format']} {device['target']}".strip()
        yield [name, device["id"], variant, time_text(times["min"]), time_text(times["median"]), time_text(device["wall_ns"]["median"]),
               result_text([one for one in report["comparisons"] if one["device"] == device["id"]])]


def print_table(rows):
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


class Demonstration:
    def __init__(self, build, repeat, quiet):
        self.qiao = build / "bin/qiao"
        self.data = build / "demo"
        self.build = build
        self.repeat = repeat
        self.quiet = quiet

    def prepare(self):
        self.data.mkdir(exist_ok=True)
        subprocess.run([self.build / "samples/demo_data", self.data], check=True)
        write_png(self.data / "picture.png", self.data / "picture.npy")

    def compile(self):
        """One package of each source, and for the first what each device takes of it, and why."""
        for name in SOURCES:
            words = ["cc", str(SAMPLES / "kernels" / f"{name}.cl"), "-o", f"{name}.qpk"]
            self.show(["cc", f"{name}.cl"] + words[2:])
            subprocess.run([self.qiao, *words], cwd=self.data, check=True)
        self.show(["why", f"{SOURCES[0]}.qpk"])
        subprocess.run([self.qiao, "why", f"{SOURCES[0]}.qpk"], cwd=self.data, check=True)

    def show(self, words):
        if not self.quiet:
            print("  $ qiao " + shlex.join(words), flush=True)

    def devices(self):
        return json.loads(subprocess.run([self.qiao, "list", "--json"], check=True, stdout=subprocess.PIPE).stdout)["devices"]

    def run(self, call, several):
        """One call of `qiao run` on all devices: its report, and whether it was content."""
        words = shlex.split(call) + ["--all", "--repeat", str(self.repeat)] + (["--compare"] if several else [])
        self.show(["run"] + words)
        done = subprocess.run([self.qiao, "run"] + words + ["--json"], cwd=self.data, stdout=subprocess.PIPE)
        report = json.loads(done.stdout or '{"message": "qiao run said nothing"}')
        if "devices" not in report:
            raise SystemExit(f"demo: qiao run failed with {done.returncode}: {report['message']}")
        return report, done.returncode == 0


def missing_plugins(expected, devices):
    present = {device["plugin"] for device in devices}
    return [plugin for plugin in expected if plugin not in present]


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path, help="the build folder, with bin/qiao")
    parser.add_argument("--expect", default="", help="plugins that must have a device, ',' between")
    parser.add_argument("--repeat", type=int, default=5, help="timed launches of each kernel")
    parser.add_argument("--quiet", action="store_true", help="do not show the calls")
    options = parser.parse_args(argv)

    demonstration = Demonstration(options.build.resolve(), options.repeat, options.quiet)
    devices = demonstration.devices()
    missing = missing_plugins([plugin for plugin in options.expect.split(",") if plugin], devices)
    if missing or not devices:
        subprocess.run([demonstration.qiao, "doctor"])
        print(f"demo: no device of: {', '.join(missing) or 'any plugin'}; see above", file=sys.stderr)
        return 1
    print(f"devices: {len(devices)}")
    print_table([[device["id"], device["name"], "simulated" if device["simulated"] else ""] for device in devices])

    demonstration.prepare()
    print("\npackages: each source is compiled once, for every card", flush=True)
    demonstration.compile()
    content = True
    for title, explanation, calls in WORKLOADS:
        print(f"\n{title}: {explanation}", flush=True)
        rows = [["step", "device", "variant", "min", "median", "median wall", "result"]]
        for name, call in calls:
            report, good = demonstration.run(call, len(devices) > 1)
            rows += rows_of(report, name)
            content = content and good
        print_table(rows)
    print(f"\npictures: {demonstration.data}/picture.png, filtered-*.png")
    print("all results agree within their bounds" if content else "RESULTS DIFFER OR FAILED: see above")
    return 0 if content else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
