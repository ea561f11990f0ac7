"""Plugins that other Python distributions bring: each names the folder of its manifests by an entry point ``qiao.plugins``."""

from __future__ import annotations

import os
import warnings
from types import ModuleType
from typing import Any

__all__ = ["GROUP", "search_path"]

GROUP = "qiao.plugins"


def search_path() -> str:
    """Where an instance looks for manifests if nobody says: the usual places (the empty entry), then those of entry points."""
    from importlib.metadata import entry_points

    folders = [""]
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value)):
        try:
            folder = _folder(entry.load())
        except Exception as error:  # one distribution that is broken takes no device from the others
            warnings.warn(f"the entry point '{entry.name} = {entry.value}' of {GROUP} is left out: {error!r}", RuntimeWarning, stacklevel=2)
            continue
        if folder not in folders:
            folders.append(folder)
    return ":".join(folders)


def _folder(found: Any) -> str:
    """A module stands for its own folder, a function is called, and everything else is a path."""
    if isinstance(found, ModuleType):
        found = list(found.__path__)[0] if hasattr(found, "__path__") else os.path.dirname(str(found.__file__))
    elif callable(found):
        found = found()
    if not isinstance(found, (str, os.PathLike)):
        raise TypeError(f"a module, a path or a function that gives one is wanted, not '{type(found).__name__}'")
    folder = os.path.abspath(os.fsdecode(found))
    if ":" in folder:
        raise ValueError(f"the folder {folder!r} cannot be searched: ':' separates folders")
    return folder
