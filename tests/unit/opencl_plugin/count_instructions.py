"""Counts what the OpenCL plugin adds to a launch with two arguments, over the same native calls, on the null driver.

Each mode runs N and 2N times under callgrind; the difference divided by N is one launch without start-up. The budgets are the
plugin's share: together with the core's they stay below those of hal/docs/performance.md. Exit status 1 if one is exceeded.
"""

import re
import subprocess
import sys
import tempfile

COUNT = 4000
# what changes between launches, budget of the plugin's slots over raw OpenCL
BUDGETS = [("none", 70), ("scalar", 90), ("both", 120), ("wait", 180)]


def total(program, mode, count, libraries):
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", program, mode, str(count), *libraries]
        result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    found = re.search(r"Collected : (\d+)", result.stderr)
    if result.returncode != 0 or not found:
        sys.exit(f"{' '.join(command)}: status {result.returncode}\n{result.stdout}{result.stderr}")
    return int(found.group(1))


def per_launch(program, mode, libraries):
    return (total(program, mode, 2 * COUNT, libraries) - total(program, mode, COUNT, libraries)) / COUNT


def main():
    program, *libraries = sys.argv[1:]
    exceeded = False
    print(f"{'changed':<10}{'raw':>8}{'slot':>8}{'over raw':>10}{'budget':>8}")
    for what, budget in BUDGETS:
        raw, slot = (per_launch(program, f"{side}-{what}", libraries) for side in ("raw", "slot"))
        over = slot - raw
        print(f"{what:<10}{raw:>8.1f}{slot:>8.1f}{over:>10.1f}{budget:>8}{'  EXCEEDED' if over > budget else ''}")
        exceeded = exceeded or over > budget
    return 1 if exceeded else 0


if __name__ == "__main__":
    sys.exit(main())
