#!/usr/bin/env python3
"""hal/docs/cards.md is made of data: what is known of vendors (hal/cli/cards/vendors.json) and the families' data files of the plugin cuda.

cards.py --check compares, cards.py --write makes it anew.
"""

import argparse
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "hal/docs/cards.md"
GRADES = {"V": "", "S": " (second-hand)", "I": " (inferred)", "R": " (remembered)"}

HEAD = """# Cards

<!-- Made by tests/docs/cards.py of hal/cli/cards/vendors.json and plugins/cuda/families/*.json: change those, then run it with --write. -->

What is known of cards, and how sure it is. Nothing here is a promise of a vendor's. `qiao list --all` names the cards of a machine by these
tables, also those that no plugin drives yet.

A fact without a remark was read in public source; others say *second-hand*, *inferred* or *remembered*, and prove nothing. A product's name is a
hint: sources differ.

## Families of the plugin `cuda`

| status | what it means |
| --- | --- |
| modelled | ran on an executing fake library only, which was written from what is known |
| names-verified | besides, the functions' names were read in a public header or in a library that a vendor ships |
| ran | ran on a real card; the evidence says where and when |

A family rises by a report: `qiao doctor --library FILE --report FILE` compares a vendor's library with the family's table, and what it writes can be
sent.
"""


def graded(text, grade):
    return text + GRADES[grade]


def listed(parts, between=", "):
    return between.join(parts) if parts else "-"


def row(cells):
    return "| " + " | ".join(cells) + " |\n"


def families():
    read = [json.loads(path.read_text()) for path in sorted((ROOT / "plugins/cuda/families").glob("*.json"))]
    return {family["id"]: family for family in read}


def variables_of(family):
    visible = family.get("visible_devices", {})
    process, container = ([f"`{name}`" for name in visible.get(kind, [])] for kind in ("process", "container"))
    return listed(process) + (f"; containers: {listed(container)}" if container else "")


def family_table():
    text = "\n" + row(["id", "interface", "cards of", "library", "visible cards", "status", "evidence"]) + row(["---"] * 7)
    for family in families().values():
        vendors = [each["vendor"] for each in family.get("hardware", [])] or [family.get("vendor", "-")]
        status = family["status"]
        text += row([f"`{family['id']}`", family["name"], listed(vendors), f"`{family['libraries'][0]}`", variables_of(family), f"{status['state']}, {status['date']}",
                     status["evidence"]])
    return text


def plugins_of(vendor):
    parts = [f"`{family}`" for family in vendor.get("families", [])]
    if "plugin" in vendor:
        parts.append(f"{vendor['plugin']}, which does not exist yet")
    parts += [graded(f"`{plugin}`", grade) for plugin, grade in vendor.get("other_plugins", {}).items()]
    return listed(parts, " or ")


def drivers_of(vendor):
    drivers = [graded(f"`{name}`", vendor.get("drivers_grade", "V")) for name in vendor.get("drivers", [])]
    for family in families().values():
        grade = family.get("grades", {}).get("hardware", "V")
        for each in family.get("hardware", []):
            if each["pci_vendor"] == vendor["pci_vendor"] and family["id"] in vendor.get("families", []):
                drivers += [graded(f"`{name}`", grade) for name in each.get("drivers", [])]
    return listed(drivers)


def vendor_table():
    vendors = json.loads((ROOT / "hal/cli/cards/vendors.json").read_text())["vendors"]
    text = "\n## Vendors by PCI identity\n\n" + row(["vendor", "PCI vendor", "driven by the plugin", "kernel driver", "device files", "products (PCI device)"])
    text += row(["---"] * 6)
    for vendor in vendors:
        name = vendor["name"] + (f" ({listed(vendor['aliases'])})" if "aliases" in vendor else "")
        products = [f"{graded(product, grade)} (`{identity}`)" for identity, (product, grade) in vendor.get("products", {}).items()]
        text += row([name, graded(f"`{vendor['pci_vendor']}`", vendor["grade"]), plugins_of(vendor), drivers_of(vendor), listed([f"`{node}`" for node in vendor.get("nodes", [])]),
                     listed(products)])
    return text


def document():
    return HEAD + family_table() + vendor_table()


def check_data():
    """What the command and this table take for granted."""
    known = families()
    vendors = json.loads((ROOT / "hal/cli/cards/vendors.json").read_text())["vendors"]
    keys = {"name", "aliases", "pci_vendor", "grade", "families", "nodes", "plugin", "libraries", "drivers", "drivers_grade", "other_plugins", "products"}
    identities = [vendor["pci_vendor"] for vendor in vendors]
    for identity in identities:
        assert identities.count(identity) == 1, f"{identity} is there twice"
    for vendor in vendors:
        assert set(vendor) <= keys, f"{vendor['name']}: unknown {set(vendor) - keys}"
        assert len(vendor["pci_vendor"]) == 6 and int(vendor["pci_vendor"], 16), f"{vendor['name']}: {vendor['pci_vendor']}"
        grades = [vendor["grade"], *vendor.get("other_plugins", {}).values(), *(grade for _, grade in vendor.get("products", {}).values())]
        assert set(grades) <= set(GRADES), f"{vendor['name']}: {grades}"
        for family in vendor.get("families", []):
            assert family in known, f"{vendor['name']}: no family {family}"
    for family in known.values():
        for hardware in family.get("hardware", []):
            vendor = next((each for each in vendors if each["pci_vendor"] == hardware["pci_vendor"]), None)
            assert vendor and family["id"] in vendor.get("families", []), f"{family['id']}: {hardware['vendor']} is not in vendors.json"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    check_data()
    if options.write:
        DOCUMENT.write_text(document())
    if options.check and (not DOCUMENT.exists() or DOCUMENT.read_text() != document()):
        sys.exit(f"{DOCUMENT.relative_to(ROOT)} is not what the data says: run tests/docs/cards.py --write")


if __name__ == "__main__":
    main()
