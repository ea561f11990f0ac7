// The exported query function and the plugin's description; what its tables hold is the other files'.
#include <stdlib.h>

#include "device.h"

namespace qiao::vulkan {

const qiao_plugin_tables vulkan_tables = {
    sizeof(qiao_plugin_tables), &vulkan_device_ops, &vulkan_memory_ops, &vulkan_program_ops, &vulkan_queue_ops, nullptr, nullptr,
};

const qiao_plugin_tables vulkan_mapped_tables = {
    sizeof(qiao_plugin_tables), &vulkan_device_ops, &vulkan_mapped_memory_ops, &vulkan_program_ops, &vulkan_queue_ops, nullptr, nullptr,
};

static void vulkan_plugin_close(void* pointer) {
    auto* plugin = static_cast<Plugin*>(pointer);
    destroy_instance(*plugin);
    delete plugin;
}

static qiao_status refuse(qiao_plugin_info* out_info, const std::string& library, const std::string& reason) {
    // Read by the host at once; the library is never unloaded (see CMakeLists.txt), so it outlives the answer.
    static thread_local char message[512];
    plugin::copy_text(message, text("the Vulkan library ", library, " cannot be used: ", reason));
    out_info->refusal = message;
    out_info->remedy =
        "install the Vulkan loader (Debian: apt-get install libvulkan1) and a driver (the card's, or mesa-vulkan-drivers); "
        "QIAO_VULKAN_LIBRARY, if set, must name a Vulkan loader";
    return QIAO_ERROR_NOT_FOUND;
}

static bool read_mode(AddressMode* out_mode, qiao_plugin_info* out_info) {
    const char* value = secure_getenv("QIAO_VULKAN_ADDRESSES");
    const std::string mode = value != nullptr && value[0] != '\0' ? value : "auto";
    *out_mode = mode == "table" ? AddressMode::kTable : mode == "native" ? AddressMode::kNative : AddressMode::kAuto;
    if (mode == "auto" || *out_mode != AddressMode::kAuto) return true;
    static thread_local char message[256];
    plugin::copy_text(message, text("QIAO_VULKAN_ADDRESSES is '", mode, "'"));
    out_info->refusal = message;
    out_info->remedy = "give auto, native or table, or unset it";
    return false;
}

static qiao_status query(const qiao_host_api* host, qiao_plugin_info* out_info) {
    out_info->abi_major = QIAO_PLUGIN_ABI_MAJOR;
    out_info->abi_minor = QIAO_PLUGIN_ABI_MINOR;
    out_info->abi_minor_least = 0;
    out_info->roles = QIAO_PLUGIN_ROLE_DISCOVERY | QIAO_PLUGIN_ROLE_COMPUTE;
    out_info->id = QIAO_PLUGIN_ID;
    out_info->version = QIAO_PLUGIN_VERSION;
    out_info->build = "compiler " __VERSION__ ", Vulkan headers 1.3";
    auto plugin = std::make_unique<Plugin>();
    plugin->host = Host(host);
    if (!read_mode(&plugin->mode, out_info)) return QIAO_ERROR_INVALID_ARGUMENT;
    plugin->library = library_name();
    if (const std::string reason = open_library(plugin->library.c_str(), &plugin->loader); !reason.empty())
        return refuse(out_info, plugin->library, reason);
    out_info->tables = &vulkan_tables;
    out_info->plugin_close = vulkan_plugin_close;
    out_info->plugin = plugin.release();
    return QIAO_OK;
}

} // namespace qiao::vulkan

extern "C" QIAO_EXPORT qiao_status qiao_plugin_query(const qiao_host_api* host, qiao_plugin_info* out_info) {
    return qiao::vulkan::guarded(qiao::vulkan::Host(host), "qiao_plugin_query",
                                 [&] { return qiao::vulkan::query(host, out_info); });
}
