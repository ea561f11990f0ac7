// Tests of cli/array/numbers.h: parsing is strict, ranges are exact, random arrays are the same everywhere.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "cli/array/numbers.h"
#include "support.h"

using namespace qiao::cli;

namespace {

template <typename T>
T number(Element element, const std::string& written) {
    T value{};
    store_number(element, written, reinterpret_cast<std::byte*>(&value), "argument 'x'");
    return value;
}

std::string refusal(Element element, const std::string& written) {
    return failure_of([&] { number<uint64_t>(element, written); });
}

} // namespace

TEST_SUITE_BEGIN("cli.numbers");

TEST_CASE("numbers of each type") {
    CHECK(number<float>(Element::F32, "2.5") == 2.5f);
    CHECK(number<double>(Element::F64, "-1e-300") == -1e-300);
    CHECK(number<double>(Element::F64, "0x10") == 16.0);
    CHECK(number<Half>(Element::F16, "1.5").bits == 0x3e00);
    CHECK(std::isinf(number<float>(Element::F32, "-inf")));
    CHECK(std::isnan(number<float>(Element::F32, "nan")));
    CHECK(number<int8_t>(Element::I8, "-128") == -128);
    CHECK(number<uint64_t>(Element::U64, "18446744073709551615") == UINT64_MAX);
    CHECK(number<int64_t>(Element::I64, "-9223372036854775808") == INT64_MIN);
    CHECK(number<uint32_t>(Element::U32, "0xffffffff") == 0xffffffffu);
}

TEST_CASE("what is no number, or does not fit, is refused with the argument's name") {
    for (const char* wrong : {"", "1 ", " 1", "1.5", "1e3", "x", "0x", "--1", "1,2"}) {
        CAPTURE(wrong);
        CHECK(contains(refusal(Element::I32, wrong), "2: argument 'x': '"));
    }
    CHECK(contains(refusal(Element::U8, "256"), "256 is outside 0 to 255"));
    CHECK(contains(refusal(Element::U8, "-1"), "-1 is outside 0 to 255"));
    CHECK(contains(refusal(Element::I8, "128"), "outside -128 to 127"));
    CHECK(contains(refusal(Element::U64, "18446744073709551616"), "is not an integer"));
    CHECK(contains(refusal(Element::F32, "1e39"), "beyond the largest number"));
    CHECK(contains(refusal(Element::F16, "65505"), "beyond the largest number, 65504"));
    CHECK(contains(refusal(Element::F32, "1.0f"), "is not a number"));
}

TEST_CASE("ranges") {
    Array array = make_array(Element::I32, {4}, "test");
    fill_range(array, "0", "1", "test");
    CHECK(values_of<int32_t>(array) == std::vector<int32_t>{0, 1, 2, 3});
    fill_range(array, "10", "-5", "test");
    CHECK(values_of<int32_t>(array) == std::vector<int32_t>{10, 5, 0, -5});

    Array floats = make_array(Element::F32, {3}, "test");
    fill_range(floats, "0.5", "0.25", "test");
    CHECK(values_of<float>(floats) == std::vector<float>{0.5f, 0.75f, 1.0f});

    Array bytes = make_array(Element::U8, {256}, "test");
    fill_range(bytes, "0", "1", "test");
    CHECK(values_of<uint8_t>(bytes).back() == 255);
    Array more = make_array(Element::U8, {257}, "test");
    CHECK(contains(failure_of([&] { fill_range(more, "0", "1", "argument 'x'"); }),
                   "of 257 elements from 0 in steps of 1 leaves u8"));
    Array wide = make_array(Element::U64, {2}, "test");
    fill_range(wide, "18446744073709551614", "1", "test");
    CHECK(values_of<uint64_t>(wide).back() == UINT64_MAX);
    Array half = make_array(Element::F16, {2}, "test");
    CHECK(contains(failure_of([&] { fill_range(half, "0", "65504", "x"); }), "leaves f16"));
}

TEST_CASE("random arrays depend on the seed only") {
    Array array = make_array(Element::U64, {3}, "test");
    fill_random(array, 1, "", "", "test");
    /* SplitMix64 with state 1, as published. */
    CHECK(values_of<uint64_t>(array) == std::vector<uint64_t>{UINT64_C(0x910a2dec89025cc1),
                                                              UINT64_C(0xbeeb8da1658eec67),
                                                              UINT64_C(0xf893a2eefb32555e)});
    Array other = make_array(Element::U64, {3}, "test");
    fill_random(other, 2, "", "", "test");
    CHECK(other.bytes != array.bytes);
}

TEST_CASE("random arrays stay within their bounds and reach both") {
    Array integers = make_array(Element::I8, {10000}, "test");
    fill_random(integers, 7, "-2", "3", "test");
    const std::vector<int8_t> values = values_of<int8_t>(integers);
    CHECK(std::set<int8_t>(values.begin(), values.end()) == std::set<int8_t>{-2, -1, 0, 1, 2, 3});
    Array all = make_array(Element::I8, {20000}, "test");
    fill_random(all, 7, "", "", "test");
    const std::vector<int8_t> every = values_of<int8_t>(all);
    CHECK(std::set<int8_t>(every.begin(), every.end()).size() == 256);

    Array floats = make_array(Element::F32, {10000}, "test");
    fill_random(floats, 7, "-1", "3", "test");
    const std::vector<float> spread = values_of<float>(floats);
    CHECK(*std::min_element(spread.begin(), spread.end()) >= -1.0f);
    CHECK(*std::min_element(spread.begin(), spread.end()) < -0.99f);
    CHECK(*std::max_element(spread.begin(), spread.end()) <= 3.0f);
    CHECK(*std::max_element(spread.begin(), spread.end()) > 2.99f);
    CHECK(contains(failure_of([&] { fill_random(floats, 7, "1", "0", "x"); }), "two finite numbers in order"));
    CHECK(contains(failure_of([&] { fill_random(integers, 7, "3", "2", "x"); }), "wrong order"));
}
