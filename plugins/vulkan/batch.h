// Batches: command buffers that are recorded, submitted once, and recycled when their queue's timeline has passed them.
#pragma once

#include <memory>

#include "arguments.h"

namespace qiao::vulkan {

// A queue's values as Vulkan keeps them. Shared with batches of other queues that wait for it: a semaphore outlives its queue
// as long as one of them is not done.
struct Timeline {
    explicit Timeline(Device& owner) : device(owner) {}
    ~Timeline() {
        if (semaphore != VK_NULL_HANDLE) device.spent.add(device, semaphore);
    }
    Timeline(const Timeline&) = delete;
    Timeline& operator=(const Timeline&) = delete;

    Device& device;
    VkSemaphore semaphore = VK_NULL_HANDLE;
};

VkResult create_timeline(Device& device, std::shared_ptr<Timeline>* out);

// Waits with a limit; ends with the device's loss too, whatever the driver does. QIAO_OK, QIAO_TIMEOUT, or a reported failure.
qiao_status wait_timeline(const Timeline& timeline, uint64_t value, uint64_t timeout_ns) noexcept;

struct Batch {
    VkCommandPool pool = VK_NULL_HANDLE;
    VkCommandBuffer commands = VK_NULL_HANDLE;
    uint64_t value = 0;                // signalled when it has run
    VkPipeline bound = VK_NULL_HANDLE; // by the last launch recorded
    Batch* next = nullptr;             // in the list it is in
    std::shared_ptr<Timeline> wait;    // before it runs; null = for nothing
    uint64_t wait_value = 0;
    ArgumentRoom arguments;
};

// A list in order, without memory of its own.
class BatchList {
  public:
    Batch* first() const { return first_; }
    void push(Batch* batch) {
        batch->next = nullptr;
        (first_ == nullptr ? first_ : last_->next) = batch;
        last_ = batch;
    }
    Batch* pop() {
        Batch* batch = first_;
        if (batch != nullptr) first_ = batch->next;
        return batch;
    }

  private:
    Batch* first_ = nullptr;
    Batch* last_ = nullptr;
};

VkResult create_batch(Device& device, uint32_t family, std::unique_ptr<Batch>* out);
void destroy_batch(Device& device, Batch& batch);

} // namespace qiao::vulkan
