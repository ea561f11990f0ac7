// A device's pools: who is among them, and what they give back when the device has no memory left.
#pragma once

#include "object/pool.h"

namespace qiao {

void pool_enter(qiao_pool* pool);
// After the application's last reference.
void pool_leave(qiao_pool* pool);

// Gives back what the device's pools have in segments without an allocation. Never waits.
void pools_give_back(qiao_device* device);

}  // namespace qiao
