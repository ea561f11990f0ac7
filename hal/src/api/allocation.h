// From what a plugin has allocated, wrapped or imported to a handle of the application's, and back.
#pragma once

#include "object/memory.h"
#include "qiao/memory.h"

namespace qiao {

// Whether another allocation of the device has any of these addresses of its own; what was lost before is in nobody's way.
bool overlaps_allocation(const Device& device, uint64_t losses, uint64_t address, uint64_t size_bytes);

// The handle of an allocation, which is freed on failure; `losses` is from before it was made, `shared` null unless it is emulated
// shared memory.
qiao_status publish(qiao_device* device, uint64_t losses, const qiao_memory_desc& desc, const qiao_plugin_allocation& allocation,
                    const std::shared_ptr<SharedMemory>& shared, const Sharing& sharing, qiao_memory** out_memory);

// The application has let go of it: freed when work that may use it has ended.
void retire_memory(qiao_memory* memory);

}  // namespace qiao
