// What memory of a kind can do on a device (M0 to M4): what the plugin claims where it can be, else what follows from its addresses.
#pragma once

#include "object/device.h"
#include "qiao/device.h"

namespace qiao {

inline const char* memory_kind_name(qiao_memory_kind kind) {
    static constexpr const char* kNames[] = {"no", "device", "host", "shared"};
    return kNames[kind];
}

// Settles info.memory_levels once the device's addresses are known: a claim that contradicts them is said in the log, and void.
void settle_memory_levels(Device& device);

// Of a kind that the device allocates, or that the core makes for it.
qiao_memory_level memory_level(const Device& device, qiao_memory_kind kind);

// Whether an allocation that the plugin made is what its level promises of the host pointer; fails with words if not.
qiao_status check_memory_level(const Device& device, qiao_memory_kind kind, const qiao_plugin_allocation& allocation);

}  // namespace qiao
