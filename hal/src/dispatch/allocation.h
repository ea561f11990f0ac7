// An allocation of the plugin's: made, checked against what it must be, and given back.
#pragma once

#include "object/device.h"
#include "qiao/memory.h"

namespace qiao {

// One attempt, with the thread's error on failure. `losses` of the device is from before.
qiao_status make_allocation(qiao_device* device, uint64_t losses, const qiao_memory_desc& desc, qiao_plugin_allocation& out);
// The same of memory that is there already: the host's or another process's, or an object of the vendor's.
qiao_status import_allocation(qiao_device* device, uint64_t losses, const qiao_memory_desc& desc, const qiao_plugin_import& import, qiao_plugin_allocation& out);
qiao_status wrap_allocation(qiao_device* device, uint64_t losses, const qiao_memory_desc& desc, const qiao_native& native, qiao_plugin_allocation& out);

// No work uses it.
void free_allocation(qiao_device* device, void* allocation);

}  // namespace qiao
