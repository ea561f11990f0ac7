// Mapping: the plugin's own, the allocation's host pointer, or a host copy that is written back at unmap.
#pragma once

#include "object/memory.h"

namespace qiao {

qiao_status memory_map(Memory& memory, uint64_t offset, uint64_t size_bytes, qiao_access access, void** out_pointer);
qiao_status memory_unmap(Memory& memory, void* pointer);

}  // namespace qiao
