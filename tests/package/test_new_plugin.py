#!/usr/bin/env python3
"""`qiao plugin new`: the project builds against the installed Qiao alone, and its own tests pass."""

import os
import time
import unittest

from support import PackageTest


class NewPlugin(PackageTest):
    def test_from_nothing_to_a_green_level_0(self):
        start = time.monotonic()
        printed = self.qiao("plugin", "new", "my-card")
        project = self.folder / "my-card"
        self.assertIn("my-card/device.c", printed)
        self.assertIn("cmake -S . -B build", printed)
        self.run_in(project, project / ".ci/run", env={"QIAO_PREFIX": str(self.prefix)})
        print(f"from `qiao plugin new` to a green level 0: {time.monotonic() - start:.1f} s")
        self.assertTrue(os.access(project / ".ci/run", os.X_OK))
        for path in project.rglob("*"):
            if path.is_file() and "build" not in path.relative_to(project).parts:
                self.assertNotIn("skeleton", path.name + path.read_text().lower())
        self.run_in(self.folder, "cmake", "--install", project / "build", "--prefix", self.prefix)
        self.assertIn("no-devices  my-card 0.1.0", self.qiao("doctor"))

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
