#!/usr/bin/env python3
"""`qiao plugin new`: the project builds against the installed Qiao alone, and its own tests pass."""

import os
import pathlib
import re
import time
import unittest

from support import PackageTest


HERE = pathlib.Path(__file__).resolve().parent


class NewPlugin(PackageTest):
    def test_from_nothing_to_a_green_level_0(self):
        start = time.monotonic()
        printed = self.qiao("plugin", "new", "my-card")
        project = self.folder / "my-card"
        self.assertIn("my-card/device.c", printed)
        self.assertIn("cmake -S . -B build", printed)
        ci = {"QIAO_PREFIX": str(self.prefix)}
        printed = self.run_in(project, project / ".ci/run", env={**ci, "REQUIRE_DEVICE": "OFF"})
        print(f"from `qiao plugin new` to a green level 0: {time.monotonic() - start:.1f} s")
        self.assertIn("my-card.level1 ...................***Skipped", printed)
        self.assertIn("CMAKE_BUILD_TYPE:STRING=RelWithDebInfo\n", (project / "build/CMakeCache.txt").read_text())
        self.assertIn("FINDING: there is no device", self.run_in(project, project / ".ci/run", env=ci, code=8))
        self.assertTrue(os.access(project / ".ci/run", os.X_OK))
        for path in project.rglob("*"):
            if path.is_file() and "build" not in path.relative_to(project).parts:
                self.assertNotIn("skeleton", path.name + path.read_text().lower())
        self.run_in(self.folder, "cmake", "--install", project / "build", "--prefix", self.prefix)
        self.assertIn("no-devices  my-card 0.1.0", self.qiao("doctor"))

    def written(self, name, change=lambda file, words: words):
        """A project whose sources are the tutorial's, as somebody may have written them under this name."""
        self.qiao("plugin", "new", name)
        project = self.folder / name
        for source in (*project.glob("*.c"), *project.glob("*.h")):
            source.unlink()
        for source in (self.prefix / "share/qiao/plugins/tutorial").iterdir():
            if source.suffix in (".c", ".h"):
                words = change(source.name, source.read_text())
                (project / source.name.replace("tutorial", name)).write_text(re.sub("tutorial", name, words))
        rules = (project / "CMakeLists.txt").read_text()
        (project / "CMakeLists.txt").write_text(re.sub(r"SOURCES .*", "SOURCES plugin.c device.c memory.c program.c kernels.c", rules))
        (project / "names.txt").write_text("vector_add\n")
        return project

    def check_levels(self, project):
        name = project.name
        printed = self.run_in(project, project / ".ci/run", f"-D{name.upper()}_FORMAT={name}-host", f"-D{name.upper()}_KERNELS={project}/names.txt",
                              env={"QIAO_PREFIX": str(self.prefix)})
        self.assertRegex(printed, rf"{name}\.level0 \.+ +Passed")
        self.assertRegex(printed, rf"{name}\.level1 \.+ +Passed")

    def test_level_1_runs_a_kernel_of_the_cards_own(self):
        self.check_levels(self.written("card"))
        wrong = self.written("wrong", lambda file, words: words.replace("arguments.a[i] + arguments.b[i]", "arguments.a[i]"))
        with self.assertRaisesRegex(AssertionError, "1000 elements of 'sum' 1000 differ from range:f32"):
            self.check_levels(wrong)

    def test_the_guides_loop_for_a_card_with_handles(self):
        guide = (self.prefix / "share/qiao/hal/docs/plugin_guide.md").read_text()
        (loop,) = re.findall(r"^```c\n(.*?)^```$", guide, re.S | re.M)
        launch = """
typedef struct card_kernel {
    const handles_kernel* kernel;
    const qiao_plugin_kernel_desc* desc;
} card_kernel;

static qiao_status handles_kernel_launch(void* device, void* kernel_, const qiao_plugin_geometry* geometry,
                                         const void* block, const qiao_plugin_binding* bindings) {
    const card_kernel* kernel = kernel_;
    card_argument arguments[8];
    unsigned char card[256];
    uint32_t group[3] = {0, 0, 0};
    card_arguments(kernel->desc, block, bindings, arguments);
    for (uint32_t i = 0; i < kernel->desc->argument_count; ++i) { /* what the card makes of it */
        const qiao_plugin_argument* argument = &kernel->desc->arguments[i];
        char* pointer = arguments[i].handle == 0 ? NULL : (char*)(uintptr_t)arguments[i].handle + arguments[i].offset;
        if (argument->kind == QIAO_ARGUMENT_KIND_ADDRESS) memcpy(card + argument->offset, &pointer, sizeof(pointer));
        else memcpy(card + argument->offset, arguments[i].bytes, argument->kind == QIAO_ARGUMENT_KIND_LOCAL ? 4 : argument->size_bytes);
    }
    for (group[0] = 0; group[0] < geometry->group_count[0]; ++group[0])
        kernel->kernel->run(geometry, group, card, ((handles_device*)device)->local);
    return QIAO_OK;
}
"""
        types = """
typedef struct card_allocation {
    uint64_t handle;
} card_allocation;
typedef struct card_argument {
    uint64_t handle, offset;
    unsigned char bytes[64];
} card_argument;
"""

        def with_handles(file, words):
            if file == "device.c":
                words = words.replace("QIAO_PLUGIN_DEVICE_SIMULATED", "QIAO_PLUGIN_DEVICE_SIMULATED | QIAO_PLUGIN_DEVICE_ARGUMENTS_RESOLVED")
                words = words.replace(" | QIAO_FEATURE_ADDRESSES", "").replace("    out_info->address_bits = 64;\n", "")
            if file == "memory.c":  # a handle is the number that begins what the allocation points to: here, where the bytes are
                words = re.sub(r"    out_allocation->address = .*\n", "", words)
            if file == "program.c":
                begin, end = words.index("static qiao_status tutorial_kernel_launch"), words.index("const qiao_plugin_program_ops")
                words = words[:begin] + types + loop + launch + words[end:]
                words = words.replace("    out_kernel->kernel = (void*)(uintptr_t)kernel;", "    card_kernel* found = calloc(1, sizeof(card_kernel)); /* not freed: a test */\n"
                                      "    found->kernel = kernel;\n    found->desc = desc;\n    out_kernel->kernel = found;")
                find = words.index("static qiao_status tutorial_kernel_find")
                declared = launch[launch.index("typedef"):launch.index("static qiao_status")]
                words = words[:find] + declared + words[find:].replace(declared, "")
            return words

        self.check_levels(self.written("handles", with_handles))
        listed = self.qiao("info", "handles", env={"QIAO_PLUGIN_PATH": str(self.folder / "handles/build/lib/qiao/plugins.d")})
        self.assertIn("emulated", next(line for line in listed.splitlines() if "addresses" in line))

    def test_a_card_that_takes_compiled_kernels_runs_every_sample(self):
        def for_the_host(file, words):
            if file == "program.c":
                words = (HERE / "host_card/program.c").read_text()
            words = words.replace('"tutorial-host"', '"host-elf"')
            return words.replace("local[TUTORIAL_LOCAL_BYTES / 8]", "local[TUTORIAL_LOCAL_BYTES / 8 + 16]")  # for its alignment

        project = self.written("own", for_the_host)
        rules = (project / "CMakeLists.txt").read_text()
        (project / "CMakeLists.txt").write_text(rules.replace(" kernels.c", ""))
        card = {"QIAO_PLUGIN_PATH": str(self.build(project, "own/build") / "lib/qiao/plugins.d")}
        samples = self.build(self.prefix / "share/qiao/samples", "samples")
        names = sorted(path.stem for path in (self.prefix / "share/qiao/samples").glob("0*.c*"))
        self.assertGreaterEqual(len(names), 8)
        for name in names:
            devices = ["all"] if "list" in name else ["own", "mock"] if "two" in name else ["own"]
            with self.subTest(sample=name):
                print(name, self.run_in(samples, samples / name, *devices, env=card))

    def test_sources_are_cplusplus_as_well(self):
        self.qiao("plugin", "new", "cxx")
        for source in (self.folder / "cxx").glob("*.c"):
            self.run_in(self.folder, "c++", "-std=c++20", "-Wall", "-Werror", "-fsyntax-only", "-x", "c++",
                        f"-I{self.prefix / 'include'}", '-DQIAO_PLUGIN_ID="cxx"', '-DQIAO_PLUGIN_VERSION="1"', source)

    def test_any_name_a_manifest_takes(self):
        for index, name in enumerate(("910b", "-", "_x", "a" * 32)):
            target = self.folder / f"name {index}"
            self.qiao("plugin", "new", "--dir", target, "--", name)
            folder = self.build(target, f"build {index}")
            self.assertIn(f"plugin {name} 0.1.0",
                          self.qiao("plugin", "check", folder / f"lib/qiao/qiao_plugin_{name}.so"))

    def test_names_that_no_plugin_may_have(self):
        for name in ("", "Card", "a b", "a.b", "../x", "core", "a" * 33, "é"):
            printed = self.qiao("plugin", "new", name, code=2)
            self.assertIn(f"'{name}' cannot be the name of a plugin", printed)
            self.assertIn("a-z, 0-9, _ and -", printed)

    def test_what_exists_is_left_alone(self):
        (self.folder / "taken").mkdir()
        (self.folder / "taken" / "mine").write_text("mine")
        (self.folder / "link").symlink_to("nowhere")
        for name in ("taken", "link"):
            self.assertIn(f"there is already something at {name}", self.qiao("plugin", "new", name, code=2))
        self.assertEqual([path.name for path in (self.folder / "taken").iterdir()], ["mine"])
        self.assertIn("cannot be written", self.qiao("plugin", "new", "x", "--dir", "taken/mine/x", code=1))


if __name__ == "__main__":
    unittest.main()
