/* ULPs: the bits of a floating-point number, read as sign and magnitude, count the representable numbers from zero. */
#include "cli/array/difference.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <type_traits>

namespace qiao::cli {
namespace {

struct Distance {
    uint64_t ulp = 0;
    double absolute = 0.0;
};

template <typename Bits>
uint64_t bits_apart(Bits left, Bits right) {
    constexpr Bits kSign = static_cast<Bits>(Bits{1} << (sizeof(Bits) * 8 - 1));
    const uint64_t a = left & static_cast<Bits>(~kSign);
    const uint64_t b = right & static_cast<Bits>(~kSign);
    if (((left ^ right) & kSign) != 0) return a + b; /* through zero; fits, as each has one bit to spare */
    return a > b ? a - b : b - a;
}

double as_double(Half value) {
    return half_to_double(value);
}
double as_double(float value) {
    return value;
}
double as_double(double value) {
    return value;
}

template <typename T>
Distance distance(T left, T right) {
    if constexpr (std::is_integral_v<T>) {
        using Unsigned = std::make_unsigned_t<T>;
        const Unsigned apart = left > right
                                   ? static_cast<Unsigned>(static_cast<Unsigned>(left) - static_cast<Unsigned>(right))
                                   : static_cast<Unsigned>(static_cast<Unsigned>(right) - static_cast<Unsigned>(left));
        return {apart, static_cast<double>(apart)};
    } else {
        using Bits =
            std::conditional_t<sizeof(T) == 2, uint16_t, std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>>;
        const double a = as_double(left);
        const double b = as_double(right);
        if (a == b || (std::isnan(a) && std::isnan(b))) return {};
        if (!std::isfinite(a) || !std::isfinite(b)) return {kUlpIncomparable, std::numeric_limits<double>::infinity()};
        return {bits_apart(std::bit_cast<Bits>(left), std::bit_cast<Bits>(right)), std::fabs(a - b)};
    }
}

template <typename T>
Difference compare(const Array& left, const Array& right, const Tolerance& tolerance) {
    Difference result;
    result.elements = left.bytes.size() / sizeof(T);
    for (uint64_t i = 0; i < result.elements; ++i) {
        T a;
        T b;
        std::memcpy(&a, left.bytes.data() + i * sizeof(T), sizeof(T));
        std::memcpy(&b, right.bytes.data() + i * sizeof(T), sizeof(T));
        const Distance apart = distance(a, b);
        if (apart.ulp == 0) continue;
        if (result.differing++ == 0) result.first = i;
        const bool near =
            (!std::is_integral_v<T> && apart.ulp <= tolerance.ulp) || apart.absolute <= tolerance.absolute;
        if (apart.ulp == kUlpIncomparable || !near) ++result.beyond;
        result.max_ulp = std::max(result.max_ulp, apart.ulp);
        result.max_absolute = std::max(result.max_absolute, apart.absolute);
    }
    return result;
}

} // namespace

Difference compare_arrays(const Array& left, const Array& right, const Tolerance& tolerance) {
    return visit_element(left.element,
                         [&]<typename T>(std::type_identity<T>) { return compare<T>(left, right, tolerance); });
}

} // namespace qiao::cli
