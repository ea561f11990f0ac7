// Which of a card's queue families are used for what.
#pragma once

#include <vector>

#include "symbols.h"

namespace qiao::vulkan {

struct Family {
    uint32_t index = 0;
    uint32_t queues = 0; // 0 = there is none
    uint32_t timestamp_bits = 0;
};

struct Families {
    Family compute;
    Family transfer; // only copies: a card's copy engines, which work beside its kernels
};

Families choose_families(const std::vector<VkQueueFamilyProperties>& families);

} // namespace qiao::vulkan
