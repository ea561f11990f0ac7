"""What the lints share: finding the sources of a tree, reading C without its comments, and proving that a lint can fail.

Each lint is a script with a main(argv) that prints one line per finding and returns 1 if there is one. With --self-test it
runs itself on small trees that are wrong on purpose. What is right is known by each lint alone.
"""

import contextlib
import io
import pathlib
import re
import sys
import tempfile

SUFFIXES = {".h", ".hpp", ".c", ".cc", ".cpp", ".inl"}
NOT_OURS = {"build", "out", "_CPack_Packages", "__pycache__"}


def sources(root):
    """All C and C++ files below root, as sorted paths relative to it."""
    found = []
    for path in root.rglob("*"):
        relative = path.relative_to(root)
        if path.suffix in SUFFIXES and path.is_file():
            if not any(part in NOT_OURS or part.startswith(".") for part in relative.parts):
                found.append(relative)
    return sorted(found)


# A string, a character, or a comment: strings come first so that "//" in one is not a comment.
_TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|//[^\n]*|/\*.*?\*/', re.S)


def without_comments(text):
    """The text with comments blanked out; line numbers stay the same."""
    def blank(match):
        token = match.group(0)
        return token if token[0] in "\"'" else re.sub(r"[^\n]", " ", token)
    return _TOKEN.sub(blank, text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def report(findings, checked):
    """Prints findings, or what was checked; the exit status of a lint."""
    for finding in findings:
        print(finding)
    if findings:
        print(f"{len(findings)} finding(s)")
        return 1
    print(f"ok: {checked}")
    return 0


def self_test(cases):
    """Runs cases of (name, files, run, expected): `run(root)` on a tree made of `files` must print `expected` and return 1,
    or return 0 if `expected` is None."""
    failed = 0
    for name, files, run, expected in cases:
        with tempfile.TemporaryDirectory(prefix="qiao-lint-") as folder:
            root = pathlib.Path(folder)
            for relative, text in files.items():
                path = root / relative
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                status = run(root)
            good = status == 0 if expected is None else status == 1 and expected in printed.getvalue()
        print(f"{'ok' if good else 'FAILED'}: {name}")
        if not good:
            failed += 1
            print(f"  status {status}, expected text {expected!r}, printed:\n{printed.getvalue()}", file=sys.stderr)
    return 1 if failed else 0
