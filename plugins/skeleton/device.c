/* Devices: which there are, what they can do, opening and closing. */
#include "skeleton.h"

static qiao_status skeleton_device_count(void* plugin, uint32_t* out_count) {
    *out_count = 0; /* a success; the words tell the user why, as `qiao doctor` shows */
    if (!skeleton_library_open((skeleton_plugin*)plugin)) return QIAO_OK;
    skeleton_fail((const skeleton_plugin*)plugin, QIAO_ERROR_NOT_FOUND, 0, NULL,
                  "plugin " QIAO_PLUGIN_ID " looks for no devices yet", "write device_count and device_query in device.c");
    return QIAO_OK;
}

static qiao_status skeleton_device_query(void* plugin, uint32_t index, qiao_plugin_device_info* out_info) {
    (void)index;
    (void)out_info;
    return skeleton_unsupported((const skeleton_plugin*)plugin, "device_query");
}

static qiao_status skeleton_device_open(void* plugin, uint32_t index, uint64_t device_token, void** out_device) {
    (void)index;
    (void)device_token;
    (void)out_device;
    return skeleton_unsupported((const skeleton_plugin*)plugin, "device_open");
}

static void skeleton_device_close(void* device) {
    (void)device;
}

static qiao_status skeleton_device_synchronize(void* device, uint64_t timeout_ns) {
    (void)timeout_ns;
    return skeleton_unsupported(((skeleton_device*)device)->plugin, "device_synchronize");
}

/* Further slots, all optional: device_state, device_reset, device_memory_free, device_clock, device_native. */
const qiao_plugin_device_ops skeleton_device_ops = {
    .struct_size = sizeof(qiao_plugin_device_ops),
    .device_count = skeleton_device_count,
    .device_query = skeleton_device_query,
    .device_open = skeleton_device_open,
    .device_close = skeleton_device_close,
    .device_synchronize = skeleton_device_synchronize,
};
