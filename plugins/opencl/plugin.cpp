// The exported query function and the plugin's description; what its tables hold is the other files'.
#include <stdio.h>
#include <stdlib.h>

#include <memory>

#include "device.h"

namespace qiao::opencl {

const qiao_plugin_tables opencl_tables = {
    sizeof(qiao_plugin_tables), &opencl_device_ops, &opencl_memory_ops, &opencl_program_ops, &opencl_queue_ops, nullptr, nullptr,
};

const qiao_plugin_tables opencl_usm_tables = {
    sizeof(qiao_plugin_tables), &opencl_device_ops, &opencl_usm_memory_ops, &opencl_program_ops, &opencl_queue_ops, nullptr, nullptr,
};

const qiao_plugin_tables opencl_buffer_tables = {
    sizeof(qiao_plugin_tables), &opencl_device_ops,       &opencl_buffer_memory_ops,
    &opencl_buffer_program_ops, &opencl_buffer_queue_ops, nullptr, nullptr,
};

static void opencl_plugin_close(void* plugin) {
    delete static_cast<Plugin*>(plugin);
}

static qiao_status refuse(qiao_plugin_info* out_info, const char* library, const std::string& reason) {
    // Read by the host at once; the library is never unloaded (see CMakeLists.txt), so it outlives the answer.
    static thread_local char text[512];
    snprintf(text, sizeof text, "the OpenCL library %s cannot be used: %s", library, reason.c_str());
    out_info->refusal = text;
    out_info->remedy =
        "install the ICD loader (Debian: apt-get install ocl-icd-libopencl1) and a driver (the card's, or "
        "pocl-opencl-icd "
        "for the CPU); QIAO_OPENCL_LIBRARY, if set, must name an OpenCL library";
    return QIAO_ERROR_NOT_FOUND;
}

static bool read_mode(AddressMode* out_mode, qiao_plugin_info* out_info) {
    const char* value = secure_getenv("QIAO_OPENCL_ADDRESSES");
    const std::string mode = value != nullptr && value[0] != '\0' ? value : "auto";
    *out_mode = mode == "table" ? AddressMode::kTable : mode == "native" ? AddressMode::kNative : AddressMode::kAuto;
    if (mode == "auto" || *out_mode != AddressMode::kAuto) return true;
    static thread_local char text[256];
    snprintf(text, sizeof text, "QIAO_OPENCL_ADDRESSES is '%.100s'", mode.c_str());
    out_info->refusal = text;
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
    out_info->build = "compiler " __VERSION__ ", OpenCL headers 3.0";
    auto plugin = std::make_unique<Plugin>();
    plugin->host = host;
    if (!read_mode(&plugin->mode, out_info)) return QIAO_ERROR_INVALID_ARGUMENT;
    plugin->library = library_name();
    if (const std::string reason = load_symbols(plugin->library.c_str(), &plugin->cl); !reason.empty())
        return refuse(out_info, plugin->library.c_str(), reason);
    out_info->tables = &opencl_tables;
    out_info->plugin_close = opencl_plugin_close;
    out_info->plugin = plugin.release();
    return QIAO_OK;
}

} // namespace qiao::opencl

extern "C" QIAO_EXPORT qiao_status qiao_plugin_query(const qiao_host_api* host, qiao_plugin_info* out_info) {
    return qiao::opencl::guarded(host, [&] { return qiao::opencl::query(host, out_info); });
}
