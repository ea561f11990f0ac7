"""An installed Qiao in a folder of its own, moved after it was installed; and programs that are built against it alone."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest


def option(name):
    """An option of the test program, taken out of the command line."""
    for index, word in enumerate(sys.argv):
        if word.startswith(name + "="):
            return sys.argv.pop(index).split("=", 1)[1]
    raise SystemExit(f"{sys.argv[0]} needs {name}=...")


BUILD = option("--build")
CMAKE = option("--cmake")
# What would lead a stranger's build to this tree's own files.
LEADS = {"QIAO_PLUGIN_PATH", "LD_LIBRARY_PATH", "PKG_CONFIG_PATH", "CMAKE_PREFIX_PATH", "XDG_DATA_HOME", "CMAKE_BUILD_TYPE"}


class PackageTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="qiao-package-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.environment = {name: value for name, value in os.environ.items() if name not in LEADS}
        cls.environment["HOME"] = str(cls.folder)
        installed = cls.folder / "installed"
        cls.run_in(cls.folder, CMAKE, "--install", BUILD, "--prefix", str(installed))
        cls.prefix = cls.folder / "moved to" / "another place"
        cls.prefix.parent.mkdir()
        installed.rename(cls.prefix)

    @classmethod
    def run_in(cls, folder, *words, env=None, code=0):
        """What the command printed; it must end with this exit code."""
        done = subprocess.run([str(word) for word in words], cwd=folder, env={**cls.environment, **(env or {})}, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != code:
            raise AssertionError(f"{' '.join(map(str, words))}: exit code {done.returncode}, not {code}\n{done.stdout}")
        return done.stdout

    def qiao(self, *words, **more):
        return self.run_in(self.folder, self.prefix / "bin/qiao", *words, **more)

    def build(self, source, name, *words):
        """Configures and builds a project against the prefix; its build folder."""
        folder = self.folder / name
        self.run_in(self.folder, CMAKE, "-S", source, "-B", folder, f"-DCMAKE_PREFIX_PATH={self.prefix}", *words)
        self.run_in(self.folder, CMAKE, "--build", folder)
        return folder
