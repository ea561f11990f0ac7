// Recording operations: into the queue's open batch, which is submitted when a value of it must become observable, or at once
// while the device is known to have nothing to do. Inline is what every operation does.
#pragma once

#include "queue.h"

namespace qiao::vulkan {

// Operations run in order: each sees what those before it wrote.
inline constexpr VkMemoryBarrier kBetweenOperations = {
    VK_STRUCTURE_TYPE_MEMORY_BARRIER, nullptr, VK_ACCESS_MEMORY_WRITE_BIT, VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT};

// The queue has reached that value: what was printed until then is with the host when others see it.
void note_reached(Queue& queue, uint64_t value);
VkResult ask_reached(Queue& queue, uint64_t* out_value);

// Makes a batch the open one.
qiao_status open_batch(Queue& queue) noexcept;
// Submits the open batch; it signals the last value recorded.
qiao_status submit(Queue& queue) noexcept;

// One of an operation's two times.
void stamp(Queue& queue, VkPipelineStageFlagBits stage, uint32_t which);

inline bool known_idle(const Queue& queue) {
    return queue.reached.load(std::memory_order_acquire) == queue.submitted.load(std::memory_order_relaxed);
}

// There is more to submit than a batch in which nothing was recorded to its end.
inline bool has_unsubmitted(const Queue& queue) {
    return queue.open != nullptr && queue.recorded != queue.submitted.load(std::memory_order_relaxed);
}

// Before an operation is recorded.
inline qiao_status begin_operation(Queue& queue) {
    if (queue.open == nullptr)
        if (const qiao_status status = open_batch(queue); status != QIAO_OK) [[unlikely]]
            return status;
    queue.device->vk.vkCmdPipelineBarrier(queue.open->commands, queue.lane->work, queue.lane->work, 0, 1, &kBetweenOperations, 0,
                                          nullptr, 0, nullptr);
    if (queue.stamps != VK_NULL_HANDLE) [[unlikely]]
        stamp(queue, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT, 0);
    return QIAO_OK;
}

// After it. While the device has nothing else to do, waiting for more would only waste time.
inline qiao_status end_operation(Queue& queue, uint64_t value) {
    if (queue.stamps != VK_NULL_HANDLE) [[unlikely]] {
        stamp(queue, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, 1);
        queue.stamp_values[queue.stamp_count++ % kStamps] = value;
    }
    queue.recorded = value;
    return known_idle(queue) ? submit(queue) : static_cast<qiao_status>(QIAO_OK);
}

} // namespace qiao::vulkan
