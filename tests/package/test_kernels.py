#!/usr/bin/env python3
"""qiao_add_kernels of the installed package: kernels are part of the program, and follow what they include."""

import pathlib
import shutil
import unittest

from support import CMAKE, PackageTest

HERE = pathlib.Path(__file__).resolve().parent


class Kernels(PackageTest):
    def project(self, language):
        """A copy of the project, built; its sources and its build folder."""
        source = self.folder / f"{language} sources"
        shutil.copytree(HERE / "kernels", source)
        return source, self.build(source, f"{language} build", f"-DLANGUAGE={language}", "-G", "Ninja")

    def value(self, build):
        return int(self.run_in(build, build / "program", env={"QIAO_VISIBLE_DEVICES": "mock:0"}))

    def test_kernels_are_part_of_the_program_and_follow_their_includes(self):
        source, build = self.project("C")
        self.assertEqual(self.value(build), 15)
        self.assertIn("no work to do", self.run_in(build, CMAKE, "--build", "."))
        (source / "include/base.h").write_text("#define BASE 2\n")
        self.assertIn("Compiling kernels kernels/add-base.cl", self.run_in(build, CMAKE, "--build", "."))
        self.assertEqual(self.value(build), 25)

    def test_a_mistake_in_a_kernel_fails_the_build_with_its_line(self):
        source, build = self.project("CXX")
        self.assertEqual(self.value(build), 15)
        (source / "kernels/add-base.cl").write_text("kernel void add_base(global int* x) {\n  x[0] = nothing;\n}\n")
        self.assertIn("kernels/add-base.cl:2:10: ", self.run_in(build, CMAKE, "--build", ".", code=1))

    def test_make_follows_includes_too(self):
        source = self.folder / "make sources"
        shutil.copytree(HERE / "kernels", source)
        build = self.build(source, "make build", "-DLANGUAGE=C", "-G", "Unix Makefiles")
        (source / "include/base.h").write_text("#define BASE 3\n")
        self.run_in(build, CMAKE, "--build", ".")
        self.assertEqual(self.value(build), 35)


if __name__ == "__main__":
    unittest.main()
