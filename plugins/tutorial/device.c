/* One device, always there. */
#include <stdlib.h>
#include <string.h>

#include "tutorial.h"

static qiao_status tutorial_device_count(void* plugin, uint32_t* out_count) {
    (void)plugin;
    *out_count = 1;
    return QIAO_OK;
}

static qiao_status tutorial_device_query(void* plugin, uint32_t index, qiao_plugin_device_info* out_info) {
    (void)plugin;
    (void)index;
    out_info->flags = QIAO_PLUGIN_DEVICE_SIMULATED;
    strcpy(out_info->name, "Tutorial device");
    strcpy(out_info->vendor, "Qiao");
    strcpy(out_info->driver, "tutorial " QIAO_PLUGIN_VERSION);
    strcpy(out_info->note, "host memory, kernels built in");
    out_info->memory_bytes = TUTORIAL_MEMORY_BYTES;
    out_info->max_allocation_bytes = TUTORIAL_MEMORY_BYTES;
    out_info->features = QIAO_FEATURE_INT64 | QIAO_FEATURE_ADDRESSES;
    out_info->memory_kinds = 1u << QIAO_MEMORY_KIND_DEVICE;
    out_info->compute_units = 1;
    out_info->max_group_size = 256;
    out_info->local_memory_bytes = TUTORIAL_LOCAL_BYTES;
    for (int axis = 0; axis < 3; ++axis) out_info->max_group[axis] = 256;
    for (int axis = 0; axis < 3; ++axis) out_info->max_group_count[axis] = UINT32_MAX;
    out_info->max_argument_bytes = QIAO_MAX_ARGUMENT_BYTES;
    out_info->address_bits = 64;
    out_info->formats = "tutorial-host";
    return QIAO_OK;
}

static qiao_status tutorial_device_open(void* plugin, uint32_t index, uint64_t device_token, void** out_device) {
    tutorial_device* device = calloc(1, sizeof(tutorial_device));
    (void)index;
    (void)device_token; /* for host->device_lost: this device never is */
    if (device == NULL) return QIAO_ERROR_OUT_OF_MEMORY;
    device->plugin = plugin;
    *out_device = device;
    return QIAO_OK;
}

static qiao_status tutorial_device_synchronize(void* device, uint64_t timeout_ns) {
    (void)device; /* a launch has ended when kernel_launch returns */
    (void)timeout_ns;
    return QIAO_OK;
}

const qiao_plugin_device_ops tutorial_device_ops = {
    .struct_size = sizeof(qiao_plugin_device_ops),
    .device_count = tutorial_device_count,
    .device_query = tutorial_device_query,
    .device_open = tutorial_device_open,
    .device_close = free,
    .device_synchronize = tutorial_device_synchronize,
};
