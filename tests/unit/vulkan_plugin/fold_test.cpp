// Launches of more work-groups than the device takes along an axis: 65,535 on lavapipe.
#include <algorithm>

#include "support.h"

using namespace test;

namespace {

constexpr const char* kWhere =
    "kernel void where(global uint* out) {"
    " size_t x = get_global_id(0) - get_global_offset(0), y = get_global_id(1) - get_global_offset(1), z = get_global_id(2) - get_global_offset(2);"
    " size_t i = x + get_global_size(0) * (y + get_global_size(1) * z);"
    " uint good = get_group_id(0) == x / get_local_size(0) && get_group_id(1) == y / get_local_size(1) && get_group_id(2) == z;"
    " out[i] += good + 2 * (get_num_groups(0) * get_local_size(0) == get_global_size(0)) + 4 * get_num_groups(2); }";

// Each item is run once, and knows where it is.
void check_where(Fixture& fixture, const uint32_t (&groups)[3], uint32_t group_x, uint32_t group_y, uint32_t offset) {
    Program program(fixture.device, kWhere);
    const uint64_t count = uint64_t{groups[0]} * groups[1] * groups[2] * group_x * group_y;
    const auto out = fixture.upload(std::vector<uint32_t>(count));
    qiao_plugin_geometry shape = geometry(groups[0], group_x);
    shape.group_size[1] = group_y;
    for (int axis = 0; axis < 3; ++axis)
        shape.group_count[axis] = groups[axis], shape.global_offset[axis] = offset;
    shape.dimensions = 3;
    Queue queue(fixture.device);
    queue.wait(queue.launch(program.kernel("where"), shape, Block(program.layout("where")).set(0, out.address)));
    CHECK(fixture.download<uint32_t>(out, count) == std::vector<uint32_t>(count, 3 + 4 * groups[2]));
    fixture.device.free(out);
}

} // namespace

TEST_SUITE("vulkan.fold") {
    TEST_CASE_FIXTURE(Fixture, "the device says that it has no limit") {
        for (const uint32_t limit : device.info.max_group_count)
            CHECK(limit == UINT32_MAX);
    }

    TEST_CASE_FIXTURE(Fixture, "along x") { check_where(*this, {70'000, 1, 1}, 4, 1, 0); }
    TEST_CASE_FIXTURE(Fixture, "a prime number of groups, so that some of the grid are left over") { check_where(*this, {131'101, 1, 1}, 2, 1, 0); }
    TEST_CASE_FIXTURE(Fixture, "along y, with an offset") { check_where(*this, {1, 65'537, 2}, 2, 2, 11); }
    TEST_CASE_FIXTURE(Fixture, "along z") { check_where(*this, {1, 2, 65'536}, 2, 1, 5); }

    TEST_CASE_FIXTURE(Fixture, "just as many as it takes, and one more") {
        check_where(*this, {65'535, 1, 1}, 1, 1, 0);
        check_where(*this, {65'536, 1, 1}, 1, 1, 0);
    }

    TEST_CASE_FIXTURE(Fixture, "groups with local memory and barriers") {
        Program program(device, "kernel void turn(global uint* out, local uint* mine) {"
                                " uint i = get_local_id(0); mine[i] = get_global_id(0); barrier(CLK_LOCAL_MEM_FENCE);"
                                " out[get_global_id(0)] = mine[get_local_size(0) - 1 - i]; }");
        constexpr uint32_t kGroups = 65'543, kGroup = 8;
        const auto out = upload(std::vector<uint32_t>(kGroups * kGroup));
        const auto kernel = program.kernel("turn");
        qiao_plugin_geometry shape = geometry(kGroups, kGroup);
        shape.local_bytes = 128;
        Queue queue(device);
        queue.wait(queue.launch(kernel, shape, Block(program.layout("turn")).set(0, out.address).set(1, uint32_t{4 * kGroup})));
        const auto result = download<uint32_t>(out, kGroups * kGroup);
        for (uint32_t i = 0; i < kGroups * kGroup; ++i)
            REQUIRE(result[i] == i / kGroup * kGroup + kGroup - 1 - i % kGroup);
        device.free(out);
    }

    TEST_CASE_FIXTURE(Fixture, "large and small launches of a kernel in one batch, each with its own shape") {
        Program program(device, "kernel void count(global uint* out) { atomic_add(out, get_num_groups(0)); }");
        const auto kernel = program.kernel("count");
        const auto out = upload(std::vector<uint32_t>{0});
        const Block block = Block(program.layout("count")).set(0, out.address);
        Queue queue(device);
        uint64_t last = 0;
        for (const uint32_t groups : {10u, 66'000u, 20u, 66'001u})
            last = queue.launch(kernel, geometry(groups, 1), block);
        queue.wait(last);
        const auto square = [](uint64_t n) { return n * n; };
        CHECK(download<uint32_t>(out, 1)[0] == static_cast<uint32_t>(square(10) + square(66'000) + square(20) + square(66'001)));
        device.free(out);
    }

    TEST_CASE_FIXTURE(Fixture, "large launches between others with arguments in buffers, in one batch") {
        Program plain(device, "kernel void one(global uint* out) { atomic_add(out, get_num_groups(0) == 66000 ? 1 : get_num_groups(0) == 3 ? 100 : 1000000); }");
        Program large(device, "kernel void two(global uint* out, uint16 a, uint16 b, uint c) {"
                              " if (get_group_id(0) % 64 == c) atomic_add(out, a.s5 + b.s7); }"); // more than is pushed
        const auto one = plain.kernel("one"), two = large.kernel("two");
        const auto out = upload(std::vector<uint32_t>{0, 0});
        const auto numbers = iota(16);
        uint32_t a[16], b[16];
        std::copy_n(numbers.begin(), 16, a);
        std::copy_n(numbers.begin(), 16, b);
        const Block of_one = Block(plain.layout("one")).set(0, out.address);
        const Block of_two = Block(large.layout("two")).set(0, out.address + 4).set(1, a).set(2, b).set(3, 9u);
        Queue queue(device);
        uint64_t last = 0;
        for (int i = 0; i < 3; ++i) {
            last = queue.launch(two, geometry(64, 1), of_two);
            last = queue.launch(one, geometry(66'000, 1), of_one);
            last = queue.launch(two, geometry(64, 1), of_two);
            last = queue.launch(one, geometry(3, 1), of_one);
            last = queue.launch(two, geometry(65'536, 1), of_two);
        }
        queue.wait(last);
        const auto result = download<uint32_t>(out, 2);
        CHECK(result[0] == 3 * (66'000 + 3 * 100));
        CHECK(result[1] == 3 * (1 + 1 + 1024) * (5 + 7));
        device.free(out);
    }

    TEST_CASE_FIXTURE(Fixture, "more items along an axis than ids are refused, and the queue goes on") {
        Program program(device, "kernel void set(global uint* out) { out[0] = 5; }");
        const auto kernel = program.kernel("set");
        const auto out = upload(std::vector<uint32_t>{0});
        const Block block = Block(program.layout("set")).set(0, out.address);
        Queue queue(device);
        const qiao_plugin_geometry large = geometry(1u << 31, 4);
        CHECK(queue.ops->queue_launch(queue.queue, kernel.kernel, &large, block.data(), nullptr, queue.value + 1) == QIAO_ERROR_OUT_OF_RANGE);
        CHECK(host.take_error().message.find("global ids up to 8589934591 along axis 0") != std::string::npos);
        qiao_plugin_geometry cube = geometry(1u << 31, 1);
        cube.group_count[1] = cube.group_count[2] = 1u << 20;
        CHECK(queue.ops->queue_launch(queue.queue, kernel.kernel, &cube, block.data(), nullptr, queue.value + 1) == QIAO_ERROR_OUT_OF_RANGE);
        CHECK(host.take_error().message.find("2147483648 x 1048576 x 1048576 work-groups") != std::string::npos);
        queue.wait(queue.launch(kernel, geometry(1, 1), block));
        CHECK(download<uint32_t>(out, 1)[0] == 5);
        device.free(out);
    }
}
