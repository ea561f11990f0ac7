"""What a topology is made of. What nobody has told is None."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ._native import Device


class Vertex(NamedTuple):
    """A part of the machine, or of several: a NUMA node, a card, a switch, a network port."""

    number: int
    id: str
    """``"numa:0"``, ``"pci:0000:01:00.0"``, ``"mock:3"``."""
    kind: str
    """``numa``, ``package``, ``card``, ``partition``, ``switch``, ``port``, ``bridge``, ``memory`` or ``group``."""
    name: str
    provider: str
    """Who mentioned it first: ``plugin``, ``pci``, ``kfd``, ``numa``, ``cxl``, ``infiniband``, ``hwloc`` or ``libdrm``."""
    parent: int | None
    """The vertex that contains it."""
    os_index: int | None
    """Number of the NUMA node or package."""
    cpus: str
    """As Linux writes lists: ``"0-15,32-47"``."""
    memory_bytes: int | None
    device: Device | None
    modelled: bool


class Claim(NamedTuple):
    """What one provider says of one attribute."""

    value: int
    unit: str
    """In UCUM; ``""`` for a plain number."""
    provider: str
    grade: str | None
    """What a model's number rests on: ``verified``, ``second-hand``, ``inferred``, ``remembered`` or ``assumed``."""


class Link(NamedTuple):
    """One direction of a connection."""

    number: int
    source: int
    target: int
    kind: str
    """``PCIe``, ``CXL``, ``xGMI``, ``HSL``, ``UB``, ``NVLink``, ``UALink``, ``network``, ``socket``, ``memory``, ``internal`` or ``unknown``."""
    claims: dict[str, list[Claim]]
    """By attribute; the most trusted first."""
    conflicts: frozenset[str]
    """Attributes that providers disagree about."""
    modelled: bool


class Path(NamedTuple):
    """The way between two vertices: of the shortest the widest."""

    links: list[int]
    distance: str
    """``same``, ``direct``, ``fabric``, ``pcie-switch``, ``pcie-switches``, ``host-bridge``, ``numa-node``, ``system``, ``network`` or ``none``."""
    bandwidth: int | None
    """Bytes per second of the narrowest link whose bandwidth is known."""
    latency_ns: int | None
    bottleneck: int | None
    """That link."""
    alternatives: int
    """Ways as short and as wide, this one among them."""
    unknown_bandwidths: int


class Provider(NamedTuple):
    """Who was asked."""

    name: str
    state: str
    """``used``, ``absent``, ``failed`` or ``skipped``."""
    vertices: int
    claims: int
    text: str
