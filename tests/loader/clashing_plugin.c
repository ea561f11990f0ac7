/* Built twice with different NAMEs: both export a function and a variable of the same names and use them as a library does,
 * through the dynamic linker. Each must get its own. */
#include "loader/fixture.h"

QIAO_EXPORT const char* vendor_card_name(void);
QIAO_EXPORT extern int vendor_card_calls;

int vendor_card_calls = 0;

const char* vendor_card_name(void) {
    ++vendor_card_calls;
    return NAME;
}

static qiao_status clashing_device_count(void* plugin, uint32_t* out_count) {
    (void)plugin;
    *out_count = 1;
    return QIAO_OK;
}

static qiao_status clashing_device_query(void* plugin, uint32_t index, qiao_plugin_device_info* out_info) {
    (void)plugin, (void)index;
    strcpy(out_info->name, vendor_card_name());
    out_info->compute_units = (uint32_t)vendor_card_calls;
    return QIAO_OK;
}

static const qiao_plugin_device_ops device_ops = {
    .struct_size = sizeof(device_ops), .device_count = clashing_device_count, .device_query = clashing_device_query};
static const qiao_plugin_tables tables = {.struct_size = sizeof(tables), .device = &device_ops};

QIAO_EXPORT qiao_status qiao_plugin_query(const qiao_host_api* host, qiao_plugin_info* out_info) {
    static char id[64];
    fixture_id(host, id, sizeof(id), NAME);
    out_info->abi_major = QIAO_PLUGIN_ABI_MAJOR;
    out_info->roles = QIAO_PLUGIN_ROLE_DISCOVERY;
    out_info->id = id;
    out_info->version = "1.0";
    out_info->tables = &tables;
    return QIAO_OK;
}
