#!/usr/bin/env python3
"""The samples under faults: every slot of the mock card fails at its first and at its third call, in every sample. Each run must end in
time, without a crash, and say by its exit status that something was wrong unless its own check found the result right."""

import argparse
import itertools
import os
import pathlib
import subprocess
import sys

SLOTS = [
    "device_open", "device_synchronize", "device_state", "device_clock", "memory_allocate", "memory_write", "memory_read", "program_load",
    "kernel_find", "program_score", "queue_create", "queue_launch", "queue_copy", "queue_mark", "queue_poll", "queue_wait",
    "queue_fill", "queue_after", "queue_timestamps",
]
EFFECTS = ["error:-10", "error:out_of_memory", "lost"]


def run(program, arguments, rules, limit_s):
    """None, or what was wrong."""
    environment = dict(os.environ, QIAO_MOCK_FAULTS=rules)
    try:
        result = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, timeout=limit_s)
    except subprocess.TimeoutExpired:
        return f"did not end in {limit_s} s"
    if result.returncode not in (0, 1):
        return f"exit status {result.returncode}: {result.stderr[-500:]}"
    if result.returncode == 1 and not (result.stderr + result.stdout).strip():
        return "failed without a word"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("samples", type=pathlib.Path, help="folder of the built samples")
    parser.add_argument("--limit", type=float, default=60, help="seconds that one run may take")
    options = parser.parse_args()
    programs = {"02_vector_add": ["mock"], "03_matrix_multiply": ["mock"], "05_two_queues": ["mock:0", "mock:1"],
                "06_callbacks_and_timestamps": ["mock"]}
    failures = runs = 0
    for name, arguments in programs.items():
        for slot, call, effect in itertools.product(SLOTS, (1, 3), EFFECTS):
            rules = f"{slot}:{call}={effect}"
            wrong = run(options.samples / name, arguments, rules, options.limit)
            runs += 1
            if wrong is not None:
                failures += 1
                print(f"QIAO_MOCK_FAULTS='{rules}' {name} {' '.join(arguments)}: {wrong}")
    print(f"{runs} runs, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
