// What a call of printf becomes: OpenCL C 1.2, section 6.12.13.
#include <doctest/doctest.h>

#include <cstring>

#include "vulkan/printf_call.h"

using namespace qiao::vulkan;

namespace {

// The words of an argument.
template <typename... Values>
std::vector<uint32_t> words(Values... values) {
    std::vector<uint32_t> out;
    const auto add = [&](auto value) {
        const size_t at = out.size();
        out.resize(at + (sizeof value + 3) / 4);
        std::memcpy(&out[at], &value, sizeof value);
    };
    (add(values), ...);
    return out;
}

std::string print(const std::string& format, std::vector<uint32_t> sizes, const std::vector<uint32_t>& arguments) {
    const std::vector<PrintfCall> calls = {{format, sizes}, {"text", {}}};
    std::string out;
    format_printf(calls, calls[0], arguments.data(), &out);
    return out;
}

struct Four {
    int32_t v[4];
};

} // namespace

TEST_SUITE("vulkan.printf") {
    TEST_CASE("numbers, widths, flags and lengths") {
        CHECK(print("%d|%5d|%-5d|%+d|%05d\n", {4, 4, 4, 4, 4}, words(-7, 42, 42, 42, -42)) == "-7|   42|42   |+42|-0042\n");
        CHECK(print("%u %x %#X %o", {4, 4, 4, 4}, words(-1, 255, 255, 8)) == "4294967295 ff 0XFF 10");
        CHECK(print("%hhd %hd %hhu %hu", {4, 4, 4, 4}, words(0x1ff, 0x18000, 0x1ff, 0x18000)) == "-1 -32768 255 32768");
        CHECK(print("%ld %lu %lx", {8, 8, 8}, words(int64_t{-5} << 40, UINT64_MAX, uint64_t{1} << 40)) ==
              "-5497558138880 18446744073709551615 10000000000");
        CHECK(print("%f %.2f %e %g %7.1f", {8, 8, 8, 8, 8}, words(1.5, 2.345, 12345.0, 0.25, -3.25)) == "1.500000 2.35 1.234500e+04 0.25    -3.2");
        CHECK(print("%.1f", {4}, words(1.5f)) == "1.5"); // where there is no double
    }

    TEST_CASE("characters, text, pointers and the percent sign") {
        CHECK(print("%c%c|%s|%6s|%.2s|%%", {4, 4, 4, 4, 4}, words(int{'a'}, int{'b'}, 1, 1, 1)) == "ab|text|  text|te|%");
        CHECK(print("%s.", {4}, words(99)) == "."); // no text has that number
        CHECK(print("%p", {8}, words(uint64_t{0x1000})) == "0x1000");
        CHECK(print("%c", {4}, words(0)) == std::string(1, '\0'));
    }

    TEST_CASE("vectors: each element as the conversion says, commas between") {
        CHECK(print("%v4hld", {16}, words(Four{{1, -2, 3, -4}})) == "1,-2,3,-4");
        CHECK(print("%v4d", {16}, words(Four{{1, -2, 3, -4}})) == "1,-2,3,-4");
        CHECK(print("%v2hlx %d", {8, 4}, words(255, 16, 5)) == "ff,10 5");
        CHECK(print("%v3hhd", {4}, words(uint32_t{0x00ff0201})) == "1,2,-1");
        CHECK(print("%v4hu", {8}, words(uint64_t{0xffff000300020001})) == "1,2,3,65535");
        CHECK(print("%v2ld", {16}, words(int64_t{-1}, int64_t{1} << 33)) == "-1,8589934592");
        CHECK(print("%v2hlf|%5.1v2hlf", {8, 8}, words(0.5f, -0.5f, 1.0f, 2.0f)) == "0.500000,-0.500000|  1.0,  2.0");
        CHECK(print("%v2lf", {16}, words(0.5, 8.0)) == "0.500000,8.000000");
        CHECK(print("%v2hf", {4}, words(uint32_t{0xc0003800})) == "0.500000,-2.000000");
        CHECK(print("%v3d %d", {12, 4}, words(1, 2, 3, 4)) == "1,2,3 4");
        CHECK(print("%v3hlf", {16}, words(1.0f, 2.0f, 3.0f, 9.0f)) == "1.000000,2.000000,3.000000");
    }

    TEST_CASE("what is no conversion, and arguments that are missing, stay as they are written") {
        CHECK(print("100% %y %v5d %d", {}, {}) == "100% %y %v5d %d");
        CHECK(print("%", {}, {}) == "%");
        CHECK(print("%99999999999d", {4}, words(1)).size() == 4096);
    }

    TEST_CASE("the metadata's text") {
        std::vector<PrintfCall> calls;
        REQUIRE(parse_printf_calls("4.8:%25d%2C %25f%0A,:a:b", &calls));
        REQUIRE(calls.size() == 2);
        CHECK(calls[0].format == "%d, %f\n");
        CHECK(calls[0].sizes == std::vector<uint32_t>{4, 8});
        CHECK(calls[1].format == "a:b");
        CHECK(calls[1].sizes.empty());
        for (const char* wrong : {"", "4", "3:x", "x:y", ":%2", ":%zz", "256:x", ":a,", "4.:x,b"}) {
            std::vector<PrintfCall> none;
            CAPTURE(wrong);
            CHECK(!parse_printf_calls(wrong, &none));
        }
    }

    TEST_CASE("a buffer: whole, empty, too small, and not to be believed") {
        const std::vector<PrintfCall> calls = {{"%d;", {4}}, {"end\n", {}}};
        std::string out;
        const uint32_t whole[] = {5, 0, 7, 0, 8, 1, 0, 0};
        CHECK(read_output(calls, whole, 8, &out));
        CHECK(out == "7;8;end\n");
        out.clear();
        const uint32_t empty[] = {0, 0};
        CHECK(read_output(calls, empty, 2, &out));
        CHECK(out.empty());
        const uint32_t full[] = {9, 0, 1, 0, 2, 0}; // the third call found room for its number only
        CHECK(!read_output(calls, full, 6, &out));
        CHECK(out == "1;2;");
        out.clear();
        const uint32_t damaged[] = {4, 1, 99, 0, 0};
        CHECK(!read_output(calls, damaged, 5, &out));
        CHECK(out == "end\n");
    }
}
