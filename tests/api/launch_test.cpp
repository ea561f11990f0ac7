// Launches: argument blocks, shapes, what the core chooses, and what it refuses without submitting anything.
#include <set>

#include "support/blocks.h"
#include "support/session.h"

using namespace api;

namespace {

// A queue with a program, and proof afterwards that refused launches left both as they were.
struct Bench {
    Session session;
    Program program = session.program();
    Queue queue = session.queue();
    Memory out = session.allocate(4096);
    uint64_t last = 0;

    Bench() { last = fill(queue, place(out), 4096, 0x5a5a5a5a); }

    qiao_kernel* kernel(const char* name) { return kernel_of(program, name); }
    uint64_t flags(const char* name) {
        qiao_kernel_properties properties = QIAO_KERNEL_PROPERTIES_INIT;
        REQUIRE_OK(qiao_kernel_query(kernel(name), &properties));
        return properties.flags;
    }
    uint32_t max_group(const char* name) {
        qiao_kernel_properties properties = QIAO_KERNEL_PROPERTIES_INIT;
        REQUIRE_OK(qiao_kernel_query(kernel(name), &properties));
        return properties.max_group_size;
    }

    template <class Block>
    void refuses(const char* name, const qiao_launch& shape, const Block& block, qiao_status expected, std::initializer_list<const char*> fragments) {
        uint64_t value = 4711;
        check_fails(name, qiao_queue_launch(queue.get(), kernel(name), &shape, &block, sizeof block, &value), expected, fragments);
        CHECK(value == 0);
    }
    // An argument's name, as who looks at addresses says it: the core where it makes them, else the mock card.
    std::string quoted(const std::string& name) const {
        return (session.properties.flags & QIAO_DEVICE_ADDRESSES_EMULATED) != 0 ? "'" + name + "'" : '"' + name + '"';
    }
    // Nothing was submitted, nothing was written, and the queue still takes work.
    void check_untouched() {
        const blocks::Fill block = {address_of(out), 7, 0};
        const uint64_t next = launch(queue, kernel("fill"), items(2), block);
        CHECK(next == last + 1);
        wait_for(queue, next);
        auto expected = std::vector<uint32_t>(1024, 0x5a5a5a5a);
        expected[0] = expected[1] = 7;
        CHECK(download<uint32_t>(out, 1024) == expected);
    }
};

struct Position { uint32_t x, y, z, local; };

std::vector<Position> run_grid(Bench& bench, const qiao_launch& shape) {
    const uint64_t count = shape.global_size[0] * shape.global_size[1] * shape.global_size[2];
    const Memory out = bench.session.allocate(count * sizeof(Position));
    const blocks::Grid block = {address_of(out)};
    wait_for(bench.queue, launch(bench.queue, bench.kernel("grid"), shape, block));
    return download<Position>(out, count);
}

void check_every_item(const std::vector<Position>& items, const qiao_launch& shape) {
    size_t index = 0;
    for (uint32_t z = 0; z < shape.global_size[2]; ++z) {
        for (uint32_t y = 0; y < shape.global_size[1]; ++y) {
            for (uint32_t x = 0; x < shape.global_size[0]; ++x, ++index) {
                const Position& item = items[index];
                if (item.x == x && item.y == y && item.z == z) continue;
                FAIL_CHECK("item ", x, " ", y, " ", z, " says ", item.x, " ", item.y, " ", item.z);
                return;
            }
        }
    }
}

}  // namespace

TEST_SUITE("launch.arguments") {
    TEST_CASE("a struct by value arrives whole, padding and all") {
        Bench bench;
        const blocks::TakeParams block = {address_of(bench.out), {'q', -5, INT64_C(0x123456789abcdef0), -7.0f, {-1, 300, -30000}}};
        wait_for(bench.queue, launch(bench.queue, bench.kernel("take_params"), items(1), block));
        const std::vector<int32_t> expected = {'q', -5, static_cast<int32_t>(0x9abcdef0), 0x12345678, -7, -1, 300, -30000};
        CHECK(download<int32_t>(bench.out, 8) == expected);
    }

    TEST_CASE("the block is copied: it may be overwritten as soon as the call returns") {
        Bench bench;
        const Timeline gate = bench.session.timeline();
        after(bench.queue, gate.get(), 1);  // not even begun when the block changes
        blocks::Fill block = {address_of(bench.out), 11, 0};
        launch(bench.queue, bench.kernel("fill"), items(4), block);
        block = {address_of(bench.out) + 16, 22, 0};
        const uint64_t last = launch(bench.queue, bench.kernel("fill"), items(4), block);
        block = {0, 0, 0};
        REQUIRE_OK(qiao_timeline_signal(gate.get(), 1));
        wait_for(bench.queue, last);
        CHECK(download<uint32_t>(bench.out, 8) == std::vector<uint32_t>{11, 11, 11, 11, 22, 22, 22, 22});
    }

    TEST_CASE("an address may point at any element of an allocation") {
        Bench bench;
        const Memory in = bench.session.upload(numbers(100));
        const blocks::Add block = {address_of(in) + 4 * 3, address_of(in) + 4 * 51, address_of(bench.out) + 4 * 7};
        wait_for(bench.queue, launch(bench.queue, bench.kernel("add"), items(20), block));
        const auto out = download<uint32_t>(bench.out, 20, 4 * 7);
        for (uint32_t i = 0; i < 20; ++i) CHECK(out[i] == 54 + 2 * i);
        CHECK(download<uint32_t>(bench.out, 1, 4 * 6)[0] == 0x5a5a5a5a);
        CHECK(download<uint32_t>(bench.out, 1, 4 * 27)[0] == 0x5a5a5a5a);
    }

    TEST_CASE("local memory is as large as the launch says, and differs from launch to launch") {
        Bench bench;
        const Memory in = bench.session.upload(numbers(64));
        for (const uint32_t group : {8u, 32u, 16u}) {
            const blocks::Reverse block = {address_of(in), address_of(bench.out), group * 4, 0};
            wait_for(bench.queue, launch(bench.queue, bench.kernel("reverse"), items(64, group), block));
            const auto out = download<uint32_t>(bench.out, 64);
            for (uint32_t i = 0; i < 64; ++i) REQUIRE(out[i] == i / group * group + (group - 1 - i % group));
        }
        const blocks::TwoLocals two = {address_of(bench.out), 16 * 4, 16 * 4};
        wait_for(bench.queue, launch(bench.queue, bench.kernel("two_locals"), items(64, 16), two));
        const auto out = download<uint32_t>(bench.out, 64);
        for (uint32_t i = 0; i < 64; ++i) REQUIRE(out[i] == 1001 * (i / 16 * 16 + 15 - i % 16));
    }

    TEST_CASE("local memory of 0 bytes, and more than the device has, are refused") {
        Bench bench;
        const Memory in = bench.session.upload(numbers(64));
        const uint32_t most = bench.session.properties.local_memory_bytes;
        bench.refuses("reverse", items(64, 8), blocks::Reverse{address_of(in), address_of(bench.out), 0, 0}, QIAO_ERROR_INVALID_ARGUMENT,
                      {"reverse", "tile", "0 bytes"});
        bench.refuses("reverse", items(64, 8), blocks::Reverse{address_of(in), address_of(bench.out), most + 128, 0}, QIAO_ERROR_OUT_OF_RANGE,
                      {"reverse", std::to_string(most).c_str()});
        bench.refuses("reverse", items(64, 8), blocks::Reverse{address_of(in), address_of(bench.out), UINT32_MAX, 0}, QIAO_ERROR_OUT_OF_RANGE, {"reverse"});
        bench.refuses("two_locals", items(64, 8), blocks::TwoLocals{address_of(bench.out), most, 4}, QIAO_ERROR_OUT_OF_RANGE, {"two_locals"});
        bench.refuses("two_locals", items(64, 8), blocks::TwoLocals{address_of(bench.out), UINT32_MAX, UINT32_MAX}, QIAO_ERROR_OUT_OF_RANGE, {"two_locals"});
        bench.check_untouched();
    }

    TEST_CASE("a kernel without arguments takes none, with or without a pointer") {
        Bench bench;
        const qiao_launch shape = items(16);
        uint64_t value = 0;
        REQUIRE_OK(qiao_queue_launch(bench.queue.get(), bench.kernel("nothing"), &shape, nullptr, 0, &value));
        CHECK(value == bench.last + 1);
        REQUIRE_OK(qiao_queue_launch(bench.queue.get(), bench.kernel("nothing"), &shape, &shape, 0, &value));
        CHECK(value == bench.last + 2);
        wait_for(bench.queue, value);
        CHECK_FAILS(qiao_queue_launch(bench.queue.get(), bench.kernel("nothing"), &shape, &shape, 8, &value), QIAO_ERROR_INVALID_ARGUMENT, "nothing", "0 bytes", "8");
        CHECK(value == 0);
    }

    TEST_CASE("a block of another size is refused, and so is none") {
        Bench bench;
        const qiao_launch shape = items(4);
        std::vector<std::byte> bytes(8192);
        for (const size_t size : {size_t{0}, size_t{23}, size_t{25}, size_t{4096}, SIZE_MAX}) {
            uint64_t value = 4711;
            INFO(size, " bytes");
            CHECK_FAILS(qiao_queue_launch(bench.queue.get(), bench.kernel("add"), &shape, bytes.data(), size, &value), QIAO_ERROR_INVALID_ARGUMENT,
                        "kernel add", "24 bytes", std::to_string(size).c_str());
            CHECK(value == 0);
        }
        uint64_t value = 4711;
        CHECK_FAILS(qiao_queue_launch(bench.queue.get(), bench.kernel("add"), &shape, nullptr, 24, &value), QIAO_ERROR_INVALID_ARGUMENT, "arguments");
        CHECK(value == 0);
        CHECK_FAILS(qiao_queue_launch(bench.queue.get(), bench.kernel("add"), nullptr, bytes.data(), 24, &value), QIAO_ERROR_INVALID_ARGUMENT, "launch");
        bench.check_untouched();
    }

    TEST_CASE("out_value may be null") {
        Bench bench;
        const qiao_launch shape = items(4);
        const blocks::Fill block = {address_of(bench.out), 5, 0};
        REQUIRE_OK(qiao_queue_launch(bench.queue.get(), bench.kernel("fill"), &shape, &block, sizeof block, nullptr));
        CHECK_FAILS(qiao_queue_launch(bench.queue.get(), bench.kernel("fill"), &shape, &block, 3, nullptr), QIAO_ERROR_INVALID_ARGUMENT, "3");
        wait_for(bench.queue, bench.last + 1);
        CHECK(download<uint32_t>(bench.out, 4) == std::vector<uint32_t>(4, 5));
    }
}

TEST_SUITE("launch.shape") {
    TEST_CASE("every work-item runs once, in one, two and three dimensions") {
        Bench bench;
        for (const qiao_launch& shape : {items(1), items(64, 8), items_3d(16, 1, 1), items_3d(4, 6, 5), items_3d(8, 4, 2, 4, 2, 1), items_3d(1, 1, 7)}) {
            check_every_item(run_grid(bench, shape), shape);
        }
        qiao_launch flat = items_3d(6, 10, 1, 3, 5, 1);
        flat.dimensions = 2;
        check_every_item(run_grid(bench, flat), flat);
    }

    TEST_CASE("groups are as large as asked for") {
        Bench bench;
        const qiao_launch shape = items_3d(8, 6, 4, 4, 3, 2);
        std::set<uint32_t> locals;
        for (const Position& item : run_grid(bench, shape)) {
            locals.insert(item.local);
            CHECK(item.local == item.x % 4 + 4 * (item.y % 3 + 3 * (item.z % 2)));
        }
        CHECK(locals.size() == 24);
    }

    TEST_CASE("a group that is left to the core fits the device and divides the size, primes included") {
        Bench bench;
        for (const uint64_t size : {1u, 2u, 97u, 128u, 1000u, 1009u, 4099u}) {
            const Memory out = bench.session.allocate(size * sizeof(Position));
            const qiao_launch shape = items(size);
            const blocks::Grid block = {address_of(out)};
            wait_for(bench.queue, launch(bench.queue, bench.kernel("grid"), shape, block));
            const auto result = download<Position>(out, size);
            check_every_item(result, items_3d(size, 1, 1));
            for (const Position& item : result) REQUIRE(item.local < bench.max_group("grid"));
        }
    }

    TEST_CASE("a kernel that was compiled for one group size gets it, and no other") {
        Bench bench;
        qiao_launch shape = items_3d(16, 4, 1);
        shape.dimensions = 2;
        const blocks::Required block = {address_of(bench.out)};
        wait_for(bench.queue, launch(bench.queue, bench.kernel("required"), shape, block));
        CHECK(download<uint32_t>(bench.out, 64) == std::vector<uint32_t>(64, 802));
        wait_for(bench.queue, bench.last = fill(bench.queue, place(bench.out), 4096, 0x5a5a5a5a));
        shape.group_size[0] = 4, shape.group_size[1] = 4, shape.group_size[2] = 1;
        bench.refuses("required", shape, block, QIAO_ERROR_INVALID_ARGUMENT, {"required", "8 x 2 x 1", "4"});
        bench.check_untouched();
    }

    TEST_CASE("a group that does not divide the size is refused, unless the kernel takes short last groups") {
        Bench bench;
        const blocks::Fill block = {address_of(bench.out), 9, 0};
        if ((bench.flags("fill") & QIAO_KERNEL_REMAINDER) != 0) {
            wait_for(bench.queue, launch(bench.queue, bench.kernel("fill"), items(30, 8), block));
            CHECK(download<uint32_t>(bench.out, 30) == std::vector<uint32_t>(30, 9));
            CHECK(download<uint32_t>(bench.out, 1, 4 * 30)[0] == 0x5a5a5a5a);
            return;
        }
        bench.refuses("fill", items(30, 8), block, QIAO_ERROR_INVALID_ARGUMENT, {"fill", "8", "30", "does not divide", "let the core choose"});
        bench.refuses("fill", items_3d(8, 5, 1, 4, 2, 1), block, QIAO_ERROR_INVALID_ARGUMENT, {"group_size[1] 2", "global_size[1] 5"});
        bench.check_untouched();
    }

    TEST_CASE("a global offset shifts the ids, unless the kernel takes none") {
        Bench bench;
        qiao_launch shape = items(16, 4);
        shape.global_offset[0] = 1000;
        const blocks::Offsets block = {address_of(bench.out)};
        if ((bench.flags("offsets") & QIAO_KERNEL_GLOBAL_OFFSET) == 0) {
            bench.refuses("offsets", shape, block, QIAO_ERROR_UNSUPPORTED, {"offsets", "global offset"});
            bench.check_untouched();
            return;
        }
        wait_for(bench.queue, launch(bench.queue, bench.kernel("offsets"), shape, block));
        CHECK(download<uint32_t>(bench.out, 16) == numbers(16, 1000));
        shape.global_offset[0] = UINT32_MAX - 15;  // the last id is 2^32 - 1
        wait_for(bench.queue, bench.last = launch(bench.queue, bench.kernel("offsets"), shape, block));
        CHECK(download<uint32_t>(bench.out, 16) == numbers(16, UINT32_MAX - 15));
        bench.last = fill(bench.queue, place(bench.out), 4096, 0x5a5a5a5a);
        for (const uint64_t offset : {UINT64_C(0x100000000) - 15, UINT64_C(0x100000000), UINT64_MAX}) {
            shape.global_offset[0] = offset;
            bench.refuses("offsets", shape, block, QIAO_ERROR_OUT_OF_RANGE, {"offsets", "2^32"});
        }
        bench.check_untouched();
    }

    TEST_CASE("shapes may change from launch to launch, and kernels too") {
        Bench bench;
        const Memory counter = bench.session.upload(std::vector<uint32_t>{0});
        const blocks::Count block = {address_of(counter)};
        uint32_t expected = 0;
        uint64_t last = 0;
        for (uint32_t round = 0; round < 60; ++round) {
            const uint32_t x = 1 + round % 7, y = 1 + round % 3, z = 1 + round % 2;
            last = launch(bench.queue, bench.kernel("count"), round % 4 == 0 ? items(x * y * z, round % 8 == 0 ? x : 0) : items_3d(x, y, z), block);
            expected += x * y * z;
            const qiao_launch other = items(round + 1);
            if (round % 5 == 0) REQUIRE_OK(qiao_queue_launch(bench.queue.get(), bench.kernel("nothing"), &other, nullptr, 0, nullptr));
        }
        wait_for(bench.queue, last);
        CHECK(download<uint32_t>(counter, 1)[0] == expected);
    }
}

TEST_SUITE("launch.refuses") {
    TEST_CASE("sizes that the device or the kernel has not") {
        Bench bench;
        const blocks::Fill block = {address_of(bench.out), 9, 0};
        const uint64_t most = bench.max_group("fill");
        const auto too_large = [&](uint64_t x, uint64_t y, uint64_t z) {
            INFO(x, " ", y, " ", z);
            bench.refuses("fill", items_3d(x, y, z, x, y, z), block, QIAO_ERROR_OUT_OF_RANGE, {"fill", "limit"});
        };
        too_large(2 * most, 1, 1);
        too_large(most, 2, 1);
        too_large(1, 1, UINT64_C(1) << 33);
        too_large(UINT64_C(1) << 32, UINT64_C(1) << 32, 1);
        bench.refuses("fill", items(0), block, QIAO_ERROR_OUT_OF_RANGE, {"fill", "global_size[0] is 0"});
        bench.refuses("fill", items_3d(4, 4, 0), block, QIAO_ERROR_OUT_OF_RANGE, {"global_size[2] is 0"});
        bench.refuses("fill", items(UINT64_MAX, 1), block, QIAO_ERROR_OUT_OF_RANGE, {"fill", "groups", std::to_string(bench.session.properties.max_group_count[0]).c_str()});
        bench.refuses("fill", items(UINT64_MAX / 2 + 1), block, QIAO_ERROR_OUT_OF_RANGE, {"fill", "groups"});
        bench.check_untouched();
    }

    TEST_CASE("shapes that contradict themselves") {
        Bench bench;
        const blocks::Fill block = {address_of(bench.out), 9, 0};
        qiao_launch shape = items(8);
        for (const uint32_t dimensions : {0u, 4u, UINT32_MAX}) {
            shape.dimensions = dimensions;
            bench.refuses("fill", shape, block, QIAO_ERROR_INVALID_ARGUMENT, {"dimensions", std::to_string(dimensions).c_str()});
        }
        shape = items(8);
        shape.flags = 2;
        bench.refuses("fill", shape, block, QIAO_ERROR_INVALID_ARGUMENT, {"flags", "0x2"});
        shape = items(8);
        shape.global_size[1] = 2;
        bench.refuses("fill", shape, block, QIAO_ERROR_INVALID_ARGUMENT, {"axis 1", "dimensions is 1"});
        shape = items(8, 4);
        shape.group_size[2] = 2;
        bench.refuses("fill", shape, block, QIAO_ERROR_INVALID_ARGUMENT, {"axis 2"});
        shape = items(8);
        shape.global_offset[1] = 1;
        bench.refuses("fill", shape, block, QIAO_ERROR_INVALID_ARGUMENT, {"axis 1"});
        bench.refuses("fill", items_3d(8, 8, 1, 0, 4, 1), block, QIAO_ERROR_INVALID_ARGUMENT, {"group_size[0] is 0"});
        bench.check_untouched();
    }

    TEST_CASE("what is refused once is not remembered as the kernel's shape") {
        Bench bench;
        const blocks::Fill block = {address_of(bench.out), 9, 0};
        wait_for(bench.queue, bench.last = launch(bench.queue, bench.kernel("fill"), items(8, 4), block));
        wait_for(bench.queue, bench.last = fill(bench.queue, place(bench.out), 4096, 0x5a5a5a5a));
        qiao_launch wrong = items(8, 4);
        wrong.flags = 1;
        for (int round = 0; round < 2; ++round) bench.refuses("fill", wrong, block, QIAO_ERROR_INVALID_ARGUMENT, {"flags"});
        wrong = items(12, 4);  // only the first axis differs from what is remembered, and something else is wrong
        wrong.global_size[1] = 3;
        for (int round = 0; round < 2; ++round) bench.refuses("fill", wrong, block, QIAO_ERROR_INVALID_ARGUMENT, {"axis 1"});
        bench.check_untouched();
    }
}

TEST_SUITE("launch.addresses") {
    TEST_CASE("an address outside the card's memory is refused with the argument's name, and nothing runs") {
        Bench bench;
        const Memory in = bench.session.upload(numbers(64));
        for (const uint64_t address : {UINT64_C(0x1000), UINT64_C(0xdeadbeef0000), UINT64_MAX - 7}) {
            INFO("address ", address);
            bench.refuses("add", items(4), blocks::Add{address_of(in), address, address_of(bench.out)}, QIAO_ERROR_OUT_OF_RANGE, {"add", "argument", bench.quoted("b").c_str()});
        }
        bench.check_untouched();
    }

    TEST_CASE("an address in memory that was released is refused") {
        Bench bench;
        uint64_t stale = 0;
        {
            const Memory gone = bench.session.allocate(4096);
            stale = address_of(gone);
        }
        bench.refuses("fill", items(4), blocks::Fill{stale, 1, 0}, QIAO_ERROR_OUT_OF_RANGE, {"fill", "argument", bench.quoted("out").c_str()});
        bench.check_untouched();
    }
}
