"""The functional kernels: for each its arguments, its shape, and what must come out, computed here and nowhere else.

An argument is a text (a SPEC of `qiao run`), or an array: given(...), expected(...) if the kernel writes it all, changed(...) if it
reads and writes it. Expectations are computed from the meaning of the kernel, not by a copy of its steps, wherever that is shorter.
"""

import dataclasses
import math
import struct
import zlib

from arrays import Random, f32, i32, quotient, u32, wrap


@dataclasses.dataclass
class Array:
    dtype: str
    start: list
    end: list | None = None  # None: read only


@dataclasses.dataclass
class Case:
    name: str
    file: str
    kernel: str
    arguments: list
    grid: tuple
    group: tuple = ()
    offset: tuple = ()
    ulp: int = 0
    absolute: float = 0
    options: list = dataclasses.field(default_factory=list)
    anyhow: bool = False  # the order of what is written does not count
    prints: list = dataclasses.field(default_factory=list)  # lines, in any order


CASES = []


def given(dtype, values):
    return Array(dtype, list(values))


def expected(dtype, values):
    values = list(values)
    return Array(dtype, [0] * len(values), values)


def changed(dtype, start, end):
    return Array(dtype, list(start), list(end))


def case(kernel, arguments, grid, name=None, **more):
    CASES.append(Case(name or kernel, FILE, kernel, arguments, grid if isinstance(grid, tuple) else (grid,), **more))


EDGES = [0, 1, -1, 2, -2, 7, -7, 100, -100, 127, 128, -128, -129, 255, 256, 32767, 32768, -32768, -32769, 65535, 65536, 2**31 - 1, -2**31,
         -2**31 + 1, 123456789, -987654321]
INTS = EDGES + Random(1).integers(38, -2**31, 2**31 - 1)
OTHERS = Random(2).integers(64, -2**31, 2**31 - 1)
FLOATS = [0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 100.25] + Random(3).floats(54, -1000, 1000)
N = 64

FILE = "arithmetic.cl"
case("add", [given("f32", FLOATS), given("f32", FLOATS[::-1]), expected("f32", [f32(a + b) for a, b in zip(FLOATS, FLOATS[::-1])])], N)
# Contraction to fma is allowed: integers make both the same.
case("saxpy", ["3", given("f32", range(N)), changed("f32", range(N), [4 * i for i in range(N)])], N)
DIVISORS = [d if d not in (0, -1) else 3 for d in OTHERS[:N - 4]] + [1, 2, -3, 7]
case("divide", [given("i32", INTS), given("i32", DIVISORS), expected("i32", map(quotient, INTS, DIVISORS)),
                expected("i32", [a - quotient(a, b) * b for a, b in zip(INTS, DIVISORS)])], N)
case("shifts", [given("i32", INTS), expected("i32", [a >> i % 31 for i, a in enumerate(INTS)]),
                expected("u32", [u32(a) >> i % 31 for i, a in enumerate(INTS)]), expected("i32", [i32(a << i % 31) for i, a in enumerate(INTS)])], N)
WORDS = [u32(a) for a in INTS]
case("bits", [given("u32", WORDS), expected("u32", [w.bit_count() for w in WORDS]), expected("u32", [32 - w.bit_length() for w in WORDS]),
              expected("u32", [u32(w << 7 | w >> 25) for w in WORDS])], N)
case("saturate", [given("i32", INTS), expected("u8", [min(max(a, 0), 255) for a in INTS]),
                  expected("i16", [min(max(a, -32768), 32767) for a in INTS])], N)
case("narrow", [given("i32", INTS), expected("i8", [wrap(a, 8) for a in INTS]), expected("i16", [wrap(a, 16) for a in INTS]),
                expected("u16", [wrap(a, 16, False) for a in INTS])], N)
LONGS = [0, 1, 2**64 - 1, 2**63, 2**32, 2**32 - 1] + [abs(a) * 4294967311 % 2**64 for a in INTS[:58]]
case("wide", [given("u64", LONGS), given("u64", LONGS[::-1]), expected("u64", [a * b % 2**64 for a, b in zip(LONGS, LONGS[::-1])]),
              expected("u64", [a * b >> 64 for a, b in zip(LONGS, LONGS[::-1])])], N)
case("averages", [given("i32", INTS), given("i32", OTHERS), expected("i32", [(a + b) >> 1 for a, b in zip(INTS, OTHERS)]),
                  expected("i32", [(a + b + 1) >> 1 for a, b in zip(INTS, OTHERS)]), expected("u32", [abs(a - b) for a, b in zip(INTS, OTHERS)])], N)
case("clamped_sum", [given("i32", INTS), given("i32", OTHERS), expected("i32", [min(max(a + b, -2**31), 2**31 - 1) for a, b in zip(INTS, OTHERS)]),
                     expected("i32", [min(max(a, -100), 100) for a in INTS])], N)
case("polynomial", [given("f64", FLOATS), expected("f64", [(x * 0.5 - 3.0) * x + 1 / 3 for x in FLOATS])], N, absolute=1e-9)
case("to_integers", [given("f32", FLOATS), expected("i32", map(math.trunc, FLOATS)), expected("i32", map(round, FLOATS)),
                     expected("i32", map(math.floor, FLOATS))], N)

FILE = "vectors.cl"
FOURS = [FLOATS[i:i + 4] for i in range(0, N, 4)]
case("swizzle", [given("f32", FLOATS), expected("f32", [v[k] for v in FOURS for k in (3, 2, 1, 0)])], N // 4)
case("triples", [given("i32", INTS[:60]), expected("i32", [i32(INTS[i + k] + add) for i in range(0, 60, 3) for k, add in ((2, 1), (0, 2), (1, 3))])], 20)
SMALL = [i % 11 - 5 for i in range(64)]
PAIRS = [(SMALL[i:i + 4], SMALL[63 - i - 3:64 - i][::-1]) for i in range(0, 64, 4)]
case("geometry", [given("f32", [x for a, _ in PAIRS for x in a[:3] + [0]]), given("f32", [x for _, b in PAIRS for x in b[:3] + [0]]),
                  expected("f32", [sum(a[k] * b[k] for k in range(3)) for a, b in PAIRS]),
                  expected("f32", [x for a, b in PAIRS for x in (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0], 0)])], 16)
case("vector_arguments", ["1,2,3,4", "0.5,10", "-1,2,3,-4", expected("f32", [(i % 4 + 1) * 0.5 + 10 - 1 - 4 for i in range(16)])], 16)
case("choose", [given("i32", INTS), given("i32", OTHERS), expected("i32", map(max, INTS, OTHERS)),
                expected("i32", [int(any(g)) + 2 * int(all(g)) for g in ([a > b for a, b in zip(INTS[i:i + 4], OTHERS[i:i + 4])] for i in range(0, 64, 4))])], 16)
case("bytes_of", [given("u32", WORDS), expected("u8", [w >> s & 255 for w in WORDS for s in (24, 16, 8, 0)])], N)
BYTES = Random(4).integers(256, 0, 255)
case("halves", [given("u8", BYTES), expected("u8", [BYTES[i + k] for i in range(0, 256, 8) for k in (0, 2, 4, 6)]),
                expected("u8", [BYTES[i + k] for i in range(0, 256, 8) for k in (4, 5, 6, 7)])], 32)

FILE = "structs.cl"
PARAMS = struct.pack("<ifb7xq3h2x", -5, 2.75, -7, 10**15, 4, 3, 2)
case("by_value", ["hex:" + PARAMS.hex(), expected("i64", [-5, 2, -7, 10**15, 234])], 1)
case("move", [changed("i32", [k for i in range(8) for k in (0, 0, 0, 0, i, 0, 0, 0)],
                      [k for i in range(8) for k in (*struct.unpack("<4i", struct.pack("<4f", 1, 2, 3, 4)), -i, 0, 0, 0)]), "1,2,3,4"], 8)
NESTED = [(1, 2, 3, 4, 100), (255, 255, 255, 255, 1), (0, 0, 0, 1, 7)]
case("nested", [given("u8", b"".join(struct.pack("<4BI", *n) for n in NESTED)),
                expected("u32", [u32(a + b * 256 + c * 65536 + d * 16777216 + w) for a, b, c, d, w in NESTED])], 3)
case("many_arguments", [given("i32", [i * (k + 1) for i in range(32)]) for k in range(17)] +
     ["1000", expected("i32", [(i * sum(range(1, 18)) + 1000) * -3 for i in range(32)]), "-3"], 32)
case("small_values", ["-100", "200", "-30000", "60000", str(-2**53), "0.125", expected("f64", [-100, 200, -30000, 60000, -2**53, 0.125])], 1)

FILE = "large_value.cl"
case("large_value", ["hex:" + struct.pack("<50i", *(k * k - 100 for k in range(50))).hex(), expected("i32", [k * k - 100 for k in range(50)])], 50)

FILE = "barriers.cl"
SUMMANDS = Random(5).integers(256, -1000, 1000)
GROUPS = [SUMMANDS[i:i + 32] for i in range(0, 256, 32)]
case("reduce", [given("i32", SUMMANDS), expected("i32", map(sum, GROUPS)), "local:i32[32]"], 256, group=(32,))
case("reduce", [given("i32", SUMMANDS), expected("i32", SUMMANDS), "local:i32[1]"], 256, group=(1,), name="reduce_alone")
case("scan", [given("i32", SUMMANDS), expected("i32", [sum(g[:k + 1]) for g in GROUPS for k in range(32)]), "local:i32[32]", "local:i32[32]"], 256,
     group=(32,))
case("transpose", [given("i32", range(16 * 24)), expected("i32", [y * 16 + x for x in range(16) for y in range(24)]), "16", "24"], (16, 24), group=(8, 8))
case("reverse", [changed("i32", SUMMANDS, [x for i in range(0, 256, 64) for x in SUMMANDS[i:i + 64][::-1]])], 256, group=(64,))
case("sort", [changed("i32", SUMMANDS, [x for i in range(0, 256, 64) for x in sorted(SUMMANDS[i:i + 64])]), "local:i32[64]"], 256, group=(64,))
case("through_global", [changed("i32", [0] * 64, [3 * i for i in range(64)]), expected("i32", [3 * (i // 16 * 16 + (i + 1) % 16) for i in range(64)])], 64,
     group=(16,))
case("histogram", [given("u8", BYTES), changed("i32", [0] * 16, [sum(b % 16 == k for b in BYTES) for k in range(16)]), "256"], 64, group=(16,))

FILE = "atomics.cl"
case("count", [changed("i32", [0], [100]), expected("i32", [1] * 100)], 100)
case("extremes", [given("i32", INTS), changed("i32", [2**31 - 1], [min(INTS)]), changed("i32", [-2**31], [max(INTS)]), changed("u32", [0], [max(WORDS)])], N)
case("masks", [changed("u32", [0xffffffff], [0xffff0000]), changed("u32", [0], [0xffff]), changed("u32", [0], [0xfffe ^ 0])], 16)
case("take", [changed("i32", [-1], [None]), changed("i32", [0] * 32, [0] * 31 + [1])], 32, anyhow=True)
case("add_float", [changed("f32", [0], [sum(range(64))]), given("f32", range(64))], 64, group=(16,))
case("down", [changed("i32", [10], [-54]), changed("i32", [0], [-sum(range(64))])], 64)
case("hand_over", [changed("i32", [0], [1]), changed("i32", [0], [31])], 32)

FILE = "grids.cl"
case("where_2d", [expected("u32", [y // 3 * 1000 + x // 4 * 100 + y % 3 * 10 + x % 4 for y in range(6) for x in range(12)])], (12, 6), group=(4, 3))
case("where_3d", [expected("u32", [x + y * 16 + z * 256 + z % 2 * 4096 + z // 2 * 65536 for z in range(6) for y in range(4) for x in range(8)])], (8, 4, 6),
     group=(2, 2, 2))
case("sizes", [expected("u32", [12, 6, 4, 4, 3, 2, 3, 2, 2, 0, 0, 0, 3])], (12, 6, 4), group=(4, 3, 2), name="sizes_3d")
case("sizes", [expected("u32", [12, 6, 1, 4, 3, 1, 3, 2, 1, 0, 0, 0, 2])], (12, 6), group=(4, 3), name="sizes_2d")
case("sizes", [expected("u32", [12, 1, 1, 4, 1, 1, 3, 1, 1, 0, 0, 0, 1])], 12, group=(4,), name="sizes_1d")
case("shifted", [expected("u32", [(y + 3) * 100 + x + 5 for y in range(4) for x in range(8)])], (8, 4), group=(4, 2), offset=(5, 3))
case("nothing", [], 16)
case("required", [expected("u32", [42] * 32)], (8, 4))
case("where_2d", [expected("u32", [x * 100 for x in range(13)])], (13, 1), group=(1, 1), name="where_prime")

FILE = "control.cl"
PRIMES = [2, 3, 5, 7, 11, 13, 17, 19]
case("table", [expected("i32", [PRIMES[i % 8] * 10 + PRIMES[(i + 3) % 8] for i in range(32)])], 32)
case("constant_argument", [given("i32", [1, -2, 3, -4]), given("i32", range(32)), expected("i32", [i * [1, -2, 3, -4][i % 4] for i in range(32)])], 32)
case("branches", [given("i32", range(-16, 16)), expected("i32", [{0: 10, 1: 21, 2: 1, 5: -1 if i > 8 else -2}.get(i % 8, i) for i in range(-16, 16)])], 32)


def collatz(n):
    return 0 if n == 1 else 1 + collatz(n // 2 if n % 2 == 0 else 3 * n + 1)


case("collatz", [given("u32", range(1, 65)), expected("u32", map(collatz, range(1, 65)))], 64)
case("common_divisors", [given("u32", [w % 10000 for w in WORDS]), given("u32", [u32(w) % 5000 for w in OTHERS]),
                         expected("u32", [math.gcd(a % 10000, u32(b) % 5000) for a, b in zip(WORDS, OTHERS)])], N)
case("primes", [expected("u32", [n >= 2 and all(n % d for d in range(2, n)) for n in range(128)])], 128)
case("median", [given("i32", SUMMANDS[:144]), expected("i32", [sorted(SUMMANDS[i:i + 9])[4] for i in range(0, 144, 9)])], 16)
case("crc", [given("u8", BYTES), expected("u32", [zlib.crc32(bytes(BYTES[i:i + 32])) for i in range(0, 256, 32)]), "32"], 8)


def escape(x, y, limit):
    z, c, n = (0, 0), (x * 3 - 32, y * 2 - 16), 0
    while n < limit and z[0] ** 2 + z[1] ** 2 < 1024:
        z, n = (quotient(z[0] ** 2 - z[1] ** 2, 16) + c[0], quotient(2 * z[0] * z[1], 16) + c[1]), n + 1
    return n


case("escape", [expected("i32", [escape(x, y, 30) for y in range(16) for x in range(16)]), "16", "30"], (16, 16))

FILE = "math.cl"
case("exact", [given("f32", FLOATS), expected("f32", [math.sqrt(abs(x)) for x in FLOATS]), expected("f32", map(math.floor, FLOATS)),
               expected("f32", map(round, FLOATS)), expected("f32", map(abs, FLOATS))], N, ulp=3)
ANGLES = Random(6).floats(64, -6, 6)
case("waves", [given("f32", ANGLES), expected("f32", map(math.sin, ANGLES)), expected("f32", map(math.cos, ANGLES)),
               expected("f32", [math.atan2(x, 2) for x in ANGLES])], N, ulp=16, absolute=1e-5)
POSITIVE = Random(7).floats(64, 0.25, 10)
case("growth", [given("f32", POSITIVE), expected("f32", [x ** 1.5 for x in POSITIVE]), expected("f32", map(math.log, POSITIVE)),
                expected("f32", [math.exp(-x) for x in POSITIVE])], N, ulp=32, absolute=1e-5)
QUARTERS = [k / 4 for k in range(-8, 8)]
case("blend", [given("f32", QUARTERS), expected("f32", [10 + 10 * min(max(x, 0), 1) + (x >= 0.5) + min(x, 0) + max(x, 1) for x in QUARTERS])], 16)
case("classes", [given("f32", [math.nan, math.inf, -math.inf, 1, -1, 0, -0.0, 1e-40]), Array("i32", [0] * 8, [None, 2, 6, 0, 4, 0, 4, 0])], 8)
case("double_waves", [given("f64", POSITIVE), expected("f64", [math.sin(x) * math.sqrt(x) for x in POSITIVE])], N, ulp=16, absolute=1e-12)
HALVES = [0.0, 1.0, -2.0, 0.5, 65504.0, 6.103515625e-05, -0.333251953125, 2048.0]
case("packed", [given("f16", HALVES), expected("f32", [2 * h for h in HALVES])], 8)

FILE = "many.cl"
for factor in (2, 13, 25):
    case(f"times_{factor}", [changed("i32", range(16), [i * factor for i in range(16)])], 16)

FILE = "includes.cl"
case("included", [changed("i32", range(16), [i * 7 + 3 for i in range(16)])], 16, options=["-D", "OFFSET=3", "-I", "include"])

FILE = "algorithms.cl"
A, B = [i % 7 - 3 for i in range(256)], [i % 5 - 2 for i in range(256)]
PRODUCT = [sum(A[y * 16 + k] * B[k * 16 + x] for k in range(16)) for y in range(16) for x in range(16)]
case("multiply", [given("f32", A), given("f32", B), expected("f32", PRODUCT), "16"], (16, 16))
case("tiled_multiply", [given("f32", A), given("f32", B), expected("f32", PRODUCT), "16", "local:f32[16]", "local:f32[16]"], (16, 16), group=(4, 4))


def at(grid, x, y):
    return grid[y * 16 + x] if 0 <= x < 16 and 0 <= y < 16 else 0


case("stencil", [given("f32", A), expected("f32", [at(A, x - 1, y) + at(A, x + 1, y) + at(A, x, y - 1) + at(A, x, y + 1) - 4 * at(A, x, y)
                                                   for y in range(16) for x in range(16)]), "16", "16"], (16, 16))
WORLD = [b % 3 == 0 for b in BYTES]


def alive(x, y):
    around = sum(WORLD[(y + j) % 16 * 16 + (x + i) % 16] for j in (-1, 0, 1) for i in (-1, 0, 1)) - WORLD[y * 16 + x]
    return around == 3 or (around == 2 and WORLD[y * 16 + x])


case("life", [given("u8", WORLD), expected("u8", [alive(x, y) for y in range(16) for x in range(16)]), "16", "16"], (16, 16))
KEPT = [x for x in SUMMANDS if x > 0]
case("compact", [given("i32", SUMMANDS), expected("i32", KEPT + [0] * (256 - len(KEPT))), changed("i32", [0], [len(KEPT)])], 256, anyhow=True)
CUBE = SUMMANDS[:6 * 5 * 4]
case("blur_3d", [given("i32", CUBE), expected("i32", [
    sum(CUBE[(k * 5 + j) * 6 + i] for k in range(max(z - 1, 0), min(z + 2, 4)) for j in range(max(y - 1, 0), min(y + 2, 5))
        for i in range(max(x - 1, 0), min(x + 2, 6))) for z in range(4) for y in range(5) for x in range(6)])], (6, 5, 4))
BODIES = [[SMALL[(i * 4 + k) % 64] for k in range(4)] for i in range(16)]
case("forces", [given("f32", sum(BODIES, [])), expected("f32", [sum((o[k] - b[k]) * o[3] for o in BODIES) if k < 3 else 0
                                                                for b in BODIES for k in range(4)]), "16"], 16)

FILE = "printing.cl"
PRINTED = [0, 1, -1, 42, -128, 127, 65535, -70000]
case("print_integers", [given("i32", PRINTED)], 8, prints=[line for i in PRINTED for line in (
    f"{i}: |{i:5d}|{i:<5d}|{i:05d}|{i:+d}|",
    f"{u32(i)} {u32(i):x} {'0X' if i else ''}{u32(i):X} {u32(i):o} {wrap(i, 8)} {wrap(i, 16)}",
    f"{i << 32} {i % 2**64:x}")])
case("print_floats", [given("f32", [0.0, 1.5, -2.25, 1024.125])], 4,
     prints=[f"{x:f} {x:.2f} {x:8.1f} {x:e}" for x in (0.0, 1.5, -2.25, 1024.125)])
LISTED = [[1, 2, 3, 4], [-1, -2, -3, -4], [100, 50, 0, -100]]
case("print_vectors", [given("i32", sum(LISTED, []))], 3, prints=[line for v in LISTED for line in (
    f"{','.join(map(str, v))}|{v[0] & 255:x},{v[1] & 255:x}|{','.join(map(str, v))}|{','.join(map(str, v))}",
    f"{','.join(map(str, v[:3]))}|{','.join(f'{x:f}' for x in v[:3])}",
    f"{v[0] / 2:f},{v[1] / 2:f}|{','.join(f'{x:4.1f}' for x in v)}",
    f"{v[2] << 32},{v[3] << 32}")])
case("print_threes", [given("i32", sum(LISTED, []))], 3, options=["-D", "THREES"],
     prints=[f"{','.join(map(str, v[:3]))}|{','.join(map(str, v[:3]))}" for v in LISTED])
case("print_text", [expected("i32", [0, 3, 6, 9])], 4,
     prints=[f"{chr(97 + i)}{chr(65 + i)} text   more % percent" for i in range(4)] + ["in pieces"])
