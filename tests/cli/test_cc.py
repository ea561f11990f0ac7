#!/usr/bin/env python3
"""`qiao cc` as build systems use it: packages, dependency files, embedded source, warnings, what makes it fail."""

import os
import subprocess
import unittest

from support import QIAO, QiaoTest

SCALE = "kernel void scale(global float* x, float f) { x[get_global_id(0)] *= f; }\n"
FAST = ["--formats", "opencl-c+offset"]  # no tool besides clang


class Cc(QiaoTest):
    def setUp(self):
        super().setUp()
        self.write("scale.cl", SCALE)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def cc(self, *words, **more):
        return self.good("cc", "scale.cl", "-o", "scale.qpk", *words, **more)

    def formats(self):
        return [variant["format"] for variant in self.json("package", "inspect", "scale.qpk")["variants"]]

    def test_every_variant_by_default(self):
        done = self.cc()
        self.assertEqual((done.stdout, done.stderr), ("", ""))
        formats = self.formats()
        for each in ["opencl-c", "opencl-c+offset", "spirv-opencl", "spirv-vulkan", "host-elf", "ptx", "amdgcn"]:
            self.assertIn(each, formats)

    def test_the_same_bytes_each_time(self):
        self.cc("--no-cache")
        first = (self.folder / "scale.qpk").read_bytes()
        self.cc("--no-cache")
        self.assertEqual((self.folder / "scale.qpk").read_bytes(), first)

    def test_nothing_is_compiled_again_until_an_input_changes(self):
        self.write("factor.h", "#define FACTOR 2\n")
        self.write("scale.cl", '#include "factor.h"\nkernel void k(global int* x) { x[0] = FACTOR; }\n')
        env = {"XDG_CACHE_HOME": str(self.folder / "cache")}
        def cached():
            return self.json("cc", "scale.cl", "-o", "scale.qpk", *FAST, env=env)["from_cache"]
        self.assertEqual([cached(), cached()], [False, True])
        self.write("factor.h", "#define FACTOR 3\n")
        self.assertEqual([cached(), cached()], [False, True])

    def test_json(self):
        report = self.json("cc", "scale.cl", "-o", "scale.qpk", *FAST)
        self.assertEqual(list(report), ["schema", "output", "size_bytes", "from_cache", "log", "kernels", "variants"])
        self.assertEqual((report["schema"], report["output"], report["kernels"]), ("qiao.cc/1", "scale.qpk", ["scale"]))
        self.assertEqual(report["size_bytes"], (self.folder / "scale.qpk").stat().st_size)
        self.assertEqual(list(report["variants"][0]), ["format", "target", "tool", "size_bytes"])

    def test_macros_folders_and_options(self):
        self.write("inc dir/n.h", "#define M 3\n")
        self.write("scale.cl", "#include <n.h>\nkernel void k(global int* x) { x[0] = N * M; }\n")
        self.cc("-D", "N=2", "-I", "inc dir", "-cl-fast-relaxed-math", "--options", "-cl-mad-enable", *FAST)
        self.assertIn("'bogus'", self.refused(2, "cc", "scale.cl", "-o", "x.qpk", "bogus"))
        self.assertIn("-cl-bogus", self.refused(2, "cc", "scale.cl", "-o", "x.qpk", "-cl-bogus"))

    def test_the_dependency_file_is_a_rule_of_make(self):
        self.write("inc $1/deep #2.h", "#define N 1\n")
        self.write("scale.cl", '#include "inc $1/deep #2.h"\nkernel void k(global int* x) { x[0] = N; }\n')
        self.cc("--depfile", "scale.d", *FAST)
        # make itself judges: what it would do once a file is newer.
        self.write("Makefile", f"all: {self.folder}/scale.qpk\n-include scale.d\n%.qpk:\n\t@echo made again\n")
        make = lambda: subprocess.run(["make", "-s"], cwd=self.folder, text=True, capture_output=True).stdout
        self.assertNotIn("made again", make())
        os.utime(self.folder / "inc $1/deep #2.h", (2e9, 2e9))
        self.assertIn("made again", make())

    def test_an_embedded_package_is_the_package(self):
        self.write("two-words.cl", SCALE)
        self.good("cc", "two-words.cl", "-o", "two-words.qpk", "--embed", "gen", *FAST)
        self.write("main.cpp", '#include "two_words_qpk.h"\n#include <stdio.h>\n'
                   "int main() { fwrite(two_words_qpk, 1, two_words_qpk_size, stdout); }\n")
        for compiler, name in [("cc", "two_words_qpk.c"), ("c++", "main.cpp")]:
            subprocess.run([compiler, "-Wall", "-Wextra", "-Werror", "-Igen", "-c", ("gen/" if name.endswith(".c") else "") + name],
                           cwd=self.folder, check=True)
        subprocess.run(["c++", "two_words_qpk.o", "main.o", "-o", "print"], cwd=self.folder, check=True)
        printed = subprocess.run(["./print"], cwd=self.folder, capture_output=True, check=True).stdout
        self.assertEqual(printed, (self.folder / "two-words.qpk").read_bytes())

    def test_errors_and_warnings_have_file_and_line(self):
        self.write("bad.cl", "kernel void k(global int* x) {\n  x[0] = y;\n}\n")
        said = self.refused(1, "cc", "bad.cl", "-o", "bad.qpk", *FAST)
        self.assertIn("bad.cl:2:10: ", said)
        self.assertFalse((self.folder / "bad.qpk").exists())
        self.write("scale.cl", "#warning look here\n" + SCALE)
        self.assertRegex(self.cc(*FAST).stderr, r"(?m)^scale\.cl:1:2: warning: look here")
        self.assertIn("scale.cl:1:2: error: look here", self.refused(1, "cc", "scale.cl", "-o", "x.qpk", "-Werror", *FAST))
        self.write("scale.cl", '\n#include "missing.h"\n')
        self.assertIn("scale.cl:2:10: 'missing.h' file not found", self.refused(1, "cc", "scale.cl", "-o", "x.qpk"))

    def test_images_and_samplers_are_refused_with_the_reason(self):
        self.write("scale.cl", "kernel void k(read_only image2d_t i, global float4* x) { }\n")
        self.assertIn("images are not supported", self.refused(1, "cc", "scale.cl", "-o", "x.qpk"))
        self.write("scale.cl", "kernel void k(sampler_t s, global float4* x) { }\n")
        self.assertIn("samplers are not supported", self.refused(1, "cc", "scale.cl", "-o", "x.qpk"))

    def test_a_missing_tool_is_a_warning_unless_its_format_is_required(self):
        env = {"QIAO_LLD": "/nonexistent/lld"}
        done = self.cc("--formats", "amdgcn", env=env)
        self.assertIn("warning: amdgcn was left out: QIAO_LLD names '/nonexistent/lld'", done.stderr)
        self.assertNotIn("amdgcn", self.formats())
        said = self.refused(1, "cc", "scale.cl", "-o", "x.qpk", "--require", "amdgcn", env=env)
        self.assertIn("QIAO_LLD names", said)
        self.assertIn("cubin", self.refused(1, "cc", "scale.cl", "-o", "x.qpk", "--require", "cubin"))

    def test_a_compiler_that_hangs_or_crashes(self):
        tool = self.write("tool", "#!/bin/sh\nexec sleep 1000\n")
        tool.chmod(0o700)
        said = self.refused(1, "cc", "scale.cl", "-o", "x.qpk", "--time-limit", "0.3", "--no-cache", env={"QIAO_CLANG": str(tool)})
        self.assertIn("did not end within the time limit", said)
        tool.write_text("#!/bin/sh\nkill -SEGV $$\n")
        said = self.refused(1, "cc", "scale.cl", "-o", "x.qpk", "--require", "spirv-opencl", "--no-cache",
                            env={"QIAO_LLVM_SPIRV": str(tool)})
        self.assertIn("llvm-spirv", said)

    def test_places_that_cannot_be_written(self):
        said = self.refused(1, "cc", "scale.cl", "-o", "nowhere/x.qpk", *FAST)
        self.assertIn("nowhere/x.qpk: cannot be written", said)
        cache = self.write("cache", "a file, where a folder is needed")
        done = self.cc(*FAST, env={"XDG_CACHE_HOME": str(cache)})
        self.assertIn("warning: not kept in the cache: ", done.stderr)
        self.assertIn("missing.cl", self.refused(1, "cc", "missing.cl", "-o", "x.qpk"))

    def test_two_processes_compile_the_same_thing(self):
        env = {**os.environ, "XDG_CACHE_HOME": str(self.folder / "cache")}
        def start(name):
            return subprocess.Popen([QIAO, "cc", "scale.cl", "-o", name, *FAST], cwd=self.folder, env=env)
        both = [start("one.qpk"), start("two.qpk")]
        self.assertEqual([process.wait(100) for process in both], [0, 0])
        self.assertEqual((self.folder / "one.qpk").read_bytes(), (self.folder / "two.qpk").read_bytes())
        kept = [path.name for path in (self.folder / "cache").rglob("*") if path.is_file()]
        self.assertEqual(len(kept), 1, kept)

    def test_completion_knows_the_verb(self):
        script = self.good("completion", "bash").stdout
        self.assertRegex(script, r"'cc'\) words='.*--require .*--depfile ")


if __name__ == "__main__":
    unittest.main()
