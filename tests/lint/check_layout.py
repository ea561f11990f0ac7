#!/usr/bin/env python3
"""Layout and padding: hal/abi/layout.c fixes size and offsets of every public struct, and the value of every constant.

Compiles that file with gcc -Wpadded -Werror (a struct with padding, or one that changed, does not compile), and checks that it
leaves nothing out: each struct has its SIZE, each member its AT, each numeric constant its VALUE. --missing prints the lines to
append for what is new, with the values of today.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

import source

STRUCT = re.compile(r"typedef struct (qiao_\w+) \{(.*?)\} \1;", re.S)
CONSTANT = re.compile(r"^#define (QIAO_[A-Z0-9_]+)[ \t]+(-?[0-9]\w*|\(UINT64_C\(1\) << [0-9]+\))[ \t]*$", re.M)
STATUS = re.compile(r"X\((\w+), (-?[0-9]+), \"")
VERSION = re.compile(r"QIAO_(PLUGIN_ABI|VERSION)_")  # meant to change
FLAGS = ["-std=c11", "-Wall", "-Wextra", "-Wpadded", "-Werror"]


def members(body):
    """Names of a struct's members."""
    names = []
    for declaration in filter(None, (part.strip() for part in body.split(";"))):
        pointer = re.search(r"\(\*(\w+)\)\s*\(", declaration)
        if pointer:
            names.append(pointer.group(1))
            continue
        for part in declaration.split(","):
            names.append(re.search(r"(\w+)\s*(\[[^\]]*\]\s*)*$", part.strip()).group(1))
    return names


def wanted(headers):
    """The assertions there must be, as (macro, type or constant, member or None)."""
    found = []
    for path in headers:
        text = source.without_comments(path.read_text(encoding="utf-8"))
        for name, body in STRUCT.findall(text):
            found.append(("SIZE", name, None))
            found += [("AT", name, member) for member in members(body)]
        found += [("VALUE", name, None) for name, _ in CONSTANT.findall(text) if not VERSION.match(name)]
        found += [("VALUE", f"QIAO_{name}", None) for name, _ in STATUS.findall(text)]
    return found


def present(path):
    text = source.without_comments(path.read_text(encoding="utf-8"))
    found = {(macro, name, None) for macro, name in re.findall(r"^(SIZE|VALUE)\((\w+),", text, re.M)}
    return found | {("AT", name, member) for name, member in re.findall(r"^AT\((\w+), (\w+),", text, re.M)}


def spell(macro, name, member, value):
    return f"{macro}({name}, {member + ', ' if member else ''}{value});"


def values(compiler, includes, headers, assertions):
    """The assertions as lines of layout.c, with the values that hold now."""
    expression = {"SIZE": "(long long)sizeof({0})", "AT": "(long long)offsetof({0}, {1})", "VALUE": "(long long)({0})"}
    lines = ["#include <stdio.h>", *(f"#include <qiao/{header.name}>" for header in headers), "int main(void) {"]
    lines += [f'    printf("%lld\\n", {expression[macro].format(name, member)});' for macro, name, member in assertions]
    with tempfile.TemporaryDirectory(prefix="qiao-lint-") as folder:
        program = pathlib.Path(folder) / "values"
        subprocess.run([compiler, "-x", "c", "-std=c11", *includes, "-o", program, "-"], text=True, check=True,
                       input="\n".join(lines + ["}", ""]))
        printed = subprocess.run([program], text=True, check=True, capture_output=True).stdout.split()
    return [spell(*assertion, value) for assertion, value in zip(assertions, printed, strict=True)]


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    root = pathlib.Path(__file__).resolve().parents[2]
    parser.add_argument("--includes", type=pathlib.Path, nargs="+", default=[root / "hal/include", root / "hal/compiler/include"])
    parser.add_argument("--layout", type=pathlib.Path, default=root / "hal/abi/layout.c")
    parser.add_argument("--compiler", default="gcc", help="a gcc: clang has other rules for -Wpadded")
    parser.add_argument("--missing", action="store_true")
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args(argv)
    if arguments.self_test:
        return source.self_test(cases(arguments.compiler))

    headers = [header for include in arguments.includes for header in sorted((include / "qiao").glob("*.h"))]
    includes = [f"-I{include}" for include in arguments.includes]
    assertions = wanted(headers)
    if not assertions:
        return source.report([f"{' '.join(map(str, arguments.includes))}: no struct found: wrong folder?"], "")
    there = present(arguments.layout)
    missing = [assertion for assertion in assertions if assertion not in there]
    if arguments.missing:
        print("\n".join(values(arguments.compiler, includes, headers, missing)))
        return 0

    findings = [f"{arguments.layout.name}: lacks {spell(*assertion, '...')}" for assertion in missing]
    if missing:
        findings.append(f"append what `{pathlib.Path(__file__).name} --missing` prints")
    findings += [f"{arguments.layout.name}: {spell(*assertion, '...')[:-1]} is not in the headers any more"
                 for assertion in sorted(there - set(assertions), key=str)]
    done = subprocess.run([arguments.compiler, *FLAGS, *includes, "-c", "-o", "/dev/null", arguments.layout],
                          text=True, capture_output=True)
    if done.returncode:
        findings.append(done.stderr.strip())
    return source.report(findings, f"{len(assertions)} sizes, offsets and constants; no padding")


def cases(compiler):
    def run(root):
        return main(["--includes", str(root / "h"), "--layout", str(root / "layout.c"), "--compiler", compiler])

    start = "#include <stddef.h>\n#include <stdint.h>\n"
    right = "typedef struct qiao_a {\n  size_t struct_size;\n  uint32_t x, y;\n  void (*f)(int a, int b);\n} qiao_a;\n"
    layout = ("#include <qiao/a.h>\n#define SIZE(t, n) _Static_assert(sizeof(t) == (n), #t)\n"
              "#define AT(t, m, n) _Static_assert(offsetof(t, m) == (n), #t \".\" #m)\n"
              "#define VALUE(c, n) _Static_assert((c) == (n), #c)\n"
              "SIZE(qiao_a, 24);\nAT(qiao_a, struct_size, 0);\nAT(qiao_a, x, 8);\nAT(qiao_a, y, 12);\nAT(qiao_a, f, 16);\n"
              "VALUE(QIAO_ONE, 1);\n")

    def tree(struct=right, asserts=layout, more="#define QIAO_ONE 1u\n"):
        return {"h/qiao/a.h": start + struct + more, "layout.c": asserts}

    tail = "typedef struct qiao_a {\n  size_t struct_size;\n  uint32_t x, y;\n  void (*f)(int a, int b); uint32_t z;\n} qiao_a;\n"
    return [
        ("all right", tree(), run, None),
        ("padding at the tail", tree(tail, layout.replace("24", "32") + "AT(qiao_a, z, 24);\n"), run, "padding struct size"),
        ("padding inside", tree(right.replace("x, y", "x"), layout.replace("AT(qiao_a, y, 12);\n", "")), run, "padding struct to align"),
        ("members swapped", tree(right.replace("x, y", "y, x")), run, "qiao_a.x"),
        ("a member without its offset", tree(asserts=layout.replace("AT(qiao_a, f, 16);\n", "")), run, "lacks AT(qiao_a, f, ...)"),
        ("a struct without its size", tree(asserts=layout.replace("SIZE(qiao_a, 24);\n", "")), run, "lacks SIZE(qiao_a, ...)"),
        ("a constant that changed", tree(more="#define QIAO_ONE 2u\n"), run, "QIAO_ONE"),
        ("a constant without its value", tree(more="#define QIAO_ONE 1u\n#define QIAO_BIT (UINT64_C(1) << 3)\n"), run,
         "lacks VALUE(QIAO_BIT, ...)"),
        ("a struct that was removed", tree(more="#define QIAO_ONE 1u\n", asserts=layout + "SIZE(qiao_gone, 1);\n"), run,
         "SIZE(qiao_gone, ...) is not in the headers"),
        ("no headers", {"layout.c": ""}, run, "no struct found"),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
