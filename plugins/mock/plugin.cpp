// The exported query function. Which machine is mocked, and what goes wrong with it, is the user's choice: the environment
// variables QIAO_MOCK_PROFILE, QIAO_MOCK_STRICT, QIAO_MOCK_CLOCK, QIAO_MOCK_FAULTS and QIAO_MOCK_TIER.
#include <stdlib.h>

#include <memory>

#include "device.h"

namespace qiao::mock_plugin {
namespace {

constexpr const char* kArmed = "armed"; // tables with faults, no rules yet

void mock_plugin_close(void* plugin) {
    delete static_cast<Plugin*>(plugin);
}

std::string setting(const char* name, const char* otherwise) {
    const char* value = secure_getenv(name);
    return value != nullptr && value[0] != '\0' ? value : otherwise;
}

qiao_status refuse(qiao_plugin_info* out_info, std::string refusal, std::string remedy) {
    static thread_local std::string kept_refusal, kept_remedy; // the host copies them when this slot has returned
    kept_refusal = std::move(refusal);
    kept_remedy = std::move(remedy);
    out_info->refusal = kept_refusal.c_str();
    out_info->remedy = kept_remedy.c_str();
    return QIAO_ERROR_INVALID_ARGUMENT;
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
        return refuse(out_info, "QIAO_MOCK_STRICT is '" + strict + "'; it must be 0 or 1",
                      "set QIAO_MOCK_STRICT to 1 for strict cards, to 0 or not at all for others");
    }
    const std::string clock = setting("QIAO_MOCK_CLOCK", "host");
    if (clock != "host" && clock != "virtual") {
        return refuse(out_info, "QIAO_MOCK_CLOCK is '" + clock + "'; it must be host or virtual",
                      "set QIAO_MOCK_CLOCK to virtual for times from the timing model, to host or not at all for others");
    }
    const std::string faults = setting("QIAO_MOCK_FAULTS", "");
    mock::Result<std::vector<mock::FaultRule>> rules = mock::parse_faults(faults == kArmed ? "" : faults);
    if (!rules.ok()) return refuse(out_info, "QIAO_MOCK_FAULTS: " + rules.status().message(), rules.status().remedy());
    const std::string tier = setting("QIAO_MOCK_TIER", "all");
    if (tier != "all" && tier != "t0") {
        return refuse(out_info, "QIAO_MOCK_TIER is '" + tier + "'; it must be t0 or all",
                      "set QIAO_MOCK_TIER to t0 for cards with the required functions only, to all or not at all for others");
    }
    auto plugin = std::make_unique<Plugin>();
    plugin->host = plugin::Host(host);
    plugin->profile = setting("QIAO_MOCK_PROFILE", "default");
    plugin->options.strict = strict == "1";
    plugin->options.clock = clock == "virtual" ? mock::ClockKind::kVirtual : mock::ClockKind::kHost;
    plugin->options.report = [host = plugin->host](const std::string& text) { host.log(QIAO_LOG_LEVEL_WARNING, text); };
    plugin->all_faulty = !faults.empty();
    plugin->least = tier == "t0";
    for (mock::FaultRule& rule : rules.value())
        plugin->faults.add(std::move(rule));
    out_info->tables = plugin->least ? &mock_t0_tables : &mock_tables;
    out_info->plugin_close = mock_plugin_close;
    out_info->plugin = plugin.release();
    return QIAO_OK;
}

} // namespace

const qiao_plugin_tables mock_tables = {
    sizeof(qiao_plugin_tables), &mock_device_ops, &mock_memory_ops, &mock_program_ops, &mock_queue_ops, nullptr, &mock_link_ops,
};

namespace {

const qiao_plugin_device_ops t0_device_ops = required_of(mock_device_ops);
const qiao_plugin_memory_ops t0_memory_ops = required_of(mock_memory_ops);

} // namespace

const qiao_plugin_tables mock_t0_tables = {
    sizeof(qiao_plugin_tables), &t0_device_ops, &t0_memory_ops, &mock_program_ops, nullptr, nullptr, nullptr,
};

} // namespace qiao::mock_plugin

extern "C" QIAO_EXPORT qiao_status qiao_plugin_query(const qiao_host_api* host, qiao_plugin_info* out_info) {
    return qiao::plugin::guarded(qiao::plugin::Host(host), "qiao_plugin_query",
                                 [&] { return qiao::mock_plugin::query(host, out_info); });
}
