/* How far two arrays are apart, element by element: in units in the last place, and absolutely. */
#pragma once

#include <cstdint>
#include <limits>

#include "cli/array/array.h"

namespace qiao::cli {

/* An element is within tolerance if it is near enough by either measure. ULPs only count for floating point. */
struct Tolerance {
    uint64_t ulp = 0;
    double absolute = 0.0;
};

/* Further apart than any two finite numbers: a NaN or an infinity against something else. */
inline constexpr uint64_t kUlpIncomparable = std::numeric_limits<uint64_t>::max();

struct Difference {
    uint64_t elements = 0;
    uint64_t differing = 0;  /* values that are not equal; two NaNs are equal, and so are the two zeros */
    uint64_t beyond = 0;     /* of them, outside the tolerance */
    uint64_t max_ulp = 0;    /* of integers: steps */
    double max_absolute = 0; /* infinite when incomparable */
    uint64_t first = 0;      /* the first differing element, in C order, if there is one */
};

/* Both must have the same element type and number of elements. */
Difference compare_arrays(const Array& left, const Array& right, const Tolerance& tolerance);

} // namespace qiao::cli
