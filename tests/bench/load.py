#!/usr/bin/env python3
"""Makes a package, prints how much larger it is than what is in it, and how long it takes to load on each kind of device."""

import argparse
import json
import pathlib
import subprocess
import tempfile

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--qiao", required=True)
parser.add_argument("--program", required=True, help="load_times")
parser.add_argument("--source", required=True)
parser.add_argument("--kernel", required=True)
parser.add_argument("--rounds", default="200")
arguments = parser.parse_args()

with tempfile.TemporaryDirectory(prefix="qiao-load-") as folder:
    package = str(pathlib.Path(folder) / "k.qpk")
    subprocess.run([arguments.qiao, "cc", arguments.source, "-o", package, "--formats", "host-elf"], check=True, stdout=subprocess.DEVNULL)
    report = json.loads(subprocess.run([arguments.qiao, "package", "inspect", package, "--json"], check=True, capture_output=True).stdout)
    content = sum(variant["size_bytes"] for variant in report["variants"])
    print(f"package: {report['size_bytes']} bytes, {content} of them compiled variants: {report['size_bytes'] / content - 1:.1%} more")
    for device in ("mock:0", "opencl:0"):
        subprocess.run([arguments.program, device, package, arguments.kernel, arguments.rounds], check=True)
