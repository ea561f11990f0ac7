// Tests of cli/run/spec.h: every form, and what is wrong with the wrong ones.
#include <doctest/doctest.h>

#include "cli/run/spec.h"
#include "support.h"

using namespace qiao::cli;

namespace {

Spec parse(const std::string& written) {
    return parse_spec(written, "argument 'x'");
}
std::string refusal(const std::string& written) {
    return failure_of([&] { parse(written); });
}
Array make(const std::string& written) {
    return load_array(parse(written), "mock:0", "argument 'x'");
}

} // namespace

TEST_SUITE_BEGIN("cli.spec");

TEST_CASE("keys") {
    CHECK(split_key("a=zeros:f32[4]").key == "a");
    CHECK(split_key("a=zeros:f32[4]").value == "zeros:f32[4]");
    CHECK(split_key("12=3").key == "12");
    CHECK(split_key("random:f32[4]:seed=7").key == "");
    CHECK(split_key("@a=b.npy").key == "");
    CHECK(split_key("=3").key == "");
    CHECK(split_key("x=random:f32[4]:seed=7").value == "random:f32[4]:seed=7");
}

TEST_CASE("arrays") {
    CHECK(make("zeros:f32[2x3]").shape == Shape{2, 3});
    CHECK(make("zeros:f32[2x3]").bytes == std::vector<std::byte>(24));
    CHECK(values_of<int32_t>(make("range:i32[3]")) == std::vector<int32_t>{0, 1, 2});
    CHECK(values_of<int32_t>(make("range:i32[3]:5")) == std::vector<int32_t>{5, 6, 7});
    CHECK(values_of<int32_t>(make("range:i32[3]:5,-2")) == std::vector<int32_t>{5, 3, 1});
    CHECK(values_of<float>(make("const:2.5:f32[2]")) == std::vector<float>{2.5f, 2.5f});
    CHECK(values_of<int8_t>(make("const:-3:i8[1]")) == std::vector<int8_t>{-3});
    CHECK(make("random:u32[9]:seed=7").bytes == make("random:u32[9]:seed=7").bytes);
    CHECK(make("random:u32[9]:seed=7").bytes != make("random:u32[9]:seed=8").bytes);
    for (const uint32_t value : values_of<uint32_t>(make("random:u32[99]:seed=1:10,12")))
        CHECK((value >= 10 && value <= 12));
    CHECK(make("random:f32[9]:2,3:seed=4").bytes == make("random:f32[9]:seed=4:2,3").bytes);
}

TEST_CASE("scalars, bytes, local memory, null") {
    CHECK(parse("2.5").kind == SpecKind::Numbers);
    CHECK(parse("-1e5").numbers == std::vector<std::string>{"-1e5"});
    CHECK(parse("1,2,3,4").numbers == std::vector<std::string>{"1", "2", "3", "4"});
    CHECK(parse("hex:00fF10").bytes == std::vector<std::byte>{std::byte{0}, std::byte{0xff}, std::byte{0x10}});
    CHECK(parse("local:4096").local_bytes == 4096);
    CHECK(parse("local:f32[16x17]").local_bytes == 1088);
    CHECK(parse("null").kind == SpecKind::Null);
    CHECK(parse("@x/y.png").path == "x/y.png");
}

TEST_CASE("mistakes are named") {
    CHECK(contains(refusal(""), "2: argument 'x': nothing is given"));
    CHECK(contains(refusal("@a.jpg"), "'a.jpg' is not a .npy or .png file"));
    CHECK(contains(refusal("zeros:f33[4]"), "'f33' is no element type"));
    CHECK(contains(refusal("ones:f32[4]"), "'ones:' is no form"));
    for (const char* type : {"f32", "f32[", "f32]", "f32[4"})
        CHECK(contains(refusal(std::string("zeros:") + type), "with a shape"));
    for (const char* shape :
         {"[]", "[0]", "[x]", "[4x]", "[x4]", "[-1]", "[4x0]", "[4 x 4]", "[99999999999999999999]"}) {
        CAPTURE(shape);
        CHECK(contains(refusal(std::string("zeros:f32") + shape), "is not a size above 0"));
    }
    CHECK(contains(refusal("zeros:f32[1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1]"),
                   "dimensions"));
    CHECK(contains(refusal("range:i32[4]:1,2,3"), "START[,STEP]"));
    CHECK(contains(refusal("random:f32[4]:seed=-1"), "seed '-1'"));
    CHECK(contains(refusal("random:f32[4]:5"), "LOW,HIGH"));
    CHECK(contains(refusal("hex:123"), "two digits"));
    CHECK(contains(refusal("hex:zz"), "'zz' is not a hexadecimal byte"));
    CHECK(contains(refusal("local:0"), "local memory"));
    CHECK(contains(refusal("local:5000000000"), "local memory"));
}

TEST_CASE("an array larger than the machine is refused, not tried") {
    CHECK(contains(failure_of([] { make("zeros:f64[1000000x1000000x1000]"); }), "larger than this machine's memory"));
    CHECK(
        contains(failure_of([] { make("zeros:f64[4294967296x4294967296x4]"); }), "larger than this machine's memory"));
}

TEST_CASE("the device in a path") {
    CHECK(depends_on_device("out-{device}.npy"));
    CHECK(path_for_device("{device}/out-{device}.npy", "mock:0") == "mock-0/out-mock-0.npy");
    CHECK(path_for_device("out.npy", "mock:0") == "out.npy");
    CHECK(path_for_device("{device}.npy", "../x") == "..-x.npy");
}
