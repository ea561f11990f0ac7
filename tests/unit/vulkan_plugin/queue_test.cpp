// Queues on lavapipe: order, values, waits, copies, fills, times.
#include "support.h"

#include <cstring>
#include <thread>

using namespace test;

namespace {

constexpr const char* kSource =
    "kernel void append(global uint* log, uint value) { uint at = log[0]; log[at + 1] = value; log[0] = at + 1; }\n"
    "kernel void spin(global uint* cell, uint rounds) { uint x = cell[get_global_id(0)];"
    " for (uint i = 0; i < rounds; ++i) x = x * 1664525u + (x >> 7); cell[get_global_id(0)] = x; }\n";

// Groups and rounds for about a tenth of a second; lavapipe 22.3.6 ends the loops of a work-item after 65535 rounds.
constexpr uint32_t kLong = 800, kRounds = 60'000;

} // namespace

TEST_SUITE("vulkan.queue") {
    TEST_CASE_FIXTURE(Fixture, "a thousand launches run in order, and values rise") {
        Program program(device, kSource);
        const auto log = upload(std::vector<uint32_t>(1001));
        Queue queue(device);
        const auto kernel = program.kernel("append");
        const auto shape = geometry(1, 1);
        Block block(program.layout("append"));
        block.set(0, log.address);
        for (uint32_t i = 0; i < 1000; ++i) {
            queue.launch(kernel, shape, block.set(1, i));
            if (i % 100 == 0) CHECK(queue.poll() <= queue.value);
        }
        queue.wait(queue.value);
        const auto result = download<uint32_t>(log, 1001);
        CHECK(result[0] == 1000);
        CHECK(std::vector<uint32_t>(result.begin() + 1, result.end()) == iota(1000));
        device.free(log);
    }

    TEST_CASE_FIXTURE(Fixture, "a wait ends by its time limit, and the operation goes on") {
        Program program(device, kSource);
        const auto cell = upload(std::vector<uint32_t>(kLong));
        Queue queue(device);
        queue.launch(program.kernel("spin"), geometry(kLong, 1), Block(program.layout("spin")).set(0, cell.address).set(1, kRounds));
        queue.mark();
        CHECK(queue.ops->queue_wait(queue.queue, queue.value, 1'000'000) == QIAO_TIMEOUT);
        CHECK(queue.ops->queue_wait(queue.queue, queue.value, 0) == QIAO_TIMEOUT);
        CHECK(queue.poll() == 0);
        CHECK(device.tables->device->device_synchronize(device.device, 1'000'000) == QIAO_TIMEOUT);
        queue.wait(queue.value);
        CHECK(device.tables->device->device_synchronize(device.device, 0) == QIAO_OK);
        device.free(cell);
    }

    TEST_CASE_FIXTURE(Fixture, "a first operation starts without being asked for") {
        Program program(device, kSource);
        const auto log = device.allocate(64, QIAO_MEMORY_KIND_HOST);
        std::memset(log.host_pointer, 0, 64);
        Queue queue(device);
        queue.launch(program.kernel("append"), geometry(1, 1), Block(program.layout("append")).set(0, log.address).set(1, uint32_t{8}));
        const auto* count = static_cast<volatile uint32_t*>(log.host_pointer);
        for (int i = 0; i < 10000 && *count == 0; ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        CHECK(*count == 1);
        queue.wait(queue.value);
        device.free(log);
    }

    TEST_CASE_FIXTURE(Fixture, "a queue waits for another, which may be destroyed before that is done") {
        Program program(device, kSource);
        const auto log = upload(std::vector<uint32_t>(16));
        const auto kernel = program.kernel("append");
        const auto shape = geometry(1, 1);
        Block block(program.layout("append"));
        block.set(0, log.address);
        Queue second(device);
        {
            Queue first(device);
            const auto cell = upload(std::vector<uint32_t>(kLong / 10));
            first.launch(program.kernel("spin"), geometry(kLong / 10, 1), Block(program.layout("spin")).set(0, cell.address).set(1, kRounds));
            first.launch(kernel, shape, block.set(1, uint32_t{1}));
            first.mark();
            REQUIRE(second.ops->queue_after(second.queue, first.queue, first.value, ++second.value) == QIAO_OK);
            second.launch(kernel, shape, block.set(1, uint32_t{2}));
            second.mark();
            first.wait(first.value);
            device.free(cell);
        }
        second.wait(second.value);
        const auto result = download<uint32_t>(log, 3);
        CHECK(result == std::vector<uint32_t>{2, 1, 2});
        device.free(log);
    }

    TEST_CASE_FIXTURE(Fixture, "copies between allocations, whole and in rows") {
        const auto source = upload(iota(256)), target = upload(std::vector<uint32_t>(256));
        Queue queue(device);
        queue.wait(queue.copy(target.address + 40, source.address + 20, 100, &target, &source));
        auto result = download<uint32_t>(target, 256);
        for (uint32_t i = 0; i < 25; ++i)
            REQUIRE(result[10 + i] == 5 + i);
        CHECK(result[35] == 0);

        qiao_plugin_copy rows = {};
        rows.source = {source.allocation, 0, source.address};
        rows.target = {target.allocation, 0, target.address};
        rows.source_device = rows.target_device = device.device;
        rows.size_bytes = 3;
        rows.rows = 100;
        rows.source_pitch = 4;
        rows.target_pitch = 5;
        rows.value = ++queue.value;
        REQUIRE(queue.ops->queue_copy(queue.queue, &rows) == QIAO_OK);
        queue.wait(queue.value);
        const auto bytes = download<uint8_t>(target, 500);
        for (uint32_t i = 0; i < 100; ++i)
            REQUIRE(bytes[5 * i] == i);

        rows.target = {source.allocation, 100, source.address + 100};
        CHECK(queue.ops->queue_copy(queue.queue, &rows) == QIAO_ERROR_UNSUPPORTED); // they overlap
        uint32_t host_bytes[4] = {};
        rows.target = {nullptr, 0, reinterpret_cast<uint64_t>(host_bytes)};
        rows.target_device = nullptr;
        CHECK(queue.ops->queue_copy(queue.queue, &rows) == QIAO_ERROR_UNSUPPORTED);
        device.free(source);
        device.free(target);
    }

    TEST_CASE_FIXTURE(Fixture, "fills with what repeats in four bytes; others are the core's") {
        const auto target = upload(std::vector<uint32_t>(64));
        Queue queue(device);
        const auto fill = [&](uint64_t offset, uint64_t size, std::vector<uint8_t> pattern) {
            qiao_plugin_fill desc = {};
            desc.target = {target.allocation, offset, target.address + offset};
            desc.size_bytes = size;
            desc.value = queue.value + 1;
            std::copy(pattern.begin(), pattern.end(), desc.pattern);
            desc.pattern_size = static_cast<uint32_t>(pattern.size());
            const qiao_status status = queue.ops->queue_fill(queue.queue, &desc);
            if (status == QIAO_OK) ++queue.value;
            return status;
        };
        CHECK(fill(0, 16, {0xab}) == QIAO_OK);
        CHECK(fill(16, 16, {1, 2}) == QIAO_OK);
        CHECK(fill(32, 16, {1, 2, 3, 4}) == QIAO_OK);
        CHECK(fill(48, 16, {5, 6, 7, 8, 5, 6, 7, 8}) == QIAO_OK);
        CHECK(fill(64, 16, {1, 2, 3, 4, 5, 6, 7, 8}) == QIAO_ERROR_UNSUPPORTED);
        CHECK(fill(65, 16, {1}) == QIAO_ERROR_UNSUPPORTED);
        CHECK(fill(64, 3, {1}) == QIAO_ERROR_UNSUPPORTED);
        queue.wait(queue.value);
        const auto result = download<uint32_t>(target, 17);
        CHECK(result[3] == 0xabababab);
        CHECK(result[4] == 0x02010201);
        CHECK(result[8] == 0x04030201);
        CHECK(result[15] == 0x08070605);
        CHECK(result[16] == 0);
        device.free(target);
    }

    TEST_CASE_FIXTURE(Fixture, "a profiling queue tells when operations ran, on the device's clock") {
        Program program(device, kSource);
        const auto cell = upload(std::vector<uint32_t>(kLong));
        Queue queue(device, QIAO_PLUGIN_QUEUE_PROFILING);
        const auto kernel = program.kernel("spin");
        const auto shape = geometry(1, 1), long_shape = geometry(kLong, 1);
        uint64_t before = 0, after = 0, host_ns = 0;
        REQUIRE(device.tables->device->device_clock(device.device, &before, &host_ns) == QIAO_OK);
        for (uint32_t i = 0; i < 40; ++i)
            queue.launch(kernel, i == 20 ? long_shape : shape, Block(program.layout("spin")).set(0, cell.address).set(1, kRounds));
        queue.wait(queue.value);
        REQUIRE(device.tables->device->device_clock(device.device, &after, &host_ns) == QIAO_OK);
        uint64_t last = before, longest = 0, longest_value = 0;
        for (uint64_t value = 1; value <= 40; ++value) {
            uint64_t start = 0, end = 0;
            REQUIRE(queue.ops->queue_timestamps(queue.queue, value, &start, &end) == QIAO_OK);
            CHECK(start >= last);
            CHECK(end >= start);
            if (end - start > longest) longest = end - start, longest_value = value;
            last = end;
        }
        CHECK(last <= after);
        CHECK(longest_value == 21);
        uint64_t start, end;
        CHECK(queue.ops->queue_timestamps(queue.queue, 41, &start, &end) == QIAO_ERROR_NOT_FOUND);
        Queue plain(device);
        CHECK(plain.ops->queue_timestamps(plain.queue, 1, &start, &end) == QIAO_ERROR_UNSUPPORTED);
        device.free(cell);
    }

    TEST_CASE_FIXTURE(Fixture, "many queues share the device's, from several threads") {
        Program program(device, kSource);
        const auto kernel = program.kernel("append");
        std::vector<qiao_plugin_allocation> logs;
        for (int i = 0; i < 4; ++i)
            logs.push_back(upload(std::vector<uint32_t>(201)));
        const auto shape = geometry(1, 1);
        std::vector<std::thread> threads;
        for (const auto& log : logs)
            threads.emplace_back([&, log] {
                Queue queue(device);
                Block block(program.layout("append"));
                block.set(0, log.address);
                for (uint32_t i = 0; i < 200; ++i) {
                    queue.launch(kernel, shape, block.set(1, i));
                    if (i % 17 == 0) queue.wait(queue.value);
                }
                queue.wait(queue.value);
            });
        for (auto& thread : threads)
            thread.join();
        for (const auto& log : logs) {
            const auto result = download<uint32_t>(log, 201);
            CHECK(result[0] == 200);
            CHECK(result[200] == 199);
            device.free(log);
        }
    }
}
