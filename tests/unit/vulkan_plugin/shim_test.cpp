// Drivers that lack something or have more, and one that is lost: lavapipe behind shim.cpp.
#include "shim_control.h"

#include <chrono>
#include <thread>

using namespace test;

namespace {

constexpr const char* kFill = "kernel void fill(global uint* out, uint value) { out[get_global_id(0)] = value; }";

} // namespace

TEST_SUITE("vulkan.shim") {
    TEST_CASE("a device without addresses has the core make them, unless its own are insisted on") {
        const Shim shim("no_addresses");
        {
            Fixture fixture;
            CHECK((fixture.device.info.flags & QIAO_PLUGIN_DEVICE_ARGUMENTS_RESOLVED) != 0);
            CHECK(std::string(fixture.device.info.formats) == "spirv-vulkan+offset");
            CHECK((fixture.device.info.features & QIAO_FEATURE_ADDRESSES) == 0);
        }
        const Variable native("QIAO_VULKAN_ADDRESSES", "native");
        Host host;
        REQUIRE(host.device_count() == 1);
        const auto info = host.device(0);
        CHECK(std::string(info.note).find("cannot be opened: its driver has no buffer device addresses") != std::string::npos);
        CHECK(info.memory_kinds == 0);
        CHECK((info.features & QIAO_FEATURE_ADDRESSES) == 0);
        Device device(host, 0);
        CHECK(device.opened == QIAO_ERROR_UNSUPPORTED);
        CHECK(host.take_error().message.find("has no buffer device addresses") != std::string::npos);
    }

    TEST_CASE("memory that the host had better not read goes through a staging buffer, in pieces") {
        const Shim shim("uncached");
        Fixture fixture;
        Device& device = fixture.device;
        CHECK(!QIAO_PLUGIN_HAS(qiao_plugin_memory_ops, device.tables->memory, memory_map));
        const size_t count = (9u << 20) / 4 + 3; // two staging buffers and a bit
        const auto memory = device.allocate(4 * count + 8);
        const auto numbers = iota(count);
        device.write(memory, numbers.data(), 4 * count, 8);
        std::vector<uint32_t> back(count);
        device.read(memory, back.data(), 4 * count, 8);
        CHECK(back == numbers);
        Program program(device, kFill);
        {
            Queue queue(device);
            queue.wait(queue.launch(program.kernel("fill"), geometry(1, 4),
                                    Block(program.layout("fill")).set(0, memory.address + 8).set(1, uint32_t{6})));
        }
        device.read(memory, back.data(), 20, 8);
        CHECK(back[3] == 6);
        CHECK(back[4] == 4);
        device.free(memory);
    }

    TEST_CASE("without calibrated clocks a timestamp is bracketed by the host's") {
        const Shim shim("uncalibrated");
        Fixture fixture;
        Device& device = fixture.device;
        uint64_t device_first = 0, host_first = 0, device_second = 0, host_second = 0;
        REQUIRE(device.tables->device->device_clock(device.device, &device_first, &host_first) == QIAO_OK);
        REQUIRE(device.tables->device->device_clock(device.device, &device_second, &host_second) == QIAO_OK);
        CHECK(device_second > device_first);
        CHECK(host_second > host_first);
    }

    TEST_CASE("a submission to a lost device fails, tells the host once, and all goes away") {
        const Shim shim("");
        Fixture fixture;
        Device& device = fixture.device;
        Program program(device, kFill);
        const auto memory = device.allocate(64);
        Queue queue(device);
        const auto kernel = program.kernel("fill");
        const auto shape = geometry(1, 4);
        const Block block = Block(program.layout("fill")).set(0, memory.address).set(1, uint32_t{6});
        queue.wait(queue.launch(kernel, shape, block));
        Shim::become("fail:vkQueueSubmit:-4");
        CHECK(queue.ops->queue_launch(queue.queue, kernel.kernel, &shape, block.data(), nullptr, 2) == QIAO_ERROR_DEVICE_LOST);
        CHECK(fixture.host.take_error().vendor_text == "VK_ERROR_DEVICE_LOST");
        CHECK(fixture.host.lost_reason() == "VK_ERROR_DEVICE_LOST");
        CHECK(queue.ops->queue_wait(queue.queue, 2, QIAO_TIMEOUT_INFINITE) == QIAO_ERROR_DEVICE_LOST);
        uint64_t value = 0;
        CHECK(queue.ops->queue_poll(queue.queue, &value) == QIAO_ERROR_DEVICE_LOST);
        CHECK(fixture.host.lost_reason() == "VK_ERROR_DEVICE_LOST"); // not twice
        qiao_plugin_device_state state = QIAO_PLUGIN_DEVICE_STATE_OK;
        char reason[64];
        REQUIRE(device.tables->device->device_state(device.device, &state, reason, sizeof reason) == QIAO_OK);
        CHECK(state == QIAO_PLUGIN_DEVICE_STATE_LOST);
        device.free(memory);
    }

    TEST_CASE("a wait that finds the device lost ends with that") {
        const Shim shim("fail:vkWaitSemaphores:-4");
        Fixture fixture;
        Queue queue(fixture.device);
        CHECK(queue.ops->queue_wait(queue.queue, 1, QIAO_TIMEOUT_INFINITE) == QIAO_ERROR_DEVICE_LOST);
        CHECK(fixture.host.lost_reason() == "VK_ERROR_DEVICE_LOST");
    }

    TEST_CASE("a wait ends within 100 ms of the device's loss, whatever the driver does") {
        const Shim shim("");
        Fixture fixture;
        Queue queue(fixture.device);
        std::chrono::steady_clock::time_point ended;
        std::thread waiter([&] { // for a value that the driver will never signal
            CHECK(queue.ops->queue_wait(queue.queue, 1, QIAO_TIMEOUT_INFINITE) == QIAO_ERROR_DEVICE_LOST);
            ended = std::chrono::steady_clock::now();
        });
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        Shim::become("fail:vkGetSemaphoreCounterValue:-4");
        uint64_t value = 0;
        const auto lost = std::chrono::steady_clock::now();
        CHECK(queue.ops->queue_poll(queue.queue, &value) == QIAO_ERROR_DEVICE_LOST);
        waiter.join();
        CHECK(ended - lost < std::chrono::milliseconds(100));
    }

    TEST_CASE("launches of many sizes above the device's limit need two pipelines, along x and otherwise") {
        const Shim shim("");
        Fixture fixture;
        Program program(fixture.device, "kernel void count(global uint* out) { atomic_add(out, get_num_groups(0) - get_num_groups(1)); }");
        const auto kernel = program.kernel("count");
        const auto out = fixture.upload(std::vector<uint32_t>{0});
        const Block block = Block(program.layout("count")).set(0, out.address);
        Queue queue(fixture.device);
        uint32_t expected = 0;
        const auto launch = [&](uint32_t x, uint32_t y) {
            qiao_plugin_geometry shape = geometry(x, 1);
            shape.group_count[1] = y;
            shape.dimensions = 2;
            queue.wait(queue.launch(kernel, shape, block));
            expected += x * y * (x - y);
        };
        for (uint32_t i = 0; i < 20; ++i)
            launch(66'000 + 7 * i, 1);
        CHECK(Shim::calls("vkCreateComputePipelines") == 1);
        for (uint32_t i = 0; i < 20; ++i)
            launch(1 + i % 2, 65'536 + i);
        CHECK(Shim::calls("vkCreateComputePipelines") == 2);
        launch(10, 1);
        CHECK(Shim::calls("vkCreateComputePipelines") == 3);
        CHECK(fixture.download<uint32_t>(out, 1)[0] == expected);
        fixture.device.free(out);
    }

    TEST_CASE("kernels run on the family that only computes, blocking copies on the one that only copies") {
        const Shim shim("families,uncached");
        {
            Fixture fixture;
            Device& device = fixture.device;
            const size_t count = (5u << 20) / 4;
            const auto memory = device.allocate(4 * count);
            const auto numbers = iota(count);
            device.write(memory, numbers.data(), 4 * count);
            CHECK(Shim::submissions(1) == 0);
            CHECK(Shim::submissions(2) == 2);
            Program program(device, kFill);
            std::vector<std::unique_ptr<Queue>> queues;
            for (uint32_t i = 0; i < 6; ++i) { // more than the family has
                queues.push_back(std::make_unique<Queue>(device));
                queues.back()->launch(program.kernel("fill"), geometry(1, 4),
                                      Block(program.layout("fill")).set(0, memory.address + 16 * i).set(1, i));
            }
            for (const auto& queue : queues)
                queue->wait(queue->value);
            CHECK(Shim::submissions(1) == 6);
            std::vector<uint32_t> back(count);
            device.read(memory, back.data(), 4 * count);
            for (uint32_t i = 0; i < 24; ++i)
                CHECK(back[i] == i / 4);
            CHECK(back[count - 1] == count - 1);
            CHECK(Shim::submissions(2) == 4);
            uint64_t device_ns = 0, host_ns = 0;
            CHECK(device.tables->device->device_clock(device.device, &device_ns, &host_ns) == QIAO_OK);
            queues.clear();
            device.free(memory);
        }
        CHECK(Shim::submissions(0) == 0);
        CHECK(Shim::mistakes() == 0);
    }
}
