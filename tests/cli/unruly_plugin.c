/* A plugin that ends or stops its process, where the environment says: UNRULY=load, query, count, hang, exit or close. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "qiao/plugin.h"

static int is(const char* what) {
    const char* wanted = getenv("UNRULY");
    return wanted != NULL && strcmp(wanted, what) == 0;
}

__attribute__((constructor)) static void start(void) {
    if (is("load")) abort();
}

static qiao_status device_count(void* plugin, uint32_t* out_count) {
    (void)plugin;
    if (is("count")) raise(SIGSEGV);
    if (is("exit")) exit(0);
    while (is("hang")) {
    }
    *out_count = 1;
    return QIAO_OK;
}

static qiao_status device_query(void* plugin, uint32_t index, qiao_plugin_device_info* out_info) {
    (void)plugin;
    (void)index;
    strcpy(out_info->name, "unruly");
    return QIAO_OK;
}

static void plugin_close(void* plugin) {
    (void)plugin;
    if (is("close")) raise(SIGSEGV);
}

static const qiao_plugin_device_ops device_ops = {
    .struct_size = sizeof(qiao_plugin_device_ops), .device_count = device_count, .device_query = device_query};
static const qiao_plugin_tables tables = {.struct_size = sizeof(qiao_plugin_tables), .device = &device_ops};

QIAO_EXPORT qiao_status qiao_plugin_query(const qiao_host_api* host, qiao_plugin_info* out_info) {
    (void)host;
    if (is("query")) raise(SIGSEGV);
    out_info->abi_major = QIAO_PLUGIN_ABI_MAJOR;
    out_info->roles = QIAO_PLUGIN_ROLE_DISCOVERY;
    out_info->id = "unruly";
    out_info->version = "1";
    out_info->tables = &tables;
    out_info->plugin_close = plugin_close;
    return QIAO_OK;
}

/* A second export, which is one too many. */
QIAO_EXPORT int unruly_helper(void);
int unruly_helper(void) {
    return 0;
}
