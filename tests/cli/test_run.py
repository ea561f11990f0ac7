#!/usr/bin/env python3
"""`qiao run`: arguments of every kind, results in files, repetition, what is refused."""

import array
import json
import subprocess
import time
import unittest

from support import DEVICE, KERNELS, MAKE_PACKAGE, QiaoTest, npy, read_npy


class Arguments(QiaoTest):
    def test_arrays_from_files_and_back(self):
        (self.folder / "a.npy").write_bytes(npy("<f4", "(4,)", array.array("f", [1, 2, 3, 4]).tobytes()))
        report = self.run_kernel("add", "-a", "a=@a.npy", "-a", "b=range:f32[4]:10,10", "-a", "sum=zeros:f32[4]", "--grid", 4,
                                 "--out", "sum=sum.npy")
        self.assertEqual(read_npy(self.folder / "sum.npy"), ("<f4", (4,), [11, 22, 33, 44]))
        self.assertEqual(report["result"], "ok")
        self.assertEqual(report["devices"][0]["outputs"],
                         [{"argument": "sum", "dtype": "f32", "shape": [4], "file": "sum.npy"}])

    def test_big_endian_and_fortran_order(self):
        big = array.array("f", range(6))
        big.byteswap()
        (self.folder / "a.npy").write_bytes(npy(">f4", "(2, 3)", big.tobytes(), fortran=True))
        self.run_kernel("add", "-a", "@a.npy", "-a", "const:0:f32[2x3]", "-a", "zeros:f32[2x3]", "--grid", 6, "--out", "2=o.npy")
        self.assertEqual(read_npy(self.folder / "o.npy"), ("<f4", (2, 3), [0, 2, 4, 1, 3, 5]))

    def test_struct_vector_and_local_memory(self):
        self.run_kernel("mixed", "-a", "in=range:i32[8]", "-a", "out=zeros:i32[8x4]", "-a", "p=hex:0200000003000000",
                        "-a", "v=100,200,300,-1", "-a", "scratch=local:i32[4]", "--grid", 8, "--group", 4, "--out", "out=o.npy")
        expected = []
        for i in range(8):
            other = i // 4 * 4 + 3 - i % 4
            expected += [v + other * 2 + 3 for v in (100, 200, 300, -1)]
        self.assertEqual(read_npy(self.folder / "o.npy")[2], expected)

    def test_offset(self):
        self.run_kernel("where", "-a", "zeros:u32[8]", "--grid", 3, "--offset", 4, "--out", "out=o.npy")
        self.assertEqual(read_npy(self.folder / "o.npy")[2], [0, 0, 0, 0, 4, 5, 6, 0])

    def test_defines_and_includes(self):
        (self.folder / "inc dir").mkdir()
        (self.folder / "inc dir/factor.h").write_text("#define FACTOR 3\n")
        (self.folder / "k.cl").write_text('#include "factor.h"\nkernel void f(global int* x) { x[0] = FACTOR * MORE; }\n')
        self.json("run", "k.cl", "-a", "zeros:i32[1]", "--grid", 1, "-I", "inc dir", "-D", "MORE=(2 + 5)", "--device", DEVICE,
                  "--out", "x=o.npy")
        self.assertEqual(read_npy(self.folder / "o.npy")[2], [21])

    def test_repetition_starts_from_the_same_contents(self):
        report = self.run_kernel("increment", "-a", "x=range:i32[4]", "-a", "by=5", "--grid", 4, "--repeat", 7, "--out", "x=o.npy")
        self.assertEqual(read_npy(self.folder / "o.npy")[2], [5, 6, 7, 8])
        times = report["devices"][0]["wall_ns"]
        self.assertLessEqual(0, times["min"])
        self.assertLessEqual(times["min"], times["median"])

    def test_text_shows_the_first_values(self):
        done = self.good("run", KERNELS, "increment", "-a", "range:i32[10]", "-a", "by=-1", "--grid", 10, "--device", DEVICE)
        self.assertIn("-1 0 1 2 3 4 5 6 ...", done.stdout)

    def test_a_picture(self):
        (self.folder / "k.cl").write_text("kernel void invert(global uchar4* p) { p[get_global_id(0)].xyz ^= (uchar3)(255); }")
        run = ["run", "k.cl", "--grid", 6, "--device", DEVICE]
        self.json(*run, "-a", "range:u8[2x3x4]", "--out", "p=a.png")
        self.json(*run, "-a", "@a.png", "--out", "p=b.npy")
        self.assertEqual(read_npy(self.folder / "b.npy"), ("|u1", (2, 3, 4), list(range(24))))  # inverted twice


class Packages(QiaoTest):
    def test_runs_like_its_source(self):
        (self.folder / "k.cl").write_text("kernel void f(global int* x, int by) { x[get_global_id(0)] += by; }")
        subprocess.run([MAKE_PACKAGE, "k.cl", "k.qpk"], cwd=self.folder, check=True)
        (self.folder / "k.cl").unlink()
        self.json("run", "k.qpk", "-a", "range:i32[3]", "-a", "by=7", "--grid", 3, "--device", DEVICE, "--out", "x=o.npy")
        self.assertEqual(read_npy(self.folder / "o.npy")[2], [7, 8, 9])


class TimeLimit(QiaoTest):
    def test_ends_although_the_kernel_does_not(self):
        (self.folder / "k.cl").write_text("kernel void spin(global volatile int* x) { while (x[0] == 0); x[1] = 1; }")
        start = time.monotonic()
        report = self.json("run", "k.cl", "-a", "zeros:i32[2]", "--grid", 1, "--device", DEVICE, "--timeout", 1, code=1)
        self.assertEqual(report["devices"][0]["error"]["status"], "QIAO_TIMEOUT")
        self.assertLess(time.monotonic() - start, 60)


class References(QiaoTest):
    ADD = ["-a", "range:f32[4]", "-a", "const:1:f32[4]", "-a", "zeros:f32[4]", "--grid", 4]

    def test_equal(self):
        report = self.run_kernel("add", *self.ADD, "--reference", "sum=range:f32[4]:1")
        self.assertEqual(report["comparisons"][0]["differing"], 0)
        self.assertEqual(report["comparisons"][0]["first_index"], None)

    def test_different_is_exit_code_4(self):
        wrong = array.array("f", [1, 2.0000002, 3, 4.000001]).tobytes()
        (self.folder / "r.npy").write_bytes(npy("<f4", "(4,)", wrong))
        report = self.run_kernel("add", *self.ADD, "--reference", "sum=@r.npy", code=4)
        self.assertEqual(report["result"], "differs")
        comparison = report["comparisons"][0]
        self.assertEqual([comparison[key] for key in ("differing", "beyond_tolerance", "max_ulp", "first_index", "within_tolerance")],
                         [2, 2, 2, 1, False])
        self.run_kernel("add", *self.ADD, "--reference", "sum=@r.npy", "--tolerance-ulp", 1, code=4)
        report = self.run_kernel("add", *self.ADD, "--reference", "sum=@r.npy", "--tolerance-ulp", 2)
        self.assertEqual(report["comparisons"][0]["beyond_tolerance"], 0)
        self.run_kernel("add", *self.ADD, "--reference", "sum=@r.npy", "--tolerance-abs", 0.001)

    def test_what_cannot_be_compared(self):
        run = ["run", KERNELS, "add", "--device", DEVICE, *self.ADD]
        self.assertIn("no argument 'x'", self.refused(2, *run, "--reference", "x=zeros:f32[4]"))
        self.assertIn("does not write", self.refused(2, *run, "--reference", "a=zeros:f32[4]"))
        self.assertIn("cannot be compared", self.refused(2, *run, "--reference", "sum=zeros:f64[4]"))
        self.assertIn("cannot be compared", self.refused(2, *run, "--reference", "sum=zeros:f32[5]"))


class Refusals(QiaoTest):
    """Each names what is wrong."""

    def refusal(self, code, kernel, *words):
        return self.refused(code, "run", KERNELS, kernel, "--device", DEVICE, *words)

    def test_usage(self):
        add = ["-a", "zeros:f32[4]", "-a", "zeros:f32[4]"]
        grid = ["--grid", 4]
        self.assertIn("argument 'sum' (global float*): not given", self.refusal(2, "add", *add, *grid))
        self.assertIn("is not what it points to, f32", self.refusal(2, "add", *add, "-a", "zeros:i32[4]", *grid))
        self.assertIn("outside -2147483648", self.refusal(2, "increment", "-a", "zeros:i32[1]", "-a", "3000000000", *grid))
        self.assertIn("no kernel 'nothing'", self.refusal(2, "nothing", *grid))
        self.assertIn("add, increment", self.refusal(2, "nothing", *grid))
        self.assertIn("does not write", self.refusal(2, "add", *add, "-a", "zeros:f32[4]", *grid, "--out", "a=x.npy"))
        self.assertIn("not a .npy or .png", self.refusal(2, "add", *add, "-a", "zeros:f32[4]", *grid, "--out", "sum=x.txt"))
        self.assertIn("not NAME=", self.refusal(2, "add", *add, "-a", "zeros:f32[4]", *grid, "--out", "x.npy"))
        self.assertIn("--grid '0'", self.refusal(2, "add", "--grid", 0))
        self.assertIn("--grid '1,2,3,4'", self.refusal(2, "add", "--grid", "1,2,3,4"))
        self.assertIn("--grid has 1 dimensions", self.refusal(2, "add", "--grid", "4", "--group", "2,2"))
        self.assertIn("several kernels", self.refused(2, "run", KERNELS, "--grid", 1))
        self.assertIn("--grid is required", self.refused(2, "run", KERNELS))
        self.assertIn("excludes --all", self.refused(2, "run", KERNELS, "add", "--grid", 1, "--device", DEVICE, "--all"))

    def test_sources_that_do_not_build(self):
        (self.folder / "bad.cl").write_text("kernel void f(global int* x) {\n  x[0] = missing;\n}\n")
        message = self.refused(1, "run", "bad.cl", "--grid", 1, "-a", "zeros:i32[1]", "--device", DEVICE)
        self.assertIn("QIAO_ERROR_BUILD", message)
        self.assertIn("undeclared identifier 'missing'", message)
        report = self.json("run", "bad.cl", "--grid", 1, "-a", "zeros:i32[1]", "--device", DEVICE, code=1)
        self.assertEqual(report["result"], "failed")
        self.assertEqual(report["devices"][0]["error"]["status"], "QIAO_ERROR_BUILD")
        self.assertIn("missing", report["devices"][0]["error"]["log"])

    def test_launches_that_the_device_refuses(self):
        report = self.run_kernel("where", "-a", "zeros:u32[8]", "--grid", 8, "--group", 3, code=1)
        self.assertIn(report["devices"][0]["error"]["status"], ("QIAO_ERROR_INVALID_ARGUMENT", "QIAO_ERROR_OUT_OF_RANGE"))

    def test_files(self):
        self.assertIn("none.cl: cannot be read: No such file", self.refused(1, "run", "none.cl", "--grid", 1))
        (self.folder / "empty.cl").touch()
        self.assertIn("the file is empty", self.refused(1, "run", "empty.cl", "--grid", 1))
        (self.folder / "junk.qpk").write_bytes(b"\0" * 100)
        self.assertIn("QIAO_ERROR_PACKAGE", self.qiao("run", "junk.qpk", "--grid", 1, "--device", DEVICE).stderr)
        self.assertIn("for sources", self.refused(2, "run", "junk.qpk", "--grid", 1, "-D", "X"))
        done = self.qiao("run", KERNELS, "where", "-a", "zeros:u32[8]", "--grid", 8, "--device", DEVICE, "--out", "out=no/o.npy")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no/o.npy: cannot be written: No such file", done.stderr)


class Printing(QiaoTest):
    def test_what_kernels_print_stands_on_stderr_beside_the_report_on_stdout(self):
        (self.folder / "talk.cl").write_text('kernel void talk(global int* x) { printf("item %d\\n", x[get_global_id(0)]); }\n')
        done = self.good("run", "talk.cl", "-a", "range:i32[3]", "--grid", 3, "--device", DEVICE, "--json")
        self.assertEqual(sorted(done.stderr.split("\n")), ["", "item 0", "item 1", "item 2"])
        self.assertEqual(json.loads(done.stdout)["result"], "ok")
        done = self.good("run", "talk.cl", "-a", "range:i32[3]", "--grid", 3, "--device", DEVICE)
        self.assertNotIn("item", done.stdout)


class Damage(QiaoTest):
    """.npy files that are not what they say; the parser's own tests are in tests/unit/cli."""

    def test_each_is_refused_by_name(self):
        good = npy("<f4", "(4,)", bytes(16))
        damaged = {"truncated": good[:-1], "longer": good + b"x", "header": good[:30], "magic": b"X" + good[1:],
                   "bool": npy("|b1", "(16,)", bytes(16)), "objects": npy("|O", "(2,)", bytes(16)), "empty": b"",
                   "huge": npy("<f4", "(4611686018427387904, 4)", bytes(16)), "negative": npy("<f4", "(-4,)", bytes(16))}
        for name, data in damaged.items():
            with self.subTest(name):
                (self.folder / f"{name}.npy").write_bytes(data)
                done = self.qiao("run", KERNELS, "add", "--device", DEVICE, "-a", f"@{name}.npy", "-a", "zeros:f32[4]",
                                 "-a", "zeros:f32[4]", "--grid", 4)
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"{name}.npy: not a usable .npy file", done.stderr)


if __name__ == "__main__":
    unittest.main()
