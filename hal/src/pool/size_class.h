// Size classes: which sizes are treated alike. Counted in granules, a pool's smallest unit. Up to 16 granules each size is a
// class; above, each doubling has eight, so that rounding up to a class adds less than one eighth.
#pragma once

#include <bit>
#include <cstdint>

namespace qiao {

inline constexpr uint64_t kMaxGranules = UINT64_C(1) << 40;

// The largest class that is not above so many granules.
inline uint32_t class_below(uint64_t granules) {
    if (granules < 8) return static_cast<uint32_t>(granules);
    const auto exponent = static_cast<uint32_t>(std::bit_width(granules)) - 1;
    return (exponent - 2) * 8 + static_cast<uint32_t>(granules >> (exponent - 3) & 7);
}

// The smallest class that holds so many.
inline uint32_t class_above(uint64_t granules) {
    if (granules < 8) return static_cast<uint32_t>(granules);
    const auto exponent = static_cast<uint32_t>(std::bit_width(granules)) - 1;
    return class_below(granules + (UINT64_C(1) << (exponent - 3)) - 1);
}

inline uint64_t class_granules(uint32_t index) {
    if (index < 8) return index;
    return static_cast<uint64_t>(8 + index % 8) << (index / 8 - 1);
}

inline constexpr uint32_t kClasses = 320;  // class_below(kMaxGranules) is 304

}  // namespace qiao
