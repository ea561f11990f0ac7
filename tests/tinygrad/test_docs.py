"""The document's Python runs, block after block; its commands are run by another test."""

import pathlib
import re

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "hal" / "docs" / "tinygrad.md"


def test_the_examples_run(capsys):
    blocks = re.findall(r"^```python\n(.*?)^```", DOCUMENT.read_text(), re.M | re.S)
    assert len(blocks) == 2
    names = {}
    for block in blocks:
        exec(compile(block, DOCUMENT, "exec"), names)
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["clear", "read"]
