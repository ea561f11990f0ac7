#!/usr/bin/env python3
"""`qiao doctor --library` on the fake vendor libraries, and `qiao list --all` on trees that look like sysfs."""

import json
import pathlib
import shutil
import unittest

from support import QiaoTest, option

FAKES = pathlib.Path(option("--fakes"))
FAMILIES = pathlib.Path(option("--families"))  # the data files
OTHER = option("--other")  # a library of no vendor
LIBRARIES = {
    "cu": "libcuda.so.1", "mu": "libmusa.so.1", "hg": "libhggc.so", "hip": "libgalaxyhip.so.5",
    "mc": "libmcruntime.so", "sudrv": "libsupa-runtime.so", "ta": "libtang.so",
}
NOWHERE = {"QIAO_SYSFS_ROOT": "/nonexistent"}


def library(family, variant=""):
    return FAKES / (family + variant) / LIBRARIES[family]


class Library(QiaoTest):
    def compared(self, *words, **more):
        return self.json("doctor", "--library", *words, **more)

    def slot(self, report, name):
        return next(slot for slot in report["slots"] if slot["slot"] == name)

    def test_each_family_is_recognised(self):
        for family in LIBRARIES:
            with self.subTest(family):
                report = self.compared(library(family))
                self.assertEqual((report["schema"], report["family"]["id"]), ("qiao.doctor.library/1", family))
                self.assertEqual(report["needed"], 0)
                self.assertGreater(report["found"], 20)
                self.assertIn(report["family"]["state"], ("modelled", "names-verified", "ran"))
                self.assertRegex(report["library"]["sha256"], "^[0-9a-f]{64}$")

    def test_half_of_the_names(self):
        report = self.compared(library("cu", "_half"))
        self.assertEqual(self.slot(report, "memory_allocate")["state"], "found")
        launch = self.slot(report, "launch")
        self.assertEqual((launch["state"], launch["needed"]), ("missing", True))
        self.compared(library("cu", "_half"), "--strict", code=1)
        self.compared(library("cu"), "--strict")

    def test_first_versions_are_no_second_ones(self):
        allocate = self.slot(self.compared(library("hg", "_v1")), "memory_allocate")
        self.assertEqual((allocate["state"], allocate["needed"]), ("missing", True))
        self.assertEqual(allocate["similar"][0], "hgMemAlloc")

    def test_another_spelling_is_a_fallback(self):
        peer = self.slot(self.compared(library("mc", "_access_peer")), "peer_enable")
        self.assertEqual((peer["state"], peer["symbol"]), ("fallback", "mcDeviceEnableAccessPeer"))

    def test_renamed_functions_are_found_by_their_words(self):
        data = json.loads((FAMILIES / "mc.json").read_text())
        data["slots"]["peer_enable"] = "*DeviceEnablePeerAccess"
        (self.folder / "mc.json").write_text(json.dumps(data))
        report = self.compared(library("mc", "_access_peer"), "--family", "./mc.json")
        peer = self.slot(report, "peer_enable")
        self.assertEqual((peer["state"], peer["similar"]), ("missing", ["mcDeviceEnableAccessPeer"]))

    def test_the_report_names_no_folder(self):
        shutil.copy(library("ta"), self.folder / "libtang.so")
        self.good("doctor", "--library", self.folder / "libtang.so", "--report", "report.json")
        words = (self.folder / "report.json").read_text()
        self.assertNotIn(str(self.folder), words)
        report = json.loads(words)
        self.assertEqual(report["library"]["file"], "libtang.so")
        self.assertIn("taMemcpyD2D", report["exports"])

    def test_a_library_of_another_machine_is_compared_too(self):
        data = bytearray(library("ta").read_bytes())
        data[18:20] = (183).to_bytes(2, "little")  # aarch64
        (self.folder / "libtang.so").write_bytes(data)
        self.assertEqual(self.compared("libtang.so")["library"]["machine"], "aarch64")
        self.assertIn("made for aarch64", self.good("doctor", "--library", "libtang.so").stdout)

    def test_for_people(self):
        shown = self.good("doctor", "--library", library("cu", "_half")).stdout
        self.assertIn("compared with the family cu", shown)
        self.assertRegex(shown, r"missing +launch +cuLaunchKernel +the plugin cannot do without")

    def test_what_is_wrong_is_said(self):
        (self.folder / "text").write_text("no library")
        self.assertIn("not a shared library", self.refused(1, "doctor", "--library", "text"))
        self.assertIn("cannot be opened", self.refused(1, "doctor", "--library", "nothing"))
        self.assertIn("there is no family 'xy'", self.refused(2, "doctor", "--library", library("cu"), "--family", "xy"))
        self.assertIn("its names are those of no family", self.refused(1, "doctor", "--library", OTHER))
        self.refused(2, "doctor", "--family", "cu")
        (self.folder / "cu.json").write_text('{\n  "qiao_family": 1,\n  "id": "cu",\n  "colour": 3\n}\n')
        refusal = self.refused(1, "doctor", "--library", library("cu"), "--family", "./cu.json")
        self.assertIn("cu.json:4", refusal)
        self.assertIn("colour", refusal)


class Cards(QiaoTest):
    def add(self, address, vendor, device, kind, driver=""):
        place = self.folder / "sys/bus/pci/devices" / address
        place.mkdir(parents=True)
        for name, text in {"vendor": vendor, "device": device, "class": kind}.items():
            (place / name).write_text(text + "\n")
        if driver:
            target = self.folder / "sys/bus/pci/drivers" / driver
            target.mkdir(parents=True, exist_ok=True)
            (place / "driver").symlink_to(target)

    def cards(self, **environment):
        listed = self.json("list", "--all", env={"QIAO_SYSFS_ROOT": str(self.folder / "sys"), **environment})
        return {card["pci"]: card for card in listed["cards"]}

    def test_cards_of_every_vendor(self):
        self.add("0000:01:00.0", "0x1d94", "0x6210", "0x120000", "hydcu")
        self.add("0000:02:00.0", "0x19e5", "0xd802", "0x120000")
        self.add("0000:03:00.0", "0x0731", "0x910a", "0x030000", "jmgpu")
        self.add("0000:04:00.0", "0x1ed5", "0x0200", "0x030200", "mtgpu")
        self.add("0000:05:00.0", "0xabcd", "0x0001", "0x120000")
        self.add("0000:06:00.0", "0x19e5", "0xd100", "0x120000")
        cards = self.cards()
        self.assertEqual(len(cards), 6)
        hygon = cards["0000:01:00.0"]
        self.assertEqual((hygon["vendor"], hygon["driver"], hygon["plugins"], hygon["state"]), ("Hygon", "hydcu", ["hip"], "undriven"))
        self.assertIn("HCU", hygon["aliases"])
        self.assertIn(hygon["status"], ("modelled", "names-verified", "ran"))
        self.assertTrue(hygon["reason"])
        ascend = cards["0000:02:00.0"]
        self.assertEqual((ascend["state"], ascend["plugins"], ascend["product"], ascend["product_grade"]), ("no-plugin", ["ascend"], "910B", "verified"))
        self.assertIn("does not exist yet", ascend["reason"])
        self.assertEqual(cards["0000:06:00.0"]["product_grade"], "remembered")
        self.assertEqual(cards["0000:03:00.0"]["plugins"], ["opencl", "vulkan"])
        self.assertEqual(cards["0000:04:00.0"]["plugins"][0], "mu")
        self.assertEqual((cards["0000:05:00.0"]["vendor"], cards["0000:05:00.0"]["state"]), ("", "no-plugin"))

    def test_what_may_hide_a_card_is_named(self):
        self.add("0000:04:00.0", "0x1ed5", "0x0200", "0x030200")
        (card,) = self.cards(MUSA_VISIBLE_DEVICES="1").values()
        self.assertIn("MUSA_VISIBLE_DEVICES='1' may hide it", card["reason"])
        self.assertIn("/dev/mtgpu.*", card["nodes"])

    def test_other_functions_are_no_cards(self):
        self.add("0000:00:00.0", "0x1d94", "0x1450", "0x060000")
        self.add("0000:00:01.0", "0x10de", "0x10f0", "0x040300", "snd_hda_intel")
        self.add("0000:00:02.0", "0x8086", "0x1234", "0x020000", "e1000e")
        self.add("0000:00:03.0", "0x8086", "0x1234", "0x030000", "i915")
        self.assertEqual(self.cards(), {})

    def test_for_people(self):
        self.add("0000:02:00.0", "0xcabc", "0x0370", "0x120000", "cambricon-drv")
        shown = self.good("list", "--all", env={"QIAO_SYSFS_ROOT": str(self.folder / "sys")}).stdout
        self.assertRegex(shown, r"0000:02:00\.0 +Cambricon +cambricon-drv +cambricon +it needs a plugin cambricon")

    def test_without_all_nothing_is_said(self):
        self.assertNotIn("cards", self.json("list", env=NOWHERE))
        self.assertEqual(self.json("list", "--all", env=NOWHERE)["cards"], [])
        self.refused(2, "list", "--all", "--ids")


if __name__ == "__main__":
    unittest.main()
