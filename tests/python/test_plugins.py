"""Plugins that a Python distribution brings: entry points, real and broken ones, in environments of their own."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import textwrap

import pytest

import qiao

LIST = "import json, qiao; print(json.dumps([[c.plugin, c.manifest, c.state] for c in qiao.ledger()]))"


@pytest.fixture
def site(tmp_path):
    """A folder that is made into an environment by being in sys.path."""
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


PLUGIN = pathlib.Path(os.environ["QIAO_TEST_PLUGIN"])
MANIFEST = json.dumps({"qiao_manifest": 1, "id": "tutorial", "library": PLUGIN.name, "version": "0.1.0", "abi": {"major": 1, "minor": 0}})


def distribute(site, name, entry, **files):
    """What pip leaves of a distribution: its modules, and a folder that says what it is."""
    information = site / f"{name}-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(f"[qiao.plugins]\n{entry}\n")
    for module, text in files.items():
        (site / f"{module}.py").write_text(text)


def put_plugin(folder, module=""):
    """A package of Python's with a plugin in it: the guide's, which is installed nowhere."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__init__.py").write_text(module)
    (folder / "card.json").write_text(MANIFEST)
    shutil.copy(PLUGIN, folder)
    return str(folder / "card.json")


def run(site, code=LIST, **environment):
    path = f"{site}:{os.environ['PYTHONPATH']}"
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], env=os.environ | {"PYTHONPATH": path} | environment, text=True,
                          capture_output=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def ledger(site, **environment):
    done = run(site, **environment)
    return {plugin or manifest: (manifest, state) for plugin, manifest, state in json.loads(done.stdout)}, done.stderr


@pytest.mark.parametrize("entry, module", [
    ("card = card_plugin", ""), ("card = card_plugin:FOLDER", "import pathlib; FOLDER = pathlib.Path(__file__).parent"),
    ("card = card_plugin:folder", "import os.path\ndef folder(): return os.path.dirname(__file__)")])
def test_a_distribution_brings_a_plugin(site, entry, module):
    distribute(site, "card", entry)
    manifest = put_plugin(site / "card_plugin", module)
    seen, errors = ledger(site)
    assert seen["tutorial"] == (manifest, "usable")
    assert seen["mock"][1] == "usable", "the usual places are still searched"
    assert not errors
    done = run(site, "import qiao; print(qiao.open('tutorial').array([1, 2, 3]).numpy().tolist())")
    assert done.stdout == "[1, 2, 3]\n"


def test_what_the_user_names_comes_first(site, tmp_path):
    distribute(site, "card", "card = card_plugin")
    last, first = put_plugin(site / "card_plugin"), put_plugin(tmp_path / "named")
    done = run(site, QIAO_PLUGIN_PATH=str(tmp_path / "named"))
    assert [entry[1:] for entry in json.loads(done.stdout) if entry[0] == "tutorial"] == [[first, "usable"], [last, "disabled"]]


def test_an_instance_with_a_path_of_its_own_has_that_only(site, tmp_path):
    distribute(site, "card", "card = card_plugin")
    put_plugin(site / "card_plugin")
    folder = tmp_path / "empty"
    folder.mkdir()
    done = run(site, f"import qiao; print(len(qiao.Instance(plugin_path={str(folder)!r}).ledger), len(qiao.Instance(plugin_path={str(site / 'card_plugin')!r}).ledger))")
    assert done.stdout.split() == ["0", "1"]


@pytest.mark.parametrize("entry, text", [
    ("broken = no_such_module", "No module named"), ("broken = broken_plugin:no_such_name", "no_such_name"), ("broken = broken_plugin:NUMBER", "'int'"),
    ("broken = broken_plugin:fail", "on purpose"), ("broken = broken_plugin:COLON", "cannot be searched")])
def test_a_broken_one_is_told_of_and_left_out(site, entry, text):
    distribute(site, "broken", entry, broken_plugin="NUMBER = 42\nCOLON = '/a:b'\ndef fail(): raise RuntimeError('on purpose')")
    seen, errors = ledger(site)
    assert seen["mock"][1] == "usable"
    assert "RuntimeWarning" in errors and "broken" in errors and text in errors


def test_a_folder_that_is_not_there_stands_in_the_ledger(site):
    distribute(site, "gone", "gone = gone_plugin:FOLDER", gone_plugin="FOLDER = '/nonexistent/plugins.d'")
    seen, errors = ledger(site)
    assert any(state == "bad manifest" for manifest, state in seen.values()), seen
    assert seen["mock"][1] == "usable" and "RuntimeWarning" not in errors


def test_a_distribution_installed_by_pip_brings_a_plugin(tmp_path):
    """A project as a vendor writes it, through pip: the manifest is package data, the entry point stands in pyproject.toml."""
    project = tmp_path / "project"
    put_plugin(project / "card_plugin")
    (project / "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.25)\nproject(card LANGUAGES NONE)\n")
    (project / "pyproject.toml").write_text(textwrap.dedent("""
        [build-system]
        requires = ["scikit-build-core"]
        build-backend = "scikit_build_core.build"
        [project]
        name = "card"
        version = "1.0"
        entry-points."qiao.plugins".card = "card_plugin"
        [tool.scikit-build]
        wheel.packages = ["card_plugin"]
    """))
    site = tmp_path / "site"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-build-isolation", "--no-deps", "--no-index", "--no-cache-dir", "--target", site,
                    project], check=True, timeout=200)
    seen, _ = ledger(site)
    assert seen["tutorial"] == (str(site / "card_plugin" / "card.json"), "usable")
