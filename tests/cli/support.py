"""What the tests of the command share: running it, temporary folders, .npy files without NumPy."""

import array
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
KERNELS = str(HERE / "kernels.cl")
CODES = {"<f4": "f", "<f8": "d", "|i1": "b", "|u1": "B", "<i4": "i", "<u4": "I", "<i8": "q", "<u8": "Q"}


def option(name):
    """An option of the test program, taken out of the command line."""
    for index, word in enumerate(sys.argv):
        if word.startswith(name + "="):
            return sys.argv.pop(index).split("=", 1)[1]
    raise SystemExit(f"{sys.argv[0]} needs {name}=...")


QIAO = option("--qiao")
MAKE_PACKAGE = option("--make-package")
DEVICE = option("--device")  # that the tests may run kernels on


def npy(descr, shape, data, fortran=False):
    """The bytes of a .npy file."""
    text = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}"
    text = text.ljust((len(text) + 11 + 63) // 64 * 64 - 11) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + data


def read_npy(path):
    """dtype, shape and values of a file."""
    data = pathlib.Path(path).read_bytes()
    size = int.from_bytes(data[8:10], "little")
    descr, fortran, shape = re.match(rb"{'descr': '(.*?)', 'fortran_order': (\w+), 'shape': \((.*?)\), }", data[10:]).groups()
    assert fortran == b"False"
    values = array.array(CODES[descr.decode()], data[10 + size:])
    return descr.decode(), tuple(int(part) for part in shape.decode().split(",") if part.strip()), list(values)


class QiaoTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="qiao-cli-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def qiao(self, *words, env=None, **more):
        """The finished command, run in the test's folder."""
        return subprocess.run([QIAO, *map(str, words)], cwd=self.folder, env={**os.environ, **(env or {})}, text=True,
                              capture_output=True, timeout=100, **more)

    def good(self, *words, **more):
        done = self.qiao(*words, **more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def json(self, *words, code=0, **more):
        done = self.qiao(*words, "--json", **more)
        self.assertEqual(done.returncode, code, done.stderr)
        return json.loads(done.stdout)

    def refused(self, code, *words, **more):
        """The diagnostics of a command that must fail with this exit code and say nothing on stdout."""
        done = self.qiao(*words, **more)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def run_kernel(self, kernel, *words, **more):
        return self.json("run", KERNELS, kernel, "--device", DEVICE, *words, **more)
