// Tests of cli/run/arguments.h: what belongs to which parameter, what fits, and the block.
#include <doctest/doctest.h>

#include "cli/run/arguments.h"
#include "support.h"

using namespace qiao::cli;

namespace {

/* scale(float* x, float factor, float* scratch (local), int4 v, struct params p) */
Signature scale() {
    return {"scale",
            {{"x", "float*", QIAO_ARGUMENT_KIND_ADDRESS, 0, 0, 8},
             {"factor", "float", QIAO_ARGUMENT_KIND_VALUE, 0, 8, 4},
             {"scratch", "float*", QIAO_ARGUMENT_KIND_LOCAL, 0, 44, 4},
             {"v", "int4", QIAO_ARGUMENT_KIND_VALUE, 0, 16, 16},
             {"p", "struct params", QIAO_ARGUMENT_KIND_VALUE, 0, 32, 12}},
            48};
}

std::vector<KeyedSpec> given(const std::vector<std::string>& list) {
    std::vector<KeyedSpec> result;
    for (const std::string& one : list)
        result.push_back(split_key(one));
    return result;
}

const std::vector<std::string> kGood = {"x=zeros:f32[4]", "factor=2", "scratch=local:64", "v=1,2,3,-4",
                                        "p=hex:0102030405060708090a0b0c"};

std::string refusal(std::vector<std::string> list) {
    return failure_of([&] { pack_block(scale(), match_arguments(scale(), given(list))); });
}

/* The good list with one replaced. */
std::string refusal_of(size_t index, const std::string& spec) {
    std::vector<std::string> list = kGood;
    list[index] = spec;
    return refusal(list);
}

} // namespace

TEST_SUITE_BEGIN("cli.arguments");

TEST_CASE("by name, by number, and in order") {
    CHECK(refusal(kGood).empty());
    const auto mixed = match_arguments(
        scale(), given({"v=1,2,3,4", "zeros:f32[4]", "1=2", "local:8", "hex:000000000000000000000000"}));
    CHECK(mixed[0].kind == SpecKind::Zeros);
    CHECK(mixed[1].numbers == std::vector<std::string>{"2"});
    CHECK(mixed[2].local_bytes == 8);
    CHECK(mixed[3].numbers.size() == 4);
    CHECK(mixed[4].bytes.size() == 12);
}

TEST_CASE("the block has C layout and the local count") {
    const std::vector<std::byte> block = pack_block(scale(), match_arguments(scale(), given(kGood)));
    REQUIRE(block.size() == 48);
    float factor = 0;
    int32_t v[4];
    uint32_t local = 0;
    std::memcpy(&factor, &block[8], 4);
    std::memcpy(v, &block[16], 16);
    std::memcpy(&local, &block[44], 4);
    CHECK(factor == 2.0f);
    CHECK(v[3] == -4);
    CHECK(block[32] == std::byte{1});
    CHECK(block[43] == std::byte{12});
    CHECK(local == 64);
}

TEST_CASE("three-element vectors take three numbers and the room of four") {
    const Signature signature{"k", {{"v", "float3", QIAO_ARGUMENT_KIND_VALUE, 0, 0, 16}}, 16};
    const auto block = pack_block(signature, match_arguments(signature, given({"1,2,3"})));
    CHECK(block[12] == std::byte{0});
    CHECK(contains(failure_of([&] { pack_block(signature, match_arguments(signature, given({"1,2,3,4"}))); }),
                   "takes 3 numbers"));
}

TEST_CASE("mistakes name the argument and its type") {
    CHECK(contains(refusal({"y=1"}), "2: there is no argument 'y'"));
    CHECK(contains(refusal({"9=1"}), "there is no argument '9'"));
    CHECK(contains(refusal({"factor=1", "1=2"}), "argument 'factor' (float): given twice"));
    CHECK(contains(refusal({"x=zeros:f32[4]"}), "argument 'factor' (float): not given"));
    CHECK(contains(refusal({"zeros:f32[4]", "2", "local:64", "1,2,3,4", "hex:000000000000000000000000", "7"}),
                   "one argument too many: '7'"));
    CHECK(contains(refusal_of(0, "x=2.5"), "argument 'x' (float*): '2.5' does not fit"));
    CHECK(contains(refusal_of(1, "factor=zeros:f32[1]"), "argument 'factor' (float): 'zeros:f32[1]' does not fit"));
    CHECK(contains(refusal_of(1, "factor=1,2"), "takes 1 number, '1,2' has 2"));
    CHECK(contains(refusal_of(1, "factor=fast"), "argument 'factor' (float): 'fast' is not a number"));
    CHECK(contains(refusal_of(1, "factor=hex:00"), "takes 4 bytes, 'hex:00' has 1"));
    CHECK(contains(refusal_of(2, "scratch=64"), "argument 'scratch' (float*): '64' does not fit"));
    CHECK(contains(refusal_of(3, "v=1,2,3"), "argument 'v' (int4): takes 4 numbers"));
    CHECK(contains(refusal_of(3, "v=1,2,3,3000000000"), "outside -2147483648 to 2147483647"));
    CHECK(contains(refusal_of(4, "p=7"), "argument 'p' (struct params): '7' cannot be made a value of this type"));
    CHECK(refusal_of(0, "x=null").empty());
}

TEST_CASE("arrays must have the element type and a whole number of elements") {
    const auto wrong = [](const char* type, const Array& array) {
        return failure_of([&] { check_array({"x", type, QIAO_ARGUMENT_KIND_ADDRESS, 0, 0, 8}, array); });
    };
    CHECK(wrong("float*", make_array(Element::F32, {4}, "")).empty());
    CHECK(contains(wrong("float*", make_array(Element::F64, {4}, "")),
                   "argument 'x' (float*): f64[4] is not what it points to, f32"));
    CHECK(contains(wrong("int*", make_array(Element::U32, {4}, "")), "i32"));
    CHECK(contains(wrong("float4*", make_array(Element::F32, {6}, "")), "no whole number of its elements of 16 bytes"));
    CHECK(wrong("struct params*", make_array(Element::U8, {7}, "")).empty());
    CHECK(contains(wrong("float*", make_array(Element::F32, {0}, "")), "is empty"));
}

TEST_CASE("reflection that leaves the block is not followed") {
    const Signature signature{"k", {{"v", "float", QIAO_ARGUMENT_KIND_VALUE, 0, 6, 4}}, 8};
    CHECK(contains(failure_of([&] { pack_block(signature, match_arguments(signature, given({"1"}))); }),
                   "outside the argument block"));
}
