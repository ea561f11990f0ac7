// Which of a card's memory types are used for what: decided from the types' flags and the heaps' sizes alone.
#pragma once

#include "symbols.h"

namespace qiao::vulkan {

// Indices into VkPhysicalDeviceMemoryProperties.memoryTypes; UINT32_MAX = none.
struct MemoryTypes {
    uint32_t device = UINT32_MAX;  // what kernels work on
    uint32_t host = UINT32_MAX;    // host memory that kernels reach
    uint32_t staging = UINT32_MAX; // what blocking copies and argument blocks go through
    bool host_reaches_device = false; // the host may read and write device memory itself, and reading is not slow
};

MemoryTypes choose_memory_types(const VkPhysicalDeviceMemoryProperties& memory);

} // namespace qiao::vulkan
