// Which allocation an address is in: for kernels that get buffers although their device has addresses.
#pragma once

#include <map>
#include <mutex>

#include "common/host.h"

namespace qiao::vulkan {

struct Allocation;

class Allocations {
  public:
    void add(uint64_t address, uint64_t size_bytes, Allocation* allocation);
    void remove(uint64_t address);
    // Also one past an allocation's end, if no other begins there.
    bool find(uint64_t address, qiao_plugin_binding* out) const;

  private:
    struct Extent {
        uint64_t size_bytes;
        Allocation* allocation;
    };
    mutable std::mutex mutex_;
    std::map<uint64_t, Extent> by_address_;
};

} // namespace qiao::vulkan
