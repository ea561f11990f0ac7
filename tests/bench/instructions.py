"""Counts the instructions of single operations with callgrind and compares them with their budgets.

Counts repeat where times on a shared machine do not. Each operation is run N and 2N times; the difference, divided by N,
is one operation without start-up. Budgets are over the raw operation named beside them (the plugin's slot called
directly), and are those of hal/docs/performance.md. Exit status 1 if one is exceeded.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile

COUNT = 4000

# operation, the raw operation it is compared with (None = by itself), budget in instructions
BUDGETS = [
    ("launch", "raw-launch", 110),
    ("launch-2d", "raw-launch", 110),
    ("launch-3d", "raw-launch", 110),
    ("shape-change", "raw-launch", 180),
    # through qiao.hpp, over the C call
    ("cpp-launch", "launch", 6),
    ("cpp-launch-spot", "launch", 12),
    ("reached", None, 45),
    ("limit", None, 45),
    # an allocation and its free: from the thread's cache; with a segment of its own
    ("pool", None, 410),
    ("pool-large", None, 870),
    # two arguments, one of them changed
    ("opencl-launch", "raw-opencl-launch", 190),
    ("opencl-wait", "raw-opencl-wait", 350),
    # the core makes the addresses, the plugin gets bindings
    ("opencl-table", "raw-opencl-launch", 360),
    # two arguments in one packed buffer; the plugin adds 82 to the library's own call, the core does the rest
    ("cuda-launch", "raw-cuda-launch", 190),
    # in batches of 32, on a device that is busy; by itself, on one that is idle
    ("vulkan-launch", "raw-vulkan-launch", 190),
    ("vulkan-wait", "raw-vulkan-wait", 500),
]


def total_instructions(program, mode, count, arguments, plugins):
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ, QIAO_PLUGIN_PATH=plugins, QIAO_PLUGINS="null*,opencl,vulkan,cu", LD_BIND_NOW="1")
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", program, mode, str(count), *arguments]
        result = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)
    found = re.search(r"Collected : (\d+)", result.stderr)
    if result.returncode != 0 or not found:
        sys.exit(f"{' '.join(command)}: status {result.returncode}\n{result.stdout}{result.stderr}")
    return int(found.group(1))


def instructions(program, mode, plugins, arguments=()):
    once = total_instructions(program, mode, COUNT, arguments, plugins)
    twice = total_instructions(program, mode, 2 * COUNT, arguments, plugins)
    return (twice - once) / COUNT


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True, help="count_instructions")
    parser.add_argument("--library", required=True, help="the null plugin's library, for the raw operations")
    parser.add_argument("--plugins", required=True, help="folder that holds null1, null8 and null32")
    parser.add_argument("--real-plugins", required=True, help="folder of the manifests of the OpenCL, the Vulkan and the CUDA-shaped plugin")
    parser.add_argument("--opencl-library", required=True, help="the null OpenCL driver")
    parser.add_argument("--vulkan-library", required=True, help="the null Vulkan driver")
    parser.add_argument("--cuda-library", required=True, help="the null library with CUDA's driver interface")
    options = parser.parse_args()

    os.environ["QIAO_OPENCL_LIBRARY"] = options.opencl_library
    os.environ["QIAO_VULKAN_LIBRARY"] = options.vulkan_library
    os.environ["QIAO_CUDA_LIBRARY_CU"] = options.cuda_library
    os.environ["QIAO_SYSFS_ROOT"] = "/nonexistent"  # the card that the manifest is for need not be there
    libraries = {"opencl": options.opencl_library, "vulkan": options.vulkan_library, "cuda": options.cuda_library}
    os.environ["QIAO_PROBE"] = "inprocess"  # a run that has to probe starts at another cost than one that knows the verdict
    one = os.path.join(options.plugins, "null1")
    raw = {}
    exceeded = False
    print(f"{'operation':<16}{'instructions':>14}{'over raw':>10}{'budget':>8}")
    for operation, baseline, budget in BUDGETS:
        family = operation.split("-")[0]
        plugins = options.real_plugins if family in libraries else one
        library = libraries.get(family, options.library)
        count = instructions(options.program, operation, plugins)
        if baseline and baseline not in raw:
            raw[baseline] = instructions(options.program, baseline, plugins, [library])
        over = count - raw.get(baseline, 0)
        print(f"{operation:<16}{count:>14.1f}{over:>10.1f}{budget:>8}{'  EXCEEDED' if over > budget else ''}")
        exceeded = exceeded or over > budget

    counts = {n: instructions(options.program, "launch", os.path.join(options.plugins, f"null{n}")) for n in (1, 8, 32)}
    print("launch with 1, 8, 32 plugins:", ", ".join(f"{value:.1f}" for value in counts.values()))
    if max(counts.values()) - min(counts.values()) > 0.5:
        print("the number of installed plugins changes what a launch costs")
        exceeded = True
    return 1 if exceeded else 0


if __name__ == "__main__":
    sys.exit(main())
