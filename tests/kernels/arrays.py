"""Arrays and numbers as the cases need them: typed lists, .npy files, and arithmetic rounded and wrapped as on a device."""

import array
import re
import struct

TYPES = {"f32": ("<f4", "f"), "f64": ("<f8", "d"), "i8": ("|i1", "b"), "u8": ("|u1", "B"), "i16": ("<i2", "h"), "u16": ("<u2", "H"),
         "i32": ("<i4", "i"), "u32": ("<u4", "I"), "i64": ("<i8", "q"), "u64": ("<u8", "Q"), "f16": ("<f2", "e")}
NAMES = {descr: name for name, (descr, _) in TYPES.items()}


def f32(value):
    """Rounded to single precision."""
    return struct.unpack("<f", struct.pack("<f", value))[0]


def wrap(value, bits, signed=True):
    value &= (1 << bits) - 1
    return value - (1 << bits) if signed and value >> (bits - 1) else value


def i32(value):
    return wrap(value, 32)


def u32(value):
    return wrap(value, 32, signed=False)


def quotient(a, b):
    """Division toward zero, as in C."""
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


class Random:
    """SplitMix64: the same numbers on every machine."""

    def __init__(self, seed):
        self.state = seed

    def bits(self):
        self.state = (self.state + 0x9e3779b97f4a7c15) & (2**64 - 1)
        z = self.state
        z = ((z ^ (z >> 30)) * 0xbf58476d1ce4e5b9) & (2**64 - 1)
        z = ((z ^ (z >> 27)) * 0x94d049bb133111eb) & (2**64 - 1)
        return z ^ (z >> 31)

    def integers(self, count, low, high):
        return [low + self.bits() % (high - low + 1) for _ in range(count)]

    def floats(self, count, low, high):
        return [f32(low + (high - low) * (self.bits() >> 40) / 2**24) for _ in range(count)]


def write_npy(path, dtype, values):
    descr, code = TYPES[dtype]
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': ({len(values)},), }}"
    text = text.ljust((len(text) + 11 + 63) // 64 * 64 - 11) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + struct.pack(f"<{len(values)}{code}", *values))


def read_npy(path):
    """dtype and values."""
    data = path.read_bytes()
    size = int.from_bytes(data[8:10], "little")
    descr = re.search(rb"'descr': '(.*?)'", data[10:10 + size]).group(1).decode()
    return NAMES[descr], list(array.array(TYPES[NAMES[descr]][1], data[10 + size:]))
