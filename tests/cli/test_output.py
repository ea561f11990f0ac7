#!/usr/bin/env python3
"""What programs rely on: the keys of --json, exit codes, what goes to which stream, colour, completion."""

import json
import os
import pty
import re
import shutil
import subprocess
import unittest

from support import DEVICE, KERNELS, QIAO, QiaoTest, option

LIST_DEVICE = ["id", "plugin", "name", "vendor", "driver", "target", "simulated", "unified", "memory_bytes", "compute_units"]
INFO_DEVICE = LIST_DEVICE + ["note", "formats", "features", "addresses", "shared_memory", "memory_kinds", "memory_levels", "import_types",
                              "export_types", "import_alignment_bytes", "clock_mhz", "address_bits", "uuid", "driver_uuid", "pci",
                             "pci_vendor_id", "pci_device_id", "generation", "state", "state_reason", "memory_free_bytes", "memory_total_bytes",
                             "limits", "extensions", "slots"]
LIMITS = ["max_allocation_bytes", "max_group_size", "max_group", "max_group_count", "local_memory_bytes", "subgroup_width",
          "preferred_group_multiple", "max_argument_bytes", "queue_priorities"]
CANDIDATE = ["state", "plugin", "version", "device_count", "manifest", "library", "probe", "reason", "remedy"]
RUN = ["schema", "result", "file", "global_size", "group_size", "global_offset", "repeat", "devices", "comparisons"]
RUN_DEVICE = ["id", "name", "simulated", "error", "kernel", "format", "target", "tool", "log", "build_ns", "wall_ns", "device_ns",
              "outputs"]
COMPARISON = ["argument", "device", "against", "dtype", "elements", "differing", "beyond_tolerance", "max_ulp", "max_abs",
              "first_index", "within_tolerance"]
ERROR = ["schema", "exit_code", "status", "message", "remedy", "log"]

NO_DEVICES = {"QIAO_VISIBLE_DEVICES": "none:*"}
WHERE = ["run", KERNELS, "where", "-a", "zeros:u32[4]", "--grid", 4, "--device", DEVICE]


FIXTURES = option("--fixtures")  # folder of the tests' plugins


class Json(QiaoTest):
    """Documented in hal/docs/cli.md: keys are added, never changed, unless the schema's number changes."""

    def keys(self, value, expected):
        self.assertEqual(list(value), expected)

    def test_list(self):
        report = self.json("list")
        self.keys(report, ["schema", "devices"])
        self.assertEqual(report["schema"], "qiao.list/1")
        for device in report["devices"]:
            self.keys(device, LIST_DEVICE)
        self.assertIn(DEVICE, [device["id"] for device in report["devices"]])

    def test_info(self):
        report = self.json("info", DEVICE)
        self.assertEqual(report["schema"], "qiao.info/1")
        (device,) = report["devices"]
        self.keys(device, INFO_DEVICE)
        self.keys(device["limits"], LIMITS)
        self.assertEqual(device["state"], "ok")
        slots = {slot["name"]: slot["provenance"] for slot in device["slots"]}
        self.assertEqual(slots["memory_allocate"], "native")
        self.assertLessEqual(set(slots.values()), {"native", "emulated", "absent"})

    def test_info_names_extensions(self):
        queued = {"QIAO_PLUGIN_PATH": f"{FIXTURES}/queued"}
        (device,) = self.json("info", "queued:1", env=queued)["devices"]
        self.assertEqual(device["extensions"], ["queued.control.1"])
        self.assertRegex(self.qiao("info", "queued:1", env=queued).stdout, r"extensions +queued\.control\.1\n")
        (device,) = self.json("info", DEVICE)["devices"]
        self.assertEqual(device["extensions"], [])

    def test_doctor(self):
        report = self.json("doctor")
        self.keys(report, ["schema", "candidates", "checks", "device_count", "problem"])
        self.assertEqual(report["schema"], "qiao.doctor/1")
        for candidate in report["candidates"]:
            self.keys(candidate, CANDIDATE)
        for check in report["checks"]:
            self.keys(check, ["name", "state", "detail", "remedy"])
            self.assertIn(check["state"], ("ok", "warning", "problem"))
        self.assertLessEqual({"device", "compiler", "cache", "shared-memory"}, {check["name"] for check in report["checks"]})

    def test_doctor_tells_how_host_writes_are_found(self):
        def found(**environment):
            report = json.loads(self.qiao("doctor", "--json", env=environment).stdout)
            (check,) = [check for check in report["checks"] if check["name"] == "shared-memory"]
            return check

        for word in ("compare", "full"):
            check = found(QIAO_SHARED_TRACKING=word)
            self.assertEqual((check["state"], check["remedy"]), ("warning", "unset QIAO_SHARED_TRACKING"))
            self.assertEqual(check["detail"], f"tracking of host writes: {word}; QIAO_SHARED_TRACKING={word} asks for it")
        check = found(QIAO_SHARED_TRACKING="soft-dirty")
        self.assertEqual(check["state"], "problem")
        self.assertIn("QIAO_SHARED_TRACKING=soft-dirty", check["detail"])
        self.assertIn("auto, scan, compare or full", check["remedy"])
        check, forced = found(), found(QIAO_SHARED_TRACKING="scan")
        if check["state"] == "ok":
            self.assertEqual(check["detail"], "tracking of host writes: scan")
            self.assertEqual(forced, check)
        else:
            self.assertIn("tracking of host writes: compare; ", check["detail"])
            self.assertIn(check["remedy"], forced["remedy"])

    def test_run(self):
        report = self.json(*WHERE, "--reference", "out=range:u32[4]")
        self.keys(report, RUN)
        self.assertEqual(report["schema"], "qiao.run/1")
        self.keys(report["devices"][0], RUN_DEVICE)
        self.keys(report["devices"][0]["outputs"][0], ["argument", "dtype", "shape", "file"])
        self.keys(report["comparisons"][0], COMPARISON)

    def test_errors(self):
        report = self.json("info", "quantum:0", code=3)
        self.keys(report, ERROR)
        self.assertEqual((report["schema"], report["exit_code"]), ("qiao.error/1", 3))
        self.assertIn("quantum:0", report["message"])


class ExitCodes(QiaoTest):
    def test_each(self):
        self.good("list")
        self.good("list", env=NO_DEVICES)
        self.good("doctor")
        self.assertEqual(self.qiao("run", "none.cl", "--grid", 1).returncode, 1)
        for words in ([], ["walk"], ["list", "--colour"], ["list", "x"], ["run"], ["completion", "tcsh"],
                      ["run", KERNELS, "--grid", 1, "--repeat", "0"], ["run", KERNELS, "--grid", 1, "--tolerance-ulp", "x"]):
            with self.subTest(words=words):
                self.refused(2, *words)
        self.assertIn("there are", self.refused(3, "info", "quantum:0"))
        self.refused(3, "run", KERNELS, "where", "--grid", 1, env=NO_DEVICES)
        self.refused(3, "run", KERNELS, "where", "--grid", 1, "--device", DEVICE, "--compare")
        self.assertEqual(self.qiao("doctor", env=NO_DEVICES).returncode, 3)
        self.assertEqual(self.qiao(*WHERE, "--reference", "out=zeros:u32[4]").returncode, 4)

    def test_help_lists_them(self):
        self.assertRegex(self.good("--help").stdout, r"Exit codes:(\n  [0-5]  \w.*){6}\n")
        for verb in ("list", "info", "doctor", "run", "cc", "why", "lint", "cache", "cache show", "cache clear", "package", "package inspect", "package add",
                     "package strip", "package verify", "plugin", "plugin new", "plugin check", "plugin inspect", "plugin try", "plugin open",
                     "completion"):
            self.assertIn("Usage: qiao " + verb, self.good(*verb.split(), "--help").stdout)
        self.assertNotIn("--tell", self.good("plugin", "inspect", "--help").stdout)

    def test_version(self):
        self.assertRegex(self.good("--version").stdout, r"^qiao \d+\.\d+\.\d+, library \d+\.\d+\.\d+\n$")

    def test_doctor_strict(self):
        broken = self.folder / "plugins.d"
        broken.mkdir()
        (broken / "broken.json").write_text("{")
        environment = {"QIAO_PLUGIN_PATH": str(broken)}
        done = self.qiao("doctor", "--strict", env=environment)
        self.assertEqual(done.returncode, 1)
        self.assertIn("bad-manifest", done.stdout)
        report = json.loads(self.qiao("doctor", "--json", env=environment).stdout)
        self.assertTrue(report["problem"])

    def formats(self, **environment):
        """The checks of formats that doctor makes, by format, and the report."""
        report = json.loads(self.qiao("doctor", "--json", env=environment).stdout)
        return {check["name"].removeprefix("format "): check for check in report["checks"] if check["name"].startswith("format ")}, report

    def test_doctor_checks_the_tools_of_every_format(self):
        formats, report = self.formats()
        self.assertEqual(list(formats), ["opencl-c+offset", "spirv-opencl", "spirv-vulkan", "spirv-vulkan+offset", "host-elf", "ptx", "amdgcn"])
        self.assertEqual({check["state"] for check in formats.values()}, {"ok"})
        self.assertFalse(report["problem"])
        (compiler,) = (check for check in report["checks"] if check["name"] == "compiler")
        self.assertIn("clang: /", compiler["detail"])
        self.assertIn("optional; libclc: /", formats["ptx"]["detail"])
        self.assertIn("pocl 3.1: /", formats["host-elf"]["detail"])
        self.assertRegex(formats["spirv-opencl"]["detail"], r"^optional; llvm-spirv: /\S+; spirv-val: /\S+$")
        self.assertEqual(formats["opencl-c+offset"]["detail"], "optional; no further tool")
        for check in formats.values():  # what all need is said once
            self.assertNotIn("clang: /", check["detail"])
            self.assertEqual(check["detail"].startswith("optional; "), check is not formats["host-elf"])

    def test_doctor_says_what_a_format_lacks_and_what_to_install(self):
        formats, report = self.formats(QIAO_LIBCLC="/none", QIAO_ROCM_DEVICE_LIBS="/none", QIAO_CLSPV="/none", QIAO_LLVM_SPIRV="/none")
        self.assertFalse(report["problem"])  # they are optional
        for name, variable in {"ptx": "QIAO_LIBCLC", "amdgcn": "QIAO_ROCM_DEVICE_LIBS", "spirv-vulkan": "QIAO_CLSPV",
                               "spirv-vulkan+offset": "QIAO_CLSPV", "spirv-opencl": "QIAO_LLVM_SPIRV"}.items():
            self.assertEqual(formats[name]["state"], "warning")
            self.assertIn(f"optional; {variable} names '/none'", formats[name]["detail"])
            self.assertIn(variable, formats[name]["remedy"])
        self.assertEqual(formats["host-elf"]["state"], "ok")

        formats, _ = self.formats(QIAO_SPIRV_VAL="/none")  # variants are made without it
        self.assertEqual(formats["spirv-opencl"]["state"], "ok")
        self.assertIn("spirv-val: none; modules are not checked (apt install spirv-tools)", formats["spirv-opencl"]["detail"])

        formats, report = self.formats(QIAO_POCLCC="/none")
        self.assertTrue(report["problem"])
        self.assertEqual(formats["host-elf"]["state"], "problem")
        self.assertEqual({check["state"] for name, check in formats.items() if name != "host-elf"}, {"ok"})

        only_clang = self.folder / "bin"
        only_clang.mkdir()
        (only_clang / "clang-15").symlink_to(shutil.which("clang-15"))
        formats, _ = self.formats(PATH=str(only_clang))
        self.assertIn("apt install llvm-spirv-15", formats["spirv-opencl"]["remedy"])
        self.assertIn("apt install lld-15", formats["amdgcn"]["remedy"])
        self.assertIn("apt install libpocl-dev", formats["host-elf"]["remedy"])

    def test_doctor_without_the_compiler_itself_checks_no_format(self):
        formats, report = self.formats(PATH=str(self.folder))
        self.assertEqual(formats, {})
        (compiler,) = (check for check in report["checks"] if check["name"] == "compiler")
        self.assertEqual(compiler["state"], "problem")
        self.assertIn("apt install clang-15", compiler["remedy"])

    def test_doctor_tells_how_plugins_were_probed(self):
        def probes(**environment):
            report = json.loads(self.qiao("doctor", "--json", env=environment).stdout)
            # Where the hardware is not there that a manifest names, nothing is tried out.
            return {one["plugin"]: one["probe"] for one in report["candidates"] if one["state"] != "no-devices"}

        self.assertEqual(set(probes().values()), {"known"})
        folder = self.folder / "plugins.d"
        folder.mkdir()
        ours = next(one for one in self.json("doctor")["candidates"] if one["plugin"] == "mock")
        (folder / "mock.json").write_text(json.dumps(
            {"qiao_manifest": 1, "id": "mock", "library": ours["library"], "abi": {"major": 1, "minor": 0}}))
        (folder / "late.json").write_text((folder / "mock.json").read_text())
        outside = {"QIAO_PLUGIN_PATH": str(folder), "XDG_CACHE_HOME": str(self.folder / "cache")}
        self.assertEqual(probes(**outside)["mock"], "")  # the last of three: its id is taken
        shown = self.qiao("doctor", env=outside).stdout
        self.assertIn("(probed before)", shown)
        self.assertIn("(probed in a process of its own)", self.qiao("doctor", env={**outside, "QIAO_PROBE": "child"}).stdout)
        self.assertIn("(not probed)", self.qiao("doctor", env={**outside, "QIAO_PROBE": "inprocess"}).stdout)
        self.assertIn("(installed with Qiao)", self.good("doctor").stdout)

    def test_a_full_disk(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([QIAO, "list", "--json"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("No space left", done.stderr)


class Streams(QiaoTest):
    def test_data_on_stdout_only(self):
        self.assertEqual(self.good("list", env={"QIAO_LOG": "error"}).stderr, "")
        done = self.good("list", env=NO_DEVICES)
        self.assertEqual(done.stdout, "")
        self.assertIn("qiao doctor", done.stderr)
        ids = self.good("list", "--ids").stdout.splitlines()
        self.assertEqual(ids, [device["id"] for device in self.json("list")["devices"]])

    def on_terminal(self, *words, **environment):
        """What is shown when stdout is a terminal."""
        main, side = pty.openpty()
        variables = {**os.environ, "TERM": "xterm", **environment}
        variables.pop("NO_COLOR", None) if "NO_COLOR" not in environment else None
        process = subprocess.Popen([QIAO, *words], stdout=side, stderr=subprocess.DEVNULL, env=variables)
        os.close(side)
        shown = b""
        while True:
            try:
                part = os.read(main, 65536)
            except OSError:  # the other side is closed
                break
            if not part:
                break
            shown += part
        os.close(main)
        self.assertEqual(process.wait(timeout=60), 0)
        return shown

    def test_colour_on_terminals_only(self):
        self.assertIn(b"\x1b[", self.on_terminal("list"))
        self.assertNotIn(b"\x1b[", self.on_terminal("list", NO_COLOR="1"))
        self.assertNotIn(b"\x1b[", self.on_terminal("list", TERM="dumb"))
        self.assertNotIn(b"\x1b[", self.on_terminal("list", "--json"))
        self.assertNotIn("\x1b[", self.good("list").stdout)

    def test_names_of_files_cannot_control_the_terminal(self):
        self.assertNotIn("\x1b", self.qiao("run", "a\x1b[2Jb.cl", "--grid", 1).stderr)


class Completion(QiaoTest):
    def complete(self, line):
        """What bash offers for a line."""
        folder = os.path.dirname(QIAO)
        script = ('PATH=$1:$PATH; eval "$(qiao completion bash)"; COMP_LINE=$2; COMP_POINT=${#2}; '
                  'COMP_WORDBREAKS=$\' \\t\\n"\\\'><=;|&(:\'; _qiao; printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "--norc", "-c", script, "bash", folder, line], cwd=self.folder, text=True,
                              capture_output=True, timeout=60, check=True)
        self.assertNotIn("bash:", done.stderr)
        return done.stdout.split()

    def test_verbs_and_options(self):
        self.assertEqual(self.complete("qiao "), ["list", "info", "topo", "doctor", "run", "cc", "why", "lint", "package", "plugin", "cache", "completion", "--help", "--version"])
        self.assertEqual(self.complete("qiao lis"), ["list"])
        self.assertIn("--tolerance-ulp", self.complete("qiao run x.cl --tol"))
        self.assertEqual(self.complete("qiao completion z"), ["zsh"])
        self.assertEqual(self.complete("qiao plugin "), ["new", "check", "inspect", "try", "open", "-h", "--help"])

    def test_every_option_of_the_help_is_offered(self):
        for verb in ("list", "info", "doctor", "run", "cc", "why", "lint", "cache show", "cache clear", "package inspect", "package add", "package strip", "package verify",
                     "plugin new", "plugin check"):
            for option in re.findall(r"(?<!\w)(--[a-z][a-z-]+)", self.good(*verb.split(), "--help").stdout.split("SPEC, what")[0]):
                self.assertIn(option, self.complete(f"qiao {verb} {option}"), verb)

    def test_devices(self):
        ids = self.good("list", "--ids").stdout.split()
        self.assertEqual(self.complete("qiao run x.cl --device "), ids)
        self.assertEqual(self.complete("qiao info "), ids)
        plugin, colon, index = DEVICE.partition(":")
        self.assertIn(index, self.complete(f"qiao info {plugin}{colon}"))  # bash keeps what stands before ':'

    def test_files(self):
        (self.folder / "kernel one.cl").touch()
        self.assertEqual(self.complete("qiao run ker"), ["kernel", "one.cl"])

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh_reads_its_script(self):
        script = 'autoload -Uz compinit && compinit -u -D; eval "$($1 completion zsh)"; whence -w _qiao; print $_comps[qiao]'
        done = subprocess.run(["zsh", "-f", "-c", script, "zsh", QIAO], text=True, capture_output=True, timeout=60, check=True)
        self.assertEqual(done.stdout, "_qiao: function\n_qiao\n", done.stderr)
        self.assertEqual(done.stderr, "")

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_fish_completes(self):
        script = "set PATH $argv[1] $PATH; qiao completion fish | source; complete -C 'qiao run x.cl --tol'"
        done = subprocess.run(["fish", "--no-config", "-c", script, os.path.dirname(QIAO)], text=True, capture_output=True,
                              timeout=60, check=True)
        self.assertIn("--tolerance-ulp", done.stdout)


if __name__ == "__main__":
    unittest.main()
