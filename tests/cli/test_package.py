#!/usr/bin/env python3
"""`qiao package`: making, looking, adding what other compilers made, taking out, checking."""

import struct
import subprocess
import unittest

from support import DEVICE, KERNELS, QIAO, QiaoTest

ADD = "kernel void add(global int* x, int by) { x[get_global_id(0)] += by; }"


def elf(machine, *symbols):
    """As much of an ELF file as a package looks at."""
    head = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHI", 3, machine, 1)
    return head.ljust(64, b"\0") + b"".join(b"\0" + symbol.encode() + b"\0" for symbol in symbols)


class Package(QiaoTest):
    def setUp(self):
        super().setUp()
        (self.folder / "k.cl").write_text(ADD)
        (self.folder / "code").write_bytes(b"code of a card")
        self.good("cc", "k.cl", "-o", "k.qpk", "--formats", "opencl-c")

    def variants(self, name="k.qpk"):
        return [(one["format"], one["target"]) for one in self.json("package", "inspect", name)["variants"]]


class Inspect(QiaoTest):
    def test_what_the_compiler_made(self):
        self.good("cc", KERNELS, "-o", "k.qpk", "--formats", "host-elf")
        report = self.json("package", "inspect", "k.qpk")
        self.assertEqual(report["schema"], "qiao.package/1")
        self.assertEqual(report["size_bytes"], (self.folder / "k.qpk").stat().st_size)
        self.assertIn("kernels.cl", report["source"]["name"])
        self.assertLessEqual({"opencl-c", "host-elf"}, {variant["format"] for variant in report["variants"]})
        names = [kernel["name"] for kernel in report["kernels"]]
        self.assertIn("add", names)
        self.assertIn("argument block of", self.good("package", "inspect", "k.qpk").stdout)
        self.json("package", "verify", "k.qpk")

    def test_mistakes(self):
        (self.folder / "bad.cl").write_text("kernel void f(")
        self.assertIn("bad.cl", self.refused(1, "cc", "bad.cl", "-o", "k.qpk", "--formats", "opencl-c"))
        self.assertFalse((self.folder / "k.qpk").exists())
        self.assertIn("bad.cl", self.refused(1, "package", "inspect", "bad.cl"))
        self.assertIn("No such file", self.refused(1, "package", "inspect", "missing.qpk"))
        report = self.json("package", "inspect", "bad.cl", code=1)
        self.assertEqual(report["schema"], "qiao.error/1")


class Add(Package):
    def test_a_variant_of_a_format_that_qiao_does_not_know(self):
        self.good("package", "add", "k.qpk", "code", "--format", "card", "--target", "v1", "--tool", "cardcc 1", "--features", "fp64,int64",
                  "--metadata", "add=registers=12")
        report = self.json("package", "inspect", "k.qpk")
        card = report["variants"][-1]
        self.assertEqual(card, {"format": "card", "target": "v1", "tool": "cardcc 1", "features": ["fp64", "int64"], "size_bytes": 14,
                                "metadata": {"add": "registers=12"}})
        self.json("package", "verify", "k.qpk")

    def test_another_file_leaves_the_first_alone(self):
        before = (self.folder / "k.qpk").read_bytes()
        self.good("package", "add", "k.qpk", "code", "--format", "card", "-o", "other.qpk")
        self.assertEqual((self.folder / "k.qpk").read_bytes(), before)
        self.assertIn(("card", ""), self.variants("other.qpk"))

    def test_several_at_once_lose_nothing(self):
        formats = [f"card{index}" for index in range(8)]
        running = [subprocess.Popen([QIAO, "package", "add", "k.qpk", "code", "--format", name], cwd=self.folder, stdout=subprocess.DEVNULL)
                   for name in formats]
        self.assertEqual([one.wait() for one in running], [0] * len(running))
        self.assertEqual(sorted(name for name, _ in self.variants() if name.startswith("card")), formats)

    def test_features_are_those_of_the_kernels_unless_given(self):
        (self.folder / "d.cl").write_text("kernel void add(global double* x) { x[0] += 1; }")
        self.good("cc", "d.cl", "-o", "d.qpk", "--formats", "opencl-c")
        self.good("package", "add", "d.qpk", "code", "--format", "card")
        self.good("package", "add", "d.qpk", "code", "--format", "free", "--features", "none")
        features = {one["format"]: one["features"] for one in self.json("package", "inspect", "d.qpk")["variants"]}
        self.assertEqual((features["card"], features["free"]), (["fp64"], []))

    def test_code_that_is_not_what_it_is_said_to_be(self):
        files = {
            "text": (b"no code", "host-elf", "x86_64-v3", "no ELF file"),
            "arm": (elf(183, "_pocl_kernel_add_workgroup"), "host-elf", "x86_64-v3", "made for aarch64, not for x86_64"),
            "empty": (b"", "host-elf", "", "the file is empty"),
            "other": (elf(62, "_pocl_kernel_sub_workgroup"), "host-elf", "x86_64", "no entry for kernel 'add'"),
            "amd": (elf(190, "add.kd"), "amdgcn", "gfx906", "made for cuda, not for amdgpu"),
            "spirv": (b"\x03\x02\x23\x07" + bytes(16), "spirv-vulkan", "", "no entry for kernel 'add'"),
            "ptx": (b".version 7.0\n.target sm_70\n.visible .entry sub(", "ptx", "sm_70", "no entry for kernel 'add'"),
        }
        before = (self.folder / "k.qpk").read_bytes()
        for name, (code, format_, target, reason) in files.items():
            with self.subTest(name):
                (self.folder / name).write_bytes(code)
                self.assertIn(reason, self.refused(1, "package", "add", "k.qpk", name, "--format", format_, "--target", target))
        self.assertEqual((self.folder / "k.qpk").read_bytes(), before)
        (self.folder / "good").write_bytes(elf(183, "_pocl_kernel_add_workgroup"))
        self.good("package", "add", "k.qpk", "good", "--format", "host-elf", "--target", "aarch64")

    def test_mistakes(self):
        add = ["package", "add", "k.qpk"]
        self.assertIn("No such file", self.refused(1, *add, "missing", "--format", "card"))
        self.assertIn("'fp65' is not a feature", self.refused(2, *add, "code", "--format", "card", "--features", "fp65"))
        self.assertIn("no kernel 'sub'", self.refused(2, *add, "code", "--format", "card", "--metadata", "sub=x"))
        self.assertIn("not KERNEL=TEXT", self.refused(2, *add, "code", "--format", "card", "--metadata", "add"))
        self.assertIn("--format is required", self.refused(2, *add, "code"))
        self.good(*add, "code", "--format", "card")
        self.assertIn("has a variant card already", self.refused(1, *add, "code", "--format", "card"))
        self.assertEqual([path.name for path in self.folder.glob("*.part")], [])

    def test_an_output_that_cannot_be_written(self):
        self.assertIn("cannot be written", self.refused(1, "package", "add", "k.qpk", "code", "--format", "card", "-o", "no/k.qpk"))

    def test_readers_see_a_whole_package_while_it_is_replaced(self):
        writers = [subprocess.Popen([QIAO, "package", "add", "k.qpk", "code", "--format", f"card{i}"], cwd=self.folder,
                                    stdout=subprocess.DEVNULL) for i in range(6)]
        while any(writer.poll() is None for writer in writers):
            self.json("package", "verify", "k.qpk")
        self.assertEqual([writer.returncode for writer in writers], [0] * 6)


class Extract(Package):
    def test_the_bytes_are_those_that_were_added(self):
        self.good("package", "add", "k.qpk", "code", "--format", "card", "--target", "v1")
        self.good("package", "extract", "k.qpk", "--format", "card", "-o", "out")
        self.assertEqual((self.folder / "out").read_bytes(), (self.folder / "code").read_bytes())
        self.good("package", "extract", "k.qpk", "--format", "opencl-c", "-o", "source")
        self.assertIn((self.folder / "k.cl").read_text(), (self.folder / "source").read_text())

    def test_mistakes(self):
        self.good("package", "add", "k.qpk", "code", "--format", "card", "--target", "v1")
        self.good("package", "add", "k.qpk", "code", "--format", "card", "--target", "v2")
        extract = ("package", "extract", "k.qpk", "-o", "out", "--format")
        self.assertIn("name one of: ", self.refused(2, *extract, "ptx"))
        self.assertIn("several variants card", self.refused(2, *extract, "card"))
        self.assertIn("no variant card for v3", self.refused(2, *extract, "card", "--target", "v3"))
        self.assertFalse((self.folder / "out").exists())
        self.good(*extract, "card", "--target", "v2")
        self.assertIn("cannot be written", self.refused(1, "package", "extract", "k.qpk", "-o", "no/out", "--format", "opencl-c"))


class Strip(Package):
    def test_each_way(self):
        self.good("package", "add", "k.qpk", "code", "--format", "card", "--target", "v1")
        self.good("package", "add", "k.qpk", "code", "--format", "card", "--target", "v2")
        self.good("package", "add", "k.qpk", "code", "--format", "last")
        whole = self.variants()
        self.good("package", "strip", "k.qpk", "--variant", len(whole) - 1)
        self.assertEqual(self.variants(), whole[:-1])
        self.good("package", "strip", "k.qpk", "--source")
        report = self.json("package", "inspect", "k.qpk")
        self.assertIsNone(report["source"])
        self.assertEqual(self.variants(), [("card", "v1"), ("card", "v2")])
        self.assertIn("no variant would be left", self.refused(2, "package", "strip", "k.qpk", "--format", "card"))
        self.assertIn("has no source", self.refused(2, "package", "strip", "k.qpk", "--source"))
        self.json("package", "verify", "k.qpk")

    def test_mistakes(self):
        self.assertIn("nothing to take out", self.refused(2, "package", "strip", "k.qpk"))
        self.assertIn("no such variant", self.refused(2, "package", "strip", "k.qpk", "--format", "card"))
        self.assertIn("variants, counted from 0", self.refused(2, "package", "strip", "k.qpk", "--variant", 99))


class Verify(Package):
    def test_a_variant_that_was_damaged(self):
        self.good("package", "add", "k.qpk", "code", "--format", "card")
        path = self.folder / "k.qpk"
        path.write_bytes(path.read_bytes().replace(b"code of a card", b"code of a cart"))
        report = self.json("package", "verify", "k.qpk", code=1)
        self.assertTrue(report["problem"])
        self.assertEqual([bool(one["problem"]) for one in report["variants"]], [one["format"] == "card" for one in report["variants"]])
        self.assertIn("digest", report["variants"][-1]["problem"])
        self.assertIn("digest", self.qiao("package", "verify", "k.qpk").stdout)

    def test_a_package_that_was_cut(self):
        path = self.folder / "k.qpk"
        path.write_bytes(path.read_bytes()[:-1])
        self.assertIn("says that it has", self.refused(1, "package", "verify", "k.qpk"))


class Why(Package):
    def verdicts(self, *devices):
        report = self.json("why", "k.qpk", *devices)
        self.assertEqual(report["schema"], "qiao.why/1")
        return {device["id"]: device for device in report["devices"]}

    def test_all_devices_and_some(self):
        self.good("package", "add", "k.qpk", "code", "--format", "card")
        everybody = self.verdicts()
        self.assertEqual(list(everybody), self.good("list", "--ids").stdout.split())
        for device in everybody.values():
            self.assertEqual(len(device["variants"]), len(self.variants()))
            self.assertEqual(device["variants"][-1]["verdict"], "refused")
            self.assertIn("not a format of the device", device["variants"][-1]["reason"])
        self.assertEqual(list(self.verdicts(DEVICE)), [DEVICE])
        self.assertEqual(self.verdicts(DEVICE)[DEVICE]["outcome"], "source")
        self.assertIn("its source would be compiled", self.good("why", "k.qpk", DEVICE).stdout)

    def test_the_words_are_those_of_the_error(self):
        (self.folder / "arm").write_bytes(elf(183, "_pocl_kernel_add_workgroup"))
        self.good("package", "add", "k.qpk", "arm", "--format", "host-elf", "--target", "aarch64", "--tool", "pocl-3.1 by hand")
        self.good("package", "strip", "k.qpk", "--source")
        device = self.verdicts(DEVICE)[DEVICE]
        self.assertEqual(device["outcome"], "none")
        (variant,) = device["variants"]
        self.assertEqual((variant["verdict"], variant["score"]), ("refused", 0))
        self.assertIn("aarch64", variant["reason"])
        message = self.refused(1, "run", "k.qpk", "-a", "zeros:i32[1]", "-a", 1, "--grid", 1, "--device", DEVICE)
        self.assertIn(variant["reason"], message)

    def test_levels_of_a_processor(self):
        self.good("cc", "k.cl", "-o", "k.qpk", "--formats", "host-elf")
        device = self.verdicts(DEVICE)[DEVICE]
        self.assertEqual(device["outcome"], "taken")
        hosts = [one for one in device["variants"] if one["format"] == "host-elf"]
        self.assertEqual(sum(one["verdict"] == "taken" for one in hosts), 1)
        best = max(hosts, key=lambda one: one["score"])
        self.assertEqual(best["verdict"], "taken")

    def test_mistakes(self):
        self.assertIn("no device matches", self.refused(3, "why", "k.qpk", "nothing:0"))
        self.assertIn("No such file", self.refused(1, "why", "missing.qpk"))


if __name__ == "__main__":
    unittest.main()
