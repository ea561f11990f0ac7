// Tests of cli/array/half.h: every one of the 65,536 values, and rounding.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>

#include "cli/array/half.h"

using qiao::cli::Half;
using qiao::cli::half_from_double;
using qiao::cli::half_to_double;

TEST_SUITE_BEGIN("cli.half");

TEST_CASE("every value survives the way to double and back") {
    uint32_t wrong = 0;
    for (uint32_t bits = 0; bits < 0x10000; ++bits) {
        const Half half{static_cast<uint16_t>(bits)};
        const double value = half_to_double(half);
        const bool is_nan = (bits & 0x7c00) == 0x7c00 && (bits & 0x3ff) != 0;
        if (is_nan ? !std::isnan(value) : half_from_double(value).bits != bits) ++wrong;
    }
    CHECK(wrong == 0);
}

TEST_CASE("known values") {
    CHECK(half_to_double({0x3c00}) == 1.0);
    CHECK(half_to_double({0xc000}) == -2.0);
    CHECK(half_to_double({0x7bff}) == 65504.0);
    CHECK(half_to_double({0x0001}) == std::ldexp(1.0, -24));
    CHECK(half_to_double({0x7c00}) == std::numeric_limits<double>::infinity());
}

TEST_CASE("between two values rounds to nearest, ties to even") {
    const double step = std::ldexp(1.0, -10); /* at 1.0 */
    CHECK(half_from_double(1.0 + step * 0.49).bits == 0x3c00);
    CHECK(half_from_double(1.0 + step * 0.5).bits == 0x3c00);
    CHECK(half_from_double(1.0 + step * 0.51).bits == 0x3c01);
    CHECK(half_from_double(1.0 + step * 1.5).bits == 0x3c02);
    CHECK(half_from_double(2.0 - step * 0.25).bits == 0x4000); /* carries into the exponent */
}

TEST_CASE("the ends of the range") {
    CHECK(half_from_double(65519.9).bits == 0x7bff);
    CHECK(half_from_double(65520.0).bits == 0x7c00);
    CHECK(half_from_double(-1e300).bits == 0xfc00);
    CHECK(half_from_double(std::ldexp(1.0, -25)).bits == 0); /* a tie with zero: even */
    CHECK(half_from_double(std::ldexp(1.1, -25)).bits == 1);
    CHECK(half_from_double(-0.0).bits == 0x8000);
    CHECK((half_from_double(std::nan("")).bits & 0x7e00) == 0x7e00);
}
