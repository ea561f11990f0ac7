"""What the helpers that make kernels from an expression share: signatures, types in OpenCL C, and kernels kept by device.

A signature is written ``"T a, T x -> T"``: inputs, an arrow, outputs. A type is a dtype's name or one capital letter with digits, which
stands for the dtype of the arrays that are given for it. Names that end in ``_`` belong to the generated text.
"""

from __future__ import annotations

import math
import re
import struct
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from ._native import Array
from .errors import CompileError, DeviceLostError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ._native import Device, Kernel

# How OpenCL C calls the elements of an array. A bool has a byte there, and no name that arguments may have.
_NAMES = {
    "bool": "uchar", "int8": "char", "uint8": "uchar", "int16": "short", "uint16": "ushort", "int32": "int", "uint32": "uint",
    "int64": "long", "uint64": "ulong", "float16": "half", "float32": "float", "float64": "double",
}
# What a device needs for a type beyond what every device has.
_FEATURES = {"float16": "fp16", "float64": "fp64", "int64": "int64", "uint64": "int64"}
_EXTENSIONS = {"float16": "cl_khr_fp16", "float64": "cl_khr_fp64"}
_SUFFIXES = {"float32": "f", "uint32": "u", "int64": "l", "uint64": "ul"}
_RESERVED = {"i", "n"}
_VARIABLE = re.compile(r"[A-Z][0-9]*$")

Types = dict[str, "np.dtype[Any]"]


class Argument(NamedTuple):
    """A type, by its name or as a variable, and a name; outputs may have none."""

    type: str
    name: str


class Signature:
    """Inputs and outputs, as text says them."""

    def __init__(self, text: str) -> None:
        before, arrow, after = text.partition("->")
        if not arrow:
            raise ValueError(f"the signature {text!r} has no arrow; write it as 'T x, T y -> T'")
        self.text = text
        self.inputs = [_argument(part, text, needs_name=True) for part in _split(before)]
        self.outputs = [_argument(part, text, needs_name=False) for part in _split(after)]
        if not self.inputs or not self.outputs:
            raise ValueError(f"the signature {text!r} needs an input and an output")
        names = [argument.name for argument in self.inputs + self.outputs if argument.name]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"the signature {text!r} has {name!r} twice")
        if len(self.outputs) > 1 and any(not argument.name for argument in self.outputs):
            raise ValueError(f"the signature {text!r} has several outputs, and each needs a name")

    def bind(self, given: Sequence[Any]) -> Inputs:
        """The arrays and numbers of a call; raises TypeError or ValueError that name the argument."""
        if len(given) != len(self.inputs):
            raise TypeError(f"'{self.text}' takes {len(self.inputs)} arguments, {len(given)} were given")
        first: Array | None = None
        types: Types = {}
        for argument, value in zip(self.inputs, given):
            if not isinstance(value, Array):
                if hasattr(value, "__len__") or not hasattr(value, "__float__"):
                    raise TypeError(f"argument '{argument.name}' of '{self.text}' takes an array of a device or a number, not "
                                    f"'{type(value).__name__}'; arrays of the host are copied with device.array()")
                continue
            _match(types, argument, value.dtype, self.text)
            if not value.contiguous:
                raise ValueError(f"argument '{argument.name}' of '{self.text}' is not contiguous; pass a contiguous copy")
            if first is None:
                first = value
                continue
            if value.device is not first.device:
                raise ValueError(f"argument '{argument.name}' of '{self.text}' is an array of {value.device.id}, the others are of "
                                 f"{first.device.id}; copy it with device.array()")
            if value.shape != first.shape:
                raise ValueError(f"argument '{argument.name}' of '{self.text}' has the shape {value.shape}, the others have {first.shape}")
        if first is None:
            raise TypeError(f"'{self.text}' was given numbers only; at least one argument is an array")
        for argument in self.inputs + self.outputs:
            if _VARIABLE.match(argument.type) and argument.type not in types:
                raise TypeError(f"no array says what '{argument.type}' is in '{self.text}'; write a dtype's name instead")
        return Inputs(first.device, first.shape, first.size, list(given), types)

    def output(self, index: int, inputs: Inputs, shape: tuple[int, ...], given: Any) -> Array:
        """The array for a result: the one that was given, if it fits, or a new one."""
        dtype = dtype_of(self.outputs[index], inputs.types)
        if given is None:
            return inputs.device.empty(shape, dtype)
        if not isinstance(given, Array):
            raise TypeError(f"'out' is an array of {inputs.device.id}, not '{type(given).__name__}'")
        if given.device is not inputs.device or given.dtype != dtype or given.shape != shape or not given.contiguous or not given.writable:
            raise ValueError(f"'out' of '{self.text}' is a contiguous, writable array of shape {shape} and dtype {dtype} on "
                             f"{inputs.device.id}, not {given!r}")
        return given


class Inputs(NamedTuple):
    """What a call was given, and what follows from it."""

    device: Device
    shape: tuple[int, ...]
    size: int
    values: list[Any]
    types: Types

    @property
    def are_arrays(self) -> tuple[bool, ...]:
        return tuple(isinstance(value, Array) for value in self.values)


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")] if text.strip() else []


def _argument(part: str, text: str, *, needs_name: bool) -> Argument:
    words = part.split()
    if len(words) not in ((2,) if needs_name else (1, 2)):
        raise ValueError(f"{part!r} in the signature {text!r} is not a type and a name")
    if words[0] not in _NAMES and not _VARIABLE.match(words[0]):
        raise ValueError(f"{words[0]!r} in the signature {text!r} is no type: write {', '.join(_NAMES)}, or a capital letter for any of them")
    name = words[1] if len(words) == 2 else ""
    if name and (not name.isidentifier() or not name.isascii() or name.endswith("_") or name in _RESERVED):
        raise ValueError(f"{name!r} in the signature {text!r} cannot be a name; 'i', 'n' and what ends in '_' are taken")
    return Argument(words[0], name)


def _match(types: Types, argument: Argument, dtype: np.dtype[Any], text: str) -> None:
    if dtype.name not in _NAMES or not dtype.isnative:
        raise TypeError(f"argument '{argument.name}' of '{text}' has the dtype {dtype}, which kernels do not compute with")
    wanted = types.setdefault(argument.type, dtype) if _VARIABLE.match(argument.type) else np.dtype(argument.type)
    if dtype != wanted:
        raise TypeError(f"argument '{argument.name}' of '{text}' takes an array of {wanted}, not one of {dtype}")


def dtype_of(argument: Argument, types: Types) -> np.dtype[Any]:
    return types[argument.type] if argument.type in types else np.dtype(argument.type)


def c_name(dtype: np.dtype[Any]) -> str:
    return _NAMES[dtype.name]


def literal(value: object, dtype: np.dtype[Any]) -> str:
    """A number as OpenCL C writes it; text is taken as it is."""
    if isinstance(value, str):
        return value
    if not isinstance(value, (bool, int, float, np.generic)):
        raise TypeError(f"a number, or its text in OpenCL C, is wanted, not '{type(value).__name__}'")
    if dtype.kind == "f":
        number = float(value)
        if math.isnan(number):
            return "NAN"
        if math.isinf(number):
            return "INFINITY" if number > 0 else "-INFINITY"
        if dtype.itemsize == 8:  # its bits: not every compiler reads all digits
            return f"as_double({struct.unpack('<Q', struct.pack('<d', number))[0]:#x}ul)"
        return f"{float(np.float32(number))!r}f"
    number = int(value)
    if number != value or not _fits(number, dtype):
        raise ValueError(f"{value} is no value of {dtype}")
    if number < 0:  # the least one has no positive counterpart
        return f"(-{-(number + 1)}{_SUFFIXES.get(dtype.name, '')} - 1)"
    return f"{number}{_SUFFIXES.get(dtype.name, '')}"


def _fits(number: int, dtype: np.dtype[Any]) -> bool:
    if dtype.kind == "b":
        return number in (0, 1)
    information = np.iinfo(dtype)
    return int(information.min) <= number <= int(information.max)


def users_text(expression: str, role: str) -> str:
    """The user's own words, so that a compiler counts lines from there and calls them by their role."""
    return f'\n#line 1 "{role}"\n{expression}\n#line 1 "generated"\n'


def header(dtypes: Sequence[np.dtype[Any]]) -> str:
    """What the text of a kernel with these types begins with."""
    extensions = sorted({_EXTENSIONS[dtype.name] for dtype in dtypes if dtype.name in _EXTENSIONS})
    return "".join(f"#pragma OPENCL EXTENSION {extension} : enable\n" for extension in extensions)


def parameters(signature: Signature, inputs: Inputs) -> str:
    """The inputs as a kernel takes them: an array `x` as `x_`, a number under its own name."""
    return ", ".join(f"global const {c_name(dtype_of(argument, inputs.types))} *{argument.name}_" if is_array
                     else f"const {c_name(dtype_of(argument, inputs.types))} {argument.name}"
                     for argument, is_array in zip(signature.inputs, inputs.are_arrays))


def elements(signature: Signature, inputs: Inputs) -> str:
    """The statements that give each input its value at `i`."""
    return " ".join(f"const {c_name(dtype_of(argument, inputs.types))} {argument.name} = {argument.name}_[i];"
                    for argument, is_array in zip(signature.inputs, inputs.are_arrays) if is_array)


class KernelCache:
    """The kernels that one helper has made: for each device, and for each choice of types."""

    def __init__(self, what: str, expressions: Mapping[str, str]) -> None:
        self._what = what
        self._expressions = expressions
        self._kept: dict[object, Any] = {}

    def run(self, inputs: Inputs, dtypes: Sequence[np.dtype[Any]], text: Callable[[], str], launch: Callable[[dict[str, Kernel]], None]) -> None:
        """Launches with the kernels of `text()`. They are made anew after a reset of the device."""
        key = (inputs.device, inputs.are_arrays, tuple(dtype.name for dtype in dtypes))
        kept = self._kept.get(key)
        if kept is not None:
            try:
                return launch(kept)
            except DeviceLostError:
                del self._kept[key]
        made = self._compile(inputs.device, dtypes, text())
        launch(made)
        self._kept[key] = made

    def _compile(self, device: Device, dtypes: Sequence[np.dtype[Any]], text: str) -> dict[str, Kernel]:
        for dtype in dtypes:
            feature = _FEATURES.get(dtype.name)
            if feature is not None and feature not in device.features:
                raise UnsupportedError(f"{device.id} does not compute with {dtype}: it has no {feature}", status=-4, object=self._what,
                                       remedy="take another dtype, or a device with that feature")
        try:
            program = device.compile(text, name=self._what)
        except CompileError as error:
            words = "; ".join(f"{role}: {expression!r}" for role, expression in self._expressions.items() if expression)
            raise CompileError(f"the kernel of {self._what} does not compile; {words}", status=error.status, remedy=error.remedy,
                               object=error.object, plugin=error.plugin, vendor_code=error.vendor_code, vendor_text=error.vendor_text,
                               log=error.log, line=error.line) from None
        return {name: program[name] for name in program.kernels}


class Groups(NamedTuple):
    """What a device's groups are like: the size to take, a power of two for the trees in local memory; and how many may be."""

    size: int
    most: int

    def count(self, wanted: int) -> int:
        """How many to start for as many as are wanted: kernels stride over the rest."""
        return max(1, min(wanted, self.most))


_groups: WeakKeyDictionary[Device, Groups] = WeakKeyDictionary()


def groups_of(device: Device) -> Groups:
    known = _groups.get(device)
    if known is None:
        properties = device.properties
        largest = min(properties["max_group_size"], properties["max_group"][0], 256)
        known = _groups[device] = Groups(1 << (largest.bit_length() - 1), min(properties["max_group_count"][0], 65535))
    return known


def check_one_result(signature: Signature, map: str) -> None:
    """For helpers that combine: one output without a name, and one input unless `map` makes a value of them."""
    if len(signature.outputs) != 1 or signature.outputs[0].name:
        raise ValueError(f"the signature {signature.text!r} has one output, a type without a name")
    if not map and len(signature.inputs) != 1:
        raise ValueError(f"the signature {signature.text!r} has several inputs; say with map= what is combined")


def combining(dtypes: Sequence[np.dtype[Any]], preamble: str, combine: str, identity: float | str) -> str:
    """What the kernels that combine begin with: the identity, and `combine_`, for values of the last of these types."""
    value = c_name(dtypes[-1])
    return f"""{header(dtypes)}{users_text(preamble, "preamble")}
#define IDENTITY_ (({value})({literal(identity, dtypes[-1])}))
{value} combine_(const {value} a, const {value} b) {{ return ({users_text(combine, "combine")}); }}
"""
