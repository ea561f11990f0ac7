// Tests of cli/array/difference.h: ULPs by hand, the special values, the tolerances.
#include <doctest/doctest.h>

#include <cmath>

#include "cli/array/difference.h"
#include "support.h"

using namespace qiao::cli;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

Difference compare(std::vector<float> left, std::vector<float> right, Tolerance tolerance = {}) {
    const Shape shape{left.size()};
    return compare_arrays(array_of(Element::F32, shape, left), array_of(Element::F32, shape, right), tolerance);
}

float after(float value, int steps) {
    for (; steps > 0; --steps)
        value = std::nextafter(value, kInfinity);
    return value;
}

} // namespace

TEST_SUITE_BEGIN("cli.difference");

TEST_CASE("equal arrays") {
    const Difference difference = compare({1, 2, 0.0f, NAN, kInfinity}, {1, 2, -0.0f, -NAN, kInfinity});
    CHECK(difference.elements == 5);
    CHECK(difference.differing == 0);
    CHECK(difference.max_ulp == 0);
}

TEST_CASE("counts representable numbers, also through powers of two and zero") {
    CHECK(compare({1.0f}, {after(1.0f, 3)}).max_ulp == 3);
    CHECK(compare({std::nextafter(2.0f, 0.0f)}, {after(2.0f, 1)}).max_ulp == 2);
    const float tiny = std::numeric_limits<float>::denorm_min();
    CHECK(compare({-tiny}, {tiny}).max_ulp == 2);
    CHECK(compare({0.0f}, {-tiny}).max_ulp == 1);
    CHECK(compare({-1.0f}, {1.0f}).max_ulp == 2u * 0x3f800000u);
}

TEST_CASE("names the first and counts all") {
    const Difference difference = compare({1, 2, 3, 4}, {1, after(2, 1), 3, after(4, 5)});
    CHECK(difference.differing == 2);
    CHECK(difference.beyond == 2);
    CHECK(difference.first == 1);
    CHECK(difference.max_ulp == 5);
    CHECK(difference.max_absolute == std::fabs(after(4, 5) - 4.0f));
}

TEST_CASE("NaN and infinity against something else are incomparable under every tolerance") {
    const Tolerance loose{kUlpIncomparable, kInfinity};
    for (const auto& [left, right] :
         {std::pair{NAN, 1.0f}, {kInfinity, 1.0f}, {kInfinity, -kInfinity}, {NAN, kInfinity}}) {
        const Difference difference = compare({left}, {right}, loose);
        CHECK(difference.beyond == 1);
        CHECK(difference.max_ulp == kUlpIncomparable);
        CHECK(std::isinf(difference.max_absolute));
    }
}

TEST_CASE("either tolerance is enough") {
    CHECK(compare({1.0f}, {after(1.0f, 4)}, {4, 0}).beyond == 0);
    CHECK(compare({1.0f}, {after(1.0f, 4)}, {3, 0}).beyond == 1);
    CHECK(compare({0.0f}, {1e-6f}, {4, 1e-5}).beyond == 0);
    CHECK(compare({0.0f}, {1e-6f}, {4, 1e-7}).beyond == 1);
    CHECK(compare({1.0f}, {after(1.0f, 4)}, {4, 0}).differing == 1); /* still said */
}

TEST_CASE("integers are exact unless an absolute tolerance is given") {
    const Array left = array_of<uint8_t>(Element::U8, {3}, {0, 10, 255});
    const Array right = array_of<uint8_t>(Element::U8, {3}, {0, 11, 0});
    const Difference strict = compare_arrays(left, right, {1000, 0});
    CHECK(strict.beyond == 2);
    CHECK(strict.max_ulp == 255);
    CHECK(compare_arrays(left, right, {0, 1}).beyond == 1);
    const Array low = array_of<int64_t>(Element::I64, {1}, {INT64_MIN});
    const Array high = array_of<int64_t>(Element::I64, {1}, {INT64_MAX});
    CHECK(compare_arrays(low, high, {}).max_ulp == UINT64_MAX);
    CHECK(compare_arrays(low, high, {}).max_absolute == std::ldexp(1.0, 64));
}

TEST_CASE("half and double") {
    const Array half = array_of<uint16_t>(Element::F16, {2}, {0x3c00, 0x0000});
    const Array near = array_of<uint16_t>(Element::F16, {2}, {0x3c02, 0x8000});
    CHECK(compare_arrays(half, near, {}).max_ulp == 2);
    CHECK(compare_arrays(half, near, {}).differing == 1);
    const Array one = array_of<double>(Element::F64, {1}, {1.0});
    const Array next = array_of<double>(Element::F64, {1}, {std::nextafter(1.0, 2.0)});
    CHECK(compare_arrays(one, next, {}).max_ulp == 1);
}
