// Drivers list types by speed, so of equals the first is taken. See memory_types.h.
#include "memory_types.h"

#include <bit>

namespace qiao::vulkan {
namespace {

constexpr VkMemoryPropertyFlags kDevice = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
constexpr VkMemoryPropertyFlags kHost = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
constexpr VkMemoryPropertyFlags kCached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
// Of no use to buffers, or slow (AMD's uncached types are for debuggers).
constexpr VkMemoryPropertyFlags kNever = VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT | VK_MEMORY_PROPERTY_PROTECTED_BIT |
                                         VK_MEMORY_PROPERTY_DEVICE_COHERENT_BIT_AMD |
                                         VK_MEMORY_PROPERTY_DEVICE_UNCACHED_BIT_AMD;

// The largest heap of the device's own; others are windows onto it.
VkDeviceSize largest_device_heap(const VkPhysicalDeviceMemoryProperties& memory) {
    VkDeviceSize largest = 0;
    for (uint32_t i = 0; i < memory.memoryHeapCount; ++i)
        if ((memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) != 0 && memory.memoryHeaps[i].size > largest)
            largest = memory.memoryHeaps[i].size;
    return largest;
}

// The type with all of `required` and most of `liked`, in a heap of at least `least_heap`.
uint32_t choose(const VkPhysicalDeviceMemoryProperties& memory, VkMemoryPropertyFlags required, VkMemoryPropertyFlags liked,
                VkMemoryPropertyFlags disliked, VkDeviceSize least_heap) {
    uint32_t best = UINT32_MAX;
    int best_points = 0;
    for (uint32_t i = 0; i < memory.memoryTypeCount; ++i) {
        const VkMemoryPropertyFlags flags = memory.memoryTypes[i].propertyFlags;
        if ((flags & required) != required || (flags & kNever) != 0) continue;
        if (memory.memoryHeaps[memory.memoryTypes[i].heapIndex].size < least_heap) continue;
        const int points = 64 + 8 * std::popcount(flags & liked) - std::popcount(flags & disliked);
        if (points <= best_points) continue;
        best = i;
        best_points = points;
    }
    return best;
}

} // namespace

MemoryTypes choose_memory_types(const VkPhysicalDeviceMemoryProperties& memory) {
    MemoryTypes types;
    // Where all memory is one, the host reaches it; a window onto a card's memory is slow to read and is not wanted.
    const VkDeviceSize largest = largest_device_heap(memory);
    types.device = choose(memory, kDevice | kHost | kCached, 0, 0, largest);
    types.host_reaches_device = types.device != UINT32_MAX;
    if (types.device == UINT32_MAX) types.device = choose(memory, kDevice, 0, kHost | kCached, largest);
    if (types.device == UINT32_MAX) types.device = choose(memory, 0, 0, kHost | kCached, 0);
    types.host = choose(memory, kHost, kCached, kDevice, 0);
    types.staging = types.host;
    return types;
}

} // namespace qiao::vulkan
