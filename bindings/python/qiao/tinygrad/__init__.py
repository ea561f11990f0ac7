"""tinygrad on every device of Qiao's: after ``import qiao.tinygrad`` the device ``QIAO`` is there, ``QIAO:1`` the next one.

>>> import qiao.tinygrad
>>> from tinygrad import Tensor
>>> (Tensor([1, 2, 3], device="QIAO") * 2).tolist()
[2, 4, 6]

``DEV=QIAO`` makes it the default. Scripts that know nothing of Qiao: ``DEV=QIAO python -m qiao.tinygrad script.py``.
tinygrad is used as it is published; nothing of it is changed.
"""

from __future__ import annotations

import sys
from importlib.metadata import version as _version_of

_SUPPORTED = "0.14."
if not _version_of("tinygrad").startswith(_SUPPORTED):
    raise ImportError(f"qiao.tinygrad knows tinygrad {_SUPPORTED}x; {_version_of('tinygrad')} is installed")

from . import device as _device  # noqa: E402
from .device import QiaoDevice  # noqa: E402

__all__ = ["QiaoDevice"]

# Where tinygrad looks for a device of that name.
sys.modules["tinygrad.runtime.ops_qiao"] = _device
