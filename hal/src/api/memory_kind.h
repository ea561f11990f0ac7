// Which kinds of memory a device allocates; what an entry is asked for is checked here.
#pragma once

#include "api/entry.h"
#include "object/device.h"

namespace qiao {

// 0 becomes the default; refuses what is no kind, or none of the device's.
inline qiao_status check_memory_kind(const Device& device, qiao_memory_kind& kind) {
    static constexpr const char* kNames[] = {"none", "device", "host", "shared"};
    if (kind == 0) kind = QIAO_MEMORY_KIND_DEVICE;
    if (kind > QIAO_MEMORY_KIND_SHARED) return fail(QIAO_ERROR_INVALID_ARGUMENT, "memory kind %u is unknown", kind);
    if ((device.info.memory_kinds & (1u << kind)) != 0) return QIAO_OK;
    return fail(QIAO_ERROR_UNSUPPORTED, "%s does not allocate %s memory", device.id.c_str(), kNames[kind]);
}

}  // namespace qiao
