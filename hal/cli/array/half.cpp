/* Conversion of binary16 by arithmetic on the double: no tables, no dependence on the processor's half instructions. */
#include "cli/array/half.h"

#include <cmath>
#include <limits>

namespace qiao::cli {

double half_to_double(Half value) {
    const int exponent = (value.bits >> 10) & 0x1f;
    const int fraction = value.bits & 0x3ff;
    const double sign = (value.bits & 0x8000) != 0 ? -1.0 : 1.0;
    if (exponent == 0x1f) {
        if (fraction != 0) return std::numeric_limits<double>::quiet_NaN();
        return sign * std::numeric_limits<double>::infinity();
    }
    if (exponent == 0) return sign * std::ldexp(fraction, -24);
    return sign * std::ldexp(fraction + 0x400, exponent - 25);
}

Half half_from_double(double value) {
    const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
    if (std::isnan(value)) return {static_cast<uint16_t>(sign | 0x7e00)};
    const double magnitude = std::fabs(value);
    if (magnitude == 0.0) return {sign};
    if (magnitude >= 65520.0) return {static_cast<uint16_t>(sign | 0x7c00)}; /* half way from the largest to infinity */
    int exponent = 0;
    std::frexp(magnitude, &exponent);
    /* One step is 2^(exponent - 11) for normal numbers, and 2^-24 below them. */
    const int step = exponent - 11 > -24 ? exponent - 11 : -24;
    const auto steps = static_cast<uint16_t>(std::nearbyint(std::ldexp(magnitude, -step)));
    /* `steps` is 0x400 to 0x800 for normal numbers: its carry into the exponent field is just what rounding up needs. */
    return {static_cast<uint16_t>(sign | (((step + 24) << 10) + steps))};
}

} // namespace qiao::cli
