// Out-structs have slack behind them with a known pattern: a plugin that writes beyond struct_size is found out.
#include "loader/handshake.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>

#include "loader/host_services.h"
#include "object/error.h"

namespace qiao::loader {
namespace {

constexpr uint32_t kMaxDevices = 1024;

template <class Struct>
struct Guarded {
    Struct value{};
    std::array<unsigned char, 256> slack;

    Guarded() { slack.fill(0xa5); }
    bool overrun() const {
        return std::any_of(slack.begin(), slack.end(), [](unsigned char byte) { return byte != 0xa5; });
    }
};

class Plugin final : public LoadedPlugin {
public:
    Plugin(Library library, std::unique_ptr<HostContext> context) : library_(std::move(library)), context_(std::move(context)) {}
    ~Plugin() override {
        if (info.plugin_close != nullptr) info.plugin_close(info.plugin);
    }
    void* plugin() const override { return info.plugin; }
    const qiao_plugin_tables& tables() const override { return *info.tables; }
    const qiao_host_api& host() const { return context_->api; }

    qiao_plugin_info info{};

private:
    Library library_;
    std::unique_ptr<HostContext> context_;
};

void refuse(Candidate& candidate, qiao_candidate_state state, std::string reason, std::string remedy) {
    candidate.state = state;
    candidate.reason = std::move(reason);
    candidate.remedy = std::move(remedy);
}

std::string text_or(const char* text, const char* otherwise) {
    return text == nullptr || *text == '\0' ? otherwise : text;
}

std::string abi_text(uint32_t major, uint32_t minor) {
    return std::to_string(major) + "." + std::to_string(minor);
}

#define REQUIRED(table, type, member) \
    if (!QIAO_PLUGIN_HAS(type, table, member)) return #member

// The first required slot that is missing, or null.
const char* missing_slot(const qiao_plugin_tables& tables) {
    if (!QIAO_PLUGIN_HAS(qiao_plugin_tables, &tables, device)) return "the device table";
    REQUIRED(tables.device, qiao_plugin_device_ops, device_count);
    REQUIRED(tables.device, qiao_plugin_device_ops, device_query);
    REQUIRED(tables.device, qiao_plugin_device_ops, device_open);
    REQUIRED(tables.device, qiao_plugin_device_ops, device_close);
    REQUIRED(tables.device, qiao_plugin_device_ops, device_synchronize);
    if (!QIAO_PLUGIN_HAS(qiao_plugin_tables, &tables, memory)) return "the memory table";
    REQUIRED(tables.memory, qiao_plugin_memory_ops, memory_allocate);
    REQUIRED(tables.memory, qiao_plugin_memory_ops, memory_free);
    REQUIRED(tables.memory, qiao_plugin_memory_ops, memory_write);
    REQUIRED(tables.memory, qiao_plugin_memory_ops, memory_read);
    if (QIAO_PLUGIN_HAS(qiao_plugin_memory_ops, tables.memory, memory_map)) REQUIRED(tables.memory, qiao_plugin_memory_ops, memory_unmap);
    if (!QIAO_PLUGIN_HAS(qiao_plugin_tables, &tables, program)) return "the program table";
    REQUIRED(tables.program, qiao_plugin_program_ops, program_load);
    REQUIRED(tables.program, qiao_plugin_program_ops, program_unload);
    REQUIRED(tables.program, qiao_plugin_program_ops, kernel_find);
    REQUIRED(tables.program, qiao_plugin_program_ops, kernel_launch);
    if (!QIAO_PLUGIN_HAS(qiao_plugin_tables, &tables, queue)) return nullptr;
    REQUIRED(tables.queue, qiao_plugin_queue_ops, queue_create);
    REQUIRED(tables.queue, qiao_plugin_queue_ops, queue_destroy);
    REQUIRED(tables.queue, qiao_plugin_queue_ops, queue_launch);
    REQUIRED(tables.queue, qiao_plugin_queue_ops, queue_copy);
    REQUIRED(tables.queue, qiao_plugin_queue_ops, queue_mark);
    REQUIRED(tables.queue, qiao_plugin_queue_ops, queue_poll);
    return nullptr;
}
#undef REQUIRED

bool check_info(const Manifest& manifest, const qiao_plugin_info& info, Candidate& candidate) {
    const std::string spoken = abi_text(QIAO_PLUGIN_ABI_MAJOR, QIAO_PLUGIN_ABI_MINOR);
    if (info.abi_major != QIAO_PLUGIN_ABI_MAJOR) {
        refuse(candidate, QIAO_CANDIDATE_STATE_INCOMPATIBLE,
               "it was built for plugin ABI " + abi_text(info.abi_major, info.abi_minor) + "; this Qiao speaks " + spoken,
               "get a build of the plugin for ABI " + std::to_string(QIAO_PLUGIN_ABI_MAJOR));
        return false;
    }
    if (info.abi_minor_least > QIAO_PLUGIN_ABI_MINOR) {
        refuse(candidate, QIAO_CANDIDATE_STATE_INCOMPATIBLE,
               "it needs plugin ABI " + abi_text(info.abi_major, info.abi_minor_least) + " at least; this Qiao speaks " + spoken, "update Qiao");
        return false;
    }
    if (text_or(info.id, "") != manifest.id) {
        refuse(candidate, QIAO_CANDIDATE_STATE_FAILED, "its manifest calls it \"" + manifest.id + "\", the library calls itself \"" + text_or(info.id, "") + "\"",
               "correct the manifest's \"id\"");
        return false;
    }
    if ((info.roles & QIAO_PLUGIN_ROLE_COMPUTE) == 0) {
        refuse(candidate, QIAO_CANDIDATE_STATE_INCOMPATIBLE, "it does not offer the compute role", "");
        return false;
    }
    if (info.tables == nullptr) {
        refuse(candidate, QIAO_CANDIDATE_STATE_FAILED, "it gave no tables", "report this to the plugin's maker");
        return false;
    }
    if (const char* missing = missing_slot(*info.tables)) {
        refuse(candidate, QIAO_CANDIDATE_STATE_FAILED, std::string("it lacks ") + missing + ", which is required", "report this to the plugin's maker");
        return false;
    }
    return true;
}

// What host->error said, as reason and remedy of the ledger.
void explain(qiao_status status, const std::string& what, Candidate& candidate) {
    const ErrorRecord record = take_plugin_error(status, candidate.plugin, what);
    candidate.reason = record.message + (record.vendor_text.empty() ? "" : " (" + record.vendor_text + ")");
    candidate.remedy = record.remedy;
}

void terminate_strings(qiao_plugin_device_info& info) {
    info.name[sizeof info.name - 1] = '\0';
    info.vendor[sizeof info.vendor - 1] = '\0';
    info.driver[sizeof info.driver - 1] = '\0';
    info.target[sizeof info.target - 1] = '\0';
    info.note[sizeof info.note - 1] = '\0';
}

bool query_device(const Plugin& plugin, uint32_t index, Candidate& candidate) {
    Guarded<qiao_plugin_device_info> info;
    info.value.struct_size = sizeof info.value;
    clear_plugin_error();
    const qiao_status status = plugin.tables().device->device_query(plugin.info.plugin, index, &info.value);
    const std::string what = "device_query of device " + std::to_string(index);
    if (status != QIAO_OK) {
        explain(status, what, candidate);
        return false;
    }
    if (info.overrun()) {
        candidate.reason = what + " wrote beyond struct_size " + std::to_string(sizeof info.value);
        candidate.remedy = "report this to the plugin's maker";
        return false;
    }
    if (info.value.tables != nullptr) {
        if (const char* missing = missing_slot(*info.value.tables)) {
            candidate.reason = what + " gave tables without " + missing;
            candidate.remedy = "report this to the plugin's maker";
            return false;
        }
    }
    terminate_strings(info.value);
    candidate.devices.push_back({index, info.value});
    return true;
}

void query_devices(const Plugin& plugin, Candidate& candidate) {
    uint32_t count = 0;
    clear_plugin_error();
    const qiao_status status = plugin.tables().device->device_count(plugin.info.plugin, &count);
    if (status != QIAO_OK) {
        candidate.state = QIAO_CANDIDATE_STATE_FAILED;
        explain(status, "device_count", candidate);
        return;
    }
    if (count > kMaxDevices) {
        refuse(candidate, QIAO_CANDIDATE_STATE_FAILED, "it reports " + std::to_string(count) + " devices; at most " + std::to_string(kMaxDevices) + " are believed",
               "report this to the plugin's maker");
        return;
    }
    if (count == 0) {
        candidate.state = QIAO_CANDIDATE_STATE_NO_DEVICES;
        explain(QIAO_OK, "device_count", candidate);
        if (candidate.remedy.empty() && candidate.reason.find("gave no reason") != std::string::npos) candidate.reason = "it found no device";
        return;
    }
    for (uint32_t index = 0; index < count; ++index) query_device(plugin, index, candidate);
    candidate.state = candidate.devices.empty() ? QIAO_CANDIDATE_STATE_FAILED : QIAO_CANDIDATE_STATE_USABLE;
}

}  // namespace

void load_plugin(const Manifest& manifest, const Sinks& sinks, Candidate& candidate) {
    std::string error;
    Library library = Library::open(candidate.library, error);
    if (!library) {
        return refuse(candidate, QIAO_CANDIDATE_STATE_NOT_LOADABLE, "its library cannot be loaded: " + error,
                      "install what is missing, or correct \"library\" in the manifest");
    }
    const auto query = reinterpret_cast<qiao_plugin_query_function>(library.symbol("qiao_plugin_query"));
    if (query == nullptr) {
        return refuse(candidate, QIAO_CANDIDATE_STATE_NOT_LOADABLE, "its library does not export qiao_plugin_query", "correct \"library\" in the manifest");
    }
    auto context = std::make_unique<HostContext>();
    context->sinks = sinks;
    context->plugin_id = manifest.id;
    context->plugin_directory = std::filesystem::path(candidate.library).parent_path().string();
    context->manifest_text = manifest.text;
    fill_host_api(*context);
    auto plugin = std::make_unique<Plugin>(std::move(library), std::move(context));

    Guarded<qiao_plugin_info> info;
    info.value.struct_size = sizeof info.value;
    clear_plugin_error();
    const qiao_status status = query(&plugin->host(), &info.value);
    if (info.overrun()) {
        return refuse(candidate, QIAO_CANDIDATE_STATE_FAILED, "qiao_plugin_query wrote beyond struct_size " + std::to_string(sizeof info.value),
                      "report this to the plugin's maker");
    }
    if (status != QIAO_OK) {
        candidate.state = QIAO_CANDIDATE_STATE_REFUSED;
        explain(status, "qiao_plugin_query", candidate);
        if (info.value.refusal != nullptr) candidate.reason = info.value.refusal;
        if (info.value.remedy != nullptr) candidate.remedy = info.value.remedy;
        return;
    }
    if (!check_info(manifest, info.value, candidate)) return;
    plugin->info = info.value;
    candidate.version = text_or(info.value.version, candidate.version.c_str());
    query_devices(*plugin, candidate);
    if (candidate.state != QIAO_CANDIDATE_STATE_FAILED) candidate.loaded = std::move(plugin);
}

}  // namespace qiao::loader
