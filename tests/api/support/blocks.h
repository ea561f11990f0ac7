/* The argument blocks of the tests' kernels, as C structs: what the packed convention promises. Addresses first where the
 * kernel has them first; counts of local arguments last. */
#pragma once

#include <cstdint>

namespace blocks {

struct Add { uint64_t a, b, out; };
struct Fill { uint64_t out; uint32_t value; uint32_t padding; };
struct Count { uint64_t counter; };
struct Hold { uint64_t word; };
struct Iterate { uint64_t cell; uint32_t rounds; uint32_t padding; };
struct Params { char tag; int32_t a; int64_t b; float c; int16_t d[3]; };
struct TakeParams { uint64_t out; Params params; };
struct Reverse { uint64_t in, out; uint32_t tile_bytes; uint32_t padding; };
struct TwoLocals { uint64_t out; uint32_t first_bytes, second_bytes; };
struct Grid { uint64_t out; };
struct Required { uint64_t out; };
struct Offsets { uint64_t out; };

}  // namespace blocks
