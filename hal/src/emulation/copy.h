// Copies and fills made of the plugins' blocking memory_read and memory_write: what a plugin's queue cannot do itself,
// and every copy between two plugins.
#pragma once

#include "object/device.h"

namespace qiao {

// Blocks until done. A null device is host memory. Queued work that the ranges depend on has ended.
qiao_status staged_copy(qiao_device* source_device, qiao_device* target_device, const qiao_plugin_copy& copy);
qiao_status staged_fill(qiao_device* device, const qiao_plugin_fill& fill);

// The blocking slots, with the device's serialisation and wording of failures.
qiao_status device_read(qiao_device* device, void* allocation, uint64_t offset, void* target, uint64_t size_bytes);
qiao_status device_write(qiao_device* device, void* allocation, uint64_t offset, const void* source, uint64_t size_bytes);

}  // namespace qiao
