#!/bin/sh
# The demonstration: demo.sh BUILD_DIR [--expect mock,opencl,vulkan]. What it does is in demo/demo.py.
exec python3 -B "$(dirname "$0")/demo/demo.py" "$@"
