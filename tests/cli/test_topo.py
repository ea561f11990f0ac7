#!/usr/bin/env python3
"""`qiao topo` on machines as text: each fixture's graph equals its reviewed output; pictures and graphs are well-formed whatever names say."""

import json
import os
import pathlib
import subprocess
import sys
import unittest
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "topology"))
from fixture import FIXTURES, unpack  # noqa: E402
from support import QIAO, QiaoTest, option  # noqa: E402

BUDGET_MS = option("--budget-ms")  # of processor time for `qiao topo` of a cabinet; 0 = not judged
SYSFS = [word for name in ("pci", "kfd", "numa", "cxl", "infiniband") for word in ("--provider", name)]
NO_CARDS = {"QIAO_MOCK_PROFILE": "none", "QIAO_VISIBLE_DEVICES": "mock:*", "QIAO_LOG": "error"}


class Topo(QiaoTest):
    def machine(self, name):
        root = self.folder / name
        root.mkdir()
        return unpack(name, root)

    def topo(self, name, *words, **more):
        return self.good("topo", "--sysfs", self.folder / name, *SYSFS, *words, env=NO_CARDS, **more)


class Machines(Topo):
    """The graph as JSON, against what was reviewed: fixtures/NAME.json. A difference shows in the test's own output."""

    def check(self, name):
        root = self.machine(name)
        got = self.json("topo", "--sysfs", root, *SYSFS, env=NO_CARDS)
        for provider in got["providers"]:
            provider["text"] = provider["text"].replace(str(root), "ROOT")
        got["notes"] = [note.replace(str(root), "ROOT") for note in got["notes"]]
        self.assertEqual(got, json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8")))
        return got

    def test_plain_pc(self):
        self.check("plain_pc")

    def test_hygon_two_socket(self):
        got = self.check("hygon_two_socket")
        kinds = [got["link_classes"][link["class"]]["kind"] for link in got["links"]]
        self.assertEqual(kinds.count("HSL"), 2 * 4 * 3)

    def test_moore_threads(self):
        self.check("moore_threads")

    def test_mixed_vendors(self):
        got = self.check("mixed_vendors")
        self.assertIn("by PCI it is near numa:0, by KFD near numa:1; both are kept", got["notes"][0])

    def test_degraded(self):
        self.check("degraded")

    def test_container(self):
        self.assertEqual(self.check("container")["vertices"], [])

    def test_broken(self):
        self.assertGreater(len(self.check("broken")["notes"]), 10)


class Forms(Topo):
    def test_matrix_and_legend(self):
        self.machine("moore_threads")
        lines = self.topo("moore_threads").stdout.splitlines()
        self.assertEqual(lines[1].split(), ["pci:0000:12:00.0", "X", "PIX", "PHB", "PHB", "0-47", "0"])
        self.assertIn("  PIX  at most one PCIe switch", lines)
        self.assertNotIn("SYS", self.topo("moore_threads").stdout)

    def test_tree_shows_state_and_errors(self):
        self.machine("degraded")
        tree = self.topo("degraded", "--tree").stdout
        self.assertIn("pci:0000:01:00.0  [PCIe 3 x8 of x16, 7.9 GB/s, degraded, 213 errors]", tree)
        self.assertIn("[PCIe 1 x0 of x16, down, 4 errors]", tree)

    def test_providers(self):
        self.machine("plain_pc")
        lines = self.topo("plain_pc", "--providers").stdout.splitlines()
        self.assertEqual([line.split()[:2] for line in lines[:3]], [["plugin", "skipped"], ["pci", "used"], ["kfd", "absent"]])

    def test_names_cannot_harm(self):
        """Escapes in a terminal, tags in a picture, quotes in DOT: the fixture's names have them all."""
        self.machine("broken")
        for form in ([], ["--tree"], ["--providers"], ["--dot"]):
            done = self.topo("broken", *form)
            self.assertFalse(any(ord(c) < 32 and c != "\n" or 0x7f <= ord(c) < 0xa0 for c in done.stdout + done.stderr))
        self.topo("broken", "--svg", "picture.svg")
        texts = [element.text or "" for element in xml.etree.ElementTree.parse(self.folder / "picture.svg").iter()]
        self.assertTrue(any("<b>\"&'" in text for text in texts))
        for line in self.topo("broken", "--dot").stdout.splitlines():
            self.assertEqual(line.replace('\\\\', '').replace('\\"', '').count('"') % 2, 0, line)

    def test_pictures_are_xml(self):
        for name in ("hygon_two_socket", "mixed_vendors", "degraded", "container"):
            self.machine(name)
            self.topo(name, "--svg", "picture.svg")
            self.assertEqual(xml.etree.ElementTree.parse(self.folder / "picture.svg").getroot().tag, "{http://www.w3.org/2000/svg}svg")

    def test_wrong_words(self):
        self.assertIn("there is no 'usb'", self.refused(2, "topo", "--provider", "usb"))
        self.assertIn("cannot write 'no/such/folder.svg'", self.refused(1, "topo", "--svg", "no/such/folder.svg", env=NO_CARDS))
        self.assertEqual(self.qiao("topo", "--tree", "--dot").returncode, 2)


class Models(Topo):
    def model(self, name, *words):
        return self.good("topo", "--provider", "plugin", *words, env={"QIAO_MOCK_PROFILE": name, "QIAO_VISIBLE_DEVICES": "mock:*", "QIAO_LOG": "error"})

    def test_fragment(self):
        self.assertEqual(self.model("scalex_fragment").stdout, (FIXTURES / "scalex_fragment.txt").read_text(encoding="utf-8"))
        self.assertEqual(self.model("scalex_fragment", "--tree").stdout, (FIXTURES / "scalex_fragment_tree.txt").read_text(encoding="utf-8"))

    def spent(self, profile, *words):
        """Milliseconds of processor time, which other work on the machine does not change, and most bytes of memory."""
        env = {**os.environ, "QIAO_MOCK_PROFILE": profile, "QIAO_VISIBLE_DEVICES": "mock:*", "QIAO_LOG": "error"}
        with subprocess.Popen([QIAO, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env) as child:
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(child.returncode, 0)
        return (usage.ru_utime + usage.ru_stime) * 1000, usage.ru_maxrss * 1024

    def test_cabinet_is_folded_and_quick(self):
        self.assertIn("640 cards: 1 cabinet x 16 fragment x 10 node x 4 card", self.model("scalex_cabinet").stdout)
        best = min(self.spent("scalex_cabinet", "topo", "--provider", "plugin")[0] for _ in range(3))
        print(f"qiao topo of a cabinet: {best:.0f} ms of processor time")
        if BUDGET_MS != "0":
            self.assertLess(best, float(BUDGET_MS))

    def test_cluster(self):
        """Ten thousand devices are listed in at most a second, and 16 KiB each."""
        words = self.model("scalex_cluster").stdout.split()
        self.assertEqual(words[:2], ["10240", "cards:"])
        _, without = self.spent("none", "list", "--ids")
        best, most = min(self.spent("scalex_cluster", "list", "--ids") for _ in range(3))
        each = (most - without) / 10240
        print(f"qiao list of 10,240 cards: {best:.0f} ms of processor time, {each:.0f} bytes each")
        if BUDGET_MS != "0":
            self.assertLess(best, 1000)
            self.assertLess(each, 16 * 1024)

    def test_measure_follows_the_model(self):
        report = self.json("topo", "--measure", env={"QIAO_MOCK_PROFILE": "scalex_node", "QIAO_LOG": "error", "QIAO_VISIBLE_DEVICES": "mock:0,mock:1"})
        self.assertEqual(report["schema"], "qiao.topo_measure/1")
        ways = {(link["source"], link["target"]): link for link in report["links"]}
        to_card = ways["mock/node0/numa", "mock:0"]
        self.assertEqual((to_card["declared_bandwidth_bytes_per_s"], to_card["declared_latency_ns"]), (64_000_000_000, 300))
        self.assertAlmostEqual(to_card["bandwidth_bytes_per_s"] / 64e9, 1, delta=0.05)
        self.assertFalse(to_card["differs"])
        self.assertEqual([sample["bytes"] for sample in to_card["samples"]][::6], [4, 64 << 20])
        self.assertIn(("mock:0", "mock:1"), ways)

    def test_this_machine(self):
        """Whatever it is: every form comes out, and a real card of no link is there all the same."""
        for form in ([], ["--tree"], ["--dot"], ["--json"], ["--providers"]):
            self.good("topo", *form, env={"QIAO_LOG": "error"})


if __name__ == "__main__":
    unittest.main()
