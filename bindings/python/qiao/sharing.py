"""What memory and timelines are handed over as: a handle, that goes to another process through a Unix socket."""

from __future__ import annotations

import array
import os
import socket
from types import TracebackType

_BYTES = 128


class Handle:
    """Plain bytes, and one file descriptor. Importing does not use it up; close it, or leave that to ``with`` and to Python."""

    def __init__(self, data: bytes, descriptor: int) -> None:
        self.data = data
        self._descriptor = descriptor

    def fileno(self) -> int:
        """The descriptor; -1 when it is closed."""
        return self._descriptor

    def send(self, connection: socket.socket) -> None:
        """Sends it to the process at the other end, which calls :meth:`receive`. It stays usable here."""
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [self._descriptor]))]
        sent = connection.sendmsg([self.data], rights)
        connection.sendall(self.data[sent:])

    @classmethod
    def receive(cls, connection: socket.socket) -> Handle:
        """What the other end has sent. Raises :class:`EOFError` if it has gone, :class:`ValueError` if it sent something else."""
        width = array.array("i").itemsize
        data, rights, flags, _ = connection.recvmsg(_BYTES, socket.CMSG_SPACE(width))
        descriptors = array.array("i")
        for level, kind, content in rights:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                descriptors.frombytes(content[: len(content) // width * width])
        handle = cls(data, descriptors[0] if descriptors else -1)
        while 0 < len(handle.data) < _BYTES:
            more = connection.recv(_BYTES - len(handle.data))
            handle.data += more
            if not more:
                break
        if len(handle.data) < _BYTES:
            handle.close()
            raise EOFError(f"the other end has gone after {len(handle.data)} of {_BYTES} bytes")
        if len(descriptors) != 1 or flags & socket.MSG_CTRUNC:
            handle.close()
            raise ValueError(f"{len(descriptors)} descriptors came with the bytes; a handle has one")
        os.set_inheritable(handle.fileno(), False)
        return handle

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, type: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()
