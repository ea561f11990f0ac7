// Which kinds of memory a device allocates; what an entry is asked for is checked here.
#pragma once

#include "api/entry.h"
#include "dispatch/memory_level.h"
#include "emulation/shared.h"
#include "object/device.h"

namespace qiao {

// 0 becomes the default; refuses what is no kind, or none of `kinds`: those that the entry can make, a bit for each.
inline qiao_status check_memory_kind(const Device& device, uint32_t kinds, qiao_memory_kind& kind) {
    if (kind == 0) kind = QIAO_MEMORY_KIND_DEVICE;
    if (kind > QIAO_MEMORY_KIND_SHARED) return fail(QIAO_ERROR_INVALID_ARGUMENT, "memory kind %u is unknown", kind);
    if ((kinds & (1u << kind)) != 0) return QIAO_OK;
    fail(QIAO_ERROR_UNSUPPORTED, "%s does not allocate %s memory", device.id.c_str(), memory_kind_name(kind));
    if ((memory_kinds(device) & (1u << kind)) != 0) set_remedy("the library makes it for this device: qiao_memory_allocate gives it, pools and native handles do not");
    return QIAO_ERROR_UNSUPPORTED;
}

}  // namespace qiao
