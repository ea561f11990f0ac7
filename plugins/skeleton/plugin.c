/* The exported query function: what the plugin says of itself. Touches no hardware. */
#include <stdlib.h>

#include "skeleton.h"

/* A null table means that the core makes do without. Put &skeleton_queue_ops there when its first six functions work. */
static const qiao_plugin_tables tables = {
    .struct_size = sizeof(qiao_plugin_tables),
    .device = &skeleton_device_ops,
    .memory = &skeleton_memory_ops,
    .program = &skeleton_program_ops,
    .queue = NULL,
};

/* All devices are closed; the host table is valid until this returns. */
static void skeleton_plugin_close(void* plugin) {
    skeleton_library_close(&((skeleton_plugin*)plugin)->library);
    free(plugin);
}

qiao_status qiao_plugin_query(const qiao_host_api* host, qiao_plugin_info* out_info) {
    skeleton_plugin* plugin = NULL;
    out_info->abi_major = QIAO_PLUGIN_ABI_MAJOR;
    out_info->abi_minor = QIAO_PLUGIN_ABI_MINOR;
    out_info->abi_minor_least = 0;
    out_info->roles = QIAO_PLUGIN_ROLE_DISCOVERY | QIAO_PLUGIN_ROLE_COMPUTE;
    out_info->id = QIAO_PLUGIN_ID;
    out_info->version = QIAO_PLUGIN_VERSION;
    out_info->build = "compiler " __VERSION__;
    plugin = (skeleton_plugin*)calloc(1, sizeof(skeleton_plugin));
    if (plugin == NULL) {
        out_info->refusal = "no host memory left";
        out_info->remedy = "close other programs";
        return QIAO_ERROR_OUT_OF_MEMORY;
    }
    plugin->host = host;
    out_info->plugin = plugin;
    out_info->tables = &tables;
    out_info->plugin_close = skeleton_plugin_close;
    return QIAO_OK;
}
