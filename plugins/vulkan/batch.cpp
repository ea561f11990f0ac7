// Making and unmaking what a batch consists of, and waiting for timelines. See batch.h.
#include "batch.h"

#include <algorithm>

namespace qiao::vulkan {
namespace {

// A lost device is noticed this often, even if its driver never wakes the waiter.
constexpr uint64_t kSliceNs = 50'000'000;

} // namespace

VkResult create_timeline(Device& device, std::shared_ptr<Timeline>* out) {
    auto timeline = std::make_shared<Timeline>(device);
    VkSemaphoreTypeCreateInfo type = {};
    type.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO;
    type.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE;
    VkSemaphoreCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO;
    info.pNext = &type;
    const VkResult result = device.vk.vkCreateSemaphore(device.device, &info, nullptr, &timeline->semaphore);
    if (result == VK_SUCCESS) *out = std::move(timeline);
    return result;
}

qiao_status wait_timeline(const Timeline& timeline, uint64_t value, uint64_t timeout_ns) noexcept {
    Device& device = timeline.device;
    VkSemaphoreWaitInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO;
    info.semaphoreCount = 1;
    info.pSemaphores = &timeline.semaphore;
    info.pValues = &value;
    for (uint64_t left = timeout_ns;;) {
        if (device.lost.load(std::memory_order_acquire)) return QIAO_ERROR_DEVICE_LOST;
        const uint64_t slice = std::min(left, kSliceNs);
        const VkResult result = device.vk.vkWaitSemaphores(device.device, &info, slice);
        if (result == VK_SUCCESS) [[likely]]
            return QIAO_OK;
        if (result != VK_TIMEOUT) return device_failed(device, result, "a wait for the device");
        if (timeout_ns != QIAO_TIMEOUT_INFINITE) left -= slice;
        if (left == 0) return QIAO_TIMEOUT;
    }
}

VkResult create_batch(Device& device, std::unique_ptr<Batch>* out) {
    const DeviceSymbols& vk = device.vk;
    auto batch = std::make_unique<Batch>();
    VkCommandPoolCreateInfo pool = {};
    pool.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
    pool.flags = VK_COMMAND_POOL_CREATE_TRANSIENT_BIT;
    pool.queueFamilyIndex = device.record->family;
    VkResult result = vk.vkCreateCommandPool(device.device, &pool, nullptr, &batch->pool);
    if (result != VK_SUCCESS) return result;
    VkCommandBufferAllocateInfo commands = {};
    commands.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
    commands.commandPool = batch->pool;
    commands.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
    commands.commandBufferCount = 1;
    result = vk.vkAllocateCommandBuffers(device.device, &commands, &batch->commands);
    if (result != VK_SUCCESS)
        destroy_batch(device, *batch);
    else
        *out = std::move(batch);
    return result;
}

void destroy_batch(Device& device, Batch& batch) {
    if (batch.set_pool != VK_NULL_HANDLE) device.vk.vkDestroyDescriptorPool(device.device, batch.set_pool, nullptr);
    destroy_buffer(device, batch.arena);
    device.vk.vkDestroyCommandPool(device.device, batch.pool, nullptr);
    batch.pool = VK_NULL_HANDLE;
}

VkResult ensure_arena(Device& device, Batch& batch) {
    if (batch.set != VK_NULL_HANDLE) return VK_SUCCESS;
    const DeviceSymbols& vk = device.vk;
    if (batch.arena.buffer == VK_NULL_HANDLE) {
        // Every binding reaches over the largest block, also the last one's.
        const VkResult result = create_buffer(device, kArenaBytes + QIAO_MAX_ARGUMENT_BYTES, device.record->staging_type,
                                              VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT, &batch.arena);
        if (result != VK_SUCCESS) return result;
    }
    const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC, 1};
    VkDescriptorPoolCreateInfo pool = {};
    pool.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO;
    pool.maxSets = 1;
    pool.poolSizeCount = 1;
    pool.pPoolSizes = &size;
    VkResult result = VK_SUCCESS;
    if (batch.set_pool == VK_NULL_HANDLE) result = vk.vkCreateDescriptorPool(device.device, &pool, nullptr, &batch.set_pool);
    if (result != VK_SUCCESS) return result;
    VkDescriptorSetAllocateInfo allocate = {};
    allocate.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO;
    allocate.descriptorPool = batch.set_pool;
    allocate.descriptorSetCount = 1;
    allocate.pSetLayouts = &device.block_set;
    result = vk.vkAllocateDescriptorSets(device.device, &allocate, &batch.set);
    if (result != VK_SUCCESS) return result;
    const VkDescriptorBufferInfo range = {batch.arena.buffer, 0, QIAO_MAX_ARGUMENT_BYTES};
    VkWriteDescriptorSet write = {};
    write.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
    write.dstSet = batch.set;
    write.descriptorCount = 1;
    write.descriptorType = VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC;
    write.pBufferInfo = &range;
    vk.vkUpdateDescriptorSets(device.device, 1, &write, 0, nullptr);
    return VK_SUCCESS;
}

} // namespace qiao::vulkan
