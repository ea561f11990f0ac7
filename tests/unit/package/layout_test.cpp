// The argument block: what lay_out makes, and what it refuses.
#include "sample.h"

using namespace qiao::package;
using sample::address;
using sample::local;
using sample::value;

namespace {

Kernel kernel_of(std::vector<Argument> arguments) {
    Kernel kernel;
    kernel.name = "block";
    kernel.arguments = std::move(arguments);
    return kernel;
}

} // namespace

TEST_SUITE("package.layout") {
    TEST_CASE("a block is the C struct of its values, counts of local arguments behind them") {
        struct Block {
            char c;
            void* p;
            short s;
            double d;
            uint32_t first, second;
        };
        const auto laid_out = lay_out(kernel_of({value("c", "char", 1), local("first"), address("p", 0),
                                                 value("s", "short", 2), local("second"), value("d", "double", 8)}));
        REQUIRE(laid_out);
        const auto& arguments = laid_out->arguments;
        CHECK(arguments[0].offset == offsetof(Block, c));
        CHECK(arguments[1].offset == offsetof(Block, first));
        CHECK(arguments[2].offset == offsetof(Block, p));
        CHECK(arguments[3].offset == offsetof(Block, s));
        CHECK(arguments[4].offset == offsetof(Block, second));
        CHECK(arguments[5].offset == offsetof(Block, d));
        CHECK(laid_out->block_size == sizeof(Block));
        CHECK(arguments[1].size == 4);
        CHECK(arguments[2].alignment == 8);
    }

    TEST_CASE("no arguments make an empty block") {
        const auto laid_out = lay_out(kernel_of({}));
        REQUIRE(laid_out);
        CHECK(laid_out->block_size == 0);
    }

    TEST_CASE("a block ends on its largest alignment") {
        const auto laid_out = lay_out(kernel_of({value("v", "float16", 64), value("c", "char", 1)}));
        REQUIRE(laid_out);
        CHECK(laid_out->block_size == 128);
    }

    TEST_CASE("128 arguments are accepted, 129 are not") {
        std::vector<Argument> arguments(QIAO_MAX_ARGUMENTS, value("x", "int", 4));
        CHECK(lay_out(kernel_of(arguments)));
        arguments.push_back(value("x", "int", 4));
        const auto refused = lay_out(kernel_of(arguments));
        REQUIRE_FALSE(refused);
        CHECK(refused.error().message == "kernel 'block': has 129 arguments, the limit is 128");
    }

    TEST_CASE("4096 bytes are accepted, more are not") {
        Argument large = value("s", "struct large", 4096);
        large.alignment = 4;
        CHECK(lay_out(kernel_of({large})));
        const auto refused = lay_out(kernel_of({large, value("c", "char", 1)}));
        REQUIRE_FALSE(refused);
        CHECK(refused.error().message == "kernel 'block': has an argument block of 4100 bytes, the limit is 4096");
        large.size = UINT32_MAX;
        CHECK_FALSE(lay_out(kernel_of({large, large, large})));
    }

    TEST_CASE("alignments are powers of two up to 128") {
        for (const uint32_t alignment : {0u, 3u, 256u}) {
            Argument argument = value("x", "struct s", 12);
            argument.alignment = alignment;
            CHECK_FALSE(lay_out(kernel_of({argument})));
        }
    }
}
