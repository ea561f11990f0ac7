#!/usr/bin/env python3
"""Runs the functional kernels on one device through `qiao run`, or each under `qiao lint`, and compares with cases.py."""

import argparse
import concurrent.futures
import json
import math
import pathlib
import struct
import subprocess
import sys
import tempfile

import exclusions
from arrays import read_npy, write_npy
from cases import CASES, Array

HERE = pathlib.Path(__file__).resolve().parent


def command(case, folder):
    """The words that say how the case is run: file, kernel, arguments, shape. Arrays are written to the folder."""
    words = [str(HERE / case.file), case.kernel, "--grid", ",".join(map(str, case.grid))]
    if case.group:
        words += ["--group", ",".join(map(str, case.group))]
    if case.offset:
        words += ["--offset", ",".join(map(str, case.offset))]
    for index, argument in enumerate(case.arguments):
        spec = argument
        if isinstance(argument, Array):
            path = folder / f"in{index}.npy"
            write_npy(path, argument.dtype, argument.start)
            spec = f"@{path}"
        words.append(f"--arg={index}={spec}")
    options = iter(case.options)
    for option, value in zip(options, options):
        words += [option, str(HERE / value) if option == "-I" else value]
    return words


def bits(dtype, value):
    """A floating-point number's place in the order of its type."""
    size, code, top = (4, "f", 31) if dtype == "f32" else (8, "d", 63)
    word = int.from_bytes(struct.pack("<" + code, value), "little")
    return -(word & ~(1 << top)) if word >> top else word


def equal(case, dtype, got, wanted):
    if wanted is None or got == wanted:
        return True
    if dtype[0] != "f" or math.isnan(got) or math.isinf(got):
        return False
    return abs(got - wanted) <= case.absolute or abs(bits(dtype, got) - bits(dtype, wanted)) <= case.ulp


def differences(case, index, array, path):
    dtype, values = read_npy(path)
    wanted = array.end
    if case.anyhow:
        values, wanted = sorted(values), sorted(wanted, key=lambda each: each or 0)
    if dtype != array.dtype or len(values) != len(wanted):
        return f"argument {index} is {dtype}[{len(values)}]"
    wrong = [(i, got, want) for i, (got, want) in enumerate(zip(values, wanted)) if not equal(case, dtype, got, want)]
    return f"argument {index}: {len(wrong)} wrong, first (index, got, wanted) {wrong[0]}" if wrong else ""


def wrong_lines(case, text):
    printed, wanted = sorted(text.splitlines()), sorted(case.prints)
    return "" if printed == wanted else f"printed {sorted(set(printed) - set(wanted))}, missing {sorted(set(wanted) - set(printed))}, {len(printed)} lines"


def run(arguments, case):
    """"" or what is wrong."""
    with tempfile.TemporaryDirectory(prefix="qiao-kernels-") as name:
        folder = pathlib.Path(name)
        written = [(index, array) for index, array in enumerate(case.arguments) if isinstance(array, Array) and array.end is not None]
        words = [arguments.qiao, "run", *command(case, folder), "--device", arguments.device, "--json"]
        for index, _ in written:
            words += ["--out", f"{index}={folder}/out{index}.npy"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=arguments.timeout)
        if done.returncode != 0:
            return f"exit code {done.returncode}: {done.stderr.strip()}"
        problems = [differences(case, index, array, folder / f"out{index}.npy") for index, array in written]
        return "; ".join(filter(None, [*problems, wrong_lines(case, done.stderr)]))


def lint(arguments, case):
    with tempfile.TemporaryDirectory(prefix="qiao-kernels-") as name:
        words = [arguments.qiao, "lint", *command(case, pathlib.Path(name)), "--json"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=arguments.timeout)
    if done.returncode == 0:
        return ""
    if done.returncode != 5:
        return f"exit code {done.returncode}: {done.stderr.strip()}"
    return "; ".join(f"{one['file']}:{one['line']}: {one['kind']}: {one['message']}" for one in json.loads(done.stdout)["findings"])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--qiao", required=True)
    parser.add_argument("--device", help="run on this one")
    parser.add_argument("--name", required=True, help="of the device in exclusions.py")
    parser.add_argument("--lint", action="store_true")
    parser.add_argument("--only", help="one case")
    parser.add_argument("--timeout", type=float, default=300)
    arguments = parser.parse_args()
    cases = [case for case in CASES if arguments.only in (None, case.name)]
    names = {case.name for case in CASES}
    assert len(names) == len(CASES), "two cases have one name"
    stale = {name for table in (exclusions.FAILS, exclusions.UNSTABLE) for _, name in table} - names
    assert not stale, f"exclusions of cases that do not exist: {stale}"
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        stable = [case for case in cases if (arguments.name, case.name) not in exclusions.UNSTABLE]
        for case, problem in zip(stable, pool.map(lambda case: (lint if arguments.lint else run)(arguments, case), stable)):
            excluded = exclusions.FAILS.get((arguments.name, case.name))
            if excluded:
                problem = "" if problem else f"passes, although it should not: {excluded}"
            if problem:
                failures += 1
                print(f"{case.name} ({case.file}): {problem}")
    print(f"{len(stable)} cases run, {failures} failed, {len(cases) - len(stable)} left out as unstable")
    return 1 if failures or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
