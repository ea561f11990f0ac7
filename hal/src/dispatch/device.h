// Opening a device at first use, declaring it lost, resetting and closing it.
#pragma once

#include "object/device.h"

namespace qiao {

// Opens the device if nobody has yet. Afterwards device.opened is the plugin's device.
qiao_status device_ensure_open(qiao_device* device);

// Who reports a loss without knowing what the device has been through meanwhile.
inline constexpr uint64_t kLossesUnknown = UINT64_MAX;

// Everything made on the device is lost from now on; all waits end. From any thread, also inside a slot. Nothing happens if
// the device was lost since `losses` had been read: then the report is of that loss, and a reset may be behind it.
void device_declare_lost(qiao_device* device, const char* reason, uint64_t losses = kLossesUnknown);

// Wording of a failing slot for the caller; a plugin that says "lost" makes the device lost, as above.
qiao_status device_slot_failed(qiao_device* device, qiao_status status, const char* slot, uint64_t losses);

// Whether the device was lost after `losses` had been read: what was made meanwhile is lost too.
inline bool device_was_lost_since(const qiao_device* device, uint64_t losses) {
    return device->body.losses.load() != losses || device->body.lost.load();
}

// One moment on the clocks of an open device that has one, and of the host.
qiao_status device_read_clock(qiao_device* device, uint64_t* out_device_ns, uint64_t* out_host_ns);

// Asks the plugin whether the device is well, and acts on the answer; not if another slot keeps it from being asked.
void device_refresh_state(qiao_device* device);

bool device_is_removed(qiao_device* device);

// The error of a call on a lost device.
qiao_status device_fail_lost(qiao_device* device);

// A slot succeeded without giving the plugin's object ("queue").
qiao_status device_fail_empty(qiao_device* device, const char* slot, const char* what);

qiao_status device_reset(qiao_device* device);

// Waits for all work and closes the device. Nothing of the application's is left on it. False if nothing has moved for
// `patience_ns`, or something could not be destroyed: then it stays open for good, and so must its plugin.
bool device_close(qiao_device* device, uint64_t patience_ns);

// For the waits' and copies' messages: "mock:0".
inline const char* device_name(const qiao_device* device) {
    return device->body.id.c_str();
}

}  // namespace qiao
