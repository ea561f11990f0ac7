"""Kernel packages: one file of kernels for many cards."""

from __future__ import annotations

import mmap
import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ._native import Device, Program

__all__ = ["Package", "Variant"]


class Variant(NamedTuple):
    """What a device makes of one variant of a package: ``verdict`` is "taken", "worse" (another is better), "refused" or
    "damaged"; ``reason`` says why it is not taken; ``score`` is 0 unless it would do."""

    format: str
    target: str
    tool: str
    features: frozenset[str]
    verdict: str
    reason: str
    score: int


class Package:
    """The bytes of a kernel package (.qpk). Nothing is checked before a device loads it."""

    def __init__(self, data: bytes | bytearray | memoryview | mmap.mmap, name: str = "package") -> None:
        self.data = data
        self.name = name

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Package:
        """Maps a file into memory; nothing of it is read before it is used."""
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                return cls(b"", os.path.basename(path))
            return cls(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), os.path.basename(path))

    def on(self, device: Device) -> Program:
        """Its kernels for a device, by the best variant that it has for it."""
        return device.load(self.data, name=self.name)

    def explain(self, device: Device) -> list[Variant]:
        """Which of its variants a device would take, and why not the others. Loads nothing."""
        return device.explain(self.data)

    def __repr__(self) -> str:
        return f"<qiao.Package '{self.name}', {len(self.data)} bytes>"
