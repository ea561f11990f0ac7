#!/usr/bin/env python3
"""`qiao plugin check` on plugins that are right, wrong in one thing each, or end the process; and the tutorial plugin at work."""

import os
import json
import pathlib
import unittest

from support import QiaoTest, option

LOADER = pathlib.Path(option("--loader-plugins"))  # tests/loader's, one library for each thing that can be wrong
UNRULY = pathlib.Path(option("--unruly"))
TUTORIAL = pathlib.Path(option("--tutorial"))
SKELETON = pathlib.Path(option("--skeleton"))
KERNELS = pathlib.Path(__file__).resolve().parents[2] / "plugins/tutorial/kernels.cl"

WRONG = {
    "no_symbol": "qiao_plugin_query is not exported",
    "undefined": "undefined symbol",
    "missing_dependency": "cannot open shared object file",
    "abi_new": "this Qiao speaks 1.0",
    "abi_old": "this Qiao speaks 1.0",
    "abi_minor": "needs a host of at least 1.",
    "overrun": "qiao_plugin_query wrote beyond the struct_size",
    "null_tables": "lacks device_count, device_query",
    "no_memory_table": "lacks memory_allocate, memory_free, memory_write, memory_read",
    "short_table": "lacks ",
    "half_queue": "has queue_create but not queue_launch",
    "map_alone": "has memory_map but not memory_unmap",
    "without_kernel_launch": "lacks kernel_launch",
    "without_device_query": "lacks device_query",
    "refuses": "qiao_plugin_query refuses",
    "zero_devices": "none, and no reason is given",
    "count_fails": "device_count fails",
    "one_query_fails": "device_query of device",
    "device_overrun": "device_query wrote beyond the struct_size",
}

# AddressSanitizer would turn a signal into an orderly exit.
SIGNALS = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0"}


class Check(QiaoTest):
    def check(self, library, *words, code=0, **more):
        return self.json("plugin", "check", library, *words, code=code, **more)

    def problems(self, report):
        return " | ".join(check["detail"] for check in report["checks"] if check["state"] == "problem")

    def test_a_plugin_that_is_right(self):
        report = self.check(TUTORIAL)
        self.assertEqual((report["schema"], report["problem"]), ("qiao.plugin.check/1", False))
        self.assertEqual((report["plugin"]["id"], report["plugin"]["abi_major"], report["device_count"]), ("tutorial", 1, 1))
        slots = {slot["name"]: slot for slot in report["slots"]}
        self.assertEqual(len(slots), len(report["slots"]))
        self.assertEqual({name for name, slot in slots.items() if slot["required"]},
                         {name for name, slot in slots.items() if slot["present"]})
        self.assertEqual(sum(slot["tier"] == "T0" for slot in slots.values()), 13)
        self.assertTrue(all(slot["brings"] for slot in slots.values()))
        self.assertIn("queue_create", report["next"])
        done = self.good("plugin", "check", TUTORIAL).stdout
        self.assertIn("T0 13 of 13 present and 9 tried, T1 0 of 12, T2 0 of 7", done)
        self.assertIn("No problem was found", done)

    def test_the_slots_are_those_of_the_library(self):
        listed = self.json("info", "tutorial", env={"QIAO_PLUGIN_PATH": str(TUTORIAL.parent / "plugins.d")})
        self.assertEqual([slot["name"] for slot in listed["devices"][0]["slots"]],
                         [slot["name"] for slot in self.check(TUTORIAL)["slots"]])

    def test_the_skeleton_has_no_devices_yet(self):
        report = self.check(SKELETON)
        self.assertEqual((report["problem"], report["device_count"]), (False, 0))
        self.assertEqual(report["next"], "a device: put the name of the vendor's library into library.c, and write device_count and device_query in device.c")

    def test_one_thing_wrong_each(self):
        for name, words in WRONG.items():
            with self.subTest(name):
                report = self.check(LOADER / f"bad_{name}.so", code=1)
                self.assertIn(words, self.problems(report))
                self.assertTrue(report["next"])

    def test_a_plugin_that_ends_the_process(self):
        ends = {"load": "loading the library: it was killed by signal 6", "query": "calling qiao_plugin_query: it was killed by signal",
                "count": "calling device_count: it was killed by signal", "close": "calling plugin_close: it was killed by signal",
                "hang": "calling device_count: it did not end within 1 s"}
        for where, words in ends.items():
            with self.subTest(where):
                report = self.check(UNRULY, "--timeout", 1 if where == "hang" else 60, code=1, env={"UNRULY": where, **SIGNALS})
                self.assertIn(words, self.problems(report))

    def test_an_exit_is_found_although_it_looks_orderly(self):
        report = self.check(UNRULY, code=1, env={"UNRULY": "exit"})
        self.assertIn("calling device_count", self.problems(report))

    def test_more_exports_than_one(self):
        self.assertIn("besides qiao_plugin_query: unruly_helper", self.problems(self.check(UNRULY, code=1)))

    def test_manifests(self):
        cases = [({}, "none names"), ({"library": "other.so"}, "names the library"), ({"id": "other"}, "says id"),
                 ({"abi": {"major": 9, "minor": 0}}, "needs plugin ABI 9.0"), ({"architecture": "vax"}, "it is for")]
        for change, words in cases:
            with self.subTest(change):
                manifest = {"qiao_manifest": 1, "id": "tutorial", "library": str(TUTORIAL), "abi": {"major": 1, "minor": 0}, **change}
                path = self.folder / "m.json"
                path.write_text(json.dumps(manifest))
                if change:
                    self.assertIn(words, self.problems(self.check(TUTORIAL, "--manifest", path, code=1)))
                else:
                    copy = self.folder / "alone.so"
                    copy.write_bytes(TUTORIAL.read_bytes())
                    path.unlink()
                    self.assertIn(words, " ".join(check["detail"] for check in self.check(copy)["checks"]))

    def test_files_that_are_no_plugins(self):
        (self.folder / "text.so").write_text("text")
        (self.folder / "short.so").write_bytes(TUTORIAL.read_bytes()[:100])
        for name, words in (("missing.so", "cannot be opened"), ("text.so", "no ELF header"), ("short.so", "damaged"), (".", "not a readable file")):
            self.assertIn(words, self.refused(1, "plugin", "check", name))

    def test_damage_anywhere_is_no_crash(self):
        # AddressSanitizer's own handler may fault without end in what was damaged.
        plain = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":handle_segv=0:handle_sigbus=0"}
        whole = TUTORIAL.read_bytes()
        for at in range(0, 1200, 7):
            damaged = bytearray(whole)
            damaged[at] ^= 0xff
            (self.folder / "damaged.so").write_bytes(damaged)
            done = self.qiao("plugin", "check", "damaged.so", "--timeout", 20, env=plain)
            self.assertIn(done.returncode, (0, 1), (at, done.stderr))


class Tutorial(QiaoTest):
    """Kernels from a package with a variant of the tutorial's own format."""

    def setUp(self):
        super().setUp()
        self.env = {"QIAO_PLUGIN_PATH": str(TUTORIAL.parent / "plugins.d")}
        (self.folder / "names.txt").write_text("vector_add\nsum_float\n")
        self.make_package()

    def make_package(self):
        self.good("cc", KERNELS, "-o", "k.qpk", "--formats", "opencl-c")
        self.good("package", "add", "k.qpk", "names.txt", "--format", "tutorial-host", "--tool", "by hand")

    def run_tutorial(self, *words, code=0):
        return self.json("run", "k.qpk", *words, "--device", "tutorial", env=self.env, code=code)

    def test_vector_add(self):
        report = self.run_tutorial("vector_add", "-a", "range:f32[1000]", "-a", "const:2:f32[1000]", "-a", "zeros:f32[1000]",
                                   "--grid", 1000, "--reference", "sum=range:f32[1000]:2")
        self.assertEqual(report["devices"][0]["format"], "tutorial-host")
        self.assertEqual(report["comparisons"][0]["differing"], 0)

    def test_local_memory(self):
        report = self.run_tutorial("sum_float", "-a", "const:1:f32[1024]", "-a", "zeros:f32[4]", "-a", 1024, "-a", "local:f32[64]",
                                   "--grid", 256, "--group", 64, "--reference", "sums=const:256:f32[4]")
        self.assertEqual(report["comparisons"][0]["differing"], 0)

    def test_a_kernel_that_the_program_does_not_name(self):
        (self.folder / "names.txt").write_text("vector_add\n")
        self.make_package()
        report = self.run_tutorial("vector_add", "-a", "null", "-a", "null", "-a", "null", "--grid", 1, code=1)
        self.assertIn("not named by the program", report["devices"][0]["error"]["message"])

    def test_memory_is_limited_and_given_back(self):
        words = ["-a", f"zeros:f32[{6 << 20}]"] * 3
        report = self.run_tutorial("vector_add", *words, "--grid", 1, code=1)
        self.assertIn("64 MiB are in use", report["devices"][0]["error"]["message"])

    def test_it_is_300_lines(self):
        lines = sum(len(path.read_text().splitlines()) for path in KERNELS.parent.iterdir() if path.suffix in (".c", ".h"))
        self.assertLessEqual(lines, 300)


if __name__ == "__main__":
    unittest.main()
