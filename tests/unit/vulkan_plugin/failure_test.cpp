// Every function of the driver that can fail does, once the device is lost and once for want of memory: the first is the end of the
// device, and told once; after the second all works again. Nothing crashes, and all goes away.
#include "shim_control.h"

using namespace test;

namespace {

constexpr const char* kSource =
    "kernel void fill(global uint* out, uint value, local uint* unused) { unused[get_local_id(0)] = value;"
    " barrier(CLK_LOCAL_MEM_FENCE); out[get_global_id(0)] = unused[get_local_id(0)]; }\n"
    "kernel void many(global uint* out, float16 a, float16 b, uint value) { out[get_global_id(0)] = value + (uint)(a.s0 + b.s1); }\n";

constexpr int kDeviceLost = -4, kOutOfHostMemory = -1, kOutOfDeviceMemory = -2; // VkResult

// What a host does with a device, with things of its own; the first status that is not QIAO_OK.
class Work {
  public:
    explicit Work(Device& device) : device_(device) {}

    qiao_status run() {
        qiao_plugin_allocation memory = {};
        qiao_status status = device_.try_allocate(4096, QIAO_MEMORY_KIND_DEVICE, &memory);
        if (status != QIAO_OK) return status;
        status = with(memory);
        device_.tables->memory->memory_free(device_.device, memory.allocation);
        return status;
    }

  private:
    qiao_status with(const qiao_plugin_allocation& memory) {
        const uint32_t word = 5;
        uint32_t back = 0;
        const auto& memory_ops = *device_.tables->memory;
        qiao_status status = memory_ops.memory_write(device_.device, memory.allocation, 8, &word, 4);
        if (status == QIAO_OK) status = memory_ops.memory_read(device_.device, memory.allocation, 8, &back, 4);
        if (status != QIAO_OK) return status;
        CHECK(back == 5);
        void* program = nullptr;
        static const Compiled compiled = compile(kSource);
        status = device_.try_load(describe(compiled), &program);
        if (status != QIAO_OK) return status;
        status = launch_both(memory, program, compiled);
        device_.tables->program->program_unload(device_.device, program);
        return status;
    }

    qiao_status launch_both(const qiao_plugin_allocation& memory, void* program, const Compiled& compiled) {
        qiao_plugin_queue_desc desc = {};
        desc.struct_size = sizeof desc;
        desc.flags = QIAO_PLUGIN_QUEUE_PROFILING;
        void* queue = nullptr;
        const auto& ops = *device_.tables->queue;
        qiao_status status = ops.queue_create(device_.device, &desc, &queue);
        if (status != QIAO_OK) return status;
        Layout fill, many;
        fill.address().value(4, 4).local().metadata(compiled.metadata[0]);
        many.address().value(64, 64).value(64, 64).value(4, 4).metadata(compiled.metadata[1]);
        const uint32_t local_bytes = 64;
        const float zeros[16] = {};
        qiao_plugin_kernel fills, manys;
        status = fill.try_find(device_, program, "fill", &fills);
        if (status == QIAO_OK) status = many.try_find(device_, program, "many", &manys);
        if (status == QIAO_OK)
            status = launch(queue, fills, Block(fill).set(0, memory.address).set(1, 7u).set(2, local_bytes), 1);
        if (status == QIAO_OK)
            status = launch(queue, manys, Block(many).set(0, memory.address).set(1, zeros).set(2, zeros).set(3, 8u), 2);
        if (status == QIAO_OK) status = ops.queue_mark(queue, 2);
        if (status == QIAO_OK) status = ops.queue_wait(queue, 2, QIAO_TIMEOUT_INFINITE);
        uint64_t value = 0, start = 0, end = 0;
        if (status == QIAO_OK) status = ops.queue_poll(queue, &value);
        if (status == QIAO_OK) status = ops.queue_timestamps(queue, 2, &start, &end);
        if (status == QIAO_OK) status = device_.tables->device->device_clock(device_.device, &start, &end);
        device_.tables->device->device_synchronize(device_.device, QIAO_TIMEOUT_INFINITE); // as the core does
        ops.queue_destroy(queue);
        return status;
    }

    qiao_status launch(void* queue, const qiao_plugin_kernel& kernel, const Block& block, uint64_t value) {
        qiao_plugin_geometry shape = geometry(1, 16);
        shape.local_bytes = 128;
        return device_.tables->queue->queue_launch(queue, kernel.kernel, &shape, block.data(), nullptr, value);
    }

    Device& device_;
};

// Functions that a failure of is not the caller's: a device works without a cache of pipelines.
const std::vector<std::string> kOptional = {"vkCreatePipelineCache", "vkGetPipelineCacheData", "vkMergePipelineCaches"};
// Functions that are called when a device is opened, and no more.
const std::vector<std::string> kOpening = {"vkCreateDevice", "vkCreateDescriptorSetLayout"};
const std::vector<std::string> kWorking = {
    "vkCreateBuffer",        "vkAllocateMemory",       "vkBindBufferMemory",     "vkMapMemory",
    "vkCreateSemaphore",     "vkCreateCommandPool",    "vkAllocateCommandBuffers", "vkResetCommandPool",
    "vkBeginCommandBuffer",  "vkEndCommandBuffer",     "vkQueueSubmit",          "vkWaitSemaphores",
    "vkCreateQueryPool",     "vkGetQueryPoolResults",  "vkCreateShaderModule",   "vkCreatePipelineLayout",
    "vkCreateComputePipelines", "vkCreateDescriptorPool", "vkAllocateDescriptorSets", "vkGetCalibratedTimestampsEXT",
    "vkGetSemaphoreCounterValue"};

std::string fail(const std::string& name, int code) {
    return "uncached,fail:" + name + ":" + std::to_string(code);
}

} // namespace

TEST_SUITE("vulkan.failure") {
    TEST_CASE("a device lost in any function is lost for good, and that is told once") {
        for (const std::string& name : kWorking) {
            CAPTURE(name);
            const Shim shim("uncached");
            Fixture fixture;
            Shim::become(fail(name, kDeviceLost));
            CHECK(Work(fixture.device).run() == QIAO_ERROR_DEVICE_LOST);
            CHECK(Shim::failures() > 0);
            CHECK(fixture.host.lost_reason() == "VK_ERROR_DEVICE_LOST");
            CHECK(fixture.host.take_error().vendor_text == "VK_ERROR_DEVICE_LOST");
            Shim::become("uncached");
            qiao_plugin_device_state state = QIAO_PLUGIN_DEVICE_STATE_OK;
            char reason[64];
            REQUIRE(fixture.device.tables->device->device_state(fixture.device.device, &state, reason, sizeof reason) == QIAO_OK);
            CHECK(state == QIAO_PLUGIN_DEVICE_STATE_LOST);
        }
    }

    TEST_CASE("want of memory in any function fails that call, and the next succeeds") {
        for (const int code : {kOutOfHostMemory, kOutOfDeviceMemory}) {
            for (const std::string& name : kWorking) {
                CAPTURE(name);
                CAPTURE(code);
                const Shim shim("uncached");
                Fixture fixture;
                Shim::become(fail(name, code));
                CHECK(Work(fixture.device).run() == QIAO_ERROR_OUT_OF_MEMORY);
                CHECK(Shim::failures() > 0);
                CHECK(fixture.host.lost_reason().empty());
                Shim::become("uncached");
                CHECK(Work(fixture.device).run() == QIAO_OK);
            }
        }
    }

    TEST_CASE("a device that cannot be opened says why, and leaves nothing behind") {
        for (const std::string& name : kOpening) {
            CAPTURE(name);
            const Shim shim(fail(name, kOutOfDeviceMemory));
            Host host;
            Device device(host, 0);
            CHECK(device.opened == QIAO_ERROR_OUT_OF_MEMORY);
            CHECK(host.take_error().message.find("llvmpipe") == 0);
        }
    }

    TEST_CASE("without a cache of pipelines everything works") {
        for (const std::string& name : kOptional) {
            CAPTURE(name);
            const Shim shim(fail(name, kOutOfHostMemory));
            Fixture fixture;
            CHECK(Work(fixture.device).run() == QIAO_OK);
        }
    }
}
