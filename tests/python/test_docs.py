"""What the documents show runs: every block of Python, in the order of its document."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENTS = ["README.md", "README.zh-CN.md", "hal/docs/python.md", "hal/docs/python_tutorial.md", "hal/docs/pools.md"]


@pytest.mark.parametrize("path", DOCUMENTS)
def test_the_examples_run(path):
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / path).read_text(), re.M | re.S)
    assert blocks
    names = {}
    for block in blocks:
        exec(compile(block, path, "exec"), names)


def test_both_readmes_show_the_same():
    english, chinese = (re.findall(r"^```python\n(.*?)^```", (ROOT / path).read_text(), re.M | re.S) for path in DOCUMENTS[:2])
    assert english == chinese
