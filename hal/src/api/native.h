// What the entries for native handles share: the vendor's own objects, given out and taken in. The rules are in
// hal/docs/native.md.
#pragma once

#include "api/entry.h"
#include "dispatch/device.h"

namespace qiao {

// What to do about the failure that has just been worded.
inline qiao_status refuse_native(const Device& device) noexcept {
    set_remedy("'qiao info " + device.id + "' shows which native slots the device has");
    return QIAO_ERROR_UNSUPPORTED;
}

inline qiao_status fail_no_native(const Device& device, const char* noun) noexcept {
    fail(QIAO_ERROR_UNSUPPORTED, "plugin %s gives no native handle of a %s of %s", device.plugin_id.c_str(), noun, device.id.c_str());
    return refuse_native(device);
}

// What the slot answered, for the application; `losses` is from before the object was made.
inline qiao_status answer_native(qiao_device* device, uint64_t losses, qiao_status status, const char* slot, qiao_native* out_native) {
    if (status == QIAO_OK && out_native->type != 0) return QIAO_OK;
    *out_native = QIAO_NATIVE_INIT;
    if (status != QIAO_OK) return device_slot_failed(device, status, slot, losses);
    return fail(QIAO_ERROR_PLUGIN, "plugin %s gave a native handle without a type", device->body.plugin_id.c_str());
}

// Whether a handle that is to be wrapped can be given to the plugin; what it is good for the plugin knows.
inline qiao_status check_native(const Device& device, bool can_wrap, const qiao_native& native, const char* noun) noexcept {
    if (!can_wrap) {
        fail(QIAO_ERROR_UNSUPPORTED, "plugin %s wraps no native %s for %s", device.plugin_id.c_str(), noun, device.id.c_str());
        return refuse_native(device);
    }
    QIAO_RETURN_IF_ERROR(check_reserved(native.reserved0, "qiao_native"));
    if (native.type == 0 || native.handles[0] == 0) {
        return fail(QIAO_ERROR_INVALID_ARGUMENT, "qiao_native has type 0x%x and first handle 0x%" PRIx64 "; neither may be 0", native.type, native.handles[0]);
    }
    return QIAO_OK;
}

}  // namespace qiao
