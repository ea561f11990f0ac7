#!/usr/bin/env python3
"""`qiao cache` and the cache itself, as several processes see it: bounded, shared, and never a reason to fail."""

import os
import subprocess
import unittest

from support import QIAO, QiaoTest


class Cache(QiaoTest):
    def setUp(self):
        super().setUp()
        self.cache = self.folder / "cache"
        self.env = {"XDG_CACHE_HOME": str(self.cache)}
        self.sources = 0

    def source(self, text="kernel void f(global int* x) { x[0] = %d; }"):
        self.sources += 1
        path = self.folder / f"k{self.sources}.cl"
        path.write_text(text.replace("%d", str(self.sources)))
        return path.name

    def make(self, source, **env):
        return self.good("cc", source, "-o", source + ".qpk", "--formats", "opencl-c", env={**self.env, **env})

    def show(self, **env):
        report = self.json("cache", "show", env={**self.env, **env})
        self.assertEqual(list(report), ["schema", "folder", "size_bytes", "files"])
        self.assertEqual(report["size_bytes"], sum(one["size_bytes"] for one in report["files"]))
        return report

    def kernels(self):
        return [one for one in self.show()["files"] if one["kind"] == "kernels"]

    def test_show_and_clear(self):
        self.assertEqual(self.show()["files"], [])
        for _ in range(2):
            self.make(self.source())
        (self.cache / "qiao" / "notes.txt").write_text("mine")
        (self.cache / "qiao" / "vulkan-1-2-3-ff.pipelines").write_text("bytes")
        report = self.show()
        self.assertEqual(report["folder"], str(self.cache / "qiao"))
        self.assertEqual(sorted(one["kind"] for one in report["files"] if one["kind"] != "plugins"), ["kernels", "kernels", "other", "pipelines"])
        text = self.good("cache", "show", "--files", env=self.env).stdout
        self.assertRegex(text, r"kernels +2 files")
        self.assertIn("notes.txt", text)
        gone = self.json("cache", "clear", "--kind", "kernels", env=self.env)
        self.assertEqual((gone["schema"], [one["kind"] for one in gone["files"]]), ("qiao.cache.clear/1", ["kernels"] * 2))
        self.good("cache", "clear", env=self.env)
        self.assertEqual([one["name"] for one in self.show()["files"]], ["notes.txt"])

    def test_mistakes(self):
        self.assertIn("there is no cache", self.refused(1, "cache", "show", env={"XDG_CACHE_HOME": "", "HOME": ""}))
        self.assertIn("--kind", self.refused(2, "cache", "clear", "--kind", "all", env=self.env))

    def test_a_limit_is_kept_and_the_oldest_goes_first(self):
        first = self.source()
        self.make(first)
        size = self.kernels()[0]["size_bytes"]
        os.utime(self.cache / "qiao" / self.kernels()[0]["name"], (1000, 1000))
        oldest = self.kernels()[0]["name"]
        for _ in range(3):
            self.make(self.source(), QIAO_CACHE_SIZE=str(size * 3))
        names = {one["name"] for one in self.kernels()}
        self.assertNotIn(oldest, names)
        self.assertLessEqual(sum(one["size_bytes"] for one in self.kernels()), size * 3)
        self.assertGreaterEqual(len(names), 2)

    def test_limits_that_keep_nothing_or_are_mistyped(self):
        self.make(self.source(), QIAO_CACHE_SIZE="0")
        self.assertEqual(self.kernels(), [])
        for size in ("64M", "2G", "1K1", "much", "-1"):
            before = len(self.kernels())
            self.make(self.source(), QIAO_CACHE_SIZE=size)
            self.assertEqual(len(self.kernels()), before + 1, size)

    def test_many_processes_compile_the_same_and_other_things_in_a_cache_that_is_too_small(self):
        sources = [self.source() for _ in range(4)]
        self.make(sources[0])
        limit = self.kernels()[0]["size_bytes"] * 2
        self.good("cache", "clear", env=self.env)
        environment = {**os.environ, **self.env, "QIAO_CACHE_SIZE": str(limit)}
        processes = [subprocess.Popen([QIAO, "cc", sources[i % 4], "-o", f"{i}.qpk", "--formats", "opencl-c"], cwd=self.folder, env=environment,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for i in range(12)]
        for process in processes:
            _, errors = process.communicate(timeout=100)
            self.assertEqual((process.returncode, errors), (0, ""))
        for i in range(4):
            packages = {(self.folder / f"{k}.qpk").read_bytes() for k in range(i, 12, 4)}
            self.assertEqual(len(packages), 1, "the same source gave several packages")
        self.make(self.source(), QIAO_CACHE_SIZE=str(limit))
        self.assertLessEqual(sum(one["size_bytes"] for one in self.kernels()), limit)
        self.assertEqual(list((self.cache / "qiao").glob("qiao-new-*")), [])

    def run_on_opencl(self, source):
        self.good("run", source, "-a", "range:i32[4]", "--grid", 4, "--device", "opencl:0", "--reference", "x=const:5:i32[4]", env=self.env)

    def binaries(self):
        return [self.cache / "qiao" / one["name"] for one in self.show()["files"] if one["kind"] == "binaries"]

    def test_binaries_of_opencl_drivers(self):
        self.assertIn("opencl:0", self.good("list", "--ids").stdout)
        source = self.source("kernel void f(global int* x) { x[get_global_id(0)] = 5; }")
        self.run_on_opencl(source)
        (binary,) = self.binaries()
        written = binary.stat().st_ino
        self.run_on_opencl(source)
        self.assertEqual([path.stat().st_ino for path in self.binaries()], [written], "a binary that is there was built again")
        whole = binary.read_bytes()
        for damaged in (b"", whole[:40], whole[:-1], whole.replace(b"QIAOCLB1", b"QIAOCLB0"), whole[:-100] + bytes(100)):
            binary.write_bytes(damaged)
            self.run_on_opencl(source)
            self.assertEqual(binary.read_bytes()[:8], b"QIAOCLB1")
            self.assertGreater(binary.stat().st_size, 100)
        other = self.source("kernel void f(global int* x) { x[get_global_id(0)] = 2 + 3; }")
        self.run_on_opencl(other)
        self.assertEqual(len(self.binaries()), 2)

    def test_a_folder_that_cannot_be_made_is_no_reason_to_fail(self):
        self.cache.write_text("a file in its place")
        source = self.source()
        self.make(source)
        self.good("package", "verify", source + ".qpk")


if __name__ == "__main__":
    unittest.main()
