"""The stubs say what there is, and the package keeps to them."""

import os
import pathlib
import subprocess
import sys

import qiao

ALLOWED = pathlib.Path(__file__).resolve().parent / "stubtest_allowed.txt"
FOLDER = pathlib.Path(qiao.__file__).resolve().parent


def run(*words, folder):
    environment = os.environ | {"MYPYPATH": ""}
    done = subprocess.run([sys.executable, "-m", *words], cwd=folder, env=environment, text=True, capture_output=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr


def test_mypy(tmp_path):
    run("mypy", "--strict", f"--cache-dir={tmp_path}", "-p", "qiao", folder=FOLDER.parent)


def test_stubs(tmp_path):
    run("mypy.stubtest", "qiao", "--allowlist", ALLOWED, folder=os.environ["PYTHONPATH"])
