// An allocation of the plugin's: made, checked against what it must be, and given back.
#pragma once

#include "object/device.h"
#include "qiao/memory.h"

namespace qiao {

// One attempt, with the thread's error on failure. `losses` of the device is from before.
qiao_status make_allocation(qiao_device* device, uint64_t losses, const qiao_memory_desc& desc, qiao_plugin_allocation& out);

// Whether what the plugin gave for `slot` can be used; if not it is given back.
qiao_status check_allocation(qiao_device* device, const qiao_memory_desc& desc, const qiao_plugin_allocation& allocation, const char* slot);

// No work uses it.
void free_allocation(qiao_device* device, void* allocation);

}  // namespace qiao
