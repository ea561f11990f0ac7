"""The C interface from Python's ctypes alone: no package, no compiler. Two arrays are added on a device.

Usage: python3 09_ctypes.py [DEVICE]     with libqiao.so.0 where the system's loader finds it (LD_LIBRARY_PATH)
"""

import ctypes
import sys
from ctypes import POINTER, Structure, byref, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p, sizeof

COUNT = 1000
SOURCE = b"""
kernel void add(global const float *a, global const float *b, global float *sum) {
    const size_t i = get_global_id(0);
    sum[i] = a[i] + b[i];
}
"""


class Growing(Structure):
    """What the headers' ..._INIT macros do: a struct begins with its own size, and 0 is every default."""

    def __init__(self, **fields):
        super().__init__(struct_size=sizeof(self), **fields)


class Error(Growing):
    _fields_ = [("struct_size", c_size_t), ("next", c_void_p), ("status", c_int32), ("line", c_uint32), ("vendor_code", c_int64),
                ("message", c_char_p), ("remedy", c_char_p), ("object", c_char_p), ("plugin", c_char_p), ("vendor_text", c_char_p),
                ("log", c_char_p)]


class ProgramDesc(Growing):
    _fields_ = [("struct_size", c_size_t), ("next", c_void_p), ("data", c_char_p), ("size_bytes", c_uint64), ("name", c_char_p),
                ("options", c_char_p), ("flags", c_uint64)]


class MemoryDesc(Growing):
    _fields_ = [("struct_size", c_size_t), ("next", c_void_p), ("size_bytes", c_uint64), ("alignment", c_uint64), ("kind", c_uint32),
                ("reserved0", c_uint32), ("flags", c_uint64)]


class Launch(Structure):
    _fields_ = [("global_size", c_uint64 * 3), ("group_size", c_uint64 * 3), ("global_offset", c_uint64 * 3), ("dimensions", c_uint32),
                ("flags", c_uint32)]


class Arguments(Structure):
    """What a launch of `add` takes: a C struct, with device addresses where the kernel has pointers."""

    _fields_ = [("a", c_uint64), ("b", c_uint64), ("sum", c_uint64)]


# Handles are pointers to what only the library knows. Argument types are said once, else ctypes would pass 64 bits as 32.
FUNCTIONS = {
    "qiao_error_query": [POINTER(Error)],
    "qiao_instance_create": [c_void_p, POINTER(c_void_p)],
    "qiao_instance_find_device": [c_void_p, c_char_p, POINTER(c_void_p)],
    "qiao_instance_release": [c_void_p],
    "qiao_program_create_from_source": [c_void_p, POINTER(ProgramDesc), POINTER(c_void_p)],
    "qiao_program_get_kernel": [c_void_p, c_char_p, POINTER(c_void_p)],
    "qiao_program_release": [c_void_p],
    "qiao_memory_allocate": [c_void_p, POINTER(MemoryDesc), POINTER(c_void_p)],
    "qiao_memory_get_address": [c_void_p, POINTER(c_uint64)],
    "qiao_memory_write": [c_void_p, c_uint64, c_void_p, c_uint64],
    "qiao_memory_read": [c_void_p, c_uint64, c_void_p, c_uint64],
    "qiao_memory_release": [c_void_p],
    "qiao_queue_create": [c_void_p, c_void_p, POINTER(c_void_p)],
    "qiao_queue_get_timeline": [c_void_p, POINTER(c_void_p)],
    "qiao_queue_launch": [c_void_p, c_void_p, POINTER(Launch), c_void_p, c_size_t, POINTER(c_uint64)],
    "qiao_queue_release": [c_void_p],
    "qiao_timeline_wait": [c_void_p, c_uint64, c_uint64],
}
FOR_EVER = 2**64 - 1

library = ctypes.CDLL("libqiao.so.0")


def call(name, *arguments):
    """Calls a function; what fails ends the program with the library's own explanation."""
    status = getattr(library, name)(*arguments)
    if status != 0:
        error = Error()
        library.qiao_error_query(byref(error))
        sys.exit(f"{name}: {error.message.decode()}\n{error.log.decode()}{error.remedy.decode()}")


def get(name, *arguments, kind=c_void_p):
    """Calls a function that gives one thing through its last parameter."""
    result = kind()
    call(name, *arguments, byref(result))
    return result


def main():
    for name, types in FUNCTIONS.items():
        getattr(library, name).argtypes = types

    a = (ctypes.c_float * COUNT)(*range(COUNT))
    b = (ctypes.c_float * COUNT)(*(0.5 * i for i in range(COUNT)))
    total = (ctypes.c_float * COUNT)()

    instance = get("qiao_instance_create", None)
    device = get("qiao_instance_find_device", instance, (sys.argv[1:] or ["*"])[0].encode())
    program = get("qiao_program_create_from_source", device, byref(ProgramDesc(data=SOURCE, size_bytes=len(SOURCE))))
    kernel = get("qiao_program_get_kernel", program, b"add")

    memory = [get("qiao_memory_allocate", device, byref(MemoryDesc(size_bytes=sizeof(a)))) for _ in range(3)]
    arguments = Arguments(*(get("qiao_memory_get_address", each, kind=c_uint64).value for each in memory))
    call("qiao_memory_write", memory[0], 0, a, sizeof(a))
    call("qiao_memory_write", memory[1], 0, b, sizeof(b))

    queue = get("qiao_queue_create", device, None)
    timeline = get("qiao_queue_get_timeline", queue)
    launch = Launch(global_size=(COUNT, 1, 1), dimensions=1)
    done = get("qiao_queue_launch", queue, kernel, byref(launch), byref(arguments), sizeof(arguments), kind=c_uint64)
    call("qiao_timeline_wait", timeline, done, FOR_EVER)
    call("qiao_memory_read", memory[2], 0, total, sizeof(total))

    for i in range(COUNT):
        if total[i] != 1.5 * i:
            sys.exit(f"sum[{i}] is {total[i]}, not {1.5 * i}")
    print(f"{COUNT} sums are right")

    call("qiao_queue_release", queue)
    for each in memory:
        call("qiao_memory_release", each)
    call("qiao_program_release", program)
    call("qiao_instance_release", instance)


if __name__ == "__main__":
    main()
