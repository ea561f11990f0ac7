"""Qiao: one program, many accelerators.

>>> import numpy as np, qiao
>>> device = qiao.open("mock")
>>> program = device.compile("kernel void twice(global float *x) { x[get_global_id(0)] *= 2; }")
>>> x = device.array(np.arange(4, dtype=np.float32))
>>> point = program.twice[4](x)
>>> x.numpy()
array([0., 2., 4., 6.], dtype=float32)

Everything is asynchronous and in order: a launch returns at once with a :class:`Point`, and ``numpy()`` waits for what its
values need. Work is done on the device's own queue unless another one is given.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ._native import (Array, Device, Instance, Kernel, Launch, LocalMemory, Point, Pool, Program, Queue, Timeline,
                      Topology, version)
from .errors import (CancelledError, CompileError, DeviceLostError, Error, ForkedError, InternalError,
                     InvalidArgumentError, InvalidHandleError, NotFoundError, OutOfMemoryError, OutOfRangeError,
                     PackageError, PluginError, TimeoutError, UnsupportedError)
from .ledger import Candidate
from .package import Package, Variant
from .pools import PoolStatistics
from .sharing import Handle
from .signature import Parameter
from .topology import Claim, Link, Path, Provider, Vertex

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from .elementwise import Elementwise
    from .reduction import Reduction
    from .scan import Scan

__all__ = ["Array", "Candidate", "Claim", "Device", "Elementwise", "Handle", "Instance", "Kernel", "Launch", "Link", "LocalMemory", "Package", "Parameter", "Path",
           "Point", "Pool", "PoolStatistics", "Program", "Provider", "Queue", "Reduction", "Scan", "Timeline", "Topology", "Variant", "Vertex", "devices", "import_timeline", "instance", "ledger", "local", "open",
           "timeline", "topology", "version", "CancelledError", "CompileError", "DeviceLostError", "Error", "ForkedError",
           "InternalError", "InvalidArgumentError", "InvalidHandleError", "NotFoundError", "OutOfMemoryError",
           "OutOfRangeError", "PackageError", "PluginError", "TimeoutError", "UnsupportedError"]

__version__ = version()

# Imported when they are used first, with NumPy, which a program may do without until then.
_LATER = {"Elementwise": "elementwise", "Reduction": "reduction", "Scan": "scan"}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'qiao' has no attribute '{name}'")
    from importlib import import_module

    value = getattr(import_module(f"qiao.{_LATER[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})


_instance: Instance | None = None


def instance() -> Instance:
    """The instance that this module's functions use; made when it is used first, with the environment of that moment."""
    global _instance
    if _instance is None:
        _instance = Instance()
    return _instance


def devices() -> list[Device]:
    """All visible devices."""
    return instance().devices


def open(selector: str = "*") -> Device:
    """The first device that matches: ``"mock:0"``, a glob (``"opencl:*"``), a plugin's id (``"mock"``); the first of all
    without one. Raises :class:`NotFoundError`, which lists the ids there are."""
    return instance().open(selector)


def ledger() -> list[Candidate]:
    """Every plugin that was considered, usable or not, with reason and remedy."""
    return instance().ledger


def timeline(value: int = 0, *, shareable: bool = False) -> Timeline:
    """A timeline that the program raises itself, or queues of any device; a shareable one also other processes."""
    return instance().timeline(value, shareable=shareable)


def import_timeline(handle: Handle) -> Timeline:
    """The timeline of a handle that another process has exported."""
    return instance().import_timeline(handle)


def topology(*, sysfs_root: str | None = None, providers: list[str] | None = None) -> Topology:
    """How cards, host and network hang together now."""
    return instance().topology(sysfs_root=sysfs_root, providers=providers)


def local(shape: int | tuple[int, ...], dtype: DTypeLike = "uint8") -> LocalMemory:
    """Local memory for an argument of a kernel: of that many elements."""
    import numpy

    extents: tuple[Any, ...] = shape if isinstance(shape, tuple) else (shape,)
    if any(extent < 0 for extent in extents):
        raise ValueError(f"the shape {shape} has a negative extent")
    return LocalMemory(math.prod(extents) * numpy.dtype(dtype).itemsize)
