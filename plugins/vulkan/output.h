// What kernels print: a buffer for each launch that may, read and handed to the host when the launch has run. Of a queue.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "memory.h"
#include "printf_call.h"

namespace qiao::vulkan {

// How a kernel prints. Shared with launches whose output is not read yet: the kernel may be gone then.
struct Printing {
    std::string kernel; // its name in the source
    uint32_t buffer_bytes = 0;
    std::vector<PrintfCall> calls;
};

class Outputs {
  public:
    // A buffer for the launch that will have this value. Valid until that is delivered.
    VkResult take(Device& device, std::shared_ptr<const Printing> printing, uint64_t value, Buffer* out);
    // Some launch's output is not delivered yet.
    bool waiting() const noexcept { return waiting_.load(std::memory_order_acquire); }
    // Of all launches up to that value, which have run. Returns when it is with the host, whoever brings it there.
    void deliver(Device& device, uint64_t reached) noexcept;
    void destroy(Device& device);

  private:
    struct Pending {
        uint64_t value;
        Buffer buffer;
        std::shared_ptr<const Printing> printing;
    };
    void read(Device& device, const Pending& pending) const;

    std::atomic<bool> waiting_{false};
    std::mutex mutex_;             // guards what follows
    std::vector<Pending> pending_; // in the order of their values
    std::vector<Buffer> free_;
    uint32_t free_bytes_ = 0; // of each that is free
};

} // namespace qiao::vulkan
