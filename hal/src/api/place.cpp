#include "api/place.h"

#include "api/entry.h"
#include "dispatch/device.h"

namespace qiao {

static qiao_status fail_old_memory(const qiao_place& place, const char* name) {
    fail(QIAO_ERROR_DEVICE_LOST, "%s 0x%" PRIx64 " is in memory from before %s was lost or reset", name, place.address, device_name(place.device));
    set_remedy("release that memory and allocate it anew; nothing was submitted");
    return QIAO_ERROR_DEVICE_LOST;
}

qiao_status resolve(const qiao_place& place, uint64_t span_bytes, const Queue& queue, const char* name, Resolved& out) {
    if (place.device == nullptr) {
        if (place.address == 0) return fail(QIAO_ERROR_INVALID_ARGUMENT, "%s is a null host pointer", name);
        if (place.address > UINT64_MAX - span_bytes) return fail(QIAO_ERROR_OUT_OF_RANGE, "%s 0x%" PRIx64 " + %" PRIu64 " bytes overflows", name, place.address, span_bytes);
        out = {nullptr, 0, {nullptr, 0, place.address}};
        return QIAO_OK;
    }
    qiao_device* device = place.device;
    QIAO_CHECK_HANDLE(device);
    if (device->body.instance != queue.device->body.instance) {
        return fail(QIAO_ERROR_INVALID_HANDLE, "%s is on a device of another instance", name);
    }
    const FoundMemory found = find_memory(device->body, place.address);
    if (found.memory == nullptr) {
        return fail(QIAO_ERROR_OUT_OF_RANGE, "%s 0x%" PRIx64 " is in no allocation of %s", name, place.address, device_name(device));
    }
    if (span_bytes > found.size_bytes - found.offset) {
        return fail(QIAO_ERROR_OUT_OF_RANGE, "%s: %" PRIu64 " bytes at offset %" PRIu64 " leave the allocation of %" PRIu64 " bytes", name, span_bytes,
                    found.offset, found.size_bytes);
    }
    if (device->body.lost.load()) return device_fail_lost(device);
    const Memory& memory = found.memory->body;
    if (device_was_lost_since(device, memory.losses)) return fail_old_memory(place, name);
    out = {device, memory.losses, {memory.allocation, found.offset, place.address}, &memory};
    return QIAO_OK;
}

}  // namespace qiao
