/* The exported query function, and how failures are told. */
#include <stdlib.h>

#include "tutorial.h"

static const qiao_plugin_tables tables = {
    .struct_size = sizeof(qiao_plugin_tables),
    .device = &tutorial_device_ops,
    .memory = &tutorial_memory_ops,
    .program = &tutorial_program_ops,
};

qiao_status qiao_plugin_query(const qiao_host_api* host, qiao_plugin_info* out_info) {
    tutorial_plugin* plugin = calloc(1, sizeof(tutorial_plugin));
    out_info->abi_major = QIAO_PLUGIN_ABI_MAJOR;
    out_info->abi_minor = QIAO_PLUGIN_ABI_MINOR;
    out_info->roles = QIAO_PLUGIN_ROLE_DISCOVERY | QIAO_PLUGIN_ROLE_COMPUTE;
    out_info->id = QIAO_PLUGIN_ID;
    out_info->version = QIAO_PLUGIN_VERSION;
    if (plugin == NULL) return QIAO_ERROR_OUT_OF_MEMORY;
    plugin->host = host;
    out_info->plugin = plugin;
    out_info->tables = &tables;
    out_info->plugin_close = free;
    return QIAO_OK;
}

qiao_status tutorial_fail(const tutorial_plugin* plugin, qiao_status status, const char* message, const char* remedy) {
    qiao_plugin_error error = {0};
    error.struct_size = sizeof(error);
    error.status = status;
    error.message = message;
    error.remedy = remedy;
    plugin->host->error(plugin->host->host, &error);
    return status;
}
