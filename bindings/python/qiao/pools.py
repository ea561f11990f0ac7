"""What a pool says of itself."""

from __future__ import annotations

from typing import NamedTuple


class PoolStatistics(NamedTuple):
    """One moment of a :class:`qiao.Pool`. Sizes are in bytes; peaks are since the pool was made, or ``reset_peaks()``."""

    reserved: int
    """Taken from the device."""
    reserved_peak: int
    used: int
    """In arrays, their rounding included."""
    used_peak: int
    requested: int
    """In arrays, as asked for."""
    pending: int
    """Free, but behind work that had not ended when it was last asked."""
    largest_free: int
    """The largest piece that is free."""
    allocations: int
    """Alive."""
    allocated: int
    """So far."""
    reused: int
    """Of those so far: needed nothing from the device."""
    reused_in_order: int
    """Of those reused: memory whose last work on the same queue need not have ended."""
    segments: int
    fragmentation: float
    """1 - largest free piece / all that is free; 0 if nothing is."""
