#!/usr/bin/env python3
"""Plugins that are wrong in one thing each, as their maker meets them: `qiao plugin check`, level 0, `qiao doctor`."""

import json
import os
import pathlib
import shutil
import subprocess
import unittest

from support import QiaoTest, option

FAULTY = pathlib.Path(option("--faulty"))
LEVEL0 = option("--level0")
KERNELS = pathlib.Path(__file__).resolve().parents[2] / "plugins/tutorial/kernels.cl"

# AddressSanitizer would turn a signal into an orderly exit.
SIGNALS = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0"}


class FaultyTest(QiaoTest):
    """A copy of the plugin in a folder of its own, with a manifest as built."""

    def setUp(self):
        super().setUp()
        self.library = pathlib.Path(shutil.copy(FAULTY, self.folder / "faulty.so"))
        self.manifests = self.folder / "plugins.d"
        self.manifests.mkdir()
        self.write_manifest()

    def write_manifest(self, name="faulty.json", **change):
        manifest = {"qiao_manifest": 1, "id": "faulty", "library": "../faulty.so", "abi": {"major": 1, "minor": 0}, **change}
        (self.manifests / name).write_text(json.dumps(manifest))

    def environment(self, fault, **more):
        return {"FAULTY": fault, "XDG_CACHE_HOME": str(self.folder / "cache"), **SIGNALS, **more}

    def check(self, fault, *words, code=1):
        return self.json("plugin", "check", self.library, *words, code=code, env=self.environment(fault))

    def found(self, report, state="problem"):
        return [f"{check['name']}: {check['detail']} => {check['remedy']}" for check in report["checks"] if check["state"] == state]

    def tried(self, report):
        return {slot["name"] for slot in report["slots"] if slot["tried"]}


class Check(FaultyTest):
    def test_what_is_not_tried_is_listed_as_such(self):
        report = self.check("", code=0)
        self.assertEqual(self.tried(report), {"device_count", "device_query", "device_open", "device_close", "device_synchronize",
                                              "memory_allocate", "memory_free", "memory_write", "memory_read"})
        text = self.good("plugin", "check", self.library, env=self.environment("")).stdout
        self.assertIn("kernel_launch       not tried", text)
        self.assertIn("T0 13 of 13 present and 9 tried", text)
        self.assertIn("No problem was found, but 4 required slots were not tried.", text)
        self.assertIn("run a kernel: --package", report["next"])

    def test_one_fault_each(self):
        faults = {
            "synchronize_times_out": ("faulty:0 device_synchronize: returns QIAO_TIMEOUT after ", "return QIAO_OK once no launched work is left"),
            "synchronize_fails": ("faulty:0 device_synchronize: returns QIAO_ERROR_PLUGIN after ", "return QIAO_OK once"),
            "struct_size": ("memory: device_query changed struct_size from ", "leave struct_size and next as they come"),
            "name_without_end": ("texts: device_query of device 0: name has no NUL within its 128 bytes", "snprintf, not strncpy"),
            "prints": ('output: it wrote 18 bytes to stdout, among the program\'s own data: "looking for cards"', "host->log"),
            "query_status": ("devices: device_query of device 0 fails (-4321, which is no status of Qiao)", "return a status of qiao/status.h"),
            "no_kinds": ("faulty:0 device_query: not set, or not possible: memory_kinds", "nothing runs without"),
            "no_formats": ("faulty:0 device_query: not set, or not possible: formats", "nothing runs without"),
            "open_crashes": ("process: while calling device_open of faulty:0: it was killed by signal 11", "gdb --args qiao plugin inspect"),
            "open_fails": ("faulty:0 device_open: opening the device: as FAULTY says [faulty:0] [plugin faulty] [the vendor's code 102]", "write or correct device_open"),
            "allocate_fails": ("faulty:0 memory_allocate: allocating: as FAULTY says", "write or correct memory_allocate"),
            "allocate_says_nothing": ("memory_allocate failed with QIAO_ERROR_PLUGIN; the plugin gave no reason", "correct what the plugin does there"),
        }
        for fault, (detail, remedy) in faults.items():
            with self.subTest(fault):
                report = self.check(fault)
                problems = self.found(report)
                self.assertTrue(any(detail in one and remedy in one for one in problems), problems)
                self.assertNotIn("report this to", json.dumps(report))
                self.assertTrue(report["next"])

    def test_limits_that_are_not_set_are_a_warning(self):
        report = self.check("no_limits", code=0)
        self.assertIn("faulty:0 device_query: not set: max_argument_bytes, max_group_count[1], max_group_count[2] => ", self.found(report, "warning")[0])

    def test_a_plugin_that_hangs_is_run_once(self):
        report = self.check("count_hangs", "--timeout", 1)
        self.assertEqual([one.split(" => ")[0] for one in self.found(report)],
                         ["process: while calling device_count: it did not end within 1 s"])


class Kernels(FaultyTest):
    def setUp(self):
        super().setUp()
        (self.folder / "code").write_text("built in")
        self.good("cc", KERNELS, "-o", "k.qpk", "--formats", "opencl-c")
        self.good("package", "add", "k.qpk", "code", "--format", "faulty")
        self.launch = ["--package", "k.qpk", "--kernel", "vector_add", "-a", "range:f32[100]", "-a", "const:2:f32[100]", "-a", "zeros:f32[100]",
                       "--grid", 100, "--reference", "sum=range:f32[100]:2"]

    def test_all_required_slots_are_tried(self):
        report = self.check("", *self.launch, code=0)
        self.assertEqual(self.tried(report), {slot["name"] for slot in report["slots"] if slot["required"]})
        self.assertNotIn("run a kernel", report["next"])
        text = self.good("plugin", "check", self.library, *self.launch, env=self.environment("")).stdout
        self.assertIn("kernel_launch, device_synchronize  works", text)
        self.assertIn("No problem was found.", text)

    def test_loading_alone(self):
        report = self.check("", "--package", "k.qpk", code=0)
        self.assertLessEqual({"program_load", "program_unload", "kernel_find"}, self.tried(report))
        self.assertNotIn("kernel_launch", self.tried(report))

    def test_one_fault_each(self):
        faults = {
            "load_crashes": "process: while trying faulty:0 program_load, kernel_find: it was killed by signal 11",
            "kernel_is_null": "kernel_find of faulty:0 succeeded but gave no kernel",
            "launch_crashes": "faulty:0 kernel_launch, device_synchronize: it was killed by signal 11",
            "launch_exits": "faulty:0 kernel_launch, device_synchronize: it ended the process with exit code 0",
            "launch_status": "kernel_launch returned -4321, which is no status of Qiao",
            "wrong_sums": "of 100 elements of 'sum' 1 differ from range:f32[100]:2, the first is 5",
        }
        for fault, detail in faults.items():
            with self.subTest(fault):
                report = self.check(fault, *self.launch)
                self.assertTrue(any(detail in one for one in self.found(report)), self.found(report))
                self.assertNotIn("kernel_launch", self.tried(report))
                self.assertNotIn("report this to", json.dumps(report))

    def test_output_is_told_once_and_results_are_still_read(self):
        report = self.check("prints", *self.launch)
        self.assertEqual([one.split(":")[0] for one in self.found(report)], ["output"])
        self.assertIn("kernel_launch", self.tried(report))

    def test_no_launch_where_the_end_of_one_cannot_be_seen(self):
        report = self.check("synchronize_times_out", *self.launch)
        self.assertEqual([one.split(":")[1] for one in self.found(report)], ["0 device_synchronize"])

    def test_mistakes_of_the_command_line(self):
        self.assertIn("--grid requires --package", self.refused(2, "plugin", "check", self.library, "--grid", 1, env=self.environment("")))
        self.assertIn("missing.qpk", self.refused(2, "plugin", "check", self.library, "--package", "missing.qpk", env=self.environment("")))
        self.assertIn("there is no kernel 'other'", self.refused(2, "plugin", "check", self.library, "--package", "k.qpk", "--grid", 1, "--kernel", "other",
                                                                  env=self.environment("")))
        (self.folder / "bad.qpk").write_text("no package")
        self.assertTrue(any("bad.qpk" in one for one in self.found(self.check("", "--package", "bad.qpk"))))

    def test_a_format_that_source_is_not_compiled_to(self):
        words = ["vector_add", "-a", "null", "-a", "null", "-a", "null", "--grid", 1, "--device", "faulty"]
        path = {"QIAO_PLUGIN_PATH": str(self.manifests)}
        error = self.json("run", KERNELS, *words, code=1, env=self.environment("", **path))["devices"][0]["error"]
        self.assertIn("faulty:0 takes only programs of format faulty, and Qiao cannot compile this source to it", error["message"])
        self.assertIn("qiao package add", error["remedy"])
        self.assertIn("qiao_program_create_from_package", error["remedy"])
        error = self.json("run", "k.qpk", *words, code=1, env=self.environment("no_formats", **path))["devices"][0]["error"]
        self.assertIn("faulty:0 runs no kernels: its plugin names no program format", error["message"])


class Manifest(FaultyTest):
    def test_what_lies_beside_says_why_none_is_found(self):
        self.write_manifest(library="../other.so")
        self.assertIn('faulty.json has the id "faulty" and names the library "../other.so"', self.found(self.check(""))[0])
        (self.manifests / "faulty.json").write_text('{"qiao_manifest": 1,')
        self.assertIn("faulty.json is no JSON object => correct the file", self.found(self.check(""))[0])

    def test_what_lies_beside_a_good_one_is_a_warning(self):
        self.write_manifest("other.json", library="../other.so")
        (self.manifests / "z.json").write_text("[]")
        warnings = self.found(self.check("", code=0), "warning")
        self.assertTrue(any('other.json has the id "faulty"' in one and "the first by name is taken" in one for one in warnings), warnings)
        self.assertTrue(any("z.json is no JSON object" in one for one in warnings), warnings)

    def test_an_abi_that_is_not_the_plugins(self):
        for abi, shown in (({"major": 2, "minor": 0}, "2.0"), ({"major": 1, "minor": 7}, "1.7")):
            self.write_manifest(abi=abi)
            problem = self.found(self.check(""))[0]
            self.assertIn(f"says that it needs plugin ABI {shown}; the plugin is built for 1.0", problem)
            self.assertIn('correct "abi"', problem)


class Level0(FaultyTest):
    def level0(self, fault, *words, code=1):
        done = subprocess.run([LEVEL0, "faulty", self.manifests, *map(str, words)], env={**os.environ, **self.environment(fault)}, text=True, capture_output=True, timeout=60)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def test_a_plugin_that_is_right(self):
        self.assertIn("level 0: passed, 10 rounds\n", self.level0("", "--require-device", code=0))

    def test_no_device_is_said_and_can_be_a_finding(self):
        self.assertIn("passed, 10 rounds, but no device was tested", self.level0("no_device", code=0))
        self.assertIn("FINDING: there is no device", self.level0("no_device", "--require-device"))

    def test_an_allocation_that_fails_is_a_finding(self):
        self.assertIn("FINDING: 4096 bytes are not allocated: QIAO_ERROR_OUT_OF_MEMORY: as FAULTY says", self.level0("allocate_fails"))

    def test_a_call_that_does_not_return_is_named(self):
        self.assertIn("FINDING: no answer within 1 s: qiao_queue_create (device_open, queue_create)", self.level0("open_hangs", "--patience", 1))

    def test_mistakes_of_the_command_line(self):
        for words in (["--patience"], ["--patience", "0"], ["--what"]):
            self.level0("", *words, code=2)


class Doctor(FaultyTest):
    def doctor(self, fault, *words, code=0, **more):
        return self.json("doctor", *words, code=code, env=self.environment(fault, **{"QIAO_PLUGIN_PATH": str(self.manifests), "QIAO_PLUGINS": "faulty", **more}))

    def opened(self, report):
        return [check for check in report["checks"] if check["name"] == "open"]

    def test_open_finds_what_would_end_the_application(self):
        self.assertEqual(self.opened(self.doctor("open_crashes")), [])
        report = self.doctor("open_crashes", "--open", "--strict", code=1)
        self.assertEqual(report["candidates"][0]["state"], "usable")
        (check,) = self.opened(report)
        self.assertEqual(check["state"], "problem")
        self.assertIn("faulty:0: it was killed by signal 11", check["detail"])
        self.assertIn("qiao plugin check", check["remedy"])
        (check,) = self.opened(self.doctor("open_fails", "--open"))
        self.assertIn("faulty:0: opening the device: as FAULTY says", check["detail"])
        (check,) = self.opened(self.doctor("", "--open", "--strict"))
        self.assertEqual((check["state"], check["detail"]), ("ok", "faulty:0 opens and closes"))

    def test_a_folder_without_manifests_is_named(self):
        (self.folder / "empty").mkdir()
        report = self.doctor("", QIAO_PLUGIN_PATH=f"{self.folder}/empty:{self.manifests}")
        (check,) = [check for check in report["checks"] if check["name"] == "environment" and check["state"] == "warning"]
        self.assertIn("empty, which has no manifests", check["detail"])

    def test_a_passing_check_ends_a_verdict(self):
        self.assertIn("it did not answer", self.doctor("count_hangs", code=3, QIAO_PROBE_TIMEOUT_MS="300")["candidates"][0]["reason"])
        (self.manifests / "faulty.json").touch()
        self.check("", code=0)
        self.assertEqual(self.doctor("")["candidates"][0]["probe"], "cached")

    def test_a_library_that_is_not_found_by_its_bare_name(self):
        self.write_manifest(library="libno_such_plugin.so")
        candidate = self.doctor("", code=3)["candidates"][0]
        self.assertIn("libno_such_plugin.so", candidate["reason"])
        self.assertIn("neither beside the manifest nor known to the loader", candidate["remedy"])
        self.assertIn("write a path relative to the manifest", candidate["remedy"])


if __name__ == "__main__":
    unittest.main()
