// Typed kernels: what is compared with the reflection and how it is worded; that blocks are laid out as C structs; launches.
#include <cstddef>
#include <initializer_list>

#include "api/support/blocks.h"
#include "support/session.h"

using namespace cpp;
using qiao::Address;
using qiao::Local;

namespace {

// Declares the kernel so and expects a refusal of INVALID_ARGUMENT with all of the fragments.
template <class... Arguments>
void check_refused(const qiao::Program& program, const char* kernel, std::initializer_list<const char*> fragments) {
    const auto record = record_of([&] { program.kernel<Arguments...>(kernel); });
    INFO(record.message);
    CHECK(record.status == QIAO_ERROR_INVALID_ARGUMENT);
    CHECK(record.object == std::string("kernel ") + kernel);
    CHECK(!record.remedy.empty());
    for (const char* fragment : fragments) {
        CAPTURE(fragment);
        CHECK(contains(record.message, fragment));
    }
}

template <class... Arguments>
using Block = qiao::detail::Block<Arguments...>;

// Places are those of the C struct that the tests of the C interface launch with.
using ParamsBlock = Block<Address<int32_t>, blocks::Params>;
static_assert(ParamsBlock::kSize == sizeof(blocks::TakeParams));
static_assert(ParamsBlock::kArguments[1].offset == offsetof(blocks::TakeParams, params));
using LocalsBlock = Block<Address<uint32_t>, Local<uint32_t>, Local<uint32_t>>;
static_assert(LocalsBlock::kSize == sizeof(blocks::TwoLocals));
static_assert(LocalsBlock::kArguments[2].offset == offsetof(blocks::TwoLocals, second_bytes));
// A local argument in front stands behind the values all the same.
using LocalFirst = Block<Local<float>, uint8_t, double, uint16_t>;
static_assert(LocalFirst::kArguments[0].offset == 20 && LocalFirst::kArguments[1].offset == 0);
static_assert(LocalFirst::kArguments[2].offset == 8 && LocalFirst::kArguments[3].offset == 16 && LocalFirst::kSize == 24);
struct alignas(16) Float4 {
    float x, y, z, w;
};
static_assert(Block<uint32_t, Float4>::kSize == 32 && alignof(Block<uint32_t, Float4>) == 16);

}  // namespace

TEST_SUITE("kernel.typed") {
    TEST_CASE("a launch with buffers, slices and addresses") {
        const Session session;
        const qiao::Program program = session.program();
        const AddKernel add = session.add(program);
        const auto fill = program.kernel<Address<uint32_t>, uint32_t>("fill");
        const qiao::Buffer<uint32_t> a(session.device, numbers(64)), b(session.device, numbers(64, 500)), sum(session.device, 64);
        qiao::Queue queue(session.device);
        wait_for(queue.launch(add, 64, a, b, sum));
        for (uint32_t i = 0; i < 64; ++i) CHECK(sum.read()[i] == 500 + 2 * i);

        queue.launch(fill, 64, sum, 7);
        queue.launch(add, 8, a.slice(8, 8), b.address() + 4, sum.slice(56, 8));
        wait_for(queue.launch(fill, qiao::Shape(4).in_groups(4), sum.slice(4, 4), 3));
        const std::vector<uint32_t> result = sum.read();
        CHECK(result[3] == 7);
        CHECK(result[4] == 3);
        CHECK(result[8] == 7);
        CHECK(result[56] == 8 + 504);
    }

    TEST_CASE("the untyped kernel takes the struct, with the same result") {
        const Session session;
        const qiao::Program program = session.program();
        const qiao::Kernel kernel = program.kernel("add");
        const qiao::Buffer<uint32_t> a(session.device, numbers(16)), sum(session.device, 16);
        qiao::Queue queue(session.device);
        wait_for(queue.launch(kernel, 16, blocks::Add{a.address().value(), a.address().value(), sum.address().value()}));
        CHECK(sum.read()[15] == 30);
        const auto record = record_of([&] { queue.launch(kernel, 16, uint64_t{0}); });
        CHECK(record.status == QIAO_ERROR_INVALID_ARGUMENT);
        CHECK(contains(record.message, "24"));
    }

    TEST_CASE("a launch that is refused submits nothing") {
        const Session session;
        const qiao::Program program = session.program();
        const auto fill = program.kernel<Address<uint32_t>, uint32_t>("fill");
        const qiao::Buffer<uint32_t> buffer(session.device, numbers(8));
        qiao::Queue queue(session.device);
        const qiao::Point before = queue.launch(fill, 1, buffer, 5);
        CHECK(record_of([&] { queue.launch(fill, 0, buffer, 1); }).status == QIAO_ERROR_OUT_OF_RANGE);
        CHECK(record_of([&] { queue.launch(fill, qiao::Shape(8).in_groups(1u << 20), buffer, 1); }).status == QIAO_ERROR_OUT_OF_RANGE);
        const qiao::Point after = queue.launch(fill, 1, buffer.slice(1, 1), 6);
        CHECK(after.value() == before.value() + 1);
        wait_for(after);
        CHECK(buffer.read() == std::vector<uint32_t>{5, 6, 2, 3, 4, 5, 6, 7});
    }

    TEST_CASE("the number of arguments") {
        const qiao::Program program = Session().program();
        check_refused<Address<const uint32_t>, Address<uint32_t>>(program, "add", {"takes 3 arguments", "out", "2 types"});
        check_refused<Address<const uint32_t>, Address<const uint32_t>, Address<uint32_t>, int>(program, "add", {"takes 3", "4 types"});
    }

    TEST_CASE("kinds") {
        const qiao::Program program = Session().program();
        check_refused<uint64_t, uint32_t>(program, "fill", {"argument 0 'out'", "global uint*", "integer of 8 bytes", "takes an address"});
        check_refused<Address<uint32_t>, Address<uint32_t>>(program, "fill", {"argument 1 'value'", "declared as Address", "takes a value"});
        check_refused<Address<uint32_t>, Local<uint32_t>>(program, "fill", {"argument 1 'value'", "declared as Local", "takes a value"});
    }

    TEST_CASE("sizes, alignments and numbers") {
        const qiao::Program program = Session().program();
        struct Bytes {
            unsigned char bytes[4];
        };
        check_refused<Address<uint32_t>, uint64_t>(program, "fill", {"argument 1 'value' (uint)", "integer of 8 bytes", "takes 4 bytes"});
        check_refused<Address<uint32_t>, uint16_t>(program, "fill", {"argument 1", "integer of 2 bytes", "takes 4 bytes"});
        check_refused<Address<uint32_t>, Bytes>(program, "fill", {"argument 1", "value of 4 bytes", "aligns it to 4", "to 1"});
        check_refused<Address<uint32_t>, float>(program, "fill", {"argument 1", "floating-point number of 4 bytes", "another type"});
        check_refused<Address<float>, uint32_t>(program, "fill", {"argument 0", "Address of a floating-point number", "another type"});
        check_refused<Address<uint8_t>, uint32_t>(program, "fill", {"argument 0", "Address of an integer of 1 byte", "another type"});
    }

    TEST_CASE("what a kernel writes is no address of const") {
        const qiao::Program program = Session().program();
        using In = Address<const uint32_t>;
        check_refused<In, In, In>(program, "add", {"argument 2 'out'", "may write"});
        CHECK_NOTHROW(program.kernel<Address<uint32_t>, In, Address<uint32_t>>("add"));
    }

    TEST_CASE("signs and untyped bytes are left to the caller") {
        const qiao::Program program = Session().program();
        CHECK_NOTHROW(program.kernel<Address<int32_t>, int32_t>("fill"));
        CHECK_NOTHROW(program.kernel<Address<std::byte>, uint32_t>("fill"));
        CHECK_NOTHROW(program.kernel<Address<Float4>, uint32_t>("fill"));
    }

    TEST_CASE("an unknown kernel: the names that exist") {
        const qiao::Program program = Session().program();
        const auto record = record_of<qiao::NotFoundError>([&] { program.kernel<uint32_t>("ad"); });
        CHECK(contains(record.message + record.remedy, "fill"));
    }
}

TEST_SUITE("kernel.portable") {
    TEST_CASE("structs and local memory arrive where the kernel looks for them") {
        const Session session;
        const qiao::Program program = session.program();
        qiao::Queue queue(session.device);

        const auto take_params = program.kernel<Address<int32_t>, blocks::Params>("take_params");
        const qiao::Buffer<int32_t> out(session.device, 8);
        const blocks::Params params{5, -6, (int64_t{9} << 32) + 8, 2.5f, {1, -2, 3}};
        wait_for(queue.launch(take_params, 1, out, params));
        CHECK(out.read() == std::vector<int32_t>{5, -6, 8, 9, 2, 1, -2, 3});

        const auto two_locals = program.kernel<Address<uint32_t>, Local<uint32_t>, Local<uint32_t>>("two_locals");
        const qiao::Buffer<uint32_t> sums(session.device, 16);
        wait_for(queue.launch(two_locals, qiao::Shape(16).in_groups(8), sums, Local<uint32_t>(8), Local<uint32_t>(8)));
        CHECK(sums.read()[0] == 7 + 7000);
        CHECK(sums.read()[15] == 8 + 8000);
    }

    TEST_CASE("differences of local memory and structs") {
        const qiao::Program program = Session().program();
        struct Other {
            int64_t values[3];
        };
        check_refused<Address<int32_t>, Other>(program, "take_params", {"argument 1 'p'", "value of 24 bytes", "takes 32 bytes"});
        using In = Address<const uint32_t>;
        check_refused<In, Address<uint32_t>, Address<uint32_t>>(program, "reverse", {"argument 2 'tile'", "takes local memory"});
        check_refused<In, Address<uint32_t>, Local<float>>(program, "reverse", {"argument 2", "Local of a floating-point number"});
        CHECK_NOTHROW(program.kernel<In, Address<uint32_t>, Local<uint32_t>>("reverse"));
    }

    TEST_CASE("shapes of two and three dimensions, and offsets where the kernel has them") {
        const Session session;
        const qiao::Program program = session.program();
        const auto grid = program.kernel<Address<uint32_t>>("grid");
        const qiao::Buffer<uint32_t> out(session.device, 4 * 4 * 6 * 2);
        qiao::Queue queue(session.device);
        wait_for(queue.launch(grid, qiao::Shape(4, 6, 2).in_groups(2, 3, 1), out));
        const std::vector<uint32_t> result = out.read();
        const std::vector<uint32_t> last(result.end() - 4, result.end());
        CHECK(last == std::vector<uint32_t>{3, 5, 1, 1 + 2 * 2});
        wait_for(queue.launch(program.kernel("nothing"), qiao::Shape(4, 4)));

        const qiao::Kernel offsets = program.kernel("offsets");
        const bool has_offsets = (offsets.properties().flags & QIAO_KERNEL_GLOBAL_OFFSET) != 0;
        const auto launch = [&] { return queue.launch(offsets, qiao::Shape(4).starting_at(100), blocks::Offsets{out.address().value()}); };
        if (has_offsets) {
            wait_for(launch());
            CHECK(out.read()[3] == 103);
        } else {
            CHECK(record_of([&] { launch(); }).status != QIAO_OK);
        }
    }
}

TEST_SUITE("kernel.local") {
    TEST_CASE("more local memory than 32 bits count is refused at once") {
        CHECK(Local<uint32_t>(UINT32_MAX / 4).size_bytes() == UINT32_MAX - 3);
        const auto record = record_of([] { Local<uint32_t>(uint64_t{1} << 30); });
        CHECK(record.status == QIAO_ERROR_OUT_OF_RANGE);
        CHECK(contains(record.message, "1073741824"));
    }
}

TEST_SUITE("kernel.query") {
    TEST_CASE("properties and arguments as values") {
        const Session session;
        const qiao::Program program = session.program();
        const std::vector<qiao::Kernel> kernels = program.kernels();
        REQUIRE(kernels.size() == program.properties().kernel_count);
        CHECK(std::string(kernels[0].name()) == "add");
        CHECK(kernels[1].get() == program.kernel("fill").get());
        const auto arguments = program.kernel("fill").arguments();
        REQUIRE(arguments.size() == 2);
        CHECK(std::string(arguments[1].name) == "value");
        CHECK(arguments[1].offset == 8);
        CHECK(program.kernel("fill").properties().block_size == 16);
    }
}
