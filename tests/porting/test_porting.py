#!/usr/bin/env python3
"""The programs of samples/porting before and after: they print the same, and hal/docs/porting.md counts the changed lines rightly."""

import argparse
import difflib
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ROOT / "samples/porting"
PORTS = {("heat_opencl.c", "heat_qiao.c"), ("nbody_cuda.c", "nbody_qiao.c"), ("nbody.cu", "nbody.cl")}
CARDS = ("mock:0", "opencl:0", "vulkan:0")


def run(*words, **more):
    done = subprocess.run(list(map(str, words)), text=True, capture_output=True, timeout=300, **more)
    if done.returncode != 0:
        raise AssertionError(f"{words}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def numbers(text):
    return [float(word) for word in re.findall(r"-?\d+(?:\.\d+)?", text)]


def counted(before, after):
    """Lines before, lines that are kept, lines after."""
    old, new = (SOURCES / name for name in (before, after))
    old, new = ([line.rstrip() for line in file.read_text().splitlines() if line.strip()] for file in (old, new))
    kept = sum(block.size for block in difflib.SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks())
    return len(old), kept, len(new)


class Porting(unittest.TestCase):
    def close(self, first, second, tolerance):
        self.assertEqual(len(first), len(second))
        for one, other in zip(first, second):
            self.assertAlmostEqual(one, other, delta=tolerance)

    def test_heat(self):
        expected = numbers(run(BUILD / "samples/heat_opencl", SOURCES / "heat.cl"))
        self.assertGreater(expected[0], 100)
        for card in CARDS:  # one binary
            with self.subTest(card):
                self.close(numbers(run(BUILD / "samples/heat_qiao", card)), expected, 1e-3)

    def test_nbody(self):
        with tempfile.TemporaryDirectory() as folder:
            package, image = pathlib.Path(folder, "nbody.qpk"), pathlib.Path(folder, "nbody.cubin")
            run(BUILD / "bin/qiao", "cc", SOURCES / "nbody.cl", "-o", package, "--formats", "opencl-c;host-elf")
            run(BUILD / "tests/fakes/make_image", "cu", package, package)
            run(BUILD / "bin/qiao", "package", "extract", package, "--format", "cubin", "-o", image)
            expected = numbers(run(BUILD / "tests/nbody_cuda", image))
        for card in CARDS:
            with self.subTest(card):
                self.close(numbers(run(BUILD / "samples/nbody_qiao", card)), expected, 1e-4)

    def test_the_document_counts_rightly(self):
        document = (ROOT / "hal/docs/porting.md").read_text()
        for before, after in sorted(PORTS):
            old, kept, new = counted(before, after)
            row = f"| `{before}` | `{after}` | {old} | {kept} | {old - kept} | {new - kept} |"
            self.assertIn(row, document, f"say in hal/docs/porting.md:\n{row}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    options, rest = parser.parse_known_args()
    BUILD = options.build
    unittest.main(argv=[sys.argv[0], *rest])
