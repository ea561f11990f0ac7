"""What a kernel takes, as its compiler said."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Parameter"]


class Parameter(NamedTuple):
    """One argument of a kernel: ``kind`` is "value", "address" or "local"; ``access`` "r", "w", "rw", or "" where it is not
    known; ``offset`` and ``size`` are bytes in the packed block."""

    name: str
    type: str
    kind: str
    access: str
    offset: int
    size: int
