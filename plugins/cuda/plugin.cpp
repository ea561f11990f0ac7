// The exported query function. One library serves every family: the manifest that named it says, by its id, which one.
#include <nlohmann/json.hpp>

#include "device.h"
#include "family_reader.h"

namespace qiao::cuda {
namespace {

// The manifest's id; without a manifest the family that most cards have.
std::string family_id(const qiao_host_api* host) {
    const auto manifest = nlohmann::json::parse(host->manifest_json != nullptr ? host->manifest_json : "{}", nullptr, false);
    if (!manifest.is_object()) return "cu";
    const auto id = manifest.find("id");
    const auto* name = id == manifest.end() ? nullptr : id->get_ptr<const std::string*>();
    return name != nullptr ? *name : "cu";
}

void cuda_plugin_close(void* plugin) {
    delete static_cast<Plugin*>(plugin);
}

qiao_status refuse(qiao_plugin_info* out_info, const std::string& reason) {
    static thread_local std::string kept; // read by the host at once
    kept = reason;
    out_info->refusal = kept.c_str();
    out_info->remedy = "correct the family's data file (its keys are described in plugins/cuda/README.md), or remove its manifest";
    return QIAO_ERROR_INVALID_ARGUMENT;
}

qiao_status query(const qiao_host_api* host, qiao_plugin_info* out_info) {
    out_info->abi_major = QIAO_PLUGIN_ABI_MAJOR;
    out_info->abi_minor = QIAO_PLUGIN_ABI_MINOR;
    out_info->abi_minor_least = 0;
    out_info->roles = QIAO_PLUGIN_ROLE_DISCOVERY | QIAO_PLUGIN_ROLE_COMPUTE;
    out_info->version = QIAO_PLUGIN_VERSION;
    out_info->build = "compiler " __VERSION__;
    auto plugin = std::make_unique<Plugin>();
    plugin->host = Host(host);
    plugin->api = host;
    const std::string id = family_id(host);
    // A refused plugin has an id too, and it is the manifest's.
    static thread_local std::string kept_id;
    kept_id = id;
    out_info->id = kept_id.c_str();
    if (const std::string problem = read_family(family_folders(host->plugin_directory), id, &plugin->family); !problem.empty()) return refuse(out_info, problem);
    static const qiao_plugin_tables tables = {sizeof(qiao_plugin_tables), &cuda_device_ops, &cuda_memory_ops, &cuda_program_ops, &cuda_queue_ops, nullptr, nullptr};
    out_info->id = plugin->family.id.c_str();
    out_info->tables = &tables;
    out_info->plugin_close = cuda_plugin_close;
    out_info->plugin = plugin.release();
    return QIAO_OK;
}

} // namespace
} // namespace qiao::cuda

extern "C" QIAO_EXPORT qiao_status qiao_plugin_query(const qiao_host_api* host, qiao_plugin_info* out_info) {
    return qiao::plugin::guarded(qiao::plugin::Host(host), "qiao_plugin_query", [&] { return qiao::cuda::query(host, out_info); });
}
