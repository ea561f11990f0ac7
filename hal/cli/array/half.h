/* IEEE binary16, which C++20 has no type for: the bits, and conversions that round to nearest even. */
#pragma once

#include <cstdint>

namespace qiao::cli {

struct Half {
    uint16_t bits = 0;
};

double half_to_double(Half value);
Half half_from_double(double value);

} // namespace qiao::cli
