// The exported query function. Which machine is mocked is the user's choice: QIAO_MOCK_PROFILE and QIAO_MOCK_STRICT.
#include <stdlib.h>

#include <memory>

#include "device.h"

namespace qiao::mock_plugin {
namespace {

const qiao_plugin_tables mock_tables = {
    sizeof(qiao_plugin_tables), &mock_device_ops, &mock_memory_ops, &mock_program_ops, &mock_queue_ops, nullptr,
};

void mock_plugin_close(void* plugin) {
    delete static_cast<Plugin*>(plugin);
}

std::string setting(const char* name, const char* otherwise) {
    const char* value = secure_getenv(name);
    return value != nullptr && value[0] != '\0' ? value : otherwise;
}

qiao_status query(const qiao_host_api* host, qiao_plugin_info* out_info) {
    out_info->abi_major = QIAO_PLUGIN_ABI_MAJOR;
    out_info->abi_minor = QIAO_PLUGIN_ABI_MINOR;
    out_info->abi_minor_least = 0;
    out_info->roles = QIAO_PLUGIN_ROLE_DISCOVERY | QIAO_PLUGIN_ROLE_COMPUTE;
    out_info->id = QIAO_PLUGIN_ID;
    out_info->version = QIAO_PLUGIN_VERSION;
    out_info->build = "compiler " __VERSION__;
    const std::string strict = setting("QIAO_MOCK_STRICT", "0");
    if (strict != "0" && strict != "1") {
        out_info->refusal = "QIAO_MOCK_STRICT must be 0 or 1";
        out_info->remedy = "set QIAO_MOCK_STRICT to 1 for strict cards, to 0 or not at all for others";
        return QIAO_ERROR_INVALID_ARGUMENT;
    }
    auto plugin = std::make_unique<Plugin>();
    plugin->host = plugin::Host(host);
    plugin->profile = setting("QIAO_MOCK_PROFILE", "default");
    plugin->strict = strict == "1";
    out_info->tables = &mock_tables;
    out_info->plugin_close = mock_plugin_close;
    out_info->plugin = plugin.release();
    return QIAO_OK;
}

} // namespace
} // namespace qiao::mock_plugin

extern "C" QIAO_EXPORT qiao_status qiao_plugin_query(const qiao_host_api* host, qiao_plugin_info* out_info) {
    return qiao::plugin::guarded(qiao::plugin::Host(host), "qiao_plugin_query",
                                 [&] { return qiao::mock_plugin::query(host, out_info); });
}
