// Tests of cli/array/png.h: pictures survive, damage is refused.
#include <doctest/doctest.h>

#include <random>

#include "cli/array/png.h"
#include "support.h"

using namespace qiao::cli;

namespace {

Array picture(const Shape& shape) {
    Array array = make_array(Element::U8, shape, "test");
    for (size_t i = 0; i < array.bytes.size(); ++i)
        array.bytes[i] = static_cast<std::byte>(i * 31 >> 1);
    return array;
}

} // namespace

TEST_SUITE_BEGIN("cli.png");

TEST_CASE("grey, grey with alpha, RGB and RGBA survive exactly") {
    for (const Shape& shape : {Shape{3, 5}, Shape{3, 5, 2}, Shape{3, 5, 3}, Shape{3, 5, 4}}) {
        const Array array = picture(shape);
        const Array again = parse_png(format_png(array, "x.png"), "x.png");
        CHECK(again.shape == shape);
        CHECK(again.bytes == array.bytes);
    }
    const Array one_channel = picture({3, 5, 1});
    CHECK(parse_png(format_png(one_channel, "x.png"), "x.png").shape == Shape{3, 5});
}

TEST_CASE("what is no picture is not written") {
    const auto refusal = [](const Array& array) { return failure_of([&] { format_png(array, "x.png"); }); };
    CHECK(contains(refusal(make_array(Element::F32, {2, 2}, "test")), "2: x.png: a picture is u8"));
    CHECK(contains(refusal(make_array(Element::U8, {4}, "test")), "not u8[4]"));
    CHECK(contains(refusal(make_array(Element::U8, {2, 2, 5}, "test")), "not u8[2x2x5]"));
    CHECK(contains(refusal(make_array(Element::U8, {2, 0, 3}, "test")), "not u8[2x0x3]"));
}

TEST_CASE("damaged pictures are refused") {
    const std::vector<std::byte> good = format_png(picture({16, 16, 3}), "x.png");
    const auto refusal = [](const std::vector<std::byte>& file) {
        return failure_of([&] { parse_png(file, "x.png"); });
    };
    CHECK(refusal(good).empty());
    CHECK(contains(refusal(bytes_of("GIF89a and more")), "1: x.png: not a usable picture"));
    CHECK(contains(refusal({}), "not a usable picture"));
    CHECK(contains(refusal({good.begin(), good.begin() + 60}), "not a usable picture"));
}

TEST_CASE("a picture that says it is huge is refused") {
    std::vector<std::byte> file = format_png(picture({16, 16, 3}), "x.png");
    file[18] = file[22] = std::byte{0x7f}; /* width and height; the checksum no longer fits either */
    CHECK(contains(failure_of([&] { parse_png(file, "x.png"); }), "x.png"));
}

TEST_CASE("random damage never does anything but throw Failure") {
    const std::vector<std::byte> good = format_png(picture({16, 16, 3}), "x.png");
    const unsigned seed = std::random_device()();
    CAPTURE(seed);
    std::mt19937 random(seed);
    uint32_t refused = 0;
    for (int round = 0; round < 2000; ++round) {
        std::vector<std::byte> file = good;
        for (uint32_t i = 0; i < 1 + random() % 4; ++i)
            file[random() % file.size()] = static_cast<std::byte>(random());
        if (random() % 4 == 0) file.resize(random() % file.size());
        if (!failure_of([&] { parse_png(file, "x.png"); }).empty()) ++refused;
    }
    CHECK(refused > 1000);
}
