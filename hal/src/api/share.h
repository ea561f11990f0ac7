// What devices can share, and shareable memory for qiao_memory_allocate.
#pragma once

#include "object/memory.h"
#include "qiao/share.h"

namespace qiao {

// What the plugin claims without having what it needs for it is taken out of its description, and said in the log.
void settle_share_types(Device& device);

// Those of the library's too.
uint32_t import_types(const Device& device);
uint32_t export_types(const Device& device);

// Whether the device has shareable memory of that kind; 0 is the default one.
qiao_status check_shareable_kind(const Device& device, qiao_memory_kind kind);

// Host memory in a file, of the open device.
qiao_status allocate_file(qiao_device* device, uint64_t losses, const qiao_memory_desc& desc, qiao_memory** out_memory);

}  // namespace qiao
