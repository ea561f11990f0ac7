"""What the tests of qiao.tinygrad and of pictures share: the devices they run on, given by the environment."""

import os
import subprocess
import sys

import pytest

import qiao

DEVICES = os.environ["QIAO_TEST_DEVICES"].split(",")


@pytest.fixture(scope="session", params=DEVICES)
def card(request):
    return qiao.open(request.param)


@pytest.fixture
def python():
    """Runs Python in a process of its own, with more environment; its output."""
    def run(*words, status=0, **environment):
        done = subprocess.run([sys.executable, *map(str, words)], env=os.environ | environment, text=True, capture_output=True, timeout=250)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout if status == 0 else done.stderr
    return run
