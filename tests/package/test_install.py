#!/usr/bin/env python3
"""What is installed is complete and may be moved: applications and plugins are built against it as a stranger builds them."""

import pathlib
import shlex
import unittest

from support import PackageTest

HERE = pathlib.Path(__file__).resolve().parent
EXPECTED = """
    bin/qiao
    include/qiao/qiao.h include/qiao/plugin.h include/qiao/compiler.h
    lib/libqiao.so lib/libqiao.so.0 lib/libqiao_compiler.so.0 libexec/qiao/qiao-kernel-reflect
    lib/qiao/qiao_plugin_mock.so lib/qiao/plugins.d/mock.json lib/qiao/qiao_plugin_opencl.so lib/qiao/plugins.d/opencl.json
    lib/cmake/qiao/qiao-config.cmake lib/cmake/qiao/qiao-config-version.cmake lib/cmake/qiao/QiaoKernels.cmake lib/pkgconfig/qiao.pc lib/pkgconfig/qiao-plugin.pc
    share/qiao/LICENSE share/qiao/README.md share/qiao/hal/docs/plugin_guide.md share/qiao/samples/02_vector_add.c
    share/qiao/samples/kernels/vector_add.cl share/qiao/plugins/skeleton/plugin.c share/qiao/plugins/tutorial/plugin.c
""".split()


class Installation(PackageTest):
    def test_everything_is_there(self):
        self.assertEqual([path for path in EXPECTED if not (self.prefix / path).exists()], [])
        self.assertEqual((self.prefix / "lib/libqiao.so").resolve().name, "libqiao.so.0.1.0")
        headers = {path.name for path in (HERE.parents[1] / "hal/include/qiao").iterdir()} | {"compiler.h"}
        self.assertEqual({path.name for path in (self.prefix / "include/qiao").iterdir()}, headers)

    def test_nothing_names_the_place_it_was_installed_to(self):
        first = str(self.folder / "installed").encode()
        naming = [path for path in self.prefix.rglob("*") if path.is_file() and first in path.read_bytes()]
        self.assertEqual(naming, [])

    def test_the_command_works(self):
        self.assertIn("mock:0", self.qiao("list", "--ids").split())
        kernels = self.prefix / "share/qiao/samples/kernels/vector_add.cl"
        out = self.qiao("run", kernels, "vector_add", "-a", "range:f32[8]", "-a", "const:1:f32[8]", "-a", "zeros:f32[8]",
                        "--grid", 8, "--device", "mock:0")
        self.assertIn("1 2 3 4 5 6 7 8", out)  # so the compiler library and its helper are found as well

    def test_an_application_through_find_package(self):
        folder = self.build(HERE / "application", "with cmake")
        self.check_application(self.run_in(folder, folder / "application"))

    def test_an_application_through_pkg_config(self):
        place = {"PKG_CONFIG_PATH": str(self.prefix / "lib/pkgconfig")}
        flags = shlex.split(self.run_in(self.folder, "pkg-config", "--cflags", "--libs", "qiao", env=place))
        self.run_in(self.folder, "cc", "-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror",
                    HERE / "application/application.c", "-o", "application", *flags)
        self.check_application(self.run_in(self.folder, self.folder / "application",
                                           env={"LD_LIBRARY_PATH": str(self.prefix / "lib")}))

    def check_application(self, printed):
        lines = printed.splitlines()
        self.assertEqual(lines[0], "version 0.1.0")
        self.assertEqual(lines[1:], self.qiao("list", "--ids").split())

    def test_the_samples(self):
        folder = self.build(self.prefix / "share/qiao/samples", "samples")
        self.assertIn("sums are right", self.run_in(folder, folder / "02_vector_add", "mock"))

    def test_a_plugin_through_pkg_config(self):
        place = {"PKG_CONFIG_PATH": str(self.prefix / "lib/pkgconfig")}
        cflags = shlex.split(self.run_in(self.folder, "pkg-config", "--cflags", "qiao-plugin", env=place))
        (exports,) = shlex.split(self.run_in(self.folder, "pkg-config", "--variable=exports", "qiao-plugin", env=place))
        sources = sorted((self.prefix / "share/qiao/plugins/tutorial").glob("*.c"))
        self.run_in(self.folder, "cc", "-std=c99", "-fPIC", "-shared", '-DQIAO_PLUGIN_ID="tutorial"',
                    '-DQIAO_PLUGIN_VERSION="0.1.0"', *cflags, *sources, f"-Wl,--version-script={exports}", "-o", "by_hand.so")
        self.assertIn("No problem was found", self.qiao("plugin", "check", "by_hand.so"))


class Plugins(PackageTest):
    def test_a_plugin_project_is_installed_beside_qiao_and_found(self):
        folder = self.build(self.prefix / "share/qiao/plugins/tutorial", "tutorial")
        library = folder / "lib/qiao/qiao_plugin_tutorial.so"
        self.assertIn("No problem was found", self.qiao("plugin", "check", library))
        self.assertIn("CMAKE_BUILD_TYPE:STRING=RelWithDebInfo\n", (folder / "CMakeCache.txt").read_text())
        self.assertNotIn("tutorial", self.qiao("list", "--ids"))
        self.run_in(self.folder, "cmake", "--install", folder, "--prefix", self.prefix)
        self.assertIn("tutorial:0", self.qiao("list", "--ids").split())


if __name__ == "__main__":
    unittest.main()
