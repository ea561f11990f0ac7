// What devices a plugin has. One that cannot be queried does not hide the others.
#include <iterator>

#include "loader/ask.h"
#include "loader/handshake.h"
#include "loader/slots.h"

namespace qiao::loader {
namespace {

constexpr uint32_t kMaxDevices = 16384;

template <size_t size>
void terminate(char (&text)[size]) {
    text[size - 1] = '\0';
}

void normalise(Plugin& plugin, qiao_plugin_device_info& info) {
    info.struct_size = sizeof info;
    info.next = nullptr;
    terminate(info.name);
    terminate(info.vendor);
    terminate(info.driver);
    terminate(info.target);
    terminate(info.note);
    if (info.roles == 0) info.roles = plugin.roles();
    if (info.tables == nullptr) info.tables = &plugin.tables();
    info.formats = plugin.keep(info.formats == nullptr ? "" : info.formats);
}

Verdict query_device(Plugin& plugin, uint32_t index, Candidate& candidate) {
    const std::string whom = "device " + std::to_string(index), what = "device_query of " + whom;
    Guarded<qiao_plugin_device_info> guarded;
    qiao_plugin_device_info& info = guarded.value;
    const Answer answer = ask([&] { return plugin.tables().device->device_query(plugin.plugin(), index, &info); });
    if (guarded.overrun()) return overrun(what, "qiao_plugin_device_info", sizeof info);
    if (answer.status != QIAO_OK) return explain(answer, plugin.id(), what);
    normalise(plugin, info);
    if (Verdict problem = check_tables(info.tables, info.roles, whom)) return problem;
    candidate.devices.push_back({index, info});
    return std::nullopt;
}

Problem no_devices(const std::string& plugin) {
    const ErrorRecord words = take_words(plugin);
    if (words.message.empty()) {
        return {QIAO_CANDIDATE_STATE_NO_DEVICES, "it found no device, and gave no reason",
                "see the plugin's documentation for what its devices need (driver, permissions, power)"};
    }
    return {QIAO_CANDIDATE_STATE_NO_DEVICES, words.message, words.remedy};
}

} // namespace

void query_devices(Plugin& plugin, Candidate& candidate) {
    uint32_t count = 0;
    const Answer answer = ask([&] { return plugin.tables().device->device_count(plugin.plugin(), &count); });
    if (answer.status != QIAO_OK) return settle(candidate, explain(answer, plugin.id(), "device_count"));
    if (count > kMaxDevices) {
        return settle(candidate, {QIAO_CANDIDATE_STATE_FAILED,
                                  "it reports " + std::to_string(count) + " devices; more than " +
                                      std::to_string(kMaxDevices) + " are not believed",
                                  "report this to the plugin's maker"});
    }
    if (count == 0) return settle(candidate, no_devices(plugin.id()));

    uint32_t failures = 0;
    Problem first{};
    for (uint32_t index = 0; index < count; ++index) {
        Verdict problem = query_device(plugin, index, candidate);
        if (problem && problem->harmful) candidate.harmful = true;
        if (problem && failures++ == 0) first = *std::move(problem);
    }
    candidate.state = candidate.devices.empty() ? QIAO_CANDIDATE_STATE_FAILED : QIAO_CANDIDATE_STATE_USABLE;
    if (failures == 0) return;
    candidate.reason = std::to_string(failures) + " of " + std::to_string(count) + " devices left out: " + first.reason;
    candidate.remedy = std::move(first.remedy);
}

} // namespace qiao::loader
