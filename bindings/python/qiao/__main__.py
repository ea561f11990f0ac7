"""``python -m qiao``: the devices, and why a plugin has none."""

from __future__ import annotations

import sys

import qiao


def main() -> int:
    print(f"qiao {qiao.__version__}")
    for device in qiao.devices():
        properties = device.properties
        print(f"  {device.id:12} {properties['name']}, {properties['memory_bytes'] / 2**30:.1f} GiB"
              f"{', simulated' if properties['simulated'] else ''}")
    for candidate in qiao.ledger():
        if candidate.state != "usable":
            print(f"  {candidate.plugin or candidate.manifest}: {candidate.state}: {candidate.reason}; {candidate.remedy}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
