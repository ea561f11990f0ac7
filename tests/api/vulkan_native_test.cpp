// An application that uses Vulkan itself, beside Qiao: it takes the device's handles, has Qiao work on a buffer that it made, and
// puts work of its own behind Qiao's.
#define VK_NO_PROTOTYPES
#include <dlfcn.h>
#include <vulkan/vulkan_core.h>

#include "support/blocks.h"
#include "support/session.h"

using namespace api;

namespace {

struct Vulkan {
    explicit Vulkan(const Session& session) {
        qiao_native native = QIAO_NATIVE_INIT;
        REQUIRE_OK(qiao_device_get_native(session.device, &native));
        REQUIRE(native.type == QIAO_NATIVE_TYPE_VULKAN_DEVICE);
        device = reinterpret_cast<VkDevice>(native.handles[0]);
        physical = reinterpret_cast<VkPhysicalDevice>(native.handles[1]);
        instance = reinterpret_cast<VkInstance>(native.handles[2]);
        family = static_cast<uint32_t>(native.handles[3]);
    }

    template <class Function>
    Function call(const char* name) const {
        static void* const library = dlopen("libvulkan.so.1", RTLD_NOW);
        REQUIRE(library != nullptr);
        const auto get = reinterpret_cast<PFN_vkGetInstanceProcAddr>(dlsym(library, "vkGetInstanceProcAddr"));
        const auto function = reinterpret_cast<Function>(get(instance, name));
        REQUIRE_MESSAGE((function != nullptr), name);
        return function;
    }

    VkDevice device;
    VkPhysicalDevice physical;
    VkInstance instance;
    uint32_t family;
};
#define VK(vulkan, name) (vulkan).call<PFN_##name>(#name)

// A buffer of the application's, with what Qiao needs of one.
struct OwnBuffer {
    OwnBuffer(const Vulkan& owner, uint64_t size_bytes, bool addressed) : vulkan(owner) {
        VkBufferCreateInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
        info.size = size_bytes;
        info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
        if (addressed) info.usage |= VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT;
        REQUIRE(VK(vulkan, vkCreateBuffer)(vulkan.device, &info, nullptr, &buffer) == VK_SUCCESS);
        VkMemoryRequirements needs;
        VK(vulkan, vkGetBufferMemoryRequirements)(vulkan.device, buffer, &needs);
        const VkMemoryAllocateFlagsInfo flags = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO, nullptr,
                                                 VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT, 0};
        const VkMemoryAllocateInfo allocate = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, addressed ? &flags : nullptr, needs.size,
                                               static_cast<uint32_t>(__builtin_ctz(needs.memoryTypeBits))};
        REQUIRE(VK(vulkan, vkAllocateMemory)(vulkan.device, &allocate, nullptr, &memory) == VK_SUCCESS);
        REQUIRE(VK(vulkan, vkBindBufferMemory)(vulkan.device, buffer, memory, 0) == VK_SUCCESS);
    }
    ~OwnBuffer() {
        VK(vulkan, vkDestroyBuffer)(vulkan.device, buffer, nullptr);
        VK(vulkan, vkFreeMemory)(vulkan.device, memory, nullptr);
    }
    const Vulkan& vulkan;
    VkBuffer buffer = VK_NULL_HANDLE;
    VkDeviceMemory memory = VK_NULL_HANDLE;
};

// Fills a buffer by Vulkan's own means, behind `value` of the queue, and waits for that.
void fill_behind(const Vulkan& vulkan, const qiao_native& queue, uint64_t value, VkBuffer buffer, VkDeviceSize offset, uint32_t word) {
    const VkCommandPoolCreateInfo pool_info = {VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO, nullptr, 0,
                                               static_cast<uint32_t>(queue.handles[2])};
    VkCommandPool pool;
    REQUIRE(VK(vulkan, vkCreateCommandPool)(vulkan.device, &pool_info, nullptr, &pool) == VK_SUCCESS);
    const VkCommandBufferAllocateInfo allocate = {VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO, nullptr, pool,
                                                  VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1};
    VkCommandBuffer commands;
    REQUIRE(VK(vulkan, vkAllocateCommandBuffers)(vulkan.device, &allocate, &commands) == VK_SUCCESS);
    const VkCommandBufferBeginInfo begin = {VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO, nullptr, 0, nullptr};
    REQUIRE(VK(vulkan, vkBeginCommandBuffer)(commands, &begin) == VK_SUCCESS);
    VK(vulkan, vkCmdFillBuffer)(commands, buffer, offset, 4, word);
    REQUIRE(VK(vulkan, vkEndCommandBuffer)(commands) == VK_SUCCESS);
    const VkTimelineSemaphoreSubmitInfo values = {VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO, nullptr, 1, &value, 0, nullptr};
    const auto semaphore = reinterpret_cast<VkSemaphore>(queue.handles[1]);
    const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    const VkSubmitInfo submit = {VK_STRUCTURE_TYPE_SUBMIT_INFO, &values, 1, &semaphore, &stage, 1, &commands, 0, nullptr};
    const auto native = reinterpret_cast<VkQueue>(queue.handles[0]);
    REQUIRE(VK(vulkan, vkQueueSubmit)(native, 1, &submit, VK_NULL_HANDLE) == VK_SUCCESS);
    REQUIRE(VK(vulkan, vkQueueWaitIdle)(native) == VK_SUCCESS);
    VK(vulkan, vkDestroyCommandPool)(vulkan.device, pool, nullptr);
}

}  // namespace

TEST_SUITE("vulkan.native") {
    TEST_CASE("the device's handles are the driver's own") {
        const Session session;
        const Vulkan vulkan(session);
        VkPhysicalDeviceProperties properties;
        VK(vulkan, vkGetPhysicalDeviceProperties)(vulkan.physical, &properties);
        CHECK(std::string(properties.deviceName) == session.properties.name);
        VkQueue queue = VK_NULL_HANDLE;
        VK(vulkan, vkGetDeviceQueue)(vulkan.device, vulkan.family, 0, &queue);
        CHECK(queue != VK_NULL_HANDLE);
    }

    TEST_CASE("Qiao works on a buffer of the application's, which goes on living") {
        Session session;
        const Vulkan vulkan(session);
        const Program program = session.program();
        const OwnBuffer own(vulkan, 4096, (session.properties.flags & QIAO_DEVICE_ADDRESSES_EMULATED) == 0);
        for (int round = 0; round < 2; ++round) {
            const qiao_native native = {QIAO_NATIVE_TYPE_VULKAN_BUFFER, 0, {reinterpret_cast<uint64_t>(own.buffer), 256, 0, 0}};
            qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
            desc.size_bytes = 256;
            qiao_memory* wrapped = nullptr;
            REQUIRE_OK(qiao_memory_wrap(session.device, &native, &desc, &wrapped));
            const Memory memory(wrapped);
            const Queue queue = session.queue();
            wait_for(queue, launch(queue, kernel_of(program, "fill"), items(64), blocks::Fill{address_of(memory), 7u + round, 0}));
            CHECK(download<uint32_t>(memory, 64) == std::vector<uint32_t>(64, 7 + round));
            qiao_native back = QIAO_NATIVE_INIT;
            REQUIRE_OK(qiao_memory_get_native(memory.get(), &back));
            CHECK(back.handles[0] == native.handles[0]);
            CHECK(back.handles[1] == 256);
        }
    }

    TEST_CASE("the application's work runs behind a value of Qiao's queue, on memory of Qiao's") {
        Session session;
        const Vulkan vulkan(session);
        const Program program = session.program();
        const Memory cell = session.upload(std::vector<uint32_t>{1, 2});
        qiao_native memory = QIAO_NATIVE_INIT, native = QIAO_NATIVE_INIT;
        REQUIRE_OK(qiao_memory_get_native(cell.get(), &memory));
        REQUIRE(memory.type == QIAO_NATIVE_TYPE_VULKAN_BUFFER);
        const Queue queue = session.queue();
        REQUIRE_OK(qiao_queue_get_native(queue.get(), &native));
        REQUIRE(native.type == QIAO_NATIVE_TYPE_VULKAN_QUEUE);
        uint64_t value = 0;
        for (int i = 0; i < 5; ++i)
            value = launch(queue, kernel_of(program, "iterate"), items(1), blocks::Iterate{address_of(cell), 60'000, 0});
        const qiao_status waited = qiao_timeline_wait(timeline_of(queue), value, 0);
        CHECK((waited == QIAO_OK || waited == QIAO_TIMEOUT));
        fill_behind(vulkan, native, value, reinterpret_cast<VkBuffer>(memory.handles[0]), memory.handles[1], 99);
        CHECK(value_of(timeline_of(queue)) >= value);
        CHECK(download<uint32_t>(cell, 2) == std::vector<uint32_t>{99, 2});
    }

    TEST_CASE("what is no buffer, or cannot be one, is refused") {
        const Session session;
        qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
        desc.size_bytes = 64;
        desc.kind = QIAO_MEMORY_KIND_HOST;
        qiao_memory* memory = nullptr;
        const qiao_native buffer = {QIAO_NATIVE_TYPE_VULKAN_BUFFER, 0, {1, 0, 0, 0}};
        CHECK_FAILS(qiao_memory_wrap(session.device, &buffer, &desc, &memory), QIAO_ERROR_UNSUPPORTED, "wrap it as device memory");
        const qiao_native other = {QIAO_NATIVE_TYPE_OPENCL_SVM, 0, {1, 0, 0, 0}};
        desc.kind = QIAO_MEMORY_KIND_DEVICE;
        CHECK_FAILS(qiao_memory_wrap(session.device, &other, &desc, &memory), QIAO_ERROR_UNSUPPORTED, "259", "515");
        CHECK(memory == nullptr);
    }
}
