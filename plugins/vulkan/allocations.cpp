// The allocation that begins last before the address is the only one it can be in. See allocations.h.
#include "allocations.h"

namespace qiao::vulkan {

void Allocations::add(uint64_t address, uint64_t size_bytes, Allocation* allocation) {
    std::lock_guard lock(mutex_);
    by_address_[address] = {size_bytes, allocation};
}

void Allocations::remove(uint64_t address) {
    std::lock_guard lock(mutex_);
    by_address_.erase(address);
}

bool Allocations::find(uint64_t address, qiao_plugin_binding* out) const {
    std::lock_guard lock(mutex_);
    auto behind = by_address_.upper_bound(address);
    if (behind == by_address_.begin()) return false;
    const auto& [begin, extent] = *--behind;
    if (address - begin > extent.size_bytes) return false;
    *out = {extent.allocation, address - begin};
    return true;
}

} // namespace qiao::vulkan
