#!/usr/bin/env python3
"""Runs tinygrad's own tests with tinygrad as it is installed, on a device of Qiao's.

    suite.py SOURCE --device opencl:0 [--files 'test/backend/*.py']... [--deselect TEST]... [--report FILE]

SOURCE is a source archive of tinygrad's (.tar.gz) or a checkout; only its tests, and what they import from `extra`, are used. Runs
the files that import no torch, each in a process of its own, counts, and lists why tests were skipped. Exits with 1 if a test failed
or none ran. Knows nothing of what the tests test.
"""

import argparse
import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import time
import xml.etree.ElementTree

FOLDERS = ("test", "extra", "examples")


def lay_out(source, folder):
    """Makes `folder` a tree with tinygrad's tests and without tinygrad, so that the installed one is tested."""
    if source.is_file():
        with tarfile.open(source) as archive:
            for member in archive:
                name = pathlib.PurePosixPath(*pathlib.PurePosixPath(member.name).parts[1:])
                if member.isfile() and name.parts[:1] == ("test",) and ".." not in name.parts:
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    (folder / name).write_bytes(archive.extractfile(member).read())
        return folder
    for name in FOLDERS:
        if (source / name).is_dir():
            (folder / name).symlink_to((source / name).resolve())
    return folder


def imports_torch(path):
    return re.search(r"^\s*(import|from)\s+torch\b", path.read_text(encoding="utf-8"), re.M) is not None


def environment_for(device):
    plugin, _, index = device.partition(":")
    return os.environ | {"DEV": f"{plugin}:{index}+QIAO" if index else f"{plugin}+QIAO", "PARALLEL": "0", "MPLBACKEND": "agg"}


def check_device(environment, folder):
    """That the tests' default device is the one wanted, and tinygrad the installed one."""
    program = ("import qiao.tinygrad, tinygrad; d = tinygrad.Device[tinygrad.Device.DEFAULT]; "
               "print(f'{d.device} = {d.card.id}, tinygrad in {tinygrad.__path__[0]}')")
    said = subprocess.run([sys.executable, "-c", program], cwd=folder, env=environment, text=True, capture_output=True, timeout=120)
    if said.returncode != 0:
        sys.exit(said.stderr)
    if str(folder) in said.stdout:
        sys.exit(f"tinygrad comes from the tests' own tree: {said.stdout}")
    print(said.stdout.strip(), flush=True)


def run(path, folder, environment, deselected, limit):
    """(counts, skips with reasons, failures) of one file."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as results:
        words = [sys.executable, "-B", "-m", "pytest", "-q", "-p", "qiao.tinygrad", "-p", "no:cacheprovider", "--tb=short",
                 "--rootdir", str(folder), f"--junit-xml={results.name}", "-o", "junit_family=xunit1",
                 *(f"--deselect={test}" for test in deselected), str(path.relative_to(folder))]
        try:
            done = subprocess.run(words, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=limit)
        except subprocess.TimeoutExpired:
            return collections.Counter(failed=1), [], [(str(path.relative_to(folder)), f"not done after {limit} s")]
        text = pathlib.Path(results.name).read_text(encoding="utf-8")
    counts, skips, failures = collections.Counter(), [], []
    for case in xml.etree.ElementTree.fromstring(text).iter("testcase") if text else ():
        name = f"{case.get('classname')}.{case.get('name')}"
        if (skipped := case.find("skipped")) is not None:
            counts["xfailed" if skipped.get("type") == "pytest.xfail" else "skipped"] += 1
            skips.append((name, skipped.get("message")))
        elif (failure := case.find("failure") if case.find("failure") is not None else case.find("error")) is not None:
            counts["failed"] += 1
            failures.append((name, failure.get("message")))
        else:
            counts["passed"] += 1
    if done.returncode not in (0, 5) and not failures:  # 5: no test; a crash leaves no results
        counts["failed"] += 1
        failures.append((str(path.relative_to(folder)), f"exit status {done.returncode}\n{done.stdout[-4000:]}"))
    return counts, skips, failures


def self_test():
    """That a failure, a crash and an empty run are none of them taken for success, and that torch's files are left out."""
    body = "import unittest\nclass Test(unittest.TestCase):\n    def test_it(self):\n        "
    cases = [("self.assertTrue(True)", 0, "1 passed, 0 failed, 0 skipped"), ("self.fail('on purpose')", 1, "0 passed, 1 failed"),
             ("import os; os._exit(9)", 1, "exit status 9"), ("self.skipTest('no reason')", 1, "skipped    1: no reason"),
             ("import torch", 1, "left out, needs torch: test/test_tiny.py"),
             ("import tinygrad; self.assertEqual(tinygrad.Device.DEFAULT, 'QIAO')", 0, "1 passed, 0 failed")]
    failed = 0
    for line, status, words in cases:
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "test").mkdir()
            (pathlib.Path(folder) / "test" / "test_tiny.py").write_text(body + line + "\n")
            done = subprocess.run([sys.executable, "-B", __file__, folder, "--device", "mock"], text=True, capture_output=True)
        good = done.returncode == status and words in done.stdout
        failed += not good
        print(f"{'ok' if good else 'FAILED'}: {line!r}: {done.returncode} {'' if good else done.stdout + done.stderr}")
    return 1 if failed else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("--device", required=True, help="its id (mock:0), or a plugin's for all of its devices (mock)")
    parser.add_argument("--files", action="append", help="globs (default: test/test_tiny.py and test/backend/*.py)")
    parser.add_argument("--deselect", action="append", default=[], metavar="TEST", help="leaves one out, as pytest does")
    parser.add_argument("--limit", type=int, default=600, help="seconds for one file (default: %(default)s)")
    parser.add_argument("--at-least", type=int, default=1, metavar="N", help="fails if fewer tests pass (default: %(default)s)")
    parser.add_argument("--report", type=pathlib.Path, help="writes counts, skips and failures as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = lay_out(options.source, pathlib.Path(temporary).resolve())
        environment = environment_for(options.device)
        check_device(environment, folder)
        globs = options.files or ["test/test_tiny.py", "test/backend/test_*.py"]
        files = sorted({path for glob in globs for path in folder.glob(glob)})
        total, skips, failures, left_out = collections.Counter(), [], [], []
        for path in files:
            if imports_torch(path):
                left_out.append(str(path.relative_to(folder)))
                continue
            begin = time.monotonic()
            counts, skipped, failed = run(path, folder, environment, options.deselect, options.limit)
            total += counts
            skips += skipped
            failures += failed
            words = " ".join(f"{number} {what}" for what, number in sorted(counts.items()))
            print(f"{path.relative_to(folder)!s:45} {words} ({time.monotonic() - begin:.0f} s)", flush=True)
    for name, message in failures:
        print(f"FAILED {name}: {message}")
    for reason, count in collections.Counter(reason for _, reason in skips).most_common():
        print(f"skipped {count:4}: {reason}")
    for name in left_out:
        print(f"left out, needs torch: {name}")
    if total["xfailed"]:
        print(f"failed as tinygrad expects: {total['xfailed']}")
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    if options.report:
        options.report.write_text(json.dumps({"total": total, "skips": skips, "failures": failures, "left_out": left_out}, indent=1))
    return 1 if failures or total["passed"] < options.at_least else 0


if __name__ == "__main__":
    sys.exit(main())
