"""What the tests of the Python package share: the devices they run on, given by the environment, and the kernels they use."""

import os

import numpy as np
import pytest

import qiao

DEVICES = os.environ["QIAO_TEST_DEVICES"].split(",")

KERNELS = """
kernel void scale(global const float *x, global float *y, float factor) {
    const size_t i = get_global_id(0);
    y[i] = factor * x[i];
}
kernel void add_to(global int *values, int amount) { values[get_global_id(0)] += amount; }
kernel void grid(global uint *out) {
    const size_t w = get_global_size(0), h = get_global_size(1);
    out[(get_global_id(2) * h + get_global_id(1)) * w + get_global_id(0)] =
        get_global_id(0) + 100 * get_global_id(1) + 10000 * get_global_id(2);
}
kernel void group_sum(global const int *values, global int *sums, local int *scratch) {
    const size_t l = get_local_id(0), n = get_local_size(0);
    scratch[l] = values[get_global_id(0)];
    barrier(CLK_LOCAL_MEM_FENCE);
    if (l == 0) {
        int sum = 0;
        for (size_t i = 0; i < n; ++i) sum += scratch[i];
        sums[get_group_id(0)] = sum;
    }
}
struct point { int x; float y; };
kernel void values(global double *out, char a, uchar b, short c, ushort d, int e, uint f, long g, ulong h, float i, double j,
                   int4 k, float3 l, struct point m) {
    out[0] = a; out[1] = b; out[2] = c; out[3] = d; out[4] = e; out[5] = f; out[6] = g; out[7] = h; out[8] = i; out[9] = j;
    out[10] = k.x + 10 * k.y + 100 * k.z + 1000 * k.w;
    out[11] = l.x + 10 * l.y + 100 * l.z;
    out[12] = m.x + m.y;
}
kernel void nothing(void) {}
"""


@pytest.fixture(scope="session", params=DEVICES)
def device(request):
    return qiao.open(request.param)


@pytest.fixture(scope="session")
def program(device):
    return device.compile(KERNELS, name="kernels.cl")


@pytest.fixture
def other():
    """A device that is none of those under test."""
    return qiao.open("mock:1")


@pytest.fixture
def numbers():
    """Floats that every device computes with exactly."""
    seed = 20261126
    print(f"seed {seed}")
    return np.random.default_rng(seed).integers(-1000, 1000, 4096).astype(np.float32)


@pytest.fixture(scope="session")
def package_file(tmp_path_factory):
    """The kernels as a package, made by the command."""
    import subprocess

    folder = tmp_path_factory.mktemp("package")
    (folder / "kernels.cl").write_text(KERNELS)
    subprocess.run([os.environ["QIAO_TEST_COMMAND"], "cc", folder / "kernels.cl", "-o", folder / "kernels.qpk", "--formats", "host-elf;spirv-vulkan"], check=True)
    return folder / "kernels.qpk"
