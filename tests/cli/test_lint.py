#!/usr/bin/env python3
"""`qiao lint`: each kind of defect is found where it is, a sound kernel passes, and what cannot be run says why."""

import unittest

from support import QiaoTest

SOURCE = """#include "helper.h"
kernel void race(global int* x) {
    x[0] += get_global_id(0);
}
kernel void local_race(global int* x, local int* t) {
    t[get_local_id(0)] = x[get_global_id(0)];
    x[get_global_id(0)] = t[(get_local_id(0) + 1) % get_local_size(0)];
}
kernel void beyond(global int* x, int at) {
    x[at] = 1;
}
kernel void never_written(global int* x, local int* t) {
    x[get_global_id(0)] = t[get_local_id(0)];
}
kernel void apart(global int* x) {
    if (get_local_id(0) < 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    x[get_global_id(0)] = 1;
}
kernel void elsewhere(global int* x) {
    help(x);
}
kernel void sound(global int* x, int by) {
    x[get_global_id(0)] += by;
}
"""


class Lint(QiaoTest):
    def setUp(self):
        super().setUp()
        (self.folder / "k.cl").write_text(SOURCE)
        (self.folder / "helper.h").write_text("// one line\nvoid help(global int* x) { x[get_global_id(0) + 100] = 4; }\n")

    def findings(self, kernel, *words, code=5):
        report = self.json("lint", "k.cl", kernel, *words, code=code)
        self.assertEqual(list(report), ["schema", "file", "result", "findings"])
        self.assertEqual(report["schema"], "qiao.lint/1")
        return report["findings"]

    def one(self, kernel, kind, line, *words, file="k.cl"):
        findings = self.findings(kernel, *words)
        self.assertEqual({(one["kind"], one["kernel"]) for one in findings}, {(kind, kernel)}, findings)
        self.assertIn((file, line), {(one["file"], one["line"]) for one in findings}, findings)
        return findings

    def test_a_race_in_global_memory(self):
        for finding in self.one("race", "race", 3, "-a", "zeros:i32[4]", "--grid", 4):
            self.assertEqual((finding["other_file"], finding["other_line"]), ("k.cl", 3))
            self.assertIn("global memory", finding["message"])
            self.assertNotIn("0x", finding["message"])

    def test_a_race_in_local_memory(self):
        findings = self.findings("local_race", "-a", "zeros:i32[4]", "-a", "local:i32[4]", "--grid", 4)
        races = [one for one in findings if one["kind"] == "race"]
        self.assertEqual({frozenset((one["line"], one["other_line"])) for one in races}, {frozenset((6, 7))})
        self.assertGreater(sum(one["count"] for one in races), 1)

    def test_an_access_out_of_bounds(self):
        (finding,) = self.one("beyond", "out-of-bounds", 10, "-a", "zeros:i32[4]", "-a", 4, "--grid", 1)
        self.assertIn("write of size 4", finding["message"])
        self.assertEqual(self.findings("beyond", "-a", "zeros:i32[4]", "-a", 3, "--grid", 1, code=0), [])

    def test_a_value_that_was_never_written(self):
        (finding,) = self.one("never_written", "uninitialised", 13, "-a", "zeros:i32[4]", "-a", "local:i32[4]", "--grid", 4)
        self.assertEqual(finding["count"], 4)

    def test_work_items_that_do_not_meet(self):
        self.one("apart", "divergence", 17, "-a", "zeros:i32[4]", "--grid", 4)

    def test_a_defect_in_an_included_file(self):
        self.one("elsewhere", "out-of-bounds", 2, "-a", "zeros:i32[4]", "--grid", 4, file="helper.h")

    def test_a_sound_kernel(self):
        done = self.good("lint", "k.cl", "sound", "-a", "range:i32[8]", "-a", "by=-1", "--grid", 8, "--group", 4)
        self.assertEqual(done.stdout, "")
        self.assertIn("nothing found", done.stderr)

    def test_text_has_place_kind_and_count(self):
        done = self.qiao("lint", "k.cl", "never_written", "-a", "zeros:i32[4]", "-a", "local:i32[4]", "--grid", 4)
        self.assertEqual(done.returncode, 5)
        self.assertRegex(done.stdout, r"^k\.cl:13:\d+: uninitialised: .*\(kernel never_written, 4 times\)\n$")

    def test_a_package(self):
        self.good("cc", "k.cl", "-o", "k.qpk", "--formats", "opencl-c")
        report = self.json("lint", "k.qpk", "beyond", "-a", "zeros:i32[4]", "-a", 4, "--grid", 1, code=5)
        self.assertEqual(report["findings"][0]["line"], 10)

    def test_what_cannot_be_run(self):
        message = self.refused(2, "lint", "k.cl", "none", "--grid", 1)
        self.assertEqual(message.count("no kernel 'none'"), 1)
        self.assertIn("--grid is required", self.refused(2, "lint", "k.cl", "race"))
        (self.folder / "bad.cl").write_text("kernel void f(global int* x) {\n  x[0] = missing;\n}\n")
        self.assertIn("undeclared identifier 'missing'", self.refused(1, "lint", "bad.cl", "-a", "zeros:i32[1]", "--grid", 1))
        report = self.json("lint", "bad.cl", "-a", "zeros:i32[1]", "--grid", 1, code=1)
        self.assertEqual((report["schema"], report["status"]), ("qiao.error/1", "QIAO_ERROR_BUILD"))

    def test_without_oclgrind(self):
        message = self.refused(1, "lint", "k.cl", "sound", "-a", "zeros:i32[1]", "-a", 1, "--grid", 1, env={"QIAO_OCLGRIND": "/nowhere/x.so"})
        self.assertIn("/nowhere/x.so, which is no file", message)


if __name__ == "__main__":
    unittest.main()
