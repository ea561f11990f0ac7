// Buffers are host memory that the device writes to. See output.h.
#include "output.h"

namespace qiao::vulkan {

VkResult Outputs::take(Device& device, std::shared_ptr<const Printing> printing, uint64_t value, Buffer* out) {
    const std::lock_guard lock(mutex_);
    if (free_bytes_ != printing->buffer_bytes) { // another compiler's kernel
        for (Buffer& buffer : free_)
            destroy_buffer(device, buffer);
        free_.clear();
        free_bytes_ = printing->buffer_bytes;
    }
    pending_.reserve(pending_.size() + 1);
    free_.reserve(free_.size() + pending_.size() + 1); // so that deliver cannot fail
    Buffer buffer;
    if (!free_.empty()) {
        buffer = free_.back();
        free_.pop_back();
    } else {
        const MemoryTypes& types = device.record->types;
        const VkBufferUsageFlags usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT;
        const VkResult result = create_buffer(device, printing->buffer_bytes, types.host != UINT32_MAX ? types.host : types.staging,
                                              device.record->table ? usage : usage | VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT, &buffer);
        if (result != VK_SUCCESS) return result;
    }
    std::memset(buffer.mapped, 0, 4); // nothing is used
    pending_.push_back({value, buffer, std::move(printing)});
    waiting_.store(true, std::memory_order_release);
    *out = buffer;
    return VK_SUCCESS;
}

void Outputs::read(Device& device, const Pending& pending) const {
    const Printing& printing = *pending.printing;
    const auto* words = reinterpret_cast<const uint32_t*>(pending.buffer.mapped);
    std::string printed;
    const bool whole = read_output(printing.calls, words, printing.buffer_bytes / 4, &printed);
    device.host.output(device.token, printing.kernel.c_str(), printed);
    if (!whole)
        device.host.log(QIAO_LOG_LEVEL_WARNING, text("kernel '", printing.kernel, "' printed more than the ", printing.buffer_bytes,
                                                     " bytes kept for a launch; the rest is lost"));
}

void Outputs::deliver(Device& device, uint64_t reached) noexcept {
    guarded(device.host, "a kernel's output", [&]() -> qiao_status {
        const std::lock_guard lock(mutex_);
        size_t count = 0;
        for (; count < pending_.size() && pending_[count].value <= reached; ++count) {
            read(device, pending_[count]);
            if (pending_[count].printing->buffer_bytes == free_bytes_)
                free_.push_back(pending_[count].buffer);
            else
                destroy_buffer(device, pending_[count].buffer);
        }
        pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(count));
        waiting_.store(!pending_.empty(), std::memory_order_release);
        return QIAO_OK;
    });
}

void Outputs::destroy(Device& device) {
    for (Pending& each : pending_)
        destroy_buffer(device, each.buffer);
    for (Buffer& each : free_)
        destroy_buffer(device, each);
    pending_.clear();
    free_.clear();
}

} // namespace qiao::vulkan
