"""The exceptions of Qiao.

Every failing call raises an :class:`Error`, with the whole record of what happened. What programs handle apart has a class of
its own; several are also the class of Python that one would expect (``OutOfMemoryError`` is a ``MemoryError``). Calls with
arguments of the wrong type or shape raise ``TypeError`` and ``ValueError`` before anything reaches a device.
"""

from __future__ import annotations

import builtins

__all__ = [
    "CancelledError", "CompileError", "DeviceLostError", "Error", "ForkedError", "InternalError", "InvalidArgumentError",
    "InvalidHandleError", "NotFoundError", "OutOfMemoryError", "OutOfRangeError", "PackageError", "PluginError", "TimeoutError",
    "UnsupportedError",
]


class Error(Exception):
    """A call failed, and has changed nothing.

    ``status`` is the number of the C interface; ``message`` says what was wrong, ``remedy`` what to do about it; ``object`` is
    what it happened to (``"kernel add"``), ``plugin`` who failed (``""``: the core), ``vendor_code`` and ``vendor_text`` the
    vendor's own error; ``log`` and ``line`` come from compilers.
    """

    def __init__(self, message: str, *, status: int = -14, remedy: str = "", object: str = "", plugin: str = "",
                 vendor_code: int = 0, vendor_text: str = "", log: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.remedy = remedy
        self.object = object
        self.plugin = plugin
        self.vendor_code = vendor_code
        self.vendor_text = vendor_text
        self.log = log
        self.line = line

    def __str__(self) -> str:
        text = self.message
        if self.object:
            text += f" [{self.object}]"
        if self.plugin:
            text += f" [plugin {self.plugin}]"
        if self.remedy:
            text += f"; {self.remedy}"
        if self.log:
            text += f"\n{self.log}"
        return text

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.message, {key: value for key, value in self.__dict__.items() if key != "message"}))


def _rebuild(kind: type[Error], message: str, fields: dict[str, object]) -> Error:
    error = kind(message)
    error.__dict__.update(fields)
    return error


class InvalidArgumentError(Error, ValueError):
    """An argument that no device would take."""


class InvalidHandleError(Error, ValueError):
    """An object that was released, or that belongs to another device."""


class OutOfRangeError(Error, ValueError):
    """A size, offset or address beyond its limit."""


class UnsupportedError(Error):
    """The device, its plugin or this machine cannot do it; ``remedy`` says what would."""


class OutOfMemoryError(Error, MemoryError):
    """Memory of the device or of the host is used up."""


class NotFoundError(Error, LookupError):
    """No device or kernel of that name; the message lists those there are."""


class CompileError(Error):
    """A program does not compile: ``log`` has the compiler's text, ``line`` the first error's line."""


class PackageError(Error):
    """A kernel package is damaged, or of a version that is not known."""


class DeviceLostError(Error):
    """The device is gone or was reset: what was made on it can only be released. See ``Device.reset``."""


class PluginError(Error):
    """The plugin or the vendor's runtime failed."""


class ForkedError(Error):
    """The object belongs to the process that this one was forked from."""


class CancelledError(Error):
    """An earlier operation of the same queue failed."""


class InternalError(Error):
    """A defect in Qiao."""


class TimeoutError(Error, builtins.TimeoutError):
    """The time limit passed; the work goes on."""


_CLASSES: dict[int, type[Error]] = {
    1: TimeoutError, -1: InvalidArgumentError, -2: InvalidHandleError, -3: OutOfRangeError, -4: UnsupportedError,
    -5: OutOfMemoryError, -6: NotFoundError, -7: CompileError, -8: PackageError, -9: DeviceLostError, -10: PluginError,
    -11: ForkedError, -13: CancelledError, -14: InternalError,
}


def error_of(status: int, message: str, remedy: str, object: str, plugin: str, vendor_code: int, vendor_text: str, log: str,
             line: int) -> Error:
    """The exception for a status of the C interface and its record."""
    kind = _CLASSES.get(status, Error)
    return kind(message, status=status, remedy=remedy, object=object, plugin=plugin, vendor_code=vendor_code,
                vendor_text=vendor_text, log=log, line=line)
