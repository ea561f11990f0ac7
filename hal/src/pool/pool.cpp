// Pools are used outside the device's lock, since what they give back enters the plugin.
#include "pool/pool.h"

#include <utility>

#include "pool/allocator.h"

namespace qiao {

Pool::Pool(qiao_device* of, std::unique_ptr<PoolAllocator> mechanism) : device(of), allocator(std::move(mechanism)) {}
Pool::~Pool() = default;

void pool_enter(qiao_pool* pool) {
    Device& device = pool->body.device->body;
    std::lock_guard guard(device.state);
    device.pools.push_back(pool);
    device.give_back_pools = pools_give_back;
}

void pool_leave(qiao_pool* pool) {
    Device& device = pool->body.device->body;
    {
        std::lock_guard guard(device.state);
        std::erase(device.pools, pool);
    }
    drop_use(pool);
}

void pools_give_back(qiao_device* device) {
    std::vector<qiao_pool*> pools;
    {
        std::lock_guard guard(device->body.state);
        pools = device->body.pools;
        for (qiao_pool* pool : pools) add_use(pool);
    }
    for (qiao_pool* pool : pools) {
        pool->body.allocator->trim(0);
        drop_use(pool);
    }
}

}  // namespace qiao
