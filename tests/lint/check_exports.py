#!/usr/bin/env python3
"""Exports equal the header: functions declared QIAO_API == hal/abi/exports.map == the dynamic symbols of libqiao.so, and a
plugin exports qiao_plugin_query and nothing else.

--missing prints the declared functions the map lacks, ready to append.
"""

import argparse
import pathlib
import re
import subprocess
import sys

import source

DECLARATION = re.compile(r"^QIAO_API\b([^;{]*?)\b(\w+)[ \t\n]*\([^;]*;", re.M)
PLUGIN_EXPORTS = {"qiao_plugin_query"}


def declared(headers):
    """Function -> where it is declared."""
    found = {}
    for path in sorted(headers.glob("*.h")):
        text = source.without_comments(path.read_text(encoding="utf-8"))
        for match in DECLARATION.finditer(text):
            found[match.group(2)] = f"{path.name}:{source.line_of(text, match.start(2))}"
    return found


def mapped(path):
    """The names of a version script in order, and the names of its nodes; findings for what makes it no list of ours."""
    text = source.without_comments(path.read_text(encoding="utf-8"))
    names, nodes, findings = [], [], []
    for node, body in re.findall(r"([\w.]+)\s*\{(.*?)\}", text, re.S):
        nodes.append(node)
        public = re.sub(r"\blocal\s*:.*", "", body, flags=re.S)
        names += re.findall(r"([^\s;:]+)\s*;", public)
    for name in names:
        if not re.fullmatch(r"qiao_\w+", name):
            findings.append(f"{path.name}: '{name}' is not the full name of a function of ours")
        if names.count(name) > 1:
            findings.append(f"{path.name}: {name} stands there {names.count(name)} times")
    if not re.search(r"\blocal\s*:\s*\*\s*;", text):
        findings.append(f"{path.name}: has no 'local: *;', everything would be exported")
    return names, nodes, sorted(set(findings))


def dynamic_symbols(library):
    """Names a library defines for others; versions cut off."""
    printed = subprocess.run(["nm", "-D", "--defined-only", "--format=posix", str(library)], check=True, text=True,
                             capture_output=True).stdout
    return {line.split()[0].split("@")[0] for line in printed.splitlines() if line}


def differences(name_left, left, name_right, right):
    return ([f"{name}: in {name_left}, not in {name_right}" for name in sorted(left - right)] +
            [f"{name}: in {name_right}, not in {name_left}" for name in sorted(right - left)])


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    root = pathlib.Path(__file__).resolve().parents[2]
    parser.add_argument("--headers", type=pathlib.Path, default=root / "hal/include/qiao")
    parser.add_argument("--map", type=pathlib.Path, default=root / "hal/abi/exports.map")
    parser.add_argument("--library", type=pathlib.Path, help="without it only headers and map are compared")
    parser.add_argument("--plugins", type=pathlib.Path, nargs="*", default=[])
    parser.add_argument("--missing", action="store_true")
    parser.add_argument("--self-test", metavar="CC", help="the C compiler that makes wrong libraries")
    arguments = parser.parse_args(argv)
    if arguments.self_test:
        return source.self_test(cases(arguments.self_test))

    functions = declared(arguments.headers)
    names, nodes, findings = mapped(arguments.map)
    if arguments.missing:
        print("\n".join(f"        {name};" for name in functions if name not in names))
        return 0

    findings += [f"{where}: '{name}' does not begin with qiao_" for name, where in functions.items()
                 if not name.startswith("qiao_")]
    if not functions:
        findings.append(f"{arguments.headers}: no function is declared QIAO_API: wrong folder?")
    findings += differences("the headers", set(functions), arguments.map.name, set(names))
    if arguments.library:
        exported = dynamic_symbols(arguments.library) - set(nodes)
        findings += differences("the headers", set(functions), arguments.library.name, exported)
    for plugin in arguments.plugins:
        findings += differences("what a plugin exports", PLUGIN_EXPORTS, plugin.name, dynamic_symbols(plugin))
    libraries = [path.name for path in [arguments.library, *arguments.plugins] if path]
    return source.report(findings, f"{len(functions)} functions in headers, map, {', '.join(libraries) or 'no library'}")


def cases(compiler):
    """Trees with a header, a map and a library made of `library.c`."""
    def run(root):
        command = ["--headers", str(root / "h"), "--map", str(root / "exports.map")]
        if (root / "library.c").exists():
            subprocess.run([compiler, "-shared", "-fPIC", "-o", root / "library.so", root / "library.c"], check=True)
            command += ["--library", str(root / "library.so")]
        if (root / "plugin.c").exists():
            subprocess.run([compiler, "-shared", "-fPIC", "-o", root / "plugin.so", root / "plugin.c"], check=True)
            command += ["--plugins", str(root / "plugin.so")]
        return main(command)

    header = {"h/a.h": "QIAO_API int qiao_a(int x,\n   int y);\n// QIAO_API int qiao_old(void);\n"}
    exports = {"exports.map": "QIAO_0.1 {\n global:\n qiao_a;\n local: *;\n};\n"}
    library = {"library.c": "int qiao_a(int x, int y) { return x + y; }\n"}
    plugin = {"plugin.c": "int qiao_plugin_query(void) { return 0; }\n"}
    return [
        ("all equal", {**header, **exports, **library, **plugin}, run, None),
        ("declared, not in the map", {"h/a.h": header["h/a.h"] + "QIAO_API const char* qiao_b(void);\n", **exports}, run,
         "qiao_b: in the headers, not in exports.map"),
        ("in the map, not declared", {**header, "exports.map": exports["exports.map"].replace("qiao_a;", "qiao_a; qiao_c;")},
         run, "qiao_c: in exports.map, not in the headers"),
        ("twice in the map", {**header, "exports.map": exports["exports.map"].replace("qiao_a;", "qiao_a; qiao_a;")}, run,
         "stands there 2 times"),
        ("a pattern in the map", {**header, "exports.map": exports["exports.map"].replace("qiao_a;", "qiao_a; qiao_*;")}, run,
         "'qiao_*' is not the full name"),
        ("a map that hides nothing", {**header, "exports.map": "QIAO_0.1 { global: qiao_a; };\n"}, run, "has no 'local: *;'"),
        ("declared, not in the library", {**header, **exports, "library.c": "int qiao_x;\n"}, run,
         "qiao_a: in the headers, not in library.so"),
        ("in the library, not declared", {**header, **exports, "library.c": library["library.c"] + "int stray;\n"}, run,
         "stray: in library.so, not in the headers"),
        ("a plugin that exports more", {**header, **exports, "plugin.c": plugin["plugin.c"] + "int helper;\n"}, run,
         "helper: in plugin.so, not in what a plugin exports"),
        ("a plugin that exports nothing", {**header, **exports, "plugin.c": "static int x;\nint* y(void);\n"}, run,
         "qiao_plugin_query: in what a plugin exports, not in plugin.so"),
        ("no functions", {"h/a.h": "int x;\n", "exports.map": "QIAO_0.1 { local: *; };\n"}, run, "no function is declared"),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
