#!/usr/bin/env python3
"""Includes go one way: each room of the tree includes only what the table below allows.

Checks every #include of every C and C++ file: which room the included file belongs to, or which group of outside headers.
A header or a folder that the tables do not know is a finding too, so nothing is checked by accident only. What the rooms are
for is said in hal/README.md.
"""

import argparse
import pathlib
import re
import sys

import source

# Room -> where it is, the longest prefix wins. "*" matches one path component and makes one room of each.
ROOMS = {
    "public shared": ["hal/include/qiao/types.h", "hal/include/qiao/status.h", "hal/include/qiao/link_types.h"],
    "public plugin": ["hal/include/qiao/plugin.h"],
    "public": ["hal/include/qiao/"],
    "object": ["hal/src/object/"],
    "tracking": ["hal/src/tracking/"],
    "share": ["hal/src/share/"],
    "dispatch": ["hal/src/dispatch/", "hal/src/emulation/"],
    "pool": ["hal/src/pool/"],
    "loader": ["hal/src/loader/"],
    "topology": ["hal/src/topology/"],
    "package": ["hal/src/package/"],
    "api": ["hal/src/api/"],
    "compiler interface": ["hal/compiler/include/"],
    "compiler": ["hal/compiler/"],
    "cli": ["hal/cli/"],
    "abi": ["hal/abi/"],
    "plugins common": ["plugins/common/"],
    "plugin *": ["plugins/*/"],
    "tests of plugins": ["plugins/skeleton/tests/"],
    "mock card": ["mock_devices/"],
    "bindings": ["bindings/"],
    "samples": ["samples/"],
    "programs before they were ported": ["samples/porting/heat_opencl.c", "samples/porting/nbody_cuda.c"],
    "fakes": ["tests/fakes/"],
    "images for fakes": ["tests/fakes/families/image/"],
    "tests of fakes": ["tests/fakes/families/tests/"],
    "tests": ["tests/"],
}

# Room -> rooms it may include, besides itself. "anything" is for tests of insides.
ALLOWED = {
    "public shared": [],
    "public plugin": ["public shared"],
    "public": ["public shared"],
    "object": ["public", "public plugin", "public shared"],
    "tracking": ["public shared", "object"],
    "share": ["public", "public shared", "object", "tracking"],
    "dispatch": ["public", "public plugin", "public shared", "object", "tracking", "share"],
    "pool": ["public", "public plugin", "public shared", "object", "dispatch"],
    "loader": ["public", "public plugin", "public shared", "object"],
    "topology": ["public", "public shared"],
    "package": ["public shared"],
    "api": ["public", "public plugin", "public shared", "object", "dispatch", "pool", "tracking", "share"],
    "compiler interface": ["public shared"],
    "compiler": ["compiler interface", "package", "public shared"],
    "cli": ["public", "public shared", "compiler interface", "package"],
    "abi": ["public", "public plugin", "public shared", "compiler interface"],
    "plugins common": ["public plugin", "public shared"],
    "plugin *": ["plugins common", "public plugin", "public shared"],
    "plugin mock": ["mock card"],
    "tests of plugins": ["public", "public shared"],
    "mock card": [],
    "bindings": ["public", "public shared"],
    "samples": ["public", "public shared"],
    "programs before they were ported": [],
    "fakes": ["mock card", "images for fakes"],
    "images for fakes": ["package", "public shared"],
    "tests of fakes": ["images for fakes", "package"],
    "tests": ["anything"],
}

# Single files that may include more than their room.
EXCEPTIONS = {
    "hal/src/api/instance.cpp": ["loader"],
    "hal/src/api/link.cpp": ["topology"],
    "hal/src/api/link_plugins.h": ["topology"],
    "hal/src/api/link_plugins.cpp": ["topology"],
    "hal/src/api/program.cpp": ["package", "compiler interface"],
    "hal/src/api/variant.cpp": ["package"],
    "hal/src/api/variant.h": ["package"],
    "hal/src/api/compiler_library.cpp": ["loader", "compiler interface"],
    "hal/src/api/compiler_library.h": ["compiler interface"],
    # What a family's functions are called, and which of them are needed, is the plugin's data.
    "hal/cli/cards/families.cpp": ["plugin cuda"],
    "hal/cli/cards/inventory.cpp": ["loader"],
    "hal/cli/checks.cpp": ["tracking", "object"],
    # `qiao plugin check` is host to the plugin itself: of one without devices the library's interface tells no tables.
    "hal/cli/plugin/host.h": ["public plugin"],
    "hal/cli/plugin/inspect.cpp": ["public plugin"],
    "hal/cli/plugin/slots.cpp": ["public plugin"],
}

# Rooms that may know the types of the application's headers, but call none of their functions: calls go the other way.
NO_ENTRIES = {"object", "tracking", "share", "dispatch", "pool", "topology", "loader", "package"}

# Group of outside headers -> patterns. The first four are open to every room.
OUTSIDE = {
    "c99": r"(assert|ctype|errno|fenv|float|inttypes|limits|locale|math|setjmp|signal|stdarg|stdbool|stddef|stdint|stdio|"
           r"stdlib|string|time|wchar)\.h",
    "c++": r"[a-z_]+",
    "posix text": r"(fnmatch|strings)\.h",
    "threads": r"(pthread|sched)\.h",
    "os": r"(dirent|fcntl|unistd|poll|spawn|glob|libgen|ucontext|malloc|elf|link|pwd|(sys|linux)/[a-z_0-9]+)\.h",
    "processor": r"(x86|xmm)intrin\.h",
    "dynamic loading": r"dlfcn\.h",
    "generated project": r"tutorial\.h",
    "json": r"nlohmann/.*",
    "zstd": r"zstd\.h",
    "digest": r"sha(2|256)\.h",
    "flatbuffers": r"flatbuffers/.*|manifest_generated\.h",
    "command line": r"CLI/.*",
    "png": r"png\.h",
    "opencl": r"CL/.*",
    "vulkan": r"vulkan/.*",
    "cuda": r"cuda\.h",
    "python": r"pybind11/.*",
    "doctest": r"doctest/.*",
    "benchmark": r"benchmark/.*",
    "valgrind": r"valgrind/.*",
    "embedded kernels": r"\w+_qpk\.h",  # by qiao_add_kernels
}

OUTSIDE_ALLOWED = {
    "public shared": [], "public plugin": [], "public": [], "abi": [],
    "object": ["os"],
    "tracking": ["os"],
    "share": ["os"],
    "dispatch": [],
    "pool": [],
    "loader": ["os", "dynamic loading", "json"],
    "topology": ["os", "dynamic loading"],
    "package": ["os", "zstd", "digest", "flatbuffers"],
    "api": [],
    "compiler interface": [],
    "compiler": ["os", "dynamic loading", "json"],
    "cli": ["os", "dynamic loading", "command line", "json", "png"],
    "plugins common": ["os", "dynamic loading"],
    "plugin *": ["os", "dynamic loading"],
    "plugin cuda": ["json"],
    "plugin opencl": ["opencl"],
    "plugin vulkan": ["vulkan"],
    "tests of plugins": ["os"],
    "mock card": ["os", "processor", "dynamic loading", "json"],
    "bindings": ["os", "python"],
    "samples": ["os", "embedded kernels"],
    "programs before they were ported": ["opencl", "cuda"],
    "fakes": ["os", "opencl", "vulkan"],
    "images for fakes": ["os"],
    "tests of fakes": ["os", "dynamic loading", "doctest"],
    "tests": list(OUTSIDE),
}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:([<"])([^>"\n]+)[>"]|(\w+))', re.M)
ROOTS = ["hal/include", "hal/src", "hal/compiler/include", "hal/compiler", "hal", "mock_devices", "mock_devices/src", "plugins", "tests/fakes/families", "tests", ""]


def room_of(relative):
    """The room of a path in the tree, or None."""
    best, best_length = None, -1
    for room, prefixes in ROOMS.items():
        for prefix in prefixes:
            pattern = re.escape(prefix).replace(r"\*", "([^/]+)") + ("" if prefix.endswith("/") else "$")
            match = re.match(pattern, relative.as_posix())
            if match and len(prefix) > best_length:
                best, best_length = room.replace("*", match.group(1)) if match.groups() else room, len(prefix)
    return best


def permitted(table, room):
    """What a table allows a room; "plugin mock" has what "plugin *" has, and its own."""
    kind = re.sub(r"^plugin (?!\*).*", "plugin *", room)
    return set(table.get(kind, [])) | set(table.get(room, []))


def find_in_tree(root, including, name, quoted):
    """The included file as a path in the tree, or None if it is an outside header."""
    folders = ([including.parent] if quoted else []) + [pathlib.PurePosixPath(start) for start in ROOTS]
    for folder in folders:
        candidate = root / folder / name
        if candidate.is_file():
            resolved = candidate.resolve()
            return pathlib.PurePosixPath(resolved.relative_to(root.resolve()).as_posix())
    return None


def check_include(root, relative, room, name, quoted):
    """Why the include is wrong, or None."""
    target = find_in_tree(root, relative, name, quoted)
    if target is None:
        groups = [group for group, pattern in OUTSIDE.items() if re.fullmatch(pattern, name)]
        if not groups:
            return "is in no room and no group of outside headers; add it to OUTSIDE, or fix its path"
        if groups[0] in ("c99", "c++", "posix text", "threads") or groups[0] in permitted(OUTSIDE_ALLOWED, room):
            return None
        return f"is of group '{groups[0]}', which room '{room}' may not use"
    other = room_of(target)
    if other is None:
        return f"is {target}, which is in no room; add its folder to ROOMS"
    allowed = permitted(ALLOWED, room) | set(EXCEPTIONS.get(relative.as_posix(), []))
    if other == room or other in allowed or "anything" in allowed:
        return None
    return f"belongs to room '{other}', which room '{room}' must not know"


def check_table():
    """The table itself must go one way: no room reaches itself through others."""
    findings = []

    def visit(room, path):
        if room in path:
            findings.append(f"the table goes round: {' -> '.join(path[path.index(room):] + [room])}")
            return
        for other in permitted(ALLOWED, room):
            visit(other, path + [room])

    for room in ALLOWED:
        visit(room, [])
    return findings


def entry_calls(text, entries):
    """Names of public functions that are called in the text, with their places."""
    return [(match.start(), match.group(1)) for match in re.finditer(r"(?<![\w.>])(qiao_\w+)\s*\(", text)
            if match.group(1) in entries]


def public_entries(root):
    entries = set()
    for path in (root / "hal/include/qiao").glob("*.h"):
        text = source.without_comments(path.read_text(encoding="utf-8"))
        entries.update(re.findall(r"^QIAO_API\b[^;{(]*?\b(\w+)\s*\(", text, re.M))
    return entries


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2])
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args(argv)
    if arguments.self_test:
        return source.self_test(CASES)

    findings, count = check_table(), 0
    files, entries = source.sources(arguments.root), public_entries(arguments.root)
    for relative in files:
        room = room_of(relative)
        if room is None:
            findings.append(f"{relative}: is in no room; add its folder to ROOMS")
            continue
        text = source.without_comments((arguments.root / relative).read_text(encoding="utf-8"))
        for match in INCLUDE.finditer(text):
            count += 1
            where = f"{relative}:{source.line_of(text, match.start())}"
            if match.group(3):
                findings.append(f"{where}: an include through the macro {match.group(3)} cannot be checked")
                continue
            problem = check_include(arguments.root, relative, room, match.group(2), match.group(1) == '"')
            if problem:
                findings.append(f"{where}: {match.group(2)} {problem}")
        if room in NO_ENTRIES:
            findings += [f"{relative}:{source.line_of(text, position)}: calls {name}, the application's entry"
                         for position, name in entry_calls(text, entries)]
    if not count:
        findings.append(f"{arguments.root}: no include found: wrong folder?")
    return source.report(findings, f"{count} includes of {len(files)} files go one way")


def _on(root):
    return main(["--root", str(root)])


_HEADERS = {f"hal/include/qiao/{name}.h": "#include <stddef.h>\n" for name in ("types", "status", "qiao", "plugin")}
CASES = [
    ("a tree that is right", {
        **_HEADERS, "samples/a.c": '#include "qiao/qiao.h"\n#include <stdio.h>\n// #include "qiao/plugin.h"\n',
        "plugins/mock/device.cpp": '#include <qiao/plugin.h>\n#include "card.h"\n', "mock_devices/src/card.h": "",
        "plugins/opencl/device.cpp": '#include "../common/x.h"\n#include <CL/cl.h>\n', "plugins/common/x.h": "",
    }, _on, None),
    ("a sample that knows plugins", {**_HEADERS, "samples/a.c": '#include "qiao/plugin.h"\n'}, _on,
     "room 'public plugin', which room 'samples' must not know"),
    ("a plugin that knows the application's header", {**_HEADERS, "plugins/mock/device.cpp": '#include <qiao/qiao.h>\n'}, _on,
     "room 'public', which room 'plugin mock' must not know"),
    ("a plugin that knows another plugin", {**_HEADERS, "plugins/mock/a.cpp": '#include "../opencl/b.h"\n',
                                            "plugins/opencl/b.h": ""}, _on, "room 'plugin opencl', which room 'plugin mock'"),
    ("a plugin that knows another's vendor", {**_HEADERS, "plugins/mock/a.cpp": "#include <CL/cl.h>\n"}, _on, "group 'opencl'"),
    ("an api file that loads libraries", {**_HEADERS, "hal/src/api/queue.cpp": "#include <dlfcn.h>\n"}, _on,
     "group 'dynamic loading'"),
    ("an api file with another's exception", {**_HEADERS, "hal/src/api/queue.cpp": '#include "loader/loader.h"\n',
                                              "hal/src/loader/loader.h": ""}, _on, "room 'loader'"),
    ("an exception", {**_HEADERS, "hal/src/api/instance.cpp": '#include "loader/loader.h"\n', "hal/src/loader/loader.h": ""},
     _on, None),
    ("the core calls the application's entry", {
        **_HEADERS, "hal/include/qiao/qiao.h": "QIAO_API int qiao_go(int a);\n",
        "hal/src/dispatch/a.cpp": '#include "qiao/qiao.h"\nint f() {\n    return qiao_go(1);\n}\n'}, _on, "a.cpp:3: calls qiao_go"),
    ("the card's model that knows Qiao", {**_HEADERS, "mock_devices/src/a.cpp": '#include "qiao/types.h"\n'}, _on,
     "room 'public shared', which room 'mock card'"),
    ("an unknown outside header", {**_HEADERS, "hal/src/api/a.cpp": "#include <acl.h>\n"}, _on, "no group of outside headers"),
    ("an unknown folder", {**_HEADERS, "hal/src/misc/a.cpp": "#include <vector>\n"}, _on, "is in no room"),
    ("an include through a macro", {**_HEADERS, "hal/src/api/a.cpp": "#include HEADER\n"}, _on, "cannot be checked"),
    ("an empty tree", {"README.md": ""}, _on, "no include found"),
]

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
