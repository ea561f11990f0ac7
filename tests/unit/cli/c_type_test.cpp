// Tests of cli/run/c_type.h.
#include <doctest/doctest.h>

#include <string>

#include "cli/run/c_type.h"

using namespace qiao::cli;

namespace {

std::string shown(const char* type) {
    const auto parsed = parse_c_type(type);
    if (!parsed) return "opaque";
    return std::string(element_name(parsed->element)) + " " + std::to_string(parsed->width) + " " +
           std::to_string(parsed->stored_bytes());
}

} // namespace

TEST_SUITE_BEGIN("cli.c_type");

TEST_CASE("scalars and vectors, with qualifiers and stars") {
    CHECK(shown("float") == "f32 1 4");
    CHECK(shown("float*") == "f32 1 4");
    CHECK(shown("global const float*") == "f32 1 4");
    CHECK(shown("const __global float *restrict") == "f32 1 4");
    CHECK(shown("unsigned int") == "u32 1 4");
    CHECK(shown("unsigned char*") == "u8 1 1");
    CHECK(shown("uchar4*") == "u8 4 4");
    CHECK(shown("float3") == "f32 3 16");
    CHECK(shown("double16*") == "f64 16 128");
    CHECK(shown("half*") == "f16 1 2");
    CHECK(shown("ulong") == "u64 1 8");
}

TEST_CASE("everything else is opaque") {
    for (const char* type :
         {"struct params", "params_t*", "void*", "float5", "float32", "float**", "", "*", "4", "floatx4"}) {
        CAPTURE(type);
        CHECK(shown(type) == "opaque");
    }
}
