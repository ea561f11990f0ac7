"""`pip install .`, as a user does it: a wheel is made and used away from the tree. Usage: wheel.py SOURCE_TREE"""

import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

PROGRAM = """
import numpy as np, qiao
device = qiao.open("mock:0")
x = device.array(np.arange(8, dtype=np.float32))
device.compile("kernel void twice(global float *x) { x[get_global_id(0)] *= 2; }").twice[8](x)
assert x.numpy().tolist() == [0, 2, 4, 6, 8, 10, 12, 14]
print(qiao.__file__, [device.id for device in qiao.devices()])
"""


def main() -> None:
    tree = pathlib.Path(sys.argv[1]).resolve()
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("QIAO_", "PYTHONPATH"))}

    def run(*words: object, folder: pathlib.Path) -> str:
        done = subprocess.run(list(map(str, words)), cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, f"{words}\n{done.stdout}"
        return done.stdout

    with tempfile.TemporaryDirectory(prefix="qiao-wheel-") as name:
        folder = pathlib.Path(name)
        # Without isolation: the packages that build it are those of this environment, and nothing comes from the network.
        run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps", "--no-cache-dir",
            f"--config-settings=build-dir={folder / 'build'}", "-w", folder / "wheels", tree, folder=folder)
        (wheel,) = (folder / "wheels").glob("qiao-*.whl")
        names = zipfile.ZipFile(wheel).namelist()
        for wanted in ("qiao/__init__.py", "qiao/_native.pyi", "qiao/py.typed", "qiao/bin/qiao", "qiao/lib/libqiao.so.0", "qiao/lib/qiao/plugins.d/mock.json"):
            assert wanted in names, f"{wanted} is missing in {wheel.name}:\n" + "\n".join(names)
        run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", folder / "site", wheel, folder=folder)
        environment["PYTHONPATH"] = str(folder / "site")
        told = run(sys.executable, "-c", PROGRAM, folder=folder)
        assert str(folder / "site") in told and "mock:2" in told, told
        assert "mock:0" in run(sys.executable, "-m", "qiao", folder=folder)


if __name__ == "__main__":
    main()
