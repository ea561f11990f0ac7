// Copies and fills made of the plugins' blocking memory_read and memory_write: what a plugin's queue cannot do itself,
// and every copy between two plugins.
#pragma once

#include "object/device.h"

namespace qiao {

// A device, and the count of losses under which its memory was made. A null device is host memory.
struct Holder {
    qiao_device* device;
    uint64_t born;
};

// Block until done. Queued work that the ranges depend on has ended.
qiao_status staged_copy(const Holder& source, const Holder& target, const qiao_plugin_copy& copy);
qiao_status staged_fill(const Holder& target, const qiao_plugin_fill& fill);

// The blocking slots, with the device's serialisation and wording of failures.
qiao_status device_read(const Holder& source, void* allocation, uint64_t offset, void* target, uint64_t size_bytes);
qiao_status device_write(const Holder& target, void* allocation, uint64_t offset, const void* source, uint64_t size_bytes);

}  // namespace qiao
