#!/usr/bin/env python3
"""The environment as documented is the environment as read: every variable that a source reads stands in a table of
hal/docs/environment.md, and every variable there is read.

What a source reads: the name given to getenv or secure_getenv, directly or through a function of the same file, or of a header,
that takes the name as its argument. Besides, any text that is a whole QIAO_ name and no name of the public headers counts, so that a name in a
list or table is not overlooked. Libraries must use secure_getenv.
"""

import argparse
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lint"))
import source

LIBRARIES = ["hal/src", "hal/compiler", "plugins", "mock_devices"]
PROGRAMS = ["hal/cli", "samples"]
DOCUMENT = "hal/docs/environment.md"
SCRIPTS = ["bootstrap"]

CALL = re.compile(r'(?<!\w)(secure_getenv|(?:std::)?getenv)\s*\(\s*(?:"(\w+)"|(\w+))\s*\)')
FUNCTION = re.compile(r"^[ \t]*[\w:<>&*, ]*?\b(\w+)\(([^()]*)\)\s*(?:const\s*)?(?:noexcept\s*)?\{", re.M)
ROW = re.compile(r"^\|\s*`([A-Z][A-Z0-9_]*)`\s*\|", re.M)


def readers(text):
    """Functions that hand a parameter on to getenv: name -> which argument it is."""
    found = {}
    for match in CALL.finditer(text):
        if not match.group(3):
            continue
        around = [function for function in FUNCTION.finditer(text, 0, match.start())]
        parameters = [re.split(r"\W+", part.strip())[-1] for part in around[-1].group(2).split(",")] if around else []
        if match.group(3) in parameters:
            found[around[-1].group(1)] = parameters.index(match.group(3))
    return found


def variables(text, shared):
    """Names that the text of a C or C++ file reads; `shared` are the readers of headers."""
    names = {match.group(2) for match in CALL.finditer(text) if match.group(2)}
    for reader, index in {**shared, **readers(text)}.items():
        argument = r'\s*(?:[^,()]*,\s*){%d}"(\w+)"' % index
        names.update(re.findall(r"(?<!\w)" + re.escape(reader) + r"\(" + argument, text))
    return names


def public_names(root):
    """Macros of the public headers, and the statuses."""
    names = set()
    for path in (root / "hal").glob("**/include/qiao/*.h"):
        text = path.read_text(encoding="utf-8")
        names.update(re.findall(r"^#define (QIAO_\w+)", text, re.M))
        names.update(f"QIAO_{name}" for name in re.findall(r"^    X\((\w+),", text, re.M))
    return names


def check(root):
    findings, read, shared = [], {}, {}
    public = public_names(root)
    texts = {path.relative_to(root).as_posix(): source.without_comments(path.read_text(encoding="utf-8"))
             for folder in LIBRARIES + PROGRAMS for path in sorted((root / folder).glob("**/*"))
             if path.suffix in (".c", ".cpp", ".h")}
    for where, text in texts.items():
        if where.endswith(".h"):
            shared.update(readers(text))
    for folder in LIBRARIES + PROGRAMS:
        for where, text in texts.items():
            if not where.startswith(folder + "/"):
                continue
            names = variables(text, shared) | (set(re.findall(r'"(QIAO_[A-Z0-9_]*[A-Z0-9])"', text)) - public)
            for name in names:
                read.setdefault(name, where)
            plain = [match for match in CALL.finditer(text) if match.group(1) != "secure_getenv"]
            if folder in LIBRARIES and plain:
                findings.append(f"{where}:{source.line_of(text, plain[0].start())}: a library reads the environment with "
                                f"secure_getenv, so that programs with raised rights see none of it")
    for script in SCRIPTS:
        if (root / script).exists():
            for name in re.findall(r"\$\{(QIAO_\w+)", (root / script).read_text(encoding="utf-8")):
                read.setdefault(name, script)
    documented = ROW.findall((root / DOCUMENT).read_text(encoding="utf-8"))
    findings += [f"{read[name]}: reads {name}, which {DOCUMENT} does not list" for name in sorted(set(read) - set(documented))]
    findings += [f"{DOCUMENT}: lists {name}, which nothing reads" for name in sorted(set(documented) - set(read))]
    findings += [f"{DOCUMENT}: lists {name} twice" for name in sorted(set(documented)) if documented.count(name) > 1]
    if not read:
        findings.append(f"{root}: nothing reads the environment: wrong folder?")
    return source.report(findings, f"{len(documented)} variables are read and documented")


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2])
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args(argv)
    return source.self_test(CASES) if arguments.self_test else check(arguments.root)


_TREE = {
    "hal/include/qiao/status.h": "#define QIAO_STATUS_MAP(X) \\\n    X(OK, 0, \"success\") \\\n",
    "hal/src/a.cpp": 'std::string environment(const char* name) {\n    return secure_getenv(name);\n}\nauto a = environment("QIAO_A");\n',
    "plugins/p/b.cpp": 'const char* setting(int x, const char* name) {\n    if (x) return 0;\n    return secure_getenv(name);\n}\n'
                       'auto b = setting(1, "B_FOLDER"), c = secure_getenv("HOME"); // secure_getenv("NOT_READ")\n',
    "hal/src/h.h": 'inline bool has(const char* name) {\n    return secure_getenv(name) != 0;\n}\n',
    "hal/cli/c.cpp": 'bool plain = std::getenv("NO_COLOR"); auto d = "QIAO_OK";\n',
    "bootstrap": "echo ${QIAO_JOBS:-1}\n",
    DOCUMENT: "".join(f"| `{name}` | text |\n" for name in ("QIAO_A", "B_FOLDER", "HOME", "NO_COLOR", "QIAO_JOBS")),
}
CASES = [
    ("a tree that is right", _TREE, check, None),
    ("a variable that is not listed", {**_TREE, "hal/src/d.cpp": 'auto d = secure_getenv("QIAO_D");\n'}, check,
     "hal/src/d.cpp: reads QIAO_D"),
    ("one that is read through a function", {**_TREE, "plugins/p/b.cpp": _TREE["plugins/p/b.cpp"] + 'setting(2, "B_TWO");\n'}, check,
     "plugins/p/b.cpp: reads B_TWO"),
    ("one that is read through a header's function", {**_TREE, "hal/src/i.cpp": 'bool i = has("I_ONE");\n'}, check,
     "hal/src/i.cpp: reads I_ONE"),
    ("one that only stands in a list", {**_TREE, "hal/cli/e.cpp": 'const char* kNames[] = {"QIAO_E"};\n'}, check, "reads QIAO_E"),
    ("one that nothing reads", {**_TREE, DOCUMENT: _TREE[DOCUMENT] + "| `QIAO_GONE` | text |\n"}, check,
     "lists QIAO_GONE, which nothing reads"),
    ("one that is listed twice", {**_TREE, DOCUMENT: _TREE[DOCUMENT] + "| `HOME` | text |\n"}, check, "lists HOME twice"),
    ("a script's", {**_TREE, "bootstrap": "echo ${QIAO_JOBS:-1} ${QIAO_NEW}\n"}, check, "bootstrap: reads QIAO_NEW"),
    ("a library without secure_getenv", {**_TREE, "hal/src/d.cpp": 'auto d = std::getenv("HOME");\n'}, check,
     "hal/src/d.cpp:1: a library reads the environment with secure_getenv"),
    ("an empty tree", {DOCUMENT: ""}, check, "nothing reads the environment"),
]

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
