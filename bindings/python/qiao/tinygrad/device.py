"""Qiao as a device of tinygrad's: memory, programs, queues, times. tinygrad finds ``QiaoDevice`` by its name.

Knows tinygrad's runtime interface of the versions that ``qiao.tinygrad`` accepts, and of Qiao only the public package.
"""

from __future__ import annotations

import fnmatch
from decimal import Decimal
from typing import Any

import numpy
from tinygrad.device import BufferSpec, Compiled, CompileError, LRUAllocator, ProfileDeviceEvent, Program, TinyELF
from tinygrad.dtype import storage_fmt_for_dtype
from tinygrad.helpers import DEV, PROFILE, ProfileRangeEvent, Target
from tinygrad.renderer.cstyle import OpenCLRenderer

import qiao
from qiao.recording import Recording

__all__ = ["QiaoAllocator", "QiaoBuffer", "QiaoDevice", "QiaoProgram", "QiaoRenderer"]

# Host memory up to this size is copied aside, so that its copy to the device need not be waited for.
_STAGED_BYTES = 1 << 20


class QiaoBuffer:
    """Bytes of a device, and the arrays over them that kernels asked for."""

    __slots__ = ("bytes", "_views")

    def __init__(self, array: qiao.Array) -> None:
        self.bytes = array
        self._views: dict[str, qiao.Array] = {}

    def view(self, dtype: str) -> qiao.Array:
        found = self._views.get(dtype)
        if found is None:
            found = self._views[dtype] = self.bytes.view(dtype)
        return found


class QiaoAllocator(LRUAllocator["QiaoDevice"]):
    """Memory by the byte: views of a buffer are at any offset."""

    def _alloc(self, size: int, options: BufferSpec) -> QiaoBuffer:
        if options.external_ptr is not None:
            raise RuntimeError("QIAO takes no memory of others (external_ptr); copy it")
        array = self.dev.card.empty(size, "uint8")
        if options.zero:
            queue = self.dev.next_queue()
            self.dev.submitted("fill", queue, queue.fill(array, 0))
        return QiaoBuffer(array)

    def _offset(self, buf: QiaoBuffer, size: int, offset: int) -> QiaoBuffer:
        return QiaoBuffer(buf.bytes[offset:offset + size])

    def _copyin(self, dest: QiaoBuffer, src: memoryview) -> None:
        is_staged = src.nbytes <= _STAGED_BYTES
        queue = self.dev.next_queue()
        self.dev.submitted("copy in", queue, queue.copy(bytes(src) if is_staged else src, dest.bytes))
        if not is_staged:
            self.dev.synchronize()

    def _copyout(self, dest: memoryview, src: QiaoBuffer) -> None:
        queue = self.dev.next_queue()
        self.dev.submitted("copy out", queue, queue.copy(src.bytes, dest))
        self.dev.synchronize()

    def _transfer(self, dest: QiaoBuffer, src: QiaoBuffer, sz: int, src_dev: QiaoDevice, dest_dev: QiaoDevice) -> None:
        dest_dev.after(src_dev)
        queue = dest_dev.next_queue()
        dest_dev.submitted("copy", queue, queue.copy(src.bytes[:sz], dest.bytes[:sz]))
        src_dev.after(dest_dev)  # the source may be written again only then


class QiaoRenderer(OpenCLRenderer):
    """tinygrad's OpenCL C, within the limits of a device. The target's ``arch`` has them, because processes that compile make
    their renderer from the target alone."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        limits = dict(word.split("=", 1) for word in target.arch.split(",") if "=" in word)
        if "group" in limits:
            self.local_max = _extents(limits["group"])
        if "groups" in limits:
            self.global_max = _extents(limits["groups"])
        if "local" in limits:
            self.shared_max = int(limits["local"])


def _extents(text: str) -> tuple[int, ...]:
    return tuple(int(extent) for extent in text.split("x"))


def arch_of(card: qiao.Device) -> str:
    """A device's features and limits, for QiaoRenderer."""
    properties = card.properties
    words = [f"cl_khr_{feature}" for feature in ("fp16", "fp64") if feature in card.features]
    words.append("group=" + "x".join(str(min(extent, properties["max_group_size"])) for extent in properties["max_group"]))
    words.append("groups=" + "x".join(str(min(extent, 2**31 - 1)) for extent in properties["max_group_count"]))
    words.append(f"local={properties['local_memory_bytes']}")
    return ",".join(words)


class QiaoProgram(Program["QiaoDevice"]):
    """A kernel, compiled for the device by Qiao, which also keeps what was compiled."""

    def __init__(self, dev: QiaoDevice, obj: TinyELF) -> None:
        self.dev, self.name, self.profile_key = dev, obj.name, obj.profile_key
        try:
            self.kernel = dev.card.compile(obj.lib.decode(), name=f"{obj.name}.cl")[obj.name]
        except qiao.CompileError as error:
            raise CompileError(str(error)) from error
        # For each parameter which of the buffers and values it takes, and as what.
        self.parameters = [(slot, numpy.dtype(storage_fmt_for_dtype(dtype)).name) for _, slot, dtype, _ in obj.signature]

    def __call__(self, *bufs: QiaoBuffer, global_size: tuple[int, int, int] = (1, 1, 1),
                 local_size: tuple[int, int, int] | None = None, vals: tuple[int, ...] = (), wait: bool = False,
                 **_: Any) -> float | None:
        count = len(bufs)
        arguments = [bufs[slot].view(dtype) if slot < count else vals[slot - count] for slot, dtype in self.parameters]
        # tinygrad counts groups where it chooses their size; an extent that the group does not divide is a fraction.
        grid = global_size if local_size is None else tuple(int(groups * size) for groups, size in zip(global_size, local_size))
        queue = self.dev.next_queue(wait)
        point = self.kernel[grid, local_size](*arguments, queue=queue)
        self.dev.submitted(self.name, queue, point, self.profile_key)
        if not wait:
            return None
        self.dev.synchronize()
        times = queue.timestamps(point)
        assert times is not None, "the point was waited for"
        return (times[1] - times[0]) * 1e-9


class QiaoDevice(Compiled):
    """One device of Qiao's. Its work is in order, on one of two queues: the second one keeps times and is used where somebody asks
    for them."""

    recording: Recording | None = None  # of all devices, if somebody wants one

    def __init__(self, device: str = "QIAO") -> None:
        index = int(device.split(":")[1]) if ":" in device else 0
        self.cards = selected_cards()
        if index >= len(self.cards):
            ids, all_ids = ([card.id for card in cards] for cards in (self.cards, qiao.devices()))
            raise RuntimeError(f"there is no {device}: DEV={DEV!r} selects {ids} of {all_ids}")
        self.card = self.cards[index]
        self._profile = Recording()
        self._create_queues()
        super().__init__(device, QiaoAllocator(self), [QiaoRenderer], QiaoProgram, arch=arch_of(self.card))

    def _create_queues(self) -> None:
        self._queues = {timed: self.card.create_queue(profiling=timed) for timed in (False, True)}
        self._current = self._queues[False]
        self._last: qiao.Point | None = None

    def count(self) -> int:
        return len(self.cards)

    def next_queue(self, timed: bool = False) -> qiao.Queue:
        """The queue for the next operation, which runs after all before."""
        queue = self._queues[timed or bool(PROFILE) or self.recording is not None]
        if queue is not self._current:
            if self._last is not None:
                queue.after(self._last)
            self._current = queue
        return queue

    def submitted(self, name: str, queue: qiao.Queue, point: qiao.Point, profile_key: bytes | None = None) -> None:
        """What was given to that queue ends with that point."""
        self._last = point
        if PROFILE:
            self._profile.add(name, queue, point, note=profile_key)
        if self.recording is not None:
            self.recording.add(name, queue, point, lane=self.device)

    def after(self, other: QiaoDevice) -> None:
        """Later operations start when those of the other device that were submitted have ended."""
        if other is not self and other._last is not None:
            self._last = self.next_queue().after(other._last)

    def synchronize(self) -> None:
        if self._last is None:
            return
        try:
            self._last.wait()
        except qiao.Error:
            self._create_queues()  # one that has failed runs nothing any more
            raise

    def _at_profile_finalize(self) -> None:
        Compiled.profile_events.append(ProfileDeviceEvent(self.device, props={"device": self.card.id, "name": self.card.name}))
        for event in self._profile.events():  # on the clock of tinygrad's own events
            start, end = Decimal(event.start_ns) / 1000, Decimal(event.end_ns) / 1000
            key = event.note if isinstance(event.note, bytes) else None
            Compiled.profile_events.append(ProfileRangeEvent(self.device, event.name, start, end, key))
        self._profile.clear()


def selected_cards() -> list[qiao.Device]:
    """The devices that ``DEV`` selects: ``QIAO`` all, ``opencl+QIAO`` those of a plugin, ``mock:1+QIAO`` one."""
    target = DEV.target("QIAO")
    pattern = f"{target.interface or '*'}:{target.indices or '*'}"
    return [card for card in qiao.devices() if fnmatch.fnmatchcase(card.id, pattern)]
