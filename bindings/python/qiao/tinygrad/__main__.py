"""``python -m qiao.tinygrad script.py ...`` or ``-m module ...``: runs a program of tinygrad's with the device QIAO there.

``--timeline FILE`` (.json for Perfetto, .svg, .png), also several times, before the script's name: what its devices did when.
"""

from __future__ import annotations

import argparse
import os
import runpy
import sys

import qiao.tinygrad
from qiao.recording import Recording


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m qiao.tinygrad", description=__doc__,
                                     usage="%(prog)s [--timeline FILE]... SCRIPT [...] | -m MODULE [...]")
    parser.add_argument("--timeline", action="append", default=[], metavar="FILE")
    parser.add_argument("-m", dest="module", action="store_true", help="the name is a module's")
    parser.add_argument("name")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    recording = qiao.tinygrad.QiaoDevice.recording = Recording() if options.timeline else None
    sys.argv = [options.name, *options.arguments]
    try:
        if options.module:
            runpy.run_module(options.name, run_name="__main__", alter_sys=True)
        else:
            sys.path[0] = os.path.dirname(os.path.abspath(options.name))
            runpy.run_path(options.name, run_name="__main__")
    finally:
        if recording is not None:
            from qiao import plot

            for path in options.timeline:
                plot.save_timeline(recording.events(), path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
