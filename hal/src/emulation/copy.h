// Copies and fills made of the plugins' blocking memory_read and memory_write: what a plugin's queue cannot do itself,
// and every copy between two plugins.
#pragma once

#include "object/device.h"

namespace qiao {

// Whose memory it is, and the device's losses before that was made. A null device is the host.
struct Owner {
    qiao_device* device;
    uint64_t losses;
};

// Fails if the memory was lost.
qiao_status check_owner(const Owner& owner);

// Block until done. Queued work that the ranges depend on has ended.
qiao_status staged_copy(const Owner& source, const Owner& target, const qiao_plugin_copy& copy);
qiao_status staged_fill(const Owner& target, const qiao_plugin_fill& fill);

// The blocking slots, with the device's serialisation and wording of failures.
qiao_status device_read(const Owner& source, void* allocation, uint64_t offset, void* target, uint64_t size_bytes);
qiao_status device_write(const Owner& target, void* allocation, uint64_t offset, const void* source, uint64_t size_bytes);

}  // namespace qiao
