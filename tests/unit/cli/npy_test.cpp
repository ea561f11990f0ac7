// Tests of cli/array/npy.h: what NumPy writes is read, what is damaged is refused with its reason, and nothing crashes.
#include <doctest/doctest.h>

#include <random>

#include "cli/array/npy.h"
#include "support.h"

using namespace qiao::cli;

namespace {

/* A file with this header text, version 1.0, and data. */
std::string npy(const std::string& header, const std::string& data,
                const std::string& version = std::string("\x01\x00", 2)) {
    std::string file = "\x93NUMPY" + version;
    for (size_t i = 0; i < (version[0] == 1 ? 2 : 4); ++i)
        file += static_cast<char>(header.size() >> (8 * i) & 0xff);
    return file + header + data;
}

std::string header_of(const std::string& descr, const std::string& order, const std::string& shape) {
    return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }          \n";
}

Array parse(const std::string& file) {
    return parse_npy(bytes_of(file), "x.npy");
}
std::string refusal(const std::string& file) {
    return failure_of([&] { parse(file); });
}

} // namespace

TEST_SUITE_BEGIN("cli.npy");

TEST_CASE("what is written is read again, for every type and many shapes") {
    for (const Element element : {Element::F16, Element::F32, Element::F64, Element::I8, Element::I16, Element::I32,
                                  Element::I64, Element::U8, Element::U16, Element::U32, Element::U64}) {
        for (const Shape& shape : {Shape{}, Shape{5}, Shape{2, 3}, Shape{2, 1, 4, 3}, Shape{0, 7}}) {
            Array array = make_array(element, shape, "test");
            for (size_t i = 0; i < array.bytes.size(); ++i)
                array.bytes[i] = static_cast<std::byte>(i * 37 + 11);
            const std::vector<std::byte> file = format_npy(array);
            CHECK((file.size() - array.bytes.size()) % 64 == 0);
            const Array again = parse_npy(file, "again.npy");
            CHECK(again.element == element);
            CHECK(again.shape == shape);
            CHECK(again.bytes == array.bytes);
        }
    }
}

TEST_CASE("the header is what NumPy writes") {
    const auto file = format_npy(array_of<float>(Element::F32, {2}, {1.0f, 2.0f}));
    const std::string text(reinterpret_cast<const char*>(file.data()), file.size());
    CHECK(text.substr(0, 6) == "\x93NUMPY");
    CHECK(contains(text, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"));
}

TEST_CASE("big-endian data is swapped") {
    const Array array =
        parse(npy(header_of(">i4", "False", "(2,)"), std::string("\x00\x00\x01\x02\xff\xff\xff\xfe", 8)));
    CHECK(values_of<int32_t>(array) == std::vector<int32_t>{258, -2});
}

TEST_CASE("Fortran order becomes C order") {
    const Array array = parse(npy(header_of("|u1", "True", "(2, 3)"), std::string("\x01\x02\x03\x04\x05\x06", 6)));
    CHECK(array.shape == Shape{2, 3});
    CHECK(values_of<uint8_t>(array) == std::vector<uint8_t>{1, 3, 5, 2, 4, 6});

    const Array cube =
        parse(npy(header_of("|u1", "True", "(2, 2, 2)"), std::string("\x00\x01\x02\x03\x04\x05\x06\x07", 8)));
    CHECK(values_of<uint8_t>(cube) == std::vector<uint8_t>{0, 4, 2, 6, 1, 5, 3, 7});
}

TEST_CASE("versions 2 and 3, keys in any order, double quotes") {
    const std::string header = "{\"shape\": (1,), \"fortran_order\": False, \"descr\": \"<u2\"}\n";
    for (const char major : {'\x02', '\x03'}) {
        const Array array = parse(npy(header, std::string("\x05\x00", 2), std::string{major, '\0'}));
        CHECK(values_of<uint16_t>(array) == std::vector<uint16_t>{5});
    }
}

TEST_CASE("damaged files are refused with the reason") {
    const std::string four(4, '\0');
    CHECK(contains(refusal("PK"), "1: x.npy: not a usable .npy file: it does not begin with"));
    CHECK(contains(refusal("\x93NUMPY\x01"), "ends within the first ten bytes"));
    CHECK(contains(refusal(npy(header_of("<f4", "False", "(1,)"), four, std::string("\x09\x00", 2))),
                   "its version is 9"));
    CHECK(contains(refusal(npy(header_of("<f4", "False", "(1,)"), four).substr(0, 40)), "ends within its header"));
    CHECK(contains(refusal(npy(header_of("<f4", "False", "(2,)"), four)),
                   "f32[2] needs 8 bytes of data, the file has 4"));
    CHECK(
        contains(refusal(npy(header_of("<f4", "False", "(1,)"), four + "x")), "needs 4 bytes of data, the file has 5"));
    CHECK(contains(refusal(npy(header_of("|b1", "False", "(4,)"), four)), "its dtype is '|b1'"));
    CHECK(contains(refusal(npy(header_of("|f4", "False", "(1,)"), four)), "its dtype is '|f4'"));
    CHECK(contains(refusal(npy(header_of("<c8", "False", "(1,)"), four)), "its dtype is '<c8'"));
    CHECK(
        contains(refusal(npy("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,)}", four)), "structured"));
    CHECK(contains(refusal(npy(header_of("<f4", "Maybe", "(1,)"), four)), "neither True nor False"));
    CHECK(contains(refusal(npy(header_of("<f4", "False", "(-1,)"), four)), "not a tuple of sizes"));
    CHECK(contains(refusal(npy("{'descr': '<f4', 'shape': (1,)}", four)), "lacks descr, fortran_order or shape"));
    CHECK(contains(refusal(npy("{'descr': '<f4', 'descr': '<f4'}", four)), "says 'descr' twice"));
    CHECK(contains(refusal(npy("{'descr': '<f4', 'x': 1}", four)), "unknown key 'x'"));
    CHECK(contains(refusal(npy(header_of("<f4", "False", "(1,)") + "more", four)), "text after the dictionary"));
    CHECK(contains(refusal(npy("{'descr': '<f4", four)), "unterminated"));
}

TEST_CASE("sizes that do not fit are refused before anything is allocated") {
    const std::string huge = "(18446744073709551615, 18446744073709551615)";
    CHECK(contains(refusal(npy(header_of("<f8", "False", huge), "")), "more than 2^64"));
    CHECK(contains(refusal(npy(header_of("<f8", "False", "(4611686018427387904,)"), "")), "more than 2^64"));
    CHECK(contains(refusal(npy(header_of("<f8", "False", "(99999999999999999999999,)"), "")), "not a tuple of sizes"));
    std::string many = "(";
    for (int i = 0; i < 40; ++i)
        many += "1, ";
    CHECK(contains(refusal(npy(header_of("|u1", "False", many + ")"), "x")), "more than 32 dimensions"));
    const std::string long_header = std::string("\x93NUMPY\x02\x00", 8) + std::string("\xff\xff\xff\x7f", 4);
    CHECK(contains(refusal(long_header + std::string(64, ' ')), "its header has 2147483647 bytes"));
}

TEST_CASE("random damage never does anything but throw Failure") {
    const std::string good = npy(header_of("<f4", "True", "(2, 2)"), std::string(16, 'a'));
    const unsigned seed = std::random_device()();
    CAPTURE(seed);
    std::mt19937 random(seed);
    uint32_t refused = 0;
    for (int round = 0; round < 20000; ++round) {
        std::string file = good;
        for (uint32_t i = 0; i < 1 + random() % 4; ++i)
            file[random() % file.size()] = static_cast<char>(random());
        if (random() % 4 == 0) file.resize(random() % file.size());
        if (!refusal(file).empty()) ++refused;
    }
    CHECK(refused > 10000); /* the rest hit spaces or data */
}
