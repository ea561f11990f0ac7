#!/usr/bin/env python3
"""Public headers compile alone, as C99 and as C++17, without a warning; and their INIT macros do what they promise.

Every header is included twice in a file of its own and compiled with each compiler given; the C++ layer (.hpp) as C++17
and as C++20, without RTTI, its parts (in a folder below) with the first compiler as C++17 only. Every struct an application starts
(the first member is struct_size) must have a macro <STRUCT>_INIT, and every macro is instantiated: struct_size is the size,
all other bytes are the default, which is zero unless ZERO_EXCEPT says otherwise.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

import source

WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Wundef", "-Wstrict-prototypes", "-pedantic", "-Werror"]
LANGUAGES = {"c": "-std=c99", "c++": "-std=c++17"}
LAYER_STANDARDS = ["-std=c++17", "-std=c++20"]
LAYER_FLAGS = ["-Wconversion", "-fno-rtti"]
PLUGIN_HEADER = "plugin.h"  # its structs are filled by the core, not started with a macro

# INIT macros that set more than struct_size: a default other than zero is a decision, so it stands here.
ZERO_EXCEPT = {
    "QIAO_LAUNCH_INIT": {"global_size": "{1, 1, 1}", "dimensions": "1"},
    "QIAO_MEMORY_DESC_INIT": {"kind": "QIAO_MEMORY_KIND_DEVICE"},
}

STRUCT = re.compile(r"typedef struct (qiao_\w+) \{(.*?)^\} \1;", re.S | re.M)
INIT = re.compile(r"^#define (QIAO_\w+_INIT)\b", re.M)


def compile_text(compiler, language, includes, text, output=None, flags=(), standard=None):
    """The compiler's complaint, or ""."""
    warnings = [flag for flag in WARNINGS if language == "c" or flag != "-Wstrict-prototypes"]
    command = [compiler, "-x", language, standard or LANGUAGES[language], *warnings, *flags, *(f"-I{path}" for path in includes)]
    command += ["-o", str(output)] if output else ["-fsyntax-only"]
    done = subprocess.run([*command, "-"], input=text, text=True, capture_output=True)
    return done.stderr.strip() if done.returncode else ""


def check_alone(compilers, headers, includes):
    findings = []
    for header, name in headers.items():
        text = f"#include <{name}>\n#include <{name}>\nextern int nothing;\n"
        layer = header.suffix == ".hpp"
        part = layer and name.count("/") > 1
        ways = [("c++", standard) for standard in LAYER_STANDARDS] if layer else LANGUAGES.items()
        for compiler in compilers[:1] if part else compilers:
            for language, standard in ways[:1] if part else ways:
                complaint = compile_text(compiler, language, includes, text, None, LAYER_FLAGS if layer else (), standard)
                if complaint:
                    findings.append(f"{name}: does not compile alone with {compiler} {standard}:\n{complaint}")
    return findings


def check_init_exists(headers):
    """Structs that begin with struct_size and have no macro; and the macros there are, with the struct of each."""
    findings, macros = [], {}
    for header in headers:
        text = source.without_comments(header.read_text(encoding="utf-8"))
        structs = {f"{name.upper()}_INIT": (name, body) for name, body in STRUCT.findall(text)}
        for macro in INIT.findall(text):
            if macro in structs:
                macros[macro] = structs[macro][0]
            else:
                findings.append(f"{header.name}: {macro} belongs to no struct of this header")
        if header.name == PLUGIN_HEADER:
            continue
        for macro, (name, body) in structs.items():
            if body.split()[:2] == ["size_t", "struct_size;"] and macro not in macros:
                findings.append(f"{header.name}: struct {name} begins with struct_size and has no {macro}")
    return findings, macros


def check_init_values(compilers, includes, headers, macros):
    """Compiles and runs a program that instantiates each macro and looks at the result."""
    lines = ["#include <stdio.h>", "#include <string.h>"]
    lines += [f"#include <qiao/{header.name}>" for header in headers]
    lines += ["static int wrong = 0;", "static void expect(int good, const char* what) {",
              '    if (!good) { printf("%s\\n", what); wrong = 1; }', "}", "int main(void) {"]
    for macro, struct in macros.items():
        lines += ["    {", f"        static {struct} got = {macro};", f"        {struct} zero;",
                  "        memset(&zero, 0, sizeof zero);"]
        body = next(body for header in headers for name, body in
                    STRUCT.findall(source.without_comments(header.read_text(encoding="utf-8"))) if name == struct)
        if body.split()[:2] == ["size_t", "struct_size;"]:
            lines += [f'        expect(got.struct_size == sizeof(got), "{macro}: struct_size is not the size");',
                      "        got.struct_size = 0;"]
        for field, value in ZERO_EXCEPT.get(macro, {}).items():
            numbers = value.strip("{}").split(",")
            for index, number in enumerate(numbers):
                place = f"{field}[{index}]" if value.startswith("{") else field
                lines += [f'        expect(got.{place} == {number.strip()}, "{macro}: {place} is not {number.strip()}");',
                          f"        got.{place} = 0;"]
        lines += [f'        expect(memcmp(&got, &zero, sizeof got) == 0, "{macro}: a default is not zero; see ZERO_EXCEPT");', "    }"]
    lines += ["    return wrong;", "}"]
    text = "\n".join(lines) + "\n"

    findings = []
    with tempfile.TemporaryDirectory(prefix="qiao-lint-") as folder:
        program = pathlib.Path(folder) / "init"
        for compiler in compilers:
            for language in LANGUAGES:
                complaint = compile_text(compiler, language, includes, text, program,
                                         ["-Wmissing-field-initializers", "-Wmissing-braces"])
                if complaint:
                    findings.append(f"INIT macros do not compile with {compiler} {LANGUAGES[language]}:\n{complaint}")
                    continue
                ran = subprocess.run([program], text=True, capture_output=True)
                findings += ran.stdout.splitlines()
                if ran.returncode and not ran.stdout:
                    findings.append(f"the program of INIT macros ended with {ran.returncode}")
    return sorted(set(findings))


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    root = pathlib.Path(__file__).resolve().parents[2]
    parser.add_argument("--includes", type=pathlib.Path, nargs="+", default=[root / "hal/include", root / "hal/compiler/include"])
    parser.add_argument("--compilers", nargs="+", default=["gcc"], help="each compiles C and C++ (-x)")
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args(argv)
    if arguments.self_test:
        return source.self_test(cases(arguments.compilers))

    named = {}
    for include in arguments.includes:
        found = sorted(path for path in (include / "qiao").rglob("*") if path.suffix in (".h", ".hpp"))
        if not found:
            return source.report([f"{include}/qiao: no header found: wrong folder?"], "")
        named.update((path, path.relative_to(include).as_posix()) for path in found)
    findings = check_alone(arguments.compilers, named, arguments.includes)
    headers = [header for header in named if header.suffix == ".h"]
    missing, macros = check_init_exists(headers)
    findings += missing
    unknown = set(ZERO_EXCEPT) - set(macros)
    findings += [f"ZERO_EXCEPT names {name}, which no header defines" for name in sorted(unknown)]
    if not findings:
        findings = check_init_values(arguments.compilers, arguments.includes, headers, macros)
    return source.report(findings, f"{len(named)} headers alone with {', '.join(arguments.compilers)}; {len(macros)} INIT macros")


def cases(compilers):
    def run(root):
        return main(["--includes", str(root), "--compilers", *compilers])

    launch = ("typedef struct qiao_launch { uint64_t global_size[3]; uint32_t dimensions; uint32_t flags;\n} qiao_launch;\n"
              "#define QIAO_LAUNCH_INIT {{1u, 1u, 1u}, 1u, 0u}\n")
    memory = ("#define QIAO_MEMORY_KIND_DEVICE 1u\n"
              "typedef struct qiao_memory_desc {\n size_t struct_size; uint64_t kind;\n} qiao_memory_desc;\n"
              "#define QIAO_MEMORY_DESC_INIT {sizeof(qiao_memory_desc), QIAO_MEMORY_KIND_DEVICE}\n")

    def tree(text, start="#include <stddef.h>\n#include <stdint.h>\n"):
        return {"qiao/a.h": f"#ifndef A_H\n#define A_H\n{start}{launch}{memory}{text}\n#endif\n"}

    struct = "typedef struct qiao_x {\n size_t struct_size; const void* next; uint64_t a;\n} qiao_x;\n"
    return [
        ("all right", tree(struct + "#define QIAO_X_INIT {sizeof(qiao_x), NULL, 0u}"), run, None),
        ("needs another header first", tree("", start=""), run, "does not compile alone"),
        ("no include guard", {"qiao/a.h": tree("")["qiao/a.h"].replace("#ifndef A_H", "#if 1")}, run, "does not compile alone"),
        ("not C99", tree("typedef struct { union { int a; }; } qiao_u;"), run, "does not compile alone"),
        ("not C++", tree("typedef struct qiao_y { int class; } qiao_y;"), run, "-std=c++17"),
        ("a struct without its macro", tree(struct), run, "has no QIAO_X_INIT"),
        ("a macro without its struct", tree("#define QIAO_Z_INIT {0}"), run, "belongs to no struct"),
        ("a macro that misses a field", tree(struct + "#define QIAO_X_INIT {sizeof(qiao_x), NULL}"), run, "do not compile"),
        ("a macro with the wrong size", tree(struct + "#define QIAO_X_INIT {sizeof(void*), NULL, 0u}"), run, "is not the size"),
        ("a default that is not zero", tree(struct + "#define QIAO_X_INIT {sizeof(qiao_x), NULL, 7u}"), run, "is not zero"),
        ("a listed default that changed", {"qiao/a.h": tree("")["qiao/a.h"].replace("{1u, 1u, 1u}, 1u", "{1u, 1u, 1u}, 2u")}, run,
         "dimensions is not 1"),
        ("a layer that needs RTTI", {**tree(""), "qiao/hpp/b.hpp": "#pragma once\ninline bool f(int* p) { return typeid(p) == typeid(p); }"},
         run, "qiao/hpp/b.hpp: does not compile alone"),
        ("a layer that is not C++17", {**tree(""), "qiao/b.hpp": "#pragma once\ninline auto f = []<class T>(T) {};"}, run, "-std=c++17"),
        ("a layer that is not C++20", {**tree(""), "qiao/b.hpp": "#pragma once\ninline int requires(int a) { return a; }"}, run,
         "-std=c++20"),
        ("a layer that converts silently", {**tree(""), "qiao/b.hpp": "#pragma once\ninline short f(int a) { return a; }"}, run,
         "qiao/b.hpp: does not compile alone"),
        ("no headers", {"README.md": ""}, run, "no header found"),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
