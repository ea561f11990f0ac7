// Making and unmaking what a batch consists of, and waiting for timelines. See batch.h.
#include "batch.h"

#include <algorithm>
#include <new>

namespace qiao::vulkan {
namespace {

// A lost device is noticed this often, even if its driver never wakes the waiter.
constexpr uint64_t kSliceNs = 50'000'000;
// Spent semaphores: so many queues live and die while a driver's thread ends what it is about.
constexpr size_t kKeptSemaphores = 1024;

} // namespace

void SpentSemaphores::add(Device& device, VkSemaphore semaphore) noexcept {
    const std::lock_guard lock(mutex_);
    try {
        semaphores_.push_back(semaphore);
    } catch (const std::bad_alloc&) {
        return; // lost, until the device is destroyed
    }
    if (semaphores_.size() <= kKeptSemaphores) return;
    device.vk.vkDestroySemaphore(device.device, semaphores_.front(), nullptr);
    semaphores_.pop_front();
}

void SpentSemaphores::destroy(Device& device) {
    const std::lock_guard lock(mutex_);
    for (VkSemaphore semaphore : semaphores_)
        device.vk.vkDestroySemaphore(device.device, semaphore, nullptr);
    semaphores_.clear();
}

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

VkResult create_batch(Device& device, uint32_t family, std::unique_ptr<Batch>* out) {
    const DeviceSymbols& vk = device.vk;
    auto batch = std::make_unique<Batch>();
    VkCommandPoolCreateInfo pool = {};
    pool.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
    pool.flags = VK_COMMAND_POOL_CREATE_TRANSIENT_BIT;
    pool.queueFamilyIndex = family;
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
    batch.arguments.destroy(device);
    device.vk.vkDestroyCommandPool(device.device, batch.pool, nullptr);
    batch.pool = VK_NULL_HANDLE;
}

} // namespace qiao::vulkan
