// A family that does nothing else is the card's own path to that work, around its graphics. See families.h.
#include "families.h"

namespace qiao::vulkan {
namespace {

constexpr VkQueueFlags kGraphics = VK_QUEUE_GRAPHICS_BIT, kCompute = VK_QUEUE_COMPUTE_BIT, kTransfer = VK_QUEUE_TRANSFER_BIT;
constexpr VkQueueFlags kVideo = 0x20 | 0x40; // decoding and encoding; older headers have no names for them

// The first family with these of the three flags, and no others of them.
Family find(const std::vector<VkQueueFamilyProperties>& families, VkQueueFlags wanted, VkQueueFlags unwanted) {
    for (uint32_t i = 0; i < families.size(); ++i)
        if ((families[i].queueFlags & wanted) == wanted && (families[i].queueFlags & unwanted) == 0 && families[i].queueCount != 0)
            return {i, families[i].queueCount, families[i].timestampValidBits};
    return {};
}

} // namespace

Families choose_families(const std::vector<VkQueueFamilyProperties>& families) {
    Families chosen;
    chosen.compute = find(families, kCompute, kGraphics);
    if (chosen.compute.queues == 0) chosen.compute = find(families, kCompute, 0);
    chosen.transfer = find(families, kTransfer, kCompute | kGraphics | kVideo);
    return chosen;
}

} // namespace qiao::vulkan
