#!/usr/bin/env python3
"""Compares a library with its committed ABI baseline (abidw, abidiff): types, functions and their versions.

Every difference is a finding: one that breaks users, and one that only adds, which has to be recorded with --update and a line
in CHANGELOG.md. What no exported function reaches, and macros, are the business of hal/abi/layout.c.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

BREAKS, CHANGES = 8, 4  # bits of abidiff's exit status; the others are its own errors


def write_baseline(library, baseline):
    """Nothing in it depends on where the tree lies."""
    subprocess.run(["abidw", "--no-corpus-path", "--no-show-locs", "--no-comp-dir-path", "--no-elf-needed",
                    "--type-id-style", "hash", "--out-file", baseline, library], check=True)
    baseline.write_text(re.sub(r"path='[^']*/([^/']*)'", r"path='\1'", baseline.read_text()))


def compare(library, baseline):
    """The finding, or ""."""
    if not baseline.is_file():
        return f"{baseline}: there is no baseline yet; write it with --update"
    with tempfile.TemporaryDirectory(prefix="qiao-abi-") as folder:
        today = pathlib.Path(folder) / "today.abi"  # given the library itself, abidiff overlooks types without a location
        write_baseline(library, today)
        done = subprocess.run(["abidiff", "--harmless", "--no-show-locs", baseline, today], text=True, capture_output=True)
    if done.returncode == 0:
        return ""
    if done.returncode & ~(BREAKS | CHANGES):
        return f"abidiff failed with {done.returncode}: {done.stderr or done.stdout}"
    verdict = ("breaks programs that are already built: undo it, or raise the major version" if done.returncode & BREAKS else
               "if it is meant and old programs go on working, record it: cmake --build <folder> --target update-abi-baseline, and a line in CHANGELOG.md")
    return f"{library.name} differs from {baseline.name}; {verdict}\n{done.stdout}"


def self_test(compiler):
    """A library against its own baseline, then against changed ones."""
    header = "struct qiao_t { long a; long b; };\n"
    code = '#include "t.h"\nlong qiao_f(struct qiao_t* t);\nlong qiao_f(struct qiao_t* t) { return t->b; }\n'
    cases = [
        ("the same", header, code, None),
        ("a member inserted", header.replace("long b", "long c; long b"), code, "data member insertion"),
        ("a parameter's type changed", header, code.replace("(struct qiao_t* t)", "(const struct qiao_t* t)"), "differs"),
        ("a function removed", header, code.replace("qiao_f", "qiao_g"), "breaks"),
        ("a function added", header, code + "int qiao_h(void);\nint qiao_h(void) { return 1; }\n", "1 Added function"),
    ]
    failed = 0
    with tempfile.TemporaryDirectory(prefix="qiao-abi-") as folder:
        folder = pathlib.Path(folder)
        for name, header_text, code_text, expected in cases:
            (folder / "t.h").write_text(header_text)
            (folder / "t.c").write_text(code_text)
            subprocess.run([compiler, "-g", "-shared", "-fPIC", "-o", folder / "t.so", folder / "t.c"], check=True)
            if expected is None:
                finding = compare(folder / "t.so", folder / "t.abi")
                failed += "there is no baseline" not in finding
                write_baseline(folder / "t.so", folder / "t.abi")
            finding = compare(folder / "t.so", folder / "t.abi")
            good = not finding if expected is None else expected in finding
            failed += not good
            print(f"{'ok' if good else 'FAILED'}: {name}" + ("" if good else f": {finding!r}"))
    return 1 if failed else 0


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", type=pathlib.Path)
    parser.add_argument("--baseline", type=pathlib.Path)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--self-test", metavar="CC")
    arguments = parser.parse_args(argv)
    if arguments.self_test:
        return self_test(arguments.self_test)
    if arguments.update:
        arguments.baseline.parent.mkdir(parents=True, exist_ok=True)
        write_baseline(arguments.library, arguments.baseline)
        print(f"written: {arguments.baseline}")
        return 0
    finding = compare(arguments.library, arguments.baseline)
    print(finding or f"ok: {arguments.library.name} is as {arguments.baseline.name} says")
    return 1 if finding else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
