"""The ledger: which plugins were considered, and what became of them."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Candidate"]


class Candidate(NamedTuple):
    """One plugin that was considered. ``state`` is "usable", "no devices", "disabled", "bad manifest", "not loadable",
    "incompatible", "refused" or "failed"; ``reason`` and ``remedy`` say why, and what to do."""

    plugin: str
    state: str
    device_count: int
    version: str
    manifest: str
    library: str
    reason: str
    remedy: str
    probe: str
