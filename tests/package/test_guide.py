#!/usr/bin/env python3
"""The plugin guide as its reader has it: in an empty folder, with an installed Qiao and nothing else."""

import pathlib
import sys
import unittest

from support import PackageTest

RUN = [sys.executable, "-B", pathlib.Path(__file__).resolve().parents[1] / "docs/run_commands.py"]


class Guide(PackageTest):
    def test_its_commands(self):
        print(self.run_in(self.folder, *RUN, "--installed", self.prefix, "--run",
                          self.prefix / "share/qiao/hal/docs/plugin_guide.md"))
        listed = self.qiao("list", "--ids").split()  # the guide ends with an installed plugin
        self.assertIn("tutorial:0", listed)

    def test_its_links_hold_where_it_is_installed(self):
        documents = ["hal/docs/plugin_guide.md", "README.md", "plugins/tutorial/README.md"]
        self.run_in(self.folder, *RUN, "--links", *(self.prefix / "share/qiao" / path for path in documents))


if __name__ == "__main__":
    unittest.main()
