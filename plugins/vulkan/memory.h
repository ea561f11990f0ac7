// Allocations: a buffer with memory of its own and, where the device has them, an address.
#pragma once

#include "device.h"

namespace qiao::vulkan {

// A buffer's memory that comes from elsewhere, or is to go there.
struct ExternalMemory {
    VkExternalMemoryHandleTypeFlagBits type;
    const void* request;       // for VkMemoryAllocateInfo: what is imported or exported
    uint64_t memory_bytes = 0; // of what is imported; 0 = what the buffer needs
    char* mapped = nullptr;    // where the host sees it already
};

// VK_SUCCESS, or nothing is left behind. Mapped if the type is visible and coherent for the host.
VkResult create_buffer(Device& device, uint64_t size_bytes, uint32_t memory_type, VkBufferUsageFlags usage, Buffer* out,
                       const ExternalMemory* external = nullptr);
// Of allocations.
VkBufferUsageFlags usage_of(const Device& device);
void destroy_buffer(Device& device, Buffer& buffer);

struct Allocation {
    Buffer buffer;
    uint64_t address = 0; // 0 where the core makes addresses
    uint64_t offset = 0;  // of the first usable byte: what was asked for may be aligned more than memory is
    uint64_t size_bytes = 0;
    qiao_memory_kind kind = 0;
    bool owned = true;        // else the application's, which frees it
    bool host_copies = false; // the host reads and writes the bytes itself
};

// The allocation of a buffer, as the core gets it.
void hand_out(Device& device, std::unique_ptr<Allocation> allocation, qiao_plugin_allocation* out_allocation);

// Slots of several tables (native.cpp, share.cpp).
qiao_status vulkan_memory_native(void* device, void* allocation, qiao_native* out_native);
qiao_status vulkan_memory_wrap(void* device, const qiao_plugin_memory_desc* desc, const qiao_native* native,
                               qiao_plugin_allocation* out_allocation);
qiao_status vulkan_memory_import(void* device, const qiao_plugin_memory_desc* desc, const qiao_plugin_import* import,
                                 qiao_plugin_allocation* out_allocation);
qiao_status vulkan_memory_export(void* device, void* allocation, qiao_share_type type, qiao_plugin_export* out_export);

// Blocking copies between host memory and an allocation that the host does not reach: through a staging buffer.
qiao_status write_staged(Device& device, const Allocation& to, uint64_t offset, const void* from, uint64_t size_bytes) noexcept;
qiao_status read_staged(Device& device, const Allocation& from, uint64_t offset, void* to, uint64_t size_bytes) noexcept;

} // namespace qiao::vulkan
