// A plugin in C++ that lets exceptions out: THROW_FROM_QUERY from the handshake, else from device_count.
#include <new>
#include <stdexcept>

#include "qiao/plugin.h"

namespace {

qiao_status count_devices(void*, uint32_t*) {
    throw std::runtime_error("the card's name is longer than I thought");
}
qiao_status query_device(void*, uint32_t, qiao_plugin_device_info*) {
    throw 42;
}

const qiao_plugin_device_ops kDevice = {sizeof(kDevice), count_devices, query_device, nullptr, nullptr,
                                        nullptr,         nullptr,       nullptr,      nullptr, nullptr, nullptr};
const qiao_plugin_tables kTables = {sizeof(kTables), &kDevice, nullptr, nullptr, nullptr, nullptr, nullptr};

} // namespace

qiao_status qiao_plugin_query(const qiao_host_api*, qiao_plugin_info* out_info) {
#ifdef THROW_FROM_QUERY
    throw 42;
#endif
    out_info->abi_major = QIAO_PLUGIN_ABI_MAJOR;
    out_info->roles = QIAO_PLUGIN_ROLE_DISCOVERY;
    out_info->id = "bad";
    out_info->tables = &kTables;
    return QIAO_OK;
}
