#!/usr/bin/env python3
"""`qiao run` on several devices of different plugins: results are compared, files kept apart, one failure does not stop the rest."""

import unittest

from support import KERNELS, QiaoTest, read_npy

BOTH = ["--device", "mock", "--device", "opencl"]
ADD = ["run", KERNELS, "add", "-a", "random:f32[1000]:seed=1", "-a", "random:f32[1000]:seed=2", "-a", "zeros:f32[1000]", "--grid", 1000]


class Several(QiaoTest):
    def test_results_are_equal(self):
        report = self.json(*ADD, *BOTH, "--compare", "--repeat", 3)
        self.assertEqual([device["id"] for device in report["devices"]], ["mock:0", "opencl:0"])
        (comparison,) = report["comparisons"]
        self.assertEqual((comparison["device"], comparison["against"]), ("opencl:0", "mock:0"))
        self.assertEqual((comparison["elements"], comparison["differing"], comparison["max_ulp"]), (1000, 0, 0))

    def test_inputs_and_outputs_for_each_device(self):
        self.assertIn("2 devices would write", self.refused(2, *ADD, *BOTH, "--out", "sum=sum.npy"))
        self.json(*ADD, *BOTH, "--out", "sum=sum-{device}.npy")
        first = read_npy(self.folder / "sum-mock-0.npy")
        self.assertEqual(first, read_npy(self.folder / "sum-opencl-0.npy"))
        report = self.json("run", KERNELS, "add", "-a", "@sum-{device}.npy", "-a", "zeros:f32[1000]", "-a", "zeros:f32[1000]",
                           "--grid", 1000, *BOTH, "--compare", "--reference", "sum=@sum-{device}.npy")
        self.assertEqual([one["differing"] for one in report["comparisons"]], [0, 0, 0])

    def test_a_difference_is_found(self):
        (self.folder / "k.cl").write_text("kernel void f(global uint* x) { x[2] = (uint)(ulong)x; }")
        report = self.json("run", "k.cl", "-a", "zeros:u32[4]", "--grid", 1, *BOTH, "--compare", code=4)
        self.assertEqual(report["comparisons"][0]["differing"], 1)
        self.assertEqual(report["comparisons"][0]["first_index"], 2)

    def test_globs_select_all_and_each_once(self):
        mocks = [device["id"] for device in self.json("list")["devices"] if device["plugin"] == "mock"]
        self.assertGreater(len(mocks), 1)
        report = self.json(*ADD, "--device", "mock", "--device", "mock:*", "--compare")
        self.assertEqual([device["id"] for device in report["devices"]], mocks)
        self.assertEqual(len(report["comparisons"]), len(mocks) - 1)


if __name__ == "__main__":
    unittest.main()
