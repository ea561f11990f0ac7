// Batches are taken, submitted and recycled here. See recording.h.
#include "recording.h"

namespace qiao::vulkan {
namespace {

constexpr VkMemoryBarrier kToHost = {VK_STRUCTURE_TYPE_MEMORY_BARRIER, nullptr, VK_ACCESS_MEMORY_WRITE_BIT,
                                     VK_ACCESS_HOST_READ_BIT | VK_ACCESS_HOST_WRITE_BIT};

void recycle(Queue& queue) {
    const uint64_t reached = queue.reached.load(std::memory_order_acquire);
    while (queue.pending.first() != nullptr && queue.pending.first()->value <= reached) {
        Batch* batch = queue.pending.pop();
        batch->wait.reset();
        queue.idle.push(batch);
    }
}

// An idle batch, made if all are in use: a queue has as many as it ever had in flight.
VkResult take_batch(Queue& queue, Batch** out) {
    recycle(queue);
    if (queue.idle.first() == nullptr && queue.pending.first() != nullptr) {
        uint64_t value = 0;
        if (const VkResult result = ask_reached(queue, &value); result != VK_SUCCESS) return result;
        recycle(queue);
    }
    *out = queue.idle.pop();
    if (*out != nullptr) return VK_SUCCESS;
    queue.batches.reserve(queue.batches.size() + 1);
    std::unique_ptr<Batch> made;
    if (const VkResult result = create_batch(*queue.device, queue.lane->family, &made); result != VK_SUCCESS) return result;
    *out = made.get();
    queue.batches.push_back(std::move(made));
    return VK_SUCCESS;
}

[[gnu::noinline]] qiao_status submit_failed(Queue& queue, VkResult result) noexcept {
    queue.recorded = queue.submitted.load(std::memory_order_relaxed);
    queue.open->wait.reset();
    queue.idle.push(queue.open);
    queue.open = nullptr;
    return device_failed(*queue.device, result, "a submission to the device");
}

VkResult end_and_submit(Queue& queue, Batch& batch) {
    const DeviceSymbols& vk = queue.device->vk;
    vk.vkCmdPipelineBarrier(batch.commands, queue.lane->work, VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &kToHost, 0, nullptr, 0, nullptr);
    if (const VkResult result = vk.vkEndCommandBuffer(batch.commands); result != VK_SUCCESS) return result;
    constexpr VkPipelineStageFlags stages = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    const uint32_t wait_count = batch.wait != nullptr ? 1 : 0;
    VkTimelineSemaphoreSubmitInfo values = {};
    values.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO;
    values.waitSemaphoreValueCount = wait_count;
    values.pWaitSemaphoreValues = &batch.wait_value;
    values.signalSemaphoreValueCount = 1;
    values.pSignalSemaphoreValues = &batch.value;
    VkSubmitInfo submit = {};
    submit.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
    submit.pNext = &values;
    submit.waitSemaphoreCount = wait_count;
    submit.pWaitSemaphores = batch.wait != nullptr ? &batch.wait->semaphore : nullptr;
    submit.pWaitDstStageMask = &stages;
    submit.commandBufferCount = 1;
    submit.pCommandBuffers = &batch.commands;
    submit.signalSemaphoreCount = 1;
    submit.pSignalSemaphores = &queue.timeline->semaphore;
    std::lock_guard lock(queue.lane->mutex);
    return vk.vkQueueSubmit(queue.lane->queue, 1, &submit, VK_NULL_HANDLE);
}

inline void raise_reached(Queue& queue, uint64_t value) {
    uint64_t known = queue.reached.load(std::memory_order_relaxed);
    while (known < value && !queue.reached.compare_exchange_weak(known, value, std::memory_order_release)) {
    }
}

[[gnu::noinline]] void note_with_output(Queue& queue, uint64_t value) {
    queue.outputs.deliver(*queue.device, value);
    raise_reached(queue, value);
}

} // namespace

void note_reached(Queue& queue, uint64_t value) {
    if (queue.outputs.waiting()) [[unlikely]] return note_with_output(queue, value);
    raise_reached(queue, value);
}

VkResult ask_reached(Queue& queue, uint64_t* out_value) {
    Device& device = *queue.device;
    const VkResult result = device.vk.vkGetSemaphoreCounterValue(device.device, queue.timeline->semaphore, out_value);
    if (result == VK_SUCCESS) note_reached(queue, *out_value);
    return result;
}

qiao_status open_batch(Queue& queue) noexcept {
    Device& device = *queue.device;
    return guarded(device.host, "queue", [&]() -> qiao_status {
        Batch* batch = nullptr;
        VkResult result = take_batch(queue, &batch);
        if (result == VK_SUCCESS) result = device.vk.vkResetCommandPool(device.device, batch->pool, 0);
        if (result == VK_SUCCESS) result = batch->arguments.reset(device);
        VkCommandBufferBeginInfo begin = {};
        begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
        begin.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
        if (result == VK_SUCCESS) result = device.vk.vkBeginCommandBuffer(batch->commands, &begin);
        if (result != VK_SUCCESS) {
            if (batch != nullptr) queue.idle.push(batch);
            return device_failed(device, result, "a command buffer");
        }
        batch->bound = VK_NULL_HANDLE;
        queue.open = batch;
        return QIAO_OK;
    });
}

qiao_status submit(Queue& queue) noexcept {
    Batch& batch = *queue.open;
    batch.value = queue.recorded;
    if (const VkResult result = end_and_submit(queue, batch); result != VK_SUCCESS) [[unlikely]]
        return submit_failed(queue, result);
    queue.open = nullptr;
    queue.pending.push(&batch);
    queue.submitted.store(batch.value, std::memory_order_release);
    return QIAO_OK;
}

void stamp(Queue& queue, VkPipelineStageFlagBits stage, uint32_t which) {
    const DeviceSymbols& vk = queue.device->vk;
    const auto slot = static_cast<uint32_t>(queue.stamp_count % kStamps);
    if (which == 0) vk.vkCmdResetQueryPool(queue.open->commands, queue.stamps, 2 * slot, 2);
    vk.vkCmdWriteTimestamp(queue.open->commands, stage, queue.stamps, 2 * slot + which);
}

} // namespace qiao::vulkan
