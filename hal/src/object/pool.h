// A pool's state. What it does with memory is in pool/allocator.h.
#pragma once

#include <memory>

#include "object/device.h"

namespace qiao {

class PoolAllocator;

struct Pool {
    qiao_device* const device;
    std::unique_ptr<PoolAllocator> allocator;

    Pool(qiao_device* device, std::unique_ptr<PoolAllocator> allocator);
    ~Pool();
};

}  // namespace qiao

struct alignas(64) qiao_pool {
    static constexpr uint64_t kTag = qiao::kTagPool;
    qiao::Header header;
    union {
        qiao::Pool body;
    };
    qiao_pool() {}
    ~qiao_pool() {}
};
