#!/usr/bin/env python3
"""Runs the commands of a document: every fenced `sh` block, in a fresh copy of the tree's view from its root.

In that view build/release is the build folder given, so that commands stand in the document as a reader types them. The set-up
commands build that folder in the first place and are left to continuous integration. With --installed the folder is empty and
PREFIX names the installation, for documents whose reader has nothing else. Blocks run in order, as in one shell: folder and
exported variables stay, since a reader also does them one after the other.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

SET_UP = {"./bootstrap demo", "./bootstrap test", "./bootstrap test slow"}
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.S | re.M)
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.M | re.S)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)")


def commands(text):
    """The blocks without the set-up commands; blocks that have only those are left out."""
    found = []
    for match in BLOCK.finditer(text):
        lines = [line for line in match.group(1).splitlines() if line.split("#")[0].strip() not in SET_UP]
        if any(line.strip() and not line.lstrip().startswith("#") for line in lines):
            found.append((text.count("\n", 0, match.start(1)) + 1, "\n".join(lines)))
    return found


def view(root, build, folder):
    """The root as a reader has it after building, but writable without harm."""
    for path in root.iterdir():
        if path.name not in ("build", ".git"):
            (folder / path.name).symlink_to(path)
    (folder / "build").mkdir()
    (folder / "build" / "release").symlink_to(build)


# What a shell hands on from one block to the next.
CARRY = """
if [ -e "$QIAO_DOCS_SHELL" ]; then . "$QIAO_DOCS_SHELL"; fi
trap '{ export -p; printf "cd -- %q\\n" "$PWD"; } > "$QIAO_DOCS_SHELL"' EXIT
"""


def run(document, root, build, environment, installed=None):
    """Findings: blocks that fail or print nothing."""
    findings = []
    blocks = commands(document.read_text(encoding="utf-8"))
    if not blocks:
        return [f"{document.name}: has no command to run"]
    with tempfile.TemporaryDirectory(prefix="qiao-docs-") as folder:
        shell = pathlib.Path(folder) / "shell"
        folder = pathlib.Path(folder) / "reader"
        folder.mkdir()
        environment = {**environment, "QIAO_DOCS_SHELL": str(shell)}
        if installed:
            environment["PREFIX"] = str(installed)
        else:
            view(root, build, folder)
        for line, block in blocks:
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", CARRY + block], cwd=folder, text=True, env=environment,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            print(f"--- {document.name}:{line}\n{block}\n--- status {done.returncode}\n{done.stdout}")
            if done.returncode:
                findings.append(f"{document.name}:{line}: status {done.returncode}")
            elif not done.stdout.strip():
                findings.append(f"{document.name}:{line}: printed nothing, so a reader cannot see that it worked")
    return findings


def links(document):
    """Links to files that are not there."""
    text = CODE.sub("", document.read_text(encoding="utf-8"))
    return [f"{document.name}: links to {target}, which does not exist" for target in LINK.findall(text)
            if not (document.parent / target).exists()]


def same_commands(documents):
    """Translations of one document have the same commands, comments aside."""
    def bare(document):
        text = document.read_text(encoding="utf-8")
        return [re.sub(r"\s*#.*", "", line) for block in BLOCK.findall(text) for line in block.splitlines()]
    return [f"{other.name} has other commands than {documents[0].name}" for other in documents[1:]
            if bare(other) != bare(documents[0])]


def self_test(root):
    """Documents that must pass and must not."""
    cases = [("```sh\necho right\n```\n", None), ("```sh\n./bootstrap demo  # first\nfalse\necho x\n```\n", "status 1"),
             ("```sh\n./bootstrap test\n```\n", "has no command to run"), ("text only\n", "has no command to run"),
             ("```sh\nmkdir a\ncd a\nexport B=c\necho x\n```\n```sh\n[ $(basename $PWD) = a ]\necho $B | grep c\n```\n", None),
             ("```sh\necho x\nfalse\n```\n```sh\necho y\n```\n", "a.md:2: status 1"),
             ("```sh\ntrue\n```\n", "printed nothing"), ("```sh\necho x | grep y\n```\n", "status 1"),
             ("[a](missing.md)\n", "links to missing.md"), ("[a](LICENSE) `b[0](c)`\n```\nd[0](e)\n```\n", None), ("[a](https://example.org/) [b](#part) [c](LICENSE)\n", None)]
    failed = 0
    with tempfile.TemporaryDirectory(prefix="qiao-docs-") as folder:
        folder = pathlib.Path(folder)
        (folder / "LICENSE").touch()
        for text, expected in cases:
            document = folder / "a.md"
            document.write_text(text)
            findings = links(document) if text.startswith("[") else run(document, root, folder, dict(os.environ))
            good = not findings if expected is None else any(expected in finding for finding in findings)
            failed += not good
            print(f"{'ok' if good else 'FAILED'}: {text!r}: {findings}")
        (folder / "b.md").write_text("```sh\necho left\n```\n")
        document.write_text(cases[0][0])
        failed += not same_commands([document, folder / "b.md"]) or bool(same_commands([document, document]))
    return 1 if failed else 0


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2])
    parser.add_argument("--installed", type=pathlib.Path, help="run in an empty folder, with this as PREFIX")
    parser.add_argument("--build", type=pathlib.Path, help="what build/release is")
    parser.add_argument("--run", type=pathlib.Path, nargs="*", default=[], help="documents; translations of the first")
    parser.add_argument("--links", type=pathlib.Path, nargs="*", default=[], help="documents whose links are checked")
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args(argv)
    if arguments.self_test:
        return self_test(arguments.root)
    findings = same_commands(arguments.run) if arguments.run else []
    for document in arguments.run:
        build = arguments.build and arguments.build.resolve()
        findings += run(document, arguments.root.resolve(), build, dict(os.environ), arguments.installed)
    for document in arguments.links:
        findings += links(document)
    print("\n".join(findings) or "ok")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
