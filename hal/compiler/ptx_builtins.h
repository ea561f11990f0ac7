/* OpenCL C in front of a source for NVIDIA's cards: what libclc 15 lacks for them. */
#pragma once

#include <string_view>

namespace qiao::compiler::ptx {

/* The cards have no global offset. */
inline constexpr std::string_view kOffsets =
    "__attribute__((overloadable, const)) size_t get_global_offset(uint dimension) { return 0; }\n";

/* For kernels that use some only: what is defined here stays in the module, called or not. */
inline constexpr std::string_view kLongAtomics = R"(
#define QIAO_FUNCTION __attribute__((overloadable))
#define QIAO_BINARY(space, type, name, builtin) \
    QIAO_FUNCTION type name(volatile space type* p, type value) { return builtin(p, value); }
#define QIAO_CHOICE(space, type, name, better) \
    QIAO_FUNCTION type name(volatile space type* p, type value) { \
        type seen = *p; \
        for (type before; value better seen; seen = before) { \
            before = __sync_val_compare_and_swap(p, seen, value); \
            if (before == seen) break; \
        } \
        return seen; \
    }
#define QIAO_ATOMICS(space, type) \
    QIAO_BINARY(space, type, atom_add, __sync_fetch_and_add) \
    QIAO_BINARY(space, type, atom_sub, __sync_fetch_and_sub) \
    QIAO_BINARY(space, type, atom_xchg, __sync_swap) \
    QIAO_BINARY(space, type, atom_and, __sync_fetch_and_and) \
    QIAO_BINARY(space, type, atom_or, __sync_fetch_and_or) \
    QIAO_BINARY(space, type, atom_xor, __sync_fetch_and_xor) \
    QIAO_CHOICE(space, type, atom_min, <) \
    QIAO_CHOICE(space, type, atom_max, >) \
    QIAO_FUNCTION type atom_inc(volatile space type* p) { return __sync_fetch_and_add(p, (type)1); } \
    QIAO_FUNCTION type atom_dec(volatile space type* p) { return __sync_fetch_and_sub(p, (type)1); } \
    QIAO_FUNCTION type atom_cmpxchg(volatile space type* p, type expected, type value) { \
        return __sync_val_compare_and_swap(p, expected, value); \
    }
QIAO_ATOMICS(global, long)
QIAO_ATOMICS(global, ulong)
QIAO_ATOMICS(local, long)
QIAO_ATOMICS(local, ulong)
#undef QIAO_ATOMICS
#undef QIAO_CHOICE
#undef QIAO_BINARY
#undef QIAO_FUNCTION
)";

} // namespace qiao::compiler::ptx
