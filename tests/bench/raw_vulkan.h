// Vulkan used directly, for comparison: the first device of the loader, one queue, a timeline semaphore, a kernel with its
// arguments in push constants, recycled command buffers. What a careful programmer would write by hand, and nothing else.
#pragma once

#define VK_NO_PROTOTYPES
#include <dlfcn.h>
#include <vulkan/vulkan_core.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

namespace bench {

#define BENCH_VULKAN_INSTANCE(X) \
    X(vkEnumeratePhysicalDevices) X(vkCreateDevice) X(vkGetDeviceProcAddr) X(vkGetPhysicalDeviceQueueFamilyProperties)
#define BENCH_VULKAN_DEVICE(X)                                                                                        \
    X(vkGetDeviceQueue) X(vkQueueSubmit) X(vkCreateSemaphore) X(vkWaitSemaphores) X(vkCreateCommandPool)              \
    X(vkAllocateCommandBuffers) X(vkResetCommandPool) X(vkBeginCommandBuffer) X(vkEndCommandBuffer) X(vkCmdPipelineBarrier) \
    X(vkCmdBindPipeline) X(vkCmdPushConstants) X(vkCmdDispatch) X(vkCreateShaderModule) X(vkCreatePipelineLayout)     \
    X(vkCreateComputePipelines)

class RawVulkan {
public:
    static constexpr uint32_t kBatch = 32;  // launches of a submission, if there are that many

    // The module has the entry point `noop`; constants 0 to 2 are its group size.
    RawVulkan(std::span<const std::byte> module, uint32_t group, uint32_t push_bytes, const char* library = "libvulkan.so.1")
        : push_bytes_(push_bytes) {
        open(library);
        make_pipeline(module, group);
        for (Slot& slot : slots_) {
            VkCommandPoolCreateInfo pool{VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO, nullptr, VK_COMMAND_POOL_CREATE_TRANSIENT_BIT, 0};
            ok(vkCreateCommandPool(device_, &pool, nullptr, &slot.pool), "vkCreateCommandPool");
            VkCommandBufferAllocateInfo commands{VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO, nullptr, slot.pool, VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1};
            ok(vkAllocateCommandBuffers(device_, &commands, &slot.commands), "vkAllocateCommandBuffers");
        }
    }

    // That many launches, each after the other, then one wait.
    void run(uint32_t launches, const void* block) {
        while (launches != 0) {
            const uint32_t now = launches < kBatch ? launches : kBatch;
            submit(now, block);
            launches -= now;
        }
        wait(value_);
    }

private:
    struct Slot {
        VkCommandPool pool = VK_NULL_HANDLE;
        VkCommandBuffer commands = VK_NULL_HANDLE;
        uint64_t value = 0;
    };

    void submit(uint32_t launches, const void* block) {
        Slot& slot = slots_[next_++ % std::size(slots_)];
        wait(slot.value);
        ok(vkResetCommandPool(device_, slot.pool, 0), "vkResetCommandPool");
        const VkCommandBufferBeginInfo begin{VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO, nullptr, VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT, nullptr};
        ok(vkBeginCommandBuffer(slot.commands, &begin), "vkBeginCommandBuffer");
        vkCmdBindPipeline(slot.commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline_);
        constexpr VkPipelineStageFlags stage = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT;
        for (uint32_t i = 0; i < launches; ++i) {
            const VkMemoryBarrier between{VK_STRUCTURE_TYPE_MEMORY_BARRIER, nullptr, VK_ACCESS_SHADER_WRITE_BIT, VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT};
            vkCmdPipelineBarrier(slot.commands, stage, stage, 0, 1, &between, 0, nullptr, 0, nullptr);
            vkCmdPushConstants(slot.commands, layout_, VK_SHADER_STAGE_COMPUTE_BIT, 0, push_bytes_, block);
            vkCmdDispatch(slot.commands, 1, 1, 1);
        }
        const VkMemoryBarrier to_host{VK_STRUCTURE_TYPE_MEMORY_BARRIER, nullptr, VK_ACCESS_SHADER_WRITE_BIT, VK_ACCESS_HOST_READ_BIT};
        vkCmdPipelineBarrier(slot.commands, stage, VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &to_host, 0, nullptr, 0, nullptr);
        ok(vkEndCommandBuffer(slot.commands), "vkEndCommandBuffer");
        slot.value = ++value_;
        VkTimelineSemaphoreSubmitInfo values{VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO, nullptr, 0, nullptr, 1, &value_};
        const VkSubmitInfo info{VK_STRUCTURE_TYPE_SUBMIT_INFO, &values, 0, nullptr, nullptr, 1, &slot.commands, 1, &timeline_};
        ok(vkQueueSubmit(queue_, 1, &info, VK_NULL_HANDLE), "vkQueueSubmit");
    }
    void wait(uint64_t value) {
        if (value <= reached_) return;
        const VkSemaphoreWaitInfo info{VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO, nullptr, 0, 1, &timeline_, &value};
        ok(vkWaitSemaphores(device_, &info, UINT64_MAX), "vkWaitSemaphores");
        reached_ = value;
    }

    void open(const char* library) {
        void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
        if (handle == nullptr) die(dlerror());
        const auto get = reinterpret_cast<PFN_vkGetInstanceProcAddr>(dlsym(handle, "vkGetInstanceProcAddr"));
        const auto create = reinterpret_cast<PFN_vkCreateInstance>(get(nullptr, "vkCreateInstance"));
        VkApplicationInfo application{};
        application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
        application.apiVersion = VK_API_VERSION_1_2;
        VkInstanceCreateInfo instance_info{};
        instance_info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
        instance_info.pApplicationInfo = &application;
        VkInstance instance;
        ok(create(&instance_info, nullptr, &instance), "vkCreateInstance");
#define BENCH_LOAD(name) name = reinterpret_cast<PFN_##name>(get(instance, #name));
        BENCH_VULKAN_INSTANCE(BENCH_LOAD)
#undef BENCH_LOAD
        uint32_t count = 1;
        VkPhysicalDevice physical;
        if (vkEnumeratePhysicalDevices(instance, &count, &physical) < VK_SUCCESS || count == 0) die("no Vulkan device");
        const float priority = 1.0f;
        const VkDeviceQueueCreateInfo queue_info{VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, nullptr, 0, 0, 1, &priority};
        VkPhysicalDeviceVulkan12Features features12{};
        features12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
        features12.timelineSemaphore = features12.bufferDeviceAddress = VK_TRUE;
        VkPhysicalDeviceFeatures2 features{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &features12, {}};
        features.features.shaderInt64 = VK_TRUE;
        VkDeviceCreateInfo device_info{};
        device_info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
        device_info.pNext = &features;
        device_info.queueCreateInfoCount = 1;
        device_info.pQueueCreateInfos = &queue_info;
        ok(vkCreateDevice(physical, &device_info, nullptr, &device_), "vkCreateDevice");
#define BENCH_LOAD(name) name = reinterpret_cast<PFN_##name>(vkGetDeviceProcAddr(device_, #name));
        BENCH_VULKAN_DEVICE(BENCH_LOAD)
#undef BENCH_LOAD
        vkGetDeviceQueue(device_, 0, 0, &queue_);
        const VkSemaphoreTypeCreateInfo type{VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO, nullptr, VK_SEMAPHORE_TYPE_TIMELINE, 0};
        const VkSemaphoreCreateInfo semaphore{VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, &type, 0};
        ok(vkCreateSemaphore(device_, &semaphore, nullptr, &timeline_), "vkCreateSemaphore");
    }

    void make_pipeline(std::span<const std::byte> module, uint32_t group) {
        VkShaderModuleCreateInfo shader{VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, nullptr, 0, module.size(), reinterpret_cast<const uint32_t*>(module.data())};
        VkComputePipelineCreateInfo info{};
        info.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO;
        info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
        info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
        info.stage.pName = "noop";
        ok(vkCreateShaderModule(device_, &shader, nullptr, &info.stage.module), "vkCreateShaderModule");
        const uint32_t sizes[3] = {group, 1, 1};
        const VkSpecializationMapEntry entries[3] = {{0, 0, 4}, {1, 4, 4}, {2, 8, 4}};
        const VkSpecializationInfo constants{3, entries, sizeof sizes, sizes};
        info.stage.pSpecializationInfo = &constants;
        const VkPushConstantRange range{VK_SHADER_STAGE_COMPUTE_BIT, 0, push_bytes_};
        const VkPipelineLayoutCreateInfo layout{VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO, nullptr, 0, 0, nullptr, 1, &range};
        ok(vkCreatePipelineLayout(device_, &layout, nullptr, &layout_), "vkCreatePipelineLayout");
        info.layout = layout_;
        ok(vkCreateComputePipelines(device_, VK_NULL_HANDLE, 1, &info, nullptr, &pipeline_), "vkCreateComputePipelines");
    }

    static void ok(VkResult result, const char* what) {
        if (result == VK_SUCCESS) return;
        std::fprintf(stderr, "%s: %d\n", what, static_cast<int>(result));
        std::exit(1);
    }
    [[noreturn]] static void die(const char* text) {
        std::fprintf(stderr, "%s\n", text);
        std::exit(1);
    }

    uint32_t push_bytes_;
    VkDevice device_ = VK_NULL_HANDLE;
    VkQueue queue_ = VK_NULL_HANDLE;
    VkSemaphore timeline_ = VK_NULL_HANDLE;
    VkPipelineLayout layout_ = VK_NULL_HANDLE;
    VkPipeline pipeline_ = VK_NULL_HANDLE;
    Slot slots_[64];
    size_t next_ = 0;
    uint64_t value_ = 0, reached_ = 0;
#define BENCH_DECLARE(name) PFN_##name name = nullptr;
    BENCH_VULKAN_INSTANCE(BENCH_DECLARE)
    BENCH_VULKAN_DEVICE(BENCH_DECLARE)
#undef BENCH_DECLARE
};

}  // namespace bench
